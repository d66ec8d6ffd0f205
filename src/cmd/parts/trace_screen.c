#include "cmd/parts/trace_screen.h"

#include "cli/out.h"

/* clang-format off */
struct line {
    const char *revision;
    const char *time;
    int64_t statements;
    const char *lock;
    const char *table;
    const char *waits;
    int64_t rewrites;
    const char *wal;
    const char *downgrade;
};

static const struct field columns[] = {
    FIELD(struct line, revision),
    FIELD(struct line, time),
    FIELD(struct line, statements, .help = "sql"),
    FIELD(struct line, lock, .help = "strongest lock"),
    FIELD(struct line, table, .help = "on"),
    FIELD(struct line, waits),
    FIELD(struct line, rewrites, .help = "rewr."),
    FIELD(struct line, wal, .help = "WAL"),
    FIELD(struct line, downgrade, .help = "back"),
};
/* clang-format on */

static const char *
result_of(const struct trace_revision *revision)
{
    if (revision->is_failed)
        return revision->is_skipped ? "SKIPPED" : "FAILED";
    switch (revision->downgrade.result) {
    case TRACE_DOWNGRADE_NOT_TRIED:
        return "-";
    case TRACE_DOWNGRADE_BACK:
        return "ok";
    case TRACE_DOWNGRADE_DIFFERS:
        return "differs";
    case TRACE_DOWNGRADE_NONE:
        return "none";
    case TRACE_DOWNGRADE_FAILS:
        return "fails";
    }
    return "-";
}

/* So that a line fits; the details have the names in full. */
static const char *const short_modes[LOCK_MODE_COUNT] = {
    [LOCK_NONE] = "-",
    [LOCK_ACCESS_SHARE] = "ACCESS SHARE",
    [LOCK_ROW_SHARE] = "ROW SHARE",
    [LOCK_ROW_EXCLUSIVE] = "ROW EXCL.",
    [LOCK_SHARE_UPDATE_EXCLUSIVE] = "SHARE UPD. EXCL.",
    [LOCK_SHARE] = "SHARE",
    [LOCK_SHARE_ROW_EXCLUSIVE] = "SHARE ROW EXCL.",
    [LOCK_EXCLUSIVE] = "EXCLUSIVE",
    [LOCK_ACCESS_EXCLUSIVE] = "ACCESS EXCL.",
};

/* Whoever waits longest, reader or writer. */
static const char *
wait_text(struct arena *arena, const struct trace_revision *revision)
{
    struct trace_wait reader = trace_longest_wait(revision, false);
    struct trace_wait writer = trace_longest_wait(revision, true);
    bool is_reader =
        writer.kind == TRACE_WAIT_NONE || (reader.kind != TRACE_WAIT_NONE && reader.us > writer.us);
    const struct trace_wait *wait = is_reader ? &reader : &writer;

    if (wait->kind == TRACE_WAIT_NONE)
        return "-";
    return arena_printf(
        arena, "%s%s", wait->kind == TRACE_WAIT_COMPUTED ? "~" : "", text_from_us(arena, wait->us));
}

/* In kB, which is exact enough for what the whole server writes. */
static const char *
wal_text(struct arena *arena, int64_t bytes)
{
    return bytes < 10240 ? arena_printf(arena, "%.1f kB", (double)bytes / 1024)
                         : text_from_bytes(arena, bytes);
}

static struct line
line_of(struct arena *arena, const struct trace_revision *revision)
{
    const struct trace_lock *lock = trace_worst_lock(revision);

    return (struct line){
        .revision = render_clean(arena, revision->revision->id),
        .time = text_from_us(arena, revision->server_us),
        .statements = (int64_t)revision->statements.count,
        .lock = lock ? short_modes[lock->mode] : "-",
        .table = lock ? trace_label(arena, &lock->relation) : "-",
        .waits = wait_text(arena, revision),
        .rewrites = (int64_t)trace_rewritten_tables(revision),
        .wal = wal_text(arena, revision->wal_bytes),
        .downgrade = result_of(revision),
    };
}

void
trace_print_table(struct arena *arena, FILE *out, const struct trace *trace)
{
    VEC(struct line) lines = { 0 };

    fprintf(out, "%zu revision%s run by Alembic %s on PostgreSQL %s, ", trace->revisions.count,
        trace->revisions.count == 1 ? "" : "s", render_clean(arena, trace->alembic_version),
        trace->server_version);
    if (trace->copy)
        fprintf(out, "on a copy of %s", render_clean(arena, trace->copy));
    else
        fputs("on an empty database", out);
    if (trace->from)
        fprintf(out, " from %s", render_clean(arena, trace->from));
    fputs("\n\n", out);
    for (size_t i = 0; i < trace->revisions.count; i++)
        VEC_PUSH(arena, &lines, line_of(arena, &trace->revisions.items[i]));
    out_table(out, columns, COUNT_OF(columns), lines.items, lines.count, sizeof(lines.items[0]));
    fputc('\n', out);
}

/* ---- in detail ---- */

struct screen {
    struct arena *arena;
    FILE *out;
    const struct trace_revision *revision;
};

static const char *
statement_text(const struct screen *screen, size_t statement)
{
    if (statement >= screen->revision->statements.count)
        return "";
    return arena_printf(screen->arena, " by statement %zu", statement + 1);
}

static const char *
one_line(struct arena *arena, const char *sql, size_t width)
{
    char *text = arena_strdup(arena, sql);
    char *end = text;

    for (const char *c = sql; *c; c++) {
        bool is_space = *c == ' ' || *c == '\n' || *c == '\t' || *c == '\r';

        if (!is_space)
            *end++ = *c;
        else if (end > text && end[-1] != ' ')
            *end++ = ' ';
    }
    *end = '\0';
    while (text_width(text) > width && end > text) {
        end--;
        while (end > text && ((unsigned char)*end & 0xC0) == 0x80)
            end--;
        *end = '\0';
    }
    return render_clean(arena, text);
}

static void
print_statements(const struct screen *screen)
{
    enum { WIDTH = 68 };

    for (size_t i = 0; i < screen->revision->statements.count; i++) {
        const struct trace_statement *statement = &screen->revision->statements.items[i];

        fprintf(screen->out, "  %3zu  %9s  %s\n", i + 1, text_from_us(screen->arena, statement->us),
            one_line(screen->arena, statement->sql, WIDTH));
        fprintf(screen->out, "                  %s%s%s",
            statement->tag ? statement->tag : "failed: ",
            statement->tag        ? ""
            : statement->sqlstate ? statement->sqlstate
                                  : "",
            statement->transaction == 0 ? ", outside a transaction" : "");
        if (statement->place.file)
            fprintf(screen->out, ", %s:%u",
                render_clean(screen->arena, render_path(statement->place.file)),
                statement->place.line);
        fputc('\n', screen->out);
    }
}

static void
print_wait(const struct screen *screen, const char *who, const struct trace_wait *wait)
{
    if (wait->kind == TRACE_WAIT_NONE)
        return;
    fprintf(screen->out, "; a %s %s %s", who,
        wait->kind == TRACE_WAIT_MEASURED ? "waited" : "would wait",
        text_from_us(screen->arena, wait->us));
    if (wait->error)
        fprintf(screen->out, " and then got: %s", render_clean(screen->arena, wait->error));
}

static void
print_locks(const struct screen *screen)
{
    for (size_t i = 0; i < screen->revision->locks.count; i++) {
        const struct trace_lock *lock = &screen->revision->locks.items[i];

        fprintf(screen->out, "  lock     %s on %s for %s%s%s", lock_mode_name(lock->mode),
            render_clean(screen->arena, trace_label(screen->arena, &lock->relation)),
            text_from_us(screen->arena, lock->held_us), statement_text(screen, lock->statement),
            lock->is_seen ? ", seen from outside: there may be more" : "");
        print_wait(screen, "reader", &lock->reader);
        print_wait(screen, "writer", &lock->writer);
        fputc('\n', screen->out);
    }
}

static void
print_storage(const struct screen *screen)
{
    const struct trace_revision *revision = screen->revision;
    struct arena *arena = screen->arena;

    for (size_t i = 0; i < revision->rewrites.count; i++)
        fprintf(screen->out, "  %s %s%s\n",
            revision->rewrites.items[i].is_truncate ? "emptied " : "rewrote ",
            render_clean(arena, trace_label(arena, &revision->rewrites.items[i].relation)),
            statement_text(screen, revision->rewrites.items[i].statement));
    for (size_t i = 0; i < revision->indexes.count; i++) {
        const struct trace_index *index = &revision->indexes.items[i];

        fprintf(screen->out, "  index    %s on %s %s%s%s%s\n",
            render_clean(arena, trace_label(arena, &index->index)),
            render_clean(arena, index->table ? index->table : "?"),
            index->is_rebuilt ? "built again" : "built",
            index->is_on_new_table ? " with the table" : "",
            statement_text(screen, index->statement),
            index->statement < revision->statements.count
                ? arena_printf(arena, " in %s", text_from_us(arena, index->us))
                : "");
    }
    for (size_t i = 0; i < revision->rows.count; i++) {
        const struct trace_rows *rows = &revision->rows.items[i];

        fprintf(screen->out,
            "  rows     %s: %s read (whole scans: %s), %s inserted, %s updated, %s deleted\n",
            render_clean(arena, trace_label(arena, &rows->table)),
            text_from_count(arena, rows->read), text_from_count(arena, rows->scans),
            text_from_count(arena, rows->inserted), text_from_count(arena, rows->updated),
            text_from_count(arena, rows->deleted));
    }
}

static void
print_failure(const struct screen *screen, const struct trace_failure *failure)
{
    fprintf(screen->out, "  failed   %s%s%s\n", failure->sqlstate ? failure->sqlstate : "",
        failure->sqlstate ? ": " : "", render_clean(screen->arena, failure->message));
    if (failure->detail)
        fprintf(screen->out, "           %s\n", render_clean(screen->arena, failure->detail));
    if (failure->place.file)
        fprintf(screen->out, "           %s:%u\n",
            render_clean(screen->arena, render_path(failure->place.file)), failure->place.line);
}

static void
print_downgrade(const struct screen *screen)
{
    const struct trace_downgrade *downgrade = &screen->revision->downgrade;

    switch (downgrade->result) {
    case TRACE_DOWNGRADE_NOT_TRIED:
        break;
    case TRACE_DOWNGRADE_BACK:
        fprintf(screen->out, "  back     the catalogue is what it was, in %s\n",
            text_from_us(screen->arena, downgrade->us));
        break;
    case TRACE_DOWNGRADE_DIFFERS:
        for (size_t i = 0; i < downgrade->differences.count; i++)
            fprintf(screen->out, "  back     %s\n",
                render_clean(screen->arena, downgrade->differences.items[i]));
        break;
    case TRACE_DOWNGRADE_NONE:
        fputs("  back     there is no downgrade()\n", screen->out);
        break;
    case TRACE_DOWNGRADE_FAILS:
        fputs("  back     downgrade() does not run\n", screen->out);
        print_failure(screen, &downgrade->failure);
        break;
    }
}

void
trace_print_details(struct arena *arena, FILE *out, const struct trace *trace)
{
    for (size_t i = 0; i < trace->revisions.count; i++) {
        const struct trace_revision *revision = &trace->revisions.items[i];
        const struct screen screen = { arena, out, revision };

        fprintf(out, "%s  %s\n", render_clean(arena, revision->revision->id),
            revision->revision->message ? render_clean(arena, revision->revision->message) : "");
        print_statements(&screen);
        print_locks(&screen);
        print_storage(&screen);
        for (size_t k = 0; k < revision->changes.count; k++)
            fprintf(out, "  schema   %s\n", render_clean(arena, revision->changes.items[k]));
        if (revision->is_failed)
            print_failure(&screen, &revision->failure);
        print_downgrade(&screen);
        fputc('\n', out);
    }
}

void
trace_print_end(struct arena *arena, FILE *out, const struct trace *trace)
{
    const struct trace_revision *last =
        trace->revisions.count > 0 ? &trace->revisions.items[trace->revisions.count - 1] : NULL;
    bool has_computed = false;
    bool has_lone = false;

    for (size_t i = 0; i < trace->revisions.count; i++) {
        has_computed |= trace->revisions.items[i].has_probes_left_out;
        has_lone |= trace->revisions.items[i].has_lone_statements;
    }
    if (trace->is_stopped && last)
        out_mark_line(out, MARK_FAIL, "stopped at %s, %zu of %zu; --keep-going would skip it",
            render_clean(arena, last->revision->id), trace->revisions.count, trace->wanted);
    else if (trace->failures > 0)
        out_mark_line(out, MARK_FAIL, "%zu of %zu revisions failed and were skipped",
            trace->failures, trace->revisions.count);
    else
        out_mark_line(out, MARK_OK, "every revision ran");
    if (has_computed)
        out_mark_line(out, MARK_INFO,
            "more tables were locked than probing sessions are there: waits "
            "with ~ are computed");
    if (has_lone)
        out_mark_line(
            out, MARK_INFO, "locks of statements outside a transaction are only seen in passing");
    out_mark_line(out, MARK_INFO,
        "waits: how long a reader or writer of a locked table waited; WAL: of the whole server");
    fputc('\n', out);
}
