/* The checklist for people, for a page, and for programs. */
#include "cli/out.h"
#include "cmd/parts/checklist.h"

enum { MOST_NEXT = 5 };

static const char *const weekdays[] = { "", "Mon", "Tue", "Wed", "Thu", "Fri" };

/* "Anna (devops)" where --owner-name said so. */
static const char *
owner_of(struct arena *arena, const struct checklist_view *view, const char *role)
{
    size_t length = strlen(role);

    for (size_t i = 0; view->owners && i < view->owners->count; i++) {
        const char *text = view->owners->items[i];

        if (text_starts_with(text, role) && text[length] == '=')
            return arena_printf(arena, "%s (%s)", text + length + 1, role);
    }
    return role;
}

static const char *
when(struct arena *arena, const struct checklist_line *line)
{
    if (line->due)
        return line->due;
    return line->item->week > 0
               ? arena_printf(arena, "week %d %s", (int)line->item->week, weekdays[line->item->day])
               : "later";
}

static bool
is_shown(const struct checklist_view *view, const struct checklist_line *line)
{
    return (!view->section || text_equal(line->item->section, view->section)) &&
           !(view->open_only && checklist_is_done(line));
}

static bool
is_late(const struct checklist *list, const struct checklist_line *line)
{
    return line->due && !checklist_is_done(line) && strcmp(line->due, list->today) < 0;
}

/* The open ones in the order of their days; of a day, as they stand. */
static size_t
find_next(struct arena *arena, const struct checklist *list, const struct checklist_view *view,
    const struct checklist_line ***ret)
{
    size_t count = 0;

    *ret = ARENA_ARRAY(arena, const struct checklist_line *, list->count);
    for (int day = 1; day <= 4 * 7; day++)
        for (size_t i = 0; i < list->count; i++) {
            const struct checklist_line *line = &list->items[i];

            if (is_shown(view, line) && !checklist_is_done(line) && line->item->week > 0 &&
                (line->item->week - 1) * 7 + line->item->day == day)
                (*ret)[count++] = line;
        }
    return count;
}

static void
print_line(struct ctx *ctx, FILE *out, const struct checklist *list,
    const struct checklist_line *line, const struct checklist_view *view)
{
    enum out_mark mark = line->state == ITEM_DONE                                    ? MARK_OK
                         : line->state == ITEM_TICKED || line->state == ITEM_UNKNOWN ? MARK_WARN
                         : is_late(list, line)                                       ? MARK_FAIL
                                                                                     : MARK_INFO;

    out_mark_line(out, mark, "%s", line->item->title);
    fprintf(out, "      %s (%s, %s%s): %s%s%s\n", line->item->id,
        owner_of(ctx->arena, view, line->item->owner), when(ctx->arena, line),
        is_late(list, line) ? ", late" : "",
        line->state == ITEM_TICKED ? "ticked, not measured" : checklist_state_name(line->state),
        line->evidence ? "; " : "", line->evidence ? line->evidence : "");
    if (line->actor && (line->state == ITEM_TICKED || !line->is_measured))
        fprintf(out, "      ticked by %s, %s%s%s\n", line->actor, line->at, line->note ? ": " : "",
            line->note ? line->note : "");
}

static void
print_counts(FILE *out, const struct checklist *list, const struct checklist_view *view)
{
    size_t counts[CHECKLIST_STATE_COUNT] = { 0 };
    size_t total = 0;
    size_t late = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct checklist_line *line = &list->items[i];

        if (view->section && !text_equal(line->item->section, view->section))
            continue;
        counts[line->state]++;
        late += is_late(list, line);
        total++;
    }
    fprintf(out, "%zu of %zu done, %zu of them ticked and not measured; %zu open, %zu not known",
        counts[ITEM_DONE] + counts[ITEM_TICKED], total, counts[ITEM_TICKED], counts[ITEM_OPEN],
        counts[ITEM_UNKNOWN]);
    if (late > 0)
        fprintf(out, ", %zu late", late);
    fputs(".\n", out);
}

static void
print_next(
    struct ctx *ctx, FILE *out, const struct checklist *list, const struct checklist_view *view)
{
    const struct checklist_line **next;
    size_t count = find_next(ctx->arena, list, view, &next);

    if (list->start)
        fprintf(out, "Today is %s; week 1 begins on %s.\n", list->today, list->start);
    else
        fputs("No start is kept: pgmend checklist tick --start DATE gives the days dates.\n", out);
    if (count == 0) {
        fputs("Nothing of the four weeks is open.\n", out);
        out_next(out, "pgmend report");
        return;
    }
    fputs("Next to do:\n", out);
    for (size_t i = 0; i < count && i < MOST_NEXT; i++)
        fprintf(out, "  %s  %-26s %s%s\n", when(ctx->arena, next[i]), next[i]->item->id,
            owner_of(ctx->arena, view, next[i]->item->owner),
            is_late(list, next[i]) ? ", late" : "");
    if (next[0]->item->how)
        out_next(out, "%s", next[0]->item->how);
    else
        out_next(out, "pgmend checklist tick %s", next[0]->item->id);
}

void
checklist_print(
    struct ctx *ctx, FILE *out, const struct checklist *list, const struct checklist_view *view)
{
    for (size_t s = 0; s < checklist_section_count; s++) {
        bool has_title = false;

        for (size_t i = 0; i < list->count; i++) {
            const struct checklist_line *line = &list->items[i];

            if (!text_equal(line->item->section, checklist_sections[s].name) ||
                !is_shown(view, line))
                continue;
            if (!has_title)
                fprintf(out, "%s\n", checklist_sections[s].title);
            has_title = true;
            print_line(ctx, out, list, line, view);
        }
        if (has_title)
            fputc('\n', out);
    }
    print_counts(out, list, view);
    print_next(ctx, out, list, view);
}

static void
print_markdown_line(struct ctx *ctx, FILE *out, const struct checklist_line *line,
    const struct checklist_view *view)
{
    const struct checklist_item *item = line->item;
    const char *goal =
        item->of && item->measure == MEASURE_KPI ? arena_printf(ctx->arena, ": %s", item->of) : "";
    const char *how = item->how ? arena_printf(ctx->arena, "`%s`", item->how) : "";

    fprintf(out, "| [%c] | `%s` | %s | %s | %s | %s%s | %s |\n",
        checklist_is_done(line) ? 'x' : ' ', item->id, item->title,
        owner_of(ctx->arena, view, item->owner), when(ctx->arena, line),
        checklist_measure_says(item->measure), goal, how);
}

void
checklist_print_markdown(
    struct ctx *ctx, FILE *out, const struct checklist *list, const struct checklist_view *view)
{
    for (size_t s = 0; s < checklist_section_count; s++) {
        bool has_title = false;

        for (size_t i = 0; i < list->count; i++) {
            const struct checklist_line *line = &list->items[i];

            if (!text_equal(line->item->section, checklist_sections[s].name) ||
                !is_shown(view, line))
                continue;
            if (!has_title)
                fprintf(out,
                    "### %s\n\n| | item | what | who | when | known by | helps |\n"
                    "| --- | --- | --- | --- | --- | --- | --- |\n",
                    checklist_sections[s].title);
            has_title = true;
            print_markdown_line(ctx, out, line, view);
        }
        if (has_title)
            fputc('\n', out);
    }
}

static json_t *
line_json(struct ctx *ctx, const struct checklist *list, const struct checklist_line *line,
    const struct checklist_view *view)
{
    const struct checklist_item *item = line->item;
    json_t *ret = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s?, s:b}", "id", item->id,
        "section", item->section, "title", item->title, "owner", item->owner, "owner_shown",
        owner_of(ctx->arena, view, item->owner), "week", (int)item->week, "day", (int)item->day,
        "due", line->due, "is_late", (int)is_late(list, line));
    json_t *state = json_pack("{s:s, s:b, s:s, s:s?, s:s?, s:s?, s:s?, s:s?}", "state",
        checklist_state_name(line->state), "is_measured", (int)line->is_measured, "known_by",
        checklist_measure_says(item->measure), "evidence", line->evidence, "actor", line->actor,
        "at", line->at, "note", line->note, "how", item->how);

    json_object_update_new(ret, state);
    return ret;
}

json_t *
checklist_json(struct ctx *ctx, const struct checklist *list, const struct checklist_view *view)
{
    const struct checklist_line **next;
    size_t next_count = find_next(ctx->arena, list, view, &next);
    json_t *items = json_array();
    json_t *ids = json_array();
    size_t done = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (view->section && !text_equal(list->items[i].item->section, view->section))
            continue;
        done += checklist_is_done(&list->items[i]);
        if (is_shown(view, &list->items[i]))
            json_array_append_new(items, line_json(ctx, list, &list->items[i], view));
    }
    for (size_t i = 0; i < next_count && i < MOST_NEXT; i++)
        json_array_append_new(ids, json_string(next[i]->item->id));
    return json_pack("{s:s, s:s?, s:I, s:o, s:o}", "today", list->today, "start", list->start,
        "done", (json_int_t)done, "items", items, "next", ids);
}
