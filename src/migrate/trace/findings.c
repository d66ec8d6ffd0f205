/* What a trace makes of what was seen. */
#include <string.h>

#include "migrate/rules/rules_example.h"
#include "migrate/trace/teller.h"

#define GROUP_OBSERVED "Observed"
#define TABLE          "op.create_table('t', sa.Column('a', sa.Integer()), sa.Column('b', sa.Text()))\n"

static const struct rule rules[] = {
    [FAILURE] = {
        .id = "observed-failure",
        .group = GROUP_OBSERVED,
        .severity = SEVERITY_ERROR,
        .summary = "a revision fails when it is run",
        .why = "Alembic stops at this revision, and so does a deployment. What it did in its "
               "transaction was taken back; what it committed before (in an autocommit block) "
               "stays.",
        .instead = "The message is PostgreSQL's own. Mend the statement at the line that is named; "
                   "with `--keep-going` the trace goes on without the revision.",
        .fires = TABLE NEXT "op.execute('ALTER TABLE t ADD COLUMN a integer')",
        .passes = TABLE NEXT "op.execute('ALTER TABLE t ADD COLUMN IF NOT EXISTS a integer')",
    },
    [DOWNGRADE_FAILURE] = {
        .id = "observed-downgrade-failure",
        .group = GROUP_OBSERVED,
        .severity = SEVERITY_WARNING,
        .summary = "a downgrade fails when it is run",
        .why = "The way back is needed when a release goes wrong, and then it does not work.",
        .instead = "Undo in downgrade() what upgrade() does, in the opposite order.",
        .fires = EXAMPLE_FILE("r1", "None", "op.create_table('t', sa.Column('a', sa.Integer()))",
            "op.drop_table('tt')"),
        .passes = EXAMPLE_FILE("r1", "None", "op.create_table('t', sa.Column('a', sa.Integer()))",
            "op.drop_table('t')"),
    },
    [NO_DOWNGRADE] = {
        .id = "observed-no-downgrade",
        .group = GROUP_OBSERVED,
        .severity = SEVERITY_ADVICE,
        .summary = "a revision has no way back",
        .why = "downgrade() is missing or raises NotImplementedError: the way back is a backup.",
        .instead = "Where upgrade() takes no rows away, write what undoes it.",
        .fires = EXAMPLE_FILE("r1", "None", "op.create_table('t', sa.Column('a', sa.Integer()))",
            "raise NotImplementedError"),
        .passes = EXAMPLE_FILE("r1", "None", "op.create_table('t', sa.Column('a', sa.Integer()))",
            "op.drop_table('t')"),
    },
    [DOWNGRADE_DIFFERS] = {
        .id = "observed-downgrade-differs",
        .group = GROUP_OBSERVED,
        .severity = SEVERITY_WARNING,
        .summary = "a downgrade does not bring the catalogue back",
        .why = "After upgrade and downgrade the schema is not what it was before. What is left, "
               "like an enum type whose table was dropped, is in the way of the next upgrade; "
               "what is missing was there before. The order of columns does not count: nothing "
               "can bring a dropped one back to its place.",
        .instead = "Undo each step of upgrade() in downgrade(); types that create_table() made "
                   "need a DROP TYPE of their own.",
        .fires = EXAMPLE_FILE("r1", "None",
            "op.create_table('t', sa.Column('m', sa.Enum('a', 'b', name='mood')))",
            "op.drop_table('t')"),
        .passes = EXAMPLE_FILE("r1", "None",
            "op.create_table('t', sa.Column('m', sa.Enum('a', 'b', name='mood')))",
            "op.drop_table('t')\n    op.execute('DROP TYPE mood')"),
    },
    [SURPRISE] = {
        .id = "observed-surprise",
        .group = GROUP_OBSERVED,
        .severity = SEVERITY_WARNING,
        .summary = "a lock, rewrite or scan that the text of the revision does not tell",
        .why = "`migrations analyze` reads the statements; what a function, a trigger or a setting "
               "of the server does with them it cannot see. So it did not warn of this.",
        .instead = "Believe what was observed, and judge the revision by it.",
        .fires = TABLE "op.execute(\"CREATE FUNCTION lock_t() RETURNS void LANGUAGE sql "
                       "AS 'LOCK TABLE t'\")\n" NEXT "op.execute('SELECT lock_t()')",
        .passes = TABLE NEXT "op.execute('LOCK TABLE t')",
    },
    [FALSE_ALARM] = {
        .id = "observed-false-alarm",
        .group = GROUP_OBSERVED,
        .severity = SEVERITY_ADVICE,
        .summary = "a lock, rewrite or scan that was foreseen and did not happen",
        .why = "`migrations analyze` takes the worse case where the text allows several. On this "
               "server, with this schema, it did not happen.",
        .instead = "Silence the rule at this line, and say that it was traced.",
        .fires = TABLE "op.create_check_constraint('a_set', 't', 'NOT (a IS NULL)')\n" NEXT
                       "op.alter_column('t', 'a', nullable=False)",
        .passes = TABLE NEXT "op.alter_column('t', 'a', nullable=False)",
    },
    [REPLAY_DIFFERS] = {
        .id = "observed-replay-differs",
        .group = GROUP_OBSERVED,
        .severity = SEVERITY_WARNING,
        .summary = "the server took what the static replay refuses, or the other way round",
        .why = "The replay of `migrations analyze` knows what the files say. A function that is "
               "called, an extension or the server's version can make it otherwise; findings "
               "about later revisions may then be wrong too.",
        .instead = "Believe the server. Where the file hides what it does, write it in SQL that "
                   "can be read.",
        .fires = "op.execute('SELECT no_such_function()')",
        .passes = "op.execute('SELECT now()')",
    },
    [UNDER_LOCK] = {
        .id = "observed-under-lock",
        .group = GROUP_OBSERVED,
        .severity = SEVERITY_ADVICE,
        .summary = "more statements run while ACCESS EXCLUSIVE is held on a table that is in use",
        .why = "Nobody can even read the table until the transaction ends, so everything that runs "
               "after the lock was taken prolongs the standstill. It is a warning where it took "
               "longer than `--hold-limit`.",
        .instead = "Put the statement that takes the lock into a revision of its own, or last.",
        .fires = TABLE NEXT "op.add_column('t', sa.Column('c', sa.Integer()))\n"
                            "op.create_index('ix_c', 't', ['c'])",
        .passes = TABLE NEXT "op.add_column('t', sa.Column('c', sa.Integer()))",
    },
    [LONG_LOCK] = {
        .id = "observed-long-lock",
        .group = GROUP_OBSERVED,
        .severity = SEVERITY_WARNING,
        .summary = "a lock that blocks readers or writers was held for long",
        .why = "Everybody who wants the table in the blocked way waits so long; and behind him "
               "wait all who come later. On a database with other rows, or with others at work, "
               "it takes longer.",
        .instead = "Split the revision, build indexes CONCURRENTLY, add constraints NOT VALID and "
                   "validate them later, change rows in portions outside the transaction.",
        .fires = TABLE NEXT "op.execute('LOCK TABLE t IN SHARE MODE')\n"
                            "op.execute('SELECT pg_sleep(1.2)')",
        .passes = TABLE NEXT "op.execute('SELECT pg_sleep(1.2)')\n"
                             "op.execute('LOCK TABLE t IN SHARE MODE')",
    },
};

const struct rule_group trace_rules = { rules, COUNT_OF(rules) };

/* ---- small questions ---- */

bool
trace_is_table(const struct trace_name *name)
{
    return name->kind == 'r' || name->kind == 'p' || name->kind == 'm';
}

const char *
trace_label(struct arena *arena, const struct trace_name *name)
{
    if (text_equal(name->schema, "public"))
        return name->name;
    return arena_printf(arena, "%s.%s", name->schema, name->name);
}

const struct trace_lock *
trace_worst_lock(const struct trace_revision *revision)
{
    const struct trace_lock *worst = NULL;

    for (size_t i = 0; i < revision->locks.count; i++) {
        const struct trace_lock *lock = &revision->locks.items[i];

        if (trace_is_table(&lock->relation) &&
            (!worst || lock->mode > worst->mode ||
                (lock->mode == worst->mode && lock->held_us > worst->held_us)))
            worst = lock;
    }
    return worst;
}

size_t
trace_rewritten_tables(const struct trace_revision *revision)
{
    size_t count = 0;

    for (size_t i = 0; i < revision->rewrites.count; i++)
        count += !revision->rewrites.items[i].is_truncate;
    return count;
}

struct trace_wait
trace_longest_wait(const struct trace_revision *revision, bool is_writer)
{
    struct trace_wait longest = { .kind = TRACE_WAIT_NONE };

    for (size_t i = 0; i < revision->locks.count; i++) {
        const struct trace_lock *lock = &revision->locks.items[i];
        const struct trace_wait *wait = is_writer ? &lock->writer : &lock->reader;

        if (wait->kind != TRACE_WAIT_NONE &&
            (longest.kind == TRACE_WAIT_NONE || wait->us > longest.us))
            longest = *wait;
    }
    return longest;
}

/* ---- telling ---- */

struct place
teller_place(const struct teller *teller, size_t statement)
{
    const struct trace_revision *revision = teller->revision;

    if (statement < revision->statements.count && revision->statements.items[statement].place.file)
        return revision->statements.items[statement].place;
    return revision->revision->upgrade_place.file
               ? revision->revision->upgrade_place
               : (struct place){ .file = revision->revision->file };
}

struct finding *
teller_tell(
    const struct teller *teller, enum observed_rule rule, struct place place, const char *message)
{
    struct finding *finding = finding_add(teller->findings, &rules[rule], place, "%s", message);

    finding->context = teller->revision->revision->id;
    return finding;
}

static void
add(const struct teller *teller, struct finding *finding, const char *name, const char *value)
{
    if (value)
        finding_evidence(teller->findings, finding, name, value);
}

/* A statement for the screen: a byte of UTF-8 that is not the first goes with the one before. */
static const char *
one_line(struct arena *arena, const char *sql)
{
    enum { MOST = 200 };
    struct buffer text = { .arena = arena };
    bool is_blank = true;

    for (const char *c = sql; *c; c++) {
        bool is_space = *c == ' ' || *c == '\n' || *c == '\t' || *c == '\r';

        if (text.length >= MOST && ((unsigned char)*c & 0xC0) != 0x80) {
            buffer_add(&text, " …");
            break;
        }
        if (!is_space || !is_blank)
            buffer_append(&text, is_space ? " " : c, 1);
        is_blank = is_space;
    }
    return buffer_text(&text);
}

static void
add_failure(
    const struct teller *teller, struct finding *finding, const struct trace_failure *failure)
{
    add(teller, finding, "sqlstate", failure->sqlstate);
    add(teller, finding, "detail", failure->detail);
    add(teller, finding, "hint", failure->hint);
    if (failure->statement)
        add(teller, finding, "statement", one_line(teller->arena, failure->statement));
}

static void
tell_failure(const struct teller *teller)
{
    const struct trace_revision *revision = teller->revision;
    const struct trace_failure *failure = &revision->failure;
    struct place place =
        failure->place.file ? failure->place : teller_place(teller, TRACE_NO_STATEMENT);
    struct finding *finding;

    if (!revision->is_failed)
        return;
    finding = teller_tell(teller, FAILURE, place,
        arena_printf(teller->arena, "%s%s%s", failure->sqlstate ? failure->sqlstate : "",
            failure->sqlstate ? ": " : "", failure->message));
    add_failure(teller, finding, failure);
    if (revision->changes.count > 0)
        add(teller, finding, "left",
            arena_printf(teller->arena, "%zu change%s of the catalogue stay: they were committed",
                revision->changes.count, revision->changes.count == 1 ? "" : "s"));
}

static struct place
downgrade_place(const struct teller *teller, const struct trace_failure *failure)
{
    const struct revision *revision = teller->revision->revision;

    if (failure && failure->place.file)
        return failure->place;
    return revision->downgrade_place.file ? revision->downgrade_place
                                          : (struct place){ .file = revision->file };
}

static void
tell_differences(const struct teller *teller)
{
    enum { SHOWN = 5 };
    const struct trace_downgrade *downgrade = &teller->revision->downgrade;
    struct buffer text = { .arena = teller->arena };
    struct finding *finding;

    buffer_printf(&text, "%zu difference%s: ", downgrade->differences.count,
        downgrade->differences.count == 1 ? "" : "s");
    for (size_t i = 0; i < downgrade->differences.count && i < SHOWN; i++)
        buffer_printf(&text, "%s%s", i > 0 ? "; " : "", downgrade->differences.items[i]);
    if (downgrade->differences.count > SHOWN)
        buffer_printf(&text, "; and %zu more", downgrade->differences.count - SHOWN);
    if (downgrade->is_again_failed)
        buffer_printf(&text, "; upgrading again fails with %s%s%s",
            downgrade->again.sqlstate ? downgrade->again.sqlstate : "",
            downgrade->again.sqlstate ? ": " : "", downgrade->again.message);
    finding =
        teller_tell(teller, DOWNGRADE_DIFFERS, downgrade_place(teller, NULL), buffer_text(&text));
    for (size_t i = 0; i < downgrade->differences.count; i++)
        add(teller, finding, "difference", downgrade->differences.items[i]);
    for (size_t i = 0; i < downgrade->statements.count; i++)
        add(teller, finding, "mending", downgrade->statements.items[i]);
    if (downgrade->is_again_failed)
        add(teller, finding, "upgrade_again", downgrade->again.message);
}

static void
tell_downgrade(const struct teller *teller)
{
    const struct trace_downgrade *downgrade = &teller->revision->downgrade;
    const struct trace_failure *failure = &downgrade->failure;
    struct finding *finding;

    switch (downgrade->result) {
    case TRACE_DOWNGRADE_NOT_TRIED:
    case TRACE_DOWNGRADE_BACK:
        break;
    case TRACE_DOWNGRADE_DIFFERS:
        tell_differences(teller);
        break;
    case TRACE_DOWNGRADE_NONE:
        teller_tell(teller, NO_DOWNGRADE, downgrade_place(teller, failure),
            teller->revision->revision->downgrade_body == BODY_MISSING
                ? "there is no downgrade()"
                : "downgrade() raises NotImplementedError");
        break;
    case TRACE_DOWNGRADE_FAILS:
        finding = teller_tell(teller, DOWNGRADE_FAILURE, downgrade_place(teller, failure),
            arena_printf(teller->arena, "%s%s%s", failure->sqlstate ? failure->sqlstate : "",
                failure->sqlstate ? ": " : "", failure->message));
        add_failure(teller, finding, failure);
        break;
    }
}

/* ---- how long ---- */

static void
tell_under_lock(const struct teller *teller)
{
    const struct trace_revision *revision = teller->revision;

    for (size_t i = 0; i < revision->locks.count; i++) {
        const struct trace_lock *lock = &revision->locks.items[i];
        const struct trace_statement *taker;
        size_t later = 0;
        struct finding *finding;
        int64_t after_us;

        if (lock->mode != LOCK_ACCESS_EXCLUSIVE || !trace_is_table(&lock->relation) ||
            lock->statement >= revision->statements.count)
            continue;
        taker = &revision->statements.items[lock->statement];
        for (size_t k = lock->statement + 1; k < revision->statements.count; k++)
            later += taker->transaction > 0 &&
                     revision->statements.items[k].transaction == taker->transaction;
        if (later == 0)
            continue;
        after_us = lock->held_us - taker->us;
        finding = teller_tell(teller, UNDER_LOCK, teller_place(teller, lock->statement),
            arena_printf(teller->arena,
                "%zu more statement%s ran while nobody could read %s, which took %s", later,
                later == 1 ? "" : "s", trace_label(teller->arena, &lock->relation),
                text_from_us(teller->arena, after_us)));
        if (after_us > teller->tracer->options->hold_limit_us)
            finding->severity = SEVERITY_WARNING;
        finding->object = trace_label(teller->arena, &lock->relation);
        return;
    }
}

static void
tell_long_locks(const struct teller *teller)
{
    const struct trace_revision *revision = teller->revision;

    for (size_t i = 0; i < revision->locks.count; i++) {
        const struct trace_lock *lock = &revision->locks.items[i];
        const char *label = trace_label(teller->arena, &lock->relation);
        struct finding *finding;

        if (lock->mode < LOCK_SHARE || !trace_is_table(&lock->relation) ||
            lock->held_us <= teller->tracer->options->hold_limit_us)
            continue;
        finding = teller_tell(teller, LONG_LOCK, teller_place(teller, lock->statement),
            arena_printf(teller->arena, "%s on %s was held for %s%s", lock_mode_name(lock->mode),
                label, text_from_us(teller->arena, lock->held_us),
                lock->is_seen ? " at most, as seen from outside" : ""));
        finding->object = label;
        add(teller, finding, "lock", lock_mode_name(lock->mode));
        add(teller, finding, "blocks", lock_mode_blocks(lock->mode));
    }
}

void
trace_tell(struct tracer *tracer, const struct trace_revision *revision)
{
    const struct teller teller = {
        .tracer = tracer,
        .arena = tracer->ctx->arena,
        .findings = &tracer->trace->findings,
        .revision = revision,
        .forecast = &tracer->forecasts[revision->revision->index],
    };

    tell_failure(&teller);
    tell_downgrade(&teller);
    tell_under_lock(&teller);
    tell_long_locks(&teller);
    if (!tracer->has_skipped)
        teller_compare(&teller);
}

/* ---- comments that silence ---- */

static bool
is_silenced_by(const struct finding *finding, const struct ignore *ignore)
{
    uint32_t first = finding->place.line;
    uint32_t last = finding->place.end_line > first ? finding->place.end_line : first;

    return text_equal(ignore->rule, finding->rule->id) &&
           (ignore->line == 0 || (ignore->line >= first && ignore->line <= last));
}

void
trace_end_findings(struct tracer *tracer)
{
    const struct history *history = &tracer->analysis->history;
    struct findings *findings = &tracer->trace->findings;

    for (size_t i = 0; i < findings->count; i++) {
        struct finding *finding = &findings->items[i];

        for (size_t k = 0; k < history->count; k++) {
            const struct revision *revision = &history->items[k];

            if (!text_equal(revision->id, finding->context))
                continue;
            for (size_t m = 0; m < revision->ignores.count && !finding->silenced; m++)
                if (is_silenced_by(finding, &revision->ignores.items[m]))
                    finding->silenced = revision->ignores.items[m].reason
                                            ? revision->ignores.items[m].reason
                                            : "ignored in its file";
        }
    }
    findings_sort(findings);
}
