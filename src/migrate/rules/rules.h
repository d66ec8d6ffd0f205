/*
 * The rules: each group is a file rules_<group>.c with a table of struct rule and the checks that
 * use it. docs/rules.md is made from the tables.
 */
#pragma once

#include "migrate/history/history.h"
#include "migrate/model/replay.h"

/* Headings of the documentation; some checks ask a finding's rule for them. */
#define GROUP_GRAPH         "Graph"
#define GROUP_TRAPS         "Alembic's own traps"
#define GROUP_COVERAGE      "What cannot be known"
#define GROUP_REPLAY        "Replay"
#define GROUP_CONFLICTS     "Conflicts"
#define GROUP_DANGER        "Danger in production"
#define GROUP_DATA          "Data loss"
#define GROUP_STYLE         "Types and habits"
#define GROUP_CONSOLIDATION "Consolidation"

struct rule_group {
    const struct rule *rules;
    size_t count;
};

extern const struct rule_group rules_graph;
extern const struct rule_group rules_file;
extern const struct rule_group rules_replay;
extern const struct rule_group rules_conflict;
extern const struct rule_group rules_danger;
extern const struct rule_group rules_danger_index;
extern const struct rule_group rules_danger_constraint;
extern const struct rule_group rules_danger_column;
extern const struct rule_group rules_danger_change;
extern const struct rule_group rules_danger_rows;
extern const struct rule_group rules_data;
extern const struct rule_group rules_style;
extern const struct rule_group rules_consolidation;

/* Every rule, group by group, in the order of the documentation. */
extern const struct rule_group *const rule_groups[];
extern const size_t rule_group_count;

/* NULL if there is none. */
const struct rule *rule_find(const char *id);

/* Whether the rule stands under this heading. */
bool rule_is_in(const struct rule *rule, const char *group);

/* What the checks work on. */
struct check {
    struct ctx *ctx;
    const struct history *history;
    const struct graph *graph;
    const struct model *model; /* after the last revision; NULL before the replay */
    int server_major;
    struct findings *findings;
};

/* A finding about a revision: finding_add() with the revision's id as its context. */
struct finding *check_tell(const struct check *check, const struct rule *rule,
    const struct revision *revision, struct place place, const char *message);

/* What could become of the history: an estimate, nothing is changed. */
struct consolidation_group {
    const char *name;    /* "extensions and types", "tables: users, dialogs, … (12)" */
    size_t object_count; /* things it would create */
};

struct consolidation {
    size_t revisions;                       /* there are now */
    size_t goal;                            /* there could be; the same when nothing could go */
    size_t merges;                          /* of the ones that would go */
    size_t empty;                           /* that do nothing */
    size_t undone;                          /* whose every change a later one undoes */
    VEC(struct consolidation_group) groups; /* goal of them, in order */
    struct text_list blockers; /* what must be decided or mended first, "file:line: why" */
};

/* Groups that look at the history as a whole. */
bool check_graph(const struct check *check) MUST_CHECK; /* rules_graph.c */
bool check_files(const struct check *check) MUST_CHECK; /* rules_file.c: traps, coverage */
bool check_consolidation(const struct check *check, struct consolidation *ret)
    MUST_CHECK; /* rules_consolidation.c */

/* After the ignore comments were applied: those that silenced nothing, or name no rule. */
bool check_ignores(const struct check *check) MUST_CHECK; /* rules_file.c */

/* Groups that watch the replay; the watcher lives in the context's arena. */
struct replay_watcher watch_errors(const struct check *check);    /* rules_replay.c */
struct replay_watcher watch_conflicts(const struct check *check); /* rules_conflict.c */
struct replay_watcher watch_danger(const struct check *check);    /* rules_danger.c */
struct replay_watcher watch_style(const struct check *check);     /* rules_style.c: advice only */
struct replay_watcher watch_data(const struct check *check);      /* rules_data.c: data loss */

/* Whether the history can be applied from the start, as far as the files tell. */
struct replay_result {
    size_t failure_count;            /* statements that the server would certainly refuse */
    size_t doubt_count;              /* that it may refuse */
    const struct revision *revision; /* the first that fails, or NULL */
    struct place place;
    struct model_error error;
};

/*
 * Everything: graph, files, replay, consolidation; ignore comments applied, findings sorted.
 * ret_model is the schema after the last revision.
 */
struct analysis {
    struct history history;
    struct graph graph;
    struct model model;
    struct findings findings;
    struct consolidation consolidation;
    struct replay_result replay;
    int server_major;
};
enum { SERVER_MAJOR_STANDARD = 15 };
struct analysis_options {
    int server_major; /* 0: the standard one */
    unsigned jobs;
    const char *since;             /* findings only for revisions after this one; or NULL */
    const struct text_list *files; /* findings only for these files; or NULL */
    const struct text_list *rules; /* findings only of these rules; or NULL */
    const struct text_list *without_rules;
    const struct history_progress *progress;
};
bool analysis_run(struct ctx *ctx, const struct environment *environment,
    const struct analysis_options *options, struct analysis *ret) MUST_CHECK;
