/* jinja_parse.c: statements: text, {{ }} and the tags of Jinja2, `do`, loop controls and dbt's block macros.
 *
 * A body is parsed until one of its end tags, which is left as the current token (after the opening brace). The messages about
 * unknown and missing tags are Jinja2's, since they name what the author most likely forgot.
 */
#include "jinja/parse/jinja_parse.h"

static tn_rc parse_body(tn_jparser *p, const char *const *ends, tn_js **ret);

static tn_js *new_stmt(tn_jparser *p, tn_js_kind kind, uint32_t pos)
{
    tn_js *s = tn_new(p->a, tn_js);
    s->kind = (uint8_t)kind;
    s->pos = pos;
    return s;
}

/* "'endif' or 'else'" */
static const char *list_ends(tn_jparser *p, const char *const *ends)
{
    const char *s = "";
    for (size_t i = 0; ends[i] != NULL; i++) {
        s = tn_arena_printf(p->a, "%s%s'%s'", s, i == 0 ? "" : " or ", ends[i]);
    }
    return s;
}

static bool is_awaited(const tn_jparser *p, tn_str name)
{
    for (size_t i = 0; i < p->ends_n; i++) {
        for (size_t k = 0; p->ends[i][k] != NULL; k++) {
            if (tn_str_is(name, p->ends[i][k])) {
                return true;
            }
        }
    }
    return false;
}

static tn_rc fail_unknown(tn_jparser *p, uint32_t pos, const tn_str *name)
{
    const char *msg =
        name == NULL
            ? "Unexpected end of template."
            : tn_arena_printf(p->a, "Encountered unknown tag '" TN_STR_FMT "'.", TN_STR_ARG(*name));
    if (p->ends_n > 0) {
        const char *ends = list_ends(p, p->ends[p->ends_n - 1]);
        msg = name != NULL && is_awaited(p, *name)
                  ? tn_arena_printf(p->a,
                        "%s You probably made a nesting mistake. Jinja is expecting this tag, but "
                        "currently looking "
                        "for %s.",
                        msg, ends)
                  : tn_arena_printf(
                        p->a, "%s Jinja was looking for the following tags: %s.", msg, ends);
    }
    if (p->tags_n > 0) {
        msg = tn_arena_printf(p->a,
            "%s The innermost block that needs to be closed is '" TN_STR_FMT "'.", msg,
            TN_STR_ARG(p->tags[p->tags_n - 1]));
    }
    return TN_JP_FAIL(p, pos, "%s", msg);
}

/* The body of a tag whose own text ends here, up to one of the ends. */
static tn_rc parse_tag_body(tn_jparser *p, const char *const *ends, tn_js **ret)
{
    tn_jp_skip(p, TN_JTOK_COLON);
    TN_TRY(tn_jp_expect(p, TN_JTOK_BLOCK_END));
    TN_TRY(parse_body(p, ends, ret));
    if (tn_jp_is(p, TN_JTOK_EOF)) {
        p->ends[p->ends_n++] = ends;
        return fail_unknown(p, p->tok->pos, NULL);
    }
    return TN_OK;
}

static tn_rc parse_closed_body(tn_jparser *p, const char *end, tn_js **ret)
{
    const char **ends = tn_new_array(p->a, const char *, 2);
    ends[0] = end;
    TN_TRY(parse_tag_body(p, ends, ret));
    tn_jp_next(p);
    return TN_OK;
}

/* ---- the tags; each starts at its own name ---- */

/* 'if' tuple body {'elif' tuple body} ['else' body] 'endif' */
static tn_rc parse_if(tn_jparser *p, uint32_t pos, tn_js **ret)
{
    static const char *const ends[] = { "elif", "else", "endif", NULL };
    tn_js **at = ret;
    for (bool more = true; more;) {
        tn_js *s = new_stmt(p, TN_JS_IF, pos);
        *at = s;
        at = &s->cond.other;
        TN_TRY(tn_jp_tuple(p, false, NULL, false, &s->cond.test));
        TN_TRY(parse_tag_body(p, ends, &s->cond.body));
        pos = p->tok->pos;
        more = tn_jp_is_name(p, "elif");
        bool other = tn_jp_is_name(p, "else");
        tn_jp_next(p);
        if (other) {
            TN_TRY(parse_closed_body(p, "endif", at));
        }
    }
    return TN_OK;
}

/* 'for' target 'in' tuple ['if' expr] ['recursive'] body ['else' body] 'endfor' */
static tn_rc parse_for(tn_jparser *p, uint32_t pos, tn_js **ret)
{
    static const char *const ends[] = { "endfor", "else", NULL };
    tn_jfor *f = tn_new(p->a, tn_jfor);
    TN_TRY(tn_jp_target(p, "in", false, &f->target));
    if (!tn_jp_skip_name(p, "in")) {
        return TN_JP_FAIL(p, p->tok->pos, "expected token 'in', got '" TN_STR_FMT "'",
            TN_STR_ARG(tn_jp_describe(p->tok)));
    }
    TN_TRY(tn_jp_tuple(p, false, "recursive", false, &f->iter));
    if (tn_jp_skip_name(p, "if")) {
        TN_TRY(tn_jp_expr(p, true, &f->test));
    }
    f->recursive = tn_jp_skip_name(p, "recursive");
    TN_TRY(parse_tag_body(p, ends, &f->body));
    bool other = tn_jp_is_name(p, "else");
    tn_jp_next(p);
    if (other) {
        TN_TRY(parse_closed_body(p, "endfor", &f->other));
    }
    *ret = new_stmt(p, TN_JS_FOR, pos);
    (*ret)->loop = f;
    return TN_OK;
}

/* 'set' target '=' tuple | 'set' target {filter} body 'endset' */
static tn_rc parse_set(tn_jparser *p, uint32_t pos, tn_js **ret)
{
    tn_jtarget *target = NULL;
    TN_TRY(tn_jp_target(p, NULL, true, &target));
    bool block = !tn_jp_skip(p, TN_JTOK_ASSIGN);
    tn_js *s = new_stmt(p, block ? TN_JS_SETBLOCK : TN_JS_SET, pos);
    s->set.target = target;
    *ret = s;
    if (!block) {
        return tn_jp_tuple(p, true, NULL, false, &s->set.expr);
    }
    if (tn_jp_is(p, TN_JTOK_PIPE)) {
        TN_TRY(tn_jp_filters(p, tn_jp_node(p, TN_JX_CAPTURED, pos), false, &s->set.expr));
    }
    return parse_closed_body(p, "endset", &s->set.body);
}

/* A type in a macro's signature, `str` or `Dict[str, List[int]]`: read and dropped, as dbt does when it does not validate. */
static tn_rc skip_type(tn_jparser *p)
{
    tn_str name = TN_STR_NONE;
    TN_TRY(tn_jp_expect_name(p, &name));
    if (!tn_jp_skip(p, TN_JTOK_LBRACKET)) {
        return TN_OK;
    }
    TN_TRY(tn_jp_deeper(p));
    for (bool more = false; !tn_jp_is(p, TN_JTOK_RBRACKET); more = true) {
        if (more) {
            TN_TRY(tn_jp_expect(p, TN_JTOK_COMMA));
        }
        TN_TRY(skip_type(p));
    }
    p->depth--;
    return tn_jp_expect(p, TN_JTOK_RBRACKET);
}

typedef tn_vec(tn_jparam) params;

static void set_params(tn_jinja_macro_def *m, const params *v)
{
    m->params = v->v;
    m->n = v->n;
}

/* '(' [name [':' type] ['=' expr] {',' ...}] ')' */
static tn_rc parse_signature(tn_jparser *p, tn_jinja_macro_def *m)
{
    params v = { 0 };
    bool dflts = false;
    TN_TRY(tn_jp_expect(p, TN_JTOK_LPAREN));
    while (!tn_jp_is(p, TN_JTOK_RPAREN)) {
        if (v.n > 0) {
            TN_TRY(tn_jp_expect(p, TN_JTOK_COMMA));
        }
        tn_jparam one = { 0 };
        uint32_t pos = p->tok->pos;
        TN_TRY(tn_jp_expect_name(p, &one.name));
        for (size_t i = 0; i < v.n; i++) {
            if (tn_str_eq(v.v[i].name, one.name)) {
                return TN_JP_FAIL(p, pos,
                    "duplicate argument '" TN_STR_FMT "' in function definition",
                    TN_STR_ARG(one.name));
            }
        }
        if (tn_jp_skip(p, TN_JTOK_COLON)) {
            TN_TRY(skip_type(p));
        }
        if (tn_jp_skip(p, TN_JTOK_ASSIGN)) {
            TN_TRY(tn_jp_expr(p, true, &one.dflt));
            dflts = true;
        } else if (dflts) {
            return TN_JP_FAIL(p, p->tok->pos, "non-default argument follows default argument");
        }
        tn_vec_push(&v, p->a, one);
    }
    set_params(m, &v);
    return tn_jp_expect(p, TN_JTOK_RPAREN);
}

static tn_jinja_macro_def *new_macro(tn_jparser *p, uint32_t pos)
{
    tn_jinja_macro_def *m = tn_new(p->a, tn_jinja_macro_def);
    m->tmpl = p->t;
    m->pos = pos;
    return m;
}

/* 'macro' name signature body 'endmacro'; 'test' the same, as test_name */
static tn_rc parse_macro(
    tn_jparser *p, uint32_t pos, const char *prefix, const char *end, bool signature, tn_js **ret)
{
    tn_jinja_macro_def *m = new_macro(p, pos);
    TN_TRY(tn_jp_expect_name(p, &m->name));
    if (*prefix != '\0') {
        m->name = tn_str_printf(p->a, "%s" TN_STR_FMT, prefix, TN_STR_ARG(m->name));
    }
    if (signature) {
        TN_TRY(parse_signature(p, m));
    }
    TN_TRY(parse_closed_body(p, end, &m->body));
    *ret = new_stmt(p, TN_JS_MACRO, pos);
    (*ret)->macro = m;
    return TN_OK;
}

/* 'materialization' name {',' ('default' | 'adapter' '=' string | 'supported_languages' '=' list)} body end */
static tn_rc parse_materialization(tn_jparser *p, uint32_t pos, tn_js **ret)
{
    tn_jinja_macro_def *m = new_macro(p, pos);
    tn_str name = TN_STR_NONE, adapter = TN_STR("default");
    tn_jparam languages = { .name = TN_STR("supported_languages") };
    TN_TRY(tn_jp_expect_name(p, &name));
    while (tn_jp_skip(p, TN_JTOK_COMMA)) {
        tn_str word = TN_STR_NONE;
        uint32_t at = p->tok->pos;
        TN_TRY(tn_jp_expect_name(p, &word));
        if (tn_str_is(word, "default")) {
            continue;
        }
        bool is_adapter = tn_str_is(word, "adapter");
        if (!is_adapter && !tn_str_is(word, "supported_languages")) {
            return TN_JP_FAIL(p, at,
                "materialization '" TN_STR_FMT "' received unknown argument '" TN_STR_FMT "'.",
                TN_STR_ARG(name), TN_STR_ARG(word));
        }
        TN_TRY(tn_jp_expect(p, TN_JTOK_ASSIGN));
        tn_jx *x = NULL;
        TN_TRY(tn_jp_expr(p, true, &x));
        if (!is_adapter) {
            languages.dflt = x;
        } else if (x->kind != TN_JX_CONST || !tn_val_is_str(x->value)) {
            return TN_JP_FAIL(
                p, at, "the adapter of a materialization is a text, as in adapter='duckdb'");
        } else {
            adapter = tn_val_as_str(x->value);
        }
    }
    if (languages.dflt == NULL) {
        tn_jx *sql = tn_jp_node(p, TN_JX_CONST, pos);
        sql->value = tn_val_z("sql");
        languages.dflt = tn_jp_node(p, TN_JX_LIST, pos);
        languages.dflt->items.v = tn_new(p->a, tn_jx *);
        languages.dflt->items.v[0] = sql;
        languages.dflt->items.n = 1;
    }
    params v = { 0 };
    tn_vec_push(&v, p->a, languages);
    set_params(m, &v);
    m->name = tn_str_printf(
        p->a, "materialization_" TN_STR_FMT "_" TN_STR_FMT, TN_STR_ARG(name), TN_STR_ARG(adapter));
    TN_TRY(parse_closed_body(p, "endmaterialization", &m->body));
    *ret = new_stmt(p, TN_JS_MACRO, pos);
    (*ret)->macro = m;
    return TN_OK;
}

/* 'call' [signature] call body 'endcall' */
static tn_rc parse_call_block(tn_jparser *p, uint32_t pos, tn_js **ret)
{
    tn_jinja_macro_def *m = new_macro(p, pos);
    m->is_caller = true;
    if (tn_jp_is(p, TN_JTOK_LPAREN)) {
        TN_TRY(parse_signature(p, m));
    }
    tn_js *s = new_stmt(p, TN_JS_CALL, pos);
    s->call.caller = m;
    TN_TRY(tn_jp_expr(p, true, &s->call.call));
    if (s->call.call->kind != TN_JX_CALL) {
        return TN_JP_FAIL(p, pos, "expected call");
    }
    *ret = s;
    return parse_closed_body(p, "endcall", &m->body);
}

/* 'filter' name {'|' name} body 'endfilter' */
static tn_rc parse_filter_block(tn_jparser *p, uint32_t pos, tn_js **ret)
{
    tn_js *s = new_stmt(p, TN_JS_FILTER, pos);
    *ret = s;
    TN_TRY(tn_jp_filters(p, tn_jp_node(p, TN_JX_CAPTURED, pos), true, &s->set.expr));
    return parse_closed_body(p, "endfilter", &s->set.body);
}

/* 'with' [target '=' expr {',' target '=' expr}] body 'endwith' */
static tn_rc parse_with(tn_jparser *p, uint32_t pos, tn_js **ret)
{
    tn_jwith *w = tn_new(p->a, tn_jwith);
    tn_vec(tn_jtarget *) targets = { 0 };
    tn_vec(tn_jx *) values = { 0 };
    while (!tn_jp_is(p, TN_JTOK_BLOCK_END)) {
        if (targets.n > 0) {
            TN_TRY(tn_jp_expect(p, TN_JTOK_COMMA));
        }
        tn_jtarget *t = NULL;
        tn_jx *x = NULL;
        TN_TRY(tn_jp_target(p, NULL, false, &t));
        TN_TRY(tn_jp_expect(p, TN_JTOK_ASSIGN));
        TN_TRY(tn_jp_expr(p, true, &x));
        tn_vec_push(&targets, p->a, t);
        tn_vec_push(&values, p->a, x);
    }
    w->targets = targets.v;
    w->values = values.v;
    w->n = targets.n;
    *ret = new_stmt(p, TN_JS_WITH, pos);
    (*ret)->with = w;
    return parse_closed_body(p, "endwith", &w->body);
}

/* 'autoescape' expr body 'endautoescape': accepted; escaping stays off */
static tn_rc parse_autoescape(tn_jparser *p, uint32_t pos, tn_js **ret)
{
    tn_js *s = new_stmt(p, TN_JS_SCOPE, pos);
    *ret = s;
    TN_TRY(tn_jp_expr(p, true, &s->set.expr));
    return parse_closed_body(p, "endautoescape", &s->set.body);
}

/* 'block' name ['scoped'] ['required'] body 'endblock' [name] */
static tn_rc parse_block(tn_jparser *p, uint32_t pos, tn_js **ret)
{
    tn_js *s = new_stmt(p, TN_JS_BLOCK, pos);
    *ret = s;
    TN_TRY(tn_jp_expect_name(p, &s->block.name));
    bool scoped = tn_jp_skip_name(p, "scoped");
    if (tn_jp_skip_name(p, "required")) {
        return TN_JP_FAIL(
            p, pos, "required blocks need template inheritance, which is not supported");
    }
    if (tn_jp_is(p, TN_JTOK_SUB)) {
        return TN_JP_FAIL(p, p->tok->pos,
            "Block names in Jinja have to be valid Python identifiers and may not contain hyphens, "
            "use an underscore "
            "instead.");
    }
    s->block.fn = scoped ? NULL : tn_new(p->a, tn_jfunc);
    TN_TRY(parse_closed_body(p, "endblock", &s->block.body));
    if (tn_jp_is(p, TN_JTOK_NAME) && tn_str_eq(tn_val_as_str(p->tok->v), s->block.name)) {
        tn_jp_next(p);
    }
    return TN_OK;
}

static void skip_context_words(tn_jparser *p)
{
    if ((tn_jp_is_name(p, "with") || tn_jp_is_name(p, "without")) &&
        p->tok[1].kind == TN_JTOK_NAME && tn_str_is(tn_val_as_str(p->tok[1].v), "context")) {
        p->tok += 2;
    }
}

/* 'extends' expr | 'include' expr ['ignore' 'missing'] | 'import' expr 'as' name | 'from' expr 'import' name ['as' name] {...} */
static tn_rc parse_load(tn_jparser *p, uint32_t pos, const char *what, tn_js **ret)
{
    tn_js *s = new_stmt(p, TN_JS_LOAD, pos);
    s->load.what = what;
    *ret = s;
    TN_TRY(tn_jp_expr(p, true, &s->load.name));
    bool from = strcmp(what, "from") == 0, import = strcmp(what, "import") == 0;
    if (tn_jp_is_name(p, "ignore") && p->tok[1].kind == TN_JTOK_NAME) {
        p->tok += 2;
    }
    if ((from && !tn_jp_skip_name(p, "import")) || (import && !tn_jp_skip_name(p, "as"))) {
        return TN_JP_FAIL(p, p->tok->pos, "expected token '%s', got '" TN_STR_FMT "'",
            from ? "import" : "as", TN_STR_ARG(tn_jp_describe(p->tok)));
    }
    while (from || import) {
        tn_str name = TN_STR_NONE;
        TN_TRY(tn_jp_expect_name(p, &name));
        if (from && tn_jp_skip_name(p, "as")) {
            TN_TRY(tn_jp_expect_name(p, &name));
        }
        tn_vec_push(&s->load.names, p->a, name);
        if (import || !tn_jp_skip(p, TN_JTOK_COMMA)) {
            break;
        }
    }
    skip_context_words(p);
    return TN_OK;
}

static void add_stmt(tn_js ***tail, tn_js *s)
{
    **tail = s;
    *tail = &s->next;
}

/* 'print' expr {',' expr}: one output each */
static tn_rc parse_print(tn_jparser *p, tn_js ***tail)
{
    for (bool more = false; !tn_jp_is(p, TN_JTOK_BLOCK_END); more = true) {
        if (more) {
            TN_TRY(tn_jp_expect(p, TN_JTOK_COMMA));
        }
        tn_js *s = new_stmt(p, TN_JS_OUTPUT, p->tok->pos);
        TN_TRY(tn_jp_expr(p, true, &s->expr));
        add_stmt(tail, s);
    }
    return TN_OK;
}

static tn_rc parse_dbt_tag(tn_jparser *p, uint32_t pos, tn_str tag, tn_js **ret, bool *known)
{
    *known = true;
    if (tn_str_is(tag, "test")) {
        return parse_macro(p, pos, "test_", "endtest", true, ret);
    }
    if (tn_str_is(tag, "data_test")) {
        return parse_macro(p, pos, "test_", "enddata_test", true, ret);
    }
    if (tn_str_is(tag, "materialization")) {
        return parse_materialization(p, pos, ret);
    }
    if (tn_str_is(tag, "snapshot")) {
        return parse_macro(p, pos, "", "endsnapshot", false, ret);
    }
    if (tn_str_is(tag, "docs")) {
        return parse_macro(p, pos, "", "enddocs", false, ret);
    }
    *known = false;
    return TN_OK;
}

typedef tn_rc (*tag_fn)(tn_jparser *p, uint32_t pos, tn_js **ret);

/* The tag whose name has been read; what it becomes is added at the tail. */
static tn_rc parse_known_tag(tn_jparser *p, uint32_t pos, tn_str tag, tn_js ***tail, bool *known)
{
    static const struct {
        const char *tag;
        tag_fn fn;
    } tags[] = {
        { "set", parse_set },
        { "if", parse_if },
        { "for", parse_for },
        { "call", parse_call_block },
        { "filter", parse_filter_block },
        { "with", parse_with },
        { "block", parse_block },
        { "autoescape", parse_autoescape },
    };
    static const char *const loads[] = { "extends", "include", "import", "from" };
    tn_js *s = NULL;
    *known = true;
    if (tn_str_is(tag, "print")) {
        return parse_print(p, tail);
    }
    for (size_t i = 0; i < TN_COUNTOF(tags); i++) {
        if (tn_str_is(tag, tags[i].tag)) {
            TN_TRY(tags[i].fn(p, pos, &s));
        }
    }
    for (size_t i = 0; i < TN_COUNTOF(loads); i++) {
        if (tn_str_is(tag, loads[i])) {
            TN_TRY(parse_load(p, pos, loads[i], &s));
        }
    }
    if (tn_str_is(tag, "macro")) {
        TN_TRY(parse_macro(p, pos, "", "endmacro", true, &s));
    } else if (tn_str_is(tag, "do")) {
        s = new_stmt(p, TN_JS_DO, pos);
        TN_TRY(tn_jp_tuple(p, true, NULL, false, &s->expr));
    } else if (tn_str_is(tag, "break") || tn_str_is(tag, "continue")) {
        s = new_stmt(p, tn_str_is(tag, "break") ? TN_JS_BREAK : TN_JS_CONTINUE, pos);
    } else if (s == NULL && p->t->env->opts.dbt_tags) {
        TN_TRY(parse_dbt_tag(p, pos, tag, &s, known));
    }
    *known = *known && s != NULL;
    if (s != NULL) {
        add_stmt(tail, s);
    }
    return TN_OK;
}

static tn_rc parse_tag(tn_jparser *p, tn_js ***tail)
{
    const tn_jtok *tok = p->tok;
    if (tok->kind != TN_JTOK_NAME) {
        return TN_JP_FAIL(p, tok->pos, "tag name expected");
    }
    tn_str tag = tn_val_as_str(tok->v);
    TN_TRY(tn_jp_deeper(p));
    p->tags[p->tags_n++] = tag;
    tn_jp_next(p);
    bool known = false;
    TN_TRY(parse_known_tag(p, tok->pos, tag, tail, &known));
    p->tags_n--;
    p->depth--;
    return known ? TN_OK : fail_unknown(p, tok->pos, &tag);
}

static bool at_end_tag(const tn_jparser *p, const char *const *ends)
{
    for (size_t i = 0; ends != NULL && ends[i] != NULL; i++) {
        if (tn_jp_is_name(p, ends[i])) {
            return true;
        }
    }
    return false;
}

/* {data | '{{' tuple '}}' | '{%' tag '%}'}; stops at an end tag's name or the end of the template */
static tn_rc parse_body(tn_jparser *p, const char *const *ends, tn_js **ret)
{
    tn_js **tail = ret;
    if (ends != NULL) {
        p->ends[p->ends_n++] = ends;
    }
    while (!tn_jp_is(p, TN_JTOK_EOF)) {
        const tn_jtok *tok = p->tok;
        tn_jp_next(p);
        if (tok->kind == TN_JTOK_DATA) {
            tn_js *s = new_stmt(p, TN_JS_TEXT, tok->pos);
            s->text = tn_val_as_str(tok->v);
            add_stmt(&tail, s);
        } else if (tok->kind == TN_JTOK_VAR_BEGIN) {
            tn_js *s = new_stmt(p, TN_JS_OUTPUT, tok->pos);
            TN_TRY(tn_jp_tuple(p, true, NULL, false, &s->expr));
            TN_TRY(tn_jp_expect(p, TN_JTOK_VAR_END));
            add_stmt(&tail, s);
        } else { /* the lexer gives nothing else outside of tags */
            TN_CHECK(tok->kind == TN_JTOK_BLOCK_BEGIN);
            if (at_end_tag(p, ends)) {
                break;
            }
            TN_TRY(parse_tag(p, &tail));
            TN_TRY(tn_jp_expect(p, TN_JTOK_BLOCK_END));
        }
    }
    p->ends_n -= ends != NULL;
    return TN_OK;
}

tn_rc tn_jinja_parse_tree(tn_arena *a, tn_jinja_tmpl *t, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("jinja tokens", NULL);
    tn_jtoks toks = { 0 };
    TN_TRY(tn_jinja_lex(a, scratch, t, t->is_expr, &toks, err));
    tn_jparser *p = tn_new(scratch, tn_jparser);
    *p = (tn_jparser){
        .a = a, .t = t, .tok = toks.v, .err = err, .stack_base = tn_jinja_stack_here()
    };
    if (!t->is_expr) {
        return parse_body(p, NULL, &t->body);
    }
    TN_TRY(tn_jp_expr(p, true, &t->expr));
    if (!tn_jp_is(p, TN_JTOK_EOF)) {
        return TN_JP_FAIL(p, p->tok->pos, "chunk after expression");
    }
    return TN_OK;
}
