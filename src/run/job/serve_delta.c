/* serve_delta.c: delta_scan('place') in a statement becomes the SELECT of our own reader. */
#include "run/job/job.h"
#include "run/session/lake_target.h"
#include "text/uri.h"

static bool is_name_char(char c)
{
    return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* The end of a quoted run that starts at `at`. */
static size_t quote_end(tn_str s, size_t at)
{
    size_t end = tn_str_find_char(s, s.p[at], at + 1);
    return end == SIZE_MAX ? s.n : end + 1;
}

/* Stands on "delta_scan": the literal and the place behind ')'. */
static bool read_literal_call(tn_str s, size_t at, tn_str *ret_literal, size_t *ret_end)
{
    size_t i = at + sizeof "delta_scan" - 1;
    while (i < s.n && s.p[i] == ' ') {
        i++;
    }
    if (i >= s.n || s.p[i] != '(') {
        return false;
    }
    for (i++; i < s.n && (s.p[i] == ' ' || s.p[i] == '\n'); i++) {
    }
    if (i >= s.n || s.p[i] != '\'') {
        return false;
    }
    size_t end = quote_end(s, i);
    *ret_literal = tn_str_sub(s, i + 1, end - 1);
    for (; end < s.n && (s.p[end] == ' ' || s.p[end] == '\n'); end++) {
    }
    *ret_end = end + 1;
    return end < s.n && s.p[end] == ')';
}

static size_t skip_comment(tn_str s, size_t i)
{
    size_t end = s.p[i] == '-' ? tn_str_find_char(s, '\n', i) : tn_str_find(s, TN_STR("*/"), i);
    return end == SIZE_MAX ? s.n : end + (s.p[i] == '-' ? 1 : 2);
}

static bool is_comment(tn_str s, size_t i)
{
    return i + 1 < s.n &&
           ((s.p[i] == '-' && s.p[i + 1] == '-') || (s.p[i] == '/' && s.p[i + 1] == '*'));
}

tn_rc tn_job_serve_delta(tn_job *j, tn_str sql, tn_str *ret, tn_err *err)
{
    static const tn_str name = { "delta_scan", sizeof "delta_scan" - 1 };
    if (strcasestr(tn_str_z(j->arena, sql), "delta_scan") == NULL) {
        *ret = sql;
        return TN_OK;
    }
    tn_buf b = tn_buf_init(j->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < sql.n;) {
        size_t end = i + 1;
        tn_str literal, scan;
        if (sql.p[i] == '\'' || sql.p[i] == '"') {
            end = quote_end(sql, i);
        } else if (is_comment(sql, i)) {
            end = skip_comment(sql, i);
        } else if ((i == 0 || !is_name_char(sql.p[i - 1])) && i + name.n < sql.n &&
                   tn_str_eq_nocase(tn_str_sub(sql, i, i + name.n), name) &&
                   read_literal_call(sql, i, &literal, &end)) {
            tn_rc rc = tn_place_scan(j->session, j->worker->conn, j->arena,
                tn_str_replace(j->arena, literal, TN_STR("''"), TN_STR("'")), TN_DELTA_LATEST,
                &scan, err);
            if (rc == TN_OK) {
                tn_buf_addf(&b, "(" TN_STR_FMT ")", TN_STR_ARG(scan));
                i = end;
                continue;
            }
            if (rc != TN_E_UNSUPPORTED || !tn_uri_is_remote(literal)) {
                return tn_while(err, rc, "delta_scan('" TN_STR_FMT "')", TN_STR_ARG(literal));
            }
            TN_TRY(tn_duck_load(j->worker->conn, TN_STR("delta"), err));
        }
        tn_buf_add(&b, tn_str_sub(sql, i, end));
        i = end;
    }
    return tn_buf_finish(&b, "a statement", ret, err);
}
