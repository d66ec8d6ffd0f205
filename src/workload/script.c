#include "workload/script.h"

#include <ctype.h>

#include "base/file.h"
#include "base/vec.h"
#include "db/ident.h"
#include "lang/sql.h"
#include "workload/expression.h"

/* What pgbench itself knows in custom scripts that run without initialisation. */
static const struct script_variable builtin[] = {
    { "scale", "1" },
    { "client_id", "0" },
    { "random_seed", "0" },
    { "default_seed", "0" },
};

static bool
read_defines(struct ctx *ctx, const struct text_list *defines, struct script_variables *ret)
{
    for (size_t i = 0; i < COUNT_OF(builtin); i++)
        VEC_PUSH(ctx->arena, ret, builtin[i]);
    for (size_t i = 0; i < defines->count; i++) {
        const char *equals = strchr(defines->items[i], '=');
        struct script_variable variable;

        if (!equals || equals == defines->items[i])
            return error_set(ctx, ERR_USAGE, "\"%s\" is not NAME=VALUE", defines->items[i]);
        variable.name =
            arena_strndup(ctx->arena, defines->items[i], (size_t)(equals - defines->items[i]));
        variable.value = equals + 1;
        VEC_PUSH(ctx->arena, ret, variable);
    }
    return true;
}

/* "\set name expression" without the backslash; what cannot be evaluated has no value. */
static void
read_set(struct ctx *ctx, const char *line, struct script_variables *variables)
{
    const char *name = line + strlen("set");
    struct script_variable variable = { 0 };

    name += strspn(name, " \t");

    size_t length = strcspn(name, " \t");

    variable.name = arena_strndup(ctx->arena, name, length);
    if (!expression_evaluate(ctx, name + length, variables, &variable.value)) {
        error_clear(ctx);
        variable.value = NULL;
    }
    VEC_PUSH(ctx->arena, variables, variable);
}

static void
blank(char *from, const char *end)
{
    for (char *at = from; at < end; at++)
        if (*at != '\n')
            *at = ' ';
}

static char *
next_line(char *line)
{
    size_t length = strcspn(line, "\n");

    return line + length + (line[length] == '\n');
}

/* A line that begins with a backslash, and those that it is continued on; returns its end. */
static char *
take_command(struct ctx *ctx, char *line, size_t backslash, struct script_variables *variables)
{
    char *end = next_line(line);

    while (*end && end - line >= 2 && end[-2] == '\\')
        end = next_line(end);

    const char *start = line + backslash + 1;
    char *command = arena_strndup(ctx->arena, start, (size_t)(end - start));

    for (char *at = command; *at; at++)
        if (strchr("\n\r\\", *at))
            *at = ' ';
    if (text_starts_with(command, "set ") || text_starts_with(command, "set\t"))
        read_set(ctx, command, variables);
    blank(line, end);
    return end;
}

/* \gset and its like at the end of a line end the statement. */
static void
take_ender(char *line, const char *end)
{
    static const char *const enders[] = { "\\gset", "\\aset", "\\gdesc" };

    for (size_t i = 0; i < COUNT_OF(enders); i++) {
        char *found = strstr(line, enders[i]);

        if (found && found < end) {
            blank(found, end);
            *found = ';';
        }
    }
}

/* Takes the backslash commands out of the text, blanks in their place: lines keep their numbers. */
static void
take_commands(struct ctx *ctx, char *text, struct script_variables *variables)
{
    char *line = text;

    while (*line) {
        size_t blanks = strspn(line, " \t");

        if (line[blanks] == '\\') {
            line = take_command(ctx, line, blanks, variables);
            continue;
        }

        char *end = next_line(line);

        take_ender(line, end);
        line = end;
    }
}

/* How long the quoted text or comment is that begins here; 0 when none does. */
static size_t
quoted_length(const char *at)
{
    const char *end = NULL;

    if (*at == '\'' || *at == '"') {
        end = strchr(at + 1, *at);
        return end ? (size_t)(end - at) + 1 : strlen(at);
    }
    if (text_starts_with(at, "--"))
        return strcspn(at, "\n");
    if (text_starts_with(at, "/*")) {
        end = strstr(at, "*/");
        return end ? (size_t)(end - at) + 2 : strlen(at);
    }
    return 0;
}

static size_t
name_length(const char *at)
{
    size_t length = 0;

    if (isdigit((unsigned char)*at))
        return 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return length;
}

/* The number of the variable among those seen, from 1. */
static size_t
number_of(struct arena *arena, struct text_list *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (text_equal(names->items[i], name))
            return i + 1;
    text_list_add(arena, names, name);
    return names->count;
}

/*
 * Values go in as quoted constants without a type, as parameters have none: the planner then
 * takes the type from the other side in both cases.
 */
static void
put_variables(
    struct ctx *ctx, struct script_statement *statement, const struct script_variables *variables)
{
    struct buffer sql = { .arena = ctx->arena };
    struct buffer sample = { .arena = ctx->arena };
    struct buffer values = { .arena = ctx->arena };
    struct text_list names = { 0 };

    for (const char *at = statement->text; *at;) {
        size_t skipped = quoted_length(at);
        size_t length = *at == ':' ? name_length(at + 1) : 0;

        if (text_starts_with(at, "::"))
            skipped = 2;
        if (skipped == 0 && length == 0)
            skipped = 1;
        if (skipped > 0) {
            buffer_append(&sql, at, skipped);
            buffer_append(&sample, at, skipped);
            at += skipped;
            continue;
        }

        const struct script_variable *variable = script_variable_find(variables, at + 1, length);
        const char *name = arena_strndup(ctx->arena, at + 1, length);
        size_t before = names.count;
        size_t number = number_of(ctx->arena, &names, name);

        buffer_printf(&sql, "$%zu", number);
        at += length + 1;
        if (!variable || !variable->value) {
            statement->problem =
                arena_printf(ctx->arena, "no value is known for the variable \":%s\"", name);
            continue;
        }
        buffer_add(&sample, db_literal(ctx->arena, variable->value));
        if (names.count > before)
            buffer_printf(&values, "%s%s=%s", values.length ? " " : "", name, variable->value);
    }
    statement->sql = buffer_text(&sql);
    statement->sample = statement->problem ? NULL : buffer_text(&sample);
    statement->values = buffer_text(&values);
}

bool
script_read(struct ctx *ctx, const char *name, const char *text, const struct text_list *defines,
    struct script *ret)
{
    char *copy = arena_strdup(ctx->arena, text);
    struct script_variables variables = { 0 };
    struct sql_statements statements;

    *ret = (struct script){ .name = name };
    if (!read_defines(ctx, defines, &variables))
        return false;
    take_commands(ctx, copy, &variables);
    if (!sql_split(ctx, name, copy, &statements))
        return false;
    for (size_t i = 0; i < statements.count; i++) {
        struct script_statement statement = { .text = statements.items[i].text };

        put_variables(ctx, &statement, &variables);
        if (!sql_fingerprint(ctx, statement.sql, &statement.fingerprint)) {
            statement.problem = ctx->error.message;
            error_clear(ctx);
        }
        VEC_PUSH(ctx->arena, ret, statement);
    }
    return true;
}

bool
script_read_folder(
    struct ctx *ctx, const char *folder, const struct text_list *defines, struct scripts *ret)
{
    struct text_list names;

    *ret = (struct scripts){ 0 };
    if (!file_list(ctx, folder, &names))
        return error_wrap(ctx, "reading the scripts in \"%s\"", folder);
    for (size_t i = 0; i < names.count; i++) {
        const char *file = names.items[i];
        const char *path = file_join(ctx->arena, folder, file);
        struct script script;
        const char *text;
        size_t length;

        if (!text_ends_with(file, ".sql"))
            continue;
        if (!file_read(ctx, path, &text, &length) ||
            !script_read(ctx, arena_strndup(ctx->arena, file, strlen(file) - strlen(".sql")), text,
                defines, &script))
            return error_wrap(ctx, "reading the scripts in \"%s\"", folder);
        script.path = path;
        VEC_PUSH(ctx->arena, ret, script);
    }
    if (ret->count > 0)
        return true;
    error_set(ctx, ERR_NOT_FOUND, "no .sql script in \"%s\"", folder);
    return error_hint(ctx, "A script is what pgbench -f runs: \\set lines and SQL statements.");
}
