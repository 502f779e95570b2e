/* behavior.c: adapter.behavior: what dbt's adapters changed and what `flags:` of dbt_project.yml may choose already.
 *
 *   adapter.behavior.NAME           true or false; false is told once, as a change to come
 *   adapter.behavior.NAME.no_warn   the same, and nothing is told
 */
#include "project/context/context_priv.h"

typedef struct flag_def {
    const char *name;
    const char *docs;
} flag_def;

static const flag_def defs[] = {
    { "require_batched_execution_for_custom_microbatch_strategy",
        "https://docs.getdbt.com/docs/build/incremental-microbatch" },
    { "enable_truthy_nulls_equals_macro", "" },
};

typedef struct behavior {
    tn_obj base;
    tn_project *project;
    tn_pctx *ctx; /* NULL: while the project is read */
} behavior;

typedef struct flag {
    tn_obj base;
    const behavior *of;
    size_t def;
    bool on;
} flag;

static void tell(const flag *f)
{
    tn_project *p = f->of->project;
    unsigned bit = 1u << f->def;
    const char *event = "BehaviorChangeEvent", *name = defs[f->def].name;
    if (tn_project_warn_fate(p, event) == TN_WARN_SILENT ||
        (__atomic_fetch_or(&p->state->behaviors_told, bit, __ATOMIC_RELAXED) & bit) != 0) {
        return;
    }
    TN_AUTO_ARENA a = tn_arena_new("behavior", NULL);
    tn_str msg = tn_str_printf(a,
        "The behavior controlled by `%s` is currently turned off.\n\nYou may opt into the new "
        "behavior sooner by setting `flags.%s` to `True` in `dbt_project.yml`.\nVisit %s for more "
        "information.",
        name, name, defs[f->def].docs);
    const tn_pctx *c = f->of->ctx;
    if (c != NULL && c->hooks != NULL && c->hooks->warn != NULL) {
        c->hooks->warn(f->of->ctx, event, "D000", msg);
    } else {
        tn_project_note(p, event, TN_STR_NONE, 0, TN_STR_FMT, TN_STR_ARG(msg))->code = "D000";
    }
}

static bool flag_truthy(tn_obj *self)
{
    const flag *f = (const flag *)(const void *)self;
    if (!f->on) {
        tell(f);
    }
    return f->on;
}

static tn_rc flag_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)a, (void)err;
    const flag *f = (const flag *)(const void *)self;
    *ret = tn_str_is(name, "no_warn")   ? tn_val_bool(f->on)
           : tn_str_is(name, "setting") ? tn_val_bool(flag_truthy(self))
           : tn_str_is(name, "name")    ? tn_val_z(defs[f->def].name)
                                        : tn_val_undef(name);
    return TN_OK;
}

static const tn_obj_type flag_type = {
    .name = "BehaviorFlagRendered", .attr = flag_attr, .truthy = flag_truthy
};

/* Only what the project itself says: dbt-core's own default of the same name is another. */
static bool is_on(const tn_project *p, const char *name)
{
    tn_val raw = { .tag = TN_DICT, .dict = p->package->raw };
    return tn_val_truthy(tn_val_at(tn_val_at(raw, "flags"), name));
}

static tn_rc behavior_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    const behavior *b = (const behavior *)(const void *)self;
    for (size_t i = 0; i < TN_COUNTOF(defs); i++) {
        if (tn_str_is(name, defs[i].name)) {
            flag *f = tn_new(a, flag);
            *f = (flag){ { &flag_type }, b, i, is_on(b->project, defs[i].name) };
            *ret = tn_val_obj(&f->base);
            return TN_OK;
        }
    }
    return tn_fail(
        err, TN_E_COMPILE, "The flag " TN_STR_FMT " has not been registered.", TN_STR_ARG(name));
}

static const tn_obj_type behavior_type = { .name = "Behavior", .attr = behavior_attr };

tn_val tn_context_behavior(tn_arena *a, tn_project *p, tn_pctx *c)
{
    behavior *b = tn_new(a, behavior);
    *b = (behavior){ { &behavior_type }, p, c };
    return tn_val_obj(&b->base);
}
