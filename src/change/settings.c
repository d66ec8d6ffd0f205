/* Settings of the working session that belong to one change: memory for a build, for one. */
#include "base/interrupt.h"
#include "change/rollout.h"

/*
 * Only what makes work faster or slower. A plan file must not be able to change whose rights or
 * which search_path the statements run with.
 */
static const char *const allowed[] = { "maintenance_work_mem", "max_parallel_maintenance_workers",
    "work_mem", "hash_mem_multiplier", "vacuum_cost_delay", "vacuum_cost_limit" };
static const char *const allowed_starts[] = { "hnsw.", "ivfflat." };

static bool
is_allowed(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(allowed); i++)
        if (text_equal(name, allowed[i]))
            return true;
    for (size_t i = 0; i < COUNT_OF(allowed_starts); i++)
        if (text_starts_with(name, allowed_starts[i]) &&
            strspn(name, "abcdefghijklmnopqrstuvwxyz_.") == strlen(name))
            return true;
    return false;
}

/* The next "name=value" of a list with semicolons; false at its end. */
static bool
next_setting(struct arena *arena, const char **at, const char **ret_name, const char **ret_value)
{
    *at += strspn(*at, "; ");

    size_t length = strcspn(*at, ";");
    size_t name = strcspn(*at, "=;");

    if (length == 0)
        return false;
    *ret_name = arena_strndup(arena, *at, name);
    *ret_value =
        arena_strndup(arena, *at + name + (name < length), length - name - (name < length));
    *at += length;
    return true;
}

bool
rollout_set(struct ctx *ctx, struct rollout *rollout)
{
    const char *at = rollout->settings ? rollout->settings : "";
    const char *name;
    const char *value;

    while (next_setting(ctx->arena, &at, &name, &value)) {
        if (!is_allowed(name))
            return error_set(ctx, ERR_INPUT, "a change must not set \"%s\"", name);
        if (!db_set(ctx, rollout->db, name, value))
            return error_wrap(ctx, "setting %s for the change", name);
    }
    return true;
}

void
rollout_reset(struct rollout *rollout)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx scratch = { .arena = arena };
    const char *at = rollout->settings ? rollout->settings : "";
    const char *name;
    const char *value;
    int signal_number = interrupt_take();

    while (next_setting(arena, &at, &name, &value))
        if (is_allowed(name) && db_is_connected(rollout->db))
            (void)!db_exec(&scratch, rollout->db, arena_printf(arena, "RESET %s", name));
    interrupt_put(signal_number);
}
