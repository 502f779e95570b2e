/* cmd_land.c: tarn land: options to tn_land_opts, the table pinned and published, one line of what was done. */
#include <stdio.h>

#include "cli/cli_lake.h"
#include "lake/land.h"
#include "os/clock.h"

typedef struct land_options {
    tn_str mode, schema_mode, format, delimiter, quote, escape, date_format, timestamp_format,
        zip_glob, on_bad_row, env, output, columns, where;
    tn_strs partition_by, cluster_by, key, types, null, csv_options, properties;
    int64_t skip;
    tn_flag header, normalize_names, once, source_columns, publish, partitions;
} land_options;

#define F(field) offsetof(land_options, field)
static const tn_opt options[] = {
    { "--mode", TN_OPT_STR, F(mode), "MODE",
        "append (default), overwrite, merge by --key, error or ignore when the table is there",
        NULL },
    { "--key", TN_OPT_MANY, F(key), "COLUMN,..",
        "merge: the columns that tell rows apart; new rows are added, changed ones updated", NULL },
    { "--where", TN_OPT_STR, F(where), "PREDICATE",
        "overwrite: replace only the rows for which this SQL is true; all new rows must be such",
        NULL },
    { "--partitions", TN_OPT_FLAG, F(partitions), NULL,
        "overwrite: replace only the partitions that the new rows have", NULL },
    { "--schema-mode", TN_OPT_STR, F(schema_mode), "MODE",
        "strict (default), merge: new columns are added, overwrite", NULL },
    { "--partition-by", TN_OPT_MANY, F(partition_by), "COLUMN,..", "of a new table", NULL },
    { "--cluster-by", TN_OPT_MANY, F(cluster_by), "COLUMN,..",
        "of a new table: OPTIMIZE keeps rows that are near in these columns together", NULL },
    { "--columns", TN_OPT_STR, F(columns), "NAME,..", "names for csv files without a header line",
        NULL },
    { "--types", TN_OPT_MANY, F(types), "COLUMN=TYPE,..",
        "SQL types; '*=VARCHAR' reads all other columns as text", NULL },
    { "--format", TN_OPT_STR, F(format), "FORMAT",
        "csv, json, ndjson, parquet or arrow (default: by the files' names)", NULL },
    { "--delimiter", TN_OPT_STR, F(delimiter), "CHAR", "csv: between fields (default: guessed)",
        NULL },
    { "--header", TN_OPT_FLAG, F(header), NULL,
        "csv: the first line has the names; --no-header: it has not (default: guessed)", NULL },
    { "--null", TN_OPT_MANY, F(null), "TEXT", "csv: a field that means NULL; repeatable", NULL },
    { "--quote", TN_OPT_STR, F(quote), "CHAR", "csv: around fields", NULL },
    { "--escape", TN_OPT_STR, F(escape), "CHAR", "csv: before a quote inside a field", NULL },
    { "--date-format", TN_OPT_STR, F(date_format), "FORMAT", "csv: of dates, like %d.%m.%Y", NULL },
    { "--timestamp-format", TN_OPT_STR, F(timestamp_format), "FORMAT", "csv: of timestamps", NULL },
    { "--skip", TN_OPT_INT, F(skip), "N", "csv: lines before the header", NULL },
    { "--csv-option", TN_OPT_MANY, F(csv_options), "NAME=VALUE",
        "csv: any other setting of DuckDB's read_csv; repeatable", NULL },
    { "--normalize-names", TN_OPT_FLAG, F(normalize_names), NULL,
        "column names in plain lower case: 'Adj Close' becomes adj_close", NULL },
    { "--zip-glob", TN_OPT_STR, F(zip_glob), "PATTERN",
        "members wanted of zip archives (or write 'a.zip::*.csv')", NULL },
    { "--once", TN_OPT_FLAG, F(once), NULL, "skip files whose names are in _source_file already",
        NULL },
    { "--on-bad-row", TN_OPT_STR, F(on_bad_row), "WHAT",
        "reject (default): load nothing; aside: keep them in <table>__rejected", NULL },
    { "--source-columns", TN_OPT_FLAG, F(source_columns), NULL,
        "--no-source-columns: do not add _source_file and _loaded_at", NULL },
    { "--property", TN_OPT_MANY, F(properties), "KEY=VALUE",
        "table property of a new table; repeatable", NULL },
    { "--env", TN_OPT_STR, F(env), "NAME",
        "environment that sees the table (default: the profile's, else prod)", "TARN_ENV" },
    { "--publish", TN_OPT_FLAG, F(publish), NULL,
        "--no-publish: write the table, but pin it nowhere", NULL },
    { "--output", TN_OPT_STR, F(output), "text|json", "json: what was done as one JSON object",
        NULL },
};
#undef F

static const tn_cmd_spec spec = {
    .name = "land",
    .summary = "load raw files into a Delta table, all in one commit",
    .usage = "TABLE FILE... [options]",
    .opts = options,
    .opt_count = TN_COUNTOF(options),
    .examples =
        "tarn land landing.prices 'prices/*.csv.gz'                 append; types are guessed\n"
        "tarn land landing.prices a.csv --mode overwrite --types 'price=DECIMAL(10,2),day=DATE'\n"
        "tarn land landing.prices may.csv --mode overwrite --where \"day >= '2026-05-01'\"  that "
        "part only\n"
        "tarn land landing.prices new.csv --mode merge --key day,isin  new rows added, changed "
        "ones "
        "updated\n"
        "tarn land landing.quotes quotes.zip --columns time,bid,ask  all members of an archive\n"
        "tarn land landing.events events/*.ndjson --once --on-bad-row aside\n"
        "tarn land ./prices a.parquet                               a table anywhere, without a "
        "lake\n"
        "produce | tarn land landing.live - --format arrow          an Arrow stream\n"
        "\nTABLE is schema.table in the lake, a path or a URL. FILE is a path, a pattern, a "
        "folder, an archive, or - for standard\n"
        "input. Exit status: 0 loaded or nothing to do, 1 the data was refused, 2 wrong usage or "
        "environment.",
    .words_min = 2,
    .words_max = SIZE_MAX,
};

/* ---- options ---- */

typedef struct word_of {
    const char *word;
    int value;
} word_of;

static tn_rc choose(
    const char *option, tn_str given, const word_of *table, size_t n, int *ret, tn_err *err)
{
    for (size_t i = 0; given.n > 0 && i < n; i++) {
        if (tn_str_is(given, table[i].word)) {
            *ret = table[i].value;
            return TN_OK;
        }
    }
    return given.n == 0 ? TN_OK
                        : tn_fail(err, TN_E_USAGE, "%s cannot be '" TN_STR_FMT "'", option,
                              TN_STR_ARG(given));
}

/* Cuts at commas outside parentheses and double quotes. */
static void cut_commas(tn_arena *a, tn_str s, tn_strs *out)
{
    int depth = 0;
    bool quoted = false;
    size_t from = 0;
    for (size_t i = 0; i <= s.n; i++) {
        char c = i < s.n ? s.p[i] : ',';
        quoted ^= c == '"';
        depth += !quoted && c == '(';
        depth -= !quoted && c == ')' && depth > 0;
        if ((c == ',' && depth == 0 && !quoted) || i == s.n) {
            tn_str piece = tn_str_trim(tn_str_sub(s, from, i));
            if (piece.n > 0) {
                tn_vec_push(out, a, piece);
            }
            from = i + 1;
        }
    }
}

static tn_str unquote(tn_arena *a, tn_str s)
{
    bool quoted = s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"';
    return quoted ? tn_str_replace(a, tn_str_sub(s, 1, s.n - 1), TN_STR("\"\""), TN_STR("\"")) : s;
}

/* NAME=VALUE at the last '=' outside of quotes for names, at the first otherwise. */
static tn_rc cut_pair(
    tn_arena *a, const char *option, tn_str s, tn_str *ret_key, tn_str *ret_value, tn_err *err)
{
    size_t at = SIZE_MAX;
    bool quoted = false;
    for (size_t i = 0; i < s.n && at == SIZE_MAX; i++) {
        quoted ^= s.p[i] == '"';
        at = s.p[i] == '=' && !quoted ? i : at;
    }
    if (at == SIZE_MAX || at == 0) {
        return tn_fail(err, TN_E_USAGE, "%s is written NAME=VALUE, not '" TN_STR_FMT "'", option,
            TN_STR_ARG(s));
    }
    *ret_key = unquote(a, tn_str_trim(tn_str_sub(s, 0, at)));
    *ret_value = tn_str_sub(s, at + 1, s.n);
    return TN_OK;
}

static tn_rc take_types(tn_arena *a, const land_options *o, tn_land_opts *out, tn_err *err)
{
    out->types = tn_val_dict(a);
    for (size_t i = 0; i < o->types.n; i++) {
        tn_strs pieces = { 0 };
        cut_commas(a, o->types.v[i], &pieces);
        for (size_t k = 0; k < pieces.n; k++) {
            tn_str name, type;
            TN_TRY(cut_pair(a, "--types", pieces.v[k], &name, &type, err));
            type = tn_str_trim(type);
            bool text = tn_str_eq_nocase(type, TN_STR("VARCHAR")) ||
                        tn_str_eq_nocase(type, TN_STR("TEXT")) ||
                        tn_str_eq_nocase(type, TN_STR("STRING"));
            if (!tn_str_is(name, "*")) {
                tn_dict_puts(out->types.dict, name, tn_val_str(type));
            } else if (text) {
                out->all_text = true;
            } else {
                return tn_fail(err, TN_E_USAGE, "--types '*' can only be VARCHAR");
            }
        }
    }
    return TN_OK;
}

static tn_val option_value(tn_str v)
{
    int64_t n;
    if (tn_str_to_i64(v, &n)) {
        return tn_val_int(n);
    }
    bool yes = tn_str_eq_nocase(v, TN_STR("true")), no = tn_str_eq_nocase(v, TN_STR("false"));
    return yes || no ? tn_val_bool(yes) : tn_val_str(v);
}

static tn_rc take_csv(tn_arena *a, const land_options *o, tn_land_opts *out, tn_err *err)
{
    out->csv = tn_val_dict(a);
    const struct {
        const char *name;
        tn_str value;
    } texts[] = { { "delim", o->delimiter }, { "quote", o->quote }, { "escape", o->escape },
        { "dateformat", o->date_format }, { "timestampformat", o->timestamp_format } };
    for (size_t i = 0; i < TN_COUNTOF(texts); i++) {
        if (texts[i].value.p != NULL) {
            tn_str v = tn_str_is(texts[i].value, "\\t") || tn_str_is(texts[i].value, "tab")
                           ? TN_STR("\t")
                           : texts[i].value;
            tn_dict_putz(out->csv.dict, texts[i].name, tn_val_str(v));
        }
    }
    if (o->null.n > 0) {
        tn_val list = tn_val_list(a);
        for (size_t i = 0; i < o->null.n; i++) {
            tn_list_push(list.list, tn_val_str(o->null.v[i]));
        }
        tn_dict_putz(out->csv.dict, "nullstr", list);
    }
    if (o->header != TN_FLAG_UNSET) {
        tn_dict_putz(out->csv.dict, "header", tn_val_bool(o->header == TN_FLAG_ON));
    }
    if (o->skip > 0) {
        tn_dict_putz(out->csv.dict, "skip", tn_val_int(o->skip));
    }
    for (size_t i = 0; i < o->csv_options.n; i++) {
        tn_str key, value;
        TN_TRY(cut_pair(a, "--csv-option", o->csv_options.v[i], &key, &value, err));
        for (size_t k = 0; k < key.n; k++) { /* it goes into SQL as a name */
            if (!((key.p[k] >= 'a' && key.p[k] <= 'z') || key.p[k] == '_')) {
                return tn_fail(err, TN_E_USAGE,
                    "--csv-option: '" TN_STR_FMT "' is no setting of read_csv", TN_STR_ARG(key));
            }
        }
        tn_dict_puts(out->csv.dict, key, option_value(value));
    }
    return TN_OK;
}

static tn_rc take_lists(tn_arena *a, const land_options *o, tn_land_opts *out, tn_err *err)
{
    for (size_t i = 0; i < o->partition_by.n; i++) {
        cut_commas(a, o->partition_by.v[i], &out->partition_by);
    }
    for (size_t i = 0; i < out->partition_by.n; i++) {
        out->partition_by.v[i] = unquote(a, out->partition_by.v[i]);
    }
    for (size_t i = 0; i < o->cluster_by.n; i++) {
        cut_commas(a, o->cluster_by.v[i], &out->cluster_by);
    }
    for (size_t i = 0; i < o->key.n; i++) {
        cut_commas(a, o->key.v[i], &out->key);
    }
    for (size_t i = 0; i < out->key.n; i++) {
        out->key.v[i] = unquote(a, out->key.v[i]);
    }
    cut_commas(a, o->columns, &out->columns);
    for (size_t i = 0; i < out->columns.n; i++) {
        out->columns.v[i] = unquote(a, out->columns.v[i]);
    }
    out->properties = o->properties.n > 0 ? tn_val_dict(a) : TN_VAL_UNDEF;
    for (size_t i = 0; i < o->properties.n; i++) {
        tn_str key, value;
        TN_TRY(cut_pair(a, "--property", o->properties.v[i], &key, &value, err));
        tn_dict_puts(out->properties.dict, key, tn_val_str(value));
    }
    return TN_OK;
}

static tn_rc take_options(tn_arena *a, const land_options *o, tn_land_opts *ret, tn_err *err)
{
    static const word_of modes[] = { { "append", TN_LAND_APPEND },
        { "overwrite", TN_LAND_OVERWRITE }, { "error", TN_LAND_ERROR },
        { "ignore", TN_LAND_IGNORE }, { "merge", TN_LAND_MERGE } };
    static const word_of schema_modes[] = { { "strict", TN_SCHEMA_STRICT },
        { "merge", TN_SCHEMA_MERGE }, { "overwrite", TN_SCHEMA_OVERWRITE } };
    static const word_of formats[] = { { "auto", TN_LAND_AUTO }, { "csv", TN_LAND_CSV },
        { "json", TN_LAND_JSON }, { "ndjson", TN_LAND_NDJSON }, { "parquet", TN_LAND_PARQUET },
        { "arrow", TN_LAND_ARROW } };
    static const word_of bad[] = { { "reject", TN_BAD_REJECT }, { "aside", TN_BAD_ASIDE } };
    int mode = TN_LAND_APPEND, schema_mode = TN_SCHEMA_STRICT, format = TN_LAND_AUTO,
        bad_rows = TN_BAD_REJECT;
    TN_TRY(choose("--mode", o->mode, modes, TN_COUNTOF(modes), &mode, err));
    TN_TRY(choose("--schema-mode", o->schema_mode, schema_modes, TN_COUNTOF(schema_modes),
        &schema_mode, err));
    TN_TRY(choose("--format", o->format, formats, TN_COUNTOF(formats), &format, err));
    TN_TRY(choose("--on-bad-row", o->on_bad_row, bad, TN_COUNTOF(bad), &bad_rows, err));
    tn_land_opts out = {
        .format = (tn_land_format)format,
        .mode = (tn_land_mode)mode,
        .schema_mode = (tn_delta_schema_mode)schema_mode,
        .bad_rows = (tn_bad_rows)bad_rows,
        .once = tn_flag_is(o->once, false),
        .no_file_columns = !tn_flag_is(o->source_columns, true),
        .normalize_names = tn_flag_is(o->normalize_names, false),
        .zip_glob = o->zip_glob,
        .where = o->where,
        .partitions = tn_flag_is(o->partitions, false),
    };
    if ((out.where.n > 0 || out.partitions) && out.mode != TN_LAND_OVERWRITE) {
        return tn_fail(err, TN_E_USAGE, "--where and --partitions go with --mode overwrite");
    }
    if (out.once && out.no_file_columns) {
        return tn_fail(err, TN_E_USAGE,
            "--once needs the column _source_file, which --no-source-columns leaves out");
    }
    TN_TRY(take_types(a, o, &out, err));
    TN_TRY(take_csv(a, o, &out, err));
    TN_TRY(take_lists(a, o, &out, err));
    if ((out.mode == TN_LAND_MERGE) != (out.key.n > 0)) {
        return tn_fail(err, TN_E_USAGE, "--mode merge and --key go together");
    }
    if (out.mode == TN_LAND_MERGE && out.schema_mode != TN_SCHEMA_STRICT) {
        return tn_fail(err, TN_E_USAGE,
            "--mode merge leaves the columns as they are: --schema-mode does not go with it");
    }
    *ret = out;
    return TN_OK;
}

/* ---- doing ---- */

typedef struct landing_call {
    const tn_cli *cli;
    tn_land_opts land;
    tn_lake *lake;
    tn_conn *conn;
    tn_lake_head head;
    tn_lake_place target;
    tn_str env, word;
    bool publish;
    int64_t lake_commit; /* -1: not published */
    tn_land_result result;
    int64_t took_us;
} landing_call;

static void on_stage(void *self, const char *stage, double percent)
{
    (void)percent;
    tn_cli_watch_stage(self, stage);
}

static tn_rc newest_version(landing_call *x, tn_str location, int64_t *ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_AUTOPTR(tn_delta_snapshot) snap = NULL;
    TN_TRY(tn_lake_table_open(x->lake, location, &table, err));
    TN_TRY(tn_delta_snapshot_open(table, x->conn, TN_DELTA_LATEST, &snap, err));
    *ret = tn_delta_snapshot_version(snap);
    return TN_OK;
}

/* Pins the table, and the table of rejected rows when there are new ones. A call that found all files loaded pins too: an earlier one may have
 * died between the table's commit and the lake's. */
static tn_rc pin_tables(landing_call *x, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    tn_pin pins[2] = { { .schema = x->target.schema,
        .name = x->target.name,
        .kind = TN_PIN_DELTA,
        .location = x->target.location,
        .version = x->result.version } };
    size_t n = 1;
    if (x->target.pin != NULL) {
        pins[0].comment = x->target.pin->comment;
        pins[0].node = x->target.pin->node;
    }
    if (x->result.rejected > 0) {
        pins[1] = (tn_pin){ .schema = x->target.schema,
            .name = tn_str_concat(a, x->target.name, TN_STR("__rejected")),
            .kind = TN_PIN_DELTA,
            .location = tn_str_concat(a, x->target.location, TN_STR("__rejected")) };
        TN_TRY(newest_version(x, pins[1].location, &pins[1].version, err));
        n = 2;
    }
    tn_str message = tn_str_printf(a, "land: %lld rows in " TN_STR_FMT "." TN_STR_FMT,
        (long long)x->result.rows, TN_STR_ARG(x->target.schema), TN_STR_ARG(x->target.name));
    return tn_lake_pin_tables(x->lake, x->env, &x->head, pins, n, message, &x->lake_commit, err);
}

static tn_rc do_land(landing_call *x, tn_err *err)
{
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(tn_cli_open_duck(x->cli, &duck, &conn, err));
    TN_TRY(tn_lake_connect(x->lake, conn, err));
    x->conn = conn;
    if (x->publish) { /* it will be a relation of the environment */
        tn_lake_own own = { x->env, x->target.pin, x->target.schema, x->target.name,
            x->land.mode != TN_LAND_OVERWRITE || x->land.where.n > 0 || x->land.partitions };
        TN_TRY(tn_lake_own_place(x->lake, x->cli->arena, conn, &own, &x->target.location, err));
    }
    int64_t began = tn_clock_mono_us();
    {
        TN_AUTOPTR(tn_cli_watch) watch = NULL;
        TN_TRY(
            tn_cli_watch_start(x->cli, conn, tn_str_z(x->cli->arena, x->word), true, &watch, err));
        x->land.progress = on_stage;
        x->land.progress_self = watch;
        TN_TRY(tn_land(x->lake, conn, x->target.location, &x->land, &x->result, err));
        bool wrote = !x->result.skipped || (x->land.once && x->result.version >= 0);
        if (x->publish && wrote) {
            tn_cli_watch_stage(watch, "publishing");
            TN_TRY(pin_tables(x, err));
        }
    }
    x->took_us = tn_clock_mono_us() - began;
    return TN_OK;
}

/* ---- telling ---- */

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static void tell_text(const landing_call *x)
{
    tn_arena *a = x->cli->arena;
    const tn_land_result *r = &x->result;
    if (tn_flag_is(x->cli->quiet, false)) {
        return;
    }
    if (r->skipped) {
        const char *why = x->land.mode == TN_LAND_IGNORE ? "the table is there already"
                                                         : "all files are loaded already";
        printf("nothing landed in " TN_STR_FMT ": %s, version %lld\n", TN_STR_ARG(x->word), why,
            (long long)r->version);
        return;
    }
    printf("landed " TN_STR_FMT " row%s from " TN_STR_FMT " file%s in " TN_STR_FMT
           ", version %lld, " TN_STR_FMT " in " TN_STR_FMT " file%s, %.1f s\n",
        TN_STR_ARG(tn_cli_count(a, r->rows)), plural(r->rows),
        TN_STR_ARG(tn_cli_count(a, r->inputs - r->inputs_skipped)),
        plural(r->inputs - r->inputs_skipped), TN_STR_ARG(x->word), (long long)r->version,
        TN_STR_ARG(tn_cli_bytes(a, r->bytes)), TN_STR_ARG(tn_cli_count(a, r->files_written)),
        plural(r->files_written), (double)x->took_us / 1e6);
    if (x->land.mode == TN_LAND_MERGE && !r->created) {
        printf("added " TN_STR_FMT " row%s, updated " TN_STR_FMT "\n",
            TN_STR_ARG(tn_cli_count(a, r->rows - r->updated)), plural(r->rows - r->updated),
            TN_STR_ARG(tn_cli_count(a, r->updated)));
    }
    if (r->inputs_skipped > 0) {
        printf("skipped " TN_STR_FMT " file%s that were loaded before\n",
            TN_STR_ARG(tn_cli_count(a, r->inputs_skipped)), plural(r->inputs_skipped));
    }
    if (r->rejected > 0) {
        fflush(stdout);
        tn_cli_warn(x->cli,
            TN_STR_FMT " row%s could not be read and %s in " TN_STR_FMT "__rejected",
            TN_STR_ARG(tn_cli_count(a, r->rejected)), plural(r->rejected),
            r->rejected == 1 ? "is" : "are", TN_STR_ARG(x->word));
    }
}

static void tell_json(const landing_call *x)
{
    const tn_land_result *r = &x->result;
    tn_val d = tn_val_dict(x->cli->arena);
    int64_t ms = x->took_us / 1000; /* three digits are enough */
    double seconds = (double)ms / 1000;
    tn_dict_putz(d.dict, "table", tn_val_str(x->word));
    tn_dict_putz(d.dict, "location", tn_val_str(x->target.location));
    tn_dict_putz(d.dict, "version", r->version < 0 ? TN_VAL_NONE : tn_val_int(r->version));
    tn_dict_putz(d.dict, "rows", tn_val_int(r->rows));
    if (x->land.mode == TN_LAND_MERGE) {
        tn_dict_putz(d.dict, "updated", tn_val_int(r->updated));
    }
    tn_dict_putz(d.dict, "bytes", tn_val_int(r->bytes));
    tn_dict_putz(d.dict, "files_written", tn_val_int(r->files_written));
    tn_dict_putz(d.dict, "inputs", tn_val_int(r->inputs));
    tn_dict_putz(d.dict, "inputs_skipped", tn_val_int(r->inputs_skipped));
    tn_dict_putz(d.dict, "rejected", tn_val_int(r->rejected));
    tn_dict_putz(d.dict, "created", tn_val_bool(r->created));
    tn_dict_putz(d.dict, "skipped", tn_val_bool(r->skipped));
    tn_dict_putz(d.dict, "environment", x->lake_commit < 0 ? TN_VAL_NONE : tn_val_str(x->env));
    tn_dict_putz(
        d.dict, "lake_commit", x->lake_commit < 0 ? TN_VAL_NONE : tn_val_int(x->lake_commit));
    tn_dict_putz(d.dict, "seconds", tn_val_float(seconds));
    tn_cli_print_json(x->cli, d);
}

static tn_rc run(
    const tn_cli *cli, const land_options *o, const tn_strs *words, bool json, tn_err *err)
{
    landing_call x = { .cli = cli,
        .word = words->v[0],
        .publish = tn_flag_is(o->publish, true),
        .lake_commit = -1,
        .head = { .commit = -1 } };
    TN_TRY(take_options(cli->arena, o, &x.land, err));
    for (size_t i = 1; i < words->n; i++) {
        tn_vec_push(&x.land.inputs, cli->arena, words->v[i]);
    }
    TN_TRY(tn_lake_place_of(cli->arena, NULL, x.word, &x.target,
        err)); /* wrong names are told before anything is opened */
    bool named = x.target.schema.n > 0;
    tn_cli_place place = { 0 };
    TN_TRY(tn_cli_find_place(cli, o->env, &place, err));
    x.env = place.env;
    if (named) {
        TN_TRY(tn_cli_need_lake(&place, err));
    }
    TN_AUTOPTR(tn_lake) lake = NULL;
    TN_TRY(tn_cli_open_lake(
        cli, place.lake.n > 0 ? place.lake : TN_STR("."), place.storage, named, &lake, err));
    x.lake = lake;
    if (named) {
        TN_TRY(tn_lake_head_read(lake, cli->arena, x.env, &x.head, err));
        TN_TRY(tn_lake_place_of(cli->arena, &x.head, x.word, &x.target, err));
        if (x.target.pin != NULL && x.target.pin->kind != TN_PIN_DELTA) {
            return tn_fail(
                err, TN_E_USAGE, "'" TN_STR_FMT "' is no Delta table", TN_STR_ARG(x.word));
        }
    }
    x.publish = x.publish && named;
    TN_TRY(do_land(&x, err));
    (json ? tell_json : tell_text)(&x);
    return TN_OK;
}

int tn_cmd_land(const tn_cli *cli, int argc, char **argv)
{
    land_options o = { 0 };
    tn_strs words = { 0 };
    bool done, json;
    int status;
    tn_cli_parse(cli, &spec, argc, argv, &o, &words, NULL, &done, &status);
    if (done) {
        return status;
    }
    if (!tn_cli_output_json(cli, spec.name, o.output, &json)) {
        return TN_EXIT_USAGE;
    }
    tn_err err = TN_ERR_INIT;
    return run(cli, &o, &words, json, &err) == TN_OK ? TN_EXIT_OK : tn_cli_error(cli, &err);
}
