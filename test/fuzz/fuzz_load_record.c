/* Any bytes as the result of a load run: no crash, and what is read can be counted and written. */
#include <assert.h>

#include "given.h"
#include "load/result/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct given given CLEANUP(given_close) = given_file(arena, data, size);
    struct load_record record;

    if (!load_record_read(&ctx, given.path, &record)) {
        assert(ctx.error.kind == ERR_INPUT && ctx.error.message);
        return 0;
    }
    (void)load_record_rate(&record);
    (void)load_record_errors(&record);
    (void)load_record_is_bottleneck(&record);
    json_decref(load_record_json(&record));
    return 0;
}
