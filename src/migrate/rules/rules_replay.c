/* The history replayed without a database: what the server would answer. */

#include <string.h>

#include "migrate/graph/region.h"
#include "migrate/rules/rules.h"
#include "migrate/rules/rules_example.h"

enum {
    CREATED_TWICE,
    TABLE_MISSING,
    COLUMN_MISSING,
    OBJECT_MISSING,
    STILL_REFERENCED,
    ABORTED,
    NOT_IN_TRANSACTION,
    NEW_VALUE_USED,
    OTHER_ERROR,
    UNCERTAIN,
    CREATED_ON_TWO_BRANCHES,
    DROPPED_ON_OTHER_BRANCH,
};

#define TABLE_T  "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True))\n"

#define CREATE_T "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True))"
#define CREATE_U "op.create_table('u', sa.Column('id', sa.BigInteger(), primary_key=True))"
#define CREATE_V "op.create_table('v', sa.Column('id', sa.BigInteger(), primary_key=True))"

static const struct rule rules[] = {
    [CREATED_TWICE] = {
        .id = "created-twice",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_ERROR,
        .summary = "an object is created that an earlier revision created",
        .why = "The server answers with an error and the history does not replay on an empty "
               "database: no new environment, test database or restore from the history.",
        .instead = "Remove the second creation (if it is unpublished), or write `IF NOT EXISTS` "
                   "when both databases with and without the object are out there.",
        .fires = TABLE_T NEXT CREATE_T,
        .passes = TABLE_T NEXT CREATE_U,
    },
    [TABLE_MISSING] = {
        .id = "table-missing",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_ERROR,
        .summary = "a table is used that does not exist at this point",
        .why = "No earlier revision creates it, or one has dropped or renamed it. The revision "
               "fails on every database that is built from the history.",
        .instead = "Create it in an earlier revision, or correct the name or the down_revision "
                   "(the file may stand at the wrong place of the history).",
        .fires = "op.add_column('missing', sa.Column('a', sa.Text()))",
        .passes = TABLE_T NEXT "op.add_column('t', sa.Column('a', sa.Text()))",
    },
    [COLUMN_MISSING] = {
        .id = "column-missing",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_ERROR,
        .summary = "a column is used that does not exist at this point",
        .why = "No earlier revision adds it, or one has dropped or renamed it. The revision "
               "fails on every database that is built from the history.",
        .instead = "Add it in an earlier revision, or correct the name.",
        .fires = TABLE_T NEXT "op.drop_column('t', 'importance')",
        .passes = TABLE_T NEXT "op.add_column('t', sa.Column('importance', sa.Text()))\n" NEXT
                               "op.drop_column('t', 'importance')",
    },
    [OBJECT_MISSING] = {
        .id = "object-missing",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_ERROR,
        .summary = "an index, constraint, type or other object is used that does not exist",
        .why = "No earlier revision creates it under this name. Names that PostgreSQL or a naming "
               "convention chose are a common cause.",
        .instead = "Correct the name: PostgreSQL calls unnamed constraints table_column_key, "
                   "table_column_fkey, table_pkey, table_column_check; or write IF EXISTS.",
        .fires = TABLE_T NEXT "op.drop_index('ix_t_name', table_name='t')",
        .passes = TABLE_T NEXT "op.create_index('ix_t_id', 't', ['id'])\n" NEXT
                               "op.drop_index('ix_t_id', table_name='t')",
    },
    [STILL_REFERENCED] = {
        .id = "still-referenced",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_ERROR,
        .summary = "an object is dropped that others still need",
        .why = "The server refuses with SQLSTATE 2BP01.",
        .instead = "Drop what depends on it first; think twice before writing CASCADE.",
        .fires = TABLE_T NEXT "op.create_table('u', sa.Column('t_id', sa.BigInteger(), "
                              "sa.ForeignKey('t.id')))\n" NEXT "op.drop_table('t')",
        .passes = TABLE_T NEXT "op.create_table('u', sa.Column('t_id', sa.BigInteger(), "
                               "sa.ForeignKey('t.id')))\n" NEXT
                               "op.drop_table('u')\nop.drop_table('t')",
    },
    [ABORTED] = {
        .id = "aborted-transaction",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_ERROR,
        .summary = "a statement in a transaction that an earlier one has already aborted",
        .why = "The exception was caught in Python, but the server refuses everything until the "
               "transaction ends (SQLSTATE 25P02).",
        .instead = "Do not catch errors of statements; ask first (IF EXISTS) or use a savepoint.",
        .fires = TABLE_T NEXT "try:\n    op.drop_index('ix_t_name')\nexcept Exception:\n"
                              "    pass\nop.add_column('t', sa.Column('a', sa.Text()))",
        .passes = TABLE_T NEXT "op.execute('DROP INDEX IF EXISTS ix_t_name')\n"
                               "op.add_column('t', sa.Column('a', sa.Text()))",
    },
    [NOT_IN_TRANSACTION] = {
        .id = "not-in-transaction",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_ERROR,
        .summary = "a statement that the server refuses inside a transaction",
        .why = "Alembic runs revisions in a transaction; CONCURRENTLY, VACUUM and their like get "
               "SQLSTATE 25001 there.",
        .instead = "`with op.get_context().autocommit_block():` in a revision of its own.",
        .fires = TABLE_T NEXT "op.execute('VACUUM t')",
        .passes = TABLE_T NEXT "with op.get_context().autocommit_block():\n"
                               "    op.execute('VACUUM t')",
    },
    [NEW_VALUE_USED] = {
        .id = "enum-value-used-too-early",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_ERROR,
        .summary = "a new enum value is used in the transaction that adds it",
        .why = "The server refuses with SQLSTATE 55P04 until the transaction that added the value "
               "is committed.",
        .instead = "Add the value in an autocommit block or a revision of its own, with "
                   "`transaction_per_migration=True` in env.py.",
        .fires = "op.execute(\"CREATE TYPE mood AS ENUM ('ok')\")\n"
                 "op.execute('CREATE TABLE t (id bigint PRIMARY KEY, m mood)')\n" NEXT
                 "op.execute(\"ALTER TYPE mood ADD VALUE 'sad'\")\n"
                 "op.execute(\"ALTER TABLE t ALTER COLUMN m SET DEFAULT 'sad'\")",
        .passes = "op.execute(\"CREATE TYPE mood AS ENUM ('ok')\")\n"
                  "op.execute('CREATE TABLE t (id bigint PRIMARY KEY, m mood)')\n" NEXT
                  "op.execute(\"ALTER TYPE mood ADD VALUE 'sad'\")\n" NEXT
                  "op.execute(\"ALTER TABLE t ALTER COLUMN m SET DEFAULT 'sad'\")",
    },
    [OTHER_ERROR] = {
        .id = "server-refuses",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_ERROR,
        .summary = "a statement that the server would refuse at this point",
        .why = "The schema that the history has built up to here does not allow it.",
        .instead = "The message is the server's own; look up the SQLSTATE in its documentation.",
        .fires = TABLE_T NEXT "op.create_primary_key('second', 't', ['id'])",
        .passes = TABLE_T,
    },
    [UNCERTAIN] = {
        .id = "replay-uncertain",
        .group = GROUP_REPLAY,
        .severity = SEVERITY_WARNING,
        .summary = "something is used that may not be there",
        .why = "It was made or dropped under a condition, or by something that cannot be read "
               "here, so that only a run can tell.",
        .instead = "`pgmend migrations trace` on a copy tells; literal, unconditional revisions "
                   "make it certain.",
        .fires = "from app.setup import make_tables\nmake_tables(op.get_bind())\n"
                 "op.add_column('somewhere', sa.Column('a', sa.Text()))",
        .passes = TABLE_T NEXT "op.add_column('t', sa.Column('a', sa.Text()))",
    },
    [CREATED_ON_TWO_BRANCHES] = {
        .id = "created-on-two-branches",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_ERROR,
        .summary = "two branches create the same object",
        .why = "Each branch works by itself; where both are applied (at the merge, or with "
               "`upgrade heads`) the second one fails.",
        .instead = "Keep the creation in one of them; re-parent the other one after it.",
        .fires = BRANCH("r1", "None", CREATE_T) NEXT BRANCH("r2", "'r1'", CREATE_U) NEXT
            BRANCH("r3", "'r1'", CREATE_U) NEXT BRANCH("r4", "('r2', 'r3')", "pass"),
        .passes = BRANCH("r1", "None", CREATE_T) NEXT BRANCH("r2", "'r1'", CREATE_U) NEXT
            BRANCH("r3", "'r1'", CREATE_V) NEXT BRANCH("r4", "('r2', 'r3')", "pass"),
    },
    [DROPPED_ON_OTHER_BRANCH] = {
        .id = "dropped-on-other-branch",
        .group = GROUP_CONFLICTS,
        .severity = SEVERITY_ERROR,
        .summary = "something is used that a parallel branch drops",
        .why = "Whether it works depends on which branch is applied first.",
        .instead = "Put one after the other: re-parent the revision that uses it before the drop, "
                   "or do without it.",
        .fires = BRANCH("r1", "None", CREATE_T) NEXT
            BRANCH("r2", "'r1'", "op.add_column('t', sa.Column('a', sa.Text()))") NEXT
            BRANCH("r3", "'r1'", "op.drop_table('t')") NEXT
            BRANCH("r4", "('r2', 'r3')", "pass"),
        .passes = BRANCH("r1", "None", CREATE_T) NEXT
            BRANCH("r2", "'r1'", "op.add_column('t', sa.Column('a', sa.Text()))") NEXT
            BRANCH("r3", "'r2'", "op.drop_table('t')"),
    },
};

const struct rule_group rules_replay = { rules, COUNT_OF(rules) };

struct sqlstate_rule {
    char sqlstate[6];
    int rule;
};

static const struct sqlstate_rule sqlstate_rules[] = {
    { "42P07", CREATED_TWICE },
    { "42701", CREATED_TWICE },
    { "42710", CREATED_TWICE },
    { "42P06", CREATED_TWICE },
    { "42723", CREATED_TWICE },
    { "42P01", TABLE_MISSING },
    { "42703", COLUMN_MISSING },
    { "42704", OBJECT_MISSING },
    { "3F000", OBJECT_MISSING },
    { "42883", OBJECT_MISSING },
    { "2BP01", STILL_REFERENCED },
    { "25P02", ABORTED },
    { "25001", NOT_IN_TRANSACTION },
    { "55P04", NEW_VALUE_USED },
};

static int
rule_of_sqlstate(const char *sqlstate)
{
    for (size_t i = 0; i < COUNT_OF(sqlstate_rules); i++)
        if (strcmp(sqlstate_rules[i].sqlstate, sqlstate) == 0)
            return sqlstate_rules[i].rule;
    return OTHER_ERROR;
}

struct watch {
    struct check check;
    struct regions regions;
};

static int
rule_of_error(
    const struct watch *watch, const struct revision *revision, const struct model_error *error)
{
    int rule = rule_of_sqlstate(error->sqlstate);

    if (!error->is_certain)
        return UNCERTAIN;
    if (!error->first ||
        !regions_are_parallel(&watch->regions, error->first->revision, revision->index))
        return rule;
    if (rule == CREATED_TWICE)
        return CREATED_ON_TWO_BRANCHES;
    if (rule == TABLE_MISSING || rule == COLUMN_MISSING || rule == OBJECT_MISSING)
        return DROPPED_ON_OTHER_BRANCH;
    return rule;
}

static const char *
what_first(int rule)
{
    switch (rule) {
    case CREATED_TWICE:
    case CREATED_ON_TWO_BRANCHES:
        return "created here";
    case ABORTED:
        return "failed here";
    case STILL_REFERENCED:
        return "needed here";
    case NEW_VALUE_USED:
        return "added here";
    default:
        return "gone since here";
    }
}

static void
failed(void *self, const struct revision *revision, const struct step *step,
    const struct model_error *error)
{
    const struct watch *watch = self;
    const struct check *check = &watch->check;
    int rule = rule_of_error(watch, revision, error);
    struct finding *finding = finding_add(check->findings, &rules[rule], step->place, "%s: %s",
        step_kind_name(step->kind), error->message);

    finding->context = revision->id;
    finding->object = error->object;
    finding_evidence(
        check->findings, finding, "sqlstate", arena_strdup(check->ctx->arena, error->sqlstate));
    finding_evidence(check->findings, finding, "message", error->message);
    if (error->first)
        finding_related(check->findings, finding, error->first->place, what_first(rule));
}

struct replay_watcher
watch_errors(const struct check *check)
{
    struct watch *self = ARENA_NEW(check->ctx->arena, struct watch);

    self->check = *check;
    regions_find(check->ctx->arena, check->graph, &self->regions);
    return (struct replay_watcher){ .self = self, .failed = failed };
}
