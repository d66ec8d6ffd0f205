#include "cli/report.h"

#include "cli/out.h"

/* A command that cannot write left everything as it was, whatever went wrong. */
static const char *
state_of(const struct error *error, const struct run *run)
{
    if (error->state)
        return error->state;
    if (run && run->db && run->command->access != ACCESS_WRITE)
        return "Nothing was changed.";
    return NULL;
}

static int
exit_status_of(const struct error *error, const struct run *run)
{
    if (!run || run->failure_status == 0 || error->kind == ERR_INTERRUPTED ||
        error->kind == ERR_TERMINATED)
        return error_exit_status(error->kind);
    return run->failure_status;
}

static json_t *
text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static void
print_json(const struct error *error, const char *state, int status)
{
    json_t *document CLEANUP(json_release) = json_object();
    json_t *object = json_object();

    json_object_set_new(object, "kind", json_string(error_kind_name(error->kind)));
    json_object_set_new(object, "message", text_or_null(error->message));
    json_object_set_new(object, "detail", text_or_null(error->detail));
    json_object_set_new(object, "hint", text_or_null(error->hint));
    json_object_set_new(object, "state", text_or_null(state));
    json_object_set_new(object, "sqlstate", text_or_null(error->sqlstate));
    json_object_set_new(object, "exit_status", json_integer(status));
    json_object_set_new(document, "error", object);
    out_json(stdout, document);
}

static void
print_text(const struct error *error, const struct command *command, const char *state)
{
    size_t length = error->detail ? strlen(error->detail) : 0;

    /* What was printed so far belongs above the error when both go to one place. */
    fflush(stdout);
    fprintf(stderr, "pgmend%s%s: %s\n", command ? " " : "", command ? command->path : "",
        error->message ? error->message : "failed");
    if (length > 0)
        fprintf(stderr, "%s%s", error->detail, error->detail[length - 1] == '\n' ? "" : "\n");
    if (error->hint)
        fprintf(stderr, "hint: %s\n", error->hint);
    if (state)
        fprintf(stderr, "%s\n", state);
}

int
report_error(
    const struct ctx *ctx, const struct command *command, const struct run *run, bool is_json)
{
    const char *state = state_of(&ctx->error, run);
    int status = exit_status_of(&ctx->error, run);

    if (is_json)
        print_json(&ctx->error, state, status);
    else
        print_text(&ctx->error, command, state);
    return status;
}
