/* jinja_datetime_attr.c: attributes and methods of date, datetime, time and timedelta values. */
#include "base/buf.h"
#include "jinja/time/jinja_datetime.h"
#include "jinja/time/jinja_tz.h"

static const int64_t SECOND = 1000000;
static const int64_t DAY = 86400 * (int64_t)1000000;

static int64_t days_of(tn_val v)
{
    return v.tag == TN_DATE ? v.i : v.i / DAY - (v.i % DAY < 0 ? 1 : 0);
}

static tn_civil civil_of(tn_val v)
{
    return tn_civil_of_micros(v.tag == TN_DATE ? v.i * DAY : v.i);
}

static tn_rc m_strftime(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_str fmt;
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    TN_TRY(tn_jlib_str_arg(c, 0, "format", "strftime", &fmt, err));
    TN_TRY(tn_strftime(&b, fmt, self, err));
    return tn_jlib_finish(&b, ret, err);
}

/* timespec -> digits of the second's fraction; -1: hours, -2: minutes. */
static tn_rc timespec_digits(tn_str spec, int64_t micros, int *ret, tn_err *err)
{
    if (tn_str_is(spec, "auto")) {
        *ret = micros % SECOND != 0 ? 6 : 0;
    } else if (tn_str_is(spec, "seconds")) {
        *ret = 0;
    } else if (tn_str_is(spec, "milliseconds")) {
        *ret = 3;
    } else if (tn_str_is(spec, "microseconds")) {
        *ret = 6;
    } else if (tn_str_is(spec, "hours") || tn_str_is(spec, "minutes")) {
        *ret = spec.p[0] == 'h' ? -1 : -2;
    } else {
        return tn_fail(err, TN_E_VALUE, "Unknown timespec value");
    }
    return TN_OK;
}

static tn_rc m_isoformat(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_str sep = TN_STR("T"), spec = TN_STR("auto");
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    size_t spec_place = self.tag == TN_DATETIME ? 1 : 0;
    int digits = 0;
    if (self.tag == TN_DATE) {
        tn_iso_date(&b, self.i);
        return tn_jlib_finish(&b, ret, err);
    }
    if (self.tag == TN_DATETIME && tn_call_has(c, 0, "sep")) {
        TN_TRY(tn_jlib_str_arg(c, 0, "sep", "isoformat", &sep, err));
        if (tn_utf8_len(sep) != 1) {
            return tn_fail(
                err, TN_E_TYPE, "isoformat() argument 1 must be a unicode character, not str");
        }
    }
    if (tn_call_has(c, spec_place, "timespec")) {
        TN_TRY(tn_jlib_str_arg(c, spec_place, "timespec", "isoformat", &spec, err));
    }
    TN_TRY(timespec_digits(spec, self.i, &digits, err));
    tn_iso_micros(&b, self.i, digits < 0 ? 0 : digits, sep.p[0], NULL);
    if (digits < 0) {
        tn_buf_truncate(&b, b.n - (digits == -1 ? 6 : 3));
    }
    tn_str date = tn_buf_str(&b);
    if (self.tag == TN_TIME) {
        *ret = tn_val_str(tn_str_sub(date, 11, date.n));
        return TN_OK;
    }
    tn_buf whole = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX),
           zone = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    tn_buf_add(&whole, tn_str_sub(date, 0, 10));
    tn_buf_add(&whole, sep); /* may be any character */
    tn_buf_add(&whole, tn_str_sub(date, 11, date.n));
    if (self.n != TN_ZONE_NAIVE) {
        tn_val bare = self;
        bare.i = 0;
        tn_py_datetime(&zone, bare, 'T');
        tn_str z = tn_buf_str(&zone);
        tn_buf_add(&whole, tn_str_sub(z, 19, z.n));
    }
    return tn_jlib_finish(&whole, ret, err);
}

static tn_rc m_replace(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_civil d = civil_of(self);
    size_t at = 0;
    if (self.tag != TN_TIME) {
        TN_TRY(tn_jdate_field(c, 0, "year", &d.year, err));
        TN_TRY(tn_jdate_field(c, 1, "month", &d.month, err));
        TN_TRY(tn_jdate_field(c, 2, "day", &d.day, err));
        at = 3;
    }
    if (self.tag != TN_DATE) {
        TN_TRY(tn_jdate_field(c, at, "hour", &d.hour, err));
        TN_TRY(tn_jdate_field(c, at + 1, "minute", &d.minute, err));
        TN_TRY(tn_jdate_field(c, at + 2, "second", &d.second, err));
        TN_TRY(tn_jdate_field(c, at + 3, "microsecond", &d.micro, err));
    }
    TN_TRY(tn_jdate_check(&d, err));
    tn_val v = self;
    v.i = self.tag == TN_DATE ? tn_days_from_civil(d.year, d.month, d.day) : tn_micros_of_civil(&d);
    if (self.tag == TN_DATETIME) {
        return tn_jdate_zone(c, 7, "tzinfo", v, ret, err);
    }
    *ret = v;
    return TN_OK;
}

static tn_rc m_weekday(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    *ret = tn_val_int(civil_of(self).weekday);
    return TN_OK;
}

static tn_rc m_isoweekday(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    *ret = tn_val_int(civil_of(self).weekday + 1);
    return TN_OK;
}

static tn_rc m_toordinal(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    *ret = tn_val_int(days_of(self) + 719163);
    return TN_OK;
}

static tn_rc m_ctime(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    TN_TRY(tn_strftime(&b, TN_STR("%a %b %e %H:%M:%S %Y"), self, err));
    return tn_jlib_finish(&b, ret, err);
}

/* ---- isocalendar: a tuple with names ---- */
typedef struct iso_date {
    tn_obj base;
    tn_val tuple;
} iso_date;

static tn_rc iso_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a, (void)err;
    const tn_val *v = ((const iso_date *)self)->tuple.list->v;
    *ret = tn_str_is(name, "year")      ? v[0]
           : tn_str_is(name, "week")    ? v[1]
           : tn_str_is(name, "weekday") ? v[2]
                                        : tn_val_undef(name);
    return TN_OK;
}

static tn_rc iso_item(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err)
{
    if (!tn_jlib_is_int(key)) {
        return iso_attr(self, a, tn_val_as_str(key), ret, err);
    }
    int64_t i = key.i < 0 ? key.i + 3 : key.i;
    *ret = i >= 0 && i < 3 ? ((const iso_date *)self)->tuple.list->v[i] : TN_VAL_UNDEF;
    return TN_OK;
}

static tn_rc iso_iter(tn_obj *self, tn_arena *a, tn_val *ret_list, tn_err *err)
{
    (void)a, (void)err;
    *ret_list = ((const iso_date *)self)->tuple;
    return TN_OK;
}

static bool iso_length(tn_obj *self, size_t *ret)
{
    (void)self;
    *ret = 3;
    return true;
}

static void iso_str(tn_obj *self, tn_buf *b)
{
    const tn_val *v = ((const iso_date *)self)->tuple.list->v;
    tn_buf_addf(b, "datetime.IsoCalendarDate(year=%lld, week=%lld, weekday=%lld)",
        (long long)v[0].i, (long long)v[1].i, (long long)v[2].i);
}

static bool iso_eq(tn_obj *self, tn_val other)
{
    tn_val o = other.tag == TN_OBJ && other.obj->type == self->type
                   ? ((const iso_date *)other.obj)->tuple
                   : other;
    return tn_val_eq(((const iso_date *)self)->tuple, o);
}

static const tn_obj_type ISO_DATE = { .name = "datetime.IsoCalendarDate",
    .attr = iso_attr,
    .item = iso_item,
    .iter = iso_iter,
    .length = iso_length,
    .str = iso_str,
    .eq = iso_eq };

static tn_rc m_isocalendar(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    int64_t year;
    int week, day;
    tn_iso_week(days_of(self), &year, &week, &day);
    tn_val v[3] = { tn_val_int(year), tn_val_int(week), tn_val_int(day) };
    iso_date *d = tn_new(c->arena, iso_date);
    d->base.type = &ISO_DATE;
    d->tuple = tn_val_tuple(c->arena, v, 3);
    *ret = tn_val_obj(&d->base);
    return TN_OK;
}

/* ---- datetime only ---- */
static tn_rc m_date(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    *ret = (tn_val){ .tag = TN_DATE, .i = days_of(self) };
    return TN_OK;
}

static tn_rc m_time(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    *ret = (tn_val){ .tag = TN_TIME, .i = self.i - days_of(self) * DAY };
    return TN_OK;
}

static tn_rc m_timestamp(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    *ret = tn_val_float((double)tn_tz_utc_micros(c->arena, self) / 1e6);
    return TN_OK;
}

static tn_rc m_utcoffset(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    *ret = self.n == TN_ZONE_NAIVE
               ? TN_VAL_NONE
               : (tn_val){ .tag = TN_DELTA, .i = ((int64_t)self.n - 86400) * SECOND };
    return TN_OK;
}

static tn_rc m_tzname(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(c->arena, 64);
    if (self.n == TN_ZONE_NAIVE) {
        *ret = TN_VAL_NONE;
        return TN_OK;
    }
    tn_zone_name(&b, self);
    return tn_jlib_finish(&b, ret, err);
}

static tn_rc m_astimezone(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val zone = tn_call_arg(c, 0, "tz");
    int64_t utc = tn_tz_utc_micros(c->arena, self);
    if (zone.tag == TN_UNDEF || zone.tag == TN_NONE) {
        tn_val local = tn_tz_local_datetime(c->arena, utc);
        local.n = (uint32_t)(86400 + (local.i - utc) / SECOND);
        *ret = local;
        return TN_OK;
    }
    if (!tn_tz_is_value(zone)) {
        return tn_fail(err, TN_E_TYPE, "tz argument must be an instance of tzinfo");
    }
    *ret = tn_tz_convert(zone, utc);
    return TN_OK;
}

static tn_rc m_timetuple(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    tn_civil d = civil_of(self);
    tn_val v[9] = { tn_val_int(d.year), tn_val_int(d.month), tn_val_int(d.day), tn_val_int(d.hour),
        tn_val_int(d.minute), tn_val_int(d.second), tn_val_int(d.weekday), tn_val_int(d.yearday),
        tn_val_int(-1) };
    *ret = tn_val_tuple(c->arena, v, 9);
    return TN_OK;
}

static tn_rc m_total_seconds(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)c, (void)err;
    *ret = tn_val_float((double)self.i / 1e6);
    return TN_OK;
}

static const char *const FORMAT_NAMES[] = { "format", NULL };
static const char *const ISO_NAMES[] = { "sep", "timespec", NULL };
static const char *const SPEC_NAMES[] = { "timespec", NULL };
static const char *const DATE_NAMES[] = { "year", "month", "day", NULL };
static const char *const ALL_NAMES[] = { "year", "month", "day", "hour", "minute", "second",
    "microsecond", "tzinfo", "fold", NULL };
static const char *const TIME_NAMES[] = { "hour", "minute", "second", "microsecond", "tzinfo",
    "fold", NULL };
static const char *const TZ_NAMES[] = { "tz", NULL };

#define DATE_METHODS                                                                               \
    { "strftime", m_strftime, 1, 1, FORMAT_NAMES }, { "weekday", m_weekday, 0, 0, NULL },          \
        { "isoweekday", m_isoweekday, 0, 0, NULL }, { "isocalendar", m_isocalendar, 0, 0, NULL },  \
        { "toordinal", m_toordinal, 0, 0, NULL }, { "ctime", m_ctime, 0, 0, NULL },                \
    {                                                                                              \
        "timetuple", m_timetuple, 0, 0, NULL                                                       \
    }

static const tn_jlib_method DATE_TABLE[] = {
    DATE_METHODS,
    { "isoformat", m_isoformat, 0, 0, NULL },
    { "replace", m_replace, 0, 3, DATE_NAMES },
    { NULL, NULL, 0, 0, NULL },
};
static const tn_jlib_method DATETIME_TABLE[] = {
    DATE_METHODS,
    { "isoformat", m_isoformat, 0, 2, ISO_NAMES },
    { "replace", m_replace, 0, 8, ALL_NAMES },
    { "date", m_date, 0, 0, NULL },
    { "time", m_time, 0, 0, NULL },
    { "timetz", m_time, 0, 0, NULL },
    { "timestamp", m_timestamp, 0, 0, NULL },
    { "utcoffset", m_utcoffset, 0, 0, NULL },
    { "tzname", m_tzname, 0, 0, NULL },
    { "astimezone", m_astimezone, 0, 1, TZ_NAMES },
    { NULL, NULL, 0, 0, NULL },
};
static const tn_jlib_method TIME_TABLE[] = {
    { "strftime", m_strftime, 1, 1, FORMAT_NAMES },
    { "isoformat", m_isoformat, 0, 1, SPEC_NAMES },
    { "replace", m_replace, 0, 4, TIME_NAMES },
    { NULL, NULL, 0, 0, NULL },
};
static const tn_jlib_method DELTA_TABLE[] = {
    { "total_seconds", m_total_seconds, 0, 0, NULL },
    { NULL, NULL, 0, 0, NULL },
};

static bool delta_field(tn_val v, tn_str name, tn_val *ret)
{
    int64_t days = v.i / DAY - (v.i % DAY < 0 ? 1 : 0), rest = v.i - days * DAY;
    if (tn_str_is(name, "days")) {
        *ret = tn_val_int(days);
    } else if (tn_str_is(name, "seconds")) {
        *ret = tn_val_int(rest / SECOND);
    } else if (tn_str_is(name, "microseconds")) {
        *ret = tn_val_int(rest % SECOND);
    } else {
        return false;
    }
    return true;
}

static bool field_of(tn_arena *a, tn_val v, tn_str name, tn_val *ret)
{
    tn_civil d = civil_of(v);
    bool date = v.tag != TN_TIME, clock = v.tag != TN_DATE;
    if (date && tn_str_is(name, "year")) {
        *ret = tn_val_int(d.year);
    } else if (date && tn_str_is(name, "month")) {
        *ret = tn_val_int(d.month);
    } else if (date && tn_str_is(name, "day")) {
        *ret = tn_val_int(d.day);
    } else if (clock && tn_str_is(name, "hour")) {
        *ret = tn_val_int(d.hour);
    } else if (clock && tn_str_is(name, "minute")) {
        *ret = tn_val_int(d.minute);
    } else if (clock && tn_str_is(name, "second")) {
        *ret = tn_val_int(d.second);
    } else if (clock && tn_str_is(name, "microsecond")) {
        *ret = tn_val_int(d.micro);
    } else if (clock && tn_str_is(name, "fold")) {
        *ret = tn_val_int(0);
    } else if (clock && tn_str_is(name, "tzinfo")) {
        *ret = v.tag == TN_DATETIME ? tn_tz_value_of(a, v) : TN_VAL_NONE;
    } else {
        return false;
    }
    return true;
}

tn_rc tn_jlib_datetime_attr(tn_arena *a, tn_val v, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const tn_jlib_method *own = v.tag == TN_DATE       ? DATE_TABLE
                                : v.tag == TN_DATETIME ? DATETIME_TABLE
                                : v.tag == TN_TIME     ? TIME_TABLE
                                                       : DELTA_TABLE;
    const tn_jlib_method *of_class = v.tag == TN_DATE       ? tn_jdate_date_class
                                     : v.tag == TN_DATETIME ? tn_jdate_datetime_class
                                     : v.tag == TN_TIME     ? tn_jdate_time_class
                                                            : NULL;
    if (v.tag == TN_DELTA ? delta_field(v, name, ret) : field_of(a, v, name, ret)) {
        return TN_OK;
    }
    if (tn_jlib_bind_named(a, own, name, v, ret) ||
        (of_class != NULL && tn_jlib_bind_named(a, of_class, name, v, ret))) {
        return TN_OK;
    }
    *ret = tn_val_undef(name);
    return TN_OK;
}
