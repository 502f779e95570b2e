/* csv.c: records of RFC 4180, read as Python's csv module does with its default dialect.
 *
 * A field that starts with a quote ends at the next lone quote; a doubled quote inside stands for one. Text after
 * the closing quote up to the delimiter belongs to the field in Python; here that is an error, because it is a sign of a
 * broken file. Records end with \n, \r\n or \r. Empty lines are records without fields and are skipped. */
#include "text/csv.h"

#include "base/vec.h"

enum { FIELDS_MAX = 1 << 20 };

tn_csv tn_csv_init(tn_str text, char delimiter)
{
    if (text.n >= 3 && memcmp(text.p, "\xEF\xBB\xBF", 3) == 0) {
        text = tn_str_sub(text, 3, text.n); /* the mark that spreadsheets write */
    }
    return (tn_csv){ .text = text, .line = 1, .delimiter = delimiter, .quote = '"' };
}

static bool at_line_end(const tn_csv *c)
{
    return c->at >= c->text.n || c->text.p[c->at] == '\n' || c->text.p[c->at] == '\r';
}

static void skip_line_end(tn_csv *c)
{
    if (c->at < c->text.n && c->text.p[c->at] == '\r') {
        c->at++;
        if (c->at < c->text.n && c->text.p[c->at] == '\n') {
            c->at++;
        }
        c->line++;
    } else if (c->at < c->text.n) {
        c->at++;
        c->line++;
    }
}

static tn_rc quoted_field(tn_csv *c, tn_arena *a, tn_str *ret, tn_err *err)
{
    int start_line = c->line;
    size_t start = ++c->at;
    size_t doubled = 0;
    for (;; c->at++) {
        if (c->at >= c->text.n) {
            return tn_hint(err,
                tn_fail(err, TN_E_SYNTAX,
                    "line %d: a quoted field is not closed before the end of the text", start_line),
                "write a quote inside of a quoted field as two quotes");
        }
        char ch = c->text.p[c->at];
        if (ch == c->quote) {
            if (c->at + 1 < c->text.n && c->text.p[c->at + 1] == c->quote) {
                doubled++;
                c->at++;
                continue;
            }
            break;
        }
        if (ch == '\n' ||
            (ch == '\r' && !(c->at + 1 < c->text.n && c->text.p[c->at + 1] == '\n'))) {
            c->line++;
        }
    }
    tn_str raw = tn_str_sub(c->text, start, c->at);
    c->at++;
    if (!at_line_end(c) && c->text.p[c->at] != c->delimiter) {
        return tn_hint(err,
            tn_fail(err, TN_E_SYNTAX, "line %d: text after the closing quote of a field", c->line),
            "write a quote inside of a quoted field as two quotes");
    }
    if (doubled == 0) {
        *ret = raw;
        return TN_OK;
    }
    char *p = tn_arena_alloc(a, raw.n - doubled + 1);
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        p[n++] = raw.p[i];
        if (raw.p[i] == c->quote) {
            i++;
        }
    }
    p[n] = 0;
    *ret = tn_str_n(p, n);
    return TN_OK;
}

static tn_rc field(tn_csv *c, tn_arena *a, tn_str *ret, tn_err *err)
{
    if (c->at < c->text.n && c->text.p[c->at] == c->quote) {
        return quoted_field(c, a, ret, err);
    }
    size_t start = c->at;
    while (!at_line_end(c) && c->text.p[c->at] != c->delimiter) {
        c->at++;
    }
    *ret = tn_str_sub(c->text, start, c->at);
    return TN_OK;
}

tn_rc tn_csv_next(tn_csv *c, tn_arena *a, tn_str **ret_fields, size_t *ret_n, tn_err *err)
{
    while (c->at < c->text.n && at_line_end(c)) {
        skip_line_end(c);
    }
    if (c->at >= c->text.n) {
        *ret_n = SIZE_MAX;
        return TN_OK;
    }
    tn_strs fields = { 0 };
    for (;;) {
        tn_str f = TN_STR_NONE;
        TN_TRY(field(c, a, &f, err));
        if (fields.n >= FIELDS_MAX) {
            return tn_fail(err, TN_E_LIMIT, "line %d: more than %d fields", c->line, FIELDS_MAX);
        }
        tn_vec_push(&fields, a, f);
        if (at_line_end(c)) {
            break;
        }
        c->at++; /* the delimiter */
    }
    skip_line_end(c);
    *ret_fields = fields.v;
    *ret_n = fields.n;
    return TN_OK;
}

void tn_csv_field(tn_buf *b, tn_str s, char delimiter)
{
    bool quote = s.n > 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' ');
    for (size_t i = 0; i < s.n && !quote; i++) {
        quote = s.p[i] == '"' || s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == delimiter;
    }
    if (!quote) {
        tn_buf_add(b, s);
        return;
    }
    tn_buf_addc(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"') {
            tn_buf_addc(b, '"');
        }
        tn_buf_addc(b, s.p[i]);
    }
    tn_buf_addc(b, '"');
}
