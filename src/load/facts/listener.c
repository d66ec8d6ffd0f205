/* Which processes hold the socket that listens at an address: /proc/net/tcp names it, /proc/PID/fd its holders. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/local.h"
#include "load/facts/part.h"
#include "load/target.h"

enum { MOST_SOCKETS = 64, LISTENS = 0x0A, WORDS = 4, DIGITS = 8 };

struct sockets {
    uint64_t inodes[MOST_SOCKETS];
    size_t count;
};

struct wanted {
    uint32_t words[WORDS]; /* as /proc/net/tcp6 writes it, an address of version 4 mapped into it */
    unsigned port;
    bool is_four;
};

static void
want(const struct load_target *target, struct wanted *ret)
{
    *ret = (struct wanted){ 0 };
    if (target->address.ss_family == AF_INET) {
        const struct sockaddr_in *four = (const void *)&target->address;

        ret->is_four = true;
        ret->port = ntohs(four->sin_port);
        ret->words[2] = htonl(0xffff);
        ret->words[3] = four->sin_addr.s_addr;
    } else {
        const struct sockaddr_in6 *six = (const void *)&target->address;

        ret->port = ntohs(six->sin6_port);
        memcpy(ret->words, &six->sin6_addr, sizeof(ret->words));
    }
}

static bool
is_any(const uint32_t words[WORDS])
{
    return !words[0] && !words[1] && !words[3] && (!words[2] || words[2] == htonl(0xffff));
}

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 …" */
static bool
read_line(const char *line, bool is_six, uint32_t ret_words[WORDS], unsigned *ret_port,
    uint64_t *ret_inode)
{
    const int first = is_six ? 0 : WORDS - 1;
    char address[WORDS * DIGITS + 1];
    char port[5];
    char state[3];
    char inode[21];

    if (sscanf(line, "%*s %32[0-9A-F]:%4[0-9A-F] %*s %2[0-9A-F] %*s %*s %*s %*s %*s %20[0-9]",
            address, port, state, inode) != 4 ||
        strlen(address) != (size_t)(WORDS - first) * DIGITS || strtoul(state, NULL, 16) != LISTENS)
        return false;
    ret_words[0] = ret_words[1] = 0;
    ret_words[2] = htonl(0xffff);
    /* The last word first: where it began the one before it ends. */
    for (int i = WORDS - 1; i >= first; i--) {
        ret_words[i] = (uint32_t)strtoul(address + (i - first) * DIGITS, NULL, 16);
        address[(i - first) * DIGITS] = '\0';
    }
    *ret_port = (unsigned)strtoul(port, NULL, 16);
    *ret_inode = strtoull(inode, NULL, 10);
    return *ret_inode > 0;
}

/* The kernel prefers who listens at the address itself to who listens at all of them. */
static void
find_sockets(const struct wanted *wanted, const char *path, bool takes_any, struct sockets *sockets)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    uint32_t words[WORDS];
    uint64_t inode;
    unsigned port;
    bool is_six = path[strlen(path) - 1] == '6';

    if (!file)
        return;
    while (sockets->count < MOST_SOCKETS && getline(&line, &room, file) > 0) {
        if (!read_line(line, is_six, words, &port, &inode) || port != wanted->port)
            continue;
        if (takes_any ? is_any(words) && (is_six || wanted->is_four)
                      : memcmp(words, wanted->words, sizeof(words)) == 0)
            sockets->inodes[sockets->count++] = inode;
    }
    free(line);
    fclose(file);
}

static bool
is_one_of(const struct sockets *sockets, const char *link)
{
    uint64_t inode = strncmp(link, "socket:[", 8) == 0 ? strtoull(link + 8, NULL, 10) : 0;

    for (size_t i = 0; inode > 0 && i < sockets->count; i++)
        if (sockets->inodes[i] == inode)
            return true;
    return false;
}

/* *is_closed: we may not look. */
static bool
holds(int pid, const struct sockets *sockets, bool *is_closed)
{
    char path[64];
    char link[64];
    bool is_found = false;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fd", pid);
    folder = opendir(path);
    if (!folder) {
        *is_closed = *is_closed || errno == EACCES || errno == EPERM;
        return false;
    }
    for (const struct dirent *item; !is_found && (item = readdir(folder)) != NULL;) {
        ssize_t length = readlinkat(dirfd(folder), item->d_name, link, sizeof(link) - 1);

        if (length <= 0)
            continue;
        link[length] = '\0';
        is_found = is_one_of(sockets, link);
    }
    closedir(folder);
    return is_found;
}

/* Whoever started us may have opened the socket for others, and is not the one that answers. */
static bool
is_ours(const struct proc_table *table, int pid)
{
    const struct proc_entry *entry = proc_table_find(table, (int)getpid());

    for (int steps = 0; entry && steps < 100; steps++) {
        if (entry->pid == pid)
            return true;
        entry = proc_table_find(table, entry->parent);
    }
    return false;
}

static bool
is_here(const struct load_target *target)
{
    char text[INET6_ADDRSTRLEN];
    const void *address =
        target->address.ss_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)(const void *)&target->address)->sin_addr
            : (const void *)&((const struct sockaddr_in6 *)(const void *)&target->address)
                  ->sin6_addr;

    return target->is_loopback ||
           (inet_ntop(target->address.ss_family, address, text, sizeof(text)) &&
               db_local_is_here(text));
}

static void
find_holders(struct arena *arena, const struct sockets *sockets, struct side *ret)
{
    struct proc_table table;
    VEC(struct proc_entry) roots = { 0 };
    bool is_closed = false;

    proc_table_read(arena, "", &table);
    for (size_t i = 0; i < table.count; i++) {
        if (!is_ours(&table, table.items[i].pid) && holds(table.items[i].pid, sockets, &is_closed))
            VEC_PUSH(arena, &roots, table.items[i]);
    }
    ret->roots = roots.items;
    ret->root_count = roots.count;
    if (roots.count > 0)
        ret->place = SIDE_HERE;
    else if (is_closed)
        ret->why_not = "the process that listens there belongs to another user: run pgmend as that"
                       " user or as root";
    else
        ret->why_not =
            "no process that is seen here listens there: it runs in a container or behind"
            " a proxy of another one";
}

void
side_find_listener(struct arena *arena, const char *target, struct side *ret)
{
    struct ctx ctx = { .arena = arena };
    struct load_target read;
    struct sockets sockets = { 0 };
    struct wanted wanted;

    *ret = (struct side){ .place = SIDE_UNKNOWN };
    if (!load_target_parse(&ctx, target, &read)) {
        ret->why_not = ctx.error.message;
        return;
    }
    if (!is_here(&read)) {
        ret->place = SIDE_ELSEWHERE;
        ret->why_not = "it is on another machine";
        return;
    }
    want(&read, &wanted);
    for (int takes_any = 0; takes_any <= 1 && sockets.count == 0; takes_any++) {
        find_sockets(&wanted, "/proc/net/tcp", takes_any, &sockets);
        find_sockets(&wanted, "/proc/net/tcp6", takes_any, &sockets);
    }
    if (sockets.count == 0) {
        ret->why_not = "nobody listens there";
        return;
    }
    find_holders(arena, &sockets, ret);
}
