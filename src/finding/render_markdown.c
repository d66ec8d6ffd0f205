/* Findings as GitHub's Markdown, for a comment on a pull request. */
#include "finding/render.h"

enum {
    SHOWN_OF_RULE = 20,
    CODE_WIDTH = 120,
    MOST_BYTES = 60000 /* a comment takes 65,536 characters */
};

struct page {
    FILE *out;
    struct arena *arena; /* emptied after each finding */
    const struct render *render;
};

/* Text that is somebody else's: no markup, no HTML, no mention comes from it. */
static void
put_plain(const struct page *page, const char *text)
{
    for (text = render_clean(page->arena, text); *text; text++) {
        if (*text == '<' || *text == '>' || *text == '&' || *text == '@')
            fprintf(page->out, "&#%d;", *text);
        else if (strchr("\\`*_{}[]()#|~!", *text))
            fprintf(page->out, "\\%c", *text);
        else
            fputc(*text, page->out);
    }
}

/* Text of a rule: its `code` is Markdown already. */
static void
put_rule_text(const struct page *page, const char *text)
{
    if (!strchr(text, '\n')) {
        fprintf(page->out, "%s\n", text);
        return;
    }
    fprintf(page->out, "\n```python\n%s%s```\n", text, text_ends_with(text, "\n") ? "" : "\n");
}

static void
put_place(const struct page *page, const struct place *place)
{
    if (!place->file)
        return;
    put_plain(page, render_path(place->file));
    if (place->line > 0)
        fprintf(page->out, ":%u", place->line);
    fputs(": ", page->out);
}

/* Lines of code below an item of a list; a fence must be longer than any run of backticks inside. */
static void
put_fenced(const struct page *page, const char *code, const char *indent)
{
    size_t longest = 2;

    for (const char *at = code; *at;) {
        size_t run = strspn(at, "`");

        longest = run > longest ? run : longest;
        at += run > 0 ? run : 1;
    }

    char *fence = arena_alloc(page->arena, longest + 2);

    memset(fence, '`', longest + 1);
    fprintf(page->out, "%s%spython\n", indent, fence);
    while (*code) {
        size_t length = strcspn(code, "\n");

        fprintf(page->out, "%s%s\n", indent,
            render_clean(page->arena, arena_strndup(page->arena, code, length)));
        code += length + (code[length] == '\n');
    }
    fprintf(page->out, "%s%s\n", indent, fence);
}

static void
put_code(const struct page *page, const struct finding *finding)
{
    struct render_code code = render_code(page->arena, page->render, &finding->place, CODE_WIDTH);

    if (code.text)
        put_fenced(page, code.text, "  ");
}

static void
put_instead(const struct page *page, const char *instead)
{
    fputs("  - instead: ", page->out);
    if (strchr(instead, '\n')) {
        fputc('\n', page->out);
        put_fenced(page, instead, "    ");
    } else {
        put_plain(page, instead);
        fputc('\n', page->out);
    }
}

static void
put_finding(const struct page *page, const struct finding *finding)
{
    fputs("- ", page->out);
    put_place(page, &finding->place);
    put_plain(page, finding->message);
    fputc('\n', page->out);
    put_code(page, finding);
    for (size_t i = 0; i < finding->related.count; i++) {
        fputs("  - ", page->out);
        put_place(page, &finding->related.items[i].place);
        put_plain(page, finding->related.items[i].what);
        fputc('\n', page->out);
    }
    if (finding->instead)
        put_instead(page, finding->instead);
    arena_reset(page->arena);
}

static void
put_table(const struct page *page, const struct render_blocks *blocks)
{
    fputs("| severity | rule | what | findings |\n| --- | --- | --- | ---: |\n", page->out);
    for (size_t i = 0; i < blocks->count; i++)
        fprintf(page->out, "| %s | `%s` | %s | %zu |\n", severity_name(blocks->items[i].severity),
            blocks->items[i].rule->id, blocks->items[i].rule->summary, blocks->items[i].count);
    fputc('\n', page->out);
}

static void
put_block(const struct page *page, const struct render_block *block)
{
    size_t shown = block->count < SHOWN_OF_RULE ? block->count : SHOWN_OF_RULE;

    fprintf(page->out, "<details%s><summary>%s: <code>%s</code>, %s (%zu)</summary>\n\n",
        block->severity == SEVERITY_ERROR ? " open" : "", severity_name(block->severity),
        block->rule->id, block->rule->summary, block->count);
    put_rule_text(page, block->rule->why);
    fputc('\n', page->out);
    for (size_t i = 0; i < shown; i++)
        put_finding(page, block->items[i]);
    if (shown < block->count)
        fprintf(page->out, "- and %zu more like this\n", block->count - shown);
    fputs("\n**Instead:** ", page->out);
    put_rule_text(page, block->rule->instead);
    fputs("\n</details>\n\n", page->out);
}

void
render_markdown(FILE *out, const struct render *render)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct render_blocks blocks = render_group(arena, render, false);
    struct page page = { .out = out, .arena = scratch, .render = render };
    size_t written = 0;

    fprintf(out, "**%s**\n\n", render_summary(arena, render));
    if (blocks.count == 0)
        return;
    put_table(&page, &blocks);
    for (size_t i = 0; i < blocks.count; i++) {
        char *text = NULL;
        size_t length = 0;

        page.out = open_memstream(&text, &length);
        put_block(&page, &blocks.items[i]);
        fclose(page.out);
        if (written + length <= MOST_BYTES)
            fwrite(text, 1, length, out);
        written += length;
        free(text);
    }
    if (written > MOST_BYTES)
        fprintf(out, "The details of some rules are left out: a comment holds no more.\n");
}
