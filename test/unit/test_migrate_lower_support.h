/* What the tests of lowering share: steps as text, so that two ways to them can be compared. */
#pragma once

#include "support/test.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "migrate/history/history.h"

static const char *
text_or_dash(const char *text)
{
    return text ? text : "-";
}

/* In lower case, without blanks and the parentheses that stand around the whole. */
static const char *
squeezed(struct ctx *ctx, const char *sql)
{
    struct buffer buffer = { .arena = ctx->arena };
    const char *text;

    for (const char *c = sql; c && *c; c++)
        if (*c != ' ' && *c != '\n')
            buffer_printf(&buffer, "%c", tolower((unsigned char)*c));
    text = buffer_text(&buffer);
    while (text[0] == '(' && text[strlen(text) - 1] == ')')
        text = arena_strndup(ctx->arena, text + 1, strlen(text) - 2);
    return text_or_dash(sql ? text : NULL);
}

static void
show_name(struct buffer *out, const char *what, struct object_name name)
{
    if (name.name)
        buffer_printf(out, " %s=%s%s%s", what, name.schema ? name.schema : "",
            name.schema ? "." : "", name.name);
}

static void
show_text(struct buffer *out, const char *what, const char *text)
{
    if (text)
        buffer_printf(out, " %s=%s", what, text);
}

static void
show_flag(struct buffer *out, const char *what, bool is_set)
{
    if (is_set)
        buffer_printf(out, " %s", what);
}

static void
show_list(struct buffer *out, const char *what, const struct text_list *list)
{
    if (list->count > 0)
        buffer_printf(out, " %s=(%s)", what, text_list_join(out->arena, list, ","));
}

static const char *
type_of(struct ctx *ctx, const struct type *type)
{
    const char *text = type->name ? type_text(ctx->arena, type) : "?";

    return type->collation ? arena_printf(ctx->arena, "%s collate %s", text, type->collation)
                           : text;
}

static void
show_column(struct ctx *ctx, struct buffer *out, const struct column *column)
{
    buffer_printf(out, "\n    %s %s", text_or_dash(column->name), type_of(ctx, &column->type));
    show_flag(out, "not null", column->is_not_null || column->is_identity || column->is_serial);
    show_flag(out, "serial", column->is_serial);
    show_flag(out, "identity", column->is_identity);
    show_flag(out, "generated", column->is_generated);
    if (column->default_kind != DEFAULT_NONE)
        buffer_printf(
            out, " default %d %s", (int)column->default_kind, squeezed(ctx, column->default_text));
}

static void
show_constraint(struct ctx *ctx, struct buffer *out, const struct constraint *constraint)
{
    buffer_printf(out, "\n    constraint %d %s", (int)constraint->kind,
        constraint->is_name_unknown ? "?" : text_or_dash(constraint->name));
    show_list(out, "columns", &constraint->columns);
    show_name(out, "target", constraint->target);
    show_list(out, "target_columns", &constraint->target_columns);
    if (constraint->expression)
        buffer_printf(out, " expression=%s", squeezed(ctx, constraint->expression));
    show_text(out, "on_delete", constraint->on_delete);
    show_flag(out, "not_valid", constraint->is_not_valid);
    show_flag(out, "deferrable", constraint->is_deferrable);
    show_flag(out, "inline", constraint->is_inline);
}

static void
show_index(struct ctx *ctx, struct buffer *out, const struct index *index)
{
    buffer_printf(out, "\n    index %s %s",
        text_or_dash(index->is_name_unknown ? "?" : index->name), text_or_dash(index->method));
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.items[i];

        buffer_printf(out, " [%s %s %s %s]", text_or_dash(key->column),
            squeezed(ctx, key->expression), text_or_dash(key->opclass), text_or_dash(key->order));
    }
    show_list(out, "include", &index->include);
    if (index->where)
        buffer_printf(out, " where=%s", squeezed(ctx, index->where));
    show_list(out, "uses", &index->uses);
    show_flag(out, "unique", index->is_unique);
    show_flag(out, "nulls_not_distinct", index->nulls_not_distinct);
}

static void
show_step(struct ctx *ctx, struct buffer *out, const struct step *step)
{
    buffer_printf(out, "%s", step_kind_name(step->kind));
    show_name(out, "object", step->object);
    show_name(
        out, "table", step->kind == STEP_DROP_INDEX ? (struct object_name){ 0 } : step->table);
    show_text(out, "column", step->column);
    show_text(out, "new_name", step->new_name);
    show_text(out, "constraint", step->kind == STEP_ADD_CONSTRAINT ? NULL : step->constraint_name);
    if (step->type.name)
        buffer_printf(out, " type=%s", type_of(ctx, &step->type));
    if (step->using_text)
        buffer_printf(out, " using=%s", squeezed(ctx, step->using_text));
    if (step->default_kind != DEFAULT_NONE)
        buffer_printf(
            out, " default %d %s", (int)step->default_kind, squeezed(ctx, step->default_text));
    show_list(out, "values", &step->values);
    show_text(out, "parent", step->parent);
    show_flag(out, "if_exists", step->if_exists);
    show_flag(out, "if_not_exists", step->if_not_exists);
    show_flag(out, "cascade", step->cascade);
    show_flag(out, "concurrently", step->concurrently);
    show_flag(out, "partitioned", step->is_partitioned);
    show_flag(out, "temporary", step->is_temporary);
    show_flag(out, "where", step->has_where);
    show_text(out, "unknown", step->unknown);
    for (size_t i = 0; i < step->columns.count; i++)
        show_column(ctx, out, &step->columns.items[i]);
    for (size_t i = 0; i < step->constraints.count; i++)
        show_constraint(ctx, out, &step->constraints.items[i]);
    if (step->index)
        show_index(ctx, out, step->index);
    buffer_add(out, "\n");
}

static const char *
show_steps(struct ctx *ctx, const struct steps *steps)
{
    struct buffer out = { .arena = ctx->arena };

    for (size_t i = 0; i < steps->count; i++)
        show_step(ctx, &out, &steps->items[i]);
    return buffer_text(&out);
}
