#include "load/scenario/world.h"

#include <ctype.h>

#include "base/clock.h"
#include "load/scenario/world_part.h"

struct load_world *
load_world_new(struct arena *arena)
{
    struct load_world *world = ARENA_NEW(arena, struct load_world);
    int64_t now_us = clock_wall_us();

    world->arena = arena;
    world->scratch = arena_alloc(arena, SCRATCH_BYTES);
    /* By the clock, so that no run has the numbers of another one: 1,000,000 a second are free. */
    world->unique = now_us;
    world->started_s = now_us / 1000000;
    return world;
}

struct load_variable *
load_world_find(const struct load_world *world, const char *name)
{
    for (size_t i = 0; i < world->variables.count; i++)
        if (text_equal(world->variables.items[i]->name, name))
            return world->variables.items[i];
    return NULL;
}

struct load_table *
load_world_table(const struct load_world *world, const char *name)
{
    for (size_t i = 0; i < world->tables.count; i++)
        if (text_equal(world->tables.items[i]->name, name))
            return world->tables.items[i];
    return NULL;
}

static bool
is_name(const char *text)
{
    if (!*text || isdigit((unsigned char)*text))
        return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_' && (unsigned char)*c < 0x80)
            return false;
    return true;
}

bool
load_name_check(struct ctx *ctx, const char *name, const char *where)
{
    if (is_name(name))
        return true;
    error_set(ctx, ERR_INPUT, "%s: \"%s\" is no name", where, name);
    return error_hint(ctx, "Names are letters, digits and \"_\", and begin with no digit.");
}

static struct load_variable *
add_variable(struct load_world *world, const char *name)
{
    struct load_variable *variable = load_world_find(world, name);

    if (variable)
        return variable;
    variable = ARENA_NEW(world->arena, struct load_variable);
    variable->name = arena_strdup(world->arena, name);
    VEC_PUSH(world->arena, &world->variables, variable);
    return variable;
}

bool
load_world_define(struct ctx *ctx, struct load_world *world, const char *name, const char *value)
{
    if (!is_name(name)) {
        error_set(ctx, ERR_USAGE, "\"%s\" is no name that a value can have", name);
        return error_hint(ctx, "Names are letters, digits and \"_\", and begin with no digit.");
    }

    struct load_value text = load_value_of_text(arena_strdup(world->arena, value));
    struct load_value number = load_value_number(&text);

    add_variable(world, name)->constant = number.kind == VALUE_INTEGER ? number : text;
    if (text_equal(name, "default_seed") && number.kind == VALUE_INTEGER)
        world->seed = number.integer;
    return true;
}

bool
load_world_miss(struct load_world *world, const char *name, const char *place)
{
    struct load_missing missing = {
        .name = arena_strdup(world->arena, name),
        .place = arena_strdup(world->arena, place),
    };

    if (!world->gathers)
        return false;
    add_variable(world, name)->is_used = true;
    VEC_PUSH(world->arena, &world->missing, missing);
    return true;
}

bool
load_world_assign(struct ctx *ctx, struct load_world *world, const char *name,
    const char *expression, const char *where)
{
    struct load_assignment assignment = { .where = arena_strdup(world->arena, where) };

    if (!load_name_check(ctx, name, where) ||
        !load_expression_compile(ctx, world, expression, where, &assignment.expression))
        return false;
    for (size_t i = 0; i < world->slots.count; i++) {
        if (!text_equal(world->slots.items[i].name, name))
            continue;
        error_set(ctx, ERR_INPUT, "%s: \"%s\" is already taken from answers", where, name);
        return error_hint(ctx, "Give one of the two another name.");
    }

    struct load_variable *variable = add_variable(world, name);

    if (!variable->is_assigned) {
        variable->is_assigned = true;
        variable->index = world->assigned++;
    }
    assignment.variable = variable;
    VEC_PUSH(world->arena, &world->assignments, assignment);
    return true;
}

size_t
load_world_assignments(const struct load_world *world)
{
    return world->assignments.count;
}

size_t
load_world_slot(struct load_world *world, const char *name)
{
    struct load_slot slot = { .name = arena_strdup(world->arena, name) };

    for (size_t i = 0; i < world->slots.count; i++)
        if (text_equal(world->slots.items[i].name, name))
            return i;
    slot.problem = arena_printf(world->arena, "\"%s\" was not taken from any answer yet", name);
    VEC_PUSH(world->arena, &world->slots, slot);
    return world->slots.count - 1;
}

bool
load_world_add_table(struct ctx *ctx, struct load_world *world, const char *name, const char *where,
    struct load_table **ret)
{
    struct load_table *table = ARENA_NEW(world->arena, struct load_table);

    if (!load_name_check(ctx, name, where))
        return false;
    table->name = arena_strdup(world->arena, name);
    table->index = world->tables.count;
    table->parts.arena = world->arena;
    table->problem = arena_printf(world->arena, "[values %s] has no row for this user", name);
    VEC_PUSH(world->arena, &world->tables, table);
    *ret = table;
    return true;
}
