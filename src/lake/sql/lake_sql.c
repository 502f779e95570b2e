/* lake_sql.c: a SQL session over a lake: finds the names in a statement, makes views of what they mean, lets DuckDB run it.
 *
 * Only what a statement names is opened: a lake of a thousand tables costs nothing until they are asked for. A name means, in this order: a pin of the
 * environment, then a Delta table at <lake>/<schema>/<name>. Statements that look at the catalog itself (SHOW TABLES, information_schema, ..) get all.
 */
#include "lake/lake_sql.h"
#include "lake/lake_env.h"
#include "lake/sql/lake_session.h"

#include "base/log.h"
#include "os/file.h"
#include "os/thread.h"
#include "text/sqltext.h"
#include "text/timetext.h"
#include "text/uri.h"

enum { SQL_BYTES_MAX = 256 << 20, NESTED_TEXT_MAX = 1 << 20, NESTING_MAX = 16, FAR_THREADS = 8 };

typedef struct reader {
    tn_lake_sql *s;
    tn_arena *a;
    int depth;             /* of views over views, strings in strings */
    bool lenient;          /* a relation that cannot be read is noted, not an error */
    const tn_map *aliases; /* of the statement that is read; NULL: not looked for */
    bool pinned_only;      /* the name is a column's unless the environment pins it */
} reader;

static tn_rc attach_text(const reader *r, tn_str sql, tn_err *err);

/* ---- opening ---- */

static tn_rc read_head(tn_lake_sql *s, bool recent, tn_err *err)
{
    tn_arena *a = tn_arena_new("sql head", NULL);
    tn_lake_head head = { .commit = -1 };
    tn_lake_ref at;
    tn_rc rc = TN_OK;
    if (!s->opts.places_only && s->opts.at.n > 0) {
        rc = tn_lake_ref_read(s->lake, a, s->opts.env, s->opts.at, &at, err);
        head = rc == TN_OK ? (tn_lake_head){ .commit = at.commit, .pins = at.pins } : head;
    } else if (!s->opts.places_only) {
        rc = recent ? tn_lake_head_recent(s->lake, a, s->opts.env, &head, err)
                    : tn_lake_head_read(s->lake, a, s->opts.env, &head, err);
    }
    if (rc != TN_OK) {
        tn_arena_free(a);
        return rc;
    }
    tn_arena_free(s->head_arena);
    tn_sql_forget_probes(s); /* they lie in the arena that ends here */
    s->head_arena = a;
    s->head = head;
    s->made = tn_map_init(a);
    s->snapshots = tn_map_init(a);
    return TN_OK;
}

tn_rc tn_sql_refresh(tn_lake_sql *s, tn_err *err)
{
    return read_head(s, true, err);
}

/* A thread of DuckDB's waits for each request to a bucket, so there are more of them than processors, unless somebody has said how many. */
static tn_rc more_threads(tn_lake_sql *s, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("threads", NULL);
    tn_val now;
    TN_TRY(
        tn_conn_scalar(s->conn, a, TN_STR("SELECT current_setting('threads')::BIGINT"), &now, err));
    bool chosen = now.tag != TN_INT || now.i != tn_cpu_count();
    return chosen || now.i >= FAR_THREADS
               ? TN_OK
               : tn_conn_set(s->conn, "threads", tn_val_int(FAR_THREADS), true, err);
}

tn_rc tn_lake_sql_open(
    tn_lake *l, tn_conn *conn, const tn_lake_sql_opts *opts, tn_lake_sql **ret, tn_err *err)
{
    tn_arena *a = tn_arena_new("lake sql", NULL);
    tn_lake_sql *s = tn_new(a, tn_lake_sql);
    *s = (tn_lake_sql){ .arena = a, .lake = l, .conn = conn, .opts = *opts };
    s->opts.env = tn_str_dup(a, opts->env);
    s->opts.at = tn_str_dup(a, opts->at);
    s->schemas = tn_map_init(a);
    tn_rc rc = read_head(s, false, err);
    rc = rc == TN_OK && l->far ? more_threads(s, err) : rc;
    if (rc != TN_OK) {
        tn_lake_sql_close(s);
        return rc;
    }
    *ret = s;
    return TN_OK;
}

void tn_lake_sql_close(tn_lake_sql *s)
{
    if (s != NULL) {
        tn_arena_free(s->head_arena);
        tn_arena_free(s->arena);
    }
}

/* ---- one relation as a view ---- */

static tn_rc ensure_schema(tn_lake_sql *s, tn_str schema, tn_err *err)
{
    tn_str key = tn_str_lower(s->arena, schema);
    if (tn_map_find(&s->schemas, key) != NULL) {
        return TN_OK;
    }
    TN_AUTO_ARENA a = tn_arena_new("schema", NULL);
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "CREATE SCHEMA IF NOT EXISTS memory.");
    tn_sql_ident(&b, schema);
    TN_TRY(tn_conn_exec(s->conn, tn_buf_str(&b), err));
    tn_map_put(&s->schemas, key, s);
    return TN_OK;
}

tn_str tn_sql_relation_text(tn_arena *a, tn_str schema, tn_str name)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "memory.");
    tn_sql_ident(&b, schema);
    tn_buf_addc(&b, '.');
    tn_sql_ident(&b, name);
    return tn_buf_str(&b);
}

static tn_rc version_at(tn_lake_sql *s, const tn_pin *pin, int64_t ms, int64_t *ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_TRY(tn_lake_table_open(s->lake, pin->location, &table, err));
    TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
    TN_TRY(tn_delta_snapshot_at_time(table, s->conn, ms, &snap, err));
    *ret = tn_delta_snapshot_version(snap);
    return TN_OK;
}

static void drop_snapshot(void *p)
{
    tn_delta_snapshot_unref(p);
}

/* A table names a file that is not there, or the environment pins a version that is gone. Who asks for a version or place that never was is told so, no more. */
static bool is_gone(const tn_lake_sql *s, const tn_pin *pin, tn_rc rc)
{
    return rc == TN_E_NOTFOUND && tn_pins_find(&s->head.pins, pin->schema, pin->name) != NULL;
}

static tn_rc hint_lost(bool gone, tn_rc rc, tn_err *err)
{
    if (!gone && !tn_conn_err_lost_file(err)) {
        return rc;
    }
    tn_conn_err_cite(err, TN_STR(""));
    return tn_hint(err, rc,
        "'tarn table check' tells all that is missing; 'tarn table restore' goes back to a version "
        "that is whole, 'tarn table repair' goes on without the lost files; of a table that "
        "another program has made anew, 'tarn lake publish --newest' takes what is there now");
}

/* A Delta table's snapshot stays for as long as its view: queries are narrowed by it (lake_sql_prune.c). */
static tn_rc make_delta_view(tn_lake_sql *s, const tn_pin *pin, tn_str key, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("sql view", NULL);
    TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
    tn_str sql;
    tn_delta_scan_opts so = { .conn = s->conn };
    tn_rc rc = tn_lake_pin_open(s->lake, s->conn, pin, &snap, err);
    rc = rc == TN_OK ? tn_delta_scan_sql(snap, a, &so, &sql, err) : rc;
    if (rc != TN_OK) {
        /* Who failed has named the place itself. */
        rc = tn_pin_is_place(pin)
                 ? rc
                 : tn_while(err, rc, "reading '" TN_STR_FMT "'", TN_STR_ARG(tn_pin_shown(a, pin)));
        return hint_lost(is_gone(s, pin, rc), rc, err);
    }
    rc = tn_lake_view_of(s->conn, TN_STR("memory"), pin, sql, err);
    if (rc != TN_OK) {
        return hint_lost(is_gone(s, pin, rc), rc, err);
    }
    tn_arena_defer(s->head_arena, drop_snapshot, snap);
    tn_map_put(&s->snapshots, key, snap);
    snap = NULL;
    return TN_OK;
}

/* Makes the view of a pin under (schema, name), unless it is there already. */
static tn_rc make_view(const reader *r, const tn_pin *pin, tn_err *err)
{
    tn_lake_sql *s = r->s;
    tn_str key =
        tn_str_lower(s->head_arena, tn_sql_relation_text(s->head_arena, pin->schema, pin->name));
    if (tn_map_find(&s->made, key) != NULL) {
        return TN_OK;
    }
    if (r->depth > NESTING_MAX) {
        return tn_fail(err, TN_E_LIMIT, "views are nested deeper than %d", NESTING_MAX);
    }
    tn_map_put(&s->made, key, s); /* before looking into it: a view that names itself ends here */
    tn_rc rc = TN_OK;
    if (pin->kind == TN_PIN_VIEW) {
        reader inner = { .s = s, .a = r->a, .depth = r->depth + 1, .lenient = r->lenient };
        rc = attach_text(&inner, pin->sql, err);
    }
    rc = rc == TN_OK ? ensure_schema(s, pin->schema, err) : rc;
    if (rc == TN_OK) {
        rc = pin->kind == TN_PIN_DELTA
                 ? make_delta_view(s, pin, key, err)
                 : tn_lake_view_make(s->lake, s->conn, TN_STR("memory"), pin, false, err);
    }
    if (rc == TN_OK) {
        return TN_OK;
    }
    (void)tn_map_remove(&s->made, key);
    if (r->lenient && rc != TN_E_CANCELLED) {
        s->skipped =
            tn_str_printf(s->head_arena, TN_STR_FMT "." TN_STR_FMT ": %s", TN_STR_ARG(pin->schema),
                TN_STR_ARG(pin->name), err != NULL ? err->msg : tn_rc_text(rc));
        tn_err_clear(err);
        return TN_OK;
    }
    return rc;
}

/* ---- names ---- */

/* A pin, or a table that nobody pins. */
static bool find_relation(const reader *r, tn_str schema, tn_str name, tn_pin *ret)
{
    const tn_pin *pin = tn_pins_find(&r->s->head.pins, schema, name);
    if (pin != NULL) {
        *ret = *pin;
        return true;
    }
    if (r->pinned_only || !tn_sql_lies_in_lake(r->s, r->a, schema, name)) {
        return false;
    }
    *ret = (tn_pin){ .schema = schema,
        .name = name,
        .kind = TN_PIN_DELTA,
        .version = -1,
        .location = tn_lake_default_location(r->a, schema, name) };
    return true;
}

/* --at of the session; the pins of a lake commit say their versions themselves. */
static tn_rc apply_at(tn_lake_sql *s, tn_pin *pin, tn_err *err)
{
    if (s->opts.at.n > 0 && pin->version >= 0) {
        return TN_OK;
    }
    if (pin->kind == TN_PIN_DELTA && s->opts.at_version >= 0) {
        pin->version = s->opts.at_version;
    } else if (pin->kind == TN_PIN_DELTA && s->opts.at_ms != INT64_MIN) {
        TN_TRY(version_at(s, pin, s->opts.at_ms, &pin->version, err));
    }
    return TN_OK;
}

static tn_rc attach_relation(const reader *r, tn_str schema, tn_str name, tn_err *err)
{
    tn_pin pin;
    if (!find_relation(r, schema, name, &pin)) {
        return TN_OK;
    }
    TN_TRY(apply_at(r->s, &pin, err));
    return make_view(r, &pin, err);
}

static tn_rc attach_all(const reader *r, tn_err *err)
{
    reader all = *r;
    all.lenient = true;
    tn_pins list;
    size_t pinned;
    if (r->s->opts.places_only) {
        return TN_OK;
    }
    TN_TRY(tn_lake_relations(r->s->lake, r->a, r->s->opts.env, &list, &pinned, err));
    for (size_t i = 0; i < list.n; i++) {
        TN_TRY(attach_relation(&all, list.v[i].schema, list.v[i].name, err));
    }
    return TN_OK;
}

/* ---- places: delta."/path" ---- */

static tn_rc place_pin(tn_arena *a, tn_str place, tn_pin *ret, tn_err *err)
{
    tn_str location = place;
    if (!tn_uri_is_remote(place)) {
        TN_TRY(tn_file_absolute(a, place, &location, err));
    }
    *ret = (tn_pin){ .schema = TN_STR("delta"),
        .name = place,
        .kind = TN_PIN_DELTA,
        .version = -1,
        .location = location };
    return TN_OK;
}

static bool is_place(const tn_tokens *t, size_t i)
{
    return (i == 0 || !tn_token_is(t, i - 1, ".")) && tn_token_is(t, i, "delta") &&
           tn_token_is(t, i + 1, ".") && i + 2 < t->n && t->v[i + 2].kind == TN_TOKEN_QUOTED;
}

/* ---- a statement's text ---- */

typedef struct writer {
    tn_buf out;
    const char *copied; /* the statement is copied up to here */
} writer;

static void replace(writer *w, const tn_tokens *t, size_t from, size_t to, tn_str text)
{
    const tn_token *last = &t->v[to - 1];
    tn_buf_add(&w->out, tn_str_n(w->copied, (size_t)(t->v[from].text.p - w->copied)));
    tn_buf_add(&w->out, text);
    w->copied = last->text.p + last->text.n;
}

/* The relation named by tokens [from, to), read at an older version: a view in a schema of its own, so that its name stays. */
static tn_rc attach_travel(
    const reader *r, tn_pin pin, const tn_sql_travel *v, tn_str *ret, tn_err *err)
{
    if (pin.kind != TN_PIN_DELTA) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "'" TN_STR_FMT "." TN_STR_FMT "' is no Delta table and has no older versions",
            TN_STR_ARG(pin.schema), TN_STR_ARG(pin.name));
    }
    pin.version = v->version;
    if (v->version < 0) {
        TN_TRY(version_at(r->s, &pin, v->ms, &pin.version, err));
    }
    pin.schema =
        tn_str_printf(r->a, TN_STR_FMT "@v%lld", TN_STR_ARG(pin.schema), (long long)pin.version);
    TN_TRY(make_view(r, &pin, err));
    *ret = tn_sql_relation_text(r->a, pin.schema, pin.name);
    return TN_OK;
}

static tn_rc rewrite_place(const reader *r, writer *w, const tn_tokens *t, size_t *at, tn_err *err)
{
    size_t from = *at, to = from + 3;
    tn_pin pin;
    tn_sql_travel v;
    TN_TRY(place_pin(r->a, tn_token_value(r->a, &t->v[from + 2]), &pin, err));
    TN_TRY(tn_sql_read_travel(r->a, t, &to, &v, err));
    tn_str text = tn_sql_relation_text(r->a, pin.schema, pin.name);
    if (v.wanted) {
        TN_TRY(attach_travel(r, pin, &v, &text, err));
    } else {
        TN_TRY(apply_at(r->s, &pin, err));
        TN_TRY(make_view(r, &pin, err));
    }
    replace(w, t, from, to, text);
    *at = to;
    return TN_OK;
}

/* Names in a string: query('..'), PREPARE, EXECUTE IMMEDIATE. What is none is no harm. */
static tn_rc look_into_string(const reader *r, const tn_token *t, tn_err *err)
{
    tn_str text = tn_token_value(r->a, t);
    if (text.n > NESTED_TEXT_MAX || r->depth >= NESTING_MAX ||
        tn_str_find_char(text, '.', 0) == SIZE_MAX) {
        return TN_OK;
    }
    tn_tokens inside;
    if (tn_sql_tokens(r->a, text, &inside, NULL) != TN_OK || !tn_token_is_name(&inside, 0)) {
        return TN_OK;
    }
    reader inner = { .s = r->s, .a = r->a, .depth = r->depth + 1, .lenient = true };
    return attach_text(&inner, text, err);
}

static tn_rc rewrite_name(const reader *all, writer *w, const tn_tokens *t, size_t *at, tn_err *err)
{
    size_t from = *at, to = from;
    tn_strs parts = { 0 };
    reader own = *all, *r = &own;
    own.pinned_only = tn_token_is(t, from + 1, ".") && all->aliases != NULL &&
                      tn_sql_is_member(all->a, all->aliases, t, from);
    (void)tn_token_dotted(r->a, t, &to, &parts);
    *at = to;
    tn_str schema = r->s->use_schema;
    if (parts.n == 1 && (schema.n == 0 || tn_token_is(t, to, "("))) {
        return TN_OK;
    }
    for (size_t i = 0; i + 1 < parts.n; i++) {
        TN_TRY(attach_relation(r, parts.v[i], parts.v[i + 1], err));
    }
    if (parts.n == 1) {
        TN_TRY(attach_relation(r, schema, parts.v[0], err));
    }
    tn_sql_travel v = { 0 };
    tn_pin pin;
    size_t after = to;
    TN_TRY(tn_sql_read_travel(r->a, t, &after, &v, err));
    if (!v.wanted || !find_relation(r, parts.n == 1 ? schema : parts.v[parts.n - 2],
                         parts.v[parts.n - 1], &pin)) {
        return TN_OK;
    }
    tn_str text;
    TN_TRY(attach_travel(r, pin, &v, &text, err));
    replace(w, t, from, after, text);
    *at = after;
    return TN_OK;
}

static bool asks_for_all(const tn_tokens *t)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->v[i].kind != TN_TOKEN_WORD) {
            continue;
        }
        TN_AUTO_ARENA a = tn_arena_new("word", NULL);
        tn_str word = tn_str_lower(a, t->v[i].text);
        if (tn_str_is(word, "information_schema") || tn_str_is(word, "sqlite_master") ||
            tn_str_starts(word, TN_STR("duckdb_")) || tn_str_starts(word, TN_STR("pg_")) ||
            (i == 0 && tn_str_is(word, "show")) ||
            (i == 0 && t->n == 1 && tn_str_is(word, "describe"))) {
            return true;
        }
    }
    return false;
}

/* Tokens from i on: makes everything readable and gives the text with places and versions replaced. */
static tn_rc rewrite(
    const reader *outer, tn_str sql, const tn_tokens *t, size_t i, tn_str *ret, tn_err *err)
{
    reader own = *outer;
    const reader *r = &own;
    tn_map aliases = tn_sql_aliases(r->a, t);
    own.aliases = &aliases;
    writer w = { .out = tn_buf_init(r->a, SQL_BYTES_MAX),
        .copied = i < t->n ? t->v[i].text.p : sql.p + sql.n };
    if (asks_for_all(t)) {
        TN_TRY(attach_all(r, err));
    }
    while (i < t->n) {
        bool inner = i > 0 && tn_token_is(t, i - 1, ".");
        if (tn_sql_is_changes(t, i)) {
            size_t from = i;
            tn_str text;
            TN_TRY(tn_sql_changes(r->s, r->a, t, &i, &text, err));
            replace(&w, t, from, i, text);
        } else if (is_place(t, i)) {
            TN_TRY(rewrite_place(r, &w, t, &i, err));
        } else if (tn_token_is_name(t, i) && !inner) {
            TN_TRY(rewrite_name(r, &w, t, &i, err));
        } else {
            if (t->v[i].kind == TN_TOKEN_STRING) {
                TN_TRY(look_into_string(r, &t->v[i], err));
            }
            i++;
        }
    }
    tn_buf_add(&w.out, tn_str_n(w.copied, (size_t)(sql.p + sql.n - w.copied)));
    return tn_buf_finish(&w.out, "a statement", ret, err);
}

static tn_rc attach_text(const reader *r, tn_str sql, tn_err *err)
{
    tn_tokens t;
    tn_str ignored;
    TN_TRY(tn_sql_tokens(r->a, sql, &t, err));
    return rewrite(r, sql, &t, 0, &ignored, err);
}

tn_rc tn_sql_rest(tn_lake_sql *s, tn_arena *a, tn_str statement, const tn_tokens *t, size_t i,
    tn_str *ret, tn_err *err)
{
    reader r = { .s = s, .a = a };
    return rewrite(&r, statement, t, i, ret, err);
}

/* ---- running ---- */

static bool gives_rows(const tn_tokens *t)
{
    static const char *const words[] = { "select", "with", "from", "values", "table", "pivot",
        "unpivot", "(" };
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        if (tn_token_is(t, 0, words[i])) {
            return true;
        }
    }
    return false;
}

tn_rc tn_lake_sql_prepare(
    tn_lake_sql *s, tn_arena *a, tn_str statement, tn_str *ret_sql, bool *ret_query, tn_err *err)
{
    tn_tokens t;
    tn_str sql;
    TN_TRY(tn_sql_tokens(a, statement, &t, err));
    tn_sql_forget_probes(s);
    s->skipped = TN_STR_NONE;
    TN_TRY(tn_sql_rest(s, a, statement, &t, 0, &sql, err));
    *ret_query = gives_rows(&t);
    *ret_sql = sql;
    return TN_OK;
}

static bool schema_is_known(tn_lake_sql *s, tn_arena *a, tn_str schema)
{
    for (size_t i = 0; i < s->head.pins.n; i++) {
        if (tn_str_eq_nocase(s->head.pins.v[i].schema, schema)) {
            return true;
        }
    }
    tn_store_list_opts lo = { .prefix = tn_str_concat(a, schema, TN_STR("/")), .items_max = 1 };
    tn_store_items items = { 0 };
    return !s->opts.places_only && tn_lake_plain_name(schema) &&
           tn_store_list(tn_lake_store(s->lake), a, &lo, &items, NULL) == TN_OK && items.n > 0;
}

/* USE schema: DuckDB must know the schema, and names without one mean it from now on. */
static tn_rc note_use(tn_lake_sql *s, tn_arena *a, const tn_tokens *t, tn_err *err)
{
    size_t at = 1;
    tn_strs parts;
    if (!tn_token_is(t, 0, "use") || !tn_token_dotted(a, t, &at, &parts)) {
        return TN_OK;
    }
    tn_str schema = parts.v[parts.n - 1];
    bool own = tn_str_eq_nocase(schema, TN_STR("main")) ||
               tn_str_eq_nocase(schema, TN_STR("memory")) ||
               tn_str_eq_nocase(schema, TN_STR("temp"));
    if (!own && schema_is_known(s, a, schema)) {
        TN_TRY(ensure_schema(s, schema, err));
    }
    s->use_schema = own ? TN_STR_NONE : tn_str_dup(s->arena, schema);
    return TN_OK;
}

static tn_rc run_there(tn_lake_sql *s, tn_str sql, bool stream, tn_result **ret, tn_err *err)
{
    tn_rc rc =
        stream ? tn_conn_stream(s->conn, sql, ret, err) : tn_conn_query(s->conn, sql, ret, err);
    if (rc != TN_OK && s->skipped.n > 0) {
        return tn_hint(err, rc, "not readable: " TN_STR_FMT, TN_STR_ARG(s->skipped));
    }
    return rc;
}

/* What does not run narrowed runs as it is: then errors cite what the user wrote. */
static tn_rc run_narrowed(
    tn_lake_sql *s, tn_arena *a, tn_str sql, bool stream, tn_result **ret, tn_err *err)
{
    tn_err ignored = TN_ERR_INIT;
    tn_str narrow;
    if (!tn_sql_prune(s, a, sql, &narrow)) {
        return run_there(s, sql, stream, ret, err);
    }
    tn_rc rc = stream ? tn_conn_stream(s->conn, narrow, ret, &ignored)
                      : tn_conn_query(s->conn, narrow, ret, &ignored);
    return rc == TN_OK ? rc : run_there(s, sql, stream, ret, err);
}

/* A session that looks back cannot change what has gone on since. */
static tn_rc refuse_change(const tn_lake_sql *s, const tn_tokens *t, tn_err *err)
{
    static const char *const WRITES[] = { "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE",
        "ALTER", "DROP", "OPTIMIZE", "VACUUM", "RESTORE", "CREATE", "REORG", "FSCK" };
    bool temporary = tn_token_is(t, 1, "TEMP") || tn_token_is(t, 1, "TEMPORARY") ||
                     tn_token_is(t, 3, "TEMP") || tn_token_is(t, 3, "TEMPORARY");
    for (size_t i = 0; s->opts.at.n > 0 && i < TN_COUNTOF(WRITES); i++) {
        if (tn_token_is(t, 0, WRITES[i]) && !temporary) {
            tn_rc rc = tn_fail(err, TN_E_USAGE,
                "the lake is looked at as it was at '" TN_STR_FMT "': %s cannot change it",
                TN_STR_ARG(s->opts.at), WRITES[i]);
            return tn_hint(err, rc, "leave --at out to change the lake as it is now");
        }
    }
    return TN_OK;
}

tn_rc tn_lake_sql_run(tn_lake_sql *s, tn_arena *a, tn_str statement, bool stream,
    tn_lake_sql_result *ret, tn_err *err)
{
    tn_tokens t;
    TN_TRY(tn_sql_tokens(a, statement, &t, err));
    TN_TRY(tn_lake_sql_show(a, &t, &statement, err));
    TN_TRY(tn_sql_tokens(a, statement, &t, err));
    TN_TRY(refuse_change(s, &t, err));
    if (s->opts.follow) {
        TN_TRY(read_head(s, false, err));
    }
    tn_lake_sql_result out = { 0 };
    bool done = false;
    tn_sql_forget_probes(s);
    s->skipped = TN_STR_NONE;
    TN_TRY(tn_lake_sql_describe(s, a, &t, &out, &done, err));
    if (!done) {
        TN_TRY(tn_lake_sql_maint(s, a, &t, &out, &done, err));
    }
    if (!done) {
        TN_TRY(tn_lake_sql_write(s, a, statement, &t, &out, &done, err));
    }
    if (!done) { /* INSTALL and LOAD give no rows */
        TN_TRY(tn_duck_intercept(s->conn, statement, &done, err));
    }
    if (!done) {
        tn_str sql;
        TN_TRY(note_use(s, a, &t, err));
        TN_TRY(tn_sql_rest(s, a, statement, &t, 0, &sql, err));
        tn_rc rc = run_narrowed(s, a, sql, stream, &out.rows, err);
        if (rc != TN_OK) {
            rc = s->snapshots.n > 0 ? hint_lost(rc == TN_E_NOTFOUND, rc, err) : rc;
            return tn_lake_sql_hint(&t, rc, err);
        }
    }
    *ret = out;
    return TN_OK;
}

tn_rc tn_lake_sql_split(tn_arena *a, tn_str script, tn_strs *ret, tn_err *err)
{
    tn_tokens t;
    tn_strs out = { 0 };
    TN_TRY(tn_sql_tokens(a, script, &t, err));
    for (size_t i = 0; i < t.n; i++) {
        const char *from = t.v[i].text.p, *to = from;
        for (; i < t.n && !tn_token_is(&t, i, ";"); i++) {
            to = t.v[i].text.p + t.v[i].text.n;
        }
        if (to > from) {
            tn_vec_push(&out, a, tn_str_n(from, (size_t)(to - from)));
        }
    }
    *ret = out;
    return TN_OK;
}
