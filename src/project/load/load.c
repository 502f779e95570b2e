/* load.c: tn_project_load and the order of its steps. */
#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/random.h"
#include "project/deprecation.h"
#include "project/load/load_priv.h"
#include "text/hash.h"
#include "text/uri.h"

/* The current folder or the nearest parent that has a dbt_project.yml. */
static tn_rc find_root(tn_project *p, const tn_project_opts *o, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_str dir = o->project_dir.n > 0 ? o->project_dir : tn_env_get("DBT_PROJECT_DIR");
    if (dir.n > 0) {
        p->root = tn_path_norm(a, dir);
        return TN_OK;
    }
    tn_str cwd;
    TN_TRY(tn_cwd(a, &cwd, err));
    p->root = TN_STR(".");
    for (tn_str at = cwd; at.n > 1; at = tn_path_dir(at)) {
        if (tn_file_exists(tn_uri_join(a, at, TN_STR("dbt_project.yml")))) {
            p->root = tn_str_eq(at, cwd) ? TN_STR(".") : at;
            break;
        }
    }
    return TN_OK;
}

static tn_rc parse_cli_vars(tn_project *p, const tn_project_opts *o, tn_err *err)
{
    tn_val v = tn_val_dict(p->arena);
    p->cli_vars = v.dict;
    if (o->invocation_args.tag == TN_DICT) {
        tn_dict_putz(o->invocation_args.dict, "vars", v);
    }
    tn_keep_secrets(p); /* an error of --vars may show them */
    if (tn_str_trim(o->vars).n == 0) {
        return TN_OK;
    }
    tn_yaml_opts yo = { .file = "--vars" };
    TN_TRY(tn_yaml_parse(p->arena, o->vars, &yo, &v, err));
    if (v.tag != TN_DICT) {
        tn_rc rc = tn_fail(err, TN_E_USAGE,
            "The --vars argument must be a YAML dictionary, but was of type %s",
            tn_val_type_name(v));
        return tn_hint(err, rc, "for example: --vars '{start: 2024-01-01}'");
    }
    p->cli_vars = v.dict;
    tn_val_freeze(v);
    tn_keep_secrets(p);
    if (o->invocation_args.tag == TN_DICT) {
        tn_dict_putz(o->invocation_args.dict, "vars", v);
    }
    return TN_OK;
}

static tn_project *make_project(tn_arena *a, const tn_project_opts *o)
{
    tn_project *p = tn_new(a, tn_project);
    *p = (tn_project){ .arena = a,
        .package_by_name = tn_map_init(a),
        .node_by_id = tn_map_init(a),
        .macro_by_id = tn_map_init(a),
        .docs = tn_map_init(a),
        .groups = tn_val_list(a),
        .selectors = tn_val_dict(a),
        .query_comment = TN_VAL_UNDEF,
        .dispatch = tn_val_list(a),
        .deprecations = tn_val_dict(a),
        .invocation_args = o->invocation_args,
        .started_us = tn_clock_now_us() };
    p->invocation_id = o->invocation_id.n > 0 ? o->invocation_id : tn_uuid4(a);
    tn_project_state *s = tn_new(a, tn_project_state);
    s->late = tn_arena_new("project late", a);
    s->graph = tn_graph_share_new(a);
    pthread_mutex_init(&s->lock, NULL);
    s->listings = tn_map_init(a);
    s->fixtures = tn_map_init(a);
    s->members = tn_map_init(a);
    s->ref_index = tn_map_init(a);
    s->ref_disabled = tn_map_init(a);
    s->source_index = tn_map_init(a);
    s->source_disabled = tn_map_init(a);
    s->function_index = tn_map_init(a);
    s->function_disabled = tn_map_init(a);
    s->patch_index = tn_map_init(a);
    tn_jinja_env_opts run = { .dbt_tags = true };
    tn_jinja_env_opts parse = { .dbt_tags = true, .undefined_chain = true };
    s->env = tn_jinja_env_new(a, &run);
    s->parse_env = tn_jinja_env_new(a, &parse);
    tn_context_filters(s->env);
    tn_context_filters(s->parse_env);
    s->inline_sql = o->inline_sql;
    s->inline_failed = o->ret_inline_failed;
    p->state = s;
    return p;
}

static tn_rc take_settings(tn_project *p, const tn_project_opts *o, tn_err *err)
{
    tn_arena *a = p->arena;
    tn_val c = { .tag = TN_DICT, .dict = p->package->config };
    p->dispatch = tn_val_at(c, "dispatch");
    p->query_comment = tn_val_at(c, "query-comment");
    p->packages_install_path = tn_val_str_at(c, "packages-install-path", TN_STR("dbt_packages"));
    tn_str target = o->target_path.n > 0 ? o->target_path : tn_env_get("DBT_TARGET_PATH");
    target = target.n > 0 ? target : tn_val_str_at(c, "target-path", TN_STR("target"));
    p->target_path = tn_uri_join(a, p->root, target);
    tn_str log = o->log_path.n > 0 ? o->log_path : tn_env_get("DBT_LOG_PATH");
    p->log_path =
        tn_uri_join(a, p->root, log.n > 0 ? log : tn_val_str_at(c, "log-path", TN_STR("logs")));
    tn_val clean = tn_val_at(c, "clean-targets");
    p->clean_targets = tn_value_strs(a, clean);
    if (tn_val_is_undef(clean)) {
        tn_vec_push(&p->clean_targets, a, target);
    }
    p->quoting = tn_val_dict(a);
    static const char *const parts[] = { "database", "schema", "identifier" };
    for (size_t i = 0; i < TN_COUNTOF(parts); i++) {
        tn_dict_putz(p->quoting.dict, parts[i],
            tn_val_bool(tn_val_bool_at(tn_val_at(c, "quoting"), parts[i], true)));
    }
    p->project_id = tn_md5_hex(a, p->name);
    (void)err;
    return TN_OK;
}

/* What there is before the profile. */
static tn_rc load_file(tn_project *p, const tn_project_opts *o, tn_err *err)
{
    TN_TRY(find_root(p, o, err));
    TN_TRY(parse_cli_vars(p, o, err));
    p->package = tn_new(p->arena, tn_package);
    p->package->macros = tn_map_init(p->arena);
    TN_TRY(tn_read_project_yaml(p, p->root, p->package, err));
    p->name = p->package->name;
    tn_vec_push(&p->packages, p->arena, p->package);
    tn_map_put(&p->package_by_name, p->name, p->package);
    tn_load_flags(p, o);
    TN_TRY(tn_load_warn_options(p, err));
    p->profile.target = tn_val_dict(p->arena);
    tn_context_members(p);
    return TN_OK;
}

tn_rc tn_project_open_bare(tn_arena *a, const tn_project_opts *opts, tn_project **ret, tn_err *err)
{
    tn_project *p = make_project(a, opts);
    TN_TRY(load_file(p, opts, err));
    /* What models are configured with is of no interest to `deps`. */
    tn_str which = tn_val_str_at(tn_project_flags(p), "WHICH", TN_STR_NONE);
    p->state->lenient_vars = tn_str_is(which, "deps");
    TN_TRY(tn_render_package(p, p->package, err));
    p->state->lenient_vars = false;
    TN_TRY(take_settings(p, opts, err));
    tn_fill_invocation_args(p, opts);
    *ret = p;
    return TN_OK;
}

static tn_rc load_config(tn_project *p, const tn_project_opts *o, tn_err *err)
{
    tn_load_reached ignored, *reached = o->reached != NULL ? o->reached : &ignored;
    *reached = (tn_load_reached){ 0 };
    tn_str profile = o->profile.n > 0 ? o->profile : tn_env_get("DBT_PROFILE");
    tn_rc rc = load_file(p, o, err);
    if (rc != TN_OK && profile.n > 0 && o->reached != NULL) {
        tn_rc other = tn_load_profile(p, o, profile, &reached->profile_err);
        reached->profile = other == TN_OK;
    }
    TN_TRY(rc);
    reached->project_file = true;
    tn_val name = tn_val_at((tn_val){ .tag = TN_DICT, .dict = p->package->raw }, "profile");
    if (profile.n == 0 && tn_val_is_str(name)) {
        tn_pctx c;
        TN_TRY(tn_yaml_context(&c, p, NULL, false, p->arena, err));
        TN_TRY(tn_pctx_render_native(
            &c, tn_val_as_str(name), (tn_jinja_src){ "dbt_project.yml", 0 }, &name, err));
        profile = tn_val_as_str(name);
    }
    TN_TRY(tn_load_profile(p, o, profile, err));
    reached->profile = true;
    tn_note_environment(p);
    tn_context_members(p); /* again, now that there is a target */
    TN_TRY(tn_render_package(p, p->package, err));
    TN_TRY(take_settings(p, o, err));
    tn_fill_invocation_args(p, o);
    reached->project = true;
    return TN_OK;
}

static tn_rc load_nodes(tn_project *p, const tn_project_opts *o, tn_err *err)
{
    TN_TRY(tn_load_catalogs(p, err));
    TN_TRY(tn_load_packages(p, o, err));
    TN_TRY(tn_load_selectors(p, err));
    TN_TRY(tn_discover(p, err));
    TN_TRY(tn_load_properties(p, err));
    TN_TRY(tn_parse_nodes(p, err));
    TN_TRY(tn_parse_sources(p, err));
    TN_TRY(tn_parse_others(p, err));
    TN_TRY(tn_parse_generic_tests(p, err));
    TN_TRY(tn_parse_osi(p, err));
    tn_infer_primary_keys(p);
    TN_TRY(tn_check_names(p, err));
    TN_TRY(tn_resolve_graph(p, err));
    TN_TRY(tn_check_nodes(p, err));
    TN_TRY(tn_check_functions(p, err));
    TN_TRY(tn_check_semantics(p, err));
    tn_note_model_dates(p);
    tn_config_note_unused(p);
    return TN_OK;
}

tn_rc tn_project_load(tn_arena *a, const tn_project_opts *opts, tn_project **ret, tn_err *err)
{
    static const tn_project_opts none = { .invocation_args = { .tag = TN_UNDEF } };
    const tn_project_opts *o = opts != NULL ? opts : &none;
    tn_project *p = make_project(a, o);
    TN_TRY(load_config(p, o, err));
    if (!o->profile_only) {
        tn_rc rc = load_nodes(p, o, err);
        if (rc != TN_OK) {
            if (o->ret_partial != NULL) {
                *o->ret_partial = p;
            }
            return rc;
        }
    }
    *ret = p;
    return TN_OK;
}
