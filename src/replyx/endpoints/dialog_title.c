#include "replyx/endpoints/dialog_title.h"

#include "base/text.h"

const char *
dialog_title(struct arena *arena, const struct dialog_name *name)
{
    bool has_first = !text_is_empty(name->first_name);
    bool has_last = !text_is_empty(name->last_name);

    if (has_first && has_last)
        return arena_printf(arena, "Диалог с %s %s", name->first_name, name->last_name);
    if (has_first || has_last)
        return arena_printf(arena, "Диалог с %s", has_first ? name->first_name : name->last_name);
    if (!text_is_empty(name->telegram_username))
        return arena_printf(arena, "Диалог с @%s", name->telegram_username);
    return arena_printf(arena, "Диалог %d", (int)name->id);
}
