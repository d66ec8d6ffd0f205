#include "staging/schema_copy.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/file.h"
#include "staging/archive.h"

enum { TIME_LIMIT_US = 600 * 1000000, PIPE_BYTES = 1 << 20 };

/* pg_dump --schema-only of a database; to a file in the custom format, or as text into out. */
static bool
start_dump(struct ctx *ctx, struct db *db, const struct dump_tools *tools, const char *database,
    const char *file, struct schema_dump *ret)
{
    const char *argv[] = { tools->dump, "--schema-only", "--exclude-schema=pgmend",
        "--lock-wait-timeout=10s", "--no-password", file ? "--format=custom" : "--format=plain",
        file ? arena_printf(ctx->arena, "--file=%s", file) : NULL, NULL };

    *ret = (struct schema_dump){ 0 };
    if (!db_child_env_begin(ctx, db, database, &ret->env))
        return false;

    const struct process_options options = {
        .argv = argv,
        .env = ret->env.env,
        .timeout_us = TIME_LIMIT_US,
        .own_group = true,
    };

    ret->is_running = process_start(ctx, &options, &ret->process);
    if (!ret->is_running)
        db_child_env_end(&ret->env);
    return ret->is_running;
}

static bool
end_dump(struct ctx *ctx, struct schema_dump *dump)
{
    bool is_good = process_wait(ctx, &dump->process) &&
                   (dump->process.status == 0 || archive_failure(ctx, &dump->process));

    schema_dump_stop(dump);
    return is_good;
}

void
schema_dump_stop(struct schema_dump *dump)
{
    if (!dump->is_running)
        return;
    process_stop(&dump->process);
    db_child_env_end(&dump->env);
    dump->is_running = false;
}

bool
schema_copy_create(struct ctx *ctx, struct db *db, const struct dump_tools *tools,
    const char *scratch_template, struct scratch *ret)
{
    struct temporary folder CLEANUP(temporary_end) = { 0 };
    const char *file;
    struct schema_dump dump;
    int64_t us;
    bool is_good;

    *ret = (struct scratch){ 0 };
    if (!temporary_folder(ctx, "schema", &folder))
        return false;
    file = file_join(ctx->arena, folder.path, "schema.dump");
    is_good = start_dump(ctx, db, tools, NULL, file, &dump) && end_dump(ctx, &dump) &&
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
    return is_good || error_wrap(ctx, "copying the schema into a scratch database");
}

/* A patched pg_dump frames its text in lines with a random key. */
static bool
is_random(const char *line)
{
    return text_starts_with(line, "\\restrict ") || text_starts_with(line, "\\unrestrict ");
}

bool
schema_dump_begin(struct ctx *ctx, struct db *db, const struct dump_tools *tools,
    const char *database, struct schema_dump *ret)
{
    if (!start_dump(ctx, db, tools, database, NULL, ret))
        return error_wrap(ctx, "dumping the schema");
    /* Room enough that it does not wait for us; what does not fit waits. */
    (void)fcntl(ret->process.stdout_fd, F_SETPIPE_SZ, PIPE_BYTES);
    return true;
}

bool
schema_dump_end(struct ctx *ctx, struct schema_dump *dump, const char **ret_text)
{
    struct buffer kept = { .arena = ctx->arena };

    if (!end_dump(ctx, dump))
        return error_wrap(ctx, "dumping the schema");
    for (const char *line = buffer_text(&dump->process.out); *line;) {
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

bool
schema_copy_dump(struct ctx *ctx, struct db *db, const struct dump_tools *tools,
    const char *database, const char **ret_text)
{
    struct schema_dump dump;

    return schema_dump_begin(ctx, db, tools, database, &dump) &&
           schema_dump_end(ctx, &dump, ret_text);
}
