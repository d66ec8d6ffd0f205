#include "workload/script.h"

#include <ctype.h>

#include "base/file.h"
#include "base/vec.h"
#include "db/ident.h"
#include "lang/sql.h"
#include "workload/expression.h"

/* What the lines with a backslash have said so far. */
struct reading {
    struct script_variables variables;
    VEC(struct script_command) commands;
    size_t line;
};

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

/* "name expression"; what cannot be evaluated has no value. */
static void
read_set(struct ctx *ctx, const char *name, struct script_variables *variables)
{
    struct script_variable variable = { 0 };
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

static size_t
lines_between(const char *from, const char *end)
{
    size_t count = 0;

    for (const char *at = from; at < end; at++)
        count += *at == '\n';
    return count;
}

/* The command behind a backslash, in one line. */
static struct script_command *
add_command(struct ctx *ctx, const char *start, const char *end, struct reading *reading)
{
    char *text = arena_strndup(ctx->arena, start, (size_t)(end - start));
    struct script_command command = { .line = reading->line };

    for (char *at = text; *at; at++)
        if (strchr("\n\r\\", *at))
            *at = ' ';

    size_t length = strcspn(text, " \t");
    size_t blanks = strspn(text + length, " \t");
    size_t used = strlen(text);

    while (used > 0 && strchr(" \t", text[used - 1]))
        text[--used] = '\0';
    command.name = arena_strndup(ctx->arena, text, length);
    command.rest = length + blanks < used ? text + length + blanks : "";
    VEC_PUSH(ctx->arena, &reading->commands, command);
    return &reading->commands.items[reading->commands.count - 1];
}

/*
 * A line that begins with a backslash, and those that it is continued on; returns its end. A statement
 * that is not ended before it ends there.
 */
static char *
take_command(struct ctx *ctx, char *line, size_t backslash, struct reading *reading)
{
    char *end = next_line(line);
    struct script_command *command;

    while (*end && end - line >= 2 && end[-2] == '\\')
        end = next_line(end);
    command = add_command(ctx, line + backslash + 1, end, reading);
    if (text_equal(command->name, "set"))
        read_set(ctx, command->rest, &reading->variables);
    blank(line, end);
    line[backslash] = ';';
    return end;
}

/* \gset and its like at the end of a line end the statement. */
static void
take_ender(struct ctx *ctx, char *line, const char *end, struct reading *reading)
{
    static const char *const enders[] = { "\\gset", "\\aset", "\\gdesc" };

    for (size_t i = 0; i < COUNT_OF(enders); i++) {
        char *found = strstr(line, enders[i]);

        if (found && found < end) {
            add_command(ctx, found + 1, end, reading)->ends = true;
            blank(found, end);
            *found = ';';
        }
    }
}

/* Takes the backslash commands out of the text, blanks in their place: lines keep their numbers. */
static void
take_commands(struct ctx *ctx, char *text, struct reading *reading)
{
    char *line = text;

    reading->line = 1;
    while (*line) {
        size_t blanks = strspn(line, " \t");
        char *end = next_line(line);

        if (line[blanks] == '\\')
            end = take_command(ctx, line, blanks, reading);
        else
            take_ender(ctx, line, end, reading);
        reading->line += lines_between(line, end);
        line = end;
    }
}

/* Where the commands stand among the statements. */
static void
place_commands(const struct reading *reading, struct script *script)
{
    script->commands = reading->commands.items;
    script->command_count = reading->commands.count;
    for (size_t i = 0; i < script->command_count; i++) {
        struct script_command *command = &script->commands[i];
        size_t before = 0;

        while (before < script->count &&
               script->items[before].line < command->line + (command->ends ? 1 : 0))
            before++;
        command->before = before;
    }
}

/* "$$" or "$tag$"; 0 when none begins here. */
static size_t
dollar_length(const char *at)
{
    size_t length = 1;

    if (*at != '$' || isdigit((unsigned char)at[1]))
        return 0;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return at[length] == '$' ? length + 1 : 0;
}

/* How long the quoted text or comment is that begins here; 0 when none does. */
static size_t
quoted_length(const char *at)
{
    const char *end = NULL;
    size_t dollar = dollar_length(at);

    if (dollar > 0) {
        end = memmem(at + dollar, strlen(at + dollar), at, dollar);
        return end ? (size_t)(end - at) + dollar : strlen(at);
    }

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

/* How long the "${…}" is that begins here; 0 when none does. */
static size_t
expression_length(const char *at)
{
    const char *end = text_starts_with(at, "${") ? strchr(at, '}') : NULL;

    return end ? (size_t)(end - at) + 1 : 0;
}

/* The number of the variable among those seen, from 1. Two expressions may draw different numbers. */
static size_t
number_of(struct arena *arena, struct text_list *names, const char *name)
{
    for (size_t i = 0; i < names->count && *name != '$'; i++)
        if (text_equal(names->items[i], name))
            return i + 1;
    text_list_add(arena, names, name);
    return names->count;
}

/* A variable with its colon, or a whole ${…}; 0: neither begins here. */
static size_t
variable_length(const char *at)
{
    size_t length = *at == ':' ? name_length(at + 1) + 1 : expression_length(at);

    return length < 2 ? 0 : length;
}

/* What goes out as it stands: a cast, what is quoted, a byte of SQL; 0: a variable begins here. */
static size_t
plain_length(const char *at)
{
    size_t quoted = quoted_length(at);

    if (text_starts_with(at, "::"))
        return 2;
    if (quoted > 0)
        return quoted;
    return variable_length(at) > 0 ? 0 : 1;
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
    struct text_list *names = &statement->names;

    for (const char *at = statement->text; *at;) {
        size_t plain = plain_length(at);
        size_t length = variable_length(at);

        if (plain > 0) {
            buffer_append(&sql, at, plain);
            buffer_append(&sample, at, plain);
            at += plain;
            continue;
        }

        const char *name = *at == ':' ? arena_strndup(ctx->arena, at + 1, length - 1)
                                      : arena_strndup(ctx->arena, at, length);
        const struct script_variable *variable =
            script_variable_find(variables, name, strlen(name));
        size_t before = names->count;
        size_t number = number_of(ctx->arena, names, name);

        buffer_printf(&sql, "$%zu", number);
        at += length;
        if (!variable || !variable->value) {
            statement->problem = arena_printf(ctx->arena, "no value is known for %s",
                *name == '$' ? name : arena_printf(ctx->arena, "the variable \":%s\"", name));
            continue;
        }
        buffer_add(&sample, db_literal(ctx->arena, variable->value));
        if (names->count > before)
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
    struct reading reading = { 0 };
    struct sql_statements statements;

    *ret = (struct script){ .name = name };
    if (!read_defines(ctx, defines, &reading.variables))
        return false;
    take_commands(ctx, copy, &reading);
    if (!sql_split(ctx, name, copy, &statements))
        return false;
    for (size_t i = 0; i < statements.count; i++) {
        struct script_statement statement = {
            .text = statements.items[i].text,
            .line = statements.items[i].line,
        };

        put_variables(ctx, &statement, &reading.variables);
        if (!sql_fingerprint(ctx, statement.sql, &statement.fingerprint)) {
            statement.problem = ctx->error.message;
            error_clear(ctx);
        }
        VEC_PUSH(ctx->arena, ret, statement);
    }
    place_commands(&reading, ret);
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
