/* Runs a fuzz target over the files of a corpus as a plain test, in TAP. */
#include "base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
main(int argc, char **argv)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct text_list names = { 0 };

    if (argc != 2 || !file_list(&ctx, argv[1], &names) || names.count == 0) {
        printf("Bail out! no corpus in \"%s\"\n", argc > 1 ? argv[1] : "");
        return 2;
    }
    printf("1..%zu\n", names.count);
    for (size_t i = 0; i < names.count; i++) {
        const char *data;
        size_t size;

        if (!file_read(&ctx, file_join(arena, argv[1], names.items[i]), &data, &size)) {
            printf("not ok %zu - %s # %s\n", i + 1, names.items[i], ctx.error.message);
            continue;
        }
        /* The exact size, so that a sanitizer sees a read behind the end. */
        void *exact = malloc(size ? size : 1);

        if (!exact)
            abort();
        memcpy(exact, data, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
        printf("ok %zu - %s\n", i + 1, names.items[i]);
        fflush(stdout);
    }
    return 0;
}
