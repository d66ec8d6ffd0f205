/*
 * Hypothetical indexes of HypoPG: they exist in our session alone, and in a read-only one too, also on a
 * standby. What the next plan shall not see is dropped, what it shall see is made: the difference, in one
 * round trip.
 *
 * HypoPG reckons sizes itself, without the B-tree's deduplication, and cannot be told others; measured, it
 * says 1.5 to 4.3 times the size. Costs differ less: by 8 % at most for single rows. Sizes that we show and
 * that budgets count are facts_index_size()'s.
 */
#include "db/ident.h"
#include "index/whatif/way.h"
#include "sql.h"

static const char limit_ms[] = "2000";

struct hypothetical {
    const char *statement;
    uint32_t oid; /* 0: not there now */
    bool is_wanted;
};

struct hypopg {
    const char *schema;
    VEC(struct hypothetical) items; /* by number - 1 */
    VEC(uint32_t) live;             /* numbers */
    VEC(uint32_t) hidden;           /* oids of real ones */
};

static bool
check_extension(struct ctx *ctx, const struct sql_index_hypopg_extension *row)
{
    if (row->schema)
        return true;
    if (row->available) {
        error_set(ctx, ERR_UNSUPPORTED, "HypoPG %s is on the server but not in this database",
            row->available);
        return error_hint(ctx,
            "CREATE EXTENSION hypopg; makes it available. It changes no data, and "
            "pgmend does not do it unasked.");
    }
    error_set(ctx, ERR_UNSUPPORTED, "HypoPG is not installed on the server");
    return error_hint(ctx, "Install the package postgresql-N-hypopg on the server, then CREATE "
                           "EXTENSION hypopg; in this database.");
}

/* What we ask for ourselves has to come before: from here on the application's path decides what "=" is. */
static bool
take_path(struct ctx *ctx, struct whatif *whatif, const struct whatif_options *options)
{
    struct sql_index_hypopg_session_rows ignored;

    return sql_index_hypopg_session(
        ctx, whatif->db, &ignored, .path = options->path, .limit_ms = limit_ms);
}

static bool
open_hypopg(struct ctx *ctx, struct whatif *whatif, const struct whatif_options *options)
{
    struct db_options session = { .application = "pgmend/what if", .access = ACCESS_READ };
    struct hypopg *hypopg = ARENA_NEW(whatif->arena, struct hypopg);
    struct sql_index_hypopg_extension_rows rows;

    whatif->way_data = hypopg;
    if (!db_open_like(ctx, options->db, &session, &whatif->db) ||
        !whatif_stay_uncounted(ctx, whatif) ||
        !sql_index_hypopg_extension(ctx, whatif->db, &rows) ||
        !check_extension(ctx, &rows.items[0]) || !take_path(ctx, whatif, options))
        return false;
    hypopg->schema = arena_strdup(whatif->arena, rows.items[0].schema);
    whatif->can_hide = rows.items[0].can_hide;
    whatif->text = arena_printf(whatif->arena, "HypoPG %s", rows.items[0].version);
    text_list_add(whatif->arena, &whatif->notes,
        "HypoPG plans with sizes that leave out deduplication: indexes with many equal keys look "
        "dearer to the planner than they would be");
    return true;
}

static void
close_hypopg(struct whatif *whatif)
{
    db_cleanup(&whatif->db);
}

static bool
is_known_method(const char *method)
{
    return text_equal(method, "btree") || text_equal(method, "hash") ||
           text_equal(method, "brin") || text_equal(method, "bloom");
}

/* Whether the session can go on; else the error is more than the index's. */
static bool
is_own_fault(const struct ctx *ctx)
{
    return ctx->error.kind != ERR_CONNECTION && ctx->error.kind != ERR_INTERRUPTED &&
           ctx->error.kind != ERR_TERMINATED;
}

/* Made once and dropped, so that what the server refuses is known before it is in a set. */
static bool
try_once(struct ctx *ctx, struct whatif *whatif, const char *statement, const char **ret_problem)
{
    const struct hypopg *hypopg = whatif->way_data;
    const char *params[] = { statement };
    const char *sql = arena_printf(ctx->arena,
        "SELECT %s.hypopg_drop_index(h.indexrelid) FROM %s.hypopg_create_index($1) h",
        hypopg->schema, hypopg->schema);
    const char *is_made = NULL;

    if (db_value(ctx, whatif->db, sql, params, COUNT_OF(params), &is_made)) {
        *ret_problem = is_made ? NULL : "HypoPG did not make it";
        return true;
    }
    if (!is_own_fault(ctx))
        return error_wrap(ctx, "making a hypothetical index");
    *ret_problem = ctx->error.message;
    error_clear(ctx);
    return true;
}

static bool
add_hypopg(struct ctx *ctx, struct whatif *whatif, const struct index_candidate *candidate,
    int64_t bytes, uint32_t *ret_number, const char **ret_problem)
{
    struct hypopg *hypopg = whatif->way_data;
    const char *statement = arena_printf(
        whatif->arena, "CREATE INDEX ON %s %s", candidate->table->qualified, candidate->definition);

    (void)bytes;
    if (!is_known_method(candidate->method)) {
        *ret_problem =
            arena_printf(ctx->arena, "HypoPG does not know the method %s", candidate->method);
        return true;
    }
    if (!try_once(ctx, whatif, statement, ret_problem))
        return false;
    if (*ret_problem)
        return true;
    VEC_PUSH(whatif->arena, &hypopg->items, (struct hypothetical){ .statement = statement });
    *ret_number = (uint32_t)hypopg->items.count;
    return true;
}

/* One statement's parts; the lists are parameters, so that its text is one of few. */
struct difference {
    struct buffer sql;
    struct buffer dropped;  /* array of oids */
    struct buffer made_sql; /* array of statements */
    VEC(uint32_t) made;     /* numbers, in the order of the array */
};

static void
add_part(struct difference *difference, const char *part)
{
    if (difference->sql.length > 0)
        buffer_add(&difference->sql, " UNION ALL ");
    buffer_add(&difference->sql, part);
}

/* An item of an array's text. */
static void
add_item(struct buffer *list, const char *text)
{
    buffer_add(list, list->length > 0 ? ",\"" : "{\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buffer_append(list, "\\", 1);
        buffer_append(list, text, 1);
    }
    buffer_append(list, "\"", 1);
}

static void
add_drops(struct ctx *ctx, const struct hypopg *hypopg, struct difference *difference)
{
    for (size_t i = 0; i < hypopg->live.count; i++) {
        const struct hypothetical *item = &hypopg->items.items[hypopg->live.items[i] - 1];

        if (!item->is_wanted)
            add_item(&difference->dropped, arena_printf(ctx->arena, "%u", item->oid));
    }
    add_part(difference, arena_printf(ctx->arena,
                             "SELECT 0::pg_catalog.int8 AS n, 0::pg_catalog.oid AS o"
                             " FROM pg_catalog.unnest($1::pg_catalog.oid[]) o"
                             " WHERE %s.hypopg_drop_index(o) IS NULL",
                             hypopg->schema));
}

static void
add_makings(struct ctx *ctx, const struct hypopg *hypopg, const struct whatif_set *set,
    struct difference *difference)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct hypothetical *item = &hypopg->items.items[set->numbers[i] - 1];

        if (item->oid != 0)
            continue;
        add_item(&difference->made_sql, item->statement);
        VEC_PUSH(ctx->arena, &difference->made, set->numbers[i]);
    }
    add_part(difference, arena_printf(ctx->arena,
                             "SELECT c.n, h.indexrelid"
                             " FROM pg_catalog.unnest($2::pg_catalog.text[])"
                             " WITH ORDINALITY c(s, n), LATERAL %s.hypopg_create_index(c.s) h",
                             hypopg->schema));
}

static bool
is_hidden_in(const struct whatif_set *set, uint32_t oid)
{
    for (size_t i = 0; i < set->hidden_count; i++)
        if (set->hidden[i]->oid == oid)
            return true;
    return false;
}

static void
add_call(struct ctx *ctx, const struct hypopg *hypopg, const char *function, uint32_t oid,
    struct difference *difference)
{
    add_part(difference, arena_printf(ctx->arena,
                             "SELECT 0::pg_catalog.int8, 0::pg_catalog.oid WHERE %s.%s(%u) IS NULL",
                             hypopg->schema, function, oid));
}

/* Real indexes are hidden by a call of their own each: there are few. True: there is anything to do. */
static bool
add_hiding(struct ctx *ctx, const struct hypopg *hypopg, const struct whatif_set *set,
    struct difference *difference)
{
    size_t length = difference->sql.length;

    for (size_t i = 0; i < hypopg->hidden.count; i++)
        if (!is_hidden_in(set, hypopg->hidden.items[i]))
            add_call(ctx, hypopg, "hypopg_unhide_index", hypopg->hidden.items[i], difference);
    for (size_t i = 0; i < set->hidden_count; i++) {
        bool is_there = false;

        for (size_t k = 0; k < hypopg->hidden.count; k++)
            is_there = is_there || hypopg->hidden.items[k] == set->hidden[i]->oid;
        if (!is_there)
            add_call(ctx, hypopg, "hypopg_hide_index", set->hidden[i]->oid, difference);
    }
    return difference->sql.length > length;
}

static void
mark_wanted(struct hypopg *hypopg, const struct whatif_set *set, bool is_wanted)
{
    for (size_t i = 0; i < set->count; i++)
        hypopg->items.items[set->numbers[i] - 1].is_wanted = is_wanted;
}

/* HypoPG's indexes are no part of a transaction: after a failure nobody knows which are there. */
static bool
start_anew(struct ctx *ctx, struct whatif *whatif)
{
    struct hypopg *hypopg = whatif->way_data;
    struct ctx scratch = { .arena = ctx->arena };

    for (size_t i = 0; i < hypopg->items.count; i++)
        hypopg->items.items[i].oid = 0;
    hypopg->live.count = 0;
    hypopg->hidden.count = 0;
    (void)!db_exec(
        &scratch, whatif->db, arena_printf(ctx->arena, "SELECT %s.hypopg_reset()", hypopg->schema));
    return false;
}

static bool
take_made(struct ctx *ctx, struct hypopg *hypopg, const struct difference *difference,
    const struct result *result)
{
    if (result->rows != difference->made.count)
        return error_set(ctx, ERR_FAILED, "HypoPG made %zu of %zu hypothetical indexes",
            result->rows, difference->made.count);
    for (size_t row = 0; row < result->rows; row++) {
        int64_t position = 0;
        int64_t oid = 0;

        (void)text_to_int64(result_cell(result, row, 0), &position);
        (void)text_to_int64(result_cell(result, row, 1), &oid);
        if (position < 1 || (size_t)position > difference->made.count || oid <= 0)
            return error_set(ctx, ERR_FAILED, "HypoPG gave no number for a hypothetical index");
        hypopg->items.items[difference->made.items[position - 1] - 1].oid = (uint32_t)oid;
    }
    return true;
}

/* The lists follow what the server did. */
static void
settle(struct whatif *whatif, const struct whatif_set *set)
{
    struct hypopg *hypopg = whatif->way_data;

    for (size_t i = 0; i < hypopg->live.count; i++) {
        struct hypothetical *item = &hypopg->items.items[hypopg->live.items[i] - 1];

        if (!item->is_wanted)
            item->oid = 0;
    }
    hypopg->live.count = 0;
    for (size_t i = 0; i < set->count; i++)
        VEC_PUSH(whatif->arena, &hypopg->live, set->numbers[i]);
    hypopg->hidden.count = 0;
    for (size_t i = 0; i < set->hidden_count; i++)
        VEC_PUSH(whatif->arena, &hypopg->hidden, set->hidden[i]->oid);
}

static bool
run_difference(struct ctx *ctx, struct whatif *whatif, const struct whatif_set *set)
{
    struct hypopg *hypopg = whatif->way_data;
    struct difference difference = { .sql = { .arena = ctx->arena },
        .dropped = { .arena = ctx->arena },
        .made_sql = { .arena = ctx->arena } };
    struct result result = { 0 };

    add_drops(ctx, hypopg, &difference);
    add_makings(ctx, hypopg, set, &difference);
    if (!add_hiding(ctx, hypopg, set, &difference) && difference.dropped.length == 0 &&
        difference.made.count == 0)
        return true;

    const char *params[] = {
        difference.dropped.length > 0 ? arena_printf(ctx->arena, "%s}", difference.dropped.data)
                                      : "{}",
        difference.made.count > 0 ? arena_printf(ctx->arena, "%s}", difference.made_sql.data)
                                  : "{}",
    };

    return db_query(
               ctx, whatif->db, buffer_text(&difference.sql), params, COUNT_OF(params), &result) &&
           take_made(ctx, hypopg, &difference, &result);
}

static bool
show_hypopg(struct ctx *ctx, struct whatif *whatif, const struct whatif_set *set)
{
    struct hypopg *hypopg = whatif->way_data;
    bool is_good;

    if (set->hidden_count > 0 && !whatif->can_hide) {
        error_set(ctx, ERR_UNSUPPORTED, "%s cannot hide an index that is there", whatif->text);
        return error_hint(ctx, "HypoPG 1.4 can, and a scratch server can.");
    }
    mark_wanted(hypopg, set, true);
    is_good = run_difference(ctx, whatif, set);
    if (is_good)
        settle(whatif, set);
    mark_wanted(hypopg, set, false);
    return is_good || start_anew(ctx, whatif);
}

/* They are called "<13556>btree_t_a"; no live one, no number. */
static uint32_t
number_of_hypopg(const struct whatif *whatif, const char *schema, const char *name)
{
    const struct hypopg *hypopg = whatif->way_data;
    char *end = NULL;

    (void)schema;
    if (name[0] != '<')
        return 0;

    unsigned long oid = strtoul(name + 1, &end, 10);

    if (*end != '>')
        return 0;
    for (size_t i = 0; i < hypopg->live.count; i++)
        if (hypopg->items.items[hypopg->live.items[i] - 1].oid == oid)
            return hypopg->live.items[i];
    return 0;
}

const struct whatif_way_table whatif_hypopg = {
    .name = "HypoPG",
    .open = open_hypopg,
    .close = close_hypopg,
    .add = add_hypopg,
    .can_hide = false,
    .show = show_hypopg,
    .number_of = number_of_hypopg,
};
