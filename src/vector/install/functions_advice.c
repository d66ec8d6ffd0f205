/* The profiles of the session, and what to do next. */
#include <inttypes.h>

#include "db/ident.h"
#include "vector/install/functions.h"

enum { VERSION_ITERATION = 800 };

struct profile {
    const char *name;
    int probes;
    int ef_search;
    const char *iteration;
};

/* The plan's own numbers. A filter leaves too few rows unless the scan goes on: iteration. */
static const struct profile profiles[] = {
    { "fast", 1, 40, "off" },
    { "balanced", 10, 100, "relaxed_order" },
    { "accurate", 20, 200, "relaxed_order" },
};

/* set_config() of one, and its part of the answer. */
static void
add_setting(struct making *making, const struct draft *draft, const char *name, const char *value,
    struct buffer *ret)
{
    buffer_printf(ret,
        "        PERFORM set_config('%s', '%s', %s);\n"
        "        own.told := concat_ws(', ', own.told, '%s = %s');\n",
        name, value, argument(making, draft, "is_local"), name, value);
}

static bool
depends_on_profile(const struct vector_choice *choice)
{
    bool ret = choice->base.family == FAMILY_HNSW || choice->base.family == FAMILY_IVFFLAT;

    return ret || choice->specials.count > 0;
}

static const char *
profile_body(struct making *making, const struct draft *draft)
{
    struct arena *arena = making->arena;
    const char *profile = argument(making, draft, "profile");
    const char *local = argument(making, draft, "is_local");
    struct buffer ret = { .arena = arena };

    /* Reading a vector loads pgvector, so that its settings are known and checked. */
    buffer_printf(&ret, "    PERFORM '[1]'::%s;\n    %s := COALESCE(%s, false);\n",
        extension_name(making, "vector"), local, local);
    for (size_t i = 0; i < COUNT_OF(profiles); i++) {
        buffer_printf(
            &ret, "    %s %s = '%s' THEN\n", i == 0 ? "IF" : "ELSIF", profile, profiles[i].name);
        add_setting(
            making, draft, "ivfflat.probes", arena_printf(arena, "%d", profiles[i].probes), &ret);
        add_setting(making, draft, "hnsw.ef_search",
            arena_printf(arena, "%d", profiles[i].ef_search), &ret);
        if (making->target->extension_number < VERSION_ITERATION)
            continue;
        add_setting(making, draft, "ivfflat.iterative_scan", profiles[i].iteration, &ret);
        add_setting(making, draft, "hnsw.iterative_scan", profiles[i].iteration, &ret);
    }
    buffer_printf(&ret,
        "    ELSE\n"
        "        RAISE EXCEPTION 'unknown profile %%: there are fast, balanced and accurate',"
        " COALESCE(quote_literal(%s), 'NULL')\n"
        "            USING ERRCODE = 'invalid_parameter_value';\n"
        "    END IF;\n",
        profile);
    buffer_printf(&ret,
        "    RETURN %s || ': ' || own.told || CASE WHEN %s THEN ', until the end of the transaction'"
        " ELSE ', for the session' END || %s;\n",
        profile, local,
        db_literal(arena,
            arena_printf(arena, "; the installed functions search by %s and %s",
                vector_method_name(arena, &making->choice->base),
                depends_on_profile(making->choice) ? "keep the settings they were measured with"
                                                   : "do not depend on it")));
    return buffer_text(&ret);
}

void
make_parameters(struct making *making)
{
    struct draft draft = { .name = "set_vector_search_params",
        .summary = "sets how thoroughly approximate indexes search: fast, balanced, accurate",
        .returns = "text",
        .manner = "VOLATILE",
        .variables = "    told text;" };

    draft_argument(making, &draft, "profile", "text", NULL);
    draft_argument(making, &draft, "is_local", "boolean", "false");
    draft.body = profile_body(making, &draft);
    draft_finish(making, &draft);
}

/* What was measured, in lines. */
static const char *
measured_text(struct making *making)
{
    struct arena *arena = making->arena;
    const struct vector_choice *choice = making->choice;
    struct buffer ret = { .arena = arena };

    buffer_printf(&ret, "Installed: %s", vector_method_name(arena, &choice->base));
    for (size_t i = 0; i < choice->specials.count; i++)
        buffer_printf(&ret, "\nFor %zu with an index of their own: %s",
            choice->specials.items[i].tenants.count,
            vector_method_name(arena, &choice->specials.items[i].method));
    if (!text_is_empty(choice->chosen_at))
        buffer_printf(&ret, "\nMeasured: %s", choice->chosen_at);
    for (size_t i = 0; i < choice->expected.count; i++) {
        const struct vector_expectation *one = &choice->expected.items[i];

        buffer_printf(&ret, "\n  %s: recall %.4f, 95 %% of the searches within %.1f ms",
            one->bucket ? one->bucket : "all", one->measure.recall.value,
            one->measure.wall_us_p95.value / 1000);
    }
    if (!text_is_empty(choice->why))
        buffer_printf(&ret, "\nWhy: %s", choice->why);
    if (!text_is_empty(choice->retune))
        buffer_printf(&ret, "\nWhen to tune again: %s", choice->retune);
    return buffer_text(&ret);
}

/* What exact search wants, as SQL text for the end of a sentence. */
static const char *
exact_index(struct making *making)
{
    const struct vector_method exact = { .family = FAMILY_EXACT };
    struct vector_parts parts;

    vector_method_parts(making->arena, making->target, &exact, NULL, "", &parts);
    if (parts.indexes.count == 0)
        return "'.'";
    return db_literal(making->arena,
        arena_printf(making->arena, ", with an index on %s for what the searches filter by: %s.",
            vector_table(making->arena, making->target), parts.indexes.items[0].definition));
}

/*
 * Without a measurement: what was best in ours by the size of the largest assistant. Bits need
 * many dimensions and an angle.
 */
static const char *
rule_of_thumb(struct making *making)
{
    enum { FEW = 1000, MANY = 20000, BITS_DIMENSIONS = 768 };
    const struct vector_target *target = making->target;
    const struct vector_method bits = { .family = FAMILY_BITS, .candidates = 100 };
    bool has_bits =
        target->dims >= BITS_DIMENSIONS && !vector_method_problem(making->arena, target, &bits);
    const char *middle = has_bits ? "stored bits with a covering index, the best 100 ranked again"
                                  : "exact search over a column with STORAGE PLAIN";

    return arena_printf(making->arena,
        "    RETURN format('Installed: exact search; nobody has measured yet. There are %%s rows"
        " with a vector of %d dimensions%s. ', own.total, own.largest)\n"
        "        || CASE WHEN own.largest <= %d THEN 'So few rows are best searched exactly' || %s\n"
        "                WHEN own.largest <= %d THEN 'For sizes like these the rule of thumb is %s.'\n"
        "                ELSE 'For sizes like these the rule of thumb is %s, and an hnsw index of"
        " its own for each with more than %d rows.' END\n"
        "        || ' A rule of thumb knows nothing of your vectors: run pgmend vector tune, which"
        " measures.';\n",
        target->dims, target->tenant ? ", the largest assistant has %s" : ", all searched at once",
        FEW, exact_index(making), MANY, middle, middle, MANY);
}

void
make_advice(struct making *making)
{
    struct draft draft = { .name = "auto_tune_vector_search",
        .summary = "which way to search is recommended, and on what grounds",
        .returns = "text",
        .manner = "STABLE PARALLEL SAFE" };
    const struct vector_target *target = making->target;
    const char *tenant = target->tenant ? table_column(making, target->tenant) : "1";

    if (making->choice->was_measured) {
        draft.body = arena_printf(
            making->arena, "    RETURN %s;\n", db_literal(making->arena, measured_text(making)));
    } else {
        draft.variables = "    total bigint;\n    largest bigint;";
        draft.body = arena_printf(making->arena,
            "    SELECT COALESCE(sum(s.rows), 0), COALESCE(max(s.rows), 0) INTO own.total,"
            " own.largest\n"
            "      FROM (SELECT count(*) AS rows FROM %s t WHERE %s IS NOT NULL GROUP BY %s) s;\n%s",
            vector_table(making->arena, target), table_column(making, target->column),
            target->tenant ? tenant : "()", rule_of_thumb(making));
    }
    draft_finish(making, &draft);
}
