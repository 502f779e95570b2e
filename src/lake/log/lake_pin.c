/* lake_pin.c: where a named table lies, and pinning what was written. */
#include "lake/lake_sql.h"
#include "lake/log/lake_file.h"
#include "os/file.h"
#include "text/sqltoken.h"
#include "text/uri.h"

/* ---- names for messages ---- */

static tn_str schema_of(const tn_pin *p)
{
    size_t at = tn_str_find(p->schema, TN_STR("@v"), 0);
    return at == SIZE_MAX ? p->schema : tn_str_sub(p->schema, 0, at);
}

bool tn_pin_is_place(const tn_pin *p)
{
    return tn_str_is(schema_of(p), "delta") &&
           (tn_str_starts(p->location, TN_STR("/")) || tn_uri_is_remote(p->location));
}

tn_str tn_pin_shown(tn_arena *a, const tn_pin *p)
{
    tn_str schema = schema_of(p);
    tn_str name = tn_pin_is_place(p) ? p->name
                                     : tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT,
                                           TN_STR_ARG(schema), TN_STR_ARG(p->name));
    return schema.n == p->schema.n ? name
                                   : tn_str_printf(a, TN_STR_FMT " VERSION AS OF %lld",
                                         TN_STR_ARG(name), (long long)p->version);
}

/* ---- where tables lie ---- */

static tn_rc place(tn_arena *a, tn_str word, tn_lake_place *ret, tn_err *err)
{
    tn_lake_place t = { .location = word };
    if (!tn_uri_is_remote(word)) {
        tn_uri uri;
        TN_TRY(tn_uri_parse(a, word, &uri, err));
        TN_TRY(tn_file_absolute(a, uri.path, &t.location, err));
    }
    *ret = t;
    return TN_OK;
}

static tn_rc bad_name(tn_str word, tn_err *err)
{
    tn_rc rc =
        tn_fail(err, TN_E_USAGE, "'" TN_STR_FMT "' is not the name of a table", TN_STR_ARG(word));
    return tn_hint(err, rc,
        "name it schema.table, or give a path or URL ('./folder', '/data/t', 's3://bucket/t')");
}

tn_rc tn_lake_place_of(
    tn_arena *a, const tn_lake_head *head, tn_str word, tn_lake_place *ret, tn_err *err)
{
    bool quoted = memchr(word.p, '"', word.n) != NULL || memchr(word.p, '`', word.n) != NULL;
    if (!quoted && (memchr(word.p, '/', word.n) != NULL || tn_str_starts(word, TN_STR(".")) ||
                       tn_uri_is_remote(word))) {
        return place(a, word, ret, err);
    }
    tn_tokens t;
    tn_strs parts = { 0 };
    if (quoted) {
        size_t at = 0;
        TN_TRY(tn_sql_tokens(a, word, &t, err));
        if (!tn_token_dotted(a, &t, &at, &parts) || at != t.n) {
            return bad_name(word, err);
        }
    } else { /* on a command line '-' and blanks need no quotes */
        tn_str schema, name;
        if (tn_str_cut(word, '.', &schema, &name)) {
            tn_vec_push(&parts, a, schema);
            tn_vec_push(&parts, a, name);
        }
    }
    if (parts.n == 2 && quoted && tn_str_eq_nocase(parts.v[0], TN_STR("delta"))) {
        return place(a, parts.v[1], ret, err);
    }
    if (parts.n != 2 || !tn_lake_plain_name(parts.v[0]) || !tn_lake_plain_name(parts.v[1]) ||
        tn_str_eq_nocase(parts.v[0], TN_STR(TN_LAKE_CATALOG_DIR))) {
        return bad_name(word, err);
    }
    tn_lake_place out = { .schema = parts.v[0], .name = parts.v[1] };
    out.pin = head != NULL ? tn_pins_find(&head->pins, out.schema, out.name) : NULL;
    if (out.pin != NULL) { /* as it was first written */
        out.schema = out.pin->schema;
        out.name = out.pin->name;
    }
    out.location = out.pin != NULL && out.pin->kind == TN_PIN_DELTA
                       ? out.pin->location
                       : tn_lake_default_location(a, out.schema, out.name);
    *ret = out;
    return TN_OK;
}

tn_rc tn_lake_pin_tables(tn_lake *l, tn_str env, const tn_lake_head *base, const tn_pin *pins,
    size_t n, tn_str message, int64_t *ret_commit, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("pin", NULL);
    tn_lake_change change = { .info = TN_VAL_UNDEF, .message = message, .newest_wins = true };
    for (size_t i = 0; i < n; i++) {
        tn_vec_push(&change.put, a, pins[i]);
    }
    int64_t commit;
    tn_rc rc = tn_lake_commit_write(l, env, base, &change, &commit, err);
    tn_str path;
    if (rc == TN_OK) {
        rc = tn_lake_catalog_publish(l, env, NULL, &path, a, err);
    }
    if (rc != TN_OK) {
        rc = tn_while(err, rc,
            "version %lld of '" TN_STR_FMT "." TN_STR_FMT "' is written but not published",
            (long long)pins[0].version, TN_STR_ARG(pins[0].schema), TN_STR_ARG(pins[0].name));
        return err != NULL && err->hint[0] == '\0'
                   ? tn_hint(err, rc, "'tarn lake publish' makes the catalog anew")
                   : rc;
    }
    if (ret_commit != NULL) {
        *ret_commit = commit;
    }
    return TN_OK;
}
