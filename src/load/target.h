/*
 * Which addresses may be loaded: those of this machine, and those that the user allows by name of the
 * address. Names are refused: what they stand for can change while a run goes on, and belong to others.
 */
#pragma once

#include <sys/socket.h>

#include "base/ctx.h"
#include "base/text.h"

struct load_target {
    const char
        *text; /* "127.0.0.1:8000", "[::1]:80": as errors, results and the Host header have it */
    struct sockaddr_storage address;
    socklen_t length;
    bool is_loopback;
};

/*
 * "127.0.0.1:8000", "[::1]:80", "localhost:8000", with or without "http://" before it. allowed: addresses
 * and networks ("10.0.0.0/8") beside loopback. Everything else is ERR_USAGE with the reason and what to do.
 */
bool load_target_read(struct ctx *ctx, const char *text, const struct text_list *allowed,
    struct load_target *ret) MUST_CHECK;

/* Only reads it: for who does not send anything. */
bool load_target_parse(struct ctx *ctx, const char *text, struct load_target *ret) MUST_CHECK;

/* For the host of a database: local ones, allowed addresses, and a name that is itself in the list. */
bool load_target_check_host(struct ctx *ctx, const char *host, const struct text_list *allowed)
    MUST_CHECK;

/* A socket's folder, an address of loopback, "localhost", or none at all. */
bool load_target_is_local(const char *host);
