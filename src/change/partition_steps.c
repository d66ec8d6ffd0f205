/* What doing and undoing have in common: an entry's detail, where it stands, statements that give way. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/kind_partition.h"
#include "db/ident.h"

/* Three locks after each other stay below the second after which the server looks for deadlocks. */
#define SHORT_LOCKS                                                                              \
    "SELECT pg_catalog.set_config('lock_timeout', LEAST(250, s.setting::int4 / 4)::text, true) " \
    "FROM pg_catalog.pg_settings AS s WHERE s.name = 'deadlock_timeout'"

enum { TURN_US = 2000000 };

struct text_member {
    const char *name;
    size_t offset;
};

#define TEXT_MEMBER(name)                       \
    {                                           \
#        name, offsetof(struct partition, name) \
    }

static const struct text_member texts[] = {
    TEXT_MEMBER(key),
    TEXT_MEMBER(bound),
    TEXT_MEMBER(history),
    TEXT_MEMBER(primary_index),
    TEXT_MEMBER(primary_columns),
    TEXT_MEMBER(bound_check),
    TEXT_MEMBER(primary_back),
    TEXT_MEMBER(primary_sql),
    TEXT_MEMBER(clash),
    TEXT_MEMBER(give_up),
};

static const struct text_member lists[] = {
    TEXT_MEMBER(others),
    TEXT_MEMBER(undo),
    TEXT_MEMBER(restore),
    TEXT_MEMBER(validate),
};

const char *
partition_detail(struct ctx *ctx, const struct partition *partition)
{
    json_t *json CLEANUP(json_release) = work_about(&partition->about);

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const char *text =
            *(const char *const *)(const void *)((const char *)partition + texts[i].offset);

        if (text)
            json_object_set_new(json, texts[i].name, json_string(text));
    }
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        const struct text_list *list = (const void *)((const char *)partition + lists[i].offset);
        json_t *array = json_array();

        for (size_t j = 0; j < list->count; j++)
            json_array_append_new(array, json_string(list->items[j]));
        json_object_set_new(json, lists[i].name, array);
    }
    json_object_set_new(json, "given_up", json_integer(partition->given_up));
    json_object_set_new(json, "is_silent", json_boolean(partition->is_silent));
    return json_text(ctx->arena, json);
}

bool
partition_read(struct ctx *ctx, const struct journal_entry *entry, struct partition *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!work_detail(ctx, entry, &json))
        return false;
    *ret = (struct partition){ 0 };
    work_read_about(ctx, json, &ret->about);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        *(const char **)(void *)((char *)ret + texts[i].offset) =
            json_get_text(ctx->arena, json, texts[i].name, NULL);
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        struct text_list *list = (void *)((char *)ret + lists[i].offset);
        size_t j;
        const json_t *item;

        json_array_foreach(json_object_get(json, lists[i].name), j, item)
            text_list_add(ctx->arena, list, arena_strdup(ctx->arena, json_string_value(item)));
    }
    ret->given_up = json_get_int(json, "given_up", 0);
    ret->is_silent = json_get_bool(json, "is_silent", false);
    if (!ret->about.schema || !ret->about.table || !ret->history || !ret->bound_check ||
        !ret->primary_index || !ret->primary_back)
        return error_set(ctx, ERR_INPUT, "journal entry %lld is incomplete", (long long)entry->id);
    return true;
}

const char *
partition_text(struct arena *arena, const struct partition *partition)
{
    struct buffer buffer = { .arena = arena };

    for (size_t i = 0; i < partition->before.count; i++)
        buffer_printf(&buffer, "%s;\n", partition->before.items[i]);
    buffer_add(&buffer, "BEGIN;\n");
    for (size_t i = 0; i < partition->exchange.count; i++)
        buffer_printf(&buffer, "%s;\n", partition->exchange.items[i]);
    buffer_add(&buffer, "COMMIT");
    return buffer_text(&buffer);
}

bool
partition_phase(
    struct ctx *ctx, struct db *db, const struct partition *partition, enum partition_phase *ret)
{
    const struct change *about = &partition->about;
    struct sql_change_partition_now_rows now;
    struct sql_change_partition_of_rows parts;

    *ret = PARTITION_FOREIGN;
    if (!sql_change_partition_now(ctx, db, &now, .schema = about->schema, .name = about->table))
        return false;
    if (now.count != 1)
        return true;
    if (!sql_change_partition_of(ctx, db, &parts, .table_oid = now.items[0].oid))
        return false;
    if (now.items[0].oid == about->table_oid) {
        *ret = parts.count > 0 ? PARTITION_MOVING : PARTITION_PLAIN;
        return true;
    }
    for (size_t i = 0; i < parts.count; i++)
        if (parts.items[i].oid == about->table_oid && now.items[0].kind[0] == 'p')
            *ret = PARTITION_EXCHANGED;
    return true;
}

static bool
look(struct ctx *ctx, struct rollout *rollout, struct rollout_watch *watch)
{
    return rollout_look_at_build(ctx, rollout, db_backend_pid(rollout->db), watch);
}

bool
partition_run_alone(struct ctx *ctx, struct rollout *rollout, const char *what, const char *sql)
{
    const char *limit =
        arena_printf(ctx->arena, "%lld", (long long)(rollout->limits.wait_us / 1000));

    for (int number = 0;; number++) {
        struct rollout_watch watch = { .what = what, .look = look, .ratio = -1 };

        if (db_set(ctx, rollout->db, "lock_timeout", limit) &&
            rollout_run(ctx, rollout, sql, &watch))
            return true;
        if (!is_passing(ctx) || number >= rollout->limits.retries || interrupt_signal() ||
            !db_is_connected(rollout->db) || !rollout_pause(number + 1))
            return error_wrap(ctx, "%s", what);
        error_clear(ctx);
    }
}

/*
 * Applications hold the table and wait for those it refers to, or the other way round: who asks for the locks in the
 * wrong order runs into each of their transactions. So the locks that come first are asked for in both orders by turns.
 */
static void
add_in_order(struct arena *arena, const struct text_list *statements, bool is_reversed,
    struct text_list *ret)
{
    size_t locks = 0;

    *ret = (struct text_list){ 0 };
    text_list_add(arena, ret, SHORT_LOCKS);
    while (locks < statements->count && text_starts_with(statements->items[locks], "LOCK TABLE "))
        locks++;
    for (size_t i = 0; i < statements->count; i++)
        text_list_add(arena, ret, statements->items[is_reversed && i < locks ? locks - 1 - i : i]);
}

bool
partition_run(
    struct ctx *ctx, struct rollout *rollout, const struct ddl *ddl, struct rollout_outcome *ret)
{
    int64_t started = clock_us();

    for (int number = 0;; number++) {
        struct ddl brief = *ddl;

        brief.limit_us = ddl->limit_us < TURN_US ? ddl->limit_us : TURN_US;
        add_in_order(ctx->arena, &ddl->statements, number % 2 == 0, &brief.statements);
        if (ddl_run(ctx, rollout, &brief, ret))
            return true;
        if (ctx->error.kind != ERR_TIMEOUT || interrupt_signal() ||
            clock_us() - started > ddl->limit_us)
            return false;
        error_clear(ctx);
    }
}

/* One that is there and good is taken as it is; *ret_there. Any other of this name and table is dropped. */
static bool
find_index(struct ctx *ctx, struct rollout *rollout, const struct partition *partition,
    const char *name, bool *ret_there)
{
    struct sql_catalog_index index;
    struct rollout_outcome ignored = { 0 };

    *ret_there = false;
    if (!rollout_find_index(ctx, rollout->db, partition->about.schema, name, &index))
        return false;
    if (!index.oid)
        return true;
    if (index.table_oid != partition->about.table_oid)
        return error_set(ctx, ERR_CONFLICT, "the name %s is taken by another index", name);
    *ret_there = index.is_valid && index.is_ready && index.is_live;
    return *ret_there || rollout_drop(ctx, rollout, partition->about.schema, name,
                             rollout->limits.drop_us, &ignored);
}

bool
partition_build_index(struct ctx *ctx, struct rollout *rollout, const struct partition *partition,
    const char *name, const char *sql)
{
    const char *what = arena_printf(
        ctx->arena, "building %s", db_qualified(ctx->arena, partition->about.schema, name));

    for (int number = 0;; number++) {
        struct rollout_watch watch = { .what = what, .look = look, .ratio = -1 };
        const char *limit =
            arena_printf(ctx->arena, "%lld", (long long)(rollout->limits.wait_us / 1000));
        bool is_there;

        if (!find_index(ctx, rollout, partition, name, &is_there))
            return false;
        if (is_there)
            return true;
        if (rollout_check_room(ctx, rollout) && db_set(ctx, rollout->db, "lock_timeout", limit) &&
            rollout_run(ctx, rollout, sql, &watch))
            continue;
        if (!is_passing(ctx) || number >= rollout->limits.retries || interrupt_signal() ||
            !db_is_connected(rollout->db) || !rollout_pause(number + 1))
            return error_wrap(ctx, "%s", what);
        error_clear(ctx);
    }
}

static bool
has_no_check(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct partition *partition = data;
    struct sql_change_partition_constraints_rows rows;
    json_t *names CLEANUP(json_release) = json_pack("[s]", partition->bound_check);

    if (!sql_change_partition_constraints(ctx, db, &rows, .table_oid = partition->about.table_oid,
            .names = json_text(ctx->arena, names)))
        return false;
    *ret = rows.count == 1 && rows.items[0].count == 0;
    return true;
}

bool
partition_remove_rests(struct ctx *ctx, struct rollout *rollout, const struct partition *partition)
{
    struct arena *arena = ctx->arena;
    struct ddl ddl = {
        .what = arena_printf(arena, "dropping %s", db_ident(arena, partition->bound_check)),
        .limit_us = rollout->limits.drop_us,
        .is_done = has_no_check,
        .data = partition,
    };
    struct rollout_outcome ignored = { 0 };
    bool is_gone = false;

    if (*partition->primary_index &&
        !rollout_drop(ctx, rollout, partition->about.schema, partition->primary_index,
            rollout->limits.drop_us, &ignored))
        return false;
    if (!has_no_check(ctx, rollout->db, partition, &is_gone) || is_gone)
        return is_gone;
    text_list_add(arena, &ddl.statements,
        arena_printf(arena, "ALTER TABLE %s DROP CONSTRAINT %s",
            change_relation(arena, &partition->about), db_ident(arena, partition->bound_check)));
    return partition_run(ctx, rollout, &ddl, &ignored);
}
