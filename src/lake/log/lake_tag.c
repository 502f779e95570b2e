/* lake_tag.c: tags, and words that name a point in the lake's history.
 *
 * A tag is an object of its own and not part of the log: making one races with no writer. _tarn/tags/<name>.json:
 *   { "format": 1, "tag": "q3-report", "commit": 42, "env": "prod", "timestamp": 1700000000000, "message": "..." }
 *
 * An instant is looked up by bisection: numbers of commits grow with time, and each commit says what every environment's newest one was.
 */
#include "lake/lake_env.h"
#include "lake/log/lake_log.h"
#include "os/clock.h"
#include "text/json.h"
#include "text/timetext.h"

#define TAGS_DIR "_tarn/tags/"

enum { TAG_BYTES_MAX = 1 << 16, TAG_FORMAT = 1, NAME_BYTES_MAX = 100 };

static tn_str tag_key(tn_arena *a, tn_str name)
{
    return tn_str_printf(a, TAGS_DIR TN_STR_FMT ".json", TN_STR_ARG(name));
}

/* A tag is none of the other things that may stand in its place: a number, an instant. */
static tn_rc check_name(tn_str name, tn_err *err)
{
    int64_t micros;
    int64_t number;
    bool zone;
    int offset;
    bool other = tn_str_to_i64(name, &number) || tn_parse_timestamp(name, &micros, &zone, &offset);
    if (name.n == 0 || name.n > NAME_BYTES_MAX || name.p[0] == '.' || name.p[0] == '_' ||
        tn_str_find_char(name, '/', 0) != SIZE_MAX || other) {
        tn_rc rc = tn_fail(
            err, TN_E_VALUE, "'" TN_STR_FMT "' cannot be the name of a tag", TN_STR_ARG(name));
        return tn_hint(err, rc,
            "up to %d bytes, no '/', not beginning with '.' or '_', neither a number nor a time",
            NAME_BYTES_MAX);
    }
    return TN_OK;
}

static tn_rc print_tag(tn_arena *a, const tn_lake_tag *t, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TAG_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "format");
    tn_jw_int(&w, TAG_FORMAT);
    tn_jw_key(&w, "tag");
    tn_jw_str(&w, t->name);
    tn_jw_key(&w, "commit");
    tn_jw_int(&w, t->commit);
    tn_jw_key(&w, "env");
    tn_jw_str(&w, t->env);
    tn_jw_key(&w, "timestamp");
    tn_jw_int(&w, t->timestamp_ms);
    tn_jw_key(&w, "message");
    tn_jw_str(&w, t->message);
    tn_jw_obj_end(&w);
    tn_buf_addc(&b, '\n');
    return tn_buf_finish(&b, "a tag", ret, err);
}

static tn_rc read_tag(tn_lake *l, tn_arena *a, tn_str key, tn_lake_tag *ret, tn_err *err)
{
    tn_str text;
    tn_val v;
    TN_TRY(tn_store_get(l->store, a, key, TAG_BYTES_MAX, &text, err));
    tn_rc rc = tn_json_parse(a, text, &v, err);
    tn_lake_tag t = { .commit = -1 };
    if (rc == TN_OK && v.tag == TN_DICT) {
        t = (tn_lake_tag){ .name = tn_val_str_at(v, "tag", TN_STR_NONE),
            .env = tn_val_str_at(v, "env", TN_STR_NONE),
            .commit = tn_val_int_at(v, "commit", -1),
            .timestamp_ms = tn_val_int_at(v, "timestamp", 0),
            .message = tn_val_str_at(v, "message", TN_STR_NONE) };
    }
    if (t.name.n == 0 || t.commit < 0) {
        return tn_fail(err, TN_E_CORRUPT, "'" TN_STR_FMT "' is not a tag", TN_STR_ARG(key));
    }
    *ret = t;
    return TN_OK;
}

tn_rc tn_lake_tag_create(tn_lake *l, tn_str name, int64_t commit, tn_str message, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("tag", NULL);
    tn_val envs;
    tn_val doc;
    tn_str text;
    TN_TRY(check_name(name, err));
    TN_TRY(tn_lake_envs(l, a, &envs, err));
    if (tn_dict_finds(envs.dict, name) != NULL) {
        return tn_fail(
            err, TN_E_EXISTS, "there is an environment '" TN_STR_FMT "'", TN_STR_ARG(name));
    }
    TN_TRY(tn_lake_doc_read(l, a, commit, &doc, err));
    tn_lake_tag t = { name, tn_val_str_at(doc, "env", TN_STR_NONE), commit, tn_clock_now_ms(),
        message };
    TN_TRY(print_tag(a, &t, &text, err));
    tn_rc rc = tn_store_put(l->store, tag_key(a, name), text, TN_PUT_IF_ABSENT, err);
    if (rc == TN_E_EXISTS) {
        rc = tn_fail(err, rc, "there is a tag '" TN_STR_FMT "' already", TN_STR_ARG(name));
        return tn_hint(err, rc, "'tarn lake tag rm " TN_STR_FMT "' removes it", TN_STR_ARG(name));
    }
    TN_TRY(rc);
    rc = tn_lake_doc_read(l, a, commit, &doc, err); /* cleaning may have been faster than the tag */
    if (rc == TN_E_NOTFOUND) {
        (void)!tn_store_remove(l->store, tag_key(a, name), NULL);
    }
    return rc;
}

tn_rc tn_lake_tag_remove(tn_lake *l, tn_str name, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("tag", NULL);
    tn_store_item item;
    TN_TRY(check_name(name, err));
    tn_rc rc = tn_store_head(l->store, a, tag_key(a, name), &item, err);
    if (rc == TN_E_NOTFOUND) {
        return tn_fail(err, rc, "there is no tag '" TN_STR_FMT "'", TN_STR_ARG(name));
    }
    TN_TRY(rc);
    return tn_store_remove(l->store, tag_key(a, name), err);
}

tn_rc tn_lake_tags_read(tn_lake *l, tn_arena *a, tn_lake_tags *ret, tn_err *err)
{
    tn_store_list_opts lo = { .prefix = TN_STR(TAGS_DIR), .flat = true };
    tn_store_items items = { 0 };
    tn_lake_tags out = { 0 };
    tn_rc rc = tn_store_list(l->store, a, &lo, &items, err);
    if (rc != TN_OK && rc != TN_E_NOTFOUND) {
        return rc;
    }
    for (size_t i = 0; i < items.n; i++) {
        tn_lake_tag t;
        if (!tn_str_ends(items.v[i].key, TN_STR(".json"))) {
            continue;
        }
        rc = read_tag(l, a, items.v[i].key, &t, err);
        if (rc != TN_E_NOTFOUND) { /* removed since the listing */
            TN_TRY(rc);
            tn_vec_push(&out, a, t);
        }
    }
    *ret = out;
    return TN_OK;
}

/* ---- instants ---- */

tn_rc tn_lake_commit_at(
    tn_lake *l, tn_str env, int64_t timestamp_ms, int64_t *ret_commit, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("lake time", NULL);
    tn_lake_numbers all;
    TN_TRY(tn_lake_numbers_after(l, a, -1, &all, err));
    size_t low = 0; /* all before it are not younger than the instant, all from high on are */
    size_t high = all.n;
    int64_t found = -1;
    while (low < high) {
        TN_AUTO_ARENA scratch = tn_arena_new("lake time", NULL);
        size_t mid = low + (high - low) / 2;
        tn_val doc;
        TN_TRY(tn_lake_doc_read(l, scratch, all.v[mid], &doc, err));
        if (tn_val_int_at(doc, "timestamp", 0) > timestamp_ms) {
            high = mid;
            continue;
        }
        low = mid + 1;
        tn_val heads = tn_val_at(doc, "heads");
        const tn_val *head = heads.tag == TN_DICT ? tn_dict_finds(heads.dict, env) : NULL;
        found = head != NULL && head->tag == TN_INT ? head->i : -1;
    }
    if (found < 0) {
        tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
            "environment '" TN_STR_FMT "' had no lake commit at that time", TN_STR_ARG(env));
        return tn_hint(err, rc, "'tarn lake log' shows how far back its history goes");
    }
    *ret_commit = found;
    return TN_OK;
}

/* ---- words ---- */

static tn_rc of_commit(
    tn_lake *l, tn_arena *a, int64_t commit, const char *what, tn_lake_ref *ret, tn_err *err)
{
    tn_val doc;
    tn_lake_ref ref = { .commit = commit };
    tn_rc rc = tn_lake_doc_read(l, a, commit, &doc, err);
    if (rc == TN_E_NOTFOUND) {
        return tn_fail(err, rc, "there is no lake commit %lld in '" TN_STR_FMT "'%s",
            (long long)commit, TN_STR_ARG(l->root), what);
    }
    TN_TRY(rc);
    ref.env = tn_val_str_at(doc, "env", TN_STR_NONE);
    TN_TRY(tn_lake_doc_pins(a, doc, &ref.pins, err));
    *ret = ref;
    return TN_OK;
}

typedef struct ref_word {
    tn_str env, word;
    bool recent; /* an environment may be looked at as it was a moment ago */
} ref_word;

static tn_rc of_name(
    tn_lake *l, tn_arena *a, const tn_lake_head *head, tn_str word, tn_lake_ref *ret, tn_err *err)
{
    if (head->commit >= 0) {
        *ret = (tn_lake_ref){ head->commit, word, head->pins };
        return TN_OK;
    }
    tn_lake_tag tag;
    tn_err why = TN_ERR_INIT;
    if (check_name(word, &why) == TN_OK) {
        tn_rc rc = read_tag(l, a, tag_key(a, word), &tag, &why);
        if (rc == TN_OK) {
            return of_commit(l, a, tag.commit, ", which a tag names", ret, err);
        }
        if (rc != TN_E_NOTFOUND) {
            return tn_err_pass(err, rc, &why);
        }
    }
    tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
        "'" TN_STR_FMT "' is no environment, tag, lake commit or time here", TN_STR_ARG(word));
    return tn_hint(
        err, rc, "'tarn lake env ls', 'tarn lake tag ls' and 'tarn lake log' list what there is");
}

static tn_rc read_ref(tn_lake *l, tn_arena *a, const ref_word *r, tn_lake_ref *ret, tn_err *err)
{
    const tn_str word = r->word;
    int64_t n;
    bool zone;
    int offset;
    if (tn_str_to_i64(word, &n) && n >= 0) {
        return of_commit(l, a, n, "", ret, err);
    }
    if (tn_parse_timestamp(word, &n, &zone, &offset)) {
        TN_TRY(tn_lake_commit_at(l, r->env, n / 1000, &n, err));
        return of_commit(l, a, n, "", ret, err);
    }
    tn_lake_head head;
    TN_TRY(r->recent ? tn_lake_head_recent(l, a, word, &head, err)
                     : tn_lake_head_read(l, a, word, &head, err));
    return of_name(l, a, &head, word, ret, err);
}

tn_rc tn_lake_ref_read(
    tn_lake *l, tn_arena *a, tn_str env, tn_str word, tn_lake_ref *ret, tn_err *err)
{
    ref_word r = { env, word, false };
    return read_ref(l, a, &r, ret, err);
}

tn_rc tn_lake_ref_recent(
    tn_lake *l, tn_arena *a, tn_str env, tn_str word, tn_lake_ref *ret, tn_err *err)
{
    ref_word r = { env, word, true };
    return read_ref(l, a, &r, ret, err);
}
