/* Which relations a revision has locked, rewritten and made. */
#include <stdlib.h>

#include "migrate/trace/observe.h"

static int
by_oid(const void *a, const void *b)
{
    uint32_t left = ((const struct known *)a)->name.oid;
    uint32_t right = ((const struct known *)b)->name.oid;

    return left < right ? -1 : left > right;
}

static struct known *
find(struct observation *observation, uint32_t oid)
{
    const struct known key = { .name.oid = oid };

    if (observation->known.count == 0)
        return NULL;
    return bsearch(&key, observation->known.items, observation->known.count, sizeof(key), by_oid);
}

static struct known *
find_fresh(struct observation *observation, uint32_t oid)
{
    for (size_t i = 0; i < observation->fresh.count; i++)
        if (observation->fresh.items[i].name.oid == oid)
            return &observation->fresh.items[i];
    return NULL;
}

static struct trace_name
name_of(const struct sql_trace_relations *row)
{
    return (struct trace_name){ row->oid, row->schema, row->name, row->kind[0] };
}

bool
locks_begin(struct observation *observation)
{
    struct sql_trace_relations_rows rows;

    if (!sql_trace_relations(observation->ctx, observation->tracer->second, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_trace_relations *row = &rows.items[i];

        VEC_PUSH(observation->ctx->arena, &observation->known,
            (struct known){ name_of(row), row->file, row->file, row->table_oid });
    }
    return true;
}

/* ---- rewrites ---- */

static const char *
table_of(struct observation *observation, uint32_t oid)
{
    const struct known *table = find(observation, oid);

    return table ? trace_label(observation->ctx->arena, &table->name) : NULL;
}

static void
note_file(
    struct observation *observation, struct known *known, uint32_t file, const struct look *look)
{
    struct trace_revision *ret = observation->ret;
    bool is_known = look->statement < ret->statements.count;

    if (file == 0 || known->file == 0 || file == known->file || known->name.kind == 'S')
        return;
    known->file = file;
    if (known->name.kind == 'i')
        VEC_PUSH(observation->ctx->arena, &ret->indexes,
            (struct trace_index){
                .index = known->name,
                .table = table_of(observation, known->table),
                .statement = look->statement,
                .us = is_known ? ret->statements.items[look->statement].us : 0,
                .is_rebuilt = true,
            });
    else
        VEC_PUSH(observation->ctx->arena, &ret->rewrites,
            (struct trace_rewrite){ known->name, file, look->statement, look->is_truncate });
}

/* ---- locks ---- */

/* Alembic's own table: every revision writes there. */
static bool
is_version_table(const struct observation *observation, const struct trace_name *name)
{
    const struct environment *environment = &observation->tracer->analysis->history.environment;

    return text_equal(name->name, environment->version_table) &&
           text_equal(name->schema,
               environment->version_table_schema ? environment->version_table_schema : "public");
}

static enum lock_mode
held_mode(const struct observation *observation, uint32_t oid, size_t session)
{
    enum lock_mode mode = LOCK_NONE;

    for (size_t i = 0; i < observation->held.count; i++) {
        const struct held *held = &observation->held.items[i];

        if (held->session == session && !held->is_released && held->lock.relation.oid == oid &&
            held->lock.mode > mode)
            mode = held->lock.mode;
    }
    return mode;
}

static bool
note_lock(
    struct observation *observation, const struct look *look, const struct sql_trace_locks *row)
{
    struct known *known = find(observation, row->oid);
    const struct known *table = known && known->table ? find(observation, known->table) : known;
    enum lock_mode mode = (enum lock_mode)row->mode;

    if (!known) {
        if (!find_fresh(observation, row->oid))
            VEC_PUSH(observation->ctx->arena, &observation->fresh,
                (struct known){ .name.oid = row->oid, .table = (uint32_t)look->statement });
        return true;
    }
    if (!look->is_seen)
        note_file(observation, known, row->file, look);
    if (held_mode(observation, row->oid, look->session) >= mode ||
        (table && is_version_table(observation, &table->name)))
        return true;
    VEC_PUSH(observation->ctx->arena, &observation->held,
        (struct held){
            .lock = {
                .relation = known->name,
                .mode = mode,
                .statement = look->statement,
                .is_seen = look->is_seen,
            },
            .session = look->session,
            .from_us = look->started_us,
        });
    return probes_start(observation, observation->held.count - 1);
}

bool
locks_look(struct observation *observation, const struct look *look)
{
    struct sql_trace_locks_rows rows;

    if (!sql_trace_locks(observation->ctx, look->db, &rows, .pid = look->pid))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        if (!note_lock(observation, look, &rows.items[i]))
            return false;
    return true;
}

bool
locks_look_again(struct observation *observation, const struct look *look)
{
    struct sql_trace_locks_rows rows;

    /* From outside: after a failure the session itself answers nothing. */
    if (!sql_trace_locks(observation->ctx, observation->tracer->second, &rows, .pid = look->pid))
        return false;
    for (size_t i = 0; i < observation->held.count; i++) {
        struct held *held = &observation->held.items[i];
        bool is_there = held->session != look->session || held->is_released;

        for (size_t k = 0; k < rows.count && !is_there; k++)
            is_there = rows.items[k].oid == held->lock.relation.oid &&
                       rows.items[k].mode >= (int32_t)held->lock.mode;
        if (is_there)
            continue;
        held->is_released = true;
        held->lock.held_us = look->ended_us - held->from_us;
    }
    return probes_take(observation, TRACE_NO_STATEMENT, PROBE_SETTLE_US);
}

void
locks_release(struct observation *observation, size_t session, int64_t end_us)
{
    size_t kept = 0;

    for (size_t i = 0; i < observation->held.count; i++) {
        struct held held = observation->held.items[i];

        if (held.session != session) {
            for (size_t k = 0; k < observation->probes.count; k++)
                if (observation->probes.items[k].held == i)
                    observation->probes.items[k].held = kept;
            observation->held.items[kept++] = held;
            continue;
        }
        if (!held.is_released)
            held.lock.held_us = end_us - held.from_us;
        if (held.lock.reader.kind == TRACE_WAIT_COMPUTED)
            held.lock.reader.us = held.lock.held_us;
        if (held.lock.writer.kind == TRACE_WAIT_COMPUTED)
            held.lock.writer.us = held.lock.held_us;
        VEC_PUSH(observation->ctx->arena, &observation->ret->locks, held.lock);
    }
    observation->held.count = kept;
}

/* ---- what is there now ---- */

static void
note_index(struct observation *observation, const struct sql_trace_relations *row,
    const struct sql_trace_relations_rows *all, size_t statement)
{
    struct trace_revision *ret = observation->ret;
    const struct known *table = find(observation, row->table_oid);
    const char *label = table_of(observation, row->table_oid);

    for (size_t i = 0; i < ret->indexes.count; i++)
        if (ret->indexes.items[i].index.oid == row->oid)
            return;
    for (size_t i = 0; !label && i < all->count; i++) {
        const struct trace_name name = name_of(&all->items[i]);

        if (name.oid != row->table_oid)
            continue;
        if (is_version_table(observation, &name))
            return;
        label = trace_label(observation->ctx->arena, &name);
    }
    VEC_PUSH(observation->ctx->arena, &ret->indexes,
        (struct trace_index){
            .index = name_of(row),
            .table = label,
            .statement = statement,
            .us = statement < ret->statements.count ? ret->statements.items[statement].us : 0,
            .is_on_new_table = !table,
        });
}

static bool
compare(struct observation *observation, size_t statement, struct sql_trace_relations_rows *ret)
{
    const struct look look = { .statement = statement };

    if (!sql_trace_relations(observation->ctx, observation->tracer->second, ret))
        return false;
    for (size_t i = 0; i < ret->count; i++) {
        const struct sql_trace_relations *row = &ret->items[i];
        struct known *known = find(observation, row->oid);
        const struct known *fresh = find_fresh(observation, row->oid);

        if (known)
            note_file(observation, known, row->file, &look);
        else if (row->kind[0] == 'i' || row->kind[0] == 'I')
            note_index(observation, row, ret, fresh ? fresh->table : statement);
    }
    return true;
}

bool
locks_compare(struct observation *observation, size_t statement)
{
    struct sql_trace_relations_rows rows;

    return compare(observation, statement, &rows);
}

/* Whether a relation has the file it had before, after all: the transaction was rolled back. */
static bool
is_undone(
    struct observation *observation, const struct sql_trace_relations_rows *rows, uint32_t oid)
{
    const struct known *known = find(observation, oid);

    for (size_t i = 0; known && i < rows->count; i++)
        if (rows->items[i].oid == oid)
            return rows->items[i].file == known->first_file;
    return false;
}

bool
locks_end(struct observation *observation)
{
    struct trace_revision *ret = observation->ret;
    struct sql_trace_relations_rows rows;
    size_t kept = 0;

    if (!compare(observation, TRACE_NO_STATEMENT, &rows))
        return false;
    for (size_t i = 0; i < ret->rewrites.count; i++)
        if (!is_undone(observation, &rows, ret->rewrites.items[i].relation.oid))
            ret->rewrites.items[kept++] = ret->rewrites.items[i];
    ret->rewrites.count = kept;
    kept = 0;
    for (size_t i = 0; i < ret->indexes.count; i++)
        if (!ret->indexes.items[i].is_rebuilt ||
            !is_undone(observation, &rows, ret->indexes.items[i].index.oid))
            ret->indexes.items[kept++] = ret->indexes.items[i];
    ret->indexes.count = kept;
    return true;
}
