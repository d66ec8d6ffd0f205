/* Vector columns that are searched badly: what is best there has to be tried on a copy, which takes a while. */
#include <math.h>

#include "cmd/collect/collect.h"
#include "db/ident.h"
#include "monitor/plain.h"
#include "vector/target/survey.h"

/* So many are compared with one another in a few milliseconds. */
static const int64_t few_rows = 10000;

/* Whether a plan for vectors was given already. */
static bool
has_plan(const struct collected *collected)
{
    for (size_t i = 0; i < collected->count; i++)
        if (text_equal(collected->items[i].step.feature, "vector"))
            return true;
    return false;
}

static bool
is_indexed(const struct vector_facts *facts)
{
    for (size_t i = 0; i < facts->indexes.count; i++)
        if (facts->indexes.items[i].is_on_vector && facts->indexes.items[i].is_valid)
            return true;
    return false;
}

static void
add_column(struct arena *arena, const struct vector_survey *survey,
    const struct vector_facts *facts, struct collected *ret)
{
    const char *table = vector_table(arena, &facts->target);
    const char *column = db_ident(arena, facts->target.column);
    size_t warnings = findings_count(&survey->findings, SEVERITY_WARNING);
    bool is_bare = !is_indexed(facts);

    if (!is_bare && warnings == 0)
        return;
    if (facts->searches == 0 && facts->sizes.rows < few_rows) {
        collected_note(arena, ret, "vector: %s.%s has %s rows, and no search of it is known.",
            table, column, text_from_count(arena, facts->sizes.rows));
        return;
    }
    collected_manual(arena, ret,
        &(const struct plan_step){
            .phase = 2,
            .title = arena_printf(arena, "vector search in %s.%s", table, column),
            .feature = "vector",
            .why = arena_printf(arena,
                "%s vectors, %s; \"pgmend vector survey\" shows %zu "
                "finding%s in all",
                text_from_count(arena, facts->sizes.rows),
                is_bare ? "no index on them" : "an index on them", survey->findings.count,
                survey->findings.count == 1 ? "" : "s"),
            .gain_ratio = NAN,
            .risk = "medium",
            .manual = arena_printf(arena,
                "pgmend vector tune --table %s --column %s -o vector.plan, then pgmend plan "
                "--include vector.plan",
                plain_text(arena, table), plain_text(arena, column)),
            .undo = "pgmend rollback",
            .promise = "recall and speed as they were measured on the copy",
        });
}

bool
collect_vectors(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    static const struct vector_wish no_wish;
    struct vector_survey survey;

    if (has_plan(ret))
        return true;
    if (!vector_survey(ctx, input->db, &no_wish, NULL, &survey))
        return false;
    for (size_t i = 0; i < survey.columns.count; i++)
        add_column(ctx->arena, &survey, &survey.columns.items[i], ret);
    for (size_t i = 0; i < survey.notes.count; i++)
        collected_note(ctx->arena, ret, "vector: %s", survey.notes.items[i]);
    return true;
}
