/* Reading a script for its faults, and comparing definitions; no server is asked. */
#include "support/test.h"

#include "index/lint/form.h"
#include "index/lint/rules.h"
#include "index/lint/statement.h"

static struct lint_script
parsed(struct ctx *ctx, const char *text)
{
    struct lint_script script;

    if (!lint_script_parse(ctx, "x.sql", text, strlen(text), &script))
        fail_msg("%s", ctx->error.message);
    return script;
}

static struct lint_statement
one(struct ctx *ctx, const char *text)
{
    struct lint_script script = parsed(ctx, text);

    assert_int_equal(script.count, 1);
    return script.items[0];
}

static void
head_is_read(void **state)
{
    struct ctx *ctx = *state;
    struct lint_statement read = one(ctx,
        "create /* x */ unique index concurrently if not exists \"My\"\"i\" on only App . \"T\" "
        "using Gin (lower(b), c)");

    assert_int_equal(read.kind, LINT_INDEX);
    assert_string_equal(read.name, "My\"i");
    assert_string_equal(read.schema, "app");
    assert_string_equal(read.relation, "T");
    assert_string_equal(read.table, "App . \"T\"");
    assert_string_equal(read.method, "gin");
    assert_true(read.is_unique);
    assert_true(read.is_only);
    assert_memory_equal(read.text + read.concurrently.start, "concurrently", 12);
    assert_memory_equal(read.text + read.if_not_exists.start, "if not exists", 13);
    assert_int_equal(read.if_not_exists.end - read.if_not_exists.start, 13);
    assert_string_equal(text_list_join(ctx->arena, &read.columns, " "), "b c");
    assert_string_equal(text_list_join(ctx->arena, &read.functions, " "), "lower");
}

static void
what_does_not_parse_has_a_head(void **state)
{
    struct lint_statement read = one(*state, "CREATE INDEX i ON t (a::date)");

    assert_non_null(read.problem);
    assert_int_equal(read.kind, LINT_INDEX);
    assert_string_equal(read.relation, "t");
    assert_string_equal(read.rest, " (a::date)");
    assert_int_equal(one(*state, "CREATE INDEXX i ON t (a)").kind, LINT_BROKEN);
    assert_int_equal(one(*state, "CREATE INDEX").kind, LINT_BROKEN);
    assert_null(one(*state, "CREATE INDEX ON t (a)").name);
}

static void
kinds_and_transactions(void **state)
{
    static const enum lint_kind kinds[] = { LINT_BEGIN, LINT_INDEX, LINT_COMMIT, LINT_QUERY,
        LINT_QUERY, LINT_RELATION, LINT_EXTENSION, LINT_OTHER, LINT_RELATION, LINT_INDEX };
    struct lint_script script = parsed(*state,
        "START TRANSACTION; CREATE INDEX i ON t (a); END; SELECT 1; DELETE FROM t; CREATE TABLE u (a int);"
        "CREATE EXTENSION vector; ANALYZE; CREATE MATERIALIZED VIEW v AS SELECT 1; CREATE INDEX k ON t (b)");

    assert_int_equal(script.count, COUNT_OF(kinds));
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        assert_string_equal(lint_kind_name(script.items[i].kind), lint_kind_name(kinds[i]));
    assert_true(script.items[1].in_transaction);
    assert_false(script.items[9].in_transaction);
    assert_string_equal(script.items[5].made.items[0], "u");
    assert_string_equal(script.items[6].made.items[0], "vector");
    assert_string_equal(script.items[8].made.items[0], "v");
}

static void
blocks_give_up_their_indexes(void **state)
{
    struct lint_statement plain = one(*state,
        "DO $$ BEGIN IF (SELECT count(*) > 3 FROM t) THEN EXECUTE 'CREATE INDEX CONCURRENTLY i ON t (a)"
        " WHERE b = ''x'''; END IF; END $$");
    struct lint_statement more =
        one(*state, "DO $$ BEGIN DELETE FROM t; CREATE INDEX i ON t (a); END $$");

    assert_int_equal(plain.inner.count, 1);
    assert_string_equal(plain.inner.items[0], "CREATE INDEX CONCURRENTLY i ON t (a) WHERE b = 'x'");
    assert_true(plain.is_plain_block);
    assert_true(plain.has_concurrently);
    assert_int_equal(more.inner.count, 1);
    assert_false(more.is_plain_block);
    assert_false(more.has_concurrently);
}

static void
queries_tell_their_columns(void **state)
{
    struct lint_query query = one(*state,
        "SELECT 1 FROM s.t AS x JOIN u ON true WHERE x.a = 1 AND b IN (1, 2) AND (c = 1 OR d = 2)"
        " AND e LIKE 'x%' AND f LIKE '%x' ORDER BY x.g DESC NULLS LAST, h, v <=> $1 LIMIT 1")
                                  .query;
    struct ctx *ctx = *state;

    assert_string_equal(text_list_join(ctx->arena, &query.relations, " "), "t x u u");
    assert_string_equal(text_list_join(ctx->arena, &query.equals, " "), "a b");
    assert_string_equal(text_list_join(ctx->arena, &query.likes, " "), "e");
    assert_int_equal(query.orders.count, 3);
    assert_string_equal(query.orders.items[0].relation, "x");
    assert_true(query.orders.items[0].is_descending);
    assert_false(query.orders.items[0].is_nulls_first);
    assert_false(query.orders.items[1].is_nulls_first);
    assert_string_equal(query.orders.items[2].operator, "<=>");
    assert_string_equal(query.orders.items[2].column, "v");
}

static void
places_are_those_of_names(void **state)
{
    struct lint_script script = parsed(*state, "\n  CREATE INDEX b ON t\n  (a, b);");
    struct place place = lint_place_of(*state, &script.items[0], "b");

    assert_int_equal(script.items[0].place.line, 2);
    assert_int_equal(script.items[0].place.column, 3);
    assert_int_equal(script.items[0].place.end_line, 3);
    assert_int_equal(place.line, 3);
    assert_int_equal(place.column, 7);
}

static void
bad_input_is_refused(void **state)
{
    struct ctx *ctx = *state;
    struct lint_script script;

    assert_false(lint_script_parse(ctx, "x.sql", "", 0, &script));
    assert_error(ctx, ERR_INPUT, "x.sql holds no statement");
    assert_false(lint_script_parse(ctx, "x.sql", "-- nothing\n", 11, &script));
    assert_error(ctx, ERR_INPUT, "holds no statement");
    assert_false(lint_script_parse(ctx, "x.sql", "SELECT\0 1", 9, &script));
    assert_error(ctx, ERR_INPUT, "NUL byte");
    assert_false(lint_script_parse(ctx, "x.sql", "SELECT '\xff'", 10, &script));
    assert_error(ctx, ERR_INPUT, "not UTF-8");
}

/* What is open breaks its own statement and not those behind it; a byte order mark and psql's own pass. */
static void
open_ends_hide_nothing(void **state)
{
    static const char *const texts[] = {
        "SELECT 1;\nCREATE INDEX i ON t (a;\nCREATE INDEX k ON t (b);\n",
        "SELECT 1;\nSELECT 'open;\nCREATE INDEX k ON t (b);\n",
        "SELECT 1;\nSELECT 'open;\nCREATE INDEX k ON t (b) WHERE c = 'd';\n",
        "\xEF\xBB\xBFSELECT 1;\n\\set x 1\nCREATE INDEX k ON t (b);\n",
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct lint_script script;

        if (!lint_script_parse(ctx, "x.sql", texts[i], strlen(texts[i]), &script))
            fail_msg("%s", ctx->error.message);
        assert_int_equal(script.count, 3);
        assert_int_equal(script.items[0].kind, LINT_QUERY);
        assert_int_equal(script.items[0].place.column, 1);
        assert_int_equal(script.items[1].place.line, 2);
        assert_true(script.items[1].problem != NULL || script.items[1].kind == LINT_OTHER);
        assert_int_equal(script.items[2].place.line, 3);
        assert_int_equal(script.items[2].kind, LINT_INDEX);
        assert_string_equal(script.items[2].name, "k");
    }
}

struct pair {
    const char *wide;
    bool is_wide_unique;
    const char *narrow;
    bool is_narrow_unique;
    enum lint_overlap overlap;
};

static const struct pair pairs[] = {
    { "USING btree (a, b)", false, "USING btree (a)", false, LINT_PREFIX },
    { "USING btree (a, b)", false, "(a)", false, LINT_PREFIX },
    { "USING btree (a, b)", false, "USING btree (b)", false, LINT_APART },
    { "USING btree (a)", false, "USING btree (a)", false, LINT_SAME },
    /* Read backwards it is the same order. */
    { "USING btree (a, b DESC)", false, "USING btree (a DESC, b)", false, LINT_SAME },
    { "USING btree (a DESC, b)", false, "USING btree (a)", false, LINT_PREFIX },
    { "USING btree (a, b DESC)", false, "USING btree (a, b)", false, LINT_APART },
    { "USING btree (a DESC NULLS LAST)", false, "USING btree (a)", false, LINT_APART },
    { "USING btree (a DESC NULLS LAST)", false, "USING btree (a NULLS FIRST)", false, LINT_SAME },
    { "USING btree (a, b) WHERE c", false, "USING btree (a)", false, LINT_APART },
    { "USING btree (a, b) WHERE c", false, "USING btree (a) WHERE c", false, LINT_PREFIX },
    { "USING btree (a, b)", false, "USING btree (a) WHERE c", false, LINT_APART },
    { "USING btree (a)", false, "USING btree (a) INCLUDE (b)", false, LINT_APART },
    { "USING btree (a) INCLUDE (b)", false, "USING btree (a)", false, LINT_PREFIX },
    { "USING btree (a, b)", false, "USING btree (a) INCLUDE (b)", false, LINT_PREFIX },
    /* A UNIQUE index does what no other one does. */
    { "USING btree (a, b)", false, "USING btree (a)", true, LINT_APART },
    { "USING btree (a)", false, "USING btree (a)", true, LINT_APART },
    { "USING btree (a)", true, "USING btree (a)", false, LINT_TWIN },
    { "USING btree (a)", true, "USING btree (a DESC) WHERE c", false, LINT_TWIN },
    { "USING btree (a) WHERE c", true, "USING btree (a)", false, LINT_APART },
    { "USING btree (a, b)", true, "USING btree (a)", false, LINT_PREFIX },
    { "USING btree (a)", true, "USING btree (a, b)", false, LINT_APART },
    { "USING btree (lower(a), b)", false, "USING btree (lower(a))", false, LINT_PREFIX },
    { "USING btree (a text_pattern_ops)", false, "USING btree (a)", false, LINT_APART },
    { "USING gin (a, b)", false, "USING gin (a)", false, LINT_APART },
    { "USING gin (a)", false, "USING gin (a)", false, LINT_SAME },
    { "USING hash (a)", false, "USING btree (a)", false, LINT_APART },
};

static void
definitions_are_compared(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        const struct pair *pair = &pairs[i];
        struct lint_form wide, narrow;
        enum lint_overlap overlap;

        lint_form_read(ctx, pair->wide, &wide);
        lint_form_read(ctx, pair->narrow, &narrow);
        overlap = lint_form_compare(&wide, pair->is_wide_unique, &narrow, pair->is_narrow_unique);
        if (overlap != pair->overlap)
            fail_msg(
                "%s, %s: %d, not %d", pair->wide, pair->narrow, (int)overlap, (int)pair->overlap);
    }
}

static void
rules_are_complete(void **state)
{
    struct ctx *ctx = *state;
    const char *page;
    size_t length;

    assert_true(file_read(ctx, test_source(ctx, "docs/index-lint.md"), &page, &length));
    for (size_t i = 0; i < LINT_RULE_COUNT; i++) {
        const struct rule *rule = lint_rule((enum lint_rule)i);

        if (!rule)
            fail_msg("rule %zu has no row", i);
        assert_non_null(rule->group);
        assert_non_null(rule->summary);
        assert_non_null(rule->why);
        assert_non_null(rule->instead);
        assert_non_null(rule->passes);
        assert_ptr_equal(lint_rule_find(rule->id), rule);
        if (!strstr(page, arena_printf(ctx->arena, "`%s`", rule->id)))
            fail_msg("%s is not in docs/index-lint.md", rule->id);
    }
    assert_null(lint_rule_find("no-such-rule"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(head_is_read),
        test_with_ctx(what_does_not_parse_has_a_head),
        test_with_ctx(kinds_and_transactions),
        test_with_ctx(blocks_give_up_their_indexes),
        test_with_ctx(queries_tell_their_columns),
        test_with_ctx(places_are_those_of_names),
        test_with_ctx(bad_input_is_refused),
        test_with_ctx(open_ends_hide_nothing),
        test_with_ctx(definitions_are_compared),
        test_with_ctx(rules_are_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
