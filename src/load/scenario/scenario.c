#include "load/scenario/scenario.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "load/scenario/reading.h"

const char *const load_kind_names[] = { "http", "sql" };

enum { DURATION_S = 60, LIMIT_S = 30 };

/* Sections in the order in which they are understood, whatever their order in the file. */
static const struct {
    const char *kind;
    bool (*take)(struct reading *reading, const struct ini_section *section);
    bool has_name;
    bool is_many;
    const char *example;
} kinds[] = {
    { "defaults", reading_defaults, false, false, "[defaults]" },
    { "scenario", reading_scenario, false, false, "[scenario]" },
    { "secrets", reading_secrets, false, false, "[secrets]" },
    { "request", reading_slots, true, true, "[request health]" },
    { "values", reading_values, true, true, "[values users]" },
    { "request", reading_request, true, true, "[request health]" },
    { "users", reading_users, true, true, "[users web]" },
    { "goals", reading_goals, false, false, "[goals]" },
};

static const struct ini_options options = {
    .kind = ERR_CONFIG,
    .example = "[users web]",
    .has_long_values = true,
};

static bool
refuse_kind(struct reading *reading, const struct ini_section *section)
{
    const char *names[COUNT_OF(kinds)];
    const char *nearest;

    if (!*section->title) {
        const struct ini_setting *setting = &section->settings.items[0];

        reading_refuse(reading, setting->line, "\"%s\" stands in no section", setting->name);
        return error_hint(reading->ctx, "Write for example [scenario] above it.");
    }
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        names[i] = kinds[i].kind;
    reading_refuse(reading, section->line, "there is no section [%s]", section->title);
    nearest = reading_nearest(section->kind, names, COUNT_OF(kinds));
    return nearest ? error_hint(reading->ctx, "Did you mean [%s]?", nearest)
                   : error_hint(reading->ctx,
                         "Sections are [scenario], [defaults], [secrets], "
                         "[values NAME], [request NAME], [users NAME] and [goals].");
}

static bool
check_section(struct reading *reading, size_t index)
{
    const struct ini_section *section = &reading->file.sections.items[index];
    size_t kind = 0;

    while (kind < COUNT_OF(kinds) && !text_equal(kinds[kind].kind, section->kind))
        kind++;
    if (kind == COUNT_OF(kinds))
        return refuse_kind(reading, section);
    if (kinds[kind].has_name != (*section->name != '\0')) {
        reading_refuse(reading, section->line,
            kinds[kind].has_name ? "[%s] has no name" : "[%s] has a name, and needs none",
            section->title);
        return error_hint(reading->ctx, "Write for example %s.", kinds[kind].example);
    }
    for (size_t i = 0; i < index; i++) {
        const struct ini_section *other = &reading->file.sections.items[i];

        if (!text_equal(other->kind, section->kind) || !text_equal(other->name, section->name))
            continue;
        reading_refuse(reading, section->line, "section [%s] is in line %" PRId32 " already",
            section->title, other->line);
        return error_hint(reading->ctx, "Put what both say into one of them.");
    }
    return true;
}

static bool
define_given(struct reading *reading)
{
    const struct text_list *defines = &reading->options->defines;
    struct ctx *ctx = reading->ctx;

    for (size_t i = 0; i < defines->count; i++) {
        const char *equals = strchr(defines->items[i], '=');
        const char *name;

        if (!equals)
            return error_set(ctx, ERR_USAGE, "\"%s\" is not NAME=VALUE", defines->items[i]);
        name = arena_strndup(ctx->arena, defines->items[i], (size_t)(equals - defines->items[i]));
        if (!load_world_define(ctx, reading->world, name, equals + 1) ||
            !load_world_define(ctx, reading->constants, name, equals + 1))
            return false;
    }
    return true;
}

static const char *
folder_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? arena_strndup(arena, path, (size_t)(slash - path) + (slash == path)) : ".";
}

/* The file's name without folder and ".ini". */
static const char *
name_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    size_t length = strlen(name);

    return text_ends_with(name, ".ini") ? arena_strndup(arena, name, length - 4) : name;
}

static void
begin(struct reading *reading, const char *path)
{
    struct arena *arena = reading->ctx->arena;
    struct load_scenario *plain = ARENA_NEW(arena, struct load_scenario);

    reading->folder = folder_of(arena, path);
    reading->world = load_world_new(arena);
    reading->constants = load_world_new(arena);
    plain->world = reading->constants;
    reading->plain_scope = load_scope_new(arena, plain, 0, 1);
    *reading->scenario = (struct load_scenario){
        .name = name_of(arena, path),
        .path = path,
        .world = reading->world,
        .duration_us = INT64_C(1000000) * DURATION_S,
        .limit_us = INT64_C(1000000) * LIMIT_S,
    };
}

static bool
read_sections(struct reading *reading)
{
    for (size_t i = 0; i < reading->file.sections.count; i++)
        if (!check_section(reading, i))
            return false;
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++)
        for (size_t i = 0; i < reading->file.sections.count; i++) {
            const struct ini_section *section = &reading->file.sections.items[i];

            if (text_equal(section->kind, kinds[kind].kind) && !kinds[kind].take(reading, section))
                return false;
        }
    return true;
}

static void
finish(struct reading *reading)
{
    struct load_scenario *scenario = reading->scenario;

    scenario->steps = reading->steps.items;
    scenario->step_count = reading->steps.count;
    scenario->groups = reading->groups.items;
    scenario->group_count = reading->groups.count;
    scenario->goals = reading->goals.items;
    scenario->goal_count = reading->goals.count;
}

bool
load_scenario_read(struct ctx *ctx, const char *path, const struct load_scenario_options *given,
    struct load_scenario *ret)
{
    struct reading reading = { .ctx = ctx, .options = given, .scenario = ret };

    begin(&reading, path);
    if (!ini_file_read(ctx, path, &options, &reading.file) || !define_given(&reading) ||
        !read_sections(&reading) || !reading_check(&reading) ||
        !reading_check_defines(ctx, given, reading.world, reading.constants, path))
        return reading_failed(ctx);
    finish(&reading);
    return true;
}

/* A folder holds SQL scripts. */
bool
load_scenario_asks_database(struct ctx *ctx, const char *path, bool *ret)
{
    struct ini_file file;
    struct stat status;

    *ret = true;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return true;
    if (!ini_file_read(ctx, path, &options, &file))
        return reading_failed(ctx);
    *ret = false;
    for (size_t i = 0; i < file.sections.count; i++) {
        const struct ini_section *section = &file.sections.items[i];

        for (size_t j = 0; j < section->settings.count; j++) {
            const struct ini_setting *setting = &section->settings.items[j];

            *ret |= text_equal(section->kind, "values") && text_equal(setting->name, "query");
            *ret |= text_equal(section->kind, "scenario") && text_equal(setting->name, "kind") &&
                    text_equal(setting->value, load_kind_names[LOAD_SQL]);
        }
    }
    return true;
}
