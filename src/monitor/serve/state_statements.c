#include <math.h>

#include "monitor/serve/serve_part.h"

/* Seconds of it a second, reading by reading: null where there was none. */
static void
write_line(struct writer *writer, const struct trend *trend, const struct trend_item *item)
{
    writer_open(writer, "load", '[');
    for (size_t i = 0; i < trend_kept(trend); i++) {
        size_t slot = trend_slot_at(trend, i);
        double span = (double)trend->spans[slot];

        writer_number(writer, NULL, span > 0 ? (double)item->slots[slot].seconds / span : NAN);
    }
    writer_close(writer, ']');
}

static void
write_statement(struct writer *writer, const struct trend *trend, const struct watched *server,
    const struct trend_sum *sum, double all_seconds)
{
    writer_open(writer, NULL, '{');
    writer_id(writer, "id", sum->item->query_id);
    writer_id(writer, "database_id", sum->item->database_id);
    writer_text(writer, "text", statement_text(server, sum->item->query_id));
    writer_bool(writer, "is_new", sum->item->is_new);
    writer_number(writer, "calls", sum->calls);
    writer_number(writer, "seconds", sum->seconds);
    writer_number(writer, "mean", sum->calls > 0 ? sum->seconds / sum->calls : NAN);
    writer_number(writer, "rows", sum->calls > 0 ? sum->rows / sum->calls : NAN);
    writer_number(
        writer, "hit_ratio", sum->hit + sum->read > 0 ? sum->hit / (sum->hit + sum->read) : NAN);
    writer_number(writer, "share", all_seconds > 0 ? sum->seconds / all_seconds : NAN);
    write_line(writer, trend, sum->item);
    writer_close(writer, '}');
}

void
state_write_statements(
    struct writer *writer, struct serve *serve, const struct watched *server, size_t most)
{
    const struct trend *trend = serve_trend(serve, server);
    const struct reading *reading = &server->now[COLLECT_STATEMENT];
    struct trend_sum *sums = NULL;
    double span_s;
    double seconds;
    size_t count = trend_sums(trend, writer->text.arena, &sums, &span_s, &seconds);

    writer_open(writer, "statements", '{');
    writer_bool(writer, "known", reading->is_known && reading->is_good);
    writer_text(
        writer, "error", reading->is_known && !reading->is_good ? reading->error.message : NULL);
    writer_text(writer, "needs", collectors[COLLECT_STATEMENT].needs);
    writer_number(writer, "span", span_s);
    writer_number(writer, "seconds", seconds);
    writer_text(writer, "gap", trend->gap[0] ? trend->gap : NULL);
    writer_int(writer, "count", (int64_t)count);
    writer_open(writer, "items", '[');
    for (size_t i = 0; i < count && i < most && sums[i].seconds > 0; i++)
        write_statement(writer, trend, server, &sums[i], seconds);
    writer_close(writer, ']');
    writer_close(writer, '}');
}
