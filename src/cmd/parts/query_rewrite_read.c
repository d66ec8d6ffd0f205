/* Findings, or options, as loops. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/json.h"
#include "cmd/parts/query_rewrite.h"
#include "db/db.h"
#include "lang/sql.h"
#include "queries/trace/trace_file.h"
#include "sql.h"

bool
query_rewrite_text(struct ctx *ctx, const char *given, const char **ret)
{
    size_t length;
    char *text;

    if (*given != '@') {
        *ret = given;
        return true;
    }
    if (!file_read(ctx, given + 1, ret, &length))
        return false;
    if (!text_is_utf8(*ret) || strlen(*ret) != length)
        return error_set(ctx, ERR_INPUT, "%s is no text in UTF-8", given + 1);
    text = arena_strdup(ctx->arena, *ret);
    while (length > 0 && strchr(" \t\r\n;", text[length - 1]))
        text[--length] = '\0';
    *ret = text;
    return true;
}

/* ---- --value ---- */

struct value {
    int64_t child; /* from 1; 0: the parent */
    int64_t slot;  /* from 1 */
    const char *text;
};

static bool
read_value(struct ctx *ctx, const char *given, bool has_parent, struct value *ret)
{
    size_t length = strcspn(given, "=");
    const char *place = arena_strndup(ctx->arena, given, length);
    const char *point = strchr(place, '.');
    bool is_good = given[length] == '=';

    *ret = (struct value){ .text = given + length + 1, .child = has_parent ? 0 : 1 };
    if (point)
        is_good =
            is_good &&
            text_to_int64(arena_strndup(ctx->arena, place, (size_t)(point - place)), &ret->child) &&
            text_to_int64(point + 1, &ret->slot) && ret->child >= 1;
    else
        is_good = is_good && text_to_int64(place, &ret->slot);
    if (is_good && ret->slot >= 1)
        return true;
    return error_set(ctx, ERR_USAGE,
        "--value \"%s\": expected N=VALUE for $N of the parent, or C.N=VALUE for $N of statement C",
        place);
}

static bool
place_value(struct ctx *ctx, const struct value *value, struct query_loop *loop)
{
    const struct rewrite_input *input = &loop->input;
    const struct query_slot *from = input->parent_slots;
    size_t count = input->parent_slot_count;
    struct query_slot *slot;
    int64_t parent;

    if (value->child > (int64_t)input->child_count)
        return error_set(ctx, ERR_USAGE, "--value: the loop has %zu statements, not %" PRId64,
            input->child_count, value->child);
    if (value->child > 0) {
        from = input->children[value->child - 1].slots;
        count = input->children[value->child - 1].slot_count;
    }
    if (value->slot > (int64_t)count)
        return error_set(ctx, ERR_USAGE, "--value: %s has no $%" PRId64,
            value->child ? "that statement" : "the parent", value->slot);
    slot = (struct query_slot *)(uintptr_t)&from[value->slot - 1];
    if (value->child > 0 && slot->origin == SLOT_KEY)
        return error_set(ctx, ERR_USAGE,
            "--value: $%" PRId64 " is the key; values of it are given with --try", value->slot);
    if (value->child > 0 && value->text[0] == '$' && text_to_int64(value->text + 1, &parent)) {
        if (parent < 1 || parent > (int64_t)input->parent_slot_count)
            return error_set(ctx, ERR_USAGE, "--value: the parent has no %s", value->text);
        *slot = (struct query_slot){
            .origin = SLOT_PARAM, .column = (int32_t)parent - 1, .is_bound = true
        };
        return true;
    }
    slot->text = value->text;
    if (slot->origin == SLOT_VARIES)
        slot->origin = SLOT_CONSTANT;
    return true;
}

/* Whether --value says what $slot of a statement is: then nothing is guessed of it. */
static bool
is_told(struct ctx *ctx, const struct query_rewrite_options *opts, size_t child, size_t slot)
{
    const char *start = arena_printf(ctx->arena, "%zu.%zu=", child + 1, slot + 1);

    for (size_t i = 0; i < opts->value.count; i++)
        if (strncmp(opts->value.items[i], start, strlen(start)) == 0)
            return true;
    return false;
}

/* What stands for $number in an example of a template; NULL: it cannot be told. */
static const char *
value_in(struct ctx *ctx, const char *template, const char *sql, size_t number)
{
    const char *param = arena_printf(ctx->arena, "$%zu", number);
    struct sql_tokens masked;
    struct sql_tokens tokens;

    if (!sql || !sql_tokens(ctx, template, &masked) || !sql_tokens(ctx, sql, &tokens)) {
        error_clear(ctx);
        return NULL;
    }
    for (size_t i = 0; i < masked.count && masked.count == tokens.count; i++) {
        const struct sql_token *from = &masked.items[i];
        const struct sql_token *to = &tokens.items[i];

        if (text_equal(
                arena_strndup(ctx->arena, template + from->start, from->end - from->start), param))
            return arena_strndup(ctx->arena, sql + to->start, to->end - to->start);
    }
    return NULL;
}

/* Whether an example of the finding has another value in the parent: then that they are equal in one is chance. */
static bool
is_disproved(
    struct ctx *ctx, const struct query_loop *loop, const struct query_slot *slots, size_t slot)
{
    const struct rewrite_input *input = &loop->input;

    for (size_t i = 0; i < input->parent_slot_count; i++) {
        if (!text_equal(input->parent_slots[i].text, slots[slot].text))
            continue;
        for (size_t k = 0; k < loop->finding->example_count; k++) {
            const struct query_example *example = &loop->finding->examples[k];
            const char *of_parent = value_in(ctx, input->parent_sql, example->parent_sql, i + 1);
            const char *of_child =
                value_in(ctx, input->children[0].sql, example->child_sql, slot + 1);

            if (of_parent && of_child && !text_equal(of_parent, of_child))
                return true;
        }
    }
    return false;
}

/*
 * Values in a trace say what they were, not where the application had them from. Examples are of the first
 * statement; what is only known of others is told, and may be set right by --value.
 */
static void
share_values(struct ctx *ctx, const struct query_rewrite_options *opts, struct query_loop *loop)
{
    for (size_t i = 0; i < loop->input.child_count; i++) {
        const struct rewrite_child *child = &loop->input.children[i];
        struct query_slot *slots = (struct query_slot *)(uintptr_t)child->slots;
        struct query_slot *before =
            ARENA_ARRAY(ctx->arena, struct query_slot, child->slot_count + 1);
        bool *is_left = ARENA_ARRAY(ctx->arena, bool, child->slot_count + 1);

        for (size_t k = 0; k < child->slot_count; k++) {
            before[k] = slots[k];
            is_left[k] = is_told(ctx, opts, i, k) ||
                         (i == 0 && slots[k].is_bound && is_disproved(ctx, loop, slots, k));
            if (is_left[k])
                slots[k].text = NULL;
        }
        rewrite_share_values(ctx->arena, &loop->input, slots, i, &loop->shared);
        for (size_t k = 0; k < child->slot_count; k++)
            if (is_left[k])
                slots[k] = before[k];
    }
}

static bool
place_values(struct ctx *ctx, const struct query_rewrite_options *opts, struct query_loop *loop)
{
    for (size_t i = 0; i < opts->value.count; i++) {
        struct value value;

        if (!read_value(ctx, opts->value.items[i], loop->input.parent_sql, &value) ||
            !place_value(ctx, &value, loop))
            return false;
    }
    return true;
}

/* ---- findings ---- */

static void
take_key(struct ctx *ctx, struct query_loop *loop, const struct query_slot *slot)
{
    bool is_key =
        slot->origin == SLOT_KEY || (slot->origin == SLOT_VARIES && !loop->input.parent_sql);

    if (!is_key || !slot->text)
        return;
    loop->has_values = true;
    if (slot->column == loop->input.key_column || slot->origin == SLOT_VARIES)
        text_list_add(ctx->arena, &loop->keys, slot->text);
}

static void
loop_of_finding(struct ctx *ctx, const struct query_finding *finding, struct query_loop *ret)
{
    struct rewrite_child *children =
        ARENA_ARRAY(ctx->arena, struct rewrite_child, finding->child_count + 1);

    *ret = (struct query_loop){ .id = finding->id, .finding = finding };
    if (finding->has_parent && finding->parent.text) {
        ret->input.parent_sql = finding->parent.text;
        ret->input.parent_slots = finding->parent.slots;
        ret->input.parent_slot_count = finding->parent.slot_count;
        ret->input.key_column = finding->parent.key_column;
    }
    for (size_t i = 0; i < finding->child_count; i++) {
        const struct query_child *child = &finding->children[i];

        children[i] = (struct rewrite_child){ child->text, child->slots, child->slot_count };
        for (size_t k = 0; k < child->slot_count; k++)
            take_key(ctx, ret, &child->slots[k]);
    }
    ret->input.children = children;
    ret->input.child_count = finding->child_count;
}

/* Why a finding has nothing to be rewritten; NULL: it has. */
static const char *
why_left_out(const struct query_finding *finding)
{
    switch (finding->kind) {
    case FOUND_DUPLICATE:
        return "the very same statement again: ask once and keep the answer";
    case FOUND_SUSPECT:
        return "only counters are known of it: see the statements with pgmend queries trace";
    case FOUND_N_PLUS_ONE:
    case FOUND_LOOP:
    case QUERY_FINDING_KIND_COUNT:
        break;
    }
    return text_equal(finding->statement_kind, "write")
               ? "its statements write: send them as one INSERT or UPDATE of many rows"
               : NULL;
}

static bool
check_ids(struct ctx *ctx, const struct run *run, const struct query_findings *findings)
{
    for (size_t i = 1; i < run->operands.count; i++) {
        bool is_found = false;

        for (size_t k = 0; k < findings->count; k++)
            is_found |= text_equal(findings->items[k].id, run->operands.items[i]);
        if (!is_found)
            return error_set(ctx, ERR_NOT_FOUND, "%s has no finding %s", run->operands.items[0],
                run->operands.items[i]);
    }
    return true;
}

static bool
is_wanted(const struct run *run, const char *id)
{
    for (size_t i = 1; i < run->operands.count; i++)
        if (text_equal(run->operands.items[i], id))
            return true;
    return run->operands.count <= 1;
}

/* What is easily mistaken for findings. */
static bool
check_file(struct ctx *ctx, const char *path)
{
    struct stat status;
    bool is_empty;

    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return true;
    is_empty = status.st_size == 0;
    if (is_empty)
        error_set(ctx, ERR_INPUT, "%s is empty: there are no findings in it", path);
    else if (trace_file_is(path))
        error_set(ctx, ERR_INPUT, "%s is a trace; findings are wanted, which are made of it", path);
    else
        return true;
    return error_hint(
        ctx, "pgmend queries nplusone %s --output findings.json", is_empty ? "TRACE" : path);
}

static bool
read_findings(struct ctx *ctx, struct run *run, struct query_loops *ret)
{
    const char *path = run->operands.items[0];
    struct query_findings *findings = ARENA_NEW(ctx->arena, struct query_findings);
    json_t *json CLEANUP(json_release) = NULL;

    if (!check_file(ctx, path) || !json_read_file(ctx, path, &json) ||
        !query_findings_read(ctx, path, json, findings) || !check_ids(ctx, run, findings))
        return false;
    for (size_t i = 0; i < findings->count; i++) {
        const struct query_finding *finding = &findings->items[i];
        const char *why = why_left_out(finding);
        struct query_loop loop;

        if (!is_wanted(run, finding->id))
            continue;
        if (why) {
            text_list_add(
                ctx->arena, &ret->left_out, arena_printf(ctx->arena, "%s: %s", finding->id, why));
            continue;
        }
        loop_of_finding(ctx, finding, &loop);
        VEC_PUSH(ctx->arena, ret, loop);
    }
    return true;
}

/* ---- options ---- */

static bool
count_params(struct ctx *ctx, const char *what, const char *sql, size_t *ret)
{
    struct sql_tokens tokens;

    *ret = 0;
    if (!sql_tokens(ctx, sql, &tokens))
        return error_wrap(ctx, "%s", what);
    for (size_t i = 0; i < tokens.count; i++) {
        const struct sql_token *token = &tokens.items[i];
        int64_t number;

        if (token->kind == SQL_PARAM &&
            text_to_int64(
                arena_strndup(ctx->arena, sql + token->start + 1, token->end - token->start - 1),
                &number) &&
            number > 0 && number <= 1000 && (size_t)number > *ret)
            *ret = (size_t)number;
    }
    return true;
}

static struct query_slot *
slots_new(struct ctx *ctx, size_t count, bool has_key)
{
    struct query_slot *slots = ARENA_ARRAY(ctx->arena, struct query_slot, count + 1);

    for (size_t i = 0; i < count; i++)
        slots[i] = (struct query_slot){
            .origin = has_key && i == 0 ? SLOT_KEY : SLOT_CONSTANT,
            .column = 0,
            .is_bound = true,
        };
    return slots;
}

/* The place of a column of the parent by its name, as the server names it. */
static bool
find_key_column(struct ctx *ctx, struct run *run, const char *key, struct rewrite_input *input)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char **nulls = ARENA_ARRAY(ctx->arena, const char *, input->parent_slot_count + 1);
    struct sql_queries_rewrite_settings_rows ignored;
    struct result result;
    int64_t number;

    if (text_to_int64(key, &number)) {
        input->key_column = (int32_t)number - 1;
        return (number >= 1 && number <= 1600) ||
               error_set(ctx, ERR_USAGE, "--key %s: columns are counted from 1", key);
    }
    if (!db_begin(ctx, run->db, "READ ONLY", &transaction) ||
        !sql_queries_rewrite_settings(ctx, run->db, &ignored, .timeout = "5000") ||
        !db_query(ctx, run->db,
            arena_printf(ctx->arena, "SELECT * FROM (\n%s\n) AS parent LIMIT 0", input->parent_sql),
            nulls, input->parent_slot_count, &result))
        return error_wrap(ctx, "--parent");
    for (size_t i = 0; i < result.columns; i++)
        if (text_equal(result.names[i], key)) {
            input->key_column = (int32_t)i;
            return true;
        }
    return error_set(ctx, ERR_USAGE, "--key %s: the parent has no such column", key);
}

static bool
read_parent(struct ctx *ctx, struct run *run, struct query_loop *loop)
{
    const struct query_rewrite_options *opts = run->options;
    struct rewrite_input *input = &loop->input;

    if (!opts->parent)
        return !opts->key || error_set(ctx, ERR_USAGE, "--key is a column of --parent");
    if (!opts->key)
        return error_set(
            ctx, ERR_USAGE, "--key is missing: which column of the parent the loop asks by");
    if (!query_rewrite_text(ctx, opts->parent, &input->parent_sql) ||
        !count_params(ctx, "--parent", input->parent_sql, &input->parent_slot_count))
        return false;
    input->parent_slots = slots_new(ctx, input->parent_slot_count, false);
    return find_key_column(ctx, run, opts->key, input);
}

static bool
read_options(struct ctx *ctx, struct run *run, struct query_loops *ret)
{
    const struct query_rewrite_options *opts = run->options;
    struct query_loop loop = { .has_values = true };
    struct rewrite_child *children =
        ARENA_ARRAY(ctx->arena, struct rewrite_child, opts->child.count + 1);

    if (!read_parent(ctx, run, &loop))
        return false;
    for (size_t i = 0; i < opts->child.count; i++) {
        const char *what = arena_printf(ctx->arena, "--child %zu", i + 1);
        struct query_slot *slots;

        if (!query_rewrite_text(ctx, opts->child.items[i], &children[i].sql) ||
            !count_params(ctx, what, children[i].sql, &children[i].slot_count))
            return false;
        if (children[i].slot_count == 0) {
            json_t *tree CLEANUP(json_release) = NULL;

            if (!sql_parse(ctx, children[i].sql, &tree))
                return error_wrap(ctx, "%s", what);
            error_set(ctx, ERR_USAGE, "%s has no $1", what);
            return error_hint(ctx, "Write the value that varies as $1: … WHERE dialog_id = $1");
        }
        slots = slots_new(ctx, children[i].slot_count, true);
        slots[0].column = loop.input.key_column;
        children[i].slots = slots;
    }
    loop.input.children = children;
    loop.input.child_count = opts->child.count;
    VEC_PUSH(ctx->arena, ret, loop);
    return true;
}

static bool
check_usage(struct ctx *ctx, const struct run *run)
{
    const struct query_rewrite_options *opts = run->options;
    bool has_options = opts->parent || opts->child.count > 0 || opts->key;

    if (run->operands.count > 0 && has_options)
        return error_set(
            ctx, ERR_USAGE, "give a file of findings, or --parent and --child; not both");
    if (run->operands.count == 0 && opts->child.count == 0) {
        error_set(
            ctx, ERR_USAGE, "there is nothing to rewrite: a file of findings, or --child SQL");
        return error_hint(ctx, "pgmend queries nplusone TRACE --output findings.json");
    }
    if (opts->plan && !opts->function)
        return error_set(ctx, ERR_USAGE, "--plan needs --function NAME, the function that is made");
    if (opts->function && !opts->plan)
        return error_set(ctx, ERR_USAGE, "--function belongs to --plan FILE");
    if (opts->keys < 1 || opts->keys > 10000)
        return error_set(ctx, ERR_USAGE, "--keys is 1 to 10000");
    if (opts->rounds < 1 || opts->rounds > 1000)
        return error_set(ctx, ERR_USAGE, "--rounds is 1 to 1000");
    if (opts->timeout < 1000)
        return error_set(ctx, ERR_USAGE, "--timeout is at least 1ms");
    return true;
}

/*
 * --set holds from the first word to the server on: a policy may read it when the statements are
 * prepared. Each transaction sets its own search_path, for which the name below stands.
 */
static bool
set_settings(struct ctx *ctx, struct run *run)
{
    const struct query_rewrite_options *opts = run->options;

    for (size_t i = 0; i < opts->set.count; i++) {
        const char *text = opts->set.items[i];
        size_t length = strcspn(text, "=");
        const char *name = arena_strndup(ctx->arena, text, length);
        const char *params[] = { strcasecmp(name, "search_path") == 0 ? "pgmend.search_path" : name,
            text + length + 1 };
        const char *ignored;

        if (length == 0 || text[length] == '\0')
            return error_set(ctx, ERR_USAGE, "--set \"%s\": expected NAME=VALUE", text);
        if (db_value(ctx, run->db, "SELECT pg_catalog.set_config($1, $2, false)", params,
                COUNT_OF(params), &ignored))
            continue;
        if (ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED)
            return false;
        return error_set(ctx, ERR_USAGE, "--set %s: %s", name, ctx->error.message);
    }
    return true;
}

bool
query_rewrite_read(struct ctx *ctx, struct run *run, struct query_loops *ret)
{
    const struct query_rewrite_options *opts = run->options;

    *ret = (struct query_loops){ 0 };
    if (!check_usage(ctx, run) || !set_settings(ctx, run) ||
        !(run->operands.count > 0 ? read_findings(ctx, run, ret) : read_options(ctx, run, ret)))
        return false;
    for (size_t i = 0; i < ret->count; i++) {
        for (size_t k = 0; k < opts->try.count; k++)
            text_list_add(ctx->arena, &ret->items[i].keys, opts->try.items[k]);
        if (run->operands.count > 0 && ret->items[i].input.parent_sql)
            share_values(ctx, opts, &ret->items[i]);
        if (!place_values(ctx, opts, &ret->items[i]))
            return false;
    }
    if ((opts->with || opts->plan) && ret->count != 1) {
        error_set(ctx, ERR_USAGE, "%s is about one loop, but %zu are given",
            opts->with ? "--with" : "--plan", ret->count);
        return error_hint(ctx, "Name the finding: pgmend queries rewrite FINDINGS.json ID");
    }
    return true;
}
