/* delta_scan.c: a snapshot as SQL over read_parquet.
 *
 * The text is plain DuckDB, so that it can be stored in a catalog that other programs open. Three things make it exact:
 *   - read_parquet's `schema` says which columns are wanted, by name or by field id, with their present types: columns that a
 *     file does not have are NULL, widened types are cast, columns with other names (column mapping) are found, and
 *     partition columns that a file happens to hold are ignored.
 *   - partition values are constants from the log: one branch of a UNION ALL for each tuple of values while these are few (then a
 *     filter on them removes whole branches when DuckDB plans), else a join of `filename` with a list of files.
 *   - deleted rows are an anti join on (filename, file_row_number).
 * Files with INT96 instants (Spark's default), or without Parquet's mark for instants, read as TIMESTAMP without zone, and a cast would take them for times of the session's zone.
 * Where that zone may be another than UTC such files get a branch of their own that says AT TIME ZONE 'UTC'.
 * Inside read_parquet columns are called c0, c1, ... so that no name of a user meets the virtual columns filename and
 * file_row_number.
 *
 *     SELECT c0 AS "id", ..., CAST('x' AS DATE) AS "p" FROM read_parquet([...], schema=MAP{...}) AS t
 *       [JOIN (VALUES ('file', 'p0', ...), ...) AS v(f, p0, ...) ON v.f = t.filename]
 *       [ANTI JOIN (...) AS d ON d.f = t.filename AND d.r = t.file_row_number]
 */
#include "delta/action/delta_action.h"
#include "delta/action/delta_dv.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_log.h"
#include "delta/log/delta_rows.h"
#include "delta/read/delta_prune.h"
#include "text/sqltext.h"
#include "text/uri.h"

enum {
    UNION_TUPLES_MAX = 32
}; /* measured: a branch costs 0.15 ms to plan, a join 0.01 s for a million rows */

typedef struct scan {
    const tn_delta_snapshot *s;
    tn_arena *arena;
    const tn_delta_scan_opts *opts;
    tn_delta_mapping mapping;
    tn_buf *b;
    const tn_str *locations; /* of each file of the snapshot; unset where it is not kept */
    bool int96;              /* the branch is over files that keep instants in Parquet's old form */
} scan;

typedef tn_vec(size_t) places;

typedef struct group { /* files with the same partition values */
    places files;
} group;

tn_rc tn_delta_file_location(
    const tn_delta_snapshot *s, tn_arena *a, const tn_delta_file *f, tn_str *ret, tn_err *err)
{
    return tn_delta_locate(s->store, a, f->path, ret, err);
}

/* ---- columns ---- */

static bool in_files(const scan *sc, size_t i)
{
    const tn_delta_field *f = &sc->s->meta.schema->fields.v[i];
    return !tn_delta_type_is_void(f->type) &&
           tn_delta_partition_index(&sc->s->meta, f->name) == SIZE_MAX;
}

/* Whether a value has to be made anew after reading: physical names inside, a variant, an instant of the old form. */
static bool needs_rename(const scan *sc, const tn_delta_type *t)
{
    if (tn_delta_type_is(t, "variant") || (sc->int96 && tn_delta_type_is(t, "timestamp"))) {
        return true;
    }
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        if (!tn_str_eq(f->name, tn_delta_physical_name(f, sc->mapping)) ||
            needs_rename(sc, f->type)) {
            return true;
        }
    }
    return (t->element != NULL && needs_rename(sc, t->element)) ||
           (t->key != NULL && needs_rename(sc, t->key));
}

/* The type to read a branch's files with. */
static const tn_delta_type *stored_type(const scan *sc, const tn_delta_type *t)
{
    if (!sc->int96 || !tn_delta_type_has(t, "timestamp")) {
        return t;
    }
    if (t->kind == TN_DT_PRIMITIVE) {
        return tn_delta_primitive(sc->arena, TN_STR("timestamp_ntz"));
    }
    tn_delta_type *c = tn_new(sc->arena, tn_delta_type);
    *c = *t;
    c->fields = (tn_delta_fields){ 0 };
    for (size_t i = 0; i < t->fields.n; i++) {
        tn_delta_field f = t->fields.v[i];
        f.type = (tn_delta_type *)(uintptr_t)stored_type(sc, f.type);
        tn_vec_push(&c->fields, sc->arena, f);
    }
    c->element = t->element ? (tn_delta_type *)(uintptr_t)stored_type(sc, t->element) : NULL;
    c->key = t->key ? (tn_delta_type *)(uintptr_t)stored_type(sc, t->key) : NULL;
    return c;
}

static void add_renamed(scan *sc, tn_str expr, const tn_delta_type *t, int depth);

/* Files without Parquet's own mark for variants come as a struct of two BLOBs that is then taken for an object. */
static void add_variant(scan *sc, tn_str expr)
{
    tn_str e = tn_str_printf(sc->arena, "(" TN_STR_FMT ")", TN_STR_ARG(expr));
    tn_buf_addf(sc->b,
        "CASE WHEN variant_typeof(" TN_STR_FMT
        ") IN ('OBJECT(value, metadata)', 'OBJECT(metadata, value)') AND "
        "variant_typeof(" TN_STR_FMT ".value) = 'BLOB' THEN variant_bytes_to_variant((" TN_STR_FMT
        ".metadata)::BLOB || "
        "(" TN_STR_FMT ".value)::BLOB) ELSE " TN_STR_FMT " END",
        TN_STR_ARG(e), TN_STR_ARG(e), TN_STR_ARG(e), TN_STR_ARG(e), TN_STR_ARG(e));
}

static void add_renamed_struct(scan *sc, tn_str expr, const tn_delta_type *t, int depth)
{
    tn_buf_addz(sc->b, "CASE WHEN ");
    tn_buf_add(sc->b, expr);
    tn_buf_addz(sc->b, " IS NULL THEN NULL ELSE {");
    for (size_t i = 0; i < t->fields.n; i++) {
        const tn_delta_field *f = &t->fields.v[i];
        tn_buf_addz(sc->b, i > 0 ? ", " : "");
        tn_sql_literal(sc->b, f->name);
        tn_buf_addz(sc->b, ": ");
        tn_buf inner = tn_buf_init(sc->arena, TN_DELTA_SQL_BYTES_MAX);
        tn_buf_add(&inner, expr);
        tn_buf_addc(&inner, '.');
        tn_sql_ident(&inner, tn_delta_physical_name(f, sc->mapping));
        add_renamed(sc, tn_buf_str(&inner), f->type, depth + 1);
    }
    tn_buf_addz(sc->b, "} END");
}

static void add_renamed(scan *sc, tn_str expr, const tn_delta_type *t, int depth)
{
    if (!needs_rename(sc, t)) {
        tn_buf_add(sc->b, expr);
        return;
    }
    tn_str var = tn_str_printf(sc->arena, "x%d", depth);
    if (tn_delta_type_is(t, "timestamp")) {
        tn_buf_addf(sc->b, "(" TN_STR_FMT ") AT TIME ZONE 'UTC'", TN_STR_ARG(expr));
    } else if (t->kind == TN_DT_PRIMITIVE) {
        add_variant(sc, expr);
    } else if (t->kind == TN_DT_STRUCT) {
        add_renamed_struct(sc, expr, t, depth);
    } else if (t->kind == TN_DT_ARRAY) {
        tn_buf_addf(sc->b, "list_transform(" TN_STR_FMT ", lambda " TN_STR_FMT ": ",
            TN_STR_ARG(expr), TN_STR_ARG(var));
        add_renamed(sc, var, t->element, depth + 1);
        tn_buf_addc(sc->b, ')');
    } else {
        tn_buf_addf(sc->b,
            "map_from_entries(list_transform(map_entries(" TN_STR_FMT "), lambda " TN_STR_FMT
            ": {'key': ",
            TN_STR_ARG(expr), TN_STR_ARG(var));
        add_renamed(sc, tn_str_concat(sc->arena, var, TN_STR(".key")), t->key, depth + 1);
        tn_buf_addz(sc->b, ", 'value': ");
        add_renamed(sc, tn_str_concat(sc->arena, var, TN_STR(".value")), t->element, depth + 1);
        tn_buf_addz(sc->b, "}))");
    }
}

/* ---- partition values ---- */

static tn_val partition_value(const scan *sc, const tn_delta_file *f, size_t column)
{
    return tn_delta_partition_value(&sc->s->meta, sc->mapping, f, column);
}

static tn_str tuple_key(const scan *sc, const tn_delta_file *f)
{
    tn_buf b = tn_buf_init(sc->arena, TN_DELTA_SQL_BYTES_MAX);
    for (size_t i = 0; i < sc->s->meta.partition_columns.n; i++) {
        tn_str v = tn_val_as_str(partition_value(sc, f, i));
        tn_buf_addf(&b, "%zu:", v.n);
        tn_buf_add(&b, v);
    }
    return tn_buf_str(&b);
}

typedef tn_vec(group *) groups;

static void group_files(const scan *sc, const places *kept, groups *ret)
{
    tn_map by_key = tn_map_init(sc->arena);
    for (size_t i = 0; i < kept->n; i++) {
        tn_str key = tuple_key(sc, &sc->s->files.v[kept->v[i]]);
        group *g = tn_map_find(&by_key, key);
        if (g == NULL) {
            g = tn_new(sc->arena, group);
            tn_map_put(&by_key, key, g);
            tn_vec_push(ret, sc->arena, g);
        }
        tn_vec_push(&g->files, sc->arena, kept->v[i]);
    }
}

/* ---- row ids ---- */

/* The columns that hold ids of rows that were copied; files without them have NULLs there. */
static bool has_row_columns(const scan *sc)
{
    return sc->opts->add_row_ids && tn_delta_rows_enabled(&sc->s->protocol, &sc->s->meta);
}

static void add_row_schema(scan *sc, bool any)
{
    const tn_delta_meta *m = &sc->s->meta;
    tn_str names[] = { tn_delta_rows_id_column(m), tn_delta_rows_version_column(m) };
    for (size_t i = 0; has_row_columns(sc) && i < TN_COUNTOF(names); i++) {
        tn_buf_addz(sc->b, any || i > 0 ? ", " : ", schema=MAP{");
        tn_sql_literal(sc->b, names[i]);
        tn_buf_addf(sc->b, ": {name: 'm%zu', type: 'BIGINT', default_value: NULL}", i);
    }
}

static void add_row_columns(scan *sc)
{
    if (sc->opts->add_row_ids && has_row_columns(sc)) {
        tn_buf_addz(sc->b, ", coalesce(t.m0, i.b + t.file_row_number) AS _tarn_id, coalesce(t.m1, "
                           "i.v) AS _tarn_version");
    } else if (sc->opts->add_row_ids) {
        tn_buf_addz(sc->b, ", i.b + t.file_row_number AS _tarn_id, i.v AS _tarn_version");
    }
}

static void add_number(tn_buf *b, int64_t n)
{
    if (n == TN_DELTA_ABSENT) {
        tn_buf_addz(b, "NULL::BIGINT");
    } else {
        tn_buf_addf(b, "%lld::BIGINT", (long long)n);
    }
}

/* What the log says of each file's rows. */
static void add_row_list_join(scan *sc, const places *files)
{
    if (!sc->opts->add_row_ids) {
        return;
    }
    tn_buf_addz(sc->b, " JOIN (VALUES ");
    for (size_t i = 0; i < files->n; i++) {
        const tn_delta_file *f = &sc->s->files.v[files->v[i]];
        tn_buf_addz(sc->b, i > 0 ? ", (" : "(");
        tn_sql_literal(sc->b, sc->locations[files->v[i]]);
        tn_buf_addz(sc->b, ", ");
        add_number(sc->b, f->base_row_id);
        tn_buf_addz(sc->b, ", ");
        add_number(sc->b, f->default_row_commit_version);
        tn_buf_addc(sc->b, ')');
    }
    tn_buf_addz(sc->b, ") AS i(f, b, v) ON i.f = t.filename");
}

/* ---- pieces of the text ---- */

static tn_rc add_schema(scan *sc, tn_err *err)
{
    const tn_delta_fields *fields = &sc->s->meta.schema->fields;
    bool any = false;
    for (size_t i = 0; i < fields->n; i++) {
        if (!in_files(sc, i)) {
            continue;
        }
        const tn_delta_field *f = &fields->v[i];
        tn_buf_addz(sc->b, any ? ", " : ", schema=MAP{");
        any = true;
        if (sc->mapping == TN_MAPPING_ID) {
            int64_t id = tn_val_int_at(f->metadata, "delta.columnMapping.id", -1);
            if (id < 0) {
                return tn_fail(err, TN_E_CORRUPT, "the column '" TN_STR_FMT "' has no field id",
                    TN_STR_ARG(f->name));
            }
            tn_buf_add_i64(sc->b, id);
        } else {
            tn_sql_literal(sc->b, tn_delta_physical_name(f, sc->mapping));
        }
        tn_buf_addf(sc->b, ": {name: 'c%zu', type: ", i);
        tn_buf type = tn_buf_init(sc->arena, TN_DELTA_SQL_BYTES_MAX);
        tn_delta_type_to_physical_sql(&type, stored_type(sc, f->type), sc->mapping);
        tn_sql_literal(sc->b, tn_buf_str(&type));
        tn_buf_addz(sc->b, ", default_value: NULL}");
    }
    add_row_schema(sc, any);
    tn_buf_addz(sc->b, any || has_row_columns(sc) ? "}" : "");
    return TN_OK;
}

/* numRecords, read off the text: this is asked of every file of a scan, and a guess is enough. -1: it does not say. */
static int64_t rows_about(const tn_delta_file *f)
{
    static const char NAME[] = "\"numRecords\":";
    size_t at = tn_str_find(f->stats, TN_STR(NAME), 0);
    if (at == SIZE_MAX) {
        return -1;
    }
    tn_str rest = tn_str_sub(f->stats, at + sizeof NAME - 1, f->stats.n);
    size_t n = 0;
    while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9') {
        n++;
    }
    int64_t rows;
    return tn_str_to_i64(tn_str_sub(rest, 0, n), &rows) ? rows : -1;
}

/* With `schema` DuckDB does not look into the files when it plans and takes every table for a tiny one; then joins hash the large side. Files that
 * do not say how many rows they have are taken to be as full as the others. */
static void add_cardinality(scan *sc, const places *files)
{
    int64_t known = 0;
    int64_t rows = 0;
    for (size_t i = 0; i < files->n; i++) {
        int64_t n = rows_about(&sc->s->files.v[files->v[i]]);
        known += n >= 0 ? 1 : 0;
        rows += n >= 0 && n < INT64_MAX / 4 - rows ? n : 0;
    }
    if (rows > 0) {
        double all = (double)rows / (double)known * (double)files->n;
        tn_buf_addf(sc->b, ", explicit_cardinality=%lld", (long long)all);
    }
}

static void add_locations(scan *sc, const places *files, tn_strs *to)
{
    for (size_t i = 0; i < files->n; i++) {
        tn_vec_push(to, sc->arena, sc->locations[files->v[i]]);
    }
}

static tn_rc add_read(scan *sc, const places *files, tn_err *err)
{
    tn_strs where = { 0 };
    add_locations(sc, files, &where);
    tn_buf_addz(sc->b, "read_parquet(");
    tn_delta_sql_locations(sc->b, &where, true);
    TN_TRY(add_schema(sc, err));
    /* Old writers left the UTF8 mark out; with no binary column in sight such columns are strings. */
    const tn_delta_type *schema = sc->s->meta.schema;
    bool blobs = tn_delta_type_has(schema, "binary") || tn_delta_type_has(schema, "variant");
    if (!blobs && tn_delta_type_has(schema, "string")) {
        tn_buf_addz(sc->b, ", binary_as_string=true");
    }
    add_cardinality(sc, files);
    tn_buf_addc(sc->b, ')');
    return TN_OK;
}

/* one: the file whose partition values are constants here; NULL: they come from the joined list v. */
static void add_columns(scan *sc, const tn_delta_file *one)
{
    const tn_delta_fields *fields = &sc->s->meta.schema->fields;
    for (size_t i = 0; i < fields->n; i++) {
        const tn_delta_field *f = &fields->v[i];
        size_t part = tn_delta_partition_index(&sc->s->meta, f->name);
        tn_buf_addz(sc->b, i > 0 ? ", " : "");
        if (part != SIZE_MAX && one != NULL) {
            tn_delta_partition_sql(sc->b, f->type, partition_value(sc, one, part));
        } else if (part != SIZE_MAX) {
            tn_buf_addf(sc->b, "v.p%zu", part);
        } else if (tn_delta_type_is_void(f->type)) {
            tn_buf_addz(sc->b, "CAST(NULL AS VARCHAR)");
        } else {
            add_renamed(sc, tn_str_printf(sc->arena, "c%zu", i), f->type, 0);
        }
        tn_buf_addz(sc->b, " AS ");
        tn_sql_ident(sc->b, f->name);
    }
    if (sc->opts->add_file_columns) {
        tn_buf_addz(sc->b, ", t.filename AS _tarn_file, t.file_row_number AS _tarn_row");
    }
    add_row_columns(sc);
}

static void add_tuple(scan *sc, const tn_delta_file *f)
{
    const tn_delta_meta *m = &sc->s->meta;
    for (size_t k = 0; k < m->partition_columns.n; k++) {
        const tn_delta_field *c = tn_delta_field_find(m->schema, m->partition_columns.v[k]);
        tn_buf_addz(sc->b, ", ");
        tn_delta_partition_sql(sc->b, c->type, partition_value(sc, f, k));
    }
}

/* Files and their values are apart, since many files share values: each file has the number of its group. */
static void add_partition_list(scan *sc, const groups *by)
{
    tn_strs where = { 0 };
    tn_buf numbers = tn_buf_init(sc->arena, TN_DELTA_SQL_BYTES_MAX);
    for (size_t g = 0; g < by->n; g++) {
        add_locations(sc, &by->v[g]->files, &where);
        for (size_t i = 0; i < by->v[g]->files.n; i++) {
            tn_buf_addf(&numbers, "%s%zu", numbers.n > 0 ? "," : "", g);
        }
    }
    tn_buf_addz(sc->b, " JOIN (SELECT l.f, w.* FROM (SELECT unnest(");
    tn_delta_sql_locations(sc->b, &where, false);
    tn_buf_addz(sc->b, ") AS f, unnest('[");
    tn_buf_add(sc->b, tn_buf_str(&numbers));
    tn_buf_addz(sc->b, "]'::INTEGER[]) AS n) AS l JOIN (VALUES ");
    for (size_t g = 0; g < by->n; g++) {
        tn_buf_addf(sc->b, "%s(%zu", g > 0 ? ", " : "", g);
        add_tuple(sc, &sc->s->files.v[by->v[g]->files.v[0]]);
        tn_buf_addc(sc->b, ')');
    }
    tn_buf_addz(sc->b, ") AS w(n");
    for (size_t k = 0; k < sc->s->meta.partition_columns.n; k++) {
        tn_buf_addf(sc->b, ", p%zu", k);
    }
    tn_buf_addz(sc->b, ") ON w.n = l.n) AS v ON v.f = t.filename");
}

/* The marked rows as runs "[from, ...]" and "[length, ...]" when these are shorter than the rows themselves. */
static void add_row_list(scan *sc, const uint64_t *rows, size_t n)
{
    size_t runs = 0;
    for (size_t i = 0; i < n; i++) {
        runs += i == 0 || rows[i] != rows[i - 1] + 1 ? 1 : 0;
    }
    bool as_runs = 2 * runs < n;
    tn_buf_addz(sc->b, "'[");
    for (size_t i = 0; i < n; i++) {
        if (as_runs && i > 0 && rows[i] == rows[i - 1] + 1) {
            continue;
        }
        tn_buf_addf(sc->b, "%s%llu", i > 0 ? "," : "", (unsigned long long)rows[i]);
    }
    tn_buf_addz(sc->b, "]', ");
    if (!as_runs) {
        tn_buf_addz(sc->b, "NULL");
        return;
    }
    tn_buf_addz(sc->b, "'[");
    size_t from = 0;
    for (size_t i = 1; i <= n; i++) {
        if (i == n || rows[i] != rows[i - 1] + 1) {
            tn_buf_addf(sc->b, "%s%llu", from > 0 ? "," : "", (unsigned long long)rows[i - 1]);
            from = i;
        }
    }
    tn_buf_addz(sc->b, "]'");
}

static tn_rc add_deleted(scan *sc, const places *files, tn_err *err)
{
    bool any = false;
    for (size_t i = 0; i < files->n; i++) {
        const tn_delta_file *f = &sc->s->files.v[files->v[i]];
        if (f->dv.storage == 0 || f->dv.cardinality == 0) {
            continue;
        }
        TN_AUTO_ARENA scratch = tn_arena_new("delta dv", NULL);
        uint64_t *rows;
        size_t n;
        TN_TRY(tn_delta_dv_read(sc->s->store, scratch, &f->dv, &rows, &n, err));
        if (!any) {
            tn_buf_addz(sc->b, " ANTI JOIN (SELECT f, unnest(CASE WHEN b IS NULL THEN a::BIGINT[] "
                               "ELSE flatten(list_transform(list_zip("
                               "a::BIGINT[], b::BIGINT[]), lambda x: range(x[1], x[2] + 1))) END) "
                               "AS r FROM (VALUES ");
        }
        tn_buf_addz(sc->b, any ? ", (" : "(");
        any = true;
        tn_sql_literal(sc->b, sc->locations[files->v[i]]);
        tn_buf_addz(sc->b, ", ");
        add_row_list(sc, rows, n);
        tn_buf_addc(sc->b, ')');
    }
    if (any) {
        tn_buf_addz(sc->b, ") AS l(f, a, b)) AS d ON d.f = t.filename AND d.r = t.file_row_number");
    }
    return TN_OK;
}

/* by: the files' groups, whose values are joined; NULL: all have the same. */
static tn_rc add_branch(scan *sc, const places *files, const groups *by, tn_err *err)
{
    tn_buf_addz(sc->b, "SELECT ");
    add_columns(sc, by != NULL ? NULL : &sc->s->files.v[files->v[0]]);
    tn_buf_addz(sc->b, " FROM ");
    TN_TRY(add_read(sc, files, err));
    tn_buf_addz(sc->b, " AS t");
    if (by != NULL) {
        add_partition_list(sc, by);
    }
    add_row_list_join(sc, files);
    return add_deleted(sc, files, err);
}

static void add_nothing(scan *sc)
{
    const tn_delta_fields *fields = &sc->s->meta.schema->fields;
    tn_buf_addz(sc->b, "SELECT ");
    for (size_t i = 0; i < fields->n; i++) {
        tn_buf_addz(sc->b, i > 0 ? ", CAST(NULL AS " : "CAST(NULL AS ");
        tn_delta_type_to_sql(sc->b, fields->v[i].type);
        tn_buf_addz(sc->b, ") AS ");
        tn_sql_ident(sc->b, fields->v[i].name);
    }
    if (sc->opts->add_file_columns) {
        tn_buf_addz(
            sc->b, ", CAST(NULL AS VARCHAR) AS _tarn_file, CAST(NULL AS BIGINT) AS _tarn_row");
    }
    if (sc->opts->add_row_ids) {
        tn_buf_addz(
            sc->b, ", CAST(NULL AS BIGINT) AS _tarn_id, CAST(NULL AS BIGINT) AS _tarn_version");
    }
    tn_buf_addz(sc->b, " WHERE false");
}

/* All branches of files that store instants alike. */
static tn_rc add_files(scan *sc, const places *files, bool *more, tn_err *err)
{
    groups by_values = { 0 };
    if (files->n > 0 && sc->s->meta.partition_columns.n > 0) {
        group_files(sc, files, &by_values);
    }
    if (files->n > 0 && (by_values.n == 0 || by_values.n > UNION_TUPLES_MAX)) {
        tn_buf_addz(sc->b, *more ? " UNION ALL " : "");
        *more = true;
        return add_branch(sc, files, by_values.n > 0 ? &by_values : NULL, err);
    }
    for (size_t i = 0; i < by_values.n; i++) {
        tn_buf_addz(sc->b, *more ? " UNION ALL " : "");
        *more = true;
        TN_TRY(add_branch(sc, &by_values.v[i]->files, NULL, err));
    }
    return TN_OK;
}

/* ---- instants ---- */

static bool stores_instants(const scan *sc)
{
    const tn_delta_fields *fields = &sc->s->meta.schema->fields;
    for (size_t i = 0; i < fields->n; i++) {
        if (in_files(sc, i) && tn_delta_type_has(fields->v[i].type, "timestamp")) {
            return true;
        }
    }
    return false;
}

/* Whether the difference between the two forms can be seen by who runs the text. */
static tn_rc zone_matters(const scan *sc, bool *ret, tn_err *err)
{
    tn_val zone = TN_VAL_UNDEF;
    *ret = sc->opts->portable;
    if (*ret || sc->opts->conn == NULL) {
        return TN_OK;
    }
    TN_TRY(tn_conn_scalar(
        sc->opts->conn, sc->arena, TN_STR("SELECT current_setting('TimeZone')"), &zone, err));
    tn_str name = tn_val_as_str(zone);
    *ret = !tn_str_is(name, "UTC") && !tn_str_is(name, "Etc/UTC") && !tn_str_is(name, "GMT");
    return TN_OK;
}

/* "part-<uuid>-<8 hex digits>.parquet": what this library writes, which has no INT96; its footers need no look. */
static bool is_own_name(tn_str location)
{
    tn_str name = tn_path_base(location);
    if (name.n != 58 || !tn_str_starts(name, TN_STR("part-")) ||
        !tn_str_ends(name, TN_STR(".parquet"))) {
        return false;
    }
    for (size_t i = 5; i < 50; i++) {
        bool dash = i == 13 || i == 18 || i == 23 || i == 28 || i == 41;
        if (dash ? name.p[i] != '-' : strchr("0123456789abcdef", name.p[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* Moves the files with instants of the old form from `kept` to `old`. Reads footers, so only where it matters. */
static tn_rc split_int96(scan *sc, places *kept, places *old, tn_err *err)
{
    bool matters = false;
    if (kept->n == 0 || sc->opts->conn == NULL || !stores_instants(sc)) {
        return TN_OK;
    }
    TN_TRY(zone_matters(sc, &matters, err));
    if (!matters) {
        return TN_OK;
    }
    tn_buf b = tn_buf_init(sc->arena, TN_DELTA_SQL_BYTES_MAX);
    tn_buf_addz(&b, "SELECT DISTINCT file_name FROM parquet_schema([");
    bool any = false;
    for (size_t i = 0; i < kept->n; i++) {
        if (!is_own_name(sc->locations[kept->v[i]])) {
            tn_buf_addz(&b, any ? ", " : "");
            tn_delta_sql_location(&b, sc->locations[kept->v[i]]);
            any = true;
        }
    }
    if (!any) {
        return TN_OK;
    }
    tn_buf_addz(&b, "]) WHERE type = 'INT96'");
    if (!tn_delta_type_has(sc->s->meta.schema, "timestamp_ntz")) {
        /* Some writers leave the mark for instants out; with no other kind of timestamp about, theirs are instants too. */
        tn_buf_addz(&b, " OR logical_type LIKE 'TimestampType(isAdjustedToUTC=0%'");
    }
    tn_val rows;
    TN_TRY(tn_conn_rows(sc->opts->conn, sc->arena, tn_buf_str(&b), kept->n, &rows, NULL, err));
    tn_map found = tn_map_init(sc->arena);
    for (size_t i = 0; i < rows.list->n; i++) {
        tn_map_put(&found, tn_val_as_str(rows.list->v[i].list->v[0]), kept);
    }
    places rest = { 0 };
    for (size_t i = 0; i < kept->n; i++) {
        bool is_old = tn_map_find(&found, sc->locations[kept->v[i]]) != NULL;
        tn_vec_push(is_old ? old : &rest, sc->arena, kept->v[i]);
    }
    *kept = rest;
    return TN_OK;
}

static tn_rc add_all(scan *sc, places *kept, tn_err *err)
{
    places old = { 0 };
    bool more = false;
    TN_TRY(split_int96(sc, kept, &old, err));
    TN_TRY(add_files(sc, kept, &more, err));
    sc->int96 = true;
    TN_TRY(add_files(sc, &old, &more, err));
    if (!more) {
        add_nothing(sc);
    }
    return TN_OK;
}

tn_rc tn_delta_scan_sql(const tn_delta_snapshot *s, tn_arena *a, const tn_delta_scan_opts *opts,
    tn_str *ret_sql, tn_err *err)
{
    static const tn_delta_scan_opts none = { .conn = NULL };
    TN_AUTO_ARENA scratch = tn_arena_new("delta scan", NULL);
    tn_buf b = tn_buf_init(a, TN_DELTA_SQL_BYTES_MAX);
    scan sc = { .s = s, .arena = scratch, .opts = opts ? opts : &none, .b = &b };
    sc.mapping = tn_delta_mapping_of(&s->protocol, &s->meta);
    const tn_delta_type *unknown = tn_delta_type_unknown(s->meta.schema);
    if (unknown != NULL) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the table has a column of the type '" TN_STR_FMT "', which cannot be read",
            TN_STR_ARG(unknown->name));
    }
    if (s->meta.schema->fields.n == 0) {
        return tn_fail(err, TN_E_UNSUPPORTED, "the table has no columns");
    }
    bool *keep = tn_arena_alloc(scratch, s->files.n + 1);
    memset(keep, 1, s->files.n + 1);
    if (sc.opts->only != NULL) {
        memcpy(keep, sc.opts->only, s->files.n);
    }
    TN_TRY(tn_delta_prune(s, sc.opts->conn, scratch, sc.opts->where, keep, err));
    places kept = { 0 };
    tn_str *locations = tn_new_array(scratch, tn_str, s->files.n + 1);
    for (size_t i = 0; i < s->files.n; i++) {
        if (keep[i] && (sc.opts->only == NULL || sc.opts->only[i])) {
            TN_TRY(tn_delta_locate(s->store, scratch, s->files.v[i].path, &locations[i], err));
            tn_vec_push(&kept, scratch, i);
        }
    }
    sc.locations = locations;
    TN_TRY(add_all(&sc, &kept, err));
    return tn_buf_finish(&b, "the scan's SQL", ret_sql, err);
}
