/* delta_path.c: the paths of the log: decoded, told apart, found by DuckDB and by the store. */
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum {
    LIST_AS_TEXT_MIN =
        2000 /* measured with a million: a literal each takes 6 KB and 3 us to parse, one text of all of them a sixth and a fifth */
};

tn_rc tn_delta_path_decode(tn_arena *a, tn_str path, tn_str *ret, tn_err *err)
{
    tn_str s = path;
    if (tn_str_starts(s, TN_STR("file:"))) {
        s = tn_str_sub(s, 5, s.n);
        if (tn_str_starts(s, TN_STR("//")) && !tn_str_starts(s, TN_STR("///"))) {
            size_t slash = tn_str_find_char(s, '/', 2); /* file://host/path */
            s = slash == SIZE_MAX ? s : tn_str_sub(s, slash, s.n);
        }
        while (tn_str_starts(s, TN_STR("//"))) {
            s = tn_str_sub(s, 1, s.n);
        }
    } else if (tn_str_starts(s, TN_STR("s3a://")) || tn_str_starts(s, TN_STR("s3n://"))) {
        s = tn_str_concat(a, TN_STR("s3"), tn_str_sub(s, 3, s.n));
    }
    return tn_percent_decode(a, s, ret, err);
}

tn_rc tn_delta_file_key(tn_arena *a, tn_str path, const tn_delta_dv *dv, tn_str *ret, tn_err *err)
{
    tn_str decoded;
    TN_TRY(tn_delta_path_decode(a, path, &decoded, err));
    if (dv->storage == 0) {
        *ret = decoded;
        return TN_OK;
    }
    tn_str id = tn_delta_dv_id(a, dv);
    *ret = tn_str_printf(a, TN_STR_FMT "\n" TN_STR_FMT, TN_STR_ARG(decoded), TN_STR_ARG(id));
    return TN_OK;
}

bool tn_delta_path_is_absolute(tn_str place)
{
    return tn_str_starts(place, TN_STR("/")) || tn_uri_is_remote(place);
}

tn_rc tn_delta_locate(tn_store *store, tn_arena *a, tn_str path, tn_str *ret, tn_err *err)
{
    tn_str decoded;
    TN_TRY(tn_delta_path_decode(a, path, &decoded, err));
    *ret = tn_delta_path_is_absolute(decoded) ? decoded : tn_store_locate(store, a, decoded);
    return TN_OK;
}

static void add_pattern(tn_buf *b, tn_str location)
{
    for (size_t i = 0; i < location.n; i++) {
        char c = location.p[i];
        if (c == '*' || c == '?' || c == '[') {
            tn_buf_addc(b, '[');
            tn_buf_addc(b, c);
            c = ']';
        }
        tn_buf_addc(b, c);
    }
}

void tn_delta_sql_location(tn_buf *b, tn_str location)
{
    tn_buf escaped = tn_buf_init(b->arena, TN_BUF_NO_LIMIT);
    add_pattern(&escaped, location);
    tn_sql_literal(b, tn_buf_str(&escaped));
}

static bool fits_lines(const tn_strs *locations)
{
    bool fits = locations->n >= LIST_AS_TEXT_MIN;
    for (size_t i = 0; fits && i < locations->n; i++) {
        fits = tn_str_find_char(locations->v[i], '\n', 0) == SIZE_MAX;
    }
    return fits;
}

void tn_delta_sql_locations(tn_buf *b, const tn_strs *locations, bool patterns)
{
    if (!fits_lines(locations)) {
        for (size_t i = 0; i < locations->n; i++) {
            tn_buf_addz(b, i > 0 ? ", " : "[");
            if (patterns) {
                tn_delta_sql_location(b, locations->v[i]);
            } else {
                tn_sql_literal(b, locations->v[i]);
            }
        }
        tn_buf_addz(b, locations->n > 0 ? "]" : "[]");
        return;
    }
    tn_buf lines = tn_buf_init(b->arena, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < locations->n; i++) {
        tn_buf_addz(&lines, i > 0 ? "\n" : "");
        if (patterns) {
            add_pattern(&lines, locations->v[i]);
        } else {
            tn_buf_add(&lines, locations->v[i]);
        }
    }
    tn_buf_addz(b, "string_split(");
    tn_sql_literal(b, tn_buf_str(&lines));
    tn_buf_addz(b, ", chr(10))");
}

tn_rc tn_delta_object_head(
    tn_store *store, tn_arena *a, tn_str place, tn_store_item *ret, tn_err *err)
{
    if (!tn_delta_path_is_absolute(place)) {
        return tn_store_head(store, a, place, ret, err);
    }
    TN_AUTOPTR(tn_store) other = NULL;
    TN_TRY(tn_store_open_beside(store, tn_path_dir(place), &other, err));
    return tn_store_head(other, a, tn_path_base(place), ret, err);
}
