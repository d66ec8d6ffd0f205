/* Which relations a statement names, as its text tells: functions and views that it calls are not looked into. */
#pragma once

#include "base/text.h"
#include "base/vec.h"

struct named_relation {
    const char *schema; /* NULL: the statement does not say */
    const char *name;
};

struct named_relations {
    struct named_relation *items;
    size_t count;
    size_t capacity;
};

/* What a statement is about. */
struct statement_scope {
    struct named_relations relations; /* without the names of WITH */
    bool writes;                      /* INSERT, UPDATE, DELETE or MERGE somewhere in it */
    bool is_parsed;                   /* else the words of its text are all there is */
    const char *text;
};

void statement_scope(struct arena *arena, const char *query, struct statement_scope *ret);

/*
 * Whether it names one of these. A name without schema is taken for any of that name; a text that does not
 * parse names what stands in it as a word.
 */
bool statement_names(const struct statement_scope *scope, const struct named_relations *relations);
