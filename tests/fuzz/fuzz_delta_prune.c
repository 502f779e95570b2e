// layers: base os text store duck delta
/* fuzz_delta_prune.c: a file that holds a row for which a predicate is true is never left out.
 *
 * Each byte of an input is one choice of a generator: which values the rows of up to three files have, which of them a deletion vector hides, what their writer
 * put into the statistics (bounds may be cut, or not be there), the session's time zone and collation, and an SQL predicate over the columns. DuckDB
 * counts the rows for which it is true, and makes the statistics; the files that tn_delta_prune keeps must be those with such rows, or more. */
#include "fuzz.h"

#include "delta/log/delta_log.h"
#include "delta/read/delta_prune.h"
#include "text/json.h"

enum { FILES_MAX = 3, ROWS_MAX = 4, DEPTH_MAX = 4 };

typedef enum shape { NUMBER, FLOAT, TEXT, INSTANT, WALL, DAY, BOOL, STRUCT } shape;

/* Literals of the values that columns of a shape have. */
static const char *const INTS[] = { "NULL", "0", "1", "-1", "42", "100", "127", "-128", "7",
    "2147483647", "-2147483648", "9007199254740993", "9223372036854775807",
    "-9223372036854775808" };
static const char *const DECIMALS[] = { "NULL", "0", "0.01", "-0.01", "1.5", "123.45",
    "99999999.99", "-99999999.99", "42", "12345678901234567890123456.78",
    "12345678901234567890123456.79" };
static const char *const FLOATS[] = { "NULL", "0", "'-0.0'", "'nan'", "'inf'", "'-inf'", "1e300",
    "0.1", "1.5", "1e-300", "9007199254740993", "42", "-7.25" };
static const char *const TEXTS[] = { "NULL", "''", "'a'", "'ab'", "'abc'", "'A'", "'é'", "'😀'",
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~z'",
    "'abcdé'", "'abcd😀'", "'%'", "'a%b'", "'_x'", "'42'", "'é\"\\'", "'2024-01-01'" };
static const char *const TIMES[] = { "NULL", "'2024-01-01 00:00:00'",
    "'2024-01-01 00:00:00.123456'", "'2024-01-01 00:00:00.123999'", "'1969-12-31 23:59:59.999999'",
    "'1970-01-01 00:00:00'", "'2024-03-31 01:30:00'", "'2024-06-01 12:00:00.1'",
    "'1800-01-01 00:00:00.000001'", "'9999-12-31 23:59:59.999999'", "'2023-12-31 23:00:00'" };
static const char *const DAYS[] = { "NULL", "'2024-01-01'", "'2023-12-31'", "'2024-02-29'",
    "'1969-12-31'", "'1970-01-01'", "'0001-01-01'", "'9999-12-31'", "'2024-06-01'" };
static const char *const BOOLS[] = { "NULL", "true", "false" };

static const struct {
    const char *const *v;
    unsigned n;
} POOLS[] = {
    [NUMBER] = { INTS, TN_COUNTOF(INTS) },
    [FLOAT] = { FLOATS, TN_COUNTOF(FLOATS) },
    [TEXT] = { TEXTS, TN_COUNTOF(TEXTS) },
    [INSTANT] = { TIMES, TN_COUNTOF(TIMES) },
    [WALL] = { TIMES, TN_COUNTOF(TIMES) },
    [DAY] = { DAYS, TN_COUNTOF(DAYS) },
    [BOOL] = { BOOLS, TN_COUNTOF(BOOLS) },
    [STRUCT] = { DECIMALS, TN_COUNTOF(DECIMALS) }, /* decimals: the other numbers */
};

static const struct {
    const char *name, *type, *sql;
    shape shape;
    bool partition;
} COLUMNS[] = {
    { "a", "long", "BIGINT", NUMBER, false },
    { "i", "byte", "TINYINT", NUMBER, false },
    { "d", "decimal(10,2)", "DECIMAL(10,2)", STRUCT, false },
    { "m", "decimal(38,2)", "DECIMAL(38,2)", STRUCT, false },
    { "f", "double", "DOUBLE", FLOAT, false },
    { "e", "float", "FLOAT", FLOAT, false },
    { "s", "string", "VARCHAR", TEXT, false },
    { "t", "timestamp", "TIMESTAMPTZ", INSTANT, false },
    { "n", "timestamp_ntz", "TIMESTAMP", WALL, false },
    { "dt", "date", "DATE", DAY, false },
    { "b", "boolean", "BOOLEAN", BOOL, false },
    { "p", "string", "VARCHAR", TEXT, true },
    { "q", "integer", "INTEGER", NUMBER, true },
    { "r", "timestamp", "TIMESTAMPTZ", INSTANT, true },
    { "g", "date", "DATE", DAY, true },
    { "h", "double", "DOUBLE", FLOAT, true },
    { "k", "boolean", "BOOLEAN", BOOL, true },
};

/* What statistics and predicates are about: the columns, then the fields of a struct. */
enum { COLUMNS_N = TN_COUNTOF(COLUMNS), ST_X = COLUMNS_N, ST_S, SUBJECTS };
enum { CUTS = 6, POOL_MAX = 20 };

/* One value of a pool as one subject has it. */
typedef struct value {
    bool null, nan, inf;
    int64_t rank;           /* in DuckDB's order */
    tn_str bounds[CUTS][2]; /* min, max: what statistics say of it, in JSON */
} value;

static struct {
    tn_arena *arena;
    tn_duck *duck;
    tn_conn *conn;
    tn_delta_meta metas[2]; /* plain; with column mapping by name */
    value values[SUBJECTS][POOL_MAX];
} world;

static shape shape_of(size_t subject)
{
    return subject < COLUMNS_N ? COLUMNS[subject].shape : subject == ST_X ? NUMBER : TEXT;
}

typedef struct input {
    const uint8_t *p;
    size_t n;
    bool used[SUBJECTS]; /* by the predicate: the others do not matter */
} input;

/* The next choice out of n. */
static unsigned pick(input *in, unsigned n)
{
    if (in->n == 0) {
        return 0;
    }
    in->n--;
    return *in->p++ % n;
}

static bool rarely(input *in)
{
    return pick(in, 8) == 7;
}

static void end(void)
{
    tn_conn_close(world.conn);
    tn_duck_close(world.duck);
    tn_arena_free(world.arena);
}

/* The columns, then a struct that has fields of the same names as two of them. */
static tn_str schema_text(bool mapped)
{
    tn_buf b = tn_buf_init(world.arena, 1 << 16);
    tn_buf_addz(&b, "{\"type\":\"struct\",\"fields\":[");
    for (size_t i = 0; i < COLUMNS_N; i++) {
        tn_buf_addf(&b, "{\"name\":\"%s\",\"type\":\"%s\",\"nullable\":true,\"metadata\":{",
            COLUMNS[i].name, COLUMNS[i].type);
        if (mapped) {
            tn_buf_addf(&b,
                "\"delta.columnMapping.id\":%zu,\"delta.columnMapping.physicalName\":\"c-%s\"", i,
                COLUMNS[i].name);
        }
        tn_buf_addz(&b, "}},");
    }
    const char *names = mapped
                            ? "\"delta.columnMapping.id\":50,\"delta.columnMapping.physicalName\":"
                              "\"c-st\""
                            : "";
    tn_buf_addf(&b,
        "{\"name\":\"st\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":"
        "\"long\","
        "\"nullable\":true,\"metadata\":{%s}},{\"name\":\"s\",\"type\":\"string\",\"nullable\":"
        "true,"
        "\"metadata\":{%s}}]},\"nullable\":true,\"metadata\":{%s}}]}",
        mapped ? "\"delta.columnMapping.id\":51,\"delta.columnMapping.physicalName\":\"c-x\"" : "",
        mapped ? "\"delta.columnMapping.id\":52,\"delta.columnMapping.physicalName\":\"c-s\"" : "",
        names);
    return tn_buf_str(&b);
}

static void learn(size_t subject);

static void begin(void)
{
    tn_err err = TN_ERR_INIT;
    world.arena = tn_arena_new("fuzz world", NULL);
    tn_duck_opts opts = { .threads = 1, .memory_limit = TN_STR("512MB") };
    must(tn_duck_open(&opts, &world.duck, &err), &err);
    must(tn_duck_connect(world.duck, &world.conn, &err), &err);
    for (int mapped = 0; mapped < 2; mapped++) {
        tn_delta_meta *m = &world.metas[mapped];
        m->configuration = tn_val_dict(world.arena);
        if (mapped) {
            tn_dict_putz(m->configuration.dict, "delta.columnMapping.mode", tn_val_z("name"));
        }
        must(tn_delta_schema_parse(world.arena, schema_text(mapped == 1), &m->schema, &err), &err);
        for (size_t i = 0; i < COLUMNS_N; i++) {
            if (COLUMNS[i].partition) {
                tn_vec_push(&m->partition_columns, world.arena, tn_str_of(COLUMNS[i].name));
            }
        }
    }
    for (size_t i = 0; i < SUBJECTS; i++) {
        learn(i);
    }
    atexit(end);
}

/* ---- values ---- */

/* A value as its column has it; NULL for one that does not fit. */
static void add_value(tn_buf *b, size_t subject, unsigned i)
{
    shape s = shape_of(subject);
    const char *v = POOLS[s].v[i];
    const char *type = subject < COLUMNS_N ? COLUMNS[subject].sql
                       : subject == ST_X   ? "BIGINT"
                                           : "VARCHAR";
    bool partition = subject < COLUMNS_N && COLUMNS[subject].partition;
    if (s == INSTANT && strcmp(v, "NULL") != 0) { /* not by the session's time zone */
        tn_buf_addf(b, "TRY_CAST(%.*s+00' AS %s)", (int)strlen(v) - 1, v, type);
    } else {
        tn_buf_addf(b, "TRY_CAST(%s AS %s)", partition && strcmp(v, "''") == 0 ? "NULL" : v, type);
    }
}

/* What a writer says of v as a bound, as JSON. */
static void add_bound(tn_buf *b, bool max, shape s, unsigned cut)
{
    unsigned keep = cut % 2 == 0 ? 32 : 4;
    switch (s) {
    case NUMBER:
    case STRUCT:
    case BOOL:
    case FLOAT:
        tn_buf_addz(b, ", v::VARCHAR");
        break;
    case TEXT:
        tn_buf_addf(b, ", to_json(CASE WHEN length(v) <= %u THEN v ELSE left(v, %u)", keep, keep);
        if (max) {
            tn_buf_addf(b,
                " || CASE WHEN unicode(substr(v, %u, 1)) < 127 THEN chr(127) ELSE chr(1114111) END",
                keep + 1);
        }
        tn_buf_addz(b, " END)::VARCHAR");
        break;
    case INSTANT:
        tn_buf_addf(b,
            ", to_json(strftime(v AT TIME ZONE 'UTC' %s, '%%Y-%%m-%%dT%%H:%%M:%%S.%s') || '%s')"
            "::VARCHAR",
            cut % 3 == 2 ? "- INTERVAL 8 HOUR" : "", cut % 2 == 0 ? "%g" : "%f",
            cut % 3 == 2 ? "-08:00" : "Z");
        break;
    case WALL:
        tn_buf_addf(b, ", to_json(strftime(v, '%%Y-%%m-%%dT%%H:%%M:%%S.%s'))::VARCHAR",
            cut % 2 == 0 ? "%g" : "%f");
        break;
    case DAY:
        tn_buf_addz(b, ", to_json(strftime(v, '%Y-%m-%d'))::VARCHAR");
        break;
    }
}

static tn_str cell_text(const tn_result *res, size_t column, size_t row)
{
    tn_str t;
    return tn_result_text(res, world.arena, column, row, &t) ? t : TN_STR_NONE;
}

/* DuckDB says how the values of a subject are ordered and printed. */
static void learn(size_t subject)
{
    shape s = shape_of(subject);
    tn_err err = TN_ERR_INIT;
    tn_buf b = tn_buf_init(world.arena, 1 << 20);
    tn_buf_addz(&b, "SELECT i, v IS NULL, dense_rank() OVER (ORDER BY v)");
    tn_buf_addz(&b, s == FLOAT ? ", isnan(v), isinf(v)" : ", false, false");
    for (unsigned cut = 0; cut < CUTS; cut++) {
        add_bound(&b, false, s, cut);
        add_bound(&b, true, s, cut);
    }
    tn_buf_addz(&b, " FROM (VALUES ");
    for (unsigned i = 0; i < POOLS[s].n; i++) {
        tn_buf_addf(&b, "%s(%u, ", i > 0 ? ", " : "", i);
        add_value(&b, subject, i);
        tn_buf_addc(&b, ')');
    }
    tn_buf_addz(&b, ") AS x(i, v) ORDER BY i");
    TN_AUTOPTR(tn_result) res = NULL;
    size_t n = 0;
    must(tn_conn_query(world.conn, tn_buf_str(&b), &res, &err), &err);
    must(tn_result_next(res, &n, &err), &err);
    TN_CHECK(n == POOLS[s].n && n <= POOL_MAX);
    for (size_t i = 0; i < n; i++) {
        value *v = &world.values[subject][i];
        v->null = tn_result_cell(res, world.arena, 1, i).i != 0;
        v->rank = tn_result_cell(res, world.arena, 2, i).i;
        v->nan = tn_result_cell(res, world.arena, 3, i).i != 0 && !v->null;
        v->inf = tn_result_cell(res, world.arena, 4, i).i != 0 && !v->null;
        for (unsigned k = 0; k < CUTS * 2; k++) {
            v->bounds[k / 2][k % 2] = cell_text(res, 5 + k, i);
        }
    }
}

/* ---- rows ---- */

typedef struct row {
    bool live, no_struct;
    unsigned values[SUBJECTS]; /* places in the pools */
} row;

typedef struct made {
    tn_arena *arena;
    tn_delta_snapshot s;
    tn_str where;
    bool mapped;
    unsigned n;
    unsigned rows_n[FILES_MAX];
    row rows[FILES_MAX][ROWS_MAX];
} made;

static void make_rows(made *m, input *in)
{
    m->n = 1 + pick(in, FILES_MAX);
    for (unsigned file = 0; file < m->n; file++) {
        m->rows_n[file] = 1 + pick(in, ROWS_MAX);
        for (unsigned r = 0; r < m->rows_n[file]; r++) {
            row *to = &m->rows[file][r];
            to->live = !rarely(in);
            to->no_struct = (in->used[ST_X] || in->used[ST_S]) && rarely(in);
            for (size_t i = 0; i < SUBJECTS; i++) {
                bool same = r > 0 && i < COLUMNS_N && COLUMNS[i].partition;
                if (in->used[i]) {
                    to->values[i] =
                        same ? m->rows[file][0].values[i] : pick(in, POOLS[shape_of(i)].n);
                }
            }
        }
    }
}

/* (file, is it live, columns.., st) */
static void add_row(tn_buf *b, const input *in, const row *r, unsigned file)
{
    tn_buf_addf(b, "(%u, %s", file, r->live ? "true" : "false");
    for (size_t i = 0; i < COLUMNS_N; i++) {
        if (in->used[i]) {
            tn_buf_addz(b, ", ");
            add_value(b, i, r->values[i]);
        }
    }
    if (r->no_struct) {
        tn_buf_addz(b, ", NULL::STRUCT(x BIGINT, s VARCHAR))");
        return;
    }
    tn_buf_addz(b, ", {'x': ");
    add_value(b, ST_X, r->values[ST_X]);
    tn_buf_addz(b, ", 's': ");
    add_value(b, ST_S, r->values[ST_S]);
    tn_buf_addz(b, "})");
}

/* SELECT of the number of rows of each file for which the predicate is true. */
static tn_str query_of(const made *m, const input *in)
{
    tn_buf b = tn_buf_init(m->arena, 1 << 20);
    tn_buf_addf(&b, "SELECT file_, count(*) FROM (VALUES ");
    for (unsigned file = 0; file < m->n; file++) {
        for (unsigned r = 0; r < m->rows_n[file]; r++) {
            tn_buf_addz(&b, file + r > 0 ? ",\n " : "");
            add_row(&b, in, &m->rows[file][r], file);
        }
    }
    tn_buf_addz(&b, ") AS x(file_, live_");
    for (size_t i = 0; i < COLUMNS_N; i++) {
        if (in->used[i]) {
            tn_buf_addf(&b, ", %s", COLUMNS[i].name);
        }
    }
    tn_buf_addf(&b, ", st)\nWHERE live_ AND (" TN_STR_FMT ") GROUP BY file_", TN_STR_ARG(m->where));
    return tn_buf_str(&b);
}

/* ---- statistics ---- */

enum { NULLS, LEAST, MOST };
static const char *const PARTS[] = { "nullCount", "minValues", "maxValues" };

static const value *value_in(const row *r, size_t subject)
{
    static const value none = { .null = true };
    return subject >= COLUMNS_N && r->no_struct ? &none
                                                : &world.values[subject][r->values[subject]];
}

/* JSON of a statistic of one subject, of the rows that are hidden, too; empty: there is none. */
static tn_str statistic(const made *m, unsigned file, size_t subject, int part, unsigned cut)
{
    const value *best = NULL;
    int nulls = 0;
    for (unsigned r = 0; r < m->rows_n[file]; r++) {
        const value *v = value_in(&m->rows[file][r], subject);
        nulls += v->null;
        if (v->inf && part != NULLS) {
            return TN_STR_NONE; /* neither it nor NaN is JSON */
        }
        if (!v->null && !v->nan &&
            (best == NULL || (part == LEAST ? v->rank < best->rank : v->rank > best->rank))) {
            best = v;
        }
    }
    return part == NULLS  ? tn_str_printf(m->arena, "%d", nulls)
           : best == NULL ? TN_STR_NONE
                          : best->bounds[cut][part - LEAST];
}

static void add_part(tn_buf *b, const made *m, unsigned file, int part, input *in, bool omit)
{
    const char *prefix = m->mapped ? "c-" : "";
    const char *comma = "";
    bool open = false;
    tn_buf_addf(b, ",\"%s\":{", PARTS[part]);
    for (size_t i = 0; i < SUBJECTS; i++) {
        tn_str text = TN_STR_NONE;
        if (in->used[i] && !(i < COLUMNS_N && COLUMNS[i].partition)) {
            text = statistic(m, file, i, part, pick(in, CUTS));
        }
        if (text.n == 0 || (omit && pick(in, 3) == 2)) {
            continue;
        }
        tn_buf_addz(b, comma);
        if (i >= COLUMNS_N && !open) {
            tn_buf_addf(b, "\"%sst\":{", prefix);
            open = true;
        }
        tn_buf_addf(b, "\"%s%s\":" TN_STR_FMT, prefix,
            i < COLUMNS_N ? COLUMNS[i].name
            : i == ST_X   ? "x"
                          : "s",
            TN_STR_ARG(text));
        comma = ",";
    }
    tn_buf_addz(b, open ? "}}" : "}");
}

/* ---- predicates ---- */

typedef struct target {
    const char *text;
    size_t subject;
    shape shape;
} target;

static target column_of(input *in)
{
    enum { A = 0, S = 6, T = 7, P = 11 };
    static const target MORE[] = { { "st.x", ST_X, NUMBER }, { "st.s", ST_S, TEXT },
        { "x.st.x", ST_X, NUMBER }, { "\"A\"", A, NUMBER }, { "x.a", A, NUMBER },
        { "x.s", S, TEXT }, { "st.\"S\"", ST_S, TEXT }, { "x.t", T, INSTANT }, { "x.p", P, TEXT },
        { "s", S, TEXT } };
    unsigned i = pick(in, COLUMNS_N + TN_COUNTOF(MORE));
    target c =
        i < COLUMNS_N ? (target){ COLUMNS[i].name, i, COLUMNS[i].shape } : MORE[i - COLUMNS_N];
    in->used[c.subject] = true;
    return c;
}

static const char *text_column(input *in, const target *c)
{
    in->used[c->shape == TEXT ? c->subject : ST_S] = true;
    return c->shape == TEXT ? c->text : "st.s";
}

/* A constant for a comparison with a column of that shape, in one of the ways in which it may be spelt. */
static void add_constant(tn_buf *b, input *in, shape s)
{
    static const char *const NUMBER_AS[] = { "%s", "%s", "CAST(%s AS VARCHAR)", "%s.0",
        "%s::DOUBLE", "%s::HUGEINT", "-%s", "'%s'", "%s.5", "%s::DECIMAL(38,2)" };
    static const char *const TIME_AS[] = { "TIMESTAMP %s", "%s", "TIMESTAMPTZ %s",
        "CAST(%s AS DATE)", "CAST(%s AS TIMESTAMPTZ)", "CAST(%s AS TIMESTAMP)", "%s::TIMESTAMP_MS",
        "%s::TIMESTAMP_NS" };
    static const char *const ZONES[] = { "", "+00", "+02", "-08:00", "Z" };
    if (rarely(in)) {
        s = (shape)pick(in, STRUCT + 1);
    }
    const char *v = POOLS[s].v[pick(in, POOLS[s].n)];
    bool null = strcmp(v, "NULL") == 0;
    tn_buf spelt = tn_buf_init(b->arena, 1 << 12);
    const char *form = "%s";
    if ((s == NUMBER || s == STRUCT) && !null) {
        form = NUMBER_AS[pick(in, TN_COUNTOF(NUMBER_AS))];
        tn_buf_addz(&spelt, v);
    } else if ((s == INSTANT || s == WALL || s == DAY) && !null) {
        form = TIME_AS[pick(in, TN_COUNTOF(TIME_AS))];
        tn_buf_addf(&spelt, "%.*s%s'", (int)strlen(v) - 1, v, ZONES[pick(in, TN_COUNTOF(ZONES))]);
    } else {
        tn_buf_addz(&spelt, v);
    }
    tn_str text = tn_buf_str(&spelt);
    for (const char *c = form; *c != '\0'; c++) {
        if (c[0] == '%' && c[1] == 's') {
            tn_buf_add(b, text);
            c++;
        } else {
            tn_buf_addc(b, *c);
        }
    }
}

static void add_leaf(tn_buf *b, input *in)
{
    static const char *const OPS[] = { "=", "<", ">", "<=", ">=", "<>", "IS DISTINCT FROM",
        "IS NOT DISTINCT FROM" };
    static const char *const LIKES[] = { "LIKE", "NOT LIKE", "ILIKE", "^@", "GLOB", "SIMILAR TO" };
    target c = column_of(in);
    switch (pick(in, 12)) {
    case 0:
        tn_buf_addf(b, "%s IS NULL", c.text);
        return;
    case 1:
        tn_buf_addf(b, "%s IS NOT NULL", c.text);
        return;
    case 2:
        tn_buf_addf(b, "%s %sIN (", c.text, rarely(in) ? "NOT " : "");
        for (unsigned n = 1 + pick(in, 3); n > 0; n--) {
            add_constant(b, in, c.shape);
            tn_buf_addz(b, n > 1 ? ", " : ")");
        }
        return;
    case 3:
        tn_buf_addf(b, "%s %sBETWEEN ", c.text, rarely(in) ? "NOT " : "");
        add_constant(b, in, c.shape);
        tn_buf_addz(b, " AND ");
        add_constant(b, in, c.shape);
        return;
    case 4:
        tn_buf_addf(b, "%s %s ", text_column(in, &c), LIKES[pick(in, TN_COUNTOF(LIKES))]);
        add_constant(b, in, TEXT);
        return;
    case 5:
        tn_buf_addf(b, "starts_with(%s, ", text_column(in, &c));
        add_constant(b, in, TEXT);
        tn_buf_addc(b, ')');
        return;
    case 6: {
        target d = column_of(in);
        tn_buf_addf(b, "%s %s %s", c.text, OPS[pick(in, TN_COUNTOF(OPS))], d.text);
        return;
    }
    case 7: /* the other way round */
        add_constant(b, in, c.shape);
        tn_buf_addf(b, " %s %s", OPS[pick(in, TN_COUNTOF(OPS))], c.text);
        return;
    case 8:
        tn_buf_addf(b, "%s(%s) %s ",
            c.shape == TEXT  ? "upper"
            : c.shape == DAY ? "date"
                             : "-",
            c.text, OPS[pick(in, TN_COUNTOF(OPS))]);
        add_constant(b, in, c.shape);
        return;
    default:
        tn_buf_addf(b, "%s %s ", c.text, OPS[pick(in, TN_COUNTOF(OPS))]);
        add_constant(b, in, c.shape);
        return;
    }
}

static void add_predicate(tn_buf *b, input *in, unsigned depth)
{
    unsigned what = depth >= DEPTH_MAX ? 9 : pick(in, 10);
    if (what > 3) {
        add_leaf(b, in);
        return;
    }
    tn_buf_addz(b, what == 0 ? "NOT (" : what == 3 ? "CASE WHEN " : "(");
    add_predicate(b, in, depth + 1);
    if (what > 0) {
        tn_buf_addz(b, what == 1 ? " AND " : what == 2 ? " OR " : " THEN ");
        add_predicate(b, in, depth + 1);
    }
    tn_buf_addz(b, what == 3 ? " ELSE false END" : ")");
}

/* ---- one table ---- */

/* The text of a value of a partition column in the log; none: NULL, which an empty text means, too. */
static tn_val partition_text(const made *m, size_t column, unsigned i, unsigned iso)
{
    shape s = COLUMNS[column].shape;
    const char *literal = POOLS[s].v[i];
    tn_str text = tn_str_of(literal);
    if (world.values[column][i].null && strcmp(literal, "''") != 0) {
        return TN_VAL_NONE;
    }
    if (literal[0] == '\'') {
        text = tn_str_sub(text, 1, text.n - 1);
    }
    if (s == INSTANT && iso == 1) {
        text = tn_str_printf(
            m->arena, "%.10sT%sZ", text.p, tn_str_z(m->arena, tn_str_sub(text, 11, text.n)));
    }
    return tn_val_str(text);
}

static tn_val partition_values(const made *m, input *in, unsigned file)
{
    tn_val d = tn_val_dict(m->arena);
    for (size_t i = 0; i < COLUMNS_N; i++) {
        if (COLUMNS[i].partition) {
            tn_str key = tn_str_printf(m->arena, "%s%s", m->mapped ? "c-" : "", COLUMNS[i].name);
            tn_dict_put(d.dict, tn_val_str(key),
                partition_text(m, i, m->rows[file][0].values[i], in->used[i] ? pick(in, 2) : 0));
        }
    }
    return d;
}

static tn_delta_file file_of(const made *m, input *in, unsigned file)
{
    tn_delta_file f = { .path = TN_STR("x"), .partition_values = partition_values(m, in, file) };
    unsigned kind = pick(in, 8);
    if (kind == 7) {
        return f; /* no statistics at all */
    }
    bool tight = true;
    for (unsigned r = 0; r < m->rows_n[file]; r++) {
        tight = tight && m->rows[file][r].live;
    }
    tn_buf b = tn_buf_init(m->arena, 1 << 16);
    tn_buf_addf(
        &b, "{\"numRecords\":%u,\"tightBounds\":%s", m->rows_n[file], tight ? "true" : "false");
    for (int part = NULLS; part <= MOST; part++) {
        add_part(&b, m, file, part, in, kind > 3);
    }
    tn_buf_addc(&b, '}');
    f.stats = tn_buf_str(&b);
    return f;
}

static void must_be_json(const made *m, tn_str text)
{
    tn_val v;
    tn_err err = TN_ERR_INIT;
    if (text.n > 0 && tn_json_parse(m->arena, text, &v, &err) != TN_OK) {
        fprintf(stderr, "the fuzzer's statistics are no JSON: " TN_STR_FMT "\n", TN_STR_ARG(text));
        abort();
    }
}

static void check(made *m, input *in)
{
    TN_AUTOPTR(tn_result) res = NULL;
    tn_err err = TN_ERR_INIT;
    bool keep[FILES_MAX] = { true, true, true };
    tn_str sql = query_of(m, in);
    if (tn_conn_query(world.conn, sql, &res, &err) != TN_OK) {
        return; /* the predicate is none */
    }
    for (unsigned i = 0; i < m->n; i++) {
        tn_delta_file f = file_of(m, in, i);
        must_be_json(m, f.stats);
        tn_vec_push(&m->s.files, m->arena, f);
    }
    must(tn_delta_prune(&m->s, world.conn, m->arena, m->where, keep, &err), &err);
    size_t n = 0;
    must(tn_result_next(res, &n, &err), &err);
    for (size_t i = 0; i < n; i++) { /* files with rows */
        int64_t file = tn_result_cell(res, m->arena, 0, i).i;
        if (!keep[file]) {
            fprintf(stderr,
                "file %d has a row and is left out:\n" TN_STR_FMT "\nstatistics " TN_STR_FMT "\n",
                (int)file, TN_STR_ARG(sql), TN_STR_ARG(m->s.files.v[file].stats));
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ZONES[] = { "UTC", "America/Los_Angeles", "Asia/Kathmandu",
        "Pacific/Kiritimati" };
    if (world.arena == NULL) {
        begin();
    }
    TN_AUTO_ARENA a = tn_arena_new("fuzz", NULL);
    tn_err err = TN_ERR_INIT;
    input in = { .p = data, .n = size };
    must(tn_conn_set(
             world.conn, "TimeZone", tn_val_z(ZONES[pick(&in, TN_COUNTOF(ZONES))]), false, &err),
        &err);
    must(tn_conn_set(
             world.conn, "default_collation", tn_val_z(rarely(&in) ? "NOCASE" : ""), false, &err),
        &err);
    made m = { .arena = a, .mapped = pick(&in, 2) == 1 };
    m.s.arena = a;
    m.s.meta = world.metas[m.mapped ? 1 : 0];
    m.s.protocol = (tn_delta_protocol){ .reader = 2, .writer = 5 };
    tn_buf where = tn_buf_init(a, 1 << 16);
    add_predicate(&where, &in, 0);
    m.where = tn_buf_str(&where);
    make_rows(&m, &in);
    check(&m, &in);
    return 0;
}
