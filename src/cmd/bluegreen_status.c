#include <inttypes.h>

#include "cmd/parts/bluegreen_desk.h"

enum { NEEDS_ATTENTION = 3, WARN_PERCENT = 50 };

struct options {
    const char *other_url;
    int64_t warn_held;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, other_url, .secret = true, .arg = "URL",
        .help = "the other side, when it is not where it was"),
    FIELD(struct options, warn_held, .unit = UNIT_BYTES, .arg = "SIZE", .standard = "1GB",
        .help = "warn when a slot holds more WAL than this"),
};
/* clang-format on */

struct picture {
    struct bluegreen pair;
    struct bluegreen_look look;
    struct text_list drift;
    struct text_list worries;
};

static void
worry(struct ctx *ctx, struct picture *picture, const char *text)
{
    text_list_add(ctx->arena, &picture->worries, text);
}

static void
worry_about_slot(struct ctx *ctx, struct picture *picture, const struct options *opts)
{
    const struct bluegreen_look *look = &picture->look;
    int64_t limit = opts->warn_held;

    if (look->keep_bytes >= 0 && look->keep_bytes / 100 * WARN_PERCENT < limit)
        limit = look->keep_bytes / 100 * WARN_PERCENT;
    if (look->held_bytes > limit)
        worry(ctx, picture,
            arena_printf(ctx->arena,
                "the slot holds %s of WAL on %s's disk%s: let the other side catch up, or end the "
                "pair with \"pgmend bluegreen abandon\"",
                text_from_bytes(ctx->arena, look->held_bytes),
                bluegreen_side_name(picture->pair.state.live),
                look->keep_bytes < 0
                    ? ", without any limit"
                    : arena_printf(ctx->arena, "; beyond %s (max_slot_wal_keep_size) it is lost",
                          text_from_bytes(ctx->arena, look->keep_bytes))));
    if (text_equal(look->wal_status, "lost"))
        worry(
            ctx, picture, "the slot has lost WAL that it needs: abandon the pair and make it anew");
}

/* The worker of one that was just disabled may be there for a moment. */
static void
worry_about_subscription(struct ctx *ctx, struct picture *picture)
{
    const struct bluegreen_look *look = &picture->look;

    if (!look->has_subscription)
        worry(ctx, picture, "the subscription is gone: abandon the pair and make it anew");
    else if (!look->is_enabled)
        worry(ctx, picture, "the subscription is disabled, so WAL is kept for it");
    else if (!look->is_working)
        worry(ctx, picture, "the replication stands still: see the log of the following server");
}

static void
look_for_worries(struct ctx *ctx, struct picture *picture, const struct options *opts)
{
    const struct bluegreen_look *look = &picture->look;
    enum bluegreen_step step = bluegreen_step_of(&picture->pair.state);

    for (int side = BLUE; side < BLUEGREEN_SIDES; side++)
        if (!picture->pair.dbs[side])
            worry(ctx, picture,
                arena_printf(ctx->arena, "%s does not answer: %s", bluegreen_side_name(side),
                    picture->pair.why_not[side]));
    if (step != BG_FOLLOWING)
        worry(ctx, picture,
            arena_printf(ctx->arena,
                "a run was cut off at \"%s\": run \"pgmend bluegreen %s\" again",
                picture->pair.state.step, step < BG_FOLLOWING ? "create" : "switch"));
    else if (picture->pair.dbs[BLUE] && picture->pair.dbs[GREEN])
        worry_about_subscription(ctx, picture);
    if (look->errors > 0)
        worry(ctx, picture,
            arena_printf(ctx->arena,
                "%" PRId64 " errors of the subscription: see the log of the following server",
                look->errors));
    worry_about_slot(ctx, picture, opts);
    for (size_t i = 0; i < picture->drift.count; i++)
        worry(ctx, picture,
            arena_printf(ctx->arena, "since the replication began: %s", picture->drift.items[i]));
}

static void
print(struct ctx *ctx, FILE *out, const struct picture *picture)
{
    const struct bluegreen_look *look = &picture->look;
    const struct bluegreen_state *state = &picture->pair.state;

    bluegreen_print_sides(ctx, out, &picture->pair);
    fprintf(out, "\n%-12s %s\n", "step", state->step);
    fprintf(out, "%-12s %" PRId64 " of %" PRId64 " follow\n", "tables", look->ready, look->tables);
    for (size_t i = 0; i < look->copying.count; i++)
        fprintf(out, "%-12s %s: %s, %s rows\n", i ? "" : "copying", look->copying.items[i].name,
            text_from_bytes(ctx->arena, look->copying.items[i].bytes),
            text_from_count(ctx->arena, look->copying.items[i].rows));
    if (look->has_slot) {
        fprintf(out, "%-12s %s\n", "behind", text_from_bytes(ctx->arena, look->lag_bytes));
        fprintf(out, "%-12s %s (%s)\n", "WAL held", text_from_bytes(ctx->arena, look->held_bytes),
            look->wal_status);
    }
    fprintf(out, "%-12s %s\n", "compared", state->verified_at ? state->verified_at : "not yet");
    if (state->switched_at)
        fprintf(out, "%-12s %s\n", "switched", state->switched_at);
    if (picture->worries.count > 0)
        fprintf(out, "\n");
    for (size_t i = 0; i < picture->worries.count; i++)
        out_mark_line(out, MARK_WARN, "%s", picture->worries.items[i]);
    if (look->has_subscription && !look->is_enabled && bluegreen_step_of(state) == BG_FOLLOWING)
        out_next(out, "%s", bluegreen_enable_command(ctx->arena, &picture->pair));
    else if (picture->worries.count == 0 && look->ready == look->tables)
        out_next(out, "%s",
            state->verified_at ? bluegreen_switch_command(&picture->pair)
                               : "pgmend bluegreen verify");
}

static void
print_json(FILE *out, const struct picture *picture)
{
    const struct bluegreen_look *look = &picture->look;
    const struct bluegreen_state *state = &picture->pair.state;
    json_t *document CLEANUP(json_release) = json_object();
    json_t *worries = json_array();

    json_object_set_new(document, "pair", json_string(state->id));
    json_object_set_new(document, "step", json_string(state->step));
    json_object_set_new(document, "live", json_string(bluegreen_side_name(state->live)));
    json_object_set_new(document, "sides", bluegreen_sides_json(&picture->pair));
    json_object_set_new(document, "tables", json_integer(look->tables));
    json_object_set_new(document, "tables_ready", json_integer(look->ready));
    json_object_set_new(document, "is_working", json_boolean(look->is_working));
    json_object_set_new(document, "lag_bytes", json_integer(look->lag_bytes));
    json_object_set_new(document, "wal_held_bytes", json_integer(look->held_bytes));
    json_object_set_new(document, "verified_at",
        state->verified_at ? json_string(state->verified_at) : json_null());
    json_object_set_new(document, "switched_at",
        state->switched_at ? json_string(state->switched_at) : json_null());
    for (size_t i = 0; i < picture->worries.count; i++)
        json_array_append_new(worries, json_string(picture->worries.items[i]));
    json_object_set_new(document, "worries", worries);
    out_json(out, document);
}

/* A state like any other, not an error. */
static bool
print_none(struct run *run)
{
    json_t *document CLEANUP(json_release) = NULL;

    if (run->global->json) {
        document = json_pack("{s:n}", "pair");
        out_json(run->out, document);
        return true;
    }
    fprintf(run->out, "This database is of no blue-green pair.\n");
    out_next(run->out, "pgmend bluegreen create --green URL --dry-run");
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct picture picture = { 0 };
    const struct bluegreen_entrance entrance = {
        .other_url = opts->other_url, .access = ACCESS_READ, .may_be_none = true
    };
    bool is_good = bluegreen_enter(ctx, run, &entrance, &picture.pair);

    if (is_good && picture.pair.is_none)
        return print_none(run);
    is_good = is_good && bluegreen_look(ctx, &picture.pair, &picture.look) &&
              bluegreen_drift(ctx, &picture.pair, &picture.drift);

    if (is_good) {
        look_for_worries(ctx, &picture, opts);
        if (run->global->json)
            print_json(run->out, &picture);
        else
            print(ctx, run->out, &picture);
        run->status = picture.worries.count > 0 ? NEEDS_ATTENTION : 0;
    }
    bluegreen_close(&picture.pair);
    return is_good;
}

const struct command cmd_bluegreen_status = {
    .path = "bluegreen status",
    .summary = "how far the replication of a blue-green pair is, and what is wrong",
    .details =
        "Shows which side is live, how many tables follow, how far the other side is behind, "
        "how much WAL is held for it, and whether the schema has changed since the replication "
        "began. Exits with 3 when something needs attention, and with 0 when there is no pair.",
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend bluegreen status\n",
    .next = "pgmend bluegreen verify",
    .run = run,
};
