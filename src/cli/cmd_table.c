/* cmd_table.c: tarn table: what tables there are, what one is made of, what happened to it; maintenance is in cmd_table_maint.c. */
#include <stdio.h>

#include "cli/cli_lake.h"
#include "cli/cli_rows.h"
#include "cli/cli_table.h"
#include "lake/lake_sql.h"
#include "os/proc.h"

#define F(field) offsetof(tn_table_options, field)
static const tn_opt options[] = {
    { "--env", TN_OPT_STR, F(env), "NAME", "environment (default: the profile's, else prod)",
        "TARN_ENV" },
    { "--version", TN_OPT_INT, F(version), "N",
        "show, restore, clone: that version (default: the pinned one, else the newest)", NULL },
    { "--limit", TN_OPT_INT, F(limit), "N", "history: the newest N (default: all)", NULL },
    { "--from", TN_OPT_STR, F(from), "VERSION", "changes: the first version, or an instant (UTC)",
        NULL },
    { "--to", TN_OPT_STR, F(to), "VERSION",
        "changes: the last version, or an instant (default: the newest)", NULL },
    { "--format", TN_OPT_STR, F(format), "FORMAT", "changes: table (default), csv, json, ndjson",
        NULL },
    { "--where", TN_OPT_STR, F(where), "SQL", "optimize: only these partitions", NULL },
    { "--full", TN_OPT_FLAG, F(full), NULL,
        "optimize: of a clustered table also the files that were ordered by other columns", NULL },
    { "--zorder", TN_OPT_MANY, F(zorder), "COLUMN,COLUMN",
        "optimize: rewrite in Z-order of these columns", NULL },
    { "--target-size", TN_OPT_STR, F(target_size), "SIZE",
        "optimize: of files (default: delta.targetFileSize, else 256MB)", NULL },
    { "--min-size", TN_OPT_STR, F(min_size), "SIZE",
        "optimize: pack files below it (default: 3/4 of the target)", NULL },
    { "--retain", TN_OPT_STR, F(retain), "HOURS",
        "vacuum: keep younger files (default: the table's, else 168)", NULL },
    { "--dry-run", TN_OPT_FLAG, F(dry_run), NULL, "vacuum, repair: only list what would be removed",
        NULL },
    { "--purge", TN_OPT_FLAG, F(purge), NULL,
        "optimize: rewrite files with deletion vectors, and no other", NULL },
    { "--lite", TN_OPT_FLAG, F(lite), NULL,
        "vacuum: find files in the log since the last vacuum, list no folder", NULL },
    { "--allow-short-retention", TN_OPT_FLAG, F(short_retention), NULL,
        "vacuum: nobody writes or reads old versions now", NULL },
    { "--time", TN_OPT_STR, F(time), "TIME", "restore: the version of that instant (UTC)", NULL },
    { "--allow-missing", TN_OPT_FLAG, F(missing), NULL,
        "restore, repair: go on when (all) files are gone; their rows are lost", NULL },
    { "--values", TN_OPT_FLAG, F(values), NULL,
        "check: read all rows and hold them against the statistics", NULL },
    { "--log-only", TN_OPT_FLAG, F(log_only), NULL, "check: open no data file", NULL },
    { "--shallow", TN_OPT_FLAG, F(shallow), NULL, "clone: share the files, copy none", NULL },
    { "--replace", TN_OPT_FLAG, F(replace), NULL,
        "clone: a table that is there gets the source's state as its next version", NULL },
    { "--output", TN_OPT_STR, F(output), "text|json", "json: for programs", NULL },
};
#undef F

static const tn_cmd_spec spec = {
    .name = "table",
    .summary = "tables of a lake: list, contents, history, maintenance",
    .usage = "ls | show TABLE | history TABLE | changes TABLE | optimize TABLE | vacuum TABLE | "
             "restore TABLE | "
             "check TABLE | repair TABLE | compact-log TABLE | checkpoint TABLE | clone SOURCE "
             "TABLE [options]",
    .opts = options,
    .opt_count = TN_COUNTOF(options),
    .examples =
        "tarn table ls                          relations of the environment, and tables that it "
        "does not pin\n"
        "tarn table show gold.prices            columns, partitioning, properties, protocol, size\n"
        "tarn table history gold.prices --limit 5\n"
        "tarn table changes gold.prices --from 3 --to 5   rows inserted, updated, deleted by them\n"
        "tarn table show /data/some/table       a Delta table anywhere\n"
        "tarn table optimize gold.prices        pack small files\n"
        "tarn table optimize gold.prices --zorder day,shop\n"
        "tarn table vacuum gold.prices --dry-run\n"
        "tarn table restore gold.prices --version 3\n"
        "tarn table check gold.prices --values\n"
        "tarn table repair gold.prices --dry-run   files of the log that are gone; without: take "
        "them out\n"
        "tarn table optimize gold.prices --purge  get rid of deleted rows\n"
        "tarn table checkpoint gold.prices      a checkpoint of the newest version, due or not\n"
        "tarn table compact-log gold.prices     the commits since the last checkpoint as one file\n"
        "tarn table clone gold.prices test.prices --shallow\n"
        "\nExit status: 0 ok, 1 the table is damaged, 2 wrong usage, no such table or environment.",
    .words_min = 1,
    .words_max = 3,
};

/* ---- shared ---- */

static tn_rc print_list(tn_table_call *x, tn_val names, tn_val list, tn_err *err)
{
    tn_rows rows = { .names = names, .list = list };
    tn_rows_style style = { .color = x->cli->color,
        .width = tn_is_terminal(1) ? tn_terminal_width(1) : 0 };
    return tn_rows_print(&rows, &style, stdout, NULL, err);
}

static tn_val names_list(tn_arena *a, const char *const *names, size_t n)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < n; i++) {
        tn_list_push(list.list, tn_val_z(names[i]));
    }
    return list;
}

static tn_val count_or_none(int64_t n)
{
    return n < 0 ? TN_VAL_NONE : tn_val_int(n);
}

static tn_val text_or_none(tn_arena *a, tn_str s)
{
    return s.n == 0 ? TN_VAL_NONE : tn_val_str(tn_str_dup(a, s));
}

static tn_val strs_list(tn_arena *a, const tn_strs *v)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < v->n; i++) {
        tn_list_push(list.list, tn_val_str(tn_str_dup(a, v->v[i])));
    }
    return list;
}

/* ---- ls ---- */

static tn_val relation_dict(tn_table_call *x, const tn_pin *p, bool pinned)
{
    static const char *const kinds[] = {
        [TN_PIN_DELTA] = "delta", [TN_PIN_VIEW] = "view", [TN_PIN_EXTERNAL] = "external"
    };
    tn_arena *a = x->cli->arena;
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "schema", tn_val_str(p->schema));
    tn_dict_putz(d.dict, "name", tn_val_str(p->name));
    tn_dict_putz(d.dict, "kind", tn_val_z(kinds[p->kind]));
    tn_dict_putz(d.dict, "pinned", tn_val_bool(pinned));
    tn_val version = TN_VAL_NONE, rows = TN_VAL_NONE, bytes = TN_VAL_NONE, files = TN_VAL_NONE,
           error = TN_VAL_NONE;
    if (p->kind == TN_PIN_DELTA) {
        tn_err e = TN_ERR_INIT;
        TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
        if (tn_lake_pin_open(x->lake, x->conn, p, &snap, &e) == TN_OK) {
            version = tn_val_int(tn_delta_snapshot_version(snap));
            rows = count_or_none(tn_delta_snapshot_rows(snap));
            bytes = tn_val_int(tn_delta_snapshot_bytes(snap));
            files = tn_val_int((int64_t)tn_delta_snapshot_file_count(snap));
        } else {
            error = tn_val_str_dup(a, tn_str_of(e.msg));
        }
    }
    tn_dict_putz(d.dict, "version", version);
    tn_dict_putz(d.dict, "rows", rows);
    tn_dict_putz(d.dict, "bytes", bytes);
    tn_dict_putz(d.dict, "files", files);
    tn_dict_putz(d.dict, "location", text_or_none(a, p->location));
    tn_dict_putz(d.dict, "error", error);
    return d;
}

static tn_val cell_count(tn_arena *a, tn_val v)
{
    return v.tag == TN_INT ? tn_val_str(tn_cli_count(a, v.i)) : TN_VAL_NONE;
}

static tn_rc print_relations(tn_table_call *x, tn_val relations, tn_err *err)
{
    static const char *const names[] = { "relation", "kind", "version", "rows", "size", "files",
        "location", "state" };
    tn_arena *a = x->cli->arena;
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < relations.list->n; i++) {
        tn_val d = relations.list->v[i], bytes = tn_val_at(d, "bytes"),
               error = tn_val_at(d, "error");
        const char *state = tn_val_bool_at(d, "pinned", false) ? "pinned" : "not pinned";
        tn_val row[] = {
            tn_val_str(tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT,
                TN_STR_ARG(tn_val_as_str(tn_val_at(d, "schema"))),
                TN_STR_ARG(tn_val_as_str(tn_val_at(d, "name"))))),
            tn_val_at(d, "kind"),
            tn_val_at(d, "version"),
            cell_count(a, tn_val_at(d, "rows")),
            bytes.tag == TN_INT ? tn_val_str(tn_cli_bytes(a, bytes.i)) : TN_VAL_NONE,
            cell_count(a, tn_val_at(d, "files")),
            tn_val_at(d, "location"),
            tn_val_is_str(error) ? error : tn_val_z(state),
        };
        tn_list_push(list.list, tn_val_tuple(a, row, TN_COUNTOF(row)));
    }
    return print_list(x, names_list(a, names, TN_COUNTOF(names)), list, err);
}

static tn_rc run_ls(tn_table_call *x, tn_err *err)
{
    tn_pins pins;
    size_t pinned;
    tn_arena *a = x->cli->arena;
    TN_TRY(tn_cli_need_lake(&x->place, err));
    TN_TRY(tn_lake_relations(x->lake, a, x->place.env, &pins, &pinned, err));
    tn_val relations = tn_val_list(a);
    for (size_t i = 0; i < pins.n; i++) {
        tn_list_push(relations.list, relation_dict(x, &pins.v[i], i < pinned));
    }
    if (!x->json) {
        return print_relations(x, relations, err);
    }
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "lake", tn_val_str(tn_lake_root(x->lake)));
    tn_dict_putz(d.dict, "environment", tn_val_str(x->place.env));
    tn_dict_putz(d.dict, "relations", relations);
    tn_cli_print_json(x->cli, d);
    return TN_OK;
}

/* ---- show ---- */

static tn_rc find_target(tn_table_call *x, tn_str word, tn_lake_place *ret, tn_err *err)
{
    tn_lake_head *head = tn_new(x->cli->arena, tn_lake_head); /* the target's pin points into it */
    head->commit = -1;
    TN_TRY(tn_lake_place_of(x->cli->arena, NULL, word, ret, err));
    if (ret->schema.n > 0) {
        TN_TRY(tn_cli_need_lake(&x->place, err));
        TN_TRY(tn_lake_head_read(x->lake, x->cli->arena, x->place.env, head, err));
        TN_TRY(tn_lake_place_of(x->cli->arena, head, word, ret, err));
    }
    return TN_OK;
}

static tn_val columns_list(tn_arena *a, const tn_delta_type *schema)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < schema->fields.n; i++) {
        const tn_delta_field *f = &schema->fields.v[i];
        tn_val d = tn_val_dict(a);
        tn_buf type = tn_buf_init(a, TN_BUF_NO_LIMIT);
        tn_delta_type_to_sql(&type, f->type);
        tn_dict_putz(d.dict, "name", tn_val_str(tn_str_dup(a, f->name)));
        tn_dict_putz(d.dict, "type", tn_val_str(tn_buf_str(&type)));
        tn_dict_putz(d.dict, "nullable", tn_val_bool(f->nullable));
        tn_val comment = tn_val_at(f->metadata, "comment");
        tn_dict_putz(
            d.dict, "comment", tn_val_is_str(comment) ? tn_val_dup(a, comment) : TN_VAL_NONE);
        tn_list_push(list.list, d);
    }
    return list;
}

static tn_val table_dict(
    tn_table_call *x, const tn_lake_place *t, const tn_delta_snapshot *s, tn_str word)
{
    tn_arena *a = x->cli->arena;
    const tn_delta_meta *m = tn_delta_snapshot_meta(s);
    const tn_delta_protocol *p = tn_delta_snapshot_protocol(s);
    tn_val d = tn_val_dict(a), protocol = tn_val_dict(a);
    tn_dict_putz(d.dict, "table", tn_val_str(word));
    tn_dict_putz(d.dict, "location", tn_val_str(t->location));
    tn_dict_putz(d.dict, "id", tn_val_str(tn_str_dup(a, m->id)));
    tn_dict_putz(d.dict, "description", text_or_none(a, m->description));
    tn_dict_putz(d.dict, "version", tn_val_int(tn_delta_snapshot_version(s)));
    tn_dict_putz(d.dict, "pinned_version",
        t->pin != NULL && t->pin->kind == TN_PIN_DELTA ? tn_val_int(t->pin->version) : TN_VAL_NONE);
    tn_dict_putz(d.dict, "timestamp", count_or_none(tn_delta_snapshot_timestamp_ms(s)));
    tn_dict_putz(d.dict, "rows", count_or_none(tn_delta_snapshot_rows(s)));
    tn_dict_putz(d.dict, "bytes", tn_val_int(tn_delta_snapshot_bytes(s)));
    tn_dict_putz(d.dict, "files", tn_val_int((int64_t)tn_delta_snapshot_file_count(s)));
    tn_dict_putz(d.dict, "partition_by", strs_list(a, &m->partition_columns));
    tn_dict_putz(d.dict, "properties",
        m->configuration.tag == TN_DICT ? tn_val_dup(a, m->configuration) : tn_val_dict(a));
    tn_dict_putz(protocol.dict, "reader", tn_val_int(p->reader));
    tn_dict_putz(protocol.dict, "writer", tn_val_int(p->writer));
    tn_dict_putz(protocol.dict, "reader_features", strs_list(a, &p->reader_features));
    tn_dict_putz(protocol.dict, "writer_features", strs_list(a, &p->writer_features));
    tn_dict_putz(d.dict, "protocol", protocol);
    tn_dict_putz(d.dict, "columns", columns_list(a, m->schema));
    return d;
}

static void line(const char *title, tn_str text)
{
    printf("%-14s" TN_STR_FMT "\n", title, TN_STR_ARG(text));
}

static tn_str joined(tn_arena *a, tn_val list)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < list.list->n; i++) {
        tn_buf_addz(&b, i > 0 ? ", " : "");
        tn_buf_add(&b, tn_val_as_str(list.list->v[i]));
    }
    return tn_buf_str(&b);
}

static tn_rc print_table(tn_table_call *x, tn_val d, tn_err *err)
{
    static const char *const names[] = { "column", "type", "nullable", "comment" };
    tn_arena *a = x->cli->arena;
    tn_val rows = tn_val_at(d, "rows"), pinned = tn_val_at(d, "pinned_version"),
           protocol = tn_val_at(d, "protocol"), properties = tn_val_at(d, "properties");
    line("table", tn_val_as_str(tn_val_at(d, "table")));
    line("location", tn_val_as_str(tn_val_at(d, "location")));
    tn_str pin = pinned.tag == TN_INT
                     ? tn_str_printf(a, ", version %lld pinned", (long long)pinned.i)
                     : TN_STR_NONE;
    line("version",
        tn_str_printf(a, "%lld of " TN_STR_FMT " UTC" TN_STR_FMT,
            (long long)tn_val_int_at(d, "version", 0),
            TN_STR_ARG(tn_cli_instant(a, tn_val_int_at(d, "timestamp", 0))), TN_STR_ARG(pin)));
    line("rows", rows.tag == TN_INT ? tn_cli_count(a, rows.i) : TN_STR("not known"));
    line("size", tn_str_printf(a, TN_STR_FMT " in " TN_STR_FMT " files",
                     TN_STR_ARG(tn_cli_bytes(a, tn_val_int_at(d, "bytes", 0))),
                     TN_STR_ARG(tn_cli_count(a, tn_val_int_at(d, "files", 0)))));
    if (tn_val_at(d, "partition_by").list->n > 0) {
        line("partitioned by",
            tn_str_concat(a, TN_STR(" "), joined(a, tn_val_at(d, "partition_by"))));
    }
    line("protocol", tn_str_printf(a, "reader %lld, writer %lld",
                         (long long)tn_val_int_at(protocol, "reader", 0),
                         (long long)tn_val_int_at(protocol, "writer", 0)));
    if (tn_val_at(protocol, "writer_features").list->n > 0) {
        line("features", joined(a, tn_val_at(protocol, "writer_features")));
    }
    if (tn_val_is_str(tn_val_at(d, "description"))) {
        line("description", tn_val_as_str(tn_val_at(d, "description")));
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(properties.dict, &at)) != NULL) {
        line("property",
            tn_str_printf(a, TN_STR_FMT " = " TN_STR_FMT, TN_STR_ARG(tn_val_as_str(it->key)),
                TN_STR_ARG(tn_val_as_str(it->value))));
    }
    tn_val list = tn_val_list(a), columns = tn_val_at(d, "columns");
    for (size_t i = 0; i < columns.list->n; i++) {
        tn_val c = columns.list->v[i];
        tn_val row[] = { tn_val_at(c, "name"), tn_val_at(c, "type"),
            tn_val_z(tn_val_bool_at(c, "nullable", true) ? "yes" : "no"), tn_val_at(c, "comment") };
        tn_list_push(list.list, tn_val_tuple(a, row, TN_COUNTOF(row)));
    }
    return print_list(x, names_list(a, names, TN_COUNTOF(names)), list, err);
}

static tn_rc show_view(tn_table_call *x, const tn_lake_place *t, tn_str word)
{
    const char *kind = t->pin->kind == TN_PIN_VIEW ? "view" : "external";
    if (x->json) {
        tn_val d = tn_val_dict(x->cli->arena);
        tn_dict_putz(d.dict, "table", tn_val_str(word));
        tn_dict_putz(d.dict, "kind", tn_val_z(kind));
        tn_dict_putz(d.dict, "sql", tn_val_str(t->pin->sql));
        tn_cli_print_json(x->cli, d);
        return TN_OK;
    }
    line("table", word);
    line("kind", tn_str_of(kind));
    line("sql", t->pin->sql);
    return TN_OK;
}

static tn_rc run_show(tn_table_call *x, tn_str word, tn_err *err)
{
    tn_lake_place t;
    TN_TRY(find_target(x, word, &t, err));
    if (t.pin != NULL && t.pin->kind != TN_PIN_DELTA) {
        return show_view(x, &t, word);
    }
    int64_t version = x->o->version >= 0 ? x->o->version : t.pin != NULL ? t.pin->version : -1;
    TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
    tn_pin shown = { .kind = TN_PIN_DELTA, .location = t.location, .version = version };
    if (t.pin != NULL && t.pin->version == version) {
        shown.commit_hash = t.pin->commit_hash;
    }
    TN_TRY(tn_lake_pin_open(x->lake, x->conn, &shown, &snap, err));
    tn_val d = table_dict(x, &t, snap, word);
    if (!x->json) {
        return print_table(x, d, err);
    }
    tn_cli_print_json(x->cli, d);
    return TN_OK;
}

/* ---- history ---- */

static tn_str changes_of(tn_arena *a, tn_val metrics)
{
    static const struct {
        const char *key, *text;
    } shown[] = { { "numOutputRows", "rows" }, { "numDeletedRows", "rows deleted" },
        { "numFiles", "files" }, { "numAddedFiles", "files" },
        { "numRemovedFiles", "files removed" } };
    tn_buf b = tn_buf_init(a, 4096);
    for (size_t i = 0; i < TN_COUNTOF(shown); i++) {
        tn_val v = tn_val_at(metrics, shown[i].key);
        int64_t n = v.tag == TN_INT ? v.i : 0;
        if (v.tag == TN_INT || (tn_val_is_str(v) && tn_str_to_i64(tn_val_as_str(v), &n))) {
            tn_buf_addf(&b, "%s" TN_STR_FMT " %s", b.n > 0 ? ", " : "",
                TN_STR_ARG(tn_cli_count(a, n)), shown[i].text);
        }
    }
    return tn_buf_str(&b);
}

static tn_rc run_history(tn_table_call *x, tn_str word, tn_err *err)
{
    static const char *const names[] = { "version", "time (UTC)", "operation", "changes",
        "written by" };
    tn_arena *a = x->cli->arena;
    tn_lake_place t;
    TN_TRY(find_target(x, word, &t, err));
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_TRY(tn_lake_table_open(x->lake, t.location, &table, err));
    tn_val entries;
    TN_TRY(tn_delta_history(table, a, (size_t)x->o->limit, &entries, err));
    if (x->json) {
        tn_cli_print_json(x->cli, entries);
        return TN_OK;
    }
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < entries.list->n; i++) {
        tn_val e = entries.list->v[i], ms = tn_val_at(e, "timestamp");
        tn_val row[] = {
            tn_val_at(e, "version"),
            ms.tag == TN_INT ? tn_val_str(tn_cli_instant(a, ms.i)) : TN_VAL_NONE,
            tn_val_str(tn_val_str_at(e, "operation", TN_STR_NONE)),
            tn_val_str(changes_of(a, tn_val_at(e, "operationMetrics"))),
            tn_val_str(tn_val_str_at(e, "engineInfo", TN_STR_NONE)),
        };
        tn_list_push(list.list, tn_val_tuple(a, row, TN_COUNTOF(row)));
    }
    return print_list(x, names_list(a, names, TN_COUNTOF(names)), list, err);
}

static tn_rc run(tn_table_call *x, const tn_strs *words, int *ret_status, tn_err *err)
{
    TN_TRY(tn_cli_find_place(x->cli, x->o->env, &x->place, err));
    TN_AUTOPTR(tn_lake) lake = NULL;
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(tn_cli_open_lake(x->cli, x->place.lake.n > 0 ? x->place.lake : TN_STR("."),
        x->place.storage, false, &lake, err));
    TN_TRY(tn_cli_open_duck(x->cli, &duck, &conn, err));
    TN_TRY(tn_lake_connect(lake, conn, err));
    x->lake = lake;
    x->conn = conn;
    if (tn_table_maint_words(words->v[0]) > 0) {
        return tn_table_maint(x, words, ret_status, err);
    }
    if (tn_str_is(words->v[0], "ls")) {
        return run_ls(x, err);
    }
    if (tn_str_is(words->v[0], "changes")) {
        tn_lake_place t;
        TN_TRY(find_target(x, words->v[1], &t, err));
        return tn_table_changes(x, t.location, err);
    }
    return tn_str_is(words->v[0], "show") ? run_show(x, words->v[1], err)
                                          : run_history(x, words->v[1], err);
}

int tn_cmd_table(const tn_cli *cli, int argc, char **argv)
{
    tn_table_options o = { .version = -1 };
    tn_strs words = { 0 };
    bool done;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, NULL, &done, &status);
    if (done) {
        return status;
    }
    tn_table_call x = { .cli = cli, .o = &o };
    bool ls = tn_str_is(words.v[0], "ls"), other = tn_str_is(words.v[0], "show") ||
                                                   tn_str_is(words.v[0], "history") ||
                                                   tn_str_is(words.v[0], "changes");
    size_t tables = other ? 1 : tn_table_maint_words(words.v[0]);
    if (!ls && tables == 0) {
        return tn_cli_usage_error(cli, spec.name,
            "'" TN_STR_FMT "' is none of ls, show, history, changes, optimize, vacuum, restore, "
            "check, repair, compact-log, checkpoint, clone",
            TN_STR_ARG(words.v[0]));
    }
    if (words.n != 1 + tables) {
        static const char *const wants[] = { "ls takes no table", "the name of one table is needed",
            "clone needs the names of two tables" };
        return tn_cli_usage_error(cli, spec.name, "%s", wants[tables]);
    }
    if (!tn_cli_output_json(cli, spec.name, o.output, &x.json)) {
        return TN_EXIT_USAGE;
    }
    if (o.limit < 0) {
        return tn_cli_usage_error(cli, spec.name, "--limit cannot be negative");
    }
    tn_err err = TN_ERR_INIT;
    status = TN_EXIT_OK;
    return run(&x, &words, &status, &err) == TN_OK ? status : tn_cli_error(cli, &err);
}
