// layers: base os text store duck delta
/* fuzz_delta_prune.c: a file that holds a row for which a predicate is true is never left out.
 *
 * Each byte of an input is one choice of a generator: which values the rows of up to three files have, which of them a deletion vector hides, what their writer
 * put into the statistics (bounds may be cut, or not be there), the session's time zone, and an SQL predicate over the columns. DuckDB
 * counts the rows for which it is true, and makes the statistics; the files that tn_delta_prune keeps must be those with such rows, or more. */
#include <stdio.h>

#include "delta/delta_impl.h"
#include "text/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 3, ROWS_MAX = 4, DEPTH_MAX = 4 };

typedef enum shape { NUMBER, FLOAT, TEXT, INSTANT, WALL, DAY, BOOL, STRUCT } shape;

/* Literals of the values that columns of a shape have. */
static const char *const INTS[] = { "NULL", "0", "1", "-1", "42", "100", "127", "-128", "7", "2147483647",
    "-2147483648", "9007199254740993", "9223372036854775807", "-9223372036854775808" };
static const char *const DECIMALS[] = { "NULL", "0", "0.01", "-0.01", "1.5", "123.45", "99999999.99",
    "-99999999.99", "42", "12345678901234567890123456.78", "12345678901234567890123456.79" };
static const char *const FLOATS[] = { "NULL", "0", "'-0.0'", "'nan'", "'inf'", "'-inf'", "1e300", "0.1",
    "1.5", "1e-300", "9007199254740993", "42", "-7.25" };
static const char *const TEXTS[] = { "NULL", "''", "'a'", "'ab'", "'abc'", "'A'", "'é'", "'😀'",
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab'", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa~z'",
    "'abcdé'", "'abcd😀'", "'%'", "'a%b'", "'_x'", "'42'", "'é\"\\'", "'2024-01-01'" };
static const char *const TIMES[] = { "NULL", "'2024-01-01 00:00:00'", "'2024-01-01 00:00:00.123456'",
    "'2024-01-01 00:00:00.123999'", "'1969-12-31 23:59:59.999999'", "'1970-01-01 00:00:00'",
    "'2024-03-31 01:30:00'", "'2024-06-01 12:00:00.1'", "'1800-01-01 00:00:00.000001'",
    "'9999-12-31 23:59:59.999999'", "'2023-12-31 23:00:00'" };
static const char *const DAYS[] = { "NULL", "'2024-01-01'", "'2023-12-31'", "'2024-02-29'", "'1969-12-31'",
    "'1970-01-01'", "'0001-01-01'", "'9999-12-31'", "'2024-06-01'" };
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
enum { COLUMNS_N = TN_COUNTOF(COLUMNS) };

static struct {
    tn_arena *arena;
    tn_duck *duck;
    tn_conn *conn;
    tn_delta_meta metas[2]; /* plain; with column mapping by name */
} world;

typedef struct input {
    const uint8_t *p;
    size_t n;
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

static void must(tn_rc rc, const tn_err *err)
{
    if (rc != TN_OK) {
        fprintf(stderr, "the fuzzer cannot begin: %s\n", err->msg);
        abort();
    }
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
    const char *names = mapped ? "\"delta.columnMapping.id\":50,\"delta.columnMapping.physicalName\":"
                                 "\"c-st\""
                               : "";
    tn_buf_addf(&b,
        "{\"name\":\"st\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"long\","
        "\"nullable\":true,\"metadata\":{%s}},{\"name\":\"s\",\"type\":\"string\",\"nullable\":true,"
        "\"metadata\":{%s}}]},\"nullable\":true,\"metadata\":{%s}}]}",
        mapped ? "\"delta.columnMapping.id\":51,\"delta.columnMapping.physicalName\":\"c-x\"" : "",
        mapped ? "\"delta.columnMapping.id\":52,\"delta.columnMapping.physicalName\":\"c-s\"" : "",
        names);
    return tn_buf_str(&b);
}

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
    atexit(end);
}

/* ---- rows ---- */

static const char *value_of(input *in, shape s)
{
    return POOLS[s].v[pick(in, POOLS[s].n)];
}

/* A value as its column has it; NULL for one that does not fit. */
static void add_value(tn_buf *b, const char *sql, shape s, const char *v)
{
    bool instant = s == INSTANT && strcmp(v, "NULL") != 0;
    if (instant) { /* not by the session's time zone */
        tn_buf_addf(b, "TRY_CAST(%.*s+00' AS %s)", (int)strlen(v) - 1, v, sql);
    } else {
        tn_buf_addf(b, "TRY_CAST(%s AS %s)", v, sql);
    }
}

/* (file, is it live, columns.., st) */
static void add_row(tn_buf *b, input *in, unsigned file, const char *const *partition)
{
    tn_buf_addf(b, "(%u, %s", file, rarely(in) ? "false" : "true");
    for (size_t i = 0; i < COLUMNS_N; i++) {
        const char *v = COLUMNS[i].partition ? partition[i] : value_of(in, COLUMNS[i].shape);
        tn_buf_addz(b, ", ");
        if (COLUMNS[i].partition && strcmp(v, "''") == 0) {
            v = "NULL";
        }
        add_value(b, COLUMNS[i].sql, COLUMNS[i].shape, v);
    }
    if (rarely(in)) {
        tn_buf_addz(b, ", NULL::STRUCT(x BIGINT, s VARCHAR))");
        return;
    }
    tn_buf_addz(b, ", {'x': ");
    add_value(b, "BIGINT", NUMBER, value_of(in, NUMBER));
    tn_buf_addz(b, ", 's': ");
    add_value(b, "VARCHAR", TEXT, value_of(in, TEXT));
    tn_buf_addz(b, "})");
}

/* ---- statistics ---- */

/* What a writer says of a bound, as JSON text. */
static void add_bound(tn_buf *b, const char *fn, const char *column, shape s, unsigned cut)
{
    bool max = fn[1] == 'a';
    unsigned keep = cut % 2 == 0 ? 32 : 4;
    switch (s) {
    case NUMBER:
    case STRUCT:
    case BOOL:
        tn_buf_addf(b, ", %s(%s)::VARCHAR", fn, column);
        break;
    case FLOAT: /* neither NaN nor infinity is JSON */
        tn_buf_addf(b, ", CASE WHEN count(*) FILTER (WHERE isinf(%s)) = 0 THEN (%s(%s) FILTER (WHERE NOT "
                       "isnan(%s)))::VARCHAR END",
            column, fn, column, column);
        break;
    case TEXT:
        tn_buf_addf(b, ", to_json(CASE WHEN length(%s(%s)) <= %u THEN %s(%s) ELSE left(%s(%s), %u)", fn,
            column, keep, fn, column, fn, column, keep);
        if (max) {
            tn_buf_addf(b, " || CASE WHEN unicode(substr(max(%s), %u, 1)) < 127 THEN chr(127) ELSE "
                           "chr(1114111) END",
                column, keep + 1);
        }
        tn_buf_addz(b, " END)::VARCHAR");
        break;
    case INSTANT:
        tn_buf_addf(b, ", to_json(strftime(%s(%s) AT TIME ZONE 'UTC' %s, '%%Y-%%m-%%dT%%H:%%M:%%S.%s') || "
                       "'%s')::VARCHAR",
            fn, column, cut % 3 == 2 ? "- INTERVAL 8 HOUR" : "", cut % 2 == 0 ? "%g" : "%f",
            cut % 3 == 2 ? "-08:00" : "Z");
        break;
    case WALL:
        tn_buf_addf(b, ", to_json(strftime(%s(%s), '%%Y-%%m-%%dT%%H:%%M:%%S.%s'))::VARCHAR", fn, column,
            cut % 2 == 0 ? "%g" : "%f");
        break;
    case DAY:
        tn_buf_addf(b, ", to_json(strftime(%s(%s), '%%Y-%%m-%%d'))::VARCHAR", fn, column);
        break;
    }
}

/* The columns of a file that statistics are about, the struct's fields after the others. */
typedef struct subject {
    const char *name, *top, *inner;
    shape shape;
} subject;

static size_t subjects(subject *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < COLUMNS_N; i++) {
        if (!COLUMNS[i].partition) {
            ret[n++] = (subject){ .name = COLUMNS[i].name, .top = COLUMNS[i].name, .shape = COLUMNS[i].shape };
        }
    }
    ret[n++] = (subject){ .name = "st.x", .top = "st", .inner = "x", .shape = NUMBER };
    ret[n++] = (subject){ .name = "st.s", .top = "st", .inner = "s", .shape = TEXT };
    return n;
}

/* One member of minValues, maxValues or nullCount for each subject that has a text in the row of results from `col` on, three a subject. */
static void add_part(
    tn_buf *b, const char *part, input *in, const tn_str *texts, bool mapped, bool omit)
{
    subject list[COLUMNS_N + 2];
    size_t n = subjects(list);
    const char *prefix = mapped ? "c-" : "";
    const char *comma = "";
    bool open = false;
    tn_buf_addf(b, ",\"%s\":{", part);
    for (size_t i = 0; i < n; i++) {
        if (texts[i * 3].n == 0 || (omit && pick(in, 3) == 2)) {
            continue;
        }
        tn_buf_addz(b, comma);
        if (list[i].inner != NULL) {
            if (!open) {
                tn_buf_addf(b, "\"%s%s\":{", prefix, list[i].top);
            }
            open = true;
        }
        tn_buf_addf(b, "\"%s%s\":" TN_STR_FMT, prefix, list[i].inner ? list[i].inner : list[i].top,
            TN_STR_ARG(texts[i * 3]));
        comma = ",";
    }
    tn_buf_addz(b, open ? "}}" : "}");
}

/* ---- predicates ---- */

typedef struct target {
    const char *text;
    shape shape;
} target;

static target column_of(input *in)
{
    static const target MORE[] = { { "st.x", NUMBER }, { "st.s", TEXT }, { "x.st.x", NUMBER },
        { "\"A\"", NUMBER }, { "x.a", NUMBER }, { "x.s", TEXT }, { "st.\"S\"", TEXT },
        { "x.t", INSTANT }, { "x.p", TEXT } };
    unsigned i = pick(in, COLUMNS_N + TN_COUNTOF(MORE));
    return i < COLUMNS_N ? (target){ COLUMNS[i].name, COLUMNS[i].shape } : MORE[i - COLUMNS_N];
}

/* A constant for a comparison with a column of that shape, in one of the ways in which it may be spelt. */
static void add_constant(tn_buf *b, input *in, shape s)
{
    static const char *const NUMBER_AS[] = { "%s", "%s", "CAST(%s AS VARCHAR)", "%s.0", "%s::DOUBLE",
        "%s::HUGEINT", "-%s", "'%s'", "%s.5", "%s::DECIMAL(38,2)" };
    static const char *const TIME_AS[] = { "TIMESTAMP %s", "%s", "TIMESTAMPTZ %s", "CAST(%s AS DATE)",
        "CAST(%s AS TIMESTAMPTZ)", "CAST(%s AS TIMESTAMP)", "%s::TIMESTAMP_MS", "%s::TIMESTAMP_NS" };
    static const char *const ZONES[] = { "", "+00", "+02", "-08:00", "Z" };
    if (rarely(in)) {
        s = (shape)pick(in, STRUCT + 1);
    }
    const char *v = value_of(in, s);
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
        tn_buf_addf(b, "%s %s ", rarely(in) ? "lower(s)" : c.shape == TEXT ? c.text : "s",
            LIKES[pick(in, TN_COUNTOF(LIKES))]);
        add_constant(b, in, TEXT);
        return;
    case 5:
        tn_buf_addf(b, "starts_with(%s, ", c.shape == TEXT ? c.text : "st.s");
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
        tn_buf_addf(b, "%s(%s) %s ", c.shape == TEXT ? "upper" : c.shape == DAY ? "date" : "-", c.text,
            OPS[pick(in, TN_COUNTOF(OPS))]);
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
    tn_buf_addz(b, what == 3 ? " ELSE b END" : ")");
}

/* ---- one table ---- */

typedef struct made {
    tn_arena *arena;
    tn_delta_snapshot s;
    tn_str rows, where;
    bool mapped;
    unsigned n;
    const char *partition[FILES_MAX][COLUMNS_N];
} made;

static void make_rows(made *m, input *in)
{
    tn_buf b = tn_buf_init(m->arena, 1 << 20);
    m->n = 1 + pick(in, FILES_MAX);
    tn_buf_addz(&b, "(VALUES ");
    for (unsigned file = 0; file < m->n; file++) {
        for (size_t i = 0; i < COLUMNS_N; i++) {
            m->partition[file][i] = COLUMNS[i].partition ? value_of(in, COLUMNS[i].shape) : "";
        }
        for (unsigned rows = 1 + pick(in, ROWS_MAX); rows > 0; rows--) {
            tn_buf_addz(&b, b.n > 8 ? ",\n " : "");
            add_row(&b, in, file, m->partition[file]);
        }
    }
    tn_buf_addz(&b, ") AS x(file_, live_");
    for (size_t i = 0; i < COLUMNS_N; i++) {
        tn_buf_addf(&b, ", %s", COLUMNS[i].name);
    }
    tn_buf_addz(&b, ", st)");
    m->rows = tn_buf_str(&b);
}

/* The text of a value of a partition column in the log; undefined: NULL. */
static tn_val partition_text(made *m, const char *literal, shape s, unsigned iso)
{
    size_t n = strlen(literal);
    tn_str text = tn_str_of(literal);
    if (strcmp(literal, "NULL") == 0) {
        return TN_VAL_NONE;
    }
    if (literal[0] == '\'') {
        text = tn_str_n(literal + 1, n - 2);
    }
    if (s == INSTANT && iso % 2 == 1) {
        text = tn_str_printf(m->arena, "%.10sT%sZ", text.p,
            tn_str_z(m->arena, tn_str_sub(text, 11, text.n)));
    }
    return tn_val_str(text);
}

static tn_val partition_values(made *m, input *in, unsigned file)
{
    tn_val d = tn_val_dict(m->arena);
    for (size_t i = 0; i < COLUMNS_N; i++) {
        if (COLUMNS[i].partition) {
            tn_str key = tn_str_printf(m->arena, "%s%s", m->mapped ? "c-" : "", COLUMNS[i].name);
            tn_dict_put(d.dict, tn_val_str(key),
                partition_text(m, m->partition[file][i], COLUMNS[i].shape, pick(in, 2)));
        }
    }
    return d;
}

/* SELECT of what is to be known of each file: number of rows for which the predicate is true, of all, of hidden ones, then nulls, min and max of each subject. */
static tn_str ask_of(made *m, input *in)
{
    subject list[COLUMNS_N + 2];
    size_t n = subjects(list);
    tn_buf b = tn_buf_init(m->arena, 1 << 20);
    tn_buf_addf(&b, "SELECT file_, count(*) FILTER (WHERE live_ AND (" TN_STR_FMT ")), count(*), count(*) "
                    "FILTER (WHERE NOT live_)",
        TN_STR_ARG(m->where));
    for (size_t i = 0; i < n; i++) {
        unsigned cut = pick(in, 6);
        tn_buf_addf(&b, ", (count(*) - count(%s))::VARCHAR", list[i].name);
        add_bound(&b, "min", list[i].name, list[i].shape, cut);
        add_bound(&b, "max", list[i].name, list[i].shape, cut);
    }
    tn_buf_addf(&b, " FROM " TN_STR_FMT " GROUP BY file_ ORDER BY file_", TN_STR_ARG(m->rows));
    return tn_buf_str(&b);
}

static tn_delta_file file_of(made *m, input *in, tn_result *res, unsigned row)
{
    enum { FIRST = 4 };
    tn_str texts[(COLUMNS_N + 2) * 3] = { 0 };
    subject list[COLUMNS_N + 2];
    size_t n = subjects(list);
    for (size_t i = 0; i < n * 3; i++) {
        tn_str t;
        texts[i] = tn_result_text(res, m->arena, FIRST + i, row, &t) ? t : TN_STR_NONE;
    }
    tn_delta_file f = { .path = TN_STR("x"), .partition_values = partition_values(m, in, row) };
    unsigned kind = pick(in, 8);
    if (kind == 7) {
        return f; /* no statistics at all */
    }
    int64_t hidden = tn_result_cell(res, m->arena, 3, row).i;
    tn_buf b = tn_buf_init(m->arena, 1 << 16);
    tn_buf_addf(&b, "{\"numRecords\":%lld,\"tightBounds\":%s",
        (long long)tn_result_cell(res, m->arena, 2, row).i, hidden > 0 ? "false" : "true");
    add_part(&b, "nullCount", in, texts, m->mapped, kind > 3);
    add_part(&b, "minValues", in, texts + 1, m->mapped, kind > 4);
    add_part(&b, "maxValues", in, texts + 2, m->mapped, kind > 4);
    tn_buf_addc(&b, '}');
    f.stats = tn_buf_str(&b);
    return f;
}

static void lost(const made *m, const tn_delta_file *f, unsigned file)
{
    fprintf(stderr, "a file with a row is left out: file %u\nWHERE " TN_STR_FMT "\nFROM " TN_STR_FMT
                    "\nstatistics " TN_STR_FMT "\n",
        file, TN_STR_ARG(m->where), TN_STR_ARG(m->rows), TN_STR_ARG(f->stats));
    abort();
}

static void check(made *m, input *in)
{
    TN_AUTOPTR(tn_result) res = NULL;
    tn_err err = TN_ERR_INIT;
    tn_val v;
    bool keep[FILES_MAX] = { true, true, true };
    if (tn_conn_query(world.conn, ask_of(m, in), &res, &err) != TN_OK) {
        return; /* the predicate is none */
    }
    int64_t hits[FILES_MAX];
    size_t n = 0;
    must(tn_result_next(res, &n, &err), &err);
    TN_CHECK(n == m->n);
    for (unsigned i = 0; i < n; i++) {
        hits[i] = tn_result_cell(res, m->arena, 1, i).i;
        tn_delta_file f = file_of(m, in, res, i);
        if (f.stats.n > 0 && tn_json_parse(m->arena, f.stats, &v, &err) != TN_OK) {
            fprintf(stderr, "the fuzzer's statistics are no JSON: " TN_STR_FMT "\n", TN_STR_ARG(f.stats));
            abort();
        }
        tn_vec_push(&m->s.files, m->arena, f);
    }
    must(tn_delta_prune(&m->s, world.conn, m->arena, m->where, keep, &err), &err);
    for (unsigned i = 0; i < n; i++) {
        if (!keep[i] && hits[i] > 0) {
            lost(m, &m->s.files.v[i], i);
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
    must(tn_conn_set(world.conn, "TimeZone", tn_val_z(ZONES[pick(&in, TN_COUNTOF(ZONES))]), false, &err),
        &err);
    made m = { .arena = a, .mapped = pick(&in, 2) == 1 };
    m.s.meta = world.metas[m.mapped ? 1 : 0];
    m.s.protocol = (tn_delta_protocol){ .reader = 2, .writer = 5 };
    tn_buf where = tn_buf_init(a, 1 << 16);
    add_predicate(&where, &in, 0);
    m.where = tn_buf_str(&where);
    make_rows(&m, &in);
    check(&m, &in);
    return 0;
}
