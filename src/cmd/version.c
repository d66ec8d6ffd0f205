#include "cli/command.h"
#include "cli/out.h"

static bool
run(struct ctx *ctx, struct run *run)
{
    json_t *document CLEANUP(json_release) = NULL;

    (void)ctx;
    if (!run->global->json) {
        fprintf(run->out, "pgmend %s\ncompiled by %s\nPostgreSQL %d to %d\n", PGMEND_VERSION,
            __VERSION__, DB_OLDEST_MAJOR, DB_NEWEST_MAJOR);
        return true;
    }
    document = json_object();
    json_object_set_new(document, "version", json_string(PGMEND_VERSION));
    json_object_set_new(document, "compiler", json_string(__VERSION__));
    json_object_set_new(document, "oldest_server_major", json_integer(DB_OLDEST_MAJOR));
    json_object_set_new(document, "newest_server_major", json_integer(DB_NEWEST_MAJOR));
    out_json(run->out, document);
    return true;
}

const struct command cmd_version = {
    .path = "version",
    .summary = "show the version and what it was built with",
    .access = ACCESS_NONE,
    .run = run,
};
