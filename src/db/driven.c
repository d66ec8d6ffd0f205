#include "db/driven.h"

#include <ctype.h>

#include "db/connection.h"

enum { WORDS_SIZE = 200, SQLSTATE_LENGTH = 5 };

struct driven_place {
    struct arena *arena;
    struct arena *answers; /* of the last answer's texts */
    struct db *db;         /* without a connection: options, password */
    struct db_params params;
};

struct driven {
    struct driven_place *place;
    struct db db;    /* what the functions for errors want to know; its conn is ours */
    PGresult *last;  /* with rows, for driven_value() */
    bool has_failed; /* the statement under way */
    bool is_lost;    /* the server said that it ends the session */
    int64_t rows;
    int64_t bytes;
    char sqlstate[SQLSTATE_LENGTH + 1];
    char words[WORDS_SIZE]; /* of the failure, or the server's last ones */
};

/* One address of those that a name or a list of hosts may mean: where db really is. */
static void
pin_address(struct driven_place *place, const PGconn *conn, const struct driven_way *way)
{
    const char *host = way->address ? way->address : PQhost(conn);
    const char *address = way->address ? way->address : PQhostaddr(conn);
    const char *port = way->address ? way->port : PQport(conn);

    if (!text_is_empty(host))
        db_params_set(&place->params, "host", arena_strdup(place->arena, host));
    if (!text_is_empty(address))
        db_params_set(&place->params, "hostaddr", arena_strdup(place->arena, address));
    db_params_set(&place->params, "port", arena_strdup(place->arena, port));
    db_params_set(&place->params, "dbname", arena_strdup(place->arena, PQdb(conn)));
}

bool
driven_place_open(
    struct ctx *ctx, const struct db *db, const struct driven_way *way, struct driven_place **ret)
{
    const struct db_options options = {
        .url = db->options.url,
        .database = db->options.database,
        .application = way->application,
        .access = ACCESS_WRITE,
    };
    struct arena *arena = arena_new();
    struct driven_place *place = ARENA_NEW(arena, struct driven_place);

    place->arena = arena;
    place->answers = arena_new();
    place->db = db_new(&options);
    if (!db_params_read(ctx, place->db, &place->params)) {
        driven_place_close(place);
        return false;
    }
    pin_address(place, db->conn, way);
    place->params.names[place->params.count] = NULL;
    *ret = place;
    return true;
}

void
driven_place_close(struct driven_place *place)
{
    if (!place)
        return;
    db_close(place->db);
    arena_free(place->answers);
    arena_free(place->arena);
}

struct driven *
driven_new(struct driven_place *place)
{
    struct driven *driven = ARENA_NEW(place->arena, struct driven);

    driven->place = place;
    driven->db.password = place->db->password;
    return driven;
}

/*
 * The server's words go to screens and files: one line of UTF-8, cut where a character ends. Before a
 * session is open they can be in any encoding.
 */
static void
keep_words(struct driven *driven, const char *sqlstate, const char *words)
{
    char *kept = driven->words;
    size_t length;

    snprintf(driven->sqlstate, sizeof(driven->sqlstate), "%s", sqlstate ? sqlstate : "");
    snprintf(kept, sizeof(driven->words), "%s", words ? words : "");
    length = strlen(kept);
    while (length > sizeof(driven->words) - 4 && !text_is_utf8(kept))
        kept[--length] = '\0';

    bool is_utf8 = text_is_utf8(kept);

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)kept[i];

        if (c < ' ' || c == 0x7f || (c >= 0x80 && !is_utf8))
            kept[i] = c < 0x80 ? ' ' : '?';
    }
}

/* Notices are of no interest; that the server ends the session is worth more than "closed unexpectedly". */
static void
hear(void *data, const PGresult *result)
{
    struct driven *driven = data;

    if (!text_equal(PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED), "FATAL"))
        return;
    keep_words(driven, PQresultErrorField(result, PG_DIAG_SQLSTATE),
        PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
}

static void
begin_statement(struct driven *driven)
{
    db_clear_result(&driven->last);
    driven->last = NULL;
    driven->has_failed = false;
    driven->is_lost = false;
    driven->rows = 0;
    driven->bytes = 0;
    driven->sqlstate[0] = '\0';
    driven->words[0] = '\0';
}

static enum driven_state
tell(struct driven *driven, enum driven_state state, struct driven_answer *ret)
{
    *ret = (struct driven_answer){ .rows = driven->rows, .bytes = driven->bytes };
    if (state == DRIVEN_FAILED || state == DRIVEN_LOST) {
        memcpy(ret->sqlstate, driven->sqlstate, sizeof(ret->sqlstate));
        ret->message = driven->words;
    }
    return state;
}

/* libpq has no field for it, but says it in its words when it is asked for all: "FATAL:  53300: sorry, …". */
static const char *
sqlstate_in(struct arena *arena, const char *text)
{
    for (const char *at = text; (at = strstr(at, ":  ")); at++) {
        const char *code = at + strlen(":  ");
        size_t length = 0;

        while (isupper((unsigned char)code[length]) || isdigit((unsigned char)code[length]))
            length++;
        if (length == SQLSTATE_LENGTH && code[length] == ':')
            return arena_strndup(arena, code, length);
    }
    return "";
}

static enum driven_state
not_connected(struct driven *driven, struct driven_answer *ret)
{
    struct ctx ctx = { .arena = driven->place->answers };

    arena_reset(ctx.arena);
    if (!driven->db.conn) {
        keep_words(driven, NULL, "could not connect: out of memory");
        return tell(driven, DRIVEN_LOST, ret);
    }
    db_error_of_connecting(&ctx, &driven->db);

    const char *sqlstate = sqlstate_in(ctx.arena, ctx.error.message);

    /* PgBouncer's limit has no code of its own. */
    if (strstr(ctx.error.message, "no more connections allowed"))
        sqlstate = "53300";
    keep_words(driven, *sqlstate ? sqlstate : ctx.error.sqlstate, ctx.error.message);
    return tell(driven, DRIVEN_LOST, ret);
}

enum driven_state
driven_connect(struct driven *driven, struct driven_answer *ret)
{
    const struct db_params *params = &driven->place->params;

    driven_disconnect(driven);
    driven->db.conn = PQconnectStartParams(params->names, params->values, 0);
    if (!driven->db.conn || PQstatus(driven->db.conn) == CONNECTION_BAD)
        return not_connected(driven, ret);
    PQsetErrorVerbosity(driven->db.conn, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(driven->db.conn, hear, driven);
    return tell(driven, DRIVEN_WRITES, ret);
}

enum driven_state
driven_connect_on(struct driven *driven, struct driven_answer *ret)
{
    PGconn *conn = driven->db.conn;
    PostgresPollingStatusType status = PQconnectPoll(conn);

    if (status == PGRES_POLLING_FAILED)
        return not_connected(driven, ret);
    if (status != PGRES_POLLING_OK)
        return tell(driven, status == PGRES_POLLING_READING ? DRIVEN_READS : DRIVEN_WRITES, ret);
    PQsetErrorVerbosity(conn, PQERRORS_DEFAULT);
    PQsetnonblocking(conn, 1);
    return tell(driven, DRIVEN_DONE, ret);
}

void
driven_disconnect(struct driven *driven)
{
    begin_statement(driven);
    PQfinish(driven->db.conn);
    driven->db.conn = NULL;
}

int
driven_socket(const struct driven *driven)
{
    return PQsocket(driven->db.conn);
}

bool
driven_ask_to_check(struct driven *driven)
{
    /* A pooler gives numbers of its own: there it would be somebody else's session. */
    static const char sql[] =
        "SELECT CASE WHEN pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $1::pg_catalog.int4"
        " THEN pg_catalog.set_config('client_connection_check_interval', '1000', false)"
        " ELSE 'pooled' END AS answer";
    char pid[16];
    const char *const params[] = { pid };

    begin_statement(driven);
    snprintf(pid, sizeof(pid), "%d", PQbackendPID(driven->db.conn));
    return PQsendQueryParams(driven->db.conn, sql, 1, NULL, params, NULL, NULL, 0);
}

bool
driven_is_pooled(const struct driven *driven)
{
    return text_equal(driven_value(driven, "answer"), "pooled");
}

bool
driven_run(struct driven *driven, const char *sql)
{
    begin_statement(driven);
    return PQsendQueryParams(driven->db.conn, sql, 0, NULL, NULL, NULL, NULL, 0);
}

bool
driven_prepare(struct driven *driven, const char *name, const char *sql)
{
    begin_statement(driven);
    return PQsendPrepare(driven->db.conn, name, sql, 0, NULL);
}

bool
driven_execute(
    struct driven *driven, const char *name, const char *const *params, size_t count, bool by_row)
{
    begin_statement(driven);
    return PQsendQueryPrepared(driven->db.conn, name, (int)count, params, NULL, NULL, 0) &&
           (!by_row || PQsetSingleRowMode(driven->db.conn));
}

enum driven_state
driven_flush(struct driven *driven)
{
    int left = PQflush(driven->db.conn);

    /* What the server said before it closed is still to be read. */
    return left > 0 ? DRIVEN_WRITES : DRIVEN_READS;
}

static void
count_rows(struct driven *driven, const PGresult *result)
{
    int rows = PQntuples(result);
    int columns = PQnfields(result);

    driven->rows += rows;
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < columns; column++)
            driven->bytes += PQgetlength(result, row, column);
}

static void
take_error(struct driven *driven, const PGresult *result)
{
    struct ctx ctx = { .arena = driven->place->answers };
    const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

    /* The first one is the cause. */
    if (driven->has_failed)
        return;
    arena_reset(ctx.arena);
    driven->has_failed = true;
    driven->is_lost = text_equal(severity, "FATAL") || text_equal(severity, "PANIC");
    db_error_of_result(&ctx, &driven->db, result);
    keep_words(driven, ctx.error.sqlstate, ctx.error.message);
}

/* False: there is no way on in this session. */
static bool
take_result(struct driven *driven, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        driven->has_failed = driven->is_lost = true;
        keep_words(driven, NULL, "COPY from and to the client is not known here");
        return false;
    }
    if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE)
        take_error(driven, result);
    else
        count_rows(driven, result);
    return true;
}

static enum driven_state
lose(struct driven *driven, struct driven_answer *ret)
{
    struct ctx ctx = { .arena = driven->place->answers };

    if (driven->words[0])
        return tell(driven, DRIVEN_LOST, ret);
    arena_reset(ctx.arena);
    db_error_of_connection(&ctx, &driven->db, "waiting for the server");
    keep_words(driven, NULL, ctx.error.message);
    return tell(driven, DRIVEN_LOST, ret);
}

enum driven_state
driven_go_on(struct driven *driven, struct driven_answer *ret)
{
    PGconn *conn = driven->db.conn;
    bool is_alive = PQconsumeInput(conn);

    while (!PQisBusy(conn)) {
        PGresult *result = PQgetResult(conn);

        if (!result) {
            if (!is_alive || driven->is_lost || PQstatus(conn) == CONNECTION_BAD)
                return lose(driven, ret);
            return tell(driven, driven->has_failed ? DRIVEN_FAILED : DRIVEN_DONE, ret);
        }

        bool goes_on = take_result(driven, result);

        if (PQntuples(result) > 0) {
            db_clear_result(&driven->last);
            driven->last = result;
        } else {
            db_clear_result(&result);
        }
        if (!goes_on)
            return lose(driven, ret);
    }
    if (!is_alive)
        return lose(driven, ret);
    return tell(driven, driven_flush(driven), ret);
}

enum driven_state
driven_listen(struct driven *driven, struct driven_answer *ret)
{
    PGconn *conn = driven->db.conn;
    bool is_alive = PQconsumeInput(conn);

    (void)PQisBusy(conn); /* reads the news, so that they are heard */
    for (PGnotify *news; (news = PQnotifies(conn));)
        PQfreemem(news);
    if (!is_alive || PQstatus(conn) == CONNECTION_BAD)
        return lose(driven, ret);
    return tell(driven, DRIVEN_READS, ret);
}

bool
driven_is_in_transaction(const struct driven *driven)
{
    return PQtransactionStatus(driven->db.conn) != PQTRANS_IDLE;
}

const char *
driven_value(const struct driven *driven, const char *column)
{
    int row = driven->last ? PQntuples(driven->last) - 1 : -1;

    for (int i = 0; row >= 0 && i < PQnfields(driven->last); i++)
        if (text_equal(PQfname(driven->last, i), column))
            return PQgetisnull(driven->last, row, i) ? NULL : PQgetvalue(driven->last, row, i);
    return NULL;
}
