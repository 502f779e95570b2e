/* res.c: look-up in the table that the build makes from res/ (sorted by name). */
#include "base/res.h"

extern const tn_res tn_res_table[];
extern const size_t tn_res_table_n;

size_t tn_res_count(void)
{
    return tn_res_table_n;
}

const tn_res *tn_res_at(size_t i)
{
    TN_CHECK(i < tn_res_table_n);
    return &tn_res_table[i];
}

tn_str tn_res_find(tn_str name)
{
    size_t lo = 0;
    size_t hi = tn_res_table_n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = tn_str_cmp(tn_str_of(tn_res_table[mid].name), name);
        if (c == 0) {
            return tn_str_n((const char *)tn_res_table[mid].bytes, tn_res_table[mid].size);
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return TN_STR_NONE;
}
