/* cmd_lake.c: tarn lake: environments, lake commits, the catalog. */
#include <stdio.h>

#include "cli/cli_lake.h"
#include "cli/cli_rows.h"
#include "lake/lake_env.h"
#include "os/file.h"
#include "os/proc.h"

typedef struct lake_options {
    tn_str env, output, from;
    int64_t limit, to;
    tn_flag all, newest;
} lake_options;

#define F(field) offsetof(lake_options, field)
static const tn_opt options[] = {
    { "--env", TN_OPT_STR, F(env), "NAME", "environment (default: the profile's, else prod)",
        "TARN_ENV" },
    { "--to", TN_OPT_INT, F(to), "COMMIT",
        "rollback: publish the pins of that lake commit (default: the one before the newest)",
        NULL },
    { "--from", TN_OPT_STR, F(from), "NAME",
        "env create: start with the pins of that environment (default: prod)", NULL },
    { "--limit", TN_OPT_INT, F(limit), "N", "log: the newest N (default: 20, 0 for all)", NULL },
    { "--all", TN_OPT_FLAG, F(all), NULL, "log: of all environments", NULL },
    { "--newest", TN_OPT_FLAG, F(newest), NULL,
        "publish: first pin the newest version of every Delta table at <lake>/<schema>/<table>",
        NULL },
    { "--output", TN_OPT_STR, F(output), "text|json", "json: for programs", NULL },
};
#undef F

static const tn_cmd_spec spec = {
    .name = "lake",
    .summary = "environments and lake commits: status, log, publish, rollback, env, diff",
    .usage = "status | log | publish | rollback | env ls | env create NAME | diff A B [options]",
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
        "tarn lake diff prod alice            relations that two environments see differently\n"
        "tarn lake diff 12 15                 the same for two lake commits\n"
        "\nExit status: 0 ok, 1 a conflict, 2 wrong usage or environment.",
    .words_min = 1,
    .words_max = 3,
};

typedef struct lake_call {
    const tn_cli *cli;
    const lake_options *o;
    tn_str env;
    tn_lake *lake;
    bool json;
} lake_call;

static tn_rc print_list(lake_call *x, const char *const *names, size_t n, tn_val list, tn_err *err)
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

static tn_str catalog_path(lake_call *x, tn_str env)
{
    return tn_str_printf(x->cli->arena, TN_STR_FMT "/catalog/" TN_STR_FMT ".duckdb",
        TN_STR_ARG(tn_lake_root(x->lake)), TN_STR_ARG(env));
}

/* ---- status ---- */

static tn_rc env_dict(lake_call *x, tn_str env, tn_val *ret, tn_err *err)
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

static tn_rc run_status(lake_call *x, tn_err *err)
{
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
    return print_list(x, names, TN_COUNTOF(names), rows, err);
}

/* ---- log ---- */

static tn_rc run_log(lake_call *x, tn_err *err)
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
    return print_list(x, names, TN_COUNTOF(names), rows, err);
}

/* ---- publish, rollback, env ---- */

static tn_rc publish(lake_call *x, tn_str env, int64_t *ret_commit, tn_str *ret_path, tn_err *err)
{
    tn_lake_head head;
    TN_TRY(tn_lake_head_read(x->lake, x->cli->arena, env, &head, err));
    if (head.commit < 0) {
        tn_rc rc = tn_fail(
            err, TN_E_NOTFOUND, "environment '" TN_STR_FMT "' has no lake commit", TN_STR_ARG(env));
        return tn_hint(err, rc, "'tarn lake env ls' lists the environments of this lake");
    }
    *ret_commit = head.commit;
    return tn_lake_catalog_publish(x->lake, env, &head, ret_path, x->cli->arena, err);
}

static void tell(lake_call *x, const char *did, tn_str env, int64_t commit, tn_str path)
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
static tn_rc pin_newest(lake_call *x, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_lake_head head;
    tn_pins found;
    tn_lake_change change = {
        .info = TN_VAL_UNDEF, .message = TN_STR("publish the newest versions"), .newest_wins = true
    };
    TN_TRY(tn_lake_head_read(x->lake, a, x->env, &head, err));
    TN_TRY(tn_lake_discover(x->lake, a, &found, err));
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
        tn_vec_push(&change.put, a, pin);
    }
    int64_t commit;
    return tn_lake_commit_write(x->lake, x->env, &head, &change, &commit, err);
}

static tn_rc run_publish(lake_call *x, tn_err *err)
{
    int64_t commit;
    tn_str path;
    if (tn_flag_is(x->o->newest, false)) {
        TN_TRY(pin_newest(x, err));
    }
    TN_TRY(publish(x, x->env, &commit, &path, err));
    tell(x, "published", x->env, commit, path);
    return TN_OK;
}

static tn_rc run_rollback(lake_call *x, tn_err *err)
{
    int64_t commit;
    tn_str path;
    TN_TRY(tn_lake_rollback(x->lake, x->env, x->o->to, &commit, err));
    TN_TRY(publish(x, x->env, &commit, &path, err));
    tell(x, "rolled back", x->env, commit, path);
    return TN_OK;
}

static tn_rc run_env_create(lake_call *x, tn_str name, tn_err *err)
{
    int64_t commit;
    tn_str path;
    TN_TRY(tn_lake_env_create(
        x->lake, name, x->o->from.n > 0 ? x->o->from : TN_STR("prod"), &commit, err));
    TN_TRY(publish(x, name, &commit, &path, err));
    tell(x, "created", name, commit, path);
    return TN_OK;
}

static tn_rc run_env_ls(lake_call *x, tn_err *err)
{
    tn_val envs;
    TN_TRY(tn_lake_envs(x->lake, x->cli->arena, &envs, err));
    if (x->json) {
        tn_cli_print_json(x->cli, envs);
        return TN_OK;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(envs.dict, &at)) != NULL) {
        printf(TN_STR_FMT "\n", TN_STR_ARG(tn_val_as_str(it->key)));
    }
    return TN_OK;
}

/* ---- diff ---- */

/* An environment's name, or the number of a lake commit. */
static tn_rc pins_of(lake_call *x, tn_str word, tn_pins *ret, tn_err *err)
{
    int64_t commit;
    tn_lake_head head;
    if (tn_str_to_i64(word, &commit) && commit >= 0) {
        return tn_lake_commit_pins(x->lake, x->cli->arena, commit, ret, err);
    }
    TN_TRY(tn_lake_head_read(x->lake, x->cli->arena, word, &head, err));
    if (head.commit < 0) {
        return tn_fail(err, TN_E_NOTFOUND, "environment '" TN_STR_FMT "' has no lake commit",
            TN_STR_ARG(word));
    }
    *ret = head.pins;
    return TN_OK;
}

static tn_val pin_state(tn_arena *a, const tn_pin *p)
{
    if (p == NULL) {
        return TN_VAL_NONE;
    }
    return p->kind == TN_PIN_DELTA ? tn_val_str(tn_str_printf(a, "version %lld of " TN_STR_FMT,
                                         (long long)p->version, TN_STR_ARG(p->location)))
                                   : tn_val_str(p->sql);
}

static void add_difference(tn_arena *a, tn_val list, const tn_pin *p, const tn_pin *q)
{
    const tn_pin *any = p != NULL ? p : q;
    tn_val d = tn_val_dict(a);
    tn_dict_putz(d.dict, "schema", tn_val_str(any->schema));
    tn_dict_putz(d.dict, "name", tn_val_str(any->name));
    tn_dict_putz(d.dict, "change",
        tn_val_z(p == NULL   ? "added"
                 : q == NULL ? "removed"
                             : "changed"));
    tn_dict_putz(d.dict, "from", pin_state(a, p));
    tn_dict_putz(d.dict, "to", pin_state(a, q));
    tn_list_push(list.list, d);
}

static tn_rc run_diff(lake_call *x, tn_str one, tn_str two, tn_err *err)
{
    static const char *const names[] = { "relation", "change", "from", "to" };
    tn_arena *a = x->cli->arena;
    tn_pins p, q;
    TN_TRY(pins_of(x, one, &p, err));
    TN_TRY(pins_of(x, two, &q, err));
    tn_val list = tn_val_list(a), rows = tn_val_list(a);
    for (size_t i = 0; i < p.n; i++) {
        const tn_pin *other = tn_pins_find(&q, p.v[i].schema, p.v[i].name);
        if (!tn_pins_same(&p.v[i], other)) {
            add_difference(a, list, &p.v[i], other);
        }
    }
    for (size_t i = 0; i < q.n; i++) {
        if (tn_pins_find(&p, q.v[i].schema, q.v[i].name) == NULL) {
            add_difference(a, list, NULL, &q.v[i]);
        }
    }
    if (x->json) {
        tn_cli_print_json(x->cli, list);
        return TN_OK;
    }
    for (size_t i = 0; i < list.list->n; i++) {
        tn_val d = list.list->v[i];
        tn_val row[] = {
            tn_val_str(tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT,
                TN_STR_ARG(tn_val_as_str(tn_val_at(d, "schema"))),
                TN_STR_ARG(tn_val_as_str(tn_val_at(d, "name"))))),
            tn_val_at(d, "change"),
            tn_val_at(d, "from"),
            tn_val_at(d, "to"),
        };
        tn_list_push(rows.list, tn_val_tuple(a, row, TN_COUNTOF(row)));
    }
    return print_list(x, names, TN_COUNTOF(names), rows, err);
}

/* ---- dispatch ---- */

typedef enum lake_verb {
    STATUS,
    LOG,
    PUBLISH,
    ROLLBACK,
    ENV_LS,
    ENV_CREATE,
    DIFF,
    NO_VERB
} lake_verb;

static lake_verb verb_of(const tn_strs *w, size_t *ret_words)
{
    static const struct {
        const char *one, *two;
        lake_verb verb;
        size_t words;
    } table[] = { { "status", NULL, STATUS, 1 }, { "log", NULL, LOG, 1 },
        { "publish", NULL, PUBLISH, 1 }, { "rollback", NULL, ROLLBACK, 1 },
        { "env", "ls", ENV_LS, 2 }, { "env", "create", ENV_CREATE, 3 }, { "diff", NULL, DIFF, 3 } };
    for (size_t i = 0; i < TN_COUNTOF(table); i++) {
        if (tn_str_is(w->v[0], table[i].one) &&
            (table[i].two == NULL || (w->n > 1 && tn_str_is(w->v[1], table[i].two)))) {
            *ret_words = table[i].words;
            return table[i].verb;
        }
    }
    return NO_VERB;
}

static tn_rc run(lake_call *x, lake_verb verb, const tn_strs *w, tn_err *err)
{
    tn_cli_place place;
    TN_TRY(tn_cli_find_place(x->cli, x->o->env, &place, err));
    TN_TRY(tn_cli_need_lake(&place, err));
    TN_AUTOPTR(tn_lake) lake = NULL;
    TN_TRY(tn_cli_open_lake(x->cli, place.lake, place.storage, false, &lake, err));
    x->lake = lake;
    x->env = place.env;
    switch (verb) {
    case STATUS:
        return run_status(x, err);
    case LOG:
        return run_log(x, err);
    case PUBLISH:
        return run_publish(x, err);
    case ROLLBACK:
        return run_rollback(x, err);
    case ENV_LS:
        return run_env_ls(x, err);
    case ENV_CREATE:
        return run_env_create(x, w->v[2], err);
    default:
        return run_diff(x, w->v[1], w->v[2], err);
    }
}

int tn_cmd_lake(const tn_cli *cli, int argc, char **argv)
{
    lake_options o = { .to = -1, .limit = 20 };
    tn_strs words = { 0 };
    bool done;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, NULL, &done, &status);
    if (done) {
        return status;
    }
    lake_call x = { .cli = cli, .o = &o };
    size_t wanted = 0;
    lake_verb verb = verb_of(&words, &wanted);
    if (verb == NO_VERB || words.n != wanted) {
        return tn_cli_usage_error(cli, spec.name, "it is one of: %s", spec.usage);
    }
    if (o.limit < 0) {
        return tn_cli_usage_error(cli, spec.name, "--limit cannot be negative");
    }
    if (!tn_cli_output_json(cli, spec.name, o.output, &x.json)) {
        return TN_EXIT_USAGE;
    }
    tn_err err = TN_ERR_INIT;
    return run(&x, verb, &words, &err) == TN_OK ? TN_EXIT_OK : tn_cli_error(cli, &err);
}
