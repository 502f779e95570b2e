/* lake_dml.c: UPDATE, DELETE, TRUNCATE and MERGE of a lake's Delta tables and of places.
 *
 *   UPDATE t [[AS] a] SET c = e, ... [FROM source [[AS] s [(names)]]] [WHERE cond]
 *   DELETE FROM t [[AS] a] [USING source [[AS] s [(names)]]] [WHERE cond]                 TRUNCATE [TABLE] t
 *   MERGE [WITH SCHEMA EVOLUTION] INTO t [[AS] a] USING source [[AS] s [(names)]] ON cond | USING (columns)
 *     WHEN MATCHED [AND cond] THEN UPDATE SET * | UPDATE SET c = e, ... | DELETE | DO NOTHING
 *     WHEN NOT MATCHED [BY TARGET] [AND cond] THEN INSERT * | INSERT (c, ...) VALUES (e, ...) | DO NOTHING
 *     WHEN NOT MATCHED BY SOURCE [AND cond] THEN UPDATE SET c = e, ... | DELETE | DO NOTHING
 *
 * Only the words between the parts are read here; conditions, values and the source stay text, and DuckDB parses them. A word counts
 * where no parenthesis, bracket or CASE is open.
 */
#include "delta/delta_dml.h"
#include "lake/sql/lake_session.h"
#include "text/sqltext.h"

enum { SQL_BYTES_MAX = 256 << 20 };

typedef struct dml {
    tn_lake_sql *s;
    tn_arena *a;
    tn_sql_target target;
    tn_str alias;
    tn_str text; /* the statement behind the target, with the names of the lake replaced */
    tn_tokens t; /* of text */
    size_t at;
    bool evolve; /* WITH SCHEMA EVOLUTION */
    tn_lake_sql_result *ret;
} dml;

/* ---- parts ---- */

/* The next of these words from i on, outside of everything that opens and closes; `to` when there is none. */
static size_t find_word(const tn_tokens *t, size_t i, size_t to, const char *const *words)
{
    static const char *const OPEN[] = { "(", "[", "{", "case", NULL };
    static const char *const CLOSE[] = { ")", "]", "}", "end", NULL };
    int depth = 0;
    for (; i < to; i++) {
        bool member = i > 0 && tn_token_is(t, i - 1, ".");
        if (depth == 0 && !member && tn_token_is_any(t, i, words)) {
            return i;
        }
        depth += !member && tn_token_is_any(t, i, OPEN);
        depth -= !member && depth > 0 && tn_token_is_any(t, i, CLOSE);
    }
    return to;
}

static tn_str slice(const tn_tokens *t, size_t from, size_t to)
{
    if (from >= to) {
        return TN_STR_NONE;
    }
    const tn_token *last = &t->v[to - 1];
    return tn_str_n(t->v[from].text.p, (size_t)(last->text.p + last->text.n - t->v[from].text.p));
}

static tn_rc unexpected(const dml *d, const char *wanted, tn_err *err)
{
    if (d->at >= d->t.n) {
        return tn_fail(err, TN_E_SYNTAX, "the statement ends where %s is expected", wanted);
    }
    return tn_fail(err, TN_E_SYNTAX, "%s is expected at '" TN_STR_FMT "'", wanted,
        TN_STR_ARG(d->t.v[d->at].text));
}

static bool take(dml *d, const char *word)
{
    bool there = tn_token_is(&d->t, d->at, word);
    d->at += there;
    return there;
}

/* [AS] name, unless one of the words stands there. */
static tn_str take_alias(dml *d, const char *const *stop)
{
    bool as = take(d, "as");
    if (!tn_token_is_name(&d->t, d->at) || (!as && tn_token_is_any(&d->t, d->at, stop))) {
        return TN_STR_NONE;
    }
    return tn_token_value(d->a, &d->t.v[d->at++]);
}

/* [a.]column = value, ... in [d->at, to). */
static tn_rc take_sets(dml *d, size_t to, tn_delta_sets *ret, tn_err *err)
{
    static const char *const COMMA[] = { ",", NULL };
    tn_delta_sets out = { 0 };
    while (d->at < to) {
        tn_strs parts = { 0 };
        size_t end = find_word(&d->t, d->at, to, COMMA);
        if (!tn_token_dotted(d->a, &d->t, &d->at, &parts) || !take(d, "=") || d->at >= end) {
            return unexpected(d, "column = value", err);
        }
        bool qualified = parts.n == 2 && tn_str_eq_nocase(parts.v[0], d->alias);
        if (parts.n > 1 && !qualified) {
            tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
                "'" TN_STR_FMT "." TN_STR_FMT "' cannot be set: only whole columns can",
                TN_STR_ARG(parts.v[0]), TN_STR_ARG(parts.v[1]));
            return tn_hint(
                err, rc, "set the column to a new struct: struct_update(s, field := value)");
        }
        tn_delta_set set = { .column = parts.v[parts.n - 1], .value = slice(&d->t, d->at, end) };
        tn_vec_push(&out, d->a, set);
        d->at = end + 1;
    }
    if (out.n == 0 || d->at == to) { /* nothing, or a comma at the end */
        return unexpected(d, "column = value", err);
    }
    d->at = to;
    *ret = out;
    return TN_OK;
}

static tn_rc refuse_word(const dml *d, const char *word, const char *hint, tn_err *err)
{
    tn_rc rc =
        tn_fail(err, TN_E_UNSUPPORTED, "%s is not possible with the Delta table '" TN_STR_FMT "'",
            word, TN_STR_ARG(d->target.shown));
    return tn_hint(err, rc, "%s", hint);
}

/* [WHERE cond] up to the end. */
static tn_rc take_where(dml *d, tn_str *ret, tn_err *err)
{
    static const char *const RETURNING[] = { "returning", NULL };
    if (find_word(&d->t, d->at, d->t.n, RETURNING) < d->t.n) {
        return refuse_word(
            d, "RETURNING", "ask for the rows before, or look at the table after", err);
    }
    if (d->at >= d->t.n) {
        *ret = TN_STR_NONE;
        return TN_OK;
    }
    if (!take(d, "where") || d->at >= d->t.n) {
        return unexpected(d, "WHERE and a condition", err);
    }
    *ret = slice(&d->t, d->at, d->t.n);
    return TN_OK;
}

/* ---- running ---- */

static tn_rc open_table(dml *d, tn_delta_table **ret, tn_err *err)
{
    if (d->target.at.pin != NULL && d->target.at.pin->kind != TN_PIN_DELTA) {
        return tn_fail(err, TN_E_SQL,
            "'" TN_STR_FMT "' is no Delta table: its rows cannot be changed",
            TN_STR_ARG(d->target.shown));
    }
    tn_lake_place *at = &d->target.at;
    if (at->schema.n > 0 && !d->s->opts.no_publish) {
        tn_lake_own own = { d->s->opts.env, at->pin, at->schema, at->name, true };
        TN_TRY(tn_lake_own_place(d->s->lake, d->a, d->s->conn, &own, &at->location, err));
    }
    return tn_lake_table_open(d->s->lake, at->location, ret, err);
}

static tn_rc finish(dml *d, const tn_delta_dml_result *r, const char *did, tn_str note, tn_err *err)
{
    if (!r->changed) {
        d->ret->note = tn_str_printf(d->a, "no row of " TN_STR_FMT " to change, version stays %lld",
            TN_STR_ARG(d->target.shown), (long long)r->version);
        return TN_OK;
    }
    d->ret->note =
        tn_str_printf(d->a, TN_STR_FMT ", version %lld", TN_STR_ARG(note), (long long)r->version);
    return tn_sql_publish(d->s, d->a, &d->target, r->version, did, err);
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static tn_delta_dml_opts options(const dml *d)
{
    return (tn_delta_dml_opts){
        .alias = d->alias, .schema_evolution = d->evolve, .user_metadata = TN_VAL_UNDEF
    };
}

static const char *const JOINS[] = { "join", "left", "right", "full", "inner", "cross", "natural",
    "asof", "semi", "anti", "positional", "lateral", NULL };

/* UPDATE .. FROM and DELETE .. USING: a merge of one clause. */
static tn_rc run_with_source(dml *d, const tn_merge_clause *c, tn_err *err);

static tn_rc run_delete(dml *d, tn_err *err)
{
    tn_str where;
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_delta_dml_result r;
    if (take(d, "using")) {
        tn_merge_clause c = { .what = TN_MERGE_DELETE };
        return run_with_source(d, &c, err);
    }
    TN_TRY(take_where(d, &where, err));
    tn_delta_dml_opts o = options(d);
    TN_TRY(open_table(d, &table, err));
    TN_TRY(tn_delta_delete(table, d->s->conn, where, &o, &r, err));
    tn_str note = tn_str_printf(d->a, "deleted %lld row%s from " TN_STR_FMT, (long long)r.deleted,
        plural(r.deleted), TN_STR_ARG(d->target.shown));
    return finish(d, &r, "delete from", note, err);
}

static tn_rc run_update(dml *d, tn_err *err)
{
    static const char *const ENDS[] = { "where", "from", "returning", NULL };
    tn_str where;
    tn_delta_sets sets;
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_delta_dml_result r;
    if (!take(d, "set")) {
        return unexpected(d, "SET", err);
    }
    TN_TRY(take_sets(d, find_word(&d->t, d->at, d->t.n, ENDS), &sets, err));
    if (take(d, "from")) {
        tn_merge_clause c = { .what = TN_MERGE_UPDATE, .sets = sets };
        return run_with_source(d, &c, err);
    }
    TN_TRY(take_where(d, &where, err));
    tn_delta_dml_opts o = options(d);
    TN_TRY(open_table(d, &table, err));
    TN_TRY(tn_delta_update(table, d->s->conn, &sets, where, &o, &r, err));
    tn_str note = tn_str_printf(d->a, "updated %lld row%s of " TN_STR_FMT, (long long)r.updated,
        plural(r.updated), TN_STR_ARG(d->target.shown));
    return finish(d, &r, "update", note, err);
}

/* ---- MERGE ---- */

/* source [[AS] s [(names)]] */
static tn_rc take_source(dml *d, tn_delta_merge_spec *m, tn_err *err)
{
    static const char *const STOP[] = { "on", "using", "when", "where", "returning", "join", "left",
        "right", "full", "inner", "cross", "natural", "asof", "semi", "anti", "positional",
        "lateral", NULL };
    size_t from = d->at;
    tn_strs parts = { 0 };
    tn_str name = TN_STR("source");
    if (tn_token_dotted(d->a, &d->t, &d->at, &parts)) {
        name = parts.v[parts.n - 1];
    }
    if (tn_token_is(&d->t, d->at, "(")) { /* a query, or a function's arguments */
        size_t close = tn_token_close(&d->t, d->at);
        if (close == SIZE_MAX) {
            return unexpected(d, "a closing parenthesis", err);
        }
        d->at = close + 1;
    }
    if (d->at == from) {
        return unexpected(d, "a table or (query)", err);
    }
    tn_str primary = slice(&d->t, from, d->at);
    tn_str alias = take_alias(d, STOP);
    m->source_alias = alias.n > 0 ? alias : name;
    tn_buf b = tn_buf_init(d->a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT * FROM ");
    tn_buf_add(&b, primary);
    tn_buf_addz(&b, "\n AS ");
    tn_sql_ident(&b, m->source_alias);
    if (alias.n > 0 && tn_token_is(&d->t, d->at, "(")) {
        size_t close = tn_token_close(&d->t, d->at);
        if (close == SIZE_MAX) {
            return unexpected(d, "a closing parenthesis", err);
        }
        tn_buf_add(&b, slice(&d->t, d->at, close + 1));
        d->at = close + 1;
    }
    return tn_buf_finish(&b, "the source", &m->source, err);
}

/* Names in parentheses; d->at is moved behind them. */
static tn_rc take_names(dml *d, tn_strs *ret, tn_err *err)
{
    size_t close = tn_token_is(&d->t, d->at, "(") ? tn_token_close(&d->t, d->at) : SIZE_MAX;
    tn_strs out = { 0 };
    if (close == SIZE_MAX) {
        return unexpected(d, "a list of columns in parentheses", err);
    }
    for (d->at++; d->at < close; d->at++) {
        if (!tn_token_is_name(&d->t, d->at) ||
            !(tn_token_is(&d->t, d->at + 1, ",") || d->at + 1 == close)) {
            return unexpected(d, "a plain column name", err);
        }
        tn_vec_push(&out, d->a, tn_token_value(d->a, &d->t.v[d->at]));
        d->at += d->at + 1 < close;
    }
    d->at = close + 1;
    *ret = out;
    return TN_OK;
}

/* ON cond | USING (a, b) */
static tn_rc take_on(dml *d, tn_delta_merge_spec *m, tn_err *err)
{
    static const char *const WHEN[] = { "when", NULL };
    if (take(d, "using")) {
        tn_strs names;
        TN_TRY(take_names(d, &names, err));
        tn_buf b = tn_buf_init(d->a, SQL_BYTES_MAX);
        for (size_t i = 0; i < names.n; i++) {
            tn_buf_addz(&b, i > 0 ? " AND " : "");
            tn_sql_ident(&b, d->alias);
            tn_buf_addc(&b, '.');
            tn_sql_ident(&b, names.v[i]);
            tn_buf_addz(&b, " = ");
            tn_sql_ident(&b, m->source_alias);
            tn_buf_addc(&b, '.');
            tn_sql_ident(&b, names.v[i]);
        }
        return tn_buf_finish(&b, "a condition", &m->on, err);
    }
    if (!take(d, "on")) {
        return unexpected(d, "ON and a condition", err);
    }
    size_t when = find_word(&d->t, d->at, d->t.n, WHEN);
    m->on = slice(&d->t, d->at, when);
    if (m->on.n == 0) {
        return unexpected(d, "a condition", err);
    }
    d->at = when;
    return TN_OK;
}

/* INSERT (c, ...) VALUES (e, ...), from the parenthesis on. */
static tn_rc take_insert(dml *d, tn_merge_clause *c, tn_err *err)
{
    static const char *const COMMA[] = { ",", NULL };
    tn_strs names;
    size_t k = 0;
    TN_TRY(take_names(d, &names, err));
    if (!take(d, "values") || !tn_token_is(&d->t, d->at, "(")) {
        return unexpected(d, "VALUES (..)", err);
    }
    size_t close = tn_token_close(&d->t, d->at);
    if (close == SIZE_MAX) {
        return unexpected(d, "a closing parenthesis", err);
    }
    for (d->at++; d->at < close; k++) {
        size_t end = find_word(&d->t, d->at, close, COMMA);
        tn_str value = slice(&d->t, d->at, end);
        if (k < names.n && value.n > 0) {
            tn_delta_set set = { .column = names.v[k], .value = value };
            tn_vec_push(&c->sets, d->a, set);
        }
        d->at = end + 1;
    }
    d->at = close + 1;
    if (k != names.n || c->sets.n != k) {
        return tn_fail(
            err, TN_E_SYNTAX, "INSERT names %zu columns and gives %zu values", names.n, k);
    }
    return TN_OK;
}

static tn_rc take_action(dml *d, tn_merge_clause *c, size_t end, tn_err *err)
{
    if (take(d, "delete")) {
        c->what = TN_MERGE_DELETE;
    } else if (tn_token_are(&d->t, d->at, "do nothing")) {
        c->what = TN_MERGE_NOTHING;
        d->at += 2;
    } else if (tn_token_are(&d->t, d->at, "update set")) {
        d->at += 2;
        c->what = take(d, "*") ? TN_MERGE_UPDATE_ALL : TN_MERGE_UPDATE;
        if (c->what == TN_MERGE_UPDATE) {
            TN_TRY(take_sets(d, end, &c->sets, err));
        }
    } else if (take(d, "insert")) {
        c->what = take(d, "*") ? TN_MERGE_INSERT_ALL : TN_MERGE_INSERT;
        if (c->what == TN_MERGE_INSERT) {
            TN_TRY(take_insert(d, c, err));
        }
    } else {
        return unexpected(d, "UPDATE SET, DELETE, INSERT or DO NOTHING", err);
    }
    return d->at == end ? TN_OK : unexpected(d, "WHEN or the end of the statement", err);
}

static tn_rc take_clause(dml *d, tn_merge_clause *c, tn_err *err)
{
    static const char *const WHEN[] = { "when", NULL };
    static const char *const THEN[] = { "then", NULL };
    size_t end = find_word(&d->t, d->at + 1, d->t.n, WHEN);
    if (tn_token_are(&d->t, d->at, "when not matched by source")) {
        c->when = TN_MERGE_NOT_MATCHED_BY_SOURCE;
        d->at += 5;
    } else if (tn_token_are(&d->t, d->at, "when not matched")) {
        c->when = TN_MERGE_NOT_MATCHED;
        d->at += 3;
        d->at += tn_token_are(&d->t, d->at, "by target") ? 2 : 0;
    } else if (tn_token_are(&d->t, d->at, "when matched")) {
        c->when = TN_MERGE_MATCHED;
        d->at += 2;
    } else {
        return unexpected(d, "WHEN [NOT] MATCHED", err);
    }
    if (take(d, "and")) {
        size_t then = find_word(&d->t, d->at, end, THEN);
        c->condition = slice(&d->t, d->at, then);
        d->at = then;
    }
    if (!take(d, "then")) {
        return unexpected(d, "THEN", err);
    }
    return take_action(d, c, end, err);
}

static tn_rc run_merge(dml *d, tn_err *err)
{
    tn_delta_merge_spec m = { .source = TN_STR_NONE };
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_delta_dml_result r;
    if (!take(d, "using")) {
        return unexpected(d, "USING and a source", err);
    }
    TN_TRY(take_source(d, &m, err));
    TN_TRY(take_on(d, &m, err));
    if (d->at >= d->t.n) {
        return unexpected(d, "WHEN", err);
    }
    bool matched_only = true;
    while (d->at < d->t.n) {
        tn_merge_clause c = { .condition = TN_STR_NONE };
        TN_TRY(take_clause(d, &c, err));
        matched_only = matched_only && c.when != TN_MERGE_NOT_MATCHED;
        tn_vec_push(&m.clauses, d->a, c);
    }
    m.source = tn_sql_pruned(d->s, d->a, m.source, matched_only ? m.on : TN_STR_NONE);
    tn_delta_dml_opts o = options(d);
    TN_TRY(open_table(d, &table, err));
    TN_TRY(tn_delta_merge(table, d->s->conn, &m, &o, &r, err));
    tn_str note =
        tn_str_printf(d->a, "merged into " TN_STR_FMT ": %lld inserted, %lld updated, %lld deleted",
            TN_STR_ARG(d->target.shown), (long long)r.inserted, (long long)r.updated,
            (long long)r.deleted);
    return finish(d, &r, "merge into", note, err);
}

static tn_rc run_with_source(dml *d, const tn_merge_clause *c, tn_err *err)
{
    tn_delta_merge_spec m = { .on = TN_STR("true") };
    bool update = c->what == TN_MERGE_UPDATE;
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_delta_dml_result r;
    TN_TRY(take_source(d, &m, err));
    if (tn_token_is(&d->t, d->at, ",") || tn_token_is_any(&d->t, d->at, JOINS)) {
        return refuse_word(d, update ? "UPDATE FROM several tables" : "DELETE USING several tables",
            "join them in one: FROM (SELECT .. FROM a JOIN b ..) AS s", err);
    }
    tn_str where;
    TN_TRY(take_where(d, &where, err));
    m.on = where.n > 0 ? where : m.on;
    m.source = tn_sql_pruned(d->s, d->a, m.source, where);
    tn_vec_push(&m.clauses, d->a, *c);
    tn_delta_dml_opts o = options(d);
    TN_TRY(open_table(d, &table, err));
    TN_TRY(tn_delta_merge(table, d->s->conn, &m, &o, &r, err));
    int64_t n = update ? r.updated : r.deleted;
    tn_str note =
        tn_str_printf(d->a, "%s %lld row%s %s " TN_STR_FMT, update ? "updated" : "deleted",
            (long long)n, plural(n), update ? "of" : "from", TN_STR_ARG(d->target.shown));
    return finish(d, &r, update ? "update" : "delete from", note, err);
}

/* ---- the statement ---- */

static const struct {
    const char *words;
    size_t skip;
    tn_rc (*run)(dml *d, tn_err *err);
} STATEMENTS[] = { { "update", 1, run_update }, { "delete from", 2, run_delete },
    { "merge into", 2, run_merge }, { "merge with schema evolution into", 5, run_merge },
    { "truncate table", 2, run_delete }, { "truncate", 1, run_delete } };

tn_rc tn_lake_sql_dml(tn_lake_sql *s, tn_arena *a, tn_str statement, const tn_tokens *t,
    tn_lake_sql_result *ret, bool *ret_done, tn_err *err)
{
    static const char *const STOP[] = { "set", "where", "using", "from", "returning", NULL };
    size_t k = 0;
    while (k < TN_COUNTOF(STATEMENTS) && !tn_token_are(t, 0, STATEMENTS[k].words)) {
        k++;
    }
    if (k == TN_COUNTOF(STATEMENTS)) {
        return TN_OK;
    }
    dml d = { .s = s, .a = a, .ret = ret, .evolve = tn_token_are(t, 1, "with schema") };
    size_t at = STATEMENTS[k].skip;
    if (!tn_token_is_name(t, at)) {
        return TN_OK;
    }
    TN_TRY(tn_sql_target_at(s, a, t, &at, &d.target, err));
    if (d.target.local) {
        return TN_OK;
    }
    *ret_done = true;
    if (at < t->n) {
        TN_TRY(tn_sql_rest(s, a, statement, t, at, &d.text, err));
    }
    TN_TRY(tn_sql_tokens(a, d.text, &d.t, err));
    tn_str alias = take_alias(&d, STOP);
    tn_str name = d.target.at.name.n > 0 ? d.target.at.name : TN_STR("target");
    d.alias = alias.n > 0 ? alias : name;
    return STATEMENTS[k].run(&d, err);
}
