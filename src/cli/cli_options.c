/* cli_options.c: reads a command's words by its option table, and prints its help from the same table, so that what is
 * accepted and what is documented cannot drift apart.
 *
 * Grammar: option = "--name" ["=" value] | "--name" value... | "-x" value | "-xVALUE"; "--" ends the options. An option that is
 * absent may come from its environment variable (dbt's DBT_NAME; DBT_ENGINE_NAME means the same).
 */
#include <stdio.h>

#include "base/log.h"
#include "base/nearest.h"
#include "cli/cli.h"
#include "os/proc.h"

enum { TN_HELP_COLUMN = 34 };

/* Steps through the blank-separated names of an option. */
static bool next_name(const char **at, tn_str *ret)
{
    while (**at == ' ') {
        ++*at;
    }
    const char *from = *at;
    while (**at != '\0' && **at != ' ') {
        ++*at;
    }
    *ret = tn_str_n(from, (size_t)(*at - from));
    return ret->n > 0;
}

static tn_str first_name(const tn_opt *o)
{
    const char *at = o->names;
    tn_str name = TN_STR_NONE;
    (void)next_name(&at, &name);
    return name;
}

static bool is_flag(const tn_opt *o)
{
    return o->kind == TN_OPT_FLAG || o->kind == TN_OPT_SETTING_FLAG ||
           o->kind == TN_OPT_IGNORE_FLAG;
}

/* The option that `word` names; *ret_off for its --no- form. */
static const tn_opt *find_option(const tn_cmd_spec *spec, tn_str word, bool *ret_off)
{
    for (size_t i = 0; i < spec->opt_count; i++) {
        const tn_opt *o = &spec->opts[i];
        const char *at = o->names;
        tn_str name;
        while (next_name(&at, &name)) {
            if (tn_str_eq(name, word)) {
                *ret_off = false;
                return o;
            }
            bool no_form = is_flag(o) && name.n > 2 && word.n == name.n + 3 &&
                           tn_str_starts(word, TN_STR("--no-"));
            if (no_form && tn_str_eq(tn_str_sub(word, 5, word.n), tn_str_sub(name, 2, name.n))) {
                *ret_off = true;
                return o;
            }
        }
    }
    return NULL;
}

typedef struct parse_state {
    const tn_cli *cli;
    const tn_cmd_spec *spec;
    char *fields;
    tn_dict *given;
} parse_state;

static tn_str key_of(const parse_state *ps, const tn_opt *o)
{
    tn_str name = first_name(o);
    return tn_str_replace(ps->cli->arena, tn_str_sub(name, 2, name.n), TN_STR("-"), TN_STR("_"));
}

static void note_given(parse_state *ps, const tn_opt *o, tn_val v, bool many)
{
    if (ps->given == NULL) {
        return;
    }
    tn_str key = key_of(ps, o);
    if (!many) {
        tn_dict_puts(ps->given, key, v);
        return;
    }
    tn_val *old = tn_dict_finds(ps->given, key);
    tn_val list = old != NULL ? *old : tn_val_list(ps->cli->arena);
    tn_list_push(list.list, v);
    tn_dict_puts(ps->given, key, list);
}

static bool store_value(parse_state *ps, const tn_opt *o, tn_str value)
{
    void *field = ps->fields + o->offset;
    switch (o->kind) {
    case TN_OPT_STR:
        *(tn_str *)field = value;
        note_given(ps, o, tn_val_str(value), false);
        return true;
    case TN_OPT_INT: {
        int64_t number;
        if (!tn_str_to_i64(value, &number)) {
            return false;
        }
        *(int64_t *)field = number;
        note_given(ps, o, tn_val_int(number), false);
        return true;
    }
    case TN_OPT_MANY:
    case TN_OPT_WORDS:
        tn_vec_push((tn_strs *)field, ps->cli->arena, value);
        note_given(ps, o, tn_val_str(value), true);
        return true;
    case TN_OPT_SETTING_STR:
        note_given(ps, o, tn_val_str(value), false);
        return true;
    default:
        return true;
    }
}

static void store_flag(parse_state *ps, const tn_opt *o, bool on)
{
    if (o->kind == TN_OPT_FLAG) {
        *(tn_flag *)(ps->fields + o->offset) = on ? TN_FLAG_ON : TN_FLAG_OFF;
    }
    if (o->kind != TN_OPT_IGNORE_FLAG) {
        note_given(ps, o, tn_val_bool(on), false);
    }
}

/* Click's reading of a boolean in the environment. */
static bool env_truth(tn_str v)
{
    static const char *const yes[] = { "1", "true", "t", "yes", "y", "on" };
    for (size_t i = 0; i < TN_COUNTOF(yes); i++) {
        if (tn_str_eq_nocase(v, tn_str_of(yes[i]))) {
            return true;
        }
    }
    return false;
}

void tn_cli_words(tn_arena *a, tn_str text, tn_strs *into)
{
    tn_str word;
    while (text.n > 0) {
        (void)tn_str_cut(text, ' ', &word, &text);
        if (word.n > 0) {
            tn_vec_push(into, a, word);
        }
    }
}

static void apply_env(parse_state *ps)
{
    for (size_t i = 0; i < ps->spec->opt_count; i++) {
        const tn_opt *o = &ps->spec->opts[i];
        if (o->env == NULL) {
            continue;
        }
        tn_str v = TN_STR_NONE;
        if (strncmp(o->env, "DBT_", 4) == 0) { /* the newer name wins */
            v = tn_env_get(tn_arena_printf(ps->cli->arena, "DBT_ENGINE_%s", o->env + 4));
        }
        v = v.p != NULL ? v : tn_env_get(o->env);
        if (v.n == 0) {
            continue;
        }
        if (is_flag(o)) {
            store_flag(ps, o, env_truth(v));
        } else if (o->kind == TN_OPT_WORDS) {
            tn_strs words = { 0 };
            tn_cli_words(ps->cli->arena, v, &words);
            for (size_t k = 0; k < words.n; k++) {
                (void)store_value(ps, o, words.v[k]);
            }
        } else {
            (void)store_value(ps, o, v);
        }
    }
}

/* What the command line gives replaces what the environment gave. */
static void forget_env(parse_state *ps, const tn_opt *o, bool *seen, size_t index)
{
    if (!seen[index] && (o->kind == TN_OPT_MANY || o->kind == TN_OPT_WORDS)) {
        *(tn_strs *)(void *)(ps->fields + o->offset) = (tn_strs){ 0 };
        if (ps->given != NULL) {
            (void)tn_dict_remove(ps->given, tn_val_str(key_of(ps, o)));
        }
    }
    seen[index] = true;
}

static bool looks_like_option(const char *word)
{
    return word[0] == '-' && word[1] != '\0' && !(word[1] >= '0' && word[1] <= '9');
}

static void no_option(const parse_state *ps, tn_str word)
{
    tn_nearest near = tn_nearest_to(word);
    for (size_t i = 0; i < ps->spec->opt_count; i++) {
        const char *at = ps->spec->opts[i].names;
        tn_str name;
        while (next_name(&at, &name)) {
            if (name.n > 2) {
                tn_nearest_try(&near, name);
            }
        }
    }
    if (near.best.n > 0) {
        (void)tn_cli_usage_error(ps->cli, ps->spec->name,
            "no such option: " TN_STR_FMT "; did you mean " TN_STR_FMT "?", TN_STR_ARG(word),
            TN_STR_ARG(near.best));
    } else {
        (void)tn_cli_usage_error(
            ps->cli, ps->spec->name, "no such option: " TN_STR_FMT, TN_STR_ARG(word));
    }
}

/* One option with its values; *at stands on it and is moved to its last word. False: usage error, printed. */
static bool take_option(parse_state *ps, int argc, char **argv, int *at, bool *seen)
{
    tn_str word = tn_str_of(argv[*at]), name = word, value = TN_STR_NONE;
    bool has_value = tn_str_starts(word, TN_STR("--")) && tn_str_cut(word, '=', &name, &value);
    bool off = false;
    const tn_opt *o = find_option(ps->spec, name, &off);
    if (o == NULL && word.n > 2 && word.p[1] != '-') { /* -t5 */
        o = find_option(ps->spec, tn_str_sub(word, 0, 2), &off);
        value = tn_str_sub(word, 2, word.n);
        has_value = o != NULL;
    }
    if (o == NULL) {
        no_option(ps, name);
        return false;
    }
    forget_env(ps, o, seen, (size_t)(o - ps->spec->opts));
    if (is_flag(o)) {
        if (has_value) {
            (void)tn_cli_usage_error(
                ps->cli, ps->spec->name, "option " TN_STR_FMT " takes no value", TN_STR_ARG(name));
            return false;
        }
        store_flag(ps, o, !off);
        return true;
    }
    if (!has_value) {
        if (*at + 1 >= argc || (o->kind == TN_OPT_WORDS && looks_like_option(argv[*at + 1]))) {
            (void)tn_cli_usage_error(
                ps->cli, ps->spec->name, "option " TN_STR_FMT " needs a value", TN_STR_ARG(name));
            return false;
        }
        value = tn_str_of(argv[++*at]);
    }
    if (!store_value(ps, o, value)) {
        (void)tn_cli_usage_error(ps->cli, ps->spec->name,
            "option " TN_STR_FMT " needs a whole number, not '" TN_STR_FMT "'", TN_STR_ARG(name),
            TN_STR_ARG(value));
        return false;
    }
    while (o->kind == TN_OPT_WORDS && *at + 1 < argc && !looks_like_option(argv[*at + 1])) {
        (void)store_value(ps, o, tn_str_of(argv[++*at]));
    }
    return true;
}

void tn_cli_parse(const tn_cli *cli, const tn_cmd_spec *spec, int argc, char **argv, void *fields,
    tn_strs *ret_words, tn_val *ret_given, bool *ret_done, int *ret_status)
{
    tn_val given = tn_val_dict(cli->arena);
    parse_state ps = { .cli = cli, .spec = spec, .fields = fields, .given = given.dict };
    tn_strs words = { 0 };
    bool *seen = tn_new_array(cli->arena, bool, spec->opt_count + 1);
    *ret_done = true;
    *ret_status = TN_EXIT_USAGE;
    apply_env(&ps);
    bool only_words = false;
    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
            tn_cli_help(cli, spec);
            *ret_status = TN_EXIT_OK;
            return;
        } else if (only_words || !looks_like_option(argv[i])) {
            tn_vec_push(&words, cli->arena, tn_str_of(argv[i]));
        } else if (!take_option(&ps, argc, argv, &i, seen)) {
            return;
        }
    }
    if (words.n < spec->words_min || words.n > spec->words_max) {
        if (words.n > spec->words_max) {
            (void)tn_cli_usage_error(cli, spec->name, "unexpected word '" TN_STR_FMT "'",
                TN_STR_ARG(words.v[spec->words_max]));
        } else {
            (void)tn_cli_usage_error(cli, spec->name, "too few arguments: %s", spec->usage);
        }
        return;
    }
    if (ret_words != NULL) {
        *ret_words = words;
    }
    if (ret_given != NULL) {
        *ret_given = given;
    }
    *ret_done = false;
    *ret_status = TN_EXIT_OK;
}

/* "-s, --select SELECTOR..." with the short names first. */
static tn_str option_title(tn_arena *a, const tn_opt *o)
{
    tn_buf b = tn_buf_init(a, 4096);
    for (int pass = 0; pass < 2; pass++) {
        const char *at = o->names;
        tn_str name;
        while (next_name(&at, &name)) {
            bool is_short = name.n == 2;
            if (is_short == (pass == 0)) {
                tn_buf_addz(&b, b.n > 0 ? ", " : "");
                tn_buf_add(&b, name);
            }
        }
    }
    if (o->arg != NULL) {
        tn_buf_addc(&b, ' ');
        tn_buf_addz(&b, o->arg);
    }
    return tn_buf_str(&b);
}

static void print_indented(const char *text)
{
    for (const char *at = text; *at != '\0';) {
        size_t n = strcspn(at, "\n");
        printf("  %.*s\n", (int)n, at);
        at += n + (at[n] == '\n' ? 1 : 0);
    }
}

void tn_cli_help(const tn_cli *cli, const tn_cmd_spec *spec)
{
    printf("Usage: %s %s %s\n\n  %s\n", cli->program, spec->name, spec->usage, spec->summary);
    bool heading = false;
    for (size_t i = 0; i < spec->opt_count; i++) {
        const tn_opt *o = &spec->opts[i];
        if (o->help == NULL) {
            continue;
        }
        printf("%s", heading ? "" : "\nOptions:\n");
        heading = true;
        tn_str title = option_title(cli->arena, o);
        if (title.n + 4 > TN_HELP_COLUMN) {
            printf("  " TN_STR_FMT "\n%*s%s\n", TN_STR_ARG(title), TN_HELP_COLUMN, "", o->help);
        } else {
            printf("  %-*.*s%s\n", TN_HELP_COLUMN - 2, TN_STR_ARG(title), o->help);
        }
    }
    if (spec->examples != NULL) {
        printf("\nExamples:\n");
        print_indented(spec->examples);
    }
    printf("\nGlobal options: %s --help\n", cli->program);
}
