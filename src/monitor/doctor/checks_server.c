/* The server: safety of data, settings that wait, extensions, roles, and pgmend's own vector search. */
#include <math.h>

#include "monitor/doctor/check.h"

static const double vector_check_warning_s = 86400.0 * 14;

/* The setting's value as SHOW prints it; NULL when it is not known. */
static const char *
shown(const struct patient *patient, const char *name)
{
    const struct sql_monitor_setting *setting = doctor_setting_find(patient->server, name);

    return setting ? doctor_setting_shown(patient->arena, setting) : NULL;
}

static void
look_at_durability(const struct patient *patient, struct checkup_item *item)
{
    static const char *const names[] = { "fsync", "full_page_writes" };

    if (!shown(patient, "fsync"))
        return;
    item_say(patient, item, "what is committed is on disk");
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (!text_equal(shown(patient, names[i]), "off"))
            continue;
        item_worsen(item, HEALTH_CRITICAL);
        item_say(patient, item, "a crash of the machine can destroy the whole cluster");
        item_show(patient, item, "%s is off", names[i]);
        item_mend(patient, item, "ALTER SYSTEM SET %s = on; SELECT pg_reload_conf();", names[i]);
    }
}

static void
look_at_checksums(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_database *rows = patient_rows(patient, COLLECT_DATABASE, item, &count);
    const char *checksums = shown(patient, "data_checksums");

    if (!rows || !checksums)
        return;
    item_say(patient, item, "on, no page was found damaged");
    for (size_t i = 0; i < count; i++) {
        if (!(rows[i].checksum_failures > 0))
            continue;
        item_worsen(item, HEALTH_CRITICAL);
        item_say(patient, item, "damaged pages were read");
        item_show(
            patient, item, "%s: %.0f damaged pages", rows[i].datname, rows[i].checksum_failures);
        item_mend(patient, item, "-- restore a backup; look at the disk");
    }
    if (!text_equal(checksums, "off"))
        return;
    item_worsen(item, HEALTH_WARNING);
    item_say(patient, item, "off: a disk that damages data is not noticed");
    item_mend(patient, item, "pg_checksums --enable # while the server is stopped");
}

static void
look_at_restart(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t pending = 0;
    const struct sql_monitor_setting *rows = patient_rows(patient, COLLECT_SETTING, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].pending_restart)
            continue;
        pending++;
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%s is still %s", rows[i].name,
            doctor_setting_shown(patient->arena, &rows[i]));
        item_mend(patient, item, "-- restart the server when it suits");
    }
    item_say(patient, item, "%s for a restart",
        pending == 0 ? "no setting waits"
                     : say_count(patient, pending, "setting waits", "settings wait"));
}

static void
look_at_io_timing(const struct patient *patient, struct checkup_item *item)
{
    const struct sql_monitor_server *server = patient_server(patient, item);

    if (!server)
        return;
    item_say(patient, item, server->track_io_timing ? "on" : "off: nobody sees the time for disk");
    if (server->track_io_timing)
        return;
    item_worsen(item, HEALTH_WARNING);
    item_mend(patient, item, "ALTER SYSTEM SET track_io_timing = on; SELECT pg_reload_conf();");
}

static void
look_at_extensions(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_doctor_extension *rows =
        patient_facts(patient, DOCTOR_EXTENSION, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%s %s, the server has %s", rows[i].name, rows[i].version,
            rows[i].available);
        item_mend(patient, item, "ALTER EXTENSION %s UPDATE;", rows[i].name);
    }
    item_say(patient, item, "%s out of date",
        count == 0 ? "none is" : say_count(patient, count, "extension is", "extensions are"));
}

static void
look_at_superusers(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    size_t found = 0;
    int64_t unclear = 0;
    const struct sql_monitor_doctor_role *rows = patient_facts(patient, DOCTOR_ROLE, item, &count);

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!rows[i].is_superuser)
            continue;
        unclear += rows[i].unclear;
        if (rows[i].sessions == 0)
            continue;
        found++;
        item_worsen(item, HEALTH_WARNING);
        item_show(patient, item, "%s: %s (%s)", rows[i].name,
            say_count(patient, (size_t)rows[i].sessions, "session", "sessions"),
            rows[i].applications ? rows[i].applications : "without a name");
        item_mend(patient, item, "-- a role of its own for the application, without SUPERUSER");
    }
    item_say(patient, item, "%s a superuser",
        found == 0 ? "no application is"
                   : say_count(patient, found, "role of sessions is", "roles of sessions are"));
    if (unclear == 0)
        return;
    item_hide(patient, item, "role %s may not see what %s of superusers", patient_role(patient),
        say_count(patient, (size_t)unclear, "session is", "sessions are"));
    item_mend(patient, item, "GRANT pg_read_all_stats TO %s;", patient_role(patient));
}

static void
look_at_passwords(const struct patient *patient, struct checkup_item *item)
{
    const char *encryption = shown(patient, "password_encryption");
    const struct doctor_facts *facts = patient->facts;
    const struct sql_monitor_doctor_password *rows;
    size_t count = 0;

    if (!facts)
        return;
    item_say(patient, item, "SCRAM");
    if (text_equal(encryption, "md5")) {
        item_worsen(item, HEALTH_WARNING);
        item_say(patient, item, "new passwords are stored as MD5");
        item_mend(patient, item,
            "ALTER SYSTEM SET password_encryption = 'scram-sha-256'; SELECT pg_reload_conf(); -- "
            "and set the passwords again");
    }
    /* Only a superuser may look at those that are there: no GRANT shows less than all hashes. */
    if (!facts->answers[DOCTOR_PASSWORD].is_good) {
        if (!facts->answers[DOCTOR_PASSWORD].is_known)
            return;
        item_hide(
            patient, item, "role %s may not see how passwords are stored", patient_role(patient));
        item_mend(patient, item, "-- pgmend doctor as a superuser shows it");
        return;
    }
    rows = patient_facts(patient, DOCTOR_PASSWORD, item, &count);
    for (size_t i = 0; i < count; i++) {
        item_worsen(item, HEALTH_WARNING);
        item_say(patient, item, "%s an MD5 password",
            say_count(patient, count, "role has", "roles have"));
        item_show(patient, item, "%s", rows[i].name);
        item_mend(patient, item, "\\password %s in psql", db_ident(patient->arena, rows[i].name));
    }
}

static void
look_at_vectors(const struct patient *patient, struct checkup_item *item)
{
    size_t count;
    const struct sql_monitor_vector *rows = patient_rows(patient, COLLECT_VECTOR, item, &count);
    const struct sql_monitor_server *server = patient_server(patient, item);
    double worst = NAN;

    if (count == 0 || !server)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct sql_monitor_vector *row = &rows[i];
        double age = server->now_epoch - row->checked_epoch;

        if (isfinite(row->recall) && !(row->recall >= worst))
            worst = row->recall;
        if (isnan(age) || age > vector_check_warning_s) {
            item_worsen(item, HEALTH_WARNING);
            item_show(patient, item, "%s: %s", row->name,
                isnan(age) ? "never checked"
                           : arena_printf(
                                 patient->arena, "last checked %s ago", say_seconds(patient, age)));
            item_mend(patient, item, "pgmend vector check");
        }
        if (row->recall < row->recall_goal) {
            item_worsen(item, HEALTH_CRITICAL);
            item_show(patient, item, "%s: recall %.3f, the goal is %.3f", row->name, row->recall,
                row->recall_goal);
            item_mend(patient, item, "pgmend vector tune");
        } else if (row->findings > 0) {
            item_worsen(item, HEALTH_WARNING);
            item_show(
                patient, item, "%s: %.0f findings at the last check", row->name, row->findings);
            item_mend(patient, item, "pgmend vector check");
        }
    }
    if (isnan(worst))
        item_say(patient, item, "%s installed, not measured since",
            say_count(patient, count, "search is", "searches are"));
    else
        item_say(patient, item, "recall of %.3f or better at the last check", worst);
}

const struct check checks_server[] = {
    { "durability", "durability", look_at_durability },
    { "checksums", "data checksums", look_at_checksums },
    { "pending-restart", "settings", look_at_restart },
    { "io-timing", "track_io_timing", look_at_io_timing },
    { "extensions", "extensions", look_at_extensions },
    { "superuser-sessions", "superusers", look_at_superusers },
    { "passwords", "passwords", look_at_passwords },
    { "vector-search", "vector search", look_at_vectors },
};
const size_t checks_server_count = COUNT_OF(checks_server);
