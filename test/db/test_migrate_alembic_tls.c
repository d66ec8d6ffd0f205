/* The relay to a server that takes TLS and SCRAM only, as hosted ones do. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "db/test_migrate_alembic_support.h"

struct server {
    struct ctx ctx;
    const char *above;
    const char *folder;
    const char *data;
    unsigned port;
    bool is_started;
};

static void
must_run(struct server *server, const char *const *argv)
{
    struct process_options options = { .argv = argv };
    struct process process;

    if (!process_run(&server->ctx, &options, &process))
        fail_msg("%s: %s", server->ctx.error.message, server->ctx.error.detail);
}

static unsigned
free_port(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) },
    };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* A key that the server's user owns, as it demands. */
static void
make_certificate(struct server *server)
{
    struct arena *arena = server->ctx.arena;
    const char *key = file_join(arena, server->data, "server.key");
    const char *certificate = file_join(arena, server->data, "server.crt");
    const char *const argv[] = { "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=localhost", NULL };
    struct stat info;

    must_run(server, argv);
    assert_int_equal(stat(server->data, &info), 0);
    assert_int_equal(chown(key, info.st_uid, info.st_gid), 0);
    assert_int_equal(chown(certificate, info.st_uid, info.st_gid), 0);
    assert_int_equal(chmod(key, 0600), 0);
}

static void
add_host_line(struct server *server)
{
    const char *path = file_join(server->ctx.arena, server->data, "pg_hba.conf");
    const char *text;
    size_t length;
    FILE *file;

    assert_true(file_read(&server->ctx, path, &text, &length));
    file = fopen(path, "we");
    assert_non_null(file);
    fprintf(file, "hostssl all all 127.0.0.1/32 scram-sha-256\n%s", text);
    fclose(file);
}

static void
server_cluster(struct server *server, const char *verb)
{
    const char *const argv[] = { test_source(&server->ctx, "script/cluster"), verb, server->folder,
        NULL };

    must_run(server, argv);
}

static void
server_start(struct server *server)
{
    struct arena *arena = server->ctx.arena;

    server->port = free_port();

    const char *const argv[] = { test_source(&server->ctx, "script/cluster"), "start",
        server->folder, "--scratch", "--set", "listen_addresses=127.0.0.1", "--set",
        arena_printf(arena, "port=%u", server->port), "--set", "ssl=on", NULL };

    must_run(server, argv);
}

/* It is made and stopped, so that it can be set up; PG* then lead to it as its superuser. */
static int
server_new(void **state)
{
    struct arena *arena = arena_new();
    struct server *server = ARENA_NEW(arena, struct server);

    server->ctx.arena = arena;
    server->above = test_folder(&server->ctx);
    assert_int_equal(chmod(server->above, 0755), 0); /* the server may run as another user */
    server->folder = file_join(arena, server->above, "server");
    server->data = file_join(arena, server->folder, "data");
    server_cluster(server, "start");
    server->is_started = true;
    server_cluster(server, "stop");
    make_certificate(server);
    add_host_line(server);
    server_start(server);
    setenv("PGHOST", file_join(arena, server->folder, "socket"), 1);
    setenv("PGPORT", arena_printf(arena, "%u", server->port), 1);
    *state = server;
    return 0;
}

static int
server_free(void **state)
{
    struct server *server = *state;

    if (server->is_started)
        server_cluster(server, "remove");
    (void)!file_remove(&server->ctx, server->above);
    arena_free(server->ctx.arena);
    return 0;
}

static bool
ask(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    const char **ret = self;

    return !statement->may_ask ||
           db_value(ctx, statement->db,
               "SELECT ssl::text || (SELECT pg_catalog.repeat('x', 300000))"
               " FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()",
               NULL, 0, ret);
}

static void
much_data_passes_under_tls(void **state)
{
    struct server *server = *state;
    struct project *project = NULL;
    const char *answer = NULL, *url;
    const struct alembic_watcher watcher = { .self = &answer, .before = ask, .after = ask };

    project_new((void **)&project);
    add_revision(project, "a1", NULL,
        "    import io\n"
        "    op.execute('CREATE TABLE t (id int, words text)')\n"
        "    cursor = op.get_bind().connection.cursor()\n"
        "    rows = ''.join('%d\\t%s\\n' % (i, 'x' * 100) for i in range(60000))\n"
        "    cursor.copy_expert('COPY t FROM STDIN', io.StringIO(rows))\n"
        "    cursor.execute('SELECT id, words FROM t ORDER BY id')\n"
        "    assert [r[0] for r in cursor.fetchall()] == list(range(60000))\n"
        "    cursor.execute('SELECT length(%s), repeat(%s, 9000000)', ('y' * 9000000, 'z'))\n"
        "    row = cursor.fetchone()\n"
        "    assert row[0] == 9000000 and len(row[1]) == 9000000\n");
    must(project, db_exec(&project->ctx, project->admin,
                      "CREATE ROLE owner LOGIN PASSWORD 'some words' SUPERUSER"));
    db_close(project->db);
    url = arena_printf(project->ctx.arena,
        "host=127.0.0.1 port=%u user=owner password='some words' sslmode=require dbname='%s'",
        server->port, project->database);
    must(project,
        db_open(&project->ctx,
            &(struct db_options){ .url = url, .application = "test", .access = ACCESS_WRITE },
            &project->db));
    upgrade(project, &watcher);
    assert_non_null(answer);
    assert_int_equal(strlen(answer), 300004);
    assert_memory_equal(answer, "true", 4);
    project_free((void **)&project);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(much_data_passes_under_tls, server_new, server_free),
    };

    interrupt_catch();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
