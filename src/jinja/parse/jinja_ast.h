/* jinja_ast.h: the tree that a template becomes, private to src/jinja.
 *
 * jinja_parse*.c build it, jinja_scope.c resolves every name to a slot, jinja_eval.c and jinja_exec.c walk it. After that it never
 * changes, so threads may share it. Everything lives in the arena of the template.
 *
 * Names. Like Jinja2, we decide at parse time which scope a name belongs to. A *function* (the template itself, a macro, the body of a
 * call block, a block, a recursive loop) has an array of slots when it runs, a frame; a *scope* inside of it (loop body, with, set
 * block, ...) owns some of these slots. A reference is (hops, slot): how many functions outward, and the place there. What a slot holds
 * when its scope is entered follows Jinja2's rules: unresolved (looked up in the context on first use), a copy of an outer scope's slot,
 * or missing (set later in this scope; reading it before is undefined).
 */
#ifndef TN_JINJA_PARSE_JINJA_AST_H
#define TN_JINJA_PARSE_JINJA_AST_H

#include "jinja/value/jinja_registry.h"

typedef struct tn_jx tn_jx;           /* an expression */
typedef struct tn_js tn_js;           /* a statement; a body is a list of them by `next` */
typedef struct tn_jtarget tn_jtarget; /* where an assignment goes */
typedef struct tn_jfunc tn_jfunc;
typedef struct tn_jscope tn_jscope;

typedef struct tn_jref {
    uint16_t hops;
    uint16_t slot;
} tn_jref;

/* ---- scopes ---- */
typedef enum tn_jinit_kind { TN_JINIT_MISSING, TN_JINIT_RESOLVE, TN_JINIT_ALIAS } tn_jinit_kind;
typedef struct tn_jinit {
    tn_jinit_kind kind;
    uint16_t slot;
    tn_jref from; /* alias: the outer slot, seen from this scope's function */
} tn_jinit;

struct tn_jscope {
    tn_jinit *inits; /* done each time the scope is entered */
    size_t n;
};

struct tn_jfunc {
    tn_jfunc *outer; /* NULL for the template and for blocks */
    tn_strs names;   /* of the slots */
    size_t own;      /* the first of them belong to the outermost scope */
    bool captured;   /* a macro inside of it may outlive the call: its frame goes into the arena */
    tn_jscope scope; /* the function's own outermost scope */
};

/* ---- expressions ---- */
typedef enum tn_jx_kind {
    TN_JX_CONST,
    TN_JX_NAME,
    TN_JX_LIST,
    TN_JX_TUPLE,
    TN_JX_DICT,
    TN_JX_NOT,
    TN_JX_NEG,
    TN_JX_POS,
    TN_JX_AND,
    TN_JX_OR,
    TN_JX_COMPARE,
    TN_JX_CONCAT,
    TN_JX_ARITH,
    TN_JX_COND,
    TN_JX_ATTR,
    TN_JX_ITEM,
    TN_JX_SLICE,
    TN_JX_CALL,
    TN_JX_FILTER,
    TN_JX_TEST,
    TN_JX_CAPTURED, /* the text of the surrounding filter or set block */
} tn_jx_kind;

typedef enum tn_jcmp {
    TN_JCMP_EQ,
    TN_JCMP_NE,
    TN_JCMP_LT,
    TN_JCMP_LE,
    TN_JCMP_GT,
    TN_JCMP_GE,
    TN_JCMP_IN,
    TN_JCMP_NOTIN
} tn_jcmp;

typedef struct tn_jkw {
    tn_str name;
    tn_jx *value;
} tn_jkw;

typedef struct tn_jargs {
    tn_jx **v;
    size_t n;
    tn_jkw *kw;
    size_t kwn;
    tn_jx *star;  /* *args, or NULL */
    tn_jx *star2; /* **kwargs, or NULL */
} tn_jargs;

struct tn_jx {
    uint8_t kind;
    uint8_t op;   /* tn_jinja_op of ARITH; ATTR: 1 when the name may be a method of a dict */
    bool folds;   /* Jinja2 would compute it while compiling (matters to native rendering) */
    uint32_t pos; /* byte offset in the template's text */
    union {
        tn_val value; /* CONST */
        struct {
            tn_str name;
            tn_jref ref;
        } name;
        struct {
            tn_jx **v; /* DICT: key, value, key, ... */
            size_t n;
        } items; /* LIST, TUPLE, DICT, CONCAT */
        struct {
            tn_jx *a;
            tn_jx *b;
            tn_jx *c;
        } on; /* NOT, NEG, POS: a; AND, OR, ARITH, ITEM: a, b; COND: a if b else c */
        struct {
            tn_jx **v; /* n + 1 operands */
            uint8_t *ops;
            size_t n;
        } cmp;
        struct {
            tn_jx *of;
            tn_str name;
        } attr;
        struct {
            tn_jx *of;
            tn_jx *start;
            tn_jx *stop;
            tn_jx *step;
        } slice;
        struct {
            tn_jx *of;
            tn_jargs *args;
            tn_str name;           /* FILTER, TEST */
            const tn_jbuiltin *fn; /* NULL: not known when parsed, fails when reached */
        } call;                    /* CALL, FILTER, TEST */
    };
};

/* ---- statements ---- */
typedef enum tn_js_kind {
    TN_JS_TEXT,
    TN_JS_OUTPUT,
    TN_JS_DO,
    TN_JS_IF,
    TN_JS_FOR,
    TN_JS_SET,
    TN_JS_SETBLOCK,
    TN_JS_MACRO,
    TN_JS_CALL,
    TN_JS_FILTER,
    TN_JS_WITH,
    TN_JS_SCOPE, /* autoescape */
    TN_JS_BLOCK,
    TN_JS_LOAD, /* extends, include, import, from: there is no loader */
    TN_JS_BREAK,
    TN_JS_CONTINUE,
} tn_js_kind;

typedef enum tn_jtarget_kind { TN_JTARGET_NAME, TN_JTARGET_TUPLE, TN_JTARGET_ATTR } tn_jtarget_kind;
struct tn_jtarget {
    uint8_t kind;
    uint32_t pos;
    tn_str name; /* NAME: the variable; ATTR: the namespace */
    tn_str attr;
    tn_jref ref;
    tn_jtarget **v; /* TUPLE */
    size_t n;
};

typedef struct tn_jfor {
    tn_jtarget *target;
    tn_jx *iter;
    tn_jx *test;             /* NULL: all */
    tn_jtarget *test_target; /* the same names in the test's scope */
    tn_js *body;
    tn_js *other;
    bool recursive;
    bool extended; /* the body asks for `loop` */
    uint16_t loop_slot;
    tn_jfunc *fn; /* recursive: its own function */
    tn_jscope body_scope;
    tn_jscope test_scope;
    tn_jscope other_scope;
} tn_jfor;

typedef struct tn_jwith {
    tn_jtarget **targets;
    tn_jx **values;
    size_t n;
    tn_js *body;
    tn_jscope scope;
} tn_jwith;

typedef struct tn_jparam {
    tn_str name;
    tn_jx *dflt; /* NULL: none */
    uint16_t slot;
} tn_jparam;

struct tn_jinja_macro_def {
    tn_str name; /* empty for the body of a call block */
    const tn_jinja_tmpl *tmpl;
    uint32_t pos;
    tn_jparam *params;
    size_t n;
    tn_jfunc *fn;
    tn_js *body;
    bool is_caller;
    bool uses_caller, uses_kwargs, uses_varargs, explicit_caller;
    uint16_t caller_slot, kwargs_slot, varargs_slot;
    tn_jref self; /* where the macro itself is stored when its statement runs */
};

struct tn_js {
    uint8_t kind;
    uint32_t pos;
    tn_js *next;
    union {
        tn_str text;
        tn_jx *expr; /* OUTPUT, DO */
        struct {
            tn_jx *test;
            tn_js *body;
            tn_js *other; /* else, or one IF for elif */
        } cond;
        tn_jfor *loop;
        struct {
            tn_jtarget *target;
            tn_jx *expr; /* SET: the value; SETBLOCK, FILTER: the filters or NULL */
            tn_js *body; /* SETBLOCK, FILTER, SCOPE */
            tn_jscope scope;
        } set;
        tn_jinja_macro_def *macro;
        struct {
            tn_jinja_macro_def *caller;
            tn_jx *call;
        } call;
        tn_jwith *with;
        struct {
            tn_str name;
            tn_js *body;
            tn_jfunc *fn; /* NULL: scoped, an inner scope of the surrounding function */
            tn_jscope scope;
        } block;
        struct {
            const char *what;
            tn_jx *name;
            tn_strs names; /* that it would set */
        } load;
    };
};

/* ---- the template and the environment ---- */
struct tn_jinja_tmpl {
    tn_jinja_env *env;
    tn_str text; /* line ends are \n */
    const char *file;
    int line; /* of the first line */
    bool is_expr;
    tn_js *body;
    tn_jx *expr;
    tn_jfunc *root;
    tn_vec(tn_jinja_macro_def *) macros;
    tn_strs free_names; /* that the context is asked for, each once */
};

#endif
