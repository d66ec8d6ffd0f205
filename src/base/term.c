#include "base/term.h"

#include <sys/ioctl.h>
#include <unistd.h>

static bool color_is_off;

bool
term_is_terminal(FILE *file)
{
    return isatty(fileno(file)) == 1;
}

int
term_width(FILE *file)
{
    struct winsize size;

    if (ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

bool
term_has_color(FILE *file)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if (color_is_off || (no_color && *no_color) || (term && strcmp(term, "dumb") == 0))
        return false;
    return term_is_terminal(file);
}

void
term_disable_color(void)
{
    color_is_off = true;
}
