/* timetext_driver.c: the dates of text/timetext.h for timetext_oracle.py. Standard input: one JSON array a line:
 * ["strftime", micros, format], ["strptime", text, format], ["iso", micros, zone or null], ["delta", micros],
 * ["week", days], ["parse", text]; standard output: the text, or "error". */
#include <stdio.h>

#include "text/json.h"
#include "text/timetext.h"

static tn_val datetime_of(tn_val micros, tn_val zone)
{
    uint32_t n = zone.tag == TN_INT ? (uint32_t)(86400 + zone.i) : TN_ZONE_NAIVE;
    return (tn_val){ .tag = TN_DATETIME, .i = micros.i, .n = n };
}

static tn_rc answer(tn_buf *b, const tn_val *v, tn_err *err)
{
    tn_str what = tn_val_as_str(v[0]);
    tn_val dt = TN_VAL_NONE;
    if (tn_str_is(what, "strftime")) {
        return tn_strftime(b, tn_val_as_str(v[2]), datetime_of(v[1], TN_VAL_NONE), err);
    }
    if (tn_str_is(what, "strptime")) {
        TN_TRY(tn_strptime(tn_val_as_str(v[1]), tn_val_as_str(v[2]), &dt, err));
        tn_py_datetime(b, dt, ' ');
    } else if (tn_str_is(what, "iso")) {
        tn_py_datetime(b, datetime_of(v[1], v[2]), 'T');
        tn_buf_addc(b, ' ');
        tn_py_repr_datetime(b, datetime_of(v[1], v[2]));
    } else if (tn_str_is(what, "delta")) {
        dt = (tn_val){ .tag = TN_DELTA, .i = v[1].i };
        tn_py_datetime(b, dt, ' ');
        tn_buf_addc(b, ' ');
        tn_py_repr_datetime(b, dt);
    } else if (tn_str_is(what, "week")) {
        int64_t year;
        int week, day;
        tn_iso_week(v[1].i, &year, &week, &day);
        tn_iso_date(b, v[1].i);
        tn_buf_addf(b, " %lld %d %d", (long long)year, week, day);
    } else {
        int64_t micros;
        bool has_zone;
        int offset;
        if (!tn_parse_timestamp(tn_val_as_str(v[1]), &micros, &has_zone, &offset)) {
            return TN_E_VALUE;
        }
        tn_buf_addf(b, "%lld %d %d", (long long)micros, has_zone, offset);
    }
    return TN_OK;
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    tn_arena *a = tn_arena_new("driver", NULL);
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0; tn_arena_reset(a)) {
        tn_val v;
        tn_err err = TN_ERR_INIT;
        tn_buf b = tn_buf_init(a, 1 << 20);
        if (tn_json_parse(a, tn_str_n(line, (size_t)n), &v, &err) != TN_OK || v.tag != TN_LIST ||
            v.list->n < 2) {
            return 2;
        }
        tn_rc rc = answer(&b, v.list->v, &err);
        tn_str s = rc == TN_OK ? tn_buf_str(&b) : TN_STR("error");
        printf(TN_STR_FMT "\n", TN_STR_ARG(s));
    }
    free(line);
    tn_arena_free(a);
    return 0;
}
