/*
 * A database, written down as revisions and made again by the real Alembic, is the same database:
 * pg_dump of both, byte for byte; down to base leaves nothing, and up again makes it once more.
 * Arguments: files of SQL or folders of a history to try instead of the cases here.
 */
#include "support/test.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "migrate/squash/squash.h"

struct bench {
    struct ctx ctx;
    const char *folder;
    const char *old;
    const char *new;
    struct db *admin;
};

struct variant {
    enum squash_grouping by;
    size_t target;
    bool sql_only;
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", bench->ctx.error.message,
            bench->ctx.error.detail ? bench->ctx.error.detail : "no detail");
}

static struct db *
connect_to(struct bench *bench, const char *database)
{
    struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(bench, db_open(&bench->ctx, &options, &db));
    return db;
}

static const char *
run(struct bench *bench, const char *const *argv, const char *const *env)
{
    struct process_options options = { .argv = argv, .env = env };
    struct process process;

    if (!process_run(&bench->ctx, &options, &process))
        fail_msg("%s: %s\n%s%s", argv[0], bench->ctx.error.message, buffer_text(&process.out),
            buffer_text(&process.err));
    return buffer_text(&process.out);
}

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);

    bench->ctx.arena = arena;
    bench->old = arena_printf(arena, "squash_old_%d", (int)getpid());
    bench->new = arena_printf(arena, "squash_new_%d", (int)getpid());
    bench->folder = test_folder(&bench->ctx);
    bench->admin = connect_to(bench, "postgres");
    *state = bench;
    return 0;
}

static void
drop_databases(struct bench *bench)
{
    struct arena *arena = bench->ctx.arena;

    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", bench->old)));
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(arena, "DROP DATABASE IF EXISTS %s WITH (FORCE)", bench->new)));
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    if (!bench)
        return 0;
    drop_databases(bench);
    db_cleanup(&bench->admin);
    if (getenv("PGMEND_KEEP"))
        print_message("# %s\n", bench->folder);
    else
        must(bench, file_remove(&bench->ctx, bench->folder));
    arena_free(bench->ctx.arena);
    return 0;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
add_sorted(struct buffer *out, struct text_list *lines)
{
    if (lines->count > 1)
        qsort(lines->items, lines->count, sizeof(lines->items[0]), by_text);
    for (size_t i = 0; i < lines->count; i++)
        buffer_add(out, lines->items[i]);
    lines->count = 0;
}

/*
 * The random lines that pg_dump prints since 15.14 are no part of the database, and in which order
 * rights were granted is none either.
 */
static const char *
without_chance(struct arena *arena, const char *text)
{
    struct buffer out = { .arena = arena };
    struct text_list grants = { 0 };

    while (*text) {
        size_t length = strcspn(text, "\n");

        length += text[length] == '\n';
        if (text_starts_with(text, "GRANT ")) {
            text_list_add(arena, &grants, arena_strndup(arena, text, length));
        } else if (!text_starts_with(text, "\\restrict ") &&
                   !text_starts_with(text, "\\unrestrict ")) {
            add_sorted(&out, &grants);
            buffer_append(&out, text, length);
        }
        text += length;
    }
    add_sorted(&out, &grants);
    return buffer_text(&out);
}

static const char *
dump(struct bench *bench, const char *database, const char *what)
{
    const char *const argv[] = { "pg_dump", what, "--exclude-table=public.alembic_version",
        database, NULL };

    return without_chance(bench->ctx.arena, run(bench, argv, NULL));
}

static void
assert_same_text(const char *what, const char *expected, const char *found)
{
    const char *start = found;
    size_t line = 1;

    for (; *expected && *expected == *found; expected++, found++)
        if (*expected == '\n') {
            line++;
            start = found + 1;
        }
    if (*expected != *found)
        fail_msg("%s, line %zu: \"%.300s\" instead of \"…%.300s\"", what, line, start, expected);
}

/* Rows may come in another order: those of a tree are written parents first. */
static const char *
sorted_lines(struct arena *arena, const char *text)
{
    struct text_list lines = { 0 };

    while (*text) {
        size_t length = strcspn(text, "\n");

        text_list_add(arena, &lines, arena_strndup(arena, text, length));
        text += length + (text[length] == '\n');
    }
    if (lines.count > 1)
        qsort(lines.items, lines.count, sizeof(lines.items[0]), by_text);
    return text_list_join(arena, &lines, "\n");
}

/* A copy of ours of env.py, which takes the database from PGDATABASE. */
static void
write_environment(struct bench *bench, const char *folder)
{
    static const char ini[] = "[alembic]\nscript_location = %(here)s\n";
    static const char env[] =
        "import sqlalchemy as sa\n"
        "from alembic import context\n"
        "\n"
        "CONVENTION = {\"ck\": \"ck_%(table_name)s_%(constraint_name)s\",\n"
        "              \"ix\": \"ix_%(table_name)s_%(constraint_name)s\"}\n"
        "settings = dict(target_metadata=sa.MetaData(naming_convention=CONVENTION),\n"
        "                transaction_per_migration=True)\n"
        "if context.is_offline_mode():\n"
        "    context.configure(dialect_name=\"postgresql\", "
        "dialect_opts={\"paramstyle\": \"named\"}, **settings)\n"
        "    with context.begin_transaction():\n"
        "        context.run_migrations()\n"
        "else:\n"
        "    with sa.create_engine(\"postgresql+psycopg2://\").connect() as connection:\n"
        "        context.configure(connection=connection, **settings)\n"
        "        with context.begin_transaction():\n"
        "            context.run_migrations()\n";
    struct arena *arena = bench->ctx.arena;

    must(bench, file_make_folder(&bench->ctx, file_join(arena, folder, "versions")));
    must(bench,
        file_write(&bench->ctx, file_join(arena, folder, "alembic.ini"), ini, strlen(ini), 0600));
    must(
        bench, file_write(&bench->ctx, file_join(arena, folder, "env.py"), env, strlen(env), 0600));
}

static const char *
alembic(struct bench *bench, const char *ini, const char *const *words)
{
    struct arena *arena = bench->ctx.arena;
    const char *own = getenv("PGMEND_ALEMBIC");
    const char *database = arena_printf(arena, "PGDATABASE=%s", bench->new);
    const char *const env[] = { database, "PYTHONDONTWRITEBYTECODE=1", NULL };
    const char *argv[8] = { own ? own : "/usr/bin/alembic", "-c", ini };

    for (size_t i = 0; words[i]; i++)
        argv[3 + i] = words[i];
    return run(bench, argv, env);
}

static void
go(struct bench *bench, const char *folder, const char *command, const char *target)
{
    const char *const words[] = { command, target, NULL };

    alembic(bench, file_join(bench->ctx.arena, folder, "alembic.ini"), words);
}

/* The same by what Alembic prints when it only prints, through psql. */
static void
go_offline(struct bench *bench, const char *folder)
{
    const char *const words[] = { "upgrade", "head", "--sql", NULL };
    struct arena *arena = bench->ctx.arena;
    const char *path = file_join(arena, folder, "offline.sql");
    const char *const argv[] = { "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d",
        bench->new, "-f", path, NULL };
    const char *sql = alembic(bench, file_join(arena, folder, "alembic.ini"), words);

    must(bench, file_write(&bench->ctx, path, sql, strlen(sql), 0600));
    run(bench, argv, NULL);
}

static struct squash_files
write_files(struct bench *bench, const struct variant *variant, const char *folder)
{
    struct ctx *ctx = &bench->ctx;
    struct squash_write_options options = { .head = "0123456789ab",
        .head_file = "x.py",
        .replaced = 45,
        .created = "2026-11-22 20:00:00",
        .sql_only = variant->sql_only };
    struct squash_group_options grouping = { .by = variant->by,
        .target = variant->target,
        .graph = &(struct graph){ .count = 0 },
        .version_table = "public.alembic_version" };
    struct db *db CLEANUP(db_cleanup) = connect_to(bench, bench->old);
    struct replayed replayed = { .db = db };
    struct squash_plan plan;
    struct squash_files files;
    struct seeds seeds;

    must(bench, schema_load(ctx, db, &replayed.schema));
    must(bench, content_load_all(ctx, db, &replayed.content));
    must(bench, squash_seeds(ctx, &replayed, NULL, "public.alembic_version", &seeds));
    must(bench, squash_group(ctx, &replayed.schema, &grouping, &plan));
    must(bench, squash_write(ctx, &replayed.schema, &plan, &seeds, &options, &files));
    assert_true(files.count <= variant->target);
    assert_string_equal(files.items[files.count - 1].id, options.head);
    for (size_t i = 0; i < files.count; i++)
        must(bench, file_write(ctx,
                        file_join(ctx->arena, file_join(ctx->arena, folder, "versions"),
                            files.items[i].name),
                        files.items[i].text, strlen(files.items[i].text), 0600));
    return files;
}

static void
create_database(struct bench *bench, const char *name)
{
    must(bench, db_exec(&bench->ctx, bench->admin,
                    arena_printf(bench->ctx.arena, "CREATE DATABASE %s TEMPLATE template0", name)));
}

/* Alembic writes four blanks for a tab where it only prints. */
static const char *
without_tabs(struct arena *arena, const char *text)
{
    struct buffer out = { .arena = arena };

    for (; *text; text++) {
        bool is_escaped = text_starts_with(text, "\\t");

        if (is_escaped || *text == '\t')
            buffer_add(&out, "    ");
        else
            buffer_append(&out, text, 1);
        text += is_escaped;
    }
    return buffer_text(&out);
}

static void
compare_offline(struct bench *bench)
{
    struct arena *arena = bench->ctx.arena;

    assert_same_text("schema by --sql", without_tabs(arena, dump(bench, bench->old, "-s")),
        without_tabs(arena, dump(bench, bench->new, "-s")));
    assert_same_text("rows by --sql",
        sorted_lines(arena, without_tabs(arena, dump(bench, bench->old, "-a"))),
        sorted_lines(arena, without_tabs(arena, dump(bench, bench->new, "-a"))));
}

static void
compare(struct bench *bench, const char *when)
{
    struct arena *arena = bench->ctx.arena;

    assert_same_text(arena_printf(arena, "schema %s", when), dump(bench, bench->old, "-s"),
        dump(bench, bench->new, "-s"));
    assert_same_text(arena_printf(arena, "rows %s", when),
        sorted_lines(arena, dump(bench, bench->old, "-a")),
        sorted_lines(arena, dump(bench, bench->new, "-a")));
}

/* Everything that the old database holds, made again. */
static void
prove(struct bench *bench, const struct variant *variant)
{
    struct arena *arena = bench->ctx.arena;
    const char *folder = file_join(
        arena, bench->folder, arena_printf(arena, "%d-%zu", (int)variant->by, variant->target));
    const char *empty;

    write_environment(bench, folder);
    write_files(bench, variant, folder);
    create_database(bench, bench->new);
    empty = dump(bench, bench->new, "-s");
    go(bench, folder, "upgrade", "head");
    compare(bench, "after up");
    go(bench, folder, "downgrade", "base");
    assert_same_text("schema after down", empty, dump(bench, bench->new, "-s"));
    go(bench, folder, "upgrade", "head");
    compare(bench, "after up again");
    must(bench,
        db_exec(&bench->ctx, bench->admin, arena_printf(arena, "DROP DATABASE %s", bench->new)));
    create_database(bench, bench->new);
    go_offline(bench, folder);
    compare_offline(bench);
    must(bench,
        db_exec(&bench->ctx, bench->admin, arena_printf(arena, "DROP DATABASE %s", bench->new)));
}

/* and: a statement after the file's, or NULL. */
static void
load(struct bench *bench, const char *path, const char *and)
{
    const char *const argv[] = { "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", bench->old, "-f",
        path, and? "-c" : NULL, and, NULL };

    create_database(bench, bench->old);
    run(bench, argv, NULL);

    struct db *db CLEANUP(db_cleanup) = connect_to(bench, bench->old);

    must(bench, db_exec(&bench->ctx, db,
                    "CREATE TABLE public.alembic_version (version_num varchar(32) NOT NULL)"));
}

static const struct variant variants[] = {
    { .by = GROUP_BY_DOMAIN, .target = 7 },
    { .by = GROUP_BY_DOMAIN, .target = 1, .sql_only = true },
    { .by = GROUP_BY_DOMAIN, .target = 3 },
};

static void
try_file(void **state, const char *path, const char *and, size_t count)
{
    struct bench *bench = *state;

    load(bench, path, and);
    for (size_t i = 0; i < count; i++)
        prove(bench, &variants[i]);
    drop_databases(bench);
}

static void
hostile_texts_come_out_as_they_were(void **state)
{
    struct bench *bench = *state;

    try_file(state, test_source(&bench->ctx, "test/fixtures/schema/hostile.sql"), NULL, 2);
}

static void
every_kind_of_object_can_be_written(void **state)
{
    /* Secrets are never read, so they cannot be written either. */
    static const char no_order[] =
        "ALTER SERVER \"другой сервер\" OPTIONS (DROP password);"
        "ALTER USER MAPPING FOR pgmend_writer SERVER \"другой сервер\" OPTIONS (DROP password);"
        /* The order in which options were set is not kept. */
        "ALTER TABLE app.users RESET (fillfactor, autovacuum_vacuum_scale_factor);"
        "ALTER TABLE app.users SET (autovacuum_vacuum_scale_factor = 0.05, fillfactor = 70)";
    struct bench *bench = *state;

    try_file(state, test_source(&bench->ctx, "test/fixtures/schema/everything.sql"), no_order, 3);
}

static void
rows_come_along_and_act_on_nothing(void **state)
{
    struct bench *bench = *state;

    try_file(state, test_source(&bench->ctx, "test/fixtures/schema/seeded.sql"), NULL, 2);
}

/* A schema that is always there, owners, rights. */
static void
what_was_there_before_is_changed_back(void **state)
{
    static const char sql[] =
        "DO $$BEGIN CREATE ROLE pgmend_writer; EXCEPTION WHEN duplicate_object OR"
        " unique_violation THEN NULL; END$$;"
        "DO $$BEGIN CREATE ROLE \"pgmend reader\"; EXCEPTION WHEN duplicate_object OR"
        " unique_violation THEN NULL; END$$;"
        "REVOKE ALL ON SCHEMA public FROM PUBLIC;"
        "GRANT USAGE, CREATE ON SCHEMA public TO pgmend_writer;"
        "GRANT USAGE ON SCHEMA public TO \"pgmend reader\" WITH GRANT OPTION;"
        "ALTER SCHEMA public OWNER TO CURRENT_USER;"
        "COMMENT ON SCHEMA public IS 'ours';"
        "CREATE TABLE a (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, v xml, b box);"
        "ALTER TABLE a OWNER TO pgmend_writer;"
        "CREATE TABLE t (id serial PRIMARY KEY, a_id int REFERENCES a);"
        "GRANT SELECT ON t TO PUBLIC;"
        "GRANT UPDATE (a_id) ON t TO \"pgmend reader\";"
        "REVOKE DELETE ON t FROM CURRENT_USER";
    struct bench *bench = *state;
    const char *path = file_join(bench->ctx.arena, bench->folder, "rights.sql");

    must(bench, file_write(&bench->ctx, path, sql, strlen(sql), 0600));
    try_file(state, path, NULL, 2);
}

static const char *given;

static void
what_is_given(void **state)
{
    try_file(state, given, NULL, COUNT_OF(variants));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hostile_texts_come_out_as_they_were, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_kind_of_object_can_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_come_along_and_act_on_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_there_before_is_changed_back, set_up, tear_down),
    };
    const struct CMUnitTest one[] = {
        cmocka_unit_test_setup_teardown(what_is_given, set_up, tear_down),
    };

    if (argc < 2)
        return cmocka_run_group_tests(tests, NULL, NULL);
    given = argv[1];
    return cmocka_run_group_tests(one, NULL, NULL);
}
