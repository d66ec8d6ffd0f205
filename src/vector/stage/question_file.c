/* Questions of a file: a vector a line, perhaps a tenant and a tab before it. */
#include <errno.h>

#include "base/map.h"
#include "vector/stage/stage_parts.h"

/* As many lines by chance as it may hold; source: algorithm R of Waterman, in Knuth 1981. */
struct reservoir {
    struct stage_question *items;
    size_t count;
    size_t most;
    size_t seen;
};

struct reading {
    const struct asking *asking;
    const char *path;
    size_t line;
    struct map tenants; /* name to struct vector_tenant */
    struct reservoir *by_bucket;
    struct reservoir without_tenant;
    double *numbers;
    size_t zeros;
    size_t strangers; /* lines of tenants that have no rows */
};

static void
put(struct arena *arena, struct reservoir *reservoir, struct stage_random *random,
    const struct stage_question *question)
{
    size_t at = reservoir->count;

    reservoir->seen++;
    if (reservoir->count < reservoir->most)
        reservoir->count++;
    else
        at = stage_random_below(random, reservoir->seen);
    if (at >= reservoir->most)
        return;
    reservoir->items[at] = (struct stage_question){
        .tenant = question->tenant ? arena_strdup(arena, question->tenant) : NULL,
        .values = arena_strdup(arena, question->values),
        .source = "file",
    };
}

static struct reservoir *
reservoir_of(struct reading *reading, const char *tenant)
{
    const struct vector_tenant *found;

    if (!tenant)
        return &reading->without_tenant;
    found = map_get(&reading->tenants, tenant);
    return found ? &reading->by_bucket[found->bucket] : NULL;
}

/* One line without its end; may be changed. */
static bool
read_line(struct ctx *ctx, struct reading *reading, char *line, size_t length)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const struct vector_target *target = reading->asking->target;
    struct vector_reading values = { .dims = target->dims,
        .is_half = text_equal(target->type, "halfvec") };
    struct stage_question question = { .values = line };
    char *tab = strchr(line, '\t');

    if (strlen(line) != length)
        return error_set(
            ctx, ERR_INPUT, "%s:%zu: the line holds a NUL", reading->path, reading->line);
    if (line[strspn(line, " \t")] == '\0')
        return true;
    if (tab && !memchr(line, '[', (size_t)(tab - line))) {
        *tab = '\0';
        question = (struct stage_question){ .tenant = line, .values = tab + 1 };
    }
    if (question.tenant && !target->tenant)
        return error_set(ctx, ERR_INPUT, "%s:%zu: a tenant is named, and the table has none",
            reading->path, reading->line);
    if (!stage_values_read(arena, question.values, &values, reading->numbers))
        return error_set(ctx, ERR_INPUT, "%s:%zu: not a vector to ask with: %s", reading->path,
            reading->line, values.why);
    if (values.is_zero && target->metric == METRIC_COSINE) {
        reading->zeros++;
        return true;
    }

    struct reservoir *reservoir = reservoir_of(reading, question.tenant);

    if (reservoir)
        put(ctx->arena, reservoir, reading->asking->random, &question);
    else
        reading->strangers++;
    return true;
}

static void
close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static void
free_line(char **line)
{
    free(*line);
}

static bool
read_lines(struct ctx *ctx, struct reading *reading)
{
    FILE *file CLEANUP(close_file) = fopen(reading->path, "re");
    char *line CLEANUP(free_line) = NULL;
    size_t size = 0;
    ssize_t length;

    if (!file)
        return error_set_errno(ctx, "could not open \"%s\"", reading->path);
    while ((length = getline(&line, &size, file)) >= 0) {
        reading->line++;
        while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
            line[--length] = '\0';
        if (!read_line(ctx, reading, line, (size_t)length))
            return error_hint(ctx, "A line is a vector, [0.1,0.2,…], or a tenant, a tab and a "
                                   "vector.");
    }
    if (ferror(file))
        return error_set_errno(ctx, "could not read \"%s\"", reading->path);
    return true;
}

static void
make_reservoirs(struct arena *arena, struct reading *reading)
{
    const struct vector_sizes *sizes = reading->asking->sizes;
    size_t each =
        reading->asking->options->queries > 0 ? (size_t)reading->asking->options->queries : 0;

    reading->by_bucket = ARENA_ARRAY(arena, struct reservoir, sizes->buckets.count);
    for (size_t i = 0; i < sizes->buckets.count; i++)
        reading->by_bucket[i] = (struct reservoir){
            .items = ARENA_ARRAY(arena, struct stage_question, each),
            .most = each,
        };
    reading->without_tenant = (struct reservoir){
        .items = ARENA_ARRAY(arena, struct stage_question, each * sizes->buckets.count),
        .most = each * sizes->buckets.count,
    };
    for (size_t i = 0; i < sizes->tenants.count; i++)
        if (sizes->tenants.items[i].value)
            map_set(&reading->tenants, sizes->tenants.items[i].value, &sizes->tenants.items[i]);
}

static void
take_all(struct arena *arena, const struct reservoir *reservoir, struct stage_given *ret)
{
    for (size_t i = 0; i < reservoir->count; i++)
        VEC_PUSH(arena, ret, reservoir->items[i]);
}

static void
note_left_out(struct arena *arena, const struct reading *reading)
{
    if (reading->zeros > 0)
        text_list_add(arena, reading->asking->notes,
            arena_printf(arena,
                "%zu questions of the file have length zero, and so no cosine: left out",
                reading->zeros));
    if (reading->strangers > 0)
        text_list_add(arena, reading->asking->notes,
            arena_printf(arena, "%zu questions of the file are of tenants without rows: left out",
                reading->strangers));
}

bool
stage_file_read(struct ctx *ctx, const struct asking *asking, struct stage_given *ret)
{
    struct reading reading = {
        .asking = asking,
        .path = asking->options->query_file,
        .tenants = { .arena = ctx->arena },
        .numbers = ARENA_ARRAY(ctx->arena, double, (size_t)asking->target->dims),
    };

    *ret = (struct stage_given){ 0 };
    if (!reading.path)
        return true;
    make_reservoirs(ctx->arena, &reading);
    if (!read_lines(ctx, &reading))
        return false;
    for (size_t i = 0; i < asking->sizes->buckets.count; i++)
        take_all(ctx->arena, &reading.by_bucket[i], ret);
    take_all(ctx->arena, &reading.without_tenant, ret);
    note_left_out(ctx->arena, &reading);
    if (ret->count == 0)
        return error_set(ctx, ERR_INPUT,
            "no line of %s is a question that can be asked (%zu lines)", reading.path,
            reading.line);
    return true;
}
