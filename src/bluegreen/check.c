/* What stands in the way of a pair, all of it at once and before anything is changed. */
#include <inttypes.h>

#include "base/file.h"
#include "bluegreen/part.h"
#include "change/room.h"
#include "db/ident.h"
#include "sql.h"

enum { NEW_SLOTS = 1, ROOM_PERCENT = 120 };

struct check {
    struct db *blue;
    const struct bluegreen_green *green;
    const struct bluegreen_wish *wish;
    struct sql_bluegreen_server blue_server;
    struct sql_bluegreen_server green_server;
    struct bluegreen_remarks *ret;
};

static void
remark(struct ctx *ctx, struct check *check, enum bluegreen_weight weight, const char *text,
    const char *remedy)
{
    VEC_PUSH(ctx->arena, check->ret, (struct bluegreen_remark){ weight, text, remedy });
}

#define OBSTACLE(text, remedy) remark(ctx, check, BLUEGREEN_OBSTACLE, (text), (remedy))
#define WARNING(text, remedy)  remark(ctx, check, BLUEGREEN_WARNING, (text), (remedy))
#define TEXT(...)              arena_printf(ctx->arena, __VA_ARGS__)

static bool
read_server(struct ctx *ctx, struct db *db, struct sql_bluegreen_server *ret)
{
    struct sql_bluegreen_server_rows rows;

    if (!sql_bluegreen_server(ctx, db, &rows))
        return error_wrap(ctx, "looking at the server");
    if (rows.count != 1)
        return error_set(ctx, ERR_RIGHTS, "role \"%s\" is not in pg_roles", db_user(db));
    *ret = rows.items[0];
    return true;
}

/* ---- settings ---- */

/* Of something that a server has so many of. */
struct quota {
    const char *name; /* of the setting */
    int64_t value;
    int64_t used;
    int64_t more; /* wanted */
};

static void
check_setting(struct ctx *ctx, struct check *check, const char *side, const struct quota *quota)
{
    if (quota->value - quota->used >= quota->more)
        return;
    OBSTACLE(
        TEXT("%s: %s is %" PRId64 ", of which %" PRId64 " are in use; %" PRId64 " more are needed",
            side, quota->name, quota->value, quota->used, quota->more),
        TEXT("ALTER SYSTEM SET %s = %" PRId64 "; and restart the server", quota->name,
            quota->used + quota->more));
}

/* Both servers send and receive: after a switch it goes the other way. */
static void
check_server(struct ctx *ctx, struct check *check, const char *side,
    const struct sql_bluegreen_server *server, int64_t times)
{
    /* The initial copy has a slot and a sender for each table that is copied at the same time. */
    int64_t links = times * (NEW_SLOTS + server->sync_workers);

    if (!text_equal(server->wal_level, "logical"))
        OBSTACLE(TEXT("%s: wal_level is %s, and logical replication needs logical", side,
                     server->wal_level),
            "ALTER SYSTEM SET wal_level = 'logical'; and restart the server");
    if (server->is_standby)
        OBSTACLE(TEXT("%s: the server is a standby", side), "Connect to the primary.");
    const struct quota quotas[] = {
        { "max_replication_slots", server->max_slots, server->slots, links },
        { "max_wal_senders", server->max_senders, server->senders, links },
        { "max_logical_replication_workers", server->max_workers, server->subscriptions,
            NEW_SLOTS + 1 },
    };

    for (size_t i = 0; i < COUNT_OF(quotas); i++)
        check_setting(ctx, check, side, &quotas[i]);
    if (server->processes <= server->max_workers)
        WARNING(TEXT("%s: max_worker_processes is %" PRId64
                     ", no more than max_logical_replication_workers",
                    side, server->processes),
            "ALTER SYSTEM SET max_worker_processes to more than that, and restart the server");
    if (server->keep_bytes < 0)
        WARNING(TEXT("%s: max_slot_wal_keep_size is not set: a replication that stands still fills "
                     "the disk with WAL",
                    side),
            "Watch \"pgmend bluegreen status\", or set it to what the disk can bear; a slot that "
            "needs more is lost then, and the pair has to be made anew.");
    if (server->prepared > 0)
        WARNING(
            TEXT("%s: %" PRId64 " prepared transactions hold a slot back", side, server->prepared),
            "COMMIT PREPARED or ROLLBACK PREPARED each (pg_prepared_xacts)");
}

static void
check_rights(struct ctx *ctx, struct check *check, struct db *db, const char *side,
    const struct sql_bluegreen_server *server)
{
    const char *role = db_ident(ctx->arena, db_user(db));

    if (!server->may_replicate)
        OBSTACLE(TEXT("%s: role %s may not replicate", side, role),
            TEXT("ALTER ROLE %s REPLICATION;", role));
    if (server->is_superuser)
        return;
    if (db_major(db) < 16)
        OBSTACLE(TEXT("%s: CREATE SUBSCRIPTION needs a superuser before PostgreSQL 16, and %s is "
                      "none",
                     side, role),
            "Connect as a superuser.");
    else if (!server->may_subscribe)
        OBSTACLE(TEXT("%s: role %s may not create subscriptions", side, role),
            TEXT("GRANT pg_create_subscription TO %s;", role));
    else
        WARNING(TEXT("%s: role %s is no superuser, so its subscription has to name a password",
                    side, role),
            "Have a superuser set password_required = false for it, or give one with "
            "--blue-reach and --green-reach; superusers can read it in pg_subscription.");
}

/* ---- tables ---- */

static bool
check_tables(struct ctx *ctx, struct check *check)
{
    struct sql_bluegreen_tables_rows tables;

    if (!sql_bluegreen_tables(ctx, check->blue, &tables))
        return error_wrap(ctx, "looking at the tables");
    for (size_t i = 0; i < tables.count; i++) {
        const struct sql_bluegreen_tables *table = &tables.items[i];
        const char *name = db_qualified(ctx->arena, table->schema, table->name);

        if (table->is_unlogged) {
            WARNING(TEXT("table %s is unlogged: it stays empty on green", name),
                TEXT("ALTER TABLE %s SET LOGGED; if its rows are needed", name));
            continue;
        }
        if (!table->has_identity && !check->wish->full_identity)
            OBSTACLE(TEXT("table %s has no replica identity: UPDATE and DELETE would fail as soon "
                          "as it is published",
                         name),
                TEXT("Give it a primary key, or ALTER TABLE %s REPLICA IDENTITY USING INDEX of a "
                     "unique index over NOT NULL columns; or --full-identity: each row is then "
                     "looked for as a whole.",
                    name));
        if (!table->is_owner)
            OBSTACLE(TEXT("table %s belongs to another role", name),
                "Only its owner may publish it: connect as that role or as a superuser.");
        if (*table->replica_triggers)
            WARNING(TEXT("table %s: triggers that fire for replicated rows too: %s", name,
                        table->replica_triggers),
                "What they do would be done twice: ALTER TABLE … ENABLE TRIGGER makes them "
                "ordinary ones.");
    }
    return true;
}

static bool
check_others(struct ctx *ctx, struct check *check)
{
    struct sql_bluegreen_others_rows rows;

    if (!sql_bluegreen_others(ctx, check->blue, &rows))
        return error_wrap(ctx, "looking at what is not replicated");
    for (size_t i = 0; i < rows.count; i++) {
        const char *kind = rows.items[i].kind;
        const char *name = rows.items[i].name;

        if (text_equal(kind, "large objects") && !check->wish->without_large_objects)
            OBSTACLE(TEXT("%s large objects are not replicated", name),
                "Move them into bytea columns, copy them yourself while writers are stopped, or "
                "leave them behind: --without-large-objects.");
        else if (text_equal(kind, "large objects"))
            WARNING(TEXT("%s large objects stay behind", name), NULL);
        else if (text_equal(kind, "materialized view"))
            WARNING(TEXT("materialized view %s is filled on green before each switch", name), NULL);
        else if (text_equal(kind, "foreign table"))
            WARNING(TEXT("foreign table %s: its rows stay where they are", name),
                "Make sure that green's server comes there too.");
        else if (text_equal(kind, "event trigger"))
            WARNING(TEXT("event trigger %s fires for replication too", name), NULL);
        else if (text_equal(kind, "subscription") && !text_starts_with(name, "pgmend_"))
            WARNING(TEXT("subscription %s of blue stays with blue", name), NULL);
    }
    return true;
}

/* ---- green ---- */

static bool
check_extensions(struct ctx *ctx, struct check *check)
{
    struct sql_bluegreen_extensions_rows here, there;

    if (!sql_bluegreen_extensions(ctx, check->blue, &here) ||
        !sql_bluegreen_extensions(ctx, check->green->db, &there))
        return error_wrap(ctx, "comparing the extensions");
    for (size_t i = 0; i < here.count; i++) {
        bool is_found = !here.items[i].version;

        for (size_t j = 0; j < there.count && !is_found; j++)
            is_found = text_equal(here.items[i].name, there.items[j].name);
        if (!is_found)
            OBSTACLE(TEXT("extension %s is not available on green's server", here.items[i].name),
                "Install its package there.");
    }
    return true;
}

static bool
check_roles(struct ctx *ctx, struct check *check)
{
    struct sql_bluegreen_roles_rows needed;
    struct sql_bluegreen_role_names_rows there;

    if (check->green->is_same_server)
        return true;
    if (!sql_bluegreen_roles(ctx, check->blue, &needed) ||
        !sql_bluegreen_role_names(ctx, check->green->db, &there))
        return error_wrap(ctx, "comparing the roles");
    for (size_t i = 0; i < needed.count; i++) {
        bool is_found = false;

        for (size_t j = 0; j < there.count && !is_found; j++)
            is_found = text_equal(needed.items[i].name, there.items[j].name);
        if (!is_found)
            OBSTACLE(TEXT("role %s owns something or was granted something, and green's server "
                          "has no such role",
                         db_ident(ctx->arena, needed.items[i].name)),
                "pg_dumpall --roles-only carries roles over.");
    }
    return true;
}

static bool
check_emptiness(struct ctx *ctx, struct check *check)
{
    struct sql_bluegreen_others_rows rows;

    if (!check->green->is_there || check->wish->way == BLUEGREEN_AS_IS)
        return true;
    if (!sql_bluegreen_others(ctx, check->green->db, &rows))
        return error_wrap(ctx, "looking at green");
    for (size_t i = 0; i < rows.count; i++)
        if (text_equal(rows.items[i].kind, "table"))
            OBSTACLE(TEXT("database \"%s\" on green's server is not empty: %s tables and views",
                         check->green->database, rows.items[i].name),
                "Name a database that does not exist, and it is created; or --schema as-is takes "
                "the tables as they are there.");
    return true;
}

static bool
check_room(struct ctx *ctx, struct check *check)
{
    struct room room;
    int64_t free_bytes;
    int64_t needed = check->blue_server.bytes / 100 * ROOM_PERCENT;

    if (!room_find(ctx, check->green->db, &room))
        return false;
    if (!room.is_seen) {
        WARNING(TEXT("green needs about %s of disk, and its disk is not seen from here",
                    text_from_bytes(ctx->arena, needed)),
            NULL);
        return true;
    }
    if (!file_free_bytes(ctx, room.data_path, &free_bytes))
        return false;
    if (free_bytes < needed)
        OBSTACLE(TEXT("green needs about %s of disk, and %s are free",
                     text_from_bytes(ctx->arena, needed), text_from_bytes(ctx->arena, free_bytes)),
            "Make room, or take another server.");
    return true;
}

/* Tried, and rolled back: only the server itself knows whether it comes to the other one. */
static bool
check_reach(
    struct ctx *ctx, struct check *check, struct db *db, const char *side, const char *conninfo)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    if (!db_begin(ctx, db, "READ WRITE", &transaction))
        return false;
    if (bg_exec(ctx, db,
            "CREATE SUBSCRIPTION pgmend_probe CONNECTION %s PUBLICATION pgmend_probe WITH "
            "(connect = true, create_slot = false, slot_name = NONE, enabled = false, copy_data = "
            "false)",
            db_literal(ctx->arena, conninfo)))
        return true;
    if (ctx->error.kind == ERR_RIGHTS) {
        error_clear(ctx);
        return true;
    }
    OBSTACLE(TEXT("%s's server does not come to the other one: %s%s%s", side, ctx->error.message,
                 ctx->error.detail ? "; " : "", ctx->error.detail ? ctx->error.detail : ""),
        TEXT("It was tried with: %s. See pg_hba.conf and listen_addresses there, or name another "
             "way with --%s-reach.",
            conninfo, text_equal(side, "green") ? "blue" : "green"));
    error_clear(ctx);
    return true;
}

static bool
check_links(struct ctx *ctx, struct check *check)
{
    const struct bluegreen_green *green = check->green;
    const char *to_green = bg_with_database(ctx->arena, green->green_reach, db_name(green->db));
    const char *to_blue = bg_with_database(ctx->arena, green->blue_reach, db_name(check->blue));

    return check_reach(ctx, check, green->db, "green", to_blue) &&
           (green->is_same_server || check_reach(ctx, check, check->blue, "blue", to_green));
}

bool
bluegreen_check(struct ctx *ctx, struct db *blue, const struct bluegreen_green *green,
    const struct bluegreen_wish *wish, struct bluegreen_remarks *ret)
{
    struct check state = { .blue = blue, .green = green, .wish = wish, .ret = ret };
    struct check *check = &state;

    *ret = (struct bluegreen_remarks){ 0 };
    if (!read_server(ctx, blue, &check->blue_server) ||
        !read_server(ctx, green->db, &check->green_server))
        return false;
    check_server(ctx, check, "blue", &check->blue_server, green->is_same_server ? 2 : 1);
    check_rights(ctx, check, blue, "blue", &check->blue_server);
    if (!green->is_same_server) {
        check_server(ctx, check, "green", &check->green_server, 1);
        check_rights(ctx, check, green->db, "green", &check->green_server);
    }
    if (!green->is_there && !check->green_server.may_create_database)
        OBSTACLE(TEXT("role %s may not create database \"%s\"",
                     db_ident(ctx->arena, db_user(green->db)), green->database),
            "ALTER ROLE … CREATEDB, or create an empty database yourself.");
    return check_tables(ctx, check) && check_others(ctx, check) && check_extensions(ctx, check) &&
           check_roles(ctx, check) && check_emptiness(ctx, check) && check_room(ctx, check) &&
           check_links(ctx, check);
}
