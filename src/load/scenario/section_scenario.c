/* [scenario], [defaults] and [secrets]. */
#include <ctype.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "load/scenario/reading.h"

enum { MOST_SECRET = 4096 };

static bool
define(struct reading *reading, const char *name, const char *value)
{
    return load_world_define(reading->ctx, reading->world, name, value) &&
           load_world_define(reading->ctx, reading->constants, name, value);
}

bool
reading_defaults(struct reading *reading, const struct ini_section *section)
{
    for (size_t i = 0; i < section->settings.count; i++) {
        const struct ini_setting *setting = &section->settings.items[i];
        const char *where = reading_where(reading, setting->line);
        const char *value;

        if (!load_name_check(reading->ctx, setting->name, where))
            return false;
        if (setting->is_long || !setting->has_value)
            return reading_refuse(
                reading, setting->line, "\"%s\" is no line \"name = value\"", setting->name);
        /* What -D says was there first. */
        if (load_world_find(reading->world, setting->name)) {
            for (size_t j = 0; j < i; j++)
                if (text_equal(section->settings.items[j].name, setting->name))
                    return reading_refuse(reading, setting->line,
                        "\"%s\" is in line %" PRId32 " already", setting->name,
                        section->settings.items[j].line);
            continue;
        }
        if (!reading_expand(reading, setting, &value) || !define(reading, setting->name, value))
            return false;
    }
    return true;
}

static bool
take_text(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct load_scenario *scenario = object;

    (void)reading;
    if (text_equal(setting->name, "name"))
        scenario->name = value;
    else if (text_equal(setting->name, "target"))
        scenario->target = value;
    else
        scenario->about = value;
    return true;
}

static bool
take_kind(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct load_scenario *scenario = object;

    if (text_equal(value, load_kind_names[LOAD_HTTP]))
        scenario->kind = LOAD_HTTP;
    else if (text_equal(value, load_kind_names[LOAD_SQL]))
        scenario->kind = LOAD_SQL;
    else
        return reading_refuse(reading, setting->line, "kind = %s is neither http nor sql", value);
    return true;
}

static bool
take_time(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct load_scenario *scenario = object;
    int64_t *place = text_equal(setting->name, "ramp_up")   ? &scenario->ramp_up_us
                     : text_equal(setting->name, "warm_up") ? &scenario->warm_up_us
                     : text_equal(setting->name, "limit")   ? &scenario->limit_us
                                                            : &scenario->duration_us;

    if (!reading_time(reading, setting, value, place))
        return false;
    if (*place > 0 || text_equal(setting->name, "ramp_up") || text_equal(setting->name, "warm_up"))
        return true;
    return reading_refuse(reading, setting->line, "%s has to be above 0", setting->name);
}

static const struct reading_key keys[] = {
    { .name = "name", .take = take_text },
    { .name = "about", .take = take_text, .is_long = true },
    { .name = "kind", .take = take_kind },
    { .name = "target", .take = take_text },
    { .name = "ramp_up", .take = take_time },
    { .name = "warm_up", .take = take_time },
    { .name = "duration", .take = take_time },
    { .name = "limit", .take = take_time },
};

bool
reading_scenario(struct reading *reading, const struct ini_section *section)
{
    struct load_scenario *scenario = reading->scenario;

    if (!reading_take(reading, section, keys, COUNT_OF(keys), scenario))
        return false;
    if (scenario->ramp_up_us + scenario->warm_up_us + scenario->duration_us > LOAD_LONGEST_US) {
        reading_refuse(reading, section->line, "ramp_up, warm_up and duration are more than 4h");
        return error_hint(reading->ctx, "Make several runs; results can be compared.");
    }
    if (scenario->kind == LOAD_SQL && scenario->target)
        return reading_refuse(reading, reading_find(section, "target")->line,
            "a SQL scenario has no target: --db-url says which database it is");
    return true;
}

/* A secret that others may read is none. */
static bool
read_secret(struct reading *reading, const struct ini_setting *setting, const char *path,
    struct load_secret *ret)
{
    struct ctx *ctx = reading->ctx;
    struct stat status;
    size_t length;

    if (stat(path, &status) != 0) {
        error_set_errno(ctx, "%s: secret \"%s\": could not look at \"%s\"",
            reading_where(reading, setting->line), setting->name, path);
        ctx->error.kind = ERR_INPUT;
        return error_hint(ctx, "The name is relative to the scenario; -D can say another one.");
    }
    if (status.st_mode & (S_IRWXG | S_IRWXO)) {
        reading_refuse(reading, setting->line, "others than its owner may use \"%s\"", path);
        return error_hint(ctx, "chmod 600 \"%s\"", path);
    }
    if (!file_read_most(ctx, path, MOST_SECRET, &ret->text, &length)) {
        ctx->error.kind = ERR_INPUT;
        return error_wrap(ctx, "%s", reading_where(reading, setting->line));
    }
    while (length > 0 && isspace((unsigned char)ret->text[length - 1]))
        length--;
    ret->length = length;
    if (length > 0)
        return true;
    return reading_refuse(reading, setting->line, "\"%s\" is empty", path);
}

bool
reading_secrets(struct reading *reading, const struct ini_section *section)
{
    for (size_t i = 0; i < section->settings.count; i++) {
        const struct ini_setting *setting = &section->settings.items[i];
        struct load_secret secret = { .name = setting->name };
        const char *path;

        if (!load_name_check(reading->ctx, setting->name, reading_where(reading, setting->line)) ||
            !reading_expand(reading, setting, &path))
            return false;
        for (size_t j = 0; j < reading->world->secrets.count; j++)
            if (text_equal(reading->world->secrets.items[j].name, setting->name))
                return reading_refuse(
                    reading, setting->line, "there is a secret \"%s\" already", setting->name);
        /* Not all ways to run a scenario need all of its secrets. */
        secret.problem = arena_printf(reading->ctx->arena, "secret \"%s\" of %s has no file",
            setting->name, reading_where(reading, setting->line));
        if (*path && reading->options->needs_values &&
            !read_secret(reading, setting, reading_path(reading, path), &secret))
            return false;
        VEC_PUSH(reading->ctx->arena, &reading->world->secrets, secret);
    }
    return true;
}
