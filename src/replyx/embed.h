/*
 * The vector of a question: from the table of those that were asked before, else from an
 * OpenAI-compatible service. What is asked while the service is down does not wait for it.
 */
#pragma once

#include "replyx/api.h"

enum { EMBED_DIMENSIONS = 1536, EMBED_MOST_TEXT = 8000 };

/*
 * Of the squared length of a question: pgvector sums squares in four bytes, and beyond these a distance
 * would be NaN.
 */
#define EMBED_LEAST_SQUARE 1e-16
#define EMBED_MOST_SQUARE  1e16

/* *ret is NULL when the settings name no service. */
bool embedder_open(struct ctx *ctx, struct loop *loop, const struct settings *settings,
    struct embedder **ret) MUST_CHECK;
void embedder_close(struct embedder *embedder);

enum embed_source { EMBED_NONE, EMBED_CACHE, EMBED_SERVICE };

struct embedding {
    enum embed_source source;
    const char
        *vector; /* "[…]" as PostgreSQL reads it; NULL: there is none, and why tells the reason */
    const char *why;
    int32_t statements; /* that were sent for it, with what nobody waits for */
};
typedef void embed_done(void *data, const struct embedding *embedding);

/*
 * api->embedder must be there. done is called once, from the loop or within this function; what it is
 * given lives in the arena, which must live until then.
 */
void embed_text(
    struct api *api, struct arena *arena, const char *text, embed_done *done, void *data);
