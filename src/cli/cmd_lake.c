/* cmd_lake.c: tarn lake: environments, lake commits, the catalog. */
#include <stdio.h>

#include "cli/cli_rows.h"
#include "cli/cmd_lake.h"
#include "lake/lake_diff.h"
#include "lake/lake_env.h"
#include "os/file.h"
#include "os/proc.h"

#define F(field) offsetof(tn_lake_options, field)
static const tn_opt options[] = {
    { "--env", TN_OPT_STR, F(env), "NAME", "environment (default: the profile's, else prod)",
        "TARN_ENV" },
    { "--to", TN_OPT_STR, F(to), "COMMIT|TAG|TIME|NAME",
        "rollback: publish the pins of that lake commit, tag or time (default: the commit before "
        "the "
        "newest); env promote: the environment that is to get them (default: prod)",
        NULL },
    { "--from", TN_OPT_STR, F(from), "NAME",
        "env create: start with the pins of that environment, lake commit, tag or time (default: "
        "prod)",
        NULL },
    { "--force", TN_OPT_FLAG, F(force), NULL,
        "env drop: also 'prod', or one that others were made from", NULL },
    { "--dry-run", TN_OPT_FLAG, F(dry_run), NULL,
        "env promote, gc, maintain: only say what would be done", NULL },
    { "--ours", TN_OPT_FLAG, F(ours), NULL,
        "env rebase: what both changed stays as this environment has it", NULL },
    { "--theirs", TN_OPT_FLAG, F(theirs), NULL,
        "env rebase: what both changed becomes what the other has", NULL },
    { "--retention", TN_OPT_STR, F(retention), "TIME",
        "gc, maintain: keep what readers may have seen within it: 30d, 12h (default: 7d)", NULL },
    { "--rows", TN_OPT_FLAG, F(rows), NULL, "diff: count rows that were added and removed", NULL },
    { "--key", TN_OPT_MANY, F(key), "COLUMN",
        "diff: rows are told apart by it, so that changed ones are counted (repeatable)", NULL },
    { "--message", TN_OPT_STR, F(message), "TEXT", "tag create: a line about it", NULL },
    { "--limit", TN_OPT_INT, F(limit), "N", "log, runs: the newest N (default: 20, 0 for all)",
        NULL },
    { "--all", TN_OPT_FLAG, F(all), NULL,
        "log, runs: of all environments; maintain: every table, due or not", NULL },
    { "--tables", TN_OPT_FLAG, F(tables), NULL,
        "status: each table of the environment: freshness, files, what is unpublished, what is due",
        NULL },
    { "--newest", TN_OPT_FLAG, F(newest), NULL,
        "publish: first pin the newest version of every Delta table at <lake>/<schema>/<table>",
        NULL },
    { "--output", TN_OPT_STR, F(output), "text|json", "json: for programs", NULL },
};
#undef F

static const tn_cmd_spec spec = {
    .name = "lake",
    .summary = "environments and lake commits: status, log, publish, rollback, env, diff",
    .usage =
        "status | log | show [COMMIT] | publish | rollback | diff A B | env ls | env create NAME | "
        "env promote NAME | env rebase NAME | env drop NAME | tag ls | tag create NAME [COMMIT] | "
        "tag rm NAME | catalog pinned|latest | catalog FOLDER | runs | maintain | gc | doctor "
        "[URL] "
        "[options]",
    .opts = options,
    .opt_count = TN_COUNTOF(options),
    .examples =
        "tarn lake status                     where the lake is, what its environments see\n"
        "tarn lake log --limit 5              newest lake commits of the environment\n"
        "tarn lake publish                    make the catalog anew from the pins\n"
        "tarn lake publish --newest           pin every table as it is now, then publish\n"
        "tarn lake rollback                   publish the pins of the commit before again\n"
        "tarn lake rollback --to 12\n"
        "tarn lake env create alice --from prod    a new environment, no data copied\n"
        "tarn lake env promote alice --to prod     publish what alice changed\n"
        "tarn lake env rebase alice           take over what prod changed meanwhile\n"
        "tarn lake env drop alice\n"
        "tarn lake diff prod alice            relations that two environments see differently\n"
        "tarn lake diff 12 15 --key id        two lake commits; rows added, removed, changed by "
        "key\n"
        "tarn lake tag create q3-report       keep the state of now under a name\n"
        "tarn sql --at q3-report 'FROM gold.total'\n"
        "tarn lake catalog latest             its views follow the tables, published or not\n"
        "tarn lake catalog ./for-metabase     a copy for readers elsewhere, with the extensions it "
        "needs\n"
        "tarn lake status --tables            what each table looks like and needs\n"
        "tarn lake runs --limit 5             who ran what, and what came of it\n"
        "tarn lake maintain                   pack, vacuum, clean where due; for cron, on any "
        "number of hosts\n"
        "tarn lake gc --retention 30d --dry-run    what nobody needs any more\n"
        "tarn lake doctor s3://bucket/lake    name, TLS, keys, clock, puts: what works, and what "
        "to "
        "do if not\n"
        "\nExit status: 0 ok, 1 a conflict or a failed check, 2 wrong usage or environment.",
    .words_min = 1,
    .words_max = 4,
};

tn_rc tn_lake_print_list(
    tn_lake_call *x, const char *const *names, size_t n, tn_val list, tn_err *err)
{
    tn_val titles = tn_val_list(x->cli->arena);
    for (size_t i = 0; i < n; i++) {
        tn_list_push(titles.list, tn_val_z(names[i]));
    }
    tn_rows rows = { .names = titles, .list = list };
    tn_rows_style style = { .color = x->cli->color,
        .width = tn_is_terminal(1) ? tn_terminal_width(1) : 0 };
    return tn_rows_print(&rows, &style, stdout, NULL, err);
}

static tn_str catalog_path(tn_lake_call *x, tn_str env)
{
    return tn_str_printf(x->cli->arena, TN_STR_FMT "/catalog/" TN_STR_FMT ".duckdb",
        TN_STR_ARG(tn_lake_root(x->lake)), TN_STR_ARG(env));
}

/* ---- status ---- */

static tn_rc env_dict(tn_lake_call *x, tn_str env, tn_val *ret, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_lake_head head;
    TN_TRY(tn_lake_head_read(x->lake, a, env, &head, err));
    int64_t kinds[3] = { 0 };
    for (size_t i = 0; i < head.pins.n; i++) {
        kinds[head.pins.v[i].kind]++;
    }
    tn_str catalog = catalog_path(x, env);
    tn_store_item item;
    bool there = tn_store_head(tn_lake_store(x->lake), a,
                     tn_str_printf(a, "catalog/" TN_STR_FMT ".duckdb", TN_STR_ARG(env)), &item,
                     NULL) == TN_OK;
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "environment", tn_val_str(env));
    tn_dict_putz(d.dict, "lake_commit", tn_val_int(head.commit));
    tn_dict_putz(d.dict, "relations", tn_val_int((int64_t)head.pins.n));
    tn_dict_putz(d.dict, "delta", tn_val_int(kinds[TN_PIN_DELTA]));
    tn_dict_putz(d.dict, "views", tn_val_int(kinds[TN_PIN_VIEW]));
    tn_dict_putz(d.dict, "external", tn_val_int(kinds[TN_PIN_EXTERNAL]));
    tn_dict_putz(d.dict, "catalog", there ? tn_val_str(catalog) : TN_VAL_NONE);
    *ret = d;
    return TN_OK;
}

static tn_rc run_status(tn_lake_call *x, tn_err *err)
{
    if (tn_flag_is(x->o->tables, false)) {
        return tn_lake_run_status_tables(x, err);
    }
    static const char *const names[] = { "environment", "lake commit", "relations", "delta",
        "views", "external", "catalog" };
    static const char *const keys[] = { "environment", "lake_commit", "relations", "delta", "views",
        "external", "catalog" };
    tn_arena *a = x->cli->arena;
    tn_val envs, list = tn_val_list(a), rows = tn_val_list(a), all = tn_val_dict(a);
    TN_TRY(tn_lake_envs(x->lake, a, &envs, err));
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(envs.dict, &at)) != NULL) {
        tn_val d, row[TN_COUNTOF(keys)];
        TN_TRY(env_dict(x, tn_val_as_str(it->key), &d, err));
        tn_list_push(list.list, d);
        for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
            row[i] = tn_val_at(d, keys[i]);
        }
        tn_list_push(rows.list, tn_val_tuple(a, row, TN_COUNTOF(keys)));
    }
    tn_dict_putz(all.dict, "lake", tn_val_str(tn_lake_root(x->lake)));
    tn_dict_putz(all.dict, "environments", list);
    if (x->json) {
        tn_cli_print_json(x->cli, all);
        return TN_OK;
    }
    printf("lake " TN_STR_FMT "\n", TN_STR_ARG(tn_lake_root(x->lake)));
    return tn_lake_print_list(x, names, TN_COUNTOF(names), rows, err);
}

/* ---- log ---- */

static tn_rc run_log(tn_lake_call *x, tn_err *err)
{
    static const char *const names[] = { "commit", "environment", "time (UTC)", "message",
        "changed", "pins" };
    tn_arena *a = x->cli->arena;
    tn_val entries, rows = tn_val_list(a);
    TN_TRY(tn_lake_log(x->lake, a, tn_flag_is(x->o->all, false) ? TN_STR_NONE : x->env,
        (size_t)x->o->limit, &entries, err));
    if (x->json) {
        tn_cli_print_json(x->cli, entries);
        return TN_OK;
    }
    for (size_t i = 0; i < entries.list->n; i++) {
        tn_val e = entries.list->v[i], changed = tn_val_at(e, "changed"),
               dropped = tn_val_at(e, "dropped");
        size_t n = (changed.tag == TN_LIST ? changed.list->n : 0) +
                   (dropped.tag == TN_LIST ? dropped.list->n : 0);
        tn_val row[] = {
            tn_val_at(e, "commit"),
            tn_val_at(e, "env"),
            tn_val_str(tn_cli_instant(a, tn_val_int_at(e, "timestamp", 0))),
            tn_val_at(e, "message"),
            tn_val_int((int64_t)n),
            tn_val_at(e, "pins"),
        };
        tn_list_push(rows.list, tn_val_tuple(a, row, TN_COUNTOF(row)));
    }
    return tn_lake_print_list(x, names, TN_COUNTOF(names), rows, err);
}

/* ---- publish, rollback, env ---- */

static tn_rc publish(
    tn_lake_call *x, tn_str env, int64_t *ret_commit, tn_str *ret_path, tn_err *err)
{
    tn_lake_head head;
    TN_TRY(tn_lake_head_recent(x->lake, x->cli->arena, env, &head, err));
    if (head.commit < 0) {
        tn_rc rc = tn_fail(
            err, TN_E_NOTFOUND, "environment '" TN_STR_FMT "' has no lake commit", TN_STR_ARG(env));
        return tn_hint(err, rc, "'tarn lake env ls' lists the environments of this lake");
    }
    *ret_commit = head.commit;
    return tn_lake_catalog_publish(x->lake, env, &head, ret_path, x->cli->arena, err);
}

static void tell(tn_lake_call *x, const char *did, tn_str env, int64_t commit, tn_str path)
{
    if (!x->json) {
        if (!tn_flag_is(x->cli->quiet, false)) {
            printf("%s environment '" TN_STR_FMT "', lake commit %lld, " TN_STR_FMT "\n", did,
                TN_STR_ARG(env), (long long)commit, TN_STR_ARG(path));
        }
        return;
    }
    tn_val d = tn_val_dict(x->cli->arena);
    tn_dict_putz(d.dict, "environment", tn_val_str(env));
    tn_dict_putz(d.dict, "lake_commit", tn_val_int(commit));
    tn_dict_putz(d.dict, "catalog", tn_val_str(path));
    tn_cli_print_json(x->cli, d);
}

/* After landings with --no-publish: every table as it is now. */
static tn_rc pin_newest(tn_lake_call *x, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_lake_head head;
    tn_pins found;
    tn_lake_change change = {
        .info = TN_VAL_UNDEF, .message = TN_STR("publish the newest versions"), .newest_wins = true
    };
    TN_TRY(tn_lake_head_read(x->lake, a, x->env, &head, err));
    TN_TRY(tn_lake_discover(x->lake, a, NULL, &found, err));
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(tn_cli_open_duck(x->cli, &duck, &conn, err));
    TN_TRY(tn_lake_connect(x->lake, conn, err));
    for (size_t i = 0; i < found.n; i++) {
        tn_pin pin = found.v[i];
        const tn_pin *old = tn_pins_find(&head.pins, pin.schema, pin.name);
        if (old != NULL && (old->kind != TN_PIN_DELTA || !tn_str_eq(old->location, pin.location))) {
            continue; /* the environment means something else by that name */
        }
        if (old != NULL) {
            pin = *old;
        }
        TN_AUTOPTR(tn_delta_table) table = NULL;
        TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
        TN_TRY(tn_lake_table_open(x->lake, pin.location, &table, err));
        TN_TRY(tn_delta_snapshot_open(table, conn, TN_DELTA_LATEST, &snap, err));
        pin.version = tn_delta_snapshot_version(snap);
        tn_lake_pin_describe(a, snap, &pin);
        tn_vec_push(&change.put, a, pin);
    }
    int64_t commit;
    return tn_lake_commit_write(x->lake, x->env, &head, &change, &commit, err);
}

tn_rc tn_lake_publish_and_tell(tn_lake_call *x, tn_str env, const char *did, tn_err *err)
{
    int64_t commit = -1;
    tn_str path;
    TN_TRY(publish(x, env, &commit, &path, err));
    tell(x, did, env, commit, path);
    return TN_OK;
}

static tn_rc run_publish(tn_lake_call *x, tn_err *err)
{
    if (tn_flag_is(x->o->newest, false)) {
        TN_TRY(pin_newest(x, err));
    }
    tn_lake_catalog_forget(x->lake, x->env);
    return tn_lake_publish_and_tell(x, x->env, "published", err);
}

static tn_rc run_rollback(tn_lake_call *x, tn_err *err)
{
    int64_t commit;
    tn_lake_ref to = { .commit = -1 };
    if (x->o->to.n > 0) {
        TN_TRY(tn_lake_ref_read(x->lake, x->cli->arena, x->env, x->o->to, &to, err));
    }
    TN_TRY(tn_lake_rollback(x->lake, x->env, to.commit, &commit, err));
    return tn_lake_publish_and_tell(x, x->env, "rolled back", err);
}

/* ---- diff ---- */

static tn_val joined(tn_arena *a, tn_val list)
{
    tn_buf b = tn_buf_init(a, 1 << 20);
    for (size_t i = 0; tn_val_is_seq(list) && i < list.list->n; i++) {
        tn_buf_addf(
            &b, "%s" TN_STR_FMT, i > 0 ? ", " : "", TN_STR_ARG(tn_val_as_str(list.list->v[i])));
    }
    return b.n > 0 ? tn_val_str(tn_buf_str(&b)) : TN_VAL_NONE;
}

static tn_rc print_diff(tn_lake_call *x, tn_val list, bool with_rows, tn_err *err)
{
    static const char *const names[] = { "relation", "change", "from", "to", "rows +", "rows -",
        "rows ~", "columns +", "columns -" };
    tn_arena *a = x->cli->arena;
    tn_val rows = tn_val_list(a);
    size_t n = with_rows ? TN_COUNTOF(names) : 4;
    for (size_t i = 0; i < list.list->n; i++) {
        tn_val d = list.list->v[i];
        tn_val row[] = {
            tn_val_str(tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT,
                TN_STR_ARG(tn_val_as_str(tn_val_at(d, "schema"))),
                TN_STR_ARG(tn_val_as_str(tn_val_at(d, "name"))))),
            tn_val_at(d, "change"),
            tn_val_at(d, "from"),
            tn_val_at(d, "to"),
            tn_val_at(d, "rows_added"),
            tn_val_at(d, "rows_removed"),
            tn_val_at(d, "rows_changed"),
            joined(a, tn_val_at(d, "columns_added")),
            joined(a, tn_val_at(d, "columns_removed")),
        };
        for (size_t k = 4; k < n; k++) {
            row[k] = tn_val_is_undef(row[k]) ? TN_VAL_NONE : row[k];
        }
        tn_list_push(rows.list, tn_val_tuple(a, row, n));
    }
    return tn_lake_print_list(x, names, n, rows, err);
}

static tn_rc run_diff(tn_lake_call *x, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_lake_ref p, q;
    tn_val list;
    tn_lake_diff_opts o = { .rows = tn_flag_is(x->o->rows, x->o->key.n > 0), .key = x->o->key };
    TN_TRY(tn_lake_ref_read(x->lake, a, x->env, x->words->v[1], &p, err));
    TN_TRY(tn_lake_ref_recent(x->lake, a, x->env, x->words->v[2], &q, err));
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    if (o.rows) {
        TN_TRY(tn_cli_open_duck(x->cli, &duck, &conn, err));
        TN_TRY(tn_lake_connect(x->lake, conn, err));
    }
    TN_TRY(tn_lake_diff(x->lake, conn, a, &p.pins, &q.pins, &o, &list, err));
    if (x->json) {
        tn_cli_print_json(x->cli, list);
        return TN_OK;
    }
    return print_diff(x, list, o.rows, err);
}

/* ---- dispatch ---- */

static const struct verb {
    const char *one, *two;
    size_t words_min, words_max;
    tn_rc (*run)(tn_lake_call *x, tn_err *err);
} VERBS[] = {
    { "status", NULL, 1, 1, run_status },
    { "log", NULL, 1, 1, run_log },
    { "show", NULL, 1, 2, tn_lake_run_show },
    { "publish", NULL, 1, 1, run_publish },
    { "rollback", NULL, 1, 1, run_rollback },
    { "diff", NULL, 3, 3, run_diff },
    { "env", "ls", 2, 2, tn_lake_run_env_ls },
    { "env", "create", 3, 3, tn_lake_run_env_create },
    { "env", "promote", 3, 3, tn_lake_run_env_promote },
    { "env", "rebase", 3, 3, tn_lake_run_env_rebase },
    { "env", "drop", 3, 3, tn_lake_run_env_drop },
    { "tag", "ls", 2, 2, tn_lake_run_tag_ls },
    { "tag", "create", 3, 4, tn_lake_run_tag_create },
    { "tag", "rm", 3, 3, tn_lake_run_tag_rm },
    { "catalog", NULL, 2, 2, tn_lake_run_catalog },
    { "gc", NULL, 1, 1, tn_lake_run_gc },
    { "maintain", NULL, 1, 1, tn_lake_run_maintain },
    { "runs", NULL, 1, 1, tn_lake_run_runs },
    { "doctor", NULL, 1, 2, NULL }, /* works where no lake can be opened */
};

static const struct verb *verb_of(const tn_strs *w)
{
    for (size_t i = 0; i < TN_COUNTOF(VERBS); i++) {
        const struct verb *v = &VERBS[i];
        bool same = tn_str_is(w->v[0], v->one) &&
                    (v->two == NULL || (w->n > 1 && tn_str_is(w->v[1], v->two)));
        if (same && w->n >= v->words_min && w->n <= v->words_max) {
            return v;
        }
    }
    return NULL;
}

static tn_rc run(tn_lake_call *x, const struct verb *verb, tn_err *err)
{
    tn_cli_place place;
    TN_TRY(tn_cli_find_place(x->cli, x->o->env, &place, err));
    TN_TRY(tn_cli_need_lake(&place, err));
    TN_AUTOPTR(tn_lake) lake = NULL;
    TN_TRY(tn_cli_open_lake(x->cli, place.lake, place.storage, false, &lake, err));
    x->lake = lake;
    x->env = place.env;
    return verb->run(x, err);
}

static int run_doctor(tn_lake_call *x)
{
    tn_cli_place place = { .storage = TN_VAL_UNDEF };
    tn_err err = TN_ERR_INIT;
    bool ok = false;
    tn_cli with_url = *x->cli;
    if (x->words->n == 2) {
        with_url.lake = x->words->v[1];
    }
    tn_rc rc = tn_cli_find_place(&with_url, x->o->env, &place, &err);
    rc = rc == TN_OK ? tn_cli_need_lake(&place, &err) : rc;
    rc = rc == TN_OK ? tn_lake_run_doctor(x, place.lake, place.storage, &ok, &err) : rc;
    return rc != TN_OK ? tn_cli_error(x->cli, &err) : ok ? TN_EXIT_OK : TN_EXIT_FAILED;
}

int tn_cmd_lake(const tn_cli *cli, int argc, char **argv)
{
    tn_lake_options o = { .limit = 20 };
    tn_strs words = { 0 };
    bool done;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, NULL, &done, &status);
    if (done) {
        return status;
    }
    tn_lake_call x = { .cli = cli, .o = &o, .words = &words };
    const struct verb *verb = verb_of(&words);
    if (verb == NULL) {
        return tn_cli_usage_error(cli, spec.name, "it is one of: %s", spec.usage);
    }
    if (o.limit < 0) {
        return tn_cli_usage_error(cli, spec.name, "--limit cannot be negative");
    }
    if (!tn_cli_output_json(cli, spec.name, o.output, &x.json)) {
        return TN_EXIT_USAGE;
    }
    if (verb->run == NULL) {
        return run_doctor(&x);
    }
    tn_err err = TN_ERR_INIT;
    return run(&x, verb, &err) == TN_OK ? TN_EXIT_OK : tn_cli_error(cli, &err);
}
