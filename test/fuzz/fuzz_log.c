/*
 * Any bytes as a log, in pieces as they come: no crash, no leak, and memory only for what is open. The
 * first byte says in which pieces.
 */
#include <assert.h>
#include <string.h>

#include "workload/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
look(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    (void)ctx;
    (void)data;
    assert(statement->template && statement->session > 0);
    assert(statement->param_count <= statement->value_count);
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new();
    struct ctx ctx = { .arena = arena };
    const struct log_options options = { .keeps_values = true, .keeps_sql = true };
    struct templates *templates = templates_new(arena);
    struct log_reader *reader;
    size_t step = size > 0 ? (size_t)data[0] * 16 + 1 : 1;
    const uint64_t *ended;
    bool is_good = log_reader_new(&ctx, &options, templates, look, NULL, &reader);

    assert(is_good);
    for (size_t at = 1; at < size && is_good; at += step)
        is_good =
            log_reader_bytes(&ctx, reader, "fuzz", data + at, size - at < step ? size - at : step);
    if (is_good)
        (void)!log_reader_finish(&ctx, reader);
    (void)log_reader_ended(reader, &ended);
    log_reader_free(reader);
    templates_free(templates);
    arena_free(arena);
    return 0;
}
