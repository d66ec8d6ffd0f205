#include "queries/detect/detect.h"

#include <stdlib.h>
#include <strings.h>

#include "base/memory.h"
#include "queries/detect/detect_part.h"

enum {
    MIN_REPEATS = 3,
    MOST_SESSIONS = 10000,
    IDLE_GAP_US = 50000,
    MOST_GROUPS_OF_SOFT = 64,
    /* After so many a long loop without a parent is shortened: a thousand sessions may be in one. */
    STEPS_A_LOOK = 256,
};

static void
set_options(struct detect *detect, const struct detect_options *options)
{
    struct detect_options *own = &detect->options;

    *own = *options;
    if (own->min_repeats <= 1)
        own->min_repeats = own->min_repeats <= 0 ? MIN_REPEATS : 2;
    if (own->most_period <= 0 || own->most_period > MOST_CHILDREN)
        own->most_period = MOST_CHILDREN;
    if (own->idle_gap_us <= 0)
        own->idle_gap_us = IDLE_GAP_US;
    if (own->most_sessions <= 0)
        own->most_sessions = MOST_SESSIONS;
}

struct detect *
detect_new(struct arena *arena, const struct detect_options *options)
{
    struct detect *detect = ARENA_NEW(arena, struct detect);

    detect->arena = arena;
    set_options(detect, options);
    detect->table_size = 1024;
    while (detect->table_size < (size_t)detect->options.most_sessions)
        detect->table_size *= 2;
    detect->table = ARENA_ARRAY(arena, struct session *, detect->table_size);
    detect->tally = detected_new(arena);
    return detect;
}

/* ---- sessions ---- */

static struct session **
place_of(const struct detect *detect, uint64_t id)
{
    uint64_t hash = (id ^ id >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    struct session **at = &detect->table[(hash >> 32) & (detect->table_size - 1)];

    while (*at && (*at)->id != id)
        at = &(*at)->next;
    return at;
}

static void
unlink_session(struct detect *detect, struct session *session)
{
    if (session == detect->newest)
        detect->newest = session->older;
    else
        session->newer->older = session->older;
    if (session == detect->oldest)
        detect->oldest = session->newer;
    else
        session->older->newer = session->newer;
    session->newer = session->older = NULL;
}

static void
link_session(struct detect *detect, struct session *session)
{
    session->older = detect->newest;
    session->newer = NULL;
    if (detect->newest)
        detect->newest->newer = session;
    detect->newest = session;
    if (!detect->oldest)
        detect->oldest = session;
}

/* What is open is judged before it is called. */
static void
free_session(struct detect *detect, struct session *session)
{
    struct session **at = place_of(detect, session->id);

    *at = session->next;
    unlink_session(detect, session);
    detect->session_count--;
    free(session->steps);
    free(session->groups);
    free(session->route);
    free(session->request);
    free(session->application);
    free(session->database);
    free(session);
}

static struct session *
find_session(struct detect *detect, uint64_t id)
{
    struct session **at = place_of(detect, id);
    struct session *session = *at;

    if (session) {
        unlink_session(detect, session);
        link_session(detect, session);
        return session;
    }
    if (detect->session_count >= (size_t)detect->options.most_sessions) {
        struct session *oldest = detect->oldest;

        judge_request(detect, oldest);
        free_session(detect, oldest);
        at = place_of(detect, id);
    }
    session = calloc(1, sizeof(*session));
    if (!session)
        memory_exhausted(0);
    session->id = id;
    *at = session;
    link_session(detect, session);
    detect->session_count++;
    detect->sessions++;
    return session;
}

void
detect_free(struct detect *detect)
{
    while (detect->oldest) {
        judge_request(detect, detect->oldest);
        free_session(detect, detect->oldest);
    }
}

/* ---- where a request ends ---- */

/* Copies the text if it is another; NULL keeps what was there. True when it replaced another. */
static bool
set_text(char **place, const char *text)
{
    char *old = *place;

    if (!text || text_equal(old, text))
        return false;
    *place = strdup(text);
    if (!*place)
        memory_exhausted(0);
    free(old);
    return old;
}

/* One request goes on over transactions and pauses when its tag says so. */
static bool
is_same_request(const struct session *session, const struct traced_statement *statement)
{
    return session->request && text_equal(session->request, statement->tag.request);
}

static bool
is_idle(const struct detect *detect, const struct session *session,
    const struct traced_statement *statement)
{
    return session->ended_us > 0 && statement->started_us > 0 &&
           statement->started_us - session->ended_us > detect->options.idle_gap_us;
}

static bool
begins_with(const char *text, const char *word)
{
    size_t length = strlen(word);

    return strncasecmp(text, word, length) == 0 &&
           (text[length] == '\0' || text[length] == ' ' || text[length] == ';');
}

/* BEGIN, COMMIT and the like, but no savepoints. */
static void
take_transaction(struct detect *detect, struct session *session, const char *text)
{
    bool begins = begins_with(text, "begin") || begins_with(text, "start");
    bool ends = begins_with(text, "commit") || begins_with(text, "end") ||
                begins_with(text, "abort") || strcasecmp(text, "rollback") == 0 ||
                begins_with(text, "rollback work") || begins_with(text, "rollback transaction") ||
                begins_with(text, "prepare transaction") || begins_with(text, "rollback;");

    if (!begins && !ends)
        return;
    if (!session->request)
        judge_request(detect, session);
    session->is_explicit = begins;
    session->was_explicit = begins;
}

/* What pools send when a connection goes to somebody else. */
static bool
is_hand_over(const char *text)
{
    return begins_with(text, "discard all") || begins_with(text, "reset all") ||
           begins_with(text, "unlisten") || begins_with(text, "deallocate all");
}

static void
take_setting(
    struct detect *detect, struct session *session, const struct traced_statement *statement)
{
    if (!session->is_explicit && is_hand_over(statement->template->text))
        judge_request(detect, session);
    else if (!begins_with(statement->template->text, "show"))
        session->changes++;
}

static void
cut(struct detect *detect, struct session *session, const struct traced_statement *statement)
{
    bool is_same = is_same_request(session, statement);
    bool ends = statement->is_after_gap;
    bool pauses = !is_same && !session->is_explicit && is_idle(detect, session, statement);

    if (statement->transaction != session->transaction) {
        /* Each statement on its own has a number of its own in some logs. */
        ends |= !is_same && session->is_explicit && session->transaction != 0;
        session->is_explicit &= session->transaction == 0 && statement->transaction != 0;
    } else if (statement->transaction != 0 && session->step_count > 0) {
        session->is_explicit = true;
        session->was_explicit = true;
    }
    ends |= statement->tag.request && session->request && !is_same;
    ends |=
        statement->tag.route && session->route && !text_equal(session->route, statement->tag.route);
    ends |= statement->application && session->application &&
            !text_equal(session->application, statement->application);
    if (ends || pauses) {
        if (ends || session->was_explicit || session->is_tagged)
            judge_request(detect, session);
        else
            judge_pause(detect, session);
        session->was_explicit = session->is_explicit;
        session->is_tagged = false;
        free(session->request);
        session->request = NULL;
        free(session->route);
        session->route = NULL;
    }
    session->transaction = statement->transaction;
    (void)set_text(&session->route, statement->tag.route);
    (void)set_text(&session->request, statement->tag.request);
    (void)set_text(&session->application, statement->application);
    (void)set_text(&session->database, statement->database);
    session->is_tagged |= statement->tag.request != NULL;
}

/* ---- statements ---- */

static void
count_statement(struct detect *detect, const struct traced_statement *statement)
{
    int64_t started = statement->started_us;

    detect->statements++;
    detect->unknown += statement->template->kind == TEMPLATE_UNKNOWN;
    if (statement->elapsed_us >= 0) {
        detect->total_us += statement->elapsed_us;
        detect->has_elapsed = true;
    }
    detect->has_columns |= statement->columns != NULL;
    if (started > 0 && (detect->first_us == 0 || started < detect->first_us))
        detect->first_us = started;
    if (started > 0 && statement->elapsed_us > 0)
        started += statement->elapsed_us;
    if (started > detect->last_us)
        detect->last_us = started;
}

static void
add_step(struct session *session, struct step *step)
{
    if (session->step_count == session->step_capacity) {
        session->step_capacity = session->step_capacity ? session->step_capacity * 2 : 16;
        session->steps = realloc(session->steps, session->step_capacity * sizeof(struct step *));
        if (!session->steps)
            memory_exhausted(0);
    }
    session->steps[session->step_count++] = step;
}

static bool
has_parent(const struct session *session)
{
    for (size_t i = 0; i < session->run_count; i++)
        if (session->runs[i]->candidate_count > 0)
            return true;
    return false;
}

/* A request that nothing ends must be judged some time: best where another may begin. */
static void
make_room(struct detect *detect, struct session *session, bool is_parent)
{
    bool is_soft = !session->was_explicit && !session->is_tagged;
    bool is_full = session->step_count >= MOST_STEPS;

    if (is_soft && is_parent &&
        (session->step_count >= MOST_STEPS / 2 || session->group_count >= MOST_GROUPS_OF_SOFT))
        judge_request(detect, session);
    else if (is_full)
        cycle_fold(detect, session);
    else if (session->step_count % STEPS_A_LOOK == STEPS_A_LOOK - 1 && session->group_count == 0 &&
             !has_parent(session))
        (void)cycle_shorten(detect, session);
}

static void
take_step(struct detect *detect, struct session *session, const struct traced_statement *statement,
    struct known *known)
{
    bool is_parent = known->is_read && statement->row_count > 1;
    bool comes_again = false;
    struct step *step;

    for (size_t i = 0; i < session->run_count; i++)
        comes_again |= session->runs[i]->known == known;
    make_room(detect, session, is_parent && !comes_again);
    known->executed++;
    step = step_new(known, statement, ++session->place);
    step->changes = session->changes;
    add_step(session, step);
    if (known->is_read || known->is_update)
        runs_take(detect, session, step);
    results_take(detect, session, step, statement);
}

void
detect_take(struct detect *detect, const struct traced_statement *statement)
{
    struct session *session = find_session(detect, statement->session);
    const struct template *template = statement->template;
    struct known *known;

    count_statement(detect, statement);
    cut(detect, session, statement);
    if (template->kind == TEMPLATE_TRANSACTION) {
        take_transaction(detect, session, template->text);
    } else if (template->kind == TEMPLATE_SESSION) {
        take_setting(detect, session, statement);
    } else {
        known = known_find(detect, template);
        if ((known->is_read && !known->is_noise) || template->kind == TEMPLATE_WRITE)
            take_step(detect, session, statement, known);
    }
    if (statement->started_us > 0)
        session->ended_us =
            statement->started_us + (statement->elapsed_us > 0 ? statement->elapsed_us : 0);
}

void
detect_end_session(struct detect *detect, uint64_t id)
{
    struct session *session = *place_of(detect, id);

    if (!session)
        return;
    judge_request(detect, session);
    free_session(detect, session);
}

void
detect_set_span(struct detect *detect, int64_t span_us)
{
    detect->span_us = span_us;
}

void
detect_finish(struct detect *detect, struct query_findings *ret)
{
    *ret = (struct query_findings){ 0 };
    if (detect->span_us <= 0)
        detect->span_us = detect->last_us - detect->first_us;
    while (detect->oldest) {
        judge_request(detect, detect->oldest);
        free_session(detect, detect->oldest);
    }
    detected_finish(detect, ret);
    ret->statements = detect->statements;
    ret->sessions = detect->sessions;
    ret->requests = detect->requests;
    ret->unknown = detect->unknown;
    ret->total_us = detect->has_elapsed ? detect->total_us : -1;
    ret->span_us = detect->span_us;
    ret->source = detect->has_columns ? "wire" : "log";
}
