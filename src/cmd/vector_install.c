#include "base/interrupt.h"
#include "change/plan.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/roll_out.h"
#include "cmd/parts/vector_wish.h"
#include "db/ident.h"
#include "sql.h"
#include "vector/install/columns.h"
#include "vector/install/install.h"

struct options {
    const char *schema;
    bool print;
    bool dry_run;
    struct text_list replace_function;
    struct vector_wish wish;
};

/* A line of the table. */
struct line {
    const char *name;
    const char *action;
    const char *summary;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, schema, .arg = "SCHEMA", .standard = "public",
        .help = "where the functions are made"),
    FIELD(struct options, print, .momentary = true,
        .help = "print the functions as SQL and change nothing"),
    FIELD(struct options, dry_run, .momentary = true,
        .help = "tell what would be done and change nothing"),
    FIELD(struct options, replace_function, .momentary = true, .arg = "NAME",
        .help = "a function of this name, not made by pgmend, may be replaced"),
    VECTOR_WISH_FIELDS(struct options),
};

static const struct field columns[] = {
    FIELD(struct line, name, .help = "function"),
    FIELD(struct line, action, .help = "action"),
    FIELD(struct line, summary, .help = "what it gives"),
};
/* clang-format on */

struct work {
    struct vector_choice choice;
    bool was_there; /* the choice: else it is exact search */
    struct vector_functions functions;
    struct plan plan;
    struct text_list others; /* functions of the same names, of other arguments */
    size_t done;
};

/* ---- what is to be installed ---- */

/* Whether other searches are wished for than the installed ones are. */
static bool
is_other_search(const struct vector_wish *wish, const struct vector_target *now,
    const struct vector_target *installed)
{
    return (wish->operator&& now->metric != installed->metric) ||
           (wish->tenant && !text_equal(now->tenant, installed->tenant));
}

/* A table that was tuned for other searches is tuned anew. */
static bool
refuse_wish(struct ctx *ctx, const struct vector_target *installed)
{
    error_set(ctx, ERR_CONFLICT, "%s of %s was tuned for other searches: by %s and %s",
        installed->column, vector_table(ctx->arena, installed),
        vector_metric_operator(installed->metric),
        installed->tenant ? installed->tenant : "without a tenant");
    return error_hint(ctx,
        "Run pgmend vector tune with the same options: it measures anew, and its "
        "plan installs the functions too.");
}

/* The roles of the columns as they are now: they have nothing to do with what was measured. */
static void
take_roles(const struct vector_target *now, struct vector_target *ret)
{
    ret->text = now->text;
    ret->text_config = now->text_config;
    ret->is_config_column = now->is_config_column;
    ret->importance = now->importance;
    ret->doc_type = now->doc_type;
    ret->chunk_hash = now->chunk_hash;
}

/* A tsvector that the table has and that stays true; none is made here. */
static bool
find_text_column(struct ctx *ctx, struct db *db, struct vector_choice *choice)
{
    struct vector_kept_columns missing = { 0 };

    if (!vector_columns_of_text(ctx, db, choice->target.table_oid, 0, choice, &missing))
        return false;
    if (missing.count > 0)
        choice->text_column = NULL;
    return true;
}

static bool
find_choice(struct ctx *ctx, struct run *run, struct work *work)
{
    const struct options *opts = run->options;
    struct vector_target target;

    if (!vector_target_find(ctx, run->db, &opts->wish, &target) ||
        !vector_choice_load(ctx, run->db, &target, &work->choice, &work->was_there))
        return false;
    if (work->was_there && is_other_search(&opts->wish, &target, &work->choice.target)) {
        if (work->choice.was_measured)
            return refuse_wish(ctx, &work->choice.target);
        work->was_there = false;
    }
    if (!work->was_there) {
        vector_choice_exact(ctx->arena, &target, &work->choice);
        return find_text_column(ctx, run->db, &work->choice);
    }
    if (opts->wish.text && !text_equal(target.text, work->choice.target.text))
        work->choice.text_column = NULL;
    take_roles(&target, &work->choice.target);
    return true;
}

/* As regprocedure reads it. */
static const char *
signature_of(struct arena *arena, const char *schema, const struct vector_function *function)
{
    return arena_printf(
        arena, "%s(%s)", db_qualified(arena, schema, function->name), function->arguments);
}

static bool
find_others(struct ctx *ctx, struct run *run, struct work *work)
{
    const struct options *opts = run->options;

    for (size_t i = 0; i < work->functions.items.count; i++) {
        const struct vector_function *function = &work->functions.items.items[i];
        struct sql_vector_install_overloads_rows rows;

        if (!sql_vector_install_overloads(ctx, run->db, &rows, .schema = opts->schema,
                .name = function->name,
                .signature = signature_of(ctx->arena, opts->schema, function)))
            return false;
        for (size_t k = 0; k < rows.count; k++)
            text_list_add(ctx->arena, &work->others, rows.items[k].signature);
    }
    return true;
}

/*
 * What was measured is not measured again here: it may have drifted, and the functions are wanted
 * all the same. "vector check" tells.
 */
static bool
make_plan(struct ctx *ctx, struct run *run, struct work *work)
{
    const struct options *opts = run->options;

    if (!vector_install_plan(ctx, run->db, &work->choice, opts->schema, &work->plan))
        return false;
    work->plan.proof = NULL;
    return plan_seal(ctx, run->db, &work->plan);
}

static bool
check_plan(struct ctx *ctx, const struct options *opts, struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct change *change = &plan->items[i];

        change->has_consent = text_list_has(&opts->replace_function, change->name);
        if (change->action == ACTION_BLOCKED || (change->needs_consent && !change->has_consent)) {
            error_set(ctx, ERR_CONFLICT, "%s: %s", change->name,
                change->problem ? change->problem : "it cannot be done");
            if (change->remedy)
                return error_hint(ctx, "Look at it first; %s.", change->remedy);
            return false;
        }
    }
    return true;
}

/* ---- doing it ---- */

static bool
apply_changes(struct ctx *ctx, struct rollout *rollout, struct screen *screen, struct work *work)
{
    for (size_t i = 0; i < work->plan.count; i++) {
        struct rollout_outcome outcome;
        bool is_good;

        if (!change_is_pending(&work->plan.items[i]))
            continue;
        is_good = !interrupt_signal() || interrupt_error(ctx, interrupt_signal());
        is_good = is_good && rollout_create(ctx, rollout, &work->plan.items[i], &outcome);
        screen_end(screen);
        if (!is_good)
            return error_state(ctx,
                "%s%s%zu changes are done and stay; \"pgmend rollback\" undoes them.",
                ctx->error.state ? ctx->error.state : "", ctx->error.state ? " " : "", work->done);
        work->done++;
    }
    return true;
}

static bool
apply_plan(struct ctx *ctx, struct run *run, struct work *work)
{
    struct screen *screen = screen_new(ctx->arena);
    struct rollout_observer observer = screen_observer(screen);
    struct rollout rollout CLEANUP(rollout_close) = { 0 };
    const struct journal_run about = {
        .command = run->command->path,
        .plan_hash = work->plan.hash,
        .state_dir = run->global->state_dir,
    };
    bool is_good = rollout_open(ctx, run->db, &about, &observer, &rollout);

    screen_end(screen);
    if (!is_good)
        return false;
    is_good = rollout_heal(ctx, &rollout) && apply_changes(ctx, &rollout, screen, work);
    screen_end(screen);
    return end_run(ctx, &rollout, is_good);
}

/* ---- what is printed ---- */

static void
print_sql(struct run *run, const struct work *work)
{
    for (size_t i = 0; i < work->functions.items.count; i++)
        fprintf(run->out, "%s;\n\n", work->functions.items.items[i].statement);
    for (size_t i = 0; i < work->functions.left_out.count; i++)
        fprintf(run->out, "-- left out: %s\n", work->functions.left_out.items[i]);
}

/* The change that makes the function; NULL when there is none. */
static const struct change *
change_of(const struct work *work, const char *name)
{
    for (size_t i = 0; i < work->plan.count; i++)
        if (change_is_of(&work->plan.items[i], KIND_FUNCTION) &&
            text_equal(work->plan.items[i].name, name))
            return &work->plan.items[i];
    return NULL;
}

/* What was done about a function, or would be. */
static const char *
action_of(const struct run *run, const struct work *work, const char *name)
{
    const struct options *opts = run->options;
    const struct change *change = change_of(work, name);

    if (!change)
        return "";
    if (!change_is_pending(change) && change->action != ACTION_BLOCKED)
        return "there already";
    return !opts->dry_run                     ? "made"
           : change->action == ACTION_BLOCKED ? "blocked"
           : change->needs_consent            ? "needs your consent"
                                              : "to be made";
}

static const char *
example(struct arena *arena, const struct options *opts, const struct vector_target *target)
{
    return arena_printf(arena, "SELECT * FROM %s(%s'[…]', 10);",
        text_equal(opts->schema, "public")
            ? "search_embeddings_basic"
            : db_qualified(arena, opts->schema, "search_embeddings_basic"),
        !target->tenant                      ? ""
        : strstr(target->tenant_type, "int") ? "1, "
                                             : "'…', ");
}

/* Whether a change is blocked because of this function. */
static bool
is_in_the_way(const struct work *work, const char *signature)
{
    for (size_t i = 0; i < work->plan.count; i++) {
        const struct change *change = &work->plan.items[i];

        if (change->action == ACTION_BLOCKED && strstr(change->problem, signature))
            return true;
    }
    return false;
}

static void
print_others(struct run *run, const struct work *work)
{
    for (size_t i = 0; i < work->plan.count; i++) {
        const struct change *change = &work->plan.items[i];

        if (change->action == ACTION_BLOCKED)
            out_mark_line(run->out, MARK_FAIL, "%s%s%s", change->problem,
                change->remedy ? "; " : "", change->remedy ? change->remedy : "");
    }
    for (size_t i = 0; i < work->others.count; i++)
        if (!is_in_the_way(work, work->others.items[i]))
            out_mark_line(run->out, MARK_INFO,
                "%s stands there too: its calls are told apart by their arguments",
                work->others.items[i]);
}

static void
print_text(struct ctx *ctx, struct run *run, const struct work *work)
{
    const struct options *opts = run->options;
    const struct vector_choice *choice = &work->choice;
    size_t count = work->functions.items.count;
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, count + 1);

    fprintf(run->out, "%s of %s, searched by %s%s\n\n", choice->target.column,
        vector_table(ctx->arena, &choice->target), vector_method_name(ctx->arena, &choice->base),
        choice->was_measured ? "" : ", as nobody has measured yet");
    for (size_t i = 0; i < count; i++) {
        const struct vector_function *function = &work->functions.items.items[i];

        lines[i] = (struct line){ function->name, action_of(run, work, function->name),
            function->summary };
    }
    out_table(run->out, columns, COUNT_OF(columns), lines, count, sizeof(lines[0]));
    if (!choice->target.tenant)
        fputs("\nThere is no tenant: every search looks at all rows (--tenant COLUMN for one).\n",
            run->out);
    fputc('\n', run->out);
    for (size_t i = 0; i < work->functions.left_out.count; i++)
        fprintf(run->out, "Left out: %s\n", work->functions.left_out.items[i]);
    print_others(run, work);
    fprintf(run->out, "Example: %s\n", example(ctx->arena, opts, &choice->target));
    if (opts->dry_run)
        fputs("Nothing was changed (--dry-run).\n", run->out);
    else
        fprintf(run->out, "%zu of %zu changes done, %zu were there.%s\n", work->done,
            work->plan.count, work->plan.count - work->done,
            work->done > 0 ? " Undo any time: pgmend rollback" : "");
    if (opts->dry_run)
        out_next(run->out, "the same command without --dry-run");
    else
        out_next(run->out, choice->was_measured ? "pgmend vector check" : "pgmend vector tune");
}

static json_t *
texts_json(const struct text_list *list)
{
    json_t *ret = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(ret, json_string(list->items[i]));
    return ret;
}

static void
print_json(struct ctx *ctx, struct run *run, const struct work *work)
{
    const struct options *opts = run->options;
    json_t *functions = json_array();
    json_t *json CLEANUP(json_release) = json_pack("{s:s, s:s, s:s, s:s, s:b}", "table",
        vector_table(ctx->arena, &work->choice.target), "column", work->choice.target.column,
        "schema", opts->schema, "method", vector_method_name(ctx->arena, &work->choice.base),
        "was_measured", work->choice.was_measured);

    for (size_t i = 0; i < work->functions.items.count; i++) {
        const struct vector_function *function = &work->functions.items.items[i];

        const struct change *change = change_of(work, function->name);

        json_array_append_new(functions,
            json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}", "name", function->name, "arguments",
                function->arguments, "summary", function->summary, "action",
                action_of(run, work, function->name), "statement", function->statement, "problem",
                change ? change->problem : NULL, "remedy", change ? change->remedy : NULL));
    }
    json_object_set_new(json, "functions", functions);
    json_object_set_new(json, "left_out", texts_json(&work->functions.left_out));
    json_object_set_new(json, "others", texts_json(&work->others));
    json_object_set_new(json, "changed", json_integer((json_int_t)work->done));
    json_object_set_new(json, "choice", vector_choice_to_json(&work->choice));
    out_json(run->out, json);
}

static bool
find_and_plan(struct ctx *ctx, struct run *run, struct work *work)
{
    const struct options *opts = run->options;

    if (!find_choice(ctx, run, work) ||
        !vector_functions_make(ctx, &work->choice, opts->schema, &work->functions))
        return false;
    if (opts->print)
        return true;
    return find_others(ctx, run, work) && make_plan(ctx, run, work) &&
           (opts->dry_run || check_plan(ctx, opts, &work->plan));
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct work work = { 0 };

    if (!find_and_plan(ctx, run, &work))
        return error_state(ctx, "Nothing was changed.");
    if (opts->print) {
        print_sql(run, &work);
        return true;
    }
    if (!opts->dry_run && plan_pending(&work.plan) > 0 && !apply_plan(ctx, run, &work))
        return false;
    if (run->global->json)
        print_json(ctx, run, &work);
    else
        print_text(ctx, run, &work);
    return true;
}

const struct command cmd_vector_install = {
    .path = "vector install",
    .summary = "make the search functions that applications call",
    .details =
        "Makes search_embeddings_basic, _multi_stage, _hybrid and _by_doc_type, batch_vector_search, "
        "set_vector_search_params, analyze_vector_search_performance, auto_tune_vector_search and "
        "cleanup_duplicate_embeddings over one vector column. They search by what \"vector tune\" "
        "chose and \"apply\" built; before that by exact search, which is always right. A function "
        "that the table has no columns for is left out and named.\n\n"
        "assistant_id is the tenant, of whatever column; NULL finds nothing. result_limit is 10 "
        "when it is NULL, and an error below 0. min_importance is NULL unless it is given, and "
        "then rows of any importance are found, also those that have none. multi_stage orders the nearest 5 times result_limit "
        "rows by 0.6 similarity + 0.3 importance/10 + 0.1 for a known document type: importance may "
        "outweigh nearness, so recall is judged before it. hybrid finds chunks with any word of the "
        "question and fuses both lists by their ranks (RRF); with a vector_weight from 0 to 1, by "
        "the sum of their normalised scores.\n\n"
        "Every call is planned for its own values, under a search_path of its own. A function of "
        "the same name and arguments that pgmend did not make is replaced only with "
        "--replace-function; one of other arguments that the same calls may mean must be renamed or "
        "dropped first, and nothing is changed before. \"pgmend rollback\" gives back what was "
        "there.",
    .access = ACCESS_WRITE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend vector install\n"
                "pgmend vector install --print > functions.sql\n"
                "pgmend vector install --table knowledge_embeddings --schema search --dry-run",
    .next = "pgmend vector tune",
    .run = run,
};
