/* jinja_place.c: where a byte of a template is, and an error that shows the place. */
#include "jinja/parse/jinja_tmpl.h"

tn_jplace tn_jinja_place(const tn_jinja_tmpl *t, uint32_t pos)
{
    size_t at = tn_min_size(pos, t->text.n), start = 0;
    tn_jplace p = { .line = t->line };
    for (size_t i = 0; i < at; i++) {
        if (t->text.p[i] == '\n') {
            p.line++;
            start = i + 1;
        }
    }
    size_t end = tn_str_find_char(t->text, '\n', start);
    p.text = tn_str_sub(t->text, start, end == SIZE_MAX ? t->text.n : end);
    p.col = (int)tn_utf8_len(tn_str_sub(t->text, start, at)) + 1;
    return p;
}

enum { SHOWN_COLS_MAX = 110 };

/* msg
 *   at models/a.sql:3:11
 *     select {{ x.y }}
 *               ^                                                                         */
void tn_jinja_err_at(const tn_jinja_tmpl *t, uint32_t pos, tn_err *err)
{
    if (err == NULL || err->line != 0) {
        return;
    }
    tn_jplace p = tn_jinja_place(t, pos);
    tn_err_place(err, t->file, p.line, p.col);
    size_t col = (size_t)p.col - 1, from = 0;
    tn_str line = p.text;
    if (col > SHOWN_COLS_MAX / 2) { /* a long line: the part around the place */
        from = tn_utf8_offset(line, col - SHOWN_COLS_MAX / 2);
        line = tn_str_sub(line, from, line.n);
        col = SHOWN_COLS_MAX / 2;
    }
    line = tn_str_sub(line, 0, tn_utf8_offset(line, SHOWN_COLS_MAX));
    char pad[SHOWN_COLS_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < line.n && n < col;
        i++) { /* keeps tabs, so that the caret stands right */
        if (((unsigned char)line.p[i] & 0xc0) != 0x80) {
            pad[n++] = line.p[i] == '\t' ? '\t' : ' ';
        }
    }
    pad[n] = '\0';
    tn_err_append(err, "\n  at %s:%d:%d\n    " TN_STR_FMT "\n    %s^", t->file, p.line, p.col,
        TN_STR_ARG(line), pad);
}
