#include "base/clock.h"
#include "monitor/notify/notifier.h"

/* One test of several sinks. */
struct trial {
    struct trial *next;
    struct arena *arena;
    struct notifier *notifier;
    struct loop_timer *timer;
    loop_callback *done;
    void *data;
    size_t waiting;
};

struct trial_sink {
    struct trial *trial;
    struct sink *sink;
};

static void
free_trial(struct trial *trial)
{
    struct trial **link = &trial->notifier->trials;

    while (*link != trial)
        link = &(*link)->next;
    *link = trial->next;
    loop_timer_free(trial->timer);
    arena_free(trial->arena);
}

void
trials_end(struct notifier *notifier)
{
    while (notifier->trials)
        free_trial(notifier->trials);
}

static void
end_trial(void *data)
{
    struct trial *trial = data;
    loop_callback *done = trial->done;
    void *done_data = trial->data;

    free_trial(trial);
    done(done_data);
}

static void
answered(void *data, const struct outcome *outcome)
{
    struct trial_sink *one = data;
    struct trial *trial = one->trial;

    sink_note(one->sink, outcome);
    if (--trial->waiting == 0)
        loop_timer_set(trial->timer, 0);
}

static const struct notice test_notice = {
    .id = "pgmend/test",
    .rule = "test",
    .summary = "A test of notifications by pgmend",
    .severity = "info",
    .server = "pgmend",
    .owner = "",
    .labels = "",
    .value = "1 (threshold 0)",
    .cause = "somebody ran pgmend monitor test-alert",
    .next = "pgmend doctor",
};

static void
try_sink(struct trial *trial, struct sink *sink)
{
    struct delivery *delivery = delivery_new(trial->notifier->courier, sink->setup);
    struct arena *arena = delivery_arena(delivery);
    struct message *message = ARENA_NEW(arena, struct message);
    struct trial_sink *one = ARENA_NEW(trial->arena, struct trial_sink);

    *one = (struct trial_sink){ trial, sink };
    *message = (struct message){
        .receiver = sink->setup->name,
        .server = test_notice.server,
        .page_url = trial->notifier->page_url,
        .news = ARENA_ARRAY(arena, struct notice *, 1),
        .news_count = 1,
        .now_wall_us = clock_wall_us(),
        .is_test = true,
    };
    message->news[0] = ARENA_NEW(arena, struct notice);
    notice_copy(arena, &test_notice, message->news[0]);
    message->news[0]->since_wall_us = message->now_wall_us;
    message->news[0]->fired_wall_us = message->now_wall_us;
    trial->waiting++;
    delivery_start(delivery, message, answered, one);
}

void
notifier_test(struct notifier *notifier, const char *sink, loop_callback *done, void *data)
{
    struct arena *arena = arena_new();
    struct trial *trial = ARENA_NEW(arena, struct trial);

    *trial = (struct trial){
        .next = notifier->trials,
        .arena = arena,
        .notifier = notifier,
        .timer = loop_timer_new(notifier->loop, end_trial, trial),
        .done = done,
        .data = data,
    };
    notifier->trials = trial;
    for (size_t i = 0; i < notifier->sink_count; i++)
        if (!sink || text_equal(sink, notifier->sinks[i].setup->name))
            try_sink(trial, &notifier->sinks[i]);
    if (trial->waiting == 0)
        loop_timer_set(trial->timer, 0);
}
