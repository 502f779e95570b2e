/* compile.c: from a node's template to its SQL: rendering, and ephemeral models put in front as common table expressions.
 *
 * Ephemeral parents are compiled in their own contexts, theirs first, so that the list of CTEs is in an order in which each sees those
 * before it. dbt's text is kept to the blank: ` __dbt__cte__alias as (\nsql\n)` pieces joined by ", ", before the first word of the
 * query, or behind the blanks that follow its own WITH.
 */
#include "run/job/job.h"
#include "text/sqltext.h"

enum { TN_EPHEMERAL_DEPTH_MAX = 200 };

static bool has_cte(tn_val ctes, tn_str id)
{
    for (size_t i = 0; i < ctes.list->n; i++) {
        if (tn_str_eq(tn_val_str_at(ctes.list->v[i], "id", TN_STR_NONE), id)) {
            return true;
        }
    }
    return false;
}

static tn_rc render_node(tn_job *j, tn_str *ret, tn_err *err)
{
    tn_jinja_src src = { .file = tn_str_z(j->arena,
                             j->node->file.n > 0 ? j->node->file : j->node->original_file_path),
        .line = j->node->raw_line };
    return tn_pctx_render(&j->pctx, j->node->raw_code, src, ret, err);
}

static tn_rc add_ephemerals(tn_job *j, tn_job *root, tn_val ctes, int depth, tn_err *err);

static tn_rc add_ephemeral(tn_job *j, tn_job *root, tn_node *e, tn_val ctes, int depth, tn_err *err)
{
    tn_job inner;
    TN_TRY(
        tn_job_init(&inner, j->session, j->worker, e, j->pctx.selected_resources, j->arena, err));
    inner.empty = j->empty;
    tn_str sql;
    tn_rc rc = render_node(&inner, &sql, err);
    if (rc != TN_OK) {
        root->failed_ephemeral = e;
        return rc;
    }
    size_t before = ctes.list->n;
    TN_TRY(add_ephemerals(&inner, root, ctes, depth + 1, err));
    tn_val own = tn_val_list(j->arena);
    for (size_t i = before; i < ctes.list->n; i++) {
        tn_list_push(own.list, ctes.list->v[i]);
    }
    tn_compiled_parent kept = { .node = e };
    TN_TRY(tn_inject_ctes(j->arena, sql, own, &kept.sql, err));
    tn_vec_push(&root->compiled_parents, root->arena, kept);
    tn_val entry = tn_val_dict(j->arena);
    tn_dict_putz(entry.dict, "id", tn_val_str(e->unique_id));
    tn_dict_putz(entry.dict, "sql",
        tn_val_str(tn_str_printf(j->arena, " __dbt__cte__" TN_STR_FMT " as (\n" TN_STR_FMT "\n)",
            TN_STR_ARG(e->alias), TN_STR_ARG(sql))));
    tn_list_push(ctes.list, entry);
    return TN_OK;
}

static tn_rc add_ephemerals(tn_job *j, tn_job *root, tn_val ctes, int depth, tn_err *err)
{
    if (depth > TN_EPHEMERAL_DEPTH_MAX) {
        return tn_fail(err, TN_E_LIMIT, "ephemeral models are nested deeper than %d",
            (int)TN_EPHEMERAL_DEPTH_MAX);
    }
    for (size_t i = 0; i < j->ephemerals.n; i++) {
        if (!has_cte(ctes, j->ephemerals.v[i]->unique_id)) {
            TN_TRY(add_ephemeral(j, root, j->ephemerals.v[i], ctes, depth, err));
        }
    }
    return TN_OK;
}

static bool word_at(tn_str s, size_t at, const char *word)
{
    size_t n = strlen(word);
    return at + n <= s.n && tn_str_eq_nocase(tn_str_sub(s, at, at + n), tn_str_of(word)) &&
           (at + n == s.n || s.p[at + n] == ' ' || s.p[at + n] == '\n' || s.p[at + n] == '\t' ||
               s.p[at + n] == '\r' || s.p[at + n] == '(' || s.p[at + n] == '-' ||
               s.p[at + n] == '/');
}

static tn_str without_blanks(tn_str s)
{
    size_t at = 0;
    while (at < s.n && strchr(" \t\r\n\f\v", s.p[at]) != NULL && s.p[at] != '\0') {
        at++;
    }
    return tn_str_sub(s, at, s.n);
}

tn_rc tn_inject_ctes(tn_arena *a, tn_str sql, tn_val ctes, tn_str *ret, tn_err *err)
{
    if (ctes.list->n == 0) {
        *ret = sql;
        return TN_OK;
    }
    tn_buf list = tn_buf_init(a, TN_BUF_NO_LIMIT), b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < ctes.list->n; i++) {
        tn_buf_addz(&list, i > 0 ? ", " : "");
        tn_buf_add(&list, tn_val_str_at(ctes.list->v[i], "sql", TN_STR_NONE));
    }
    tn_str rest = tn_sql_skip_blank(sql);
    size_t at = sql.n - rest.n;
    if (word_at(sql, at, "with")) {
        size_t after = at + 4;
        tn_str tail = tn_sql_skip_blank(tn_str_sub(sql, after, sql.n));
        size_t recursive = sql.n - tail.n;
        after = word_at(sql, recursive, "recursive") ? recursive + 9 : after;
        after = sql.n - without_blanks(tn_str_sub(sql, after, sql.n)).n;
        tn_buf_add(&b, tn_str_sub(sql, 0, after));
        tn_buf_add(&b, tn_buf_str(&list));
        tn_buf_addz(&b, ", ");
        tn_buf_add(&b, tn_str_sub(sql, after, sql.n));
    } else {
        tn_str text = without_blanks(sql);
        tn_buf_add(&b, tn_str_sub(sql, 0, sql.n - text.n));
        tn_buf_addz(&b, "with");
        tn_buf_add(&b, tn_buf_str(&list));
        tn_buf_addz(&b, " ");
        tn_buf_add(&b, text);
    }
    return tn_buf_finish(&b, "compiled SQL", ret, err);
}

tn_rc tn_job_render(tn_job *j, tn_str *ret, tn_err *err)
{
    return render_node(j, ret, err);
}

tn_rc tn_job_compile(tn_job *j, tn_val *ret_ctes, tn_err *err)
{
    tn_str sql;
    tn_val ctes = tn_val_list(j->arena);
    TN_TRY(render_node(j, &sql, err));
    TN_TRY(add_ephemerals(j, j, ctes, 0, err));
    if (!j->no_ctes) {
        TN_TRY(tn_inject_ctes(j->arena, sql, ctes, &sql, err));
    }
    j->sql = sql.p != NULL ? sql : TN_STR("");
    if (ret_ctes != NULL) {
        *ret_ctes = ctes;
    }
    /* `model` shows what was compiled from here on. */
    tn_val model = tn_node_dict(j->arena, j->node);
    tn_dict_putz(model.dict, "compiled", TN_VAL_TRUE);
    tn_dict_putz(model.dict, "compiled_code", tn_val_str(j->sql));
    tn_dict_putz(model.dict, "compiled_sql", tn_val_str(j->sql));
    tn_dict_putz(model.dict, "root_path", tn_val_str(j->session->project->root));
    if (j->batch.tag == TN_DICT) {
        tn_dict_putz(model.dict, "batch", j->batch);
    }
    TN_TRY(tn_job_foreign_keys(j, model, err));
    j->pctx.model = model;
    return TN_OK;
}
