/* The search methods of one assistant beside each other, really run. */
#include "db/ident.h"
#include "vector/install/functions.h"

/* Each statement takes $1 the question, $2 the tenant. */
static const char *
way_sql(struct making *making, const struct vector_method *method)
{
    const struct vector_target *target = making->target;
    struct vector_search search = {
        .tenant = target->tenant ? "$2" : NULL,
        .vector = "$1",
        .limit = arena_printf(making->arena, "%d", target->limit > 0 ? target->limit : 10),
        .selected = arena_printf(making->arena, "%s AS id", table_column(making, target->key)),
    };

    return vector_search_sql(making->arena, target, method, &search);
}

/* Appends a way: name, statement, the settings it runs with, whether its index is forced. */
static const char *
add_way(struct making *making, const char *name, const struct vector_method *method)
{
    struct vector_parts parts;

    vector_method_parts(making->arena, making->target, method, NULL, "", &parts);
    return arena_printf(making->arena,
        "    own.names := own.names || %s::text;\n"
        "    own.statements := own.statements || %s::text;\n"
        "    own.settings := own.settings || %s::text;\n"
        "    own.forced := own.forced || false;\n",
        db_literal(making->arena, name), db_literal(making->arena, way_sql(making, method)),
        db_literal(making->arena, text_list_join(making->arena, &parts.settings, ";")));
}

static const char *
installed_name(struct making *making, const struct vector_method *method)
{
    return arena_printf(making->arena, "installed: %s", vector_method_name(making->arena, method));
}

static void
add_installed(struct making *making, const struct draft *draft, struct buffer *ret)
{
    const struct vector_choice *choice = making->choice;
    size_t branches = 0;

    for (size_t i = 0; making->target->tenant && i < choice->specials.count; i++) {
        const struct vector_special *special = &choice->specials.items[i];
        struct text_list tenants = { 0 };

        for (size_t n = 0; n < special->tenants.count; n++)
            text_list_add(
                making->arena, &tenants, db_literal(making->arena, special->tenants.items[n]));
        if (tenants.count == 0)
            continue;
        buffer_printf(ret, "    %s %s IN (%s) THEN\n%s", branches++ == 0 ? "IF" : "ELSIF",
            argument(making, draft, "assistant_id"), text_list_join(making->arena, &tenants, ", "),
            add_way(making, installed_name(making, &special->method), &special->method));
    }
    if (branches > 0)
        buffer_add(ret, "    ELSE\n");
    buffer_add(ret, add_way(making, installed_name(making, &choice->base), &choice->base));
    if (branches > 0)
        buffer_add(ret, "    END IF;\n");
}

/* The search that an index can serve, around the words of its definition. */
static const char *
near_statement(struct making *making, const char *right)
{
    const struct vector_target *target = making->target;
    struct arena *arena = making->arena;
    const char *tenant =
        target->tenant ? arena_printf(arena, " WHERE t.%s = $2", db_ident(arena, target->tenant))
                       : "";
    const char *before = arena_printf(arena, "SELECT %s AS id FROM %s t%s ORDER BY ",
        table_column(making, target->key), vector_table(arena, target), tenant);

    return arena_printf(arena,
        "%s || own.one.expression || ' OPERATOR(' || own.one.operator || ') ' || %s || ' LIMIT %d'",
        db_literal(arena, before), right, target->limit > 0 ? target->limit : 10);
}

/* One of bits gives a hundred candidates that are ranked again. */
static const char *
near_bits_statement(struct making *making)
{
    const struct vector_target *target = making->target;
    struct arena *arena = making->arena;
    const char *table = vector_table(arena, target);
    const char *key = table_column(making, target->key);
    const char *tenant =
        target->tenant ? arena_printf(arena, " WHERE t.%s = $2", db_ident(arena, target->tenant))
                       : "";
    const char *before = arena_printf(arena,
        "SELECT %s AS id FROM (SELECT %s AS key FROM %s t%s ORDER BY ", key, key, table, tenant);
    const char *after = arena_printf(arena,
        " (SELECT %s($1)::bit(%d)) LIMIT 100) s JOIN %s t ON %s = s.key ORDER BY (%s %s $1) + 0"
        " LIMIT %d",
        extension_name(making, "binary_quantize"), target->dims, table, key,
        table_column(making, target->column), distance_operator(making),
        target->limit > 0 ? target->limit : 10);

    return arena_printf(arena,
        "%s || own.one.expression || ' OPERATOR(' || own.one.operator || ')' || %s",
        db_literal(arena, before), db_literal(arena, after));
}

/*
 * All approximate indexes over the column, or over an expression of it, whoever made them. The
 * order is asked for with the operator that the index is for, in the words of its own definition.
 */
static const char *
found_indexes(struct making *making)
{
    const struct vector_target *target = making->target;
    struct arena *arena = making->arena;

    return arena_printf(arena,
        "    FOR own.one IN\n"
        "        SELECT x.relname AS name, a.amname AS access, y.typname AS element,\n"
        "               pg_get_indexdef(i.indexrelid, 1, false) AS expression,\n"
        "               quote_ident(n.nspname) || '.' || o.oprname AS operator,\n"
        "               quote_ident(e.nspname) || '.' || quote_ident(y.typname) AS type\n"
        "          FROM pg_index i\n"
        "          JOIN pg_class x ON x.oid = i.indexrelid\n"
        "          JOIN pg_am a ON a.oid = x.relam AND a.amname IN ('hnsw', 'ivfflat')\n"
        "          JOIN pg_opclass c ON c.oid = i.indclass[0]\n"
        "          JOIN pg_type y ON y.oid = c.opcintype\n"
        "          JOIN pg_namespace e ON e.oid = y.typnamespace\n"
        "          JOIN pg_amop p ON p.amopfamily = c.opcfamily AND p.amopmethod = a.oid\n"
        "           AND p.amoppurpose = 'o' AND p.amoplefttype = c.opcintype\n"
        "          JOIN pg_operator o ON o.oid = p.amopopr\n"
        "          JOIN pg_namespace n ON n.oid = o.oprnamespace\n"
        "         WHERE i.indrelid = %s::regclass AND i.indisvalid\n"
        "           AND y.typname IN ('vector', 'halfvec', 'bit')\n"
        "           AND EXISTS (SELECT 1 FROM pg_depend d JOIN pg_attribute b\n"
        "                          ON b.attrelid = d.refobjid AND b.attnum = d.refobjsubid\n"
        "                       WHERE d.classid = 'pg_class'::regclass AND d.objid = x.oid\n"
        "                         AND d.refclassid = 'pg_class'::regclass\n"
        "                         AND d.refobjid = i.indrelid AND b.attname = %s)\n"
        "         ORDER BY x.relname\n"
        "    LOOP\n"
        "        own.names := own.names || (own.one.access || ' index ' || own.one.name);\n"
        "        own.statements := own.statements || CASE own.one.element WHEN 'bit'\n"
        "            THEN %s\n"
        "            ELSE %s END;\n"
        "        own.settings := own.settings || ''::text;\n"
        "        own.forced := own.forced || true;\n"
        "    END LOOP;\n",
        db_literal(arena, vector_table(arena, target)), db_literal(arena, target->column),
        near_bits_statement(making), near_statement(making, "'$1::' || own.one.type"));
}

/* A stored vector of the assistant, when no question is given. */
static const char *
question(struct making *making, const struct draft *draft)
{
    const struct vector_target *target = making->target;
    const char *column = table_column(making, target->column);
    const char *length =
        target->metric == METRIC_COSINE
            ? arena_printf(making->arena, " AND %s(%s) > 0", length_function(making), column)
            : "";

    return arena_printf(making->arena,
        "    own.question := COALESCE(%s, (SELECT %s FROM %s t WHERE %s IS NOT NULL%s AND %s"
        " ORDER BY %s LIMIT 1));\n"
        "    IF own.question IS NULL THEN\n"
        "        RAISE NOTICE 'there is no vector to search with, and no test_vector was given';\n"
        "        RETURN;\n"
        "    END IF;\n",
        argument(making, draft, "test_vector"), column, vector_table(making->arena, target), column,
        length, fixed_conditions(making, draft), table_column(making, target->key));
}

/* The settings of a way, for as long as it runs; what was there before is put back. */
static const char settings_on[] =
    "        own.before := '{}';\n"
    "        FOREACH own.setting IN ARRAY string_to_array(own.settings[way], ';') LOOP\n"
    "            own.before := own.before || (split_part(own.setting, '=', 1) || '='\n"
    "                || current_setting(split_part(own.setting, '=', 1)));\n"
    "            PERFORM set_config(split_part(own.setting, '=', 1),"
    " split_part(own.setting, '=', 2), true);\n"
    "        END LOOP;\n"
    "        FOREACH own.setting IN ARRAY"
    " '{enable_seqscan,enable_sort,enable_bitmapscan}'::text[] LOOP\n"
    "            PERFORM set_config(own.setting, CASE WHEN own.forced[way] THEN 'off' ELSE 'on'"
    " END, true);\n"
    "        END LOOP;\n";

static const char settings_off[] = "        FOREACH own.setting IN ARRAY own.before LOOP\n"
                                   "            PERFORM set_config(split_part(own.setting, '=', 1),"
                                   " split_part(own.setting, '=', 2), true);\n"
                                   "        END LOOP;\n";

/* The least of three times: the first one also reads from disk. */
static const char *
run_ways(struct making *making, const char *given)
{
    const struct vector_target *target = making->target;
    struct arena *arena = making->arena;
    struct buffer ret = { .arena = arena };
    const char *distance = arena_printf(arena, "(%s %s own.question)",
        table_column(making, target->column), distance_operator(making));
    const char *among = arena_printf(arena, "FROM %s t WHERE %s = ANY (own.keys)",
        vector_table(arena, target), table_column(making, target->key));

    buffer_printf(&ret, "    FOR way IN 1 .. cardinality(own.names) LOOP\n%s", settings_on);
    buffer_printf(&ret,
        "        EXECUTE 'EXPLAIN (FORMAT JSON) ' || own.statements[way] INTO own.plan"
        " USING %s;\n"
        "        time_ms := NULL;\n"
        "        FOR round IN 1 .. 3 LOOP\n"
        "            own.started := clock_timestamp();\n"
        "            EXECUTE 'SELECT array_agg(s.id) FROM (' || own.statements[way] || ') s'\n"
        "                INTO own.keys USING %s;\n"
        "            time_ms := LEAST(time_ms, 1000 * extract(epoch FROM clock_timestamp()"
        " - own.started));\n"
        "        END LOOP;\n%s",
        given, given, settings_off);
    buffer_printf(&ret,
        "        IF way = 1 THEN\n"
        "            own.worst := (SELECT max(%s) %s);\n"
        "            own.due := cardinality(own.keys);\n"
        "        END IF;\n"
        "        method := own.names[way];\n"
        "        rows := COALESCE(cardinality(own.keys), 0);\n"
        "        index_used := COALESCE((SELECT string_agg(DISTINCT x.name #>> '{}', ', ')\n"
        "            FROM jsonb_path_query(own.plan::jsonb, '$.**.\"Index Name\"') AS x (name)),\n"
        "            'none, the whole table is read');\n"
        "        recall := (SELECT count(*) %s AND %s <= own.worst)::float8 / own.due;\n"
        "        RETURN NEXT;\n"
        "    END LOOP;\n",
        distance, among, among, distance);
    return buffer_text(&ret);
}

static const char variables[] = "    names text[] := '{}';\n"
                                "    statements text[] := '{}';\n"
                                "    settings text[] := '{}';\n"
                                "    forced boolean[] := '{}';\n"
                                "    before text[];\n"
                                "    setting text;\n"
                                "    one record;\n"
                                "    plan json;\n"
                                "    started timestamptz;\n"
                                "    worst double precision;\n"
                                "    due bigint;\n"
                                "    question %s;\n"
                                "    keys %s[];";

void
make_analysis(struct making *making)
{
    static const struct vector_method scan = { .family = FAMILY_SCAN };
    struct draft draft = { .name = "analyze_vector_search_performance",
        .summary = "each search method of one assistant: time, rows, the index really used, and"
                   " which share of the exact answers it finds",
        .returns = "TABLE (method text, time_ms double precision, rows bigint, index_used text,"
                   " recall double precision)",
        .manner = "VOLATILE" };
    struct arena *arena = making->arena;
    const char *type = extension_name(making, making->target->type);
    struct buffer body = { .arena = arena };
    const char *given = "own.question";

    draft_tenant(making, &draft);
    draft_argument(making, &draft, "test_vector", type, "NULL");
    /* What a function sets itself is put back when it ends. */
    text_list_add(arena, &draft.settings, "enable_seqscan = on");
    text_list_add(arena, &draft.settings, "enable_sort = on");
    text_list_add(arena, &draft.settings, "enable_bitmapscan = on");
    draft.variables = arena_printf(arena, variables, type, making->target->key_type);
    if (making->target->tenant)
        given = arena_printf(arena, "own.question, %s", argument(making, &draft, "assistant_id"));
    buffer_add(&body, question(making, &draft));
    buffer_add(&body, add_way(making, "exact", &scan));
    add_installed(making, &draft, &body);
    buffer_add(&body, found_indexes(making));
    buffer_add(&body, run_ways(making, given));
    draft.body = buffer_text(&body);
    draft_finish(making, &draft);
}
