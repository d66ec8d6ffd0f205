/*
 * Any bytes as a dump of a schema: what is no SQL is blanked and nothing moves; each statement gets a verdict,
 * and one that is refused has a reason.
 */
#include <assert.h>
#include <string.h>

#include "staging/schema_load_lines.h"
#include "staging/schema_load_verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const char *text = arena_strndup(arena, (const char *)data, size);
    const char *sql = schema_load_only_sql(arena, text);
    struct load_statement statement = { 0 };

    assert(strlen(sql) == strlen(text));
    for (size_t i = 0; text[i]; i++)
        assert(sql[i] == text[i] || sql[i] == ' ');
    if (!schema_load_judge(&ctx, text, &statement)) {
        assert(ctx.error.kind == ERR_INPUT);
        return 0;
    }
    assert(statement.verdict != LOAD_REFUSE || statement.why);
    assert(statement.verdict != LOAD_EXTENSION || statement.extension);
    assert(statement.verdict == LOAD_SKIP || statement.verdict == LOAD_REFUSE || statement.sql);
    return 0;
}
