/* Options of objects: "fillfactor=70, autovacuum_enabled=false" and "host 'db', port '5432'". */
#include "base/vec.h"
#include "catalog/ddl_part.h"

struct option {
    const char *name;
    const char *value; /* as a literal */
};

struct options {
    struct option *items;
    size_t count;
    size_t capacity;
};

/* The length of text up to one of the ends that does not stand in quotes. */
static size_t
span_to(const char *text, const char *ends)
{
    char quote = '\0';
    size_t length = 0;

    for (; text[length] && (quote || !strchr(ends, text[length])); length++) {
        if (quote && text[length] == quote)
            quote = '\0';
        else if (!quote && (text[length] == '\'' || text[length] == '"'))
            quote = text[length];
    }
    return length;
}

static void
split(struct arena *arena, const char *text, const char *between, struct options *ret)
{
    *ret = (struct options){ 0 };
    while (text && *text) {
        size_t length = span_to(text, ",");
        const char *item = arena_strndup(arena, text, length);
        size_t name = span_to(item, between);
        const char *value = item[name] ? item + name + 1 : "";

        VEC_PUSH(arena, ret,
            ((struct option){ .name = arena_strndup(arena, item, name),
                .value = *value == '\'' || text_starts_with(value, "E'")
                             ? value
                             : db_literal(arena, value) }));
        text += length;
        text += strspn(text, ", ");
    }
}

static const struct option *
find(const struct options *options, const char *name)
{
    for (size_t i = 0; i < options->count; i++)
        if (text_equal(options->items[i].name, name))
            return &options->items[i];
    return NULL;
}

const char *
ddl_options_text(struct arena *arena, const char *options)
{
    struct buffer text = { .arena = arena };
    struct options wanted;

    split(arena, options, "=", &wanted);
    for (size_t i = 0; i < wanted.count; i++)
        buffer_printf(&text, "%s%s=%s", i ? ", " : "", wanted.items[i].name, wanted.items[i].value);
    return buffer_text(&text);
}

void
ddl_add_options(const struct ddl *ddl, const char *start, const char *from, const char *to)
{
    struct buffer set = { .arena = ddl->arena };
    struct buffer reset = { .arena = ddl->arena };
    struct options old;
    struct options new;

    split(ddl->arena, from, "=", &old);
    split(ddl->arena, to, "=", &new);
    for (size_t i = 0; i < new.count; i++) {
        const struct option *before = find(&old, new.items[i].name);

        if (!before || !text_equal(before->value, new.items[i].value))
            buffer_printf(
                &set, "%s%s=%s", set.length ? ", " : "", new.items[i].name, new.items[i].value);
    }
    for (size_t i = 0; i < old.count; i++)
        if (!find(&new, old.items[i].name))
            buffer_printf(&reset, "%s%s", reset.length ? ", " : "", old.items[i].name);
    if (reset.length)
        ddl_add(ddl, "%s RESET (%s)", start, buffer_text(&reset));
    if (set.length)
        ddl_add(ddl, "%s SET (%s)", start, buffer_text(&set));
}

const char *
ddl_foreign_options_text(struct arena *arena, const char *from, const char *to)
{
    struct buffer text = { .arena = arena };
    struct options old;
    struct options new;

    split(arena, from, " ", &old);
    split(arena, to, " ", &new);
    for (size_t i = 0; i < old.count; i++)
        if (!find(&new, old.items[i].name))
            buffer_printf(&text, "%sDROP %s", text.length ? ", " : "", old.items[i].name);
    for (size_t i = 0; i < new.count; i++) {
        const struct option *before = find(&old, new.items[i].name);

        if (!before || !text_equal(before->value, new.items[i].value))
            buffer_printf(&text, "%s%s %s %s", text.length ? ", " : "", before ? "SET" : "ADD",
                new.items[i].name, new.items[i].value);
    }
    return buffer_text(&text);
}
