#include "replyx/settings.h"

#include "base/clock.h"
#include "cli/plain.h"
#include "http/address.h"
#include "replyx/tally.h"

static const struct field fields[] = {
    FIELD(struct settings, listen, .arg = "ADDRESS:PORT", .standard = "127.0.0.1:8000",
        .help =
            "where to answer; \":8000\" is all addresses; a socket that systemd hands over wins"),
    FIELD(struct settings, workers, .arg = "N", .standard = "1",
        .help = "processes that answer, each with pools of its own"),
    FIELD(struct settings, db_url, .arg = "URL",
        .help =
            "the database; several times: the hosts of one replication, of which standbys answer "
            "reads; without it DATABASE_URL, else PGHOST, PGDATABASE, …"),
    FIELD(struct settings, jwt_secret_file, .arg = "FILE",
        .help = "its first line signs the tokens of /login: at least 32 bytes"),
    FIELD(struct settings, trust_user_header,
        .help = "for tests and benchmarks, on loopback only: \"Bearer 17\" is user 17"),
    FIELD(struct settings, token_life, .unit = UNIT_US, .standard = "1h",
        .help = "how long a token of /login holds"),
    FIELD(struct settings, pool_size, .arg = "N", .standard = "20",
        .help = "connections of a worker that are kept, for requests that need one of their own"),
    FIELD(struct settings, max_overflow, .arg = "N", .standard = "30",
        .help = "connections beyond these while there is much to do"),
    FIELD(struct settings, pool_timeout, .unit = UNIT_US, .standard = "30s",
        .help = "wait for a connection; then 503"),
    FIELD(struct settings, pool_recycle, .unit = UNIT_US, .standard = "3600s",
        .help = "age at which a connection is replaced"),
    FIELD(struct settings, pool_queue, .arg = "N", .standard = "500",
        .help = "requests that may wait for a connection; the next one gets 503 at once"),
    FIELD(struct settings, shared_size, .arg = "N", .standard = "4",
        .help = "connections of a worker that requests of one statement share"),
    FIELD(struct settings, shared_depth, .arg = "N", .standard = "16",
        .help = "statements under way on each of them"),
    FIELD(struct settings, background_size, .arg = "N", .standard = "5",
        .help = "pool_size for what nobody waits for"),
    FIELD(struct settings, background_overflow, .arg = "N", .standard = "10",
        .help = "max_overflow for what nobody waits for"),
    FIELD(struct settings, request_limit, .unit = UNIT_US, .standard = "30s",
        .help = "longest time for one request; its statements are cancelled then"),
    FIELD(struct settings, most_lag, .unit = UNIT_US, .standard = "1s",
        .help = "standbys that are further behind answer nothing"),
    FIELD(struct settings, most_connections, .arg = "N", .standard = "12000",
        .help = "clients connected to one worker"),
    FIELD(struct settings, idle_timeout, .unit = UNIT_US, .standard = "75s",
        .help = "a client's connection without a request is closed after it"),
    FIELD(struct settings, drain_limit, .unit = UNIT_US, .standard = "30s",
        .help = "for requests under way when the program ends"),
    FIELD(struct settings, embedding_url, .arg = "URL",
        .help = "an OpenAI-compatible service that makes embeddings of texts; without it search "
                "needs an embedding in the request, or finds by words"),
    FIELD(struct settings, embedding_model, .arg = "NAME", .standard = "text-embedding-3-small",
        .help = "what is asked of the service"),
    FIELD(struct settings, embedding_key_file, .arg = "FILE",
        .help = "its first line is the key of the service"),
    FIELD(struct settings, embedding_timeout, .unit = UNIT_US, .standard = "2s",
        .help = "wait for the service; then search finds by words"),
    FIELD(struct settings, webhook_secret_file, .arg = "FILE",
        .help = "its first line is the secret token of Telegram's webhooks; without it they are "
                "refused"),
    FIELD(struct settings, bot_rate, .arg = "N", .standard = "30",
        .help = "updates a second of one bot; more get 429"),
    FIELD(struct settings, bot_queue, .arg = "N", .standard = "100",
        .help = "updates of one bot that may wait; more get 429"),
    FIELD(struct settings, hidden_variants,
        .help = "for tests: flags may also give variants that are wrong or slow on purpose"),
    FIELD(struct settings, ignore_flags,
        .help = "whatever the flags in the database say, the variant of --variant"),
    FIELD(struct settings, variant, .arg = "NAME",
        .help = "naive, optimised, rollup: for every endpoint that has it"),
    FIELD(struct settings, now, .arg = "TIME", .momentary = true,
        .help = "answer as if it were that time, to compare: 2026-11-22T10:00:00Z"),
    FIELD(struct settings, verbose, .letter = 'v', .help = "say more on standard error"),
    FIELD(struct settings, config, .arg = "FILE", .momentary = true,
        .help = "settings; read again on SIGHUP"),
    FIELD(struct settings, help, .letter = 'h', .momentary = true, .help = "show this"),
    FIELD(struct settings, man, .momentary = true, .help = "write the man page (roff)"),
    FIELD(struct settings, version, .momentary = true, .help = "show the version"),
};

static const struct plain program = {
    .program = "replyx-api",
    .prefix = "REPLYX_API_",
    .summary = "answer the API of ReplyX",
    .about =
        "The reference back end of ReplyX: answers its API from a database that \"alembic "
        "upgrade head\" and replyx/api/install have set up. SIGTERM lets requests under way end "
        "and then stops, SIGHUP reads the settings again, SIGUSR2 starts the program anew, "
        "perhaps a newer one, which takes over without a failed request.",
    .examples = "  replyx-api --db-url postgresql://replyx_api@/replyx --jwt-secret-file secret\n"
                "  replyx-api --config /etc/replyx-api.ini --workers 2\n",
    .variable = "DATABASE_URL",
    .fields = fields,
    .field_count = COUNT_OF(fields),
};

/* What is read once, when the process starts. */
static const char *const fixed[] = {
    "listen",
    "workers",
    "db_url",
    "trust_user_header",
    "pool_size",
    "max_overflow",
    "pool_timeout",
    "pool_recycle",
    "pool_queue",
    "shared_size",
    "shared_depth",
    "background_size",
    "background_overflow",
    "most_lag",
    "most_connections",
    "idle_timeout",
    "embedding_url",
    "embedding_model",
    "embedding_key_file",
    "embedding_timeout",
};

struct range {
    const char *name;
    size_t offset;
    int32_t least;
    int32_t most;
};

#define RANGE(member, least, most)                              \
    {                                                           \
#        member, offsetof(struct settings, member), least, most \
    }

/* A setting outside of these would not fail at the start, but in the middle of the night. */
static const struct range ranges[] = {
    RANGE(workers, 1, TALLY_MOST_WORKERS),
    RANGE(pool_size, 1, 10000),
    RANGE(max_overflow, 0, 10000),
    RANGE(pool_queue, 0, 1000000),
    RANGE(shared_size, 1, 1000),
    RANGE(shared_depth, 1, 1000),
    RANGE(background_size, 1, 10000),
    RANGE(background_overflow, 0, 10000),
    RANGE(most_connections, 1, 1000000),
    RANGE(bot_rate, 1, 1000000),
    RANGE(bot_queue, 1, 1000000),
};

#define TIME(member)                               \
    {                                              \
#        member, offsetof(struct settings, member) \
    }

/* At least a millisecond: none of them can mean "never". */
static const struct {
    const char *name;
    size_t offset;
} times[] = {
    TIME(token_life),
    TIME(pool_timeout),
    TIME(pool_recycle),
    TIME(request_limit),
    TIME(most_lag),
    TIME(idle_timeout),
    TIME(drain_limit),
    TIME(embedding_timeout),
};

enum { LEAST_TIME_US = 1000 };

static const char *
spell(struct ctx *ctx, const char *name)
{
    char *text = arena_strdup(ctx->arena, name);

    for (char *at = strchr(text, '_'); at; at = strchr(at, '_'))
        *at = '-';
    return text;
}

static bool
check_numbers(struct ctx *ctx, const struct settings *settings)
{
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        const struct range *range = &ranges[i];
        int32_t value = *(const int32_t *)(const void *)((const char *)settings + range->offset);

        if (value < range->least || value > range->most)
            return error_set(ctx, ERR_USAGE, "--%s is %d, but must be within %d and %d",
                spell(ctx, range->name), value, range->least, range->most);
    }
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        int64_t value = *(const int64_t *)(const void *)((const char *)settings + times[i].offset);

        if (value < LEAST_TIME_US)
            return error_set(
                ctx, ERR_USAGE, "--%s must be at least 1 ms", spell(ctx, times[i].name));
    }
    return true;
}

static bool
check_texts(struct ctx *ctx, const struct settings *settings)
{
    const char *url = settings->embedding_url;
    int64_t wall_us;

    if (settings->now && !clock_parse(settings->now, &wall_us)) {
        error_set(ctx, ERR_USAGE, "--now \"%s\" is no time", settings->now);
        return error_hint(ctx, "Write it like 2026-11-22T10:00:00Z.");
    }
    if (url && ((!text_starts_with(url, "http://") && !text_starts_with(url, "https://")) ||
                   strchr("/?#:", strchr(url, '/')[2]))) {
        error_set(ctx, ERR_USAGE, "--embedding-url is no URL of a service");
        return error_hint(ctx, "Write all of it: https://api.openai.com/v1/embeddings.");
    }
    return true;
}

static bool
check(struct ctx *ctx, const struct settings *settings)
{
    struct sockaddr_storage address;

    if (!check_numbers(ctx, settings) || !check_texts(ctx, settings))
        return false;
    if (!http_address_parse(ctx, settings->listen, &address)) {
        ctx->error.kind = ERR_USAGE;
        return error_hint(
            ctx, "write address and port: 127.0.0.1:8000, [::1]:8000, or :8000 for all");
    }
    if (settings->trust_user_header &&
        !http_address_is_loopback((const struct sockaddr *)&address)) {
        error_set(ctx, ERR_USAGE,
            "--trust-user-header lets everybody be anybody, so it is for "
            "loopback only, not for \"%s\"",
            settings->listen);
        return error_hint(ctx, "Listen on 127.0.0.1, or use tokens.");
    }
    if (settings->ignore_flags && !settings->variant) {
        error_set(ctx, ERR_USAGE, "--ignore-flags needs --variant");
        return error_hint(ctx, "Name the variant: naive, optimised or rollup.");
    }
    return true;
}

bool
settings_read(struct ctx *ctx, int argc, char **argv, struct settings *ret)
{
    *ret = (struct settings){ 0 };
    if (!plain_parse(ctx, &program, argc, argv, ret))
        return false;
    return ret->help || ret->version || check(ctx, ret);
}

static const struct field *
find_field(const char *name)
{
    size_t at = 0;

    while (!text_equal(fields[at].name, name))
        at++;
    return &fields[at];
}

static size_t
size_of(const struct field *field)
{
    switch (field->type) {
    case FIELD_BOOL:
        return sizeof(bool);
    case FIELD_INT32:
    case FIELD_UINT32:
        return sizeof(int32_t);
    case FIELD_INT64:
        return sizeof(int64_t);
    case FIELD_DOUBLE:
        return sizeof(double);
    case FIELD_TEXT:
        return sizeof(const char *);
    case FIELD_TEXT_LIST:
        break;
    }
    return sizeof(struct text_list);
}

void
settings_keep(struct arena *arena, const struct settings *before, struct settings *settings,
    struct text_list *ret_left)
{
    for (size_t i = 0; i < COUNT_OF(fixed); i++) {
        const struct field *field = find_field(fixed[i]);

        if (!text_equal(field_text(arena, field, before), field_text(arena, field, settings)))
            text_list_add(arena, ret_left, field->name);
        memcpy(
            (char *)settings + field->offset, (const char *)before + field->offset, size_of(field));
    }
}

void
settings_warn(struct arena *arena)
{
    plain_warn(arena, &program);
}

void
settings_help(FILE *out)
{
    plain_help(out, &program);
}

void
settings_man(FILE *out)
{
    plain_man(out, &program);
}
