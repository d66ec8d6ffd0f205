/* Rows that a revision changes, and statements that write whole tables again. */

#include <string.h>
#include <strings.h>

#include "migrate/rules/rules_danger.h"

enum {
    UPDATE_WHOLE_TABLE,
    DELETE_WHOLE_TABLE,
    BACKFILL_IN_DDL,
    UNBATCHED,
    TRUNCATE_CASCADE,
    VACUUM_FULL,
    CLUSTER_TABLE,
    TABLE_REWRITE,
    REFRESH_LOCK,
    LOCK_TABLE,
};

#define MATVIEW                                                                   \
    DANGER_TABLE "op.execute('CREATE MATERIALIZED VIEW m AS SELECT id FROM t')\n" \
                 "op.execute('CREATE UNIQUE INDEX m_id ON m (id)')\n" NEXT

static const struct rule rules[] = {
    [UPDATE_WHOLE_TABLE] = {
        .id = "update-whole-table",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "all rows of a table are updated in one statement",
        .why = "Every row stays locked until the revision commits, so that all other writers of "
               "the table wait; the table doubles in size, and replicas fall behind.",
        .instead = "Fill in batches outside the migration, each in a transaction of its own:\n"
                   "UPDATE t SET z = 0 WHERE id BETWEEN $1 AND $1 + 9999 AND z IS NULL;\n"
                   "A constant for all rows is free as the default of ADD COLUMN.",
        .fires = DANGER_TABLE "op.execute('UPDATE t SET a = 0')",
        .passes = DANGER_TABLE "op.execute('UPDATE t SET a = 0 WHERE id = 7')",
    },
    [DELETE_WHOLE_TABLE] = {
        .id = "delete-whole-table",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "all rows of a table are deleted in one statement",
        .why = "The rows are gone, and no downgrade brings them back. Every one is locked and "
               "looked up in each table that refers to it until the revision commits, and the "
               "space is not given back.",
        .instead = "Say which rows: a WHERE. If all of them shall go, delete in batches outside "
                   "the migration, or TRUNCATE a table that nobody uses.",
        .fires = DANGER_TABLE "op.execute('DELETE FROM t')",
        .passes = DANGER_TABLE "op.execute('DELETE FROM t WHERE id = 7')",
    },
    [BACKFILL_IN_DDL] = {
        .id = "backfill-in-ddl-transaction",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "rows are changed while the transaction holds ACCESS EXCLUSIVE",
        .why = "The lock of the schema change is held until the commit: a change that takes no "
               "time blocks reads and writes for as long as the backfill runs.",
        .instead = "Three revisions: change the schema; fill in batches (or with a script outside "
                   "of Alembic); then add what needs the filled column. "
                   "`transaction_per_migration=True` in env.py keeps them apart.",
        .fires = DANGER_TABLE "op.add_column('t', sa.Column('z', sa.Integer()))\n"
                              "op.execute('UPDATE t SET z = a WHERE a IS NOT NULL')",
        .passes = DANGER_TABLE "op.add_column('t', sa.Column('z', sa.Integer()))\n" NEXT
                               "op.execute('UPDATE t SET z = a WHERE a IS NOT NULL')",
    },
    [UNBATCHED] = {
        .id = "unbatched-backfill",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ADVICE,
        .summary = "rows of a table in use are changed in one statement",
        .why = "Every row that it changes stays locked until the revision commits; with many rows "
               "the deployment hangs on it, and a time-out undoes all of it.",
        .instead = "Change a few thousand rows at a time, by ranges of the primary key, each in a "
                   "transaction of its own.",
        .fires = DANGER_TABLE "op.execute('UPDATE t SET a = 0 WHERE a IS NULL')",
        .passes = DANGER_TABLE "op.execute('UPDATE t SET a = 0 WHERE id = 7')",
    },
    [TRUNCATE_CASCADE] = {
        .id = "truncate-cascade",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "TRUNCATE … CASCADE empties every table that refers to it",
        .why = "Tables that nobody named lose all rows as well, under ACCESS EXCLUSIVE on all of "
               "them.",
        .instead = "Name each table that shall be emptied: TRUNCATE a, b; the server refuses if "
                   "one is missing.",
        .fires = DANGER_TABLE "op.execute('TRUNCATE t CASCADE')",
        .passes = DANGER_TABLE "op.execute('TRUNCATE t')",
    },
    [VACUUM_FULL] = {
        .id = "vacuum-full",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "VACUUM FULL writes the table again under ACCESS EXCLUSIVE",
        .why = "Reads and writes wait until the table and all its indexes were copied.",
        .instead = "A plain VACUUM keeps the table usable; pg_repack makes it smaller online.",
        .fires = DANGER_TABLE DANGER_ALONE "op.execute('VACUUM FULL t')",
        .passes = DANGER_TABLE DANGER_ALONE "op.execute('VACUUM t')",
    },
    [CLUSTER_TABLE] = {
        .id = "cluster",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "CLUSTER writes the table again under ACCESS EXCLUSIVE",
        .why = "Reads and writes wait until the table and all its indexes were copied in order.",
        .instead = "pg_repack --order-by sorts it online.",
        .fires = DANGER_TABLE "op.execute('CLUSTER t USING t_pkey')",
        .passes = DANGER_TABLE "op.execute('ALTER TABLE t CLUSTER ON t_pkey')",
    },
    [TABLE_REWRITE] = {
        .id = "table-rewrite",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a change of storage that writes the whole table again",
        .why = "SET LOGGED, SET UNLOGGED, SET TABLESPACE and SET ACCESS METHOD copy the table and "
               "its indexes under ACCESS EXCLUSIVE.",
        .instead = "Make a new table with the wanted storage, copy in batches, and rename.",
        .fires = DANGER_TABLE "op.execute('ALTER TABLE t SET UNLOGGED')",
        .passes = DANGER_TABLE "op.execute('ALTER TABLE t SET (fillfactor = 90)')",
    },
    [REFRESH_LOCK] = {
        .id = "refresh-matview-not-concurrent",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a materialized view is refreshed while reads of it wait",
        .why = "REFRESH MATERIALIZED VIEW holds ACCESS EXCLUSIVE on it while its query runs.",
        .instead = "op.execute('REFRESH MATERIALIZED VIEW CONCURRENTLY m')\n"
                   "which needs a unique index on plain columns.",
        .fires = MATVIEW "op.execute('REFRESH MATERIALIZED VIEW m')",
        .passes = MATVIEW "op.execute('REFRESH MATERIALIZED VIEW CONCURRENTLY m')",
    },
    [LOCK_TABLE] = {
        .id = "lock-table",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a table in use is locked by hand",
        .why = "LOCK TABLE takes ACCESS EXCLUSIVE unless it names a weaker mode, and holds it "
               "until the revision commits.",
        .instead = "Leave it to the statements, which take what they need; if rows must not change "
                   "meanwhile, lock those with SELECT … FOR UPDATE.",
        .fires = DANGER_TABLE "op.execute('LOCK TABLE t')",
        .passes = DANGER_TABLE "op.execute('LOCK TABLE t IN ROW SHARE MODE')",
    },
};

const struct rule_group rules_danger_rows = { rules, COUNT_OF(rules) };

/* WHERE id = …: few rows, found by the primary key. */
static bool
is_by_key(const struct danger *danger)
{
    struct arena *arena = danger->check.ctx->arena;
    const struct relation *table = danger->effect.table;
    const char *text = sql_plain(arena, danger->now.step->text);

    for (size_t i = 0; table && i < table->constraints.count; i++) {
        const struct constraint *constraint = &table->constraints.items[i]->constraint;
        const char *name = constraint->columns.count == 1 ? constraint->columns.items[0] : NULL;

        if (constraint->kind != CONSTRAINT_PRIMARY_KEY || !name)
            continue;
        if (strcasestr(text, arena_printf(arena, "where %s = ", name)) ||
            strcasestr(text, arena_printf(arena, "where %s in (", name)) ||
            strcasestr(text, arena_printf(arena, "where %s between ", name)))
            return true;
    }
    return false;
}

/* Data that is changed while reads of some table wait: true if it was. */
static bool
is_under_lock(struct danger *danger)
{
    const struct held *held = danger_exclusive(danger);
    struct finding *finding;

    if (!held || !danger->is_used)
        return false;
    finding = moment_tell(&danger->now, &rules[BACKFILL_IN_DDL],
        "rows of %s are changed while the transaction holds ACCESS EXCLUSIVE on %s",
        danger_table(danger), relation_label(danger->check.ctx->arena, held->relation));
    finding_related(danger->check.findings, finding, held->step->place, "locked here");
    return true;
}

static void
change_rows(struct danger *danger)
{
    const struct step *step = danger->now.step;
    bool is_update = step->kind == STEP_UPDATE;

    /* One of many keys at a time, or in a loop: batches. */
    if (!danger->is_used || (step->has_where && is_by_key(danger)))
        return;
    if (!step->has_where && !step->is_repeated)
        moment_tell(&danger->now, &rules[is_update ? UPDATE_WHOLE_TABLE : DELETE_WHOLE_TABLE],
            "every row of %s is %s, and locked until the revision commits", danger_table(danger),
            is_update ? "updated" : "deleted");
    if (!is_under_lock(danger) && step->has_where && !step->is_repeated)
        moment_tell(&danger->now, &rules[UNBATCHED],
            "all rows of %s that match are %s at once, and locked until the revision commits",
            danger_table(danger), is_update ? "updated" : "deleted");
}

/* INSERT … SELECT reads and writes for as long as there are rows; VALUES do not. */
static void
insert_rows(struct danger *danger)
{
    if (danger->now.step->tables.count > 0)
        is_under_lock(danger);
}

static void
truncate_tables(struct danger *danger)
{
    if (danger->now.step->cascade)
        moment_tell(&danger->now, &rules[TRUNCATE_CASCADE],
            "every table that refers to %s is emptied as well",
            text_list_join(danger->check.ctx->arena, &danger->now.step->values, ", "));
}

static void
vacuum(struct danger *danger)
{
    if (danger->now.step->is_full && (danger->is_used || !danger->effect.table))
        moment_tell(&danger->now, &rules[VACUUM_FULL],
            "%s is written again while reads and writes wait",
            danger->effect.table ? danger_table(danger) : "every table");
}

static void
cluster(struct danger *danger)
{
    if (danger->is_used || !danger->effect.table)
        moment_tell(&danger->now, &rules[CLUSTER_TABLE],
            "%s is written again while reads and writes wait", danger_table(danger));
}

static void
alter_table(struct danger *danger)
{
    if (danger->is_used && danger->effect.rewrites)
        moment_tell(&danger->now, &rules[TABLE_REWRITE],
            "%s is written again while reads and writes wait", danger_table(danger));
}

static void
refresh(struct danger *danger)
{
    if (danger->is_used && !danger->now.step->concurrently)
        moment_tell(&danger->now, &rules[REFRESH_LOCK],
            "reads of %s wait until it is computed anew", danger_table(danger));
}

static void
lock_by_hand(struct danger *danger)
{
    const struct effect *effect = &danger->effect;

    for (size_t i = 0; i < effect->locks.count; i++) {
        const struct relation_lock *lock = &effect->locks.items[i];

        if (lock->mode < LOCK_SHARE || !relation_is_in_use(lock->relation, danger->now.revision))
            continue;
        moment_tell(&danger->now, &rules[LOCK_TABLE], "%s on %s %s until the revision commits",
            lock_mode_name(lock->mode), relation_label(danger->check.ctx->arena, lock->relation),
            lock_mode_blocks(lock->mode));
        return;
    }
}

static const struct look looks[] = {
    { STEP_UPDATE, change_rows },
    { STEP_DELETE, change_rows },
    { STEP_INSERT, insert_rows },
    { STEP_TRUNCATE, truncate_tables },
    { STEP_VACUUM, vacuum },
    { STEP_CLUSTER, cluster },
    { STEP_ALTER_TABLE, alter_table },
    { STEP_REFRESH, refresh },
    { STEP_LOCK, lock_by_hand },
};

void
danger_of_rows(struct danger *danger)
{
    danger_look(danger, looks, COUNT_OF(looks));
}
