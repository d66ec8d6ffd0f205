/*
 * A script of CREATE INDEX statements judged before it runs: against a database that is only read, or a
 * schema in a server of our own.
 */
#pragma once

#include "base/json.h"
#include "change/shadow.h"
#include "index/facts/facts.h"
#include "index/intake/intake.h"
#include "index/lint/form.h"
#include "index/lint/rules.h"
#include "index/lint/statement.h"
#include "index/whatif/whatif.h"

struct lint_options {
    bool has_rows;                 /* a database that is used: rules about rows speak */
    bool check_data;               /* UNIQUE is asked of the rows themselves */
    const struct intake *workload; /* or NULL */
    enum whatif_way way;
    const char *bin_folder;
    size_t most_queries;                   /* of the workload, the heaviest; 0: 500 */
    const struct text_list *rules;         /* findings only of these; NULL: all */
    const struct text_list *without_rules; /* or NULL */
};

/* What was said of a statement, for who corrects it. */
struct lint_told {
    enum lint_rule rule;
    const char *message;
    const char *instead; /* of this case, or NULL */
};

/* What the database says of a statement that creates an index. */
struct lint_index {
    struct sql_catalog_table relation;
    bool is_found;
    const struct fact_table *table; /* NULL: not known */
    bool is_tried;
    struct trial trial;
    struct lint_form form;   /* in the server's words; as written, when it was not tried */
    bool is_out;             /* it will not be there after the script, whatever else */
    bool is_doubtful;        /* it may not stay: what it covers is to be kept */
    const char *fit_class;   /* operator class that the queries need, or NULL */
    int64_t fit_lists;       /* or 0 */
    const char *wide_column; /* in INCLUDE, or NULL */
    bool
        is_partial_twin; /* smaller than the unique index it repeats: only a workload can judge it */
    bool is_unchecked;   /* the script makes what it needs */
    bool is_needed;      /* beside the indexes, and one of them depends on it: it stays */
    const char *kept_for; /* the wide index of the script that goes in its place, or NULL */
    size_t cover;         /* 1 + position of the statement that makes it needless; 0: none */
    VEC(struct lint_told) told;

    /* By the workload. */
    const char *unmeasured; /* why not, or NULL */
    bool is_measured;
    size_t helped;      /* statements that get cheaper */
    double share;       /* of the workload's time that those are */
    double saved;       /* share of the workload's time that the planner promises */
    double best_before; /* planner cost of the statement that gains most */
    double best_after;
    const char *best_query;
};

struct lint {
    struct lint_script script;
    struct lint_index *indexes; /* by the position of the statement */
    struct findings findings;
    struct facts facts;
    struct sql_index_lint_names_rows names;
    struct sql_index_lint_classes_rows classes;
    struct text_list notes; /* sentences: what was not checked, and why */
    const char *way;        /* how costs were asked, or NULL */
    size_t index_count;
    size_t query_count; /* of the workload that were planned */
    size_t unplanned;   /* that could not be */
};

/*
 * script: read by lint_script_read(). Nothing is changed: statements are tried in a transaction that is
 * rolled back. Where the role may not do that, it is noted and the rest is checked.
 */
bool lint_run(struct ctx *ctx, struct db *db, const struct lint_script *script,
    const struct lint_options *options, struct lint *ret) MUST_CHECK;

/* The caller owns it. */
json_t *lint_json(const struct lint *lint);

/*
 * "helps 3 statements, 12 % of the workload, cost 1,200 → 8", or why nothing is known; NULL: not asked. In the
 * arena.
 */
const char *lint_gain_text(struct arena *arena, const struct lint_index *index);

/* The script with each fault mended, or made a comment with its reason; other text stays as it was. */
const char *lint_corrected(struct ctx *ctx, const struct lint *lint);
