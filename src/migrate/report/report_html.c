#include "migrate/report/report_page.h"
#include "web.h"

void
page_place(const struct page *page, const struct place *place)
{
    if (!place->file)
        return;
    markup_text(page->out, render_path(place->file));
    if (place->line > 0)
        fprintf(page->out, ":%u", place->line);
}

void
page_chips(const struct page *page, size_t revision)
{
    for (int severity = SEVERITY_COUNT - 1; severity > SEVERITY_ADVICE; severity--)
        if (page->counts[revision][severity] > 0)
            fprintf(page->out, "<span class=\"chip %s\" title=\"%s\">%zu</span>",
                severity_name((enum severity)severity), severity_name((enum severity)severity),
                page->counts[revision][severity]);
}

struct card {
    const char *kind; /* a class that colours the figure */
    const char *figure;
    const char *name;
    const char *more;
};

static void
put_card(const struct page *page, const struct card *card)
{
    fprintf(page->out,
        "<div class=\"card\"><span class=\"figure %s\">%s</span><span class=\"name\">%s</span>"
        "<span class=\"more\">",
        card->kind, card->figure, card->name);
    markup_text(page->out, card->more);
    fputs("</span></div>\n", page->out);
}

static struct card
replay_card(const struct page *page)
{
    const struct replay_result *replay = &page->report->analysis->replay;
    const char *answer = report_replay_answer(page->report);
    struct card card = { "", answer, "replays from empty", "as far as the files tell" };

    if (strcmp(answer, "no") == 0) {
        card.kind = "error";
        card.more = replay->revision ? arena_printf(page->arena, "%s: %s", replay->error.sqlstate,
                                           replay->error.message)
                                     : "Alembic cannot load the history";
    } else if (strcmp(answer, "yes") == 0) {
        card.kind = "good";
    }
    return card;
}

static void
put_cards(const struct page *page)
{
    const struct report *report = page->report;
    const struct analysis *analysis = report->analysis;
    const struct findings *findings = &analysis->findings;
    struct arena *arena = page->arena;
    size_t errors = findings_count(findings, SEVERITY_ERROR);
    size_t warnings = findings_count(findings, SEVERITY_WARNING) - errors;
    size_t full = report->coverage[COVERAGE_FULL];
    size_t count = analysis->history.count;
    const struct card cards[] = {
        { "", text_from_count(arena, (int64_t)count), "revisions",
            arena_printf(arena, "%zu head%s, %zu base%s, %zu merge%s", analysis->graph.heads.count,
                analysis->graph.heads.count == 1 ? "" : "s", analysis->graph.bases.count,
                analysis->graph.bases.count == 1 ? "" : "s", report->merges,
                report->merges == 1 ? "" : "s") },
        { errors > 0 ? "error" : "good", text_from_count(arena, (int64_t)errors), "errors",
            arena_printf(arena, "%zu silenced",
                findings->count - findings_count(findings, SEVERITY_ADVICE)) },
        { warnings > 0 ? "warning" : "good", text_from_count(arena, (int64_t)warnings), "warnings",
            arena_printf(arena, "and %zu advice",
                findings_count(findings, SEVERITY_ADVICE) - errors - warnings) },
        replay_card(page),
        { full == count ? "good" : "warning",
            arena_printf(arena, "%zu %%", count > 0 ? full * 100 / count : 100),
            "understood in full",
            arena_printf(arena, "%zu in part, %zu not at all", report->coverage[COVERAGE_PARTIAL],
                report->coverage[COVERAGE_NONE]) },
        { "",
            arena_printf(arena, "%zu → %zu", analysis->consolidation.revisions,
                analysis->consolidation.goal),
            "after consolidation", "an estimate; nothing is changed" },
    };

    fputs("<section class=\"cards\" aria-label=\"Totals\">\n", page->out);
    for (size_t i = 0; i < COUNT_OF(cards); i++)
        put_card(page, &cards[i]);
    fputs("</section>\n", page->out);
}

static void
put_consolidation(const struct page *page)
{
    const struct consolidation *consolidation = &page->report->analysis->consolidation;
    FILE *out = page->out;

    if (consolidation->goal >= consolidation->revisions)
        return;
    fprintf(out,
        "<h2>Consolidation</h2>\n<p class=\"caption\">%zu revisions could become %zu: %zu merges, "
        "%zu empty ones and %zu whose changes a later one undoes would go.</p>\n"
        "<ol class=\"panel groups\">\n",
        consolidation->revisions, consolidation->goal, consolidation->merges, consolidation->empty,
        consolidation->undone);
    for (size_t i = 0; i < consolidation->groups.count; i++) {
        fputs("<li>", out);
        markup_text(out, consolidation->groups.items[i].name);
        fputs("</li>\n", out);
    }
    fputs("</ol>\n", out);
    if (consolidation->blockers.count == 0)
        return;
    fputs("<h4>To be decided first</h4>\n<ul class=\"facts\">\n", out);
    for (size_t i = 0; i < consolidation->blockers.count; i++) {
        fputs("<li>", out);
        markup_text(out, consolidation->blockers.items[i]);
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
}

static const char *
folder_of(struct arena *arena, const struct analysis *analysis)
{
    const struct environment *environment = &analysis->history.environment;

    return environment->locations.count > 0 ? text_list_join(arena, &environment->locations, ", ")
                                            : "";
}

static void
count_findings(struct page *page)
{
    const struct findings *findings = &page->report->analysis->findings;

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        const struct revision *revision =
            finding->place.file ? map_get(&page->report->by_file, finding->place.file) : NULL;

        if (revision && !finding->silenced)
            page->counts[revision->index][finding->severity]++;
    }
}

static void
put_body(const struct page *page)
{
    const struct analysis *analysis = page->report->analysis;
    const char *folder = folder_of(page->arena, analysis);

    fputs("<header>\n<p class=\"brand\">pgmend migrations</p>\n<h1>", page->out);
    markup_text(page->out, folder);
    fprintf(page->out,
        "</h1>\n<p class=\"lead\">read as files, nothing was run; dangers are those of PostgreSQL "
        "%d</p>\n</header>\n<main>\n",
        analysis->server_major);
    put_cards(page);
    page_history(page);
    page_findings(page);
    put_consolidation(page);
    fputs("</main>\n<footer>Made by pgmend " PGMEND_VERSION
          ". This page is one file and loads nothing.</footer>\n",
        page->out);
}

void
analysis_html(struct ctx *ctx, FILE *out, const struct report *report)
{
    struct page page = {
        .arena = ctx->arena,
        .report = report,
        .counts =
            arena_alloc(ctx->arena, (report->analysis->history.count + 1) * sizeof(*page.counts)),
    };
    char *body = NULL;
    char *title = NULL;
    size_t length = 0;
    FILE *title_out = open_memstream(&title, &length);

    markup_text(title_out, folder_of(ctx->arena, report->analysis));
    fclose(title_out);
    count_findings(&page);
    page.out = open_memstream(&body, &length);
    put_body(&page);
    fclose(page.out);

    const struct markup_slot slots[] = {
        { "{{title}}", title },
        { "{{style_hash}}", web_migrations_page_css_hash },
        { "{{style}}", web_migrations_page_css },
        { "{{script_hash}}", web_migrations_page_js_hash },
        { "{{script}}", web_migrations_page_js },
        { "{{body}}", body },
    };

    markup_fill(out, web_migrations_page_html, slots, COUNT_OF(slots));
    free(body);
    free(title);
}
