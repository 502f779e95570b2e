/* jinja_filters_text.c: the filters on plain text. Widths and lengths count characters. */
#include "base/buf.h"
#include "jinja/lib/jinja_builtin.h"
#include "jinja/lib/jinja_filters.h"
#include "jinja/lib/jinja_regex.h"

static tn_rc recased(const tn_call *c, tn_val v, tn_jlib_case how, tn_val *ret)
{
    tn_val r = tn_val_str(tn_jlib_recase(c->arena, tn_jlib_text(c->arena, v), how));
    r.flags = v.tag == TN_STR_V ? v.flags : 0;
    *ret = r;
    return TN_OK;
}

tn_rc tn_jfilter_capitalize(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("capitalize", 1, NULL);
    return recased(c, v, TN_CASE_CAPITAL, ret);
}

tn_rc tn_jfilter_lower(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("lower", 1, NULL);
    return recased(c, v, TN_CASE_LOWER, ret);
}

tn_rc tn_jfilter_upper(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("upper", 1, NULL);
    return recased(c, v, TN_CASE_UPPER, ret);
}

static size_t next_char(tn_str s, size_t at, uint32_t *ret_cp)
{
    return at + tn_utf8_decode(tn_str_sub(s, at, s.n), ret_cp);
}

static bool begins_word(uint32_t cp)
{
    return tn_uni_is_space(cp) || (cp < 0x80 && strchr("-({[<", (int)cp) != NULL && cp != 0);
}

/* Words begin after white space and - ( { [ <, so "it's" keeps its s. */
tn_rc tn_jfilter_title(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("title", 1, NULL);
    tn_str s = tn_jlib_text(c->arena, v);
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    bool first = true;
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        size_t next = next_char(s, at, &cp);
        tn_buf_add(&b, tn_jlib_recase(c->arena, tn_str_sub(s, at, next),
                           first ? TN_CASE_UPPER : TN_CASE_LOWER));
        first = begins_word(cp);
        at = next;
    }
    return tn_jlib_finish(&b, ret, err);
}

/* Calls a method of str with the filter's further arguments. */
static tn_rc by_method(const tn_call *c, const char *name, tn_val v, const tn_val *args, size_t n,
    tn_val *ret, tn_err *err)
{
    for (const tn_jlib_method *m = tn_jlib_str_methods; m->name != NULL; m++) {
        if (strcmp(m->name, name) == 0) {
            tn_call inner = { .arena = c->arena, .interp = c->interp, .args = args, .argc = n };
            tn_val s = v.tag == TN_STR_V ? v : tn_val_str(tn_jlib_text(c->arena, v)), r;
            TN_TRY(m->fn(s, &inner, &r, err));
            if (r.tag == TN_STR_V) {
                r.flags = s.flags;
            }
            *ret = r;
            return TN_OK;
        }
    }
    return tn_fail(err, TN_E_BUG, "no method %s", name);
}

tn_rc tn_jfilter_center(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("center", 2, "width");
    tn_val width = tn_call_has(c, 1, "width") ? tn_call_arg(c, 1, "width") : tn_val_int(80);
    return by_method(c, "center", v, &width, 1, ret, err);
}

tn_rc tn_jfilter_trim(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("trim", 2, "chars");
    tn_val chars = tn_call_has(c, 1, "chars") ? tn_call_arg(c, 1, "chars") : TN_VAL_NONE;
    return by_method(c, "strip", v, &chars, 1, ret, err);
}

tn_rc tn_jfilter_replace(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("replace", 4, "old", "new", "count");
    if (!tn_call_has(c, 1, "old") || !tn_call_has(c, 2, "new")) {
        return tn_fail(err, TN_E_TYPE, "do_replace() missing required arguments: 'old' and 'new'");
    }
    tn_val args[3] = { tn_val_str(tn_jlib_text(c->arena, tn_call_arg(c, 1, "old"))),
        tn_val_str(tn_jlib_text(c->arena, tn_call_arg(c, 2, "new"))), tn_val_int(-1) };
    if (tn_call_has(c, 3, "count") && tn_call_arg(c, 3, "count").tag != TN_NONE) {
        args[2] = tn_call_arg(c, 3, "count");
    }
    return by_method(c, "replace", v, args, 3, ret, err);
}

tn_rc tn_jfilter_indent(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("indent", 4, "width", "first", "blank");
    int64_t width = 4;
    tn_val w = tn_call_arg(c, 1, "width");
    tn_str by = w.tag == TN_STR_V ? tn_val_as_str(w) : TN_STR_NONE;
    if (w.tag != TN_STR_V) {
        TN_TRY(tn_jlib_int_arg(c, 1, "width", &width, err));
        if (width > 1000000) {
            return tn_fail(err, TN_E_LIMIT, "an indent of more than 1000000 characters");
        }
        tn_buf spaces = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
        tn_buf_add_repeat(&spaces, ' ', width < 0 ? 0 : (size_t)width);
        by = tn_buf_str(&spaces);
    }
    bool first = tn_jlib_bool_arg(c, 2, "first", false),
         blank = tn_jlib_bool_arg(c, 3, "blank", false);
    tn_list *lines = tn_jlib_list_new(c->arena);
    tn_str text = tn_str_concat(c->arena, tn_jlib_text(c->arena, v), TN_STR("\n"));
    TN_TRY(tn_jlib_splitlines(c->arena, text, false, lines));
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    for (size_t i = 0; i < lines->n; i++) {
        tn_str line = tn_val_as_str(lines->v[i]);
        if (i > 0) {
            tn_buf_addc(&b, '\n');
        }
        if (i == 0 ? first : blank || line.n > 0) {
            tn_buf_add(&b, by);
        }
        tn_buf_add(&b, line);
    }
    return tn_jlib_finish(&b, ret, err);
}

tn_rc tn_jfilter_truncate(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("truncate", 5, "length", "killwords", "end", "leeway");
    int64_t length = 255, leeway = 5;
    tn_str s = tn_jlib_text(c->arena, v), end = TN_STR("...");
    TN_TRY(tn_jlib_int_arg(c, 1, "length", &length, err));
    if (tn_call_has(c, 3, "end")) {
        end = tn_jlib_text(c->arena, tn_call_arg(c, 3, "end"));
    }
    if (tn_call_arg(c, 4, "leeway").tag != TN_NONE) {
        TN_TRY(tn_jlib_int_arg(c, 4, "leeway", &leeway, err));
    }
    int64_t end_n = (int64_t)tn_utf8_len(end);
    if (length < end_n) {
        return tn_fail(err, TN_E_VALUE, "expected length >= %lld, got %lld", (long long)end_n,
            (long long)length);
    }
    if (leeway < 0) {
        return tn_fail(err, TN_E_VALUE, "expected leeway >= 0, got %lld", (long long)leeway);
    }
    if ((int64_t)tn_utf8_len(s) <= length + leeway) {
        *ret = v.tag == TN_STR_V ? v : tn_val_str(s);
        return TN_OK;
    }
    tn_str cut = tn_str_sub(s, 0, tn_utf8_offset(s, (size_t)(length - end_n)));
    if (!tn_jlib_bool_arg(c, 2, "killwords", false)) {
        size_t space = tn_str_rfind_char(cut, ' ');
        cut = space == SIZE_MAX ? cut : tn_str_sub(cut, 0, space);
    }
    *ret = tn_val_str(tn_str_concat(c->arena, cut, end));
    return TN_OK;
}

tn_rc tn_jfilter_wordcount(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("wordcount", 1, NULL);
    tn_str s = tn_jlib_text(c->arena, v);
    int64_t n = 0;
    bool in = false;
    for (size_t at = 0; at < s.n;) {
        uint32_t cp;
        at = next_char(s, at, &cp);
        bool word = cp == '_' || tn_uni_is_alnum(cp);
        n += word && !in ? 1 : 0;
        in = word;
    }
    *ret = tn_val_int(n);
    return TN_OK;
}

/* ---- wordwrap: Python's textwrap.wrap on each line ---- */
typedef struct wrapper {
    int64_t width;
    bool break_words, break_hyphens;
    tn_list *chunks;
    size_t at;   /* the chunk that is next */
    tn_str rest; /* what is left of it, when a part was taken */
} wrapper;

static tn_rc cut_chunks(const tn_call *c, wrapper *w, tn_str line, tn_err *err)
{
    /* textwrap's wordsep_re: words, white space, and places after hyphens between letters. */
    static const char by_hyphen[] =
        "([\\t\\n\\x0b\\x0c\\r ]+|(?<=[\\w!\"'&.,?])-{2,}(?=\\w)|[^\\t\\n\\x0b\\x0c\\r "
        "]+?(?:-(?:(?<=[^\\d\\W]{2}-)|"
        "(?<=[^\\d\\W]-[^\\d\\W]-))(?=[^\\d\\W]-?[^\\d\\W])|(?=[\\t\\n\\x0b\\x0c\\r ]|\\Z)|"
        "(?<=[\\w!\"'&.,?])(?=-{2,}\\w)))";
    static const char by_space[] = "([\\t\\n\\x0b\\x0c\\r ]+)";
    tn_list *pieces = tn_jlib_list_new(c->arena);
    TN_TRY(tn_jregex_split(c->arena, w->break_hyphens ? by_hyphen : by_space, line, pieces, err));
    w->chunks = tn_jlib_list_new(c->arena);
    for (size_t i = 0; i < pieces->n; i++) {
        if (tn_val_as_str(pieces->v[i]).n > 0) {
            tn_list_push(w->chunks, pieces->v[i]);
        }
    }
    w->at = 0;
    return TN_OK;
}

static bool is_blank(tn_str s)
{
    return tn_jlib_strip(s, 3).n == 0;
}

/* A chunk wider than a line: its head fills this line. */
static void take_long(wrapper *w, tn_list *line, int64_t used)
{
    tn_val *chunk = &w->chunks->v[w->at];
    tn_str s = tn_val_as_str(*chunk);
    int64_t room = w->width < 1 ? 1 : w->width - used;
    if (!w->break_words) {
        if (line->n == 0) {
            tn_list_push(line, w->chunks->v[w->at++]);
        }
        return;
    }
    size_t end = tn_utf8_offset(s, room < 0 ? 0 : (size_t)room);
    if (w->break_hyphens) {
        size_t hyphen = tn_str_rfind_char(tn_str_sub(s, 0, end), '-');
        bool other = false;
        for (size_t i = 0; hyphen != SIZE_MAX && i < hyphen; i++) {
            other = other || s.p[i] != '-';
        }
        end = hyphen != SIZE_MAX && hyphen > 0 && other ? hyphen + 1 : end;
    }
    tn_list_push(line, tn_val_str(tn_str_sub(s, 0, end)));
    *chunk = tn_val_str(tn_str_sub(s, end, s.n));
}

static void wrap_line(const tn_call *c, wrapper *w, tn_list *lines)
{
    size_t first = lines->n;
    while (w->at < w->chunks->n) {
        tn_list *line = tn_jlib_list_new(c->arena);
        int64_t used = 0;
        if (is_blank(tn_val_as_str(w->chunks->v[w->at])) && lines->n > first) {
            w->at++;
        }
        while (w->at < w->chunks->n) {
            int64_t n = (int64_t)tn_utf8_len(tn_val_as_str(w->chunks->v[w->at]));
            if (used + n > w->width) {
                break;
            }
            tn_list_push(line, w->chunks->v[w->at++]);
            used += n;
        }
        if (w->at < w->chunks->n &&
            (int64_t)tn_utf8_len(tn_val_as_str(w->chunks->v[w->at])) > w->width) {
            take_long(w, line, used);
        }
        if (line->n > 0 && is_blank(tn_val_as_str(line->v[line->n - 1]))) {
            line->n--;
        }
        if (line->n > 0) {
            tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
            for (size_t i = 0; i < line->n; i++) {
                tn_buf_add(&b, tn_val_as_str(line->v[i]));
            }
            tn_list_push(lines, tn_val_str(tn_buf_str(&b)));
        }
    }
}

tn_rc tn_jfilter_wordwrap(void *self, const tn_call *c, tn_val *ret, tn_err *err)
{
    TN_JFILTER_BEGIN("wordwrap", 5, "width", "break_long_words", "wrapstring", "break_on_hyphens");
    wrapper w = { .width = 79 };
    TN_TRY(tn_jlib_int_arg(c, 1, "width", &w.width, err));
    w.break_words = tn_jlib_bool_arg(c, 2, "break_long_words", true);
    w.break_hyphens = tn_jlib_bool_arg(c, 4, "break_on_hyphens", true);
    tn_val by = tn_call_arg(c, 3, "wrapstring");
    tn_str sep = by.tag == TN_STR_V ? tn_val_as_str(by) : TN_STR("\n");
    if (w.width <= 0) {
        return tn_fail(err, TN_E_VALUE, "invalid width %lld (must be > 0)", (long long)w.width);
    }
    tn_list *in = tn_jlib_list_new(c->arena);
    TN_TRY(tn_jlib_splitlines(c->arena, tn_jlib_text(c->arena, v), false, in));
    tn_buf b = tn_buf_init(c->arena, TN_JLIB_TEXT_MAX);
    for (size_t i = 0; i < in->n; i++) {
        tn_list *lines = tn_jlib_list_new(c->arena);
        TN_TRY(cut_chunks(c, &w, tn_val_as_str(in->v[i]), err));
        wrap_line(c, &w, lines);
        if (i > 0) {
            tn_buf_add(&b, sep);
        }
        for (size_t k = 0; k < lines->n; k++) {
            if (k > 0) {
                tn_buf_add(&b, sep);
            }
            tn_buf_add(&b, tn_val_as_str(lines->v[k]));
        }
    }
    return tn_jlib_finish(&b, ret, err);
}
