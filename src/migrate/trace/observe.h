/* What is kept of a revision while it runs; shared by observe.c, locks.c and probe.c. */
#pragma once

#include "base/map.h"
#include "migrate/trace/tracer.h"

enum { PROBE_SESSIONS = 8, PROBE_SETTLE_US = 2000000 };

/* A session of ours that wants a table as a reader or a writer would. */
struct probe {
    struct db *db;
    bool is_busy;
    uint32_t oid;
    bool is_writer;
    size_t session; /* of the run whose transaction it waits for */
    size_t held;    /* index of the lock it waits for */
};

struct probes {
    struct probe items[PROBE_SESSIONS];
    size_t count; /* sessions that are open */
};

/* A relation as it was before the revision, and its file as it is now. */
struct known {
    struct trace_name name;
    uint32_t file;       /* now */
    uint32_t first_file; /* before */
    uint32_t table;      /* of an index */
};

/* A lock whose transaction goes on. */
struct held {
    struct trace_lock lock;
    size_t session;
    int64_t from_us;  /* on the clock without observing */
    bool is_released; /* before the end: a savepoint was rolled back to */
};

struct transaction {
    size_t session;
    size_t number; /* 1, 2, … */
    struct sql_trace_rows_rows base;
    struct sql_trace_rows_rows end;
    bool has_end;
};

struct observation {
    struct tracer *tracer;
    struct ctx *ctx;
    struct trace_revision *ret;
    VEC(struct known) known; /* by oid */
    VEC(struct held) held;
    VEC(struct transaction) open;
    VEC(struct known) fresh; /* relations it made: .table is the statement */
    struct probes probes;
    int64_t observing_us; /* that callbacks took so far */
    int64_t entered_us;
    bool has_begun; /* Alembic has read its version table: what comes now is the revision's */
};

/* The clock without what observing took. */
int64_t observe_now(const struct observation *observation);

/* ---- locks.c ---- */

/* Reads what is there before the revision. */
bool locks_begin(struct observation *observation) MUST_CHECK;

/*
 * Looks which locks the session of db holds after (or, from another session, during) a statement,
 * and which files have changed; starts probes.
 */
struct look {
    struct db *db; /* to ask */
    int pid;       /* of whom */
    size_t session;
    size_t statement;   /* index of the one that took what is new */
    int64_t started_us; /* of it, without observing */
    int64_t ended_us;
    bool is_seen; /* from outside */
    bool is_truncate;
};
bool locks_look(struct observation *observation, const struct look *look) MUST_CHECK;

/* A failure or a savepoint gave locks back: what the session does not hold any more is released. */
bool locks_look_again(struct observation *observation, const struct look *look) MUST_CHECK;

/* The session's transaction has ended: its locks are told. */
void locks_release(struct observation *observation, size_t session, int64_t end_us);

/* Compares the relations with what was there: after a statement alone, and at the end. */
bool locks_compare(struct observation *observation, size_t statement) MUST_CHECK;
bool locks_end(struct observation *observation) MUST_CHECK;

/* ---- probe.c ---- */

bool probes_open(struct observation *observation) MUST_CHECK;

/* Sends readers and writers after a table whose lock does not let them pass. */
bool probes_start(struct observation *observation, size_t held) MUST_CHECK;

/*
 * Takes what was granted and ends it at once; waits at most so long for those of a session and for
 * those whose lock is released already.
 */
bool probes_take(struct observation *observation, size_t session, int64_t wait_us) MUST_CHECK;

/* After the end of the session's transaction: what is not granted soon waits for somebody else. */
bool probes_settle(struct observation *observation, size_t session) MUST_CHECK;

void probes_close(struct observation *observation);
