#include "cmd/parts/query_top_screen.h"

#include <inttypes.h>

#include "base/log.h"
#include "cli/out.h"
#include "monitor/plain.h"

/* Bytes of a statement in the table; the document holds it all. */
enum { SHOWN_DIGITS = 8, SHOWN_TEXT = 200 };

struct line {
    const char *id;
    const char *calls;
    const char *total;
    const char *share;
    const char *mean;
    const char *p95;
    const char *rows;
    const char *blocks;
    const char *mark;
    const char *query;
};

static const char *
show_ms(struct arena *arena, double ms)
{
    return ms < 0 ? "-" : text_from_us(arena, (int64_t)(ms * 1000 + 0.5));
}

static const char *
show_count(struct arena *arena, int64_t count)
{
    return count < 0 ? "-" : text_from_count(arena, count);
}

/* One line of it, blanks drawn together, cut between characters. */
static const char *
show_query(struct arena *arena, const char *query)
{
    struct buffer text = { .arena = arena };

    for (const char *c = query;
         *c && (text.length < SHOWN_TEXT || ((unsigned char)*c & 0xC0) == 0x80); c++) {
        bool is_blank = *c == ' ' || *c == '\n' || *c == '\t' || *c == '\r';

        if (!is_blank)
            buffer_append(&text, c, 1);
        else if (text.length > 0 && text.data[text.length - 1] != ' ')
            buffer_append(&text, " ", 1);
        if (text.length >= SHOWN_TEXT && c[1] && ((unsigned char)c[1] & 0xC0) != 0x80)
            buffer_add(&text, "…");
    }
    return buffer_text(&text);
}

static struct line
line_of(struct arena *arena, const struct ranked_query *item)
{
    bool has_blocks = item->blocks_hit >= 0;

    return (struct line){
        .id = arena_printf(
            arena, "%.*s%s", SHOWN_DIGITS, item->fingerprint, item->is_part ? "*" : ""),
        .calls = text_from_count(arena, item->calls),
        .total = show_ms(arena, item->total_ms),
        .share = item->share < 0 ? "-" : arena_printf(arena, "%.1f %%", item->share * 100),
        .mean = show_ms(arena, item->mean_ms),
        .p95 = show_ms(arena, item->p95_ms),
        .rows = show_count(arena, item->rows),
        .blocks = has_blocks ? text_from_count(arena, item->blocks_hit + item->blocks_read) : "-",
        .mark = item->mark ? item->mark : "",
        .query = show_query(arena, plain_text(arena, item->query)),
    };
}

static const struct field counter_columns[] = {
    FIELD(struct line, id),
    FIELD(struct line, calls),
    FIELD(struct line, total),
    FIELD(struct line, share),
    FIELD(struct line, mean),
    FIELD(struct line, p95, .help = "p95 est."),
    FIELD(struct line, rows),
    FIELD(struct line, blocks),
    FIELD(struct line, mark, .help = "N+1"),
    FIELD(struct line, query),
};

static const struct field trace_columns[] = {
    FIELD(struct line, id),
    FIELD(struct line, calls),
    FIELD(struct line, total),
    FIELD(struct line, share),
    FIELD(struct line, mean),
    FIELD(struct line, p95),
    FIELD(struct line, rows),
    FIELD(struct line, mark, .help = "N+1"),
    FIELD(struct line, query),
};

static void
tell_counters(struct ctx *ctx, FILE *out, const struct query_top *top)
{
    const struct workload *after = &top->after;
    struct workload_deltas deltas;

    workload_compare(ctx->arena, top->span_us > 0 ? &top->before : NULL, after, &deltas);
    if (top->span_us > 0)
        fprintf(
            out, "Counted by pg_stat_statements for %s.\n", text_from_us(ctx->arena, top->span_us));
    else
        fprintf(out, "Counted by pg_stat_statements since %s.\n",
            after->stats_reset ? after->stats_reset : "it was installed: it was never reset");
    if (deltas.was_restarted)
        out_mark_line(out, MARK_WARN, "The server was restarted in between.");
    if (deltas.was_reset)
        out_mark_line(
            out, MARK_WARN, "The counters were reset in between: these are those since then.");
    if (deltas.evicted > 0)
        out_mark_line(out, MARK_WARN,
            "Entries were evicted %s times (pg_stat_statements.max = %" PRId64
            "): what they had counted is missing%s.",
            text_from_count(ctx->arena, deltas.evicted), after->most_entries,
            top->span_us > 0 ? ", and statements with * are counted in part" : "");
    if (top->ranking.vanished > 0)
        out_mark_line(out, MARK_WARN, "%s statements are gone from the counters.",
            text_from_count(ctx->arena, top->ranking.vanished));
    if (after->hidden > 0)
        out_mark_line(out, MARK_WARN,
            "%s entries of other roles are hidden from this one and not counted: pg_read_all_stats "
            "shows them.",
            text_from_count(ctx->arena, after->hidden));
    if (top->ranking.own > 0)
        out_mark_line(out, MARK_INFO,
            "%s entries of proofs by \"pgmend queries rewrite\" are left out.",
            text_from_count(ctx->arena, top->ranking.own));
    if (top->ranking.nested > 0)
        out_mark_line(out, MARK_INFO,
            "%s statements were run inside functions: their time is their caller's.",
            text_from_count(ctx->arena, top->ranking.nested));
}

static void
tell_files(struct ctx *ctx, FILE *out, const struct query_top *top)
{
    const struct query_files *files = &top->files;

    if (files->logs > 0)
        fprintf(out, "Read as %s: %s lines, %s statements.\n", files->log_format,
            text_from_count(ctx->arena, files->log.lines),
            text_from_count(ctx->arena, files->log.statements));
    if (files->log.broken > 0)
        out_mark_line(out, MARK_WARN, "%s lines are not as the format wants and were left out.",
            text_from_count(ctx->arena, files->log.broken));
    if (files->log.other_databases > 0)
        out_mark_line(out, MARK_INFO, "%s lines are of other databases.",
            text_from_count(ctx->arena, files->log.other_databases));
    if (files->lost > 0)
        out_mark_line(out, MARK_WARN, "%s statements were not seen by the trace.",
            text_from_count(ctx->arena, files->lost));
    if (files->is_cut)
        out_mark_line(out, MARK_WARN, "The end of a trace is missing.");
    if (top->ranking.untimed > 0)
        out_mark_line(out, MARK_WARN,
            "%s executions came without a time: they are in the calls, not in the times.",
            text_from_count(ctx->arena, top->ranking.untimed));
}

static size_t
shown_count(const struct query_top *top, size_t limit)
{
    return top->ranking.count < limit ? top->ranking.count : limit;
}

void
query_top_print(struct ctx *ctx, const struct run *run, const struct query_top *top, size_t limit)
{
    const struct query_ranking *ranking = &top->ranking;
    size_t count = shown_count(top, limit);
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, count + 1);
    bool has_mark = false;

    if (top->is_counters)
        tell_counters(ctx, run->out, top);
    else
        tell_files(ctx, run->out, top);
    if (count == 0) {
        if (text_equal(top->track, "none"))
            fprintf(run->out, "There are no statements: pg_stat_statements.track is none, so that "
                              "nothing is counted. Set it to top.\n");
        else
            fprintf(run->out, "There are no statements.\n");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        lines[i] = line_of(ctx->arena, &ranking->items[i]);
        has_mark = has_mark || ranking->items[i].mark;
    }
    fputc('\n', run->out);
    out_table(run->out, top->is_counters ? counter_columns : trace_columns,
        top->is_counters ? COUNT_OF(counter_columns) : COUNT_OF(trace_columns), lines, count,
        sizeof(lines[0]));
    fprintf(run->out, "\n%s of %s statements; %s calls, %s in all.\n",
        text_from_count(ctx->arena, (int64_t)count),
        text_from_count(ctx->arena, (int64_t)ranking->count),
        text_from_count(ctx->arena, ranking->calls), show_ms(ctx->arena, ranking->total_ms));
    if (top->is_counters)
        log_info("p95 est. is an estimate: by mean and deviation, as if times were log-normal; a "
                 "trace measures it.");
    if (top->is_counters)
        out_next(run->out, has_mark ? "pgmend queries trace --listen 127.0.0.1:6432"
                                    : "pgmend queries top --for 1m");
    else
        out_next(
            run->out, "pgmend queries nplusone %s", text_shell(ctx->arena, run->operands.items[0]));
}

static json_t *
known(double number)
{
    return number < 0 ? json_null() : json_real(number);
}

static json_t *
known_count(int64_t number)
{
    return number < 0 ? json_null() : json_integer(number);
}

static json_t *
item_json(const struct ranked_query *item, bool has_estimated_p95)
{
    json_t *json = json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "fingerprint", item->fingerprint,
        "query", item->query, "calls", (json_int_t)item->calls, "total_ms", known(item->total_ms),
        "mean_ms", known(item->mean_ms), has_estimated_p95 ? "p95_ms_estimated" : "p95_ms",
        known(item->p95_ms));

    json_object_set_new(json, "share", known(item->share));
    json_object_set_new(json, "rows", known_count(item->rows));
    json_object_set_new(json, "blocks_hit", known_count(item->blocks_hit));
    json_object_set_new(json, "blocks_read", known_count(item->blocks_read));
    json_object_set_new(json, "is_part", json_boolean(item->is_part));
    json_object_set_new(json, "n_plus_one", item->mark ? json_string(item->mark) : json_null());
    json_object_set_new(json, "parent_fingerprint",
        item->parent_fingerprint ? json_string(item->parent_fingerprint) : json_null());
    return json;
}

static void
add_counters(struct ctx *ctx, const struct query_top *top, json_t *json)
{
    struct workload_deltas deltas;

    workload_compare(ctx->arena, top->span_us > 0 ? &top->before : NULL, &top->after, &deltas);
    json_object_update_new(json,
        json_pack("{s:s?, s:s, s:I, s:b, s:b, s:I, s:I, s:I, s:I, s:I}", "since",
            top->span_us > 0 ? top->before.taken_at : top->after.stats_reset, "until",
            top->after.taken_at, "span_us", (json_int_t)top->span_us, "was_reset", deltas.was_reset,
            "was_restarted", deltas.was_restarted, "evicted", (json_int_t)deltas.evicted, "hidden",
            (json_int_t)top->after.hidden, "nested", (json_int_t)top->ranking.nested, "own",
            (json_int_t)top->ranking.own, "vanished", (json_int_t)top->ranking.vanished));
}

static void
add_files(const struct query_top *top, json_t *json)
{
    const struct query_files *files = &top->files;

    json_object_update_new(
        json, json_pack("{s:s?, s:I, s:I, s:I, s:I, s:b, s:I}", "log_format", files->log_format,
                  "log_lines", (json_int_t)files->log.lines, "broken_lines",
                  (json_int_t)files->log.broken, "other_databases",
                  (json_int_t)files->log.other_databases, "lost", (json_int_t)files->lost, "is_cut",
                  files->is_cut, "untimed", (json_int_t)top->ranking.untimed));
}

void
query_top_json(struct ctx *ctx, const struct run *run, const struct query_top *top, const char *by,
    size_t limit)
{
    const struct query_ranking *ranking = &top->ranking;
    json_t *items = json_array();
    json_t *json CLEANUP(json_release) = json_pack("{s:s, s:s, s:I, s:I, s:f}", "source",
        top->is_counters ? "counters" : "files", "by", by, "statements", (json_int_t)ranking->count,
        "calls", (json_int_t)ranking->calls, "total_ms", ranking->total_ms);

    if (top->is_counters)
        add_counters(ctx, top, json);
    else
        add_files(top, json);
    for (size_t i = 0; i < shown_count(top, limit); i++)
        json_array_append_new(items, item_json(&ranking->items[i], ranking->has_estimated_p95));
    json_object_set_new(json, "queries", items);
    out_json(run->out, json);
}
