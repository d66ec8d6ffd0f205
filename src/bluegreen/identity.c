/* REPLICA IDENTITY FULL for tables without a key: a change of the user's tables, journaled, with its undo. */
#include "bluegreen/identity.h"

#include "bluegreen/part.h"
#include "db/ident.h"
#include "sql.h"

enum { LOCK_LIMIT_MS = 3000, TRIES = 10 };

/* Never waits long in front of those who use the table. */
static bool
alter(struct ctx *ctx, struct db *db, const char *sql)
{
    bool is_good = false;

    if (!db_set(ctx, db, "lock_timeout", arena_printf(ctx->arena, "%d", LOCK_LIMIT_MS)))
        return false;
    for (int i = 0; i < TRIES && !is_good; i++) {
        error_clear(ctx);
        is_good = db_exec(ctx, db, sql);
        if (!is_good && !text_equal(ctx->error.sqlstate, "55P03"))
            break;
    }
    return is_good && db_set(ctx, db, "lock_timeout", "0");
}

bool
bluegreen_set_identities(struct ctx *ctx, struct bluegreen *pair, struct journal *journal)
{
    struct sql_bluegreen_tables_rows tables;

    if (!sql_bluegreen_tables(ctx, pair->dbs[BLUE], &tables))
        return error_wrap(ctx, "looking for tables without a replica identity");
    for (size_t i = 0; i < tables.count; i++) {
        const struct sql_bluegreen_tables *table = &tables.items[i];
        const char *name = db_qualified(ctx->arena, table->schema, table->name);
        struct journal_entry entry = {
            .kind = BLUEGREEN_IDENTITY_KIND,
            .object = name,
            .relation = name,
            .statement = arena_printf(ctx->arena, "ALTER TABLE %s REPLICA IDENTITY FULL", name),
            .undo = arena_printf(ctx->arena, "ALTER TABLE %s REPLICA IDENTITY %s", name,
                text_equal(table->identity, "n") ? "NOTHING" : "DEFAULT"),
        };

        if (table->has_identity || table->is_unlogged)
            continue;
        text_list_add(ctx->arena, &pair->state.identities, name);
        if (!journal_start(ctx, journal, &entry) || !bluegreen_record(ctx, pair, BG_IDENTITY))
            return false;
        if (!alter(ctx, pair->dbs[BLUE], entry.statement)) {
            error_wrap(ctx, "giving table %s a replica identity", name);
            (void)!journal_update(ctx, journal, &entry, ENTRY_FAILED, NULL);
            return false;
        }
        if (!journal_update(ctx, journal, &entry, ENTRY_DONE, NULL))
            return false;
    }
    return true;
}

bool
bluegreen_reset_identities(struct ctx *ctx, struct bluegreen *pair, struct journal *journal)
{
    struct journal_entries entries;

    if (!journal_load(ctx, pair->dbs[BLUE], &entries))
        return false;
    for (size_t i = 0; i < entries.count; i++) {
        struct journal_entry *entry = &entries.items[i];

        if (!text_equal(entry->kind, BLUEGREEN_IDENTITY_KIND) ||
            text_equal(entry->state, ENTRY_UNDONE) || text_equal(entry->state, ENTRY_FAILED))
            continue;
        if (!journal_update(ctx, journal, entry, ENTRY_UNDOING, NULL) ||
            !alter(ctx, pair->dbs[BLUE], entry->undo) ||
            !journal_update(ctx, journal, entry, ENTRY_UNDONE, NULL))
            return error_wrap(ctx, "setting the replica identity of %s back", entry->object);
    }
    return true;
}
