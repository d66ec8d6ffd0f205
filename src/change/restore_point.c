#include "change/restore_point.h"

#include <inttypes.h>

#include "base/interrupt.h"
#include "base/json.h"
#include "change/journal.h"
#include "sql.h"

static const char kept_under[] = "restore points";

enum { HASH_LENGTH = 8, MOST_KEPT = 200 };

const char *
restore_point_name(struct arena *arena, const char *plan_hash, int32_t phase)
{
    return arena_printf(arena, "pgmend_%.*s_phase%" PRId32, (int)HASH_LENGTH, plan_hash, phase);
}

/* What no plan stops for, and what stops everything. */
static bool
is_serious(const struct ctx *ctx, const struct db *db)
{
    return interrupt_signal() || !db_is_connected(db) || ctx->error.kind == ERR_CONNECTION;
}

/* Why none can be set here, and what to do about it; NULL: nothing is in the way. */
static const char *
judge(struct arena *arena, const struct sql_change_restore_point_facts *facts, const char *role)
{
    static const char remedy[] = "to be able to recover to a moment, set archive_mode = on, "
                                 "wal_level = replica and archive_command (a restart), and take a "
                                 "base backup";

    if (facts->is_standby)
        return "the server is a standby: restore points are set on the primary";
    if (text_equal(facts->archive_mode, "off"))
        return arena_printf(arena, "no restore point is set, as archive_mode is off: %s", remedy);
    if (text_equal(facts->wal_level, "minimal"))
        return arena_printf(arena, "no restore point is set, as wal_level is minimal: %s", remedy);
    if (!facts->may_set)
        return arena_printf(arena,
            "no restore point is set, as role \"%s\" may not: GRANT EXECUTE ON FUNCTION "
            "pg_catalog.pg_create_restore_point(text) TO it",
            role);
    return NULL;
}

static bool
look(struct ctx *ctx, struct db *db, const char **ret_why_not, const char **ret_failing)
{
    struct sql_change_restore_point_facts_rows rows;

    if (!sql_change_restore_point_facts(ctx, db, &rows))
        return error_wrap(ctx, "asking whether the WAL is archived");
    *ret_why_not = judge(ctx->arena, &rows.items[0], db_user(db));
    *ret_failing = rows.items[0].failing_since;
    return true;
}

bool
restore_point_advice(struct ctx *ctx, struct db *db, const char **ret)
{
    const char *failing;

    *ret = NULL;
    if (look(ctx, db, ret, &failing))
        return true;
    if (is_serious(ctx, db))
        return false;
    *ret = arena_printf(ctx->arena, "no restore point can be set: %s", ctx->error.message);
    error_clear(ctx);
    return true;
}

static bool
read_kept(struct ctx *ctx, struct db *db, json_t **ret)
{
    struct sql_change_value_rows rows;

    *ret = NULL;
    if (!sql_change_value(ctx, db, &rows, .name = kept_under))
        return error_wrap(ctx, "reading the restore points that were set");
    return rows.count == 0 || !rows.items[0].value ||
           json_parse(ctx, kept_under, rows.items[0].value, ret);
}

/* The last ones; a point that is set again under its name counts where it was set last. */
static bool
keep(struct ctx *ctx, struct db *db, const char *name,
    const struct sql_change_restore_point_create *point)
{
    json_t *kept CLEANUP(json_release) = NULL;
    json_t *next CLEANUP(json_release) = json_array();
    bool is_there;
    json_t *item;
    size_t i;

    if (!journal_is_installed(ctx, db, &is_there))
        return false;
    if (!is_there)
        return true;
    if (!read_kept(ctx, db, &kept))
        return false;

    size_t count = json_array_size(kept);

    json_array_foreach(kept, i,
        item) if (i + MOST_KEPT > count && !text_equal(json_get_text(ctx->arena, item, "name", ""),
                                               name)) json_array_append(next, item);
    json_array_append_new(next,
        json_pack("{s:s, s:s, s:s}", "name", name, "lsn", point->lsn, "set_at", point->set_at));
    return sql_change_put_value(ctx, db, .name = kept_under, .value = json_text(ctx->arena, next));
}

static bool
set(struct ctx *ctx, struct db *db, const char *name, const char **ret_text)
{
    struct sql_change_restore_point_create_rows rows;
    const char *why_not, *failing;

    if (!look(ctx, db, &why_not, &failing))
        return false;
    if (why_not)
        return true;
    if (!sql_change_restore_point_create(ctx, db, &rows, .name = name))
        return error_wrap(ctx, "setting restore point %s", name);
    *ret_text = arena_printf(ctx->arena,
        "restore point %s is set at %s; to recover to it: a base backup from before, "
        "restore_command, recovery_target_name = '%s' (\"pgmend rollback --level database "
        "--recipe\" says it in full)%s",
        name, rows.items[0].lsn, name,
        failing ? arena_printf(ctx->arena,
                      "; but archiving fails since %s: see pg_stat_archiver, without the WAL "
                      "nothing can be recovered",
                      failing)
                : "");
    return keep(ctx, db, name, &rows.items[0]);
}

bool
restore_point_set(struct ctx *ctx, struct db *db, const char *name, const char **ret_text)
{
    *ret_text = NULL;
    if (set(ctx, db, name, ret_text))
        return true;
    if (is_serious(ctx, db))
        return false;
    *ret_text =
        arena_printf(ctx->arena, "%s%s%s", *ret_text ? *ret_text : "no restore point is set",
            *ret_text ? "; it could not be kept in schema pgmend: " : ": ", ctx->error.message);
    error_clear(ctx);
    return true;
}

bool
restore_points_load(struct ctx *ctx, struct db *db, struct restore_points *ret)
{
    json_t *kept CLEANUP(json_release) = NULL;
    json_t *item;
    size_t i;

    *ret = (struct restore_points){ 0 };
    if (!read_kept(ctx, db, &kept))
        return false;
    json_array_foreach(kept, i, item)
    {
        struct restore_point point = {
            .name = json_get_text(ctx->arena, item, "name", ""),
            .lsn = json_get_text(ctx->arena, item, "lsn", ""),
            .set_at = json_get_text(ctx->arena, item, "set_at", ""),
        };

        VEC_PUSH(ctx->arena, ret, point);
    }
    return true;
}
