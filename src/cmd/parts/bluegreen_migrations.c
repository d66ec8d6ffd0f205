#include "cmd/parts/bluegreen_migrations.h"

#include "migrate/alembic/alembic.h"

static bool
upgrade(struct ctx *ctx, const struct alembic *alembic, struct db *green)
{
    static const char *const args[] = { "upgrade", "head", NULL };
    static const struct alembic_watcher nobody;
    struct alembic_outcome outcome;

    if (!alembic_probe(ctx, alembic, green) ||
        !alembic_run(ctx, alembic, green, args, &nobody, &outcome))
        return false;
    return outcome.status == 0 || alembic_failure(ctx, &outcome);
}

bool
bluegreen_migrate(struct ctx *ctx, struct db *green, const char *folder, const char *command)
{
    const struct alembic_options options = { .command = command };
    struct environment environment;
    struct alembic alembic = { 0 };
    bool is_good;

    if (!environment_find(ctx, folder, NULL, &environment))
        return error_wrap(ctx, "looking for the migrations in %s", folder);
    is_good = alembic_begin(ctx, &environment, &options, &alembic) && upgrade(ctx, &alembic, green);
    alembic_end(&alembic);
    return is_good || error_wrap(ctx, "running the migrations on green");
}
