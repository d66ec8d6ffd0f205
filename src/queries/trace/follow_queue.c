/* What the client has sent and the server has not answered yet, in order. */
#include <string.h>

#include "queries/trace/follow_part.h"

enum { FIRST_CAPACITY = 16, MOST_PENDING = 65536 };

static struct follow_pending *
pending_at(struct follow_session *session, size_t index)
{
    return &session->pending[(session->pending_first + index) & (session->pending_capacity - 1)];
}

struct follow_pending *
follow_front(struct follow_session *session)
{
    return session->pending_count > 0 ? pending_at(session, 0) : NULL;
}

static void
pending_clear(struct follow_pending *pending)
{
    for (size_t i = 0; i < pending->text_count; i++)
        follow_text_drop(pending->texts[i]);
    free(pending->texts);
    follow_portal_drop(pending->portal);
}

static void
grow(struct follow_session *session)
{
    size_t capacity =
        session->pending_capacity > 0 ? session->pending_capacity * 2 : (size_t)FIRST_CAPACITY;
    struct follow_pending *larger = follow_alloc(sizeof(*larger) * capacity);

    for (size_t i = 0; i < session->pending_count; i++)
        larger[i] = *pending_at(session, i);
    free(session->pending);
    session->pending = larger;
    session->pending_first = 0;
    session->pending_capacity = capacity;
}

bool
follow_push(struct follow_session *session, const struct follow_pending *pending)
{
    if (session->pending_count == MOST_PENDING) {
        struct follow_pending copy = *pending;

        pending_clear(&copy);
        return false;
    }
    if (session->pending_count == session->pending_capacity)
        grow(session);
    session->pending_count++;
    *pending_at(session, session->pending_count - 1) = *pending;
    return true;
}

void
follow_pop(struct follow_session *session)
{
    pending_clear(follow_front(session));
    session->pending_first = (session->pending_first + 1) & (session->pending_capacity - 1);
    session->pending_count--;
    session->statement = 0;
    follow_result_clear(&session->result);
    /* A long pipeline is over: its room is not kept. */
    if (session->pending_count == 0 && session->pending_capacity > FIRST_CAPACITY) {
        free(session->pending);
        session->pending = NULL;
        session->pending_capacity = 0;
        session->pending_first = 0;
    }
}

void
follow_drop_syncs(struct follow_session *session)
{
    size_t kept = 1;

    for (size_t i = kept; i < session->pending_count; i++) {
        struct follow_pending pending = *pending_at(session, i);

        if (pending.type != 'S')
            *pending_at(session, kept++) = pending;
    }
    session->pending_count = kept;
}

void
follow_lose(struct follow_session *session)
{
    while (follow_front(session))
        follow_pop(session);
    follow_portal_forget(session, NULL);
    /* Names are not given twice without an error, unless they were closed; the empty one is. */
    follow_text_forget(session, "");
    session->state = FOLLOW_LOST;
    session->is_after_gap = true;
    session->is_skipping = false;
    session->is_copying = false;
    session->is_in_transaction = false;
}
