/* unit_form.c: a unit test as dbt writes it into the manifest: the keys of its class, and the checksum by which a dbt that takes the manifest as a
 * state calls it changed. The sum is the sha256 of model, versions, given, expect and overrides as Python prints dbt's classes.
 */
#include "project/node/project_priv.h"
#include "text/hash.h"

static tn_val given_or(tn_val entry, const char *key, tn_val other)
{
    tn_val v = tn_val_at(entry, key);
    return tn_val_is_undef(v) ? other : v;
}

/* Input and output: {input, rows, format, fixture}. */
static tn_val fixture_form(tn_arena *a, tn_val entry, bool input)
{
    tn_val d = tn_val_dict(a);
    if (input) {
        tn_dict_putz(d.dict, "input", tn_val_at(entry, "input"));
    }
    tn_dict_putz(d.dict, "rows", given_or(entry, "rows", TN_VAL_NONE));
    tn_dict_putz(d.dict, "format", given_or(entry, "format", tn_val_z("dict")));
    tn_dict_putz(d.dict, "fixture", given_or(entry, "fixture", TN_VAL_NONE));
    return d;
}

/* NULL-terminated keys, each with `dflt` where the entry has none; None for no entry. */
static tn_val members(tn_arena *a, tn_val entry, const char *const *keys, tn_val dflt)
{
    if (entry.tag != TN_DICT) {
        return TN_VAL_NONE;
    }
    tn_val d = tn_val_dict(a);
    for (; *keys != NULL; keys++) {
        tn_val v = tn_val_at(entry, *keys);
        tn_dict_putz(d.dict, *keys, tn_val_is_given(v) ? v : tn_val_dup(a, dflt));
    }
    return d;
}

/* As Python prints an object of a dataclass: Name(key=value, ...). */
static void class_repr(tn_buf *b, const char *name, tn_val d)
{
    size_t at = 0;
    const tn_dict_item *it;
    if (d.tag != TN_DICT) {
        tn_val_repr_to(b, d);
        return;
    }
    tn_buf_addf(b, "%s(", name);
    for (bool first = true; (it = tn_dict_next(d.dict, &at)) != NULL; first = false) {
        tn_str key = tn_val_as_str(it->key);
        tn_buf_addf(b, "%s" TN_STR_FMT "=", first ? "" : ", ", TN_STR_ARG(key));
        if (tn_str_is(key, "format")) {
            tn_str format = tn_val_as_str(it->value);
            tn_buf_addf(b, "<UnitTestFormat.%s: '" TN_STR_FMT "'>",
                tn_str_is(format, "csv")   ? "CSV"
                : tn_str_is(format, "sql") ? "SQL"
                                           : "Dict",
                TN_STR_ARG(format));
        } else {
            tn_val_repr_to(b, it->value);
        }
    }
    tn_buf_addc(b, ')');
}

static tn_str checksum(tn_arena *a, const tn_dict *d)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    const tn_val test = { .tag = TN_DICT, .dict = (tn_dict *)(uintptr_t)d };
    tn_val given = tn_val_at(test, "given");
    tn_buf_add(&b, tn_val_str_at(test, "model", TN_STR_NONE));
    tn_buf_addc(&b, '-');
    class_repr(&b, "UnitTestNodeVersions", tn_val_at(test, "versions"));
    tn_buf_addz(&b, "-[");
    for (size_t i = 0; i < given.list->n; i++) {
        tn_buf_addz(&b, i > 0 ? ", " : "");
        class_repr(&b, "UnitTestInputFixture", given.list->v[i]);
    }
    tn_buf_addz(&b, "]-");
    class_repr(&b, "UnitTestOutputFixture", tn_val_at(test, "expect"));
    tn_buf_addc(&b, '-');
    class_repr(&b, "UnitTestOverrides", tn_val_at(test, "overrides"));
    for (size_t i = 0; i < given.list->n; i++) {
        if (tn_val_truthy(tn_val_at(given.list->v[i], "fixture"))) {
            tn_buf_addc(&b, '-');
            tn_val_str_to(&b, tn_val_at(given.list->v[i], "rows"));
        }
    }
    return tn_sha256_hex(a, tn_buf_str(&b));
}

void tn_unit_form(tn_arena *a, tn_dict *d, const tn_node *n)
{
    static const char *const absent[] = { "meta", "tags", "unrendered_config", "refs", "sources",
        "metrics" };
    static const char *const overrides[] = { "macros", "vars", "env_vars", NULL };
    static const char *const versions[] = { "include", "exclude", NULL };
    for (size_t i = 0; i < TN_COUNTOF(absent); i++) {
        (void)tn_dict_remove(d, tn_val_z(absent[i]));
    }
    tn_val given = tn_val_list(a), old = tn_val_at(n->extra, "given");
    for (size_t i = 0; tn_val_is_seq(old) && i < old.list->n; i++) {
        tn_list_push(given.list, fixture_form(a, old.list->v[i], true));
    }
    tn_dict_putz(d, "given", given);
    tn_dict_putz(d, "expect", fixture_form(a, tn_val_at(n->extra, "expect"), false));
    tn_dict_putz(
        d, "overrides", members(a, tn_val_at(n->extra, "overrides"), overrides, tn_val_dict(a)));
    tn_dict_putz(d, "versions", members(a, tn_val_at(n->extra, "versions"), versions, TN_VAL_NONE));
    tn_dict_putz(d, "version", tn_val_is_undef(n->version) ? TN_VAL_NONE : n->version);
    bool tests = n->parents.n > 0 && n->enabled;
    tn_dict_putz(d, "schema", tests ? tn_val_str(n->parents.v[0]->schema) : TN_VAL_NONE);
    tn_dict_putz(d, "checksum", tn_val_str(checksum(a, d)));
}
