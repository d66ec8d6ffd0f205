/* What a file does that Alembic or PostgreSQL will not take as it was meant; and what cannot be
 * known. */

#include <string.h>

#include "migrate/rules/rules.h"

enum {
    TRY_AROUND_DDL,
    EXECUTE_PARAMETERS,
    COMMIT_INSIDE,
    AUTOCOMMIT_SPLITS,
    DDL_ON_IMPORT,
    APPLICATION_IMPORT,
    ENVIRONMENT_DECIDES,
    ORM_IN_MIGRATION,
    NOT_OFFLINE,
    CANNOT_READ,
    SYNTAX,
    UNKNOWN_PARENT,
    CANNOT_KNOW,
    PLUGIN_OPERATION,
    READS_FILE,
    UNUSED_IGNORE,
};

static const struct rule rules[] = {
    [TRY_AROUND_DDL] = {
        .id = "try-around-ddl",
        .group = GROUP_TRAPS,
        .severity = SEVERITY_ERROR,
        .summary = "try/except around a statement inside a transaction",
        .why = "When the statement fails, PostgreSQL aborts the transaction: Python goes on, but "
               "every later statement of the revision gets SQLSTATE 25P02 \"current transaction "
               "is aborted\", also the one that records the version.",
        .instead = "Ask first (`IF EXISTS`, `if_exists=True`, an inspector), or put the statement "
                   "into a savepoint: `with op.get_bind().begin_nested(): …`.",
        .fires = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True))\n"
                 "# --- next revision\n"
                 "try:\n    op.drop_index('ix_t_name')\nexcept Exception:\n    pass",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True))\n"
                  "# --- next revision\n"
                  "op.execute('DROP INDEX IF EXISTS ix_t_name')",
    },
    [EXECUTE_PARAMETERS] = {
        .id = "execute-parameters",
        .group = GROUP_TRAPS,
        .severity = SEVERITY_ERROR,
        .summary = "op.execute() with parameters, which it does not take",
        .why = "The second argument of op.execute() is not a set of parameters. Alembic 1.8 sends "
               "the statement without them (\"A value is required for bind parameter\"), 1.19 "
               "raises a TypeError.",
        .instead = "`op.execute(sa.text('… :name').bindparams(name=value))` or "
                   "`op.get_bind().execute(sa.text('…'), {'name': value})`.",
        .fires = "op.execute(sa.text(\"SELECT :x\"), {'x': 1})",
        .passes = "op.execute(sa.text(\"SELECT :x\").bindparams(x=1))",
    },
    [COMMIT_INSIDE] = {
        .id = "commit-inside-revision",
        .group = GROUP_TRAPS,
        .severity = SEVERITY_ERROR,
        .summary = "the revision commits or begins a transaction by itself",
        .why = "What came before is there for good, what comes after runs without Alembic's "
               "transaction: a failure leaves half a revision behind, and the version table says "
               "that none of it happened.",
        .instead = "Split the revision; statements that cannot run in a transaction belong into "
                   "`with op.get_context().autocommit_block():` in a revision of their own.",
        .fires = "op.execute('CREATE TABLE t (id bigint PRIMARY KEY)')\nop.execute('COMMIT')\n"
                 "op.execute('CREATE TABLE u (id bigint PRIMARY KEY)')",
        .passes = "op.execute('CREATE TABLE t (id bigint PRIMARY KEY)')",
    },
    [AUTOCOMMIT_SPLITS] = {
        .id = "autocommit-splits-revision",
        .group = GROUP_TRAPS,
        .severity = SEVERITY_WARNING,
        .summary = "an autocommit block in a revision that does other things as well",
        .why = "Entering the block commits what came before. If something in or after it fails, "
               "half of the revision stays, and running it again fails on that half.",
        .instead = "Give the statements in the block a revision of their own, each written so "
                   "that it can run again (`IF NOT EXISTS`).",
        .fires = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True))\n"
                 "with op.get_context().autocommit_block():\n"
                 "    op.create_index('ix', 't', ['id'], postgresql_concurrently=True)",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True))\n"
                  "# --- next revision\n"
                  "with op.get_context().autocommit_block():\n"
                  "    op.create_index('ix', 't', ['id'], postgresql_concurrently=True)",
    },
    [DDL_ON_IMPORT] = {
        .id = "ddl-on-import",
        .group = GROUP_TRAPS,
        .severity = SEVERITY_ERROR,
        .summary = "an operation at the top level of the file",
        .why = "It runs when Alembic loads the folder, for `alembic heads` as well, and fails "
               "there because no migration is under way.",
        .instead = "Move it into upgrade().",
        .fires = "# file:\nfrom alembic import op\nrevision = 'r1'\ndown_revision = None\n"
                 "op.execute('CREATE TABLE t (id bigint PRIMARY KEY)')\n\n\n"
                 "def upgrade():\n    pass\n",
        .passes = "op.execute('CREATE TABLE t (id bigint PRIMARY KEY)')",
    },
    [APPLICATION_IMPORT] = {
        .id = "application-import",
        .group = GROUP_TRAPS,
        .severity = SEVERITY_WARNING,
        .summary = "the revision imports the application",
        .why = "The application changes, the revision must not: a renamed module breaks every "
               "Alembic command, and a changed model silently changes what the revision does.",
        .instead = "Copy what is needed into the file: `sa.table(…)` with the columns of that "
                   "time, literal types and values.",
        .fires = "# file:\nfrom alembic import op\nfrom app.models import User\n"
                 "revision = 'r1'\ndown_revision = None\n\n\n"
                 "def upgrade():\n    op.execute('SELECT 1')\n",
        .passes = "# file:\nfrom alembic import op\nimport sqlalchemy as sa\n"
                  "revision = 'r1'\ndown_revision = None\n\n\n"
                  "def upgrade():\n    op.execute('SELECT 1')\n",
    },
    [ENVIRONMENT_DECIDES] = {
        .id = "environment-decides",
        .group = GROUP_TRAPS,
        .severity = SEVERITY_WARNING,
        .summary = "an environment variable decides what the revision does",
        .why = "Two databases at the same revision can have different schemas, and nothing in "
               "them tells which.",
        .instead = "Write two revisions, or settle it in the data.",
        .fires = "import os\nif os.environ.get('BIG'):\n    op.execute('CREATE TABLE t (id int)')",
        .passes = "op.execute('CREATE TABLE t (id int)')",
    },
    [ORM_IN_MIGRATION] = {
        .id = "orm-in-migration",
        .group = GROUP_TRAPS,
        .severity = SEVERITY_WARNING,
        .summary = "rows are changed through an ORM session",
        .why = "The session loads rows one by one, sends statements that cannot be read here, and "
               "uses models that may have moved on.",
        .instead = "One `UPDATE … WHERE …` in batches, or `op.execute(table.update()…)` with "
                   "`sa.table`.",
        .fires = "from sqlalchemy.orm import Session\nsession = Session(bind=op.get_bind())\n"
                 "session.query(sa.table('t')).delete()\nsession.commit()",
        .passes = "op.execute('UPDATE t SET a = 1 WHERE a IS NULL')",
    },
    [NOT_OFFLINE] = {
        .id = "not-offline",
        .group = GROUP_TRAPS,
        .severity = SEVERITY_ADVICE,
        .summary = "the revision cannot be rendered as SQL",
        .why = "It uses the result of a query, so `alembic upgrade --sql` fails here: nobody can "
               "review the statements beforehand or hand them to a DBA.",
        .instead = "Write it as one SQL statement where that is possible.",
        .fires = "rows = op.get_bind().execute(sa.text('SELECT 1')).fetchall()\n"
                 "for row in rows:\n    op.execute(sa.text(f'SELECT {row[0]}'))",
        .passes = "op.execute('SELECT 1')",
    },
    [CANNOT_READ] = {
        .id = "cannot-read",
        .group = GROUP_COVERAGE,
        .severity = SEVERITY_ERROR,
        .summary = "a file that cannot be read",
        .why = "Nothing is known about it, and everything after it in the history is uncertain.",
        .instead = "Make it a readable UTF-8 text file, or move it out of the folder.",
        .fires = "# file:\n# -*- coding: klingon -*-\nrevision = 'r1'\ndown_revision = None\n",
        .passes = "op.execute('SELECT 1')",
    },
    [SYNTAX] = {
        .id = "python-syntax",
        .group = GROUP_COVERAGE,
        .severity = SEVERITY_ERROR,
        .summary = "a file that Python cannot load",
        .why = "Alembic imports every file of the folder: one syntax error stops every command, "
               "also those that do not touch the file.",
        .instead = "Mend the line.",
        .fires = "# file:\nfrom alembic import op\nrevision = 'r1'\ndown_revision = None\n\n\n"
                 "def upgrade():\n    op.execute('SELECT 1'\n",
        .passes = "op.execute('SELECT 1')",
    },
    [UNKNOWN_PARENT] = {
        .id = "unknown-revision-data",
        .group = GROUP_COVERAGE,
        .severity = SEVERITY_ERROR,
        .summary = "revision, down_revision, depends_on or branch_labels cannot be read",
        .why = "They are computed by something outside the file, so that the place of the "
               "revision in the history is not known here.",
        .instead = "Write them as literals.",
        .fires = "# file:\nfrom alembic import op\nfrom app import base\nrevision = 'r1'\n"
                 "down_revision = base.head()\n\n\ndef upgrade():\n    op.execute('SELECT 1')\n",
        .passes = "op.execute('SELECT 1')",
    },
    [CANNOT_KNOW] = {
        .id = "cannot-know",
        .group = GROUP_COVERAGE,
        .severity = SEVERITY_WARNING,
        .summary = "what this does depends on something outside the file",
        .why = "It was not guessed. What follows from it (tables, columns) is treated as "
               "uncertain, so that errors may be missing here, but no false ones are told.",
        .instead = "Write names, types and values as literals, or look at the statement itself: "
                   "`alembic upgrade --sql`.",
        .fires = "from app.settings import table_name\nop.drop_table(table_name())",
        .passes = "op.execute('SELECT 1')",
    },
    [PLUGIN_OPERATION] = {
        .id = "plugin-operation",
        .group = GROUP_COVERAGE,
        .severity = SEVERITY_ADVICE,
        .summary = "an operation that a plugin brings",
        .why = "Alembic has no operation of this name; what it does is in the plugin.",
        .instead = "Nothing has to be done; review the statements with `alembic upgrade --sql`.",
        .fires = "op.create_everything('x')",
        .passes = "op.execute('SELECT 1')",
    },
    [READS_FILE] = {
        .id = "reads-file",
        .group = GROUP_COVERAGE,
        .severity = SEVERITY_ADVICE,
        .summary = "the revision reads a file",
        .why = "The revision is only as fixed as that file is.",
        .instead = "Keep the file beside the revision, named for it, and never change it.",
        .fires = "op.execute(open('/srv/schema.sql').read())",
        .passes = "op.execute('SELECT 1')",
    },
    [UNUSED_IGNORE] = {
        .id = "unused-ignore",
        .group = GROUP_COVERAGE,
        .severity = SEVERITY_ADVICE,
        .summary = "an ignore comment that silences nothing",
        .why = "The code changed or the rule's name is wrong: the comment hides what comes next.",
        .instead = "Remove it, or correct the rule's name (`pgmend migrations rules`).",
        .fires = "op.execute('SELECT 1')  # pgmend: ignore drop-table",
        .passes = "op.execute('SELECT 1')",
    },
};

const struct rule_group rules_file = { rules, COUNT_OF(rules) };

/* What a note becomes; a rule of -1 is told by its step. */
struct note_rule {
    int rule;
    const char *format; /* with %s for the note's text */
};

static const struct note_rule note_rules[] = {
    [NOTE_CANNOT_KNOW] = { CANNOT_KNOW, "%s" },
    [NOTE_SYNTAX] = { SYNTAX, "%s" },
    [NOTE_ENVIRONMENT] = { ENVIRONMENT_DECIDES, "environment variable %s is read" },
    [NOTE_APPLICATION] = { APPLICATION_IMPORT, "%s is imported" },
    [NOTE_FILE] = { READS_FILE, "%s is read" },
    [NOTE_NEEDS_SERVER] = { NOT_OFFLINE, "%s" },
    [NOTE_PARAMETERS] = { EXECUTE_PARAMETERS, "%s" },
    [NOTE_SESSION_COMMIT] = { COMMIT_INSIDE, "%s commits what the revision did so far" },
    [NOTE_ORM] = { ORM_IN_MIGRATION, "%s" },
    [NOTE_PLUGIN] = { PLUGIN_OPERATION, "op.%s is not one of Alembic's own operations" },
    [NOTE_LIMIT] = { CANNOT_KNOW, "%s" },
};

static const char *
fill(struct arena *arena, const char *format, const char *text)
{
    const char *hole = strstr(format, "%s");

    return arena_printf(
        arena, "%.*s%s%s", (int)(hole - format), format, text ? text : "something", hole + 2);
}

static bool
has_note_at(const struct revision *revision, size_t until, const struct note *note)
{
    for (size_t i = 0; i < until; i++) {
        const struct note *other = &revision->notes.items[i];

        if (other->kind == note->kind && other->place.line == note->place.line &&
            text_equal(other->text, note->text))
            return true;
    }
    return false;
}

/* Two per kind at one line say the same; the first of long lists is enough to look at the file. */
static void
check_notes(const struct check *check, const struct revision *revision)
{
    enum { MANY = 200 };

    for (size_t i = 0; i < revision->notes.count && i < MANY; i++) {
        const struct note *note = &revision->notes.items[i];
        struct finding *finding;

        if (has_note_at(revision, i, note))
            continue;
        finding = check_tell(check, &rules[(size_t)note_rules[note->kind].rule], revision,
            note->place, fill(check->ctx->arena, note_rules[note->kind].format, note->text));
        if (note->is_downgrade && finding->severity == SEVERITY_ERROR && note->kind != NOTE_SYNTAX)
            finding->severity = SEVERITY_WARNING;
    }
}

static void
check_try(const struct check *check, const struct revision *revision)
{
    for (size_t i = 0; i < revision->upgrade.count; i++) {
        const struct step *step = &revision->upgrade.items[i];

        if (!step->in_try || step->in_autocommit || step->in_savepoint ||
            (!step_is_ddl(step) && !step_is_data(step)))
            continue;
        check_tell(check, &rules[TRY_AROUND_DDL], revision, step->place,
            arena_printf(check->ctx->arena,
                "if %s fails, the rest of the revision fails with 25P02 although the exception "
                "is caught",
                step_kind_name(step->kind)));
    }
}

static void
check_transactions(const struct check *check, const struct revision *revision)
{
    const struct step *block = NULL;
    size_t outside = 0;

    for (size_t i = 0; i < revision->upgrade.count; i++) {
        const struct step *step = &revision->upgrade.items[i];

        if (step->kind == STEP_COMMIT || step->kind == STEP_BEGIN || step->kind == STEP_ROLLBACK)
            check_tell(check, &rules[COMMIT_INSIDE], revision, step->place,
                arena_printf(check->ctx->arena, "%s in the middle of the revision",
                    step->text ? step->text : step_kind_name(step->kind)));
        if (!step_is_ddl(step) && !step_is_data(step))
            continue;
        if (!step->in_autocommit)
            outside++;
        else if (!block)
            block = step;
    }
    if (block && outside > 0)
        check_tell(check, &rules[AUTOCOMMIT_SPLITS], revision, block->place,
            arena_printf(check->ctx->arena,
                "%zu other %s of the revision can be left behind or missing when this fails",
                outside, outside == 1 ? "step" : "steps"));
}

static void
check_import_time(const struct check *check, const struct revision *revision)
{
    for (size_t i = 0; i < revision->module.count; i++)
        check_tell(check, &rules[DDL_ON_IMPORT], revision, revision->module.items[i].place,
            arena_printf(check->ctx->arena, "%s when Alembic loads the file",
                step_kind_name(revision->module.items[i].kind)));
}

/* Labels and dependencies that are not known leave the revision in its place all the same. */
static void
tell_unknown(const struct check *check, const struct revision *revision)
{
    struct place place = revision->down_place;
    struct finding *finding;

    if (!place.file)
        place = (struct place){ .file = revision->file };
    finding = check_tell(check, &rules[UNKNOWN_PARENT], revision, place, revision->unknown);
    if (revision->id && !revision->is_down_unknown)
        finding->severity = SEVERITY_WARNING;
}

bool
check_files(const struct check *check)
{
    for (size_t i = 0; i < check->history->count; i++) {
        const struct revision *revision = &check->history->items[i];

        if (revision->failure) {
            check_tell(check, &rules[CANNOT_READ], revision,
                (struct place){ .file = revision->file }, revision->failure);
            continue;
        }
        if (revision->unknown)
            tell_unknown(check, revision);
        check_notes(check, revision);
        check_try(check, revision);
        check_transactions(check, revision);
        check_import_time(check, revision);
    }
    return true;
}

bool
check_ignores(const struct check *check)
{
    for (size_t i = 0; i < check->history->count; i++) {
        const struct revision *revision = &check->history->items[i];

        for (size_t k = 0; k < revision->ignores.count; k++) {
            const struct ignore *ignore = &revision->ignores.items[k];
            struct place place = { .file = revision->file, .line = ignore->line };

            /* What rules of the trace silence is seen only when the history is run. */
            if (!ignore->was_used && !text_starts_with(ignore->rule, "observed-"))
                check_tell(check, &rules[UNUSED_IGNORE], revision, place,
                    fill(check->ctx->arena,
                        rule_find(ignore->rule) ? "no finding of %s is silenced here"
                                                : "there is no rule %s",
                        ignore->rule));
        }
    }
    return true;
}
