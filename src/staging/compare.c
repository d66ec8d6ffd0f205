/* The comparison of a restored database with what the manifest says. */
#include <inttypes.h>

#include "db/ident.h"
#include "staging/content.h"

static int
compare_names(const char *schema_a, const char *name_a, const char *schema_b, const char *name_b)
{
    int order = strcmp(schema_a, schema_b);

    return order ? order : strcmp(name_a, name_b);
}

static int
compare_table_names(const struct content_table *a, const struct content_table *b)
{
    return compare_names(a->schema, a->name, b->schema, b->name);
}

static void differ(struct arena *arena, struct text_list *list, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void
differ(struct arena *arena, struct text_list *list, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    text_list_add(arena, list, arena_vprintf(arena, format, args));
    va_end(args);
}

static void
compare_table(struct arena *arena, const struct content_table *expected,
    const struct content_table *found, struct text_list *ret)
{
    const char *name = db_qualified(arena, expected->schema, expected->name);

    if (expected->rows != found->rows)
        differ(arena, ret, "table %s has %" PRId64 " rows instead of %" PRId64, name, found->rows,
            expected->rows);
    else if (!text_equal(expected->checksum, found->checksum))
        differ(arena, ret, "table %s has other content: checksum %s instead of %s", name,
            found->checksum, expected->checksum);
}

bool
content_walk_tables(
    const struct content *expected, const struct content *found, struct content_table_walk *walk)
{
    const struct content_table *left =
        walk->left < expected->tables.count ? &expected->tables.items[walk->left] : NULL;
    const struct content_table *right =
        walk->right < found->tables.count ? &found->tables.items[walk->right] : NULL;
    int order = !left ? 1 : !right ? -1 : compare_table_names(left, right);

    walk->expected = order <= 0 ? left : NULL;
    walk->found = order >= 0 ? right : NULL;
    walk->left += walk->expected != NULL;
    walk->right += walk->found != NULL;
    return walk->expected || walk->found;
}

static void
compare_tables(struct arena *arena, const struct content *expected, const struct content *found,
    struct text_list *ret)
{
    struct content_table_walk walk = { 0 };

    while (content_walk_tables(expected, found, &walk)) {
        const struct content_table *left = walk.expected;
        const struct content_table *right = walk.found;

        if (left && right)
            compare_table(arena, left, right, ret);
        else if (left)
            differ(
                arena, ret, "table %s is missing", db_qualified(arena, left->schema, left->name));
        else if (right)
            differ(arena, ret, "table %s was not in the backup",
                db_qualified(arena, right->schema, right->name));
    }
}

/* Before or after each other in the direction in which the sequence counts. */
static int
compare_values(int64_t increment, int64_t a, bool a_called, int64_t b, bool b_called)
{
    if (a != b)
        return (a < b) == (increment > 0) ? -1 : 1;
    return (int)a_called - (int)b_called;
}

static bool
is_within(const struct content_sequence *expected, const struct content_sequence *found)
{
    int64_t step = expected->increment;
    int low = compare_values(step, expected->first_value, expected->first_called,
        found->first_value, found->first_called);
    int high = compare_values(
        step, found->first_value, found->first_called, expected->last_value, expected->last_called);
    int range = compare_values(step, expected->first_value, expected->first_called,
        expected->last_value, expected->last_called);

    /* It ran over its end, or somebody set it back, while it was dumped. */
    if (range > 0)
        return expected->can_cycle || (low >= 0 && high >= 0);
    return low <= 0 && high <= 0;
}

static void
compare_sequences(struct arena *arena, const struct content *expected, const struct content *found,
    struct text_list *ret)
{
    size_t f = 0;

    for (size_t e = 0; e < expected->sequences.count; e++) {
        const struct content_sequence *left = &expected->sequences.items[e];
        const char *name = db_qualified(arena, left->schema, left->name);

        while (f < found->sequences.count &&
               compare_names(found->sequences.items[f].schema, found->sequences.items[f].name,
                   left->schema, left->name) < 0)
            f++;

        const struct content_sequence *right =
            f < found->sequences.count ? &found->sequences.items[f] : NULL;

        if (!right || compare_names(right->schema, right->name, left->schema, left->name) != 0)
            differ(arena, ret, "sequence %s is missing", name);
        else if (!is_within(left, right))
            differ(arena, ret,
                "sequence %s stands at %" PRId64 " instead of %" PRId64 " to %" PRId64, name,
                right->first_value, left->first_value, left->last_value);
    }
}

static int
compare_object_names(const struct content_object *a, const struct content_object *b)
{
    return compare_names(a->kind, a->name, b->kind, b->name);
}

static void
compare_object(struct arena *arena, const struct content_object *left,
    const struct content_object *right, struct text_list *ret_differences,
    struct text_list *ret_notes)
{
    if (text_equal(left->definition, right->definition))
        return;
    /* A dump does not hold the version, so a restore takes the newest that is installed. */
    if (text_equal(left->kind, "extension"))
        differ(arena, ret_notes, "extension %s is %s after a restore, and was %s", left->name,
            right->definition, left->definition);
    else
        differ(arena, ret_differences, "%s %s is \"%s\" instead of \"%s\"", left->kind, left->name,
            right->definition, left->definition);
}

static bool
is_compared(const struct content_object *object, enum content_rights rights)
{
    return rights == CONTENT_WITH_RIGHTS || !text_equal(object->kind, "rights");
}

static void
compare_objects(struct arena *arena, const struct content *expected, const struct content *found,
    enum content_rights rights, struct text_list *ret_differences, struct text_list *ret_notes)
{
    size_t e = 0;
    size_t f = 0;

    while (e < expected->objects.count || f < found->objects.count) {
        const struct content_object *left =
            e < expected->objects.count ? &expected->objects.items[e] : NULL;
        const struct content_object *right =
            f < found->objects.count ? &found->objects.items[f] : NULL;
        int order = !left ? 1 : !right ? -1 : compare_object_names(left, right);

        if (left && right && order == 0 && is_compared(left, rights))
            compare_object(arena, left, right, ret_differences, ret_notes);
        else if (left && order < 0 && is_compared(left, rights))
            differ(arena, ret_differences, "%s %s is missing", left->kind, left->name);
        else if (right && order > 0 && is_compared(right, rights))
            differ(arena, ret_differences, "%s %s was not in the backup", right->kind, right->name);
        e += order <= 0;
        f += order >= 0;
    }
}

void
content_compare(struct arena *arena, const struct content *expected, const struct content *found,
    enum content_rights rights, struct text_list *ret_differences, struct text_list *ret_notes)
{
    compare_tables(arena, expected, found, ret_differences);
    compare_sequences(arena, expected, found, ret_differences);
    compare_objects(arena, expected, found, rights, ret_differences, ret_notes);
    if (expected->large_objects != found->large_objects)
        differ(arena, ret_differences, "there are %" PRId64 " large objects instead of %" PRId64,
            found->large_objects, expected->large_objects);
    else if (expected->large_object_sum && found->large_object_sum &&
             !text_equal(expected->large_object_sum, found->large_object_sum))
        differ(arena, ret_differences, "the large objects have other content");
    else if (expected->large_objects && !(expected->large_object_sum && found->large_object_sum))
        differ(arena, ret_notes, "the bytes of the large objects were not compared");
}
