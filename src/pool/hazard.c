/*
 * What does not survive a pooler that hands out sessions by transaction. Statements are read as the
 * tokens of PostgreSQL's own scanner, from pg_stat_statements, where constants are $n; what sessions hold
 * at the moment (advisory locks, temporary tables) is looked at too.
 */
#include "db/ident.h"
#include "lang/sql.h"
#include "pool/advice.h"
#include "pool/statement.h"
#include "sql.h"
#include "workload/workload.h"

enum { MOST_EVIDENCE = 3 };

struct hazard_kind {
    enum statement_habit habit;
    const char *name;
    const char *title;
    const char *certainty;
    const char *breaks;
    const char *remedy;
    const char *old_pooler;
    const char *new_pooler;
};

#define BREAKS "breaks"
#define WORKS  "works"

static const struct hazard_kind kinds[] = {
    { HABIT_PROTOCOL_PREPARE, "prepared_protocol", "statements prepared by the driver", "certain",
        "\"prepared statement does not exist\", or \"already exists\": it was made in another session",
        "let the pooler keep them (max_prepared_statements), or turn them off in the driver: "
        "psycopg 3 prepare_threshold=None, asyncpg statement_cache_size=0, JDBC prepareThreshold=0",
        BREAKS ": turn them off in the driver",
        WORKS " with max_prepared_statements = 200 (the default since 1.24; 0 before)" },
    { HABIT_SQL_PREPARE, "prepared_sql", "PREPARE and EXECUTE as SQL", "certain",
        "\"prepared statement does not exist\": it was made in another session",
        "prepare by the driver's protocol instead of by SQL", BREAKS,
        BREAKS ": max_prepared_statements is about the protocol's only" },
    { HABIT_SEARCH_PATH, "search_path", "search_path of the session", "certain",
        "whoever gets the session next looks into that schema: wrong rows without an error",
        "qualify names, use SET LOCAL in each transaction, or ALTER ROLE … SET search_path", BREAKS,
        BREAKS },
    { HABIT_ROLE, "role", "SET ROLE and SET SESSION AUTHORIZATION", "certain",
        "whoever gets the session next has those rights", "SET LOCAL ROLE in each transaction",
        BREAKS, BREAKS },
    { HABIT_SET, "set", "settings of the session", "certain",
        "the setting is lost, and whoever gets the session next has it",
        "SET LOCAL in each transaction, ALTER ROLE … SET, or options in the connection string "
        "(PgBouncer: a database's connect_query)",
        BREAKS, BREAKS },
    { HABIT_SET_CONFIG, "set_config", "set_config() that is not local", "perhaps",
        "as SET, if its third argument is false: pg_stat_statements does not keep constants",
        "give true as third argument, within a transaction", BREAKS, BREAKS },
    { HABIT_LISTEN, "listen", "LISTEN", "certain",
        "notifications go to a session that nobody reads",
        "a connection of its own for LISTEN, past the pooler; NOTIFY works through it", BREAKS,
        BREAKS },
    { HABIT_ADVISORY, "advisory_lock", "advisory locks of the session", "certain",
        "the lock stays with the session: others who get it hold it too, and nobody can release it",
        "pg_advisory_xact_lock(), which ends with the transaction", BREAKS, BREAKS },
    { HABIT_TEMPORARY, "temporary_table", "temporary tables", "certain",
        "\"relation does not exist\" in the next transaction, or somebody else's rows",
        "ON COMMIT DROP with all uses in that transaction, or WITH … AS", BREAKS, BREAKS },
    { HABIT_HOLD, "cursor_with_hold", "cursors WITH HOLD", "certain",
        "\"cursor does not exist\" in the next transaction",
        "read the cursor within its transaction, or page by key", BREAKS, BREAKS },
    { HABIT_LOAD, "load", "LOAD", "certain", "the library is loaded in one session only",
        "session_preload_libraries, or ALTER ROLE … SET session_preload_libraries", BREAKS,
        BREAKS },
    { HABIT_SEQUENCE, "sequence_state", "currval() and lastval()", "perhaps",
        "\"not yet defined in this session\", or another's number, unless nextval() was called in the "
        "same transaction",
        "INSERT … RETURNING id", BREAKS, BREAKS },
};

static void
add_gap(struct arena *arena, struct pool_hazards *ret, const char *gap)
{
    text_list_add(arena, &ret->gaps, gap);
}

static const struct hazard_kind *
find_kind(enum statement_habit habit)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (kinds[i].habit == habit)
            return &kinds[i];
    return NULL;
}

static struct pool_hazard *
find_hazard(struct arena *arena, struct pool_hazards *ret, enum statement_habit habit)
{
    const struct hazard_kind *kind = find_kind(habit);

    for (size_t i = 0; i < ret->count; i++)
        if (text_equal(ret->items[i].name, kind->name))
            return &ret->items[i];
    VEC_PUSH(arena, ret,
        (struct pool_hazard){
            .name = kind->name,
            .title = kind->title,
            .certainty = kind->certainty,
            .breaks = kind->breaks,
            .remedy = kind->remedy,
            .old_pooler = kind->old_pooler,
            .new_pooler = kind->new_pooler,
        });
    return &ret->items[ret->count - 1];
}

static void
add_evidence(struct arena *arena, struct pool_hazards *ret, enum statement_habit habit,
    const char *text, int64_t calls)
{
    struct pool_hazard *hazard = find_hazard(arena, ret, habit);

    hazard->calls += calls;
    hazard->statements++;
    if (hazard->evidence.count < MOST_EVIDENCE && !text_list_has(&hazard->evidence, text))
        text_list_add(arena, &hazard->evidence, text);
}

static int
compare_calls(const void *a, const void *b)
{
    const struct workload_statement *left = a;
    const struct workload_statement *right = b;

    return left->calls == right->calls ? 0 : left->calls < right->calls ? 1 : -1;
}

/* The channel of the flags is listened to on direct connections only: through a pooler it is refused. */
static bool
is_flag_follower(const char *query)
{
    size_t word = strcspn(query, " \t\n");
    const char *channel = query + word + strspn(query + word, " \t\n\"");

    return text_starts_with(channel, "pgmend_flag") &&
           strspn(channel + 11, "\"; \t\n") == strlen(channel + 11);
}

/* The most called first: evidence names only a few. */
static void
look_at_statements(struct ctx *ctx, struct workload *workload, struct pool_hazards *ret)
{
    bool has_follower = false;

    if (workload->count > 1)
        qsort(workload->items, workload->count, sizeof(workload->items[0]), compare_calls);
    for (size_t i = 0; i < workload->count; i++) {
        const struct workload_statement *statement = &workload->items[i];
        enum statement_habit habit = statement_habit(ctx, statement->query);

        if (habit == HABIT_LISTEN && is_flag_follower(statement->query)) {
            has_follower = true;
            continue;
        }
        if (habit != HABIT_NONE)
            add_evidence(ctx->arena, ret, habit, statement->query, statement->calls);
    }
    if (has_follower)
        add_gap(ctx->arena, ret,
            "LISTEN pgmend_flag is how replyx-api follows its flags, on a connection of its own: it goes "
            "past the pooler, and does not count here");
    if (workload->hidden > 0)
        add_gap(ctx->arena, ret,
            arena_printf(ctx->arena,
                "%lld statements of other roles are hidden from ours: grant it pg_read_all_stats",
                (long long)workload->hidden));
    if (workload->evicted > 0)
        add_gap(ctx->arena, ret,
            arena_printf(ctx->arena,
                "pg_stat_statements has forgotten rare statements %lld times: "
                "pg_stat_statements.max = %lld is too small",
                (long long)workload->evicted, (long long)workload->most_entries));
    if (workload->stats_reset)
        add_gap(ctx->arena, ret,
            arena_printf(ctx->arena, "what was run before %s is not known", workload->stats_reset));
}

static bool
set_path(struct ctx *ctx, struct db *db, const char *schema, const char **ret_usual)
{
    return db_value(
               ctx, db, "SELECT pg_catalog.current_setting('search_path')", NULL, 0, ret_usual) &&
           db_set(ctx, db, "search_path",
               arena_printf(ctx->arena, "pg_catalog, %s, pg_temp", db_ident(ctx->arena, schema)));
}

/* What is run far more often than it is planned was prepared. */
static bool
look_at_plans(struct ctx *ctx, struct db *db, struct pool_hazards *ret)
{
    struct sql_workload_extension_rows extension;
    struct sql_pool_planned_rows planned;
    const char *usual = NULL;

    if (!sql_workload_extension(ctx, db, &extension) || extension.count == 0 ||
        !set_path(ctx, db, extension.items[0].schema, &usual))
        return false;

    bool is_good = sql_pool_planned(ctx, db, &planned);
    struct error why = ctx->error;
    bool is_back = db_set(ctx, db, "search_path", usual);

    if (!is_good)
        ctx->error = why;
    if (!is_good || !is_back)
        return false;
    for (size_t i = 0; i < planned.count; i++)
        if (statement_habit(ctx, planned.items[i].query) == HABIT_NONE)
            add_evidence(ctx->arena, ret, HABIT_PROTOCOL_PREPARE, planned.items[i].query,
                planned.items[i].calls);
    return true;
}

static bool
look_at_sessions(struct ctx *ctx, struct db *db, struct pool_hazards *ret)
{
    struct sql_pool_advisory_rows locks;
    struct sql_pool_temporary_rows tables;

    if (!sql_pool_advisory(ctx, db, &locks) || !sql_pool_temporary(ctx, db, &tables))
        return false;
    if (locks.items[0].locks > 0)
        add_evidence(ctx->arena, ret, HABIT_ADVISORY,
            arena_printf(ctx->arena, "%lld held now by %lld sessions without a transaction (%s)",
                (long long)locks.items[0].locks, (long long)locks.items[0].sessions,
                locks.items[0].example),
            0);
    if (tables.items[0].tables > 0)
        add_evidence(ctx->arena, ret, HABIT_TEMPORARY,
            arena_printf(ctx->arena, "%lld are there now (%s)", (long long)tables.items[0].tables,
                tables.items[0].example),
            0);
    return true;
}

static void
judge(struct ctx *ctx, const struct sql_pool_server *server, struct pool_hazards *ret)
{
    bool sees_prepared = false;

    ret->is_safe = ret->is_known;
    for (size_t i = 0; i < ret->count; i++) {
        sees_prepared = sees_prepared || text_equal(ret->items[i].name, "prepared_protocol");
        if (!text_starts_with(ret->items[i].new_pooler, WORKS))
            ret->is_safe = false;
    }
    if (!server->tracks_utility) {
        add_gap(ctx->arena, ret,
            "SET, LISTEN, PREPARE, CREATE TEMP TABLE and their like are not recorded: "
            "pg_stat_statements.track_utility is off");
        ret->is_safe = false;
    }
    if (!sees_prepared && !server->tracks_planning)
        add_gap(ctx->arena, ret,
            "the server does not tell whether drivers prepare statements by the protocol "
            "(pg_stat_statements.track_planning is off): asyncpg and JDBC do, psycopg 3 from the "
            "fifth time on, psycopg 2 does not");
}

bool
pool_find_hazards(struct ctx *ctx, struct db *db, struct pool_hazards *ret)
{
    struct sql_pool_server_rows server;
    struct workload workload;

    *ret = (struct pool_hazards){ 0 };
    if (!sql_pool_server(ctx, db, &server) || !look_at_sessions(ctx, db, ret))
        return error_wrap(ctx, "looking for what transaction pooling would break");
    ret->is_known = workload_read(ctx, db, &workload);
    if (!ret->is_known) {
        if (!db_is_connected(db) || ctx->error.kind == ERR_INTERRUPTED ||
            ctx->error.kind == ERR_TERMINATED)
            return false;
        add_gap(ctx->arena, ret,
            arena_printf(ctx->arena, "statements are not known: %s", ctx->error.message));
        error_clear(ctx);
        judge(ctx, &server.items[0], ret);
        return true;
    }
    look_at_statements(ctx, &workload, ret);
    if (server.items[0].tracks_planning && !look_at_plans(ctx, db, ret))
        return error_wrap(ctx, "looking for what transaction pooling would break");
    judge(ctx, &server.items[0], ret);
    return true;
}
