/*
 * A slice of a run: how often which latency was seen, with two digits rather than three, so that
 * sixty slices of each kind of request stay small. Cells are those of the histogram; a group of them
 * that differ by less than 0.8 % counts as its first one.
 */
#pragma once

#include "load/result/record.h"

/* The first cell of the group. */
uint32_t load_sparse_cell(size_t cell);
/* From which latency to which one (not included) the group that begins with this cell goes. */
void load_sparse_range_us(uint32_t cell, double *ret_first, double *ret_end);

void load_sparse_of(
    struct arena *arena, const struct histogram *histogram, struct load_sparse *ret);
/* ret may be a or b. */
void load_sparse_join(struct arena *arena, const struct load_sparse *a, const struct load_sparse *b,
    struct load_sparse *ret);
