#include "vector/stage/measure.h"

#include "base/clock.h"
#include "base/map.h"
#include "db/ident.h"
#include "vector/stage/meter.h"

/* One query asked of one probe, over its rounds. */
struct asked {
    struct vector_measurement *measurement;
    const struct vector_probe *probe;
    struct meter *meter;
    const char *sql;
    struct vector_shot shot;
    bool is_over; /* it ran into the time-out: more rounds would tell nothing new */
};

/* An error made in an arena that goes away, with the probe's name before it. */
static bool
hand_on(struct ctx *ctx, const struct ctx *from, const char *probe)
{
    struct arena *arena = ctx->arena;
    const struct error *error = &from->error;

    error_set(ctx, error->kind, "%s", error->message);
    memcpy(ctx->error.sqlstate, error->sqlstate, sizeof(error->sqlstate));
    ctx->error.detail = error->detail ? arena_strdup(arena, error->detail) : NULL;
    if (error->hint)
        error_hint(ctx, "%s", error->hint);
    return error_wrap(ctx, "measuring %s", probe);
}

/*
 * Settings of the transaction that a query is asked in. Parallel workers are kept out, because
 * their time is not in the time of the backend; jit is as the server has it, not as our sessions.
 */
static bool
set_up(struct ctx *ctx, const struct asked *asked)
{
    struct arena *arena = ctx->arena;
    struct db *db = asked->measurement->db;
    const struct text_list *settings = &asked->probe->settings;
    const char *more = meter_settings(asked->meter);
    struct buffer sql = { .arena = arena };

    buffer_printf(&sql,
        "SELECT pg_catalog.set_config('max_parallel_workers_per_gather', '0', true),"
        " pg_catalog.set_config('jit', (SELECT s.reset_val FROM pg_catalog.pg_settings AS s"
        " WHERE s.name OPERATOR(pg_catalog.=) 'jit'), true),"
        " pg_catalog.set_config('statement_timeout', '%lld', true)",
        (long long)((asked->measurement->timeout_us + 999) / 1000));
    for (size_t i = 0; i < settings->count; i++) {
        const char *setting = settings->items[i];
        size_t length = strcspn(setting, "=");

        if (!setting[length])
            return error_set(ctx, ERR_INPUT, "a setting is NAME=VALUE, not \"%s\"", setting);
        buffer_printf(&sql, ", pg_catalog.set_config(%s, %s, true)",
            db_literal(arena, arena_strndup(arena, setting, length)),
            db_literal(arena, setting + length + 1));
    }
    return db_exec(ctx, db, buffer_text(&sql)) && (!more || db_exec(ctx, db, more));
}

/* Counts what was found; a row that comes twice counts once. */
static void
judge_rows(struct arena *arena, struct asked *asked, const struct result *result)
{
    size_t query = asked->shot.query;
    const struct vector_answer *answer = &asked->measurement->answers->items[query];
    struct map right = { .arena = arena };
    size_t hits = 0;

    asked->shot.is_short = result->rows < answer->due;
    if (answer->due == 0) {
        asked->shot.recall = 1;
        return;
    }
    for (size_t i = 0; i < answer->keys.count; i++)
        map_set(&right, answer->keys.items[i], asked);
    for (size_t row = 0; row < result->rows; row++) {
        const char *key = result_cell(result, row, 0);

        if (key && map_get(&right, key)) {
            map_set(&right, key, NULL);
            hits++;
        }
    }
    /* So many rows tie with the last one that they were not listed: any of them is right. */
    if (answer->keys.count == 0)
        hits = result->rows;
    asked->shot.recall = hits >= answer->due ? 1 : (double)hits / (double)answer->due;
}

static void
keep_least(struct vector_shot *shot, int64_t cpu_us, int64_t wall_us)
{
    shot->cpu_us = shot->cpu_us < 0 || cpu_us < shot->cpu_us ? cpu_us : shot->cpu_us;
    shot->wall_us = shot->wall_us < 0 || wall_us < shot->wall_us ? wall_us : shot->wall_us;
}

/*
 * Whether the failure is our time-out. The words are in the server's language, and somebody may
 * have cancelled the statement by hand, so the time decides.
 */
static bool
is_timeout(const struct ctx *ctx, const struct asked *asked, int64_t wall_us)
{
    int64_t limit_us = asked->measurement->timeout_us;

    return text_equal(ctx->error.sqlstate, "57014") && limit_us > 0 &&
           wall_us >= limit_us - limit_us / 50;
}

/* One round. A statement without $1 still gets the parameter, whose type must then be said. */
static bool
shoot(struct ctx *ctx, struct asked *asked)
{
    struct vector_measurement *measurement = asked->measurement;
    const struct vector_query *query = &measurement->queries->items[asked->shot.query];
    const char *params[] = { query->tenant, query->values,
        arena_printf(ctx->arena, "%d", measurement->target->limit) };
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct result result = { 0 };

    if (!db_begin(ctx, measurement->db, "READ ONLY", &transaction) || !set_up(ctx, asked))
        return false;

    int64_t start_us = clock_us();

    meter_start(asked->meter);

    bool is_done = db_query(ctx, measurement->db, asked->sql, params, COUNT_OF(params), &result);
    int64_t wall_us = clock_us() - start_us;
    int64_t cpu_us = meter_end_us(asked->meter);

    if (!is_done) {
        if (!is_timeout(ctx, asked, wall_us))
            return false;
        error_clear(ctx);
        asked->is_over = true;
        asked->shot.is_short = measurement->answers->items[asked->shot.query].due > 0;
        asked->shot.recall = 0;
        asked->shot.cpu_us = measurement->timeout_us;
        asked->shot.wall_us = measurement->timeout_us;
        return true;
    }
    if (asked->shot.wall_us < 0)
        judge_rows(ctx->arena, asked, &result);
    keep_least(&asked->shot, asked->meter->kind == METER_WALL ? wall_us : cpu_us, wall_us);
    return true;
}

static bool
shoot_apart(struct ctx *ctx, struct asked *asked)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx apart = { .arena = arena };

    return shoot(&apart, asked) || hand_on(ctx, &apart, asked->probe->name);
}

/* Whether it stands in the statement outside of literals and quoted names. */
static bool
uses_parameter(const char *sql, int number)
{
    char quote = '\0';

    for (const char *at = sql; *at; at++) {
        if (quote && *at == quote)
            quote = '\0';
        else if (quote)
            continue;
        else if (*at == '\'' || *at == '"')
            quote = *at;
        else if (*at == '$' && at[1] == '0' + number && !(at[2] >= '0' && at[2] <= '9'))
            return true;
    }
    return false;
}

/*
 * All three parameters are sent with every statement, and the server wants to know the type of
 * each: those that a statement does not use (the tenant, where it stands in it as a literal) are
 * named in a condition that planning makes away with.
 */
static const char *
with_all_parameters(struct arena *arena, const char *sql)
{
    struct buffer text = { .arena = arena };

    for (int number = 1; number <= 3; number++)
        if (!uses_parameter(sql, number))
            buffer_printf(&text, "%s($%d::pg_catalog.text IS NULL) IS NOT NULL",
                text.length > 0 ? " AND " : "", number);
    if (text.length == 0)
        return sql;
    return arena_printf(
        arena, "SELECT searched.* FROM (%s) AS searched WHERE %s", sql, buffer_text(&text));
}

static const char *
statement_of(struct arena *arena, const struct vector_probe *probe, size_t query)
{
    const char *own = probe->sql_by_tenant ? probe->sql_by_tenant[query] : NULL;

    return with_all_parameters(arena, own ? own : probe->sql);
}

/* One query of all probes; a round asks each of them once. */
static bool
measure_query(struct ctx *ctx, struct asked *asked, size_t count, struct vector_shots *shots)
{
    int32_t rounds = asked[0].measurement->rounds;

    for (int32_t round = 0; round == 0 || round < rounds; round++)
        for (size_t i = 0; i < count; i++)
            if (!asked[i].is_over && !shoot_apart(ctx, &asked[i]))
                return false;
    for (size_t i = 0; i < count; i++)
        VEC_PUSH(ctx->arena, &shots[i], asked[i].shot);
    return true;
}

/* pgvector's settings are known to the session once its library has been loaded. */
static bool
load_library(struct ctx *ctx, const struct vector_measurement *measurement)
{
    const char *sql = arena_printf(ctx->arena, "SELECT '[1]'::%s.vector",
        db_ident(ctx->arena, measurement->target->extension_schema));

    return db_exec(ctx, measurement->db, sql) || error_wrap(ctx, "loading pgvector");
}

bool
vector_measure(struct ctx *ctx, struct vector_measurement *measurement,
    const struct vector_probe *probes, size_t probe_count, struct vector_shots *shots)
{
    struct meter meter CLEANUP(meter_close) = { .schedstat = -1, .stat = -1 };
    size_t count = measurement->chosen ? measurement->chosen_count : measurement->queries->count;

    if (!load_library(ctx, measurement) || !meter_open(ctx, measurement->db, &meter))
        return false;
    measurement->meter = meter.kind;
    for (size_t i = 0; i < count; i++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        struct asked *asked = ARENA_ARRAY(arena, struct asked, probe_count);
        size_t query = measurement->chosen ? measurement->chosen[i] : i;

        for (size_t probe = 0; probe < probe_count; probe++)
            asked[probe] = (struct asked){ .measurement = measurement,
                .probe = &probes[probe],
                .meter = &meter,
                .sql = statement_of(arena, &probes[probe], query),
                .shot = { .query = query, .cpu_us = -1, .wall_us = -1 } };
        if (!measure_query(ctx, asked, probe_count, shots))
            return false;
    }
    return true;
}
