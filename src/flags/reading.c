#include "flags/reading.h"

#include "base/text.h"
#include "sql.h"

/* What is wrong with a row, or NULL. */
static const char *
fault_of(const struct sql_flags_flags *row)
{
    if (text_is_empty(row->variant))
        return "has no variant";
    if (!row->salt)
        return "has no salt";
    if (row->percent < 0 || row->percent > 100)
        return "has a percent that is not 0 … 100";
    if (row->fallback < 0 || row->fallback > 100)
        return "has a fallback that is not 0 … 100";
    if (!(row->shadow_ratio >= 0 && row->shadow_ratio <= 1))
        return "has a share of shadows that is not 0 … 1";
    if (row->until_us < 0)
        return "has a time that cannot be";
    return NULL;
}

static struct flag
copy_of(struct arena *arena, const struct flag *flag)
{
    struct flag copy = *flag;

    copy.name = arena_strdup(arena, flag->name);
    copy.variant = arena_strdup(arena, flag->variant);
    copy.salt = arena_strdup(arena, flag->salt);
    copy.reason = arena_strdup(arena, flag->reason);
    return copy;
}

struct flag_list
flags_read(struct arena *arena, const struct sql_flags_flags *rows, size_t count,
    const struct flag_list *before, const char **ret_problem)
{
    struct flag_list list = { .items = ARENA_ARRAY(arena, struct flag, count) };

    *ret_problem = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct sql_flags_flags *row = &rows[i];
        const struct flag *known = row->name ? flag_find(before, row->name) : NULL;
        const char *fault = row->name ? fault_of(row) : "has no name";
        const struct flag flag = {
            .name = row->name,
            .variant = row->variant,
            .percent = row->percent,
            .salt = row->salt,
            .shadow_ratio = row->shadow_ratio,
            .until_us = row->until_us,
            .fallback = row->fallback,
            .changed_us = row->changed_us,
            .reason = row->reason ? row->reason : "",
        };

        if (fault && !*ret_problem)
            *ret_problem = arena_printf(
                arena, "pgmend.flag: the row of \"%s\" %s", row->name ? row->name : "", fault);
        if (!fault)
            list.items[list.count++] = copy_of(arena, &flag);
        else if (known && !flag_find(&list, known->name))
            list.items[list.count++] = copy_of(arena, known);
    }
    return list;
}

bool
flags_are_same(const struct flag_list *a, const struct flag_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct flag *x = &a->items[i];
        const struct flag *y = &b->items[i];

        if (!text_equal(x->name, y->name) || !text_equal(x->variant, y->variant) ||
            !text_equal(x->salt, y->salt) || !text_equal(x->reason, y->reason) ||
            x->percent != y->percent || x->fallback != y->fallback || x->until_us != y->until_us ||
            !(x->shadow_ratio <= y->shadow_ratio && x->shadow_ratio >= y->shadow_ratio))
            return false;
    }
    return true;
}
