/* val.h: the value that YAML, JSON, Jinja and query results share: 16 bytes, by value, Python's semantics.
 *
 * Scalars are immutable. Lists, dicts and sets are shared by reference and mutable, as in Python; one that is
 * frozen refuses changes (project-wide data that several threads read is frozen). Everything lives in an
 * arena: a container allocates its growth from the arena that it was made in, and a value must not be put
 * into a container whose arena outlives the value's own; tn_val_dup copies deeply into another arena.
 *
 * Objects (TN_OBJ) are extension points: a struct whose first member is `tn_obj base` with a type table of
 * functions. Functions, relations, modules, macros, tables of rows are all objects.
 *
 * Equality, hashing, truth, str() and repr() are Python's: 1 == True == 1.0, '' and [] are false, 'a' prints as
 * 'a' inside a list. Dicts keep insertion order. Dates and times are naive unless a UTC offset is set.
 */
#ifndef TN_BASE_VAL_H
#define TN_BASE_VAL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

typedef enum tn_tag {
    TN_UNDEF = 0, /* Jinja's Undefined: s = the name, for messages (may be empty) */
    TN_NONE,
    TN_BOOL,     /* i = 0 or 1 */
    TN_INT,      /* i */
    TN_FLOAT,    /* f */
    TN_BIGINT,   /* s = decimal digits with sign, outside int64 (canonical: never one that fits) */
    TN_DECIMAL,  /* s = decimal text as Python's Decimal prints it: "148.50" */
    TN_STR_V,    /* s, n bytes of UTF-8; flag TN_VF_SAFE = Markup */
    TN_BYTES,    /* s, n bytes */
    TN_DATE,     /* i = days since 1970-01-01 */
    TN_DATETIME, /* i = microseconds since 1970-01-01T00:00:00 on its own wall clock; n = zone */
    TN_TIME,     /* i = microseconds since midnight */
    TN_DELTA,    /* i = microseconds */
    TN_LIST,
    TN_TUPLE, /* list pointer, frozen */
    TN_DICT,
    TN_SET, /* dict pointer whose values are not used */
    TN_OBJ,
} tn_tag;

enum {
    TN_VF_SAFE = 1, /* string: already escaped (Markup) */
};

#define TN_ZONE_NAIVE                                                                              \
    UINT32_MAX /* TN_DATETIME.n: no zone; else 86400 + offset east of UTC in seconds */
#define TN_ZONE_UTC 86400u

typedef struct tn_list tn_list;
typedef struct tn_dict tn_dict;
typedef struct tn_obj tn_obj;

typedef struct tn_val {
    uint8_t tag;
    uint8_t flags;
    uint16_t aux; /* free for the owner of an object type */
    uint32_t n;   /* bytes of a string, zone of a datetime */
    union {
        int64_t i;
        double f;
        const char *s;
        tn_list *list;
        tn_dict *dict;
        tn_obj *obj;
    };
} tn_val;

struct tn_list {
    tn_arena *arena;
    tn_val *v;
    size_t n;
    size_t cap;
    bool frozen;
};

typedef struct tn_dict_item {
    tn_val key;
    tn_val value;
    uint64_t hash;
    bool dead;
} tn_dict_item;

struct tn_dict {
    tn_arena *arena;
    tn_dict_item *items; /* insertion order; skip dead ones */
    size_t slots;        /* items in use, dead ones included */
    size_t live;
    size_t cap;
    uint32_t *index;
    size_t index_cap;
    bool frozen;
};

/* ---- making values ---- */
#define TN_VAL_UNDEF ((tn_val){ .tag = TN_UNDEF, .s = "" })
#define TN_VAL_NONE ((tn_val){ .tag = TN_NONE })
#define TN_VAL_TRUE ((tn_val){ .tag = TN_BOOL, .i = 1 })
#define TN_VAL_FALSE ((tn_val){ .tag = TN_BOOL, .i = 0 })

static inline tn_val tn_val_bool(bool b)
{
    return (tn_val){ .tag = TN_BOOL, .i = b ? 1 : 0 };
}

static inline tn_val tn_val_int(int64_t i)
{
    return (tn_val){ .tag = TN_INT, .i = i };
}

static inline tn_val tn_val_float(double f)
{
    return (tn_val){ .tag = TN_FLOAT, .f = f };
}
tn_val tn_val_str(tn_str s); /* borrows; at most UINT32_MAX bytes (checked) */
tn_val tn_val_z(const char *z);
tn_val tn_val_str_dup(tn_arena *a, tn_str s);
tn_val tn_val_undef(tn_str name);
tn_val tn_val_decimal(tn_str digits);
tn_val tn_val_list(tn_arena *a); /* empty */
tn_val tn_val_tuple(tn_arena *a, const tn_val *v, size_t n);
tn_val tn_val_dict(tn_arena *a); /* empty */
tn_val tn_val_set(tn_arena *a);  /* empty */
static inline tn_val tn_val_obj(tn_obj *o)
{
    return (tn_val){ .tag = TN_OBJ, .obj = o };
}

/* ---- asking ---- */
static inline bool tn_val_is_undef(tn_val v)
{
    return v.tag == TN_UNDEF;
}

static inline bool tn_val_is_none(tn_val v)
{
    return v.tag == TN_NONE;
}

/* Neither undefined nor none. */
static inline bool tn_val_is_given(tn_val v)
{
    return !tn_val_is_undef(v) && !tn_val_is_none(v);
}
static inline bool tn_val_is_str(tn_val v)
{
    return v.tag == TN_STR_V;
}

static inline bool tn_val_is_seq(tn_val v)
{
    return v.tag == TN_LIST || v.tag == TN_TUPLE;
}

static inline tn_str tn_val_as_str(tn_val v) /* the bytes of a string-like value, else empty */
{
    return v.tag == TN_STR_V || v.tag == TN_BIGINT || v.tag == TN_DECIMAL || v.tag == TN_BYTES ||
                   v.tag == TN_UNDEF
               ? tn_str_n(v.s, v.n)
               : TN_STR_NONE;
}
const char *tn_val_type_name(tn_val v); /* Python's: "str", "int", "NoneType", "dict", ... */
bool tn_val_truthy(tn_val v);
bool tn_val_eq(tn_val a, tn_val b);
bool tn_val_hashable(tn_val v);
uint64_t tn_val_hash(tn_val v);
/* Python's ordering; fails with TN_E_TYPE for what Python cannot order ('<' of int and str). */
tn_rc tn_val_cmp(tn_val a, tn_val b, int *ret, tn_err *err) TN_MUSTUSE;
void tn_val_str_to(tn_buf *b, tn_val v);  /* str(v) */
void tn_val_repr_to(tn_buf *b, tn_val v); /* repr(v) */
tn_str tn_val_to_str(tn_arena *a, tn_val v);
tn_str tn_val_to_repr(tn_arena *a, tn_val v);
void tn_float_repr_to(tn_buf *b, double f); /* Python's shortest repr: 1.0, 1e+16, inf, nan */
tn_val tn_val_dup(tn_arena *a, tn_val v);   /* deep; objects that have no `dup` are shared */
/* An object inside of v that tn_val_dup would share; NULL: none. */
const tn_obj *tn_val_shared_obj(tn_val v);
void tn_val_freeze(tn_val v); /* deep */

/* ---- lists ---- */
void tn_list_push(tn_list *l, tn_val v);
void tn_list_insert(tn_list *l, size_t at, tn_val v);
void tn_list_remove(tn_list *l, size_t at);

/* ---- dicts ---- */
/* NULL when absent; the pointer is valid until the next put. Key must be hashable. */
tn_val *tn_dict_find(const tn_dict *d, tn_val key);
tn_val *tn_dict_finds(const tn_dict *d, tn_str key);
void tn_dict_put(tn_dict *d, tn_val key, tn_val value);
void tn_dict_puts(tn_dict *d, tn_str key, tn_val value); /* borrows the key */
void tn_dict_putz(tn_dict *d, const char *key, tn_val value);
bool tn_dict_remove(tn_dict *d, tn_val key);
/* Walks in order: size_t at = 0; while ((it = tn_dict_next(d, &at)) != NULL) ... */
const tn_dict_item *tn_dict_next(const tn_dict *d, size_t *at);

/* Reading configuration from nested values: the value at key of a dict, or undefined (also when v is no dict). */
tn_val tn_val_at(tn_val v, const char *key);
/* String at key, or dflt when absent, none or not a string. */
tn_str tn_val_str_at(tn_val v, const char *key, tn_str dflt);
bool tn_val_bool_at(tn_val v, const char *key, bool dflt);
int64_t tn_val_int_at(tn_val v, const char *key, int64_t dflt);

/* ---- objects and calls ---- */
typedef struct tn_kwarg {
    tn_str name;
    tn_val value;
} tn_kwarg;

/* What a callable gets. arena is where results go. interp is the running interpreter (see jinja.h), NULL
 * when called from C without one. */
typedef struct tn_call {
    tn_arena *arena;
    void *interp;
    const tn_val *args;
    size_t argc;
    const tn_kwarg *kwargs;
    size_t kwargc;
} tn_call;

typedef tn_rc (*tn_call_fn)(void *self, const tn_call *call, tn_val *ret, tn_err *err);

/* Any entry may be NULL: the object then has no such behaviour. */
typedef struct tn_obj_type {
    const char *name; /* Python-like type name in messages: "function", "DuckDBRelation" */
    bool
        is_mapping; /* its names are keys: also those with a leading underscore, which the sandbox hides as attributes */
    /* x.name: *ret = undefined when there is no such attribute. */
    tn_rc (*attr)(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err);
    /* x[key]; when NULL, attr is tried for string keys. */
    tn_rc (*item)(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err);
    /* x.name = v (namespace) and x[key] = v. */
    tn_rc (*set_attr)(tn_obj *self, tn_str name, tn_val v, tn_err *err);
    tn_rc (*call)(tn_obj *self, const tn_call *call, tn_val *ret, tn_err *err);
    /* A copy that lives in another arena, for tn_val_dup. Without it the object is shared, and must not outlive its arena. */
    tn_val (*dup)(tn_obj *self, tn_arena *a);
    /* Elements as a list: `for`, `list`, `in`, unpacking. */
    tn_rc (*iter)(tn_obj *self, tn_arena *a, tn_val *ret_list, tn_err *err);
    bool (*length)(tn_obj *self, size_t *ret);
    bool (*truthy)(tn_obj *self); /* default: length != 0, else true */
    void (*str)(tn_obj *self, tn_buf *b);
    void (*repr)(tn_obj *self, tn_buf *b);  /* default: str, else <name> */
    bool (*eq)(tn_obj *self, tn_val other); /* default: identity */
    uint64_t (*hash)(tn_obj *self);         /* default: identity */
} tn_obj_type;

struct tn_obj {
    const tn_obj_type *type;
};

/* A function object around a C function; self is passed through. name: for messages, a literal or in the arena. */
tn_val tn_val_fn(tn_arena *a, const char *name, tn_call_fn fn, void *self);
/* A read-only object whose attributes are a dict's entries (modules: modules.datetime, exceptions, ...). */
tn_val tn_val_module(tn_arena *a, const char *name, tn_dict *members);

/* Arguments by place or name: the value, or undefined when not given. */
tn_val tn_call_arg(const tn_call *c, size_t place, const char *name);
bool tn_call_has(const tn_call *c, size_t place, const char *name);
/* Fails with TN_E_TYPE when there are more places than max, or a keyword that is not in the NULL-ended list. */
tn_rc tn_call_check(const tn_call *c, const char *fn, size_t min, size_t max,
    const char *const *names, tn_err *err) TN_MUSTUSE;

#endif
