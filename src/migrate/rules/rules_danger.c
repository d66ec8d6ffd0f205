/* Locks and transactions; and what calls the rules about single steps. */

#include "migrate/rules/rules_danger.h"

#include <string.h>

enum {
    MISSING_TIMEOUT,
    SEVERAL_EXCLUSIVE,
    UNDER_EXCLUSIVE,
    SEVERAL_REWRITES,
};

#define SECOND                                                                   \
    "op.create_table('u', sa.Column('id', sa.BigInteger(), primary_key=True),\n" \
    "                sa.Column('a', sa.Integer()))\n"
#define ADD(table, column) "op.add_column('" table "', sa.Column('" column "', sa.Integer()))"

static const struct rule rules[] = {
    [MISSING_TIMEOUT] = {
        .id = "missing-lock-timeout",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a lock that blocks people is waited for without a limit",
        .why = "A statement that takes no time itself has to wait for the longest running query on "
               "the table, and everything that comes later queues behind it: one report that runs "
               "for minutes becomes an outage.",
        .instead = "op.execute(\"SET LOCAL lock_timeout = '2s'\") first in upgrade(), or once for "
                   "all in env.py, and try again when it fails.",
        .fires = DANGER_TABLE ADD("t", "z"),
        .passes = DANGER_TABLE "op.execute(\"SET LOCAL lock_timeout = '2s'\")\n" ADD("t", "z"),
    },
    [SEVERAL_EXCLUSIVE] = {
        .id = "several-exclusive-locks",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "one transaction takes ACCESS EXCLUSIVE on several tables in use",
        .why = "The first table stays blocked while the transaction waits for the second, and "
               "readers of both in the other order make a deadlock (SQLSTATE 40P01).",
        .instead = "A revision for each table, with `transaction_per_migration=True` in env.py.",
        .fires = SECOND DANGER_TABLE ADD("t", "z") "\n" ADD("u", "z"),
        .passes = SECOND DANGER_TABLE ADD("t", "z") "\n" NEXT ADD("u", "z"),
    },
    [UNDER_EXCLUSIVE] = {
        .id = "statements-under-exclusive-lock",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a slow statement runs while ACCESS EXCLUSIVE is held on a table in use",
        .why = "The lock of an earlier, quick statement is held until the commit: reads and writes "
               "of that table wait for the slow one as well.",
        .instead = "Put the slow statement into a revision of its own, with "
                   "`transaction_per_migration=True` in env.py.",
        .fires = DANGER_TABLE ADD("t", "z") "\nop.create_index('ix_t_a', 't', ['a'])",
        .passes = DANGER_TABLE ADD("t", "z") "\n" NEXT
                                             "op.create_index('ix_t_a', 't', ['a'])",
    },
    [SEVERAL_REWRITES] = {
        .id = "several-rewrites",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a table in use is written again more than once in a transaction",
        .why = "Each ALTER TABLE copies the whole table and its indexes; the copies of all of them "
               "take up disk space until the commit.",
        .instead = "One statement does it in one pass: ALTER TABLE t ALTER COLUMN a TYPE bigint, "
                   "ALTER COLUMN b TYPE char(3);",
        .fires = DANGER_TABLE "op.alter_column('t', 'a', type_=sa.BigInteger())\n"
                              "op.alter_column('t', 'b', type_=sa.String(5))",
        .passes = DANGER_TABLE "op.alter_column('t', 'a', type_=sa.BigInteger())",
    },
};

const struct rule_group rules_danger = { rules, COUNT_OF(rules) };

const char *
danger_table(const struct danger *danger)
{
    return relation_label(danger->check.ctx->arena, danger->effect.table);
}

void
danger_look(struct danger *danger, const struct look *looks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (looks[i].kind == danger->now.step->kind)
            looks[i].look(danger);
}

/* Relations that the model does not have are made anew for each step: names decide. */
static bool
is_same(const struct relation *a, const struct relation *b)
{
    return a == b || (text_equal(a->name, b->name) && text_equal(a->schema, b->schema));
}

const struct held *
danger_held(const struct danger *danger, const struct relation *relation)
{
    for (size_t i = 0; relation && i < danger->held.count; i++)
        if (is_same(danger->held.items[i].relation, relation))
            return &danger->held.items[i];
    return NULL;
}

const struct held *
danger_exclusive(const struct danger *danger)
{
    for (size_t i = 0; i < danger->held.count; i++)
        if (danger->held.items[i].mode == LOCK_ACCESS_EXCLUSIVE &&
            danger->held.items[i].relation->kind == RELATION_TABLE)
            return &danger->held.items[i];
    return NULL;
}

/* Commands of one ALTER TABLE are done together. */
static bool
is_same_statement(const struct step *a, const struct step *b)
{
    return a->text && text_equal(a->text, b->text) && a->place.line == b->place.line;
}

/* ---- the rules ---- */

static void
tell_timeout(struct danger *danger)
{
    const struct effect *effect = &danger->effect;

    if (danger->has_timeout || danger->has_told_timeout)
        return;
    for (size_t i = 0; i < effect->locks.count; i++) {
        const struct relation_lock *lock = &effect->locks.items[i];

        if (lock->mode < LOCK_SHARE || !relation_is_in_use(lock->relation, danger->now.revision))
            continue;
        danger->has_told_timeout = true;
        moment_tell(&danger->now, &rules[MISSING_TIMEOUT],
            "the revision waits for %s on %s without a lock_timeout", lock_mode_name(lock->mode),
            relation_label(danger->check.ctx->arena, lock->relation));
        return;
    }
}

static void
tell_several(struct danger *danger, const struct held *first, const struct relation *second)
{
    struct finding *finding;

    if (danger->has_told_several)
        return;
    danger->has_told_several = true;
    finding = moment_tell(&danger->now, &rules[SEVERAL_EXCLUSIVE],
        "the transaction takes ACCESS EXCLUSIVE on %s while it holds it on %s",
        relation_label(danger->check.ctx->arena, second),
        relation_label(danger->check.ctx->arena, first->relation));
    finding_related(danger->check.findings, finding, first->step->place, "locked here");
}

/*
 * A lock that makes the step worse than it is: on another table, or stronger than what the step
 * takes itself.
 */
static const struct held *
worsening(const struct danger *danger)
{
    const struct effect *effect = &danger->effect;
    bool is_exclusive = false;

    for (size_t i = 0; i < effect->locks.count; i++)
        is_exclusive |= effect->locks.items[i].relation == effect->table &&
                        effect->locks.items[i].mode == LOCK_ACCESS_EXCLUSIVE;
    for (size_t i = 0; i < danger->held.count; i++) {
        const struct held *held = &danger->held.items[i];

        if (held->mode == LOCK_ACCESS_EXCLUSIVE && held->relation->kind == RELATION_TABLE &&
            !is_same_statement(held->step, danger->now.step) &&
            !(is_exclusive && is_same(held->relation, effect->table)))
            return held;
    }
    return NULL;
}

static void
tell_under(struct danger *danger)
{
    const struct effect *effect = &danger->effect;
    const struct held *held;
    struct finding *finding;

    /* Changes of rows and VALIDATE have rules of their own; what is new has no rows. */
    if (danger->has_told_under || !danger->is_used || step_is_data(danger->now.step) ||
        danger->now.step->kind == STEP_VALIDATE_CONSTRAINT ||
        !(effect->scans || effect->rewrites || effect->builds_index))
        return;
    held = worsening(danger);
    if (!held)
        return;
    danger->has_told_under = true;
    finding = moment_tell(&danger->now, &rules[UNDER_EXCLUSIVE],
        "%s reads all of %s while the transaction holds ACCESS EXCLUSIVE on %s",
        step_kind_name(danger->now.step->kind), danger_table(danger),
        relation_label(danger->check.ctx->arena, held->relation));
    finding_related(danger->check.findings, finding, held->step->place, "locked here");
}

static void
tell_rewrites(struct danger *danger)
{
    const struct held *held = danger_held(danger, danger->effect.table);
    struct finding *finding;

    if (!held || !held->is_rewritten || !danger->effect.rewrites ||
        is_same_statement(held->step, danger->now.step))
        return;
    finding = moment_tell(&danger->now, &rules[SEVERAL_REWRITES],
        "%s was written again already in this transaction", danger_table(danger));
    finding_related(danger->check.findings, finding, held->step->place, "locked here");
}

/* ---- what the transaction holds ---- */

static void
hold(struct danger *danger, const struct relation_lock *lock)
{
    struct held *held = NULL;
    bool is_rewritten = danger->effect.rewrites && lock->relation == danger->effect.table;

    for (size_t i = 0; i < danger->held.count && !held; i++)
        if (is_same(danger->held.items[i].relation, lock->relation))
            held = &danger->held.items[i];
    if (!held) {
        VEC_PUSH(danger->check.ctx->arena, &danger->held,
            (struct held){ lock->relation, lock->mode, danger->now.step, is_rewritten });
        return;
    }
    if (lock->mode > held->mode) {
        held->mode = lock->mode;
        held->step = danger->now.step;
    }
    held->is_rewritten |= is_rewritten;
}

static void
hold_all(struct danger *danger)
{
    for (size_t i = 0; i < danger->effect.locks.count; i++) {
        const struct relation_lock *lock = &danger->effect.locks.items[i];
        const struct held *first = danger_exclusive(danger);

        if (!relation_is_in_use(lock->relation, danger->now.revision))
            continue;
        if (lock->mode == LOCK_ACCESS_EXCLUSIVE && lock->relation->kind == RELATION_TABLE &&
            first && !is_same(first->relation, lock->relation))
            tell_several(danger, first, lock->relation);
        hold(danger, lock);
    }
}

static void
end_transaction(struct danger *danger)
{
    danger->held.count = 0;
    danger->has_told_several = false;
    danger->has_told_under = false;
}

/* BEGIN, COMMIT and settings: whether the step is one of them. */
static bool
is_about_session(struct danger *danger)
{
    const struct step *step = danger->now.step;
    bool is_timeout =
        (step->kind == STEP_SET && text_equal(step->setting, "lock_timeout")) ||
        (step->kind == STEP_SELECT && step->text && strstr(step->text, "lock_timeout"));

    if (is_timeout)
        danger->has_timeout = !text_equal(step->setting_value, "0");
    if (step->kind == STEP_BEGIN || step->kind == STEP_COMMIT || step->kind == STEP_ROLLBACK) {
        danger->in_transaction = step->kind == STEP_BEGIN;
        end_transaction(danger);
    }
    return is_timeout || step->kind == STEP_SET || step->kind == STEP_BEGIN ||
           step->kind == STEP_COMMIT || step->kind == STEP_ROLLBACK;
}

/* ---- the watcher ---- */

static void
before_revision(void *self, const struct revision *revision, const struct model *model)
{
    struct danger *danger = self;

    danger->now = (struct moment){
        .check = &danger->check,
        .revision = revision,
        .model = model,
        .effect = &danger->effect,
    };
    danger->in_transaction = true;
    danger->has_timeout = danger->check.history->environment.sets_lock_timeout;
    danger->has_told_timeout = false;
    danger->later.count = 0;
    end_transaction(danger);
}

static void
before_step(void *self, const struct revision *revision, const struct step *step,
    enum verdict verdict, const struct model *model)
{
    struct danger *danger = self;

    (void)revision;
    if (verdict == VERDICT_NO)
        return;
    danger->now.step = step;
    danger->now.verdict = verdict;
    danger->now.model = model;
    if (step->in_autocommit)
        end_transaction(danger);
    if (is_about_session(danger) ||
        !effect_of(danger->check.ctx, model, step, danger->check.server_major, &danger->effect))
        return;
    danger->is_used = relation_is_in_use(danger->effect.table, danger->now.revision);
    danger_of_index(danger);
    danger_of_constraint(danger);
    danger_of_column(danger);
    danger_of_change(danger);
    danger_of_rows(danger);
    tell_timeout(danger);
    tell_under(danger);
    tell_rewrites(danger);
    hold_all(danger);
    if (step->in_autocommit || !danger->in_transaction)
        end_transaction(danger);
}

static void
after_revision(void *self, const struct revision *revision, const struct model *model)
{
    struct danger *danger = self;
    const struct graph *graph = danger->check.graph;

    danger->now.model = model;
    danger->now.effect = NULL;
    for (size_t i = 0; i < danger->later.count; i++) {
        danger->now.step = danger->later.items[i].step;
        danger->now.verdict = danger->later.items[i].verdict;
        danger_of_column_later(danger);
        danger_of_change_later(danger);
    }
    if (graph->order.count > 0 && revision->index == graph->order.items[graph->order.count - 1])
        danger_after_history(danger);
}

struct replay_watcher
watch_danger(const struct check *check)
{
    struct danger *danger = ARENA_NEW(check->ctx->arena, struct danger);

    danger->check = *check;
    return (struct replay_watcher){
        .self = danger,
        .before_revision = before_revision,
        .before_step = before_step,
        .after_revision = after_revision,
    };
}
