/*
 * What is wrong: rule, severity, place, what was seen, what to do instead. Every analyser returns
 * findings; render.h prints them.
 */
#pragma once

#include "base/ctx.h"
#include "base/text.h"
#include "base/vec.h"

#define SEVERITIES(X)              \
    X(SEVERITY_ADVICE, "advice")   \
    X(SEVERITY_WARNING, "warning") \
    X(SEVERITY_ERROR, "error")

#define SEVERITY_ENUM(name, text) name,
enum severity { SEVERITIES(SEVERITY_ENUM) SEVERITY_COUNT };
#undef SEVERITY_ENUM

const char *severity_name(enum severity severity);

/* A row of a rule table. The texts are Markdown without markup but `code`. */
struct rule {
    const char *id; /* "index-not-concurrent": lower case, hyphens; never changed once released */
    const char *group; /* a heading: "Graph", "Danger in production", … */
    enum severity severity;
    const char *summary; /* one line, lower case, no full stop */
    const char *why;     /* sentences: what happens */
    const char *instead; /* sentences or code: what to do instead */
    const char *fires;   /* the smallest code on which it fires, for the docs; tests run it */
    const char *passes;  /* the same thing done well: it does not fire */
};

/* A place in a text. Lines and columns count from 1; line 0: the whole file. */
struct place {
    const char *file; /* as the user named its folder; NULL: no file */
    uint32_t line;
    uint32_t column; /* 0: unknown */
    uint32_t end_line;
};

/* A fact behind a finding: { "sqlstate", "42P07" }. */
struct evidence {
    const char *name;
    const char *value;
};

struct related {
    struct place place;
    const char *what; /* "created here" */
};

struct finding {
    const struct rule *rule;
    enum severity severity; /* usually the rule's */
    struct place place;
    const char *context;  /* the revision, plan step or server it is about, or NULL */
    const char *object;   /* "users.email", or NULL */
    const char *message;  /* one sentence about this very case, no full stop */
    const char *instead;  /* advice for this very case, or NULL: the rule's */
    const char *silenced; /* why it does not count: the comment that ignores it; or NULL */
    VEC(struct evidence) evidence;
    VEC(struct related) related;
};

struct findings {
    struct arena *arena;
    struct finding *items;
    size_t count;
    size_t capacity;
};

/*
 * Appends a finding with the rule's severity and message "printf" text; the returned one may be
 * completed until the next is added.
 */
struct finding *finding_add(struct findings *findings, const struct rule *rule, struct place place,
    const char *format, ...) PRINTF_LIKE(4, 5);

void finding_evidence(
    struct findings *findings, struct finding *finding, const char *name, const char *value);
void finding_related(
    struct findings *findings, struct finding *finding, struct place place, const char *what);

/* Findings at least this severe that no comment silences. */
size_t findings_count(const struct findings *findings, enum severity least);

/* By file, line, column, severity (worst first), rule. */
void findings_sort(struct findings *findings);
