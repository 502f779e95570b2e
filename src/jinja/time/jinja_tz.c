/* jinja_tz.c: zone files (TZif, RFC 8536) and pytz's zone objects over them.
 *
 *     header: "TZif" version[1] unused[15] isutcnt isstdcnt leapcnt timecnt typecnt charcnt (each 4 bytes, big-endian)
 *     data:   timecnt times (4 bytes in the first block, 8 in the second), timecnt type numbers,
 *             typecnt x (offset[4] dst[1] abbrev[1]), charcnt characters, leap seconds, flags
 *     footer: \n rule \n, the rule for times after the last change: "EST5EDT,M3.2.0,M11.1.0"
 *
 * Only the second block is read. Offsets are rounded to minutes, as pytz does. */
#include "jinja/time/jinja_tz.h"

#include "base/buf.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "text/timetext.h"

enum { FILE_MAX = 1 << 20, HEADER = 44, DAY_S = 86400, NAME_MAX_BYTES = 128 };

/* One change of a rule: day of the year by its kind, and the second of that day. */
typedef struct rule_day {
    char kind; /* 'M' month.week.weekday, 'J' 1..365 without leap days, 'D' 0..365 */
    int month, week, day;
    int32_t second;
} rule_day;

typedef struct rule {
    bool set, has_dst;
    tn_tz_type std, dst;
    rule_day start, end;
} rule;

struct tn_tz {
    size_t n;
    const unsigned char *times; /* n x 8 bytes */
    const unsigned char *kinds;
    tn_tz_type *types;
    size_t type_n;
    rule rule;
};

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

static int32_t to_minutes(int32_t s)
{
    int32_t shifted = s + 30;
    int32_t minutes = shifted / 60 - (shifted % 60 < 0 ? 1 : 0);
    return minutes * 60;
}

/* ---- the rule of the footer ---- */
typedef struct rule_reader {
    const char *p;
    const char *end;
} rule_reader;

static bool rule_name(rule_reader *r, char out[12])
{
    size_t n = 0;
    bool quoted = r->p < r->end && *r->p == '<';
    r->p += quoted ? 1 : 0;
    while (r->p < r->end && n < 11) {
        char c = *r->p;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool sign = quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-');
        if (!letter && !sign) {
            break;
        }
        out[n++] = c;
        r->p++;
    }
    out[n] = 0;
    if (quoted && (r->p >= r->end || *r->p++ != '>')) {
        return false;
    }
    return n >= 1;
}

static bool rule_int(rule_reader *r, int *ret)
{
    int v = 0, n = 0;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9' && n < 4) {
        v = v * 10 + (*r->p++ - '0');
        n++;
    }
    *ret = v;
    return n > 0;
}

/* [+-]h[:m[:s]] in seconds */
static bool rule_time(rule_reader *r, int32_t *ret)
{
    int h = 0, part = 0, unit = 60;
    bool neg = r->p < r->end && *r->p == '-';
    r->p += r->p < r->end && (*r->p == '-' || *r->p == '+') ? 1 : 0;
    if (!rule_int(r, &h)) {
        return false;
    }
    int32_t s = h * 3600;
    while (r->p < r->end && *r->p == ':' && unit > 0) {
        r->p++;
        if (!rule_int(r, &part)) {
            return false;
        }
        s += part * unit;
        unit = unit == 60 ? 1 : 0;
    }
    *ret = neg ? -s : s;
    return true;
}

static bool rule_date(rule_reader *r, rule_day *ret)
{
    rule_day d = { .kind = 'D', .second = 7200 };
    if (r->p >= r->end || *r->p++ != ',' || r->p >= r->end) {
        return false;
    }
    if (*r->p == 'M') {
        d.kind = *r->p++;
        if (!rule_int(r, &d.month) || r->p >= r->end || *r->p++ != '.' || !rule_int(r, &d.week) ||
            r->p >= r->end || *r->p++ != '.' || !rule_int(r, &d.day)) {
            return false;
        }
    } else {
        if (*r->p == 'J') {
            d.kind = *r->p++;
        }
        if (!rule_int(r, &d.day)) {
            return false;
        }
    }
    if (r->p < r->end && *r->p == '/') {
        r->p++;
        if (!rule_time(r, &d.second)) {
            return false;
        }
    }
    *ret = d;
    return true;
}

static bool read_rule(const char *p, const char *end, rule *ret)
{
    rule_reader r = { p, end };
    rule u = { .set = true };
    if (!rule_name(&r, u.std.abbrev) || !rule_time(&r, &u.std.offset_s)) {
        return false;
    }
    u.std.offset_s = to_minutes(-u.std.offset_s);
    if (r.p < r.end) {
        u.has_dst = u.dst.dst = true;
        if (!rule_name(&r, u.dst.abbrev)) {
            return false;
        }
        u.dst.offset_s = u.std.offset_s + 3600;
        if (r.p < r.end && *r.p != ',') {
            if (!rule_time(&r, &u.dst.offset_s)) {
                return false;
            }
            u.dst.offset_s = to_minutes(-u.dst.offset_s);
        }
        if (!rule_date(&r, &u.start) || !rule_date(&r, &u.end)) {
            return false;
        }
    }
    *ret = u;
    return true;
}

/* Local seconds (since 1970 on the wall clock) of a change in that year. */
static int64_t change_in(const rule_day *d, int64_t year)
{
    int64_t days = tn_days_from_civil(year, 1, 1);
    if (d->kind == 'M') {
        int64_t first = tn_days_from_civil(year, d->month, 1);
        int64_t weekday = ((first + 4) % 7 + 7) % 7; /* Sunday = 0 */
        days = first + (d->day - weekday + 7) % 7 + (d->week - 1) * 7;
        while (days >= first + tn_days_in_month(year, d->month)) {
            days -= 7;
        }
    } else {
        bool leap = tn_days_in_month(year, 2) == 29;
        days += d->kind == 'J' ? d->day - 1 + (leap && d->day >= 60 ? 1 : 0) : d->day;
    }
    return days * DAY_S + d->second;
}

static tn_tz_type by_rule(const rule *u, int64_t utc_s)
{
    if (!u->has_dst) {
        return u->std;
    }
    int64_t year = tn_civil_of_micros((utc_s + u->std.offset_s) * 1000000).year;
    int64_t start = change_in(&u->start, year) - u->std.offset_s,
            end = change_in(&u->end, year) - u->dst.offset_s;
    bool dst = start < end ? utc_s >= start && utc_s < end : !(utc_s >= end && utc_s < start);
    return dst ? u->dst : u->std;
}

/* ---- files ---- */
/* Bytes of a block after its header; time_size: of one time. */
static size_t block_size(const unsigned char *h, size_t time_size)
{
    size_t isut = be32(h + 20), isstd = be32(h + 24), leap = be32(h + 28), time_n = be32(h + 32),
           type_n = be32(h + 36), char_n = be32(h + 40);
    return time_n * (time_size + 1) + type_n * 6 + char_n + leap * (time_size + 4) + isstd + isut;
}

static tn_tz *parse(tn_arena *a, const unsigned char *p, size_t n)
{
    if (n < HEADER || memcmp(p, "TZif", 4) != 0 || p[4] < '2') {
        return NULL;
    }
    size_t first = HEADER + block_size(p, 4);
    if (first + HEADER > n || memcmp(p + first, "TZif", 4) != 0) {
        return NULL;
    }
    const unsigned char *h = p + first;
    size_t size = block_size(h, 8), time_n = be32(h + 32), type_n = be32(h + 36),
           char_n = be32(h + 40);
    if (first + HEADER + size > n || type_n == 0 || type_n > 256) {
        return NULL;
    }
    tn_tz *tz = tn_new(a, tn_tz);
    tz->n = time_n;
    tz->times = h + HEADER;
    tz->kinds = tz->times + time_n * 8;
    const unsigned char *types = tz->kinds + time_n, *chars = types + type_n * 6;
    tz->types = tn_new_array(a, tn_tz_type, type_n);
    tz->type_n = type_n;
    for (size_t i = 0; i < type_n; i++) {
        tn_tz_type *t = &tz->types[i];
        t->offset_s = to_minutes((int32_t)be32(types + i * 6));
        t->dst = types[i * 6 + 4] != 0;
        for (size_t k = 0, at = types[i * 6 + 5];
            k < sizeof t->abbrev - 1 && at + k < char_n && chars[at + k] != 0; k++) {
            t->abbrev[k] = (char)chars[at + k];
        }
    }
    for (size_t i = 0; i < time_n; i++) {
        if (tz->kinds[i] >= type_n) {
            return NULL;
        }
    }
    const char *footer = (const char *)h + HEADER + size, *end = (const char *)p + n;
    const char *line_end = footer < end && *footer == '\n'
                               ? memchr(footer + 1, '\n', (size_t)(end - footer - 1))
                               : NULL;
    if (line_end != NULL) {
        read_rule(footer + 1, line_end, &tz->rule);
    }
    return tz;
}

static tn_tz *read_file(tn_arena *a, tn_str path)
{
    tn_str bytes;
    if (tn_file_read(a, path, FILE_MAX, &bytes, NULL) != TN_OK) {
        return NULL;
    }
    return parse(a, (const unsigned char *)bytes.p, bytes.n);
}

tn_tz *tn_tz_open(tn_arena *a, tn_str name)
{
    bool good = name.n > 0 && name.n < NAME_MAX_BYTES && name.p[0] != '/' &&
                tn_str_find(name, TN_STR(".."), 0) == SIZE_MAX;
    for (size_t i = 0; i < name.n && good; i++) {
        char c = name.p[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               strchr("/_+-", c) != NULL;
    }
    if (!good) {
        return NULL;
    }
    tn_str dir = tn_env_get("TZDIR");
    TN_AUTO_ARENA scratch = tn_arena_new("zone file", NULL);
    tn_str path = tn_str_printf(scratch, TN_STR_FMT "/" TN_STR_FMT,
        TN_STR_ARG(dir.n > 0 ? dir : TN_STR("/usr/share/zoneinfo")), TN_STR_ARG(name));
    return read_file(a, path);
}

tn_tz *tn_tz_local(tn_arena *a)
{
    tn_str name = tn_env_get("TZ");
    if (name.n > 0) {
        name = name.p[0] == ':' ? tn_str_sub(name, 1, name.n) : name;
        tn_tz *tz = name.n > 0 && name.p[0] == '/' ? read_file(a, name) : tn_tz_open(a, name);
        if (tz == NULL) { /* a rule in place of a name */
            rule u = { 0 };
            if (read_rule(name.p, name.p + name.n, &u)) {
                tz = tn_new(a, tn_tz);
                tz->rule = u;
            }
        }
        return tz;
    }
    return read_file(a, TN_STR("/etc/localtime"));
}

/* ---- questions ---- */
tn_tz_type tn_tz_first(const tn_tz *tz)
{
    return tz->type_n > 0 ? tz->types[0] : tz->rule.std;
}

tn_tz_type tn_tz_at(const tn_tz *tz, int64_t utc_s)
{
    if (tz->n == 0 || utc_s < be64(tz->times)) {
        return tz->n == 0 && tz->rule.set ? by_rule(&tz->rule, utc_s) : tn_tz_first(tz);
    }
    size_t lo = 0, hi = tz->n; /* times[lo] <= utc_s < times[hi] */
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;
        *(be64(tz->times + mid * 8) <= utc_s ? &lo : &hi) = mid;
    }
    return lo + 1 == tz->n && tz->rule.set ? by_rule(&tz->rule, utc_s) : tz->types[tz->kinds[lo]];
}

bool tn_tz_of_local(const tn_tz *tz, int64_t local_s, int is_dst, tn_tz_type *ret, bool *ret_exists)
{
    tn_tz_type found[2],
        before = tn_tz_at(tz, local_s - DAY_S - tn_tz_at(tz, local_s - DAY_S).offset_s);
    tn_tz_type after = tn_tz_at(tz, local_s + DAY_S - tn_tz_at(tz, local_s + DAY_S).offset_s);
    size_t n = 0;
    const tn_tz_type *const both[] = { &before, &after };
    for (size_t i = 0; i < 2; i++) {
        tn_tz_type t = tn_tz_at(tz, local_s - both[i]->offset_s);
        bool seen = n == 1 && found[0].offset_s == t.offset_s && found[0].dst == t.dst;
        if (t.offset_s == both[i]->offset_s && !seen) {
            found[n++] = t;
        }
    }
    *ret_exists = n > 0;
    if (n == 1) {
        *ret = found[0];
        return true;
    }
    if (is_dst < 0) {
        return false;
    }
    if (n == 2) {
        bool same = found[0].dst == found[1].dst;
        bool earlier_first = found[0].offset_s > found[1].offset_s;
        size_t pick = same                            ? (is_dst ? !earlier_first : earlier_first)
                      : found[0].dst == (is_dst != 0) ? 0
                                                      : 1;
        *ret = found[pick];
        return true;
    }
    *ret = is_dst ? after : before; /* the clock jumps over this time */
    return true;
}

/* ---- values ---- */
typedef struct zone {
    tn_obj base;
    tn_tz *tz;        /* NULL: a fixed offset */
    int32_t offset_s; /* of a fixed one */
    tn_str
        name; /* zone file's name, or the abbreviation of a fixed one; empty: datetime.timezone */
} zone;

static const tn_obj_type ZONE;

bool tn_tz_is_value(tn_val v)
{
    return v.tag == TN_OBJ && v.obj->type == &ZONE;
}

tn_val tn_tz_value_fixed(tn_arena *a, int32_t offset_s, tn_str name)
{
    zone *z = tn_new(a, zone);
    z->base.type = &ZONE;
    z->offset_s = offset_s;
    z->name = name;
    return tn_val_obj(&z->base);
}

tn_val tn_tz_value_of(tn_arena *a, tn_val dt)
{
    if (dt.n == TN_ZONE_NAIVE) {
        return TN_VAL_NONE;
    }
    tn_buf b = tn_buf_init(a, 64);
    if (dt.aux != 0) {
        tn_zone_name(&b, dt);
    }
    return tn_tz_value_fixed(a, (int32_t)((int64_t)dt.n - DAY_S), tn_buf_str(&b));
}

static tn_val with_type(tn_val dt, tn_tz_type t)
{
    dt.n = (uint32_t)(DAY_S + t.offset_s);
    dt.aux = tn_zone_abbrev_id(tn_str_of(t.abbrev));
    return dt;
}

tn_rc tn_tz_attach(tn_val v, tn_val dt, tn_val *ret, tn_err *err)
{
    if (v.tag == TN_NONE) {
        dt.n = TN_ZONE_NAIVE;
        dt.aux = 0;
        *ret = dt;
        return TN_OK;
    }
    if (!tn_tz_is_value(v)) {
        return tn_fail(err, TN_E_TYPE,
            "tzinfo argument must be None or of a tzinfo subclass, not type '%s'",
            tn_val_type_name(v));
    }
    const zone *z = (const zone *)v.obj;
    if (z->tz != NULL) {
        *ret = with_type(
            dt, tn_tz_first(
                    z->tz)); /* as pytz: the zone's first offset; localize() is what users want */
        return TN_OK;
    }
    dt.n = (uint32_t)(DAY_S + z->offset_s);
    dt.aux = tn_zone_abbrev_id(z->name);
    *ret = dt;
    return TN_OK;
}

tn_val tn_tz_convert(tn_val v, int64_t utc_micros)
{
    tn_val dt = { .tag = TN_DATETIME, .i = utc_micros, .n = TN_ZONE_UTC };
    const zone *z = (const zone *)v.obj;
    int64_t s = utc_micros / 1000000 - (utc_micros % 1000000 < 0 ? 1 : 0);
    if (z->tz != NULL) {
        dt = with_type(dt, tn_tz_at(z->tz, s));
    } else {
        dt.n = (uint32_t)(DAY_S + z->offset_s);
        dt.aux = tn_zone_abbrev_id(z->name);
    }
    dt.i += ((int64_t)dt.n - DAY_S) * 1000000;
    return dt;
}

static int64_t seconds_of(int64_t micros)
{
    return micros / 1000000 - (micros % 1000000 < 0 ? 1 : 0);
}

int64_t tn_tz_utc_micros(tn_arena *a, tn_val dt)
{
    if (dt.n != TN_ZONE_NAIVE) {
        return dt.i - ((int64_t)dt.n - DAY_S) * 1000000;
    }
    const tn_tz *tz = tn_tz_local(a);
    tn_tz_type t = { 0 };
    bool exists = true;
    if (tz != NULL) {
        tn_tz_of_local(tz, seconds_of(dt.i), 1, &t, &exists); /* fold=0: the first of two */
    }
    return dt.i - (int64_t)t.offset_s * 1000000;
}

int64_t tn_tz_now_micros(void)
{
    return tn_clock_now_us();
}

tn_val tn_tz_local_datetime(tn_arena *a, int64_t utc_micros)
{
    const tn_tz *tz = tn_tz_local(a);
    int64_t offset = tz != NULL ? tn_tz_at(tz, seconds_of(utc_micros)).offset_s : 0;
    return (tn_val){ .tag = TN_DATETIME, .n = TN_ZONE_NAIVE, .i = utc_micros + offset * 1000000 };
}

/* ---- methods of zones ---- */
static tn_rc datetime_arg(const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val v = tn_call_arg(c, 0, "dt");
    if (v.tag != TN_DATETIME) {
        return tn_fail(err, TN_E_TYPE, "a datetime is needed, not '%s'", tn_val_type_name(v));
    }
    *ret = v;
    return TN_OK;
}

static tn_rc z_localize(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    const zone *z = (const zone *)self.obj;
    tn_val dt, how = tn_call_arg(c, 1, "is_dst");
    tn_tz_type t;
    bool exists = true;
    TN_TRY(datetime_arg(c, &dt, err));
    if (dt.n != TN_ZONE_NAIVE) {
        return tn_fail(err, TN_E_VALUE, "Not naive datetime (tzinfo is already set)");
    }
    if (z->tz == NULL) {
        return tn_tz_attach(self, dt, ret, err);
    }
    int is_dst = how.tag == TN_NONE ? -1 : how.tag == TN_UNDEF ? 0 : tn_val_truthy(how) ? 1 : 0;
    if (!tn_tz_of_local(z->tz, seconds_of(dt.i), is_dst, &t, &exists)) {
        tn_str s = tn_val_to_str(c->arena, dt);
        return tn_fail(err, TN_E_VALUE,
            exists ? "the local time " TN_STR_FMT " is ambiguous"
                   : "the local time " TN_STR_FMT " does not exist",
            TN_STR_ARG(s));
    }
    *ret = with_type(dt, t);
    return TN_OK;
}

static tn_rc z_normalize(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val dt = TN_VAL_NONE;
    TN_TRY(datetime_arg(c, &dt, err));
    if (dt.n == TN_ZONE_NAIVE) {
        return tn_fail(err, TN_E_VALUE, "Naive time - no tzinfo set");
    }
    *ret = tn_tz_convert(self, tn_tz_utc_micros(c->arena, dt));
    return TN_OK;
}

static tn_rc z_fromutc(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val dt = TN_VAL_NONE;
    TN_TRY(datetime_arg(c, &dt, err));
    *ret = tn_tz_convert(self, dt.i);
    return TN_OK;
}

/* The type that holds at a datetime (naive: of this zone), or that of a fixed zone. */
static tn_rc type_at(tn_val self, const tn_call *c, tn_tz_type *ret, bool *ret_none, tn_err *err)
{
    const zone *z = (const zone *)self.obj;
    tn_val v = tn_call_arg(c, 0, "dt"), dt;
    tn_tz_type t = { .offset_s = z->offset_s };
    bool exists;
    *ret_none = false;
    if (z->tz == NULL) {
        *ret = t;
        return TN_OK;
    }
    if (v.tag == TN_NONE) {
        *ret_none = true;
        return TN_OK;
    }
    TN_TRY(datetime_arg(c, &dt, err));
    if (dt.n != TN_ZONE_NAIVE) {
        *ret = tn_tz_at(z->tz, seconds_of(tn_tz_utc_micros(c->arena, dt)));
    } else {
        tn_tz_of_local(z->tz, seconds_of(dt.i), 0, ret, &exists);
    }
    return TN_OK;
}

static tn_rc z_utcoffset(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_tz_type t = { 0 };
    bool none;
    TN_TRY(type_at(self, c, &t, &none, err));
    *ret = none ? TN_VAL_NONE : (tn_val){ .tag = TN_DELTA, .i = (int64_t)t.offset_s * 1000000 };
    return TN_OK;
}

static void zone_str(tn_obj *self, tn_buf *b);

static tn_rc z_tzname(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_tz_type t = { 0 };
    bool none;
    const zone *z = (const zone *)self.obj;
    TN_TRY(type_at(self, c, &t, &none, err));
    if (z->tz == NULL || none) {
        tn_buf b = tn_buf_init(c->arena, 256);
        zone_str(self.obj, &b);
        return tn_jlib_finish(&b, ret, err);
    }
    *ret = tn_val_str_dup(c->arena, tn_str_of(t.abbrev));
    return TN_OK;
}

static tn_rc z_dst(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_tz_type t = { 0 };
    bool none;
    TN_TRY(type_at(self, c, &t, &none, err));
    *ret =
        none ? TN_VAL_NONE : (tn_val){ .tag = TN_DELTA, .i = t.dst ? 3600 * (int64_t)1000000 : 0 };
    return TN_OK;
}

static const char *const LOCALIZE[] = { "dt", "is_dst", NULL };
static const tn_jlib_method ZONE_METHODS[] = {
    { "localize", z_localize, 1, 2, LOCALIZE },
    { "normalize", z_normalize, 1, 2, LOCALIZE },
    { "fromutc", z_fromutc, 1, 1, LOCALIZE },
    { "utcoffset", z_utcoffset, 1, 2, LOCALIZE },
    { "tzname", z_tzname, 1, 2, LOCALIZE },
    { "dst", z_dst, 1, 2, LOCALIZE },
    { NULL, NULL, 0, 0, NULL },
};

static tn_rc zone_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const zone *z = (const zone *)self;
    if (tn_jlib_bind_named(a, ZONE_METHODS, name, tn_val_obj(self), ret)) {
        return TN_OK;
    }
    *ret = tn_str_is(name, "zone") && z->name.n > 0 ? tn_val_str(z->name) : tn_val_undef(name);
    return TN_OK;
}

static void zone_str(tn_obj *self, tn_buf *b)
{
    const zone *z = (const zone *)self;
    if (z->name.n > 0) {
        tn_buf_add(b, z->name);
        return;
    }
    tn_zone_name(b, (tn_val){ .tag = TN_DATETIME, .n = (uint32_t)(DAY_S + z->offset_s) });
}

static void zone_repr(tn_obj *self, tn_buf *b)
{
    const zone *z = (const zone *)self;
    tn_tz_type t = z->tz ? tn_tz_first(z->tz) : (tn_tz_type){ .offset_s = z->offset_s };
    if (z->name.n == 0) {
        tn_val delta = { .tag = TN_DELTA, .i = (int64_t)z->offset_s * 1000000 };
        tn_buf_addz(b, z->offset_s == 0 ? "datetime.timezone.utc" : "datetime.timezone(");
        if (z->offset_s != 0) {
            tn_py_repr_datetime(b, delta);
            tn_buf_addc(b, ')');
        }
    } else if (tn_str_is(z->name, "UTC")) {
        tn_buf_addz(b, "<UTC>");
    } else {
        tn_buf_addf(b, "<DstTzInfo '" TN_STR_FMT "' %s", TN_STR_ARG(z->name), t.abbrev);
        tn_val delta = { .tag = TN_DELTA, .i = (int64_t)t.offset_s * 1000000 };
        tn_buf_addc(b, t.offset_s < 0 ? '-' : '+');
        tn_buf b2 = tn_buf_init(b->arena, 128);
        tn_py_datetime(&b2, delta, ' ');
        tn_str s = tn_buf_str(&b2);
        tn_buf_add(b, s.n > 0 && s.p[0] == '-' ? tn_str_sub(s, 1, s.n) : s);
        tn_buf_addz(b, t.dst ? " DST>" : " STD>");
    }
}

static bool zone_eq(tn_obj *self, tn_val other)
{
    if (!tn_tz_is_value(other)) {
        return false;
    }
    const zone *x = (const zone *)self, *y = (const zone *)other.obj;
    return (x->tz == NULL) == (y->tz == NULL) && x->offset_s == y->offset_s &&
           tn_str_eq(x->name, y->name);
}

static const tn_obj_type ZONE = {
    .name = "tzinfo", .attr = zone_attr, .str = zone_str, .repr = zone_repr, .eq = zone_eq
};

/* ---- the module pytz ---- */
static tn_rc p_timezone(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str name;
    TN_TRY(tn_call_check(c, "timezone", 1, 1, TN_JLIB_NAMES("zone"), err));
    TN_TRY(tn_jlib_str_arg(c, 0, "zone", "timezone", &name, err));
    if (tn_str_eq_nocase(name, TN_STR("UTC"))) {
        *ret = tn_tz_value_fixed(c->arena, 0, TN_STR("UTC"));
        return TN_OK;
    }
    tn_tz *tz = tn_tz_open(c->arena, name);
    if (tz == NULL) {
        return tn_hint(err,
            tn_fail(err, TN_E_VALUE, "unknown time zone '" TN_STR_FMT "'", TN_STR_ARG(name)),
            "zones are read from /usr/share/zoneinfo (package tzdata), or from the folder in "
            "TZDIR");
    }
    zone *z = tn_new(c->arena, zone);
    z->base.type = &ZONE;
    z->tz = tz;
    z->name = tn_str_dup(c->arena, name);
    *ret = tn_val_obj(&z->base);
    return TN_OK;
}

static tn_rc p_fixed(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    int64_t minutes = 0;
    TN_TRY(tn_call_check(c, "FixedOffset", 1, 1, TN_JLIB_NAMES("offset"), err));
    TN_TRY(tn_jlib_int_arg(c, 0, "offset", &minutes, err));
    if (minutes >= 1440 || minutes <= -1440) {
        return tn_fail(
            err, TN_E_VALUE, "('absolute offset is too large', %lld)", (long long)minutes);
    }
    *ret = tn_tz_value_fixed(
        c->arena, (int32_t)minutes * 60, minutes == 0 ? TN_STR("UTC") : TN_STR_NONE);
    return TN_OK;
}

tn_val tn_jinja_module_pytz(tn_arena *a)
{
    tn_val d = tn_val_dict(a), utc = tn_tz_value_fixed(a, 0, TN_STR("UTC"));
    tn_dict_putz(d.dict, "timezone", tn_val_fn(a, "timezone", p_timezone, NULL));
    tn_dict_putz(d.dict, "FixedOffset", tn_val_fn(a, "FixedOffset", p_fixed, NULL));
    tn_dict_putz(d.dict, "utc", utc);
    tn_dict_putz(d.dict, "UTC", utc);
    return tn_val_module(a, "pytz", d.dict);
}
