/* ipc_lz4.c: decoding of LZ4 frames, the compression that Arrow files use unless told otherwise.
 *
 * frame := magic 184D2204, FLG, BD, [content size 8], [dictionary id 4], header checksum 1, block*, end mark 0, [checksum 4]
 * block := u32 size (top bit: stored as is), data, [checksum 4]
 * data  := (token, [more literal length], literals, offset 2, [more match length])*, the last one without a match
 *
 * Checksums are skipped: Arrow gives the length of what must come out, and the values are checked later. Blocks may
 * refer to earlier ones, which works by itself because all go into one output.
 */
#include "duck/ipc_impl.h"

typedef struct lz4 {
    const uint8_t *in, *in_end;
    uint8_t *out_start, *out, *out_end;
} lz4;

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A length whose four bits in the token were all set goes on in bytes up to one that is not 255. */
static bool long_length(lz4 *z, const uint8_t *end, size_t *n)
{
    uint8_t c = 255;
    for (; c == 255; *n += c) {
        if (z->in >= end) {
            return false;
        }
        c = *z->in++;
    }
    return true;
}

static bool copy_match(lz4 *z, size_t offset, size_t n)
{
    if (offset == 0 || offset > (size_t)(z->out - z->out_start) ||
        n > (size_t)(z->out_end - z->out)) {
        return false;
    }
    for (; n > 0; n--, z->out++) { /* byte by byte: source and target may overlap */
        *z->out = *(z->out - offset);
    }
    return true;
}

static bool decode_block(lz4 *z, const uint8_t *end)
{
    while (z->in < end) {
        uint8_t token = *z->in++;
        size_t literals = token >> 4, match = token & 15;
        if (literals == 15 && !long_length(z, end, &literals)) {
            return false;
        }
        if (literals > (size_t)(end - z->in) || literals > (size_t)(z->out_end - z->out)) {
            return false;
        }
        memcpy(z->out, z->in, literals);
        z->out += literals;
        z->in += literals;
        if (z->in == end) {
            return true;
        }
        if (end - z->in < 2) {
            return false;
        }
        size_t offset = (size_t)z->in[0] | (size_t)z->in[1] << 8;
        z->in += 2;
        if (match == 15 && !long_length(z, end, &match)) {
            return false;
        }
        if (!copy_match(z, offset, match + 4)) {
            return false;
        }
    }
    return true;
}

static bool take(lz4 *z, size_t n)
{
    if (n > (size_t)(z->in_end - z->in)) {
        return false;
    }
    z->in += n;
    return true;
}

bool ipc_lz4_frame(const uint8_t *in, size_t n, uint8_t *out, size_t out_n)
{
    lz4 z = { .in = in, .in_end = in + n, .out_start = out, .out = out, .out_end = out + out_n };
    if (n < 7 || u32_at(in) != 0x184D2204) {
        return false;
    }
    uint8_t flags = in[4];
    size_t block_checksum = flags & 0x10 ? 4 : 0;
    if ((flags >> 6) != 1 || !take(&z, 7 + (flags & 0x08 ? 8u : 0u) + (flags & 0x01 ? 4u : 0u))) {
        return false;
    }
    for (;;) {
        const uint8_t *at = z.in;
        if (!take(&z, 4)) {
            return false;
        }
        uint32_t size = u32_at(at);
        bool stored = size >> 31;
        size &= 0x7fffffff;
        if (size == 0) {
            return z.out == z.out_end;
        }
        if (size > (size_t)(z.in_end - z.in)) {
            return false;
        }
        const uint8_t *end = z.in + size;
        if (!stored && !decode_block(&z, end)) {
            return false;
        }
        if (stored) {
            if (size > (size_t)(z.out_end - z.out)) {
                return false;
            }
            memcpy(z.out, z.in, size);
            z.out += size;
            z.in = end;
        }
        if (!take(&z, block_checksum)) {
            return false;
        }
    }
}
