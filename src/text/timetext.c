/* timetext.c: the calendar (days and microseconds <-> year, month, day ...), ISO text in both directions, and the
 * str() and repr() of Python's date classes. Formats given by the user are in timetext_format.c. */
#include "text/timetext.h"

#include "base/buf.h"

enum { DAY_SECONDS = 86400 };
static const int64_t SECOND = 1000000;
static const int64_t DAY = 86400 * (int64_t)1000000;

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q * b > a ? q - 1 : q;
}

/* Years are counted from March, so that the leap day is the last day of a year; 400 years are an era. */
int64_t tn_days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400);
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, tn_civil *c)
{
    int64_t z = days + 719468;
    int64_t era = floor_div(z, 146097);
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t mp = (5 * day_of_year + 2) / 153;
    c->day = (int)(day_of_year - (153 * mp + 2) / 5 + 1);
    c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
    c->year = (int)(year_of_era + era * 400 + (c->month <= 2 ? 1 : 0));
    int64_t weekday = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    c->weekday = (int)(weekday < 0 ? weekday + 7 : weekday);
    c->yearday = (int)(days - tn_days_from_civil(c->year, 1, 1) + 1);
}

tn_civil tn_civil_of_micros(int64_t micros)
{
    tn_civil c = { 0 };
    int64_t days = floor_div(micros, DAY);
    int64_t rest = micros - days * DAY;
    civil_from_days(days, &c);
    c.micro = (int)(rest % SECOND);
    int64_t s = rest / SECOND;
    c.hour = (int)(s / 3600);
    c.minute = (int)(s / 60 % 60);
    c.second = (int)(s % 60);
    return c;
}

int64_t tn_micros_of_civil(const tn_civil *c)
{
    int64_t days = tn_days_from_civil(c->year, c->month, c->day);
    int64_t seconds = days * DAY_SECONDS + c->hour * 3600 + c->minute * 60 + c->second;
    return seconds * SECOND + c->micro;
}

int tn_days_in_month(int64_t year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : month >= 1 && month <= 12 ? days[month - 1] : 0;
}

bool tn_civil_valid(const tn_civil *c)
{
    return c->year >= 1 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= tn_days_in_month(c->year, c->month) && c->hour >= 0 && c->hour <= 23 &&
           c->minute >= 0 && c->minute <= 59 && c->second >= 0 && c->second <= 59 &&
           c->micro >= 0 && c->micro <= 999999;
}

void tn_iso_week(int64_t days, int64_t *ret_year, int *ret_week, int *ret_weekday)
{
    tn_civil c = { 0 };
    civil_from_days(days, &c);
    civil_from_days(days + 3 - c.weekday, &c); /* the Thursday decides the year */
    *ret_year = c.year;
    *ret_week = (c.yearday - 1) / 7 + 1;
    civil_from_days(days, &c);
    *ret_weekday = c.weekday + 1;
}

/* ---- ISO text out ---- */
void tn_iso_date(tn_buf *b, int64_t days)
{
    tn_civil c = { 0 };
    civil_from_days(days, &c);
    tn_buf_addf(b, "%04d-%02d-%02d", c.year, c.month, c.day);
}

static void add_clock(tn_buf *b, const tn_civil *c, int digits)
{
    static const int scale[] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };
    tn_buf_addf(b, "%02d:%02d:%02d", c->hour, c->minute, c->second);
    if (digits > 0) {
        TN_CHECK(digits <= 6);
        tn_buf_addf(b, ".%0*d", digits, c->micro / scale[digits]);
    }
}

void tn_iso_micros(tn_buf *b, int64_t micros, int digits, char sep, const char *suffix)
{
    tn_civil c = tn_civil_of_micros(micros);
    tn_buf_addf(b, "%04d-%02d-%02d%c", c.year, c.month, c.day, sep);
    add_clock(b, &c, digits);
    tn_buf_addz(b, suffix ? suffix : "");
}

static void add_offset(tn_buf *b, int64_t offset_s)
{
    int64_t o = offset_s < 0 ? -offset_s : offset_s;
    tn_buf_addf(b, "%c%02d:%02d", offset_s < 0 ? '-' : '+', (int)(o / 3600), (int)(o / 60 % 60));
    if (o % 60 != 0) {
        tn_buf_addf(b, ":%02d", (int)(o % 60));
    }
}

static void add_delta(tn_buf *b, int64_t micros)
{
    int64_t days = floor_div(micros, DAY);
    int64_t rest = micros - days * DAY;
    int64_t s = rest / SECOND;
    if (days != 0) {
        tn_buf_addf(b, "%lld day%s, ", (long long)days, days == 1 || days == -1 ? "" : "s");
    }
    tn_buf_addf(b, "%d:%02d:%02d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
    if (rest % SECOND != 0) {
        tn_buf_addf(b, ".%06d", (int)(rest % SECOND));
    }
}

void tn_py_datetime(tn_buf *b, tn_val v, char sep)
{
    if (v.tag == TN_DATE) {
        tn_iso_date(b, v.i);
    } else if (v.tag == TN_DELTA) {
        add_delta(b, v.i);
    } else if (v.tag == TN_TIME) {
        tn_civil c = tn_civil_of_micros(v.i);
        add_clock(b, &c, c.micro != 0 ? 6 : 0);
    } else if (v.tag == TN_DATETIME) {
        tn_iso_micros(b, v.i, v.i % SECOND != 0 ? 6 : 0, sep, NULL);
        if (v.n != TN_ZONE_NAIVE) {
            add_offset(b, (int64_t)v.n - DAY_SECONDS);
        }
    }
}

static void add_repr_delta(tn_buf *b, int64_t micros)
{
    int64_t days = floor_div(micros, DAY);
    int64_t rest = micros - days * DAY;
    const char *sep = "";
    tn_buf_addz(b, "datetime.timedelta(");
    if (days != 0) {
        tn_buf_addf(b, "days=%lld", (long long)days);
        sep = ", ";
    }
    if (rest / SECOND != 0) {
        tn_buf_addf(b, "%sseconds=%lld", sep, (long long)(rest / SECOND));
        sep = ", ";
    }
    if (rest % SECOND != 0) {
        tn_buf_addf(b, "%smicroseconds=%lld", sep, (long long)(rest % SECOND));
        sep = ", ";
    }
    tn_buf_addz(b, micros == 0 ? "0)" : ")");
}

static void add_repr_zone(tn_buf *b, tn_val v)
{
    int64_t offset = (int64_t)v.n - DAY_SECONDS;
    tn_buf_addz(b, ", tzinfo=");
    if (v.aux != 0) { /* a pytz zone: only its abbreviation is kept */
        tn_buf_addz(b, "<");
        tn_zone_name(b, v);
        if (offset != 0) {
            tn_buf_addc(b, ' ');
            add_offset(b, offset);
        }
        tn_buf_addz(b, ">");
    } else if (offset == 0) {
        tn_buf_addz(b, "datetime.timezone.utc");
    } else {
        tn_buf_addz(b, "datetime.timezone(");
        add_repr_delta(b, offset * SECOND);
        tn_buf_addz(b, ")");
    }
}

void tn_py_repr_datetime(tn_buf *b, tn_val v)
{
    if (v.tag == TN_DELTA) {
        add_repr_delta(b, v.i);
        return;
    }
    tn_civil c = { 0 };
    if (v.tag == TN_DATE) {
        civil_from_days(v.i, &c);
        tn_buf_addf(b, "datetime.date(%d, %d, %d)", c.year, c.month, c.day);
        return;
    }
    c = tn_civil_of_micros(v.i);
    if (v.tag == TN_DATETIME) {
        tn_buf_addf(b, "datetime.datetime(%d, %d, %d, ", c.year, c.month, c.day);
    } else {
        tn_buf_addz(b, "datetime.time(");
    }
    tn_buf_addf(b, "%d, %d", c.hour, c.minute);
    if (c.second != 0 || c.micro != 0) {
        tn_buf_addf(b, ", %d", c.second);
    }
    if (c.micro != 0) {
        tn_buf_addf(b, ", %d", c.micro);
    }
    if (v.tag == TN_DATETIME && v.n != TN_ZONE_NAIVE) {
        add_repr_zone(b, v);
    }
    tn_buf_addc(b, ')');
}

/* ---- ISO text in ---- */
/* Exactly `width` digits at *at. */
static bool take_digits(tn_str s, size_t *at, int width, int *ret)
{
    int v = 0;
    if (s.n - *at < (size_t)width) {
        return false;
    }
    for (int i = 0; i < width; i++) {
        char ch = s.p[*at + (size_t)i];
        if (ch < '0' || ch > '9') {
            return false;
        }
        v = v * 10 + (ch - '0');
    }
    *at += (size_t)width;
    *ret = v;
    return true;
}

static bool take_char(tn_str s, size_t *at, char c)
{
    if (*at < s.n && s.p[*at] == c) {
        (*at)++;
        return true;
    }
    return false;
}

static bool take_date(tn_str s, size_t *at, tn_civil *c)
{
    return take_digits(s, at, 4, &c->year) && take_char(s, at, '-') &&
           take_digits(s, at, 2, &c->month) && take_char(s, at, '-') &&
           take_digits(s, at, 2, &c->day);
}

static bool take_fraction(tn_str s, size_t *at, int *ret_micro)
{
    int scale = 100000;
    size_t start = *at;
    *ret_micro = 0;
    while (*at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9' && *at - start < 9) {
        *ret_micro += (s.p[*at] - '0') * scale;
        scale /= 10;
        (*at)++;
    }
    return *at > start;
}

/* hh:mm[:ss[.fraction]] */
static bool take_clock(tn_str s, size_t *at, tn_civil *c)
{
    if (!take_digits(s, at, 2, &c->hour) || !take_char(s, at, ':') ||
        !take_digits(s, at, 2, &c->minute)) {
        return false;
    }
    if (!take_char(s, at, ':')) {
        return true;
    }
    if (!take_digits(s, at, 2, &c->second)) {
        return false;
    }
    return take_char(s, at, '.') || take_char(s, at, ',') ? take_fraction(s, at, &c->micro) : true;
}

/* Z, z, +hh, +hhmm, +hh:mm, +hh:mm:ss; nothing is fine. */
static bool take_zone(tn_str s, size_t *at, bool *ret_has, int *ret_offset_s)
{
    *ret_has = false;
    *ret_offset_s = 0;
    if (*at == s.n) {
        return true;
    }
    *ret_has = true;
    if (take_char(s, at, 'Z') || take_char(s, at, 'z')) {
        return true;
    }
    bool minus = s.p[*at] == '-';
    if (!minus && s.p[*at] != '+') {
        return false;
    }
    (*at)++;
    int h = 0, m = 0, sec = 0;
    if (!take_digits(s, at, 2, &h)) {
        return false;
    }
    bool colon = take_char(s, at, ':');
    if (*at < s.n || colon) {
        if (!take_digits(s, at, 2, &m) || (take_char(s, at, ':') && !take_digits(s, at, 2, &sec))) {
            return false;
        }
    }
    *ret_offset_s = (h * 3600 + m * 60 + sec) * (minus ? -1 : 1);
    return h <= 23 && m <= 59 && sec <= 59;
}

bool tn_parse_timestamp(tn_str s, int64_t *ret_micros, bool *ret_has_zone, int *ret_offset_s)
{
    tn_civil c = { 0 };
    size_t at = 0;
    bool has_zone = false;
    int offset = 0;
    s = tn_str_trim(s);
    if (!take_date(s, &at, &c)) {
        return false;
    }
    if (at < s.n) {
        if (s.p[at] != 'T' && s.p[at] != ' ' && s.p[at] != 't') {
            return false;
        }
        at++;
        if (!take_clock(s, &at, &c)) {
            return false;
        }
        if (at < s.n && s.p[at] == ' ') {
            at++;
        }
        if (!take_zone(s, &at, &has_zone, &offset)) {
            return false;
        }
    }
    if (at != s.n || !tn_civil_valid(&c)) {
        return false;
    }
    *ret_micros = tn_micros_of_civil(&c) - offset * SECOND;
    if (ret_has_zone != NULL) {
        *ret_has_zone = has_zone;
    }
    if (ret_offset_s != NULL) {
        *ret_offset_s = offset;
    }
    return true;
}

bool tn_parse_date(tn_str s, int64_t *ret_days)
{
    tn_civil c = { 0 };
    size_t at = 0;
    if (!take_date(s, &at, &c) || at != s.n || !tn_civil_valid(&c)) {
        return false;
    }
    *ret_days = tn_days_from_civil(c.year, c.month, c.day);
    return true;
}
