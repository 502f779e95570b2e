// layers: base os text store duck delta
/* test_delta_columns.c: expressions of the metadata, protocols of metadata, wider types, identity: what needs no files. */
#include "tn_test.h"

#include "delta/action/delta_schema.h"
#include "delta/delta_alter.h"
#include "delta/files/delta_columns.h"

static tn_delta_type *schema_of(tn_arena *arena, tn_err *err)
{
    tn_delta_type *t = NULL;
    TN_ASSERT_OK(tn_delta_type_from_sql(arena,
        TN_STR("STRUCT(a INTEGER, d DOUBLE, s VARCHAR, ts TIMESTAMP WITH TIME ZONE, \"a b\" DATE)"),
        &t, err));
    return t;
}

TN_TEST(expressions)
{
    static const char *const SAME[][2] = {
        { "a > 5L AND s <> \"it's\"", "\"a\" > 5 AND \"s\" <> 'it''s'" },
        { "`a b` <=> date('2024-01-01')",
            "\"a b\" IS NOT DISTINCT FROM CAST('2024-01-01' AS DATE)" },
        { "CAST(d / 2 AS INT)", "CAST(trunc(\"d\" / 2) AS INTEGER)" },
        { "cast(a as string)", "CAST(\"a\" AS VARCHAR)" },
        { "concat(s, 'x', year(ts))",
            "(CAST(\"s\" AS VARCHAR) || CAST('x' AS VARCHAR) || CAST(year(\"ts\") AS VARCHAR))" },
        { "date_format(ts, 'yyyy-MM-dd HH')", "strftime(\"ts\", '%Y-%m-%d %H')" },
        { "a DIV 2 + 1.5e-3", "\"a\" // 2 + 1.5e-3" },
        { "CAST(d AS DECIMAL(10, 2))", "CAST(\"d\" AS DECIMAL(10 , 2))" },
    };
    const tn_delta_type *schema = schema_of(arena, err);
    for (size_t i = 0; i < TN_COUNTOF(SAME); i++) {
        tn_str sql;
        TN_ASSERT_OK(tn_delta_expr_sql(arena, tn_str_of(SAME[i][0]), schema, true, &sql, err));
        TN_ASSERT_EQ_S(sql, SAME[i][1]);
    }
    static const char *const REFUSED[] = { "hash(a)", "CAST(ts AS STRING)",
        "date_format(ts, 'EEE')", "concat(a", "CAST(a AS interval)", "" };
    for (size_t i = 0; i < TN_COUNTOF(REFUSED); i++) {
        tn_str sql;
        TN_ASSERT_RC(tn_delta_expr_sql(arena, tn_str_of(REFUSED[i]), schema, true, &sql, err),
            TN_E_UNSUPPORTED);
    }
    TN_ASSERT(tn_delta_expr_uses(arena, TN_STR("lower(`A b`) = 's'"), TN_STR("a B")));
    TN_ASSERT(!tn_delta_expr_uses(arena, TN_STR("lower(x) = 's'"), TN_STR("s")));
    TN_ASSERT_EQ_S(tn_delta_expr_store(arena, TN_STR(" \"a b\" = '\"' ")), "`a b` = '\"'");
}

TN_TEST(protocols)
{
    bool changed;
    tn_delta_protocol p;
    tn_delta_meta m = { .schema = schema_of(arena, err), .configuration = tn_val_dict(arena) };
    TN_ASSERT_OK(tn_delta_protocol_make(arena, NULL, &m, &p, &changed, err));
    TN_ASSERT(p.reader == 1 && p.writer == 2);
    tn_dict_putz(m.configuration.dict, "delta.constraints.c", tn_val_z("a > 0"));
    TN_ASSERT_OK(tn_delta_protocol_make(arena, NULL, &m, &p, &changed, err));
    TN_ASSERT(p.reader == 1 && p.writer == 3 && p.writer_features.n == 0);
    tn_dict_putz(m.configuration.dict, "delta.columnMapping.mode", tn_val_z("name"));
    tn_delta_protocol mapped;
    TN_ASSERT_OK(tn_delta_protocol_make(arena, &p, &m, &mapped, &changed, err));
    TN_ASSERT(changed && mapped.reader == 2 && mapped.writer == 7);
    TN_ASSERT(mapped.reader_features.n == 0 && mapped.writer_features.n == 4);
    tn_dict_putz(m.configuration.dict, "delta.enableDeletionVectors", tn_val_z("true"));
    tn_dict_putz(m.configuration.dict, "delta.feature.vacuumProtocolCheck", tn_val_z("supported"));
    TN_ASSERT_OK(tn_delta_protocol_make(arena, &mapped, &m, &p, &changed, err));
    TN_ASSERT(p.reader == 3 && p.reader_features.n == 3 && p.writer_features.n == 6);
    TN_ASSERT(tn_delta_property(&m, "delta.feature.vacuumProtocolCheck").n == 0);
    TN_ASSERT_OK(tn_delta_protocol_make(arena, &p, &m, &mapped, &changed, err));
    TN_ASSERT(!changed);
    tn_dict_putz(m.configuration.dict, "delta.feature.nonsense", tn_val_z("supported"));
    TN_ASSERT_RC(tn_delta_protocol_make(arena, &p, &m, &mapped, &changed, err), TN_E_UNSUPPORTED);
}

TN_TEST(identity)
{
    int64_t next;
    int64_t step;
    tn_delta_identity id = { .start = 10, .step = -3 };
    tn_delta_field f = { .name = TN_STR("id"),
        .type = tn_delta_primitive(arena, TN_STR("long")),
        .metadata = tn_val_dict(arena) };
    TN_ASSERT_OK(tn_delta_field_set_identity(&f, &id, err));
    TN_ASSERT_OK(tn_delta_identity_next(&f, &next, &step, err));
    TN_ASSERT(next == 10 && step == -3);
    tn_dict_putz(f.metadata.dict, "delta.identity.highWaterMark", tn_val_int(5)); /* between two */
    TN_ASSERT_OK(tn_delta_identity_next(&f, &next, &step, err));
    TN_ASSERT_EQ_I(next, 4);
    tn_dict_putz(f.metadata.dict, "delta.identity.highWaterMark", tn_val_int(INT64_MIN + 1));
    TN_ASSERT_RC(tn_delta_identity_next(&f, &next, &step, err), TN_E_LIMIT);
}

TN_TEST(wider_types)
{
    static const struct {
        const char *from, *to;
        bool alter, write;
    } CASES[] = { { "byte", "long", true, true }, { "integer", "double", true, false },
        { "long", "double", false, false }, { "integer", "decimal(10,0)", true, false },
        { "long", "decimal(19,0)", false, false }, { "decimal(5,2)", "decimal(7,4)", true, true },
        { "decimal(5,2)", "decimal(6,4)", false, false }, { "date", "timestamp_ntz", true, true },
        { "date", "timestamp", false, false }, { "float", "double", true, true },
        { "long", "integer", false, false } };
    for (size_t i = 0; i < TN_COUNTOF(CASES); i++) {
        const tn_delta_type *from = tn_delta_primitive(arena, tn_str_of(CASES[i].from));
        const tn_delta_type *to = tn_delta_primitive(arena, tn_str_of(CASES[i].to));
        TN_ASSERT(tn_delta_widens(from, to, false) == CASES[i].alter);
        TN_ASSERT(tn_delta_widens(from, to, true) == CASES[i].write);
    }
}
