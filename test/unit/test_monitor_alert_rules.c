#include "support/test.h"

#include "cli/command.h"
#include "monitor/alert/alert.h"
#include "monitor/collect/derive.h"

static const char *
number_of(struct arena *arena, const struct alert_rule *rule, double number)
{
    if (text_starts_with(rule->unit, "bytes"))
        return text_from_bytes(arena, (int64_t)number);
    if (text_equal(rule->unit, "seconds"))
        return arena_printf(arena, "%g s", number);
    if (text_equal(rule->unit, "rate"))
        return arena_printf(arena, "%.3g a minute", number * 60);
    return text_from_ratio(arena, number);
}

static const char *
span_of(struct arena *arena, int64_t us)
{
    int64_t seconds = us / INT64_C(1000000);

    return seconds % 60 ? arena_printf(arena, "%lld s", (long long)seconds)
                        : arena_printf(arena, "%lld min", (long long)seconds / 60);
}

/* "**warning** when `pgmend_x` is above 0.8 for 4m; over when it is 0.75 for 4m." and what it needs. */
static const char *
facts_of(struct arena *arena, const struct alert_rule *rule)
{
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "**%s** when `%s` is %s %s", alert_severity_name(rule->severity),
        rule->metric, rule->is_below ? "below" : "above", number_of(arena, rule, rule->threshold));
    if (rule->span_us > 0)
        buffer_printf(&text, " in the mean of %s", span_of(arena, rule->span_us));
    if (rule->for_us > 0)
        buffer_printf(&text, " for %s", span_of(arena, rule->for_us));
    if (rule->clear != rule->threshold)
        buffer_printf(&text, "; over at %s", number_of(arena, rule, rule->clear));
    if (rule->traffic_metric)
        buffer_printf(&text, "; not judged while `%s` is below %s", rule->traffic_metric,
            text_from_ratio(arena, rule->traffic_least));
    if (rule->inhibited_by)
        buffer_printf(&text, "; quiet while %s fires", rule->inhibited_by);
    buffer_add(&text, ".\n");
    return buffer_text(&text);
}

/* Each rule is a section "### name" of the playbook that begins with its facts, and each section a rule. */
static void
the_playbook_has_a_section_for_each_rule(void **state)
{
    struct ctx *ctx = *state;
    const char *text, *at;
    size_t length, sections = 0;

    assert_true(file_read(ctx, test_source(ctx, "docs/monitoring_playbook.md"), &text, &length));
    for (size_t i = 0; i < alert_rule_count; i++) {
        const struct alert_rule *rule = &alert_rules[i];
        const char *heading = arena_printf(ctx->arena, "\n### %s\n\n", rule->name);
        const char *facts = facts_of(ctx->arena, rule);

        at = strstr(text, heading);
        if (!at)
            fail_msg("the playbook has no section for %s", rule->name);
        at += strlen(heading);
        if (!text_starts_with(at, facts))
            fail_msg("the section %s does not begin with: %s", rule->name, facts);

        const char *next = arena_printf(ctx->arena, "`%s", rule->next);
        const char *end = strstr(at, "\n### ");
        const char *found = strstr(at, next);

        if (!found || (end && found > end))
            fail_msg("the section %s does not name %s", rule->name, next);
    }
    for (at = strstr(text, "\n### "); at; at = strstr(at + 1, "\n### "))
        sections++;
    assert_int_equal(sections, alert_rule_count);
}

static bool
is_metric(const char *name)
{
    static const char *const elsewhere[] = {
        /* Of what follows from other metrics, in alert/. */
        "pgmend_slo_burn_1h",
        "pgmend_slo_burn_6h",
        "pgmend_slo_burn_1d",
        "pgmend_slo_burn_3d",
        "pgmend_host_disk_full_in_seconds",
        "pgmend_application_p95_to_baseline_ratio",
        /* Of the process. */
        "pgmend_store_failing",
    };

    for (size_t i = 0; i < COUNT_OF(elsewhere); i++)
        if (text_equal(elsewhere[i], name))
            return true;
    for (size_t i = 0; i < derived_metric_count; i++)
        if (text_equal(derived_metrics[i].name, name))
            return true;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        for (size_t j = 0; j < collectors[i].metric_count; j++)
            if (text_equal(collectors[i].metrics[j].metric.name, name))
                return true;
    return false;
}

/* Of what is beside the servers: the list of source/source.h. */
static bool
is_of_source(const char *name)
{
    static const char *const names[] = { "pgmend_application_up",
        "pgmend_application_requests_rate", "pgmend_application_error_ratio",
        "pgmend_statements_per_request" };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (text_equal(names[i], name))
            return true;
    return false;
}

/* A rule whose metric nobody makes would be quiet for ever. */
static void
rules_have_metrics(void **state)
{
    struct ctx *ctx = *state;
    struct host_facts before = { .is_known = true,
        .at_us = 0,
        .cpus = 1,
        .memory_bytes = 10,
        .memory_available_bytes = 5,
        .disk_bytes = 10,
        .disk_free_bytes = 5 };
    struct host_facts now = before;
    struct samples samples = { .arena = ctx->arena };

    now.at_us = 1000000;
    now.cpu_all_total = 1;
    host_samples(&samples, &before, &now);
    for (size_t i = 0; i < alert_rule_count; i++) {
        const char *const names[] = { alert_rules[i].metric, alert_rules[i].traffic_metric };

        for (size_t j = 0; j < COUNT_OF(names); j++)
            if (names[j] && !is_metric(names[j]) && !sample_find(&samples, names[j], NULL) &&
                !is_of_source(names[j]))
                fail_msg("%s looks at %s, which nobody makes", alert_rules[i].name, names[j]);
    }
}

/* "pgmend vector check": the words of a command that there is, options and operands left out. */
static bool
is_command(const char *next)
{
    static const char program[] = "pgmend ";

    for (size_t i = 0; commands[i]; i++)
        if (text_starts_with(next, program) &&
            text_equal(next + strlen(program), commands[i]->path))
            return true;
    return false;
}

static void
rules_are_sound(void **state)
{
    (void)state;
    for (size_t i = 0; i < alert_rule_count; i++) {
        const struct alert_rule *rule = &alert_rules[i];
        bool is_known = !rule->inhibited_by;

        assert_true(
            rule->is_below ? rule->clear >= rule->threshold : rule->clear <= rule->threshold);
        assert_true(is_command(rule->next));
        assert_non_null(rule->unit);
        for (size_t j = 0; j < alert_rule_count; j++) {
            is_known |= text_equal(alert_rules[j].name, rule->inhibited_by);
            assert_true(i == j || !text_equal(alert_rules[j].name, rule->name));
        }
        assert_true(is_known);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(the_playbook_has_a_section_for_each_rule),
        test_with_ctx(rules_have_metrics),
        cmocka_unit_test(rules_are_sound),
    };

    return cmocka_run_group_tests_name("monitor/alert_rules", tests, NULL, NULL);
}
