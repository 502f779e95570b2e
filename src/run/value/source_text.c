/* source_text.c: what a source says of itself, in its config and its meta, and texts that are filled in with it. */
#include "run/value/source_text.h"

/* A source's meta with its config's keys over it. */
tn_val tn_source_value(const tn_node *n, const char *key)
{
    tn_val v = tn_node_config(n, key);
    if (tn_val_is_given(v)) {
        return v;
    }
    v = tn_val_at(tn_node_config(n, "meta"), key);
    if (tn_val_is_given(v)) {
        return v;
    }
    v = tn_val_at(n->meta, key);
    if (!tn_val_is_given(v) && n->source != NULL) {
        v = tn_val_at(n->source->source_meta, key);
    }
    return v;
}

static bool template_value(tn_arena *a, const tn_node *n, tn_str key, tn_str *ret)
{
    if (tn_str_is(key, "name")) {
        *ret = n->name;
    } else if (tn_str_is(key, "identifier")) {
        *ret = n->alias;
    } else if (tn_str_is(key, "schema")) {
        *ret = n->schema;
    } else if (tn_str_is(key, "database")) {
        *ret = n->database;
    } else {
        tn_val v = tn_source_value(n, tn_str_z(a, key));
        if (tn_val_is_undef(v)) {
            return false;
        }
        *ret = tn_val_to_str(a, v);
    }
    return true;
}

/* Python's "...{name}...".format_map(...), with {{ and }} for braces; or %(name)s, or ${name}, by the source's `formatter`. */
tn_rc tn_source_fill(
    tn_arena *a, const tn_node *n, tn_str text, tn_str formatter, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, 1 << 20);
    bool percent = tn_str_is(formatter, "oldstyle"), dollar = tn_str_is(formatter, "template");
    tn_str open = percent ? TN_STR("%(") : dollar ? TN_STR("${") : TN_STR("{");
    for (size_t i = 0; i < text.n;) {
        char c = text.p[i];
        if (!percent && !dollar && (c == '{' || c == '}') && i + 1 < text.n && text.p[i + 1] == c) {
            tn_buf_addc(&b, c);
            i += 2;
            continue;
        }
        if (!tn_str_starts(tn_str_sub(text, i, text.n), open)) {
            tn_buf_addc(&b, c);
            i++;
            continue;
        }
        size_t end = tn_str_find_char(text, percent ? ')' : '}', i);
        tn_str key = tn_str_sub(text, i + open.n, end == SIZE_MAX ? text.n : end), value;
        if (end == SIZE_MAX || !template_value(a, n, key, &value)) {
            return tn_fail(err, TN_E_COMPILE,
                "external_location of source '" TN_STR_FMT "' names '" TN_STR_FMT
                "', which it does not have",
                TN_STR_ARG(n->name), TN_STR_ARG(key));
        }
        tn_buf_add(&b, value);
        i = end + 1 + (percent ? 1 : 0);
    }
    return tn_buf_finish(&b, "an external location", ret, err);
}
