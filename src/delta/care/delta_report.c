/* delta_report.c: results of delta_maint.h as dicts; the keys are the manual's (docs/manual/maintenance.md, include/tarn/care.h). */
#include "delta/delta_report.h"

typedef struct number {
    const char *key;
    int64_t n;
} number;

static void put_numbers(tn_val d, const number *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tn_dict_putz(d.dict, v[i].key, tn_val_int(v[i].n));
    }
}

static void put_bool(tn_val d, const char *key, bool b)
{
    tn_dict_putz(d.dict, key, tn_val_bool(b));
}

void tn_delta_report_optimize(tn_val d, const tn_delta_optimize_result *r)
{
    const number numbers[] = { { "version", r->version }, { "files_added", r->files_added },
        { "files_removed", r->files_removed }, { "bytes_added", r->bytes_added },
        { "bytes_removed", r->bytes_removed }, { "files_considered", r->files_considered },
        { "files_skipped", r->files_skipped }, { "partitions", r->partitions },
        { "deletion_vectors_removed", r->vectors_removed }, { "rows", r->rows } };
    put_numbers(d, numbers, TN_COUNTOF(numbers));
    put_bool(d, "changed", r->changed);
}

void tn_delta_report_vacuum(
    tn_arena *a, tn_val d, const tn_delta_vacuum_opts *o, const tn_delta_vacuum_result *r)
{
    const number numbers[] = { { "version", r->version }, { "files", r->files },
        { "bytes", r->bytes }, { "failed", r->failed }, { "log_files", r->log_files } };
    tn_val paths = tn_val_list(a);
    put_bool(d, "dry_run", o->dry_run);
    put_bool(d, "lite", o->lite);
    put_numbers(d, numbers, TN_COUNTOF(numbers));
    for (size_t i = 0; i < r->paths.n; i++) {
        tn_list_push(paths.list, tn_val_str(r->paths.v[i]));
    }
    tn_dict_putz(d.dict, "paths", paths);
}

void tn_delta_report_restore(tn_val d, const tn_delta_restore_result *r)
{
    const number numbers[] = { { "version", r->version },
        { "restored_version", r->restored_version }, { "files_restored", r->files_restored },
        { "files_removed", r->files_removed }, { "files_missing", r->files_missing },
        { "bytes_restored", r->bytes_restored }, { "bytes_removed", r->bytes_removed } };
    put_numbers(d, numbers, TN_COUNTOF(numbers));
}

void tn_delta_report_compact(tn_val d, const tn_delta_compact_result *r)
{
    const number numbers[] = { { "from", r->from }, { "to", r->to }, { "bytes", r->bytes } };
    put_numbers(d, numbers, TN_COUNTOF(numbers));
    put_bool(d, "written", r->written);
}

void tn_delta_report_clone(tn_val d, const tn_delta_clone_opts *o, const tn_delta_clone_result *r)
{
    const number numbers[] = { { "version", r->version }, { "source_version", r->source_version },
        { "files", r->files }, { "files_added", r->files_added },
        { "files_removed", r->files_removed }, { "bytes", r->bytes } };
    put_numbers(d, numbers, TN_COUNTOF(numbers));
    put_bool(d, "shallow", o->shallow);
}

void tn_delta_report_check(tn_arena *a, tn_val d, const tn_delta_check_result *r)
{
    const number numbers[] = { { "version", r->version }, { "files", r->files },
        { "rows", r->rows }, { "commits", r->commits } };
    tn_val list = tn_val_list(a);
    bool ok = true;
    for (size_t i = 0; i < r->findings.n; i++) {
        const tn_delta_finding *f = &r->findings.v[i];
        tn_val one = tn_val_dict(a);
        ok = ok && !f->error;
        tn_dict_putz(one.dict, "severity", tn_val_z(f->error ? "error" : "warning"));
        tn_dict_putz(one.dict, "what", tn_val_z(f->what));
        tn_dict_putz(one.dict, "path", tn_val_str(f->path));
        tn_dict_putz(one.dict, "detail", tn_val_str(f->detail));
        tn_list_push(list.list, one);
    }
    put_numbers(d, numbers, TN_COUNTOF(numbers));
    put_bool(d, "ok", ok);
    tn_dict_putz(d.dict, "findings", list);
}

void tn_delta_report_repair(
    tn_arena *a, tn_val d, const tn_delta_repair_opts *o, const tn_delta_repair_result *r)
{
    const number numbers[] = { { "version", r->version }, { "bytes", r->bytes } };
    tn_val list = tn_val_list(a);
    put_bool(d, "dry_run", o->dry_run);
    put_bool(d, "changed", r->version != r->read_version);
    put_numbers(d, numbers, TN_COUNTOF(numbers));
    for (size_t i = 0; i < r->lost.n; i++) {
        const tn_delta_lost *l = &r->lost.v[i];
        tn_val one = tn_val_dict(a);
        tn_dict_putz(one.dict, "path", tn_val_str(l->path));
        put_bool(one, "path_missing", l->path_missing);
        tn_dict_putz(
            one.dict, "deletion_vector", l->vector.n > 0 ? tn_val_str(l->vector) : TN_VAL_NONE);
        put_bool(one, "deletion_vector_missing", l->vector_missing);
        tn_list_push(list.list, one);
    }
    tn_dict_putz(d.dict, "lost", list);
}
