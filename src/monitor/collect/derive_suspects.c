/* Statements that look as if they were run once for each row of another. */
#include "monitor/collect/derive_part.h"
#include "monitor/collect/text.h"
#include "workload/suspect.h"

/* Texts are known of the slowest only, and they are the ones that matter. */
enum { MOST_STATEMENTS = 100 };

void
derive_suspects(struct watched *server)
{
    struct arena *arena = server->samples.arena;
    struct suspect_statement *statements;
    struct statement_rates rates;
    struct suspects suspects;
    size_t count = 0;

    derive_statements(arena, server, &rates);
    if (rates.span_s <= 0)
        return;
    statements = ARENA_ARRAY(arena, struct suspect_statement, MOST_STATEMENTS);
    for (size_t i = 0; i < rates.count && count < MOST_STATEMENTS; i++) {
        const struct statement_rate *rate = &rates.items[i];
        const char *text = statement_text(server, rate->query_id);

        if (text)
            statements[count++] = (struct suspect_statement){
                .query_id = rate->query_id,
                .user_id = rate->user_id,
                .query = text,
                .calls = (double)rate->calls,
                .rows = (double)rate->rows,
                .total_ms = rate->seconds * 1000,
            };
    }
    /* Without a single text nothing was looked at. */
    if (count == 0)
        return;
    suspects_find(arena, statements, count, &suspects);
    derive_add(server, DERIVED_NPLUS1_SUSPECTS, NULL, NULL, (double)suspects.count);
}
