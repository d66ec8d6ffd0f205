/*
 * What the server says of a statement. PREPARE and EXPLAIN EXECUTE under plan_cache_mode = force_generic_plan
 * are used on all versions: EXPLAIN (GENERIC_PLAN) of 16 gives no types, and cannot be sent by the extended
 * protocol, which takes the $n for its own.
 */
#include <ctype.h>

#include "base/text.h"
#include "db/ident.h"
#include "index/sample/sample_part.h"
#include "sql/sql.h"

enum { MOST_TRIES = 24 };

static const char prepared[] = "pgmend_query";

struct remedy {
    const char *sqlstate; /* a code, or a class of two characters */
    const char *text;
};

static const struct remedy remedies[] = {
    { "42501", "Run as a role that may read these tables, or GRANT SELECT on them." },
    { "42P01",
        "The relation was dropped, renamed or temporary, or the search_path of the application is "
        "another one: give that." },
    { "3F000", "The schema was dropped or renamed." },
    { "42703", "The column was dropped or renamed, or belonged to a temporary table." },
    { "42883",
        "The function or operator is in a schema that the search_path does not have, or was "
        "dropped; or placeholders have types that cannot be guessed: give the statement with "
        "constants." },
    { "42725", "The types of placeholders cannot be guessed: give the statement with constants." },
    { "42P18", "The types of placeholders cannot be guessed: give the statement with constants." },
    { "42804", "The types of placeholders cannot be guessed: give the statement with constants." },
    { "42704", "The type or object was dropped, or is in a schema that the search_path does not "
               "have." },
    { "42601", "The text is no SQL of this server: was it cut off, or is it of another version?" },
    { "57014", "Planning takes longer than two seconds: simplify it, or look at it by hand." },
    { "55P03", "The table was locked; try again later." },
    { "25006", "It cannot be planned in a read-only session." },
};

static const char *
remedy_of(const char *sqlstate)
{
    for (size_t i = 0; i < COUNT_OF(remedies); i++)
        if (text_starts_with(sqlstate, remedies[i].sqlstate))
            return remedies[i].text;
    return NULL;
}

/* Makes the error the statement's problem. False: it is not the statement's fault but the session is lost. */
static bool
take_error(struct ctx *ctx, struct query_maker *maker, struct sample_answer *ret)
{
    enum error_kind kind = ctx->error.kind;

    if (!db_is_connected(maker->db) || kind == ERR_CONNECTION || kind == ERR_INTERRUPTED ||
        kind == ERR_TERMINATED)
        return false;
    ret->problem = ctx->error.message;
    ret->remedy = remedy_of(ctx->error.sqlstate);
    ret->remedy = ret->remedy ? ret->remedy : ctx->error.hint;
    memcpy(ret->sqlstate, ctx->error.sqlstate, sizeof(ret->sqlstate));
    error_clear(ctx);
    return true;
}

static bool
deallocate(struct ctx *ctx, struct query_maker *maker)
{
    return db_exec(ctx, maker->db, arena_printf(ctx->arena, "DEALLOCATE %s", prepared));
}

/* PREPARE, with types for those that have one and unknown for the others. */
static bool
prepare(struct ctx *ctx, struct query_maker *maker, const char *sql, const char *const *types,
    size_t count, struct sample_answer *ret)
{
    struct buffer buffer = { .arena = ctx->arena };
    bool has_types = false;

    for (size_t i = 0; i < count; i++)
        has_types = has_types || types[i];
    buffer_printf(&buffer, "PREPARE %s", prepared);
    for (size_t i = 0; has_types && i < count; i++)
        buffer_printf(&buffer, "%s%s", i == 0 ? " (" : ", ", types[i] ? types[i] : "unknown");
    buffer_printf(&buffer, "%s AS %s", has_types ? ")" : "", sql);
    ret->problem = NULL;
    if (db_exec(ctx, maker->db, buffer_text(&buffer)))
        return true;
    return take_error(ctx, maker, ret);
}

/* Guessed types: those that the server certainly cannot find out, or all. */
static void
guess(const struct sample_places *places, bool wants_all, const char **types)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct sample_place *place = &places->items[i];

        if (!types[i] && place->guess && (wants_all || place->must_guess))
            types[i] = place->guess;
    }
}

/* The $n that the message names: could not determine data type of parameter $2; 0: none. */
static size_t
named_param(const char *message)
{
    for (const char *at = strchr(message, '$'); at; at = strchr(at + 1, '$'))
        if (isdigit((unsigned char)at[1]))
            return strtoul(at + 1, NULL, 10);
    return 0;
}

struct tries {
    const char **types;
    bool has_unified;
    bool has_guessed;
    bool has_guessed_all;
};

/* Changes something so that another try makes sense; false: nothing is left to try. */
static bool
change(struct ctx *ctx, const struct query_maker *maker, struct sample_text *text,
    struct sample_places *places, struct tries *tries, const struct sample_answer *answer)
{
    const char *state = answer->sqlstate;

    if ((text_equal(state, "42803") || text_equal(state, "42P10")) && !tries->has_unified) {
        tries->has_unified = true;
        if (!sample_unify(ctx, text))
            return false;
        sample_find_places(ctx, maker, text->sql, places->count, places);
        return true;
    }
    if (text_equal(state, "42P18")) {
        size_t number = named_param(answer->problem);

        if (number == 0 || number > places->count || tries->types[number - 1])
            return false;
        tries->types[number - 1] =
            places->items[number - 1].guess ? places->items[number - 1].guess : "text";
        return true;
    }
    /* Types that do not fit, functions and operators that are not there or not unique. */
    if (!text_equal(state, "42725") && !text_equal(state, "42883") && !text_equal(state, "42804") &&
        !text_equal(state, "42809") && !text_equal(state, "42846"))
        return false;
    if (!tries->has_guessed) {
        tries->has_guessed = true;
        guess(places, false, tries->types);
        return true;
    }
    if (!tries->has_guessed_all) {
        tries->has_guessed_all = true;
        guess(places, true, tries->types);
        return true;
    }
    return false;
}

/* The types of the $n as the server found them. */
static bool
read_types(struct ctx *ctx, struct query_maker *maker, struct sample_answer *ret)
{
    struct sql_index_query_types_rows rows;

    if (!sql_index_query_types(ctx, maker->db, &rows, .statement = prepared))
        return take_error(ctx, maker, ret);
    for (size_t i = 0; i < rows.count; i++)
        VEC_PUSH(ctx->arena, &ret->types, rows.items[i].type);
    return true;
}

static bool
explain_prepared(
    struct ctx *ctx, struct query_maker *maker, size_t count, struct sample_answer *ret)
{
    struct buffer buffer = { .arena = ctx->arena };

    buffer_printf(&buffer, "EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE %s", prepared);
    for (size_t i = 0; i < count; i++)
        buffer_add(&buffer, i == 0 ? "(NULL" : ", NULL");
    buffer_add(&buffer, count > 0 ? ")" : "");
    if (db_value(ctx, maker->db, buffer_text(&buffer), NULL, 0, &ret->plan))
        return true;
    return take_error(ctx, maker, ret);
}

/*
 * With NULL for all of them no partition is left to read; with pruning off the plan shows all. That is rare,
 * so it costs these statements more, and others nothing.
 */
static bool
explain_unpruned(
    struct ctx *ctx, struct query_maker *maker, size_t count, struct sample_answer *ret)
{
    const char *first = ret->plan;

    if (!db_set(ctx, maker->db, "enable_partition_pruning", "off"))
        return take_error(ctx, maker, ret);
    /* The plan that is kept was made with pruning. */
    if (!db_exec(ctx, maker->db, "DISCARD PLANS") || !explain_prepared(ctx, maker, count, ret))
        return take_error(ctx, maker, ret);
    if (ret->problem) {
        ret->problem = NULL;
        ret->plan = first;
    }
    return db_set(ctx, maker->db, "enable_partition_pruning", "on");
}

static bool
describe(struct ctx *ctx, struct query_maker *maker, size_t count, struct sample_answer *ret)
{
    if (count > 0 && !read_types(ctx, maker, ret))
        return false;
    if (!ret->problem && !explain_prepared(ctx, maker, count, ret))
        return false;
    if (!ret->problem && ret->plan && strstr(ret->plan, "\"Subplans Removed\": ") &&
        !strstr(ret->plan, "\"Subplans Removed\": 0") && !explain_unpruned(ctx, maker, count, ret))
        return false;
    return deallocate(ctx, maker);
}

/* $n that the text does not have any more, or never had, need a type too. */
static void
type_gaps(struct ctx *ctx, const char *sql, const char **types, size_t count)
{
    struct sql_tokens tokens;
    bool *is_there = ARENA_ARRAY(ctx->arena, bool, count + 1);

    if (!sample_tokens(ctx, sql, &tokens)) {
        error_clear(ctx);
        return;
    }
    sample_find_params(sql, &tokens, is_there, count);
    for (size_t i = 0; i < count; i++)
        types[i] = is_there[i] ? types[i] : "text";
}

bool
sample_ask(struct ctx *ctx, struct query_maker *maker, struct sample_text *text,
    struct sample_places *places, struct sample_answer *ret)
{
    struct tries tries = { .types = ARENA_ARRAY(ctx->arena, const char *, places->count + 1) };
    struct sample_answer first = { 0 };

    *ret = (struct sample_answer){ 0 };
    for (size_t i = 0; i < places->count; i++)
        if (places->items[i].is_certain)
            tries.types[i] = places->items[i].guess;
    for (int i = 0; i < MOST_TRIES; i++) {
        type_gaps(ctx, text->sql, tries.types, places->count);
        if (!prepare(ctx, maker, text->sql, tries.types, places->count, ret))
            return false;
        if (!ret->problem)
            return describe(ctx, maker, places->count, ret);
        /* What is told is the server's word on the statement as it was. */
        if (!first.problem)
            first = *ret;
        if (!change(ctx, maker, text, places, &tries, ret))
            break;
    }
    *ret = first;
    return true;
}

bool
sample_check(struct ctx *ctx, struct query_maker *maker, const char *sql, struct sample_answer *ret)
{
    *ret = (struct sample_answer){ 0 };
    if (maker->is_uncounted) {
        if (db_exec(ctx, maker->db, arena_printf(ctx->arena, "EXPLAIN (COSTS OFF) %s", sql)))
            return true;
        return take_error(ctx, maker, ret);
    }
    return sample_plan(ctx, maker, sql, ret);
}

/*
 * Every EXPLAIN text would be an entry of its own in pg_stat_statements, and so push out what is looked at;
 * PREPARE and DEALLOCATE are not counted, and EXPLAIN EXECUTE is always the same text.
 */
bool
sample_plan(struct ctx *ctx, struct query_maker *maker, const char *sql, struct sample_answer *ret)
{
    *ret = (struct sample_answer){ 0 };
    if (maker->is_uncounted) {
        if (db_value(ctx, maker->db,
                arena_printf(ctx->arena, "EXPLAIN (VERBOSE, FORMAT JSON) %s", sql), NULL, 0,
                &ret->plan))
            return true;
        return take_error(ctx, maker, ret);
    }
    if (!prepare(ctx, maker, sql, NULL, 0, ret))
        return false;
    if (ret->problem)
        return true;
    return explain_prepared(ctx, maker, 0, ret) && deallocate(ctx, maker);
}
