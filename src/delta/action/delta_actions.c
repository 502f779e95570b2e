/* delta_actions.c: the lines of a commit to structs.
 *
 * A log of 10,000 commits holds 100,000 lines and more, and every read of a table passes here, so this file takes
 * the JSON parser itself (yyjson) rather than building values: known fields are copied, the rest is skipped. Unknown
 * actions and fields are ignored, as PROTOCOL.md asks ("Action Reconciliation", "Commit Files").
 */
#include <yyjson.h>

#include "delta/action/delta_action.h"

typedef struct parser {
    tn_arena *arena;
    tn_delta_actions *acts;
    tn_val empty_dict; /* shared by all files without partition values */
} parser;

tn_delta_actions tn_delta_actions_empty(void)
{
    return (tn_delta_actions){ .version = -1, .in_commit_ms = TN_DELTA_ABSENT };
}

/* ---- fields ---- */

static tn_str get_str(parser *p, yyjson_val *obj, const char *key)
{
    yyjson_val *v = yyjson_obj_get(obj, key);
    if (!yyjson_is_str(v)) {
        return TN_STR_NONE;
    }
    return tn_str_dup(p->arena, tn_str_n(yyjson_get_str(v), yyjson_get_len(v)));
}

static int64_t get_int(yyjson_val *obj, const char *key, int64_t dflt)
{
    yyjson_val *v = yyjson_obj_get(obj, key);
    if (yyjson_is_int(v)) {
        return yyjson_get_sint(v);
    }
    /* Some writers print times as 1.7e12. */
    if (yyjson_is_real(v) && yyjson_get_real(v) > -9e18 && yyjson_get_real(v) < 9e18) {
        return (int64_t)yyjson_get_real(v);
    }
    return dflt;
}

static bool get_bool(yyjson_val *obj, const char *key, bool dflt)
{
    yyjson_val *v = yyjson_obj_get(obj, key);
    return yyjson_is_bool(v) ? yyjson_get_bool(v) : dflt;
}

static void get_strs(parser *p, yyjson_val *obj, const char *key, tn_strs *ret)
{
    yyjson_val *arr = yyjson_obj_get(obj, key);
    size_t i;
    size_t n;
    yyjson_val *v;
    yyjson_arr_foreach(arr, i, n, v)
    {
        if (yyjson_is_str(v)) {
            tn_vec_push(ret, p->arena,
                tn_str_dup(p->arena, tn_str_n(yyjson_get_str(v), yyjson_get_len(v))));
        }
    }
}

/* A JSON object of strings and nulls as a dict; other values become their JSON text. */
static tn_val get_string_map(parser *p, yyjson_val *obj, const char *key, tn_val dflt)
{
    yyjson_val *map = yyjson_obj_get(obj, key);
    if (!yyjson_is_obj(map) || yyjson_obj_size(map) == 0) {
        return dflt;
    }
    tn_val dict = tn_val_dict(p->arena);
    yyjson_obj_iter it = yyjson_obj_iter_with(map);
    for (yyjson_val *k = yyjson_obj_iter_next(&it); k != NULL; k = yyjson_obj_iter_next(&it)) {
        yyjson_val *v = yyjson_obj_iter_get_val(k);
        tn_str name = tn_str_dup(p->arena, tn_str_n(yyjson_get_str(k), yyjson_get_len(k)));
        tn_val value = TN_VAL_NONE;
        if (yyjson_is_str(v)) {
            value = tn_val_str_dup(p->arena, tn_str_n(yyjson_get_str(v), yyjson_get_len(v)));
        } else if (!yyjson_is_null(v)) {
            size_t n = 0;
            char *text = yyjson_val_write(v, 0, &n);
            value = tn_val_str_dup(p->arena, tn_str_n(text, n));
            free(text);
        }
        tn_dict_puts(dict.dict, name, value);
    }
    return dict;
}

/* A checkpoint may hold an all-null struct where there is no vector; then storageType is absent. */
static tn_rc get_dv(parser *p, yyjson_val *obj, tn_delta_dv *ret, tn_err *err)
{
    yyjson_val *dv = yyjson_obj_get(obj, "deletionVector");
    tn_str storage = get_str(p, dv, "storageType");
    if (storage.n == 0) {
        *ret = (tn_delta_dv){ .storage = 0, .offset = -1 };
        return TN_OK;
    }
    if (storage.n != 1 || strchr("uip", storage.p[0]) == NULL) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "a deletion vector has the storage type '" TN_STR_FMT "'", TN_STR_ARG(storage));
    }
    int64_t offset = get_int(dv, "offset", -1);
    *ret = (tn_delta_dv){ .storage = storage.p[0],
        .path_or_inline = get_str(p, dv, "pathOrInlineDv"),
        .offset = offset >= 0 && offset <= INT32_MAX ? (int32_t)offset : -1,
        .size_bytes = get_int(dv, "sizeInBytes", 0),
        .cardinality = get_int(dv, "cardinality", -1) };
    return TN_OK;
}

/* ---- actions ---- */

static tn_rc parse_add(parser *p, yyjson_val *v, tn_err *err)
{
    tn_delta_file f = {
        .path = get_str(p, v, "path"),
        .partition_values = get_string_map(p, v, "partitionValues", p->empty_dict),
        .size = get_int(v, "size", 0),
        .mtime_ms = get_int(v, "modificationTime", 0),
        .stats = get_str(p, v, "stats"),
        .tags = get_string_map(p, v, "tags", TN_VAL_UNDEF),
        .base_row_id = get_int(v, "baseRowId", TN_DELTA_ABSENT),
        .default_row_commit_version = get_int(v, "defaultRowCommitVersion", TN_DELTA_ABSENT),
        .clustering_provider = get_str(p, v, "clusteringProvider"),
        .data_change = get_bool(v, "dataChange", true),
    };
    if (f.path.n == 0) {
        return tn_fail(err, TN_E_CORRUPT, "an add action has no path");
    }
    TN_TRY(get_dv(p, v, &f.dv, err));
    tn_vec_push(&p->acts->adds, p->arena, f);
    return TN_OK;
}

static tn_rc parse_cdc(parser *p, yyjson_val *v, tn_err *err)
{
    tn_delta_file f = {
        .path = get_str(p, v, "path"),
        .partition_values = get_string_map(p, v, "partitionValues", p->empty_dict),
        .size = get_int(v, "size", 0),
        .tags = TN_VAL_UNDEF,
        .dv = { .offset = -1 },
        .base_row_id = TN_DELTA_ABSENT,
        .default_row_commit_version = TN_DELTA_ABSENT,
    };
    if (f.path.n == 0) {
        return tn_fail(err, TN_E_CORRUPT, "a cdc action has no path");
    }
    tn_vec_push(&p->acts->cdcs, p->arena, f);
    return TN_OK;
}

static tn_rc parse_remove(parser *p, yyjson_val *v, tn_err *err)
{
    tn_delta_remove r = {
        .path = get_str(p, v, "path"),
        .deleted_ms = get_int(v, "deletionTimestamp", 0),
        .data_change = get_bool(v, "dataChange", true),
        .extended = get_bool(v, "extendedFileMetadata", false),
        .partition_values = get_string_map(p, v, "partitionValues", TN_VAL_UNDEF),
        .size = get_int(v, "size", -1),
    };
    if (r.path.n == 0) {
        return tn_fail(err, TN_E_CORRUPT, "a remove action has no path");
    }
    TN_TRY(get_dv(p, v, &r.dv, err));
    tn_vec_push(&p->acts->removes, p->arena, r);
    return TN_OK;
}

static tn_rc parse_protocol(parser *p, yyjson_val *v, tn_err *err)
{
    tn_delta_protocol *pr = &p->acts->protocol;
    int64_t reader = get_int(v, "minReaderVersion", 0);
    int64_t writer = get_int(v, "minWriterVersion", 0);
    if (reader < 1 || reader > 1000 || writer < 1 || writer > 1000) {
        return tn_fail(err, TN_E_CORRUPT,
            "the protocol action has reader version %lld and writer version %lld",
            (long long)reader, (long long)writer);
    }
    *pr = (tn_delta_protocol){ .reader = (int)reader, .writer = (int)writer };
    get_strs(p, v, "readerFeatures", &pr->reader_features);
    get_strs(p, v, "writerFeatures", &pr->writer_features);
    p->acts->has_protocol = true;
    return TN_OK;
}

static tn_rc parse_meta(parser *p, yyjson_val *v, tn_err *err)
{
    yyjson_val *format = yyjson_obj_get(v, "format");
    tn_delta_meta m = {
        .id = get_str(p, v, "id"),
        .name = get_str(p, v, "name"),
        .description = get_str(p, v, "description"),
        .format_provider = get_str(p, format, "provider"),
        .schema_json = get_str(p, v, "schemaString"),
        .configuration = get_string_map(p, v, "configuration", p->empty_dict),
        .created_ms = get_int(v, "createdTime", TN_DELTA_ABSENT),
    };
    get_strs(p, v, "partitionColumns", &m.partition_columns);
    if (m.schema_json.n > 0) {
        TN_TRY(tn_delta_schema_parse(p->arena, m.schema_json, &m.schema, err));
    } else { /* seen in old logs of tables without columns; scanning such a table is refused */
        m.schema = tn_new(p->arena, tn_delta_type);
        m.schema->kind = TN_DT_STRUCT;
    }
    p->acts->meta = m;
    p->acts->has_meta = true;
    return TN_OK;
}

static tn_rc parse_txn(parser *p, yyjson_val *v)
{
    tn_delta_txn t = { .app_id = get_str(p, v, "appId"),
        .version = get_int(v, "version", -1),
        .last_updated = get_int(v, "lastUpdated", TN_DELTA_ABSENT) };
    if (t.app_id.p != NULL) {
        tn_vec_push(&p->acts->txns, p->arena, t);
    }
    return TN_OK;
}

static tn_rc parse_domain(parser *p, yyjson_val *v)
{
    tn_delta_domain d = { .domain = get_str(p, v, "domain"),
        .configuration = get_str(p, v, "configuration"),
        .removed = get_bool(v, "removed", false) };
    if (d.domain.p != NULL) {
        tn_vec_push(&p->acts->domains, p->arena, d);
    }
    return TN_OK;
}

static tn_rc parse_info(parser *p, yyjson_val *v)
{
    tn_delta_actions *acts = p->acts;
    acts->has_info = true;
    acts->in_commit_ms = get_int(v, "inCommitTimestamp", TN_DELTA_ABSENT);
    acts->blind_append = get_bool(v, "isBlindAppend", false);
    acts->txn_id = get_str(p, v, "txnId");
    acts->operation = get_str(p, v, "operation");
    size_t n = 0;
    char *text = yyjson_val_write(v, 0, &n);
    acts->info = tn_str_dup(p->arena, tn_str_n(text, n));
    free(text);
    return TN_OK;
}

static tn_rc parse_action(parser *p, tn_str kind, yyjson_val *v, tn_err *err)
{
    if (!yyjson_is_obj(v)) {
        return TN_OK; /* NULL in checkpoints, or something newer than this reader */
    }
    if (tn_str_is(kind, "add")) {
        return parse_add(p, v, err);
    }
    if (tn_str_is(kind, "remove")) {
        return parse_remove(p, v, err);
    }
    if (tn_str_is(kind, "metaData")) {
        return parse_meta(p, v, err);
    }
    if (tn_str_is(kind, "protocol")) {
        return parse_protocol(p, v, err);
    }
    if (tn_str_is(kind, "txn")) {
        return parse_txn(p, v);
    }
    if (tn_str_is(kind, "domainMetadata")) {
        return parse_domain(p, v);
    }
    if (tn_str_is(kind, "commitInfo")) {
        return parse_info(p, v);
    }
    if (tn_str_is(kind, "sidecar")) {
        tn_vec_push(&p->acts->sidecars, p->arena, get_str(p, v, "path"));
    } else if (tn_str_is(kind, "cdc")) {
        return parse_cdc(p, v, err);
    }
    return TN_OK;
}

static tn_rc parse_line(parser *p, tn_str line, tn_err *err)
{
    yyjson_read_err bad;
    /* The parser does not write into its input without YYJSON_READ_INSITU; its prototype merely says char *. */
    char *text = (char *)(uintptr_t)line.p;
    yyjson_doc *doc = yyjson_read_opts(text, line.n, YYJSON_READ_NOFLAG, NULL, &bad);
    if (doc == NULL) {
        return tn_fail(err, TN_E_CORRUPT, "not JSON at byte %zu: %s", bad.pos, bad.msg);
    }
    yyjson_val *root = yyjson_doc_get_root(doc);
    tn_rc rc = TN_OK;
    yyjson_obj_iter it = yyjson_obj_iter_with(root);
    for (yyjson_val *k = yyjson_obj_iter_next(&it); k != NULL && rc == TN_OK;
        k = yyjson_obj_iter_next(&it)) {
        rc = parse_action(
            p, tn_str_n(yyjson_get_str(k), yyjson_get_len(k)), yyjson_obj_iter_get_val(k), err);
    }
    yyjson_doc_free(doc);
    return rc;
}

tn_rc tn_delta_actions_parse(
    tn_arena *a, tn_str text, const char *what, tn_delta_actions *acts, tn_err *err)
{
    parser p = { .arena = a, .acts = acts, .empty_dict = tn_val_dict(a) };
    tn_val_freeze(p.empty_dict);
    int64_t number = 0;
    while (text.n > 0) {
        tn_str line;
        tn_str tail;
        (void)tn_str_cut(text, '\n', &line, &tail);
        text = tail;
        number++;
        line = tn_str_trim(line);
        if (line.n == 0) {
            continue;
        }
        tn_rc rc = parse_line(&p, line, err);
        if (rc != TN_OK) {
            return tn_while(err, rc, "'%s' line %lld", what, (long long)number);
        }
    }
    return TN_OK;
}
