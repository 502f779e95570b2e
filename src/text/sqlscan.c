/* sqlscan.c: see sqlscan.h. */
#include "text/sqlscan.h"

bool sqlscan_is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

bool sqlscan_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

size_t sqlscan_line_comment(tn_str s, size_t at)
{
    size_t end = tn_str_find_char(s, '\n', at);
    return end == SIZE_MAX ? s.n : end + 1;
}

size_t sqlscan_block_comment(tn_str s, size_t at)
{
    size_t depth = 0;
    while (at + 1 < s.n) {
        if (s.p[at] == '/' && s.p[at + 1] == '*') {
            depth++;
            at += 2;
        } else if (s.p[at] == '*' && s.p[at + 1] == '/') {
            at += 2;
            if (--depth == 0) {
                return at;
            }
        } else {
            at++;
        }
    }
    return SIZE_MAX;
}

size_t sqlscan_quoted(tn_str s, size_t at, bool escapes)
{
    char q = s.p[at++];
    while (at < s.n) {
        if (escapes && s.p[at] == '\\') {
            at += 2;
        } else if (s.p[at] != q) {
            at++;
        } else if (at + 1 < s.n && s.p[at + 1] == q) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    return SIZE_MAX;
}

size_t sqlscan_dollar(tn_str s, size_t at)
{
    size_t end = at + 1;
    while (end < s.n && sqlscan_is_name(s.p[end]) && s.p[end] != '$') {
        end++;
    }
    bool digit_first = at + 1 < s.n && s.p[at + 1] >= '0' && s.p[at + 1] <= '9';
    if (digit_first || end >= s.n || s.p[end] != '$') {
        return at + 1;
    }
    tn_str tag = tn_str_sub(s, at, end + 1);
    size_t close = tn_str_find(s, tag, end + 1);
    return close == SIZE_MAX ? SIZE_MAX : close + tag.n;
}

size_t sqlscan_name(tn_str s, size_t at)
{
    while (at < s.n && sqlscan_is_name(s.p[at])) {
        at++;
    }
    return at;
}
