// layers: base text os
/* test_yaml.c: YAML 1.1 against PyYAML (tests/golden/project_yaml.jsonl, made by tests/oracle/yaml_oracle.py), places, limits. */
#include "os/file.h"
#include "text/json.h"
#include "text/yaml.h"
#include "tn_test.h"

typedef struct golden {
    tn_arena *arena;
    int cases;
    int bad;
} golden;

static void check_value(golden *g, tn_val c, tn_str text)
{
    tn_val v;
    tn_err err = TN_ERR_INIT;
    tn_rc rc = tn_yaml_parse(g->arena, text, NULL, &v, &err);
    bool want_error = tn_val_bool_at(c, "error", false);
    tn_str got = rc == TN_OK ? tn_val_to_repr(g->arena, v) : TN_STR("(error)");
    tn_str want = want_error ? TN_STR("(error)") : tn_val_str_at(c, "repr", TN_STR_NONE);
    if (!tn_str_eq(got, want)) {
        printf("yaml [" TN_STR_FMT "]\n  got: " TN_STR_FMT " %s\n  want: " TN_STR_FMT "\n",
            TN_STR_ARG(text), TN_STR_ARG(got), err.msg, TN_STR_ARG(want));
        g->bad++;
        return;
    }
    tn_str dump = tn_val_str_at(c, "dump", TN_STR_NONE);
    if (dump.n > 0 && rc == TN_OK) {
        tn_buf b = tn_buf_init(g->arena, TN_BUF_NO_LIMIT);
        tn_yaml_print(&b, v, true);
        if (!tn_str_eq(tn_buf_str(&b), dump)) {
            printf("dump of " TN_STR_FMT "\n  got: [" TN_STR_FMT "]\n  want: [" TN_STR_FMT "]\n",
                TN_STR_ARG(got), TN_STR_ARG(tn_buf_str(&b)), TN_STR_ARG(dump));
            g->bad++;
        }
    }
}

static tn_rc each_case(void *self, tn_val c, tn_str raw, tn_err *err)
{
    (void)raw, (void)err;
    golden *g = self;
    g->cases++;
    check_value(g, c, tn_val_str_at(c, "yaml", TN_STR_NONE));
    return TN_OK;
}

TN_TEST(reads_and_prints_what_pyyaml_does)
{
    tn_str text;
    TN_ASSERT_OK(tn_file_read(
        arena, TN_STR(TN_TESTS_DIR "/golden/project_yaml.jsonl"), 1 << 24, &text, err));
    golden g = { .arena = arena };
    TN_ASSERT_OK(tn_json_parse_lines(arena, text, each_case, &g, err));
    TN_ASSERT(g.cases > 150);
    TN_ASSERT_EQ_I(g.bad, 0);
}

TN_TEST(knows_where_entries_are)
{
    tn_yaml_places *places = NULL;
    tn_yaml_opts opts = { .file = "m.yml", .ret_places = &places };
    tn_val v;
    TN_ASSERT_OK(tn_yaml_parse(
        arena, TN_STR("version: 2\nmodels:\n  - name: a\n    description:  x\n"), &opts, &v, err));
    tn_val model = tn_val_at(v, "models").list->v[0];
    tn_yaml_mark m;
    TN_ASSERT(tn_yaml_place(places, model.dict, tn_val_z("description"), &m));
    TN_ASSERT_EQ_I(m.line, 4);
    TN_ASSERT_EQ_I(m.col, 19);
    TN_ASSERT(!tn_yaml_place(places, model.dict, tn_val_z("nothing"), &m));
}

TN_TEST(says_where_it_went_wrong)
{
    tn_yaml_opts opts = { .file = "m.yml" };
    tn_val v;
    TN_ASSERT_RC(tn_yaml_parse(arena, TN_STR("a: 1\nb: !!int x\n"), &opts, &v, err), TN_E_VALUE);
    TN_ASSERT_EQ_S(err->file, "m.yml");
    TN_ASSERT_EQ_I(err->line, 2);
    TN_ASSERT_EQ_I(err->col, 4);
}

TN_TEST(notes_double_keys)
{
    tn_val warnings = TN_VAL_UNDEF, v;
    tn_yaml_opts opts = { .ret_warnings = &warnings };
    TN_ASSERT_OK(tn_yaml_parse(arena, TN_STR("a: 1\nb: 2\na: 3\n"), &opts, &v, err));
    TN_ASSERT_EQ_I(warnings.list->n, 1);
    TN_ASSERT_EQ_S(tn_val_as_str(warnings.list->v[0]),
        "Duplicate key 'a' in \"<unicode string>\", line 3, column 1");
    TN_ASSERT_EQ_I(tn_val_at(v, "a").i, 3);
}

TN_TEST(refuses_too_deep_nesting)
{
    tn_buf b = tn_buf_init(arena, 1 << 16);
    tn_buf_add_repeat(&b, '[', 300);
    tn_buf_add_repeat(&b, ']', 300);
    tn_val v;
    TN_ASSERT_RC(tn_yaml_parse(arena, tn_buf_str(&b), NULL, &v, err), TN_E_LIMIT);
}
