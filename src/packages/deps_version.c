/* deps_version.c: versions and bounds as dbt's semver reads them. */
#include "packages/deps.h"

typedef struct version {
    char op[3];
    int64_t part[3];
    tn_str pre;
} version;

static bool take_number(tn_str *s, int64_t *ret)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9') {
        n++;
    }
    bool good = n > 0 && n < 19 && tn_str_to_i64(tn_str_sub(*s, 0, n), ret);
    *s = tn_str_sub(*s, n, s->n);
    return good;
}

static bool parse(tn_str s, version *ret)
{
    *ret = (version){ .op = "=" };
    s = tn_str_trim(s);
    size_t n = 0;
    while (n < s.n && n < 2 && (s.p[n] == '<' || s.p[n] == '>' || s.p[n] == '=')) {
        ret->op[n] = s.p[n];
        ret->op[n + 1] = '\0';
        n++;
    }
    s = tn_str_trim(tn_str_sub(s, n, s.n));
    if (s.n > 0 && s.p[0] == 'v') {
        s = tn_str_sub(s, 1, s.n);
    }
    for (int i = 0; i < 3; i++) {
        if (i > 0 && (s.n == 0 || s.p[0] != '.')) {
            return false;
        }
        s = i > 0 ? tn_str_sub(s, 1, s.n) : s;
        if (!take_number(&s, &ret->part[i])) {
            return false;
        }
    }
    tn_str build;
    if (tn_str_cut(s, '+', &s, &build) && build.n == 0) {
        return false;
    }
    if (s.n == 0) {
        return true;
    }
    /* 1.0.0-rc1 and Python's 1.0.0rc1 */
    ret->pre = s.p[0] == '-' ? tn_str_sub(s, 1, s.n) : s;
    return ret->pre.n > 0;
}

bool tn_version_is(tn_str text)
{
    version v;
    return parse(text, &v);
}

bool tn_version_is_prerelease(tn_str text)
{
    version v;
    return parse(text, &v) && v.pre.n > 0;
}

/* Dotted parts: numbers by value and before words, else by bytes; fewer parts first. */
static int compare_pre(tn_str a, tn_str b)
{
    while (a.n > 0 && b.n > 0) {
        tn_str x, y;
        int64_t i, k;
        (void)tn_str_cut(a, '.', &x, &a);
        (void)tn_str_cut(b, '.', &y, &b);
        bool xn = tn_str_to_i64(x, &i), yn = tn_str_to_i64(y, &k);
        int c = xn && yn ? (i > k) - (i < k) : xn != yn ? (xn ? -1 : 1) : tn_str_cmp(x, y);
        if (c != 0) {
            return c;
        }
    }
    return (a.n > 0) - (b.n > 0);
}

static int compare(const version *a, const version *b)
{
    for (int i = 0; i < 3; i++) {
        if (a->part[i] != b->part[i]) {
            return a->part[i] < b->part[i] ? -1 : 1;
        }
    }
    if (a->pre.n == 0 || b->pre.n == 0) {
        return (a->pre.n == 0) - (b->pre.n == 0);
    }
    return compare_pre(a->pre, b->pre);
}

int tn_version_cmp(tn_str a, tn_str b)
{
    version x, y;
    return parse(a, &x) && parse(b, &y) ? compare(&x, &y) : tn_str_cmp(a, b);
}

bool tn_version_fits(tn_str text, tn_str bound)
{
    version v, b;
    if (!parse(text, &v) || !parse(bound, &b)) {
        return false;
    }
    int c = compare(&v, &b);
    if (strcmp(b.op, ">") == 0) {
        return c > 0;
    }
    if (strcmp(b.op, ">=") == 0) {
        return c >= 0;
    }
    if (strcmp(b.op, "<=") == 0) {
        return c <= 0;
    }
    if (strcmp(b.op, "<") == 0) { /* 2.0.0-rc1 is not what <2.0.0 asks for */
        bool next = v.pre.n > 0 && b.pre.n == 0 && v.part[0] == b.part[0] &&
                    v.part[1] == b.part[1] && v.part[2] == b.part[2];
        return c < 0 && !next;
    }
    return c == 0;
}
