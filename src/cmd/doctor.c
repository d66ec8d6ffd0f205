#include "backup/backup.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "change/journal.h"
#include "change/judge.h"
#include "change/plan.h"
#include "cli/command.h"
#include "cli/out.h"
#include "cmd/backup_show.h"
#include "cmd/parts/checkup_screen.h"
#include "cmd/parts/grants_screen.h"
#include "db/ident.h"
#include "monitor/doctor/facts.h"
#include "monitor/plain.h"
#include "monitor/watch/look.h"

enum { COULD_NOT_LOOK = 3, MOST_NAMED = 5, MOST_CPUS = 4096 };

static const int64_t least_memory = 16 << 20;
static const int64_t most_wait_us = INT64_C(24) * 3600 * 1000000;

struct options {
    const char *format;
    bool settings;
    const char *plan;
    const char *memory;
    const char *cpus;
    int64_t wait;
    struct text_list ignore;
    const char *backup_dir;
    const char *grants;
    struct text_list use;
};

static const char *const formats[] = { "text", "nagios", NULL };

static const struct field options[] = {
    FIELD(struct options, format, .arg = "FORMAT", .standard = "text", .choices = formats,
        .help = "text, or nagios: the line that monitoring plug-ins print"),
    FIELD(struct options, settings, .momentary = true,
        .help = "also say which settings should be others, from machine and workload"),
    FIELD(struct options, plan, .arg = "FILE", .momentary = true,
        .help = "write that advice as a plan for \"pgmend apply\""),
    FIELD(struct options, memory, .arg = "SIZE",
        .help = "memory of the server's machine, when it is not this one"),
    FIELD(struct options, cpus, .arg = "N", .help = "its CPUs"),
    FIELD(struct options, wait, .unit = UNIT_US, .arg = "TIME", .standard = "2s",
        .help = "time between the two looks that rates are made of"),
    FIELD(struct options, ignore, .arg = "CHECK",
        .help = "leave this check out, by the name that --json shows"),
    FIELD(struct options, backup_dir, .arg = "DIR",
        .help = "where backups are (default: backups in the state folder)"),
    FIELD(struct options, grants, .arg = "ROLE", .momentary = true,
        .help = "only print the rights that this role needs, as SQL, and what it has too much"),
    FIELD(struct options, use, .arg = "USE", .momentary = true, .choices = grant_uses,
        .help = "of --grants: what the role is for (default: all of it)"),
};

/* What was told of the server's machine; 0: nothing. */
struct machine {
    int64_t memory;
    int32_t cpus;
};

static const struct field machine_memory =
    FIELD(struct machine, memory, .unit = UNIT_BYTES, .arg = "SIZE");
static const struct field machine_cpus = FIELD(struct machine, cpus, .arg = "N");

struct work {
    struct machine machine;
    struct journal_entries journal; /* of --plan */
    struct run *run;
    const struct options *opts;
    struct look *look;
    struct doctor_facts facts;
    struct checkup checkup;
    struct setting_advices advices;
    struct plan plan;
};

static const enum collector_id rates[] = { COLLECT_SERVER, COLLECT_DATABASE, COLLECT_STATEMENT,
    COLLECT_STATEMENTS_INFO, COLLECT_CHECKPOINT, COLLECT_WAL };

/* Backups are files of this machine: those that are proven count. */
static void
find_backup(struct ctx *ctx, struct work *work)
{
    struct backup_info info;
    struct ctx scratch = { .arena = ctx->arena };
    const char *why_not = NULL;

    if (backup_find_verified(&scratch, backup_folder(ctx, work->run, work->opts->backup_dir),
            work->run->db, INT64_MAX, &info, &why_not)) {
        work->facts.backup = arena_printf(
            ctx->arena, "%s, restored in %s", info.name, text_from_us(ctx->arena, info.restore_us));
        work->facts.backup_age_s = (double)(clock_wall_us() - info.created_us) / 1e6;
        return;
    }
    work->facts.backup_problem = why_not ? why_not : scratch.error.message;
}

/*
 * Everything once, then what rates are made of twice with a pause between: what we ask ourselves must
 * not be most of what we measure.
 */
static bool
look_around(struct ctx *ctx, struct work *work)
{
    struct watched *server = look_server(work->look);

    if (!look_ask(ctx, work->look, NULL, 0) || !doctor_ask(ctx, work->run->db, &work->facts))
        return false;
    work->facts.memory_bytes = work->machine.memory;
    work->facts.cpus = work->machine.cpus;
    work->facts.machine = "as given";
    doctor_see_machine(ctx->arena, server, &work->facts);
    find_backup(ctx, work);
    if (!look_ask(ctx, work->look, rates, COUNT_OF(rates)))
        return false;
    if (!clock_sleep_us(work->opts->wait))
        return interrupt_error(ctx, interrupt_signal());
    if (!look_ask(ctx, work->look, rates, COUNT_OF(rates)))
        return false;
    server->facts = &work->facts;
    return true;
}

/* Leaves out what the user does not want to hear of. */
static void
leave_out(struct ctx *ctx, struct work *work)
{
    struct checkup all = work->checkup;
    struct checkup *kept = &work->checkup;

    *kept = (struct checkup){ .server = all.server, .health = HEALTH_GOOD };
    for (size_t i = 0; i < all.count; i++) {
        const struct checkup_item *item = &all.items[i];

        if (text_list_has(&work->opts->ignore, item->name))
            continue;
        VEC_PUSH(ctx->arena, kept, *item);
        if (item->health == HEALTH_CRITICAL ||
            (item->health == HEALTH_WARNING && kept->health != HEALTH_CRITICAL))
            kept->health = item->health;
    }
    if (all.health == HEALTH_UNKNOWN)
        kept->health = HEALTH_UNKNOWN;
}

/* ---- the plan ---- */

static bool
make_plan(struct ctx *ctx, struct work *work)
{
    struct db *db = work->run->db;

    work->plan = (struct plan){
        .database = db_name(db),
        .server_version = db_version_text(db),
        .created_at = clock_text(ctx->arena, clock_wall_us()),
    };
    if (!journal_system_identifier(ctx, db, &work->plan.system_identifier))
        return false;
    for (size_t i = 0; i < work->advices.count; i++) {
        const struct setting_advice *advice = &work->advices.items[i];
        struct change change = {
            .kind = KIND_SETTING,
            .schema = advice->schema,
            .table = advice->table,
            .table_oid = advice->table_oid,
            .role = advice->role,
            .name = advice->name,
            .definition = advice->better,
            .undo = advice->undo,
            .reason = advice->why,
            .source = "pgmend doctor",
            .action = ACTION_CREATE,
        };

        change_compose(ctx->arena, &change);
        if (!change_judge(ctx, db, &work->journal, &change))
            return error_wrap(ctx, "planning %s", advice->name);
        VEC_PUSH(ctx->arena, &work->plan, change);
    }
    return plan_seal(ctx, db, &work->plan) && plan_write(ctx, work->opts->plan, &work->plan);
}

/* Before the long look: what is planned is judged by what was done, which has to be readable. */
static bool
read_journal(struct ctx *ctx, struct work *work)
{
    const char *role = db_ident(ctx->arena, db_user(work->run->db));

    if (journal_load(ctx, work->run->db, &work->journal))
        return true;
    if (ctx->error.kind != ERR_RIGHTS)
        return false;
    ctx->error.hint = NULL;
    error_hint(ctx,
        "GRANT USAGE ON SCHEMA pgmend TO %s; GRANT SELECT ON pgmend.journal TO %s; without --plan "
        "pgmend doctor does not need it.",
        role, role);
    return error_wrap(ctx, "--plan looks at what pgmend has done before");
}

/* ---- what is told ---- */

static bool
read_options(struct ctx *ctx, struct work *work)
{
    const struct options *opts = work->opts;

    if ((opts->memory && !field_parse(ctx, &machine_memory, opts->memory, &work->machine)) ||
        (opts->cpus && !field_parse(ctx, &machine_cpus, opts->cpus, &work->machine))) {
        ctx->error.kind = ERR_USAGE;
        return false;
    }
    if (opts->memory && work->machine.memory < least_memory)
        return error_set(ctx, ERR_USAGE, "--memory %s: a server's machine has 16MB or more",
            plain_text(ctx->arena, opts->memory));
    if (opts->cpus && (work->machine.cpus < 1 || work->machine.cpus > MOST_CPUS))
        return error_set(ctx, ERR_USAGE, "--cpus %s: a number from 1 to %d is needed",
            plain_text(ctx->arena, opts->cpus), MOST_CPUS);
    if (opts->wait < 0 || opts->wait > most_wait_us)
        return error_set(ctx, ERR_USAGE, "--wait %s: a time from 0 to 24h is needed",
            text_from_us(ctx->arena, opts->wait));
    if (opts->use.count > 0 && !opts->grants)
        return error_set(ctx, ERR_USAGE, "--use goes with --grants ROLE");
    for (size_t i = 0; i < opts->ignore.count; i++)
        if (!doctor_has_check(opts->ignore.items[i]))
            return error_set(ctx, ERR_USAGE, "there is no check \"%s\"",
                plain_text(ctx->arena, opts->ignore.items[i]));
    return true;
}

/* ---- what is printed ---- */

static void
print_settings(struct ctx *ctx, const struct work *work)
{
    FILE *out = work->run->out;

    fprintf(out, "Settings: %zu should be others\n\n", work->advices.count);
    for (size_t i = 0; i < work->advices.count; i++) {
        const struct setting_advice *advice = &work->advices.items[i];

        fprintf(out, "  %s = %s  (now %s%s)\n      why   %s\n      sql   %s;\n      undo  %s;\n",
            advice->name, advice->better, plain_text(ctx->arena, advice->now),
            advice->needs_restart ? "; needs a restart" : "", plain_text(ctx->arena, advice->why),
            plain_text(ctx->arena, advice->change), plain_text(ctx->arena, advice->undo));
    }
    for (size_t i = 0; i < work->advices.notes.count; i++)
        fprintf(out, "  - %s\n", plain_text(ctx->arena, work->advices.notes.items[i]));
    fputc('\n', out);
}

static void
print_text(struct ctx *ctx, const struct work *work)
{
    const struct options *opts = work->opts;

    checkup_print(work->run->out, &work->checkup);
    if (opts->settings || opts->plan)
        print_settings(ctx, work);
    fprintf(work->run->out, "Nothing was changed.\n");
    if (opts->plan)
        out_next(work->run->out, "pgmend apply %s (%zu changes, %zu blocked)",
            text_shell(ctx->arena, opts->plan), plan_pending(&work->plan),
            plan_count(&work->plan, ACTION_BLOCKED));
    else if (!opts->settings)
        out_next(work->run->out, "pgmend doctor --settings, or pgmend top");
    else if (work->advices.count > 0)
        out_next(work->run->out, "pgmend doctor --plan settings.plan");
}

/* "PGMEND WARNING - bloat: …; disk: … | critical=0 …": pipes and line ends would end it. */
static void
print_nagios(struct ctx *ctx, const struct work *work)
{
    static const char *const words[] = { [HEALTH_GOOD] = "OK",
        [HEALTH_WARNING] = "WARNING",
        [HEALTH_CRITICAL] = "CRITICAL",
        [HEALTH_UNKNOWN] = "UNKNOWN" };
    static const enum health order[] = { HEALTH_CRITICAL, HEALTH_WARNING };
    struct buffer line = { .arena = ctx->arena };
    size_t counts[COUNT_OF(words)] = { 0 };
    size_t named = 0;

    for (size_t i = 0; i < work->checkup.count; i++)
        counts[work->checkup.items[i].health]++;
    for (size_t step = 0; step < COUNT_OF(order); step++)
        for (size_t i = 0; i < work->checkup.count; i++)
            if (work->checkup.items[i].health == order[step] && named++ < MOST_NAMED)
                buffer_printf(&line, "%s%s: %s", named > 1 ? "; " : "", work->checkup.items[i].name,
                    work->checkup.items[i].says);
    if (named > MOST_NAMED)
        buffer_printf(&line, "; and %zu more", named - MOST_NAMED);
    if (named == 0)
        buffer_printf(&line, "%zu checks are good", counts[HEALTH_GOOD]);
    for (char *c = line.data; *c; c++)
        if (*c == '|')
            *c = '/';
    fprintf(work->run->out, "PGMEND %s - %s | critical=%zu;;0 warning=%zu;0 unknown=%zu good=%zu\n",
        words[work->checkup.health], buffer_text(&line), counts[HEALTH_CRITICAL],
        counts[HEALTH_WARNING], counts[HEALTH_UNKNOWN], counts[HEALTH_GOOD]);
}

static json_t *
settings_json(struct ctx *ctx, const struct setting_advices *advices)
{
    json_t *array = json_array();

    for (size_t i = 0; i < advices->count; i++) {
        const struct setting_advice *advice = &advices->items[i];

        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s?, s:s?}", "name",
                       advice->name, "now", plain_text(ctx->arena, advice->now), "better",
                       advice->better, "why", plain_text(ctx->arena, advice->why), "needs_restart",
                       advice->needs_restart, "change", plain_text(ctx->arena, advice->change),
                       "undo", plain_text(ctx->arena, advice->undo), "table",
                       advice->table ? plain_text(ctx->arena, advice->table) : NULL, "role",
                       advice->role ? plain_text(ctx->arena, advice->role) : NULL));
    }
    return array;
}

static void
print_json(struct ctx *ctx, const struct work *work)
{
    json_t *json CLEANUP(json_release) = doctor_json(&work->checkup);

    if (work->opts->settings || work->opts->plan) {
        json_t *notes = json_array();

        for (size_t i = 0; i < work->advices.notes.count; i++)
            json_array_append_new(notes, json_string(work->advices.notes.items[i]));
        json_object_set_new(json, "settings", settings_json(ctx, &work->advices));
        json_object_set_new(json, "settings_notes", notes);
    }
    if (work->opts->plan)
        json_object_set_new(json, "plan", plan_json(&work->plan));
    out_json(work->run->out, json);
}

static bool
examine(struct ctx *ctx, struct work *work)
{
    if ((work->opts->plan && !read_journal(ctx, work)) || !look_around(ctx, work))
        return false;
    doctor_check(ctx->arena, look_server(work->look), &work->checkup);
    leave_out(ctx, work);
    if (work->opts->settings || work->opts->plan)
        doctor_settings(ctx->arena, look_server(work->look), &work->advices);
    if (work->opts->plan && !make_plan(ctx, work))
        return false;
    if (work->run->global->json)
        print_json(ctx, work);
    else if (text_equal(work->opts->format, "nagios"))
        print_nagios(ctx, work);
    else
        print_text(ctx, work);
    work->run->status = checkup_status(work->checkup.health);
    return true;
}

/* Something missing is a warning, and the exit status says so. */
static bool
tell_grants(struct ctx *ctx, struct work *work)
{
    struct grants grants;

    if (!grants_ask(ctx, work->run->db, work->opts->grants, &work->opts->use, &grants))
        return false;
    if (work->run->global->json) {
        json_t *json CLEANUP(json_release) = grants_json(ctx->arena, &grants);

        out_json(work->run->out, json);
    } else {
        grants_print(work->run->out, ctx->arena, &grants);
    }
    work->run->status = checkup_status(grants_missing(&grants) > 0 ? HEALTH_WARNING : HEALTH_GOOD);
    return true;
}

static bool
look_and_tell(struct ctx *ctx, struct work *work)
{
    struct look *look CLEANUP(look_cleanup) = NULL;

    if (!look_open(ctx, work->run->db, HOST_AUTO, &look))
        return false;
    work->look = look;
    return examine(ctx, work);
}

/* Who reads plug-ins reads one line of standard output, whatever happened. */
static void
print_unknown(struct ctx *ctx, const struct work *work)
{
    char *line = arena_strdup(ctx->arena, plain_text(ctx->arena, ctx->error.message));

    for (char *c = line; *c; c++)
        if (*c == '|')
            *c = '/';
    fprintf(work->run->out, "PGMEND UNKNOWN - %s\n", line);
}

static bool
run(struct ctx *ctx, struct run *run)
{
    struct work work = { .run = run, .opts = run->options };
    struct db *db CLEANUP(db_cleanup) = NULL;
    const struct db_options wanted = {
        .url = run->global->db_url, .application = "pgmend/doctor", .access = ACCESS_READ
    };
    bool is_good = read_options(ctx, &work) && db_open(ctx, &wanted, &db);

    /* Opened here, so that a server that cannot be reached is a line too. */
    run->db = db;
    is_good = is_good && (work.opts->grants ? tell_grants : look_and_tell)(ctx, &work);
    if (!is_good && text_equal(work.opts->format, "nagios") && !run->global->json)
        print_unknown(ctx, &work);
    run->db = NULL;
    return is_good || error_state(ctx, "Nothing was changed.");
}

const struct command cmd_doctor = {
    .path = "doctor",
    .summary = "look at the server once: what is wrong, by which evidence, and what mends it",
    .details =
        "The checklist in the order in which people look: replication, sessions, memory, vacuum, "
        "schema, statements, the server itself. An item that is not good shows what it was seen by "
        "and the command that mends it. What the role may not see is \"unknown\" and says what to "
        "grant. Nothing is changed.\n\n"
        "--settings judges parameters by the machine and the workload, each with the numbers it "
        "follows from; memory and CPUs are those of this machine only when the server runs here, "
        "else tell them. --plan writes that advice as changes, which \"pgmend apply\" does one by "
        "one, journaled, and \"pgmend rollback\" takes back to exactly what was set before.\n\n"
        "--grants prints what a role needs for each use of pgmend as a script for psql, with the "
        "reason of each statement; what the role has already, and what it has in excess, are "
        "comments in it. Nothing is run. Exit status 1 when something is missing.\n\n"
        "Exit status: 0 all is good, 1 there is a warning, 2 something is critical, 3 it could not "
        "look.",
    .access = ACCESS_NONE,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .failure_status = COULD_NOT_LOOK,
    .examples = "pgmend doctor\n"
                "pgmend doctor --format nagios --ignore checksums\n"
                "pgmend doctor --settings --memory 16GB --cpus 4\n"
                "pgmend doctor --plan settings.plan\n"
                "pgmend doctor --grants pgmend_apply --use apply | psql shop",
    .next = "pgmend top",
    .run = run,
};
