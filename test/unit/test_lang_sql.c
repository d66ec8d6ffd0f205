/* Splitting, parsing and fingerprints of SQL text. */
#include "support/test.h"

#include <string.h>

#include "lang/sql.h"

static void
scripts_are_split_at_the_semicolons_that_end_statements(void **state)
{
    static const struct {
        const char *text;
        const char *statements[4]; /* NULL after the last */
    } cases[] = {
        { "", { NULL } },
        { " ;; -- only a comment\n /* ; */ ;", { NULL } },
        { "SELECT 1", { "SELECT 1" } },
        { "SELECT 'a;b'; SELECT $$c;d$$ ;", { "SELECT 'a;b'", "SELECT $$c;d$$" } },
        { "-- one;\nSELECT 1 -- two;\n;/* ; */ x", { "SELECT 1", "x" } },
        { "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
            { "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3" } },
        { "create or replace function f() returns int begin atomic; select case when true then 1 "
          "end; end; commit",
            { "create or replace function f() returns int begin atomic; select case when true "
              "then 1 end; end",
                "commit" } },
        { "BEGIN; SELECT 1; END", { "BEGIN", "SELECT 1", "END" } },
        { "SELECT ) ; nonsense ; CREATE INDEX ON", { "SELECT )", "nonsense", "CREATE INDEX ON" } },
        { "SELECT U&'a;''b'; SELECT U&\"c;\"\"d\"",
            { "SELECT U&'a;''b'", "SELECT U&\"c;\"\"d\"" } },
    };
    struct ctx *ctx = *state;
    struct sql_statements found;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t count = 0;

        assert_true(sql_split(ctx, "script", cases[i].text, &found));
        for (; cases[i].statements[count]; count++) {
            assert_true(count < found.count);
            assert_string_equal(found.items[count].text, cases[i].statements[count]);
        }
        assert_int_equal(found.count, count);
    }
}

static void
statements_know_their_line_and_column_in_characters(void **state)
{
    struct ctx *ctx = *state;
    struct sql_statements found;

    assert_true(sql_split(ctx, "script", "SELECT 'Привет'; SELECT 2;\n\n  SELECT 3", &found));
    assert_int_equal(found.count, 3);
    assert_int_equal(found.items[1].line, 1);
    assert_int_equal(found.items[1].column, 18);
    assert_int_equal(found.items[1].offset, 23);
    assert_int_equal(found.items[2].line, 3);
    assert_int_equal(found.items[2].column, 3);
}

static void
an_open_quote_is_refused_with_its_place(void **state)
{
    struct ctx *ctx = *state;
    struct sql_statements found;

    assert_false(sql_split(ctx, "up.sql", "SELECT 'ж';\nSELECT 'open", &found));
    assert_int_equal(ctx->error.kind, ERR_INPUT);
    assert_non_null(strstr(ctx->error.message, "up.sql:2:8: unterminated quoted string"));
}

static void
a_syntax_error_is_refused_with_its_place(void **state)
{
    struct ctx *ctx = *state;
    json_t *tree;
    const char *hex;
    const char *normal;

    assert_false(sql_parse(ctx, "SELECT 'ж',\n  FRM x y", &tree));
    assert_null(tree);
    assert_int_equal(ctx->error.kind, ERR_INPUT);
    assert_string_equal(ctx->error.message, "2:9: syntax error at or near \"y\"");
    assert_false(sql_fingerprint(ctx, "SELEC", &hex));
    assert_string_equal(ctx->error.message, "1:1: syntax error at or near \"SELEC\"");
    assert_false(sql_normalize(ctx, "SELECT (", &normal));
    assert_string_equal(ctx->error.message, "1:9: syntax error at end of input");
}

static void
the_parse_tree_has_one_entry_a_statement(void **state)
{
    struct ctx *ctx = *state;
    json_t *tree CLEANUP(json_release) = NULL;

    assert_true(sql_parse(ctx, "SELECT 1; DROP TABLE t", &tree));
    assert_int_equal(json_array_size(json_object_get(tree, "stmts")), 2);
    assert_non_null(json_object_get(
        json_object_get(json_array_get(json_object_get(tree, "stmts"), 1), "stmt"), "DropStmt"));
}

static void
deep_nesting_is_an_error_and_no_crash(void **state)
{
    enum { DEPTH = 50000 };
    struct ctx *ctx = *state;
    char *text = arena_alloc(ctx->arena, 2 * DEPTH + 16);
    json_t *tree;
    const char *hex;

    strncat(text, "SELECT ", 8);
    memset(text + 7, '(', DEPTH);
    text[7 + DEPTH] = '1';
    memset(text + 8 + DEPTH, ')', DEPTH);
    assert_false(sql_parse(ctx, text, &tree));
    assert_int_equal(ctx->error.kind, ERR_INPUT);
    assert_false(sql_fingerprint(ctx, text, &hex));
    assert_int_equal(ctx->error.kind, ERR_INPUT);
}

static void
fingerprints_ignore_what_does_not_change_the_plan_shape(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } cases[] = {
        { "SELECT a FROM t WHERE id = 5", "select  a from t where id = $1 -- x", true },
        { "SELECT a FROM t WHERE id IN (1, 2)", "SELECT a FROM t WHERE id IN ($1)", true },
        { "SELECT a FROM t WHERE b > now() - interval '30 days'",
            "SELECT a FROM t WHERE b > now() - interval $1", true },
        { "SELECT a FROM t LIMIT 50", "SELECT a FROM t LIMIT '50'", true },
        { "SELECT a FROM t", "SELECT b FROM t", false },
        { "SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a DESC", false },
    };
    struct ctx *ctx = *state;
    const char *a;
    const char *b;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(sql_fingerprint(ctx, cases[i].a, &a));
        assert_true(sql_fingerprint(ctx, cases[i].b, &b));
        assert_int_equal(strlen(a), 16);
        assert_int_equal(strcmp(a, b) == 0, cases[i].same);
    }
}

static void
normalising_puts_parameters_in_the_place_of_constants(void **state)
{
    struct ctx *ctx = *state;
    const char *normal;

    assert_true(sql_normalize(ctx, "SELECT a FROM t WHERE b = 'x' AND c > 3", &normal));
    assert_string_equal(normal, "SELECT a FROM t WHERE b = $1 AND c > $2");
}

static void
tokens_have_their_kind_and_place(void **state)
{
    static const char *text =
        "SELECT U&\"d\"\"\" , b::int /* c */ FROM t WHERE x=$1+'y' AND n >= .5";
    static const struct {
        const char *text;
        enum sql_token_kind kind;
    } expected[] = {
        { "SELECT", SQL_KEYWORD },
        { "U&\"d\"\"\"", SQL_NAME },
        { ",", SQL_PUNCTUATION },
        { "b", SQL_NAME },
        { "::", SQL_OPERATOR },
        { "int", SQL_KEYWORD },
        { "/* c */", SQL_COMMENT },
        { "FROM", SQL_KEYWORD },
        { "t", SQL_NAME },
        { "WHERE", SQL_KEYWORD },
        { "x", SQL_NAME },
        { "=", SQL_OPERATOR },
        { "$1", SQL_PARAM },
        { "+", SQL_OPERATOR },
        { "'y'", SQL_CONSTANT },
        { "AND", SQL_KEYWORD },
        { "n", SQL_NAME },
        { ">=", SQL_OPERATOR },
        { ".5", SQL_CONSTANT },
    };
    struct ctx *ctx = *state;
    struct sql_tokens tokens;

    assert_true(sql_tokens(ctx, text, &tokens));
    assert_int_equal(tokens.count, COUNT_OF(expected));
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];

        assert_int_equal(token->kind, expected[i].kind);
        assert_int_equal(token->end - token->start, strlen(expected[i].text));
        assert_memory_equal(text + token->start, expected[i].text, token->end - token->start);
    }
    assert_true(tokens.items[0].is_reserved);
    assert_false(tokens.items[5].is_reserved);
}

static void
a_name_ends_after_its_last_part(void **state)
{
    static const struct {
        const char *name; /* the name as it stands; what follows begins with a space */
        const char *rest;
    } cases[] = {
        { "t", " (a)" },
        { "t", "(a)" },
        { "public.t", " USING btree (a)" },
        { "\"We\"\"ird . name\".\"t\"", " (a)" },
        { "a /* x */ . -- y\n \"b\"", " (a)" },
        { "U&\"d!0061t\" UESCAPE '!' . t", " (a)" },
        { "U&\"a\"\"b\"", " (a)" },
        { "\"Таблица\".имя", " (a)" },
        { "db.s.t", " USING gin (a)" },
        { "value", " (a)" },
        { "", "(a)" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[256];

        snprintf(text, sizeof(text), "CREATE INDEX ON %s%s", cases[i].name, cases[i].rest);
        assert_int_equal(sql_name_end(text, 16), 16 + strlen(cases[i].name));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(scripts_are_split_at_the_semicolons_that_end_statements),
        test_with_ctx(statements_know_their_line_and_column_in_characters),
        test_with_ctx(an_open_quote_is_refused_with_its_place),
        test_with_ctx(a_syntax_error_is_refused_with_its_place),
        test_with_ctx(the_parse_tree_has_one_entry_a_statement),
        test_with_ctx(deep_nesting_is_an_error_and_no_crash),
        test_with_ctx(fingerprints_ignore_what_does_not_change_the_plan_shape),
        test_with_ctx(normalising_puts_parameters_in_the_place_of_constants),
        test_with_ctx(tokens_have_their_kind_and_place),
        test_with_ctx(a_name_ends_after_its_last_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
