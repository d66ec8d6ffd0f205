/*
 * A setting of the server, of a table or of a role. What was written there before stands in the
 * journal before anything is changed, so that the undo puts back exactly that, or nothing.
 */
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/judge.h"
#include "change/kind_part.h"
#include "change/setting.h"
#include "db/ident.h"

enum { RELOAD_LIMIT_US = 10000000, RELOAD_TICK_US = 20000, DDL_LIMIT_US = 30000000 };

/* ---- what is written where ---- */

/* NULL in *ret: nothing. */
static bool
read_written(struct ctx *ctx, struct db *db, const struct change *change, const char **ret)
{
    struct sql_change_setting_table_rows of_table;
    struct sql_change_setting_role_rows of_role;
    struct sql_change_setting_file_rows of_file;

    *ret = NULL;
    if (change->table) {
        if (!sql_change_setting_table(
                ctx, db, &of_table, .table_oid = change->table_oid, .name = change->name))
            return error_wrap(ctx, "reading the storage parameters of %s", change->table);
        *ret = of_table.count == 1 ? of_table.items[0].value : NULL;
        return true;
    }
    if (change->role) {
        if (!sql_change_setting_role(ctx, db, &of_role, .role = change->role, .name = change->name))
            return error_wrap(ctx, "reading the settings of role %s", change->role);
        *ret = of_role.count == 1 ? of_role.items[0].value : NULL;
        return true;
    }
    if (!sql_change_setting_file(ctx, db, &of_file, .name = change->name))
        return error_wrap(ctx, "reading postgresql.auto.conf");
    *ret = of_file.count == 1 ? of_file.items[0].value : NULL;
    return true;
}

static bool
read_now(struct ctx *ctx, struct db *db, const char *name, struct sql_change_setting_now *ret)
{
    struct sql_change_setting_now_rows rows;

    *ret = (struct sql_change_setting_now){ 0 };
    if (!sql_change_setting_now(ctx, db, &rows, .name = name))
        return error_wrap(ctx, "reading parameter %s", name);
    if (rows.count == 1)
        *ret = rows.items[0];
    return true;
}

/* ---- judging ---- */

static bool
block_without_right(
    struct ctx *ctx, struct db *db, struct change *change, const struct sql_change_setting_now *now)
{
    const char *role = db_ident(ctx->arena, db_user(db));

    if (!now->may_alter)
        return change_block(change,
            arena_printf(ctx->arena, "role %s may not ALTER SYSTEM SET %s", role, change->name),
            db_major(db) < 15
                ? "connect as a superuser"
                : arena_printf(
                      ctx->arena, "GRANT ALTER SYSTEM ON PARAMETER %s TO %s;", change->name, role));
    if (!now->may_see_file)
        return change_block(change,
            arena_printf(ctx->arena,
                "role %s may not read pg_file_settings: what is there before, and so the undo, "
                "would not be known",
                role),
            arena_printf(ctx->arena,
                "GRANT SELECT ON pg_catalog.pg_file_settings TO %s; GRANT EXECUTE ON FUNCTION "
                "pg_catalog.pg_show_all_file_settings() TO %s;",
                role, role));
    return change_block(change,
        arena_printf(ctx->arena, "role %s may not reload the configuration", role),
        arena_printf(
            ctx->arena, "GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO %s;", role));
}

static bool
judge_server(struct ctx *ctx, struct db *db, struct change *change)
{
    struct sql_change_setting_now now;
    const char *written;

    if (!read_now(ctx, db, change->name, &now))
        return false;
    if (!now.value)
        return change_block(change,
            arena_printf(
                ctx->arena, "this server has no parameter %s that this role can see", change->name),
            NULL);
    if (!now.may_alter || !now.may_see_file || !now.may_reload)
        return block_without_right(ctx, db, change, &now);
    if (text_equal(now.source, "command line"))
        return change_block(change,
            arena_printf(ctx->arena,
                "%s is set on the command line of the server, which goes first", change->name),
            "change it where the server is started");
    if (!read_written(ctx, db, change, &written))
        return false;
    if (text_equal(written, change->definition)) {
        change->action = ACTION_NONE;
        change->problem = now.is_pending_restart ? "it is set already, and waits for a restart"
                                                 : "it is set already";
    }
    return true;
}

/* The server itself says what is wrong with it, in a transaction that is rolled back. */
static bool
judge_by_trial(struct ctx *ctx, struct db *db, struct change *change)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *written;

    if (!read_written(ctx, db, change, &written))
        return false;
    if (text_equal(written, change->definition)) {
        change->action = ACTION_NONE;
        change->problem = "it is set already";
        return true;
    }
    if (!db_begin(ctx, db, "READ WRITE", &transaction) ||
        !db_exec(ctx, db, "SET LOCAL lock_timeout = '2s'"))
        return false;
    if (db_exec(ctx, db, setting_statement(ctx->arena, change, change->definition)))
        return true;
    /* Somebody holds the table at the moment: the change itself tries longer. */
    if (is_lock_trouble(ctx)) {
        error_clear(ctx);
        return true;
    }
    return work_take_refusal(ctx, change);
}

static bool
judge(struct ctx *ctx, struct db *db, const struct journal_entries *journal, struct change *change)
{
    struct sql_change_table_now table;
    bool is_found = true;

    (void)journal;
    if (!setting_is_allowed(change))
        return change_block(change,
            arena_printf(ctx->arena, "a plan may not set %s", change_object(ctx->arena, change)),
            "set it by hand if you are sure");
    if (!change->table && !change->role)
        return judge_server(ctx, db, change);
    if (change->table && !work_find_table(ctx, db, change, &table, &is_found))
        return false;
    return !is_found || judge_by_trial(ctx, db, change);
}

/* ---- doing and undoing ---- */

struct written {
    const struct change *change;
    const char *value; /* NULL: nothing */
};

static bool
is_written(struct ctx *ctx, struct db *db, const void *data, bool *ret)
{
    const struct written *written = data;
    const char *now;

    *ret = false;
    if (!read_written(ctx, db, written->change, &now))
        return false;
    *ret = text_equal(now, written->value);
    return true;
}

/*
 * Waits until this session has read the files anew. What is in force is compared only where nothing
 * goes before the file: a database or a role may have a value of its own.
 */
static bool
check_server(struct ctx *ctx, struct db *db, const struct written *written, const char *loaded_at,
    bool *ret_waits_for_restart)
{
    int64_t end = clock_us() + RELOAD_LIMIT_US;
    const char *name = written->change->name;
    struct sql_change_setting_file_rows file;
    struct sql_change_setting_now now;
    bool is_known;

    do {
        if (!read_now(ctx, db, name, &now))
            return false;
        if (!text_equal(now.loaded_at, loaded_at))
            break;
        if (!clock_sleep_us(RELOAD_TICK_US))
            return interrupt_error(ctx, interrupt_signal());
    } while (clock_us() < end);
    if (!sql_change_setting_file(ctx, db, &file, .name = name))
        return false;
    *ret_waits_for_restart = now.is_pending_restart;
    if (text_equal(now.loaded_at, loaded_at))
        return error_set(ctx, ERR_VERIFICATION, "the server did not read its configuration anew");
    if (!text_equal(file.count == 1 ? file.items[0].value : NULL, written->value))
        return error_set(ctx, ERR_VERIFICATION, "postgresql.auto.conf does not show it");
    if (!written->value || now.is_pending_restart)
        return true;
    if (!file.items[0].is_applied)
        return error_set(ctx, ERR_VERIFICATION, "the server does not take the value: %s",
            file.items[0].problem ? file.items[0].problem
                                  : "its configuration files have an error, see pg_file_settings");
    if (setting_is_value(written->value, now.reset_value, now.unit, now.kind, &is_known) ||
        !is_known || !text_equal(now.source, "configuration file"))
        return true;
    return error_set(
        ctx, ERR_VERIFICATION, "pg_settings shows %s%s", now.reset_value, now.unit ? now.unit : "");
}

static bool
put_server(struct ctx *ctx, struct rollout *rollout, const struct written *written,
    bool *ret_waits_for_restart)
{
    struct sql_change_setting_now now;

    return read_now(ctx, rollout->db, written->change->name, &now) &&
           db_exec(
               ctx, rollout->db, setting_statement(ctx->arena, written->change, written->value)) &&
           db_exec(ctx, rollout->db, "SELECT pg_catalog.pg_reload_conf()") &&
           check_server(ctx, rollout->db, written, now.loaded_at, ret_waits_for_restart);
}

static bool
put(struct ctx *ctx, struct rollout *rollout, const struct written *written,
    struct rollout_outcome *ret, bool *ret_waits_for_restart)
{
    struct ddl ddl = {
        .what = arena_printf(ctx->arena, "setting %s", change_object(ctx->arena, written->change)),
        .limit_us = DDL_LIMIT_US,
        .is_done = is_written,
        .data = written,
    };

    *ret_waits_for_restart = false;
    if (!written->change->table && !written->change->role)
        return put_server(ctx, rollout, written, ret_waits_for_restart);
    text_list_add(ctx->arena, &ddl.statements,
        setting_statement(ctx->arena, written->change, written->value));
    return ddl_run(ctx, rollout, &ddl, ret);
}

/* ALTER SYSTEM is in no transaction: when it was done and is no good, the value before comes back. */
static bool
take_back(struct ctx *ctx, struct rollout *rollout, const struct change *change, const char *before)
{
    struct error why = ctx->error;
    int signal_number = interrupt_take();
    struct written back = { change, before };
    bool is_good = true;
    bool is_there = true;
    bool waits;

    error_clear(ctx);
    if (!change->table && !change->role)
        is_good = is_written(ctx, rollout->db, &back, &is_there) &&
                  (is_there || put_server(ctx, rollout, &back, &waits));
    interrupt_put(signal_number);
    ctx->error = why;
    return is_good;
}

static bool
apply(struct ctx *ctx, struct rollout *rollout, struct change *change, struct rollout_outcome *ret)
{
    struct journal_entry entry;
    struct written written = { change, change->definition };
    const char *before;
    bool waits;
    json_t *json CLEANUP(json_release) = work_about(change);

    if (!read_written(ctx, rollout->db, change, &before))
        return error_state(ctx, "%s was not begun.", ret->name);
    json_object_set_new(json, "role", change->role ? json_string(change->role) : json_null());
    json_object_set_new(json, "value", json_string(change->definition));
    json_object_set_new(json, "before", before ? json_string(before) : json_null());
    change->undo = setting_statement(ctx->arena, change, before);
    if (!work_begin(ctx, rollout, change, json_text(ctx->arena, json), &entry))
        return false;
    if (!put(ctx, rollout, &written, ret, &waits)) {
        if (take_back(ctx, rollout, change, before))
            return work_fail(ctx, rollout, &entry);
        error_hint(ctx, "Run the same command again: it looks whether it was done.");
        return error_state(ctx, "It is not known whether %s was set.", ret->name);
    }
    ret->result = waits ? "set; it needs a restart of the server to be in force" : "set";
    return work_succeed(ctx, rollout, &entry, NULL, ret);
}

/* What an entry of the journal says, and what is written there now. */
struct setting {
    struct change change;
    const char *value;
    const char *before;
    const char *now;
};

static bool
read_setting(struct ctx *ctx, struct db *db, const struct journal_entry *entry, struct setting *ret)
{
    json_t *json CLEANUP(json_release) = NULL;

    if (!work_detail(ctx, entry, &json))
        return false;
    work_read_about(ctx, json, &ret->change);
    ret->change.kind = KIND_SETTING;
    ret->change.role = json_get_text(ctx->arena, json, "role", NULL);
    ret->value = json_get_text(ctx->arena, json, "value", NULL);
    ret->before = json_get_text(ctx->arena, json, "before", NULL);
    return read_written(ctx, db, &ret->change, &ret->now);
}

static bool
undo(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry,
    struct rollout_outcome *ret)
{
    struct setting setting;
    struct written back = { 0 };
    bool waits;

    if (!read_setting(ctx, rollout->db, entry, &setting))
        return false;
    if (text_equal(setting.now, setting.before) && !text_equal(entry->state, ENTRY_UNDOING))
        return work_undone(ctx, rollout, entry, "was undone already", ret);
    if (!text_equal(setting.now, setting.value) && !text_equal(setting.now, setting.before)) {
        error_set(ctx, ERR_CONFLICT, "%s was set to %s since", entry->object,
            setting.now ? setting.now : "its default");
        return work_keep(ctx, rollout, entry);
    }
    if (!work_undoing(ctx, rollout, entry))
        return false;
    back.change = &setting.change;
    back.value = setting.before;
    if (!put(ctx, rollout, &back, ret, &waits))
        return work_keep(ctx, rollout, entry);
    ret->is_done = true;
    return work_undone(ctx, rollout, entry,
        arena_printf(ctx->arena, "%s%s", setting.before ? "back to " : "no longer set",
            setting.before ? setting.before : ""),
        ret);
}

/* A kill came between ALTER SYSTEM and the journal, or the reload: what is written counts. */
static bool
heal(struct ctx *ctx, struct rollout *rollout, struct journal_entry *entry)
{
    struct setting setting;
    bool is_done;

    if (!read_setting(ctx, rollout->db, entry, &setting))
        return false;
    is_done = text_equal(setting.now, setting.value);
    if (is_done && !setting.change.table && !setting.change.role &&
        !db_exec(ctx, rollout->db, "SELECT pg_catalog.pg_reload_conf()"))
        return false;
    return journal_update(ctx, &rollout->journal, entry, is_done ? ENTRY_DONE : ENTRY_FAILED, NULL);
}

static bool
look(struct ctx *ctx, struct db *db, const struct journal_entry *entry, const char **ret_now)
{
    struct setting setting;

    if (!read_setting(ctx, db, entry, &setting))
        return false;
    *ret_now = text_equal(setting.now, setting.value) ? "set"
               : setting.now                          ? "altered since"
                                                      : "no longer set";
    return true;
}

const struct change_kind kind_setting = {
    .name = KIND_SETTING,
    .judge = judge,
    .look = look,
    .apply = apply,
    .undo = undo,
    .heal = heal,
};
