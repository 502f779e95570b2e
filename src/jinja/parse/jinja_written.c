/* jinja_written.c: expressions as text again, in the spelling that dbt keeps of config()'s arguments, and which templates its static parser reads.
 *
 * dbt 1.12 writes back the expressions that a config() usually has (names, calls, literals, comparisons, ~, not, and, or). Of all others it
 * keeps Jinja2's repr of the syntax tree. Both are compared with manifests that dbt wrote, so they are kept to the letter.
 */
#include "jinja/parse/jinja_tmpl.h"
#include "jinja/value/jinja_op.h"

typedef struct writer {
    tn_buf b;
} writer;

static void write_expr(writer *w, const tn_jx *x);
static void write_repr(writer *w, const tn_jx *x);

/* ---- Jinja2's repr of a tree ---- */

static void repr_list(writer *w, tn_jx *const *v, size_t n)
{
    tn_buf_addc(&w->b, '[');
    for (size_t i = 0; i < n; i++) {
        tn_buf_addz(&w->b, i > 0 ? ", " : "");
        write_repr(w, v[i]);
    }
    tn_buf_addc(&w->b, ']');
}

static void repr_str(writer *w, tn_str s)
{
    tn_val_repr_to(&w->b, tn_val_str(s));
}

static void repr_optional(writer *w, const char *field, const tn_jx *x)
{
    tn_buf_addz(&w->b, field);
    if (x != NULL) {
        write_repr(w, x);
    } else {
        tn_buf_addz(&w->b, "None");
    }
}

static void repr_args(writer *w, const tn_jargs *args)
{
    tn_buf_addz(&w->b, "args=");
    repr_list(w, args->v, args->n);
    tn_buf_addz(&w->b, ", kwargs=[");
    for (size_t i = 0; i < args->kwn; i++) {
        tn_buf_addz(&w->b, i > 0 ? ", Keyword(key=" : "Keyword(key=");
        repr_str(w, args->kw[i].name);
        repr_optional(w, ", value=", args->kw[i].value);
        tn_buf_addc(&w->b, ')');
    }
    tn_buf_addc(&w->b, ']');
    repr_optional(w, ", dyn_args=", args->star);
    repr_optional(w, ", dyn_kwargs=", args->star2);
}

static void repr_call(writer *w, const tn_jx *x)
{
    tn_buf_addz(&w->b, x->kind == TN_JX_CALL     ? "Call(node="
                       : x->kind == TN_JX_FILTER ? "Filter(node="
                                                 : "Test(node=");
    repr_optional(w, "", x->call.of);
    if (x->kind != TN_JX_CALL) {
        tn_buf_addz(&w->b, ", name=");
        repr_str(w, x->call.name);
    }
    tn_buf_addz(&w->b, ", ");
    repr_args(w, x->call.args);
}

static void repr_compare(writer *w, const tn_jx *x)
{
    static const char *const names[] = { "eq", "ne", "lt", "lteq", "gt", "gteq", "in", "notin" };
    repr_optional(w, "Compare(expr=", x->cmp.v[0]);
    tn_buf_addz(&w->b, ", ops=[");
    for (size_t i = 0; i < x->cmp.n; i++) {
        tn_buf_addf(&w->b, "%sOperand(op='%s'", i > 0 ? ", " : "", names[x->cmp.ops[i]]);
        repr_optional(w, ", expr=", x->cmp.v[i + 1]);
        tn_buf_addc(&w->b, ')');
    }
    tn_buf_addc(&w->b, ']');
}

static void repr_items(writer *w, const tn_jx *x)
{
    tn_jx *const *v = x->items.v;
    if (x->kind != TN_JX_DICT) {
        tn_buf_addz(&w->b, x->kind == TN_JX_LIST    ? "List(items="
                           : x->kind == TN_JX_TUPLE ? "Tuple(items="
                                                    : "Concat(nodes=");
        repr_list(w, v, x->items.n);
        tn_buf_addz(&w->b, x->kind == TN_JX_TUPLE ? ", ctx='load'" : "");
        return;
    }
    tn_buf_addz(&w->b, "Dict(items=[");
    for (size_t i = 0; i < x->items.n; i += 2) {
        repr_optional(w, i > 0 ? ", Pair(key=" : "Pair(key=", v[i]);
        repr_optional(w, ", value=", v[i + 1]);
        tn_buf_addc(&w->b, ')');
    }
    tn_buf_addc(&w->b, ']');
}

static void repr_slice(writer *w, const tn_jx *x)
{
    repr_optional(w, "Slice(start=", x->slice.start);
    repr_optional(w, ", stop=", x->slice.stop);
    repr_optional(w, ", step=", x->slice.step);
}

static void repr_pair(writer *w, const tn_jx *x)
{
    static const char *const arith[] = { "Add", "Sub", "Mul", "Div", "FloorDiv", "Mod", "Pow" };
    tn_buf_addf(&w->b, "%s(",
        x->kind == TN_JX_ARITH ? arith[x->op]
        : x->kind == TN_JX_AND ? "And"
                               : "Or");
    repr_optional(w, "left=", x->on.a);
    repr_optional(w, ", right=", x->on.b);
}

static void write_repr(writer *w, const tn_jx *x)
{
    switch ((tn_jx_kind)x->kind) {
    case TN_JX_CONST:
        tn_buf_addz(&w->b, "Const(value=");
        tn_val_repr_to(&w->b, x->value);
        break;
    case TN_JX_NAME:
        tn_buf_addz(&w->b, "Name(name=");
        repr_str(w, x->name.name);
        tn_buf_addz(&w->b, ", ctx='load'");
        break;
    case TN_JX_LIST:
    case TN_JX_TUPLE:
    case TN_JX_DICT:
    case TN_JX_CONCAT:
        repr_items(w, x);
        break;
    case TN_JX_NOT:
    case TN_JX_NEG:
    case TN_JX_POS:
        repr_optional(w,
            x->kind == TN_JX_NOT   ? "Not(node="
            : x->kind == TN_JX_NEG ? "Neg(node="
                                   : "Pos(node=",
            x->on.a);
        break;
    case TN_JX_AND:
    case TN_JX_OR:
    case TN_JX_ARITH:
        repr_pair(w, x);
        break;
    case TN_JX_COMPARE:
        repr_compare(w, x);
        break;
    case TN_JX_COND:
        repr_optional(w, "CondExpr(test=", x->on.b);
        repr_optional(w, ", expr1=", x->on.a);
        repr_optional(w, ", expr2=", x->on.c);
        break;
    case TN_JX_ATTR:
        repr_optional(w, "Getattr(node=", x->attr.of);
        tn_buf_addz(&w->b, ", attr=");
        repr_str(w, x->attr.name);
        tn_buf_addz(&w->b, ", ctx='load'");
        break;
    case TN_JX_ITEM:
        repr_optional(w, "Getitem(node=", x->on.a);
        repr_optional(w, ", arg=", x->on.b);
        tn_buf_addz(&w->b, ", ctx='load'");
        break;
    case TN_JX_SLICE:
        repr_optional(w, "Getitem(node=", x->slice.of);
        tn_buf_addz(&w->b, ", arg=");
        repr_slice(w, x);
        tn_buf_addz(&w->b, "), ctx='load'");
        break;
    case TN_JX_CALL:
    case TN_JX_FILTER:
    case TN_JX_TEST:
        repr_call(w, x);
        break;
    case TN_JX_CAPTURED:
        tn_buf_addz(&w->b, "None");
        return;
    }
    tn_buf_addc(&w->b, ')');
}

/* ---- dbt's text of an expression ---- */

static void write_list(writer *w, tn_jx *const *v, size_t n, const char *between)
{
    for (size_t i = 0; i < n; i++) {
        tn_buf_addz(&w->b, i > 0 ? between : "");
        write_expr(w, v[i]);
    }
}

static void write_call(writer *w, const tn_jx *x)
{
    const tn_jargs *args = x->call.args;
    const char *between = "";
    write_expr(w, x->call.of);
    tn_buf_addc(&w->b, '(');
    for (size_t i = 0; i < args->n; i++, between = ", ") {
        tn_buf_addz(&w->b, between);
        write_expr(w, args->v[i]);
    }
    for (size_t i = 0; i < args->kwn; i++, between = ", ") {
        tn_buf_addf(&w->b, "%s" TN_STR_FMT "=", between, TN_STR_ARG(args->kw[i].name));
        write_expr(w, args->kw[i].value);
    }
    if (args->star != NULL) {
        tn_buf_addf(&w->b, "%s*", between);
        write_expr(w, args->star);
        between = ", ";
    }
    if (args->star2 != NULL) {
        tn_buf_addf(&w->b, "%s**", between);
        write_expr(w, args->star2);
    }
    tn_buf_addc(&w->b, ')');
}

static void write_items(writer *w, const tn_jx *x)
{
    tn_jx *const *v = x->items.v;
    size_t n = x->items.n;
    switch (x->kind) {
    case TN_JX_CONCAT:
        write_list(w, v, n, " ~ ");
        return;
    case TN_JX_DICT:
        tn_buf_addc(&w->b, '{');
        for (size_t i = 0; i < n; i += 2) {
            tn_buf_addz(&w->b, i > 0 ? ", " : "");
            write_list(w, v + i, 2, ": ");
        }
        tn_buf_addc(&w->b, '}');
        return;
    default:
        tn_buf_addc(&w->b, x->kind == TN_JX_LIST ? '[' : '(');
        write_list(w, v, n, ", ");
        tn_buf_addz(&w->b, x->kind == TN_JX_LIST ? "]" : n == 1 ? ",)" : ")");
    }
}

static void write_compare(writer *w, const tn_jx *x)
{
    static const char *const signs[] = { "==", "!=", "<", "<=", ">", ">=", "in", "not in" };
    write_expr(w, x->cmp.v[0]);
    for (size_t i = 0; i < x->cmp.n; i++) {
        tn_buf_addf(&w->b, " %s ", signs[x->cmp.ops[i]]);
        write_expr(w, x->cmp.v[i + 1]);
    }
}

/* a[b], and a[b:c], whose inside is no expression that dbt writes back. */
static void write_item(writer *w, const tn_jx *x)
{
    bool slice = x->kind == TN_JX_SLICE;
    write_expr(w, slice ? x->slice.of : x->on.a);
    tn_buf_addc(&w->b, '[');
    if (slice) {
        repr_slice(w, x);
        tn_buf_addc(&w->b, ')');
    } else {
        write_expr(w, x->on.b);
    }
    tn_buf_addc(&w->b, ']');
}

static void write_expr(writer *w, const tn_jx *x)
{
    switch ((tn_jx_kind)x->kind) {
    case TN_JX_CONST:
        tn_val_repr_to(&w->b, x->value);
        break;
    case TN_JX_NAME:
        tn_buf_add(&w->b, x->name.name);
        break;
    case TN_JX_CALL:
        write_call(w, x);
        break;
    case TN_JX_LIST:
    case TN_JX_TUPLE:
    case TN_JX_DICT:
    case TN_JX_CONCAT:
        write_items(w, x);
        break;
    case TN_JX_ATTR:
        write_expr(w, x->attr.of);
        tn_buf_addf(&w->b, "." TN_STR_FMT, TN_STR_ARG(x->attr.name));
        break;
    case TN_JX_ITEM:
    case TN_JX_SLICE:
        write_item(w, x);
        break;
    case TN_JX_COMPARE:
        write_compare(w, x);
        break;
    case TN_JX_NOT:
    case TN_JX_NEG:
        tn_buf_addz(&w->b, x->kind == TN_JX_NOT ? "not " : "-");
        write_expr(w, x->on.a);
        break;
    case TN_JX_AND:
    case TN_JX_OR:
        write_expr(w, x->on.a);
        tn_buf_addz(&w->b, x->kind == TN_JX_AND ? " and " : " or ");
        write_expr(w, x->on.b);
        break;
    default:
        write_repr(w, x);
    }
}

tn_val tn_jinja_call_written(tn_arena *a, const tn_jinja_static_call *call)
{
    const tn_jargs *args = call->expr->call.args;
    tn_val out = tn_val_dict(a);
    for (size_t i = 0; i < args->kwn; i++) {
        const tn_jx *x = args->kw[i].value;
        if (x->kind == TN_JX_CONST && tn_val_is_str(x->value)) {
            tn_dict_puts(out.dict, args->kw[i].name, tn_val_dup(a, x->value));
            continue;
        }
        writer w = { .b = tn_buf_init(a, TN_BUF_NO_LIMIT) };
        write_expr(&w, x);
        tn_dict_puts(out.dict, tn_str_dup(a, args->kw[i].name), tn_val_str(tn_buf_str(&w.b)));
    }
    return out;
}

/* ---- what dbt's static parser reads ---- */

/* A text, True, False (so spelled), or a list or dict of such; whole: and the version of a ref. */
static bool plain_value(const tn_jinja_tmpl *t, const tn_jx *x, bool whole)
{
    bool upper = x->pos < t->text.n && (t->text.p[x->pos] == 'T' || t->text.p[x->pos] == 'F');
    switch ((tn_jx_kind)x->kind) {
    case TN_JX_CONST:
        return tn_val_is_str(x->value) || (x->value.tag == TN_BOOL && upper) ||
               (whole && x->value.tag == TN_INT);
    case TN_JX_LIST:
    case TN_JX_DICT:
        for (size_t i = 0; i < x->items.n; i++) {
            if (!plain_value(t, x->items.v[i], false)) {
                return false;
            }
        }
        return true;
    default:
        return false;
    }
}

static bool plain_call(const tn_jinja_tmpl *t, const tn_jx *x)
{
    if (x->kind == TN_JX_CONST) {
        return tn_val_is_str(x->value);
    }
    if (x->kind != TN_JX_CALL || x->call.of->kind != TN_JX_NAME) {
        return false;
    }
    tn_str name = x->call.of->name.name;
    const tn_jargs *args = x->call.args;
    bool config = tn_str_is(name, "config");
    if ((!config && !tn_str_is(name, "ref") && !tn_str_is(name, "source")) || args->star != NULL ||
        args->star2 != NULL || (config && (args->n > 0 || args->kwn == 0))) {
        return false;
    }
    for (size_t i = 0; i < args->n; i++) {
        if (args->v[i]->kind != TN_JX_CONST || !plain_value(t, args->v[i], false)) {
            return false;
        }
    }
    for (size_t i = 0; i < args->kwn; i++) {
        bool hook =
            tn_str_is(args->kw[i].name, "pre_hook") || tn_str_is(args->kw[i].name, "post_hook");
        if (hook || !plain_value(t, args->kw[i].value, !config)) {
            return false;
        }
    }
    return true;
}

bool tn_jinja_is_plain(const tn_jinja_tmpl *t)
{
    static const char *const marks[] = { "{%", "{{-", "-}}" };
    for (size_t i = 0; i < TN_COUNTOF(marks); i++) {
        if (tn_str_find(t->text, tn_str_of(marks[i]), 0) != SIZE_MAX) {
            return false;
        }
    }
    for (const tn_js *s = t->body; s != NULL; s = s->next) {
        if (s->kind != TN_JS_TEXT && (s->kind != TN_JS_OUTPUT || !plain_call(t, s->expr))) {
            return false;
        }
    }
    return true;
}
