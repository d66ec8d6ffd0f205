#include "cli/command.h"
#include "cli/out.h"
#include "lang/sql.h"

static bool
run(struct ctx *ctx, struct run *run)
{
    json_t *document CLEANUP(json_release) = json_object();

    (void)ctx;
    if (!run->global->json) {
        fprintf(run->out,
            "pgmend %s\nservers: PostgreSQL %d to %d\nSQL grammar: PostgreSQL %s\ncompiler: %s\n",
            PGMEND_VERSION, DB_OLDEST_MAJOR, DB_NEWEST_MAJOR, sql_grammar_version(), __VERSION__);
        return true;
    }
    json_object_set_new(document, "version", json_string(PGMEND_VERSION));
    json_object_set_new(document, "oldest_server_major", json_integer(DB_OLDEST_MAJOR));
    json_object_set_new(document, "newest_server_major", json_integer(DB_NEWEST_MAJOR));
    json_object_set_new(document, "grammar_version", json_string(sql_grammar_version()));
    json_object_set_new(document, "compiler", json_string(__VERSION__));
    out_json(run->out, document);
    return true;
}

const struct command cmd_version = {
    .path = "version",
    .summary = "show the version and what it was built with",
    .access = ACCESS_NONE,
    .run = run,
};
