/* cmd_lake_doctor.c: tarn lake doctor: one line a check, cause and remedy below it when it failed. */
#include <stdio.h>

#include "base/buf.h"
#include "base/log.h"
#include "cli/cmd_lake.h"
#include "lake/lake_doctor.h"

static tn_str took(tn_arena *a, int64_t us)
{
    return us < 0       ? TN_STR_NONE
           : us < 10000 ? tn_str_printf(a, " (%.1f ms)", (double)us / 1000)
                        : tn_str_printf(a, " (%lld ms)", (long long)us / 1000);
}

static void print_text(tn_lake_call *x, tn_str url, const tn_probes *probes, size_t failed)
{
    tn_arena *a = x->cli->arena;
    printf(TN_STR_FMT "\n", TN_STR_ARG(url));
    tn_buf skipped = tn_buf_init(a, TN_BUF_NO_LIMIT);
    for (size_t i = 0; i < probes->n; i++) {
        const tn_probe *p = &probes->v[i];
        if (p->state == TN_PROBE_SKIPPED) {
            tn_buf_addf(&skipped, "%s%s", skipped.n > 0 ? ", " : "", p->name);
            continue;
        }
        static const char *const colors[] = { "\033[32m", "\033[33m", "\033[31m", "\033[2m" };
        printf("  %s%-7s%s  %-13s  " TN_STR_FMT TN_STR_FMT "\n",
            x->cli->color ? colors[p->state] : "", tn_probe_state_name(p->state),
            x->cli->color ? "\033[0m" : "", p->name, TN_STR_ARG(tn_log_scrub(a, p->says)),
            TN_STR_ARG(took(a, p->us)));
        if (p->remedy.n > 0) {
            printf("           %-13s  -> " TN_STR_FMT "\n", "",
                TN_STR_ARG(tn_log_scrub(a, p->remedy)));
        }
    }
    if (skipped.n > 0) {
        printf("  skipped: " TN_STR_FMT "\n", TN_STR_ARG(tn_buf_str(&skipped)));
    }
    printf("%s\n",
        failed == 0 ? "everything that a lake needs works here" : "this is not fit for a lake yet");
}

static tn_val json_of(tn_arena *a, tn_str url, const tn_probes *probes, size_t failed)
{
    tn_val out = tn_val_dict(a), list = tn_val_list(a);
    for (size_t i = 0; i < probes->n; i++) {
        const tn_probe *p = &probes->v[i];
        tn_val d = tn_val_dict(a);
        tn_dict_putz(d.dict, "check", tn_val_z(p->name));
        tn_dict_putz(d.dict, "state", tn_val_z(tn_probe_state_name(p->state)));
        tn_dict_putz(d.dict, "says", tn_val_str(tn_log_scrub(a, p->says)));
        tn_dict_putz(d.dict, "remedy",
            p->remedy.n > 0 ? tn_val_str(tn_log_scrub(a, p->remedy)) : TN_VAL_NONE);
        tn_dict_putz(d.dict, "us", p->us >= 0 ? tn_val_int(p->us) : TN_VAL_NONE);
        tn_list_push(list.list, d);
    }
    tn_dict_putz(out.dict, "url", tn_val_str(url));
    tn_dict_putz(out.dict, "ok", tn_val_bool(failed == 0));
    tn_dict_putz(out.dict, "checks", list);
    return out;
}

tn_rc tn_lake_run_doctor(tn_lake_call *x, tn_str url, tn_val storage, bool *ret_ok, tn_err *err)
{
    tn_arena *a = x->cli->arena;
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    tn_probes probes = { 0 };
    TN_TRY(tn_cli_open_duck(x->cli, &duck, &conn, err));
    TN_TRY(tn_lake_doctor(conn, a, url, storage, &probes, err));
    size_t failed = 0;
    for (size_t i = 0; i < probes.n; i++) {
        failed += probes.v[i].state == TN_PROBE_FAILED ? 1 : 0;
    }
    if (x->json) {
        tn_cli_print_json(x->cli, json_of(a, url, &probes, failed));
    } else {
        print_text(x, url, &probes, failed);
    }
    *ret_ok = failed == 0;
    return TN_OK;
}
