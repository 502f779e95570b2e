/* nearest.c: Damerau-Levenshtein distance (optimal string alignment) over three rows, cut off at what is still of interest. */
#include "base/nearest.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t distance(tn_str a, tn_str b)
{
    size_t rows[3][TN_NEAREST_WORD_MAX + 1];
    for (size_t k = 0; k <= b.n; k++) {
        rows[0][k] = k;
    }
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = rows[i % 3];
        const size_t *before = rows[(i - 1) % 3], *older = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t k = 1; k <= b.n; k++) {
            unsigned char x = lower(a.p[i - 1]), y = lower(b.p[k - 1]);
            now[k] = tn_min_size(tn_min_size(before[k], now[k - 1]) + 1, before[k - 1] + (x != y));
            if (i > 1 && k > 1 && x == lower(b.p[k - 2]) && lower(a.p[i - 2]) == y) {
                now[k] = tn_min_size(now[k], older[k - 2] + 1);
            }
        }
    }
    return rows[a.n % 3][b.n];
}

tn_nearest tn_nearest_to(tn_str word)
{
    return (tn_nearest){ .word = word, .best = TN_STR_NONE, .distance = word.n / 3 + 1 };
}

void tn_nearest_try(tn_nearest *n, tn_str candidate)
{
    size_t apart = n->word.n > candidate.n ? n->word.n - candidate.n : candidate.n - n->word.n;
    if (candidate.n == 0 || apart >= n->distance || n->word.n > TN_NEAREST_WORD_MAX ||
        candidate.n > TN_NEAREST_WORD_MAX) {
        return;
    }
    size_t d = distance(n->word, candidate);
    if (d < n->distance) {
        n->best = candidate;
        n->distance = d;
    }
}

tn_rc tn_nearest_hint(tn_err *err, tn_rc rc, tn_str near)
{
    return near.n > 0 ? tn_hint(err, rc, "did you mean '" TN_STR_FMT "'?", TN_STR_ARG(near)) : rc;
}
