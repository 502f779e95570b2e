/* jinja.h: a Jinja2 3.1 interpreter (autoescape off, sandboxed, `do` and loop controls on) that knows nothing of dbt.
 *
 * tn_jinja_env: delimiters, filters, tests, globals, extra block tags and limits; made once, then read by many threads.
 * tn_jinja_tmpl: a parsed template; immutable, shareable between threads, lives in the arena it was parsed in.
 * tn_jinja_ctx: one rendering context; one thread. Names are looked up: template scopes, then ctx->lookup, then env globals,
 * else undefined. Values made while rendering live in ctx->arena.
 *
 * Block macros. With the env's dbt tags on, the parser knows, besides `macro`: {% test name(args) %} (macro `test_name`; also
 * data_test), {% materialization name, default | adapter='x' [, supported_languages=[..]] %} (macro
 * `materialization_name_default|x`), {% snapshot name %} and {% docs name %} (whole bodies), each ended by its end tag.
 *
 * return(x): tn_jinja_return sets the value and yields TN_E_RETURN, which unwinds to the innermost *macro* call whose value it
 * becomes (not to a caller() block). Errors carry file, line, column, the macro stack, the source line and a caret:
 *     'x' is undefined
 *       at macros/a.sql:3:15
 *         select {{ x.y }}
 *                    ^
 *     > in macro a (macros/a.sql)
 *     > called by macro b (macros/b.sql)
 * Codes: TN_E_SYNTAX for what cannot be parsed (unknown filters too), TN_E_NAME for undefined values, TN_E_TYPE and TN_E_VALUE for
 * Python's TypeError and ValueError, TN_E_LIMIT; what C functions return comes through as it is. Messages are Jinja2's.
 *
 * Lifetimes. A ctx lives as long as its arena and stays where it is: macros bound to it keep its address. Rendered texts and values
 * live in ctx->arena. Rendering inside of a render (by a function that a template calls) is fine, with the same ctx too.
 */
#ifndef TN_JINJA_JINJA_H
#define TN_JINJA_JINJA_H

#include "base/map.h"
#include "base/val.h"
#include "base/vec.h"

typedef struct tn_jinja_env tn_jinja_env;
typedef struct tn_jinja_tmpl tn_jinja_tmpl;
typedef struct tn_jinja_ctx tn_jinja_ctx;

typedef struct tn_jinja_limits {
    size_t output_bytes_max; /* of one render; default 64 MiB */
    int depth_max;           /* nested macro calls and recursive loops; default 400 */
    int64_t steps_max;       /* loop turns and calls of one render; default 200 million */
} tn_jinja_limits;

typedef struct tn_jinja_env_opts {
    bool dbt_tags;
    bool keep_trailing_newline;
    bool
        undefined_chain; /* attributes of undefined are undefined (dbt's parse-time Undefined), else an error */
    tn_jinja_limits limits; /* zero fields: defaults */
} tn_jinja_env_opts;

tn_jinja_env *tn_jinja_env_new(tn_arena *a, const tn_jinja_env_opts *opts);
/* A filter or test is a callable: first argument is the value, then the template's arguments. call->interp is the tn_jinja_ctx. */
void tn_jinja_env_filter(tn_jinja_env *e, const char *name, tn_call_fn fn, void *self);
void tn_jinja_env_test(tn_jinja_env *e, const char *name, tn_call_fn fn, void *self);
void tn_jinja_env_global(tn_jinja_env *e, const char *name, tn_val v);

/* ---- parsing ---- */
typedef struct tn_jinja_src {
    const char *file; /* for messages and tracebacks; lives as long as the template */
    int line;         /* line of the file on which the text starts; 0 means 1 */
} tn_jinja_src;

tn_rc tn_jinja_parse(tn_jinja_env *e, tn_arena *a, tn_str text, tn_jinja_src src,
    tn_jinja_tmpl **ret, tn_err *err) TN_MUSTUSE;
/* A single expression without braces ("a.b | int + 1"). */
tn_rc tn_jinja_parse_expr(tn_jinja_env *e, tn_arena *a, tn_str text, tn_jinja_src src,
    tn_jinja_tmpl **ret, tn_err *err) TN_MUSTUSE;

/* Top-level blocks of a file, found by a fast scan that respects comments, raw blocks and strings, without parsing expressions: what dbt's
 * block extractor finds. Text outside of blocks is not an error. */
typedef enum tn_jinja_block_kind {
    TN_BLOCK_MACRO,
    TN_BLOCK_TEST,
    TN_BLOCK_MATERIALIZATION,
    TN_BLOCK_SNAPSHOT,
    TN_BLOCK_DOCS,
    TN_BLOCK_DATA,
    TN_BLOCK_STRAY, /* a tag outside of blocks that opens none: name is "endmacro", "set", "if" */
} tn_jinja_block_kind;
typedef struct tn_jinja_block {
    tn_jinja_block_kind kind;
    tn_str
        name; /* "generate_schema_name"; "test_unique"; "materialization_table_default"; snapshot and docs: the bare name */
    tn_str full;     /* from the opening tag to the end of the closing tag */
    tn_str contents; /* between the tags */
    tn_str args;     /* text of the opening tag after the name: "(a, b=1)" */
    int line;        /* of the opening tag, 1-based in the file */
} tn_jinja_block;
typedef tn_vec(tn_jinja_block) tn_jinja_blocks;
tn_rc tn_jinja_extract_blocks(
    tn_arena *a, tn_str text, tn_jinja_src src, tn_jinja_blocks *ret, tn_err *err) TN_MUSTUSE;
/* The same for some kinds only, as dbt does it per kind of file: tags of other kinds are then nothing special. kinds: 1u << kind, ored;
 * with TN_BLOCK_DATA the text between the blocks comes too, with TN_BLOCK_STRAY tags that are lost there. tn_jinja_extract_blocks asks for all
 * kinds but these two. */
tn_rc tn_jinja_extract_kinds(tn_arena *a, tn_str text, tn_jinja_src src, unsigned kinds,
    tn_jinja_blocks *ret, tn_err *err) TN_MUSTUSE;

/* ---- macros ---- */
typedef struct tn_jinja_macro_def tn_jinja_macro_def; /* immutable, part of its template */
size_t tn_jinja_macro_count(const tn_jinja_tmpl *t);  /* top-level macros of the template */
const tn_jinja_macro_def *tn_jinja_macro_at(const tn_jinja_tmpl *t, size_t i);
tn_str tn_jinja_macro_name(
    const tn_jinja_macro_def *m); /* "test_unique", "materialization_view_default", ... */
size_t tn_jinja_macro_argc(const tn_jinja_macro_def *m);
/* The texts in the list that is a parameter's default; an empty list when it is none. */
tn_val tn_jinja_macro_list(const tn_jinja_macro_def *m, tn_arena *a, tn_str param);
tn_str tn_jinja_macro_arg(const tn_jinja_macro_def *m, size_t i, bool *ret_has_default);
/* A callable that runs the macro with its global names resolved through ctx. `scope`, if not NULL, is asked before ctx->lookup (a package's own
 * macros). The value is a text, or what return() gave. */
typedef bool (*tn_jinja_lookup)(void *self, tn_jinja_ctx *ctx, tn_str name, tn_val *ret);
tn_val tn_jinja_macro_bind(tn_arena *a, const tn_jinja_macro_def *m, tn_jinja_ctx *ctx,
    tn_jinja_lookup scope, void *scope_self);

/* ---- rendering ---- */
struct tn_jinja_ctx {
    tn_jinja_env *env;
    tn_arena *arena;
    tn_jinja_lookup lookup; /* may be NULL */
    void *self; /* for lookup; also for functions that get the ctx through call->interp */
    struct tn_jinja_state *state; /* the interpreter's; NULL in a new ctx */
};
tn_jinja_ctx tn_jinja_ctx_init(tn_jinja_env *e, tn_arena *a, tn_jinja_lookup lookup, void *self);

tn_rc tn_jinja_render(
    const tn_jinja_tmpl *t, tn_jinja_ctx *ctx, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* Jinja2's NativeEnvironment: one node keeps its value; otherwise the text goes through Python's literal_eval when that works. */
tn_rc tn_jinja_render_native(
    const tn_jinja_tmpl *t, tn_jinja_ctx *ctx, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* dbt's native rendering of YAML values: one node keeps its value, also a text that looks like a number; several make a text. The filters
 * as_native, as_bool, as_number and as_text (there with dbt_tags) say that a text is to be evaluated, or not. */
tn_rc tn_jinja_render_quoted(
    const tn_jinja_tmpl *t, tn_jinja_ctx *ctx, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_eval(
    const tn_jinja_tmpl *expr, tn_jinja_ctx *ctx, tn_val *ret, tn_err *err) TN_MUSTUSE;
/* ast.literal_eval of Python; false when the text is no literal. */
bool tn_jinja_literal_eval(tn_arena *a, tn_str text, tn_val *ret);

/* For C functions that templates call. */
tn_rc tn_jinja_return(
    tn_jinja_ctx *ctx, tn_val v); /* yields TN_E_RETURN: `return tn_jinja_return(ctx, v);` */
tn_rc tn_jinja_call(tn_jinja_ctx *ctx, tn_val fn, const tn_val *args, size_t argc,
    const tn_kwarg *kw, size_t kwc, tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_call_filter(tn_jinja_ctx *ctx, tn_str filter, const tn_val *args, size_t argc,
    tn_val *ret, tn_err *err) TN_MUSTUSE;
tn_rc tn_jinja_get_attr(tn_jinja_ctx *ctx, tn_val v, tn_str name, tn_val *ret,
    tn_err *err) TN_MUSTUSE; /* Jinja's x.name */
tn_rc tn_jinja_get_item(tn_jinja_ctx *ctx, tn_val v, tn_val key, tn_val *ret,
    tn_err *err) TN_MUSTUSE; /* Jinja's x[key] */
tn_rc tn_jinja_iterate(tn_jinja_ctx *ctx, tn_val v, tn_val *ret_list, tn_err *err) TN_MUSTUSE;
/* The name of the macro now running, "" outside; depth 0 is the innermost. */
tn_str tn_jinja_macro_running(tn_jinja_ctx *ctx, size_t depth);
int tn_jinja_line_running(tn_jinja_ctx *ctx);

/* ---- static look (no rendering): the calls in a template whose callee is a bare name, with literal arguments ---- */
typedef struct tn_jinja_static_call {
    tn_str name;
    bool literal;  /* all arguments are literals and the call is not inside a condition or loop */
    tn_val args;   /* list, when literal */
    tn_val kwargs; /* dict, when literal */
    int line;
    const struct tn_jx *expr; /* private, for tn_jinja_call_written */
} tn_jinja_static_call;
typedef tn_vec(tn_jinja_static_call) tn_jinja_static_calls;
/* Every name that the template reads from outside and every bare-name call. */
tn_rc tn_jinja_scan(tn_arena *a, const tn_jinja_tmpl *t, tn_jinja_static_calls *ret_calls,
    tn_strs *ret_free_names, tn_err *err) TN_MUSTUSE;
/* The keyword arguments of a call as text again, in dbt's spelling ("env_var('X')"; a text stands for itself); the template must be alive. */
tn_val tn_jinja_call_written(tn_arena *a, const tn_jinja_static_call *call);
/* Whether dbt's static parser reads the template: text, and calls of ref, source and config with
 * texts, True, False, lists and dicts of them, but no hooks. */
bool tn_jinja_is_plain(const tn_jinja_tmpl *t);

/* Python's pprint.pformat. */
void tn_jinja_pprint(tn_buf *b, tn_val v, int width);

/* ---- modules for templates: values to hand out as modules.datetime, modules.pytz, modules.re, modules.itertools ---- */
tn_val tn_jinja_module_datetime(tn_arena *a);
tn_val tn_jinja_module_pytz(tn_arena *a);
tn_val tn_jinja_module_re(tn_arena *a);
tn_val tn_jinja_module_itertools(tn_arena *a);
tn_dict *tn_jinja_itertools_members(tn_arena *a); /* its functions by name */

#endif
