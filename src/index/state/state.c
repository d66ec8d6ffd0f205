#include "index/state/state.h"

#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "change/change.h"
#include "db/ident.h"
#include "index/state/servers.h"
#include "sql.h"

bool
index_state_is_good(const struct index_state *index)
{
    return index->row->is_valid && index->row->is_ready && index->row->is_live;
}

bool
index_state_require_open(struct ctx *ctx, const struct index_state *index)
{
    if (*index->row->definition)
        return true;
    error_set(ctx, ERR_BUSY, "somebody holds %s exclusively", index->relation);
    error_hint(ctx, "\"pgmend top\" names him; run the same command again when he has ended.");
    return error_state(ctx, "Nothing was changed.");
}

int64_t
index_states_window_us(const struct index_states *states)
{
    int64_t least = INT64_MAX;

    for (size_t i = 0; i < states->servers.count; i++) {
        const struct index_server *server = &states->servers.items[i];

        if (server->since_us < 0 || !server->is_counting)
            return -1;
        if (server->now_us - server->since_us < least)
            least = server->now_us - server->since_us;
    }
    return states->servers.count > 0 ? least : -1;
}

const char *
index_server_since(struct arena *arena, const struct index_server *server)
{
    if (!server->is_counting)
        return "its counters are off (track_counts)";
    if (server->since_us < 0)
        return "it does not tell since when it counts";
    return arena_printf(arena, "counts since %s (%s)", clock_text(arena, server->since_us),
        text_from_us(arena, server->now_us - server->since_us));
}

static void
find_parents(struct index_states *states)
{
    for (size_t i = 0; i < states->items.count; i++) {
        struct index_state *index = &states->items.items[i];

        index->parent = SIZE_MAX;
        for (size_t j = 0; index->row->parent_oid && j < states->items.count; j++)
            if (states->items.items[j].row->oid == index->row->parent_oid)
                index->parent = j;
    }
}

/* A partitioned index has no file and no counters: what its parts have counts for it. */
static void
add_parts(struct index_states *states)
{
    for (size_t i = 0; i < states->items.count; i++) {
        const struct index_state *part = &states->items.items[i];

        if (part->row->kind[0] == 'I')
            continue;
        for (size_t j = part->parent; j != SIZE_MAX; j = states->items.items[j].parent) {
            struct index_state *above = &states->items.items[j];

            above->parts++;
            above->bytes += part->bytes;
            for (size_t k = 0; k < states->servers.count; k++) {
                struct index_use *use = &above->uses[k];
                const struct index_use *more = &part->uses[k];

                use->scans += more->scans;
                if (more->last_scan &&
                    (!use->last_scan || strcmp(more->last_scan, use->last_scan) > 0))
                    use->last_scan = more->last_scan;
            }
        }
    }
}

static void
sum_up(struct index_states *states)
{
    for (size_t i = 0; i < states->items.count; i++) {
        struct index_state *index = &states->items.items[i];

        for (size_t k = 0; k < states->servers.count; k++) {
            const struct index_use *use = &index->uses[k];

            index->scans += use->scans;
            if (use->last_scan &&
                (!index->last_scan || strcmp(use->last_scan, index->last_scan) > 0))
                index->last_scan = use->last_scan;
        }
    }
}

/* Which run built it, by the last entry about its name. */
static bool
take_journal(struct ctx *ctx, struct db *db, struct index_states *states)
{
    struct journal_entries entries;
    struct map last = { .arena = ctx->arena };

    if (!journal_load(ctx, db, &entries)) {
        /* A role that may not read the journal can look at indexes all the same. */
        if (ctx->error.kind != ERR_RIGHTS)
            return false;
        error_clear(ctx);
        return true;
    }
    for (size_t i = 0; i < entries.count; i++)
        if (text_equal(entries.items[i].kind, KIND_INDEX))
            map_set(&last, entries.items[i].object, &entries.items[i]);
    for (size_t i = 0; i < states->items.count; i++) {
        struct index_state *index = &states->items.items[i];
        const struct journal_entry *entry = map_get(&last, index->object);

        index->built_at = index->row->created_at;
        if (!entry || !text_equal(entry->state, ENTRY_DONE))
            continue;
        index->run = entry->run;
        index->built_at = entry->ended_at;
    }
    return true;
}

/*
 * The server's functions look at the catalogue of now, not of the snapshot: when an index vanishes in
 * between they fail ("cache lookup failed"), and the next look does not see it any more.
 */
static bool
read_indexes(struct ctx *ctx, struct db *db, struct sql_index_state_indexes_rows *ret)
{
    enum { ATTEMPTS = 10 };

    for (int i = 1; !sql_index_state_indexes(ctx, db, ret); i++) {
        if (i == ATTEMPTS || !text_equal(ctx->error.sqlstate, "XX000"))
            return error_wrap(ctx, "looking at the indexes");
        error_clear(ctx);
    }
    return true;
}

bool
index_states_load(
    struct ctx *ctx, struct db *db, const struct text_list *replicas, struct index_states *ret)
{
    struct sql_index_state_indexes_rows rows;

    *ret = (struct index_states){ 0 };
    if (!read_indexes(ctx, db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_index_state_indexes *row = &rows.items[i];
        struct index_state index = {
            .row = row,
            .object = db_qualified(ctx->arena, row->schema, row->name),
            .relation = db_qualified(ctx->arena, row->table_schema, row->table_name),
            .bytes = row->bytes,
            .uses = ARENA_ARRAY(ctx->arena, struct index_use, 1 + replicas->count),
        };

        VEC_PUSH(ctx->arena, &ret->items, index);
    }
    if (!index_servers_read(ctx, db, replicas, ret) || !take_journal(ctx, db, ret))
        return false;
    find_parents(ret);
    add_parts(ret);
    sum_up(ret);
    return true;
}

bool
index_state_is_called(const char *object, const char *name)
{
    size_t length = strlen(object);
    size_t tail = strlen(name);

    return text_equal(object, name) ||
           (tail > 0 && tail < length && object[length - tail - 1] == '.' &&
               text_equal(object + length - tail, name));
}

static bool
is_named(const struct index_state *index, const char *name)
{
    const char *dot = strchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) : 0;

    if (text_equal(index->row->name, name) || index_state_is_called(index->object, name))
        return true;
    return dot && strlen(index->row->schema) == length &&
           strncmp(index->row->schema, name, length) == 0 && text_equal(index->row->name, dot + 1);
}

static bool
refuse_name(struct ctx *ctx, const struct index_states *states, const char *name)
{
    enum { NEAR = 3 };
    const char *near = NULL;
    size_t least = NEAR + 1;

    for (size_t i = 0; i < states->items.count; i++) {
        const struct index_state *index = &states->items.items[i];
        const char *its = strchr(name, '.') ? index->object : index->row->name;
        size_t distance = text_distance(name, its);

        if (text_equal(index->row->table_name, name) ||
            index_state_is_called(index->relation, name)) {
            error_set(ctx, ERR_NOT_FOUND, "\"%s\" is a table, not an index", name);
            return error_hint(
                ctx, "\"pgmend index status --table %s\" lists its indexes.", index->relation);
        }
        /* A short name is near to everything. */
        if (distance < least && distance * 2 < strlen(name)) {
            least = distance;
            near = index->object;
        }
    }
    error_set(ctx, ERR_NOT_FOUND, "there is no index \"%s\"", name);
    return near ? error_hint(ctx, "Did you mean %s?", near)
                : error_hint(ctx, "\"pgmend index status\" lists them.");
}

bool
index_states_find(struct ctx *ctx, const struct index_states *states, const char *name,
    const struct index_state **ret)
{
    const struct index_state *found = NULL;

    for (size_t i = 0; i < states->items.count; i++) {
        const struct index_state *index = &states->items.items[i];

        if (!is_named(index, name))
            continue;
        if (found) {
            error_set(ctx, ERR_INPUT, "there are several indexes \"%s\": %s, %s", name,
                found->object, index->object);
            return error_hint(ctx, "Name it with its schema.");
        }
        found = index;
    }
    *ret = found;
    return found || refuse_name(ctx, states, name);
}
