/* nearest.h: the name that a typo meant: the candidate with the fewest changed, missing, additional or swapped letters (case aside), when
 * that is at most a third of the word's letters. tn_nearest n = tn_nearest_to(word); tn_nearest_try(&n, ...) each; n.best, or empty. */
#ifndef TN_BASE_NEAREST_H
#define TN_BASE_NEAREST_H

#include "base/err.h"
#include "base/str.h"

enum { TN_NEAREST_WORD_MAX = 128 }; /* longer names are not compared */

typedef struct tn_nearest {
    tn_str word;
    tn_str best; /* borrowed from the candidates; the first one of those equally near */
    size_t distance;
} tn_nearest;

tn_nearest tn_nearest_to(tn_str word);
void tn_nearest_try(tn_nearest *n, tn_str candidate);
/* "did you mean 'near'?" as the hint of an error, when there is one that is near. Returns rc. */
tn_rc tn_nearest_hint(tn_err *err, tn_rc rc, tn_str near);

#endif
