// layers: base os text store duck delta
/* fuzz_delta_log.c: the first byte chooses what the rest is: lines of a commit or of a checkpoint in JSON, a schema, DuckDB's type text, the data of
 * a deletion vector, a checksum file, statistics, _last_checkpoint, a path. They come from other writers, so they may be refused; they may
 * not crash, leak or take long. */
#include "fuzz.h"

#include "delta/action/delta_dv.h"
#include "delta/action/delta_stats.h"
#include "delta/log/delta_checkpoint.h"
#include "delta/log/delta_head.h"
#include "delta/log/delta_replay.h"
#include "text/hash.h"
#include "text/json.h"

static void commit(tn_arena *a, tn_str text)
{
    tn_delta_actions acts = tn_delta_actions_empty();
    tn_err err = TN_ERR_INIT;
    if (tn_delta_actions_parse(a, text, "fuzz", &acts, &err) != TN_OK) {
        return;
    }
    tn_delta_replay r = tn_delta_replay_init(a);
    (void)!tn_delta_replay_apply(&r, &acts, &err);
    tn_buf b = tn_buf_init(a, (size_t)1 << 24);
    for (size_t i = 0; i < acts.adds.n; i++) {
        tn_delta_print_add(&b, &acts.adds.v[i]);
    }
    for (size_t i = 0; i < acts.removes.n; i++) {
        tn_delta_print_remove(&b, &acts.removes.v[i]);
    }
}

static void schema(tn_arena *a, tn_str text)
{
    tn_delta_type *t;
    tn_err err = TN_ERR_INIT;
    if (tn_delta_schema_parse(a, text, &t, &err) == TN_OK) {
        tn_buf b = tn_buf_init(a, (size_t)1 << 24);
        tn_delta_schema_print(&b, t);
        tn_delta_type_to_sql(&b, t);
    }
}

static void vector(tn_arena *a, tn_str text)
{
    tn_buf b = tn_buf_init(a, (size_t)1 << 24);
    tn_z85_encode(&b, (const uint8_t *)text.p, text.n);
    tn_delta_dv dv = { .storage = 'i',
        .path_or_inline = tn_buf_str(&b),
        .offset = -1,
        .size_bytes = (int64_t)text.n,
        .cardinality = -1 };
    uint64_t *rows;
    size_t n;
    tn_err err = TN_ERR_INIT;
    (void)!tn_delta_dv_read(NULL, a, &dv, &rows, &n, &err);
}

/* What is printed from a checksum file reads as the same. */
static void checksum(tn_arena *a, tn_str text)
{
    tn_delta_head h;
    tn_delta_head again;
    bool complete;
    tn_err err = TN_ERR_INIT;
    if (tn_delta_crc_parse(a, text, &h, &complete, &err) != TN_OK) {
        return;
    }
    tn_buf b = tn_buf_init(a, (size_t)1 << 24);
    tn_delta_crc_print(&b, &h);
    if (tn_delta_crc_parse(a, tn_buf_str(&b), &again, &complete, &err) != TN_OK) {
        abort();
    }
}

/* Whatever a checkpoint's structs hold, JSON comes of it. */
static void struct_statistics(tn_arena *a, tn_str text)
{
    static const char SCHEMA[] =
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,"
        "\"metadata\":{}},{\"name\":\"t\",\"type\":\"timestamp\",\"nullable\":true,\"metadata\":{}}"
        ",{\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"s\",\"type\":"
        "\"string\",\"nullable\":true,\"metadata\":{}}]},\"nullable\":true,\"metadata\":{}}]}";
    tn_delta_meta m = { .configuration = TN_VAL_UNDEF };
    tn_val v;
    tn_err err = TN_ERR_INIT;
    if (tn_json_parse(a, text, &v, &err) != TN_OK || v.tag != TN_DICT) {
        return;
    }
    if (tn_delta_schema_parse(a, TN_STR(SCHEMA), &m.schema, &err) != TN_OK) {
        abort();
    }
    tn_str json = tn_delta_stats_of_texts(a, &m, TN_MAPPING_NONE, v);
    if (tn_json_parse(a, json, &v, &err) != TN_OK) {
        abort();
    }
}

/* Quoted numbers leave JSON what it is. */
static void statistics(tn_arena *a, tn_str text)
{
    struct_statistics(a, text);
    tn_delta_file f = { .stats = text };
    tn_err err = TN_ERR_INIT;
    tn_val v;
    (void)tn_delta_stats_rows(&f);
    tn_buf b = tn_buf_init(a, (size_t)1 << 24);
    if (tn_delta_quote_numbers(&b, text) && tn_json_parse(a, tn_buf_str(&b), &v, &err) != TN_OK) {
        abort();
    }
}

static void hint(tn_arena *a, tn_str text)
{
    tn_val v;
    tn_err err = TN_ERR_INIT;
    if (tn_json_parse(a, text, &v, &err) == TN_OK) {
        (void)tn_delta_json_checksum(a, v);
    }
}

static void path(tn_arena *a, tn_str text)
{
    tn_delta_dv dv = { .storage = 'u', .path_or_inline = text, .offset = 1 };
    tn_str out;
    tn_err err = TN_ERR_INIT;
    (void)!tn_delta_path_decode(a, text, &out, &err);
    (void)!tn_delta_dv_place(a, &dv, &out, &err);
    (void)!tn_delta_file_key(a, text, &dv, &out, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 16) {
        return 0;
    }
    TN_AUTO_ARENA a = tn_arena_new("fuzz", NULL);
    tn_str text = tn_str_n((const char *)data + 1, size - 1);
    tn_delta_type *t;
    tn_err err = TN_ERR_INIT;
    switch (data[0] % 8) {
    case 0:
        commit(a, text);
        break;
    case 1:
        schema(a, text);
        break;
    case 2:
        (void)!tn_delta_type_from_sql(a, text, &t, &err);
        break;
    case 3:
        vector(a, text);
        break;
    case 4:
        checksum(a, text);
        break;
    case 5:
        statistics(a, text);
        break;
    case 6:
        hint(a, text);
        break;
    default:
        path(a, text);
        break;
    }
    return 0;
}
