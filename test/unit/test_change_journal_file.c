/* The local half of the journal, whole, torn and damaged. */
#include "support/test.h"

#include "change/journal_file.h"

struct bench {
    const char *folder;
    const char *path;
};

static struct bench
begin(struct ctx *ctx)
{
    struct bench bench = { .folder = test_folder(ctx) };

    bench.path = file_join(ctx->arena, bench.folder, "journal.jsonl");
    return bench;
}

static struct journal_entry
entry_of(const char *id, const char *state)
{
    return (struct journal_entry){ .entry = id,
        .run = "r1",
        .kind = "create index",
        .object = "public.\"i\n1\"",
        .relation = "public.t",
        .statement = "CREATE INDEX CONCURRENTLY \"i\n1\" ON public.t USING btree (a)",
        .undo = "DROP INDEX CONCURRENTLY public.\"i\n1\"",
        .state = state,
        .started_at = "2026-11-22T10:00:00Z",
        .detail = "{\"x\":1}" };
}

static void
add(struct ctx *ctx, const char *path, const char *id, const char *state)
{
    struct journal_entry entry = entry_of(id, state);

    assert_true(journal_file_add_entry(ctx, path, &entry));
}

static void
append(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void
what_was_written_is_read(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = begin(ctx);
    struct journal_entry wanted = entry_of("e2", ENTRY_STARTED);
    struct journal_file_runs runs;
    struct journal_entries entries;

    assert_true(journal_file_read(ctx, bench.path, &entries));
    assert_int_equal(entries.count, 0);
    const struct journal_run about = { .command = "index apply", .overrides = "{}" };

    assert_true(journal_file_add_run(ctx, bench.path, "r1", &about, RUN_RUNNING, "now"));
    add(ctx, bench.path, "e1", ENTRY_STARTED);
    add(ctx, bench.path, "e2", ENTRY_STARTED);
    add(ctx, bench.path, "e1", ENTRY_DONE);
    assert_true(journal_file_add_run(ctx, bench.path, "r1", NULL, RUN_DONE, "later"));
    assert_true(journal_file_read_runs(ctx, bench.path, &runs));
    assert_int_equal(runs.count, 1);
    assert_string_equal(runs.items[0].run, "r1");
    assert_string_equal(runs.items[0].command, "index apply");
    assert_string_equal(runs.items[0].state, RUN_DONE);
    assert_string_equal(runs.items[0].started_at, "now");
    assert_string_equal(runs.items[0].ended_at, "later");
    assert_null(runs.items[0].actor);

    assert_true(journal_file_read(ctx, bench.path, &entries));
    assert_int_equal(entries.count, 2);
    assert_string_equal(entries.items[0].entry, "e1");
    assert_string_equal(entries.items[0].state, ENTRY_DONE);
    assert_string_equal(entries.items[1].object, wanted.object);
    assert_string_equal(entries.items[1].statement, wanted.statement);
    assert_string_equal(entries.items[1].undo, wanted.undo);
    assert_string_equal(entries.items[1].detail, wanted.detail);
    assert_null(entries.items[1].ended_at);
    assert_true(file_remove(ctx, bench.folder));
}

/* However many bytes of the last line reached the disk. */
static void
a_torn_last_line_is_cut_off(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = begin(ctx);
    const char *whole;
    size_t length;
    size_t first;

    add(ctx, bench.path, "e1", ENTRY_STARTED);
    assert_true(file_size(ctx, bench.path, &(int64_t){ 0 }));
    assert_true(file_read(ctx, bench.path, &whole, &first));
    add(ctx, bench.path, "e1", ENTRY_DONE);
    assert_true(file_read(ctx, bench.path, &whole, &length));
    for (size_t kept = first; kept < length; kept++) {
        struct journal_entries entries;
        bool is_torn;

        assert_true(file_write(ctx, bench.path, whole, kept, 0600));
        assert_true(journal_file_read(ctx, bench.path, &entries));
        assert_int_equal(entries.count, 1);
        assert_string_equal(entries.items[0].state, ENTRY_STARTED);
        assert_true(journal_file_mend(ctx, bench.path, &is_torn));
        assert_int_equal(is_torn, kept > first);
        add(ctx, bench.path, "e2", ENTRY_STARTED);
        assert_true(journal_file_read(ctx, bench.path, &entries));
        assert_int_equal(entries.count, 2);
    }
    assert_true(file_remove(ctx, bench.folder));
}

static void
a_missing_or_empty_file_needs_no_mending(void **state)
{
    struct ctx *ctx = *state;
    struct bench bench = begin(ctx);
    bool is_torn;

    assert_true(journal_file_mend(ctx, bench.path, &is_torn));
    assert_false(is_torn);
    assert_false(file_exists(bench.path));
    append(bench.path, "");
    assert_true(journal_file_mend(ctx, bench.path, &is_torn));
    assert_false(is_torn);
    append(bench.path, "{");
    assert_true(journal_file_mend(ctx, bench.path, &is_torn));
    assert_true(is_torn);
    assert_true(file_remove(ctx, bench.folder));
}

static void
a_damaged_line_is_named(void **state)
{
    static const char *const damage[] = { "{\"entry\": \"x\", }", "not JSON", "{\"entry\": \"x\"}",
        "[]\x80" };
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(damage); i++) {
        struct bench bench = begin(ctx);
        struct journal_entries entries;

        add(ctx, bench.path, "e1", ENTRY_STARTED);
        append(bench.path, damage[i]);
        append(bench.path, "\n");
        add(ctx, bench.path, "e2", ENTRY_STARTED);
        assert_false(journal_file_read(ctx, bench.path, &entries));
        assert_error(ctx, ERR_INPUT, arena_printf(ctx->arena, "%s:2", bench.path));
        assert_non_null(ctx->error.hint);
        assert_true(file_remove(ctx, bench.folder));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(what_was_written_is_read),
        test_with_ctx(a_torn_last_line_is_cut_off),
        test_with_ctx(a_missing_or_empty_file_needs_no_mending),
        test_with_ctx(a_damaged_line_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
