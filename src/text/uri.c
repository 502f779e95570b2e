/* uri.c: locations and percent-encoding, by text only.
 *
 * A location is a plain path or scheme://host/path. file:// URLs are decoded to a path at once; keys of buckets
 * are left as written, since an object's name may hold any byte and '%41' is a legal key.
 */
#include "text/uri.h"

#include "base/err.h"

enum { URI_BYTES_MAX = 64 * 1024 };

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), at least two characters, followed by ":/". */
static size_t scheme_bytes(tn_str s)
{
    if (s.n == 0 || !is_alpha(s.p[0])) {
        return 0;
    }
    size_t i = 1;
    while (i < s.n && (is_alpha(s.p[i]) || is_digit(s.p[i]) || s.p[i] == '+' || s.p[i] == '-' ||
                          s.p[i] == '.')) {
        i++;
    }
    bool is_url = i >= 2 && i + 1 < s.n && s.p[i] == ':' && s.p[i + 1] == '/';
    return is_url ? i : 0;
}

static tn_rc file_uri(tn_arena *a, tn_str rest, tn_uri *ret, tn_err *err)
{
    tn_str path = rest;
    if (tn_str_starts(rest, TN_STR("//"))) {
        tn_str after = tn_str_sub(rest, 2, rest.n);
        size_t slash = tn_str_find_char(after, '/', 0);
        tn_str host = slash == SIZE_MAX ? after : tn_str_sub(after, 0, slash);
        if (host.n > 0 && !tn_str_eq_nocase(host, TN_STR("localhost"))) {
            tn_rc rc = tn_fail(
                err, TN_E_VALUE, "a file URL names the host '" TN_STR_FMT "'", TN_STR_ARG(host));
            return tn_hint(err, rc, "write file:///absolute/path");
        }
        path = slash == SIZE_MAX ? TN_STR("/") : tn_str_sub(after, slash, after.n);
    }
    tn_uri u = { .scheme = TN_STR("file") };
    TN_TRY(tn_percent_decode(a, path, &u.path, err));
    *ret = u;
    return TN_OK;
}

tn_rc tn_uri_parse(tn_arena *a, tn_str text, tn_uri *ret, tn_err *err)
{
    if (text.n > URI_BYTES_MAX) {
        return tn_fail(err, TN_E_LIMIT, "a location of %zu bytes is too long", text.n);
    }
    if (text.n > 0 && memchr(text.p, 0, text.n) != NULL) {
        return tn_fail(err, TN_E_VALUE, "a location holds a NUL byte");
    }
    size_t n = scheme_bytes(text);
    if (n == 0) {
        *ret = (tn_uri){ .scheme = TN_STR(""), .path = text };
        return TN_OK;
    }
    tn_str scheme = tn_str_lower(a, tn_str_sub(text, 0, n));
    tn_str rest = tn_str_sub(text, n + 1, text.n);
    if (tn_str_is(scheme, "file")) {
        return file_uri(a, rest, ret, err);
    }
    tn_uri u = { .scheme = scheme };
    if (!tn_str_starts(rest, TN_STR("//"))) {
        return tn_fail(
            err, TN_E_VALUE, "'" TN_STR_FMT "' has no '//' after its scheme", TN_STR_ARG(text));
    }
    rest = tn_str_sub(rest, 2, rest.n);
    size_t slash = tn_str_find_char(rest, '/', 0);
    u.host = slash == SIZE_MAX ? rest : tn_str_sub(rest, 0, slash);
    u.path = slash == SIZE_MAX ? TN_STR_NONE : tn_str_sub(rest, slash + 1, rest.n);
    if (tn_str_is(scheme, "http") || tn_str_is(scheme, "https")) {
        tn_str path = u.path;
        (void)tn_str_cut(path, '?', &u.path, &u.query);
    }
    *ret = u;
    return TN_OK;
}

bool tn_uri_is_remote(tn_str text)
{
    size_t n = scheme_bytes(text);
    return n > 0 && !tn_str_eq_nocase(tn_str_sub(text, 0, n), TN_STR("file"));
}

tn_str tn_uri_join(tn_arena *a, tn_str base, tn_str rel)
{
    if (base.n == 0 || scheme_bytes(rel) > 0 || (rel.n > 0 && rel.p[0] == '/')) {
        return rel;
    }
    if (rel.n == 0) {
        return base;
    }
    if (base.p[base.n - 1] == '/') {
        return tn_str_concat(a, base, rel);
    }
    return tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(base), TN_STR_ARG(rel));
}

tn_str tn_path_base(tn_str path)
{
    size_t slash = tn_str_rfind_char(path, '/');
    return slash == SIZE_MAX ? path : tn_str_sub(path, slash + 1, path.n);
}

tn_str tn_path_dir(tn_str path)
{
    size_t slash = tn_str_rfind_char(path, '/');
    if (slash == SIZE_MAX) {
        return TN_STR("");
    }
    return tn_str_sub(path, 0, slash == 0 ? 1 : slash);
}

/* Where the extension's dot is in the last component, or SIZE_MAX. A leading dot names a hidden file. */
static size_t ext_dot(tn_str path)
{
    tn_str base = tn_path_base(path);
    size_t dot = tn_str_rfind_char(base, '.');
    if (dot == SIZE_MAX || dot == 0) {
        return SIZE_MAX;
    }
    return path.n - base.n + dot;
}

tn_str tn_path_ext(tn_str path)
{
    size_t dot = ext_dot(path);
    return dot == SIZE_MAX ? TN_STR("") : tn_str_sub(path, dot + 1, path.n);
}

tn_str tn_path_stem(tn_str path)
{
    size_t dot = ext_dot(path);
    return dot == SIZE_MAX ? path : tn_str_sub(path, 0, dot);
}

/* Drops the last component of what was written so far, unless it is the root or itself a '..'. */
static bool drop_last(tn_buf *b, size_t root)
{
    tn_str done = tn_str_sub(tn_buf_str(b), root, b->n);
    if (done.n == 0) {
        return root > 0; /* "/.." is "/" */
    }
    size_t slash = tn_str_rfind_char(done, '/');
    tn_str last = slash == SIZE_MAX ? done : tn_str_sub(done, slash + 1, done.n);
    if (tn_str_is(last, "..")) {
        return false;
    }
    tn_buf_truncate(b, root + (slash == SIZE_MAX ? 0 : slash));
    return true;
}

tn_str tn_path_norm(tn_arena *a, tn_str path)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    size_t root = path.n > 0 && path.p[0] == '/' ? 1 : 0;
    tn_buf_add(&b, tn_str_sub(path, 0, root));
    tn_str rest = path;
    while (rest.n > 0) {
        tn_str part;
        tn_str tail;
        (void)tn_str_cut(rest, '/', &part, &tail);
        rest = tail;
        bool skip = part.n == 0 || tn_str_is(part, ".");
        if (skip || (tn_str_is(part, "..") && drop_last(&b, root))) {
            continue;
        }
        if (b.n > root) {
            tn_buf_addc(&b, '/');
        }
        tn_buf_add(&b, part);
    }
    if (b.n == 0) {
        tn_buf_addc(&b, '.');
    }
    return tn_buf_str(&b);
}

static void add_escape(tn_buf *b, char c)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned u = (unsigned char)c;
    char out[3] = { '%', digits[u >> 4], digits[u & 15] };
    tn_buf_add_n(b, out, 3);
}

void tn_percent_encode(tn_buf *b, tn_str s, const char *keep, bool utf8_raw)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool plain = is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~' ||
                     (c != 0 && keep != NULL && strchr(keep, c) != NULL) ||
                     (utf8_raw && (unsigned char)c >= 0x80);
        if (plain) {
            tn_buf_addc(b, c);
        } else {
            add_escape(b, c);
        }
    }
}

static int hex_digit(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

tn_rc tn_percent_decode(tn_arena *a, tn_str s, tn_str *ret, tn_err *err)
{
    if (tn_str_find_char(s, '%', 0) == SIZE_MAX) {
        *ret = s;
        return TN_OK;
    }
    tn_buf b = tn_buf_init(a, s.n + 1);
    for (size_t i = 0; i < s.n; i++) {
        int hi = s.p[i] == '%' && i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
        int lo = hi >= 0 ? hex_digit(s.p[i + 2]) : -1;
        if (lo >= 0) {
            tn_buf_addc(&b, (char)(hi * 16 + lo));
            i += 2;
        } else {
            tn_buf_addc(&b, s.p[i]);
        }
    }
    return tn_buf_finish(&b, "a percent-decoded text", ret, err);
}

void tn_hive_escape(tn_buf *b, tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7f || strchr("\"#%'*/:=?\\{[]^", c) != NULL) {
            add_escape(b, s.p[i]);
        } else {
            tn_buf_addc(b, s.p[i]);
        }
    }
}
