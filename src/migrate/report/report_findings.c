/* The findings on the page, rule by rule. */
#include "migrate/report/report_page.h"

enum { MOST_FINDINGS = 2000, LINES_BEFORE = 1, LINES_AFTER = 2, LONGEST_LINE = 500 };

/* Rules that say nothing about one revision belong to the history. */
static const char *
revision_of(const struct page *page, const struct finding *finding)
{
    const struct revision *revision =
        finding->place.file ? map_get(&page->report->by_file, finding->place.file) : NULL;

    if (!revision)
        return "";
    return revision->id ? revision->id : render_path(revision->file);
}

static void
put_code(const struct page *page, const struct place *place)
{
    const struct render *render = &page->report->render;
    uint32_t first = place->line > LINES_BEFORE ? place->line - LINES_BEFORE : 1;
    bool is_open = false;

    if (!place->file || place->line == 0)
        return;
    for (uint32_t line = first; line <= place->line + LINES_AFTER; line++) {
        struct arena *arena CLEANUP(arena_cleanup) = arena_new();
        size_t length = 0;
        const char *text = render->line(render->self, place->file, line, &length);

        if (!text)
            break;
        fprintf(page->out, "%s<span class=\"number\">%5u</span>  <span%s>", is_open ? "" : "<pre>",
            line, line == place->line ? " class=\"hit\"" : "");
        length = length < LONGEST_LINE ? length : LONGEST_LINE;
        markup_text(page->out, arena_strndup(arena, text, length));
        fputs("</span>\n", page->out);
        is_open = true;
    }
    if (is_open)
        fputs("</pre>\n", page->out);
}

static void
put_facts(const struct page *page, const struct finding *finding)
{
    FILE *out = page->out;

    if (finding->related.count + finding->evidence.count == 0)
        return;
    fputs("<ul class=\"facts\">\n", out);
    for (size_t i = 0; i < finding->related.count; i++) {
        const struct related *related = &finding->related.items[i];

        fputs("<li>", out);
        markup_text(out, related->what);
        if (related->place.file) {
            fputs(": ", out);
            page_place(page, &related->place);
        }
        fputs("</li>\n", out);
    }
    for (size_t i = 0; i < finding->evidence.count; i++) {
        fprintf(out, "<li>%s: ", finding->evidence.items[i].name);
        markup_text(out, finding->evidence.items[i].value);
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
}

/* Lines stay lines: they are code. */
static void
put_instead(const struct page *page, const char *instead)
{
    bool is_code = strchr(instead, '\n') != NULL;

    fputs("<p class=\"instead\"><strong>Instead:</strong> ", page->out);
    if (is_code) {
        fputs("</p>\n<pre>", page->out);
        markup_text(page->out, instead);
        fputs("</pre>\n", page->out);
    } else {
        markup_prose(page->out, instead);
        fputs("</p>\n", page->out);
    }
}

static void
put_finding(const struct page *page, const struct finding *finding)
{
    FILE *out = page->out;

    fprintf(out,
        "<details class=\"finding\" data-severity=\"%s\" data-group=\"%s\" "
        "data-revision=\"",
        finding->silenced ? "silenced" : severity_name(finding->severity), finding->rule->group);
    markup_text(out, revision_of(page, finding));
    fputs("\">\n<summary><span class=\"what\">", out);
    markup_text(out, finding->message);
    fputs("</span><span class=\"place\">", out);
    page_place(page, &finding->place);
    fputs("</span></summary>\n<div class=\"body\">\n", out);
    if (finding->silenced) {
        fputs("<p>Silenced: ", out);
        markup_text(out, finding->silenced);
        fputs("</p>\n", out);
    }
    put_code(page, &finding->place);
    if (finding->instead)
        put_instead(page, finding->instead);
    put_facts(page, finding);
    fputs("</div>\n</details>\n", out);
}

static void
put_block(const struct page *page, const struct render_block *block, size_t shown)
{
    const struct rule *rule = block->rule;
    FILE *out = page->out;

    fprintf(out,
        "<section class=\"panel rule\" data-rule=\"%s\">\n<header><span class=\"chip %s\">%s</span>"
        "<h3>%s</h3><code>%s</code><span class=\"count\">%zu</span></header>\n<p class=\"why\">",
        rule->id, severity_name(block->severity), severity_name(block->severity), rule->summary,
        rule->id, block->count);
    markup_prose(out, rule->why);
    fputs("</p>\n", out);
    for (size_t i = 0; i < shown; i++)
        put_finding(page, block->items[i]);
    if (shown < block->count)
        fprintf(out, "<p class=\"caption\">and %zu more like this, which the page leaves out</p>\n",
            block->count - shown);
    put_instead(page, rule->instead);
    fputs("</section>\n", out);
}

static void
put_filters(const struct page *page, const struct render_blocks *blocks)
{
    FILE *out = page->out;
    size_t silenced = page->report->analysis->findings.count -
                      findings_count(&page->report->analysis->findings, SEVERITY_ADVICE);

    fputs("<form class=\"filters\" hidden>\n", out);
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--)
        fprintf(out,
            "<label><input type=\"checkbox\" value=\"%s\"%s> <span class=\"chip %s\">%s</span>"
            "</label>\n",
            severity_name((enum severity)severity), severity > SEVERITY_ADVICE ? " checked" : "",
            severity_name((enum severity)severity), severity_name((enum severity)severity));
    if (silenced > 0)
        fputs("<label><input type=\"checkbox\" value=\"silenced\"> <span "
              "class=\"chip\">silenced</span></label>\n",
            out);
    fputs("<select aria-label=\"Group of rules\"><option value=\"\">every group</option>\n", out);
    for (size_t i = 0; i < rule_group_count; i++) {
        for (size_t k = 0; k < rule_groups[i]->count; k++) {
            const char *group = rule_groups[i]->rules[k].group;

            if (k == 0 || !text_equal(group, rule_groups[i]->rules[k - 1].group))
                fprintf(out, "<option>%s</option>\n", group);
        }
    }
    fprintf(out,
        "</select>\n<input type=\"search\" placeholder=\"table, rule, file …\" "
        "aria-label=\"Text\">\n<button type=\"button\" hidden></button>\n<span class=\"shown\" "
        "role=\"status\">%zu rules</span>\n</form>\n",
        blocks->count);
}

void
page_findings(const struct page *page)
{
    struct render_blocks blocks = render_group(page->arena, &page->report->render, true);
    size_t room = MOST_FINDINGS;

    fputs("<h2 id=\"findings\">Findings</h2>\n", page->out);
    if (blocks.count == 0) {
        fputs("<p class=\"caption\">None.</p>\n", page->out);
        return;
    }
    put_filters(page, &blocks);
    for (size_t i = 0; i < blocks.count; i++) {
        size_t shown = blocks.items[i].count < room ? blocks.items[i].count : room;

        put_block(page, &blocks.items[i], shown);
        room -= shown;
    }
}
