#include "base/log.h"

#include <stdarg.h>

static enum log_level current = LOG_NORMAL;

void
log_set_level(enum log_level level)
{
    current = level;
}

enum log_level
log_level(void)
{
    return current;
}

static void write_line(const char *start, const char *format, va_list args) PRINTF_LIKE(2, 0);

static void
write_line(const char *start, const char *format, va_list args)
{
    fflush(stdout);
    fputs(start, stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void
log_info(const char *format, ...)
{
    va_list args;

    if (current < LOG_NORMAL)
        return;
    va_start(args, format);
    write_line("", format, args);
    va_end(args);
}

void
log_debug(const char *format, ...)
{
    va_list args;

    if (current < LOG_VERBOSE)
        return;
    va_start(args, format);
    write_line("debug: ", format, args);
    va_end(args);
}

void
log_warn(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line("warning: ", format, args);
    va_end(args);
}
