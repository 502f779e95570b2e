/* lake_narrow.c: a query's text with scans of fewer files in it; see lake_narrow.h. The tree tells where in the text a table is named. */
#include "lake/sql/lake_narrow_impl.h"

#include "base/log.h"
#include "text/sqltext.h"

/* ---- changes of the text ---- */

/* The name that the tree says is at `location`, or the call of delta_scan; false when the text has another there. */
static bool find_name(
    narrow *n, const narrow_text *text, tn_val node, size_t *ret_from, size_t *ret_to)
{
    int64_t location = tn_val_int_at(node, "query_location", -1);
    const tn_tokens *t = &text->tokens;
    for (size_t i = 0; i < t->n; i++) {
        size_t at = i;
        tn_strs parts = { 0 };
        if (t->v[i].text.p - text->sql.p != location) {
            continue;
        }
        if (narrow_says(node, "type", "TABLE_FUNCTION")) {
            bool call = tn_token_is(t, i, "delta_scan") && tn_token_is(t, i + 1, "(") &&
                        tn_token_is(t, i + 3, ")");
            at = i + 4;
            if (!call) {
                return false;
            }
        } else if (!tn_token_dotted(n->a, t, &at, &parts) ||
                   !tn_str_eq_nocase(
                       tn_vec_last(&parts), tn_val_str_at(node, "table_name", TN_STR_NONE))) {
            return false;
        }
        tn_str last = t->v[at - 1].text;
        *ret_from = (size_t)location;
        *ret_to = (size_t)(last.p + last.n - text->sql.p);
        return true;
    }
    return false;
}

/* A query in parentheses takes the place of a name. */
static void put_query(narrow *n, narrow_text *text, tn_val node, tn_str sql)
{
    narrow_change c;
    tn_buf b = tn_buf_init(n->a, NARROW_SQL_MAX);
    if (!find_name(n, text, node, &c.from, &c.to)) {
        return;
    }
    tn_buf_addc(&b, '(');
    tn_buf_add(&b, sql);
    tn_buf_addz(&b, "\n)");
    if (tn_val_str_at(node, "alias", TN_STR_NONE).n == 0 && narrow_alias(node).n > 0) {
        tn_buf_addz(&b, " AS ");
        tn_sql_ident(&b, narrow_alias(node));
    }
    if (tn_buf_finish(&b, "a scan", &c.sql, NULL) == TN_OK) {
        tn_vec_push(&text->changes, n->a, c);
    }
}

void narrow_table(narrow *n, narrow_text *text, const narrow_item *item, const bool *keep)
{
    size_t files = tn_delta_snapshot_file_count(item->snap);
    size_t kept = 0;
    tn_str scan;
    tn_delta_scan_opts so = { .conn = n->conn, .only = keep };
    for (size_t i = 0; i < files; i++) {
        kept += keep[i];
    }
    tn_log(TN_LOG_DEBUG, "skip", "'" TN_STR_FMT "': %zu of %zu files", TN_STR_ARG(item->alias),
        kept, files);
    if (kept < files && tn_delta_scan_sql(item->snap, n->a, &so, &scan, NULL) == TN_OK) {
        put_query(n, text, item->node, scan);
    }
}

static int by_place(const void *x, const void *y)
{
    const narrow_change *a = x;
    const narrow_change *b = y;
    return a->from < b->from ? -1 : a->from > b->from;
}

static bool apply(narrow *n, narrow_text *text, tn_str *ret)
{
    tn_buf b = tn_buf_init(n->a, NARROW_SQL_MAX);
    size_t at = 0;
    if (text->changes.n == 0) {
        return false;
    }
    qsort(text->changes.v, text->changes.n, sizeof text->changes.v[0], by_place);
    for (size_t i = 0; i < text->changes.n; i++) {
        const narrow_change *c = &text->changes.v[i];
        if (c->from < at) {
            return false; /* the tree shows one place twice */
        }
        tn_buf_add(&b, tn_str_sub(text->sql, at, c->from));
        tn_buf_add(&b, c->sql);
        at = c->to;
    }
    tn_buf_add(&b, tn_str_sub(text->sql, at, text->sql.n));
    return tn_buf_finish(&b, "a query", ret, NULL) == TN_OK;
}

/* ---- the query ---- */

static bool has_word(const tn_tokens *t, const char *const *words)
{
    for (size_t i = 0; i < t->n; i++) {
        if (tn_token_is_any(t, i, words)) {
            return true;
        }
    }
    return false;
}

bool tn_narrow(tn_conn *conn, tn_arena *a, tn_str query, const tn_narrow_names *names, tn_str *ret)
{
    static const char *const DEMANDS[] = { "where", "on", NULL };
    narrow n = { .conn = conn, .a = a, .names = names };
    tn_tokens tokens;
    tn_val tree;
    if (tn_sql_tokens(a, query, &tokens, NULL) != TN_OK || !has_word(&tokens, DEMANDS)) {
        return false;
    }
    narrow_text *text = narrow_parse(&n, query, &tree);
    if (text == NULL) {
        return false;
    }
    narrow_build(&n, tree, text);
    narrow_constants(&n, tree, 0); /* behind: the subqueries are to be narrowed too */
    for (size_t i = n.order.n; i-- > 0 && !n.broken;) {
        narrow_process(&n, n.order.v[i]);
    }
    for (size_t i = 0; i < n.texts.n && !n.broken; i++) { /* inner views first */
        tn_str view;
        if (!n.texts.v[i]->bare && apply(&n, n.texts.v[i], &view)) {
            put_query(&n, n.texts.v[i]->outer, n.texts.v[i]->node, view);
        }
    }
    return !n.broken && apply(&n, text, ret);
}

bool tn_narrow_where(tn_conn *conn, tn_arena *a, tn_str query, tn_str where,
    const tn_narrow_names *names, tn_str *ret)
{
    tn_str tail = tn_str_printf(a, "\nWHERE (" TN_STR_FMT "\n)", TN_STR_ARG(where));
    tn_str whole;
    if (where.n == 0) {
        return tn_narrow(conn, a, query, names, ret);
    }
    if (!tn_narrow(conn, a, tn_str_concat(a, query, tail), names, &whole) ||
        !tn_str_ends(whole, tail)) {
        return false;
    }
    *ret = tn_str_sub(whole, 0, whole.n - tail.n);
    return true;
}

/* ---- where a query begins ---- */

static bool begins_query(const tn_tokens *t, size_t i)
{
    return tn_token_is(t, i, "select") || tn_token_is(t, i, "with") || tn_token_is(t, i, "from") ||
           tn_token_is(t, i, "(");
}

/* Behind CREATE .. TABLE name .. AS. */
static size_t after_as(const tn_tokens *t)
{
    size_t i = 1;
    i += tn_token_are(t, i, "or replace") ? 2 : 0;
    i += tn_token_is(t, i, "temp") || tn_token_is(t, i, "temporary") ? 1 : 0;
    if (!tn_token_is(t, i, "table")) {
        return SIZE_MAX; /* a view's text stays as it is */
    }
    while (i < t->n && !tn_token_is(t, i, "as")) {
        i = tn_token_is(t, i, "(") ? tn_token_close(t, i) : i + 1;
    }
    return i < t->n ? i + 1 : SIZE_MAX;
}

/* Behind INSERT INTO name [(columns) | BY NAME]. */
static size_t after_into(tn_arena *a, const tn_tokens *t)
{
    size_t i = 2;
    tn_strs parts = { 0 };
    if (!tn_token_is(t, 1, "into") || !tn_token_dotted(a, t, &i, &parts)) {
        return SIZE_MAX;
    }
    if (tn_token_is(t, i, "(") && !begins_query(t, i + 1)) {
        i = tn_token_close(t, i);
        i += i == SIZE_MAX ? 0 : 1;
    }
    return tn_token_are(t, i, "by name") || tn_token_are(t, i, "by position") ? i + 2 : i;
}

size_t tn_narrow_begin(tn_arena *a, tn_str statement)
{
    tn_tokens t;
    size_t i = 0;
    if (tn_sql_tokens(a, statement, &t, NULL) != TN_OK || t.n == 0) {
        return SIZE_MAX;
    }
    if (tn_token_is(&t, 0, "explain")) {
        i = tn_token_is(&t, 1, "analyze") ? 2 : 1;
        size_t close = tn_token_is(&t, 1, "(") ? tn_token_close(&t, 1) : SIZE_MAX;
        i = close != SIZE_MAX && begins_query(&t, close + 1) ? close + 1 : i;
    } else if (tn_token_is(&t, 0, "create")) {
        i = after_as(&t);
    } else if (tn_token_is(&t, 0, "insert")) {
        i = after_into(a, &t);
    }
    return i < t.n && begins_query(&t, i) ? (size_t)(t.v[i].text.p - statement.p) : SIZE_MAX;
}
