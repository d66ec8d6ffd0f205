#include "cli/option.h"

#include <ctype.h>
#include <math.h>

size_t
option_count(const struct command *command)
{
    return global_field_count + (command ? command->option_count : 0);
}

struct option
option_at(const struct command *command, size_t index)
{
    size_t own = command ? command->option_count : 0;

    if (index < own)
        return (struct option){ .field = &command->options[index] };
    return (struct option){ .field = &global_fields[index - own], .is_global = true };
}

/* A dash and an underscore are the same: people copy names from JSON and configuration. */
static bool
is_same_name(const char *typed, const char *name)
{
    for (; *typed && *name; typed++, name++)
        if (*typed != *name && !(*typed == '-' && *name == '_'))
            return false;
    return *typed == *name;
}

/* "no-backup" for backup, "color" for no_color. */
static bool
is_negation(const char *typed, const struct field *field)
{
    if (field->type != FIELD_BOOL)
        return false;
    if (text_starts_with(field->name, "no_"))
        return is_same_name(typed, field->name + strlen("no_"));
    return (text_starts_with(typed, "no-") || text_starts_with(typed, "no_")) &&
           is_same_name(typed + strlen("no-"), field->name);
}

bool
option_find(const struct command *command, const char *name, struct option *ret)
{
    for (int negated = 0; negated <= 1; negated++) {
        for (size_t i = 0; i < option_count(command); i++) {
            struct option option = option_at(command, i);

            if (negated ? !is_negation(name, option.field)
                        : !is_same_name(name, option.field->name))
                continue;
            option.is_negated = negated;
            *ret = option;
            return true;
        }
    }
    return false;
}

bool
option_find_letter(const struct command *command, char letter, struct option *ret)
{
    for (size_t i = 0; letter && i < option_count(command); i++) {
        struct option option = option_at(command, i);

        if (option.field->letter != letter)
            continue;
        *ret = option;
        return true;
    }
    return false;
}

const char *
option_spell(struct arena *arena, const struct field *field)
{
    char *text = arena_strdup(arena, field->name);

    for (char *c = text; *c; c++)
        if (*c == '_')
            *c = '-';
    return text;
}

const char *
option_environment(struct arena *arena, const struct field *field)
{
    char *text = arena_printf(arena, "PGMEND_%s", field->name);

    for (char *c = text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return text;
}

bool
option_is_persistent(const struct field *field, bool is_global)
{
    /* These three say what to do now; as a lasting setting they would make every call useless. */
    if (field->momentary)
        return false;
    return !is_global || !(text_equal(field->name, "help") || text_equal(field->name, "version") ||
                             text_equal(field->name, "config"));
}

bool
option_any_persistent(const struct command *command)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (option_is_persistent(&command->options[i], false))
            return true;
    return false;
}

const char *
option_arg(const struct field *field)
{
    if (field->type == FIELD_BOOL)
        return NULL;
    if (field->arg)
        return field->arg;
    if (field->unit == UNIT_BYTES)
        return "SIZE";
    if (field->unit == UNIT_US)
        return "TIME";
    return field->type == FIELD_TEXT || field->type == FIELD_TEXT_LIST ? "TEXT" : "NUMBER";
}

/* A double that is no number would pass every comparison with a limit. */
static bool
is_finite(const struct field *field, const void *object)
{
    const void *member = (const char *)object + field->offset;

    return field->type != FIELD_DOUBLE || isfinite(*(const double *)member);
}

bool
option_parse(struct ctx *ctx, const struct option *option, const char *spelling, const char *text,
    void *object)
{
    struct field named = *option->field;

    named.name = spelling;
    if (!field_parse(ctx, &named, text, object))
        return false;
    if (!is_finite(&named, object))
        return error_set(
            ctx, ERR_INPUT, "invalid value for %s: \"%s\" (expected a number)", spelling, text);
    if (option->is_negated) {
        bool *member = (bool *)((char *)object + named.offset);

        *member = !*member;
    }
    return true;
}
