#include "change/setting.h"

#include <math.h>

#include "db/ident.h"

enum { OF_SERVER = 1, OF_TABLE = 2, OF_ROLE = 4 };

struct allowed {
    const char *name; /* or the beginning of names, when it ends with "_" */
    int scopes;
};

static const struct allowed allowed[] = {
    { "autovacuum", OF_SERVER },
    { "autovacuum_", OF_SERVER | OF_TABLE },
    { "checkpoint_completion_target", OF_SERVER },
    { "checkpoint_timeout", OF_SERVER },
    { "checkpoint_warning", OF_SERVER },
    { "deadlock_timeout", OF_SERVER },
    { "default_statistics_target", OF_SERVER | OF_ROLE },
    { "effective_cache_size", OF_SERVER | OF_ROLE },
    { "effective_io_concurrency", OF_SERVER | OF_ROLE },
    { "fillfactor", OF_TABLE },
    { "hash_mem_multiplier", OF_SERVER | OF_ROLE },
    { "huge_pages", OF_SERVER },
    { "idle_in_transaction_session_timeout", OF_SERVER | OF_ROLE },
    { "idle_session_timeout", OF_SERVER | OF_ROLE },
    { "jit", OF_SERVER | OF_ROLE },
    { "jit_above_cost", OF_SERVER | OF_ROLE },
    { "lock_timeout", OF_SERVER | OF_ROLE },
    { "log_autovacuum_min_duration", OF_SERVER | OF_TABLE },
    { "log_checkpoints", OF_SERVER },
    { "log_destination", OF_SERVER },
    { "log_lock_waits", OF_SERVER },
    { "log_min_duration_statement", OF_SERVER | OF_ROLE },
    { "log_parameter_max_length", OF_SERVER | OF_ROLE },
    { "log_temp_files", OF_SERVER },
    { "log_transaction_sample_rate", OF_SERVER | OF_ROLE },
    { "maintenance_work_mem", OF_SERVER | OF_ROLE },
    { "max_connections", OF_SERVER },
    { "max_parallel_", OF_SERVER | OF_ROLE },
    { "max_slot_wal_keep_size", OF_SERVER },
    { "max_wal_size", OF_SERVER },
    { "max_worker_processes", OF_SERVER },
    { "min_wal_size", OF_SERVER },
    { "password_encryption", OF_SERVER },
    { "pg_stat_statements.max", OF_SERVER },
    { "random_page_cost", OF_SERVER | OF_ROLE },
    { "seq_page_cost", OF_SERVER | OF_ROLE },
    { "shared_buffers", OF_SERVER },
    { "statement_timeout", OF_SERVER | OF_ROLE },
    { "temp_file_limit", OF_SERVER | OF_ROLE },
    { "track_activity_query_size", OF_SERVER },
    { "track_functions", OF_SERVER },
    { "track_io_timing", OF_SERVER },
    { "track_wal_io_timing", OF_SERVER },
    { "transaction_timeout", OF_SERVER | OF_ROLE },
    { "wal_buffers", OF_SERVER },
    { "wal_compression", OF_SERVER },
    { "work_mem", OF_SERVER | OF_ROLE },
};

static const struct {
    const char *name;
    double factor; /* in bytes, or in microseconds */
} units[] = {
    { "B", 1 },
    { "kB", 1024 },
    { "8kB", 8192 },
    { "MB", 1024.0 * 1024 },
    { "GB", 1024.0 * 1024 * 1024 },
    { "TB", 1024.0 * 1024 * 1024 * 1024 },
    { "us", 1 },
    { "ms", 1e3 },
    { "s", 1e6 },
    { "min", 6e7 },
    { "h", 3.6e9 },
    { "d", 8.64e10 },
};

bool
setting_is_allowed(const struct change *change)
{
    int scope = change->table ? OF_TABLE : change->role ? OF_ROLE : OF_SERVER;

    if (strspn(change->name, "abcdefghijklmnopqrstuvwxyz_.") != strlen(change->name))
        return false;
    for (size_t i = 0; i < COUNT_OF(allowed); i++) {
        bool is_start = text_ends_with(allowed[i].name, "_");

        if (is_start ? text_starts_with(change->name, allowed[i].name)
                     : text_equal(change->name, allowed[i].name))
            return allowed[i].scopes & scope;
    }
    return false;
}

const char *
setting_statement(struct arena *arena, const struct change *change, const char *value)
{
    const char *name = db_ident(arena, change->name);
    const char *literal = value ? db_literal(arena, value) : NULL;
    const char *start;

    if (change->table) {
        start = arena_printf(arena, "ALTER TABLE %s", change_relation(arena, change));
        return value ? arena_printf(arena, "%s SET (%s = %s)", start, name, literal)
                     : arena_printf(arena, "%s RESET (%s)", start, name);
    }
    start = change->role ? arena_printf(arena, "ALTER ROLE %s", db_ident(arena, change->role))
                         : "ALTER SYSTEM";
    return value ? arena_printf(arena, "%s SET %s = %s", start, name, literal)
                 : arena_printf(arena, "%s RESET %s", start, name);
}

/* The size of a unit in the smallest one of its sort; 1 for NULL and "", 0 for an unknown one. */
static double
factor_of(const char *unit)
{
    if (text_is_empty(unit))
        return 1;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (text_equal(units[i].name, unit))
            return units[i].factor;
    return 0;
}

static bool
is_number(const char *text, const char *shown, const char *unit, bool *ret_known)
{
    char *end;
    double number = strtod(text, &end);
    double now;
    double base = factor_of(unit);

    if (end == text || !text_to_double(shown, &now))
        return false;
    end += strspn(end, " ");
    if (base == 0 || factor_of(end) == 0)
        return false;
    *ret_known = true;
    if (*end)
        number *= factor_of(end) / base;
    /* The server rounds to whole units. */
    return fabs(number - now) <= 1e-6 * fabs(now) || (unit && fabs(number - now) < 1);
}

/* 1, 0, or -1: no truth value. */
static int
truth(const char *text)
{
    static const char *const words[][2] = { { "off", "on" }, { "false", "true" }, { "no", "yes" },
        { "0", "1" }, { "f", "t" }, { "n", "y" } };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        for (int value = 0; value < 2; value++)
            if (strcasecmp(words[i][value], text) == 0)
                return value;
    return -1;
}

bool
setting_is_value(
    const char *text, const char *shown, const char *unit, const char *kind, bool *ret_known)
{
    *ret_known = false;
    if (text_equal(kind, "integer") || text_equal(kind, "real"))
        return is_number(text, shown, unit, ret_known);
    if (text_equal(kind, "bool")) {
        *ret_known = truth(text) >= 0;
        return truth(text) >= 0 && truth(text) == truth(shown);
    }
    *ret_known = text_equal(text, shown);
    return *ret_known;
}
