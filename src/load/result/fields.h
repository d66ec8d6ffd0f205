/* Members of a record as they stand in JSON, for who writes and who reads them. */
#pragma once

#include "base/field.h"
#include "load/result/record.h"

struct load_fields {
    const struct field *items;
    size_t count;
};

extern const struct load_fields load_record_fields;
extern const struct load_fields load_step_fields;
extern const struct load_fields load_group_fields;
extern const struct load_fields load_moment_fields;
extern const struct load_fields load_fact_fields;
extern const struct load_fields load_fact_moment_fields;
extern const struct load_fields load_goal_fields;
extern const struct load_fields load_histogram_fields;
