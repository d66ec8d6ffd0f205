/*
 * Any bytes as the manifest of a backup, and as that of a consolidated history: no crash, and no file that it
 * names lies outside of the folder. The first byte says which of them the rest is.
 */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "backup/manifest.h"
#include "base/file.h"
#include "given.h"
#include "migrate/squash/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One folder a process, that every input is written into. */
static const char *
folder(void)
{
    static char name[64];

    if (!name[0]) {
        (void)snprintf(name, sizeof(name), "/tmp/pgmend-fuzz-XXXXXX");
        assert(mkdtemp(name));
    }
    return name;
}

static void
remove_folder(void)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", folder(), MANIFEST_FILE);
    (void)unlink(path);
    (void)rmdir(folder());
}

static void
read_backup(struct ctx *ctx, const uint8_t *data, size_t size)
{
    static bool is_told;
    struct manifest manifest;
    struct manifest_verified verified;
    struct text_list wrong = { 0 };
    const char *why;
    bool is_good;

    if (!is_told)
        (void)atexit(remove_folder);
    is_told = true;
    is_good = file_write(ctx, file_join(ctx->arena, folder(), MANIFEST_FILE), data, size, 0600);
    assert(is_good);
    if (!manifest_read(ctx, folder(), &manifest)) {
        assert(ctx->error.kind == ERR_VERIFICATION);
        return;
    }
    for (size_t i = 0; i < manifest.files.count; i++) {
        const char *path = manifest.files.items[i].path;

        assert(path[0] != '/' && !strstr(path, ".."));
    }
    (void)!manifest_check(ctx, folder(), &manifest, true, &wrong);
    (void)manifest_read_verified(ctx, folder(), &manifest, &verified, &why);
}

static void
read_history(struct ctx *ctx, const uint8_t *data, size_t size)
{
    struct given given CLEANUP(given_close) = given_file(ctx->arena, data, size);
    struct place_manifest manifest;

    if (!place_manifest_read(ctx, given.path, &manifest))
        assert(ctx->error.message && *ctx->error.message);
    else
        assert(manifest.folder && manifest.archive);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        read_backup(&ctx, data + 1, size - 1);
    else
        read_history(&ctx, data + 1, size - 1);
    return 0;
}
