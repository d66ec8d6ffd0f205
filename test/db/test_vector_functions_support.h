/* Tables as ReplyX has them, and the functions installed over them as their statements stand. */
#pragma once

#include "test_vector_bench.h"
#include "vector/install/install.h"

enum { FUNCTION_DIMS = 32 };

/*
 * Assistant 1 has 600 chunks, 2 has 120, 3 has 7; ten have none. The text of a chunk has a few of
 * the words below, so that some of them are rare.
 */
static const char *const replyx_sql[] = {
    "SELECT pg_catalog.setseed(0.5)",
    "CREATE TABLE public.knowledge_embeddings (id serial PRIMARY KEY, user_id int NOT NULL,"
    " assistant_id int, doc_id int, chunk_index int, chunk_text text NOT NULL,"
    " embedding public.vector(32) NOT NULL, doc_type varchar(30), importance int NOT NULL"
    " DEFAULT 10, chunk_hash varchar(64), language regconfig NOT NULL DEFAULT 'russian')",
    "INSERT INTO public.knowledge_embeddings (user_id, assistant_id, doc_id, chunk_index,"
    " chunk_text, embedding, doc_type, importance, chunk_hash)"
    " SELECT 1, CASE WHEN g <= 600 THEN 1 WHEN g <= 720 THEN 2 WHEN g <= 727 THEN 3 END, g / 7, g,"
    " 'Кусок ' || g || ': ' || (SELECT pg_catalog.string_agg((ARRAY['доставка', 'оплата',"
    " 'возврат', 'гарантия', 'договор', 'курьер', 'склад', 'цена', 'скидка', 'it''s \\ слово'])"
    "[1 + pg_catalog.floor(10 * pg_catalog.power(pg_catalog.random(), 2))::int], ' ')"
    " FROM pg_catalog.generate_series(1, 4 + g % 5)),"
    " (SELECT ('[' || pg_catalog.string_agg((pg_catalog.random() - 0.5)::text, ',') || ']')"
    "::public.vector FROM pg_catalog.generate_series(1, 32 + 0 * g)),"
    " CASE g % 4 WHEN 0 THEN NULL WHEN 1 THEN 'summary' WHEN 2 THEN 'договор' ELSE 'faq' END,"
    " 1 + g % 10, pg_catalog.md5(g::text)"
    " FROM pg_catalog.generate_series(1, 737) g",
    "ANALYZE public.knowledge_embeddings",
};

static inline struct vector_target
replyx_target(void)
{
    static struct vector_filter filters[] = { { "importance", "integer", ">=", "5" } };

    return (struct vector_target){ .schema = "public",
        .table = "knowledge_embeddings",
        .key = "id",
        .key_type = "integer",
        .column = "embedding",
        .type = "vector",
        .dims = FUNCTION_DIMS,
        .tenant = "assistant_id",
        .tenant_type = "integer",
        .filters = { filters, 1, 1 },
        .limit = 10,
        .text = "chunk_text",
        .text_config = "russian",
        .importance = "importance",
        .doc_type = "doc_type",
        .chunk_hash = "chunk_hash",
        .extension_schema = "public",
        .extension_version = "0.8.0",
        .extension_number = 800,
        .rows = 737,
        .storage = "extended" };
}

static inline void
replyx_set_up(struct bench *bench)
{
    for (size_t i = 0; i < COUNT_OF(replyx_sql); i++)
        bench_exec(bench, replyx_sql[i]);
}

/* Makes the columns and indexes of a method, at once. */
static inline void
build_parts(struct bench *bench, const struct vector_target *target,
    const struct vector_method *method, const char *tenant)
{
    struct arena *arena = bench->ctx.arena;
    const char *table = vector_table(arena, target);
    struct vector_parts parts;

    vector_method_parts(arena, target, method, tenant, "", &parts);
    for (size_t i = 0; i < parts.columns.count; i++) {
        const struct vector_extra_column *column = &parts.columns.items[i];
        const char *name = db_ident(arena, column->name);

        bench_exec(bench,
            arena_printf(arena, "ALTER TABLE %s ADD COLUMN %s %s", table, name, column->type));
        bench_exec(
            bench, arena_printf(arena, "UPDATE %s SET %s = %s", table, name, column->expression));
    }
    for (size_t i = 0; i < parts.indexes.count; i++)
        bench_exec(bench, arena_printf(arena, "CREATE INDEX %s ON %s %s",
                              db_ident(arena, parts.indexes.items[i].name), table,
                              parts.indexes.items[i].definition));
}

static inline struct vector_functions
install(struct bench *bench, const struct vector_choice *choice, const char *schema)
{
    struct vector_functions functions;

    bench_exec(bench, "SET client_min_messages = warning");
    bench_exec(
        bench, arena_printf(bench->ctx.arena, "SELECT '[1]'::%s",
                   db_qualified(bench->ctx.arena, choice->target.extension_schema, "vector")));
    must(bench, vector_functions_make(&bench->ctx, choice, schema, &functions));
    for (size_t i = 0; i < functions.items.count; i++)
        bench_exec(bench, functions.items.items[i].statement);
    return functions;
}

/* The two statements give the same; both an aggregate to one text. */
static inline void
same(struct bench *bench, const char *call, const char *oracle)
{
    const char *found = bench_value(bench, call);
    const char *truth = bench_value(bench, oracle);

    if (!truth)
        fail_msg("the oracle gives nothing: %s", oracle);
    if (!text_equal(found, truth))
        fail_msg("%s\n  gives %s\n  not   %s", call, found ? found : "nothing", truth);
}

#define sql_of(bench, ...) arena_printf((bench)->ctx.arena, __VA_ARGS__)

/* A question: a stored vector, moved. */
static inline const char *
question_near(struct bench *bench, int id)
{
    return db_literal(bench->ctx.arena,
        bench_value(bench,
            sql_of(bench,
                "SELECT (embedding OPERATOR(public.+) (SELECT ('[' || string_agg((0.2 *"
                " sin(g * %d))::text, ',') || ']')::public.vector FROM generate_series(1, 32) g))"
                "::text FROM public.knowledge_embeddings WHERE id = %d",
                id, id)));
}
