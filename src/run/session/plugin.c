/* plugin.c: excel by read_xlsx and COPY (FORMAT xlsx), sqlalchemy by ATTACH. What pandas does beside that (styles, several sheets of one file) is
 * refused by name. */
#include "run/session/plugin.h"

#include "run/value/source_text.h"
#include "text/sqltext.h"

typedef struct plugin {
    tn_session *session;
    tn_conn *conn;   /* NULL: only asked about */
    tn_arena *arena; /* likewise */
    tn_str name;     /* as sources and models call it */
    tn_str module;   /* "excel", "sqlalchemy"; p NULL: the profile has no such plugin */
    tn_val config;
} plugin;

static tn_str last_part(tn_str module)
{
    size_t dot = tn_str_rfind_char(module, '.');
    return dot == SIZE_MAX ? module : tn_str_sub(module, dot + 1, module.n);
}

bool tn_plugin_module_is_native(tn_str module)
{
    tn_str last = last_part(module);
    bool own =
        tn_str_eq(last, module) || tn_str_starts(module, TN_STR("dbt.adapters.duckdb.plugins."));
    return own && (tn_str_is(last, "excel") || tn_str_is(last, "sqlalchemy"));
}

static plugin find(tn_session *s, tn_conn *c, tn_arena *a, tn_str name)
{
    tn_val list = tn_val_at(tn_profile_credentials(&s->project->profile), "plugins");
    plugin p = { .session = s, .conn = c, .arena = a, .name = name, .config = TN_VAL_UNDEF };
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_val e = list.list->v[i];
        tn_str module = tn_val_str_at(e, "module", TN_STR_NONE);
        if (tn_str_eq(tn_val_str_at(e, "alias", last_part(module)), name)) {
            p.module = tn_plugin_module_is_native(module) ? last_part(module) : TN_STR_NONE;
            p.config = tn_val_at(e, "config");
        }
    }
    return p;
}

bool tn_plugin_is_native(tn_session *s, tn_str name)
{
    return find(s, NULL, NULL, name).module.p != NULL;
}

/* ---- sqlalchemy ---- */

typedef struct database {
    const char *scheme, *extension, *type, *query;
    bool file; /* the URL names one */
} database;

static const database databases[] = { { "sqlite", "sqlite_scanner", "sqlite", "sqlite_query",
                                          true },
    { "postgresql", "postgres_scanner", "postgres", "postgres_query", false },
    { "postgres", "postgres_scanner", "postgres", "postgres_query", false },
    { "mysql", "mysql_scanner", "mysql", "mysql_query", false } };

/* dialect[+driver]://rest */
static tn_rc database_of(const plugin *p, const database **ret_kind, tn_str *ret_place, tn_err *err)
{
    tn_str url = tn_val_str_at(p->config, "connection_url", TN_STR(""));
    size_t end = tn_str_find(url, TN_STR("://"), 0);
    tn_str scheme = tn_str_sub(url, 0, end == SIZE_MAX ? 0 : end);
    size_t plus = tn_str_find_char(scheme, '+', 0);
    scheme = tn_str_sub(scheme, 0, plus == SIZE_MAX ? scheme.n : plus);
    for (size_t i = 0; i < TN_COUNTOF(databases); i++) {
        const database *d = &databases[i];
        if (!tn_str_is(scheme, d->scheme)) {
            continue;
        }
        tn_str rest = tn_str_sub(url, end + 3, url.n);
        if (d->file && (rest.n < 2 || rest.p[0] != '/')) {
            return tn_fail(err, TN_E_VALUE,
                "plugin '" TN_STR_FMT "': connection_url names no file: sqlite:///path/to/file.db",
                TN_STR_ARG(p->name));
        }
        *ret_kind = d;
        *ret_place = d->file
                         ? tn_str_sub(rest, 1, rest.n)
                         : tn_str_printf(p->arena, "%s://" TN_STR_FMT, d->scheme, TN_STR_ARG(rest));
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
        "plugin '" TN_STR_FMT "': databases of the kind '" TN_STR_FMT "' cannot be reached",
        TN_STR_ARG(p->name), TN_STR_ARG(scheme));
    return tn_hint(err, rc, "connection_url may begin with sqlite, postgresql or mysql");
}

/* Attached once a process, under a name of its own. */
static tn_rc attach(const plugin *p, tn_str *ret_alias, const database **ret_kind, tn_err *err)
{
    tn_str place;
    TN_TRY(database_of(p, ret_kind, &place, err));
    TN_TRY(tn_duck_load(p->conn, tn_str_of((*ret_kind)->extension), err));
    *ret_alias = tn_str_printf(p->arena, "plugin_" TN_STR_FMT, TN_STR_ARG(p->name));
    tn_buf b = tn_buf_init(p->arena, 1 << 16);
    tn_buf_addz(&b, "ATTACH IF NOT EXISTS ");
    tn_sql_literal(&b, place);
    tn_buf_addz(&b, " AS ");
    tn_sql_ident(&b, *ret_alias);
    tn_buf_addf(&b, " (TYPE %s)", (*ret_kind)->type);
    return tn_conn_exec(p->conn, tn_buf_str(&b), err);
}

static tn_rc select_database(const plugin *p, const tn_node *n, tn_buf *b, tn_err *err)
{
    tn_str alias, text;
    const database *kind;
    tn_val query = tn_source_value(n, "query"), table = tn_source_value(n, "table");
    if (tn_val_truthy(tn_source_value(n, "params"))) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "source '" TN_STR_FMT "': 'params' of a query are not passed on", TN_STR_ARG(n->name));
        return tn_hint(err, rc, "write the values into the query");
    }
    TN_TRY(attach(p, &alias, &kind, err));
    tn_buf_addz(b, "SELECT * FROM ");
    if (tn_val_is_str(query)) {
        TN_TRY(tn_source_fill(p->arena, n, tn_val_as_str(query), TN_STR("newstyle"), &text, err));
        tn_buf_addf(b, "%s(", kind->query);
        tn_sql_literal(b, alias);
        tn_buf_addz(b, ", ");
        tn_sql_literal(b, text);
        tn_buf_addc(b, ')');
        return TN_OK;
    }
    tn_sql_ident(b, alias);
    tn_buf_addc(b, '.');
    tn_sql_ident(b, tn_val_is_str(table) ? tn_val_as_str(table) : n->alias);
    return TN_OK;
}

static tn_rc store_database(const plugin *p, const tn_relation *r, tn_err *err)
{
    tn_str alias;
    const database *kind;
    TN_TRY(attach(p, &alias, &kind, err));
    tn_buf drop = tn_buf_init(p->arena, 1 << 16), make = tn_buf_init(p->arena, 1 << 20),
           place = tn_buf_init(p->arena, 1 << 16);
    tn_sql_ident(&place, alias);
    tn_buf_addc(&place, '.');
    tn_sql_ident(&place, r->part[2]);
    tn_buf_addf(&drop, "DROP TABLE IF EXISTS " TN_STR_FMT, TN_STR_ARG(tn_buf_str(&place)));
    tn_buf_addf(&make, "CREATE TABLE " TN_STR_FMT " AS SELECT * FROM " TN_STR_FMT,
        TN_STR_ARG(tn_buf_str(&place)), TN_STR_ARG(tn_relation_render(p->arena, r)));
    TN_TRY(tn_conn_exec(p->conn, tn_buf_str(&drop), err));
    return tn_conn_exec(p->conn, tn_buf_str(&make), err);
}

/* ---- excel ---- */

static tn_rc select_sheet(const plugin *p, const tn_node *n, tn_buf *b, tn_err *err)
{
    tn_val location = tn_source_value(n, "external_location"),
           sheet = tn_source_value(n, "sheet_name");
    tn_str path;
    if (!tn_val_is_str(location)) {
        return tn_fail(err, TN_E_COMPILE,
            "source '" TN_STR_FMT "': the plugin excel needs an 'external_location'",
            TN_STR_ARG(n->name));
    }
    if (sheet.tag == TN_INT && sheet.i != 0) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "source '" TN_STR_FMT "': a sheet is found by its name, or is the first",
            TN_STR_ARG(n->name));
        return tn_hint(err, rc, "give its name as `sheet_name`");
    }
    TN_TRY(tn_duck_load(p->conn, TN_STR("excel"), err));
    TN_TRY(tn_source_fill(p->arena, n, tn_val_as_str(location), TN_STR("newstyle"), &path, err));
    while (path.n > 1 && path.p[0] == '\'' && path.p[path.n - 1] == '\'') {
        path = tn_str_sub(path, 1, path.n - 1);
    }
    tn_buf_addz(b, "SELECT * FROM read_xlsx(");
    tn_sql_literal(b, path);
    if (tn_val_is_str(sheet)) {
        tn_buf_addz(b, ", sheet := ");
        tn_sql_literal(b, tn_val_as_str(sheet));
    }
    tn_buf_addc(b, ')');
    return TN_OK;
}

/* pandas numbers the rows in a first column without a name, unless `index: false`. */
static tn_rc store_sheet(const plugin *p, const tn_relation *r, tn_val config, tn_err *err)
{
    enum { SHEET_NAME_MAX = 31 };
    tn_val output = tn_val_at(p->config, "output"), own = tn_val_at(config, "overrides");
    tn_str file = tn_val_str_at(output, "file", TN_STR_NONE);
    tn_str sheet =
        tn_str_sub(r->part[2], 0, r->part[2].n < SHEET_NAME_MAX ? r->part[2].n : SHEET_NAME_MAX);
    sheet = tn_val_str_at(own, "sheet_name", tn_val_str_at(output, "sheet_name", sheet));
    bool numbered = tn_val_bool_at(own, "index", tn_val_bool_at(output, "index", true));
    bool header = tn_val_bool_at(own, "header", tn_val_bool_at(output, "header", true));
    if (file.n == 0) {
        return tn_fail(err, TN_E_VALUE,
            "plugin '" TN_STR_FMT "': its config needs output: {file: ...}", TN_STR_ARG(p->name));
    }
    if (!tn_session_warn_first(
            p->session, tn_str_printf(p->arena, "workbook " TN_STR_FMT, TN_STR_ARG(file)))) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "'" TN_STR_FMT "' was written by another model of this run: a file holds one sheet",
            TN_STR_ARG(file));
        return tn_hint(err, rc, "give each model a plugin entry with a file of its own");
    }
    TN_TRY(tn_duck_load(p->conn, TN_STR("excel"), err));
    tn_buf b = tn_buf_init(p->arena, 1 << 20);
    tn_buf_addf(&b, "COPY (SELECT %s* FROM " TN_STR_FMT ") TO ",
        numbered ? "row_number() OVER () - 1 AS \" \", " : "",
        TN_STR_ARG(tn_relation_render(p->arena, r)));
    tn_sql_literal(&b, file);
    tn_buf_addf(&b, " (FORMAT xlsx, HEADER %s, SHEET ", header ? "true" : "false");
    tn_sql_literal(&b, sheet);
    tn_buf_addc(&b, ')');
    return tn_conn_exec(p->conn, tn_buf_str(&b), err);
}

/* ---- both ---- */

tn_rc tn_plugin_load_source(tn_session *s, tn_conn *c, const tn_node *n, tn_str name, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("plugin source", NULL);
    plugin p = find(s, c, a, name);
    bool sheet = tn_str_is(p.module, "excel");
    tn_val kind = tn_source_value(n, "materialization"), save = tn_source_value(n, "save_mode");
    bool view = tn_val_is_str(kind) && tn_str_is(tn_val_as_str(kind), "view");
    tn_str mode = tn_val_is_str(save) ? tn_val_as_str(save) : TN_STR("overwrite");
    bool keep = tn_str_is(mode, "ignore"), fresh = tn_str_is(mode, "error_if_exists");
    tn_buf b = tn_buf_init(a, 1 << 20);
    tn_buf_addf(&b, "CREATE %s%s %s" TN_STR_FMT " AS ", keep || fresh ? "" : "OR REPLACE ",
        view ? "VIEW" : "TABLE", keep ? "IF NOT EXISTS " : "", TN_STR_ARG(n->relation_name));
    tn_rc rc = sheet ? select_sheet(&p, n, &b, err) : select_database(&p, n, &b, err);
    rc = rc == TN_OK ? tn_conn_exec(c, tn_buf_str(&b), err) : rc;
    return rc == TN_OK ? TN_OK
                       : tn_while(err, rc, "source '" TN_STR_FMT "'", TN_STR_ARG(n->unique_id));
}

tn_rc tn_plugin_store(
    tn_session *s, tn_conn *c, tn_str name, const tn_relation *relation, tn_val config, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("plugin store", NULL);
    plugin p = find(s, c, a, name);
    return tn_str_is(p.module, "excel") ? store_sheet(&p, relation, config, err)
                                        : store_database(&p, relation, err);
}
