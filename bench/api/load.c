/*
 * Sends HTTP requests to an API on this machine and says how it answered, as a line of JSON.
 * Usage: api-load OPTIONS; REQUESTS is a file with a request a line: METHOD PATH [TOKEN [BODY]]
 */
#include <getopt.h>
#include <stdlib.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "load/http.h"

enum { MOST_FILE_BYTES = 64 << 20 };

static const char usage[] =
    "usage: api-load --address HOST:PORT --requests FILE [--connections N] [--rate N] [--seconds N]\n"
    "                [--warm-up SECONDS] [--seed N]\n"
    "Without --rate each connection asks again as soon as it is answered.\n";

struct wish {
    const char *address;
    const char *requests;
    struct load_http_options load;
};

static void
add_request(struct ctx *ctx, const struct wish *wish, char *line, struct load_http_request *ret)
{
    struct buffer text = { .arena = ctx->arena };
    char *rest = line;
    const char *method = strsep(&rest, " ");
    const char *path = strsep(&rest, " ");
    const char *token = strsep(&rest, " ");

    buffer_printf(
        &text, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path ? path : "/", wish->address);
    if (token && *token)
        buffer_printf(&text, "Authorization: Bearer %s\r\n", token);
    if (rest)
        buffer_printf(
            &text, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(rest));
    buffer_add(&text, "\r\n");
    buffer_add(&text, rest ? rest : "");
    *ret = (struct load_http_request){ .bytes = buffer_text(&text), .length = text.length };
}

static bool
read_requests(struct ctx *ctx, struct wish *wish)
{
    const char *data;
    size_t length;
    size_t count = 0;
    size_t lines = 1;
    struct load_http_request *requests;

    char *text;

    if (!file_read_most(ctx, wish->requests, MOST_FILE_BYTES, &data, &length))
        return false;
    text = arena_strndup(ctx->arena, data, length);
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    requests = ARENA_ARRAY(ctx->arena, struct load_http_request, lines);
    for (char *line = strsep(&text, "\n"); line; line = strsep(&text, "\n")) {
        if (*line)
            add_request(ctx, wish, line, &requests[count++]);
    }
    wish->load.requests = requests;
    wish->load.request_count = count;
    return true;
}

static bool
read_wish(struct ctx *ctx, int argc, char **argv, struct wish *ret)
{
    static const struct option options[] = {
        { "address", required_argument, NULL, 'a' },
        { "requests", required_argument, NULL, 'f' },
        { "connections", required_argument, NULL, 'c' },
        { "rate", required_argument, NULL, 'r' },
        { "seconds", required_argument, NULL, 's' },
        { "warm-up", required_argument, NULL, 'w' },
        { "seed", required_argument, NULL, 'e' },
        { 0 },
    };
    const char *colon;
    int option;

    *ret = (struct wish){ .load = { .connections = 64, .duration_us = 5000000, .seed = 1 } };
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'a':
            ret->address = optarg;
            break;
        case 'f':
            ret->requests = optarg;
            break;
        case 'c':
            ret->load.connections = (int32_t)strtol(optarg, NULL, 10);
            break;
        case 'r':
            ret->load.rate = strtod(optarg, NULL);
            break;
        case 's':
            ret->load.duration_us = (int64_t)(strtod(optarg, NULL) * 1e6);
            break;
        case 'w':
            ret->load.warm_up_us = (int64_t)(strtod(optarg, NULL) * 1e6);
            break;
        case 'e':
            ret->load.seed = strtoull(optarg, NULL, 10);
            break;
        default:
            return error_set(ctx, ERR_USAGE, "unknown option");
        }
    }
    colon = ret->address ? strrchr(ret->address, ':') : NULL;
    if (!colon || !ret->requests || optind < argc)
        return error_set(ctx, ERR_USAGE, "--address HOST:PORT and --requests FILE are needed");
    ret->load.host = arena_strndup(ctx->arena, ret->address, (size_t)(colon - ret->address));
    ret->load.port = colon + 1;
    return true;
}

static json_t *
latency_json(const struct histogram *histogram)
{
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "count", (json_int_t)histogram->count,
        "mean_ms", histogram_mean_us(histogram) / 1e3, "p50_ms",
        (double)histogram_quantile_us(histogram, 0.5) / 1e3, "p95_ms",
        (double)histogram_quantile_us(histogram, 0.95) / 1e3, "p99_ms",
        (double)histogram_quantile_us(histogram, 0.99) / 1e3, "max_ms",
        (double)histogram->max_us / 1e3);
}

static void
print(const struct load_http_result *result)
{
    double seconds = (double)result->elapsed_us / 1e6;
    double good = (double)result->good->count;
    json_t *json = json_pack("{s:f, s:f, s:o, s:o, s:o, s:I, s:I, s:I, s:f, s:f, s:I}", "seconds",
        seconds, "rate", seconds > 0 ? (good - (double)result->late) / seconds : 0.0, "good",
        latency_json(result->good), "refused", latency_json(result->refused), "lag",
        latency_json(result->lag), "failed", (json_int_t)result->failed, "broken",
        (json_int_t)result->broken, "unanswered", (json_int_t)result->unanswered, "statements",
        good > 0 ? (double)result->statements / good : 0.0, "generator_cpu_us",
        good > 0 ? (double)result->cpu_us / good : 0.0, "open", (json_int_t)result->open);

    json_dumpf(json, stdout, JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(json);
}

int
main(int argc, char **argv)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    struct wish wish;
    struct load_http_result result;

    interrupt_catch();
    if (!read_wish(&ctx, argc, argv, &wish) || !read_requests(&ctx, &wish) ||
        !load_http_run(&ctx, &wish.load, &result)) {
        fprintf(stderr, "api-load: %s\n", ctx.error.message);
        if (ctx.error.kind == ERR_USAGE)
            fputs(usage, stderr);
        return error_exit_status(ctx.error.kind);
    }
    print(&result);
    return 0;
}
