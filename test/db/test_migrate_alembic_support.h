/* What the tests of running Alembic share: a project in a folder, and a database for it. */
#pragma once

#include "support/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/interrupt.h"
#include "base/process.h"
#include "db/db.h"
#include "migrate/alembic/alembic.h"

struct project {
    struct ctx ctx;
    struct db *admin; /* in database postgres */
    struct db *db;    /* in our database */
    const char *database;
    const char *folder;
    struct environment environment;
    struct alembic_options options;
    struct alembic alembic;
    struct alembic_outcome outcome;
};

/* Logging as Alembic's own template has it. */
#define INI_LOGGING                                                                      \
    "[loggers]\nkeys = root\n[handlers]\nkeys = console\n[formatters]\nkeys = generic\n" \
    "[logger_root]\nlevel = WARN\nhandlers = console\nqualname =\n"                      \
    "[handler_console]\nclass = StreamHandler\nargs = (sys.stderr,)\nlevel = NOTSET\n"   \
    "formatter = generic\n[formatter_generic]\nformat = %(levelname)-5.5s [%(name)s] %(message)s\n"

#define INI "[alembic]\nscript_location = migrations\n"

/* The end of an env.py, with the URL in the variable url. */
#define ENV_RUN                                              \
    "from alembic import context\n"                          \
    "from sqlalchemy import create_engine, pool\n"           \
    "engine = create_engine(url, poolclass=pool.NullPool)\n" \
    "with engine.connect() as connection:\n"                 \
    "    context.configure(connection=connection)\n"         \
    "    with context.begin_transaction():\n"                \
    "        context.run_migrations()\n"

#define ENV_OF_INI                                  \
    "from logging.config import fileConfig\n"       \
    "from alembic import context\n"                 \
    "fileConfig(context.config.config_file_name)\n" \
    "url = context.config.get_main_option('sqlalchemy.url')\n" ENV_RUN

static inline void
must(struct project *project, bool is_good)
{
    const struct error *error = &project->ctx.error;

    if (!is_good)
        fail_msg("%s; %s; %s", error->message, error->detail ? error->detail : "no detail",
            error->hint ? error->hint : "no hint");
}

static inline const char *
value(struct project *project, struct db *db, const char *statement)
{
    const char *text = NULL;

    must(project, db_value(&project->ctx, db, statement, NULL, 0, &text));
    return text ? text : "(null)";
}

static inline void
add_file(struct project *project, const char *name, const char *text)
{
    must(project, file_write(&project->ctx, file_join(project->ctx.arena, project->folder, name),
                      text, strlen(text), 0600));
}

/* The lines of upgrade() begin in line 6. */
static inline void
add_revision(struct project *project, const char *id, const char *parent, const char *body)
{
    struct arena *arena = project->ctx.arena;

    add_file(project, arena_printf(arena, "migrations/versions/%s_some.py", id),
        arena_printf(arena,
            "from alembic import op\nimport sqlalchemy as sa\nrevision = '%s'\n"
            "down_revision = %s\ndef upgrade():\n%s\ndef downgrade():\n    pass\n",
            id, parent ? arena_printf(arena, "'%s'", parent) : "None", body));
}

static inline struct db *
connect_to(struct project *project, const char *database)
{
    struct db_options options = {
        .database = database, .application = "test", .access = ACCESS_WRITE
    };
    struct db *db = NULL;

    must(project, db_open(&project->ctx, &options, &db));
    return db;
}

/* With the environment that is there now. */
static inline void
begin(struct project *project)
{
    alembic_end(&project->alembic);
    must(project, environment_find(&project->ctx, project->folder, NULL, &project->environment));
    must(project,
        alembic_begin(&project->ctx, &project->environment, &project->options, &project->alembic));
}

static inline bool
run(struct project *project, const char *command, const char *revision,
    const struct alembic_watcher *watcher)
{
    const char *const args[] = { command, revision, NULL };

    return alembic_run(
        &project->ctx, &project->alembic, project->db, args, watcher, &project->outcome);
}

/* To the head, and it must work. */
static inline void
upgrade(struct project *project, const struct alembic_watcher *watcher)
{
    begin(project);
    must(project, run(project, "upgrade", "head", watcher));
    if (project->outcome.status != 0)
        must(project, alembic_failure(&project->ctx, &project->outcome));
}

static inline int
project_new(void **state)
{
    struct arena *arena = arena_new();
    struct project *project = ARENA_NEW(arena, struct project);

    project->ctx.arena = arena;
    project->database = arena_printf(arena, "test Alembic/%%é %s", random_hex(arena, 4));
    project->admin = connect_to(project, "postgres");
    must(project,
        db_exec(&project->ctx, project->admin,
            arena_printf(arena, "CREATE DATABASE \"%s\" TEMPLATE template0", project->database)));
    project->db = connect_to(project, project->database);
    project->folder = test_folder(&project->ctx);
    must(project,
        file_make_folder(&project->ctx, file_join(arena, project->folder, "migrations/versions")));
    add_file(project, "alembic.ini", INI INI_LOGGING);
    add_file(project, "migrations/env.py", ENV_OF_INI);
    *state = project;
    return 0;
}

static inline int
project_free(void **state)
{
    struct project *project = *state;

    unsetenv("PGSERVICE");
    unsetenv("PGSERVICEFILE");
    alembic_end(&project->alembic);
    db_close(project->db);
    must(project, db_exec(&project->ctx, project->admin,
                      arena_printf(project->ctx.arena, "DROP DATABASE \"%s\" WITH (FORCE)",
                          project->database)));
    db_close(project->admin);
    must(project, file_remove(&project->ctx, project->folder));
    arena_free(project->ctx.arena);
    return 0;
}

#define test_with_project(test) cmocka_unit_test_setup_teardown(test, project_new, project_free)
