/* One option as the user writes it, found in the two tables that a command has. */
#pragma once

#include "cli/command.h"

struct option {
    const struct field *field;
    bool is_global;
    bool is_negated; /* --no-backup for the boolean backup */
};

/* Fields of the command and the global ones, one index over both: the command's own come first. */
size_t option_count(const struct command *command);
struct option option_at(const struct command *command, size_t index);

/*
 * Finds "min-size" or "min_size", and "no-" before a boolean (for one named no_color: "color").
 * command may be NULL: only global options.
 */
bool option_find(const struct command *command, const char *name, struct option *ret);
bool option_find_letter(const struct command *command, char letter, struct option *ret);

/* "min_size" → "min-size", in the arena. */
const char *option_spell(struct arena *arena, const struct field *field);

/* "PGMEND_MIN_SIZE", in the arena. */
const char *option_environment(struct arena *arena, const struct field *field);

/* Whether it may stand in the environment and in the configuration file. */
bool option_is_persistent(const struct field *field, bool is_global);

/* Whether the command has an option of its own that may. */
bool option_any_persistent(const struct command *command);

/* What stands for its value in help: .arg, else a word for the type; NULL for a boolean. */
const char *option_arg(const struct field *field);

/* Reads text into the member of the object (global or the command's); errors name the spelling. */
bool option_parse(struct ctx *ctx, const struct option *option, const char *spelling,
    const char *text, void *object) MUST_CHECK;
