#include "load/scenario/scope.h"

#include "load/scenario/world_part.h"

enum { MOST_TAKEN = 4096 };

void
load_cell_set(struct arena *arena, struct load_cell *cell, const char *data, size_t length)
{
    if (length > cell->capacity) {
        cell->capacity = (uint32_t)(length < 32 ? 32 : length * 3 / 2);
        cell->data = arena_alloc(arena, cell->capacity);
    }
    if (length > 0)
        memmove(cell->data, data, length);
    cell->length = (uint32_t)length;
}

/* Variables begin with what they were defined as, or with NULL. */
static void
set_variables(struct load_scope *scope)
{
    const struct load_world *world = scope->world;

    for (size_t i = 0; i < world->variables.count; i++) {
        const struct load_variable *variable = world->variables.items[i];

        if (variable->is_assigned)
            scope->variables[variable->index] = variable->constant;
    }
}

struct load_scope *
load_scope_new(
    struct arena *arena, const struct load_scenario *scenario, uint32_t number, uint64_t seed)
{
    struct load_scope *scope = ARENA_NEW(arena, struct load_scope);
    struct load_world *world = scenario->world;

    scope->world = world;
    scope->arena = arena;
    scope->number = number;
    scope->users = scenario->users > 0 ? (uint32_t)scenario->users : 1;
    /* Neighbours must not have the same numbers one step apart: seeds are far from each other. */
    load_scope_seed(
        scope, seed * UINT64_C(0xd1342543de82ef95) + number * UINT64_C(0x2545f4914f6cdd1d));
    if (world->assigned > 0) {
        scope->variables = ARENA_ARRAY(arena, struct load_value, world->assigned);
        scope->texts = ARENA_ARRAY(arena, struct load_cell, world->assigned);
        set_variables(scope);
    }
    if (world->tables.count > 0)
        scope->rows = ARENA_ARRAY(arena, size_t, world->tables.count);
    if (world->slots.count > 0) {
        scope->slots = ARENA_ARRAY(arena, struct load_cell, world->slots.count);
        scope->filled = ARENA_ARRAY(arena, bool, world->slots.count);
    }
    return scope;
}

void
load_scope_renew(struct load_scope *scope)
{
    scope->person++;
    for (size_t i = 0; i < scope->world->slots.count; i++)
        scope->filled[i] = false;
    set_variables(scope);
}

static void
assign(struct load_scope *scope, const struct load_assignment *assignment)
{
    size_t index = assignment->variable->index;
    struct load_value value;

    if (!load_evaluate(assignment->expression, scope, &value)) {
        scope->broken = scope->problem;
        scope->place = assignment->where;
        return;
    }
    if (value.kind == VALUE_TEXT) {
        load_cell_set(scope->arena, &scope->texts[index], value.text, value.length);
        value.text = scope->texts[index].data;
    }
    scope->variables[index] = value;
}

void
load_scope_begin(struct load_scope *scope, const struct load_step *step)
{
    for (size_t i = 0; i < scope->world->tables.count; i++)
        scope->rows[i] = 0;
    scope->broken = NULL;
    scope->problem = NULL;
    scope->place = NULL;
    for (size_t i = 0; i < step->assignment_count && !scope->broken; i++)
        assign(scope, &scope->world->assignments.items[step->first_assignment + i]);
}

void
load_scope_take(struct load_scope *scope, size_t slot, const char *data, size_t length)
{
    load_cell_set(
        scope->arena, &scope->slots[slot], data, length < MOST_TAKEN ? length : MOST_TAKEN);
    scope->filled[slot] = true;
}

const char *
load_scope_problem(const struct load_scope *scope)
{
    return scope->problem;
}

const char *
load_scope_reason(const struct load_scope *scope)
{
    struct load_world *world = scope->world;
    struct load_reason reason = { .place = scope->place, .problem = scope->problem };

    /* That there is no value is nobody's mistake, and names what it is of. */
    if (!reason.problem || !reason.place || scope->is_missing)
        return reason.problem;
    for (size_t i = 0; i < world->reasons.count; i++)
        if (world->reasons.items[i].place == reason.place &&
            text_equal(world->reasons.items[i].problem, reason.problem))
            return world->reasons.items[i].text;
    reason.text = arena_printf(world->arena, "%s: %s", reason.place, reason.problem);
    VEC_PUSH(world->arena, &world->reasons, reason);
    return reason.text;
}
