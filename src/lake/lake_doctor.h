/* lake_doctor.h: is this place fit for a lake, for tarn's own requests and for DuckDB's? */
#ifndef TN_LAKE_LAKE_DOCTOR_H
#define TN_LAKE_LAKE_DOCTOR_H

#include "lake/lake.h"
#include "store/doctor.h"

/* The checks of store/doctor.h and then "duckdb": writes a Parquet file there through DuckDB, whose TLS is another one, and reads it. A folder
 * must exist. Failing checks stand in *ret; the call itself fails only on a URL that names no place. */
tn_rc tn_lake_doctor(
    tn_conn *conn, tn_arena *a, tn_str url, tn_val storage, tn_probes *ret, tn_err *err) TN_MUSTUSE;

#endif
