/* delta_features.c: what this library may read and write ("Table Features"), and table properties.
 *
 * One table of features. A name that is not in it is refused by name: reading when it is a reader feature, writing when it
 * is a writer feature. A feature that is listed but not active asks nothing of a writer that does not touch it; so
 * `write` says for each one whether appends and overwrites of this library keep its promises.
 */
#include "delta/action/delta_schema.h"

typedef enum write_rule {
    WRITE_YES,      /* nothing to do, or done */
    WRITE_INACTIVE, /* only while the property that makes it active is off */
    WRITE_NO,
} write_rule;

static const struct feature {
    const char *name;
    bool read;
    write_rule write;
    const char *property; /* that makes it active, for WRITE_INACTIVE */
    int legacy_writer;    /* implied by this writer version below 7 */
    int reader;           /* least reader version: 1 for writer features */
} FEATURES[] = {
    { "appendOnly", true, WRITE_YES, NULL, 2, 1 },
    { "invariants", true, WRITE_YES, NULL, 2, 1 },
    { "checkConstraints", true, WRITE_YES, NULL, 3, 1 },
    /* inserts and whole-file deletes need no cdc files */
    { "changeDataFeed", true, WRITE_YES, NULL, 4, 1 },
    { "generatedColumns", true, WRITE_YES, NULL, 4, 1 },
    { "columnMapping", true, WRITE_YES, NULL, 5, 2 },
    { "identityColumns", true, WRITE_YES, NULL, 6, 1 },
    { "deletionVectors", true, WRITE_YES, NULL, 0, 3 },
    { "rowTracking", true, WRITE_YES, NULL, 0, 1 },
    { "timestampNtz", true, WRITE_YES, NULL, 0, 3 },
    { "domainMetadata", true, WRITE_YES, NULL, 0, 1 },
    /* a classic checkpoint may always be written */
    { "v2Checkpoint", true, WRITE_YES, NULL, 0, 3 },
    { "icebergCompatV1", true, WRITE_INACTIVE, "delta.enableIcebergCompatV1", 0, 1 },
    { "icebergCompatV2", true, WRITE_INACTIVE, "delta.enableIcebergCompatV2", 0, 1 },
    { "clustering", true, WRITE_YES, NULL, 0, 1 },
    { "vacuumProtocolCheck", true, WRITE_YES, NULL, 0, 3 },
    { "inCommitTimestamp", true, WRITE_YES, NULL, 0, 1 },
    { "allowColumnDefaults", true, WRITE_YES, NULL, 0, 1 },
    /* writing the present types is all that is asked */
    { "typeWidening", true, WRITE_YES, NULL, 0, 3 },
    { "typeWidening-preview", true, WRITE_YES, NULL, 0, 3 },
    { "variantType", true, WRITE_YES, NULL, 0, 3 },
    { "variantType-preview", true, WRITE_YES, NULL, 0, 3 },
    { "variantShredding", true, WRITE_YES, NULL, 0, 3 },
    { "variantShredding-preview", true, WRITE_YES, NULL, 0, 3 },
    /* log cleaning takes what lies before a version all at once or not at all */
    { "checkpointProtection", true, WRITE_YES, NULL, 0, 1 },
    /* done always */
    { "materializePartitionColumns", true, WRITE_YES, NULL, 0, 1 },
};

static const struct feature *find_feature(tn_str name)
{
    for (size_t i = 0; i < TN_COUNTOF(FEATURES); i++) {
        if (tn_str_is(name, FEATURES[i].name)) {
            return &FEATURES[i];
        }
    }
    return NULL;
}

static bool in_list(const tn_strs *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (tn_str_is(list->v[i], name)) {
            return true;
        }
    }
    return false;
}

int tn_delta_feature_reader(tn_str name)
{
    const struct feature *f = find_feature(name);
    return f != NULL ? f->reader : 0;
}

int tn_delta_feature_legacy(tn_str name)
{
    const struct feature *f = find_feature(name);
    return f != NULL ? f->legacy_writer : 0;
}

bool tn_delta_has_feature(const tn_delta_protocol *p, const char *feature)
{
    if (p->writer < 7) {
        const struct feature *f = find_feature(tn_str_of(feature));
        return f != NULL && f->legacy_writer > 0 && p->writer >= f->legacy_writer;
    }
    return in_list(&p->writer_features, feature) || in_list(&p->reader_features, feature);
}

#define OTHER_ENGINE "read it with an engine that knows it, or drop the feature there"

tn_rc tn_delta_check_readable(const tn_delta_protocol *p, tn_err *err)
{
    if (p->reader > 3) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "the table needs reader version %d; this program reads up to 3", p->reader);
        return tn_hint(err, rc, OTHER_ENGINE);
    }
    if (p->reader == 3 && p->writer < 7) {
        return tn_fail(err, TN_E_CORRUPT,
            "the protocol has reader version 3 with writer version %d, which is illegal",
            p->writer);
    }
    for (size_t i = 0; p->reader == 3 && i < p->reader_features.n; i++) {
        const struct feature *f = find_feature(p->reader_features.v[i]);
        if (f == NULL || !f->read) {
            tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
                "the table uses the feature '" TN_STR_FMT "', which this program cannot read",
                TN_STR_ARG(p->reader_features.v[i]));
            return tn_hint(err, rc, OTHER_ENGINE);
        }
    }
    return TN_OK;
}

/* ---- properties ---- */

tn_str tn_delta_property(const tn_delta_meta *m, const char *key)
{
    return m->configuration.tag == TN_DICT ? tn_val_str_at(m->configuration, key, TN_STR(""))
                                           : TN_STR("");
}

bool tn_delta_property_is(const tn_delta_meta *m, const char *key, const char *value)
{
    return tn_str_eq_nocase(tn_delta_property(m, key), tn_str_of(value));
}

/* "[interval] N unit" with unit week, day, hour, minute, second, millisecond(s). */
int64_t tn_delta_interval_ms(const tn_delta_meta *m, const char *key, int64_t dflt)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } UNITS[] = { { "week", 604800000 }, { "day", 86400000 }, { "hour", 3600000 },
        { "minute", 60000 }, { "second", 1000 }, { "millisecond", 1 } };
    tn_str s = tn_str_trim(tn_delta_property(m, key));
    tn_str number;
    tn_str unit;
    if (s.n > 8 && tn_str_eq_nocase(tn_str_sub(s, 0, 8), TN_STR("interval"))) {
        s = tn_str_trim(tn_str_sub(s, 8, s.n));
    }
    int64_t n;
    if (!tn_str_cut(s, ' ', &number, &unit) || !tn_str_to_i64(number, &n) || n < 0 ||
        n > 100000000) {
        return dflt;
    }
    unit = tn_str_trim(unit);
    if (unit.n > 1 && (unit.p[unit.n - 1] == 's' || unit.p[unit.n - 1] == 'S')) {
        unit.n--;
    }
    for (size_t i = 0; i < TN_COUNTOF(UNITS); i++) {
        if (tn_str_eq_nocase(unit, tn_str_of(UNITS[i].unit))) {
            return n * UNITS[i].ms;
        }
    }
    return dflt;
}

size_t tn_delta_partition_index(const tn_delta_meta *m, tn_str name)
{
    for (size_t i = 0; i < m->partition_columns.n; i++) {
        if (tn_str_eq_nocase(m->partition_columns.v[i], name)) {
            return i;
        }
    }
    return SIZE_MAX;
}

tn_delta_mapping tn_delta_mapping_of(const tn_delta_protocol *p, const tn_delta_meta *m)
{
    if (p->reader < 2 && !tn_delta_has_feature(p, "columnMapping")) {
        return TN_MAPPING_NONE;
    }
    if (tn_delta_property_is(m, "delta.columnMapping.mode", "name")) {
        return TN_MAPPING_NAME;
    }
    return tn_delta_property_is(m, "delta.columnMapping.mode", "id") ? TN_MAPPING_ID
                                                                     : TN_MAPPING_NONE;
}

tn_str tn_delta_physical_name(const tn_delta_field *f, tn_delta_mapping mapping)
{
    return mapping == TN_MAPPING_NONE
               ? f->name
               : tn_val_str_at(f->metadata, "delta.columnMapping.physicalName", f->name);
}

/* ---- writing ---- */

bool tn_delta_schema_has_key(const tn_delta_type *t, const char *key)
{
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        if (!tn_val_is_undef(tn_val_at(f->metadata, key)) ||
            tn_delta_schema_has_key(f->type, key)) {
            return true;
        }
    }
    return (t->element != NULL && tn_delta_schema_has_key(t->element, key)) ||
           (t->key != NULL && tn_delta_schema_has_key(t->key, key));
}

static bool is_active(const struct feature *f, const tn_delta_meta *m)
{
    return f->property != NULL && tn_delta_property_is(m, f->property, "true");
}

static tn_rc refuse(tn_str feature, tn_err *err)
{
    tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
        "the table uses the feature '" TN_STR_FMT "', which this program cannot write yet",
        TN_STR_ARG(feature));
    return tn_hint(err, rc, "write it with an engine that knows the feature; nothing was changed");
}

tn_rc tn_delta_check_writable(const tn_delta_protocol *p, const tn_delta_meta *m, tn_err *err)
{
    if (p->writer > 7) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the table needs writer version %d; this program writes up to 7", p->writer);
    }
    for (size_t i = 0; i < TN_COUNTOF(FEATURES); i++) {
        const struct feature *f = &FEATURES[i];
        bool blocks = f->write == WRITE_NO || (f->write == WRITE_INACTIVE && is_active(f, m));
        if (blocks && tn_delta_has_feature(p, f->name)) {
            return refuse(tn_str_of(f->name), err);
        }
    }
    for (size_t i = 0; p->writer == 7 && i < p->writer_features.n; i++) {
        if (find_feature(p->writer_features.v[i]) == NULL) {
            return refuse(p->writer_features.v[i], err);
        }
    }
    return TN_OK;
}
