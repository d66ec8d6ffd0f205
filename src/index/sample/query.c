#include "index/sample/query.h"

#include "base/interrupt.h"
#include "base/text.h"
#include "index/sample/sample_part.h"
#include "sql/sql.h"

static const char timeout[] = "2000"; /* milliseconds */

static bool
set_up(struct ctx *ctx, struct query_maker *maker, const char *path)
{
    struct sql_index_query_settings_rows settings;
    struct sql_index_query_path_rows schemas;

    if (!sql_index_query_settings(ctx, maker->db, &settings))
        return false;
    if (settings.count != 1)
        return error_set(ctx, ERR_FAILED, "the server does not tell its settings");

    const struct sql_index_query_settings *old = settings.items;

    maker->old_path = arena_strdup(maker->arena, old->search_path);
    maker->old_timeout = arena_strdup(maker->arena, old->timeout);
    maker->old_read_only = arena_strdup(maker->arena, old->is_read_only);
    maker->old_cache_mode = arena_strdup(maker->arena, old->cache_mode);
    maker->now_s = old->now_s;
    if (!sql_index_query_set(ctx, maker->db, NULL, .search_path = path ? path : old->own_path,
            .timeout = timeout, .is_read_only = "on", .cache_mode = "force_generic_plan") ||
        !sql_index_query_path(ctx, maker->db, &schemas))
        return false;
    for (size_t i = 0; i < schemas.count; i++)
        text_list_add(
            maker->arena, &maker->path, arena_strdup(maker->arena, schemas.items[i].name));
    return true;
}

bool
query_maker_begin(struct ctx *ctx, struct db *db, const struct facts *facts, const char *path,
    struct query_maker **ret)
{
    struct arena *arena = arena_new();
    struct query_maker *maker = ARENA_NEW(arena, struct query_maker);

    *ret = NULL;
    *maker = (struct query_maker){ .db = db, .facts = facts, .arena = arena };
    maker->elements.arena = arena;
    maker->enums.arena = arena;
    if (!set_up(ctx, maker, path)) {
        query_maker_end(maker);
        return error_wrap(ctx, "preparing a session that plans");
    }
    maker->is_uncounted = db_set(ctx, db, "pg_stat_statements.track", "none");
    error_clear(ctx); /* only superusers may */
    *ret = maker;
    return true;
}

void
query_maker_end(struct query_maker *maker)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };

    if (!maker)
        return;
    if (maker->old_path && db_is_connected(maker->db)) {
        int signal_number = interrupt_take(); /* which must not stop the clean-up */

        (void)!sql_index_query_set(&scratch, maker->db, NULL, .search_path = maker->old_path,
            .timeout = maker->old_timeout, .is_read_only = maker->old_read_only,
            .cache_mode = maker->old_cache_mode);
        interrupt_put(signal_number);
    }
    arena_free(maker->arena);
}

static const char *
kept(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

/* Copies what was made in scratch memory. */
static void
keep(struct arena *arena, const struct index_query *made, struct index_query *ret)
{
    *ret = (struct index_query){ .statement = made->statement,
        .sql = kept(arena, made->sql),
        .mended = kept(arena, made->mended),
        .generic_plan = kept(arena, made->generic_plan),
        .problem = kept(arena, made->problem),
        .remedy = kept(arena, made->remedy) };
    for (size_t i = 0; i < made->types.count; i++)
        VEC_PUSH(arena, &ret->types, arena_strdup(arena, made->types.items[i]));
    for (size_t i = 0; i < made->instances.count; i++) {
        struct query_instance instance = made->instances.items[i];

        instance.sql = arena_strdup(arena, instance.sql);
        instance.from = arena_strdup(arena, instance.from);
        VEC_PUSH(arena, &ret->instances, instance);
    }
}

static bool
refuse(struct index_query *query, const char *problem, const char *remedy)
{
    query->problem = problem;
    query->remedy = remedy;
    return true;
}

/* A statement without placeholders is its own instance. */
static bool
make_plain(struct ctx *ctx, struct query_maker *maker, struct index_query *query)
{
    struct sample_answer answer;
    struct query_instance instance = { .sql = query->sql,
        .share = 1,
        .from = arena_printf(ctx->arena, "constants of %s", query->statement->source) };

    if (!sample_plan(ctx, maker, query->sql, &answer))
        return false;
    if (answer.problem)
        return refuse(query, answer.problem, answer.remedy);
    query->generic_plan = answer.plan;
    VEC_PUSH(ctx->arena, &query->instances, instance);
    return true;
}

static bool
make_prepared(struct ctx *ctx, struct query_maker *maker, struct sample_text *text, size_t count,
    struct index_query *query)
{
    struct sample_places places;
    struct sample_answer answer;
    struct sample_answer seen;

    sample_find_places(ctx, maker, text->sql, count, &places);
    if (!sample_ask(ctx, maker, text, &places, &answer) ||
        !sample_seen(ctx, maker, query->statement, query, &seen))
        return false;
    query->sql = text->sql;
    query->generic_plan = answer.plan;
    for (size_t i = 0; i < answer.types.count; i++)
        VEC_PUSH(ctx->arena, &query->types, answer.types.items[i]);
    if (query->instances.count > 0)
        return true;
    if (answer.problem)
        return refuse(query, answer.problem, answer.remedy);
    return sample_instances(ctx, maker, &places, &answer, query);
}

static bool
make(struct ctx *ctx, struct query_maker *maker, struct index_query *query)
{
    const struct intake_statement *statement = query->statement;
    struct sample_text text;

    sample_unwrap(ctx, statement->text, &text);
    query->sql = text.sql;
    /* A cursor's query and the like count as utility statements, but can be planned. */
    if (statement->problem && (text.mended.count == 0 || !strstr(statement->problem, "utility")))
        return refuse(query, statement->problem, text.remedy);
    if (text.problem)
        return refuse(query, text.problem, text.remedy);
    sample_mend(ctx, &text);
    query->sql = text.sql;

    size_t count = sample_count_params(ctx, text.sql);
    bool is_made;

    error_clear(ctx);
    if (count > SAMPLE_MOST_PARAMS)
        return refuse(query,
            arena_printf(ctx->arena, "it has %zu placeholders, more than the %d that there can be",
                count, (int)SAMPLE_MOST_PARAMS),
            "Give the values as one array, = ANY ($1).");
    if (count == 0)
        is_made = make_plain(ctx, maker, query);
    else
        is_made = make_prepared(ctx, maker, &text, count, query);
    if (text.mended.count > 0)
        query->mended = text_list_join(ctx->arena, &text.mended, "; ");
    return is_made;
}

bool
query_make(struct ctx *ctx, struct query_maker *maker, const struct intake_statement *statement,
    struct index_query *ret)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    struct index_query made = { .statement = statement };

    *ret = (struct index_query){ .statement = statement };
    if (!make(&scratch, maker, &made)) {
        error_set(ctx, scratch.error.kind, "%s", scratch.error.message);
        return error_wrap(ctx, "planning the statement of %s", statement->source);
    }
    keep(ctx->arena, &made, ret);
    return true;
}
