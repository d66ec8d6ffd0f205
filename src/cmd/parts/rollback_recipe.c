/* How to recover a server to a moment, from what is known of it. */
#include "change/restore_point.h"
#include "cli/out.h"
#include "cmd/parts/database_level.h"

static json_t *
points_json(const struct restore_points *points)
{
    json_t *array = json_array();

    for (size_t i = 0; i < points->count; i++)
        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s}", "name", points->items[i].name, "lsn",
                       points->items[i].lsn, "set_at", points->items[i].set_at));
    return array;
}

/* Those of the newest plan; when there is no such plan, all that are kept. */
static bool
choose(struct ctx *ctx, struct db *db, struct restore_points *ret)
{
    struct restore_points all;
    const char *newest;
    size_t length;

    *ret = (struct restore_points){ 0 };
    if (!restore_points_load(ctx, db, &all))
        return false;
    if (all.count == 0)
        return true;
    newest = all.items[all.count - 1].name;
    length = strcspn(newest, "_");
    length += newest[length] ? 1 + strcspn(newest + length + 1, "_") : 0;
    for (size_t i = 0; i < all.count; i++)
        if (strncmp(all.items[i].name, newest, length) == 0)
            VEC_PUSH(ctx->arena, ret, all.items[i]);
    return true;
}

static const struct field point_columns[] = {
    FIELD(struct restore_point, name),
    FIELD(struct restore_point, lsn),
    FIELD(struct restore_point, set_at),
};

/* target: the setting that says how far; value: of it. */
static void
print_recipe(FILE *out, const char *target, const char *value)
{
    fprintf(out,
        "\nTo recover the whole server (every database of it) to such a moment, beside the "
        "running one:\n\n"
        "  1. Take the base backup that was made before the point (pg_basebackup) and unpack it\n"
        "     into a new data directory, on another port.\n"
        "  2. In its postgresql.conf:\n"
        "       restore_command = 'cp /path/to/archive/%%f %%p'\n"
        "       %s = '%s'\n"
        "       recovery_target_action = 'pause'\n"
        "  3. touch recovery.signal in that directory, and start it.\n"
        "  4. Look at the data; then SELECT pg_wal_replay_resume(); makes it a server of its own.\n"
        "  5. Fetch from it what is missing, or let the application connect to it.\n\n"
        "To lose less than that: instead of that target\n"
        "       recovery_target_lsn = 'LSN'\n"
        "       recovery_target_inclusive = off\n"
        "with the LSN of the statement that did the damage (pg_waldump shows it): everything before it "
        "is kept.\n",
        target, value);
}

bool
rollback_recipe(struct ctx *ctx, struct run *run)
{
    struct restore_points points;
    const char *advice;

    if (!choose(ctx, run->db, &points) || !restore_point_advice(ctx, run->db, &advice))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:o, s:s?}", "restore_points", points_json(&points), "advice", advice);

        out_json(run->out, json);
        return true;
    }
    if (points.count == 0) {
        fprintf(run->out, "No restore point was set in this database%s%s\n", advice ? ": " : ".",
            advice ? advice : "");
        if (!advice)
            print_recipe(run->out, "recovery_target_time", "2026-01-31 12:00:00+00");
    } else {
        out_table(run->out, point_columns, COUNT_OF(point_columns), points.items, points.count,
            sizeof(points.items[0]));
        print_recipe(run->out, "recovery_target_name", points.items[points.count - 1].name);
    }
    out_next(run->out, "pgmend backup list (what a restore without WAL goes back to)");
    return true;
}
