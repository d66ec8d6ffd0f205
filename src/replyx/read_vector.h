/*
 * The numbers of a question's vector, checked while they are read and handed on as the text that they
 * came as: a body of 1536 numbers is not made a tree first.
 */
#pragma once

#include "base/ctx.h"

struct read_vector {
    const char *vector; /* "[…]" as PostgreSQL reads it; NULL: the body has no such list */
    const char *rest;   /* the body with null in its place */
    size_t length;
    /* A byte of the rest beyond this one stood so much further in the body. */
    size_t cut_at;
    size_t cut_length;
};

/*
 * Looks for the member of this name of the object that the body is. ERR_INPUT names the number that is
 * wrong: none, too large for four bytes, one too many. A body that is no JSON is for its reader to refuse.
 */
bool read_vector(struct ctx *ctx, const char *body, size_t length, const char *name,
    struct read_vector *ret) MUST_CHECK;
