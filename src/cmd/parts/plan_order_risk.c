#include "cmd/parts/plan_order_risk.h"

#include <math.h>

#include "sql.h"

enum { LOW, MEDIUM, HIGH };

/* Beyond the first a change is of medium risk, beyond the second of high. */
static const int64_t big_bytes[] = { INT64_C(10) << 30, INT64_C(100) << 30 };
static const int64_t long_us[] = { INT64_C(1800) * 1000000, INT64_C(4) * 3600 * 1000000 };
/* Rows a second: a build has to catch up with them, and each costs an entry more from then on. */
static const double busy_writes = 1000;
/* Those that stop writers, even if only for some milliseconds. */
static const char *const strong_locks[] = { "ACCESS EXCLUSIVE", "EXCLUSIVE", "SHARE ROW EXCLUSIVE",
    "SHARE" };

/* A short statement with its two waits for old snapshots, where nobody holds one. */
enum { QUICK_UNDO_US = 200000 };

bool
plan_load_read(struct ctx *ctx, struct db *db, const struct change *changes, size_t count,
    struct plan_load *ret)
{
    struct sql_change_plan_writes_rows rows;
    struct buffer tables = { .arena = ctx->arena };

    *ret = (struct plan_load){ 0 };
    for (size_t i = 0; i < count; i++)
        if (changes[i].table_oid)
            buffer_printf(&tables, "%s%u", tables.length > 0 ? "," : "{", changes[i].table_oid);
    if (tables.length == 0)
        return true;
    buffer_add(&tables, "}");
    if (!sql_change_plan_writes(ctx, db, &rows, .tables = buffer_text(&tables)))
        return error_wrap(ctx, "reading how often the tables are written");
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_change_plan_writes *row = &rows.items[i];

        if (row->seconds > 0)
            VEC_PUSH(ctx->arena, ret,
                (struct plan_writes){ row->table_oid, row->writes / row->seconds });
    }
    return true;
}

static double
writes_of(const struct plan_load *load, uint32_t table_oid)
{
    for (size_t i = 0; load && i < load->count; i++)
        if (load->items[i].table_oid == table_oid)
            return load->items[i].per_second;
    return 0;
}

static int
level_of(int64_t amount, const int64_t limits[2])
{
    return amount > limits[1] ? HIGH : amount > limits[0] ? MEDIUM : LOW;
}

static int
worse(int a, int b)
{
    return a > b ? a : b;
}

static bool
is_strong(const char *lock)
{
    for (size_t i = 0; i < COUNT_OF(strong_locks); i++)
        if (text_equal(lock, strong_locks[i]))
            return true;
    return false;
}

static int
risk_of(const struct change *change, const struct plan_load *load)
{
    bool is_built = change_is_of(change, KIND_INDEX) || change_is_of(change, KIND_REINDEX) ||
                    change_is_of(change, KIND_FILL);
    int risk = is_strong(change->lock) ? MEDIUM : LOW;

    /* Statements may miss it, rows may be refused, every session gets it. */
    if (change_is_of(change, KIND_DROP) || change->is_unique ||
        (change_is_of(change, KIND_SETTING) && !change->table))
        risk = worse(risk, MEDIUM);
    if (is_built) {
        risk = worse(risk, level_of(change->table_bytes + change->bytes, big_bytes));
        risk = worse(risk, level_of(change->us, long_us));
        if (writes_of(load, change->table_oid) > busy_writes)
            risk = worse(risk, MEDIUM);
    }
    return risk;
}

const char *
plan_risk(const struct change *changes, size_t count, const struct plan_load *load)
{
    static const char *const names[] = { "low", "medium", "high" };
    int risk = LOW;

    for (size_t i = 0; i < count; i++)
        risk = worse(risk, risk_of(&changes[i], load));
    return names[risk];
}

int
plan_risk_weight(const char *risk)
{
    return text_equal(risk, "high") ? 4 : text_equal(risk, "medium") ? 2 : 1;
}

/* A new definition is undone by a short statement; what was dropped has to be built again. */
int64_t
plan_undo_us(const struct change *changes, size_t count)
{
    int64_t us = 0;

    for (size_t i = 0; i < count; i++) {
        const struct change *change = &changes[i];

        if (text_starts_with(change->undo ? change->undo : "nothing", "nothing"))
            continue;
        if (!change_is_of(change, KIND_DROP))
            us += QUICK_UNDO_US;
        else if (change->us > 0)
            us += change->us;
        else
            return -1;
    }
    return us;
}
