/* delta_property.c: values of table properties that mean something. One that this table does not know is kept as it is. */
#include "delta/action/delta_schema.h"

typedef enum rule { BOOL, NUMBER, INTERVAL, WORDS } rule;

static const struct {
    const char *key;
    rule rule;
    const char *words; /* WORDS: blank-separated */
} KNOWN[] = {
    { "delta.appendOnly", BOOL, NULL },
    { "delta.enableDeletionVectors", BOOL, NULL },
    { "delta.enableChangeDataFeed", BOOL, NULL },
    { "delta.enableInCommitTimestamps", BOOL, NULL },
    { "delta.enableRowTracking", BOOL, NULL },
    { "delta.enableTypeWidening", BOOL, NULL },
    { "delta.enableExpiredLogCleanup", BOOL, NULL },
    { "delta.enableIcebergCompatV1", BOOL, NULL },
    { "delta.enableIcebergCompatV2", BOOL, NULL },
    { "delta.checkpoint.writeStatsAsJson", BOOL, NULL },
    { "delta.checkpoint.writeStatsAsStruct", BOOL, NULL },
    { "delta.checkpointInterval", NUMBER, NULL },
    { "delta.dataSkippingNumIndexedCols", NUMBER, NULL },
    { "delta.setTransactionRetentionDuration", INTERVAL, NULL },
    { "delta.logRetentionDuration", INTERVAL, NULL },
    { "delta.deletedFileRetentionDuration", INTERVAL, NULL },
    { "delta.checkpointPolicy", WORDS, "classic v2" },
    { "delta.columnMapping.mode", WORDS, "none name id" },
    { "delta.isolationLevel", WORDS, "Serializable WriteSerializable" },
    { "delta.parquet.compression.codec", WORDS,
        "snappy zstd gzip lz4 lz4_raw none uncompressed SNAPPY ZSTD GZIP LZ4 LZ4_RAW NONE "
        "UNCOMPRESSED" },
};

static bool one_of(tn_str words, tn_str value)
{
    tn_str one;
    while (words.n > 0) {
        (void)tn_str_cut(words, ' ', &one, &words);
        if (tn_str_eq(one, value)) {
            return true;
        }
    }
    return false;
}

static bool fits(size_t k, const tn_delta_meta *m, tn_str value)
{
    int64_t n;
    switch (KNOWN[k].rule) {
    case BOOL:
        return tn_str_eq_nocase(value, TN_STR("true")) || tn_str_eq_nocase(value, TN_STR("false"));
    case NUMBER:
        return tn_str_to_i64(value, &n) && n >= -1;
    case INTERVAL:
        return tn_delta_interval_ms(m, KNOWN[k].key, -1) >= 0;
    default:
        return one_of(tn_str_of(KNOWN[k].words), value);
    }
}

tn_rc tn_delta_property_check(const tn_delta_meta *m, tn_str key, tn_str value, tn_err *err)
{
    static const char *const WANTED[] = { "true or false", "a whole number",
        "an interval like 'interval 7 days'", "one of " };
    for (size_t k = 0; k < TN_COUNTOF(KNOWN); k++) {
        if (tn_str_is(key, KNOWN[k].key) && !fits(k, m, value)) {
            return tn_fail(err, TN_E_VALUE,
                "the property '%s' cannot be '" TN_STR_FMT "': it is %s%s", KNOWN[k].key,
                TN_STR_ARG(value), WANTED[KNOWN[k].rule],
                KNOWN[k].rule == WORDS ? KNOWN[k].words : "");
        }
    }
    return TN_OK;
}
