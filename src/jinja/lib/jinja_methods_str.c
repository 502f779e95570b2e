/* jinja_methods_str.c: the methods of Python's str, and those of bytes that templates meet. Places are counted in characters. */
#include "base/buf.h"
#include "jinja/lib/jinja_builtin.h"

static tn_rc text(tn_str s, tn_val *ret)
{
    *ret = tn_val_str(s);
    return TN_OK;
}

static tn_str self_str(tn_val v)
{
    return tn_val_as_str(v);
}

/* ---- case ---- */
#define RECASE(fn, how)                                                                            \
    static tn_rc fn(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)                       \
    {                                                                                              \
        (void)err;                                                                                 \
        return text(tn_jlib_recase(c->arena, self_str(self), how), ret);                           \
    }
RECASE(m_upper, TN_CASE_UPPER)
RECASE(m_lower, TN_CASE_LOWER)
RECASE(m_title, TN_CASE_TITLE)
RECASE(m_capitalize, TN_CASE_CAPITAL)
RECASE(m_swapcase, TN_CASE_SWAP)
RECASE(m_casefold, TN_CASE_FOLD)

/* ---- strip ---- */
static bool char_in(tn_str set, tn_str ch)
{
    for (size_t at = 0; at < set.n;) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_sub(set, at, set.n), &cp);
        if (tn_str_eq(tn_str_n(set.p + at, n), ch)) {
            return true;
        }
        at += n;
    }
    return false;
}

static tn_str strip_set(tn_str s, tn_str set, int sides)
{
    uint32_t cp;
    while ((sides & 1) && s.n > 0) {
        size_t n = tn_utf8_decode(s, &cp);
        if (!char_in(set, tn_str_n(s.p, n))) {
            break;
        }
        s = tn_str_sub(s, n, s.n);
    }
    while ((sides & 2) && s.n > 0) {
        size_t at = s.n - 1;
        while (at > 0 && ((unsigned char)s.p[at] & 0xC0) == 0x80) {
            at--;
        }
        if (!char_in(set, tn_str_sub(s, at, s.n))) {
            break;
        }
        s.n = at;
    }
    return s;
}

static tn_rc strip_sides(tn_val self, const tn_call *c, int sides, tn_val *ret, tn_err *err)
{
    tn_val set = tn_call_arg(c, 0, "chars");
    if (set.tag == TN_UNDEF || set.tag == TN_NONE) {
        return text(tn_jlib_strip(self_str(self), sides), ret);
    }
    if (set.tag != TN_STR_V) {
        return tn_fail(err, TN_E_TYPE, "strip arg must be None or str");
    }
    return text(strip_set(self_str(self), tn_val_as_str(set), sides), ret);
}

static tn_rc m_strip(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return strip_sides(self, c, 3, ret, err);
}

static tn_rc m_lstrip(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return strip_sides(self, c, 1, ret, err);
}

static tn_rc m_rstrip(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return strip_sides(self, c, 2, ret, err);
}

/* ---- split ---- */
static void reverse(tn_list *l)
{
    for (size_t i = 0, j = l->n; i + 1 < j; i++) {
        tn_val t = l->v[i];
        l->v[i] = l->v[--j];
        l->v[j] = t;
    }
}

static void push(tn_list *l, tn_str s)
{
    tn_list_push(l, tn_val_str(s));
}

static void split_space(tn_list *l, tn_str s, int64_t max, bool right)
{
    for (int64_t n = 0;; n++) {
        s = tn_jlib_strip(s, right ? 2 : 1);
        if (s.n == 0) {
            return;
        }
        if (n == max) {
            push(l, s); /* the rest as it is, but for the side that was stripped */
            return;
        }
        if (right) {
            size_t at = s.n;
            while (at > 0) {
                size_t before = at - 1;
                while (before > 0 && ((unsigned char)s.p[before] & 0xC0) == 0x80) {
                    before--;
                }
                uint32_t cp;
                tn_utf8_decode(tn_str_sub(s, before, at), &cp);
                if (tn_uni_is_space(cp)) {
                    break;
                }
                at = before;
            }
            push(l, tn_str_sub(s, at, s.n));
            s.n = at;
        } else {
            size_t at = 0;
            while (at < s.n) {
                uint32_t cp;
                size_t len = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
                if (tn_uni_is_space(cp)) {
                    break;
                }
                at += len;
            }
            push(l, tn_str_sub(s, 0, at));
            s = tn_str_sub(s, at, s.n);
        }
    }
}

static size_t rfind_bytes(tn_str s, tn_str needle)
{
    if (needle.n > s.n) {
        return SIZE_MAX;
    }
    for (size_t i = s.n - needle.n + 1; i-- > 0;) {
        if (needle.n == 0 || memcmp(s.p + i, needle.p, needle.n) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void split_by(tn_list *l, tn_str s, tn_str sep, int64_t max, bool right)
{
    for (int64_t n = 0; max < 0 || n < max; n++) {
        size_t at = right ? rfind_bytes(s, sep) : tn_str_find(s, sep, 0);
        if (at == SIZE_MAX) {
            break;
        }
        if (right) {
            push(l, tn_str_sub(s, at + sep.n, s.n));
            s.n = at;
        } else {
            push(l, tn_str_sub(s, 0, at));
            s = tn_str_sub(s, at + sep.n, s.n);
        }
    }
    push(l, s);
}

static tn_rc split_any(tn_val self, const tn_call *c, bool right, tn_val *ret, tn_err *err)
{
    tn_val sep = tn_call_arg(c, 0, "sep");
    int64_t max = -1;
    TN_TRY(tn_jlib_int_arg(c, 1, "maxsplit", &max, err));
    tn_val l = tn_val_list(c->arena);
    if (sep.tag == TN_UNDEF || sep.tag == TN_NONE) {
        split_space(l.list, self_str(self), max < 0 ? -1 : max, right);
    } else if (sep.tag != TN_STR_V) {
        return tn_fail(err, TN_E_TYPE, "must be str or None, not %s", tn_val_type_name(sep));
    } else if (sep.n == 0) {
        return tn_fail(err, TN_E_VALUE, "empty separator");
    } else {
        split_by(l.list, self_str(self), tn_val_as_str(sep), max, right);
    }
    if (right) {
        reverse(l.list);
    }
    *ret = l;
    return TN_OK;
}

static tn_rc m_split(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return split_any(self, c, false, ret, err);
}

static tn_rc m_rsplit(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return split_any(self, c, true, ret, err);
}

static tn_rc m_splitlines(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_val l = tn_val_list(c->arena);
    TN_TRY(tn_jlib_splitlines(
        c->arena, self_str(self), tn_jlib_bool_arg(c, 0, "keepends", false), l.list));
    *ret = l;
    return TN_OK;
}

static tn_rc partition(tn_val self, const tn_call *c, bool right, tn_val *ret, tn_err *err)
{
    tn_str s = self_str(self), sep;
    TN_TRY(tn_jlib_str_arg(c, 0, "sep", right ? "rpartition" : "partition", &sep, err));
    if (sep.n == 0) {
        return tn_fail(err, TN_E_VALUE, "empty separator");
    }
    size_t at = right ? rfind_bytes(s, sep) : tn_str_find(s, sep, 0);
    tn_val none = tn_val_str(TN_STR("")), v[3] = { self, none, none };
    if (at != SIZE_MAX) {
        v[0] = tn_val_str(tn_str_sub(s, 0, at));
        v[1] = tn_val_str(sep);
        v[2] = tn_val_str(tn_str_sub(s, at + sep.n, s.n));
    } else if (right) {
        v[0] = none;
        v[2] = self;
    }
    *ret = tn_val_tuple(c->arena, v, 3);
    return TN_OK;
}

static tn_rc m_partition(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return partition(self, c, false, ret, err);
}

static tn_rc m_rpartition(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return partition(self, c, true, ret, err);
}

static tn_rc m_join(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    const tn_list *l;
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    if (tn_jlib_items(c->arena, c->args[0], &l, NULL) != TN_OK) {
        return tn_fail(err, TN_E_TYPE, "can only join an iterable");
    }
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].tag != TN_STR_V) {
            return tn_fail(err, TN_E_TYPE, "sequence item %zu: expected str instance, %s found", i,
                tn_val_type_name(l->v[i]));
        }
        if (i > 0) {
            tn_buf_add(&b, self_str(self));
        }
        tn_buf_add(&b, tn_val_as_str(l->v[i]));
    }
    return tn_jlib_finish(&b, ret, err);
}

static tn_rc m_replace(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_str s = self_str(self), from, to;
    int64_t count = -1, n = 0;
    TN_TRY(tn_jlib_str_arg(c, 0, "old", "replace", &from, err));
    TN_TRY(tn_jlib_str_arg(c, 1, "new", "replace", &to, err));
    TN_TRY(tn_jlib_int_arg(c, 2, "count", &count, err));
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    size_t at = 0;
    for (; count < 0 || n < count; n++) {
        if (from.n == 0) { /* between all characters */
            tn_buf_add(&b, to);
            if (at >= s.n) {
                return tn_jlib_finish(&b, ret, err);
            }
            uint32_t cp;
            size_t len = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
            tn_buf_add(&b, tn_str_sub(s, at, at + len));
            at += len;
            continue;
        }
        size_t found = tn_str_find(s, from, at);
        if (found == SIZE_MAX) {
            break;
        }
        tn_buf_add(&b, tn_str_sub(s, at, found));
        tn_buf_add(&b, to);
        at = found + from.n;
    }
    tn_buf_add(&b, tn_str_sub(s, at, s.n));
    return tn_jlib_finish(&b, ret, err);
}

/* ---- search ---- */
/* The part that start and end (arguments 1 and 2) select; *ret_base: the character where it starts, -1: start is past the end. */
static tn_rc window(tn_str s, const tn_call *c, tn_str *ret, int64_t *ret_base, tn_err *err)
{
    int64_t len = (int64_t)tn_utf8_len(s), from, step, n;
    tn_val start = tn_call_arg(c, 1, "start"), stop = tn_call_arg(c, 2, "end");
    TN_TRY(tn_jlib_slice_indices(start, stop, TN_VAL_NONE, len, &from, &step, &n, err));
    size_t lo = tn_utf8_offset(s, (size_t)from);
    *ret = tn_str_sub(s, lo, tn_utf8_offset(s, (size_t)(from + n)));
    *ret_base = start.tag == TN_INT && start.i > len ? -1 : from;
    return TN_OK;
}

static tn_rc search(tn_val self, const tn_call *c, const char *what, bool right, bool must,
    tn_val *ret, tn_err *err)
{
    tn_str needle, part;
    int64_t base = 0;
    TN_TRY(tn_jlib_str_arg(c, 0, "sub", what, &needle, err));
    TN_TRY(window(self_str(self), c, &part, &base, err));
    size_t at = base < 0 ? SIZE_MAX
                : right  ? rfind_bytes(part, needle)
                         : tn_str_find(part, needle, 0);
    if (at == SIZE_MAX && must) {
        return tn_fail(err, TN_E_VALUE, "substring not found");
    }
    *ret = tn_val_int(at == SIZE_MAX ? -1 : base + (int64_t)tn_utf8_len(tn_str_sub(part, 0, at)));
    return TN_OK;
}

static tn_rc m_find(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return search(self, c, "find", false, false, ret, err);
}

static tn_rc m_rfind(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return search(self, c, "rfind", true, false, ret, err);
}

static tn_rc m_index(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return search(self, c, "index", false, true, ret, err);
}

static tn_rc m_rindex(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return search(self, c, "rindex", true, true, ret, err);
}

static tn_rc m_count(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_str needle, part;
    int64_t base = 0, n = 0;
    TN_TRY(tn_jlib_str_arg(c, 0, "sub", "count", &needle, err));
    TN_TRY(window(self_str(self), c, &part, &base, err));
    if (needle.n == 0) {
        *ret = tn_val_int(base < 0 ? 0 : (int64_t)tn_utf8_len(part) + 1);
        return TN_OK;
    }
    for (size_t at = 0; (at = tn_str_find(part, needle, at)) != SIZE_MAX; at += needle.n) {
        n++;
    }
    *ret = tn_val_int(n);
    return TN_OK;
}

static tn_rc affix(tn_val self, const tn_call *c, bool start, tn_val *ret, tn_err *err)
{
    tn_str part;
    int64_t base = 0;
    tn_val one = tn_call_arg(c, 0, "prefix");
    const tn_val *v = one.tag == TN_TUPLE ? one.list->v : &one;
    size_t n = one.tag == TN_TUPLE ? one.list->n : 1;
    TN_TRY(window(self_str(self), c, &part, &base, err));
    bool found = false;
    for (size_t i = 0; i < n; i++) {
        if (v[i].tag != TN_STR_V) {
            return tn_fail(err, TN_E_TYPE, "%s first arg must be str or a tuple of str, not %s",
                start ? "startswith" : "endswith", tn_val_type_name(v[i]));
        }
        tn_str s = tn_val_as_str(v[i]);
        found = found || (base >= 0 && (start ? tn_str_starts(part, s) : tn_str_ends(part, s)));
    }
    *ret = tn_val_bool(found);
    return TN_OK;
}

static tn_rc m_startswith(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return affix(self, c, true, ret, err);
}

static tn_rc m_endswith(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return affix(self, c, false, ret, err);
}

static tn_rc m_removeprefix(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_str s = self_str(self), p;
    TN_TRY(tn_jlib_str_arg(c, 0, "prefix", "removeprefix", &p, err));
    return text(tn_str_starts(s, p) ? tn_str_sub(s, p.n, s.n) : s, ret);
}

static tn_rc m_removesuffix(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_str s = self_str(self), p;
    TN_TRY(tn_jlib_str_arg(c, 0, "suffix", "removesuffix", &p, err));
    return text(p.n > 0 && tn_str_ends(s, p) ? tn_str_sub(s, 0, s.n - p.n) : s, ret);
}

/* ---- padding ---- */
static tn_rc pad_args(
    tn_val self, const tn_call *c, int64_t *ret_pad, tn_str *ret_fill, tn_err *err)
{
    int64_t width = 0;
    *ret_fill = TN_STR(" ");
    TN_TRY(tn_jlib_int_arg(c, 0, "width", &width, err));
    if (tn_call_has(c, 1, "fillchar")) {
        TN_TRY(tn_jlib_str_arg(c, 1, "fillchar", "center", ret_fill, err));
        if (tn_utf8_len(*ret_fill) != 1) {
            return tn_fail(err, TN_E_TYPE, "The fill character must be exactly one character long");
        }
    }
    if (width > (int64_t)(TN_JLIB_TEXT_MAX / 4)) {
        return tn_fail(err, TN_E_LIMIT, "a text of more than %zu bytes", TN_JLIB_TEXT_MAX);
    }
    int64_t pad = width - (int64_t)tn_utf8_len(self_str(self));
    *ret_pad = pad < 0 ? 0 : pad;
    return TN_OK;
}

static tn_rc add_padded(tn_val self, const tn_call *c, int64_t left, int64_t right, tn_str fill,
    tn_val *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    for (int64_t i = 0; i < left; i++) {
        tn_buf_add(&b, fill);
    }
    tn_buf_add(&b, self_str(self));
    for (int64_t i = 0; i < right; i++) {
        tn_buf_add(&b, fill);
    }
    return tn_jlib_finish(&b, ret, err);
}

static tn_rc m_center(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    int64_t pad, width = 0;
    tn_str fill;
    TN_TRY(pad_args(self, c, &pad, &fill, err));
    TN_TRY(tn_jlib_int_arg(c, 0, "width", &width, err));
    int64_t left = pad / 2 + (pad & width & 1); /* Python's rule for the odd one */
    return add_padded(self, c, left, pad - left, fill, ret, err);
}

static tn_rc m_ljust(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    int64_t pad;
    tn_str fill;
    TN_TRY(pad_args(self, c, &pad, &fill, err));
    return add_padded(self, c, 0, pad, fill, ret, err);
}

static tn_rc m_rjust(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    int64_t pad;
    tn_str fill;
    TN_TRY(pad_args(self, c, &pad, &fill, err));
    return add_padded(self, c, pad, 0, fill, ret, err);
}

static tn_rc m_zfill(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    int64_t pad;
    tn_str fill, s = self_str(self);
    TN_TRY(pad_args(self, c, &pad, &fill, err));
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    size_t sign = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    tn_buf_add(&b, tn_str_sub(s, 0, sign));
    tn_buf_add_repeat(&b, '0', (size_t)pad);
    tn_buf_add(&b, tn_str_sub(s, sign, s.n));
    return tn_jlib_finish(&b, ret, err);
}

static tn_rc m_expandtabs(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    int64_t size = 8, col = 0;
    tn_str s = self_str(self);
    TN_TRY(tn_jlib_int_arg(c, 0, "tabsize", &size, err));
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\t') {
            int64_t n = size > 0 ? size - col % size : 0;
            tn_buf_add_repeat(&b, ' ', (size_t)n);
            col += n;
        } else {
            tn_buf_addc(&b, s.p[i]);
            col = s.p[i] == '\n' || s.p[i] == '\r'
                      ? 0
                      : col + (((unsigned char)s.p[i] & 0xC0) != 0x80 ? 1 : 0);
        }
    }
    return tn_jlib_finish(&b, ret, err);
}

/* ---- questions ---- */
typedef bool (*char_test)(uint32_t cp);

static bool all_are(tn_str s, char_test test, bool empty)
{
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        if (!test(cp)) {
            return false;
        }
        at += n;
    }
    return s.n > 0 || empty;
}

static bool is_ascii(uint32_t cp)
{
    return cp < 0x80;
}

static bool is_printable(uint32_t cp)
{
    return cp == ' ' || (cp > ' ' && cp < 0x7f) ||
           (cp > 0xa0 && cp != 0xad && !tn_uni_is_space(cp));
}

static bool is_decimal(uint32_t cp)
{
    return tn_uni_is_digit(cp) &&
           !(cp == 0xb2 || cp == 0xb3 || cp == 0xb9 || (cp >= 0x2070 && cp <= 0x2089));
}

static bool is_numeric(uint32_t cp)
{
    return tn_uni_is_digit(cp) || (cp >= 0xbc && cp <= 0xbe) || (cp >= 0x2150 && cp <= 0x2189) ||
           (cp >= 0x2460 && cp <= 0x249b);
}

static bool is_name_char(uint32_t cp)
{
    return cp == '_' || tn_uni_is_alnum(cp);
}

#define QUESTION(fn, test, empty)                                                                  \
    static tn_rc fn(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)                       \
    {                                                                                              \
        (void)c, (void)err;                                                                        \
        *ret = tn_val_bool(all_are(self_str(self), test, empty));                                  \
        return TN_OK;                                                                              \
    }
QUESTION(m_isdigit, tn_uni_is_digit, false)
QUESTION(m_isdecimal, is_decimal, false)
QUESTION(m_isnumeric, is_numeric, false)
QUESTION(m_isalpha, tn_uni_is_alpha, false)
QUESTION(m_isalnum, tn_uni_is_alnum, false)
QUESTION(m_isspace, tn_uni_is_space, false)
QUESTION(m_isascii, is_ascii, true)
QUESTION(m_isprintable, is_printable, true)

static tn_rc m_isidentifier(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    tn_str s = self_str(self);
    *ret = tn_val_bool(all_are(s, is_name_char, false) && !(s.p[0] >= '0' && s.p[0] <= '9'));
    return TN_OK;
}

/* At least one cased character, and none of the other case. */
static tn_rc cased(tn_val self, char_test want, char_test other, tn_val *ret)
{
    tn_str s = self_str(self);
    bool any = false;
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        at += tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        if (other(cp)) {
            *ret = TN_VAL_FALSE;
            return TN_OK;
        }
        any = any || want(cp);
    }
    *ret = tn_val_bool(any);
    return TN_OK;
}

static tn_rc m_isupper(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    return cased(self, tn_uni_is_upper, tn_uni_is_lower, ret);
}

static tn_rc m_islower(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    return cased(self, tn_uni_is_lower, tn_uni_is_upper, ret);
}

static tn_rc m_istitle(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    tn_str s = self_str(self);
    bool any = false, word = false, good = true;
    for (size_t at = 0; at < s.n && good;) {
        uint32_t cp;
        at += tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        bool up = tn_uni_is_upper(cp), low = tn_uni_is_lower(cp);
        good = !(up && word) && !(low && !word);
        word = up || low;
        any = any || up;
    }
    *ret = tn_val_bool(good && any);
    return TN_OK;
}

/* ---- format, encode, translate ---- */
static tn_rc m_format(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return tn_jinja_str_format(tn_jlib_ctx(c), self_str(self), c, ret, err);
}

static tn_rc m_format_map(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val map = c->args[0];
    if (map.tag != TN_DICT) {
        return tn_fail(err, TN_E_TYPE, "format_map() needs a dict, not %s", tn_val_type_name(map));
    }
    tn_call named = *c;
    tn_kwarg *kw = tn_new_array(c->arena, tn_kwarg, map.dict->live + 1);
    size_t at = 0, n = 0;
    for (const tn_dict_item *it; (it = tn_dict_next(map.dict, &at)) != NULL;) {
        if (it->key.tag == TN_STR_V) {
            kw[n++] = (tn_kwarg){ .name = tn_val_as_str(it->key), .value = it->value };
        }
    }
    named.argc = 0;
    named.kwargs = kw;
    named.kwargc = n;
    return tn_jinja_str_format(tn_jlib_ctx(c), self_str(self), &named, ret, err);
}

static tn_rc m_encode(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val name = tn_call_arg(c, 0, "encoding");
    tn_str s = tn_val_as_str(name);
    bool ascii = tn_str_eq_nocase(s, TN_STR("ascii"));
    if (name.tag != TN_UNDEF && !ascii && !tn_str_eq_nocase(s, TN_STR("utf-8")) &&
        !tn_str_eq_nocase(s, TN_STR("utf8"))) {
        return tn_fail(err, TN_E_VALUE, "unknown encoding: " TN_STR_FMT, TN_STR_ARG(s));
    }
    if (ascii && !all_are(self_str(self), is_ascii, true)) {
        return tn_fail(
            err, TN_E_VALUE, "'ascii' codec can't encode characters: ordinal not in range(128)");
    }
    tn_val v = self;
    v.tag = TN_BYTES;
    v.flags = 0;
    *ret = v;
    return TN_OK;
}

static tn_rc m_translate(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_str s = self_str(self);
    tn_val map = c->args[0];
    if (map.tag != TN_DICT) {
        return tn_fail(err, TN_E_TYPE, "translate() needs a dict, not %s", tn_val_type_name(map));
    }
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        size_t n = tn_utf8_decode(tn_str_sub(s, at, s.n), &cp);
        const tn_val *to = tn_dict_find(map.dict, tn_val_int(cp));
        char out[4];
        if (to == NULL) {
            tn_buf_add(&b, tn_str_sub(s, at, at + n));
        } else if (to->tag == TN_INT) {
            tn_buf_add_n(&b, out, tn_utf8_encode((uint32_t)to->i, out));
        } else if (to->tag == TN_STR_V) {
            tn_buf_add(&b, tn_val_as_str(*to));
        }
        at += n;
    }
    return tn_jlib_finish(&b, ret, err);
}

static tn_rc m_maketrans(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val d = tn_val_dict(c->arena);
    const tn_list *from = NULL, *to = NULL, *drop = NULL;
    uint32_t x, y;
    TN_TRY(tn_jlib_items(c->arena, c->args[0], &from, err));
    if (c->argc == 1) {
        const tn_dict_item *it;
        size_t at = 0;
        while (c->args[0].tag == TN_DICT && (it = tn_dict_next(c->args[0].dict, &at)) != NULL) {
            tn_utf8_decode(tn_val_as_str(it->key), &x);
            tn_dict_put(d.dict, it->key.tag == TN_STR_V ? tn_val_int(x) : it->key, it->value);
        }
        *ret = d;
        return TN_OK;
    }
    TN_TRY(tn_jlib_items(c->arena, c->args[1], &to, err));
    if (from->n != to->n) {
        return tn_fail(err, TN_E_VALUE, "the first two maketrans arguments must have equal length");
    }
    for (size_t i = 0; i < from->n; i++) {
        tn_utf8_decode(tn_val_as_str(from->v[i]), &x);
        tn_utf8_decode(tn_val_as_str(to->v[i]), &y);
        tn_dict_put(d.dict, tn_val_int(x), tn_val_int(y));
    }
    if (c->argc > 2) {
        TN_TRY(tn_jlib_items(c->arena, c->args[2], &drop, err));
        for (size_t i = 0; i < drop->n; i++) {
            tn_utf8_decode(tn_val_as_str(drop->v[i]), &x);
            tn_dict_put(d.dict, tn_val_int(x), TN_VAL_NONE);
        }
    }
    *ret = d;
    return TN_OK;
}

static const char *const SPLIT_NAMES[] = { "sep", "maxsplit", NULL };
static const char *const LINES_NAMES[] = { "keepends", NULL };
static const char *const TAB_NAMES[] = { "tabsize", NULL };
static const char *const ENCODE_NAMES[] = { "encoding", "errors", NULL };

const tn_jlib_method tn_jlib_str_methods[] = {
    { "upper", m_upper, 0, 0, NULL },
    { "lower", m_lower, 0, 0, NULL },
    { "title", m_title, 0, 0, NULL },
    { "capitalize", m_capitalize, 0, 0, NULL },
    { "swapcase", m_swapcase, 0, 0, NULL },
    { "casefold", m_casefold, 0, 0, NULL },
    { "strip", m_strip, 0, 1, NULL },
    { "lstrip", m_lstrip, 0, 1, NULL },
    { "rstrip", m_rstrip, 0, 1, NULL },
    { "split", m_split, 0, 2, SPLIT_NAMES },
    { "rsplit", m_rsplit, 0, 2, SPLIT_NAMES },
    { "splitlines", m_splitlines, 0, 1, LINES_NAMES },
    { "partition", m_partition, 1, 1, NULL },
    { "rpartition", m_rpartition, 1, 1, NULL },
    { "join", m_join, 1, 1, NULL },
    { "replace", m_replace, 2, 3, NULL },
    { "find", m_find, 1, 3, NULL },
    { "rfind", m_rfind, 1, 3, NULL },
    { "index", m_index, 1, 3, NULL },
    { "rindex", m_rindex, 1, 3, NULL },
    { "count", m_count, 1, 3, NULL },
    { "startswith", m_startswith, 1, 3, NULL },
    { "endswith", m_endswith, 1, 3, NULL },
    { "removeprefix", m_removeprefix, 1, 1, NULL },
    { "removesuffix", m_removesuffix, 1, 1, NULL },
    { "center", m_center, 1, 2, NULL },
    { "ljust", m_ljust, 1, 2, NULL },
    { "rjust", m_rjust, 1, 2, NULL },
    { "zfill", m_zfill, 1, 1, NULL },
    { "expandtabs", m_expandtabs, 0, 1, TAB_NAMES },
    { "isdigit", m_isdigit, 0, 0, NULL },
    { "isdecimal", m_isdecimal, 0, 0, NULL },
    { "isnumeric", m_isnumeric, 0, 0, NULL },
    { "isalpha", m_isalpha, 0, 0, NULL },
    { "isalnum", m_isalnum, 0, 0, NULL },
    { "isspace", m_isspace, 0, 0, NULL },
    { "isascii", m_isascii, 0, 0, NULL },
    { "isprintable", m_isprintable, 0, 0, NULL },
    { "isidentifier", m_isidentifier, 0, 0, NULL },
    { "isupper", m_isupper, 0, 0, NULL },
    { "islower", m_islower, 0, 0, NULL },
    { "istitle", m_istitle, 0, 0, NULL },
    { "format", m_format, 0, SIZE_MAX, NULL },
    { "format_map", m_format_map, 1, 1, NULL },
    { "encode", m_encode, 0, 2, ENCODE_NAMES },
    { "translate", m_translate, 1, 1, NULL },
    { "maketrans", m_maketrans, 1, 3, NULL },
    { NULL, NULL, 0, 0, NULL },
};

/* ---- bytes ---- */
static tn_rc b_decode(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c;
    if (!tn_utf8_valid(self_str(self))) {
        return tn_fail(err, TN_E_VALUE, "'utf-8' codec can't decode the bytes");
    }
    return text(self_str(self), ret);
}

static tn_rc b_hex(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    for (size_t i = 0; i < self.n; i++) {
        tn_buf_addf(&b, "%02x", (unsigned char)self.s[i]);
    }
    return tn_jlib_finish(&b, ret, err);
}

const tn_jlib_method tn_jlib_bytes_methods[] = {
    { "decode", b_decode, 0, 2, ENCODE_NAMES },
    { "hex", b_hex, 0, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};
