/* land_peek.c: a look at raw files before DuckDB reads them: the first bytes of a csv, and whether a gzip file is whole.
 *
 * DuckDB takes the line ending of a call's first file for all of them, and the rows of a file with the other ending are lost without a word; it
 * also takes the end of a gzip file or of a JSON array that was cut short for its proper end. All this is found here.
 */
#include <zlib.h>

#include "lake/land/land_input.h"
#include "os/file.h"
#include "text/uri.h"

enum { PEEK_BYTES = 256 << 10, CHUNK = 1 << 20 };

static inline void z_stream_cleanup(z_stream *z)
{
    inflateEnd(z);
}

static bool is_gzip(tn_str s)
{
    return s.n >= 2 && (unsigned char)s.p[0] == 0x1f && (unsigned char)s.p[1] == 0x8b;
}

static bool is_zstd(tn_str s)
{
    return s.n >= 4 && memcmp(s.p, "\x28\xb5\x2f\xfd", 4) == 0;
}

static bool inflate_start(tn_arena *a, tn_str packed, tn_str *ret)
{
    TN_AUTO(z_stream) z = { 0 };
    if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK) {
        return false;
    }
    char *out = tn_arena_alloc(a, PEEK_BYTES);
    z.next_in = (Bytef *)(uintptr_t)packed.p;
    z.avail_in = (uInt)packed.n;
    z.next_out = (Bytef *)out;
    z.avail_out = PEEK_BYTES;
    int rc = inflate(&z, Z_SYNC_FLUSH);
    *ret = tn_str_n(out, PEEK_BYTES - z.avail_out);
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR;
}

tn_rc tn_land_peek(tn_arena *a, tn_str path, tn_str *ret, bool *ret_known, tn_err *err)
{
    tn_str head;
    if (tn_uri_is_remote(path)) {
        *ret_known = false;
        return TN_OK;
    }
    TN_TRY(tn_file_read_range(a, path, 0, PEEK_BYTES, &head, err));
    bool known = !is_zstd(head);
    if (is_gzip(head)) {
        known = inflate_start(a, head, &head);
    }
    *ret_known = known;
    *ret = head;
    return TN_OK;
}

tn_land_newline tn_land_newline_of(tn_str text)
{
    bool quoted = false; /* a line feed inside quotes says nothing */
    for (size_t i = 0; i < text.n; i++) {
        quoted ^= text.p[i] == '"';
        if (!quoted && text.p[i] == '\n') {
            return i > 0 && text.p[i - 1] == '\r' ? TN_LAND_CRLF : TN_LAND_LF;
        }
        if (!quoted && text.p[i] == '\r' && i + 1 < text.n && text.p[i + 1] != '\n') {
            return TN_LAND_CR;
        }
    }
    return TN_LAND_NO_NEWLINE;
}

tn_str tn_land_first_line(tn_str text)
{
    if (tn_str_starts(text, TN_STR("\xef\xbb\xbf"))) {
        text = tn_str_sub(text, 3, text.n);
    }
    size_t end = 0;
    while (end < text.n && text.p[end] != '\n' && text.p[end] != '\r') {
        end++;
    }
    return tn_str_sub(text, 0, end);
}

char tn_land_delimiter_of(tn_str first_line)
{
    static const char candidates[] = { ',', ';', '\t', '|' };
    size_t counts[sizeof candidates] = { 0 }, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < first_line.n; i++) {
        quoted ^= first_line.p[i] == '"';
        const char *at = quoted ? NULL : memchr(candidates, first_line.p[i], sizeof candidates);
        if (at != NULL) {
            counts[at - candidates]++;
        }
    }
    for (size_t i = 1; i < sizeof candidates; i++) {
        best = counts[i] > counts[best] ? i : best;
    }
    return counts[best] > 0 ? candidates[best] : '\0';
}

/* ---- whole or cut short ---- */

static tn_rc cut_short(tn_str path, const char *how, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_DATA, "'" TN_STR_FMT "' is damaged: %s", TN_STR_ARG(path), how);
    return tn_hint(err, rc, "fetch the file again; nothing was loaded");
}

/* Feeds one chunk; *inside tells whether a member is open after it. */
static tn_rc feed(z_stream *z, tn_str in, char *out, bool *inside, tn_str path, tn_err *err)
{
    z->next_in = (Bytef *)(uintptr_t)in.p;
    z->avail_in = (uInt)in.n;
    do {
        if (!*inside && z->next_in[0] == 0) { /* zeros may follow the last member */
            z->next_in++;
            z->avail_in--;
            continue;
        }
        *inside = true;
        z->next_out = (Bytef *)out;
        z->avail_out = CHUNK;
        int rc = inflate(z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END) {
            *inside = false;
            (void)inflateReset(z);
        } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return cut_short(path, "it is not what gzip wrote", err);
        }
    } while (z->avail_in > 0 || (*inside && z->avail_out == 0));
    return TN_OK;
}

tn_rc tn_land_check_gzip(tn_str path, tn_str shown, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("gzip", NULL);
    TN_AUTO_ARENA chunk = tn_arena_new("gzip chunk", NULL);
    TN_AUTO(z_stream) z = { 0 };
    char *out = tn_arena_alloc(a, CHUNK);
    bool inside = false;
    tn_str in;
    if (inflateInit2(&z, MAX_WBITS + 16) != Z_OK) {
        return tn_fail(err, TN_E_BUG, "zlib cannot start");
    }
    for (int64_t from = 0;; from += (int64_t)in.n) {
        tn_arena_reset(chunk);
        TN_TRY(tn_file_read_range(chunk, path, from, CHUNK, &in, err));
        if (in.n == 0) {
            break;
        }
        TN_TRY(feed(&z, in, out, &inside, shown, err));
    }
    return inside ? cut_short(shown, "it is cut short", err) : TN_OK;
}

tn_rc tn_land_check_json(tn_str path, tn_str shown, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("json check", NULL);
    int64_t depth = 0;
    bool quoted = false, escaped = false;
    tn_str in;
    for (int64_t from = 0;; from += (int64_t)in.n) {
        tn_arena_reset(a);
        TN_TRY(tn_file_read_range(a, path, from, CHUNK, &in, err));
        if (in.n == 0) {
            break;
        }
        for (size_t i = 0; i < in.n; i++) {
            char c = in.p[i];
            if (quoted) {
                quoted = escaped || c != '"';
                escaped = !escaped && c == '\\';
            } else {
                quoted = c == '"';
                depth += c == '[' || c == '{';
                depth -= c == ']' || c == '}';
            }
        }
    }
    return quoted || depth > 0
               ? cut_short(shown, "a bracket or a string is not closed at its end", err)
               : TN_OK;
}
