/* Findings as a file: what was written is read again, and what is none is refused with its place. */
#include "support/test.h"

#include "queries/finding.h"

static struct query_findings
some_findings(void)
{
    static struct query_slot slots[] = { { SLOT_KEY, 1, "17", true },
        { SLOT_CONSTANT, -1, NULL, false } };
    static struct query_child children[] = {
        { "00c0ffee00c0ffee", "SELECT $1, $2", slots, 2, 40, 80000, 1.5 },
    };
    static const char *const routes[] = { "/a", "/b" };
    static struct query_example examples[] = {
        { .started_us = 5, .session = 8, .line = 12, .repeats = 4, .child_sql = "SELECT 17, 'x'" }
    };
    static struct query_finding findings[] = { {
        .id = "0badcafe",
        .kind = FOUND_N_PLUS_ONE,
        .provenance = PROVENANCE_SEEN,
        .confidence = 0.75,
        .why = "because",
        .has_parent = true,
        .parent = { "1111222233334444", "SELECT a, b FROM c", NULL, 0, 1, "b", 4 },
        .children = children,
        .child_count = 1,
        .statement_kind = "read",
        .requests = 10,
        .repeats_min = 3,
        .repeats_median = 4,
        .repeats_p95 = 6,
        .repeats_max = 7,
        .wasted_us = 60000,
        .wasted_request_us = 6000,
        .wasted_day_us = -1,
        .share = 0.25,
        .routes = routes,
        .route_count = 2,
        .examples = examples,
        .example_count = 1,
    } };

    return (struct query_findings){
        .items = findings, .count = 1, .statements = 50, .total_us = 240000, .source = "wire"
    };
}

static void
what_was_written_is_read_again(void **state)
{
    struct ctx *ctx = *state;
    struct query_findings written = some_findings();
    json_t *json CLEANUP(json_release) = query_findings_json(&written);
    struct query_findings read;
    const struct query_finding *finding;

    assert_true(query_findings_read(ctx, "f.json", json, &read));
    assert_int_equal(read.count, 1);
    assert_int_equal(read.statements, 50);
    assert_string_equal(read.source, "wire");
    finding = read.items;
    assert_string_equal(finding->id, "0badcafe");
    assert_int_equal(finding->kind, FOUND_N_PLUS_ONE);
    assert_int_equal(finding->provenance, PROVENANCE_SEEN);
    assert_true(finding->has_parent);
    assert_string_equal(finding->parent.key_name, "b");
    assert_int_equal(finding->parent.key_column, 1);
    assert_int_equal(finding->children[0].slot_count, 2);
    assert_int_equal(finding->children[0].slots[0].origin, SLOT_KEY);
    assert_string_equal(finding->children[0].slots[0].text, "17");
    assert_true(finding->children[0].slots[0].is_bound);
    assert_null(finding->children[0].slots[1].text);
    assert_int_equal(finding->repeats_p95, 6);
    assert_true(finding->wasted_day_us == -1);
    assert_string_equal(finding->routes[1], "/b");
    assert_int_equal(finding->examples[0].session, 8);
    assert_int_equal(finding->examples[0].line, 12);
    assert_null(finding->application);
}

/* The written document with one text replaced by another. */
static void
refused(struct ctx *ctx, const char *from, const char *to, const char *message)
{
    struct query_findings written = some_findings();
    json_t *json CLEANUP(json_release) = query_findings_json(&written);
    json_t *changed CLEANUP(json_release) = NULL;
    const char *text = json_text(ctx->arena, json);
    const char *at = strstr(text, from);
    struct query_findings read;

    if (!at)
        fail_msg("\"%s\" is not in %s", from, text);
    text = arena_printf(ctx->arena, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_true(json_parse(ctx, "changed", text, &changed));
    assert_false(query_findings_read(ctx, "f.json", changed, &read));
    assert_error(ctx, ERR_INPUT, message);
    error_clear(ctx);
}

static void
what_is_none_is_refused_with_its_place(void **state)
{
    struct ctx *ctx = *state;

    refused(ctx, "pgmend-query-findings-1", "something", "no file of findings");
    refused(ctx, "\"0badcafe\"", "7", "f.json: findings[0].id is not a text");
    refused(ctx, "\"n+1\"", "\"m+1\"", "findings[0].kind is none of those");
    refused(
        ctx, "\"confidence\":0.75", "\"confidence\":2", "findings[0].confidence is not between");
    refused(ctx, "\"key_column\":1", "\"key_column\":100000", "parent.key_column is out of range");
    refused(ctx, "\"key\"", "\"lock\"", "children[0].slots[0].origin is none of those");
    refused(
        ctx, "\"is_bound\":true", "\"is_bound\":1", "slots[0].is_bound is neither true nor false");
    refused(ctx, "\"requests\":10", "\"requests\":-7", "findings[0].requests is out of range");
    refused(ctx, "\"text\":\"SELECT $1, $2\"", "\"text\":null", "children[0].text is missing");
    refused(ctx, "\"routes\":[\"/a\"", "\"routes\":[3", "routes[0] is not a text");
    refused(ctx, "\"children\":[", "\"children\":[0,0,0,0,0,0,0,0,",
        "findings[0].children has more than 8 statements");
    refused(ctx, "\"repeats\":4", "\"repeats\":4000000000", "examples[0].repeats is out of range");
}

static void
other_documents_are_refused(void **state)
{
    static const char *const texts[] = { "[]", "3", "null", "{}", "\"pgmend-query-findings-1\"",
        "{\"format\":\"pgmend-query-findings-1\",\"findings\":{}}",
        "{\"format\":\"pgmend-query-findings-1\",\"findings\":[3]}",
        "{\"format\":\"pgmend-query-findings-1\",\"findings\":[{\"id\":\"a\"}]}" };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        json_t *json CLEANUP(json_release) = NULL;
        struct query_findings read;

        assert_true(json_parse(ctx, "text", texts[i], &json));
        assert_false(query_findings_read(ctx, "f.json", json, &read));
        assert_error(ctx, ERR_INPUT, "f.json");
        error_clear(ctx);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(what_was_written_is_read_again),
        test_with_ctx(what_is_none_is_refused_with_its_place),
        test_with_ctx(other_documents_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
