/* What the files repair*.c share. */
#pragma once

#include "lang/python.h"
#include "migrate/squash/squash.h"

/* ---- repair_edit.c: a file of the copy, changed at single places ---- */

struct repair_edit {
    size_t start; /* bytes of the tree's source */
    size_t end;
    const char *text; /* that comes instead */
};

struct repair_file {
    struct arena *arena;
    const char *path;
    const char *text; /* without a byte order mark */
    size_t length;
    bool has_mark;
    const char *newline;
    struct py_tree tree;
    VEC(struct repair_edit) edits;
};

/* ERR_INPUT when the file is no UTF-8 text. */
bool repair_open(struct ctx *ctx, const char *path, struct repair_file *ret) MUST_CHECK;

/* Notes a change; false when it overlaps one that was noted before. */
bool repair_replace(struct repair_file *file, size_t start, size_t end, const char *text);

/* Writes the file with all changes. */
bool repair_save(struct ctx *ctx, struct repair_file *file) MUST_CHECK;

/* The innermost statement on the line, or NULL. */
const struct py_node *repair_statement(const struct repair_file *file, uint32_t line);

/*
 * Puts "header:" (if …, with …) around the statement, and around those that follow it in its block as long
 * as they use what it assigns. False when it does not stand on lines of its own.
 */
bool repair_wrap(struct repair_file *file, const struct py_node *statement, const char *header);

/* Puts a statement on a line of its own before the other one. */
bool repair_before(struct repair_file *file, const struct py_node *statement, const char *text);

/* The name under which a module is imported ("sa" of "sqlalchemy"); an import is added if needed. */
const char *repair_module(struct repair_file *file, const char *module, const char *name);

/* The name of alembic.op in the file. */
const char *repair_op(const struct repair_file *file);

/* Sets a name at the top of the file (down_revision = value); added below revision if missing. */
bool repair_assign(struct repair_file *file, const char *name, const char *value);

const char *repair_text(const struct repair_file *file, const struct py_node *node);

/* What is called: "create_table" of op.create_table(…), or NULL. */
const char *repair_callee(const struct repair_file *file, const struct py_node *call);

/* Argument n, or the keyword (NULL: none); NULL if neither is given. */
const struct py_node *repair_argument(
    const struct repair_file *file, const struct py_node *call, size_t n, const char *keyword);

/* ---- repair.c ---- */

struct repair_change {
    const char *name;      /* below the folder */
    struct text_list what; /* was done to it */
};

struct repair {
    struct ctx *ctx;
    const struct replay_request *request;
    const struct environment *original;
    const char *folder;  /* of the copy */
    struct arena *arena; /* of this round */
    struct analysis now; /* of the copy, as it is */
    bool has_now;
    /* The last change to a statement, which is taken back when it was of no use. */
    struct {
        const char *path;
        const char *text; /* before */
        size_t length;
        size_t notes;
    } last;
    VEC(struct repair_change) changes;
};

/* What one look at the copy came to. */
struct repair_step {
    bool is_done;       /* the copy was changed */
    const char *cannot; /* or why it cannot be: a sentence; or NULL */
};

/* Notes what was done to a file of the copy. */
void repair_note(struct repair *repair, const char *path, const char *what);

/* The file of a path of the copy or of the user's folder, below the folder. */
const char *repair_name(const struct repair *repair, const char *path);

/* ---- repair_copy.c ---- */

/* Copies the version folders into one below Alembic's work folder, and sets repair->folder. */
bool repair_copy(struct repair *repair) MUST_CHECK;

/* "versions" of "/app/migrations/versions/" and of "." */
const char *repair_folder_name(struct arena *arena, const char *path);

/* ---- repair_graph.c ---- */

/* One repair of the shape of the history, or none when Alembic can load it and finds one head. */
bool repair_graph(struct repair *repair, struct repair_step *ret) MUST_CHECK;

/*
 * The revision uses a table that another one makes, which is not before it: puts it behind that
 * one. cannot stays NULL with is_done false when nobody makes it.
 */
bool repair_order(struct repair *repair, const struct revision *revision, const char *table,
    struct repair_step *ret) MUST_CHECK;

/* ---- repair_parent.c ---- */

/* Whether a revision before this one, in the order that Alembic takes, makes the table. */
bool repair_is_made_before(
    const struct repair *repair, const struct revision *revision, const char *table);

/* ---- repair_guard.c ---- */

struct repair_failure {
    struct place place;
    const char *sqlstate; /* "" when it was no statement */
    const char *message;  /* the server's, or Python's */
    const char *sql;      /* or NULL */
    bool was_caught;      /* in Python, so that the place is that of a later statement */
    bool is_expected;     /* by the analysis: guard it or leave it, the order stays */
};

/* Guards the statement of a file, by what went wrong with it. */
bool repair_guard(struct repair *repair, struct repair_file *file, const struct revision *revision,
    const struct repair_failure *failure, struct repair_step *ret) MUST_CHECK;

/*
 * Once a revision had to be guarded, what is known to fail in it in the same way is guarded as
 * well: a revision that was generated against an empty database makes everything again, and each
 * real run costs time.
 */
bool repair_guard_alike(struct repair *repair, struct repair_file *file,
    const struct revision *revision, const struct repair_failure *first) MUST_CHECK;

/* ---- repair_sql.c ---- */

/*
 * Where IF EXISTS, IF NOT EXISTS or OR REPLACE would make SQL text do nothing when the thing of
 * this name (NULL: any) is there (is_there) or is not: *ret_at of the text, which gets *ret_insert.
 */
bool repair_sql(const char *text, size_t length, bool is_there, const char *name, size_t *ret_at,
    const char **ret_insert);

/* What CREATE TYPE, CREATE POLICY and the like make, which know no IF NOT EXISTS: a condition as
 * SQL text that gives a row when it is there; NULL if the text is something else. */
const char *repair_sql_query(
    struct arena *arena, const char *text, size_t length, const char *name);
