#include "queries/logging/logging.h"

#include "base/interrupt.h"
#include "db/ident.h"
#include "sql.h"

/* ---- what has to be set ---- */

static const char *
value_of(const struct sql_queries_logging_settings_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (text_equal(rows->items[i].name, name))
            return rows->items[i].value;
    return NULL;
}

static void
add_setting(struct ctx *ctx, struct logging_plan *plan, const char *name, const char *value,
    const char *why)
{
    struct logging_setting setting = { name, value, why };

    VEC_PUSH(ctx->arena, &plan->settings, setting);
}

static bool
is_in_list(const char *list, const char *word)
{
    return list && strstr(list, word) != NULL;
}

/* Which form of the log is read, and whether the server has to be told to write it. */
static bool
choose_form(struct ctx *ctx, struct db *db, const struct sql_queries_logging_settings_rows *rows,
    struct logging_plan *plan)
{
    const char *destination = value_of(rows, "log_destination");
    const char *wanted = db_major(db) >= 15 ? "jsonlog" : "csvlog";

    if (!text_equal(value_of(rows, "logging_collector"), "on")) {
        error_set(ctx, ERR_UNSUPPORTED,
            "logging_collector is off: the server does not know in which file its log ends up");
        return error_hint(ctx,
            "Name the file with --log-file, as in /var/log/postgresql/postgresql-%d-main.log on "
            "Debian; logging_collector = on needs a restart.",
            db_major(db));
    }
    if (is_in_list(destination, "jsonlog"))
        wanted = "jsonlog";
    else if (is_in_list(destination, "csvlog"))
        wanted = "csvlog";
    else
        add_setting(ctx, plan, "log_destination",
            text_is_empty(destination) ? wanted
                                       : arena_printf(ctx->arena, "%s,%s", destination, wanted),
            "a log that can be read without guessing");
    plan->form = wanted;
    plan->format = text_equal(wanted, "jsonlog") ? LOG_FORMAT_JSON : LOG_FORMAT_CSV;
    return true;
}

static bool
check_language(struct ctx *ctx, const char *language)
{
    if (text_is_empty(language) || text_equal(language, "C") || text_equal(language, "POSIX") ||
        text_starts_with(language, "C.") || text_starts_with(language, "en") ||
        text_starts_with(language, "English"))
        return true;
    error_set(ctx, ERR_UNSUPPORTED,
        "the server writes its messages in another language (lc_messages = %s)", language);
    return error_hint(
        ctx, "ALTER SYSTEM SET lc_messages = 'C'; SELECT pg_reload_conf(); then try again");
}

/* Everything that would be set, for who has to do it by other means. */
static const char *
by_hand(struct ctx *ctx, const struct logging_plan *plan)
{
    struct buffer buffer = { .arena = ctx->arena };

    for (size_t i = 0; i < plan->settings.count; i++)
        buffer_printf(&buffer, "%s%s = %s", i > 0 ? ", " : "", plan->settings.items[i].name,
            plan->settings.items[i].value);
    return buffer_text(&buffer);
}

static bool
check_right(struct ctx *ctx, struct db *db, const struct logging_plan *plan, const char *name)
{
    struct sql_change_setting_now_rows rows;
    const char *missing = NULL;
    const char *remedy = NULL;
    const char *role = db_ident(ctx->arena, db_user(db));

    if (!sql_change_setting_now(ctx, db, &rows, .name = name))
        return error_wrap(ctx, "reading parameter %s", name);
    if (rows.count == 0)
        return error_set(ctx, ERR_UNSUPPORTED, "this server has no parameter %s", name);
    if (!rows.items[0].may_alter) {
        missing = arena_printf(ctx->arena, "ALTER SYSTEM SET %s", name);
        remedy = db_major(db) < 15 ? "connect as a superuser"
                                   : arena_printf(ctx->arena,
                                         "GRANT ALTER SYSTEM ON PARAMETER %s TO %s;", name, role);
    } else if (!rows.items[0].may_see_file) {
        missing = "read pg_file_settings";
        remedy = arena_printf(ctx->arena,
            "GRANT SELECT ON pg_catalog.pg_file_settings TO %s; GRANT EXECUTE ON FUNCTION "
            "pg_catalog.pg_show_all_file_settings() TO %s;",
            role, role);
    } else if (!rows.items[0].may_reload) {
        missing = "reload the configuration";
        remedy = arena_printf(
            ctx->arena, "GRANT EXECUTE ON FUNCTION pg_catalog.pg_reload_conf() TO %s;", role);
    }
    if (!missing)
        return true;
    error_set(ctx, ERR_RIGHTS, "role %s may not %s", role, missing);
    error_hint(ctx,
        "%s Where nobody may (managed servers): set %s with the provider's own means, trace with "
        "its log file (pgmend queries nplusone FILE), and set it back.",
        remedy, by_hand(ctx, plan));
    return error_state(ctx, "Nothing was changed.");
}

bool
logging_plan(struct ctx *ctx, struct db *db, double sample_rate, const char *log_file,
    struct logging_plan *ret)
{
    struct sql_queries_logging_settings_rows rows;
    double now = 0;

    *ret = (struct logging_plan){ .path = log_file, .form = "stderr" };
    if (!sql_queries_logging_settings(ctx, db, &rows))
        return error_wrap(ctx, "reading the settings of the server's log");
    ret->folder = value_of(&rows, "data_directory");
    if (!check_language(ctx, value_of(&rows, "lc_messages")))
        return error_state(ctx, "Nothing was changed.");
    if (!text_to_double(value_of(&rows, "log_transaction_sample_rate"), &now) || now < sample_rate)
        add_setting(ctx, ret, "log_transaction_sample_rate",
            arena_printf(ctx->arena, "%.9g", sample_rate),
            "the share of transactions that is logged");
    if (!text_equal(value_of(&rows, "log_parameter_max_length"), "-1"))
        add_setting(ctx, ret, "log_parameter_max_length", "-1", "parameters as they are");
    if (!log_file && !choose_form(ctx, db, &rows, ret))
        return error_state(ctx, "Nothing was changed.");
    if (log_file)
        ret->prefix = value_of(&rows, "log_line_prefix");
    for (size_t i = 0; i < ret->settings.count; i++)
        if (!check_right(ctx, db, ret, ret->settings.items[i].name))
            return false;
    return true;
}

/* ---- setting and putting back ---- */

bool
logging_enable(struct ctx *ctx, struct rollout *rollout, const struct logging_plan *plan)
{
    for (size_t i = 0; i < plan->settings.count; i++) {
        struct change change = {
            .kind = KIND_SETTING,
            .name = plan->settings.items[i].name,
            .definition = plan->settings.items[i].value,
            .reason = plan->settings.items[i].why,
            .source = LOGGING_COMMAND,
        };
        struct rollout_outcome outcome;

        change_compose(ctx->arena, &change);
        if (!rollout_create(ctx, rollout, &change, &outcome))
            return false;
    }
    return true;
}

/* Undoes the standing entries of the runs, the newest first. */
static bool
undo_entries(struct ctx *ctx, struct rollout *rollout, const struct text_list *runs,
    struct text_list *ret_left, size_t *ret_count)
{
    struct journal_entries entries;
    bool is_good = true;

    if (!journal_load(ctx, rollout->db, &entries))
        return false;
    for (size_t i = entries.count; i-- > 0;) {
        struct journal_entry *entry = &entries.items[i];
        struct rollout_outcome outcome;

        if (!text_list_has(runs, entry->run) || !rollout_can_undo(entry))
            continue;
        if (rollout_undo(ctx, rollout, entry, &outcome)) {
            ++*ret_count;
            continue;
        }
        text_list_add(ctx->arena, ret_left, entry->object);
        is_good = false;
    }
    return is_good;
}

/* Runs that set what is logged, but for this one. */
static bool
find_runs(struct ctx *ctx, struct db *db, const char *but, struct text_list *ret)
{
    struct sql_change_runs_rows rows;

    if (!sql_change_runs(ctx, db, &rows))
        return error_wrap(ctx, "reading earlier runs");
    for (size_t i = 0; i < rows.count; i++)
        if (text_equal(rows.items[i].command, LOGGING_COMMAND) &&
            !text_equal(rows.items[i].id, but))
            text_list_add(ctx->arena, ret, rows.items[i].id);
    return true;
}

bool
logging_left(struct ctx *ctx, struct db *db, size_t *ret_count)
{
    struct journal_entries entries;
    struct text_list runs = { 0 };

    *ret_count = 0;
    if (!journal_load(ctx, db, &entries))
        return false;
    if (entries.count == 0) /* nor are there any runs, nor perhaps their table */
        return true;
    if (!find_runs(ctx, db, NULL, &runs))
        return false;
    for (size_t i = 0; i < entries.count; i++)
        *ret_count +=
            text_list_has(&runs, entries.items[i].run) && rollout_can_undo(&entries.items[i]);
    return true;
}

bool
logging_put_back_earlier(struct ctx *ctx, struct rollout *rollout, size_t *ret_count)
{
    struct text_list runs = { 0 };
    struct text_list left = { 0 };

    *ret_count = 0;
    if (!find_runs(ctx, rollout->db, rollout->journal.run, &runs))
        return false;
    return runs.count == 0 || undo_entries(ctx, rollout, &runs, &left, ret_count);
}

/* The server is back after a loss, or nothing can be put back. */
static bool
connect_again(struct ctx *ctx, struct rollout *rollout)
{
    return db_is_connected(rollout->db) || rollout_reconnect(ctx, rollout);
}

static void
add_names(struct ctx *ctx, const struct logging_plan *plan, struct text_list *ret)
{
    for (size_t i = 0; i < plan->settings.count; i++)
        text_list_add(ctx->arena, ret, plan->settings.items[i].name);
}

bool
logging_put_back(struct ctx *ctx, struct rollout *rollout, const struct logging_plan *plan)
{
    int signal_number = interrupt_take();
    struct text_list runs = { 0 };
    struct text_list left = { 0 };
    size_t count = 0;
    bool is_good;

    text_list_add(ctx->arena, &runs, rollout->journal.run);
    is_good = connect_again(ctx, rollout) && undo_entries(ctx, rollout, &runs, &left, &count);
    /* A connection that was lost between is worth one more try. */
    if (!is_good && !db_is_connected(rollout->db)) {
        error_clear(ctx);
        left.count = 0;
        is_good = connect_again(ctx, rollout) && undo_entries(ctx, rollout, &runs, &left, &count);
    }
    interrupt_put(signal_number);
    if (is_good)
        return true;
    /* The server did not say which: those of the plan, which is how it was left. */
    if (left.count == 0)
        add_names(ctx, plan, &left);
    error_hint(ctx, "\"pgmend rollback\" puts the server's log settings back.");
    return error_state(ctx, "Still set on the server: %s.",
        left.count > 0 ? text_list_join(ctx->arena, &left, ", ")
                       : "what this run has set for logging");
}
