/* The trace as a page: what ran, then the findings as the analysis shows its own. */
#include "migrate/report/report_page.h"
#include "migrate/trace/trace.h"
#include "web.h"

static const char *
result_of(const struct trace_revision *revision)
{
    if (revision->is_failed)
        return revision->is_skipped ? "failed, skipped" : "failed";
    switch (revision->downgrade.result) {
    case TRACE_DOWNGRADE_NOT_TRIED:
        return NULL;
    case TRACE_DOWNGRADE_BACK:
        return "downgrade ok";
    case TRACE_DOWNGRADE_DIFFERS:
        return "downgrade differs";
    case TRACE_DOWNGRADE_NONE:
        return "no downgrade";
    case TRACE_DOWNGRADE_FAILS:
        return "downgrade fails";
    }
    return NULL;
}

static const char *
class_of(const struct trace_revision *revision)
{
    if (revision->is_failed)
        return "error";
    return revision->downgrade.result == TRACE_DOWNGRADE_DIFFERS ||
                   revision->downgrade.result == TRACE_DOWNGRADE_FAILS
               ? "warning"
               : "";
}

static void
put_fact(const struct page *page, const char *text)
{
    fputs("<li>", page->out);
    markup_text(page->out, text);
    fputs("</li>\n", page->out);
}

static const char *
wait_text(struct arena *arena, const char *who, const struct trace_wait *wait)
{
    if (wait->kind == TRACE_WAIT_NONE)
        return "";
    return arena_printf(arena, "; a %s %s %s%s%s", who,
        wait->kind == TRACE_WAIT_MEASURED ? "waited" : "would wait", text_from_us(arena, wait->us),
        wait->error ? " and then got: " : "", wait->error ? wait->error : "");
}

static void
put_facts(const struct page *page, const struct trace_revision *revision)
{
    struct arena *arena = page->arena;

    for (size_t i = 0; i < revision->locks.count; i++) {
        const struct trace_lock *lock = &revision->locks.items[i];

        put_fact(page, arena_printf(arena, "%s on %s for %s%s%s%s", lock_mode_name(lock->mode),
                           trace_label(arena, &lock->relation), text_from_us(arena, lock->held_us),
                           lock->is_seen ? ", seen from outside" : "",
                           wait_text(arena, "reader", &lock->reader),
                           wait_text(arena, "writer", &lock->writer)));
    }
    for (size_t i = 0; i < revision->rewrites.count; i++)
        put_fact(page, arena_printf(arena, "%s %s",
                           revision->rewrites.items[i].is_truncate ? "emptied" : "rewrote",
                           trace_label(arena, &revision->rewrites.items[i].relation)));
    for (size_t i = 0; i < revision->indexes.count; i++)
        put_fact(
            page, arena_printf(arena, "index %s on %s %s",
                      trace_label(arena, &revision->indexes.items[i].index),
                      revision->indexes.items[i].table ? revision->indexes.items[i].table : "?",
                      revision->indexes.items[i].is_rebuilt ? "built again" : "built"));
    for (size_t i = 0; i < revision->rows.count; i++) {
        const struct trace_rows *rows = &revision->rows.items[i];

        put_fact(
            page, arena_printf(arena, "%s: %s rows read, %s inserted, %s updated, %s deleted",
                      trace_label(arena, &rows->table), text_from_count(arena, rows->read),
                      text_from_count(arena, rows->inserted), text_from_count(arena, rows->updated),
                      text_from_count(arena, rows->deleted)));
    }
    for (size_t i = 0; i < revision->changes.count; i++)
        put_fact(page, revision->changes.items[i]);
}

static void
put_revision(const struct page *page, const struct trace_revision *revision)
{
    struct arena *arena = page->arena;
    const struct trace_lock *lock = trace_worst_lock(revision);
    const char *result = result_of(revision);
    FILE *out = page->out;

    fputs("<details>\n<summary><strong>", out);
    markup_text(out, revision->revision->id);
    fputs("</strong> ", out);
    if (result)
        fprintf(out, "<span class=\"chip %s\">%s</span> ", class_of(revision), result);
    fprintf(out, "%zu statement%s, %s, WAL %s", revision->statements.count,
        revision->statements.count == 1 ? "" : "s", text_from_us(arena, revision->server_us),
        text_from_bytes(arena, revision->wal_bytes));
    if (lock) {
        fprintf(out, "; %s on ", lock_mode_name(lock->mode));
        markup_text(out, trace_label(arena, &lock->relation));
        fprintf(out, " for %s", text_from_us(arena, lock->held_us));
    }
    fputs("</summary>\n", out);
    if (revision->statements.count > 0)
        fputs("<pre>", out);
    for (size_t i = 0; i < revision->statements.count; i++) {
        fprintf(out, "<span class=\"number\">%9s</span>  ",
            text_from_us(arena, revision->statements.items[i].us));
        markup_text(out, revision->statements.items[i].sql);
        fputc('\n', out);
    }
    fputs(revision->statements.count > 0 ? "</pre>\n<ul class=\"facts caption\">\n"
                                         : "<ul class=\"facts caption\">\n",
        out);
    put_facts(page, revision);
    fputs("</ul>\n</details>\n", out);
}

static void
put_body(const struct page *page, const struct trace *trace)
{
    fputs("<header>\n<p class=\"brand\">pgmend migrations trace</p>\n<h1>", page->out);
    fprintf(page->out, "%zu of %zu revisions", trace->revisions.count, trace->wanted);
    fputs("</h1>\n<p class=\"lead\">run by Alembic ", page->out);
    markup_text(page->out, trace->alembic_version);
    fprintf(page->out, " on PostgreSQL %s, %s", trace->server_version,
        trace->copy ? "on a copy of " : "on an empty database");
    if (trace->copy)
        markup_text(page->out, trace->copy);
    fputs("</p>\n</header>\n<main>\n<h2>Revisions</h2>\n<section class=\"card\">\n", page->out);
    for (size_t i = 0; i < trace->revisions.count; i++)
        put_revision(page, &trace->revisions.items[i]);
    fputs("</section>\n", page->out);
    page_findings(page);
    fputs("</main>\n<footer>Made by pgmend " PGMEND_VERSION
          ". This page is one file and loads nothing.</footer>\n",
        page->out);
}

void
trace_html(struct ctx *ctx, FILE *out, const struct trace *trace, const struct report *report)
{
    struct page page = { .arena = ctx->arena, .report = report };
    char *body = NULL;
    size_t length = 0;

    page.out = open_memstream(&body, &length);
    put_body(&page, trace);
    fclose(page.out);

    const struct markup_slot slots[] = {
        { "{{title}}", "trace" },
        { "{{style_hash}}", web_migrations_page_css_hash },
        { "{{style}}", web_migrations_page_css },
        { "{{script_hash}}", web_migrations_page_js_hash },
        { "{{script}}", web_migrations_page_js },
        { "{{body}}", body },
    };

    markup_fill(out, web_migrations_page_html, slots, COUNT_OF(slots));
    free(body);
}
