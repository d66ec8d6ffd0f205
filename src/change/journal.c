#include "change/journal.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/vec.h"
#include "catalog/inventory.h"
#include "change/journal_file.h"
#include "change/lock.h"
#include "db/ident.h"
#include "sql.h"

bool
journal_entry_is_open(const struct journal_entry *entry)
{
    return text_equal(entry->state, ENTRY_STARTED) || text_equal(entry->state, ENTRY_LEFTOVER) ||
           text_equal(entry->state, ENTRY_UNDOING);
}

static bool
look_at_schema(struct ctx *ctx, struct db *db, struct sql_change_schema_exists *ret)
{
    struct sql_change_schema_exists_rows rows;

    *ret = (struct sql_change_schema_exists){ 0 };
    if (!sql_change_schema_exists(ctx, db, &rows))
        return error_wrap(ctx, "looking for schema pgmend");
    if (rows.count == 1)
        *ret = rows.items[0];
    return true;
}

/* What a later pgmend changed there would be undone or misread by what this one writes. */
static bool
refuse_newer(struct ctx *ctx, const struct sql_change_schema_exists *schema)
{
    if (!schema->has_schema || schema->format <= JOURNAL_FORMAT)
        return true;
    error_set(ctx, ERR_UNSUPPORTED,
        "schema pgmend was written by a newer pgmend (format %" PRId64 ", this one knows %d)",
        schema->format, JOURNAL_FORMAT);
    error_state(ctx, "Nothing was changed.");
    return error_hint(ctx, "Use the version that wrote it; reading works with this one too.");
}

bool
journal_check_format(struct ctx *ctx, struct db *db)
{
    struct sql_change_schema_exists schema;

    return look_at_schema(ctx, db, &schema) && refuse_newer(ctx, &schema);
}

bool
journal_is_installed(struct ctx *ctx, struct db *db, bool *ret)
{
    struct sql_change_schema_exists schema;

    if (!look_at_schema(ctx, db, &schema))
        return false;
    *ret = schema.has_tables;
    return true;
}

static bool
create_tables(struct ctx *ctx, struct db *db)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    return db_begin(ctx, db, NULL, &transaction) && sql_change_create_schema(ctx, db) &&
           sql_change_create_run(ctx, db) && sql_change_create_journal(ctx, db) &&
           sql_change_create_gate(ctx, db) && sql_change_create_value(ctx, db) &&
           sql_change_create_step(ctx, db) && sql_change_create_plan(ctx, db) &&
           db_commit(ctx, &transaction);
}

/* What an older version made stays, and gets what it lacks. */
static bool
upgrade_tables(struct ctx *ctx, struct db *db)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    return db_begin(ctx, db, NULL, &transaction) && sql_change_create_value(ctx, db) &&
           sql_change_create_step(ctx, db) && sql_change_create_plan(ctx, db) &&
           sql_change_add_journal_step(ctx, db) && db_commit(ctx, &transaction);
}

bool
journal_install(struct ctx *ctx, struct db *db)
{
    struct sql_change_schema_exists schema;

    if (!look_at_schema(ctx, db, &schema) || !refuse_newer(ctx, &schema))
        return false;
    if (schema.is_current || (schema.has_tables && upgrade_tables(ctx, db)))
        return true;
    /* The role may not be the one that made it. */
    if (schema.has_tables && ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx,
            "GRANT CREATE ON SCHEMA pgmend TO %s; and as the owner of its tables: ALTER TABLE "
            "pgmend.journal ADD COLUMN IF NOT EXISTS step text;",
            db_ident(ctx->arena, db_user(db)));
    if (schema.has_tables)
        return error_wrap(ctx, "adding what this version needs to schema pgmend");
    if (!schema.has_tables && create_tables(ctx, db))
        return true;
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx,
            "GRANT CREATE ON DATABASE %s TO %s; (pgmend keeps its journal in a schema "
            "of its own)",
            db_ident(ctx->arena, db_name(db)), db_ident(ctx->arena, db_user(db)));
    return error_wrap(ctx, "creating schema pgmend");
}

bool
journal_system_identifier(struct ctx *ctx, struct db *db, const char **ret)
{
    struct sql_change_system_identifier_rows rows;

    *ret = NULL;
    if (sql_change_system_identifier(ctx, db, &rows)) {
        *ret = rows.count == 1 ? rows.items[0].system_identifier : NULL;
        return true;
    }
    if (ctx->error.kind != ERR_RIGHTS)
        return error_wrap(ctx, "reading the cluster's identifier");
    error_clear(ctx);
    return true;
}

/* The local file of this database: <state_dir>/journal/<cluster>-<database>.jsonl. */
bool
journal_path(struct ctx *ctx, struct db *db, const char *state_dir, const char **ret)
{
    const char *cluster;
    struct buffer name = { .arena = ctx->arena };

    if (!journal_system_identifier(ctx, db, &cluster))
        return false;
    buffer_printf(&name, "%s-", cluster ? cluster : "unknown");
    for (const char *at = db_name(db); *at; at++) {
        if (*at == '/' || *at == '.' || *at == '%' || (unsigned char)*at < ' ')
            buffer_printf(&name, "%%%02x", (unsigned char)*at);
        else
            buffer_append(&name, at, 1);
    }
    buffer_add(&name, ".jsonl");
    *ret = file_join(ctx->arena, file_join(ctx->arena, state_dir, "journal"), buffer_text(&name));
    return true;
}

/* The table's row follows the file's line; a NULL detail is an empty object. */
static bool
put_entry(struct ctx *ctx, const struct journal *journal, struct journal_entry *entry)
{
    struct sql_change_put_entry_rows rows;

    fault_point("journal");
    if (!journal_file_add_entry(ctx, journal->file, entry))
        return false;
    fault_point("journal");
    if (!sql_change_put_entry(ctx, journal->db, &rows, .entry = entry->entry, .run = entry->run,
            .kind = entry->kind, .object = entry->object, .relation = entry->relation,
            .statement = entry->statement, .undo = entry->undo, .state = entry->state,
            .started_at = entry->started_at, .ended_at = entry->ended_at, .detail = entry->detail,
            .step = entry->step))
        return false;
    fault_point("journal");
    entry->id = rows.count == 1 ? rows.items[0].id : 0;
    return true;
}

bool
journal_start(struct ctx *ctx, const struct journal *journal, struct journal_entry *entry)
{
    entry->entry = random_hex(ctx->arena, 8);
    entry->run = journal->run;
    entry->step = journal->step;
    entry->state = ENTRY_STARTED;
    entry->started_at = clock_text(ctx->arena, clock_wall_us());
    entry->ended_at = NULL;
    if (!entry->detail)
        entry->detail = "{}";
    if (!put_entry(ctx, journal, entry))
        return error_wrap(ctx, "writing the journal before the change");
    return true;
}

bool
journal_update(struct ctx *ctx, const struct journal *journal, struct journal_entry *entry,
    const char *state, const char *detail)
{
    entry->state = state;
    if (detail)
        entry->detail = detail;
    entry->ended_at = clock_text(ctx->arena, clock_wall_us());
    if (!put_entry(ctx, journal, entry))
        return error_wrap(ctx, "writing into the journal that %s is %s", entry->object, state);
    return true;
}

/*
 * Whether the table has the entry. If so its own state counts, and the catalogue decides what is
 * to be done: the database may have been set back to before an undo that the file tells of.
 */
static bool
is_known(const struct journal_entries *table, const struct journal_entry *entry)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct journal_entry *known = &table->items[i];

        if (text_equal(known->entry, entry->entry))
            return true;
    }
    return false;
}

/* The runs that the entries are of; the one that begins now writes itself. */
static bool
carry_runs(struct ctx *ctx, const struct journal *journal)
{
    struct journal_file_runs runs;

    if (!journal_file_read_runs(ctx, journal->file, &runs))
        return false;
    for (size_t i = 0; i < runs.count; i++) {
        const struct journal_file_run *run = &runs.items[i];

        if (text_equal(run->run, journal->run))
            continue;
        if (!sql_change_carry_run(ctx, journal->db, .id = run->run, .command = run->command,
                .state = run->state, .actor = run->actor, .client = run->client,
                .plan_hash = run->plan_hash, .overrides = run->overrides,
                .started_at = run->started_at, .ended_at = run->ended_at))
            return error_wrap(ctx, "carrying the runs over from %s", journal->file);
    }
    return true;
}

/* Entries of the file that the table lacks: the database was restored or replaced since. */
static bool
carry_over(struct ctx *ctx, struct journal *journal)
{
    struct journal_entries known;
    struct journal_entries in_file;
    size_t carried = 0;
    bool is_torn;

    if (!journal_load(ctx, journal->db, &known) ||
        !journal_file_mend(ctx, journal->file, &is_torn) ||
        !journal_file_read(ctx, journal->file, &in_file))
        return false;
    if (is_torn)
        text_list_add(ctx->arena, &journal->notes,
            arena_printf(ctx->arena, "the torn last line of %s was cut off", journal->file));
    for (size_t i = 0; i < in_file.count; i++) {
        struct journal_entry *entry = &in_file.items[i];
        struct sql_change_put_entry_rows rows;

        if (is_known(&known, entry))
            continue;
        if (!sql_change_put_entry(ctx, journal->db, &rows, .entry = entry->entry, .run = entry->run,
                .kind = entry->kind, .object = entry->object, .relation = entry->relation,
                .statement = entry->statement, .undo = entry->undo, .state = entry->state,
                .started_at = entry->started_at, .ended_at = entry->ended_at,
                .detail = entry->detail, .step = entry->step))
            return error_wrap(ctx, "carrying the journal over from %s", journal->file);
        carried++;
    }
    if (carried > 0 && !carry_runs(ctx, journal))
        return false;
    if (carried > 0)
        text_list_add(ctx->arena, &journal->notes,
            arena_printf(ctx->arena, "%zu journal entries were carried over from %s", carried,
                journal->file));
    return true;
}

bool
journal_begin(struct ctx *ctx, struct db *db, const struct journal_run *run, struct journal *ret)
{
    const char *catalogue;
    const char *now = clock_text(ctx->arena, clock_wall_us());
    struct journal_run about = *run;

    *ret = (struct journal){ .db = db, .run = run->id ? run->id : random_hex(ctx->arena, 6) };
    about.actor = db_user(db);
    about.client =
        arena_printf(ctx->arena, "%s@%s", client_process(ctx->arena), client_host(ctx->arena));
    if (!journal_path(ctx, db, run->state_dir, &ret->file) ||
        !file_make_folder(ctx, file_join(ctx->arena, run->state_dir, "journal")) ||
        !inventory_take(ctx, db, &catalogue) || !journal_install(ctx, db) || !carry_over(ctx, ret))
        return error_wrap(ctx, "opening the journal");
    fault_point("journal");
    if (!journal_file_add_run(ctx, ret->file, ret->run, &about, RUN_RUNNING, now) ||
        !sql_change_close_runs(ctx, db, .own = ret->run, .ended_at = now) ||
        !sql_change_add_run(ctx, db, .id = ret->run, .command = run->command,
            .client = about.client, .version = PGMEND_VERSION, .plan_hash = run->plan_hash,
            .catalogue = catalogue, .overrides = run->overrides, .started_at = now))
        return error_wrap(ctx, "writing into the journal that a run begins");
    fault_point("journal");
    return true;
}

bool
journal_retake(struct ctx *ctx, const struct journal *journal)
{
    const char *catalogue;

    return (inventory_take(ctx, journal->db, &catalogue) &&
               sql_change_run_catalogue(
                   ctx, journal->db, .id = journal->run, .catalogue = catalogue)) ||
           error_wrap(ctx, "recording the catalogue before the run");
}

bool
journal_end(struct ctx *ctx, const struct journal *journal, const char *state, const char *message)
{
    const char *now = clock_text(ctx->arena, clock_wall_us());

    fault_point("journal");
    if (!journal_file_add_run(ctx, journal->file, journal->run, NULL, state, now) ||
        !sql_change_end_run(ctx, journal->db, .id = journal->run, .state = state,
            .message = message, .ended_at = now))
        return error_wrap(ctx, "writing into the journal that the run ended");
    fault_point("journal");
    return true;
}

bool
journal_load(struct ctx *ctx, struct db *db, struct journal_entries *ret)
{
    struct sql_change_entries_rows rows;
    bool is_there;

    *ret = (struct journal_entries){ 0 };
    if (!journal_is_installed(ctx, db, &is_there))
        return false;
    if (!is_there)
        return true;
    if (!sql_change_entries(ctx, db, &rows))
        return error_wrap(ctx, "reading the journal");
    for (size_t i = 0; i < rows.count; i++) {
        const struct sql_change_entries *row = &rows.items[i];
        struct journal_entry entry = { .id = row->id,
            .entry = row->entry,
            .run = row->run,
            .kind = row->kind,
            .object = row->object,
            .relation = row->relation,
            .statement = row->statement,
            .undo = row->undo,
            .state = row->state,
            .started_at = row->started_at,
            .ended_at = row->ended_at,
            .detail = row->detail,
            .step = row->step };

        VEC_PUSH(ctx->arena, ret, entry);
    }
    return true;
}
