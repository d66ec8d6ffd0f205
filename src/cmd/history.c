#include "change/change.h"
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

/* Where plans with steps were applied. */
static const struct field step_columns[] = {
    FIELD(struct journal_entry, id),
    FIELD(struct journal_entry, run),
    FIELD(struct journal_entry, step),
    FIELD(struct journal_entry, kind),
    FIELD(struct journal_entry, object),
    FIELD(struct journal_entry, state),
    FIELD(struct journal_entry, started_at, .help = "started"),
    FIELD(struct journal_entry, ended_at, .help = "ended"),
};

static const struct field full[] = {
    FIELD(struct journal_entry, id), FIELD(struct journal_entry, entry),
    FIELD(struct journal_entry, run), FIELD(struct journal_entry, kind),
    FIELD(struct journal_entry, object), FIELD(struct journal_entry, relation),
    FIELD(struct journal_entry, statement), FIELD(struct journal_entry, undo),
    FIELD(struct journal_entry, state), FIELD(struct journal_entry, started_at),
    FIELD(struct journal_entry, ended_at), FIELD(struct journal_entry, detail),
    FIELD(struct journal_entry, step), /* last: left out where there are no steps */
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

/* A change of a flag, in the words of its journal entry. */
struct flag_line {
    int64_t id;
    const char *flag;
    const char *percent;
    const char *variant;
    const char *reason;
};

static const struct field flag_columns[] = {
    FIELD(struct flag_line, id),
    FIELD(struct flag_line, flag),
    FIELD(struct flag_line, percent, .help = "percent of users"),
    FIELD(struct flag_line, variant),
    FIELD(struct flag_line, reason),
};

/* What a process has turned off itself has no "after": it is 0. */
static struct flag_line
flag_line_of(struct ctx *ctx, const struct journal_entry *entry)
{
    struct arena *arena = ctx->arena;
    json_t *detail CLEANUP(json_release) = NULL;
    struct flag_line line = { .id = entry->id, .flag = entry->object, .reason = "" };
    const json_t *before;
    const json_t *after;

    if (!json_parse(ctx, "detail", entry->detail, &detail)) {
        error_clear(ctx);
        return line;
    }
    before = json_object_get(detail, "before");
    after = json_object_get(detail, "after");
    line.percent = arena_printf(arena, "%lld -> %s", (long long)json_get_int(before, "percent", 0),
        json_is_null(after)
            ? "removed"
            : arena_printf(arena, "%lld", (long long)json_get_int(after, "percent", 0)));
    line.variant = json_get_text(arena, json_is_object(after) ? after : before, "variant", "");
    line.reason = json_get_text(arena, json_is_object(after) ? after : detail, "reason", "");
    return line;
}

static void
print_flags(struct ctx *ctx, FILE *out, const struct journal_entries *entries)
{
    struct flag_line *lines = ARENA_ARRAY(ctx->arena, struct flag_line, entries->count + 1);
    size_t count = 0;

    for (size_t i = 0; i < entries->count; i++)
        if (text_equal(entries->items[i].kind, KIND_FLAG) ||
            text_equal(entries->items[i].kind, KIND_FLAG_OFF))
            lines[count++] = flag_line_of(ctx, &entries->items[i]);
    if (count == 0)
        return;
    fputc('\n', out);
    out_table(out, flag_columns, COUNT_OF(flag_columns), lines, count, sizeof(lines[0]));
}

static bool
has_steps(const struct journal_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        if (entries->items[i].step)
            return true;
    return false;
}

static void
print_entries(FILE *out, const struct journal_entries *entries)
{
    bool is_stepped = has_steps(entries);

    if (entries->count > 0)
        out_table(out, is_stepped ? step_columns : columns,
            is_stepped ? COUNT_OF(step_columns) : COUNT_OF(columns), entries->items, entries->count,
            sizeof(entries->items[0]));
}

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
            out_json_rows(full, COUNT_OF(full) - !has_steps(&entries), entries.items, entries.count,
                sizeof(entries.items[0])));

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
    print_entries(run->out, &entries);
    print_flags(ctx, run->out, &entries);
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
