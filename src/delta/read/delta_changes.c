/* delta_changes.c: the change data feed as SQL over read_parquet.
 *
 *     commits of the range -> files by what they tell (change data, inserts, deletes, vectors that changed) -> one scan each, joined
 *     with a list (file, version, time)
 * A file that comes twice (added, taken away, restored) goes to a further layer with a scan of its own, so that a join finds one version.
 */
#include "delta/delta_changes.h"
#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/log/delta_log.h"
#include "text/sqltext.h"

#define CHANGE_TYPE TN_STR("_change_type")

typedef struct told { /* of a file */
    int64_t version, ms;
} told;

typedef struct layer {
    tn_map seen; /* decoded paths */
    tn_delta_files files;
    tn_delta_files after; /* vectors that changed: rows that these still show are no change */
    tn_vec(told) told;    /* of files */
} layer;

typedef struct kind {
    const char *change; /* NULL: change data files say it themselves */
    tn_vec(layer *) layers;
} kind;

enum { KIND_CDC, KIND_INSERT, KIND_DELETE, KIND_UNMARKED, KIND_MARKED, KINDS };

typedef struct changes {
    tn_delta_table *t;
    tn_conn *conn;
    tn_arena *a;
    const tn_delta_snapshot *end;
    int64_t from, to;
    kind kinds[KINDS];
} changes;

/* ---- the range ---- */

static tn_rc commit_ms(
    changes *c, const tn_delta_log_file *f, bool in_commit, int64_t *ret, tn_err *err)
{
    *ret = f->mtime_ms;
    if (in_commit) {
        TN_AUTO_ARENA a = tn_arena_new("delta commit", NULL);
        tn_delta_actions acts;
        TN_TRY(tn_delta_commit_read(c->t, a, f->version, &acts, err));
        *ret = acts.in_commit_ms != TN_DELTA_ABSENT ? acts.in_commit_ms : f->mtime_ms;
    }
    return TN_OK;
}

static tn_rc find_times(changes *c, const tn_delta_log_files *all, bool in_commit,
    const tn_delta_changes_range *r, tn_err *err)
{
    for (size_t i = 0; i < all->n; i++) {
        int64_t ms;
        TN_TRY(commit_ms(c, &all->v[i], in_commit, &ms, err));
        if (r->from < 0 && c->from < 0 && ms >= r->from_ms) {
            c->from = all->v[i].version;
        }
        if (r->to < 0 && r->to_ms != INT64_MIN && ms <= r->to_ms) {
            c->to = all->v[i].version;
        }
    }
    return TN_OK;
}

static tn_rc settle_range(
    changes *c, const tn_delta_snapshot *latest, const tn_delta_changes_range *r, tn_err *err)
{
    tn_delta_log_files all;
    c->from = r->from;
    c->to = r->to >= 0 ? r->to : (r->to_ms != INT64_MIN ? -1 : latest->version);
    c->to = c->to > latest->version ? latest->version : c->to;
    if (r->from < 0 || (r->to < 0 && r->to_ms != INT64_MIN)) {
        TN_TRY(tn_delta_commits_all(c->t, c->a, &all, err));
        TN_TRY(find_times(c, &all, latest->in_commit_ms != TN_DELTA_ABSENT, r, err));
    }
    if (c->from < 0 || c->from > latest->version) {
        return tn_fail(err, TN_E_NOTFOUND,
            "the changes are to begin after the newest version, %lld", (long long)latest->version);
    }
    return c->to < c->from ? tn_fail(err, TN_E_USAGE,
                                 "the changes are to end (version %lld) before they begin "
                                 "(version %lld)",
                                 (long long)c->to, (long long)c->from)
                           : TN_OK;
}

/* ---- may it be read? ---- */

static tn_rc check_feed(const tn_delta_meta *m, int64_t version, tn_err *err)
{
    if (tn_delta_property_is(m, "delta.enableChangeDataFeed", "true")) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_DATA,
        "the table's change data feed (delta.enableChangeDataFeed) is off in version %lld",
        (long long)version);
    return tn_hint(err, rc, "ask for versions after it was switched on");
}

static bool same_or_more(
    const tn_delta_type *old, const tn_delta_type *now, tn_delta_mapping mapping, tn_str *ret_why)
{
    if (old->kind != now->kind) {
        return false;
    }
    if (old->kind == TN_DT_PRIMITIVE) {
        return tn_str_eq(old->name, now->name);
    }
    if (old->kind != TN_DT_STRUCT) {
        return same_or_more(old->element, now->element, mapping, ret_why) &&
               (old->key == NULL || same_or_more(old->key, now->key, mapping, ret_why));
    }
    for (size_t i = 0; i < old->fields.n; i++) {
        const tn_delta_field *f = &old->fields.v[i];
        const tn_delta_field *g = tn_delta_field_find(now, f->name);
        bool same = g != NULL && tn_str_eq(tn_delta_physical_name(f, mapping),
                                     tn_delta_physical_name(g, mapping));
        if (!same || !same_or_more(f->type, g->type, mapping, ret_why)) {
            *ret_why = f->name;
            return false;
        }
    }
    return true;
}

static tn_rc check_schema(const changes *c, const tn_delta_meta *m, int64_t version, tn_err *err)
{
    tn_str why = TN_STR_NONE;
    tn_delta_mapping mapping = tn_delta_mapping_of(&c->end->protocol, &c->end->meta);
    bool fine = same_or_more(m->schema, c->end->meta.schema, mapping, &why) &&
                m->partition_columns.n == c->end->meta.partition_columns.n;
    if (fine) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
        "the column '" TN_STR_FMT "' of version %lld is another one, or gone, in version %lld: the "
        "changes between them have no common schema",
        TN_STR_ARG(why), (long long)version, (long long)c->to);
    return tn_hint(err, rc, "read the changes before and after that change of schema");
}

static tn_rc check_meta(const changes *c, const tn_delta_meta *m, int64_t version, tn_err *err)
{
    TN_TRY(check_feed(m, version, err));
    return check_schema(c, m, version, err);
}

/* ---- what the commits tell ---- */

static tn_rc put(
    changes *c, int what, const tn_delta_file *f, const tn_delta_file *after, told at, tn_err *err)
{
    kind *k = &c->kinds[what];
    tn_str key;
    layer *l = NULL;
    TN_TRY(tn_delta_path_decode(c->a, f->path, &key, err));
    for (size_t i = 0; l == NULL && i < k->layers.n; i++) {
        l = tn_map_find(&k->layers.v[i]->seen, key) == NULL ? k->layers.v[i] : NULL;
    }
    if (l == NULL) {
        l = tn_new(c->a, layer);
        l->seen = tn_map_init(c->a);
        tn_vec_push(&k->layers, c->a, l);
    }
    tn_map_put(&l->seen, key, l);
    tn_vec_push(&l->files, c->a, *f);
    tn_vec_push(&l->told, c->a, at);
    if (after != NULL) {
        tn_vec_push(&l->after, c->a, *after);
    }
    return TN_OK;
}

static tn_delta_file file_of(const tn_delta_remove *r)
{
    return (tn_delta_file){ .path = r->path,
        .partition_values = r->partition_values,
        .size = r->size,
        .tags = TN_VAL_UNDEF,
        .dv = r->dv };
}

static tn_rc put_remove(changes *c, const tn_delta_remove *r, tn_map *added, told at, tn_err *err)
{
    tn_str key;
    tn_delta_file before = file_of(r);
    TN_TRY(tn_delta_path_decode(c->a, r->path, &key, err));
    const tn_delta_file *after = tn_map_find(added, key);
    if (after == NULL) {
        if (c->end->meta.partition_columns.n > 0 && r->partition_values.tag != TN_DICT) {
            return tn_fail(err, TN_E_UNSUPPORTED,
                "version %lld removed '" TN_STR_FMT "' without telling its partition",
                (long long)at.version, TN_STR_ARG(r->path));
        }
        return put(c, KIND_DELETE, &before, NULL, at, err);
    }
    before.partition_values = after->partition_values;
    (void)tn_map_remove(added, key);
    TN_TRY(put(c, KIND_MARKED, &before, after, at, err));
    return put(c, KIND_UNMARKED, after, &before, at, err);
}

static tn_rc take_commit(changes *c, const tn_delta_log_file *log, tn_err *err)
{
    tn_delta_actions acts;
    tn_map added = tn_map_init(c->a);
    TN_TRY(tn_delta_commit_read(c->t, c->a, log->version, &acts, err));
    told at = { .version = log->version,
        .ms = acts.in_commit_ms != TN_DELTA_ABSENT ? acts.in_commit_ms : log->mtime_ms };
    if (acts.has_meta) {
        TN_TRY(check_meta(c, &acts.meta, log->version, err));
    }
    for (size_t i = 0; i < acts.cdcs.n; i++) {
        TN_TRY(put(c, KIND_CDC, &acts.cdcs.v[i], NULL, at, err));
    }
    for (size_t i = 0; acts.cdcs.n == 0 && i < acts.adds.n; i++) {
        tn_str key;
        if (acts.adds.v[i].data_change) {
            TN_TRY(tn_delta_path_decode(c->a, acts.adds.v[i].path, &key, err));
            tn_map_put(&added, key, &acts.adds.v[i]);
        }
    }
    for (size_t i = 0; acts.cdcs.n == 0 && i < acts.removes.n; i++) {
        if (acts.removes.v[i].data_change) {
            TN_TRY(put_remove(c, &acts.removes.v[i], &added, at, err));
        }
    }
    for (size_t i = 0; acts.cdcs.n == 0 && i < acts.adds.n; i++) {
        tn_str key;
        TN_TRY(tn_delta_path_decode(c->a, acts.adds.v[i].path, &key, err));
        if (tn_map_find(&added, key) == &acts.adds.v[i]) {
            TN_TRY(put(c, KIND_INSERT, &acts.adds.v[i], NULL, at, err));
        }
    }
    return TN_OK;
}

static tn_rc take_commits(changes *c, tn_err *err)
{
    tn_delta_log_files logs;
    int64_t next = c->from;
    TN_TRY(tn_delta_commits_after(c->t, c->a, c->from - 1, &logs, err));
    for (size_t i = 0; i < logs.n && next <= c->to; i++) {
        if (logs.v[i].version != next) {
            break;
        }
        TN_TRY(take_commit(c, &logs.v[i], err));
        next++;
    }
    if (next > c->to) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_NOTFOUND,
        "version %lld is no longer in the table's log: its changes are lost", (long long)next);
    return tn_hint(err, rc, "the log keeps commits for delta.logRetentionDuration; begin later");
}

/* ---- SQL ---- */

/* The end's schema with the column that change data files have besides. In them names decide, also where data files go by field id. */
static tn_delta_snapshot view_of(changes *c, const tn_delta_files *files, bool cdc)
{
    tn_delta_snapshot s = *c->end;
    s.files = *files;
    if (!cdc) {
        return s;
    }
    tn_delta_type *schema = tn_new(c->a, tn_delta_type);
    *schema = (tn_delta_type){ .kind = TN_DT_STRUCT };
    for (size_t i = 0; i < c->end->meta.schema->fields.n; i++) {
        tn_vec_push(&schema->fields, c->a, c->end->meta.schema->fields.v[i]);
    }
    tn_delta_field type = { .name = CHANGE_TYPE,
        .type = tn_delta_primitive(c->a, TN_STR("string")),
        .nullable = true,
        .metadata = tn_val_dict(c->a) };
    tn_vec_push(&schema->fields, c->a, type);
    s.meta.schema = schema;
    if (tn_delta_mapping_of(&s.protocol, &s.meta) == TN_MAPPING_ID) {
        s.meta.configuration = tn_val_dict(c->a);
        tn_dict_putz(s.meta.configuration.dict, "delta.columnMapping.mode", tn_val_z("name"));
    }
    return s;
}

static tn_rc add_versions(changes *c, tn_buf *b, const layer *l, tn_err *err)
{
    tn_buf_addz(b, " JOIN (VALUES ");
    for (size_t i = 0; i < l->files.n; i++) {
        tn_str location;
        TN_TRY(tn_delta_locate(c->end->store, c->a, l->files.v[i].path, &location, err));
        tn_buf_addz(b, i > 0 ? ", (" : "(");
        tn_sql_literal(b, location);
        tn_buf_addf(b, ", %lld::BIGINT, epoch_ms(%lld::BIGINT) AT TIME ZONE 'UTC')",
            (long long)l->told.v[i].version, (long long)l->told.v[i].ms);
    }
    tn_buf_addz(b, ") AS told(f, n, t) ON told.f = changed._tarn_file");
    return TN_OK;
}

static void add_columns(const changes *c, tn_buf *b, const char *change)
{
    tn_buf_addz(b, "SELECT ");
    for (size_t i = 0; i < c->end->meta.schema->fields.n; i++) {
        tn_buf_addz(b, "changed.");
        tn_sql_ident(b, c->end->meta.schema->fields.v[i].name);
        tn_buf_addz(b, ", ");
    }
    if (change != NULL) {
        tn_buf_addf(b, "'%s' AS ", change);
    }
    tn_buf_addz(b, "_change_type, told.n AS _commit_version, told.t AS _commit_timestamp FROM (");
}

static tn_rc add_layer(changes *c, tn_buf *b, const kind *k, const layer *l, tn_err *err)
{
    tn_delta_scan_opts o = { .add_file_columns = true, .conn = c->conn };
    tn_delta_snapshot s = view_of(c, &l->files, k->change == NULL);
    tn_str scan;
    TN_TRY(tn_delta_scan_sql(&s, c->a, &o, &scan, err));
    tn_buf_addz(b, b->n > 0 ? " UNION ALL " : "");
    add_columns(c, b, k->change);
    tn_buf_add(b, scan);
    tn_buf_addz(b, ") AS changed");
    TN_TRY(add_versions(c, b, l, err));
    if (l->after.n > 0) {
        s.files = l->after;
        TN_TRY(tn_delta_scan_sql(&s, c->a, &o, &scan, err));
        tn_buf_addz(b, " ANTI JOIN (SELECT _tarn_file AS f, _tarn_row AS r FROM (");
        tn_buf_add(b, scan);
        tn_buf_addz(
            b, ")) AS other ON other.f = changed._tarn_file AND other.r = changed._tarn_row");
    }
    return TN_OK;
}

static tn_rc render(changes *c, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(c->a, TN_DELTA_SQL_BYTES_MAX);
    for (int i = 0; i < KINDS; i++) {
        for (size_t k = 0; k < c->kinds[i].layers.n; k++) {
            TN_TRY(add_layer(c, &b, &c->kinds[i], c->kinds[i].layers.v[k], err));
        }
    }
    if (b.n == 0) {
        tn_str scan;
        tn_delta_snapshot s = view_of(c, &(tn_delta_files){ 0 }, false);
        TN_TRY(tn_delta_scan_sql(&s, c->a, NULL, &scan, err));
        tn_buf_addf(&b,
            "SELECT *, NULL::VARCHAR AS _change_type, NULL::BIGINT AS _commit_version, "
            "NULL::TIMESTAMPTZ AS _commit_timestamp FROM (" TN_STR_FMT ")",
            TN_STR_ARG(scan));
    }
    return tn_buf_finish(&b, "the changes' SQL", ret, err);
}

/* ---- all of it ---- */

static tn_rc collect(changes *c, const tn_delta_snapshot *start, tn_str *ret, tn_err *err)
{
    TN_TRY(check_meta(c, &start->meta, c->from, err));
    TN_TRY(check_feed(&c->end->meta, c->to, err));
    TN_TRY(take_commits(c, err));
    return render(c, ret, err);
}

tn_rc tn_delta_changes_sql(tn_delta_table *t, tn_conn *conn, tn_arena *a,
    const tn_delta_changes_range *range, tn_str *ret_sql, tn_err *err)
{
    TN_AUTO_ARENA scratch = tn_arena_new("delta changes", NULL);
    TN_AUTOPTR(tn_delta_snapshot) latest = NULL;
    TN_AUTOPTR(tn_delta_snapshot) start = NULL;
    TN_AUTOPTR(tn_delta_snapshot) end = NULL;
    changes c = { .t = t, .conn = conn, .a = scratch };
    c.kinds[KIND_INSERT].change = c.kinds[KIND_UNMARKED].change = "insert";
    c.kinds[KIND_DELETE].change = c.kinds[KIND_MARKED].change = "delete";
    TN_TRY(tn_delta_snapshot_open(t, conn, TN_DELTA_LATEST, &latest, err));
    TN_TRY(settle_range(&c, latest, range, err));
    TN_TRY(tn_delta_snapshot_open(t, conn, c.to, &end, err));
    c.end = end;
    tn_rc rc = tn_delta_snapshot_open(t, conn, c.from, &start, err);
    tn_str sql;
    rc = rc == TN_OK ? collect(&c, start, &sql, err) : rc;
    if (rc != TN_OK) {
        return tn_while(err, rc, "reading the changes of the table '" TN_STR_FMT "'",
            TN_STR_ARG(t->store->root));
    }
    *ret_sql = tn_str_dup(a, sql);
    return TN_OK;
}
