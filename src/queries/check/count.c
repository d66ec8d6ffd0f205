/* Statements of each session, cut into requests, counted by route. */
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "queries/check/check.h"

enum {
    STANDARD_GAP_US = 50000,
    BUCKETS = 4096,
    MOST_SESSIONS = 20000,
    MOST_STATEMENTS = 100000, /* of one request; it is counted on, but not in its route's list */
    LONGEST_NAME = 160,
};

/* A template in the request that is under way. */
struct tally {
    const struct template *template;
    int64_t calls;
};

struct request {
    uint64_t session;
    struct request *next; /* in its bucket */
    char *route;          /* NULL: no tag so far */
    char *trace;          /* the request as the tag says; NULL */
    uint64_t transaction; /* of the last statement */
    int64_t ended_us;     /* when the last one was over; 0: not known */
    int64_t count;
    int64_t rows;
    const struct template *first;
    struct tally *tallies;
    size_t tally_count;
    size_t tally_capacity;
};

/* A route while it is counted. */
struct counted {
    const char *name;
    bool is_tagged;
    int64_t requests;
    int64_t rows;
    VEC(int64_t) counts;   /* statements, of each request */
    struct map statements; /* text → struct check_statement */
};

struct check_counter {
    struct arena *arena;
    int64_t gap_us;
    struct request *buckets[BUCKETS];
    size_t open;
    struct map routes; /* name → struct counted */
};

struct check_counter *
check_counter_new(struct arena *arena, int64_t idle_gap_us)
{
    struct check_counter *counter = ARENA_NEW(arena, struct check_counter);

    counter->arena = arena;
    counter->gap_us = idle_gap_us > 0 ? idle_gap_us : (int64_t)STANDARD_GAP_US;
    counter->routes.arena = arena;
    return counter;
}

/* ---- a request is over ---- */

/* Without a tag: what it begins with, so that a loop that is new does not make another route of it. */
static const char *
name_of(struct arena *arena, const struct request *request)
{
    const char *text = request->first->text;
    size_t length = strlen(text);

    if (request->route)
        return arena_strdup(arena, request->route);
    if (length > LONGEST_NAME)
        for (length = LONGEST_NAME; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
            length--;
    return arena_printf(arena, "statement: %.*s%s", (int)length, text, text[length] ? "…" : "");
}

static struct counted *
counted_of(struct check_counter *counter, const struct request *request)
{
    const char *name = name_of(counter->arena, request);
    struct counted *counted = map_get(&counter->routes, name);

    if (counted)
        return counted;
    counted = ARENA_NEW(counter->arena, struct counted);
    counted->name = name;
    counted->is_tagged = request->route != NULL;
    counted->statements.arena = counter->arena;
    map_set(&counter->routes, name, counted);
    return counted;
}

static void
add_tally(struct check_counter *counter, struct counted *counted, const struct tally *tally)
{
    const char *text = tally->template->text;
    struct check_statement *statement = map_get(&counted->statements, text);

    if (!statement) {
        statement = ARENA_NEW(counter->arena, struct check_statement);
        statement->text = arena_strdup(counter->arena, text);
        map_set(&counted->statements, statement->text, statement);
    }
    statement->total += tally->calls;
    if (tally->calls > statement->most)
        statement->most = tally->calls;
}

static void
request_end(struct check_counter *counter, struct request *request)
{
    if (request->count > 0) {
        struct counted *counted = counted_of(counter, request);

        counted->requests++;
        counted->rows += request->rows;
        VEC_PUSH(counter->arena, &counted->counts, request->count);
        for (size_t i = 0; i < request->tally_count; i++)
            add_tally(counter, counted, &request->tallies[i]);
    }
    free(request->route);
    free(request->trace);
    request->route = NULL;
    request->trace = NULL;
    request->count = 0;
    request->rows = 0;
    request->first = NULL;
    request->tally_count = 0;
}

/* ---- sessions ---- */

static struct request **
link_of(struct check_counter *counter, uint64_t session)
{
    struct request **link =
        &counter->buckets[(session * UINT64_C(0x9e3779b97f4a7c15)) >> 52 & (BUCKETS - 1)];

    while (*link && (*link)->session != session)
        link = &(*link)->next;
    return link;
}

static void
drop(struct check_counter *counter, struct request **link)
{
    struct request *request = *link;

    request_end(counter, request);
    *link = request->next;
    free(request->tallies);
    free(request);
    counter->open--;
}

static void
drop_all(struct check_counter *counter)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (counter->buckets[i])
            drop(counter, &counter->buckets[i]);
}

void
check_counter_end_session(void *data, uint64_t session)
{
    struct check_counter *counter = data;
    struct request **link = link_of(counter, session);

    if (*link)
        drop(counter, link);
}

void
check_counter_free(struct check_counter *counter)
{
    if (counter)
        drop_all(counter);
}

static _Noreturn void
out_of_memory(void)
{
    fputs("pgmend: out of memory\n", stderr);
    memory_exhausted(0);
}

static struct request *
request_of(struct check_counter *counter, uint64_t session)
{
    struct request **link = link_of(counter, session);

    if (*link)
        return *link;
    /* Ends of sessions may not be told: then all are ended at some point. */
    if (counter->open == MOST_SESSIONS) {
        drop_all(counter);
        link = link_of(counter, session);
    }
    *link = calloc(1, sizeof(**link));
    if (!*link)
        out_of_memory();
    (*link)->session = session;
    counter->open++;
    return *link;
}

/* ---- where a request ends ---- */

/* What poolers and drivers send when a connection goes back to the pool. */
static bool
is_reset(const struct template *template)
{
    return template->kind == TEMPLATE_SESSION &&
           (strncasecmp(template->text, "DISCARD ", 8) == 0 ||
               strncasecmp(template->text, "RESET ALL", 9) == 0 ||
               strncasecmp(template->text, "UNLISTEN", 8) == 0);
}

static bool
is_next(const struct check_counter *counter, const struct request *request,
    const struct traced_statement *statement)
{
    const struct traced_tag *tag = &statement->tag;

    if (request->trace && tag->request)
        return strcmp(request->trace, tag->request) != 0;
    if (request->route && tag->route && strcmp(request->route, tag->route) != 0)
        return true;
    if (request->transaction != 0 && statement->transaction != 0 &&
        request->transaction != statement->transaction)
        return true;
    /* Inside of one transaction the application may think as long as it likes. */
    if (request->transaction != 0 && request->transaction == statement->transaction)
        return false;
    return request->ended_us > 0 && statement->started_us > 0 &&
           statement->started_us - request->ended_us > counter->gap_us;
}

/* ---- statements ---- */

static void
count(struct request *request, const struct template *template)
{
    size_t i = 0;

    while (i < request->tally_count && request->tallies[i].template != template)
        i++;
    if (i == request->tally_count) {
        if (i == MOST_STATEMENTS)
            return;
        if (i == request->tally_capacity) {
            size_t capacity = i > 0 ? i * 2 : 8;
            struct tally *larger = realloc(request->tallies, sizeof(*larger) * capacity);

            if (!larger)
                out_of_memory();
            request->tallies = larger;
            request->tally_capacity = capacity;
        }
        request->tallies[request->tally_count++] = (struct tally){ .template = template };
    }
    request->tallies[i].calls++;
}

static void
keep(char **at, const char *text)
{
    if (*at || !text)
        return;
    *at = strdup(text);
    if (!*at)
        out_of_memory();
}

bool
check_counter_take(struct ctx *ctx, void *data, const struct traced_statement *statement)
{
    struct check_counter *counter = data;
    struct request *request = request_of(counter, statement->session);
    const struct template *template = statement->template;
    bool counts = template->kind != TEMPLATE_TRANSACTION && template->kind != TEMPLATE_SESSION;

    (void)ctx;
    if (is_next(counter, request, statement) || is_reset(template))
        request_end(counter, request);
    if (is_reset(template))
        return true;
    keep(&request->route, statement->tag.route);
    keep(&request->trace, statement->tag.request);
    request->transaction = statement->transaction;
    request->ended_us =
        statement->started_us > 0
            ? statement->started_us + (statement->elapsed_us > 0 ? statement->elapsed_us : 0)
            : 0;
    if (!counts)
        return true;
    if (!request->first)
        request->first = template;
    request->count++;
    if (template->kind == TEMPLATE_READ && statement->rows > 0)
        request->rows += statement->rows;
    count(request, template);
    return true;
}

/* ---- the end ---- */

static int
by_number(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(
        ((const struct check_statement *)a)->text, ((const struct check_statement *)b)->text);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct check_route *)a)->name, ((const struct check_route *)b)->name);
}

static struct check_route
route_of(struct arena *arena, struct counted *counted)
{
    const struct map_entry *entry;
    struct check_route route = {
        .name = counted->name,
        .is_tagged = counted->is_tagged,
        .requests = counted->requests,
        .rows = (double)counted->rows / (double)counted->requests,
    };
    size_t cursor = 0;

    qsort(counted->counts.items, counted->counts.count, sizeof(int64_t), by_number);
    route.most = counted->counts.items[counted->counts.count - 1];
    route.median = counted->counts.items[(counted->counts.count - 1) / 2];
    route.statements = ARENA_ARRAY(arena, struct check_statement, counted->statements.count);
    while ((entry = map_next(&counted->statements, &cursor)))
        route.statements[route.statement_count++] = *(const struct check_statement *)entry->value;
    qsort(route.statements, route.statement_count, sizeof(route.statements[0]), by_text);
    return route;
}

void
check_counter_finish(struct check_counter *counter, struct check_routes *ret)
{
    const struct map_entry *entry;
    size_t cursor = 0;

    drop_all(counter);
    *ret = (struct check_routes){ 0 };
    while ((entry = map_next(&counter->routes, &cursor)))
        VEC_PUSH(counter->arena, ret, route_of(counter->arena, entry->value));
    if (ret->count > 0)
        qsort(ret->items, ret->count, sizeof(ret->items[0]), by_name);
}
