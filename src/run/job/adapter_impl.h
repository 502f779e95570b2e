/* adapter_impl.h: the methods of the `adapter` object, private to src/run. Each gets its job by tn_job_of(call). */
#ifndef TN_RUN_JOB_ADAPTER_IMPL_H
#define TN_RUN_JOB_ADAPTER_IMPL_H

#include "run/job/job.h"

typedef struct tn_adapter_method {
    const char *name;
    tn_call_fn fn;
} tn_adapter_method;

/* Tables of methods, ended by a NULL name: database work, text and options, places, Delta tables. */
extern const tn_adapter_method tn_adapter_database[];
extern const tn_adapter_method tn_adapter_text[];
extern const tn_adapter_method tn_adapter_place[];
extern const tn_adapter_method tn_adapter_delta[];

/* The text of an argument; empty when it is absent or none. */
tn_str tn_adapter_text_arg(const tn_call *call, size_t place, const char *name);
/* Warns about this text the first time in a run. */
void tn_adapter_warn_once(tn_job *j, tn_str msg);

#endif
