/*
 * Any bytes as a migration: no crash, no leak, no failure, and steps and notes that point into the
 * file. The first byte says whether there is a naming convention.
 */
#include <assert.h>
#include <string.h>

#include "migrate/history/history.h"
#include "migrate/history/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct naming naming = {
    .ix = "ix_%(column_0_label)s",
    .uq = "uq_%(table_name)s_%(column_0_N_name)s",
    .ck = "ck_%(table_name)s_%(constraint_name)s",
    .fk = "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    .pk = "pk_%(table_name)s",
};

static bool
is_on_a_line(const struct place *place, size_t lines)
{
    return place->line <= lines + 1;
}

static void
check_step(struct arena *arena, const struct step *step, size_t lines)
{
    assert(step->kind < STEP_KIND_COUNT);
    assert(step_kind_name(step->kind) && step_object_text(arena, step));
    assert(is_on_a_line(&step->place, lines));
    assert(!(step_is_ddl(step) && step_is_data(step) && step->kind != STEP_UNKNOWN));
    assert((step->kind == STEP_CREATE_INDEX && !step->unknown) <= (step->index != NULL));
    for (size_t i = 0; i < step->columns.count; i++)
        assert(step->columns.items[i].default_kind <= DEFAULT_UNKNOWN);
    for (size_t i = 0; i < step->conditions.count; i++)
        assert(step->conditions.items[i].text);
}

static void
check_steps(
    struct arena *arena, const struct revision *revision, const struct steps *steps, size_t lines)
{
    for (size_t i = 0; i < steps->count; i++) {
        check_step(arena, &steps->items[i], lines);
        if (revision->coverage == COVERAGE_FULL)
            assert(!steps->items[i].unknown && steps->items[i].kind != STEP_UNKNOWN);
    }
}

static size_t
count_lines(const char *text, size_t length)
{
    size_t lines = 1;

    for (size_t i = 0; i < length; i++)
        lines += text[i] == '\n';
    return lines;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct revision revision = { .file = "/nowhere/versions/fuzz.py" };
    const char *bytes = arena_strndup(arena, (const char *)data, size);
    bool has_naming = size > 0 && data[0] % 2 == 1;

    if (source_decode(arena, bytes, size, &revision.source, &revision.length))
        return 0;
    if (!revision_read(&ctx, &revision, has_naming ? &naming : NULL, NULL))
        abort();
    size_t lines = count_lines(revision.source, revision.length);

    assert((revision.failure != NULL) == (revision.coverage == COVERAGE_NONE));
    check_steps(arena, &revision, &revision.upgrade, lines);
    check_steps(arena, &revision, &revision.downgrade, lines);
    for (size_t i = 0; i < revision.notes.count; i++)
        assert(is_on_a_line(&revision.notes.items[i].place, lines));
    for (size_t i = 0; i < revision.ignores.count; i++)
        assert(revision.ignores.items[i].line <= lines + 1);
    return 0;
}
