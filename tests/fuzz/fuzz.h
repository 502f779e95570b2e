/* fuzz.h: what fuzz targets share. */
#ifndef TN_TESTS_FUZZ_H
#define TN_TESTS_FUZZ_H

#include <stdio.h>

#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* While a target makes its world: without it there is nothing to fuzz. */
static inline void must(tn_rc rc, const tn_err *err)
{
    if (rc != TN_OK) {
        fprintf(stderr, "the fuzzer cannot begin: %s\n", err->msg);
        abort();
    }
}

#endif
