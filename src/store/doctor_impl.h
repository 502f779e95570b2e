/* doctor_impl.h: private to src/store/doctor*.c. */
#ifndef TN_STORE_DOCTOR_IMPL_H
#define TN_STORE_DOCTOR_IMPL_H

#include "store/doctor.h"

typedef struct doctor {
    tn_arena *a;
    tn_probes *out;
    tn_str url, token;
    tn_val options;
    bool is_s3;
    tn_store *store; /* borrowed; NULL until it is reached */
    tn_str race_key;
} doctor;

tn_str doctor_key(doctor *d, const char *what);
void doctor_skip(doctor *d, const char *name, const char *why);
/* ---- doctor_s3.c ---- */
/* Settings, name, connection, TLS, credentials, clock; false: the bucket is not reached, what follows is noted as skipped. */
bool doctor_reach_s3(doctor *d, tn_store **ret);
void doctor_check_parts(doctor *d);
/* What stands in for conditional puts that the bucket does not have, in words, and how many may race there; NULL: it has them. */
const char *doctor_stand_in(doctor *d, int *ret_racers);

#endif
