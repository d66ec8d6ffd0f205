/* Advice in the words of those who need it. */
#include <inttypes.h>

#include "pool/advice.h"

/* The seconds of the reference set-up: what is not measured stays as SQLAlchemy has it. */
enum { TIMEOUT_S = 30, RECYCLE_S = 3600, PREPARED = 200, MOST_SHARED = 4, MOST_BACKGROUND = 5 };

static bool
has_hazard(const struct pool_hazards *hazards, const char *name)
{
    for (size_t i = 0; i < hazards->count; i++)
        if (text_equal(hazards->items[i].name, name))
            return true;
    return false;
}

const char *
pool_for_sqlalchemy(
    struct arena *arena, const struct pool_advice *advice, const struct pool_hazards *hazards)
{
    struct buffer out = { .arena = arena };

    buffer_printf(&out,
        "engine = create_engine(\n"
        "    url,\n"
        "    pool_size=%lld,\n"
        "    max_overflow=%lld,\n"
        "    pool_timeout=%d,\n"
        "    pool_recycle=%d,\n"
        "    pool_pre_ping=True,\n"
        "    pool_use_lifo=True,\n"
        ")\n",
        (long long)advice->process.size, (long long)advice->process.overflow, TIMEOUT_S, RECYCLE_S);
    buffer_add(&out, "# Through PgBouncer instead: poolclass=NullPool, since the pooler keeps the "
                     "connections");
    if (has_hazard(hazards, "prepared_protocol"))
        buffer_add(&out,
            ";\n# before PgBouncer 1.21 also connect_args={\"prepare_threshold\": None} (psycopg 3) or\n"
            "# connect_args={\"statement_cache_size\": 0, \"prepared_statement_cache_size\": 0} "
            "(asyncpg)");
    buffer_add(&out, ".\n");
    return buffer_text(&out);
}

/* A name that could break out of its line would be no name of a database anybody pools. */
static const char *
ini_value(struct arena *arena, const char *text)
{
    char *value = arena_strdup(arena, text ? text : "");

    for (char *c = value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == '=' || *c == '\'' || *c == ' ')
            *c = '?';
    return value;
}

const char *
pool_for_pgbouncer(struct arena *arena, const struct db *db, const struct pool_advice *advice,
    const struct pool_hazards *hazards)
{
    struct buffer out = { .arena = arena };
    const char *name = ini_value(arena, db_name(db));
    int64_t most = advice->available > 0 ? advice->available : 1;
    int64_t size = advice->needed;
    int64_t reserve;

    if (advice->useful > 0 && size > advice->useful)
        size = advice->useful;
    if (size > most)
        size = most;
    reserve = (size + 1) / 2;
    if (size + reserve > most)
        reserve = most - size;
    buffer_printf(&out, "[databases]\n%s = host=%s port=%s dbname=%s\n\n[pgbouncer]\n", name,
        ini_value(arena, db_host(db)), ini_value(arena, db_port(db)), name);
    if (hazards->is_safe)
        buffer_add(&out, "pool_mode = transaction\n");
    else
        buffer_add(
            &out, "; transaction only when what is listed above is gone\npool_mode = session\n");
    buffer_printf(&out,
        "default_pool_size = %" PRId64 "\nreserve_pool_size = %" PRId64
        "\nreserve_pool_timeout = 1\nmax_db_connections = %" PRId64
        "\nmax_client_conn = 10000\nquery_wait_timeout = %d\nserver_lifetime = %d\n",
        size, reserve, size + reserve, TIMEOUT_S, RECYCLE_S);
    buffer_printf(&out,
        "; from 1.21 on; older ones do not know it, and their clients must not prepare\n"
        "max_prepared_statements = %d\n",
        PREPARED);
    return buffer_text(&out);
}

/* What a worker opens at most, lane by lane. */
struct worker {
    int64_t size;
    int64_t overflow;
    int64_t shared;
    int64_t background;
    int64_t background_overflow;
};

/* Its background pool has one shared connection, and one more follows the flags. */
enum { OWN_OF_WORKER = 2 };

static int64_t
count_worker(const struct worker *worker)
{
    return worker->size + worker->overflow + worker->shared + worker->background +
           worker->background_overflow + OWN_OF_WORKER;
}

static int64_t
within(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* What is beyond the limit goes where it hurts least first. */
static void
shrink(struct worker *worker, int64_t most)
{
    const struct {
        int64_t *part;
        int64_t least;
    } parts[] = { { &worker->background_overflow, 0 }, { &worker->overflow, 0 },
        { &worker->background, 1 }, { &worker->shared, 1 }, { &worker->size, 1 } };

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        int64_t beyond = count_worker(worker) - most;

        if (beyond > 0)
            *parts[i].part -= within(beyond, 0, *parts[i].part - parts[i].least);
    }
}

const char *
pool_for_replyx(struct arena *arena, const struct pool_load *load, const struct pool_advice *advice,
    const struct pool_limits *limits)
{
    /* Sessions that follow the flags now are counted here with their workers. */
    int64_t most = (advice->available + load->direct_peak) / limits->processes;
    int64_t shared = within(advice->process.size / 2, 1, MOST_SHARED);
    struct worker worker = {
        .size = within(advice->process.size - shared, 1, INT32_MAX),
        .overflow = advice->process.overflow,
        .shared = shared,
        .background = within(advice->process.size / 4, 1, MOST_BACKGROUND),
        .background_overflow = within(advice->process.overflow / 4, 0, 2 * MOST_BACKGROUND),
    };
    struct buffer out = { .arena = arena };

    shrink(&worker, most);
    buffer_add(&out, "[replyx-api]\n");
    if (count_worker(&worker) > most)
        buffer_printf(&out,
            "; does not fit: a worker needs %lld connections at least, %lld are there for each\n",
            (long long)count_worker(&worker), (long long)most);
    buffer_printf(&out,
        "; %" PRId64 " connections a worker at most: both pools with their overflow, %" PRId64
        " shared and 1 shared of the\n; background, 1 that follows the flags; %" PRId64 " in all\n",
        count_worker(&worker), worker.shared, count_worker(&worker) * limits->processes);
    buffer_printf(&out,
        "workers = %lld\npool_size = %lld\nmax_overflow = %lld\nshared_size = %lld\n"
        "background_size = %lld\nbackground_overflow = %lld\n"
        "pool_timeout = %ds\npool_recycle = %ds\npool_queue = 500\n",
        (long long)limits->processes, (long long)worker.size, (long long)worker.overflow,
        (long long)worker.shared, (long long)worker.background,
        (long long)worker.background_overflow, TIMEOUT_S, RECYCLE_S);
    return buffer_text(&out);
}
