/* One revision's upgrade, watched statement by statement. */
#include "migrate/trace/observe.h"

#include <ctype.h>

#include "base/clock.h"

enum { NO_TRANSACTION = 0 };

int64_t
observe_now(const struct observation *observation)
{
    return clock_us() - observation->observing_us;
}

static void
enter(struct observation *observation)
{
    observation->entered_us = clock_us();
}

static void
leave(struct observation *observation)
{
    observation->observing_us += clock_us() - observation->entered_us;
}

/* ---- statements ---- */

static bool
begins_with(const char *sql, const char *word)
{
    size_t length = strlen(word);

    while (isspace((unsigned char)*sql) || *sql == ';')
        sql++;
    return strncasecmp(sql, word, length) == 0 && !isalnum((unsigned char)sql[length]) &&
           sql[length] != '_';
}

/* What does nothing to the database by itself: drivers send it as well. */
static bool
is_control(const char *sql)
{
    static const char *const words[] = { "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT",
        "SAVEPOINT", "RELEASE", "SHOW" };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (begins_with(sql, words[i]))
            return true;
    return false;
}

static struct transaction *
transaction_of(struct observation *observation, size_t session)
{
    for (size_t i = 0; i < observation->open.count; i++)
        if (observation->open.items[i].session == session)
            return &observation->open.items[i];
    return NULL;
}

static const char *
copied(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static const char *
trimmed(struct arena *arena, const char *sql)
{
    size_t length;

    sql += strspn(sql, " \t\r\n");
    length = strlen(sql);
    while (length > 0 && strchr(" \t\r\n", sql[length - 1]))
        length--;
    return arena_strndup(arena, sql, length);
}

/* Remembers a statement of the revision; what is Alembic's own or only begins and ends is not. */
static size_t
keep(struct observation *observation, const struct alembic_statement *statement)
{
    struct arena *arena = observation->ctx->arena;
    const struct transaction *transaction = transaction_of(observation, statement->session);
    bool is_inside = statement->was_in_transaction || statement->in_transaction;
    struct trace_statement *last;

    VEC_PUSH(arena, &observation->ret->statements,
        (struct trace_statement){
            .sql = trimmed(arena, statement->sql),
            .tag = copied(arena, statement->tag),
            .rows = statement->rows,
            .us = statement->us,
            .transaction = is_inside && transaction ? transaction->number : NO_TRANSACTION,
        });
    last = &observation->ret->statements.items[observation->ret->statements.count - 1];
    if (statement->is_failed) {
        last->sqlstate = copied(arena, statement->sqlstate);
        last->message = copied(arena, statement->message);
    }
    observation->ret->has_lone_statements |= !is_inside;
    return observation->ret->statements.count - 1;
}

/* ---- rows ---- */

static const struct sql_trace_rows *
base_of(const struct transaction *transaction, uint32_t oid)
{
    for (size_t i = 0; i < transaction->base.count; i++)
        if (transaction->base.items[i].oid == oid)
            return &transaction->base.items[i];
    return NULL;
}

static struct trace_rows *
rows_of(struct observation *observation, const struct sql_trace_rows *row)
{
    struct trace_revision *ret = observation->ret;
    bool is_new = true;

    for (size_t i = 0; i < ret->rows.count; i++)
        if (ret->rows.items[i].table.oid == row->oid)
            return &ret->rows.items[i];
    for (size_t i = 0; i < observation->known.count && is_new; i++)
        is_new = observation->known.items[i].name.oid != row->oid;
    VEC_PUSH(observation->ctx->arena, &ret->rows,
        (struct trace_rows){
            .table = { row->oid, row->schema, row->name, 'r' }, .is_new = is_new });
    return &ret->rows.items[ret->rows.count - 1];
}

/* The server's counters may still hold what transactions before this one did. */
static void
count_rows(struct observation *observation, const struct transaction *transaction)
{
    const struct environment *environment = &observation->tracer->analysis->history.environment;

    for (size_t i = 0; i < transaction->end.count; i++) {
        const struct sql_trace_rows *now = &transaction->end.items[i];
        const struct sql_trace_rows none = { 0 };
        const struct sql_trace_rows *base = base_of(transaction, now->oid);
        struct trace_rows *rows;

        base = base ? base : &none;
        if (text_equal(now->name, environment->version_table) ||
            (now->scans == base->scans && now->read == base->read &&
                now->inserted == base->inserted && now->updated == base->updated &&
                now->deleted == base->deleted))
            continue;
        rows = rows_of(observation, now);
        rows->scans += now->scans - base->scans;
        rows->read += now->read - base->read;
        rows->inserted += now->inserted - base->inserted;
        rows->updated += now->updated - base->updated;
        rows->deleted += now->deleted - base->deleted;
    }
}

/* ---- transactions ---- */

static bool
begin_transaction(struct observation *observation, const struct alembic_statement *statement)
{
    struct transaction transaction = { .session = statement->session };

    if (statement->may_ask && !sql_trace_rows(observation->ctx, statement->db, &transaction.base))
        return false;
    transaction.number = ++observation->ret->transactions;
    VEC_PUSH(observation->ctx->arena, &observation->open, transaction);
    return true;
}

static bool
end_transaction(
    struct observation *observation, const struct alembic_statement *statement, int64_t end_us)
{
    struct transaction *transaction = transaction_of(observation, statement->session);

    if (!probes_settle(observation, statement->session))
        return false;
    locks_release(observation, statement->session, end_us);
    if (!transaction)
        return true;
    if (transaction->has_end && text_equal(statement->tag, "COMMIT"))
        count_rows(observation, transaction);
    *transaction = observation->open.items[--observation->open.count];
    return true;
}

/* ---- the watcher ---- */

static bool
look_before(struct observation *observation, const struct alembic_statement *statement)
{
    struct transaction *transaction = transaction_of(observation, statement->session);

    if (!probes_take(observation, TRACE_NO_STATEMENT, 0))
        return false;
    if (!transaction || !statement->was_in_transaction || !statement->may_ask ||
        !(begins_with(statement->sql, "COMMIT") || begins_with(statement->sql, "END")))
        return true;
    transaction->has_end = true;
    return sql_trace_rows(observation->ctx, statement->db, &transaction->end);
}

static bool
before(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    struct observation *observation = self;
    bool is_good;

    enter(observation);
    is_good = look_before(observation, statement);
    leave(observation);
    return is_good || error_wrap(ctx, "looking on before a statement");
}

static bool
look_meanwhile(struct observation *observation, const struct alembic_statement *statement)
{
    bool is_alone = !statement->was_in_transaction && !is_control(statement->sql);
    const struct look look = {
        .db = observation->tracer->second,
        .pid = db_backend_pid(statement->db),
        .session = statement->session,
        .statement = observation->ret->statements.count,
        .started_us = statement->started_us - observation->observing_us,
        .is_seen = true,
        .is_truncate = begins_with(statement->sql, "TRUNCATE"),
    };

    /* What a COMMIT lets through is taken when it has answered, as the end of the transaction. */
    if (!is_alone && is_control(statement->sql))
        return true;
    return probes_take(observation, is_alone ? statement->session : TRACE_NO_STATEMENT, 0) &&
           (!is_alone || !observation->has_begun || locks_look(observation, &look));
}

/* Outside a transaction the locks are gone with the statement: only another session sees them. */
static bool
running(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    return look_meanwhile(self, statement) || error_wrap(ctx, "looking on while a statement runs");
}

static bool
look_after(struct observation *observation, const struct alembic_statement *statement)
{
    int64_t started_us = statement->started_us - observation->observing_us;
    size_t index = observation->ret->statements.count;
    const struct look look = {
        .db = statement->db,
        .pid = db_backend_pid(statement->db),
        .session = statement->session,
        .statement = index,
        .started_us = started_us,
        .ended_us = started_us + statement->us,
        .is_truncate = begins_with(statement->sql, "TRUNCATE"),
    };
    bool is_own =
        !observation->has_begun || statement->is_version_table || is_control(statement->sql);

    observation->has_begun |= statement->is_version_table;
    observation->ret->server_us += statement->us;
    if (!statement->was_in_transaction && statement->in_transaction &&
        !begin_transaction(observation, statement))
        return false;
    if (!is_own)
        keep(observation, statement);
    if (statement->in_transaction &&
        (statement->is_failed || begins_with(statement->sql, "ROLLBACK")))
        return locks_look_again(observation, &look);
    if (statement->in_transaction)
        return is_own || !statement->may_ask ||
               (locks_look(observation, &look) && probes_take(observation, TRACE_NO_STATEMENT, 0));
    if (!end_transaction(observation, statement, look.ended_us))
        return false;
    return is_own || statement->was_in_transaction || locks_compare(observation, index);
}

static bool
after(void *self, struct ctx *ctx, const struct alembic_statement *statement)
{
    struct observation *observation = self;
    bool is_good;

    enter(observation);
    is_good = look_after(observation, statement);
    leave(observation);
    return is_good || error_wrap(ctx, "looking on after a statement");
}

/* ---- a revision ---- */

static bool
wal_position(struct observation *observation, int64_t *ret)
{
    struct sql_change_wal_position_rows rows;

    if (!sql_change_wal_position(observation->ctx, observation->tracer->second, &rows))
        return false;
    *ret = rows.count > 0 ? rows.items[0].bytes : 0;
    return true;
}

static bool
run(struct observation *observation, struct alembic_outcome *ret)
{
    struct tracer *tracer = observation->tracer;
    const char *const args[] = { "upgrade", observation->ret->revision->id, NULL };
    const struct alembic_watcher watcher = {
        .self = observation,
        .before = before,
        .running = running,
        .after = after,
    };
    int64_t wal_before;
    int64_t wal_after;

    if (!locks_begin(observation) || !probes_open(observation) ||
        !wal_position(observation, &wal_before) ||
        !alembic_run(observation->ctx, tracer->alembic, tracer->target, args, &watcher, ret))
        return false;
    /* A session that was closed in the middle of a transaction tells no end of it. */
    while (observation->held.count > 0) {
        size_t session = observation->held.items[0].session;

        if (!probes_settle(observation, session))
            return false;
        locks_release(observation, session, observe_now(observation));
    }
    if (!wal_position(observation, &wal_after) || !locks_end(observation))
        return false;
    observation->ret->wal_bytes = wal_after - wal_before;
    return true;
}

struct trace_failure
trace_failure_of(struct arena *arena, const struct alembic_outcome *outcome)
{
    const struct alembic_statement *failed = &outcome->failed;
    struct trace_failure ret = { .place = outcome->place };

    if (outcome->place.file)
        ret.place.file = arena_strdup(arena, outcome->place.file);
    if (outcome->has_failed_statement) {
        ret.sqlstate = copied(arena, failed->sqlstate);
        ret.message = copied(arena, failed->message);
        ret.detail = copied(arena, failed->detail);
        ret.hint = copied(arena, failed->hint);
        ret.statement = copied(arena, failed->sql);
    } else {
        ret.message = copied(arena, outcome->exception);
    }
    if (text_is_empty(ret.message))
        ret.message = arena_printf(arena, "Alembic ended with exit status %d", outcome->status);
    return ret;
}

bool
trace_observe(struct tracer *tracer, struct trace_revision *ret)
{
    struct observation observation = { .tracer = tracer, .ctx = tracer->ctx, .ret = ret };
    struct alembic_outcome outcome = { 0 };
    bool is_good = run(&observation, &outcome);

    probes_close(&observation);
    if (!is_good)
        return error_wrap(tracer->ctx, "revision %s", ret->revision->id);
    ret->alembic_us = outcome.us;
    ret->is_failed = outcome.status != 0;
    if (ret->is_failed)
        ret->failure = trace_failure_of(tracer->ctx->arena, &outcome);
    return true;
}
