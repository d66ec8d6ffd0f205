#include "load/pgbench_log.h"

#include <inttypes.h>

#include "base/vec.h"

/* Threads write files of their own, so seconds do not come in order; the newest are looked at first. */
static struct load_second *
second_at(struct arena *arena, struct load_result *result, int64_t at)
{
    size_t place = result->second_count;

    while (place > 0 && result->seconds[place - 1].at > at)
        place--;
    if (place > 0 && result->seconds[place - 1].at == at)
        return &result->seconds[place - 1];
    if (result->second_count == result->second_capacity)
        result->seconds =
            vec_grow(arena, result->seconds, &result->second_capacity, sizeof(result->seconds[0]));
    memmove(&result->seconds[place + 1], &result->seconds[place],
        (result->second_count - place) * sizeof(result->seconds[0]));
    result->second_count++;
    result->seconds[place] = (struct load_second){ .at = at };
    return &result->seconds[place];
}

/* Takes the next number and what stands before the next blank; false if it is no number. */
static bool
take_number(const char **at, int64_t *ret)
{
    char *end;

    *ret = strtoll(*at, &end, 10);
    if (end == *at || !strchr(" \n", *end))
        return false;
    *at = end;
    return true;
}

/* "client number time script epoch us", then more when there is a rate; time may be a word. */
bool
pgbench_log_add(struct arena *arena, const char *line, struct load_result *result)
{
    const char *at = line;
    int64_t client;
    int64_t number;
    int64_t script;
    int64_t second_number;
    int64_t us = 0;

    if (!take_number(&at, &client) || !take_number(&at, &number))
        return false;

    bool is_failed = !take_number(&at, &us);

    if (is_failed) {
        /* "failed", or "deadlock" and the like. */
        at += strspn(at, " ");
        at += strspn(at, "abcdefghijklmnopqrstuvwxyz");
    }
    if (!take_number(&at, &script) || !take_number(&at, &second_number) || script < 0 ||
        (size_t)script >= result->script_count)
        return false;
    if (is_failed) {
        result->scripts[script].failed++;
        return true;
    }
    histogram_record(result->scripts[script].latency, us);

    struct load_second *second = second_at(arena, result, second_number);

    second->calls++;
    second->sum_us += us;
    if (us > second->max_us)
        second->max_us = us;
    return true;
}

static void
close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

bool
pgbench_log_read(struct ctx *ctx, const char *path, struct load_result *result)
{
    FILE *file CLEANUP(close_file) = fopen(path, "re");
    char line[256];
    int64_t number = 0;

    if (!file)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    while (fgets(line, sizeof(line), file)) {
        number++;
        if (!pgbench_log_add(ctx->arena, line, result))
            return error_set(ctx, ERR_INPUT,
                "line %" PRId64 " of pgbench's log is not understood: %s", number, line);
    }
    if (ferror(file))
        return error_set_errno(ctx, "could not read \"%s\"", path);
    return true;
}
