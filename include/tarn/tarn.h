/* tarn.h: tarn from C and C++: Delta tables and lakes, with DuckDB inside. Link with -ltarn. Each header is the manual of its part:
 *
 *     tarn/types.h    result codes, errors, who owns what. Read it first
 *     tarn/table.h    one Delta table: open, describe, read; the engine
 *     tarn/change.h   write, delete, update, merge
 *     tarn/care.h     optimize, vacuum, restore, checkpoint, clone, check
 *     tarn/lake.h     a lake: SQL over its relations, landing
 *
 * The library shows the functions of these headers and no other symbol, so a program may use another DuckDB beside it. It prints nothing, installs
 * no signal handler and never exits. docs/manual/capi.md has programs that work.
 */
#ifndef TARN_TARN_H
#define TARN_TARN_H

#include <tarn/care.h>
#include <tarn/change.h>
#include <tarn/lake.h>
#include <tarn/table.h>
#include <tarn/types.h>

#endif
