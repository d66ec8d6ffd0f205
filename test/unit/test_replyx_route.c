/* Which endpoint a path and a method belong to, by the list of all endpoints. */
#include "support/test.h"

#include <string.h>

#include "replyx/route.h"

struct expected {
    enum http_method method;
    const char *path;
    const char *endpoint; /* NULL: none */
    int64_t number;
    unsigned methods;
};

static void
check(const struct expected *expected)
{
    struct route_match match;

    route_find(expected->path, expected->method, &match);
    if (!match.endpoint != !expected->endpoint ||
        (match.endpoint && strcmp(match.endpoint->name, expected->endpoint) != 0))
        fail_msg("%s: %s", expected->path, match.endpoint ? match.endpoint->name : "nothing");
    if (match.endpoint)
        assert_int_equal(match.numbers[0], expected->number);
    assert_int_equal(match.methods, expected->methods);
}

static void
every_endpoint_is_found(void **state)
{
    static const struct expected all[] = {
        { HTTP_POST, "/login", "login", 0, HTTP_POST },
        { HTTP_GET, "/assistants", "assistants", 0, HTTP_GET },
        { HTTP_GET, "/dialogs/1/messages", "messages", 1, HTTP_GET },
        { HTTP_GET, "/dialogs/2147483647/messages", "messages", 2147483647, HTTP_GET },
        { HTTP_GET, "/assistants/stats", "stats", 0, HTTP_GET },
        { HTTP_GET, "/assistants/20/dialogs", "assistant_dialogs", 20, HTTP_GET },
        { HTTP_GET, "/assistants/300/documents", "documents", 300, HTTP_GET },
        { HTTP_GET, "/dialogs", "dialogs", 0, HTTP_GET },
        { HTTP_GET, "/bot-instances", "bots", 0, HTTP_GET },
        { HTTP_GET, "/balance", "balance", 0, HTTP_GET },
        { HTTP_POST, "/assistants/9/search", "search", 9, HTTP_POST },
        { HTTP_POST, "/telegram/webhook/10", "webhook", 10, HTTP_POST },
        { HTTP_GET, "/health", "health", 0, HTTP_GET },
        { HTTP_GET, "/health/ready", "health", 0, HTTP_GET },
        { HTTP_GET, "/metrics", "metrics", 0, HTTP_GET },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(all); i++)
        check(&all[i]);
}

static void
what_only_looks_alike_is_not(void **state)
{
    static const struct expected none[] = {
        { HTTP_GET, "", NULL, 0, 0 },
        { HTTP_GET, "/", NULL, 0, 0 },
        { HTTP_GET, "//assistants", NULL, 0, 0 },
        { HTTP_GET, "/assistants/", NULL, 0, 0 },
        { HTTP_GET, "/Assistants", NULL, 0, 0 },
        { HTTP_GET, "/assistants/stats/", NULL, 0, 0 },
        { HTTP_GET, "/assistants//dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/0/dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/01/dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/-1/dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/+1/dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/1.0/dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/1e3/dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/ 1/dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/2147483648/dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/99999999999999999999999999/dialogs", NULL, 0, 0 },
        { HTTP_GET, "/assistants/1/dialogs/", NULL, 0, 0 },
        { HTTP_GET, "/assistants/1/dialogsx", NULL, 0, 0 },
        { HTTP_GET, "/assistants/1", NULL, 0, 0 },
        { HTTP_GET, "/healthy", NULL, 0, 0 },
        { HTTP_GET, "/dialogs/\xd9\xa1/messages", NULL, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(none); i++)
        check(&none[i]);
}

static void
another_method_is_told_which_there_are(void **state)
{
    (void)state;
    check(&(const struct expected){ HTTP_POST, "/assistants", NULL, 0, HTTP_GET });
    check(&(const struct expected){ HTTP_GET, "/login", NULL, 0, HTTP_POST });
    check(&(const struct expected){ HTTP_DELETE, "/dialogs/1/messages", NULL, 0, HTTP_GET });
    check(&(const struct expected){ (enum http_method)0, "/metrics", NULL, 0, HTTP_GET });
}

/* What the rest relies on: flags, metrics and counters tell endpoints and variants apart by name. */
static void
names_are_unique_and_fit(void **state)
{
    (void)state;
    assert_true(endpoint_count <= ENDPOINT_MOST_COUNT);
    for (size_t i = 0; i < endpoint_count; i++) {
        const struct endpoint *endpoint = endpoints[i];

        assert_true(endpoint->variant_count <= ENDPOINT_MOST_VARIANTS);
        assert_true(endpoint->variant_count > 0 || endpoint->handle);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(endpoint->name, endpoints[j]->name);
        for (size_t j = 0; j < endpoint->variant_count; j++) {
            /* One of both, unless the endpoint runs them itself. */
            assert_true(
                endpoint->handle || !endpoint->variants[j].query != !endpoint->variants[j].run);
            for (size_t k = 0; k < j; k++)
                assert_string_not_equal(endpoint->variants[j].name, endpoint->variants[k].name);
        }
        if (endpoint->variant_count > 0)
            assert_string_equal(endpoint->variants[0].name, "naive");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_endpoint_is_found),
        cmocka_unit_test(what_only_looks_alike_is_not),
        cmocka_unit_test(another_method_is_told_which_there_are),
        cmocka_unit_test(names_are_unique_and_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
