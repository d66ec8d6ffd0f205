/*
 * A small table of commands in the place of the program's own, so that tests of the command line
 * do not depend on what the real commands are. Included by one file of a test program.
 */
#pragma once

#include "cli/command.h"

struct apply_options {
    int64_t min_size;
    int64_t wait;
    int32_t jobs;
    double ratio;
    bool backup;
    bool dry_run;
    const char *format;
    const char *name;
    struct text_list tables;
    const char *token;
};

static const char *const apply_formats[] = { "text", "json", "sarif", NULL };

static const struct field apply_fields[] = {
    FIELD(struct apply_options, min_size, .unit = UNIT_BYTES, .standard = "1MB",
        .help = "leave out smaller indexes"),
    FIELD(struct apply_options, wait, .unit = UNIT_US, .help = "wait so long for a lock"),
    FIELD(struct apply_options, jobs, .letter = 'j', .arg = "N", .standard = "1",
        .help = "build so many at once"),
    FIELD(struct apply_options, ratio, .help = "share of the table"),
    FIELD(struct apply_options, backup, .standard = "true", .help = "take a backup first"),
    FIELD(struct apply_options, dry_run, .letter = 'n', .help = "show what would be done"),
    FIELD(struct apply_options, format, .choices = apply_formats, .standard = "text",
        .help = "how to print"),
    FIELD(struct apply_options, name, .letter = 'N', .help = "of the plan"),
    FIELD(struct apply_options, tables, .letter = 't', .arg = "TABLE", .help = "only this table"),
    FIELD(struct apply_options, token, .secret = true, .help = "of the chat"),
};

struct create_options {
    const char *output;
    int32_t jobs;
};

static const struct field create_fields[] = {
    FIELD(struct create_options, output, .letter = 'o', .arg = "DIR", .required = true,
        .help = "folder of the backup"),
    FIELD(struct create_options, jobs, .letter = 'j', .standard = "2", .help = "so many at once"),
};

static inline bool
run_nothing(struct ctx *ctx, struct run *run)
{
    (void)ctx;
    run->status = 0;
    return true;
}

static const struct command sample_apply = {
    .path = "index apply",
    .summary = "build indexes without blocking",
    .details = "First paragraph with it's own words.\n\n.second paragraph.",
    .operands = "[FILE.sql]...",
    .max_operands = SIZE_MAX,
    .access = ACCESS_WRITE,
    .options = apply_fields,
    .option_count = COUNT_OF(apply_fields),
    .options_size = sizeof(struct apply_options),
    .examples = "pgmend index apply --dry-run",
    .next = "pgmend index unused",
    .run = run_nothing,
};

static const struct command sample_unused = {
    .path = "index unused",
    .summary = "list indexes that no query uses",
    .access = ACCESS_READ,
    .run = run_nothing,
};

static const struct command sample_create = {
    .path = "backup create",
    .summary = "copy a database",
    .access = ACCESS_READ,
    .options = create_fields,
    .option_count = COUNT_OF(create_fields),
    .options_size = sizeof(struct create_options),
    .run = run_nothing,
};

static const struct command sample_restore = {
    .path = "backup restore",
    .summary = "bring a backup back",
    .operands = "DIR DATABASE",
    .min_operands = 2,
    .max_operands = 2,
    .access = ACCESS_WRITE,
    .run = run_nothing,
};

static const struct command sample_plan = {
    .path = "plan",
    .summary = "make a plan",
    .access = ACCESS_READ,
    .run = run_nothing,
};

static const struct command sample_plan_show = {
    .path = "plan show",
    .summary = "show a plan",
    .operands = "[PLAN]",
    .max_operands = 1,
    .access = ACCESS_NONE,
    .failure_status = 3,
    .run = run_nothing,
};

const struct command *const commands[] = { &sample_apply, &sample_unused, &sample_create,
    &sample_restore, &sample_plan, &sample_plan_show, NULL };

const struct command_line command_lines[] = {
    { .title = "Find what is slow" },
    { .command = &sample_apply },
    { .command = &sample_unused },
    { .title = "Nothing here" },
    { .title = "Copies" },
    { .command = &sample_create },
    { .command = &sample_restore },
    { .command = &sample_plan },
    { .command = &sample_plan_show },
};

const size_t command_line_count = COUNT_OF(command_lines);
