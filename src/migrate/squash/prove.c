/* The proof that the new history makes the same database: both are run, and compared. */
#include "migrate/squash/prove.h"

#include "base/clock.h"
#include "db/ident.h"
#include "migrate/squash/replayed.h"
#include "migrate/squash/reword.h"

struct proving {
    struct ctx *ctx;
    const struct squash_proof_request *request;
    struct squash_proof *proof;
    struct replayed *new;
    struct dump_tools tools;
    struct schema empty;  /* of the scratch database before the first revision */
    struct text_list own; /* Alembic's version table, which stays when all else goes */
    struct schema_dump old_dump;
    struct schema_dump new_dump;
    const char *old_text;
    const char *new_text;
    struct reword reword; /* the old database once more, from its dump */
    struct squash_rewording rewording;
};

/* A new history that does not run is no technical failure: the proof has failed. */
static bool
run_new(struct proving *proving, const char *command, const char *target, struct replayed *ret)
{
    const struct replayed_command step = {
        .alembic = proving->request->alembic,
        .command = command,
        .target = target,
    };
    struct ctx *ctx = proving->ctx;

    if (replayed_run(ctx, &step, ret))
        return true;
    proving->new->outcome = ret->outcome;
    if (ctx->error.kind == ERR_FAILED)
        ctx->error.kind = ERR_VERIFICATION;
    return error_wrap(ctx, "the new history (alembic %s %s)", command, target);
}

static struct prove_side
side_of(const struct replayed *replayed)
{
    return (struct prove_side){
        .db = replayed->db,
        .schema = &replayed->schema,
        .content = &replayed->content,
    };
}

static bool
compare(struct proving *proving, const struct replayed *found, const char *when,
    struct differences *ret)
{
    const struct diff_options nothing_ignored = { 0 };
    const struct prove_side left = side_of(proving->request->old);
    const struct prove_side right = side_of(found);

    schema_diff(proving->ctx->arena, right.schema, left.schema, &nothing_ignored, ret);
    return prove_rows(proving->ctx, &left, &right, proving->request->seeds, when,
        &proving->proof->row_differences);
}

/* Where anything differs, the server is asked what it makes of its own words. */
static bool
begin_rewording(struct proving *proving)
{
    const struct squash_proof *proof = proving->proof;
    const struct replayed *old = proving->request->old;
    const struct reword_request request = {
        .db = proving->new->scratch.admin,
        .tools = &proving->tools,
        .scratch_template = proving->request->scratch_template,
        .schema = &old->schema,
        .dump = proving->old_text,
    };

    proving->rewording = old->rewording;
    if (old->rewording.is_known || (proof->is_dump_equal && proof->differences.count == 0))
        return true;
    return reword_begin(proving->ctx, &request, &proving->reword, &proving->rewording);
}

/* Up, and the first comparison; pg_dump works on both databases beside that. */
static bool
prove_up(struct proving *proving)
{
    struct ctx *ctx = proving->ctx;
    struct squash_proof *proof = proving->proof;
    struct replayed *new = proving->new;

    if (!run_new(proving, "upgrade", "head", new) ||
        !schema_dump_begin(ctx, new->db, &proving->tools, NULL, &proving->new_dump) ||
        !replayed_look(ctx, new) || !compare(proving, new, "", &proof->differences) ||
        !schema_dump_end(ctx, &proving->old_dump, &proving->old_text) ||
        !schema_dump_end(ctx, &proving->new_dump, &proving->new_text))
        return false;
    proof->is_dump_equal =
        prove_dumps(ctx->arena, proving->old_text, proving->new_text, &proof->dump_difference);
    proof->new_revisions = new->revisions;
    proof->new_statements = new->statements;
    proof->new_server_us = new->server_us;
    proof->new_alembic_us = new->alembic_us;
    return begin_rewording(proving);
}

/* A difference stays one unless the server's own rewording of the old text is what the new has. */
static bool
forgive_wording(struct proving *proving)
{
    struct ctx *ctx = proving->ctx;
    struct squash_proof *proof = proving->proof;
    const struct squash_rewording *rewording = &proving->rewording;
    struct text_list twice = { 0 };

    if (!reword_end(ctx, &proving->reword, &proving->rewording))
        return false;
    if (!rewording->is_known)
        return true;
    squash_forgive_wording(ctx->arena, rewording, &proof->differences, &proof->reworded);
    squash_forgive_wording(ctx->arena, rewording, &proof->again_differences, &twice);
    if (!proof->is_dump_equal)
        proof->is_dump_equal =
            prove_dumps(ctx->arena, rewording->dump, proving->new_text, &proof->dump_difference);
    return true;
}

/*
 * What may stay below the base: the schema of the version table, without which that could not
 * stand; and extensions of the template, which a downgrade may drop if it can.
 */
static bool
may_stay(const struct proving *proving, const struct difference *difference)
{
    const char *version_table = proving->request->version_table;

    if (difference->class == SCHEMA_schemas && difference->kind == DIFFERENCE_EXTRA)
        return text_starts_with(version_table, difference->identity) &&
               version_table[strlen(difference->identity)] == '.';
    return proving->request->scratch_template && difference->class == SCHEMA_extensions &&
           difference->kind == DIFFERENCE_MISSING;
}

static bool
prove_down(struct proving *proving)
{
    struct ctx *ctx = proving->ctx;
    struct replayed down = { .db = proving->new->db };
    const struct diff_options options = { .ignored = &proving->own };
    struct differences all = { 0 };

    if (!run_new(proving, "downgrade", "base", &down) || !schema_load(ctx, down.db, &down.schema))
        return false;
    proving->proof->down_us = down.alembic_us;
    schema_diff(ctx->arena, &down.schema, &proving->empty, &options, &all);
    for (size_t i = 0; i < all.count; i++)
        if (!may_stay(proving, &all.items[i]))
            VEC_PUSH(ctx->arena, &proving->proof->down_differences, all.items[i]);
    return true;
}

static bool
prove_again(struct proving *proving)
{
    struct replayed again = { .db = proving->new->db };

    if (!run_new(proving, "upgrade", "head", &again) || !replayed_look(proving->ctx, &again))
        return false;
    proving->proof->up_again_us = again.alembic_us;
    return compare(
        proving, &again, "after up, down and up again: ", &proving->proof->again_differences);
}

static void
count_compared(struct proving *proving)
{
    const struct replayed *old = proving->request->old;
    struct squash_proof *proof = proving->proof;

    for (int class = 0; class < SCHEMA_CLASS_COUNT; class ++)
        proof->compared[class] = schema_rows(&old->schema, (enum schema_class) class).count;
    for (size_t i = 0; i < old->content.tables.count; i++) {
        const struct content_table *table = &old->content.tables.items[i];

        if (table->rows == 0 ||
            text_equal(db_qualified(proving->ctx->arena, table->schema, table->name),
                proving->request->version_table))
            continue;
        proof->compared_tables_with_rows++;
        proof->compared_rows += table->rows;
    }
    proof->compared_sequences = old->content.sequences.count;
}

static void
tell_not_compared(struct proving *proving)
{
    static const char *const always[] = {
        "conversions, transforms, access methods, subscriptions and security labels, other than by "
        "the text of pg_dump",
        "what belongs to the server and to no database: roles, tablespaces, settings of databases "
        "and roles, replication origins",
        "rows of foreign tables and of tables that belong to extensions",
        "the order of rows in a table, and the places that dropped columns leave",
    };
    struct arena *arena = proving->ctx->arena;
    struct text_list *list = &proving->proof->not_compared;
    const struct seeds *seeds = proving->request->seeds;

    for (size_t i = 0; i < COUNT_OF(always); i++)
        text_list_add(arena, list, always[i]);
    for (size_t i = 0; seeds && i < seeds->tables.count; i++)
        if (seeds->tables.items[i].unstable.count > 0)
            text_list_add(arena, list,
                arena_printf(arena,
                    "values of table %s that are others in each run of the history: %s",
                    db_qualified(arena, seeds->tables.items[i].schema, seeds->tables.items[i].name),
                    text_list_join(arena, &seeds->tables.items[i].unstable, ", ")));
    if (proving->request->old->content.large_objects > 0 &&
        !proving->request->old->content.large_object_sum)
        text_list_add(arena, list, "the bytes of large objects, which our role may not read");
}

/* Last, for a proof without digests is none. */
static bool
sign(struct proving *proving)
{
    struct ctx *ctx = proving->ctx;
    struct squash_proof *proof = proving->proof;

    if (!prove_tree(ctx, proving->request->old_folder, &proof->old_tree) ||
        !prove_tree(ctx, proving->request->new_folder, &proof->new_tree))
        return false;
    proof->old_digest = schema_digest(ctx->arena, &proving->request->old->schema);
    proof->new_digest = schema_digest(ctx->arena, &proving->new->schema);
    return true;
}

static bool
prove(struct proving *proving, struct db *db)
{
    struct ctx *ctx = proving->ctx;
    const struct squash_proof_request *request = proving->request;
    struct text_list notes = { 0 };

    return dump_tools_find(ctx, request->bin_folder, db_major(db), &proving->tools, &notes) &&
           schema_dump_begin(ctx, request->old->db, &proving->tools, NULL, &proving->old_dump) &&
           replayed_begin(ctx, db, request->scratch_template, proving->new) &&
           schema_load(ctx, proving->new->db, &proving->empty) && prove_up(proving) &&
           prove_down(proving) && prove_again(proving) && forgive_wording(proving) && sign(proving);
}

bool
squash_prove(struct ctx *ctx, struct db *db, const struct squash_proof_request *request,
    struct squash_proof *ret, struct replayed *ret_new)
{
    struct proving proving = {
        .ctx = ctx,
        .request = request,
        .proof = ret,
        .new = ret_new,
    };

    *ret = (struct squash_proof){
        .old_revisions = request->old->revisions,
        .old_statements = request->old->statements,
        .old_server_us = request->old->server_us,
        .old_alembic_us = request->old->alembic_us,
        .server_version = arena_strdup(ctx->arena, db_version_text(db)),
        .alembic_version = request->alembic->version,
    };
    *ret_new = (struct replayed){ 0 };
    text_list_add(ctx->arena, &proving.own, request->version_table);
    count_compared(&proving);
    tell_not_compared(&proving);

    bool is_done = prove(&proving, db);

    schema_dump_stop(&proving.old_dump);
    schema_dump_stop(&proving.new_dump);
    reword_stop(&proving.reword);
    if (!is_done)
        replayed_end(ret_new);
    return is_done;
}

bool
squash_proof_is_good(const struct squash_proof *proof)
{
    return proof->differences.count == 0 && proof->row_differences.count == 0 &&
           proof->down_differences.count == 0 && proof->again_differences.count == 0 &&
           proof->is_dump_equal && proof->old_digest && proof->new_digest && proof->old_tree &&
           proof->new_tree &&
           (proof->reworded.count > 0 || text_equal(proof->old_digest, proof->new_digest));
}
