/* What sections say of each other: sinks, servers, owners and rules that are named must be there. */

#include "monitor/alert/alert.h"
#include "monitor/collect/derive.h"
#include "monitor/setup_parts.h"

const struct alert_rule *
setup_rule(const char *name)
{
    for (size_t i = 0; i < alert_rule_count; i++)
        if (text_equal(alert_rules[i].name, name))
            return &alert_rules[i];
    return NULL;
}

bool
setup_hint_rule(struct ctx *ctx, const char *name)
{
    for (size_t i = 0; i < alert_rule_count; i++)
        if (text_distance(alert_rules[i].name, name) <= strlen(name) / 3)
            return error_hint(ctx, "Did you mean \"%s\"?", alert_rules[i].name);
    return error_hint(ctx, "docs/monitoring_playbook.md lists the rules. One of your own needs "
                           "\"metric\", \"fires\" and \"threshold\".");
}

/* "a, b" and several lines of the same name. */
struct text_list
setup_split(struct arena *arena, const struct text_list *given)
{
    struct text_list list = { 0 };

    for (size_t i = 0; i < given->count; i++) {
        const char *at = given->items[i];

        for (;;) {
            at += strspn(at, " \t,");
            if (!*at)
                break;

            size_t length = strcspn(at, ",");
            size_t used = length;

            while (used > 0 && strchr(" \t", at[used - 1]))
                used--;
            text_list_add(arena, &list, arena_strndup(arena, at, used));
            at += length;
        }
    }
    return list;
}

static bool
has_alert(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->alerts.count; i++)
        if (text_equal(setup->alerts.items[i].name, name))
            return true;
    return setup_rule(name) != NULL;
}

/* One of --db-url has the label "database @ host:port", which is not known before it is reached. */
static bool
has_server(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->servers.count; i++)
        if (text_equal(setup->servers.items[i].name, name))
            return true;
    return strstr(name, " @ ") || text_equal(name, "pgmend monitor");
}

static bool
has_owner(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->servers.count; i++)
        if (text_equal(setup->servers.items[i].owner, name))
            return true;
    return false;
}

/* Settings that name what stands elsewhere in the file. */
static const struct reference {
    const char *section;
    const char *setting;
    bool is_many;
    const char *what;
    bool (*is_there)(const struct setup *setup, const char *name);
    const char *remedy; /* of one name; NULL: those of the rules */
} references[] = {
    { "route", "sinks", true, "sink", setup_has_sink, "Write a section [sink %s]." },
    { "route", "owner", false, "owner", has_owner,
        "Write \"owner = %s\" in the section of the server that is theirs." },
    { "application", "server", false, "server", has_server, "Write a section [server %s]." },
    { "maintenance", "servers", true, "server", has_server, "Write a section [server %s]." },
    { "maintenance", "alerts", true, "rule", has_alert, NULL },
};

static bool
check_reference(const struct setup_taking *taking, const struct setup_line *line,
    const struct reference *reference)
{
    struct arena *arena = taking->ctx->arena;
    struct text_list given = { .items = (const char *[]){ line->value }, .count = 1 };
    struct text_list names = reference->is_many ? setup_split(arena, &given) : given;

    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];

        if (reference->is_there(taking->setup, name))
            continue;
        setup_refuse(taking->ctx, taking->file, line->line,
            arena_printf(arena, "there is no %s \"%s\"", reference->what, name));
        if (!reference->remedy)
            return setup_hint_rule(taking->ctx, name);

        const char *end = strstr(reference->remedy, "%s");

        return error_hint(taking->ctx, "%.*s%s%s", (int)(end - reference->remedy),
            reference->remedy, name, end + 2);
    }
    return true;
}

/* Families of metrics whose names depend on the server, or that are not in the collectors' tables. */
static const char *const families[] = { "pg_settings_", "pgmend_application_", "pgmend_pooler_",
    "pgmend_slo_burn_", "pgmend_store_", "pgmend_notifications_" };

/* Calls it with each name that there can be until it says true. */
static bool
any_metric(
    bool (*is_it)(const char *name, const char *wanted), const char *wanted, const char **ret)
{
    for (size_t i = 0; i < derived_metric_count; i++)
        if (is_it(*ret = derived_metrics[i].name, wanted))
            return true;
    for (size_t i = 0; i < host_metric_count; i++)
        if (is_it(*ret = host_metrics[i].name, wanted))
            return true;
    for (size_t i = 0; i < alert_rule_count; i++)
        if (is_it(*ret = alert_rules[i].metric, wanted))
            return true;
    for (size_t i = 0; i < COLLECTOR_COUNT; i++)
        for (size_t j = 0; j < collectors[i].metric_count; j++)
            if (is_it(*ret = collectors[i].metrics[j].metric.name, wanted))
                return true;
    return false;
}

static bool
is_same(const char *name, const char *wanted)
{
    return text_equal(name, wanted);
}

static bool
is_like(const char *name, const char *wanted)
{
    return text_distance(name, wanted) <= strlen(wanted) / 6;
}

/* The alert would never fire, and nobody would see why. Versions differ, so it is no error. */
static void
check_metric(const struct setup_taking *taking, const struct setup_line *line)
{
    struct arena *arena = taking->ctx->arena;
    const char *metric = line->value;
    const char *similar;

    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (text_starts_with(metric, families[i]))
            return;
    if (any_metric(is_same, metric, &similar))
        return;
    text_list_add(arena, &taking->setup->warnings,
        arena_printf(arena, "%s:%d: nothing makes a metric \"%s\", so [alert %s] never fires; %s",
            taking->file->path, line->line, metric, taking->section->name,
            any_metric(is_like, metric, &similar)
                ? arena_printf(arena, "did you mean \"%s\"?", similar)
                : "docs/metrics.md lists those that there are"));
}

bool
setup_check_names(const struct setup_taking *taking)
{
    const struct setup_section *section = taking->section;

    for (size_t i = 0; i < section->lines.count; i++) {
        const struct setup_line *line = &section->lines.items[i];

        if (text_equal(section->kind, "alert") && text_equal(line->name, "metric"))
            check_metric(taking, line);
        for (size_t j = 0; j < COUNT_OF(references); j++)
            if (text_equal(references[j].section, section->kind) &&
                text_equal(references[j].setting, line->name) &&
                !check_reference(taking, line, &references[j]))
                return false;
    }
    return true;
}
