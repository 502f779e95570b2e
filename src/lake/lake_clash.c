/* lake_clash.c: a schema that has its catalog's name; see lake_file.h. */
#include "lake/lake_file.h"
#include "lake/lake_token.h"
#include "text/sqltext.h"

enum { SQL_BYTES_MAX = 256 << 20 };

bool tn_lake_schema_clash(tn_str env, const tn_pins *pins)
{
    for (size_t i = 0; i < pins->n; i++) {
        if (tn_str_eq_nocase(pins->v[i].schema, env)) {
            return true;
        }
    }
    return false;
}

/* schema.name -> "_tarn_schema".name for the relations of that schema. */
static tn_rc rename_in(tn_arena *a, tn_str env, tn_str other, const tn_pins *pins, tn_str sql, tn_str *ret, tn_err *err)
{
    tn_tokens t;
    TN_TRY(tn_sql_tokens(a, sql, &t, err));
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    const char *copied = sql.p;
    for (size_t i = 0; i + 2 < t.n; i++) {
        bool starts = tn_token_is_name(&t, i) && tn_token_is(&t, i + 1, ".") && tn_token_is_name(&t, i + 2) && (i == 0 || !tn_token_is(&t, i - 1, "."));
        if (!starts || !tn_str_eq_nocase(tn_token_value(a, &t.v[i]), env) ||
            tn_pins_find(pins, env, tn_token_value(a, &t.v[i + 2])) == NULL) {
            continue;
        }
        tn_buf_add(&b, tn_str_n(copied, (size_t)(t.v[i].text.p - copied)));
        tn_sql_ident(&b, other);
        copied = t.v[i].text.p + t.v[i].text.n;
    }
    tn_buf_add(&b, tn_str_n(copied, (size_t)(sql.p + sql.n - copied)));
    return tn_buf_finish(&b, "a view's SQL", ret, err);
}

static tn_str select_all_from(tn_arena *a, tn_str schema, tn_str name)
{
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT * FROM ");
    tn_sql_ident(&b, schema);
    tn_buf_addc(&b, '.');
    tn_sql_ident(&b, name);
    return tn_buf_str(&b);
}

tn_rc tn_lake_catalog_pins(tn_arena *a, tn_str env, const tn_pins *pins, tn_pins *ret, tn_err *err)
{
    if (!tn_lake_schema_clash(env, pins)) {
        *ret = *pins;
        return TN_OK;
    }
    tn_str other = tn_str_concat(a, TN_STR("_tarn_"), env);
    tn_pins out = { 0 }, shown = { 0 };
    for (size_t i = 0; i < pins->n; i++) {
        tn_pin p = pins->v[i];
        if (p.kind == TN_PIN_VIEW) {
            TN_TRY(rename_in(a, env, other, pins, p.sql, &p.sql, err));
        }
        if (tn_str_eq_nocase(p.schema, env)) {
            tn_pin over = { .schema = p.schema, .name = p.name, .kind = TN_PIN_VIEW, .comment = p.comment };
            over.sql = select_all_from(a, other, p.name);
            tn_vec_push(&shown, a, over);
            p.schema = other;
        }
        tn_vec_push(&out, a, p);
    }
    for (size_t i = 0; i < shown.n; i++) {
        tn_vec_push(&out, a, shown.v[i]);
    }
    *ret = out;
    return TN_OK;
}
