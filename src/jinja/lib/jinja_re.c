/* jinja_re.c: Python's module re as templates see it: its functions, patterns and matches as values. */
#include "base/buf.h"
#include "jinja/lib/jinja_regex.h"

typedef struct pattern {
    tn_obj base;
    tn_jregex *re;
    tn_str text;
    int64_t flags;
} pattern;

typedef struct match {
    tn_obj base;
    pattern *re;
    tn_str s;
    tn_jspan *spans;
} match;

static const tn_obj_type PATTERN, MATCH;

static pattern *as_pattern(tn_val v)
{
    return v.tag == TN_OBJ && v.obj->type == &PATTERN ? (pattern *)v.obj : NULL;
}

static tn_rc pattern_of(tn_arena *a, tn_val v, int64_t flags, pattern **ret, tn_err *err)
{
    pattern *p = as_pattern(v);
    if (p != NULL) {
        if (flags != 0) {
            return tn_fail(
                err, TN_E_VALUE, "cannot process flags argument with a compiled pattern");
        }
        *ret = p;
        return TN_OK;
    }
    if (v.tag != TN_STR_V) {
        return v.tag == TN_UNDEF
                   ? tn_jlib_fail_undef(err, v)
                   : tn_fail(err, TN_E_TYPE, "first argument must be string or compiled pattern");
    }
    p = tn_new(a, pattern);
    p->base.type = &PATTERN;
    p->text = tn_val_as_str(v);
    p->flags = flags;
    TN_TRY(tn_jregex_compile(a, p->text, flags, &p->re, err));
    *ret = p;
    return TN_OK;
}

static tn_val match_value(tn_arena *a, pattern *p, tn_str s, tn_jspan *spans)
{
    if (spans == NULL) {
        return TN_VAL_NONE;
    }
    match *m = tn_new(a, match);
    m->base.type = &MATCH;
    m->re = p;
    m->s = s;
    m->spans = spans;
    return tn_val_obj(&m->base);
}

static tn_val group_text(const match *m, size_t i, tn_val dflt)
{
    return m->spans[i].from == SIZE_MAX
               ? dflt
               : tn_val_str(tn_str_sub(m->s, m->spans[i].from, m->spans[i].to));
}

static tn_rc subject(tn_val v, tn_str *ret, tn_err *err)
{
    if (v.tag != TN_STR_V) {
        return v.tag == TN_UNDEF
                   ? tn_jlib_fail_undef(err, v)
                   : tn_fail(err, TN_E_TYPE, "expected string or bytes-like object, got '%s'",
                         tn_val_type_name(v));
    }
    if (!tn_utf8_valid(tn_val_as_str(v))) {
        return tn_fail(err, TN_E_VALUE, "a regular expression needs valid UTF-8");
    }
    *ret = tn_val_as_str(v);
    return TN_OK;
}

/* What all functions share: the pattern, the text, and the places of the further arguments. */
typedef struct task {
    pattern *p;
    tn_str s;
    size_t from; /* byte where to begin */
    const tn_call *c;
    tn_err *err;
} task;

static tn_rc next_match(task *t, size_t from, bool not_empty, tn_jspan **ret)
{
    return tn_jregex_exec(t->p->re, t->c->arena, t->s, from, TN_RE_SEARCH, not_empty, ret, t->err);
}

static tn_rc run_find(task *t, tn_jregex_how how, tn_val *ret)
{
    tn_jspan *m;
    TN_TRY(tn_jregex_exec(t->p->re, t->c->arena, t->s, t->from, how, false, &m, t->err));
    *ret = match_value(t->c->arena, t->p, t->s, m);
    return TN_OK;
}

static tn_val findall_item(const task *t, const tn_jspan *m)
{
    const match one = { .re = t->p, .s = t->s, .spans = (tn_jspan *)(uintptr_t)m };
    size_t groups = tn_jregex_groups(t->p->re);
    tn_val none = tn_val_str(TN_STR(""));
    if (groups <= 1) {
        return group_text(&one, groups, none);
    }
    tn_val *v = tn_new_array(t->c->arena, tn_val, groups);
    for (size_t i = 0; i < groups; i++) {
        v[i] = group_text(&one, i + 1, none);
    }
    return tn_val_tuple(t->c->arena, v, groups);
}

static tn_rc run_all(task *t, bool matches, tn_val *ret)
{
    tn_val l = tn_val_list(t->c->arena);
    size_t from = t->from;
    bool not_empty = false;
    for (;;) {
        tn_jspan *m;
        TN_TRY(next_match(t, from, not_empty, &m));
        if (m == NULL) {
            break;
        }
        tn_list_push(
            l.list, matches ? match_value(t->c->arena, t->p, t->s, m) : findall_item(t, m));
        from = m[0].to;
        not_empty = m[0].from == m[0].to;
    }
    *ret = matches ? tn_jlib_gen(t->c->arena, l.list) : l;
    return TN_OK;
}

static tn_rc run_split(task *t, int64_t max, tn_val *ret)
{
    tn_val l = tn_val_list(t->c->arena);
    size_t from = 0, last = 0, groups = tn_jregex_groups(t->p->re);
    bool not_empty = false;
    for (int64_t n = 0; max <= 0 || n < max; n++) {
        tn_jspan *m;
        TN_TRY(next_match(t, from, not_empty, &m));
        if (m == NULL) {
            break;
        }
        const match one = { .re = t->p, .s = t->s, .spans = m };
        tn_list_push(l.list, tn_val_str(tn_str_sub(t->s, last, m[0].from)));
        for (size_t i = 1; i <= groups; i++) {
            tn_list_push(l.list, group_text(&one, i, TN_VAL_NONE));
        }
        last = from = m[0].to;
        not_empty = m[0].from == m[0].to;
    }
    tn_list_push(l.list, tn_val_str(tn_str_sub(t->s, last, t->s.n)));
    *ret = l;
    return TN_OK;
}

/* ---- replacing ---- */
static tn_rc group_number(const pattern *p, tn_val key, size_t *ret, tn_err *err)
{
    if (key.tag == TN_STR_V) {
        *ret = tn_jregex_group(p->re, tn_val_as_str(key));
        if (*ret > 0) {
            return TN_OK;
        }
    } else if (tn_jlib_is_int(key) && key.i >= 0 && (size_t)key.i <= tn_jregex_groups(p->re)) {
        *ret = (size_t)key.i;
        return TN_OK;
    }
    return tn_fail(err, TN_E_VALUE, "no such group");
}

static size_t digits_at(tn_str s, size_t at, size_t max, int64_t *ret)
{
    size_t n = 0;
    *ret = 0;
    while (n < max && at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9') {
        *ret = *ret * 10 + (s.p[at + n++] - '0');
    }
    return n;
}

static tn_rc add_group(tn_buf *b, const match *m, tn_val key, tn_err *err)
{
    size_t i;
    if (group_number(m->re, key, &i, NULL) != TN_OK) {
        tn_str s = tn_jlib_text(b->arena, key);
        return tn_fail(err, TN_E_VALUE, "invalid group reference " TN_STR_FMT, TN_STR_ARG(s));
    }
    if (m->spans[i].from != SIZE_MAX) {
        tn_buf_add(b, tn_str_sub(m->s, m->spans[i].from, m->spans[i].to));
    }
    return TN_OK;
}

/* \1, \g<1>, \g<name> and the escapes of letters. */
static tn_rc add_template(tn_buf *b, const match *m, tn_str t, tn_err *err)
{
    for (size_t i = 0; i < t.n; i++) {
        if (t.p[i] != '\\' || i + 1 >= t.n) {
            tn_buf_addc(b, t.p[i]);
            continue;
        }
        char c = t.p[++i];
        int64_t number;
        const char *letter = strchr("a\ab\bf\fn\nr\rt\tv\v", c);
        if (c == 'g') {
            size_t end = tn_str_find_char(t, '>', i);
            if (i + 1 >= t.n || t.p[i + 1] != '<' || end == SIZE_MAX) {
                return tn_fail(err, TN_E_VALUE, "missing group name at position %zu", i + 1);
            }
            tn_str name = tn_str_sub(t, i + 2, end);
            TN_TRY(add_group(
                b, m, tn_str_to_i64(name, &number) ? tn_val_int(number) : tn_val_str(name), err));
            i = end;
        } else if (c >= '1' && c <= '9') {
            size_t n = digits_at(t, i, 2, &number);
            TN_TRY(add_group(b, m, tn_val_int(number), err));
            i += n - 1;
        } else if (c == '0') {
            tn_buf_addc(b, 0);
        } else if (letter != NULL && (c >= 'a' && c <= 'z')) {
            tn_buf_addc(b, letter[1]);
        } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
            return tn_fail(err, TN_E_VALUE, "bad escape \\%c at position %zu", c, i - 1);
        } else {
            if (c != '\\') {
                tn_buf_addc(b, '\\');
            }
            tn_buf_addc(b, c);
        }
    }
    return TN_OK;
}

static tn_rc run_sub(task *t, tn_val repl, int64_t max, bool with_count, tn_val *ret)
{
    tn_buf b = tn_buf_init(t->c->arena, TN_JLIB_TEXT_MAX);
    size_t from = 0, last = 0;
    bool not_empty = false;
    int64_t n = 0;
    for (; max <= 0 || n < max; n++) {
        tn_jspan *m;
        TN_TRY(next_match(t, from, not_empty, &m));
        if (m == NULL) {
            break;
        }
        tn_buf_add(&b, tn_str_sub(t->s, last, m[0].from));
        const match one = { .re = t->p, .s = t->s, .spans = m };
        if (repl.tag == TN_STR_V) {
            TN_TRY(add_template(&b, &one, tn_val_as_str(repl), t->err));
        } else {
            tn_val arg = match_value(t->c->arena, t->p, t->s, m), text;
            TN_TRY(tn_jinja_call(tn_jlib_ctx(t->c), repl, &arg, 1, NULL, 0, &text, t->err));
            tn_buf_add(&b, tn_jlib_text(t->c->arena, text));
        }
        last = from = m[0].to;
        not_empty = m[0].from == m[0].to;
    }
    tn_buf_add(&b, tn_str_sub(t->s, last, t->s.n));
    tn_val text;
    TN_TRY(tn_jlib_finish(&b, &text, t->err));
    *ret = with_count ? tn_jlib_pair(t->c->arena, text, tn_val_int(n)) : text;
    return TN_OK;
}

/* ---- the functions: of the module (argument 0 is the pattern) and methods of a pattern ---- */
typedef enum verb {
    V_MATCH,
    V_SEARCH,
    V_FULLMATCH,
    V_FINDALL,
    V_FINDITER,
    V_SPLIT,
    V_SUB,
    V_SUBN
} verb;
static const char *const VERBS[] = { "match", "search", "fullmatch", "findall", "finditer", "split",
    "sub", "subn" };
static const char *const FIND_NAMES[] = { "pattern", "string", "flags", NULL };
static const char *const SPLIT_NAMES[] = { "pattern", "string", "maxsplit", "flags", NULL };
static const char *const SUB_NAMES[] = { "pattern", "repl", "string", "count", "flags", NULL };

/* names without "pattern" for methods; at: the place of the first argument after the pattern. */
static tn_rc run_verb(task *t, verb v, size_t at, tn_val *ret)
{
    int64_t n = 0;
    bool sub = v == V_SUB || v == V_SUBN;
    TN_TRY(subject(tn_call_arg(t->c, at + (sub ? 1 : 0), "string"), &t->s, t->err));
    switch (v) {
    case V_MATCH:
        return run_find(t, TN_RE_MATCH, ret);
    case V_SEARCH:
        return run_find(t, TN_RE_SEARCH, ret);
    case V_FULLMATCH:
        return run_find(t, TN_RE_FULLMATCH, ret);
    case V_FINDALL:
    case V_FINDITER:
        return run_all(t, v == V_FINDITER, ret);
    case V_SPLIT:
        TN_TRY(tn_jlib_int_arg(t->c, at + 1, "maxsplit", &n, t->err));
        return n < 0 ? run_split(t, 1, ret) : run_split(t, n, ret);
    default:
        TN_TRY(tn_jlib_int_arg(t->c, at + 2, "count", &n, t->err));
        return run_sub(t, tn_call_arg(t->c, at, "repl"), n, v == V_SUBN, ret);
    }
}

static tn_rc module_call(verb v, const tn_call *c, tn_val *ret, tn_err *err)
{
    const char *const *names = v >= V_SUB ? SUB_NAMES : v == V_SPLIT ? SPLIT_NAMES : FIND_NAMES;
    size_t need = v >= V_SUB ? 3 : 2, places = v >= V_SUB ? 5 : v == V_SPLIT ? 4 : 3;
    int64_t flags = 0;
    task t = { .c = c, .err = err };
    TN_TRY(tn_call_check(c, VERBS[v], need, places, names, err));
    TN_TRY(tn_jlib_int_arg(c, places - 1, "flags", &flags, err));
    TN_TRY(pattern_of(c->arena, tn_call_arg(c, 0, "pattern"), flags, &t.p, err));
    return run_verb(&t, v, 1, ret);
}

static tn_rc method_call(verb v, tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    task t = { .c = c, .err = err, .p = as_pattern(self) };
    if (v <= V_FINDITER && tn_call_has(c, 1, "pos")) {
        int64_t pos = 0;
        tn_str s;
        TN_TRY(subject(tn_call_arg(c, 0, "string"), &s, err));
        TN_TRY(tn_jlib_int_arg(c, 1, "pos", &pos, err));
        t.from = tn_utf8_offset(s, pos < 0 ? 0 : (size_t)pos);
    }
    return run_verb(&t, v, 0, ret);
}

#define VERB(name, verb_value)                                                                     \
    static tn_rc re_##name(void *self, const tn_call *c, tn_val *ret, tn_err *err)                 \
    {                                                                                              \
        (void)self;                                                                                \
        return module_call(verb_value, c, ret, err);                                               \
    }                                                                                              \
    static tn_rc p_##name(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)                 \
    {                                                                                              \
        return method_call(verb_value, self, c, ret, err);                                         \
    }
VERB(match, V_MATCH)
VERB(search, V_SEARCH)
VERB(fullmatch, V_FULLMATCH)
VERB(findall, V_FINDALL)
VERB(finditer, V_FINDITER)
VERB(split, V_SPLIT)
VERB(sub, V_SUB)
VERB(subn, V_SUBN)

static const char *const P_FIND[] = { "string", "pos", "endpos", NULL };
static const char *const P_SPLIT[] = { "string", "maxsplit", NULL };
static const char *const P_SUB[] = { "repl", "string", "count", NULL };
static const tn_jlib_method PATTERN_METHODS[] = {
    { "match", p_match, 1, 2, P_FIND },
    { "search", p_search, 1, 2, P_FIND },
    { "fullmatch", p_fullmatch, 1, 2, P_FIND },
    { "findall", p_findall, 1, 2, P_FIND },
    { "finditer", p_finditer, 1, 2, P_FIND },
    { "split", p_split, 1, 2, P_SPLIT },
    { "sub", p_sub, 2, 3, P_SUB },
    { "subn", p_subn, 2, 3, P_SUB },
    { NULL, NULL, 0, 0, NULL },
};

/* The named groups, in order of their numbers: their numbers, or what they matched in m. */
static tn_val names_of(tn_arena *a, const pattern *p, const match *m, tn_val dflt)
{
    tn_val d = tn_val_dict(a);
    for (size_t g = 1; g <= tn_jregex_groups(p->re); g++) {
        tn_str name = tn_jregex_name(p->re, g);
        if (name.n > 0) {
            tn_dict_puts(d.dict, name, m != NULL ? group_text(m, g, dflt) : tn_val_int((int64_t)g));
        }
    }
    return d;
}

static tn_rc pattern_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    const pattern *p = (const pattern *)self;
    if (tn_jlib_bind_named(a, PATTERN_METHODS, name, tn_val_obj(self), ret)) {
        return TN_OK;
    }
    *ret = tn_str_is(name, "pattern")      ? tn_val_str(p->text)
           : tn_str_is(name, "groups")     ? tn_val_int((int64_t)tn_jregex_groups(p->re))
           : tn_str_is(name, "flags")      ? tn_val_int(p->flags | TN_RE_U)
           : tn_str_is(name, "groupindex") ? names_of(a, p, NULL, TN_VAL_NONE)
                                           : tn_val_undef(name);
    return TN_OK;
}

static void pattern_str(tn_obj *self, tn_buf *b)
{
    tn_buf_addz(b, "re.compile(");
    tn_val_repr_to(b, tn_val_str(((const pattern *)self)->text));
    tn_buf_addc(b, ')');
}

static const tn_obj_type PATTERN = {
    .name = "re.Pattern", .attr = pattern_attr, .str = pattern_str
};

/* ---- methods of a match ---- */
static tn_rc m_group(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    const match *m = (const match *)self.obj;
    size_t i = 0;
    if (c->argc <= 1) {
        if (c->argc == 1) {
            TN_TRY(group_number(m->re, c->args[0], &i, err));
        }
        *ret = group_text(m, i, TN_VAL_NONE);
        return TN_OK;
    }
    tn_val *v = tn_new_array(c->arena, tn_val, c->argc);
    for (size_t k = 0; k < c->argc; k++) {
        TN_TRY(group_number(m->re, c->args[k], &i, err));
        v[k] = group_text(m, i, TN_VAL_NONE);
    }
    *ret = tn_val_tuple(c->arena, v, c->argc);
    return TN_OK;
}

static tn_val default_arg(const tn_call *c)
{
    return tn_call_has(c, 0, "default") ? tn_call_arg(c, 0, "default") : TN_VAL_NONE;
}

static tn_rc m_groups(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    const match *m = (const match *)self.obj;
    size_t n = tn_jregex_groups(m->re->re);
    tn_val *v = tn_new_array(c->arena, tn_val, n + 1);
    for (size_t i = 0; i < n; i++) {
        v[i] = group_text(m, i + 1, default_arg(c));
    }
    *ret = tn_val_tuple(c->arena, v, n);
    return TN_OK;
}

static tn_rc m_groupdict(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)err;
    const match *m = (const match *)self.obj;
    *ret = names_of(c->arena, m->re, m, default_arg(c));
    return TN_OK;
}

static tn_val place_of(const match *m, size_t byte)
{
    return tn_val_int(byte == SIZE_MAX ? -1 : (int64_t)tn_utf8_len(tn_str_sub(m->s, 0, byte)));
}

static tn_rc span_of(tn_val self, const tn_call *c, tn_val *ret_from, tn_val *ret_to, tn_err *err)
{
    const match *m = (const match *)self.obj;
    size_t i = 0;
    if (c->argc > 0) {
        TN_TRY(group_number(m->re, c->args[0], &i, err));
    }
    *ret_from = place_of(m, m->spans[i].from);
    *ret_to = place_of(m, m->spans[i].to);
    return TN_OK;
}

static tn_rc m_start(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val to;
    return span_of(self, c, ret, &to, err);
}

static tn_rc m_end(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val from;
    return span_of(self, c, &from, ret, err);
}

static tn_rc m_span(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_val from, to;
    TN_TRY(span_of(self, c, &from, &to, err));
    *ret = tn_jlib_pair(c->arena, from, to);
    return TN_OK;
}

static tn_rc m_expand(tn_val self, const tn_call *c, tn_val *ret, tn_err *err)
{
    tn_str t;
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    TN_TRY(tn_jlib_str_arg(c, 0, "template", "expand", &t, err));
    TN_TRY(add_template(&b, (const match *)self.obj, t, err));
    return tn_jlib_finish(&b, ret, err);
}

static const char *const DEFAULT_NAMES[] = { "default", NULL };
static const tn_jlib_method MATCH_METHODS[] = {
    { "group", m_group, 0, 100, NULL },
    { "groups", m_groups, 0, 1, DEFAULT_NAMES },
    { "groupdict", m_groupdict, 0, 1, DEFAULT_NAMES },
    { "start", m_start, 0, 1, NULL },
    { "end", m_end, 0, 1, NULL },
    { "span", m_span, 0, 1, NULL },
    { "expand", m_expand, 1, 1, NULL },
    { NULL, NULL, 0, 0, NULL },
};

static tn_rc match_attr(tn_obj *self, tn_arena *a, tn_str name, tn_val *ret, tn_err *err)
{
    (void)err;
    match *m = (match *)self;
    if (tn_jlib_bind_named(a, MATCH_METHODS, name, tn_val_obj(self), ret)) {
        return TN_OK;
    }
    if (tn_str_is(name, "lastindex")) {
        size_t last = 0, groups = tn_jregex_groups(m->re->re);
        for (size_t i = 1; i <= groups; i++) {
            bool later =
                m->spans[i].from != SIZE_MAX && (last == 0 || m->spans[i].to > m->spans[last].to);
            last = later ? i : last;
        }
        *ret = last > 0 ? tn_val_int((int64_t)last) : TN_VAL_NONE;
        return TN_OK;
    }
    *ret = tn_str_is(name, "string")   ? tn_val_str(m->s)
           : tn_str_is(name, "re")     ? tn_val_obj(&m->re->base)
           : tn_str_is(name, "pos")    ? tn_val_int(0)
           : tn_str_is(name, "endpos") ? tn_val_int((int64_t)tn_utf8_len(m->s))
                                       : tn_val_undef(name);
    return TN_OK;
}

static tn_rc match_item(tn_obj *self, tn_arena *a, tn_val key, tn_val *ret, tn_err *err)
{
    const match *m = (const match *)self;
    size_t i;
    if (group_number(m->re, key, &i, NULL) != TN_OK) {
        if (key.tag == TN_STR_V) {
            return match_attr(self, a, tn_val_as_str(key), ret, err);
        }
        *ret = TN_VAL_UNDEF;
        return TN_OK;
    }
    *ret = group_text(m, i, TN_VAL_NONE);
    return TN_OK;
}

static void match_str(tn_obj *self, tn_buf *b)
{
    const match *m = (const match *)self;
    tn_buf_addf(b,
        "<re.Match object; span=(%lld, %lld), match=", (long long)place_of(m, m->spans[0].from).i,
        (long long)place_of(m, m->spans[0].to).i);
    tn_val_repr_to(b, group_text(m, 0, TN_VAL_NONE));
    tn_buf_addc(b, '>');
}

static const tn_obj_type MATCH = {
    .name = "re.Match", .attr = match_attr, .item = match_item, .str = match_str
};

/* ---- the module ---- */
static tn_rc re_compile(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    static const char *const names[] = { "pattern", "flags", NULL };
    int64_t flags = 0;
    pattern *p;
    TN_TRY(tn_call_check(c, "compile", 1, 2, names, err));
    TN_TRY(tn_jlib_int_arg(c, 1, "flags", &flags, err));
    TN_TRY(pattern_of(c->arena, tn_call_arg(c, 0, "pattern"), flags, &p, err));
    *ret = tn_val_obj(&p->base);
    return TN_OK;
}

static tn_rc re_escape(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str s;
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    TN_TRY(tn_jlib_str_arg(c, 0, "pattern", "escape", &s, err));
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != 0 && strchr("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", s.p[i]) != NULL) {
            tn_buf_addc(&b, '\\');
        }
        tn_buf_addc(&b, s.p[i]);
    }
    return tn_jlib_finish(&b, ret, err);
}

tn_val tn_jinja_module_re(tn_arena *a)
{
    static const struct {
        const char *name;
        tn_call_fn fn;
    } fns[] = { { "match", re_match }, { "search", re_search }, { "fullmatch", re_fullmatch },
        { "findall", re_findall }, { "finditer", re_finditer }, { "split", re_split },
        { "sub", re_sub }, { "subn", re_subn }, { "compile", re_compile },
        { "escape", re_escape } };
    static const struct {
        const char *name;
        int flag;
    } flags[] = { { "I", TN_RE_I }, { "IGNORECASE", TN_RE_I }, { "M", TN_RE_M },
        { "MULTILINE", TN_RE_M }, { "S", TN_RE_S }, { "DOTALL", TN_RE_S }, { "X", TN_RE_X },
        { "VERBOSE", TN_RE_X }, { "A", TN_RE_A }, { "ASCII", TN_RE_A }, { "U", TN_RE_U },
        { "UNICODE", TN_RE_U } };
    tn_val d = tn_val_dict(a);
    for (size_t i = 0; i < TN_COUNTOF(fns); i++) {
        tn_dict_putz(d.dict, fns[i].name, tn_val_fn(a, fns[i].name, fns[i].fn, NULL));
    }
    for (size_t i = 0; i < TN_COUNTOF(flags); i++) {
        tn_dict_putz(d.dict, flags[i].name, tn_val_int(flags[i].flag));
    }
    return tn_val_module(a, "re", d.dict);
}
