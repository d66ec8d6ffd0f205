/* What is left when making the copy fails: no database, and a sentence that says why. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "db/test_vector_stage_support.h"

#define CHUNKS "\"app data\".\"Chunks\""

enum { WAIT_LIMIT_US = 30000000, SMALL_DISK_MB = 40 };

/* Enough rows that the copying is seen going on: some pieces of 256 kB. */
static void
fill(struct stand *stand)
{
    add_rows(stand, 1, 6000);
    add_rows(stand, 2, 50);
    sql(stand, "UPDATE " CHUNKS " SET chunk = repeat(md5(id::text), 8)");
}

/* The scratch databases of this program's session on the server. */
static int64_t
count_scratch(struct stand *stand)
{
    return number_in(stand, stand->admin,
        arena_printf(stand->ctx.arena,
            "SELECT count(*) FROM pg_database WHERE starts_with(datname, 'pgmend_scratch_%d_')",
            db_backend_pid(stand->admin)));
}

/* Does something once, in the middle of the copying. */
struct fault {
    struct stand *stand;
    void (*happen)(struct fault *fault);
    bool has_happened;
    bool is_seen; /* only look */
    const char *folder;
};

static void
look(void *data, const char *what, double ratio, int64_t left_us)
{
    struct fault *fault = data;

    (void)left_us;
    assert_true(ratio <= 1);
    if (fault->has_happened || !text_equal(what, "copying rows"))
        return;
    fault->has_happened = true;
    if (fault->happen)
        fault->happen(fault);
}

static bool
open_with(struct stand *stand, struct fault *fault)
{
    const struct vector_observer observer = { .progress = look, .data = fault };

    fault->stand = stand;
    return vector_stage_open(
        &stand->ctx, stand->db, &stand->target, &stand->options, &observer, &stand->stage);
}

static void
end_reader(struct fault *fault)
{
    (void)value_in(fault->stand, fault->stand->admin,
        arena_printf(fault->stand->ctx.arena, "SELECT pg_terminate_backend(%d, 10000)",
            db_backend_pid(fault->stand->db)));
}

static void
end_writer(struct fault *fault)
{
    (void)value_in(fault->stand, fault->stand->admin,
        arena_printf(fault->stand->ctx.arena, "SELECT pg_terminate_backend(%d, 10000)",
            db_backend_pid(fault->stand->stage.db)));
}

static void
interrupt(struct fault *fault)
{
    (void)fault;
    interrupt_put(SIGINT);
}

static void
a_lost_session_leaves_no_database(void **state)
{
    static const struct {
        void (*happen)(struct fault *fault);
        enum error_kind kind;
        const char *says;
    } cases[] = {
        { end_writer, ERR_CONNECTION, "writing the copy" },
        { interrupt, ERR_INTERRUPTED, "" },
        { end_reader, ERR_CONNECTION, "reading \"app data\".\"Chunks\"" },
    };
    struct stand *stand = *state;

    fill(stand);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault = { .happen = cases[i].happen };

        error_clear(&stand->ctx);
        assert_false(open_with(stand, &fault));
        (void)interrupt_take();
        assert_true(fault.has_happened);
        assert_error(&stand->ctx, cases[i].kind, cases[i].says);
        assert_non_null(strstr(stand->ctx.error.state, "no copy is left"));
        assert_int_equal(count_scratch(stand), 0);
        assert_null(stand->stage.db);
    }
}

/* The session that reads goes on after a failure on the other side. */
static void
the_live_session_is_as_before(void **state)
{
    struct stand *stand = *state;
    struct fault fault = { .happen = end_writer };

    fill(stand);
    assert_false(open_with(stand, &fault));
    error_clear(&stand->ctx);
    assert_string_equal(value_in(stand, stand->db, "SELECT txid_current_if_assigned()"), "(null)");
    sql(stand, "INSERT INTO " CHUNKS " (importance) VALUES (1)");
    assert_string_equal(value_in(stand, stand->db, "SELECT count(*) FROM " CHUNKS), "6051");
}

static void
die(struct fault *fault)
{
    (void)fault;
    raise(SIGKILL);
}

/* In a process of its own, whose sessions end with it. */
static pid_t
start_and_die(struct stand *stand)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child > 0)
        return child;
    /* The parent's connections stay as they are: the child opens its own. */
    struct fault fault = { .happen = die };
    struct stand own = *stand;

    own.admin = connect_to(&own, "postgres", ACCESS_WRITE);
    own.db = connect_to(&own, stand->database, ACCESS_WRITE);
    own.options.server = own.admin;
    (void)open_with(&own, &fault);
    _exit(3);
}

static void
a_killed_run_is_healed_by_the_next(void **state)
{
    struct stand *stand = *state;
    pid_t child;
    int status;
    const char *left;
    int64_t limit = clock_us() + WAIT_LIMIT_US;

    fill(stand);
    left = arena_printf(stand->ctx.arena,
        "SELECT count(*) FROM pg_database AS d WHERE d.datname ~ '^pgmend_scratch_' AND NOT EXISTS"
        " (SELECT FROM pg_stat_activity AS a WHERE a.pid::text = split_part(d.datname, '_', 3))");
    child = start_and_die(stand);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    while (number_in(stand, stand->admin, left) == 0 && clock_us() < limit)
        (void)clock_sleep_us(50000);
    assert_true(number_in(stand, stand->admin, left) > 0);
    must(stand, open_stage(stand));
    assert_int_equal(number_in(stand, stand->admin, left), 0);
    assert_true(stand->stage.notes.count > 0);
    assert_non_null(strstr(stand->stage.notes.items[0], "of a run that is gone was dropped"));
}

static void
drop_role(struct stand *stand, const char *role)
{
    db_close(stand->options.server);
    sql(stand, arena_printf(stand->ctx.arena, "DROP OWNED BY %s", role));
    must(stand,
        db_exec(&stand->ctx, stand->admin, arena_printf(stand->ctx.arena, "DROP ROLE %s", role)));
}

/* Sessions of the role itself, as --scratch-url gives them. */
static struct db *
connect_as(struct stand *stand, const char *role)
{
    struct db_options options = {
        .url = arena_printf(stand->ctx.arena, "user=%s dbname=postgres", role),
        .application = "test_vector",
        .access = ACCESS_WRITE,
    };
    struct db *db = NULL;

    must(stand, db_open(&stand->ctx, &options, &db));
    return db;
}

static void
who_may_not_create_databases_is_told(void **state)
{
    struct stand *stand = *state;
    const char *role = arena_printf(stand->ctx.arena, "%s_role", stand->database);

    add_rows(stand, 1, 30);
    sql(stand, arena_printf(stand->ctx.arena, "CREATE ROLE %s LOGIN", role));
    stand->options.server = connect_as(stand, role);
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_RIGHTS, "permission denied to create database");
    assert_non_null(strstr(stand->ctx.error.hint, "CREATEDB"));
    assert_non_null(strstr(stand->ctx.error.hint, "--scratch-url"));
    drop_role(stand, role);
}

static void
who_may_not_create_extensions_brings_a_template(void **state)
{
    struct stand *stand = *state;
    struct arena *arena = stand->ctx.arena;
    const char *role = arena_printf(arena, "%s_role", stand->database);
    const char *empty = arena_printf(arena, "%s_template", stand->database);
    struct db *db;

    add_rows(stand, 1, 30);
    sql(stand, arena_printf(arena, "CREATE ROLE %s LOGIN CREATEDB", role));
    stand->options.server = connect_as(stand, role);
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_RIGHTS, "installing pgvector in the scratch database");
    assert_non_null(strstr(stand->ctx.error.hint, "--scratch-template"));
    error_clear(&stand->ctx);

    /* One with pgvector in another schema, that the role owns. */
    must(stand,
        db_exec(&stand->ctx, stand->admin,
            arena_printf(arena, "CREATE DATABASE %s TEMPLATE template0 OWNER %s", empty, role)));
    db = connect_to(stand, empty, ACCESS_WRITE);
    must(stand, db_exec(&stand->ctx, db, "CREATE SCHEMA \"other place\""));
    must(stand, db_exec(&stand->ctx, db, "GRANT ALL ON SCHEMA \"other place\" TO PUBLIC"));
    must(stand, db_exec(&stand->ctx, db, "CREATE EXTENSION vector SCHEMA \"other place\""));
    db_close(db);
    stand->options.scratch_template = empty;
    must(stand, open_stage(stand));
    assert_string_equal(stand->stage.target.extension_schema, "other place");
    assert_string_equal(value_in(stand, stand->stage.db, "SELECT count(*) > 0 FROM " CHUNKS), "t");
    vector_stage_close(&stand->stage);
    must(stand, db_exec(&stand->ctx, stand->admin, arena_printf(arena, "DROP DATABASE %s", empty)));
    drop_role(stand, role);
}

/* The template holds a table of that name: nothing of it is touched. */
static void
a_template_with_the_table_is_refused(void **state)
{
    struct stand *stand = *state;
    struct db *other;

    add_rows(stand, 1, 30);
    /* A template must have no sessions: the rows are read from a copy of it. */
    other = stand->db;
    db_close(other);
    must(stand, db_exec(&stand->ctx, stand->admin,
                    arena_printf(stand->ctx.arena, "CREATE DATABASE %s_live TEMPLATE %s",
                        stand->database, stand->database)));
    stand->options.scratch_template = stand->database;
    stand->db =
        connect_to(stand, arena_printf(stand->ctx.arena, "%s_live", stand->database), ACCESS_READ);
    assert_false(open_stage(stand));
    assert_error(&stand->ctx, ERR_SERVER, "\"Chunks\" already exists");
    assert_int_equal(count_scratch(stand), 0);
    must(stand,
        db_exec(&stand->ctx, stand->admin,
            arena_printf(stand->ctx.arena, "DROP DATABASE %s_live WITH (FORCE)", stand->database)));
}

/* A tablespace of the server on a small disk, and a template there; NULL where that cannot be. */
static const char *
make_small_disk(struct stand *stand)
{
    struct arena *arena = stand->ctx.arena;
    const char *data = value_in(stand, stand->admin, "SHOW data_directory");
    const char *folder = test_folder(&stand->ctx);
    const char *space = arena_printf(arena, "%s_space", stand->database);
    struct db *db;
    struct stat owner;

    if (stat(data, &owner) != 0 || mount("tmpfs", folder, "tmpfs", 0,
                                       arena_printf(arena, "size=%dm,uid=%u,gid=%u,mode=0700",
                                           SMALL_DISK_MB, owner.st_uid, owner.st_gid)) != 0) {
        must(stand, file_remove(&stand->ctx, folder));
        return NULL;
    }
    must(stand, db_exec(&stand->ctx, stand->admin,
                    arena_printf(arena, "CREATE TABLESPACE %s LOCATION %s", space,
                        db_literal(arena, folder))));
    must(stand, db_exec(&stand->ctx, stand->admin,
                    arena_printf(arena, "CREATE DATABASE %s_small TEMPLATE template0 TABLESPACE %s",
                        stand->database, space)));
    db = connect_to(stand, arena_printf(arena, "%s_small", stand->database), ACCESS_WRITE);
    must(stand, db_exec(&stand->ctx, db, "CREATE SCHEMA ext"));
    must(stand, db_exec(&stand->ctx, db, "CREATE EXTENSION vector SCHEMA ext"));
    db_close(db);
    /* The template's own pages are on the disk before it gets full. */
    must(stand, db_exec(&stand->ctx, stand->admin, "CHECKPOINT"));
    stand->options.scratch_template = arena_printf(arena, "%s_small", stand->database);
    return folder;
}

static void
remove_small_disk(struct stand *stand, const char *folder)
{
    struct arena *arena = stand->ctx.arena;

    must(stand, db_exec(&stand->ctx, stand->admin,
                    arena_printf(arena, "DROP DATABASE %s_small WITH (FORCE)", stand->database)));
    must(stand, db_exec(&stand->ctx, stand->admin,
                    arena_printf(arena, "DROP TABLESPACE %s_space", stand->database)));
    assert_int_equal(umount2(folder, MNT_DETACH), 0);
    must(stand, file_remove(&stand->ctx, folder));
}

/* Somebody else takes the room that was there when we looked. */
static void
fill_disk(struct fault *fault)
{
    static const char block[65536] = { 1 };
    int file = open(file_join(fault->stand->ctx.arena, fault->folder, "ballast"),
        O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(file >= 0);
    while (write(file, block, sizeof(block)) > 0)
        continue;
    close(file);
}

static void
a_disk_that_is_too_small_is_told_early(void **state)
{
    struct stand *stand = *state;
    const char *folder = make_small_disk(stand);
    struct fault fault = { 0 };

    if (!folder) {
        print_message("# no small disk can be mounted here\n");
        skip();
    }
    fill(stand);
    sql(stand, "ALTER TABLE " CHUNKS " ALTER chunk SET STORAGE EXTERNAL");
    sql(stand, "UPDATE " CHUNKS " SET chunk = repeat('x', 8000)");
    sql(stand, "VACUUM FULL " CHUNKS);
    assert_false(open_with(stand, &fault));
    assert_error(&stand->ctx, ERR_CONFLICT, "the disk is too small for the copy");
    assert_non_null(strstr(stand->ctx.error.hint, "6 050 rows"));
    assert_false(fault.has_happened);
    assert_int_equal(count_scratch(stand), 0);
    remove_small_disk(stand, folder);
}

static void
a_disk_that_becomes_full_is_told(void **state)
{
    struct stand *stand = *state;
    const char *folder = make_small_disk(stand);
    struct fault fault = { .happen = fill_disk, .folder = folder };

    if (!folder) {
        print_message("# no small disk can be mounted here\n");
        skip();
    }
    fill(stand);
    sql(stand, "VACUUM FULL " CHUNKS);
    assert_false(open_with(stand, &fault));
    assert_true(fault.has_happened);
    assert_error(&stand->ctx, ERR_SERVER, "No space left on device");
    assert_string_equal(stand->ctx.error.sqlstate, "53100");
    assert_int_equal(count_scratch(stand), 0);
    assert_string_equal(value_in(stand, stand->db, "SELECT count(*) FROM " CHUNKS), "6050");
    must(stand, file_remove(&stand->ctx, file_join(stand->ctx.arena, folder, "ballast")));
    remove_small_disk(stand, folder);
}

static int
set_up(void **state)
{
    *state = stand_new();
    return 0;
}

static int
tear_down(void **state)
{
    stand_free(*state);
    return 0;
}

#define test_with_stand(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_stand(a_lost_session_leaves_no_database),
        test_with_stand(the_live_session_is_as_before),
        test_with_stand(a_killed_run_is_healed_by_the_next),
        test_with_stand(who_may_not_create_databases_is_told),
        test_with_stand(who_may_not_create_extensions_brings_a_template),
        test_with_stand(a_template_with_the_table_is_refused),
        test_with_stand(a_disk_that_is_too_small_is_told_early),
        test_with_stand(a_disk_that_becomes_full_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
