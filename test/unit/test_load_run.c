/* Which servers may be put under load without being asked for by name. */
#include "support/test.h"

#include "load/run.h"

static void
only_sockets_and_loopback_are_local(void **state)
{
    static const struct {
        const char *host;
        bool is_local;
    } cases[] = {
        { NULL, true },
        { "", true },
        { "/var/run/postgresql", true },
        { "@abstract", true },
        { "localhost", true },
        { "127.0.0.1", true },
        { "127.1.2.3", true },
        { "::1", true },
        { "127.example.com", false },
        { "localhost.example.com", false },
        { "db", false },
        { "10.0.0.5", false },
        { "::2", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(load_host_is_local(cases[i].host), cases[i].is_local);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(only_sockets_and_loopback_are_local),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
