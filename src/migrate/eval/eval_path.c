#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "migrate/eval/eval_private.h"

enum {
    FILE_MAX = 1 << 20,
    FOLDERS_UP_MAX = 4, /* from the file to the script folder */
};

/* What Path(…) gives: a text whose path says so. */
static const char path_kind[] = "pathlib.Path()";

bool
eval_is_path(const struct value *value)
{
    return value->kind == VALUE_TEXT && value->path && strcmp(value->path, path_kind) == 0;
}

static struct value
path_new(struct eval *e, const char *text, bool is_object)
{
    struct value value = eval_text_new(e, text, strlen(text));

    if (is_object && value.kind == VALUE_TEXT)
        value.path = path_kind;
    return value;
}

/* "a/b" → "a", "b" → "". */
static const char *
folder_of(struct eval *e, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return "";
    return arena_strndup(e->arena, path, slash == path ? 1 : (size_t)(slash - path));
}

static const char *
name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static const char *
join(struct eval *e, const char *folder, const char *name)
{
    size_t length = strlen(folder);

    if (name[0] == '/' || length == 0)
        return name;
    return arena_printf(e->arena, "%s%s%s", folder, folder[length - 1] == '/' ? "" : "/", name);
}

struct value
eval_path_join(struct eval *e, const struct value *left, const struct value *right)
{
    if (left->kind != VALUE_TEXT || right->kind != VALUE_TEXT)
        return value_unknown("a part of the path is not known");
    return path_new(e, join(e, left->text, right->text), true);
}

struct value
eval_path_attribute(struct eval *e, const struct value *path, const char *name)
{
    const char *last = name_of(path->text);
    const char *dot = strrchr(last, '.');

    /* Of a file named without a folder the parent is not in the text. */
    if (strcmp(name, "parent") == 0 && strchr(path->text, '/'))
        return path_new(e, folder_of(e, path->text), true);
    if (strcmp(name, "parent") == 0)
        return path_new(e, ".", true);
    if (strcmp(name, "parents") == 0) {
        struct value list = eval_list_new(e, VALUE_TUPLE, 0);
        const char *text = path->text;

        for (int i = 0; i < FOLDERS_UP_MAX * 2 && strchr(text, '/'); i++) {
            struct value parent = path_new(e, text = folder_of(e, text), true);

            VEC_PUSH(e->arena, &list.items, parent);
        }
        return list;
    }
    if (strcmp(name, "name") == 0)
        return path_new(e, last, false);
    if (strcmp(name, "stem") == 0)
        return eval_text_new(e, last, dot && dot != last ? (size_t)(dot - last) : strlen(last));
    if (strcmp(name, "suffix") == 0)
        return path_new(e, dot && dot != last ? dot : "", false);
    return value_unknown("an attribute of a path that is not followed");
}

const char *
eval_own_path(struct eval *e)
{
    char *working;
    const char *path;

    if (e->file[0] == '/')
        return e->file;
    working = getcwd(NULL, 0);
    path = arena_strdup(e->keep, working ? join(e, working, e->file) : e->file);
    free(working);
    return path;
}

/* As the user would name it: from the working folder on, if the file itself is named so. */
static const char *
shown_path(struct eval *e, const char *path)
{
    const char *own = eval_own_path(e);
    size_t length = strlen(own) - strlen(e->file);

    return strncmp(path, own, length) == 0 ? path + length : path;
}

/* The folder that holds env.py, else the one of the file itself. */
static const char *
script_folder(struct eval *e)
{
    char *real = realpath(folder_of(e, eval_own_path(e)), NULL);
    const char *folder = arena_strdup(e->arena, real ? real : "");
    const char *found = folder;

    free(real);
    for (int i = 0; i < FOLDERS_UP_MAX && strlen(folder) > 1; i++) {
        if (file_exists(file_join(e->arena, folder, "env.py")))
            return folder;
        folder = folder_of(e, folder);
    }
    return found;
}

/* Only what stands below the script folder, wherever links lead. */
static bool
is_inside(struct eval *e, const char *real)
{
    size_t length;

    if (!e->root)
        e->root = script_folder(e);
    length = strlen(e->root);
    return length > 1 && strncmp(real, e->root, length) == 0 && real[length] == '/';
}

static void
close_file(const int *file)
{
    if (*file >= 0)
        close(*file);
}

static struct value
read_inside(struct eval *e, const char *real, const char *path)
{
    int file CLEANUP(close_file) = open(real, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    size_t length = 0;

    if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
        return value_unknown("the file cannot be read");
    if (status.st_size > FILE_MAX)
        return value_unknown("the file is larger than 1 MB");
    if (!eval_work(e, (size_t)status.st_size / 64))
        return value_unknown("the analysis stopped");

    char *text = arena_alloc(e->keep, (size_t)status.st_size + 1);

    while (length < (size_t)status.st_size) {
        ssize_t got = read(file, text + length, (size_t)status.st_size - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    if (strlen(text) != length || !text_is_utf8(text) || memchr(text, VALUE_HOLE, length))
        return value_unknown("the file is no text in UTF-8");
    return (struct value){
        .kind = VALUE_TEXT, .text = text, .file = arena_strdup(e->keep, shown_path(e, path))
    };
}

static void
note_file(struct eval *e, const struct value *path, const struct py_node *node)
{
    bool is_known = path && path->kind == VALUE_TEXT;

    eval_note(e, NOTE_FILE, node, "%s", is_known ? shown_path(e, path->text) : "");
}

static struct value
read_file(struct eval *e, const struct value *path)
{
    struct value value;
    char *real;

    if (path->kind != VALUE_TEXT)
        return value_unknown("which file is read is not known");
    /* What is relative depends on the folder that the program is started in. */
    if (path->text[0] != '/')
        return value_unknown("the file is relative to the working folder");
    real = realpath(path->text, NULL);
    if (!real)
        return value_unknown("the file is not there");
    value = is_inside(e, real) ? read_inside(e, real, path->text)
                               : value_unknown("the file is outside the script folder");
    free(real);
    return value;
}

/* Lines with their ends, as readlines() and iterating give them. */
static struct value
lines_of(struct eval *e, const struct value *text)
{
    struct value list;

    if (text->kind != VALUE_TEXT)
        return *text;
    list = eval_list_new(e, VALUE_LIST, 0);
    for (const char *line = text->text; *line && eval_work(e, 1);) {
        size_t length = strcspn(line, "\n");
        struct value item;

        length += line[length] == '\n';
        item = eval_text_new(e, line, length);
        eval_list_push(e, &list, &item);
        line += length;
    }
    return list;
}

bool
eval_path_method(struct eval *e, const struct value *path, const char *name,
    const struct call *call, struct value *ret)
{
    static const char *const same[] = { "resolve", "absolute", "expanduser", "as_posix",
        "__str__" };

    for (size_t i = 0; i < COUNT_OF(same); i++)
        if (strcmp(same[i], name) == 0) {
            *ret = path_new(e, path->text, i < 3);
            return true;
        }
    if (strcmp(name, "joinpath") == 0) {
        *ret = *path;
        for (size_t i = 0; i < call->arguments.count; i++)
            *ret = eval_path_join(e, ret, &call->arguments.items[i]);
        return true;
    }
    if (strcmp(name, "with_name") == 0 && call->arguments.count == 1) {
        struct value folder = path_new(e, folder_of(e, path->text), true);

        *ret = eval_path_join(e, &folder, &call->arguments.items[0]);
        return true;
    }
    if (strcmp(name, "with_suffix") == 0 && call->arguments.count == 1 &&
        call->arguments.items[0].kind == VALUE_TEXT) {
        const char *dot = strrchr(name_of(path->text), '.');
        size_t length = dot ? (size_t)(dot - path->text) : strlen(path->text);

        *ret = path_new(e,
            arena_printf(
                e->arena, "%.*s%s", (int)length, path->text, call->arguments.items[0].text),
            true);
        return true;
    }
    if (strcmp(name, "read_text") == 0 || strcmp(name, "read_bytes") == 0) {
        note_file(e, path, path->node);
        *ret = read_file(e, path);
        return true;
    }
    if (strcmp(name, "open") == 0) {
        struct call *opened = ARENA_NEW(e->arena, struct call);

        opened->path = "builtins.open";
        VEC_PUSH(e->arena, &opened->arguments, *path);
        for (size_t i = 0; i < call->arguments.count; i++)
            VEC_PUSH(e->arena, &opened->arguments, call->arguments.items[i]);
        note_file(e, path, path->node);
        *ret = (struct value){ .kind = VALUE_CALL, .path = "builtins.open()", .call = opened };
        return true;
    }
    return false;
}

/* open(path).read(): the handle keeps what was asked for. */
static bool
handle_method(struct eval *e, const struct call *call, struct value *ret)
{
    const struct call *opened = call->self;
    const struct value *path = opened ? call_argument(opened, 0, "file") : NULL;
    const struct value *mode = opened ? call_argument(opened, 1, "mode") : NULL;
    const char *name = strrchr(call->path, '.') + 1;

    if (!path || (mode && (mode->kind != VALUE_TEXT || mode->text[0] != 'r')))
        return false;
    if (strcmp(name, "read") == 0 && call->arguments.count == 0) {
        *ret = read_file(e, path);
        return true;
    }
    if (strcmp(name, "readlines") == 0) {
        struct value text = read_file(e, path);

        *ret = lines_of(e, &text);
        return true;
    }
    return false;
}

static struct value
join_all(struct eval *e, const struct call *call, bool is_object)
{
    const char *text = "";

    for (size_t i = 0; i < call->arguments.count; i++) {
        if (call->arguments.items[i].kind != VALUE_TEXT)
            return value_unknown("a part of the path is not known");
        text = join(e, text, call->arguments.items[i].text);
    }
    return path_new(e, text, is_object);
}

/* os.path.dirname() of a name without a folder is empty, which joins well. */
static bool
os_path_call(struct eval *e, const struct call *call, struct value *ret)
{
    static const char *const same[] = { "abspath", "realpath", "normpath", "expanduser" };
    const char *name = call->path + strlen("os.path.");
    const struct value *path = call_argument(call, 0, NULL);

    if (strcmp(name, "join") == 0 && !call->has_unknown_arguments) {
        *ret = join_all(e, call, false);
        return true;
    }
    if (!path || path->kind != VALUE_TEXT)
        return false;
    for (size_t i = 0; i < COUNT_OF(same); i++)
        if (strcmp(same[i], name) == 0) {
            *ret = *path;
            return true;
        }
    if (strcmp(name, "dirname") == 0)
        *ret = path_new(e, strchr(path->text, '/') ? folder_of(e, path->text) : ".", false);
    else if (strcmp(name, "basename") == 0)
        *ret = path_new(e, name_of(path->text), false);
    else
        return false;
    return true;
}

bool
eval_path_call(
    struct eval *e, const struct call *call, const struct py_node *node, struct value *ret)
{
    if (text_starts_with(call->path, "os.path."))
        return os_path_call(e, call, ret);
    if (strcmp(call->path, "pathlib.Path") == 0 || strcmp(call->path, "pathlib.PurePath") == 0) {
        *ret = call->has_unknown_arguments ? value_unknown("a part of the path is not known")
                                           : join_all(e, call, true);
        return true;
    }
    if (text_starts_with(call->path, "builtins.open()."))
        return handle_method(e, call, ret);
    if (strcmp(call->path, "builtins.open") == 0 || strcmp(call->path, "io.open") == 0)
        note_file(e, call_argument(call, 0, "file"), node);
    return false;
}
