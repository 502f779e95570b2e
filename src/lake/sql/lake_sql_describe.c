/* lake_sql_describe.c: DESCRIBE HISTORY and DESCRIBE DETAIL: what the log says of a table. */
#include "lake/sql/lake_session.h"
#include "text/json.h"

enum { TEXT_BYTES_MAX = 16 << 20 };

static tn_rc open_target(
    tn_lake_sql *s, const tn_sql_target *target, tn_delta_table **ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    bool there = false;
    TN_TRY(tn_lake_table_open(s->lake, target->at.location, &table, err));
    TN_TRY(tn_delta_table_exists(table, &there, err));
    if (!there) {
        return tn_fail(err, TN_E_NOTFOUND, "there is no Delta table '" TN_STR_FMT "'",
            TN_STR_ARG(target->shown));
    }
    *ret = TN_TAKE(table);
    return TN_OK;
}

static tn_val json_text(tn_arena *a, tn_val v)
{
    if (!tn_val_is_given(v)) {
        return TN_VAL_NONE;
    }
    tn_buf b = tn_buf_init(a, TEXT_BYTES_MAX);
    tn_json_style style = { 0 };
    tn_json_print(&b, v, &style);
    return tn_val_str(tn_buf_str(&b));
}

static tn_val plain(tn_val v)
{
    return tn_val_is_undef(v) ? TN_VAL_NONE : v;
}

static tn_val instant(tn_val ms)
{
    return ms.tag == TN_INT ? (tn_val){ .tag = TN_DATETIME, .n = TN_ZONE_UTC, .i = ms.i * 1000 }
                            : TN_VAL_NONE;
}

static tn_val names_of(tn_arena *a, const char *const *names, size_t n)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < n; i++) {
        tn_list_push(list.list, tn_val_z(names[i]));
    }
    return list;
}

static tn_rc history(tn_lake_sql *s, tn_arena *a, const tn_sql_target *target, size_t limit,
    tn_lake_sql_result *ret, tn_err *err)
{
    static const char *const names[] = { "version", "timestamp", "operation",
        "operation_parameters", "operation_metrics", "read_version", "is_blind_append",
        "engine_info" };
    static const char *const keys[] = { "version", "timestamp", "operation", "operationParameters",
        "operationMetrics", "readVersion", "isBlindAppend", "engineInfo" };
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_TRY(open_target(s, target, &table, err));
    tn_val entries;
    TN_TRY(tn_delta_history(table, a, limit, &entries, err));
    ret->list = tn_val_list(a);
    for (size_t i = 0; i < entries.list->n; i++) {
        tn_val row[TN_COUNTOF(keys)];
        for (size_t k = 0; k < TN_COUNTOF(keys); k++) {
            tn_val v = tn_val_at(entries.list->v[i], keys[k]);
            row[k] = k == 1 ? instant(v) : k == 3 || k == 4 ? json_text(a, v) : plain(v);
        }
        tn_list_push(ret->list.list, tn_val_tuple(a, row, TN_COUNTOF(keys)));
    }
    ret->names = names_of(a, names, TN_COUNTOF(names));
    ret->is_list = true;
    return TN_OK;
}

static tn_val strs(tn_arena *a, const tn_strs *v)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < v->n; i++) {
        tn_list_push(list.list, tn_val_str(tn_str_dup(a, v->v[i])));
    }
    return list;
}

static tn_rc detail(
    tn_lake_sql *s, tn_arena *a, const tn_sql_target *target, tn_lake_sql_result *ret, tn_err *err)
{
    static const char *const names[] = { "format", "id", "name", "description", "location",
        "version", "created_at", "last_modified", "partition_columns", "num_files", "size_in_bytes",
        "num_rows", "properties", "min_reader_version", "min_writer_version" };
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
    TN_TRY(open_target(s, target, &table, err));
    TN_TRY(tn_delta_snapshot_open(table, s->conn, TN_DELTA_LATEST, &snap, err));
    const tn_delta_meta *m = tn_delta_snapshot_meta(snap);
    const tn_delta_protocol *p = tn_delta_snapshot_protocol(snap);
    int64_t rows = tn_delta_snapshot_rows(snap);
    tn_val row[] = {
        tn_val_z("delta"),
        tn_val_str(tn_str_dup(a, m->id)),
        m->name.n > 0 ? tn_val_str(tn_str_dup(a, m->name)) : TN_VAL_NONE,
        m->description.n > 0 ? tn_val_str(tn_str_dup(a, m->description)) : TN_VAL_NONE,
        tn_val_str(target->at.location),
        tn_val_int(tn_delta_snapshot_version(snap)),
        m->created_ms == INT64_MIN ? TN_VAL_NONE : instant(tn_val_int(m->created_ms)),
        instant(tn_val_int(tn_delta_snapshot_timestamp_ms(snap))),
        json_text(a, strs(a, &m->partition_columns)),
        tn_val_int((int64_t)tn_delta_snapshot_file_count(snap)),
        tn_val_int(tn_delta_snapshot_bytes(snap)),
        rows < 0 ? TN_VAL_NONE : tn_val_int(rows),
        json_text(a, m->configuration),
        tn_val_int(p->reader),
        tn_val_int(p->writer),
    };
    ret->list = tn_val_list(a);
    tn_list_push(ret->list.list, tn_val_tuple(a, row, TN_COUNTOF(row)));
    ret->names = names_of(a, names, TN_COUNTOF(names));
    ret->is_list = true;
    return TN_OK;
}

/* DESCRIBE|DESC HISTORY|DETAIL [TABLE] name [LIMIT n] */
tn_rc tn_lake_sql_describe(tn_lake_sql *s, tn_arena *a, const tn_tokens *t, tn_lake_sql_result *ret,
    bool *ret_done, tn_err *err)
{
    bool desc = tn_token_is(t, 0, "describe") || tn_token_is(t, 0, "desc");
    bool of_history = desc && tn_token_is(t, 1, "history"),
         of_detail = desc && tn_token_is(t, 1, "detail");
    *ret_done = false;
    if ((!of_history && !of_detail) || !tn_token_is_name(t, 2)) {
        return TN_OK;
    }
    size_t at = 2 + (size_t)(tn_token_is(t, 2, "table") && tn_token_is_name(t, 3));
    tn_sql_target target;
    int64_t limit = 0;
    TN_TRY(tn_sql_target_at(s, a, t, &at, &target, err));
    if (target.local) {
        return tn_fail(err, TN_E_NOTFOUND, "there is no Delta table '" TN_STR_FMT "'",
            TN_STR_ARG(target.shown));
    }
    if (tn_token_is(t, at, "limit") &&
        (at + 1 >= t->n || !tn_str_to_i64(t->v[at + 1].text, &limit) || limit < 0)) {
        return tn_fail(err, TN_E_SYNTAX, "LIMIT needs a whole number");
    }
    *ret_done = true;
    return of_history ? history(s, a, &target, (size_t)limit, ret, err)
                      : detail(s, a, &target, ret, err);
}
