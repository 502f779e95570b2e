/* val_print.c: str() and repr() as Python prints them. */
#include "base/val.h"

#include <math.h>

enum { PRINT_DEPTH_MAX = 200 };

static void repr_at(tn_buf *b, tn_val v, int depth);

void tn_float_repr_to(tn_buf *b, double f)
{
    if (isnan(f)) {
        tn_buf_addz(b, "nan");
        return;
    }
    if (isinf(f)) {
        tn_buf_addz(b, f < 0 ? "-inf" : "inf");
        return;
    }
    char text[40];
    for (int precision = 1; precision <= 17;
        precision++) { /* the shortest that reads back the same */
        snprintf(text, sizeof text, "%.*e", precision - 1, f);
        if (strtod(text, NULL) == f) {
            break;
        }
    }
    char *e = strchr(text, 'e');
    int exponent = (int)strtol(e + 1, NULL, 10);
    char digits[24];
    size_t n = 0;
    for (const char *p = text; p < e; p++) {
        if (*p >= '0' && *p <= '9') {
            digits[n++] = *p;
        }
    }
    if (signbit(f)) {
        tn_buf_addc(b, '-');
    }
    if (exponent < -4 || exponent >= 16) {
        tn_buf_addc(b, digits[0]);
        if (n > 1) {
            tn_buf_addc(b, '.');
            tn_buf_add_n(b, digits + 1, n - 1);
        }
        tn_buf_addf(b, "e%c%02d", exponent < 0 ? '-' : '+', exponent < 0 ? -exponent : exponent);
        return;
    }
    if (exponent < 0) {
        tn_buf_addz(b, "0.");
        tn_buf_add_repeat(b, '0', (size_t)(-exponent - 1));
        tn_buf_add_n(b, digits, n);
        return;
    }
    size_t whole = (size_t)exponent + 1;
    tn_buf_add_n(b, digits, tn_min_size(n, whole));
    tn_buf_add_repeat(b, '0', whole > n ? whole - n : 0);
    tn_buf_addc(b, '.');
    if (n > whole) {
        tn_buf_add_n(b, digits + whole, n - whole);
    } else {
        tn_buf_addc(b, '0');
    }
}

/* Python keeps printable characters; what counts as not printable here: controls, separators, surrogates, private use. */
static bool printable(uint32_t cp)
{
    if (cp < 0x20 || (cp >= 0x7F && cp < 0xA1) || cp == 0xAD) {
        return false;
    }
    if ((cp >= 0x2000 && cp <= 0x200F) || (cp >= 0x2028 && cp <= 0x202F) ||
        (cp >= 0x205F && cp <= 0x206F)) {
        return false;
    }
    return !(cp == 0x3000 || cp == 0xFEFF || (cp >= 0xE000 && cp <= 0xF8FF) ||
             (cp >= 0xFFF0 && cp <= 0xFFFB) || cp >= 0xE0000);
}

static void str_repr(tn_buf *b, tn_str s)
{
    bool has_single = tn_str_find_char(s, '\'', 0) != SIZE_MAX;
    bool has_double = tn_str_find_char(s, '"', 0) != SIZE_MAX;
    char quote = has_single && !has_double ? '"' : '\'';
    tn_buf_addc(b, quote);
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        size_t k = tn_utf8_decode(tn_str_n(s.p + at, s.n - at), &cp);
        if (cp == (uint32_t)(unsigned char)quote || cp == '\\') {
            tn_buf_addf(b, "\\%c", (char)cp);
        } else if (cp == '\n') {
            tn_buf_addz(b, "\\n");
        } else if (cp == '\r') {
            tn_buf_addz(b, "\\r");
        } else if (cp == '\t') {
            tn_buf_addz(b, "\\t");
        } else if (printable(cp)) {
            tn_buf_add_n(b, s.p + at, k);
        } else if (cp < 0x100) {
            tn_buf_addf(b, "\\x%02x", cp);
        } else {
            tn_buf_addf(b, cp < 0x10000 ? "\\u%04x" : "\\U%08x", cp);
        }
        at += k;
    }
    tn_buf_addc(b, quote);
}

static void bytes_repr(tn_buf *b, tn_str s)
{
    bool has_single = tn_str_find_char(s, '\'', 0) != SIZE_MAX;
    char quote = has_single && tn_str_find_char(s, '"', 0) == SIZE_MAX ? '"' : '\'';
    tn_buf_addf(b, "b%c", quote);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == (unsigned char)quote || c == '\\') {
            tn_buf_addf(b, "\\%c", c);
        } else if (c == '\n' || c == '\r' || c == '\t') {
            tn_buf_addz(b, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        } else if (c >= 0x20 && c < 0x7F) {
            tn_buf_addc(b, (char)c);
        } else {
            tn_buf_addf(b, "\\x%02x", c);
        }
    }
    tn_buf_addc(b, quote);
}

/* ---- dates: the civil calendar from day numbers (Howard Hinnant's algorithm) ---- */

typedef struct ymd {
    int64_t year;
    int month, day;
} ymd;

static ymd ymd_of(int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (ymd){ .year = yoe + era * 400 + (month <= 2),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1) };
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b < 0);
}

static void add_date(tn_buf *b, int64_t days)
{
    ymd d = ymd_of(days);
    tn_buf_addf(b, "%04lld-%02d-%02d", (long long)d.year, d.month, d.day);
}

static void add_clock(tn_buf *b, int64_t micros)
{
    int64_t s = micros / 1000000;
    tn_buf_addf(b, "%02d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    if (micros % 1000000 != 0) {
        tn_buf_addf(b, ".%06d", (int)(micros % 1000000));
    }
}

static void add_datetime(tn_buf *b, tn_val v)
{
    int64_t days = floor_div(v.i, 86400000000);
    add_date(b, days);
    tn_buf_addc(b, ' ');
    add_clock(b, v.i - days * 86400000000);
    if (v.n != TN_ZONE_NAIVE) {
        int offset = (int)v.n - (int)TN_ZONE_UTC;
        int abs = offset < 0 ? -offset : offset;
        tn_buf_addf(b, "%c%02d:%02d", offset < 0 ? '-' : '+', abs / 3600, abs / 60 % 60);
        if (abs % 60 != 0) {
            tn_buf_addf(b, ":%02d", abs % 60);
        }
    }
}

static void add_delta(tn_buf *b, int64_t micros)
{
    int64_t days = floor_div(micros, 86400000000);
    int64_t rest = micros - days * 86400000000;
    if (days != 0) {
        tn_buf_addf(b, "%lld day%s, ", (long long)days, days == 1 || days == -1 ? "" : "s");
    }
    int64_t s = rest / 1000000;
    tn_buf_addf(b, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    if (rest % 1000000 != 0) {
        tn_buf_addf(b, ".%06d", (int)(rest % 1000000));
    }
}

static void repr_clock_args(tn_buf *b, int64_t micros, bool leading_comma)
{
    int64_t s = micros / 1000000;
    tn_buf_addf(b, "%s%d, %d", leading_comma ? ", " : "", (int)(s / 3600), (int)(s / 60 % 60));
    if (s % 60 != 0 || micros % 1000000 != 0) {
        tn_buf_addf(b, ", %d", (int)(s % 60));
    }
    if (micros % 1000000 != 0) {
        tn_buf_addf(b, ", %d", (int)(micros % 1000000));
    }
}

static void repr_zone(tn_buf *b, uint32_t zone)
{
    if (zone == TN_ZONE_NAIVE) {
        return;
    }
    int offset = (int)zone - (int)TN_ZONE_UTC;
    if (offset == 0) {
        tn_buf_addz(b, ", tzinfo=datetime.timezone.utc");
        return;
    }
    int days = offset < 0 ? -1 : 0;
    tn_buf_addz(b, ", tzinfo=datetime.timezone(datetime.timedelta(");
    tn_buf_addf(b, days < 0 ? "days=-1, seconds=%d" : "seconds=%d", offset - days * 86400);
    tn_buf_addz(b, "))");
}

static void repr_delta(tn_buf *b, int64_t micros)
{
    int64_t days = floor_div(micros, 86400000000);
    int64_t rest = micros - days * 86400000000;
    const char *sep = "";
    tn_buf_addz(b, "datetime.timedelta(");
    if (days != 0) {
        tn_buf_addf(b, "days=%lld", (long long)days);
        sep = ", ";
    }
    if (rest / 1000000 != 0) {
        tn_buf_addf(b, "%sseconds=%lld", sep, (long long)(rest / 1000000));
        sep = ", ";
    }
    if (rest % 1000000 != 0) {
        tn_buf_addf(b, "%smicroseconds=%lld", sep, (long long)(rest % 1000000));
    }
    tn_buf_addz(b, micros == 0 ? "0)" : ")");
}

static void repr_temporal(tn_buf *b, tn_val v)
{
    if (v.tag == TN_DATE) {
        ymd d = ymd_of(v.i);
        tn_buf_addf(b, "datetime.date(%lld, %d, %d)", (long long)d.year, d.month, d.day);
    } else if (v.tag == TN_DATETIME) {
        int64_t days = floor_div(v.i, 86400000000);
        ymd d = ymd_of(days);
        tn_buf_addf(b, "datetime.datetime(%lld, %d, %d", (long long)d.year, d.month, d.day);
        repr_clock_args(b, v.i - days * 86400000000, true);
        repr_zone(b, v.n);
        tn_buf_addc(b, ')');
    } else if (v.tag == TN_TIME) {
        tn_buf_addz(b, "datetime.time(");
        repr_clock_args(b, v.i, false);
        tn_buf_addc(b, ')');
    } else {
        repr_delta(b, v.i);
    }
}

/* ---- containers ---- */

static void repr_list(tn_buf *b, tn_val v, int depth)
{
    bool tuple = v.tag == TN_TUPLE;
    tn_buf_addc(b, tuple ? '(' : '[');
    for (size_t i = 0; i < v.list->n && !b->full; i++) {
        tn_buf_addz(b, i == 0 ? "" : ", ");
        repr_at(b, v.list->v[i], depth + 1);
    }
    tn_buf_addz(b, tuple ? (v.list->n == 1 ? ",)" : ")") : "]");
}

static void repr_dict(tn_buf *b, tn_val v, int depth)
{
    bool set = v.tag == TN_SET;
    if (set && v.dict->live == 0) {
        tn_buf_addz(b, "set()");
        return;
    }
    tn_buf_addc(b, '{');
    size_t at = 0;
    bool first = true;
    const tn_dict_item *it;
    while ((it = tn_dict_next(v.dict, &at)) != NULL && !b->full) {
        tn_buf_addz(b, first ? "" : ", ");
        first = false;
        repr_at(b, it->key, depth + 1);
        if (!set) {
            tn_buf_addz(b, ": ");
            repr_at(b, it->value, depth + 1);
        }
    }
    tn_buf_addc(b, '}');
}

static void repr_obj(tn_buf *b, tn_obj *o)
{
    if (o->type->repr != NULL) {
        o->type->repr(o, b);
    } else if (o->type->str != NULL) {
        o->type->str(o, b);
    } else {
        tn_buf_addf(b, "<%s object>", o->type->name);
    }
}

static void repr_at(tn_buf *b, tn_val v, int depth)
{
    if (depth > PRINT_DEPTH_MAX) {
        tn_buf_addz(b, "...");
        return;
    }
    switch ((tn_tag)v.tag) {
    case TN_STR_V:
        if (v.flags & TN_VF_SAFE) {
            tn_buf_addz(b, "Markup(");
            str_repr(b, tn_val_as_str(v));
            tn_buf_addc(b, ')');
        } else {
            str_repr(b, tn_val_as_str(v));
        }
        return;
    case TN_UNDEF:
        tn_buf_addz(b, "Undefined");
        return;
    case TN_BYTES:
        bytes_repr(b, tn_val_as_str(v));
        return;
    case TN_DECIMAL:
        tn_buf_addf(b, "Decimal('" TN_STR_FMT "')", TN_STR_ARG(tn_val_as_str(v)));
        return;
    case TN_DATE:
    case TN_DATETIME:
    case TN_TIME:
    case TN_DELTA:
        repr_temporal(b, v);
        return;
    case TN_LIST:
    case TN_TUPLE:
        repr_list(b, v, depth);
        return;
    case TN_DICT:
    case TN_SET:
        repr_dict(b, v, depth);
        return;
    case TN_OBJ:
        repr_obj(b, v.obj);
        return;
    default:
        tn_val_str_to(b, v);
    }
}

void tn_val_repr_to(tn_buf *b, tn_val v)
{
    repr_at(b, v, 0);
}

void tn_val_str_to(tn_buf *b, tn_val v)
{
    switch ((tn_tag)v.tag) {
    case TN_UNDEF:
        return;
    case TN_NONE:
        tn_buf_addz(b, "None");
        return;
    case TN_BOOL:
        tn_buf_addz(b, v.i ? "True" : "False");
        return;
    case TN_INT:
        tn_buf_add_i64(b, v.i);
        return;
    case TN_FLOAT:
        tn_float_repr_to(b, v.f);
        return;
    case TN_BIGINT:
    case TN_DECIMAL:
    case TN_STR_V:
        tn_buf_add(b, tn_val_as_str(v));
        return;
    case TN_DATE:
        add_date(b, v.i);
        return;
    case TN_DATETIME:
        add_datetime(b, v);
        return;
    case TN_TIME:
        add_clock(b, v.i);
        return;
    case TN_DELTA:
        add_delta(b, v.i);
        return;
    case TN_OBJ:
        if (v.obj->type->str != NULL) {
            v.obj->type->str(v.obj, b);
        } else {
            repr_obj(b, v.obj);
        }
        return;
    case TN_BYTES:
    case TN_LIST:
    case TN_TUPLE:
    case TN_DICT:
    case TN_SET:
        repr_at(b, v, 0);
        return;
    }
}

tn_str tn_val_to_str(tn_arena *a, tn_val v)
{
    if (v.tag == TN_STR_V) {
        return tn_val_as_str(v);
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_val_str_to(&b, v);
    tn_buf_addc(&b, '\0');
    return tn_str_n(b.p, b.n - 1);
}

tn_str tn_val_to_repr(tn_arena *a, tn_val v)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_val_repr_to(&b, v);
    tn_buf_addc(&b, '\0');
    return tn_str_n(b.p, b.n - 1);
}
