#include "index/lint/rules.h"

#include "base/text.h"

#define LINT_RULE_MEND(rule, mend) [rule] = (mend),
static const enum lint_mend mends[] = { LINT_RULES(LINT_RULE_MEND) };

static const struct rule *const tables[] = { lint_rules_refused, lint_rules_harm,
    lint_rules_useless };

const struct rule *
lint_rule(enum lint_rule rule)
{
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        if (tables[i][rule].id)
            return &tables[i][rule];
    return NULL;
}

size_t
lint_rule_rank(const struct rule *rule)
{
    for (size_t i = 0; i < LINT_RULE_COUNT; i++)
        if (lint_rule((enum lint_rule)i) == rule)
            return i;
    return LINT_RULE_COUNT;
}

const struct rule *
lint_rule_find(const char *id)
{
    for (size_t i = 0; i < LINT_RULE_COUNT; i++)
        if (text_equal(lint_rule((enum lint_rule)i)->id, id))
            return lint_rule((enum lint_rule)i);
    return NULL;
}

enum lint_mend
lint_rule_mend(const struct rule *rule)
{
    size_t rank = lint_rule_rank(rule);

    return rank < LINT_RULE_COUNT ? mends[rank] : MEND_NOTHING;
}
