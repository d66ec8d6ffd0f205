/* The programs of a server, and the account that they run under. */
#pragma once

#include <sys/types.h>

#include "base/ctx.h"
#include "base/text.h"

/* Looks for initdb and postgres; ERR_UNSUPPORTED when there are none. major: 15, or 0: any. */
bool server_programs_find(struct ctx *ctx, const char *bin_folder, int major,
    const char **ret_folder, int *ret_version, struct text_list *ret_notes) MUST_CHECK;

struct server_account {
    const char *name;
    uid_t user;
    gid_t group;
    bool is_other; /* we are root, which a server refuses to be */
};

/* Ourselves; for root postgres, else nobody. ERR_UNSUPPORTED when there is neither. */
bool server_account_find(struct ctx *ctx, struct server_account *ret) MUST_CHECK;

struct server_child {
    const char *const *argv; /* argv[0] is a path */
    const char *folder;      /* where it works */
    const char *log;         /* takes what it prints */
    const struct server_account *account;
    int death_signal; /* what it gets when the thread that starts it ends, however that comes */
};

bool server_child_start(struct ctx *ctx, const struct server_child *child, pid_t *ret_pid)
    MUST_CHECK;
