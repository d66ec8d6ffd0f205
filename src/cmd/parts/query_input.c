#include "cmd/parts/query_input.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "cli/out.h"

enum { TICK_US = 200000 };

/* In the order of enum log_format. */
const char *const query_log_formats[] = { "auto", "json", "csv", "text", NULL };

enum log_format
query_log_format(const char *name)
{
    enum log_format format = LOG_FORMAT_AUTO;

    for (size_t i = 0; query_log_formats[i]; i++)
        if (text_equal(query_log_formats[i], name))
            format = (enum log_format)i;
    return format;
}

bool
query_wait(struct ctx *ctx, int64_t span_us)
{
    struct progress progress;
    int64_t start_us = clock_us();
    int64_t gone_us = 0;
    bool is_good = true;

    progress_begin(&progress);
    while (is_good && gone_us < span_us) {
        progress_show(&progress, .what = "counting", .phase = "statements run",
            .ratio = (double)gone_us / (double)span_us, .elapsed_us = gone_us,
            .left_us = span_us - gone_us);
        is_good = clock_sleep_us(span_us - gone_us < TICK_US ? span_us - gone_us : TICK_US);
        gone_us = clock_us() - start_us;
    }
    progress_end(&progress);
    return is_good || interrupt_error(ctx, interrupt_signal());
}
