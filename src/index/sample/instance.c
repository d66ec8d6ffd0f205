/* A statement with constants for its $n. */
#include "base/text.h"
#include "db/ident.h"
#include "index/sample/sample_part.h"

enum { LISTED = 3, MOST_TOLD = 8 };

struct writer {
    struct ctx *ctx;
    struct query_maker *maker;
    const struct sample_places *places;
    const struct sample_answer *answer;
    const char *sql;
    struct sql_tokens tokens;
    struct sample_values *values; /* of each $n */
    bool *is_there;               /* whether the text has it */
};

static const char *
type_of(const struct writer *writer, size_t number)
{
    return number <= writer->answer->types.count ? writer->answer->types.items[number - 1]
                                                 : "unknown";
}

static bool
is_count(const struct sample_place *place)
{
    return place->role == SAMPLE_LIMIT || place->role == SAMPLE_OFFSET;
}

/* 'value'::type; db_literal() quotes, the server's own wording names the type. */
static const char *
literal(const struct writer *writer, const char *value, const char *type)
{
    struct arena *arena = writer->ctx->arena;
    const char *text = value ? db_literal(arena, value) : "NULL";

    return text_equal(type, "unknown") ? text : arena_printf(arena, "%s::%s", text, type);
}

/* The other values of a list that PostgreSQL 18 shows one of. */
static bool
write_squashed(const struct writer *writer, size_t number, struct buffer *buffer)
{
    struct sample_places places = *writer->places;
    struct sample_place place = places.items[number - 1];

    places.items = ARENA_ARRAY(writer->ctx->arena, struct sample_place, places.count);
    for (size_t i = 1; i < LISTED; i++) {
        struct sample_values values;
        const char *type = type_of(writer, number);

        place.ordinal = i;
        places.items[number - 1] = place;
        if (!sample_find_values(writer->ctx, writer->maker, &places, number, type, &values))
            return false;
        buffer_printf(buffer, ", %s", literal(writer, values.items[0].text, type));
    }
    return true;
}

/* The value that stands for most of the calls. */
static size_t
commonest(const struct sample_values *values)
{
    size_t best = 0;

    for (size_t i = 1; values->is_skewed && i < values->count; i++)
        if (values->items[i].share > values->items[best].share)
            best = i;
    return best;
}

/*
 * The text with the nth value of the $n that leads. All others have the value of most calls: the commonest
 * values of several columns come together in hardly any call.
 */
static bool
write_instance(const struct writer *writer, const struct sample_values *lead, size_t nth,
    bool wants_null, const char **ret)
{
    struct sample_edits edits = { 0 };

    for (size_t i = 0; i < writer->tokens.count; i++) {
        const struct sql_token *token = &writer->tokens.items[i];
        size_t number =
            token->kind == SQL_PARAM ? strtoul(writer->sql + token->start + 1, NULL, 10) : 0;
        struct buffer buffer = { .arena = writer->ctx->arena };
        bool is_indexed =
            i + 1 < writer->tokens.count && writer->sql[writer->tokens.items[i + 1].start] == '[';

        if (number == 0 || number > writer->places->count)
            continue;

        const struct sample_place *place = &writer->places->items[number - 1];
        const struct sample_values *values = &writer->values[number - 1];
        const char *value = values->items[values == lead ? nth : commonest(values)].text;

        if (wants_null && !place->column && place->role <= SAMPLE_ARGUMENT)
            value = NULL;
        /* FETCH FIRST takes a plain number only. */
        if (!is_count(place))
            value = literal(writer, value, type_of(writer, number));
        buffer_printf(&buffer, is_indexed ? "(%s)" : "%s", value);
        if (place->is_squashed && !write_squashed(writer, number, &buffer))
            return false;
        VEC_PUSH(writer->ctx->arena, &edits,
            (struct sample_edit){
                .start = token->start, .end = token->end, .text = buffer_text(&buffer) });
    }
    *ret = sample_edited(writer->ctx->arena, writer->sql, &edits);
    return true;
}

/* The $n whose values the instances differ by: the one with the most uneven shares. */
static const struct sample_values *
leading(const struct writer *writer)
{
    const struct sample_values *best = NULL;

    for (size_t i = 0; i < writer->places->count; i++) {
        const struct sample_values *values = &writer->values[i];

        if (writer->is_there[i] && values->is_skewed &&
            (!best || values->count > best->count ||
                (values->count == best->count && values->items[0].share > best->items[0].share)))
            best = values;
    }
    return best;
}

static const char *
from_text(const struct writer *writer)
{
    struct arena *arena = writer->ctx->arena;
    struct text_list parts = { 0 };
    struct text_list defaults = { 0 };

    for (size_t i = 0; i < writer->places->count; i++) {
        const char *from = writer->values[i].from;

        if (!writer->is_there[i])
            continue;
        if (!from && defaults.count <= MOST_TOLD)
            text_list_add(arena, &defaults,
                defaults.count < MOST_TOLD ? arena_printf(arena, "$%zu", i + 1) : "…");
        else if (from && !text_list_has(&parts, from))
            text_list_add(arena, &parts, from);
    }
    if (defaults.count > 0)
        text_list_add(arena, &parts,
            arena_printf(arena, "made up: %s", text_list_join(arena, &defaults, ", ")));
    return parts.count > 0 ? text_list_join(arena, &parts, "; ") : "no placeholders are left";
}

static void
add_instance(
    struct arena *arena, struct index_query *query, const char *sql, double share, const char *from)
{
    struct query_instance instance = { .sql = sql, .share = share, .from = from };

    for (size_t i = 0; i < query->instances.count; i++) {
        if (strcmp(query->instances.items[i].sql, sql) == 0) {
            query->instances.items[i].share += share;
            return;
        }
    }
    VEC_PUSH(arena, &query->instances, instance);
}

static void
even_out(struct index_query *query)
{
    double total = 0;

    for (size_t i = 0; i < query->instances.count; i++)
        total += query->instances.items[i].share;
    for (size_t i = 0; i < query->instances.count; i++)
        query->instances.items[i].share = total > 0 ? query->instances.items[i].share / total
                                                    : 1 / (double)query->instances.count;
}

static bool
try_instances(const struct writer *writer, bool wants_null, struct index_query *query)
{
    const struct sample_values *lead = leading(writer);
    const char *from = from_text(writer);
    size_t count = lead ? lead->count : 1;

    query->problem = NULL;
    for (size_t i = 0; i < count; i++) {
        struct sample_answer answer;
        const char *sql;

        if (!write_instance(writer, lead, i, wants_null, &sql) ||
            !sample_check(writer->ctx, writer->maker, sql, &answer))
            return false;
        if (!answer.problem) {
            add_instance(writer->ctx->arena, query, sql, lead ? lead->items[i].share : 1, from);
        } else if (!query->problem) {
            query->problem = answer.problem;
            query->remedy = answer.remedy;
        }
    }
    if (query->instances.count > 0) {
        query->problem = NULL;
        query->remedy = NULL;
    }
    even_out(query);
    return true;
}

bool
sample_instances(struct ctx *ctx, struct query_maker *maker, const struct sample_places *places,
    const struct sample_answer *answer, struct index_query *query)
{
    struct writer writer = { .ctx = ctx,
        .maker = maker,
        .places = places,
        .answer = answer,
        .sql = query->sql,
        .values = ARENA_ARRAY(ctx->arena, struct sample_values, places->count + 1),
        .is_there = ARENA_ARRAY(ctx->arena, bool, places->count + 1) };

    if (!sample_tokens(ctx, query->sql, &writer.tokens)) {
        query->problem = ctx->error.message;
        query->remedy = "The scanner of pgmend does not know this syntax: give the statement with "
                        "constants.";
        error_clear(ctx);
        return true;
    }
    sample_find_params(query->sql, &writer.tokens, writer.is_there, places->count);
    for (size_t i = 0; i < places->count; i++)
        if (!sample_find_values(
                ctx, maker, places, i + 1, type_of(&writer, i + 1), &writer.values[i]))
            return false;
    if (!try_instances(&writer, false, query))
        return false;
    /* A function may refuse what it was given, when the planner computes it; NULL it mostly takes. */
    return !query->problem || try_instances(&writer, true, query);
}

bool
sample_seen(struct ctx *ctx, struct query_maker *maker, const struct intake_statement *statement,
    struct index_query *query, struct sample_answer *ret_problem)
{
    struct text_list texts = { 0 };

    *ret_problem = (struct sample_answer){ 0 };
    for (size_t i = 0; i < statement->samples.count; i++) {
        struct sample_text text;

        sample_unwrap(ctx, statement->samples.items[i], &text);
        if (!text.problem && !text_list_has(&texts, text.sql) &&
            sample_count_params(ctx, text.sql) == 0)
            text_list_add(ctx->arena, &texts, text.sql);
    }

    size_t count = texts.count < QUERY_MOST_INSTANCES ? texts.count : (size_t)QUERY_MOST_INSTANCES;

    for (size_t i = 0; i < count; i++) {
        /* The first, the last, and what is in the middle. */
        size_t at = count > 1 ? i * (texts.count - 1) / (count - 1) : 0;
        struct sample_answer answer;

        if (!sample_check(ctx, maker, texts.items[at], &answer))
            return false;
        if (answer.problem)
            *ret_problem = answer;
        else
            add_instance(ctx->arena, query, texts.items[at], 1,
                arena_printf(ctx->arena, "seen in %s", statement->source));
    }
    even_out(query);
    return true;
}
