/* job_impl.h: what the files of a job share (private to src/run/job). */
#ifndef TN_RUN_JOB_JOB_IMPL_H
#define TN_RUN_JOB_JOB_IMPL_H

#include "run/job/job.h"

/* ---- statement.c ---- */
tn_val tn_job_empty_table(tn_arena *a);
/* What events say of the job's node, if it has one. */
void tn_job_put_node_info(const tn_job *j, tn_arena *a, tn_val data);

/* ---- job_result.c ---- */
/* load_result, store_result, load_agate_table, write, ... as functions. */
bool tn_job_result_function(tn_arena *a, tn_str name, tn_val *ret);

/* ---- job_relation.c ---- */
/* The relation that this run's node is, cut by event time where its input is. */
tn_relation *tn_job_relation_of(tn_job *j, const tn_node *n);
/* The same as the state of --defer has it; NULL: it has it not. */
tn_relation *tn_job_state_of(tn_job *j, const tn_node *n);
tn_rc tn_job_hook_ref(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err);
tn_rc tn_job_hook_source(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err);
tn_rc tn_job_hook_function(tn_pctx *c, tn_node *target, tn_val *ret, tn_err *err);

#endif
