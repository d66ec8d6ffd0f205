#include "cmd/parts/checkup_screen.h"

#include "cli/out.h"

static const struct {
    enum out_mark mark;
    int status;
    int rank;
    const char *verdict;
} HEALTHS[] = {
    [HEALTH_GOOD] = { MARK_OK, 0, 0, "good" },
    [HEALTH_WARNING] = { MARK_WARN, 1, 1, "warning" },
    [HEALTH_CRITICAL] = { MARK_FAIL, 2, 3, "critical" },
    [HEALTH_UNKNOWN] = { MARK_INFO, 3, 2, "unknown" },
};

int
checkup_status(enum health health)
{
    return HEALTHS[health].status;
}

enum health
checkup_worse(enum health a, enum health b)
{
    return HEALTHS[a].rank >= HEALTHS[b].rank ? a : b;
}

void
checkup_print(FILE *out, const struct checkup *checkup)
{
    size_t counts[COUNT_OF(HEALTHS)] = { 0 };

    for (size_t i = 0; i < checkup->count; i++)
        counts[checkup->items[i].health]++;
    fprintf(out, "%s: %s (%zu critical, %zu warnings, %zu good, %zu unknown)\n\n", checkup->server,
        HEALTHS[checkup->health].verdict, counts[HEALTH_CRITICAL], counts[HEALTH_WARNING],
        counts[HEALTH_GOOD], counts[HEALTH_UNKNOWN]);
    for (size_t i = 0; i < checkup->count; i++) {
        const struct checkup_item *item = &checkup->items[i];

        out_mark_line(out, HEALTHS[item->health].mark, "%s: %s", item->title, item->says);
        if (item->health == HEALTH_GOOD)
            continue;
        for (size_t k = 0; k < item->evidence.count; k++)
            fprintf(out, "        %s\n", item->evidence.items[k]);
        for (size_t k = 0; k < item->mends.count; k++)
            fprintf(out, "        %s %s\n", k == 0 ? "mend:" : "     ", item->mends.items[k]);
        if (item->more_mends > 0)
            fprintf(out, "              -- and %zu more\n", item->more_mends);
    }
    fputc('\n', out);
}
