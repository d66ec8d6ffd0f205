#include "support/test.h"

#include <arpa/inet.h>

#include "http/address.h"

static void
read_address(const char *text, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (void *)ret;
    struct sockaddr_in6 *v6 = (void *)ret;

    memset(ret, 0, sizeof(*ret));
    ret->ss_family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(ret->ss_family, text,
            ret->ss_family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr) != 1)
        fail_msg("%s is no address", text);
}

static void
check(const char *text, bool is_public)
{
    struct sockaddr_storage address;

    read_address(text, &address);
    if (http_address_is_public((const struct sockaddr *)&address) != is_public)
        fail_msg("%s", text);
}

/* The last addresses before, the first and last in, and the first after each block of RFC 6890. */
static void
special_addresses_are_not_public(void **state)
{
    static const char *const inside[] = { "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255",
        "100.64.0.0", "100.127.255.255", "127.0.0.0", "127.0.0.1", "127.255.255.255", "169.254.0.0",
        "169.254.169.254", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0",
        "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.1", "192.168.0.0", "192.168.255.255",
        "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0",
        "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0", "255.255.255.255",
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.1.2.3", "::ffff:169.254.169.254",
        "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1",
        "2001:0:53aa::1", "2001:20::1", "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::1",
        "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff:ffff::1",
        "fe80::1", "febf::1", "fec0::1", "ff02::1" };
    static const char *const outside[] = { "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255",
        "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0", "203.0.112.255", "203.0.114.0", "223.255.255.255",
        "8.8.8.8", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:200::1",
        "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2606:4700::1111", "2a00:1450::1",
        "3ffe::1" };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(inside); i++)
        check(inside[i], false);
    for (size_t i = 0; i < COUNT_OF(outside); i++)
        check(outside[i], true);
}

static void
loopback_is_told_from_the_rest(void **state)
{
    static const char *const inside[] = { "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1" };
    static const char *const outside[] = { "0.0.0.0", "128.0.0.1", "10.0.0.1", "::", "::2",
        "::ffff:128.0.0.1", "fe80::1" };
    struct sockaddr_storage address;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(inside); i++) {
        read_address(inside[i], &address);
        assert_true(http_address_is_loopback((const struct sockaddr *)&address));
    }
    for (size_t i = 0; i < COUNT_OF(outside); i++) {
        read_address(outside[i], &address);
        assert_false(http_address_is_loopback((const struct sockaddr *)&address));
    }
}

static void
what_is_listened_on_is_read_and_shown(void **state)
{
    struct ctx *ctx = *state;
    static const char *const pairs[][2] = {
        { "127.0.0.1:9187", "127.0.0.1:9187" },
        { "localhost:1", "127.0.0.1:1" },
        { "[::1]:65535", "[::1]:65535" },
        { "[::]:0", "[::]:0" },
        { ":80", "[::]:80" },
        { "0.0.0.0:80", "0.0.0.0:80" },
    };
    struct sockaddr_storage address;

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        assert_true(http_address_parse(ctx, pairs[i][0], &address));
        assert_string_equal(
            http_address_text(ctx->arena, (const struct sockaddr *)&address), pairs[i][1]);
    }
    assert_false(http_address_parse(ctx, "[127.0.0.1]:80", &address));
    assert_error(ctx, ERR_INPUT, "[127.0.0.1]:80");
    assert_false(http_address_parse(ctx, NULL, &address));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_ctx(special_addresses_are_not_public),
        test_with_ctx(loopback_is_told_from_the_rest),
        test_with_ctx(what_is_listened_on_is_read_and_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
