/* What the files here share; nobody else includes this. */
#pragma once

#include "base/process.h"
#include "migrate/alembic/alembic.h"
#include "workload/wire_track.h"

/* Where the user's Alembic finds our relay. */
struct address {
    const char *password; /* of this run */
    unsigned port;        /* of 127.0.0.1 */
    const char *database;
    const char *encoded; /* database, as URLs have it: SQLAlchemy passes it on as it stands there */
};

/* ---- url.c ---- */

/* Percent-encoded. */
const char *alembic_encoded(struct arena *arena, const char *text);

/* Our URL with the driver and the options of another one, which may be NULL. */
const char *alembic_url(struct ctx *ctx, const struct address *address, const char *like);
bool alembic_is_url(const char *text);

/* The URL of the ini file, or one that shows which driver env.py wants; never NULL. */
const char *alembic_url_like(struct ctx *ctx, const struct alembic *alembic);

/* ---- variables.c ---- */

/* "NAME=value" for the child; ret_names: those of them that hold the URL. */
bool alembic_variables(struct ctx *ctx, const struct alembic *alembic,
    const struct address *address, struct text_list *ret, struct text_list *ret_names) MUST_CHECK;

/* ---- ini.c, plain.c ---- */

/* Writes the copy of the user's ini file into the work folder. */
bool alembic_write_ini(struct ctx *ctx, const struct alembic *alembic,
    const struct address *address, const char **ret_path) MUST_CHECK;

/* Writes env.py of ours; *ret_folder is the script folder. */
bool alembic_write_plain(struct ctx *ctx, const struct alembic *alembic, const char **ret_folder)
    MUST_CHECK;

/* ---- find.c ---- */

/* "env -C …" in front where it is needed, then the command and the arguments. */
const char *const *alembic_argv(
    struct ctx *ctx, const struct alembic *alembic, const char *const *args);

/* ---- version.c ---- */

/* What the statement does with Alembic's version table. */
void alembic_read_version(
    struct arena *arena, const struct environment *environment, struct alembic_statement *ret);

/* ---- traceback.c ---- */

/* The text with "?" for every byte that is not UTF-8. */
const char *alembic_utf8(struct arena *arena, const char *text);

/* Exception and place from what Alembic printed. */
void alembic_read_traceback(
    struct ctx *ctx, const struct alembic *alembic, struct alembic_outcome *ret);

/* ---- relay.c, session.c ---- */

struct session;

struct relay {
    const struct alembic *alembic;
    struct db *target;
    const struct alembic_watcher *watcher;
    struct alembic_outcome *outcome;
    struct address address;
    int listener;
    VEC(struct session *) sessions;
    size_t refused_passwords;
    const char *refused_database; /* that a client asked for */
    int64_t watched_us;           /* spent in the watcher, while Alembic waited */
    int64_t running_us;           /* when the watcher was last told that a statement runs */
};

bool relay_open(struct ctx *ctx, struct relay *relay) MUST_CHECK;
void relay_close(struct relay *relay);

/* Passes on what there is; waits for more if there was nothing, not longer than the process. */
bool relay_step(struct ctx *ctx, struct relay *relay, const struct process *process) MUST_CHECK;

enum session_state { SESSION_START, SESSION_PASSWORD, SESSION_OPEN, SESSION_ENDED };

/* A client and, once it has shown the password, the server's session that it talks to. */
struct session {
    struct relay *relay;
    enum session_state state;
    int client;
    int64_t accepted_us;
    struct db *db;
    size_t number;
    uint32_t pid; /* as told to the client */
    uint32_t key;
    struct wire_start start;
    struct wire_stream from_client;
    struct wire_stream from_server;
    struct wire_stream to_client;
    struct wire_stream to_server;
    struct wire_stream held; /* of a cycle that was not begun: the watcher can ask before it */
    struct wire_track track;
    const struct wire_prepared *unnamed; /* the client's statement that our own asking took away */
    bool needs_unnamed;                  /* what is held uses it */
    bool makes_unnamed;                  /* what is held has another one */
    bool swallows_ready;                 /* the next ReadyForQuery answers a Sync of ours */
    bool is_last; /* nothing more is read; what waits for the client is still sent */
};

/* session_start.c: until it is open; ERR_… only when the run must end. */
bool session_take_start(
    struct ctx *ctx, struct session *session, const struct wire_message *message) MUST_CHECK;

/* session.c */
bool session_take_client(
    struct ctx *ctx, struct session *session, const struct wire_message *message) MUST_CHECK;
bool session_take_server(
    struct ctx *ctx, struct session *session, const struct wire_message *message) MUST_CHECK;
/* Tells what was under way as failed. */
bool session_lost(struct ctx *ctx, struct session *session, const char *why) MUST_CHECK;
bool session_running(struct ctx *ctx, struct session *session) MUST_CHECK;

/*
 * relay.c: sends all that waits for the server, takes the rest of a message that has begun, and the
 * answer to a Sync of ours.
 */
bool relay_settle(struct ctx *ctx, struct session *session) MUST_CHECK;

/* ---- failure.c ---- */

/* Sets outcome->hint. names: of the variables that hold our URL. */
void alembic_explain(struct ctx *ctx, const struct relay *relay, const struct text_list *names,
    struct alembic_outcome *outcome);
/* ERR_CONFLICT: Alembic did not come to us. */
bool alembic_elsewhere(struct ctx *ctx, const struct relay *relay, const struct text_list *names);
