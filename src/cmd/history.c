#include "change/journal.h"
#include "cli/command.h"
#include "cli/out.h"
#include "sql.h"

static const struct field columns[] = {
    FIELD(struct journal_entry, id),
    FIELD(struct journal_entry, run),
    FIELD(struct journal_entry, kind),
    FIELD(struct journal_entry, object),
    FIELD(struct journal_entry, state),
    FIELD(struct journal_entry, started_at, .help = "started"),
    FIELD(struct journal_entry, ended_at, .help = "ended"),
};

static const struct field full[] = {
    FIELD(struct journal_entry, id),
    FIELD(struct journal_entry, entry),
    FIELD(struct journal_entry, run),
    FIELD(struct journal_entry, kind),
    FIELD(struct journal_entry, object),
    FIELD(struct journal_entry, relation),
    FIELD(struct journal_entry, statement),
    FIELD(struct journal_entry, undo),
    FIELD(struct journal_entry, state),
    FIELD(struct journal_entry, started_at),
    FIELD(struct journal_entry, ended_at),
    FIELD(struct journal_entry, detail),
};

static const struct field run_columns[] = {
    FIELD(struct sql_change_runs, id, .help = "run"),
    FIELD(struct sql_change_runs, command),
    FIELD(struct sql_change_runs, state),
    FIELD(struct sql_change_runs, actor),
    FIELD(struct sql_change_runs, client),
    FIELD(struct sql_change_runs, changes),
    FIELD(struct sql_change_runs, started_at, .help = "started"),
    FIELD(struct sql_change_runs, overrides),
};

static bool
run(struct ctx *ctx, struct run *run)
{
    struct journal_entries entries;
    struct sql_change_runs_rows runs = { 0 };
    bool is_there;

    if (!journal_is_installed(ctx, run->db, &is_there) || !journal_load(ctx, run->db, &entries) ||
        (is_there && !sql_change_runs(ctx, run->db, &runs)))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:o, s:o}", "runs",
            out_json_rows(
                run_columns, COUNT_OF(run_columns), runs.items, runs.count, sizeof(runs.items[0])),
            "entries",
            out_json_rows(
                full, COUNT_OF(full), entries.items, entries.count, sizeof(entries.items[0])));

        out_json(run->out, json);
        return true;
    }
    if (runs.count == 0) {
        fprintf(run->out, "pgmend has changed nothing here yet.\n");
        out_next(run->out, "pgmend plan FILE.sql");
        return true;
    }
    out_table(run->out, run_columns, COUNT_OF(run_columns), runs.items, runs.count,
        sizeof(runs.items[0]));
    fputc('\n', run->out);
    if (entries.count > 0)
        out_table(run->out, columns, COUNT_OF(columns), entries.items, entries.count,
            sizeof(entries.items[0]));
    out_next(run->out, "pgmend rollback [ENTRY]");
    return true;
}

const struct command cmd_history = {
    .path = "history",
    .summary = "list the runs and changes in the journal",
    .access = ACCESS_READ,
    .examples = "pgmend history --json",
    .next = "pgmend rollback",
    .run = run,
};
