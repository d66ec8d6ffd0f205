#include "change/lock.h"

#include <ctype.h>
#include <unistd.h>

#include "base/file.h"
#include "sql.h"

/* The kernel's start time of a process: with it a reused pid is seen. NULL: no such process. */
static const char *
start_time(struct arena *arena, int64_t pid)
{
    struct ctx scratch = { .arena = arena };
    const char *text;
    size_t length;

    if (!file_read(
            &scratch, arena_printf(arena, "/proc/%lld/stat", (long long)pid), &text, &length))
        return NULL;

    /* The second field, the program's name in parentheses, can hold blanks. */
    const char *at = strrchr(text, ')');

    for (int field = 2; at && field < 22; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at ? arena_strndup(arena, at, strcspn(at, " ")) : NULL;
}

const char *
client_host(struct arena *arena)
{
    char name[65] = "";

    if (gethostname(name, sizeof(name) - 1) != 0)
        return "unknown";
    return arena_strdup(arena, name);
}

const char *
client_process(struct arena *arena)
{
    const char *start = start_time(arena, getpid());

    return arena_printf(arena, "%d.%s", (int)getpid(), start ? start : "0");
}

/* "pgmend/index apply 4711.9385@host": whether that process was here and is gone. */
static bool
is_orphan(struct arena *arena, const char *application)
{
    const char *at = strrchr(application, '@');
    const char *blank = strrchr(application, ' ');
    int64_t pid;

    if (!at || !blank || blank > at || !text_starts_with(client_host(arena), at + 1))
        return false;

    const char *dot = strchr(blank, '.');

    if (!dot || dot > at ||
        !text_to_int64(arena_strndup(arena, blank + 1, (size_t)(dot - blank - 1)), &pid))
        return false;

    const char *now = start_time(arena, pid);
    const char *then = arena_strndup(arena, dot + 1, (size_t)(at - dot - 1));

    return !now || !text_equal(now, then);
}

bool
run_lock_holder(struct ctx *ctx, struct db *db, struct lock_holder *ret)
{
    struct sql_change_lock_holder_rows rows;

    if (!sql_change_lock_holder(ctx, db, &rows))
        return error_wrap(ctx, "looking who holds the run lock");
    *ret = (struct lock_holder){ .is_held = rows.count > 0 };
    if (rows.count == 0)
        return true;
    ret->pid = rows.items[0].pid;
    ret->application = rows.items[0].application;
    ret->address = rows.items[0].address;
    ret->since = rows.items[0].since;
    ret->query = rows.items[0].query;
    ret->is_orphan = is_orphan(ctx->arena, ret->application);
    return true;
}

bool
run_lock_refuse(struct ctx *ctx, const struct lock_holder *holder)
{
    if (!holder->is_held) {
        error_set(ctx, ERR_LOCKED, "another pgmend run held the lock a moment ago");
        error_hint(ctx, "Try again.");
    } else {
        error_set(ctx, ERR_LOCKED,
            "another pgmend run holds the lock: %s, server process %d, from %s, since %s",
            *holder->application ? holder->application : "unnamed", (int)holder->pid,
            holder->address, holder->since);
        error_hint(ctx, "Wait until it is done; \"pgmend status\" shows how far it is.");
    }
    return error_state(ctx, "Nothing was changed by this run.");
}

bool
run_lock_try(struct ctx *ctx, struct db *db, const char *what, bool *ret_taken)
{
    struct sql_change_try_lock_rows rows;
    const char *name = arena_printf(
        ctx->arena, "pgmend/%s %s@%s", what, client_process(ctx->arena), client_host(ctx->arena));

    /* The server keeps 63 bytes of it. */
    if (!db_set(ctx, db, "application_name", arena_strndup(ctx->arena, name, strnlen(name, 63))))
        return error_wrap(ctx, "taking the run lock");
    if (!sql_change_try_lock(ctx, db, &rows))
        return error_wrap(ctx, "taking the run lock");
    *ret_taken = rows.count == 1 && rows.items[0].taken;
    return true;
}

bool
run_lock_take(struct ctx *ctx, struct db *db, const char *what)
{
    struct lock_holder holder;
    bool is_taken;

    if (!run_lock_try(ctx, db, what, &is_taken))
        return false;
    if (is_taken)
        return true;
    if (!run_lock_holder(ctx, db, &holder))
        return false;
    return run_lock_refuse(ctx, &holder);
}
