/* Data loss: what an upgrade takes away, and what its downgrade cannot bring back. */

#include "migrate/model/effect_lock.h"
#include "migrate/rules/rules_example.h"
#include "migrate/rules/rules_step.h"

/* More things than this are counted, not named. */
enum { NAMED_MOST = 3 };

enum {
    DROP_COLUMN,
    DROP_TABLE,
    TRUNCATE_DATA,
    DELETE_ROWS,
    LOSSY_CAST,
    DROP_CASCADE,
    CANNOT_RESTORE,
    DOWNGRADE_FAILS,
    NOT_REVERSIBLE,
};

#define TABLE                                                                    \
    "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n" \
    "                sa.Column('a', sa.Integer()), sa.Column('b', sa.String(20)))\n" NEXT

/* The two revisions of an example with a downgrade. */
#define FIRST                                                                            \
    "# file: 01.py\nfrom alembic import op\nimport sqlalchemy as sa\nrevision = 'r1'\n"  \
    "down_revision = None\n\n\ndef upgrade():\n"                                         \
    "    op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n"     \
    "                    sa.Column('a', sa.Integer()), sa.Column('b', sa.String(20)))\n" \
    "\n\ndef downgrade():\n    op.drop_table('t')\n" NEXT
#define SECOND(up, down)                                                                \
    "# file: 02.py\nfrom alembic import op\nimport sqlalchemy as sa\nrevision = 'r2'\n" \
    "down_revision = 'r1'\n\n\ndef upgrade():\n    " up "\n\n\ndef downgrade():\n    " down "\n"

static const struct rule rules[] = {
    [DROP_COLUMN] = {
        .id = "drop-column-with-data",
        .group = GROUP_DATA,
        .severity = SEVERITY_WARNING,
        .summary = "a column is dropped that may hold values",
        .why = "The values are gone with the commit; only a backup brings them back.",
        .instead = "Stop using the column first and keep it for a release. Copy what may be needed "
                   "into a table of its own before:\n"
                   "CREATE TABLE t_a_old AS SELECT id, a FROM t WHERE a IS NOT NULL;",
        .fires = TABLE "op.drop_column('t', 'a')",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n"
                  "                sa.Column('a', sa.Integer()))\nop.drop_column('t', 'a')",
    },
    [DROP_TABLE] = {
        .id = "drop-table-with-data",
        .group = GROUP_DATA,
        .severity = SEVERITY_WARNING,
        .summary = "a table is dropped that may hold rows",
        .why = "The rows are gone with the commit; only a backup brings them back.",
        .instead = "Rename it first and drop it some releases later:\n"
                   "op.rename_table('t', 't_dropped')",
        .fires = TABLE "op.drop_table('t')",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True))\n"
                  "op.drop_table('t')",
    },
    [TRUNCATE_DATA] = {
        .id = "truncate-data",
        .group = GROUP_DATA,
        .severity = SEVERITY_ERROR,
        .summary = "a table in use is emptied",
        .why = "All rows are gone with the commit. TRUNCATE takes ACCESS EXCLUSIVE, and sessions "
               "with an older snapshot (REPEATABLE READ) see the table empty as well.",
        .instead = "Delete the rows that shall go, in batches, outside the migration.",
        .fires = TABLE "op.execute('TRUNCATE t')",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True))\n"
                  "op.execute('TRUNCATE t')",
    },
    [DELETE_ROWS] = {
        .id = "delete-rows",
        .group = GROUP_DATA,
        .severity = SEVERITY_WARNING,
        .summary = "rows of a table in use are deleted",
        .why = "No downgrade brings them back, and ON DELETE CASCADE takes rows of other tables "
               "along.",
        .instead = "Copy them first: CREATE TABLE t_deleted AS SELECT * FROM t WHERE …; or mark "
                   "them as deleted.",
        .fires = TABLE "op.execute('DELETE FROM t WHERE a = 7')",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n"
                  "                sa.Column('a', sa.Integer()))\n"
                  "op.execute('DELETE FROM t WHERE a = 7')",
    },
    [LOSSY_CAST] = {
        .id = "lossy-cast",
        .group = GROUP_DATA,
        .severity = SEVERITY_WARNING,
        .summary = "a change of type that not every value survives",
        .why = "Values that do not fit make the statement fail (SQLSTATE 22001, 22003, 22P02), or "
               "are rounded or cut without a word: numeric to fewer digits, timestamps to dates, "
               "anything through USING.",
        .instead = "Look first: SELECT count(*) FROM t WHERE length(b) > 10; and keep the old "
                   "column until the new one is known to be right.",
        .fires = TABLE "op.alter_column('t', 'b', type_=sa.String(10))",
        .passes = TABLE "op.alter_column('t', 'b', type_=sa.String(30))",
    },
    [DROP_CASCADE] = {
        .id = "drop-cascade",
        .group = GROUP_DATA,
        .severity = SEVERITY_WARNING,
        .summary = "DROP … CASCADE removes what nobody named",
        .why = "Views, foreign keys, defaults and, with DROP TYPE or DROP EXTENSION, whole columns "
               "go along, on each database those that happen to be there.",
        .instead = "Drop each thing by name; without CASCADE the server says what is in the way.",
        .fires = TABLE "op.execute('DROP TABLE t CASCADE')",
        .passes = TABLE "op.execute('DROP TABLE t')",
    },
    [CANNOT_RESTORE] = {
        .id = "downgrade-cannot-restore",
        .group = GROUP_DATA,
        .severity = SEVERITY_ADVICE,
        .summary = "downgrade() makes again what was dropped, but empty",
        .why = "Whoever downgrades in an emergency gets the schema back without the data, and the "
               "old code runs on it as if nothing were missing.",
        .instead = "Let downgrade() raise, which says that there is no way back; or keep the data "
                   "in a table of its own and copy it back.",
        .fires = FIRST SECOND(
            "op.drop_column('t', 'a')", "op.add_column('t', sa.Column('a', sa.Integer()))"),
        .passes = FIRST SECOND("op.drop_column('t', 'a')", "raise NotImplementedError"),
    },
    [DOWNGRADE_FAILS] = {
        .id = "downgrade-may-fail",
        .group = GROUP_DATA,
        .severity = SEVERITY_WARNING,
        .summary = "downgrade() demands values that are not there",
        .why = "A column that comes back as NOT NULL without a default fails with SQLSTATE 23502 "
               "as soon as the table has a row, and SET NOT NULL fails if a NULL was stored since "
               "the upgrade: the way back is shut when it is needed.",
        .instead = "Give the column a server_default in downgrade(), or fill the NULLs before SET "
                   "NOT NULL.",
        .fires = FIRST SECOND("op.drop_column('t', 'a')",
            "op.add_column('t', sa.Column('a', sa.Integer(), nullable=False))"),
        .passes = FIRST SECOND("op.drop_column('t', 'a')",
            "op.add_column('t', sa.Column('a', sa.Integer(), nullable=False,\n"
            "                  server_default='0'))"),
    },
    [NOT_REVERSIBLE] = {
        .id = "backfill-not-reversible",
        .group = GROUP_DATA,
        .severity = SEVERITY_ADVICE,
        .summary = "values are overwritten that downgrade() does not bring back",
        .why = "After a downgrade the old code meets the new values.",
        .instead = "Write into a new column and leave the old one as it is; or keep the old values "
                   "in a table of their own.",
        .fires = FIRST SECOND(
            "op.execute('UPDATE t SET a = a * 100')", "op.execute('SELECT 1')"),
        .passes = FIRST SECOND("op.execute('UPDATE t SET a = a * 100')",
            "op.execute('UPDATE t SET a = a / 100')"),
    },
};

const struct rule_group rules_data = { rules, COUNT_OF(rules) };

/* What the upgrade of one revision has lost so far. */
struct watch {
    struct check check;
    const struct step *first; /* that lost something, or NULL */
    size_t count;
    struct text_list lost;     /* names of the first few */
    const struct step *update; /* overwrites values, or NULL */
    struct text_list widened;  /* tables that got a new column */
};

static bool
holds_data(const struct moment *moment, const struct relation *relation)
{
    return relation && !relation->is_temporary && relation->kind == RELATION_TABLE &&
           (relation_is_in_use(relation, moment->revision) || relation->is_filled);
}

static const char *
or_something(const char *name)
{
    return name ? name : "something";
}

/* Notes what is gone, for the verdict on the downgrade. */
static void
lose(struct watch *watch, const struct step *step, const char *what)
{
    if (!watch->first)
        watch->first = step;
    if (watch->count++ < NAMED_MOST)
        text_list_add(watch->check.ctx->arena, &watch->lost, what);
}

static void
drop_column(struct watch *watch, const struct moment *moment, const struct relation *table)
{
    const char *name = moment->step->column;
    const struct model_column *column = table && name ? relation_column(table, name) : NULL;
    struct arena *arena = watch->check.ctx->arena;
    const char *what;

    if (!holds_data(moment, table) || !name ||
        (column && column->origin.revision == moment->revision->index && !table->is_vague) ||
        (column && column->column.is_generated))
        return;
    what = arena_printf(arena, "%s.%s", relation_label(arena, table), name);
    lose(watch, moment->step, what);
    moment_tell(moment, &rules[DROP_COLUMN], "the values of %s are lost", what);
}

static void
drop_table(struct watch *watch, const struct moment *moment, const struct relation *table)
{
    const char *label = relation_label(watch->check.ctx->arena, table);

    if (!holds_data(moment, table))
        return;
    lose(watch, moment->step, label);
    moment_tell(moment, &rules[DROP_TABLE], "the rows of %s are lost", label);
}

static void
delete_rows(struct watch *watch, const struct moment *moment, const struct relation *table)
{
    struct arena *arena = watch->check.ctx->arena;
    const char *label = relation_label(arena, table);

    /* Without WHERE it is delete-whole-table, which says the same. */
    if (!holds_data(moment, table))
        return;
    lose(watch, moment->step, arena_printf(arena, "rows of %s", label));
    if (moment->step->has_where)
        moment_tell(moment, &rules[DELETE_ROWS], "rows of %s are deleted", label);
}

static void
truncate_tables(struct watch *watch, const struct moment *moment, const struct relation *unused)
{
    struct arena *arena = watch->check.ctx->arena;
    const struct text_list *names = &moment->step->values;

    (void)unused;
    for (size_t i = 0; i < names->count; i++) {
        struct object_name name = effect_name(arena, names->items[i]);
        const struct relation *table = model_relation(moment->model, name);

        if (table && !holds_data(moment, table))
            continue;
        lose(watch, moment->step, arena_printf(arena, "rows of %s", names->items[i]));
        moment_tell(moment, &rules[TRUNCATE_DATA], "all rows of %s are lost", names->items[i]);
    }
}

static void
alter_type(struct watch *watch, const struct moment *moment, const struct relation *table)
{
    const char *name = moment->step->column;
    const struct model_column *column = table && name ? relation_column(table, name) : NULL;
    struct arena *arena = watch->check.ctx->arena;
    const char *what;

    if (!column || !holds_data(moment, table) ||
        !type_change_is_lossy(&column->column.type, &moment->step->type))
        return;
    what = arena_printf(arena, "%s.%s", relation_label(arena, table), name);
    lose(watch, moment->step, what);
    moment_tell(moment, &rules[LOSSY_CAST],
        "values of %s are lost, or make the statement fail, where %s does not fit %s", what,
        type_text(arena, &column->column.type), type_text(arena, &moment->step->type));
}

static void
overwrite(struct watch *watch, const struct moment *moment, const struct relation *table)
{
    if (!watch->update && relation_is_in_use(table, moment->revision) &&
        !text_list_has(&watch->widened, table->name))
        watch->update = moment->step;
}

static void
add_column(struct watch *watch, const struct moment *moment, const struct relation *table)
{
    (void)table;
    if (moment->step->object.name)
        text_list_add(watch->check.ctx->arena, &watch->widened, moment->step->object.name);
}

static const struct {
    enum step_kind kind;
    void (*look)(struct watch *, const struct moment *, const struct relation *table);
} looks[] = {
    { STEP_ADD_COLUMN, add_column },
    { STEP_DROP_COLUMN, drop_column },
    { STEP_DROP_TABLE, drop_table },
    { STEP_DELETE, delete_rows },
    { STEP_TRUNCATE, truncate_tables },
    { STEP_ALTER_TYPE, alter_type },
    { STEP_UPDATE, overwrite },
};

/* DROP … CASCADE of what was there before; DROP SCHEMA and TRUNCATE have rules of their own. */
static void
tell_cascade(const struct moment *moment, const struct relation *table)
{
    static const enum step_kind kinds[] = { STEP_DROP_TABLE, STEP_DROP_COLUMN, STEP_DROP_CONSTRAINT,
        STEP_DROP_TYPE, STEP_DROP_SEQUENCE, STEP_DROP_VIEW, STEP_DROP_EXTENSION,
        STEP_DROP_FUNCTION };

    if (!moment->step->cascade || (table && !relation_is_in_use(table, moment->revision)))
        return;
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (kinds[i] == moment->step->kind)
            moment_tell(moment, &rules[DROP_CASCADE],
                "what depends on %s is removed as well, without being named",
                or_something(moment->step->object.name));
}

static void
before_step(void *self, const struct revision *revision, const struct step *step,
    enum verdict verdict, const struct model *model)
{
    struct watch *watch = self;
    const struct moment moment = {
        .check = &watch->check,
        .revision = revision,
        .model = model,
        .step = step,
        .verdict = verdict,
    };
    const struct relation *table;

    if (verdict == VERDICT_NO)
        return;
    table = step->object.name ? model_relation(model, step->object) : NULL;
    for (size_t i = 0; i < COUNT_OF(looks); i++)
        if (looks[i].kind == step->kind)
            looks[i].look(watch, &moment, table);
    tell_cascade(&moment, table);
}

/* ---- the downgrade ---- */

static bool
changes_data(const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        if (step_is_data(&steps->items[i]))
            return true;
    return false;
}

static void
judge_losses(const struct watch *watch, const struct revision *revision)
{
    struct arena *arena = watch->check.ctx->arena;
    const char *names = text_list_join(arena, &watch->lost, ", ");
    struct finding *finding;

    if (!watch->first || revision->downgrade.count == 0 || changes_data(&revision->downgrade))
        return;
    if (watch->count > NAMED_MOST)
        names = arena_printf(arena, "%s and %zu more", names, watch->count - NAMED_MOST);
    finding = check_tell(&watch->check, &rules[CANNOT_RESTORE], revision, revision->downgrade_place,
        arena_printf(arena, "downgrade() does not bring back what was in %s", names));
    finding_related(watch->check.findings, finding, watch->first->place, "lost here");
}

static bool
demands_value(const struct step *step)
{
    const struct column *column = step->columns.count > 0 ? &step->columns.items[0] : NULL;

    return step->kind == STEP_ADD_COLUMN && column && column->is_not_null &&
           column->default_kind == DEFAULT_NONE && !column->is_serial && !column->is_identity &&
           !column->is_generated;
}

static void
judge_demands(const struct watch *watch, const struct revision *revision, const struct model *model)
{
    const struct steps *steps = &revision->downgrade;
    struct arena *arena = watch->check.ctx->arena;
    bool is_filled = false;

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = &steps->items[i];
        const struct relation *table =
            step->object.name ? model_relation(model, step->object) : NULL;

        is_filled |= step_is_data(step);
        if (!table || is_filled || step->conditions.count > 0)
            continue;
        if (demands_value(step))
            check_tell(&watch->check, &rules[DOWNGRADE_FAILS], revision, step->place,
                arena_printf(arena,
                    "downgrade() adds %s.%s as NOT NULL without a default: it fails as soon as "
                    "there is a row",
                    relation_label(arena, table), or_something(step->columns.items[0].name)));
        if (step->kind == STEP_SET_NOT_NULL)
            check_tell(&watch->check, &rules[DOWNGRADE_FAILS], revision, step->place,
                arena_printf(arena, "downgrade() fails if %s.%s has been NULL since",
                    relation_label(arena, table), or_something(step->column)))
                ->severity = SEVERITY_ADVICE;
    }
}

static void
before_revision(void *self, const struct revision *revision, const struct model *model)
{
    struct watch *watch = self;

    (void)revision;
    (void)model;
    watch->first = NULL;
    watch->count = 0;
    watch->lost.count = 0;
    watch->update = NULL;
    watch->widened.count = 0;
}

static void
after_revision(void *self, const struct revision *revision, const struct model *model)
{
    const struct watch *watch = self;

    /* A missing, empty or raising downgrade is what it says. */
    if (revision->downgrade_body != BODY_CODE)
        return;
    judge_losses(watch, revision);
    judge_demands(watch, revision, model);
    if (watch->update && !changes_data(&revision->downgrade))
        check_tell(&watch->check, &rules[NOT_REVERSIBLE], revision, watch->update->place,
            arena_printf(watch->check.ctx->arena,
                "values of %s are overwritten, and downgrade() changes no data",
                or_something(watch->update->object.name)));
}

struct replay_watcher
watch_data(const struct check *check)
{
    struct watch *watch = ARENA_NEW(check->ctx->arena, struct watch);

    watch->check = *check;
    return (struct replay_watcher){
        .self = watch,
        .before_revision = before_revision,
        .before_step = before_step,
        .after_revision = after_revision,
    };
}
