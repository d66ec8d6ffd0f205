/* What the page asks and tells of KPIs over HTTP, by a database that may be slow, full or away. */
#include "support/test.h"

#include "base/clock.h"
#include "db/db.h"
#include "http/client.h"
#include "monitor/kpi/desk.h"

#define DATABASE "pgmend_test_kpi_desk"

enum { MOST_ANSWERS = 128 };

struct bench {
    struct ctx ctx;
    struct db *admin;
    struct loop *loop;
    struct http_server *server;
    struct http_client *client;
    struct kpi_desk *desk;
    const char *url;
    size_t wanted;
    size_t count;
    int statuses[MOST_ANSWERS];
    json_t *answers[MOST_ANSWERS];
};

static void
must(struct bench *bench, bool is_good)
{
    if (!is_good)
        fail_msg("%s", bench->ctx.error.message);
}

/* What serve's own route does with a body that it has looked at. */
static void
handle(void *data, struct http_request *request)
{
    struct bench *bench = data;
    const struct serve_kpi_source *source = kpi_desk_source(bench->desk);
    const char *value = http_request_query(request, "value");
    double number = 0;

    if (http_request_method(request) == HTTP_POST && text_to_double(value, &number))
        source->post(
            source->data, request, http_request_query(request, "name"), number, 0, "n'ote");
    else
        source->get(source->data, request);
}

static const struct http_route routes[] = {
    { HTTP_GET | HTTP_POST, "/api/kpi", handle, false },
};

static int
set_up(void **state)
{
    struct arena *arena = arena_new();
    struct bench *bench = ARENA_NEW(arena, struct bench);
    const struct db_options admin = {
        .database = "postgres", .application = "test", .access = ACCESS_WRITE
    };
    const struct db_options options = { .database = DATABASE, .connect_timeout_us = 5000000 };
    struct http_server_options listen = {
        .listen = "127.0.0.1:0", .routes = routes, .route_count = COUNT_OF(routes), .data = bench
    };
    const struct http_client_options client = { .allow_private = true, .timeout_us = 40000000 };

    bench->ctx.arena = arena;
    must(bench, db_open(&bench->ctx, &admin, &bench->admin));
    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE));
    must(bench, db_exec(&bench->ctx, bench->admin, "CREATE DATABASE " DATABASE));
    must(bench, loop_new(&bench->ctx, &bench->loop));
    must(bench, kpi_desk_new(&bench->ctx, bench->loop, &options, &bench->desk));
    must(bench, http_server_start(&bench->ctx, bench->loop, &listen, &bench->server));
    must(bench, http_client_new(&bench->ctx, bench->loop, &client, &bench->client));
    bench->url = arena_printf(arena, "http://%s/api/kpi", http_server_address(bench->server));
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    kpi_desk_free(bench->desk);
    http_client_free(bench->client);
    http_server_stop(bench->server);
    loop_free(bench->loop);
    must(bench,
        db_exec(&bench->ctx, bench->admin, "DROP DATABASE IF EXISTS " DATABASE " WITH (FORCE)"));
    db_close(bench->admin);
    for (size_t i = 0; i < bench->count; i++)
        json_decref(bench->answers[i]);
    arena_free(bench->ctx.arena);
    return 0;
}

static void
answered(void *data, const struct http_result *result)
{
    struct bench *bench = data;

    assert_true(result->is_answered);
    bench->statuses[bench->count] = result->status;
    bench->answers[bench->count] = json_loadb(result->body, result->length, 0, NULL);
    assert_non_null(bench->answers[bench->count]);
    if (++bench->count == bench->wanted)
        loop_stop(bench->loop);
}

static void
ask(struct bench *bench, const char *method, const char *query)
{
    const struct http_call call = {
        .method = method,
        .url = arena_printf(bench->ctx.arena, "%s?%s", bench->url, query),
        .body = text_equal(method, "POST") ? "{}" : NULL,
    };

    must(bench, http_client_call(&bench->ctx, bench->client, &call, answered, bench));
}

static void
wait_for(struct bench *bench, size_t count)
{
    bench->wanted = count;
    if (bench->count < count)
        loop_run(bench->loop);
    assert_int_equal(bench->count, count);
}

static const json_t *
kpi_in(const json_t *answer, const char *name)
{
    size_t i;
    const json_t *kpi;

    json_array_foreach(json_object_get(answer, "kpis"), i,
        kpi) if (text_equal(json_string_value(json_object_get(kpi, "name")), name)) return kpi;
    return NULL;
}

static void
test_ask_and_tell(void **state)
{
    struct bench *bench = *state;
    const char *rows;

    ask(bench, "GET", "");
    wait_for(bench, 1);
    assert_int_equal(bench->statuses[0], 200);
    assert_true(json_is_null(json_object_get(kpi_in(bench->answers[0], "churn"), "now")));
    ask(bench, "POST", "name=churn&value=0.07");
    wait_for(bench, 2);
    assert_int_equal(bench->statuses[1], 200);
    assert_true(
        json_real_value(json_object_get(kpi_in(bench->answers[1], "churn"), "now")) == 0.07);
    ask(bench, "POST", "name=nothing&value=1");
    wait_for(bench, 3);
    assert_int_equal(bench->statuses[2], 400);
    ask(bench, "POST", "name=complaints&value=-5");
    wait_for(bench, 4);
    assert_int_equal(bench->statuses[3], 400);
    /* Asking does not keep a session; the server needs a moment to see that it is closed. */
    for (int i = 0; i < 1000; i++) {
        must(bench,
            db_value(&bench->ctx, bench->admin,
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgmend/kpi%' "
                "AND datname = '" DATABASE "'",
                NULL, 0, &rows));
        if (text_equal(rows, "0"))
            break;
        must(bench, db_exec(&bench->ctx, bench->admin, "SELECT pg_sleep(0.02)"));
    }
    assert_string_equal(rows, "0");
}

/* Many at once are answered one after the other; too many are told so. */
static void
test_many(void **state)
{
    struct bench *bench = *state;
    size_t good = 0;

    for (int i = 0; i < 80; i++)
        ask(bench, "GET", "");
    wait_for(bench, 80);
    for (size_t i = 0; i < 80; i++) {
        good += bench->statuses[i] == 200;
        if (bench->statuses[i] != 200)
            assert_int_equal(bench->statuses[i], 503);
    }
    assert_true(good >= 50);
}

/* A database that is not there is an error for the page, and no more. */
static void
test_away(void **state)
{
    struct bench *bench = *state;

    must(bench, db_exec(&bench->ctx, bench->admin, "DROP DATABASE " DATABASE));
    ask(bench, "GET", "");
    ask(bench, "POST", "name=churn&value=0.07");
    wait_for(bench, 2);
    assert_int_not_equal(bench->statuses[0], 200);
    assert_int_not_equal(bench->statuses[1], 200);
    must(bench, db_exec(&bench->ctx, bench->admin, "CREATE DATABASE " DATABASE));
    ask(bench, "POST", "name=churn&value=0.07");
    wait_for(bench, 3);
    assert_int_equal(bench->statuses[2], 200);
}

/* Those who wait when the monitor ends are told. */
static void
stop(void *data)
{
    struct bench *bench = data;

    loop_stop(bench->loop);
}

static void
test_end(void **state)
{
    struct bench *bench = *state;
    struct loop_timer *timer = loop_timer_new(bench->loop, stop, bench);

    must(bench,
        db_exec(&bench->ctx, bench->admin, "ALTER DATABASE " DATABASE " ALLOW_CONNECTIONS false"));
    ask(bench, "GET", "");
    ask(bench, "GET", "");
    bench->wanted = 2;
    loop_timer_set(timer, 1000);
    loop_run(bench->loop);
    loop_timer_free(timer);
    kpi_desk_free(bench->desk);
    bench->desk = NULL;
    assert_in_range(bench->count, 0, 2);
    must(bench,
        db_exec(&bench->ctx, bench->admin, "ALTER DATABASE " DATABASE " ALLOW_CONNECTIONS true"));
}

#define test_with_bench(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_bench(test_ask_and_tell),
        test_with_bench(test_many),
        test_with_bench(test_away),
        test_with_bench(test_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
