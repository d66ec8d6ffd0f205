/* --output: the recommended statements as a script; --plan: one of them as a function. */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "change/judge.h"
#include "change/kind.h"
#include "change/plan.h"
#include "cmd/parts/query_rewrite.h"
#include "db/ident.h"
#include "sql.h"

/* ---- the script ---- */

/* As a comment no line of a statement may end it. */
static void
add_comment(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, "-- ");
    for (; *text; text++)
        buffer_printf(buffer, *text == '\n' || *text == '\r' ? "\n--   " : "%c", *text);
    buffer_add(buffer, "\n");
}

void
query_rewrite_params(struct ctx *ctx, const struct rewrite *rewrite, struct text_list *ret)
{
    struct arena *arena = ctx->arena;

    *ret = (struct text_list){ 0 };
    if (rewrite->key_type)
        text_list_add(arena, ret, arena_printf(arena, "$1 %s[]: the keys", rewrite->key_type));
    for (size_t i = 0; i < rewrite->param_count; i++) {
        const struct rewrite_param *param = &rewrite->params[i];
        const char *of = param->child < 0
                             ? "the parent"
                             : arena_printf(arena, "statement %" PRId32, param->child + 1);

        text_list_add(arena, ret,
            arena_printf(arena, "$%zu %s: $%zu of %s%s%s", i + 1 + (rewrite->key_type != NULL),
                param->type_name ? param->type_name : "", param->slot + 1, of,
                param->text ? ", for example " : "", param->text ? param->text : ""));
    }
}

static void
add_script(struct ctx *ctx, struct buffer *buffer, const struct query_loop *loop,
    const struct query_attempt *answer)
{
    const struct proof *proof = &answer->proof;
    const struct rewrite *rewrite = &answer->rewrite;
    struct text_list params;

    add_comment(buffer, arena_printf(ctx->arena,
                            "Finding %s: form %s, the same for %" PRId64 " keys, %s times faster.",
                            loop->id ? loop->id : "(given)", rewrite_form_name(rewrite->form),
                            proof->keys, text_from_ratio(ctx->arena, proof->speed_up)));
    query_rewrite_params(ctx, rewrite, &params);
    for (size_t i = 0; i < params.count; i++)
        add_comment(buffer, params.items[i]);
    for (size_t i = 0; i < loop->shared.count; i++)
        add_comment(buffer, loop->shared.items[i]);
    buffer_printf(buffer, "%s;\n\n", rewrite->sql);
}

static bool
write_script(struct ctx *ctx, const char *path, const struct query_loops *loops)
{
    struct buffer buffer = { .arena = ctx->arena };

    for (size_t i = 0; i < loops->count; i++)
        for (size_t k = 0; k < query_loop_answer_count(&loops->items[i]); k++)
            add_script(ctx, &buffer, &loops->items[i], query_loop_answer(&loops->items[i], k));
    return file_write(ctx, path, buffer_text(&buffer), buffer.length, 0644) ||
           error_wrap(ctx, "--output");
}

/* ---- the function ---- */

static bool
split_name(struct ctx *ctx, const char *given, const char **ret_schema, const char **ret_name)
{
    const char *point = strchr(given, '.');

    *ret_schema = point ? arena_strndup(ctx->arena, given, (size_t)(point - given)) : "public";
    *ret_name = point ? point + 1 : given;
    return (**ret_schema && **ret_name && !strchr(*ret_name, '.')) ||
           error_set(ctx, ERR_USAGE, "--function \"%s\": expected NAME or SCHEMA.NAME", given);
}

static const char *
arguments_of(struct ctx *ctx, const struct rewrite *rewrite)
{
    struct text_list types = { 0 };

    if (rewrite->key_type)
        text_list_add(ctx->arena, &types, arena_printf(ctx->arena, "%s[]", rewrite->key_type));
    for (size_t i = 0; i < rewrite->param_count; i++)
        text_list_add(ctx->arena, &types, rewrite->params[i].type_name);
    return text_list_join(ctx->arena, &types, ", ");
}

/* A name for a parameter that no other one and no column of the result has. */
static const char *
free_name(
    struct ctx *ctx, const struct rewrite *rewrite, const char *wanted, struct text_list *names)
{
    const char *name = wanted;
    bool is_taken = true;

    while (is_taken) {
        is_taken = text_list_has(names, name);
        for (size_t i = 0; i < rewrite->column_count; i++)
            is_taken |= text_equal(rewrite->columns[i].name, name);
        name = is_taken ? arena_printf(ctx->arena, "%s_", name) : name;
    }
    text_list_add(ctx->arena, names, name);
    return db_ident(ctx->arena, name);
}

/* "keys integer[], user_id integer": each is named like the column that it is compared with. */
static const char *
declared_arguments(struct ctx *ctx, const struct query_loop *loop, const struct rewrite *rewrite)
{
    struct text_list names = { 0 };
    struct text_list ret = { 0 };

    if (rewrite->key_type)
        text_list_add(ctx->arena, &ret,
            arena_printf(
                ctx->arena, "%s %s[]", free_name(ctx, rewrite, "keys", &names), rewrite->key_type));
    for (size_t i = 0; i < rewrite->param_count; i++) {
        const struct rewrite_param *param = &rewrite->params[i];
        const char *sql =
            param->child < 0 ? loop->input.parent_sql : loop->input.children[param->child].sql;
        const char *name = hint_name_of(ctx->arena, sql, (int32_t)param->slot + 1);

        text_list_add(ctx->arena, &ret,
            arena_printf(ctx->arena, "%s %s",
                free_name(ctx, rewrite, name ? name : arena_printf(ctx->arena, "value_%zu", i + 1),
                    &names),
                param->type_name));
    }
    return text_list_join(ctx->arena, &ret, ", ");
}

static const char *
columns_of(struct ctx *ctx, const struct rewrite *rewrite)
{
    struct text_list columns = { 0 };

    for (size_t i = 0; i < rewrite->column_count; i++)
        text_list_add(ctx->arena, &columns,
            arena_printf(ctx->arena, "%s %s", db_ident(ctx->arena, rewrite->columns[i].name),
                rewrite->columns[i].type_name));
    return text_list_join(ctx->arena, &columns, ", ");
}

/* A tag that the body does not hold. */
static const char *
quote_body(struct ctx *ctx, const char *body)
{
    const char *tag = "$pgmend$";

    for (int i = 1; strstr(body, tag); i++)
        tag = arena_printf(ctx->arena, "$pgmend_%d$", i);
    return arena_printf(ctx->arena, "%s\n%s\n%s", tag, body, tag);
}

static bool
find_search_path(struct ctx *ctx, struct run *run, const char **ret)
{
    return db_value(ctx, run->db,
        "SELECT coalesce(pg_catalog.current_setting('pgmend.search_path', true), s.reset_val)"
        " FROM pg_catalog.pg_settings AS s WHERE s.name = 'search_path'",
        NULL, 0, ret);
}

/* Of a set each has its number behind the name. */
static bool
compose_change(struct ctx *ctx, struct run *run, const struct query_loop *loop, size_t index,
    struct change *ret)
{
    const struct query_rewrite_options *opts = run->options;
    const struct query_attempt *answer = query_loop_answer(loop, index);
    const struct rewrite *rewrite = &answer->rewrite;
    const char *arguments = arguments_of(ctx, rewrite);
    const char *schema;
    const char *name;
    const char *path;

    if (!split_name(ctx, opts->function, &schema, &name) || !find_search_path(ctx, run, &path))
        return false;
    if (loop->set)
        name = arena_printf(ctx->arena, "%s_%zu", name, index + 1);
    *ret = (struct change){
        .kind = KIND_FUNCTION,
        .schema = schema,
        .name = name,
        .arguments = arguments,
        .reason = arena_printf(ctx->arena, "%s, proven for %" PRId64 " keys, %s times faster",
            rewrite_form_name(rewrite->form), answer->proof.keys,
            text_from_ratio(ctx->arena, answer->proof.speed_up)),
        .source = "pgmend queries rewrite",
        .action = ACTION_CREATE,
        /* The names in it are found as they were when it was proven, whoever calls it. */
        .statement = arena_printf(ctx->arena,
            "CREATE OR REPLACE FUNCTION %s(%s)\nRETURNS TABLE (%s)\nLANGUAGE sql\nSTABLE\n"
            "SET search_path = %s\nAS %s",
            db_qualified(ctx->arena, schema, name), declared_arguments(ctx, loop, rewrite),
            columns_of(ctx, rewrite), text_is_empty(path) ? "''" : path,
            quote_body(ctx, rewrite->sql)),
    };
    return true;
}

static bool
add_function(struct ctx *ctx, struct run *run, const struct query_loop *loop, size_t index,
    const struct journal_entries *journal, struct plan *plan)
{
    struct change change;

    if (!compose_change(ctx, run, loop, index, &change))
        return false;
    change_compose(ctx->arena, &change);
    if (!change_kind_find(KIND_FUNCTION)->judge(ctx, run->db, journal, &change))
        return error_wrap(ctx, "planning %s", change.name);
    if (change.action == ACTION_BLOCKED) {
        error_set(ctx, ERR_CONFLICT, "function %s cannot be made: %s", change.name,
            change.problem ? change.problem : "it cannot be done");
        return change.remedy ? error_hint(ctx, "%s.", change.remedy) : false;
    }
    VEC_PUSH(ctx->arena, plan, change);
    return true;
}

static bool
write_plan(struct ctx *ctx, struct run *run, const struct query_loop *loop)
{
    const struct query_rewrite_options *opts = run->options;
    struct journal_entries journal = { 0 };
    struct plan plan = {
        .database = db_name(run->db),
        .server_version = db_version_text(run->db),
        .created_at = clock_text(ctx->arena, clock_wall_us()),
    };

    if (!journal_load(ctx, run->db, &journal) ||
        !journal_system_identifier(ctx, run->db, &plan.system_identifier))
        return false;
    for (size_t i = 0; i < query_loop_answer_count(loop); i++)
        if (!add_function(ctx, run, loop, i, &journal, &plan))
            return false;
    return plan_seal(ctx, run->db, &plan) && plan_write(ctx, opts->plan, &plan);
}

bool
query_rewrite_write(struct ctx *ctx, struct run *run, const struct query_loops *loops)
{
    const struct query_rewrite_options *opts = run->options;

    if (opts->output && !write_script(ctx, opts->output, loops))
        return false;
    if (!opts->plan)
        return true;
    if (query_loop_answer_count(&loops->items[0]) == 0)
        return true;
    return write_plan(ctx, run, &loops->items[0]);
}
