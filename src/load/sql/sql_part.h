/* What the files of the SQL transport share; nobody else includes this. */
#pragma once

#include "db/driven.h"
#include "load/engine/transport.h"

enum { LOAD_SQL_WORDS = 256 };

enum load_sql_state {
    LOAD_SQL_CLOSED,
    LOAD_SQL_FAILING, /* could not even begin to connect: to be told from the loop */
    LOAD_SQL_CONNECTING,
    LOAD_SQL_ASKING, /* the server to look after us while it works */
    LOAD_SQL_IDLE,
    LOAD_SQL_PREPARING,
    LOAD_SQL_RUNNING,
    LOAD_SQL_ROLLING_BACK,
    LOAD_SQL_PAUSING,
};

/* A statement of the scenario, for all sessions. */
struct load_sql_statement {
    const char *name;
    bool is_large; /* its results are thrown away by row */
    bool is_known; /* how large they are */
};

struct load_sql {
    struct arena *arena;
    struct edge_set *edges;
    struct driven_place *place;
    const struct load_scenario *scenario;
    struct load_sql_statement *statements; /* of all steps */
    size_t statement_count;
    size_t *first; /* of each step's, among them */
    struct buffer *values;
    const char **params;
    bool may_be_pooled; /* the target that was given may be a pooler */
    int wake;           /* an eventfd: there is something to tell */
    struct edge wake_edge;
    struct load_connection *failing;
    struct load_connection *all;
};

/* A name that the server has forgotten is not used again, as it may have it yet. */
struct load_sql_made {
    uint16_t generation;
    bool is_made;
};

struct load_connection {
    struct edge edge;
    struct edge pause; /* of a timerfd, opened for the first pause */
    struct load_sql *sql;
    struct load_user *user;
    struct load_scope *scope;
    struct driven *driven;
    struct load_sql_made *made;
    struct load_connection *next_failing;
    struct load_connection *next;
    const struct load_step *step;
    size_t at; /* the statement that is next or under way */
    int64_t bytes;
    int32_t statements;
    unsigned events;
    enum load_sql_state state;
    enum load_outcome outcome; /* of the request so far, or why there is no connection */
    bool is_listed;            /* among the failing ones */
    char sqlstate[6];
    char words[LOAD_SQL_WORDS];
};

/* session.c */
struct load_connection *load_sql_add(
    void *shared, struct load_user *user, struct load_scope *scope);
bool load_sql_connect(struct load_connection *connection);
void load_sql_disconnect(struct load_connection *connection);
/* Closes it and tells the engine. */
void load_sql_lose(
    struct load_connection *connection, enum load_outcome outcome, const char *message);
/* Something was sent: what the socket is watched for. */
void load_sql_sent(struct load_connection *connection, enum load_sql_state state);
/* Tells the engine of those that could not even begin to connect. */
void load_sql_tell_failing(struct edge *edge, unsigned events);

/* request.c */
void load_sql_send(struct load_connection *connection, const struct load_step *step);
void load_sql_answered(
    struct load_connection *connection, bool is_good, const struct driven_answer *answer);
/* pause.c */
void load_sql_pause(struct load_connection *connection, int64_t pause_us);
void load_sql_pause_end(struct load_connection *connection);
/* request.c: the pause is over. */
void load_sql_paused(struct load_connection *connection);
