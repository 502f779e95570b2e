/* delta_clone_over.c: CREATE OR REPLACE TABLE .. CLONE of a table that is there: its next version is the source's state.
 *
 *     files      in both: stay; only in the table: removed; only in the source: added
 *     metadata   schema, partition columns, properties of the source; id, name, description, in-commit timestamps and row tracking of the table, whose
 *                history goes on; the largest column id of both
 *     protocol   the table's with what the source's needs; it never shrinks, as old versions may be read
 *     domains    of the source but row ids; a clustering that the source does not have ends
 *
 * Rows get new ids: those of the source are numbers of another table. The reference refuses a table that has rows; this is what users of its commercial
 * edition know, and what a clone that is renewed each night needs.
 */
#include "delta/care/delta_clone.h"

#include "delta/action/delta_action.h"
#include "delta/action/delta_schema.h"
#include "delta/files/delta_columns.h"
#include "delta/log/delta_rows.h"
#include "os/clock.h"

static bool is_own_property(tn_str key)
{
    return tn_str_is(key, "delta.enableInCommitTimestamps") ||
           tn_str_starts(key, TN_STR("delta.inCommitTimestampEnablement")) ||
           tn_str_starts(key, TN_STR("delta.rowTracking")) ||
           tn_str_is(key, "delta.enableRowTracking");
}

tn_rc tn_delta_clone_may_replace(const tn_delta_cloning *c, tn_err *err)
{
    const tn_delta_meta *was = &c->over->meta;
    tn_delta_mapping old = tn_delta_mapping_of(&c->over->protocol, was);
    if (tn_str_eq(c->from->store->root, c->to->store->root)) {
        tn_rc rc = tn_fail(err, TN_E_USAGE,
            "the table '" TN_STR_FMT "' cannot be replaced by a clone of itself",
            TN_STR_ARG(c->to->store->root));
        return tn_hint(err, rc, "RESTORE TABLE takes a table back to an older version");
    }
    TN_TRY(tn_delta_check_writable(&c->over->protocol, was, err));
    if (tn_delta_property_is(was, "delta.appendOnly", "true")) {
        return tn_fail(err, TN_E_UNSUPPORTED,
            "the table '" TN_STR_FMT "' is append-only (delta.appendOnly): it cannot be replaced",
            TN_STR_ARG(c->to->store->root));
    }
    if (old != tn_delta_mapping_of(&c->s->protocol, &c->s->meta)) {
        tn_rc rc = tn_fail(err, TN_E_UNSUPPORTED,
            "the tables have different modes of column mapping (delta.columnMapping.mode)");
        return tn_hint(err, rc, "clone to a new table, or set the mode of '" TN_STR_FMT "' first",
            TN_STR_ARG(c->to->store->root));
    }
    return TN_OK;
}

/* ---- files ---- */

/* What the table has, by its files' keys and by their paths alone. */
static void know_files(tn_delta_cloning *c)
{
    c->live = tn_map_init(c->a);
    c->paths = tn_map_init(c->a);
    for (size_t i = 0; i < c->over->files.n; i++) {
        tn_delta_file *f = &c->over->files.v[i];
        tn_str key;
        tn_str place;
        if (tn_delta_file_key(c->a, f->path, &f->dv, &key, NULL) == TN_OK &&
            tn_delta_path_decode(c->a, f->path, &place, NULL) == TN_OK) {
            tn_map_put(&c->live, key, f);
            tn_map_put(&c->paths, place, f);
        }
    }
}

bool tn_delta_clone_shares(tn_delta_cloning *c, const tn_delta_file *f)
{
    tn_str key;
    if (c->over == NULL || tn_delta_file_key(c->a, f->path, &f->dv, &key, NULL) != TN_OK) {
        return false;
    }
    if (c->live.arena == NULL) {
        know_files(c);
    }
    const tn_delta_file *own = tn_map_find(&c->live, key);
    bool same = own != NULL && own->size == f->size && tn_str_eq(own->stats, f->stats) &&
                tn_val_eq(own->partition_values, f->partition_values);
    if (same) {
        tn_map_put(&c->shared, key, c);
    }
    return same;
}

bool tn_delta_clone_has_data(const tn_delta_cloning *c, tn_str place, const tn_delta_file *f)
{
    const tn_delta_file *own = c->over != NULL ? tn_map_find(&c->paths, place) : NULL;
    return own != NULL && own->size == f->size && own->mtime_ms == f->mtime_ms;
}

static tn_rc plan_files(const tn_delta_cloning *c, tn_delta_txn_plan *p, tn_err *err)
{
    int64_t ms = tn_clock_now_ms();
    for (size_t i = 0; i < c->over->files.n; i++) {
        const tn_delta_file *f = &c->over->files.v[i];
        tn_str key;
        TN_TRY(tn_delta_file_key(c->a, f->path, &f->dv, &key, err));
        if (tn_map_find(&c->shared, key) == NULL) {
            tn_vec_push(&p->removes, c->a, tn_delta_remove_of(f, ms));
        }
    }
    for (size_t i = 0; i < c->adds.n; i++) {
        tn_vec_push(&p->adds, c->a, tn_delta_clone_unnumbered(c->adds.v[i]));
    }
    return TN_OK;
}

/* ---- metadata ---- */

static tn_val properties_over(const tn_delta_cloning *c)
{
    const tn_delta_meta *sides[] = { &c->s->meta, &c->over->meta };
    tn_val conf = tn_val_dict(c->a);
    for (size_t i = 0; i < TN_COUNTOF(sides); i++) {
        tn_val from = sides[i]->configuration;
        size_t at = 0;
        const tn_dict_item *it;
        while (from.tag == TN_DICT && (it = tn_dict_next(from.dict, &at)) != NULL) {
            tn_str key = tn_val_as_str(it->key);
            bool names =
                tn_str_is(key, TN_ROWS_ID_PROPERTY) || tn_str_is(key, TN_ROWS_VERSION_PROPERTY);
            if (!names && is_own_property(key) == (i == 1)) {
                tn_dict_put(conf.dict, it->key, it->value);
            }
        }
    }
    return conf;
}

static int64_t largest_column_id(const tn_delta_meta *m)
{
    int64_t id = 0;
    return tn_str_to_i64(tn_delta_property(m, "delta.columnMapping.maxColumnId"), &id) ? id : 0;
}

static tn_delta_meta meta_over(const tn_delta_cloning *c)
{
    const tn_delta_meta *was = &c->over->meta;
    tn_delta_meta m = c->s->meta;
    m.id = was->id;
    m.name = was->name;
    m.description = was->description;
    m.created_ms = was->created_ms;
    m.configuration = properties_over(c);
    if (largest_column_id(was) > largest_column_id(&m)) {
        tn_str id = tn_delta_property(was, "delta.columnMapping.maxColumnId");
        tn_delta_meta_set(c->a, &m, TN_STR("delta.columnMapping.maxColumnId"), &id);
    }
    /* New names: what files of the source have under theirs are ids of that table. */
    tn_delta_rows_name_columns(c->a, &m);
    return m;
}

static void ask_for(const tn_delta_cloning *c, tn_delta_meta *m, const tn_strs *features)
{
    for (size_t i = 0; i < features->n; i++) {
        tn_str key = tn_str_concat(c->a, TN_STR("delta.feature."), features->v[i]);
        tn_str supported = TN_STR("supported");
        tn_delta_meta_set(c->a, m, key, &supported);
    }
}

static void plan_domains(const tn_delta_cloning *c, tn_delta_txn_plan *p)
{
    static const char CLUSTERING[] = "delta.clustering";
    bool clustered = false;
    for (size_t i = 0; i < c->s->domains.n; i++) {
        const tn_delta_domain *d = c->s->domains.items[i].value;
        if (d != NULL && !d->removed && !tn_str_is(d->domain, TN_ROWS_DOMAIN)) {
            clustered = clustered || tn_str_is(d->domain, CLUSTERING);
            tn_vec_push(&p->domains, c->a, *d);
        }
    }
    const tn_delta_domain *own = tn_map_find(&c->over->domains, TN_STR(CLUSTERING));
    if (!clustered && own != NULL && !own->removed) {
        tn_delta_domain gone = *own;
        gone.removed = true;
        tn_vec_push(&p->domains, c->a, gone);
    }
}

tn_rc tn_delta_clone_plan_over(tn_delta_cloning *c, tn_delta_meta *meta,
    tn_delta_protocol *protocol, tn_delta_txn_plan *p, tn_err *err)
{
    bool changed = false;
    *meta = meta_over(c);
    ask_for(c, meta, &c->s->protocol.reader_features);
    ask_for(c, meta, &c->s->protocol.writer_features);
    TN_TRY(tn_delta_protocol_make(c->a, &c->over->protocol, meta, protocol, &changed, err));
    TN_TRY(tn_delta_check_writable(protocol, meta, err));
    p->read_version = c->over->version;
    p->base = c->over;
    p->reads_all = true;
    p->rows_renamed = true;
    p->meta = meta;
    p->protocol = changed ? protocol : NULL;
    plan_domains(c, p);
    return plan_files(c, p, err);
}
