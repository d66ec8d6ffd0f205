#include "bluegreen/identity.h"
#include "cmd/parts/bluegreen_desk.h"

enum { NEEDS_ATTENTION = 3 };

struct options {
    const char *other_url;
    bool drop_green;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, other_url, .secret = true, .arg = "URL",
        .help = "the other side, when it is not where it was"),
    FIELD(struct options, drop_green, .momentary = true,
        .help = "drop green too, if \"bluegreen create\" has made it and it is not live"),
};
/* clang-format on */

static void
print(struct run *run, const struct bluegreen *pair, const struct bluegreen_ended *ended)
{
    FILE *out = run->out;

    if (run->global->json) {
        json_t *document CLEANUP(json_release) = json_object();
        json_t *left = json_array();

        for (size_t i = 0; i < ended->left.count; i++)
            json_array_append_new(left, json_pack("{s:s, s:s}", "what", ended->left.items[i].what,
                                            "command", ended->left.items[i].command));
        json_object_set_new(document, "pair", json_string(pair->state.id));
        json_object_set_new(document, "left", left);
        out_json(out, document);
        return;
    }
    for (size_t i = 0; i < ended->done.count; i++)
        out_mark_line(out, MARK_OK, "removed: %s", ended->done.items[i]);
    for (size_t i = 0; i < ended->left.count; i++) {
        out_mark_line(out, MARK_WARN, "left: %s", ended->left.items[i].what);
        fprintf(out, "        %s\n", ended->left.items[i].command);
    }
    if (ended->left.count > 0)
        out_next(out,
            "run these commands there as soon as it answers; a slot that is left fills the disk");
}

static bool
end_pair(struct ctx *ctx, struct run *run, struct bluegreen *pair)
{
    const struct options *opts = run->options;
    struct db *db = pair->dbs[BLUE] ? pair->dbs[BLUE] : pair->dbs[GREEN];
    const struct journal_run about = { .command = "bluegreen abandon",
        .state_dir = run->global->state_dir };
    struct bluegreen_ended ended;
    struct journal journal;
    bool is_good;

    if (!confirm_typed(ctx, run->global,
            arena_printf(ctx->arena,
                "The replication between blue and green ends; %s stays live%s. Type abandon to go on",
                bluegreen_side_name(pair->state.live),
                opts->drop_green ? ", green is dropped" : ""),
            "abandon") ||
        !journal_begin(ctx, db, &about, &journal))
        return error_state(ctx, "Nothing was changed.");
    is_good = bluegreen_abandon(ctx, pair, opts->drop_green, &ended) &&
              (!pair->dbs[BLUE] || bluegreen_reset_identities(ctx, pair, &journal));

    struct error error = ctx->error;

    if (!journal_end(ctx, &journal, is_good ? RUN_DONE : RUN_FAILED, error.message) && is_good)
        return false;
    ctx->error = error;
    if (!is_good)
        return error_hint(ctx, "The same command goes on where it stopped.");
    print(run, pair, &ended);
    run->status = ended.left.count > 0 ? NEEDS_ATTENTION : 0;
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct bluegreen_entrance entrance = { .other_url = opts->other_url,
        .access = ACCESS_WRITE };
    struct bluegreen pair;
    bool is_good = bluegreen_enter(ctx, run, &entrance, &pair) && end_pair(ctx, run, &pair);

    bluegreen_close(&pair);
    return is_good;
}

const struct command cmd_bluegreen_abandon = {
    .path = "bluegreen abandon",
    .summary = "end a blue-green pair: subscriptions, slots, publications on both sides",
    .details =
        "Whichever side is live stays so. Tables whose replica identity was set get it back as "
        "it was. Works when one side does not answer: what is left there is told with the "
        "statements that remove it, and the exit status is 3.",
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend bluegreen abandon\npgmend bluegreen abandon --drop-green\n",
    .next = "pgmend status",
    .run = run,
};
