/* Loops that are rewritten and proven: what "queries rewrite" is made of. */
#pragma once

#include "cli/command.h"
#include "queries/finding.h"
#include "queries/rewrite/hint.h"
#include "queries/rewrite/prove.h"

struct query_rewrite_options {
    const char *parent;
    const char *key;
    struct text_list child;
    struct text_list value;
    const char *with;
    const char *form;
    int64_t keys;
    struct text_list try;
    struct text_list set;
    int64_t rounds;
    int64_t timeout;
    int64_t seed;
    const char *output;
    const char *plan;
    const char *function;
};

/* A form, or the user's own rewrite, with what was found of it. */
struct query_attempt {
    bool is_foreign;
    struct rewrite rewrite;
    struct proof proof;
    const char *failure; /* why it could not be tried; NULL: it was */
};

struct query_loop {
    const char *id; /* of the finding; NULL: given by options */
    const struct query_finding *finding;
    struct rewrite_input input;
    struct rewrites rewrites;
    struct text_list shared; /* constants that are taken for the parent's parameters: sentences */
    const char *unsupported; /* why no form can be written; NULL */
    bool has_values;         /* the trace kept examples of the keys */
    struct text_list keys;
    struct query_attempt *attempts;
    size_t attempt_count;
    const struct query_attempt *best; /* the fastest of those that are proven and do all; NULL */
    const struct query_attempt *const *set; /* one for each child, faster together; NULL: none */
    double set_speed_up;
    struct hint *hints; /* of each child */
};

/* What is recommended: the set, or the one; none. */
size_t query_loop_answer_count(const struct query_loop *loop);
const struct query_attempt *query_loop_answer(const struct query_loop *loop, size_t index);

/* The loops of a file of findings, or the one of --parent and --child. */
struct query_loops {
    struct query_loop *items;
    size_t count;
    size_t capacity;
    struct text_list left_out; /* findings that have nothing to be rewritten, and why */
};
bool query_rewrite_read(struct ctx *ctx, struct run *run, struct query_loops *ret) MUST_CHECK;
/* "@file" is what the file holds. */
bool query_rewrite_text(struct ctx *ctx, const char *given, const char **ret) MUST_CHECK;

void query_rewrite_print(struct ctx *ctx, struct run *run, const struct query_loops *loops);
void query_rewrite_print_json(struct ctx *ctx, struct run *run, const struct query_loops *loops);

/* What each $n of it stands for: "$2 integer: $1 of the parent (7)". */
void query_rewrite_params(struct ctx *ctx, const struct rewrite *rewrite, struct text_list *ret);

/* --output and --plan: of the best of each loop, of the only one. */
bool query_rewrite_write(struct ctx *ctx, struct run *run, const struct query_loops *loops)
    MUST_CHECK;
