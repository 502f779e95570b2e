/* hash.c: digests (OpenSSL's), CRC-32 (zlib's), base64 and z85.
 *
 * z85 (ZeroMQ RFC 32): four bytes, big-endian, become five digits of base 85. Deletion vectors use it for inline
 * bitmaps and for the UUIDs of their files.
 */
#include "text/hash.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

/* One-shot digest. OpenSSL can only fail here when the algorithm is not built in, which no input causes. */
static void digest(const EVP_MD *md, tn_str s, uint8_t *out, unsigned want)
{
    unsigned n = 0;
    TN_CHECK(EVP_Digest(s.p ? s.p : "", s.n, out, &n, md, NULL) == 1 && n == want);
}

void tn_sha256(tn_str s, uint8_t out[32])
{
    digest(EVP_sha256(), s, out, 32);
}

void tn_md5(tn_str s, uint8_t out[16])
{
    digest(EVP_md5(), s, out, 16);
}

void tn_sha1(tn_str s, uint8_t out[20])
{
    digest(EVP_sha1(), s, out, 20);
}

uint32_t tn_crc32(uint32_t seed, const void *p, size_t n)
{
    return (uint32_t)crc32_z(seed, p, n);
}

void tn_hmac_sha256(tn_str key, tn_str s, uint8_t out[32])
{
    unsigned n = 0;
    TN_CHECK(key.n <= INT32_MAX);
    const unsigned char *ret = HMAC(EVP_sha256(), key.p ? key.p : "", (int)key.n,
        (const unsigned char *)(s.p ? s.p : ""), s.n, out, &n);
    TN_CHECK(ret != NULL && n == 32);
}

tn_str tn_hex(tn_arena *a, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    char *out = tn_arena_alloc(a, tn_size_add(tn_size_mul(n, 2), 1));
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = 0;
    return tn_str_n(out, 2 * n);
}

tn_str tn_sha256_hex(tn_arena *a, tn_str s)
{
    uint8_t out[32];
    tn_sha256(s, out);
    return tn_hex(a, out, sizeof out);
}

tn_str tn_md5_hex(tn_arena *a, tn_str s)
{
    uint8_t out[16];
    tn_md5(s, out);
    return tn_hex(a, out, sizeof out);
}

static const char BASE64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

tn_str tn_base64(tn_arena *a, tn_str s)
{
    size_t n = tn_size_mul(tn_size_add(s.n, 2) / 3, 4);
    char *out = tn_arena_alloc(a, n + 1);
    char *o = out;
    for (size_t i = 0; i < s.n; i += 3) {
        size_t left = s.n - i;
        uint32_t v = (uint32_t)(uint8_t)s.p[i] << 16;
        v |= left > 1 ? (uint32_t)(uint8_t)s.p[i + 1] << 8 : 0;
        v |= left > 2 ? (uint32_t)(uint8_t)s.p[i + 2] : 0;
        *o++ = BASE64[v >> 18];
        *o++ = BASE64[(v >> 12) & 63];
        *o++ = left > 1 ? BASE64[(v >> 6) & 63] : '=';
        *o++ = left > 2 ? BASE64[v & 63] : '=';
    }
    *o = 0;
    return tn_str_n(out, n);
}

static int digit_of(const char *alphabet, size_t n, char c)
{
    const char *at = memchr(alphabet, c, n);
    return at == NULL ? -1 : (int)(at - alphabet);
}

bool tn_base64_decode(tn_arena *a, tn_str s, tn_str *ret)
{
    while (s.n > 0 && s.p[s.n - 1] == '=') {
        s.n--;
    }
    if (s.n % 4 == 1) {
        return false;
    }
    char *out = tn_arena_alloc(a, s.n + 1);
    size_t n = 0;
    uint32_t v = 0;
    for (size_t i = 0; i < s.n; i++) {
        int d = digit_of(BASE64, 64, s.p[i]);
        if (d < 0) {
            return false;
        }
        v = v << 6 | (uint32_t)d;
        if (i % 4 != 0) { /* the 2nd, 3rd and 4th digit each complete a byte */
            out[n++] = (char)(v >> (6 - 2 * (i % 4)));
        }
    }
    out[n] = 0;
    *ret = tn_str_n(out, n);
    return true;
}

static const char Z85[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

void tn_z85_encode(tn_buf *b, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i += 4) {
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            v = v << 8 | (i + k < n ? p[i + k] : 0);
        }
        char out[5];
        for (int k = 4; k >= 0; k--) {
            out[k] = Z85[v % 85];
            v /= 85;
        }
        tn_buf_add_n(b, out, sizeof out);
    }
}

/* Value of n digits; false for a letter that is none, or a value of more than `bytes` bytes. */
static bool z85_value(const char *p, size_t n, size_t bytes, uint64_t *ret)
{
    uint64_t v = 0;
    for (size_t k = 0; k < n; k++) {
        int d = digit_of(Z85, 85, p[k]);
        if (d < 0) {
            return false;
        }
        v = v * 85 + (uint64_t)d;
    }
    *ret = v;
    return v >> (8 * bytes) == 0;
}

bool tn_z85_decode(tn_arena *a, tn_str s, tn_str *ret)
{
    if (s.n % 5 != 0) {
        return false;
    }
    char *out = tn_arena_alloc(a, s.n / 5 * 4 + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i += 5) {
        size_t missing = 0; /* '#' cannot begin a whole group: its value would not fit */
        while (i + 5 == s.n && missing < 3 && s.p[i + missing] == '#') {
            missing++;
        }
        uint64_t v;
        if (!z85_value(s.p + i + missing, 5 - missing, 4 - missing, &v)) {
            return false;
        }
        for (size_t k = missing; k < 4; k++) {
            out[n++] = (char)(v >> (24 - 8 * k));
        }
    }
    out[n] = 0;
    *ret = tn_str_n(out, n);
    return true;
}
