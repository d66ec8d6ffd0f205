/* Several heads joined, as `alembic merge heads` would do it. */
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "migrate/squash/squash.h"

enum { ID_LENGTH = 12 };

/* The heads' ids, each once: a duplicated id is a head twice. */
static void
find_heads(struct ctx *ctx, const struct graph *graph, struct text_list *ret)
{
    for (size_t i = 0; i < graph->heads.count; i++) {
        const char *id = graph->nodes[graph->heads.items[i]].revision->id;

        if (id && !text_list_has(ret, id))
            text_list_add(ctx->arena, ret, id);
    }
}

/* Of the heads alone, so that whoever merges the same heads gets the same revision. */
static const char *
choose_id(struct ctx *ctx, const struct graph *graph, const struct text_list *heads)
{
    const char *seed = text_list_join(ctx->arena, heads, " ");
    const char *id;

    do {
        const char *sum = sha256_of(ctx->arena, seed, strlen(seed));

        id = arena_strndup(ctx->arena, sum, ID_LENGTH);
        seed = sum;
    } while (map_get(&graph->by_id, id));
    return id;
}

static const char *
python_tuple(struct arena *arena, const struct text_list *ids)
{
    struct buffer text = { .arena = arena };

    for (size_t i = 0; i < ids->count; i++)
        buffer_printf(&text, "%s'%s'", i ? ", " : "(", ids->items[i]);
    buffer_add(&text, ")");
    return buffer_text(&text);
}

/* "2026-11-22 13:30:00" */
static const char *
create_date(struct arena *arena)
{
    char *text = arena_strdup(arena, clock_text(arena, clock_wall_us()));

    for (char *sign = text; *sign; sign++)
        if (*sign == 'T')
            *sign = ' ';
        else if (*sign == 'Z')
            *sign = '\0';
    return text;
}

bool
squash_is_misshapen(const struct analysis *analysis)
{
    const struct graph *graph = &analysis->graph;

    if (graph->count > 0 && graph->heads.count == 0)
        return true;
    for (size_t i = 0; i < graph->problems.count; i++)
        if (graph->problems.items[i].kind != GRAPH_EMPTY_PARENT)
            return true;
    for (size_t i = 0; i < graph->count; i++) {
        const struct node *node = &graph->nodes[i];

        if (node->revision->is_down_placeholder ||
            (node->parents.count == 0 && node->dependencies.count > 1 &&
                node->revision->upgrade.count == 0))
            return true;
    }
    return false;
}

bool
squash_merge_heads(struct ctx *ctx, const struct analysis *analysis, struct squash_file *ret)
{
    struct arena *arena = ctx->arena;
    struct text_list heads = { 0 };
    const char *id;

    find_heads(ctx, &analysis->graph, &heads);
    if (analysis->graph.is_broken_1_8 && analysis->graph.is_broken_1_19)
        return error_set(
            ctx, ERR_INPUT, "the heads cannot be merged before Alembic can load the history");
    if (heads.count < 2)
        return error_set(ctx, ERR_INPUT, "there is nothing to merge: the history has %s",
            heads.count == 0 ? "no head" : "one head");
    id = choose_id(ctx, &analysis->graph, &heads);
    *ret = (struct squash_file){
        .name = arena_printf(arena, "%s_merge_heads.py", id),
        .id = id,
        .down = heads.items[0],
        .title = "merge heads",
        .text = arena_printf(arena,
            "\"\"\"merge heads\n\nRevision ID: %s\nRevises: %s\nCreate Date: %s\n\n\"\"\"\n"
            "from alembic import op\nimport sqlalchemy as sa\n\n\n"
            "# revision identifiers, used by Alembic.\nrevision = '%s'\ndown_revision = %s\n"
            "branch_labels = None\ndepends_on = None\n\n\ndef upgrade() -> None:\n    pass\n\n\n"
            "def downgrade() -> None:\n    pass\n",
            id, text_list_join(arena, &heads, ", "), create_date(arena), id,
            python_tuple(arena, &heads)),
    };
    return true;
}
