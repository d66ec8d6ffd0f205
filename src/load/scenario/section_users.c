/* [users NAME]: users of one kind. */
#include <inttypes.h>
#include <math.h>

#include "load/scenario/reading.h"

struct users {
    struct load_group group;
    const struct ini_setting *mix;
    const struct ini_setting *steps;
    const struct ini_setting *think;
    const struct ini_setting *rate;
    const struct ini_setting *burst;
    const struct ini_setting *count;
    bool has_loop;
};

static double
scale_of(const struct reading *reading)
{
    return reading->options->scale > 0 ? reading->options->scale : 1;
}

static bool
take_count(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct users *users = object;
    int64_t count;

    if (!reading_count(reading, setting, value, LOAD_MOST_USERS, &count))
        return false;

    double scaled = round((double)count * scale_of(reading));

    if (scaled > LOAD_MOST_USERS)
        return reading_refuse(reading, setting->line,
            "that are %.0f users with --scale, and the most are %d", scaled, LOAD_MOST_USERS);
    users->count = setting;
    users->group.users = scaled < 1 ? 1 : (int32_t)scaled;
    return true;
}

static bool
refuse_think(struct reading *reading, const struct ini_setting *setting)
{
    reading_refuse(reading, setting->line, "think = %s cannot be read", setting->value);
    return error_hint(reading->ctx,
        "Write a time (10s), a range (5s..15s), or a mean (10s exponential), of at most 4h.");
}

static bool
take_think(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct arena *arena = reading->ctx->arena;
    struct users *users = object;
    struct load_group *group = &users->group;
    const char *points = strstr(value, "..");
    size_t length = strcspn(value, " \t");
    const char *rest = value + length + strspn(value + length, " \t");

    users->think = setting;
    if (points) {
        struct text_list first =
            reading_split(arena, arena_strndup(arena, value, (size_t)(points - value)), '\n');
        struct text_list last = reading_split(arena, points + 2, '\n');

        group->think = THINK_UNIFORM;
        if (!text_to_us(first.items[0], &group->think_us) ||
            !text_to_us(last.items[0], &group->think_most_us))
            return refuse_think(reading, setting);
        if (group->think_us > group->think_most_us)
            return reading_refuse(
                reading, setting->line, "think = %s: the second time is the shorter one", value);
    } else {
        if (!text_to_us(arena_strndup(arena, value, length), &group->think_us) ||
            (*rest && !text_equal(rest, "exponential")))
            return refuse_think(reading, setting);
        group->think = *rest ? THINK_EXPONENTIAL : THINK_FIXED;
        group->think_most_us = group->think_us;
    }
    if (group->think_us < 0 || group->think_most_us > LOAD_LONGEST_US)
        return refuse_think(reading, setting);
    if (group->think_most_us == 0)
        group->think = THINK_NONE;
    return true;
}

static bool
find_step(struct reading *reading, const struct ini_setting *setting, const char *name, size_t *ret)
{
    struct text_list all = { 0 };
    const char *nearest;

    for (size_t i = 0; i < reading->steps.count; i++) {
        *ret = i;
        if (text_equal(reading->steps.items[i].name, name))
            return true;
        text_list_add(reading->ctx->arena, &all, reading->steps.items[i].name);
    }
    reading_refuse(reading, setting->line, "%s: there is no [request %s]", setting->name, name);
    nearest = reading_nearest(name, all.items, all.count);
    return nearest ? error_hint(reading->ctx, "Did you mean \"%s\"?", nearest)
                   : error_hint(reading->ctx, "Requests are: %s.",
                         text_list_join(reading->ctx->arena, &all, ", "));
}

/* "sign_in, stats" to the numbers of steps. */
static bool
take_list(struct reading *reading, const struct ini_setting *setting, const char *value,
    const size_t **ret, size_t *ret_count)
{
    struct text_list names = reading_split(reading->ctx->arena, value, ',');
    size_t *steps = ARENA_ARRAY(reading->ctx->arena, size_t, names.count);

    for (size_t i = 0; i < names.count; i++)
        if (!find_step(reading, setting, names.items[i], &steps[i]))
            return false;
    *ret = steps;
    *ret_count = names.count;
    return true;
}

static bool
take_start(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct load_group *group = &((struct users *)object)->group;

    return take_list(reading, setting, value, &group->start, &group->start_count);
}

static bool
take_steps(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct users *users = object;

    users->steps = setting;
    return take_list(reading, setting, value, &users->group.mix, &users->group.mix_count);
}

/* "stats 3, dialogs 2, messages": a weight is 1 unless it is said. */
static bool
take_mix(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct arena *arena = reading->ctx->arena;
    struct users *users = object;
    struct text_list parts = reading_split(arena, value, ',');
    size_t *steps = ARENA_ARRAY(arena, size_t, parts.count);
    double *until = ARENA_ARRAY(arena, double, parts.count);
    double sum = 0;

    users->mix = setting;
    for (size_t i = 0; i < parts.count; i++) {
        size_t length = strcspn(parts.items[i], " \t");
        const char *weight = parts.items[i] + length + strspn(parts.items[i] + length, " \t");
        double number = 1;

        if (*weight && (!text_to_double(weight, &number) || !(number > 0) || number > 1e9)) {
            reading_refuse(
                reading, setting->line, "mix: \"%s\" has no weight above 0", parts.items[i]);
            return error_hint(
                reading->ctx, "Write \"mix = stats 3, dialogs 2\", or leave the request out.");
        }
        if (!find_step(reading, setting, arena_strndup(arena, parts.items[i], length), &steps[i]))
            return false;
        for (size_t j = 0; j < i; j++)
            if (steps[j] == steps[i])
                return reading_refuse(reading, setting->line, "mix: \"%s\" is there twice",
                    reading->steps.items[steps[i]].name);
        sum += number;
        until[i] = sum;
    }
    for (size_t i = 0; i < parts.count; i++)
        until[i] /= sum;
    until[parts.count - 1] = 1;
    users->group.mix = steps;
    users->group.mix_until = until;
    users->group.mix_count = parts.count;
    return true;
}

static bool
take_session(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct users *users = object;

    return reading_time(reading, setting, value, &users->group.session_us);
}

static bool
take_loop(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct users *users = object;

    users->has_loop = true;
    users->group.is_closed = text_equal(value, "closed");
    if (users->group.is_closed || text_equal(value, "open"))
        return true;
    reading_refuse(reading, setting->line, "loop = %s is neither open nor closed", value);
    return error_hint(reading->ctx,
        "open: requests are due by the schedule, whatever the server does; closed: each after the "
        "answer before it.");
}

static bool
take_rate(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct users *users = object;
    struct text_list parts = reading_split(reading->ctx->arena, value, '/');
    double unit = 1;

    users->rate = setting;
    if (parts.count == 2)
        unit = text_equal(parts.items[1], "s") ? 1 : text_equal(parts.items[1], "min") ? 60 : 0;
    if (parts.count > 2 || unit <= 0 || !text_to_double(parts.items[0], &users->group.rate) ||
        !(users->group.rate > 0)) {
        reading_refuse(reading, setting->line, "rate = %s is no rate above 0", value);
        return error_hint(reading->ctx, "Write 200/s, or 30/min.");
    }
    users->group.rate *= scale_of(reading) / unit;
    if (users->group.rate <= LOAD_MOST_RATE)
        return true;
    return reading_refuse(reading, setting->line,
        "that are %.0f requests a second, and the most are %d", users->group.rate, LOAD_MOST_RATE);
}

static bool
take_burst(
    struct reading *reading, const struct ini_setting *setting, const char *value, void *object)
{
    struct users *users = object;

    users->burst = setting;
    if (text_to_double(value, &users->group.burst) && users->group.burst >= 1 &&
        users->group.burst <= 10000)
        return true;
    reading_refuse(reading, setting->line, "burst = %s is no number from 1 to 10000", value);
    return error_hint(reading->ctx, "So many requests come at once, on average.");
}

static const struct reading_key keys[] = {
    { .name = "count", .take = take_count },
    { .name = "think", .take = take_think },
    { .name = "start", .take = take_start },
    { .name = "mix", .take = take_mix, .is_long = true },
    { .name = "steps", .take = take_steps, .is_long = true },
    { .name = "session", .take = take_session },
    { .name = "loop", .take = take_loop },
    { .name = "rate", .take = take_rate },
    { .name = "burst", .take = take_burst },
};

static bool
check_pace(struct reading *reading, const struct users *users, const struct ini_section *section)
{
    const struct load_group *group = &users->group;

    if (users->rate && users->think)
        return reading_refuse(reading, users->think->line,
            "[users %s] has both a rate and think times", section->name);
    if (users->rate && group->is_closed) {
        reading_refuse(
            reading, users->rate->line, "[users %s] has a rate in a closed loop", section->name);
        return error_hint(
            reading->ctx, "A rate is kept whatever the server does: remove \"loop\".");
    }
    if (users->burst && !users->rate)
        return reading_refuse(
            reading, users->burst->line, "[users %s] has bursts without a rate", section->name);
    if (!users->rate && group->think == THINK_NONE && !group->is_closed) {
        reading_refuse(reading, users->think ? users->think->line : section->line,
            "[users %s] has neither think times nor a rate", section->name);
        return error_hint(reading->ctx,
            "Write \"think = 10s exponential\" or \"rate = 200/s\"; \"loop = closed\" for users that ask "
            "again as soon as they have an answer.");
    }
    return true;
}

static bool
check_name(struct reading *reading, const struct ini_section *section)
{
    if (!load_name_check(reading->ctx, section->name, reading_where(reading, section->line)))
        return false;
    for (size_t i = 0; i < reading->groups.count; i++)
        if (text_equal(reading->groups.items[i].name, section->name))
            return reading_refuse(
                reading, section->line, "there is a section [users %s] already", section->name);
    for (size_t i = 0; i < reading->steps.count; i++)
        if (text_equal(reading->steps.items[i].name, section->name)) {
            reading_refuse(
                reading, section->line, "[users %s] has the name of a request", section->name);
            return error_hint(reading->ctx, "Goals name both: give one of the two another name.");
        }
    return true;
}

bool
reading_users(struct reading *reading, const struct ini_section *section)
{
    struct users users = { .group = { .name = section->name, .burst = 1 } };

    if (!check_name(reading, section) ||
        !reading_take(reading, section, keys, COUNT_OF(keys), &users))
        return false;
    if (!users.count) {
        reading_refuse(reading, section->line, "[users %s] does not say how many", section->name);
        return error_hint(reading->ctx, "Write for example \"count = 100\".");
    }
    if (users.mix && users.steps)
        return reading_refuse(reading, users.steps->line,
            "[users %s] has both a mix and steps in order", section->name);
    if (!users.mix && !users.steps) {
        reading_refuse(
            reading, section->line, "[users %s] does not say what they ask for", section->name);
        return error_hint(reading->ctx,
            "Write \"mix = stats 3, dialogs 2\" (one drawn each time) or \"steps = a, b\" (in order).");
    }
    if (!check_pace(reading, &users, section))
        return false;
    VEC_PUSH(reading->ctx->arena, &reading->groups, users.group);
    return true;
}
