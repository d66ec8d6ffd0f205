#include "load/result/model.h"

#include <math.h>

#include "load/result/law.h"

/* What is farther off than this does not follow the law. */
#define MOST_ERROR 0.10
/* A rate that has lost less than this of its growth has not reached what limits it. */
#define LEAST_BEND  0.10
#define USUAL_SHARE 0.5

enum { LEAST_POINTS = 3 };
/* Users of a wish beyond those of the largest run, from where on it is warned of. */
enum { MOST_BEYOND = 4 };

static double
fact_of(const struct load_record *record, const char *name)
{
    for (size_t i = 0; i < record->fact_count; i++)
        if (text_equal(record->facts[i].name, name))
            return record->facts[i].value;
    return NAN;
}

/* CPU of the generator for an answer, whatever it says. */
static double
generator_us(const struct load_record *record)
{
    int64_t answers = load_record_count(record, LOAD_GOOD) +
                      load_record_count(record, LOAD_REFUSED) +
                      load_record_count(record, LOAD_FAILED);

    return answers > 0 ? (double)record->cpu_us / (double)answers : NAN;
}

static double
known(double number)
{
    return isfinite(number) ? number : 0;
}

/* A closed loop without think time; of several groups some may think. */
static bool
asks_at_once(const struct load_record *record)
{
    return record->is_closed && record->think_us <= 0 &&
           (record->think_us == 0 || record->group_count <= 1);
}

/* How long a user takes from one request to the next: a thought, and the answer where it waits for it. */
static double
cycle_us(const struct load_record *record, double latency_us)
{
    if (asks_at_once(record))
        return latency_us;
    if (record->think_us < 0)
        return NAN;
    if (record->is_closed)
        return (double)record->think_us + latency_us;
    return fmax((double)record->think_us, latency_us);
}

static bool
take_point(struct ctx *ctx, const struct load_record *record, struct load_model_point *ret)
{
    const struct histogram *latency = load_record_latency(ctx->arena, record);
    double pg_us = fact_of(record, "pg_cpu_us");
    double api_us = fact_of(record, "api_cpu_us");

    if (record->users <= 0 || record->elapsed_us <= 0 || latency->count == 0) {
        error_set(ctx, ERR_INPUT, "a run of %s has no good answers: nothing can be fitted to it",
            record->name);
        return error_hint(ctx, "Leave its file out.");
    }
    *ret = (struct load_model_point){
        .users = (double)record->users,
        .rate = load_record_rate(record),
        .latency_us = histogram_mean_us(latency),
        .cpu_us = isfinite(pg_us) || isfinite(api_us)
                      ? known(pg_us) + known(api_us) + known(generator_us(record))
                      : NAN,
    };
    ret->little_users = ret->rate * cycle_us(record, ret->latency_us) / 1e6;
    return true;
}

static int
compare_points(const void *a, const void *b)
{
    const struct load_model_point *left = a;
    const struct load_model_point *right = b;

    if (left->users != right->users)
        return (left->users > right->users) - (left->users < right->users);
    return (left->rate > right->rate) - (left->rate < right->rate);
}

static bool
take_points(struct ctx *ctx, const struct load_records *records, struct load_model *model)
{
    size_t distinct = 0;

    model->points = ARENA_ARRAY(ctx->arena, struct load_model_point, records->count + 1);
    for (size_t i = 0; i < records->count; i++)
        if (!take_point(ctx, &records->items[i], &model->points[model->count++]))
            return false;
    qsort(model->points, model->count, sizeof(model->points[0]), compare_points);
    for (size_t i = 0; i < model->count; i++) {
        if (i == 0 || model->points[i].users != model->points[i - 1].users)
            distinct++;
        if (model->points[i].rate > model->ceiling_rate)
            model->ceiling_rate = model->points[i].rate;
    }
    if (distinct >= LEAST_POINTS)
        return true;
    error_set(ctx, ERR_INPUT,
        "runs at %zu different numbers of users are too few: the law has three unknowns", distinct);
    return error_hint(ctx,
        "Run the same scenario at three numbers of users or more: pgmend load run SCENARIO --scale "
        "0.1 --output 1k.json");
}

static void
fit(struct arena *arena, struct load_model *model)
{
    double *users = ARENA_ARRAY(arena, double, model->count);
    double *rates = ARENA_ARRAY(arena, double, model->count);
    struct load_law law;

    for (size_t i = 0; i < model->count; i++) {
        users[i] = model->points[i].users;
        rates[i] = model->points[i].rate;
    }
    load_law_fit(users, rates, model->count, &law);
    model->gain = law.gain;
    model->contention = law.contention;
    model->coherency = law.coherency;
    model->error_share = law.error;
    for (size_t i = 0; i < model->count; i++)
        model->points[i].predicted_rate = load_law_rate(&law, users[i]);
    if (law.coherency > 0 && law.contention < 1) {
        model->peak_users = sqrt((1 - law.contention) / law.coherency);
        model->peak_rate = load_law_rate(&law, model->peak_users);
    }
}

static void
say(struct buffer *caution, const char *text)
{
    buffer_printf(caution, "%s%s", caution->length > 0 ? "; " : "", text);
}

/* Whether the runs were of one scenario on the way to one target. */
static bool
are_alike(const struct load_records *records)
{
    for (size_t i = 1; i < records->count; i++)
        if (!text_equal(records->items[i].name, records->items[0].name))
            return false;
    return true;
}

/* Whether the wish lies where no run has been. */
static void
say_of_wish(
    struct buffer *caution, const struct load_model_wish *wish, const struct load_model *model)
{
    double largest = model->points[model->count - 1].users;

    if (wish->users > MOST_BEYOND * largest)
        say(caution,
            arena_printf(caution->arena,
                "%.0f users are more than %d times those of the largest run (%.0f): what is "
                "said of them is a guess",
                wish->users, MOST_BEYOND, largest));
    if (model->peak_users > 0 && wish->users > model->peak_users)
        say(caution, arena_printf(caution->arena,
                         "%.0f users are beyond the peak at %.0f, where more users get less",
                         wish->users, model->peak_users));
}

static void
set_caution(struct ctx *ctx, const struct load_records *records, const struct load_model_wish *wish,
    struct load_model *model)
{
    struct buffer caution = { .arena = ctx->arena };
    const struct load_model_point *last = &model->points[model->count - 1];
    bool is_late = false;
    bool is_cut = false;

    for (size_t i = 0; i < records->count; i++) {
        is_late = is_late || load_record_is_bottleneck(&records->items[i]);
        is_cut = is_cut || !records->items[i].is_complete;
    }
    if (model->error_share > MOST_ERROR)
        say(&caution,
            arena_printf(ctx->arena, "the law does not fit: it is off by %.0f %% on average",
                100 * model->error_share));
    if (last->predicted_rate > (1 - LEAST_BEND) * model->gain * last->users) {
        say(&caution,
            "the rate still grows as the users do: these runs do not show where that ends");
        model->peak_users = 0;
        model->peak_rate = 0;
    } else if (model->peak_users > 2 * last->users) {
        say(&caution, "the peak lies far beyond the largest run: it is a guess");
    }
    if (is_late)
        say(&caution, "the generator was the bottleneck in a run: that run shows its own limit");
    if (is_cut)
        say(&caution, "a run did not come to its end");
    if (!are_alike(records))
        say(&caution, "the runs are not of one scenario");
    say_of_wish(&caution, wish, model);
    model->caution = caution.length > 0 ? buffer_text(&caution) : NULL;
}

/* The run with the most users, and the one with the fewest. */
static const struct load_record *
extreme(const struct load_records *records, bool is_most)
{
    const struct load_record *found = &records->items[0];

    for (size_t i = 1; i < records->count; i++)
        if (is_most ? records->items[i].users > found->users
                    : records->items[i].users < found->users)
            found = &records->items[i];
    return found;
}

/* The run that asked the most of the machine, of those that know the fact: its demand is nearest. */
static double
demand_of(const struct load_records *records, const char *fact)
{
    double most = -1;
    double found = NAN;

    for (size_t i = 0; i < records->count; i++) {
        const struct load_record *record = &records->items[i];
        double value = fact ? fact_of(record, fact) : generator_us(record);
        double rate = record->elapsed_us > 0 ? (double)load_record_count(record, LOAD_GOOD) /
                                                   (double)record->elapsed_us
                                             : 0;

        if (isfinite(value) && rate > most) {
            most = rate;
            found = value;
        }
    }
    return found;
}

/* What the wished users ask for. */
static double
rate_of_users(struct ctx *ctx, const struct load_records *records, const struct load_model *model)
{
    const struct load_record *least = extreme(records, false);
    const struct load_law law = {
        .gain = model->gain, .contention = model->contention, .coherency = model->coherency
    };
    double cycle = cycle_us(least, histogram_mean_us(load_record_latency(ctx->arena, least)));

    /* Who asks as soon as there is an answer asks for as much as is answered: no more than the law has. */
    if (least->is_closed && least->think_us <= 0)
        return load_law_rate(&law, model->wanted_users);
    /* Users that are not kept waiting ask as those of the smallest run did. */
    if (isfinite(cycle) && cycle > 0)
        return model->wanted_users * 1e6 / cycle;
    return model->wanted_users * model->gain;
}

/* The service demand law: busy processors = rate x CPU of a request. */
static void
predict(struct ctx *ctx, const struct load_records *records, const struct load_model_wish *wish,
    struct load_model *model)
{
    double rate;

    model->wanted_share = wish->cpu_share > 0 ? wish->cpu_share : USUAL_SHARE;
    model->wanted_users = wish->users;
    if (!(wish->users > 0) && !(wish->rate > 0))
        model->wanted_users = (double)extreme(records, true)->users;
    model->wanted_rate = wish->rate > 0 ? wish->rate : rate_of_users(ctx, records, model);
    rate = model->wanted_rate / 1e6 / model->wanted_share;
    model->cpus_api = rate * demand_of(records, "api_cpu_us");
    model->cpus_postgresql = rate * demand_of(records, "pg_cpu_us");
    model->cpus_generator = rate * demand_of(records, NULL);
}

bool
load_model_fit(struct ctx *ctx, const struct load_records *records,
    const struct load_model_wish *wish, struct load_model *ret)
{
    *ret = (struct load_model){ 0 };
    if (!take_points(ctx, records, ret))
        return false;
    fit(ctx->arena, ret);
    set_caution(ctx, records, wish, ret);
    predict(ctx, records, wish, ret);
    return true;
}

static void
set_number(json_t *object, const char *key, double number)
{
    json_object_set_new(object, key, json_number(number));
}

static json_t *
point_json(const struct load_model_point *point)
{
    json_t *object = json_object();

    set_number(object, "users", point->users);
    set_number(object, "rate", point->rate);
    set_number(object, "predicted_rate", point->predicted_rate);
    set_number(object, "latency_us", point->latency_us);
    set_number(object, "cpu_us", point->cpu_us);
    set_number(object, "little_users", point->little_users);
    return object;
}

json_t *
load_model_json(const struct load_model *model)
{
    json_t *object = json_object();
    json_t *points = json_array();

    for (size_t i = 0; i < model->count; i++)
        json_array_append_new(points, point_json(&model->points[i]));
    json_object_set_new(object, "kind", json_string("load model"));
    json_object_set_new(object, "points", points);
    set_number(object, "gain", model->gain);
    set_number(object, "contention", model->contention);
    set_number(object, "coherency", model->coherency);
    set_number(object, "peak_users", model->peak_users > 0 ? model->peak_users : NAN);
    set_number(object, "peak_rate", model->peak_users > 0 ? model->peak_rate : NAN);
    set_number(object, "error_share", model->error_share);
    set_number(object, "ceiling_rate", model->ceiling_rate);
    json_object_set_new(
        object, "caution", model->caution ? json_string(model->caution) : json_null());
    set_number(object, "wanted_users", model->wanted_users > 0 ? model->wanted_users : NAN);
    set_number(object, "wanted_rate", model->wanted_rate);
    set_number(object, "wanted_share", model->wanted_share);
    set_number(object, "cpus_api", model->cpus_api);
    set_number(object, "cpus_postgresql", model->cpus_postgresql);
    set_number(object, "cpus_generator", model->cpus_generator);
    return object;
}
