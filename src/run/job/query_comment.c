/* query_comment.c: the comment that every statement of a template carries, so that a database's history tells whose it is: dbt's default (who, with
 * which profile, for which node), or what `query-comment:` of the project says, in front of the statement or behind it. */
#include "run/job/job.h"

static const char default_comment[] =
    "{%- set comment_dict = dict(app='dbt', dbt_version=dbt_version, "
    "profile_name=target.get('profile_name'), target_name=target.get('target_name')) -%}"
    "{%- if node is not none -%}{%- do comment_dict.update(node_id=node.unique_id) -%}"
    "{%- else -%}{%- do comment_dict.update(connection_name=connection_name) -%}{%- endif -%}"
    "{{ return(tojson(comment_dict)) }}";

/* The project's comment as a template; empty: none is wanted. */
static tn_str template_of(const tn_project *p, bool *ret_append)
{
    tn_val given = p->query_comment;
    *ret_append = tn_val_bool_at(given, "append", false);
    if (given.tag == TN_DICT) {
        given = tn_val_at(given, "comment");
    }
    return tn_val_is_undef(given) ? tn_str_of(default_comment)
           : tn_val_is_str(given) ? tn_val_as_str(given)
                                  : TN_STR("");
}

static tn_rc make(tn_job *j, tn_err *err)
{
    tn_str body = template_of(j->session->project, &j->comment_behind);
    j->comment_made =
        true; /* before it is rendered: what the template itself asks the database has none */
    if (body.n == 0) {
        return TN_OK;
    }
    tn_buf b = tn_buf_init(j->arena, 1 << 20);
    tn_buf_addz(&b, "{%- macro query_comment_macro(connection_name, node) -%}\n");
    tn_buf_add(&b, body);
    tn_buf_addz(&b, "{% endmacro %}{{ query_comment_macro(connection_name, node) }}");
    bool of_node = j->node != NULL;
    tn_dict_putz(
        j->names, "connection_name", of_node ? tn_val_str(j->node->unique_id) : tn_val_z("master"));
    if (!of_node) {
        tn_dict_putz(j->names, "node", TN_VAL_NONE);
    }
    tn_str text;
    TN_TRY(
        tn_pctx_render(&j->pctx, tn_buf_str(&b), (tn_jinja_src){ "query-comment", 0 }, &text, err));
    if (tn_str_find(text, TN_STR("*/"), 0) != SIZE_MAX) {
        return tn_fail(err, TN_E_VALUE, "query comment contains illegal value \"*/\": " TN_STR_FMT,
            TN_STR_ARG(text));
    }
    j->comment = tn_str_trim(text);
    return TN_OK;
}

tn_rc tn_job_comment(tn_job *j, tn_str sql, tn_str *ret, tn_err *err)
{
    if (!j->comment_made) {
        TN_TRY(make(j, err));
    }
    if (j->comment.n == 0) {
        *ret = sql;
    } else if (!j->comment_behind) {
        *ret = tn_str_printf(
            j->arena, "/* " TN_STR_FMT " */\n" TN_STR_FMT, TN_STR_ARG(j->comment), TN_STR_ARG(sql));
    } else {
        sql = tn_str_trim(sql);
        bool semicolon = sql.n > 0 && sql.p[sql.n - 1] == ';';
        *ret = tn_str_printf(j->arena, TN_STR_FMT "\n/* " TN_STR_FMT " */%s",
            TN_STR_ARG(tn_str_sub(sql, 0, sql.n - semicolon)), TN_STR_ARG(j->comment),
            semicolon ? ";" : "");
    }
    return TN_OK;
}
