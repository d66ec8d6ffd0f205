/* Which addresses may be loaded. */
#include "support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "load/target.h"

struct row {
    const char *text;
    const char *allowed[3];
    const char *result; /* as it is shown, or NULL: refused */
    const char *words;  /* of the message */
};

static const struct row rows[] = {
    { "127.0.0.1:8000", { NULL }, "127.0.0.1:8000", NULL },
    { "http://127.0.0.1:8000", { NULL }, "127.0.0.1:8000", NULL },
    { "HTTP://127.0.0.1:8000/", { NULL }, "127.0.0.1:8000", NULL },
    { "127.3.2.1:1", { NULL }, "127.3.2.1:1", NULL },
    { "localhost:65535", { NULL }, "127.0.0.1:65535", NULL },
    { "[::1]:80", { NULL }, "[::1]:80", NULL },
    { "http://[0:0:0:0:0:0:0:1]:80", { NULL }, "[::1]:80", NULL },
    { "[::ffff:127.0.0.1]:80", { NULL }, "127.0.0.1:80", NULL },
    { "127.0.0.1:08000", { NULL }, "127.0.0.1:8000", NULL },
    { "10.0.0.5:80", { "10.0.0.5" }, "10.0.0.5:80", NULL },
    { "10.0.0.5:80", { "192.168.0.0/16", "10.0.0.0/8" }, "10.0.0.5:80", NULL },
    { "192.168.127.9:80", { "192.168.126.0/23" }, "192.168.127.9:80", NULL },
    { "[fd00::5]:80", { "fd00::/64" }, "[fd00::5]:80", NULL },
    { "[::ffff:10.0.0.5]:80", { "10.0.0.5" }, "10.0.0.5:80", NULL },
    { "192.168.128.9:80", { "192.168.126.0/23" }, NULL, "192.168.128.9:80 is not this machine" },
    { "10.0.0.5:80", { NULL }, NULL, "10.0.0.5:80 is not this machine" },
    { "10.0.0.5:80", { "10.0.0.6", "11.0.0.0/8" }, NULL, "not allowed" },
    { "[fd00:0:0:1::5]:80", { "fd00::/64" }, NULL, "not allowed" },
    { "[::ffff:10.0.0.5]:80", { NULL }, NULL, "not allowed" },
    { "[::2]:80", { NULL }, NULL, "not allowed" },
    { "128.0.0.1:80", { NULL }, NULL, "not allowed" },
    { "0.0.0.0:80", { NULL }, NULL, "one server" },
    { "[::]:80", { "::/16" }, NULL, "one server" },
    { "255.255.255.255:80", { "255.0.0.0/8" }, NULL, "one server" },
    { "224.0.0.1:80", { NULL }, NULL, "one server" },
    { "example.com:80", { NULL }, NULL, "is a name" },
    { "example.com:80", { "10.0.0.0/8" }, NULL, "is a name" },
    { "127.example.com:80", { NULL }, NULL, "is a name" },
    { "localhost.:80", { NULL }, NULL, "is a name" },
    { "127.1:80", { NULL }, NULL, "is a name" },
    { "2130706433:80", { NULL }, NULL, "is a name" },
    { "0x7f.0.0.1:80", { NULL }, NULL, "is a name" },
    { "https://127.0.0.1:443", { NULL }, NULL, "TLS" },
    { "ftp://127.0.0.1:80", { NULL }, NULL, "only http" },
    { "http://127.0.0.1:80/api", { NULL }, NULL, "more than an address" },
    { "127.0.0.1:80?x", { NULL }, NULL, "more than an address" },
    { "http://u:geheim@127.0.0.1:80", { NULL }, NULL, "user name" },
    { "127.0.0.1", { NULL }, NULL, "port is missing" },
    { "http://127.0.0.1", { NULL }, NULL, "port is missing" },
    { "127.0.0.1:", { NULL }, NULL, "port is missing" },
    { "[::1]", { NULL }, NULL, "port is missing" },
    { "[::1]:", { NULL }, NULL, "port is missing" },
    { "127.0.0.1:0", { NULL }, NULL, "1 to 65535" },
    { "127.0.0.1:65536", { NULL }, NULL, "1 to 65535" },
    { "127.0.0.1:99999999999999999999", { NULL }, NULL, "1 to 65535" },
    { "127.0.0.1:-1", { NULL }, NULL, "1 to 65535" },
    { "127.0.0.1:+80", { NULL }, NULL, "1 to 65535" },
    { "127.0.0.1:80x", { NULL }, NULL, "1 to 65535" },
    { "127.0.0.1:http", { NULL }, NULL, "1 to 65535" },
    { "::1:80", { NULL }, NULL, "not HOST:PORT" },
    { "[::1:80", { NULL }, NULL, "\"]\"" },
    { "[::1]80", { NULL }, NULL, "after \"]\"" },
    { "[fe80::1%eth0]:80", { NULL }, NULL, "zone" },
    { ":80", { NULL }, NULL, "address is missing" },
    { "[]:80", { NULL }, NULL, "address is missing" },
    { "", { NULL }, NULL, "empty" },
    { "127.0.0.1\n:80", { NULL }, NULL, "a character that no address has" },
    { "127.0.0.1:80 ", { NULL }, NULL, "a character that no address has" },
    { "\xd0\xb0:80", { NULL }, NULL, "a character that no address has" },
    { "127.0.0.1:80", { "example.com" }, NULL, "--allow example.com" },
    { "127.0.0.1:80", { "10.0.0.0/33" }, NULL, "8 to 32" },
    { "127.0.0.1:80", { "10.0.0.0/" }, NULL, "8 to 32" },
    { "127.0.0.1:80", { "10.0.0.0/-1" }, NULL, "8 to 32" },
    { "127.0.0.1:80", { "fd00::/129" }, NULL, "16 to 128" },
    { "10.0.0.5:80", { "0.0.0.0/0" }, NULL, "too large" },
    { "[fd00::5]:80", { "::/0" }, NULL, "too large" },
    { "127.0.0.1:80", { "10.0.0.0/8\x1b[2J" }, NULL, "a character that no address has" },
};

static void
targets(void **state)
{
    struct ctx *ctx = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct text_list allowed = { 0 };
        struct load_target target;

        error_clear(ctx);
        for (size_t j = 0; row->allowed[j]; j++)
            text_list_add(ctx->arena, &allowed, row->allowed[j]);
        if (load_target_read(ctx, row->text, &allowed, &target) != !!row->result)
            fail_msg("%s: %s", row->text, row->result ? ctx->error.message : "was accepted");
        if (row->result) {
            assert_string_equal(target.text, row->result);
            continue;
        }
        assert_error(ctx, ERR_USAGE, row->words);
        assert_null(strstr(ctx->error.message, "geheim"));
        for (const char *at = ctx->error.message; *at; at++)
            assert_true((unsigned char)*at >= ' ');
    }
}

static void
addresses(void **state)
{
    struct ctx *ctx = *state;
    struct load_target target;
    const struct sockaddr_in *four = (const struct sockaddr_in *)&target.address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&target.address;

    assert_true(load_target_read(ctx, "localhost:8000", NULL, &target));
    assert_int_equal(four->sin_family, AF_INET);
    assert_int_equal(ntohl(four->sin_addr.s_addr), 0x7f000001);
    assert_int_equal(ntohs(four->sin_port), 8000);
    assert_int_equal(target.length, sizeof(*four));
    assert_true(target.is_loopback);
    assert_true(load_target_read(ctx, "[::1]:80", NULL, &target));
    assert_int_equal(six->sin6_family, AF_INET6);
    assert_true(IN6_IS_ADDR_LOOPBACK(&six->sin6_addr));
    assert_int_equal(ntohs(six->sin6_port), 80);
    assert_true(target.is_loopback);
    /* Who only wants to know which address that is need not be allowed to load it. */
    assert_true(load_target_parse(ctx, "10.0.0.5:80", &target));
    assert_int_equal(ntohl(four->sin_addr.s_addr), 0x0a000005);
    assert_false(target.is_loopback);
    assert_false(load_target_parse(ctx, "example.com:80", &target));
    assert_error(ctx, ERR_USAGE, "is a name");
}

static void
remedies(void **state)
{
    struct ctx *ctx = *state;
    struct load_target target;

    assert_false(load_target_read(ctx, "10.0.0.5:80", NULL, &target));
    assert_non_null(strstr(ctx->error.hint, "--allow"));
    assert_false(load_target_read(ctx, "example.com:80", NULL, &target));
    assert_non_null(strstr(ctx->error.hint, "can change"));
    assert_false(load_target_read(ctx, "https://127.0.0.1:443", NULL, &target));
    assert_non_null(strstr(ctx->error.hint, "plain port"));
    assert_false(load_target_read(ctx, "::1:80", NULL, &target));
    assert_non_null(strstr(ctx->error.hint, "[::1]"));
}

static void
hosts_of_databases(void **state)
{
    static const struct {
        const char *host;
        bool is_local;
        bool is_allowed; /* with 10.0.0.0/8 and db.example.com */
    } hosts[] = {
        { NULL, true, true },
        { "", true, true },
        { "/var/run/postgresql", true, true },
        { "@abstract", true, true },
        { "localhost", true, true },
        { "127.0.0.1", true, true },
        { "127.1.2.3", true, true },
        { "::1", true, true },
        { "10.0.0.5", false, true },
        { "11.0.0.5", false, false },
        { "127.example.com", false, false },
        { "db.example.com", false, true },
        { "db2.example.com", false, false },
        { "0.0.0.0", false, false },
        { "127.0.0.1\n", false, false },
    };
    struct ctx *ctx = *state;
    struct text_list allowed = { 0 };

    text_list_add(ctx->arena, &allowed, "10.0.0.0/8");
    text_list_add(ctx->arena, &allowed, "db.example.com");
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        assert_int_equal(load_target_is_local(hosts[i].host), hosts[i].is_local);
        error_clear(ctx);
        assert_int_equal(load_target_check_host(ctx, hosts[i].host, &allowed), hosts[i].is_allowed);
        assert_int_equal(ctx->error.kind, hosts[i].is_allowed ? ERR_NONE : ERR_USAGE);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(targets),
        test_with_ctx(addresses),
        test_with_ctx(remedies),
        test_with_ctx(hosts_of_databases),
    };

    return cmocka_run_group_tests_name("load_target", tests, NULL, NULL);
}
