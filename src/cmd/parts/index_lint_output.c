#include "cmd/parts/index_lint_output.h"

#include "base/file.h"
#include "cli/out.h"
#include "finding/render.h"

const char *const index_lint_formats[] = {
    [INDEX_LINT_TEXT] = "text",
    [INDEX_LINT_JSON] = "json",
    [INDEX_LINT_SARIF] = "sarif",
    [INDEX_LINT_GITHUB] = "github",
    [INDEX_LINT_MARKDOWN] = "markdown",
    NULL,
};

static const struct suffix {
    const char *text;
    enum index_lint_format format;
} suffixes[] = {
    { ".json", INDEX_LINT_JSON },
    { ".sarif", INDEX_LINT_SARIF },
    { ".md", INDEX_LINT_MARKDOWN },
    { ".markdown", INDEX_LINT_MARKDOWN },
    { ".txt", INDEX_LINT_TEXT },
};

bool
index_lint_format(
    struct ctx *ctx, const char *asked, bool json, const char *path, enum index_lint_format *ret)
{
    *ret = json ? INDEX_LINT_JSON : INDEX_LINT_TEXT;
    for (int i = 0; asked && i < INDEX_LINT_FORMAT_COUNT; i++)
        if (text_equal(asked, index_lint_formats[i]))
            *ret = (enum index_lint_format)i;
    if (json && *ret != INDEX_LINT_JSON)
        return error_set(ctx, ERR_USAGE, "--json and --format %s were both given", asked);
    if (asked || json || !path)
        return true;
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        if (text_ends_with(path, suffixes[i].text)) {
            *ret = suffixes[i].format;
            return true;
        }
    }
    error_set(ctx, ERR_USAGE, "the suffix of \"%s\" does not say in which format to write", path);
    return error_hint(ctx, "Give it .json, .sarif, .md or .txt, or say --format.");
}

/* The script's lines; findings are read in rising order, so the last place is remembered. */
struct lines {
    const struct lint_script *script;
    uint32_t line;
    size_t offset;
};

static const char *
line_of(void *self, const char *file, uint32_t line, size_t *ret_length)
{
    struct lines *lines = self;
    const char *text = lines->script->text;

    if (!text_equal(file, lines->script->file) || line == 0)
        return NULL;
    if (lines->line == 0 || line < lines->line) {
        lines->line = 1;
        lines->offset = 0;
    }
    for (; lines->line < line; lines->line++) {
        size_t length = strcspn(text + lines->offset, "\n");

        if (text[lines->offset + length] == '\0')
            return NULL;
        lines->offset += length + 1;
    }
    *ret_length = strcspn(text + lines->offset, "\n");
    return text + lines->offset;
}

static size_t
rank_of(void *self, const struct rule *rule)
{
    (void)self;
    return lint_rule_rank(rule);
}

/* Those that nothing gains by are a number, unless every line is wanted. */
static void
print_gains(struct ctx *ctx, FILE *out, const struct lint *lint, bool is_verbose)
{
    size_t without = 0;

    if (!lint->way)
        return;
    fprintf(out, "By the workload (%zu %s planned by %s):\n\n", lint->query_count,
        lint->query_count == 1 ? "statement" : "statements", lint->way);
    for (size_t i = 0; i < lint->script.count; i++) {
        const struct lint_statement *statement = &lint->script.items[i];
        const struct lint_index *index = &lint->indexes[i];
        const char *gain = lint_gain_text(ctx->arena, index);

        if (!gain || statement->kind != LINT_INDEX)
            continue;
        without += index->is_measured && index->helped == 0;
        if (index->is_measured && index->helped == 0 && !is_verbose)
            continue;
        out_mark_line(out, index->helped > 0 ? MARK_OK : MARK_INFO, "%s (line %u): %s",
            render_clean(ctx->arena, statement->name ? statement->name : "an index"),
            statement->place.line, gain);
    }
    if (without > 0 && !is_verbose)
        out_mark_line(out, MARK_INFO, "%zu others: no statement gets cheaper", without);
    fputc('\n', out);
}

static void
print_text(
    struct ctx *ctx, FILE *out, const struct index_lint_page *page, const struct render *render)
{
    const struct lint *lint = page->lint;

    fprintf(out, "%s: %zu statements, %zu of them create an index; checked against %s\n\n",
        render_clean(ctx->arena, render_path(lint->script.file)), lint->script.count,
        lint->index_count, page->against);
    for (size_t i = 0; i < lint->notes.count; i++)
        out_mark_line(out, MARK_WARN, "%s", render_clean(ctx->arena, lint->notes.items[i]));
    if (lint->notes.count > 0)
        fputc('\n', out);
    print_gains(ctx, out, lint, page->is_verbose);
    render_text(out, render);
}

void
index_lint_write(
    struct ctx *ctx, FILE *out, enum index_lint_format format, const struct index_lint_page *page)
{
    struct lines lines = { .script = &page->lint->script };
    const struct render render = {
        .findings = &page->lint->findings,
        .subject = arena_printf(ctx->arena, "%zu statement%s", page->lint->script.count,
            page->lint->script.count == 1 ? "" : "s"),
        .more = "--verbose shows each",
        .is_verbose = page->is_verbose,
        .line = line_of,
        .rank = rank_of,
        .self = &lines,
    };
    json_t *json CLEANUP(json_release) = NULL;

    switch (format) {
    case INDEX_LINT_TEXT:
        print_text(ctx, out, page, &render);
        break;
    case INDEX_LINT_JSON:
        json = lint_json(page->lint);
        json_object_set_new(json, "against", render_json_text(page->against));
        out_json(out, json);
        break;
    case INDEX_LINT_SARIF:
        render_sarif(out, &render);
        break;
    case INDEX_LINT_GITHUB:
        render_github(out, &render);
        break;
    case INDEX_LINT_MARKDOWN:
        render_markdown(out, &render);
        break;
    case INDEX_LINT_FORMAT_COUNT:
        break;
    }
}

bool
index_lint_write_file(struct ctx *ctx, const char *path, enum index_lint_format format,
    const struct index_lint_page *page)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    bool is_written;

    if (!out)
        return error_set_errno(ctx, "could not write \"%s\"", path);
    index_lint_write(ctx, out, format, page);
    fclose(out);
    is_written = file_write(ctx, path, text, length, 0644);
    free(text);
    return is_written;
}
