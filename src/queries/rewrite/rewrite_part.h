/* The parts that the forms are put together from; for this folder only. */
#pragma once

#include "queries/rewrite/rewrite.h"
#include "queries/rewrite/shape.h"

/* A $n of the loop's statement. */
struct rewrite_slot {
    uint32_t type;
    bool has_array;
    bool is_array;
    bool is_key;
    int32_t column; /* of the parent that the key is from, -1: not known */
};

/* A statement of the loop, as it is understood. */
struct rewrite_piece {
    const char *name;   /* "the parent", "child 2" */
    int32_t child;      /* from 0; -1: the parent */
    struct shape shape; /* of loop->sql */
    struct rewrite_loop *loop;
    struct rewrite_slot *slots;       /* of loop->params */
    const struct query_slot *origins; /* the input's */
    size_t key_count;                 /* of slots that are the key */
    bool is_of_key; /* all of them are of the input's key column, or of the one value that varies */
    bool has_aggregate; /* among its outputs */
    bool may_gather;    /* as has_aggregate; or one that only may be, or a window function */
    enum shape_rows rows;
    const char *refusal; /* it cannot be batched, and why; NULL: it can */
    bool is_unsafe;      /* and what stands around it neither: it does more than read */
};

struct rewriting {
    struct ctx *ctx;
    struct db *db;
    const struct rewrite_input *input;
    struct rewrite_piece parent; /* loop is NULL: none */
    struct rewrite_piece *children;
    struct rewrites *ret;
};

/* rewrite_server.c: what only the server knows, each in a read-only transaction of its own. */
struct rewrite_type {
    uint32_t type;
    const char *name;
    bool has_array;
    bool is_array;
    bool is_number;
};
struct rewrite_types {
    struct rewrite_type *items;
    size_t count;
    size_t capacity;
};
struct rewrite_equality {
    bool is_default;
    bool is_exact;
};
/* The types of its parameters; the server's error when it does not take the statement. */
bool rewrite_ask_types(struct ctx *ctx, struct db *db, const char *sql, struct rewrite_types *ret)
    MUST_CHECK;
bool rewrite_ask_columns(struct ctx *ctx, struct db *db, struct rewrite_loop *loop) MUST_CHECK;
/* What it calls: sets has_aggregate, rows and refusal of the piece. */
bool rewrite_ask_calls(struct ctx *ctx, struct db *db, struct rewrite_piece *piece) MUST_CHECK;
/* Of an output of a statement, compared with a key of this type. */
bool rewrite_ask_equality(struct ctx *ctx, struct db *db, const struct rewrite_loop *loop,
    size_t column, uint32_t key_type, struct rewrite_equality *ret) MUST_CHECK;
/* Whether the collation of an output is the database's own, or none. */
bool rewrite_ask_collation(struct ctx *ctx, struct db *db, const struct rewrite_loop *loop,
    size_t column, bool *ret_is_default) MUST_CHECK;

/* rewrite_piece.c */
bool rewrite_read_piece(struct rewriting *rewriting, const char *sql,
    const struct query_slot *slots, size_t slot_count, struct rewrite_piece *piece) MUST_CHECK;

/* rewrite_text.c: a statement in the making, with its parameters and the names in it. */
struct rewrite_writing {
    struct rewriting *rewriting;
    struct rewrite rewrite;
    bool has_keys; /* $1 are the keys */
    VEC(struct rewrite_param) params;
    VEC(struct rewrite_column) columns;
    struct text_list names; /* of the result, each once */
    size_t seen_from; /* columns that are added now are seen by the children from this one on */
};
struct rewrite_writing rewrite_writing_new(struct rewriting *rewriting, enum rewrite_form form);
/* A name that nothing in the loop's statements can mean, as it is or with "_" behind it. */
const char *rewrite_free_name(struct rewriting *rewriting, const char *wanted);
/* A name for a column of ours that the children see: no table of theirs is called so. */
const char *rewrite_inner_name(struct rewriting *rewriting, const char *wanted);
/* Adds a column to the result, under its name or, when that is taken, "name_2"; quoted. */
const char *rewrite_add_column(struct rewrite_writing *writing, const struct rewrite_column *like);
/* Adds one of ours, whose name is kept free: "key_ord", "has_1". */
void rewrite_add_number(struct rewrite_writing *writing, const char *name);
void rewrite_add_truth(struct rewrite_writing *writing, const char *name);
const char *rewrite_has_name(struct arena *arena, const struct rewrite_piece *piece);
/* The piece's text; each key parameter becomes the text at its slot, NULL: it stays. */
const char *rewrite_piece_text(
    struct rewrite_writing *writing, const struct rewrite_piece *piece, const char *const *keys);
/* "$3::integer" for one of its parameters. */
const char *rewrite_value_text(struct rewrite_writing *writing, const struct rewrite_piece *piece,
    const struct shape_param *param);
/* The element of a key: "k.key", with a cast when the slot is of another type. */
const char *rewrite_key_text(struct arena *arena, const char *name, uint32_t type,
    const struct rewrite_piece *piece, size_t slot);
/* Lets the server look at it, and adds it to the results or to the refused. */
bool rewrite_end(struct rewrite_writing *writing) MUST_CHECK;
void rewrite_refuse(struct rewriting *rewriting, enum rewrite_form form,
    const struct rewrite_piece *piece, const char *why);

/* The forms. False only when the server cannot be asked. */
bool rewrite_write_any(struct rewriting *rewriting, size_t child) MUST_CHECK;
bool rewrite_write_grouped(struct rewriting *rewriting, size_t child) MUST_CHECK;
bool rewrite_write_lateral(struct rewriting *rewriting) MUST_CHECK;
bool rewrite_write_joined(struct rewriting *rewriting) MUST_CHECK;
