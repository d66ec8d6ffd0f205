#include "base/fault.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

void
fault_point(const char *name)
{
    static long passed;
    const char *wanted = getenv("PGMEND_FAULT");
    size_t length = strlen(name);

    if (!wanted || strncmp(wanted, name, length) != 0 || wanted[length] != ':')
        return;
    passed++;
    if (passed == strtol(wanted + length + 1, NULL, 10))
        raise(SIGKILL);
}
