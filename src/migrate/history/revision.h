/* One file of a versions folder, read and understood. */
#pragma once

#include "migrate/model/step.h"

/* # pgmend: ignore RULE[, RULE …] [-- reason]; also in SQL comments; line 0: ignore-file. */
struct ignore {
    const char *rule;
    uint32_t line;
    const char *reason; /* or NULL */
    bool was_used;      /* set by the rules */
};

enum coverage {
    COVERAGE_FULL,    /* every step is known */
    COVERAGE_PARTIAL, /* some is not: the notes say what */
    COVERAGE_NONE,    /* could not be read at all */
};
const char *coverage_name(enum coverage coverage); /* "full", "partial", "none" */

/* Names that tables of conventions give to unnamed constraints; NULL: none. See env.h. */
struct naming;

struct revision {
    size_t index;       /* in history.items: the order in which files were read */
    const char *file;   /* as shown to the user */
    const char *source; /* UTF-8 without BOM; NULL when unreadable */
    size_t length;

    const char *id; /* NULL: no `revision` in the file, which Alembic then refuses */
    struct place id_place;
    struct text_list down; /* down_revision, as written (partial and relative ids too) */
    struct place down_place;
    size_t read_1_8;          /* its place in the order of readdir(3), which Alembic 1.8 reads in */
    bool is_down_unknown;     /* there is one, but it cannot be read statically */
    bool is_down_missing;     /* no down_revision at all: Alembic refuses the file */
    bool is_down_empty_text;  /* down_revision = '': a base in 1.8, KeyError in 1.19 */
    bool is_down_placeholder; /* None with a comment like "replace me" */
    struct text_list depends_on;
    struct place depends_place;
    struct text_list labels;
    const char *unknown; /* why id, down, depends_on or labels could not be read; or NULL */

    const char *message;     /* first line of the docstring, or NULL */
    const char *doc_id;      /* "Revision ID:" of the docstring, or NULL */
    const char *doc_revises; /* "Revises:", or NULL */
    const char *doc_created; /* "Create Date:", or NULL */

    enum body_kind upgrade_body;
    enum body_kind downgrade_body;
    struct place upgrade_place;
    struct place downgrade_place;
    struct steps upgrade;
    struct steps downgrade;
    struct steps module; /* at the top level of the file: would run when Alembic loads it */
    struct notes notes;
    struct {
        struct ignore *items;
        size_t count;
        size_t capacity;
    } ignores;
    enum coverage coverage;
    const char *failure; /* why it could not be read (binary, too large, encoding), or NULL */
};

/*
 * Turns the calls of one file into steps: Alembic's operations, batch operations, SQLAlchemy
 * types' create() and drop(), statements through the bind. { .ctx, .revision, .naming } starts one.
 */
struct lowering {
    struct ctx *ctx;
    struct revision *revision;
    const struct naming *naming; /* or NULL */
    const char *folder;          /* of the file: where relative paths of files it reads begin */
    struct arena *scratch;       /* of what is not needed after the walk; or NULL */
};

/* The host for eval_file(); lowering must stay. */
struct eval_host lowering_host(struct lowering *lowering);

/* After the walk: from here on the revision's steps do not need scratch any more. */
void lowering_end(const struct lowering *lowering);

/*
 * Fills everything from id on, from source and length. Never fails for what is in the file:
 * failure or notes tell. false only for ERR_INTERRUPTED. words, in the context's arena: names that
 * files have in common are kept once; NULL: none.
 */
bool revision_read(struct ctx *ctx, struct revision *revision, const struct naming *naming,
    struct map *words) MUST_CHECK;
