/*
 * Where in the file a statement comes from. Statements and steps are told apart by what they do to
 * what; only where there are as many of one kind as of the other, or all stand in one line, is it
 * certain which made which.
 */
#include "migrate/trace/tracer.h"

struct origin_key {
    const char *text;
    const struct step *step; /* of the file, or */
    size_t statement;        /* of the run */
};
struct origin_keys {
    struct origin_key *items;
    size_t count;
    size_t capacity;
};

static const char *
shown(const char *text)
{
    return text ? text : "";
}

static const char *
key_of(struct arena *arena, const struct step *step)
{
    const char *schema = step->object.schema && !text_equal(step->object.schema, "public")
                             ? step->object.schema
                             : "";
    const char *column = step->column;
    const char *constraint = step->constraint_name;

    if (!column && step->kind == STEP_ADD_COLUMN && step->columns.count > 0)
        column = step->columns.items[0].name;
    if (!constraint && step->kind == STEP_ADD_CONSTRAINT && step->constraints.count > 0)
        constraint = step->constraints.items[0].name;
    return arena_printf(arena, "%d|%s|%s|%s|%s|%s", (int)step->kind, schema,
        shown(step->object.name), shown(column), shown(constraint), shown(step->new_name));
}

static void
add_steps(struct arena *arena, const struct steps *steps, size_t statement, struct origin_keys *ret)
{
    for (size_t i = 0; i < steps->count; i++)
        VEC_PUSH(arena, ret,
            (struct origin_key){ key_of(arena, &steps->items[i]), &steps->items[i], statement });
}

static bool
add_statement(struct ctx *ctx, const char *sql, size_t statement, struct origin_keys *ret)
{
    const struct sql_source source = { .text = sql, .operation = "execute" };
    struct steps steps = { 0 };

    if (!steps_from_sql(ctx, &source, &steps))
        return false;
    add_steps(ctx->arena, &steps, statement, ret);
    return true;
}

static size_t
count(const struct origin_keys *keys, const char *text, size_t end)
{
    size_t found = 0;

    for (size_t i = 0; i < end; i++)
        found += strcmp(keys->items[i].text, text) == 0;
    return found;
}

/* The step that must have made the observed one, or NULL. */
static const struct step *
match(const struct origin_keys *written, const struct origin_keys *seen, size_t index)
{
    const char *text = seen->items[index].text;
    size_t rank = count(seen, text, index);
    bool is_paired = count(written, text, written->count) == count(seen, text, seen->count);
    const struct step *found = NULL;

    for (size_t i = 0; i < written->count; i++) {
        const struct step *step = written->items[i].step;

        if (strcmp(written->items[i].text, text) != 0)
            continue;
        if (is_paired && rank-- == 0)
            return step;
        if (!is_paired && found && found->place.line != step->place.line)
            return NULL;
        found = step;
    }
    return is_paired ? NULL : found;
}

bool
trace_find_places(struct ctx *ctx, struct trace_revision *revision)
{
    struct origin_keys written = { 0 };
    struct origin_keys seen = { 0 };

    add_steps(ctx->arena, &revision->revision->upgrade, 0, &written);
    for (size_t i = 0; i < revision->statements.count; i++)
        if (!add_statement(ctx, revision->statements.items[i].sql, i, &seen))
            return false;
    for (size_t i = 0; i < seen.count; i++) {
        struct trace_statement *statement = &revision->statements.items[seen.items[i].statement];
        const struct step *step = statement->place.file ? NULL : match(&written, &seen, i);

        if (step)
            statement->place = step->place;
    }
    return true;
}
