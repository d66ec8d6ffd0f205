#include "base/markup.h"
#include "migrate/squash/report.h"
#include "web.h"

/* Prose with `code`; outside of it nothing may look like Markdown or HTML. */
static void
put_markdown(FILE *out, const char *text, bool is_cell)
{
    bool is_code = false;

    for (; *text; text++) {
        if (*text == '`')
            is_code = !is_code;
        else if ((is_cell && *text == '|') || (!is_code && strchr("\\*_[]<>#|", *text)))
            fputc('\\', out);
        fputc(*text == '\n' ? ' ' : *text, out);
    }
}

static size_t
count_cells(const struct report_block *block)
{
    size_t count = 0;

    while (count < REPORT_CELLS && block->cells[count])
        count++;
    return count;
}

static bool
is_number(const char *heading)
{
    return *heading == '#';
}

static void
put_markdown_row(FILE *out, const struct report_block *block)
{
    size_t count = count_cells(block);

    fputc('|', out);
    for (size_t i = 0; i < count; i++) {
        const char *cell = block->cells[i];

        fputc(' ', out);
        put_markdown(out, cell + (block->kind == REPORT_HEAD && is_number(cell)), true);
        fputs(" |", out);
    }
    fputc('\n', out);
    if (block->kind != REPORT_HEAD)
        return;
    fputc('|', out);
    for (size_t i = 0; i < count; i++)
        fputs(is_number(block->cells[i]) ? " ---: |" : " --- |", out);
    fputc('\n', out);
}

static bool
is_row(enum report_block_kind kind)
{
    return kind == REPORT_HEAD || kind == REPORT_ROW;
}

/* No text can end a fence that has more backticks than it. */
static void
put_fenced(FILE *out, const char *text)
{
    size_t longest = 2;

    for (const char *at = text; *at; at++) {
        size_t length = strspn(at, "`");

        longest = length > longest ? length : longest;
        at += length > 0 ? length - 1 : 0;
    }
    for (size_t i = 0; i <= longest; i++)
        fputc('`', out);
    fprintf(out, "sql\n%s\n", text);
    for (size_t i = 0; i <= longest; i++)
        fputc('`', out);
    fputc('\n', out);
}

static void
put_markdown_block(FILE *out, const struct report_block *block)
{
    if (is_row(block->kind)) {
        put_markdown_row(out, block);
        return;
    }
    if (block->kind == REPORT_CODE) {
        put_fenced(out, block->cells[0]);
        return;
    }
    fputs(block->kind == REPORT_HEADING ? "## " : block->kind == REPORT_ITEM ? "- " : "", out);
    put_markdown(out, block->cells[0], false);
    fputc('\n', out);
}

void
squash_report_markdown(struct arena *arena, FILE *out, const struct squash_result *result)
{
    struct squash_report report;

    squash_report_build(arena, result, &report);
    fputs("# Consolidation of ", out);
    put_markdown(out, report.title, false);
    fputs("\n\n", out);
    put_markdown(out, report.lead, false);
    fputs(".\n", out);
    for (size_t i = 0; i < report.blocks.count; i++) {
        const struct report_block *block = &report.blocks.items[i];
        bool follows =
            i > 0 &&
            (block->kind == REPORT_ROW ||
                (block->kind == REPORT_ITEM && report.blocks.items[i - 1].kind == REPORT_ITEM));

        if (!follows)
            fputc('\n', out);
        put_markdown_block(out, block);
    }
    fputs("\nMade by pgmend " PGMEND_VERSION ".\n", out);
}

static void
put_figures(FILE *out, const struct squash_report *report)
{
    fputs("<section class=\"cards\" aria-label=\"Totals\">\n", out);
    for (size_t i = 0; i < report->figures.count; i++) {
        const struct report_figure *figure = &report->figures.items[i];

        fprintf(out,
            "<div class=\"card\"><span class=\"figure %s\">%s</span><span class=\"name\">%s</span>"
            "<span class=\"more\">%s</span></div>\n",
            figure->kind, figure->figure, figure->name, figure->more);
    }
    fputs("</section>\n", out);
}

/* The columns of numbers are those whose heading says so. */
static void
put_row(FILE *out, const struct report_block *head, const struct report_block *block)
{
    const char *tag = block->kind == REPORT_HEAD ? "th" : "td";

    fputs("<tr>", out);
    for (size_t i = 0; i < count_cells(block); i++) {
        const char *cell = block->cells[i];
        bool is_right = head->cells[i] && is_number(head->cells[i]);

        fprintf(out, "<%s%s>", tag, is_right ? " class=\"number\"" : "");
        markup_prose(out, cell + (block->kind == REPORT_HEAD && is_right));
        fprintf(out, "</%s>", tag);
    }
    fputs("</tr>\n", out);
}

static const char *
tag_of(enum report_block_kind kind)
{
    switch (kind) {
    case REPORT_HEADING:
        return "h2";
    case REPORT_ITEM:
        return "li";
    case REPORT_CODE:
        return "pre";
    case REPORT_TEXT:
    case REPORT_HEAD:
    case REPORT_ROW:
    default:
        return "p";
    }
}

static void
put_block(FILE *out, const struct report_block *block)
{
    const char *tag = tag_of(block->kind);

    fprintf(out, "<%s>", tag);
    if (block->kind == REPORT_CODE)
        markup_text(out, block->cells[0]);
    else
        markup_prose(out, block->cells[0]);
    fprintf(out, "</%s>\n", tag);
}

static void
put_blocks(FILE *out, const struct squash_report *report)
{
    const struct report_block *head = NULL;
    bool is_open = false; /* a list */

    for (size_t i = 0; i < report->blocks.count; i++) {
        const struct report_block *block = &report->blocks.items[i];
        /* Code between two items belongs to the list. */
        bool is_item = block->kind == REPORT_ITEM || (is_open && block->kind == REPORT_CODE);

        if (head && block->kind != REPORT_ROW) {
            fputs("</table></div>\n", out);
            head = NULL;
        }
        if (is_open != is_item)
            fputs(is_item ? "<ul>\n" : "</ul>\n", out);
        is_open = is_item;
        if (block->kind == REPORT_HEAD) {
            head = block;
            fputs("<div class=\"panel\"><table>\n", out);
        }
        if (is_row(block->kind) && head)
            put_row(out, head, block);
        else
            put_block(out, block);
    }
    fputs(head ? "</table></div>\n" : is_open ? "</ul>\n" : "", out);
}

static void
put_body(FILE *out, const struct squash_report *report)
{
    fputs("<header>\n<p class=\"brand\">pgmend migrations consolidate</p>\n<h1>", out);
    markup_text(out, report->title);
    fputs("</h1>\n<p class=\"lead\">", out);
    markup_text(out, report->lead);
    fputs("</p>\n</header>\n<main>\n", out);
    put_figures(out, report);
    put_blocks(out, report);
    fputs("</main>\n<footer>Made by pgmend " PGMEND_VERSION
          ". This page is one file and loads nothing.</footer>\n",
        out);
}

void
squash_report_html(struct ctx *ctx, FILE *out, const struct squash_result *result)
{
    struct squash_report report;
    char *body = NULL;
    size_t length = 0;
    FILE *body_out = open_memstream(&body, &length);

    squash_report_build(ctx->arena, result, &report);
    put_body(body_out, &report);
    fclose(body_out);

    const struct markup_slot slots[] = {
        { "{{title}}", markup_escape(ctx->arena, report.title) },
        { "{{style_hash}}", web_squash_page_css_hash },
        { "{{style}}", web_squash_page_css },
        { "{{body}}", body },
    };

    markup_fill(out, web_squash_page_html, slots, COUNT_OF(slots));
    free(body);
}
