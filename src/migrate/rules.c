#include "migrate/rules.h"

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
