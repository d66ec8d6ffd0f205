/* Functions as the server has them, and what a CREATE OR REPLACE FUNCTION would make of one. */
#include "change/judge.h"
#include "change/kind_part.h"

/* Result or names of arguments differ: CREATE OR REPLACE refuses that. */
#define INVALID_FUNCTION_DEFINITION "42P13"

bool
routine_load(struct ctx *ctx, struct db *db, uint32_t oid, struct routine *ret)
{
    struct sql_change_function_now_rows rows;

    *ret = (struct routine){ 0 };
    if (!oid)
        return true;
    if (!sql_change_function_now(ctx, db, &rows, .function_oid = oid))
        return false;
    if (rows.count == 1)
        *ret = (struct routine){
            .oid = oid,
            .definition = rows.items[0].definition,
            .signature = rows.items[0].signature,
            .extension = rows.items[0].extension,
            .rights = rows.items[0].rights,
        };
    return true;
}

bool
routine_find(struct ctx *ctx, struct db *db, const char *signature, struct routine *ret)
{
    struct sql_change_function_oid_rows rows;

    *ret = (struct routine){ 0 };
    if (!sql_change_function_oid(ctx, db, &rows, .signature = signature))
        return error_wrap(ctx, "looking for function %s", signature);
    return routine_load(ctx, db, rows.count == 1 ? rows.items[0].oid : 0, ret);
}

static bool
find_rivals(struct ctx *ctx, struct db *db, uint32_t oid, struct text_list *ret)
{
    struct sql_change_function_rivals_rows rows;

    *ret = (struct text_list){ 0 };
    if (!sql_change_function_rivals(ctx, db, &rows, .function_oid = oid))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        text_list_add(ctx->arena, ret, rows.items[i].signature);
    return true;
}

/* The one function that the transaction has made, as long as it is there to be asked about. */
static bool
read_made(struct ctx *ctx, struct db *db, struct change *change, struct routine_trial *trial)
{
    struct routine *ret = &trial->planned;
    struct sql_change_functions_made_rows made;
    struct routine wanted;

    *ret = (struct routine){ 0 };
    if (!sql_change_functions_made(ctx, db, &made))
        return false;
    if (made.count != 1)
        return change_block(change, "its statement does not make one function", NULL);
    if (!routine_load(ctx, db, made.items[0].oid, ret))
        return false;
    if (change_is_of(change, KIND_TRIGGER))
        return true;
    if (!routine_find(ctx, db, change_object(ctx->arena, change), &wanted))
        return false;
    if (wanted.oid == ret->oid)
        return find_rivals(ctx, db, ret->oid, &trial->rivals);
    (void)change_block(
        change, arena_printf(ctx->arena, "its statement makes %s", ret->signature), NULL);
    *ret = (struct routine){ 0 };
    return true;
}

/*
 * *ret_refused: the server refuses for a reason that a DROP before it would take away. Bodies are not
 * checked: they may be about columns that an earlier change of the plan adds.
 */
static bool
try_once(struct ctx *ctx, struct db *db, struct change *change, bool has_to_drop,
    struct routine_trial *ret, bool *ret_refused)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *drop =
        arena_printf(ctx->arena, "DROP ROUTINE %s", change_object(ctx->arena, change));

    ret->planned = (struct routine){ 0 };
    *ret_refused = false;
    if (!db_begin(ctx, db, "READ WRITE", &transaction) ||
        !db_exec(ctx, db, "SET LOCAL lock_timeout = '2s'") ||
        !db_exec(ctx, db, "SET LOCAL check_function_bodies = off"))
        return false;
    if ((!has_to_drop || db_exec(ctx, db, drop)) && db_exec(ctx, db, change->statement))
        return read_made(ctx, db, change, ret);
    *ret_refused = !has_to_drop && change_is_of(change, KIND_FUNCTION) &&
                   text_equal(ctx->error.sqlstate, INVALID_FUNCTION_DEFINITION);
    return work_take_refusal(ctx, change);
}

bool
routine_try(struct ctx *ctx, struct db *db, struct change *change, struct routine_trial *ret,
    bool *ret_good)
{
    const struct change as_it_was = *change;
    bool is_refused;

    *ret = (struct routine_trial){ 0 };
    *ret_good = false;
    if (change_is_of(change, KIND_FUNCTION) &&
        !routine_find(ctx, db, change_object(ctx->arena, change), &ret->before))
        return false;
    if (!try_once(ctx, db, change, false, ret, &is_refused))
        return false;
    if (is_refused && ret->before.oid) {
        *change = as_it_was;
        ret->has_to_drop = true;
        if (!try_once(ctx, db, change, true, ret, &is_refused))
            return false;
    }
    *ret_good = ret->planned.oid != 0;
    /* A replaced function keeps its number; one that was only tried is gone again. */
    if (*ret_good && !ret->before.oid)
        return routine_load(ctx, db, ret->planned.oid, &ret->before);
    return true;
}
