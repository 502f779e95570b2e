/* jinja_tz.h: time zones from the system's zone files, and the values that templates hold of them; private to src/jinja.
 *
 * A datetime value keeps its offset and its zone's abbreviation only; the zone with its rules is an object of its own
 * (pytz.timezone(..)), as localize, normalize and astimezone need it. Seconds are since 1970-01-01 UTC unless they say local. */
#ifndef TN_JINJA_TIME_JINJA_TZ_H
#define TN_JINJA_TIME_JINJA_TZ_H

#include "jinja/value/jinja_lib.h"

typedef struct tn_tz tn_tz;
typedef struct tn_tz_type {
    int32_t offset_s; /* east of UTC */
    bool dst;
    char abbrev[12];
} tn_tz_type;

/* NULL: no such zone on this machine. Lives in the arena. */
tn_tz *tn_tz_open(tn_arena *a, tn_str name);
tn_tz *tn_tz_local(tn_arena *a); /* by TZ, else /etc/localtime, else NULL (UTC) */
tn_tz_type tn_tz_at(const tn_tz *tz, int64_t utc_s);
tn_tz_type tn_tz_first(const tn_tz *tz); /* before the first change: local mean time mostly */
/* pytz's localize. false: is_dst is none and the time is ambiguous or does not exist (*ret_exists tells which). */
bool tn_tz_of_local(
    const tn_tz *tz, int64_t local_s, int is_dst, tn_tz_type *ret, bool *ret_exists);

/* ---- values ---- */
tn_val tn_tz_value_fixed(
    tn_arena *a, int32_t offset_s, tn_str name);     /* name empty: datetime.timezone's own */
tn_val tn_tz_value_of(tn_arena *a, tn_val datetime); /* dt.tzinfo */
bool tn_tz_is_value(tn_val v);
/* The datetime with that zone put on its wall clock (replace(tzinfo=)). zone: a zone value or none. */
tn_rc tn_tz_attach(tn_val zone, tn_val dt, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* The moment (microseconds UTC) in that zone. */
tn_val tn_tz_convert(tn_val zone, int64_t utc_micros);
int64_t tn_tz_utc_micros(
    tn_arena *a, tn_val datetime); /* a naive one is taken as local time of this machine */
int64_t tn_tz_now_micros(void);
tn_val tn_tz_local_datetime(tn_arena *a, int64_t utc_micros); /* naive, on this machine's clock */

#endif
