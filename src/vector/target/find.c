#include "vector/target/find.h"

#include "db/ident.h"

enum {
    OLDEST_VECTOR = 500, /* 0.5.0 */
    NUMBER_PARTS = 3,
    LEAST_TOASTED = 1800, /* bytes of a value; the server moves out rows over some 2,000 */
    HEADER_BYTES = 8,
    MOST_WISHED_ROWS = 100000
};

/* "0.8.0" → 800. */
static int32_t
version_number(const char *version)
{
    int32_t number = 0;

    for (int i = 0; i < NUMBER_PARTS; i++) {
        char *end;
        long part = strtol(version, &end, 10);

        number = number * 100 + (int32_t)(part < 0 || part > 99 ? 99 : part);
        version = *end == '.' ? end + 1 : end;
    }
    return number;
}

static bool
refuse_extension(struct ctx *ctx, const char *version, const char *available)
{
    if (!version) {
        error_set(ctx, ERR_UNSUPPORTED, "pgvector is not installed in this database");
        if (available)
            return error_hint(ctx,
                "The server has pgvector %s: run CREATE EXTENSION vector as a superuser. Approximate "
                "indexes need 0.5.0, halfvec and bits 0.7.0, iterative scans 0.8.0.",
                available);
        return error_hint(ctx, "Install the package postgresql-NN-pgvector for your server's major "
                               "version, then run CREATE EXTENSION vector. Approximate indexes "
                               "need 0.5.0, halfvec and bits 0.7.0, iterative scans 0.8.0.");
    }
    error_set(ctx, ERR_UNSUPPORTED, "pgvector %s is older than 0.5.0", version);
    return error_hint(ctx,
        "HNSW needs 0.5.0, halfvec and bits 0.7.0, iterative scans 0.8.0. Install a newer package "
        "(the server offers %s) and run ALTER EXTENSION vector UPDATE.",
        available ? available : "none");
}

static bool
find_extension(struct finder *finder)
{
    struct ctx *ctx = finder->ctx;
    struct sql_vector_target_extension_rows found;

    if (!sql_vector_target_extension(ctx, finder->db, &found))
        return false;
    if (found.count == 0 || !found.items[0].version)
        return refuse_extension(ctx, NULL, found.count ? found.items[0].available : NULL);
    finder->extension_schema = found.items[0].schema;
    finder->extension_version = found.items[0].version;
    finder->extension_number = version_number(finder->extension_version);
    if (finder->extension_number < OLDEST_VECTOR)
        return refuse_extension(ctx, finder->extension_version, found.items[0].available);
    return true;
}

/* Which tables the user's own search_path finds; ours is pinned. */
static bool
find_visible(struct finder *finder)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    return db_begin(finder->ctx, finder->db, "READ ONLY", &transaction) &&
           db_use_own_path(finder->ctx, finder->db) &&
           sql_vector_target_visible(finder->ctx, finder->db, &finder->visible);
}

static bool
is_visible(const struct finder *finder, uint32_t oid)
{
    for (size_t i = 0; i < finder->visible.count; i++)
        if (finder->visible.items[i].table_oid == oid)
            return true;
    return false;
}

/* An unqualified name that the search_path does not find is taken when only one table has it. */
static bool
is_only_one(const struct finder *finder, const struct sql_vector_target_columns *row)
{
    for (size_t i = 0; i < finder->columns.count; i++) {
        const struct sql_vector_target_columns *other = &finder->columns.items[i];

        if (other->table_oid != row->table_oid && strcmp(other->table_name, row->table_name) == 0)
            return false;
    }
    return true;
}

bool
finder_is_table(
    const struct finder *finder, const char *name, const struct sql_vector_target_columns *row)
{
    struct arena *arena = finder->ctx->arena;

    if (!name)
        return false;
    if (strcmp(name, db_qualified(arena, row->schema, row->table_name)) == 0 ||
        strcmp(name, arena_printf(arena, "%s.%s", row->schema, row->table_name)) == 0)
        return true;
    if (strcmp(name, row->table_name) != 0 && strcmp(name, db_ident(arena, row->table_name)) != 0)
        return false;
    return is_visible(finder, row->table_oid) || is_only_one(finder, row);
}

/* As SQL folds it, when it is written without quotes. */
static const char *
folded(struct arena *arena, const char *name)
{
    char *copy = arena_strdup(arena, name);

    for (char *at = copy; *at; at++)
        if (*at >= 'A' && *at <= 'Z')
            *at = (char)(*at - 'A' + 'a');
    return copy;
}

bool
finder_is_wished(const struct finder *finder, const struct sql_vector_target_columns *row)
{
    struct arena *arena = finder->ctx->arena;
    const char *table = finder->wish ? finder->wish->table : NULL;
    const char *column = finder->wish ? finder->wish->column : NULL;

    /* The whole is asked about, unless the part is named. */
    if (!table && row->is_partition)
        return false;
    if (table && !finder_is_table(finder, table, row) &&
        !finder_is_table(finder, folded(arena, table), row))
        return false;
    return !column || strcmp(column, row->column_name) == 0 ||
           strcmp(column, db_ident(arena, row->column_name)) == 0 ||
           strcmp(folded(arena, column), row->column_name) == 0;
}

bool
finder_begin(struct ctx *ctx, struct db *db, const struct vector_wish *wish, struct finder *ret)
{
    *ret = (struct finder){ .ctx = ctx, .db = db, .wish = wish };
    if (wish && (wish->limit < 0 || wish->limit > MOST_WISHED_ROWS))
        return error_set(
            ctx, ERR_USAGE, "--limit: %d is not between 1 and %d", wish->limit, MOST_WISHED_ROWS);
    return find_extension(ret) && sql_vector_target_columns(ctx, db, &ret->columns) &&
           find_visible(ret) && found_workload_load(ret);
}

static bool
is_toasted(const struct sql_vector_target_columns *row, bool is_half)
{
    int64_t width = HEADER_BYTES + (int64_t)row->dims * (is_half ? 2 : 4);

    if (row->toast_bytes == 0)
        return false;
    /* Storage says where new values go; what the heap has room for says where the old ones are. */
    if (row->rows > 0 && row->dims > 0)
        return width >= LEAST_TOASTED / 4 && row->table_bytes < row->rows * width / 2;
    return width >= LEAST_TOASTED && strcmp(row->storage, "plain") != 0;
}

static void
fill_target(struct found_column *column)
{
    const struct sql_vector_target_columns *row = column->row;
    const struct finder *finder = column->finder;

    column->target = (struct vector_target){
        .schema = row->schema,
        .table = row->table_name,
        .table_oid = row->table_oid,
        .key = row->key,
        .key_type = row->key_type,
        .column = row->column_name,
        .type = row->type,
        .dims = row->dims,
        .extension_schema = finder->extension_schema,
        .extension_version = finder->extension_version,
        .extension_number = finder->extension_number,
        .rows = row->rows,
        .table_bytes = row->table_bytes,
        .toast_bytes = row->toast_bytes,
        .storage = row->storage,
        .is_toasted = is_toasted(row, strcmp(row->type, "halfvec") == 0),
        .is_nullable = row->is_nullable,
    };
}

bool
finder_column(
    struct finder *finder, const struct sql_vector_target_columns *row, struct found_column *ret)
{
    struct ctx *ctx = finder->ctx;

    *ret = (struct found_column){ .finder = finder, .row = row };
    fill_target(ret);
    if (!sql_vector_target_attributes(ctx, finder->db, &ret->attributes, row->table_oid) ||
        !sql_vector_target_indexes(
            ctx, finder->db, &ret->indexes, row->table_oid, row->column_name))
        return false;
    found_workload_match(ret);
    if (!found_operator(ret) || !found_tenant(ret) || !found_filters(ret) || !found_roles(ret))
        return error_wrap(ctx, "%s.%s", db_qualified(ctx->arena, row->schema, row->table_name),
            db_ident(ctx->arena, row->column_name));
    found_limit(ret);
    ret->target.found_in = text_list_join(ctx->arena, &ret->reasons, "; ");
    return true;
}

/* Says which columns there are. */
static const char *
columns_text(const struct finder *finder)
{
    struct arena *arena = finder->ctx->arena;
    struct text_list names = { 0 };

    for (size_t i = 0; i < finder->columns.count; i++) {
        const struct sql_vector_target_columns *row = &finder->columns.items[i];

        if (row->is_partition)
            continue;
        text_list_add(arena, &names,
            arena_printf(arena, "%s.%s", db_qualified(arena, row->schema, row->table_name),
                db_ident(arena, row->column_name)));
    }
    return text_list_join(arena, &names, ", ");
}

static bool
refuse_none(const struct finder *finder)
{
    struct ctx *ctx = finder->ctx;
    const struct vector_wish *wish = finder->wish;

    if (finder->columns.count == 0) {
        error_set(ctx, ERR_NOT_FOUND,
            "no table of this database has a column of type vector or "
            "halfvec");
        return error_hint(ctx, "Is this the right database? Columns are found in ordinary tables "
                               "of all schemas but pgmend's own.");
    }
    error_set(ctx, ERR_NOT_FOUND, "there is no vector column%s%s%s%s",
        wish && wish->column ? " " : "", wish && wish->column ? wish->column : "",
        wish && wish->table ? " in " : "", wish && wish->table ? wish->table : "");
    return error_hint(ctx, "There are: %s.", columns_text(finder));
}

static bool
refuse_rights(struct ctx *ctx, struct db *db, const struct sql_vector_target_columns *row)
{
    const char *table = db_qualified(ctx->arena, row->schema, row->table_name);

    error_set(ctx, ERR_RIGHTS, "role %s may not read %s", db_ident(ctx->arena, db_user(db)), table);
    return error_hint(ctx, "GRANT USAGE ON SCHEMA %s and GRANT SELECT ON %s to it.",
        db_ident(ctx->arena, row->schema), table);
}

static bool
refuse_partitioned(struct ctx *ctx, const struct sql_vector_target_columns *row)
{
    error_set(ctx, ERR_CONFLICT, "%s is a partitioned table",
        db_qualified(ctx->arena, row->schema, row->table_name));
    return error_hint(ctx, "Take one of its partitions by its own name (--table), and do the same "
                           "for the others by hand.");
}

bool
finder_refuse(const struct finder *finder)
{
    for (size_t i = 0; i < finder->columns.count; i++) {
        const struct sql_vector_target_columns *row = &finder->columns.items[i];

        if (finder_is_wished(finder, row) && !row->may_read)
            return refuse_rights(finder->ctx, finder->db, row);
        if (finder_is_wished(finder, row))
            return refuse_partitioned(finder->ctx, row);
    }
    return refuse_none(finder);
}

bool
vector_targets_find(
    struct ctx *ctx, struct db *db, const struct vector_wish *wish, struct vector_targets *ret)
{
    struct finder finder;

    *ret = (struct vector_targets){ 0 };
    if (!finder_begin(ctx, db, wish, &finder))
        return error_wrap(ctx, "looking for vector columns");
    for (size_t i = 0; i < finder.columns.count; i++) {
        const struct sql_vector_target_columns *row = &finder.columns.items[i];
        struct found_column column;

        if (strcmp(row->kind, "r") != 0 || !row->may_read || !finder_is_wished(&finder, row))
            continue;
        if (!finder_column(&finder, row, &column))
            return false;
        VEC_PUSH(ctx->arena, ret, column.target);
    }
    return ret->count > 0 || finder_refuse(&finder);
}

/* The calls of searches on a column. */
static int64_t
calls_of(const struct finder *finder, const struct sql_vector_target_columns *row)
{
    struct found_column column = { .finder = (struct finder *)(uintptr_t)finder, .row = row };
    int64_t calls = 0;

    found_workload_match(&column);
    for (size_t i = 0; i < column.searches.count; i++)
        calls += column.searches.items[i]->calls;
    return calls;
}

/* A cache of questions is searched by its key, and is not what is searched in. */
static bool
looks_like_cache(const struct sql_vector_target_columns *row)
{
    return strstr(row->table_name, "cache") || strstr(row->table_name, "query") ||
           strstr(row->table_name, "queries");
}

/*
 * The only one, else the one that the workload searches (nine of ten searches), else the only one
 * that is not a cache of questions.
 */
static const struct sql_vector_target_columns *
choose(const struct finder *finder)
{
    const struct sql_vector_target_columns *only = NULL, *searched = NULL, *store = NULL;
    size_t count = 0, stores = 0;
    int64_t calls = 0, most = 0;

    for (size_t i = 0; i < finder->columns.count; i++) {
        const struct sql_vector_target_columns *row = &finder->columns.items[i];

        if (!finder_is_wished(finder, row))
            continue;

        int64_t own = calls_of(finder, row);

        only = row;
        count++;
        calls += own;
        if (own > most) {
            most = own;
            searched = row;
        }
        if (!looks_like_cache(row)) {
            store = row;
            stores++;
        }
    }
    if (count == 1)
        return only;
    if (searched && most >= calls - calls / 10)
        return searched;
    return stores == 1 ? store : NULL;
}

static bool
check_tunable(struct ctx *ctx, struct db *db, const struct sql_vector_target_columns *row)
{
    const char *table = db_qualified(ctx->arena, row->schema, row->table_name);
    const char *column = db_ident(ctx->arena, row->column_name);

    if (!row->may_read)
        return refuse_rights(ctx, db, row);
    if (strcmp(row->kind, "r") != 0)
        return refuse_partitioned(ctx, row);
    if (row->dims == 0) {
        error_set(ctx, ERR_CONFLICT, "%s.%s has no number of dimensions", table, column);
        return error_hint(ctx,
            "No index can be made on it. When all values have the same number: "
            "ALTER TABLE %s ALTER COLUMN %s TYPE %s(1536), with your number.",
            table, column, row->type);
    }
    if (!row->key) {
        error_set(ctx, ERR_CONFLICT, "%s has no primary key of one column", table);
        return error_hint(ctx,
            "Add one: ALTER TABLE %s ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY "
            "PRIMARY KEY (this rewrites the table).",
            table);
    }
    return true;
}

static bool
refuse_ambiguous(struct ctx *ctx, const struct found_column *column)
{
    error_set(ctx, ERR_USAGE, "it is not clear by which column of %s a search finds its tenant: %s",
        vector_table(ctx->arena, &column->target),
        text_list_join(ctx->arena, &column->ambiguous, ", "));
    return error_hint(
        ctx, "Say it with --tenant COLUMN, or --tenant '' when the searches have none.");
}

bool
vector_target_find(
    struct ctx *ctx, struct db *db, const struct vector_wish *wish, struct vector_target *ret)
{
    struct finder finder;
    struct found_column column;
    const struct sql_vector_target_columns *row;
    size_t wished = 0;

    if (!finder_begin(ctx, db, wish, &finder))
        return error_wrap(ctx, "looking for vector columns");
    for (size_t i = 0; i < finder.columns.count; i++)
        wished += finder_is_wished(&finder, &finder.columns.items[i]);
    if (wished == 0)
        return refuse_none(&finder);
    row = choose(&finder);
    if (!row) {
        error_set(ctx, ERR_USAGE, "it is not clear which vector column is meant");
        return error_hint(
            ctx, "Say it with --table and --column; there are: %s.", columns_text(&finder));
    }
    if (!check_tunable(ctx, db, row) || !finder_column(&finder, row, &column))
        return false;
    if (column.ambiguous.count > 0)
        return refuse_ambiguous(ctx, &column);
    *ret = column.target;
    return true;
}
