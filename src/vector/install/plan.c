/* A choice as changes in order, each judged by what the database holds now. */
#include "change/plan.h"

#include <math.h>

#include "base/clock.h"
#include "base/json.h"
#include "change/judge.h"
#include "change/kind.h"
#include "db/ident.h"
#include "vector/install/planning.h"

/* Rows of a table that was never analysed are guessed from its size. */
enum { GUESSED_ROW_BYTES = 100 };

/* Vectors with a share of pages below this are worth a vacuum before index-only scans. */
#define VISIBLE_ENOUGH .95

/* Slower than what was measured on two cores, as the server may limit its own work. */
enum { VACUUM_BYTES_PER_SECOND = 50 * 1024 * 1024 };

struct change
planning_change(const struct planning *planning, const char *kind, const char *name)
{
    return (struct change){
        .kind = kind,
        .schema = planning->table.schema,
        .table = planning->table.name,
        .table_oid = planning->table.oid,
        .name = name,
        .source = planning->source,
        .table_rows = planning->facts.rows,
        .table_bytes = planning->facts.heap_bytes,
    };
}

static void
block_table(struct ctx *ctx, const struct planning *planning, struct change *change)
{
    const char *role = db_ident(ctx->arena, db_user(planning->db));

    if (!planning->table.may_own)
        change_block(change,
            arena_printf(ctx->arena, "role %s may not change %s: it belongs to %s",
                db_user(planning->db), change_relation(ctx->arena, change), planning->table.owner),
            arena_printf(
                ctx->arena, "GRANT %s TO %s;", db_ident(ctx->arena, planning->table.owner), role));
    else if (!planning->table.may_create &&
             (change_is_of(change, KIND_INDEX) || change_is_of(change, KIND_TRIGGER)))
        change_block(change,
            arena_printf(ctx->arena, "role %s may not create anything in schema %s",
                db_user(planning->db), change->schema),
            arena_printf(ctx->arena, "GRANT CREATE ON SCHEMA %s TO %s;",
                db_ident(ctx->arena, change->schema), role));
}

static void
block_function(struct ctx *ctx, const struct planning *planning, struct change *change)
{
    const char *schema = db_ident(ctx->arena, planning->schema);

    if (!planning->facts.has_schema)
        change_block(change, arena_printf(ctx->arena, "schema %s does not exist", planning->schema),
            arena_printf(ctx->arena, "CREATE SCHEMA %s;", schema));
    else if (!planning->facts.may_create)
        change_block(change,
            arena_printf(ctx->arena, "role %s may not create functions in schema %s",
                db_user(planning->db), planning->schema),
            arena_printf(ctx->arena, "GRANT CREATE ON SCHEMA %s TO %s; or --schema for another",
                schema, db_ident(ctx->arena, db_user(planning->db))));
}

/* What the role may not do is said in the plan, not found out in the middle of it. */
static void
block_without_rights(struct ctx *ctx, const struct planning *planning, struct change *change)
{
    if (change->table_oid)
        block_table(ctx, planning, change);
    if (change_is_of(change, KIND_FUNCTION))
        block_function(ctx, planning, change);
}

bool
planning_add(struct ctx *ctx, struct planning *planning, struct change *change)
{
    const struct change_kind *kind = change_kind_find(change->kind);

    change_compose(ctx->arena, change);
    if (!kind)
        return error_set(ctx, ERR_FAILED, "there is no change of the kind \"%s\"", change->kind);
    if (change->action != ACTION_BLOCKED &&
        !kind->judge(ctx, planning->db, &planning->journal, change))
        return error_wrap(ctx, "planning %s", change->name);
    if (change->action != ACTION_NONE && change->action != ACTION_EQUIVALENT)
        block_without_rights(ctx, planning, change);
    VEC_PUSH(ctx->arena, planning->plan, *change);
    return true;
}

/* Looks at the table as it is now: the target may be older. */
static bool
begin(struct ctx *ctx, struct db *db, const struct vector_target *target, const char *schema,
    struct planning *ret)
{
    struct sql_catalog_table_rows tables;
    struct sql_vector_plan_facts_rows facts;
    const char *name = vector_table(ctx->arena, target);

    ret->db = db;
    ret->target = target;
    ret->schema = schema;
    ret->source = vector_choice_key(ctx->arena, target);
    *ret->plan = (struct plan){
        .database = db_name(db),
        .server_version = db_version_text(db),
        .created_at = clock_text(ctx->arena, clock_wall_us()),
    };
    /* The trial of an index needs a temporary table. */
    if (!db_require_primary(ctx, db) || !journal_load(ctx, db, &ret->journal) ||
        !journal_system_identifier(ctx, db, &ret->plan->system_identifier) ||
        !sql_catalog_table(ctx, db, &tables, .name = name))
        return false;
    if (tables.count != 1)
        return error_set(ctx, ERR_NOT_FOUND, "table %s does not exist", name);
    ret->table = tables.items[0];
    if (!sql_vector_plan_facts(ctx, db, &facts, .table_oid = ret->table.oid, .schema = schema,
            .text_name = target->text))
        return false;
    if (facts.count != 1)
        return error_set(ctx, ERR_NOT_FOUND, "table %s is not there any more", name);
    ret->facts = facts.items[0];
    ret->rows = ret->facts.rows >= 0 ? (double)ret->facts.rows
                                     : (double)ret->facts.heap_bytes / GUESSED_ROW_BYTES;
    ret->row_bytes = ret->rows >= 1 ? (double)ret->facts.heap_bytes / ret->rows : GUESSED_ROW_BYTES;
    return true;
}

static bool
add_functions(struct ctx *ctx, struct planning *planning, const struct vector_choice *choice)
{
    struct vector_functions functions = { 0 };

    if (!vector_functions_make(ctx, choice, planning->schema, &functions))
        return false;
    for (size_t i = 0; i < functions.items.count; i++) {
        const struct vector_function *function = &functions.items.items[i];
        struct change change = {
            .kind = KIND_FUNCTION,
            .schema = planning->schema,
            .name = function->name,
            .arguments = function->arguments,
            .statement = function->statement,
            .reason = function->summary,
            .table_rows = -1,
        };

        if (!planning_add(ctx, planning, &change))
            return false;
    }
    return true;
}

/* Which way is installed, so that checks know what to expect and the next tuning what it replaces. */
static bool
add_record(struct ctx *ctx, struct planning *planning, const struct vector_choice *choice)
{
    json_t *json CLEANUP(json_release) = vector_choice_to_json(choice);
    struct change change = {
        .kind = KIND_RECORD,
        .name = vector_choice_key(ctx->arena, &choice->target),
        .definition = json_text(ctx->arena, json),
        .reason = "what \"pgmend vector check\" expects",
        .table_rows = -1,
    };

    return planning_add(ctx, planning, &change);
}

/* What has to hold once the plan was applied. Nothing was measured: nothing can be proven. */
static void
set_proof(struct ctx *ctx, struct planning *planning, const struct vector_choice *choice)
{
    if (!choice->was_measured)
        return;

    json_t *json CLEANUP(json_release) = json_pack("{s:s, s:s, s:o}", "kind", "vector", "schema",
        planning->schema, "choice", vector_choice_to_json(choice));

    planning->plan->proof = json_text(ctx->arena, json);
}

/* Rows that an index holds: all, or those of the one tenant. */
static double
rows_of(const struct planning *planning, const char *tenant)
{
    if (!tenant)
        return planning->rows;
    for (size_t i = 0; i < planning->sizes.tenants.count; i++)
        if (text_equal(planning->sizes.tenants.items[i].value, tenant))
            return (double)planning->sizes.tenants.items[i].rows;
    return 0;
}

static bool
add_indexes(struct ctx *ctx, struct planning *planning, const struct vector_choice *choice)
{
    struct vector_ways ways = vector_choice_ways(ctx->arena, choice);
    struct text_list known = { 0 };

    for (size_t i = 0; i < ways.count; i++) {
        const struct vector_way *way = &ways.items[i];
        struct vector_parts parts;

        vector_method_parts(ctx->arena, planning->target, way->method, way->tenant, "", &parts);
        for (size_t k = 0; k < parts.indexes.count; k++) {
            const struct vector_extra_index *index = &parts.indexes.items[k];
            bool is_partial = strstr(index->definition, " WHERE ") != NULL;

            if (text_list_has(&known, index->name))
                continue;
            text_list_add(ctx->arena, &known, index->name);
            if (!planning_add_index(ctx, planning, index,
                    rows_of(planning, is_partial ? way->tenant : NULL),
                    arena_printf(ctx->arena, "for the search by %s",
                        vector_method_name(ctx->arena, way->method))))
                return false;
        }
    }
    return true;
}

static bool
has_pending(const struct plan *plan, const char *kind)
{
    for (size_t i = 0; i < plan->count; i++)
        if (change_is_of(&plan->items[i], kind) && change_is_pending(&plan->items[i]))
            return true;
    return false;
}

static bool
add_vacuum(struct ctx *ctx, struct planning *planning)
{
    struct change change = planning_change(planning, KIND_VACUUM, planning->table.name);
    bool is_filled = has_pending(planning->plan, KIND_FILL);

    change.reason = arena_printf(ctx->arena,
        "an index-only scan looks at the table for rows of pages that are not known to be visible "
        "to all (%.0f %% are)%s",
        planning->facts.visible_ratio * 100, is_filled ? ", and filling rewrites every row" : "");
    change.us = llround(
        (double)planning->facts.heap_bytes * (is_filled ? 2 : 1) / VACUUM_BYTES_PER_SECOND * 1e6);
    if (is_filled || planning->facts.visible_ratio < VISIBLE_ENOUGH)
        return planning_add(ctx, planning, &change);
    change_compose(ctx->arena, &change);
    change.action = ACTION_NONE;
    change.problem = "nearly all pages are marked as visible to all already";
    VEC_PUSH(ctx->arena, planning->plan, change);
    return true;
}

/* How large the table and its largest tenant are as it is chosen: checks compare later. */
static bool
count_tenants(struct ctx *ctx, struct planning *planning, struct vector_choice *choice)
{
    if (!vector_sizes_load(ctx, planning->db, &choice->target, &planning->sizes))
        return false;
    if (choice->largest_rows > 0 || planning->sizes.tenants.count == 0)
        return true;
    choice->target.rows = planning->sizes.rows;
    choice->largest_rows = planning->sizes.tenants.items[0].rows;
    return true;
}

bool
vector_choice_plan(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    const char *schema, bool drop_old, struct plan *ret)
{
    struct vector_choice chosen = *choice;
    struct planning planning = { .plan = ret };

    if (!begin(ctx, db, &chosen.target, schema, &planning) ||
        !count_tenants(ctx, &planning, &chosen))
        return error_wrap(ctx, "planning");
    vector_columns_of_methods(ctx->arena, &chosen, &planning.columns);
    if (!vector_columns_of_text(
            ctx, db, planning.table.oid, planning.facts.text_bytes, &chosen, &planning.columns) ||
        !planning_add_columns(ctx, &planning) || !add_indexes(ctx, &planning, &chosen) ||
        !add_vacuum(ctx, &planning) || !add_functions(ctx, &planning, &chosen) ||
        !add_record(ctx, &planning, &chosen) || (drop_old && !planning_drop_old(ctx, &planning)))
        return error_wrap(
            ctx, "planning the search over %s", vector_table(ctx->arena, &choice->target));
    set_proof(ctx, &planning, &chosen);
    return true;
}

bool
vector_install_plan(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    const char *schema, struct plan *ret)
{
    struct vector_choice chosen = *choice;
    struct planning planning = { .plan = ret };

    if (!begin(ctx, db, &chosen.target, schema, &planning) ||
        !count_tenants(ctx, &planning, &chosen) || !add_functions(ctx, &planning, &chosen) ||
        !add_record(ctx, &planning, &chosen))
        return error_wrap(
            ctx, "planning the functions over %s", vector_table(ctx->arena, &choice->target));
    set_proof(ctx, &planning, &chosen);
    return true;
}

bool
vector_ivfflat_plan(
    struct ctx *ctx, struct db *db, const struct vector_target *target, struct plan *ret)
{
    struct planning planning = { .plan = ret };
    struct vector_method method = { .family = FAMILY_IVFFLAT };
    struct vector_parts parts = { 0 };
    const char *text;
    int64_t rows = 0;

    if (!begin(ctx, db, target, "public", &planning) ||
        !db_value(ctx, db,
            arena_printf(ctx->arena, "SELECT pg_catalog.count(%s) FROM %s",
                db_ident(ctx->arena, target->column), vector_table(ctx->arena, target)),
            NULL, 0, &text))
        return error_wrap(ctx, "counting the rows of %s", vector_table(ctx->arena, target));
    if (text && !text_to_int64(text, &rows))
        return error_set(ctx, ERR_FAILED, "the server counted \"%s\" rows", text);
    method.lists = vector_plan_lists(rows);
    vector_method_parts(ctx->arena, target, &method, NULL, "", &parts);
    for (size_t i = 0; i < parts.indexes.count; i++) {
        struct vector_extra_index index = parts.indexes.items[i];

        if (!strstr(index.definition, "ivfflat"))
            continue;
        index.name = vector_fitting_name(
            ctx->arena, arena_printf(ctx->arena, "idx_%s_ivfflat", target->table));
        if (!planning_add_index(ctx, &planning, &index, (double)rows,
                arena_printf(ctx->arena,
                    "the plan's own choice: lists = round(sqrt(%lld rows)) = %d; which share of "
                    "the right answers it finds is not proven",
                    (long long)rows, (int)method.lists)))
            return false;
    }
    return true;
}
