/* What the parts of the page share. */
#pragma once

#include "base/markup.h"
#include "load/report/page.h"

struct sheet {
    struct buffer html;
    const struct load_page *page;
    const struct histogram *latency;        /* of the run; NULL when there is none */
    const struct histogram *service;        /* the same from when they were sent */
    const struct histogram *before_latency; /* or NULL */
    bool is_upper;                          /* the generator was late: times are bounds */
};

/* A number that is not known is "–". */
const char *sheet_time(struct arena *arena, double us);
const char *sheet_share(struct arena *arena, double share);
const char *sheet_number(struct arena *arena, double number);
/* unit as a fact's: "us", "share", "bytes" or "". */
const char *sheet_value(struct arena *arena, const char *unit, double value);
/* "≤ 12 ms" when it is a bound. */
const char *sheet_latency(const struct sheet *sheet, double us);

double sheet_rate(const struct load_record *record);
double sheet_error_share(const struct load_record *record);
/* Of another record's: by name; NULL when it has none. */
const struct load_step_record *sheet_step(const struct load_record *record, const char *name);

/* Tables: goals, requests, groups, what went wrong, facts. */
void sheet_goals(struct sheet *sheet);
void sheet_requests(struct sheet *sheet);
void sheet_groups(struct sheet *sheet);
void sheet_outcomes(struct sheet *sheet);
void sheet_facts(struct sheet *sheet);
void sheet_comparison(struct sheet *sheet);

/* Pictures that need no script. */
void sheet_percentiles(struct sheet *sheet);
void sheet_model(struct sheet *sheet);

/* Places of the curves, and their numbers as JSON: numbers only, so that nothing in it is text of others. */
void sheet_curves(struct sheet *sheet);
