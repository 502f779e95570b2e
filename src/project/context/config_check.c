/* config_check.c: values of configs that cannot be, refused when the project is loaded, in dbt's words and classes. */
#include "project/context/context_priv.h"

/* CSS's names of colors: what docs.node_color may be besides #rgb and #rrggbb. */
static const char *const colors[] = {
    "aliceblue",
    "antiquewhite",
    "aqua",
    "aquamarine",
    "azure",
    "beige",
    "bisque",
    "black",
    "blanchedalmond",
    "blue",
    "blueviolet",
    "brown",
    "burlywood",
    "cadetblue",
    "chartreuse",
    "chocolate",
    "coral",
    "cornflowerblue",
    "cornsilk",
    "crimson",
    "cyan",
    "darkblue",
    "darkcyan",
    "darkgoldenrod",
    "darkgray",
    "darkgreen",
    "darkkhaki",
    "darkmagenta",
    "darkolivegreen",
    "darkorange",
    "darkorchid",
    "darkred",
    "darksalmon",
    "darkseagreen",
    "darkslateblue",
    "darkslategray",
    "darkturquoise",
    "darkviolet",
    "deeppink",
    "deepskyblue",
    "dimgray",
    "dodgerblue",
    "firebrick",
    "floralwhite",
    "forestgreen",
    "fuchsia",
    "gainsboro",
    "ghostwhite",
    "gold",
    "goldenrod",
    "gray",
    "green",
    "greenyellow",
    "honeydew",
    "hotpink",
    "indianred",
    "indigo",
    "ivory",
    "khaki",
    "lavender",
    "lavenderblush",
    "lawngreen",
    "lemonchiffon",
    "lightblue",
    "lightcoral",
    "lightcyan",
    "lightgoldenrodyellow",
    "lightgray",
    "lightgreen",
    "lightpink",
    "lightsalmon",
    "lightsalmon",
    "lightseagreen",
    "lightskyblue",
    "lightslategray",
    "lightsteelblue",
    "lightyellow",
    "lime",
    "limegreen",
    "linen",
    "magenta",
    "maroon",
    "mediumaquamarine",
    "mediumblue",
    "mediumorchid",
    "mediumpurple",
    "mediumseagreen",
    "mediumslateblue",
    "mediumslateblue",
    "mediumspringgreen",
    "mediumturquoise",
    "mediumvioletred",
    "midnightblue",
    "mintcream",
    "mistyrose",
    "moccasin",
    "navajowhite",
    "navy",
    "oldlace",
    "olive",
    "olivedrab",
    "orange",
    "orangered",
    "orchid",
    "palegoldenrod",
    "palegreen",
    "paleturquoise",
    "palevioletred",
    "papayawhip",
    "peachpuff",
    "peru",
    "pink",
    "plum",
    "powderblue",
    "purple",
    "rebeccapurple",
    "red",
    "rosybrown",
    "royalblue",
    "saddlebrown",
    "salmon",
    "sandybrown",
    "seagreen",
    "seashell",
    "sienna",
    "silver",
    "skyblue",
    "slateblue",
    "slategray",
    "snow",
    "springgreen",
    "steelblue",
    "tan",
    "teal",
    "thistle",
    "tomato",
    "turquoise",
    "violet",
    "wheat",
    "white",
    "whitesmoke",
    "yellow",
    "yellowgreen",
};

static bool is_color(tn_str s)
{
    TN_AUTO_ARENA scratch = tn_arena_new("color", NULL);
    tn_str low = tn_str_lower(scratch, s);
    bool hex = (low.n == 4 || low.n == 7) && low.p[0] == '#';
    for (size_t i = 1; hex && i < low.n; i++) {
        hex = (low.p[i] >= '0' && low.p[i] <= '9') || (low.p[i] >= 'a' && low.p[i] <= 'f');
    }
    for (size_t i = 0; !hex && i < TN_COUNTOF(colors); i++) {
        hex = tn_str_is(low, colors[i]);
    }
    return hex;
}

static tn_rc check_color(const tn_node *n, tn_err *err)
{
    tn_val color = tn_val_at(tn_node_config(n, "docs"), "node_color");
    if (!tn_val_truthy(color) || (tn_val_is_str(color) && is_color(tn_val_as_str(color)))) {
        return TN_OK;
    }
    TN_AUTO_ARENA scratch = tn_arena_new("color", NULL);
    return tn_fail(err, TN_E_INVALID,
        "Invalid color name for docs.node_color: " TN_STR_FMT
        ". It is neither a valid HTML color name nor a valid HEX code.",
        TN_STR_ARG(tn_val_to_str(scratch, color)));
}

/* Seeds, snapshots and tests are materialized in one way. */
static tn_rc check_materialized(const tn_node *n, tn_err *err)
{
    tn_val v = tn_node_config(n, "materialized");
    bool one_way =
        n->kind == TN_NODE_SEED || n->kind == TN_NODE_SNAPSHOT || n->kind == TN_NODE_TEST;
    const char *name = tn_node_kind_name(n->kind);
    if (!one_way || !tn_val_truthy(v) || (tn_val_is_str(v) && tn_str_is(tn_val_as_str(v), name))) {
        return TN_OK;
    }
    bool bare = n->kind == TN_NODE_SNAPSHOT;
    return tn_fail(err, bare ? TN_E_INVALID : TN_E_PARSE,
        "%sA %s must have a materialized value of '%s'", bare ? "" : "at path []: ", name, name);
}

static tn_rc check_model(const tn_node *n, tn_err *err)
{
    tn_str change = tn_node_config_str(n, "on_schema_change", TN_STR("ignore"));
    tn_val after = tn_val_at(tn_node_config(n, "freshness"), "build_after");
    bool period = tn_val_truthy(tn_val_at(after, "period")),
         count = tn_val_at(after, "count").tag == TN_INT;
    if (tn_val_bool_at(tn_node_config(n, "contract"), "enforced", false) &&
        tn_str_is(tn_node_config_str(n, "materialized", TN_STR_NONE), "incremental") &&
        !tn_str_is(change, "append_new_columns") && !tn_str_is(change, "fail")) {
        return tn_fail(err, TN_E_INVALID,
            "Invalid value for on_schema_change: " TN_STR_FMT
            ". Models materialized as incremental with contracts enabled must set "
            "on_schema_change to 'append_new_columns' or 'fail'",
            TN_STR_ARG(change));
    }
    if (period != count) {
        return tn_fail(err, TN_E_INVALID,
            "`freshness.build_after` must have a value for `%s` if a `%s` is provided",
            period ? "count" : "period", period ? "period" : "count");
    }
    return TN_OK;
}

static tn_rc check_severity(const tn_node *n, tn_err *err)
{
    tn_str severity = tn_node_config_str(n, "severity", TN_STR("error"));
    return n->kind != TN_NODE_TEST || severity.n == 0 ||
                   tn_str_eq_nocase(severity, TN_STR("error")) ||
                   tn_str_eq_nocase(severity, TN_STR("warn"))
               ? TN_OK
               : tn_fail(err, TN_E_PARSE,
                     "at path []: Severity must be either 'warn' or 'error'. Got '" TN_STR_FMT "'",
                     TN_STR_ARG(severity));
}

tn_rc tn_config_check(const tn_node *n, tn_err *err)
{
    TN_TRY(check_color(n, err));
    if (n->kind == TN_NODE_MODEL) {
        TN_TRY(check_model(n, err));
    }
    TN_TRY(check_severity(n, err));
    TN_TRY(tn_config_form_check(n, err));
    return check_materialized(n, err);
}
