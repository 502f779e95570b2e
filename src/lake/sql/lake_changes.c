/* lake_changes.c: table_changes(..) in a statement becomes the SELECT of a table's change data feed.
 *
 *   table_changes('schema.table' | 'delta."/path"' | schema.table | delta."/path", from [, to])
 *   table_changes_by_path('/path or URL', from [, to])
 *
 * from and to are versions, or instants as texts; both are included. Without `to` a relation is told up to the version that the environment
 * pins, anything else up to its newest.
 */
#include "delta/delta_changes.h"
#include "lake/sql/lake_session.h"
#include "text/timetext.h"

enum { CALL_BYTES_MAX = 256 << 20 };

bool tn_sql_is_changes(const tn_tokens *t, size_t i)
{
    bool member = i > 0 && tn_token_is(t, i - 1, ".");
    return !member && tn_token_is(t, i + 1, "(") &&
           (tn_token_is(t, i, "table_changes") || tn_token_is(t, i, "table_changes_by_path"));
}

/* Inside a text a name is looked for as it would be outside; a path is one that has a slash. */
static tn_rc named_in_text(
    tn_lake_sql *s, tn_arena *a, tn_str text, bool path, tn_sql_target *ret, tn_err *err)
{
    tn_tokens inside;
    size_t at = 0;
    bool place = path || (tn_str_find_char(text, '/', 0) != SIZE_MAX &&
                             !tn_str_starts(text, TN_STR("delta.")));
    if (place) {
        text = tn_str_printf(a, "delta.\"" TN_STR_FMT "\"",
            TN_STR_ARG(tn_str_replace(a, text, TN_STR("\""), TN_STR("\"\""))));
    }
    TN_TRY(tn_sql_tokens(a, text, &inside, err));
    TN_TRY(tn_sql_target_at(s, a, &inside, &at, ret, err));
    return at == inside.n ? TN_OK
                          : tn_fail(err, TN_E_SYNTAX, "'" TN_STR_FMT "' is not the name of a table",
                                TN_STR_ARG(text));
}

static tn_rc take_table(tn_lake_sql *s, tn_arena *a, const tn_tokens *t, size_t *at, bool path,
    tn_sql_target *ret, tn_err *err)
{
    if (*at < t->n && t->v[*at].kind == TN_TOKEN_STRING) {
        tn_str text = tn_token_value(a, &t->v[(*at)++]);
        TN_TRY(named_in_text(s, a, text, path, ret, err));
    } else {
        TN_TRY(tn_sql_target_at(s, a, t, at, ret, err));
    }
    if (ret->local || (ret->at.pin != NULL && ret->at.pin->kind != TN_PIN_DELTA)) {
        tn_rc rc = tn_fail(err, TN_E_NOTFOUND, "'" TN_STR_FMT "' is no Delta table of the lake",
            TN_STR_ARG(ret->shown));
        return tn_hint(
            err, rc, "table_changes('schema.table', from, to), or table_changes_by_path");
    }
    return TN_OK;
}

/* ", 3" or ", '2024-01-01'", up to the comma or `close`. */
static tn_rc take_bound(tn_arena *a, const tn_tokens *t, size_t *at, size_t close,
    int64_t *ret_version, int64_t *ret_ms, tn_err *err)
{
    size_t i = *at + 1;
    i += tn_token_is(t, i, "timestamp") || tn_token_is(t, i, "timestamptz") ? 1 : 0;
    int64_t micros;
    bool zone;
    int offset;
    bool last = i + 1 == close || tn_token_is(t, i + 1, ",");
    if (!tn_token_is(t, *at, ",") || i >= close || !last) {
        return tn_fail(err, TN_E_SYNTAX,
            "table_changes(table, from [, to]): versions, or instants as texts, are expected");
    }
    if (t->v[i].kind == TN_TOKEN_STRING &&
        tn_parse_timestamp(tn_token_value(a, &t->v[i]), &micros, &zone, &offset)) {
        *ret_ms = micros / 1000;
    } else if (!tn_str_to_i64(t->v[i].text, ret_version) || *ret_version < 0) {
        return tn_fail(err, TN_E_SYNTAX,
            "'" TN_STR_FMT "' is neither a version nor an instant like '2024-01-31 12:00:00'",
            TN_STR_ARG(t->v[i].text));
    }
    *at = i + 1;
    return TN_OK;
}

tn_rc tn_sql_changes(
    tn_lake_sql *s, tn_arena *a, const tn_tokens *t, size_t *at, tn_str *ret, tn_err *err)
{
    bool path = tn_token_is(t, *at, "table_changes_by_path");
    size_t close = tn_token_close(t, *at + 1), i = *at + 2;
    tn_delta_changes_range r = TN_DELTA_CHANGES_RANGE_INIT;
    tn_sql_target target;
    TN_AUTOPTR(tn_delta_table) table = NULL;
    if (close == SIZE_MAX) {
        return tn_fail(err, TN_E_SYNTAX, "table_changes( is not closed");
    }
    TN_TRY(take_table(s, a, t, &i, path, &target, err));
    TN_TRY(take_bound(a, t, &i, close, &r.from, &r.from_ms, err));
    if (i < close) {
        TN_TRY(take_bound(a, t, &i, close, &r.to, &r.to_ms, err));
    } else if (target.at.pin != NULL && target.at.pin->version >= 0) {
        r.to = target.at.pin->version;
    }
    if (i != close) {
        return tn_fail(err, TN_E_SYNTAX, "table_changes takes a table, from and to");
    }
    tn_str sql;
    TN_TRY(tn_lake_table_open(s->lake, target.at.location, &table, err));
    TN_TRY(tn_delta_changes_sql(table, s->conn, a, &r, &sql, err));
    tn_buf b = tn_buf_init(a, CALL_BYTES_MAX);
    tn_buf_addf(&b, "(" TN_STR_FMT "\n)", TN_STR_ARG(sql));
    *at = close + 1;
    return tn_buf_finish(&b, "the changes of a table", ret, err);
}
