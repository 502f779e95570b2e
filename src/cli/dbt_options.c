/* dbt_options.c: from the command line to a loaded project: flags by dbt's names, the console's form, the log file. */
#include "cli/dbt_options.h"

#include <limits.h>

#include "base/log.h"
#include "jinja/jinja.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/random.h"
#include "project/contract_change.h"
#include "project/deprecation.h"
#include "project/previous.h"
#include "text/hash.h"
#include "text/json.h"
#include "text/timetext.h"
#include "text/uri.h"
#include "text/yaml.h"

static void put_flag(tn_dict *flags, const char *name, tn_flag f)
{
    if (f != TN_FLAG_UNSET) {
        tn_dict_putz(flags, name, tn_val_bool(f == TN_FLAG_ON));
    }
}

/* Whatever was given is seen as flags.NAME; lists (selections) are not. */
static void put_all_given(tn_arena *a, tn_dict *flags, tn_val given)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (given.tag == TN_DICT && (it = tn_dict_next(given.dict, &at)) != NULL) {
        tn_str name = tn_val_as_str(it->key);
        if (it->value.tag != TN_LIST && !tn_str_is(name, "vars") &&
            !tn_str_starts(name, TN_STR("deprecated_"))) {
            tn_dict_puts(flags, tn_str_upper(a, name), it->value);
        }
    }
}

/* DBT_NO_PRINT, as it was called once, stands above the option. */
static tn_flag print_flag(const tn_dbt_options *o)
{
    static const char *const no[] = { "0", "false", "f", "no", "n", "off" };
    tn_str given = tn_env_get("DBT_NO_PRINT");
    for (size_t i = 0; i < TN_COUNTOF(no); i++) {
        if (tn_str_eq_nocase(given, tn_str_of(no[i]))) {
            return TN_FLAG_ON;
        }
    }
    return given.n > 0 ? TN_FLAG_OFF : o->print;
}

static tn_dict *flags_of(
    const tn_cli *cli, const char *which, const tn_dbt_options *o, tn_val given)
{
    tn_val v = tn_val_dict(cli->arena);
    tn_dict *d = v.dict;
    tn_dict_putz(d, "WHICH", tn_val_z(which));
    put_all_given(cli->arena, d, cli->invocation);
    put_all_given(cli->arena, d, given);
    put_flag(d, "FULL_REFRESH", o->full_refresh);
    put_flag(d, "DEFER", tn_str_is(tn_str_of(which), "clone") ? TN_FLAG_UNSET : o->defer);
    put_flag(d, "FAVOR_STATE", o->favor_state);
    put_flag(d, "FAIL_FAST", o->fail_fast);
    put_flag(d, "STORE_FAILURES", o->store_failures);
    put_flag(d, "EMPTY", o->empty);
    put_flag(d, "WRITE_JSON", o->write_json);
    put_flag(d, "PRINT", print_flag(o));
    put_flag(d, "WARN_ERROR", o->warn_error);
    const struct {
        const char *name;
        tn_str value;
    } texts[] = { { "EVENT_TIME_START", o->event_time_start },
        { "EVENT_TIME_END", o->event_time_end }, { "SAMPLE", o->sample } };
    for (size_t i = 0; i < TN_COUNTOF(texts); i++) {
        if (texts[i].value.n > 0) {
            tn_dict_putz(d, texts[i].name, tn_val_str(texts[i].value));
        }
    }
    if (o->warn_error_options.n > 0) {
        tn_dict_putz(d, "WARN_ERROR_OPTIONS", tn_val_str(o->warn_error_options));
    }
    put_flag(d, "INTROSPECT", o->introspect);
    put_flag(d, "QUIET", cli->quiet);
    put_flag(d, "DEBUG", cli->debug);
    put_flag(d, "USE_COLORS", cli->use_colors);
    if (o->indirect.n > 0) {
        tn_dict_putz(d, "INDIRECT_SELECTION", tn_val_str(o->indirect));
    }
    return d;
}

static bool kinds_of(tn_arena *a, const tn_strs *given, uint32_t *ret, tn_err *err)
{
    tn_strs names = { 0 };
    for (size_t i = 0; i < given->n; i++) { /* one word may hold several names */
        tn_cli_words(a, given->v[i], &names);
    }
    *ret = 0;
    for (size_t i = 0; i < names.n; i++) {
        tn_node_kind kind;
        tn_str name = names.v[i];
        if (tn_str_is(name, "all") || tn_str_is(name, "default")) {
            *ret |= tn_str_is(name, "all") ? UINT32_MAX : ~(1u << TN_NODE_ANALYSIS);
            continue;
        }
        if (!tn_node_kind_find(name, &kind)) {
            (void)tn_fail(
                err, TN_E_USAGE, "'" TN_STR_FMT "' is no resource type", TN_STR_ARG(name));
            (void)tn_hint(err, TN_E_USAGE,
                "one of model, seed, snapshot, test, analysis, source, exposure, metric, "
                "unit_test, ...");
            return false;
        }
        *ret |= 1u << kind;
    }
    return true;
}

static bool selection_of(tn_arena *a, const tn_dbt_options *o, tn_select *ret, tn_err *err)
{
    uint32_t only, except;
    *ret = (tn_select){ .select = o->models.n > 0 ? o->models : o->select,
        .exclude = o->exclude,
        .selector = o->selector };
    if (o->select.n > 0 && o->models.n > 0) {
        (void)tn_fail(err, TN_E_USAGE, "--select and --models mean the same: give one of them");
        return false;
    }
    if (o->indirect.n > 0 && !tn_indirect_find(o->indirect, &ret->indirect)) {
        (void)tn_fail(err, TN_E_USAGE,
            "'" TN_STR_FMT
            "' is no mode of --indirect-selection: eager, cautious, buildable or empty",
            TN_STR_ARG(o->indirect));
        return false;
    }
    if (!kinds_of(a, &o->resource_types, &only, err) ||
        !kinds_of(a, &o->exclude_resource_types, &except, err)) {
        return false;
    }
    ret->kinds = only;
    if (except != 0) {
        ret->kinds = (only != 0 ? only : UINT32_MAX) & ~except;
    }
    return true;
}

static bool one_of(tn_str word, const char *const *words, const char *option, tn_err *err)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (word.n == 0 || tn_str_is(word, words[i])) {
            return true;
        }
    }
    (void)tn_fail(err, TN_E_USAGE, "'" TN_STR_FMT "' is no value of %s", TN_STR_ARG(word), option);
    return false;
}

static bool check_values(const tn_cli *cli, const tn_dbt_options *o, tn_val given, tn_err *err)
{
    static const char *const formats[] = { "text", "json", "debug", "default", NULL };
    static const char *const levels[] = { "debug", "info", "warn", "error", "none", NULL };
    if (!one_of(cli->log_format, formats, "--log-format: text, json, debug or default", err) ||
        !one_of(cli->log_level, levels, "--log-level: debug, info, warn, error or none", err)) {
        return false;
    }
    if (!one_of(tn_val_str_at(given, "log_format_file", TN_STR_NONE), formats,
            "--log-format-file: text, json, debug or default", err) ||
        !one_of(tn_val_str_at(given, "log_level_file", TN_STR_NONE), levels,
            "--log-level-file: debug, info, warn, error or none", err)) {
        return false;
    }
    tn_val threads = tn_val_at(cli->invocation, "threads");
    if (threads.tag == TN_INT && threads.i < 1) {
        (void)tn_fail(err, TN_E_USAGE, "--threads must be at least 1");
        return false;
    }
    if (threads.tag == TN_INT && threads.i > INT_MAX) {
        (void)tn_fail(err, TN_E_USAGE, "--threads: %lld is too many", (long long)threads.i);
        return false;
    }
    if (tn_val_is_str(tn_val_at(given, "vars")) && tn_str_trim(o->vars).n == 0) {
        (void)tn_fail(err, TN_E_USAGE, "--vars must be a YAML dictionary, but is empty");
        (void)tn_hint(err, TN_E_USAGE, "for example: --vars '{start: 2024-01-01}'");
        return false;
    }
    return true;
}

static tn_ev_level level_of(tn_str name)
{
    return tn_str_is(name, "debug")   ? TN_EV_DEBUG
           : tn_str_is(name, "warn")  ? TN_EV_WARN
           : tn_str_is(name, "error") ? TN_EV_ERROR
                                      : TN_EV_INFO;
}

/* By the flags: the command line, the environment and dbt_project.yml's `flags:` together. */
tn_events *tn_dbt_events(const tn_cli *cli, const tn_project *p, bool quiet_console)
{
    tn_val flags = tn_val_dict(cli->arena);
    if (p != NULL) {
        flags.dict = p->flags;
    } else {
        put_all_given(cli->arena, flags.dict, cli->invocation);
    }
    tn_str format = tn_val_str_at(flags, "LOG_FORMAT", TN_STR_NONE),
           file_format = tn_val_str_at(flags, "LOG_FORMAT_FILE", TN_STR_NONE),
           file_level = tn_val_str_at(flags, "LOG_LEVEL_FILE", TN_STR_NONE),
           level = tn_val_str_at(flags, "LOG_LEVEL", TN_STR_NONE);
    bool debug = tn_val_bool_at(flags, "DEBUG", false) || tn_str_is(format, "debug");
    /* Lines of a quiet command go to the log only; JSON logs always show events, orchestrators filter them. */
    tn_events_opts opts = { .json = tn_cli_json(cli) || tn_str_is(format, "json"),
        .color = cli->color && tn_val_bool_at(flags, "USE_COLORS", true),
        .quiet = tn_val_bool_at(flags, "QUIET", false) || quiet_console,
        .live = tn_is_terminal(1) && !tn_str_is(tn_env_get("TERM"), "dumb"),
        .console = !tn_str_is(level, "none"),
        .min = debug ? TN_EV_DEBUG : level_of(level),
        .file_form = tn_str_is(file_format, "json")   ? TN_EV_FORM_JSON
                     : tn_str_is(file_format, "text") ? TN_EV_FORM_TEXT
                                                      : TN_EV_FORM_DEBUG,
        .file_min = debug ? TN_EV_DEBUG : level_of(file_level),
        .file_bytes_max = tn_val_int_at(flags, "LOG_FILE_MAX_BYTES", 0),
        .invocation_id = p != NULL ? p->invocation_id : TN_STR("") };
    if (p != NULL && p->log_path.n > 0 && !tn_str_is(file_level, "none")) {
        opts.log_file = tn_uri_join(cli->arena, p->log_path, TN_STR("dbt.log"));
    }
    return tn_events_new(cli->arena, &opts);
}

static void log_to_events(void *self, tn_log_level level, const char *module, tn_str msg)
{
    (void)module;
    tn_event(self,
        level == TN_LOG_DEBUG  ? TN_EV_DEBUG
        : level == TN_LOG_INFO ? TN_EV_INFO
        : level == TN_LOG_WARN ? TN_EV_WARN
                               : TN_EV_ERROR,
        "Log", "Z000", TN_VAL_UNDEF, TN_STR_FMT, TN_STR_ARG(msg));
}

/* dbt renders a template while it parses only when it has no parse of it: without a manifest, or with --no-partial-parse. */
static bool parses_all(const tn_project *p)
{
    return !tn_project_flag(p, "PARTIAL_PARSE", true) ||
           !tn_file_exists(tn_uri_join(p->arena, p->target_path, TN_STR("manifest.json")));
}

static void tell_said(const tn_project *p, const tn_notice *n, tn_events *events)
{
    tn_val data = tn_val_dict(p->arena);
    bool info = n->said == TN_SAID_LOG;
    tn_dict_putz(data.dict, "msg", tn_val_str(n->msg));
    if (n->said != TN_SAID_PRINT) {
        tn_event(events, info ? TN_EV_INFO : TN_EV_DEBUG, info ? "JinjaLogInfo" : "JinjaLogDebug",
            info ? "I062" : "I063", data, TN_STR_FMT, TN_STR_ARG(n->msg));
    } else if (tn_project_flag(p, "PRINT", true)) {
        tn_event_print(events, n->msg);
    }
}

tn_rc tn_dbt_tell_notices(const tn_project *p, size_t from, tn_events *events, tn_err *err)
{
    bool all = from < p->notices.n && parses_all(p);
    bool grouped = tn_project_flag(p, "ENABLE_GROUPED_WARN_ERROR_PARSER_LOGS", false);
    tn_buf errors = tn_buf_init(p->arena, TN_BUF_NO_LIMIT); /* grouped: all that are one */
    for (size_t i = from; i < p->notices.n; i++) {
        const tn_notice *n = &p->notices.v[i];
        if (n->said != TN_SAID_NOTHING) {
            if (all) {
                tell_said(p, n, events);
            }
            continue;
        }
        tn_warn_fate fate = tn_project_warn_fate(p, n->event);
        if (fate == TN_WARN_SILENT) {
            continue;
        }
        bool deprecation =
            n->code == NULL && tn_str_ends(tn_str_of(n->event), TN_STR("Deprecation"));
        tn_str text = deprecation ? tn_deprecation_text(p->arena, p, n->event, n->msg)
                                  : tn_str_concat(p->arena, TN_STR("[WARNING]: "), n->msg);
        if (fate == TN_WARN_ERROR && !grouped) {
            return tn_fail(err, TN_E_COMPILE, TN_STR_FMT, TN_STR_ARG(text));
        }
        if (fate == TN_WARN_ERROR) {
            tn_buf_addf(&errors, "%s" TN_STR_FMT, errors.n > 0 ? "\n" : "", TN_STR_ARG(text));
            continue;
        }
        tn_event(events, TN_EV_WARN, n->event,
            n->code != NULL ? n->code
            : deprecation   ? tn_deprecation_code(n->event)
                            : "D000",
            n->data, TN_STR_FMT, TN_STR_ARG(text));
    }
    return errors.n == 0 ? TN_OK
                         : tn_fail(err, TN_E_COMPILE, TN_STR_FMT, TN_STR_ARG(tn_buf_str(&errors)));
}

/* Variables that dbt has given another name. */
static void deprecate_variables(tn_project *p)
{
    static const char *const names[][2] = { { "DBT_DEFER_TO_STATE", "DBT_ENGINE_DEFER" },
        { "DBT_FAVOR_STATE_MODE", "DBT_ENGINE_FAVOR_STATE" },
        { "DBT_NO_PRINT", "DBT_ENGINE_PRINT" }, { "DBT_ARTIFACT_STATE_PATH", "DBT_ENGINE_STATE" } };
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        if (tn_env_get(names[i][0]).n > 0) {
            tn_deprecate(p, "EnvironmentVariableRenamed", TN_STR_NONE,
                "The environment variable `%s` has been renamed as `%s`.\n"
                "If `%s` is currently set, its value will be used instead of `%s`.\n"
                "Set `%s` and unset `%s` to avoid this deprecation warning and ensure it works "
                "properly in a future release.",
                names[i][0], names[i][1], names[i][0], names[i][1], names[i][1], names[i][0]);
        }
    }
}

/* What only the command line knows to be deprecated. */
static void deprecate_options(const tn_dbt_options *o, const char *which, tn_project *p)
{
    deprecate_variables(p);
    if (o->models.n > 0) {
        tn_deprecate(p, "ModelParamUsageDeprecation", TN_STR_NONE,
            "Usage of `--models`, `--model`, and `-m` is deprecated in favor of `--select` or "
            "`-s`.");
    }
    if (o->output.n > 0 && strcmp(which, "freshness") == 0) {
        tn_deprecate(p, "CustomOutputPathInSourceFreshnessDeprecation", TN_STR_NONE,
            "Custom output path usage `--output " TN_STR_FMT
            "` usage detected in `dbt source freshness` command.",
            TN_STR_ARG(o->output));
    }
}

typedef struct summary_at_end {
    tn_project *project;
    tn_events *events;
} summary_at_end;

/* The last line of a command: it runs when the process' memory is given back. */
static void tell_summary(void *self)
{
    const summary_at_end *s = self;
    TN_AUTO_ARENA a = tn_arena_new("summary", NULL);
    tn_str text = tn_deprecation_summary(a, s->project);
    if (text.n > 0 && tn_project_warn_fate(s->project, "DeprecationsSummary") != TN_WARN_SILENT) {
        tn_event(s->events, TN_EV_WARN, "DeprecationsSummary", "D028", TN_VAL_UNDEF, TN_STR_FMT,
            TN_STR_ARG(text));
    }
}

void tn_dbt_tell_version(tn_events *events, tn_arena *a)
{
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "version", tn_val_z("=" TN_DBT_VERSION));
    tn_dict_putz(data.dict, "log_version", tn_val_int(3));
    tn_event(
        events, TN_EV_INFO, "MainReportVersion", "A001", data, "Running with dbt=" TN_DBT_VERSION);
}

void tn_dbt_tell_adapter(tn_events *events, tn_arena *a)
{
    tn_val adapter = tn_val_dict(a);
    tn_dict_putz(adapter.dict, "adapter_name", tn_val_z("duckdb"));
    tn_dict_putz(adapter.dict, "adapter_version", tn_val_z("=" TN_DBT_DUCKDB_VERSION));
    tn_event(events, TN_EV_INFO, "AdapterRegistered", "E034", adapter,
        "Registered adapter: duckdb=" TN_DBT_DUCKDB_VERSION);
}

/* What dbt decides by whether an earlier parse may be kept: how it was called, and for what. */
static void tell_parse_state(tn_events *events, const tn_project *p, tn_arena *a)
{
    tn_val vars = { .tag = TN_DICT, .dict = p->cli_vars }, data = tn_val_dict(a);
    tn_buf shown = tn_buf_init(a, TN_BUF_NO_LIMIT), all = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_jinja_pprint(&shown, vars, 80);
    const tn_str parts[] = { tn_buf_str(&shown), p->profile.name, p->profile.target_name,
        TN_STR(TN_DBT_VERSION) };
    for (size_t i = 0; i < TN_COUNTOF(parts); i++) {
        if (i > 0) {
            tn_buf_addc(&all, '\0');
        }
        tn_buf_add(&all, parts[i]);
    }
    tn_str sum = tn_sha256_hex(a, tn_buf_str(&all)), told = tn_vars_hide(a, p->cli_vars, parts[0]);
    tn_dict_putz(data.dict, "checksum", tn_val_str(sum));
    tn_dict_putz(data.dict, "vars", tn_val_str(told));
    tn_dict_putz(data.dict, "profile", tn_val_str(p->profile.name));
    tn_dict_putz(data.dict, "target", tn_val_str(p->profile.target_name));
    tn_dict_putz(data.dict, "version", tn_val_z(TN_DBT_VERSION));
    tn_event(events, TN_EV_DEBUG, "StateCheckVarsHash", "I025", data,
        "checksum: " TN_STR_FMT ", vars: " TN_STR_FMT ", profile: " TN_STR_FMT
        ", target: " TN_STR_FMT ", version: " TN_DBT_VERSION,
        TN_STR_ARG(sum), TN_STR_ARG(told), TN_STR_ARG(p->profile.name),
        TN_STR_ARG(p->profile.target_name));
    if (!tn_project_flag(p, "PARTIAL_PARSE", true)) {
        tn_event(events, TN_EV_DEBUG, "PartialParsingNotEnabled", "I028", TN_VAL_UNDEF,
            "Partial parsing not enabled");
    }
}

/* "state:modified" or "state:unmodified", whole or in that part of it. */
static bool names_changes(tn_str s, const char *part)
{
    static const char *const words[] = { "state:modified", "state:unmodified" };
    tn_str dot = TN_STR(".");
    for (size_t i = 0; i < TN_COUNTOF(words); i++) {
        size_t at = tn_str_find(s, tn_str_of(words[i]), 0);
        if (at != SIZE_MAX) {
            tn_str rest = tn_str_sub(s, at + strlen(words[i]), s.n);
            return !tn_str_starts(rest, dot) || tn_str_starts(rest, tn_str_of(part));
        }
    }
    return false;
}

static bool asks_for_changes(const tn_dbt_options *o, const char *part)
{
    const tn_strs *lists[] = { &o->select, &o->models, &o->exclude };
    for (size_t i = 0; i < TN_COUNTOF(lists); i++) {
        for (size_t k = 0; k < lists[i]->n; k++) {
            if (names_changes(lists[i]->v[k], part)) {
                return true;
            }
        }
    }
    return o->selector.n > 0; /* it may */
}

/* Before anything is written: --state may name the target folder itself. */
static tn_rc read_states(const tn_dbt_options *o, tn_project *p, tn_err *err)
{
    if (o->state.n > 0) {
        TN_TRY(tn_previous_read(p, o->state, &p->previous, err));
        bool known = !tn_val_is_undef(p->previous->manifest);
        if (known && asks_for_changes(o, ".contract")) {
            TN_TRY(tn_contracts_check(p, p->previous, err));
        }
        if (known && asks_for_changes(o, ".body")) {
            tn_seeds_check(p, p->previous);
        }
    }
    if (o->defer != TN_FLAG_ON && !tn_project_flag(p, "DEFER", false)) {
        return TN_OK;
    }
    p->favor_state = o->favor_state == TN_FLAG_ON;
    p->deferred = p->previous;
    if (o->defer_state.n > 0) {
        TN_TRY(tn_previous_read(p, o->defer_state, &p->deferred, err));
    }
    if (p->deferred == NULL) {
        tn_rc rc = tn_fail(err, TN_E_USAGE,
            "--state or --defer-state are required for deferral, but neither was provided");
        return tn_hint(err, rc, "for example: --defer --state prod-run");
    }
    if (tn_val_is_undef(p->deferred->manifest)) {
        tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
            "Could not find manifest in --state path: \"" TN_STR_FMT "\"",
            TN_STR_ARG(p->deferred->folder));
        return tn_hint(err, rc, "it is the target folder of a run elsewhere, with manifest.json");
    }
    return TN_OK;
}

tn_project_opts tn_dbt_project_opts(
    const tn_cli *cli, const char *which, const tn_dbt_options *o, tn_val given)
{
    return (tn_project_opts){ .project_dir = cli->project_dir,
        .profiles_dir = cli->profiles_dir,
        .profile = cli->profile,
        .target = cli->target,
        .vars = o->vars,
        .inline_sql = o->inline_sql,
        .target_path = cli->target_path,
        .log_path = cli->log_path,
        .threads = (int)cli->threads,
        .flags = flags_of(cli, which, o, given),
        .invocation_args = given,
        .no_version_check = o->version_check == TN_FLAG_OFF };
}

/* A run overwrites the state that it is compared with. */
static void warn_of_state(
    const tn_cli *cli, const tn_dbt_options *o, const tn_project *p, tn_events *events)
{
    tn_str state, target;
    if (o->state.n > 0 && tn_file_real(cli->arena, o->state, &state, NULL) == TN_OK &&
        tn_file_real(cli->arena, p->target_path, &target, NULL) == TN_OK &&
        tn_str_eq(state, target)) {
        tn_event(events, TN_EV_WARN, "WarnStateTargetEqual", "I072", TN_VAL_UNDEF,
            "[WARNING]: The state and target directories are the same: '" TN_STR_FMT
            "'. This could lead to missing changes due to overwritten state including "
            "non-idempotent retries.",
            TN_STR_ARG(o->state));
    }
}

/* A project that was not read whole has a log all the same; NULL: not even that. What its check found comes before the error. */
static tn_events *failed_events(const tn_cli *cli, const tn_project *p, bool quiet_console)
{
    tn_events *events = p != NULL ? tn_dbt_events(cli, p, quiet_console) : NULL;
    for (size_t i = 0; p != NULL && p->problems.n > 0 && i < p->notices.n; i++) {
        const tn_notice *n = &p->notices.v[i];
        if (strcmp(n->event, "SemanticValidationFailure") == 0) {
            tn_event(events, TN_EV_WARN, n->event, n->code, TN_VAL_UNDEF, "[WARNING]: " TN_STR_FMT,
                TN_STR_ARG(n->msg));
        }
    }
    for (size_t i = 0; p != NULL && i < p->problems.n; i++) {
        tn_event(events, TN_EV_ERROR, "SemanticValidationFailure", "I070", TN_VAL_UNDEF,
            "[WARNING]: " TN_STR_FMT, TN_STR_ARG(p->problems.v[i]));
    }
    return events;
}

/* What run_results.json's args say of options of one command that were not given. */
static void add_defaults(tn_arena *a, const char *which, tn_dict *args)
{
    static const struct {
        const char *commands; /* each between blanks */
        const char *name, *json;
    } defaults[] = { { " run build test seed snapshot compile clone generate show ", "select",
                         "[]" },
        { " run build test seed snapshot compile clone generate show ", "exclude", "[]" },
        { " build test clone ", "resource_types", "[]" },
        { " build test clone ", "exclude_resource_types", "[]" },
        { " build ", "export_saved_queries", "false" },
        { " build ", "include_saved_query", "false" }, { " build seed ", "show", "false" },
        { " compile ", "inject_ephemeral_ctes", "true" },
        { " compile show ", "output", "\"text\"" }, { " show ", "limit", "5" },
        { " generate ", "static", "false" }, { " generate ", "compile", "true" },
        { " generate ", "empty_catalog", "false" } };
    static const char *const renamed[][2] = { { "resource_type", "resource_types" },
        { "exclude_resource_type", "exclude_resource_types" } }; /* one option, many values */
    for (size_t i = 0; i < TN_COUNTOF(renamed); i++) {
        tn_val *was = tn_dict_finds(args, tn_str_of(renamed[i][0]));
        if (was != NULL) {
            tn_dict_putz(args, renamed[i][1], *was);
            (void)tn_dict_remove(args, tn_val_z(renamed[i][0]));
        }
    }
    tn_str word = tn_str_printf(a, " %s ", which);
    for (size_t i = 0; i < TN_COUNTOF(defaults); i++) {
        tn_val v;
        if (tn_str_find(tn_str_of(defaults[i].commands), word, 0) != SIZE_MAX &&
            tn_dict_finds(args, tn_str_of(defaults[i].name)) == NULL &&
            tn_json_parse(a, tn_str_of(defaults[i].json), &v, NULL) == TN_OK) {
            tn_dict_putz(args, defaults[i].name, v);
        }
    }
}

/* How the console was asked to be is known before the project is: its errors are shown the same way. */
bool tn_dbt_begin(const tn_cli *cli, const char *which, const tn_dbt_options *o, tn_val given,
    bool quiet_console, tn_dbt_start *ret, int *ret_status)
{
    tn_err err = TN_ERR_INIT;
    tn_project_opts opts = tn_dbt_project_opts(cli, which, o, given);
    bool inline_failed = false;
    opts.ret_inline_failed = &inline_failed;
    tn_project *partial = NULL;
    opts.ret_partial = &partial;
    *ret_status = TN_EXIT_USAGE;
    *ret = (tn_dbt_start){ 0 };
    if (!check_values(cli, o, given, &err) || !selection_of(cli->arena, o, &ret->select, &err)) {
        (void)tn_cli_error(cli, &err);
        return false;
    }
    tn_interrupt_install();
    /* A project that these are asked to repair may not load. */
    bool bare = strcmp(which, "clean") == 0 || strcmp(which, "deps") == 0;
    tn_rc rc = bare ? tn_project_open_bare(cli->arena, &opts, &ret->project, &err)
                    : tn_project_load(cli->arena, &opts, &ret->project, &err);
    if (rc != TN_OK) {
        tn_events *events = failed_events(cli, partial, quiet_console);
        *ret_status =
            inline_failed ? tn_dbt_inline_error(cli, &err) : tn_dbt_error(cli, events, &err);
        return false;
    }
    if (cli->lake.n > 0 && tn_str_is(ret->project->profile.type, "tarn")) {
        ret->project->profile.path = cli->lake;
    }
    if (tn_project_flag(ret->project, "SINGLE_THREADED", false)) {
        ret->project->profile.threads = 1;
    }
    if (read_states(o, ret->project, &err) != TN_OK) {
        *ret_status = tn_dbt_error(cli, NULL, &err);
        return false;
    }
    ret->events = tn_dbt_events(cli, ret->project, quiet_console);
    cli->running->events = ret->events;
    tn_log_set(log_to_events, ret->events, TN_LOG_DEBUG);
    tn_dbt_tell_version(ret->events, cli->arena);
    if (!bare) {
        tn_dbt_tell_adapter(ret->events, cli->arena);
        tell_parse_state(ret->events, ret->project, cli->arena);
    }
    deprecate_options(o, which, ret->project);
    summary_at_end *end = tn_new(cli->arena, summary_at_end);
    *end = (summary_at_end){ ret->project, ret->events };
    tn_arena_defer(cli->arena, tell_summary, end);
    if (o->selector.n > 0 && o->select.n + o->models.n + o->exclude.n > 0) {
        tn_event(ret->events, TN_EV_WARN, "SelectExcludeIgnoredWithSelectorWarning", "Z064",
            TN_VAL_UNDEF,
            "The --select and --exclude arguments are being ignored for node selection because "
            "--selector is provided");
    }
    warn_of_state(cli, o, ret->project, ret->events);
    add_defaults(cli->arena, which, given.dict);
    if (tn_dbt_tell_notices(ret->project, 0, ret->events, &err) != TN_OK) {
        *ret_status = tn_dbt_error(cli, ret->events, &err);
        return false;
    }
    *ret_status = TN_EXIT_OK;
    return true;
}

int tn_dbt_execute(
    const tn_cli *cli, const char *which, const tn_dbt_options *o, tn_val given, tn_run_opts opts)
{
    tn_dbt_start start;
    int status;
    if (!tn_dbt_begin(cli, which, o, given, false, &start, &status)) {
        return status;
    }
    tn_err err = TN_ERR_INIT;
    tn_run_report report;
    opts.select = start.select;
    opts.fail_fast = tn_project_flag(start.project, "FAIL_FAST", false);
    opts.show_seeds = o->show == TN_FLAG_ON;
    opts.write_json = tn_project_flag(start.project, "WRITE_JSON", true);
    opts.introspect = o->introspect != TN_FLAG_OFF;
    opts.memory_limit = cli->memory_limit;
    opts.args = given.dict;
    if (tn_run_execute(start.project, cli->arena, &opts, start.events, &report, &err) != TN_OK) {
        return tn_dbt_error(cli, start.events, &err);
    }
    return report.failed || report.interrupted ? TN_EXIT_FAILED : TN_EXIT_OK;
}
