/* The questions: of a file or a log, and rows of the tenants where those do not suffice. */
#include "base/map.h"
#include "vector/stage/stage_parts.h"

/* On the live table only what takes about a second. */
static const int64_t MOST_LIVE_DISTANCES = INT64_C(1000000000);

void
stage_question_add(struct arena *arena, struct asking *asking, size_t tenant, const char *values,
    const char *source)
{
    const struct vector_tenant *found = &asking->sizes->tenants.items[tenant];

    if (asking->counts[found->bucket] >= asking->options->queries)
        return;
    asking->counts[found->bucket]++;
    VEC_PUSH(arena, asking->queries,
        (struct vector_query){
            .tenant = found->value,
            .bucket = found->bucket,
            .values = values,
            .source = source,
        });
}

/* By name: the tenants of the sample, and of the live table all. */
static struct map
places_of(struct arena *arena, const struct asking *asking, size_t *numbers)
{
    const struct vector_sizes *sizes = asking->sizes;
    size_t count = asking->may_hold_out ? asking->sample->count : sizes->tenants.count;
    struct map places = { .arena = arena };

    for (size_t i = 0; i < count; i++) {
        numbers[i] = asking->may_hold_out ? asking->sample->tenants[i] : i;
        if (sizes->tenants.items[numbers[i]].value)
            map_set(&places, sizes->tenants.items[numbers[i]].value, &numbers[i]);
    }
    return places;
}

/* Those whose tenant is there; the others are counted. */
static void
add_given(struct arena *arena, struct asking *asking, const struct stage_given *given)
{
    size_t *numbers = ARENA_ARRAY(arena, size_t, asking->sizes->tenants.count);
    struct map places = places_of(arena, asking, numbers);
    size_t absent = 0;

    for (size_t i = 0; i < given->count; i++) {
        const struct stage_question *question = &given->items[i];
        const size_t *place = question->tenant ? map_get(&places, question->tenant) : NULL;

        if (!asking->target->tenant)
            place = &numbers[0];
        if (place)
            stage_question_add(arena, asking, *place, question->values, question->source);
        else
            absent++;
    }
    if (absent > 0)
        text_list_add(arena, asking->notes,
            arena_printf(
                arena, "%zu questions were left out: their tenants are not in the sample", absent));
}

bool
stage_questions_make(
    struct ctx *ctx, struct db *live, struct asking *asking, const struct stage_given *given)
{
    struct stage_given all = { 0 };

    asking->counts = ARENA_ARRAY(ctx->arena, int32_t, asking->sizes->buckets.count);
    for (size_t i = 0; i < given->count; i++)
        VEC_PUSH(ctx->arena, &all, given->items[i]);
    /* Who brings a file wants its questions, not what else there is. */
    if (!asking->options->query_file && !stage_log_read(ctx, live, asking, &all))
        return false;
    if (!stage_owners_find(ctx, asking, &all))
        return false;
    add_given(ctx->arena, asking, &all);
    return stage_rows_ask(ctx, asking);
}

/* Of each bucket as many tenants as there are questions, by chance. */
static void
choose_live(struct arena *arena, const struct vector_sizes *sizes, int32_t queries,
    struct stage_random *random, struct stage_sample *ret)
{
    size_t *order = ARENA_ARRAY(arena, size_t, sizes->tenants.count);
    int32_t *counts = ARENA_ARRAY(arena, int32_t, sizes->buckets.count);

    *ret = (struct stage_sample){ .tenants = ARENA_ARRAY(arena, size_t, sizes->tenants.count) };
    for (size_t i = 0; i < sizes->tenants.count; i++)
        order[i] = i;
    stage_shuffle(random, order, sizes->tenants.count);
    for (size_t i = 0; i < sizes->tenants.count; i++) {
        const struct vector_tenant *tenant = &sizes->tenants.items[order[i]];

        if (counts[tenant->bucket]++ < queries)
            ret->tenants[ret->count++] = order[i];
    }
    ret->rows = sizes->rows;
}

bool
vector_queries_sample(struct ctx *ctx, struct db *db, const struct vector_target *target,
    const struct vector_sizes *sizes, const struct vector_stage_options *options,
    struct vector_queries *ret)
{
    struct stage_random random = stage_random_new(options->seed);
    struct stage_sample sample;
    struct stage_given given;
    struct text_list notes = { 0 };
    struct asking asking = {
        .db = db,
        .target = target,
        .sizes = sizes,
        .options = options,
        .sample = &sample,
        .random = &random,
        .most_distances = MOST_LIVE_DISTANCES,
        .notes = &notes,
        .queries = ret,
    };

    *ret = (struct vector_queries){ 0 };
    choose_live(ctx->arena, sizes, options->queries, &random, &sample);
    return stage_file_read(ctx, &asking, &given) && stage_questions_make(ctx, db, &asking, &given);
}
