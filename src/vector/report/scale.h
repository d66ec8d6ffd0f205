/* The axes that terminal and page share. */
#pragma once

#include "vector/report/report.h"

/*
 * Recall is drawn by how far it is from 1: the step from .98 to .99 halves the wrong answers, so it
 * is as wide as the one from .96 to .98. Both ends are inside.
 */
double recall_height(double recall);

/* Where a recall line is worth being drawn, the most important first. */
extern const double recall_ticks[];
extern const size_t recall_tick_count;

/* A logarithmic axis of times between 1, 2 or 5 times powers of ten. */
struct time_axis {
    double first_us;
    double last_us;
};

/* Makes the axis wide enough for a time; starts from { 0 }. Times below 1 us count as that. */
void time_axis_include(struct time_axis *axis, double us);

/* Rounds the ends outwards. */
void time_axis_round(struct time_axis *axis);

/* 0 … 1. */
double time_axis_share(const struct time_axis *axis, double us);

/* The times that are worth a line, both ends among them; returns how many. */
enum { TIME_TICKS = 48 };
size_t time_axis_ticks(const struct time_axis *axis, double ret[TIME_TICKS]);

/* Of the candidates that are drawn: those that were measured. */
bool candidate_is_drawn(const struct vector_candidate *candidate);
