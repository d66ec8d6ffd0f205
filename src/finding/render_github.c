/* GitHub's workflow commands; source: "Workflow commands for GitHub Actions" in its documentation. */
#include "finding/render.h"

/* GitHub shows so many annotations of a type for one step, and drops the others silently. */
enum { MOST_OF_TYPE = 10 };

static const char *const commands[] = {
    [SEVERITY_ADVICE] = "notice",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_ERROR] = "error",
};

void
render_github_text(FILE *out, const char *text, bool is_property)
{
    const char *special = is_property ? "%\r\n:," : "%\r\n";

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (strchr(special, *text))
            fprintf(out, "%%%02X", byte);
        else
            fputc(byte < 0x20 && byte != '\t' ? '?' : byte, out);
    }
}

static void
put_place(FILE *out, const struct place *place)
{
    if (!place->file)
        return;
    fputs("file=", out);
    render_github_text(out, render_path(place->file), true);
    if (place->line > 0)
        fprintf(out, ",line=%u", place->line);
    if (place->line > 0 && place->end_line >= place->line)
        fprintf(out, ",endLine=%u", place->end_line);
    if (place->line > 0 && place->column > 0 && place->end_line <= place->line)
        fprintf(out, ",col=%u", place->column);
    fputc(',', out);
}

static void
put_finding(FILE *out, const struct finding *finding)
{
    fprintf(out, "::%s ", commands[finding->severity]);
    put_place(out, &finding->place);
    fputs("title=", out);
    render_github_text(out, finding->rule->id, true);
    fputs("::", out);
    render_github_text(out, finding->message, false);
    fputs("%0A", out);
    render_github_text(out, finding->rule->why, false);
    fputs("%0AInstead: ", out);
    render_github_text(out, finding->instead ? finding->instead : finding->rule->instead, false);
    fputc('\n', out);
}

void
render_github(FILE *out, const struct render *render)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct render_blocks blocks = render_group(arena, render, false);
    size_t counts[SEVERITY_COUNT] = { 0 };

    /* One of each rule first: the tenth of a kind tells less than the first of another. */
    for (size_t turn = 0; turn < MOST_OF_TYPE; turn++) {
        for (size_t i = 0; i < blocks.count; i++) {
            const struct render_block *block = &blocks.items[i];

            if (turn < block->count && counts[block->severity] < MOST_OF_TYPE) {
                put_finding(out, block->items[turn]);
                counts[block->severity]++;
            }
        }
    }
    fprintf(out, "%s\n", render_summary(arena, render));
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--) {
        size_t all = 0;

        for (size_t i = 0; i < blocks.count; i++)
            all += blocks.items[i].severity == (enum severity)severity ? blocks.items[i].count : 0;
        if (all > counts[severity])
            fprintf(out, "%s more %s%s: GitHub shows %d of a type for a step (%s)\n",
                text_from_count(arena, (int64_t)(all - counts[severity])),
                severity_name((enum severity)severity),
                severity == SEVERITY_ADVICE || all - counts[severity] == 1 ? "" : "s", MOST_OF_TYPE,
                render->more);
    }
}
