/* Putting functions together: signatures, settings, quoting. */
#include "vector/install/functions.h"

#include "db/ident.h"

void
draft_argument(struct making *making, struct draft *draft, const char *name, const char *type,
    const char *standard)
{
    VEC_PUSH(making->arena, &draft->arguments,
        (struct draft_argument){ .name = name, .type = type, .standard = standard });
}

/* The name is the same for every table, so that calls are too. */
void
draft_tenant(struct making *making, struct draft *draft)
{
    if (making->target->tenant)
        draft_argument(making, draft, "assistant_id", making->target->tenant_type, NULL);
}

void
draft_question(struct making *making, struct draft *draft)
{
    draft_argument(
        making, draft, "query_vector", extension_name(making, making->target->type), NULL);
}

/* LIMIT is a word of SQL that cannot be an argument's name. */
void
draft_limit(struct making *making, struct draft *draft)
{
    draft_argument(making, draft, "result_limit", "integer",
        arena_printf(making->arena, "%d", making->target->limit > 0 ? making->target->limit : 10));
}

/* A body between dollar signs, with a tag that does not stand in it. */
static const char *
dollar_quoted(struct arena *arena, const char *body)
{
    const char *tag = "$pgmend$";

    for (int i = 1; strstr(body, tag); i++)
        tag = arena_printf(arena, "$pgmend%d$", i);
    return arena_printf(arena, "%s%s%s", tag, body, tag);
}

static const char *
signature(struct arena *arena, const struct draft *draft)
{
    struct text_list ret = { 0 };

    for (size_t i = 0; i < draft->arguments.count; i++) {
        const struct draft_argument *one = &draft->arguments.items[i];

        text_list_add(arena, &ret,
            arena_printf(arena, "%s %s%s%s", one->name, one->type, one->standard ? " DEFAULT " : "",
                one->standard ? one->standard : ""));
    }
    return text_list_join(arena, &ret, ", ");
}

static const char *
argument_types(struct arena *arena, const struct draft *draft)
{
    struct text_list ret = { 0 };

    for (size_t i = 0; i < draft->arguments.count; i++)
        text_list_add(arena, &ret, draft->arguments.items[i].type);
    return text_list_join(arena, &ret, ", ");
}

/* For a comment of one line: a name may hold anything. */
static const char *
one_line(struct arena *arena, const char *text)
{
    char *ret = arena_strdup(arena, text);

    for (char *at = ret; *at; at++)
        if (*at == '\n' || *at == '\r')
            *at = ' ';
    return ret;
}

/*
 * search_path is pinned: nobody's own operator or table of the same name is taken instead of what
 * is meant here.
 */
void
draft_finish(struct making *making, struct draft *draft)
{
    struct arena *arena = making->arena;
    struct buffer sql = { .arena = arena };
    const char *body = arena_printf(arena,
        "\n-- %s.\n-- Made by pgmend vector install for %s.\n<<own>>\n%s%s%sBEGIN\n%sEND\n",
        draft->summary, one_line(arena, vector_table(arena, making->target)),
        draft->variables ? "DECLARE\n" : "", draft->variables ? draft->variables : "",
        draft->variables ? "\n" : "", draft->body);

    buffer_printf(&sql, "CREATE OR REPLACE FUNCTION %s(%s)\nRETURNS %s\nLANGUAGE plpgsql %s\n",
        db_qualified(arena, making->schema, draft->name), signature(arena, draft), draft->returns,
        draft->manner);
    buffer_add(&sql, "SET search_path = pg_catalog, pg_temp\n");
    for (size_t i = 0; i < draft->settings.count; i++)
        buffer_printf(&sql, "SET %s\n", draft->settings.items[i]);
    buffer_printf(&sql, "AS %s", dollar_quoted(arena, body));
    VEC_PUSH(arena, &making->functions->items,
        (struct vector_function){
            .name = draft->name,
            .arguments = argument_types(arena, draft),
            .statement = buffer_text(&sql),
            .summary = draft->summary,
        });
}

void
making_leave_out(struct making *making, const char *name, const char *why)
{
    text_list_add(making->arena, &making->functions->left_out,
        arena_printf(making->arena, "%s: %s", name, why));
}

const char *
argument(struct making *making, const struct draft *draft, const char *name)
{
    return arena_printf(making->arena, "%s.%s", draft->name, name);
}

const char *
table_column(struct making *making, const char *column)
{
    return arena_printf(making->arena, "t.%s", db_ident(making->arena, column));
}

const char *
extension_name(struct making *making, const char *name)
{
    return db_qualified(making->arena, making->target->extension_schema, name);
}

const char *
distance_operator(struct making *making)
{
    return arena_printf(making->arena, "OPERATOR(%s.%s)",
        db_ident(making->arena, making->target->extension_schema),
        vector_metric_operator(making->target->metric));
}

bool
vector_functions_make(struct ctx *ctx, const struct vector_choice *choice, const char *schema,
    struct vector_functions *ret)
{
    struct making making = {
        .arena = ctx->arena,
        .choice = choice,
        .target = &choice->target,
        .schema = schema,
        .functions = ret,
    };

    *ret = (struct vector_functions){ 0 };
    if (text_is_empty(choice->target.key) || choice->target.dims <= 0)
        return error_set(ctx, ERR_CONFLICT,
            "functions over %s need a primary key of one column and a number of dimensions",
            vector_table(ctx->arena, &choice->target));
    make_parameters(&making);
    make_searches(&making);
    make_hybrid(&making);
    make_analysis(&making);
    make_advice(&making);
    make_cleanup(&making);
    return true;
}
