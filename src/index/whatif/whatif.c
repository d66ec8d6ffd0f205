#include "index/whatif/whatif.h"

#include "base/json.h"
#include "base/map.h"
#include "db/ident.h"
#include "index/whatif/way.h"

static const char no_other_methods[] =
    "HypoPG knows btree, hash, brin and bloom alone: what a gin, gist or hnsw index would save is "
    "not reckoned";

/* Which index of which schema a name in a plan is; two of one name can only be told by VERBOSE. */
static void
learn_names(struct whatif *whatif)
{
    whatif->by_name.arena = whatif->arena;
    for (size_t i = 0; i < whatif->facts->count; i++) {
        const struct fact_table *table = &whatif->facts->items[i];

        for (size_t k = 0; k < table->index_count; k++) {
            struct fact_index *index = &table->indexes[k];
            const struct fact_index *other = map_get(&whatif->by_name, index->name);

            if (!other)
                map_set(&whatif->by_name, index->name, index);
            else if (!text_equal(other->schema, index->schema))
                whatif->is_ambiguous = true;
        }
    }
}

static bool
tell_why(struct ctx *ctx, const char **ret_why)
{
    *ret_why = arena_printf(ctx->arena, "%s%s%s", ctx->error.message, ctx->error.hint ? ". " : "",
        ctx->error.hint ? ctx->error.hint : "");
    error_clear(ctx);
    return true;
}

/* ret_why: why this way cannot be gone (then *ret_is_open is false), without an error. */
static bool
try_way(struct ctx *ctx, const struct whatif_options *options, const struct whatif_way_table *way,
    struct whatif **ret, const char **ret_why)
{
    struct arena *arena = arena_new();
    struct whatif *whatif = ARENA_NEW(arena, struct whatif);

    *ret = NULL;
    *whatif = (struct whatif){
        .arena = arena, .way = way, .facts = options->facts, .can_hide = way->can_hide
    };
    learn_names(whatif);
    if (way->open(ctx, whatif, options)) {
        *ret = whatif;
        return true;
    }
    way->close(whatif);
    arena_free(arena);
    /* Asked for by name, or nothing can be done any more. */
    if (options->way != WHATIF_AUTO || ctx->error.kind == ERR_CONNECTION ||
        ctx->error.kind == ERR_INTERRUPTED || ctx->error.kind == ERR_TERMINATED)
        return ctx->error.kind == ERR_UNSUPPORTED
                   ? tell_why(ctx, ret_why)
                   : error_wrap(ctx, "opening %s to try indexes", way->name);
    return tell_why(ctx, ret_why);
}

static bool
open_first(struct ctx *ctx, const struct whatif_options *options,
    const struct whatif_way_table *const *ways, size_t count, struct whatif **ret)
{
    const char *reasons[2] = { NULL, NULL };

    for (size_t i = 0; i < count; i++) {
        if (!try_way(ctx, options, ways[i], ret, &reasons[i]))
            return false;
        if (!*ret)
            continue;
        if (i > 0)
            text_list_add((*ret)->arena, &(*ret)->notes,
                arena_printf((*ret)->arena, "not asked by %s: %s", ways[0]->name, reasons[0]));
        if (ways[i] == &whatif_hypopg && options->wants_all_methods)
            text_list_add((*ret)->arena, &(*ret)->notes, no_other_methods);
        return true;
    }
    if (count == 1)
        return error_set(ctx, ERR_UNSUPPORTED, "%s", reasons[0]);
    error_set(ctx, ERR_UNSUPPORTED, "the planner cannot be asked about indexes that are not there");
    return error_hint(ctx, "%s: %s\n%s: %s", ways[0]->name, reasons[0], ways[1]->name, reasons[1]);
}

bool
whatif_open(struct ctx *ctx, const struct whatif_options *options, struct whatif **ret)
{
    static const struct whatif_way_table *const hypopg_first[] = { &whatif_hypopg,
        &whatif_scratch };
    static const struct whatif_way_table *const scratch_first[] = { &whatif_scratch,
        &whatif_hypopg };

    switch (options->way) {
    case WHATIF_HYPOPG:
        return open_first(ctx, options, hypopg_first, 1, ret);
    case WHATIF_SCRATCH:
        return open_first(ctx, options, scratch_first, 1, ret);
    case WHATIF_AUTO:
        break;
    }
    return open_first(
        ctx, options, options->wants_all_methods ? scratch_first : hypopg_first, 2, ret);
}

void
whatif_close(struct whatif *whatif)
{
    if (!whatif)
        return;
    whatif->way->close(whatif);
    arena_free(whatif->arena);
}

const char *
whatif_way_text(const struct whatif *whatif)
{
    return whatif->text;
}

const struct text_list *
whatif_notes(const struct whatif *whatif)
{
    return &whatif->notes;
}

struct db *
whatif_db(struct whatif *whatif)
{
    return whatif->db;
}

bool
whatif_add(struct ctx *ctx, struct whatif *whatif, const struct index_candidate *candidate,
    int64_t bytes, uint32_t *ret_number, const char **ret_problem)
{
    *ret_number = 0;
    *ret_problem = NULL;
    return whatif->way->add(ctx, whatif, candidate, bytes, ret_number, ret_problem);
}

bool
whatif_can_hide(const struct whatif *whatif)
{
    return whatif->can_hide;
}

int64_t
whatif_calls(const struct whatif *whatif)
{
    return whatif->calls;
}

struct reading {
    struct ctx *ctx;
    const struct whatif *whatif;
    struct whatif_plan *plan;
};

static void
read_index(const struct reading *reading, const char *schema, const char *name)
{
    const struct whatif *whatif = reading->whatif;
    struct whatif_plan *plan = reading->plan;
    uint32_t number = whatif->way->number_of(whatif, schema, name);

    if (number == 0) {
        const struct fact_index *index = map_get(&whatif->by_name, name);
        const char *place = schema ? schema : index ? index->schema : "public";
        const char *qualified = db_qualified(reading->ctx->arena, place, name);

        if (!text_list_has(&plan->existing, qualified))
            text_list_add(reading->ctx->arena, &plan->existing, qualified);
        return;
    }
    for (size_t i = 0; i < plan->used.count; i++)
        if (plan->used.items[i] == number)
            return;
    VEC_PUSH(reading->ctx->arena, &plan->used, number);
}

/* Bitmap index scans name neither table nor schema: both are those of the heap scan above. */
static void
read_node(const struct reading *reading, const json_t *node, const char *schema)
{
    const char *own = json_string_value(json_object_get(node, "Schema"));
    const char *name = json_string_value(json_object_get(node, "Index Name"));
    const json_t *child;
    size_t i;

    schema = own ? own : schema;
    if (name)
        read_index(reading, schema, name);
    json_array_foreach(json_object_get(node, "Plans"), i, child) read_node(reading, child, schema);
}

static bool
read_plan(struct ctx *ctx, struct whatif *whatif, const char *json, struct whatif_plan *ret)
{
    json_t *tree CLEANUP(json_release) = NULL;
    struct reading reading = { .ctx = ctx, .whatif = whatif, .plan = ret };

    if (!json_parse(ctx, "plan", json, &tree))
        return false;

    const json_t *top = json_object_get(json_array_get(tree, 0), "Plan");

    /* A utility statement, and what a rule turned into nothing, have none. */
    if (!top)
        return error_set(ctx, ERR_FAILED, "the server gave no plan for the statement");
    ret->cost = json_get_double(top, "Total Cost", 0);
    ret->rows = json_get_double(top, "Plan Rows", 0);
    read_node(&reading, top, NULL);
    return true;
}

/* What is the statement's own fault must not look like a failure of the work. */
static bool
fail_plan(struct ctx *ctx)
{
    enum error_kind kind = ctx->error.kind;

    if (kind == ERR_CONNECTION || kind == ERR_INTERRUPTED || kind == ERR_TERMINATED)
        return error_wrap(ctx, "planning a statement");
    ctx->error.kind = ERR_FAILED;
    return false;
}

bool
whatif_stay_uncounted(struct ctx *ctx, struct whatif *whatif)
{
    if (db_set(ctx, whatif->db, "pg_stat_statements.track", "none"))
        return true;
    if (ctx->error.kind != ERR_RIGHTS)
        return false;
    whatif->is_counted = true;
    error_clear(ctx);
    return true;
}

/* EXPLAIN EXECUTE has the same text for all of them, and PREPARE is not counted. */
static bool
explain_prepared(
    struct ctx *ctx, struct whatif *whatif, const char *options, const char *sql, const char **ret)
{
    struct ctx scratch = { .arena = ctx->arena };
    bool is_good;

    if (!db_exec(ctx, whatif->db, arena_printf(ctx->arena, "PREPARE pgmend_what_if AS %s", sql)))
        return fail_plan(ctx);
    is_good = db_value(ctx, whatif->db,
        arena_printf(ctx->arena, "EXPLAIN (%s) EXECUTE pgmend_what_if", options), NULL, 0, ret);
    (void)!db_exec(&scratch, whatif->db, "DEALLOCATE pgmend_what_if");
    return is_good || fail_plan(ctx);
}

/*
 * Outside of any transaction block: one round trip, and the locks on its tables are gone with the
 * statement's end, so that nobody's ALTER TABLE waits while we think. The session is read-only.
 */
static bool
explain(
    struct ctx *ctx, struct whatif *whatif, const char *sql, bool wants_json, const char **ret_json)
{
    const char *options =
        wants_json || whatif->is_ambiguous ? "FORMAT JSON, VERBOSE" : "FORMAT JSON";
    const char *text = arena_printf(ctx->arena, "EXPLAIN (%s) %s", options, sql);

    if (whatif->is_counted) {
        if (!explain_prepared(ctx, whatif, options, sql, ret_json))
            return false;
    } else if (!db_value(ctx, whatif->db, text, NULL, 0, ret_json)) {
        return fail_plan(ctx);
    }
    if (!*ret_json)
        return error_set(ctx, ERR_FAILED, "the server gave no plan for the statement");
    return true;
}

bool
whatif_plan(struct ctx *ctx, struct whatif *whatif, const char *sql, const struct whatif_set *set,
    bool wants_json, struct whatif_plan *ret)
{
    const char *json = NULL;

    *ret = (struct whatif_plan){ 0 };
    if (!whatif->way->show(ctx, whatif, set))
        return error_wrap(ctx, "showing indexes to the planner");
    whatif->calls++;
    if (whatif->way->plan)
        return whatif->way->plan(ctx, whatif, sql, set, ret);
    if (!explain(ctx, whatif, sql, wants_json, &json) || !read_plan(ctx, whatif, json, ret))
        return false;
    ret->json = wants_json ? json : NULL;
    return true;
}
