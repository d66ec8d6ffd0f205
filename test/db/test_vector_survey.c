/* Traps that are really made on the server are found, and are not found when they are mended. */
#define DATABASE "pgmend_test_vector_survey"
#include "test_vector_target_support.h"

#include "base/json.h"
#include "lang/sql.h"
#include "vector/target/survey.h"

static int
setup(void **state)
{
    return bench_begin(state, DATABASE);
}

/* Scripts name the database of the documentation, and versions of pgvector that are not here. */
static const char *
adapted(struct arena *arena, const char *statement)
{
    static const char database[] = "ALTER DATABASE replyx ";
    static const char update[] = "ALTER EXTENSION vector UPDATE TO ";

    if (text_starts_with(statement, database))
        return arena_printf(
            arena, "ALTER DATABASE " DATABASE " %s", statement + strlen(database));
    if (text_starts_with(statement, update))
        return arena_printf(arena,
            "UPDATE pg_extension SET extversion = %s WHERE extname = 'vector'",
            statement + strlen(update));
    return statement;
}

static void
run_script(struct bench *bench, const char *script)
{
    struct sql_statements statements;
    const char *version =
        value(bench, "SELECT extversion FROM pg_extension WHERE extname = 'vector'");

    sql(bench, "ALTER DATABASE " DATABASE " RESET ALL");
    start_anew(bench);
    sql(bench, "RESET enable_seqscan");
    must(bench, sql_split(&bench->ctx, "script", script, &statements));
    for (size_t i = 0; i < statements.count; i++)
        sql(bench, adapted(bench->ctx.arena, statements.items[i].text));
    sql(bench, "SELECT pg_stat_force_next_flush()");
    sql(bench, "SELECT 1");
    (void)version;
}

static void
survey(struct bench *bench, struct vector_survey *ret)
{
    struct db *db CLEANUP(db_cleanup) = look(bench);

    error_clear(&bench->ctx);
    must(bench, vector_survey(&bench->ctx, db, NULL, NULL, ret));
    /* Whatever was tried, nothing of it is left in the session. */
    must(bench, db_exec(&bench->ctx, db, "BEGIN"));
}

static const struct finding *
find(const struct vector_survey *survey, const char *rule)
{
    for (size_t i = 0; i < survey->findings.count; i++)
        if (strcmp(survey->findings.items[i].rule->id, rule) == 0)
            return &survey->findings.items[i];
    return NULL;
}

static const char *
evidence(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->evidence.count; i++)
        if (strcmp(finding->evidence.items[i].name, name) == 0)
            return finding->evidence.items[i].value;
    fail_msg("there is no evidence \"%s\"", name);
    return NULL;
}

static void
print_findings(const struct vector_survey *survey)
{
    for (size_t i = 0; i < survey->findings.count; i++)
        print_message("#   %s: %s\n", survey->findings.items[i].rule->id,
            survey->findings.items[i].message);
    for (size_t i = 0; i < survey->notes.count; i++)
        print_message("#   note: %s\n", survey->notes.items[i]);
}

static void
test_every_rule(void **state)
{
    struct bench *bench = *state;
    const char *version =
        value(bench, "SELECT extversion FROM pg_extension WHERE extname = 'vector'");

    for (const struct rule *rule = vector_rules; rule->id; rule++) {
        struct vector_survey result;

        print_message("# %s\n", rule->id);
        assert_true(rule->summary && rule->why && rule->instead && rule->fires && rule->passes);
        run_script(bench, rule->fires);
        survey(bench, &result);
        print_findings(&result);
        if (!find(&result, rule->id))
            fail_msg("%s does not fire on its own example", rule->id);
        assert_int_equal(result.notes.count, 0);
        run_script(bench, rule->passes);
        survey(bench, &result);
        if (find(&result, rule->id))
            fail_msg("%s fires where all is well: %s", rule->id,
                find(&result, rule->id)->message);
        sql(bench,
            arena_printf(bench->ctx.arena,
                "UPDATE pg_extension SET extversion = '%s' WHERE extname = 'vector'", version));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rule),
    };

    return cmocka_run_group_tests(tests, setup, bench_end);
}
