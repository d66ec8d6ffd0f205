#include "base/clock.h"
#include "monitor/notify/notifier.h"

#define ARENA_LIMIT ((size_t)1 << 20)

struct subject *
subject_find(const struct notifier *notifier, const char *id)
{
    for (size_t i = 0; i < notifier->subjects.count; i++)
        if (text_equal(notifier->subjects.items[i]->notice.id, id))
            return notifier->subjects.items[i];
    return NULL;
}

static bool
route_takes(const struct setup_route *route, const struct notice *notice)
{
    return (!route->severity || text_equal(route->severity, notice->severity)) &&
           (!route->owner || text_equal(route->owner, notice->owner));
}

/* After how long this sink is told, by the earliest route to it; without routes everybody is, at once. */
static int64_t
after_of(const struct notifier *notifier, const struct sink *sink, const struct notice *notice)
{
    const struct setup *setup = notifier->setup;
    int64_t after_us = setup->routes.count == 0 ? 0 : -1;

    for (size_t i = 0; i < setup->routes.count; i++) {
        const struct setup_route *route = &setup->routes.items[i];

        if (route_takes(route, notice) && text_list_has(&route->sinks, sink->setup->name) &&
            (after_us < 0 || route->after_us < after_us))
            after_us = route->after_us;
    }
    return after_us;
}

static struct subject *
copy_of(struct notifier *notifier, struct arena *arena, const struct subject *subject)
{
    struct subject *copy = arena_memdup(arena, subject, sizeof(*subject));

    notice_copy(arena, &subject->notice, &copy->notice);
    copy->tellings =
        arena_memdup(arena, subject->tellings, notifier->sink_count * sizeof(subject->tellings[0]));
    return copy;
}

/* The arena only grows, so what still matters moves into a new one from time to time. */
static void
compact(struct notifier *notifier)
{
    if (arena_used(notifier->arena) < notifier->arena_limit)
        return;

    struct arena *fresh = arena_new();
    struct subject **items = ARENA_ARRAY(fresh, struct subject *, NOTIFY_MOST_SUBJECTS);

    for (size_t i = 0; i < notifier->subjects.count; i++)
        items[i] = copy_of(notifier, fresh, notifier->subjects.items[i]);
    arena_free(notifier->arena);
    notifier->arena = fresh;
    notifier->arena_limit = ARENA_LIMIT + 2 * arena_used(fresh);
    notifier->subjects.items = items;
    notifier->subjects.capacity = NOTIFY_MOST_SUBJECTS;
}

struct subject *
subject_add(struct notifier *notifier, const struct notice *notice)
{
    if (notifier->subjects.count >= NOTIFY_MOST_SUBJECTS)
        return NULL;
    compact(notifier);

    struct subject *subject = ARENA_NEW(notifier->arena, struct subject);

    notice_copy(notifier->arena, notice, &subject->notice);
    subject->heard_us = clock_us();
    subject->tellings = ARENA_ARRAY(notifier->arena, struct telling, notifier->sink_count);
    for (size_t i = 0; i < notifier->sink_count; i++)
        subject->tellings[i].after_us = after_of(notifier, &notifier->sinks[i], notice);
    VEC_PUSH(notifier->arena, &notifier->subjects, subject);
    return subject;
}

static bool
is_finished(const struct notifier *notifier, const struct subject *subject)
{
    if (!subject->is_resolved)
        return false;
    for (size_t i = 0; i < notifier->sink_count; i++)
        if (subject->tellings[i].is_under_way ||
            sink_due_us(&notifier->sinks[i], subject) != NOTIFY_NEVER)
            return false;
    return true;
}

void
subjects_forget(struct notifier *notifier)
{
    size_t kept = 0;

    for (size_t i = 0; i < notifier->subjects.count; i++)
        if (!is_finished(notifier, notifier->subjects.items[i]))
            notifier->subjects.items[kept++] = notifier->subjects.items[i];
    notifier->subjects.count = kept;
}
