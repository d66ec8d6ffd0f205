#include "replyx/tokens.h"

#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"

/* Places where a token may be: two of so many. */
enum { SLOTS = 8192, MOST_LENGTH = 600 };

struct slot {
    uint64_t hash;
    int64_t user;
    int64_t until_us;
    size_t length;
    char *token; /* NULL: free */
};

/* A user is in the place of his number: those who are there at the same time rarely share one. */
struct user {
    int64_t user;
    int64_t until_us;
    bool is_active;
};

struct tokens {
    uint64_t seed; /* nobody outside can make tokens that meet in one place */
    struct slot slots[SLOTS];
    struct user users[SLOTS];
};

struct tokens *
tokens_new(void)
{
    struct tokens *tokens = calloc(1, sizeof(*tokens));

    if (!tokens)
        memory_exhausted(0);
    random_bytes(&tokens->seed, sizeof(tokens->seed));
    return tokens;
}

void
tokens_forget(struct tokens *tokens)
{
    for (size_t i = 0; i < SLOTS; i++) {
        if (tokens->slots[i].token)
            explicit_bzero(tokens->slots[i].token, tokens->slots[i].length);
        free(tokens->slots[i].token);
        tokens->slots[i] = (struct slot){ 0 };
        tokens->users[i] = (struct user){ 0 };
    }
}

void
tokens_free(struct tokens *tokens)
{
    if (!tokens)
        return;
    tokens_forget(tokens);
    free(tokens);
}

/* Eight bytes at a time; the constant is 2^64 divided by the golden ratio. */
static uint64_t
hash_of(const struct tokens *tokens, const char *token, size_t length)
{
    uint64_t hash = tokens->seed ^ length;

    for (size_t i = 0; i < length; i += 8) {
        uint64_t word = 0;

        memcpy(&word, token + i, length - i < 8 ? length - i : 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

static size_t
place(uint64_t hash, int turn)
{
    return (turn ? hash >> 32 : hash) % SLOTS;
}

static bool
is_of(const struct slot *slot, uint64_t hash, const char *token, size_t length)
{
    return slot->token && slot->hash == hash && slot->length == length &&
           bytes_equal_in_constant_time(slot->token, token, length);
}

bool
tokens_get(const struct tokens *tokens, const char *token, int64_t now_us, int64_t *ret_user)
{
    size_t length = strlen(token);
    uint64_t hash = hash_of(tokens, token, length);

    for (int turn = 0; turn < 2; turn++) {
        const struct slot *slot = &tokens->slots[place(hash, turn)];

        if (!is_of(slot, hash, token, length))
            continue;
        *ret_user = slot->user;
        return slot->until_us > now_us;
    }
    return false;
}

void
tokens_put(struct tokens *tokens, const char *token, int64_t user, int64_t until_us)
{
    size_t length = strlen(token);
    uint64_t hash = hash_of(tokens, token, length);
    struct slot *first = &tokens->slots[place(hash, 0)];
    struct slot *second = &tokens->slots[place(hash, 1)];
    struct slot *slot = first->until_us <= second->until_us ? first : second;

    if (length > MOST_LENGTH)
        return;
    if (is_of(first, hash, token, length))
        slot = first;
    else if (is_of(second, hash, token, length))
        slot = second;
    free(slot->token);
    *slot = (struct slot){ .hash = hash, .user = user, .until_us = until_us, .length = length };
    slot->token = strndup(token, length);
    if (!slot->token)
        memory_exhausted(0);
}

bool
tokens_get_user(const struct tokens *tokens, int64_t user, int64_t now_us, bool *ret_is_active)
{
    const struct user *known = &tokens->users[(uint64_t)user % SLOTS];

    *ret_is_active = known->is_active;
    return known->user == user && known->until_us > now_us;
}

void
tokens_put_user(struct tokens *tokens, int64_t user, bool is_active, int64_t until_us)
{
    tokens->users[(uint64_t)user % SLOTS] =
        (struct user){ .user = user, .until_us = until_us, .is_active = is_active };
}
