#include "replyx/embed.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/log.h"
#include "replyx/secret_file.h"
#include "sql.h"

enum {
    MOST_ANSWER = 256 * 1024,
    MOST_FAILURES = 5, /* in a row; then nobody waits for the service */
    TELL_AGAIN_US = 60 * 1000000,
    REST_US = 10 * 1000000, /* until one question tries it again */
};

struct embedder {
    struct arena *arena;
    struct http_client *client;
    const char *url;
    const char *model;
    const char *authorization; /* or NULL */
    int32_t failures;          /* in a row */
    int64_t rests_until_us;
    bool has_told; /* the log of a failure */
    int64_t told_us;
};

/* One question on its way. */
struct asking {
    struct api *api;
    struct arena *arena;
    const char *text;
    const char *hash;
    int32_t statements;
    struct sql_replyx_api_embedding_args cached;
    embed_done *done;
    void *data;
};

/* A statement that nobody waits for, with memory of its own. */
struct aside {
    struct arena *arena;
    struct sql_replyx_api_embedding_used_args used;
    struct sql_replyx_api_embedding_keep_args keep;
};

/* ---- what nobody waits for ---- */

static void
aside_done(void *data, const struct pool_outcome *outcome)
{
    struct aside *aside = data;

    if (!outcome->is_good)
        log_debug("keeping the vector of a question: %s", outcome->error.message);
    arena_free(aside->arena); /* which it lives in itself */
}

static void
run_aside(struct api *api, struct aside *aside, const struct query *query, const void *args)
{
    const struct pool_statement statement = { .query = query, .args = args };

    (void)pool_run(
        hosts_for_writes(api->background), &(const struct pool_work){ .statements = &statement,
                                               .count = 1,
                                               .lane = POOL_EXCLUSIVE,
                                               .arena = aside->arena,
                                               .done = aside_done,
                                               .data = aside });
}

static struct aside *
aside_new(void)
{
    struct arena *arena = arena_new();
    struct aside *aside = ARENA_NEW(arena, struct aside);

    aside->arena = arena;
    return aside;
}

static void
count_use(struct asking *asking)
{
    struct aside *aside = aside_new();

    aside->used.hash = arena_strdup(aside->arena, asking->hash);
    asking->statements++;
    run_aside(asking->api, aside, &query_replyx_api_embedding_used, &aside->used);
}

static void
keep(struct asking *asking, const char *vector)
{
    struct aside *aside = aside_new();

    aside->keep.hash = arena_strdup(aside->arena, asking->hash);
    aside->keep.text = arena_strdup(aside->arena, asking->text);
    aside->keep.embedding = arena_strdup(aside->arena, vector);
    asking->statements++;
    run_aside(asking->api, aside, &query_replyx_api_embedding_keep, &aside->keep);
}

/* ---- the service ---- */

static void
tell(const struct asking *asking, struct embedding embedding)
{
    embedding.statements = asking->statements;
    asking->done(asking->data, &embedding);
}

static void
give_up(const struct asking *asking, const char *why)
{
    tell(asking, (struct embedding){ .source = EMBED_NONE, .why = why });
}

/* The first failure is told, and the end of those that were told: once a minute, if they come and go. */
static void
count_failure(struct embedder *embedder, const char *why, const char *detail)
{
    int64_t now = clock_us();

    log_debug("%s%s%s", why, detail ? ": " : "", detail ? detail : "");
    if (!embedder->has_told && (!embedder->told_us || now - embedder->told_us > TELL_AGAIN_US)) {
        log_warn("replyx-api: questions are searched by their words: %s%s%s", why,
            detail ? ": " : "", detail ? detail : "");
        embedder->has_told = true;
        embedder->told_us = now;
    }
    if (++embedder->failures >= MOST_FAILURES)
        embedder->rests_until_us = now + REST_US;
}

static void
count_success(struct embedder *embedder)
{
    if (embedder->has_told)
        log_info("replyx-api: the embedding service answers again");
    embedder->has_told = false;
    embedder->failures = 0;
}

/* The numbers as PostgreSQL reads them; NULL when they are not a direction in its space. */
static const char *
vector_text(struct arena *arena, const json_t *numbers)
{
    struct buffer ret = { .arena = arena };
    double square = 0;
    size_t number;
    json_t *item;

    if (json_array_size(numbers) != EMBED_DIMENSIONS)
        return NULL;
    json_array_foreach(numbers, number, item)
    {
        double value = json_number_value(item);

        if (!json_is_number(item) || !isfinite((float)value))
            return NULL;
        square += value * value;
        buffer_printf(&ret, "%c%.9g", number == 0 ? '[' : ',', value);
    }
    buffer_add(&ret, "]");
    return square > EMBED_LEAST_SQUARE && square < EMBED_MOST_SQUARE ? buffer_text(&ret) : NULL;
}

static const char *
read_answer(struct arena *arena, const struct http_result *result)
{
    json_t *answer CLEANUP(json_release) = json_loadb(result->body, result->length, 0, NULL);
    const json_t *first = json_array_get(json_object_get(answer, "data"), 0);

    return vector_text(arena, json_object_get(first, "embedding"));
}

static void
answered(void *data, const struct http_result *result)
{
    struct asking *asking = data;
    struct embedder *embedder = asking->api->embedder;
    const char *vector = NULL;
    const char *why = "the embedding service did not answer";

    if (result->is_answered && result->status == 200) {
        vector = read_answer(asking->arena, result);
        why = "the embedding service sent no embedding of 1536 numbers";
    } else if (result->is_answered) {
        why = arena_printf(
            asking->arena, "the embedding service answered with status %d", result->status);
    }
    if (!vector) {
        count_failure(embedder, why, result->error);
        give_up(asking, why);
        return;
    }
    count_success(embedder);
    keep(asking, vector);
    tell(asking, (struct embedding){ .source = EMBED_SERVICE, .vector = vector });
}

static const char *
request_body(struct arena *arena, const struct embedder *embedder, const char *text)
{
    json_t *body CLEANUP(json_release) = json_pack(
        "{s:s,s:s,s:s}", "input", text, "model", embedder->model, "encoding_format", "float");

    return body ? json_text(arena, body) : NULL;
}

static void
ask_service(struct asking *asking)
{
    struct embedder *embedder = asking->api->embedder;
    struct ctx ctx = { .arena = asking->arena };
    const struct http_header headers[] = {
        { "Content-Type", "application/json" },
        { "Authorization", embedder->authorization },
    };
    const char *body = request_body(asking->arena, embedder, asking->text);

    /* The question that finds the rest over is the only one that tries, until it knows. */
    if (embedder->failures >= MOST_FAILURES) {
        if (clock_us() < embedder->rests_until_us) {
            give_up(asking, "the embedding service has failed again and again");
            return;
        }
        embedder->rests_until_us = clock_us() + REST_US;
    }
    if (!body || !http_client_call(&ctx, embedder->client,
                     &(const struct http_call){ .method = "POST",
                         .url = embedder->url,
                         .headers = headers,
                         .header_count = embedder->authorization ? 2 : 1,
                         .body = body },
                     answered, asking)) {
        count_failure(embedder, "the embedding service could not be asked", ctx.error.message);
        give_up(asking, "the embedding service could not be asked");
    }
}

/* ---- the table ---- */

static void
looked_up(void *data, const struct pool_outcome *outcome)
{
    struct asking *asking = data;
    const struct sql_replyx_api_embedding *row = NULL;

    asking->statements += outcome->statements;
    if (outcome->is_good && outcome->rows[0].count > 0)
        row = outcome->rows[0].items;
    if (!row || !row->embedding) {
        ask_service(asking);
        return;
    }
    count_use(asking);
    tell(asking, (struct embedding){ .source = EMBED_CACHE, .vector = row->embedding });
}

void
embed_text(struct api *api, struct arena *arena, const char *text, embed_done *done, void *data)
{
    struct asking *asking = ARENA_NEW(arena, struct asking);
    const char *key = arena_printf(arena, "%s\n%s", api->embedder->model, text);
    const struct pool_statement statement = { .query = &query_replyx_api_embedding,
        .args = &asking->cached };

    *asking = (struct asking){ .api = api,
        .arena = arena,
        .text = text,
        .hash = sha256_of(arena, key, strlen(key)),
        .done = done,
        .data = data };
    asking->cached.hash = asking->hash;
    (void)pool_run(
        hosts_for_reads(api->web, 0), &(const struct pool_work){ .statements = &statement,
                                          .count = 1,
                                          .lane = POOL_SHARED,
                                          .is_repeatable = true,
                                          .limit_us = api->settings->embedding_timeout,
                                          .arena = arena,
                                          .done = looked_up,
                                          .data = asking });
}

/* ---- life ---- */

static bool
set_up(
    struct ctx *ctx, struct loop *loop, const struct settings *settings, struct embedder *embedder)
{
    const char *path = settings->embedding_key_file;
    const char *key = NULL;

    if (path && !secret_file_read(ctx, path, "key of the embedding service", 1, &key))
        return false;
    embedder->url = arena_strdup(embedder->arena, settings->embedding_url);
    embedder->model = arena_strdup(embedder->arena,
        settings->embedding_model ? settings->embedding_model : "text-embedding-3-small");
    if (key)
        embedder->authorization = arena_printf(embedder->arena, "Bearer %s", key);
    /* The operator names the service, which may well be on this machine. */
    return http_client_new(ctx, loop,
        &(const struct http_client_options){ .allow_private = true,
            .timeout_us = settings->embedding_timeout,
            .most_body_bytes = MOST_ANSWER },
        &embedder->client);
}

bool
embedder_open(
    struct ctx *ctx, struct loop *loop, const struct settings *settings, struct embedder **ret)
{
    struct arena *arena;
    struct embedder *embedder;

    *ret = NULL;
    if (text_is_empty(settings->embedding_url))
        return true;
    arena = arena_new();
    embedder = ARENA_NEW(arena, struct embedder);
    embedder->arena = arena;
    if (!set_up(ctx, loop, settings, embedder)) {
        arena_free(arena);
        return false;
    }
    *ret = embedder;
    return true;
}

void
embedder_close(struct embedder *embedder)
{
    if (!embedder)
        return;
    http_client_free(embedder->client);
    arena_free(embedder->arena);
}
