/* Any bytes as a file of traced statements: no crash, and each statement that is told has its template. */
#include <assert.h>
#include <string.h>

#include "given.h"
#include "queries/trace/trace_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
see(struct ctx *ctx, void *count, const struct traced_statement *statement)
{
    (void)ctx;
    ++*(int64_t *)count;
    assert(statement->template && statement->template->text);
    assert(statement->param_count <= statement->value_count);
    for (size_t i = 0; i < statement->column_count; i++)
        assert(statement->columns[i].count <= statement->row_count || statement->row_count == 0);
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct given given CLEANUP(given_close) = given_file(arena, data, size);
    struct templates *templates = templates_new(arena);
    struct trace_summary summary;
    int64_t seen = 0;

    (void)trace_file_is(given.path);
    if (!trace_file_read(&ctx, given.path, templates, see, &seen, &summary))
        /* ERR_UNSUPPORTED: a newer pgmend wrote it. */
        assert((ctx.error.kind == ERR_INPUT || ctx.error.kind == ERR_UNSUPPORTED) &&
               ctx.error.message);
    else
        assert(summary.statements == seen);
    templates_free(templates);
    return 0;
}
