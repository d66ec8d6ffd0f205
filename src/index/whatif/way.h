/* What a way to ask "what if" has to be able to do; whatif.c hands on to one of them. */
#pragma once

#include "index/whatif/whatif.h"

struct whatif_way_table {
    const char *name;
    /*
     * Fills way_data, db and text of the whatif, and can_hide where it is not way's; ERR_UNSUPPORTED when
     * this way cannot be gone. close follows in any case.
     */
    bool (*open)(struct ctx *ctx, struct whatif *whatif, const struct whatif_options *options);
    void (*close)(struct whatif *whatif);
    bool (*add)(struct ctx *ctx, struct whatif *whatif, const struct index_candidate *candidate,
        int64_t bytes, uint32_t *ret_number, const char **ret_problem);
    bool can_hide;
    /* Sees to it that exactly this set is there for the next plan. */
    bool (*show)(struct ctx *ctx, struct whatif *whatif, const struct whatif_set *set);
    /* The number behind an index's name in a plan; schema NULL: not told; 0: a real one. */
    uint32_t (*number_of)(const struct whatif *whatif, const char *schema, const char *name);
    /* Instead of EXPLAIN in the whatif's session, when the costs come from elsewhere; NULL: EXPLAIN. */
    bool (*plan)(struct ctx *ctx, struct whatif *whatif, const char *sql,
        const struct whatif_set *set, struct whatif_plan *ret);
};

extern const struct whatif_way_table whatif_hypopg;  /* hypopg.c */
extern const struct whatif_way_table whatif_scratch; /* scratch.c */

struct whatif {
    struct arena *arena; /* as long as it is open */
    const struct whatif_way_table *way;
    void *way_data;
    struct db *db; /* that plans */
    const struct facts *facts;
    const char *text;
    struct text_list notes;
    bool can_hide;
    int64_t calls;
    struct map by_name; /* name → struct fact_index, of those that are there */
    bool is_counted;    /* each EXPLAIN would be an entry of pg_stat_statements */
    bool is_ambiguous;  /* two of one name in two schemas: only VERBOSE tells which */
};

/*
 * Keeps the whatif's session out of pg_stat_statements, where thousands of EXPLAINs would push out what
 * the application runs; without the right to that, statements are planned in a way that leaves one entry.
 */
bool whatif_stay_uncounted(struct ctx *ctx, struct whatif *whatif) MUST_CHECK;
