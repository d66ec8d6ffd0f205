#include "db/ident.h"
#include "index/whatif/scratch.h"
#include "sql.h"
#include "staging/schema_load.h"
#include "staging/statistics.h"
#include "staging/statistics_dependency.h"

enum { PLAN_LIMIT_US = 2000000, LEFT_OUT_MOST = 5 };

#define DATABASE "pgmend_scratch"

/* The search_path of the statements: as given, else that of our role in the database. */
static bool
read_path(struct ctx *ctx, struct db *from, const char *given, const char **ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    static const char user[] = "\"$user\"";
    const char *found;

    *ret = given;
    if (!given &&
        (!db_begin(ctx, from, "READ ONLY", &transaction) || !db_use_own_path(ctx, from) ||
            !db_value(ctx, from, "SELECT pg_catalog.current_setting('search_path')", NULL, 0, ret)))
        return false;
    found = strstr(*ret, user);
    if (found)
        *ret = arena_printf(ctx->arena, "%.*s%s%s", (int)(found - *ret), *ret,
            db_ident(ctx->arena, db_user(from)), found + strlen(user));
    return true;
}

/* Also as what the role starts with, for whoever asks for the role's own. */
static bool
set_path(struct ctx *ctx, struct scratch_way *way, const char *path)
{
    return db_set(ctx, way->admin, "search_path", path) &&
           db_exec(ctx, way->admin,
               "ALTER ROLE " PRIVATE_SERVER_OWNER " IN DATABASE " DATABASE
               " SET search_path FROM CURRENT") &&
           db_set(ctx, way->admin, "search_path", "pg_catalog, pg_temp");
}

static bool
open_sessions(struct ctx *ctx, struct whatif *whatif, struct db *from, const char *path)
{
    struct scratch_way *way = whatif->way_data;
    struct db_options options = {
        .url = private_server_url(ctx->arena, way->admin, PRIVATE_SERVER_OWNER),
        .application = "pgmend",
        .access = ACCESS_WRITE,
    };

    /* The catalogue grows with every flip, and nobody vacuums or analyses it here. */
    if (!db_set(ctx, way->admin, "enable_seqscan", "off") || !set_path(ctx, way, path) ||
        !scratch_way_prepare(ctx, way) || !db_open(ctx, &options, &way->builder) ||
        !db_set(ctx, way->builder, "search_path", "public") ||
        !db_exec(ctx, way->builder, "SET client_min_messages = error"))
        return false;
    options.access = ACCESS_READ;
    options.statement_timeout_us = PLAN_LIMIT_US;
    return db_open(ctx, &options, &whatif->db) &&
           statistics_carry_settings(ctx, from, whatif->db) &&
           db_set(ctx, whatif->db, "search_path", path);
}

static bool
learn_indexes(struct ctx *ctx, struct scratch_way *way)
{
    struct sql_staging_whatif_all_indexes_rows rows;

    if (!sql_staging_whatif_all_indexes(ctx, way->admin, &rows))
        return false;
    way->real_positions.arena = way->arena;
    for (size_t i = 0; i < rows.count; i++) {
        size_t *position = ARENA_NEW(way->arena, size_t);

        *position = way->reals.count;
        map_set(&way->real_positions,
            db_qualified(way->arena, rows.items[i].schema, rows.items[i].name), position);
        VEC_PUSH(way->arena, &way->reals,
            (struct scratch_real){ .id = rows.items[i].id, .parent = rows.items[i].parent });
    }
    return true;
}

/* The planner here shall know which columns determine others, as it would by extended statistics. */
static bool
add_dependencies(struct ctx *ctx, struct scratch_way *way, const struct whatif_options *options)
{
    for (size_t i = 0; i < options->dependency_count; i++) {
        const struct candidate_dependency *known = &options->dependencies[i];
        const struct statistics_dependency dependency = {
            .schema = known->table->schema,
            .table = known->table->name,
            .from = known->from,
            .to = known->to,
            .degree = known->degree,
        };

        if (!statistics_add_dependency(ctx, way->admin, i, &dependency))
            return error_wrap(ctx, "telling the planner what %s determines", known->from);
    }
    return true;
}

static void
add_notes(struct whatif *whatif, const struct text_list *notes, const struct text_list *left_out)
{
    struct arena *arena = whatif->arena;

    for (size_t i = 0; i < notes->count; i++)
        text_list_add(arena, &whatif->notes, arena_strdup(arena, notes->items[i]));
    for (size_t i = 0; i < left_out->count && i < LEFT_OUT_MOST; i++)
        text_list_add(arena, &whatif->notes,
            arena_printf(arena, "not on the scratch server: %s", left_out->items[i]));
    if (left_out->count > LEFT_OUT_MOST)
        text_list_add(arena, &whatif->notes,
            arena_printf(arena, "%zu more definitions are not on the scratch server",
                left_out->count - LEFT_OUT_MOST));
}

static bool
fill(struct ctx *ctx, struct whatif *whatif, const struct whatif_options *options, struct db *from)
{
    struct scratch_way *way = whatif->way_data;
    struct text_list notes = { 0 };
    struct text_list left_out = { 0 };
    struct dump_tools tools;
    const char *path;
    const struct private_server_options server = {
        .bin_folder = options->bin_folder,
        .major = db_major(from),
        .like = from,
    };

    if (!dump_tools_find(ctx, options->bin_folder, db_major(from), &tools, &notes) ||
        !read_path(ctx, from, options->path, &path) ||
        !private_server_start(ctx, &server, &way->server, &notes) ||
        !private_server_open(ctx, way->server, DATABASE, &way->admin) ||
        !schema_load_from(ctx, way->admin, from, &tools, &left_out) ||
        !statistics_carry(ctx, from, way->server, way->admin, &notes) ||
        !add_dependencies(ctx, way, options) || !learn_indexes(ctx, way) ||
        !open_sessions(ctx, whatif, from, path))
        return false;
    add_notes(whatif, &notes, &left_out);
    whatif->text = arena_printf(
        whatif->arena, "a scratch server (PostgreSQL %s)", db_version_text(way->admin));
    return true;
}

bool
scratch_way_open(struct ctx *ctx, struct whatif *whatif, const struct whatif_options *options)
{
    struct scratch_way *way = ARENA_NEW(whatif->arena, struct scratch_way);
    struct db *from CLEANUP(db_cleanup) = NULL;
    const struct db_options like = { .application = "pgmend", .access = ACCESS_READ };

    way->arena = whatif->arena;
    way->tables.arena = whatif->arena;
    whatif->way_data = way;
    return db_open_like(ctx, options->db, &like, &from) && fill(ctx, whatif, options, from);
}
