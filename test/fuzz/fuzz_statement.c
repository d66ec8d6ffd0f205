/*
 * Any bytes as the text of a statement that an application sent: its template, constants, tags and the advice
 * about it. No crash, constants lie in the text one after the other, and the template of a template's text is
 * the same template.
 */
#include <assert.h>
#include <string.h>

#include "queries/rewrite/hint.h"
#include "queries/rewrite/keys.h"
#include "workload/template.h"
#include "workload/traced_tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(struct arena *arena, const char *sql, size_t size)
{
    struct templates *templates = templates_new(arena);
    struct literals literals = { 0 };
    const struct template *template = templates_find(templates, sql, size, false, arena, &literals);
    size_t before = 0;

    assert(template && template->text && template->fingerprint);
    for (size_t i = 0; i < literals.count; i++) {
        const struct literal *literal = &literals.items[i];

        assert(literal->start >= before && literal->start < literal->end && literal->end <= size);
        before = literal->end;
        (void)literal_text(arena, sql, literal);
    }
    assert(templates_find(templates, sql, size, false, arena, NULL) == template);
    (void)templates_find(templates, sql, size, true, arena, NULL);
    templates_free(templates);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const char *sql = arena_strndup(arena, (const char *)data, size);
    struct traced_tag tag = { 0 };
    struct hint hint = { 0 };

    size = strlen(sql);
    if (size > 8192)
        return 0;
    check(arena, sql, size);
    traced_tag_read(arena, sql, size, &tag);
    (void)hint_name_of(arena, sql, 1);
    hint_write(arena, sql, 0, sql, 1, &hint);
    assert(hint_shape_name(hint.shape)[0]);
    (void)keys_limit_read(arena, sql, 1);
    return 0;
}
