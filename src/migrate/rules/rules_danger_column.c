/* Columns that are added, retyped or made NOT NULL while people wait. */

#include "migrate/rules/rules_danger.h"

enum {
    NOT_NULL_SCAN,
    NOT_NULL_WITHOUT_DEFAULT,
    VOLATILE_DEFAULT,
    GENERATED_COLUMN,
    SERIAL_COLUMN,
    IDENTITY_COLUMN,
    INLINE_CONSTRAINT,
    TYPE_REWRITE,
    TYPE_SCAN,
    TYPE_UNKNOWN,
    ENUM_RECREATED,
    DROP_DEFAULT,
    DROP_NOT_NULL,
};

/* NOT NULL can itself be NOT VALID. */
enum { NOT_NULL_NOT_VALID_MAJOR = 18 };

#define NULLABLE "op.add_column('t', sa.Column('z', sa.BigInteger()))"

static const struct rule rules[] = {
    [NOT_NULL_SCAN] = {
        .id = "not-null-scan",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "SET NOT NULL reads every row under ACCESS EXCLUSIVE",
        .why = "The server looks for NULLs in the whole table while reads and writes wait, unless "
               "a validated CHECK (column IS NOT NULL) proves that there are none.",
        .instead = "In four revisions, so that nothing is read under a lock that blocks:\n"
                   "ALTER TABLE t ADD CONSTRAINT t_a_set CHECK (a IS NOT NULL) NOT VALID;\n"
                   "ALTER TABLE t VALIDATE CONSTRAINT t_a_set;\n"
                   "ALTER TABLE t ALTER COLUMN a SET NOT NULL;\n"
                   "ALTER TABLE t DROP CONSTRAINT t_a_set;",
        .fires = DANGER_TABLE "op.alter_column('t', 'a', nullable=False)",
        .passes = DANGER_TABLE
            "op.execute('ALTER TABLE t ADD CONSTRAINT t_a_set CHECK (a IS NOT NULL) NOT VALID')\n"
            NEXT "op.execute('ALTER TABLE t VALIDATE CONSTRAINT t_a_set')\n" NEXT
            "op.alter_column('t', 'a', nullable=False)",
    },
    [NOT_NULL_WITHOUT_DEFAULT] = {
        .id = "not-null-without-default",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a NOT NULL column without a default is added to a table with rows",
        .why = "The statement fails with SQLSTATE 23502 as soon as the table has a row. "
               "SQLAlchemy's `default=` is no help: it is not part of the DDL.",
        .instead = "op.add_column('t', sa.Column('z', sa.Integer(), nullable=False,\n"
                   "                             server_default='0'))\n"
                   "A constant default is free; or add it nullable, fill it in batches, then see "
                   "not-null-scan.",
        .fires = DANGER_TABLE "op.add_column('t', sa.Column('z', sa.Integer(), nullable=False))",
        .passes = DANGER_TABLE
            "op.add_column('t', sa.Column('z', sa.Integer(), nullable=False, server_default='0'))",
    },
    [VOLATILE_DEFAULT] = {
        .id = "volatile-default",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a new column with a volatile default rewrites the table",
        .why = "A constant or now() is stored once in the catalogue. A default that differs from "
               "row to row (gen_random_uuid(), clock_timestamp(), random(), nextval()) writes the "
               "table and all its indexes again, while ACCESS EXCLUSIVE blocks reads and writes.",
        .instead = "Three steps: add the column without a default; set the default, which is for "
                   "new rows only:\n"
                   "ALTER TABLE t ALTER COLUMN z SET DEFAULT gen_random_uuid();\n"
                   "then fill the old rows in batches.",
        .fires = DANGER_TABLE "op.add_column('t', sa.Column('z', sa.Text(),\n"
                              "    server_default=sa.text('gen_random_uuid()')))",
        .passes = DANGER_TABLE "op.add_column('t', sa.Column('z', sa.DateTime(timezone=True),\n"
                               "    server_default=sa.text('now()')))",
    },
    [GENERATED_COLUMN] = {
        .id = "generated-column",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a new stored generated column rewrites the table",
        .why = "GENERATED ALWAYS AS (…) STORED is computed for every row at once: the table and "
               "its indexes are written again under ACCESS EXCLUSIVE.",
        .instead = "Add an ordinary column, keep it up to date with a trigger, and fill the old "
                   "rows in batches; or use a view or an index on the expression. PostgreSQL 18 "
                   "has VIRTUAL generated columns, which are not stored.",
        .fires = DANGER_TABLE "op.execute('ALTER TABLE t ADD COLUMN z integer"
                              " GENERATED ALWAYS AS (a * 2) STORED')",
        .passes = DANGER_TABLE NULLABLE,
    },
    [SERIAL_COLUMN] = {
        .id = "serial-column",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a new serial column rewrites the table",
        .why = "Every row gets a number from the sequence at once: the table and its indexes are "
               "written again under ACCESS EXCLUSIVE.",
        .instead = "Add a bigint column, create the sequence, SET DEFAULT nextval('…'), and number "
                   "the old rows in batches.",
        .fires = DANGER_TABLE "op.execute('ALTER TABLE t ADD COLUMN z bigserial')",
        .passes = DANGER_TABLE NULLABLE,
    },
    [IDENTITY_COLUMN] = {
        .id = "identity-column",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a new identity column rewrites the table",
        .why = "Every row gets a number at once: the table and its indexes are written again under "
               "ACCESS EXCLUSIVE.",
        .instead = "Add a bigint column, number the rows in batches, make it NOT NULL by way of a "
                   "validated CHECK, then:\n"
                   "ALTER TABLE t ALTER COLUMN z ADD GENERATED BY DEFAULT AS IDENTITY;",
        .fires = DANGER_TABLE "op.execute('ALTER TABLE t ADD COLUMN z bigint"
                              " GENERATED BY DEFAULT AS IDENTITY')",
        .passes = DANGER_TABLE NULLABLE,
    },
    [INLINE_CONSTRAINT] = {
        .id = "inline-constraint-on-add-column",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "ADD COLUMN brings a constraint that cannot be NOT VALID",
        .why = "CHECK and UNIQUE written with the new column read the whole table under ACCESS "
               "EXCLUSIVE, although the column is empty; REFERENCES also locks the table it refers "
               "to against writes.",
        .instead = "op.add_column('t', sa.Column('z', sa.BigInteger()))\n"
                   "and add the constraint by itself: NOT VALID first, or UNIQUE USING INDEX.",
        .fires = DANGER_TABLE "op.execute('ALTER TABLE t ADD COLUMN z bigint UNIQUE')",
        .passes = DANGER_TABLE NULLABLE,
    },
    [TYPE_REWRITE] = {
        .id = "type-rewrite",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a change of type that writes the whole table again",
        .why = "The new type is stored differently, so that the table and all its indexes are "
               "written again while ACCESS EXCLUSIVE blocks reads and writes.",
        .instead = "Add a column of the new type, write both (application or trigger), fill the "
                   "old rows in batches, switch reads over, then drop the old column in a later "
                   "release.",
        .fires = DANGER_TABLE "op.alter_column('t', 'a', type_=sa.BigInteger())",
        .passes = DANGER_TABLE "op.alter_column('t', 'b', type_=sa.String(50))",
    },
    [TYPE_SCAN] = {
        .id = "type-change-scan",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "a change of type that verifies CHECK constraints for every row again",
        .why = "The change itself is free, but CHECK constraints that mention the column are made "
               "anew, and verified for all rows under ACCESS EXCLUSIVE.",
        .instead = "Drop the constraint, change the type, add the constraint NOT VALID, and "
                   "validate it in the next revision.",
        .fires = "op.create_table('t', sa.Column('b', sa.String(20)),\n"
                 "                sa.CheckConstraint(\"b <> ''\", name='t_b_check'))\n" NEXT
                 "op.alter_column('t', 'b', type_=sa.String(50))",
        .passes = DANGER_TABLE "op.alter_column('t', 'b', type_=sa.String(50))",
    },
    [TYPE_UNKNOWN] = {
        .id = "type-change-unknown",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a change of type of which nobody can tell whether it rewrites the table",
        .why = "The old or the new type is not known here (an application's own type, or the table "
               "was made elsewhere). At worst the table is written again under ACCESS EXCLUSIVE.",
        .instead = "Try it on an empty copy of the table: the statement rewrites if "
                   "pg_relation_filenode('t') is another one afterwards.",
        .fires = "op.execute('ALTER TABLE elsewhere ALTER COLUMN a TYPE bigint')",
        .passes = DANGER_TABLE "op.alter_column('t', 'b', type_=sa.Text())",
    },
    [ENUM_RECREATED] = {
        .id = "enum-type-recreated",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "an enum is replaced by another, which rewrites the table",
        .why = "Values of an enum are stored as numbers that belong to the type: moving a column "
               "to another enum writes the table and its indexes again under ACCESS EXCLUSIVE, for "
               "every table that uses it.",
        .instead = "Add values with ALTER TYPE … ADD VALUE and rename them with RENAME VALUE. To "
                   "forbid a value, add a CHECK NOT VALID instead of removing it.",
        .fires = "op.execute(\"CREATE TYPE mood AS ENUM ('ok', 'bad')\")\n"
                 "op.execute('CREATE TABLE t (id bigint PRIMARY KEY, m mood)')\n" NEXT
                 "op.execute(\"CREATE TYPE mood2 AS ENUM ('ok')\")\n"
                 "op.execute('ALTER TABLE t ALTER COLUMN m TYPE mood2 USING m::text::mood2')",
        .passes = "op.execute(\"CREATE TYPE mood AS ENUM ('ok')\")\n"
                  "op.execute('CREATE TABLE t (id bigint PRIMARY KEY, m mood)')\n" NEXT
                  "op.execute(\"ALTER TYPE mood ADD VALUE 'bad' AFTER 'ok'\")",
    },
    [DROP_DEFAULT] = {
        .id = "drop-default",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "a NOT NULL column loses its default while old code still inserts",
        .why = "Code that runs during the deployment and does not name the column in its INSERT "
               "relied on the default: from now on it fails with SQLSTATE 23502.",
        .instead = "Keep the default until no old code runs any more; drop it in a later revision, "
                   "or never.",
        .fires = DANGER_TABLE
            "op.add_column('t', sa.Column('z', sa.Integer(), nullable=False, server_default='0'))\n"
            "op.alter_column('t', 'z', server_default=None)",
        .passes = DANGER_TABLE
            "op.add_column('t', sa.Column('z', sa.Integer(), nullable=False, server_default='0'))",
    },
    [DROP_NOT_NULL] = {
        .id = "drop-not-null",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ADVICE,
        .summary = "a column may be NULL that running code takes for granted",
        .why = "Code from before the revision reads the column without expecting NULL.",
        .instead = "Deploy code that copes with NULL first.",
        .fires = "op.create_table('t', sa.Column('a', sa.Integer(), nullable=False))\n" NEXT
                 "op.alter_column('t', 'a', nullable=True)",
        .passes = DANGER_TABLE "op.alter_column('t', 'a', server_default='1')",
    },
};

const struct rule_group rules_danger_column = { rules, COUNT_OF(rules) };

static const char *
column_of(const struct danger *danger)
{
    const struct step *step = danger->now.step;

    if (step->columns.count > 0 && step->columns.items[0].name)
        return step->columns.items[0].name;
    return step->column ? step->column : "a column";
}

/* Of the ways to rewrite a table by adding a column, the one that says most. */
static int
rewriting_rule(const struct column *column)
{
    if (column->is_generated)
        return GENERATED_COLUMN;
    if (column->is_identity)
        return IDENTITY_COLUMN;
    return column->is_serial ? SERIAL_COLUMN : VOLATILE_DEFAULT;
}

static const char *
inline_constraint(const struct step *step, enum severity *ret)
{
    const char *worst = NULL;

    for (size_t i = 0; i < step->constraints.count; i++) {
        enum constraint_kind kind = step->constraints.items[i].kind;

        if (kind == CONSTRAINT_FOREIGN_KEY && !worst) {
            *ret = SEVERITY_WARNING;
            worst = "REFERENCES";
        } else if (kind == CONSTRAINT_CHECK || kind == CONSTRAINT_UNIQUE ||
                   kind == CONSTRAINT_PRIMARY_KEY) {
            *ret = SEVERITY_ERROR;
            worst = kind == CONSTRAINT_CHECK    ? "CHECK"
                    : kind == CONSTRAINT_UNIQUE ? "UNIQUE"
                                                : "PRIMARY KEY";
        }
    }
    return worst;
}

static void
add_required(struct danger *danger, const struct column *column)
{
    struct finding *finding = moment_tell(&danger->now, &rules[NOT_NULL_WITHOUT_DEFAULT],
        "adding %s as NOT NULL without a server default fails as soon as %s has a row%s",
        column_of(danger), danger_table(danger),
        column->has_client_default ? "; default= is not part of the DDL" : "");

    finding_evidence(danger->check.findings, finding, "sqlstate", "23502");
}

static void
add_column(struct danger *danger)
{
    const struct step *step = danger->now.step;
    const struct column *column = step->columns.count > 0 ? &step->columns.items[0] : NULL;
    enum severity severity = SEVERITY_ERROR;
    const char *constraint = inline_constraint(step, &severity);

    /* A table of this revision is empty, unless rows went into it. */
    if (!column || (!danger->is_used && !(danger->effect.table && danger->effect.table->is_filled)))
        return;
    if (danger->effect.rewrites && danger->is_used)
        moment_tell(&danger->now, &rules[rewriting_rule(column)],
            "adding %s writes all of %s again while reads and writes wait", column_of(danger),
            danger_table(danger));
    else if (column->is_not_null && column->default_kind == DEFAULT_NONE && column->name &&
             !column->is_serial && !column->is_identity && !column->is_generated)
        add_required(danger, column);
    if (column->default_kind == DEFAULT_UNKNOWN && danger->is_used)
        moment_tell(&danger->now, &rules[VOLATILE_DEFAULT],
            "adding %s writes all of %s again if its default %s differs from row to row",
            column_of(danger), danger_table(danger),
            column->default_text ? column->default_text : "(not known)")
            ->severity = SEVERITY_WARNING;
    if (constraint && danger->is_used)
        moment_tell(&danger->now, &rules[INLINE_CONSTRAINT],
            "%s of the new column %s %s while reads and writes of %s wait", constraint,
            column_of(danger),
            severity == SEVERITY_ERROR ? "is verified for all rows" : "locks both tables",
            danger_table(danger))
            ->severity = severity;
}

static void
set_not_null(struct danger *danger)
{
    struct arena *arena = danger->check.ctx->arena;
    const char *table = danger_table(danger);
    const char *column = column_of(danger);
    struct finding *finding;

    if (!danger->is_used || !danger->effect.scans)
        return;
    finding = moment_tell(&danger->now, &rules[NOT_NULL_SCAN],
        "all rows of %s are read for a NULL in %s while reads and writes wait", table, column);
    if (danger->check.server_major >= NOT_NULL_NOT_VALID_MAJOR)
        finding->instead = arena_printf(arena,
            "ALTER TABLE %s ADD CONSTRAINT %s_%s_not_null NOT NULL %s NOT VALID;\n"
            "and in the next revision:\nALTER TABLE %s VALIDATE CONSTRAINT %s_%s_not_null;",
            table, table, column, column, table, table, column);
    else
        finding->instead = arena_printf(arena,
            "In four revisions:\nALTER TABLE %s ADD CONSTRAINT %s_%s_set CHECK (%s IS NOT NULL) "
            "NOT VALID;\nALTER TABLE %s VALIDATE CONSTRAINT %s_%s_set;\nALTER TABLE %s ALTER "
            "COLUMN %s SET NOT NULL; -- reads nothing now\nALTER TABLE %s DROP CONSTRAINT "
            "%s_%s_set;",
            table, table, column, column, table, table, column, table, column, table, table,
            column);
}

static bool
is_enum(const struct danger *danger, const struct type *type)
{
    const struct model_type *found =
        type && type->name ? model_type_find(danger->now.model, type->schema, type->name) : NULL;

    return found && found->made_by == STEP_CREATE_ENUM;
}

static void
alter_type(struct danger *danger)
{
    struct arena *arena = danger->check.ctx->arena;
    const struct step *step = danger->now.step;
    const struct model_column *column = danger->effect.table && step->column
                                            ? relation_column(danger->effect.table, step->column)
                                            : NULL;
    const struct type *from = column ? &column->column.type : NULL;
    const char *old = from && from->name ? type_text(arena, from) : "an unknown type";
    const char *new = step->type.name ? type_text(arena, &step->type) : "an unknown type";
    int rule;

    if (!danger->is_used)
        return;
    if (danger->effect.rewrites) {
        rule =
            is_enum(danger, from) && is_enum(danger, &step->type) ? ENUM_RECREATED : TYPE_REWRITE;
        moment_tell(&danger->now, &rules[rule],
            "%s from %s to %s writes all of %s again while reads and writes wait",
            column_of(danger), old, new, danger_table(danger));
    } else if (danger->effect.scans) {
        moment_tell(&danger->now, &rules[TYPE_SCAN],
            "CHECK constraints on %s are verified for all rows of %s while reads and writes wait",
            column_of(danger), danger_table(danger));
    } else if (danger->effect.is_unknown) {
        moment_tell(&danger->now, &rules[TYPE_UNKNOWN],
            "%s from %s to %s may write all of %s again", column_of(danger), old, new,
            danger_table(danger));
    }
}

/* A default often comes back after the type was changed: the end of the revision decides. */
static void
drop_default(struct danger *danger)
{
    if (danger->is_used)
        VEC_PUSH(danger->check.ctx->arena, &danger->later,
            (struct later){ danger->now.step, danger->now.verdict });
}

static void
drop_not_null(struct danger *danger)
{
    if (danger->is_used)
        moment_tell(&danger->now, &rules[DROP_NOT_NULL], "%s of %s may be NULL from now on",
            column_of(danger), danger_table(danger));
}

static const struct look looks[] = {
    { STEP_ADD_COLUMN, add_column },
    { STEP_SET_NOT_NULL, set_not_null },
    { STEP_ALTER_TYPE, alter_type },
    { STEP_DROP_DEFAULT, drop_default },
    { STEP_DROP_NOT_NULL, drop_not_null },
};

void
danger_of_column(struct danger *danger)
{
    danger_look(danger, looks, COUNT_OF(looks));
}

static void
judge_dropped_default(struct danger *danger)
{
    const struct relation *table = model_relation(danger->now.model, danger->now.step->object);
    const struct model_column *column =
        table && danger->now.step->column ? relation_column(table, danger->now.step->column) : NULL;

    if (column && column->column.is_not_null && column->column.default_kind == DEFAULT_NONE &&
        !column->column.is_identity && !column->column.is_serial)
        moment_tell(&danger->now, &rules[DROP_DEFAULT],
            "code that inserts into %s without naming %s fails from now on",
            relation_label(danger->check.ctx->arena, table), danger->now.step->column);
}

static const struct look late_looks[] = {
    { STEP_DROP_DEFAULT, judge_dropped_default },
};

void
danger_of_column_later(struct danger *danger)
{
    danger_look(danger, late_looks, COUNT_OF(late_looks));
}
