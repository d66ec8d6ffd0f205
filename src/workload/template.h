/*
 * What statements have in common that differ only in their constants. Looking one up costs a pass
 * over the text; libpg_query is asked once a template and once a text of another shape.
 */
#pragma once

#include "base/ctx.h"
#include "base/vec.h"

enum template_kind {
    TEMPLATE_READ,        /* SELECT, VALUES, TABLE, WITH of them: changes nothing by itself */
    TEMPLATE_WRITE,       /* INSERT, UPDATE, DELETE, MERGE, and WITH of them */
    TEMPLATE_TRANSACTION, /* BEGIN, COMMIT, SAVEPOINT … */
    TEMPLATE_SESSION, /* SET, SHOW, DISCARD, LISTEN, PREPARE, and a SELECT of set_config alone */
    TEMPLATE_OTHER,   /* the rest, COPY and CALL too */
    TEMPLATE_UNKNOWN, /* the grammar does not know it, or it was cut off */
};

struct template
{
    uint32_t number; /* of its table, from 0 */
    enum template_kind kind;
    const char *fingerprint; /* sixteen digits of libpg_query; of TEMPLATE_UNKNOWN our own, "x…" */
    const char *text;        /* with $n for constants, comments and outer blanks removed */
    uint16_t param_count; /* highest $n in the text as first seen, before constants were counted */
    bool is_volatile; /* it may change or depend on more than rows: FOR UPDATE, functions that are
                                not known to be immutable or stable; see template.c */
};

struct templates;

/* A table of them; the templates live in the arena, and as long. */
struct templates *templates_new(struct arena *arena);
void templates_free(struct templates *templates); /* the table; not the templates */

/* Constants of a text, in order: where they stand, quotes included. */
struct literal {
    uint32_t start;
    uint32_t end;
    bool is_null; /* never; NULL, TRUE and FALSE are keywords and belong to the template */
};
struct literals {
    struct literal *items;
    size_t count;
    size_t capacity;
};

/*
 * The template of a statement's text of this length, made when it is new. is_cut: the text does not
 * end where the statement does (track_activity_query_size, a truncated log). Literals, if wanted, in
 * the given arena. Never fails: what cannot be read is TEMPLATE_UNKNOWN.
 */
const struct template *templates_find(struct templates *templates, const char *sql, size_t length,
    bool is_cut, struct arena *arena, struct literals *ret_literals);
/*
 * A template that was made before (a trace file): the one of the same kind and text, else a new one that
 * is as given but for its number. Its text need not be SQL that can be read again ("interval $1").
 */
const struct template *templates_add(struct templates *templates, const struct template *like);
size_t templates_count(const struct templates *templates);

/*
 * The value that a literal stands for, without quotes and escapes, as the server would write it:
 * 'it''s', E'\x41', $$text$$, 0042 → 0042 (numbers as they are written, but no leading +). In the arena.
 */
const char *literal_text(struct arena *arena, const char *sql, const struct literal *literal);
