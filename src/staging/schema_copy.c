#include "staging/schema_copy.h"

#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "base/process.h"
#include "staging/archive.h"

enum { TIME_LIMIT_US = 600 * 1000000 };

static void
end_env(struct db_child_env *env)
{
    db_child_env_end(env);
}

/* pg_dump --schema-only of a database; to a file in the custom format, or as text into out. */
static bool
run_dump(struct ctx *ctx, struct db *db, const struct dump_tools *tools, const char *database,
    const char *file, struct process *ret)
{
    struct db_child_env env CLEANUP(end_env) = { 0 };
    const char *argv[] = { tools->dump, "--schema-only", "--exclude-schema=pgmend",
        "--lock-wait-timeout=10s", "--no-password", file ? "--format=custom" : "--format=plain",
        file ? arena_printf(ctx->arena, "--file=%s", file) : NULL, NULL };

    if (!db_child_env_begin(ctx, db, database, &env))
        return false;

    const struct process_options options = {
        .argv = argv,
        .env = env.env,
        .timeout_us = TIME_LIMIT_US,
        .own_group = true,
    };

    if (!process_start(ctx, &options, ret) || !process_wait(ctx, ret))
        return false;
    return ret->status == 0 || archive_failure(ctx, ret);
}

bool
schema_copy_create(struct ctx *ctx, struct db *db, const struct dump_tools *tools,
    const char *scratch_template, struct scratch *ret)
{
    const char *folder = getenv("TMPDIR");
    const char *file = arena_printf(ctx->arena, "%s/pgmend-schema-%s.dump",
        text_is_empty(folder) ? "/tmp" : folder, random_hex(ctx->arena, 8));
    struct process process;
    int64_t us;
    bool is_good;

    *ret = (struct scratch){ 0 };
    is_good = run_dump(ctx, db, tools, NULL, file, &process) &&
              scratch_create_like(ctx, db, scratch_template, ret);
    if (is_good) {
        const struct archive_restore restore = {
            .tools = tools,
            .archive = file,
            .database = ret->name,
            .jobs = 1,
            .has_extensions = !scratch_template,
        };

        is_good = archive_restore(ctx, db, &restore, &us);
    }
    unlink(file);
    return is_good || error_wrap(ctx, "copying the schema into a scratch database");
}

/* A patched pg_dump frames its text in lines with a random key. */
static bool
is_random(const char *line)
{
    return text_starts_with(line, "\\restrict ") || text_starts_with(line, "\\unrestrict ");
}

bool
schema_copy_dump(struct ctx *ctx, struct db *db, const struct dump_tools *tools,
    const char *database, const char **ret_text)
{
    struct buffer kept = { .arena = ctx->arena };
    struct process process;

    if (!run_dump(ctx, db, tools, database, NULL, &process))
        return error_wrap(ctx, "dumping the schema");
    for (const char *line = buffer_text(&process.out); *line;) {
        size_t length = strcspn(line, "\n") + 1;

        if (line[length - 1] == '\0')
            length--;
        if (!is_random(line))
            buffer_append(&kept, line, length);
        line += length;
    }
    *ret_text = buffer_text(&kept);
    return true;
}
