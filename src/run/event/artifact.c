/* artifact.c: see artifact.h. Written to a name of its own and put in place by one rename, so that a reader sees the old one or the new one. */
#include "run/event/artifact.h"

#include "os/file.h"
#include "text/uri.h"

tn_rc tn_artifact_write_at(
    tn_events *events, tn_str path, const char *type, tn_str text, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("artifact", NULL);
    TN_TRY(tn_dir_make(tn_path_dir(path), err));
    TN_TRY(tn_file_write_atomic(path, text, err));
    if (events != NULL) {
        tn_str whole = path;
        (void)!tn_file_absolute(a, path, &whole, NULL);
        whole = tn_path_norm(a, whole);
        tn_val data = tn_val_dict(a);
        tn_dict_putz(data.dict, "artifact_type", tn_val_z(type));
        tn_dict_putz(data.dict, "artifact_path", tn_val_str(whole));
        tn_event(events, TN_EV_DEBUG, "ArtifactWritten", "P001", data,
            "Wrote artifact %s to " TN_STR_FMT, type, TN_STR_ARG(whole));
    }
    return TN_OK;
}

tn_rc tn_artifact_write(const tn_project *p, tn_events *events, const char *name, const char *type,
    tn_str text, tn_err *err)
{
    TN_AUTO_ARENA a = tn_arena_new("artifact", NULL);
    tn_str path = tn_str_printf(a, TN_STR_FMT "/%s", TN_STR_ARG(p->target_path), name);
    return tn_artifact_write_at(events, path, type, text, err);
}
