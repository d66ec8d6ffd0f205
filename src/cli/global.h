/* The options that every command has, and the folders they are looked up in. */
#pragma once

#include "cli/command.h"

/* The folder that an XDG variable names, else the one below the home folder; NULL if neither. */
const char *global_xdg_folder(struct arena *arena, const char *variable, const char *below_home);

/* Where journal and plans are when nothing else is said; NULL without a home folder. */
const char *global_state_dir(struct arena *arena);
