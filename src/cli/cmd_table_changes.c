/* cmd_table_changes.c: tarn table changes: the change data feed of a table, printed. */
#include <stdio.h>

#include "cli/cli_rows.h"
#include "cli/cli_table.h"
#include "delta/delta_changes.h"
#include "os/proc.h"
#include "text/timetext.h"

/* A version, or an instant. */
static tn_rc bound_of(
    const char *option, tn_str text, int64_t *ret_version, int64_t *ret_ms, tn_err *err)
{
    int64_t micros;
    bool zone;
    int offset;
    if (text.n == 0 || (tn_str_to_i64(text, ret_version) && *ret_version >= 0)) {
        return TN_OK;
    }
    if (!tn_parse_timestamp(text, &micros, &zone, &offset)) {
        return tn_fail(err, TN_E_USAGE,
            "%s is a version, or an instant like '2024-01-31 12:00:00' (UTC), not '" TN_STR_FMT "'",
            option, TN_STR_ARG(text));
    }
    *ret_version = -1;
    *ret_ms = micros / 1000;
    return TN_OK;
}

static tn_rc style_of(const tn_table_call *x, tn_rows_style *ret, tn_err *err)
{
    tn_rows_style style = { .header = true,
        .color = x->cli->color,
        .width = tn_is_terminal(1) ? tn_terminal_width(1) : 0 };
    tn_str word = x->o->format.n > 0 ? x->o->format : (x->json ? TN_STR("json") : TN_STR("table"));
    if (!tn_rows_format_of(word, &style.format) || style.format >= TN_ROWS_PARQUET) {
        tn_rc rc =
            tn_fail(err, TN_E_USAGE, "--format cannot be '" TN_STR_FMT "' here", TN_STR_ARG(word));
        return tn_hint(err, rc,
            "table, csv, json or ndjson; for files: tarn sql -o f.parquet \"FROM "
            "table_changes(..)\"");
    }
    *ret = style;
    return TN_OK;
}

tn_rc tn_table_changes(tn_table_call *x, tn_str location, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_delta_changes_range r = TN_DELTA_CHANGES_RANGE_INIT;
    tn_rows_style style;
    tn_str sql;
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_TRY(style_of(x, &style, err));
    if (x->o->from.n == 0) {
        return tn_fail(err, TN_E_USAGE, "changes needs --from, a version or an instant");
    }
    TN_TRY(bound_of("--from", x->o->from, &r.from, &r.from_ms, err));
    TN_TRY(bound_of("--to", x->o->to, &r.to, &r.to_ms, err));
    TN_TRY(tn_lake_table_open(x->lake, location, &table, err));
    TN_TRY(tn_delta_changes_sql(table, x->conn, a, &r, &sql, err));
    TN_AUTOPTR(tn_result) res = NULL;
    TN_TRY(tn_conn_stream(x->conn,
        tn_str_printf(
            a, "SELECT * FROM (" TN_STR_FMT "\n) ORDER BY _commit_version", TN_STR_ARG(sql)),
        &res, err));
    tn_rows rows = { .result = res };
    return tn_rows_print(&rows, &style, stdout, NULL, err);
}
