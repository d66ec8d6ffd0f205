/* Operands to a plan: a plan file as it is, index scripts planned against the database now. */
#include "base/file.h"
#include "cmd/parts/roll_out.h"
#include "index/plan.h"

bool
is_plan_file(struct ctx *ctx, const char *path, bool *ret)
{
    const char *text;
    size_t length;

    *ret = false;
    if (text_equal(path, "-"))
        return true;
    if (!file_read(ctx, path, &text, &length))
        return false;
    *ret = text[strspn(text, " \t\r\n")] == '{';
    return true;
}

bool
load_plan(struct ctx *ctx, struct run *run, struct plan *ret)
{
    const struct text_list *paths = &run->operands;
    struct index_script script = { 0 };

    /* A table that somebody has locked must not make us wait in silence. */
    if (!db_set(ctx, run->db, "lock_timeout", "5s"))
        return false;

    for (size_t i = 0; i < paths->count; i++) {
        bool is_plan;

        if (!is_plan_file(ctx, paths->items[i], &is_plan))
            return false;
        if (!is_plan) {
            if (!index_script_read(ctx, paths->items[i], &script))
                return false;
            continue;
        }
        if (paths->count > 1)
            return error_set(ctx, ERR_USAGE, "%s is a plan file: give it alone", paths->items[i]);
        return plan_read(ctx, paths->items[i], ret) && plan_check_fresh(ctx, run->db, ret);
    }
    return index_plan(ctx, run->db, &script, ret);
}
