/*
 * Consolidation: a history replaced by a few revisions that make the same database, proven by
 * running both. The steps in their order; each is a file here.
 */
#pragma once

#include "catalog/ddl.h"
#include "catalog/diff.h"
#include "migrate/alembic/alembic.h"
#include "migrate/rules/rules.h"
#include "staging/content.h"
#include "staging/scratch.h"

/* ---- replay.c: a history in a scratch database, by the real Alembic ---- */

/* A statement about rows that the history ran. */
struct squash_data {
    const char *revision;
    struct place place; /* of the step it comes from, when that is known */
    const char *sql;
    const char *tag; /* "UPDATE 0" */
    int64_t rows;    /* 0: a backfill of rows that were not there */
};

/* Which revision made an object first, by its identity ("public.users"). */
struct squash_origin {
    const char *identity;
    const char *revision;
};

/*
 * PostgreSQL words some expressions otherwise once it has read what it wrote itself: CHECK (kind
 * IN ('a')) of a varchar is another text after a dump and a restore, and so in a database that was
 * made from the catalogue's words, without meaning anything else.
 */
struct squash_rewording {
    bool is_known;
    struct differences differences; /* of the schema, from what a restore of its dump gives */
    const char *dump;               /* pg_dump -s of that restore */
};

struct replayed {
    struct scratch scratch;
    struct db *db; /* a session in it */
    struct schema schema;
    struct content content; /* rows and sequences, summed up */
    VEC(struct squash_data) data;
    VEC(struct squash_origin) origins; /* of tables, types, functions, views */
    size_t statements;
    size_t revisions;   /* that it wrote into its version table */
    int64_t alembic_us; /* wall time of Alembic's process */
    int64_t server_us;  /* of its statements, as the relay saw them */
    struct alembic_outcome outcome;
    struct squash_rewording rewording; /* by squash_reword() */
};

struct replay_request {
    const struct alembic *alembic;
    const char *target;           /* "head" or a revision */
    const char *baseline;         /* a pg_dump -s to begin with, or NULL */
    const char *scratch_template; /* a database that has the extensions, or NULL */
    const char *bin_folder;       /* of psql, or NULL */
    const struct graph *graph;
    bool is_first; /* nothing was run yet: alembic_probe() before it */
};

/*
 * Creates the scratch database on the server of db and runs the history in it. When the history
 * fails: ERR_FAILED by alembic_failure(), ret->outcome says where, nothing stays on the server.
 * replayed_end() closes and drops.
 */
bool squash_replay(struct ctx *ctx, struct db *db, const struct replay_request *request,
    struct replayed *ret) MUST_CHECK;
void replayed_end(struct replayed *replayed);

/* ---- reword.c: texts that differ and mean the same ---- */

/*
 * Restores pg_dump's text of the replayed database into another scratch database and compares;
 * nothing of it stays. Where that cannot be done no rewording is known, which is no error.
 */
bool squash_reword(struct ctx *ctx, struct db *db, const char *scratch_template,
    const char *bin_folder, struct replayed *replayed) MUST_CHECK;

/*
 * Takes away the differences (of some database, from the replayed one) that are only the server's
 * own rewording; a sentence for each in ret_forgiven.
 */
void squash_forgive_wording(struct arena *arena, const struct squash_rewording *rewording,
    struct differences *differences, struct text_list *ret_forgiven);

/* ---- group.c: which objects go into which revision ---- */

enum squash_grouping { GROUP_BY_DOMAIN, GROUP_BY_PERIOD, GROUP_BY_FILE };

struct squash_group {
    const char *slug;        /* "users_and_access": of the file name */
    const char *title;       /* "users and access" */
    struct ddl_refs objects; /* in the order in which they are made */
    bool has_seeds;          /* rows and sequence values come at the end of this one */
};

struct squash_plan {
    VEC(struct squash_group) groups; /* in order; the last one has the old head's id */
};

struct squash_group_options {
    enum squash_grouping by;
    size_t target; /* revisions wanted, 1 or more; fewer where there is less to do */
    const struct history *history;
    const struct graph *graph;
    const struct squash_origin *origins;
    size_t origin_count;
    const char *version_table; /* "public.alembic_version": Alembic makes it itself */
};

/*
 * Every object of the schema but Alembic's own table is in exactly one group, after all that it
 * rests on: extensions, types and functions first; tables along foreign keys and by what they are
 * about; foreign keys that point forward, views, triggers and policies after their tables; indexes
 * last.
 */
bool squash_group(struct ctx *ctx, const struct schema *schema,
    const struct squash_group_options *options, struct squash_plan *ret) MUST_CHECK;

/* ---- seed.c: the rows that the history itself put into the empty database ---- */

struct seed_table {
    const char *schema;
    const char *name;
    struct text_list columns; /* that are written; generated ones are not */
    size_t rows;
    bool has_identity_always;  /* needs OVERRIDING SYSTEM VALUE */
    VEC(const char *) cells;   /* rows * columns SQL literals ('it''s', NULL, true, 12) */
    struct text_list unstable; /* columns whose values differ from run to run (now(), random) */
};
struct seed_sequence {
    const char *schema;
    const char *name;
    int64_t last_value;
    bool is_called;
};
struct seeds {
    VEC(struct seed_table) tables;       /* in an order that foreign keys allow */
    VEC(struct seed_sequence) sequences; /* that do not stand at their start */
    struct text_list left_out;           /* what could not be carried over, a sentence each */
};

/*
 * Reads the rows of every table that is not empty, without Alembic's own. again, a second replay
 * of the same history (NULL: none was made), shows which values are not the same twice.
 */
bool squash_seeds(struct ctx *ctx, const struct replayed *replayed, const struct replayed *again,
    const char *version_table, struct seeds *ret) MUST_CHECK;

/* ---- write.c: the new revision files ---- */

struct squash_file {
    const char *name; /* "0001_extensions_and_types.py" */
    const char *id;
    const char *down; /* NULL: the first */
    const char *title;
    const char *text;
    size_t operations; /* op.create_table(…) and the like */
    size_t statements; /* op.execute(…) */
};
struct squash_files {
    struct squash_file *items;
    size_t count;
    size_t capacity;
};

struct squash_write_options {
    const char *head;      /* id of the old head, which the last file keeps */
    const char *head_file; /* its file name in the old folder */
    size_t replaced;       /* revisions that these files stand for */
    const char *created;   /* "2026-11-22 20:00:00": for the docstring; or NULL */
    bool sql_only;         /* op.execute() for everything */
};

/*
 * Writes each group as a revision: op.create_table() and friends where they say exactly the same,
 * op.execute() where not; every name explicit; a downgrade that takes it back.
 */
bool squash_write(struct ctx *ctx, const struct schema *schema, const struct squash_plan *plan,
    const struct seeds *seeds, const struct squash_write_options *options, struct squash_files *ret)
    MUST_CHECK;

/* ---- prove.c: old and new are the same ---- */

struct squash_proof {
    size_t old_revisions;
    size_t new_revisions;
    size_t old_statements;
    size_t new_statements;
    int64_t old_server_us;
    int64_t new_server_us;
    int64_t old_alembic_us; /* wall time of one run from empty to head */
    int64_t new_alembic_us;
    size_t compared[SCHEMA_CLASS_COUNT]; /* objects of each class in the old schema */
    size_t compared_tables_with_rows;
    int64_t compared_rows;
    size_t compared_sequences;
    struct differences differences; /* of B from A: all must be none */
    struct text_list row_differences;
    struct differences down_differences;  /* what down to base leaves behind */
    struct differences again_differences; /* of B after up, down, up, from A */
    bool is_dump_equal;                   /* pg_dump -s of both, byte for byte */
    const char *dump_difference;          /* the first line that differs, or NULL */
    int64_t down_us;
    int64_t up_again_us;
    const char *old_digest; /* schema_digest() */
    const char *new_digest;
    const char *old_tree; /* SHA-256 over names and contents of the old folder's files */
    const char *new_tree;
    const char *server_version;
    const char *alembic_version;
    struct text_list not_compared; /* classes that are not compared, in words */
    struct text_list reworded;     /* what differs in the server's own wording only */
};

struct squash_proof_request {
    const struct alembic *alembic; /* its .versions is the new folder */
    const struct replayed *old;
    const struct seeds *seeds;
    const char *old_folder;
    const char *new_folder;
    const char *head;
    const char *version_table;
    const char *scratch_template;
    const char *bin_folder; /* of pg_dump */
};

/*
 * Runs the new folder in a scratch database B up, down to base and up again, and compares. True
 * also when there are differences: squash_proof_is_good() tells. ret_new stays open for further
 * comparisons (data proof); replayed_end() is the caller's.
 */
bool squash_prove(struct ctx *ctx, struct db *db, const struct squash_proof_request *request,
    struct squash_proof *ret, struct replayed *ret_new) MUST_CHECK;
bool squash_proof_is_good(const struct squash_proof *proof);

/* ---- drift.c: the target, read-only ---- */

struct squash_drift {
    const char *label; /* of the database */
    const char *server_version;
    struct text_list revisions;     /* in its alembic_version */
    struct differences differences; /* of it from A, without pgmend's own */
    struct text_list accepted;      /* what was left out because pgmend's journal has it */
};

/*
 * Compares the database of db with A. What pgmend applied there and did not undo, by its journal,
 * is no drift. Owners are not compared; rights only where the history grants any.
 */
bool squash_find_drift(struct ctx *ctx, struct db *db, const struct schema *wanted,
    const char *version_table, struct squash_drift *ret) MUST_CHECK;

/* ---- place.c: all old or all new ---- */

struct squash_place {
    const char *folder;  /* the version folder */
    const char *archive; /* beside it: versions_archive/<head>/ */
};

/*
 * Heals what an interrupted run left (a sentence for each in ret_notes), takes the folder's lock
 * (ERR_LOCKED names who has it) and refuses folders with changes that git does not know, unless
 * allow_changes. squash_place_end() gives the lock back.
 */
struct squash_place_lock {
    int fd;
};
bool squash_place_begin(struct ctx *ctx, const char *folder, bool allow_changes,
    struct squash_place_lock *ret, struct text_list *ret_notes) MUST_CHECK;
void squash_place_end(struct squash_place_lock *lock);

/*
 * Whether the version folder can be exchanged at all: one folder, no volume of its own, writable,
 * and Alembic will not find the archive. To be asked before hours of work.
 */
bool squash_place_check(struct ctx *ctx, const struct environment *environment) MUST_CHECK;

/*
 * Puts the files into the place of the folder's revisions in one atomic exchange of folders; what
 * else is in the folder comes along. The old folder becomes the archive as it is, byte for byte,
 * with a manifest <archive>.json beside it; <archive>.report.md, .report.html and .proof.json are
 * for the caller, and go with an undo. The lock is the caller's. When it fails the folder is as it
 * was.
 */
bool squash_place(struct ctx *ctx, const struct environment *environment,
    const struct squash_files *files, const char *head, struct squash_place *ret) MUST_CHECK;

/*
 * Puts the archived folder back, byte for byte; the consolidated files, manifest and reports are
 * dropped. ERR_CONFLICT when the archive or the folder is not as the consolidation left it. The
 * lock is the caller's.
 */
bool squash_undo(struct ctx *ctx, const struct environment *environment, const char *archive,
    struct squash_place *ret) MUST_CHECK;

/* The archives beside a version folder, newest first: their paths. */
bool squash_archives(struct ctx *ctx, const struct environment *environment, struct text_list *ret)
    MUST_CHECK;

/* ---- databases.c: where every database stands ---- */

struct squash_database {
    const char *label;
    struct text_list revisions;
    bool is_at_head;
    bool is_known;    /* every revision is in the old history */
    bool is_empty;    /* no version table, or no row in it */
    const char *todo; /* what to run first, or NULL */
};

/* Reads alembic_version through db. */
bool squash_ask_database(struct ctx *ctx, struct db *db, const struct environment *environment,
    const struct graph *graph, const char *head, struct squash_database *ret) MUST_CHECK;

/* ---- repair.c: a history that cannot be replayed ---- */

struct squash_repair {
    const char *what; /* "re-parent add_assistants_table onto 3d1f0a6c2b90" */
    const char *diff; /* unified diff of one file */
};
struct squash_repairs {
    struct squash_repair *items;
    size_t count;
    size_t capacity;
    bool is_proven; /* with all of them a replay in a scratch database went through */
};

/*
 * Proposes the smallest repair: what Alembic cannot load first (re-parent, merge), then statement
 * after statement that fails (guards). Works on a copy of the folder in work; the user's own is
 * not touched. history and outcome: as the failing run left them.
 */
bool squash_repair(struct ctx *ctx, struct db *db, const struct replay_request *request,
    const struct analysis *analysis, const struct alembic_outcome *outcome,
    struct squash_repairs *ret) MUST_CHECK;

/*
 * Whether the history has several heads, or none, because it is broken (a missing parent, an id
 * used twice, a circle, a placeholder, a merge that merges nothing): then merging heads is no
 * answer, squash_repair() is, also without a failed run (outcome NULL).
 */
bool squash_is_misshapen(const struct analysis *analysis);

/* The revision that merges all heads, as Alembic's merge writes it, with an id of its own. */
bool squash_merge_heads(struct ctx *ctx, const struct analysis *analysis, struct squash_file *ret)
    MUST_CHECK;

/* ---- undecided.c: what one run cannot speak for ---- */

/*
 * Statements of the history whose effect may be another one elsewhere: they depend on the
 * environment, on the application's models, on files outside the project, or on rows. A sentence
 * each, "file:line: what", with the file below its version folder. What the replay ran and what
 * depends on nothing but the schema is decided by the replay.
 */
bool squash_undecided(struct ctx *ctx, const struct analysis *analysis, struct text_list *ret)
    MUST_CHECK;

/* ---- report.c ---- */

struct squash_result {
    const struct analysis *analysis;
    const struct replayed *old;
    const struct squash_plan *plan;
    const struct seeds *seeds;
    const struct squash_files *files;
    const struct squash_proof *proof;
    const struct squash_drift *drift;        /* NULL: no --db-url */
    const struct squash_database *databases; /* asked for their revision */
    size_t database_count;
    const struct squash_place *place; /* NULL: not put in place */
    const char *data_proof;           /* a sentence, or NULL */
    struct text_list undecided;       /* statements that wait for the user */
};

void squash_report_markdown(struct arena *arena, FILE *out, const struct squash_result *result);
void squash_report_html(struct ctx *ctx, FILE *out, const struct squash_result *result);
json_t *squash_report_json(struct arena *arena, const struct squash_result *result);
