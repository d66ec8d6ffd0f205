#include "backup/pooler.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"

static bool
check_database(struct ctx *ctx, const struct pgbouncer_database *database)
{
    if (text_equal(database->mode, "session")) {
        error_set(ctx, ERR_UNSUPPORTED, "database \"%s\" of PgBouncer is in session mode",
            database->name);
        return error_hint(ctx, "There a pause waits until every client has left. Without "
                               "--pgbouncer the clients' connections are ended instead.");
    }
    if (!database->is_paused)
        return true;
    error_set(ctx, ERR_CONFLICT, "database \"%s\" of PgBouncer is paused already", database->name);
    return error_hint(ctx, "Somebody else is at work there, or was cut off: RESUME in its console "
                           "ends it.");
}

bool
backup_pooler_open(struct ctx *ctx, const char *url, struct db *live, struct backup_pooler *ret)
{
    if (!pgbouncer_open(ctx, url, &ret->console) ||
        !pgbouncer_find(ctx, ret->console, live, db_name(live), &ret->databases))
        return false;
    for (size_t i = 0; i < ret->databases.count; i++)
        if (!check_database(ctx, &ret->databases.items[i]))
            return false;
    if (ret->databases.count > 0)
        return true;
    error_set(ctx, ERR_NOT_FOUND, "no database of this PgBouncer leads to database \"%s\" on %s:%s",
        db_name(live), db_host(live), db_port(live));
    return error_hint(ctx, "SHOW DATABASES in its console shows where each leads; without "
                           "--pgbouncer the clients' connections are ended instead.");
}

void
backup_pooler_close(struct backup_pooler *pooler)
{
    /* A guard that is still there has something to do: it begins when we are gone. */
    pgbouncer_cleanup(&pooler->console);
}

bool
backup_pooler_pause(struct ctx *ctx, struct backup_pooler *pooler)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < pooler->databases.count; i++)
        text_list_add(ctx->arena, &names, pooler->databases.items[i].name);
    if (!pgbouncer_guard(ctx, pooler->console, &names, &pooler->guard))
        return false;
    pooler->since_us = clock_us();
    for (pooler->paused = 0; pooler->paused < names.count; pooler->paused++) {
        if (!pgbouncer_pause(ctx, pooler->console, names.items[pooler->paused], pooler->limit_us)) {
            /* What could not be resumed is left to the guard, which acts when we are gone. */
            if (ctx->error.kind != ERR_ATTENTION)
                (void)!backup_pooler_resume(ctx, pooler);
            return false;
        }
        fault_point("swap");
    }
    return true;
}

bool
backup_pooler_resume(struct ctx *ctx, struct backup_pooler *pooler)
{
    struct error before = ctx->error;
    bool is_good = true;

    for (size_t i = 0; i < pooler->paused; i++) {
        error_clear(ctx);
        is_good &= pgbouncer_resume(ctx, pooler->console, pooler->databases.items[i].name);
        if (!is_good)
            break;
    }
    if (pooler->since_us)
        pooler->paused_us = clock_us() - pooler->since_us;
    pooler->paused = 0;
    if (is_good) {
        pgbouncer_unguard(&pooler->guard);
        ctx->error = before;
        return true;
    }
    ctx->error.kind = ERR_ATTENTION;
    return error_state(ctx, "Clients of PgBouncer may still wait; a process goes on trying to "
                            "resume them for half a minute.");
}
