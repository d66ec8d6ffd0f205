#include "db/relay.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include "db/connection.h"

bool
db_relay_begin(struct ctx *ctx, struct db *db)
{
    if (PQgssEncInUse(db->conn)) {
        error_set(ctx, ERR_UNSUPPORTED,
            "the connection is encrypted by GSSAPI, which cannot be passed on to a client");
        return error_hint(ctx, "Set PGGSSENCMODE=disable; TLS is fine.");
    }
    return db_exec(ctx, db, "RESET ALL");
}

int
db_relay_socket(const struct db *db)
{
    return PQsocket(db->conn);
}

static SSL *
tls_of(const struct db *db)
{
    return PQsslInUse(db->conn) ? PQsslStruct(db->conn, "OpenSSL") : NULL;
}

static bool
is_gone(struct ctx *ctx, const char *why)
{
    return error_set(ctx, ERR_CONNECTION, "the server closed the connection%s%s",
        why && *why ? ": " : "", why ? why : "");
}

/* What a call of OpenSSL that moved nothing means: try again, or the end. */
static bool
tls_result(struct ctx *ctx, SSL *tls, int result)
{
    int error = SSL_get_error(tls, result);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return true;
    if (error == SSL_ERROR_SYSCALL && errno)
        return is_gone(ctx, strerror(errno));
    return is_gone(ctx, ERR_reason_error_string(ERR_peek_last_error()));
}

static bool
socket_result(struct ctx *ctx)
{
    if (errno == EAGAIN || errno == EINTR)
        return true;
    return is_gone(ctx, strerror(errno));
}

bool
db_relay_read(struct ctx *ctx, struct db *db, void *data, size_t size, size_t *ret_count)
{
    SSL *tls = tls_of(db);

    *ret_count = 0;
    if (tls) {
        ERR_clear_error();
        errno = 0;

        int got = SSL_read_ex(tls, data, size, ret_count);

        return got > 0 || tls_result(ctx, tls, got);
    }

    ssize_t got = recv(PQsocket(db->conn), data, size, MSG_DONTWAIT);

    if (got < 0)
        return socket_result(ctx);
    if (got == 0)
        return is_gone(ctx, NULL);
    *ret_count = (size_t)got;
    return true;
}

bool
db_relay_write(struct ctx *ctx, struct db *db, const void *data, size_t size, size_t *ret_count)
{
    SSL *tls = tls_of(db);

    *ret_count = 0;
    if (tls) {
        ERR_clear_error();
        errno = 0;

        int put = SSL_write_ex(tls, data, size, ret_count);

        return put > 0 || tls_result(ctx, tls, put);
    }

    ssize_t put = send(PQsocket(db->conn), data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (put < 0)
        return socket_result(ctx);
    *ret_count = (size_t)put;
    return true;
}

bool
db_relay_prepare(
    struct ctx *ctx, struct db *db, const char *sql, const uint32_t *types, size_t type_count)
{
    Oid *oids = ARENA_ARRAY(ctx->arena, Oid, type_count + 1);
    bool is_good = true;

    for (size_t i = 0; i < type_count; i++)
        oids[i] = types[i];
    if (!PQsendPrepare(db->conn, "", sql, (int)type_count, oids))
        return db_error_of_connection(ctx, db, "preparing a statement");
    if (!db_flush(ctx, db))
        return false;
    for (;;) {
        PGresult *result CLEANUP(db_clear_result) = NULL;

        if (!db_next_result(ctx, db, &result))
            return false;
        if (!result)
            return is_good;
        if (is_good && PQresultStatus(result) != PGRES_COMMAND_OK)
            is_good = db_error_of_result(ctx, db, result);
    }
}

const char *
db_relay_parameter(const struct db *db, const char *name)
{
    return PQparameterStatus(db->conn, name);
}
