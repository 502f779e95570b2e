/* timetext.h: dates and times as text; days and microseconds since 1970-01-01, proleptic Gregorian, no leap seconds. */
#ifndef TN_TEXT_TIMETEXT_H
#define TN_TEXT_TIMETEXT_H

#include "base/val.h"

typedef struct tn_civil {
    int year, month, day, hour, minute, second, micro; /* month and day from 1 */
    int weekday;                                       /* Monday = 0 */
    int yearday;                                       /* from 1 */
} tn_civil;

int64_t tn_days_from_civil(int64_t year, int month, int day);
tn_civil tn_civil_of_micros(int64_t micros);
int64_t tn_micros_of_civil(const tn_civil *c);
bool tn_civil_valid(const tn_civil *c);
int tn_days_in_month(int64_t year, int month);

void tn_iso_date(tn_buf *b, int64_t days); /* 2024-01-31 */
void tn_iso_micros(tn_buf *b, int64_t micros, int digits, char sep,
    const char *suffix); /* 2024-01-31T00:00:00.123456Z */
void tn_py_datetime(
    tn_buf *b, tn_val v, char sep); /* str()/isoformat() of date, datetime, time, timedelta */
void tn_py_repr_datetime(tn_buf *b, tn_val v); /* datetime.date(2024, 1, 31) ... */
/* Accepts dates, 'T' or blank, fractions to 9 digits (cut to 6), Z or +hh[:mm]; result UTC when a zone is there. */
bool tn_parse_timestamp(tn_str s, int64_t *ret_micros, bool *ret_has_zone, int *ret_offset_s);
bool tn_parse_date(tn_str s, int64_t *ret_days); /* YYYY-MM-DD */
tn_rc tn_strftime(
    tn_buf *b, tn_str fmt, tn_val v, tn_err *err) TN_MUSTUSE; /* C/Python directives, C locale */
tn_rc tn_strptime(tn_str text, tn_str fmt, tn_val *ret_datetime, tn_err *err) TN_MUSTUSE;

/* ISO 8601 weeks: the year that the week belongs to, the week from 1, the weekday from 1 (Monday). */
void tn_iso_week(int64_t days, int64_t *ret_year, int *ret_week, int *ret_weekday);
/* A TN_DATETIME may carry the abbreviation of its zone ("EST") in .aux, so that %Z can print it: 0 is none (then %Z prints
 * UTC or UTC+hh:mm), else an id of a fixed table. An unknown abbreviation has id 0. */
uint16_t tn_zone_abbrev_id(tn_str abbrev);
/* What %Z prints for a datetime, "" when it is naive. */
void tn_zone_name(tn_buf *b, tn_val datetime);

#endif
