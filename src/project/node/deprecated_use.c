/* deprecated_use.c: what a project uses that dbt calls deprecated: models past their date, old names of keys, variables of the environment that
 * only look like dbt's, `config:` of profiles.yml. */
#include "os/clock.h"
#include "os/proc.h"
#include "project/deprecation.h"
#include "project/node/project_priv.h"
#include "text/timetext.h"

/* ---- models with a date ---- */

tn_val tn_deprecation_date_of(tn_val given)
{
    enum { SECOND = 1000000, DAY_S = 86400 };
    int64_t micros;
    bool zone;
    int offset = 0;
    if (given.tag == TN_DATE) {
        return (tn_val){ .tag = TN_DATETIME, .n = TN_ZONE_UTC, .i = given.i * DAY_S * SECOND };
    }
    if (given.tag == TN_DATETIME) {
        given.n = given.n == TN_ZONE_NAIVE ? TN_ZONE_UTC : given.n;
        return given;
    }
    if (!tn_val_is_str(given) ||
        !tn_parse_timestamp(tn_val_as_str(given), &micros, &zone, &offset)) {
        return TN_VAL_NONE;
    }
    offset = zone ? offset : 0;
    return (tn_val){ .tag = TN_DATETIME,
        .n = (uint32_t)((int)TN_ZONE_UTC + offset),
        .i = micros + (int64_t)offset * SECOND };
}

tn_str tn_deprecation_date_text(tn_arena *a, tn_val date)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_py_datetime(&b, date, 'T');
    return tn_buf_str(&b);
}

bool tn_deprecation_is_past(tn_val date)
{
    if (date.tag != TN_DATETIME) {
        return false;
    }
    int64_t offset_s = (int64_t)date.n - (int64_t)TN_ZONE_UTC;
    return date.i - offset_s * 1000000 < tn_clock_now_us();
}

static void warn(tn_project *p, const char *event, const char *code, tn_val data, tn_str text)
{
    tn_notice *notice = tn_project_note(p, event, TN_STR_NONE, 0, TN_STR_FMT, TN_STR_ARG(text));
    notice->code = code;
    notice->data = data;
}

static tn_str version_suffix(tn_arena *a, const tn_node *n)
{
    return tn_val_is_none(n->version)
               ? TN_STR("")
               : tn_str_concat(a, TN_STR(".v"), tn_val_to_str(a, n->version));
}

static void note_reader(tn_project *p, const tn_node *n, const tn_node *reader)
{
    tn_arena *a = p->arena;
    bool past = tn_deprecation_is_past(n->deprecation_date);
    tn_str date = tn_deprecation_date_text(a, n->deprecation_date);
    tn_str version = tn_val_is_none(n->version) ? TN_STR("") : tn_val_to_str(a, n->version);
    tn_str latest = tn_val_to_str(a, n->latest_version);
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "model_name", tn_val_str(reader->name));
    tn_dict_putz(data.dict, "ref_model_package", tn_val_str(n->package_name));
    tn_dict_putz(data.dict, "ref_model_name", tn_val_str(n->name));
    tn_dict_putz(data.dict, "ref_model_version", tn_val_str(version));
    tn_dict_putz(data.dict, "ref_model_latest_version", tn_val_str(latest));
    tn_dict_putz(data.dict, "ref_model_deprecation_date", tn_val_str(date));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addf(&b,
        "While compiling '" TN_STR_FMT "': Found a reference to " TN_STR_FMT TN_STR_FMT
        ", which %s '" TN_STR_FMT "'. ",
        TN_STR_ARG(reader->name), TN_STR_ARG(n->name), TN_STR_ARG(version_suffix(a, n)),
        past ? "was deprecated on" : "is slated for deprecation on", TN_STR_ARG(date));
    if (version.n > 0 && !tn_str_eq(version, latest)) {
        tn_buf_addf(&b,
            "A new version of '" TN_STR_FMT "' is available. %s: {{ ref('" TN_STR_FMT
            "', '" TN_STR_FMT "', v='" TN_STR_FMT "') }}.",
            TN_STR_ARG(n->name), past ? "Migrate now" : "Try it out", TN_STR_ARG(n->package_name),
            TN_STR_ARG(n->name), TN_STR_ARG(latest));
    }
    warn(p, past ? "DeprecatedReference" : "UpcomingReferenceDeprecation", past ? "I067" : "I066",
        data, tn_buf_str(&b));
}

void tn_note_model_dates(tn_project *p)
{
    tn_arena *a = p->arena;
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (n->kind != TN_NODE_MODEL || !n->enabled || n->deprecation_date.tag != TN_DATETIME) {
            continue;
        }
        if (tn_deprecation_is_past(n->deprecation_date)) {
            tn_str date = tn_deprecation_date_text(a, n->deprecation_date);
            tn_val data = tn_val_dict(a);
            tn_dict_putz(data.dict, "model_name", tn_val_str(n->name));
            tn_dict_putz(data.dict, "model_version",
                tn_val_is_none(n->version) ? tn_val_z("")
                                           : tn_val_str(tn_val_to_str(a, n->version)));
            tn_dict_putz(data.dict, "deprecation_date", tn_val_str(date));
            warn(p, "DeprecatedModel", "I065", data,
                tn_str_printf(a,
                    "Model " TN_STR_FMT TN_STR_FMT " has passed its deprecation date of " TN_STR_FMT
                    ". This model should be disabled or removed.",
                    TN_STR_ARG(n->name), TN_STR_ARG(version_suffix(a, n)), TN_STR_ARG(date)));
        }
        for (size_t k = 0; k < n->children.n; k++) {
            if (n->children.v[k]->kind == TN_NODE_MODEL) {
                note_reader(p, n, n->children.v[k]);
            }
        }
    }
}

/* ---- keys and variables ---- */

tn_rc tn_note_project_keys(tn_project *p, const tn_package *pkg, tn_err *err)
{
    static const struct {
        const char *old, *now, *dflt, *event, *what, *option, *variable;
    } keys[] = { { "source-paths", "model-paths", NULL, "ConfigSourcePathDeprecation", NULL, NULL,
                     NULL },
        { "data-paths", "seed-paths", NULL, "ConfigDataPathDeprecation", NULL, NULL, NULL },
        { "log-path", NULL, "logs", "ConfigLogPathDeprecation", "logs", "--log-path",
            "DBT_LOG_PATH" },
        { "target-path", NULL, "target", "ConfigTargetPathDeprecation", "artifacts",
            "--target-path", "DBT_TARGET_PATH" } };
    tn_val raw = { .tag = TN_DICT, .dict = pkg->raw };
    for (size_t i = 0; i < TN_COUNTOF(keys); i++) {
        tn_val v = tn_val_at(raw, keys[i].old);
        if (tn_val_is_undef(v) || (keys[i].dflt != NULL && tn_val_is_str(v) &&
                                      tn_str_is(tn_val_as_str(v), keys[i].dflt))) {
            continue;
        }
        if (keys[i].now != NULL && !tn_val_is_undef(tn_val_at(raw, keys[i].now))) {
            return tn_fail(err, TN_E_VALUE,
                "%s and %s cannot both be defined. The `%s` config has been deprecated in favor of "
                "`%s`. Please update your `dbt_project.yml` configuration to reflect this change.",
                keys[i].old, keys[i].now, keys[i].old, keys[i].now);
        }
        tn_val data = tn_val_dict(p->arena);
        tn_dict_putz(data.dict, "deprecated_path", tn_val_z(keys[i].old));
        if (keys[i].now != NULL) {
            tn_dict_putz(data.dict, "exp_path", tn_val_z(keys[i].now));
            tn_deprecate_with(p, keys[i].event, data,
                "The `%s` config has been renamed to `%s`. Please update your `dbt_project.yml` "
                "configuration to reflect this change.",
                keys[i].old, keys[i].now);
        } else {
            tn_deprecate_with(p, keys[i].event, data,
                "The `%s` config in `dbt_project.yml` has been deprecated, and will no longer be "
                "supported in a future version of dbt-core. If you wish to write dbt %s to a "
                "custom directory, please use the %s CLI flag or %s env var instead.",
                keys[i].old, keys[i].what, keys[i].option, keys[i].variable);
        }
    }
    return TN_OK;
}

tn_rc tn_take_profile_flags(tn_project *p, const tn_project_opts *o, tn_val profiles, tn_err *err)
{
    tn_val config = tn_val_at(profiles, "config");
    tn_dict *raw = p->package->raw;
    if (config.tag != TN_DICT || config.dict->live == 0) {
        return TN_OK;
    }
    if (tn_val_truthy(tn_val_at((tn_val){ .tag = TN_DICT, .dict = raw }, "flags"))) {
        return tn_fail(err, TN_E_VALUE,
            "Do not specify both 'config' in profiles.yml and 'flags' in dbt_project.yml. Using "
            "'config' in profiles.yml is deprecated.");
    }
    tn_dict_putz(raw, "flags", config);
    tn_load_flags(p, o);
    TN_TRY(tn_load_warn_options(p, err));
    tn_deprecate(p, "ProjectFlagsMovedDeprecation", TN_STR_NONE,
        "User config should be moved from the 'config' key in profiles.yml to the 'flags' key in "
        "dbt_project.yml.");
    return TN_OK;
}

void tn_note_stray_tags(tn_project *p, const tn_jinja_blocks *blocks, tn_str path)
{
    for (size_t i = 0; i < blocks->n; i++) {
        const tn_jinja_block *b = &blocks->v[i];
        if (b->kind != TN_BLOCK_STRAY) {
            continue;
        }
        tn_val data = tn_val_dict(p->arena);
        tn_str msg = tn_str_printf(
            p->arena, "Found unexpected '" TN_STR_FMT "' block tag.", TN_STR_ARG(b->name));
        tn_dict_putz(data.dict, "msg", tn_val_str(msg));
        tn_dict_putz(data.dict, "file", tn_val_str(path));
        tn_deprecate_with(p, "UnexpectedJinjaBlockDeprecation", data,
            TN_STR_FMT " in file `" TN_STR_FMT "`", TN_STR_ARG(msg), TN_STR_ARG(path));
    }
}
