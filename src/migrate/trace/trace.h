/*
 * A history run by the user's own Alembic, a revision at a time, on a database that is made for it
 * and dropped, and what each revision really did there.
 */
#pragma once

#include "finding/render.h"
#include "migrate/alembic/alembic.h"
#include "migrate/model/effect.h"
#include "migrate/rules/rules.h"

struct trace_progress {
    void *self;
    /* Before each step of a revision: "upgrade", "downgrade"; done and total count revisions. */
    void (*show)(void *self, const char *doing, const char *revision, size_t done, size_t total);
};

struct trace_options {
    const char *from; /* begin after this one; NULL: at the base, or where the copy stands */
    const char *to;   /* NULL: every head */
    const char *copy; /* a database whose copy is taken; NULL: an empty one */
    const char *scratch_template; /* a database that has the extensions, or NULL */
    bool keep_going;              /* skip revisions that fail */
    bool no_downgrade;
    bool no_probes;
    int64_t hold_limit_us; /* longer is told of a lock that blocks */
    const struct trace_progress *progress;
};

struct trace_statement {
    const char *sql;
    const char *tag; /* NULL: it failed */
    int64_t rows;    /* of the tag; -1: none */
    int64_t us;
    struct place place; /* in the revision's file; file NULL: not certain */
    size_t transaction; /* 1, 2, …; 0: it ran outside of one */
    const char *sqlstate;
    const char *message;
};

#define TRACE_NO_STATEMENT SIZE_MAX

/* A relation by the name it had before the revision, or has after it. */
struct trace_name {
    uint32_t oid;
    const char *schema;
    const char *name;
    char kind; /* as in pg_class.relkind */
};

/* What somebody would have waited who came as the statement began that took the lock. */
enum trace_wait_kind {
    TRACE_WAIT_NONE,     /* the lock lets him pass */
    TRACE_WAIT_MEASURED, /* by a session that waited */
    TRACE_WAIT_COMPUTED, /* from the time the lock was held */
};
struct trace_wait {
    enum trace_wait_kind kind;
    int64_t us;
    const char *error; /* what he got then instead of the table, or NULL */
};

/* On a relation that was there before the revision; a line for each time the mode grew. */
struct trace_lock {
    struct trace_name relation;
    enum lock_mode mode;
    size_t statement; /* that took it: index of statements */
    int64_t held_us;  /* until its transaction ended, without what observing took */
    bool is_seen;     /* outside a transaction: seen from another session, never complete */
    struct trace_wait reader;
    struct trace_wait writer;
};

struct trace_rewrite {
    struct trace_name relation;
    uint32_t file;
    size_t statement;
    bool is_truncate;
};

struct trace_index {
    struct trace_name index;
    const char *table;
    size_t statement;
    int64_t us;           /* of the statement */
    bool is_rebuilt;      /* it was there before */
    bool is_on_new_table; /* which this revision made */
};

struct trace_rows {
    struct trace_name table;
    bool is_new; /* this revision made it */
    int64_t scans;
    int64_t read;
    int64_t inserted;
    int64_t updated;
    int64_t deleted;
};

struct trace_failure {
    const char *message;  /* PostgreSQL's own, or the last line of Python's traceback */
    const char *sqlstate; /* NULL: it was no statement */
    const char *detail;
    const char *hint;
    const char *statement;
    struct place place;
};

enum trace_downgrade_result {
    TRACE_DOWNGRADE_NOT_TRIED,
    TRACE_DOWNGRADE_BACK,    /* the catalogue is what it was */
    TRACE_DOWNGRADE_DIFFERS, /* it is not */
    TRACE_DOWNGRADE_NONE,    /* there is none: it is missing or raises NotImplementedError */
    TRACE_DOWNGRADE_FAILS,
};
const char *trace_downgrade_name(enum trace_downgrade_result result); /* "back", "differs", … */

struct trace_downgrade {
    enum trace_downgrade_result result;
    int64_t us; /* of its statements */
    struct trace_failure failure;
    struct text_list differences; /* what is left otherwise, a sentence each */
    struct text_list statements;  /* that would mend it */
    bool was_again;               /* upgrade was tried after it, as it differs */
    bool is_again_failed;
    struct trace_failure again;
};

struct trace_revision {
    const struct revision *revision;
    bool is_failed;
    bool is_skipped; /* it failed and was stamped all the same */
    struct trace_failure failure;
    VEC(struct trace_statement) statements;
    VEC(struct trace_lock) locks;
    VEC(struct trace_rewrite) rewrites;
    VEC(struct trace_index) indexes;
    VEC(struct trace_rows) rows; /* of transactions that were committed */
    size_t transactions;
    bool has_lone_statements; /* outside a transaction: their locks are only seen */
    bool has_probes_left_out; /* more tables than probing sessions */
    int64_t server_us;        /* of its statements */
    int64_t alembic_us;       /* of Alembic's process, which starts Python each time */
    int64_t wal_bytes;        /* of the whole server meanwhile */
    struct text_list changes; /* of the catalogue: "+ table public.users" */
    struct trace_downgrade downgrade;
};

struct trace {
    const char *server_version;
    const char *alembic_version;
    const char *copy; /* of which database, or NULL */
    const char *from; /* begun after this revision; NULL: an empty history */
    int64_t hold_limit_us;
    VEC(struct trace_revision) revisions;
    size_t wanted; /* how many there were to trace */
    size_t failures;
    bool is_stopped; /* at the last of revisions, which failed */
    struct findings findings;
    struct text_list notes;
    int64_t us;
};

/*
 * Makes the scratch database on the server of db, runs the revisions in it and drops it. A
 * revision that fails is no error: is_stopped or failures tell. ERR_INPUT when from, to and copy
 * do not go together.
 */
bool trace_run(struct ctx *ctx, struct db *db, const struct alembic *alembic,
    const struct analysis *analysis, const struct trace_options *options, struct trace *ret)
    MUST_CHECK;

/* The rules of the findings: observed, so they have no place among those of the text. */
extern const struct rule_group trace_rules;

/* The lock that blocks most on a table that was there, or NULL. */
const struct trace_lock *trace_worst_lock(const struct trace_revision *revision);

/* Tables of rewrites that are no TRUNCATE. */
size_t trace_rewritten_tables(const struct trace_revision *revision);

/* "users", "extra.users". */
const char *trace_label(struct arena *arena, const struct trace_name *name);

/* The longest wait of a reader or writer over all locks; kind NONE: nobody waits. */
struct trace_wait trace_longest_wait(const struct trace_revision *revision, bool is_writer);

/* Everything that was seen, as docs/migrations.md has it. */
void trace_json(FILE *out, const struct trace *trace);

/* A table of the revisions, then the findings; render: of the trace's findings. */
void trace_markdown(FILE *out, const struct trace *trace, const struct render *render);

/* One HTML page that loads nothing; report: of an analysis whose findings are the trace's. */
struct report;
void trace_html(struct ctx *ctx, FILE *out, const struct trace *trace, const struct report *report);
