#include "base/clock.h"
#include "monitor/notify/notifier.h"

#define PACE_US          1000000
#define BACK_OFF_US      1000000
#define MOST_BACK_OFF_US INT64_C(300000000)
#define MOST_WAIT_US     INT64_C(3600000000) /* that a sink can ask for */

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t
most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t
sink_due_us(const struct sink *sink, const struct subject *subject)
{
    const struct telling *telling = &subject->tellings[sink->index];
    const struct setup_sink *setup = sink->setup;

    if (subject->is_resolved) {
        /* One that came and went while the sink was down is told when it is over. */
        bool is_owed =
            telling->told == TOLD_FIRING || (telling->told == TOLD_NOTHING && telling->was_tried);

        return is_owed && setup->sends_resolved ? subject->resolved_us + setup->group_wait_us
                                                : NOTIFY_NEVER;
    }
    if (subject->is_quiet || telling->after_us < 0)
        return NOTIFY_NEVER;
    if (telling->told == TOLD_FIRING)
        return setup->repeat_us > 0 ? telling->told_us + setup->repeat_us : NOTIFY_NEVER;
    return most(subject->heard_us, subject->fired_us + telling->after_us) + setup->group_wait_us;
}

/* Whether it goes with a message of now: its own waiting time to be grouped need not be over. */
static bool
is_ready(const struct sink *sink, const struct subject *subject, int64_t now_us)
{
    int64_t due_us = sink_due_us(sink, subject);

    return due_us != NOTIFY_NEVER && due_us - sink->setup->group_wait_us <= now_us;
}

size_t
sink_queued(const struct sink *sink, int64_t now_us)
{
    const struct notifier *notifier = sink->notifier;
    size_t count = 0;

    for (size_t i = 0; i < notifier->subjects.count; i++)
        count += is_ready(sink, notifier->subjects.items[i], now_us);
    return count;
}

void
sink_note(struct sink *sink, const struct outcome *outcome)
{
    snprintf(sink->answer, sizeof(sink->answer), "%s", outcome->answer ? outcome->answer : "");
    sink->has_answer = true;
    sink->has_error = outcome->kind != OUTCOME_SENT;
    if (sink->has_error) {
        snprintf(sink->error, sizeof(sink->error), "%s", sink->answer);
        sink->failed++;
    } else {
        sink->sent++;
    }
}

/* When to try again: doubled each time, with up to a fifth more so that several do not meet. */
static int64_t
wait_after(const struct sink *sink, const struct outcome *outcome)
{
    int64_t wait_us = BACK_OFF_US;

    for (int32_t i = 1; i < sink->failures && wait_us < MOST_BACK_OFF_US; i++)
        wait_us *= 2;
    wait_us = least(wait_us, MOST_BACK_OFF_US);
    wait_us += wait_us / 5 * (clock_us() % 1000) / 1000;
    return most(wait_us, least(outcome->after_us, MOST_WAIT_US));
}

static void
take_outcome(struct sink *sink, struct telling *telling, const struct outcome *outcome)
{
    /* Whoever is told of it among others is not told again before the time of a repeat. */
    if (telling->is_beside && outcome->kind == OUTCOME_SENT && telling->told == TOLD_FIRING)
        telling->told_us = clock_us();
    telling->is_beside = false;
    if (!telling->is_under_way)
        return;
    telling->is_under_way = false;
    switch (outcome->kind) {
    case OUTCOME_SENT:
        telling->told = telling->saying;
        telling->told_us = clock_us();
        telling->was_tried = false;
        return;
    case OUTCOME_LATER:
        telling->was_tried = true;
        return;
    case OUTCOME_REFUSED:
        telling->told = telling->saying;
        telling->told_us = clock_us();
        sink->dropped++;
        return;
    }
}

static void
delivered(void *data, const struct outcome *outcome)
{
    struct sink *sink = data;
    struct notifier *notifier = sink->notifier;

    sink_note(sink, outcome);
    for (size_t i = 0; i < notifier->subjects.count; i++)
        take_outcome(sink, &notifier->subjects.items[i]->tellings[sink->index], outcome);
    sink->is_busy = false;
    if (outcome->kind == OUTCOME_LATER) {
        sink->failures++;
        sink->not_before_us = clock_us() + wait_after(sink, outcome);
    } else {
        sink->failures = 0;
        sink->not_before_us = clock_us() + (sink->kind->is_for_people ? PACE_US : 0);
    }
    subjects_forget(notifier);
    sink_flush(sink);
}

/* The server whose alerts are longest due, or NULL when there are too many for people. */
static const char *
choose_group(const struct sink *sink, int64_t now_us)
{
    const struct notifier *notifier = sink->notifier;
    const char *servers[NOTIFY_MOST_GROUPS + 1];
    const char *first = NULL;
    size_t count = 0;
    int64_t first_us = NOTIFY_NEVER;

    for (size_t i = 0; i < notifier->subjects.count; i++) {
        const struct subject *subject = notifier->subjects.items[i];
        int64_t due_us = sink_due_us(sink, subject);
        bool is_new = true;

        if (!is_ready(sink, subject, now_us))
            continue;
        if (due_us < first_us) {
            first_us = due_us;
            first = subject->notice.server;
        }
        for (size_t j = 0; j < count; j++)
            is_new = is_new && !text_equal(servers[j], subject->notice.server);
        if (is_new && count <= NOTIFY_MOST_GROUPS)
            servers[count++] = subject->notice.server;
    }
    return sink->kind->is_for_people && count > NOTIFY_MOST_GROUPS ? NULL : first;
}

static int
compare_notices(const void *a, const void *b)
{
    const struct notice *left = *(struct notice *const *)a;
    const struct notice *right = *(struct notice *const *)b;
    int left_over = left->resolved_wall_us != 0;
    int right_over = right->resolved_wall_us != 0;

    if (left_over != right_over)
        return left_over - right_over;
    if (left->rank != right->rank)
        return left->rank > right->rank ? -1 : 1;
    if (left->fired_wall_us != right->fired_wall_us)
        return left->fired_wall_us < right->fired_wall_us ? -1 : 1;
    return strcmp(left->id, right->id);
}

/* The alerts of now, by id, so that a message has the values of now; empty if nobody is to be asked. */
static void
index_alerts(const struct notifier *notifier, struct arena *arena, struct map *ret)
{
    const struct alert **list;

    *ret = (struct map){ .arena = arena };
    if (!notifier->alerts)
        return;

    size_t count = alerts_list(notifier->alerts, arena, &list);

    for (size_t i = 0; i < count; i++)
        if (list[i]->state == ALERT_FIRING)
            map_set(ret, list[i]->id, (void *)(uintptr_t)list[i]);
}

static struct notice *
notice_of_now(struct arena *arena, const struct map *alerts, const struct subject *subject)
{
    struct notice *notice = ARENA_NEW(arena, struct notice);
    const struct alert *alert = map_get(alerts, subject->notice.id);

    if (alert && !subject->is_resolved)
        notice_from_alert(arena, alert, notice);
    else
        notice_copy(arena, &subject->notice, notice);
    return notice;
}

/*
 * What has become quiet since it was heard is not told: alerts are listened to again when it ends. What
 * is not there any more (a rule that was removed before a restart) is over.
 */
static void
reconcile(const struct notifier *notifier, const struct map *alerts)
{
    for (size_t i = 0; notifier->alerts && i < notifier->subjects.count; i++) {
        struct subject *subject = notifier->subjects.items[i];
        const struct alert *alert = map_get(alerts, subject->notice.id);

        if (subject->is_resolved)
            continue;
        subject->is_quiet = alert && alert->quiet;
        if (alert)
            continue;
        subject->is_resolved = true;
        subject->resolved_us = clock_us();
        subject->notice.resolved_wall_us = clock_wall_us();
    }
}

static void
fill_message(struct sink *sink, struct arena *arena, const struct map *alerts, const char *server,
    struct message *ret)
{
    const struct notifier *notifier = sink->notifier;
    int64_t now_us = clock_us();

    ret->news = ARENA_ARRAY(arena, struct notice *, NOTIFY_MOST_NEWS);
    ret->others = ARENA_ARRAY(arena, struct notice *, notifier->subjects.count);
    for (size_t i = 0; i < notifier->subjects.count; i++) {
        struct subject *subject = notifier->subjects.items[i];
        struct telling *telling = &subject->tellings[sink->index];

        if (server && !text_equal(server, subject->notice.server))
            continue;
        if (is_ready(sink, subject, now_us) && ret->news_count < NOTIFY_MOST_NEWS) {
            telling->is_under_way = true;
            telling->saying = subject->is_resolved ? TOLD_RESOLVED : TOLD_FIRING;
            ret->news[ret->news_count++] = notice_of_now(arena, alerts, subject);
        } else if (!subject->is_resolved && telling->told == TOLD_FIRING) {
            telling->is_beside = true;
            ret->others[ret->other_count++] = notice_of_now(arena, alerts, subject);
        }
    }
    if (ret->news_count > 0)
        qsort(ret->news, ret->news_count, sizeof(ret->news[0]), compare_notices);
    if (ret->other_count > 0)
        qsort(ret->others, ret->other_count, sizeof(ret->others[0]), compare_notices);
}

static void
send_group(struct sink *sink)
{
    struct notifier *notifier = sink->notifier;
    struct delivery *delivery = delivery_new(notifier->courier, sink->setup);
    struct arena *arena = delivery_arena(delivery);
    struct message *message = ARENA_NEW(arena, struct message);
    struct map alerts;

    index_alerts(notifier, arena, &alerts);
    reconcile(notifier, &alerts);

    const char *server = choose_group(sink, clock_us());

    *message = (struct message){
        .receiver = sink->setup->name,
        .server = server ? arena_strdup(arena, server) : NULL,
        .page_url = notifier->page_url,
        .now_wall_us = clock_wall_us(),
    };
    fill_message(sink, arena, &alerts, server, message);
    if (message->news_count == 0) {
        delivery_drop(delivery);
        return;
    }
    sink->is_busy = true;
    delivery_start(delivery, message, delivered, sink);
}

static int64_t
first_due(const struct sink *sink)
{
    const struct notifier *notifier = sink->notifier;
    int64_t first_us = NOTIFY_NEVER;

    for (size_t i = 0; i < notifier->subjects.count; i++)
        first_us = least(first_us, sink_due_us(sink, notifier->subjects.items[i]));
    return first_us;
}

void
sink_flush(struct sink *sink)
{
    if (sink->is_busy)
        return;
    for (int tries = 0; tries < 2; tries++) {
        int64_t due_us = first_due(sink);
        int64_t now_us = clock_us();

        loop_timer_stop(sink->timer);
        if (due_us == NOTIFY_NEVER)
            return;
        due_us = most(due_us, sink->not_before_us);
        if (due_us > now_us) {
            loop_timer_set(sink->timer, due_us - now_us);
            return;
        }
        send_group(sink);
        if (sink->is_busy)
            return;
        /* Everything that was due has become quiet, or is over: what is due now? */
    }
}
