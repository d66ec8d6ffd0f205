/* Where clients go: the databases change their names, or the pooler's file gets another line. */
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "bluegreen/part.h"
#include "db/ident.h"
#include "db/pgbouncer.h"
#include "sql.h"

enum { RENAME_TRIES = 20, RENAME_TICK_US = 50000, NAME_BYTES = 64 };

/* ---- by name ---- */

/* "app_blue", cut where it would be too long. */
static const char *
name_aside(struct arena *arena, const char *name, int side)
{
    const char *end = arena_printf(arena, "_%s", bluegreen_side_name(side));
    size_t room = NAME_BYTES - 1 - strlen(end);
    size_t length = strlen(name);

    if (length > room)
        length = room;
    /* Not in the middle of a letter. */
    while (length > 0 && ((unsigned char)name[length] & 0xc0) == 0x80)
        length--;
    return arena_printf(arena, "%.*s%s", (int)length, name, end);
}

static bool
end_all(struct ctx *ctx, struct db *admin, const struct bluegreen *pair)
{
    struct sql_bluegreen_end_sessions_rows ended;

    for (int side = BLUE; side < BLUEGREEN_SIDES; side++)
        if (!sql_bluegreen_end_sessions(
                ctx, admin, &ended, .database = pair->state.sides[side].id, .all = true))
            return error_wrap(ctx, "ending the sessions of both databases");
    return true;
}

struct renaming {
    const char *clients; /* the name that clients use, of the live one until now */
    const char *aside;   /* what the live one is called from now on */
    const char *spare;   /* the name that the target has until now */
};

/* When the name to be given is the target's own, three steps in one transaction; nobody sees them. */
static bool
rename_both(struct ctx *ctx, struct db *admin, const struct renaming *names)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *clients = db_ident(ctx->arena, names->clients);
    const char *aside = db_ident(ctx->arena, names->aside);
    const char *spare = db_ident(ctx->arena, names->spare);
    bool is_same = text_equal(names->aside, names->spare);
    const char *between = is_same ? "pgmend_bluegreen_between" : aside;

    return db_begin(ctx, admin, NULL, &transaction) &&
           bg_exec(ctx, admin, "ALTER DATABASE %s RENAME TO %s", clients, between) &&
           bg_exec(ctx, admin, "ALTER DATABASE %s RENAME TO %s", spare, clients) &&
           (!is_same || bg_exec(ctx, admin, "ALTER DATABASE %s RENAME TO %s", between, aside)) &&
           db_commit(ctx, &transaction);
}

static bool
rename_until_done(
    struct ctx *ctx, struct db *admin, struct bluegreen *pair, const struct renaming *names)
{
    for (int i = 0; i < RENAME_TRIES; i++) {
        error_clear(ctx);
        if (!end_all(ctx, admin, pair))
            return false;
        if (rename_both(ctx, admin, names))
            return true;
        /* object_in_use: somebody came in between. */
        if (!text_equal(ctx->error.sqlstate, "55006"))
            break;
        if (!clock_sleep_us(RENAME_TICK_US))
            return interrupt_error(ctx, interrupt_signal());
    }
    return error_wrap(ctx, "renaming the databases");
}

/* Our own sessions are in the way too; they come back to whatever the databases are called then. */
static bool
reopen(struct ctx *ctx, struct db *admin, struct bluegreen *pair)
{
    for (int side = BLUE; side < BLUEGREEN_SIDES; side++) {
        struct sql_bluegreen_database_by_id_rows rows;

        if (!sql_bluegreen_database_by_id(ctx, admin, &rows, .id = pair->state.sides[side].id))
            return false;
        if (rows.count != 1)
            return error_set(
                ctx, ERR_ATTENTION, "the %s database is gone", bluegreen_side_name(side));
        pair->state.sides[side].database = rows.items[0].name;
        if (!bg_open_like(ctx, admin, rows.items[0].name, ACCESS_WRITE, &pair->dbs[side]))
            return error_wrap(ctx, "connecting to database \"%s\" again", rows.items[0].name);
    }
    return true;
}

static bool
move_names(struct ctx *ctx, struct bg_move *move)
{
    struct bluegreen *pair = move->pair;
    int live = pair->state.live;
    struct db *admin CLEANUP(db_cleanup) = NULL;
    const struct renaming names = {
        .clients = pair->state.sides[live].database,
        .aside = name_aside(ctx->arena, pair->state.clients_name, live),
        .spare = pair->state.sides[bluegreen_other(live)].database,
    };
    struct error error;
    bool is_good;

    if (!bg_open_like(ctx, pair->dbs[live], "postgres", ACCESS_WRITE, &admin))
        return error_wrap(ctx, "connecting to database \"postgres\" to rename the others");
    bluegreen_close(pair);
    is_good = rename_until_done(ctx, admin, pair, &names);
    error = ctx->error;

    int signal_number = interrupt_take();

    if (!reopen(ctx, admin, pair))
        return false;
    interrupt_put(signal_number);
    if (!is_good)
        ctx->error = error;
    return is_good;
}

/* ---- by the pooler's file ---- */

struct pooler_file {
    const char *path; /* no link */
    const char *text;
    size_t length;
    struct stat info;
};

static bool
read_file(struct ctx *ctx, const char *name, struct pooler_file *ret)
{
    char *path = realpath(name, NULL);

    *ret = (struct pooler_file){ 0 };
    if (!path)
        return error_set_errno(ctx, "reading PgBouncer's configuration file %s", name);
    ret->path = arena_strdup(ctx->arena, path);
    free(path);
    if (stat(ret->path, &ret->info) != 0)
        return error_set_errno(ctx, "reading PgBouncer's configuration file %s", name);
    return file_read(ctx, ret->path, &ret->text, &ret->length);
}

/* There completely or not at all, and with the owner and mode that it had. */
static bool
write_like(struct ctx *ctx, const struct pooler_file *file, const char *path, const char *text)
{
    if (!file_write(ctx, path, text, strlen(text), (int)(file->info.st_mode & 07777)))
        return false;
    if (chown(path, file->info.st_uid, file->info.st_gid) != 0)
        return error_set_errno(ctx, "giving %s to its owner", path);
    /* The umask has had a say when it was made. */
    if (chmod(path, file->info.st_mode & 07777) != 0)
        return error_set_errno(ctx, "giving %s its mode", path);
    return true;
}

static bool
point_all(struct ctx *ctx, struct bg_move *move, const char *text, const char **ret)
{
    const struct bluegreen_side *side = &move->pair->state.sides[move->options->target];
    struct db *db = move->pair->dbs[move->options->target];

    *ret = text;
    for (size_t i = 0; i < move->entries.count; i++) {
        const struct bluegreen_entry entry = {
            .name = move->entries.items[i],
            .host = db_host(db),
            .port = db_port(db),
            .database = side->database,
        };
        const char *before;

        if (!pooler_file_point(ctx, *ret, &entry, ret, &before))
            return error_wrap(ctx, "%s", move->options->pooler_file);
    }
    return true;
}

bool
bg_check_move(struct ctx *ctx, struct bg_move *move)
{
    struct pooler_file file;
    const char *text;

    if (!move->options->pooler_file) {
        if (move->pair->state.same_server)
            return true;
        error_set(ctx, ERR_USAGE, "blue and green are on two servers: a name cannot be exchanged");
        return error_hint(ctx, "--pgbouncer-ini FILE has the pooler's entry rewritten.");
    }
    if (!read_file(ctx, move->options->pooler_file, &file) ||
        !point_all(ctx, move, file.text, &text))
        return false;
    if (access(file.path, W_OK) != 0)
        return error_set_errno(ctx, "writing PgBouncer's configuration file %s", file.path);
    move->pair->state.lines_before = file.text;
    return true;
}

/* Where the pooler says that it leads, which is what counts. */
bool
bg_are_moved(struct ctx *ctx, struct bg_move *move, bool *ret)
{
    const struct bluegreen_side *side = &move->pair->state.sides[move->options->target];
    struct db *db = move->pair->dbs[move->options->target];
    struct pgbouncer_databases all;
    const char *port = db_port(db);

    *ret = false;
    if (!move->options->pooler_file) {
        *ret = text_equal(side->database, move->pair->state.clients_name);
        return true;
    }
    if (!pgbouncer_list(ctx, move->pooler, &all))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        const struct pgbouncer_database *entry = &all.items[i];

        if (text_list_has(&move->entries, entry->name))
            *ret = text_equal(entry->database, side->database) &&
                   text_equal(entry->host, db_host(db)) &&
                   text_equal(entry->port ? entry->port : "5432", port);
    }
    return true;
}

static bool
move_entries(struct ctx *ctx, struct bg_move *move)
{
    struct pooler_file file;
    const char *text;
    bool is_moved;

    if (!read_file(ctx, move->options->pooler_file, &file) ||
        !point_all(ctx, move, file.text, &text))
        return false;
    move->ret->kept_file = arena_printf(
        ctx->arena, "%s.before-%s", file.path, bluegreen_side_name(move->options->target));
    if (!write_like(ctx, &file, move->ret->kept_file, file.text) ||
        !write_like(ctx, &file, file.path, text) || !pgbouncer_reload(ctx, move->pooler) ||
        !bg_are_moved(ctx, move, &is_moved))
        return error_wrap(ctx, "pointing PgBouncer to the other database");
    if (is_moved)
        return true;
    error_set(ctx, ERR_VERIFICATION,
        "PgBouncer has read its configuration again and still leads "
        "to the former database");
    return error_hint(ctx, "Is %s the file that it was started with?", file.path);
}

bool
bg_unmove_file(struct ctx *ctx, struct bg_move *move)
{
    const char *before = move->pair->state.lines_before;
    struct pooler_file file;

    if (!move->options->pooler_file || !before)
        return true;
    if (!read_file(ctx, move->options->pooler_file, &file))
        return false;
    if (text_equal(file.text, before))
        return true;
    return write_like(ctx, &file, file.path, before) && pgbouncer_reload(ctx, move->pooler);
}

bool
bg_move_clients(struct ctx *ctx, struct bg_move *move)
{
    return move->options->pooler_file ? move_entries(ctx, move) : move_names(ctx, move);
}
