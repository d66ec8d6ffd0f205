/* How far the replication is, what the live schema has become, and waiting for the other side. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "bluegreen/part.h"
#include "db/ident.h"
#include "sql.h"

enum { TOKEN_BYTES = 8, TICK_US = 5000 };

static bool
look_at_target(
    struct ctx *ctx, const struct bluegreen *pair, int target, struct bluegreen_look *ret)
{
    const char *name = bluegreen_slot(ctx->arena, &pair->state, target);
    struct sql_bluegreen_subscription_rows rows;
    struct sql_bluegreen_copying_rows copying;
    struct sql_bluegreen_server_rows server;

    if (!sql_bluegreen_subscription(ctx, pair->dbs[target], &rows, .name = name) ||
        !sql_bluegreen_copying(ctx, pair->dbs[target], &copying) ||
        !sql_bluegreen_server(ctx, pair->dbs[target], &server))
        return error_wrap(ctx, "looking at the subscription");
    for (size_t i = 0; i < copying.count; i++)
        VEC_PUSH(ctx->arena, &ret->copying,
            (struct bluegreen_copying){
                copying.items[i].name, copying.items[i].bytes, copying.items[i].rows });
    ret->other_bytes = server.count == 1 ? server.items[0].bytes : 0;
    if (rows.count == 0)
        return true;
    ret->has_subscription = true;
    ret->is_enabled = rows.items[0].is_enabled;
    ret->is_working = rows.items[0].worker > 0;
    /* One of them is our own. */
    ret->tables = rows.items[0].tables - (rows.items[0].tables > 0);
    ret->ready = rows.items[0].ready - (rows.items[0].ready > 0);
    if (rows.items[0].ready < rows.items[0].tables && ret->ready == ret->tables)
        ret->ready--;
    ret->errors = rows.items[0].errors;
    return true;
}

static bool
look_at_live(struct ctx *ctx, const struct bluegreen *pair, struct bluegreen_look *ret)
{
    int live = pair->state.live;
    const char *name = bluegreen_slot(ctx->arena, &pair->state, bluegreen_other(live));
    struct sql_bluegreen_slot_rows rows;
    struct sql_bluegreen_server_rows server;

    if (!sql_bluegreen_slot(ctx, pair->dbs[live], &rows, .name = name) ||
        !sql_bluegreen_server(ctx, pair->dbs[live], &server))
        return error_wrap(ctx, "looking at the replication slot");
    if (server.count == 1) {
        ret->keep_bytes = server.items[0].keep_bytes;
        ret->live_bytes = server.items[0].bytes;
    }
    if (rows.count == 0)
        return true;
    ret->has_slot = true;
    ret->lag_bytes = rows.items[0].lag_bytes;
    ret->held_bytes = rows.items[0].held_bytes;
    ret->wal_status = rows.items[0].wal_status;
    ret->is_working = ret->is_working && rows.items[0].is_active;
    return true;
}

bool
bluegreen_look(struct ctx *ctx, const struct bluegreen *pair, struct bluegreen_look *ret)
{
    int live = pair->state.live;
    int target = bluegreen_other(live);

    *ret = (struct bluegreen_look){ .keep_bytes = -1 };
    if (pair->dbs[target] && !look_at_target(ctx, pair, target, ret))
        return false;
    return !pair->dbs[live] || look_at_live(ctx, pair, ret);
}

/* Publications and subscriptions of ours come and go. */
static bool
is_ours(const struct difference *difference)
{
    return strstr(difference->identity, "pgmend_") != NULL;
}

bool
bluegreen_drift(struct ctx *ctx, const struct bluegreen *pair, struct text_list *ret)
{
    struct db *db = pair->dbs[pair->state.live];
    json_t *json CLEANUP(json_release) = NULL;
    struct schema before, now;
    struct differences differences = { 0 };
    const struct diff_options options = { .ignore_acl = true, .ignore_comments = true };

    *ret = (struct text_list){ 0 };
    if (!db || !pair->schema)
        return true;
    if (!json_parse(ctx, "the schema when replication began", pair->schema, &json) ||
        !schema_from_json(ctx, json, &before) || !schema_load(ctx, db, &now))
        return error_wrap(ctx, "comparing the schema with what it was when replication began");
    /* Read as: what has become of it since. */
    schema_diff(ctx->arena, &before, &now, &options, &differences);
    for (size_t i = 0; i < differences.count; i++) {
        const struct difference *difference = &differences.items[i];
        const char *word = schema_classes[difference->class].word;

        if (is_ours(difference))
            continue;
        text_list_add(ctx->arena, ret,
            difference->kind == DIFFERENCE_MISSING
                ? arena_printf(ctx->arena, "%s %s was added", word, difference->identity)
            : difference->kind == DIFFERENCE_EXTRA
                ? arena_printf(ctx->arena, "%s %s was dropped", word, difference->identity)
                : arena_printf(ctx->arena, "%s %s: %s was changed from %s to %s", word,
                      difference->identity, difference->attribute,
                      difference->found ? difference->found : "nothing",
                      difference->wanted ? difference->wanted : "nothing"));
    }
    return true;
}

const char *
bluegreen_enable_command(struct arena *arena, const struct bluegreen *pair)
{
    int target = bluegreen_other(pair->state.live);
    const struct db *db = pair->dbs[target];
    const char *statement = arena_printf(arena, "ALTER SUBSCRIPTION %s ENABLE",
        db_ident(arena, bluegreen_slot(arena, &pair->state, target)));

    return arena_printf(arena,
        "PGOPTIONS='-c default_transaction_read_only=off' psql -h %s -p %s -U %s -d %s -c %s",
        text_shell(arena, db_host(db)), text_shell(arena, db_port(db)),
        text_shell(arena, db_user(db)), text_shell(arena, db_name(db)),
        text_shell(arena, statement));
}

bool
bluegreen_wait_applied(struct ctx *ctx, struct bluegreen *pair, int64_t limit_us, int64_t *ret_us)
{
    int live = pair->state.live;
    struct db *other = pair->dbs[bluegreen_other(live)];
    const char *token = random_hex(ctx->arena, TOKEN_BYTES);
    int64_t start = clock_us();
    struct sql_bluegreen_beat_rows rows;

    if (!sql_bluegreen_put_beat(
            ctx, pair->dbs[live], .side = bluegreen_side_name(live), .token = token))
        return error_wrap(ctx, "writing the token that the other side has to see");
    for (;;) {
        if (!sql_bluegreen_beat(ctx, other, &rows, .side = bluegreen_side_name(live)))
            return error_wrap(ctx, "looking for the token");
        *ret_us = clock_us() - start;
        if (rows.count == 1 && text_equal(rows.items[0].token, token))
            return true;
        if (*ret_us > limit_us)
            break;
        if (!clock_sleep_us(TICK_US))
            return interrupt_error(ctx, interrupt_signal());
    }
    error_set(ctx, ERR_TIMEOUT, "%s did not come after within %s",
        bluegreen_side_name(bluegreen_other(live)), text_from_us(ctx->arena, limit_us));
    return error_hint(ctx, "\"pgmend bluegreen status\" shows how far it is.");
}
