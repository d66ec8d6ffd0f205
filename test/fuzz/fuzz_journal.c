/*
 * Any bytes as the local journal: no crash, an error names the line, and a file whose torn end was cut off
 * holds the same entries as before.
 */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "change/journal_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct journal_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        const struct journal_entry *entry = &entries->items[i];

        assert(entry->entry && entry->run && entry->kind && entry->object && entry->statement);
        assert(entry->state && entry->started_at && entry->detail);
        for (size_t j = 0; j < i; j++)
            assert(strcmp(entries->items[j].entry, entry->entry) != 0);
        (void)journal_entry_is_open(entry);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct journal_entries before, after;
    const char *folder = getenv("TMPDIR");
    const char *path =
        arena_printf(arena, "%s/pgmend-fuzz-%d.jsonl", folder ? folder : "/tmp", (int)getpid());
    bool is_torn = false, is_good;

    is_good = file_write(&ctx, path, data, size, 0600);
    assert(is_good);
    if (!journal_file_read(&ctx, path, &before)) {
        assert(ctx.error.kind == ERR_INPUT && strstr(ctx.error.message, ".jsonl:"));
    } else {
        check(&before);
        is_good = journal_file_mend(&ctx, path, &is_torn) && journal_file_read(&ctx, path, &after);
        assert(is_good && after.count == before.count);
        assert(is_torn == (size > 0 && data[size - 1] != '\n'));
    }
    (void)unlink(path);
    return 0;
}
