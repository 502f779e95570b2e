/* duck_arrow.c: Arrow in and out through DuckDB's chunk converters.
 *
 * In:  stream -> batch -> slices of at most one vector -> data chunk -> appender -> table. (DuckDB's own scan of a C stream
 *      prunes columns that the stream still delivers, and gives wrong rows.) Dictionaries are written out first (arrow_plain.c). A slice shares the batch's buffers, and the batch is
 *      released with its last slice.
 * Out: chunk -> array, one batch a chunk; the stream owns the result.
 */
#include <errno.h>

#include "duck/duck_impl.h"
#include "duck/ipc_impl.h"
#include "text/sqltext.h"

enum { SLICE_ROWS = 2048, ARROW_DEPTH_MAX = 64 };

/* ---- out ---- */

tn_rc ipc_result_schema(tn_result *r, tn_arena *a, struct ArrowSchema *ret, tn_err *err)
{
    size_t n = r->n_cols;
    duckdb_logical_type *types = tn_new_array(a, duckdb_logical_type, n + 1);
    const char **names = tn_new_array(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++) {
        types[i] = r->cols[i].type;
        names[i] = tn_str_z(a, r->cols[i].name);
    }
    struct ArrowSchema schema = { .release = NULL };
    duckdb_arrow_options options = duckdb_result_get_arrow_options(&r->res);
    duckdb_error_data failed = duckdb_to_arrow_schema(options, types, names, n, &schema);
    duckdb_destroy_arrow_options(&options);
    if (failed != NULL) {
        return duck_fail_data(err, &failed);
    }
    *ret = schema;
    return TN_OK;
}

tn_rc ipc_result_next(tn_result *r, struct ArrowArray *ret, tn_err *err)
{
    size_t rows;
    struct ArrowArray array = { .release = NULL };
    TN_TRY(tn_result_next(r, &rows, err));
    if (rows > 0) {
        duckdb_arrow_options options = duckdb_result_get_arrow_options(&r->res);
        duckdb_error_data failed = duckdb_data_chunk_to_arrow(options, r->chunk, &array);
        duckdb_destroy_arrow_options(&options);
        if (failed != NULL) {
            return duck_fail_data(err, &failed);
        }
    }
    *ret = array;
    return TN_OK;
}

typedef struct out_stream {
    tn_arena *arena;
    tn_result *result;
    tn_err err;
} out_stream;

static int errno_of(tn_rc rc)
{
    return rc == TN_OK ? 0 : rc == TN_E_CANCELLED ? ECANCELED : EIO;
}

static int out_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    out_stream *s = stream->private_data;
    return errno_of(ipc_result_schema(s->result, s->arena, out, &s->err));
}

static int out_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    out_stream *s = stream->private_data;
    return errno_of(ipc_result_next(s->result, out, &s->err));
}

static const char *out_error(struct ArrowArrayStream *stream)
{
    return ((out_stream *)stream->private_data)->err.msg;
}

static void out_release(struct ArrowArrayStream *stream)
{
    out_stream *s = stream->private_data;
    stream->release = NULL;
    tn_result_free(s->result);
    tn_arena_free(s->arena);
}

tn_rc tn_result_arrow_out(tn_result *r, struct ArrowArrayStream *ret, tn_err *err)
{
    (void)err;
    tn_arena *a = tn_arena_new("arrow out", NULL);
    out_stream *s = tn_new(a, out_stream);
    s->arena = a;
    s->result = r;
    *ret = (struct ArrowArrayStream){ .get_schema = out_schema,
        .get_next = out_next,
        .get_last_error = out_error,
        .release = out_release,
        .private_data = s };
    return TN_OK;
}

/* ---- slices of a batch ---- */

typedef struct batch {
    tn_arena *arena;
    struct ArrowArray original;
    struct ArrowArray array; /* the original, or its copy without dictionaries */
    int refs;
} batch;

typedef struct slice {
    tn_arena *arena;
    batch *of;
} slice;

static void batch_unref(batch *b)
{
    if (__atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        b->original.release(&b->original);
        tn_arena_free(b->arena);
    }
}

static void child_release(struct ArrowArray *a)
{
    a->release = NULL; /* its buffers belong to the batch */
}

static void slice_release(struct ArrowArray *a)
{
    slice *s = a->private_data;
    a->release = NULL;
    batch_unref(s->of);
    tn_arena_free(s->arena);
}

static struct ArrowArray make_slice(
    batch *b, const struct ArrowSchema *schema, int64_t from, int64_t n)
{
    static const void *no_validity[1] = { NULL };
    tn_arena *a = tn_arena_new("arrow slice", NULL);
    slice *s = tn_new(a, slice);
    s->arena = a;
    s->of = b;
    __atomic_add_fetch(&b->refs, 1, __ATOMIC_RELAXED);
    int64_t cols = b->array.n_children;
    struct ArrowArray **children = tn_new_array(a, struct ArrowArray *, (size_t)cols + 1);
    for (int64_t i = 0; i < cols; i++) {
        children[i] =
            arrow_part(a, schema->children[i], b->array.children[i], b->array.offset + from, n);
    }
    return (struct ArrowArray){ .length = n,
        .n_buffers = 1,
        .buffers = no_validity,
        .n_children = cols,
        .children = children,
        .release = slice_release,
        .private_data = s };
}

/* ---- an array without rows, to learn what types DuckDB makes of a schema ---- */

static int64_t buffers_of(const char *f)
{
    switch (f[0]) {
    case 'n':
        return 0;
    case 'u':
    case 'U':
    case 'z':
    case 'Z':
    case 'v':
        return 3;
    case '+':
        return f[1] == 's' || f[1] == 'w' ? 1
               : f[1] == 'u'              ? (f[2] == 'd' ? 2 : 1)
               : f[1] == 'r'              ? 0
               : f[1] == 'v'              ? 3
                                          : 2;
    default:
        return 2;
    }
}

static struct ArrowArray *empty_array(tn_arena *a, const struct ArrowSchema *schema, int depth)
{
    static const int64_t zeros[8];
    struct ArrowArray *array = tn_new(a, struct ArrowArray);
    array->n_buffers = buffers_of(schema->format);
    array->buffers = tn_new_array(a, const void *, 4);
    for (int64_t i = 1; i < array->n_buffers; i++) {
        array->buffers[i] = zeros;
    }
    array->n_children = depth < ARROW_DEPTH_MAX ? schema->n_children : 0;
    array->children = tn_new_array(a, struct ArrowArray *, (size_t)array->n_children + 1);
    for (int64_t i = 0; i < array->n_children; i++) {
        array->children[i] = empty_array(a, schema->children[i], depth + 1);
    }
    if (schema->dictionary != NULL) {
        array->dictionary = empty_array(a, schema->dictionary, depth + 1);
    }
    array->release = child_release;
    return array;
}

/* ---- in ---- */

typedef struct arrow_load {
    tn_arena *arena;
    tn_conn *conn;
    tn_str table; /* SQL text */
    struct ArrowArrayStream *stream;
    struct ArrowSchema schema;
    struct ArrowSchema plain; /* the schema, or its copy without dictionaries; borrows */
    bool has_dictionary;
    duckdb_arrow_converted_schema converted;
    duckdb_appender appender;
    duckdb_logical_type *types;
    int64_t rows;
    bool created;
    tn_err *err;
} arrow_load;

static tn_rc stream_failed(arrow_load *l, int code, const char *what)
{
    const char *why = l->stream->get_last_error ? l->stream->get_last_error(l->stream) : NULL;
    return tn_fail(l->err, code == ECANCELED ? TN_E_CANCELLED : TN_E_DATA,
        "%s of the Arrow stream: %s", what, why && why[0] ? why : "it gives no reason");
}

static tn_rc load_schema(arrow_load *l)
{
    int code = l->stream->get_schema(l->stream, &l->schema);
    if (code != 0) {
        return stream_failed(l, code, "the schema");
    }
    if (l->schema.format == NULL || strcmp(l->schema.format, "+s") != 0 ||
        l->schema.n_children == 0) {
        return tn_fail(l->err, TN_E_DATA, "the Arrow stream has no columns");
    }
    l->has_dictionary = arrow_has_dictionary(&l->schema);
    l->plain = l->schema;
    if (l->has_dictionary) {
        arrow_plain_schema(l->arena, &l->schema, &l->plain);
    }
    duckdb_error_data failed = duckdb_schema_from_arrow(l->conn->con, &l->plain, &l->converted);
    return failed ? duck_fail_data(l->err, &failed) : TN_OK;
}

static tn_rc convert(arrow_load *l, struct ArrowArray *array, duckdb_data_chunk *ret)
{
    duckdb_error_data failed = duckdb_data_chunk_from_arrow(l->conn->con, array, l->converted, ret);
    if (failed == NULL) {
        return TN_OK;
    }
    if (array->release != NULL) {
        array->release(array);
    }
    return duck_fail_data(l->err, &failed);
}

static tn_rc create_table(arrow_load *l)
{
    struct ArrowArray *empty = empty_array(l->arena, &l->plain, 0);
    TN_AUTO(duckdb_data_chunk) chunk = NULL;
    TN_TRY(convert(l, empty, &chunk));
    size_t cols = (size_t)l->schema.n_children;
    l->types = tn_new_array(l->arena, duckdb_logical_type, cols);
    tn_buf b = tn_buf_init(l->arena, TN_BUF_NO_LIMIT);
    tn_buf_addz(
        &b, tn_str_starts(l->table, TN_STR("temp.")) ? "CREATE TEMPORARY TABLE " : "CREATE TABLE ");
    tn_buf_add(&b, l->table);
    tn_buf_addz(&b, " (");
    for (size_t i = 0; i < cols; i++) {
        const char *name = l->schema.children[i]->name;
        l->types[i] = duckdb_vector_get_column_type(duckdb_data_chunk_get_vector(chunk, i));
        tn_buf_addz(&b, i > 0 ? ", " : "");
        tn_sql_ident(
            &b, name && name[0] ? tn_str_of(name) : tn_str_printf(l->arena, "column%zu", i));
        tn_buf_addc(&b, ' ');
        tn_buf_add(&b, duck_type_text(l->arena, l->types[i]));
    }
    tn_buf_addc(&b, ')');
    TN_TRY(tn_conn_exec(l->conn, tn_buf_str(&b), l->err));
    l->created = true;
    char *insert = tn_arena_printf(
        l->arena, "INSERT INTO " TN_STR_FMT " FROM appended_data", TN_STR_ARG(l->table));
    if (duckdb_appender_create_query(
            l->conn->con, insert, cols, l->types, NULL, NULL, &l->appender) != DuckDBSuccess) {
        return duck_fail(l->err, DUCKDB_ERROR_INVALID, duckdb_appender_error(l->appender));
    }
    return TN_OK;
}

static tn_rc append_batch(arrow_load *l, batch *b)
{
    for (int64_t from = 0; from < b->array.length; from += SLICE_ROWS) {
        int64_t left = b->array.length - from;
        struct ArrowArray part =
            make_slice(b, &l->plain, from, left < SLICE_ROWS ? left : SLICE_ROWS);
        TN_AUTO(duckdb_data_chunk) chunk = NULL;
        TN_TRY(convert(l, &part, &chunk));
        if (duckdb_append_data_chunk(l->appender, chunk) != DuckDBSuccess) {
            return duck_fail(l->err, DUCKDB_ERROR_INVALID, duckdb_appender_error(l->appender));
        }
    }
    l->rows += b->array.length;
    return TN_OK;
}

static tn_rc prepare_batch(arrow_load *l, batch *b)
{
    if (b->original.n_children != l->schema.n_children) {
        return tn_fail(l->err, TN_E_DATA, "a batch of the Arrow stream does not fit its schema");
    }
    return l->has_dictionary
               ? arrow_plain_array(b->arena, &l->schema, &b->original, &b->array, l->err)
               : TN_OK;
}

static tn_rc load_batches(arrow_load *l)
{
    for (;;) {
        struct ArrowArray next = { .release = NULL };
        int code = l->stream->get_next(l->stream, &next);
        if (code != 0) {
            return stream_failed(l, code, "a batch");
        }
        if (next.release == NULL) {
            break;
        }
        tn_arena *a = tn_arena_new("arrow batch", NULL);
        batch *b = tn_new(a, batch);
        *b = (batch){ .arena = a, .original = next, .array = next, .refs = 1 };
        tn_rc rc = prepare_batch(l, b);
        if (rc == TN_OK) {
            rc = append_batch(l, b);
        }
        batch_unref(b);
        TN_TRY(rc);
    }
    if (duckdb_appender_close(l->appender) != DuckDBSuccess) {
        return duck_fail(l->err, DUCKDB_ERROR_INVALID, duckdb_appender_error(l->appender));
    }
    return TN_OK;
}

static tn_rc load_all(arrow_load *l)
{
    TN_TRY(load_schema(l));
    TN_TRY(create_table(l));
    return load_batches(l);
}

static void load_end(arrow_load *l, bool failed)
{
    if (l->appender != NULL) {
        if (failed) {
            duckdb_appender_clear(l->appender);
        }
        duckdb_appender_destroy(&l->appender);
    }
    for (int64_t i = 0; l->types != NULL && i < l->schema.n_children; i++) {
        duckdb_destroy_logical_type(&l->types[i]);
    }
    if (l->converted != NULL) {
        duckdb_destroy_arrow_converted_schema(&l->converted);
    }
    if (l->schema.release != NULL) {
        l->schema.release(&l->schema);
    }
    if (l->stream->release != NULL) {
        l->stream->release(l->stream);
    }
    if (failed && l->created) {
        (void)!tn_conn_exec(
            l->conn, tn_str_printf(l->arena, "DROP TABLE " TN_STR_FMT, TN_STR_ARG(l->table)), NULL);
    }
}

tn_rc tn_conn_arrow_in(tn_conn *c, tn_str table_sql_name, struct ArrowArrayStream *stream,
    int64_t *ret_rows, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("arrow in", NULL);
    arrow_load l = { .arena = a, .conn = c, .table = table_sql_name, .stream = stream, .err = err };
    tn_rc rc = load_all(&l);
    load_end(&l, rc != TN_OK);
    TN_TRY(rc);
    if (ret_rows != NULL) {
        *ret_rows = l.rows;
    }
    return TN_OK;
}
