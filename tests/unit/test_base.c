// layers: base
// Arenas, errors, strings, buffers, vectors and maps.
#include "base/buf.h"
#include "base/log.h"
#include "base/map.h"
#include "base/nearest.h"
#include "base/vec.h"
#include "tn_test.h"

/* ---- arena ---- */

typedef struct order {
    char text[16];
    size_t n;
} order;

typedef struct note {
    order *to;
    char c;
} note;

static void write_note(void *p)
{
    note *n = p;
    n->to->text[n->to->n++] = n->c;
}

TN_TEST(arena_runs_defers_in_reverse_children_first)
{
    order o = { .n = 0 };
    note a = { &o, 'a' }, b = { &o, 'b' }, c = { &o, 'c' };
    tn_arena *parent = tn_arena_new("parent", arena);
    tn_arena_defer(parent, write_note, &a);
    tn_arena_defer(parent, write_note, &b);
    tn_arena *child = tn_arena_new("child", parent);
    tn_arena_defer(child, write_note, &c);
    tn_arena_free(parent);
    TN_ASSERT_EQ_S(tn_str_n(o.text, o.n), "cba");
}

TN_TEST(arena_pieces_are_aligned_and_keep_their_bytes)
{
    unsigned char *p[200];
    for (size_t i = 0; i < TN_COUNTOF(p); i++) {
        size_t n = i * 37 % 5000;
        p[i] = tn_arena_alloc(arena, n);
        TN_ASSERT_EQ_I((uintptr_t)p[i] % 16, 0);
        memset(p[i], (int)i, n);
    }
    for (size_t i = 0; i < TN_COUNTOF(p); i++) {
        for (size_t k = 0; k < i * 37 % 5000; k++) {
            TN_ASSERT_EQ_I(p[i][k], (unsigned char)i);
        }
    }
}

TN_TEST(arena_grow_keeps_the_old_bytes_in_place_or_moved)
{
    char *p = tn_arena_strdup(arena, "abc");
    char *q = tn_arena_grow(arena, p, 4, 100);
    TN_ASSERT_EQ_S(q, "abc");
    (void)tn_arena_alloc(arena, 1);
    char *r = tn_arena_grow(arena, q, 100, 100000);
    TN_ASSERT(r != q);
    TN_ASSERT_EQ_S(r, "abc");
}

TN_TEST(arena_reset_forgets_and_can_be_used_again)
{
    tn_arena *a = tn_arena_new("again", arena);
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 1000; i++) {
            (void)tn_arena_alloc(a, 100);
        }
        TN_ASSERT_EQ_I(tn_arena_used(a), 100000);
        tn_arena_reset(a);
        TN_ASSERT_EQ_I(tn_arena_used(a), 0);
    }
}

/* ---- errors ---- */

TN_TEST(error_gets_context_in_front_and_keeps_hint_and_place)
{
    tn_rc rc = tn_fail(err, TN_E_NOTFOUND, "no file '%s'", "x");
    rc = tn_hint(err, rc, "look elsewhere");
    tn_err_place(err, "a.yml", 3, 7);
    tn_err_place(err, "b.yml", 9, 9); /* the innermost place stays */
    rc = tn_while(err, rc, "reading %d", 5);
    TN_ASSERT_EQ_I(rc, TN_E_NOTFOUND);
    TN_ASSERT_EQ_S(tn_str_of(err->msg), "reading 5: no file 'x'");
    TN_ASSERT_EQ_S(tn_str_of(err->hint), "look elsewhere");
    TN_ASSERT_EQ_S(tn_str_of(err->file), "a.yml");
    TN_ASSERT_EQ_I(err->line, 3);
}

TN_TEST(a_caught_error_is_passed_on_with_its_hint)
{
    tn_err why = TN_ERR_INIT;
    (void)tn_hint(&why, tn_fail(&why, TN_E_IO, "no %s", "disk"), "buy one");
    TN_ASSERT_RC(tn_while(err, tn_err_pass(err, TN_E_NET, &why), "writing"), TN_E_NET);
    TN_ASSERT_EQ_S(tn_str_of(err->msg), "writing: no disk");
    TN_ASSERT_EQ_S(tn_str_of(err->hint), "buy one");
    TN_ASSERT_EQ_I(err->rc, TN_E_NET);
    TN_ASSERT_RC(tn_err_pass(NULL, TN_E_NET, &why), TN_E_NET);
}

TN_TEST(error_text_is_cut_never_overflows)
{
    char *big = tn_arena_zalloc(arena, 3 * TN_ERR_MSG_MAX);
    memset(big, 'x', 3 * TN_ERR_MSG_MAX - 1);
    (void)tn_fail(err, TN_E_IO, "%s", big);
    TN_ASSERT_EQ_I(strlen(err->msg), TN_ERR_MSG_MAX - 1);
    (void)tn_while(err, TN_E_IO, "%s", big);
    TN_ASSERT_EQ_I(strlen(err->msg), TN_ERR_MSG_MAX - 1);
    (void)tn_fail(err, TN_E_IO, "again: %.10s", err->msg); /* an argument inside err */
    TN_ASSERT_EQ_S(tn_str_of(err->msg), "again: xxxxxxxxxx");
    TN_ASSERT_EQ_I(tn_fail(NULL, TN_E_BUSY, "nobody listens"), TN_E_BUSY);
}

TN_TEST(codes_have_class_retry_and_exit_status)
{
    TN_ASSERT_EQ_I(tn_rc_class(TN_E_CONFLICT), TN_CLASS_CONFLICT);
    TN_ASSERT(tn_rc_retryable(TN_E_NET));
    TN_ASSERT(!tn_rc_retryable(TN_E_TLS));
    TN_ASSERT_EQ_I(tn_rc_exit(TN_E_USAGE), 2);
    TN_ASSERT_EQ_I(tn_rc_exit(TN_E_NODE), 1);
    TN_ASSERT_EQ_S(tn_str_of(tn_rc_name(TN_OK)), "OK");
}

/* ---- strings ---- */

TN_TEST(str_find_cut_trim_replace)
{
    tn_str s = TN_STR("a.b.c"), head, tail;
    TN_ASSERT_EQ_I(tn_str_find(s, TN_STR("b"), 0), 2);
    TN_ASSERT_EQ_I(tn_str_find(s, TN_STR("z"), 0), SIZE_MAX);
    TN_ASSERT_EQ_I(tn_str_find(s, TN_STR(""), 5), 5);
    TN_ASSERT_EQ_I(tn_str_rfind_char(s, '.'), 3);
    TN_ASSERT(tn_str_cut(s, '.', &head, &tail));
    TN_ASSERT_EQ_S(head, "a");
    TN_ASSERT_EQ_S(tail, "b.c");
    TN_ASSERT(!tn_str_cut(head, '.', &head, &tail));
    TN_ASSERT_EQ_S(tn_str_trim(TN_STR(" \t x y\n")), "x y");
    TN_ASSERT_EQ_S(tn_str_replace(arena, TN_STR("aXbXX"), TN_STR("X"), TN_STR("--")), "a--b----");
    TN_ASSERT_EQ_S(tn_str_replace(arena, TN_STR("aXbXX"), TN_STR("X"), TN_STR("")), "ab");
    TN_ASSERT(tn_str_starts(s, TN_STR("a.")) && tn_str_ends(s, TN_STR(".c")) &&
              !tn_str_starts(TN_STR("a"), TN_STR("ab")));
}

TN_TEST(str_numbers_take_the_whole_text_or_nothing)
{
    int64_t i;
    TN_ASSERT(tn_str_to_i64(TN_STR("-9223372036854775808"), &i) && i == INT64_MIN);
    TN_ASSERT(tn_str_to_i64(TN_STR("9223372036854775807"), &i) && i == INT64_MAX);
    TN_ASSERT(!tn_str_to_i64(TN_STR("9223372036854775808"), &i));
    TN_ASSERT(!tn_str_to_i64(TN_STR(""), &i) && !tn_str_to_i64(TN_STR("-"), &i) &&
              !tn_str_to_i64(TN_STR("1 "), &i));
    double f;
    TN_ASSERT(tn_str_to_f64(TN_STR("1e3"), &f) && f == 1000);
    TN_ASSERT(!tn_str_to_f64(TN_STR("1e3x"), &f) && !tn_str_to_f64(TN_STR(" 1"), &f));
}

TN_TEST(utf8_bad_bytes_count_one_and_are_not_valid)
{
    TN_ASSERT_EQ_I(tn_utf8_len(TN_STR("aé€😀")), 4);
    TN_ASSERT_EQ_I(tn_utf8_offset(TN_STR("aé€"), 2), 3);
    static const char *const bad[] = { "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82",
        "\x80", "\xF0\x80\x80\x80" };
    for (size_t i = 0; i < TN_COUNTOF(bad); i++) {
        TN_ASSERT(!tn_utf8_valid(tn_str_of(bad[i])));
    }
    char out[4];
    uint32_t cp;
    for (uint32_t c = 1; c < 0x110000; c += 97) {
        if (c >= 0xD800 && c < 0xE000) {
            continue;
        }
        size_t n = tn_utf8_encode(c, out);
        TN_ASSERT_EQ_I(tn_utf8_decode(tn_str_n(out, n), &cp), n);
        TN_ASSERT_EQ_I(cp, c);
    }
}

/* ---- buffers ---- */

TN_TEST(buf_limit_is_sticky_and_named)
{
    tn_buf b = tn_buf_init(arena, 5);
    tn_buf_addz(&b, "abc");
    tn_buf_addz(&b, "def");
    tn_buf_addc(&b, 'x');
    tn_str s;
    TN_ASSERT_RC(tn_buf_finish(&b, "the text", &s, err), TN_E_LIMIT);
    TN_ASSERT_EQ_S(tn_str_of(err->msg), "the text is larger than 5 bytes");
    tn_buf_reset(&b);
    tn_buf_addf(&b, "%d", 12345);
    TN_ASSERT_OK(tn_buf_finish(&b, "the text", &s, err));
    TN_ASSERT_EQ_S(s, "12345");
    TN_ASSERT_EQ_I(s.p[s.n], 0);
}

TN_TEST(buf_prints_extreme_integers)
{
    tn_buf b = tn_buf_init(arena, 100);
    tn_buf_add_i64(&b, INT64_MIN);
    tn_buf_addc(&b, ' ');
    tn_buf_add_i64(&b, 0);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "-9223372036854775808 0");
}

/* ---- vec and map ---- */

TN_TEST(map_keeps_order_through_replacing_and_removing)
{
    tn_map m = tn_map_init(arena);
    int values[1000];
    for (int i = 0; i < 1000; i++) {
        values[i] = i;
        tn_map_put(&m, tn_str_printf(arena, "key%d", i), &values[i]);
    }
    for (int i = 0; i < 1000; i += 2) {
        TN_ASSERT(tn_map_remove(&m, tn_str_printf(arena, "key%d", i)));
    }
    TN_ASSERT_EQ_I(m.live, 500);
    for (int i = 0; i < 1000; i += 2) { /* removed keys come back at the end */
        tn_map_put(&m, tn_str_printf(arena, "key%d", i), &values[i]);
    }
    tn_map_put(&m, TN_STR("key1"), &values[7]);
    TN_ASSERT_EQ_I(*(int *)tn_map_find(&m, TN_STR("key1")), 7);
    TN_ASSERT(tn_map_find(&m, TN_STR("key1000")) == NULL);
    TN_ASSERT(!tn_map_remove(&m, TN_STR("nothing")));
    size_t seen = 0;
    for (size_t i = 0; i < m.n; i++) {
        if (m.items[i].value != NULL) {
            bool odd = seen < 500;
            TN_ASSERT_EQ_S(m.items[i].key,
                tn_str_printf(arena, "key%zu", odd ? seen * 2 + 1 : (seen - 500) * 2));
            seen++;
        }
    }
    TN_ASSERT_EQ_I(seen, 1000);
}

TN_TEST(vec_grows)
{
    tn_vec(int) v = { 0 };
    for (int i = 0; i < 1000; i++) {
        tn_vec_push(&v, arena, i);
    }
    TN_ASSERT_EQ_I(v.n, 1000);
    TN_ASSERT_EQ_I(tn_vec_pop(&v), 999);
    TN_ASSERT_EQ_I(tn_vec_last(&v), 998);
}

/* ---- nearest ---- */

static tn_str nearest(const char *word)
{
    static const char *const names[] = { "orders", "customers", "stg_orders", "stg_payments",
        "id" };
    tn_nearest n = tn_nearest_to(tn_str_of(word));
    for (size_t i = 0; i < TN_COUNTOF(names); i++) {
        tn_nearest_try(&n, tn_str_of(names[i]));
    }
    return n.best;
}

TN_TEST(nearest_name_is_that_with_the_fewest_changes)
{
    TN_ASSERT_EQ_S(nearest("ordres"), "orders");
    TN_ASSERT_EQ_S(nearest("Order"), "orders");
    TN_ASSERT_EQ_S(nearest("stg_payment"), "stg_payments");
    TN_ASSERT_EQ_S(nearest("costumers"), "customers");
    TN_ASSERT_EQ_S(nearest("di"), "");
    TN_ASSERT_EQ_S(nearest("shipments"), "");
    TN_ASSERT_EQ_S(nearest(""), "");
}

/* ---- log ---- */

static void keep_line(void *self, tn_log_level level, const char *module, tn_str msg)
{
    tn_buf_addf(self, "%d %s " TN_STR_FMT "\n", (int)level, module, TN_STR_ARG(msg));
}

TN_TEST(log_scrubs_secrets_and_minds_the_level)
{
    tn_buf b = tn_buf_init(arena, 1000);
    tn_log_set(keep_line, &b, TN_LOG_INFO);
    tn_log_secret(TN_STR("hunter22"));
    tn_log_secret(TN_STR("ab")); /* too short to hide without hiding everything */
    tn_log(TN_LOG_DEBUG, "m", "not seen");
    tn_log(TN_LOG_WARN, "m", "key=%s ab", "hunter22");
    tn_log_set(NULL, NULL, TN_LOG_WARN);
    TN_ASSERT_EQ_S(tn_buf_str(&b), "2 m key=***** ab\n");
}
