/* lake_sql_show.c: statements that people know from other engines: SHOW TABLES lists the lake, and where a statement is not there, the error
 * says what to write in its place.
 *
 *     SHOW TABLES [FROM | IN schema] [[LIKE] 'pattern']      * and % stand for any text
 */
#include "lake/sql/lake_session.h"
#include "text/sqltext.h"

enum { TEXT_BYTES_MAX = 1 << 16 };

static const struct {
    const char *words;
    const char *instead;
} ELSEWHERE[] = {
    { "show tblproperties", "DESCRIBE DETAIL t has the properties" },
    { "show columns", "DESCRIBE t has the columns" },
    { "show partitions",
        "SELECT DISTINCT over the partition columns; DESCRIBE DETAIL t names them" },
    { "show create", "DESCRIBE t and DESCRIBE DETAIL t have what the table is made of" },
    { "show history", "DESCRIBE HISTORY t" },
    { "describe extended", "DESCRIBE t, DESCRIBE DETAIL t" },
    { "describe formatted", "DESCRIBE t, DESCRIBE DETAIL t" },
    { "describe table extended", "DESCRIBE t, DESCRIBE DETAIL t" },
    { "convert to delta", "CREATE TABLE t AS SELECT * FROM read_parquet('..'), or 'tarn land'" },
    { "copy into", "'tarn land TABLE FILE...', or INSERT INTO t SELECT * FROM read_parquet('..')" },
    { "analyze table", "nothing: statistics are written with the data" },
    { "msck repair", "FSCK REPAIR TABLE t for files that are gone; partitions need no repair" },
    { "replace table", "CREATE OR REPLACE TABLE t AS .." },
    { "refresh table", "nothing: each statement sees the newest state" },
    { "cache table", "CREATE TEMP TABLE c AS SELECT .." },
};

tn_rc tn_lake_sql_hint(const tn_tokens *t, tn_rc rc, tn_err *err)
{
    for (size_t i = 0; rc != TN_OK && i < TN_COUNTOF(ELSEWHERE); i++) {
        if (tn_token_are(t, 0, ELSEWHERE[i].words)) {
            return tn_hint(err, rc, "in place of %s: %s", ELSEWHERE[i].words, ELSEWHERE[i].instead);
        }
    }
    return rc;
}

tn_rc tn_lake_sql_show(tn_arena *a, const tn_tokens *t, tn_str *statement, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TEXT_BYTES_MAX);
    size_t at = 2;
    if (!tn_token_are(t, 0, "show tables")) {
        return TN_OK;
    }
    tn_buf_addz(&b, "SELECT table_schema AS \"schema\", table_name AS name, CASE WHEN table_type = "
                    "'LOCAL TEMPORARY' THEN 'temporary' ELSE 'table' END AS kind FROM "
                    "information_schema.tables WHERE true");
    if ((tn_token_is(t, at, "from") || tn_token_is(t, at, "in")) && tn_token_is_name(t, at + 1)) {
        tn_buf_addz(&b, " AND table_schema = ");
        tn_sql_literal(&b, tn_token_value(a, &t->v[at + 1]));
        at += 2;
    }
    at += tn_token_is(t, at, "like");
    if (at < t->n && t->v[at].kind == TN_TOKEN_STRING) {
        tn_buf_addz(&b, " AND table_name ILIKE ");
        tn_sql_literal(
            &b, tn_str_replace(a, tn_token_value(a, &t->v[at]), TN_STR("*"), TN_STR("%")));
        at++;
    }
    if (at != t->n) {
        return tn_fail(err, TN_E_SYNTAX, "write SHOW TABLES [FROM schema] [LIKE 'pattern']");
    }
    tn_buf_addz(&b, " ORDER BY ALL");
    return tn_buf_finish(&b, "SHOW TABLES", statement, err);
}
