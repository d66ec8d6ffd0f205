/* Walks Python text and writes down what the host is told, for the tests of the evaluation. */
#pragma once

#include "lang/python.h"
#include "migrate/eval/eval.h"

struct seen {
    struct buffer text;
};

static const char *const test_names[] = { "", "table", "column", "index", "constraint" };

static inline void
show_value(struct buffer *text, const struct value *value)
{
    if (value_known_text(value))
        buffer_printf(text, "'%s'", value_known_text(value));
    else if (value->kind == VALUE_TEMPLATE)
        for (const char *c = value->text; *c; c++)
            buffer_printf(text, "%c", *c == VALUE_HOLE ? '#' : *c);
    else if (value->kind == VALUE_BOOL || value->kind == VALUE_INTEGER)
        buffer_printf(text, "%d", (int)value->integer);
    else if (value->kind == VALUE_LIST)
        buffer_printf(text, "list of %zu", value->items.count);
    else if (value->path)
        buffer_add(text, value->path);
    else
        buffer_add(text, "?");
}

static inline void
show_condition(struct buffer *text, const struct condition *condition)
{
    const struct test *test = &condition->test;

    buffer_printf(text, " | %s%s", condition->is_assumed ? "surely " : "", condition->text);
    if (test->kind == TEST_NONE)
        return;
    buffer_printf(text, " => %s%s ", test->is_negated ? "no " : "", test_names[test->kind]);
    if (test->schema)
        buffer_printf(text, "%s.", test->schema);
    if (test->kind != TEST_TABLE)
        buffer_printf(text, "%s.", test->table);
    buffer_add(text, test->name);
}

/* "create_table('t') repeated | if x": what starts with op or a batch only. */
static inline void
show(struct seen *seen, const char *what, const struct scene *scene, const struct call *call)
{
    static const char start[] = "alembic.op.";
    struct buffer *text = &seen->text;

    if (!text_starts_with(call->path, start) || text_ends_with(call->path, ".get_bind") ||
        text_ends_with(call->path, ".get_context"))
        return;
    buffer_printf(text, "%s%s(", what, call->path + strlen(start));
    for (size_t i = 0; i < call->arguments.count; i++) {
        buffer_add(text, i > 0 ? ", " : "");
        show_value(text, &call->arguments.items[i]);
    }
    for (size_t i = 0; i < call->keywords.count; i++) {
        buffer_printf(text, ", %s=", call->keywords.items[i].name);
        show_value(text, &call->keywords.items[i].value);
    }
    buffer_printf(text, "%s)%s%s%s%s%s", call->has_unknown_arguments ? ", ..." : "",
        scene->is_downgrade ? " down" : "", scene->is_module ? " module" : "",
        scene->in_autocommit ? " autocommit" : "", scene->in_try ? " try" : "",
        scene->is_repeated ? " repeated" : "");
    for (size_t i = 0; i < scene->conditions->count; i++)
        show_condition(text, &scene->conditions->items[i]);
    buffer_add(text, "\n");
}

static inline void
see_call(void *self, const struct scene *scene, const struct call *call)
{
    show(self, "", scene, call);
}

static inline void
see_leave(void *self, const struct scene *scene, const struct call *call)
{
    show(self, "leave ", scene, call);
}

struct walked {
    const char *calls;
    struct eval_module module;
    struct notes notes;
};

static inline struct walked
walk_file(struct ctx *ctx, const char *file, const char *source)
{
    struct seen seen = { .text = { .arena = ctx->arena } };
    struct eval_host host = { .self = &seen, .call = see_call, .leave = see_leave };
    struct walked walked = { 0 };
    struct py_tree tree;

    assert_true(python_parse(ctx, source, strlen(source), &tree));
    assert_true(eval_file(ctx, file, &tree, &host, &walked.module, &walked.notes));
    walked.calls = buffer_text(&seen.text);
    return walked;
}

static inline struct walked
walk(struct ctx *ctx, const char *source)
{
    return walk_file(ctx, "versions/1a2b_x.py", source);
}

static inline bool
has_note(const struct walked *walked, enum note_kind kind, uint32_t line, const char *text)
{
    for (size_t i = 0; i < walked->notes.count; i++) {
        const struct note *note = &walked->notes.items[i];

        if (note->kind == kind && (line == 0 || note->place.line == line) &&
            strstr(note->text, text))
            return true;
    }
    return false;
}
