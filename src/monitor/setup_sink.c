/* [sink NAME]: who can be told, and where the secrets for that come from. */

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/service.h"
#include "monitor/setup_parts.h"

static const char *const sink_kinds[] = { "webhook", "slack", "telegram", "mail", "program", NULL };

const struct field setup_sink_fields[SETUP_SINK_FIELDS] = {
    FIELD(struct setup_sink_words, kind, .choices = sink_kinds),
    FIELD(struct setup_sink_words, url),
    FIELD(struct setup_sink_words, url_file),
    FIELD(struct setup_sink_words, token_file),
    FIELD(struct setup_sink_words, token_env),
    FIELD(struct setup_sink_words, to),
    FIELD(struct setup_sink_words, from),
    FIELD(struct setup_sink_words, user),
    FIELD(struct setup_sink_words, program),
    FIELD(struct setup_sink_words, allow_private, .standard = "off"),
    FIELD(struct setup_sink_words, resolved, .standard = "on"),
    FIELD(struct setup_sink_words, group_wait, .unit = UNIT_US, .standard = "10s"),
    FIELD(struct setup_sink_words, repeat, .unit = UNIT_US, .standard = "4h"),
};

/* The one line of a file that only we may read. */
static bool
read_secret(const struct setup_taking *taking, const char *name, const char *path, const char **ret)
{
    struct ctx *ctx = taking->ctx;
    struct stat info;
    const char *text;
    size_t length;

    if (!file_read(ctx, path, &text, &length)) {
        const char *why = ctx->error.message;

        return setup_refuse_at(taking, name, why);
    }
    if (stat(path, &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) &&
        !service_is_credential(path)) {
        setup_refuse_at(taking, name,
            arena_printf(ctx->arena, "other users can read the secret in \"%s\"", path));
        return error_hint(ctx, "Run \"chmod 600 %s\".", path);
    }
    while (length > 0 && strchr(" \t\r\n", text[length - 1]))
        length--;
    if (length == 0 || memchr(text, '\n', length) || memchr(text, '\0', length)) {
        setup_refuse_at(
            taking, name, arena_printf(ctx->arena, "\"%s\" does not hold one line", path));
        return error_hint(ctx, "Put the secret alone into the file.");
    }
    *ret = arena_strndup(ctx->arena, text, length);
    return true;
}

static bool
take_secrets(
    const struct setup_taking *taking, const struct setup_sink_words *sink, struct setup_sink *row)
{
    struct ctx *ctx = taking->ctx;

    if (sink->token_file && sink->token_env) {
        setup_refuse_at(taking, "token_env", "\"token_file\" names the token already");
        return error_hint(ctx, "Leave out one of the two.");
    }
    if (sink->url_file && sink->url) {
        setup_refuse_at(taking, "url_file", "\"url\" stands here already");
        return error_hint(ctx, "Leave out one of the two.");
    }
    if (sink->token_env) {
        row->token = getenv(sink->token_env);
        if (text_is_empty(row->token)) {
            setup_refuse_at(taking, "token_env",
                arena_printf(ctx->arena, "the environment has no \"%s\"", sink->token_env));
            return error_hint(ctx, "Set it, or name a file by \"token_file\".");
        }
        row->token = arena_strdup(ctx->arena, row->token);
    }
    if (sink->token_file && !read_secret(taking, "token_file", sink->token_file, &row->token))
        return false;
    return !sink->url_file || read_secret(taking, "url_file", sink->url_file, &row->url);
}

/* What a kind cannot do without. */
static bool
check_sink(const struct setup_taking *taking, const struct setup_sink *row)
{
    switch (row->kind) {
    case SINK_WEBHOOK:
        return row->url || setup_refuse_missing(taking, "url", "https://alerts.example.org/hook");
    case SINK_SLACK:
        if (row->url)
            return true;
        setup_refuse_missing(taking, "url_file", "/etc/pgmend/slack-url");
        return error_hint(taking->ctx,
            "The file holds the address that Slack made for the channel, "
            "which is a secret; \"url\" is allowed too.");
    case SINK_TELEGRAM:
        if (!row->token)
            return setup_refuse_missing(taking, "token_file", "/etc/pgmend/telegram-token");
        return row->to || setup_refuse_missing(taking, "to", "-1001234567890");
    case SINK_MAIL:
        if (!row->url)
            return setup_refuse_missing(taking, "url", "smtps://mail.example.org:465");
        if (!row->from)
            return setup_refuse_missing(taking, "from", "pgmend@example.org");
        return row->to || setup_refuse_missing(taking, "to", "oncall@example.org");
    case SINK_PROGRAM:
        return row->program || setup_refuse_missing(taking, "program", "/usr/local/bin/wake-up");
    case SINK_KIND_COUNT:
        break;
    }
    return true;
}

static bool
check_url(const struct setup_taking *taking, const struct setup_sink *row)
{
    bool is_mail = row->kind == SINK_MAIL;
    const char *plain = is_mail ? "smtp://" : "http://", *safe = is_mail ? "smtps://" : "https://";

    if (!row->url || text_starts_with(row->url, plain) || text_starts_with(row->url, safe))
        return true;
    setup_refuse_at(taking, setup_line_of(taking, "url") ? "url" : "url_file",
        arena_printf(taking->ctx->arena, "the address does not begin with %s or %s", safe, plain));
    return error_hint(taking->ctx, "Write the whole address, such as %salerts.example.org%s.", safe,
        is_mail ? ":465" : "/hook");
}

static bool
check_program(const struct setup_taking *taking, const char *path)
{
    struct ctx *ctx = taking->ctx;
    struct stat info;

    if (!path)
        return true;
    if (*path != '/') {
        setup_refuse_at(taking, "program", "the program's path does not begin with \"/\"");
        return error_hint(ctx, "It is started without a shell: write the whole path.");
    }
    if (stat(path, &info) < 0)
        return setup_refuse_at(taking, "program",
            arena_printf(ctx->arena, "there is no program \"%s\": %s", path, strerror(errno)));
    if (S_ISREG(info.st_mode) && access(path, X_OK) == 0)
        return true;
    setup_refuse_at(taking, "program", arena_printf(ctx->arena, "\"%s\" cannot be executed", path));
    return S_ISREG(info.st_mode) ? error_hint(ctx, "Run \"chmod +x %s\".", path)
                                 : error_hint(ctx, "It is no file.");
}

bool
setup_take_sink(const struct setup_taking *taking, const void *raw)
{
    const struct setup_sink_words *sink = raw;
    struct setup_sink row = {
        .name = taking->section->name,
        .url = sink->url,
        .to = sink->to,
        .from = sink->from,
        .user = sink->user,
        .program = sink->program,
        .allow_private = sink->allow_private,
        .sends_resolved = sink->resolved,
        .group_wait_us = sink->group_wait,
        .repeat_us = sink->repeat,
    };

    if (!sink->kind)
        return setup_refuse_missing(taking, "kind", "webhook");
    while (!text_equal(sink_kinds[row.kind], sink->kind))
        row.kind++;
    if (!take_secrets(taking, sink, &row) || !check_sink(taking, &row) || !check_url(taking, &row))
        return false;
    if (!check_program(taking, row.program))
        return false;
    if (row.url && (row.kind == SINK_SLACK || setup_holds_password(row.url)))
        setup_mark_secret(taking, "url");
    VEC_PUSH(taking->ctx->arena, &taking->setup->sinks, row);
    return true;
}
