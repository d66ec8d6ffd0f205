/* Expressions of plans as real servers wrote them, and what is made of candidates without a server. */
#include "support/test.h"

#include "index/candidate/explained_plan.h"
#include "index/candidate/make.h"

static struct fact_column columns[] = {
    { .name = "id",
        .type = "integer",
        .base_type = "int4",
        .type_length = 4,
        .category = 'N',
        .has_btree = true,
        .distinct = 100000,
        .width = 4,
        .has_statistics = true },
    { .name = "user_id",
        .type = "integer",
        .base_type = "int4",
        .type_length = 4,
        .category = 'N',
        .has_btree = true,
        .distinct = 4000,
        .width = 4,
        .has_statistics = true },
    { .name = "Über",
        .type = "text",
        .base_type = "text",
        .type_length = -1,
        .category = 'S',
        .has_btree = true },
    { .name = "at",
        .type = "timestamp with time zone",
        .base_type = "timestamptz",
        .type_length = 8,
        .category = 'D',
        .has_btree = true,
        .distinct = 90000,
        .correlation = 0.99,
        .width = 8,
        .has_statistics = true },
    { .name = "state",
        .type = "character varying(20)",
        .base_type = "varchar",
        .type_length = -1,
        .category = 'S',
        .has_btree = true,
        .distinct = 3,
        .width = 7,
        .has_statistics = true,
        .common = (const char *[]){ "done", "it's" },
        .common_shares = (const double[]){ 0.9, 0.06 },
        .common_count = 2,
        .null_share = 0.02 },
};

static struct fact_table table = { .schema = "public",
    .name = "jobs",
    .qualified = "public.jobs",
    .kind = 'r',
    .rows = 500000,
    .columns = columns,
    .column_count = COUNT_OF(columns) };

static struct facts
facts_of(struct ctx *ctx)
{
    struct facts facts = { .items = &table, .count = 1, .by_name = { .arena = ctx->arena } };

    table.indexes = NULL;
    table.index_count = 0;
    map_set(&facts.by_name, "public.jobs", &table);
    return facts;
}

/* The structure as a text that one can read: and(=(a.x,?),not(a.y)). */
static void
show(struct buffer *text, const struct explained_expr *expr)
{
    static const char *const names[] = { [EXPLAINED_AND] = "and",
        [EXPLAINED_OR] = "or",
        [EXPLAINED_NOT] = "not",
        [EXPLAINED_OPERATOR] = "",
        [EXPLAINED_NULL_TEST] = "null",
        [EXPLAINED_TRUTH_TEST] = "truth",
        [EXPLAINED_ROW] = "row",
        [EXPLAINED_COLUMN] = "",
        [EXPLAINED_FUNCTION] = "call ",
        [EXPLAINED_CAST] = "cast ",
        [EXPLAINED_OTHER] = "?" };

    if (expr->kind == EXPLAINED_COLUMN) {
        buffer_printf(text, "%s.%s", expr->alias, expr->name);
        return;
    }
    buffer_printf(text, "%s%s%s%s%s", expr->is_negated ? "!" : "", names[expr->kind],
        expr->name ? expr->name : "", expr->is_any ? " any" : "", expr->is_all ? " all" : "");
    if (expr->count == 0)
        return;
    for (size_t i = 0; i < expr->count; i++) {
        buffer_add(text, i == 0 ? "(" : ",");
        show(text, expr->items[i]);
    }
    buffer_add(text, ")");
}

static const struct explained_expr *
read(struct ctx *ctx, const char *text)
{
    struct explained_text *source = explained_text_read(ctx, text, NULL);

    return source ? explained_expr_read(ctx->arena, source, 0, source->count) : NULL;
}

/* Left: copied from plans of PostgreSQL 15 and, the last ones, of 17 and 18. */
static void
structure_is_read(void **state)
{
    static const char *const cases[][2] = {
        { "(t.ok AND (t.a <> 3) AND ((t.c)::text = $1))",
            "and(t.ok,<>(t.a,?),=(cast text(t.c),?))" },
        { "(t.d > (now() - '7 days'::interval))", ">(t.d,-(call now,cast interval(?)))" },
        { "(t.a = ANY ('{1,2,3}'::integer[]))", "= any(t.a,cast integer[](?))" },
        { "(t.a <> ALL ($5))", "<> all(t.a,?)" },
        { "((t.ok IS TRUE) AND (t.b IS NOT NULL) AND (ROW(t.d, t.id) < ROW($1, $2)))",
            "and(truth(t.ok),!null(t.b),<(row(t.d,t.id),row(?,?)))" },
        { "(NOT (hashed SubPlan 1))", "not(?)" },
        { "((SubPlan 1) = t.x)", "=(?,t.x)" },
        { "(u.at <= $0)", "<=(u.at,?)" },
        { "(t.b OPERATOR(public.%) 'x'::text)", "%(t.b,cast text(?))" },
        { "(lower((u.email)::text) = $1)", "=(call lower,?)" },
        { "((t.e ->> 'k'::text) = $2)", "=(->>(t.e,cast text(?)),?)" },
        { "CASE WHEN ((x.a > 3) AND x.ok) THEN true ELSE false END", "?" },
        { "((a.\"My \"\"col\"\".x\" = 1) OR (NOT a.ok))", "or(=(a.My \"col\".x,?),not(a.ok))" },
        { "(m.\"timestamp\" >= ($3 AT TIME ZONE 'UTC'::text))", ">=(m.timestamp,?)" },
        { "\"*VALUES*\".column1", "*VALUES*.column1" },
        { "(alternatives: SubPlan 1 or hashed SubPlan 2)", "?" },
        { "(a.x IS DISTINCT FROM b.y)", "?" },
        { "(ANY (t.id = (hashed SubPlan 1).col1))", "call ANY" },
        { "(t.a = (InitPlan 1).col1)", "=(t.a,?)" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer text = { .arena = ctx->arena };
        const struct explained_expr *expr = read(ctx, cases[i][0]);

        assert_non_null(expr);
        show(&text, expr);
        assert_string_equal(buffer_text(&text), cases[i][1]);
    }
}

static void
what_is_no_expression_is_none(void **state)
{
    static const char *const cases[] = { "", "(a.b", "a.b)", "('open", "(CASE )END", "[(])" };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_null(read(ctx, cases[i]));
}

static void
aliases_go_and_literals_are_known(void **state)
{
    struct ctx *ctx = *state;
    const struct explained_expr *expr = read(ctx, "((t_1.state)::text = 'it''s'::text)");

    assert_string_equal(explained_expr_bare(ctx->arena, expr), "(state)::text = 'it''s'::text");
    assert_true(explained_expr_is_literal(expr->items[1]));
    assert_string_equal(explained_expr_value(ctx->arena, expr->items[1]), "it's");
    assert_false(explained_expr_is_literal(expr->items[0]));
    assert_true(explained_expr_is_literal(read(ctx, "'{a,b}'::character varying(9)[]")));
    assert_false(explained_expr_is_literal(read(ctx, "$1")));
    assert_false(explained_expr_is_literal(read(ctx, "now()")));
    assert_false(explained_expr_is_literal(read(ctx, "CURRENT_DATE")));
    assert_false(explained_expr_is_literal(read(ctx, "ARRAY[1, $2]")));
    assert_true(explained_expr_is_literal(read(ctx, "ARRAY[1, 2]")));
    assert_false(explained_expr_is_literal(read(ctx, "(SubPlan 1)")));
}

static void
shares_come_from_the_common_values(void **state)
{
    struct ctx *ctx = *state;
    const struct fact_column *of = &columns[4];

    assert_float_equal(candidate_share(ctx->arena, of, "=", "done"), 0.9, 1e-9);
    assert_float_equal(candidate_share(ctx->arena, of, "<>", "done"), 0.08, 1e-9);
    assert_float_equal(candidate_share(ctx->arena, of, "= ANY", "{done}"), 0.9, 1e-9);
    assert_float_equal(candidate_share(ctx->arena, of, "=", "rare"), 0.02, 1e-9);
    assert_true(candidate_share(ctx->arena, &columns[1], "=", "7") < 0);
    assert_true(candidate_share(ctx->arena, of, ">", "done") < 0);
}

static const char plan[] =
    "[{\"Plan\": {\"Node Type\": \"Limit\", \"Output\": [\"id\", \"at\"], \"Plans\": [{"
    "\"Node Type\": \"Sort\", \"Output\": [\"id\", \"at\"], \"Sort Key\": [\"jobs.at DESC\"],"
    " \"Plans\": [{\"Node Type\": \"Seq Scan\", \"Relation Name\": \"jobs\", \"Schema\": \"public\","
    " \"Alias\": \"jobs\", \"Output\": [\"id\", \"at\"],"
    " \"Filter\": \"((jobs.user_id = $1) AND ((jobs.state)::text = 'it''s'::text)"
    " AND (jobs.at > $2))\"}]}]}}]";

static struct index_candidate *
with(struct index_candidates *candidates, const char *definition)
{
    for (size_t i = 0; i < candidates->items.count; i++)
        if (text_equal(candidates->items.items[i]->definition, definition))
            return candidates->items.items[i];
    fail_msg("%s is missing", definition);
    return NULL;
}

static void
add_plan(struct ctx *ctx, const struct facts *facts, struct index_candidates *ret)
{
    index_candidates_begin(ctx->arena, facts, ret);
    if (!index_candidates_add_plan(ctx, ret, plan, 4, false))
        fail_msg("%s", ctx->error.message);
}

static void
a_plan_gives_candidates(void **state)
{
    struct ctx *ctx = *state;
    struct facts facts = facts_of(ctx);
    struct index_candidates candidates;

    add_plan(ctx, &facts, &candidates);
    (void)with(&candidates, "USING btree (user_id, at DESC)");
    (void)with(&candidates, "USING btree (user_id, at)");
    (void)with(&candidates, "USING btree (user_id, state, at DESC) INCLUDE (id)");
    (void)with(&candidates, "USING btree (user_id, at DESC) WHERE ((state)::text = 'it''s'::text)");
    (void)with(&candidates, "USING brin (at)");
    assert_false(index_candidates_add_plan(ctx, &candidates, "[", 5, false));
    assert_error(ctx, ERR_INPUT, "plan");
}

static void
candidates_are_combined(void **state)
{
    struct ctx *ctx = *state;
    struct facts facts = facts_of(ctx);
    struct index_candidates candidates;
    struct index_candidate *user, *at, *part, *made;

    add_plan(ctx, &facts, &candidates);
    user = with(&candidates, "USING btree (user_id)");
    at = with(&candidates, "USING btree (at)");
    part = with(&candidates, "USING btree (user_id) WHERE ((state)::text = 'it''s'::text)");
    made = index_candidate_combine(&candidates, at, 1, user);
    assert_string_equal(made->definition, "USING btree (at, user_id)");
    assert_int_equal(made->queries.items[0], 4);
    assert_ptr_equal(index_candidate_combine(&candidates, at, 1, user), made);
    assert_ptr_equal(index_candidate_combine(&candidates, made, 1, NULL), at);
    assert_ptr_equal(index_candidate_combine(&candidates, user, 1, part), user);
    made = index_candidate_combine(&candidates, part, 1, at);
    assert_string_equal(
        made->definition, "USING btree (user_id, at) WHERE ((state)::text = 'it''s'::text)");
    assert_null(index_candidate_combine(&candidates, user, 0, NULL));
    assert_null(
        index_candidate_combine(&candidates, user, 1, with(&candidates, "USING brin (at)")));
}

static struct fact_index
there(const struct fact_key *keys, size_t count)
{
    return (struct fact_index){ .name = "x",
        .schema = "public",
        .method = "btree",
        .keys = keys,
        .key_count = count,
        .is_valid = true };
}

#define KEY(name_, ...)                                                                        \
    {                                                                                          \
        .text = name_, .column = name_, .is_default_class = true, .collation = "", __VA_ARGS__ \
    }

static void
what_is_there_serves_or_not(void **state)
{
    static const struct fact_key up[] = { KEY("user_id"), KEY("at"), KEY("id") };
    static const struct fact_key down[] = { KEY("user_id"),
        KEY("at", .is_descending = true, .is_nulls_first = true) };
    static const struct fact_key mixed[] = { KEY("user_id"),
        KEY("at", .is_descending = true, .is_nulls_first = false) };
    static const struct fact_key class[] = { KEY("user_id"),
        { .text = "at", .column = "at", .collation = "", .opclass = "other_ops" } };
    static const struct fact_key whole[] = { KEY("user_id"), KEY("state"), KEY("at") };
    static const struct fact_key included[] = { KEY("id") };
    static const struct fact_key other[] = { KEY("at"), KEY("user_id") };
    struct ctx *ctx = *state;
    struct facts facts = facts_of(ctx);
    struct index_candidates candidates;
    struct index_candidate *wanted, *part;
    struct fact_index index = there(up, 3);

    add_plan(ctx, &facts, &candidates);
    wanted = with(&candidates, "USING btree (user_id, at DESC)");
    part =
        with(&candidates, "USING btree (user_id, at DESC) WHERE ((state)::text = 'it''s'::text)");
    assert_true(index_candidate_is_served(wanted, &index));
    assert_true(index_candidate_is_served(part, &index));
    index.is_valid = false;
    assert_false(index_candidate_is_served(wanted, &index));
    index = there(down, 2);
    assert_true(index_candidate_is_served(wanted, &index));
    index.predicate = "((state)::text = 'it''s'::text)";
    assert_false(index_candidate_is_served(wanted, &index));
    assert_true(index_candidate_is_served(part, &index));
    index.predicate = "(user_id > 3)";
    assert_false(index_candidate_is_served(part, &index));
    index = there(mixed, 2);
    assert_false(index_candidate_is_served(wanted, &index));
    index = there(class, 2);
    assert_false(index_candidate_is_served(wanted, &index));
    index = there(other, 2);
    assert_false(index_candidate_is_served(wanted, &index));
    wanted = with(&candidates, "USING btree (user_id, state, at DESC) INCLUDE (id)");
    index = there(whole, 3);
    assert_false(index_candidate_is_served(wanted, &index));
    index.include = included;
    index.include_count = 1;
    assert_true(index_candidate_is_served(wanted, &index));
}

static void
names_are_free_and_whole(void **state)
{
    static const struct candidate_key keys[] = { { .text = "user_id", .column = "user_id" },
        { .text = "lower((\"Über\" || 'x'::text))" } };
    struct ctx *ctx = *state;
    struct facts facts = facts_of(ctx);
    struct index_candidate candidate = { .table = &table, .method = "btree", .key_count = 2 };
    struct text_list taken = { 0 };
    struct candidate_key wide[6];
    const char *name;

    candidate.keys = arena_memdup(ctx->arena, keys, sizeof(keys));
    index_candidate_compose(ctx->arena, &candidate);
    name = index_candidate_name(ctx->arena, &facts, &candidate, &taken);
    assert_string_equal(name, "idx_jobs_user_id_lower_Über_x_text");
    assert_string_equal(index_candidate_statement(ctx->arena, &candidate, name),
        "CREATE INDEX CONCURRENTLY \"idx_jobs_user_id_lower_Über_x_text\" ON public.jobs USING btree"
        " (user_id, lower((\"Über\" || 'x'::text)))");
    text_list_add(ctx->arena, &taken, name);
    assert_string_equal(index_candidate_name(ctx->arena, &facts, &candidate, &taken),
        "idx_jobs_user_id_lower_Über_x_text_2");
    for (size_t i = 0; i < COUNT_OF(wide); i++)
        wide[i] = (struct candidate_key){ .text = "x", .column = "ÜÜÜÜÜÜ" };
    candidate.keys = wide;
    candidate.key_count = COUNT_OF(wide);
    name = index_candidate_name(ctx->arena, &facts, &candidate, &taken);
    assert_true(strlen(name) <= 63 && strlen(name) > 58 && text_is_utf8(name));
    text_list_add(ctx->arena, &taken, name);
    name = index_candidate_name(ctx->arena, &facts, &candidate, &taken);
    assert_true(strlen(name) <= 63 && text_ends_with(name, "_2") && text_is_utf8(name));
}

static void
the_order_of_keys_is_explained(void **state)
{
    struct ctx *ctx = *state;
    struct facts facts = facts_of(ctx);
    struct index_candidates candidates;

    add_plan(ctx, &facts, &candidates);
    assert_string_equal(
        index_candidate_why(ctx->arena, with(&candidates, "USING btree (user_id, state, at DESC)")),
        "user_id (4 000 values), state (3 values) first: they are looked up by =, the most selective"
        " first; then at DESC: rows come in the order asked for, so nothing is sorted and a LIMIT"
        " stops early");
    assert_string_equal(index_candidate_why(ctx->arena, with(&candidates, "USING brin (at)")),
        "at: it is read as one range, which ends what later keys could narrow; rows lie in this"
        " order on disk, so a summary of page ranges is enough");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(structure_is_read),
        test_with_ctx(what_is_no_expression_is_none),
        test_with_ctx(aliases_go_and_literals_are_known),
        test_with_ctx(shares_come_from_the_common_values),
        test_with_ctx(a_plan_gives_candidates),
        test_with_ctx(candidates_are_combined),
        test_with_ctx(what_is_there_serves_or_not),
        test_with_ctx(names_are_free_and_whole),
        test_with_ctx(the_order_of_keys_is_explained),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
