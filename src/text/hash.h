/* hash.h: digests and encodings. */
#ifndef TN_TEXT_HASH_H
#define TN_TEXT_HASH_H

#include "base/buf.h"

void tn_sha256(tn_str s, uint8_t out[32]);
void tn_md5(tn_str s, uint8_t out[16]);
void tn_sha1(tn_str s, uint8_t out[20]);
uint32_t tn_crc32(uint32_t seed, const void *p, size_t n); /* zlib's; seed 0 at the start */
void tn_hmac_sha256(tn_str key, tn_str s, uint8_t out[32]);
tn_str tn_hex(tn_arena *a, const uint8_t *p, size_t n);
tn_str tn_sha256_hex(tn_arena *a, tn_str s);
tn_str tn_md5_hex(tn_arena *a, tn_str s);
tn_str tn_base64(tn_arena *a, tn_str s);
bool tn_base64_decode(tn_arena *a, tn_str s, tn_str *ret);
void tn_z85_encode(
    tn_buf *b, const uint8_t *p, size_t n); /* n is padded to a multiple of 4 with zeros */
/* The last group may lack 1 to 3 bytes: it begins with as many '#' (delta-kernel-rs writes vectors so). */
bool tn_z85_decode(tn_arena *a, tn_str s, tn_str *ret);

#endif
