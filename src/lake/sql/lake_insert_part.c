/* lake_insert_part.c: which part of a table an INSERT writes or replaces.
 *
 *   PARTITION (p = value, q)    behind the table's name: columns with a value are not in the query. With OVERWRITE rows of these values are
 *                               replaced; a name without value means the partitions that the query's rows have
 *   REPLACE WHERE predicate     behind the columns: the rows for which it is true are replaced; ends where the query begins
 */
#include "lake/sql/lake_session.h"
#include "text/sqltext.h"

enum { PART_BYTES_MAX = 16 << 20 };

static tn_rc unexpected(const tn_tokens *t, size_t at, const char *wanted, tn_err *err)
{
    return at < t->n ? tn_fail(err, TN_E_SYNTAX, "%s is expected at '" TN_STR_FMT "'", wanted,
                           TN_STR_ARG(t->v[at].text))
                     : tn_fail(err, TN_E_SYNTAX, "the statement ends where %s is expected", wanted);
}

static tn_str between(const tn_tokens *t, size_t from, size_t to)
{
    const tn_token *last = &t->v[to - 1];
    return tn_str_n(t->v[from].text.p, (size_t)(last->text.p + last->text.n - t->v[from].text.p));
}

/* The next comma outside of parentheses, or `to`. */
static size_t comma(const tn_tokens *t, size_t i, size_t to)
{
    while (i < to && !tn_token_is(t, i, ",")) {
        size_t close = tn_token_is(t, i, "(") ? tn_token_close(t, i) : i;
        i = (close == SIZE_MAX ? to : close) + 1;
    }
    return i < to ? i : to;
}

static void add_condition(tn_buf *b, tn_str name, tn_str value)
{
    tn_buf_addz(b, b->n > 0 ? " AND " : "");
    tn_sql_ident(b, name);
    tn_buf_addf(b, " IS NOT DISTINCT FROM (" TN_STR_FMT ")", TN_STR_ARG(value));
}

tn_rc tn_sql_take_partition(
    tn_arena *a, const tn_tokens *t, size_t *at, tn_sql_part *ret, tn_err *err)
{
    if (!tn_token_is(t, *at, "partition")) {
        return TN_OK;
    }
    size_t i = *at + 1, close = tn_token_is(t, i, "(") ? tn_token_close(t, i) : SIZE_MAX;
    if (close == SIZE_MAX || close == i + 1) {
        return unexpected(t, i, "(column = value, ..)", err);
    }
    tn_sql_part out = { .dynamic = false };
    tn_buf where = tn_buf_init(a, PART_BYTES_MAX);
    for (i++; i < close; i++) {
        size_t end = comma(t, i, close);
        if (!tn_token_is_name(t, i) || end + 1 == close) {
            return unexpected(t, i, "a column", err);
        }
        tn_str name = tn_token_value(a, &t->v[i]);
        if (end == i + 1) {
            out.dynamic = true;
        } else if (tn_token_is(t, i + 1, "=") && end > i + 2) {
            tn_str value = between(t, i + 2, end);
            tn_vec_push(&out.names, a, name);
            tn_vec_push(&out.values, a, value);
            add_condition(&where, name, value);
        } else {
            return unexpected(t, i + 1, "= value", err);
        }
        i = end;
    }
    TN_TRY(tn_buf_finish(&where, "a partition", &out.where, err));
    *at = close + 1;
    *ret = out;
    return TN_OK;
}

static bool begins_query(const tn_tokens *t, size_t i)
{
    static const char *const WORDS[] = { "select", "with", "values", "table", "from" };
    for (size_t k = 0; k < TN_COUNTOF(WORDS); k++) {
        if (tn_token_is(t, i, WORDS[k])) {
            return !tn_token_is(t, i, "from") || !tn_token_is(t, i - 1, "distinct");
        }
    }
    return false;
}

tn_rc tn_sql_take_replace(const tn_tokens *t, size_t *at, tn_sql_part *part, tn_err *err)
{
    if (!tn_token_are(t, *at, "replace where")) {
        return TN_OK;
    }
    if (part->names.n > 0 || part->dynamic) {
        return tn_fail(
            err, TN_E_SYNTAX, "PARTITION and REPLACE WHERE both say what is replaced: give one");
    }
    size_t from = *at + 2, i = from;
    while (i < t->n && !begins_query(t, i)) {
        size_t close = tn_token_is(t, i, "(") ? tn_token_close(t, i) : i;
        i = close == SIZE_MAX ? t->n : close + 1;
    }
    if (i == from || i >= t->n) {
        return unexpected(
            t, i == from ? from : t->n, i == from ? "a predicate" : "a query or VALUES", err);
    }
    part->where = between(t, from, i);
    part->replace = true;
    *at = i;
    return TN_OK;
}

const tn_str *tn_sql_part_value(const tn_sql_part *part, tn_str column)
{
    for (size_t i = 0; i < part->names.n; i++) {
        if (tn_str_eq_nocase(part->names.v[i], column)) {
            return &part->values.v[i];
        }
    }
    return NULL;
}

void tn_sql_part_options(const tn_sql_part *part, bool overwrite, tn_delta_write_opts *opts)
{
    opts->mode = overwrite || part->replace ? TN_DELTA_OVERWRITE : TN_DELTA_APPEND;
    if (opts->mode == TN_DELTA_OVERWRITE) {
        opts->dynamic_partitions = part->dynamic;
        opts->replace_where = part->dynamic ? TN_STR_NONE : part->where;
    }
}
