// layers: base text jinja
/* jinja_driver.c: renders templates for the Jinja oracle (jinja_oracle.py). Standard input: one JSON object a line,
 * {"template": .., "context": {..}, "mode": "text" | "native" | "quoted" | "expr" | "blocks",
 * "dbt": bool}; standard output: one a line,
 * {"out": ..} (native: the repr), or {"error": .., "rc": ..}. */
#include <stdio.h>

#include "jinja/jinja.h"
#include "text/json.h"

typedef struct job {
    tn_jinja_env *env[2];
} job;

static bool lookup(void *self, tn_jinja_ctx *ctx, tn_str name, tn_val *ret)
{
    (void)ctx;
    tn_val *v = tn_dict_finds(((tn_val *)self)->dict, name);
    if (v != NULL) {
        *ret = *v;
    }
    return v != NULL;
}

/* What dbt gives to templates, for the snippets that need it: return(x). */
static tn_rc fn_return(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)ret, (void)err;
    return tn_jinja_return(call->interp, tn_call_arg(call, 0, "data"));
}

static tn_rc render(const job *j, tn_arena *a, tn_val line, tn_str *ret, tn_err *err)
{
    tn_val context = tn_val_at(line, "context");
    if (context.tag != TN_DICT) {
        context = tn_val_dict(a);
    }
    tn_dict_putz(context.dict, "return", tn_val_fn(a, "return", fn_return, NULL));
    static const char *const modules[] = { "datetime", "pytz", "re", "itertools" };
    tn_dict *m = tn_val_dict(a).dict;
    tn_val (*const make[])(tn_arena *) = { tn_jinja_module_datetime, tn_jinja_module_pytz,
        tn_jinja_module_re, tn_jinja_module_itertools };
    for (size_t i = 0; i < TN_COUNTOF(modules); i++) {
        tn_dict_putz(m, modules[i], make[i](a));
    }
    tn_dict_putz(context.dict, "modules", tn_val_module(a, "modules", m));
    tn_str mode = tn_val_str_at(line, "mode", TN_STR("text")),
           text = tn_val_str_at(line, "template", TN_STR(""));
    tn_jinja_src src = { .file = "snippet" };
    tn_jinja_tmpl *t = NULL;
    tn_jinja_ctx ctx =
        tn_jinja_ctx_init(j->env[tn_val_bool_at(line, "dbt", false)], a, lookup, &context);
    tn_val v = TN_VAL_NONE;
    if (tn_str_is(mode, "expr")) {
        TN_TRY(tn_jinja_parse_expr(ctx.env, a, text, src, &t, err));
        TN_TRY(tn_jinja_eval(t, &ctx, &v, err));
    } else {
        TN_TRY(tn_jinja_parse(ctx.env, a, text, src, &t, err));
        if (tn_str_is(mode, "text")) {
            return tn_jinja_render(t, &ctx, ret, err);
        }
        TN_TRY(tn_str_is(mode, "native") ? tn_jinja_render_native(t, &ctx, &v, err)
                                         : tn_jinja_render_quoted(t, &ctx, &v, err));
    }
    *ret = tn_val_to_repr(a, v);
    return TN_OK;
}

/* The blocks of a file: [[name, whole text, contents, [macro and its arguments]], ...] as JSON. */
static tn_rc extract(const job *j, tn_arena *a, tn_str text, tn_str *ret, tn_err *err)
{
    tn_jinja_blocks blocks = { 0 };
    unsigned kinds = 1u << TN_BLOCK_MACRO | 1u << TN_BLOCK_TEST | 1u << TN_BLOCK_MATERIALIZATION;
    TN_TRY(
        tn_jinja_extract_kinds(a, text, (tn_jinja_src){ .file = "snippet" }, kinds, &blocks, err));
    tn_val all = tn_val_list(a);
    for (size_t i = 0; i < blocks.n; i++) {
        const tn_jinja_block *b = &blocks.v[i];
        tn_val one = tn_val_list(a), sig = tn_val_list(a);
        tn_jinja_tmpl *t = NULL;
        TN_TRY(tn_jinja_parse(
            j->env[1], a, b->full, (tn_jinja_src){ .file = "snippet", .line = b->line }, &t, err));
        for (size_t k = 0; k < tn_jinja_macro_count(t); k++) {
            const tn_jinja_macro_def *m = tn_jinja_macro_at(t, k);
            tn_list_push(sig.list, tn_val_str(tn_jinja_macro_name(m)));
            for (size_t n = 0; n < tn_jinja_macro_argc(m); n++) {
                tn_list_push(sig.list, tn_val_str(tn_jinja_macro_arg(m, n, NULL)));
            }
        }
        tn_list_push(one.list, tn_val_str(b->name));
        tn_list_push(one.list, tn_val_str(b->full));
        tn_list_push(one.list, tn_val_str(b->contents));
        tn_list_push(one.list, sig);
        tn_list_push(all.list, one);
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_json_print(&b, all, &(tn_json_style){ .indent = 0 });
    *ret = tn_buf_str(&b);
    return TN_OK;
}

static tn_rc one(void *self, tn_val line, tn_str raw, tn_err *ignored)
{
    (void)raw, (void)ignored;
    TN_AUTO_ARENA a = tn_arena_new("job", NULL);
    static tn_err err;
    tn_str out = TN_STR_NONE;
    tn_err_clear(&err);
    bool blocks = tn_str_is(tn_val_str_at(line, "mode", TN_STR("")), "blocks");
    tn_rc rc = blocks ? extract(self, a, tn_val_str_at(line, "template", TN_STR("")), &out, &err)
                      : render(self, a, line, &out, &err);
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, rc == TN_OK ? "out" : "error");
    tn_jw_str(&w, rc == TN_OK ? out : tn_str_of(err.msg));
    if (rc != TN_OK) {
        tn_jw_key(&w, "rc");
        tn_jw_str(&w, tn_str_of(tn_rc_name(rc)));
    }
    tn_jw_obj_end(&w);
    printf(TN_STR_FMT "\n", TN_STR_ARG(tn_buf_str(&b)));
    fflush(stdout);
    return TN_OK;
}

int main(void)
{
    TN_AUTO_ARENA a = tn_arena_new("driver", NULL);
    tn_buf in = tn_buf_init(a, (size_t)64 << 20);
    for (char part[65536];;) {
        size_t n = fread(part, 1, sizeof part, stdin);
        if (n == 0) {
            break;
        }
        tn_buf_add_n(&in, part, n);
    }
    job j = { .env = { tn_jinja_env_new(a, NULL),
                  tn_jinja_env_new(a, &(tn_jinja_env_opts){ .dbt_tags = true }) } };
    tn_err err = TN_ERR_INIT;
    if (tn_json_parse_lines(a, tn_buf_str(&in), one, &j, &err) != TN_OK) {
        fprintf(stderr, "jinja_driver: %s\n", err.msg);
        return 2;
    }
    return 0;
}
