/* lake_log_text.c: a lake commit as JSON, and back: what its pins say. */
#include "lake/log/lake_log.h"
#include "os/clock.h"
#include "os/proc.h"
#include "text/json.h"

/* ---- reading ---- */

static tn_rc pin_parse(tn_val v, tn_str env, tn_pin *ret, tn_err *err)
{
    tn_pin p = {
        .schema = tn_val_str_at(v, "schema", TN_STR_NONE),
        .name = tn_val_str_at(v, "name", TN_STR_NONE),
        .location = tn_val_str_at(v, "location", TN_STR_NONE),
        .version = tn_val_int_at(v, "version", -1),
        .sql = tn_val_str_at(v, "sql", TN_STR_NONE),
        .schema_hash = tn_val_str_at(v, "schemaHash", TN_STR_NONE),
        .commit_hash = tn_val_str_at(v, "commitHash", TN_STR_NONE),
        .comment = tn_val_str_at(v, "comment", TN_STR_NONE),
        .columns = tn_val_at(v, "columns"),
        .node = tn_val_str_at(v, "node", TN_STR_NONE),
        .owner = tn_val_str_at(v, "owner", env),
    };
    tn_str kind = tn_val_str_at(v, "kind", TN_STR_NONE);
    p.kind = tn_str_is(kind, "delta")  ? TN_PIN_DELTA
             : tn_str_is(kind, "view") ? TN_PIN_VIEW
                                       : TN_PIN_EXTERNAL;
    bool known = p.kind != TN_PIN_EXTERNAL || tn_str_is(kind, "external");
    if (p.schema.n == 0 || p.name.n == 0 || !known ||
        (p.kind == TN_PIN_DELTA ? p.location.n == 0 : p.sql.n == 0)) {
        return tn_fail(err, TN_E_CORRUPT,
            "a lake commit has a pin that cannot be read ('" TN_STR_FMT "." TN_STR_FMT
            "', kind '" TN_STR_FMT "')",
            TN_STR_ARG(p.schema), TN_STR_ARG(p.name), TN_STR_ARG(kind));
    }
    *ret = p;
    return TN_OK;
}

tn_rc tn_lake_doc_pins(tn_arena *a, tn_val doc, tn_pins *ret, tn_err *err)
{
    tn_val list = tn_val_at(doc, "pins");
    tn_pins pins = { 0 };
    for (size_t i = 0; list.tag == TN_LIST && i < list.list->n; i++) {
        tn_pin p;
        TN_TRY(pin_parse(list.list->v[i], tn_val_str_at(doc, "env", TN_STR_NONE), &p, err));
        tn_vec_push(&pins, a, p);
    }
    *ret = pins;
    return TN_OK;
}

/* ---- writing ---- */

static void print_pin(tn_json_writer *w, tn_str env, const tn_pin *p)
{
    static const char *const kinds[] = {
        [TN_PIN_DELTA] = "delta", [TN_PIN_VIEW] = "view", [TN_PIN_EXTERNAL] = "external"
    };
    tn_jw_obj(w);
    tn_jw_key(w, "schema");
    tn_jw_str(w, p->schema);
    tn_jw_key(w, "name");
    tn_jw_str(w, p->name);
    tn_jw_key(w, "kind");
    tn_jw_str(w, tn_str_of(kinds[p->kind]));
    if (p->location.n > 0) {
        tn_jw_key(w, "location");
        tn_jw_str(w, p->location);
    }
    if (p->kind == TN_PIN_DELTA) {
        tn_jw_key(w, "version");
        tn_jw_int(w, p->version);
        if (p->schema_hash.n > 0) {
            tn_jw_key(w, "schemaHash");
            tn_jw_str(w, p->schema_hash);
        }
        if (p->commit_hash.n > 0) {
            tn_jw_key(w, "commitHash");
            tn_jw_str(w, p->commit_hash);
        }
    } else {
        tn_jw_key(w, "sql");
        tn_jw_str(w, p->sql);
    }
    if (p->comment.n > 0) {
        tn_jw_key(w, "comment");
        tn_jw_str(w, p->comment);
    }
    if (p->columns.tag == TN_DICT && p->columns.dict->live > 0) {
        tn_jw_key(w, "columns");
        tn_jw_val(w, p->columns);
    }
    if (p->node.n > 0) {
        tn_jw_key(w, "node");
        tn_jw_str(w, p->node);
    }
    if (p->kind == TN_PIN_DELTA && p->owner.n > 0 && !tn_str_eq(p->owner, env)) {
        tn_jw_key(w, "owner");
        tn_jw_str(w, p->owner);
    }
    tn_jw_obj_end(w);
}

static void print_heads(tn_json_writer *w, const tn_lake_draft *d)
{
    tn_jw_key(w, "heads");
    tn_jw_obj(w);
    size_t at = 0;
    const tn_dict_item *it;
    while (d->heads.tag == TN_DICT && (it = tn_dict_next(d->heads.dict, &at)) != NULL) {
        if (!tn_str_eq(tn_val_as_str(it->key), d->env) && it->value.tag == TN_INT) {
            tn_jw_key_s(w, tn_val_as_str(it->key));
            tn_jw_int(w, it->value.i);
        }
    }
    if (!d->change->drop_env) {
        tn_jw_key_s(w, d->env);
        tn_jw_int(w, d->number);
    }
    tn_jw_obj_end(w);
}

static void print_base(tn_json_writer *w, const tn_lake_base *base)
{
    if (base->env.n > 0) {
        tn_jw_key(w, "base");
        tn_jw_obj(w);
        tn_jw_key(w, "env");
        tn_jw_str(w, base->env);
        tn_jw_key(w, "commit");
        tn_jw_int(w, base->commit);
        tn_jw_obj_end(w);
    }
}

static void print_writer(tn_json_writer *w, tn_arena *a)
{
    tn_jw_key(w, "writer");
    tn_jw_obj(w);
    tn_jw_key(w, "engine");
    tn_jw_str(w, TN_STR("tarn"));
    tn_jw_key(w, "host");
    tn_jw_str(w, tn_host_name(a));
    tn_jw_key(w, "pid");
    tn_jw_int(w, tn_pid());
    tn_jw_obj_end(w);
}

static void print_names(tn_json_writer *w, tn_arena *a, const tn_lake_draft *d)
{
    tn_jw_key(w, "changed");
    tn_jw_arr(w);
    for (size_t i = 0; i < d->change->put.n; i++) {
        tn_jw_str(w, tn_pin_full_name(a, &d->change->put.v[i]));
    }
    tn_jw_arr_end(w);
    tn_jw_key(w, "dropped");
    tn_jw_arr(w);
    for (size_t i = 0; i < d->change->drop.n; i++) {
        tn_jw_str(w, d->change->drop.v[i]);
    }
    tn_jw_arr_end(w);
}

tn_rc tn_lake_draft_print(tn_arena *a, const tn_lake_draft *d, tn_str *ret, tn_err *err)
{
    tn_buf b = tn_buf_init(a, TN_LAKE_COMMIT_BYTES_MAX);
    tn_json_writer w = tn_json_writer_init(&b, 0);
    tn_jw_obj(&w);
    tn_jw_key(&w, "version");
    tn_jw_int(&w, d->number);
    tn_jw_key(&w, "format");
    tn_jw_int(&w, TN_LAKE_LOG_FORMAT);
    tn_jw_key(&w, "env");
    tn_jw_str(&w, d->env);
    tn_jw_key(&w, "parent");
    if (d->parent >= 0) {
        tn_jw_int(&w, d->parent);
    } else {
        tn_jw_null(&w);
    }
    tn_jw_key(&w, "timestamp");
    tn_jw_int(&w, tn_clock_now_ms());
    tn_jw_key(&w, "txnId");
    tn_jw_str(&w, d->txn_id);
    tn_jw_key(&w, "message");
    tn_jw_str(&w, d->change->message);
    print_writer(&w, a);
    print_heads(&w, d);
    print_base(&w, &d->base);
    if (d->views == TN_VIEWS_LATEST) {
        tn_jw_key(&w, "catalog");
        tn_jw_str(&w, TN_STR("latest"));
    }
    print_names(&w, a, d);
    if (!tn_val_is_undef(d->change->info)) {
        tn_jw_key(&w, "info");
        tn_jw_val(&w, d->change->info);
    }
    tn_jw_key(&w, "pins");
    tn_jw_arr(&w);
    for (size_t i = 0; i < d->pins.n; i++) {
        print_pin(&w, d->env, &d->pins.v[i]);
    }
    tn_jw_arr_end(&w);
    tn_jw_obj_end(&w);
    tn_buf_addc(&b, '\n');
    return tn_buf_finish(&b, "a lake commit", ret, err);
}
