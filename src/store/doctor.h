/* doctor.h: is this place fit for a lake? One check after another, each with what was found and, when it fails, cause and remedy in words.
 *
 * Order: settings, name, connection, tls, credentials, clock, list, put, get, put-if-absent, parts, delete, latency. A folder has no network,
 * so it begins with list. A check that needs one which failed is SKIPPED. Nothing is tried again for long, so a wrong certificate is
 * answered at once. Test objects are named _tarn_doctor-<random>... below the place and are removed again.
 */
#ifndef TN_STORE_DOCTOR_H
#define TN_STORE_DOCTOR_H

#include "store/store.h"

typedef enum tn_probe_state {
    TN_PROBE_OK,
    TN_PROBE_WARN, /* works, but somebody should look at it */
    TN_PROBE_FAILED,
    TN_PROBE_SKIPPED,
} tn_probe_state;

typedef struct tn_probe {
    const char *name; /* "tls" */
    tn_probe_state state;
    tn_str says;
    tn_str remedy; /* empty: none */
    int64_t us;    /* what it took; -1: not measured */
} tn_probe;
typedef tn_vec(tn_probe) tn_probes;

const char *tn_probe_state_name(tn_probe_state s); /* "ok", "warning", "failed", "skipped" */
/* Failing checks are no failure of the call: they stand in *ret. opts as for tn_store_open. */
tn_rc tn_store_doctor(
    tn_arena *a, tn_str url, const tn_store_opts *opts, tn_probes *ret, tn_err *err) TN_MUSTUSE;
/* Appends one; message and hint of a failure come from why. */
void tn_probe_add(tn_probes *to, tn_arena *a, tn_probe p);
void tn_probe_fail(tn_probes *to, tn_arena *a, const char *name, int64_t us, const tn_err *why);

#endif
