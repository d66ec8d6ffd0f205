/* Any bytes as what a monitor is told: no crash, and an error is about the configuration and names the file. */
#include <assert.h>
#include <string.h>

#include "given.h"
#include "monitor/setup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct given given CLEANUP(given_close) = given_file(arena, data, size);
    struct setup setup = { 0 };

    /* A token may be read from a file that the text names: none of this machine's devices. */
    if (memmem(data, size, "/dev", 4) || memmem(data, size, "/proc", 5))
        return 0;
    if (!setup_read(&ctx, given.path, &setup)) {
        assert(ctx.error.kind == ERR_CONFIG && ctx.error.message);
        return 0;
    }
    for (size_t i = 0; i < setup.sinks.count; i++) {
        assert(setup.sinks.items[i].kind < SINK_KIND_COUNT);
        assert(setup_has_sink(&setup, setup.sinks.items[i].name));
    }
    for (size_t i = 0; i < setup.routes.count; i++)
        for (size_t j = 0; j < setup.routes.items[i].sinks.count; j++)
            assert(setup_has_sink(&setup, setup.routes.items[i].sinks.items[j]));
    return 0;
}
