#include "queries/detect/rerun.h"

#include <ctype.h>

#include "base/log.h"
#include "queries/detect/tally_part.h"
#include "sql.h"
#include "workload/traced_value.h"

#define MOST_ROWS "2000"

/* Of a statement, and of planning it. */
#define TIMEOUT "2s"

struct rerun {
    struct db *db;
    struct value_key key;
    struct rerun_counts *counts;
};

/* Where the keys of a loop were found. */
struct found {
    const struct sample_statement *statement; /* NULL: nowhere */
    size_t column;
    const char *name;
    size_t rows;
    size_t keys; /* index of the sample's */
    bool is_whole;
};

/* ---- what a statement may do ---- */

static bool
is_name_part(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* The name right before the parenthesis, without its quotes; NULL: there is none. */
static const char *
name_before(struct arena *arena, const char *line, const char *parenthesis)
{
    bool is_quoted = parenthesis > line && parenthesis[-1] == '"';
    const char *end = parenthesis - is_quoted;
    const char *start = end;

    while (start > line && (is_quoted ? start[-1] != '"' : is_name_part(start[-1])))
        start--;
    return start < end ? arena_strndup(arena, start, (size_t)(end - start)) : NULL;
}

/* What the plan calls, as an array of names. */
static const char *
called_names(struct arena *arena, const struct result *plan)
{
    struct text_list names = { 0 };
    struct buffer array = { .arena = arena };

    for (size_t i = 0; i < plan->rows; i++) {
        const char *line = result_cell(plan, i, 0);

        for (const char *at = line; (at = strchr(at, '(')) != NULL; at++) {
            const char *name = name_before(arena, line, at);

            if (name)
                text_list_add(arena, &names, name);
        }
    }
    buffer_add(&array, "{");
    for (size_t i = 0; i < names.count; i++) {
        buffer_add(&array, i > 0 ? ",\"" : "\"");
        for (const char *c = names.items[i]; *c; c++)
            buffer_printf(&array, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
        buffer_add(&array, "\"");
    }
    buffer_add(&array, "}");
    return buffer_text(&array);
}

/* The plan names all functions, those inside of views, too. */
static bool
is_safe(struct ctx *ctx, struct rerun *rerun, const char *sql, bool *ret)
{
    struct sql_queries_function_volatility_rows rows;
    struct result plan;
    const char *names;

    if (!db_query(ctx, rerun->db, arena_printf(ctx->arena, "EXPLAIN (VERBOSE, COSTS OFF) %s", sql),
            NULL, 0, &plan))
        return false;
    names = called_names(ctx->arena, &plan);
    if (!sql_queries_function_volatility(ctx, rerun->db, &rows, .names = names))
        return false;
    *ret = rows.count == 0;
    return true;
}

/* ---- running it ---- */

static bool
begin(struct ctx *ctx, struct rerun *rerun, struct db_transaction *transaction)
{
    return db_begin(ctx, rerun->db, "READ ONLY", transaction) &&
           db_exec(ctx, rerun->db, "SET LOCAL statement_timeout = '" TIMEOUT "'") &&
           db_use_own_path(ctx, rerun->db);
}

static bool
fetch(struct ctx *ctx, struct rerun *rerun, const char *sql, bool *ret_is_safe, struct result *ret)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    return begin(ctx, rerun, &transaction) && is_safe(ctx, rerun, sql, ret_is_safe) &&
           (!*ret_is_safe || (db_exec(ctx, rerun->db,
                                  arena_printf(ctx->arena,
                                      "DECLARE pgmend_parent NO SCROLL CURSOR FOR %s", sql)) &&
                                 db_query(ctx, rerun->db, "FETCH " MOST_ROWS " FROM pgmend_parent",
                                     NULL, 0, ret)));
}

/* False only when the connection is gone or we are to stop; *ret_done: there are rows to look at. */
static bool
run_statement(struct ctx *ctx, struct rerun *rerun, const struct sample_statement *statement,
    struct result *ret, bool *ret_done)
{
    uint64_t hashes[MOST_SLOTS] = { 0 };
    bool is_harmless = false;
    const char *sql = detected_statement_text(
        ctx->arena, statement->text, statement->values, hashes, statement->value_count);

    *ret_done = false;
    if (!sql)
        return true;
    if (!fetch(ctx, rerun, sql, &is_harmless, ret)) {
        if (!db_is_connected(rerun->db) || ctx->error.kind == ERR_INTERRUPTED ||
            ctx->error.kind == ERR_TERMINATED)
            return error_wrap(ctx, "running a parent again");
        log_debug("a parent could not be run again: %s", ctx->error.message);
        error_clear(ctx);
        rerun->counts->failed++;
        return true;
    }
    rerun->counts->unsafe += !is_harmless;
    rerun->counts->ran += is_harmless;
    *ret_done = is_harmless;
    return true;
}

/* ---- comparing ---- */

static uint64_t
hash_of(const struct rerun *rerun, const char *text)
{
    return text ? value_hash(&rerun->key, text, strlen(text)) : 0;
}

/* Whether the column holds the keys in order; *ret_last: the row of the last. */
static bool
holds(const struct rerun *rerun, const struct result *result, size_t column,
    const struct sample_keys *keys, bool *ret_is_whole)
{
    size_t row = 0;
    size_t skipped = 0;
    uint64_t last = 0;

    for (size_t i = 0; i < keys->count; i++) {
        uint64_t wanted = hash_of(rerun, keys->values[i]);
        size_t at = row;

        while (at < result->rows && hash_of(rerun, result_cell(result, at, column)) != wanted)
            at++;
        if (at == result->rows && (i == 0 || wanted != last))
            return false;
        if (at < result->rows) {
            skipped += at - row;
            row = at + 1;
        }
        last = wanted;
    }
    *ret_is_whole = skipped == 0 && row == result->rows;
    return keys->count > 0 && (skipped <= row / 2 || keys->count >= 6);
}

static bool
look_in(const struct rerun *rerun, const struct sample *sample, const struct result *result,
    struct found *ret)
{
    for (size_t i = 0; i < sample->key_count; i++)
        for (size_t column = 0; column < result->columns; column++)
            if (holds(rerun, result, column, &sample->keys[i], &ret->is_whole)) {
                ret->column = column;
                ret->name = result->names[column];
                ret->rows = result->rows;
                ret->keys = i;
                return true;
            }
    return false;
}

static bool
look_at_sample(struct ctx *ctx, struct rerun *rerun, const struct sample *sample, struct found *ret)
{
    for (size_t i = 0; i < sample->before_count && !ret->statement; i++) {
        struct result result;
        bool is_done;

        if (!run_statement(ctx, rerun, &sample->before[i], &result, &is_done))
            return false;
        if (is_done && look_in(rerun, sample, &result, ret))
            ret->statement = &sample->before[i];
    }
    return true;
}

/* ---- what is known now ---- */

static void
set_parent(struct ctx *ctx, const struct sample *sample, const struct found *found,
    struct query_finding *finding)
{
    const struct sample_statement *statement = found->statement;
    const struct sample_keys *keys = &sample->keys[found->keys];
    bool is_known =
        finding->has_parent && text_equal(finding->parent.fingerprint, statement->fingerprint);

    if (!is_known) {
        struct query_slot *slots =
            ARENA_ARRAY(ctx->arena, struct query_slot, statement->value_count + 1);

        for (size_t i = 0; i < statement->value_count; i++)
            slots[i] = (struct query_slot){ .origin = SLOT_CONSTANT,
                .column = -1,
                .text = statement->values[i],
                .is_bound = true };
        finding->parent = (struct query_parent){
            .fingerprint = statement->fingerprint,
            .text = statement->text,
            .slots = slots,
            .slot_count = statement->value_count,
        };
    }
    finding->kind = FOUND_N_PLUS_ONE;
    finding->has_parent = true;
    finding->provenance = PROVENANCE_RERUN;
    finding->parent.key_column = (int32_t)found->column;
    finding->parent.key_name = arena_strdup(ctx->arena, found->name);
    finding->parent.rows_mean = (double)found->rows;
    finding->confidence = found->is_whole ? 0.93 : 0.85;
    finding->why = arena_printf(ctx->arena,
        "The statement before the loop was run again: its column \"%s\" holds the values that the "
        "loop asked for, %s.",
        found->name, found->is_whole ? "each of them, in order" : "in order, with some left out");
    for (size_t i = 0; i < sample->key_count; i++) {
        const struct sample_keys *other = &sample->keys[i];
        bool is_same = other->count == keys->count;

        for (size_t j = 0; j < other->count && is_same; j++)
            is_same = text_equal(other->values[j], keys->values[j]);
        if (!is_same || other->child >= finding->child_count)
            continue;
        finding->children[other->child].slots[other->slot].origin = SLOT_KEY;
        finding->children[other->child].slots[other->slot].column = (int32_t)found->column;
    }
    finding->id = query_finding_id(ctx->arena, finding);
}

/* Order and names spoke for a parent, and its rows do not. */
static void
doubt(struct query_finding *finding)
{
    if (finding->provenance != PROVENANCE_ORDER)
        return;
    finding->confidence = 0.4;
    finding->why = "The parent stood before the loop and is named like what it looks for, but run "
                   "again it did not hold the values: rows may have changed since.";
}

bool
rerun_parents(struct ctx *ctx, struct db *db, const struct samples *samples,
    struct query_findings *findings, struct rerun_counts *ret)
{
    struct rerun rerun = { .db = db, .counts = ret };

    *ret = (struct rerun_counts){ 0 };
    value_key_make(&rerun.key);
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = &samples->items[i];
        struct query_finding *finding = &findings->items[sample->finding];
        int64_t ran = ret->ran;
        struct found found = { 0 };

        if (finding->provenance == PROVENANCE_RERUN)
            continue;
        if (!look_at_sample(ctx, &rerun, sample, &found))
            return false;
        if (found.statement) {
            set_parent(ctx, sample, &found, finding);
            ret->proven++;
        } else if (ret->ran > ran) {
            doubt(finding);
        }
    }
    return true;
}
