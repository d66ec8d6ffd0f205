/* Publication, slot and subscription, in either direction; each can be made and dropped again and again. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "bluegreen/part.h"
#include "catalog/schema.h"
#include "db/ident.h"
#include "sql.h"

enum { SLOT_TICK_US = 200000, CANCEL_LIMIT_US = 5000000, END_LIMIT_US = 20000000, TICK_US = 20000 };

void
bg_roots(struct arena *arena, const struct sql_bluegreen_tables_rows *tables,
    bool without_revisions, struct text_list *ret)
{
    *ret = (struct text_list){ 0 };
    for (size_t i = 0; i < tables->count; i++) {
        const struct sql_bluegreen_tables *table = &tables->items[i];
        const char *name = db_qualified(arena, table->root_schema, table->root_name);

        if (table->is_unlogged || text_list_has(ret, name))
            continue;
        if (without_revisions && text_equal(table->root_name, "alembic_version"))
            continue;
        text_list_add(arena, ret, name);
    }
}

bool
bg_publish(struct ctx *ctx, struct bluegreen *pair, int side)
{
    struct db *db = pair->dbs[side];
    struct sql_bluegreen_publication_rows there;
    struct sql_bluegreen_tables_rows tables;
    struct text_list names;

    if (!sql_bluegreen_publication(ctx, db, &there, .name = BLUEGREEN_PUBLICATION) ||
        !sql_bluegreen_tables(ctx, db, &tables))
        return error_wrap(ctx, "looking at the publication");
    bg_roots(ctx->arena, &tables, pair->state.without_revisions, &names);
    text_list_add(ctx->arena, &names, "pgmend.bluegreen_beat");

    const char *list = text_list_join(ctx->arena, &names, ", ");

    if (there.count == 1)
        return bg_exec(ctx, db, "ALTER PUBLICATION " BLUEGREEN_PUBLICATION " SET TABLE %s", list) ||
               error_wrap(ctx, "publishing the tables");
    return bg_exec(ctx, db,
               "CREATE PUBLICATION " BLUEGREEN_PUBLICATION " FOR TABLE %s"
               " WITH (publish_via_partition_root = true)",
               list) ||
           error_wrap(ctx, "publishing the tables");
}

/* Whom the making of a slot waits for now; NULL: nobody that can be seen. */
static const char *
find_holder(struct ctx *ctx, struct db *watch, int pid)
{
    struct sql_change_progress_rows rows;

    if (!sql_change_progress(ctx, watch, &rows, .pid = pid)) {
        error_clear(ctx);
        return NULL;
    }
    if (rows.count != 1 || !text_starts_with(rows.items[0].wait_event, "Lock:"))
        return NULL;
    /* Its locks have no process. */
    if (rows.items[0].blocker_pid == 0)
        return "a prepared transaction (SELECT * FROM pg_prepared_xacts)";
    return arena_printf(ctx->arena, "pid %" PRId32 " (%s, %s, transaction of %s)",
        rows.items[0].blocker_pid, rows.items[0].blocker ? rows.items[0].blocker : "unknown",
        rows.items[0].blocker_state ? rows.items[0].blocker_state : "unknown",
        text_from_us(ctx->arena, rows.items[0].blocker_age));
}

/* The server forgets a slot whose making is cancelled. */
static bool
cancel_slot(struct ctx *ctx, struct db *db)
{
    struct error why = ctx->error;

    (void)db_cancel_wait(db, CANCEL_LIMIT_US);
    ctx->error = why;
    return false;
}

static bool
refuse_holder(struct ctx *ctx, const char *holder, const struct bluegreen_patience *patience)
{
    error_set(ctx, ERR_TIMEOUT, "a transaction that was open did not end within %s%s%s",
        text_from_us(ctx->arena, patience->limit_us), holder ? ": " : "", holder ? holder : "");
    return error_hint(ctx,
        "A slot waits for every transaction that writes on its server: end it, or wait for it longer "
        "with --prepare-limit.");
}

/* A second session says who is waited for, once for each of them. */
static bool
create_slot(
    struct ctx *ctx, struct db *db, const char *name, const struct bluegreen_patience *patience)
{
    struct db *watch CLEANUP(db_cleanup) = NULL;
    int64_t end = clock_us() + patience->limit_us;
    const char *told = "";
    bool is_done = false;

    if (!bg_open_like(ctx, db, db_name(db), ACCESS_READ, &watch) ||
        !db_send(ctx, db,
            arena_printf(ctx->arena,
                "SELECT pg_catalog.pg_create_logical_replication_slot(%s, 'pgoutput')",
                db_literal(ctx->arena, name))))
        return false;
    for (;;) {
        if (!db_wait(ctx, db, SLOT_TICK_US, &is_done))
            return cancel_slot(ctx, db);
        if (is_done)
            return true;

        const char *holder = find_holder(ctx, watch, db_backend_pid(db));

        if (clock_us() > end) {
            refuse_holder(ctx, holder, patience);
            return cancel_slot(ctx, db);
        }
        /* Up to its state, which may change, and its age, which does. */
        if (holder && patience->note && strncmp(holder, told, strcspn(holder, " (") + 8) != 0) {
            patience->note(patience->data, arena_printf(ctx->arena, "waits for %s", holder));
            told = holder;
        }
    }
}

/*
 * Made apart from the subscription: on the same server CREATE SUBSCRIPTION would wait for a slot that waits for
 * CREATE SUBSCRIPTION. A slot waits for all transactions that are open on its server.
 */
bool
bg_make_slot(
    struct ctx *ctx, struct bluegreen *pair, int target, const struct bluegreen_patience *patience)
{
    struct db *db = pair->dbs[bluegreen_other(target)];
    const char *name = bluegreen_slot(ctx->arena, &pair->state, target);
    struct sql_bluegreen_slot_rows there;

    if (!sql_bluegreen_slot(ctx, db, &there, .name = name))
        return error_wrap(ctx, "looking at replication slot %s", name);
    return there.count == 1 || create_slot(ctx, db, name, patience) ||
           error_wrap(ctx, "making replication slot %s", name);
}

bool
bg_subscribe(struct ctx *ctx, struct bluegreen *pair, int target, bool copies_rows)
{
    struct db *db = pair->dbs[target];
    const char *name = bluegreen_slot(ctx->arena, &pair->state, target);
    const struct bluegreen_side *from = &pair->state.sides[bluegreen_other(target)];
    struct sql_bluegreen_subscription_rows there;

    if (!sql_bluegreen_subscription(ctx, db, &there, .name = name))
        return error_wrap(ctx, "looking at subscription %s", name);
    if (there.count == 1)
        return bg_enable(ctx, pair, target, true);
    if (bg_exec(ctx, db,
            "CREATE SUBSCRIPTION %s CONNECTION %s PUBLICATION " BLUEGREEN_PUBLICATION
            " WITH (create_slot = false, slot_name = %s, copy_data = %s%s)",
            db_ident(ctx->arena, name),
            db_literal(ctx->arena, bg_with_database(ctx->arena, from->reach, from->database)),
            db_literal(ctx->arena, name), copies_rows ? "true" : "false",
            db_major(db) >= 16 ? ", origin = none" : ""))
        return true;
    error_hint(ctx,
        "The server of %s has to reach the other one by: %s. Give another way with "
        "--blue-reach or --green-reach; a password belongs into a passfile of the server's user.",
        bluegreen_side_name(target), from->reach);
    return error_wrap(ctx, "making subscription %s", name);
}

bool
bg_enable(struct ctx *ctx, struct bluegreen *pair, int target, bool is_enabled)
{
    const char *name = bluegreen_slot(ctx->arena, &pair->state, target);
    struct sql_bluegreen_subscription_rows there;

    if (!sql_bluegreen_subscription(ctx, pair->dbs[target], &there, .name = name))
        return false;
    if (there.count == 0 || there.items[0].is_enabled == is_enabled)
        return true;
    return bg_exec(ctx, pair->dbs[target], "ALTER SUBSCRIPTION %s %s", db_ident(ctx->arena, name),
        is_enabled ? "ENABLE" : "DISABLE");
}

bool
bg_drop_subscription(struct ctx *ctx, struct bluegreen *pair, int target)
{
    struct db *db = pair->dbs[target];
    const char *name = bluegreen_slot(ctx->arena, &pair->state, target);
    const char *quoted = db_ident(ctx->arena, name);
    struct sql_bluegreen_subscription_rows there;

    if (!sql_bluegreen_subscription(ctx, db, &there, .name = name))
        return false;
    if (there.count == 0)
        return true;
    /* Without its slot, which we drop ourselves: the other server need not answer. */
    return (bg_enable(ctx, pair, target, false) &&
               bg_exec(ctx, db, "ALTER SUBSCRIPTION %s SET (slot_name = NONE)", quoted) &&
               bg_exec(ctx, db, "DROP SUBSCRIPTION %s", quoted)) ||
           error_wrap(ctx, "dropping subscription %s", name);
}

/* Its reader has just been told to end: that takes a moment. */
bool
bg_drop_slot(struct ctx *ctx, struct bluegreen *pair, int target)
{
    struct db *db = pair->dbs[bluegreen_other(target)];
    const char *name = bluegreen_slot(ctx->arena, &pair->state, target);
    int64_t end = clock_us() + END_LIMIT_US;
    struct sql_bluegreen_slot_rows there;
    struct sql_bluegreen_drop_slot_rows dropped;

    for (;;) {
        if (!sql_bluegreen_slot(ctx, db, &there, .name = name))
            return error_wrap(ctx, "looking at replication slot %s", name);
        if (there.count == 0)
            return true;
        if (!there.items[0].is_active || clock_us() > end)
            break;
        if (!clock_sleep_us(TICK_US))
            return interrupt_error(ctx, interrupt_signal());
    }
    return sql_bluegreen_drop_slot(ctx, db, &dropped, .name = name) ||
           error_wrap(ctx, "dropping replication slot %s", name);
}

bool
bg_drop_publication(struct ctx *ctx, struct bluegreen *pair, int side)
{
    struct sql_bluegreen_publication_rows there;

    if (!sql_bluegreen_publication(ctx, pair->dbs[side], &there, .name = BLUEGREEN_PUBLICATION))
        return false;
    return there.count == 0 ||
           bg_exec(ctx, pair->dbs[side], "DROP PUBLICATION " BLUEGREEN_PUBLICATION);
}

bool
bg_take_schema(struct ctx *ctx, struct bluegreen *pair, int side)
{
    json_t *json CLEANUP(json_release) = NULL;
    struct schema schema;

    if (!schema_load(ctx, pair->dbs[side], &schema))
        return false;
    json = schema_to_json(&schema);
    if (!json)
        return error_set(ctx, ERR_UNSUPPORTED, "a definition in database \"%s\" is not UTF-8",
            db_name(pair->dbs[side]));
    pair->schema = json_text(ctx->arena, json);
    return true;
}

bool
bluegreen_follow(struct ctx *ctx, struct bluegreen *pair, const struct bluegreen_patience *patience)
{
    int live = pair->state.live;
    int target = bluegreen_other(live);

    return bluegreen_record(ctx, pair, BG_PUBLISHING) && bg_publish(ctx, pair, live) &&
           bg_take_schema(ctx, pair, live) && bluegreen_record(ctx, pair, BG_SUBSCRIBING) &&
           bg_make_slot(ctx, pair, target, patience) && bg_subscribe(ctx, pair, target, true) &&
           bg_close_writers(ctx, pair->dbs[target], true) &&
           bluegreen_record(ctx, pair, BG_FOLLOWING);
}
