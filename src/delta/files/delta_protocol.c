/* delta_protocol.c: the protocol that a table's metadata asks for, written the way the reference writes it.
 *
 * Only what is used is asked for. A set of features that an old-style version means exactly is written as that version (1/2, 1/3, ...), any
 * other set as writer version 7 with lists; the reader version is the largest that a feature needs, and only from 3 on there is a list for
 * readers too. An existing protocol only ever grows.
 */
#include "delta/action/delta_schema.h"
#include "delta/files/delta_columns.h"
#include "delta/log/delta_rows.h"

enum { MIN_WRITER_PLAIN = 2 };

static const struct {
    const char *property;
    const char *value; /* NULL: any but "none" */
    const char *feature;
} BY_PROPERTY[] = {
    { "delta.appendOnly", "true", "appendOnly" },
    { "delta.enableChangeDataFeed", "true", "changeDataFeed" },
    { "delta.columnMapping.mode", NULL, "columnMapping" },
    { "delta.enableDeletionVectors", "true", "deletionVectors" },
    { "delta.enableInCommitTimestamps", "true", "inCommitTimestamp" },
    { "delta.checkpointPolicy", "v2", "v2Checkpoint" },
    { "delta.enableTypeWidening", "true", "typeWidening" },
    { "delta.enableRowTracking", "true", "rowTracking" },
    { "delta.enableIcebergCompatV1", "true", "icebergCompatV1" },
    { "delta.enableIcebergCompatV2", "true", "icebergCompatV2" },
    { "delta.enableVariantShredding", "true", "variantShredding-preview" },
};

static const struct {
    const char *key; /* of a field's metadata */
    const char *feature;
} BY_KEY[] = {
    { "delta.invariants", "invariants" },
    { "delta.generationExpression", "generatedColumns" },
    { "delta.identity.start", "identityColumns" },
    { "CURRENT_DEFAULT", "allowColumnDefaults" },
};

/* Features that go with others. */
static const struct {
    const char *feature;
    const char *needs;
} TOGETHER[] = {
    { "rowTracking", "domainMetadata" },
    { "clustering", "domainMetadata" },
    { "icebergCompatV1", "columnMapping" },
    { "icebergCompatV2", "columnMapping" },
};

static bool has(const tn_strs *list, tn_str name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (tn_str_eq(list->v[i], name)) {
            return true;
        }
    }
    return false;
}

/* A final feature stands in for its preview. */
static bool there_already(const tn_strs *list, tn_str name, tn_arena *a)
{
    tn_str preview = tn_str_concat(a, name, TN_STR("-preview"));
    return has(list, name) || has(list, preview);
}

static void add(tn_arena *a, tn_strs *list, tn_str name)
{
    if (there_already(list, name, a)) {
        return;
    }
    tn_vec_push(list, a, name);
    for (size_t i = 0; i < TN_COUNTOF(TOGETHER); i++) {
        if (tn_str_is(name, TOGETHER[i].feature)) {
            add(a, list, tn_str_of(TOGETHER[i].needs));
        }
    }
}

/* ---- what is asked for ---- */

/* delta.feature.NAME = supported and the like: said once, and not kept as properties. */
static tn_rc take_asked(tn_arena *a, tn_delta_meta *m, tn_strs *set, tn_err *err)
{
    size_t at = 0;
    const tn_dict_item *it;
    tn_strs drop = { 0 };
    while ((it = tn_dict_next(m->configuration.dict, &at)) != NULL) {
        tn_str key = tn_val_as_str(it->key);
        tn_str value = tn_val_as_str(it->value);
        if (tn_str_is(key, "delta.minReaderVersion") || tn_str_is(key, "delta.minWriterVersion")) {
            tn_vec_push(&drop, a, key);
        } else if (tn_str_starts(key, TN_STR("delta.feature."))) {
            tn_str name = tn_str_sub(key, 14, key.n);
            if (!tn_str_eq_nocase(value, TN_STR("supported")) &&
                !tn_str_eq_nocase(value, TN_STR("enabled"))) {
                return tn_fail(err, TN_E_VALUE,
                    "the property '" TN_STR_FMT "' can only be 'supported'", TN_STR_ARG(key));
            }
            if (tn_delta_feature_reader(name) == 0) {
                return tn_fail(err, TN_E_UNSUPPORTED,
                    "'" TN_STR_FMT "' is no table feature that this program knows",
                    TN_STR_ARG(name));
            }
            add(a, set, name);
            tn_vec_push(&drop, a, key);
        }
    }
    for (size_t i = 0; i < drop.n; i++) {
        tn_delta_meta_set(a, m, drop.v[i], NULL);
    }
    return TN_OK;
}

static bool has_not_null(const tn_delta_type *t)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        if (!t->fields.v[i].nullable) {
            return true;
        }
    }
    return false;
}

static void needed(tn_arena *a, const tn_delta_meta *m, tn_strs *set)
{
    for (size_t i = 0; i < TN_COUNTOF(BY_PROPERTY); i++) {
        tn_str v = tn_delta_property(m, BY_PROPERTY[i].property);
        const char *want = BY_PROPERTY[i].value;
        if (want != NULL ? tn_str_eq_nocase(v, tn_str_of(want))
                         : v.n > 0 && !tn_str_is(v, "none")) {
            add(a, set, tn_str_of(BY_PROPERTY[i].feature));
        }
    }
    for (size_t i = 0; i < TN_COUNTOF(BY_KEY); i++) {
        if (tn_delta_schema_has_key(m->schema, BY_KEY[i].key)) {
            add(a, set, tn_str_of(BY_KEY[i].feature));
        }
    }
    size_t at = 0;
    const tn_dict_item *it;
    while ((it = tn_dict_next(m->configuration.dict, &at)) != NULL) {
        if (tn_str_starts(tn_val_as_str(it->key), TN_STR("delta.constraints."))) {
            add(a, set, TN_STR("checkConstraints"));
        }
    }
    if (has_not_null(m->schema)) {
        add(a, set, TN_STR("invariants"));
    }
    if (tn_delta_type_has(m->schema, "timestamp_ntz")) {
        add(a, set, TN_STR("timestampNtz"));
    }
    if (tn_delta_type_has(m->schema, "variant")) {
        add(a, set, TN_STR("variantType"));
    }
}

/* ---- the two forms ---- */

static const char *const LEGACY[] = { "appendOnly", "invariants", "checkConstraints",
    "changeDataFeed", "generatedColumns", "columnMapping", "identityColumns" };

static tn_strs features_of(tn_arena *a, const tn_delta_protocol *p)
{
    tn_strs set = { 0 };
    if (p->writer >= 7) {
        for (size_t i = 0; i < p->writer_features.n; i++) {
            tn_vec_push(&set, a, p->writer_features.v[i]);
        }
        for (size_t i = 0; i < p->reader_features.n; i++) {
            if (!has(&set, p->reader_features.v[i])) {
                tn_vec_push(&set, a, p->reader_features.v[i]);
            }
        }
        return set;
    }
    for (size_t i = 0; i < TN_COUNTOF(LEGACY); i++) {
        if (p->writer >= tn_delta_feature_legacy(tn_str_of(LEGACY[i]))) {
            tn_vec_push(&set, a, tn_str_of(LEGACY[i]));
        }
    }
    return set;
}

/* The old writer version that means exactly this set, or 0. */
static int legacy_version(const tn_strs *set)
{
    int version = 0;
    for (size_t i = 0; i < set->n; i++) {
        int v = tn_delta_feature_legacy(set->v[i]);
        if (v == 0) {
            return 0;
        }
        version = v > version ? v : version;
    }
    size_t implied = 0;
    for (size_t i = 0; i < TN_COUNTOF(LEGACY); i++) {
        implied += tn_delta_feature_legacy(tn_str_of(LEGACY[i])) <= version;
    }
    return implied == set->n ? version : 0;
}

static tn_delta_protocol protocol_of(tn_arena *a, const tn_strs *set)
{
    tn_delta_protocol p = { .reader = 1, .writer = legacy_version(set) };
    for (size_t i = 0; i < set->n; i++) {
        int r = tn_delta_feature_reader(set->v[i]);
        p.reader = r > p.reader ? r : p.reader;
    }
    if (p.writer > 0) {
        return p;
    }
    p.writer = 7;
    p.writer_features = *set;
    for (size_t i = 0; p.reader >= 3 && i < set->n; i++) {
        if (tn_delta_feature_reader(set->v[i]) > 1) {
            tn_vec_push(&p.reader_features, a, set->v[i]);
        }
    }
    return p;
}

tn_rc tn_delta_protocol_make(tn_arena *a, const tn_delta_protocol *old, tn_delta_meta *m,
    tn_delta_protocol *ret, bool *ret_changed, tn_err *err)
{
    tn_strs set = { 0 };
    if (old != NULL) {
        set = features_of(a, old);
    } else {
        tn_delta_protocol plain = { .reader = 1, .writer = MIN_WRITER_PLAIN };
        set = features_of(a, &plain);
    }
    size_t before = set.n;
    TN_TRY(take_asked(a, m, &set, err));
    tn_delta_rows_name_columns(a, m);
    needed(a, m, &set);
    *ret_changed = old == NULL || set.n > before;
    *ret = *ret_changed ? protocol_of(a, &set) : *old;
    return TN_OK;
}

void tn_delta_protocol_drop(
    tn_arena *a, const tn_delta_protocol *old, tn_str feature, tn_delta_protocol *ret)
{
    tn_strs all = features_of(a, old);
    tn_strs kept = { 0 };
    for (size_t i = 0; i < all.n; i++) {
        if (!tn_str_eq(all.v[i], feature)) {
            tn_vec_push(&kept, a, all.v[i]);
        }
    }
    *ret = protocol_of(a, &kept);
}
