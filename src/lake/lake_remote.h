/* lake_remote.h: DuckDB's share in buckets: the same options that open our store give it its secret and its certificates. */
#ifndef TN_LAKE_LAKE_REMOTE_H
#define TN_LAKE_LAKE_REMOTE_H

#include "lake/lake.h"

/* Lets the connection's database read and write at url: loads httpfs, trusts ca_file, makes a temporary secret for the bucket. Local paths:
 * nothing to do. May be called again for other buckets; the certificates of the last call count for all of the database. */
tn_rc tn_lake_remote_prepare(tn_conn *conn, tn_str url, tn_val storage, tn_err *err) TN_MUSTUSE;
/* The same for the lake's own root. Call it once for each database that is to see the lake. */
tn_rc tn_lake_connect(tn_lake *l, tn_conn *conn, tn_err *err) TN_MUSTUSE;
/* For a database that will meet s3:// and https:// in people's SQL: the certificates of the options' or environment's ca_file and of the
 * system, when there are secrets or a ca_file at all. httpfs is not loaded by this: DuckDB finds them when it does. */
tn_rc tn_lake_remote_trust(tn_conn *conn, tn_val storage, tn_err *err) TN_MUSTUSE;
/* The delta extension has a third TLS stack, which asks SSL_CERT_FILE: it is pointed at a file with ca_file's certificates and those that counted
 * before. Empty: that of the environment, if any. Changes the process's environment: call it before threads. A ca_file that cannot be read is
 * told of later, by whoever needs it. */
void tn_lake_remote_trust_process(tn_str ca_file);
/* The storage options of a profile's output: its `storage`, with its `secrets`, `ca_file` and `verify_tls` in it; undefined when it has none. */
tn_val tn_lake_storage_of(tn_arena *a, tn_val output);
/* SQL that another client runs before it attaches the catalog; holds no key. */
void tn_lake_remote_init_sql(tn_lake *l, bool install, tn_buf *b);

#endif
