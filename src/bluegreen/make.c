/* Green: where it is, the database, its schema. */
#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "bluegreen/part.h"
#include "change/journal.h"
#include "db/ident.h"
#include "db/target.h"
#include "sql.h"
#include "staging/archive.h"

enum { ID_BYTES = 4, DUMP_LIMIT_US = 600 * 1000000 };

/* ---- where it is ---- */

bool
bluegreen_find_green(struct ctx *ctx, struct db *blue, const struct bluegreen_wish *wish,
    struct bluegreen_green *ret)
{
    struct db_options options = {
        .url = wish->green_url, .application = "pgmend/bluegreen create", .access = ACCESS_WRITE
    };
    const char *cluster_blue, *cluster_green;
    struct db_target target;

    *ret = (struct bluegreen_green){ 0 };
    if (!db_target_read(ctx, wish->green_url, &target))
        return error_wrap(ctx, "reading --green");
    if (!target.database) {
        error_set(ctx, ERR_USAGE, "--green names no database");
        return error_hint(ctx, "--green postgresql://HOST:PORT/NAME; one that does not exist is "
                               "created.");
    }
    ret->database = target.database;
    ret->is_there = db_open(ctx, &options, &ret->db);
    if (!ret->is_there) {
        if (!text_equal(ctx->error.sqlstate, "3D000") &&
            !strstr(ctx->error.message, "does not exist"))
            return error_wrap(ctx, "connecting to green");
        error_clear(ctx);
        options.database = "postgres";
        if (!db_open(ctx, &options, &ret->db))
            return error_wrap(ctx, "connecting to green's server");
    }
    if (!bg_cluster(ctx, blue, &cluster_blue) || !bg_cluster(ctx, ret->db, &cluster_green))
        return false;
    ret->is_same_server = text_equal(cluster_blue, cluster_green);
    if (ret->is_same_server && ret->is_there && text_equal(db_name(blue), db_name(ret->db)))
        return error_set(ctx, ERR_USAGE, "--green is the database \"%s\" itself", db_name(blue));
    ret->blue_conninfo = bg_conninfo(ctx, blue, NULL);
    ret->green_conninfo = bg_conninfo(ctx, ret->db, wish->green_url);
    ret->blue_reach = wish->blue_reach ? wish->blue_reach : ret->blue_conninfo;
    ret->green_reach = wish->green_reach ? wish->green_reach : ret->green_conninfo;
    return true;
}

/* ---- beginning ---- */

/*
 * Written down before anything is made: the first row of it is in blue. A file alone would not be
 * found by somebody on another machine.
 */
bool
bluegreen_begin(struct ctx *ctx, struct db *blue, const struct bluegreen_green *green,
    const struct bluegreen_wish *wish, struct bluegreen *ret)
{
    struct bluegreen_state *state = &ret->state;

    *ret = (struct bluegreen){ .state_dir = wish->state_dir, .dbs = { [BLUE] = blue } };
    *state = (struct bluegreen_state){
        .id = random_hex(ctx->arena, ID_BYTES),
        .live = BLUE,
        .same_server = green->is_same_server,
        .made_green = !green->is_there,
        .without_revisions = wish->way == BLUEGREEN_MIGRATIONS,
        .created_at = clock_text(ctx->arena, clock_wall_us()),
        .sides = {
            [BLUE] = { .conninfo = green->blue_conninfo,
                .reach = green->blue_reach,
                .database = arena_strdup(ctx->arena, db_name(blue)) },
            [GREEN] = { .conninfo = green->green_conninfo,
                .reach = green->green_reach,
                .database = green->database },
        },
    };
    return bg_cluster(ctx, blue, &state->sides[BLUE].cluster) &&
           bg_database_id(ctx, blue, db_name(blue), &state->sides[BLUE].id) &&
           bg_cluster(ctx, green->db, &state->sides[GREEN].cluster) && bg_install(ctx, blue) &&
           bluegreen_record(ctx, ret, BG_DATABASE);
}

static bool
create_database(struct ctx *ctx, struct bluegreen *pair, const struct bluegreen_green *green)
{
    struct sql_bluegreen_database_by_name_rows rows;
    const char *name = pair->state.sides[GREEN].database;

    if (!sql_bluegreen_database_by_name(
            ctx, pair->dbs[BLUE], &rows, .name = db_name(pair->dbs[BLUE])) ||
        rows.count != 1)
        return error_wrap(ctx, "looking at database \"%s\"", db_name(pair->dbs[BLUE]));
    return bg_exec(ctx, green->db,
               "CREATE DATABASE %s TEMPLATE template0 ENCODING %s LC_COLLATE %s LC_CTYPE %s",
               db_ident(ctx->arena, name), db_literal(ctx->arena, rows.items[0].encoding),
               db_literal(ctx->arena, rows.items[0].collate_name),
               db_literal(ctx->arena, rows.items[0].ctype_name)) ||
           error_wrap(ctx, "creating database \"%s\" on green's server", name);
}

bool
bluegreen_make_database(
    struct ctx *ctx, struct bluegreen *pair, const struct bluegreen_green *green)
{
    struct bluegreen_side *side = &pair->state.sides[GREEN];

    if (!bg_database_id(ctx, green->db, side->database, &side->id))
        return false;
    if (side->id == 0 && !create_database(ctx, pair, green))
        return false;
    return bg_open_like(ctx, green->db, side->database, ACCESS_WRITE, &pair->dbs[GREEN]) &&
           bg_database_id(ctx, pair->dbs[GREEN], side->database, &side->id) &&
           bg_install(ctx, pair->dbs[GREEN]);
}

/* ---- schema ---- */

static bool
dump(struct ctx *ctx, struct bluegreen *pair, const struct dump_tools *tools, const char *file)
{
    struct db_child_env env CLEANUP(db_child_env_end) = { 0 };
    const char *argv[] = { tools->dump, "--schema-only", "--exclude-schema=pgmend",
        "--lock-wait-timeout=10s", "--no-password", "--no-publications", "--no-subscriptions",
        "--format=custom", arena_printf(ctx->arena, "--file=%s", file), NULL };
    struct process_options options = {
        .argv = argv, .timeout_us = DUMP_LIMIT_US, .own_group = true
    };
    struct process process;

    if (!db_child_env_begin(ctx, pair->dbs[BLUE], NULL, &env))
        return false;
    options.env = env.env;
    return process_run(ctx, &options, &process) || error_wrap(ctx, "dumping the schema");
}

/* What a killed run has restored in part; the database was empty or not there before it. */
static bool
empty_green(struct ctx *ctx, struct bluegreen *pair)
{
    struct result schemas;

    if (!db_query(ctx, pair->dbs[GREEN],
            "SELECT n.nspname FROM pg_catalog.pg_namespace AS n"
            " WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN"
            " ('information_schema', 'pgmend') ORDER BY 1",
            NULL, 0, &schemas))
        return false;
    for (size_t i = 0; i < schemas.rows; i++)
        if (!bg_exec(ctx, pair->dbs[GREEN], "DROP SCHEMA %s CASCADE",
                db_ident(ctx->arena, result_cell(&schemas, i, 0))))
            return error_wrap(ctx, "removing what a run that was cut off has left on green");
    return bg_exec(ctx, pair->dbs[GREEN], "CREATE SCHEMA IF NOT EXISTS public");
}

bool
bluegreen_copy_schema(struct ctx *ctx, struct bluegreen *pair, const struct bluegreen_wish *wish,
    const struct step_watch *watch)
{
    struct temporary folder CLEANUP(temporary_end) = { 0 };
    struct dump_tools tools;
    struct text_list notes = { 0 };
    const char *file;
    int64_t us;

    if (!dump_tools_find(ctx, wish->bin_dir, db_major(pair->dbs[BLUE]), &tools, &notes) ||
        !temporary_folder(ctx, "schema", &folder))
        return false;
    file = file_join(ctx->arena, folder.path, "schema.dump");

    const struct archive_restore restore = {
        .tools = &tools,
        .archive = file,
        .database = pair->state.sides[GREEN].database,
        .jobs = wish->jobs,
        .has_owners = true,
        .has_grants = true,
        .has_extensions = true,
        .has_comments = true,
        .watch = watch,
    };

    return dump(ctx, pair, &tools, file) && empty_green(ctx, pair) &&
           archive_restore(ctx, pair->dbs[GREEN], &restore, &us);
}

/* ---- do the tables fit ---- */

static const char *
columns_of(const struct sql_bluegreen_columns_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (text_equal(rows->items[i].name, name))
            return rows->items[i].columns;
    return NULL;
}

static bool
is_empty(struct ctx *ctx, struct db *db, const char *table, bool *ret)
{
    const char *found;

    if (!db_value(ctx, db, arena_printf(ctx->arena, "SELECT EXISTS (SELECT FROM %s)", table), NULL,
            0, &found))
        return error_wrap(ctx, "looking into table %s of green", table);
    *ret = text_equal(found, "f");
    return true;
}

/* Migrations put rows in place that come from blue as well. */
static bool
clear(struct ctx *ctx, struct bluegreen *pair, const struct text_list *tables)
{
    if (!pair->state.without_revisions || tables->count == 0)
        return true;
    return bg_exec(ctx, pair->dbs[GREEN], "TRUNCATE %s CASCADE",
               text_list_join(ctx->arena, tables, ", ")) ||
           error_wrap(ctx, "removing the rows that the migrations put into green");
}

bool
bluegreen_check_schema(struct ctx *ctx, struct bluegreen *pair)
{
    struct sql_bluegreen_tables_rows tables;
    struct sql_bluegreen_columns_rows blue, green;
    struct text_list roots;

    if (!sql_bluegreen_tables(ctx, pair->dbs[BLUE], &tables) ||
        !sql_bluegreen_columns(ctx, pair->dbs[BLUE], &blue) ||
        !sql_bluegreen_columns(ctx, pair->dbs[GREEN], &green))
        return error_wrap(ctx, "comparing the tables");
    bg_roots(ctx->arena, &tables, pair->state.without_revisions, &roots);
    for (size_t i = 0; i < roots.count; i++) {
        const char *here = columns_of(&blue, roots.items[i]);
        const char *there = columns_of(&green, roots.items[i]);

        if (!there)
            return error_set(ctx, ERR_VERIFICATION, "green has no table %s", roots.items[i]);
        if (text_equal(here, there))
            continue;
        error_set(ctx, ERR_VERIFICATION, "table %s has other columns on green", roots.items[i]);
        return error_hint(ctx, "Blue: %s. Green: %s.", here ? here : "none", there);
    }
    if (!clear(ctx, pair, &roots))
        return false;
    for (size_t i = 0; i < roots.count; i++) {
        bool is_good;

        if (!is_empty(ctx, pair->dbs[GREEN], roots.items[i], &is_good))
            return false;
        if (is_good)
            continue;
        error_set(ctx, ERR_CONFLICT, "table %s has rows on green already", roots.items[i]);
        return error_hint(ctx, "The rows come from blue: TRUNCATE it there.");
    }
    return true;
}
