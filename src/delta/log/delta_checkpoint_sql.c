/* delta_checkpoint_sql.c: the COPY that makes a checkpoint's Parquet of lines ("Checkpoint Schema").
 *
 * Statistics as structs: `stats_parsed` and `partitionValues_parsed` of add, in the columns' own types and under their physical names. Their
 * leaves are read as text and cast; what does not cast becomes NULL, which readers take for unknown.
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_checkpoint.h"
#include "delta/log/delta_log.h"
#include "text/json.h"
#include "text/sqltext.h"

#define MAP_TYPE "MAP(VARCHAR, VARCHAR)"
#define DV_TYPE                                                                                    \
    "STRUCT(storageType VARCHAR, pathOrInlineDv VARCHAR, \"offset\" INTEGER, sizeInBytes "         \
    "INTEGER, cardinality BIGINT)"
#define REMOVE_TYPE                                                                                \
    "STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata "     \
    "BOOLEAN, partitionValues " MAP_TYPE ", size BIGINT, deletionVector " DV_TYPE ")"

static const struct {
    const char *name;
    const char *type;
} ADD_FIELDS[] = { { "path", "VARCHAR" }, { "partitionValues", MAP_TYPE }, { "size", "BIGINT" },
    { "modificationTime", "BIGINT" }, { "dataChange", "BOOLEAN" }, { "stats", "VARCHAR" },
    { "tags", MAP_TYPE }, { "deletionVector", DV_TYPE }, { "baseRowId", "BIGINT" },
    { "defaultRowCommitVersion", "BIGINT" }, { "clusteringProvider", "VARCHAR" } };

static const struct {
    const char *name;
    const char *type;
} OTHERS[] = {
    { "txn", "STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)" },
    { "metaData", "STRUCT(id VARCHAR, \"name\" VARCHAR, description VARCHAR, format "
                  "STRUCT(provider VARCHAR, \"options\" " MAP_TYPE
                  "), schemaString VARCHAR, partitionColumns VARCHAR[], configuration " MAP_TYPE
                  ", createdTime BIGINT)" },
    { "protocol", "STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures "
                  "VARCHAR[], writerFeatures VARCHAR[])" },
    { "domainMetadata", "STRUCT(\"domain\" VARCHAR, configuration VARCHAR, removed BOOLEAN)" },
};

bool tn_delta_checkpoint_stats_json(const tn_delta_meta *m)
{
    return !tn_delta_property_is(m, "delta.checkpoint.writeStatsAsJson", "false");
}

bool tn_delta_checkpoint_stats_struct(const tn_delta_meta *m)
{
    return tn_delta_property_is(m, "delta.checkpoint.writeStatsAsStruct", "true");
}

bool tn_delta_quote_numbers(tn_buf *b, tn_str json)
{
    TN_AUTO_ARENA a = tn_arena_new("delta stats", NULL);
    tn_val v;
    tn_err ignored = TN_ERR_INIT;
    if (tn_json_parse(a, json, &v, &ignored) != TN_OK || v.tag != TN_DICT) {
        return false;
    }
    bool inside = false;
    for (size_t i = 0; i < json.n; i++) {
        char c = json.p[i];
        if (inside || (c != '-' && (c < '0' || c > '9'))) {
            inside = c == '"' ? !inside : inside;
            tn_buf_addc(b, c);
            if (inside && c == '\\' && i + 1 < json.n) {
                tn_buf_addc(b, json.p[++i]);
            }
            continue;
        }
        size_t to = i;
        while (to < json.n && strchr("+-.0123456789eE", json.p[to]) != NULL) {
            to++;
        }
        tn_buf_addc(b, '"');
        tn_buf_add(b, tn_str_sub(json, i, to));
        tn_buf_addc(b, '"');
        i = to - 1;
    }
    return true;
}

/* ---- statistics ---- */

typedef enum bound { BOUND_VALUE, BOUND_COUNT } bound;

static bool has_bound(const tn_delta_type *t)
{
    static const char *const NONE[] = { "boolean", "binary", "void", "null", "variant" };
    if (t->kind != TN_DT_PRIMITIVE) {
        return t->kind == TN_DT_STRUCT;
    }
    for (size_t i = 0; i < TN_COUNTOF(NONE); i++) {
        if (tn_delta_type_is(t, NONE[i])) {
            return false;
        }
    }
    return tn_delta_type_unknown(t) == NULL;
}

/* A struct that has a leaf for this part; structs without one would be empty, which Parquet has not. */
static bool has_leaf(const tn_delta_type *t, bound part)
{
    if (t->kind != TN_DT_STRUCT) {
        return part == BOUND_COUNT || has_bound(t);
    }
    for (size_t i = 0; i < t->fields.n; i++) {
        if (has_leaf(t->fields.v[i].type, part)) {
            return true;
        }
    }
    return false;
}

static bool is_partition(const tn_delta_meta *m, const tn_delta_field *f, bool top)
{
    return top && tn_delta_partition_index(m, f->name) != SIZE_MAX;
}

typedef struct statistics {
    const tn_delta_meta *meta;
    tn_delta_mapping mapping;
    bound part;
    tn_buf *b;
} statistics;

static void add_text_type(const statistics *s, const tn_delta_type *t, bool top)
{
    if (t->kind != TN_DT_STRUCT) {
        tn_buf_addz(s->b, "VARCHAR");
        return;
    }
    tn_buf_addz(s->b, "STRUCT(");
    const char *comma = "";
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        if (!is_partition(s->meta, f, top) && has_leaf(f->type, s->part)) {
            tn_buf_addz(s->b, comma);
            tn_sql_ident(s->b, tn_delta_physical_name(f, s->mapping));
            tn_buf_addc(s->b, ' ');
            add_text_type(s, f->type, false);
            comma = ", ";
        }
    }
    tn_buf_addc(s->b, ')');
}

static void add_cast(const statistics *s, const tn_delta_type *t, tn_str value, bool top)
{
    if (t->kind != TN_DT_STRUCT) {
        tn_buf_addz(s->b, "TRY_CAST(");
        tn_buf_add(s->b, value);
        tn_buf_addz(s->b, " AS ");
        if (s->part == BOUND_COUNT) {
            tn_buf_addz(s->b, "BIGINT");
        } else {
            tn_delta_type_to_sql(s->b, t);
        }
        tn_buf_addc(s->b, ')');
        return;
    }
    tn_buf_addf(
        s->b, "CASE WHEN " TN_STR_FMT " IS NULL THEN NULL ELSE struct_pack(", TN_STR_ARG(value));
    const char *comma = "";
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        if (!is_partition(s->meta, f, top) && has_leaf(f->type, s->part)) {
            tn_buf inner = tn_buf_init(s->b->arena, TN_BUF_NO_LIMIT);
            tn_buf_add(&inner, value);
            tn_buf_addc(&inner, '.');
            tn_sql_ident(&inner, tn_delta_physical_name(f, s->mapping));
            tn_buf_addz(s->b, comma);
            tn_sql_ident(s->b, tn_delta_physical_name(f, s->mapping));
            tn_buf_addz(s->b, " := ");
            add_cast(s, f->type, tn_buf_str(&inner), false);
            comma = ", ";
        }
    }
    tn_buf_addz(s->b, ") END");
}

static const struct {
    const char *name;
    bound part;
} PARTS[] = { { "minValues", BOUND_VALUE }, { "maxValues", BOUND_VALUE },
    { "nullCount", BOUND_COUNT } };

static bool part_has_leaf(const statistics *s)
{
    const tn_delta_type *t = s->meta->schema;
    for (size_t i = 0; i < t->fields.n; i++) {
        if (!is_partition(s->meta, &t->fields.v[i], true) &&
            has_leaf(t->fields.v[i].type, s->part)) {
            return true;
        }
    }
    return false;
}

static void add_stats_type(statistics *s)
{
    tn_buf_addz(s->b, "STRUCT(numRecords VARCHAR, tightBounds VARCHAR");
    for (size_t i = 0; i < TN_COUNTOF(PARTS); i++) {
        s->part = PARTS[i].part;
        if (part_has_leaf(s)) {
            tn_buf_addf(s->b, ", %s ", PARTS[i].name);
            add_text_type(s, s->meta->schema, true);
        }
    }
    tn_buf_addc(s->b, ')');
}

void tn_delta_checkpoint_stats_type(tn_buf *b, const tn_delta_meta *m, tn_delta_mapping mapping)
{
    statistics s = { .meta = m, .mapping = mapping, .b = b };
    add_stats_type(&s);
}

static void add_stats_value(statistics *s)
{
    tn_buf_addz(s->b,
        "CASE WHEN \"add\".stats_parsed IS NULL THEN NULL ELSE struct_pack(numRecords := "
        "TRY_CAST(\"add\".stats_parsed.numRecords AS BIGINT), tightBounds := "
        "TRY_CAST(\"add\".stats_parsed.tightBounds AS BOOLEAN)");
    for (size_t i = 0; i < TN_COUNTOF(PARTS); i++) {
        s->part = PARTS[i].part;
        if (part_has_leaf(s)) {
            tn_buf_addf(s->b, ", %s := ", PARTS[i].name);
            tn_str value = tn_str_printf(s->b->arena, "\"add\".stats_parsed.%s", PARTS[i].name);
            add_cast(s, s->meta->schema, value, true);
        }
    }
    tn_buf_addz(s->b, ") END");
}

/* ---- partition values ---- */

static void add_partitions(const statistics *s)
{
    const tn_delta_meta *m = s->meta;
    tn_buf_addz(s->b, "struct_pack(");
    for (size_t i = 0; i < m->partition_columns.n; i++) {
        const tn_delta_field *f = tn_delta_field_find(m->schema, m->partition_columns.v[i]);
        tn_str name = tn_delta_physical_name(f, s->mapping);
        tn_buf value = tn_buf_init(s->b->arena, TN_BUF_NO_LIMIT);
        tn_buf_addz(&value, "\"add\".partitionValues[");
        tn_sql_literal(&value, name);
        tn_buf_addc(&value, ']');
        tn_str v = tn_buf_str(&value);
        tn_buf_addz(s->b, i > 0 ? ", " : "");
        tn_sql_ident(s->b, name);
        if (tn_delta_type_is(f->type, "timestamp")) { /* a time without zone is UTC */
            tn_buf_addf(s->b,
                " := TRY_CAST(CASE WHEN regexp_full_match(" TN_STR_FMT
                ", '[0-9-]+[ T][0-9:.]+') THEN " TN_STR_FMT " || '+00' ELSE " TN_STR_FMT " END AS ",
                TN_STR_ARG(v), TN_STR_ARG(v), TN_STR_ARG(v));
        } else {
            tn_buf_addf(s->b, " := TRY_CAST(" TN_STR_FMT " AS ", TN_STR_ARG(v));
        }
        tn_delta_type_to_sql(s->b, f->type);
        tn_buf_addc(s->b, ')');
    }
    tn_buf_addc(s->b, ')');
}

/* ---- the whole ---- */

enum { OBJECT_BYTES_MIN = 4 << 20 };

static void add_read_json(
    statistics *s, tn_checkpoint_part part, const tn_checkpoint_lines *from, bool parsed)
{
    tn_buf types = tn_buf_init(s->b->arena, TN_DELTA_SQL_BYTES_MAX);
    tn_buf *out = s->b;
    tn_buf_addz(out, " FROM read_json(");
    tn_delta_sql_location(out, from->path);
    tn_buf_addf(out, ", format='newline_delimited', maximum_object_size=%zu, columns={'add': ",
        tn_max_size(from->longest + 1, OBJECT_BYTES_MIN));
    tn_buf_addz(&types, "STRUCT(");
    for (size_t i = 0; i < TN_COUNTOF(ADD_FIELDS); i++) {
        tn_buf_addf(&types, "%s%s %s", i > 0 ? ", " : "", ADD_FIELDS[i].name, ADD_FIELDS[i].type);
    }
    if (parsed) {
        s->b = &types;
        tn_buf_addz(&types, ", stats_parsed ");
        add_stats_type(s);
        s->b = out;
    }
    tn_buf_addc(&types, ')');
    tn_sql_literal(out, tn_buf_str(&types));
    tn_buf_addz(out, ", 'remove': ");
    tn_sql_literal(out, TN_STR(REMOVE_TYPE));
    for (size_t i = 0; part == TN_CHECKPOINT_ALL && i < TN_COUNTOF(OTHERS); i++) {
        tn_buf_addf(out, ", '%s': ", OTHERS[i].name);
        tn_sql_literal(out, tn_str_of(OTHERS[i].type));
    }
    tn_buf_addz(out, "})");
}

tn_rc tn_delta_checkpoint_copy(tn_arena *a, const tn_delta_snapshot *snapshot,
    tn_checkpoint_part part, const tn_checkpoint_lines *from, tn_str to, tn_str *ret, tn_err *err)
{
    const tn_delta_meta *m = &snapshot->meta;
    bool json = tn_delta_checkpoint_stats_json(m);
    bool parsed = tn_delta_checkpoint_stats_struct(m);
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    statistics s = { .meta = m, .mapping = tn_delta_mapping_of(&snapshot->protocol, m), .b = &b };
    tn_buf_addz(&b, "COPY (SELECT CASE WHEN \"add\" IS NULL THEN NULL ELSE struct_pack(");
    const char *comma = "";
    for (size_t i = 0; i < TN_COUNTOF(ADD_FIELDS); i++) {
        if (json || strcmp(ADD_FIELDS[i].name, "stats") != 0) {
            tn_buf_addf(&b, "%s%s := \"add\".%s", comma, ADD_FIELDS[i].name, ADD_FIELDS[i].name);
            comma = ", ";
        }
    }
    if (parsed) {
        tn_buf_addz(&b, ", stats_parsed := ");
        add_stats_value(&s);
        if (m->partition_columns.n > 0) {
            tn_buf_addz(&b, ", partitionValues_parsed := ");
            add_partitions(&s);
        }
    }
    tn_buf_addz(&b, ") END AS \"add\", \"remove\"");
    for (size_t i = 0; part == TN_CHECKPOINT_ALL && i < TN_COUNTOF(OTHERS); i++) {
        tn_buf_addf(&b, ", \"%s\"", OTHERS[i].name);
    }
    add_read_json(&s, part, from, parsed);
    tn_buf_addz(&b, ") TO ");
    tn_sql_literal(&b, to);
    tn_buf_addz(&b, " (FORMAT parquet, COMPRESSION snappy)");
    return tn_buf_finish(&b, "the checkpoint's COPY", ret, err);
}
