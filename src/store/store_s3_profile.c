/* store_s3_profile.c: keys, from the first place that has them: options, environment, a profile of the shared files, somebody who lends.
 *
 *     ~/.aws/credentials   [name]           aws_access_key_id, aws_secret_access_key, aws_session_token
 *     ~/.aws/config        [profile name]   the same, region, endpoint_url, and instead of keys: credential_process, or role_arn with source_profile,
 *                                           credential_source or web_identity_token_file. sso_* is refused by name
 *
 * A key id, its secret and its token belong together: they come from one place.
 */
#include "base/log.h"
#include "os/file.h"
#include "os/proc.h"
#include "store/store_s3_config_impl.h"

enum { FILE_BYTES_MAX = 1 << 20 };

/* ---- the shared files ---- */

static tn_str home_file(tn_arena *a, const char *env, const char *below_home)
{
    tn_str path = tn_env_get(env);
    if (path.n > 0) {
        return path;
    }
    tn_str home = tn_env_get("HOME");
    return home.n == 0 ? TN_STR_NONE
                       : tn_str_printf(a, TN_STR_FMT "/%s", TN_STR_ARG(home), below_home);
}

/* The name in "[name]" or "[profile name]"; empty: another line. */
static tn_str section_of(tn_str line)
{
    if (line.n < 2 || line.p[0] != '[') {
        return TN_STR_NONE;
    }
    tn_str head = tn_str_trim(tn_str_sub(line, 1, line.n - 1));
    return tn_str_starts(head, TN_STR("profile ")) ? tn_str_trim(tn_str_sub(head, 8, head.n))
                                                   : head;
}

/* key = value lines of [section] in an INI file; only fields that nobody has given yet. True: the section is there. */
static bool take_ini(s3_reader *r, tn_str path, tn_str section)
{
    tn_str text, line;
    bool inside = false, found = false;
    if (path.n == 0 || tn_file_read(r->a, path, FILE_BYTES_MAX, &text, NULL) != TN_OK) {
        return false;
    }
    while (text.n > 0) {
        tn_str name, value;
        (void)tn_str_cut(text, '\n', &line, &text);
        line = tn_str_trim(line);
        if (section_of(line).n > 0) {
            inside = tn_str_eq(section_of(line), section);
            found = found || inside;
        } else if (inside && line.n > 0 && line.p[0] != '#' && line.p[0] != ';' &&
                   tn_str_cut(line, '=', &name, &value)) {
            s3_field f = s3_field_of(r->a, tn_str_trim(name));
            if (f < F_IGNORED && r->v[f].p == NULL) {
                r->v[f] = tn_str_dup(r->a, tn_str_trim(value));
            }
        }
    }
    return found;
}

static bool take_profile(s3_reader *r, tn_str name)
{
    tn_str keys = home_file(r->a, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials");
    bool one = take_ini(r, keys, name);
    return take_ini(r, home_file(r->a, "AWS_CONFIG_FILE", ".aws/config"), name) || one;
}

/* The keys of the profile that takes on a role. */
static tn_rc take_source_profile(s3_reader *r, tn_str name)
{
    s3_reader other = { .a = r->a, .err = r->err };
    if (!take_profile(&other, name)) {
        return tn_fail(r->err, TN_E_AUTH, "there is no profile '" TN_STR_FMT "' (source_profile)",
            TN_STR_ARG(name));
    }
    if (other.v[F_KEY_ID].n == 0) {
        return tn_hint(r->err,
            tn_fail(r->err, TN_E_UNSUPPORTED,
                "the profile '" TN_STR_FMT "' (source_profile) holds no key", TN_STR_ARG(name)),
            "chains of roles are not followed: give aws_access_key_id and aws_secret_access_key "
            "there");
    }
    r->v[F_KEY_ID] = other.v[F_KEY_ID];
    r->v[F_SECRET] = other.v[F_SECRET];
    r->v[F_TOKEN] = other.v[F_TOKEN];
    return TN_OK;
}

static tn_rc from_profile(s3_reader *r, const char **ret_source)
{
    tn_str name = r->v[F_PROFILE].n > 0 ? r->v[F_PROFILE] : tn_env_get("AWS_PROFILE");
    bool chosen = name.n > 0;
    r->v[F_KEY_ID] = TN_STR_NONE;
    name = chosen ? name : TN_STR("default");
    if (!take_profile(r, name) && chosen) {
        return tn_hint(r->err,
            tn_fail(r->err, TN_E_AUTH,
                "there is no profile '" TN_STR_FMT "' in ~/.aws/credentials or ~/.aws/config",
                TN_STR_ARG(name)),
            "check AWS_PROFILE (or profile), AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE");
    }
    if (r->v[F_ROLE].n > 0 && r->v[F_SOURCE_PROFILE].n > 0) {
        TN_TRY(take_source_profile(r, r->v[F_SOURCE_PROFILE]));
    }
    if (r->v[F_SSO].n > 0 && r->v[F_KEY_ID].n == 0 && r->v[F_PROCESS].n == 0) {
        return tn_hint(r->err,
            tn_fail(r->err, TN_E_UNSUPPORTED,
                "the profile '" TN_STR_FMT "' signs in by SSO, which tarn does not do",
                TN_STR_ARG(name)),
            "let the other program do it: credential_process = aws configure export-credentials "
            "--profile NAME --format process, in a profile of its own");
    }
    *ret_source = r->v[F_KEY_ID].n > 0 ? "the shared credentials file" : NULL;
    return TN_OK;
}

/* *ret_source: where a key is that was not lent; NULL: nowhere. */
static tn_rc take_keys(s3_reader *r, const char **ret_source)
{
    if (r->v[F_KEY_ID].n > 0) {
        *ret_source = "the options";
        return TN_OK;
    }
    r->v[F_SECRET] = r->v[F_TOKEN] = TN_STR_NONE;
    *ret_source = NULL;
    if (r->v[F_PROCESS].n > 0 || (r->v[F_ROLE].n > 0 && r->v[F_TOKEN_FILE].n > 0)) {
        return TN_OK;
    }
    if (r->v[F_PROFILE].n == 0 && tn_env_get("AWS_ACCESS_KEY_ID").n > 0) {
        r->v[F_KEY_ID] = TN_STR_NONE;
        s3_take_var(r, F_KEY_ID, "AWS_ACCESS_KEY_ID");
        s3_take_var(r, F_SECRET, "AWS_SECRET_ACCESS_KEY");
        s3_take_var(r, F_TOKEN, "AWS_SESSION_TOKEN");
        *ret_source = "the environment";
        return TN_OK;
    }
    if (r->v[F_PROFILE].n == 0 && tn_env_get("AWS_PROFILE").n == 0 &&
        tn_env_get("AWS_ROLE_ARN").n > 0 && tn_env_get("AWS_WEB_IDENTITY_TOKEN_FILE").n > 0) {
        s3_take_var(r, F_ROLE, "AWS_ROLE_ARN");
        s3_take_var(r, F_TOKEN_FILE, "AWS_WEB_IDENTITY_TOKEN_FILE");
        s3_take_var(r, F_ROLE_SESSION, "AWS_ROLE_SESSION_NAME");
        return TN_OK;
    }
    return from_profile(r, ret_source);
}

/* ---- somebody who lends ---- */

static tn_rc borrow(s3_reader *r, tn_s3_config *c)
{
    s3_lent lent = { .source = NULL };
    s3_lender who = { .process = r->v[F_PROCESS],
        .role = r->v[F_ROLE],
        .session = r->v[F_ROLE_SESSION],
        .external_id = r->v[F_EXTERNAL_ID],
        .token_file = r->v[F_TOKEN_FILE],
        .key_id = r->v[F_KEY_ID],
        .secret = r->v[F_SECRET],
        .token = r->v[F_TOKEN],
        .sts_endpoint = r->v[F_STS],
        .region = c->region,
        .ca_file = c->ca_file,
        .proxy = c->proxy,
        .no_proxy = c->no_proxy,
        .no_verify = !c->verify_tls,
        .ask_instance = tn_str_eq_nocase(r->v[F_PROVIDER], TN_STR("credential_chain")) ||
                        tn_str_is(r->v[F_CREDENTIAL_SOURCE], "Ec2InstanceMetadata") };
    TN_TRY(s3_lent_keys(r->a, &who, &lent, r->err));
    r->v[F_KEY_ID] = lent.key_id;
    r->v[F_SECRET] = lent.secret;
    r->v[F_TOKEN] = lent.token;
    c->key_source = lent.source;
    c->renew_us = lent.renew_us;
    return TN_OK;
}

tn_rc s3_find_keys(s3_reader *r, tn_s3_config *c)
{
    TN_TRY(s3_flag(r, F_ANONYMOUS, "skip_signature", &r->anonymous));
    return r->anonymous ? TN_OK : take_keys(r, &c->key_source);
}

tn_rc s3_settle_keys(s3_reader *r, tn_s3_config *c)
{
    if (!r->anonymous && (c->key_source == NULL || r->v[F_ROLE].n > 0)) {
        TN_TRY(borrow(r, c));
    }
    if (c->key_source == NULL) {
        return TN_OK;
    }
    /* Keys have no blanks; what a file or a paste has put around them is not theirs. */
    c->key_id = tn_str_trim(r->v[F_KEY_ID]);
    c->secret = tn_str_trim(r->v[F_SECRET]);
    c->session_token = tn_str_trim(r->v[F_TOKEN]);
    if (c->secret.n == 0) {
        return tn_fail(
            r->err, TN_E_AUTH, "an access key id without its secret is in %s", c->key_source);
    }
    tn_log_secret(c->secret);
    tn_log_secret(c->session_token);
    return TN_OK;
}
