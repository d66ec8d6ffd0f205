/*
 * Whose token it is, and whether he may still use it, remembered for a while, so that most requests need
 * neither a digest nor a question to the database. Bounded: a new one may take the place of another.
 */
#pragma once

#include "base/ctx.h"

struct tokens;

struct tokens *tokens_new(void);
void tokens_free(struct tokens *tokens);
/* Everything, as after a change of the secret. */
void tokens_forget(struct tokens *tokens);

/* *ret_user is 0 for a token that is known to be nobody's. False: it is not remembered. */
bool tokens_get(const struct tokens *tokens, const char *token, int64_t now_us, int64_t *ret_user)
    MUST_CHECK;
void tokens_put(struct tokens *tokens, const char *token, int64_t user, int64_t until_us);

/* Whether the user is there and not blocked. False: it is not remembered. */
bool tokens_get_user(const struct tokens *tokens, int64_t user, int64_t now_us, bool *ret_is_active)
    MUST_CHECK;
void tokens_put_user(struct tokens *tokens, int64_t user, bool is_active, int64_t until_us);
