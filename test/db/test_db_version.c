/*
 * Servers that are too old or too new: a socket that speaks just enough of the protocol to be one.
 * No server of these versions can be had everywhere; libpq talks to it as to any other.
 */
#include "support/test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "db/db.h"

struct server {
    const char *version;
    const char *folder;
    int listener;
    pthread_t thread;
};

static void
put(int fd, char type, const void *body, size_t length)
{
    uint32_t size = htonl((uint32_t)length + 4);

    assert_int_equal(write(fd, &type, 1), 1);
    assert_int_equal(write(fd, &size, 4), 4);
    if (length > 0)
        assert_int_equal(write(fd, body, length), (ssize_t)length);
}

static bool
get(int fd, void *data, size_t length)
{
    /* recv() of nothing would wait for the next message. */
    return length == 0 || recv(fd, data, length, MSG_WAITALL) == (ssize_t)length;
}

static void
greet(int fd, const char *version)
{
    char parameter[64];
    int length = snprintf(parameter, sizeof(parameter), "server_version%c%s", 0, version);

    put(fd, 'R', "\0\0\0\0", 4);
    put(fd, 'S', parameter, (size_t)length + 1);
    put(fd, 'K', "\0\0\0\1\0\0\0\2", 8);
    put(fd, 'Z', "I", 1);
}

/* One connection: whatever is asked is done, without rows. */
static void *
serve(void *data)
{
    struct server *server = data;
    int fd = accept(server->listener, NULL, NULL);
    uint32_t size;
    char type;
    char body[8192];

    if (fd < 0 || !get(fd, &size, 4) || !get(fd, body, ntohl(size) - 4))
        return NULL;
    greet(fd, server->version);
    while (get(fd, &type, 1) && get(fd, &size, 4) && get(fd, body, ntohl(size) - 4)) {
        if (type == 'X')
            break;
        if (type != 'S')
            continue;
        put(fd, '1', NULL, 0);
        put(fd, '2', NULL, 0);
        put(fd, 'n', NULL, 0);
        put(fd, 'C', "SELECT 0", 9);
        put(fd, 'Z', "I", 1);
    }
    close(fd);
    return NULL;
}

static void
start(struct ctx *ctx, struct server *server)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    server->folder = test_folder(ctx);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", server->folder);
    server->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server->listener, 1), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

static bool
connect_to(struct ctx *ctx, const char *version, enum access access)
{
    struct server server = { .version = version };
    struct db *db = NULL;

    start(ctx, &server);

    struct db_options options = {
        .url = arena_printf(ctx->arena,
            "host=%s port=5432 user=x dbname=x sslmode=disable "
            "gssencmode=disable",
            server.folder),
        .access = access,
    };
    bool is_good = db_open(ctx, &options, &db);

    db_close(db);
    pthread_join(server.thread, NULL);
    close(server.listener);
    assert_true(file_remove(ctx, server.folder));
    return is_good;
}

static void
a_server_older_than_14_is_refused(void **state)
{
    struct ctx *ctx = *state;

    assert_false(connect_to(ctx, "13.9", ACCESS_READ));
    assert_error(ctx, ERR_UNSUPPORTED, "the server is PostgreSQL 13.9, older than 14");
    assert_string_equal(ctx->error.hint, "pgmend knows PostgreSQL 14 to 18.");
    assert_false(connect_to(ctx, "9.6.24", ACCESS_WRITE));
    assert_error(ctx, ERR_UNSUPPORTED, "older than 14");
}

static void
a_server_newer_than_known_is_read_only(void **state)
{
    struct ctx *ctx = *state;

    assert_false(connect_to(ctx, "19.0", ACCESS_WRITE));
    assert_error(ctx, ERR_UNSUPPORTED, "PostgreSQL 19.0, newer than this pgmend knows (18)");
    assert_true(connect_to(ctx, "19.0", ACCESS_READ));
    assert_false(connect_to(ctx, "20devel", ACCESS_WRITE));
    assert_error(ctx, ERR_UNSUPPORTED, "PostgreSQL 20devel");
}

static void
the_known_ones_are_not(void **state)
{
    assert_true(connect_to(*state, "14.0", ACCESS_WRITE));
    assert_true(connect_to(*state, "15.20 (Debian 15.20-0+deb12u1)", ACCESS_WRITE));
    assert_true(connect_to(*state, "18.4", ACCESS_WRITE));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(a_server_older_than_14_is_refused),
        test_with_ctx(a_server_newer_than_known_is_read_only),
        test_with_ctx(the_known_ones_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
