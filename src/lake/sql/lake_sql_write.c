/* lake_sql_write.c: statements that change a lake: INSERT, CREATE VIEW, DROP; CREATE TABLE and ALTER have files of their own. Each is one Delta commit (or only pins), then
 * one lake commit and a new catalog. Grammar is in lake_sql.h. What is not for the lake (temporary tables, attached databases) is left to DuckDB.
 */
#include "lake/lake_remote.h"
#include "lake/sql/lake_change.h"
#include "lake/sql/lake_default.h"
#include "lake/sql/lake_session.h"
#include "os/file.h"
#include "text/json.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum { SQL_BYTES_MAX = 256 << 20 };

typedef tn_sql_change change;

/* ---- targets ---- */

static tn_rc is_database(tn_lake_sql *s, tn_arena *a, tn_str name, bool *ret, tn_err *err)
{
    tn_val n, v = tn_val_str(name);
    TN_AUTOPTR(tn_result) r = NULL;
    TN_TRY(tn_conn_query_params(s->conn,
        TN_STR("SELECT count(*) FROM duckdb_databases() WHERE lower(database_name) = lower($1)"),
        &v, 1, &r, err));
    size_t rows;
    TN_TRY(tn_result_next(r, &rows, err));
    n = rows > 0 ? tn_result_cell(r, a, 0, 0) : TN_VAL_UNDEF;
    *ret = n.tag == TN_INT && n.i > 0;
    return TN_OK;
}

tn_rc tn_sql_place_target(tn_lake_sql *s, tn_arena *a, tn_str path, tn_sql_target *ret, tn_err *err)
{
    tn_sql_target out = { .shown = path, .at = { .location = path } };
    TN_TRY(tn_lake_remote_prepare(s->conn, path, s->lake->storage, err));
    if (!tn_uri_is_remote(path)) {
        TN_TRY(tn_file_absolute(a, path, &out.at.location, err));
    }
    *ret = out;
    return TN_OK;
}

tn_rc tn_sql_target_at(
    tn_lake_sql *s, tn_arena *a, const tn_tokens *t, size_t *at, tn_sql_target *ret, tn_err *err)
{
    tn_strs parts = { 0 };
    bool place = tn_token_is(t, *at, "delta") && tn_token_is(t, *at + 1, ".") && *at + 2 < t->n &&
                 t->v[*at + 2].kind == TN_TOKEN_QUOTED;
    if (!tn_token_dotted(a, t, at, &parts)) {
        return tn_fail(err, TN_E_SYNTAX, "the name of a table must follow");
    }
    if (place) {
        return tn_sql_place_target(s, a, parts.v[1], ret, err);
    }
    tn_str name = parts.v[parts.n - 1];
    tn_sql_target out = { .shown = name, .local = true };
    tn_str schema = parts.n >= 2 ? parts.v[parts.n - 2] : s->use_schema;
    bool own = tn_str_eq_nocase(schema, TN_STR("main")) ||
               tn_str_eq_nocase(schema, TN_STR("temp")) ||
               tn_str_eq_nocase(schema, TN_STR("memory"));
    bool elsewhere = own;
    if (parts.n == 2 && !own) {
        TN_TRY(is_database(s, a, schema, &elsewhere, err));
    }
    if (parts.n > 2 || schema.n == 0 || elsewhere || s->opts.places_only) {
        *ret = out;
        return TN_OK;
    }
    if (!tn_lake_plain_name(schema) || !tn_lake_plain_name(name)) {
        return tn_fail(err, TN_E_VALUE,
            "'" TN_STR_FMT "." TN_STR_FMT "' cannot be the name of a table: it names a folder",
            TN_STR_ARG(schema), TN_STR_ARG(name));
    }
    out.local = false;
    out.at.pin = tn_pins_find(&s->head.pins, schema, name);
    out.at.schema = out.at.pin != NULL ? out.at.pin->schema : schema;
    out.at.name = out.at.pin != NULL ? out.at.pin->name : name;
    out.at.location = out.at.pin != NULL && out.at.pin->kind == TN_PIN_DELTA
                          ? out.at.pin->location
                          : tn_lake_default_location(a, out.at.schema, out.at.name);
    out.shown = tn_str_printf(
        a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(out.at.schema), TN_STR_ARG(out.at.name));
    *ret = out;
    return TN_OK;
}

tn_rc tn_sql_need_lake_name(const change *c, const char *what, tn_err *err)
{
    if (!c->target.local) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_USAGE,
        "'" TN_STR_FMT "' has no schema, so the lake has no place for the %s",
        TN_STR_ARG(c->target.shown), what);
    return tn_hint(err, rc,
        "name it schema." TN_STR_FMT ", or make a TEMP %s for this session only",
        TN_STR_ARG(c->target.shown), what);
}

tn_rc tn_sql_table_of(change *c, tn_delta_table **ret, bool *ret_there, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_lake_place *at = &c->target.at;
    if (at->schema.n > 0 && !c->s->opts.no_publish) {
        tn_lake_own own = { c->s->opts.env, at->pin, at->schema, at->name, true };
        TN_TRY(tn_lake_own_place(c->s->lake, c->a, c->s->conn, &own, &at->location, err));
    }
    TN_TRY(tn_lake_table_open(c->s->lake, at->location, &table, err));
    TN_TRY(tn_delta_table_exists(table, ret_there, err));
    *ret = TN_TAKE(table);
    return TN_OK;
}

/* ---- after a write ---- */

tn_rc tn_sql_publish(tn_lake_sql *s, tn_arena *a, const tn_sql_target *target, int64_t version,
    const char *did, tn_err *err)
{
    const tn_lake_place *at = &target->at;
    if (at->schema.n > 0 && !s->opts.no_publish) {
        tn_pin pin = { .schema = at->schema,
            .name = at->name,
            .kind = TN_PIN_DELTA,
            .location = at->location,
            .version = version };
        if (at->pin != NULL) {
            pin.comment = at->pin->comment;
            pin.node = at->pin->node;
        }
        tn_str message = tn_str_printf(a, "sql: %s " TN_STR_FMT, did, TN_STR_ARG(target->shown));
        TN_TRY(tn_lake_pin_tables(s->lake, s->opts.env, &s->head, &pin, 1, message, NULL, err));
    }
    return tn_sql_refresh(s, err);
}

static tn_rc publish(change *c, int64_t version, const char *did, tn_err *err)
{
    return tn_sql_publish(c->s, c->a, &c->target, version, did, err);
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

/* ---- parts ---- */

tn_rc tn_sql_take_names(change *c, tn_strs *out, tn_err *err)
{
    size_t close = tn_token_is(c->t, c->at, "(") ? tn_token_close(c->t, c->at) : SIZE_MAX;
    if (close == SIZE_MAX) {
        return tn_fail(err, TN_E_SYNTAX, "a list of names in parentheses must follow");
    }
    for (size_t i = c->at + 1; i < close; i++) {
        if (!tn_token_is_name(c->t, i) || !(tn_token_is(c->t, i + 1, ",") || i + 1 == close)) {
            return tn_fail(err, TN_E_SYNTAX,
                "a list of plain names is expected near '" TN_STR_FMT "'",
                TN_STR_ARG(c->t->v[i].text));
        }
        tn_vec_push(out, c->a, tn_token_value(c->a, &c->t->v[i]));
        i += i + 1 < close;
    }
    c->at = close + 1;
    return TN_OK;
}

/* ---- CREATE VIEW ---- */

static tn_rc change_pins(change *c, const tn_pin *put, const char *did, tn_err *err)
{
    tn_lake_sql *s = c->s;
    tn_lake_change ch = { .info = TN_VAL_UNDEF,
        .message = tn_str_printf(c->a, "sql: %s " TN_STR_FMT, did, TN_STR_ARG(c->target.shown)) };
    if (put != NULL) {
        tn_vec_push(&ch.put, c->a, *put);
    } else {
        tn_vec_push(&ch.drop, c->a, c->target.shown);
    }
    int64_t commit;
    tn_str path;
    TN_TRY(tn_lake_commit_write(s->lake, s->opts.env, &s->head, &ch, &commit, err));
    TN_TRY(tn_lake_catalog_publish(s->lake, s->opts.env, NULL, &path, c->a, err));
    return tn_sql_refresh(s, err);
}

static tn_rc create_view(change *c, bool replace, bool if_not_exists, tn_err *err)
{
    if (c->target.at.pin != NULL && !replace) {
        if (if_not_exists) {
            c->ret->note =
                tn_str_printf(c->a, TN_STR_FMT " is there already", TN_STR_ARG(c->target.shown));
            return TN_OK;
        }
        return tn_fail(
            err, TN_E_EXISTS, "'" TN_STR_FMT "' is there already", TN_STR_ARG(c->target.shown));
    }
    if (!tn_token_is(c->t, c->at, "as") || c->at + 1 >= c->t->n) {
        return tn_fail(err, TN_E_SYNTAX, "AS and a query must follow the name of the view");
    }
    tn_str query, written = tn_str_n(c->t->v[c->at + 1].text.p,
                      (size_t)(c->statement.p + c->statement.n - c->t->v[c->at + 1].text.p));
    TN_TRY(tn_sql_rest(c->s, c->a, c->statement, c->t, c->at + 1, &query, err));
    if (!tn_str_eq(query, written)) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "a view of the lake can only name its relations, no delta.\"..\" and no older "
            "versions");
        return tn_hint(err, rc, "its tables are read at the versions that the environment pins");
    }
    tn_val columns; /* it must make sense before it is published */
    TN_TRY(tn_conn_describe(c->s->conn, c->a, query, &columns, err));
    tn_pin pin = { .schema = c->target.at.schema,
        .name = c->target.at.name,
        .kind = TN_PIN_VIEW,
        .sql = tn_str_trim(written) };
    c->ret->note = tn_str_printf(c->a, "created view " TN_STR_FMT, TN_STR_ARG(c->target.shown));
    return change_pins(c, &pin, "create view", err);
}

/* CREATE [OR REPLACE] [TEMP..] TABLE|VIEW [IF NOT EXISTS] name .. */
static tn_rc run_create(change *c, bool *ret_done, tn_err *err)
{
    const tn_tokens *t = c->t;
    size_t i = 1;
    bool replace = tn_token_are(t, i, "or replace");
    i += replace ? 2 : 0;
    bool table = tn_token_is(t, i, "table"), view = tn_token_is(t, i, "view");
    if (!table && !view) {
        return TN_OK;
    }
    i++;
    bool if_not_exists = tn_token_are(t, i, "if not exists");
    c->at = i + (if_not_exists ? 3 : 0);
    TN_TRY(tn_sql_target_at(c->s, c->a, t, &c->at, &c->target, err));
    if (c->target.local && (c->s->opts.places_only || c->target.at.location.n > 0)) {
        return TN_OK;
    }
    size_t dots = i + (if_not_exists ? 3 : 0);
    if (c->target.local && tn_token_is(t, dots + 1, ".")) {
        return TN_OK; /* another database's */
    }
    *ret_done = true;
    if (view) {
        if (c->target.at.schema.n == 0 && !c->target.local) {
            return tn_fail(err, TN_E_UNSUPPORTED, "a view cannot be made at a place");
        }
        TN_TRY(tn_sql_need_lake_name(c, "view", err));
        return create_view(c, replace, if_not_exists, err);
    }
    return tn_sql_create_table(c, replace, if_not_exists, err);
}

/* ---- INSERT ---- */

typedef struct insert {
    bool overwrite, by_name;
    tn_strs columns;
    tn_sql_part part;
} insert;

static size_t place_in(const tn_strs *names, tn_str name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (tn_str_eq_nocase(names->v[i], name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static tn_rc check_columns(
    const change *c, const tn_strs *columns, const tn_delta_type *schema, tn_err *err)
{
    for (size_t i = 0; i < columns->n; i++) {
        bool found = false;
        for (size_t k = 0; k < schema->fields.n; k++) {
            found = found || tn_str_eq_nocase(schema->fields.v[k].name, columns->v[i]);
        }
        if (!found) {
            return tn_fail(err, TN_E_NAME, "table '" TN_STR_FMT "' has no column '" TN_STR_FMT "'",
                TN_STR_ARG(c->target.shown), TN_STR_ARG(columns->v[i]));
        }
        if (place_in(columns, columns->v[i]) != i) {
            return tn_fail(err, TN_E_NAME, "column '" TN_STR_FMT "' is named twice",
                TN_STR_ARG(columns->v[i]));
        }
    }
    return TN_OK;
}

/* The columns that the query's columns are for, in the query's order. */
static tn_rc settle_columns(change *c, const insert *in, tn_str query, const tn_delta_type *schema,
    tn_strs *ret, tn_err *err)
{
    tn_val list;
    TN_TRY(tn_conn_describe(c->s->conn, c->a, query, &list, err));
    tn_strs out = in->columns;
    for (size_t i = 0; in->by_name && i < list.list->n; i++) {
        tn_vec_push(&out, c->a, tn_val_as_str(list.list->v[i].list->v[0]));
    }
    for (size_t i = 0; out.n == 0 && i < schema->fields.n && !in->by_name; i++) {
        for (size_t k = 0; k < schema->fields.n; k++) {
            if (tn_sql_part_value(&in->part, schema->fields.v[k].name) == NULL) {
                tn_vec_push(&out, c->a, schema->fields.v[k].name);
            }
        }
    }
    TN_TRY(check_columns(c, &out, schema, err));
    TN_TRY(check_columns(c, &in->part.names, schema, err));
    if (out.n != list.list->n) {
        tn_rc rc = tn_fail(err, TN_E_SQL,
            "table '" TN_STR_FMT "': %zu columns are wanted, the query gives %zu",
            TN_STR_ARG(c->target.shown), out.n, list.list->n);
        return tn_hint(err, rc,
            "name the columns: INSERT INTO t (a, b) SELECT .., or INSERT INTO t BY NAME SELECT ..");
    }
    *ret = out;
    return TN_OK;
}

typedef struct fitting {
    const insert *in;
    const tn_strs *columns; /* that the query gives */
    const tn_delta_type *schema;
    const tn_sql_defaults *defaults;
} fitting;

/* The value for a column: of PARTITION (p = v), or the query's; empty: the table fills it in. A column that is DEFAULT in every row counts as left out. */
static tn_str fitted_value(change *c, const fitting *f, tn_str name)
{
    const tn_str *given = tn_sql_part_value(&f->in->part, name);
    size_t from = place_in(f->columns, name);
    if (given != NULL) {
        return *given;
    }
    return from == SIZE_MAX || tn_sql_all_default(f->defaults, from)
               ? TN_STR_NONE
               : tn_str_printf(c->a, "c%zu", from);
}

static void add_cast(tn_buf *b, tn_str value, const tn_delta_field *f)
{
    tn_buf_addf(b, "CAST(" TN_STR_FMT " AS ", TN_STR_ARG(value));
    tn_delta_type_to_sql(b, f->type);
    tn_buf_addz(b, ") AS ");
    tn_sql_ident(b, f->name);
}

static tn_str fitted_query(change *c, const fitting *f)
{
    tn_buf b = tn_buf_init(c->a, SQL_BYTES_MAX);
    bool any = false;
    tn_buf_addz(&b, "SELECT ");
    for (size_t i = 0; i < f->schema->fields.n; i++) {
        tn_str value = fitted_value(c, f, f->schema->fields.v[i].name);
        if (value.n > 0) {
            tn_buf_addz(&b, any ? ", " : "");
            add_cast(&b, value, &f->schema->fields.v[i]);
            any = true;
        }
    }
    if (!any) { /* rows of defaults only */
        add_cast(&b, TN_STR("NULL"), &f->schema->fields.v[0]);
    }
    tn_buf_addz(&b, " FROM (");
    tn_buf_add(&b, f->defaults->query);
    tn_buf_addz(&b, "\n) AS q(");
    for (size_t i = 0; i < f->columns->n; i++) {
        tn_buf_addf(&b, i == 0 ? "c%zu" : ", c%zu", i);
    }
    tn_buf_addc(&b, ')');
    return tn_buf_str(&b);
}

static tn_rc insert_rows(change *c, const insert *in, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    bool there = false;
    if (c->target.at.pin != NULL && c->target.at.pin->kind != TN_PIN_DELTA) {
        return tn_fail(err, TN_E_SQL, "'" TN_STR_FMT "' is no Delta table: nothing can be inserted",
            TN_STR_ARG(c->target.shown));
    }
    TN_TRY(tn_sql_table_of(c, &table, &there, err));
    if (!there) {
        tn_rc rc = tn_fail(
            err, TN_E_NOTFOUND, "there is no table '" TN_STR_FMT "'", TN_STR_ARG(c->target.shown));
        return tn_hint(err, rc,
            "make it with CREATE TABLE .. AS SELECT, or 'tarn land'; 'tarn table ls' lists what is "
            "there");
    }
    TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
    TN_TRY(tn_delta_snapshot_recent(table, c->s->conn, &snap, NULL, err));
    if (snap == NULL) {
        return tn_fail(
            err, TN_E_NOTFOUND, "the table '" TN_STR_FMT "' is gone", TN_STR_ARG(c->target.shown));
    }
    const tn_delta_type *schema = tn_delta_snapshot_meta(snap)->schema;
    tn_str query;
    tn_strs columns = { 0 };
    TN_TRY(tn_sql_rest(c->s, c->a, c->statement, c->t, c->at, &query, err));
    tn_sql_defaults defaults;
    TN_TRY(tn_sql_take_defaults(c->a, query, &defaults, err));
    TN_TRY(settle_columns(c, in, defaults.query, schema, &columns, err));
    TN_TRY(tn_sql_put_defaults(c->a, &defaults, &columns, schema, err));
    tn_delta_write_opts wo = { .mode = TN_DELTA_APPEND, .looked = true };
    tn_sql_part_options(&in->part, in->overwrite, &wo);
    bool over = wo.mode == TN_DELTA_OVERWRITE;
    tn_delta_write_result wr;
    fitting f = { .in = in, .columns = &columns, .schema = schema, .defaults = &defaults };
    TN_TRY(tn_delta_write(table, c->s->conn,
        tn_sql_pruned(c->s, c->a, fitted_query(c, &f), TN_STR_NONE), &wo, &wr, err));
    bool part = wo.dynamic_partitions || wo.replace_where.n > 0;
    tn_str gone = part ? tn_str_printf(c->a, " %lld of", (long long)wr.deleted) : TN_STR_NONE;
    c->ret->note = tn_str_printf(c->a,
        "%s %lld row%s %s" TN_STR_FMT " " TN_STR_FMT ", version %lld", over ? "wrote" : "inserted",
        (long long)wr.rows, plural(wr.rows), over ? "over" : "into", TN_STR_ARG(gone),
        TN_STR_ARG(c->target.shown), (long long)wr.version);
    return publish(c, wr.version, over ? "overwrite" : "insert into", err);
}

/* INSERT INTO|OVERWRITE [TABLE] name [PARTITION (..)] [(columns) | BY NAME | BY POSITION] [REPLACE WHERE ..] query */
static tn_rc run_insert(change *c, bool *ret_done, tn_err *err)
{
    const tn_tokens *t = c->t;
    insert in = { .overwrite = tn_token_is(t, 1, "overwrite") };
    if (!in.overwrite && !tn_token_is(t, 1, "into")) {
        return TN_OK; /* INSERT OR REPLACE ..: DuckDB's tables only */
    }
    c->at = 2;
    c->at += in.overwrite && tn_token_is(t, c->at, "into");
    c->at += tn_token_is(t, c->at, "table") && tn_token_is_name(t, c->at + 1);
    TN_TRY(tn_sql_target_at(c->s, c->a, t, &c->at, &c->target, err));
    if (c->target.local) {
        return TN_OK;
    }
    *ret_done = true;
    TN_TRY(tn_sql_take_partition(c->a, t, &c->at, &in.part, err));
    if (tn_token_is(t, c->at, "(") && !tn_token_is(t, c->at + 1, "select") &&
        !tn_token_is(t, c->at + 1, "with") && !tn_token_is(t, c->at + 1, "from") &&
        !tn_token_is(t, c->at + 1, "values") && !tn_token_is(t, c->at + 1, "(")) {
        TN_TRY(tn_sql_take_names(c, &in.columns, err));
    } else if (tn_token_are(t, c->at, "by name") || tn_token_are(t, c->at, "by position")) {
        in.by_name = tn_token_are(t, c->at, "by name");
        c->at += 2;
    }
    TN_TRY(tn_sql_take_replace(t, &c->at, &in.part, err));
    if (c->at >= t->n || tn_token_are(t, c->at, "default values")) {
        return tn_fail(err, TN_E_SYNTAX, "a query or VALUES must follow");
    }
    return insert_rows(c, &in, err);
}

/* ---- DROP ---- */

static tn_rc run_drop(change *c, bool *ret_done, tn_err *err)
{
    const tn_tokens *t = c->t;
    bool view = tn_token_is(t, 1, "view");
    if (!view && !tn_token_is(t, 1, "table")) {
        return TN_OK;
    }
    bool if_exists = tn_token_are(t, 2, "if exists");
    c->at = if_exists ? 4 : 2;
    TN_TRY(tn_sql_target_at(c->s, c->a, t, &c->at, &c->target, err));
    if (c->target.local) {
        return TN_OK;
    }
    *ret_done = true;
    const tn_pin *pin = c->target.at.pin;
    if (pin == NULL) {
        c->ret->note = tn_str_printf(c->a, "environment '" TN_STR_FMT "' does not pin " TN_STR_FMT,
            TN_STR_ARG(c->s->opts.env), TN_STR_ARG(c->target.shown));
        tn_rc rc =
            if_exists ? TN_OK : tn_fail(err, TN_E_NOTFOUND, TN_STR_FMT, TN_STR_ARG(c->ret->note));
        return if_exists ? rc
                         : tn_hint(err, rc,
                               "DROP takes a table out of the environment; its files are yours to "
                               "remove");
    }
    if (view != (pin->kind == TN_PIN_VIEW)) {
        return tn_fail(err, TN_E_SQL, "'" TN_STR_FMT "' is a %s: use DROP %s",
            TN_STR_ARG(c->target.shown), view ? "table" : "view", view ? "TABLE" : "VIEW");
    }
    if (view) {
        c->ret->note = tn_str_printf(c->a, "dropped view " TN_STR_FMT, TN_STR_ARG(c->target.shown));
    } else {
        c->ret->note = tn_str_printf(c->a,
            "dropped " TN_STR_FMT " from environment '" TN_STR_FMT
            "'; its data is kept in '" TN_STR_FMT "'",
            TN_STR_ARG(c->target.shown), TN_STR_ARG(c->s->opts.env),
            TN_STR_ARG(c->target.at.location));
    }
    return change_pins(c, NULL, "drop", err);
}

/* ---- what cannot be done yet ---- */

static tn_rc refuse_if_ours(change *c, const char *what, tn_err *err)
{
    if (!tn_token_is_name(c->t, c->at)) {
        return TN_OK;
    }
    TN_TRY(tn_sql_target_at(c->s, c->a, c->t, &c->at, &c->target, err));
    if (c->target.local) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
        "%s of the Delta table '" TN_STR_FMT "' is not supported yet", what,
        TN_STR_ARG(c->target.shown));
    return tn_hint(err, rc,
        "write the wanted rows: INSERT OVERWRITE t SELECT .. FROM t WHERE .., or CREATE OR REPLACE "
        "TABLE t AS SELECT ..");
}

static tn_rc refuse(change *c, tn_err *err)
{
    static const struct {
        const char *words, *what;
    } table[] = { { "alter view", "ALTER" }, { "insert or", "INSERT OR" } };
    for (size_t i = 0; i < TN_COUNTOF(table); i++) {
        if (tn_token_are(c->t, 0, table[i].words)) {
            c->at = 1;
            for (const char *p = table[i].words; *p != '\0'; p++) {
                c->at += *p == ' ';
            }
            c->at += tn_token_are(c->t, c->at, "if exists") ? 2 : 0;
            return refuse_if_ours(c, table[i].what, err);
        }
    }
    return TN_OK;
}

tn_rc tn_lake_sql_write(tn_lake_sql *s, tn_arena *a, tn_str statement, const tn_tokens *t,
    tn_lake_sql_result *ret, bool *ret_done, tn_err *err)
{
    change c = { .s = s, .a = a, .statement = statement, .t = t, .ret = ret };
    *ret_done = false;
    if (tn_token_is(t, 0, "create")) {
        return run_create(&c, ret_done, err);
    }
    if (tn_token_is(t, 0, "insert") && !tn_token_is(t, 1, "or")) {
        return run_insert(&c, ret_done, err);
    }
    if (tn_token_is(t, 0, "drop")) {
        return run_drop(&c, ret_done, err);
    }
    TN_TRY(tn_sql_alter(&c, ret_done, err));
    if (*ret_done) {
        return TN_OK;
    }
    TN_TRY(tn_lake_sql_dml(s, a, statement, t, ret, ret_done, err));
    return *ret_done ? TN_OK : refuse(&c, err);
}
