/* lake_env.c: environments as branches: create, promote, rebase, drop. Each is one lake commit that counts only on the head that it was made for. */
#include "lake/lake_env.h"
#include "lake/log/lake_log.h"

#include "base/log.h"

/* ---- create ---- */

static tn_rc check_free_name(tn_lake *l, tn_arena *a, tn_str env, tn_lake_head *ret, tn_err *err)
{
    tn_lake_tags tags;
    TN_TRY(tn_lake_head_read(l, a, env, ret, err));
    if (ret->commit >= 0) {
        return tn_fail(err, TN_E_EXISTS,
            "environment '" TN_STR_FMT "' is there already (lake commit %lld)", TN_STR_ARG(env),
            (long long)ret->commit);
    }
    TN_TRY(tn_lake_tags_read(l, a, &tags, err));
    for (size_t i = 0; i < tags.n; i++) {
        if (tn_str_eq(tags.v[i].name, env)) {
            return tn_fail(
                err, TN_E_EXISTS, "there is a tag '" TN_STR_FMT "' already", TN_STR_ARG(env));
        }
    }
    return TN_OK;
}

tn_rc tn_lake_env_create(tn_lake *l, tn_str env, tn_str from, int64_t *ret_commit, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("new environment", NULL);
    tn_lake_head there;
    tn_lake_ref source;
    TN_TRY(check_free_name(l, a, env, &there, err));
    TN_TRY(tn_lake_ref_recent(l, a, TN_STR("prod"), from, &source, err));
    tn_lake_change change = { .put = source.pins,
        .info = TN_VAL_UNDEF,
        .exactly = true,
        .base = { source.env, source.commit } };
    change.message = tn_str_printf(a, "environment from '" TN_STR_FMT "' at lake commit %lld",
        TN_STR_ARG(source.env), (long long)source.commit);
    return tn_lake_commit_write(l, env, &there, &change, ret_commit, err);
}

/* ---- what changed on which side ---- */

typedef struct branch {
    tn_lake *l;
    tn_arena *a;
    tn_str env;
    tn_lake_head head;  /* of env */
    tn_pins base;       /* what both began with */
    tn_lake_head other; /* of the environment that it was made from */
} branch;

static tn_rc read_branch(branch *b, tn_err *err)
{
    TN_TRY(tn_lake_head_read(b->l, b->a, b->env, &b->head, err));
    if (b->head.commit < 0) {
        return tn_fail(err, TN_E_NOTFOUND, "environment '" TN_STR_FMT "' has no lake commit",
            TN_STR_ARG(b->env));
    }
    if (b->head.base.env.n == 0) {
        tn_rc rc = tn_fail(err, TN_E_VALUE,
            "environment '" TN_STR_FMT "' was not made from another one", TN_STR_ARG(b->env));
        return tn_hint(
            err, rc, "'tarn lake env create NAME --from ENV' makes one that can be promoted");
    }
    TN_TRY(tn_lake_commit_pins(b->l, b->a, b->head.base.commit, &b->base, err));
    return tn_lake_head_recent(b->l, b->a, b->head.base.env, &b->other, err);
}

static tn_strs names_of(tn_arena *a, const tn_pins *pins)
{
    tn_strs out = { 0 };
    for (size_t i = 0; i < pins->n; i++) {
        tn_vec_push(&out, a, tn_pin_full_name(a, &pins->v[i]));
    }
    return out;
}

static tn_str join_some(tn_arena *a, const tn_strs *names)
{
    enum { SHOWN = 5 };
    tn_buf b = tn_buf_init(a, 1 << 16);
    for (size_t i = 0; i < names->n && i < SHOWN; i++) {
        tn_buf_addf(&b, "%s" TN_STR_FMT, i > 0 ? ", " : "", TN_STR_ARG(names->v[i]));
    }
    if (names->n > SHOWN) {
        tn_buf_addf(&b, " and %zu more", names->n - SHOWN);
    }
    return tn_buf_str(&b);
}

/* ---- promote ---- */

static tn_rc refuse_moved(const branch *b, tn_err *err)
{
    tn_lake_change moved = { .info = TN_VAL_UNDEF };
    tn_lake_difference(b->a, &b->base, &b->other.pins, &moved);
    if (moved.put.n + moved.drop.n == 0) {
        return TN_OK;
    }
    tn_strs names = names_of(b->a, &moved.put);
    for (size_t i = 0; i < moved.drop.n; i++) {
        tn_vec_push(&names, b->a, moved.drop.v[i]);
    }
    tn_rc rc = tn_fail(err, TN_E_CONFLICT,
        "environment '" TN_STR_FMT "' moved on from lake commit %lld to %lld: " TN_STR_FMT,
        TN_STR_ARG(b->head.base.env), (long long)b->head.base.commit, (long long)b->other.commit,
        TN_STR_ARG(join_some(b->a, &names)));
    return tn_hint(err, rc,
        "nothing was published; 'tarn lake env rebase " TN_STR_FMT
        "' takes that over, then build and test, then promote",
        TN_STR_ARG(b->env));
}

/* What env is based on from now on: it and the other one show the same. A failure costs a rebase before the next promotion. */
static void note_base(const branch *b, tn_str to, int64_t commit)
{
    tn_lake_change change = { .info = TN_VAL_UNDEF,
        .base = { to, commit },
        .exactly = true,
        .message = tn_str_printf(b->a, "promoted to '" TN_STR_FMT "', lake commit %lld",
            TN_STR_ARG(to), (long long)commit) };
    int64_t ignored;
    tn_err why = TN_ERR_INIT;
    if (tn_lake_commit_write(b->l, b->env, &b->head, &change, &ignored, &why) != TN_OK) {
        tn_log(TN_LOG_WARN, "lake", "environment '" TN_STR_FMT "' needs a rebase next time: %s",
            TN_STR_ARG(b->env), why.msg);
    }
}

static tn_val promotion_info(tn_arena *a, const branch *b)
{
    tn_val from = tn_val_dict(a);
    tn_val info = tn_val_dict(a);
    tn_dict_putz(from.dict, "env", tn_val_str(b->env));
    tn_dict_putz(from.dict, "commit", tn_val_int(b->head.commit));
    tn_dict_putz(info.dict, "promoted", from);
    return info;
}

tn_rc tn_lake_env_promote(
    tn_lake *l, tn_arena *a, tn_str env, tn_str to, bool dry_run, tn_lake_moves *ret, tn_err *err)
{
    branch b = { .l = l, .a = a, .env = env };
    TN_TRY(read_branch(&b, err));
    if (!tn_str_eq(b.head.base.env, to)) {
        tn_rc rc = tn_fail(err, TN_E_VALUE,
            "environment '" TN_STR_FMT "' was made from '" TN_STR_FMT "', not from '" TN_STR_FMT
            "'",
            TN_STR_ARG(env), TN_STR_ARG(b.head.base.env), TN_STR_ARG(to));
        return tn_hint(err, rc, "promote it to '" TN_STR_FMT "'", TN_STR_ARG(b.head.base.env));
    }
    tn_lake_change change = { .info = promotion_info(a, &b), .exactly = true };
    TN_TRY(refuse_moved(&b, err));
    tn_lake_difference(a, &b.base, &b.head.pins, &change);
    tn_lake_moves moves = {
        .commit = b.other.commit, .changed = names_of(a, &change.put), .dropped = change.drop
    };
    if (!dry_run && change.put.n + change.drop.n > 0) {
        change.message =
            tn_str_printf(a, "promote environment '" TN_STR_FMT "' at lake commit %lld",
                TN_STR_ARG(env), (long long)b.head.commit);
        TN_TRY(tn_lake_commit_write(l, to, &b.other, &change, &moves.commit, err));
        note_base(&b, to, moves.commit);
    }
    *ret = moves;
    return TN_OK;
}

/* ---- rebase ---- */

static void take_over(
    branch *b, const tn_pin *theirs, tn_str full, tn_lake_change *change, tn_lake_moves *moves)
{
    if (theirs != NULL) {
        tn_vec_push(&change->put, b->a, *theirs);
        tn_vec_push(&moves->changed, b->a, full);
    } else {
        tn_vec_push(&change->drop, b->a, full);
        tn_vec_push(&moves->dropped, b->a, full);
    }
}

/* One relation that the other environment changed since the base. */
static void rebase_one(
    branch *b, const tn_pin *any, tn_lake_both both, tn_lake_change *change, tn_lake_moves *moves)
{
    const tn_pin *was = tn_pins_find(&b->base, any->schema, any->name);
    const tn_pin *theirs = tn_pins_find(&b->other.pins, any->schema, any->name);
    const tn_pin *ours = tn_pins_find(&b->head.pins, any->schema, any->name);
    if (tn_pins_same(was, theirs) || tn_pins_same(ours, theirs)) {
        return;
    }
    tn_str full = tn_pin_full_name(b->a, any);
    bool mine = !tn_pins_same(was, ours);
    if (mine) {
        tn_vec_push(&moves->both, b->a, full);
    }
    if (!mine || both == TN_BOTH_THEIRS) {
        take_over(b, theirs, full, change, moves);
    }
}

tn_rc tn_lake_env_rebase(
    tn_lake *l, tn_arena *a, tn_str env, tn_lake_both both, tn_lake_moves *ret, tn_err *err)
{
    branch b = { .l = l, .a = a, .env = env };
    TN_TRY(read_branch(&b, err));
    tn_lake_moves moves = { .commit = b.head.commit };
    tn_lake_change change = {
        .info = TN_VAL_UNDEF, .exactly = true, .base = { b.head.base.env, b.other.commit }
    };
    for (size_t i = 0; i < b.other.pins.n; i++) {
        rebase_one(&b, &b.other.pins.v[i], both, &change, &moves);
    }
    for (size_t i = 0; i < b.base.n; i++) {
        if (tn_pins_find(&b.other.pins, b.base.v[i].schema, b.base.v[i].name) == NULL) {
            rebase_one(&b, &b.base.v[i], both, &change, &moves);
        }
    }
    if (moves.both.n > 0 && both == TN_BOTH_REFUSE) {
        tn_rc rc = tn_fail(err, TN_E_CONFLICT,
            "both '" TN_STR_FMT "' and '" TN_STR_FMT "' changed " TN_STR_FMT, TN_STR_ARG(env),
            TN_STR_ARG(b.head.base.env), TN_STR_ARG(join_some(a, &moves.both)));
        return tn_hint(err, rc,
            "nothing was changed; --ours keeps what '" TN_STR_FMT
            "' has, --theirs takes the other's",
            TN_STR_ARG(env));
    }
    if (b.other.commit != b.head.base.commit) {
        change.message = tn_str_printf(a, "rebase on '" TN_STR_FMT "' at lake commit %lld",
            TN_STR_ARG(b.head.base.env), (long long)b.other.commit);
        TN_TRY(tn_lake_commit_write(l, env, &b.head, &change, &moves.commit, err));
    }
    *ret = moves;
    return TN_OK;
}

/* ---- drop ---- */

/* Names of the environments that are based on env. */
static tn_rc based_on(tn_lake *l, tn_arena *a, tn_str env, tn_strs *ret, tn_err *err)
{
    tn_val envs;
    size_t at = 0;
    const tn_dict_item *it;
    TN_TRY(tn_lake_envs_recent(l, a, &envs, err));
    while ((it = tn_dict_next(envs.dict, &at)) != NULL) {
        tn_lake_head head;
        tn_str other = tn_val_as_str(it->key);
        if (!tn_str_eq(other, env)) {
            TN_TRY(tn_lake_head_recent(l, a, other, &head, err));
            if (tn_str_eq(head.base.env, env)) {
                tn_vec_push(ret, a, other);
            }
        }
    }
    return TN_OK;
}

static tn_rc refuse_main(tn_lake *l, tn_arena *a, tn_str env, const tn_lake_head *head, tn_err *err)
{
    tn_strs others = { 0 };
    TN_TRY(based_on(l, a, env, &others, err));
    if (!tn_str_is(env, "prod") && others.n == 0) {
        return TN_OK;
    }
    tn_rc rc =
        others.n > 0
            ? tn_fail(err, TN_E_ACCESS,
                  "environment '" TN_STR_FMT "' (%zu relations) is what " TN_STR_FMT " %s based on",
                  TN_STR_ARG(env), head->pins.n, TN_STR_ARG(join_some(a, &others)),
                  others.n == 1 ? "is" : "are")
            : tn_fail(err, TN_E_ACCESS,
                  "environment 'prod' (%zu relations) is the main one: its readers would "
                  "have nothing left",
                  head->pins.n);
    return tn_hint(err, rc,
        "nothing was dropped; --force drops it all the same, 'tarn lake tag create NAME' keeps its "
        "state before that");
}

tn_rc tn_lake_env_drop(tn_lake *l, tn_str env, bool force, int64_t *ret_commit, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("drop environment", NULL);
    tn_lake_head head;
    TN_TRY(tn_lake_head_read(l, a, env, &head, err));
    if (head.commit < 0) {
        return tn_fail(
            err, TN_E_NOTFOUND, "there is no environment '" TN_STR_FMT "'", TN_STR_ARG(env));
    }
    if (!force) {
        TN_TRY(refuse_main(l, a, env, &head, err));
    }
    tn_lake_change change = { .info = TN_VAL_UNDEF,
        .exactly = true,
        .drop_env = true,
        .drop = names_of(a, &head.pins),
        .message = TN_STR("environment dropped") };
    TN_TRY(tn_lake_commit_write(l, env, &head, &change, ret_commit, err));
    tn_lake_catalog_forget(l, env);
    static const char *const files[] = { ".duckdb", ".init.sql" };
    for (size_t i = 0; i < TN_COUNTOF(files); i++) {
        tn_err why = TN_ERR_INIT;
        tn_str key =
            tn_str_printf(a, TN_LAKE_CATALOG_DIR "/" TN_STR_FMT "%s", TN_STR_ARG(env), files[i]);
        if (tn_store_remove(l->store, key, &why) != TN_OK) {
            tn_log(TN_LOG_WARN, "lake", "'" TN_STR_FMT "' is left: %s", TN_STR_ARG(key), why.msg);
        }
    }
    return TN_OK;
}
