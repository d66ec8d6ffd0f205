/* Settings that are well-formed, and still nothing that could work. */
#include "replyx/api.h"
#include "replyx/endpoint.h"
#include "replyx/jwt.h"
#include "replyx/secret_file.h"

static bool
is_variant(const struct settings *settings)
{
    for (size_t i = 0; i < endpoint_count; i++) {
        for (size_t j = 0; j < endpoints[i]->variant_count; j++) {
            const struct variant *variant = &endpoints[i]->variants[j];

            if (text_equal(variant->name, settings->variant) &&
                (!variant->is_hidden || settings->hidden_variants))
                return true;
        }
    }
    return false;
}

static bool
check_secrets(struct ctx *ctx, const struct settings *settings)
{
    struct jwt_secret secret;
    const char *text;

    return (!settings->jwt_secret_file ||
               jwt_read_secret(ctx, settings->jwt_secret_file, &secret)) &&
           (!settings->embedding_key_file || secret_file_read(ctx, settings->embedding_key_file,
                                                 "key of the embedding service", 1, &text)) &&
           (!settings->webhook_secret_file || secret_file_read(ctx, settings->webhook_secret_file,
                                                  "secret of webhooks", 1, &text));
}

bool
api_check(struct ctx *ctx, const struct settings *settings)
{
    if (settings->variant && !is_variant(settings)) {
        error_set(ctx, ERR_USAGE, "no endpoint has a variant \"%s\"", settings->variant);
        return error_hint(ctx, "There are naive, optimised and rollup.");
    }
    for (size_t i = 0; i < settings->db_url.count; i++) {
        if (!db_check_url(ctx, settings->db_url.items[i]))
            return false;
    }
    return (settings->db_url.count > 0 || db_check_url(ctx, NULL)) && check_secrets(ctx, settings);
}
