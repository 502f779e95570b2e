/* lake_file.h: private to src/lake: the lake's handle and the layout of its own objects. */
#ifndef TN_LAKE_LAKE_FILE_H
#define TN_LAKE_LAKE_FILE_H

#include "lake/lake.h"

#define TN_LAKE_LOG_DIR "_tarn/log/"
#define TN_LAKE_CATALOG_DIR "catalog"

enum { TN_LAKE_COMMIT_BYTES_MAX = 256 << 20, TN_LAKE_PINS_MAX = 1000000 };

struct tn_lake {
    tn_arena *arena;
    tn_store *store;
    tn_str root; /* absolute path or URL, no trailing slash */
    tn_val storage;
    bool remote;
};

bool tn_pin_same(const tn_pin *a, const tn_pin *b); /* what a reader sees is the same */
tn_str tn_pin_full_name(tn_arena *a, const tn_pin *p); /* schema.name */

#endif
