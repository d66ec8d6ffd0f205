#include <fcntl.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "http/address.h"
#include "http/server.h"
#include "replyx/process/parent_part.h"

const char *
listener_address(struct arena *arena, int socket)
{
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);

    if (getsockname(socket, (struct sockaddr *)&address, &size) < 0)
        return "an unknown address";
    return http_address_text(arena, (const struct sockaddr *)&address);
}

/* The socket of systemd, or of the program that we take over from: the protocol is the same. */
static bool
take_socket(struct ctx *ctx, int *ret_socket)
{
    int count = sd_listen_fds(true);

    *ret_socket = -1;
    if (count < 0)
        return error_set(ctx, ERR_CONFIG, "LISTEN_FDS cannot be understood: %s", strerror(-count));
    if (count == 0)
        return true;
    if (count > 1) {
        error_set(ctx, ERR_CONFIG, "%d sockets were handed over, but one is listened on", count);
        return error_hint(
            ctx, "Have one ListenStream= in the socket unit; [::]:8000 is for IPv4 too.");
    }
    if (sd_is_socket(SD_LISTEN_FDS_START, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
        return error_set(ctx, ERR_CONFIG, "what was handed over is no socket that listens");
    *ret_socket = SD_LISTEN_FDS_START;
    return true;
}

/* A socket from outside may listen elsewhere than the settings, which were checked, say. */
static bool
check_trust(struct ctx *ctx, const struct settings *settings, int socket)
{
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof(address);

    if (!settings->trust_user_header)
        return true;
    if (getsockname(socket, (struct sockaddr *)&address, &size) == 0 &&
        http_address_is_loopback((const struct sockaddr *)&address))
        return true;
    return error_set(ctx, ERR_USAGE,
        "--trust-user-header lets everybody be anybody, so it is for loopback only, not for \"%s\"",
        listener_address(ctx->arena, socket));
}

bool
listener_open(struct ctx *ctx, const struct settings *settings, int *ret_socket)
{
    if (!take_socket(ctx, ret_socket) ||
        (*ret_socket < 0 && !http_server_listen(ctx, settings->listen, false, ret_socket)) ||
        !check_trust(ctx, settings, *ret_socket))
        return false;
    /* Workers share it, and one of them always comes too late. */
    if (fcntl(*ret_socket, F_SETFL, O_NONBLOCK) < 0 || fcntl(*ret_socket, F_SETFD, FD_CLOEXEC) < 0)
        return error_set_errno(ctx, "could not prepare the listening socket");
    return true;
}
