/* What the tests of consolidation share: histories in folders, run by the real Alembic. */
#pragma once

#include "db/test_backup_support.h"
#include "migrate/squash/squash.h"

/* One revision; statements end with NULL. */
struct revision_text {
    const char *id;
    const char *down;
    const char *const *up;
    const char *const *back;
};

/* A history that is ready to run. */
struct project {
    struct bench *bench;
    const char *folder;
    const char *versions;
    struct environment environment;
    struct history history;
    struct graph graph;
    struct alembic alembic;
};

static inline void
write_text(struct bench *bench, const char *path, const char *text)
{
    must(bench, file_write(&bench->ctx, path, text, strlen(text), 0644));
}

/* A Python literal that holds the text as it is. */
static inline void
add_literal(struct buffer *text, const char *value)
{
    buffer_add(text, "'");
    for (const char *at = value; *at; at++) {
        if (*at == '\'' || *at == '\\')
            buffer_add(text, "\\");
        if (*at == '\n')
            buffer_add(text, "\\n");
        else if (*at == '%')
            buffer_add(text, "%%"); /* the driver's own escape */
        else
            buffer_append(text, at, 1);
    }
    buffer_add(text, "'");
}

static inline void
add_function(struct buffer *text, const char *name, const char *const *statements)
{
    buffer_printf(text, "\n\ndef %s():\n    pass\n", name);
    for (; *statements; statements++) {
        buffer_add(text, "    op.get_bind().exec_driver_sql(");
        add_literal(text, *statements);
        buffer_add(text, ")\n");
    }
}

static inline void
write_revision(struct bench *bench, const char *versions, const struct revision_text *revision)
{
    struct buffer text = { .arena = bench->ctx.arena };

    buffer_printf(&text, "from alembic import op\n\nrevision = '%s'\n", revision->id);
    if (revision->down)
        buffer_printf(&text, "down_revision = '%s'\n", revision->down);
    else
        buffer_add(&text, "down_revision = None\n");
    add_function(&text, "upgrade", revision->up);
    add_function(&text, "downgrade", revision->back);
    write_text(bench,
        file_join(bench->ctx.arena, versions,
            arena_printf(bench->ctx.arena, "%s_revision.py", revision->id)),
        buffer_text(&text));
}

static const char env_py[] =
    "from alembic import context\n"
    "from sqlalchemy import create_engine, pool\n"
    "\n"
    "engine = create_engine(context.config.get_main_option('sqlalchemy.url'), "
    "poolclass=pool.NullPool)\n"
    "with engine.connect() as connection:\n"
    "    context.configure(connection=connection, transaction_per_migration=True%s)\n"
    "    with context.begin_transaction():\n"
    "        context.run_migrations()\n";

/* Reads what is in the folder, and finds Alembic. */
static inline void
project_open(struct project *project)
{
    struct bench *bench = project->bench;
    const struct alembic_options options = { .command = "/usr/bin/python3 /usr/bin/alembic" };

    must(bench, environment_find(&bench->ctx, project->folder, NULL, &project->environment));
    must(bench, history_read(&bench->ctx, &project->environment, 1, NULL, &project->history));
    must(bench, graph_build(&bench->ctx, &project->history, &project->graph));
    must(bench, alembic_begin(&bench->ctx, &project->environment, &options, &project->alembic));
}

/* A folder with alembic.ini, env.py and the revisions; configure: more arguments, ", …" or "". */
static inline void
project_new(struct bench *bench, const struct revision_text *revisions, size_t count,
    const char *configure, struct project *ret)
{
    struct arena *arena = bench->ctx.arena;
    const char *folder = file_join(arena, bench->state, random_hex(arena, 4));

    *ret = (struct project){
        .bench = bench,
        .folder = folder,
        .versions = file_join(arena, folder, "versions"),
    };
    must(bench, file_make_folder(&bench->ctx, ret->versions));
    write_text(bench, file_join(arena, folder, "alembic.ini"),
        "[alembic]\nscript_location = %(here)s\n"
        "sqlalchemy.url = postgresql+psycopg2://nobody@nowhere.invalid/nothing\n");
    write_text(bench, file_join(arena, folder, "env.py"), arena_printf(arena, env_py, configure));
    for (size_t i = 0; i < count; i++)
        write_revision(bench, ret->versions, &revisions[i]);
    project_open(ret);
}

static inline void
project_free(struct project *project)
{
    alembic_end(&project->alembic);
    history_free(&project->history);
}

static inline struct replay_request
request_of(const struct project *project)
{
    return (struct replay_request){
        .alembic = &project->alembic,
        .target = "head",
        .graph = &project->graph,
    };
}

static inline void
replay(const struct project *project, struct replayed *ret)
{
    const struct replay_request request = request_of(project);

    must(project->bench, squash_replay(&project->bench->ctx, project->bench->admin, &request, ret));
}

/* Scratch databases that our session made and that are still there. */
static inline void
assert_nothing_left(struct bench *bench)
{
    assert_string_equal(value_in(bench, bench->admin,
                            arena_printf(bench->ctx.arena,
                                "SELECT pg_catalog.count(*) FROM pg_catalog.pg_database WHERE "
                                "pg_catalog.starts_with(datname, 'pgmend_scratch_%d_')",
                                db_backend_pid(bench->admin))),
        "0");
}

/* What a program prints; it must end well. */
static inline const char *
output_of(struct bench *bench, const char *const *argv)
{
    const struct process_options options = { .argv = argv, .timeout_us = 60000000 };
    struct process process;

    must(bench, process_run(&bench->ctx, &options, &process));
    return buffer_text(&process.out);
}
