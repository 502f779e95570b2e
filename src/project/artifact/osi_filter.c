/* osi_filter.c: filters of metrics as SQL: a template in which Dimension(), TimeDimension(), Entity() and Metric() stand for names of columns,
 * "order__status", "order__ordered_at__day".
 */
#include "project/artifact/osi.h"

struct tn_osi_filters {
    tn_arena *arena;
    tn_jinja_env *env;
};

typedef struct column {
    tn_obj base;
    tn_str name;   /* "order__ordered_at" */
    tn_str suffix; /* "day", or "" */
} column;

static const tn_obj_type column_type;

static tn_rc set_suffix(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    TN_TRY(tn_call_check(call, "grain", 1, 1, NULL, err));
    column *c = tn_new(call->arena, column);
    *c = *(const column *)self;
    if (call->argc > 0 && tn_val_is_str(call->args[0])) {
        c->suffix = tn_str_lower(call->arena, tn_val_as_str(call->args[0]));
    }
    *ret = tn_val_obj(&c->base);
    return TN_OK;
}

static tn_rc keep(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    TN_TRY(tn_call_check(call, "descending", 1, 1, NULL, err));
    *ret = tn_val_obj(&((column *)self)->base);
    return TN_OK;
}

static tn_rc column_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    bool suffix = tn_str_is(name, "grain") || tn_str_is(name, "date_part");
    *ret = suffix                          ? tn_val_fn(a, "grain", set_suffix, self)
           : tn_str_is(name, "descending") ? tn_val_fn(a, "descending", keep, self)
                                           : tn_val_undef(name);
    return TN_OK;
}

static void column_str(tn_obj *self, tn_buf *b)
{
    const column *c = (const column *)self;
    tn_buf_addf(b, TN_STR_FMT "%s" TN_STR_FMT, TN_STR_ARG(c->name), c->suffix.n > 0 ? "__" : "",
        TN_STR_ARG(c->suffix));
}

static const tn_obj_type column_type = {
    .name = "Dimension", .attr = column_attr, .str = column_str
};

/* self: NULL, or how the argument is called that says the granularity. */
static tn_rc make_column(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    static const char *const names[] = { "name", "entity_path", NULL }, *const time_names[] = {
        "name", "time_granularity_name", "entity_path", "date_part_name", "descending", NULL
    };
    const char *grain_name = self;
    TN_TRY(tn_call_check(call, "Dimension", 1, grain_name != NULL ? 5 : 2,
        grain_name != NULL ? time_names : names, err));
    size_t path_at = grain_name != NULL ? 2 : 1;
    tn_val path = tn_call_arg(call, path_at, "entity_path");
    tn_val grain = grain_name != NULL ? tn_call_arg(call, 1, grain_name) : TN_VAL_UNDEF;
    tn_buf b = tn_buf_init(call->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; tn_val_is_seq(path) && i < path.list->n; i++) {
        tn_val_str_to(&b, path.list->v[i]);
        tn_buf_addz(&b, "__");
    }
    tn_val_str_to(&b, tn_call_arg(call, 0, "name"));
    column *c = tn_new(call->arena, column);
    *c = (column){ { &column_type }, tn_buf_str(&b),
        tn_val_is_str(grain) ? tn_str_lower(call->arena, tn_val_as_str(grain)) : TN_STR("") };
    *ret = tn_val_obj(&c->base);
    return TN_OK;
}

/* Its groups are not part of a metric's name. */
static tn_rc make_metric(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "name", "group_by", NULL };
    TN_TRY(tn_call_check(call, "Metric", 1, 2, names, err));
    column *c = tn_new(call->arena, column);
    tn_buf b = tn_buf_init(call->arena, TN_BUF_NO_LIMIT);
    tn_val_str_to(&b, tn_call_arg(call, 0, "name"));
    *c = (column){ { &column_type }, tn_buf_str(&b), TN_STR("") };
    *ret = tn_val_obj(&c->base);
    return TN_OK;
}

tn_osi_filters *tn_osi_filters_new(tn_arena *a)
{
    static char time_grain[] = "time_granularity_name";
    tn_osi_filters *f = tn_new(a, tn_osi_filters);
    tn_jinja_env_opts opts = { 0 };
    f->arena = a;
    f->env = tn_jinja_env_new(a, &opts);
    tn_jinja_env_global(f->env, "Dimension", tn_val_fn(a, "Dimension", make_column, NULL));
    tn_jinja_env_global(f->env, "Entity", tn_val_fn(a, "Entity", make_column, NULL));
    tn_jinja_env_global(
        f->env, "TimeDimension", tn_val_fn(a, "TimeDimension", make_column, time_grain));
    tn_jinja_env_global(f->env, "Metric", tn_val_fn(a, "Metric", make_metric, NULL));
    return f;
}

tn_str tn_osi_filter_both(tn_arena *a, tn_str x, tn_str y)
{
    return x.n == 0   ? y
           : y.n == 0 ? x
                      : tn_str_printf(a, "(" TN_STR_FMT ") AND (" TN_STR_FMT ")", TN_STR_ARG(x),
                            TN_STR_ARG(y));
}

tn_rc tn_osi_filter_sql(tn_osi_filters *f, tn_val filter, tn_str *ret, tn_err *err)
{
    tn_val list = tn_val_at(filter, "where_filters");
    tn_strs parts = { 0 };
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_jinja_tmpl *t = NULL;
        tn_str text = tn_val_str_at(list.list->v[i], "where_sql_template", TN_STR("")), sql;
        TN_TRY(tn_jinja_parse(f->env, f->arena, text, (tn_jinja_src){ "filter", 1 }, &t, err));
        tn_jinja_ctx ctx = tn_jinja_ctx_init(f->env, f->arena, NULL, NULL);
        TN_TRY(tn_jinja_render(t, &ctx, &sql, err));
        sql = tn_str_trim(sql);
        if (sql.n > 0) {
            tn_vec_push(&parts, f->arena, sql);
        }
    }
    tn_buf b = tn_buf_init(f->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < parts.n; i++) {
        tn_buf_addf(&b, parts.n == 1 ? "%s" TN_STR_FMT "%s" : "%s(" TN_STR_FMT ")%s",
            i > 0 ? " AND " : "", TN_STR_ARG(parts.v[i]), "");
    }
    *ret = tn_buf_str(&b);
    return TN_OK;
}
