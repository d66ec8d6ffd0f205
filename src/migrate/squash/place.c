#include "migrate/squash/place.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"

enum { MOST_NAME = 150 };

/* The process that holds a flock(2) on the folder, from /proc/locks; NULL: not known. */
static const char *
find_holder(struct ctx *ctx, int fd)
{
    const char *text, *line, *start;
    struct stat info;
    size_t length;

    if (fstat(fd, &info) != 0 || !file_read(ctx, "/proc/locks", &text, &length))
        return NULL;

    /* "12: FLOCK  ADVISORY  WRITE 4711 fe:00:131074 0 EOF"; 0 is a process that is not seen here. */
    line = strstr(text, arena_printf(ctx->arena, " %02x:%02x:%llu ", major(info.st_dev),
                            minor(info.st_dev), (unsigned long long)info.st_ino));
    for (start = line; start && start > text && isdigit((unsigned char)start[-1]);)
        start--;
    if (!line || line == start || *start == '0')
        return NULL;
    return arena_strndup(ctx->arena, start, (size_t)(line - start));
}

static bool
refuse_locked(struct ctx *ctx, const struct place_paths *paths, int fd)
{
    struct ctx aside = { .arena = ctx->arena };
    const char *holder = find_holder(&aside, fd);

    error_set(ctx, ERR_LOCKED, "another pgmend works on \"%s\"%s%s", paths->shown,
        holder ? ": process " : "", holder ? holder : "");
    error_hint(ctx, "Wait until it is done.");
    return error_state(ctx, "Nothing was changed by this run.");
}

/* On the folder above: the version folder itself is exchanged, and a file would lie about. */
static bool
take_lock(struct ctx *ctx, const struct place_paths *paths, struct squash_place_lock *ret)
{
    ret->fd = open(paths->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ret->fd < 0)
        return error_set_errno(ctx, "could not open the folder \"%s\"", paths->parent);
    while (flock(ret->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR)
            continue;
        if (errno == EWOULDBLOCK)
            return refuse_locked(ctx, paths, ret->fd);
        error_set_errno(ctx, "could not lock the folder \"%s\"", paths->parent);
        return error_hint(ctx, "Work on a copy on a local disk.");
    }
    return true;
}

bool
squash_place_begin(struct ctx *ctx, const char *folder, bool allow_changes,
    struct squash_place_lock *ret, struct text_list *ret_notes)
{
    struct place_paths paths;

    ret->fd = -1;
    if (place_find_paths(ctx, folder, &paths) && take_lock(ctx, &paths, ret) &&
        place_heal(ctx, &paths, ret_notes) &&
        (allow_changes || place_check_git(ctx, &paths, ret_notes)))
        return true;
    squash_place_end(ret);
    return false;
}

void
squash_place_end(struct squash_place_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}

static bool
refuse_several(struct ctx *ctx, const struct environment *environment, const char *folder)
{
    struct tree tree;

    for (size_t i = 1; i < environment->locations.count; i++) {
        const char *other = environment->locations.items[i];

        if (!place_tree_read(ctx, other, &tree))
            return false;
        for (size_t j = 0; j < tree.count; j++)
            if (place_is_revision(tree.items[j].path, environment->is_recursive)) {
                error_set(ctx, ERR_UNSUPPORTED,
                    "the history lies in several folders, \"%s\" and \"%s\": they cannot be "
                    "exchanged in one step",
                    folder, other);
                return error_hint(ctx, "Write the new revisions elsewhere: --out DIR.");
            }
    }
    return true;
}

/* The archive must not be found by Alembic. */
static bool
refuse_found_archive(
    struct ctx *ctx, const struct environment *environment, const struct place_paths *paths)
{
    for (size_t i = 0; environment->is_recursive && i < environment->locations.count; i++) {
        struct place_paths other;

        if (!place_find_paths(ctx, environment->locations.items[i], &other))
            return false;
        if (!text_starts_with(arena_printf(ctx->arena, "%s/", paths->root),
                arena_printf(ctx->arena, "%s/", other.folder)))
            continue;
        error_set(ctx, ERR_UNSUPPORTED,
            "recursive_version_locations would make Alembic read the archive \"%s\" as revisions "
            "of \"%s\"",
            paths->archive, environment->locations.items[i]);
        return error_hint(ctx, "Write the new revisions elsewhere: --out DIR.");
    }
    return true;
}

/* A relative link in the archive would lead elsewhere. */
static bool
refuse_links(struct ctx *ctx, const struct place_paths *paths, bool is_recursive)
{
    struct tree tree;

    if (!place_tree_read(ctx, paths->folder, &tree))
        return false;
    for (size_t i = 0; i < tree.count; i++)
        if (tree.items[i].is_link && place_is_revision(tree.items[i].path, is_recursive)) {
            error_set(ctx, ERR_UNSUPPORTED,
                "\"%s/%s\" is a link: in the archive it would lead elsewhere", paths->shown,
                tree.items[i].path);
            return error_hint(ctx, "Put the file in its place, or --out DIR.");
        }
    return true;
}

static bool
refuse_folder(struct ctx *ctx, const struct place_paths *paths)
{
    struct stat folder, parent;

    if (stat(paths->folder, &folder) != 0 || stat(paths->parent, &parent) != 0)
        return error_set_errno(ctx, "could not look at \"%s\"", paths->shown);
    if (folder.st_dev != parent.st_dev) {
        error_set(ctx, ERR_UNSUPPORTED,
            "\"%s\" is a volume of its own, which cannot be exchanged for another folder",
            paths->shown);
        return error_hint(ctx, "Write the new revisions elsewhere: --out DIR.");
    }
    if (access(paths->parent, W_OK | X_OK) != 0 || access(paths->folder, W_OK | X_OK) != 0) {
        error_set(ctx, ERR_RIGHTS, "\"%s\" cannot be exchanged: %s", paths->shown, strerror(errno));
        return error_hint(ctx,
            "It and the folder above it must be writable; or write the new revisions elsewhere: "
            "--out DIR.");
    }
    return true;
}

bool
squash_place_check(struct ctx *ctx, const struct environment *environment)
{
    struct place_paths paths;

    if (environment->locations.count == 0)
        return error_set(ctx, ERR_INPUT, "there is no version folder");
    if (place_find_paths(ctx, environment->locations.items[0], &paths) &&
        refuse_several(ctx, environment, paths.shown) &&
        refuse_found_archive(ctx, environment, &paths) && refuse_folder(ctx, &paths) &&
        refuse_links(ctx, &paths, environment->is_recursive))
        return true;
    return error_state(ctx, "Nothing was changed.");
}

/* The head's id as the name of a folder. */
static const char *
archive_name(struct arena *arena, const char *head)
{
    struct buffer name = { .arena = arena };

    for (const char *at = head; *at; at++) {
        unsigned char c = (unsigned char)*at;

        if (c >= 0x80 || isalnum(c) || c == '_' || c == '-' || (c == '.' && at > head))
            buffer_append(&name, at, 1);
        else
            buffer_printf(&name, "%%%02x", c);
    }
    if (name.length <= MOST_NAME)
        return buffer_text(&name);
    return arena_printf(arena, "%.*s", SHA256_HEX_SIZE - 1, sha256_of(arena, head, strlen(head)));
}

static bool
refuse_archived(struct ctx *ctx, const struct place_paths *paths, const char *archive)
{
    const char *path = file_join(ctx->arena, paths->root, archive);

    if (!file_exists(path) && !file_exists(place_manifest_path(ctx->arena, paths, archive)))
        return true;
    error_set(ctx, ERR_CONFLICT, "there is an archive of this head already: \"%s/%s\"",
        paths->archive, archive);
    return error_hint(ctx, "Undo the earlier consolidation first, or move its archive away.");
}

/* What the folder will hold: what is kept, and the new revisions. */
static bool
plan_trees(struct ctx *ctx, const struct place_paths *paths, const struct squash_files *files,
    bool is_recursive, struct place_manifest *manifest)
{
    struct stat info;

    if (stat(paths->folder, &info) != 0 || !place_tree_read(ctx, paths->folder, &manifest->old))
        return error_wrap(ctx, "reading the old revisions");
    manifest->inode = (int64_t)info.st_ino;
    for (size_t i = 0; i < manifest->old.count; i++)
        if (!place_is_revision(manifest->old.items[i].path, is_recursive))
            VEC_PUSH(ctx->arena, &manifest->new, manifest->old.items[i]);
    for (size_t i = 0; i < files->count; i++) {
        const struct squash_file *file = &files->items[i];
        const struct tree_file new = {
            .path = file->name,
            .sha256 = sha256_of(ctx->arena, file->text, strlen(file->text)),
        };

        if (strchr(file->name, '/') || !place_is_revision(file->name, is_recursive))
            return error_set(ctx, ERR_INPUT, "\"%s\" is no name of a revision", file->name);
        VEC_PUSH(ctx->arena, &manifest->new, new);
        text_list_add(ctx->arena, &manifest->generated, file->name);
    }
    place_tree_sort(&manifest->new);
    return true;
}

bool
place_exchange(struct ctx *ctx, const char *a, const char *b)
{
    if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
        return true;

    int why = errno;

    error_set_errno(ctx, "could not exchange \"%s\" and \"%s\"", a, b);
    if (why == EINVAL || why == ENOSYS || why == EOPNOTSUPP)
        error_set(ctx, ERR_UNSUPPORTED,
            "the file system of \"%s\" cannot exchange two folders in one step", b);
    else if (why == EXDEV)
        error_set(ctx, ERR_UNSUPPORTED,
            "\"%s\" cannot be exchanged: it lies in a lower layer of an overlay file system (a "
            "container's image), or on another volume",
            b);
    else if (why == EBUSY)
        error_set(
            ctx, ERR_UNSUPPORTED, "\"%s\" cannot be exchanged: something is mounted on it", b);
    return error_hint(ctx, "Write the new revisions elsewhere and move them yourself: --out DIR.");
}

/* What is to be put in place is what was written, and instead of what was read. */
static bool
check_trees(struct ctx *ctx, const struct place_paths *paths, const struct place_manifest *manifest)
{
    struct text_list changes = { 0 };
    struct tree tree;

    if (!place_tree_read(ctx, paths->folder, &tree))
        return false;
    place_tree_compare(ctx->arena, &manifest->old, &tree, &changes);
    if (!place_tree_read(ctx, paths->fresh, &tree))
        return false;
    place_tree_compare(ctx->arena, &manifest->new, &tree, &changes);
    if (changes.count == 0)
        return true;
    error_set(ctx, ERR_CONFLICT, "somebody works in \"%s\": %s", paths->shown,
        text_list_join(ctx->arena, &changes, ", "));
    return error_hint(ctx, "Start again when nobody does.");
}

/* Everything up to the exchange, which is the last step that can fail without a trace. */
static bool
prepare(struct ctx *ctx, const struct place_paths *paths, const struct squash_files *files,
    bool is_recursive, const struct place_manifest *manifest)
{
    struct stat parent;

    if (!place_manifest_write(ctx, paths->plan, manifest) ||
        !place_build(ctx, paths, files, is_recursive) || !check_trees(ctx, paths, manifest))
        return false;
    if (stat(paths->parent, &parent) != 0)
        return error_set_errno(ctx, "could not look at \"%s\"", paths->parent);
    if (mkdir(paths->root, parent.st_mode & 0777) != 0 && errno != EEXIST)
        return error_set_errno(ctx, "could not create the folder \"%s\"", paths->root);
    if (geteuid() == 0 && chown(paths->root, parent.st_uid, parent.st_gid) != 0)
        return error_set_errno(ctx, "could not give \"%s\" its owner", paths->root);
    return file_sync(ctx, paths->parent) && place_exchange(ctx, paths->fresh, paths->folder);
}

/* The old folder where it was, whether the archive had got it already or not. */
static bool
take_back(struct ctx *ctx, const struct place_paths *paths, const char *archive)
{
    const char *path = file_join(ctx->arena, paths->root, archive);

    if (!file_exists(paths->fresh) && !file_rename(ctx, path, paths->fresh))
        return false;
    return place_exchange(ctx, paths->fresh, paths->folder) && file_sync(ctx, paths->parent);
}

/* Takes back what was begun; the error stays. archive: NULL before the exchange. */
static bool
give_up(struct ctx *ctx, const struct place_paths *paths, const char *archive)
{
    struct ctx aside = { .arena = ctx->arena };

    if (archive && !take_back(&aside, paths, archive)) {
        ctx->error.kind = ERR_ATTENTION;
        error_state(ctx, "The new revisions are in \"%s\", the old ones in \"%s\" or in \"%s\".",
            paths->shown, paths->fresh, paths->archive);
        return error_hint(ctx, "The next run moves the old ones into the archive.");
    }
    if (place_discard(&aside, paths))
        return error_state(ctx, "\"%s\" is as it was.", paths->shown);
    return error_state(ctx,
        "\"%s\" is as it was; \"%s\" beside it is left over, and the next run "
        "removes it.",
        paths->shown, paths->fresh);
}

bool
squash_place(struct ctx *ctx, const struct environment *environment,
    const struct squash_files *files, const char *head, struct squash_place *ret)
{
    const char *archive = archive_name(ctx->arena, head);
    struct place_paths paths;
    struct place_manifest manifest;

    if (!squash_place_check(ctx, environment) ||
        !place_find_paths(ctx, environment->locations.items[0], &paths))
        return false;
    manifest = (struct place_manifest){
        .head = head,
        .folder = paths.name,
        .archive = archive,
        .created = clock_text(ctx->arena, clock_wall_us()),
        .version = PGMEND_VERSION,
    };
    if (!refuse_archived(ctx, &paths, archive) ||
        !plan_trees(ctx, &paths, files, environment->is_recursive, &manifest))
        return error_state(ctx, "Nothing was changed.");
    if (!prepare(ctx, &paths, files, environment->is_recursive, &manifest))
        return give_up(ctx, &paths, NULL);
    if (!file_sync(ctx, paths.parent) || !place_archive(ctx, &paths, archive))
        return give_up(ctx, &paths, archive);
    *ret = (struct squash_place){
        .folder = paths.shown,
        .archive = file_join(ctx->arena, paths.archive, archive),
    };
    return true;
}
