/* What a dialog is called in lists. */
#pragma once

#include "base/arena.h"

struct dialog_name {
    int32_t id;
    const char *first_name; /* NULL or empty: none, of all three */
    const char *last_name;
    const char *telegram_username;
};

/* "Диалог с First Last", "Диалог с @username" for one without a name, else "Диалог 17". */
const char *dialog_title(struct arena *arena, const struct dialog_name *name);
