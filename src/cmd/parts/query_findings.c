#include "cmd/parts/query_findings.h"

#include <inttypes.h>

#include "cli/out.h"
#include "finding/render.h"
#include "monitor/plain.h"

enum { LONGEST_LINE = 300, MOST_SHOWN = 30 };

/* A statement in one line; what is longer is cut where it is shown. */
static const char *
one_line(struct arena *arena, const char *text)
{
    size_t length = text ? strnlen(text, LONGEST_LINE) : 0;
    char *line = arena_strndup(arena, text ? text : "", length);
    bool is_cut = text && text[length] != '\0';
    char *to = line;

    for (const char *from = line; *from; from++) {
        bool is_blank = *from == ' ' || *from == '\n' || *from == '\t' || *from == '\r';

        if (!is_blank)
            *to++ = *from;
        else if (to > line && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = '\0';
    /* Not in the middle of a character. */
    while (is_cut && to > line && !text_is_utf8(line))
        *--to = '\0';
    return is_cut ? arena_printf(arena, "%s…", line) : line;
}

static const char *
title_of(struct arena *arena, const struct query_finding *finding)
{
    switch (finding->kind) {
    case FOUND_N_PLUS_ONE:
        return finding->child_count > 1
                   ? arena_printf(arena, "N+1, %zu statements a row", finding->child_count)
                   : "N+1";
    case FOUND_LOOP:
        return "loop without a parent";
    case FOUND_DUPLICATE:
        return "the same again";
    case FOUND_SUSPECT:
        return "suspected N+1";
    case QUERY_FINDING_KIND_COUNT:
        break;
    }
    return "";
}

static enum out_mark
mark_of(const struct query_finding *finding)
{
    if (finding->kind == FOUND_N_PLUS_ONE && finding->confidence >= 0.7)
        return MARK_FAIL;
    return finding->kind == FOUND_SUSPECT || finding->confidence < 0.5 ? MARK_INFO : MARK_WARN;
}

static const char *
statement_text(struct arena *arena, const char *template, const char *sql)
{
    return plain_text(arena, one_line(arena, sql ? sql : template));
}

static void
print_times(struct arena *arena, FILE *out, const struct query_finding *finding)
{
    if (finding->wasted_request_us < 0) {
        fprintf(out, "        time      not known (no durations in the source)\n");
        return;
    }
    fprintf(out, "        time      %s a request beyond one round",
        text_from_us(arena, (int64_t)finding->wasted_request_us));
    if (finding->wasted_day_us >= 0)
        fprintf(
            out, ", %s a day at this rate", text_from_us(arena, (int64_t)finding->wasted_day_us));
    if (finding->share >= 0)
        fprintf(out, ", %.1f %% of all", 100 * finding->share);
    fputc('\n', out);
}

static void
print_routes(struct arena *arena, FILE *out, const struct query_finding *finding)
{
    if (finding->route_count > 0)
        fprintf(out, "        routes    ");
    for (size_t i = 0; i < finding->route_count; i++)
        fprintf(out, "%s%s", i > 0 ? ", " : "", plain_text(arena, finding->routes[i]));
    if (finding->route_count > 0)
        fputc('\n', out);
    if (!text_is_empty(finding->application))
        fprintf(out, "        from      %s\n", plain_text(arena, finding->application));
}

static void
print_example(struct arena *arena, FILE *out, const struct query_finding *finding)
{
    const struct query_example *example = finding->examples;

    if (finding->example_count == 0)
        return;
    fprintf(out, "        example   %" PRId32 " times", example->repeats);
    if (example->source)
        fprintf(out, ", %s", plain_text(arena, example->source));
    if (example->line > 0)
        fprintf(out, ", line %" PRIu64, example->line);
    if (example->child_sql)
        fprintf(out, ": %s", plain_text(arena, one_line(arena, example->child_sql)));
    fputc('\n', out);
}

static void
print_finding(struct arena *arena, FILE *out, const struct query_finding *finding)
{
    out_mark_line(
        out, mark_of(finding), "%s  %s", plain_text(arena, finding->id), title_of(arena, finding));
    if (finding->has_parent) {
        fprintf(out, "        parent    %s\n", statement_text(arena, finding->parent.text, NULL));
        if (finding->parent.key_name)
            fprintf(out, "        key       %s\n", plain_text(arena, finding->parent.key_name));
    }
    for (size_t i = 0; i < finding->child_count; i++)
        fprintf(out, "        %s %s\n", i == 0 ? "repeated " : "     and ",
            statement_text(arena, finding->children[i].text, NULL));
    fprintf(out,
        "        repeats   %" PRId64 " (median), %" PRId64 " (p95), %" PRId64 " to %" PRId64
        "; seen %" PRId64 " time%s\n",
        finding->repeats_median, finding->repeats_p95, finding->repeats_min, finding->repeats_max,
        finding->requests, finding->requests == 1 ? "" : "s");
    print_times(arena, out, finding);
    print_routes(arena, out, finding);
    print_example(arena, out, finding);
    fprintf(out, "        sure      %.0f %%: %s\n\n", 100 * finding->confidence,
        plain_text(arena, finding->why ? finding->why : ""));
}

static void
print_looked_at(struct arena *arena, FILE *out, const struct query_findings *findings,
    const struct query_findings_screen *screen)
{
    fprintf(out, "Looked at %s statements of %s sessions, %s requests",
        text_from_count(arena, findings->statements), text_from_count(arena, findings->sessions),
        text_from_count(arena, findings->requests));
    if (findings->span_us > 0)
        fprintf(out, " in %s", text_from_us(arena, findings->span_us));
    fprintf(out, "; lost: %s, not understood: %s.\n", text_from_count(arena, findings->lost),
        text_from_count(arena, findings->unknown));
    if (screen->more)
        fprintf(out, "%s\n", screen->more);
}

static const struct query_finding *
first_rewritable(const struct query_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].kind == FOUND_N_PLUS_ONE &&
            text_equal(findings->items[i].statement_kind, "read"))
            return &findings->items[i];
    return NULL;
}

static void
print_text(struct arena *arena, FILE *out, const struct query_findings *findings,
    const struct query_findings_screen *screen)
{
    bool is_live = text_equal(findings->source, "statements");
    const struct query_finding *rewritable = first_rewritable(findings);

    for (size_t i = 0; i < findings->count && i < MOST_SHOWN; i++)
        print_finding(arena, out, &findings->items[i]);
    if (findings->count > MOST_SHOWN)
        fprintf(out, "… and %zu more (--json has all)\n\n", findings->count - MOST_SHOWN);
    if (findings->count == 0 && findings->statements == 0)
        out_mark_line(out, MARK_WARN, "no statement was seen");
    else if (findings->count == 0 && screen->is_partial)
        out_mark_line(out, MARK_WARN,
            "no statement was repeated in a request, of those that could be understood");
    else if (findings->count == 0)
        out_mark_line(out, MARK_OK, "no statement was repeated in a request");
    if (is_live)
        fprintf(out, "%s\n", screen->more ? screen->more : "");
    else
        print_looked_at(arena, out, findings, screen);
    if (rewritable && screen->file)
        out_next(
            out, "pgmend queries rewrite %s %s", text_shell(arena, screen->file), rewritable->id);
    else if (screen->next)
        out_next(out, "%s", screen->next);
    else if (rewritable)
        out_next(out, "the same with --output FINDINGS.json, then pgmend queries rewrite");
}

bool
query_findings_show(struct ctx *ctx, const struct run *run, const struct query_findings *findings,
    const struct query_findings_screen *screen)
{
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = query_findings_json(findings);

        out_json(run->out, json);
        return true;
    }
    print_text(ctx->arena, run->out, findings, screen);
    return true;
}

void
query_findings_print_github(struct arena *arena, FILE *out, const struct query_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct query_finding *finding = &findings->items[i];
        const char *route = finding->route_count > 0 ? finding->routes[0] : NULL;
        const char *text = arena_printf(arena, "%s%s%s: %" PRId64 " times a request: %s",
            title_of(arena, finding), route ? " of " : "", route ? route : "",
            finding->repeats_median, one_line(arena, finding->children[0].text));

        fprintf(out, "::%s title=pgmend queries nplusone ",
            mark_of(finding) == MARK_INFO ? "notice" : "warning");
        render_github_text(out, plain_text(arena, finding->id), true);
        fputs("::", out);
        render_github_text(out, plain_text(arena, text), false);
        fputc('\n', out);
    }
}

bool
query_findings_write(struct ctx *ctx, const char *path, const struct query_findings *findings)
{
    json_t *json CLEANUP(json_release) = query_findings_json(findings);

    return json_write_file(ctx, path, json);
}
