/* Every rule's two examples, which docs/rules.md shows, through the whole analysis. */

#include "support/test.h"

#include "migrate/rules/rules.h"

static const char separator[] = "# --- next revision\n";

static void
write_body(struct ctx *ctx, const char *folder, size_t number, const char *body, size_t length)
{
    struct buffer text = { .arena = ctx->arena };
    const char *name = arena_printf(ctx->arena, "%02zu_r%zu.py", number, number);

    buffer_add(&text, "from alembic import op\nimport sqlalchemy as sa\n"
                      "from sqlalchemy.dialects import postgresql\n\n");
    buffer_printf(&text, "revision = 'r%zu'\n", number);
    if (number > 1)
        buffer_printf(&text, "down_revision = 'r%zu'\n", number - 1);
    else
        buffer_add(&text, "down_revision = None\n");
    buffer_add(&text, "\n\ndef upgrade():\n");
    for (const char *line = body; line < body + length;) {
        size_t size = strcspn(line, "\n");

        if (line + size > body + length)
            size = (size_t)(body + length - line);
        buffer_printf(&text, size ? "    %.*s\n" : "%.*s\n", (int)size, line);
        line += size + 1;
    }
    buffer_add(&text, "\n\ndef downgrade():\n    raise NotImplementedError\n");
    assert_true(file_write(ctx, file_join(ctx->arena, folder, name), text.data, text.length, 0600));
}

/* "# file: NAME" in the first line: the text is a whole file. */
static void
write_part(struct ctx *ctx, const char *folder, size_t number, const char *part, size_t length)
{
    static const char mark[] = "# file:";
    const char *name = arena_printf(ctx->arena, "%02zu_part.py", number);

    if (length < sizeof(mark) || strncmp(part, mark, sizeof(mark) - 1) != 0) {
        write_body(ctx, folder, number, part, length);
        return;
    }
    part += sizeof(mark) - 1;
    length -= sizeof(mark) - 1;
    if (*part == ' ')
        name = arena_strndup(ctx->arena, part + 1, strcspn(part + 1, "\n"));
    length -= strcspn(part, "\n") + 1;
    part += strcspn(part, "\n") + 1;
    assert_true(file_write(ctx, file_join(ctx->arena, folder, name), part, length, 0600));
}

static size_t
count_findings(const struct findings *findings, const struct rule *rule)
{
    size_t count = 0;

    for (size_t i = 0; i < findings->count; i++)
        count += findings->items[i].rule == rule && !findings->items[i].silenced;
    return count;
}

/* How often the rule fires on an example. */
static size_t
fire(struct ctx *ctx, const struct rule *rule, const char *example)
{
    const char *folder = test_folder(ctx);
    const char *versions = file_join(ctx->arena, folder, "versions");
    struct environment environment;
    struct analysis analysis = { 0 };
    size_t number = 0, count;

    assert_true(file_make_folder(ctx, versions));
    for (const char *at = example; *at;) {
        const char *end = strstr(at, separator);
        size_t length = end ? (size_t)(end - at) : strlen(at);

        write_part(ctx, versions, ++number, at, length);
        at += length + (end ? strlen(separator) : 0);
    }
    if (!environment_find(ctx, versions, NULL, &environment) ||
        !analysis_run(ctx, &environment, &(struct analysis_options){ .jobs = 1 }, &analysis))
        fail_msg("%s: %s", rule->id, ctx->error.message);
    count = count_findings(&analysis.findings, rule);
    history_free(&analysis.history);
    assert_true(file_remove(ctx, folder));
    return count;
}

static void
every_rule_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < rule_group_count; i++)
        for (size_t k = 0; k < rule_groups[i]->count; k++) {
            const struct rule *rule = &rule_groups[i]->rules[k];

            if (!rule->id || !rule->group || !rule->summary || !rule->why || !rule->instead ||
                !rule->fires || !rule->passes)
                fail_msg(
                    "rule %zu of group %zu (%s) lacks a text", k, i, rule->id ? rule->id : "no id");
            assert_ptr_equal(rule_find(rule->id), rule);
            assert_int_equal(
                strspn(rule->id, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(rule->id));
        }
}

static void
check_examples(struct ctx *ctx, bool fires)
{
    size_t wrong = 0;

    for (size_t i = 0; i < rule_group_count; i++)
        for (size_t k = 0; k < rule_groups[i]->count; k++) {
            const struct rule *rule = &rule_groups[i]->rules[k];

            if ((fire(ctx, rule, fires ? rule->fires : rule->passes) > 0) == fires)
                continue;
            print_message("# %s %s on its example\n", rule->id, fires ? "does not fire" : "fires");
            wrong++;
        }
    assert_int_equal(wrong, 0);
}

static void
every_rule_fires_on_its_example(void **state)
{
    check_examples(*state, true);
}

static void
no_rule_fires_on_what_is_done_well(void **state)
{
    check_examples(*state, false);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_is_complete),
        test_with_ctx(every_rule_fires_on_its_example),
        test_with_ctx(no_rule_fires_on_what_is_done_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
