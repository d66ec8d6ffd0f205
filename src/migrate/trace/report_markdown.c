/* The trace for a comment on a pull request. */
#include "migrate/trace/trace.h"

/* Names are somebody else's text: what would be markup or end the cell becomes plain. */
static const char *
cell(struct arena *arena, const char *text)
{
    struct buffer out = { .arena = arena };

    for (const char *c = render_clean(arena, text); *c; c++) {
        if (strchr("|\\`*_<>[]&", *c))
            buffer_append(&out, "\\", 1);
        buffer_append(&out, c, 1);
    }
    return buffer_text(&out);
}

static const char *
lock_cell(struct arena *arena, const struct trace_revision *revision)
{
    const struct trace_lock *lock = trace_worst_lock(revision);

    if (!lock)
        return "";
    return arena_printf(arena, "%s on %s, %s", lock_mode_name(lock->mode),
        cell(arena, trace_label(arena, &lock->relation)), text_from_us(arena, lock->held_us));
}

static const char *
wait_cell(struct arena *arena, const struct trace_revision *revision, bool is_writer)
{
    struct trace_wait wait = trace_longest_wait(revision, is_writer);

    return wait.kind == TRACE_WAIT_NONE ? "" : text_from_us(arena, wait.us);
}

static const char *
downgrade_cell(const struct trace_revision *revision)
{
    if (revision->is_failed)
        return revision->is_skipped ? "**failed**, skipped" : "**failed**";
    switch (revision->downgrade.result) {
    case TRACE_DOWNGRADE_NOT_TRIED:
        return "";
    case TRACE_DOWNGRADE_BACK:
        return "ok";
    case TRACE_DOWNGRADE_DIFFERS:
        return "**differs**";
    case TRACE_DOWNGRADE_NONE:
        return "none";
    case TRACE_DOWNGRADE_FAILS:
        return "**fails**";
    }
    return "";
}

void
trace_markdown(FILE *out, const struct trace *trace, const struct render *render)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();

    fprintf(out, "Run by Alembic %s on PostgreSQL %s%s%s.\n\n", cell(arena, trace->alembic_version),
        trace->server_version, trace->copy ? ", on a copy of " : ", on an empty database",
        trace->copy ? cell(arena, trace->copy) : "");
    fputs(
        "| revision | statements | time | strongest lock | readers wait | writers wait | rewrites | WAL | "
        "downgrade |\n| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |\n",
        out);
    for (size_t i = 0; i < trace->revisions.count; i++) {
        const struct trace_revision *revision = &trace->revisions.items[i];

        fprintf(out, "| %s | %zu | %s | %s | %s | %s | %zu | %s | %s |\n",
            cell(arena, revision->revision->id), revision->statements.count,
            text_from_us(arena, revision->server_us), lock_cell(arena, revision),
            wait_cell(arena, revision, false), wait_cell(arena, revision, true),
            trace_rewritten_tables(revision), text_from_bytes(arena, revision->wal_bytes),
            downgrade_cell(revision));
    }
    fputc('\n', out);
    render_markdown(out, render);
}
