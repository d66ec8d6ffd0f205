/* Other programs (pg_dump, pg_restore, pgbench), without a shell. */
#pragma once

#include <sys/types.h>

#include "base/ctx.h"
#include "base/text.h"

struct process_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *env;  /* NULL-terminated "NAME=value" beside our own environment, or NULL */
    const char *stdin_path;  /* the file that is its standard input; NULL: nothing */
    const char *stdout_path; /* the file that takes standard output; NULL: captured */
    int64_t timeout_us;      /* 0: none */
    bool own_group;          /* its own process group: Ctrl-C of the terminal does not reach it */
};

struct process {
    pid_t pid;
    const char *name;
    int stdout_fd; /* -1 when it goes to a file */
    int stderr_fd;
    int64_t deadline_us;
    struct buffer out;
    struct buffer err;
    int status; /* exit status; 128 + signal if killed; set by wait */
    bool is_done;
};

bool process_start(struct ctx *ctx, const struct process_options *options, struct process *ret)
    MUST_CHECK;

/*
 * Takes what it printed and looks whether it ended, for at most wait_us. False only when our own
 * side failed (time-out, signal): then the process has been terminated and reaped.
 */
bool process_poll(struct ctx *ctx, struct process *process, int64_t wait_us) MUST_CHECK;

/* Waits for the end. An exit status other than 0 is no error here: look at process->status. */
bool process_wait(struct ctx *ctx, struct process *process) MUST_CHECK;

/* SIGTERM, after five seconds SIGKILL, and reaps. */
void process_stop(struct process *process);

/* Runs to the end; a status other than 0 is ERR_FAILED with the last lines of its stderr. */
bool process_run(struct ctx *ctx, const struct process_options *options, struct process *ret)
    MUST_CHECK;
