#include "data/show.h"

#include "base/clock.h"

/* A guess; good enough for a bar. */
static double
estimate(const struct world *world, const struct table *table)
{
    static const double sizes[] = {
        [COLUMN_INT4] = 8,
        [COLUMN_FLOAT8] = 12,
        [COLUMN_BOOL] = 5,
        [COLUMN_TEXT] = 50,
        [COLUMN_TIME] = 12,
        [COLUMN_VECTOR] = 7600, /* with the long text beside it */
    };
    double bytes = 0;

    for (size_t i = 0; i < table->column_count; i++)
        bytes += sizes[table->columns[i].kind];
    return bytes * table->count(world);
}

void
show_begin(struct show *show, const struct world *world, const struct loading *loading)
{
    *show = (struct show){ .start_us = clock_us() };
    progress_begin(&show->progress);
    show->is_shown = show->progress.is_terminal;
    for (size_t i = 0; i < loading->table_count; i++)
        show->expected_bytes += estimate(world, loading->tables[i]);
}

void
show_table(struct show *show, const struct table *table, int64_t bytes)
{
    double ratio = (show->done_bytes + (double)bytes) / (show->expected_bytes + 1);
    int64_t elapsed_us = clock_us() - show->start_us;
    int64_t left_us = 0;

    if (ratio > 0.02 && ratio < 1)
        left_us = (int64_t)((double)elapsed_us * (1 - ratio) / ratio);
    if (!show->is_shown)
        return;
    progress_show(&show->progress, "replyx-data", table->name, ratio, elapsed_us, left_us, NULL);
}

void
show_next(struct show *show, const struct world *world, const struct table *table)
{
    show->done_bytes += estimate(world, table);
}

void
show_phase(struct show *show, const char *phase)
{
    if (!show->is_shown)
        return;
    progress_show(&show->progress, "replyx-data", phase, -1, clock_us() - show->start_us, 0, NULL);
}

void
show_end(struct show *show)
{
    progress_end(&show->progress);
}
