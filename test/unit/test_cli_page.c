#include "support/test.h"

#include <unistd.h>

#include "base/json.h"
#include "base/process.h"
#include "cli/page.h"
#include "support/cli_table.h"

/* What a printer gives, in the arena. */
static const char *
print_with(struct ctx *ctx, void (*print)(FILE *out, const struct command *command),
    const struct command *command)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    const char *copy;

    assert_non_null(out);
    print(out, command);
    fclose(out);
    copy = arena_strdup(ctx->arena, text);
    free(text);
    return copy;
}

static size_t
widest_line(const char *text)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    size_t widest = 0;

    while (*text) {
        size_t length = strcspn(text, "\n");
        size_t width = text_width(arena_strndup(arena, text, length));

        widest = width > widest ? width : widest;
        text += length + (text[length] == '\n');
    }
    return widest;
}

static void
assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void
words_are_wrapped_at_the_width(void **state)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    (void)state;
    page_wrap(out, "aaa bbb  ccc\nddd\n\neee averyveryverylongword f", 2, 2, 10);
    page_wrap(out, "", 0, 0, 10);
    fclose(out);
    assert_string_equal(text, "aaa bbb\n  ccc ddd\n\n  eee\n  averyveryverylongword\n  f\n\n");
    free(text);
}

static void
help_of_a_command_shows_all_of_it(void **state)
{
    struct ctx *ctx = *state;
    const char *text = print_with(ctx, help_print, &sample_apply);

    assert_true(text_starts_with(text, "Usage: pgmend index apply [OPTION]... [FILE.sql]...\n"));
    assert_holds(text, "pgmend index apply: build indexes without blocking.");
    assert_holds(text, "May write to the database.");
    assert_holds(text, "\n  -j, --jobs N ");
    assert_holds(text, "\n      --min-size SIZE ");
    assert_holds(text, "leave out smaller indexes (default: 1MB)");
    assert_holds(text, "--[no-]backup");
    assert_holds(text, "how to print: text, json or sarif");
    assert_holds(text, "only this table; may be repeated");
    assert_holds(text, "--db-url URL");
    assert_holds(text, "  pgmend index apply --dry-run\n");
    assert_holds(text, "Next: pgmend index unused\n");
    assert_true(widest_line(text) <= 80);
    assert_holds(print_with(ctx, help_print, &sample_create), "folder of the backup (required)");
}

static void
help_of_the_program_lists_groups_that_have_commands(void **state)
{
    struct ctx *ctx = *state;
    const char *text = print_with(ctx, help_print, NULL);

    for (size_t i = 0; commands[i]; i++)
        assert_holds(text, commands[i]->summary);
    assert_holds(text, "\nFind what is slow:\n");
    assert_null(strstr(text, "Nothing here"));
    assert_holds(text, "DATABASE_URL");
    assert_holds(text, "pgmend.ini");
    assert_holds(text, "stopped by Ctrl-C");
    assert_true(widest_line(text) <= 80);
}

static void
help_of_a_group_lists_its_commands(void **state)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    (void)state;
    assert_false(help_print_group(out, "ind"));
    assert_true(help_print_group(out, "index"));
    fclose(out);
    assert_holds(text, "index apply");
    assert_holds(text, "index unused");
    assert_null(strstr(text, "backup"));
    free(text);
}

/* Every status that an error can give is explained, and no other. */
static void
exit_statuses_are_explained(void **state)
{
    (void)state;
    for (int kind = ERR_NONE; kind < ERROR_KIND_COUNT; kind++) {
        bool is_there = false;

        for (size_t i = 0; i < page_status_count; i++)
            is_there |= page_statuses[i].status == error_exit_status((enum error_kind)kind);
        if (!is_there)
            fail_msg("no words for %s", error_kind_name((enum error_kind)kind));
    }
    for (size_t i = 1; i < page_status_count; i++)
        assert_true(page_statuses[i - 1].status < page_statuses[i].status);
}

static void
man_pages_have_their_sections_and_no_stray_markup(void **state)
{
    struct ctx *ctx = *state;
    const char *text = print_with(ctx, man_print, &sample_apply);

    assert_true(text_starts_with(text, ".TH \"PGMEND-INDEX-APPLY\" 1 \""));
    assert_holds(text, "\n.SH NAME\npgmend\\-index\\-apply \\- build indexes without blocking\n");
    assert_holds(text, "\\fB\\-j, \\-\\-jobs N\\fR\n");
    /* The full stop at the start of a paragraph is text, not a request. */
    assert_holds(text, "it\\(aqs own words.\n.PP\n\\&.second paragraph.\n");
    assert_holds(text, ".SH EXAMPLES\n.nf\npgmend index apply \\-\\-dry\\-run\n.fi\n");

    text = print_with(ctx, man_print, NULL);
    assert_holds(text, "\n.SH EXIT STATUS\n");
    assert_holds(text, "\n.SS Find what is slow\n");
    assert_null(strstr(text, "Nothing here"));
}

static void
print_markdown(FILE *out, const struct command *command)
{
    (void)command;
    markdown_print(out);
}

static void
print_description(FILE *out, const struct command *command)
{
    (void)command;
    describe_print(out);
}

static void
the_reference_has_a_heading_a_command(void **state)
{
    struct ctx *ctx = *state;
    const char *text = print_with(ctx, print_markdown, NULL);

    for (size_t i = 0; commands[i]; i++)
        assert_holds(text, arena_printf(ctx->arena, "\n### pgmend %s\n", commands[i]->path));
    assert_holds(text, "| `-j`, `--jobs N` | build so many at once (default: 1) |\n");
    assert_null(strstr(text, "Nothing here"));
    assert_null(strstr(text, "\n\n\n"));
}

static void
the_description_names_types_and_defaults(void **state)
{
    struct ctx *ctx = *state;
    json_t *json CLEANUP(json_release) = NULL;
    const json_t *apply;
    const json_t *option;

    assert_true(json_parse(ctx, "description", print_with(ctx, print_description, NULL), &json));
    assert_int_equal(json_get_int(json, "schema_version", 0), 1);
    assert_int_equal(json_array_size(json_object_get(json, "commands")), 6);
    apply = json_array_get(json_object_get(json, "commands"), 0);
    assert_string_equal(json_get_text(ctx->arena, apply, "path", ""), "index apply");
    assert_string_equal(json_get_text(ctx->arena, apply, "access", ""), "write");
    assert_true(json_is_null(json_object_get(apply, "max_operands")));
    option = json_array_get(json_object_get(apply, "options"), 0);
    assert_string_equal(json_get_text(ctx->arena, option, "option", ""), "--min-size");
    assert_string_equal(json_get_text(ctx->arena, option, "type", ""), "size");
    assert_string_equal(json_get_text(ctx->arena, option, "environment", ""), "PGMEND_MIN_SIZE");
    assert_string_equal(json_get_text(ctx->arena, option, "default", ""), "1MB");
}

static void
print_bash(FILE *out, const struct command *command)
{
    (void)command;
    assert_true(completion_print(out, "bash"));
}

/* Asks bash itself what it would offer after these words. */
static const char *
complete(struct ctx *ctx, const char *script, const char *words, int index)
{
    const char *text = arena_printf(ctx->arena,
        "%s\nCOMP_WORDS=(%s); COMP_CWORD=%d; _pgmend; echo \"${COMPREPLY[*]}\"\n", script, words,
        index);
    const char *const argv[] = { "bash", "--norc", "-c", text, NULL };
    struct process_options options = { .argv = argv, .timeout_us = 20000000 };
    struct process process;

    if (!process_run(ctx, &options, &process))
        fail_msg("%s: %s", ctx->error.message, ctx->error.detail);
    assert_string_equal(buffer_text(&process.err), "");
    return buffer_text(&process.out);
}

static void
bash_offers_what_can_stand_there(void **state)
{
    static const struct {
        const char *words;
        int index;
        const char *offered;
    } cases[] = {
        { "pgmend ''", 1, "index backup plan\n" },
        { "pgmend in", 1, "index\n" },
        { "pgmend index ''", 2, "apply unused\n" },
        { "pgmend --json index a", 3, "apply\n" },
        { "pgmend index apply --min", 3, "--min-size\n" },
        { "pgmend index apply --format ''", 4, "text json sarif\n" },
        { "pgmend index apply --format j", 4, "json\n" },
        { "pgmend index apply --min-size ''", 4, "\n" },
        { "pgmend plan ''", 2, "show\n" },
        { "pgmend backup create --out", 3, "--output\n" },
        { "pgmend backup create --min", 3, "\n" },
        { "pgmend --vers", 1, "--version\n" },
    };
    struct ctx *ctx = *state;
    const char *script = print_with(ctx, print_bash, NULL);

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(
            complete(ctx, script, cases[i].words, cases[i].index), cases[i].offered);
}

static void
other_shells_get_a_script_and_unknown_ones_do_not(void **state)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    (void)state;
    assert_false(completion_print(out, "tcsh"));
    fflush(out);
    assert_int_equal(length, 0);
    assert_true(completion_print(out, "zsh"));
    assert_true(completion_print(out, "fish"));
    fclose(out);
    assert_holds(text, "#compdef pgmend\n");
    assert_holds(text, "apply:'build indexes without blocking'");
    assert_holds(text,
        "complete -c pgmend -n '__pgmend_at \" index apply\"' -l format -x -a 'text json sarif'");
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(words_are_wrapped_at_the_width),
        test_with_ctx(help_of_a_command_shows_all_of_it),
        test_with_ctx(help_of_the_program_lists_groups_that_have_commands),
        test_with_ctx(help_of_a_group_lists_its_commands),
        test_with_ctx(exit_statuses_are_explained),
        test_with_ctx(man_pages_have_their_sections_and_no_stray_markup),
        test_with_ctx(the_reference_has_a_heading_a_command),
        test_with_ctx(the_description_names_types_and_defaults),
        test_with_ctx(bash_offers_what_can_stand_there),
        test_with_ctx(other_shells_get_a_script_and_unknown_ones_do_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
