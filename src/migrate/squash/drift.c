/* The user's database compared with what its history makes. Nothing is written there. */
#include "change/journal.h"
#include "db/ident.h"
#include "migrate/squash/squash.h"
#include "migrate/squash/version_table.h"

/* As initdb leaves schema public: since 15 only its owner may make things there. */
static bool
is_standard(struct arena *arena, const struct sql_schema_schemas *schema)
{
    const char *owner = schema->owner;

    return text_equal(schema->name, "public") &&
           (text_equal(schema->acl,
                arena_printf(arena, "[\"=U/%s\",\"%s=UC/%s\"]", owner, owner, owner)) ||
               text_equal(schema->acl,
                   arena_printf(arena, "[\"=UC/%s\",\"%s=UC/%s\"]", owner, owner, owner)));
}

/* Whether the history grants or revokes anything at all. */
static bool
has_rights(struct arena *arena, const struct schema *schema)
{
    for (size_t i = 0; i < schema->tables.count; i++)
        if (schema->tables.items[i].acl)
            return true;
    for (size_t i = 0; i < schema->columns.count; i++)
        if (schema->columns.items[i].acl)
            return true;
    for (size_t i = 0; i < schema->functions.count; i++)
        if (schema->functions.items[i].acl)
            return true;
    for (size_t i = 0; i < schema->sequences.count; i++)
        if (schema->sequences.items[i].acl)
            return true;
    for (size_t i = 0; i < schema->types.count; i++)
        if (schema->types.items[i].acl)
            return true;
    for (size_t i = 0; i < schema->schemas.count; i++)
        if (schema->schemas.items[i].acl && !is_standard(arena, &schema->schemas.items[i]))
            return true;
    return false;
}

/* The entry by which pgmend itself made the object and has not undone it; NULL: none. */
static const struct journal_entry *
find_entry(const struct journal_entries *entries, const struct difference *difference)
{
    for (size_t i = entries->count; i > 0; i--) {
        const struct journal_entry *entry = &entries->items[i - 1];

        if (text_equal(entry->object, difference->identity) &&
            text_equal(entry->state, ENTRY_DONE) && text_equal(entry->kind, "create index"))
            return entry;
    }
    return NULL;
}

/* Extensions that look at a server and are no part of an application's schema. */
static bool
only_watches(const struct difference *difference)
{
    static const char *const names[] = { "auto_explain", "hypopg", "pageinspect", "pg_buffercache",
        "pg_freespacemap", "pg_prewarm", "pg_qualstats", "pg_repack", "pg_stat_kcache",
        "pg_stat_monitor", "pg_stat_statements", "pg_visibility", "pg_wait_sampling",
        "pg_walinspect", "pgrowlocks", "pgstattuple" };

    if (difference->kind != DIFFERENCE_EXTRA || difference->class != SCHEMA_extensions)
        return false;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (text_equal(names[i], difference->identity))
            return true;
    return false;
}

static void
sort_out(struct arena *arena, const struct journal_entries *entries,
    const struct differences *found, struct squash_drift *ret)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *difference = &found->items[i];
        const struct journal_entry *entry =
            difference->kind == DIFFERENCE_EXTRA && difference->class == SCHEMA_indexes
                ? find_entry(entries, difference)
                : NULL;

        if (entry)
            text_list_add(arena, &ret->accepted,
                arena_printf(arena, "index %s: pgmend made it (run %s, %s)", difference->identity,
                    entry->run, entry->ended_at ? entry->ended_at : entry->started_at));
        else if (only_watches(difference))
            text_list_add(arena, &ret->accepted,
                arena_printf(arena, "extension %s: it only watches", difference->identity));
        else
            VEC_PUSH(arena, &ret->differences, *difference);
    }
}

/* Parts "schema.name", each perhaps quoted, as db_qualified() wrote it. */
static const char *
split_name(struct arena *arena, const char *qualified, const char **ret_schema)
{
    struct buffer parts[2] = { { .arena = arena }, { .arena = arena } };
    bool is_quoted = false;
    int part = 0;

    for (const char *at = qualified; *at; at++) {
        if (*at == '"' && is_quoted && at[1] == '"')
            buffer_append(&parts[part], at++, 1);
        else if (*at == '"')
            is_quoted = !is_quoted;
        else if (*at == '.' && !is_quoted && part == 0)
            part = 1;
        else
            buffer_append(&parts[part], at, 1);
    }
    *ret_schema = part == 1 ? buffer_text(&parts[0]) : NULL;
    return buffer_text(&parts[part]);
}

bool
squash_find_drift(struct ctx *ctx, struct db *db, const struct schema *wanted,
    const char *version_table, struct squash_drift *ret)
{
    struct text_list ignored = { 0 };
    struct journal_entries entries;
    struct differences all = { 0 };
    struct schema found;
    bool is_there;
    const char *version_schema;
    const char *version_name = split_name(ctx->arena, version_table, &version_schema);
    const struct diff_options options = {
        .ignore_owner = true,
        .ignore_acl = !has_rights(ctx->arena, wanted),
        .ignored = &ignored,
    };

    *ret = (struct squash_drift){
        .label = db_label(ctx->arena, db),
        .server_version = arena_strdup(ctx->arena, db_version_text(db)),
    };
    text_list_add(ctx->arena, &ignored, version_table);
    if (!version_table_read(ctx, db, version_schema, version_name, &ret->revisions, &is_there) ||
        !schema_load(ctx, db, &found) || !journal_load(ctx, db, &entries))
        return error_wrap(ctx, "comparing %s with its history", ret->label);
    schema_diff(ctx->arena, &found, wanted, &options, &all);
    sort_out(ctx->arena, &entries, &all, ret);
    return true;
}
