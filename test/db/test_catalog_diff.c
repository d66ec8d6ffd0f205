/*
 * The comparison sees exactly what was changed, and its statements take it back: pg_dump is asked
 * whether they did. Also: two random schemas are made equal, and a schema is made anew from its
 * own statements.
 */
#include "support/test.h"

#include "base/crypto.h"
#include "base/process.h"
#include "catalog/ddl.h"
#include "catalog/diff.h"
#include "db/ident.h"
#include "db/test_catalog_diff_mutations.h"
#include "db/test_catalog_diff_random.h"

enum { DUMP_EVERY = 10 };

struct bench {
    struct ctx ctx;
    const char *template; /* the fixture's database, never written to */
    const char *work;
    const char *dump; /* of the template */
    struct schema original;
    struct db *db;      /* in work */
    const char *before; /* the mutation whose rest could still be there */
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
open_database(struct bench *bench, const char *name)
{
    struct db_options options = { .database = name, .application = "test", .access = ACCESS_WRITE };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static void
run_in_postgres(struct bench *bench, const char *statement)
{
    struct db *admin CLEANUP(db_cleanup) = open_database(bench, "postgres");

    must(bench, db_exec(&bench->ctx, admin, statement));
}

static const char *
run_program(struct bench *bench, const char *const *argv)
{
    struct process process;
    struct process_options options = { .argv = argv, .timeout_us = 120000000 };

    must(bench, process_run(&bench->ctx, &options, &process));
    return buffer_text(&process.out);
}

static int
compare_bytes(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

static int
compare_lines(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *
sorted_lines(struct arena *arena, struct text_list *lines)
{
    if (lines->count > 0)
        qsort(lines->items, lines->count, sizeof(lines->items[0]), compare_lines);
    return text_list_join(arena, lines, "\n");
}

/*
 * What pg_dump says, its lines sorted: rights and options come in the order in which they were
 * given, which means nothing. So the bytes of lines with options are sorted too.
 */
static const char *
dump_of(struct bench *bench, const char *database)
{
    struct arena *arena = bench->ctx.arena;
    const char *said = run_program(
        bench, (const char *[]){ "pg_dump", "--schema-only", "--dbname", database, NULL });
    struct text_list lines = { 0 };

    while (*said) {
        size_t length = strcspn(said, "\n");
        char *line = arena_strndup(arena, said, length);

        if (strstr(line, "WITH (") || strstr(line, "OPTIONS (") || strstr(line, " SET ("))
            qsort(line, length, 1, compare_bytes);
        /* Passwords and the words of pg_dump itself. */
        if (!strstr(line, "restrict ") && !strstr(line, "never shown") && !strstr(line, "'***'"))
            text_list_add(arena, &lines, line);
        said += length + (said[length] == '\n');
    }
    return sorted_lines(arena, &lines);
}

static const char *
first_difference(struct bench *bench, const char *one, const char *other)
{
    while (*one && *other) {
        size_t length = strcspn(one, "\n");
        size_t other_length = strcspn(other, "\n");

        if (length != other_length || strncmp(one, other, length) != 0)
            return arena_printf(bench->ctx.arena, "\"%.*s\" and \"%.*s\"", (int)length, one,
                (int)other_length, other);
        one += length + (one[length] == '\n');
        other += other_length + (other[other_length] == '\n');
    }
    return *one ? one : other;
}

static void
new_database(struct bench *bench, const char *name, const char *template)
{
    run_in_postgres(
        bench, arena_printf(bench->ctx.arena, "CREATE DATABASE %s TEMPLATE %s", name, template));
}

static void
drop_database(struct bench *bench, const char *name)
{
    run_in_postgres(
        bench, arena_printf(bench->ctx.arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", name));
}

static void
open_work(struct bench *bench)
{
    bench->db = open_database(bench, bench->work);
    must(bench, db_exec(&bench->ctx, bench->db,
                    "SELECT pg_catalog.set_config('search_path', '', false), "
                    "pg_catalog.set_config('check_function_bodies', 'off', false), "
                    "pg_catalog.set_config('allow_system_table_mods', 'on', false)"));
}

static void
renew_work(struct bench *bench)
{
    db_close(bench->db);
    bench->db = NULL;
    drop_database(bench, bench->work);
    new_database(bench, bench->work, bench->template);
    open_work(bench);
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    *state = bench;
    bench->ctx.arena = arena;
    bench->template = arena_printf(arena, "diff_%s", random_hex(arena, 6));
    bench->work = arena_printf(arena, "%s_work", bench->template);
    new_database(bench, bench->template, "template0");
    run_program(
        bench, (const char *[]){ "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", bench->template,
                   "-f", test_source(&bench->ctx, "test/fixtures/schema/everything.sql"), NULL });
    bench->dump = dump_of(bench, bench->template);

    struct db *db CLEANUP(db_cleanup) = open_database(bench, bench->template);

    must(bench, schema_load(&bench->ctx, db, &bench->original));
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;
    db_close(bench->db);
    drop_database(bench, bench->work);
    drop_database(bench, bench->template);
    arena_free(bench->ctx.arena);
    return 0;
}

/* ---- what a comparison says ---- */

static const char *
line_of(struct arena *arena, const struct difference *item, bool is_back)
{
    static const char *const kinds[] = { "missing", "extra", "changed" };
    static const char *const swapped[] = { "extra", "missing", "changed" };

    return arena_printf(arena, "%s %s %s%s%s", (is_back ? swapped : kinds)[item->kind],
        schema_classes[item->class].name, item->identity, item->attribute ? " " : "",
        item->attribute ? item->attribute : "");
}

static const char *
told(struct arena *arena, const struct differences *differences, bool is_back)
{
    struct text_list lines = { 0 };

    for (size_t i = 0; i < differences->count; i++)
        text_list_add(arena, &lines, line_of(arena, &differences->items[i], is_back));
    return sorted_lines(arena, &lines);
}

static const char *
sorted_text(struct arena *arena, const char *text)
{
    struct text_list lines = { 0 };

    while (*text) {
        size_t length = strcspn(text, "\n");

        text_list_add(arena, &lines, arena_strndup(arena, text, length));
        text += length + (text[length] == '\n');
    }
    return sorted_lines(arena, &lines);
}

static struct differences
compare(struct arena *arena, const struct schema *found, const struct schema *wanted)
{
    struct diff_options options = { .schemas = NULL };
    struct differences differences;

    schema_diff(arena, found, wanted, &options, &differences);
    return differences;
}

static bool
has_note(const struct differences *differences)
{
    for (size_t i = 0; i < differences->count; i++)
        if (differences->items[i].note)
            return true;
    return false;
}

static bool
loses(const struct differences *differences)
{
    for (size_t i = 0; i < differences->count; i++)
        if (differences->items[i].loses_rows)
            return true;
    return false;
}

/* ---- one mutation ---- */

/* A semicolon in front of one of these words ends a statement. */
static size_t
statement_length(const char *sql)
{
    static const char *const words[] = { "ALTER ", "CREATE ", "DROP ", "COMMENT ", "UPDATE ",
        "REVOKE " };
    const char *at = sql;

    while ((at = strstr(at, "; "))) {
        for (size_t i = 0; i < COUNT_OF(words); i++)
            if (text_starts_with(at + 2, words[i]))
                return (size_t)(at - sql);
        at++;
    }
    return strlen(sql);
}

/* How many mutations went wrong; each is told, so that one run shows all. */
static bool
run_statement(struct bench *bench, const char *mutation, const char *statement)
{
    if (db_exec(&bench->ctx, bench->db, statement))
        return true;
    print_message("%s\n  failed: %s\n  %s; %s\n", mutation, statement, bench->ctx.error.message,
        bench->ctx.error.detail ? bench->ctx.error.detail : "");
    return false;
}

static bool
run_script(struct bench *bench, const char *mutation)
{
    for (const char *sql = mutation; *sql;) {
        size_t length = statement_length(sql);

        if (!run_statement(bench, mutation, arena_strndup(bench->ctx.arena, sql, length)))
            return false;
        sql += length + strspn(sql + length, "; ");
    }
    return true;
}

static bool
run_all(struct bench *bench, const char *mutation, const struct differences *differences)
{
    for (size_t i = 0; i < differences->count; i++)
        for (size_t j = 0; j < differences->items[i].statements.count; j++)
            if (!run_statement(bench, mutation, differences->items[i].statements.items[j]))
                return false;
    return true;
}

static bool
expect(const struct bench *bench, const struct mutation *mutation, const char *what, const char *is,
    const char *shall)
{
    if (text_equal(is, shall))
        return true;
    print_message("%s\n  %s: %s\n  instead of: %s\n  before it: %s\n", mutation->sql, what, is,
        shall, bench->before ? bench->before : "nothing");
    return false;
}

/*
 * Takes it back. That nothing is left the next mutation will see, or pg_dump; what is rolled back
 * is looked at here: what is left of it must be something that cannot be mended.
 */
static bool
mend(struct bench *bench, struct arena *arena, const struct mutation *mutation,
    const struct differences *differences)
{
    struct schema schema;
    struct differences left;
    bool is_good = true;

    if (!run_all(bench, mutation->sql, differences))
        return false;
    if (!(mutation->flags & (ORDER | NOTE)) && !getenv("PGMEND_MUTATION"))
        return true;
    must(bench, schema_load_here(&bench->ctx, bench->db, &schema));
    left = compare(arena, &schema, &bench->original);
    for (size_t i = 0; i < left.count; i++)
        is_good &=
            (mutation->flags & NOTE) ||
            ((mutation->flags & ORDER) && text_equal(left.items[i].attribute, "column_order"));
    return is_good || expect(bench, mutation, "left", told(arena, &left, false), "");
}

static bool
try_mutation(struct bench *bench, const struct mutation *mutation)
{
    struct arena *arena = bench->ctx.arena;
    const char *expected = sorted_text(arena, mutation->expected);
    struct schema schema;
    struct differences there;
    struct differences back;
    bool is_good = true;

    if (!run_script(bench, mutation->sql))
        return false;
    must(bench, schema_load_here(&bench->ctx, bench->db, &schema));
    there = compare(arena, &schema, &bench->original);
    back = compare(arena, &bench->original, &schema);
    is_good &= expect(bench, mutation, "seen", told(arena, &there, false), expected);
    if (!(mutation->flags & ONE_WAY))
        is_good &=
            expect(bench, mutation, "seen the other way round", told(arena, &back, true), expected);
    if ((mutation->flags & NOTE) && !has_note(&there)) {
        print_message("%s\n  has no note\n", mutation->sql);
        is_good = false;
    }
    if (!(mutation->flags & LOSES) && (loses(&there) || loses(&back)) &&
        !(mutation->flags & NOTE)) {
        print_message("%s\n  is said to take something away\n", mutation->sql);
        is_good = false;
    }
    if ((mutation->flags & LOSES) && !loses(&there) && !loses(&back)) {
        print_message("%s\n  is not said to take something away\n", mutation->sql);
        is_good = false;
    }
    return mend(bench, arena, mutation, &there) && is_good;
}

/* pg_dump is asked after several, because it takes longer than all else. */
static size_t
check_dump(struct bench *bench, size_t first, size_t end)
{
    const char *dump = dump_of(bench, bench->work);

    if (text_equal(dump, bench->dump))
        return 0;
    print_message(
        "after these pg_dump differs in %s:\n", first_difference(bench, dump, bench->dump));
    for (size_t i = first; i < end; i++)
        if (!(mutations[i].flags & (ORDER | NOTE)))
            print_message("  %s\n", mutations[i].sql);
    renew_work(bench);
    bench->before = NULL;
    return 1;
}

static void
test_mutations(void **state)
{
    struct bench *bench = *state;
    const char *only = getenv("PGMEND_MUTATION");
    size_t wrong = 0;
    size_t since = 0;

    renew_work(bench);
    for (size_t i = 0; i < COUNT_OF(mutations); i++) {
        bool is_tried = mutations[i].flags & (ORDER | NOTE);
        struct arena *arena = arena_new();
        struct arena *outer = bench->ctx.arena;
        bool is_good;

        if (only && !strstr(mutations[i].sql, only)) {
            arena_free(arena);
            continue;
        }
        bench->ctx.arena = arena;
        must(bench, db_exec(&bench->ctx, bench->db, "BEGIN"));
        is_good = try_mutation(bench, &mutations[i]);
        must(bench, db_exec(&bench->ctx, bench->db, is_good && !is_tried ? "COMMIT" : "ROLLBACK"));
        bench->before = is_good && !is_tried ? mutations[i].sql : bench->before;
        wrong += !is_good;
        if (i + 1 - since >= DUMP_EVERY || i + 1 == COUNT_OF(mutations) || only) {
            wrong += check_dump(bench, since, i + 1);
            since = i + 1;
        }
        bench->ctx.arena = outer;
        arena_free(arena);
    }
    if (wrong)
        fail_msg("%zu of %zu mutations went wrong", wrong, COUNT_OF(mutations));
}

/* ---- a whole schema ---- */

static void
make_all(struct bench *bench, const struct schema *schema)
{
    struct ddl_options options = { .with_rights = true };
    struct ddl_refs refs;

    ddl_order(bench->ctx.arena, schema, &refs);
    for (size_t i = 0; i < refs.count; i++) {
        struct text_list statements = { 0 };

        ddl_create(bench->ctx.arena, schema, refs.items[i].class,
            schema_item(schema, refs.items[i].class, refs.items[i].index), &options, &statements);
        for (size_t j = 0; j < statements.count; j++)
            if (!run_statement(bench, "making all", statements.items[j]))
                fail_msg("a statement failed");
    }
}

static void
renew_empty(struct bench *bench)
{
    db_close(bench->db);
    bench->db = NULL;
    drop_database(bench, bench->work);
    new_database(bench, bench->work, "template0");
    open_work(bench);
}

static void
test_make_all(void **state)
{
    struct bench *bench = *state;
    struct schema schema;
    struct differences differences;

    renew_empty(bench);
    make_all(bench, &bench->original);
    must(bench, schema_load(&bench->ctx, bench->db, &schema));
    differences = compare(bench->ctx.arena, &schema, &bench->original);
    assert_string_equal(told(bench->ctx.arena, &differences, false), "");
    assert_string_equal(schema_digest(bench->ctx.arena, &schema),
        schema_digest(bench->ctx.arena, &bench->original));

    const char *dump = dump_of(bench, bench->work);

    if (!text_equal(dump, bench->dump))
        fail_msg("pg_dump differs in %s", first_difference(bench, dump, bench->dump));
}

/* From nothing to everything, and back to nothing. */
static void
test_all_and_nothing(void **state)
{
    struct bench *bench = *state;
    struct schema empty;
    struct schema schema;
    struct differences differences;

    renew_empty(bench);
    must(bench, schema_load(&bench->ctx, bench->db, &empty));
    differences = compare(bench->ctx.arena, &empty, &bench->original);
    assert_true(run_all(bench, "to everything", &differences));
    must(bench, schema_load(&bench->ctx, bench->db, &schema));
    differences = compare(bench->ctx.arena, &schema, &bench->original);
    assert_string_equal(told(bench->ctx.arena, &differences, false), "");
    differences = compare(bench->ctx.arena, &schema, &empty);
    assert_true(run_all(bench, "to nothing", &differences));
    must(bench, schema_load(&bench->ctx, bench->db, &schema));
    differences = compare(bench->ctx.arena, &schema, &empty);
    assert_string_equal(told(bench->ctx.arena, &differences, false), "");
}

static void
test_ignored(void **state)
{
    struct bench *bench = *state;
    struct text_list names = { 0 };
    struct diff_options options = {
        .ignore_owner = true, .ignore_acl = true, .ignore_comments = true, .ignored = &names
    };
    struct differences differences;
    struct schema schema;

    text_list_add(bench->ctx.arena, &names, "app.scratch");
    renew_work(bench);
    assert_true(run_script(bench, "ALTER TABLE app.users OWNER TO pgmend_writer; "
                                  "COMMENT ON TABLE app.users IS 'x'; "
                                  "CREATE INDEX i ON app.scratch (id); "
                                  "ALTER TABLE app.scratch ADD COLUMN n integer"));
    must(bench, schema_load(&bench->ctx, bench->db, &schema));
    schema_diff(bench->ctx.arena, &schema, &bench->original, &options, &differences);
    assert_string_equal(told(bench->ctx.arena, &differences, false), "");
    names.count = 0;
    schema_diff(bench->ctx.arena, &schema, &bench->original, &options, &differences);
    assert_string_equal(told(bench->ctx.arena, &differences, false),
        "extra columns app.scratch.n\nextra indexes app.i");
    text_list_add(bench->ctx.arena, &names, "ext");
    options = (struct diff_options){ .schemas = &names };
    schema_diff(bench->ctx.arena, &schema, &bench->original, &options, &differences);
    assert_string_equal(told(bench->ctx.arena, &differences, false), "");
}

/* ---- the command ---- */

/* What pgmend schema diff prints on both, with the arguments; a NULL ends them. */
static const char *
run_command(struct bench *bench, int status, const char *const *arguments)
{
    const char *argv[16] = { getenv("PGMEND"), "schema", "diff" };
    size_t count = 3;
    struct process_options options = { .argv = argv, .timeout_us = 60000000 };
    struct process process;

    if (!argv[0])
        fail_msg("PGMEND is not set: run the tests by script/test or meson test");
    for (; *arguments && count + 1 < COUNT_OF(argv); arguments++)
        argv[count++] = *arguments;
    must(bench, process_start(&bench->ctx, &options, &process));
    must(bench, process_wait(&bench->ctx, &process));

    const char *said = arena_printf(
        bench->ctx.arena, "%s%s", buffer_text(&process.out), buffer_text(&process.err));

    if (process.status != status)
        fail_msg("status %d instead of %d: %s", process.status, status, said);
    return said;
}

static void
assert_holds(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

/* psql runs what the command prints, in one transaction. */
static void
test_command(void **state)
{
    struct bench *bench = *state;
    struct arena *arena = bench->ctx.arena;
    const char *folder = test_folder(&bench->ctx);
    const char *script = file_join(arena, folder, "mend.sql");
    const char *snapshot = file_join(arena, folder, "it's a snapshot.json");
    const char *from = arena_printf(arena, "dbname=%s password=very-secret", bench->work);
    const char *to = arena_printf(arena, "dbname=%s", bench->template);
    json_t *json CLEANUP(json_release) = schema_to_json(&bench->original);
    const char *said;

    must(bench, json_write_file(&bench->ctx, snapshot, json));
    renew_work(bench);
    run_command(bench, 0, (const char *[]){ from, to, "--exit-code", NULL });
    assert_true(run_script(bench, "ALTER TABLE app.users DROP COLUMN sorted; "
                                  "CREATE TABLE app.\"new\nline\" (id integer); "
                                  "COMMENT ON TABLE app.users IS 'x'"));
    said = run_command(bench, 3, (const char *[]){ from, to, "--exit-code", NULL });
    assert_holds(said, "table app.\"new line\" is not wanted");
    assert_holds(said, "3 differences");
    assert_null(strstr(said, "very-secret"));
    said = run_command(bench, 0, (const char *[]){ from, snapshot, "--json", NULL });
    assert_holds(said, "\"is_equal\": false");
    said = run_command(bench, 0, (const char *[]){ from, snapshot, "--ignore", "comments", NULL });
    assert_holds(said, "2 differences");
    said = run_command(bench, 0, (const char *[]){ from, to, "--schema", "ext", NULL });
    assert_holds(said, "are the same");
    said = run_command(bench, 0, (const char *[]){ from, snapshot, "--sql", NULL });
    must(bench, file_write(&bench->ctx, script, said, strlen(said), 0600));
    run_program(bench, (const char *[]){ "psql", "-X", "-q", "--single-transaction", "-v",
                           "ON_ERROR_STOP=1", "-d", bench->work, "-f", script, NULL });
    run_command(bench, 0, (const char *[]){ snapshot, from, "--exit-code", NULL });
    said = run_command(bench, 2, (const char *[]){ from, to, "--ignore", "names", NULL });
    assert_holds(said, "does not know \"names\"");
    run_command(bench, 1, (const char *[]){ script, to, NULL });
    said = run_command(bench, 1, (const char *[]){ "nothing.json", to, NULL });
    assert_holds(said, "neither a file nor a connection");
    must(bench, file_remove(&bench->ctx, folder));
}

/* ---- random schemas ---- */

enum { PAIRS = 8 };

static void
load_random(struct bench *bench, struct test_random *random, struct schema *ret)
{
    struct text_list statements = { 0 };

    random_schema(bench->ctx.arena, random, &statements);
    renew_empty(bench);
    must(bench, db_exec(&bench->ctx, bench->db, "BEGIN"));
    for (size_t i = 0; i < statements.count; i++)
        if (!run_statement(bench, "random schema", statements.items[i]))
            fail_msg("a statement of the random schema failed");
    must(bench, db_exec(&bench->ctx, bench->db, "COMMIT"));
    must(bench, schema_load(&bench->ctx, bench->db, ret));
}

static void
test_random_pairs(void **state)
{
    struct bench *bench = *state;
    struct test_random random = test_random_new();
    struct diff_options options = { .ignore_positions = true };

    for (int i = 0; i < PAIRS; i++) {
        struct schema wanted;
        struct schema found;
        struct differences differences;

        load_random(bench, &random, &wanted);
        load_random(bench, &random, &found);
        schema_diff(bench->ctx.arena, &found, &wanted, &options, &differences);
        assert_true(differences.count > 0);
        if (!run_all(bench, "random pair", &differences))
            fail_msg("a statement failed");
        must(bench, schema_load(&bench->ctx, bench->db, &found));
        schema_diff(bench->ctx.arena, &found, &wanted, &options, &differences);
        assert_string_equal(told(bench->ctx.arena, &differences, false), "");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_make_all),
        cmocka_unit_test(test_all_and_nothing),
        cmocka_unit_test(test_ignored),
        cmocka_unit_test(test_command),
        cmocka_unit_test(test_random_pairs),
    };

    cmocka_set_test_filter(getenv("PGMEND_TEST"));
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
