#include "change/room.h"

#include <endian.h>
#include <errno.h>
#include <unistd.h>

#include "base/file.h"
#include "change/kind_part.h"

static bool
is_local(const char *host)
{
    return !host || !*host || *host == '/' || text_equal(host, "localhost") ||
           text_starts_with(host, "127.") || text_equal(host, "::1");
}

static void
unseen(struct room *room, const char *why)
{
    room->is_seen = false;
    room->why_not = why;
}

/* The first eight bytes of pg_control are the system identifier. */
static bool
is_same_cluster(struct ctx *ctx, const char *folder, const char *identifier)
{
    const char *data;
    size_t length;
    uint64_t number;

    if (!file_read(ctx, file_join(ctx->arena, folder, "global/pg_control"), &data, &length) ||
        length < sizeof(number)) {
        error_clear(ctx);
        return false;
    }
    memcpy(&number, data, sizeof(number));
    return text_equal(arena_printf(ctx->arena, "%llu", (unsigned long long)number), identifier);
}

bool
room_find(struct ctx *ctx, struct db *db, struct room *ret)
{
    struct sql_change_server_rows rows;
    const char *identifier;

    *ret = (struct room){ .is_seen = true };
    if (!is_local(db_host(db))) {
        unseen(ret, "the server is on another machine");
        return true;
    }
    if (!sql_change_server(ctx, db, &rows) || !journal_system_identifier(ctx, db, &identifier))
        return error_wrap(ctx, "looking for the server's folders");
    ret->data_path = rows.count == 1 ? rows.items[0].data_directory : NULL;
    if (!ret->data_path)
        unseen(ret, "the role may not know the data folder (GRANT pg_read_all_settings)");
    else if (!identifier)
        unseen(ret, "the role may not know the cluster's identifier");
    else if (!is_same_cluster(ctx, ret->data_path, identifier))
        unseen(ret, "the data folder cannot be read from here");
    else
        ret->wal_path = file_join(ctx->arena, ret->data_path, "pg_wal");
    return true;
}

bool
rollout_check_room(struct ctx *ctx, const struct rollout *rollout)
{
    int64_t bytes;

    if (!rollout->wal_path)
        return true;
    if (!file_free_bytes(ctx, rollout->wal_path, &bytes))
        return false;
    if (bytes >= rollout->limits.wal_reserve)
        return true;
    error_set(ctx, ERR_GATE, "pg_wal ran low (%s left): a full one takes the server down",
        text_from_bytes(ctx->arena, bytes));
    return error_hint(ctx, "Make room on the volume of %s.", rollout->wal_path);
}
