#include "replyx/complaints.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"

enum { KINDS = 32, MESSAGE_BYTES = 256, PERIOD_US = 60 * 1000 * 1000 };

/* The same endpoint, kind and SQLSTATE. */
struct complaint {
    const char *name; /* NULL: nothing stands here */
    int status;
    enum error_kind kind;
    char sqlstate[6];
    int64_t since_us; /* of the count */
    int64_t count;    /* not told yet */
    char last[MESSAGE_BYTES];
};

struct complaints {
    struct loop_timer *timer;
    bool is_timed;
    struct complaint items[KINDS];
};

static void
tell_count(const struct complaint *complaint)
{
    if (complaint->count > 0)
        log_warn("%s: %d: %lld more since then; the last: %s", complaint->name, complaint->status,
            (long long)complaint->count, complaint->last);
}

/* What has not come again for a whole period is news when it comes. */
static void
tell_counts(void *data)
{
    struct complaints *complaints = data;
    int64_t now = clock_us();
    bool has_any = false;

    for (size_t i = 0; i < KINDS; i++) {
        struct complaint *complaint = &complaints->items[i];

        if (!complaint->name)
            continue;
        if (now - complaint->since_us < PERIOD_US) {
            has_any = true;
            continue;
        }
        tell_count(complaint);
        if (complaint->count == 0)
            complaint->name = NULL;
        complaint->count = 0;
        complaint->since_us = now;
        has_any = has_any || complaint->name;
    }
    complaints->is_timed = has_any;
    if (has_any)
        loop_timer_set(complaints->timer, PERIOD_US / 4);
}

struct complaints *
complaints_new(struct loop *loop)
{
    struct complaints *complaints = calloc(1, sizeof(*complaints));

    if (!complaints)
        memory_exhausted(0);
    complaints->timer = loop_timer_new(loop, tell_counts, complaints);
    return complaints;
}

void
complaints_free(struct complaints *complaints)
{
    if (!complaints)
        return;
    for (size_t i = 0; i < KINDS; i++) {
        if (complaints->items[i].name)
            tell_count(&complaints->items[i]);
    }
    loop_timer_free(complaints->timer);
    free(complaints);
}

/* The one of this kind, or the place of the oldest. */
static struct complaint *
find(struct complaints *complaints, const char *name, const struct error *error)
{
    struct complaint *oldest = &complaints->items[0];

    for (size_t i = 0; i < KINDS; i++) {
        struct complaint *complaint = &complaints->items[i];

        if (complaint->name && text_equal(complaint->name, name) &&
            complaint->kind == error->kind && text_equal(complaint->sqlstate, error->sqlstate))
            return complaint;
        if (oldest->name && (!complaint->name || complaint->since_us < oldest->since_us))
            oldest = complaint;
    }
    if (oldest->name)
        tell_count(oldest);
    oldest->name = NULL;
    return oldest;
}

void
complaints_add(
    struct complaints *complaints, const char *name, int status, const struct error *error)
{
    struct complaint *complaint = find(complaints, name, error);

    if (complaint->name) {
        complaint->count++;
        snprintf(complaint->last, sizeof(complaint->last), "%s", error->message);
        return;
    }
    *complaint = (struct complaint){
        .name = name,
        .status = status,
        .kind = error->kind,
        .since_us = clock_us(),
    };
    memcpy(complaint->sqlstate, error->sqlstate, sizeof(complaint->sqlstate));
    log_warn("%s: %d: %s%s%s%s", name, status, error->message,
        error->sqlstate[0] ? " (SQLSTATE " : "", error->sqlstate, error->sqlstate[0] ? ")" : "");
    if (!complaints->is_timed)
        loop_timer_set(complaints->timer, PERIOD_US / 4);
    complaints->is_timed = true;
}
