#include "load/result/fields.h"

static const struct field record_fields[] = {
    FIELD(struct load_record, name),
    FIELD(struct load_record, target),
    FIELD(struct load_record, users),
    FIELD(struct load_record, planned_us),
    FIELD(struct load_record, think_us),
    FIELD(struct load_record, is_closed),
    FIELD(struct load_record, defines),
    FIELD(struct load_record, started_us),
    FIELD(struct load_record, elapsed_us),
    FIELD(struct load_record, is_complete),
    FIELD(struct load_record, is_stopped),
    FIELD(struct load_record, slice_us),
    FIELD(struct load_record, cpu_us),
    FIELD(struct load_record, rss_bytes),
    FIELD(struct load_record, most_open),
    FIELD(struct load_record, lost),
    FIELD(struct load_record, waited),
    FIELD(struct load_record, unanswered),
    FIELD(struct load_record, fact_notes),
};
const struct load_fields load_record_fields = { record_fields, COUNT_OF(record_fields) };

static const struct field step_fields[] = {
    FIELD(struct load_step_record, name),
    FIELD(struct load_step_record, fingerprints),
    FIELD(struct load_step_record, bytes),
    FIELD(struct load_step_record, statements),
};
const struct load_fields load_step_fields = { step_fields, COUNT_OF(step_fields) };

static const struct field group_fields[] = {
    FIELD(struct load_group_record, name),
    FIELD(struct load_group_record, users),
};
const struct load_fields load_group_fields = { group_fields, COUNT_OF(group_fields) };

static const struct field moment_fields[] = {
    FIELD(struct load_moment, at),
    FIELD(struct load_moment, calls),
    FIELD(struct load_moment, errors),
    FIELD(struct load_moment, sum_us),
    FIELD(struct load_moment, p50_us),
    FIELD(struct load_moment, p95_us),
    FIELD(struct load_moment, p99_us),
    FIELD(struct load_moment, max_us),
    FIELD(struct load_moment, open),
    FIELD(struct load_moment, lag_us),
    FIELD(struct load_moment, is_counted),
};
const struct load_fields load_moment_fields = { moment_fields, COUNT_OF(moment_fields) };

static const struct field fact_fields[] = {
    FIELD(struct load_fact, name),
    FIELD(struct load_fact, label),
    FIELD(struct load_fact, unit),
    FIELD(struct load_fact, value),
};
const struct load_fields load_fact_fields = { fact_fields, COUNT_OF(fact_fields) };

static const struct field fact_moment_fields[] = {
    FIELD(struct load_fact_moment, at),
    FIELD(struct load_fact_moment, pg_cpu_share),
    FIELD(struct load_fact_moment, api_cpu_share),
    FIELD(struct load_fact_moment, generator_cpu_share),
    FIELD(struct load_fact_moment, active),
    FIELD(struct load_fact_moment, lock_waits),
};
const struct load_fields load_fact_moment_fields = { fact_moment_fields,
    COUNT_OF(fact_moment_fields) };

static const struct field goal_fields[] = {
    FIELD(struct load_goal_result, text),
    FIELD(struct load_goal_result, value),
    FIELD(struct load_goal_result, is_known),
    FIELD(struct load_goal_result, is_met),
};
const struct load_fields load_goal_fields = { goal_fields, COUNT_OF(goal_fields) };

static const struct field histogram_fields[] = {
    FIELD(struct histogram, count),
    FIELD(struct histogram, sum_us),
    FIELD(struct histogram, min_us),
    FIELD(struct histogram, max_us),
    FIELD(struct histogram, unplaced),
};
const struct load_fields load_histogram_fields = { histogram_fields, COUNT_OF(histogram_fields) };
