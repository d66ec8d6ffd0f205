/* Findings in a terminal, as compilers show them. */
#include "base/term.h"
#include "finding/render.h"

enum {
    COUNT_COLUMNS = 10, /* of a count and the blanks around a rule beside it */
    PLAIN_WIDTH = 100,  /* where nobody says how wide the window is */
    LEAST_WIDTH = 40,
    SHOWN_OF_RULE = 5, /* then "and 17 more like this" */
    INDENT = 2,
    INNER_INDENT = 9
};

struct page {
    FILE *out;
    struct arena *arena; /* emptied after each finding */
    const struct render *render;
    bool has_color;
    size_t width;
};

enum style { STYLE_NONE, STYLE_STRONG, STYLE_DIM, STYLE_PLACE, STYLE_BAR, STYLE_SEVERITY };

static const char *const styles[] = {
    [STYLE_NONE] = "0",
    [STYLE_STRONG] = "1",
    [STYLE_DIM] = "2",
    [STYLE_PLACE] = "36",
    [STYLE_BAR] = "34",
    [STYLE_SEVERITY + SEVERITY_ADVICE] = "1;36",
    [STYLE_SEVERITY + SEVERITY_WARNING] = "1;33",
    [STYLE_SEVERITY + SEVERITY_ERROR] = "1;31",
};

static void
put(const struct page *page, int style, const char *text)
{
    const char *clean = render_clean(page->arena, text);

    if (page->has_color && style != STYLE_NONE)
        fprintf(page->out, "\033[%sm%s\033[0m", styles[style], clean);
    else
        fputs(clean, page->out);
}

static void
put_spaces(const struct page *page, size_t count)
{
    fprintf(page->out, "%*s", (int)count, "");
}

/* Words of one line of text, broken at the width; the caller has written up to column already. */
static void
put_words(const struct page *page, const char *text, size_t length, size_t column)
{
    size_t indent = column;
    bool is_first = true;

    for (const char *at = text; at < text + length;) {
        size_t word = strcspn(at, " \n");

        if (word > (size_t)(text + length - at))
            word = (size_t)(text + length - at);

        const char *shown = arena_strndup(page->arena, at, word);
        size_t columns = text_width(shown);

        if (word > 0 && !is_first && column + 1 + columns > page->width) {
            fputc('\n', page->out);
            put_spaces(page, indent);
            column = indent;
            is_first = true;
        }
        if (word > 0) {
            fprintf(page->out, "%s", is_first ? "" : " ");
            put(page, STYLE_NONE, shown);
            column += columns + !is_first;
            is_first = false;
        }
        at += word < (size_t)(text + length - at) ? word + 1 : word;
    }
    fputc('\n', page->out);
}

/* Sentences are wrapped; among other lines only those that are none of code. */
static bool
is_prose(const char *line, size_t length, bool is_alone)
{
    return is_alone ||
           (length > 0 && line[0] != ' ' && (line[length - 1] == ':' || line[length - 1] == '.'));
}

static void
put_text(const struct page *page, const char *text, size_t column)
{
    bool is_alone = strchr(text, '\n') == NULL;

    for (bool is_first = true; *text; is_first = false) {
        size_t length = strcspn(text, "\n");

        if (!is_first)
            put_spaces(page, column);
        if (is_prose(text, length, is_alone)) {
            put_words(page, text, length, column);
        } else {
            put(page, STYLE_NONE, arena_strndup(page->arena, text, length));
            fputc('\n', page->out);
        }
        text += length + (text[length] == '\n');
    }
}

static void
put_labelled(const struct page *page, size_t indent, const char *label, const char *text)
{
    put_spaces(page, indent);
    put(page, STYLE_DIM, label);
    fputs("  ", page->out);
    put_text(page, text, indent + strlen(label) + 2);
}

static const char *
place_text(struct arena *arena, const struct place *place)
{
    const char *file = render_path(place->file);

    if (place->line == 0)
        return file;
    if (place->column == 0)
        return arena_printf(arena, "%s:%u", file, place->line);
    return arena_printf(arena, "%s:%u:%u", file, place->line, place->column);
}

static void
put_code(const struct page *page, const struct finding *finding)
{
    struct render_code code =
        render_code(page->arena, page->render, &finding->place, page->width - INNER_INDENT - 3);

    if (!code.text)
        return;
    put(page, STYLE_BAR, arena_printf(page->arena, "%*u | ", INNER_INDENT, finding->place.line));
    fprintf(page->out, "%s\n", code.text);
    if (code.mark_width == 0)
        return;

    char *mark = arena_alloc(page->arena, code.mark_width + 1);

    memset(mark, '^', code.mark_width);
    put(page, STYLE_BAR, arena_printf(page->arena, "%*s | ", INNER_INDENT, ""));
    put_spaces(page, code.mark_start);
    put(page, STYLE_SEVERITY + (int)finding->severity, mark);
    fputc('\n', page->out);
}

static void
put_finding(const struct page *page, const struct finding *finding)
{
    size_t inner = INNER_INDENT + 3;

    put_spaces(page, INDENT);
    if (finding->place.file) {
        put(page, STYLE_PLACE, place_text(page->arena, &finding->place));
        fputc('\n', page->out);
        put_spaces(page, INDENT * 2);
    }
    put_words(page, finding->message, strlen(finding->message),
        finding->place.file ? (size_t)INDENT * 2 : (size_t)INDENT);
    put_code(page, finding);
    for (size_t i = 0; i < finding->related.count; i++) {
        const struct related *related = &finding->related.items[i];

        put_labelled(page, inner, "see",
            related->place.file ? arena_printf(page->arena, "%s: %s",
                                      place_text(page->arena, &related->place), related->what)
                                : related->what);
    }
    if (finding->instead)
        put_labelled(page, inner, "instead", finding->instead);
    if (page->render->is_verbose && finding->context)
        put_labelled(page, inner, "in", finding->context);
    for (size_t i = 0; page->render->is_verbose && i < finding->evidence.count; i++)
        put_labelled(
            page, inner, finding->evidence.items[i].name, finding->evidence.items[i].value);
    arena_reset(page->arena);
}

static bool
all_have_advice(const struct render_block *block)
{
    for (size_t i = 0; i < block->count; i++)
        if (!block->items[i]->instead)
            return false;
    return true;
}

static void
put_block(const struct page *page, const struct render_block *block)
{
    const struct rule *rule = block->rule;
    size_t shown = block->count;

    if (!page->render->is_verbose && block->count > SHOWN_OF_RULE + 1)
        shown = SHOWN_OF_RULE;
    put(page, STYLE_SEVERITY + (int)block->severity, severity_name(block->severity));
    fputs("  ", page->out);
    put(page, STYLE_STRONG, rule->id);
    fprintf(page->out, ": %s\n", rule->summary);
    put_labelled(page, INDENT, "why", rule->why);
    for (size_t i = 0; i < shown; i++)
        put_finding(page, block->items[i]);
    if (shown < block->count)
        fprintf(page->out, "%*sand %s more like this (%s)\n", INDENT, "",
            text_from_count(page->arena, (int64_t)(block->count - shown)), page->render->more);
    if (!all_have_advice(block))
        put_labelled(page, INDENT, "instead", rule->instead);
    fputc('\n', page->out);
    arena_reset(page->arena);
}

/* Advice by its rules only. */
static void
put_counts(const struct page *page, const struct render_blocks *blocks)
{
    bool is_first = true;
    size_t width = 0;

    for (size_t i = 0; i < blocks->count; i++)
        if (blocks->items[i].severity == SEVERITY_ADVICE &&
            strlen(blocks->items[i].rule->id) > width)
            width = strlen(blocks->items[i].rule->id);
    for (size_t i = 0; i < blocks->count; i++) {
        const struct render_block *block = &blocks->items[i];

        if (block->severity != SEVERITY_ADVICE)
            continue;
        if (is_first) {
            put(page, STYLE_SEVERITY + SEVERITY_ADVICE, severity_name(SEVERITY_ADVICE));
            fprintf(page->out, "  %s\n", page->render->more);
        }
        fprintf(page->out, "%6s  %-*s  ", text_from_count(page->arena, (int64_t)block->count),
            (int)width, block->rule->id);
        put_words(page, block->rule->summary, strlen(block->rule->summary), width + COUNT_COLUMNS);
        is_first = false;
    }
    if (!is_first)
        fputc('\n', page->out);
    arena_reset(page->arena);
}

static void
put_silenced(const struct page *page)
{
    const struct findings *findings = page->render->findings;
    bool is_first = true;

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];

        if (!finding->silenced)
            continue;
        if (is_first)
            put(page, STYLE_STRONG, "silenced");
        fprintf(page->out, "%s%*s", is_first ? "\n" : "", INDENT, "");
        put(page, STYLE_PLACE,
            finding->place.file ? place_text(page->arena, &finding->place) : finding->rule->group);
        fprintf(page->out, "  %s: ", finding->rule->id);
        put(page, STYLE_NONE, finding->silenced);
        fputc('\n', page->out);
        is_first = false;
    }
    if (!is_first)
        fputc('\n', page->out);
    arena_reset(page->arena);
}

void
render_text(FILE *out, const struct render *render)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct arena *scratch CLEANUP(arena_cleanup) = arena_new();
    struct render_blocks blocks = render_group(arena, render, false);
    struct page page = {
        .out = out,
        .arena = scratch,
        .render = render,
        .has_color = term_has_color(out),
        .width = term_is_terminal(out) ? (size_t)term_width(out) : PLAIN_WIDTH,
    };

    if (page.width < LEAST_WIDTH)
        page.width = LEAST_WIDTH;
    if (page.width > PLAIN_WIDTH)
        page.width = PLAIN_WIDTH;
    for (size_t i = 0; i < blocks.count; i++)
        if (render->is_verbose || blocks.items[i].severity > SEVERITY_ADVICE)
            put_block(&page, &blocks.items[i]);
    if (!render->is_verbose)
        put_counts(&page, &blocks);
    else
        put_silenced(&page);
    put(&page, STYLE_STRONG, render_summary(arena, render));
    fputc('\n', out);
}
