/* lake_target.c: candidates of a run and their publishing; reading and writing Delta tables by place. */
#include "run/session/lake_target.h"

#include "run/value/node_notes.h"

#include "os/clock.h"
#include "text/sqltext.h"
#include "text/uri.h"

typedef struct candidate {
    tn_pin pin;
    bool dropped;
    bool published;
} candidate;

struct tn_lake_target {
    tn_arena *arena;
    tn_session *session;
    tn_lake *lake;
    tn_str env;
    tn_lake_head head;
    tn_str views;         /* the profile's `catalog`: pinned, latest; empty: as it is */
    tn_lake_takens taken; /* by other environments: their tables are not written */
    tn_pins readable;     /* the head's pins and landed tables that nobody has pinned */
    tn_strs unread;       /* why some of them are not there: "reading 's.t': ..." */
    tn_map
        snapshots; /* "version location" -> tn_delta_snapshot: of tables that conditions speak of */
    tn_map
        candidates; /* lower "schema.name" -> candidate, in the order in which they were finished */
    tn_mutex lock;
};

static void close_lake(void *p)
{
    tn_lake_close(p);
}

static tn_str key_of(tn_arena *a, tn_str schema, tn_str name)
{
    return tn_str_lower(
        a, tn_str_printf(a, TN_STR_FMT "." TN_STR_FMT, TN_STR_ARG(schema), TN_STR_ARG(name)));
}

/* A table that a node of this project makes: what lies there unpinned is a rejected candidate, not data of others. */
static bool is_made_here(const tn_project *p, const tn_pin *pin)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        const tn_node *n = p->nodes.v[i];
        if (tn_node_is_refable(n) && tn_str_eq_nocase(n->schema, pin->schema) &&
            tn_str_eq_nocase(n->alias, pin->name)) {
            return true;
        }
    }
    return false;
}

/* Landed tables that nobody has pinned can be read at their newest version. */
static tn_rc add_unpinned(tn_lake_target *t, tn_pins *all, tn_err *err)
{
    tn_pins found = { 0 };
    TN_TRY(tn_lake_discover(t->lake, t->arena, &t->head.pins, &found, err));
    for (size_t i = 0; i < found.n; i++) {
        const tn_pin *pin = &found.v[i];
        if (!is_made_here(t->session->project, pin)) {
            tn_vec_push(all, t->arena, *pin);
        }
    }
    return TN_OK;
}

tn_rc tn_lake_target_open(tn_session *s, tn_conn *c, tn_lake_target **ret, tn_err *err)
{
    tn_arena *a = s->arena;
    tn_arena *own =
        tn_arena_new("lake target", a); /* workers allocate in it under the target's lock */
    tn_val creds = tn_profile_credentials(&s->project->profile);
    tn_lake_target *t = tn_new(a, tn_lake_target);
    *t = (tn_lake_target){ .arena = own,
        .session = s,
        .candidates = tn_map_init(own),
        .snapshots = tn_map_init(own),
        .lock = TN_MUTEX_INIT };
    t->env = tn_val_str_at(creds, "environment", s->project->profile.target_name);
    t->views = tn_val_str_at(creds, "catalog", TN_STR_NONE);
    if (t->views.n > 0 && !tn_str_is(t->views, "pinned") && !tn_str_is(t->views, "latest")) {
        return tn_fail(err, TN_E_VALUE,
            "profile: 'catalog' must be pinned or latest, not '" TN_STR_FMT "'",
            TN_STR_ARG(t->views));
    }
    tn_lake_opts opts = { .storage = s->storage, .create = true };
    TN_TRY(tn_lake_open(s->project->profile.path, &opts, &t->lake, err));
    tn_arena_defer(a, close_lake, t->lake);
    TN_TRY(tn_lake_connect(t->lake, c, err));
    TN_TRY(tn_lake_head_read(t->lake, a, t->env, &t->head, err));
    TN_TRY(tn_lake_taken_read(t->lake, a, t->env, &t->taken, err));
    TN_TRY(add_unpinned(t, &t->readable, err));
    for (size_t i = 0; i < t->head.pins.n; i++) {
        tn_vec_push(&t->readable, a, t->head.pins.v[i]);
    }
    tn_val skipped = tn_val_list(a);
    TN_TRY(tn_lake_attach(t->lake, c, &t->readable, &skipped, a, err));
    for (size_t i = 0; tn_val_is_seq(skipped) && i < skipped.list->n; i++) {
        tn_str why = tn_val_to_str(a, skipped.list->v[i]);
        tn_vec_push(&t->unread, a, why);
        tn_event(s->events, TN_EV_DEBUG, "LakeRelationSkipped", "T002", TN_VAL_UNDEF,
            "relation not readable: " TN_STR_FMT, TN_STR_ARG(why));
    }
    *ret = t;
    return TN_OK;
}

void tn_lake_target_explain(const tn_lake_target *t, tn_err *err)
{
    static const tn_str before = { "Table with name ", sizeof "Table with name " - 1 };
    tn_str msg = tn_str_of(err->msg), name, rest;
    size_t at = tn_str_find(msg, before, 0);
    if (t == NULL || t->unread.n == 0 || at == SIZE_MAX || err->hint[0] != '\0') {
        return;
    }
    (void)tn_str_cut(tn_str_sub(msg, at + before.n, msg.n), ' ', &name, &rest);
    TN_AUTO_ARENA a = tn_arena_new("unread", NULL);
    tn_str quoted = tn_str_printf(a, "." TN_STR_FMT "':", TN_STR_ARG(name));
    for (size_t i = 0; i < t->unread.n; i++) {
        if (tn_str_find(tn_str_lower(a, t->unread.v[i]), tn_str_lower(a, quoted), 0) != SIZE_MAX) {
            (void)tn_hint(err, TN_E_SQL, "the lake has it, but it could not be read: " TN_STR_FMT,
                TN_STR_ARG(t->unread.v[i]));
            return;
        }
    }
}

void tn_lake_target_mark(tn_lake_target *t)
{
    for (size_t i = 0; i < t->readable.n; i++) {
        const tn_pin *pin = &t->readable.v[i];
        if (pin->kind == TN_PIN_DELTA) {
            tn_session_cache_add(
                t->session, t->session->database, pin->schema, pin->name, TN_STR("table"));
        }
    }
}

static tn_rc show_candidate(
    tn_lake_target *t, tn_conn *c, tn_arena *a, const tn_pin *pin, tn_err *err)
{
    tn_str sql;
    TN_TRY(tn_lake_pin_sql(t->lake, c, a, pin, &sql, err));
    tn_buf b = tn_buf_init(a, TN_BUF_NO_LIMIT);
    tn_buf_addz(&b, "CREATE SCHEMA IF NOT EXISTS ");
    tn_sql_ident(&b, pin->schema);
    tn_buf_addz(&b, "; CREATE OR REPLACE VIEW ");
    tn_sql_ident(&b, pin->schema);
    tn_buf_addc(&b, '.');
    tn_sql_ident(&b, pin->name);
    tn_buf_addz(&b, " AS ");
    tn_buf_add(&b, sql);
    return tn_conn_exec(c, tn_buf_str(&b), err);
}

static void keep(tn_lake_target *t, const tn_pin *pin, bool dropped)
{
    TN_LOCKED(&t->lock);
    tn_arena *a = t->arena;
    candidate *made = tn_new(a, candidate);
    made->dropped = dropped;
    made->pin = (tn_pin){ .schema = tn_str_dup(a, pin->schema),
        .name = tn_str_dup(a, pin->name),
        .kind = pin->kind,
        .location = tn_str_dup(a, pin->location),
        .version = pin->version,
        .sql = tn_str_dup(a, pin->sql),
        .comment = tn_str_dup(a, pin->comment),
        .columns = TN_VAL_UNDEF,
        .node = tn_str_dup(a, pin->node),
        .owner = tn_str_dup(a, pin->owner) };
    const tn_node *n = tn_project_find(t->session->project, pin->node);
    if (n != NULL && !dropped) {
        made->pin.comment = tn_node_note(a, n);
        made->pin.columns = tn_node_column_notes(a, n);
    }
    tn_str key = key_of(a, pin->schema, pin->name);
    (void)tn_map_remove(
        &t->candidates, key); /* so that it stands at the end: after what it reads */
    tn_map_put(&t->candidates, key, made);
}

/* What this run sees as the relation: its own candidate, else the environment's pin; NULL when there is none. */
static const tn_pin *current_pin(tn_lake_target *t, const tn_lake_write *w)
{
    TN_AUTO_ARENA scratch = tn_arena_new("pin", NULL);
    TN_LOCKED(&t->lock);
    const candidate *made = tn_map_find(&t->candidates, key_of(scratch, w->schema, w->name));
    return made != NULL ? &made->pin : tn_pins_find(&t->head.pins, w->schema, w->name);
}

/* The first increment to a table of its own starts from what the environment has read from another's so far. */
static tn_rc bring_here(
    tn_lake_target *t, tn_conn *c, const tn_lake_write *w, const tn_pin *here, tn_err *err)
{
    const tn_pin *pin = current_pin(t, w);
    bool moves = pin != NULL && pin->kind == TN_PIN_DELTA && w->work.builds_on &&
                 !tn_str_eq(pin->location, here->location);
    return moves ? tn_lake_bring(t->lake, c, pin, here->location, err) : TN_OK;
}

/* What lies after the pin is a rejected candidate: an increment must not start from it. */
static tn_rc restore_pin(tn_lake_target *t, tn_delta_table *table, tn_conn *c,
    const tn_lake_write *w, const tn_pin *here, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) s = NULL;
    const tn_pin *pin = current_pin(t, w);
    if (pin == NULL || pin->kind != TN_PIN_DELTA || !w->work.builds_on ||
        !tn_str_eq(pin->location, here->location)) {
        return TN_OK;
    }
    TN_TRY(tn_delta_snapshot_open(table, c, TN_DELTA_LATEST, &s, err));
    int64_t restored;
    return pin->version < 0 || tn_delta_snapshot_version(s) == pin->version
               ? TN_OK
               : tn_delta_restore(table, c, pin->version, &restored, err);
}

tn_rc tn_lake_target_write(
    tn_lake_target *t, tn_conn *c, tn_arena *a, const tn_lake_write *w, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    const tn_pin *old = current_pin(t, w);
    tn_pin pin = { .schema = w->schema,
        .name = w->name,
        .kind = TN_PIN_DELTA,
        .node = w->node,
        .comment = w->comment };
    pin.location =
        tn_lake_write_location(a, t->env, &t->taken, old, w->schema, w->name, w->location);
    pin.owner = t->env;
    TN_TRY(bring_here(t, c, w, &pin, err));
    TN_TRY(tn_lake_table_open(t->lake, pin.location, &table, err));
    TN_TRY(restore_pin(t, table, c, w, &pin, err));
    TN_TRY(w->work.run(w->work.self, table, c, &pin.version, err));
    TN_TRY(show_candidate(t, c, a, &pin, err));
    keep(t, &pin, false);
    return TN_OK;
}

void tn_lake_target_note(tn_lake_target *t, tn_pin_kind kind, tn_str schema, tn_str name,
    tn_str node, tn_str sql, tn_str comment)
{
    TN_AUTO_ARENA scratch = tn_arena_new("note", NULL);
    /* Readers open the pins under another database name: relations of a view are named by schema and name only. */
    tn_str qualifier =
        tn_str_printf(scratch, "\"" TN_STR_FMT "\".\"", TN_STR_ARG(t->session->database));
    tn_pin pin = { .schema = schema,
        .name = name,
        .kind = kind,
        .version = -1,
        .node = node,
        .comment = comment,
        .sql = tn_str_replace(scratch, sql, qualifier, TN_STR("\"")) };
    keep(t, &pin, false);
}

void tn_lake_target_forget(tn_lake_target *t, tn_str schema, tn_str name)
{
    tn_pin pin = { .schema = schema, .name = name, .version = -1 };
    keep(t, &pin, true);
}

int64_t tn_lake_target_commit(const tn_lake_target *t)
{
    return t->head.commit;
}

tn_lake *tn_lake_target_lake(tn_lake_target *t)
{
    return t->lake;
}

tn_str tn_lake_target_env(const tn_lake_target *t)
{
    return t->env;
}

/* Under the lock. Those who hold a pin of the old head keep it: its memory stays. */
static void replace_head_pin(tn_lake_target *t, tn_str schema, tn_str name, const tn_pin *newest)
{
    tn_pins pins = { 0 };
    for (size_t i = 0; i < t->head.pins.n; i++) {
        const tn_pin *p = &t->head.pins.v[i];
        if (!tn_str_eq_nocase(p->schema, schema) || !tn_str_eq_nocase(p->name, name)) {
            tn_vec_push(&pins, t->arena, *p);
        }
    }
    if (newest != NULL) {
        tn_vec_push(&pins, t->arena, *newest);
    }
    t->head.pins = pins;
}

tn_rc tn_lake_target_refresh(tn_lake_target *t, tn_conn *c, tn_str schema, tn_str name, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("refresh", NULL);
    tn_lake_head now = { 0 };
    const tn_pin *newest;
    {
        TN_LOCKED(&t->lock);
        TN_TRY(tn_lake_head_read(t->lake, t->arena, t->env, &now, err));
        newest = tn_pins_find(&now.pins, schema, name);
        if (tn_pins_same(newest, tn_pins_find(&t->head.pins, schema, name))) {
            return TN_OK;
        }
        replace_head_pin(t, schema, name, newest);
    }
    if (newest == NULL) {
        return TN_OK;
    }
    tn_session_cache_add(t->session, t->session->database, newest->schema, newest->name,
        newest->kind == TN_PIN_DELTA ? TN_STR("table") : TN_STR("view"));
    return show_candidate(t, c, a, newest, err);
}

tn_rc tn_lake_target_publish(tn_lake_target *t, tn_arena *a,
    bool (*passed)(void *self, tn_str node), void *self, tn_val info, tn_str message,
    int64_t *ret_commit, tn_str *ret_catalog, tn_err *err)
{
    TN_LOCKED(&t->lock); /* one at a time; each is based on the one before */
    tn_lake_change change = { .info = info,
        .message = message,
        .set_views = t->views.n > 0,
        .views = tn_str_is(t->views, "latest") ? TN_VIEWS_LATEST : TN_VIEWS_PINNED };
    for (size_t i = 0; i < t->candidates.n; i++) {
        candidate *made = t->candidates.items[i].value;
        if (made == NULL || made->published || !passed(self, made->pin.node)) {
            continue;
        }
        made->published = true;
        if (made->dropped) {
            tn_vec_push(&change.drop, a, key_of(a, made->pin.schema, made->pin.name));
        } else {
            tn_vec_push(&change.put, a, made->pin);
        }
    }
    *ret_commit = -1;
    if (change.put.n == 0 && change.drop.n == 0) {
        return TN_OK;
    }
    int64_t commit;
    tn_lake_head head = { 0 };
    tn_rc rc = tn_lake_commit_write(t->lake, t->env, &t->head, &change, &commit, err);
    if (rc != TN_OK) {
        for (size_t i = 0; i < t->candidates.n; i++) { /* the end of the run tries them again */
            candidate *made = t->candidates.items[i].value;
            if (made != NULL) {
                made->published = false;
            }
        }
        return rc;
    }
    TN_TRY(tn_lake_head_recent(t->lake, t->arena, t->env, &head, err));
    t->head = head;
    TN_TRY(tn_lake_catalog_publish(t->lake, t->env, &head, ret_catalog, a, err));
    *ret_commit = commit;
    return TN_OK;
}

/* ---- what conditions are asked of ---- */

static void drop_snapshot(void *p)
{
    tn_delta_snapshot_unref(p);
}

/* A copy that stays, of what find_pin would show; false: no such relation. */
static bool readable_pin(tn_lake_target *t, tn_arena *a, tn_str schema, tn_str name, tn_pin *ret)
{
    TN_LOCKED(&t->lock);
    const candidate *made = tn_map_find(&t->candidates, key_of(a, schema, name));
    const tn_pin *pin = made != NULL ? &made->pin : tn_pins_find(&t->head.pins, schema, name);
    pin = pin != NULL ? pin : tn_pins_find(&t->readable, schema, name);
    if (pin == NULL || (made != NULL && made->dropped)) {
        return false;
    }
    *ret = *pin; /* texts of pins stay for the run */
    return true;
}

bool tn_lake_target_find(
    tn_lake_target *t, tn_conn *c, tn_str schema, tn_str name, tn_narrow_found *ret)
{
    TN_AUTO_ARENA scratch = tn_arena_new("find", NULL);
    tn_pin pin;
    if (!readable_pin(t, scratch, schema, name, &pin) || pin.kind == TN_PIN_EXTERNAL ||
        (pin.kind == TN_PIN_DELTA && pin.version < 0)) {
        return false;
    }
    if (pin.kind == TN_PIN_VIEW) {
        *ret = (tn_narrow_found){ .view = pin.sql };
        return pin.sql.n > 0;
    }
    tn_str key = tn_str_printf(
        scratch, "%lld " TN_STR_FMT, (long long)pin.version, TN_STR_ARG(pin.location));
    {
        TN_LOCKED(&t->lock);
        ret->snap = tn_map_find(&t->snapshots, key);
    }
    TN_AUTOPTR(tn_delta_snapshot) made = NULL;
    TN_AUTOPTR(tn_delta_table) table = NULL;
    if (ret->snap == NULL &&
        (tn_lake_table_open(t->lake, pin.location, &table, NULL) != TN_OK ||
            tn_delta_snapshot_open(table, c, pin.version, &made, NULL) != TN_OK)) {
        return false;
    }
    TN_LOCKED(&t->lock);
    tn_delta_snapshot *other = tn_map_find(&t->snapshots, key);
    if (ret->snap == NULL && other == NULL) {
        tn_map_put(&t->snapshots, tn_str_dup(t->arena, key), made);
        tn_arena_defer(t->arena, drop_snapshot, made);
        ret->snap = TN_TAKE(made);
    } else if (ret->snap == NULL) {
        ret->snap = other;
    }
    return true;
}

/* ---- by place ---- */

static tn_rc open_place(
    tn_session *s, tn_str location, bool create, tn_delta_table **ret, tn_err *err)
{
    if (s->lake != NULL) {
        return tn_lake_table_open(s->lake->lake, location, ret, err);
    }
    TN_AUTOPTR(tn_store) store = NULL;
    tn_store_opts opts = { .create = create, .options = s->storage };
    TN_TRY(tn_store_open(location, &opts, &store, err));
    return tn_delta_table_open(store, ret, err);
}

tn_rc tn_place_open(tn_session *s, tn_conn *c, tn_str location, int64_t version,
    tn_delta_snapshot **ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    TN_TRY(open_place(s, location, false, &table, err));
    return tn_delta_snapshot_open(table, c, version, ret, err);
}

tn_rc tn_place_scan(tn_session *s, tn_conn *c, tn_arena *a, tn_str location, int64_t version,
    tn_str *ret_sql, tn_err *err)
{
    TN_AUTOPTR(tn_delta_snapshot) snapshot = NULL;
    tn_delta_scan_opts opts = { .conn = c,
        .portable = true }; /* the text may be stored in a view */
    TN_TRY(tn_place_open(s, c, location, version, &snapshot, err));
    return tn_delta_scan_sql(snapshot, a, &opts, ret_sql, err);
}

tn_rc tn_place_exists(tn_session *s, tn_str location, bool *ret, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    tn_rc rc = open_place(s, location, false, &table, err);
    if (rc == TN_E_NOTFOUND) { /* not even the folder */
        *ret = false;
        return TN_OK;
    }
    return rc == TN_OK ? tn_delta_table_exists(table, ret, err) : rc;
}

tn_rc tn_place_write(
    tn_session *s, tn_conn *c, tn_str location, const tn_delta_work *work, tn_err *err)
{
    TN_AUTOPTR(tn_delta_table) table = NULL;
    int64_t version;
    TN_TRY(open_place(s, location, true, &table, err));
    return work->run(work->self, table, c, &version, err);
}
