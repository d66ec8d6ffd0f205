/*
 * The analysis as a whole: which findings count, and its documents. What single rules find is
 * tested with them.
 */
#include "support/test.h"

#include "migrate/report/report.h"

#define HOSTILE "<img src=x onerror=alert(1)>{{script}}</script>"

struct sample {
    struct ctx *ctx;
    const char *folder;
    struct analysis analysis;
};

static int
sample_new(void **state)
{
    struct sample *sample;
    int status = test_ctx_new(state);

    sample = ARENA_NEW(((struct ctx *)*state)->arena, struct sample);
    sample->ctx = *state;
    sample->folder = test_folder(sample->ctx);
    *state = sample;
    return status;
}

static int
sample_free(void **state)
{
    struct sample *sample = *state;
    struct ctx *ctx = sample->ctx;
    bool is_removed = file_remove(ctx, sample->folder);

    history_free(&sample->analysis.history);
    arena_free(ctx->arena);
    return is_removed ? 0 : 1;
}

static void
write_revision(struct sample *sample, const char *id, const char *down, const char *body)
{
    struct ctx *ctx = sample->ctx;
    const char *path = file_join(ctx->arena, sample->folder, arena_printf(ctx->arena, "%s.py", id));
    const char *text = arena_printf(ctx->arena,
        "\"\"\"%s of %s\"\"\"\nfrom alembic import op\nimport sqlalchemy as sa\nrevision = '%s'\n"
        "down_revision = %s\n\n\ndef upgrade():\n%s\n\n\ndef downgrade():\n    pass\n",
        id, HOSTILE, id, down, body);

    assert_true(file_write(ctx, path, text, strlen(text), 0600));
}

/* Line 9 is the first of upgrade(). */
static void
write_history(struct sample *sample)
{
    write_revision(sample, "a1", "None",
        "    op.create_table('users', sa.Column('id', sa.BigInteger(), primary_key=True),\n"
        "                    sa.Column('email', sa.Text()))");
    write_revision(sample, "b2", "'a1'",
        "    op.create_index('ix_1', 'users', ['email'])\n"
        "    # pgmend: ignore index-not-concurrent -- forty rows\n"
        "    op.create_index('ix_2', 'users', ['id', 'email'])\n"
        "    op.create_index(\n"
        "        'ix_3', 'users', ['email', 'id'])  # pgmend: ignore index-not-concurrent");
    write_revision(sample, "c3", "'b2'", "    op.drop_column('users', 'phone')");
    write_revision(sample, "d4", "'b2'", "    op.create_index('ix_4', 'users', ['email', 'id'])");
}

static void
analyze(struct sample *sample, const struct analysis_options *options)
{
    struct ctx *ctx = sample->ctx;
    struct environment environment;

    if (!environment_find(ctx, sample->folder, NULL, &environment) ||
        !analysis_run(ctx, &environment, options, &sample->analysis))
        fail_msg("%s", ctx->error.message);
}

/* "b2:9 b2:11s d4:9" of the findings of a rule; s: silenced. */
static const char *
places(const struct sample *sample, const char *rule)
{
    struct arena *arena = sample->ctx->arena;
    const struct findings *findings = &sample->analysis.findings;
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        const char *name = finding->place.file ? strrchr(finding->place.file, '/') + 1 : "-";

        if (strcmp(finding->rule->id, rule) == 0)
            buffer_printf(&text, "%s%.2s:%u%s", text.length > 0 ? " " : "", name,
                finding->place.line, finding->silenced ? "s" : "");
    }
    return buffer_text(&text);
}

static void
test_comments_silence_their_line_and_statement(void **state)
{
    struct sample *sample = *state;

    write_history(sample);
    analyze(sample, &(const struct analysis_options){ 0 });
    assert_string_equal(places(sample, "index-not-concurrent"), "b2:9 b2:11s b2:12s d4:9");
    assert_string_equal(places(sample, "unused-ignore"), "");
}

static void
test_a_comment_that_silences_nothing_is_told(void **state)
{
    struct sample *sample = *state;

    write_revision(sample, "a1", "None", "    op.execute('SELECT 1')  # pgmend: ignore drop-table");
    analyze(sample, &(const struct analysis_options){ 0 });
    assert_string_equal(places(sample, "unused-ignore"), "a1:9");
}

static void
test_since_leaves_out_what_was_before(void **state)
{
    struct sample *sample = *state;

    write_history(sample);
    analyze(sample, &(const struct analysis_options){ .since = "b2" });
    assert_string_equal(places(sample, "index-not-concurrent"), "d4:9");
    assert_string_equal(places(sample, "column-missing"), "c3:9");
    assert_true(findings_count(&sample->analysis.findings, SEVERITY_ERROR) > 0);
}

static void
test_since_must_be_a_revision(void **state)
{
    struct sample *sample = *state;
    struct environment environment;

    write_history(sample);
    assert_true(environment_find(sample->ctx, sample->folder, NULL, &environment));
    assert_false(analysis_run(sample->ctx, &environment,
        &(const struct analysis_options){ .since = "zz" }, &sample->analysis));
    assert_error(sample->ctx, ERR_NOT_FOUND, "zz");
}

static void
test_files_are_known_by_any_path(void **state)
{
    struct sample *sample = *state;
    struct text_list files = { 0 };

    write_history(sample);
    text_list_add(
        sample->ctx->arena, &files, arena_printf(sample->ctx->arena, "%s/./d4.py", sample->folder));
    text_list_add(sample->ctx->arena, &files, "there/is/no/such.py");
    analyze(sample, &(const struct analysis_options){ .files = &files });
    assert_string_equal(places(sample, "index-not-concurrent"), "d4:9");
    assert_string_equal(places(sample, "column-missing"), "");
}

static void
test_rules_are_chosen(void **state)
{
    struct sample *sample = *state;
    struct text_list rules = { 0 };

    write_history(sample);
    text_list_add(sample->ctx->arena, &rules, "column-missing");
    analyze(sample, &(const struct analysis_options){ .rules = &rules });
    assert_int_equal(sample->analysis.findings.count, 1);
    assert_string_equal(places(sample, "column-missing"), "c3:9");
    history_free(&sample->analysis.history);
    analyze(sample, &(const struct analysis_options){ .without_rules = &rules });
    assert_string_equal(places(sample, "column-missing"), "");
    assert_true(sample->analysis.findings.count > 1);
}

/* The message is PostgreSQL 15's own. */
static void
test_replay_tells_the_first_failure(void **state)
{
    struct sample *sample = *state;
    struct report report;

    write_history(sample);
    analyze(sample, &(const struct analysis_options){ 0 });
    report_init(sample->ctx, &sample->analysis, "", false, &report);
    assert_int_equal(sample->analysis.server_major, 15);
    assert_int_equal(sample->analysis.replay.failure_count, 1);
    assert_string_equal(sample->analysis.replay.revision->id, "c3");
    assert_string_equal(sample->analysis.replay.error.sqlstate, "42703");
    assert_string_equal(sample->analysis.replay.error.message,
        "column \"phone\" of relation \"users\" does not exist");
    assert_string_equal(report_replay_answer(&report), "no");
}

static void
test_a_sound_history_replays(void **state)
{
    struct sample *sample = *state;
    struct report report;

    write_revision(sample, "a1", "None",
        "    op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True))");
    write_revision(sample, "b2", "'a1'", "    op.add_column('t', sa.Column('a', sa.Text()))");
    analyze(sample, &(const struct analysis_options){ 0 });
    report_init(sample->ctx, &sample->analysis, "", false, &report);
    assert_string_equal(report_replay_answer(&report), "yes");
    history_free(&sample->analysis.history);

    write_revision(sample, "c3", "'b2'", "    op.execute(undefined_name)");
    analyze(sample, &(const struct analysis_options){ 0 });
    report_init(sample->ctx, &sample->analysis, "", false, &report);
    assert_string_equal(report_replay_answer(&report), "unknown");
}

static void
test_json_is_a_document_with_every_member(void **state)
{
    static const char *const members[] = { "schema_version", "tool", "server_version",
        "environment", "summary", "graph", "revisions", "findings", "consolidation", "schema" };
    struct sample *sample = *state;
    struct report report;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    json_t *json CLEANUP(json_release) = NULL;
    json_t *revision;

    write_history(sample);
    analyze(sample, &(const struct analysis_options){ 0 });
    report_init(sample->ctx, &sample->analysis, "", false, &report);
    analysis_json(out, &report, true);
    fclose(out);
    assert_true(json_parse(sample->ctx, "report", text, &json));
    free(text);
    for (size_t i = 0; i < COUNT_OF(members); i++)
        assert_non_null(json_object_get(json, members[i]));
    assert_int_equal(json_object_size(json), COUNT_OF(members));
    assert_int_equal(json_array_size(json_object_get(json, "revisions")), 4);
    assert_int_equal(json_array_size(json_object_get(json_object_get(json, "graph"), "heads")), 2);
    revision = json_array_get(json_object_get(json, "revisions"), 2);
    assert_string_equal(json_get_text(sample->ctx->arena, revision, "id", ""), "c3");
    assert_string_equal(json_get_text(sample->ctx->arena,
                            json_array_get(json_object_get(revision, "operations"), 0), "kind", ""),
        "drop column");
}

static void
test_html_shows_no_markup_of_others(void **state)
{
    struct sample *sample = *state;
    struct report report;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    write_history(sample);
    analyze(sample, &(const struct analysis_options){ 0 });
    report_init(sample->ctx, &sample->analysis, "", false, &report);
    analysis_html(sample->ctx, out, &report);
    fclose(out);
    assert_non_null(strstr(text, "&lt;img src=x onerror=alert(1)&gt;{{script}}&lt;/script&gt;"));
    assert_null(strstr(text, "<img"));
    assert_null(strstr(text, "://"));
    assert_non_null(strstr(text, "default-src 'none'"));
    assert_non_null(strstr(strstr(text, "</script>"), "</html>"));
    free(text);
}

/* A rule that no group lists cannot be looked up, documented or chosen. */
static void
test_findings_are_of_rules_that_are_listed(void **state)
{
    struct sample *sample = *state;

    write_history(sample);
    analyze(sample, &(const struct analysis_options){ 0 });
    for (size_t i = 0; i < sample->analysis.findings.count; i++) {
        const struct rule *rule = sample->analysis.findings.items[i].rule;

        if (rule_find(rule->id) != rule)
            fail_msg("%s is not in rule_groups", rule->id);
    }
}

static void
test_rules_have_all_their_texts_and_one_id_each(void **state)
{
    struct sample *sample = *state;
    struct map ids = { .arena = sample->ctx->arena };
    size_t count = 0;

    for (size_t i = 0; i < rule_group_count; i++) {
        for (size_t k = 0; k < rule_groups[i]->count; k++) {
            const struct rule *rule = &rule_groups[i]->rules[k];
            const char *texts[] = { rule->id, rule->group, rule->summary, rule->why, rule->instead,
                rule->fires, rule->passes };

            for (size_t t = 0; t < COUNT_OF(texts); t++)
                if (text_is_empty(texts[t]))
                    fail_msg("%s lacks text %zu", rule->id ? rule->id : "a rule", t);
            assert_null(map_get(&ids, rule->id));
            assert_int_equal(
                strspn(rule->id, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(rule->id));
            assert_true(rule->summary[strlen(rule->summary) - 1] != '.');
            assert_ptr_equal(rule_find(rule->id), rule);
            map_set(&ids, rule->id, &ids);
            count++;
        }
    }
    assert_true(count > 50);
    assert_null(rule_find("no-such-rule"));
}

#define test_of(test) cmocka_unit_test_setup_teardown(test, sample_new, sample_free)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_of(test_comments_silence_their_line_and_statement),
        test_of(test_a_comment_that_silences_nothing_is_told),
        test_of(test_since_leaves_out_what_was_before),
        test_of(test_since_must_be_a_revision),
        test_of(test_files_are_known_by_any_path),
        test_of(test_rules_are_chosen),
        test_of(test_replay_tells_the_first_failure),
        test_of(test_a_sound_history_replays),
        test_of(test_json_is_a_document_with_every_member),
        test_of(test_html_shows_no_markup_of_others),
        test_of(test_findings_are_of_rules_that_are_listed),
        test_of(test_rules_have_all_their_texts_and_one_id_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
