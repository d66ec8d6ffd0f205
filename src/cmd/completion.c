#include "cli/command.h"

static bool
run(struct ctx *ctx, struct run *run)
{
    const char *shell = run->operands.items[0];

    if (completion_print(run->out, shell))
        return true;
    error_set(ctx, ERR_USAGE, "no completion for shell \"%s\"", shell);
    return error_hint(ctx, "Shells are bash, zsh and fish.");
}

const struct command cmd_completion = {
    .path = "completion",
    .summary = "print the completion script for bash, zsh or fish",
    .details = "Load it in the running shell as the examples show, or store it where the shell "
               "looks for completions.",
    .operands = "SHELL",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_NONE,
    .examples = "source <(pgmend completion bash)\n"
                "pgmend completion zsh > ~/.zsh/completions/_pgmend\n"
                "pgmend completion fish > ~/.config/fish/completions/pgmend.fish",
    .run = run,
};
