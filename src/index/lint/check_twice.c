/* Indexes that another one makes needless: in the database, or in the script. */
#include "index/lint/check.h"

/* The best reason so far to leave the statement out. */
struct cover {
    enum lint_overlap overlap;
    const char *name;
    const struct fact_index *there;         /* in the database, or NULL */
    const struct lint_statement *statement; /* in the script, or NULL */
    bool is_doubtful;
};

static size_t
weight_of(const struct cover *cover)
{
    static const size_t weights[LINT_OVERLAP_COUNT] = { 0, 2, 1, 3 };

    return 2 * weights[cover->overlap] + (cover->there != NULL) - (cover->is_doubtful ? 1 : 0);
}

static void
take_better(struct cover *best, const struct cover *cover)
{
    if (cover->overlap != LINT_APART && weight_of(cover) > weight_of(best))
        *best = *cover;
}

static void
look_in_database(const struct lint_check *check, struct cover *best)
{
    const struct fact_table *table = check->index->table;
    bool is_unique = check->statement->is_unique;

    for (size_t i = 0; table && i < table->index_count; i++) {
        const struct fact_index *there = &table->indexes[i];
        struct cover cover = { .name = there->name, .there = there };
        struct lint_form form;

        if (!there->is_valid || text_equal(there->name, check->statement->name) ||
            lint_is_made_before(check, LINT_DROP, there->name))
            continue;
        lint_form_read(check->ctx, there->definition, &form);
        cover.overlap = lint_form_compare(&form, there->is_unique, &check->index->form, is_unique);
        take_better(best, &cover);
    }
}

/* Of two that are the same the first stays. */
static void
look_in_script(const struct lint_check *check, struct cover *best)
{
    const struct lint_script *script = &check->lint->script;

    for (size_t i = 0; i < script->count; i++) {
        const struct lint_statement *other = &script->items[i];
        const struct lint_index *index = &check->lint->indexes[i];
        struct cover cover = {
            .name = other->name, .statement = other, .is_doubtful = index->is_doubtful
        };

        if (i == check->position || other->kind != LINT_INDEX || index->is_out || !other->name ||
            !index->is_found || index->relation.oid != check->index->relation.oid ||
            lint_has_told(index, LINT_EXISTS))
            continue;
        cover.overlap = lint_form_compare(
            &index->form, other->is_unique, &check->index->form, check->statement->is_unique);
        /* Each makes the other one needless: the first one stays. */
        if (cover.overlap != LINT_APART && i > check->position &&
            lint_form_compare(&check->index->form, check->statement->is_unique, &index->form,
                other->is_unique) != LINT_APART)
            continue;
        take_better(best, &cover);
    }
}

static const char *
place_words(const struct lint_check *check, const struct cover *cover)
{
    return cover->statement
               ? arena_printf(check->ctx->arena, " (line %u)", cover->statement->place.line)
               : "";
}

static struct finding *
tell_cover(const struct lint_check *check, const struct cover *cover)
{
    const char *name = check->statement->name ? check->statement->name : "it";
    const char *place = place_words(check, cover);

    switch (cover->overlap) {
    case LINT_SAME:
        return lint_tell(
            check, LINT_DUPLICATE, NULL, "%s is the same index as %s%s", name, cover->name, place);
    case LINT_TWIN:
        return lint_tell(check, LINT_CONSTRAINT, NULL,
            "%s repeats the columns of the unique %s %s%s", name,
            cover->there && (cover->there->is_constraint || cover->there->is_primary) ? "constraint"
                                                                                      : "index",
            cover->name, place);
    case LINT_PREFIX:
        return lint_tell(check, LINT_COVERED, NULL, "%s is a prefix of %s%s%s", name, cover->name,
            place, cover->is_doubtful ? ", which may not stay as it is" : "");
    case LINT_APART:
    case LINT_OVERLAP_COUNT:
        break;
    }
    return NULL;
}

bool
lint_check_twice(struct lint_check *check)
{
    struct cover best = { .overlap = LINT_APART };
    const struct lint_script *script = &check->lint->script;
    struct finding *finding;

    if (!check->index->form.is_read)
        return true;
    look_in_database(check, &best);
    look_in_script(check, &best);
    if (best.overlap == LINT_APART)
        return true;
    finding = tell_cover(check, &best);
    if (!finding)
        return true;
    if (best.statement)
        finding_related(
            &check->lint->findings, finding, best.statement->place, "the other one is here");
    check->index->cover = best.statement ? 1 + (size_t)(best.statement - script->items) : 0;
    finding->instead = best.is_doubtful ? arena_printf(check->ctx->arena,
                                              "Keep this one in place of %s.", best.name)
                                        : arena_printf(check->ctx->arena, "Keep %s.", best.name);
    if (best.overlap == LINT_TWIN && check->index->form.predicate) {
        finding->severity = SEVERITY_ADVICE;
        finding->instead =
            "Keep it only if queries repeat the predicate and few rows satisfy it; --workload tells.";
        check->index->is_partial_twin = true;
    } else if (best.is_doubtful) {
        finding->severity = SEVERITY_ADVICE;
        check->index->kept_for = best.name;
    }
    return true;
}
