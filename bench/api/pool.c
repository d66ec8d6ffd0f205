/*
 * The pool alone, without HTTP: one-row SELECTs by primary key on pgbench's tables, through one lane.
 * Says what a request costs the client and the server in CPU; the rate depends on who else is there.
 *
 *   pgbench -i -s 10 DATABASE
 *   api-pool [--lane exclusive|shared] [--size N] [--callers N] [--seconds N] URL
 */
#include "db/pool/pool.h"

#include <getopt.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"

enum { ROWS_PER_SCALE = 100000 };

struct account {
    int32_t id;
};

struct balance {
    int32_t balance;
};

/* clang-format off */
static const struct field account_fields[] = { FIELD(struct account, id) };
static const struct field balance_fields[] = { FIELD(struct balance, balance) };
/* clang-format on */
static const char *const int_types[] = { "int4" };
static const struct query_variant variant = {
    .text =
        "SELECT a.abalance FROM public.pgbench_accounts AS a WHERE a.aid OPERATOR(pg_catalog.=) $1",
};
static const struct query query_balance = {
    .name = "bench/balance",
    .variants = &variant,
    .variant_count = 1,
    .args = account_fields,
    .arg_count = 1,
    .arg_types = int_types,
    .columns = balance_fields,
    .column_count = 1,
    .column_types = int_types,
    .row_size = sizeof(struct balance),
};

struct bench {
    struct ctx ctx;
    struct loop *loop;
    struct pool *pool;
    const char *lane_name;
    enum pool_lane lane;
    int64_t size;
    int64_t callers;
    int64_t seconds;
    int64_t accounts;
    int64_t end_us;
    int64_t under_way;
    int64_t done;
    int64_t failed;
    uint64_t random;
};

struct caller {
    struct bench *bench;
    struct arena *arena;
    struct account account;
};

static void ask(struct caller *caller);

static void
answered(void *data, const struct pool_outcome *outcome)
{
    struct caller *caller = data;
    struct bench *bench = caller->bench;

    bench->under_way--;
    bench->done++;
    if (!outcome->is_good || outcome->rows[0].count != 1)
        bench->failed++;
    if (clock_us() < bench->end_us)
        ask(caller);
    else if (bench->under_way == 0)
        loop_stop(bench->loop);
}

static void
ask(struct caller *caller)
{
    struct bench *bench = caller->bench;
    struct pool_statement statement = { .query = &query_balance, .args = &caller->account };

    bench->random = bench->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    caller->account.id = (int32_t)(1 + (bench->random >> 33) % (uint64_t)bench->accounts);
    bench->under_way++;
    arena_reset(caller->arena);
    (void)pool_run(bench->pool, &(const struct pool_work){
                                    .statements = &statement,
                                    .count = 1,
                                    .lane = bench->lane,
                                    .is_repeatable = true,
                                    .arena = caller->arena,
                                    .done = answered,
                                    .data = caller,
                                });
}

static int64_t
cpu_of_ourselves(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

/* The CPU time of one server process, in microseconds; it must run on this machine. */
static int64_t
cpu_of_process(struct bench *bench, const char *pid)
{
    const char *path = arena_printf(bench->ctx.arena, "/proc/%s/schedstat", pid);
    FILE *file = fopen(path, "re");
    char line[128] = "";

    if (!file)
        return 0;
    if (!fgets(line, sizeof(line), file))
        line[0] = '\0';
    fclose(file);
    return (int64_t)(strtoull(line, NULL, 10) / 1000); /* it begins with nanoseconds */
}

static bool
cpu_of_server(struct bench *bench, struct db *db, int64_t *ret)
{
    static const char sql[] = "SELECT a.pid::text FROM pg_catalog.pg_stat_activity AS a "
                              "WHERE a.application_name = 'pgmend-bench/api-pool'";
    struct result result;

    *ret = 0;
    if (!db_query(&bench->ctx, db, sql, NULL, 0, &result))
        return false;
    for (size_t i = 0; i < result.rows; i++)
        *ret += cpu_of_process(bench, result_cell(&result, i, 0));
    return true;
}

static void
run_for(struct bench *bench, struct caller *callers, int64_t us)
{
    bench->end_us = clock_us() + us;
    bench->done = 0;
    bench->failed = 0;
    for (int64_t i = 0; i < bench->callers; i++)
        ask(&callers[i]);
    loop_run(bench->loop);
}

static bool
measure(struct bench *bench, struct db *db, struct caller *callers)
{
    int64_t server_before;
    int64_t server_after;

    run_for(bench, callers, 500000); /* opens the connections */
    if (!cpu_of_server(bench, db, &server_before))
        return false;

    int64_t own_before = cpu_of_ourselves();
    int64_t began_us = clock_us();

    run_for(bench, callers, bench->seconds * 1000000);

    int64_t took_us = clock_us() - began_us;
    int64_t own_after = cpu_of_ourselves();

    if (!cpu_of_server(bench, db, &server_after))
        return false;
    printf("%s %lld, %lld callers: %.0f requests/s, client %.1f us, server %.1f us of CPU a request"
           " (%lld requests, %lld failed, %lld connections opened)\n",
        bench->lane_name, (long long)bench->size, (long long)bench->callers,
        (double)bench->done * 1e6 / (double)took_us,
        (double)(own_after - own_before) / (double)bench->done,
        (double)(server_after - server_before) / (double)bench->done, (long long)bench->done,
        (long long)bench->failed, (long long)pool_statistics(bench->pool).opened);
    return bench->failed == 0;
}

static bool
run(struct bench *bench, const char *url)
{
    struct db_options options = { .url = url, .application = "pgmend-bench" };
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct pool_options pool;
    struct caller *callers = ARENA_ARRAY(bench->ctx.arena, struct caller, (size_t)bench->callers);
    const char *scale;
    bool is_good;

    pool_options_set_defaults(&pool);
    pool.name = "api-pool";
    pool.db = options;
    pool.db.access = ACCESS_READ;
    pool.size = (int32_t)bench->size;
    pool.most_overflow = 0;
    pool.shared_size = (int32_t)bench->size;
    pool.most_waiting = (int32_t)bench->callers;
    bench->random = 42;
    for (int64_t i = 0; i < bench->callers; i++)
        callers[i] = (struct caller){ .bench = bench, .arena = arena_new() };
    is_good = db_open(&bench->ctx, &options, &db) &&
              db_value(&bench->ctx, db, "SELECT count(*)::text FROM public.pgbench_branches", NULL,
                  0, &scale) &&
              text_to_int64(scale, &bench->accounts) && loop_new(&bench->ctx, &bench->loop) &&
              pool_new(&bench->ctx, bench->loop, &pool, &bench->pool);
    if (is_good) {
        bench->accounts *= ROWS_PER_SCALE;
        is_good = measure(bench, db, callers);
    }
    pool_free(bench->pool);
    loop_free(bench->loop);
    for (int64_t i = 0; i < bench->callers; i++)
        arena_free(callers[i].arena);
    return is_good;
}

static const struct option long_options[] = {
    { "lane", required_argument, NULL, 'l' },
    { "size", required_argument, NULL, 's' },
    { "callers", required_argument, NULL, 'c' },
    { "seconds", required_argument, NULL, 't' },
    { NULL, 0, NULL, 0 },
};

static bool
take_option(struct bench *bench, int option)
{
    if (option == 'l') {
        bench->lane_name = optarg;
        bench->lane = text_equal(optarg, "shared") ? POOL_SHARED : POOL_EXCLUSIVE;
        return bench->lane == POOL_SHARED || text_equal(optarg, "exclusive");
    }
    if (option == 's')
        return text_to_int64(optarg, &bench->size) && bench->size > 0;
    if (option == 'c')
        return text_to_int64(optarg, &bench->callers) && bench->callers > 0;
    return option == 't' && text_to_int64(optarg, &bench->seconds) && bench->seconds > 0;
}

int
main(int argc, char **argv)
{
    struct bench bench = {
        .ctx = { .arena = arena_new() },
        .lane_name = "exclusive",
        .size = 20,
        .callers = 1000,
        .seconds = 5,
    };
    bool is_good = true;
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        is_good = is_good && take_option(&bench, option);
    if (!is_good || optind != argc - 1) {
        fprintf(stderr, "usage: api-pool [--lane exclusive|shared] [--size N] [--callers N] "
                        "[--seconds N] URL\n");
        return 2;
    }
    is_good = run(&bench, argv[optind]);
    if (!is_good && bench.ctx.error.message)
        fprintf(stderr, "api-pool: %s\n", bench.ctx.error.message);
    arena_free(bench.ctx.arena);
    return is_good ? 0 : 1;
}
