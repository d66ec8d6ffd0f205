#include "http/address.h"

#include <arpa/inet.h>

#include "base/text.h"

/* The first bits of an address. */
struct block {
    uint8_t bytes[16];
    int bits;
};

static const struct block blocks_v4[] = {
    { { 0 }, 8 },             /* this network */
    { { 10 }, 8 },            /* private */
    { { 100, 64 }, 10 },      /* shared by providers */
    { { 127 }, 8 },           /* loopback */
    { { 169, 254 }, 16 },     /* link-local, the metadata of clouds */
    { { 172, 16 }, 12 },      /* private */
    { { 192, 0, 0 }, 24 },    /* protocol assignments */
    { { 192, 0, 2 }, 24 },    /* documentation */
    { { 192, 88, 99 }, 24 },  /* 6to4 relays */
    { { 192, 168 }, 16 },     /* private */
    { { 198, 18 }, 15 },      /* benchmarks */
    { { 198, 51, 100 }, 24 }, /* documentation */
    { { 203, 0, 113 }, 24 },  /* documentation */
    { { 224 }, 3 },           /* multicast and reserved */
};

static const struct block blocks_v6[] = {
    { { 0 }, 8 },                       /* unspecified, loopback, IPv4-compatible */
    { { 0x01, 0x00 }, 8 },              /* discard */
    { { 0x20, 0x01, 0x00 }, 23 },       /* protocol assignments, Teredo, ORCHID */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x3f, 0xff, 0x00 }, 20 },       /* documentation */
    { { 0x5f, 0x00 }, 16 },             /* segment routing */
    { { 0xfc }, 7 },                    /* unique local */
    { { 0xfe, 0x80 }, 10 },             /* link-local */
    { { 0xfe, 0xc0 }, 10 },             /* site-local, of old */
    { { 0xff }, 8 },                    /* multicast */
};

/* IPv6 addresses that hold an IPv4 address, and at which byte. */
static const struct {
    struct block block;
    int at;
} embedded[] = {
    { { { [10] = 0xff, [11] = 0xff }, 96 }, 12 }, /* mapped */
    { { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },   /* translated (NAT64) */
    { { { 0x20, 0x02 }, 16 }, 2 },                /* 6to4 */
};

static bool
is_inside(const uint8_t *address, const struct block *block)
{
    int whole = block->bits / 8, rest = block->bits % 8;

    if (memcmp(address, block->bytes, (size_t)whole) != 0)
        return false;
    return rest == 0 || (address[whole] ^ block->bytes[whole]) >> (8 - rest) == 0;
}

static bool
is_in_any(const uint8_t *address, const struct block *blocks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_inside(address, &blocks[i]))
            return true;
    }
    return false;
}

/* The IPv4 address that the IPv6 one stands for, or NULL. */
static const uint8_t *
find_embedded(const uint8_t *address)
{
    for (size_t i = 0; i < COUNT_OF(embedded); i++) {
        if (is_inside(address, &embedded[i].block))
            return address + embedded[i].at;
    }
    return NULL;
}

static const uint8_t *
bytes_of_v4(const struct sockaddr *address)
{
    return (const uint8_t *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
}

static const uint8_t *
bytes_of_v6(const struct sockaddr *address)
{
    return ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr;
}

bool
http_address_is_loopback(const struct sockaddr *address)
{
    static const uint8_t one[16] = { [15] = 1 };
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (address->sa_family == AF_UNIX)
        return true;
    if (address->sa_family == AF_INET)
        return bytes_of_v4(address)[0] == 127;
    if (address->sa_family != AF_INET6)
        return false;

    const uint8_t *bytes = bytes_of_v6(address);

    return memcmp(bytes, one, sizeof(one)) == 0 ||
           (memcmp(bytes, mapped, sizeof(mapped)) == 0 && bytes[12] == 127);
}

bool
http_address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return !is_in_any(bytes_of_v4(address), blocks_v4, COUNT_OF(blocks_v4));
    if (address->sa_family != AF_INET6)
        return false;

    const uint8_t *bytes = bytes_of_v6(address);
    const uint8_t *inside = find_embedded(bytes);

    if (inside)
        return !is_in_any(inside, blocks_v4, COUNT_OF(blocks_v4));
    return !is_in_any(bytes, blocks_v6, COUNT_OF(blocks_v6));
}

const char *
http_address_text(struct arena *arena, const struct sockaddr *address)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    char text[INET6_ADDRSTRLEN];

    if (address->sa_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text)))
        return arena_printf(arena, "%s:%u", text, (unsigned)ntohs(v4->sin_port));
    if (address->sa_family == AF_INET6 && inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text)))
        return arena_printf(arena, "[%s]:%u", text, (unsigned)ntohs(v6->sin6_port));
    return "an address of another family";
}

int
http_address_family(const char *text)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1)
        return AF_INET;
    return inet_pton(AF_INET6, text, bytes) == 1 ? AF_INET6 : 0;
}

static bool
parse_host(const char *host, uint16_t port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (void *)ret;
    struct sockaddr_in6 *v6 = (void *)ret;
    size_t length = strlen(host);

    memset(ret, 0, sizeof(*ret));
    if (length > 2 && length < INET6_ADDRSTRLEN && host[0] == '[' && host[length - 1] == ']') {
        char inside[INET6_ADDRSTRLEN] = "";

        memcpy(inside, host + 1, length - 2);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return inet_pton(AF_INET6, inside, &v6->sin6_addr) == 1;
    }
    if (length == 0) {
        v6->sin6_family = AF_INET6; /* all zero is every address */
        v6->sin6_port = htons(port);
        return true;
    }
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    return inet_pton(AF_INET, text_equal(host, "localhost") ? "127.0.0.1" : host, &v4->sin_addr) ==
           1;
}

bool
http_address_parse(struct ctx *ctx, const char *text, struct sockaddr_storage *ret)
{
    const char *colon = text ? strrchr(text, ':') : NULL;
    int64_t port;

    if (!colon || colon[1] < '0' || colon[1] > '9' || !text_to_int64(colon + 1, &port) ||
        port > UINT16_MAX ||
        !parse_host(arena_strndup(ctx->arena, text, (size_t)(colon - text)), (uint16_t)port, ret)) {
        error_set(ctx, ERR_INPUT, "\"%s\" is not an address to listen on", text ? text : "");
        return error_hint(
            ctx, "write address and port, such as 127.0.0.1:9187, [::1]:9187, or :9187 for all");
    }
    return true;
}
