#include "base/clock.h"
#include "monitor/notify/notifier.h"

static json_t *
subject_json(const struct notifier *notifier, const struct subject *subject)
{
    int64_t now_us = clock_us();
    int64_t wall_us = clock_wall_us();
    json_t *sinks = json_object();

    for (size_t i = 0; i < notifier->sink_count; i++) {
        const struct telling *telling = &subject->tellings[i];

        if (telling->told != TOLD_NOTHING || telling->was_tried)
            json_object_set_new(sinks, notifier->sinks[i].setup->name,
                json_pack("{s:i, s:b, s:I}", "told", (int)telling->told, "was_tried",
                    telling->was_tried, "at", (json_int_t)(wall_us - (now_us - telling->told_us))));
    }
    return json_pack("{s:o, s:o, s:b}", "notice",
        json_from_fields(notice_fields, notice_field_count, &subject->notice), "sinks", sinks,
        "is_quiet", subject->is_quiet);
}

json_t *
notifier_save(const struct notifier *notifier)
{
    json_t *array = json_array();

    for (size_t i = 0; i < notifier->subjects.count; i++)
        json_array_append_new(array, subject_json(notifier, notifier->subjects.items[i]));
    return json_pack("{s:o}", "subjects", array);
}

static void
read_notice(struct arena *arena, const json_t *json, struct notice *ret)
{
    *ret = (struct notice){ 0 };
    for (size_t i = 0; i < notice_field_count; i++) {
        const struct field *field = &notice_fields[i];
        void *member = (char *)ret + field->offset;

        if (field->type == FIELD_TEXT)
            *(const char **)member = json_get_text(arena, json, field->name, "");
        else
            *(int64_t *)member = json_get_int(json, field->name, 0);
    }
}

/* Wall time as clock_us(); what seems to lie ahead (the clock was set back) is now. */
static int64_t
monotonic(int64_t wall_us)
{
    int64_t age_us = clock_wall_us() - wall_us;

    return clock_us() - (age_us > 0 ? age_us : 0);
}

static void
restore_subject(struct notifier *notifier, const struct notice *notice, const json_t *json)
{
    struct subject *subject = subject_add(notifier, notice);
    const json_t *sinks = json_object_get(json, "sinks");

    if (!subject)
        return;
    subject->fired_us = monotonic(notice->fired_wall_us);
    subject->is_resolved = notice->resolved_wall_us != 0;
    subject->resolved_us = monotonic(notice->resolved_wall_us);
    subject->is_quiet = json_get_bool(json, "is_quiet", false);
    for (size_t i = 0; i < notifier->sink_count; i++) {
        const json_t *one = json_object_get(sinks, notifier->sinks[i].setup->name);
        struct telling *telling = &subject->tellings[i];
        int64_t told = json_get_int(one, "told", TOLD_NOTHING);

        telling->told = told == TOLD_FIRING     ? TOLD_FIRING
                        : told == TOLD_RESOLVED ? TOLD_RESOLVED
                                                : TOLD_NOTHING;
        telling->was_tried = json_get_bool(one, "was_tried", false);
        telling->told_us = monotonic(json_get_int(one, "at", 0));
    }
}

bool
notifier_restore(struct ctx *ctx, struct notifier *notifier, const json_t *saved)
{
    const json_t *array = json_object_get(saved, "subjects");

    if (!json_is_array(array))
        return error_set(ctx, ERR_INPUT, "what was saved of notifications cannot be read");
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *json = json_array_get(array, i);
        struct notice notice;

        read_notice(ctx->arena, json_object_get(json, "notice"), &notice);
        if (!text_is_empty(notice.id) && !subject_find(notifier, notice.id))
            restore_subject(notifier, &notice, json);
    }
    subjects_forget(notifier);
    for (size_t i = 0; i < notifier->sink_count; i++)
        sink_flush(&notifier->sinks[i]);
    return true;
}
