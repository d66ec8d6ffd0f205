#include "load/scenario/reading.h"

#include <inttypes.h>

bool
reading_refuse(struct reading *reading, int32_t line, const char *format, ...)
{
    va_list args;

    va_start(args, format);

    const char *what = arena_vprintf(reading->ctx->arena, format, args);

    va_end(args);
    return ini_file_refuse(reading->ctx, &reading->file, line, "%s", what);
}

bool
reading_failed(struct ctx *ctx)
{
    enum error_kind kind = ctx->error.kind;

    if (kind == ERR_INPUT || kind == ERR_IO || kind == ERR_NOT_FOUND)
        ctx->error.kind = ERR_CONFIG;
    return false;
}

const char *
reading_where(const struct reading *reading, int32_t line)
{
    return arena_printf(reading->ctx->arena, "%s:%" PRId32, reading->file.path, line);
}

const char *
reading_path(const struct reading *reading, const char *name)
{
    return *name == '/' ? name : file_join(reading->ctx->arena, reading->folder, name);
}

const struct ini_setting *
reading_find(const struct ini_section *section, const char *name)
{
    for (size_t i = 0; i < section->settings.count; i++)
        if (text_equal(section->settings.items[i].name, name))
            return &section->settings.items[i];
    return NULL;
}

const char *
reading_nearest(const char *name, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 1;

    for (size_t i = 0; i < count; i++) {
        size_t distance = text_distance(names[i], name);

        if (distance >= least)
            continue;
        least = distance;
        nearest = names[i];
    }
    return nearest;
}

bool
reading_expand(struct reading *reading, const struct ini_setting *setting, const char **ret)
{
    struct buffer buffer = { .arena = reading->ctx->arena };
    const char *where = reading_where(reading, setting->line);
    const struct load_template *template;
    const char *problem;

    *ret = setting->value;
    if (!strstr(setting->value, "${"))
        return true;
    if (!load_world_template(reading->ctx, reading->constants, setting->value, where, &template)) {
        if (!reading->ctx->error.hint || !strstr(reading->ctx->error.hint, "Did you mean"))
            error_hint(reading->ctx,
                "\"%s\" may name constants only: those of [defaults] and of -D.", setting->name);
        return false;
    }
    if (load_template_write(template, reading->plain_scope, &buffer)) {
        *ret = buffer_text(&buffer);
        return true;
    }
    problem = load_scope_problem(reading->plain_scope);
    return reading_refuse(reading, setting->line, "%s: %s", setting->name, problem);
}

struct text_list
reading_split(struct arena *arena, const char *text, char separator)
{
    struct text_list list = { 0 };
    const char separators[] = { separator, '\0' };

    for (;;) {
        size_t length = strcspn(text, separators);
        size_t end = length;
        size_t start = 0;

        while (start < end && strchr(" \t\n", text[start]))
            start++;
        while (end > start && strchr(" \t\n", text[end - 1]))
            end--;
        text_list_add(arena, &list, arena_strndup(arena, text + start, end - start));
        if (!text[length])
            return list;
        text += length + 1;
    }
}

bool
reading_time(
    struct reading *reading, const struct ini_setting *setting, const char *value, int64_t *ret)
{
    if (text_to_us(value, ret) && *ret >= 0 && *ret <= LOAD_LONGEST_US)
        return true;
    reading_refuse(reading, setting->line, "%s = %s is no time from 0 to 4h", setting->name, value);
    return error_hint(
        reading->ctx, "Write a number and its unit: 250ms, 5s, 10m, 1h. A bare number is seconds.");
}

bool
reading_count(struct reading *reading, const struct ini_setting *setting, const char *value,
    int64_t most, int64_t *ret)
{
    if (text_to_int64(value, ret) && *ret >= 1 && *ret <= most)
        return true;
    return reading_refuse(reading, setting->line, "%s = %s is no whole number from 1 to %" PRId64,
        setting->name, value, most);
}

static const struct reading_key *
find_key(struct reading *reading, const struct ini_section *section,
    const struct ini_setting *setting, const struct reading_key *keys, size_t count)
{
    const char *names[32];
    const char *nearest;
    struct text_list all = { 0 };

    for (size_t i = 0; i < count; i++) {
        if (text_equal(keys[i].name, setting->name))
            return &keys[i];
        names[i] = keys[i].name;
        text_list_add(reading->ctx->arena, &all, keys[i].name);
    }
    reading_refuse(
        reading, setting->line, "[%s] knows no setting \"%s\"", section->title, setting->name);
    nearest = reading_nearest(setting->name, names, count);
    if (nearest)
        error_hint(reading->ctx, "Did you mean \"%s\"?", nearest);
    else
        error_hint(
            reading->ctx, "Its settings are: %s.", text_list_join(reading->ctx->arena, &all, ", "));
    return NULL;
}

/* What holds for every setting. */
static bool
check_setting(struct reading *reading, const struct ini_section *section,
    const struct reading_key *key, size_t index)
{
    const struct ini_setting *setting = &section->settings.items[index];

    if (!setting->has_value || !*setting->value) {
        reading_refuse(reading, setting->line, "\"%s\" has no value", setting->name);
        return error_hint(
            reading->ctx, "Write \"%s = VALUE\", or leave out the line.", setting->name);
    }
    if (setting->is_long && !key->is_long) {
        reading_refuse(reading, setting->line, "\"%s\" goes on over several lines", setting->name);
        return error_hint(reading->ctx,
            "Indented lines belong to the setting above them: remove the white space in front.");
    }
    for (size_t i = 0; i < index && !key->is_many; i++) {
        if (!text_equal(section->settings.items[i].name, setting->name))
            continue;
        reading_refuse(reading, setting->line, "\"%s\" is in line %" PRId32 " already",
            setting->name, section->settings.items[i].line);
        return error_hint(reading->ctx, "Remove one of the two.");
    }
    return true;
}

bool
reading_take(struct reading *reading, const struct ini_section *section,
    const struct reading_key *keys, size_t count, void *object)
{
    for (size_t i = 0; i < section->settings.count; i++) {
        const struct ini_setting *setting = &section->settings.items[i];
        const struct reading_key *key = find_key(reading, section, setting, keys, count);
        const char *value = setting->value;

        if (!key || !check_setting(reading, section, key, i) ||
            (!key->is_raw && !reading_expand(reading, setting, &value)))
            return false;
        if (!*value)
            return reading_refuse(reading, setting->line, "\"%s\" is empty", setting->name);
        if (!key->take(reading, setting, value, object))
            return false;
    }
    return true;
}
