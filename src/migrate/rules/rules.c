#include "migrate/rules/rules.h"

#include <string.h>

const struct rule_group *const rule_groups[] = {
    &rules_graph,
    &rules_file,
    &rules_replay,
    &rules_conflict,
    &rules_danger,
    &rules_danger_index,
    &rules_danger_constraint,
    &rules_danger_column,
    &rules_danger_change,
    &rules_danger_rows,
    &rules_data,
    &rules_style,
    &rules_consolidation,
};

const size_t rule_group_count = COUNT_OF(rule_groups);

const struct rule *
rule_find(const char *id)
{
    for (size_t i = 0; i < rule_group_count; i++)
        for (size_t k = 0; k < rule_groups[i]->count; k++)
            if (strcmp(rule_groups[i]->rules[k].id, id) == 0)
                return &rule_groups[i]->rules[k];
    return NULL;
}

bool
rule_is_in(const struct rule *rule, const char *group)
{
    return strcmp(rule->group, group) == 0;
}

struct finding *
check_tell(const struct check *check, const struct rule *rule, const struct revision *revision,
    struct place place, const char *message)
{
    struct finding *finding = finding_add(check->findings, rule, place, "%s", message);

    finding->context = revision->id;
    return finding;
}
