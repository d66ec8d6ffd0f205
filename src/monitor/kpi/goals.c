#include "monitor/kpi/parts.h"

/* The plan's two tables. "Before" is what the plan says, not what anybody has measured. */
const struct kpi_goal kpi_goals[] = {
    {
        .name = "api-p95",
        .title = "API response time, 95th percentile",
        .group = "technical",
        .unit = "seconds",
        .less_is_better = true,
        .target = 0.2,
        .planned = "2-5 s",
        .metric = "pgmend_application_p95_seconds",
        .how = "pgmend kpi record api-p95 180ms, or [application] in the monitor's setup",
    },
    {
        .name = "vector-search",
        .title = "vector search time",
        .group = "technical",
        .unit = "seconds",
        .less_is_better = true,
        .target = 0.1,
        .planned = "2-5 s",
        .measure = MEASURE_VECTOR_SEARCH,
        .how = "pgmend report snapshot NAME, while searches run",
    },
    {
        .name = "queries-per-request",
        .title = "SQL queries a request",
        .group = "technical",
        .unit = "count",
        .less_is_better = true,
        .target = 5,
        .planned = "10-50",
        .metric = "pgmend_statements_per_request",
        .how = "pgmend kpi record queries-per-request 3, or [application] in the monitor's setup",
    },
    {
        .name = "cache-hit",
        .title = "cache hit ratio",
        .group = "technical",
        .unit = "ratio",
        .target = 0.95,
        .planned = "85-90 %",
        .metric = "pgmend_cache_hit_ratio",
        .measure = MEASURE_CACHE_HIT,
        .how = "pgmend report snapshot NAME",
    },
    {
        .name = "concurrent-users",
        .title = "concurrent users",
        .group = "technical",
        .unit = "count",
        .target_is_inclusive = true,
        .target = 10000,
        .planned = "100",
        .how = "pgmend kpi record concurrent-users 10000 --note \"load test of …\"",
    },
    {
        .name = "db-cpu",
        .title = "CPU of the database server",
        .group = "technical",
        .unit = "ratio",
        .less_is_better = true,
        .target = 0.5,
        .planned = "60-80 %",
        .metric = "pgmend_host_cpu_busy_ratio",
        .how = "pgmend monitor --store-url, on the server's machine",
    },
    {
        .name = "complaints",
        .title = "user complaints",
        .group = "business",
        .unit = "per day",
        .less_is_better = true,
        .target = 1,
        .planned = "10 per day",
        .deadline_days = 14,
    },
    {
        .name = "support-tickets",
        .title = "support tickets",
        .group = "business",
        .unit = "per day",
        .less_is_better = true,
        .target = 10,
        .planned = "50 per day",
        .deadline_days = 21,
    },
    {
        .name = "bot-uptime",
        .title = "Telegram bot uptime",
        .group = "business",
        .unit = "ratio",
        .target_is_inclusive = true,
        .target = 0.999,
        .planned = "80 %",
        .deadline_days = 28,
    },
    {
        .name = "churn",
        .title = "monthly churn rate",
        .group = "business",
        .unit = "ratio",
        .less_is_better = true,
        .target = 0.05,
        .planned = "15 %",
        .deadline_months = 2,
    },
    {
        .name = "revenue-per-user",
        .title = "revenue per user",
        .group = "business",
        .unit = "USD",
        .target_is_inclusive = true,
        .target = 25,
        .planned = "$10",
        .deadline_months = 3,
    },
};
const size_t kpi_goal_count = COUNT_OF(kpi_goals);

const struct kpi_goal *
kpi_goal_find(const char *name)
{
    for (size_t i = 0; i < kpi_goal_count; i++)
        if (text_equal(kpi_goals[i].name, name))
            return &kpi_goals[i];
    return NULL;
}

const char *
kpi_goal_names(struct arena *arena)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < kpi_goal_count; i++)
        text_list_add(arena, &names, kpi_goals[i].name);
    return arena_printf(arena, "{%s}", text_list_join(arena, &names, ","));
}

const char *
kpi_goal_metrics(struct arena *arena)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < kpi_goal_count; i++)
        if (kpi_goals[i].metric)
            text_list_add(arena, &names, kpi_goals[i].metric);
    return arena_printf(arena, "{%s}", text_list_join(arena, &names, ","));
}
