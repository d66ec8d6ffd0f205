#include <inttypes.h>

#include "index/advice/advice.h"

/* Nothing that a statement's text holds may end the comment. */
static void
add_comment(struct buffer *script, const char *text)
{
    buffer_add(script, "-- ");
    for (const char *c = text; *c; c++)
        buffer_append(script, *c == '\n' || *c == '\r' ? " " : c, 1);
    buffer_add(script, "\n");
}

static void
add_index(struct arena *arena, struct buffer *script, const struct advice_index *index)
{
    add_comment(script,
        arena_printf(arena, "Saves %.1f %% of the workload; helps %zu statement%s; about %s.",
            100 * index->saved_share, index->choice->helps.count,
            index->choice->helps.count == 1 ? "" : "s",
            text_from_bytes(arena, index->choice->bytes)));
    add_comment(script, index->why);
    for (size_t i = 0; i < index->cautions.count; i++)
        add_comment(script, arena_printf(arena, "Caution: %s.", index->cautions.items[i]));
    for (size_t i = 0; i < index->recipe.count; i++)
        buffer_printf(script, "%s\n", index->recipe.items[i]);
    if (index->recipe.count == 0)
        buffer_printf(script, "%s%s;\n",
            index->choice->candidate->extensions.count > 0 ? "-- " : "", index->statement);
    buffer_add(script, "\n");
}

const char *
advice_script(struct arena *arena, const struct advice *advice)
{
    struct buffer script = { .arena = arena };
    const struct choice *choice = &advice->choice;

    add_comment(&script, arena_printf(arena, "Advised by pgmend from %s.", advice->intake->source));
    buffer_add(&script, "\n");
    for (size_t i = 0; i < advice->indexes.count; i++)
        add_index(arena, &script, &advice->indexes.items[i]);
    for (size_t i = 0; i < choice->drops.count; i++)
        add_comment(
            &script, arena_printf(arena,
                         "Needless afterwards: %s.%s (%s). \"pgmend index drop\" watches it "
                         "first.",
                         choice->drops.items[i].index->schema, choice->drops.items[i].index->name,
                         choice->drops.items[i].because));
    return buffer_text(&script);
}
