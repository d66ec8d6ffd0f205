/*
 * Vector and text together. The text side is an OR of the question's words: with AND a question in
 * natural language finds nothing nine times of ten. ts_rank with its normalisation by length was
 * better than ts_rank_cd on all of the test collections.
 */
#include "db/ident.h"
#include "vector/install/functions.h"

/* Reciprocal rank fusion; source of the constant: Cormack, Clarke and Büttcher 2009. */
enum { FUSION_K = 60, CANDIDATES = 50 };

/* A tsvector has room for 1 MB; a text of more letters is searched by its beginning. */
enum { TEXT_LETTERS = 200000 };

/* The configuration of a row: a literal, or its own column. */
static const char *
configuration(struct making *making)
{
    const struct vector_target *target = making->target;
    const char *name = text_is_empty(target->text_config) ? "simple" : target->text_config;

    if (target->is_config_column)
        return arena_printf(making->arena, "%s::regconfig", table_column(making, name));
    return arena_printf(making->arena, "%s::regconfig", db_literal(making->arena, name));
}

/* The words of the question, each quoted for tsquery, with "or" between; NULL when there is none. */
static const char *
any_word(struct making *making, const struct draft *draft, const char *config)
{
    return arena_printf(making->arena,
        "(SELECT string_agg('''' || replace(replace(l.lexeme, chr(92), repeat(chr(92), 2)),"
        " '''', '''''') || '''', ' | ') FROM unnest(to_tsvector(%s, left(%s, %d))) l)::tsquery",
        config, argument(making, draft, "query_text"), TEXT_LETTERS);
}

/*
 * The words of a chunk: stored, or made of its text, and then once for both the condition and the
 * rank. made: what makes them, joined to table t.
 */
static const char *
chunk_words(struct making *making, const char **ret_made)
{
    *ret_made = "";
    if (making->choice->text_column)
        return table_column(making, making->choice->text_column);
    *ret_made = arena_printf(making->arena,
        " CROSS JOIN LATERAL (SELECT to_tsvector(%s, left(%s::text, %d)) AS words OFFSET 0) d",
        configuration(making), table_column(making, making->target->text), TEXT_LETTERS);
    return "d.words";
}

/* The chunks with any of the words. When each row has its configuration, each has its question. */
static const char *
text_side(struct making *making, const struct draft *draft)
{
    const char *table = vector_table(making->arena, making->target);
    const char *conditions = fixed_conditions(making, draft);
    const char *key = table_column(making, making->target->key);
    const char *limit = arena_printf(
        making->arena, "GREATEST(%d, %s)", CANDIDATES, argument(making, draft, "result_limit"));
    const char *words = "own.words";
    const char *join = "";
    const char *made;
    const char *chunk = chunk_words(making, &made);

    if (making->target->is_config_column) {
        words = "w.words";
        join = arena_printf(making->arena,
            " JOIN (SELECT c.config, %s AS words FROM (SELECT DISTINCT %s AS config FROM %s t"
            " WHERE %s) c) w ON w.config = %s",
            any_word(making, draft, "c.config"), configuration(making), table, conditions,
            configuration(making));
    }
    return arena_printf(making->arena,
        "SELECT r.id, r.rank, row_number() OVER (ORDER BY r.rank DESC, r.id) AS place FROM"
        " (SELECT %s AS id, ts_rank(%s, %s, 1)::float8 AS rank FROM %s t%s%s WHERE %s AND %s @@ %s"
        " ORDER BY 2 DESC, 1 LIMIT %s) r",
        key, chunk, words, table, join, made, conditions, chunk, words, limit);
}

/* Between 0 for the worst and 1 for the best of a side. */
static const char *
min_max(struct making *making, const char *value)
{
    return arena_printf(making->arena,
        "COALESCE((%s - min(%s) OVER ()) / NULLIF(max(%s) OVER () - min(%s) OVER (), 0), 1)", value,
        value, value, value);
}

static const char *
after_vector_side(struct making *making, const struct draft *draft)
{
    const struct vector_target *target = making->target;
    const char *weight = argument(making, draft, "vector_weight");
    struct buffer ret = { .arena = making->arena };

    buffer_printf(&ret,
        ") f WHERE f.distance <> 'NaN'), text_side AS MATERIALIZED (%s), vector_share AS"
        " (SELECT s.*, %s AS share FROM vector_side s), text_share AS (SELECT s.*, %s AS share"
        " FROM text_side s), ",
        text_side(making, draft), min_max(making, "- s.distance"), min_max(making, "s.rank"));
    buffer_printf(&ret,
        "fused AS (SELECT COALESCE(v.id, x.id) AS id, CASE WHEN %s IS NULL THEN"
        " COALESCE(1 / (%d + v.place)::float8, 0) + COALESCE(1 / (%d + x.place)::float8, 0)"
        " ELSE %s * COALESCE(v.share, 0) + (1 - %s) * COALESCE(x.share, 0) END AS score"
        " FROM vector_share v FULL JOIN text_share x ON v.id = x.id) ",
        weight, FUSION_K, FUSION_K, weight, weight);
    buffer_printf(&ret,
        "SELECT r.id, r.chunk_text, r.doc_type, r.importance, r.distance, r.score FROM"
        " (SELECT %s, %s %s %s AS distance, u.score FROM fused u JOIN %s t ON %s = u.id) r"
        " ORDER BY r.score DESC, r.distance, r.id LIMIT %s",
        result_selected(making), table_column(making, target->column), distance_operator(making),
        argument(making, draft, "query_vector"), vector_table(making->arena, target),
        table_column(making, target->key), argument(making, draft, "result_limit"));
    return buffer_text(&ret);
}

static const char *
weight_guard(struct making *making, const struct draft *draft)
{
    const char *weight = argument(making, draft, "vector_weight");

    return arena_printf(making->arena,
        "    IF %s NOT BETWEEN 0 AND 1 THEN\n"
        "        RAISE EXCEPTION 'vector_weight must be between 0 and 1, and is %%; NULL means"
        " reciprocal rank fusion', %s\n"
        "            USING ERRCODE = 'invalid_parameter_value';\n"
        "    END IF;\n",
        weight, weight);
}

static struct asking
vector_side(struct making *making, const struct draft *draft)
{
    const char *limit = arena_printf(
        making->arena, "GREATEST(%d, %s)", CANDIDATES, argument(making, draft, "result_limit"));

    return (struct asking){
        .vector = argument(making, draft, "query_vector"),
        .limit = limit,
        .asked_rows = limit,
        .selected =
            arena_printf(making->arena, "%s AS id", table_column(making, making->target->key)),
        .condition =
            arena_printf(making->arena, "%s IS NOT NULL", argument(making, draft, "query_vector")),
        .before = "WITH vector_side AS MATERIALIZED (SELECT f.id, f.distance,"
                  " row_number() OVER (ORDER BY f.distance, f.id) AS place FROM (",
        .after = after_vector_side(making, draft),
    };
}

void
make_hybrid(struct making *making)
{
    struct draft draft = { .name = "search_embeddings_hybrid",
        .summary = "the best chunks of one assistant by vector and by full text together" };
    double weight = making->choice->vector_weight;
    struct asking asking;

    if (!making->target->text) {
        making_leave_out(making, draft.name, "the table has no column of texts (--text COLUMN)");
        return;
    }
    draft_tenant(making, &draft);
    draft_question(making, &draft);
    draft_argument(making, &draft, "query_text", "text", NULL);
    draft_limit(making, &draft);
    draft_argument(making, &draft, "vector_weight", "double precision",
        weight >= 0 && weight <= 1 ? arena_printf(making->arena, "%.6g", weight) : "NULL");
    asking = vector_side(making, &draft);
    if (!making->target->is_config_column)
        draft.variables = arena_printf(making->arena, "    words tsquery := %s;\n",
            any_word(making, &draft, configuration(making)));
    draft_search(making, &draft, "",
        arena_printf(
            making->arena, "%s%s", direction_guard(making, &draft), weight_guard(making, &draft)),
        &asking);
}
