/* What must hold for every command of the program, whoever writes it. */
#include "support/test.h"

#include <ctype.h>

#include "base/json.h"
#include "base/process.h"
#include "cli/option.h"

enum { MAX_WORDS = 32 };

/* Starts with a small letter (or is a name such as SQL), and does not end as a sentence. */
static bool
is_phrase(const char *text)
{
    return text && *text && strlen(text) <= 500 && !text_ends_with(text, ".") &&
           !(isupper((unsigned char)text[0]) && islower((unsigned char)text[1])) &&
           !strchr(text, '\n');
}

static void
commands_are_complete_and_their_names_unique(void **state)
{
    (void)state;
    for (size_t i = 0; commands[i]; i++) {
        const struct command *command = commands[i];

        if (!is_phrase(command->summary))
            fail_msg("%s: summary \"%s\"", command->path, command->summary);
        assert_true(strlen(command->summary) <= 80);
        assert_int_equal(
            strspn(command->path, "abcdefghijklmnopqrstuvwxyz0123456789- "), strlen(command->path));
        assert_non_null(command->run);
        assert_true(command->min_operands <= command->max_operands);
        if ((command->max_operands > 0) != (command->operands != NULL))
            fail_msg("%s: operands are named exactly when there can be some", command->path);
        assert_true(command->option_count == 0 || command->options_size > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(command->path, commands[j]->path);
    }
}

/* Commands that share their first word stand together. */
static void
groups_are_not_torn(void **state)
{
    struct ctx *ctx = *state;
    struct text_list left = { 0 };
    const char *group = "";

    for (size_t i = 0; commands[i]; i++) {
        const char *path = commands[i]->path;

        if (*group && command_is_below(path, group))
            continue;
        text_list_add(ctx->arena, &left, group);
        group = arena_strndup(ctx->arena, path, strcspn(path, " "));
        if (text_list_has(&left, group))
            fail_msg("\"%s\" stands apart from the other commands of its group", path);
    }
}

static void
check_option(struct ctx *ctx, const struct command *command, const struct field *field)
{
    void *object = arena_alloc(ctx->arena, command->options_size);
    struct option option = { .field = field };
    size_t count = 0;

    if (!is_phrase(field->help))
        fail_msg("%s: help of --%s is \"%s\"", command->path, field->name, field->help);
    if (field->standard && !option_parse(ctx, &option, field->name, field->standard, object))
        fail_msg("%s: default: %s", command->path, ctx->error.message);
    if (field->standard && field->required)
        fail_msg("%s: --%s is required and has a default", command->path, field->name);
    assert_true(field->offset < command->options_size);
    for (size_t i = 0; i < option_count(command); i++) {
        const struct field *other = option_at(command, i).field;

        if (text_equal(other->name, field->name) ||
            (field->letter && other->letter == field->letter))
            count++;
    }
    if (count != 1)
        fail_msg("%s: --%s or its letter is there twice", command->path, field->name);
}

static void
options_have_help_good_defaults_and_letters_of_their_own(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; commands[i]; i++)
        for (size_t j = 0; j < commands[i]->option_count; j++)
            check_option(ctx, commands[i], &commands[i]->options[j]);
    for (size_t i = 0; i < global_field_count; i++)
        assert_true(is_phrase(global_fields[i].help));
}

/* The first command of the line that a shell would run: up to a pipe or redirection. */
static int
split_words(struct arena *arena, const char *line, char **argv, int limit)
{
    int argc = 0;

    while (*line && argc < limit && !strchr("|>&;)#", *line)) {
        size_t length = strcspn(line, " ");

        if ((*line == '"' || *line == '\'') && strchr(line + 1, *line))
            length = (size_t)(strchr(line + 1, *line) + 1 - line);
        argv[argc++] = arena_strndup(arena, line, length - (line[length - 1] == ')'));
        line += length;
        line += strspn(line, " ");
    }
    return argc;
}

/* The command that a line calls; NULL when it calls no pgmend. */
static const struct command *
find_called(
    struct ctx *ctx, const struct command *command, const char *line, struct invocation *ret)
{
    const char *start = strstr(line, "pgmend ");
    char **argv = ARENA_ARRAY(ctx->arena, char *, MAX_WORDS);
    int argc;

    if (!start)
        return NULL;
    argc = split_words(ctx->arena, start + strlen("pgmend "), argv, MAX_WORDS);
    if (!command_select(ctx, argc, argv, ret))
        fail_msg("%s: \"%s\": %s", command->path, line, ctx->error.message);
    if (!ret->command)
        fail_msg("%s: \"%s\" names no command", command->path, line);
    return ret->command;
}

static void
check_call(struct ctx *ctx, const struct command *command, const char *line)
{
    struct invocation asked;
    struct global_options global;
    struct text_list operands;

    if (!find_called(ctx, command, line, &asked))
        return;

    void *options = arena_alloc(ctx->arena, asked.command->options_size);

    if (!command_parse(ctx, &asked, &global, options, &operands))
        fail_msg("%s: \"%s\": %s", command->path, line, ctx->error.message);
}

static void
examples_and_next_steps_can_be_typed(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; commands[i]; i++) {
        const char *text = commands[i]->examples ? commands[i]->examples : "";

        while (*text) {
            size_t length = strcspn(text, "\n");

            check_call(ctx, commands[i], arena_strndup(ctx->arena, text, length));
            text += length + (text[length] == '\n');
        }
        if (!commands[i]->next)
            continue;

        struct invocation asked;

        /* The next step is named without its operands. */
        if (!text_starts_with(commands[i]->next, "pgmend "))
            fail_msg("%s: next is \"%s\"", commands[i]->path, commands[i]->next);
        assert_non_null(find_called(ctx, commands[i], commands[i]->next, &asked));
    }
}

static bool
is_listed(struct arena *arena, const char *path)
{
    for (size_t i = 0; commands[i]; i++) {
        char *words = arena_strdup(arena, commands[i]->path);

        /* A hyphen cannot stand in the name of a C file of ours. */
        for (char *c = words; *c; c++)
            if (*c == '-')
                *c = ' ';
        if (text_equal(words, path))
            return true;
    }
    return false;
}

/* A file of cmd/ without a header is a command named by its words, and stands in the list. */
static void
every_file_of_cmd_is_in_the_list(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_source(ctx, "src/cmd");
    struct text_list names;

    assert_true(file_list(ctx, folder, &names));
    assert_true(names.count > 3);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        char *path = arena_strndup(ctx->arena, name, strcspn(name, "."));
        const char *header = file_join(ctx->arena, folder, arena_printf(ctx->arena, "%s.h", path));

        if (!text_ends_with(name, ".c") || text_equal(name, "commands.c") || file_exists(header))
            continue;
        for (char *c = path; *c; c++)
            if (*c == '_')
                *c = ' ';
        if (!is_listed(ctx->arena, path))
            fail_msg("src/cmd/%s has no line in src/cmd/commands.c, or its path is not \"%s\"",
                name, path);
    }
    for (size_t i = 0; commands[i]; i++) {
        char *file = arena_printf(ctx->arena, "%s.c", commands[i]->path);

        for (char *c = file; *c; c++)
            if (*c == ' ' || *c == '-')
                *c = '_';
        if (!text_list_has(&names, file))
            fail_msg("\"%s\" is not in src/cmd/%s", commands[i]->path, file);
    }
}

/* Runs the program itself with the words of a command and one more argument. */
static void
run_program(struct ctx *ctx, const char *path, const char *argument, struct process *ret)
{
    const char *program = getenv("PGMEND");
    const char *argv[8] = { program };
    struct process_options options = { .argv = argv, .timeout_us = 60000000 };
    size_t count = 1;

    if (!program)
        fail_msg("PGMEND is not set: run the tests by script/test or meson test");
    for (const char *at = path; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");

        argv[count++] = arena_strndup(ctx->arena, at, length);
        at += length;
    }
    argv[count] = argument;
    if (!process_start(ctx, &options, ret) || !process_wait(ctx, ret))
        fail_msg("%s", ctx->error.message);
}

static void
every_command_shows_its_help(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; commands[i]; i++) {
        struct process process;

        run_program(ctx, commands[i]->path, "--help", &process);
        assert_int_equal(process.status, 0);
        assert_non_null(strstr(buffer_text(&process.out), commands[i]->path));
        assert_string_equal(buffer_text(&process.err), "");
    }
}

static void
every_command_refuses_an_unknown_option(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; commands[i]; i++) {
        /* Monitoring plug-ins have their own statuses; some commands are one with an option only. */
        bool is_plugin = commands[i]->failure_status && !commands[i]->failure_option;
        int wanted = is_plugin ? commands[i]->failure_status : 2;
        struct process process;

        run_program(ctx, commands[i]->path, "--no-such-option", &process);
        assert_int_equal(process.status, wanted);
        assert_string_equal(buffer_text(&process.out), "");
        assert_non_null(strstr(buffer_text(&process.err), "unknown option \"--no-such-option\""));
        assert_non_null(strstr(buffer_text(&process.err), "\nhint: "));
    }
}

static void
the_program_without_a_command_is_wrong_usage(void **state)
{
    static const struct {
        const char *words;
        const char *argument;
        int status;
        const char *out; /* how standard output begins; "" for nothing at all */
        const char *err;
    } cases[] = {
        { "", NULL, 2, "", "Usage: pgmend COMMAND" },
        { "", "--help", 0, "Finds what is slow", "" },
        { "", "--version", 0, "pgmend ", "" },
        { "help", "--version", 0, "pgmend ", "" },
        { "no-such-command", NULL, 2, "", "pgmend: unknown command \"no-such-command\"\nhint: " },
        { "no-such-command", "--json", 2, "{\n  \"schema_version\": 1,\n  \"error\": {", "" },
    };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct process process;
        const char *out;
        const char *err;

        run_program(ctx, cases[i].words, cases[i].argument, &process);
        out = buffer_text(&process.out);
        err = buffer_text(&process.err);
        assert_int_equal(process.status, cases[i].status);
        assert_true(*cases[i].out ? text_starts_with(out, cases[i].out) : !*out);
        assert_true(*cases[i].err ? text_starts_with(err, cases[i].err) : !*err);
    }
}

/* The error goes to standard output as JSON, with the exit status in it. */
static void
errors_are_json_when_asked(void **state)
{
    static const char *const argv_tail[] = { "version", "--json", "--no-such-option", NULL };
    struct ctx *ctx = *state;
    const char *argv[] = { getenv("PGMEND"), argv_tail[0], argv_tail[1], argv_tail[2], NULL };
    struct process_options options = { .argv = argv };
    struct process process;
    json_t *json CLEANUP(json_release) = NULL;
    const json_t *error;

    assert_non_null(argv[0]);
    assert_true(process_start(ctx, &options, &process) && process_wait(ctx, &process));
    assert_int_equal(process.status, 2);
    assert_true(json_parse(ctx, "error", buffer_text(&process.out), &json));
    error = json_object_get(json, "error");
    assert_string_equal(json_get_text(ctx->arena, error, "kind", ""), "usage");
    assert_int_equal(json_get_int(error, "exit_status", 0), 2);
    assert_true(json_is_null(json_object_get(error, "sqlstate")));
    assert_string_equal(buffer_text(&process.err), "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(commands_are_complete_and_their_names_unique),
        test_with_ctx(groups_are_not_torn),
        test_with_ctx(options_have_help_good_defaults_and_letters_of_their_own),
        test_with_ctx(examples_and_next_steps_can_be_typed),
        test_with_ctx(every_file_of_cmd_is_in_the_list),
        test_with_ctx(every_command_shows_its_help),
        test_with_ctx(every_command_refuses_an_unknown_option),
        test_with_ctx(the_program_without_a_command_is_wrong_usage),
        test_with_ctx(errors_are_json_when_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
