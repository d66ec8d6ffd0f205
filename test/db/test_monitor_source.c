/*
 * Applications and poolers beside the server: a page of metrics from an HTTP server of this process,
 * and a real PgBouncer; what they say when they are well, broken, gone and back again.
 */
#include <math.h>
#include <pwd.h>
#include <sys/stat.h>

#include "base/process.h"
#include "http/client.h"
#include "http/server.h"
#include "monitor/source/source.h"
#include "test_evented_support.h"

enum { EVERY_US = 50000, POOLER_TIMEOUT_US = 5000000 };

struct scene {
    struct stage *stage;
    struct ctx *ctx;
    struct setup setup;
    struct monitor monitor;
    struct sources *sources;
    struct loop_timer *looker;
    bool (*is_over)(struct scene *scene);
    int status;
    const char *page;
    int64_t asked;
    const char *folder;
    struct process pooler;
};

static void
look(void *data)
{
    struct scene *scene = data;

    if (scene->is_over(scene))
        loop_stop(scene->stage->loop);
    else
        loop_timer_set(scene->looker, EVERY_US / 5);
}

static void
until(struct scene *scene, bool (*is_over)(struct scene *scene))
{
    scene->is_over = is_over;
    loop_timer_set(scene->stage->guard, STAGE_LIMIT_US);
    loop_timer_set(scene->looker, 0);
    loop_run(scene->stage->loop);
}

static int
set_up(void **state)
{
    struct scene *scene;

    stage_set_up(state);
    scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    scene->stage = *state;
    scene->ctx = &scene->stage->ctx;
    scene->looker = loop_timer_new(scene->stage->loop, look, scene);
    scene->monitor.ctx = scene->ctx;
    scene->monitor.loop = scene->stage->loop;
    scene->monitor.setup = &scene->setup;
    *state = scene;
    return 0;
}

static int
tear_down(void **state)
{
    struct scene *scene = *state;
    struct stage *stage = scene->stage;

    http_client_free(scene->monitor.client);
    sources_free(scene->sources);
    loop_timer_free(scene->looker);
    if (scene->pooler.pid > 0 && !scene->pooler.is_done)
        process_stop(&scene->pooler);
    if (scene->folder)
        assert_true(file_remove(scene->ctx, scene->folder));
    free(scene);
    *state = stage;
    return stage_tear_down(state);
}

static void
begin(struct scene *scene, const char *url)
{
    struct http_client_options client = { .allow_private = true };
    struct sources_options options = {
        .interval_us = EVERY_US,
        .timeout_us = POOLER_TIMEOUT_US,
    };
    struct setup_application application = { .name = "shop", .url = url, .server = "main" };

    VEC_PUSH(scene->ctx->arena, &scene->setup.applications, application);
    stage_must(scene->stage,
        http_client_new(scene->ctx, scene->stage->loop, &client, &scene->monitor.client));
    stage_must(scene->stage, sources_new(scene->ctx, &scene->monitor, &options, &scene->sources));
    assert_int_equal(sources_count(scene->sources), 1);
    assert_false(sources_at(scene->sources, 0)->is_known);
    sources_start(scene->sources);
}

static const struct source *
the_source(const struct scene *scene)
{
    return sources_at(scene->sources, 0);
}

static bool
is_up(struct scene *scene)
{
    return the_source(scene)->is_up;
}

static bool
is_down(struct scene *scene)
{
    return the_source(scene)->is_known && !the_source(scene)->is_up;
}

/* The value of a metric among the samples of a server's tick; NaN: there is none. */
static double
value_at(struct scene *scene, const char *server, const char *metric, const char *const *labels)
{
    struct watched watched = { .name = server, .samples.arena = scene->ctx->arena };
    const struct sample *sample;

    sources_add_samples(scene->sources, &watched);
    sample = sample_find(&watched.samples, metric, labels);
    return sample ? sample->value : NAN;
}

static double
value_of(struct scene *scene, const char *metric)
{
    static const char *const labels[] = { "shop", NULL };

    return value_at(scene, "main", metric, labels);
}

/* ---- a page ---- */

/* Each time it is asked there are ten requests more, one of which failed, and thirty statements. */
static void
give_page(void *data, struct http_request *request)
{
    struct scene *scene = data;
    struct arena *arena = http_request_arena(request);
    long long asked = ++scene->asked;
    const char *body = scene->page ? scene->page
                                   : arena_printf(arena,
                                         "http_requests_total{code=\"200\"} %lld\n"
                                         "http_requests_total{code=\"500\"} %lld\n"
                                         "shop_statements_total %lld\n",
                                         9 * asked, asked, 30 * asked);
    const struct http_answer answer = {
        .status = scene->status,
        .type = METRIC_CONTENT_TYPE,
        .body = body,
        .length = strlen(body),
    };

    http_answer(request, &answer);
}

static struct http_server *
serve_page(struct scene *scene, const char *listen)
{
    static const struct http_route routes[] = { { HTTP_GET, "/metrics", give_page, true } };
    const struct http_server_options options = {
        .listen = listen,
        .routes = routes,
        .route_count = COUNT_OF(routes),
        .data = scene,
    };
    struct http_server *server;

    stage_must(scene->stage, http_server_start(scene->ctx, scene->stage->loop, &options, &server));
    return server;
}

static bool
has_rates(struct scene *scene)
{
    return the_source(scene)->requests_rate > 0;
}

static bool
has_parse_error(struct scene *scene)
{
    return is_down(scene) && the_source(scene)->error.kind == ERR_INPUT;
}

static bool
has_status_error(struct scene *scene)
{
    return is_down(scene) && the_source(scene)->error.kind == ERR_SERVER;
}

static bool
is_gone(struct scene *scene)
{
    return is_down(scene) && the_source(scene)->error.kind == ERR_CONNECTION;
}

static void
a_page_gives_rates_and_its_failures_are_told(void **state)
{
    struct scene *scene = *state;
    struct http_server *server = serve_page(scene, "127.0.0.1:0");
    const char *address = arena_strdup(scene->ctx->arena, http_server_address(server));

    scene->status = 200;
    begin(scene, arena_printf(scene->ctx->arena, "http://%s/metrics", address));
    until(scene, is_up);
    assert_true(value_of(scene, "pgmend_application_up") == 1);
    assert_true(value_of(scene, "pgmend_application_requests_total") >= 10);
    until(scene, has_rates);
    assert_true(fabs(value_of(scene, "pgmend_application_error_ratio") - 0.1) < 1e-9);
    assert_true(fabs(value_of(scene, "pgmend_statements_per_request") - 3) < 1e-9);
    assert_true(value_of(scene, "pgmend_application_requests_rate") > 0);
    /* Another server's page does not show it. */
    assert_true(isnan(value_at(scene, "other", "pgmend_application_up", NULL)));

    scene->page = "this is no metric {\n";
    until(scene, has_parse_error);
    assert_non_null(strstr(the_source(scene)->error.message, "line 1"));
    assert_true(value_of(scene, "pgmend_application_up") == 0);
    assert_true(isnan(value_of(scene, "pgmend_application_requests_rate")));
    scene->page = NULL;
    scene->status = 503;
    until(scene, has_status_error);
    assert_non_null(strstr(the_source(scene)->error.message, "503"));
    http_server_stop(server);
    until(scene, is_gone);
    assert_true(the_source(scene)->down_since_wall_us > 0);
    scene->status = 200;
    server = serve_page(scene, address);
    until(scene, is_up);
    assert_int_equal(the_source(scene)->down_since_wall_us, 0);
    http_client_free(scene->monitor.client);
    scene->monitor.client = NULL;
    http_server_stop(server);
}

/* ---- a pooler ---- */

static const char *
pooler_program(void)
{
    static const char *const places[] = { "/usr/sbin/pgbouncer", "/usr/bin/pgbouncer" };

    for (size_t i = 0; i < COUNT_OF(places); i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static void
write_settings(struct scene *scene)
{
    struct arena *arena = scene->ctx->arena;
    const char *path = file_join(arena, scene->folder, "pgbouncer.ini");
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fprintf(file,
        "[databases]\nshop = host=%s port=%s dbname=%s user=%s\n"
        "[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = %s\n"
        "auth_type = any\npool_mode = transaction\nlogfile = %s/log\npidfile = %s/pid\n",
        db_host(scene->stage->admin), db_port(scene->stage->admin), db_name(scene->stage->admin),
        db_user(scene->stage->admin), scene->folder, scene->folder, scene->folder);
    fclose(file);
}

/* It refuses to run as root, as the server does. */
static void
start_pooler(struct scene *scene)
{
    struct arena *arena = scene->ctx->arena;
    const char *const plain[] = { pooler_program(), "-q",
        file_join(arena, scene->folder, "pgbouncer.ini"), NULL };
    const char *const as_other[] = { "setpriv", "--reuid=postgres", "--regid=postgres",
        "--init-groups", "--", plain[0], plain[1], plain[2], NULL };
    struct process_options options = { .argv = geteuid() == 0 ? as_other : plain };

    stage_must(scene->stage, process_start(scene->ctx, &options, &scene->pooler));
}

static void
make_pooler(struct scene *scene)
{
    scene->folder = test_folder(scene->ctx);
    assert_int_equal(chmod(scene->folder, 0777), 0);
    write_settings(scene);
    start_pooler(scene);
}

static struct db *
open_through(struct scene *scene)
{
    struct db_options options = {
        .url =
            arena_printf(scene->ctx->arena, "host=%s port=6432 dbname=shop user=me", scene->folder),
        .application = "client",
        .access = ACCESS_WRITE,
    };
    struct db *db;

    stage_must(scene->stage, db_open(scene->ctx, &options, &db));
    return db;
}

static bool
has_one_client(struct scene *scene)
{
    static const char *const pool[] = { "shop", "shop", NULL };

    return value_at(scene, "main", "pgmend_pooler_clients_active", pool) == 1;
}

static bool
has_counted(struct scene *scene)
{
    static const char *const database[] = { "shop", "shop", NULL };

    /* Eleven, and the one that pinned the session. */
    return value_at(scene, "main", "pgmend_pooler_queries_total", database) == 12;
}

static void
the_console_of_a_pooler_is_read(void **state)
{
    struct scene *scene = *state;
    struct db *db;

    if (!pooler_program())
        skip();
    make_pooler(scene);
    begin(scene, arena_printf(scene->ctx->arena,
                     "postgresql://me:geheim@/pgbouncer?host=%s&port=6432", scene->folder));
    until(scene, is_up);
    assert_true(the_source(scene)->is_pooler);
    assert_true(value_of(scene, "pgmend_application_up") == 1);
    assert_true(value_of(scene, "pgmend_pooler_databases") >= 1);
    db = open_through(scene);
    for (int i = 0; i < 11; i++)
        stage_must(scene->stage, db_exec(scene->ctx, db, "SELECT 1"));
    until(scene, has_one_client);
    until(scene, has_counted);
    db_close(db);

    process_stop(&scene->pooler);
    until(scene, is_down);
    assert_int_equal(the_source(scene)->error.kind, ERR_CONNECTION);
    assert_null(strstr(the_source(scene)->error.message, "geheim"));
    start_pooler(scene);
    until(scene, is_up);
}

static void
opened(void *data, const struct error *error)
{
    struct stage *stage = data;

    stage->is_opened = true;
    stage->error = error ? *error : (struct error){ 0 };
    loop_stop(stage->loop);
}

/* Settings that were pinned there would be those of whoever comes next. */
static void
a_session_through_a_pooler_is_refused_and_leaves_nothing_there(void **state)
{
    struct scene *scene = *state;
    struct stage *stage = scene->stage;
    struct evented_events events = { .opened = opened, .data = stage };
    struct db_options options = { .access = ACCESS_READ };
    struct db *db;
    const char *before;
    const char *after;

    if (!pooler_program())
        skip();
    make_pooler(scene);
    begin(scene, arena_printf(scene->ctx->arena, "postgresql://me@/pgbouncer?host=%s&port=6432",
                     scene->folder));
    until(scene, is_up);
    db = open_through(scene);
    stage_must(stage, db_value(scene->ctx, db,
                          "SELECT pg_backend_pid() || ' ' || "
                          "current_setting('default_transaction_read_only')",
                          NULL, 0, &before));
    options.url =
        arena_printf(scene->ctx->arena, "host=%s port=6432 dbname=shop user=me", scene->folder);
    stage_must(stage, evented_open(scene->ctx, stage->loop, &options, &events, &stage->evented));
    while (!stage->is_opened)
        loop_run(stage->loop);
    assert_int_equal(stage->error.kind, ERR_UNSUPPORTED);
    assert_non_null(strstr(stage->error.message, "a connection pooler stands between"));
    stage_must(stage, db_value(scene->ctx, db,
                          "SELECT pg_backend_pid() || ' ' || "
                          "current_setting('default_transaction_read_only')",
                          NULL, 0, &after));
    assert_string_equal(before, after);
    assert_non_null(strstr(after, " off"));
    db_close(db);
}

#define test_in_scene(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        test_in_scene(a_page_gives_rates_and_its_failures_are_told),
        test_in_scene(the_console_of_a_pooler_is_read),
        test_in_scene(a_session_through_a_pooler_is_refused_and_leaves_nothing_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
