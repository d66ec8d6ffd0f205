#include "cmd/parts/checklist.h"

#include "base/clock.h"
#include "cmd/parts/checklist_facts.h"
#include "db/ident.h"
#include "monitor/plain.h"

#define DAY_US INT64_C(86400000000)

/* The name under which the Monday of week 1 is kept: no item can have it, as ids are kebab-case. */
static const char start_name[] = "(start)";

const char *
checklist_state_name(enum checklist_state state)
{
#define STATE_NAME(id, name) [id] = (name),
    static const char *const names[] = { CHECKLIST_STATES(STATE_NAME) };
#undef STATE_NAME

    return names[state];
}

bool
checklist_is_done(const struct checklist_line *line)
{
    return line->state == ITEM_DONE || line->state == ITEM_TICKED;
}

/* A date such as 2026-11-23 as days since 1970. */
static bool
read_date(struct ctx *ctx, const char *date, int64_t *ret_days)
{
    int64_t wall_us;

    *ret_days = 0;
    if (strlen(date) != 10 ||
        !clock_parse(arena_printf(ctx->arena, "%sT00:00:00Z", date), &wall_us))
        return false;
    *ret_days = wall_us / DAY_US;
    return text_equal(date, arena_printf(ctx->arena, "%.10s", clock_text(ctx->arena, wall_us)));
}

static const char *
write_date(struct arena *arena, int64_t days)
{
    return arena_printf(arena, "%.10s", clock_text(arena, days * DAY_US));
}

/* 1970-01-01 was a Thursday. */
static int64_t
days_after_monday(int64_t days)
{
    return (days + 3) % 7;
}

static bool
check_start(struct ctx *ctx, const char *date)
{
    int64_t days;

    if (!read_date(ctx, date, &days))
        return error_set(ctx, ERR_USAGE, "--start: \"%s\" is no date such as 2026-11-30", date);
    if (days_after_monday(days) == 0)
        return true;
    error_set(ctx, ERR_USAGE, "--start: %s is no Monday, and the weeks begin with one", date);
    return error_hint(ctx, "The Mondays around it are %s and %s.",
        write_date(ctx->arena, days - days_after_monday(days)),
        write_date(ctx->arena, days - days_after_monday(days) + 7));
}

bool
checklist_find_section(struct ctx *ctx, const char *name)
{
    struct text_list names = { 0 };

    for (size_t i = 0; i < checklist_section_count; i++) {
        if (text_equal(checklist_sections[i].name, name))
            return true;
        text_list_add(ctx->arena, &names, checklist_sections[i].name);
    }
    error_set(ctx, ERR_USAGE, "there is no section \"%s\"", plain_text(ctx->arena, name));
    return error_hint(ctx, "Sections are %s.", text_list_join(ctx->arena, &names, ", "));
}

/* As many letters off as a slip of the finger makes, or a part of the id. */
static bool
looks_like(const char *id, const char *wanted)
{
    return text_distance(id, wanted) <= 2 ||
           (strlen(wanted) >= 3 && (strstr(id, wanted) || strstr(wanted, id)));
}

bool
checklist_find(struct ctx *ctx, const char *id, const struct checklist_item **ret)
{
    struct text_list similar = { 0 };

    for (size_t i = 0; i < checklist_item_count; i++) {
        *ret = &checklist_items[i];
        if (text_equal((*ret)->id, id))
            return true;
        if (looks_like((*ret)->id, id))
            text_list_add(ctx->arena, &similar, (*ret)->id);
    }
    error_set(ctx, ERR_INPUT, "the checklist has no item \"%s\"", plain_text(ctx->arena, id));
    if (similar.count > 0)
        return error_hint(ctx, "Did you mean %s?", text_list_join(ctx->arena, &similar, ", "));
    return error_hint(ctx, "\"pgmend checklist show\" lists them.");
}

static const struct sql_change_checklist_ticks *
find_tick(const struct sql_change_checklist_ticks_rows *ticks, const char *item)
{
    for (size_t i = 0; i < ticks->count; i++)
        if (text_equal(ticks->items[i].item, item) && ticks->items[i].done)
            return &ticks->items[i];
    return NULL;
}

static void
judge(struct arena *arena, const struct checklist_facts *facts,
    const struct sql_change_checklist_ticks *tick, struct checklist_line *line)
{
    struct checklist_measured measured;

    checklist_measure(arena, facts, line->item, &measured);
    line->is_measured = line->item->measure != MEASURE_BY_HAND;
    line->evidence = measured.evidence ? plain_text(arena, measured.evidence) : NULL;
    line->state = measured.verdict == VERDICT_DONE      ? ITEM_DONE
                  : measured.verdict == VERDICT_UNKNOWN ? ITEM_UNKNOWN
                  : measured.verdict == VERDICT_TOLD    ? ITEM_TICKED
                                                        : ITEM_OPEN;
    if (!tick)
        return;
    line->actor = plain_text(arena, tick->actor);
    line->at = tick->recorded_at;
    line->note = tick->note ? plain_text(arena, tick->note) : NULL;
    if (line->state != ITEM_DONE)
        line->state = line->is_measured ? ITEM_TICKED : ITEM_DONE;
}

static bool
load_ticks(struct ctx *ctx, struct db *db, const struct sql_change_checklist_place *place,
    struct sql_change_checklist_ticks_rows *ret)
{
    *ret = (struct sql_change_checklist_ticks_rows){ 0 };
    if (!place->has_table)
        return true;
    if (place->may_read && sql_change_checklist_ticks(ctx, db, ret))
        return true;
    if (!place->may_read)
        error_set(ctx, ERR_RIGHTS, "role %s may not read pgmend.checklist", db_user(db));
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx,
            "GRANT USAGE ON SCHEMA pgmend TO %s; GRANT SELECT ON pgmend.checklist TO %s;",
            db_ident(ctx->arena, db_user(db)), db_ident(ctx->arena, db_user(db)));
    return false;
}

bool
checklist_load(
    struct ctx *ctx, const struct checklist_place *place, const char *start, struct checklist *ret)
{
    const struct checklist_facts *facts;
    const struct sql_change_checklist_ticks *kept;
    struct sql_change_checklist_ticks_rows ticks;
    int64_t days = 0;

    *ret = (struct checklist){ 0 };
    if ((start && !check_start(ctx, start)) || !checklist_facts_load(ctx, place, &facts) ||
        !load_ticks(ctx, place->db, &facts->place, &ticks))
        return false;
    kept = find_tick(&ticks, start_name);
    ret->start = start ? start : kept ? kept->note : NULL;
    ret->today = facts->place.today;
    if (ret->start && !read_date(ctx, ret->start, &days))
        ret->start = NULL;
    for (size_t i = 0; i < checklist_item_count; i++) {
        struct checklist_line line = { .item = &checklist_items[i] };

        judge(ctx->arena, facts, find_tick(&ticks, line.item->id), &line);
        if (ret->start && line.item->week > 0)
            line.due =
                write_date(ctx->arena, days + 7 * (line.item->week - 1) + line.item->day - 1);
        VEC_PUSH(ctx->arena, ret, line);
    }
    return true;
}

/* Two who make it at the same moment: one is told that it is there, and looks again. */
static bool
is_race(const struct ctx *ctx)
{
    return text_equal(ctx->error.sqlstate, "23505") || text_equal(ctx->error.sqlstate, "42P06") ||
           text_equal(ctx->error.sqlstate, "42P07");
}

static bool
make_table(struct ctx *ctx, struct db *db)
{
    enum { MOST_ATTEMPTS = 5 };
    struct sql_change_checklist_place_rows rows;

    for (int attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
        if (!sql_change_checklist_place(ctx, db, &rows))
            return false;
        if (rows.items[0].has_table)
            return true;
        if (journal_install(ctx, db) && sql_change_create_checklist(ctx, db))
            return true;
        if (!is_race(ctx) || attempt == MOST_ATTEMPTS)
            return false;
        error_clear(ctx);
    }
    return true;
}

bool
checklist_put(struct ctx *ctx, struct db *db, const char *item, bool done, const char *note)
{
    const char *role = db_ident(ctx->arena, db_user(db));

    if (make_table(ctx, db) &&
        sql_change_checklist_put(ctx, db, .item = item, .done = done, .note = note))
        return true;
    if (ctx->error.kind == ERR_RIGHTS && !ctx->error.hint)
        error_hint(ctx,
            "GRANT USAGE, CREATE ON SCHEMA pgmend TO %s; GRANT SELECT, INSERT ON "
            "pgmend.checklist TO %s;",
            role, role);
    /* What the server refuses leaves nothing; after a lost connection it is not known. */
    if (*ctx->error.sqlstate && ctx->error.kind != ERR_CONNECTION)
        error_state(ctx, "Nothing was changed.");
    return error_wrap(ctx, "recording it in pgmend.checklist");
}

bool
checklist_start(struct ctx *ctx, struct db *db, const char *date)
{
    return check_start(ctx, date) && checklist_put(ctx, db, start_name, true, date);
}
