/* A folder of pgbench scripts as a scenario. */
#include "base/file.h"
#include "base/vec.h"
#include "load/scenario/reading.h"
#include "load/scenario/script.h"

#define ANSWER_LIMIT_US INT64_C(30000000)

static bool
define_all(struct ctx *ctx, struct load_world *world, const struct text_list *defines)
{
    bool has_scale = false;

    for (size_t i = 0; i < defines->count; i++) {
        const char *equals = strchr(defines->items[i], '=');
        const char *name;

        if (!equals || equals == defines->items[i])
            return error_set(ctx, ERR_USAGE, "\"%s\" is not NAME=VALUE", defines->items[i]);
        name = arena_strndup(ctx->arena, defines->items[i], (size_t)(equals - defines->items[i]));
        has_scale |= text_equal(name, "scale");
        if (!load_world_define(ctx, world, name, equals + 1))
            return false;
    }
    /* As pgbench has it for scripts of one's own. */
    return has_scale || load_world_define(ctx, world, "scale", "1");
}

static bool
read_steps(struct ctx *ctx, const char *folder, struct load_scenario *scenario)
{
    VEC(struct load_step) steps = { 0 };
    struct text_list names;

    if (!file_list(ctx, folder, &names))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *file = names.items[i];
        struct load_step step = { 0 };

        if (!text_ends_with(file, ".sql"))
            continue;
        if (!load_script_read(ctx, scenario->world,
                arena_strndup(ctx->arena, file, strlen(file) - strlen(".sql")),
                file_join(ctx->arena, folder, file), &step))
            return false;
        VEC_PUSH(ctx->arena, &steps, step);
    }
    scenario->steps = steps.items;
    scenario->step_count = steps.count;
    if (steps.count > 0)
        return true;
    error_set(ctx, ERR_NOT_FOUND, "no .sql script in \"%s\"", folder);
    return error_hint(ctx, "A script is what pgbench -f runs: \\set lines and SQL statements.");
}

/* All of all scripts at once: who is told one at a time has to try as often. */
static bool
check_missing(struct ctx *ctx, const struct load_world *world)
{
    struct text_list places = { 0 };
    struct text_list names = { 0 };
    struct text_list defines = { 0 };

    for (size_t i = 0; i < world->missing.count; i++) {
        const struct load_missing *missing = &world->missing.items[i];

        text_list_add(ctx->arena, &names, missing->name);
        text_list_add(ctx->arena, &defines, arena_printf(ctx->arena, "-D %s=VALUE", missing->name));
        text_list_add(ctx->arena, &places,
            arena_printf(ctx->arena, "\":%s\" (%s)", missing->name, missing->place));
    }
    if (names.count == 0)
        return true;
    if (names.count == 1)
        error_set(ctx, ERR_INPUT, "%s: nothing defines the variable \":%s\"",
            world->missing.items[0].place, names.items[0]);
    else
        error_set(ctx, ERR_INPUT, "nothing defines these variables: %s",
            text_list_join(ctx->arena, &places, ", "));
    return error_hint(ctx, "Give %s: %s, or a line \"\\set %s EXPRESSION\" before the statement.",
        names.count == 1 ? "it a value" : "each a value", text_list_join(ctx->arena, &defines, " "),
        names.count == 1 ? names.items[0] : "NAME");
}

/* Each script as likely as the others, as fast as the server answers. */
static struct load_group *
one_group(struct arena *arena, size_t step_count)
{
    struct load_group *group = ARENA_NEW(arena, struct load_group);
    size_t *mix = ARENA_ARRAY(arena, size_t, step_count);
    double *until = ARENA_ARRAY(arena, double, step_count);

    for (size_t i = 0; i < step_count; i++) {
        mix[i] = i;
        until[i] = (double)(i + 1) / (double)step_count;
    }
    *group = (struct load_group){
        .name = "clients",
        .users = 1,
        .is_closed = true,
        .think = THINK_NONE,
        .mix = mix,
        .mix_until = until,
        .mix_count = step_count,
    };
    return group;
}

static const char *
last_part(struct arena *arena, const char *path)
{
    size_t length = strlen(path);
    size_t start;

    while (length > 1 && path[length - 1] == '/')
        length--;
    for (start = length; start > 0 && path[start - 1] != '/';)
        start--;
    return start < length ? arena_strndup(arena, path + start, length - start) : path;
}

bool
load_scenario_of_folder(struct ctx *ctx, const char *folder,
    const struct load_scenario_options *options, struct load_scenario *ret)
{
    *ret = (struct load_scenario){
        .name = last_part(ctx->arena, folder),
        .path = folder,
        .kind = LOAD_SQL,
        .limit_us = ANSWER_LIMIT_US,
        .users = 1,
        .world = load_world_new(ctx->arena),
    };
    ret->world->gathers = true;
    if (!define_all(ctx, ret->world, &options->defines) || !read_steps(ctx, folder, ret) ||
        !check_missing(ctx, ret->world) ||
        !reading_check_defines(ctx, options, ret->world, NULL, folder)) {
        error_wrap(ctx, "reading the scripts in \"%s\"", folder);
        return reading_failed(ctx);
    }
    ret->groups = one_group(ctx->arena, ret->step_count);
    ret->group_count = 1;
    return true;
}
