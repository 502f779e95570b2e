/* glob.c: wildcard matching on text.
 *
 * A star is matched by trying the shortest run first and remembering only the last star, so that a pattern
 * costs at most |pattern| * |text| steps; '**' has a second memory, since a '*' inside may not cross '/'.
 */
#include "text/glob.h"

typedef struct star {
    size_t pattern; /* where to go on in the pattern, SIZE_MAX: none seen */
    size_t text;
} star;

/* Matches one bracket expression at p[at] == '['. Returns the place after ']' or SIZE_MAX when it is not closed. */
static size_t bracket(tn_str p, size_t at, unsigned char c, bool *ret_match)
{
    size_t i = at + 1;
    bool negate = i < p.n && (p.p[i] == '!' || p.p[i] == '^');
    i += negate ? 1 : 0;
    size_t first = i;
    bool match = false;
    while (i < p.n && (p.p[i] != ']' || i == first)) {
        unsigned char lo = (unsigned char)p.p[i];
        unsigned char hi = lo;
        if (i + 2 < p.n && p.p[i + 1] == '-' && p.p[i + 2] != ']') {
            hi = (unsigned char)p.p[i + 2];
            i += 2;
        }
        match = match || (c >= lo && c <= hi);
        i++;
    }
    if (i >= p.n) {
        return SIZE_MAX;
    }
    *ret_match = match != negate;
    return i + 1;
}

/* Matches one pattern element that is no star against one character; 0: no match, else the pattern's next place. */
static size_t one(tn_str p, size_t at, tn_str s, size_t place, bool slash_stops, size_t *ret_text)
{
    char c = s.p[place];
    bool wild_ok = !(slash_stops && c == '/');
    *ret_text = place + 1;
    if (p.p[at] == '?') {
        uint32_t cp;
        *ret_text = place + tn_utf8_decode(tn_str_sub(s, place, s.n), &cp);
        return wild_ok ? at + 1 : 0;
    }
    if (p.p[at] == '[') {
        bool match = false;
        size_t next = bracket(p, at, (unsigned char)c, &match);
        if (next != SIZE_MAX) {
            return match && wild_ok ? next : 0;
        }
    }
    return p.p[at] == c ? at + 1 : 0;
}

static bool match(tn_str p, tn_str s, bool slash_stops)
{
    star last = { .pattern = SIZE_MAX };
    star deep = { .pattern = SIZE_MAX };
    size_t i = 0;
    size_t k = 0;
    while (i < s.n || k < p.n) {
        if (k < p.n && p.p[k] == '*') {
            bool crosses = !slash_stops || (k + 1 < p.n && p.p[k + 1] == '*');
            while (k < p.n && p.p[k] == '*') {
                k++;
            }
            /* "**" followed by a slash also matches no folder at all. */
            if (slash_stops && crosses && k < p.n && p.p[k] == '/' &&
                match(tn_str_sub(p, k + 1, p.n), tn_str_sub(s, i, s.n), true)) {
                return true;
            }
            last = (star){ .pattern = k, .text = i };
            deep = crosses ? last : deep;
            continue;
        }
        size_t next_text = i;
        size_t next = i < s.n && k < p.n ? one(p, k, s, i, slash_stops, &next_text) : 0;
        if (next != 0) {
            k = next;
            i = next_text;
            continue;
        }
        bool last_may = last.pattern != SIZE_MAX && last.text < s.n &&
                        (last.pattern == deep.pattern || !slash_stops || s.p[last.text] != '/');
        if (last_may) {
            last.text++;
            deep.text = last.pattern == deep.pattern ? last.text : deep.text;
            i = last.text;
            k = last.pattern;
        } else if (deep.pattern != SIZE_MAX && deep.text < s.n) {
            deep.text++;
            last = deep;
            i = deep.text;
            k = deep.pattern;
        } else {
            return false;
        }
    }
    return true;
}

bool tn_fnmatch(tn_str pattern, tn_str s)
{
    return match(pattern, s, false);
}

bool tn_pathmatch(tn_str pattern, tn_str s)
{
    return match(pattern, s, true);
}

bool tn_glob_has_magic(tn_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '*' || s.p[i] == '?' || s.p[i] == '[') {
            return true;
        }
    }
    return false;
}
