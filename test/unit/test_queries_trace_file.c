/* What is written is read again; files that are cut, full or somebody else's. */
#include "support/test.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "queries/trace/trace_file.h"

/* What came back, as text that can be compared. */
struct seen {
    struct buffer text;
    size_t count;
};

static void
add_values(struct buffer *text, const struct traced_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_printf(text, "%s%s%s", i > 0 ? "," : "", values[i].is_opaque ? "?" : "",
            values[i].hash == 0 ? "NULL"
            : values[i].text
                ? values[i].text
                : arena_printf(text->arena, "%016llx", (unsigned long long)values[i].hash));
}

static bool
note(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct seen *seen = data;
    struct buffer *text = &seen->text;

    (void)ctx;
    seen->count++;
    buffer_printf(text, "%d %d %d %d %d %d %s|%s|%d%d|%s (", (int)statement->session,
        (int)statement->transaction, (int)statement->line, (int)statement->started_us,
        (int)statement->elapsed_us, (int)statement->rows, statement->template->fingerprint,
        statement->template->text, statement->template->kind, statement->template->is_volatile,
        statement->sql ? statement->sql : "-");
    add_values(text, statement->values, statement->value_count);
    buffer_printf(text, ") %d", (int)statement->param_count);
    for (size_t i = 0; i < statement->column_count; i++) {
        buffer_printf(text,
            " %s:%u=", statement->columns[i].name ? statement->columns[i].name : "-",
            statement->columns[i].type);
        add_values(text, statement->columns[i].values, statement->columns[i].count);
    }
    buffer_printf(text, " %s %s %s %s %s %s %d%d\n",
        statement->tag.route ? statement->tag.route : "-",
        statement->tag.request ? statement->tag.request : "-",
        statement->tag.framework ? statement->tag.framework : "-",
        statement->application ? statement->application : "-",
        statement->database ? statement->database : "-", statement->user ? statement->user : "-",
        statement->is_failed, statement->is_after_gap);
    return true;
}

static const struct template templates[] = {
    { .number = 0,
        .kind = TEMPLATE_READ,
        .fingerprint = "00000000000000aa",
        .text = "SELECT \"a\\b\" FROM t\nWHERE d > interval $1",
        .param_count = 1 },
    { .number = 1,
        .kind = TEMPLATE_WRITE,
        .fingerprint = "00000000000000bb",
        .text = "INSERT INTO \xd1\x82 VALUES ($1)",
        .param_count = 1,
        .is_volatile = true },
    { .number = 900,
        .kind = TEMPLATE_UNKNOWN,
        .fingerprint = "x0000000000000c",
        .text = "whatever" },
};

static struct traced_value cells[] = { { .hash = 1, .text = "7" }, { .hash = 0 },
    { .hash = 0xfedcba9876543210, .is_opaque = true }, { .hash = 5, .text = "\x01 \"x\" \xff" },
    { .hash = 6, .text = "\xd1\x82" } };
static const struct traced_column columns[] = {
    { .name = "id", .type = 23, .values = cells, .count = 2 },
    { .type = 25, .values = cells + 2, .count = 2 },
};

static const struct traced_statement statements[] = {
    { .session = 1,
        .transaction = 2,
        .line = 3,
        .started_us = 4,
        .elapsed_us = 5,
        .rows = 2,
        .template = &templates[0],
        .sql = "SELECT 7",
        .values = cells,
        .value_count = 5,
        .param_count = 3,
        .columns = columns,
        .column_count = 2,
        .row_count = 2,
        .tag = { "/a", "r1", "fastapi" },
        .application = "web",
        .database = "shop",
        .user = "an\"na" },
    { .session = 2,
        .elapsed_us = -1,
        .rows = -1,
        .template = &templates[1],
        .is_failed = true,
        .is_after_gap = true },
    { .session = 2, .elapsed_us = 1, .rows = 0, .template = &templates[2] },
    { .session = 1, .elapsed_us = 1, .rows = 0, .template = &templates[0] },
};

static const char *
write_trace(struct ctx *ctx, const char *folder, const struct trace_file_options *options)
{
    const char *path = file_join(ctx->arena, folder, "a.trace");
    struct trace_writer *writer;

    assert_true(trace_writer_open(ctx, path, options, &writer));
    for (size_t i = 0; i < COUNT_OF(statements); i++)
        assert_true(trace_writer_statement(ctx, writer, &statements[i]));
    assert_true(trace_writer_close(ctx, writer, 3));
    assert_true(file_exists(path));
    return path;
}

static bool
read_trace(struct ctx *ctx, const char *path, struct seen *seen, struct trace_summary *summary)
{
    struct templates *table = templates_new(ctx->arena);
    bool is_good;

    *seen = (struct seen){ .text = { .arena = ctx->arena } };
    is_good = trace_file_read(ctx, path, table, note, seen, summary);
    templates_free(table);
    return is_good;
}

static void
values_are_hashed_unless_they_are_kept(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct trace_file_options options = { .source = "wire" };
    struct trace_summary summary;
    struct seen seen;
    const char *path = write_trace(ctx, folder, &options), *data;
    struct stat status;
    size_t length;

    assert_true(read_trace(ctx, path, &seen, &summary));
    assert_string_equal(buffer_text(&seen.text),
        "1 2 3 4 5 2 00000000000000aa|SELECT \"a\\b\" FROM t\nWHERE d > interval $1|00|- "
        "(0000000000000001,NULL,?fedcba9876543210,0000000000000005,0000000000000006) 3 "
        "id:23=0000000000000001,NULL -:25=?fedcba9876543210,0000000000000005 "
        "/a r1 fastapi web shop an\"na 00\n"
        "2 0 0 0 -1 -1 00000000000000bb|INSERT INTO \xd1\x82 VALUES ($1)|11|- () 0 - - - - - - 11\n"
        "2 0 0 0 1 0 x0000000000000c|whatever|50|- () 0 - - - - - - 00\n"
        "1 0 0 0 1 0 00000000000000aa|SELECT \"a\\b\" FROM t\nWHERE d > interval $1|00|- () 0 "
        "- - - - - - 00\n");
    assert_string_equal(summary.source, "wire");
    assert_int_equal(summary.statements, 4);
    assert_int_equal(summary.lost, 3);
    assert_false(summary.is_cut);
    assert_false(summary.has_values);
    assert_true(trace_file_is(path));
    assert_true(file_read(ctx, path, &data, &length));
    assert_null(strstr(data, "SELECT 7"));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);

    options.keeps_values = true;
    write_trace(ctx, folder, &options);
    assert_true(read_trace(ctx, path, &seen, &summary));
    assert_true(summary.has_values);
    /* A text that JSON cannot hold is a hash as before. */
    assert_non_null(strstr(buffer_text(&seen.text),
        "SELECT 7 (7,NULL,?fedcba9876543210,?0000000000000005,\xd1\x82) 3 id:23=7,NULL "
        "-:25=?fedcba9876543210,?0000000000000005 /a"));
    assert_true(file_remove(ctx, folder));
}

/* Each line is JSON by itself, for other programs. */
static void
lines_are_json(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct trace_file_options options = { .keeps_values = true };
    const char *data;
    size_t length, lines = 0;

    assert_true(file_read(ctx, write_trace(ctx, folder, &options), &data, &length));
    for (const char *at = data; *at; at = strchr(at, '\n') + 1, lines++) {
        json_t *json CLEANUP(json_release) = NULL;
        const char *end = strchr(at, '\n');

        assert_non_null(end);
        assert_true(
            json_parse(ctx, "line", arena_strndup(ctx->arena, at, (size_t)(end - at)), &json));
        assert_true(json_is_object(json));
    }
    assert_int_equal(lines, 1 + 3 + 4 + 1);
    assert_true(file_remove(ctx, folder));
}

static void
a_file_that_is_cut_is_read_to_its_last_whole_line(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    struct trace_file_options options = { 0 };
    const char *path = write_trace(ctx, folder, &options), *data;
    struct trace_summary summary;
    struct seen seen;
    size_t length, most = 0, first;

    assert_true(file_read(ctx, path, &data, &length));
    first = (size_t)(strchr(data, '\n') - data) + 1;
    for (size_t kept = 0; kept < length; kept += 7) {
        assert_true(file_write(ctx, path, data, kept, 0600));
        if (kept < first) {
            assert_false(read_trace(ctx, path, &seen, &summary));
            assert_error(ctx, ERR_INPUT, "a.trace");
            continue;
        }
        assert_true(read_trace(ctx, path, &seen, &summary));
        assert_true(summary.is_cut);
        assert_true(seen.count >= most);
        most = seen.count;
    }
    assert_int_equal(most, COUNT_OF(statements));
    assert_true(file_remove(ctx, folder));
}

static void
what_is_no_trace_is_told_with_its_line(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "b.trace");
    static const char head[] = "{\"pgmend_trace\":1,\"source\":\"wire\",\"values\":false}\n";
    static const char known[] =
        "{\"t\":0,\"kind\":\"read\",\"fingerprint\":\"aa\",\"text\":\"SELECT $1\",\"params\":1}\n";
    static const struct {
        const char *text;
        const char *error;
    } wrong[] = {
        { "{\"pgmend_trace\":2}\n", "newer pgmend" },
        { "{\"pgmend_trace\":\"x\"}\n", "b.trace:1:" },
        { "%s{\"q\":0}\n", "b.trace:2: its template" },
        { "%s{\"q\":-1}\n", "b.trace:2: its template" },
        { "%snothing\n", "b.trace:2: this is no line" },
        { "%s[]\n", "b.trace:2: this is no line" },
        { "%s{\"t\":99999999999}\n", "b.trace:2: this is no template" },
        { "%s%s{\"q\":0,\"v\":[7]}\n", "b.trace:3: \"v\"" },
        { "%s%s{\"q\":0,\"v\":[\"12\"]}\n", "b.trace:3: \"v\"" },
        { "%s%s{\"q\":0,\"p\":2,\"v\":[null]}\n", "b.trace:3: \"v\"" },
        { "%s%s{\"q\":0,\"r\":0,\"c\":[{\"v\":[null]}]}\n", "b.trace:3: \"c\"" },
        { "%s%s{\"q\":0,\"r\":1,\"c\":[{\"v\":7}]}\n", "b.trace:3: \"c\"" },
    };

    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct trace_summary summary;
        struct seen seen;
        struct buffer text = { .arena = ctx->arena };
        const char *rest = wrong[i].text;

        if (text_starts_with(rest, "%s")) {
            buffer_add(&text, head);
            rest += 2;
        }
        if (text_starts_with(rest, "%s")) {
            buffer_add(&text, known);
            rest += 2;
        }
        buffer_add(&text, rest);
        assert_true(file_write(ctx, path, text.data, text.length, 0600));
        if (read_trace(ctx, path, &seen, &summary))
            fail_msg("%s was read", text.data);
        if (!strstr(ctx->error.message, wrong[i].error))
            fail_msg("%s: %s", text.data, ctx->error.message);
        error_clear(ctx);
    }
    assert_false(trace_file_is(folder));
    assert_false(trace_file_is(file_join(ctx->arena, folder, "none")));
    assert_true(file_remove(ctx, folder));
}

/* Whatever is kept: no file has the password of a role. What is not yet closed can be read, too. */
static void
passwords_are_not_kept_and_what_waits_is_written_in_time(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const struct trace_file_options options = { .keeps_values = true };
    static const struct template secret[] = {
        { .number = 1,
            .kind = TEMPLATE_OTHER,
            .fingerprint = "01",
            .text = "alter role r password $1" },
        { .number = 2,
            .kind = TEMPLATE_OTHER,
            .fingerprint = "02",
            .text = "CREATE SUBSCRIPTION s CONNECTION $1" },
        { .number = 3, .kind = TEMPLATE_OTHER, .fingerprint = "03", .text = "DO $1" },
        { .number = 4,
            .kind = TEMPLATE_READ,
            .fingerprint = "04",
            .text = "SELECT $1 AS password" },
    };
    static const struct traced_value values[] = { { .hash = 7, .text = "hush1" },
        { .hash = 8, .text = "host=a hush2" },
        { .hash = 9, .text = "ALTER ROLE r PassWord 'hush3'" }, { .hash = 10, .text = "shown" } };
    struct trace_writer *writer;
    struct trace_summary summary;
    struct seen seen = { 0 };
    const char *text = "";
    size_t length;

    assert_true(trace_writer_open(ctx, file_join(ctx->arena, folder, "s"), &options, &writer));
    for (size_t i = 0; i < COUNT_OF(secret); i++) {
        const struct traced_statement statement = {
            .template = &secret[i], .sql = values[i].text, .values = &values[i], .value_count = 1
        };

        assert_true(trace_writer_statement(ctx, writer, &statement));
    }
    /* No more than a second after it came, whoever kills us then. */
    for (int i = 0; i < 3000 && !strstr(text, "shown"); i++) {
        usleep(10000);
        assert_true(trace_writer_tick(ctx, writer));
        assert_true(file_read(ctx, trace_writer_path(writer), &text, &length));
    }
    assert_true(read_trace(ctx, trace_writer_path(writer), &seen, &summary));
    assert_true(summary.is_cut && summary.has_values);
    assert_int_equal(seen.count, 4);
    assert_null(strstr(text, "hush"));
    assert_non_null(strstr(buffer_text(&seen.text), "|- (?0000000000000007)"));
    assert_non_null(strstr(buffer_text(&seen.text), "|shown (shown)"));
    trace_writer_discard(writer);
    assert_true(file_remove(ctx, folder));
}

static void
beyond_its_size_nothing_is_written_and_all_is_counted(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "c.trace");
    const struct trace_file_options options = { .most_bytes = 20000 };
    struct trace_writer *writer;
    struct trace_summary summary;
    struct seen seen;
    int64_t size;

    assert_true(trace_writer_open(ctx, path, &options, &writer));
    for (int i = 0; i < 1000; i++)
        assert_true(trace_writer_statement(ctx, writer, &statements[3]));
    assert_true(trace_writer_close(ctx, writer, 0));
    assert_true(file_size(ctx, path, &size));
    assert_true(size <= 20000 && size > 18000);
    assert_true(read_trace(ctx, path, &seen, &summary));
    assert_false(summary.is_cut);
    assert_int_equal(summary.statements + summary.lost, 1000);
    assert_true(summary.lost > 0 && summary.statements > 0);
    assert_true(file_remove(ctx, folder));
}

/* A limit on the size of files stands for a disk that is full: write() fails in the middle. */
static void
a_full_disk_is_told_once_and_what_was_written_stays(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "d.trace");
    const struct trace_file_options options = { 0 };
    struct rlimit before, limit;
    struct trace_writer *writer;
    struct trace_summary summary;
    struct seen seen;
    int failed = 0;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 500001;
    assert_true(trace_writer_open(ctx, path, &options, &writer));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (int i = 0; i < 20000; i++)
        failed += !trace_writer_statement(ctx, writer, &statements[3]);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(failed, 1);
    assert_error(ctx, ERR_IO, "d.trace");
    error_clear(ctx);
    assert_true(trace_writer_close(ctx, writer, 0));
    assert_true(read_trace(ctx, path, &seen, &summary));
    assert_true(summary.is_cut);
    assert_true(seen.count > 1000 && seen.count < 20000);
    assert_true(file_remove(ctx, folder));
}

static void
what_stood_there_stays_until_the_end(void **state)
{
    struct ctx *ctx = *state;
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "e.trace");
    const struct trace_file_options options = { 0 };
    struct trace_writer *writer;
    struct text_list names;
    const char *data;
    size_t length;

    assert_true(file_write(ctx, path, "old", 3, 0600));
    assert_true(trace_writer_open(ctx, path, &options, &writer));
    assert_true(trace_writer_statement(ctx, writer, &statements[0]));
    assert_true(file_read(ctx, path, &data, &length));
    assert_string_equal(data, "old");
    trace_writer_discard(writer);
    assert_true(file_list(ctx, folder, &names));
    assert_int_equal(names.count, 1);
    assert_false(trace_writer_open(ctx, folder, &options, &writer));
    assert_error(ctx, ERR_INPUT, "no ordinary file");
    error_clear(ctx);
    assert_false(trace_writer_open(ctx, file_join(ctx->arena, folder, "no/x"), &options, &writer));
    assert_error(ctx, ERR_IO, "no/x");
    assert_true(file_remove(ctx, folder));
}

static bool
look_for_result(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    (void)ctx;
    *(bool *)data |= statement->columns != NULL;
    return true;
}

/* A log holds none: a trace that was made of it must not look as if the result had been empty. */
static void
where_no_result_was_seen_none_is_read(void **state)
{
    struct ctx *ctx = *state;
    const struct trace_file_options options = { .source = "log", .keeps_values = true };
    struct traced_statement statement = statements[0];
    const char *folder = test_folder(ctx);
    const char *path = file_join(ctx->arena, folder, "trace");
    struct templates *found = templates_new(ctx->arena);
    struct trace_summary summary;
    struct trace_writer *writer;
    bool has_result = false;

    statement.columns = NULL;
    statement.column_count = statement.row_count = 0;
    assert_true(trace_writer_open(ctx, path, &options, &writer));
    assert_true(trace_writer_statement(ctx, writer, &statement));
    assert_true(trace_writer_close(ctx, writer, 0));
    assert_true(trace_file_read(ctx, path, found, look_for_result, &has_result, &summary));
    assert_int_equal(summary.statements, 1);
    assert_string_equal(summary.source, "log");
    assert_false(has_result);
    templates_free(found);
    assert_true(file_remove(ctx, folder));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(values_are_hashed_unless_they_are_kept),
        test_with_ctx(lines_are_json),
        test_with_ctx(a_file_that_is_cut_is_read_to_its_last_whole_line),
        test_with_ctx(what_is_no_trace_is_told_with_its_line),
        test_with_ctx(passwords_are_not_kept_and_what_waits_is_written_in_time),
        test_with_ctx(beyond_its_size_nothing_is_written_and_all_is_counted),
        test_with_ctx(a_full_disk_is_told_once_and_what_was_written_stays),
        test_with_ctx(what_stood_there_stays_until_the_end),
        test_with_ctx(where_no_result_was_seen_none_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
