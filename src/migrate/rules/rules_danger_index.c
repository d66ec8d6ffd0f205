/* Indexes that are built or dropped while people wait. */

#include "migrate/rules/rules_danger.h"

enum {
    NOT_CONCURRENT,
    DROP_NOT_CONCURRENT,
    REINDEX_NOT_CONCURRENT,
    LEFT_INVALID,
    WIDE,
    NOT_REPEATABLE,
};

/* More key columns than this rarely help a query. */
enum { WIDE_KEYS = 4 };

static const struct rule rules[] = {
    [NOT_CONCURRENT] = {
        .id = "index-not-concurrent",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "an index is built while writes to the table wait",
        .why = "CREATE INDEX holds a SHARE lock: every INSERT, UPDATE and DELETE on the table "
               "waits until all of its rows were read and sorted.",
        .instead = "with op.get_context().autocommit_block():\n"
                   "    op.create_index('ix_t_a', 't', ['a'], postgresql_concurrently=True)\n"
                   "in a revision of its own. Of a partitioned table: CREATE INDEX ON ONLY the "
                   "parent, CONCURRENTLY on each partition, then ALTER INDEX … ATTACH PARTITION.",
        .fires = DANGER_TABLE "op.create_index('ix_t_a', 't', ['a'])",
        .passes = DANGER_TABLE DANGER_ALONE
            "op.create_index('ix_t_a', 't', ['a'], postgresql_concurrently=True)",
    },
    [DROP_NOT_CONCURRENT] = {
        .id = "drop-index-not-concurrent",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "an index is dropped under a lock that blocks the table",
        .why = "DROP INDEX takes ACCESS EXCLUSIVE on the index and on its table. It is short, but "
               "it waits for every running query, and all new ones wait behind it.",
        .instead = "with op.get_context().autocommit_block():\n"
                   "    op.drop_index('ix_t_a', 't', postgresql_concurrently=True)",
        .fires = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n"
                 "                sa.Column('a', sa.Integer()))\n"
                 "op.create_index('ix_t_a', 't', ['a'])\n" NEXT
                 "op.drop_index('ix_t_a', table_name='t')",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n"
                  "                sa.Column('a', sa.Integer()))\n"
                  "op.create_index('ix_t_a', 't', ['a'])\n" NEXT DANGER_ALONE
                  "op.drop_index('ix_t_a', table_name='t', postgresql_concurrently=True)",
    },
    [REINDEX_NOT_CONCURRENT] = {
        .id = "reindex-not-concurrent",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ERROR,
        .summary = "an index is rebuilt while writes wait, and reads that would use it",
        .why = "REINDEX holds SHARE on the table, which blocks writes, and ACCESS EXCLUSIVE on the "
               "index, which blocks planning of every query on the table.",
        .instead = "with op.get_context().autocommit_block():\n"
                   "    op.execute('REINDEX TABLE CONCURRENTLY t')",
        .fires = DANGER_TABLE "op.execute('REINDEX TABLE t')",
        .passes = DANGER_TABLE DANGER_ALONE "op.execute('REINDEX TABLE CONCURRENTLY t')",
    },
    [LEFT_INVALID] = {
        .id = "concurrent-if-not-exists",
        .group = GROUP_DANGER,
        .severity = SEVERITY_WARNING,
        .summary = "IF NOT EXISTS takes a broken index for a good one",
        .why = "A CREATE INDEX CONCURRENTLY that fails or is cancelled leaves an INVALID index of "
               "that name behind. With IF NOT EXISTS the next try sees the name, does nothing and "
               "succeeds: queries never use the index, and writes still pay for it.",
        .instead = "Drop what may be left over, then build:\n"
                   "op.execute('DROP INDEX CONCURRENTLY IF EXISTS ix_t_a')\n"
                   "op.execute('CREATE INDEX CONCURRENTLY ix_t_a ON t (a)')",
        .fires = DANGER_TABLE DANGER_ALONE
            "op.execute('CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_t_a ON t (a)')",
        .passes = DANGER_TABLE DANGER_ALONE
            "op.execute('DROP INDEX CONCURRENTLY IF EXISTS ix_t_a')\n"
            "    op.execute('CREATE INDEX CONCURRENTLY ix_t_a ON t (a)')",
    },
    [WIDE] = {
        .id = "wide-index",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ADVICE,
        .summary = "an index with more than three key columns",
        .why = "Columns behind the third rarely narrow a search further, but every write has to "
               "keep them in order and the index grows by them.",
        .instead = "Keep the columns that are compared for equality and one for the range or "
                   "order; put those that are only read into INCLUDE.",
        .fires = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n"
                 "                sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()),\n"
                 "                sa.Column('c', sa.Integer()), sa.Column('d', sa.Integer()))\n"
                 "op.create_index('ix_t', 't', ['a', 'b', 'c', 'd'])",
        .passes = "op.create_table('t', sa.Column('id', sa.BigInteger(), primary_key=True),\n"
                  "                sa.Column('a', sa.Integer()), sa.Column('b', sa.Integer()),\n"
                  "                sa.Column('c', sa.Integer()), sa.Column('d', sa.Integer()))\n"
                  "op.create_index('ix_t', 't', ['a', 'b', 'c'])",
    },
    [NOT_REPEATABLE] = {
        .id = "autocommit-not-repeatable",
        .group = GROUP_DANGER,
        .severity = SEVERITY_ADVICE,
        .summary = "a statement outside a transaction that cannot be run twice",
        .why = "What runs in an autocommit block stays when a later statement fails, but the "
               "revision is not marked as done: the next `alembic upgrade` runs it again, and it "
               "fails because its work is there already.",
        .instead = "Add IF NOT EXISTS to ADD VALUE and IF EXISTS to DROP INDEX, or let the "
                   "statement be the last one of its revision.",
        .fires = "op.execute(\"CREATE TYPE mood AS ENUM ('ok')\")\n" NEXT DANGER_ALONE
                 "op.execute(\"ALTER TYPE mood ADD VALUE 'sad' AFTER 'ok'\")\n"
                 "    op.execute(\"ALTER TYPE mood ADD VALUE 'glad' AFTER 'ok'\")",
        .passes = "op.execute(\"CREATE TYPE mood AS ENUM ('ok')\")\n" NEXT DANGER_ALONE
                  "op.execute(\"ALTER TYPE mood ADD VALUE IF NOT EXISTS 'sad' AFTER 'ok'\")\n"
                  "    op.execute(\"ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad' AFTER 'ok'\")",
    },
};

const struct rule_group rules_danger_index = { rules, COUNT_OF(rules) };

static const char *
index_label(const struct step *step)
{
    const char *name = step->index ? step->index->name : step->object.name;

    return name ? name : "an index";
}

/* op.create_index() with the columns, for advice; NULL when they are no plain columns. */
static const char *
concurrent_call(const struct danger *danger)
{
    struct buffer text = { .arena = danger->check.ctx->arena };
    const struct step *step = danger->now.step;
    const struct index *index = step->index;

    if (!index || !index->name || index->where || !step->table.name || step->table.schema ||
        !text_equal(index->method ? index->method : "btree", "btree") || index->include.count > 0)
        return NULL;
    buffer_printf(&text,
        "with op.get_context().autocommit_block():\n    op.create_index('%s', '%s', [", index->name,
        step->table.name);
    for (size_t i = 0; i < index->keys.count; i++) {
        if (!index->keys.items[i].column)
            return NULL;
        buffer_printf(&text, "%s'%s'", i > 0 ? ", " : "", index->keys.items[i].column);
    }
    buffer_printf(&text, "]%s, postgresql_concurrently=True)\nin a revision of its own.",
        index->is_unique ? ", unique=True" : "");
    return buffer_text(&text);
}

static void
create_index(struct danger *danger)
{
    const struct step *step = danger->now.step;
    const struct index *index = step->index;
    struct finding *finding;

    if (index && index->keys.count >= WIDE_KEYS && !index->is_unique)
        moment_tell(&danger->now, &rules[WIDE], "%s has %zu key columns", index_label(step),
            index->keys.count);
    /* Nobody but REFRESH writes to a materialized view. */
    if (!danger->is_used || danger->effect.table->kind == RELATION_MATVIEW)
        return;
    if (step->concurrently && step->if_not_exists)
        moment_tell(&danger->now, &rules[LEFT_INVALID],
            "an INVALID %s left by a failed build would be taken for done", index_label(step));
    if (step->concurrently || step->is_only)
        return;
    finding = moment_tell(&danger->now, &rules[NOT_CONCURRENT],
        "building %s blocks writes to %s until it is done", index_label(step),
        danger_table(danger));
    finding->instead = concurrent_call(danger);
}

/* Whether something after the step can fail and make the revision run again. */
static bool
is_followed(const struct danger *danger)
{
    const struct steps *steps = &danger->now.revision->upgrade;

    return danger->now.step + 1 < steps->items + steps->count;
}

static void
drop_index(struct danger *danger)
{
    const struct step *step = danger->now.step;

    if (step->in_autocommit && step->concurrently && !step->if_exists && is_followed(danger))
        moment_tell(&danger->now, &rules[NOT_REPEATABLE],
            "dropping %s a second time fails, and IF EXISTS is missing", index_label(step));
    if (danger->is_used && !step->concurrently)
        moment_tell(&danger->now, &rules[DROP_NOT_CONCURRENT],
            "dropping %s takes ACCESS EXCLUSIVE on %s, which blocks reads and writes",
            index_label(step), danger_table(danger));
}

static void
reindex(struct danger *danger)
{
    if (!danger->now.step->concurrently && (danger->is_used || !danger->effect.table))
        moment_tell(&danger->now, &rules[REINDEX_NOT_CONCURRENT],
            "REINDEX blocks writes to %s until it is done", danger_table(danger));
}

static void
add_value(struct danger *danger)
{
    const struct step *step = danger->now.step;

    if (step->in_autocommit && !step->if_not_exists && is_followed(danger))
        moment_tell(&danger->now, &rules[NOT_REPEATABLE],
            "adding the value '%s' a second time fails, and IF NOT EXISTS is missing",
            step->new_name ? step->new_name : "?");
}

static const struct look looks[] = {
    { STEP_CREATE_INDEX, create_index },
    { STEP_DROP_INDEX, drop_index },
    { STEP_REINDEX, reindex },
    { STEP_ADD_VALUE, add_value },
};

void
danger_of_index(struct danger *danger)
{
    danger_look(danger, looks, COUNT_OF(looks));
}
