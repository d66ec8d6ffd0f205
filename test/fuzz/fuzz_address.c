/*
 * Any bytes as what names a place: a database's URL, an address to load, an address to listen on, a URL
 * to be shown. No crash, errors of their kind, and no password of a URL is shown.
 */
#include <assert.h>
#include <string.h>

#include "db/target.h"
#include "http/address.h"
#include "http/client.h"
#include "load/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_database(struct ctx *ctx, const char *text)
{
    struct db_target target;

    if (!db_target_read(ctx, text, &target))
        assert(ctx->error.kind == ERR_USAGE && ctx->error.message);
    else
        assert(target.host && target.port);
    error_clear(ctx);
}

static void
read_load(struct ctx *ctx, const char *text)
{
    static const char *const allowed_items[] = { "10.0.0.0/8", "2001:db8::/32" };
    struct text_list allowed = { 0 };
    struct load_target target;

    for (size_t i = 0; i < COUNT_OF(allowed_items); i++)
        text_list_add(ctx->arena, &allowed, allowed_items[i]);
    if (load_target_read(ctx, text, &allowed, &target)) {
        assert(target.text[0] && target.length > 0);
    } else {
        assert(ctx->error.kind == ERR_USAGE && ctx->error.message);
    }
    error_clear(ctx);
    /* The networks come from a command line, too. */
    allowed = (struct text_list){ 0 };
    text_list_add(ctx->arena, &allowed, text);
    (void)!load_target_check_host(ctx, "192.0.2.7", &allowed);
    error_clear(ctx);
    (void)load_target_is_local(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct ctx ctx = { .arena = arena };
    const char *text = arena_strndup(arena, (const char *)data, size);
    struct sockaddr_storage address;

    read_database(&ctx, text);
    read_load(&ctx, text);
    if (http_address_parse(&ctx, text, &address))
        assert(http_address_text(arena, (struct sockaddr *)&address)[0]);
    /* Unless the path says the same. */
    assert(strstr(text, "s3cr") ||
           !strstr(http_url_shown(arena, arena_printf(arena, "https://u:s3cr%%74@h/%s", text)),
               "s3cr"));
    (void)http_url_shown(arena, text);
    return 0;
}
