#include "catalog/inventory.h"

#include "base/json.h"
#include "sql.h"

bool
inventory_take(struct ctx *ctx, struct db *db, const char **ret_json)
{
    struct sql_catalog_inventory_rows rows;
    json_t *json CLEANUP(json_release) = json_object();

    if (!sql_catalog_inventory(ctx, db, &rows))
        return error_wrap(ctx, "taking stock of the catalogue");
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_catalog_inventory *row = &rows.items[i];

        json_object_set_new(json, row->class,
            json_pack("{s:I, s:s}", "count", (json_int_t)row->count, "digest", row->digest));
    }
    *ret_json = json_text(ctx->arena, json);
    return true;
}

static void
add_differences(struct ctx *ctx, json_t *before, json_t *after, struct text_list *list)
{
    const char *class;
    json_t *value;

    json_object_foreach(before, class, value)
    {
        json_t *other = json_object_get(after, class);
        int64_t was = json_get_int(value, "count", 0);
        int64_t is = json_get_int(other, "count", 0);

        if (json_equal(value, other))
            continue;
        text_list_add(ctx->arena, list,
            was == is ? arena_strdup(ctx->arena, class)
                      : arena_printf(
                            ctx->arena, "%s (%lld → %lld)", class, (long long)was, (long long)is));
    }
    json_object_foreach(after, class, value) if (!json_object_get(before, class))
        text_list_add(ctx->arena, list,
            arena_printf(
                ctx->arena, "%s (0 → %lld)", class, (long long)json_get_int(value, "count", 0)));
}

bool
inventory_compare(
    struct ctx *ctx, const char *before, const char *after, const char **ret_differences)
{
    json_t *was CLEANUP(json_release) = NULL;
    json_t *is CLEANUP(json_release) = NULL;
    struct text_list list = { 0 };

    if (!json_parse(ctx, "inventory", before, &was) || !json_parse(ctx, "inventory", after, &is))
        return false;
    add_differences(ctx, was, is, &list);
    *ret_differences = list.count > 0 ? text_list_join(ctx->arena, &list, ", ") : NULL;
    return true;
}
