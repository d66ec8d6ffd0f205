/*
 * Constants of a text: where they are is compared with libpg_query's own scanner over thousands of
 * texts; what they stand for with what PostgreSQL's manual says (4.1.2).
 */
#include "support/test.h"

#include "lang/sql.h"
#include "workload/template.h"

static const struct template *
find(struct ctx *ctx, struct templates *templates, const char *sql, struct literals *ret)
{
    return templates_find(templates, sql, strlen(sql), false, ctx->arena, ret);
}

/* ---- places ---- */

static const char *const pieces[] = { "1", "42", "1.5", ".5", "1e10", "2.5E-3", "'it''s'", "'a b'",
    "E'a\\'b'", "e'x\\\\'", "B'101'", "X'1f'", "$$a'b$$", "$q$ $$ $q$", "'a'\n  'b'", "name", "t1",
    "a.b2", "\"Q\"\"1'\"", "col$1", "$1", "$23", "+", "-", "*", "/", "<=", "<>", "||", "->>", "@>",
    "::", "(", ")", ",", "[", "]", "/* c '1' /* n */ 2 */", "-- 3 '\n +", "select", "where", "in",
    "and", "null", "true", "x1y2", "_7", "''", "{", "?", "#", "~", "1", "'2'" };

/* A text of pieces with blanks between, or nothing where that cannot make other tokens. */
static const char *
make_text(struct ctx *ctx, struct test_random *random)
{
    struct buffer buffer = { .arena = ctx->arena };
    uint64_t count = test_random_below(random, 24);

    for (uint64_t i = 0; i < count; i++) {
        buffer_add(&buffer, pieces[test_random_below(random, COUNT_OF(pieces))]);
        buffer_add(&buffer, test_random_below(random, 5) == 0 ? "\n\t" : " ");
    }
    return buffer_text(&buffer);
}

/*
 * Our own take a sign with them. libpg_query's scanner ends a string at a comment and U&'' at its first
 * quote, where the server goes on: neither is among the pieces.
 */
static bool
is_same_place(const char *sql, const struct literal *literal, const struct sql_token *token)
{
    size_t start = literal->start + (sql[literal->start] == '-' ? 1 : 0);

    return start == token->start && literal->end == token->end;
}

static void
check_places(struct ctx *ctx, struct templates *templates, const char *sql, size_t *seen)
{
    struct sql_tokens tokens;
    struct literals literals;
    const struct template *template;
    size_t at = 0;

    if (!sql_tokens(ctx, sql, &tokens)) {
        error_clear(ctx);
        return;
    }
    template = find(ctx, templates, sql, &literals);
    /* What belongs to the template (ORDER BY 1) is tested below; here nothing that parses has any. */
    for (size_t i = 0; i < tokens.count; i++) {
        if (tokens.items[i].kind != SQL_CONSTANT)
            continue;
        if (template->kind != TEMPLATE_UNKNOWN && at >= literals.count)
            return;
        if (at >= literals.count || !is_same_place(sql, &literals.items[at], &tokens.items[i]))
            fail_msg("constant at %zu of: %s", tokens.items[i].start, sql);
        at++;
        ++*seen;
    }
    assert_int_equal(at, literals.count);
}

static void
test_template_places(void **state)
{
    struct ctx *ctx = *state;
    struct test_random random = test_random_new();
    struct templates *templates = templates_new(ctx->arena);
    size_t seen = 0;

    for (int i = 0; i < 4000; i++)
        check_places(ctx, templates, make_text(ctx, &random), &seen);
    assert_true(seen > 4000);
    templates_free(templates);
}

/* ---- values ---- */

static void
test_template_values(void **state)
{
    static const struct {
        const char *sql;
        const char *value;
    } cases[] = {
        { "SELECT a FROM t WHERE a = 'it''s'", "it's" },
        { "SELECT a FROM t WHERE a = E'tab\\tx\\x41\\101\\u00e9'", "tab\txAA\xc3\xa9" },
        { "SELECT a FROM t WHERE a = E'\\uD83D\\uDE00'", "\xf0\x9f\x98\x80" },
        { "SELECT a FROM t WHERE a = U&'d\\0061t\\+000061'", "data" },
        { "SELECT a FROM t WHERE a = U&'d!0061t!+000061' UESCAPE '!'", "data" },
        { "SELECT a FROM t WHERE a = $$it's$$", "it's" },
        { "SELECT a FROM t WHERE a = $x$ $$ $x$", " $$ " },
        { "SELECT a FROM t WHERE a = 'foo'\n  'bar'", "foobar" },
        { "SELECT a FROM t WHERE a = 'foo' -- why\n  'bar'", "foobar" },
        { "SELECT a FROM t WHERE a = -5", "-5" },
        { "SELECT a FROM t WHERE a = 0042", "0042" },
        { "SELECT a FROM t WHERE a = 1.50e3", "1.50e3" },
        { "SELECT a FROM t WHERE a = '\\n'", "\\n" },
        { "SELECT a FROM t WHERE a = ''", "" },
    };
    struct ctx *ctx = *state;
    struct templates *templates = templates_new(ctx->arena);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct literals literals;

        find(ctx, templates, cases[i].sql, &literals);
        assert_int_equal(literals.count, 1);
        assert_string_equal(
            literal_text(ctx->arena, cases[i].sql, &literals.items[0]), cases[i].value);
    }
    templates_free(templates);
}

/* ---- what is one template ---- */

static void
test_template_texts(void **state)
{
    static const struct {
        const char *sql;
        const char *text;
        size_t values;
    } cases[] = {
        { "SELECT  a -- c\nFROM t /* x */ WHERE a = 1;", "SELECT a FROM t WHERE a = $1", 1 },
        { "select a - 1, a -1 from t where b=$2 and c > 3",
            "select a - $3, a -$4 from t where b=$2 and c > $5", 3 },
        { "select a from t order by 2 limit 5", "select a from t order by 2 limit $1", 1 },
        { "select a, count(*) from t group by 1", "select a, count(*) from t group by 1", 0 },
        { "select date '2026-01-01' + 1 from t", "select CAST($1 AS date) + $2 from t", 2 },
        { "select interval '1' day from t", "select interval '1' day from t", 0 },
        { "select a::varchar(10) from t where a = 'x'", "select a::varchar(10) from t where a = $1",
            1 },
        { "select extract('year' from d) from t", "select extract('year' from d) from t", 0 },
        { "select a from t where b = true and c is null",
            "select a from t where b = true and c is null", 0 },
    };
    struct ctx *ctx = *state;
    struct templates *templates = templates_new(ctx->arena);

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* The second time it comes from the table. */
        for (int turn = 0; turn < 2; turn++) {
            struct literals literals;
            const struct template *found = find(ctx, templates, cases[i].sql, &literals);

            assert_string_equal(found->text, cases[i].text);
            assert_int_equal(literals.count, cases[i].values);
            assert_int_equal(found->number, i);
        }
    }
    templates_free(templates);
}

static void
assert_pair(struct ctx *ctx, struct templates *templates, const char *a, const char *b, bool is_one)
{
    const struct template *first = find(ctx, templates, a, NULL);
    const struct template *second = find(ctx, templates, b, NULL);

    if ((first == second) != is_one)
        fail_msg("%s: %s | %s", is_one ? "two templates" : "one template", a, b);
}

static void
test_template_sameness(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool is_one;
    } cases[] = {
        { "select a from t where b = 1", "SELECT a\n FROM T WHERE b = 'x' -- y", true },
        { "select a from t where b in (1,2,3)", "select a from t where b in ( 7 )", true },
        { "select a from t where b in ($1, $2) and c = $3",
            "select a from t where b in ($1) and c = $2", true },
        { "select a from t where b = $1 and c = $2", "select a from t where b = $2 and c = $1",
            false },
        { "select a from t where b = 1 and c = 2", "select a from t where c = 2 and b = 1", false },
        { "select a, b from t", "select b, a from t", false },
        { "select a from t order by 1", "select a from t order by 2", false },
        { "select a from t where b in (1,2) order by 1",
            "select a from t where b in (1,2,3) order by 1", true },
        { "select a from t where b in (1,2) order by 1",
            "select a from t where b in (1,2,3) order by 2", false },
        { "select a from t where b = true", "select a from t where b = false", false },
        { "insert into t values (1, 2)", "insert into t values (1, null)", true },
        { "insert into t values (1, 2)", "insert into t values (1, 2), (3, 4), (5, 6)", true },
        { "insert into t values (1, 2)", "insert into t values (1, 2, 3)", false },
        { "select f(1)", "select f(1, 2)", false },
        { "select (values (1)),(2)", "select (values (1))", false },
    };
    struct ctx *ctx = *state;
    struct templates *templates = templates_new(ctx->arena);

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_pair(ctx, templates, cases[i].a, cases[i].b, cases[i].is_one);
    templates_free(templates);
}

static void
test_template_kinds(void **state)
{
    static const struct {
        const char *sql;
        enum template_kind kind;
        bool is_volatile;
    } cases[] = {
        { "select lower(a), count(*) from t", TEMPLATE_READ, false },
        { "select a from t for share", TEMPLATE_READ, true },
        { "select nextval('s')", TEMPLATE_READ, true },
        { "select random()", TEMPLATE_READ, true },
        { "select pg_advisory_lock(1)", TEMPLATE_READ, true },
        { "select my_own(1)", TEMPLATE_READ, true },
        { "select pg_catalog.now()", TEMPLATE_READ, false },
        { "values (1)", TEMPLATE_READ, false },
        { "table t", TEMPLATE_READ, false },
        { "with x as (delete from t returning *) select * from x", TEMPLATE_WRITE, true },
        { "update t set a = 1", TEMPLATE_WRITE, true },
        { "select 1 into u", TEMPLATE_OTHER, true },
        { "begin", TEMPLATE_TRANSACTION, true },
        { "set x = 1", TEMPLATE_SESSION, true },
        { "select set_config('a', 'b', true)", TEMPLATE_SESSION, true },
        { "copy t from stdin", TEMPLATE_OTHER, true },
        { "begin; select 1", TEMPLATE_OTHER, true },
        { "select from where", TEMPLATE_UNKNOWN, true },
        { "select 'open", TEMPLATE_UNKNOWN, true },
        { "", TEMPLATE_OTHER, true },
    };
    struct ctx *ctx = *state;
    struct templates *templates = templates_new(ctx->arena);
    const struct template *cut;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct template *found = find(ctx, templates, cases[i].sql, NULL);

        if (found->kind != cases[i].kind || found->is_volatile != cases[i].is_volatile)
            fail_msg("%s is %d, %d", cases[i].sql, (int)found->kind, (int)found->is_volatile);
    }
    /* What was cut off is another one, even if it could be parsed. */
    cut = templates_find(templates, "select 1", strlen("select 1"), true, ctx->arena, NULL);
    assert_int_equal(cut->kind, TEMPLATE_UNKNOWN);
    assert_int_equal(cut->fingerprint[0], 'x');
    assert_int_equal(find(ctx, templates, "select 1", NULL)->kind, TEMPLATE_READ);
    assert_ptr_not_equal(cut, find(ctx, templates, "select 1", NULL));
    templates_free(templates);
}

/* Texts that are all of another shape: templates end at their bound, and old ones are still found. */
static void
test_template_bound(void **state)
{
    struct ctx *ctx = *state;
    struct templates *templates = templates_new(ctx->arena);
    const struct template *first = find(ctx, templates, "select 0 from t", NULL);
    const struct template *last = NULL;

    for (int i = 0; i < 21000; i++) {
        char sql[64];

        snprintf(sql, sizeof(sql), "select c%d from (", i);
        last = find(ctx, templates, sql, NULL);
    }
    assert_true(templates_count(templates) <= 20001);
    assert_int_equal(last->kind, TEMPLATE_UNKNOWN);
    assert_ptr_equal(last, find(ctx, templates, "select another from (", NULL));
    assert_ptr_equal(first, find(ctx, templates, "SELECT 7 FROM t", NULL));
    templates_free(templates);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_template_places),
        test_with_ctx(test_template_values),
        test_with_ctx(test_template_texts),
        test_with_ctx(test_template_sameness),
        test_with_ctx(test_template_kinds),
        test_with_ctx(test_template_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
