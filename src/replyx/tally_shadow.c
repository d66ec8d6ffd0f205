/* How the comparisons of two variants ended. */
#include <inttypes.h>

#include "replyx/tally_part.h"

void
tally_add_shadow(struct tally *tally, const struct endpoint *endpoint, enum tally_shadow what)
{
    size_t number = 0;

    while (number + 1 < endpoint_count && endpoints[number] != endpoint)
        number++;
    atomic_fetch_add_explicit(&tally->shadows[number][what], 1, memory_order_relaxed);
}

void
tally_print_shadows(const struct tally *tally, struct buffer *out)
{
    static const char *const names[] = { "equal", "different", "failed", "dropped" };

    _Static_assert(COUNT_OF(names) == TALLY_SHADOWS, "a name for each");
    buffer_add(out, "# HELP replyx_shadows_total Requests whose two variants were compared.\n"
                    "# TYPE replyx_shadows_total counter\n");
    for (size_t i = 0; i < endpoint_count; i++)
        for (size_t j = 0; j < TALLY_SHADOWS; j++) {
            uint64_t count = atomic_load_explicit(&tally->shadows[i][j], memory_order_relaxed);

            if (count > 0)
                buffer_printf(out, "replyx_shadows_total{route=\"%s\",result=\"%s\"} %" PRIu64 "\n",
                    endpoints[i]->name, names[j], count);
        }
}
