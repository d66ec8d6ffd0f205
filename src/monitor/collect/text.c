#include "monitor/collect/text.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "monitor/collect/derive.h"
#include "sql.h"

enum { STANDARD_MOST = 1000, MOST_A_TIME = 100, MOST_SLOWEST = 60, MOST_SESSIONS = 20 };
static const int64_t ask_every_us = 30 * INT64_C(1000000);
static const int64_t ask_again_us = 600 * INT64_C(1000000);

/* A slot of a table with open addressing; when it is full it is emptied, and filled again by need. */
struct entry {
    int64_t query_id; /* 0: free */
    char *text;       /* NULL: the server has none */
    int64_t at_us;    /* when it was asked */
};

struct statement_texts {
    struct entry *entries;
    size_t mask;
    size_t count;
    size_t most;
    int64_t asked_us; /* 0: never */
};

static struct entry *
find(const struct statement_texts *texts, int64_t query_id)
{
    size_t slot = ((uint64_t)query_id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & texts->mask;

    while (texts->entries[slot].query_id && texts->entries[slot].query_id != query_id)
        slot = (slot + 1) & texts->mask;
    return &texts->entries[slot];
}

static void
forget_all(struct statement_texts *texts)
{
    for (size_t i = 0; i <= texts->mask; i++)
        free(texts->entries[i].text);
    memset(texts->entries, 0, (texts->mask + 1) * sizeof(texts->entries[0]));
    texts->count = 0;
}

struct statement_texts *
statement_texts_new(size_t most)
{
    struct statement_texts *texts = calloc(1, sizeof(*texts));
    size_t size = 16;

    if (!texts)
        memory_exhausted(sizeof(*texts));
    texts->most = most > 0 ? most : (size_t)STANDARD_MOST;
    while (size < texts->most * 2)
        size *= 2;
    texts->mask = size - 1;
    texts->entries = calloc(size, sizeof(texts->entries[0]));
    if (!texts->entries)
        memory_exhausted(size * sizeof(texts->entries[0]));
    return texts;
}

void
statement_texts_free(struct statement_texts *texts)
{
    if (!texts)
        return;
    forget_all(texts);
    free(texts->entries);
    free(texts);
}

struct wish {
    struct statement_texts *texts;
    struct buffer out;
    int64_t now_us;
    size_t count;
};

static void
wish_for(struct wish *wish, int64_t query_id)
{
    if (query_id == 0 || wish->count == MOST_A_TIME)
        return;

    struct entry *entry = find(wish->texts, query_id);

    if (entry->query_id && (entry->text || wish->now_us - entry->at_us < ask_again_us))
        return;
    if (!entry->query_id) {
        if (wish->texts->count == wish->texts->most)
            return;
        wish->texts->count++;
    }
    *entry = (struct entry){ .query_id = query_id, .at_us = wish->now_us };
    buffer_printf(&wish->out, "%s%lld", wish->count > 0 ? "," : "{", (long long)query_id);
    wish->count++;
}

static void
wish_for_statements(struct wish *wish, struct arena *arena, const struct watched *server)
{
    const struct reading *all = &server->now[COLLECT_STATEMENT];
    const struct reading *sessions = &server->now[COLLECT_SESSION];
    struct statement_rates rates;

    derive_statements(arena, server, &rates);
    for (size_t i = 0; i < rates.count && i < MOST_SLOWEST; i++)
        wish_for(wish, rates.items[i].query_id);
    for (size_t i = 0; sessions->is_good && i < sessions->rows.count && i < MOST_SESSIONS; i++)
        wish_for(wish, READING_ROWS(sessions, struct sql_monitor_session)[i].query_id);
    /* Those with the most time come first. */
    for (size_t i = 0; all->is_good && i < all->rows.count && i < MOST_SLOWEST; i++)
        wish_for(wish, READING_ROWS(all, struct sql_monitor_statement)[i].queryid);
}

const void *
statement_texts_wanted(
    struct statement_texts *texts, struct arena *arena, const struct watched *server)
{
    struct arena *scratch CLEANUP(arena_cleanup) = NULL;
    struct wish wish = { .texts = texts, .out = { .arena = arena }, .now_us = clock_us() };

    if (!texts || !server->now[COLLECT_STATEMENT].is_good ||
        (texts->asked_us && wish.now_us - texts->asked_us < ask_every_us))
        return NULL;
    scratch = arena_new();
    if (texts->count + MOST_A_TIME > texts->most)
        forget_all(texts);
    wish_for_statements(&wish, scratch, server);
    if (wish.count == 0)
        return NULL;
    texts->asked_us = wish.now_us;
    buffer_add(&wish.out, "}");

    struct sql_monitor_statement_text_args *args =
        ARENA_NEW(arena, struct sql_monitor_statement_text_args);

    args->query_ids = buffer_text(&wish.out);
    return args;
}

void
statement_texts_take(struct statement_texts *texts, const void *args, const struct rows *rows)
{
    (void)args;
    for (size_t i = 0; rows && i < rows->count; i++) {
        const struct sql_monitor_statement_text *row =
            &((const struct sql_monitor_statement_text *)rows->items)[i];
        struct entry *entry = find(texts, row->queryid);

        if (!entry->query_id)
            continue;
        free(entry->text);
        entry->text = memory_text(row->query);
    }
}

const char *
statement_text(const struct watched *server, int64_t query_id)
{
    return server->texts && query_id ? find(server->texts, query_id)->text : NULL;
}
