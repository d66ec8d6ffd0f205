#include <math.h>

#include "cli/command.h"
#include "cli/out.h"
#include "cmd/parts/load_files.h"
#include "load/report/page.h"

struct options {
    int64_t users;
    double rate;
    const char *busy;
    const char *html;
};

/* clang-format off */
static const struct field options[] = {
    FIELD(struct options, users, .momentary = true, .arg = "N", .standard = "0",
        .help = "users for whom the machine shall be large enough (0: those of the largest run)"),
    FIELD(struct options, rate, .momentary = true, .arg = "N", .standard = "0",
        .help = "requests a second instead (0: what that many users ask for)"),
    FIELD(struct options, busy, .momentary = true, .arg = "PERCENT", .standard = "50%",
        .help = "how busy its processors may be"),
    FIELD(struct options, html, .momentary = true, .arg = "FILE",
        .help = "write a page with the fitted curve and the largest run"),
};
/* clang-format on */

struct line {
    int64_t users;
    const char *rate;
    const char *law;
    const char *off;
    const char *latency;
    const char *little;
    const char *cpu;
};

static const struct field columns[] = {
    FIELD(struct line, users),
    FIELD(struct line, rate, .help = "requests/s"),
    FIELD(struct line, law, .help = "by the law"),
    FIELD(struct line, off),
    FIELD(struct line, latency, .help = "mean latency"),
    FIELD(struct line, little, .help = "users by Little"),
    FIELD(struct line, cpu, .help = "CPU a request"),
};

/* "50%" or "0.5". */
static bool
read_share(struct ctx *ctx, const char *text, double *ret)
{
    size_t length = strlen(text);
    bool is_percent = length > 0 && text[length - 1] == '%';
    const char *number = arena_strndup(ctx->arena, text, length - (is_percent ? 1 : 0));

    if (!text_to_double(number, ret))
        return error_set(
            ctx, ERR_USAGE, "--busy \"%s\": a percentage is expected, as in 50%%", text);
    if (is_percent)
        *ret /= 100;
    if (!(*ret > 0) || *ret > 1)
        return error_set(ctx, ERR_USAGE,
            "--busy \"%s\": more than 0 %% and at most 100 %% of the processors are expected",
            text);
    return true;
}

static const char *
show_number(struct arena *arena, double number)
{
    return isfinite(number) ? text_from_ratio(arena, number) : "-";
}

static const char *
show_time(struct arena *arena, double us)
{
    return isfinite(us) ? text_from_us(arena, llround(us)) : "-";
}

static void
print_points(struct ctx *ctx, FILE *out, const struct load_model *model)
{
    struct line *lines = ARENA_ARRAY(ctx->arena, struct line, model->count);

    for (size_t i = 0; i < model->count; i++) {
        const struct load_model_point *point = &model->points[i];

        lines[i] = (struct line){
            .users = llround(point->users),
            .rate = show_number(ctx->arena, point->rate),
            .law = show_number(ctx->arena, point->predicted_rate),
            .off = arena_printf(
                ctx->arena, "%+.1f %%", 100 * (point->predicted_rate / point->rate - 1)),
            .latency = show_time(ctx->arena, point->latency_us),
            .little = show_number(ctx->arena, round(point->little_users)),
            .cpu = show_time(ctx->arena, point->cpu_us),
        };
    }
    out_table(out, columns, COUNT_OF(columns), lines, model->count, sizeof(lines[0]));
}

static void
print_law(struct ctx *ctx, FILE *out, const struct load_model *model)
{
    fprintf(out,
        "\nrate(N) = %.4g N / (1 + %.3g (N - 1) + %.3g N (N - 1)), off by %.1f %% on average\n",
        model->gain, model->contention, model->coherency, 100 * model->error_share);
    if (model->peak_users > 0)
        fprintf(out, "Peak: %s requests a second with %s users; more users get less.\n",
            text_from_ratio(ctx->arena, model->peak_rate),
            text_from_count(ctx->arena, llround(model->peak_users)));
    else
        fputs("Peak: these runs do not show one.\n", out);
    fprintf(out, "Highest rate measured: %s a second.\n",
        text_from_ratio(ctx->arena, model->ceiling_rate));
    if (model->caution)
        out_mark_line(out, MARK_WARN, "%s", model->caution);
}

static void
print_wish(struct ctx *ctx, FILE *out, const struct load_model *model)
{
    double known = 0;

    if (isfinite(model->cpus_api))
        known += model->cpus_api;
    if (isfinite(model->cpus_postgresql))
        known += model->cpus_postgresql;
    fputc('\n', out);
    if (model->wanted_users > 0)
        fprintf(out, "%s users, ", text_from_count(ctx->arena, llround(model->wanted_users)));
    fprintf(out, "%s requests a second, processors at most %.0f %% busy:\n",
        text_from_ratio(ctx->arena, model->wanted_rate), 100 * model->wanted_share);
    if (known <= 0) {
        fputs("  the runs do not tell the CPU of a request: run them with --db-url, or beside the "
              "API on one machine\n",
            out);
        return;
    }
    fprintf(out, "  PostgreSQL  %s processors\n", show_number(ctx->arena, model->cpus_postgresql));
    fprintf(out, "  API         %s processors\n", show_number(ctx->arena, model->cpus_api));
    fprintf(out, "  together    %s processors; the generator beside them %s\n",
        text_from_ratio(ctx->arena, known), show_number(ctx->arena, model->cpus_generator));
}

static bool
write_page(struct ctx *ctx, const char *path, const struct load_records *records,
    const struct load_model *model)
{
    const struct load_record *largest = &records->items[0];

    for (size_t i = 1; i < records->count; i++)
        if (records->items[i].users > largest->users)
            largest = &records->items[i];
    return load_page_write(ctx, path, &(struct load_page){ .run = largest, .model = model });
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct load_model_wish wish = { .users = (double)opts->users, .rate = opts->rate };
    struct load_records records;
    struct load_model model;

    if (opts->users < 0 || !(opts->rate >= 0) || !isfinite(opts->rate))
        return error_set(ctx, ERR_USAGE, "--users and --rate are not below 0");
    if (!read_share(ctx, opts->busy, &wish.cpu_share) ||
        !load_files_read_all(ctx, &run->operands, &records) ||
        !load_model_fit(ctx, &records, &wish, &model))
        return false;
    if (opts->html && !write_page(ctx, opts->html, &records, &model))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = load_model_json(&model);

        out_json(run->out, json);
        return true;
    }
    print_points(ctx, run->out, &model);
    print_law(ctx, run->out, &model);
    print_wish(ctx, run->out, &model);
    if (opts->html)
        out_next(run->out, "look at %s", opts->html);
    else
        out_next(run->out, "pgmend load model %s --html model.html",
            text_shell_words(ctx->arena, &run->operands));
    return true;
}

const struct command cmd_load_model = {
    .path = "load model",
    .summary = "predict from load runs how many users a machine can serve",
    .details =
        "Fits the universal scalability law to results of \"load run --output\" at three or more "
        "different numbers of users, by least squares of the relative error: gain (requests a second "
        "of one user), contention (what waits for the only one of something) and coherency (what "
        "has to be agreed upon). Where more users get less, it tells the peak; where the rate still "
        "grows as the users do, it says that nothing is known of it.\n\n"
        "Beside each run stands Little's law: rate times (latency + think time) is the number of "
        "users, or the run was not in balance.\n\n"
        "Which machine would do: rate times CPU of a request, of PostgreSQL and of the API as the "
        "run with the highest rate had it, divided by how busy the processors may be. That is "
        "CPU only: it knows nothing of memory, disks and locks, and takes processors to be like those "
        "that were measured.",
    .operands = "FILE FILE FILE...",
    .min_operands = 1,
    .max_operands = SIZE_MAX,
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend load model 1k.json 2k.json 5k.json 10k.json\n"
                "pgmend load model 1k.json 2k.json 5k.json --users 50000 --busy 60%",
    .run = run,
};
