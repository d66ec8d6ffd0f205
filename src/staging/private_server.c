#include "staging/private_server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "db/ident.h"
#include "staging/private_server_locale.h"
#include "staging/private_server_programs.h"

/* The server numbers its files from 16384 on. */
#define FIRST_FILE UINT32_C(3000000000)

enum { LIMIT_US = 120 * 1000000, STOP_LIMIT_US = 10 * 1000000, NAP_MS = 5, LOG_TAIL_BYTES = 600 };

struct private_server {
    struct arena *arena;
    struct temporary folder;
    struct server_account account;
    const char *bin;
    const char *data;
    const char *socket;
    const char *log;
    struct server_locale locale;
    int version;
    uint32_t last_file;
    bool has_spare; /* SERVER_SPARE_DATABASE is there */
    pid_t pid;      /* 0: it does not run */
};

/* The end of the log, which says why. */
static bool
fail_with_log(struct ctx *ctx, const struct private_server *server, const char *what)
{
    const char *text = "";
    size_t length = 0;
    struct ctx reading = { .arena = ctx->arena };

    if (!file_read(&reading, server->log, &text, &length))
        length = 0;
    error_set(ctx, ERR_FAILED, "%s", what);
    if (length > 0)
        ctx->error.detail = arena_strdup(
            ctx->arena, length > LOG_TAIL_BYTES ? text + length - LOG_TAIL_BYTES : text);
    return false;
}

/* Takes the child's end if it has ended. */
static bool
has_ended(pid_t pid, int *ret_status)
{
    pid_t got = waitpid(pid, ret_status, WNOHANG);

    return got == pid || (got < 0 && errno == ECHILD);
}

static void
end_child(pid_t pid, int signal_number)
{
    int64_t limit = clock_us() + STOP_LIMIT_US;
    int status = 0;

    kill(pid, signal_number);
    while (!has_ended(pid, &status)) {
        if (clock_us() > limit)
            kill(pid, SIGKILL);
        poll(NULL, 0, NAP_MS);
    }
}

static bool
check_wait(struct ctx *ctx, int64_t limit, const char *what)
{
    if (interrupt_signal())
        return interrupt_error(ctx, interrupt_signal());
    if (clock_us() > limit)
        return error_set(ctx, ERR_TIMEOUT, "%s took too long and was stopped", what);
    poll(NULL, 0, NAP_MS);
    return true;
}

/* A folder below ours that is the server's own. */
static bool
make_folder(struct ctx *ctx, const struct private_server *server, const char *path)
{
    const struct server_account *account = &server->account;

    if (mkdir(path, 0700) < 0)
        return error_set_errno(ctx, "could not make \"%s\"", path);
    if (account->is_other && chown(path, account->user, account->group) < 0)
        return error_set_errno(ctx, "could not give \"%s\" to %s", path, account->name);
    return true;
}

/*
 * The outer folder stays ours, so that the next run can remove it; others may pass, but not look, because
 * the server's account has to. What it holds is closed to all but that account.
 */
static bool
make_place(struct ctx *ctx, struct private_server *server)
{
    const char *outer;
    struct sockaddr_un address;

    if (!temporary_folder(ctx, "server", &server->folder))
        return false;
    outer = arena_strdup(server->arena, server->folder.path);
    server->folder.path = outer;
    server->data = file_join(server->arena, outer, "data");
    server->socket = file_join(server->arena, outer, "s");
    server->log = file_join(server->arena, outer, "log");
    if (strlen(server->socket) + strlen("/.s.PGSQL.5432.lock") >= sizeof(address.sun_path)) {
        error_set(ctx, ERR_UNSUPPORTED, "\"%s\" is too long a path for a socket", server->socket);
        return error_hint(ctx, "Set TMPDIR to a folder with a shorter path.");
    }
    if (server->account.is_other && chmod(outer, 0711) < 0)
        return error_set_errno(ctx, "could not open \"%s\" to the server", outer);
    return make_folder(ctx, server, server->data) && make_folder(ctx, server, server->socket);
}

static bool
run_initdb(struct ctx *ctx, struct private_server *server)
{
    const char *argv[] = { file_join(ctx->arena, server->bin, "initdb"),
        arena_printf(ctx->arena, "--pgdata=%s", server->data), "--username=postgres",
        "--encoding=UTF8", "--locale=C", "--auth=trust", "--no-sync", "--no-instructions",
        "--wal-segsize=1", server->version >= 180000 ? "--no-data-checksums" : NULL, NULL };
    const struct server_child child = {
        .argv = argv,
        .folder = server->socket,
        .log = server->log,
        .account = &server->account,
        .death_signal = SIGKILL,
    };
    int64_t limit = clock_us() + LIMIT_US;
    int status = 0;
    pid_t pid;

    if (!server_child_start(ctx, &child, &pid))
        return false;
    while (!has_ended(pid, &status)) {
        if (!check_wait(ctx, limit, "initdb")) {
            end_child(pid, SIGTERM);
            return false;
        }
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    fail_with_log(ctx, server, "initdb failed for the private server");
    return error_hint(ctx,
        "User %s must be able to enter \"%s\" and to run %s; TMPDIR names another place.",
        server->account.is_other ? server->account.name : "pgmend's", server->folder.path, argv[0]);
}

/* The last line of postmaster.pid, as pg_ctl reads it. */
static bool
is_ready(struct ctx *ctx, const struct private_server *server)
{
    struct ctx reading = { .arena = ctx->arena };
    const char *text;
    size_t length;
    const char *path = file_join(ctx->arena, server->data, "postmaster.pid");

    return file_exists(path) && file_read(&reading, path, &text, &length) && strstr(text, "ready");
}

static bool
wait_ready(struct ctx *ctx, struct private_server *server)
{
    int64_t limit = clock_us() + LIMIT_US;
    int status;

    while (!is_ready(ctx, server)) {
        if (has_ended(server->pid, &status)) {
            server->pid = 0;
            return fail_with_log(ctx, server, "the private server did not start");
        }
        if (!check_wait(ctx, limit, "the start of the private server"))
            return false;
    }
    return true;
}

static bool
run_server(struct ctx *ctx, struct private_server *server)
{
    const char *argv[] = { file_join(ctx->arena, server->bin, "postgres"), "-D", server->data,
        "-clisten_addresses=", "-cport=5432",
        arena_printf(ctx->arena, "-cunix_socket_directories=%s", server->socket),
        "-cunix_socket_permissions=0700", "-ccluster_name=" PRIVATE_SERVER_NAME, "-cfsync=off",
        "-csynchronous_commit=off", "-cfull_page_writes=off", "-cwal_level=minimal",
        "-cmax_wal_senders=0", "-cmax_replication_slots=0", "-cmin_wal_size=4MB",
        "-cmax_wal_size=32MB", "-ccheckpoint_timeout=1d", "-cautovacuum=off",
        "-cshared_buffers=32MB", "-cmax_connections=12", "-cmax_prepared_transactions=0",
        /* A table with all its partitions and indexes is locked at once. */
        "-cmax_locks_per_transaction=2048", "-clogging_collector=off", "-clog_destination=stderr",
        "-clog_min_messages=fatal", "-clog_min_error_statement=panic", "-clog_checkpoints=off",
        "-ctrack_counts=off", "-ctrack_activities=off",
        "-cshared_preload_libraries=", "-cevent_source=pgmend", NULL };
    const struct server_child child = {
        .argv = argv,
        .folder = server->data,
        .log = server->log,
        .account = &server->account,
        .death_signal = SIGQUIT, /* an immediate shutdown: nothing here is worth a checkpoint */
    };

    return server_child_start(ctx, &child, &server->pid) && wait_ready(ctx, server);
}

static const char *
url_of(struct arena *arena, const char *socket, const char *database, const char *role)
{
    struct buffer url = { .arena = arena };
    const char *const values[] = { socket, database, role };
    static const char *const names[] = { "host", "dbname", "user" };

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        buffer_printf(&url, "%s='", names[i]);
        for (const char *c = values[i]; *c; c++) {
            if (*c == '\'' || *c == '\\')
                buffer_add(&url, "\\");
            buffer_append(&url, c, 1);
        }
        buffer_add(&url, "' ");
    }
    /* What stands here does not come from the environment, which is about another server. */
    buffer_add(&url, "port=5432 sslmode=disable gssencmode=disable channel_binding=disable "
                     "target_session_attrs=any options='-c default_transaction_read_only=off'");
    return buffer_text(&url);
}

const char *
private_server_url(struct arena *arena, const struct db *db, const char *role)
{
    return url_of(arena, db_host(db), db_name(db), role);
}

static bool
connect_to(
    struct ctx *ctx, const struct private_server *server, const char *database, struct db **ret)
{
    const struct db_options options = {
        .url = url_of(ctx->arena, server->socket, database, "postgres"),
        .application = "pgmend",
        .access = ACCESS_WRITE,
    };

    return db_open(ctx, &options, ret) || error_wrap(ctx, "connecting to the private server");
}

/* Reads the locale that is wanted, before the server is there, and sees whether it can be had. */
static bool
settle_locale(struct ctx *ctx, struct private_server *server, struct text_list *ret_notes)
{
    struct db *db CLEANUP(db_cleanup) = NULL;

    return connect_to(ctx, server, "postgres", &db) &&
           server_locale_settle(ctx, db, &server->locale, ret_notes) &&
           db_exec(ctx, db,
               "CREATE ROLE " PRIVATE_SERVER_OWNER " LOGIN BYPASSRLS"
               " IN ROLE pg_read_all_data, pg_write_all_data");
}

static bool
start(struct ctx *ctx, const struct private_server_options *options, struct private_server *server,
    struct text_list *ret_notes)
{
    int64_t began = clock_us();

    if (!server_programs_find(
            ctx, options->bin_folder, options->major, &server->bin, &server->version, ret_notes) ||
        !server_account_find(ctx, &server->account) ||
        !server_locale_read(ctx, options->like, server->arena, &server->locale) ||
        !make_place(ctx, server))
        return false;
    server->bin = arena_strdup(server->arena, server->bin);
    step_watch_show(options->watch, "private server", -1, clock_us() - began, "initdb");
    if (!run_initdb(ctx, server))
        return false;
    step_watch_show(options->watch, "private server", -1, clock_us() - began, "start");
    if (!run_server(ctx, server) || !settle_locale(ctx, server, ret_notes))
        return false;
    server->has_spare = true;
    return true;
}

static void
stop(struct private_server *server)
{
    if (!server)
        return;
    if (server->pid > 0)
        end_child(server->pid, SIGQUIT);
    temporary_end(&server->folder);
    arena_free(server->arena);
}

bool
private_server_start(struct ctx *ctx, const struct private_server_options *options,
    struct private_server **ret, struct text_list *ret_notes)
{
    struct arena *arena = arena_new();
    struct private_server *server = ARENA_NEW(arena, struct private_server);

    *ret = NULL;
    server->arena = arena;
    server->last_file = FIRST_FILE;
    if (!start(ctx, options, server, ret_notes)) {
        stop(server);
        return error_wrap(ctx, "starting a private PostgreSQL server");
    }
    *ret = server;
    return true;
}

void
private_server_cleanup(struct private_server **server)
{
    stop(*server);
    *server = NULL;
}

int
private_server_version(const struct private_server *server)
{
    return server->version;
}

const char *
private_server_data(const struct private_server *server)
{
    return server->data;
}

uint32_t
private_server_new_file(struct private_server *server)
{
    return ++server->last_file;
}

/* The first database is there already, under another name. */
static bool
make_database(
    struct ctx *ctx, struct private_server *server, struct db *admin, const char *database)
{
    const char *name = db_ident(ctx->arena, database);
    const char *make = server->has_spare
                           ? arena_printf(ctx->arena,
                                 "ALTER DATABASE " SERVER_SPARE_DATABASE " RENAME TO %s", name)
                           : server_locale_create(ctx->arena, &server->locale, database);

    if (!db_exec(ctx, admin, make))
        return error_wrap(ctx, "creating a database on the private server");
    server->has_spare = false;
    return db_exec(ctx, admin,
        arena_printf(ctx->arena, "ALTER DATABASE %s OWNER TO " PRIVATE_SERVER_OWNER, name));
}

bool
private_server_open(
    struct ctx *ctx, struct private_server *server, const char *database, struct db **ret)
{
    struct db *admin CLEANUP(db_cleanup) = NULL;
    const char *params[] = { database };
    const char *there = NULL;

    *ret = NULL;
    return connect_to(ctx, server, "postgres", &admin) &&
           db_value(ctx, admin,
               "SELECT datname::text FROM pg_catalog.pg_database WHERE datname = $1", params, 1,
               &there) &&
           (there || make_database(ctx, server, admin, database)) &&
           connect_to(ctx, server, database, ret);
}
