/* Findings for people and for other programs. Whatever a finding quotes is somebody else's text. */
#pragma once

#include <stdio.h>

#include "base/json.h"
#include "finding/finding.h"

struct render {
    const struct findings *findings; /* sorted */
    const char *subject;             /* "45 revisions": what was looked at */
    const char *more;                /* how to see what is left out: "--verbose shows all" */
    bool is_verbose;                 /* text only */

    /* The line of a file without its newline, not NUL-terminated; NULL: not known. May be NULL. */
    const char *(*line)(void *self, const char *file, uint32_t line, size_t *ret_length);
    /* The order of rules of the same severity: what to read first. NULL: by id. */
    size_t (*rank)(void *self, const struct rule *rule);
    void *self;
};

/* Rule by rule, worst first, with the lines of code; advice only counted unless verbose. */
void render_text(FILE *out, const struct render *render);

/* For a comment on a pull request. */
void render_markdown(FILE *out, const struct render *render);

/* Workflow commands that GitHub shows beside the lines. */
void render_github(FILE *out, const struct render *render);
/* Anybody's text within such a command; a property also ends at a comma or colon. */
void render_github_text(FILE *out, const char *text, bool is_property);

/* SARIF 2.1.0, an OASIS standard. */
void render_sarif(FILE *out, const struct render *render);

/* "12 errors, 30 warnings, 60 advice in 45 revisions; 3 silenced", in the arena. */
const char *render_summary(struct arena *arena, const struct render *render);

/* { "advice": n, "warning": n, "error": n, "silenced": n }. Caller owns it. */
json_t *render_json_counts(const struct findings *findings);

/* One finding as docs/migrations.md describes it. Caller owns it. */
json_t *render_json_finding(const struct finding *finding);

/* Text that may not be UTF-8: what is not becomes U+FFFD; NULL becomes null. Caller owns it. */
json_t *render_json_text(const char *text);

/*
 * One rule after another, worst first, in each the findings by place. With silenced ones only when
 * asked for.
 */
struct render_block {
    const struct rule *rule;
    enum severity severity;
    const struct finding *const *items;
    size_t count;
};
struct render_blocks {
    struct render_block *items;
    size_t count;
    size_t capacity;
};
struct render_blocks render_group(
    struct arena *arena, const struct render *render, bool with_silenced);

/* The file's path as it is from the working folder, without "./": the rest of the same text. */
const char *render_path(const char *file);

/* One line without control characters, which could speak to the terminal. In the arena. */
const char *render_clean(struct arena *arena, const char *text);

/* The line of code at a place, without its indent, cut to width (at least 20). */
struct render_code {
    const char *text;  /* NULL: not known */
    size_t mark_start; /* columns of the terminal before what is meant, */
    size_t mark_width; /* and its own; 0: not known */
};
struct render_code render_code(
    struct arena *arena, const struct render *render, const struct place *place, size_t width);
