/* Which row of its values a request has. */
#include <inttypes.h>

#include "load/scenario/world_part.h"

enum { MOST_KEY = 256 };

/* The rows that match this user's value; NULL: none. */
static struct load_part *
part_of(const struct load_table *table, struct load_scope *scope)
{
    struct load_value value;
    char key[MOST_KEY];

    if (!load_evaluate(table->match, scope, &value))
        return NULL;
    if (value.kind == VALUE_INTEGER)
        (void)snprintf(key, sizeof(key), "%" PRId64, value.integer);
    else if (value.kind == VALUE_TEXT && value.length < sizeof(key))
        (void)snprintf(key, sizeof(key), "%.*s", (int)value.length, value.text);
    else
        return NULL;
    return map_get(&table->parts, key);
}

static size_t
in_turn(size_t *next, size_t count)
{
    size_t row = *next < count ? *next : 0;

    *next = row + 1;
    return row;
}

static size_t
pick(const struct load_table *table, struct load_scope *scope, size_t *next, size_t count)
{
    switch (table->pick) {
    case PICK_UNIFORM:
        return (size_t)load_scope_range(scope, 0, (int64_t)count - 1);
    case PICK_ZIPF:
        return (size_t)load_scope_zipf(scope, count, table->zipf) - 1;
    case PICK_OWN:
        return (size_t)((scope->number + (uint64_t)scope->person * scope->users) % count);
    case PICK_IN_TURN:
        return in_turn(next, count);
    }
    return 0;
}

bool
load_table_row(struct load_table *table, struct load_scope *scope, size_t *ret)
{
    struct load_part *part = NULL;

    scope->problem = NULL;
    if (scope->rows[table->index] > 0) {
        *ret = scope->rows[table->index] - 1;
        return true;
    }
    if (table->match && !(part = part_of(table, scope)))
        return false;
    if (!part && table->rows == 0)
        return false;
    *ret = part ? part->first + pick(table, scope, &part->next, part->count)
                : pick(table, scope, &table->next, table->rows);
    scope->rows[table->index] = *ret + 1;
    return true;
}
