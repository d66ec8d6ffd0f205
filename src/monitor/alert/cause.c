#include "monitor/alert/cause.h"

#include <math.h>

#include "monitor/collect/derive.h"
#include "monitor/plain.h"
#include "sql.h"

enum { MOST_TEXT = 160 /* terminal columns */ };

/* A good reading's rows, or none. */
#define ROWS_OF(server, id, name, ret_count)                                      \
    (*(ret_count) = (server)->now[id].is_good ? (server)->now[id].rows.count : 0, \
        READING_ROWS(&(server)->now[id], struct sql_monitor_##name))

static const char *
seconds_text(struct arena *arena, double seconds)
{
    return text_from_us(arena, (int64_t)llround(seconds * 1e6));
}

static const char *
short_text(struct arena *arena, const char *text)
{
    return plain_cut(arena, text, MOST_TEXT);
}

static const char *
text_of_statement(struct arena *arena, const struct watched *server, int64_t query_id)
{
    const char *text = query_id ? statement_text(server, query_id) : NULL;

    if (text)
        return arena_printf(arena, ": %s", short_text(arena, text));
    return query_id ? arena_printf(arena, " (query id %lld)", (long long)query_id) : "";
}

const char *
cause_down(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    (void)sample;
    if (!server->error.message)
        return NULL;
    return arena_printf(arena, "The last try said: %s.", short_text(arena, server->error.message));
}

const char *
cause_collector(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    for (size_t i = 0; i < COLLECTOR_COUNT; i++) {
        const struct reading *reading = &server->now[i];

        if (!reading->error.message || reading->is_good ||
            !text_equal(collectors[i].name, sample->labels[0]))
            continue;
        if (collectors[i].needs)
            return arena_printf(arena, "The server said: %s. It needs: %s.",
                short_text(arena, reading->error.message), collectors[i].needs);
        return arena_printf(
            arena, "The server said: %s.", short_text(arena, reading->error.message));
    }
    return NULL;
}

const char *
cause_statement(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    struct statement_rates rates = { 0 };

    (void)sample;
    derive_statements(arena, server, &rates);
    if (rates.count == 0 || !(rates.items[0].seconds > 0))
        return NULL;

    const struct statement_rate *top = &rates.items[0];

    return arena_printf(arena,
        "Most time, %.0f %% of all statements', went to %s call%s of %s each%s.", top->share * 100,
        text_from_count(arena, top->calls), top->calls == 1 ? "" : "s",
        seconds_text(arena, top->mean_seconds), text_of_statement(arena, server, top->query_id));
}

/* Statements are to blame only where the server's processes take most of what is busy. */
const char *
cause_cpu(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    static const char *const no_labels[] = { NULL };
    const struct sample *used =
        sample_find(&server->samples, "pgmend_host_server_cpus_used", no_labels);
    const struct sample *cpus = sample_find(&server->samples, "pgmend_host_cpus", no_labels);

    if (!used || !cpus)
        return cause_statement(arena, server, sample);
    if (used->value * 2 < sample->value * cpus->value)
        return arena_printf(arena,
            "PostgreSQL takes %.1f of the %.0f CPUs: other programs of the machine take the rest.",
            used->value, cpus->value);
    return cause_statement(arena, server, sample);
}

const char *
cause_memory(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    const struct host_facts *host = &server->host_now;

    (void)sample;
    if (!host->is_known || host->memory_bytes <= 0)
        return NULL;
    return arena_printf(arena, "The server's processes hold %s of %s; %s are left%s%s.",
        text_from_bytes(arena, host->server_rss_bytes), text_from_bytes(arena, host->memory_bytes),
        text_from_bytes(arena, host->memory_available_bytes),
        host->swap_used_bytes > 0 ? ", swap holds " : "",
        host->swap_used_bytes > 0 ? text_from_bytes(arena, host->swap_used_bytes) : "");
}

const char *
cause_disk(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count, wal_count;
    const struct sql_monitor_size *sizes = ROWS_OF(server, COLLECT_SIZE, size, &count);
    const struct sql_monitor_wal *wal = ROWS_OF(server, COLLECT_WAL, wal, &wal_count);
    const struct sql_monitor_size *most = NULL;
    const char *of_wal = "";

    (void)sample;
    for (size_t i = 0; i < count; i++)
        if (!isnan(sizes[i].size_bytes) && (!most || sizes[i].size_bytes > most->size_bytes))
            most = &sizes[i];
    if (wal_count > 0 && !isnan(wal->size_bytes))
        of_wal = arena_printf(
            arena, "pg_wal holds %s", text_from_bytes(arena, (int64_t)wal->size_bytes));
    if (!most)
        return *of_wal ? arena_printf(arena, "%s.", of_wal) : NULL;
    return arena_printf(arena, "The biggest database, %s, holds %s%s%s.",
        short_text(arena, most->datname), text_from_bytes(arena, (int64_t)most->size_bytes),
        *of_wal ? "; " : "", of_wal);
}

const char *
cause_connections(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_activity *rows = ROWS_OF(server, COLLECT_ACTIVITY, activity, &count);
    const struct sql_monitor_activity *most = NULL;

    (void)sample;
    for (size_t i = 0; i < count; i++)
        if (text_equal(rows[i].backend_type, "client backend") &&
            (!most || rows[i].count > most->count))
            most = &rows[i];
    if (!most)
        return NULL;
    return arena_printf(arena, "Most of them, %s, are of %s%s%s in database %s, %s.",
        text_from_count(arena, most->count),
        *most->usename ? short_text(arena, most->usename) : "a role",
        *most->application_name ? " by " : "", short_text(arena, most->application_name),
        short_text(arena, most->datname), short_text(arena, most->state));
}

static const char *
session_text(struct arena *arena, const struct sql_monitor_session *session)
{
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "process %d", session->pid);
    if (!text_is_empty(session->usename))
        buffer_printf(&text, " of %s", short_text(arena, session->usename));
    if (!text_is_empty(session->application_name))
        buffer_printf(&text, " by %s", short_text(arena, session->application_name));
    if (!text_is_empty(session->state))
        buffer_printf(&text, " (%s)", session->state);
    return buffer_text(&text);
}

/* A statement that runs now says more than what has ended. */
const char *
cause_slow(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_session *rows = ROWS_OF(server, COLLECT_SESSION, session, &count);
    const struct sql_monitor_session *longest = NULL;

    for (size_t i = 0; i < count; i++)
        if (text_equal(rows[i].state, "active") && rows[i].query_seconds > 1 &&
            text_equal(rows[i].backend_type, "client backend") &&
            (!longest || rows[i].query_seconds > longest->query_seconds))
            longest = &rows[i];
    if (!longest)
        return cause_statement(arena, server, sample);
    return arena_printf(arena, "The longest runs for %s in %s%s%s%s.",
        seconds_text(arena, longest->query_seconds), session_text(arena, longest),
        text_is_empty(longest->wait_event) ? "" : ", which waits for ",
        text_is_empty(longest->wait_event) ? "" : longest->wait_event,
        text_of_statement(arena, server, longest->query_id));
}

static const struct sql_monitor_session *
oldest_session(const struct watched *server, bool is_idle)
{
    size_t count;
    const struct sql_monitor_session *rows = ROWS_OF(server, COLLECT_SESSION, session, &count);
    const struct sql_monitor_session *oldest = NULL;

    for (size_t i = 0; i < count; i++) {
        bool is_idle_now = rows[i].state && text_starts_with(rows[i].state, "idle in transaction");
        double seconds = is_idle ? rows[i].state_seconds : rows[i].xact_seconds;
        double most = !oldest ? -1 : is_idle ? oldest->state_seconds : oldest->xact_seconds;

        if ((!is_idle || is_idle_now) && !isnan(seconds) && seconds > most)
            oldest = &rows[i];
    }
    return oldest;
}

const char *
cause_transaction(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    const struct sql_monitor_session *session = oldest_session(server, false);

    (void)sample;
    if (!session)
        return NULL;
    return arena_printf(arena, "The oldest transaction, %s, is that of %s%s.",
        seconds_text(arena, session->xact_seconds), session_text(arena, session),
        text_of_statement(arena, server, session->query_id));
}

const char *
cause_idle(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    const struct sql_monitor_session *session = oldest_session(server, true);

    (void)sample;
    if (!session)
        return NULL;
    return arena_printf(arena, "Idle for %s in a transaction of %s is %s; its last statement%s.",
        seconds_text(arena, session->state_seconds), seconds_text(arena, session->xact_seconds),
        session_text(arena, session),
        session->query_id ? text_of_statement(arena, server, session->query_id) : " is not known");
}

const char *
cause_blocker(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_session *rows = ROWS_OF(server, COLLECT_SESSION, session, &count);
    const struct sql_monitor_session *most = NULL;

    (void)sample;
    /* The root: it blocks others and waits for nobody. */
    for (size_t i = 0; i < count; i++)
        if (rows[i].blocks > 0 &&
            (!most || (text_is_empty(rows[i].blocked_by) && !text_is_empty(most->blocked_by)) ||
                (text_is_empty(rows[i].blocked_by) == text_is_empty(most->blocked_by) &&
                    rows[i].blocks > most->blocks)))
            most = &rows[i];
    if (!most)
        return NULL;
    return arena_printf(arena, "%d wait%s for %s%s.", most->blocks, most->blocks == 1 ? "s" : "",
        session_text(arena, most), text_of_statement(arena, server, most->query_id));
}

const char *
cause_errors(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    const char *blocker = cause_blocker(arena, server, sample);

    return blocker ? blocker : cause_statement(arena, server, sample);
}

const char *
cause_slot(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_slot *rows = ROWS_OF(server, COLLECT_SLOT, slot, &count);

    (void)sample;
    if (count == 0)
        return NULL;
    return arena_printf(arena, "Slot %s (%s, %s) keeps %s of WAL%s.",
        short_text(arena, rows->slot_name), rows->slot_type, rows->active ? "active" : "inactive",
        isnan(rows->retained_bytes) ? "nothing"
                                    : text_from_bytes(arena, (int64_t)rows->retained_bytes),
        text_equal(rows->wal_status, "lost") ? " and is lost" : "");
}

const char *
cause_archive(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_wal *rows = ROWS_OF(server, COLLECT_WAL, wal, &count);

    (void)sample;
    if (count == 0 || rows->failed_count == 0)
        return NULL;
    return arena_printf(arena, "archive_command or archive_library has failed %s times%s%s.",
        text_from_count(arena, rows->failed_count),
        isnan(rows->last_archive_age) ? "" : "; the last file was archived before ",
        isnan(rows->last_archive_age) ? "" : seconds_text(arena, rows->last_archive_age));
}

const char *
cause_wraparound(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_wraparound *rows =
        ROWS_OF(server, COLLECT_WRAPAROUND, wraparound, &count);
    const struct sql_monitor_wraparound *most = NULL;

    (void)sample;
    for (size_t i = 0; i < count; i++)
        if (!most || rows[i].ratio > most->ratio)
            most = &rows[i];
    if (!most)
        return NULL;
    return arena_printf(arena, "Database %s is %s transactions old%s%s.",
        short_text(arena, most->datname), text_from_count(arena, most->xid_age),
        text_is_empty(most->oldest_relation) ? "" : "; the oldest table is ",
        text_is_empty(most->oldest_relation) ? "" : short_text(arena, most->oldest_relation));
}

const char *
cause_index(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_index_state *rows =
        ROWS_OF(server, COLLECT_INDEX_STATE, index_state, &count);

    (void)sample;
    for (size_t i = 0; i < count; i++)
        if (!rows[i].is_building)
            return arena_printf(arena, "Index %s.%s of table %s, %s, is not valid%s.",
                short_text(arena, rows[i].schemaname), short_text(arena, rows[i].indexrelname),
                short_text(arena, rows[i].relname), text_from_bytes(arena, rows[i].size_bytes),
                rows[i].is_ready ? ", and every write keeps it up" : "");
    return NULL;
}

const char *
cause_checkpoint(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count, server_count;
    const struct sql_monitor_checkpoint *rows =
        ROWS_OF(server, COLLECT_CHECKPOINT, checkpoint, &count);
    const struct sql_monitor_server *facts = ROWS_OF(server, COLLECT_SERVER, server, &server_count);

    (void)sample;
    if (count == 0 || server_count == 0)
        return NULL;
    return arena_printf(arena,
        "%s of %s checkpoints were begun because max_wal_size (%s) was reached, or by command.",
        text_from_count(arena, rows->requested),
        text_from_count(arena, rows->requested + rows->timed),
        text_from_bytes(arena, facts->max_wal_size));
}

const char *
cause_pending(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_setting *rows = ROWS_OF(server, COLLECT_SETTING, setting, &count);
    struct text_list names = { 0 };

    (void)sample;
    for (size_t i = 0; i < count; i++)
        if (rows[i].pending_restart && names.count < 5)
            text_list_add(arena, &names, rows[i].name);
    if (names.count == 0)
        return NULL;
    return arena_printf(
        arena, "Changed, and not in force: %s.", text_list_join(arena, &names, ", "));
}

const char *
cause_dead_rows(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_table *rows = ROWS_OF(server, COLLECT_TABLE, table, &count);
    const struct sql_monitor_table *most = NULL;

    (void)sample;
    for (size_t i = 0; i < count; i++)
        if (!most || rows[i].n_dead_tup > most->n_dead_tup)
            most = &rows[i];
    if (!most || most->n_dead_tup == 0)
        return NULL;
    return arena_printf(arena, "Table %s.%s has the most dead rows: %s beside %s live ones%s.",
        short_text(arena, most->schemaname), short_text(arena, most->relname),
        text_from_count(arena, most->n_dead_tup), text_from_count(arena, most->n_live_tup),
        most->last_autovacuum > 0 || most->last_vacuum > 0 ? "" : ", and was never vacuumed");
}

const char *
cause_bloat(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count;
    const struct sql_monitor_bloat *rows = ROWS_OF(server, COLLECT_BLOAT, bloat, &count);
    const struct sql_monitor_bloat *most = NULL;

    (void)sample;
    for (size_t i = 0; i < count; i++)
        if (!isnan(rows[i].bloat_bytes) && (!most || rows[i].bloat_bytes > most->bloat_bytes))
            most = &rows[i];
    if (!most)
        return NULL;
    return arena_printf(arena, "%s %s.%s would be smaller by about %s of its %s.",
        *most->indexrelname ? "Index" : "Table", short_text(arena, most->schemaname),
        short_text(arena, *most->indexrelname ? most->indexrelname : most->relname),
        text_from_bytes(arena, (int64_t)most->bloat_bytes),
        text_from_bytes(arena, most->size_bytes));
}

const char *
cause_replication(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t count, receiver_count;
    const struct sql_monitor_replication *rows =
        ROWS_OF(server, COLLECT_REPLICATION, replication, &count);
    const struct sql_monitor_receiver *receiver =
        ROWS_OF(server, COLLECT_RECEIVER, receiver, &receiver_count);
    const struct sql_monitor_replication *most = NULL;

    (void)sample;
    if (receiver_count > 0 && receiver->is_replica)
        return arena_printf(arena, "This standby %s; %s.",
            receiver->is_paused ? "has its replay paused" : "replays",
            receiver->status ? "its receiver runs" : "no receiver is connected to the primary");
    for (size_t i = 0; i < count; i++)
        if (!most || rows[i].replay_lag_bytes > most->replay_lag_bytes)
            most = &rows[i];
    if (!most || isnan(most->replay_lag_bytes))
        return NULL;
    return arena_printf(arena, "Standby %s (%s) is %s behind.",
        short_text(arena, most->application_name), most->state,
        text_from_bytes(arena, (int64_t)most->replay_lag_bytes));
}
