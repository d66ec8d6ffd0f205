/* Any bytes as a page of metrics: no crash; printed and read again, what was taken is the same. */
#include <assert.h>
#include <math.h>

#include "base/ctx.h"
#include "monitor/metric/metric.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct samples first = { .arena = arena }, second = { .arena = arena };
    struct buffer once = { .arena = arena };
    bool is_read;

    if (!metric_parse(&ctx, (const char *)data, size, &first)) {
        assert(ctx.error.kind == ERR_INPUT && ctx.error.message);
        return 0;
    }
    for (size_t i = 0; i < first.count; i++) {
        const struct sample *sample = &first.items[i];
        size_t names = 0;

        assert(sample->metric->name[0] && !isnan(sample->value));
        while (sample->label_names && sample->label_names[names])
            names++;
        assert(names <= METRIC_LABELS);
    }
    metric_print(&once, &(struct metric_source){ .samples = &first }, 1);
    is_read = metric_parse(&ctx, buffer_text(&once), once.length, &second);
    assert(is_read && second.count <= first.count);
    return 0;
}
