/*
 * Any bytes as text that findings quote: every form can be printed, SARIF is JSON, and a workflow command of
 * GitHub stays one line, so that nobody's code can give commands of its own.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "finding/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rule rule = { .id = "x-y",
    .group = "Group",
    .severity = SEVERITY_ERROR,
    .summary = "summary",
    .why = "Why.",
    .instead = "instead" };

/* Prints in one of the forms; the text is in the arena. */
static const char *
print(struct arena *arena, void (*form)(FILE *, const struct render *), const struct render *render)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    const char *kept;

    assert(out);
    form(out, render);
    (void)fclose(out);
    kept = arena_strndup(arena, text, length);
    free(text);
    return kept;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const char *text = arena_strndup(arena, (const char *)data, size);
    struct findings findings = { .arena = arena };
    struct render render = { .findings = &findings, .subject = "1 file", .is_verbose = true };
    json_t *json CLEANUP(json_release) = NULL;
    const char *github;
    struct finding *finding;
    size_t lines = 0;
    bool is_json;

    finding = finding_add(
        &findings, &rule, (struct place){ .file = text, .line = 3, .column = 2 }, "%s", text);
    finding->object = finding->context = text;
    finding_evidence(&findings, finding, "quoted", text);
    finding_related(&findings, finding, (struct place){ .file = text, .line = 1 }, text);
    is_json = json_parse(&ctx, "sarif", print(arena, render_sarif, &render), &json);
    assert(is_json);
    github = print(arena, render_github, &render);
    for (const char *at = github; (at = strchr(at, '\n')); at++)
        lines++;
    assert(lines <= 2 && !strchr(github, '\r'));
    (void)print(arena, render_text, &render);
    (void)print(arena, render_markdown, &render);
    json_decref(render_json_finding(finding));
    return 0;
}
