/* What code that runs during the deployment still expects, and types and partitions in use. */

#include "migrate/rules/rules_danger.h"

enum {
    RENAME_TABLE,
    MOVE_TABLE,
    RENAME_COLUMN,
    RENAME_VALUE,
    DROP_COLUMN,
    DROP_TABLE,
    DROP_VIEW,
    DROP_SCHEMA,
    ADD_VALUE_NO_ORDER,
    DOMAIN_CONSTRAINT,
    ATTACH_SCAN,
    DETACH_LOCK,
    PARTITION_LOCK,
};

#define ENUM "op.execute(\"CREATE TYPE mood AS ENUM ('ok', 'bad')\")\n" NEXT
#define VIEW "op.execute('CREATE VIEW v AS SELECT id, a FROM t')\n"
#define PARTITIONED                                                              \
    "op.execute('CREATE TABLE p (k integer NOT NULL) PARTITION BY RANGE (k)')\n" \
    "op.execute('CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)')\n" \
    "op.execute('CREATE TABLE x (k integer NOT NULL)')\n" NEXT
#define ATTACH "op.execute('ALTER TABLE p ATTACH PARTITION x FOR VALUES FROM (10) TO (20)')"

static const struct rule rules[] = {
    [RENAME_TABLE] = {
        .id = "rename-table",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a table in use gets another name",
        .why = "From the commit on, running code that still uses the old name fails with SQLSTATE "
               "42P01, and new code fails until then: no order of deployment avoids both.",
        .instead = "Leave a view of the old name in the same revision, which can be written "
                   "through as well:\n"
                   "op.rename_table('t', 'u')\n"
                   "op.execute('CREATE VIEW t AS SELECT * FROM u')\n"
                   "and drop it when no old code runs any more.",
        .fires = DANGER_TABLE "op.rename_table('t', 'u')",
        .passes = DANGER_TABLE
            "op.rename_table('t', 'u')\nop.execute('CREATE VIEW t AS SELECT * FROM u')",
    },
    [MOVE_TABLE] = {
        .id = "move-table",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a table in use moves to another schema",
        .why = "Running code that finds it through the old schema fails with SQLSTATE 42P01.",
        .instead = "Put the new schema into search_path before, or leave a view in the old one.",
        .fires = DANGER_TABLE
            "op.execute('CREATE SCHEMA s')\nop.execute('ALTER TABLE t SET SCHEMA s')",
        .passes = DANGER_TABLE "op.execute('CREATE SCHEMA s')",
    },
    [RENAME_COLUMN] = {
        .id = "rename-column",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a column in use gets another name",
        .why = "From the commit on, running code that still uses the old name fails with SQLSTATE "
               "42703, and new code fails until then.",
        .instead = "Rename only the attribute in the model: `new = Column('old', …)`. Or add a "
                   "second column, write both, fill it in batches, and drop the old one in a later "
                   "release.",
        .fires = DANGER_TABLE "op.alter_column('t', 'a', new_column_name='z')",
        .passes = DANGER_TABLE "op.add_column('t', sa.Column('z', sa.Integer()))",
    },
    [RENAME_VALUE] = {
        .id = "rename-enum-value",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "an enum value in use gets another name",
        .why = "Running code that writes the old label fails with SQLSTATE 22P02, and code that "
               "reads the new one may not know it.",
        .instead = "Add the new value, let new code write it and read both, update old rows in "
                   "batches.",
        .fires = ENUM "op.execute(\"ALTER TYPE mood RENAME VALUE 'bad' TO 'sad'\")",
        .passes = ENUM "op.execute(\"ALTER TYPE mood ADD VALUE 'sad' AFTER 'bad'\")",
    },
    [DROP_COLUMN] = {
        .id = "drop-column",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a column is dropped that running code may still read",
        .why = "Old code names every mapped column in SELECT and INSERT, and fails with SQLSTATE "
               "42703 until the deployment is over. The lock is short, but is ACCESS EXCLUSIVE.",
        .instead = "Deploy code that no longer maps the column first (in SQLAlchemy remove the "
                   "attribute, or mark it `deferred`), and drop the column in the next release.",
        .fires = DANGER_TABLE "op.drop_column('t', 'a')",
        .passes = "op.create_table('t', sa.Column('a', sa.Integer()), sa.Column('b', sa.Text()))\n"
                  "op.drop_column('t', 'b')",
    },
    [DROP_TABLE] = {
        .id = "drop-table",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a table is dropped that running code may still use",
        .why = "Code of the old release fails with SQLSTATE 42P01. ACCESS EXCLUSIVE is taken on "
               "the table and on every table that its foreign keys refer to.",
        .instead = "Remove its last use in an earlier release; drop its foreign keys first, one a "
                   "transaction; then drop it.",
        .fires = DANGER_TABLE "op.drop_table('t')",
        .passes = "op.create_table('t', sa.Column('a', sa.Integer()))\nop.drop_table('t')",
    },
    [DROP_VIEW] = {
        .id = "drop-view",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a view is dropped and not made again",
        .why = "Running code that reads it fails with SQLSTATE 42P01.",
        .instead = "Drop it when no code uses it any more. To change it, CREATE OR REPLACE VIEW, "
                   "or drop and create it in one revision.",
        .fires = DANGER_TABLE VIEW NEXT "op.execute('DROP VIEW v')",
        .passes = DANGER_TABLE VIEW NEXT "op.execute('DROP VIEW v')\n" VIEW,
    },
    [DROP_SCHEMA] = {
        .id = "drop-schema",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a schema is dropped with everything in it",
        .why = "DROP SCHEMA … CASCADE takes ACCESS EXCLUSIVE on each table in it and removes all "
               "of them with their rows, and what depends on them elsewhere.",
        .instead = "Drop the tables one by one in revisions of their own, then the empty schema "
                   "without CASCADE.",
        .fires = "op.execute('CREATE SCHEMA s')\nop.execute('CREATE TABLE s.t (id bigint)')\n"
            NEXT "op.execute('DROP SCHEMA s CASCADE')",
        .passes = "op.execute('CREATE SCHEMA s')\n" NEXT "op.execute('DROP SCHEMA s')",
    },
    [ADD_VALUE_NO_ORDER] = {
        .id = "enum-add-value-no-order",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ADVICE,
        .summary = "an enum value is added without saying where",
        .why = "It sorts after all others; ORDER BY and comparisons may then say what nobody "
               "meant, and the order cannot be changed later.",
        .instead = "op.execute(\"ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad' BEFORE 'bad'\")",
        .fires = ENUM "op.execute(\"ALTER TYPE mood ADD VALUE 'sad'\")",
        .passes = ENUM "op.execute(\"ALTER TYPE mood ADD VALUE 'sad' BEFORE 'bad'\")",
    },
    [DOMAIN_CONSTRAINT] = {
        .id = "domain-constraint",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a domain gets a constraint that every table with the domain must pass",
        .why = "ALTER DOMAIN … ADD CHECK and SET NOT NULL read every table that has a column of "
               "the domain, and hold SHARE on them meanwhile: writes wait.",
        .instead = "ALTER DOMAIN word ADD CONSTRAINT word_check CHECK (value <> '') NOT VALID;\n"
                   "and VALIDATE CONSTRAINT in a quiet hour; or a CHECK on each column.",
        .fires = "op.execute('CREATE DOMAIN word AS text')\n"
                 "op.execute('CREATE TABLE t (id bigint PRIMARY KEY, w word)')\n" NEXT
                 "op.execute(\"ALTER DOMAIN word ADD CONSTRAINT c CHECK (value <> '')\")",
        .passes = "op.execute('CREATE DOMAIN word AS text')\n"
                  "op.execute('CREATE TABLE t (id bigint PRIMARY KEY, w word)')\n" NEXT
                  "op.execute(\"ALTER DOMAIN word ADD CONSTRAINT c CHECK (value <> '') NOT VALID\")",
    },
    [ATTACH_SCAN] = {
        .id = "partition-attach-scan",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a table in use becomes a partition, and is read under ACCESS EXCLUSIVE",
        .why = "ATTACH PARTITION reads all rows to see that they belong there while ACCESS "
               "EXCLUSIVE blocks reads and writes, unless a validated CHECK proves it; a DEFAULT "
               "partition is read as well.",
        .instead = "ALTER TABLE x ADD CONSTRAINT x_k CHECK (k >= 10 AND k < 20) NOT VALID;\n"
                   "ALTER TABLE x VALIDATE CONSTRAINT x_k;\n"
                   "in two revisions, then ATTACH, then drop the CHECK.",
        .fires = PARTITIONED ATTACH,
        .passes = PARTITIONED
            "op.execute('ALTER TABLE x ADD CONSTRAINT x_k CHECK (k >= 10 AND k < 20) NOT VALID')\n"
            NEXT "op.execute('ALTER TABLE x VALIDATE CONSTRAINT x_k')\n" NEXT ATTACH,
    },
    [DETACH_LOCK] = {
        .id = "partition-detach-lock",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a partition is detached under ACCESS EXCLUSIVE on the parent",
        .why = "DETACH PARTITION blocks reads and writes of the whole partitioned table, and waits "
               "for all queries on it.",
        .instead = "with op.get_context().autocommit_block():\n"
                   "    op.execute('ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY')",
        .fires = PARTITIONED "op.execute('ALTER TABLE p DETACH PARTITION p1')",
        .passes = PARTITIONED DANGER_ALONE
            "op.execute('ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY')",
    },
    [PARTITION_LOCK] = {
        .id = "partition-create-lock",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a partition is created under ACCESS EXCLUSIVE on the parent",
        .why = "CREATE TABLE … PARTITION OF blocks reads and writes of the whole partitioned "
               "table, and waits for all queries on it.",
        .instead = "CREATE TABLE p2 (LIKE p INCLUDING DEFAULTS INCLUDING CONSTRAINTS);\n"
                   "ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (20) TO (30);\n"
                   "which takes only SHARE UPDATE EXCLUSIVE on the parent.",
        .fires = PARTITIONED
            "op.execute('CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (20) TO (30)')",
        .passes = PARTITIONED
            "op.execute('CREATE TABLE p2 (LIKE p INCLUDING DEFAULTS)')\n"
            "op.execute('ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (20) TO (30)')",
    },
};

const struct rule_group rules_danger_change = { rules, COUNT_OF(rules) };

static const char *
or_something(const char *name)
{
    return name ? name : "something";
}

static void
put_off(struct danger *danger)
{
    if (danger->is_used)
        VEC_PUSH(danger->check.ctx->arena, &danger->later,
            (struct later){ danger->now.step, danger->now.verdict });
}

static void
move_table(struct danger *danger)
{
    if (danger->is_used)
        moment_tell(&danger->now, &rules[MOVE_TABLE], "%s moves to schema %s", danger_table(danger),
            or_something(danger->now.step->new_name));
}

static void
rename_column(struct danger *danger)
{
    if (danger->is_used)
        moment_tell(&danger->now, &rules[RENAME_COLUMN],
            "running code still calls %s.%s by its old name, not %s", danger_table(danger),
            or_something(danger->now.step->column), or_something(danger->now.step->new_name));
}

/* Whether the type was there before the revision. */
static bool
is_old_type(const struct danger *danger)
{
    const struct object_name *name = &danger->now.step->object;
    const struct model_type *type =
        name->name ? model_type_find(danger->now.model, name->schema, name->name) : NULL;

    return !type || type->origin.revision != danger->now.revision->index;
}

static void
rename_value(struct danger *danger)
{
    if (is_old_type(danger))
        moment_tell(&danger->now, &rules[RENAME_VALUE],
            "running code still writes the old label of %s",
            or_something(danger->now.step->object.name));
}

static void
add_value(struct danger *danger)
{
    if (!danger->now.step->has_order && is_old_type(danger))
        moment_tell(&danger->now, &rules[ADD_VALUE_NO_ORDER],
            "'%s' sorts after all other values of %s", or_something(danger->now.step->new_name),
            or_something(danger->now.step->object.name));
}

static void
drop_column(struct danger *danger)
{
    if (danger->is_used)
        moment_tell(&danger->now, &rules[DROP_COLUMN], "running code may still read or write %s.%s",
            danger_table(danger), or_something(danger->now.step->column));
}

static void
drop_table(struct danger *danger)
{
    if (danger->is_used)
        moment_tell(&danger->now, &rules[DROP_TABLE], "running code may still use %s",
            danger_table(danger));
}

static void
drop_schema(struct danger *danger)
{
    if (danger->now.step->cascade)
        moment_tell(&danger->now, &rules[DROP_SCHEMA], "%s goes with everything that is in it",
            or_something(danger->now.step->object.name));
}

static void
alter_domain(struct danger *danger)
{
    const struct effect *effect = &danger->effect;

    for (size_t i = 0; effect->scans && i < effect->locks.count; i++) {
        if (!relation_is_in_use(effect->locks.items[i].relation, danger->now.revision))
            continue;
        moment_tell(&danger->now, &rules[DOMAIN_CONSTRAINT],
            "all rows of %s are verified while writes wait",
            relation_label(danger->check.ctx->arena, effect->locks.items[i].relation));
        return;
    }
}

static bool
has_valid_check(const struct relation *table)
{
    for (size_t i = 0; table && i < table->constraints.count; i++) {
        const struct constraint *constraint = &table->constraints.items[i]->constraint;

        if (constraint->kind == CONSTRAINT_CHECK && !constraint->is_not_valid)
            return true;
    }
    return false;
}

static void
attach_partition(struct danger *danger)
{
    if (danger->is_used && !has_valid_check(danger->effect.table))
        moment_tell(&danger->now, &rules[ATTACH_SCAN],
            "all rows of %s are read while reads and writes wait", danger_table(danger));
}

/* The other relation that a partition's statement locks. */
static const struct relation *
parent_of(const struct danger *danger)
{
    for (size_t i = 0; i < danger->effect.locks.count; i++) {
        const struct relation *relation = danger->effect.locks.items[i].relation;

        if (relation->is_partitioned && relation_is_in_use(relation, danger->now.revision) &&
            danger->effect.locks.items[i].mode == LOCK_ACCESS_EXCLUSIVE)
            return relation;
    }
    return NULL;
}

static void
detach_partition(struct danger *danger)
{
    const struct relation *parent = parent_of(danger);

    if (parent)
        moment_tell(&danger->now, &rules[DETACH_LOCK],
            "reads and writes of %s wait while the partition is detached",
            relation_label(danger->check.ctx->arena, parent));
}

static void
create_table(struct danger *danger)
{
    const struct relation *parent = danger->now.step->parent ? parent_of(danger) : NULL;

    if (parent)
        moment_tell(&danger->now, &rules[PARTITION_LOCK],
            "reads and writes of %s wait while the partition is created",
            relation_label(danger->check.ctx->arena, parent));
}

static const struct look looks[] = {
    { STEP_RENAME_TABLE, put_off },
    { STEP_SET_SCHEMA, move_table },
    { STEP_RENAME_COLUMN, rename_column },
    { STEP_RENAME_VALUE, rename_value },
    { STEP_ADD_VALUE, add_value },
    { STEP_DROP_COLUMN, drop_column },
    { STEP_DROP_TABLE, drop_table },
    { STEP_DROP_VIEW, put_off },
    { STEP_DROP_SCHEMA, drop_schema },
    { STEP_ALTER_DOMAIN, alter_domain },
    { STEP_ATTACH_PARTITION, attach_partition },
    { STEP_DETACH_PARTITION, detach_partition },
    { STEP_CREATE_TABLE, create_table },
};

void
danger_of_change(struct danger *danger)
{
    danger_look(danger, looks, COUNT_OF(looks));
}

static bool
is_there_again(const struct danger *danger)
{
    return model_relation(danger->now.model, danger->now.step->object) != NULL;
}

static void
judge_rename(struct danger *danger)
{
    const struct step *step = danger->now.step;

    if (!is_there_again(danger))
        moment_tell(&danger->now, &rules[RENAME_TABLE],
            "running code still calls %s by its old name, not %s", or_something(step->object.name),
            or_something(step->new_name));
}

static void
judge_dropped_view(struct danger *danger)
{
    if (!is_there_again(danger))
        moment_tell(&danger->now, &rules[DROP_VIEW], "running code may still read %s",
            or_something(danger->now.step->object.name));
}

static const struct look late_looks[] = {
    { STEP_RENAME_TABLE, judge_rename },
    { STEP_DROP_VIEW, judge_dropped_view },
};

void
danger_of_change_later(struct danger *danger)
{
    danger_look(danger, late_looks, COUNT_OF(late_looks));
}
