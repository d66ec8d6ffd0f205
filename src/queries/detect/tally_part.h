/* What the files tally*.c share: kinds of findings while they are added up. */
#pragma once

#include "queries/detect/detect_part.h"

enum {
    MOST_ENTRIES = 4096, /* kinds of findings */
    MOST_ROUTES = 16,
    MOST_NAMES = 8,
    MOST_PARENTS = 12, /* statements that stood before a loop */
    MOST_EXAMPLES = 3,
    EXACT_REPEATS = 1024,
    COARSE_REPEATS = 512,
};

struct tallied_child {
    struct known *known;
    size_t slot_count;
    enum slot_origin origins[MOST_SLOTS];
    int32_t columns[MOST_SLOTS];
    uint32_t fits[MOST_SLOTS];   /* SLOT_KEY: columns that held the values in each request */
    uint64_t hashes[MOST_SLOTS]; /* of the first request */
    const char *texts[MOST_SLOTS];
    bool is_bound[MOST_SLOTS];
    int64_t calls;
    int64_t elapsed_us; /* -1: not known */
    int64_t rows;       /* as well */
};

/* A parent's own values. */
struct tallied_values {
    size_t count;
    uint64_t hashes[MOST_SLOTS];
    const char *texts[MOST_SLOTS];
    bool is_bound[MOST_SLOTS];
};

struct tallied_name {
    const char *name;
    int64_t count;
};

/* A statement that stood before a loop whose parent nobody saw. */
struct tallied_before {
    struct known *known;
    int64_t count;
    int64_t rows;
    int64_t rows_known;
    int64_t seen; /* how often its result was */
    struct tallied_values values;
};

struct tallied_example {
    struct query_example example;
};

struct entry {
    struct entry *next; /* of the same slot of the table */
    enum query_finding_kind kind;
    struct known *parent; /* NULL: none */
    uint16_t column;
    const char *key_name;
    struct tallied_values parent_values;
    int64_t parent_rows;
    struct tallied_child children[MOST_CHILDREN];
    size_t child_count;
    size_t period;
    int64_t requests;
    int64_t hard;   /* of them were told apart by transactions or tags */
    int64_t nested; /* of them inside of another loop */
    int64_t needs;  /* of them are nothing without a parent */
    int64_t min, max;
    uint32_t *repeats; /* how often so many; from EXACT_REPEATS on in steps of an eighth */
    double trust;      /* summed up */
    double wasted_us;
    bool has_wasted;
    struct tallied_name routes[MOST_ROUTES];
    size_t route_count;
    struct tallied_name applications[MOST_NAMES];
    size_t application_count;
    const char *database;
    struct query_example examples[MOST_EXAMPLES];
    size_t example_count;
    struct tallied_before before[MOST_PARENTS];
    size_t before_count;
    struct sample samples[SAMPLES_EACH];
    size_t sample_count;
    bool is_merged; /* into another */
};

struct tally {
    struct arena *arena;
    struct entry *table[MOST_ENTRIES];
    struct entry *entries[MOST_ENTRIES];
    size_t count;
    int64_t refused; /* kinds beyond that */
};

/* The parent that a loop seems to have by order and names. */
struct guessed {
    const struct tallied_before *before; /* NULL: none */
    const char *name;
    int32_t column;
    double share; /* of the requests in which it stood there */
    bool rows_fit;
};

/* ---- detected_guess.c ---- */
void detected_guess(struct arena *arena, const struct entry *entry, struct guessed *ret);
/* Whether the loop is more than requests of one statement that came one after the other. */
bool detected_is_real(const struct detect *detect, const struct entry *entry, bool *ret_is_all);

/* ---- tally_sample.c ---- */
void detected_keep_sample(
    struct tally *tally, struct entry *entry, const struct sighting *sighting);
const char *detected_statement_text(struct arena *arena, const char *template,
    const char *const *texts, const uint64_t *hashes, size_t count);

/* ---- detected_finish.c ---- */
size_t detected_bucket(int64_t repeats);
