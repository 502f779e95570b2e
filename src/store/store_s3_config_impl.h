/* store_s3_config_impl.h: private to src/store/store_s3_config.c, _options.c and _profile.c: the settings of a bucket as texts, before they mean something. */
#ifndef TN_STORE_STORE_S3_CONFIG_IMPL_H
#define TN_STORE_STORE_S3_CONFIG_IMPL_H

#include "store/store_s3_impl.h"

typedef enum s3_field {
    F_ENDPOINT,
    F_REGION,
    F_KEY_ID,
    F_SECRET,
    F_TOKEN,
    F_ALLOW_HTTP,
    F_USE_SSL,
    F_URL_STYLE,
    F_VIRTUAL,
    F_PATH_STYLE,
    F_CA_FILE,
    F_VERIFY,
    F_NO_VERIFY,
    F_CLIENT_CERT,
    F_CLIENT_KEY,
    F_PROXY,
    F_NO_PROXY,
    F_PROFILE,
    F_UNSIGNED,
    F_ANONYMOUS,
    F_RETRIES,
    F_CONNECT_TIMEOUT,
    F_TIMEOUT,
    F_CONDITIONAL,
    F_UNSAFE,
    F_LOCKING,
    F_PROVIDER,
    F_PROCESS,
    F_ROLE,
    F_ROLE_SESSION,
    F_EXTERNAL_ID,
    F_TOKEN_FILE,
    F_STS,
    F_SOURCE_PROFILE,
    F_CREDENTIAL_SOURCE,
    F_SSO,
    F_IGNORED, /* other programs' settings that mean nothing here */
    F_REFUSED, /* that would mean something, which is not done */
    S3_FIELDS,
} s3_field;

typedef struct s3_reader {
    tn_arena *a;
    tn_str v[S3_FIELDS]; /* p NULL: not given */
    bool anonymous;      /* requests are not signed */
    tn_err *err;
} s3_reader;

/* ---- store_s3_options.c ---- */
s3_field s3_field_of(tn_arena *a, tn_str name); /* S3_FIELDS: nobody knows it */
/* Every option of the dict that is not none; a later dict wins. TN_E_UNSUPPORTED for one that would be needed. */
tn_rc s3_take_dict(s3_reader *r, tn_val dict) TN_MUSTUSE;
/* Of dbt-duckdb's `secrets`: those of type s3 whose scope is a prefix of the URL; the longest scope wins. */
tn_val s3_secret_for(tn_val secrets, tn_str url);
void s3_take_env(s3_reader *r); /* what nobody has given yet, but keys */
void s3_take_var(s3_reader *r, s3_field f, const char *name); /* likewise, one variable */
tn_rc s3_flag(s3_reader *r, s3_field f, const char *name, bool *ret) TN_MUSTUSE;
/* ---- store_s3_profile.c ---- */
/* Keys, from where they are first found, and what a profile's files say about region, endpoint and all else. */
tn_rc s3_find_keys(s3_reader *r, tn_s3_config *c) TN_MUSTUSE;
/* Where there are none, or a role is to be taken on: keys that somebody lends. Needs c's region and how to reach a server. Then they are c's. */
tn_rc s3_settle_keys(s3_reader *r, tn_s3_config *c) TN_MUSTUSE;

#endif
