/* plugin.h: plugins of dbt-duckdb that need no Python: excel and sqlalchemy (SQLite, PostgreSQL, MySQL), through DuckDB's extensions. A source with
 * `plugin:` becomes a table of its relation before the run reads it; an external model with `plugin:` is stored there when it is built. The
 * extensions are not bundled: they are looked for in the folder of bundled ones. */
#ifndef TN_RUN_SESSION_PLUGIN_H
#define TN_RUN_SESSION_PLUGIN_H

#include "project/project.h"
#include "run/session/session.h"
#include "run/value/relation.h"

/* Whether the plugin of the profile's `plugins` with this alias (or module) runs here. */
bool tn_plugin_is_native(tn_session *s, tn_str name);
/* Whether an entry's module does. */
bool tn_plugin_module_is_native(tn_str module);
/* The source's rows as its relation: CREATE OR REPLACE TABLE, or the view that meta.materialization asks for. */
tn_rc tn_plugin_load_source(
    tn_session *s, tn_conn *c, const tn_node *n, tn_str plugin, tn_err *err) TN_MUSTUSE;
/* The relation's rows to the plugin's place. config: the model's. */
tn_rc tn_plugin_store(tn_session *s, tn_conn *c, tn_str plugin, const tn_relation *relation,
    tn_val config, tn_err *err) TN_MUSTUSE;

#endif
