// layers: base os text store duck delta
/* fuzz_delta_log.c: the first byte chooses what the rest is: lines of a commit, a schema, DuckDB's type text, or the data of a deletion
 * vector. They come from other writers, so they may be refused; they may not crash, leak or take long. */
#include "delta/delta_replay.h"
#include "text/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 16) {
        return 0;
    }
    TN_AUTO_ARENA a = tn_arena_new("fuzz", NULL);
    tn_str text = tn_str_n((const char *)data + 1, size - 1);
    tn_delta_type *t;
    tn_err err = TN_ERR_INIT;
    switch (data[0] % 4) {
    case 0:
        commit(a, text);
        break;
    case 1:
        schema(a, text);
        break;
    case 2:
        (void)!tn_delta_type_from_sql(a, text, &t, &err);
        break;
    default:
        vector(a, text);
        break;
    }
    return 0;
}
