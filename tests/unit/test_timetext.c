// layers: base text
/* The calendar and the texts of dates. tests/oracle/timetext_oracle.py compares random values with Python. */
#include "tn_test.h"

#include "text/timetext.h"

static tn_val datetime(const char *text)
{
    int64_t micros = 0;
    bool zone = false;
    int offset = 0;
    if (!tn_parse_timestamp(tn_str_of(text), &micros, &zone, &offset)) {
        TN_FAIL("cannot read '%s'", text);
    }
    return (tn_val){ .tag = TN_DATETIME, .i = micros, .n = TN_ZONE_NAIVE };
}

static tn_str formatted(tn_arena *arena, const char *fmt, tn_val v)
{
    tn_buf b = tn_buf_init(arena, 4096);
    TN_ASSERT_OK(tn_strftime(&b, tn_str_of(fmt), v, NULL));
    return tn_buf_str(&b);
}

TN_TEST(days_and_dates_are_inverse)
{
    for (int64_t days = -719162; days < 2932897; days += 97) {
        tn_civil c = tn_civil_of_micros(days * 86400 * 1000000);
        TN_ASSERT(tn_civil_valid(&c));
        TN_ASSERT_EQ_I(tn_days_from_civil(c.year, c.month, c.day), days);
        TN_ASSERT_EQ_I(tn_micros_of_civil(&c), days * 86400 * 1000000);
    }
    TN_ASSERT_EQ_I(tn_days_from_civil(2000, 3, 1), 11017);
}

TN_TEST(leap_years)
{
    TN_ASSERT_EQ_I(tn_days_in_month(2024, 2), 29);
    TN_ASSERT_EQ_I(tn_days_in_month(1900, 2), 28);
    TN_ASSERT_EQ_I(tn_days_in_month(2000, 2), 29);
    TN_ASSERT_EQ_I(tn_days_in_month(2023, 13), 0);
}

TN_TEST(times_before_1970)
{
    tn_civil c = tn_civil_of_micros(-1);
    TN_ASSERT_EQ_I(c.year, 1969);
    TN_ASSERT_EQ_I(c.second, 59);
    TN_ASSERT_EQ_I(c.micro, 999999);
    TN_ASSERT_EQ_I(c.weekday, 2);
}

TN_TEST(timestamps_are_read)
{
    int64_t micros;
    bool zone;
    int offset;
    TN_ASSERT(
        tn_parse_timestamp(TN_STR("2024-01-31T10:20:30.123456789+05:30"), &micros, &zone, &offset));
    TN_ASSERT_EQ_I(offset, 19800);
    TN_ASSERT(zone);
    TN_ASSERT_EQ_I(micros, 1706676630123456);
    TN_ASSERT(tn_parse_timestamp(TN_STR("2024-01-31"), &micros, &zone, &offset));
    TN_ASSERT(!zone);
    static const char *const bad[] = { "", "2024", "2024-02-30", "2024-01-31T", "2024-01-31T25:00",
        "2024-01-31T10:20+5", "2024-01-31x", "2024-1-31", "2024-01-31T10:20:30.",
        "2024-01-31T10:20Zx" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        micros = 77;
        TN_ASSERT(!tn_parse_timestamp(tn_str_of(bad[i]), &micros, &zone, &offset));
        TN_ASSERT_EQ_I(micros, 77);
    }
    int64_t days;
    TN_ASSERT(tn_parse_date(TN_STR("1969-12-31"), &days));
    TN_ASSERT_EQ_I(days, -1);
    TN_ASSERT(!tn_parse_date(TN_STR("1969-12-31 "), &days));
}

TN_TEST(iso_text)
{
    tn_buf b = tn_buf_init(arena, 4096);
    tn_iso_micros(&b, datetime("2024-01-31 00:00:00.123456").i, 3, 'T', "Z");
    TN_ASSERT_EQ_S(tn_buf_str(&b), "2024-01-31T00:00:00.123Z");
    tn_buf_reset(&b);
    tn_iso_date(&b, -719162);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "0001-01-01");
}

TN_TEST(python_texts_of_deltas)
{
    tn_buf b = tn_buf_init(arena, 4096);
    tn_val d = { .tag = TN_DELTA, .i = -1 };
    tn_py_datetime(&b, d, ' ');
    tn_buf_addc(&b, '|');
    tn_py_repr_datetime(&b, d);
    TN_ASSERT_EQ_S(tn_buf_str(&b),
        "-1 day, 23:59:59.999999|datetime.timedelta(days=-1, seconds=86399, microseconds=999999)");
}

TN_TEST(strftime_directives)
{
    tn_val v = datetime("2024-03-05 07:08:09.000012");
    TN_ASSERT_EQ_S(
        formatted(arena, "%Y%m%d %H:%M:%S.%f %j %a %b", v), "20240305 07:08:09.000012 065 Tue Mar");
    TN_ASSERT_EQ_S(formatted(arena, "%-d/%-m %_H %^a %Q %", v), "5/3  7 TUE %Q %");
    TN_ASSERT_EQ_S(formatted(arena, "%G-W%V-%u %U %W", v), "2024-W10-2 09 10");
    tn_val number = tn_val_int(5);
    tn_buf b = tn_buf_init(arena, 100);
    TN_ASSERT_RC(tn_strftime(&b, TN_STR("%Y"), number, err), TN_E_TYPE);
}

TN_TEST(zone_names)
{
    tn_val v = datetime("2024-03-05");
    v.n = 86400 - 5 * 3600;
    TN_ASSERT_EQ_S(formatted(arena, "%z %Z", v), "-0500 UTC-05:00");
    v.aux = tn_zone_abbrev_id(TN_STR("EST"));
    TN_ASSERT_EQ_S(formatted(arena, "%Z", v), "EST");
    TN_ASSERT_EQ_I(tn_zone_abbrev_id(TN_STR("nothing")), 0);
    v.n = TN_ZONE_NAIVE;
    TN_ASSERT_EQ_S(formatted(arena, "%z%Z|", v), "|");
}

TN_TEST(strptime_gives_back_what_does_not_fit)
{
    tn_val v;
    TN_ASSERT_OK(tn_strptime(TN_STR("111"), TN_STR("%d%m"), &v, err));
    TN_ASSERT_EQ_S(formatted(arena, "%F", v), "1900-01-11");
    TN_ASSERT_OK(tn_strptime(TN_STR("5 Mar 24 12:00 am"), TN_STR("%d %b %y %I:%M %p"), &v, err));
    TN_ASSERT_EQ_S(formatted(arena, "%F %T", v), "2024-03-05 00:00:00");
}

TN_TEST(strptime_errors_say_why)
{
    tn_val v = TN_VAL_NONE;
    TN_ASSERT_RC(tn_strptime(TN_STR("x"), TN_STR("%Y"), &v, err), TN_E_VALUE);
    TN_ASSERT_EQ_S(err->msg, "time data 'x' does not match format '%Y'");
    TN_ASSERT_RC(tn_strptime(TN_STR("2024-02-30"), TN_STR("%Y-%m-%d"), &v, err), TN_E_VALUE);
    TN_ASSERT_EQ_S(err->msg, "day is out of range for month");
    TN_ASSERT_EQ_I(v.tag, TN_NONE);
}
