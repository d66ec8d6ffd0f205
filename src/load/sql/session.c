/* A session from connecting to its end, whichever comes first of the server's and ours. */
#include <errno.h>
#include <unistd.h>

#include "load/sql/sql_part.h"

static void load_sql_on_socket(struct edge *edge, unsigned events);

struct load_connection *
load_sql_add(void *shared, struct load_user *user, struct load_scope *scope)
{
    struct load_sql *sql = shared;
    struct load_connection *connection = ARENA_NEW(sql->arena, struct load_connection);

    connection->edge = (struct edge){ .callback = load_sql_on_socket, .socket = -1 };
    connection->pause = (struct edge){ .socket = -1 };
    connection->sql = sql;
    connection->user = user;
    connection->scope = scope;
    connection->driven = driven_new(sql->place);
    connection->made = ARENA_ARRAY(sql->arena, struct load_sql_made, sql->statement_count);
    connection->next = sql->all;
    sql->all = connection;
    return connection;
}

void
load_sql_disconnect(struct load_connection *connection)
{
    struct load_sql *sql = connection->sql;

    if (connection->edge.socket >= 0)
        edge_remove(sql->edges, &connection->edge);
    load_sql_pause_end(connection);
    driven_disconnect(connection->driven);
    memset(connection->made, 0, sql->statement_count * sizeof(connection->made[0]));
    connection->state = LOAD_SQL_CLOSED;
}

void
load_sql_lose(struct load_connection *connection, enum load_outcome outcome, const char *message)
{
    char words[LOAD_SQL_WORDS];

    /* Closing forgets what libpq said. */
    snprintf(words, sizeof(words), "%s", message);
    load_sql_disconnect(connection);
    load_user_lost(connection->user, outcome, words);
}

/* The engine does not want to hear of it while it asks for a connection. */
static void
fail_soon(struct load_connection *connection, enum load_outcome outcome, const char *message)
{
    struct load_sql *sql = connection->sql;
    uint64_t one = 1;

    snprintf(connection->words, sizeof(connection->words), "%s", message);
    connection->outcome = outcome;
    connection->state = LOAD_SQL_FAILING;
    if (!connection->is_listed) {
        connection->next_failing = sql->failing;
        sql->failing = connection;
        connection->is_listed = true;
    }
    /* An eventfd takes eight bytes at once. */
    (void)!write(sql->wake, &one, sizeof(one));
}

void
load_sql_tell_failing(struct edge *edge, unsigned events)
{
    struct load_sql *sql = (struct load_sql *)((char *)edge - offsetof(struct load_sql, wake_edge));
    struct load_connection *next = sql->failing;
    uint64_t times;

    (void)events;
    (void)!read(sql->wake, &times, sizeof(times));
    sql->failing = NULL;
    while (next) {
        struct load_connection *connection = next;

        next = connection->next_failing;
        connection->is_listed = false;
        if (connection->state == LOAD_SQL_FAILING)
            load_sql_lose(connection, connection->outcome, connection->words);
    }
}

static enum load_outcome
why_unconnected(const struct driven_answer *answer)
{
    return strcmp(answer->sqlstate, "53300") == 0 ? LOAD_REFUSED : LOAD_UNCONNECTED;
}

static bool
watch(struct load_connection *connection, enum driven_state state)
{
    unsigned events = state == DRIVEN_READS ? EDGE_READ : EDGE_READ | EDGE_WRITE;

    /* While it connects, a socket that can be written says nothing of one that is to be read. */
    if (connection->state == LOAD_SQL_CONNECTING && state == DRIVEN_WRITES)
        events = EDGE_WRITE;
    if (connection->edge.socket >= 0 && connection->events == events)
        return true;
    connection->events = events;
    return edge_level(
        connection->sql->edges, &connection->edge, driven_socket(connection->driven), events);
}

bool
load_sql_connect(struct load_connection *connection)
{
    struct driven_answer answer;
    enum driven_state state = driven_connect(connection->driven, &answer);

    if (state == DRIVEN_LOST) {
        fail_soon(connection, why_unconnected(&answer), answer.message);
        return true;
    }
    connection->state = LOAD_SQL_CONNECTING;
    if (!watch(connection, state))
        fail_soon(connection, LOAD_UNCONNECTED, strerror(errno));
    return true;
}

void
load_sql_sent(struct load_connection *connection, enum load_sql_state state)
{
    connection->state = state;
    if (!watch(connection, driven_flush(connection->driven)))
        load_sql_lose(connection, LOAD_RESET, strerror(errno));
}

static void
go_on_connecting(struct load_connection *connection)
{
    struct driven_answer answer;
    enum driven_state state;

    /* The next address has a socket of its own, perhaps with the same number. */
    edge_remove(connection->sql->edges, &connection->edge);
    state = driven_connect_on(connection->driven, &answer);
    if (state == DRIVEN_LOST)
        load_sql_lose(connection, why_unconnected(&answer), answer.message);
    else if (state != DRIVEN_DONE && !watch(connection, state))
        load_sql_lose(connection, LOAD_UNCONNECTED, strerror(errno));
    else if (state == DRIVEN_DONE && driven_ask_to_check(connection->driven))
        load_sql_sent(connection, LOAD_SQL_ASKING);
    else if (state == DRIVEN_DONE)
        load_sql_lose(connection, LOAD_UNCONNECTED, "the connection was lost at once");
}

/*
 * A server that does not know how to look after its client is as good. Through a pooler our own session's
 * settings may have come to these here, and what is measured of the server would be the pooler's.
 */
static void
opened(struct load_connection *connection)
{
    if (!connection->sql->may_be_pooled && driven_is_pooled(connection->driven)) {
        load_sql_lose(connection, LOAD_UNCONNECTED,
            "a connection pooler stands between: give --db-url the server's own address, and the "
            "pooler's to --target");
        return;
    }
    connection->state = LOAD_SQL_IDLE;
    load_user_connected(connection->user);
}

static void
go_on(struct load_connection *connection)
{
    bool is_opening = connection->state == LOAD_SQL_ASKING;
    struct driven_answer answer;
    enum driven_state state = driven_go_on(connection->driven, &answer);

    if (state == DRIVEN_LOST)
        load_sql_lose(connection, is_opening ? LOAD_UNCONNECTED : LOAD_RESET, answer.message);
    else if (!watch(connection, state == DRIVEN_WRITES ? DRIVEN_WRITES : DRIVEN_READS))
        load_sql_lose(connection, LOAD_RESET, strerror(errno));
    else if (state == DRIVEN_READS || state == DRIVEN_WRITES)
        return;
    else if (is_opening)
        opened(connection);
    else
        load_sql_answered(connection, state == DRIVEN_DONE, &answer);
}

static void
load_sql_on_socket(struct edge *edge, unsigned events)
{
    struct load_connection *connection = (struct load_connection *)edge;
    struct driven_answer answer;

    (void)events;
    if (connection->state == LOAD_SQL_CONNECTING)
        go_on_connecting(connection);
    else if (connection->state != LOAD_SQL_IDLE && connection->state != LOAD_SQL_PAUSING)
        go_on(connection);
    else if (driven_listen(connection->driven, &answer) == DRIVEN_LOST)
        load_sql_lose(connection, LOAD_RESET, answer.message);
}
