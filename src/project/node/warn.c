/* warn.c: --warn-error and --warn-error-options: which warnings are errors, which are not shown.
 *
 * Options are a dict of dbt's names: error (or include) is "all", "*" or a list of event names, warn (or exclude) and silence are lists.
 * "Deprecations" in a list stands for all events that end in Deprecation.
 */
#include "project/deprecation.h"
#include "project/node/project_priv.h"

static bool lists(tn_val v, const char *event)
{
    tn_str name = tn_str_of(event);
    bool deprecation = tn_str_ends(name, TN_STR("Deprecation"));
    if (tn_val_is_str(v)) {
        return tn_str_is(tn_val_as_str(v), "all") || tn_str_is(tn_val_as_str(v), "*");
    }
    for (size_t i = 0; v.tag == TN_LIST && i < v.list->n; i++) {
        tn_str one = tn_val_as_str(v.list->v[i]);
        if (tn_str_eq(one, name) || (deprecation && tn_str_is(one, "Deprecations"))) {
            return true;
        }
    }
    return false;
}

static bool either_lists(tn_val options, const char *name, const char *old, const char *event)
{
    return lists(tn_val_at(options, name), event) || lists(tn_val_at(options, old), event);
}

tn_warn_fate tn_project_warn_fate(const tn_project *p, const char *event)
{
    tn_val options = tn_val_at(tn_project_flags(p), "WARN_ERROR_OPTIONS");
    bool all = tn_val_truthy(tn_val_at(tn_project_flags(p), "WARN_ERROR"));
    if (options.tag == TN_DICT) {
        if (lists(tn_val_at(options, "silence"), event)) {
            return TN_WARN_SILENT;
        }
        if (either_lists(options, "warn", "exclude", event)) {
            return TN_WARN_SHOWN;
        }
        all = all || either_lists(options, "error", "include", event);
    }
    /* One that dbt never let become an error before this flag. */
    bool late = strcmp(event, "MicrobatchModelNoEventTimeInputs") == 0 &&
                !tn_project_flag(p, "REQUIRE_ALL_WARNINGS_HANDLED_BY_WARN_ERROR", true);
    return all && !late ? TN_WARN_ERROR : TN_WARN_SHOWN;
}

static tn_rc check_option(tn_val key, tn_val value, tn_err *err)
{
    static const char *const known[] = { "error", "include", "warn", "exclude", "silence" };
    tn_str name = tn_val_is_str(key) ? tn_val_as_str(key) : TN_STR("?");
    bool found = false, every = false;
    for (size_t i = 0; i < TN_COUNTOF(known); i++) {
        found = found || tn_str_is(name, known[i]);
        every = every || (i < 2 && tn_str_is(name, known[i]));
    }
    if (!found) {
        tn_rc rc = tn_fail(
            err, TN_E_USAGE, "'" TN_STR_FMT "' is no key of warn_error_options", TN_STR_ARG(name));
        return tn_hint(err, rc, "the keys are error, warn and silence");
    }
    bool all = every && lists(value, "");
    if (value.tag != TN_LIST && !tn_val_is_none(value) && !all) {
        return tn_fail(err, TN_E_USAGE,
            "warn_error_options: '" TN_STR_FMT "' must be %sa list of event names",
            TN_STR_ARG(name), every ? "'all' or " : "");
    }
    return TN_OK;
}

/* On the command line and in the environment the options are YAML text. */
tn_rc tn_load_warn_options(tn_project *p, tn_err *err)
{
    tn_val v = tn_val_at(tn_project_flags(p), "WARN_ERROR_OPTIONS");
    if (tn_val_is_str(v)) {
        tn_yaml_opts yo = { .file = "--warn-error-options" };
        TN_TRY(tn_yaml_parse(p->arena, tn_val_as_str(v), &yo, &v, err));
    }
    if (!tn_val_is_given(v)) {
        return TN_OK;
    }
    if (v.tag != TN_DICT) {
        tn_rc rc = tn_fail(err, TN_E_USAGE, "warn_error_options must be a YAML dictionary");
        return tn_hint(
            err, rc, "for example: --warn-error-options '{error: all, warn: [LogTestResult]}'");
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(v.dict, &at)) != NULL) {
        TN_TRY(check_option(it->key, it->value, err));
    }
    bool include = !tn_val_is_undef(tn_val_at(v, "include")),
         exclude = !tn_val_is_undef(tn_val_at(v, "exclude"));
    bool twice = tn_val_truthy(tn_val_at(v, "include")) && tn_val_truthy(tn_val_at(v, "error"));
    if (twice || (tn_val_truthy(tn_val_at(v, "exclude")) && tn_val_truthy(tn_val_at(v, "warn")))) {
        return tn_fail(err, TN_E_USAGE,
            "Only `%s` or `%s` can be specified in `warn_error_options`, not both",
            twice ? "include" : "exclude", twice ? "error" : "warn");
    }
    if (include || exclude) {
        tn_deprecate(p, "WEOIncludeExcludeDeprecation", TN_STR_NONE,
            "Found %s%s%s in `warn_error_options` specification.%s%s", include ? "`include`" : "",
            include && exclude ? " and " : "", exclude ? "`exclude`" : "",
            include ? " Please use `error` instead of `include`." : "",
            exclude ? " Please use `warn` instead of `exclude`." : "");
    }
    if (tn_val_truthy(tn_val_at(tn_project_flags(p), "WARN_ERROR"))) {
        return tn_fail(err, TN_E_USAGE, "give --warn-error or --warn-error-options, not both");
    }
    tn_dict_putz(p->flags, "WARN_ERROR_OPTIONS", v);
    return TN_OK;
}
