/* What the sections' rows have in common: saying what is wrong, and where. */

#include "monitor/setup_parts.h"

const struct setup_line *
setup_line_of(const struct setup_taking *taking, const char *name)
{
    for (size_t i = 0; i < taking->section->lines.count; i++)
        if (text_equal(taking->section->lines.items[i].name, name))
            return &taking->section->lines.items[i];
    return NULL;
}

bool
setup_refuse_at(const struct setup_taking *taking, const char *name, const char *what)
{
    const struct setup_line *line = name ? setup_line_of(taking, name) : NULL;

    return setup_refuse(taking->ctx, taking->file, line ? line->line : taking->section->line, what);
}

bool
setup_refuse_missing(const struct setup_taking *taking, const char *name, const char *example)
{
    setup_refuse_at(taking, NULL,
        arena_printf(taking->ctx->arena, "section [%s %s] needs \"%s\"", taking->section->kind,
            taking->section->name, name));
    return error_hint(taking->ctx, "Write for example \"%s = %s\".", name, example);
}

bool
setup_holds_password(const char *url)
{
    const char *start = strstr(url, "://");
    const char *at = start ? strchr(start + 3, '@') : NULL;
    const char *colon = at ? memchr(start + 3, ':', (size_t)(at - start - 3)) : NULL;

    return (colon && colon + 1 < at) || strcasestr(url, "password");
}

void
setup_mark_secret(const struct setup_taking *taking, const char *name)
{
    const struct setup_line *line = setup_line_of(taking, name);

    if (!line || taking->file->secret_line > 0)
        return;
    taking->file->secret_line = line->line;
    taking->file->secret_name = name;
}
