/* delta_columns.h: private to src/delta: what single columns ask of a writer, and the protocol that follows from a table's metadata.
 *
 * Every row that is written passes tn_delta_target_make and tn_delta_files_write, which call what is here; so appends, overwrites, changes of rows
 * and packing all honour it. Metadata is never changed in place: these functions work on a tn_delta_meta of the caller, whose schema and
 * configuration they replace by copies.
 */
#ifndef TN_DELTA_DELTA_COLUMNS_H
#define TN_DELTA_DELTA_COLUMNS_H

#include "delta/delta_impl.h"

/* ---- protocol ---- */
/* 0: unknown; else the least reader version that the feature needs (1 for a writer feature, 3 for one in both lists). */
int tn_delta_feature_reader(tn_str name);
/* The writer version below 7 that implies the feature, 0: none does. */
int tn_delta_feature_legacy(tn_str name);
/* The key stands in the metadata of a field anywhere in the schema. */
bool tn_delta_schema_has_key(const tn_delta_type *t, const char *key);
/* What a table with this metadata needs, on top of `old` (NULL: a new table). Properties delta.feature.NAME, delta.minReaderVersion and
 * delta.minWriterVersion are taken out of the configuration and obeyed. The result is old itself when that is enough; else the features in the
 * form of the reference: an old-style version where one means exactly these features, lists otherwise. An unknown feature is refused. */
tn_rc tn_delta_protocol_make(tn_arena *a, const tn_delta_protocol *old, tn_delta_meta *m,
    tn_delta_protocol *ret, bool *ret_changed, tn_err *err) TN_MUSTUSE;

/* ---- metadata ---- */
/* Prints m->schema into m->schema_json. */
void tn_delta_meta_print_schema(tn_arena *a, tn_delta_meta *m);
/* Sets a property (value NULL: takes it out) on a copy of the configuration. */
void tn_delta_meta_set(tn_arena *a, tn_delta_meta *m, tn_str key, const tn_str *value);

/* ---- column mapping ---- */
/* Gives every field that has none an id and a physical name (col-UUID; its own name when keep_names: a table whose files exist already), and
 * keeps delta.columnMapping.maxColumnId. Changes nothing when delta.columnMapping.mode is none. True: the metadata was changed. */
bool tn_delta_mapping_assign(tn_arena *a, tn_delta_meta *m, bool keep_names);
/* Drops ids and physical names: of a schema that goes to a table without mapping. */
void tn_delta_mapping_strip(tn_delta_type *t);
/* The rows of to->select (columns of the schema by name, then to->extra) as files hold them: physical names, no void columns, variants as
 * their two parts. */
tn_rc tn_delta_physical_select(
    tn_arena *a, const tn_delta_target *to, tn_str *ret, tn_err *err) TN_MUSTUSE;
/* COPY's FIELD_IDS for the columns of the files: ", FIELD_IDS {..}", or nothing without mapping. */
void tn_delta_field_ids(tn_buf *b, const tn_delta_meta *m, tn_delta_mapping mapping);
bool tn_delta_type_is_void(const tn_delta_type *t);

#endif
