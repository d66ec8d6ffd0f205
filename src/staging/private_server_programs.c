#include "staging/private_server_programs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "db/db.h"

enum { EXEC_FAILED = 127, ENV_MOST = 8 };

/* Reads "postgres (PostgreSQL) 15.20 (Debian …)"; 0 when the folder does not hold both programs. */
static int
version_in(struct ctx *ctx, const char *folder)
{
    const char *argv[] = { file_join(ctx->arena, folder, "postgres"), "--version", NULL };
    struct process_options options = { .argv = argv, .timeout_us = 10000000 };
    struct process process;
    const char *text;

    if (access(argv[0], X_OK) < 0 || access(file_join(ctx->arena, folder, "initdb"), X_OK) < 0)
        return 0;
    if (!process_run(ctx, &options, &process)) {
        if (ctx->error.kind != ERR_INTERRUPTED && ctx->error.kind != ERR_TERMINATED)
            error_clear(ctx);
        return 0;
    }
    text = strstr(buffer_text(&process.out), "(PostgreSQL) ");
    if (!text)
        return 0;

    char *end;
    long major = strtol(text + strlen("(PostgreSQL) "), &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

    return major > 0 && major < 1000 && minor >= 0 ? (int)(major * 10000 + minor) : 0;
}

/* Where Debian, and PostgreSQL's own packages for Red Hat, keep a major. */
static int
version_of_major(struct ctx *ctx, int major, const char **ret_folder)
{
    const char *places[] = {
        arena_printf(ctx->arena, "/usr/lib/postgresql/%d/bin", major),
        arena_printf(ctx->arena, "/usr/pgsql-%d/bin", major),
    };

    for (size_t i = 0; i < COUNT_OF(places) && ctx->error.kind == ERR_NONE; i++) {
        int version = version_in(ctx, places[i]);

        if (version > 0) {
            *ret_folder = places[i];
            return version;
        }
    }
    return 0;
}

/* The first folder of PATH that has both; Debian has them in none. */
static int
version_in_path(struct ctx *ctx, const char **ret_folder)
{
    const char *path = getenv("PATH");

    while (path && *path && ctx->error.kind == ERR_NONE) {
        size_t length = strcspn(path, ":");
        const char *folder = arena_strndup(ctx->arena, path, length);
        int version = *folder == '/' ? version_in(ctx, folder) : 0;

        if (version > 0) {
            *ret_folder = folder;
            return version;
        }
        path += length + (path[length] == ':');
    }
    return 0;
}

/* The wanted major, else the nearest newer one, else the nearest older one, else what PATH has. */
static int
look_everywhere(struct ctx *ctx, int major, const char **ret_folder)
{
    int first = major > 0 ? major : DB_NEWEST_MAJOR + 1;
    int version = version_in_path(ctx, ret_folder);

    if (version > 0 && version / 10000 == major)
        return version;
    for (int i = first; i <= DB_NEWEST_MAJOR && ctx->error.kind == ERR_NONE; i++) {
        int found = version_of_major(ctx, i, ret_folder);

        if (found > 0)
            return found;
    }
    for (int i = first - 1; i >= DB_OLDEST_MAJOR && ctx->error.kind == ERR_NONE; i--) {
        int found = version_of_major(ctx, i, ret_folder);

        if (found > 0)
            return found;
    }
    return version;
}

bool
server_programs_find(struct ctx *ctx, const char *bin_folder, int major, const char **ret_folder,
    int *ret_version, struct text_list *ret_notes)
{
    int package = major > 0 ? major : DB_NEWEST_MAJOR;

    *ret_folder = bin_folder;
    *ret_version =
        bin_folder ? version_in(ctx, bin_folder) : look_everywhere(ctx, major, ret_folder);
    if (ctx->error.kind != ERR_NONE)
        return false;
    if (*ret_version == 0) {
        error_set(ctx, ERR_UNSUPPORTED, "initdb and postgres were not found%s%s",
            bin_folder ? " in " : "", bin_folder ? bin_folder : "");
        return error_hint(ctx,
            "Install postgresql-%d (the server's programs; none has to run), or name their folder "
            "with --bin-dir.",
            package);
    }
    if (*ret_version / 10000 < DB_OLDEST_MAJOR) {
        error_set(ctx, ERR_UNSUPPORTED, "the server programs in %s are of PostgreSQL %d",
            *ret_folder, *ret_version / 10000);
        return error_hint(ctx, "Install postgresql-%d.", package);
    }
    if (major > 0 && *ret_version / 10000 != major)
        text_list_add(ctx->arena, ret_notes,
            arena_printf(ctx->arena,
                "the scratch server is PostgreSQL %d, the database's is %d, because no other "
                "server programs are installed here: plans may differ",
                *ret_version / 10000, major));
    return true;
}

bool
server_account_find(struct ctx *ctx, struct server_account *ret)
{
    static const char *const names[] = { "postgres", "nobody" };

    *ret = (struct server_account){ .name = "", .user = geteuid(), .group = getegid() };
    if (ret->user != 0)
        return true;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct passwd *entry = getpwnam(names[i]);

        if (!entry || entry->pw_uid == 0)
            continue;
        *ret = (struct server_account){
            .name = names[i], .user = entry->pw_uid, .group = entry->pw_gid, .is_other = true
        };
        return true;
    }
    error_set(ctx, ERR_UNSUPPORTED,
        "a server does not run as root, and there is no user postgres or nobody here");
    return error_hint(ctx, "Run pgmend as another user than root.");
}

/* What a server may know of our environment: nothing that libpq or initdb would take for orders. */
static const char **
child_env(struct arena *arena, const char *folder)
{
    static const char *const kept[] = { "PATH", "LD_LIBRARY_PATH" };
    const char **env = ARENA_ARRAY(arena, const char *, ENV_MOST);
    size_t used = 0;

    for (size_t i = 0; i < COUNT_OF(kept); i++)
        if (getenv(kept[i]))
            env[used++] = arena_printf(arena, "%s=%s", kept[i], getenv(kept[i]));
    env[used++] = "LC_ALL=C";
    env[used++] = "TZ=UTC";
    env[used++] = arena_printf(arena, "HOME=%s", folder);
    return env;
}

/* Between fork and exec: only calls that are safe when other threads held locks. */
static void
become_child(
    const struct server_child *child, char *const *argv, char *const *env, int log, pid_t parent)
{
    sigset_t none;
    int input = open("/dev/null", O_RDONLY);
    const struct server_account *account = child->account;

    sigemptyset(&none);
    if (input < 0 || dup2(input, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0 || chdir(child->folder) < 0 ||
        sigprocmask(SIG_SETMASK, &none, NULL) < 0 || setpgid(0, 0) < 0)
        _exit(EXEC_FAILED);
    if (account->is_other && (setgroups(1, &account->group) < 0 ||
                                 setresgid(account->group, account->group, account->group) < 0 ||
                                 setresuid(account->user, account->user, account->user) < 0))
        _exit(EXEC_FAILED);
    /* After the change of user, which would take it back. Whoever died before is not told of. */
    if (prctl(PR_SET_PDEATHSIG, child->death_signal) < 0 || getppid() != parent)
        _exit(EXEC_FAILED);
    umask(077);
    execve(argv[0], argv, env);
    _exit(EXEC_FAILED);
}

/* execve() takes pointers to texts that it does not change. */
static char **
as_mutable(struct arena *arena, const char *const *texts)
{
    size_t count = 0;

    while (texts[count])
        count++;

    char **copy = ARENA_ARRAY(arena, char *, count + 1);

    for (size_t i = 0; i < count; i++)
        copy[i] = arena_strdup(arena, texts[i]);
    return copy;
}

bool
server_child_start(struct ctx *ctx, const struct server_child *child, pid_t *ret_pid)
{
    char **argv = as_mutable(ctx->arena, child->argv);
    char **env = as_mutable(ctx->arena, child_env(ctx->arena, child->folder));
    pid_t parent = getpid();
    int log = open(child->log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (log < 0)
        return error_set_errno(ctx, "could not make \"%s\"", child->log);
    *ret_pid = fork();
    if (*ret_pid == 0)
        become_child(child, argv, env, log, parent);
    close(log);
    return *ret_pid > 0 || error_set_errno(ctx, "could not start %s", child->argv[0]);
}
