/*
 * What the expressions of a scenario are evaluated in: one virtual user's numbers, rows and what it took
 * from answers. Small, because there may be 60,000 of them.
 */
#pragma once

#include "load/scenario/scenario.h"

struct load_scope;

/* number: of the user among all, from 0. The same seed and number give the same values. */
struct load_scope *load_scope_new(
    struct arena *arena, const struct load_scenario *scenario, uint32_t number, uint64_t seed);

/* Another person with the same connection: rows of one's own are drawn anew, what was taken is forgotten. */
void load_scope_renew(struct load_scope *scope);

/*
 * A new request: rows are drawn anew, each once a request however often it is named; then the step's
 * assignments are evaluated.
 */
void load_scope_begin(struct load_scope *scope, const struct load_step *step);

/* Keeps a value for later requests, at most 4 kB of it. */
void load_scope_take(struct load_scope *scope, size_t slot, const char *data, size_t length);

/* Appends the text. False: a value is not there (taken from an answer that did not come). */
bool load_template_write(
    const struct load_template *template, struct load_scope *scope, struct buffer *ret);

/* Why the last text could not be written, for people: it lives as long as the scenario. Or NULL. */
const char *load_scope_problem(const struct load_scope *scope);

/* The same with "FILE:LINE: " before it when the expression there is what is wrong. It lives as long, too. */
const char *load_scope_reason(const struct load_scope *scope);

/* Random numbers of this user: uniform in [0, 1). */
double load_scope_random(struct load_scope *scope);
