#include "db/local.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/text.h"

enum { PATH_BYTES = 4096 };

static bool
is_address_of(const struct sockaddr *address, const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (!address)
        return false;
    if (address->sa_family == AF_INET && inet_pton(AF_INET, host, &four) == 1)
        return ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr == four.s_addr;
    if (address->sa_family == AF_INET6 && inet_pton(AF_INET6, host, &six) == 1)
        return memcmp(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, &six,
                   sizeof(six)) == 0;
    return false;
}

bool
db_local_is_here(const char *host)
{
    char name[256] = { 0 };
    struct ifaddrs *addresses = NULL;
    bool is_found = false;

    if (text_is_empty(host) || *host == '/' || *host == '@' || strcmp(host, "localhost") == 0 ||
        text_starts_with(host, "127.") || strcmp(host, "::1") == 0)
        return true;
    if (gethostname(name, sizeof(name) - 1) == 0 && strcmp(name, host) == 0)
        return true;
    if (getifaddrs(&addresses) != 0)
        return false;
    for (const struct ifaddrs *one = addresses; one && !is_found; one = one->ifa_next)
        is_found = is_address_of(one->ifa_addr, host);
    freeifaddrs(addresses);
    return is_found;
}

/* The title that PostgreSQL gives its processes, "postgres: user database …". */
static bool
is_backend(const char *root, int pid)
{
    char path[64];
    char text[PROC_FILE_BYTES];

    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    return proc_file(root, path, text) && strncmp(text, "postgres: ", 10) == 0;
}

static int
parent_of(const char *root, int pid)
{
    char path[64];
    char text[PROC_FILE_BYTES];

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    return proc_file(root, path, text) ? (int)proc_number(text, "PPid:") : -1;
}

static bool
is_same_folder(const char *root, const char *one, const char *other)
{
    char *left = *root ? NULL : realpath(one, NULL);
    char *right = *root ? NULL : realpath(other, NULL);
    bool is_same = strcmp(left ? left : one, right ? right : other) == 0;

    free(left);
    free(right);
    return is_same;
}

/* The postmaster's working directory is its data directory; only root and its own user may look. */
static bool
works_in(const char *root, int pid, const char *folder)
{
    char path[PATH_BYTES];
    char link[PATH_BYTES];

    if (snprintf(path, sizeof(path), "%s/proc/%d/cwd", root, pid) >= (int)sizeof(path))
        return false;

    ssize_t length = readlink(path, link, sizeof(link) - 1);

    if (length <= 0)
        return false;
    link[length] = '\0';
    return is_same_folder(root, link, folder);
}

/* "postgres -D FOLDER": its arguments are ended by zero bytes, and everybody may read them. */
static bool
was_started_with(const char *root, int pid, const char *folder)
{
    char path[64];
    char text[PROC_FILE_BYTES] = { 0 };

    snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
    if (!proc_file(root, path, text))
        return false;
    for (const char *at = text; at < text + sizeof(text) - 1 && *at; at += strlen(at) + 1) {
        const char *next = at + strlen(at) + 1;

        if (strcmp(at, "-D") == 0 && next < text + sizeof(text) &&
            is_same_folder(root, next, folder))
            return true;
        if (strncmp(at, "-D", 2) == 0 && at[2] && is_same_folder(root, at + 2, folder))
            return true;
    }
    return false;
}

int
db_local_postmaster(
    struct arena *arena, const struct db_local_question *question, const char **ret_why)
{
    const char *root = question->root ? question->root : "";
    int parent;

    if (question->host && !db_local_is_here(question->host)) {
        *ret_why = arena_printf(arena, "the server is on another machine (%s)", question->host);
        return 0;
    }
    if (question->backend_pid <= 0 || !is_backend(root, question->backend_pid)) {
        *ret_why = "our session is no process of this machine: the server runs behind a tunnel,"
                   " a pooler or in a container";
        return 0;
    }
    parent = parent_of(root, question->backend_pid);
    if (parent <= 1 && !(parent == 1 && question->data_directory)) {
        *ret_why = "the process of our session has no postmaster";
        return 0;
    }
    if (!question->data_directory) {
        *ret_why = "the role may not see data_directory, so that the postmaster cannot be known for"
                   " sure: GRANT pg_monitor TO it";
        return 0;
    }
    if (!works_in(root, parent, question->data_directory) &&
        !was_started_with(root, parent, question->data_directory)) {
        *ret_why = "the process with the number of our session belongs to another server";
        return 0;
    }
    return parent;
}
