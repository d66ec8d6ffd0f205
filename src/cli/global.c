#include "cli/global.h"

#include <pwd.h>
#include <unistd.h>

#include "base/file.h"

/* clang-format off */
const struct field global_fields[] = {
    FIELD(struct global_options, db_url, .arg = "URL",
        .help = "connection string or postgresql:// URL; without it DATABASE_URL, then PGHOST and "
                "the other variables of libpq"),
    FIELD(struct global_options, config, .arg = "FILE",
        .help = "read this configuration file"),
    FIELD(struct global_options, state_dir, .arg = "DIR",
        .help = "folder of journal, plans and measurements (default: "
                "$XDG_STATE_HOME/pgmend or ~/.local/state/pgmend, for root /var/lib/pgmend)"),
    FIELD(struct global_options, json,
        .help = "write the result as JSON"),
    FIELD(struct global_options, quiet, .letter = 'q',
        .help = "say nothing but results and errors"),
    FIELD(struct global_options, verbose, .letter = 'v',
        .help = "say more about what is being done"),
    FIELD(struct global_options, no_color,
        .help = "do not use colour, as with NO_COLOR"),
    FIELD(struct global_options, yes, .letter = 'y', .momentary = true,
        .help = "answer yes to every question"),
    FIELD(struct global_options, no_input,
        .help = "never ask; fail where an answer is needed"),
    FIELD(struct global_options, help, .letter = 'h',
        .help = "show this help"),
    FIELD(struct global_options, version, .letter = 'V',
        .help = "show the version"),
};
/* clang-format on */

const size_t global_field_count = COUNT_OF(global_fields);

/* The user's home folder, or NULL when there is none. */
static const char *
find_home(struct arena *arena)
{
    const char *home = getenv("HOME");
    const struct passwd *user;

    if (!text_is_empty(home))
        return home;
    /* cppcheck-suppress getpwuidCalled ; there is one thread */
    user = getpwuid(geteuid());
    return user && user->pw_dir ? arena_strdup(arena, user->pw_dir) : NULL;
}

const char *
global_xdg_folder(struct arena *arena, const char *variable, const char *below_home)
{
    const char *folder = getenv(variable);
    const char *home;

    /* The specification asks to ignore relative paths. */
    if (folder && folder[0] == '/')
        return folder;
    home = find_home(arena);
    return home ? file_join(arena, home, below_home) : NULL;
}

const char *
global_state_dir(struct arena *arena)
{
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *folder;

    if (geteuid() == 0 && !(xdg && xdg[0] == '/'))
        return "/var/lib/pgmend";
    folder = global_xdg_folder(arena, "XDG_STATE_HOME", ".local/state");
    return folder ? file_join(arena, folder, "pgmend") : NULL;
}
