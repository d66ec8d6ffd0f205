#include "staging/tool.h"

#include "base/file.h"
#include "base/process.h"
#include "db/db.h"

/* The first versions in which a dump cannot run commands of its own while it is restored. */
static const struct {
    int major;
    int minor;
} patched[] = { { 14, 24 }, { 15, 19 }, { 16, 15 }, { 17, 11 }, { 18, 6 } };

/* Reads "pg_dump (PostgreSQL) 15.20 (Debian …)"; 0 when it is not there or says something else. */
static int
ask_version(struct ctx *ctx, const char *program, const char **ret_text)
{
    const char *argv[] = { program, "--version", NULL };
    struct process_options options = { .argv = argv, .timeout_us = 10000000 };
    struct process process;

    if (!process_run(ctx, &options, &process))
        return 0;

    const char *text = strstr(buffer_text(&process.out), "(PostgreSQL) ");

    if (!text)
        return 0;
    text += strlen("(PostgreSQL) ");
    *ret_text = arena_strndup(ctx->arena, text, strcspn(text, " \n"));

    char *end;
    long major = strtol(*ret_text, &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

    return major > 0 && major < 1000 && minor >= 0 ? (int)(major * 10000 + minor) : 0;
}

/* Both programs in one place; false, without an error, when they are not there. */
static bool
try_folder(struct ctx *ctx, const char *folder, struct dump_tools *ret)
{
    const char *text = NULL;
    const char *dump = folder ? file_join(ctx->arena, folder, "pg_dump") : "pg_dump";
    const char *restore = folder ? file_join(ctx->arena, folder, "pg_restore") : "pg_restore";
    int version = ask_version(ctx, dump, &text);
    int restore_version = version ? ask_version(ctx, restore, &ret->version_text) : 0;

    if (ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED)
        return false;
    error_clear(ctx);
    if (!version || restore_version < version)
        return false;
    *ret = (struct dump_tools){
        .dump = dump, .restore = restore, .version = version, .version_text = text
    };
    return true;
}

/* From 17 on pg_restore sets transaction_timeout, which older servers do not have. */
bool
dump_tools_can_restore(const struct dump_tools *tools, int server_major)
{
    int major = tools->version / 10000;

    return major >= server_major && (major < 17 || server_major >= 17 || server_major == 0);
}

/* Where Debian keeps the server's own major, else the next newer one that can restore into it. */
static bool
try_majors(struct ctx *ctx, int server_major, bool has_any, struct dump_tools *ret)
{
    struct dump_tools found;

    int first = server_major > DB_OLDEST_MAJOR ? server_major : DB_OLDEST_MAJOR;

    for (int major = first; major <= DB_NEWEST_MAJOR; major++) {
        const char *folder = arena_printf(ctx->arena, "/usr/lib/postgresql/%d/bin", major);

        if (ctx->error.kind != ERR_NONE)
            return false;
        if (!try_folder(ctx, folder, &found))
            continue;
        if (major == server_major ||
            (dump_tools_can_restore(&found, server_major) &&
                (!has_any || !dump_tools_can_restore(ret, server_major)))) {
            *ret = found;
            return true;
        }
    }
    return has_any;
}

static void
note_other_major(
    struct arena *arena, const struct dump_tools *tools, int server_major, struct text_list *notes)
{
    if (!dump_tools_can_restore(tools, server_major))
        text_list_add(arena, notes,
            arena_printf(arena,
                "pg_restore %s cannot restore into PostgreSQL %d, which does not know the setting "
                "transaction_timeout: install postgresql-client-%d",
                tools->version_text, server_major, server_major));
}

static void
note_holes(struct arena *arena, const struct dump_tools *tools, struct text_list *notes)
{
    for (size_t i = 0; i < COUNT_OF(patched); i++)
        if (tools->version / 10000 == patched[i].major && tools->version % 10000 < patched[i].minor)
            text_list_add(arena, notes,
                arena_printf(arena,
                    "pg_dump %s is older than %d.%d, which closes CVE-2026-18408: a hostile dump "
                    "can run commands when psql reads it (pgmend never does); upgrade "
                    "postgresql-client-%d",
                    tools->version_text, patched[i].major, patched[i].minor, patched[i].major));
}

bool
dump_tools_find(struct ctx *ctx, const char *bin_folder, int server_major, struct dump_tools *ret,
    struct text_list *ret_notes)
{
    bool has_any = try_folder(ctx, bin_folder, ret);

    if (!bin_folder && (!has_any || ret->version / 10000 != server_major))
        has_any = try_majors(ctx, server_major, has_any, ret);
    if (ctx->error.kind != ERR_NONE)
        return false;
    if (!has_any) {
        error_set(ctx, ERR_UNSUPPORTED, "pg_dump and pg_restore were not found%s%s",
            bin_folder ? " in " : "", bin_folder ? bin_folder : "");
        return error_hint(ctx,
            "Install postgresql-client-%d, or name their folder with "
            "--bin-dir.",
            server_major);
    }
    if (ret->version / 10000 < server_major) {
        error_set(ctx, ERR_UNSUPPORTED, "pg_dump %s is older than the server, PostgreSQL %d",
            ret->version_text, server_major);
        return error_hint(
            ctx, "Install postgresql-client-%d, or name its folder with --bin-dir.", server_major);
    }
    note_other_major(ctx->arena, ret, server_major, ret_notes);
    note_holes(ctx->arena, ret, ret_notes);
    return true;
}
