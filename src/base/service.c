#include "base/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

/* A path, or with '@' a name without a file; source: sd_notify(3). Returns the address's length, 0: none. */
static socklen_t
manager_address(struct sockaddr_un *ret)
{
    const char *path = getenv("NOTIFY_SOCKET");
    size_t length = path ? strlen(path) : 0;

    if (length < 2 || length >= sizeof(ret->sun_path) || (path[0] != '/' && path[0] != '@'))
        return 0;
    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(ret->sun_path, path, length);
    if (path[0] == '@')
        ret->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void
service_tell(const char *text)
{
    struct sockaddr_un address;
    socklen_t length = manager_address(&address);
    ssize_t sent = -1;
    int fd;

    if (length == 0)
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        sent =
            sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address, length);
    }
    if (sent < 0)
        log_debug("systemd could not be told: %s", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
}

/* A number of the environment; 0 when it is none. */
static int64_t
number(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    long long value = text ? strtoll(text, &end, 10) : 0;

    return text && *text && !*end && value > 0 ? value : 0;
}

int64_t
service_watchdog_us(void)
{
    int64_t pid = number("WATCHDOG_PID");

    /* A child inherits the variables, and is not meant. */
    if (pid != 0 && pid != getpid())
        return 0;
    return number("WATCHDOG_USEC");
}

bool
service_is_credential(const char *path)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    size_t length = folder ? strlen(folder) : 0;

    while (length > 0 && folder[length - 1] == '/')
        length--;
    /* A file of that folder itself: no "..", and no folder whose name only begins the same. */
    return length > 0 && folder[0] == '/' && strncmp(path, folder, length) == 0 &&
           path[length] == '/' && path[length + 1] && !strchr(path + length + 1, '/');
}
