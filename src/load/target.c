/* Reads targets and the list of what may be loaded beside this machine. */
#include "load/target.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <strings.h>

enum {
    MOST_TEXT = 255,
    MOST_BITS_4 = 32,
    MOST_BITS_6 = 128,
    LEAST_BITS_4 = 8, /* larger networks are not somebody's own */
    LEAST_BITS_6 = 16,
};

struct address {
    int family;
    uint8_t bytes[sizeof(struct in6_addr)];
    int bits;
};

static const char allow_hint[] =
    "Load is sent to this machine only (127.0.0.1, ::1). Use --allow ADDRESS or --allow NETWORK "
    "(10.0.0.0/8) for what is yours and may be slowed down.";

static bool
read_address(const char *text, struct address *ret)
{
    struct in6_addr six;

    if (inet_pton(AF_INET, text, ret->bytes) == 1) {
        ret->family = AF_INET;
        ret->bits = MOST_BITS_4;
        return true;
    }
    if (inet_pton(AF_INET6, text, &six) != 1)
        return false;
    /* ::ffff:10.0.0.1 goes to 10.0.0.1, and is judged as that. */
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        ret->family = AF_INET;
        ret->bits = MOST_BITS_4;
        memcpy(ret->bytes, six.s6_addr + 12, sizeof(struct in_addr));
        return true;
    }
    ret->family = AF_INET6;
    ret->bits = MOST_BITS_6;
    memcpy(ret->bytes, six.s6_addr, sizeof(six.s6_addr));
    return true;
}

static bool
is_loopback(const struct address *address)
{
    struct in6_addr six;

    if (address->family == AF_INET)
        return address->bytes[0] == 127;
    memcpy(&six, address->bytes, sizeof(six));
    return IN6_IS_ADDR_LOOPBACK(&six);
}

/* 0.0.0.0, multicast, broadcast: there is no one server behind them. */
static bool
is_nowhere(const struct address *address)
{
    struct in6_addr six;

    if (address->family == AF_INET)
        return address->bytes[0] == 0 || address->bytes[0] >= 224;
    memcpy(&six, address->bytes, sizeof(six));
    return IN6_IS_ADDR_UNSPECIFIED(&six) || IN6_IS_ADDR_MULTICAST(&six);
}

/* Whether text can be shown in a message: it comes from a file or from another program. */
static bool
is_plain(const char *text)
{
    size_t length = strlen(text);

    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return length <= MOST_TEXT;
}

static bool
read_network(struct ctx *ctx, const char *text, struct address *ret)
{
    const char *slash = strchr(text, '/');
    const char *host =
        slash ? arena_strndup(ctx->arena, text, (size_t)(slash - text)) : (const char *)text;
    int64_t bits;

    if (!is_plain(text))
        return error_set(ctx, ERR_USAGE, "--allow has a character that no address has");
    if (!read_address(host, ret)) {
        error_set(ctx, ERR_USAGE, "--allow %s: this is no address", text);
        return error_hint(ctx, "Write an address (10.0.0.5, fd00::5) or a network (10.0.0.0/8). "
                               "Names are not allowed: what they stand for can change.");
    }
    if (!slash)
        return true;
    if (strspn(slash + 1, "0123456789") != strlen(slash + 1) || !text_to_int64(slash + 1, &bits) ||
        bits > ret->bits)
        return error_set(ctx, ERR_USAGE, "--allow %s: the bits of the network must be %d to %d",
            text, ret->family == AF_INET ? LEAST_BITS_4 : LEAST_BITS_6, ret->bits);
    if (bits < (ret->family == AF_INET ? LEAST_BITS_4 : LEAST_BITS_6)) {
        error_set(ctx, ERR_USAGE, "--allow %s: the network is too large", text);
        return error_hint(ctx, "At most a /%d can be allowed: larger ones are not yours alone.",
            ret->family == AF_INET ? LEAST_BITS_4 : LEAST_BITS_6);
    }
    ret->bits = (int)bits;
    return true;
}

static bool
is_within(const struct address *address, const struct address *network)
{
    if (address->family != network->family)
        return false;
    for (int bit = 0; bit < network->bits; bit++) {
        int mask = 0x80 >> (bit % 8);

        if ((address->bytes[bit / 8] ^ network->bytes[bit / 8]) & mask)
            return false;
    }
    return true;
}

/* The whole list is read even for loopback: a typing error in it is told at once. */
static bool
check_allowed(struct ctx *ctx, const char *host, const struct address *address,
    const struct text_list *allowed)
{
    bool is_allowed = is_loopback(address);

    for (size_t i = 0; allowed && i < allowed->count; i++) {
        struct address network;

        if (!read_network(ctx, allowed->items[i], &network))
            return false;
        is_allowed = is_allowed || is_within(address, &network);
    }
    if (is_nowhere(address)) {
        error_set(ctx, ERR_USAGE, "%s is not the address of one server", host);
        return error_hint(ctx, "For a server that listens on all addresses use 127.0.0.1.");
    }
    if (is_allowed)
        return true;
    error_set(ctx, ERR_USAGE, "%s is not this machine and is not allowed", host);
    return error_hint(ctx, "%s", allow_hint);
}

static bool
parse_host(struct ctx *ctx, const char *host, struct address *ret)
{
    if (text_equal(host, "localhost"))
        host = "127.0.0.1";
    if (strchr(host, '%')) {
        error_set(ctx, ERR_USAGE, "%s: addresses with a zone cannot be loaded", host);
        return error_hint(ctx, "Use an address that needs no zone (not fe80::…).");
    }
    if (!read_address(host, ret)) {
        error_set(ctx, ERR_USAGE, "%s is a name, not an address", host);
        return error_hint(ctx,
            "What a name stands for can change while the run goes on, and belong to others: write "
            "the address itself (127.0.0.1, 10.0.0.5; getent hosts tells it). Only \"localhost\" "
            "is known as a name.");
    }
    return true;
}

/* Host and port of "HOST:PORT" or "[HOST]:PORT". */
static bool
split(struct ctx *ctx, const char *text, const char **ret_host, const char **ret_port)
{
    const char *colon = strrchr(text, ':');
    const char *closing = strchr(text, ']');

    if (*text == '[') {
        if (!closing)
            return error_set(ctx, ERR_USAGE, "target %s: \"]\" is missing", text);
        *ret_host = arena_strndup(ctx->arena, text + 1, (size_t)(closing - text - 1));
        *ret_port = closing[1] == ':' ? closing + 2 : closing + 1;
        if (closing[1] != ':' && closing[1] != '\0')
            return error_set(ctx, ERR_USAGE, "target %s: after \"]\" comes \":PORT\"", text);
    } else if (colon && strchr(text, ':') != colon) {
        error_set(ctx, ERR_USAGE, "target %s: not HOST:PORT", text);
        return error_hint(ctx, "An IPv6 address stands in brackets: [::1]:8000.");
    } else {
        *ret_host = colon ? arena_strndup(ctx->arena, text, (size_t)(colon - text)) : text;
        *ret_port = colon ? colon + 1 : "";
    }
    if (text_is_empty(*ret_host))
        return error_set(ctx, ERR_USAGE, "target %s: the address is missing", text);
    if (!text_is_empty(*ret_port))
        return true;
    error_set(ctx, ERR_USAGE, "target %s: the port is missing", text);
    return error_hint(ctx, "Write it behind a colon: 127.0.0.1:8000.");
}

/* What stands around the address in a URL. The message must not repeat a password. */
static bool
strip(struct ctx *ctx, const char *text, const char **ret)
{
    const char *rest = text;
    const char *slash;

    if (text_is_empty(text))
        return error_set(ctx, ERR_USAGE, "the target is empty");
    if (!is_plain(text))
        return error_set(
            ctx, ERR_USAGE, "the target has a character that no address has, or is too long");
    if (strchr(text, '@')) {
        error_set(ctx, ERR_USAGE, "the target has a user name in it");
        return error_hint(ctx, "Write HOST:PORT alone; what signs a user in is a header or a step "
                               "of the scenario.");
    }
    if (strncasecmp(text, "https://", strlen("https://")) == 0) {
        error_set(ctx, ERR_USAGE, "target %s: TLS is not spoken", text);
        return error_hint(ctx, "Load the plain port behind what ends TLS (http://127.0.0.1:8000): "
                               "that is the server that is measured.");
    }
    if (strncasecmp(text, "http://", strlen("http://")) == 0)
        rest += strlen("http://");
    else if (strstr(text, "://"))
        return error_set(ctx, ERR_USAGE, "target %s: only http:// is spoken", text);
    slash = strpbrk(rest, "/?#");
    if (slash && !text_equal(slash, "/")) {
        error_set(ctx, ERR_USAGE, "target %s: there is more than an address", text);
        return error_hint(ctx, "Paths belong to the steps of the scenario.");
    }
    *ret = slash ? arena_strndup(ctx->arena, rest, (size_t)(slash - rest)) : rest;
    return true;
}

static void
set_address(const struct address *address, uint16_t port, struct load_target *ret)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    memcpy(&four.sin_addr, address->bytes, sizeof(four.sin_addr));
    memcpy(&six.sin6_addr, address->bytes, sizeof(six.sin6_addr));
    if (address->family == AF_INET)
        memcpy(&ret->address, &four, sizeof(four));
    else
        memcpy(&ret->address, &six, sizeof(six));
    ret->length = address->family == AF_INET ? sizeof(four) : sizeof(six);
}

static bool
parse(struct ctx *ctx, const char *text, struct address *ret_address, struct load_target *ret)
{
    char name[INET6_ADDRSTRLEN];
    const char *plain, *host, *digits;
    int64_t port;

    *ret = (struct load_target){ .text = "" };
    if (!strip(ctx, text, &plain) || !split(ctx, plain, &host, &digits))
        return false;
    if (strspn(digits, "0123456789") != strlen(digits) || !text_to_int64(digits, &port) ||
        port < 1 || port > UINT16_MAX)
        return error_set(ctx, ERR_USAGE, "target %s: the port must be 1 to %d", plain, UINT16_MAX);
    if (!parse_host(ctx, host, ret_address))
        return false;
    if (!inet_ntop(ret_address->family, ret_address->bytes, name, sizeof(name)))
        return error_set_errno(ctx, "target %s", plain);
    ret->text = arena_printf(
        ctx->arena, ret_address->family == AF_INET ? "%s:%" PRId64 : "[%s]:%" PRId64, name, port);
    ret->is_loopback = is_loopback(ret_address);
    set_address(ret_address, (uint16_t)port, ret);
    return true;
}

bool
load_target_parse(struct ctx *ctx, const char *text, struct load_target *ret)
{
    struct address address = { .family = AF_UNSPEC };

    return parse(ctx, text, &address, ret);
}

bool
load_target_read(
    struct ctx *ctx, const char *text, const struct text_list *allowed, struct load_target *ret)
{
    struct address address = { .family = AF_UNSPEC };

    return parse(ctx, text, &address, ret) && check_allowed(ctx, ret->text, &address, allowed);
}

bool
load_target_is_local(const char *host)
{
    struct address address;

    if (text_is_empty(host) || host[0] == '/' || host[0] == '@' || text_equal(host, "localhost"))
        return true;
    return read_address(host, &address) && is_loopback(&address);
}

/*
 * A session's certificate is of a name, so a name can be allowed: this one and no other. Networks of the
 * list are for addresses.
 */
static bool
check_name(struct ctx *ctx, const char *host, const struct text_list *allowed)
{
    if (allowed && text_list_has(allowed, host))
        return true;
    error_set(
        ctx, ERR_USAGE, "the database's host %s is not this machine and is not allowed", host);
    return error_hint(ctx, "Use --allow %s if the server is yours and may be slowed down.", host);
}

bool
load_target_check_host(struct ctx *ctx, const char *host, const struct text_list *allowed)
{
    struct text_list networks = { 0 };
    struct address address, network;

    if (load_target_is_local(host))
        return true;
    if (!is_plain(host))
        return error_set(ctx, ERR_USAGE, "the database's host has a character that no host has");
    if (!read_address(host, &address))
        return check_name(ctx, host, allowed);
    for (size_t i = 0; allowed && i < allowed->count; i++) {
        if (strchr(allowed->items[i], '/') || read_address(allowed->items[i], &network))
            text_list_add(ctx->arena, &networks, allowed->items[i]);
    }
    return check_allowed(ctx, host, &address, &networks);
}
