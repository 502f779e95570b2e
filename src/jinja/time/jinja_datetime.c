/* jinja_datetime.c: the module datetime: the classes datetime, date, time, timedelta and timezone with their constructors and
 * class methods. What a value of them can do is in jinja_datetime_attr.c. */
#include "jinja/time/jinja_datetime.h"

#include <math.h>

#include "base/buf.h"
#include "jinja/time/jinja_tz.h"
#include "text/timetext.h"

static const int64_t SECOND = 1000000;
static const int64_t DAY = 86400 * (int64_t)1000000;

tn_rc tn_jdate_check(const tn_civil *c, tn_err *err)
{
    if (c->year < 1 || c->year > 9999) {
        return tn_fail(err, TN_E_VALUE, "year %d is out of range", c->year);
    }
    if (c->month < 1 || c->month > 12) {
        return tn_fail(err, TN_E_VALUE, "month must be in 1..12");
    }
    if (c->day < 1 || c->day > tn_days_in_month(c->year, c->month)) {
        return tn_fail(err, TN_E_VALUE, "day is out of range for month");
    }
    if (c->hour < 0 || c->hour > 23) {
        return tn_fail(err, TN_E_VALUE, "hour must be in 0..23");
    }
    if (c->minute < 0 || c->minute > 59) {
        return tn_fail(err, TN_E_VALUE, "minute must be in 0..59");
    }
    if (c->second < 0 || c->second > 59) {
        return tn_fail(err, TN_E_VALUE, "second must be in 0..59");
    }
    return c->micro < 0 || c->micro > 999999
               ? tn_fail(err, TN_E_VALUE, "microsecond must be in 0..999999")
               : TN_OK;
}

tn_rc tn_jdate_field(const tn_call *c, size_t place, const char *name, int *field, tn_err *err)
{
    int64_t v = *field;
    TN_TRY(tn_jlib_int_arg(c, place, name, &v, err));
    *field = v > 100000000 ? 100000000 : v < -100000000 ? -100000000 : (int)v;
    return TN_OK;
}

tn_rc tn_jdate_zone(
    const tn_call *c, size_t place, const char *name, tn_val dt, tn_val *ret, tn_err *err)
{
    if (!tn_call_has(c, place, name)) {
        *ret = dt;
        return TN_OK;
    }
    return tn_tz_attach(tn_call_arg(c, place, name), dt, ret, err);
}

/* ---- constructors ---- */
static tn_rc new_date(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_civil d = { 0 };
    TN_TRY(tn_call_check(c, "date", 3, 3, TN_JLIB_NAMES("year", "month", "day"), err));
    TN_TRY(tn_jdate_field(c, 0, "year", &d.year, err));
    TN_TRY(tn_jdate_field(c, 1, "month", &d.month, err));
    TN_TRY(tn_jdate_field(c, 2, "day", &d.day, err));
    TN_TRY(tn_jdate_check(&d, err));
    *ret = (tn_val){ .tag = TN_DATE, .i = tn_days_from_civil(d.year, d.month, d.day) };
    return TN_OK;
}

static tn_rc clock_fields(const tn_call *c, size_t place, tn_civil *d, tn_err *err)
{
    TN_TRY(tn_jdate_field(c, place, "hour", &d->hour, err));
    TN_TRY(tn_jdate_field(c, place + 1, "minute", &d->minute, err));
    TN_TRY(tn_jdate_field(c, place + 2, "second", &d->second, err));
    return tn_jdate_field(c, place + 3, "microsecond", &d->micro, err);
}

static tn_rc new_datetime(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_civil d = { 0 };
    TN_TRY(tn_call_check(c, "datetime", 3, 8,
        TN_JLIB_NAMES(
            "year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo", "fold"),
        err));
    TN_TRY(tn_jdate_field(c, 0, "year", &d.year, err));
    TN_TRY(tn_jdate_field(c, 1, "month", &d.month, err));
    TN_TRY(tn_jdate_field(c, 2, "day", &d.day, err));
    TN_TRY(clock_fields(c, 3, &d, err));
    TN_TRY(tn_jdate_check(&d, err));
    tn_val v = { .tag = TN_DATETIME, .n = TN_ZONE_NAIVE, .i = tn_micros_of_civil(&d) };
    return tn_jdate_zone(c, 7, "tzinfo", v, ret, err);
}

static tn_rc new_time(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_civil d = { .year = 1970, .month = 1, .day = 1 };
    TN_TRY(tn_call_check(
        c, "time", 0, 4, TN_JLIB_NAMES("hour", "minute", "second", "microsecond", "fold"), err));
    TN_TRY(clock_fields(c, 0, &d, err));
    TN_TRY(tn_jdate_check(&d, err));
    *ret = (tn_val){ .tag = TN_TIME, .i = tn_micros_of_civil(&d) };
    return TN_OK;
}

static tn_rc new_delta(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "days", "seconds", "microseconds", "milliseconds",
        "minutes", "hours", "weeks", NULL };
    static const int64_t units[] = { 86400000000, 1000000, 1, 1000, 60000000, 3600000000,
        604800000000 };
    TN_TRY(tn_call_check(c, "timedelta", 0, 7, names, err));
    __int128 whole = 0;
    long double part = 0;
    for (size_t i = 0; i < 7; i++) {
        if (!tn_call_has(c, i, names[i])) {
            continue;
        }
        tn_val v = tn_call_arg(c, i, names[i]);
        if (v.tag == TN_FLOAT && isfinite(v.f) && fabs(v.f) < 1e18) {
            part += (long double)v.f * (long double)units[i];
        } else if (tn_jlib_is_int(v)) {
            whole += (__int128)v.i * units[i];
        } else {
            return tn_fail(err, TN_E_TYPE, "unsupported type for timedelta %s component: %s",
                names[i], tn_val_type_name(v));
        }
    }
    long double rounded = nearbyintl(part);
    if (fabsl(rounded) > 9e18L || whole > INT64_MAX / 2 || whole < INT64_MIN / 2) {
        return tn_fail(err, TN_E_VALUE, "a timedelta out of range");
    }
    *ret = (tn_val){ .tag = TN_DELTA, .i = (int64_t)whole + (int64_t)rounded };
    return TN_OK;
}

static tn_rc new_timezone(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    TN_TRY(tn_call_check(c, "timezone", 1, 2, TN_JLIB_NAMES("offset", "name"), err));
    tn_val v = tn_call_arg(c, 0, "offset");
    if (v.tag != TN_DELTA) {
        return tn_fail(err, TN_E_TYPE, "timezone() argument 1 must be datetime.timedelta, not %s",
            tn_val_type_name(v));
    }
    if (v.i <= -DAY || v.i >= DAY) {
        return tn_fail(err, TN_E_VALUE,
            "offset must be a timedelta strictly between -timedelta(hours=24) and "
            "timedelta(hours=24)");
    }
    *ret = tn_tz_value_fixed(
        c->arena, (int32_t)(v.i / SECOND), tn_val_as_str(tn_call_arg(c, 1, "name")));
    return TN_OK;
}

/* ---- class methods ---- */
static tn_rc in_zone_or_local(
    const tn_call *c, tn_val zone, int64_t utc_micros, tn_val *ret, tn_err *err)
{
    if (zone.tag == TN_UNDEF || zone.tag == TN_NONE) {
        *ret = tn_tz_local_datetime(c->arena, utc_micros);
        return TN_OK;
    }
    if (!tn_tz_is_value(zone)) {
        return tn_fail(err, TN_E_TYPE,
            "tzinfo argument must be None or of a tzinfo subclass, not type '%s'",
            tn_val_type_name(zone));
    }
    *ret = tn_tz_convert(zone, utc_micros);
    return TN_OK;
}

static tn_rc c_now(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    return in_zone_or_local(c, tn_call_arg(c, 0, "tz"), tn_tz_now_micros(), ret, err);
}

static tn_rc c_utcnow(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self, (void)c, (void)err;
    *ret = (tn_val){ .tag = TN_DATETIME, .n = TN_ZONE_NAIVE, .i = tn_tz_now_micros() };
    return TN_OK;
}

static int64_t days_of(int64_t micros)
{
    return micros / DAY - (micros % DAY < 0 ? 1 : 0);
}

static tn_val date_of(tn_val dt)
{
    return (tn_val){ .tag = TN_DATE, .i = days_of(dt.i) };
}

static tn_rc c_today(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = date_of(tn_tz_local_datetime(c->arena, tn_tz_now_micros()));
    return TN_OK;
}

static tn_rc c_strptime(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str text, fmt;
    TN_TRY(tn_jlib_str_arg(c, 0, "date_string", "strptime", &text, err));
    TN_TRY(tn_jlib_str_arg(c, 1, "format", "strptime", &fmt, err));
    return tn_strptime(text, fmt, ret, err);
}

static tn_rc timestamp_arg(const tn_call *c, int64_t *ret_micros, tn_err *err)
{
    tn_val v = tn_call_arg(c, 0, "timestamp");
    double f = 0;
    if (!tn_jlib_is_number(v) || !tn_jlib_to_f64(v, &f)) {
        return tn_fail(
            err, TN_E_TYPE, "'%s' object cannot be interpreted as an integer", tn_val_type_name(v));
    }
    if (!(fabs(f) < 2.5e11)) {
        return tn_fail(err, TN_E_VALUE, "year is out of range");
    }
    *ret_micros = tn_jlib_is_int(v) ? v.i * SECOND : (int64_t)nearbyintl((long double)f * 1000000);
    return TN_OK;
}

static tn_rc c_fromtimestamp(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    int64_t micros;
    TN_TRY(timestamp_arg(c, &micros, err));
    return in_zone_or_local(c, tn_call_arg(c, 1, "tz"), micros, ret, err);
}

static tn_rc c_utcfromtimestamp(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    int64_t micros;
    TN_TRY(timestamp_arg(c, &micros, err));
    *ret = (tn_val){ .tag = TN_DATETIME, .n = TN_ZONE_NAIVE, .i = micros };
    return TN_OK;
}

static tn_rc c_date_fromtimestamp(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    int64_t micros;
    TN_TRY(timestamp_arg(c, &micros, err));
    *ret = date_of(tn_tz_local_datetime(c->arena, micros));
    return TN_OK;
}

/* 20240131 and T101112 get their hyphens and colons. */
static tn_str extended(tn_arena *a, tn_str s)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    size_t date = 0, clock = 0;
    bool in_clock = false;
    if (s.n < 8 || s.p[4] == '-') {
        return s;
    }
    for (size_t i = 0; i < s.n; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';
        if (!in_clock && digit && (date == 4 || date == 6)) {
            tn_buf_addc(&b, '-');
        }
        if (in_clock && digit && (clock == 2 || clock == 4) && s.p[i - 1] != ':' &&
            s.p[i - 1] != '.') {
            tn_buf_addc(&b, ':');
        }
        date += !in_clock && digit ? 1 : 0;
        clock = in_clock ? (digit ? clock + 1 : s.p[i] == '.' ? 100 : clock) : 0;
        in_clock = in_clock || s.p[i] == 'T' || s.p[i] == ' ';
        tn_buf_addc(&b, s.p[i]);
    }
    return tn_buf_str(&b);
}

static tn_rc c_fromisoformat(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str s;
    int64_t micros;
    bool has_zone;
    int offset;
    TN_TRY(tn_jlib_str_arg(c, 0, "date_string", "fromisoformat", &s, err));
    tn_str full = extended(c->arena, s);
    /* an hour alone is fine for Python */
    if (full.n == 13 && full.p[4] == '-') {
        full = tn_str_concat(c->arena, full, TN_STR(":00"));
    }
    if (!tn_parse_timestamp(full, &micros, &has_zone, &offset) ||
        (s.n > 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' '))) {
        return tn_fail(
            err, TN_E_VALUE, "Invalid isoformat string: '" TN_STR_FMT "'", TN_STR_ARG(s));
    }
    *ret = (tn_val){ .tag = TN_DATETIME,
        .n = has_zone ? (uint32_t)(86400 + offset) : TN_ZONE_NAIVE,
        .i = micros + offset * SECOND };
    return TN_OK;
}

static tn_rc c_date_fromisoformat(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str s;
    int64_t days;
    TN_TRY(tn_jlib_str_arg(c, 0, "date_string", "fromisoformat", &s, err));
    if (!tn_parse_date(extended(c->arena, s), &days)) {
        return tn_fail(
            err, TN_E_VALUE, "Invalid isoformat string: '" TN_STR_FMT "'", TN_STR_ARG(s));
    }
    *ret = (tn_val){ .tag = TN_DATE, .i = days };
    return TN_OK;
}

static tn_rc c_time_fromisoformat(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str s;
    int64_t micros;
    TN_TRY(tn_jlib_str_arg(c, 0, "time_string", "fromisoformat", &s, err));
    tn_str bare = s.n > 0 && s.p[0] == 'T' ? tn_str_sub(s, 1, s.n) : s;
    tn_str full = tn_str_printf(
        c->arena, "1970-01-01T" TN_STR_FMT "%s", TN_STR_ARG(bare), bare.n == 2 ? ":00" : "");
    if (!tn_parse_timestamp(full, &micros, NULL, NULL) || bare.n == 0) {
        return tn_fail(
            err, TN_E_VALUE, "Invalid isoformat string: '" TN_STR_FMT "'", TN_STR_ARG(s));
    }
    *ret = (tn_val){ .tag = TN_TIME, .i = micros };
    return TN_OK;
}

static tn_rc c_combine(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_val d = tn_call_arg(c, 0, "date"), t = tn_call_arg(c, 1, "time");
    if ((d.tag != TN_DATE && d.tag != TN_DATETIME) || t.tag != TN_TIME) {
        return tn_fail(err, TN_E_TYPE, "combine() needs a date and a time, not '%s' and '%s'",
            tn_val_type_name(d), tn_val_type_name(t));
    }
    int64_t days = d.tag == TN_DATE ? d.i : days_of(d.i);
    tn_val v = { .tag = TN_DATETIME, .n = TN_ZONE_NAIVE, .i = days * DAY + t.i };
    return tn_jdate_zone(c, 2, "tzinfo", v, ret, err);
}

static const int64_t ORDINAL_EPOCH = 719163; /* date(1970, 1, 1).toordinal() */

static tn_rc ordinal_arg(const tn_call *c, int64_t *ret_days, tn_err *err)
{
    int64_t n = 0;
    TN_TRY(tn_jlib_int_arg(c, 0, "ordinal", &n, err));
    if (n < 1 || n > 3652059) {
        return tn_fail(err, TN_E_VALUE, n < 1 ? "ordinal must be >= 1" : "year is out of range");
    }
    *ret_days = n - ORDINAL_EPOCH;
    return TN_OK;
}

static tn_rc c_fromordinal(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    int64_t days = 0;
    TN_TRY(ordinal_arg(c, &days, err));
    *ret = (tn_val){ .tag = TN_DATETIME, .n = TN_ZONE_NAIVE, .i = days * DAY };
    return TN_OK;
}

static tn_rc c_date_fromordinal(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    int64_t days = 0;
    TN_TRY(ordinal_arg(c, &days, err));
    *ret = (tn_val){ .tag = TN_DATE, .i = days };
    return TN_OK;
}

static tn_rc c_date_fromisocalendar(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    int64_t year = 0, week = 0, day = 0, iso_year;
    int iso_week, iso_day;
    TN_TRY(tn_jlib_int_arg(c, 0, "year", &year, err));
    TN_TRY(tn_jlib_int_arg(c, 1, "week", &week, err));
    TN_TRY(tn_jlib_int_arg(c, 2, "day", &day, err));
    if (year < 1 || year > 9999) {
        return tn_fail(err, TN_E_VALUE, "Year is out of range: %lld", (long long)year);
    }
    if (day < 1 || day > 7) {
        return tn_fail(err, TN_E_VALUE, "Invalid weekday: %lld (range is [1, 7])", (long long)day);
    }
    int64_t fourth = tn_days_from_civil(year, 1, 4);
    tn_iso_week(fourth, &iso_year, &iso_week, &iso_day);
    int64_t days = fourth - (iso_day - 1) + (week - 1) * 7 + day - 1;
    tn_iso_week(days, &iso_year, &iso_week, &iso_day);
    if (week < 1 || iso_year != year) {
        return tn_fail(err, TN_E_VALUE, "Invalid week: %lld", (long long)week);
    }
    *ret = (tn_val){ .tag = TN_DATE, .i = days };
    return TN_OK;
}

static const char *const TZ_NAMES[] = { "tz", NULL };
static const char *const TS_NAMES[] = { "timestamp", "tz", NULL };
static const char *const STRPTIME_NAMES[] = { "date_string", "format", NULL };
static const char *const COMBINE_NAMES[] = { "date", "time", "tzinfo", NULL };

const tn_jlib_method tn_jdate_datetime_class[] = {
    { "now", c_now, 0, 1, TZ_NAMES },
    { "utcnow", c_utcnow, 0, 0, NULL },
    { "today", c_now, 0, 0, NULL },
    { "strptime", c_strptime, 2, 2, STRPTIME_NAMES },
    { "fromisoformat", c_fromisoformat, 1, 1, NULL },
    { "fromtimestamp", c_fromtimestamp, 1, 2, TS_NAMES },
    { "utcfromtimestamp", c_utcfromtimestamp, 1, 1, TS_NAMES },
    { "fromordinal", c_fromordinal, 1, 1, NULL },
    { "combine", c_combine, 2, 3, COMBINE_NAMES },
    { NULL, NULL, 0, 0, NULL },
};
const tn_jlib_method tn_jdate_date_class[] = {
    { "today", c_today, 0, 0, NULL },
    { "fromisoformat", c_date_fromisoformat, 1, 1, NULL },
    { "fromtimestamp", c_date_fromtimestamp, 1, 1, TS_NAMES },
    { "fromordinal", c_date_fromordinal, 1, 1, NULL },
    { "fromisocalendar", c_date_fromisocalendar, 3, 3, NULL },
    { NULL, NULL, 0, 0, NULL },
};
const tn_jlib_method tn_jdate_time_class[] = {
    { "fromisoformat", c_time_fromisoformat, 1, 1, NULL },
    { NULL, NULL, 0, 0, NULL },
};

/* ---- the classes as values ---- */
typedef struct date_class {
    tn_obj base;
    const char *name;
    tn_call_fn make;
    const tn_jlib_method *methods;
    tn_tag tag;
} date_class;

static tn_rc class_call(tn_obj *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    return ((const date_class *)self)->make(NULL, c, ret, err);
}

static bool class_constant(tn_tag tag, tn_str name, tn_val *ret)
{
    bool max = tn_str_is(name, "max"), min = tn_str_is(name, "min"),
         step = tn_str_is(name, "resolution");
    int64_t lo = tn_days_from_civil(1, 1, 1), hi = tn_days_from_civil(9999, 12, 31);
    tn_val v = { .tag = (uint8_t)tag, .n = tag == TN_DATETIME ? TN_ZONE_NAIVE : 0 };
    if ((!max && !min && !step) || tag == TN_OBJ || (tag == TN_DELTA && !step)) {
        return false;
    }
    if (step) {
        *ret = (tn_val){ .tag = TN_DELTA, .i = tag == TN_DATE ? DAY : 1 };
        return true;
    }
    v.i = tag == TN_DATE   ? (max ? hi : lo)
          : tag == TN_TIME ? (max ? DAY - 1 : 0)
          : max            ? (hi + 1) * DAY - 1
                           : lo * DAY;
    *ret = v;
    return true;
}

static tn_rc class_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const date_class *k = (const date_class *)self;
    if (k->methods != NULL && tn_jlib_bind_named(a, k->methods, name, tn_val_obj(self), ret)) {
        return TN_OK;
    }
    if (k->tag == TN_OBJ && tn_str_is(name, "utc")) {
        *ret = tn_tz_value_fixed(a, 0, TN_STR_NONE);
        return TN_OK;
    }
    if (!class_constant(k->tag, name, ret)) {
        *ret = tn_val_undef(name);
    }
    return TN_OK;
}

static void class_str(tn_obj *self, tn_buf *b)
{
    tn_buf_addf(b, "<class 'datetime.%s'>", ((const date_class *)self)->name);
}

static const tn_obj_type CLASS = {
    .name = "type", .attr = class_attr, .call = class_call, .str = class_str
};

tn_val tn_jinja_module_datetime(tn_arena *a)
{
    /* The classes have no state; only the base of an object cannot be const. */
    static date_class classes[] = {
        { { &CLASS }, "datetime", new_datetime, tn_jdate_datetime_class, TN_DATETIME },
        { { &CLASS }, "date", new_date, tn_jdate_date_class, TN_DATE },
        { { &CLASS }, "time", new_time, tn_jdate_time_class, TN_TIME },
        { { &CLASS }, "timedelta", new_delta, NULL, TN_DELTA },
        { { &CLASS }, "timezone", new_timezone, NULL, TN_OBJ },
    };
    tn_val d = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(classes); i++) {
        tn_dict_putz(d.dict, classes[i].name, tn_val_obj(&classes[i].base));
    }
    tn_dict_putz(d.dict, "MINYEAR", tn_val_int(1));
    tn_dict_putz(d.dict, "MAXYEAR", tn_val_int(9999));
    tn_dict_putz(d.dict, "UTC", tn_tz_value_fixed(a, 0, TN_STR_NONE));
    return tn_val_module(a, "datetime", d.dict);
}
