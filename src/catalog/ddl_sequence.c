/* Sequences, also those of serial and identity columns. */
#include "catalog/ddl_part.h"

const char *
ddl_sequence_text(struct arena *arena, const struct sql_schema_sequences *sequence, bool with_type)
{
    return arena_printf(arena,
        "%s%s START WITH %s INCREMENT BY %s MINVALUE %s MAXVALUE %s CACHE %s%s",
        with_type ? " AS " : "", with_type ? sequence->type : "", sequence->start_value,
        sequence->increment, sequence->min_value, sequence->max_value, sequence->cache,
        sequence->is_cycle ? " CYCLE" : " NO CYCLE");
}

void
ddl_add_sequence(const struct ddl *ddl, const struct sql_schema_sequences *sequence)
{
    const char *name = db_qualified(ddl->arena, sequence->schema, sequence->name);

    if (sequence->is_identity)
        return;
    ddl_add(ddl, "CREATE %sSEQUENCE %s%s",
        text_equal(sequence->persistence, "unlogged") ? "UNLOGGED " : "", name,
        ddl_sequence_text(ddl->arena, sequence, true));
    if (sequence->comment)
        ddl_add_comment(ddl, SCHEMA_sequences, sequence);
    if (ddl->with_owner)
        ddl_add_owner(ddl, SCHEMA_sequences, sequence);
    if (ddl->with_rights)
        ddl_add_rights(ddl, SCHEMA_sequences, sequence);
}

void
ddl_add_sequence_extras(const struct ddl *ddl, const struct sql_schema_sequences *sequence)
{
    struct schema_place place = schema_place_of(ddl->arena, sequence->owned_by);
    const struct sql_schema_tables *table =
        place.name ? schema_find_table(ddl->schema, place.schema, place.name) : NULL;

    /* Since 15 it begins with the persistence of its table. */
    if (table && ddl->schema->server_major >= 15 &&
        !text_equal(table->persistence, sequence->persistence))
        ddl_add(ddl, "ALTER SEQUENCE %s SET %s",
            db_qualified(ddl->arena, sequence->schema, sequence->name),
            text_equal(sequence->persistence, "unlogged") ? "UNLOGGED" : "LOGGED");
    if (sequence->comment)
        ddl_add_comment(ddl, SCHEMA_sequences, sequence);
    if (ddl->with_rights)
        ddl_add_rights(ddl, SCHEMA_sequences, sequence);
}

void
ddl_add_owned_sequences(const struct ddl *ddl, const char *column)
{
    for (size_t i = 0; i < ddl->schema->sequences.count; i++) {
        const struct sql_schema_sequences *sequence = &ddl->schema->sequences.items[i];

        if (!sequence->is_identity && text_equal(sequence->owned_by, column))
            ddl_add(ddl, "ALTER SEQUENCE %s OWNED BY %s",
                db_qualified(ddl->arena, sequence->schema, sequence->name), column);
    }
}
