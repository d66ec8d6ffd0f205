#include "flags/store.h"

#include <ctype.h>
#include <math.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "change/change.h"
#include "change/journal.h"
#include "change/journal_file.h"
#include "change/lock.h"
#include "db/ident.h"
#include "flags/reading.h"
#include "sql.h"

enum { NAME_BYTES = 100, VARIANT_BYTES = 40, SALT_LETTERS = 100 };

/* What there is of the flags in the database. */
static bool
find_parts(struct ctx *ctx, struct db *db, struct sql_flags_exists *ret)
{
    struct sql_flags_exists_rows rows;

    *ret = (struct sql_flags_exists){ 0 };
    if (!sql_flags_exists(ctx, db, &rows))
        return error_wrap(ctx, "looking for the flags");
    if (rows.count == 1)
        *ret = rows.items[0];
    return true;
}

static bool
grant_to(struct ctx *ctx, struct db *db, const char *right, const char *role)
{
    struct buffer sql = { .arena = ctx->arena };

    buffer_add(&sql, right);
    buffer_add(&sql, db_ident(ctx->arena, role));
    return db_exec(ctx, db, buffer_text(&sql));
}

/* Who could turn flags off before their table was dropped can follow the new one. */
static bool
give_back_rights(struct ctx *ctx, struct db *db)
{
    struct sql_flags_followers_rows rows;

    if (!sql_flags_followers(ctx, db, &rows))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        if (!rows.items[i].may_read &&
            !grant_to(ctx, db, "GRANT SELECT ON pgmend.flag TO ", rows.items[i].role))
            return false;
    return true;
}

bool
flags_install(struct ctx *ctx, struct db *db)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    struct sql_flags_exists parts;

    if (!journal_install(ctx, db) || !find_parts(ctx, db, &parts))
        return false;
    if (parts.is_there && parts.has_function)
        return true;
    if (db_begin(ctx, db, NULL, &transaction) && sql_flags_create_flag(ctx, db) &&
        sql_flags_create_flag_off(ctx, db) &&
        db_exec(ctx, db, "REVOKE ALL ON FUNCTION pgmend.flag_off(text, text) FROM PUBLIC") &&
        give_back_rights(ctx, db) && db_exec(ctx, db, "NOTIFY pgmend_flag") &&
        db_commit(ctx, &transaction))
        return true;
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(
            ctx, "GRANT USAGE, CREATE ON SCHEMA pgmend TO %s;", db_ident(ctx->arena, db_user(db)));
    return error_wrap(ctx, "making the table of the flags");
}

/* A function without its table, or entries in the journal: there were flags here. */
static bool
find_traces(struct ctx *ctx, struct db *db, const struct sql_flags_exists *parts, bool *ret)
{
    struct journal_entries entries;

    *ret = false;
    if (parts->is_there)
        return true;
    *ret = parts->has_function;
    if (*ret)
        return true;
    if (!journal_load(ctx, db, &entries))
        return false;
    for (size_t i = 0; i < entries.count; i++)
        *ret = *ret || text_equal(entries.items[i].kind, KIND_FLAG) ||
               text_equal(entries.items[i].kind, KIND_FLAG_OFF);
    return true;
}

#define LOST_TABLE "table pgmend.flag is gone, and processes that follow it keep what they last saw"

bool
flags_check_lost(struct ctx *ctx, struct db *db)
{
    struct sql_flags_exists parts;
    bool is_lost;

    if (!find_parts(ctx, db, &parts) || !find_traces(ctx, db, &parts, &is_lost))
        return false;
    if (!is_lost)
        return true;
    error_set(ctx, ERR_ATTENTION, LOST_TABLE);
    error_hint(ctx,
        "\"pgmend flags set --grant ROLE\", with the role of the application, makes it anew "
        "and empty: everybody gets the original then. Restarting the processes does too.");
    return error_state(ctx, "Nothing was changed.");
}

bool
flags_followers(struct ctx *ctx, struct db *db, struct text_list *ret)
{
    struct sql_flags_followers_rows rows;

    *ret = (struct text_list){ 0 };
    if (!sql_flags_followers(ctx, db, &rows))
        return error_wrap(ctx, "asking who may read the flags");
    for (size_t i = 0; i < rows.count; i++)
        if (rows.items[i].may_read)
            text_list_add(ctx->arena, ret, rows.items[i].role);
    return true;
}

/* What a role needs to set flags, as statements. */
static const char *
flags_rights(struct arena *arena, struct db *db)
{
    const char *role = db_ident(arena, db_user(db));

    return arena_printf(arena,
        "GRANT USAGE ON SCHEMA pgmend TO %s; GRANT SELECT, INSERT, UPDATE, DELETE ON pgmend.flag TO %s; "
        "GRANT SELECT, INSERT, UPDATE ON pgmend.run, pgmend.journal TO %s;",
        role, role, role);
}

bool
flags_grant(struct ctx *ctx, struct db *db, const char *role)
{
    static const char *const rights[] = {
        "GRANT USAGE ON SCHEMA pgmend TO ",
        "GRANT SELECT ON pgmend.flag TO ",
        "GRANT EXECUTE ON FUNCTION pgmend.flag_off(text, text) TO ",
    };
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };

    if (!db_begin(ctx, db, NULL, &transaction))
        return false;
    for (size_t i = 0; i < COUNT_OF(rights); i++) {
        if (grant_to(ctx, db, rights[i], role))
            continue;
        if (ctx->error.kind == ERR_RIGHTS)
            error_hint(ctx, "Only the owner of schema pgmend, table pgmend.flag and function "
                            "pgmend.flag_off(text, text), and superusers, may.");
        return error_wrap(ctx, "granting role %s what it needs to follow the flags", role);
    }
    /* Those who could not read them until now look again. */
    return db_exec(ctx, db, "NOTIFY pgmend_flag") && db_commit(ctx, &transaction);
}

/* Damaged rows as ones that can be listed and set anew: with whatever is good, and as if all were in. */
static struct flag_list
mend(struct arena *arena, const struct sql_flags_flags_rows *rows)
{
    struct flag_list list = { .items = ARENA_ARRAY(arena, struct flag, rows->count) };

    for (size_t i = 0; i < rows->count; i++)
        if (!text_is_empty(rows->items[i].name))
            list.items[list.count++] = (struct flag){
                .name = rows->items[i].name,
                .variant =
                    text_is_empty(rows->items[i].variant) ? "optimised" : rows->items[i].variant,
                .percent = 100,
                .salt = rows->items[i].salt ? rows->items[i].salt : "",
                .changed_us = rows->items[i].changed_us,
                .reason = "the row is damaged: what it said is not known",
            };
    return list;
}

/* 42703 and the like: a column was renamed, or is of another type. */
static void
hint_at_table(struct ctx *ctx, struct db *db)
{
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx, "GRANT USAGE ON SCHEMA pgmend TO %s; GRANT SELECT ON pgmend.flag TO %s;",
            db_ident(ctx->arena, db_user(db)), db_ident(ctx->arena, db_user(db)));
    else if (strncmp(ctx->error.sqlstate, "42", 2) == 0)
        error_hint(ctx,
            "Table pgmend.flag is damaged, and processes that follow it keep what they last "
            "saw. Put back what was altered, or make it anew and empty, so that everybody "
            "gets the original: DROP TABLE pgmend.flag; then \"pgmend flags set --grant "
            "ROLE\" with the role of the application.");
}

bool
flags_load(struct ctx *ctx, struct db *db, struct flag_list *ret, const char **ret_problem)
{
    static const struct flag_list none = { 0 };
    struct sql_flags_flags_rows rows;
    struct flag_list mended;
    struct sql_flags_exists parts;
    bool is_lost;

    *ret = none;
    *ret_problem = NULL;
    if (!find_parts(ctx, db, &parts) || !find_traces(ctx, db, &parts, &is_lost))
        return false;
    if (is_lost)
        *ret_problem = LOST_TABLE;
    if (!parts.is_there)
        return true;
    if (!sql_flags_flags(ctx, db, &rows)) {
        hint_at_table(ctx, db);
        return error_wrap(ctx, "reading the flags");
    }
    mended = mend(ctx->arena, &rows);
    *ret = flags_read(ctx->arena, rows.items, rows.count, &mended, ret_problem);
    return true;
}

static bool
is_word(const char *text, size_t most, bool with_dots)
{
    size_t length = strlen(text);

    if (length == 0 || length > most || !islower((unsigned char)*text))
        return false;
    for (const char *at = text; *at; at++)
        if (!islower((unsigned char)*at) && !isdigit((unsigned char)*at) && *at != '_' &&
            !(with_dots && *at == '.'))
            return false;
    return true;
}

/* What the table would refuse, in words that say why. */
static bool
check(struct ctx *ctx, const struct flag *flag)
{
    if (text_is_empty(flag->name))
        return error_set(ctx, ERR_INPUT, "the name of the flag is empty");
    if (!is_word(flag->name, NAME_BYTES, true))
        return error_set(ctx, ERR_INPUT,
            "\"%s\" cannot be the name of a flag: a small letter, then small letters, digits, _ and .",
            flag->name);
    if (!is_word(flag->variant, VARIANT_BYTES, false))
        return error_set(ctx, ERR_INPUT,
            "\"%s\" cannot be the name of a variant: a small letter, then small letters, digits and _",
            flag->variant);
    if (flag->percent < 0 || flag->percent > 100)
        return error_set(ctx, ERR_INPUT, "%d %% is not a share of 0 to 100 %%", flag->percent);
    if (flag->fallback < 0 || flag->fallback > 100)
        return error_set(ctx, ERR_INPUT, "%d %% is not a share of 0 to 100 %%", flag->fallback);
    if (!(flag->shadow_ratio >= 0 && flag->shadow_ratio <= 1))
        return error_set(
            ctx, ERR_INPUT, "a share of shadows is 0 to 1, not %g", flag->shadow_ratio);
    if (text_width(flag->salt) > SALT_LETTERS || !text_is_utf8(flag->salt))
        return error_set(ctx, ERR_INPUT, "a salt has at most %d letters", SALT_LETTERS);
    return true;
}

json_t *
flag_json(const struct flag *flag)
{
    return json_pack("{s:s, s:s, s:i, s:s, s:f, s:i, s:s}", "name", flag->name, "variant",
        flag->variant, "percent", flag->percent, "salt", flag->salt, "shadow_ratio",
        isfinite(flag->shadow_ratio) ? flag->shadow_ratio : -1.0, "fallback", flag->fallback,
        "reason", flag->reason);
}

/* Whether it is turned off: nobody gets it any more, or it has no shadows any more either. */
static bool
is_off(const struct flag_change *change, const struct flag_changed *found)
{
    const struct flag *to = &change->to;

    return !change->removes && to->percent == 0 &&
           (to->shadow_ratio <= 0 || (found->was_there && found->before.percent != 0));
}

static bool
lock_flag(struct ctx *ctx, struct db *db, const char *name, struct flag_changed *ret)
{
    struct sql_flags_lock_flag_rows rows;

    if (!sql_flags_lock_flag(ctx, db, &rows, .name = name))
        return false;
    ret->was_there = rows.count == 1;
    if (!ret->was_there)
        return true;
    ret->before = (struct flag){
        .name = name,
        .variant = rows.items[0].variant,
        .percent = rows.items[0].percent,
        .salt = rows.items[0].salt,
        .shadow_ratio = rows.items[0].shadow_ratio,
        .until_us = rows.items[0].until_us,
        .fallback = rows.items[0].fallback,
        .reason = rows.items[0].reason,
    };
    return true;
}

static bool
check_expected(struct ctx *ctx, const struct flag_change *change, const struct flag_changed *found)
{
    const struct flag *expected = &change->expected;

    if (!expected->variant || (found->was_there && found->before.percent == expected->percent &&
                                  text_equal(found->before.variant, expected->variant)))
        return true;
    if (!found->was_there)
        return error_set(ctx, ERR_CONFLICT, "flag %s was taken away", change->to.name);
    return error_set(ctx, ERR_CONFLICT, "flag %s was set to %d %% by somebody else: %s",
        change->to.name, found->before.percent, found->before.reason);
}

/* What held: a step whose guard has died has ended by itself. */
static void
settle(struct flag *flag)
{
    int64_t now_us = clock_wall_us();

    if (flag->until_us == 0 || now_us < flag->until_us)
        return;
    flag->percent = flag_percent(flag, now_us);
    flag->until_us = 0;
    flag->fallback = 0;
}

/* The command that does it again, as the journal's statement. */
static const char *
command_of(struct arena *arena, const struct flag *flag)
{
    return arena_printf(arena, "pgmend flags set %s --percent %d --variant %s --salt '%s'",
        flag->name, flag->percent, flag->variant, flag->salt);
}

static struct journal_entry
entry_of(struct ctx *ctx, const struct flag_change *change, const struct flag_changed *found,
    const char *run, const char *now)
{
    const struct flag *to = &change->to;
    json_t *detail CLEANUP(json_release) = json_pack("{s:s, s:o, s:o, s:O?}", "name", to->name,
        "before", found->was_there ? flag_json(&found->before) : json_null(), "after",
        change->removes ? json_null() : flag_json(to), "numbers", change->numbers);
    bool is_undone_by_hand = is_off(change, found);

    if (change->removes)
        json_object_set_new(detail, "reason", json_string(to->reason));
    if (change->is_part)
        json_object_set_new(
            detail, "start", change->start.variant ? flag_json(&change->start) : json_null());
    return (struct journal_entry){
        .entry = random_hex(ctx->arena, 8),
        .run = run,
        .kind = is_undone_by_hand ? KIND_FLAG_OFF : KIND_FLAG,
        .object = to->name,
        .statement = change->removes
                         ? arena_printf(ctx->arena, "pgmend flags set %s --remove", to->name)
                         : command_of(ctx->arena, to),
        .undo = found->was_there ? command_of(ctx->arena, &found->before) : NULL,
        .state = ENTRY_STARTED,
        .started_at = now,
        .detail = json_text(ctx->arena, detail),
    };
}

/* The local file first. What turns off goes on without it. */
static bool
write_file(struct ctx *ctx, struct db *db, const struct flag_change *change,
    const struct journal_entry *entry, const char **ret_path)
{
    const struct journal_run about = { .command = change->command };
    bool is_torn;

    return journal_path(ctx, db, change->state_dir, ret_path) &&
           file_make_folder(ctx, file_join(ctx->arena, change->state_dir, "journal")) &&
           journal_file_mend(ctx, *ret_path, &is_torn) &&
           journal_file_add_run(
               ctx, *ret_path, entry->run, &about, RUN_RUNNING, entry->started_at) &&
           journal_file_add_entry(ctx, *ret_path, entry);
}

static bool
put_flag(struct ctx *ctx, struct db *db, const struct flag_change *change)
{
    const struct flag *to = &change->to;
    struct sql_flags_put_flag_rows put;
    struct sql_flags_delete_flag_rows gone;

    if (change->removes)
        return sql_flags_delete_flag(ctx, db, &gone, .name = to->name);
    return sql_flags_put_flag(ctx, db, &put, .name = to->name, .variant = to->variant,
        .percent = to->percent, .salt = to->salt, .shadow_ratio = to->shadow_ratio,
        .until_us = to->until_us, .fallback = to->fallback, .reason = to->reason);
}

static bool
put_rows(
    struct ctx *ctx, struct db *db, const struct flag_change *change, struct journal_entry *entry)
{
    const char *client =
        arena_printf(ctx->arena, "%s@%s", client_process(ctx->arena), client_host(ctx->arena));
    const char *now = clock_text(ctx->arena, clock_wall_us());
    struct sql_change_put_entry_rows put_entry;

    entry->state = ENTRY_DONE;
    entry->ended_at = now;
    if (!put_flag(ctx, db, change) ||
        !sql_change_add_run(ctx, db, .id = entry->run, .command = change->command, .client = client,
            .version = PGMEND_VERSION, .started_at = entry->started_at) ||
        !sql_change_put_entry(ctx, db, &put_entry, .entry = entry->entry, .run = entry->run,
            .kind = entry->kind, .object = entry->object, .statement = entry->statement,
            .undo = entry->undo, .state = entry->state, .started_at = entry->started_at,
            .ended_at = now, .detail = entry->detail) ||
        !sql_change_end_run(ctx, db, .id = entry->run, .state = RUN_DONE, .ended_at = now))
        return false;
    entry->id = put_entry.count == 1 ? put_entry.items[0].id : 0;
    return true;
}

/* The file learns what came of it; the table has the truth by then. */
static void
end_file(struct ctx *ctx, const char *path, const struct journal_entry *entry, bool is_good)
{
    struct error why = ctx->error;
    struct journal_entry line = *entry;

    line.state = is_good ? ENTRY_DONE : ENTRY_FAILED;
    line.ended_at = clock_text(ctx->arena, clock_wall_us());
    if (!journal_file_add_entry(ctx, path, &line) ||
        !journal_file_add_run(
            ctx, path, entry->run, NULL, is_good ? RUN_DONE : RUN_FAILED, line.ended_at))
        log_debug("%s", ctx->error.message);
    ctx->error = why;
}

static bool
set_in_transaction(struct ctx *ctx, struct db *db, struct flag_change *change,
    struct flag_changed *ret, struct journal_entry *entry, const char **ret_path)
{
    struct db_transaction transaction CLEANUP(db_transaction_end) = { 0 };
    const char *now = clock_text(ctx->arena, clock_wall_us());

    if (!db_begin(ctx, db, NULL, &transaction) || !lock_flag(ctx, db, change->to.name, ret) ||
        !check_expected(ctx, change, ret))
        return false;
    settle(&ret->before);
    if (change->keeps_others && ret->was_there) {
        change->to.shadow_ratio = ret->before.shadow_ratio;
        change->to.salt = ret->before.salt;
    }
    *entry = entry_of(ctx, change, ret, change->run ? change->run : random_hex(ctx->arena, 6), now);
    if (!write_file(ctx, db, change, entry, ret_path)) {
        /* A statement that failed has ended the transaction; a full disk has not. */
        if (!is_off(change, ret) || *ctx->error.sqlstate)
            return false;
        ret->note = ctx->error.message;
        *ret_path = NULL;
        error_clear(ctx);
    }
    return put_rows(ctx, db, change, entry) && db_commit(ctx, &transaction);
}

/* Rights and damage are told with what to do about them. */
static void
hint_at_failure(struct ctx *ctx, struct db *db)
{
    if (ctx->error.kind == ERR_RIGHTS)
        error_hint(ctx, "%s", flags_rights(ctx->arena, db));
    else
        hint_at_table(ctx, db);
}

bool
flag_change(
    struct ctx *ctx, struct db *db, const struct flag_change *wanted, struct flag_changed *ret)
{
    struct flag_change change = *wanted;
    struct journal_entry entry = { 0 };
    struct sql_flags_exists parts;
    const char *path = NULL;
    bool was_lost;
    bool is_good;

    *ret = (struct flag_changed){ 0 };
    if (!check(ctx, &change.to) || !find_parts(ctx, db, &parts) ||
        !find_traces(ctx, db, &parts, &was_lost) || !flags_install(ctx, db))
        return error_state(ctx, "Flag %s was not touched.", change.to.name);
    is_good = set_in_transaction(ctx, db, &change, ret, &entry, &path);
    ret->was_lost = was_lost;
    if (path && entry.entry)
        end_file(ctx, path, &entry, is_good);
    ret->entry = entry.id;
    if (is_good)
        return true;
    hint_at_failure(ctx, db);
    error_wrap(ctx, "setting flag %s", change.to.name);
    if (ctx->error.kind == ERR_CONNECTION)
        return error_state(ctx,
            "It is not known whether flag %s was set: \"pgmend flags list\" "
            "tells.",
            change.to.name);
    return error_state(ctx, "Flag %s was not touched.", change.to.name);
}

bool
flag_renew(struct ctx *ctx, struct db *db, const struct flag *flag, bool *ret)
{
    struct sql_flags_renew_flag_rows rows;

    if (!sql_flags_renew_flag(ctx, db, &rows, .name = flag->name, .percent = flag->percent,
            .until_us = flag->until_us))
        return error_wrap(ctx, "telling that the roll-out of %s is alive", flag->name);
    *ret = rows.count == 1;
    return true;
}
