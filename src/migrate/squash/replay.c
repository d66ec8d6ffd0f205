/* A history in a scratch database: made, run, looked at, dropped. */
#include "migrate/squash/replayed.h"
#include "sql.h"

/* Databases are made on a primary, by a role that may; said before CREATE DATABASE fails. */
static bool
check_server(struct ctx *ctx, struct db *db)
{
    struct sql_squash_server_rows rows;

    if (!sql_squash_server(ctx, db, &rows))
        return error_wrap(ctx, "looking at the server");
    if (rows.count != 1)
        return error_set(ctx, ERR_SERVER, "the server does not know our role");
    if (rows.items[0].is_standby) {
        error_set(ctx, ERR_UNSUPPORTED,
            "%s is a standby: no scratch database can be made there to run the history in",
            db_label(ctx->arena, db));
        return error_hint(ctx,
            "Name a server of the same major version (PostgreSQL %d) that takes writes with "
            "--scratch-url URL; the standby is then only read.",
            db_major(db));
    }
    if (rows.items[0].is_readonly) {
        error_set(ctx, ERR_UNSUPPORTED,
            "the session is read-only: no scratch database can be made to run the history in");
        return error_hint(ctx, "Name a server that takes writes with --scratch-url URL.");
    }
    if (!rows.items[0].can_create) {
        error_set(ctx, ERR_RIGHTS,
            "role \"%s\" may not create databases, and the history is run in one of its own",
            db_user(db));
        return error_hint(ctx,
            "ALTER ROLE %s CREATEDB; or name a server where a role may with --scratch-url URL.",
            db_user(db));
    }
    return true;
}

bool
replayed_begin(struct ctx *ctx, struct db *db, const char *scratch_template, struct replayed *ret)
{
    *ret = (struct replayed){ 0 };
    if (!check_server(ctx, db) || !scratch_create_like(ctx, db, scratch_template, &ret->scratch))
        return false;

    const struct db_options options = {
        .database = ret->scratch.name,
        .access = ACCESS_WRITE,
    };

    return db_open_like(ctx, db, &options, &ret->db);
}

bool
replayed_run(struct ctx *ctx, const struct replayed_command *command, struct replayed *replayed)
{
    const char *args[] = { command->command, command->target, NULL };
    struct replayed_watch watch = {
        .replayed = replayed,
        .graph = command->graph,
        .made = { .arena = ctx->arena },
        .first_open = replayed->data.count,
    };
    const struct alembic_watcher watcher = { .self = &watch, .after = replayed_watch_statement };

    if (!replayed_watch_begin(ctx, &watch))
        return false;
    if (!alembic_run(ctx, command->alembic, replayed->db, args, &watcher, &replayed->outcome))
        return error_wrap(ctx, "running alembic %s %s", command->command, command->target);
    replayed->alembic_us += replayed->outcome.us;
    if (!replayed_watch_end(ctx, &watch))
        return false;
    return replayed->outcome.status == 0 || alembic_failure(ctx, &replayed->outcome);
}

bool
replayed_look(struct ctx *ctx, struct replayed *replayed)
{
    return schema_load(ctx, replayed->db, &replayed->schema) &&
           content_load_all(ctx, replayed->db, &replayed->content);
}

static bool
replay(struct ctx *ctx, struct db *db, const struct replay_request *request, struct replayed *ret)
{
    const struct replayed_command command = {
        .alembic = request->alembic,
        .command = "upgrade",
        .target = request->target,
        .graph = request->graph,
    };

    if (!replayed_begin(ctx, db, request->scratch_template, ret))
        return false;
    /* An env.py that connects elsewhere must be found out before it changes anything there. */
    if (request->is_first && !alembic_probe(ctx, request->alembic, ret->db))
        return false;
    if (request->baseline && !replayed_baseline(ctx, ret, request->baseline))
        return false;
    if (!replayed_run(ctx, &command, ret) || !replayed_look(ctx, ret))
        return false;
    replayed_find_places(request->graph, ret);
    return true;
}

bool
squash_replay(
    struct ctx *ctx, struct db *db, const struct replay_request *request, struct replayed *ret)
{
    if (replay(ctx, db, request, ret))
        return true;
    replayed_end(ret);
    return false;
}

void
replayed_end(struct replayed *replayed)
{
    db_close(replayed->db);
    replayed->db = NULL;
    scratch_drop(&replayed->scratch);
}
