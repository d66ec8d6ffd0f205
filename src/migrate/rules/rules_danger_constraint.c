/* Constraints that are checked, indexed or dropped while people wait. */

#include <string.h>

#include "migrate/rules/rules_danger.h"

enum {
    CHECK_NOT_VALID,
    FOREIGN_KEY_NOT_VALID,
    FOREIGN_KEY_WITHOUT_INDEX,
    UNIQUE_LOCK,
    PRIMARY_KEY_LOCK,
    PRIMARY_KEY_NULLABLE,
    EXCLUDE_LOCK,
    VALIDATE_SAME_TRANSACTION,
    NEVER_VALIDATED,
    DROP_FOREIGN_KEY,
};

#define PARENT "op.create_table('p', sa.Column('id', sa.Integer(), primary_key=True))\n"
#define NOT_VALID_CHECK \
    "op.execute('ALTER TABLE t ADD CONSTRAINT t_a_check CHECK (a > 0) NOT VALID')\n"
#define VALIDATE "op.execute('ALTER TABLE t VALIDATE CONSTRAINT t_a_check')"

static const struct rule rules[] = {
    [CHECK_NOT_VALID] = {
        .id = "check-not-valid",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a CHECK is verified for every row under ACCESS EXCLUSIVE",
        .why = "ADD CONSTRAINT … CHECK reads the whole table while ACCESS EXCLUSIVE blocks reads "
               "and writes.",
        .instead = "op.create_check_constraint('t_a_check', 't', 'a > 0',\n"
                   "                           postgresql_not_valid=True)\n"
                   "and in the next revision, under a lock that lets reads and writes pass:\n"
                   "op.execute('ALTER TABLE t VALIDATE CONSTRAINT t_a_check')",
        .fires = DANGER_TABLE "op.create_check_constraint('t_a_check', 't', 'a > 0')",
        .passes = DANGER_TABLE NOT_VALID_CHECK NEXT VALIDATE,
    },
    [FOREIGN_KEY_NOT_VALID] = {
        .id = "foreign-key-not-valid",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a foreign key is verified for every row while writes to both tables wait",
        .why = "ADD FOREIGN KEY holds SHARE ROW EXCLUSIVE on the table and on the one it refers to "
               "while it joins all rows of both: writes to either wait.",
        .instead = "op.create_foreign_key('t_a_fkey', 't', 'p', ['a'], ['id'],\n"
                   "                      postgresql_not_valid=True)\n"
                   "and in the next revision:\n"
                   "op.execute('ALTER TABLE t VALIDATE CONSTRAINT t_a_fkey')",
        .fires = PARENT DANGER_TABLE
            "op.create_foreign_key('t_a_fkey', 't', 'p', ['a'], ['id'])",
        .passes = PARENT DANGER_TABLE
            "op.execute('ALTER TABLE t ADD CONSTRAINT t_a_fkey FOREIGN KEY (a) REFERENCES p (id)"
            " NOT VALID')\n" NEXT
            "op.execute('ALTER TABLE t VALIDATE CONSTRAINT t_a_fkey')",
    },
    [FOREIGN_KEY_WITHOUT_INDEX] = {
        .id = "foreign-key-without-index",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ADVICE,
        .summary = "no index begins with the columns of a foreign key",
        .why = "PostgreSQL indexes only the side that is referred to. Each DELETE and each change "
               "of a key there reads this whole table to look for rows that still refer to it, "
               "and joins from there do the same.",
        .instead = "with op.get_context().autocommit_block():\n"
                   "    op.create_index('ix_t_a', 't', ['a'], postgresql_concurrently=True)",
        .fires = PARENT "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n"
                        "                sa.Column('a', sa.Integer(), sa.ForeignKey('p.id')))",
        .passes = PARENT
            "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n"
            "                sa.Column('a', sa.Integer(), sa.ForeignKey('p.id')))\n" NEXT
                DANGER_ALONE
            "op.create_index('ix_t_a', 't', ['a', 'id'], postgresql_concurrently=True)",
    },
    [UNIQUE_LOCK] = {
        .id = "unique-constraint-lock",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a UNIQUE constraint builds its index under ACCESS EXCLUSIVE",
        .why = "ADD CONSTRAINT … UNIQUE reads and sorts the whole table while ACCESS EXCLUSIVE "
               "blocks reads and writes, and fails at the end if there is a duplicate.",
        .instead = "with op.get_context().autocommit_block():\n"
                   "    op.create_index('t_a_key', 't', ['a'], unique=True,\n"
                   "                    postgresql_concurrently=True)\n"
                   "and in the next revision, which only changes the catalogue:\n"
                   "op.execute('ALTER TABLE t ADD CONSTRAINT t_a_key UNIQUE USING INDEX t_a_key')",
        .fires = DANGER_TABLE "op.create_unique_constraint('t_a_key', 't', ['a'])",
        .passes = DANGER_TABLE DANGER_ALONE
            "op.create_index('t_a_key', 't', ['a'], unique=True, postgresql_concurrently=True)\n"
            NEXT
            "op.execute('ALTER TABLE t ADD CONSTRAINT t_a_key UNIQUE USING INDEX t_a_key')",
    },
    [PRIMARY_KEY_LOCK] = {
        .id = "primary-key-lock",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a primary key builds its index under ACCESS EXCLUSIVE",
        .why = "ADD PRIMARY KEY reads the table for NULLs and again for the index, while ACCESS "
               "EXCLUSIVE blocks reads and writes.",
        .instead = "Make the columns NOT NULL first (see not-null-scan), build a unique index "
                   "CONCURRENTLY, then:\n"
                   "op.execute('ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX "
                   "t_pkey')",
        .fires = "op.create_table('t', sa.Column('id', sa.BigInteger(), nullable=False))\n"
            NEXT "op.create_primary_key('t_pkey', 't', ['id'])",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), nullable=False))\n"
            NEXT DANGER_ALONE
            "op.create_index('t_pkey', 't', ['id'], unique=True, postgresql_concurrently=True)\n"
            NEXT
            "op.execute('ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_pkey')",
    },
    [PRIMARY_KEY_NULLABLE] = {
        .id = "primary-key-nullable",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a primary key on columns that allow NULL reads the table first",
        .why = "PRIMARY KEY USING INDEX sets NOT NULL on its columns, and the server reads every "
               "row under ACCESS EXCLUSIVE to see that none is NULL.",
        .instead = "Set NOT NULL first by way of a validated CHECK (see not-null-scan).",
        .fires = "op.create_table('t', sa.Column('id', sa.BigInteger()))\n" NEXT DANGER_ALONE
            "op.create_index('t_pkey', 't', ['id'], unique=True, postgresql_concurrently=True)\n"
            NEXT
            "op.execute('ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_pkey')",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), nullable=False))\n"
            NEXT DANGER_ALONE
            "op.create_index('t_pkey', 't', ['id'], unique=True, postgresql_concurrently=True)\n"
            NEXT
            "op.execute('ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY USING INDEX t_pkey')",
    },
    [EXCLUDE_LOCK] = {
        .id = "exclude-constraint-lock",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "an exclusion constraint builds its index under ACCESS EXCLUSIVE",
        .why = "ADD CONSTRAINT … EXCLUDE builds an index and compares all rows while ACCESS "
               "EXCLUSIVE blocks reads and writes. It can neither be NOT VALID nor take over an "
               "index.",
        .instead = "Add it while the table is small, or in a maintenance window; else make a new "
                   "table with the constraint, copy in batches and rename.",
        .fires = DANGER_TABLE
            "op.execute('ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING btree (a WITH =)')",
        .passes = "op.execute('CREATE TABLE t (id bigint PRIMARY KEY, a integer)')\n"
            "op.execute('ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING btree (a WITH =)')",
    },
    [VALIDATE_SAME_TRANSACTION] = {
        .id = "validate-in-same-transaction",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a constraint is validated under the lock that added it",
        .why = "VALIDATE itself lets reads and writes pass, but the transaction still holds the "
               "stronger lock of ADD CONSTRAINT … NOT VALID while every row is read: nothing was "
               "won by NOT VALID.",
        .instead = "Put VALIDATE CONSTRAINT into the next revision, and set "
                   "`transaction_per_migration=True` in env.py, so that the first lock is gone.",
        .fires = DANGER_TABLE NOT_VALID_CHECK VALIDATE,
        .passes = DANGER_TABLE NOT_VALID_CHECK NEXT VALIDATE,
    },
    [NEVER_VALIDATED] = {
        .id = "constraint-never-validated",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ADVICE,
        .summary = "a NOT VALID constraint that no revision validates",
        .why = "Rows from before it may break the constraint, and the planner and SET NOT NULL do "
               "not rely on it.",
        .instead = "op.execute('ALTER TABLE t VALIDATE CONSTRAINT t_a_check')\n"
                   "in a later revision.",
        .fires = DANGER_TABLE NOT_VALID_CHECK,
        .passes = DANGER_TABLE NOT_VALID_CHECK NEXT VALIDATE,
    },
    [DROP_FOREIGN_KEY] = {
        .id = "drop-constraint-lock",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "dropping a foreign key locks the table it refers to as well",
        .why = "DROP CONSTRAINT of a foreign key takes ACCESS EXCLUSIVE on both tables, as its "
               "triggers stand on both. The one that is referred to is often the busiest of all.",
        .instead = "op.execute(\"SET LOCAL lock_timeout = '2s'\") first, in a revision with "
                   "nothing else, and try again when it times out.",
        .fires = PARENT "op.execute('CREATE TABLE t (id bigint PRIMARY KEY, a integer"
                        " CONSTRAINT t_a_fkey REFERENCES p (id))')\n" NEXT
                        "op.drop_constraint('t_a_fkey', 't', type_='foreignkey')",
        .passes = DANGER_TABLE "op.create_check_constraint('t_a_check', 't', 'a > 0')\n" NEXT
                               "op.drop_constraint('t_a_check', 't', type_='check')",
    },
};

const struct rule_group rules_danger_constraint = { rules, COUNT_OF(rules) };

static const char *
name_of(const struct constraint *constraint, const char *otherwise)
{
    return constraint->name ? constraint->name : otherwise;
}

static const char *
columns_of(const struct danger *danger, const struct constraint *constraint)
{
    return text_list_join(danger->check.ctx->arena, &constraint->columns, ", ");
}

/* The two statements that do it without blocking; NULL when a name is missing. */
static const char *
in_two_steps(const struct danger *danger, const struct constraint *constraint, const char *what)
{
    const char *table = danger_table(danger);

    if (!constraint->name || !what)
        return NULL;
    return arena_printf(danger->check.ctx->arena,
        "ALTER TABLE %s ADD CONSTRAINT %s %s NOT VALID;\nand in the next revision:\n"
        "ALTER TABLE %s VALIDATE CONSTRAINT %s;",
        table, constraint->name, what, table, constraint->name);
}

static void
add_check(struct danger *danger, const struct constraint *constraint)
{
    struct finding *finding;

    if (constraint->is_not_valid)
        return;
    finding = moment_tell(&danger->now, &rules[CHECK_NOT_VALID],
        "%s reads all of %s while reads and writes wait", name_of(constraint, "a new CHECK"),
        danger_table(danger));
    if (constraint->expression)
        finding->instead = in_two_steps(danger, constraint,
            arena_printf(danger->check.ctx->arena, "CHECK (%s)", constraint->expression));
}

static void
add_foreign_key(struct danger *danger, const struct constraint *constraint)
{
    const char *target = constraint->target.name ? constraint->target.name : "its target";
    struct finding *finding;

    if (constraint->is_not_valid)
        return;
    finding = moment_tell(&danger->now, &rules[FOREIGN_KEY_NOT_VALID],
        "%s is verified for all rows of %s while writes to it and to %s wait",
        name_of(constraint, "a new foreign key"), danger_table(danger), target);
    if (constraint->columns.count > 0 && constraint->target.name && !constraint->on_delete &&
        !constraint->target.schema)
        finding->instead = in_two_steps(danger, constraint,
            arena_printf(danger->check.ctx->arena, "FOREIGN KEY (%s) REFERENCES %s%s%s%s",
                columns_of(danger, constraint), target,
                constraint->target_columns.count > 0 ? " (" : "",
                text_list_join(danger->check.ctx->arena, &constraint->target_columns, ", "),
                constraint->target_columns.count > 0 ? ")" : ""));
}

static void
add_unique(struct danger *danger, const struct constraint *constraint)
{
    const char *table = danger_table(danger);
    struct finding *finding;

    if (constraint->using_index)
        return;
    finding = moment_tell(&danger->now, &rules[UNIQUE_LOCK],
        "%s builds an index on %s while reads and writes wait",
        name_of(constraint, "a new UNIQUE constraint"), table);
    if (constraint->name && constraint->columns.count > 0)
        finding->instead = arena_printf(danger->check.ctx->arena,
            "CREATE UNIQUE INDEX CONCURRENTLY %s ON %s (%s);\nin an autocommit block, and in the "
            "next revision:\nALTER TABLE %s ADD CONSTRAINT %s UNIQUE USING INDEX %s;",
            constraint->name, table, columns_of(danger, constraint), table, constraint->name,
            constraint->name);
}

static void
add_primary_key(struct danger *danger, const struct constraint *constraint)
{
    if (!constraint->using_index)
        moment_tell(&danger->now, &rules[PRIMARY_KEY_LOCK],
            "the primary key of %s is built while reads and writes wait", danger_table(danger));
    else if (danger->effect.scans)
        moment_tell(&danger->now, &rules[PRIMARY_KEY_NULLABLE],
            "columns of the primary key of %s allow NULL: all rows are read while reads and writes "
            "wait",
            danger_table(danger));
}

static void
add_exclusion(struct danger *danger, const struct constraint *constraint)
{
    moment_tell(&danger->now, &rules[EXCLUDE_LOCK],
        "%s builds an index on %s while reads and writes wait",
        name_of(constraint, "a new exclusion constraint"), danger_table(danger));
}

static void
add_constraint(struct danger *danger)
{
    static void (*const adders[])(struct danger *, const struct constraint *) = {
        [CONSTRAINT_PRIMARY_KEY] = add_primary_key,
        [CONSTRAINT_UNIQUE] = add_unique,
        [CONSTRAINT_CHECK] = add_check,
        [CONSTRAINT_FOREIGN_KEY] = add_foreign_key,
        [CONSTRAINT_EXCLUDE] = add_exclusion,
        [CONSTRAINT_UNKNOWN] = NULL,
    };
    const struct step *step = danger->now.step;

    for (size_t i = 0; danger->is_used && i < step->constraints.count; i++)
        if (adders[step->constraints.items[i].kind])
            adders[step->constraints.items[i].kind](danger, &step->constraints.items[i]);
}

static void
validate(struct danger *danger)
{
    const struct held *held = danger_held(danger, danger->effect.table);
    struct finding *finding;

    if (!held || held->mode < LOCK_SHARE)
        return;
    finding = moment_tell(&danger->now, &rules[VALIDATE_SAME_TRANSACTION],
        "%s is validated while the transaction still holds %s on %s",
        danger->now.step->constraint_name ? danger->now.step->constraint_name : "a constraint",
        lock_mode_name(held->mode), danger_table(danger));
    finding_related(danger->check.findings, finding, held->step->place, "locked here");
}

static void
drop_constraint(struct danger *danger)
{
    const struct effect *effect = &danger->effect;

    for (size_t i = 0; danger->is_used && i < effect->locks.count; i++) {
        const struct relation *other = effect->locks.items[i].relation;

        if (other == effect->table || !relation_is_in_use(other, danger->now.revision))
            continue;
        moment_tell(&danger->now, &rules[DROP_FOREIGN_KEY],
            "dropping %s takes ACCESS EXCLUSIVE on %s as well as on %s",
            danger->now.step->constraint_name ? danger->now.step->constraint_name : "a foreign key",
            relation_label(danger->check.ctx->arena, other), danger_table(danger));
        return;
    }
}

static const struct look looks[] = {
    { STEP_ADD_CONSTRAINT, add_constraint },
    { STEP_VALIDATE_CONSTRAINT, validate },
    { STEP_DROP_CONSTRAINT, drop_constraint },
};

void
danger_of_constraint(struct danger *danger)
{
    danger_look(danger, looks, COUNT_OF(looks));
}

/* ---- what is left at the end ---- */

/* Whether the first columns of the index are those of the key, in any order. */
static bool
begins_with(const struct index *index, const struct text_list *columns)
{
    if (!index || index->where || index->keys.count < columns->count)
        return false;
    for (size_t i = 0; i < columns->count; i++)
        if (!index->keys.items[i].column || !text_list_has(columns, index->keys.items[i].column))
            return false;
    return true;
}

static bool
is_indexed(const struct relation *table, const struct constraint *key)
{
    for (size_t i = 0; i < table->indexes.count; i++)
        if (begins_with(table->indexes.items[i]->index, &key->columns))
            return true;
    return false;
}

/* A finding about a constraint where it was made. */
static void
tell_left(struct danger *danger, const struct rule *rule, const struct relation *table,
    const struct model_constraint *made, const char *message)
{
    struct arena *arena = danger->check.ctx->arena;
    struct finding *finding =
        finding_add(danger->check.findings, rule, made->origin.place, "%s", message);

    finding->object = arena_printf(arena, "%s.%s", relation_label(arena, table),
        name_of(&made->constraint, columns_of(danger, &made->constraint)));
    if (made->origin.revision < danger->check.history->count)
        finding->context = danger->check.history->items[made->origin.revision].id;
}

static void
look_left(struct danger *danger, const struct relation *table, const struct model_constraint *made)
{
    const struct constraint *constraint = &made->constraint;
    struct arena *arena = danger->check.ctx->arena;

    if (made->presence != PRESENT)
        return;
    if (constraint->is_not_valid)
        tell_left(danger, &rules[NEVER_VALIDATED], table, made,
            arena_printf(arena, "%s of %s is NOT VALID, and no revision validates it",
                name_of(constraint, "a constraint"), relation_label(arena, table)));
    if (constraint->kind == CONSTRAINT_FOREIGN_KEY && constraint->columns.count > 0 &&
        !is_indexed(table, constraint))
        tell_left(danger, &rules[FOREIGN_KEY_WITHOUT_INDEX], table, made,
            arena_printf(arena, "no index of %s begins with %s, which refers to %s",
                relation_label(arena, table), columns_of(danger, constraint),
                constraint->target.name ? constraint->target.name : "another table"));
}

void
danger_after_history(struct danger *danger)
{
    const struct map_entry *entry;
    size_t cursor = 0;

    while ((entry = map_next(&danger->now.model->relations, &cursor))) {
        const struct relation *relation = entry->value;

        if (!relation || relation->kind != RELATION_TABLE || relation->is_vague ||
            relation->presence != PRESENT || relation->is_temporary)
            continue;
        for (size_t i = 0; i < relation->constraints.count; i++)
            look_left(danger, relation, relation->constraints.items[i]);
    }
}
