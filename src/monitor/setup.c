#include <sys/stat.h>

#include "base/ini.h"
#include "monitor/setup_parts.h"

static const struct ini_options ini = { .kind = ERR_CONFIG, .example = "[server main]" };

bool
setup_refuse(struct ctx *ctx, const struct setup_file *file, int line, const char *what)
{
    return error_set(ctx, ERR_CONFIG, "%s:%d: %s", file->path, line, what);
}

static bool
take_line(struct ctx *ctx, struct setup_file *file, const struct ini_setting *setting)
{
    struct setup_line line = { .value = setting->value, .line = setting->line };
    char *plain = arena_strdup(ctx->arena, setting->name);

    for (char *c = plain; *c; c++)
        if (*c == '-')
            *c = '_';
    line.name = plain;
    if (!setting->has_value) {
        setup_refuse(
            ctx, file, line.line, arena_printf(ctx->arena, "\"%s\" has no value", setting->name));
        return error_hint(ctx, "Write \"%s = VALUE\".", setting->name);
    }
    VEC_PUSH(ctx->arena, &file->sections.items[file->sections.count - 1].lines, line);
    return true;
}

static bool
take_section(struct ctx *ctx, struct setup_file *file, const struct ini_section *given)
{
    struct setup_section section = {
        .kind = given->kind, .name = given->name, .line = given->line
    };

    if (!*given->title && given->settings.count > 0) {
        setup_refuse(ctx, file, given->line,
            arena_printf(ctx->arena, "\"%s\" stands in no section", given->settings.items[0].name));
        return error_hint(ctx, "Write for example [monitor] or [server main] above it.");
    }
    for (size_t i = 0; i < file->sections.count; i++) {
        const struct setup_section *other = &file->sections.items[i];

        if (!text_equal(other->kind, section.kind) || !text_equal(other->name, section.name))
            continue;
        setup_refuse(ctx, file, section.line,
            arena_printf(
                ctx->arena, "section [%s] stands in line %d already", given->title, other->line));
        return error_hint(ctx, "Put what both say into one of them.");
    }
    VEC_PUSH(ctx->arena, &file->sections, section);
    for (size_t i = 0; i < given->settings.count; i++)
        if (!take_line(ctx, file, &given->settings.items[i]))
            return false;
    return true;
}

/* A file that others can read must hold no secret. */
static bool
check_mode(struct ctx *ctx, const struct setup_file *file)
{
    struct stat info;

    if (stat(file->path, &info) < 0)
        return error_set_errno(ctx, "could not look at \"%s\"", file->path);
    if (file->secret_line == 0 || !(info.st_mode & (S_IRWXG | S_IRWXO)))
        return true;
    setup_refuse(ctx, file, file->secret_line,
        arena_printf(ctx->arena, "\"%s\" holds a secret, and other users can read the file",
            file->secret_name));
    return error_hint(ctx,
        "Run \"chmod 600 %s\", or move the secret: a password to ~/.pgpass, the address of a sink "
        "to a file that url_file names.",
        file->path);
}

bool
setup_read(struct ctx *ctx, const char *path, struct setup *ret)
{
    struct setup_file file = { .path = path };
    struct setup setup = { .path = path };
    struct ini_file read;

    if (!ini_file_read(ctx, path, &ini, &read))
        return ctx->error.message && text_starts_with(ctx->error.message, path)
                   ? false
                   : error_wrap(ctx, "setup of the monitor");
    for (size_t i = 0; i < read.sections.count; i++)
        if (!take_section(ctx, &file, &read.sections.items[i]))
            return false;
    if (!setup_take(ctx, &file, &setup) || !check_mode(ctx, &file))
        return false;
    *ret = setup;
    return true;
}

bool
setup_has_sink(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->sinks.count; i++)
        if (text_equal(setup->sinks.items[i].name, name))
            return true;
    return false;
}
