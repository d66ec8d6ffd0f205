/*
 * POST /assistants/{id}/search: the chunks of an assistant that are near a question.
 *   body {"embedding": [1536 numbers]?, "text"?, "limit": 10, "mode": "balanced"}
 *   answer [{chunk_text, distance, importance, doc_type, score}], the best first
 * Without an embedding it is made of the text by the service that is configured; when there is none, or it
 * fails, the text is searched by its words, and distance is null. X-Embedding says which it was.
 *
 * mode: fast, balanced and accurate order by distance (set_vector_search_params() says how thorough
 * an approximate index is searched), multi_stage and hybrid by their scores.
 *
 * When are two answers the same? The slow form computes the distance of every chunk, so it is always
 * right. The fast one asks the functions of "pgmend vector install": while these search exactly, which they do
 * until "pgmend vector tune" has chosen otherwise, both give the same bytes. An approximate way chosen by
 * tune may leave some chunks out, as measured there; then the variants are no longer meant to be equal, and
 * what has to be watched is recall ("pgmend vector check"), not equality.
 * Chunks of exactly the same distance (copies) are ordered by id in both; only when more than 20 copies
 * stand where an answer ends, or in multi_stage where the nearest 5 × limit end, may it be others of them.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "replyx/call.h"
#include "replyx/embed.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "replyx/read_vector.h"
#include "sql.h"

enum { STANDARD_LIMIT = 10, MOST_LIMIT = 100 };

static const char *const modes[] = { "fast", "balanced", "accurate", "multi_stage", "hybrid" };

/* ---- the body ---- */

static bool
parse_rest(struct ctx *ctx, const struct read_vector *read, json_t **ret)
{
    json_error_t why;

    if (read->length == 0)
        return error_set(ctx, ERR_INPUT, "the body is empty, and should be a JSON object");
    if (!call_check_depth(ctx, read->rest, read->length))
        return false;
    *ret = json_loadb(read->rest, read->length, JSON_REJECT_DUPLICATES, &why);
    if (!*ret) {
        size_t at = (size_t)why.position;

        if (read->vector && at >= read->cut_at)
            at += read->cut_length;
        return error_set(
            ctx, ERR_INPUT, "the body is not JSON: at byte %zu: %s", at, call_json_why(&why));
    }
    if (!json_is_object(*ret))
        return error_set(ctx, ERR_INPUT, "the body is JSON, but not an object");
    return true;
}

static bool
read_mode(struct ctx *ctx, const json_t *value, const char **ret)
{
    const char *text = value && !json_is_null(value) ? json_string_value(value) : "balanced";

    for (size_t i = 0; text && i < COUNT_OF(modes); i++) {
        if (text_equal(modes[i], text)) {
            *ret = modes[i];
            return true;
        }
    }
    return error_set(
        ctx, ERR_INPUT, "mode has to be one of fast, balanced, accurate, multi_stage, hybrid");
}

static bool
read_limit(struct ctx *ctx, const json_t *value, int32_t *ret)
{
    json_int_t number = value && !json_is_null(value) ? json_integer_value(value) : STANDARD_LIMIT;

    if ((value && !json_is_null(value) && !json_is_integer(value)) || number < 1 ||
        number > MOST_LIMIT)
        return error_set(
            ctx, ERR_INPUT, "limit has to be a whole number from 1 to %d", (int)MOST_LIMIT);
    *ret = (int32_t)number;
    return true;
}

/* *ret is NULL for a text without a letter. */
static bool
read_words(struct ctx *ctx, const json_t *value, const char **ret)
{
    const char *text = json_string_value(value);
    size_t letters = 0;
    bool is_blank = true;

    *ret = NULL;
    if (!value || json_is_null(value))
        return true;
    if (!text)
        return error_set(ctx, ERR_INPUT, "text has to be a text");
    for (const char *at = text; *at; at++) {
        letters += ((unsigned char)*at & 0xc0) != 0x80;
        is_blank = is_blank && isspace((unsigned char)*at);
    }
    if (letters > EMBED_MOST_TEXT)
        return error_set(
            ctx, ERR_INPUT, "text has %zu letters, and may have %d", letters, (int)EMBED_MOST_TEXT);
    if (!is_blank)
        *ret = arena_strdup(ctx->arena, text);
    return true;
}

static bool
read_members(struct ctx *ctx, json_t *body, struct sql_replyx_api_search_args *ret)
{
    static const char *const names[] = { "embedding", "text", "limit", "mode", NULL };
    const json_t *embedding = json_object_get(body, "embedding");

    if (!call_check_members(ctx, body, names))
        return false;
    if (embedding && !json_is_null(embedding))
        return error_set(
            ctx, ERR_INPUT, "embedding has to be a list of %d numbers", EMBED_DIMENSIONS);
    if (!read_mode(ctx, json_object_get(body, "mode"), &ret->mode) ||
        !read_limit(ctx, json_object_get(body, "limit"), &ret->most) ||
        !read_words(ctx, json_object_get(body, "text"), &ret->words))
        return false;
    if (text_equal(ret->mode, "hybrid") && !ret->words)
        return error_set(ctx, ERR_INPUT, "mode hybrid needs a text");
    if (!ret->question && !ret->words)
        return error_set(ctx, ERR_INPUT, "there has to be an embedding or a text to search for");
    return true;
}

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    struct sql_replyx_api_search_args *ret = args;
    json_t *body CLEANUP(json_release) = NULL;
    struct read_vector read;
    size_t length;
    const char *text = http_request_body(call->request, &length);

    ret->user_id = (int32_t)call->user;
    ret->assistant_id = (int32_t)call->numbers[0];
    if (!read_vector(ctx, text, length, "embedding", &read) || !parse_rest(ctx, &read, &body))
        return false;
    ret->question = read.vector;
    return read_members(ctx, body, ret);
}

/* ---- the vector of a text ---- */

static void
tell_source(struct call *call, const char *source)
{
    call->headers[call->header_count++] = (struct http_header){ "X-Embedding", source };
}

static void
embedded(void *data, const struct embedding *embedding)
{
    struct call *call = data;
    struct sql_replyx_api_search_args *args = call->args;

    call->statements += embedding->statements;
    args->question = embedding->vector;
    if (embedding->source == EMBED_CACHE)
        tell_source(call, "cache");
    else if (embedding->source == EMBED_SERVICE)
        tell_source(call, "service");
    else
        tell_source(call, arena_printf(call->ctx.arena, "none (%s)", embedding->why));
    call_go_on(call);
}

static bool
prepare(struct call *call)
{
    const struct sql_replyx_api_search_args *args = call->args;

    if (args->question)
        tell_source(call, "body");
    else if (!call->api->embedder)
        tell_source(call, "none (no embedding service is configured)");
    else {
        embed_text(call->api, call->ctx.arena, args->words, embedded, call);
        return true;
    }
    return false;
}

/* ---- the slow form ---- */

/* A float8 as row_to_json() prints it: what JSON has no number for is a text. */
static void
print_float(struct buffer *out, const char *text)
{
    if (text && (isdigit((unsigned char)text[0]) || isdigit((unsigned char)text[1])))
        print_number(out, text);
    else
        print_text(out, text);
}

static void
print_chunks(const struct sql_replyx_api_search_exact_rows *chunks, struct buffer *out)
{
    print_open(out, '[');
    for (size_t i = 0; i < chunks->count; i++) {
        const struct sql_replyx_api_search_exact *chunk = &chunks->items[i];

        print_open(out, '{');
        print_key(out, "chunk_text");
        print_text(out, chunk->chunk_text);
        print_key(out, "distance");
        print_float(out, chunk->distance);
        print_key(out, "importance");
        print_int(out, chunk->importance);
        print_key(out, "doc_type");
        print_text(out, chunk->doc_type);
        print_key(out, "score");
        print_float(out, chunk->score);
        print_close(out, '}');
    }
    print_close(out, ']');
}

/* All three give rows of the same columns. */
_Static_assert(
    sizeof(struct sql_replyx_api_search_exact) == sizeof(struct sql_replyx_api_search_stages) &&
        sizeof(struct sql_replyx_api_search_exact) == sizeof(struct sql_replyx_api_search_words),
    "rows differ");

static bool
scan(struct ctx *ctx, struct straight *straight, const struct sql_replyx_api_search_args *args,
    struct sql_replyx_api_search_exact_rows *ret)
{
    const struct sql_replyx_api_search_exact_args nearest = { args->user_id, args->assistant_id,
        args->question, args->most };
    const struct sql_replyx_api_search_words_args said = { args->user_id, args->assistant_id,
        args->question, args->words, args->most };

    if (!args->question || text_equal(args->mode, "hybrid"))
        return straight_ask(ctx, straight, &query_replyx_api_search_words, &said, ret);
    if (text_equal(args->mode, "multi_stage"))
        return straight_ask(ctx, straight, &query_replyx_api_search_stages, &nearest, ret);
    return straight_ask(ctx, straight, &query_replyx_api_search_exact, &nearest, ret);
}

static bool
run_naive(struct ctx *ctx, struct call *call, struct straight *straight, const void *data,
    struct buffer *ret_body)
{
    const struct sql_replyx_api_search_args *args = data;
    struct sql_replyx_api_assistant_rows found;
    struct sql_replyx_api_search_context_rows context;
    struct sql_replyx_api_search_exact_rows chunks;

    (void)call;
    if (!straight_ask(ctx, straight, &query_replyx_api_assistant,
            &(const struct sql_replyx_api_assistant_args){ args->user_id, args->assistant_id },
            &found))
        return false;
    if (found.count == 0)
        return error_set(ctx, ERR_NOT_FOUND, "it is not there");
    if (!straight_ask(ctx, straight, &query_replyx_api_search_context,
            &(const struct sql_replyx_api_search_context_args){ args->user_id, args->assistant_id },
            &context) ||
        !scan(ctx, straight, args, &chunks))
        return false;
    print_chunks(&chunks, ret_body);
    return true;
}

static const struct variant variants[] = {
    { .name = "naive", .run = run_naive },
    { .name = "optimised", .query = &query_replyx_api_search, .lane = POOL_EXCLUSIVE },
};

const struct endpoint endpoint_search = {
    .name = "search",
    .methods = HTTP_POST,
    .path = "/assistants/{id}/search",
    .args_size = sizeof(struct sql_replyx_api_search_args),
    .read = read_args,
    .prepare = prepare,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
