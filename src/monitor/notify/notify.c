#include "monitor/notify/notify.h"

#include "base/clock.h"
#include "monitor/notify/notifier.h"

static void
timer_rang(void *data)
{
    sink_flush(data);
}

bool
notifier_new(struct ctx *ctx, struct loop *loop, const struct notifier_options *options,
    struct notifier **ret)
{
    struct notifier *notifier = ARENA_NEW(ctx->arena, struct notifier);
    const struct setup *setup = options->setup;

    *notifier = (struct notifier){
        .loop = loop,
        .setup = setup,
        .page_url = options->page_url,
        .alerts = options->alerts,
        .sinks = ARENA_ARRAY(ctx->arena, struct sink, setup->sinks.count),
        .sink_count = setup->sinks.count,
        .arena = arena_new(),
        .arena_limit = (size_t)1 << 20,
    };
    if (!courier_new(ctx, loop, &notifier->courier)) {
        arena_free(notifier->arena);
        return false;
    }
    for (size_t i = 0; i < setup->sinks.count; i++)
        notifier->sinks[i] = (struct sink){
            .notifier = notifier,
            .index = i,
            .setup = &setup->sinks.items[i],
            .kind = &sink_kinds[setup->sinks.items[i].kind],
            .timer = loop_timer_new(loop, timer_rang, &notifier->sinks[i]),
        };
    *ret = notifier;
    return true;
}

void
notifier_free(struct notifier *notifier)
{
    if (!notifier)
        return;
    courier_free(notifier->courier);
    trials_end(notifier);
    for (size_t i = 0; i < notifier->sink_count; i++)
        loop_timer_free(notifier->sinks[i].timer);
    arena_free(notifier->arena);
}

/* The one that matters least among those that wait: the mildest, and of these the oldest. */
static struct telling *
least_important(struct sink *sink, int64_t now_us, struct subject **ret)
{
    const struct notifier *notifier = sink->notifier;

    *ret = NULL;
    for (size_t i = 0; i < notifier->subjects.count; i++) {
        struct subject *subject = notifier->subjects.items[i];
        int64_t due_us = sink_due_us(sink, subject);

        if (due_us == NOTIFY_NEVER || due_us - sink->setup->group_wait_us > now_us ||
            subject->tellings[sink->index].is_under_way)
            continue;
        if (!*ret || subject->notice.rank < (*ret)->notice.rank ||
            (subject->notice.rank == (*ret)->notice.rank && subject->heard_us < (*ret)->heard_us))
            *ret = subject;
    }
    return *ret ? &(*ret)->tellings[sink->index] : NULL;
}

/* A sink that is down must not make us grow. */
static void
bound_queue(struct sink *sink)
{
    int64_t now_us = clock_us();
    struct subject *subject;

    if (sink_queued(sink, now_us) <= NOTIFY_MOST_QUEUED)
        return;

    struct telling *telling = least_important(sink, now_us, &subject);

    if (!telling)
        return;
    telling->told = subject->is_resolved ? TOLD_RESOLVED : TOLD_FIRING;
    telling->told_us = now_us;
    telling->was_tried = false;
    sink->dropped++;
}

static void
hear_firing(struct notifier *notifier, const struct alert *alert, const struct notice *notice)
{
    struct subject *subject = subject_find(notifier, notice->id);
    int64_t age_us = clock_wall_us() - notice->fired_wall_us;

    if (alert->quiet)
        return;
    if (!subject) {
        subject = subject_add(notifier, notice);
        if (!subject) {
            for (size_t i = 0; i < notifier->sink_count; i++)
                notifier->sinks[i].dropped++;
            return;
        }
        subject->fired_us = clock_us() - (age_us > 0 ? age_us : 0);
        return;
    }
    if (subject->is_resolved) {
        /* Back before everybody was told that it had gone: who knows of it hears nothing. */
        subject->fired_us = clock_us();
        for (size_t i = 0; i < notifier->sink_count; i++)
            if (subject->tellings[i].told == TOLD_RESOLVED)
                subject->tellings[i].told = TOLD_NOTHING;
    }
    if (subject->is_resolved || subject->is_quiet)
        subject->heard_us = clock_us();
    subject->is_resolved = false;
    subject->is_quiet = false;
    notice_copy(notifier->arena, notice, &subject->notice);
}

static void
hear_resolved(struct notifier *notifier, const struct notice *notice)
{
    struct subject *subject = subject_find(notifier, notice->id);

    if (!subject || subject->is_resolved)
        return;
    subject->is_resolved = true;
    subject->resolved_us = clock_us();
    notice_copy(notifier->arena, notice, &subject->notice);
    if (subject->notice.resolved_wall_us == 0)
        subject->notice.resolved_wall_us = clock_wall_us();
}

void
notifier_hear(void *data, const struct alert *alert)
{
    struct notifier *notifier = data;
    struct arena *arena CLEANUP(arena_cleanup) = NULL;
    struct notice notice;

    if (alert->state == ALERT_PENDING)
        return;
    arena = arena_new();
    notice_from_alert(arena, alert, &notice);
    if (alert->state == ALERT_RESOLVED)
        hear_resolved(notifier, &notice);
    else
        hear_firing(notifier, alert, &notice);
    for (size_t i = 0; i < notifier->sink_count; i++) {
        bound_queue(&notifier->sinks[i]);
        sink_flush(&notifier->sinks[i]);
    }
    subjects_forget(notifier);
}

size_t
notifier_sinks(const struct notifier *notifier, struct arena *arena, struct sink_state **ret)
{
    struct sink_state *states = ARENA_ARRAY(arena, struct sink_state, notifier->sink_count);
    int64_t now_us = clock_us();

    for (size_t i = 0; i < notifier->sink_count; i++) {
        const struct sink *sink = &notifier->sinks[i];

        states[i] = (struct sink_state){
            .name = sink->setup->name,
            .kind = sink->kind->name,
            .sent = sink->sent,
            .failed = sink->failed,
            .queued = (int64_t)sink_queued(sink, now_us),
            .dropped = sink->dropped,
            .last_error = sink->has_error ? arena_strdup(arena, sink->error) : NULL,
            .last_answer = sink->has_answer ? arena_strdup(arena, sink->answer) : NULL,
        };
    }
    *ret = states;
    return notifier->sink_count;
}

static const struct metric sent_metric = {
    .name = "pgmend_notifications_total",
    .kind = METRIC_COUNTER,
    .help = "Messages about alerts that a sink has taken.",
};
static const struct metric failed_metric = {
    .name = "pgmend_notifications_failed_total",
    .kind = METRIC_COUNTER,
    .help = "Tries to send a message about alerts that failed.",
};
static const struct metric dropped_metric = {
    .name = "pgmend_notifications_dropped_total",
    .kind = METRIC_COUNTER,
    .help = "Alerts that a sink was never told of: refused, or too many waited.",
};
static const struct metric queued_metric = {
    .name = "pgmend_notifications_queued",
    .kind = METRIC_GAUGE,
    .help = "Alerts that wait to be told to a sink.",
};

void
notifier_samples(const struct notifier *notifier, struct samples *samples)
{
    static const char *const names[] = { "sink", "kind", NULL };
    struct sink_state *states;
    size_t count = notifier_sinks(notifier, samples->arena, &states);

    for (size_t i = 0; i < count; i++) {
        const char *const labels[] = { states[i].name, states[i].kind };

        sample_add(samples, &sent_metric, names, labels, (double)states[i].sent);
        sample_add(samples, &failed_metric, names, labels, (double)states[i].failed);
        sample_add(samples, &dropped_metric, names, labels, (double)states[i].dropped);
        sample_add(samples, &queued_metric, names, labels, (double)states[i].queued);
    }
}
