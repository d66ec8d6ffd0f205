/*
 * A command is one const struct in one file under cmd/, and one line in COMMANDS in
 * cmd/commands.c. From the struct come parsing, environment, configuration file, --help, man page,
 * completion and the JSON description.
 */
#pragma once

#include <stdio.h>

#include "base/field.h"
#include "db/db.h"

struct run;

struct command {
    const char *path;     /* "index apply" */
    const char *summary;  /* one line, lower case, no full stop */
    const char *details;  /* sentences, wrapped by us; "\n\n" between paragraphs; or NULL */
    const char *operands; /* "FILE.sql ...", or NULL for none */
    size_t min_operands;
    size_t max_operands; /* SIZE_MAX: any number */
    enum access access;
    bool watches_many; /* --db-url may be given several times */
    const struct field *options;
    size_t option_count;
    size_t options_size;
    const char *examples; /* lines "pgmend …", or NULL */
    const char *next;     /* "pgmend status": what people usually want next; or NULL */
    int failure_status;   /* exit status of every failure (monitoring plug-ins: 3); 0: its kind's */
    const char *failure_option; /* with which alone it is so, "--single-shot"; NULL: always */
    bool (*run)(struct ctx *ctx, struct run *run);
};

/* Options that every command has. */
struct global_options {
    const char *db_url;
    struct text_list db_urls; /* all that were given as arguments, db_url is the last of them */
    const char *config;
    const char *state_dir;
    bool json;
    bool quiet;
    bool verbose;
    bool no_color;
    bool yes;
    bool no_input;
    bool help;
    bool version;
};

struct run {
    const struct command *command;
    const void *options; /* the command's own struct, filled */
    const struct global_options *global;
    struct text_list operands;
    struct db *db;      /* NULL for ACCESS_NONE */
    FILE *out;          /* results */
    int status;         /* exit status when run() returned true: 0, 3, … */
    int failure_status; /* of this run; 0: that of the error's kind */
};

/* All commands, in the order of help; NULL-terminated. */
extern const struct command *const commands[];

/* A line of the program's help: either the title of a group or a command of it. */
struct command_line {
    const char *title;
    const struct command *command;
};
extern const struct command_line command_lines[];
extern const size_t command_line_count;

extern const struct field global_fields[];
extern const size_t global_field_count;

/* Whether path starts with these words, which end at the end of a word; "" is always true. */
bool command_is_below(const char *path, const char *words);

/*
 * What the arguments (without the program's name) ask for. Global options may stand before the
 * command. When no command was named, words tells which group, "" for the program itself. An
 * unknown command is ERR_USAGE with a hint at those that look like it.
 */
struct invocation {
    const struct command *command;
    const char *words;
    int argc; /* what is left for command_parse() */
    char **argv;
    bool asks_help; /* of the group or program; for a command the parser tells */
    bool asks_version;
};
bool command_select(struct ctx *ctx, int argc, char **argv, struct invocation *ret) MUST_CHECK;

/*
 * Fills the global and the command's own options: default < configuration file < environment <
 * option. asked names a command. Everything wrong is ERR_USAGE or, in the file,
 * ERR_CONFIG with file:line. With --help or --version nothing else is looked at. ret_global->json
 * is right even when it fails, as far as the arguments tell.
 */
bool command_parse(struct ctx *ctx, const struct invocation *asked,
    struct global_options *ret_global, void *ret_options, struct text_list *ret_operands)
    MUST_CHECK;

/* Whether --json stands among arguments that could not be parsed. */
bool command_asks_json(int argc, char **argv);

/* failure_status of the command that is asked for, whether or not the arguments can be parsed. */
int command_failure_status(const struct invocation *asked);

/* Overwrites passwords inside argv, so that they leave the process list. */
void command_scrub(int argc, char **argv);

/*
 * The arguments as they were, in the arena; those that ps(1) shows are scrubbed, and from here on neither
 * this process nor its children leave a core file.
 */
char **command_take_arguments(struct arena *arena, int argc, char **argv);

/* --help of a command; of the program with NULL. */
void help_print(FILE *out, const struct command *command);

/* The commands below these words ("index"); false if there are none. */
bool help_print_group(FILE *out, const char *words);

/*
 * What is printed when no command runs: help of program, group or command, or the version. Help
 * that nobody asked for goes to standard error. Returns the exit status.
 */
int help_answer(const struct invocation *asked);

/* man page (roff), for one command or with NULL for pgmend(1). */
void man_print(FILE *out, const struct command *command);

/* All pages, as files "pgmend-index-apply.1" of a folder that exists. ERR_IO. */
bool man_write_all(struct ctx *ctx, const char *folder) MUST_CHECK;

/* A pgmend.ini with every setting as a comment, for people to change. */
void example_print(FILE *out);

/* Completion script for "bash", "zsh" or "fish"; false for another shell. */
bool completion_print(FILE *out, const char *shell);

/* The whole table as Markdown (docs/commands.md), and as JSON. */
void markdown_print(FILE *out);
void describe_print(FILE *out);
