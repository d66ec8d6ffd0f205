#include "migrate/lower/lower.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"

enum {
    WORK_MOST = 200000,  /* beyond what the length of the file explains */
    BYTES_EACH = 64,     /* of SQL count as one */
    NOTES_COMPARED = 16, /* how far back a note is looked for: unrolled loops repeat them */
};

void
op_note(struct host *host, enum note_kind kind, const char *text)
{
    struct notes *notes = &host->given->revision->notes;
    struct note note = {
        .kind = kind,
        .place = host->call->place,
        .text = text,
        .is_downgrade = host->scene->is_downgrade,
        .is_module = host->scene->is_module,
    };

    for (size_t i = notes->count; i > 0 && notes->count - i < NOTES_COMPARED; i--) {
        const struct note *other = &notes->items[i - 1];

        /* That a result is used is also seen by the walk, in other words. */
        if (other->kind == kind && other->place.line == note.place.line &&
            other->is_downgrade == note.is_downgrade &&
            (kind == NOTE_NEEDS_SERVER || text_equal(other->text, text)))
            return;
    }
    VEC_PUSH(host->arena, notes, note);
}

void
op_unknown(struct host *host, struct step *step, enum reach reach, const char *format, ...)
{
    const char *reason;
    va_list args;

    va_start(args, format);
    reason = arena_vprintf(host->arena, format, args);
    va_end(args);
    op_note(host, NOTE_CANNOT_KNOW, reason);
    if (step->unknown) {
        step->reach = reach > step->reach ? reach : step->reach;
        return;
    }
    step->unknown = reason;
    step->reach = reach;
}

/* The walk goes on changing its conditions, so that each step has a copy. */
static void
set_scene(struct host *host, struct step *step)
{
    const struct scene *scene = host->scene;
    const struct conditions *around = scene->conditions;

    step->in_autocommit = scene->in_autocommit;
    step->in_savepoint = scene->in_savepoint;
    step->in_try = scene->in_try;
    step->is_repeated = scene->is_repeated;
    if (!around || around->count == 0)
        return;
    step->conditions.items =
        arena_memdup(host->arena, around->items, around->count * sizeof(around->items[0]));
    step->conditions.count = around->count;
    step->conditions.capacity = around->count;
}

struct step *
op_step(struct host *host, enum step_kind kind)
{
    struct step step = {
        .kind = kind,
        .place = host->call->place,
        .operation = path_verb(host->call->path),
    };

    set_scene(host, &step);
    VEC_PUSH(host->scratch, host->steps, step);
    return &host->steps->items[host->steps->count - 1];
}

void
op_mystery(struct host *host, enum reach reach, const char *format, ...)
{
    struct step *step = op_step(host, STEP_UNKNOWN);
    const char *reason;
    va_list args;

    va_start(args, format);
    reason = arena_vprintf(host->arena, format, args);
    va_end(args);
    op_unknown(host, step, reach, "%s", reason);
}

bool
op_afford(struct host *host, size_t amount)
{
    size_t most = WORK_MOST + host->given->revision->length;
    bool was_told = host->work > most;

    host->work += amount;
    if (host->work <= most)
        return true;
    if (!was_told) {
        op_mystery(host, REACH_ALL, "the file does more than is followed");
        op_note(host, NOTE_LIMIT, "the file does more than is followed");
    }
    return false;
}

/* The steps that SQL text was made into, with the scene they stand in. */
void
op_sql_text(struct host *host, const char *sql)
{
    struct sql_source source = {
        .text = sql,
        .place = host->call->place,
        .operation = path_verb(host->call->path),
    };

    op_sql_source(host, &source);
}

/* How far a statement reaches of which some part, but no name, is unknown. */
static enum reach
reach_of(const struct step *step)
{
    if (step_is_data(step))
        return REACH_DATA;
    return step->object.name ? REACH_TABLE : REACH_ALL;
}

void
op_sql_source(struct host *host, struct sql_source *source)
{
    size_t first = host->steps->count;
    bool is_template = strchr(source->text, VALUE_HOLE);

    if (!op_afford(host, strlen(source->text) / BYTES_EACH))
        return;
    source->scene = host->scene;
    if (!steps_from_sql(host->ctx, source, host->steps)) {
        const char *why = host->ctx->error.message;

        error_clear(host->ctx);
        op_mystery(host, REACH_ALL, "the SQL text could not be read: %s", why);
        return;
    }
    for (size_t i = first; i < host->steps->count; i++) {
        struct step *step = &host->steps->items[i];
        bool has_hole = is_template && step->text && strstr(step->text, "…");

        set_scene(host, step);
        if (step->unknown)
            op_note(host, NOTE_CANNOT_KNOW, step->unknown);
        else if (has_hole)
            op_unknown(host, step, reach_of(step), "a part of the SQL text is not known");
    }
}

/* ---- the host ---- */

static struct batch *
batch_of(struct host *host, const struct call *call)
{
    for (size_t i = host->batches.count; i > 0; i--)
        if (host->batches.items[i - 1].call == call)
            return &host->batches.items[i - 1];
    return NULL;
}

static struct steps *
file_steps(struct host *host)
{
    struct revision *revision = host->given->revision;

    if (host->scene->is_module)
        return &revision->module;
    return host->scene->is_downgrade ? &revision->downgrade : &revision->upgrade;
}

static void
enter_batch(struct host *host, const struct call *call)
{
    const struct value *recreate = call_argument(call, SIZE_MAX, "recreate");
    const char *how = recreate ? value_known_text(recreate) : NULL;

    VEC_PUSH(host->scratch, &host->batches, (struct batch){ .call = call });
    if (text_equal(how, "always")) {
        struct step *step = op_step(host, STEP_UNKNOWN);

        step->object = call_table(host->arena, call);
        op_unknown(host, step, REACH_TABLE,
            "batch_alter_table(recreate=\"always\") copies the table as the server has it");
    }
}

static void
batch_operation(struct host *host, const struct call *call)
{
    struct object_name table = call_table(host->arena, call->self);
    struct batch *batch = batch_of(host, call->self);
    const char *name = path_verb(call->path);

    /* execute() is not held back until the batch ends. */
    if (batch && !text_equal(name, "execute"))
        host->steps = &batch->steps;
    if (!op_operation(host, name, call, &table))
        op_plugin(host, name, call);
}

static const char BATCH[] = "batch_alter_table().";

/* What stands behind "alembic.op."; Operations(context) is another way to op. NULL: neither. */
static const char *
operation_of(const char *path)
{
    static const char *const starts[] = { "alembic.op.", "alembic.operations.Operations().",
        "alembic.operations.base.Operations()." };

    for (size_t i = 0; path && i < COUNT_OF(starts); i++)
        if (text_starts_with(path, starts[i]))
            return path + strlen(starts[i]);
    return NULL;
}

static void
host_call(void *self, const struct scene *scene, const struct call *call)
{
    struct host *host = self;
    const char *name = operation_of(call->path);

    host->scene = scene;
    host->call = call;
    host->steps = file_steps(host);
    if (!op_afford(host, 1))
        return;
    if (name && text_equal(name, "batch_alter_table")) {
        enter_batch(host, call);
    } else if (name && text_starts_with(name, BATCH) && !strchr(name + strlen(BATCH), '.')) {
        batch_operation(host, call);
    } else if (name && !strchr(name, '.')) {
        if (!op_operation(host, name, call, NULL))
            op_plugin(host, name, call);
    } else {
        op_other_call(host, call);
    }
}

static void
host_leave(void *self, const struct scene *scene, const struct call *call)
{
    struct host *host = self;
    struct batch *batch = batch_of(host, call);

    host->scene = scene;
    host->call = call;
    host->steps = file_steps(host);
    if (!batch)
        return;
    for (size_t i = 0; i < batch->steps.count; i++)
        VEC_PUSH(host->scratch, host->steps, batch->steps.items[i]);
    *batch = (struct batch){ 0 };
    while (host->batches.count > 0 && !host->batches.items[host->batches.count - 1].call)
        host->batches.count--;
}

struct eval_host
lowering_host(struct lowering *lowering)
{
    struct host *host = ARENA_NEW(lowering->ctx->arena, struct host);

    host->given = lowering;
    host->ctx = lowering->ctx;
    host->arena = lowering->ctx->arena;
    host->scratch = lowering->scratch ? lowering->scratch : host->arena;
    return (struct eval_host){ .self = host, .call = host_call, .leave = host_leave };
}

/* The steps were collected among what is thrown away; what is kept has no room to spare. */
static void
keep_steps(struct arena *arena, struct steps *steps)
{
    steps->items = arena_memdup(arena, steps->items, steps->count * sizeof(steps->items[0]));
    steps->capacity = steps->count;
}

void
lowering_end(const struct lowering *lowering)
{
    keep_steps(lowering->ctx->arena, &lowering->revision->upgrade);
    keep_steps(lowering->ctx->arena, &lowering->revision->downgrade);
    keep_steps(lowering->ctx->arena, &lowering->revision->module);
}
