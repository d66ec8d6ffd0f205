/* Rules for masking, as they stand in a file. */
#include "staging/mask.h"

#include <fnmatch.h>

#include "base/ini.h"

#define MASK_NAME_OF(kind, name) [kind] = (name),
static const char *const kind_names[MASK_KIND_COUNT] = { MASK_KINDS(MASK_NAME_OF) };
#undef MASK_NAME_OF

static const struct ini_options ini_options = { .kind = ERR_INPUT, .example = "[mask]" };

const char *
mask_kind_name(enum mask_kind kind)
{
    return kind_names[kind];
}

bool
mask_refuse(struct ctx *ctx, const struct mask_rules *rules, const struct mask_rule *rule,
    const char *format, ...)
{
    va_list args;

    va_start(args, format);

    const char *what = arena_vprintf(ctx->arena, format, args);

    va_end(args);
    return error_set(ctx, ERR_INPUT, "%s:%d: %s", rules->path, (int)rule->line, what);
}

/* Parts of a name between dots; what stands in double quotes is one part. */
static bool
split_name(struct arena *arena, const char *name, struct text_list *ret)
{
    const char *at = name;

    for (;;) {
        struct buffer part = { .arena = arena };

        if (*at == '"') {
            for (at++; *at && (*at != '"' || at[1] == '"'); at++) {
                at += *at == '"';
                buffer_append(&part, at, 1);
            }
            if (*at != '"')
                return false;
            at++;
        } else {
            size_t length = strcspn(at, ".");

            buffer_append(&part, at, length);
            at += length;
        }
        if (part.length == 0)
            return false;
        text_list_add(arena, ret, buffer_text(&part));
        if (*at == '\0')
            return true;
        if (*at++ != '.')
            return false;
    }
}

/* 'it''s' → it's. */
static bool
read_constant(struct arena *arena, const char *text, const char **ret)
{
    struct buffer value = { .arena = arena };
    const char *at = text + 1;

    if (*text != '\'')
        return false;
    for (; *at && (*at != '\'' || at[1] == '\''); at++) {
        at += *at == '\'';
        buffer_append(&value, at, 1);
    }
    *ret = buffer_text(&value);
    return *at == '\'' && at[1] == '\0';
}

static bool
read_kind(struct ctx *ctx, const struct mask_rules *rules, const char *text, struct mask_rule *rule)
{
    size_t length = strcspn(text, " \t");
    const char *word = arena_strndup(ctx->arena, text, length);
    const char *rest = text + length + strspn(text + length, " \t");
    struct buffer known = { .arena = ctx->arena };

    for (int kind = 0; kind < MASK_KIND_COUNT; kind++) {
        if (!text_equal(word, kind_names[kind])) {
            buffer_printf(&known, "%s%s", known.length > 0 ? ", " : "", kind_names[kind]);
            continue;
        }
        rule->kind = (enum mask_kind)kind;
        if (kind == MASK_CONSTANT && !read_constant(ctx->arena, rest, &rule->value)) {
            mask_refuse(ctx, rules, rule, "a constant needs its value in single quotes");
            return error_hint(ctx, "Write it as: %s = constant 'removed'", rule->name);
        }
        if (kind != MASK_CONSTANT && *rest)
            return mask_refuse(
                ctx, rules, rule, "\"%s\" takes nothing after it, but there is \"%s\"", word, rest);
        return true;
    }
    mask_refuse(ctx, rules, rule, "there is no way \"%s\" to mask a column", word);
    return error_hint(ctx, "The ways are: %s.", buffer_text(&known));
}

static bool
read_rule(struct ctx *ctx, struct mask_rules *rules, const struct ini_setting *setting)
{
    struct mask_rule rule = { .name = setting->name, .line = setting->line };
    struct text_list parts = { 0 };

    if (!split_name(ctx->arena, setting->name, &parts) || parts.count < 2 || parts.count > 3) {
        mask_refuse(ctx, rules, &rule, "\"%s\" is not the name of a column", setting->name);
        return error_hint(
            ctx, "Write schema.table.column or table.column; * and ? stand for any letters.");
    }
    rule.schema = parts.count == 3 ? parts.items[0] : "*";
    rule.table = parts.items[parts.count - 2];
    rule.column = parts.items[parts.count - 1];
    rule.is_pattern = strpbrk(rule.table, "*?[") || strpbrk(rule.column, "*?[") ||
                      (parts.count == 3 && strpbrk(rule.schema, "*?["));
    if (!setting->has_value || text_is_empty(setting->value))
        return mask_refuse(
            ctx, rules, &rule, "%s has no way to mask it after \"=\"", setting->name);
    if (!read_kind(ctx, rules, setting->value, &rule))
        return false;
    VEC_PUSH(ctx->arena, &rules->items, rule);
    return true;
}

static bool
read_sections(struct ctx *ctx, const struct ini_file *file, struct mask_rules *ret)
{
    for (size_t i = 0; i < file->sections.count; i++) {
        const struct ini_section *section = &file->sections.items[i];

        if (*section->title == '\0' && section->settings.count == 0)
            continue;
        if (!text_equal(section->title, "mask")) {
            ini_file_refuse(ctx, file, section->line,
                "rules stand in a section [mask], not in [%s]", section->title);
            return false;
        }
        for (size_t j = 0; j < section->settings.count; j++)
            if (!read_rule(ctx, ret, &section->settings.items[j]))
                return false;
    }
    if (ret->items.count > 0)
        return true;
    error_set(ctx, ERR_INPUT, "%s: there is no rule in it", ret->path);
    return error_hint(
        ctx, "\"pgmend staging create --suggest\" prints rules for what looks personal or secret.");
}

bool
mask_parse(struct ctx *ctx, const char *path, const char *text, struct mask_rules *ret)
{
    struct ini_file file;

    *ret = (struct mask_rules){ .path = path };
    return ini_file_parse(ctx, path, text, strlen(text), &ini_options, &file) &&
           read_sections(ctx, &file, ret);
}

bool
mask_read(struct ctx *ctx, const char *path, struct mask_rules *ret)
{
    struct ini_file file;

    *ret = (struct mask_rules){ .path = path };
    return ini_file_read(ctx, path, &ini_options, &file) && read_sections(ctx, &file, ret);
}

bool
mask_rule_matches(
    const struct mask_rule *rule, const char *schema, const char *table, const char *column)
{
    return fnmatch(rule->schema, schema, 0) == 0 && fnmatch(rule->table, table, 0) == 0 &&
           fnmatch(rule->column, column, 0) == 0;
}
