/* Addresses: which may be listened on, which may be asked. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/ctx.h"

bool http_address_is_loopback(const struct sockaddr *address);

/*
 * Whether it is an address of the public internet: not loopback, private, link-local, shared, for
 * documentation, multicast or reserved, nor an IPv6 address with such an IPv4 address inside. Source:
 * the special-purpose address registries of RFC 6890.
 */
bool http_address_is_public(const struct sockaddr *address);

/* "127.0.0.1:9187", "[::1]:9187". */
const char *http_address_text(struct arena *arena, const struct sockaddr *address);

/* "127.0.0.1:9187", "localhost:0", "[::1]:0", ":9187" (all addresses, IPv6 and IPv4). */
bool http_address_parse(struct ctx *ctx, const char *text, struct sockaddr_storage *ret) MUST_CHECK;

/* AF_INET or AF_INET6 for "1.2.3.4" or "::1" in the plain notation, 0 for a name. */
int http_address_family(const char *text);
