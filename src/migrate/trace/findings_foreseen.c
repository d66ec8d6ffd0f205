/* Where the static analysis and what was observed disagree. */
#include "migrate/trace/teller.h"

struct seen {
    enum lock_mode mode;
    size_t statement;
    bool is_rewritten;
    bool is_truncated;
    bool is_scanned;
};

static struct seen
seen_of(const struct trace_revision *revision, const char *schema, const char *name)
{
    struct seen ret = { .statement = TRACE_NO_STATEMENT };

    for (size_t i = 0; i < revision->locks.count; i++) {
        const struct trace_lock *lock = &revision->locks.items[i];

        if (text_equal(lock->relation.schema, schema) && text_equal(lock->relation.name, name) &&
            lock->mode > ret.mode) {
            ret.mode = lock->mode;
            ret.statement = lock->statement;
        }
    }
    for (size_t i = 0; i < revision->rewrites.count; i++) {
        const struct trace_rewrite *rewrite = &revision->rewrites.items[i];

        if (!text_equal(rewrite->relation.schema, schema) ||
            !text_equal(rewrite->relation.name, name))
            continue;
        ret.is_truncated |= rewrite->is_truncate;
        ret.is_rewritten |= !rewrite->is_truncate;
        ret.statement = rewrite->statement;
    }
    for (size_t i = 0; i < revision->rows.count; i++)
        if (text_equal(revision->rows.items[i].table.schema, schema) &&
            text_equal(revision->rows.items[i].table.name, name))
            ret.is_scanned |= revision->rows.items[i].scans > 0;
    return ret;
}

static const struct foreseen *
foreseen_of(const struct forecast *forecast, const struct trace_name *table)
{
    for (size_t i = 0; i < forecast->tables.count; i++)
        if (text_equal(forecast->tables.items[i].schema, table->schema) &&
            text_equal(forecast->tables.items[i].name, table->name))
            return &forecast->tables.items[i];
    return NULL;
}

static void
tell_disagreement(const struct teller *teller, enum observed_rule rule, struct place place,
    const char *object, const char *message)
{
    struct finding *finding = teller_tell(teller, rule, place, message);

    finding->object = object;
}

static void
tell_surprise(const struct teller *teller, const struct trace_lock *lock)
{
    const struct trace_revision *revision = teller->revision;
    const struct foreseen *foreseen = foreseen_of(teller->forecast, &lock->relation);
    const char *label = trace_label(teller->arena, &lock->relation);
    struct seen seen = seen_of(revision, lock->relation.schema, lock->relation.name);
    enum lock_mode mode = foreseen ? foreseen->mode : LOCK_NONE;

    if (lock->mode != seen.mode)
        return;
    if (seen.mode >= LOCK_SHARE && seen.mode > mode)
        tell_disagreement(teller, SURPRISE, teller_place(teller, lock->statement), label,
            arena_printf(teller->arena, "%s on %s; foreseen was %s", lock_mode_name(seen.mode),
                label, mode == LOCK_NONE ? "no lock" : lock_mode_name(mode)));
    if (seen.is_rewritten && !(foreseen && foreseen->rewrites))
        tell_disagreement(teller, SURPRISE, teller_place(teller, seen.statement), label,
            arena_printf(teller->arena,
                "%s was written again, every row of it; that was not foreseen", label));
    else if (seen.is_scanned && !teller->forecast->touches_rows && lock->relation.kind == 'r' &&
             !(foreseen && foreseen->scans))
        tell_disagreement(teller, SURPRISE, teller_place(teller, lock->statement), label,
            arena_printf(
                teller->arena, "%s was read from end to end; that was not foreseen", label));
}

static void
tell_false_alarm(const struct teller *teller, const struct foreseen *foreseen)
{
    const struct trace_revision *revision = teller->revision;
    struct seen seen = seen_of(revision, foreseen->schema, foreseen->name);
    const struct trace_name name = { .schema = foreseen->schema, .name = foreseen->name };
    const char *label = trace_label(teller->arena, &name);

    if (foreseen->mode >= LOCK_SHARE && foreseen->mode > seen.mode &&
        !revision->has_lone_statements)
        tell_disagreement(teller, FALSE_ALARM, foreseen->step->place, label,
            arena_printf(teller->arena, "%s on %s was foreseen; seen was %s",
                lock_mode_name(foreseen->mode), label,
                seen.mode == LOCK_NONE ? "no lock" : lock_mode_name(seen.mode)));
    if (foreseen->rewrites && !seen.is_rewritten && !seen.is_truncated)
        tell_disagreement(teller, FALSE_ALARM, foreseen->step->place, label,
            arena_printf(teller->arena, "a rewrite of %s was foreseen and did not happen", label));
    else if (foreseen->scans && !foreseen->rewrites && !seen.is_scanned &&
             !revision->has_lone_statements && seen.mode != LOCK_NONE)
        tell_disagreement(teller, FALSE_ALARM, foreseen->step->place, label,
            arena_printf(
                teller->arena, "that all of %s is read was foreseen and did not happen", label));
}

static void
tell_locks(const struct teller *teller)
{
    const struct trace_revision *revision = teller->revision;

    for (size_t i = 0; i < revision->locks.count; i++) {
        const struct trace_lock *lock = &revision->locks.items[i];
        bool is_told = false;

        for (size_t k = 0; k < i && !is_told; k++)
            is_told = revision->locks.items[k].relation.oid == lock->relation.oid &&
                      revision->locks.items[k].mode == lock->mode;
        if (!is_told && trace_is_table(&lock->relation))
            tell_surprise(teller, lock);
    }
    for (size_t i = 0; i < teller->forecast->tables.count; i++)
        tell_false_alarm(teller, &teller->forecast->tables.items[i]);
}

/* What rows make fail is not in the text: integrity constraints, numbers that do not fit. */
static bool
is_about_rows(const char *sqlstate)
{
    return sqlstate && (text_starts_with(sqlstate, "22") || text_starts_with(sqlstate, "23"));
}

static void
tell_replay(const struct teller *teller)
{
    const struct trace_revision *revision = teller->revision;
    const struct trace_failure *failure = &revision->failure;
    const struct forecast *forecast = teller->forecast;

    if (!revision->is_failed && forecast->fails && !forecast->is_unknown)
        teller_tell(teller, REPLAY_DIFFERS, forecast->place,
            arena_printf(teller->arena, "it ran; the replay foresaw %s: %s",
                forecast->error.sqlstate, forecast->error.message));
    if (revision->is_failed && !forecast->fails && !forecast->is_unknown && failure->sqlstate &&
        !is_about_rows(failure->sqlstate))
        teller_tell(teller, REPLAY_DIFFERS,
            failure->place.file ? failure->place : teller_place(teller, TRACE_NO_STATEMENT),
            arena_printf(teller->arena, "it failed with %s; the replay foresaw no failure",
                failure->sqlstate));
}

void
teller_compare(const struct teller *teller)
{
    tell_replay(teller);
    if (!teller->revision->is_failed && !teller->forecast->is_unknown && !teller->forecast->fails)
        tell_locks(teller);
}
