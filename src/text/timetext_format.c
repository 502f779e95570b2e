/* timetext_format.c: strftime and strptime with Python's directives in the C locale, and abbreviations of zones.
 *
 * strptime is Python's: each directive stands for a small regular expression, so a reading may have to be given
 * back when what follows does not match. match_from tries the readings of a directive from long to short. */
#include "base/buf.h"
#include "text/timetext.h"

static const char *const DAYS[] = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday", "Sunday" };
static const char *const MONTHS[] = { "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December" };
enum { DAY_SECONDS = 86400, STRFTIME_DEPTH_MAX = 3 };
static const int64_t DAY = 86400 * (int64_t)1000000;

/* Sorted by nothing; the place is the id, so new ones go to the end. "" is id 0: no abbreviation. */
static const char *const ABBREVS[] = { "", "UTC", "GMT", "BST", "IST", "WET", "WEST", "CET", "CEST",
    "EET", "EEST", "MSK", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "AKST", "AKDT",
    "HST", "HDT", "AST", "ADT", "NST", "NDT", "JST", "KST", "HKT", "PKT", "WIB", "WITA", "WIT",
    "SST", "ChST", "SAST", "CAT", "EAT", "WAT", "AEST", "AEDT", "ACST", "ACDT", "AWST", "NZST",
    "NZDT", "IDT", "PDT", "LMT", "+00", "+01", "+02", "+03", "+0330", "+04", "+0430", "+05",
    "+0530", "+0545", "+06", "+0630", "+07", "+08", "+0845", "+09", "+0930", "+10", "+1030", "+11",
    "+12", "+1245", "+13", "+1345", "+14", "-00", "-01", "-02", "-03", "-0330", "-04", "-05", "-06",
    "-07", "-08", "-09", "-0930", "-10", "-11", "-12", "BMT", "MMT", "EWT", "EPT", "CWT", "CPT",
    "MWT", "MPT", "PWT", "PPT", "BDST", "MSD", "NZMT", "YST", "YDT", "KDT", "JDT", "CEMT", "SMT",
    "PMT", "RMT", "HMT", "KMT", "TMT", "AMT", "FMT", "QMT", "DMT", "IMT", "HKST", "PKST", "NFT",
    "NFST", "UYT", "BRT" };

uint16_t tn_zone_abbrev_id(tn_str abbrev)
{
    for (size_t i = 1; i < TN_COUNTOF(ABBREVS); i++) {
        if (tn_str_is(abbrev, ABBREVS[i])) {
            return (uint16_t)i;
        }
    }
    return 0;
}

static void add_offset(tn_buf *b, tn_val v, const char *sep)
{
    int64_t offset = (int64_t)v.n - DAY_SECONDS;
    int64_t o = offset < 0 ? -offset : offset;
    tn_buf_addf(
        b, "%c%02d%s%02d", offset < 0 ? '-' : '+', (int)(o / 3600), sep, (int)(o / 60 % 60));
    if (o % 60 != 0) {
        tn_buf_addf(b, "%s%02d", sep, (int)(o % 60));
    }
}

void tn_zone_name(tn_buf *b, tn_val v)
{
    if (v.tag != TN_DATETIME || v.n == TN_ZONE_NAIVE) {
        return;
    }
    if (v.aux != 0 && v.aux < TN_COUNTOF(ABBREVS)) {
        tn_buf_addz(b, ABBREVS[v.aux]);
        return;
    }
    tn_buf_addz(b, "UTC");
    if (v.n != TN_ZONE_UTC) {
        add_offset(b, v, ":");
    }
}

/* ---- strftime ---- */
typedef struct directive {
    char flag; /* glibc's - _ 0 ^ #, or 0 */
    int width; /* 0: none given */
    char c;
} directive;

static void add_number(tn_buf *b, directive d, int64_t value, int width, char pad)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)value);
    if (d.flag == '_') {
        pad = ' ';
    } else if (d.flag == '0') {
        pad = '0';
    }
    int want = d.flag == '-' ? 0 : d.width > 0 ? d.width : width;
    for (int i = n; i < want; i++) {
        tn_buf_addc(b, pad);
    }
    tn_buf_add_n(b, digits, (size_t)n);
}

static void add_name(tn_buf *b, directive d, const char *name, size_t n)
{
    for (int i = (int)n; i < d.width; i++) {
        tn_buf_addc(b, d.flag == '0' ? '0' : ' ');
    }
    bool swap_am =
        d.flag == '#' && d.c == 'p'; /* glibc: # gives lower case for %p, upper case for names */
    for (size_t i = 0; i < n; i++) {
        char ch = name[i];
        if (swap_am && ch >= 'A' && ch <= 'Z') {
            ch = (char)(ch + 32);
        } else if (!swap_am && (d.flag == '^' || d.flag == '#') && ch >= 'a' && ch <= 'z') {
            ch = (char)(ch - 32);
        }
        tn_buf_addc(b, ch);
    }
}

static int week_of_year(const tn_civil *c, int first_weekday)
{
    int since = (c->weekday - first_weekday + 7) % 7;
    return (c->yearday - 1 + 7 - since) / 7;
}

static int hour12(int hour)
{
    return hour % 12 == 0 ? 12 : hour % 12;
}

static void format_with(tn_buf *b, tn_str fmt, tn_val v, const tn_civil *c, int depth);

static const char *combined(char c)
{
    switch (c) {
    case 'c':
        return "%a %b %e %H:%M:%S %Y";
    case 'D':
    case 'x':
        return "%m/%d/%y";
    case 'F':
        return "%Y-%m-%d";
    case 'r':
        return "%I:%M:%S %p";
    case 'R':
        return "%H:%M";
    case 'T':
    case 'X':
        return "%H:%M:%S";
    default:
        return NULL;
    }
}

/* A flat dispatch, one case a directive. False: not a directive. */
static bool add_directive(tn_buf *b, directive d, tn_val v, const tn_civil *c)
{
    int64_t days = tn_days_from_civil(c->year, c->month, c->day);
    int64_t iso_year = 0;
    int iso_week = 0, iso_day = 0;
    tn_iso_week(days, &iso_year, &iso_week, &iso_day);
    switch (d.c) {
    case 'a':
        add_name(b, d, DAYS[c->weekday], 3);
        return true;
    case 'A':
        add_name(b, d, DAYS[c->weekday], strlen(DAYS[c->weekday]));
        return true;
    case 'b':
    case 'h':
        add_name(b, d, MONTHS[c->month - 1], 3);
        return true;
    case 'B':
        add_name(b, d, MONTHS[c->month - 1], strlen(MONTHS[c->month - 1]));
        return true;
    case 'C':
        add_number(b, d, c->year / 100, 2, '0');
        return true;
    case 'd':
        add_number(b, d, c->day, 2, '0');
        return true;
    case 'e':
        add_number(b, d, c->day, 2, ' ');
        return true;
    case 'f':
        tn_buf_addf(b, "%06d", c->micro);
        return true;
    case 'g':
        add_number(b, d, iso_year % 100, 2, '0');
        return true;
    case 'G':
        add_number(b, d, iso_year, 0, '0');
        return true;
    case 'H':
        add_number(b, d, c->hour, 2, '0');
        return true;
    case 'I':
        add_number(b, d, hour12(c->hour), 2, '0');
        return true;
    case 'j':
        add_number(b, d, c->yearday, 3, '0');
        return true;
    case 'k':
        add_number(b, d, c->hour, 2, ' ');
        return true;
    case 'l':
        add_number(b, d, hour12(c->hour), 2, ' ');
        return true;
    case 'm':
        add_number(b, d, c->month, 2, '0');
        return true;
    case 'M':
        add_number(b, d, c->minute, 2, '0');
        return true;
    case 'n':
        tn_buf_addc(b, '\n');
        return true;
    case 'p':
        add_name(b, d, c->hour < 12 ? "AM" : "PM", 2);
        return true;
    case 'P':
        add_name(b, d, c->hour < 12 ? "am" : "pm", 2);
        return true;
    case 's':
        add_number(b, d, tn_micros_of_civil(c) / 1000000, 1, '0');
        return true;
    case 'S':
        add_number(b, d, c->second, 2, '0');
        return true;
    case 't':
        tn_buf_addc(b, '\t');
        return true;
    case 'u':
        add_number(b, d, c->weekday + 1, 1, '0');
        return true;
    case 'U':
        add_number(b, d, week_of_year(c, 6), 2, '0');
        return true;
    case 'V':
        add_number(b, d, iso_week, 2, '0');
        return true;
    case 'w':
        add_number(b, d, (c->weekday + 1) % 7, 1, '0');
        return true;
    case 'W':
        add_number(b, d, week_of_year(c, 0), 2, '0');
        return true;
    case 'y':
        add_number(b, d, c->year % 100, 2, '0');
        return true;
    case 'Y':
        add_number(b, d, c->year, 0, '0');
        return true;
    case 'z':
        if (v.tag == TN_DATETIME && v.n != TN_ZONE_NAIVE) {
            add_offset(b, v, "");
        }
        return true;
    case 'Z':
        tn_zone_name(b, v);
        return true;
    case '%':
        tn_buf_addc(b, '%');
        return true;
    default:
        return false;
    }
}

static void format_with(tn_buf *b, tn_str fmt, tn_val v, const tn_civil *c, int depth)
{
    for (size_t i = 0; i < fmt.n; i++) {
        if (fmt.p[i] != '%' || i + 1 >= fmt.n) {
            tn_buf_addc(b, fmt.p[i]);
            continue;
        }
        size_t start = i++;
        directive d = { 0 };
        if (memchr("-_0^#", fmt.p[i], 5) != NULL && i + 1 < fmt.n) {
            d.flag = fmt.p[i++];
        }
        while (i + 1 < fmt.n && fmt.p[i] >= '0' && fmt.p[i] <= '9' && d.width < 100) {
            d.width = d.width * 10 + (fmt.p[i++] - '0');
        }
        if ((fmt.p[i] == 'E' || fmt.p[i] == 'O') && i + 1 < fmt.n) {
            i++;
        }
        d.c = fmt.p[i];
        const char *parts = combined(d.c);
        if (parts != NULL && depth < STRFTIME_DEPTH_MAX) {
            format_with(b, tn_str_of(parts), v, c, depth + 1);
        } else if (!add_directive(b, d, v, c)) {
            tn_buf_add(b, tn_str_sub(fmt, start, i + 1)); /* unknown ones stay, as in glibc */
        }
    }
}

tn_rc tn_strftime(tn_buf *b, tn_str fmt, tn_val v, tn_err *err)
{
    tn_civil c;
    switch (v.tag) {
    case TN_DATE:
        c = tn_civil_of_micros(v.i * DAY);
        break;
    case TN_DATETIME:
        c = tn_civil_of_micros(v.i);
        break;
    case TN_TIME:
        c = tn_civil_of_micros(v.i + tn_days_from_civil(1900, 1, 1) * DAY);
        break;
    default:
        return tn_fail(
            err, TN_E_TYPE, "cannot format a value of type '%s' as a date", tn_val_type_name(v));
    }
    format_with(b, fmt, v, &c, 0);
    return TN_OK;
}

/* ---- strptime ---- */
typedef struct reading {
    tn_civil c;
    int yearday;  /* 0: not given */
    int weekday;  /* -1: not given; Monday = 0 */
    int week;     /* -1: not given */
    bool monday;  /* the week is counted from Mondays (%W) */
    int iso_year; /* 0: not given */
    int iso_week; /* 0: not given */
    int pm;       /* -1: not given */
    bool hour_is_12;
    bool has_zone;
    bool zone_named;
    int offset_s;
} reading;

typedef struct matcher {
    tn_str fmt;
    tn_str text;
    reading r;
    char bad; /* an unknown directive */
} matcher;

static size_t match_from(matcher *m, size_t f, size_t t);

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The longest of n names that the text starts with, without regard of case; -1: none. */
static int match_name(tn_str text, const char *const *names, int n, size_t cut, size_t *ret_len)
{
    int best = -1;
    *ret_len = 0;
    for (int i = 0; i < n; i++) {
        size_t len = cut ? cut : strlen(names[i]);
        if (len > *ret_len && text.n >= len &&
            tn_str_eq_nocase(tn_str_n(text.p, len), tn_str_n(names[i], len))) {
            best = i;
            *ret_len = len;
        }
    }
    return best;
}

typedef struct number_rule {
    char c;
    int min_width, max_width, lo, hi;
} number_rule;
static const number_rule NUMBERS[] = {
    { 'd', 1, 2, 1, 31 },
    { 'f', 1, 6, 0, 999999 },
    { 'H', 1, 2, 0, 23 },
    { 'I', 1, 2, 1, 12 },
    { 'j', 1, 3, 1, 366 },
    { 'm', 1, 2, 1, 12 },
    { 'M', 1, 2, 0, 59 },
    { 'S', 1, 2, 0, 61 },
    { 'U', 1, 2, 0, 53 },
    { 'W', 1, 2, 0, 53 },
    { 'V', 1, 2, 0, 53 },
    { 'w', 1, 1, 0, 6 },
    { 'u', 1, 1, 1, 7 },
    { 'y', 2, 2, 0, 99 },
    { 'Y', 4, 4, 0, 9999 },
    { 'G', 4, 4, 0, 9999 },
};

static void store_number(reading *r, char c, int value, int width)
{
    switch (c) {
    case 'd':
        r->c.day = value;
        break;
    case 'f':
        for (; width < 6; width++) {
            value *= 10;
        }
        r->c.micro = value;
        break;
    case 'H':
    case 'I':
        r->c.hour = value;
        r->hour_is_12 = c == 'I';
        break;
    case 'j':
        r->yearday = value;
        break;
    case 'm':
        r->c.month = value;
        break;
    case 'M':
        r->c.minute = value;
        break;
    case 'S':
        r->c.second = value;
        break;
    case 'U':
    case 'W':
        r->week = value;
        r->monday = c == 'W';
        break;
    case 'V':
        r->iso_week = value;
        break;
    case 'w':
        r->weekday = value == 0 ? 6 : value - 1;
        break;
    case 'u':
        r->weekday = value - 1;
        break;
    case 'y':
        r->c.year = value + (value <= 68 ? 2000 : 1900);
        break;
    case 'Y':
        r->c.year = value;
        break;
    default:
        r->iso_year = value;
        break;
    }
}

static size_t match_number(matcher *m, const number_rule *rule, size_t f, size_t t)
{
    for (int width = rule->max_width; width >= rule->min_width; width--) {
        int value = 0, i = 0;
        bool good = t + (size_t)width <= m->text.n;
        for (; good && i < width; i++) {
            char ch = m->text.p[t + (size_t)i];
            bool blank = rule->c == 'd' && i == 0 && width == 2 && ch == ' ';
            good = blank || (ch >= '0' && ch <= '9');
            value = value * 10 + (blank ? 0 : ch - '0');
        }
        if (!good || value < rule->lo || value > rule->hi) {
            continue;
        }
        reading before = m->r;
        store_number(&m->r, rule->c, value, width);
        size_t end = match_from(m, f, t + (size_t)width);
        if (end != SIZE_MAX) {
            return end;
        }
        m->r = before;
    }
    return SIZE_MAX;
}

static bool two_digits(tn_str s, size_t at, int hi, int *ret)
{
    if (at + 2 > s.n || s.p[at] < '0' || s.p[at] > '9' || s.p[at + 1] < '0' || s.p[at + 1] > '9') {
        return false;
    }
    *ret = (s.p[at] - '0') * 10 + s.p[at + 1] - '0';
    return *ret <= hi;
}

/* %z: Z, +hhmm, +hh:mm, each with seconds. */
static size_t match_offset(matcher *m, size_t f, size_t t)
{
    tn_str s = m->text;
    if (t < s.n && s.p[t] == 'Z') {
        m->r.has_zone = true;
        m->r.offset_s = 0;
        return match_from(m, f, t + 1);
    }
    int h = 0, min = 0, sec = 0;
    if (t >= s.n || (s.p[t] != '+' && s.p[t] != '-') || !two_digits(s, t + 1, 23, &h)) {
        return SIZE_MAX;
    }
    size_t at = t + 3;
    bool colon = at < s.n && s.p[at] == ':';
    at += colon ? 1 : 0;
    if (!two_digits(s, at, 59, &min)) {
        return SIZE_MAX;
    }
    at += 2;
    if (two_digits(s, at + (colon ? 1 : 0), 59, &sec) && (!colon || s.p[at] == ':')) {
        at += colon ? 3 : 2;
    } else {
        sec = 0;
    }
    m->r.has_zone = true;
    m->r.offset_s = (h * 3600 + min * 60 + sec) * (s.p[t] == '-' ? -1 : 1);
    return match_from(m, f, at);
}

static size_t match_word(matcher *m, char c, size_t f, size_t t)
{
    static const char *const am_pm[] = { "AM", "PM" };
    static const char *const zones[] = { "UTC", "GMT" };
    tn_str rest = tn_str_sub(m->text, t, m->text.n);
    size_t len = 0;
    int found = -1;
    switch (c) {
    case 'a':
    case 'A':
        found = match_name(rest, DAYS, 7, c == 'a' ? 3 : 0, &len);
        m->r.weekday = found;
        break;
    case 'b':
    case 'B':
        found = match_name(rest, MONTHS, 12, c == 'b' ? 3 : 0, &len);
        m->r.c.month = found + 1;
        break;
    case 'p':
        found = match_name(rest, am_pm, 2, 0, &len);
        m->r.pm = found;
        break;
    default:
        found = match_name(rest, zones, 2, 0, &len);
        break;
    }
    return found < 0 ? SIZE_MAX : match_from(m, f, t + len);
}

static size_t match_directive(matcher *m, char c, size_t f, size_t t)
{
    for (size_t i = 0; i < TN_COUNTOF(NUMBERS); i++) {
        if (NUMBERS[i].c == c) {
            return match_number(m, &NUMBERS[i], f, t);
        }
    }
    switch (c) {
    case 'a':
    case 'A':
    case 'b':
    case 'B':
    case 'p':
    case 'Z':
        return match_word(m, c, f, t);
    case 'z':
        return match_offset(m, f, t);
    case '%':
        return t < m->text.n && m->text.p[t] == '%' ? match_from(m, f, t + 1) : SIZE_MAX;
    default:
        m->bad = c;
        return SIZE_MAX;
    }
}

/* The end of the text that the format from f on takes from t on, or SIZE_MAX. */
static size_t match_from(matcher *m, size_t f, size_t t)
{
    while (f < m->fmt.n) {
        char c = m->fmt.p[f];
        if (is_space(c)) {
            if (t >= m->text.n || !is_space(m->text.p[t])) {
                return SIZE_MAX;
            }
            while (f < m->fmt.n && is_space(m->fmt.p[f])) {
                f++;
            }
            while (t < m->text.n && is_space(m->text.p[t])) {
                t++;
            }
        } else if (c == '%') {
            if (f + 1 >= m->fmt.n) {
                m->bad = '%';
                return SIZE_MAX;
            }
            return match_directive(m, m->fmt.p[f + 1], f + 2, t);
        } else {
            char a = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
            char b = t < m->text.n ? m->text.p[t] : 0;
            b = b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
            if (t >= m->text.n || a != b) {
                return SIZE_MAX;
            }
            f++;
            t++;
        }
    }
    return t;
}

/* %c, %x and %X stand for their parts, as in the C locale. */
static void expand(tn_buf *b, tn_str fmt)
{
    for (size_t i = 0; i < fmt.n; i++) {
        if (fmt.p[i] == '%' && i + 1 < fmt.n) {
            char c = fmt.p[++i];
            const char *parts = c == 'c' || c == 'x' || c == 'X' ? combined(c) : NULL;
            if (parts != NULL) {
                for (const char *p = parts; *p != 0; p++) {
                    tn_buf_addc(b, *p == 'e' && p[-1] == '%' ? 'd' : *p);
                }
            } else {
                tn_buf_addc(b, '%');
                tn_buf_addc(b, c);
            }
        } else {
            tn_buf_addc(b, fmt.p[i]);
        }
    }
}

/* Month and day from what else was given: the day of the year, or a week and a weekday. */
static void settle_day(reading *r)
{
    int64_t days = -1;
    bool found = false;
    if (r->yearday > 0) {
        days = tn_days_from_civil(r->c.year, 1, 1) + r->yearday - 1;
        found = true;
    } else if (r->week >= 0 && r->weekday >= 0) {
        int64_t first = tn_days_from_civil(r->c.year, 1, 1);
        tn_civil c = tn_civil_of_micros(first * DAY);
        int start = r->monday ? c.weekday : (c.weekday + 1) % 7;
        int want = r->monday ? r->weekday : (r->weekday + 1) % 7;
        days = first + (r->week * 7) - start + want + (start == 0 ? -7 : 0);
        found = true;
    } else if (r->iso_year > 0 && r->iso_week > 0 && r->weekday >= 0) {
        int64_t fourth = tn_days_from_civil(r->iso_year, 1, 4);
        tn_civil c = tn_civil_of_micros(fourth * DAY);
        days = fourth - c.weekday + (r->iso_week - 1) * 7 + r->weekday;
        found = true;
    }
    if (found) {
        tn_civil c = tn_civil_of_micros(days * DAY);
        r->c.year = c.year;
        r->c.month = c.month;
        r->c.day = c.day;
    }
}

static void settle_hour(reading *r)
{
    if (r->hour_is_12 && r->pm >= 0) {
        r->c.hour = r->c.hour % 12 + (r->pm == 1 ? 12 : 0);
    }
}

tn_rc tn_strptime(tn_str text, tn_str fmt, tn_val *ret_datetime, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("strptime", NULL);
    tn_buf full = tn_buf_init(a, 1 << 16);
    expand(&full, fmt);
    matcher m = { .fmt = tn_buf_str(&full), .text = text };
    m.r = (reading){
        .c = { .year = 1900, .month = 1, .day = 1 }, .weekday = -1, .week = -1, .pm = -1
    };
    size_t end = match_from(&m, 0, 0);
    if (end == SIZE_MAX) {
        if (m.bad != 0) {
            return tn_fail(err, TN_E_VALUE, "'%c' is a bad directive in format '" TN_STR_FMT "'",
                m.bad, TN_STR_ARG(fmt));
        }
        return tn_fail(err, TN_E_VALUE,
            "time data '" TN_STR_FMT "' does not match format '" TN_STR_FMT "'", TN_STR_ARG(text),
            TN_STR_ARG(fmt));
    }
    if (end != text.n) {
        tn_str rest = tn_str_sub(text, end, text.n);
        return tn_fail(err, TN_E_VALUE, "unconverted data remains: " TN_STR_FMT, TN_STR_ARG(rest));
    }
    settle_day(&m.r);
    settle_hour(&m.r);
    if (!tn_civil_valid(&m.r.c)) {
        bool day = m.r.c.day > tn_days_in_month(m.r.c.year, m.r.c.month);
        return tn_fail(err, TN_E_VALUE,
            m.r.c.year < 1 ? "year 0 is out of range"
            : day          ? "day is out of range for month"
                           : "second must be in 0..59");
    }
    *ret_datetime = (tn_val){ .tag = TN_DATETIME,
        .n = m.r.has_zone ? (uint32_t)(DAY_SECONDS + m.r.offset_s) : TN_ZONE_NAIVE,
        .i = tn_micros_of_civil(&m.r.c) };
    return TN_OK;
}
