/* adapter_place.c: the methods of `adapter` about places outside of the database file: folders of external models. They are ours;
 * dbt-duckdb has none of them. */
#include "os/file.h"
#include "run/job/adapter_impl.h"
#include "run/session/plugin.h"
#include "text/uri.h"

static tn_rc is_remote_location(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self, (void)err;
    *ret = tn_val_bool(tn_uri_is_remote(tn_adapter_text_arg(call, 0, "location")));
    return TN_OK;
}

/* Makes the folder that a file (or the partitions) will lie in. */
static tn_rc prepare_location(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str location = tn_adapter_text_arg(call, 0, "location");
    bool folder = tn_val_truthy(tn_call_arg(call, 1, "folder"));
    *ret = tn_val_z("");
    tn_str dir = folder ? location : tn_path_dir(location);
    if (dir.n == 0 || tn_uri_is_remote(location)) {
        return TN_OK;
    }
    return tn_dir_make(dir, err);
}

/* What a catalog keeps must not hang on the folder that the run was started in. */
static tn_rc absolute_location(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_str location = tn_adapter_text_arg(call, 0, "location");
    if (!tn_uri_is_remote(location)) {
        TN_TRY(tn_file_absolute(call->arena, location, &location, err));
    }
    *ret = tn_val_str(location);
    return TN_OK;
}

static tn_rc store_relation(void *self, const tn_call *call, tn_val *ret, tn_err *err)
{
    (void)self;
    tn_job *j = tn_job_of(call);
    tn_str plugin = tn_adapter_text_arg(call, 0, "plugin_name");
    tn_relation *r;
    *ret = TN_VAL_NONE;
    if (tn_plugin_is_native(j->session, plugin) &&
        tn_val_is_relation(tn_call_arg(call, 1, "relation"), &r)) {
        tn_val config = { .tag = TN_DICT, .dict = j->node != NULL ? j->node->config : NULL };
        return tn_plugin_store(j->session, j->worker->conn, plugin, r, config, err);
    }
    return tn_hint(err,
        tn_fail(err, TN_E_UNSUPPORTED,
            "plugin '" TN_STR_FMT "' is Python code that does not run here", TN_STR_ARG(plugin)),
        "remove `plugin` (or glue_register) from the model's config");
}

const tn_adapter_method tn_adapter_place[] = {
    { "is_remote_location", is_remote_location },
    { "prepare_location", prepare_location },
    { "absolute_location", absolute_location },
    { "store_relation", store_relation },
    { NULL, NULL },
};
