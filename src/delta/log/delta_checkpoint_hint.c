/* delta_checkpoint_hint.c: _last_checkpoint and its checksum.
 *
 * Canonical form of a JSON document: one `path=value` for each leaf, where path is the keys (quoted, percent-encoded) and places in
 * arrays joined by '+', strings are quoted and percent-encoded; sorted by bytes and joined by ','.
 */
#include "delta/log/delta_checkpoint.h"
#include "delta/log/delta_log.h"
#include "text/hash.h"
#include "text/json.h"
#include "text/uri.h"

#define HINT_KEY TN_STR("_delta_log/_last_checkpoint")

typedef struct canonical {
    tn_arena *a;
    tn_strs leaves;
} canonical;

static tn_str quoted(tn_arena *a, tn_str s)
{
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addc(&b, '"');
    tn_percent_encode(&b, s, "", false);
    tn_buf_addc(&b, '"');
    return tn_buf_str(&b);
}

static void add_leaf(canonical *c, tn_str path, tn_val v)
{
    tn_buf b = tn_buf_init(c->a, TN_BUF_NO_LIMIT);
    tn_buf_add(&b, path);
    tn_buf_addc(&b, '=');
    if (v.tag == TN_STR_V) {
        tn_buf_add(&b, quoted(c->a, tn_val_as_str(v)));
    } else {
        tn_json_print(&b, v, NULL);
    }
    tn_vec_push(&c->leaves, c->a, tn_buf_str(&b));
}

/* As deep as the parser allows: TN_JSON_DEPTH_MAX. */
static void walk(canonical *c, tn_str path, tn_val v, bool top)
{
    const char *plus = path.n > 0 ? "+" : "";
    if (v.tag == TN_DICT) {
        size_t at = 0;
        const tn_dict_item *it;
        while ((it = tn_dict_next(v.dict, &at)) != NULL) {
            tn_str key = tn_val_as_str(it->key);
            if (!top || !tn_str_is(key, "checksum")) {
                tn_str q = quoted(c->a, key);
                walk(c,
                    tn_str_printf(
                        c->a, TN_STR_FMT "%s" TN_STR_FMT, TN_STR_ARG(path), plus, TN_STR_ARG(q)),
                    it->value, false);
            }
        }
        return;
    }
    for (size_t i = 0; v.tag == TN_LIST && i < v.list->n; i++) {
        walk(c, tn_str_printf(c->a, TN_STR_FMT "%s%zu", TN_STR_ARG(path), plus, i), v.list->v[i],
            false);
    }
    if (v.tag != TN_LIST) {
        add_leaf(c, path, v);
    }
}

static int by_bytes(const void *x, const void *y)
{
    return tn_str_cmp(*(const tn_str *)x, *(const tn_str *)y);
}

tn_str tn_delta_json_checksum(tn_arena *a, tn_val v)
{
    canonical c = { .a = a };
    walk(&c, TN_STR(""), v, true);
    if (c.leaves.n > 0) {
        qsort(c.leaves.v, c.leaves.n, sizeof *c.leaves.v, by_bytes);
    }
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < c.leaves.n; i++) {
        tn_buf_addz(&b, i > 0 ? "," : "");
        tn_buf_add(&b, c.leaves.v[i]);
    }
    return tn_md5_hex(a, tn_buf_str(&b));
}

/* ---- the hint ---- */

static void put_int(tn_json_writer *w, const char *key, int64_t n)
{
    tn_jw_key(w, key);
    tn_jw_int(w, n);
}

static void put_v2(tn_json_writer *w, const tn_delta_hint *h)
{
    tn_jw_key(w, "v2Checkpoint");
    tn_jw_obj(w);
    tn_jw_key(w, "path");
    tn_jw_str(w, h->v2_name);
    put_int(w, "sizeInBytes", h->v2_bytes);
    put_int(w, "modificationTime", h->v2_mtime_ms);
    tn_jw_key(w, "nonFileActions");
    tn_jw_arr(w);
    tn_str rest = h->v2_actions;
    while (rest.n > 0) {
        tn_str line;
        tn_str tail;
        (void)tn_str_cut(rest, '\n', &line, &tail);
        rest = tail;
        if (line.n > 0) {
            tn_jw_raw(w, line);
        }
    }
    tn_jw_arr_end(w);
    tn_jw_key(w, "sidecarFiles");
    tn_jw_arr(w);
    for (size_t i = 0; i < h->sidecars.n; i++) {
        tn_jw_obj(w);
        tn_jw_key(w, "path");
        tn_jw_str(w, h->sidecars.v[i].name);
        put_int(w, "sizeInBytes", h->sidecars.v[i].bytes);
        put_int(w, "modificationTime", h->sidecars.v[i].mtime_ms);
        tn_jw_obj_end(w);
    }
    tn_jw_arr_end(w);
    tn_jw_obj_end(w);
}

/* The hint must not go back: a slower writer may come with an older checkpoint. */
static bool newer_is_there(tn_delta_table *t, tn_arena *a, int64_t version)
{
    tn_str text;
    tn_val v;
    tn_err ignored = TN_ERR_INIT;
    return tn_store_get(t->store, a, HINT_KEY, TN_DELTA_HINT_BYTES_MAX, &text, &ignored) == TN_OK &&
           tn_json_parse(a, text, &v, &ignored) == TN_OK &&
           tn_val_int_at(v, "version", -1) > version;
}

tn_rc tn_delta_hint_put(tn_delta_table *t, const tn_delta_hint *h, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("delta hint", NULL);
    if (newer_is_there(t, a, h->version)) {
        return TN_OK;
    }
    tn_buf b = tn_buf_init(a, TN_DELTA_COMMIT_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&w);
    put_int(&w, "version", h->version);
    put_int(&w, "size", h->actions);
    put_int(&w, "sizeInBytes", h->bytes);
    put_int(&w, "numOfAddFiles", h->adds);
    /* What readers would refuse for its size is left out: they find the checkpoint by its name. */
    if (h->v2_name.n > 0 && h->v2_actions.n < TN_DELTA_HINT_BYTES_MAX / 4 &&
        h->sidecars.n <= 1000) {
        put_v2(&w, h);
    }
    size_t open = b.n;
    tn_jw_obj_end(&w);
    tn_val v;
    TN_TRY(tn_json_parse(a, tn_buf_str(&b), &v, err));
    tn_buf_truncate(&b, open);
    tn_str sum = tn_delta_json_checksum(a, v);
    tn_buf_addf(&b, ",\"checksum\":\"" TN_STR_FMT "\"}", TN_STR_ARG(sum));
    tn_str text;
    TN_TRY(tn_buf_finish(&b, "the last checkpoint's hint", &text, err));
    return tn_store_put(t->store, HINT_KEY, text, TN_PUT_OVERWRITE, err);
}
