/* What the files of the checks share; nobody outside this folder includes it. */
#pragma once

#include "db/ident.h"
#include "monitor/doctor/doctor.h"
#include "monitor/doctor/facts.h"
#include "sql.h"

struct patient {
    struct arena *arena;
    const struct watched *server;
    const struct doctor_facts *facts; /* or NULL */
};

/*
 * Looks at one thing: says what it found, and makes the item worse where it is. An item begins good.
 * Without a sentence it is left out: nobody asked the server for it.
 */
struct check {
    const char *name;
    const char *title;
    void (*look)(const struct patient *patient, struct checkup_item *item);
};

/* A family of checks: one file each. */
extern const struct check checks_replication[];
extern const size_t checks_replication_count;
extern const struct check checks_session[];
extern const size_t checks_session_count;
extern const struct check checks_memory[];
extern const size_t checks_memory_count;
extern const struct check checks_vacuum[];
extern const size_t checks_vacuum_count;
extern const struct check checks_schema[];
extern const size_t checks_schema_count;
extern const struct check checks_statement[];
extern const size_t checks_statement_count;
extern const struct check checks_server[];
extern const size_t checks_server_count;

/* The rows of a collector, or NULL: then the item says why they are not known. */
const void *patient_rows(const struct patient *patient, enum collector_id id,
    struct checkup_item *item, size_t *ret_count);
/* The same of a question of the doctor's own. */
const void *patient_facts(const struct patient *patient, enum doctor_query query,
    struct checkup_item *item, size_t *ret_count);
/* The only row of the collector "server", or NULL. */
const struct sql_monitor_server *patient_server(
    const struct patient *patient, struct checkup_item *item);
/* The row of the watched database, now or before; NULL: not known. */
const struct sql_monitor_database *patient_database(const struct patient *patient, bool is_before);
/* Since when the counters of the watched database count, in seconds; NaN: not known. */
double patient_statistics_age(const struct patient *patient);

void item_worsen(struct checkup_item *item, enum health health);
/* A line of evidence; what is beyond ten is left out, as the sentence says the number. */
void item_show(const struct patient *patient, struct checkup_item *item, const char *format, ...)
    PRINTF_LIKE(3, 4);
/*
 * The sentence; one more command that mends it, for a thing that is wrong each, to be pasted as it is:
 * what is no command stands behind "--".
 */
void item_say(const struct patient *patient, struct checkup_item *item, const char *format, ...)
    PRINTF_LIKE(3, 4);
void item_mend(const struct patient *patient, struct checkup_item *item, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The role that looks, quoted for a GRANT. */
const char *patient_role(const struct patient *patient);
/* What is good as far as it is seen is not known where something is not; the sentence tells both. */
void item_hide(const struct patient *patient, struct checkup_item *item, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* "1 index", "2 indexes": number and noun. */
const char *say_count(
    const struct patient *patient, size_t count, const char *one, const char *many);
/* Seconds as people say them. */
const char *say_seconds(const struct patient *patient, double seconds);
const char *say_bytes(const struct patient *patient, double bytes);
/* "98.7 %". */
const char *say_ratio(const struct patient *patient, double ratio);
