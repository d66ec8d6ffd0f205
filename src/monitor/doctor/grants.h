/* What a role has to be granted for each use of pgmend, and what it has that none of them needs. */
#pragma once

#include "base/text.h"
#include "db/db.h"
#include "sql.h"

struct grant_use {
    const char *name; /* as in doctor/grants.sql */
    const char *what; /* the commands it is for */
};

struct grants {
    const char *role;
    const char *database;
    bool is_whole; /* no use was named: all are shown, and nothing is in excess for all of them */
    struct sql_doctor_grants_rows needs;
    struct sql_doctor_excess_rows excess;
};

/* The names of all uses, NULL-terminated: what an option may say. */
extern const char *const grant_uses[];

/* What a use is for; "template" is the database that copies are made from. */
const char *grant_use_commands(const char *name);

/* For these uses, for all when there is none. The server is asked and nothing is changed. */
bool grants_ask(struct ctx *ctx, struct db *db, const char *role, const struct text_list *uses,
    struct grants *ret) MUST_CHECK;

/* How many statements are missing; the template counts, a comment too. */
size_t grants_missing(const struct grants *grants);
