/* docs/metrics.md names every metric; its table is made of ours, with PGMEND_UPDATE=1. */
#include "support/test.h"

#include "base/process.h"
#include "monitor/collect/derive.h"

static const char start_mark[] = "<!-- metrics -->\n";
static const char end_mark[] = "<!-- /metrics -->\n";

static void
add_metric(struct buffer *out, const struct metric *metric, const char *labels)
{
    buffer_printf(out, "| `%s` | %s | %s | %s |\n", metric->name,
        metric->kind == METRIC_COUNTER ? "counter" : "gauge", labels, metric->help);
}

static void
add_head(struct buffer *out, const char *name, const char *summary)
{
    buffer_printf(out,
        "\n### %s\n\n%s\n\n| metric | kind | labels | what |\n| --- | --- | --- | --- |\n", name,
        summary);
}

static void
add_collector(struct buffer *out, const struct collector *collector)
{
    struct buffer labels = { .arena = out->arena };

    if (collector->metric_count == 0)
        return;
    for (size_t i = 0; collector->labels && collector->labels[i]; i++)
        buffer_printf(&labels, "%s%s", i > 0 ? ", " : "", collector->labels[i]);
    add_head(out, collector->name,
        arena_printf(out->arena, "Collector `%s`: %s; %s%s.", collector->name, collector->summary,
            collector->interval_us ? arena_printf(out->arena, "every %s",
                                         text_from_us(out->arena, collector->interval_us))
                                   : "every tick",
            collector->most_series > 0
                ? arena_printf(out->arena, "; at most %d rows", collector->most_series)
                : ""));
    for (size_t i = 0; i < collector->metric_count; i++)
        add_metric(out, &collector->metrics[i].metric, buffer_text(&labels));
}

static const char *
generated(struct ctx *ctx)
{
    struct buffer out = { .arena = ctx->arena };

    add_head(&out, "derived",
        "From the readings of all collectors, and from two of them when it is a rate.");
    for (size_t i = 0; i < derived_metric_count; i++)
        add_metric(&out, &derived_metrics[i], derived_labels[i]);
    add_head(&out, "host", "From `/proc`, only when the server is proven to run on this machine.");
    for (size_t i = 0; i < host_metric_count; i++)
        add_metric(&out, &host_metrics[i], "");
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        add_collector(&out, &collectors[i]);
    buffer_add(&out, "\n");
    return buffer_text(&out);
}

static void
the_table_is_up_to_date(void **state)
{
    struct ctx *ctx = *state;
    const char *path = test_source(ctx, "docs/metrics.md");
    const char *text = generated(ctx);
    const char *document;
    size_t length;

    assert_true(file_read(ctx, path, &document, &length));

    const char *from = strstr(document, start_mark);
    const char *until = strstr(document, end_mark);

    assert_true(from && until && from < until);
    from += strlen(start_mark);
    if (getenv("PGMEND_UPDATE")) {
        const char *whole =
            arena_printf(ctx->arena, "%.*s%s%s", (int)(from - document), document, text, until);

        assert_true(file_write(ctx, path, whole, strlen(whole), 0644));
        return;
    }
    assert_string_equal(arena_strndup(ctx->arena, from, (size_t)(until - from)), text);
}

static void
no_metric_is_without_a_line(void **state)
{
    struct ctx *ctx = *state;
    const char *document;
    size_t length;
    struct process process;

    assert_true(file_read(ctx, test_source(ctx, "docs/metrics.md"), &document, &length));
    assert_true(process_run(ctx,
        &(struct process_options){ /* A rule may be about a metric that somebody else's page has. */
            .argv = (const char *[]){ "grep", "-rhoE", "--include=*.c", "--exclude=rules.c",
                "\"pgmend_[a-z0-9_]+[a-z0-9]\"", test_source(ctx, "src/monitor"), NULL } },
        &process));

    char *line = arena_strdup(ctx->arena, buffer_text(&process.out));
    size_t count = 0;

    for (char *name = strstr(line, "\"pgmend_"); name; name = strstr(name, "\"pgmend_")) {
        char *end = strchr(name + 1, '"');

        *end = '\0';
        if (!strstr(document, arena_printf(ctx->arena, "`%s`", name + 1)))
            fail_msg("docs/metrics.md does not know %s", name + 1);
        count++;
        name = end + 1;
    }
    assert_true(count > 5);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(the_table_is_up_to_date),
        test_with_ctx(no_metric_is_without_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
