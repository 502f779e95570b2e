/* connection_told.c: who has a worker's connection, for readers of the debug log: dbt names connections by what they are used for. */
#include "run/report/runner.h"

void tn_report_connection(tn_runner *run, tn_worker *w, tn_str name)
{
    TN_AUTO_ARENA a = tn_arena_new("connection", NULL);
    tn_val data = tn_val_dict(a);
    tn_dict_putz(data.dict, "conn_name", tn_val_str(name));
    if (w->held_by.n > 0) {
        tn_dict_putz(data.dict, "orig_conn_name", tn_val_str(w->held_by));
        tn_event(run->events, TN_EV_DEBUG, "ConnectionReused", "E006", data,
            "Re-using an available connection from the pool (formerly " TN_STR_FMT
            ", now " TN_STR_FMT ")",
            TN_STR_ARG(w->held_by), TN_STR_ARG(name));
    } else {
        tn_dict_putz(data.dict, "conn_type", tn_val_z("duckdb"));
        tn_event(run->events, TN_EV_DEBUG, "NewConnection", "E005", data,
            "Acquiring new duckdb connection '" TN_STR_FMT "'", TN_STR_ARG(name));
    }
    w->held_by = tn_str_dup(w->keep, name);
}
