#include "cli/command.h"
#include "cli/out.h"
#include "cli/page.h"
#include "finding/render.h"
#include "migrate/rules/rules.h"

struct options {
    bool markdown;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, markdown, .momentary = true,
        .help = "all rules in full as Markdown, as docs/rules.md has them"),
};

struct rule_line {
    const char *severity;
    const char *rule;
    const char *summary;
};

static const struct field columns[] = {
    FIELD(struct rule_line, severity),
    FIELD(struct rule_line, rule),
    FIELD(struct rule_line, summary, .help = "finds"),
};

static const struct field members[] = {
    FIELD(struct rule, id),
    FIELD(struct rule, group),
    FIELD(struct rule, summary),
    FIELD(struct rule, why),
    FIELD(struct rule, instead),
    FIELD(struct rule, fires),
    FIELD(struct rule, passes),
};
/* clang-format on */

/* The rule after this one in the order of the documentation; NULL starts, NULL ends. */
static const struct rule *
rule_after(const struct rule *rule)
{
    for (size_t i = 0; i < rule_group_count; i++) {
        const struct rule_group *group = rule_groups[i];

        if (!rule && group->count > 0)
            return group->rules;
        if (!rule || rule < group->rules || rule >= group->rules + group->count)
            continue;
        if (rule + 1 < group->rules + group->count)
            return rule + 1;
        rule = NULL;
    }
    return NULL;
}

static json_t *
rule_json(const struct rule *rule)
{
    json_t *json = json_from_fields(members, COUNT_OF(members), rule);

    json_object_set_new(json, "severity", json_string(severity_name(rule->severity)));
    return json;
}

static void
print_json(FILE *out, const struct rule *only)
{
    json_t *json CLEANUP(json_release) = json_object();
    json_t *array = json_array();

    for (const struct rule *rule = rule_after(NULL); rule; rule = rule_after(rule))
        if (!only || rule == only)
            json_array_append_new(array, rule_json(rule));
    json_object_set_new(json, "rules", array);
    out_json(out, json);
}

static void
print_code(FILE *out, const char *code)
{
    while (*code) {
        size_t length = strcspn(code, "\n");

        fprintf(out, "%s%.*s\n", length > 0 ? "    " : "", (int)length, code);
        code += length + (code[length] == '\n');
    }
}

static void
print_text(FILE *out, const char *text)
{
    enum { WIDTH = 80 };

    if (strchr(text, '\n'))
        print_code(out, text);
    else
        page_wrap(out, text, 0, 0, WIDTH);
}

static void
print_rule(FILE *out, const struct rule *rule)
{
    fprintf(out, "%s  %s: %s\n\n", severity_name(rule->severity), rule->id, rule->summary);
    print_text(out, rule->why);
    fputs("\nInstead:\n\n", out);
    print_text(out, rule->instead);
    fputs("\nIt fires on:\n\n", out);
    print_code(out, rule->fires);
    fputs("\nIt does not fire on:\n\n", out);
    print_code(out, rule->passes);
    fprintf(out, "\nTo silence it: # pgmend: ignore %s -- why\n", rule->id);
}

static void
print_list(struct ctx *ctx, FILE *out)
{
    VEC(struct rule_line) lines = { 0 };
    const char *group = NULL;

    for (const struct rule *rule = rule_after(NULL); rule; rule = rule_after(rule)) {
        const struct rule *next = rule_after(rule);

        group = rule->group;
        VEC_PUSH(ctx->arena, &lines,
            (struct rule_line){ severity_name(rule->severity), rule->id, rule->summary });
        if (next && text_equal(next->group, group))
            continue;
        fprintf(out, "%s\n\n", group);
        out_table(
            out, columns, COUNT_OF(columns), lines.items, lines.count, sizeof(lines.items[0]));
        fputc('\n', out);
        lines.count = 0;
    }
    out_next(out, "pgmend migrations rules RULE");
}

static void
print_fence(FILE *out, const char *title, const char *code)
{
    fprintf(
        out, "%s\n\n```python\n%s%s```\n\n", title, code, text_ends_with(code, "\n") ? "" : "\n");
}

static void
print_markdown(FILE *out)
{
    const char *group = NULL;

    fputs(
        "# Rules of `pgmend migrations analyze`\n\nMade by `pgmend migrations rules "
        "--markdown`: do not edit.\n\nThe examples are tested: each rule fires on the first and "
        "not on the second. What is no whole file\nstands in `upgrade()`; `# --- next revision` begins another revision.\n",
        out);
    for (const struct rule *rule = rule_after(NULL); rule; rule = rule_after(rule)) {
        if (!text_equal(rule->group, group))
            fprintf(out, "\n## %s\n", rule->group);
        group = rule->group;
        fprintf(out, "\n### %s\n\n**%s**: %s. %s\n\n", rule->id, severity_name(rule->severity),
            rule->summary, rule->why);
        if (strchr(rule->instead, '\n'))
            print_fence(out, "Instead:", rule->instead);
        else
            fprintf(out, "Instead: %s\n\n", rule->instead);
        print_fence(out, "Fires on:", rule->fires);
        print_fence(out, "Does not fire on:", rule->passes);
    }
}

/* The rule with this id; else an error that names the likeliest. */
static bool
find(struct ctx *ctx, const char *id, const struct rule **ret)
{
    const struct rule *nearest = NULL;
    size_t least = SIZE_MAX;

    *ret = rule_find(id);
    if (*ret)
        return true;
    for (const struct rule *rule = rule_after(NULL); rule; rule = rule_after(rule)) {
        size_t distance = text_distance(id, rule->id);

        if (distance < least) {
            least = distance;
            nearest = rule;
        }
    }
    error_set(ctx, ERR_NOT_FOUND, "there is no rule \"%s\"", id);
    if (nearest && least <= strlen(id) / 2)
        return error_hint(ctx, "Did you mean %s?", nearest->id);
    return error_hint(ctx, "pgmend migrations rules lists them.");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct rule *rule = NULL;

    if (run->operands.count > 0 && !find(ctx, run->operands.items[0], &rule))
        return false;
    if (opts->markdown)
        print_markdown(run->out);
    else if (run->global->json)
        print_json(run->out, rule);
    else if (rule)
        print_rule(run->out, rule);
    else
        print_list(ctx, run->out);
    return true;
}

const struct command cmd_migrations_rules = {
    .path = "migrations rules",
    .summary = "list what migrations analyze finds, or explain one rule",
    .operands = "[RULE]",
    .max_operands = 1,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend migrations rules several-heads",
    .next = "pgmend migrations analyze",
    .run = run,
};
