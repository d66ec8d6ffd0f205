/* What became of the steps of a plan, as a table or as JSON. */
#include "cli/out.h"
#include "cmd/parts/roll_out_steps.h"

struct line {
    const char *step;
    const char *title;
    const char *state;
    const char *why;
};

static const struct field columns[] = {
    FIELD(struct line, step),
    FIELD(struct line, title),
    FIELD(struct line, state),
    FIELD(struct line, why),
};

static const struct field record_fields[] = {
    FIELD(struct step_record, run),
    FIELD(struct step_record, why),
    FIELD(struct step_record, started_at),
    FIELD(struct step_record, ended_at),
};

/* A line is short: a sentence's rest is in "pgmend status" and in the JSON. */
enum { WHY_WIDTH = 60 };

static const char *
shortened(struct arena *arena, const char *text)
{
    size_t length = text ? strcspn(text, "\n") : 0;

    if (!text || length <= WHY_WIDTH)
        return text ? arena_strndup(arena, text, length) : "";
    length = WHY_WIDTH;
    while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return arena_printf(arena, "%.*s…", (int)length, text);
}

static const char *
state_of(const struct step_work *work)
{
    return work->record.state ? work->record.state : work->passed ? "passed over" : "not begun";
}

static json_t *
json_of(struct arena *arena, const struct step_work *work)
{
    json_t *json = json_from_fields(record_fields, COUNT_OF(record_fields), &work->record);
    struct ctx scratch = { .arena = arena };
    const struct {
        const char *name;
        const char *text;
    } measured[] = { { "before", work->record.before }, { "after", work->record.after } };

    json_object_set_new(json, "id", json_string(work->step->id));
    json_object_set_new(json, "phase", json_integer(work->step->phase));
    json_object_set_new(json, "title", json_string(work->step->title));
    json_object_set_new(json, "state", json_string(state_of(work)));
    json_object_set_new(
        json, "passed_over", work->passed ? json_string(work->passed) : json_null());
    json_object_set_new(
        json, "promise", work->step->promise ? json_string(work->step->promise) : json_null());
    for (size_t i = 0; i < COUNT_OF(measured); i++) {
        json_t *value CLEANUP(json_release) = NULL;

        if (measured[i].text && json_parse(&scratch, measured[i].name, measured[i].text, &value))
            json_object_set(json, measured[i].name, value);
        else
            json_object_set_new(json, measured[i].name, json_null());
    }
    json_object_set_new(json, "changes", work->changes ? json_incref(work->changes) : json_array());
    return json;
}

static void
print_json(struct ctx *ctx, const struct stepped *all)
{
    json_t *steps = json_array();

    for (size_t i = 0; i < all->plan->steps.count; i++)
        json_array_append_new(steps, json_of(ctx->arena, &all->steps[i]));

    json_t *json CLEANUP(json_release) = json_pack("{s:o, s:o, s:o}", "plan", plan_json(all->plan),
        "gates", gates_json(all->gates), "steps", steps);

    out_json(all->run->out, json);
}

/* Each state once, in the order of the steps, with those that are in it. */
static void
print_brief(struct ctx *ctx, const struct stepped *all)
{
    struct buffer text = { .arena = ctx->arena };
    struct text_list told = { 0 };

    for (size_t i = 0; i < all->plan->steps.count; i++) {
        const char *state = state_of(&all->steps[i]);

        if (text_list_has(&told, state))
            continue;
        text_list_add(ctx->arena, &told, state);
        buffer_printf(&text, "%s%s", told.count > 1 ? "; " : "", state);
        for (size_t j = i; j < all->plan->steps.count; j++)
            if (text_equal(state_of(&all->steps[j]), state))
                buffer_printf(&text, " %s", all->steps[j].step->id);
    }
    fprintf(all->run->out, "Steps: %s.\n", buffer_text(&text));
}

void
steps_print_result(struct ctx *ctx, const struct stepped *all)
{
    size_t count = all->plan->steps.count;
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, count);
    FILE *out = all->run->out;

    if (all->run->global->json) {
        print_json(ctx, all);
        return;
    }
    if (all->run->global->quiet) {
        print_brief(ctx, all);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct step_work *work = &all->steps[i];

        lines[i] = (struct line){
            .step = work->step->id,
            .title = shortened(ctx->arena, work->step->title),
            .state = state_of(work),
            .why = shortened(ctx->arena, work->passed ? work->passed : work->record.why),
        };
    }
    fputc('\n', out);
    out_table(out, columns, COUNT_OF(columns), lines, count, sizeof(lines[0]));
    out_next(out, "pgmend status");
    fflush(out);
}
