#include "base/clock.h"
#include "cli/out.h"
#include "cmd/parts/query_rewrite.h"

static const char *const forms[] = { "any", "lateral", "joined", "grouped", NULL };

static const struct field options[] = {
    FIELD(struct query_rewrite_options, parent, .momentary = true, .arg = "SQL",
        .help = "the statement whose rows the loop goes over, with $1 …; or @FILE"),
    FIELD(struct query_rewrite_options, key, .momentary = true, .arg = "COLUMN",
        .help = "the parent's column, by name or number, that the loop asks by"),
    FIELD(struct query_rewrite_options, child, .momentary = true, .arg = "SQL",
        .help = "a statement of the loop, its key as $1; or @FILE; may be given several times"),
    FIELD(struct query_rewrite_options, value, .momentary = true, .arg = "N=VALUE",
        .help = "$N of the parent; C.N=VALUE: $N of the C-th statement; C.N=$M: the same as the "
                "parent's $M"),
    FIELD(struct query_rewrite_options, with, .momentary = true, .arg = "FILE.sql",
        .help = "a rewrite of your own, which is proven like ours"),
    FIELD(struct query_rewrite_options, form, .momentary = true, .arg = "FORM", .choices = forms,
        .help = "write and prove only this form"),
    FIELD(struct query_rewrite_options, keys, .arg = "N", .standard = "200",
        .help =
            "most keys that are asked for at once; of sets of the parent's parameters, whose rows are all "
            "tried, two fifths as many"),
    FIELD(struct query_rewrite_options, try, .momentary = true, .arg = "KEY",
        .help = "a key that is tried besides; may be given several times"),
    FIELD(struct query_rewrite_options, set, .momentary = true, .arg = "NAME=VALUE",
        .help =
            "a setting that holds for loop and rewrite (app.user_id=7 for row-level security); may be "
            "given several times"),
    FIELD(struct query_rewrite_options, rounds, .arg = "N", .standard = "5",
        .help = "rounds of the timing"),
    FIELD(struct query_rewrite_options, timeout, .unit = UNIT_US, .arg = "TIME", .standard = "5s",
        .help = "statement_timeout of each statement"),
    FIELD(struct query_rewrite_options, seed, .arg = "N", .standard = "1",
        .help = "chooses which keys are sampled"),
    FIELD(struct query_rewrite_options, output, .momentary = true, .arg = "FILE.sql",
        .help = "write the recommended statements there"),
    FIELD(struct query_rewrite_options, plan, .momentary = true, .arg = "PLAN.json",
        .help = "write a plan that makes the recommended statement a function, for pgmend apply"),
    FIELD(struct query_rewrite_options, function, .momentary = true, .arg = "[SCHEMA.]NAME",
        .help = "the function of --plan (schema: public)"),
};

static bool
must_stop(const struct ctx *ctx)
{
    return ctx->error.kind == ERR_CONNECTION || ctx->error.kind == ERR_INTERRUPTED ||
           ctx->error.kind == ERR_TERMINATED || ctx->error.kind == ERR_USAGE;
}

/* Proofs ask hundreds of statements that are no part of the workload; who may says so to its counters. */
static bool
leave_uncounted(struct ctx *ctx, struct db *db)
{
    static const char sql[] =
        "SELECT pg_catalog.set_config(s.name, 'none', false) FROM pg_catalog.pg_settings AS s"
        " WHERE s.name = 'pg_stat_statements.track'";
    struct result ignored;

    if (db_query(ctx, db, sql, NULL, 0, &ignored))
        return true;
    if (must_stop(ctx) || !db_is_connected(db))
        return false;
    error_clear(ctx);
    return true;
}

/* What one form is worth; that it cannot be tried is told beside the others. */
static bool
try_one(struct ctx *ctx, struct run *run, struct query_loop *loop, struct query_attempt *attempt)
{
    const struct query_rewrite_options *opts = run->options;
    const struct proof_options wanted = {
        .keys = loop->keys.items,
        .key_count = loop->keys.count,
        .tried_count = opts->try.count,
        .most_keys = (int32_t)opts->keys,
        .statement_timeout_us = opts->timeout,
        .rounds = (int32_t)opts->rounds,
        .loops = loop->unsupported ? NULL : &loop->rewrites,
        .settings = &opts->set,
        .seed = (uint64_t)opts->seed,
    };

    if (rewrite_prove(ctx, run->db, &loop->input, &attempt->rewrite, &wanted, &attempt->proof))
        return true;
    if (must_stop(ctx) || attempt->is_foreign)
        return false;
    attempt->failure =
        ctx->error.hint ? arena_printf(ctx->arena, "%s (%s)", ctx->error.message, ctx->error.hint)
                        : ctx->error.message;
    error_clear(ctx);
    return true;
}

static bool
write_forms(struct ctx *ctx, struct run *run, struct query_loop *loop)
{
    if (rewrite_write(ctx, run->db, &loop->input, &loop->rewrites))
        return true;
    if (must_stop(ctx) || (ctx->error.kind != ERR_UNSUPPORTED && run->operands.count == 0))
        return false;
    loop->unsupported = ctx->error.message;
    loop->rewrites.count = 0;
    error_clear(ctx);
    return true;
}

static bool
add_foreign(struct ctx *ctx, struct run *run, struct query_loop *loop)
{
    const struct query_rewrite_options *opts = run->options;
    struct query_attempt *attempt = &loop->attempts[loop->attempt_count];
    const char *sql;

    if (!opts->with)
        return true;
    if (!query_rewrite_text(ctx, arena_printf(ctx->arena, "@%s", opts->with), &sql) ||
        !rewrite_foreign(ctx, run->db, &loop->input, sql, &attempt->rewrite))
        return error_wrap(ctx, "%s", opts->with);
    attempt->is_foreign = true;
    loop->attempt_count++;
    return true;
}

/* Whether both were timed beside the same statements with the same keys. */
static bool
has_same_loop(
    const struct query_loop *loop, const struct query_attempt *a, const struct query_attempt *b)
{
    bool is_keyed = a->rewrite.form != REWRITE_JOINED && b->rewrite.form != REWRITE_JOINED;
    bool is_of_one = a->rewrite.form != REWRITE_LATERAL && b->rewrite.form != REWRITE_LATERAL;

    if (a->is_foreign || b->is_foreign || a->failure || b->failure || !is_keyed)
        return false;
    if (loop->input.child_count > 1 && (!is_of_one || a->rewrite.child != b->rewrite.child))
        return false;
    return a->proof.speed_up > 0 && b->proof.speed_up > 0 &&
           a->proof.loop.statements == b->proof.loop.statements &&
           a->proof.loop.rows == b->proof.loop.rows;
}

/*
 * Each form was timed beside a run of its own of the loop, and how those runs differ is noise, which would decide
 * between forms that are near each other. Those with the same loop get one time of it, the least (noise only adds), so that
 * their ratios are in the order of their own times: 10 ms to 2 ms and 14 ms to 2.5 ms are 5 and 4, not 5 and 5.6.
 * JOINED asks for other keys, by the parent's parameters, so its loop is another one: it stays with its ratio.
 */
static void
use_common_loop(struct query_loop *loop)
{
    for (size_t i = 0; i < loop->attempt_count; i++) {
        struct query_attempt *attempt = &loop->attempts[i];
        int64_t least_us = attempt->proof.loop.elapsed_us;

        for (size_t k = 0; k < loop->attempt_count; k++)
            if (has_same_loop(loop, attempt, &loop->attempts[k]) &&
                loop->attempts[k].proof.loop.elapsed_us < least_us)
                least_us = loop->attempts[k].proof.loop.elapsed_us;
        if (least_us == attempt->proof.loop.elapsed_us)
            continue;
        attempt->proof.loop.elapsed_us = least_us;
        attempt->proof.speed_up =
            (double)least_us /
            (double)(attempt->proof.rewrite.elapsed_us > 0 ? attempt->proof.rewrite.elapsed_us : 1);
    }
}

static bool
is_better(const struct query_attempt *attempt, const struct query_loop *loop)
{
    const struct query_attempt *best = loop->best;
    bool covers_all = attempt->rewrite.form == REWRITE_LATERAL ||
                      attempt->rewrite.form == REWRITE_JOINED || loop->input.child_count == 1;

    if (attempt->is_foreign || attempt->failure || !attempt->proof.is_same ||
        attempt->proof.is_empty || !covers_all)
        return false;
    return !best || attempt->proof.speed_up > best->proof.speed_up;
}

/* The fastest proven statement that does what one child did. */
static const struct query_attempt *
best_of_child(const struct query_loop *loop, size_t child)
{
    const struct query_attempt *best = NULL;

    for (size_t i = 0; i < loop->attempt_count; i++) {
        const struct query_attempt *attempt = &loop->attempts[i];
        bool is_of_one =
            attempt->rewrite.form == REWRITE_ANY || attempt->rewrite.form == REWRITE_GROUPED;

        if (attempt->is_foreign || attempt->failure || !attempt->proof.is_same ||
            attempt->proof.is_empty || !is_of_one || attempt->rewrite.child != child)
            continue;
        if (!best || attempt->proof.speed_up > best->proof.speed_up)
            best = attempt;
    }
    return best;
}

/*
 * One statement for each child, where all have one that is proven: each was compared with its own part of the
 * loop, over the same keys, so times and answers add up.
 */
static void
choose_set(struct ctx *ctx, struct query_loop *loop)
{
    size_t count = loop->input.child_count;
    const struct query_attempt **set;
    int64_t before = 0, after = 0;

    if (count < 2)
        return;
    set = ARENA_ARRAY(ctx->arena, const struct query_attempt *, count);
    for (size_t i = 0; i < count; i++) {
        set[i] = best_of_child(loop, i);
        if (!set[i])
            return;
        before += set[i]->proof.loop.elapsed_us;
        after += set[i]->proof.rewrite.elapsed_us;
    }
    loop->set_speed_up = (double)before / (double)(after > 0 ? after : 1);
    if (!loop->best || loop->set_speed_up > loop->best->proof.speed_up)
        loop->set = set;
}

size_t
query_loop_answer_count(const struct query_loop *loop)
{
    return loop->set ? loop->input.child_count : loop->best ? 1 : 0;
}

const struct query_attempt *
query_loop_answer(const struct query_loop *loop, size_t index)
{
    return loop->set ? loop->set[index] : loop->best;
}

static void
write_hints(struct ctx *ctx, struct query_loop *loop)
{
    const struct rewrite_input *input = &loop->input;

    loop->hints = ARENA_ARRAY(ctx->arena, struct hint, input->child_count + 1);
    for (size_t i = 0; i < input->child_count; i++) {
        int32_t key = 1;

        for (size_t k = input->children[i].slot_count; k-- > 0;)
            if (input->children[i].slots[k].origin == SLOT_KEY ||
                (input->children[i].slots[k].origin == SLOT_VARIES && !input->parent_sql))
                key = (int32_t)k + 1;
        hint_write(ctx->arena, input->parent_sql, input->key_column, input->children[i].sql, key,
            &loop->hints[i]);
    }
}

static bool
work_on(struct ctx *ctx, struct run *run, struct progress *progress, struct query_loop *loop)
{
    const struct query_rewrite_options *opts = run->options;
    int64_t start_us = clock_us();

    write_hints(ctx, loop);
    if (!write_forms(ctx, run, loop))
        return false;
    loop->attempts = ARENA_ARRAY(ctx->arena, struct query_attempt, loop->rewrites.count + 1);
    if (!add_foreign(ctx, run, loop))
        return false;
    for (size_t i = 0; i < loop->rewrites.count; i++)
        if (!opts->form || text_equal(opts->form, rewrite_form_name(loop->rewrites.items[i].form)))
            loop->attempts[loop->attempt_count++] =
                (struct query_attempt){ .rewrite = loop->rewrites.items[i] };
    for (size_t i = 0; i < loop->attempt_count; i++) {
        struct query_attempt *attempt = &loop->attempts[i];

        if (!run->global->quiet && !run->global->json)
            progress_show(progress, loop->id ? loop->id : "the loop",
                attempt->is_foreign ? "your rewrite" : rewrite_form_name(attempt->rewrite.form), -1,
                clock_us() - start_us, -1,
                arena_printf(ctx->arena, "form %zu of %zu", i + 1, loop->attempt_count));
        if (!try_one(ctx, run, loop, attempt))
            return false;
    }
    use_common_loop(loop);
    for (size_t i = 0; i < loop->attempt_count; i++)
        if (is_better(&loop->attempts[i], loop))
            loop->best = &loop->attempts[i];
    choose_set(ctx, loop);
    return true;
}

/* 10: a rewrite that somebody relies on differs; 3: a loop is left without one. */
static int
status_of(const struct query_loops *loops)
{
    int status = loops->count == 0 ? 3 : 0;

    for (size_t i = 0; i < loops->count; i++) {
        const struct query_loop *loop = &loops->items[i];
        bool has_foreign = loop->attempt_count > 0 && loop->attempts[0].is_foreign;

        if (has_foreign && !loop->attempts[0].proof.is_same)
            return error_exit_status(ERR_VERIFICATION);
        if (has_foreign ? !loop->attempts[0].proof.is_empty : query_loop_answer_count(loop) > 0)
            continue;
        status = status ? status : 3;
        for (size_t k = 0; k < loop->attempt_count; k++)
            if (!loop->attempts[k].failure && !loop->attempts[k].proof.is_same)
                status = error_exit_status(ERR_VERIFICATION);
    }
    return status;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct query_loops loops;
    struct progress progress;
    bool is_good = leave_uncounted(ctx, run->db) && query_rewrite_read(ctx, run, &loops);

    progress_begin(&progress);
    for (size_t i = 0; is_good && i < loops.count; i++)
        is_good = work_on(ctx, run, &progress, &loops.items[i]);
    progress_end(&progress);
    is_good = is_good && query_rewrite_write(ctx, run, &loops);
    if (!is_good)
        return error_state(ctx, "Nothing was changed.");
    if (run->global->json)
        query_rewrite_print_json(ctx, run, &loops);
    else
        query_rewrite_print(ctx, run, &loops);
    run->status = status_of(&loops);
    return true;
}

const struct command cmd_queries_rewrite = {
    .path = "queries rewrite",
    .summary = "write a loop of statements as one, and prove that it gives the same",
    .details =
        "Takes findings of \"pgmend queries nplusone\" or of \"queries trace\", all of them or those whose "
        "ID is named; or a loop that is given by --parent, --key and --child. Writes each form that the "
        "rules allow: any (= ANY of the keys), lateral (one statement for all keys), joined (parent and "
        "loop in one) and grouped (one pass).\n\n"
        "Then the loop and each form run side by side in one REPEATABLE READ READ ONLY transaction: for "
        "the keys that were observed, keys of the parent, keys with many, with few and without rows, NULL, "
        "keys that come twice and one that is nowhere. The answers are compared key by key, as the server "
        "writes them: rows, values, and their order where there is an ORDER BY (rows that tie may "
        "change places, as SQL leaves that open; without ORDER BY any order is the same). A rewrite that "
        "differs for one key is refused, and that key is shown; where no key had an answer at all, nothing is "
        "proven. What writes or calls a volatile function is never run. Of those that are the same, the fastest is "
        "recommended, or, where they are faster together, one statement for each of the loop's: what is told are medians of rounds in turns with the cache warm.\n\n"
        "--with proves a rewrite of your own in the same way. Is its $1 an array, then these are the keys, "
        "$2 and on the parent's parameters; else all are the parent's. Its first column is the key, or "
        "its first columns are the parent's; then follow the columns of the loop's statements, each "
        "statement's after a boolean has_N (N from 1), if you like.\n\n"
        "Nothing is changed. With --plan, a function is planned that \"pgmend apply\" makes and \"pgmend "
        "rollback\" takes away.\n\n"
        "Exit status: 0 each loop has a rewrite that is proven; 3 for some there is none, or nothing could be proven; 10 a rewrite "
        "gives another answer than the loop.",
    .operands = "[FINDINGS.json [ID]...]",
    .min_operands = 0,
    .max_operands = SIZE_MAX,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct query_rewrite_options),
    .examples =
        "pgmend queries rewrite findings.json\n"
        "pgmend queries rewrite findings.json 1a2b3c4d --with stats.sql\n"
        "pgmend queries rewrite --parent 'SELECT id, name FROM assistants WHERE user_id = $1' --key id "
        "--value 1=7 --child 'SELECT count(*) FROM dialogs WHERE assistant_id = $1'",
    .next = "pgmend queries check TRACE --baseline queries.json",
    .run = run,
};
