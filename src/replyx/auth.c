/* Who asks: by a JSON Web Token, or by an API token that the database knows the digest of. */
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "replyx/call_part.h"
#include "replyx/jwt.h"
#include "replyx/tokens.h"
#include "sql.h"

enum {
    API_TOKEN_LENGTH = 67,                       /* "rx_" and 64 hexadecimal digits */
    JWT_KEEP_US = 5 * 60 * 1000 * INT64_C(1000), /* a signature that was good is good that long */
    API_TOKEN_KEEP_US = 5 * 1000 * 1000,         /* as long as a revoked one may still be good */
    USER_KEEP_US = 5 * 1000 * 1000,              /* and one who was blocked */
};

/* An API token that the database is asked about. */
struct looking {
    struct call *call;
    void (*next)(struct call *call);
    struct sql_replyx_api_token_args args;
};

static void
refuse(struct call *call, const char *why)
{
    (void)error_set(&call->ctx, ERR_IDENTITY, "%s", why);
    (void)error_hint(&call->ctx,
        "Send \"Authorization: Bearer TOKEN\" with a token of POST /login, "
        "or with an API token.");
    call_fail(call, &call->ctx.error);
}

/* The account was looked at a moment ago, or is as soon as its rights are taken. */
static void
go_on(struct call *call, void (*next)(struct call *call))
{
    bool is_active;

    call->is_unsure = !tokens_get_user(call->api->tokens, call->user, clock_us(), &is_active);
    if (call->is_unsure || auth_note_user(&call->ctx, call, is_active))
        next(call);
    else
        call_fail(call, &call->ctx.error);
}

bool
auth_note_user(struct ctx *ctx, struct call *call, bool is_active)
{
    if (call->is_unsure)
        tokens_put_user(call->api->tokens, call->user, is_active, clock_us() + USER_KEEP_US);
    call->is_unsure = false;
    if (is_active)
        return true;
    return error_set(ctx, ERR_IDENTITY, "the account of this token is blocked, or is no more");
}

static const char *
given_token(const struct call *call)
{
    const char *header = http_request_header(call->request, "Authorization");

    if (!header || strncasecmp(header, "Bearer ", 7) != 0)
        return NULL;
    header += 7;
    return header + strspn(header, " ");
}

/* For tests and benchmarks: the number alone. */
static bool
is_trusted_number(const struct call *call, const char *token, int64_t *ret_user)
{
    return call->api->trusts_header && *token && *token != '0' &&
           strspn(token, "0123456789") == strlen(token) && text_to_int64(token, ret_user) &&
           *ret_user <= INT32_MAX;
}

static bool
is_api_token(const char *token)
{
    return text_starts_with(token, "rx_") && strlen(token) == API_TOKEN_LENGTH &&
           strspn(token + 3, "0123456789abcdef") == API_TOKEN_LENGTH - 3;
}

static void
looked(void *data, const struct pool_outcome *outcome)
{
    struct looking *looking = data;
    struct call *call = looking->call;
    const struct sql_replyx_api_token *found;
    int64_t user;

    call->ticket = NULL;
    call->statements += outcome->statements;
    call->waited_us += outcome->waited_us;
    call->ran_us += outcome->ran_us;
    if (!outcome->is_good) {
        call_fail(call, &outcome->error);
        return;
    }
    found = outcome->rows[0].items;
    user = outcome->rows[0].count > 0 ? found->user_id : 0;
    tokens_put(call->api->tokens, call->token, user, clock_us() + API_TOKEN_KEEP_US);
    if (user == 0) {
        refuse(call, "the API token is unknown, revoked or expired");
        return;
    }
    call->user = user;
    tokens_put_user(call->api->tokens, user, true, clock_us() + USER_KEEP_US);
    looking->next(call);
}

static void
look_up(struct call *call, void (*next)(struct call *call))
{
    struct looking *looking = ARENA_NEW(call->ctx.arena, struct looking);
    const struct pool_statement statement = { .query = &query_replyx_api_token,
        .args = &looking->args };

    looking->call = call;
    looking->next = next;
    looking->args.digest = sha256_of(call->ctx.arena, call->token, strlen(call->token));

    struct pool_ticket *ticket =
        pool_run(hosts_for_reads(call->api->web, 0), &(const struct pool_work){
                                                         .statements = &statement,
                                                         .count = 1,
                                                         .lane = POOL_SHARED,
                                                         .is_repeatable = true,
                                                         .limit_us = call_time_left(call),
                                                         .arena = call->ctx.arena,
                                                         .done = looked,
                                                         .data = looking,
                                                     });

    /* Without a ticket it has been answered, and is no more. */
    if (ticket)
        call->ticket = ticket;
}

static bool
verify(struct call *call)
{
    struct jwt_claims claims;
    int64_t wall_us = clock_wall_us();
    int64_t keep_us = JWT_KEEP_US;

    if (!call->api->secret)
        return error_set(&call->ctx, ERR_IDENTITY, "there are no JSON Web Tokens here");
    if (!jwt_verify(&call->ctx, call->api->secret, call->token, wall_us, &claims))
        return false;
    if (claims.expires_us - wall_us < keep_us)
        keep_us = claims.expires_us - wall_us;
    tokens_put(call->api->tokens, call->token, claims.user, clock_us() + keep_us);
    call->user = claims.user;
    return true;
}

void
auth_begin(struct call *call, void (*next)(struct call *call))
{
    int64_t user;

    call->token = given_token(call);
    if (!call->token || !*call->token) {
        refuse(call, "this needs signing in");
        return;
    }
    if (is_trusted_number(call, call->token, &user)) {
        call->user = user;
        next(call);
    } else if (tokens_get(call->api->tokens, call->token, clock_us(), &user)) {
        call->user = user;
        if (user > 0)
            go_on(call, next);
        else
            refuse(call, "the API token is unknown, revoked or expired");
    } else if (is_api_token(call->token)) {
        look_up(call, next);
    } else if (verify(call)) {
        go_on(call, next);
    } else {
        refuse(call, call->ctx.error.message);
    }
}
