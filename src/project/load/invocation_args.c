/* invocation_args.c: how the program was called, as run_results.json's `args` and a template's invocation_args_dict have it.
 *
 * One dict: what the command line gave, then every flag as it counts (from whichever source), then where the project lies. As dbt writes it: names
 * in small letters, nothing that is None, and of some flags nothing while they are off.
 */
#include "os/file.h"
#include "os/proc.h"
#include "project/load/load_priv.h"
#include "text/uri.h"

static bool omitted_when_off(tn_str name)
{
    static const char *const names[] = { "debug", "full_refresh", "fail_fast", "warn_error",
        "single_threaded", "log_cache_events", "store_failures", "use_experimental_parser" };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_str_is(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* A flag that dbt knows and does not tell; --empty of a command that has no such option. */
static bool untold(tn_str which, tn_str name)
{
    static const char *const empty[] = { "run", "build", "seed", "snapshot", "compile" };
    bool told = !tn_str_is(name, "empty");
    for (size_t i = 0; i < TN_COUNTOF(empty); i++) {
        told = told || tn_str_is(which, empty[i]);
    }
    return !told || tn_str_is(name, "require_event_names_in_deprecations");
}

static void add_flags(tn_arena *a, tn_dict *args, tn_dict *flags)
{
    tn_str which = tn_val_str_at((tn_val){ .tag = TN_DICT, .dict = flags }, "WHICH", TN_STR_NONE);
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(flags, &at)) != NULL) {
        tn_str name = tn_str_lower(a, tn_val_as_str(it->key));
        bool off = it->value.tag == TN_BOOL && !tn_val_truthy(it->value);
        if (off && omitted_when_off(name)) {
            (void)tn_dict_remove(args, tn_val_str(name));
        } else if (!tn_val_is_none(it->value) && !untold(which, name)) {
            tn_dict_puts(args, name, it->value);
        }
    }
}

static tn_val warn_options(tn_arena *a, tn_val given)
{
    static const char *const keys[][2] = { { "error", "include" }, { "warn", "exclude" },
        { "silence", "silence" } };
    tn_val out = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_val v = tn_val_at(given, keys[i][0]);
        v = tn_val_is_given(v) ? v : tn_val_at(given, keys[i][1]);
        tn_dict_putz(out.dict, keys[i][0], tn_val_is_given(v) ? v : tn_val_list(a));
    }
    return out;
}

static void put_folder(tn_arena *a, tn_dict *args, const char *name, tn_str given, tn_str found)
{
    tn_str whole = found;
    (void)!tn_file_absolute(a, found, &whole, NULL);
    tn_dict_putz(args, name, tn_val_str_dup(a, given.n > 0 ? given : tn_path_norm(a, whole)));
}

void tn_fill_invocation_args(tn_project *p, const tn_project_opts *o)
{
    tn_arena *a = p->arena;
    if (p->invocation_args.tag != TN_DICT) {
        return;
    }
    tn_dict *args = p->invocation_args.dict;
    add_flags(a, args, p->flags);
    tn_dict_putz(args, "warn_error_options",
        warn_options(a, tn_val_at(tn_project_flags(p), "WARN_ERROR_OPTIONS")));
    put_folder(a, args, "project_dir", o->project_dir, p->root);
    put_folder(a, args, "profiles_dir", o->profiles_dir, tn_project_profiles_dir(a, TN_STR_NONE));
    put_folder(a, args, "log_path", o->log_path, p->log_path);
}
