/* An env.py that needs no application. */
#include <string.h>

#include "base/file.h"
#include "migrate/alembic/parts.h"

static const char before[] = "from alembic import context\n"
                             "from sqlalchemy import MetaData, create_engine, pool\n"
                             "\n";

static const char after[] =
    "engine = create_engine(\n"
    "    context.config.get_main_option(\"sqlalchemy.url\"), poolclass=pool.NullPool\n"
    ")\n"
    "with engine.connect() as connection:\n"
    "    context.configure(connection=connection, target_metadata=metadata, **settings)\n"
    "    with context.begin_transaction():\n"
    "        context.run_migrations()\n";

/* The text as Python writes it. */
static void
add_literal(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, "\"");
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c == '"' || c == '\\')
            buffer_printf(buffer, "\\x%02x", c);
        else
            buffer_append(buffer, text, 1);
    }
    buffer_add(buffer, "\"");
}

static void
add_pair(struct buffer *buffer, const char *name, const char *value)
{
    if (!value)
        return;
    buffer_printf(buffer, "    \"%s\": ", name);
    add_literal(buffer, value);
    buffer_add(buffer, ",\n");
}

bool
alembic_write_plain(struct ctx *ctx, const struct alembic *alembic, const char **ret_folder)
{
    const struct environment *environment = alembic->environment;
    const struct naming *naming = &environment->naming;
    struct buffer text = { .arena = ctx->arena };
    const char *folder = file_join(ctx->arena, alembic->work.path, "plain");

    buffer_add(&text, before);
    buffer_add(&text, "naming = {\n");
    add_pair(&text, "ix", naming->ix);
    add_pair(&text, "uq", naming->uq);
    add_pair(&text, "ck", naming->ck);
    add_pair(&text, "fk", naming->fk);
    add_pair(&text, "pk", naming->pk);
    buffer_add(&text, "}\nmetadata = MetaData(naming_convention=naming) if naming else MetaData()\n"
                      "settings = {\n");
    add_pair(&text, "version_table", environment->version_table);
    add_pair(&text, "version_table_schema", environment->version_table_schema);
    buffer_printf(&text, "    \"transaction_per_migration\": %s,\n}\n",
        environment->transaction_per_migration ? "True" : "False");
    buffer_add(&text, after);
    *ret_folder = folder;
    return file_make_folder(ctx, folder) && file_write(ctx, file_join(ctx->arena, folder, "env.py"),
                                                buffer_text(&text), text.length, 0600);
}
