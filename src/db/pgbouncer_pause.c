/* PAUSE and RESUME: whatever happens in between, no client waits longer than it was told. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "db/connection.h"
#include "db/pgbouncer_part.h"

static bool
check_pausable(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name)
{
    struct pgbouncer_databases all;

    if (!pgbouncer_list(ctx, pgbouncer, &all))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        if (!text_equal(all.items[i].name, name))
            continue;
        if (text_equal(all.items[i].mode, "session")) {
            error_set(
                ctx, ERR_UNSUPPORTED, "database \"%s\" of PgBouncer is in session mode", name);
            return error_hint(ctx, "There PAUSE waits until every client has left. Set pool_mode "
                                   "= transaction, if the application can live with it.");
        }
        if (!all.items[i].is_paused)
            return true;
        error_set(ctx, ERR_CONFLICT, "database \"%s\" of PgBouncer is paused already", name);
        return error_hint(ctx,
            "Somebody else is at work there, or was cut off: RESUME %s in its console ends it.",
            pgbouncer_quoted(ctx->arena, name));
    }
    error_set(ctx, ERR_NOT_FOUND, "PgBouncer has no database \"%s\"", name);
    return error_hint(ctx, "SHOW DATABASES in its console lists them.");
}

/* Who did not come to an end, as far as the pooler knows. */
static const char *
describe_busy(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name)
{
    struct error error = ctx->error;
    struct buffer text = { .arena = ctx->arena };
    int64_t *pids;
    size_t count;

    if (!pgbouncer_backends(ctx, pgbouncer, name, &pids, &count)) {
        ctx->error = error;
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        buffer_printf(&text, "%s%" PRId64, i ? ", " : "server processes: ", pids[i]);
    return count ? buffer_text(&text) : NULL;
}

bool
pgbouncer_resume(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name)
{
    int signal_number = interrupt_take();
    const char *command = arena_printf(ctx->arena, "RESUME %s", pgbouncer_quoted(ctx->arena, name));
    struct error error = ctx->error;
    struct result ignored;
    bool is_good = pgbouncer_ask(ctx, pgbouncer, command, 0, &ignored);

    /* The console may have been closed meanwhile; a new one knows. */
    if (!is_good && ctx->error.kind != ERR_SERVER && ctx->error.kind != ERR_RIGHTS)
        is_good = pgbouncer_ask(ctx, pgbouncer, command, 0, &ignored);
    if (!is_good && strstr(ctx->error.message, "is not paused"))
        is_good = true;
    if (is_good)
        ctx->error = error;
    interrupt_put(signal_number);
    if (is_good)
        return true;
    error_wrap(ctx, "resuming database \"%s\" of PgBouncer", name);
    return error_hint(ctx, "RESUME %s in its console lets its clients go on.",
        pgbouncer_quoted(ctx->arena, name));
}

/* Says why it was not paused, and lets the clients go on. */
static bool
give_up(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name, int64_t limit_us)
{
    int signal_number = interrupt_take();
    bool is_late = ctx->error.kind == ERR_TIMEOUT;
    struct error why = ctx->error;
    const char *busy = is_late ? describe_busy(ctx, pgbouncer, name) : NULL;

    if (is_late) {
        error_set(ctx, ERR_TIMEOUT, "transactions of clients of \"%s\" did not end within %s", name,
            text_from_us(ctx->arena, limit_us));
        ctx->error.detail = busy;
        error_hint(ctx, "pg_stat_activity shows what they do: a session \"idle in transaction\" "
                        "has to commit or be ended by pg_terminate_backend().");
        why = ctx->error;
    }
    if (pgbouncer_resume(ctx, pgbouncer, name))
        ctx->error = why;
    else
        ctx->error.kind = ERR_ATTENTION;
    interrupt_put(signal_number);
    return false;
}

bool
pgbouncer_pause(struct ctx *ctx, struct pgbouncer *pgbouncer, const char *name, int64_t limit_us)
{
    const char *command = arena_printf(ctx->arena, "PAUSE %s", pgbouncer_quoted(ctx->arena, name));
    struct result ignored;

    if (!check_pausable(ctx, pgbouncer, name))
        return error_wrap(ctx, "pausing PgBouncer");
    if (pgbouncer_ask(ctx, pgbouncer, command, limit_us, &ignored))
        return true;
    (void)give_up(ctx, pgbouncer, name, limit_us);
    return error_wrap(ctx, "pausing PgBouncer");
}

bool
pgbouncer_reload(struct ctx *ctx, struct pgbouncer *pgbouncer)
{
    struct result ignored;

    return pgbouncer_ask(ctx, pgbouncer, "RELOAD", 0, &ignored) ||
           error_wrap(ctx, "letting PgBouncer read its configuration file again");
}
