#include "base/error.h"

#include <errno.h>

#include "base/ctx.h"

#undef error_set
#undef error_wrap
#undef error_hint
#undef error_state
#undef error_set_errno

struct kind {
    int exit_status;
    int http_status;
    const char *name;
};

#define KIND_ROW(kind, status, http, text) \
    [kind] = { .exit_status = (status), .http_status = (http), .name = (text) },
static const struct kind kinds[] = { ERROR_KINDS(KIND_ROW) };
#undef KIND_ROW

_Static_assert(COUNT_OF(kinds) == ERROR_KIND_COUNT, "a row for each kind");

bool
error_set(struct ctx *ctx, enum error_kind kind, const char *format, ...)
{
    va_list args;

    va_start(args, format);

    const char *message = arena_vprintf(ctx->arena, format, args);

    va_end(args);
    ctx->error = (struct error){ .kind = kind, .message = message };
    return false;
}

bool
error_wrap(struct ctx *ctx, const char *format, ...)
{
    va_list args;

    va_start(args, format);

    const char *context = arena_vprintf(ctx->arena, format, args);

    va_end(args);
    ctx->error.message = arena_printf(
        ctx->arena, "%s: %s", context, ctx->error.message ? ctx->error.message : "failed");
    return false;
}

bool
error_hint(struct ctx *ctx, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ctx->error.hint = arena_vprintf(ctx->arena, format, args);
    va_end(args);
    return false;
}

bool
error_state(struct ctx *ctx, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    ctx->error.state = arena_vprintf(ctx->arena, format, args);
    va_end(args);
    return false;
}

void
error_clear(struct ctx *ctx)
{
    ctx->error = (struct error){ .kind = ERR_NONE };
}

bool
error_set_errno(struct ctx *ctx, const char *format, ...)
{
    int number = errno;
    va_list args;

    va_start(args, format);

    const char *message = arena_vprintf(ctx->arena, format, args);

    va_end(args);
    return error_set(ctx, ERR_IO, "%s: %s", message, strerror(number));
}

int
error_exit_status(enum error_kind kind)
{
    return kinds[kind].exit_status;
}

int
error_http_status(enum error_kind kind)
{
    return kinds[kind].http_status;
}

const char *
error_kind_name(enum error_kind kind)
{
    return kinds[kind].name;
}
