/* Removing chunks that say the same twice. */
#include "db/ident.h"
#include "vector/install/functions.h"

/* The order of preference inside of a group of equals: what comes first stays. */
static const char *
preference(struct making *making)
{
    const struct vector_target *target = making->target;
    const char *key = table_column(making, target->key);

    if (!target->importance)
        return arena_printf(making->arena, "%s DESC", key);
    return arena_printf(making->arena, "%s DESC NULLS LAST, %s DESC",
        table_column(making, target->importance), key);
}

static const char *
place_among(struct making *making, const char *group)
{
    const struct vector_target *target = making->target;
    const char *tenant =
        target->tenant ? arena_printf(making->arena, "%s, ", table_column(making, target->tenant))
                       : "";

    return arena_printf(making->arena, "row_number() OVER (PARTITION BY %s%s ORDER BY %s)", tenant,
        group, preference(making));
}

/*
 * Whether a row is a repetition, by the hash and by vector with text. A row that has no hash, or no
 * vector, repeats nobody by it.
 */
static const char *
repetitions(struct making *making)
{
    const struct vector_target *target = making->target;
    const char *by_hash = "false";
    const char *by_value = "false";

    if (target->chunk_hash) {
        const char *hash = table_column(making, target->chunk_hash);

        by_hash = arena_printf(
            making->arena, "%s IS NOT NULL AND %s > 1", hash, place_among(making, hash));
    }
    if (target->text) {
        const char *text = table_column(making, target->text);
        const char *vector = table_column(making, target->column);

        by_value = arena_printf(making->arena, "%s IS NOT NULL AND %s IS NOT NULL AND %s > 1",
            vector, text,
            place_among(
                making, arena_printf(making->arena, "%s::text COLLATE \"C\", %s", text, vector)));
    }
    return arena_printf(making->arena,
        "SELECT r.* FROM (SELECT %s AS id, %s AS by_hash, %s AS by_value FROM %s t) r"
        " WHERE r.by_hash OR r.by_value",
        table_column(making, target->key), by_hash, by_value, vector_table(making->arena, target));
}

static const char *
body(struct making *making, const struct draft *draft)
{
    struct arena *arena = making->arena;
    const char *batch = argument(making, draft, "batch_size");
    struct buffer ret = { .arena = arena };

    buffer_printf(&ret,
        "    -- Repetitions are chunks of one assistant with the same hash, or with the same text\n"
        "    -- and vector. The most important one stays, among those the newest (the highest\n"
        "    -- key). No call deletes more than batch_size rows, so that locks are short: call\n"
        "    -- again until left_over is 0.\n"
        "    IF %s IS NULL OR %s IS NULL OR %s < 1 THEN\n"
        "        RAISE EXCEPTION 'dry_run must be true or false, and batch_size at least 1'\n"
        "            USING ERRCODE = 'invalid_parameter_value';\n"
        "    END IF;\n",
        argument(making, draft, "dry_run"), batch, batch);
    buffer_printf(&ret,
        "    WITH repeated AS MATERIALIZED (%s)\n"
        "    SELECT count(*) FILTER (WHERE r.by_hash), count(*) FILTER (WHERE r.by_value),"
        " count(*),\n           ARRAY(SELECT b.id FROM repeated b ORDER BY b.id LIMIT %s)\n"
        "      INTO by_hash, by_value, duplicates, own.victims FROM repeated r;\n",
        repetitions(making), batch);
    buffer_printf(&ret,
        "    deleted := 0;\n"
        "    IF NOT %s THEN\n"
        "        DELETE FROM %s t WHERE %s = ANY (own.victims);\n"
        "        GET DIAGNOSTICS deleted = ROW_COUNT;\n"
        "    END IF;\n"
        "    left_over := duplicates - deleted;\n"
        "    RETURN NEXT;\n",
        argument(making, draft, "dry_run"), vector_table(arena, making->target),
        table_column(making, making->target->key));
    return buffer_text(&ret);
}

void
make_cleanup(struct making *making)
{
    struct draft draft = { .name = "cleanup_duplicate_embeddings",
        .summary = "counts, and unless dry_run deletes, chunks that repeat another one",
        .returns = "TABLE (by_hash bigint, by_value bigint, duplicates bigint, deleted bigint,"
                   " left_over bigint)",
        .manner = "VOLATILE" };

    if (!making->target->chunk_hash && !making->target->text) {
        making_leave_out(making, draft.name, "the table has no column of texts or of hashes");
        return;
    }
    draft_argument(making, &draft, "dry_run", "boolean", "true");
    draft_argument(making, &draft, "batch_size", "integer", "1000");
    draft.variables = arena_printf(making->arena, "    victims %s[];", making->target->key_type);
    draft.body = body(making, &draft);
    draft_finish(making, &draft);
}
