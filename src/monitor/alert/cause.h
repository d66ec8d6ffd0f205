/* The likely cause of an alert, seen in the same readings. Texts of running sessions are left out:
 * alerts leave the house, and only pg_stat_statements has texts without values. */
#pragma once

#include "monitor/alert/alert.h"

typedef const char *alert_cause(
    struct arena *arena, const struct watched *server, const struct sample *sample);

alert_cause cause_down;
alert_cause cause_collector;
alert_cause cause_statement; /* the one with the most time */
alert_cause cause_slow;
alert_cause cause_cpu;
alert_cause cause_memory;
alert_cause cause_disk;
alert_cause cause_connections;
alert_cause cause_transaction; /* the oldest */
alert_cause cause_idle;
alert_cause cause_blocker;
alert_cause cause_errors; /* the blocker, else the statement with the most time */
alert_cause cause_slot;
alert_cause cause_archive;
alert_cause cause_wraparound;
alert_cause cause_index;
alert_cause cause_checkpoint;
alert_cause cause_pending;
alert_cause cause_dead_rows;
alert_cause cause_bloat;
alert_cause cause_replication;
alert_cause cause_store;
alert_cause cause_slowed;
alert_cause cause_application;
alert_cause cause_vector;
