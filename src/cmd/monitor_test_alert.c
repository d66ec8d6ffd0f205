#include "base/interrupt.h"
#include "cli/command.h"
#include "cli/out.h"
#include "monitor/notify/notify.h"

struct options {
    const char *sink;
    const char *setup;
};

static const struct field options[] = {
    FIELD(struct options, sink, .arg = "NAME", .help = "only this sink"),
    FIELD(struct options, setup, .required = true, .arg = "FILE",
        .help = "the monitor's setup, with its sinks"),
};

static const struct field columns[] = {
    FIELD(struct sink_state, name, .help = "sink"),
    FIELD(struct sink_state, kind),
    FIELD(struct sink_state, last_answer, .help = "answer"),
};

static bool
check_sinks(struct ctx *ctx, const struct setup *setup, const struct options *opts)
{
    struct text_list names = { 0 };

    if (setup->sinks.count == 0) {
        error_set(ctx, ERR_CONFIG, "%s names no sinks", opts->setup);
        return error_hint(ctx, "Add a section [sink NAME], with kind = webhook, slack, telegram, "
                               "mail or program.");
    }
    if (!opts->sink || setup_has_sink(setup, opts->sink))
        return true;
    for (size_t i = 0; i < setup->sinks.count; i++)
        text_list_add(ctx->arena, &names, setup->sinks.items[i].name);
    error_set(ctx, ERR_NOT_FOUND, "%s has no sink \"%s\"", opts->setup, opts->sink);
    return error_hint(ctx, "There are %s.", text_list_join(ctx->arena, &names, ", "));
}

static void
stop_loop(void *data)
{
    loop_stop(data);
}

/* Sends to the sinks and waits for their answers. */
static bool
send_test(struct ctx *ctx, const struct setup *setup, const char *sink, struct sink_state **ret,
    size_t *ret_count)
{
    struct loop *loop CLEANUP(loop_cleanup) = NULL;
    const struct notifier_options wanted = { .setup = setup };
    struct notifier *notifier;

    if (!loop_new(ctx, &loop) || !notifier_new(ctx, loop, &wanted, &notifier))
        return false;
    notifier_test(notifier, sink, stop_loop, loop);
    loop_run(loop);
    *ret_count = notifier_sinks(notifier, ctx->arena, ret);
    notifier_free(notifier);
    return true;
}

static void
print_states(struct run *run, const struct sink_state *states, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out_mark_line(run->out, states[i].sent > 0 ? MARK_OK : MARK_FAIL, "%s (%s): %s",
            states[i].name, states[i].kind,
            states[i].last_answer ? states[i].last_answer : "no answer yet, interrupted");
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    struct setup setup = { 0 };
    struct sink_state *states;
    size_t count;
    size_t asked = 0;
    size_t good = 0;

    if (!setup_read(ctx, opts->setup, &setup) || !check_sinks(ctx, &setup, opts) ||
        !send_test(ctx, &setup, opts->sink, &states, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (opts->sink && !text_equal(opts->sink, states[i].name))
            continue;
        states[asked++] = states[i];
        good += states[i].sent > 0;
    }
    run->status = good == asked ? 0 : 1;
    if (interrupt_signal()) {
        if (!run->global->json)
            print_states(run, states, asked);
        return interrupt_error(ctx, interrupt_signal());
    }
    if (run->global->json) {
        json_t *json CLEANUP(json_release) = json_pack("{s:o, s:b}", "sinks",
            out_json_rows(columns, COUNT_OF(columns), states, asked, sizeof(states[0])), "is_good",
            good == asked);

        for (size_t i = 0; i < asked; i++)
            json_object_set_new(json_array_get(json_object_get(json, "sinks"), i), "is_good",
                json_boolean(states[i].sent > 0));
        out_json(run->out, json);
        return true;
    }
    print_states(run, states, asked);
    out_next(run->out, "pgmend monitor --setup %s", text_shell(ctx->arena, opts->setup));
    return true;
}

const struct command cmd_monitor_test_alert = {
    .path = "monitor test-alert",
    .summary = "send a test alert to the sinks of a setup and say what they answered",
    .details = "Sends one message that says it is a test to every [sink NAME] of the setup, or to "
               "the one named, once and at once: no grouping, no routes, no second try. The exit "
               "status is 0 when all of them took it, else 1.\n\n"
               "Sinks at private addresses (10.0.0.0/8, 192.168.0.0/16, loopback, link-local) are "
               "refused unless the sink says allow_private = on. Redirects are not followed.",
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend monitor test-alert --setup monitor.ini\n"
                "pgmend monitor test-alert --setup monitor.ini --sink oncall",
    .next = "pgmend monitor",
    .run = run,
};
