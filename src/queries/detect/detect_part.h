/*
 * What the files of this folder share. A session's open request is kept as steps; results of the
 * last statements are kept as hashes, so that a statement that comes again can be seen to take its
 * values out of one of them ("run.c"); what is over is judged ("judge.c", "cycle.c") and added up
 * ("tally.c").
 */
#pragma once

#include "queries/detect/detect.h"
#include "queries/detect/samples.h"

enum {
    MOST_SLOTS = 32,     /* of a statement that are looked at */
    MOST_CHILDREN = 8,   /* of a cycle */
    MOST_STEPS = 2048,   /* of an open request; beyond them what repeats is counted, not kept */
    MOST_RESULTS = 16,   /* that are kept for each session */
    MOST_RUNS = 48,      /* of statements that are followed at a time in each session */
    MOST_CANDIDATES = 32 /* places where a run's values may come from */
};

/* How a $n stands in its statement. */
enum slot_place {
    PLACE_OTHER,
    PLACE_EQUAL,  /* column = $1 */
    PLACE_RANGE,  /* column > $1 */
    PLACE_PAGE,   /* LIMIT $1, OFFSET $1 */
    PLACE_LIST,   /* IN ($1), = ANY ($1) */
    PLACE_VALUES, /* VALUES ($1), SET column = $1 */
};

struct slot_use {
    enum slot_place place;
    const char *column; /* that it is compared with; NULL: not seen */
};

/* What is known of a template, made once. */
struct known {
    const struct template *template;
    struct slot_use *slots;
    size_t slot_count;
    bool is_noise;    /* SELECT 1 */
    bool is_read;     /* SELECT */
    bool is_update;   /* or DELETE: a row at a time it is as bad as a SELECT */
    bool has_limit;   /* LIMIT or FETCH FIRST */
    int64_t executed; /* in the whole trace */
};

/* An executed statement. One piece of memory: step_free(). */
struct step {
    int32_t users;
    struct known *known;
    uint64_t all; /* hash of all values */
    uint64_t session;
    uint64_t line;
    uint64_t place; /* its number in the session */
    int64_t started_us;
    int64_t elapsed_us;
    int64_t rows;
    uint64_t changes;  /* of the session's settings before it */
    uint64_t run;      /* serial of the run that it belongs to; 0: none */
    bool has_columns;  /* its result was seen */
    bool is_explained; /* belongs to a finding */
    uint32_t count;    /* of values */
    uint32_t params;   /* of them were sent apart from the text */
    uint64_t *hashes;
    char **texts; /* NULL elements: not kept */
};

/* Values of one column of a result. */
struct result_column {
    char *name;
    uint64_t *hashes;
    uint64_t *seen; /* bits of the hashes that are there: most questions end here */
};

/* The result of a statement, kept while somebody points to it. */
struct answer {
    int32_t users;
    struct step *step;
    uint64_t changes;
    uint64_t gaps; /* of the session before it */
    size_t rows;   /* whose values are here */
    bool is_whole;
    size_t column_count;
    struct result_column *columns;
    size_t filter_mask;
    size_t bytes;
};

/* One place where the values of a run can come from. */
struct candidate {
    struct answer *result;
    uint16_t column;
    uint16_t slot;
    uint32_t first; /* row of the first value */
    uint32_t at;    /* of the last one */
    bool is_unordered;
    bool is_side; /* the slot did not vary at first: no run goes on for this alone */
};

/* A statement that comes again with values out of one result. */
struct run {
    struct known *known;
    uint64_t serial;
    struct step *first;
    struct step *last;
    uint64_t second_place;
    int64_t calls;
    int64_t elapsed_us;           /* -1: not known of one of them */
    int64_t rows;                 /* as well */
    uint32_t varying;             /* a bit for each slot */
    uint64_t changes;             /* of the settings between them */
    uint64_t gaps;                /* of the session before the last one */
    struct candidate *candidates; /* MOST_CANDIDATES of them, or NULL */
    size_t candidate_count;
};

/* A run that is over and whose values came from a result. */
struct group {
    struct known *known;
    struct answer *result;
    struct step *first;
    uint64_t serial;
    uint64_t second_place;
    uint64_t last_place;
    uint16_t column;
    uint16_t slot;
    uint32_t varying;
    uint32_t fits[MOST_SLOTS]; /* for each slot, a bit for each column that holds its values */
    int64_t calls;
    int64_t elapsed_us;
    int64_t rows;
    double coverage; /* share of the column's values between first and last that were taken */
    bool is_whole;   /* from the first value of the column to the last */
    bool is_unordered;
    bool changes_settings; /* between any two of them */
    bool is_slow;          /* too many pauses in it for one request */
    bool is_done;
};

/* Repeats that were counted and dropped from the steps. */
struct folded {
    size_t period; /* 0: none */
    size_t at;     /* index of the step that follows them */
    int64_t cycles;
    int64_t elapsed_us[MOST_CHILDREN];
    int64_t rows[MOST_CHILDREN];
};

struct session {
    uint64_t id;
    struct session *newer, *older;
    struct session *next; /* of the same slot of the table */
    uint64_t place;
    uint64_t transaction;
    uint64_t gaps;    /* pauses so far that may have ended a request */
    int64_t ended_us; /* of the last statement; 0: not known */
    uint64_t changes;
    bool is_explicit;  /* in a transaction that was begun */
    bool was_explicit; /* the open request began, or went on, in one */
    bool is_tagged;
    char *route;
    char *request;
    char *application;
    char *database;
    uint64_t serial;
    struct step **steps; /* malloc'ed, as runs and groups */
    size_t step_count;
    size_t step_capacity;
    struct folded folded;
    struct answer *results[MOST_RESULTS]; /* the newest first */
    size_t result_count;
    struct run *runs[MOST_RUNS];
    size_t run_count;
    struct group *groups;
    size_t group_count;
    size_t group_capacity;
};

/* What was seen in one request, to be added up. */
struct sighted_child {
    struct known *known;
    const struct step *first;
    enum slot_origin origins[MOST_SLOTS];
    int32_t columns[MOST_SLOTS];
    uint32_t fits[MOST_SLOTS]; /* SLOT_KEY: a bit for each column that may be the one */
    int64_t calls;
    int64_t elapsed_us;
    int64_t rows;
};

struct sighting {
    enum query_finding_kind kind;
    const struct answer *parent; /* NULL: none was seen */
    uint16_t column;
    struct sighted_child children[MOST_CHILDREN];
    size_t child_count;
    int64_t repeats;
    double trust; /* 0 … 1: how well the parent's values fit */
    bool is_soft; /* nothing but time tells requests apart here */
    bool is_nested;
    bool needs_parent; /* without one it is nothing */
    size_t period;
    const struct step *before[SAMPLE_BEFORE]; /* the statements before them, the nearest first */
    size_t before_count;
    const struct step *const *members; /* of a loop, for its keys */
    size_t member_count;
};

struct tally;

struct detect {
    struct arena *arena;
    struct detect_options options;
    struct session **table;
    size_t table_size;
    struct session *newest, *oldest;
    size_t session_count;
    size_t result_bytes;  /* of all sessions */
    struct known **known; /* by template's number */
    size_t known_size;
    struct tally *tally;
    int64_t statements;
    int64_t sessions;
    int64_t requests;
    int64_t unknown;
    int64_t total_us;
    int64_t first_us;
    int64_t last_us;
    int64_t span_us; /* that was told; 0: from the first to the last */
    bool has_columns;
    bool has_elapsed;
};

/* ---- known.c ---- */
struct known *known_find(struct detect *detect, const struct template *template);
/* Whether one of these varying slots makes it a page, a poll or a batch rather than a repetition. */
bool known_is_paging(const struct known *known, uint32_t varying);
/* By the names in both texts: which column of the parent's result the slot's values may be. */
bool known_guess_key(struct arena *arena, const struct known *parent, const struct known *child,
    size_t slot, const char **ret_name, int32_t *ret_column);
/* Whether a column of this name can be what the slot is compared with: id and post_id of posts. */
bool known_is_named(const struct known *known, size_t slot, const char *column);

/* ---- step.c ---- */
struct step *step_new(
    struct known *known, const struct traced_statement *statement, uint64_t place);
/* One more who has it, until his step_free(): none of them changes its values. */
struct step *step_use(const struct step *step);
void step_free(struct step *step);
/* A bit for each slot in which they differ. */
uint32_t step_differ(const struct step *a, const struct step *b);

/* ---- result.c ---- */
void results_take(struct detect *detect, struct session *session, const struct step *step,
    const struct traced_statement *statement);
void results_drop(struct detect *detect, struct session *session);
void result_leave(struct detect *detect, struct answer *result);
/* The first row from there on whose value it is; SIZE_MAX: none. */
size_t result_find(const struct answer *result, size_t column, uint64_t hash, size_t from);
/* ---- run.c ---- */
/* The step as one more of its statement's runs; sets step->run. */
void runs_take(struct detect *detect, struct session *session, struct step *step);
/* All that are open become groups. */
void runs_close(struct detect *detect, struct session *session);
/* Those that go on with a result's values stay open over a pause; their steps are theirs. */
void runs_keep(struct detect *detect, struct session *session);

/* ---- judge.c ---- */
/* What the request's groups and steps say. The request is empty afterwards. */
void judge_request(struct detect *detect, struct session *session);
/* The same at a pause, which may be one inside of a request: results stay, and runs out of them. */
void judge_pause(struct detect *detect, struct session *session);

/* ---- cycle.c ---- */
/* Loops and duplicates among the steps that no group explains. */
void judge_cycles(struct detect *detect, struct session *session);
/* Makes room among the steps of a request that has too many. */
void cycle_fold(struct detect *detect, struct session *session);
/* The same, if it repeats itself; false: nothing was done. */
bool cycle_shorten(struct detect *detect, struct session *session);

/* ---- tally.c ---- */
struct tally *detected_new(struct arena *arena);
void detected_add(
    struct detect *detect, const struct session *session, const struct sighting *sighting);
void detected_finish(struct detect *detect, struct query_findings *ret);
