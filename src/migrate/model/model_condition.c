/* Whether the conditions around a step hold, as far as the model tells. */

#include <string.h>

#include "migrate/model/model_apply.h"

static enum verdict
presence_verdict(const struct model *model, bool is_there, enum presence presence, bool is_vague)
{
    if (is_there)
        return presence == PRESENT ? VERDICT_YES : VERDICT_UNKNOWN;
    return is_vague || model->vague_since || model->has_baseline ? VERDICT_UNKNOWN : VERDICT_NO;
}

static enum verdict
test_column(const struct model *model, const struct relation *table, const char *name)
{
    const struct model_column *column = relation_column(table, name);

    return presence_verdict(
        model, column, column ? column->presence : PRESENT, table->is_vague || table->is_opaque);
}

static enum verdict
test_constraint(const struct model *model, const struct relation *table, const char *name)
{
    const struct model_constraint *constraint = relation_constraint(table, name);

    return presence_verdict(model, constraint, constraint ? constraint->presence : PRESENT,
        table->is_vague || table->hides_names);
}

static enum verdict
test_index(const struct model *model, const struct test *test, const struct relation *table)
{
    const struct relation *index =
        model_relation(model, (struct object_name){ test->schema, test->name });
    bool is_there =
        index && index->kind == RELATION_INDEX && (!test->table || index->table == table);

    return presence_verdict(model, is_there, is_there ? index->presence : PRESENT,
        table && (table->is_vague || table->hides_names));
}

static enum verdict
decide_test(const struct model *model, const struct test *test)
{
    struct object_name name = { test->schema,
        test->kind == TEST_TABLE && test->name ? test->name : test->table };
    const struct relation *table = model_relation(model, name);

    if (test->kind == TEST_NONE || (test->kind != TEST_TABLE && !test->name))
        return VERDICT_UNKNOWN;
    if (test->kind == TEST_INDEX)
        return test_index(model, test, table);
    if (!name.name)
        return VERDICT_UNKNOWN;
    if (test->kind == TEST_TABLE || !table || table->presence == MAYBE)
        return presence_verdict(model, table, table ? table->presence : PRESENT, false);
    if (test->kind == TEST_COLUMN)
        return test_column(model, table, test->name);
    return test_constraint(model, table, test->name);
}

static enum verdict
decide(const struct model *model, const struct condition *condition)
{
    enum verdict verdict = VERDICT_UNKNOWN;

    /* A try's body runs; whether its handlers do is the replay's business. */
    if (condition->is_assumed || text_equal(condition->text, "try"))
        return VERDICT_YES;
    verdict = decide_test(model, &condition->test);
    if (!condition->test.is_negated || verdict == VERDICT_UNKNOWN)
        return verdict;
    return verdict == VERDICT_YES ? VERDICT_NO : VERDICT_YES;
}

enum verdict
model_decide(const struct model *model, const struct conditions *conditions)
{
    enum verdict all = VERDICT_YES;

    for (size_t i = 0; i < conditions->count; i++) {
        enum verdict one = decide(model, &conditions->items[i]);

        if (one == VERDICT_NO)
            return VERDICT_NO;
        if (one == VERDICT_UNKNOWN)
            all = VERDICT_UNKNOWN;
    }
    return all;
}
