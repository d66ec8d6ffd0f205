/* Advice in the words of those who need it. */
#include <inttypes.h>

#include "pool/advice.h"

/* The seconds of the reference set-up: what is not measured stays as SQLAlchemy has it. */
enum { TIMEOUT_S = 30, RECYCLE_S = 3600, PREPARED = 200, MOST_SHARED = 4 };

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

const char *
pool_for_replyx(
    struct arena *arena, const struct pool_advice *advice, const struct pool_limits *limits)
{
    int64_t shared = advice->process.size < MOST_SHARED ? advice->process.size : MOST_SHARED;
    int64_t size = advice->process.size - shared / 2;

    /* Its shared lane carries short reads of many requests on a few connections of their own. */
    return arena_printf(arena,
        "[replyx-api]\nworkers = %lld\npool_size = %lld\nmax_overflow = %lld\nshared_size = %lld\n"
        "pool_timeout = %ds\npool_recycle = %ds\npool_queue = 500\n",
        (long long)limits->processes, (long long)(size > 0 ? size : 1),
        (long long)advice->process.overflow, (long long)shared, TIMEOUT_S, RECYCLE_S);
}
