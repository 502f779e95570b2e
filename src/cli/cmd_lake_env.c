/* cmd_lake_env.c: tarn lake env, tag, show, gc: branches, names for points in history, cleaning. */
#include <stdio.h>

#include "cli/cmd_lake.h"
#include "lake/lake_env.h"
#include "lake/lake_gc.h"

static bool is_quiet(const tn_lake_call *x)
{
    return tn_flag_is(x->cli->quiet, false);
}

/* ---- environments ---- */

tn_rc tn_lake_run_env_ls(tn_lake_call *x, tn_err *err)
{
    static const char *const names[] = { "environment", "lake commit", "relations", "base" };
    tn_arena *a = x->cli->arena;
    tn_val envs, rows = tn_val_list(a);
    TN_TRY(tn_lake_envs(x->lake, a, &envs, err));
    if (x->json) {
        tn_cli_print_json(x->cli, envs);
        return TN_OK;
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(envs.dict, &at)) != NULL) {
        tn_lake_head head;
        TN_TRY(tn_lake_head_read(x->lake, a, tn_val_as_str(it->key), &head, err));
        tn_val row[] = { it->key, it->value, tn_val_int((int64_t)head.pins.n), TN_VAL_NONE };
        if (head.base.env.n > 0) {
            row[3] = tn_val_str(tn_str_printf(a, TN_STR_FMT ", lake commit %lld",
                TN_STR_ARG(head.base.env), (long long)head.base.commit));
        }
        tn_list_push(rows.list, tn_val_tuple(a, row, TN_COUNTOF(row)));
    }
    return tn_lake_print_list(x, names, TN_COUNTOF(names), rows, err);
}

tn_rc tn_lake_run_env_create(tn_lake_call *x, tn_err *err)
{
    int64_t commit;
    tn_str name = x->words->v[2];
    TN_TRY(tn_lake_env_create(
        x->lake, name, x->o->from.n > 0 ? x->o->from : TN_STR("prod"), &commit, err));
    return tn_lake_publish_and_tell(x, name, "created", err);
}

static tn_val strs_val(tn_arena *a, const tn_strs *names)
{
    tn_val list = tn_val_list(a);
    for (size_t i = 0; i < names->n; i++) {
        tn_list_push(list.list, tn_val_str(names->v[i]));
    }
    return list;
}

static void print_moves(tn_lake_call *x, const char *did, tn_str env, const tn_lake_moves *m)
{
    tn_arena *a = x->cli->arena;
    bool dry = tn_flag_is(x->o->dry_run, false);
    if (x->json) {
        tn_val d = tn_val_dict(a);
        tn_dict_putz(d.dict, "environment", tn_val_str(env));
        tn_dict_putz(d.dict, "lake_commit", tn_val_int(m->commit));
        tn_dict_putz(d.dict, "changed", strs_val(a, &m->changed));
        tn_dict_putz(d.dict, "dropped", strs_val(a, &m->dropped));
        tn_dict_putz(d.dict, "both", strs_val(a, &m->both));
        tn_dict_putz(d.dict, "dry_run", tn_val_bool(dry));
        tn_cli_print_json(x->cli, d);
        return;
    }
    if (is_quiet(x)) {
        return;
    }
    for (size_t i = 0; i < m->changed.n; i++) {
        printf("  changed " TN_STR_FMT "\n", TN_STR_ARG(m->changed.v[i]));
    }
    for (size_t i = 0; i < m->dropped.n; i++) {
        printf("  dropped " TN_STR_FMT "\n", TN_STR_ARG(m->dropped.v[i]));
    }
    printf("%s%s: %zu changed, %zu dropped, lake commit %lld of '" TN_STR_FMT "'\n",
        dry ? "dry run, " : "", did, m->changed.n, m->dropped.n, (long long)m->commit,
        TN_STR_ARG(env));
}

tn_rc tn_lake_run_env_promote(tn_lake_call *x, tn_err *err)
{
    tn_lake_moves m;
    tn_arena *a = x->cli->arena;
    tn_str name = x->words->v[2];
    tn_str to = x->o->to.n > 0 ? x->o->to : TN_STR("prod");
    bool dry = tn_flag_is(x->o->dry_run, false);
    TN_TRY(tn_lake_env_promote(x->lake, a, name, to, dry, &m, err));
    if (!dry) {
        tn_str path;
        TN_TRY(tn_lake_catalog_publish(x->lake, to, NULL, &path, a, err));
    }
    print_moves(x, "promoted", to, &m);
    return TN_OK;
}

tn_rc tn_lake_run_env_rebase(tn_lake_call *x, tn_err *err)
{
    tn_lake_moves m;
    tn_arena *a = x->cli->arena;
    tn_str name = x->words->v[2];
    tn_str path;
    bool ours = tn_flag_is(x->o->ours, false);
    bool theirs = tn_flag_is(x->o->theirs, false);
    if (ours && theirs) {
        return tn_fail(err, TN_E_USAGE, "--ours and --theirs exclude each other");
    }
    tn_lake_both both = ours ? TN_BOTH_OURS : theirs ? TN_BOTH_THEIRS : TN_BOTH_REFUSE;
    TN_TRY(tn_lake_env_rebase(x->lake, a, name, both, &m, err));
    TN_TRY(tn_lake_catalog_publish(x->lake, name, NULL, &path, a, err));
    print_moves(x, "rebased", name, &m);
    return TN_OK;
}

tn_rc tn_lake_run_env_drop(tn_lake_call *x, tn_err *err)
{
    int64_t commit;
    tn_str name = x->words->v[2];
    TN_TRY(tn_lake_env_drop(x->lake, name, tn_flag_is(x->o->force, false), &commit, err));
    if (x->json) {
        tn_val d = tn_val_dict(x->cli->arena);
        tn_dict_putz(d.dict, "environment", tn_val_str(name));
        tn_dict_putz(d.dict, "lake_commit", tn_val_int(commit));
        tn_cli_print_json(x->cli, d);
    } else if (!is_quiet(x)) {
        printf("dropped environment '" TN_STR_FMT "', lake commit %lld; 'tarn lake gc' frees what "
               "only it had pinned\n",
            TN_STR_ARG(name), (long long)commit);
    }
    return TN_OK;
}

/* ---- tags ---- */

tn_rc tn_lake_run_tag_ls(tn_lake_call *x, tn_err *err)
{
    static const char *const names[] = { "tag", "lake commit", "environment", "time (UTC)",
        "message" };
    tn_arena *a = x->cli->arena;
    tn_lake_tags tags;
    tn_val rows = tn_val_list(a), list = tn_val_list(a);
    TN_TRY(tn_lake_tags_read(x->lake, a, &tags, err));
    for (size_t i = 0; i < tags.n; i++) {
        const tn_lake_tag *t = &tags.v[i];
        tn_val row[] = { tn_val_str(t->name), tn_val_int(t->commit), tn_val_str(t->env),
            tn_val_str(tn_cli_instant(a, t->timestamp_ms)), tn_val_str(t->message) };
        tn_val d = tn_val_dict(a);
        tn_dict_putz(d.dict, "tag", row[0]);
        tn_dict_putz(d.dict, "lake_commit", row[1]);
        tn_dict_putz(d.dict, "environment", row[2]);
        tn_dict_putz(d.dict, "timestamp", tn_val_int(t->timestamp_ms));
        tn_dict_putz(d.dict, "message", row[4]);
        tn_list_push(rows.list, tn_val_tuple(a, row, TN_COUNTOF(row)));
        tn_list_push(list.list, d);
    }
    if (x->json) {
        tn_cli_print_json(x->cli, list);
        return TN_OK;
    }
    return tn_lake_print_list(x, names, TN_COUNTOF(names), rows, err);
}

tn_rc tn_lake_run_tag_create(tn_lake_call *x, tn_err *err)
{
    tn_lake_ref ref;
    tn_arena *a = x->cli->arena;
    tn_str name = x->words->v[2];
    tn_str word = x->words->n > 3 ? x->words->v[3] : x->env;
    TN_TRY(tn_lake_ref_read(x->lake, a, x->env, word, &ref, err));
    TN_TRY(tn_lake_tag_create(x->lake, name, ref.commit, x->o->message, err));
    if (!x->json && !is_quiet(x)) {
        printf("tagged lake commit %lld of '" TN_STR_FMT "' as '" TN_STR_FMT "'\n",
            (long long)ref.commit, TN_STR_ARG(ref.env), TN_STR_ARG(name));
    } else if (x->json) {
        tn_val d = tn_val_dict(a);
        tn_dict_putz(d.dict, "tag", tn_val_str(name));
        tn_dict_putz(d.dict, "lake_commit", tn_val_int(ref.commit));
        tn_dict_putz(d.dict, "environment", tn_val_str(ref.env));
        tn_cli_print_json(x->cli, d);
    }
    return TN_OK;
}

tn_rc tn_lake_run_tag_rm(tn_lake_call *x, tn_err *err)
{
    tn_str name = x->words->v[2];
    TN_TRY(tn_lake_tag_remove(x->lake, name, err));
    if (!x->json && !is_quiet(x)) {
        printf("removed the tag '" TN_STR_FMT "'\n", TN_STR_ARG(name));
    }
    return TN_OK;
}

/* ---- one commit ---- */

static tn_val pin_row(tn_arena *a, const tn_pin *p, tn_val dict)
{
    static const char *const kinds[] = { "delta", "view", "external" };
    tn_val row[] = {
        tn_val_str(tn_str_printf(
            a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(p->schema), TN_STR_ARG(p->name))),
        tn_val_z(kinds[p->kind]),
        p->kind == TN_PIN_DELTA ? tn_val_int(p->version) : TN_VAL_NONE,
        p->location.n > 0 ? tn_val_str(p->location) : TN_VAL_NONE,
        p->node.n > 0 ? tn_val_str(p->node) : TN_VAL_NONE,
    };
    tn_dict_putz(dict.dict, "relation", row[0]);
    tn_dict_putz(dict.dict, "kind", row[1]);
    tn_dict_putz(dict.dict, "version", row[2]);
    tn_dict_putz(dict.dict, "location", row[3]);
    tn_dict_putz(dict.dict, "node", row[4]);
    if (p->sql.n > 0) {
        tn_dict_putz(dict.dict, "sql", tn_val_str(p->sql));
    }
    return tn_val_tuple(a, row, TN_COUNTOF(row));
}

tn_rc tn_lake_run_show(tn_lake_call *x, tn_err *err)
{
    static const char *const names[] = { "relation", "kind", "version", "location", "node" };
    tn_arena *a = x->cli->arena;
    tn_lake_ref ref;
    tn_val rows = tn_val_list(a), pins = tn_val_list(a), entry;
    tn_str word = x->words->n > 1 ? x->words->v[1] : x->env;
    TN_TRY(tn_lake_ref_read(x->lake, a, x->env, word, &ref, err));
    TN_TRY(tn_lake_log_entry(x->lake, a, ref.commit, &entry, err));
    for (size_t i = 0; i < ref.pins.n; i++) {
        tn_val d = tn_val_dict(a);
        tn_list_push(rows.list, pin_row(a, &ref.pins.v[i], d));
        tn_list_push(pins.list, d);
    }
    if (x->json) {
        tn_dict_putz(entry.dict, "pins", pins);
        tn_cli_print_json(x->cli, entry);
        return TN_OK;
    }
    printf("lake commit %lld of environment '" TN_STR_FMT "', " TN_STR_FMT " UTC\n",
        (long long)ref.commit, TN_STR_ARG(ref.env),
        TN_STR_ARG(tn_cli_instant(a, tn_val_int_at(entry, "timestamp", 0))));
    tn_str message = tn_val_str_at(entry, "message", TN_STR_NONE);
    if (message.n > 0) {
        printf(TN_STR_FMT "\n", TN_STR_ARG(message));
    }
    return tn_lake_print_list(x, names, TN_COUNTOF(names), rows, err);
}

/* ---- the catalog ---- */

tn_rc tn_lake_run_catalog(tn_lake_call *x, tn_err *err)
{
    tn_str word = x->words->v[1];
    tn_str path;
    if (tn_str_is(word, "pinned") || tn_str_is(word, "latest")) {
        TN_TRY(tn_lake_views_set(
            x->lake, x->env, tn_str_is(word, "latest") ? TN_VIEWS_LATEST : TN_VIEWS_PINNED, err));
        return tn_lake_publish_and_tell(x, x->env, "published", err);
    }
    TN_TRY(tn_lake_catalog_export(x->lake, x->env, word, &path, x->cli->arena, err));
    if (x->json) {
        tn_val d = tn_val_dict(x->cli->arena);
        tn_dict_putz(d.dict, "environment", tn_val_str(x->env));
        tn_dict_putz(d.dict, "catalog", tn_val_str(path));
        tn_cli_print_json(x->cli, d);
    } else if (!is_quiet(x)) {
        printf("wrote " TN_STR_FMT " and its init.sql\n", TN_STR_ARG(path));
    }
    return TN_OK;
}

/* ---- cleaning ---- */

tn_rc tn_lake_retention_of(tn_str text, int64_t *ret_ms, tn_err *err)
{
    static const struct {
        char unit;
        int64_t ms;
    } UNITS[] = { { 'd', 86400000 }, { 'h', 3600000 }, { 'm', 60000 }, { 's', 1000 } };
    int64_t n;
    if (text.n == 0) {
        *ret_ms = TN_LAKE_RETENTION_MS;
        return TN_OK;
    }
    for (size_t i = 0; i < TN_COUNTOF(UNITS); i++) {
        if (text.p[text.n - 1] == UNITS[i].unit &&
            tn_str_to_i64(tn_str_sub(text, 0, text.n - 1), &n) && n >= 0 && n < 1000000) {
            *ret_ms = n * UNITS[i].ms;
            return TN_OK;
        }
    }
    return tn_fail(err, TN_E_USAGE,
        "--retention is a time like 7d, 12h or 30m, not '" TN_STR_FMT "'", TN_STR_ARG(text));
}

tn_rc tn_lake_run_gc(tn_lake_call *x, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_lake_gc_opts o = { .dry_run = tn_flag_is(x->o->dry_run, false) };
    tn_lake_gc_result r;
    TN_TRY(tn_lake_retention_of(x->o->retention, &o.retention_ms, err));
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(tn_cli_open_duck(x->cli, &duck, &conn, err));
    TN_TRY(tn_lake_connect(x->lake, conn, err));
    TN_TRY(tn_lake_gc(x->lake, conn, a, &o, &r, err));
    if (x->json) {
        tn_val d = tn_val_dict(a);
        tn_dict_putz(d.dict, "dry_run", tn_val_bool(o.dry_run));
        tn_dict_putz(d.dict, "commits_kept", tn_val_int(r.commits_kept));
        tn_dict_putz(d.dict, "commits_removed", tn_val_int(r.commits_removed));
        tn_dict_putz(d.dict, "tables", strs_val(a, &r.tables));
        tn_dict_putz(d.dict, "objects", tn_val_int(r.objects));
        tn_dict_putz(d.dict, "bytes", tn_val_int(r.bytes));
        tn_dict_putz(d.dict, "failed", tn_val_int(r.failed));
        tn_cli_print_json(x->cli, d);
        return TN_OK;
    }
    for (size_t i = 0; i < r.tables.n && !is_quiet(x); i++) {
        printf("  table " TN_STR_FMT "\n", TN_STR_ARG(r.tables.v[i]));
    }
    if (!is_quiet(x)) {
        printf("%s %lld lake commits, %zu tables (" TN_STR_FMT "); %lld lake commits kept\n",
            o.dry_run ? "dry run, would remove" : "removed", (long long)r.commits_removed,
            r.tables.n, TN_STR_ARG(tn_cli_bytes(a, r.bytes)), (long long)r.commits_kept);
    }
    return TN_OK;
}
