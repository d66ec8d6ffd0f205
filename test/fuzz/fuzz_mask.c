/*
 * Any bytes as rules for masking: no crash, errors name file and line, and a rule without wildcards matches
 * the column that it names.
 */
#include <assert.h>
#include <string.h>

#include "staging/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const char *text = arena_strndup(arena, (const char *)data, size);
    struct mask_rules rules = { 0 };

    if (!mask_parse(&ctx, "mask.ini", text, &rules)) {
        assert(ctx.error.kind == ERR_INPUT && strncmp(ctx.error.message, "mask.ini", 8) == 0);
        return 0;
    }
    for (size_t i = 0; i < rules.items.count; i++) {
        const struct mask_rule *rule = &rules.items.items[i];

        assert(rule->line > 0 && rule->kind < MASK_KIND_COUNT && mask_kind_name(rule->kind)[0]);
        assert(rule->kind != MASK_CONSTANT || rule->value);
        if (!rule->is_pattern)
            assert(mask_rule_matches(rule, rule->schema, rule->table, rule->column));
        (void)mask_rule_matches(rule, "public", "users", "email");
    }
    return 0;
}
