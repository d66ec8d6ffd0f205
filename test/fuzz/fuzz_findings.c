/*
 * Any bytes as findings of "queries nplusone", and as a baseline of "queries check": no crash, and findings
 * that were read, written and read again are as many. The first byte says which of them the rest is.
 */
#include <assert.h>
#include <string.h>

#include "given.h"
#include "queries/check/check.h"
#include "queries/finding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_findings(struct ctx *ctx, const uint8_t *data, size_t size)
{
    json_t *json CLEANUP(json_release) = NULL;
    json_t *written CLEANUP(json_release) = NULL;
    struct query_findings findings, again;
    bool is_read;

    if (!json_parse(ctx, "fuzz.json", arena_strndup(ctx->arena, (const char *)data, size), &json))
        return;
    if (!query_findings_read(ctx, "fuzz.json", json, &findings)) {
        assert(ctx->error.kind == ERR_INPUT && strstr(ctx->error.message, "fuzz.json"));
        return;
    }
    for (size_t i = 0; i < findings.count; i++)
        assert(query_finding_id(ctx->arena, &findings.items[i])[0]);
    written = query_findings_json(&findings);
    is_read = query_findings_read(ctx, "again.json", written, &again);
    assert(is_read && again.count == findings.count);
}

static void
read_baseline(struct ctx *ctx, const uint8_t *data, size_t size)
{
    struct given given CLEANUP(given_close) = given_file(ctx->arena, data, size);
    struct check_routes routes = { 0 };
    struct check_results results = { 0 };

    if (!check_baseline_read(ctx, given.path, &routes)) {
        assert(ctx->error.message && *ctx->error.message);
        return;
    }
    check_compare(ctx->arena, &routes, &routes, 0, &results);
    assert(results.failed == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };

    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        read_findings(&ctx, data + 1, size - 1);
    else
        read_baseline(&ctx, data + 1, size - 1);
    return 0;
}
