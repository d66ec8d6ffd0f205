/*
 * Texts of statements, which are asked only for those that matter (they cost the server a read of
 * its whole text file) and kept, a bounded number of them. watch/ asks from time to time:
 *
 *     const void *args = statement_texts_wanted(server->texts, arena, server);
 *     if (args)  … { .query = &query_monitor_statement_text, .args = args } in the tick's flight,
 *                and with its reply statement_texts_take(server->texts, args, &reply.rows)
 */
#pragma once

#include "monitor/monitor.h"

struct statement_texts;

/* most: how many are kept; 0: 1,000. Of a text 4,000 characters. */
struct statement_texts *statement_texts_new(size_t most);
void statement_texts_free(struct statement_texts *texts);

/*
 * Arguments of query_monitor_statement_text, in the arena, or NULL: nothing to ask now. At most
 * once in 30 s, at most 100 statements: the slowest since the last reading and in all, and those
 * that sessions run.
 */
const void *statement_texts_wanted(
    struct statement_texts *texts, struct arena *arena, const struct watched *server);

/* The answer; rows NULL: it failed. Those that have no text are not asked again for ten minutes. */
void statement_texts_take(struct statement_texts *texts, const void *args, const struct rows *rows);
