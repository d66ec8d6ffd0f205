/* What the sections of a scenario have to be to each other; and each expression is tried once. */
#include <inttypes.h>

#include "load/scenario/reading.h"

/* Slots that are filled at some point of a user's life. */
struct filled {
    bool *slots;
};

static void
fill(struct filled *filled, const struct load_step *step)
{
    for (size_t i = 0; i < step->take_count; i++)
        filled->slots[step->takes[i].slot] = true;
}

/* A script may take from its own statements. */
static bool
is_taken_inside(const struct load_step *step, size_t slot)
{
    for (size_t i = 0; i < step->statement_count; i++)
        for (size_t j = 0; j < step->statements[i].take_count; j++)
            if (step->statements[i].takes[j].slot == slot)
                return true;
    return false;
}

static bool
check_step(struct reading *reading, const struct load_group *group, size_t step,
    const struct filled *filled)
{
    const struct step_notes *notes = &reading->notes.items[step];

    for (size_t i = 0; i < notes->used_count; i++) {
        size_t slot = notes->used[i];

        if (filled->slots[slot] || is_taken_inside(&reading->steps.items[step], slot))
            continue;

        const char *name = reading->world->slots.items[slot].name;

        reading_refuse(reading, notes->line,
            "[request %s] names \"%s\", and users of [users %s] have not taken it by then",
            reading->steps.items[step].name, name, group->name);
        return error_hint(reading->ctx,
            "Let a request before it take it: name one that has \"take = %s from …\" in start.",
            name);
    }
    return true;
}

/* Every value that a step takes from answers has to be there before it. */
static bool
check_group(struct reading *reading, const struct load_group *group)
{
    size_t count = reading->world->slots.count;
    struct filled filled = { .slots = ARENA_ARRAY(reading->ctx->arena, bool, count + 1) };

    for (size_t i = 0; i < group->start_count; i++) {
        if (!check_step(reading, group, group->start[i], &filled))
            return false;
        fill(&filled, &reading->steps.items[group->start[i]]);
    }
    for (size_t i = 0; i < group->mix_count; i++) {
        if (!check_step(reading, group, group->mix[i], &filled))
            return false;
        if (!group->mix_until)
            fill(&filled, &reading->steps.items[group->mix[i]]);
    }
    return true;
}

/* The caps that no scenario may exceed. */
static bool
check_size(struct reading *reading)
{
    struct load_scenario *scenario = reading->scenario;
    double rate = 0;

    for (size_t i = 0; i < reading->groups.count; i++) {
        const struct load_group *group = &reading->groups.items[i];
        double think_us = group->think == THINK_UNIFORM
                              ? (double)(group->think_us + group->think_most_us) / 2
                              : (double)group->think_us;

        scenario->users += group->users;
        rate += group->rate;
        if (group->rate <= 0 && !group->is_closed && think_us > 0)
            rate += group->users * 1e6 / think_us;
    }
    if (scenario->users > LOAD_MOST_USERS) {
        error_set(reading->ctx, ERR_INPUT,
            "%s: the groups have %" PRId64 " users, and the most are %d", reading->file.path,
            scenario->users, LOAD_MOST_USERS);
        return error_hint(reading->ctx, "Lower count in [users …], or --scale.");
    }
    if (rate > LOAD_MOST_RATE) {
        error_set(reading->ctx, ERR_INPUT,
            "%s: the groups ask for %.0f requests a second, and the most are %d",
            reading->file.path, rate, LOAD_MOST_RATE);
        return error_hint(
            reading->ctx, "Lower rate or count in [users …], lengthen think, or lower --scale.");
    }
    return true;
}

/* Where it stands, if that is known, says more than where the request begins. */
static bool
refuse_value(
    struct reading *reading, const char *what, const struct load_scope *scope, int32_t line)
{
    const char *place = scope->is_missing ? NULL : scope->place;
    const char *why = scope->broken ? scope->broken : scope->problem;

    return error_set(reading->ctx, ERR_INPUT, "%s: %s cannot be evaluated: %s",
        place ? place : reading_where(reading, line), what, why);
}

static bool
try_template(struct reading *reading, const struct load_template *template,
    struct load_scope *scope, struct buffer *buffer, int32_t line)
{
    if (!template)
        return true;
    buffer->length = 0;
    if (load_template_write(template, scope, buffer) || scope->is_missing || !scope->problem)
        return true;
    return refuse_value(reading, "an expression", scope, line);
}

/* A request line holds no blanks and no control characters. */
static bool
check_path(struct reading *reading, const struct load_step *step, struct load_scope *scope,
    struct buffer *buffer, int32_t line)
{
    if (!try_template(reading, step->path, scope, buffer, line))
        return false;
    for (size_t i = 0; i < buffer->length; i++)
        if ((unsigned char)buffer->data[i] <= ' ' || buffer->data[i] == 0x7f ||
            (unsigned char)buffer->data[i] >= 0x80) {
            reading_refuse(reading, line,
                "the path of [request %s] holds a blank or a letter that "
                "has to be encoded",
                step->name);
            return error_hint(
                reading->ctx, "Write a blank as %%20; what ${…} gives is encoded already.");
        }
    return true;
}

static bool
try_step(struct reading *reading, size_t index, struct load_scope *scope, struct buffer *buffer)
{
    const struct load_step *step = &reading->steps.items[index];
    int32_t line = reading->notes.items[index].line;

    load_scope_begin(scope, step);
    if (scope->broken && !scope->is_missing)
        return refuse_value(reading, "a \\set line", scope, line);
    if (step->path && !check_path(reading, step, scope, buffer, line))
        return false;
    if (!try_template(reading, step->headers, scope, buffer, line) ||
        !try_template(reading, step->body, scope, buffer, line))
        return false;
    for (size_t i = 0; i < step->statement_count; i++)
        for (size_t j = 0; j < step->statements[i].param_count; j++)
            if (!try_template(reading, step->statements[i].params[j], scope, buffer, line))
                return false;
    return true;
}

/* Mistakes that only values show, such as a division by zero, are shown before the run rather than in it. */
static bool
try_all(struct reading *reading)
{
    struct load_scope *scope = load_scope_new(reading->ctx->arena, reading->scenario, 0, 1);
    struct buffer buffer = { .arena = reading->ctx->arena };

    for (size_t i = 0; i < reading->steps.count; i++)
        if (!try_step(reading, i, scope, &buffer))
            return false;
    for (size_t i = 0; i < reading->world->tables.count; i++)
        reading->world->tables.items[i]->next = 0;
    return true;
}

/* A request that nobody makes is a mistake, most likely in a name. */
static bool
check_use(struct reading *reading)
{
    bool *used = ARENA_ARRAY(reading->ctx->arena, bool, reading->steps.count + 1);

    for (size_t i = 0; i < reading->groups.count; i++) {
        const struct load_group *group = &reading->groups.items[i];

        for (size_t j = 0; j < group->start_count; j++)
            used[group->start[j]] = true;
        for (size_t j = 0; j < group->mix_count; j++)
            used[group->mix[j]] = true;
    }
    for (size_t i = 0; i < reading->steps.count; i++)
        if (!used[i]) {
            reading_refuse(reading, reading->notes.items[i].line, "no users make [request %s]",
                reading->steps.items[i].name);
            return error_hint(
                reading->ctx, "Name it in start, mix or steps of a group, or remove it.");
        }
    return true;
}

static bool
is_named(const struct load_world *world, const char *name)
{
    const struct load_variable *variable = world ? load_world_find(world, name) : NULL;

    /* That one is for hash(), which does not name it. */
    return (variable && variable->is_used) || text_equal(name, "default_seed");
}

bool
reading_check_defines(struct ctx *ctx, const struct load_scenario_options *given,
    const struct load_world *world, const struct load_world *constants, const char *path)
{
    const struct text_list *defines = &given->defines;

    for (size_t i = 0; i < defines->count; i++) {
        size_t length = strcspn(defines->items[i], "=");
        const char *name = arena_strndup(ctx->arena, defines->items[i], length);
        struct text_list others = { 0 };
        const char *nearest;

        if (is_named(world, name) || is_named(constants, name))
            continue;
        for (size_t j = 0; j < world->variables.count; j++)
            if (!text_equal(world->variables.items[j]->name, name))
                text_list_add(ctx->arena, &others, world->variables.items[j]->name);
        error_set(ctx, ERR_USAGE, "-D %s: %s names nothing of this name", defines->items[i], path);
        nearest = reading_nearest(name, others.items, others.count);
        if (nearest)
            return error_hint(ctx, "Did you mean \"%s\"?", nearest);
        return constants ? error_hint(ctx, "Section [defaults] of the file says which there are.")
                         : error_hint(ctx, "A script names it as \":%s\".", name);
    }
    return true;
}

bool
reading_check(struct reading *reading)
{
    if (reading->steps.count == 0) {
        error_set(reading->ctx, ERR_INPUT, "%s: there is no [request NAME]", reading->file.path);
        return error_hint(
            reading->ctx, "Write what is asked for: [request health], path = /health.");
    }
    if (reading->groups.count == 0) {
        error_set(reading->ctx, ERR_INPUT, "%s: there is no [users NAME]", reading->file.path);
        return error_hint(
            reading->ctx, "Write who asks: [users web], count = 100, think = 10s, mix = health.");
    }
    for (size_t i = 0; i < reading->groups.count; i++)
        if (!check_group(reading, &reading->groups.items[i]))
            return false;
    return check_use(reading) && check_size(reading) && try_all(reading);
}
