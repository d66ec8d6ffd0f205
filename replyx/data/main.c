/* replyx-data: fills an empty ReplyX database. */
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/out.h"
#include "data/load.h"
#include "data/options.h"

/* What cli/ looks for secrets in; none of pgmend's commands are in this program. */
const struct command *const commands[] = { NULL };

static const struct field loaded_fields[] = {
    FIELD(struct loaded, table),
    FIELD(struct loaded, rows),
    FIELD(struct loaded, bytes, .unit = UNIT_BYTES),
    FIELD(struct loaded, seconds),
};

/* The newest time, from 2000-01-01; without --now the start of today, in UTC. */
static bool
read_now(struct ctx *ctx, const char *text, int64_t *ret_us)
{
    int64_t us = clock_wall_us() / US_PER_DAY * US_PER_DAY;

    if (text != NULL && !clock_parse(text, &us) &&
        !clock_parse(arena_printf(ctx->arena, "%sT00:00:00Z", text), &us)) {
        error_set(ctx, ERR_USAGE, "\"%s\" is not a time", text);
        return error_hint(ctx, "Write --now 2026-11-22 or --now 2026-11-22T10:00:00Z.");
    }
    if (us - EPOCH_GAP_US < 2 * WORLD_DAYS * US_PER_DAY)
        return error_set(ctx, ERR_USAGE, "--now must be after 2002");
    *ret_us = us - EPOCH_GAP_US;
    return true;
}

static bool
is_wanted(const char *only, const char *name)
{
    size_t length = strlen(name);

    while (only != NULL && *only != '\0') {
        size_t word = strcspn(only, ",");

        if (word == length && strncmp(only, name, length) == 0)
            return true;
        only += word + (only[word] == ',' ? 1 : 0);
    }
    return only == NULL;
}

/* Every name in --only must be a table that we fill. */
static bool
check_names(struct ctx *ctx, const char *only)
{
    while (only != NULL && *only != '\0') {
        size_t word = strcspn(only, ",");
        const char *name = arena_strndup(ctx->arena, only, word);

        if (table_find(name) == NULL) {
            struct text_list known = { 0 };

            for (size_t i = 0; i < table_count; i++)
                text_list_add(ctx->arena, &known, tables[i]->name);
            error_set(ctx, ERR_USAGE, "there is no table \"%s\" to fill", name);
            return error_hint(ctx, "Tables: %s.", text_list_join(ctx->arena, &known, ", "));
        }
        only += word + (only[word] == ',' ? 1 : 0);
    }
    return true;
}

/* The rows of all tables together, as the last line. */
static void
print_report(const struct loaded *loaded, size_t count, double seconds)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct loaded *rows = ARENA_ARRAY(arena, struct loaded, count + 1);
    struct loaded *total = &rows[count];

    *total = (struct loaded){ .table = "total", .seconds = seconds };
    for (size_t i = 0; i < count; i++) {
        rows[i] = loaded[i];
        total->rows += loaded[i].rows;
        total->bytes += loaded[i].bytes;
    }
    out_table(stdout, loaded_fields, COUNT_OF(loaded_fields), rows, count + 1, sizeof(*rows));
}

static bool
load(struct ctx *ctx, const struct options *options, const struct world *world,
    const struct loading *loading, struct loaded *ret)
{
    struct db *db CLEANUP(db_cleanup) = NULL;
    struct db_options to = {
        .url = options->db_url,
        .application = "replyx-data",
        .access = ACCESS_WRITE,
        .lock_timeout_us = 10 * US_PER_SECOND,
    };

    if (options->to_file != NULL)
        return load_files(ctx, options->to_file, world, loading, ret);
    return db_open(ctx, &to, &db) && load_database(ctx, db, world, loading, ret);
}

static bool
run(struct ctx *ctx, const struct options *options)
{
    const struct table **chosen = ARENA_ARRAY(ctx->arena, const struct table *, table_count);
    struct loaded *loaded = ARENA_ARRAY(ctx->arena, struct loaded, table_count);
    struct loading loading = {
        .tables = chosen,
        .is_fast = options->fast,
        .vacuums = options->vacuum,
    };
    int64_t start_us = clock_us();
    int64_t now_us = 0;

    if (!read_now(ctx, options->now, &now_us) || !check_names(ctx, options->only))
        return false;
    for (size_t i = 0; i < table_count; i++) {
        if (is_wanted(options->only, tables[i]->name))
            chosen[loading.table_count++] = tables[i];
    }
    log_info("replyx-data: --scale %s --seed %lld --now %s", options->scale,
        (long long)options->seed, clock_text(ctx->arena, now_us + EPOCH_GAP_US));
    if (!load(ctx, options,
            world_make(ctx->arena, scale_find(options->scale), (uint64_t)options->seed, now_us),
            &loading, loaded))
        return false;
    print_report(loaded, loading.table_count, (double)(clock_us() - start_us) / 1e6);
    return true;
}

static int
report(const struct error *error)
{
    fprintf(stderr, "replyx-data: %s\n", error->message);
    if (error->detail != NULL)
        fprintf(stderr, "%s\n", error->detail);
    if (error->hint != NULL)
        fprintf(stderr, "hint: %s\n", error->hint);
    if (error->state != NULL)
        fprintf(stderr, "%s\n", error->state);
    return error_exit_status(error->kind);
}

/* The arguments as they were: command_scrub() takes passwords out of those that ps shows. */
static char **
copy_arguments(struct arena *arena, int argc, char **argv)
{
    char **copy = ARENA_ARRAY(arena, char *, (size_t)argc + 1);

    for (int i = 0; i < argc; i++)
        copy[i] = arena_strdup(arena, argv[i]);
    command_scrub(argc, argv);
    return copy;
}

int
main(int argc, char **argv)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct options options;

    interrupt_catch();
    argv = copy_arguments(arena, argc, argv);
    if (!options_parse(&ctx, argc - 1, argv + 1, &options))
        return report(&ctx.error);
    if (options.help || options.version) {
        if (options.help)
            options_help(stdout);
        else
            puts("replyx-data " PGMEND_VERSION);
        return 0;
    }
    if (options.quiet)
        log_set_level(LOG_QUIET);
    return run(&ctx, &options) ? 0 : report(&ctx.error);
}
