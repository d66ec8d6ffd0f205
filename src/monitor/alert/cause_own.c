/* What the monitor can say of itself, and of the applications that it asks. */
#include "base/clock.h"
#include "monitor/alert/cause.h"
#include "monitor/plain.h"
#include "sql.h"

enum { MOST_TEXT = 300 };

/* The daemon has put it together, as it knows the places. */
const char *
cause_store(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    (void)sample;
    return server->error.message ? plain_cut(arena, server->error.message, MOST_TEXT) : NULL;
}

/* The part that took the server longest. */
const char *
cause_slowed(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    size_t slowest = COLLECTOR_COUNT;

    (void)sample;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        if (server->now[i].is_known &&
            (slowest == COLLECTOR_COUNT ||
                server->now[i].elapsed_us > server->now[slowest].elapsed_us))
            slowest = i;
    if (slowest == COLLECTOR_COUNT)
        return NULL;
    return arena_printf(arena, "Intervals are %d times as long; collector %s took longest, %s.",
        1 << server->slowed, collectors[slowest].name,
        text_from_us(arena, server->now[slowest].elapsed_us));
}

const char *
cause_application(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    (void)sample;
    return server->silent ? plain_cut(arena, server->silent, MOST_TEXT) : NULL;
}

const char *
cause_vector(struct arena *arena, const struct watched *server, const struct sample *sample)
{
    const struct reading *reading = &server->now[COLLECT_VECTOR];
    const struct sql_monitor_vector *rows = READING_ROWS(reading, struct sql_monitor_vector);

    for (size_t i = 0; reading->is_good && i < reading->rows.count; i++)
        if (text_equal(rows[i].name, sample->labels[0]))
            return arena_printf(arena,
                "The check of %s found %.3f of what an exact search finds; %.3f was asked for.",
                clock_text(arena, (int64_t)(rows[i].checked_epoch * 1e6)), rows[i].recall,
                rows[i].recall_goal);
    return NULL;
}
