/* The plain searches: basic, by document type, in several stages, many questions at once. */
#include "db/ident.h"
#include "vector/install/functions.h"

/* The first stage of the plan's several stages takes this many times the rows asked for. */
enum { STAGE_FACTOR = 5 };

static const char *
after_columns(struct making *making, const char *first)
{
    return arena_printf(making->arena,
        "SELECT %sf.id, f.chunk_text, f.doc_type, f.importance, f.distance, %s FROM (", first,
        similarity(making, "f.distance"));
}

static struct asking
plain_asking(struct making *making, const struct draft *draft)
{
    return (struct asking){
        .vector = argument(making, draft, "query_vector"),
        .limit = argument(making, draft, "result_limit"),
        .asked_rows = argument(making, draft, "result_limit"),
        .selected = result_selected(making),
        .before = after_columns(making, ""),
        .after = ") f ORDER BY f.distance, f.id",
    };
}

/* Nothing is near no question. */
static const char *
question_guard(struct making *making, const struct draft *draft)
{
    return arena_printf(making->arena, "    IF %s IS NULL THEN\n        RETURN;\n    END IF;\n%s",
        argument(making, draft, "query_vector"), direction_guard(making, draft));
}

static const struct vector_filter *
importance_filter(const struct vector_target *target)
{
    for (size_t i = 0; i < target->filters.count; i++) {
        if (text_equal(target->filters.items[i].column, target->importance))
            return &target->filters.items[i];
    }
    return NULL;
}

/*
 * The bound is a number of any kind. Whole numbers are compared with the next whole one, so that
 * an index on the column can be used. With the plan for the values at hand the first part is gone
 * before anything runs.
 */
static const char *
importance_condition(struct making *making, const struct draft *draft)
{
    const struct vector_filter *filter = importance_filter(making->target);
    const char *least = argument(making, draft, "min_importance");
    const char *bound = least;

    if (filter && (text_equal(filter->type, "integer") || text_equal(filter->type, "bigint") ||
                      text_equal(filter->type, "smallint")))
        bound = arena_printf(making->arena, "ceil(%s)::bigint", least);
    return arena_printf(making->arena, "%s IS NULL OR %s >= %s", least,
        table_column(making, making->target->importance), bound);
}

/*
 * Whether a call asks for more than the least importance that was measured; where none was, every
 * bound is more.
 */
static const char *
importance_beyond(struct making *making, const struct draft *draft)
{
    const struct vector_filter *filter = importance_filter(making->target);
    const char *least = argument(making, draft, "min_importance");

    if (filter && filter->value &&
        (text_equal(filter->operator, ">=") || text_equal(filter->operator, ">")))
        return arena_printf(
            making->arena, "%s > %s", least, db_literal(making->arena, filter->value));
    return arena_printf(making->arena, "%s IS NOT NULL", least);
}

static void
make_basic(struct making *making)
{
    struct draft draft = { .name = "search_embeddings_basic",
        .summary = "the nearest chunks of one assistant, nearest first" };
    struct asking asking;

    draft_tenant(making, &draft);
    draft_question(making, &draft);
    draft_limit(making, &draft);
    asking = plain_asking(making, &draft);
    if (making->target->importance) {
        draft_argument(making, &draft, "min_importance", "double precision", "NULL");
        asking.condition = importance_condition(making, &draft);
        asking.beyond = importance_beyond(making, &draft);
    }
    draft_search(making, &draft, "", question_guard(making, &draft), &asking);
}

static void
make_by_doc_type(struct making *making)
{
    struct draft draft = { .name = "search_embeddings_by_doc_type",
        .summary = "the nearest chunks of one assistant among some types of documents" };
    struct asking asking;

    if (!making->target->doc_type) {
        making_leave_out(making, draft.name, "the table has no column of document types");
        return;
    }
    draft_tenant(making, &draft);
    draft_question(making, &draft);
    draft_argument(making, &draft, "doc_types", "text[]", NULL);
    draft_limit(making, &draft);
    asking = plain_asking(making, &draft);
    asking.condition = arena_printf(making->arena, "%s::text = ANY (%s)",
        table_column(making, making->target->doc_type), argument(making, &draft, "doc_types"));
    asking.is_narrowed = true;
    draft_search(making, &draft, "", question_guard(making, &draft), &asking);
}

/*
 * The plan's formula. What a document type is worth it does not say: a chunk of a known type has
 * the whole tenth, one of an unknown type none of it.
 */
static const char *
plan_score(struct making *making)
{
    const char *type =
        making->target->doc_type ? " + CASE WHEN c.doc_type IS NULL THEN 0 ELSE 0.1 END" : "";

    return arena_printf(making->arena,
        "(0.6 * %s + 0.3 * COALESCE(c.importance, 0)::float8 / 10%s)::float8",
        similarity(making, "c.distance"), type);
}

static const char *
before_multi_stage(struct making *making, const char *exact_distance)
{
    return arena_printf(making->arena,
        "SELECT f.id, f.chunk_text, f.doc_type, f.importance, f.distance, f.score FROM"
        " (SELECT c.*, %s AS score FROM (SELECT c.id, c.chunk_text, c.doc_type, c.importance, %s AS"
        " distance FROM (",
        plan_score(making), exact_distance);
}

static void
make_multi_stage(struct making *making)
{
    struct draft draft = { .name = "search_embeddings_multi_stage",
        .summary = "the nearest chunks of one assistant, then ordered by 0.6 similarity"
                   " + 0.3 importance/10 + 0.1 document type" };
    struct arena *arena = making->arena;
    struct asking asking;
    const char *wanted;

    if (!making->target->importance) {
        making_leave_out(making, draft.name, "the table has no column of importance");
        return;
    }
    draft_tenant(making, &draft);
    draft_question(making, &draft);
    draft_limit(making, &draft);
    asking = plain_asking(making, &draft);
    wanted = asking.limit;
    asking.limit = arena_printf(arena, "%s::bigint * %d", wanted, STAGE_FACTOR);
    asking.asked_rows = asking.limit;
    asking.before_of = before_multi_stage;
    asking.after = arena_printf(
        arena, ") c) c) f ORDER BY f.score DESC NULLS LAST, f.distance, f.id LIMIT %s", wanted);
    draft_search(making, &draft, "", question_guard(making, &draft), &asking);
}

/* Of all questions; without a direction none has an answer under cosine. */
static const char *
batch_guard(struct making *making, const struct draft *draft)
{
    if (making->target->metric != METRIC_COSINE)
        return "";
    return arena_printf(making->arena,
        "    own.wrong := (SELECT min(q.number) FROM unnest(%s)"
        " WITH ORDINALITY AS q (vector, number)\n        WHERE %s(q.vector) = 0);\n"
        "    IF own.wrong IS NOT NULL THEN\n"
        "        RAISE EXCEPTION 'vector number %% of query_vectors has length zero: nothing is at"
        " a cosine distance from it', own.wrong\n"
        "            USING ERRCODE = 'invalid_parameter_value';\n"
        "    END IF;\n",
        argument(making, draft, "query_vectors"), length_function(making));
}

static void
make_batch(struct making *making)
{
    struct draft draft = { .name = "batch_vector_search",
        .summary = "the nearest chunks of one assistant for each of many questions",
        .variables = "    wrong bigint;\n" };
    struct arena *arena = making->arena;
    struct asking asking;
    const char *vectors;

    draft_tenant(making, &draft);
    draft_argument(making, &draft, "query_vectors",
        arena_printf(arena, "%s[]", extension_name(making, making->target->type)), NULL);
    draft_limit(making, &draft);
    vectors = argument(making, &draft, "query_vectors");
    asking = plain_asking(making, &draft);
    asking.vector = "q.vector";
    asking.condition = "q.vector IS NOT NULL";
    asking.before = arena_printf(arena,
        "SELECT f.* FROM (SELECT q.number::integer AS query_number, s.id, s.chunk_text, s.doc_type,"
        " s.importance, s.distance, %s AS score FROM unnest(%s) WITH ORDINALITY AS q (vector,"
        " number) CROSS JOIN LATERAL (",
        similarity(making, "s.distance"), vectors);
    asking.after = ") s) f ORDER BY f.query_number, f.distance, f.id";
    draft_search(making, &draft, "query_number integer, ", batch_guard(making, &draft), &asking);
}

void
make_searches(struct making *making)
{
    make_basic(making);
    make_multi_stage(making);
    make_by_doc_type(making);
    make_batch(making);
}
