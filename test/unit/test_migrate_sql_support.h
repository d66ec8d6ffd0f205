/* Steps in short, for comparison: "kind object=… table=… +flag", parts on lines of their own. */
#pragma once

#include "base/text.h"
#include "migrate/model/step.h"

static inline void
add(struct buffer *text, const char *name, const char *value)
{
    if (value)
        buffer_printf(text, " %s=%s", name, value);
}

static inline void
add_object(struct buffer *text, const char *name, struct object_name object)
{
    if (object.name)
        buffer_printf(text, " %s=%s%s%s", name, object.schema ? object.schema : "",
            object.schema ? "." : "", object.name);
}

static inline void
add_list(struct buffer *text, const char *name, const struct text_list *list)
{
    if (list->count > 0)
        buffer_printf(text, " %s=%s", name, text_list_join(text->arena, list, ","));
}

static inline void
add_flags(struct buffer *text, const struct step *step)
{
    const struct {
        bool is_set;
        const char *name;
    } flags[] = { { step->if_exists, "if_exists" }, { step->if_not_exists, "if_not_exists" },
        { step->or_replace, "or_replace" }, { step->cascade, "cascade" },
        { step->concurrently, "concurrently" }, { step->is_partitioned, "partitioned" },
        { step->is_temporary, "temporary" }, { step->is_only, "only" },
        { step->has_where, "where" }, { step->is_full, "full" },
        { step->is_as_select, "as_select" }, { step->has_order, "order" },
        { step->is_local, "local" } };

    for (size_t i = 0; i < COUNT_OF(flags); i++)
        if (flags[i].is_set)
            buffer_printf(text, " +%s", flags[i].name);
}

static const char *
default_name(enum default_kind kind)
{
    static const char *const names[] = { "none", "constant", "volatile", "unknown" };

    return names[kind];
}

static inline void
add_column(struct buffer *text, const struct column *column)
{
    buffer_printf(text, "\n  %s %s", column->name ? column->name : "?",
        type_text(text->arena, &column->type));
    add(text, "collate", column->type.collation);
    if (column->default_text || column->default_kind != DEFAULT_NONE)
        buffer_printf(text, " default=%s:%s", default_name(column->default_kind),
            column->default_text ? column->default_text : "?");
    buffer_printf(text, "%s%s%s%s", column->is_not_null ? " +not_null" : "",
        column->is_serial ? " +serial" : "", column->is_identity ? " +identity" : "",
        column->is_generated ? " +generated" : "");
}

static inline void
add_constraint(struct buffer *text, const struct constraint *constraint)
{
    static const char *const kinds[] = { "primary", "unique", "check", "foreign", "exclude", "?" };

    buffer_printf(
        text, "\n  %s%s", constraint->is_inline ? "inline " : "", kinds[constraint->kind]);
    add(text, "name", constraint->name);
    add_list(text, "columns", &constraint->columns);
    add_object(text, "target", constraint->target);
    add_list(text, "target_columns", &constraint->target_columns);
    add(text, "expression", constraint->expression);
    add(text, "on_delete", constraint->on_delete);
    add(text, "using_index", constraint->using_index);
    buffer_printf(text, "%s%s%s", constraint->is_not_valid ? " +not_valid" : "",
        constraint->is_deferrable ? " +deferrable" : "",
        constraint->is_name_unknown ? " +name_unknown" : "");
}

static inline void
add_index(struct buffer *text, const struct index *index)
{
    buffer_printf(text, "\n  index %s%s%s", index->method, index->is_unique ? " +unique" : "",
        index->nulls_not_distinct ? " +nulls_not_distinct" : "");
    add_list(text, "include", &index->include);
    add(text, "where", index->where);
    add_list(text, "uses", &index->uses);
    for (size_t i = 0; i < index->keys.count; i++) {
        const struct index_key *key = &index->keys.items[i];

        buffer_add(text, "\n    key");
        add(text, "column", key->column);
        add(text, "expression", key->expression);
        add(text, "opclass", key->opclass);
        add(text, "order", key->order);
    }
}

static const char *
describe(struct ctx *ctx, const struct steps *steps)
{
    static const char *const reaches[] = { "data", "table", "all" };
    struct buffer text = { .arena = ctx->arena };

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];

        buffer_printf(&text, "%s%s", i > 0 ? "\n" : "", step_kind_name(step->kind));
        add_object(&text, "object", step->object);
        add_object(&text, "table", step->table);
        add(&text, "column", step->column);
        add(&text, "new", step->new_name);
        add(&text, "name", step->constraint_name);
        add(&text, "parent", step->parent);
        add(&text, "setting", step->setting);
        add(&text, "value", step->setting_value);
        if (step->type.name || step->type.unknown)
            add(&text, "type", type_text(ctx->arena, &step->type));
        add(&text, "using", step->using_text);
        if (step->default_text)
            buffer_printf(
                &text, " default=%s:%s", default_name(step->default_kind), step->default_text);
        add_list(&text, "values", &step->values);
        add_list(&text, "tables", &step->tables);
        add_flags(&text, step);
        if (step->unknown)
            buffer_printf(&text, " unknown(%s)=%s", reaches[step->reach], step->unknown);
        for (size_t k = 0; k < step->conditions.count; k++)
            buffer_printf(&text, " [%s]", step->conditions.items[k].text);
        for (size_t k = 0; k < step->columns.count; k++)
            add_column(&text, &step->columns.items[k]);
        for (size_t k = 0; k < step->constraints.count; k++)
            add_constraint(&text, &step->constraints.items[k]);
        if (step->index)
            add_index(&text, step->index);
    }
    return buffer_text(&text);
}
