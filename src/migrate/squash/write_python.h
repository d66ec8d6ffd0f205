/*
 * Python as a careful person writes it: calls that are on one line where they fit, with one
 * argument a line where not; and texts that come out of SQLAlchemy as they went in.
 */
#pragma once

#include "base/text.h"
#include "base/vec.h"

/* A call, a list, or a leaf: a name, a number, a text. */
struct py {
    const char *text;  /* of a leaf; else what stands before the bracket: "name=sa.Column" */
    const char *value; /* of a text that may be cut into several lines; else NULL */
    char open;         /* '(' or '['; 0: a leaf */
    bool is_spread;    /* one argument a line in any case */
    struct {
        struct py **items;
        size_t count;
        size_t capacity;
    } args;
};

struct py *py_leaf(struct arena *arena, const char *text);
struct py *py_call(struct arena *arena, const char *function);
struct py *py_sequence(struct arena *arena);

/* Appends an argument; name: of the keyword, or NULL. */
void py_add(struct arena *arena, struct py *call, const char *name, struct py *argument);

/* Shorthands for arguments that are a text. */
void py_add_string(struct arena *arena, struct py *call, const char *name, const char *text);

/* Writes it from a line that is indented already; ends without a newline. */
void py_write(struct buffer *out, const struct py *node, size_t indent);

/* A text as a literal on one line: "it's", 'say "hi"'. */
const char *py_literal(struct arena *arena, const char *text);

/*
 * The text for sa.text(), so that SQLAlchemy sees no bind parameters in it and takes no backslash
 * away; percent signs it cares for itself. NULL where that cannot be said (a colon on either side
 * of a word of letters beyond ASCII).
 */
const char *py_escape_sql(struct arena *arena, const char *sql);

/*
 * op.execute(…) for a statement, indented by four; long ones between triple quotes. What is in
 * the statement's own literals stays as it is, byte for byte. ret_needs_sa: it mentions sa.
 */
const char *py_execute(struct arena *arena, const char *sql, bool *ret_needs_sa);

/* Behind the quoted text, name or dollar-quoted body that begins here; else text + 1. */
const char *py_skip_sql(const char *text);
