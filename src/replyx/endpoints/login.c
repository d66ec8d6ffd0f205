/*
 * POST /login {"email", "password"}: {"token"}, for "Authorization: Bearer …". An unknown address and a
 * wrong password get the same answer after the same time.
 */
#include <arpa/inet.h>
#include <string.h>

#include "base/clock.h"
#include "http/address.h"
#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/jwt.h"
#include "replyx/logins.h"
#include "replyx/password.h"
#include "replyx/print.h"
#include "sql.h"

enum { MOST_EMAIL = 320 }; /* RFC 3696, as corrected: 64 + 1 + 255 */

struct args {
    struct sql_replyx_api_login_args asked;
    const char *password;
};

/* A sign-in on its way. */
struct signing {
    struct login login; /* first: what logins.c gives back */
    struct call *call;
    const char *address;
    int64_t user;
    bool is_active;
};

static bool
read_text(struct ctx *ctx, const json_t *body, const char *name, size_t most, const char **ret)
{
    const char *text = json_string_value(json_object_get(body, name));

    if (!text)
        return error_set(ctx, ERR_INPUT, "%s has to be a text", name);
    if (!*text)
        return error_set(ctx, ERR_INPUT, "%s is empty", name);
    if (strlen(text) > most)
        return error_set(ctx, ERR_INPUT, "%s is longer than %zu bytes", name, most);
    *ret = arena_strdup(ctx->arena, text);
    return true;
}

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    static const char *const names[] = { "email", "password", NULL };
    struct args *ret = args;
    json_t *body CLEANUP(json_release) = NULL;

    return call_read_json(ctx, call, &body) && call_check_members(ctx, body, names) &&
           read_text(ctx, body, "email", MOST_EMAIL, &ret->asked.email) &&
           read_text(ctx, body, "password", PASSWORD_MOST_LENGTH, &ret->password);
}

static void
fail(struct call *call, enum error_kind kind, const char *message)
{
    (void)error_set(&call->ctx, kind, "%s", message);
    call_fail(call, &call->ctx.error);
}

static void
answer_token(struct call *call)
{
    struct buffer body = { .arena = call->ctx.arena };

    print_open(&body, '{');
    print_key(&body, "token");
    print_text(&body, jwt_sign(call->ctx.arena, call->api->secret, call->user, clock_wall_us(),
                          call->api->settings->token_life));
    print_close(&body, '}');
    call_answer(call, 200, buffer_text(&body), body.length);
}

static void
checked(struct login *login, bool is_right)
{
    struct signing *signing = (struct signing *)login;
    struct call *call = signing->call;
    const struct args *args = call->args;

    call->gone = NULL;
    if (!is_right) {
        fail(call, ERR_IDENTITY, "the e-mail address or the password is wrong");
        return;
    }
    logins_succeeded(call->api->logins, args->asked.email, signing->address);
    if (!signing->is_active) {
        fail(call, ERR_RIGHTS, "the account is blocked");
        return;
    }
    call->user = signing->user;
    answer_token(call);
}

static void
client_gone(struct call *call)
{
    struct signing *signing = call->data;

    if (logins_leave(&signing->login))
        fail(call, ERR_INTERRUPTED, "the client has gone");
}

static void
found(void *data, const struct pool_outcome *outcome)
{
    struct signing *signing = data;
    struct call *call = signing->call;
    const struct sql_replyx_api_login *user;

    call->ticket = NULL;
    call->statements += outcome->statements;
    call->waited_us += outcome->waited_us;
    call->ran_us += outcome->ran_us;
    if (!outcome->is_good) {
        call_fail(call, &outcome->error);
        return;
    }
    user = outcome->rows[0].count > 0 ? outcome->rows[0].items : NULL;
    signing->login.password = ((const struct args *)call->args)->password;
    signing->login.checked = checked;
    if (user) {
        signing->login.hash = user->hashed_password;
        signing->user = user->user_id;
        signing->is_active = user->is_active;
    }
    call->data = signing;
    call->gone = client_gone;
    if (logins_check(call->api->logins, &signing->login))
        return;
    call->gone = NULL;
    fail(call, ERR_LIMIT, "too many are signing in at the moment");
}

static void
refuse_attempt(struct call *call, int64_t wait_us)
{
    call->headers[call->header_count++] = (struct http_header){ "Retry-After",
        arena_printf(call->ctx.arena, "%lld", (long long)((wait_us + 999999) / 1000000)) };
    fail(call, ERR_LIMIT, "there were too many attempts to sign in");
}

/* "1.2.3.4", "1.2.3.4:5", "2001:db8::1" or "[2001:db8::1]:5"; false: it is none of them. */
static bool
read_address(struct call *call, const char *text, struct sockaddr_storage *ret)
{
    struct ctx ctx = { .arena = call->ctx.arena };
    int family = http_address_family(text);

    if (family)
        text = arena_printf(ctx.arena, family == AF_INET6 ? "[%s]:0" : "%s:0", text);
    return *text != ':' && http_address_parse(&ctx, text, ret);
}

/*
 * The client's, of those that proxies have noted in the order in which they passed the request on: the last
 * that is public, for those behind it are proxies near us; or, in a network without any, the last one.
 */
static bool
find_forwarded(struct call *call, struct sockaddr_storage *ret)
{
    const char *list = http_request_last_header(call->request, "X-Forwarded-For");
    struct text_list hops = { 0 };
    struct sockaddr_storage hop;
    bool is_found = false;

    while (list && *list) {
        size_t length = strcspn(list, " \t,");

        if (length > 0)
            text_list_add(call->ctx.arena, &hops, arena_strndup(call->ctx.arena, list, length));
        list += length + strspn(list + length, " \t,");
    }
    for (size_t i = hops.count; i-- > 0 && read_address(call, hops.items[i], &hop);) {
        bool is_public = http_address_is_public((const struct sockaddr *)&hop);

        if (!is_found || is_public)
            *ret = hop;
        is_found = true;
        if (is_public)
            break;
    }
    return is_found;
}

/*
 * Whose attempts are counted together: an address, of IPv6 its network of 64 bits, which a single household
 * has. A client near us is believed whom it asks for. NULL: it is not known who that is, and who is behind the
 * same proxy must not be locked out by others.
 */
static const char *
address_of(struct call *call)
{
    struct sockaddr_storage address;
    struct sockaddr *client = (struct sockaddr *)&address;
    char text[INET6_ADDRSTRLEN];

    if (!read_address(call, http_request_client(call->request), &address))
        return NULL;
    if (!http_address_is_public(client))
        (void)find_forwarded(call, &address);
    if (http_address_is_loopback(client))
        return NULL;
    if (client->sa_family == AF_INET6) {
        struct in6_addr *bytes = &((struct sockaddr_in6 *)&address)->sin6_addr;

        if (!IN6_IS_ADDR_V4MAPPED(bytes))
            memset(bytes->s6_addr + 8, 0, 8);
        return arena_strdup(call->ctx.arena, inet_ntop(AF_INET6, bytes, text, sizeof(text)));
    }
    return arena_strdup(call->ctx.arena,
        inet_ntop(AF_INET, &((struct sockaddr_in *)&address)->sin_addr, text, sizeof(text)));
}

static void
sign_in(struct call *call)
{
    struct signing *signing = ARENA_NEW(call->ctx.arena, struct signing);
    const struct args *args = call->args;
    const struct pool_statement statement = { .query = &query_replyx_api_login,
        .args = &args->asked };
    int64_t wait_us;

    if (!call->api->secret) {
        fail(call, ERR_UNSUPPORTED, "signing in by password is not set up here");
        return;
    }
    signing->call = call;
    signing->address = address_of(call);
    if (!logins_try(call->api->logins, args->asked.email, signing->address, clock_us(), &wait_us)) {
        refuse_attempt(call, wait_us);
        return;
    }

    struct pool_ticket *ticket = pool_run(
        hosts_for_reads(call->api->web, 0), &(const struct pool_work){
                                                .statements = &statement,
                                                .count = 1,
                                                .lane = POOL_SHARED,
                                                .is_repeatable = true,
                                                .limit_us = call->api->settings->request_limit,
                                                .arena = call->ctx.arena,
                                                .done = found,
                                                .data = signing,
                                            });

    /* Without a ticket it has been answered, and is no more. */
    if (ticket)
        call->ticket = ticket;
}

const struct endpoint endpoint_login = {
    .name = "login",
    .methods = HTTP_POST,
    .path = "/login",
    .is_open = true,
    .args_size = sizeof(struct args),
    .read = read_args,
    .handle = sign_in,
};
