/* delta_schema.h: a table's protocol, properties and schema as values: features, types, column mapping, types that widen.
 *
 * Metadata is never changed in place: functions that change it work on a tn_delta_meta of the caller, whose schema and configuration they
 * replace by copies.
 */
#ifndef TN_DELTA_DELTA_SCHEMA_H
#define TN_DELTA_DELTA_SCHEMA_H

#include "delta/delta.h"

enum { TN_DELTA_TYPE_DEPTH_MAX = 64, TN_DELTA_FIELDS_MAX = 100000, TN_DELTA_PARTS_MAX = 100000 };

/* ---- features ---- */
tn_rc tn_delta_check_readable(const tn_delta_protocol *p, tn_err *err) TN_MUSTUSE;
/* Names the first writer feature that this library cannot honour yet. */
tn_rc tn_delta_check_writable(
    const tn_delta_protocol *p, const tn_delta_meta *m, tn_err *err) TN_MUSTUSE;
bool tn_delta_has_feature(const tn_delta_protocol *p, const char *feature);
typedef enum tn_delta_mapping { TN_MAPPING_NONE, TN_MAPPING_NAME, TN_MAPPING_ID } tn_delta_mapping;
tn_delta_mapping tn_delta_mapping_of(const tn_delta_protocol *p, const tn_delta_meta *m);
tn_str tn_delta_physical_name(const tn_delta_field *f, tn_delta_mapping mapping);
tn_str tn_delta_property(const tn_delta_meta *m, const char *key); /* empty when absent */
bool tn_delta_property_is(const tn_delta_meta *m, const char *key, const char *value);
/* "interval 1 week" and the like; dflt when absent or not understood. */
int64_t tn_delta_interval_ms(const tn_delta_meta *m, const char *key, int64_t dflt);
/* The place of a partition column, or SIZE_MAX. */
size_t tn_delta_partition_index(const tn_delta_meta *m, tn_str name);
/* 0: unknown; else the least reader version that the feature needs (1 for a writer feature, 3 for one in both lists). */
int tn_delta_feature_reader(tn_str name);
/* The writer version below 7 that implies the feature, 0: none does. */
int tn_delta_feature_legacy(tn_str name);
/* The key stands in the metadata of a field anywhere in the schema. */
bool tn_delta_schema_has_key(const tn_delta_type *t, const char *key);

/* ---- schema ---- */
bool tn_delta_type_is(const tn_delta_type *t, const char *primitive);
int tn_delta_type_int_rank(const tn_delta_type *t); /* byte 1, short 2, integer 3, long 4; else 0 */
bool tn_delta_type_is_decimal(const tn_delta_type *t, int64_t *ret_precision, int64_t *ret_scale);
bool tn_delta_type_eq(const tn_delta_type *x,
    const tn_delta_type *y); /* names ignoring case; nullability and metadata do not count */
bool tn_delta_type_has(const tn_delta_type *t, const char *primitive); /* anywhere inside */
/* The first primitive inside that this library does not know; NULL: all are known. */
const tn_delta_type *tn_delta_type_unknown(const tn_delta_type *t);
tn_delta_type *tn_delta_primitive(tn_arena *a, tn_str name);
/* A deep copy, metadata too, that may be changed without touching a snapshot. */
tn_delta_type *tn_delta_type_copy(tn_arena *a, const tn_delta_type *t);
tn_delta_field *tn_delta_field_find(
    const tn_delta_type *t, tn_str name); /* ignoring case (ASCII), NULL when absent */
/* The SQL type of the data in files: names of nested fields physical, void as VARCHAR. */
void tn_delta_type_to_physical_sql(tn_buf *b, const tn_delta_type *t, tn_delta_mapping mapping);
bool tn_delta_type_is_void(const tn_delta_type *t);
/* A file's value of the partition column at `column`, as the log has it: a text or None; undefined: the file has none. */
tn_val tn_delta_partition_value(
    const tn_delta_meta *m, tn_delta_mapping mapping, const tn_delta_file *f, size_t column);
/* A partition value of the log as SQL of the column's type. A timestamp without zone is taken as UTC. */
void tn_delta_partition_sql(tn_buf *b, const tn_delta_type *t, tn_val v);

/* ---- metadata ---- */
/* Prints m->schema into m->schema_json. */
void tn_delta_meta_print_schema(tn_arena *a, tn_delta_meta *m);
/* Whether a property of m, whose configuration has it, may have this value: TN_E_VALUE with what it may be. */
tn_rc tn_delta_property_check(
    const tn_delta_meta *m, tn_str key, tn_str value, tn_err *err) TN_MUSTUSE;
/* Sets a property (value NULL: takes it out) on a copy of the configuration. */
void tn_delta_meta_set(tn_arena *a, tn_delta_meta *m, tn_str key, const tn_str *value);

/* ---- column mapping ---- */
/* Gives every field that has none an id and a physical name (col-UUID; its own name when keep_names: a table whose files exist already), and
 * keeps delta.columnMapping.maxColumnId. Changes nothing when delta.columnMapping.mode is none. True: the metadata was changed. */
bool tn_delta_mapping_assign(tn_arena *a, tn_delta_meta *m, bool keep_names);
/* Drops ids and physical names: of a schema that goes to a table without mapping. */
void tn_delta_mapping_strip(tn_delta_type *t);
/* COPY's FIELD_IDS for the columns of the files: ", FIELD_IDS {..}", or nothing without mapping. */
void tn_delta_field_ids(tn_buf *b, const tn_delta_meta *m, tn_delta_mapping mapping);

/* ---- wider types ---- */
/* Whether the protocol lets a column of one primitive type become another. evolving: by a write that brings the type, which only
 * goes along one kind of number. */
bool tn_delta_widens(const tn_delta_type *from, const tn_delta_type *to, bool evolving);
/* Changes *type, a part of the column at path ("", "element", "value.key"), and notes it in the column's delta.typeChanges. */
void tn_delta_widen(tn_arena *a, tn_delta_field *column, tn_str path, tn_delta_type **type,
    const tn_delta_type *to);

#endif
