/* delta_dml_merge.c: MERGE. The source is run once, into a temporary table; then up to three statements find what is to be done:
 *
 *   1  target RIGHT JOIN source ON ..   matched pairs get the number of the first clause whose condition is true; rows of the source without
 *                                       partner are noted by their rowid (INNER JOIN when nothing is inserted)
 *   2  source SEMI JOIN those rowids    clauses that insert: only the source is in sight
 *   3  target ANTI JOIN source ON ..    clauses for rows of the target without partner: only the target is in sight
 *
 * The smaller side, the source, is the hash table; the target streams past it. Where equalities of ON name a column of each side, the
 * range of the source's values says which files of the target are read at all.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/dml/delta_dml_run.h"
#include "delta/files/delta_columns.h"
#include "delta/log/delta_log.h"
#include "delta/read/delta_prune.h"
#include "text/json.h"
#include "text/sqltext.h"

enum { KEY_VALUES_MAX = 1000, NO_ACT = 0, UNMATCHED = -1 };

typedef struct merge {
    const tn_delta_merge_spec *spec;
    tn_arena *a;
    tn_str alias;   /* of the source */
    tn_str source;  /* quoted name of the temporary table */
    tn_val columns; /* of the source: list of (name, type) */
    int64_t rows;
} merge;

/* ---- the source ---- */

static const char *source_type(const merge *m, tn_str column)
{
    for (size_t i = 0; i < m->columns.list->n; i++) {
        const tn_val *pair = m->columns.list->v[i].list->v;
        if (tn_str_eq_nocase(tn_val_as_str(pair[0]), column)) {
            return tn_str_z(m->a, tn_val_as_str(pair[1]));
        }
    }
    return NULL;
}

static tn_rc load_source(merge *m, tn_conn *conn, tn_err *err)
{
    tn_str text = tn_str_trim(m->spec->source);
    tn_val n;
    m->source = tn_dml_temp_name(m->a, "source");
    TN_TRY(tn_dml_work(conn,
        tn_str_printf(m->a,
            "CREATE TEMP TABLE " TN_STR_FMT " AS SELECT * FROM (" TN_STR_FMT "\n) AS source",
            TN_STR_ARG(m->source), TN_STR_ARG(text)),
        err));
    tn_str all = tn_str_printf(m->a, "FROM " TN_STR_FMT, TN_STR_ARG(m->source));
    TN_TRY(tn_conn_describe(conn, m->a, all, &m->columns, err));
    TN_TRY(
        tn_conn_scalar(conn, m->a, tn_str_concat(m->a, TN_STR("SELECT count(*) "), all), &n, err));
    m->rows = n.i;
    return TN_OK;
}

/* ---- checks ---- */

static bool has_when(const merge *m, tn_merge_when when)
{
    for (size_t i = 0; i < m->spec->clauses.n; i++) {
        if (m->spec->clauses.v[i].when == when) {
            return true;
        }
    }
    return false;
}

/* One matched clause that deletes whatever its pair is: how often a row is matched then makes no difference. */
static bool may_match_often(const merge *m)
{
    size_t matched = 0;
    bool deletes = false;
    for (size_t i = 0; i < m->spec->clauses.n; i++) {
        const tn_merge_clause *c = &m->spec->clauses.v[i];
        if (c->when == TN_MERGE_MATCHED) {
            matched++;
            deletes = c->what == TN_MERGE_DELETE && c->condition.n == 0;
        }
    }
    return matched == 0 || (matched == 1 && deletes);
}

static bool sets_all(const tn_merge_clause *c)
{
    return c->what == TN_MERGE_UPDATE_ALL || c->what == TN_MERGE_INSERT_ALL;
}

/* The columns of the source that clauses give to the table by their own names. */
static tn_rc evolve(const merge *m, tn_dml *d, tn_err *err)
{
    tn_strs columns = { 0 };
    for (size_t i = 0; d->opts->schema_evolution && i < m->columns.list->n; i++) {
        tn_str name = tn_val_as_str(m->columns.list->v[i].list->v[0]);
        bool wanted = false;
        for (size_t k = 0; !wanted && k < m->spec->clauses.n; k++) {
            const tn_merge_clause *c = &m->spec->clauses.v[k];
            wanted = sets_all(c) || tn_dml_set_of(&c->sets, name) != NULL;
        }
        if (wanted) {
            tn_vec_push(&columns, d->a, name);
        }
    }
    return tn_dml_evolve(d, m->source, &columns, err);
}

static tn_rc check_all_columns(const merge *m, const tn_dml *d, const char *what, tn_err *err)
{
    if (d->opts->schema_evolution) {
        return TN_OK;
    }
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    for (size_t i = 0; i < fields->n; i++) {
        if (source_type(m, fields->v[i].name) == NULL &&
            !tn_delta_field_fills_itself(&fields->v[i])) {
            tn_rc rc = tn_fail(err, TN_E_NAME,
                "%s * needs every column of the table, but the source has no '" TN_STR_FMT "'",
                what, TN_STR_ARG(fields->v[i].name));
            return tn_hint(err, rc,
                "name the columns to be set, or let the schema evolve (MERGE WITH SCHEMA "
                "EVOLUTION)");
        }
    }
    return TN_OK;
}

static tn_rc check_clause(const merge *m, const tn_dml *d, const tn_merge_clause *c, tn_err *err)
{
    bool inserts = c->what == TN_MERGE_INSERT || c->what == TN_MERGE_INSERT_ALL;
    if (c->what != TN_MERGE_NOTHING && inserts != (c->when == TN_MERGE_NOT_MATCHED)) {
        return tn_fail(err, TN_E_SYNTAX,
            "WHEN NOT MATCHED inserts; WHEN MATCHED and WHEN NOT MATCHED BY SOURCE update or "
            "delete");
    }
    if (c->what == TN_MERGE_UPDATE_ALL && c->when != TN_MERGE_MATCHED) {
        return tn_fail(
            err, TN_E_SYNTAX, "UPDATE SET * needs a row of the source: WHEN MATCHED only");
    }
    if (sets_all(c)) {
        return check_all_columns(m, d, inserts ? "INSERT" : "UPDATE SET", err);
    }
    if ((c->what == TN_MERGE_UPDATE || c->what == TN_MERGE_INSERT) && c->sets.n == 0) {
        return tn_fail(err, TN_E_SYNTAX, "a clause of the merge sets no column");
    }
    return tn_dml_check_sets(d, &c->sets, err);
}

/* The columns whose values a clause says. */
static const bool *given_by(const merge *m, const tn_dml *d, const tn_merge_clause *c)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    if (c->what != TN_MERGE_UPDATE_ALL && c->what != TN_MERGE_INSERT_ALL) {
        return tn_dml_given(d, &c->sets);
    }
    bool *given = tn_arena_zalloc(d->a, fields->n + 1);
    for (size_t i = 0; i < fields->n; i++) {
        given[i] = source_type(m, fields->v[i].name) != NULL;
    }
    return given;
}

static tn_rc take_clauses(const merge *m, tn_dml *d, tn_err *err)
{
    const tn_merge_clauses *cs = &m->spec->clauses;
    if (cs->n == 0 || cs->n > TN_MERGE_CLAUSES_MAX) {
        return tn_fail(err, TN_E_SYNTAX, "a merge has 1 to %d WHEN clauses", TN_MERGE_CLAUSES_MAX);
    }
    for (size_t i = 0; i < cs->n; i++) {
        const tn_merge_clause *c = &cs->v[i];
        TN_TRY(check_clause(m, d, c, err));
        tn_dml_act act = { .when = c->when, .what = TN_ACT_INSERT };
        if (c->what == TN_MERGE_DELETE || c->what == TN_MERGE_NOTHING) {
            act.what = TN_ACT_DELETE;
        } else if (c->what == TN_MERGE_UPDATE || c->what == TN_MERGE_UPDATE_ALL) {
            act.what = TN_ACT_UPDATE;
        }
        act.given = given_by(m, d, c);
        TN_TRY(tn_dml_check_given(d, &act, err));
        d->writes = d->writes || act.what != TN_ACT_DELETE;
        tn_vec_push(&d->acts, d->a, act);
    }
    return TN_OK;
}

/* ---- which files the keys can be in ---- */

typedef struct key {
    const tn_delta_field *field;
    tn_str column; /* of the source */
} key;

/* Whose column is it? 't': the target's, 's': the source's, 0: cannot be said. */
static char side_of(const merge *m, const tn_dml *d, tn_val node, tn_str *ret_name)
{
    tn_val names = tn_val_at(node, "column_names");
    if (!tn_str_is(tn_val_str_at(node, "class", TN_STR_NONE), "COLUMN_REF") ||
        !tn_val_is_seq(names) || names.list->n == 0 || names.list->n > 2) {
        return 0;
    }
    tn_str name = tn_val_as_str(names.list->v[names.list->n - 1]);
    bool in_target = tn_delta_field_find(d->s->meta.schema, name) != NULL;
    bool in_source = source_type(m, name) != NULL;
    *ret_name = name;
    if (names.list->n == 1) {
        return in_target == in_source ? 0 : (in_target ? 't' : 's');
    }
    tn_str qualifier = tn_val_as_str(names.list->v[0]);
    if (tn_delta_field_find(d->s->meta.schema, qualifier) != NULL ||
        source_type(m, qualifier) != NULL) {
        return 0; /* a field of a struct, perhaps */
    }
    if (tn_str_eq_nocase(qualifier, d->alias) && in_target) {
        return 't';
    }
    return tn_str_eq_nocase(qualifier, m->alias) && in_source ? 's' : 0;
}

static bool key_of(const merge *m, const tn_dml *d, tn_val node, key *ret)
{
    tn_str left;
    tn_str right;
    if (!tn_str_is(tn_val_str_at(node, "type", TN_STR_NONE), "COMPARE_EQUAL")) {
        return false;
    }
    char l = side_of(m, d, tn_val_at(node, "left"), &left);
    char r = side_of(m, d, tn_val_at(node, "right"), &right);
    if (l == 0 || r == 0 || l == r) {
        return false;
    }
    ret->field = tn_delta_field_find(d->s->meta.schema, l == 't' ? left : right);
    ret->column = l == 't' ? right : left;
    return true;
}

/* Types whose order is the same for the statistics and for the source's values. Texts only among themselves: '01' = 1. */
static bool has_order(const merge *m, const key *k)
{
    static const char *const FINE[] = { "byte", "short", "integer", "long", "date", "timestamp",
        "timestamp_ntz" };
    const char *type = source_type(m, k->column);
    bool text = strcmp(type, "VARCHAR") == 0;
    if (tn_delta_type_is(k->field->type, "string") || text) {
        return text && tn_delta_type_is(k->field->type, "string");
    }
    for (size_t i = 0; i < TN_COUNTOF(FINE); i++) {
        if (tn_delta_type_is(k->field->type, FINE[i])) {
            return true;
        }
    }
    return k->field->type->kind == TN_DT_PRIMITIVE &&
           tn_str_starts(k->field->type->name, TN_STR("decimal"));
}

static tn_str key_value(const merge *m, const key *k)
{
    tn_buf b = tn_buf_init(m->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "TRY_CAST(");
    tn_sql_ident(&b, k->column);
    tn_buf_addz(&b, " AS ");
    tn_delta_type_to_sql(&b, k->field->type);
    tn_buf_addc(&b, ')');
    return tn_buf_str(&b);
}

static void add_and(tn_buf *b, const key *k)
{
    tn_buf_addz(b, b->n > 0 ? " AND " : "");
    tn_sql_ident(b, k->field->name);
}

/* "k BETWEEN least AND greatest", or "k IN (..)" for a partition column with few values. */
static tn_rc add_key(const merge *m, tn_dml *d, const key *k, tn_buf *b, tn_err *err)
{
    tn_val rows;
    tn_str v = key_value(m, k);
    if (tn_delta_partition_index(&d->s->meta, k->field->name) != SIZE_MAX) {
        TN_TRY(tn_conn_rows(d->conn, m->a,
            tn_str_printf(m->a,
                "SELECT DISTINCT CAST(" TN_STR_FMT " AS VARCHAR) AS v FROM " TN_STR_FMT
                " WHERE v IS NOT NULL LIMIT %d",
                TN_STR_ARG(v), TN_STR_ARG(m->source), KEY_VALUES_MAX + 1),
            KEY_VALUES_MAX + 1, &rows, NULL, err));
        if (rows.list->n > 0 && rows.list->n <= KEY_VALUES_MAX) {
            add_and(b, k);
            for (size_t i = 0; i < rows.list->n; i++) {
                tn_buf_addz(b, i > 0 ? ", " : " IN (");
                tn_sql_literal(b, tn_val_as_str(rows.list->v[i].list->v[0]));
            }
            tn_buf_addc(b, ')');
            return TN_OK;
        }
    }
    TN_TRY(tn_conn_rows(d->conn, m->a,
        tn_str_printf(m->a,
            "SELECT CAST(min(" TN_STR_FMT ") AS VARCHAR), CAST(max(" TN_STR_FMT
            ") AS VARCHAR) FROM " TN_STR_FMT,
            TN_STR_ARG(v), TN_STR_ARG(v), TN_STR_ARG(m->source)),
        1, &rows, NULL, err));
    const tn_val *range = rows.list->v[0].list->v;
    if (tn_val_is_str(range[0]) && tn_val_is_str(range[1])) {
        add_and(b, k);
        tn_buf_addz(b, " BETWEEN ");
        tn_sql_literal(b, tn_val_as_str(range[0]));
        tn_buf_addz(b, " AND ");
        tn_sql_literal(b, tn_val_as_str(range[1]));
    }
    return TN_OK;
}

static tn_rc add_keys(const merge *m, tn_dml *d, tn_val node, tn_buf *b, tn_err *err)
{
    key k;
    if (tn_str_is(tn_val_str_at(node, "type", TN_STR_NONE), "CONJUNCTION_AND")) {
        tn_val children = tn_val_at(node, "children");
        for (size_t i = 0; tn_val_is_seq(children) && i < children.list->n; i++) {
            TN_TRY(add_keys(m, d, children.list->v[i], b, err));
        }
        return TN_OK;
    }
    return key_of(m, d, node, &k) && has_order(m, &k) ? add_key(m, d, &k, b, err) : TN_OK;
}

/* ---- parts of ON that speak of the target alone ---- */

/* Columns of a condition belong to the target for certain, and it asks nothing else. */
static bool of_target(const merge *m, const tn_dml *d, tn_val node)
{
    if (tn_val_is_seq(node)) {
        for (size_t i = 0; i < node.list->n; i++) {
            if (!of_target(m, d, node.list->v[i])) {
                return false;
            }
        }
        return true;
    }
    if (node.tag != TN_DICT) {
        return true;
    }
    tn_str class = tn_val_str_at(node, "class", TN_STR_NONE);
    if (tn_str_is(class, "COLUMN_REF")) {
        tn_str name;
        return side_of(m, d, node, &name) == 't';
    }
    if (tn_str_is(class, "SUBQUERY") || tn_str_is(class, "LAMBDA") || tn_str_is(class, "STAR")) {
        return false;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(node.dict, &at)) != NULL) {
        if (!of_target(m, d, it->value)) {
            return false;
        }
    }
    return true;
}

/* Such a condition's text for pruning, which lets by whatever it does not understand. */
static void add_own(const merge *m, tn_dml *d, tn_val node, tn_buf *b)
{
    if (tn_str_is(tn_val_str_at(node, "type", TN_STR_NONE), "CONJUNCTION_AND")) {
        tn_val children = tn_val_at(node, "children");
        for (size_t i = 0; tn_val_is_seq(children) && i < children.list->n; i++) {
            add_own(m, d, children.list->v[i], b);
        }
        return;
    }
    tn_str text = of_target(m, d, node) ? tn_delta_where_text(d->conn, d->a, node) : TN_STR_NONE;
    if (text.n > 0) {
        tn_buf_addf(b, "%s(" TN_STR_FMT ")", b->n > 0 ? " AND " : "", TN_STR_ARG(text));
    }
}

static tn_rc pick_files(const merge *m, tn_dml *d, tn_err *err)
{
    if (!has_when(m, TN_MERGE_NOT_MATCHED_BY_SOURCE)) {
        tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
        tn_val tree = tn_delta_where_tree(d->conn, d->a, m->spec->on);
        TN_TRY(add_keys(m, d, tree, &b, err));
        add_own(m, d, tree, &b);
        TN_TRY(tn_buf_finish(&b, "the keys' range", &d->where, err));
    }
    d->reads_all = d->where.n == 0;
    return tn_dml_pick(d, err);
}

/* ---- the statements ---- */

static void add_acts(const merge *m, tn_buf *b, tn_merge_when when)
{
    const tn_merge_clauses *cs = &m->spec->clauses;
    for (size_t i = 0; i < cs->n; i++) {
        if (cs->v[i].when != when) {
            continue;
        }
        int act = cs->v[i].what == TN_MERGE_NOTHING ? NO_ACT : (int)i + 1;
        if (cs->v[i].condition.n == 0) {
            tn_buf_addf(b, " WHEN true THEN %d", act);
        } else {
            tn_buf_addf(b, " WHEN (" TN_STR_FMT "\n) THEN %d", TN_STR_ARG(cs->v[i].condition), act);
        }
    }
}

static void add_column(tn_buf *b, tn_str alias, tn_str column)
{
    tn_sql_ident(b, alias);
    tn_buf_addc(b, '.');
    tn_sql_ident(b, column);
}

/* The source's column of that name, in the table's form. */
static void add_source_value(
    const merge *m, const tn_dml *d, tn_buf *b, bool update, const tn_delta_field *f)
{
    tn_buf expr = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf old = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_delta_type *from = NULL;
    tn_err ignored = TN_ERR_INIT;
    add_column(&expr, m->alias, f->name);
    if (!d->opts->schema_evolution || f->type->kind != TN_DT_STRUCT ||
        tn_delta_type_from_sql(d->a, tn_str_of(source_type(m, f->name)), &from, &ignored) !=
            TN_OK) {
        from = NULL;
    }
    if (update) {
        add_column(&old, d->alias, f->name);
    }
    tn_dml_add_wider(b, f->type, from, tn_buf_str(&expr), tn_buf_str(&old));
}

/* What a clause makes of a column. */
static void add_clause_value(
    const merge *m, const tn_dml *d, tn_buf *b, const tn_merge_clause *c, size_t column)
{
    const tn_delta_field *f = &d->s->meta.schema->fields.v[column];
    const tn_str *set = tn_dml_set_of(&c->sets, f->name);
    tn_buf v = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    if (sets_all(c) && source_type(m, f->name) != NULL) {
        add_source_value(m, d, &v, c->what == TN_MERGE_UPDATE_ALL, f);
    } else if (set != NULL) {
        tn_buf_add(&v, tn_dml_value(d, column, *set));
    } else if (c->what == TN_MERGE_UPDATE || c->what == TN_MERGE_UPDATE_ALL) {
        add_column(&v, d->alias, f->name);
    } else {
        tn_buf_add(&v, d->missing[column]);
    }
    tn_dml_add_value(b, f->type, tn_buf_str(&v));
}

static void add_values(const merge *m, const tn_dml *d, tn_buf *b, tn_merge_when when)
{
    const tn_delta_fields *fields = &d->s->meta.schema->fields;
    const tn_merge_clauses *cs = &m->spec->clauses;
    for (size_t i = 0; d->writes && i < fields->n; i++) {
        bool any = false;
        tn_buf_addz(b, ", ");
        for (size_t k = 0; k < cs->n; k++) {
            if (cs->v[k].when == when && d->acts.v[k].what != TN_ACT_DELETE) {
                tn_buf_addf(b, "%s WHEN %zu THEN ", any ? "" : "CASE _tarn_k", k + 1);
                add_clause_value(m, d, b, &cs->v[k], i);
                any = true;
            }
        }
        if (any) {
            tn_buf_addz(b, " END");
        } else {
            tn_dml_add_value(b, fields->v[i].type, TN_STR("NULL"));
        }
        tn_buf_addf(b, " AS _tarn_v%zu", i);
    }
}

static void add_source(const merge *m, tn_buf *b)
{
    tn_buf_addf(b, TN_STR_FMT " AS ", TN_STR_ARG(m->source));
    tn_sql_ident(b, m->alias);
}

static void add_place(const tn_dml *d, tn_buf *b)
{
    tn_dml_add_file(d, b, d->alias);
    tn_buf_addz(b, " AS _tarn_f, ");
    add_column(b, d->alias, TN_STR("_tarn_row"));
    tn_buf_addz(b, " AS _tarn_r, ");
}

static tn_rc run_built(tn_dml *d, tn_buf *b, tn_err *err)
{
    tn_str sql;
    TN_TRY(tn_buf_finish(b, "a statement", &sql, err));
    return tn_dml_work(d->conn, sql, err);
}

/* Statement 1. */
static tn_rc find_pairs(const merge *m, tn_dml *d, tn_str scan, tn_err *err)
{
    bool inserts = has_when(m, TN_MERGE_NOT_MATCHED);
    bool often = may_match_often(m);
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    d->hits = tn_dml_temp_name(d->a, "hits");
    tn_buf_addf(&b, "CREATE TEMP TABLE " TN_STR_FMT " AS SELECT %s* FROM (SELECT ",
        TN_STR_ARG(d->hits), often ? "DISTINCT " : "");
    add_place(d, &b);
    tn_buf_addz(&b, "CASE WHEN ");
    add_column(&b, d->alias, TN_STR("_tarn_row"));
    tn_buf_addf(&b, " IS NULL THEN %d", UNMATCHED);
    add_acts(m, &b, TN_MERGE_MATCHED);
    tn_buf_addf(&b, " ELSE %d END AS _tarn_k, CASE WHEN ", NO_ACT);
    add_column(&b, d->alias, TN_STR("_tarn_row"));
    tn_buf_addz(&b, " IS NULL THEN ");
    add_column(&b, m->alias, TN_STR("rowid"));
    tn_buf_addz(&b, " END AS _tarn_s");
    add_values(m, d, &b, TN_MERGE_MATCHED);
    tn_dml_add_old_row(d, &b, true);
    tn_buf_addz(&b, " FROM (");
    tn_buf_add(&b, scan);
    tn_buf_addz(&b, ") AS ");
    tn_sql_ident(&b, d->alias);
    tn_buf_addz(&b, inserts ? " RIGHT JOIN " : " JOIN ");
    add_source(m, &b);
    tn_buf_addf(&b, " ON (" TN_STR_FMT "\n)) AS found WHERE _tarn_k <> %d", TN_STR_ARG(m->spec->on),
        NO_ACT);
    return run_built(d, &b, err);
}

static tn_rc check_matches(const merge *m, tn_dml *d, tn_err *err)
{
    tn_val n = TN_VAL_UNDEF;
    if (may_match_often(m)) {
        return TN_OK;
    }
    tn_str sql = tn_str_printf(d->a,
        "SELECT count(*) FROM (SELECT 1 FROM " TN_STR_FMT
        " WHERE _tarn_k > 0 GROUP BY _tarn_f, _tarn_r HAVING count(*) > 1)",
        TN_STR_ARG(d->hits));
    TN_TRY(tn_conn_scalar(d->conn, d->a, sql, &n, err));
    if (n.i == 0) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_DATA,
        "several rows of the source match one row of the table, for %lld row%s that the merge "
        "would change",
        (long long)n.i, n.i == 1 ? "" : "s");
    return tn_hint(err, rc,
        "make the source unique by the keys of ON: QUALIFY row_number() OVER (PARTITION BY key "
        "ORDER BY ..) = 1");
}

/* Statement 2. */
static tn_rc find_inserts(const merge *m, tn_dml *d, tn_err *err)
{
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&b,
        "INSERT INTO " TN_STR_FMT " SELECT * FROM (SELECT NULL AS _tarn_f, NULL AS _tarn_r, CASE",
        TN_STR_ARG(d->hits));
    add_acts(m, &b, TN_MERGE_NOT_MATCHED);
    tn_buf_addf(&b, " ELSE %d END AS _tarn_k, NULL AS _tarn_s", NO_ACT);
    add_values(m, d, &b, TN_MERGE_NOT_MATCHED);
    tn_dml_add_old_row(d, &b, false);
    tn_buf_addz(&b, " FROM ");
    add_source(m, &b);
    tn_buf_addf(&b,
        " SEMI JOIN (SELECT _tarn_s FROM " TN_STR_FMT
        " WHERE _tarn_k = %d) AS _tarn_new ON _tarn_new._tarn_s = ",
        TN_STR_ARG(d->hits), UNMATCHED);
    add_column(&b, m->alias, TN_STR("rowid"));
    tn_buf_addf(&b, ") AS found WHERE _tarn_k <> %d", NO_ACT);
    return run_built(d, &b, err);
}

/* Statement 3. */
static tn_rc find_orphans(const merge *m, tn_dml *d, tn_str scan, tn_err *err)
{
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addf(&b, "INSERT INTO " TN_STR_FMT " SELECT * FROM (SELECT ", TN_STR_ARG(d->hits));
    add_place(d, &b);
    tn_buf_addz(&b, "CASE");
    add_acts(m, &b, TN_MERGE_NOT_MATCHED_BY_SOURCE);
    tn_buf_addf(&b, " ELSE %d END AS _tarn_k, NULL AS _tarn_s", NO_ACT);
    add_values(m, d, &b, TN_MERGE_NOT_MATCHED_BY_SOURCE);
    tn_dml_add_old_row(d, &b, true);
    tn_buf_addz(&b, " FROM (");
    tn_buf_add(&b, scan);
    tn_buf_addz(&b, ") AS ");
    tn_sql_ident(&b, d->alias);
    tn_buf_addz(&b, " ANTI JOIN ");
    add_source(m, &b);
    tn_buf_addf(&b, " ON (" TN_STR_FMT "\n)) AS found WHERE _tarn_k <> %d", TN_STR_ARG(m->spec->on),
        NO_ACT);
    return run_built(d, &b, err);
}

/* ---- commitInfo ---- */

static tn_val clause_texts(const merge *m, const tn_dml *d, tn_merge_when when)
{
    static const char *const TYPES[] = { "delete", "update", "insert" };
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_arr(&w);
    for (size_t i = 0; i < m->spec->clauses.n; i++) {
        const tn_merge_clause *c = &m->spec->clauses.v[i];
        if (c->when != when || c->what == TN_MERGE_NOTHING) {
            continue;
        }
        tn_jw_obj(&w);
        if (c->condition.n > 0) {
            tn_jw_key(&w, "predicate");
            tn_jw_str(&w, c->condition);
        }
        tn_jw_key(&w, "actionType");
        tn_jw_str(&w, tn_str_of(TYPES[d->acts.v[i].what]));
        tn_jw_obj_end(&w);
    }
    tn_jw_arr_end(&w);
    return tn_val_str(tn_buf_str(&b));
}

static void describe(const merge *m, tn_dml *d)
{
    tn_buf b = tn_buf_init(d->a, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addc(&b, '[');
    tn_json_add_str(&b, m->spec->on);
    tn_buf_addc(&b, ']');
    tn_dict *p = d->parameters.dict;
    tn_dict_putz(p, "predicate", tn_val_str(tn_buf_str(&b)));
    tn_dict_putz(p, "matchedPredicates", clause_texts(m, d, TN_MERGE_MATCHED));
    tn_dict_putz(p, "notMatchedPredicates", clause_texts(m, d, TN_MERGE_NOT_MATCHED));
    tn_dict_putz(
        p, "notMatchedBySourcePredicates", clause_texts(m, d, TN_MERGE_NOT_MATCHED_BY_SOURCE));
}

/* ---- all of it ---- */

static tn_rc run_merge(void *self, tn_dml *d, tn_err *err)
{
    const merge *m = self;
    tn_str scan;
    d->operation = TN_STR("MERGE");
    d->source_rows = m->rows;
    TN_TRY(tn_dml_open(d, "MERGE", err));
    TN_TRY(evolve(m, d, err));
    TN_TRY(tn_dml_find_missing(d, err));
    TN_TRY(take_clauses(m, d, err));
    describe(m, d);
    TN_TRY(pick_files(m, d, err));
    TN_TRY(tn_dml_scan(d, NULL, &scan, err));
    TN_TRY(find_pairs(m, d, scan, err));
    TN_TRY(check_matches(m, d, err));
    if (has_when(m, TN_MERGE_NOT_MATCHED)) {
        TN_TRY(find_inserts(m, d, err));
    }
    if (has_when(m, TN_MERGE_NOT_MATCHED_BY_SOURCE)) {
        TN_TRY(find_orphans(m, d, scan, err));
    }
    return tn_dml_apply(d, err);
}

tn_rc tn_delta_merge(tn_delta_table *t, tn_conn *conn, const tn_delta_merge_spec *spec,
    const tn_delta_dml_opts *opts, tn_delta_dml_result *ret, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta merge", NULL);
    merge m = { .spec = spec,
        .a = a,
        .alias = spec->source_alias.n > 0 ? spec->source_alias : TN_STR("source") };
    tn_rc rc = load_source(&m, conn, err);
    if (rc == TN_OK) {
        rc = tn_dml_run(t, conn, opts, run_merge, &m, ret, err);
    }
    tn_dml_drop(conn, m.source);
    return rc;
}
