#include "db/ident.h"
#include "migrate/squash/write_private.h"

enum { ROWS_A_STATEMENT = 500, HEAD_LENGTH = 68 };

static bool
is_target(struct writing *writing, const struct seed_table *table, const char *column)
{
    for (size_t i = 0; i < writing->schema->constraints.count; i++) {
        const struct sql_schema_constraints *constraint = &writing->schema->constraints.items[i];
        struct text_list names = { 0 };

        if (text_equal(constraint->kind, "foreign key") &&
            text_equal(constraint->target_schema, table->schema) &&
            text_equal(constraint->target_table, table->name) &&
            write_names(writing->arena, constraint->target_columns, &names) &&
            text_list_has(&names, column))
            return true;
    }
    return false;
}

/* A value that differs from run to run anyway comes from the default. */
static bool
is_left_out(struct writing *writing, const struct seed_table *table, const char *name)
{
    const struct sql_schema_columns *column =
        schema_find_column(writing->schema, table->schema, table->name, name);

    return column && (column->default_text || column->identity) &&
           text_list_has(&table->unstable, name) && !is_target(writing, table, name);
}

/* Which columns are written: one of them at least. */
static bool *
choose_columns(struct writing *writing, const struct seed_table *table)
{
    bool *chosen = ARENA_ARRAY(writing->arena, bool, table->columns.count + 1);
    size_t count = 0;

    for (size_t i = 0; i < table->columns.count; i++) {
        chosen[i] = !is_left_out(writing, table, table->columns.items[i]);
        count += chosen[i];
    }
    for (size_t i = 0; count == 0 && i < table->columns.count; i++)
        chosen[i] = true;
    return chosen;
}

static void
add_list(struct buffer *out, const char *const *items, size_t count, const bool *chosen)
{
    const char *before = "(";

    for (size_t i = 0; i < count; i++) {
        if (!chosen[i])
            continue;
        buffer_printf(out, "%s%s", before, items[i]);
        before = ", ";
    }
    buffer_add(out, ")");
}

static void
write_rows(struct writing *writing, const struct seed_table *table)
{
    struct arena *arena = writing->arena;
    const bool *chosen = choose_columns(writing, table);
    const char *name = db_qualified(arena, table->schema, table->name);
    size_t width = table->columns.count;
    struct text_list names = { 0 };
    const char *list;
    bool is_long;

    for (size_t i = 0; i < width; i++)
        if (chosen[i])
            text_list_add(arena, &names, db_ident(arena, table->columns.items[i]));
    list = text_list_join(arena, &names, ", ");
    is_long = strlen(name) + strlen(list) > HEAD_LENGTH;
    for (size_t i = 0; width == 0 && i < table->rows; i++)
        write_up_sql(writing, arena_printf(arena, "INSERT INTO %s DEFAULT VALUES", name));
    for (size_t first = 0; width > 0 && first < table->rows; first += ROWS_A_STATEMENT) {
        size_t end =
            table->rows - first > ROWS_A_STATEMENT ? first + ROWS_A_STATEMENT : table->rows;
        struct buffer sql = { .arena = arena };

        buffer_printf(&sql, "INSERT INTO %s%s(%s)", name, is_long ? "\n    " : " ", list);
        buffer_printf(
            &sql, "%s VALUES", table->has_identity_always ? "\nOVERRIDING SYSTEM VALUE" : "");
        for (size_t row = first; row < end; row++) {
            buffer_add(&sql, row > first ? ",\n    " : "\n    ");
            add_list(&sql, table->cells.items + row * width, width, chosen);
        }
        write_up_sql(writing, buffer_text(&sql));
    }
}

/* ---- what must not act while rows are put in ---- */

static const char *
enable_words(const char *enabled)
{
    if (text_equal(enabled, "replica"))
        return "ENABLE REPLICA";
    return text_equal(enabled, "always") ? "ENABLE ALWAYS" : "ENABLE";
}

/* Switches what the table does of its own accord off, or on again. */
static void
switch_triggers(struct writing *writing, const struct seed_table *table, bool is_on)
{
    const struct schema *schema = writing->schema;
    struct arena *arena = writing->arena;
    const char *name = db_qualified(arena, table->schema, table->name);

    for (size_t i = 0; i < schema->triggers.count; i++) {
        const struct sql_schema_triggers *trigger = &schema->triggers.items[i];

        if (text_equal(trigger->schema, table->schema) &&
            text_equal(trigger->table_name, table->name) &&
            !text_equal(trigger->enabled, "disabled") &&
            map_get(&writing->made, link_key(arena, SCHEMA_triggers, trigger)))
            write_up_sql(writing, arena_printf(arena, "ALTER TABLE %s %s TRIGGER %s", name,
                                      is_on ? enable_words(trigger->enabled) : "DISABLE",
                                      db_ident(arena, trigger->name)));
    }
    for (size_t i = 0; i < schema->rules.count; i++) {
        const struct sql_schema_rules *rule = &schema->rules.items[i];

        if (text_equal(rule->schema, table->schema) && text_equal(rule->table_name, table->name) &&
            !text_equal(rule->enabled, "disabled") &&
            map_get(&writing->made, link_key(arena, SCHEMA_rules, rule)))
            write_up_sql(writing,
                arena_printf(arena, "ALTER TABLE %s %s RULE %s", name,
                    is_on ? enable_words(rule->enabled) : "DISABLE", db_ident(arena, rule->name)));
    }
}

/* Row-level security that holds for the owner too. */
static void
switch_force(struct writing *writing, const struct seed_table *table, bool is_on)
{
    const struct sql_schema_tables *found =
        schema_find_table(writing->schema, table->schema, table->name);

    if (found && found->row_security && found->force_row_security)
        write_up_sql(writing,
            arena_printf(writing->arena, "ALTER TABLE %s %sFORCE ROW LEVEL SECURITY",
                db_qualified(writing->arena, table->schema, table->name), is_on ? "" : "NO "));
}

/* The place of a table among those with rows; the count when it has none. */
static size_t
find_seed(const struct seeds *seeds, const char *schema, const char *name)
{
    size_t i = 0;

    while (i < seeds->tables.count && !(text_equal(seeds->tables.items[i].schema, schema) &&
                                          text_equal(seeds->tables.items[i].name, name)))
        i++;
    return i;
}

/* A foreign key to rows that come only later must wait for them. */
static bool
must_wait(const struct seeds *seeds, const struct sql_schema_constraints *constraint)
{
    size_t from = find_seed(seeds, constraint->schema, constraint->table_name);
    size_t to = constraint->target_table
                    ? find_seed(seeds, constraint->target_schema, constraint->target_table)
                    : seeds->tables.count;

    if (from == seeds->tables.count || to == seeds->tables.count || constraint->is_deferred)
        return false;
    return to > from || (to == from && seeds->tables.items[to].rows > ROWS_A_STATEMENT);
}

/* Lets foreign keys wait until all rows are in, or makes them as they are again. */
static void
defer_foreign_keys(struct writing *writing, bool is_deferred)
{
    struct arena *arena = writing->arena;

    for (size_t i = 0; i < writing->schema->constraints.count; i++) {
        const struct sql_schema_constraints *constraint = &writing->schema->constraints.items[i];
        const char *state = is_deferred                 ? "DEFERRABLE INITIALLY DEFERRED"
                            : constraint->is_deferrable ? "DEFERRABLE INITIALLY IMMEDIATE"
                                                        : "NOT DEFERRABLE";

        if (!text_equal(constraint->kind, "foreign key") ||
            !must_wait(writing->seeds, constraint) ||
            !map_get(&writing->made, link_key(arena, SCHEMA_constraints, constraint)))
            continue;
        write_up_sql(writing, arena_printf(arena, "ALTER TABLE %s ALTER CONSTRAINT %s %s",
                                  db_qualified(arena, constraint->schema, constraint->table_name),
                                  db_ident(arena, constraint->name), state));
    }
}

static bool
has_deferred(const struct writing *writing)
{
    const struct schema *schema = writing->schema;

    for (size_t i = 0; i < schema->constraints.count; i++) {
        const struct sql_schema_constraints *constraint = &schema->constraints.items[i];

        if (!constraint->is_domain &&
            (constraint->is_deferred || must_wait(writing->seeds, constraint)) &&
            find_seed(writing->seeds, constraint->schema, constraint->table_name) <
                writing->seeds->tables.count)
            return true;
    }
    return false;
}

/* ---- materialized views over these rows ---- */

static bool
rests_on_rows(const struct writing *writing, const char *key, size_t depth)
{
    const struct text_list *rests = links_of(writing->links, key);

    if (depth > 32)
        return false;
    for (size_t i = 0; i < rests->count; i++) {
        for (size_t k = 0; k < writing->seeds->tables.count; k++) {
            const struct seed_table *table = &writing->seeds->tables.items[k];

            if (text_equal(
                    rests->items[i], arena_printf(writing->arena, "tables %s",
                                         db_qualified(writing->arena, table->schema, table->name))))
                return true;
        }
        if (text_starts_with(rests->items[i], "tables ") &&
            rests_on_rows(writing, rests->items[i], depth + 1))
            return true;
    }
    return false;
}

static void
refresh_views(struct writing *writing, const struct ddl_refs *objects)
{
    for (size_t i = 0; i < objects->count; i++) {
        const struct sql_schema_tables *view;
        const char *key;

        if (objects->items[i].class != SCHEMA_tables)
            continue;
        view = &writing->schema->tables.items[objects->items[i].index];
        key = link_key(writing->arena, SCHEMA_tables, view);
        if (text_equal(view->kind, "materialized view") && view->is_populated &&
            map_get(&writing->made, key) && rests_on_rows(writing, key, 0))
            write_up_sql(writing, arena_printf(writing->arena, "REFRESH MATERIALIZED VIEW %s",
                                      db_qualified(writing->arena, view->schema, view->name)));
    }
}

void
write_seeds(struct writing *writing)
{
    const struct seeds *seeds = writing->seeds;
    struct arena *arena = writing->arena;

    if (!seeds || seeds->tables.count + seeds->sequences.count == 0)
        return;
    if (seeds->tables.count > 0)
        text_list_add(arena, &writing->up,
            "    # Rows that the revisions before put into the empty database.");
    for (size_t i = 0; i < seeds->tables.count; i++) {
        switch_triggers(writing, &seeds->tables.items[i], false);
        switch_force(writing, &seeds->tables.items[i], false);
    }
    defer_foreign_keys(writing, true);
    for (size_t i = 0; i < seeds->tables.count; i++)
        write_rows(writing, &seeds->tables.items[i]);
    if (has_deferred(writing))
        write_up_sql(writing, "SET CONSTRAINTS ALL IMMEDIATE");
    defer_foreign_keys(writing, false);
    for (size_t i = 0; i < seeds->tables.count; i++) {
        switch_force(writing, &seeds->tables.items[i], true);
        switch_triggers(writing, &seeds->tables.items[i], true);
    }
    for (size_t i = 0; i < writing->plan->groups.count; i++)
        refresh_views(writing, &writing->plan->groups.items[i].objects);
    for (size_t i = 0; i < seeds->sequences.count; i++) {
        const struct seed_sequence *sequence = &seeds->sequences.items[i];

        write_up_sql(
            writing, arena_printf(arena, "SELECT pg_catalog.setval(%s, %lld, %s)",
                         db_literal(arena, db_qualified(arena, sequence->schema, sequence->name)),
                         (long long)sequence->last_value, sequence->is_called ? "true" : "false"));
    }
}
