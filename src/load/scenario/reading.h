/* A scenario file while it is read: a file for each kind of section. */
#pragma once

#include "base/file.h"
#include "base/ini.h"
#include "load/scenario/world_part.h"

/* What is known of a step beside what runs. */
struct step_notes {
    int32_t line;
    const size_t *used; /* slots that have to be filled before it */
    size_t used_count;
};

struct reading {
    struct ctx *ctx;
    const struct load_scenario_options *options;
    struct ini_file file;
    const char *folder; /* names of files are relative to it */
    struct load_scenario *scenario;
    struct load_world *world;
    /* Holds nothing but constants: plain settings may name them, too. */
    struct load_world *constants;
    struct load_scope *plain_scope;
    VEC(struct load_step) steps;
    VEC(struct step_notes) notes;
    VEC(struct load_group) groups;
    VEC(struct load_goal) goals;
};

/*
 * What is wrong in a scenario, its scripts and its files is wrong before anything is sent, as it is with
 * options: ERR_CONFIG. What a database says stays what it is. Returns false.
 */
bool reading_failed(struct ctx *ctx);

/* A setting of a section and who understands it. */
struct reading_key {
    const char *name;
    bool (*take)(struct reading *reading, const struct ini_setting *setting, const char *value,
        void *object);
    bool is_many; /* may stand several times */
    bool is_long; /* may go on over several lines */
    bool is_raw;  /* has expressions of its own; else ${name} stands for a constant */
};

/* Takes all settings of a section into the object. */
bool reading_take(struct reading *reading, const struct ini_section *section,
    const struct reading_key *keys, size_t count, void *object) MUST_CHECK;

bool reading_refuse(struct reading *reading, int32_t line, const char *format, ...)
    PRINTF_LIKE(3, 4);
const char *reading_where(const struct reading *reading, int32_t line);
/* Constants in place of ${name}. */
bool reading_expand(struct reading *reading, const struct ini_setting *setting, const char **ret)
    MUST_CHECK;
/* The name of a file as it can be opened: relative ones are below the scenario's folder. */
const char *reading_path(const struct reading *reading, const char *name);
/* The setting of this name, or NULL. */
const struct ini_setting *reading_find(const struct ini_section *section, const char *name);

/* Words by which settings say things. */
bool reading_time(struct reading *reading, const struct ini_setting *setting, const char *value,
    int64_t *ret) MUST_CHECK;
bool reading_count(struct reading *reading, const struct ini_setting *setting, const char *value,
    int64_t most, int64_t *ret) MUST_CHECK;
/* The parts of a text between these separators, without white space around them. */
struct text_list reading_split(struct arena *arena, const char *text, char separator);
/* The one of the names that is most like it, or NULL. */
const char *reading_nearest(const char *name, const char *const *names, size_t count);

/* A pass over the sections of one kind each, in this order. */
bool reading_defaults(struct reading *reading, const struct ini_section *section) MUST_CHECK;
bool reading_secrets(struct reading *reading, const struct ini_section *section) MUST_CHECK;
bool reading_scenario(struct reading *reading, const struct ini_section *section) MUST_CHECK;
bool reading_values(struct reading *reading, const struct ini_section *section) MUST_CHECK;
bool reading_slots(struct reading *reading, const struct ini_section *section) MUST_CHECK;
bool reading_request(struct reading *reading, const struct ini_section *section) MUST_CHECK;
bool reading_users(struct reading *reading, const struct ini_section *section) MUST_CHECK;
bool reading_goals(struct reading *reading, const struct ini_section *section) MUST_CHECK;
/*
 * What -D says has to be named by an expression of the one world or the other (it may be NULL), or it is
 * misspelt: ERR_USAGE.
 */
bool reading_check_defines(struct ctx *ctx, const struct load_scenario_options *given,
    const struct load_world *world, const struct load_world *constants, const char *path)
    MUST_CHECK;
/* What sections have to be to each other; and each expression is tried once. */
bool reading_check(struct reading *reading) MUST_CHECK;

enum { VALUES_MOST_ROWS = 1000000, VALUES_MOST_BYTES = 256 * 1024 * 1024 };
bool values_of_query(struct reading *reading, const struct ini_setting *setting,
    struct load_table *table) MUST_CHECK;
bool values_of_file(struct reading *reading, const struct ini_setting *setting, const char *name,
    struct load_table *table) MUST_CHECK;
/* Puts rows of the same value of the column together, and notes where they are. */
void values_part(struct load_table *table, struct arena *arena, size_t column);
