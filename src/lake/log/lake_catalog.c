/* lake_catalog.c: what readers open: views over pins, generated into a .duckdb file that is swapped in whole.
 *
 * Views are plain SQL: a DuckDB that has never heard of tarn runs them. Views over views are made in as many passes as it takes; one that still
 * cannot be bound is reported, never silently missing. A catalog is built under a temporary name, checkpointed, closed, flushed and renamed over
 * the old one: an open reader keeps the old file, a new open sees the new state. Publishers of one environment take turns by a lock file and each
 * publishes the newest head that it sees under the lock, so an older state cannot overwrite a newer one.
 */
#include "lake/lake.h"
#include "lake/lake_remote.h"
#include "lake/log/lake_file.h"
#include "text/sqltoken.h"

#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/parallel.h"
#include "os/proc.h"
#include "os/random.h"
#include "text/hash.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum { LOCK_WAIT_MS = 120000, SQL_BYTES_MAX = 256 << 20, PUBLISH_ROUNDS_MAX = 20 };

/* ---- views ---- */

static tn_rc delta_pin_sql(tn_lake *l, tn_conn *conn, tn_arena *a, const tn_pin *pin, bool portable,
    tn_str *ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
    TN_TRY(tn_lake_pin_open(l, conn, pin, &snap, err));
    tn_delta_scan_opts so = { .portable = portable, .conn = conn };
    return tn_delta_scan_sql(snap, a, &so, ret, err);
}

static tn_rc pin_sql(tn_lake *l, tn_conn *conn, tn_arena *a, const tn_pin *pin, bool portable,
    tn_str *ret_sql, tn_err *err)
{
    if (pin->kind != TN_PIN_DELTA) {
        *ret_sql = pin->sql;
        return TN_OK;
    }
    tn_rc rc = delta_pin_sql(l, conn, a, pin, portable, ret_sql, err);
    return rc == TN_OK ? rc
                       : tn_while(err, rc, "reading '" TN_STR_FMT "." TN_STR_FMT "'",
                             TN_STR_ARG(pin->schema), TN_STR_ARG(pin->name));
}

tn_rc tn_lake_pin_sql(
    tn_lake *l, tn_conn *conn, tn_arena *a, const tn_pin *pin, tn_str *ret_sql, tn_err *err)
{
    return pin_sql(l, conn, a, pin, false, ret_sql, err);
}

static void add_relation(tn_buf *b, tn_str database, const tn_pin *p)
{
    if (database.n > 0) {
        tn_sql_ident(b, database);
        tn_buf_addc(b, '.');
    }
    tn_sql_ident(b, p->schema);
    tn_buf_addc(b, '.');
    tn_sql_ident(b, p->name);
}

tn_rc tn_lake_view_make(
    tn_lake *l, tn_conn *conn, tn_str database, const tn_pin *p, bool portable, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("view", NULL);
    tn_str sql;
    TN_TRY(pin_sql(l, conn, a, p, portable, &sql, err));
    return tn_lake_view_of(conn, database, p, sql, err);
}

tn_rc tn_lake_view_of(tn_conn *conn, tn_str database, const tn_pin *p, tn_str sql, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("view", NULL);
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "CREATE OR REPLACE VIEW ");
    add_relation(&b, database, p);
    tn_buf_addz(&b, " AS ");
    tn_buf_add(&b, sql);
    if (p->comment.n > 0) {
        tn_buf_addz(&b, ";\nCOMMENT ON VIEW ");
        add_relation(&b, database, p);
        tn_buf_addz(&b, " IS ");
        tn_sql_literal(&b, p->comment);
    }
    tn_str text;
    TN_TRY(tn_buf_finish(&b, "a view's SQL", &text, err));
    tn_rc rc = tn_conn_exec(conn, text, err);
    return rc == TN_OK ? rc : tn_while(err, rc, "'" TN_STR_FMT "'", TN_STR_ARG(tn_pin_shown(a, p)));
}

/* A column that the relation does not have (any more) is no fault of the catalog. */
static void comment_columns(tn_conn *conn, tn_arena *a, const tn_pin *p)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (p->columns.tag == TN_DICT && (it = tn_dict_next(p->columns.dict, &at)) != NULL) {
        tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
        tn_buf_addz(&b, "COMMENT ON COLUMN ");
        add_relation(&b, TN_STR_NONE, p);
        tn_buf_addc(&b, '.');
        tn_sql_ident(&b, tn_val_as_str(it->key));
        tn_buf_addz(&b, " IS ");
        tn_sql_literal(&b, tn_val_to_str(a, it->value));
        tn_err why = TN_ERR_INIT;
        if (tn_conn_exec(conn, tn_buf_str(&b), &why) != TN_OK) {
            tn_log(TN_LOG_DEBUG, "lake", "no comment: %s", why.msg);
        }
    }
}

static tn_rc make_schemas(tn_conn *conn, tn_arena *a, const tn_pins *pins, tn_err *err)
{
    tn_map seen = tn_map_init(a);
    for (size_t i = 0; i < pins->n; i++) {
        tn_str schema = tn_str_lower(a, pins->v[i].schema);
        if (tn_map_find(&seen, schema) != NULL) {
            continue;
        }
        tn_map_put(&seen, schema, a);
        tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
        tn_buf_addz(&b, "CREATE SCHEMA IF NOT EXISTS ");
        tn_sql_ident(&b, pins->v[i].schema);
        TN_TRY(tn_conn_exec(conn, tn_buf_str(&b), err));
    }
    return TN_OK;
}

/* The view of a table that nobody has pinned, and which version it shows. */
static tn_rc view_newest(tn_lake *l, tn_conn *conn, tn_arena *a, tn_pin *pin, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
    tn_str sql;
    tn_delta_scan_opts so = { .conn = conn };
    tn_rc rc = tn_lake_pin_open(l, conn, pin, &snap, err);
    rc = rc == TN_OK ? tn_delta_scan_sql(snap, a, &so, &sql, err) : rc;
    if (rc != TN_OK) {
        return tn_while(err, rc, "reading '" TN_STR_FMT "." TN_STR_FMT "'", TN_STR_ARG(pin->schema),
            TN_STR_ARG(pin->name));
    }
    pin->version = tn_delta_snapshot_version(snap);
    return tn_lake_view_of(conn, TN_STR_NONE, pin, sql, err);
}

/* One pass over what is left: *ret_made counts, todo shrinks, why[] keeps the last reason of each. */
static tn_rc attach_pass(tn_lake *l, tn_conn *conn, tn_arena *a, tn_pins *pins, bool portable,
    bool *done, tn_str *why, size_t *ret_made, tn_err *err)
{
    size_t made = 0;
    for (size_t i = 0; i < pins->n; i++) {
        if (done[i]) {
            continue;
        }
        tn_err e = TN_ERR_INIT;
        bool newest = !portable && pins->v[i].kind == TN_PIN_DELTA && pins->v[i].version < 0;
        tn_rc rc = newest ? view_newest(l, conn, a, &pins->v[i], &e)
                          : tn_lake_view_make(l, conn, TN_STR_NONE, &pins->v[i], portable, &e);
        if (rc == TN_E_CANCELLED) {
            return tn_fail(err, rc, "%s", e.msg);
        }
        if (rc == TN_OK) {
            if (portable) {
                comment_columns(conn, a, &pins->v[i]);
            }
            done[i] = true;
            made++;
        } else {
            why[i] = tn_str_dup(a, tn_str_of(e.msg));
        }
    }
    *ret_made = made;
    return TN_OK;
}

static tn_rc attach_pins(tn_lake *l, tn_conn *conn, tn_pins *pins, bool portable,
    tn_val *ret_skipped, tn_arena *a, tn_err *err)
{
    TN_TRY(make_schemas(conn, a, pins, err));
    tn_lake_warm(l, pins);
    bool *done = tn_new_array(a, bool, pins->n + 1);
    tn_str *why = tn_new_array(a, tn_str, pins->n + 1);
    for (size_t left = pins->n, made = 1; left > 0 && made > 0; left -= made) {
        TN_TRY(attach_pass(l, conn, a, pins, portable, done, why, &made, err));
    }
    tn_val skipped = tn_val_list(a);
    for (size_t i = 0; i < pins->n; i++) {
        if (!done[i]) {
            tn_list_push(skipped.list, tn_val_str(why[i]));
        }
    }
    if (ret_skipped != NULL) {
        *ret_skipped = skipped;
    }
    return TN_OK;
}

tn_rc tn_lake_attach(
    tn_lake *l, tn_conn *conn, tn_pins *pins, tn_val *ret_skipped, tn_arena *a, tn_err *err)
{
    return attach_pins(l, conn, pins, false, ret_skipped, a, err);
}

/* ---- a schema that has its catalog's name (lake_file.h says what is done about it) ---- */

bool tn_lake_schema_clash(tn_str env, const tn_pins *pins)
{
    for (size_t i = 0; i < pins->n; i++) {
        if (tn_str_eq_nocase(pins->v[i].schema, env)) {
            return true;
        }
    }
    return false;
}

/* schema.name -> "_tarn_schema".name for the relations of that schema. */
static tn_rc rename_in(tn_arena *a, tn_str env, tn_str other, const tn_pins *pins, tn_str sql,
    tn_str *ret, tn_err *err)
{
    tn_tokens t;
    TN_TRY(tn_sql_tokens(a, sql, &t, err));
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    const char *copied = sql.p;
    for (size_t i = 0; i + 2 < t.n; i++) {
        bool starts = tn_token_is_name(&t, i) && tn_token_is(&t, i + 1, ".") &&
                      tn_token_is_name(&t, i + 2) && (i == 0 || !tn_token_is(&t, i - 1, "."));
        if (!starts || !tn_str_eq_nocase(tn_token_value(a, &t.v[i]), env) ||
            tn_pins_find(pins, env, tn_token_value(a, &t.v[i + 2])) == NULL) {
            continue;
        }
        tn_buf_add(&b, tn_str_n(copied, (size_t)(t.v[i].text.p - copied)));
        tn_sql_ident(&b, other);
        copied = t.v[i].text.p + t.v[i].text.n;
    }
    tn_buf_add(&b, tn_str_n(copied, (size_t)(sql.p + sql.n - copied)));
    return tn_buf_finish(&b, "a view's SQL", ret, err);
}

static tn_str select_all_from(tn_arena *a, tn_str schema, tn_str name)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT * FROM ");
    tn_sql_ident(&b, schema);
    tn_buf_addc(&b, '.');
    tn_sql_ident(&b, name);
    return tn_buf_str(&b);
}

tn_rc tn_lake_catalog_pins(tn_arena *a, tn_str env, const tn_pins *pins, tn_pins *ret, tn_err *err)
{
    if (!tn_lake_schema_clash(env, pins)) {
        *ret = *pins;
        return TN_OK;
    }
    tn_str other = tn_str_concat(a, TN_STR("_tarn_"), env);
    tn_pins out = { 0 }, shown = { 0 };
    for (size_t i = 0; i < pins->n; i++) {
        tn_pin p = pins->v[i];
        if (p.kind == TN_PIN_VIEW) {
            TN_TRY(rename_in(a, env, other, pins, p.sql, &p.sql, err));
        }
        if (tn_str_eq_nocase(p.schema, env)) {
            tn_pin over = {
                .schema = p.schema, .name = p.name, .kind = TN_PIN_VIEW, .comment = p.comment
            };
            over.sql = select_all_from(a, other, p.name);
            tn_vec_push(&shown, a, over);
            p.schema = other;
        }
        tn_vec_push(&out, a, p);
    }
    for (size_t i = 0; i < shown.n; i++) {
        tn_vec_push(&out, a, shown.v[i]);
    }
    *ret = out;
    return TN_OK;
}

/* ---- following views ---- */

/* Delta pins as SELECTs over DuckDB's own reader of Delta, which looks for the newest version when it is run. */
static void follow(const tn_lake *l, tn_arena *a, tn_pins *pins)
{
    for (size_t i = 0; i < pins->n; i++) {
        tn_pin *p = &pins->v[i];
        if (p->kind != TN_PIN_DELTA) {
            continue;
        }
        tn_str place = tn_lake_absolute(a, l, p->location);
        tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
        tn_buf_addz(&b, "SELECT * FROM delta_scan(");
        tn_sql_literal(&b, place);
        tn_buf_addz(&b, ")");
        p->kind = TN_PIN_EXTERNAL;
        p->sql = tn_buf_str(&b);
    }
}

static bool needs_delta(const tn_lake_head *head)
{
    return head->views == TN_VIEWS_LATEST;
}

/* ---- the catalog file ---- */

static tn_rc describe_catalog(
    tn_conn *conn, tn_arena *a, tn_str env, const tn_lake_head *head, tn_err *err)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "CREATE SCHEMA _tarn; CREATE TABLE _tarn.catalog AS SELECT ");
    tn_sql_literal(&b, env);
    tn_buf_addf(&b, " AS environment, %lld::BIGINT AS lake_commit, now() AS generated_at;\n",
        (long long)head->commit);
    tn_buf_addz(&b, "CREATE TABLE _tarn.pins(schema_name VARCHAR, name VARCHAR, kind VARCHAR, "
                    "location VARCHAR, version BIGINT, node VARCHAR);\n");
    for (size_t i = 0; i < head->pins.n; i++) {
        const tn_pin *p = &head->pins.v[i];
        tn_buf_addz(&b, i == 0 ? "INSERT INTO _tarn.pins VALUES (" : ", (");
        tn_sql_literal(&b, p->schema);
        tn_buf_addz(&b, ", ");
        tn_sql_literal(&b, p->name);
        tn_buf_addz(&b, p->kind == TN_PIN_DELTA  ? ", 'delta', "
                        : p->kind == TN_PIN_VIEW ? ", 'view', "
                                                 : ", 'external', ");
        tn_sql_literal(&b, p->location);
        if (p->kind == TN_PIN_DELTA) {
            tn_buf_addf(&b, ", %lld, ", (long long)p->version);
        } else {
            tn_buf_addz(&b, ", NULL, ");
        }
        tn_sql_literal(&b, p->node);
        tn_buf_addc(&b, ')');
    }
    tn_str sql;
    TN_TRY(tn_buf_finish(&b, "the catalog's own tables", &sql, err));
    return tn_conn_exec(conn, sql, err);
}

static tn_rc build_catalog(tn_lake *l, tn_arena *a, tn_str env, const tn_lake_head *head,
    tn_str path, tn_val *ret_skipped, tn_err *err)
{
    tn_duck_opts o = { .path = path, .threads = 1, .config = TN_VAL_UNDEF };
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_TRY(tn_duck_open(&o, &duck, err));
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(tn_duck_connect(duck, &conn, err));
    TN_TRY(tn_lake_connect(l, conn, err));
    tn_pins shown = { 0 };
    tn_pins pins;
    for (size_t i = 0; i < head->pins.n; i++) {
        tn_vec_push(&shown, a, head->pins.v[i]);
    }
    if (needs_delta(head)) {
        TN_TRY(tn_duck_load(conn, TN_STR("delta"), err));
        follow(l, a, &shown);
    }
    TN_TRY(tn_lake_catalog_pins(a, env, &shown, &pins, err));
    TN_TRY(attach_pins(l, conn, &pins, true, ret_skipped, a, err));
    TN_TRY(describe_catalog(conn, a, env, head, err));
    return tn_conn_exec(conn, TN_STR("CHECKPOINT"), err);
}

/* What a client runs first. folder: where the catalog lies; extensions: the folder of those that its views need, or empty. */
typedef struct init_text {
    tn_str env, folder, extensions;
    const tn_lake_head *head;
} init_text;

static tn_str init_sql(tn_lake *l, tn_arena *a, const init_text *t)
{
    tn_buf b = tn_buf_init(a, 1 << 20);
    bool delta = needs_delta(t->head);
    tn_buf_addf(&b,
        "-- Catalog of environment '" TN_STR_FMT "'. Run this first in a client that reads it.\n",
        TN_STR_ARG(t->env));
    if (t->extensions.n > 0) {
        tn_buf_addz(&b, "SET extension_directory = ");
        tn_sql_literal(&b, t->extensions);
        tn_buf_addz(&b, ";\n");
    }
    if (l->remote) {
        tn_lake_remote_init_sql(l, t->extensions.n == 0, &b);
    } else if (!delta) {
        tn_buf_addz(&b, "-- The tables are Parquet files on this file system: DuckDB needs no "
                        "extension and no secret for them.\n");
    }
    if (delta) {
        tn_buf_addz(&b, t->extensions.n > 0 ? "LOAD delta;\n" : "INSTALL delta;\nLOAD delta;\n");
    }
    tn_buf_addz(&b, "ATTACH ");
    tn_sql_literal(&b, tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT ".duckdb", TN_STR_ARG(t->folder),
                           TN_STR_ARG(t->env)));
    tn_buf_addz(&b, " AS ");
    tn_sql_ident(&b, tn_lake_schema_clash(t->env, &t->head->pins)
                         ? tn_str_concat(a, t->env, TN_STR("_lake"))
                         : t->env);
    tn_buf_addz(&b, " (READ_ONLY);\n");
    return tn_buf_str(&b);
}

/* Copies the bundled extensions that the views need below the folder; *ret empty when they need none. */
static tn_rc copy_extensions(const tn_lake *l, tn_arena *a, const tn_lake_head *head, tn_str folder,
    tn_str *ret, tn_err *err)
{
    static const char *const names[] = { "httpfs", "delta" };
    bool wanted[] = { l->remote, needs_delta(head) };
    tn_str from;
    *ret = TN_STR_NONE;
    if (!wanted[0] && !wanted[1]) {
        return TN_OK;
    }
    TN_TRY(tn_duck_extension_dir(a, &from, err));
    tn_str to = tn_str_printf(a, TN_STR_FMT "/extensions", TN_STR_ARG(folder));
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        tn_str file =
            tn_str_printf(a, "%s/linux_amd64/%s.duckdb_extension", tn_duck_version(), names[i]);
        tn_str here = tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(to), TN_STR_ARG(file));
        if (!wanted[i] || tn_file_exists(here)) {
            continue;
        }
        tn_str temp = tn_str_printf(
            a, TN_STR_FMT ".tmp-%016llx", TN_STR_ARG(here), (unsigned long long)tn_random_u64());
        TN_TRY(tn_dir_make(tn_path_dir(here), err));
        TN_TRY(tn_file_copy(
            tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT, TN_STR_ARG(from), TN_STR_ARG(file)), temp,
            err));
        TN_TRY(tn_file_rename(temp, here, err));
    }
    *ret = to;
    return TN_OK;
}

static void warn_skipped(tn_val skipped)
{
    for (size_t i = 0; i < skipped.list->n; i++) {
        tn_log(TN_LOG_WARN, "lake", "not in the catalog: " TN_STR_FMT,
            TN_STR_ARG(tn_val_as_str(skipped.list->v[i])));
    }
}

static tn_rc publish_locked(tn_lake *l, tn_arena *a, tn_str env, const tn_lake_head *head,
    tn_str folder, tn_str final, tn_err *err)
{
    tn_str temp = tn_str_printf(a, TN_STR_FMT "/.tmp-" TN_STR_FMT "-%016llx", TN_STR_ARG(folder),
        TN_STR_ARG(env), (unsigned long long)tn_random_u64());
    tn_str wal = tn_str_printf(a, TN_STR_FMT ".wal", TN_STR_ARG(temp));
    tn_val skipped;
    tn_rc rc = build_catalog(l, a, env, head, temp, &skipped, err);
    if (rc == TN_OK) {
        warn_skipped(skipped);
        rc = tn_file_fsync(temp, err);
    }
    if (rc == TN_OK) {
        rc = tn_file_rename(temp, final, err);
    }
    (void)!tn_file_remove(wal, NULL);
    if (rc != TN_OK) {
        (void)!tn_file_remove(temp, NULL);
        return rc;
    }
    init_text text = { .env = env, .folder = folder, .head = head };
    TN_TRY(copy_extensions(l, a, head, folder, &text.extensions, err));
    tn_str init = tn_str_printf(
        a, TN_STR_FMT "/" TN_STR_FMT ".init.sql", TN_STR_ARG(folder), TN_STR_ARG(env));
    return tn_file_write_atomic(init, init_sql(l, a, &text), err);
}

tn_rc tn_lake_catalog_export(
    tn_lake *l, tn_str env, tn_str folder, tn_str *ret_path, tn_arena *a, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("catalog", NULL);
    tn_lake_head head;
    tn_str dir;
    TN_TRY(tn_file_absolute(scratch, folder, &dir, err));
    TN_TRY(tn_dir_make(dir, err));
    TN_TRY(tn_lake_head_read(l, scratch, env, &head, err));
    if (head.commit < 0) {
        return tn_fail(
            err, TN_E_NOTFOUND, "there is no environment '" TN_STR_FMT "'", TN_STR_ARG(env));
    }
    tn_str final =
        tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT ".duckdb", TN_STR_ARG(dir), TN_STR_ARG(env));
    TN_TRY(publish_locked(l, scratch, env, &head, dir, final, err));
    *ret_path = final;
    return TN_OK;
}

/* ---- in a bucket ---- */

static tn_str object_of(tn_arena *a, tn_str env, const char *ending)
{
    return tn_str_printf(a, TN_LAKE_CATALOG_DIR "/" TN_STR_FMT ".%s", TN_STR_ARG(env), ending);
}

/* The two objects of a catalog, put at once. init.n 0: it is there already. */
typedef struct catalog_put {
    tn_lake *l;
    tn_str catalog_key, path, init_key, init;
} catalog_put;

static tn_rc put_one(void *self, size_t i, tn_err *err)
{
    const catalog_put *p = self;
    return i == 0 ? tn_store_put_file(p->l->store, p->catalog_key, p->path, TN_PUT_OVERWRITE, err)
                  : tn_store_put(p->l->store, p->init_key, p->init, TN_PUT_OVERWRITE, err);
}

/* init.sql says the same from commit to commit. This machine remembers for some hours that it has put this text: minutes since 1970 above bits of its hash.
 * Whoever removed it meanwhile, with its environment or by hand, has it back after that, or by 'tarn lake publish'. */
enum { INIT_HASH_BITS = 36, INIT_REMEMBERED_MIN = 6 * 60 };

static int64_t init_hash(tn_arena *a, tn_str text)
{
    tn_str hex = tn_str_sub(tn_sha256_hex(a, text), 0, INIT_HASH_BITS / 4);
    int64_t n = 0;
    for (size_t i = 0; i < hex.n; i++) {
        n = n * 16 + (hex.p[i] <= '9' ? hex.p[i] - '0' : hex.p[i] - 'a' + 10);
    }
    return n;
}

static bool init_is_there(tn_arena *a, const catalog_put *p)
{
    int64_t note = tn_store_note_get(p->l->store, tn_str_z(a, p->init_key));
    int64_t age_min = tn_clock_now_ms() / 60000 - (note >> INIT_HASH_BITS);
    return note > 0 && age_min >= 0 && age_min < INIT_REMEMBERED_MIN &&
           (note & (((int64_t)1 << INIT_HASH_BITS) - 1)) == init_hash(a, p->init);
}

static void note_init(tn_arena *a, const catalog_put *p)
{
    int64_t now_min = tn_clock_now_ms() / 60000;
    tn_store_note_put(
        p->l->store, tn_str_z(a, p->init_key), (now_min << INIT_HASH_BITS) | init_hash(a, p->init));
}

void tn_lake_catalog_forget(tn_lake *l, tn_str env)
{
    TN_AUTO_ARENA a = tn_arena_new("catalog", NULL);
    if (l->remote) {
        tn_store_note_put(l->store, tn_str_z(a, object_of(a, env, "init.sql")), 0);
    }
}

static tn_rc put_catalog(
    tn_lake *l, tn_arena *a, tn_str env, const tn_lake_head *head, tn_str dir, tn_err *err)
{
    catalog_put p = { .l = l,
        .catalog_key = object_of(a, env, "duckdb"),
        .init_key = object_of(a, env, "init.sql"),
        .path = tn_str_printf(a, TN_STR_FMT "/%016llx.duckdb", TN_STR_ARG(dir),
            (unsigned long long)tn_random_u64()) };
    tn_val skipped;
    TN_TRY(build_catalog(l, a, env, head, p.path, &skipped, err));
    warn_skipped(skipped);
    init_text text = { .env = env,
        .folder = tn_str_concat(a, l->root, TN_STR("/" TN_LAKE_CATALOG_DIR)),
        .head = head };
    p.init = init_sql(l, a, &text);
    bool there = head->parent >= 0 && init_is_there(a, &p);
    TN_TRY(tn_parallel(there ? 1 : 2, 2, put_one, &p, err));
    if (!there) {
        note_init(a, &p);
    }
    return TN_OK;
}

/* Nobody holds a lock in a bucket, so a slow publisher may overwrite a newer catalog. It looks at the log again afterwards and then publishes
 * that: whoever writes last sees the newest commit. What it begins with may be some seconds old for the same reason. */
static tn_rc publish_remote(
    tn_lake *l, tn_arena *a, tn_str env, const tn_lake_head *head, tn_err *err)
{
    tn_str dir;
    TN_TRY(tn_file_temp_dir(a, "tarn-catalog", &dir, err));
    tn_lake_head done = { .commit = -2 };
    for (int i = 0; i < PUBLISH_ROUNDS_MAX; i++) {
        tn_lake_head newest;
        TN_TRY(i == 0 ? tn_lake_head_recent(l, a, env, &newest, err)
                      : tn_lake_head_read(l, a, env, &newest, err));
        if (newest.commit <= done.commit) {
            return TN_OK;
        }
        done = head == NULL || newest.commit > head->commit ? newest : *head;
        TN_TRY(put_catalog(l, a, env, &done, dir, err));
    }
    tn_log(TN_LOG_WARN, "lake",
        "other writers commit faster than the catalog of '" TN_STR_FMT
        "' can be published; the last one brings it up to date",
        TN_STR_ARG(env));
    return TN_OK;
}

tn_rc tn_lake_catalog_publish(
    tn_lake *l, tn_str env, const tn_lake_head *head, tn_str *ret_path, tn_arena *a, tn_err *err)
{
    if (l->remote) {
        TN_AUTO_ARENA scratch = tn_arena_new("catalog", NULL);
        tn_rc rc = publish_remote(l, scratch, env, head, err);
        if (rc != TN_OK) {
            return tn_while(
                err, rc, "writing the catalog of '" TN_STR_FMT "'", TN_STR_ARG(l->root));
        }
        *ret_path = tn_store_locate(l->store, a, object_of(a, env, "duckdb"));
        return TN_OK;
    }
    tn_str folder = tn_str_printf(a, TN_STR_FMT "/" TN_LAKE_CATALOG_DIR, TN_STR_ARG(l->root));
    tn_str final =
        tn_str_printf(a, TN_STR_FMT "/" TN_STR_FMT ".duckdb", TN_STR_ARG(folder), TN_STR_ARG(env));
    TN_TRY(tn_dir_make(folder, err));
    TN_AUTO_ARENA scratch = tn_arena_new("catalog", NULL);
    tn_file_lock *lock;
    tn_str lock_path = tn_str_printf(
        scratch, TN_STR_FMT "/." TN_STR_FMT ".lock", TN_STR_ARG(folder), TN_STR_ARG(env));
    TN_TRY(tn_file_lock_take(scratch, lock_path, LOCK_WAIT_MS, &lock, err));
    tn_lake_head newest; /* under the lock: never older than what an earlier holder published */
    TN_TRY(tn_lake_head_read(l, scratch, env, &newest, err));
    const tn_lake_head *use = head == NULL || newest.commit > head->commit ? &newest : head;
    tn_rc rc = publish_locked(l, scratch, env, use, folder, final, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "writing the catalog '" TN_STR_FMT "'", TN_STR_ARG(final));
    }
    *ret_path = final;
    return TN_OK;
}

/* ---- the read copy of a .duckdb file ---- */

tn_str tn_lake_read_copy_path(tn_arena *a, tn_str db_path)
{
    tn_str stem = tn_path_stem(db_path);
    return tn_str_printf(a, TN_STR_FMT ".read.duckdb", TN_STR_ARG(stem));
}

tn_rc tn_lake_read_copy(tn_str db_path, tn_str copy_path, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("read copy", NULL);
    tn_str folder = tn_path_dir(copy_path);
    tn_str temp = tn_str_printf(a, TN_STR_FMT "%s.tmp-" TN_STR_FMT "-%016llx", TN_STR_ARG(folder),
        folder.n > 0 ? "/" : "", TN_STR_ARG(tn_path_base(copy_path)),
        (unsigned long long)tn_random_u64());
    tn_rc rc = tn_file_copy(db_path, temp, err);
    if (rc == TN_OK) {
        rc = tn_file_rename(temp, copy_path, err);
    }
    if (rc != TN_OK) {
        (void)!tn_file_remove(temp, NULL);
        return tn_while(err, rc, "writing the read copy '" TN_STR_FMT "'", TN_STR_ARG(copy_path));
    }
    return TN_OK;
}
