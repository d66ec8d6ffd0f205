/*
 * Any bytes as what a messenger or mail server answers: no crash, an outcome that is known, no endless rest,
 * and an answer of one line. The first two bytes give the status.
 */
#include <assert.h>
#include <string.h>

#include "http/client.h"
#include "monitor/notify/sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct http_result result = { .is_answered = true, .retry_after_us = -1 };

    if (size < 2)
        return 0;
    result.status = 100 + data[0] % 6 * 100 + data[1] % 100;
    result.body = arena_strndup(arena, (const char *)data + 2, size - 2);
    result.length = size - 2;
    for (int kind = 0; kind < SINK_KIND_COUNT; kind++) {
        struct outcome outcome = { .kind = OUTCOME_LATER, .after_us = -1, .answer = "" };

        if (!sink_kinds[kind].judge)
            continue;
        sink_kinds[kind].judge(arena, &result, &outcome);
        assert(outcome.kind <= OUTCOME_REFUSED && outcome.after_us >= -1);
    }
    return 0;
}
