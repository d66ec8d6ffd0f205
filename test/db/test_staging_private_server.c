/* A private server is reached by nobody else, dies with us however we die, and runs nothing that a dump brings. */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "staging/private_server.h"
#include "staging/schema_load.h"

enum { PATIENCE_US = 60 * 1000000, NAP_MS = 20 };

static void
must(struct ctx *ctx, bool is_good)
{
    if (!is_good)
        fail_msg("%s; %s", ctx->error.message, ctx->error.detail ? ctx->error.detail : "no detail");
}

static struct private_server *
start(struct ctx *ctx, struct text_list *notes)
{
    const struct private_server_options options = { 0 };
    struct private_server *server = NULL;

    must(ctx, private_server_start(ctx, &options, &server, notes));
    return server;
}

/* The postmaster's process, as its own file says. */
static pid_t
pid_of(struct ctx *ctx, const struct private_server *server)
{
    const char *text;
    size_t length;

    must(ctx, file_read(ctx, file_join(ctx->arena, private_server_data(server), "postmaster.pid"),
                  &text, &length));
    return (pid_t)strtol(text, NULL, 10);
}

static void
test_closed_to_others(void **state)
{
    struct ctx *ctx = *state;
    struct text_list notes = { 0 };
    struct private_server *server = start(ctx, &notes);
    struct db *db = NULL;
    struct stat info;
    const char *value;
    const char *outer = arena_strndup(ctx->arena, private_server_data(server),
        strlen(private_server_data(server)) - strlen("/data"));
    pid_t pid = pid_of(ctx, server);

    assert_int_equal(notes.count, 0);
    must(ctx, private_server_open(ctx, server, "one", &db));
    assert_int_equal(db_version(db), private_server_version(server));
    must(ctx, db_value(ctx, db, "SHOW listen_addresses", NULL, 0, &value));
    assert_string_equal(value, "");
    must(ctx, db_value(ctx, db, "SHOW fsync", NULL, 0, &value));
    assert_string_equal(value, "off");
    must(ctx, db_value(ctx, db,
                  "SELECT rolsuper::text FROM pg_roles WHERE rolname = '" PRIVATE_SERVER_OWNER "'",
                  NULL, 0, &value));
    assert_string_equal(value, "false");
    assert_int_equal(stat(db_host(db), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(private_server_data(server), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(outer, &info), 0);
    assert_int_equal(info.st_mode & 0066, 0);
    db_cleanup(&db);
    must(ctx, private_server_open(ctx, server, "one", &db));
    db_cleanup(&db);
    private_server_cleanup(&server);
    assert_null(server);
    assert_false(file_exists(outer));
    assert_int_equal(kill(pid, 0), -1);
}

static void
test_no_programs(void **state)
{
    struct ctx *ctx = *state;
    const struct private_server_options options = { .bin_folder = "/nonexistent", .major = 16 };
    struct private_server *server = NULL;
    struct text_list notes = { 0 };

    assert_false(private_server_start(ctx, &options, &server, &notes));
    assert_error(ctx, ERR_UNSUPPORTED, "/nonexistent");
    assert_non_null(strstr(ctx->error.hint, "postgresql-16"));
    assert_null(server);
}

/* Tells the parent where the server is, and waits to be killed. */
static void
be_killed(int out)
{
    struct arena *arena = arena_new();
    struct ctx ctx = { .arena = arena };
    const struct private_server_options options = { 0 };
    struct private_server *server = NULL;
    struct text_list notes = { 0 };
    const char *text;

    if (!private_server_start(&ctx, &options, &server, &notes))
        _exit(1);
    text = arena_printf(arena, "%d %s\n", (int)pid_of(&ctx, server), private_server_data(server));
    if (write(out, text, strlen(text)) < 0)
        _exit(1);
    for (;;)
        pause();
}

static void
wait_gone(pid_t pid)
{
    int64_t limit = clock_us() + PATIENCE_US;

    while (kill(pid, 0) == 0 && clock_us() < limit)
        poll(NULL, 0, NAP_MS);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void
test_killed_with_us(void **state)
{
    struct ctx *ctx = *state;
    struct temporary next;
    struct timespec long_ago[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
    int ends[2];
    char line[512] = "";
    ssize_t got;
    char *space;
    pid_t child;
    pid_t server;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        be_killed(ends[1]);
    close(ends[1]);
    got = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    assert_true(got > 0);
    server = (pid_t)strtol(line, &space, 10);
    assert_true(server > 1);
    assert_int_equal(kill(server, 0), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    wait_gone(server);

    const char *outer =
        arena_strndup(ctx->arena, space + 1, strcspn(space + 1, "\n") - strlen("/data"));

    /* Its files are left, and go when the next one makes a folder, once they are not young any more. */
    assert_true(file_exists(outer));
    assert_int_equal(utimensat(AT_FDCWD, outer, long_ago, 0), 0);
    must(ctx, temporary_folder(ctx, "test", &next));
    temporary_end(&next);
    assert_false(file_exists(outer));
}

static const char hostile[] =
    "\\restrict abc\n"
    "SET statement_timeout = 0;\n"
    "SELECT pg_catalog.set_config('search_path', '', false);\n"
    "\\! touch %s\n"
    "CREATE EXTENSION IF NOT EXISTS no_such_extension WITH SCHEMA public;\n"
    "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;\n"
    "CREATE VIEW public.early AS SELECT id FROM public.t;\n"
    "ALTER VIEW public.early OWNER TO somebody;\n"
    "CREATE FUNCTION public.deep() RETURNS int LANGUAGE plpgsql AS $f$\n"
    "BEGIN /*\n"
    "\\not a line of psql\n"
    "*/ COPY (SELECT 1) TO PROGRAM 'touch %s'; RETURN 1; END $f$;\n"
    "CREATE FUNCTION public.evil() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$\n"
    "BEGIN RETURN public.deep(); END $f$;\n"
    "CREATE TABLE public.t (id int NOT NULL, \"a;b\" text DEFAULT 'x;''y', c int CHECK (c > 0));\n"
    "COPY public.t (id, \"a;b\") FROM stdin;\n"
    "1\tit's; $$ /* open\n"
    "2\t\\N\n"
    "\\.\n"
    "-- a comment; COPY x FROM stdin;\n"
    "COPY public.t FROM PROGRAM 'touch %s';\n"
    "DO $$ BEGIN EXECUTE 'CREATE TABLE public.by_do (x int)'; END $$;\n"
    "SELECT public.evil();\n"
    "CREATE TABLE public.filled AS SELECT public.evil() AS x;\n"
    "CREATE MATERIALIZED VIEW public.mv AS SELECT id, public.evil() AS e FROM public.t;\n"
    "CREATE INDEX by_evil ON public.t (id) WHERE public.evil() = 1;\n"
    "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION public.evil();\n"
    "CREATE FUNCTION public.lib() RETURNS int LANGUAGE c AS '/tmp/evil', 'f';\n"
    "ALTER SYSTEM SET archive_command = 'touch %s';\n"
    "CREATE UNLOGGED TABLE public.u (x int);\n"
    "CREATE INDEX t_a ON public.t USING gin (\"a;b\" public.gin_trgm_ops);\n"
    "CREATE FUNCTION public.atomic(x int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT x; END;\n"
    "CREATE TABLE public.ref (id int REFERENCES public.later (id));\n"
    "CREATE TABLE public.later (id int PRIMARY KEY);\n"
    "GRANT SELECT ON public.t TO somebody;\n"
    "CREATE TABLE public.broken (x no_such_type);\n"
    "\\unrestrict abc\n";

static bool
is_there(struct ctx *ctx, struct db *db, const char *name)
{
    const char *params[] = { name };
    const char *found;

    must(ctx, db_value(ctx, db, "SELECT to_regclass($1)::text", params, 1, &found));
    return found != NULL;
}

static bool
has_told(const struct text_list *told, const char *text)
{
    for (size_t i = 0; i < told->count; i++)
        if (strstr(told->items[i], text))
            return true;
    return false;
}

static void
test_hostile_dump(void **state)
{
    struct ctx *ctx = *state;
    struct text_list notes = { 0 };
    struct text_list told = { 0 };
    struct private_server *server = start(ctx, &notes);
    struct db *db = NULL;
    const char *folder = test_folder(ctx);
    const char *mark = file_join(ctx->arena, folder, "mark");
    static const char *const made[] = { "public.t", "public.early", "public.u", "public.t_a",
        "public.mv", "public.ref", "public.later" };
    static const char *const not_made[] = { "public.by_do", "public.filled", "public.broken" };
    static const char *const refusals[] = { "no_such_extension", "DO $$ BEGIN",
        "SELECT public.evil", "CREATE TABLE public.filled", "CREATE EVENT TRIGGER e",
        "CREATE FUNCTION public.lib", "ALTER SYSTEM",
        "CREATE TABLE public.broken (hostile.sql:36): type \"no_such_type\"",
        "COPY public.t FROM PROGRAM", "CREATE INDEX by_evil" };
    struct buffer text = { .arena = ctx->arena };

    assert_int_equal(chmod(folder, 0777), 0);
    for (const char *c = hostile; *c; c++) {
        if (c[0] == '%' && c[1] == 's') {
            buffer_add(&text, mark);
            c++;
        } else {
            buffer_append(&text, c, 1);
        }
    }
    must(ctx, private_server_open(ctx, server, "one", &db));
    must(ctx, schema_load_text(ctx, db, "hostile.sql", buffer_text(&text), &told));
    for (size_t i = 0; i < told.count; i++)
        print_message("# %s\n", told.items[i]);
    for (size_t i = 0; i < COUNT_OF(made); i++)
        if (!is_there(ctx, db, made[i]))
            fail_msg("%s is not there", made[i]);
    for (size_t i = 0; i < COUNT_OF(not_made); i++)
        if (is_there(ctx, db, not_made[i]))
            fail_msg("%s is there", not_made[i]);
    for (size_t i = 0; i < COUNT_OF(refusals); i++)
        if (!has_told(&told, refusals[i]))
            fail_msg("not told: %s", refusals[i]);
    assert_false(has_told(&told, "somebody"));
    assert_false(has_told(&told, "early"));
    assert_false(file_exists(mark));
    db_cleanup(&db);
    private_server_cleanup(&server);
    must(ctx, file_remove(ctx, folder));
}

/* A thousand tables with keys and indexes; how long it takes is told, not judged. */
static void
test_large_dump(void **state)
{
    struct ctx *ctx = *state;
    struct text_list notes = { 0 };
    struct text_list told = { 0 };
    struct private_server *server = start(ctx, &notes);
    struct db *db = NULL;
    struct buffer text = { .arena = ctx->arena };
    int64_t began;
    const char *count;

    for (int i = 0; i < 1000; i++)
        buffer_printf(&text,
            "CREATE TABLE public.t%d (id bigint NOT NULL, a int, b text, c timestamptz);\n"
            "ALTER TABLE public.t%d OWNER TO app;\n"
            "COMMENT ON TABLE public.t%d IS 'x';\n"
            "ALTER TABLE ONLY public.t%d ADD CONSTRAINT t%d_pkey PRIMARY KEY (id);\n"
            "CREATE INDEX t%d_a ON public.t%d USING btree (a, c DESC);\n",
            i, i, i, i, i, i, i);
    must(ctx, private_server_open(ctx, server, "one", &db));
    began = clock_us();
    must(ctx, schema_load_text(ctx, db, "large.sql", buffer_text(&text), &told));
    print_message("# 1,000 tables loaded in %.1f s\n", (double)(clock_us() - began) / 1e6);
    assert_int_equal(told.count, 0);
    must(ctx, db_value(ctx, db,
                  "SELECT count(*)::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
                  " WHERE c.relnamespace = 'public'::regnamespace",
                  NULL, 0, &count));
    assert_string_equal(count, "2000");
    db_cleanup(&db);
    private_server_cleanup(&server);
}

static void
test_only_private(void **state)
{
    struct ctx *ctx = *state;
    const struct db_options options = {
        .database = "postgres", .application = "test", .access = ACCESS_WRITE
    };
    struct text_list told = { 0 };
    struct db *db = NULL;

    must(ctx, db_open(ctx, &options, &db));
    assert_false(schema_load_text(ctx, db, "x.sql", "CREATE TABLE public.x (a int);", &told));
    assert_error(ctx, ERR_UNSUPPORTED, "private server only");
    db_cleanup(&db);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(test_closed_to_others),
        test_with_ctx(test_no_programs),
        test_with_ctx(test_killed_with_us),
        test_with_ctx(test_hostile_dump),
        test_with_ctx(test_large_dump),
        test_with_ctx(test_only_private),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
