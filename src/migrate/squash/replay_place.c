/* Which step of a revision's file a statement about rows comes from. */
#include <ctype.h>

#include "migrate/squash/replayed.h"

/* Blanks do not count: drivers and dialects lay statements out differently. */
static bool
is_same_statement(const char *a, const char *b)
{
    for (;;) {
        while (isspace((unsigned char)*a))
            a++;
        while (isspace((unsigned char)*b) || (*b == ';' && !b[1]))
            b++;
        if (!*a || *a != *b)
            return *a == *b || (*a == ';' && !a[1] && !*b);
        a++;
        b++;
    }
}

static bool
has_tag(enum step_kind kind, const char *tag)
{
    switch ((int)kind) {
    case STEP_INSERT:
        return text_starts_with(tag, "INSERT");
    case STEP_UPDATE:
        return text_starts_with(tag, "UPDATE");
    case STEP_DELETE:
        return text_starts_with(tag, "DELETE");
    case STEP_TRUNCATE:
        return text_starts_with(tag, "TRUNCATE");
    case STEP_COPY:
        return text_starts_with(tag, "COPY");
    case STEP_DO:
        return text_starts_with(tag, "DO");
    case STEP_SELECT:
        return text_starts_with(tag, "SELECT");
    default:
        return false;
    }
}

/*
 * The step with the same text; else, when the revision has only one place whose statements are not
 * written as text (bulk_insert, SQLAlchemy expressions) and that fits the tag, that one.
 */
static const struct step *
find_step(const struct steps *steps, const struct squash_data *data)
{
    const struct step *only = NULL;
    size_t fitting = 0;

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];

        if (step->text && is_same_statement(step->text, data->sql))
            return step;
        if (!step->text && has_tag(step->kind, data->tag)) {
            only = step;
            fitting++;
        }
    }
    return fitting == 1 ? only : NULL;
}

void
replayed_find_places(const struct graph *graph, struct replayed *replayed)
{
    for (size_t i = 0; graph && i < replayed->data.count; i++) {
        struct squash_data *data = &replayed->data.items[i];
        const struct node *node = data->revision ? map_get(&graph->by_id, data->revision) : NULL;
        const struct step *step = node ? find_step(&node->revision->upgrade, data) : NULL;

        if (step)
            data->place = step->place;
    }
}
