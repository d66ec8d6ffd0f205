#include "load/scenario/script.h"

#include <ctype.h>

#include "base/file.h"
#include "base/log.h"
#include "base/vec.h"
#include "lang/sql.h"
#include "load/scenario/world_part.h"
#include "workload/script.h"

enum { LARGEST_SCRIPT = 1048576, MOST_LINES = 1000000 };

/* A \gset: what of its row is wanted is known by the statements that come after it. */
struct gset {
    size_t statement;
    const char *prefix;
    struct load_take *items;
    size_t count;
    size_t capacity;
};

/* A script on its way to a step. */
struct compiler {
    struct ctx *ctx;
    struct load_world *world;
    const char *path;
    const char *name;
    struct script script;
    VEC(struct load_statement) statements;
    VEC(struct gset) gsets;
    struct text_list named; /* variables in statements so far */
    struct text_list set;   /* variables of \set lines so far */
};

static const char *
place_of(const struct compiler *compiler, size_t line)
{
    return arena_printf(compiler->ctx->arena, "%s:%zu", compiler->path, line);
}

static bool
is_name(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_' && (unsigned char)*text < 0x80)
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '_' && (unsigned char)*text < 0x80)
            return false;
    return true;
}

static bool
no_variable(const struct compiler *compiler, const char *name, size_t line)
{
    struct ctx *ctx = compiler->ctx;

    if (load_world_miss(compiler->world, name, place_of(compiler, line)))
        return true;
    error_set(
        ctx, ERR_INPUT, "%s: nothing defines the variable \":%s\"", place_of(compiler, line), name);
    return error_hint(ctx,
        "Give it a value: -D %s=VALUE, or a line \"\\set %s EXPRESSION\" "
        "before the statement.",
        name, name);
}

/* Its own for each script: another one may have the same name for a variable. */
static const char *
slot_name(const struct compiler *compiler, const char *name)
{
    return arena_printf(compiler->ctx->arena, "%s (\\gset in %s)", name, compiler->name);
}

/* A column of a row before it, by \gset; nothing says which columns that has until it comes. */
static bool
take_column(struct compiler *compiler, const char *name)
{
    struct arena *arena = compiler->ctx->arena;
    bool is_taken = false;

    for (size_t i = 0; i < compiler->gsets.count; i++) {
        struct gset *gset = &compiler->gsets.items[i];
        struct load_take take = { .path = name + strlen(gset->prefix) };
        bool is_known = false;

        if (!text_starts_with(name, gset->prefix) || !*take.path)
            continue;
        is_taken = true;
        for (size_t j = 0; j < gset->count; j++)
            is_known |= text_equal(gset->items[j].path, take.path);
        if (is_known)
            continue;
        take.slot = load_world_slot(compiler->world, slot_name(compiler, name));
        VEC_PUSH(arena, gset, take);
    }
    return is_taken;
}

/* It is not noted as used, as that would have to be taken by a request before. */
static const struct load_template *
template_of_slot(struct compiler *compiler, const char *name)
{
    struct load_world *world = compiler->world;
    size_t used = world->used.count;
    const struct load_template *result =
        load_world_variable(compiler->ctx->arena, world, slot_name(compiler, name));

    world->used.count = used;
    return result;
}

/* What a name in a statement stands for: a \set of this script, a constant, a column of a row before it. */
static bool
resolve(struct compiler *compiler, const char *name, size_t line, const struct load_template **ret)
{
    const struct load_variable *variable = load_world_find(compiler->world, name);
    bool is_own = text_list_has(&compiler->set, name) || (variable && !variable->is_assigned);

    if (!is_own && take_column(compiler, name))
        *ret = template_of_slot(compiler, name);
    else
        *ret = load_world_variable(compiler->ctx->arena, compiler->world, name);
    if (*ret)
        return true;
    if (!no_variable(compiler, name, line))
        return false;
    /* It is told with all others that are missing. */
    *ret = load_world_variable(compiler->ctx->arena, compiler->world, name);
    return true;
}

static bool
mentions(const char *expression, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = expression; (at = strchr(at, ':'));) {
        at++;
        if (strncmp(at, name, length) == 0 && !isalnum((unsigned char)at[length]) &&
            at[length] != '_')
            return true;
    }
    return false;
}

/* \set lines are evaluated before the request, and rows come while it runs. */
static bool
check_no_column(struct compiler *compiler, const char *expression, const char *place)
{
    for (size_t i = 0; i < compiler->gsets.count; i++) {
        const struct gset *gset = &compiler->gsets.items[i];

        for (size_t j = 0; j < gset->count; j++) {
            const char *name =
                arena_printf(compiler->ctx->arena, "%s%s", gset->prefix, gset->items[j].path);

            if (!mentions(expression, name))
                continue;
            error_set(compiler->ctx, ERR_INPUT, "%s: \\set cannot use \":%s\", which \\gset takes",
                place, name);
            return error_hint(compiler->ctx, "All \\set lines are evaluated before the first "
                                             "statement: calculate in SQL.");
        }
    }
    return true;
}

static bool
compile_set(struct compiler *compiler, const struct script_command *command)
{
    struct ctx *ctx = compiler->ctx;
    const char *place = place_of(compiler, command->line);
    size_t length = strcspn(command->rest, " \t");
    const char *name = arena_strndup(ctx->arena, command->rest, length);
    const char *expression = command->rest + length + strspn(command->rest + length, " \t");

    if (!is_name(name) || !*expression) {
        error_set(ctx, ERR_INPUT, "%s: \\set needs a name and an expression", place);
        return error_hint(ctx, "Like this: \\set user random(1, 1000)");
    }
    /* All \set lines are evaluated before the first statement. */
    if (text_list_has(&compiler->named, name)) {
        error_set(
            ctx, ERR_INPUT, "%s: \"%s\" is set again after a statement that uses it", place, name);
        return error_hint(
            ctx, "All \\set lines are evaluated before the first statement: use another name.");
    }
    text_list_add(ctx->arena, &compiler->set, name);
    return check_no_column(compiler, expression, place) &&
           load_world_assign(ctx, compiler->world, name, expression, place);
}

static bool
read_unit(const char *text, int64_t *ret)
{
    static const struct {
        const char *name;
        int64_t us;
    } units[] = { { "", 1000000 }, { "s", 1000000 }, { "ms", 1000 }, { "us", 1 } };

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (text_equal(text, units[i].name)) {
            *ret = units[i].us;
            return true;
        }
    }
    return false;
}

/* "\sleep 10 ms", "\sleep 10ms", "\sleep :pause us". */
static bool
compile_sleep(struct compiler *compiler, const struct script_command *command)
{
    struct ctx *ctx = compiler->ctx;
    const char *place = place_of(compiler, command->line);
    bool is_variable = command->rest[0] == ':';
    size_t length =
        is_variable ? strcspn(command->rest, " \t") : strspn(command->rest, "0123456789");
    const char *number = arena_strndup(ctx->arena, command->rest, length);
    const char *unit = command->rest + length + strspn(command->rest + length, " \t");
    const struct load_template **params = ARENA_ARRAY(ctx->arena, const struct load_template *, 1);
    struct load_statement statement = {
        .fingerprint = "",
        .params = params,
        .param_count = 1,
        .line = (int32_t)command->line,
    };

    if (length < 1 || !read_unit(unit, &statement.pause_unit_us)) {
        error_set(ctx, ERR_INPUT, "%s: \\sleep needs a number or variable, and us, ms or s", place);
        return error_hint(ctx, "Like this: \\sleep 10 ms");
    }
    if (is_variable) {
        if (!resolve(compiler, number + 1, command->line, &params[0]))
            return false;
        text_list_add(ctx->arena, &compiler->named, number + 1);
    } else if (!load_world_template(ctx, compiler->world, number, place, &params[0])) {
        return false;
    }
    VEC_PUSH(ctx->arena, &compiler->statements, statement);
    return true;
}

static bool
compile_gset(struct compiler *compiler, const struct script_command *command)
{
    struct ctx *ctx = compiler->ctx;
    const char *place = place_of(compiler, command->line);
    size_t count = compiler->statements.count;
    struct gset gset = { .statement = count - 1, .prefix = command->rest };

    if (count == 0 || !compiler->statements.items[count - 1].sql) {
        error_set(ctx, ERR_INPUT, "%s: \\gset follows no statement", place);
        return error_hint(ctx, "Like this: SELECT id FROM users LIMIT 1 \\gset");
    }
    if (*gset.prefix && !is_name(gset.prefix))
        return error_set(ctx, ERR_INPUT, "%s: \\gset takes one prefix for names", place);
    VEC_PUSH(ctx->arena, &compiler->gsets, gset);
    return true;
}

static bool
compile_command(struct compiler *compiler, const struct script_command *command)
{
    struct ctx *ctx = compiler->ctx;

    if (text_equal(command->name, "set"))
        return compile_set(compiler, command);
    if (text_equal(command->name, "sleep"))
        return compile_sleep(compiler, command);
    if (text_equal(command->name, "gset"))
        return compile_gset(compiler, command);
    error_set(ctx, ERR_INPUT, "%s: \\%s is not known here", place_of(compiler, command->line),
        command->name);
    return error_hint(ctx, "A script has \\set, \\sleep and \\gset and SQL statements; what needs "
                           "more of pgbench must be run by pgbench.");
}

/* Outside of quotes SQL has none: "\;" and commands in the middle of a line are pgbench's. */
static bool
has_backslash(struct ctx *ctx, const char *text)
{
    struct sql_tokens tokens;

    if (!strchr(text, '\\'))
        return false;
    if (!sql_tokens(ctx, text, &tokens)) {
        error_clear(ctx);
        return true;
    }
    for (size_t i = 0; i < tokens.count; i++)
        if (text[tokens.items[i].start] == '\\')
            return true;
    return false;
}

/* What the session itself could not go on after. */
static bool
check_statement(const struct compiler *compiler, const struct script_statement *statement)
{
    struct ctx *ctx = compiler->ctx;
    const char *text = statement->text;
    const char *place = place_of(compiler, statement->line);

    if (strncasecmp(text, "copy", strlen("copy")) == 0 && isspace((unsigned char)text[4]) &&
        (strcasestr(text, " stdin") || strcasestr(text, " stdout"))) {
        error_set(ctx, ERR_INPUT, "%s: COPY from and to the client is not known here", place);
        return error_hint(ctx, "Use INSERT or SELECT, as the application does.");
    }
    if (has_backslash(ctx, text)) {
        error_set(ctx, ERR_INPUT, "%s: a backslash inside a statement is not known here", place);
        return error_hint(ctx, "Write each statement with its own semicolon, and commands such as "
                               "\\set in lines of their own.");
    }
    if (statement->names.count > UINT16_MAX)
        return error_set(
            ctx, ERR_INPUT, "%s: a statement can have %d parameters", place, UINT16_MAX);
    if (!statement->fingerprint)
        log_warn(
            "%s: the grammar here does not know this statement: %s", place, statement->problem);
    return true;
}

static bool
compile_statement(struct compiler *compiler, const struct script_statement *source)
{
    struct ctx *ctx = compiler->ctx;
    const struct load_template **params =
        ARENA_ARRAY(ctx->arena, const struct load_template *, source->names.count);
    struct load_statement statement = {
        .sql = source->sql,
        .fingerprint = source->fingerprint ? source->fingerprint : "",
        .params = params,
        .param_count = source->names.count,
        .line = (int32_t)source->line,
    };

    if (!check_statement(compiler, source))
        return false;
    for (size_t i = 0; i < source->names.count; i++) {
        const char *name = source->names.items[i];

        if (*name == '$') {
            if (!load_world_template(
                    ctx, compiler->world, name, place_of(compiler, source->line), &params[i]))
                return false;
            continue;
        }
        if (!resolve(compiler, name, source->line, &params[i]))
            return false;
        text_list_add(ctx->arena, &compiler->named, name);
    }
    VEC_PUSH(ctx->arena, &compiler->statements, statement);
    return true;
}

static bool
compile_all(struct compiler *compiler)
{
    const struct script *script = &compiler->script;
    size_t next = 0;

    for (size_t i = 0; i <= script->count; i++) {
        for (; next < script->command_count && script->commands[next].before <= i; next++)
            if (!compile_command(compiler, &script->commands[next]))
                return false;
        if (i < script->count && !compile_statement(compiler, &script->items[i]))
            return false;
    }
    for (size_t i = 0; i < compiler->gsets.count; i++) {
        const struct gset *gset = &compiler->gsets.items[i];
        struct load_statement *statement = &compiler->statements.items[gset->statement];

        statement->takes = gset->items;
        statement->take_count = gset->count;
    }
    if (compiler->statements.count > 0)
        return true;
    error_set(compiler->ctx, ERR_INPUT, "%s: there is no statement in it", compiler->path);
    return error_hint(
        compiler->ctx, "A script is what pgbench -f runs: \\set lines and SQL statements.");
}

/* "FILE:LINE" as its two parts; a path alone begins with its first line. */
static const char *
split_place(struct arena *arena, const char *where, int64_t *ret_line)
{
    const char *colon = strrchr(where, ':');

    *ret_line = 1;
    if (!colon || !text_to_int64(colon + 1, ret_line) || *ret_line < 1 || *ret_line > MOST_LINES) {
        *ret_line = 1;
        return where;
    }
    return arena_strndup(arena, where, (size_t)(colon - where));
}

bool
load_script_compile(struct ctx *ctx, struct load_world *world, const char *name, const char *text,
    const char *where, struct load_step *ret)
{
    static const struct text_list no_defines;
    struct compiler compiler = { .ctx = ctx, .world = world, .name = name };
    struct buffer shifted = { .arena = ctx->arena };
    size_t first = load_world_assignments(world);
    int64_t line;

    compiler.path = split_place(ctx->arena, where, &line);
    /* So that every line has the number that it has in its file. */
    for (int64_t i = 1; i < line; i++)
        buffer_append(&shifted, "\n", 1);
    buffer_add(&shifted, text);
    if (!script_read(ctx, compiler.path, buffer_text(&shifted), &no_defines, &compiler.script) ||
        !compile_all(&compiler))
        return false;
    ret->name = name;
    ret->statements = compiler.statements.items;
    ret->statement_count = compiler.statements.count;
    ret->first_assignment = first;
    ret->assignment_count = load_world_assignments(world) - first;
    return true;
}

bool
load_script_read(struct ctx *ctx, struct load_world *world, const char *name, const char *path,
    struct load_step *ret)
{
    const char *text;
    size_t length;

    if (!file_read_most(ctx, path, LARGEST_SCRIPT, &text, &length))
        return false;
    if (strlen(text) != length || !text_is_utf8(text)) {
        error_set(ctx, ERR_INPUT, "%s: this is no text in UTF-8", path);
        return error_hint(ctx, "A script is what pgbench -f runs: \\set lines and SQL statements.");
    }
    return load_script_compile(ctx, world, name, text, path, ret);
}
