/* What the commands about indexes that are there share: options, plans, and how servers are told. */
#pragma once

#include "cmd/parts/roll_out.h"
#include "index/state/plan.h"
#include "index/state/state.h"

#define INDEX_ROLL_FIELD(strct, member, ...)                        \
    {                                                               \
        .name = #member, .type = FIELD_TYPE_OF(strct, roll.member), \
        .offset = offsetof(strct, roll.member), __VA_ARGS__         \
    }

/* Rows of a table of options whose struct has a member "struct roll_out_options roll". */
#define INDEX_ROLL_FIELDS(strct)                                                                   \
    INDEX_ROLL_FIELD(strct, override, .momentary = true, .arg = "GATE",                            \
        .help = "go on although this gate is red (\"all\" for all that may be); needs --reason"),  \
        INDEX_ROLL_FIELD(strct, reason, .momentary = true, .arg = "TEXT",                          \
            .help = "why a gate is overridden; goes into the journal"),                            \
        INDEX_ROLL_FIELD(strct, backup_dir, .arg = "DIR",                                          \
            .help = "where the verified backup is (default: backups in the state folder)"),        \
        INDEX_ROLL_FIELD(strct, max_age, .unit = UNIT_US, .arg = "TIME", .standard = "24h",        \
            .help = "a backup, rehearsal or recorded gate older than this does not count"),        \
        INDEX_ROLL_FIELD(strct, max_transaction, .unit = UNIT_US, .arg = "TIME", .standard = "1m", \
            .help = "sessions with an older transaction are a red gate"),                          \
        INDEX_ROLL_FIELD(strct, lock_timeout, .unit = UNIT_US, .arg = "TIME", .standard = "2s",    \
            .help = "how long one attempt waits for the lock of a table"),                         \
        INDEX_ROLL_FIELD(strct, wait_limit, .unit = UNIT_US, .arg = "TIME", .standard = "30m",     \
            .help = "how long it waits for other sessions' transactions and snapshots"),           \
        INDEX_ROLL_FIELD(                                                                          \
            strct, retries, .arg = "N", .standard = "3", .help = "attempts after the first one"),  \
        INDEX_ROLL_FIELD(strct, attest_wal_free, .momentary = true, .unit = UNIT_BYTES,            \
            .arg = "SIZE", .standard = "0",                                                        \
            .help = "you vouch that pg_wal has this much room (server's disk unseen)"),            \
        INDEX_ROLL_FIELD(strct, attest_data_free, .momentary = true, .unit = UNIT_BYTES,           \
            .arg = "SIZE", .standard = "0",                                                        \
            .help = "you vouch that the data volume has this much room"),                          \
        INDEX_ROLL_FIELD(strct, dry_run, .help = "show plan and gates, change nothing"),           \
        INDEX_ROLL_FIELD(strct, skip_blocked, .momentary = true,                                   \
            .help = "do the others although some cannot be done")

/* Writes the plan into the file (output not NULL), or shows the gates and does it. */
bool index_state_roll(struct ctx *ctx, struct run *run, struct plan *plan,
    const struct roll_out_options *options, const char *output) MUST_CHECK;

/* Does changes that touch schema pgmend only: a run of its own in the journal, without gates. */
bool index_state_record(struct ctx *ctx, struct run *run, struct plan *plan) MUST_CHECK;

/* A line a server: who it is and since when it counts; and one for standbys nobody named. */
void index_state_print_servers(
    struct ctx *ctx, FILE *out, const struct index_states *states, size_t replicas);
json_t *index_state_servers_json(struct ctx *ctx, const struct index_states *states);

/* Standbys that are connected and were not named; 0: none. */
int32_t index_state_unknown_standbys(const struct index_states *states, size_t replicas);

/* "12 %", "3.4 %". */
const char *index_state_percent(struct arena *arena, double ratio);

/* Whether an index is of the table that is named "table" or "schema.table"; NULL: of all. */
bool index_state_is_of(const struct index_state *index, const char *table);
