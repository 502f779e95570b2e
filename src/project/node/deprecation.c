/* deprecation.c: the table of deprecations, their texts' form, and the summary. */
#include "project/deprecation.h"

#include "project/node/project_priv.h"

enum { WIDTH_DEFAULT = 80 };

/* Older ones do not have their name in the tag, and two of them only their own words. */
typedef enum form { NAMED, BARE, PLAIN } form;

typedef struct deprecation {
    const char *event, *code;
    form form;
} deprecation;

static const deprecation known[] = { { "PackageRedirectDeprecation", "D001", BARE },
    { "PackageInstallPathDeprecation", "D002", BARE },
    { "ConfigSourcePathDeprecation", "D003", BARE }, { "ConfigDataPathDeprecation", "D004", BARE },
    { "ExposureNameDeprecation", "D007", BARE }, { "ConfigLogPathDeprecation", "D010", BARE },
    { "ConfigTargetPathDeprecation", "D011", BARE },
    { "ProjectFlagsMovedDeprecation", "D013", BARE },
    { "MFTimespineWithoutYamlConfigurationDeprecation", "D018", PLAIN },
    { "UnexpectedJinjaBlockDeprecation", "D023", NAMED },
    { "PropertyMovedToConfigDeprecation", "D030", NAMED },
    { "ModulesItertoolsUsageDeprecation", "D034", NAMED },
    { "EnvironmentVariableNamespaceDeprecation", "D036", NAMED },
    { "DuplicateNameDistinctNodeTypesDeprecation", "D040", NAMED },
    { "EnvironmentVariableRenamed", "D009", BARE },
    { "ResourceNamesWithSpacesDeprecation", "D015", BARE },
    { "DuplicateYAMLKeysDeprecation", "D024", NAMED },
    { "CustomOutputPathInSourceFreshnessDeprecation", "D029", NAMED },
    { "WEOIncludeExcludeDeprecation", "D031", NAMED },
    { "ModelParamUsageDeprecation", "D032", NAMED }, { "SourceOverrideDeprecation", "D035", NAMED },
    { "ArgumentsPropertyInGenericTestDeprecation", "D038", NAMED },
    { "MissingArgumentsPropertyInGenericTestDeprecation", "D039", NAMED },
    { "MFCumulativeTypeParamsDeprecation", "D019", PLAIN },
    { "TimeDimensionsRequireGranularityDeprecation", "D041", NAMED },
    { "GenerateSchemaNameNullValueDeprecation", "D044", NAMED } };

static const deprecation *find(const char *event)
{
    for (size_t i = 0; i < TN_COUNTOF(known); i++) {
        if (strcmp(event, known[i].event) == 0) {
            return &known[i];
        }
    }
    return NULL;
}

const char *tn_deprecation_code(const char *event)
{
    const deprecation *d = find(event);
    return d != NULL ? d->code : "D000";
}

static form form_of(const tn_project *p, const char *event)
{
    const deprecation *d = find(event);
    bool named = tn_project_flag(p, "REQUIRE_EVENT_NAMES_IN_DEPRECATIONS", false);
    return d == NULL || named ? NAMED : d->form;
}

static size_t width_of(const tn_project *p)
{
    tn_val v = tn_val_at(tn_project_flags(p), "PRINTER_WIDTH");
    return v.tag == TN_INT && v.i > 0 ? (size_t)v.i : WIDTH_DEFAULT;
}

/* Lines of at most `width` characters; a word that is longer keeps to itself. */
static void fill(tn_buf *b, tn_str chunk, size_t width)
{
    tn_str word, rest = chunk;
    size_t used = 0;
    while (rest.n > 0) {
        size_t end = 0;
        while (end < rest.n && rest.p[end] != ' ' && rest.p[end] != '\n') {
            end++;
        }
        word = tn_str_sub(rest, 0, end);
        rest = tn_str_sub(rest, end < rest.n ? end + 1 : end, rest.n);
        if (word.n == 0) {
            continue;
        }
        size_t n = tn_utf8_len(word);
        bool fits = used > 0 && used + 1 + n <= width;
        tn_buf_addz(b, used == 0 ? "" : fits ? " " : "\n");
        tn_buf_add(b, word);
        used = fits ? used + 1 + n : n;
    }
}

/* Paragraphs (parted by an empty line) are filled one by one, and stand below each other. */
static tn_str wrapped(tn_arena *a, tn_str text, size_t width)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t at = 0; at <= text.n;) {
        size_t end = tn_str_find(text, TN_STR("\n\n"), at);
        end = end == SIZE_MAX ? text.n : end;
        tn_buf_addz(&b, at > 0 ? "\n" : "");
        fill(&b, tn_str_sub(text, at, end), width);
        at = end + 2;
    }
    return tn_buf_str(&b);
}

tn_str tn_deprecation_text(tn_arena *a, const tn_project *p, const char *event, tn_str text)
{
    form f = form_of(p, event);
    return wrapped(a,
        tn_str_printf(a, "[WARNING]%s%s%s: %s" TN_STR_FMT, f == NAMED ? "[" : "",
            f == NAMED ? event : "", f == NAMED ? "]" : "",
            f == PLAIN ? "" : "Deprecated functionality\n\n", TN_STR_ARG(text)),
        width_of(p));
}

static void deprecate(tn_project *p, const char *event, tn_str file, tn_val data, const char *fmt,
    va_list ap) TN_PRINTF(5, 0);
/* The text is made only where it is told. */
static void deprecate(
    tn_project *p, const char *event, tn_str file, tn_val data, const char *fmt, va_list ap)
{
    tn_val count = tn_val_at(p->deprecations, event);
    tn_dict_putz(p->deprecations.dict, event, tn_val_int(count.tag == TN_INT ? count.i + 1 : 1));
    if (count.tag != TN_INT || tn_project_flag(p, "SHOW_ALL_DEPRECATIONS", false)) {
        tn_buf b = tn_buf_init(p->arena, TN_BUF_NO_LIMIT);
        tn_buf_vaddf(&b, fmt, ap);
        tn_project_note(p, event, file, 0, TN_STR_FMT, TN_STR_ARG(tn_buf_str(&b)))->data = data;
    }
}

void tn_deprecate(tn_project *p, const char *event, tn_str file, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    deprecate(p, event, file, TN_VAL_UNDEF, fmt, ap);
    va_end(ap);
}

void tn_deprecate_with(tn_project *p, const char *event, tn_val data, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    deprecate(p, event, TN_STR_NONE, data, fmt, ap);
    va_end(ap);
}

tn_str tn_deprecation_summary(tn_arena *a, const tn_project *p)
{
    static const char hint[] =
        "\n\nTo see all deprecation instances instead of just the first occurrence of each, run "
        "command again with the `--show-all-deprecations` flag. You may also need to run with "
        "`--no-partial-parse` as some deprecations are only encountered during parsing.";
    if (p->deprecations.dict->live == 0) {
        return TN_STR_NONE;
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "Summary of encountered deprecations:");
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(p->deprecations.dict, &at)) != NULL) {
        tn_buf_addf(&b, "\n\n- " TN_STR_FMT ": %lld occurrence%s",
            TN_STR_ARG(tn_val_as_str(it->key)), (long long)it->value.i,
            it->value.i == 1 ? "" : "s");
    }
    tn_buf_addz(&b, tn_project_flag(p, "SHOW_ALL_DEPRECATIONS", false) ? "" : hint);
    return tn_deprecation_text(a, p, "DeprecationsSummary", tn_buf_str(&b));
}
