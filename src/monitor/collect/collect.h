/*
 * What is asked of a server, how often, and which numbers the answers hold. A collector is a row of a
 * table: a query in src/sql/monitor, its interval, and its columns as metrics. Answers stay typed rows
 * (struct sql_monitor_<name>): the page, alerts, doctor and top read those.
 */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "db/query.h"
#include "monitor/metric/metric.h"

/*
 * Id and name. They are asked in this order: server puts the session's search_path back, and
 * statements_info widens it for the statement right after it. The name is that of the query (src/sql/monitor/<name>.sql), of --<name>-interval's kind
 * of options, and the label of pg_scrape_collector_success.
 */
#define COLLECTORS(X)                                                                              \
    X(COLLECT_SERVER, server)     /* one row: role, start, limits, reset and WAL positions */      \
    X(COLLECT_DATABASE, database) /* pg_stat_database of every database, sizes' limits */          \
    X(COLLECT_ACTIVITY, activity) /* sessions counted by what they do, longest times */            \
    X(COLLECT_SESSION, session)   /* the sessions worth a look: text, waits, who blocks them */    \
    X(COLLECT_LOCK, lock)         /* locks counted by mode */                                      \
    X(COLLECT_STATEMENTS_INFO, statements_info) /* evictions and reset of the next */              \
    X(COLLECT_STATEMENT, statement)   /* counters of pg_stat_statements, without their text */     \
    X(COLLECT_CHECKPOINT, checkpoint) /* pg_stat_bgwriter, pg_stat_checkpointer */                 \
    X(COLLECT_WAL, wal) /* pg_stat_wal, archiver, size of pg_wal if it may be seen */              \
    X(COLLECT_REPLICATION, replication) /* standbys of this server */                              \
    X(COLLECT_RECEIVER, receiver)       /* this server as a standby: lag */                        \
    X(COLLECT_SLOT, slot)               /* replication slots and what they keep */                 \
    X(COLLECT_PROGRESS, progress)       /* all pg_stat_progress views, one shape */                \
    X(COLLECT_INDEX_STATE, index_state) /* invalid indexes, roll-outs of ours under way */         \
    X(COLLECT_TABLE, table)             /* pg_stat_user_tables, I/O, sizes */                      \
    X(COLLECT_INDEX, index)             /* pg_stat_user_indexes, I/O, sizes */                     \
    X(COLLECT_WRAPAROUND, wraparound) /* age of databases, and of the oldest tables of this one */ \
    X(COLLECT_SIZE, size)             /* bytes of databases */                                     \
    X(COLLECT_BLOAT, bloat)           /* estimated, of the biggest tables and indexes */           \
    X(COLLECT_SETTING, setting)       /* settings that are numbers or not the default, pending */  \
    X(COLLECT_ROLE, role)             /* limits of roles */                                        \
    X(COLLECT_VECTOR, vector)         /* what `vector check` last said, from schema pgmend */      \
    X(COLLECT_JOURNAL, journal)       /* changes and rollbacks of the last two days: markers */

#define COLLECT_ENUM(id, name) id,
enum collector_id { COLLECTORS(COLLECT_ENUM) COLLECTOR_COUNT };
#undef COLLECT_ENUM

/* A column of the query that is a metric. The query's text columns named in labels are its labels. */
struct metric_column {
    const char *column;
    struct metric metric;
    double scale;  /* what the column is multiplied by; 0: as it is */
    int min_major; /* servers whose view has it under this name; 0: any, as the next */
    int max_major;
};

struct collector {
    const char *name;
    const char *summary; /* lower case, no full stop */
    const struct query *query;
    int64_t interval_us; /* 0: every tick */
    bool is_of_cluster;  /* the same answer from every database of the server: asked once */
    const char *needs;   /* what to grant or create when it is refused: a statement, or NULL */
    const char *const *labels; /* NULL-terminated names of text columns */
    const struct metric_column *metrics;
    size_t metric_count;
    int32_t most_series; /* rows that become samples at most, those of most weight first */
};

extern const struct collector collectors[COLLECTOR_COUNT];

/* The argument struct for a collector's query, in the arena; NULL when it has none. most_rows 0: as below. */
const void *collector_args(struct arena *arena, enum collector_id id, int32_t most_rows);

/* Rows that are asked for at most; 0: there is no bound. */
int32_t collector_most_rows(enum collector_id id);

/* One answer. Rows and error live in the arena, which is this reading's own. */
struct reading {
    struct arena *arena;
    bool is_known; /* there was an answer, now or at an earlier tick */
    bool is_good;  /* and it has rows; else error */
    bool is_fresh; /* it was read in this very tick */
    struct error error;
    struct rows rows;
    int64_t at_us;      /* clock_us() */
    int64_t at_wall_us; /* clock_wall_us() */
    int64_t elapsed_us; /* what it took */
};

/* The typed rows of a good reading: READING_ROWS(w, COLLECT_LOCK, struct sql_monitor_lock). */
#define READING_ROWS(reading, type) ((const type *)(reading)->rows.items)
