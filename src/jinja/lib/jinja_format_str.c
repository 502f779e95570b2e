/* jinja_format_str.c: str.format of Python: fields with attributes and items, conversions, nested specifications. */
#include "base/buf.h"
#include "jinja/lib/jinja_builtin.h"

enum { NESTING_MAX = 2 };

typedef struct formatter {
    tn_jinja_ctx *ctx;
    const tn_call *call;
    tn_err *err;
    int64_t next; /* the next automatic number; -1: numbers are given by hand */
    bool any_auto;
} formatter;

static tn_rc field_base(formatter *f, tn_str name, tn_val *ret)
{
    int64_t i = 0;
    bool numeric = name.n > 0;
    for (size_t k = 0; k < name.n; k++) {
        numeric = numeric && name.p[k] >= '0' && name.p[k] <= '9';
    }
    if (name.n == 0 || numeric) {
        if (name.n == 0 ? f->next < 0 : f->any_auto) {
            return tn_fail(f->err, TN_E_VALUE, "cannot switch from %s to %s",
                name.n == 0 ? "manual field specification" : "automatic field numbering",
                name.n == 0 ? "automatic field numbering" : "manual field specification");
        }
        if (name.n == 0) {
            i = f->next++;
            f->any_auto = true;
        } else {
            f->next = -1;
            i = tn_str_to_i64(name, &i) ? i : INT64_MAX;
        }
        if ((uint64_t)i >= f->call->argc) {
            return tn_fail(f->err, TN_E_VALUE,
                "Replacement index %lld out of range for positional args tuple", (long long)i);
        }
        *ret = f->call->args[i];
        return TN_OK;
    }
    for (size_t k = 0; k < f->call->kwargc; k++) {
        if (tn_str_eq(f->call->kwargs[k].name, name)) {
            *ret = f->call->kwargs[k].value;
            return TN_OK;
        }
    }
    return tn_fail(f->err, TN_E_VALUE, "KeyError: '" TN_STR_FMT "'", TN_STR_ARG(name));
}

/* name(.attribute | [index])* */
static tn_rc field_value(formatter *f, tn_str field, tn_val *ret)
{
    size_t at = 0;
    while (at < field.n && field.p[at] != '.' && field.p[at] != '[') {
        at++;
    }
    tn_val v;
    TN_TRY(field_base(f, tn_str_sub(field, 0, at), &v));
    while (at < field.n) {
        size_t start = at + 1;
        if (field.p[at] == '[') {
            size_t end = tn_str_find_char(field, ']', start);
            if (end == SIZE_MAX) {
                return tn_fail(f->err, TN_E_VALUE, "Missing ']' in format string");
            }
            tn_str key = tn_str_sub(field, start, end);
            int64_t i;
            tn_val k = tn_str_to_i64(key, &i) && key.p[0] != '-' ? tn_val_int(i) : tn_val_str(key);
            TN_TRY(tn_jinja_get_item(f->ctx, v, k, &v, f->err));
            at = end + 1;
            if (at < field.n && field.p[at] != '.' && field.p[at] != '[') {
                return tn_fail(
                    f->err, TN_E_VALUE, "Only '.' or '[' may follow ']' in format field specifier");
            }
        } else {
            size_t end = start;
            while (end < field.n && field.p[end] != '.' && field.p[end] != '[') {
                end++;
            }
            if (end == start) {
                return tn_fail(f->err, TN_E_VALUE, "Empty attribute in format string");
            }
            TN_TRY(tn_jinja_get_attr(f->ctx, v, tn_str_sub(field, start, end), &v, f->err));
            at = end;
        }
    }
    *ret = v;
    return TN_OK;
}

static tn_rc format_text(formatter *f, tn_buf *b, tn_str s, int depth);

static tn_rc convert(formatter *f, tn_val *v, char how)
{
    switch (how) {
    case 0:
        return TN_OK;
    case 's':
        *v = tn_val_str(tn_jlib_text(f->ctx->arena, *v));
        return TN_OK;
    case 'r':
    case 'a':
        *v = tn_val_str(tn_val_to_repr(f->ctx->arena, *v));
        return TN_OK;
    default:
        return tn_fail(f->err, TN_E_VALUE, "Unknown conversion specifier %c", how);
    }
}

/* body: what is between the braces. */
static tn_rc format_field(formatter *f, tn_buf *b, tn_str body, int depth)
{
    size_t end = 0;
    char how = 0;
    bool index = false;
    while (end < body.n && (index || (body.p[end] != ':' && body.p[end] != '!'))) {
        index = body.p[end] == '[' ? true : body.p[end] == ']' ? false : index;
        end++;
    }
    tn_str field = tn_str_sub(body, 0, end), spec_text = TN_STR_NONE;
    if (end < body.n && body.p[end] == '!') {
        if (end + 1 >= body.n) {
            return tn_fail(
                f->err, TN_E_VALUE, "end of string while looking for conversion specifier");
        }
        how = body.p[end + 1];
        end += 2;
        if (end < body.n && body.p[end] != ':') {
            return tn_fail(f->err, TN_E_VALUE, "expected ':' after conversion specifier");
        }
    }
    spec_text = tn_str_sub(body, end + 1, body.n);
    tn_val v;
    TN_TRY(field_value(f, field, &v));
    TN_TRY(convert(f, &v, how));
    if (tn_str_find_char(spec_text, '{', 0) != SIZE_MAX) {
        tn_buf inner = tn_buf_init(f->ctx->arena, TN_JLIB_TEXT_MAX);
        TN_TRY(format_text(f, &inner, spec_text, depth + 1));
        spec_text = tn_buf_str(&inner);
    }
    if (v.tag == TN_UNDEF) {
        return spec_text.n == 0 ? TN_OK : tn_jlib_fail_undef(f->err, v);
    }
    return tn_jinja_format_spec(b, v, spec_text, f->err);
}

static tn_rc format_text(formatter *f, tn_buf *b, tn_str s, int depth)
{
    if (depth >= NESTING_MAX) {
        return tn_fail(f->err, TN_E_VALUE, "Max string recursion exceeded");
    }
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c != '{' && c != '}') {
            tn_buf_addc(b, c);
            continue;
        }
        if (i + 1 < s.n && s.p[i + 1] == c) {
            tn_buf_addc(b, c);
            i++;
            continue;
        }
        if (c == '}' || i + 1 >= s.n) {
            return tn_fail(f->err, TN_E_VALUE, "Single '%c' encountered in format string", c);
        }
        size_t end = i + 1;
        for (int open = 1; end < s.n; end++) {
            open += s.p[end] == '{' ? 1 : s.p[end] == '}' ? -1 : 0;
            if (open == 0) {
                break;
            }
        }
        if (end >= s.n) {
            return tn_fail(f->err, TN_E_VALUE, "expected '}' before end of string");
        }
        TN_TRY(format_field(f, b, tn_str_sub(s, i + 1, end), depth));
        i = end;
    }
    return TN_OK;
}

tn_rc tn_jinja_str_format(
    tn_jinja_ctx *ctx, tn_str fmt, const tn_call *call, tn_val *ret, tn_err *err)
{
    formatter f = { .ctx = ctx, .call = call, .err = err };
    tn_buf b = tn_buf_init(ctx->arena, TN_JLIB_TEXT_MAX);
    TN_TRY(format_text(&f, &b, fmt, 0));
    return tn_jlib_finish(&b, ret, err);
}
