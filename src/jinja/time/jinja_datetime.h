/* jinja_datetime.h: between the classes of the module datetime and what their values can do; private to src/jinja. */
#ifndef TN_JINJA_TIME_JINJA_DATETIME_H
#define TN_JINJA_TIME_JINJA_DATETIME_H

#include "jinja/value/jinja_lib.h"
#include "text/timetext.h"

extern const tn_jlib_method tn_jdate_datetime_class[];
extern const tn_jlib_method tn_jdate_date_class[];
extern const tn_jlib_method tn_jdate_time_class[];
/* Python's ValueErrors for what is no date or time. */
tn_rc tn_jdate_check(const tn_civil *c, tn_err *err) TN_MUSTUSE;
/* An argument into a field that keeps its value when it is not given. */
tn_rc tn_jdate_field(
    const tn_call *c, size_t place, const char *name, int *field, tn_err *err) TN_MUSTUSE;
/* dt with the zone argument when it is given. */
tn_rc tn_jdate_zone(const tn_call *c, size_t place, const char *name, tn_val dt, tn_val *ret,
    tn_err *err) TN_MUSTUSE;

/* Attributes and methods of date, datetime, time and timedelta values. */
tn_rc tn_jlib_datetime_attr(
    tn_arena *a, tn_val v, tn_str name, tn_val *ret, tn_err *err) TN_MUSTUSE;

#endif
