/* Why nothing can be advised for a statement. */
#include "index/intake/intake_part.h"
#include "lang/sql.h"

static const char of_transaction[] = "it begins or ends a transaction";
static const char of_session[] = "it is about the session, not about tables";
static const char of_utility[] = "a utility statement";

bool
intake_is_utility(const char *problem)
{
    return text_equal(problem, of_transaction) || text_equal(problem, of_session) ||
           text_equal(problem, of_utility);
}

const char *
intake_problem(
    struct arena *arena, const struct template *template, const char *sql, size_t cut_bytes)
{
    struct ctx scratch = { .arena = arena };
    const char *ignored;

    switch (template->kind) {
    case TEMPLATE_READ:
    case TEMPLATE_WRITE:
        return NULL;
    case TEMPLATE_TRANSACTION:
        return of_transaction;
    case TEMPLATE_SESSION:
        return of_session;
    case TEMPLATE_OTHER:
        return of_utility;
    case TEMPLATE_UNKNOWN:
        break;
    }
    /* Texts are cut between characters, so up to three bytes may be missing. */
    if (cut_bytes > 0 && strlen(sql) + 4 >= cut_bytes && strlen(sql) <= cut_bytes)
        return arena_printf(
            arena, "cut off after %zu bytes (track_activity_query_size)", cut_bytes);
    if (sql_fingerprint(&scratch, sql, &ignored))
        return NULL;
    return arena_printf(arena, "not understood by the grammar of PostgreSQL %s: %s",
        sql_grammar_version(), scratch.error.message);
}
