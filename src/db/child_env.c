/* How pg_dump and others get the same connection without a password in any argument. */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/vec.h"
#include "db/connection.h"

static void
free_options(PQconninfoOption **options)
{
    PQconninfoFree(*options);
}

/* In a password file ':' and '\' are escaped. */
static const char *
passfile_line(struct arena *arena, const char *password)
{
    struct buffer buffer = { .arena = arena };

    buffer_add(&buffer, "*:*:*:*:");
    for (const char *at = password; *at; at++) {
        if (*at == ':' || *at == '\\')
            buffer_add(&buffer, "\\");
        buffer_append(&buffer, at, 1);
    }
    buffer_add(&buffer, "\n");
    return buffer_text(&buffer);
}

static bool
is_handled_apart(const char *name)
{
    static const char *const names[] = { "PGPASSWORD", "PGPASSFILE", "PGHOST", "PGPORT", "PGUSER",
        "PGDATABASE", "PGAPPNAME", "PGCLIENTENCODING", "PGOPTIONS" };

    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

bool
db_child_env_begin(
    struct ctx *ctx, const struct db *db, const char *database, struct db_child_env *ret)
{
    PQconninfoOption *options CLEANUP(free_options) = PQconninfo(db->conn);
    const char *password = PQpass(db->conn);
    VEC(const char *) env = { 0 };
    struct temporary passfile = { 0 };

    for (const PQconninfoOption *option = options; option && option->keyword; option++)
        if (option->envvar && option->val && *option->val && !is_handled_apart(option->envvar))
            VEC_PUSH(
                ctx->arena, &env, arena_printf(ctx->arena, "%s=%s", option->envvar, option->val));
    VEC_PUSH(ctx->arena, &env, arena_printf(ctx->arena, "PGHOST=%s", db_host(db)));
    VEC_PUSH(ctx->arena, &env, arena_printf(ctx->arena, "PGPORT=%s", db_port(db)));
    VEC_PUSH(ctx->arena, &env, arena_printf(ctx->arena, "PGUSER=%s", db_user(db)));
    VEC_PUSH(ctx->arena, &env,
        arena_printf(ctx->arena, "PGDATABASE=%s", database ? database : db_name(db)));
    VEC_PUSH(ctx->arena, &env, arena_printf(ctx->arena, "PGAPPNAME=%s", db->options.application));
    if (!text_is_empty(password)) {
        if (!temporary_file(ctx, "password", passfile_line(ctx->arena, password), &passfile))
            return false;
        VEC_PUSH(ctx->arena, &env, arena_printf(ctx->arena, "PGPASSFILE=%s", passfile.path));
    }
    VEC_PUSH(ctx->arena, &env, NULL);
    *ret = (struct db_child_env){ .env = env.items, .passfile = passfile };
    return true;
}

void
db_child_env_end(struct db_child_env *env)
{
    temporary_end(&env->passfile);
}
