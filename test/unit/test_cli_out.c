#include "support/test.h"

#include <fcntl.h>
#include <pty.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/out.h"
#include "support/cli_table.h"

struct row {
    const char *name;
    int64_t scans;
    int64_t size;
    bool is_unique;
    const char *password;
};

static const struct field columns[] = {
    FIELD(struct row, name),
    FIELD(struct row, scans),
    FIELD(struct row, size, .unit = UNIT_BYTES, .help = "on disk"),
    FIELD(struct row, is_unique),
};

/* What a function prints to a file that is no terminal. */
static FILE *
open_memory(char **text, size_t *length)
{
    FILE *out = open_memstream(text, length);

    assert_non_null(out);
    return out;
}

static void
columns_are_aligned_by_what_a_terminal_shows(void **state)
{
    static const struct row rows[] = {
        { .name = "ix_users", .scans = 1234567, .size = 8192 },
        { .name = "индекс", .scans = 0, .size = 1073741824, .is_unique = true },
        { .name = "日本", .scans = -5, .size = 0 },
    };
    char *text;
    size_t length;
    FILE *out = open_memory(&text, &length);

    (void)state;
    out_table(out, columns, COUNT_OF(columns), rows, COUNT_OF(rows), sizeof(rows[0]));
    fclose(out);
    assert_string_equal(text, "name          scans  on disk  is unique\n"
                              "ix_users  1 234 567   8.0 kB  no\n"
                              "индекс            0   1.0 GB  yes\n"
                              "日本             -5  0 bytes  no\n");
    free(text);
}

static void
control_characters_of_a_name_do_not_reach_the_terminal(void **state)
{
    static const struct row row = { .name = "a\033[31m\nb\tc\x7F\xC2\x9B!" };
    char *text;
    size_t length;
    FILE *out = open_memory(&text, &length);

    (void)state;
    out_table(out, columns, 1, &row, 1, sizeof(row));
    fclose(out);
    assert_string_equal(text, "name\na?[31m b c??\?!\n");
    free(text);
}

static void
a_table_without_rows_says_so(void **state)
{
    char *text;
    size_t length;
    FILE *out = open_memory(&text, &length);

    (void)state;
    out_table(out, columns, 2, NULL, 0, sizeof(struct row));
    fclose(out);
    assert_string_equal(text, "name  scans\n(none)\n");
    free(text);
}

static void
a_secret_is_not_shown(void **state)
{
    static const struct field secret[] = { FIELD(struct row, password, .secret = true) };
    static const struct row row = { .password = "hunter2" };
    char *text;
    size_t length;
    FILE *out = open_memory(&text, &length);
    json_t *json CLEANUP(json_release) = out_json_rows(secret, 1, &row, 1, sizeof(row));

    (void)state;
    out_table(out, secret, 1, &row, 1, sizeof(row));
    out_json(out, json_array_get(json, 0));
    fclose(out);
    assert_null(strstr(text, "hunter2"));
    free(text);
}

static void
a_json_document_begins_with_its_version(void **state)
{
    static const struct row rows[] = { { .name = "a", .scans = 1 }, { .name = NULL, .size = 2 } };
    struct ctx *ctx = *state;
    char *text;
    size_t length;
    FILE *out = open_memory(&text, &length);
    json_t *document CLEANUP(json_release) = json_object();
    json_t *again CLEANUP(json_release) = NULL;

    json_object_set_new(document, "indexes",
        out_json_rows(columns, COUNT_OF(columns), rows, COUNT_OF(rows), sizeof(rows[0])));
    out_json(out, document);
    fclose(out);
    assert_true(text_starts_with(text, "{\n  \"schema_version\": 1,"));
    assert_true(text_ends_with(text, "}\n"));
    assert_true(json_parse(ctx, "output", text, &again));
    assert_int_equal(json_get_int(again, "schema_version", 0), 1);
    assert_int_equal(json_array_size(json_object_get(again, "indexes")), 2);
    assert_null(json_object_get(document, "schema_version"));
    free(text);
}

static void
marks_and_the_next_command_are_plain_lines(void **state)
{
    char *text;
    size_t length;
    FILE *out = open_memory(&text, &length);

    (void)state;
    out_mark_line(out, MARK_OK, "direct connection");
    out_mark_line(out, MARK_WARN, "%d sessions idle", 3);
    out_mark_line(out, MARK_FAIL, "old");
    out_mark_line(out, MARK_INFO, "new");
    out_next(out, "pgmend %s", "status");
    fclose(out);
    assert_string_equal(text, "ok    direct connection\nwarn  3 sessions idle\nfail  old\n"
                              "info  new\nNext: pgmend status\n");
    free(text);
}

/* A terminal of this many columns, whose other end is returned. */
static int
open_terminal(unsigned short width, FILE **ret)
{
    struct winsize size = { .ws_row = 25, .ws_col = width };
    int master;
    int slave;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
    *ret = fdopen(slave, "w");
    assert_non_null(*ret);
    return master;
}

/* Closes our end and reads all that was written: the kernel hands it over when it likes. */
static const char *
read_terminal(struct arena *arena, int master, FILE *out)
{
    struct buffer text = { .arena = arena };
    char part[4096];
    ssize_t length;

    fclose(out);
    while ((length = read(master, part, sizeof(part))) > 0)
        buffer_append(&text, part, (size_t)length);
    close(master);
    return buffer_text(&text);
}

static void
on_a_terminal_the_table_is_cut_to_its_width(void **state)
{
    static const struct row row = {
        .name = "a_very_long_name_of_an_index_that_does_not_fit", .scans = 7, .is_unique = true
    };
    struct ctx *ctx = *state;
    FILE *out;
    int master = open_terminal(40, &out);
    const char *text;

    out_table(out, columns, COUNT_OF(columns), &row, 1, sizeof(row));
    text = read_terminal(ctx->arena, master, out);
    assert_string_equal(text, "name           scans  on disk  is unique\r\n"
                              "a_very_long_…      7  0 bytes  yes\r\n");
}

/* Runs with standard error turned to a file, and gives what was written there. */
static const char *
catch_stderr(struct ctx *ctx, void (*talk)(void))
{
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "err");
    int saved = dup(STDERR_FILENO);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    const char *text;
    size_t length;

    dup2(file, STDERR_FILENO);
    talk();
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(file);
    assert_true(file_read(ctx, path, &text, &length));
    assert_true(file_remove(ctx, folder));
    return text;
}

static void
show_progress(void)
{
    struct progress progress;

    progress_begin(&progress);
    progress_show(&progress, "ix_a", "building", 0.25, 2000000, 6000000, NULL);
    progress_show(&progress, "ix_a", "building", 0.5, 4000000, 4000000, NULL);
    progress_show(&progress, "ix_a", "waiting", -1, 5000000, 0, "for pid 4711");
    progress_end(&progress);
}

static void
without_a_terminal_progress_is_a_line_a_phase(void **state)
{
    struct ctx *ctx = *state;

    assert_string_equal(catch_stderr(ctx, show_progress),
        "ix_a: building  25%  2.0 s, about 6.0 s left\n"
        "ix_a: waiting  5.0 s  for pid 4711\n");
    log_set_level(LOG_QUIET);
    assert_string_equal(catch_stderr(ctx, show_progress), "");
    log_set_level(LOG_NORMAL);
}

static void
on_a_terminal_progress_is_drawn_over_and_removed(void **state)
{
    struct ctx *ctx = *state;
    FILE *out;
    int master = open_terminal(60, &out);
    struct progress progress = { .file = out, .is_terminal = true };
    const char *text;

    progress_show(&progress, "ix_a", "building", 0.5, 4000000, 4000000, NULL);
    progress_show(
        &progress, "ix_a", "a phase whose name is much longer than the line", 1, 0, 0, NULL);
    progress_end(&progress);
    text = read_terminal(ctx->arena, master, out);
    assert_string_equal(text, "\rix_a: building  [#####"
                              "#####-----"
                              "-----]  50%  4.0 s, about 4\033[K"
                              "\rix_a: a phase whose name is much longer than the line  [###\033[K"
                              "\r\033[K");
}

static void
a_confirmation_is_answered_by_yes_or_refused_without_a_person(void **state)
{
    struct ctx *ctx = *state;
    struct global_options yes = { .yes = true };
    struct global_options no_input = { .no_input = true };

    assert_true(confirm_typed(ctx, &yes, "Drop it?", "drop"));
    assert_false(confirm_typed(ctx, &no_input, "Drop it?", "drop"));
    assert_error(ctx, ERR_USAGE, "Drop it?");
    assert_non_null(strstr(ctx->error.hint, "--yes"));
}

/* Types an answer into a terminal that is our standard input. */
static bool
confirm_by_typing(struct ctx *ctx, const char *answer)
{
    struct global_options global = { .yes = false };
    int saved = dup(STDIN_FILENO);
    int saved_err = dup(STDERR_FILENO);
    int null = open("/dev/null", O_WRONLY);
    int master;
    int slave;
    bool is_confirmed;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    dup2(slave, STDIN_FILENO);
    dup2(null, STDERR_FILENO);
    assert_true(write(master, answer, strlen(answer)) > 0);
    is_confirmed = confirm_typed(ctx, &global, "Drop it?", "drop");
    clearerr(stdin);
    dup2(saved, STDIN_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved);
    close(saved_err);
    close(null);
    close(master);
    close(slave);
    return is_confirmed;
}

static void
only_the_word_itself_confirms(void **state)
{
    struct ctx *ctx = *state;

    assert_true(confirm_by_typing(ctx, "drop\n"));
    assert_false(confirm_by_typing(ctx, "Drop\n"));
    assert_error(ctx, ERR_INPUT, "not confirmed");
    assert_string_equal(ctx->error.state, "Nothing was changed.");
    assert_false(confirm_by_typing(ctx, "\n"));
    assert_false(confirm_by_typing(ctx, "\004"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(columns_are_aligned_by_what_a_terminal_shows),
        test_with_ctx(control_characters_of_a_name_do_not_reach_the_terminal),
        test_with_ctx(a_table_without_rows_says_so),
        test_with_ctx(a_secret_is_not_shown),
        test_with_ctx(a_json_document_begins_with_its_version),
        test_with_ctx(marks_and_the_next_command_are_plain_lines),
        test_with_ctx(on_a_terminal_the_table_is_cut_to_its_width),
        test_with_ctx(without_a_terminal_progress_is_a_line_a_phase),
        test_with_ctx(on_a_terminal_progress_is_drawn_over_and_removed),
        test_with_ctx(a_confirmation_is_answered_by_yes_or_refused_without_a_person),
        test_with_ctx(only_the_word_itself_confirms),
    };

    setenv("NO_COLOR", "1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
