#include "base/clock.h"
#include "monitor/collect/derive.h"
#include "monitor/serve/writer.h"
#include "monitor/store/files_part.h"
#include "sql.h"

enum { MOST_STATEMENTS = 200 };
static const double LONG_SECONDS = 60;

static const struct field host_fields[] = {
    FIELD(struct host_facts, cpus),
    FIELD(struct host_facts, cpu_busy_total),
    FIELD(struct host_facts, cpu_wait_total),
    FIELD(struct host_facts, cpu_all_total),
    FIELD(struct host_facts, load1),
    FIELD(struct host_facts, memory_bytes),
    FIELD(struct host_facts, memory_available_bytes),
    FIELD(struct host_facts, swap_used_bytes),
    FIELD(struct host_facts, disk_bytes),
    FIELD(struct host_facts, disk_free_bytes),
    FIELD(struct host_facts, io_read_bytes_total),
    FIELD(struct host_facts, io_written_bytes_total),
    FIELD(struct host_facts, io_busy_total),
    FIELD(struct host_facts, server_rss_bytes),
    FIELD(struct host_facts, server_cpu_total),
};

/* No texts of running statements: they can hold what only their own users may see. */
static const struct field session_fields[] = {
    FIELD(struct sql_monitor_session, pid),
    FIELD(struct sql_monitor_session, datname),
    FIELD(struct sql_monitor_session, usename),
    FIELD(struct sql_monitor_session, application_name),
    FIELD(struct sql_monitor_session, state),
    FIELD(struct sql_monitor_session, wait_event_type),
    FIELD(struct sql_monitor_session, wait_event),
    FIELD(struct sql_monitor_session, xact_seconds),
    FIELD(struct sql_monitor_session, query_seconds),
    FIELD(struct sql_monitor_session, state_seconds),
    FIELD(struct sql_monitor_session, blocked_by),
    FIELD(struct sql_monitor_session, blocks),
};

static void
begin_line(struct writer *writer, const char *type, int64_t wall_us)
{
    writer_open(writer, NULL, '{');
    writer_text(writer, "type", type);
    writer_text(writer, "at", clock_text(writer->text.arena, wall_us));
    writer_time(writer, "time", wall_us);
}

static const char *
end_line(struct writer *writer)
{
    writer_close(writer, '}');
    return buffer_text(&writer->text);
}

static void
write_sample(struct writer *writer, const struct sample *sample)
{
    writer_open(writer, NULL, '{');
    writer_text(writer, "metric", sample->metric->name);
    if (sample->label_names && sample->label_names[0]) {
        writer_open(writer, "labels", '{');
        for (size_t i = 0; i < METRIC_LABELS && sample->label_names[i]; i++)
            writer_text(writer, sample->label_names[i], sample->labels[i] ? sample->labels[i] : "");
        writer_close(writer, '}');
    }
    writer_number(writer, "value", sample->value);
    writer_close(writer, '}');
}

static bool
is_worth_a_line(const struct sql_monitor_session *session)
{
    return session->blocks > 0 || !text_is_empty(session->blocked_by) ||
           session->xact_seconds > LONG_SECONDS;
}

static void
write_sessions(struct writer *writer, const struct reading *reading)
{
    const struct sql_monitor_session *sessions = READING_ROWS(reading, struct sql_monitor_session);

    writer_open(writer, "sessions", '[');
    for (size_t i = 0; i < reading->rows.count; i++) {
        if (!is_worth_a_line(&sessions[i]))
            continue;
        writer_open(writer, NULL, '{');
        writer_fields(writer, session_fields, COUNT_OF(session_fields), &sessions[i]);
        writer_id(writer, "query_id", sessions[i].query_id);
        writer_close(writer, '}');
    }
    writer_close(writer, ']');
}

static void
write_statement(struct writer *writer, struct output_files *files, const struct watched *server,
    const struct statement_rate *rate)
{
    const char *key =
        arena_printf(writer->text.arena, "%s %lld", server->name, (long long)rate->query_id);
    const char *text =
        map_get(&files->statements, key) ? NULL : statement_text(server, rate->query_id);

    writer_open(writer, NULL, '{');
    writer_id(writer, "query_id", rate->query_id);
    writer_id(writer, "user_id", rate->user_id);
    writer_id(writer, "database_id", rate->database_id);
    writer_int(writer, "calls", rate->calls);
    writer_number(writer, "seconds", rate->seconds);
    writer_int(writer, "rows", rate->rows);
    writer_int(writer, "blocks_hit", rate->blocks_hit);
    writer_int(writer, "blocks_read", rate->blocks_read);
    if (text) {
        writer_text(writer, "query", text);
        map_set(&files->statements, arena_strdup(files->known, key), files);
    }
    writer_close(writer, '}');
}

/* Each text stands once in a file; of very many statements those that took most time. */
static void
write_statements(struct writer *writer, struct output_files *files, const struct watched *server)
{
    struct statement_rates rates = { 0 };
    int64_t left_out = 0;
    size_t written = 0;

    derive_statements(writer->text.arena, server, &rates);
    if (rates.span_s <= 0 && !rates.gap)
        return;
    writer_open(writer, "statements", '{');
    writer_number(writer, "span", rates.span_s);
    writer_text(writer, "gap", rates.gap);
    writer_open(writer, "items", '[');
    for (size_t i = 0; i < rates.count; i++) {
        if (rates.items[i].calls <= 0)
            continue;
        if (written < MOST_STATEMENTS)
            write_statement(writer, files, server, &rates.items[i]);
        else
            left_out++;
        written++;
    }
    writer_close(writer, ']');
    writer_int(writer, "left_out", left_out);
    writer_close(writer, '}');
}

static bool
is_new(const struct reading *reading)
{
    return reading->is_good && reading->is_fresh;
}

const char *
files_tick_line(struct arena *arena, struct output_files *files, const struct watched *server)
{
    struct writer writer = { .text = { .arena = arena } };

    begin_line(&writer, "tick", server->at_wall_us);
    writer_text(&writer, "server", server->name);
    writer_text(&writer, "database", server->database);
    writer_bool(&writer, "up", server->is_up);
    if (!server->is_up)
        writer_text(&writer, "error", server->error.message);
    writer_int(&writer, "tick", server->tick);
    writer_int(&writer, "missed", server->missed);
    if (server->is_gap)
        writer_text(&writer, "gap", server->gap ? server->gap : "unknown");
    writer_open(&writer, "samples", '[');
    for (size_t i = 0; i < server->samples.count; i++)
        if (server->samples.items[i].metric->is_kept)
            write_sample(&writer, &server->samples.items[i]);
    writer_close(&writer, ']');
    if (is_new(&server->now[COLLECT_SESSION]))
        write_sessions(&writer, &server->now[COLLECT_SESSION]);
    if (is_new(&server->now[COLLECT_STATEMENT]))
        write_statements(&writer, files, server);
    if (server->host_now.is_known) {
        writer_open(&writer, "host", '{');
        writer_fields(&writer, host_fields, COUNT_OF(host_fields), &server->host_now);
        writer_close(&writer, '}');
    }
    return end_line(&writer);
}

const char *
files_alert_line(struct arena *arena, const struct alert *alert, int64_t wall_us)
{
    struct writer writer = { .text = { .arena = arena } };

    begin_line(&writer, "alert", wall_us);
    writer_json(&writer, "alert", alert_json(alert));
    return end_line(&writer);
}

const char *
files_lost_line(struct arena *arena, const struct output_files *files, int64_t wall_us)
{
    struct writer writer = { .text = { .arena = arena } };

    begin_line(&writer, "lost", wall_us);
    writer_int(&writer, "lines", files->lost);
    writer_text(&writer, "since", clock_text(arena, files->lost_since_wall_us));
    writer_text(&writer, "why", files->error);
    return end_line(&writer);
}
