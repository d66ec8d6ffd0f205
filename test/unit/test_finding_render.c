/*
 * Findings as other programs and people read them. What is quoted is hostile wherever it can be: it
 * must not speak to a terminal, end a workflow command, or become markup.
 */
#include "support/test.h"

#include <unistd.h>

#include "finding/render.h"

#define HOSTILE "\x1b[31mred\x07 <script>`@team` | 100%\r\n::error::x\xff"

static const struct rule danger = {
    .id = "index-not-concurrent",
    .group = "Danger in production",
    .severity = SEVERITY_ERROR,
    .summary = "an index is built while writes wait",
    .why = "`CREATE INDEX` takes a SHARE lock.",
    .instead = "Build it CONCURRENTLY.",
};

static const struct rule habit = {
    .id = "varchar-limit",
    .group = "Habits",
    .severity = SEVERITY_ADVICE,
    .summary = "a limit that costs and gains nothing",
    .why = "It must be widened one day.",
    .instead = "op.f(\n    'x')",
};

static const char source[] = "def upgrade():\n\top.create_index('ix', 't', ['a'])  # \x1b[2J\n";

static const char *
line_of(void *self, const char *file, uint32_t line, size_t *ret_length)
{
    const char *start = source;

    (void)self;
    if (strcmp(file, "v/1.py") != 0 || line == 0 || line > 2)
        return NULL;
    for (; line > 1; line--)
        start = strchr(start, '\n') + 1;
    *ret_length = strcspn(start, "\n");
    return start;
}

struct sample {
    struct findings findings;
    struct render render;
    char *text;
    size_t length;
};

static struct sample
sample_new(struct ctx *ctx)
{
    return (struct sample){
        .findings.arena = ctx->arena,
        .render = { .subject = "2 revisions", .more = "--verbose shows each", .line = line_of },
    };
}

/* What a renderer writes, in the arena. */
static const char *
rendered(struct ctx *ctx, struct sample *sample, void (*render)(FILE *, const struct render *))
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    const char *copy;

    sample->render.findings = &sample->findings;
    render(out, &sample->render);
    fclose(out);
    copy = arena_strdup(ctx->arena, text);
    free(text);
    return copy;
}

static void
add_index(struct sample *sample, uint32_t line, const char *message)
{
    finding_add(
        &sample->findings, &danger, (struct place){ "v/1.py", line, 2, line }, "%s", message);
}

static void
assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void
assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%s", part, text);
}

static size_t
count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

static void
test_text_shows_the_line_with_a_mark(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    struct finding *finding;
    const char *text;

    add_index(&sample, 2, "index ix on t blocks writes");
    finding = &sample.findings.items[0];
    finding_related(&sample.findings, finding, (struct place){ "v/0.py", 7, 0, 0 }, "made here");
    text = rendered(ctx, &sample, render_text);
    assert_string_equal(text, "error  index-not-concurrent: an index is built while writes wait\n"
                              "  why  `CREATE INDEX` takes a SHARE lock.\n"
                              "  v/1.py:2:2\n"
                              "    index ix on t blocks writes\n"
                              "        2 | op.create_index('ix', 't', ['a'])  # ?[2J\n"
                              "          | ^^^^^^^^^^^^^^^\n"
                              "            see  v/0.py:7: made here\n"
                              "  instead  Build it CONCURRENTLY.\n"
                              "\n"
                              "1 error, 0 warnings, 0 advice in 2 revisions\n");
}

static void
test_text_folds_counts_and_silences(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    const char *text;

    for (uint32_t line = 1; line <= 20; line++)
        add_index(&sample, line, "blocks");
    sample.findings.items[19].silenced = "a small table";
    for (uint32_t line = 1; line <= 3; line++)
        finding_add(&sample.findings, &habit, (struct place){ "v/1.py", line, 0, 0 }, "short");
    text = rendered(ctx, &sample, render_text);
    assert_int_equal(count_of(text, "    blocks\n"), 5);
    assert_holds(text, "and 14 more like this (--verbose shows each)");
    assert_holds(text, "     3  varchar-limit  a limit that costs and gains nothing\n");
    assert_lacks(text, "short");
    assert_holds(text, "19 errors, 0 warnings, 3 advice in 2 revisions; 1 silenced\n");

    sample.render.is_verbose = true;
    text = rendered(ctx, &sample, render_text);
    assert_int_equal(count_of(text, "    blocks\n"), 19);
    assert_int_equal(count_of(text, "    short\n"), 3);
    assert_holds(text, "v/1.py:20:2  index-not-concurrent: a small table\n");
    assert_holds(text, "  instead  op.f(\n               'x')\n");
}

static void
test_text_of_others_does_not_reach_the_terminal(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    const char *text;

    finding_add(&sample.findings, &danger, (struct place){ HOSTILE, 1, 1, 1 }, "%s", HOSTILE);
    sample.findings.items[0].instead = HOSTILE;
    finding_related(&sample.findings, &sample.findings.items[0], (struct place){ 0 }, HOSTILE);
    sample.render.is_verbose = true;
    text = rendered(ctx, &sample, render_text);
    assert_holds(text, "?[31mred?");
    assert_lacks(text, "\x1b");
    assert_lacks(text, "\x07");
    assert_lacks(text, "\r");
}

/* The order: errors before what is less, in each by the given rank. */
static size_t
reverse_rank(void *self, const struct rule *rule)
{
    (void)self;
    return rule == &danger ? 1 : 0;
}

static void
test_worst_first_then_by_rank(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    struct render_blocks blocks;

    sample.render.findings = &sample.findings;
    finding_add(&sample.findings, &habit, (struct place){ 0 }, "1");
    add_index(&sample, 1, "2");
    finding_add(&sample.findings, &habit, (struct place){ 0 }, "3")->severity = SEVERITY_ERROR;
    blocks = render_group(ctx->arena, &sample.render, false);
    assert_int_equal(blocks.count, 3);
    assert_string_equal(blocks.items[0].items[0]->message, "2");
    assert_string_equal(blocks.items[1].items[0]->message, "3");
    assert_string_equal(blocks.items[2].items[0]->message, "1");
    sample.render.rank = reverse_rank;
    blocks = render_group(ctx->arena, &sample.render, false);
    assert_string_equal(blocks.items[0].items[0]->message, "3");
    assert_string_equal(blocks.items[2].items[0]->message, "1");
}

static void
test_github_escapes(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    const char *text;

    finding_add(&sample.findings, &danger, (struct place){ "./v/a,b:c%.py", 3, 5, 9 },
        "50%% of\r\n::error::it");
    text = rendered(ctx, &sample, render_github);
    assert_string_equal(text,
        "::error file=v/a%2Cb%3Ac%25.py,line=3,endLine=9,title=index-not-concurrent::50%25 of%0D%0A"
        "::error::it%0A`CREATE INDEX` takes a SHARE lock.%0AInstead: Build it CONCURRENTLY.\n"
        "1 error, 0 warnings, 0 advice in 2 revisions\n");
}

static void
test_github_keeps_to_the_limit_with_one_of_each_rule_first(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    const char *text;

    for (uint32_t line = 1; line <= 14; line++)
        add_index(&sample, line, "blocks");
    finding_add(&sample.findings, &habit, (struct place){ 0 }, "last")->severity = SEVERITY_ERROR;
    text = rendered(ctx, &sample, render_github);
    assert_int_equal(count_of(text, "::error "), 10);
    assert_holds(text, "::last%0A");
    assert_holds(text, "\n5 more errors: GitHub shows 10 of a type for a step");
    assert_lacks(text, "::notice");
}

static void
test_markdown_is_inert(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    const char *text;

    finding_add(&sample.findings, &danger, (struct place){ "v/1.py", 2, 2, 2 }, "%s", HOSTILE);
    text = rendered(ctx, &sample, render_markdown);
    assert_holds(
        text, "| error | `index-not-concurrent` | an index is built while writes wait | 1 |");
    assert_holds(text, "&#60;script&#62;\\`&#64;team\\` \\| 100%");
    assert_holds(text, "  ```python\n  op.create_index('ix', 't', ['a'])");
    assert_lacks(text, "<script");
    assert_lacks(text, "@team");
    assert_lacks(text, "\x1b");
}

static json_t *
parsed(struct ctx *ctx, const char *text)
{
    json_t *json = NULL;

    if (!json_parse(ctx, "document", text, &json))
        fail_msg("%s:\n%s", ctx->error.message, text);
    return json;
}

/* The text at a path such as "runs.0.tool.driver.name"; NULL if it is not there. */
static const char *
text_at(const json_t *json, const char *path)
{
    char part[64];

    while (json && *path) {
        size_t length = strcspn(path, ".");

        snprintf(part, sizeof(part), "%.*s", (int)length, path);
        json = json_is_array(json) ? json_array_get(json, (size_t)strtoul(part, NULL, 10))
                                   : json_object_get(json, part);
        path += length + (path[length] == '.');
    }
    return json_string_value(json);
}

#define RESULT "runs.0.results.0."

static void
test_sarif_has_what_the_standard_wants(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    json_t *json CLEANUP(json_release) = NULL;
    json_t *result;
    json_t *region;

    finding_add(&sample.findings, &danger, (struct place){ "./v/a b.py", 3, 5, 9 }, "%s", HOSTILE);
    sample.findings.items[0].silenced = "a small table";
    finding_related(
        &sample.findings, &sample.findings.items[0], (struct place){ "v/0.py", 7, 0, 0 }, "here");
    finding_add(&sample.findings, &habit, (struct place){ 0 }, "no file");
    json = parsed(ctx, rendered(ctx, &sample, render_sarif));
    assert_string_equal(text_at(json, "version"), "2.1.0");
    assert_string_equal(text_at(json, "runs.0.tool.driver.name"), "pgmend");
    result = json_array_get(
        json_object_get(json_array_get(json_object_get(json, "runs"), 0), "results"), 0);
    assert_string_equal(text_at(json, RESULT "ruleId"), "index-not-concurrent");
    assert_string_equal(text_at(json, RESULT "level"), "error");
    assert_string_equal(
        text_at(json, RESULT "locations.0.physicalLocation.artifactLocation.uri"), "v/a%20b.py");
    region =
        json_object_get(json_object_get(json_array_get(json_object_get(result, "locations"), 0),
                            "physicalLocation"),
            "region");
    assert_int_equal(json_get_int(region, "startLine", 0), 3);
    assert_int_equal(json_get_int(region, "endLine", 0), 9);
    assert_string_equal(text_at(json, RESULT "suppressions.0.kind"), "inSource");
    assert_string_equal(text_at(json, RESULT "suppressions.0.justification"), "a small table");
    assert_string_equal(text_at(json, RESULT "relatedLocations.0.message.text"), "here");
    assert_non_null(text_at(json, RESULT "partialFingerprints.pgmendFinding/v1"));
    assert_string_equal(text_at(json, "runs.0.results.1.level"), "note");
    assert_int_equal(json_get_int(result, "ruleIndex", -1), 0);
    assert_string_equal(text_at(json, "runs.0.tool.driver.rules.0.id"), "index-not-concurrent");
    assert_string_equal(text_at(json, "runs.0.tool.driver.rules.0.help.markdown"),
        "`CREATE INDEX` takes a SHARE lock.\n\n**Instead:** Build it CONCURRENTLY.");
}

static const char *
fingerprint(struct ctx *ctx, struct sample *sample, size_t index)
{
    json_t *json CLEANUP(json_release) = parsed(ctx, rendered(ctx, sample, render_sarif));
    const char *text = text_at(json,
        arena_printf(ctx->arena, "runs.0.results.%zu.partialFingerprints.pgmendFinding/v1", index));

    return arena_strdup(ctx->arena, text);
}

static void
test_fingerprints_outlive_a_move_and_tell_twins_apart(void **state)
{
    struct ctx *ctx = *state;
    struct sample before = sample_new(ctx);
    struct sample after = sample_new(ctx);

    add_index(&before, 3, "blocks");
    add_index(&before, 9, "blocks");
    add_index(&after, 30, "blocks");
    add_index(&after, 90, "blocks");
    assert_string_equal(fingerprint(ctx, &before, 0), fingerprint(ctx, &after, 0));
    assert_string_equal(fingerprint(ctx, &before, 1), fingerprint(ctx, &after, 1));
    assert_string_not_equal(fingerprint(ctx, &before, 0), fingerprint(ctx, &before, 1));
}

static void
test_json_survives_text_that_is_not_utf8(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    json_t *json CLEANUP(json_release) = NULL;
    json_t *text CLEANUP(json_release) = render_json_text("a\xff\xc3\xa4\xed\xa0\x80z");

    assert_string_equal(
        json_string_value(text), "a\xEF\xBF\xBD\xc3\xa4\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
    finding_add(&sample.findings, &danger, (struct place){ "v/1.py", 2, 0, 0 }, "%s", HOSTILE);
    finding_evidence(&sample.findings, &sample.findings.items[0], "lock", "SHARE on a");
    finding_evidence(&sample.findings, &sample.findings.items[0], "lock", "SHARE on b");
    json = render_json_finding(&sample.findings.items[0]);
    assert_string_equal(text_at(json, "rule"), "index-not-concurrent");
    assert_string_equal(text_at(json, "instead"), "Build it CONCURRENTLY.");
    assert_string_equal(text_at(json, "evidence.lock"), "SHARE on a, SHARE on b");
    assert_true(json_is_null(json_object_get(json, "column")));
    assert_int_equal(json_get_int(json, "line", 0), 2);
}

static void
test_paths_are_those_of_the_working_folder(void **state)
{
    struct ctx *ctx = *state;
    char folder[4096];

    assert_non_null(getcwd(folder, sizeof(folder)));
    assert_string_equal(render_path(".//./v/1.py"), "v/1.py");
    assert_string_equal(render_path("../v/1.py"), "../v/1.py");
    assert_string_equal(render_path(arena_printf(ctx->arena, "%s/v/1.py", folder)), "v/1.py");
    assert_string_equal(render_path(arena_printf(ctx->arena, "%s2/1.py", folder)),
        arena_printf(ctx->arena, "%s2/1.py", folder));
}

static void
test_a_string_is_marked_as_a_whole(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    const struct place place = { "v/1.py", 2, 18, 2 };
    struct render_code code = render_code(ctx->arena, &sample.render, &place, 80);

    assert_int_equal(code.mark_start, 16);
    assert_int_equal(code.mark_width, 4);
    code = render_code(ctx->arena, &sample.render, &place, 20);
    assert_int_equal(code.mark_width, 4);
}

static void
test_a_long_line_is_cut(void **state)
{
    struct ctx *ctx = *state;
    struct sample sample = sample_new(ctx);
    const struct place place = { "v/1.py", 2, 2, 2 };
    struct render_code code = render_code(ctx->arena, &sample.render, &place, 20);

    assert_string_equal(code.text, "op.create_index('ix…");
    assert_int_equal(code.mark_start, 0);
    assert_int_equal(code.mark_width, 15);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_text_shows_the_line_with_a_mark),
        test_with_ctx(test_text_folds_counts_and_silences),
        test_with_ctx(test_text_of_others_does_not_reach_the_terminal),
        test_with_ctx(test_worst_first_then_by_rank),
        test_with_ctx(test_github_escapes),
        test_with_ctx(test_github_keeps_to_the_limit_with_one_of_each_rule_first),
        test_with_ctx(test_markdown_is_inert),
        test_with_ctx(test_sarif_has_what_the_standard_wants),
        test_with_ctx(test_fingerprints_outlive_a_move_and_tell_twins_apart),
        test_with_ctx(test_json_survives_text_that_is_not_utf8),
        test_with_ctx(test_paths_are_those_of_the_working_folder),
        test_with_ctx(test_a_string_is_marked_as_a_whole),
        test_with_ctx(test_a_long_line_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
