/* land_csv.c: calls of the csv reader.
 *
 * Dialect. A csv with given names (--columns) or all-text columns is read with a fixed dialect (the given or the ending's delimiter, double quotes):
 * sniffing guesses wrong on files of one line. Otherwise the delimiter is the header line's own and DuckDB's sniffer decides what is left.
 *
 * Files with different columns. DuckDB keeps rejected rows only without union_by_name, and without it drops columns that the first file has not. So csv
 * files are grouped by their header, line ending and dialect (DuckDB takes those of the first file for all); each group is one reader call with the types
 * that hold for all, and the groups are united by name.
 */
#include "lake/land/land_columns.h"
#include "text/csv.h"
#include "text/sqltext.h"

enum { SQL_BYTES_MAX = 512 << 20 };

static bool csv_says(const tn_land_read *r, const char *a, const char *b)
{
    return !tn_val_is_undef(tn_val_at(r->opts->csv, a)) ||
           (b != NULL && !tn_val_is_undef(tn_val_at(r->opts->csv, b)));
}

static void add_csv_settings(tn_buf *b, const tn_land_read *r)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (r->opts->csv.tag == TN_DICT && (it = tn_dict_next(r->opts->csv.dict, &at)) != NULL) {
        tn_buf_addz(b, ", ");
        tn_buf_add(b, tn_val_as_str(it->key));
        tn_buf_addz(b, " = ");
        tn_sql_value(b, it->value);
    }
}

/* {'a': 'DOUBLE', ...} of the names that have a type. */
static void add_types(tn_buf *b, const tn_strs *names, const tn_val *types)
{
    tn_buf_addc(b, '{');
    const char *sep = "";
    for (size_t i = 0; i < names->n; i++) {
        if (types[i].tag == TN_STR_V) {
            tn_buf_addz(b, sep);
            sep = ", ";
            tn_sql_literal(b, names->v[i]);
            tn_buf_addz(b, ": ");
            tn_sql_literal(b, tn_val_as_str(types[i]));
        }
    }
    tn_buf_addc(b, '}');
}

static bool all_typed(const tn_strs *names, const tn_val *types)
{
    for (size_t i = 0; i < names->n; i++) {
        if (types[i].tag != TN_STR_V) {
            return false;
        }
    }
    return true;
}

static bool any_typed(const tn_strs *names, const tn_val *types)
{
    for (size_t i = 0; i < names->n; i++) {
        if (types[i].tag == TN_STR_V) {
            return true;
        }
    }
    return false;
}

static bool says_delimiter(const tn_land_read *r)
{
    return csv_says(r, "delim", "sep") || csv_says(r, "delimiter", NULL);
}

static void add_fixed_delimiter(tn_buf *b, const tn_land_read *r)
{
    if (!says_delimiter(r)) {
        tn_str name = r->files.v[0].shown;
        bool tabs = tn_str_find(name, TN_STR(".tsv"), 0) != SIZE_MAX;
        tn_buf_addz(b, tabs ? ", delim = '\t'" : ", delim = ','");
    }
}

/* How the csv reader is to be called: for a look at names and types, or for good. */
typedef struct csv_call {
    const tn_strs *paths;
    const tn_strs *names; /* known columns of these files, or NULL */
    const tn_val *types;  /* their types */
    char delimiter;       /* as the header line has it; 0: to be guessed */
    bool unite;           /* a look at files of different tn_land_columns */
    bool reject;          /* keep rejected rows */
} csv_call;

static void add_csv_names(tn_buf *b, const tn_land_read *r, const csv_call *c)
{
    bool named = r->opts->columns.n > 0;
    if (named && c->types != NULL && all_typed(c->names, c->types)) {
        tn_buf_addz(b, ", auto_detect = false, columns = ");
        add_types(b, c->names, c->types);
        return;
    }
    if (named) {
        tn_buf_addz(b, ", names = ");
        tn_sql_path_list(b, r->opts->columns.v, r->opts->columns.n);
    }
    bool only_text = r->opts->types.tag != TN_DICT || r->opts->types.dict->live == 0;
    if (r->opts->all_text && (only_text || c->types == NULL)) {
        tn_buf_addz(b, ", all_varchar = true");
    } else if (c->types != NULL && any_typed(c->names, c->types)) {
        tn_buf_addz(b, ", types = ");
        add_types(b, c->names, c->types);
    }
}

/* Everything that says how a line is read, as settings with a comma before each; what the user said comes last. */
static void add_dialect(tn_buf *b, const tn_land_read *r, const csv_call *c)
{
    bool named = r->opts->columns.n > 0;
    bool fixed = named || r->opts->all_text;
    if (fixed) {
        add_fixed_delimiter(b, r);
    } else if (c->delimiter != '\0' &&
               !says_delimiter(r)) { /* the guess of a broken file would be a wild one */
        tn_buf_addz(b, ", delim = ");
        tn_sql_literal(b, tn_str_n(&c->delimiter, 1));
    }
    if (!csv_says(
            r, "quote", NULL)) { /* a guess of "no quotes" would hide a quote that is not closed */
        tn_buf_addz(b, ", quote = '\"'");
    }
    if (!csv_says(r, "escape", NULL) && (fixed || !csv_says(r, "quote", NULL))) {
        tn_buf_addz(b, ", escape = '\"'");
    }
    if (!csv_says(r, "comment", NULL)) {
        tn_buf_addz(b, ", comment = ''");
    }
    if (!csv_says(r, "header", NULL) && fixed) {
        tn_buf_addz(b, named ? ", header = false" : ", header = true");
    }
    if (r->sample_all && !csv_says(r, "sample_size", NULL)) {
        tn_buf_addz(b, ", sample_size = -1");
    }
    add_csv_names(b, r, c);
    add_csv_settings(b, r);
}

static void add_csv(tn_buf *b, tn_arena *a, const tn_land_read *r, const csv_call *c)
{
    tn_buf_addz(b, "read_csv(");
    tn_land_add_paths(b, a, c->paths);
    tn_buf_addz(b, ", filename = '" TN_LAND_FILE_COLUMN "', hive_partitioning = false");
    if (c->reject) {
        tn_buf_addz(b, ", store_rejects = true, rejects_limit = 0, rejects_table = ");
        tn_sql_literal(b, r->rejects);
        tn_buf_addz(b, ", rejects_scan = ");
        tn_sql_literal(b, r->scans);
    } else {
        tn_buf_addz(b, ", ignore_errors = true"); /* a look: the reading itself tells */
    }
    add_dialect(b, r, c);
    tn_buf_addz(b, c->unite ? ", union_by_name = true" : "");
    tn_buf_addc(b, ')');
}

/* ---- csv: groups of files with the same header and dialect ---- */

typedef struct group {
    tn_strs names;
    tn_strs paths;
    char delimiter;
} group;
typedef tn_vec(group *) groups;

typedef struct grouping {
    const tn_land_read *r;
    tn_conn *conn;
    tn_arena *a;
    tn_map by_key;
    groups out;
} grouping;

static tn_rc names_of(
    const grouping *g, const tn_land_file *f, char delimiter, tn_strs *ret, tn_err *err)
{
    tn_strs one = { 0 }, types;
    if (g->r->opts->columns.n > 0) {
        *ret = g->r->opts->columns;
        return TN_OK;
    }
    tn_vec_push(&one, g->a, f->path);
    csv_call call = { .paths = &one, .delimiter = delimiter };
    tn_buf b = tn_buf_init(g->a, SQL_BYTES_MAX);
    add_csv(&b, g->a, g->r, &call);
    tn_rc rc = tn_land_describe(g->conn, g->a, tn_buf_str(&b), ret, &types, err);
    return rc == TN_OK ? rc : tn_while(err, rc, "reading '" TN_STR_FMT "'", TN_STR_ARG(f->shown));
}

/* What the sniffer makes of one file, as a text to compare. */
static tn_rc sniffed(
    const grouping *g, const tn_land_file *f, char delimiter, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(g->a, SQL_BYTES_MAX);
    tn_val v;
    tn_strs one = { 0 };
    tn_vec_push(&one, g->a, f->path);
    tn_buf_addz(&b, "SELECT concat_ws(chr(31), Delimiter, Quote, Escape, NewLineDelimiter, "
                    "SkipRows, HasHeader, list_transform(Columns, lambda c: c.name)) "
                    "FROM sniff_csv(");
    tn_sql_literal(&b, f->path);
    csv_call call = { .paths = &one, .delimiter = delimiter };
    add_dialect(&b, g->r, &call);
    tn_buf_addc(&b, ')');
    tn_rc rc = tn_conn_scalar(g->conn, g->a, tn_buf_str(&b), &v, err);
    if (rc != TN_OK) {
        return tn_while(err, rc, "reading '" TN_STR_FMT "'", TN_STR_ARG(f->shown));
    }
    *ret = tn_val_as_str(v);
    return TN_OK;
}

typedef struct file_look {
    bool empty;
    char delimiter;
    tn_str
        key; /* two files of one key can be read by one call: same columns in the same order, same dialect */
} file_look;

static tn_rc look_at_file(const grouping *g, const tn_land_file *f, file_look *ret, tn_err *err)
{
    tn_str text = TN_STR_NONE;
    bool known = false;
    TN_TRY(tn_land_peek(g->a, f->path, &text, &known, err));
    file_look out = { .empty = known && text.n == 0 };
    bool named = g->r->opts->columns.n > 0;
    bool first_is_header = !csv_says(g->r, "skip", "header") && !csv_says(g->r, "comment", NULL);
    if (!out.empty && known && first_is_header && !named) {
        out.delimiter = tn_land_delimiter_of(tn_land_first_line(text));
    }
    if (!out.empty &&
        (!known || (!named && !(g->r->opts->all_text && first_is_header) && g->r->files.n > 1))) {
        TN_TRY(sniffed(g, f, out.delimiter, &out.key, err));
    } else if (!out.empty) {
        tn_str line = named ? TN_STR("(names given)") : tn_land_first_line(text);
        out.key =
            tn_str_printf(g->a, "%d " TN_STR_FMT, (int)tn_land_newline_of(text), TN_STR_ARG(line));
    }
    *ret = out;
    return TN_OK;
}

static tn_rc group_file(grouping *g, const tn_land_file *f, tn_err *err)
{
    file_look look = { 0 };
    TN_TRY(look_at_file(g, f, &look, err));
    if (look.empty) { /* no header, no rows */
        return TN_OK;
    }
    group *same = tn_map_find(&g->by_key, look.key);
    if (same == NULL) {
        same = tn_new(g->a, group);
        same->delimiter = look.delimiter;
        TN_TRY(names_of(g, f, look.delimiter, &same->names, err));
        tn_map_put(&g->by_key, look.key, same);
        tn_vec_push(&g->out, g->a, same);
    }
    if (g->out.n > TN_LAND_HEADERS_MAX) {
        return tn_fail(
            err, TN_E_LIMIT, "the files have more than %d different headers", TN_LAND_HEADERS_MAX);
    }
    tn_vec_push(&same->paths, g->a, f->path);
    return TN_OK;
}

static tn_rc find_groups(
    const tn_land_read *r, tn_conn *conn, tn_arena *a, groups *ret, tn_err *err)
{
    grouping g = { .r = r, .conn = conn, .a = a, .by_key = tn_map_init(a) };
    for (size_t i = 0; i < r->files.n; i++) {
        TN_TRY(group_file(&g, &r->files.v[i], err));
    }
    if (g.out.n == 0) {
        tn_rc rc = tn_fail(err, TN_E_DATA, "%s: there are no columns",
            r->files.n == 1 ? "the file is empty" : "all files are empty");
        return tn_hint(err, rc, "a csv file needs a header line, or --columns gives the names");
    }
    *ret = g.out;
    return TN_OK;
}

static void add_new_names(tn_arena *a, const tn_strs *from, tn_strs *names)
{
    for (size_t i = 0; i < from->n; i++) {
        bool there = false;
        for (size_t k = 0; k < names->n && !there; k++) {
            there = tn_str_eq_nocase(names->v[k], from->v[i]);
        }
        if (!there) {
            tn_vec_push(names, a, from->v[i]);
        }
    }
}

/* Names of all groups in the order of their first appearance; one name in any case is one column of one file at most. */
static tn_rc look_csv(const tn_land_read *r, tn_conn *conn, tn_arena *a, const groups *g,
    tn_land_columns *ret, tn_err *err)
{
    tn_strs all = { 0 };
    tn_land_columns c = { 0 };
    TN_CHECK(g->n > 0 && g->v != NULL);
    for (size_t i = 0; i < g->n; i++) {
        for (size_t k = 0; k < g->v[i]->paths.n; k++) {
            tn_vec_push(&all, a, g->v[i]->paths.v[k]);
        }
    }
    csv_call call = { .paths = &all,
        .unite = r->opts->columns.n == 0 && all.n > 1,
        .delimiter = g->v[0]->delimiter };
    for (size_t i = 1; i < g->n; i++) {
        call.delimiter = g->v[i]->delimiter == call.delimiter ? call.delimiter : '\0';
    }
    tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
    add_csv(&b, a, r, &call);
    if (r->opts->all_text) { /* nothing to find out about types */
        for (size_t i = 0; i < g->n; i++) {
            add_new_names(a, &g->v[i]->names, &c.names);
        }
        for (size_t i = 0; i < c.names.n; i++) {
            tn_vec_push(&c.given, a, TN_STR("VARCHAR"));
        }
    } else {
        TN_TRY(tn_land_describe(conn, a, tn_buf_str(&b), &c.names, &c.given, err));
    }
    tn_land_settle_types(r, a, &c);
    *ret = c;
    return TN_OK;
}

/* The columns of one group with the types of all: guessed ones too when there are several files, which the reader would else take from the first. */
static tn_land_columns of_group(
    const tn_land_read *r, tn_arena *a, const tn_land_columns *all, const group *g)
{
    tn_land_columns c = { .names = g->names, .types = tn_new_array(a, tn_val, g->names.n + 1) };
    for (size_t i = 0; i < g->names.n; i++) {
        size_t k = 0;
        while (k + 1 < all->names.n && !tn_str_eq_nocase(all->names.v[k], g->names.v[i])) {
            k++;
        }
        tn_vec_push(&c.shown, a,
            r->opts->normalize_names ? tn_land_plain_name(a, g->names.v[i], i) : all->shown.v[k]);
        tn_vec_push(&c.given, a, all->given.v[k]);
        c.types[i] = all->types[k];
        if (c.types[i].tag != TN_STR_V && r->files.n > 1) {
            c.types[i] = tn_val_str(all->given.v[k]);
        }
    }
    return c;
}

tn_rc tn_land_csv_sql(
    const tn_land_read *r, tn_conn *conn, tn_arena *a, tn_land_columns *all, tn_buf *b, tn_err *err)
{
    groups g = { 0 };
    TN_TRY(find_groups(r, conn, a, &g, err));
    TN_TRY(look_csv(r, conn, a, &g, all, err));
    for (size_t i = 0; i < g.n; i++) {
        tn_land_columns c = of_group(r, a, all, g.v[i]);
        csv_call call = { .paths = &g.v[i]->paths,
            .names = &c.names,
            .types = c.types,
            .reject = true,
            .delimiter = g.v[i]->delimiter };
        tn_buf reader = tn_buf_init(a, SQL_BYTES_MAX);
        add_csv(&reader, a, r, &call);
        tn_buf_addz(b, i == 0 ? "" : "\nUNION ALL BY NAME\n");
        tn_land_add_select(b, r, &c, tn_buf_str(&reader));
    }
    return TN_OK;
}

tn_rc tn_land_csv_blame(const tn_land_read *r, tn_conn *conn, tn_arena *a, tn_err *err)
{
    for (size_t i = 0; i < r->files.n; i++) {
        tn_str text = TN_STR_NONE, *fields = NULL;
        bool known = false;
        size_t n = 0;
        TN_TRY(tn_land_peek(a, r->files.v[i].path, &text, &known, err));
        char delimiter = tn_land_delimiter_of(tn_land_first_line(text));
        tn_csv header = tn_csv_init(tn_land_first_line(text), delimiter != '\0' ? delimiter : ',');
        TN_TRY(tn_csv_next(&header, a, &fields, &n, err));
        if (!known || n == SIZE_MAX) {
            continue;
        }
        tn_buf b = tn_buf_init(a, SQL_BYTES_MAX);
        tn_buf_addz(&b, "SELECT count(*) FROM (SELECT * FROM read_csv(");
        tn_sql_literal(&b, r->files.v[i].path);
        tn_buf_addf(&b,
            ", auto_detect = false, header = true, delim = '%c', quote = '\"', escape = '\"', "
            "comment = '', store_rejects = true, "
            "rejects_limit = 0, rejects_table = '" TN_STR_FMT "', rejects_scan = '" TN_STR_FMT
            "', columns = {",
            header.delimiter, TN_STR_ARG(r->rejects), TN_STR_ARG(r->scans));
        for (size_t k = 0; k < n; k++) { /* names may be missing or doubled here */
            tn_buf_addf(&b, "%s'c%zu': 'VARCHAR'", k > 0 ? ", " : "", k);
        }
        tn_buf_addz(&b,
            "}) WHERE c0 IS DISTINCT FROM chr(1))"); /* all columns are parsed, or lines are only counted */
        tn_val rows;
        TN_TRY(tn_conn_scalar(conn, a, tn_buf_str(&b), &rows, err));
    }
    return TN_OK;
}
