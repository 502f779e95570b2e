/* delta_alter_feature.c: DROP FEATURE: a feature leaves the protocol when nothing of the table's present state needs it.
 *
 * A feature of writers just goes. One of readers is needed by older versions as long as these lie in the log, so it goes as the reference's fast drop has it:
 * the commit lists `checkpointProtection` in its place and notes its own version in delta.requireCheckpointProtectionBeforeVersion, and a checkpoint of that
 * version follows. A reader without the feature begins there; one that has it goes on reading the older versions; log cleaning takes all of
 * them or none. Traces are not removed here: the error says which statement does. A commit of another writer in between may bring new ones, so
 * the drop depends on every file.
 */
#include "delta/action/delta_schema.h"
#include "delta/alter/delta_alter_impl.h"
#include "delta/files/delta_columns.h"

static const char *used_by_columns(const tn_alteration *x, tn_str name)
{
    static const struct {
        const char *feature;
        const char *key;
        const char *why;
    } BY_KEY[] = {
        { "generatedColumns", "delta.generationExpression", "the table has a generated column" },
        { "identityColumns", "delta.identity.start", "the table has an identity column" },
        { "allowColumnDefaults", "CURRENT_DEFAULT", "a column has a default: DROP DEFAULT first" },
        { "invariants", "delta.invariants", "a column has an invariant" },
        { "typeWidening", "delta.typeChanges",
            "a column was widened, and older files have its old type" },
        { "typeWidening-preview", "delta.typeChanges",
            "a column was widened, and older files have its old type" },
    };
    for (size_t i = 0; i < TN_COUNTOF(BY_KEY); i++) {
        if (tn_str_is(name, BY_KEY[i].feature)) {
            return tn_delta_schema_has_key(x->meta.schema, BY_KEY[i].key) ? BY_KEY[i].why : NULL;
        }
    }
    bool variant = tn_str_is(name, "variantType") || tn_str_is(name, "variantType-preview");
    return variant && tn_delta_type_has(x->meta.schema, "variant")
               ? "the table has a variant column"
               : NULL;
}

static const char *used_by_properties(const tn_alteration *x, tn_str name)
{
    static const struct {
        const char *feature, *key, *value, *why;
    } BY_PROPERTY[] = {
        { "appendOnly", "delta.appendOnly", "true", "delta.appendOnly is true" },
        { "changeDataFeed", "delta.enableChangeDataFeed", "true",
            "delta.enableChangeDataFeed is true" },
        { "deletionVectors", "delta.enableDeletionVectors", "true",
            "delta.enableDeletionVectors is true: set it to false first" },
        { "v2Checkpoint", "delta.checkpointPolicy", "v2",
            "delta.checkpointPolicy is v2: set it to classic first" },
        { "typeWidening", "delta.enableTypeWidening", "true",
            "delta.enableTypeWidening is true: set it to false first" },
        { "typeWidening-preview", "delta.enableTypeWidening", "true",
            "delta.enableTypeWidening is true: set it to false first" },
    };
    for (size_t i = 0; i < TN_COUNTOF(BY_PROPERTY); i++) {
        if (tn_str_is(name, BY_PROPERTY[i].feature) &&
            tn_delta_property_is(&x->meta, BY_PROPERTY[i].key, BY_PROPERTY[i].value)) {
            return BY_PROPERTY[i].why;
        }
    }
    return NULL;
}

static bool has_constraint(const tn_alteration *x)
{
    size_t at = 0;
    const tn_dict_item *it;
    while (x->meta.configuration.tag == TN_DICT &&
           (it = tn_dict_next(x->meta.configuration.dict, &at)) != NULL) {
        if (tn_str_starts(tn_val_as_str(it->key), TN_STR("delta.constraints."))) {
            return true;
        }
    }
    return false;
}

static bool has_vector(const tn_alteration *x)
{
    for (size_t i = 0; i < x->s->files.n; i++) {
        if (x->s->files.v[i].dv.storage != 0) {
            return true;
        }
    }
    return false;
}

static bool is_one_of(tn_str name, const char *const *list)
{
    for (; *list != NULL; list++) {
        if (tn_str_is(name, *list)) {
            return true;
        }
    }
    return false;
}

/* Why a feature cannot go; NULL: it can. */
static const char *still_used(const tn_alteration *x, tn_str name)
{
    static const char *const CAN_GO[] = { "generatedColumns", "identityColumns",
        "allowColumnDefaults", "invariants", "checkConstraints", "appendOnly", "changeDataFeed",
        "deletionVectors", "v2Checkpoint", "vacuumProtocolCheck", "typeWidening",
        "typeWidening-preview", "variantType", "variantType-preview", NULL };
    const char *why = used_by_columns(x, name);
    why = why != NULL ? why : used_by_properties(x, name);
    if (why != NULL) {
        return why;
    }
    if (tn_str_is(name, "checkConstraints") && has_constraint(x)) {
        return "the table has a constraint: DROP CONSTRAINT first";
    }
    if (tn_str_is(name, "deletionVectors") && has_vector(x)) {
        return "files have deletion vectors: REORG TABLE t APPLY (PURGE) first";
    }
    if (is_one_of(name, CAN_GO)) {
        return NULL;
    }
    return tn_str_is(name, "columnMapping")
               ? "its names are in the files: write the rows to a new table"
               : "what it left in the table cannot be told apart yet";
}

/* Older versions need the feature: readers without it are to begin at the checkpoint of this one. */
static tn_rc protect_older(tn_alteration *x, tn_err *err)
{
    tn_str version = tn_str_printf(x->a, "%lld", (long long)x->s->version + 1);
    tn_str supported = TN_STR("supported");
    tn_delta_protocol left = x->protocol;
    tn_delta_meta asked = x->meta;
    bool changed;
    tn_delta_meta_set(
        x->a, &x->meta, TN_STR("delta.requireCheckpointProtectionBeforeVersion"), &version);
    tn_delta_meta_set(x->a, &asked, TN_STR("delta.feature.checkpointProtection"), &supported);
    x->reads_all = true;
    x->checkpoint = true;
    return tn_delta_protocol_make(x->a, &left, &asked, &x->protocol, &changed, err);
}

tn_rc tn_alter_drop_feature(tn_alteration *x, tn_err *err)
{
    tn_str name = x->c->name;
    x->operation = "DROP FEATURE";
    if (!tn_delta_has_feature(&x->s->protocol, tn_str_z(x->a, name))) {
        return x->c->if_exists ? TN_OK
                               : tn_fail(err, TN_E_NOTFOUND,
                                     "the table has no feature '" TN_STR_FMT "'", TN_STR_ARG(name));
    }
    const char *why = still_used(x, name);
    if (why != NULL) {
        return tn_fail(err, TN_E_UNSUPPORTED, "the feature '" TN_STR_FMT "' cannot be dropped: %s",
            TN_STR_ARG(name), why);
    }
    tn_delta_protocol_drop(x->a, &x->s->protocol, name, &x->protocol);
    if (tn_delta_feature_reader(name) > 1) {
        TN_TRY(protect_older(x, err));
    }
    x->protocol_is_new = true;
    tn_dict_putz(x->parameters.dict, "featureName", tn_val_str(name));
    x->changed = true;
    return TN_OK;
}
