#include "cmd/parts/rollback_predict.h"

#include "base/clock.h"

static const int64_t goal_us = INT64_C(30) * 60 * 1000000;
/* Making a database, reading catalogues and renaming take a moment whatever the size. */
static const int64_t least_us = 1000000;

static bool
find_named(struct ctx *ctx, const char *folder, const char *name, struct backup_info *ret)
{
    struct backup_infos infos;
    struct text_list notes = { 0 };

    if (!backup_list(ctx, folder, &infos, &notes))
        return false;
    for (size_t i = 0; i < infos.count; i++) {
        if (!text_equal(infos.items[i].name, name))
            continue;
        *ret = infos.items[i];
        return true;
    }
    error_set(ctx, ERR_NOT_FOUND, "there is no backup \"%s\" in \"%s\"", name, folder);
    return error_hint(ctx, "\"pgmend backup list\" lists them.");
}

bool
rollback_find_backup(
    struct ctx *ctx, const char *folder, const char *name, struct db *live, struct backup_info *ret)
{
    const char *why_not = NULL;

    if (!name) {
        if (backup_find_verified(ctx, folder, live, 0, ret, &why_not))
            return true;
        if (ctx->error.kind != ERR_NONE)
            return false;
        error_set(ctx, ERR_NOT_FOUND, "%s", why_not);
        return error_hint(ctx, "Level \"database\" needs a backup that is proven: \"pgmend backup "
                               "create\" and \"pgmend backup verify\".");
    }
    if (!find_named(ctx, folder, name, ret))
        return false;
    if (!ret->database)
        return error_set(ctx, ERR_VERIFICATION, "backup \"%s\" cannot be used: %s", name,
            ret->why_not ? ret->why_not : "it has no manifest");
    if (text_equal(ret->database, db_name(live)))
        return true;
    error_set(ctx, ERR_CONFLICT, "backup \"%s\" is of database \"%s\", not of \"%s\"", name,
        ret->database, db_name(live));
    return error_hint(ctx, "Check --db-url.");
}

/* What a restore of so much took when one was measured last; -1: never. */
static bool
scale(struct ctx *ctx, const char *folder, const struct backup_info *backup, int64_t *ret)
{
    struct backup_infos infos;
    struct text_list notes = { 0 };

    *ret = -1;
    if (backup->is_verified) {
        *ret = backup->restore_us;
        return true;
    }
    if (!backup_list(ctx, folder, &infos, &notes))
        return false;
    for (size_t i = 0; i < infos.count; i++) {
        const struct backup_info *other = &infos.items[i];

        if (!other->is_verified || other->bytes <= 0 ||
            !text_equal(other->database, backup->database))
            continue;
        *ret = (int64_t)((double)other->restore_us * (double)backup->bytes / (double)other->bytes);
        return true;
    }
    return true;
}

static const char *
describe(struct ctx *ctx, const struct backup_info *backup, const struct rollback_prediction *of,
    int64_t bytes)
{
    struct arena *arena = ctx->arena;
    struct buffer text = { .arena = arena };

    if (of->restore_us < 0) {
        buffer_add(&text, "how long it takes is not known, as no backup of this database was ever "
                          "verified: pgmend backup verify");
        return buffer_text(&text);
    }
    buffer_printf(&text, "about %s predicted (goal: under 30 min): %s restored in %s",
        text_from_us(arena, of->whole_us),
        backup->is_verified ? "the verification" : "by its size, as it was never verified, is",
        text_from_us(arena, of->restore_us));
    buffer_add(&text, ", the rest is comparing and counting what was written since");
    if (of->growth > 1.1)
        buffer_printf(&text,
            "; the database has grown from %s to %s since the backup, which makes counting longer",
            text_from_bytes(arena, backup->database_bytes), text_from_bytes(arena, bytes));
    if (of->whole_us > goal_us)
        buffer_add(&text, "; that is MORE than the goal");
    return buffer_text(&text);
}

bool
rollback_predict(struct ctx *ctx, const char *folder, const struct backup_info *backup,
    int64_t bytes, struct rollback_prediction *ret)
{
    *ret = (struct rollback_prediction){ .restore_us = -1, .whole_us = -1, .growth = 1 };
    if (!scale(ctx, folder, backup, &ret->restore_us))
        return false;
    if (backup->database_bytes > 0 && bytes > 0)
        ret->growth = (double)bytes / (double)backup->database_bytes;
    /* Comparing reads everything once, beside and live; no slower than it was written. */
    if (ret->restore_us >= 0)
        ret->whole_us = least_us + (int64_t)((double)ret->restore_us * (2 + ret->growth));
    ret->text = describe(ctx, backup, ret, bytes);
    return true;
}
