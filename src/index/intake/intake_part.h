/* What the sources share: rows of one fingerprint become one, with what differs between them found out. */
#pragma once

#include "base/map.h"
#include "index/intake/intake.h"
#include "workload/template.h"

struct gathered;

struct gather {
    struct arena *arena;   /* of the results */
    struct arena *scratch; /* of one statement; emptied for each */
    struct templates *templates;
    struct map by_key; /* fingerprint and what it does not tell → struct gathered */
    VEC(struct gathered *) items;
    struct map own;    /* fingerprints of pgmend's own statements */
    int64_t own_count; /* those, and of catalogues alone, that were left out */
};

/* One sighting, or the sum of many with the same text. */
struct gather_seen {
    const char *source;
    double calls;
    double total_ms;         /* -1: not known */
    double rows;             /* -1: not known */
    const char *fingerprint; /* NULL: libpg_query's, or the template's own */
    const char *problem;     /* known by the source itself, or NULL */
    size_t cut_bytes;        /* texts of this length may be cut off; 0: none are */
    bool has_constants;      /* else the text has $n for them, and gives no sample */
    /* Texts of $1 …, NULL for NULL; with them a text with $n is a sample too. */
    const char *const *params;
    size_t param_count;
    const char *sample; /* when the source has it made already, else NULL */
};

void gather_begin(struct arena *arena, struct gather *ret);
void gather_end(struct gather *gather);
void gather_add(struct gather *gather, const char *sql, const struct gather_seen *seen);
/* Makes text and samples of all that was seen, and sorts. */
void gather_finish(struct gather *gather, struct intake *ret);

/* Why a statement can have no advice, or NULL. */
const char *intake_problem(
    struct arena *arena, const struct template *template, const char *sql, size_t cut_bytes);

/* Whether it is one of ours, or asks catalogues alone. */
bool intake_is_own(
    struct arena *arena, const struct map *own, const char *fingerprint, const char *sql);
/* The fingerprints of all our own statements, as keys. */
void intake_own_statements(struct arena *arena, struct map *ret);

/* Which constants stand in a list after IN, or in VALUES: of these there may be more or less. */
void intake_lists(const char *sql, const struct literals *literals, bool *ret);

/* The statement with texts in the place of $n; NULL when one is not given. */
const char *intake_fill(
    struct arena *arena, const char *sql, const char *const *params, size_t count);
/* The statement with $n, from first on, in place of the constants that are told. */
const char *intake_blank(struct arena *arena, const char *sql, const struct literals *literals,
    const bool *varies, size_t first);
