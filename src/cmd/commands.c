/* The list of commands: one line each, in the order of help. */

#include "cli/command.h"

/* clang-format off */
#define COMMANDS(TITLE, COMMAND)    \
    TITLE("Main job")               \
    COMMAND(plan)                   \
    COMMAND(staging_create)         \
    COMMAND(staging_refresh)        \
    COMMAND(staging_list)           \
    COMMAND(staging_drop)           \
    COMMAND(rehearse)               \
    COMMAND(gate)                   \
    COMMAND(gate_pass)              \
    COMMAND(gate_revoke)            \
    COMMAND(checklist_show)         \
    COMMAND(checklist_tick)         \
    COMMAND(apply)                  \
    COMMAND(status)                 \
    COMMAND(history)                \
    COMMAND(rollback)               \
    COMMAND(uninstall)              \
    TITLE("Monitor")                \
    COMMAND(doctor)                 \
    COMMAND(top)                    \
    COMMAND(monitor)                \
    COMMAND(monitor_test_alert)     \
    COMMAND(kpi_show)               \
    COMMAND(kpi_record)             \
    COMMAND(kpi_import)             \
    TITLE("Application")            \
    COMMAND(flags_list)             \
    COMMAND(flags_set)              \
    COMMAND(flags_rollout)          \
    COMMAND(pool_advise)            \
    TITLE("Queries")                \
    COMMAND(queries_top)            \
    COMMAND(queries_trace)          \
    COMMAND(queries_nplusone)       \
    COMMAND(queries_rewrite)        \
    COMMAND(queries_check)          \
    TITLE("Indexes")                \
    COMMAND(index_advise)           \
    COMMAND(index_lint)             \
    COMMAND(index_apply)            \
    COMMAND(index_prove)            \
    COMMAND(index_status)           \
    COMMAND(index_unused)           \
    COMMAND(index_duplicate)        \
    COMMAND(index_invalid)          \
    COMMAND(index_bloat)            \
    COMMAND(index_reindex)          \
    COMMAND(index_drop)             \
    TITLE("Vectors")                \
    COMMAND(vector_survey)          \
    COMMAND(vector_tune)            \
    COMMAND(vector_install)         \
    COMMAND(vector_check)           \
    COMMAND(vector_judge)           \
    TITLE("Partitions")             \
    COMMAND(partition_advise)       \
    COMMAND(partition_extend)       \
    COMMAND(scaling)                \
    TITLE("Migrations")             \
    COMMAND(migrations_analyze)     \
    COMMAND(migrations_graph)       \
    COMMAND(migrations_rules)       \
    COMMAND(migrations_trace)       \
    COMMAND(migrations_consolidate) \
    COMMAND(migrations_catch_up)    \
    COMMAND(migrations_emit)        \
    TITLE("Schemas")                \
    COMMAND(schema_diff)            \
    COMMAND(schema_snapshot)        \
    TITLE("Load and proof")         \
    COMMAND(load_run)               \
    COMMAND(load_compare)           \
    COMMAND(load_model)             \
    COMMAND(report_snapshot)        \
    COMMAND(report)                 \
    TITLE("Backups")                \
    COMMAND(backup_create)          \
    COMMAND(backup_verify)          \
    COMMAND(backup_list)            \
    COMMAND(backup_restore)         \
    TITLE("Blue-green")             \
    COMMAND(bluegreen_create)       \
    COMMAND(bluegreen_status)       \
    COMMAND(bluegreen_verify)       \
    COMMAND(bluegreen_switch)       \
    COMMAND(bluegreen_abandon)      \
    TITLE("About pgmend")           \
    COMMAND(help)                   \
    COMMAND(completion)             \
    COMMAND(version)
/* clang-format on */

#define NO_TITLE(title)
#define NO_COMMAND(name)

#define DECLARE(name) extern const struct command cmd_##name;
COMMANDS(NO_TITLE, DECLARE)

#define POINT(name) &cmd_##name,
const struct command *const commands[] = { COMMANDS(NO_TITLE, POINT) NULL };

#define TITLE_LINE(text)   { .title = (text) },
#define COMMAND_LINE(name) { .command = &cmd_##name },
const struct command_line command_lines[] = { COMMANDS(TITLE_LINE, COMMAND_LINE) };

const size_t command_line_count = COUNT_OF(command_lines);
