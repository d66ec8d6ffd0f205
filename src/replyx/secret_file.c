#include "replyx/secret_file.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/service.h"

enum { MOST_SECRET = 4096 };

/* A secret that others may read is none. */
static bool
check_mode(struct ctx *ctx, const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return error_set_errno(ctx, "could not look at \"%s\"", path);
    if (!(status.st_mode & (S_IRWXG | S_IRWXO)) || service_is_credential(path))
        return true;
    error_set(ctx, ERR_CONFIG, "others than its owner may use \"%s\"", path);
    return error_hint(
        ctx, "chmod 600 \"%s\"; make a new secret if somebody may have read it.", path);
}

bool
secret_file_read(
    struct ctx *ctx, const char *path, const char *what, size_t least, const char **ret)
{
    size_t length;

    if (!check_mode(ctx, path) || !file_read_most(ctx, path, MOST_SECRET, ret, &length)) {
        ctx->error.kind = ERR_CONFIG;
        return error_wrap(ctx, "reading the %s", what);
    }
    if (strlen(*ret) != length)
        return error_set(ctx, ERR_CONFIG, "the %s in \"%s\" is not a text", what, path);
    while (length > 0 && isspace((unsigned char)(*ret)[length - 1]))
        length--;
    *ret = arena_strndup(ctx->arena, *ret, length);
    if (length >= least)
        return true;
    error_set(ctx, ERR_CONFIG, "the %s in \"%s\" is shorter than %zu bytes", what, path, least);
    return error_hint(ctx, "Make one: openssl rand -hex 32 > FILE; chmod 600 FILE.");
}
