/* main.c: global options, then one table of commands. Invoked as `dbt` it is the same program with dbt's --version lines. */
#include <stdio.h>

#include "base/log.h"
#include "base/nearest.h"
#include "base/res.h"
#include "cli/dbt_options.h"
#include "duck/duck.h"
#include "lake/lake_remote.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/proc.h"
#include "project/deprecation.h"
#include "store/store_s3.h"
#include "text/uri.h"

typedef struct command {
    const char *name;
    tn_cmd_fn fn;
    const char *group;
    const char *summary;
} command;

static const command commands[] = {
#define TN_CMD(name, fn, group, summary) { name, fn, group, summary },
#include "cli/cmd_table.def"
#undef TN_CMD
};

#define G(field) offsetof(tn_cli, field)
static const tn_opt global_options[] = {
    { "--lake", TN_OPT_STR, G(lake), "URL",
        "the lake: a folder or s3://bucket/prefix (TARN_LAKE, or the profile)", "TARN_LAKE" },
    { "--project-dir", TN_OPT_STR, G(project_dir), "DIR",
        "folder of dbt_project.yml (default: here or above)", "DBT_PROJECT_DIR" },
    { "--profiles-dir", TN_OPT_STR, G(profiles_dir), "DIR",
        "folder of profiles.yml (default: here, then ~/.dbt)", "DBT_PROFILES_DIR" },
    { "--profile", TN_OPT_STR, G(profile), "NAME", "profile instead of the project's",
        "DBT_PROFILE" },
    { "--target -t", TN_OPT_STR, G(target), "NAME", "output of the profile", "DBT_TARGET" },
    { "--target-path", TN_OPT_STR, G(target_path), "DIR", "where artifacts go (default: target)",
        "DBT_TARGET_PATH" },
    { "--log-path", TN_OPT_STR, G(log_path), "DIR", "where dbt.log goes (default: logs)",
        "DBT_LOG_PATH" },
    { "--threads", TN_OPT_INT, G(threads), "N", "workers (default: the profile's)", "DBT_THREADS" },
    { "--memory-limit", TN_OPT_STR, G(memory_limit), "SIZE", "DuckDB's memory, for example 4GB",
        "TARN_MEMORY_LIMIT" },
    { "--ca-file", TN_OPT_STR, G(ca_file), "FILE", "certificates to trust, besides the system's",
        "TARN_CA_FILE" },
    { "--config", TN_OPT_STR, G(config_file), "FILE", "a file with these options", "TARN_CONFIG" },
    { "--log-format", TN_OPT_STR, G(log_format), "text|json", "json: one event a line on stdout",
        "DBT_LOG_FORMAT" },
    { "--log-level", TN_OPT_STR, G(log_level), "LEVEL", "debug, info, warn, error or none",
        "DBT_LOG_LEVEL" },
    { "--quiet -q", TN_OPT_FLAG, G(quiet), NULL, "errors and results only", "DBT_QUIET" },
    { "--debug -d", TN_OPT_FLAG, G(debug), NULL, "debug lines on the console", "DBT_DEBUG" },
    { "--use-colors", TN_OPT_FLAG, G(use_colors), NULL,
        "--no-use-colors: plain text (also NO_COLOR)", "DBT_USE_COLORS" },
};
#undef G

static const tn_cmd_spec global_spec = { .name = "",
    .opts = global_options,
    .opt_count = TN_COUNTOF(global_options),
    .words_max = SIZE_MAX };

static bool is_name_of(const tn_opt *o, const char *word, size_t n)
{
    for (const char *at = o->names; *at != '\0';) {
        size_t len = strcspn(at, " ");
        if (len == n && memcmp(at, word, n) == 0) {
            return true;
        }
        at += len + (at[len] == ' ' ? 1 : 0);
    }
    return false;
}

/* How many words of argv the global option at `i` takes; 0 when it is none. */
static int global_words(char **argv, int argc, int i)
{
    size_t n = strcspn(argv[i], "=");
    for (size_t k = 0; k < TN_COUNTOF(global_options); k++) {
        const tn_opt *o = &global_options[k];
        if (is_name_of(o, argv[i], n)) {
            return o->kind == TN_OPT_FLAG || argv[i][n] == '=' || i + 1 >= argc ? 1 : 2;
        }
        bool no_form = o->kind == TN_OPT_FLAG && strncmp(argv[i], "--no-", 5) == 0;
        if (no_form && strncmp(o->names + 2, argv[i] + 5, strlen(argv[i] + 5)) == 0) {
            return strcspn(o->names + 2, " ") == strlen(argv[i] + 5) ? 1 : 0;
        }
    }
    return 0;
}

/* Parts argv into global options and the rest, so that both places of an option work: `tarn -q run`, `tarn run -q`. */
static void part_words(tn_arena *a, int argc, char **argv, int *ret_globals, char ***ret_global,
    int *ret_rest, char ***ret_words)
{
    char **global = tn_new_array(a, char *, (size_t)argc + 2);
    char **words = tn_new_array(a, char *, (size_t)argc + 1);
    int globals = 1, rest = 0, i = 1;
    global[0] = argv[0];
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        int n = global_words(argv, argc, i);
        if (n == 0) {
            words[rest++] = argv[i];
            continue;
        }
        global[globals++] = argv[i];
        if (n == 2) {
            global[globals++] = argv[++i];
        }
    }
    for (; i < argc; i++) {
        words[rest++] = argv[i];
    }
    *ret_globals = globals;
    *ret_global = global;
    *ret_rest = rest;
    *ret_words = words;
}

static void print_version(const tn_cli *cli)
{
    if (cli->as_dbt) {
        printf("Core:\n  - installed: %s\n\nPlugins:\n  - duckdb: " TN_DBT_DUCKDB_VERSION
               "\n  - tarn: %s\n\n",
            TN_DBT_VERSION, TN_VERSION);
        return;
    }
    printf(
        "tarn %s (DuckDB %s, dbt %s compatible)\n", TN_VERSION, tn_duck_version(), TN_DBT_VERSION);
}

static void print_help(const tn_cli *cli)
{
    printf("Usage: %s [global options] COMMAND [options]\n\n", cli->program);
    printf("  a lakehouse in one program: lands data as Delta tables, runs a dbt project on "
           "DuckDB, tests and publishes it\n");
    const char *group = "";
    for (size_t i = 0; i < TN_COUNTOF(commands); i++) {
        const command *c = &commands[i];
        if (c->summary == NULL) {
            continue;
        }
        if (strcmp(group, c->group) != 0) {
            printf("\nCommands, %s:\n", c->group);
            group = c->group;
        }
        printf("  %-16s%s\n", c->name, c->summary);
    }
    printf("\nGlobal options, before or after the command:\n");
    for (size_t i = 0; i < TN_COUNTOF(global_options); i++) {
        const tn_opt *o = &global_options[i];
        char title[64];
        (void)snprintf(title, sizeof title, "%s%s%s", o->names, o->arg != NULL ? " " : "",
            o->arg != NULL ? o->arg : "");
        printf("  %-26s%s\n", title, o->help);
    }
    printf("  %-26s%s\n", "--version -V", "print the version");
    printf("\nExamples:\n  %s build                        seeds, models and tests of the project "
           "here\n",
        cli->program);
    printf(
        "  %s run --select stg_orders+     one model and all that depends on it\n", cli->program);
    printf("  %s COMMAND --help               options and examples of a command\n", cli->program);
}

static const command *find_command(const char *name);

/* `tarn --warn-error build`: options of a command may stand before it. */
static void bring_command_forward(int n, char **words)
{
    int at = 0;
    while (at < n && (words[at][0] == '-' || find_command(words[at]) == NULL)) {
        at++;
    }
    bool version = n > 0 && (strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0 ||
                                strcmp(words[0], "--version") == 0 || words[0][0] != '-');
    if (at == n || version) {
        return;
    }
    char *name = words[at];
    memmove(words + 1, words, (size_t)at * sizeof *words);
    words[0] = name;
}

static const command *find_command(const char *name)
{
    for (size_t i = 0; i < TN_COUNTOF(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int no_command(const tn_cli *cli, const char *word)
{
    tn_nearest near = tn_nearest_to(tn_str_of(word));
    for (size_t i = 0; i < TN_COUNTOF(commands); i++) {
        if (commands[i].summary != NULL) {
            tn_nearest_try(&near, tn_str_of(commands[i].name));
        }
    }
    return near.best.n > 0 ? tn_cli_usage_error(cli, "",
                                 "no such command: '%s'; did you mean '" TN_STR_FMT "'?", word,
                                 TN_STR_ARG(near.best))
                           : tn_cli_usage_error(cli, "", "no such command: '%s'", word);
}

static void set_colors(tn_cli *cli)
{
    bool allowed = tn_env_get("NO_COLOR").n == 0;
    cli->color = tn_flag_is(cli->use_colors, allowed && tn_is_terminal(1));
    cli->color_err = tn_flag_is(cli->use_colors, allowed && tn_is_terminal(2));
}

/* As dbt keeps it for templates and artifacts. */
static tn_str command_of(tn_arena *a, int argc, char **argv)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "dbt");
    for (int i = 1; i < argc; i++) {
        tn_buf_addc(&b, ' ');
        tn_buf_addz(&b, argv[i]);
    }
    return tn_buf_str(&b);
}

static int run_main(tn_arena *a, int argc, char **argv)
{
    tn_str self = tn_path_base(tn_str_of(argc > 0 ? argv[0] : "tarn"));
    tn_cli cli = { .arena = a, .as_dbt = tn_str_is(self, "dbt") };
    cli.program = cli.as_dbt ? "dbt" : "tarn";
    int globals = 0, rest = 0, status = 0;
    char **global = NULL, **words = NULL;
    bool done = false;
    tn_err unset = TN_ERR_INIT;
    if (tn_engine_env_mirror(&unset) != TN_OK) {
        return tn_cli_usage_error(&cli, "", "the environment: %s", unset.msg);
    }
    set_colors(&cli);
    part_words(a, argc, argv, &globals, &global, &rest, &words);
    tn_cli_parse(&cli, &global_spec, globals, global, &cli, NULL, &cli.invocation, &done, &status);
    if (done) {
        return status;
    }
    set_colors(&cli);
    tn_dict_putz(cli.invocation.dict, "invocation_command", tn_val_str(command_of(a, argc, argv)));
    bring_command_forward(rest, words);
    if (cli.project_dir.n > 0 && !tn_file_exists(cli.project_dir)) {
        return tn_cli_usage_error(&cli, "",
            "Invalid value for '--project-dir': Path '" TN_STR_FMT "' does not exist.",
            TN_STR_ARG(cli.project_dir));
    }
    if (cli.ca_file.n > 0) { /* one place from which everything below takes it */
        tn_err err = TN_ERR_INIT;
        if (tn_env_set("TARN_CA_FILE", cli.ca_file, &err) != TN_OK) {
            return tn_cli_usage_error(&cli, "", "--ca-file: %s", err.msg);
        }
    }
    tn_store_s3_register();
    tn_cli_transfers(&cli);
    if (tn_env_get("TARN_CA_FILE").n > 0 || tn_env_get("AWS_CA_BUNDLE").n > 0) {
        tn_lake_remote_trust_process(TN_STR_NONE);
    }
    if (rest == 0 || strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0 ||
        strcmp(words[0], "help") == 0) {
        print_help(&cli);
        return rest == 0 ? TN_EXIT_USAGE : TN_EXIT_OK;
    }
    if (strcmp(words[0], "--version") == 0 || strcmp(words[0], "-V") == 0 ||
        (cli.as_dbt && strcmp(words[0], "-v") == 0)) {
        print_version(&cli);
        return TN_EXIT_OK;
    }
    const command *c = find_command(words[0]);
    if (c == NULL) {
        return no_command(&cli, words[0]);
    }
    tn_dbt_running running = { .started_us = tn_clock_now_us() };
    cli.running = &running;
    status = c->fn(&cli, rest, words);
    tn_dbt_completed(&cli, words[0], rest > 1 ? words[1] : "", status);
    return status;
}

int main(int argc, char **argv)
{
    tn_arena *a = tn_arena_new("process", NULL);
    int status = run_main(a, argc, argv);
    fflush(stdout);
    tn_arena_free(a);
    return status;
}
