/*
 * The restored database takes the place of the live one. What belongs to the live database but is in no dump is
 * copied first. Then one transaction renames both: ALTER DATABASE ... RENAME keeps new sessions waiting at the door
 * from its first moment, and a second session of ours ends those that are inside. So there is nothing in between: a
 * run that is killed leaves the live database as it was, or replaced. A pooler holds its clients back meanwhile, and
 * they see nothing but a pause.
 */
#include <inttypes.h>

#include "backup/backup.h"
#include "backup/pooler.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/interrupt.h"
#include "db/ident.h"
#include "sql.h"

#define KEPT "pgmend kept: "

enum {
    SESSIONS_LIMIT_US = 10000000,
    CANCEL_LIMIT_US = 10000000,
    LOOK_US = 20000,
    LONGEST_NAME = 63
};

struct swap {
    struct db *admin;
    struct db *other; /* ends the sessions while admin waits for them */
    int64_t ended;    /* sessions that were told to end */
    const char *live;
    const char *side;
    const char *old;
    const char *backup;
    struct sql_backup_database database; /* the live one */
};

static bool exec(struct ctx *ctx, struct db *db, const char *format, ...) PRINTF_LIKE(3, 4);

static bool
exec(struct ctx *ctx, struct db *db, const char *format, ...)
{
    va_list args;

    va_start(args, format);

    const char *sql = arena_vprintf(ctx->arena, format, args);

    va_end(args);
    return db_exec(ctx, db, sql);
}

static const char *
old_name(struct arena *arena, const char *live)
{
    const char *stamp = clock_text(arena, clock_wall_us());
    struct buffer digits = { .arena = arena };
    size_t length = strlen(live);

    for (const char *at = stamp; *at; at++)
        if (*at >= '0' && *at <= '9')
            buffer_append(&digits, at, 1);

    size_t room = LONGEST_NAME - strlen("_before_") - digits.length;

    if (length > room)
        length = room;
    /* Not in the middle of a letter. */
    while (length > 0 && ((unsigned char)live[length] & 0xc0) == 0x80)
        length--;
    return arena_printf(arena, "%.*s_before_%s", (int)length, live, buffer_text(&digits));
}

static bool
check_live(struct ctx *ctx, struct swap *swap)
{
    struct sql_backup_database_rows rows;

    if (!sql_backup_database(ctx, swap->admin, &rows, .name = swap->live))
        return false;
    if (rows.count != 1)
        return error_set(ctx, ERR_NOT_FOUND, "there is no database \"%s\"", swap->live);
    swap->database = rows.items[0];
    if (!swap->database.is_owner) {
        error_set(ctx, ERR_RIGHTS, "role \"%s\" may not rename database \"%s\"",
            db_user(swap->admin), swap->live);
        return error_hint(
            ctx, "It has to be a member of role \"%s\", or a superuser.", swap->database.owner);
    }
    if (swap->database.prepared > 0) {
        error_set(ctx, ERR_CONFLICT, "database \"%s\" has %" PRId64 " prepared transactions",
            swap->live, swap->database.prepared);
        return error_hint(ctx, "See pg_prepared_xacts: COMMIT PREPARED or ROLLBACK PREPARED each.");
    }
    return true;
}

static bool
copy_grants(struct ctx *ctx, const struct swap *swap)
{
    struct sql_backup_database_rights_rows rows;
    const char *side = db_ident(ctx->arena, swap->side);

    if (!sql_backup_database_rights(ctx, swap->admin, &rows, .name = swap->live))
        return false;
    /* Without a row the database has the standard rights, and so has the new one. */
    if (rows.count && !exec(ctx, swap->admin, "REVOKE ALL ON DATABASE %s FROM PUBLIC", side))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_backup_database_rights *row = &rows.items[i];

        if (!exec(ctx, swap->admin, "GRANT %s ON DATABASE %s TO %s%s", row->privilege, side,
                row->grantee ? db_ident(ctx->arena, row->grantee) : "PUBLIC",
                row->is_grantable ? " WITH GRANT OPTION" : ""))
            return false;
    }
    return true;
}

/*
 * A list of names, as search_path, is one value only for SET; so the session takes it for a moment
 * and the database gets it FROM CURRENT.
 */
static bool
copy_setting(
    struct ctx *ctx, const struct swap *swap, const struct sql_backup_database_settings *setting)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *side = db_ident(ctx->arena, swap->side);
    const char *name = db_ident(ctx->arena, setting->name);
    const char *target = setting->role ? arena_printf(ctx->arena, "ROLE %s IN DATABASE %s",
                                             db_ident(ctx->arena, setting->role), side)
                                       : arena_printf(ctx->arena, "DATABASE %s", side);
    const char *params[] = { setting->name, setting->value };
    const char *ignored;

    if (!setting->is_list)
        return exec(ctx, swap->admin, "ALTER %s SET %s TO %s", target, name,
            db_literal(ctx->arena, setting->value));
    return db_begin(ctx, swap->admin, NULL, &transaction) &&
           db_value(ctx, swap->admin, "SELECT pg_catalog.set_config($1, $2, true)", params, 2,
               &ignored) &&
           exec(ctx, swap->admin, "ALTER %s SET %s FROM CURRENT", target, name) &&
           db_commit(ctx, &transaction);
}

static bool
copy_properties(struct ctx *ctx, const struct swap *swap)
{
    struct sql_backup_database_settings_rows rows;
    const char *side = db_ident(ctx->arena, swap->side);

    if (!exec(ctx, swap->admin, "ALTER DATABASE %s OWNER TO %s", side,
            db_ident(ctx->arena, swap->database.owner)) ||
        !exec(ctx, swap->admin, "ALTER DATABASE %s CONNECTION LIMIT %d", side,
            swap->database.connection_limit) ||
        !copy_grants(ctx, swap) ||
        !sql_backup_database_settings(ctx, swap->admin, &rows, .database = swap->live))
        return error_wrap(ctx, "copying what belongs to database \"%s\"", swap->live);
    for (size_t i = 0; i < rows.count; i++)
        if (!copy_setting(ctx, swap, &rows.items[i]))
            return error_wrap(
                ctx, "copying setting %s of database \"%s\"", rows.items[i].name, swap->live);
    return true;
}

static bool
is_in_use(const struct ctx *ctx)
{
    return strcmp(ctx->error.sqlstate, "55006") == 0;
}

/* Sends the first rename, which waits for the sessions to end, and ends them. */
static bool
rename_live(struct ctx *ctx, struct swap *swap)
{
    bool is_done = false;
    const char *sql = arena_printf(ctx->arena, "ALTER DATABASE %s RENAME TO %s",
        db_ident(ctx->arena, swap->live), db_ident(ctx->arena, swap->old));

    if (!db_send(ctx, swap->admin, sql))
        return false;
    for (;;) {
        struct sql_backup_terminate_rows asked;

        if (!db_wait(ctx, swap->admin, LOOK_US, &is_done))
            break;
        if (is_done)
            return true;
        if (!sql_backup_terminate(ctx, swap->other, &asked, .database = swap->database.oid)) {
            error_wrap(ctx, "ending the sessions of database \"%s\"", swap->live);
            break;
        }
        if (asked.items[0].asked > swap->ended)
            swap->ended = asked.items[0].asked;
    }
    if (!is_done)
        (void)db_cancel_wait(swap->admin, CANCEL_LIMIT_US);
    return false;
}

static bool
rename_both(struct ctx *ctx, struct swap *swap)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *live = db_ident(ctx->arena, swap->live);
    const char *old = db_ident(ctx->arena, swap->old);
    const char *comment = swap->database.comment;
    const char *kept = arena_printf(
        ctx->arena, KEPT "\"%s\" before it was replaced by backup %s", swap->live, swap->backup);

    if (!db_begin(ctx, swap->admin, NULL, &transaction) || !rename_live(ctx, swap))
        return false;
    fault_point("swap");
    if (!exec(ctx, swap->admin, "ALTER DATABASE %s RENAME TO %s", db_ident(ctx->arena, swap->side),
            live) ||
        !exec(
            ctx, swap->admin, "COMMENT ON DATABASE %s IS %s", old, db_literal(ctx->arena, kept)) ||
        !exec(ctx, swap->admin, "COMMENT ON DATABASE %s IS %s", live,
            comment ? db_literal(ctx->arena, comment) : "NULL"))
        return false;
    fault_point("swap");
    return db_commit(ctx, &transaction);
}

/* Who comes between the end of the others and the rename is ended by the next try. */
static bool
rename_until(struct ctx *ctx, struct swap *swap)
{
    int64_t end = clock_us() + SESSIONS_LIMIT_US;

    while (!rename_both(ctx, swap)) {
        struct sql_backup_database_rows rows;

        if (!is_in_use(ctx) || interrupt_signal())
            return error_wrap(ctx, "renaming the databases");
        if (clock_us() < end) {
            error_clear(ctx);
            continue;
        }
        if (!sql_backup_database(ctx, swap->other, &rows, .name = swap->live) || rows.count != 1)
            return error_wrap(ctx, "renaming the databases");
        error_set(ctx, ERR_TIMEOUT, "%" PRId64 " sessions of database \"%s\" did not end",
            rows.items[0].sessions, swap->live);
        return error_hint(ctx, "pg_stat_activity shows them; a process of the server that does not "
                               "answer has to be looked at there.");
    }
    return true;
}

/*
 * Which database has the name now: the answer to COMMIT can be lost. Through a new session when the
 * old one is gone.
 */
static enum backup_swap_outcome
find_outcome(const struct swap *swap)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    int signal_number = interrupt_take();
    struct db *other CLEANUP(db_cleanup) = NULL;
    struct db_options options = { .access = ACCESS_WRITE };
    struct db *db = swap->admin;
    struct sql_backup_database_rows rows;
    enum backup_swap_outcome outcome = SWAP_UNKNOWN;

    if (!db_is_connected(db) && db_open_like(&ctx, db, &options, &other))
        db = other;
    if (sql_backup_database(&ctx, db, &rows, .name = swap->live) && rows.count == 1)
        outcome = rows.items[0].oid == swap->database.oid ? SWAP_UNDONE : SWAP_DONE;
    interrupt_put(signal_number);
    return outcome;
}

/* What became of it, for the user; false unless the databases were swapped. */
static bool
conclude(struct ctx *ctx, const struct swap *swap, enum backup_swap_outcome outcome)
{
    switch (outcome) {
    case SWAP_DONE:
        error_clear(ctx);
        return true;
    case SWAP_UNDONE:
        return error_state(ctx, "The live database is unchanged and takes connections%s.",
            swap->ended > 0 ? "; sessions of it were ended" : "");
    case SWAP_UNKNOWN:
        break;
    }
    ctx->error.kind = ERR_ATTENTION;
    error_hint(ctx, "Once the server answers: \"psql -l\" shows whether there is a database %s.",
        swap->old);
    return error_state(ctx,
        "Either database %s is as it was, or it is the restored one and the "
        "one before is called %s; nothing in between.",
        swap->live, swap->old);
}

static bool
prepare(struct ctx *ctx, struct swap *swap)
{
    struct db_options options = { .access = ACCESS_WRITE };

    return check_live(ctx, swap) && copy_properties(ctx, swap) &&
           db_open_like(ctx, swap->admin, &options, &swap->other);
}

static void
end_swap(struct swap *swap)
{
    db_cleanup(&swap->other);
}

bool
backup_restore_swap(
    struct ctx *ctx, struct backup_side *side, struct backup_pooler *pooler, const char **ret_old)
{
    struct swap swap CLEANUP(end_swap) = {
        .admin = side->admin,
        .live = side->live,
        .side = side->name,
        .old = old_name(ctx->arena, side->live),
        .backup = side->backup,
    };
    enum backup_swap_outcome outcome = SWAP_DONE;
    bool is_good;

    if (!prepare(ctx, &swap)) {
        error_wrap(ctx, "preparing the swap");
        return error_state(ctx, "The live database was not touched.");
    }
    fault_point("swap");
    if (pooler && !backup_pooler_pause(ctx, pooler))
        return error_state(ctx, "The live database was not touched%s.",
            ctx->error.kind == ERR_ATTENTION ? "" : "; the clients of PgBouncer go on");
    fault_point("swap");
    if (!rename_until(ctx, &swap))
        outcome = find_outcome(&swap);
    fault_point("swap");
    is_good = conclude(ctx, &swap, outcome);
    side->ended = swap.ended;
    if (outcome == SWAP_DONE) {
        *ret_old = swap.old;
        side->name = NULL;
    }
    if (pooler && !backup_pooler_resume(ctx, pooler))
        return false;
    fault_point("swap");
    return is_good;
}

bool
backup_drop_old(struct ctx *ctx, struct db *admin, const char *name)
{
    struct sql_backup_database_rows rows;

    if (!sql_backup_database(ctx, admin, &rows, .name = name))
        return error_wrap(ctx, "looking for database \"%s\"", name);
    if (rows.count == 0)
        return error_set(ctx, ERR_NOT_FOUND, "there is no database \"%s\"", name);
    if (!rows.items[0].comment || !text_starts_with(rows.items[0].comment, KEPT))
        return error_set(
            ctx, ERR_CONFLICT, "database \"%s\" was not put aside by a swap of pgmend", name);
    if (rows.items[0].sessions > 0)
        return error_set(ctx, ERR_CONFLICT, "%" PRId64 " sessions use database \"%s\"",
            rows.items[0].sessions, name);
    if (!exec(ctx, admin, "DROP DATABASE %s", db_ident(ctx->arena, name)))
        return error_wrap(ctx, "dropping database \"%s\"", name);
    return true;
}
