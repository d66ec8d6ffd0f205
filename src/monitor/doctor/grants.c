#include "monitor/doctor/grants.h"

const char *const grant_uses[] = { "monitor", "plan", "apply", "backup", "staging", "restore",
    "bluegreen", "api", NULL };

/* In the same order, and then what they share. */
static const char *const commands[] = {
    "doctor, top, monitor, queries top, pool advise, kpi show",
    "plan, index advise, index status, gate, status, history, report, vector survey",
    "plan FILE.sql, apply, rollback, index apply, gate pass, report snapshot, flags set",
    "backup create, backup verify",
    "staging create, rehearse",
    "backup restore, rollback --level database",
    "bluegreen create, verify, switch, abandon",
    "an application that follows flags: replyx-api",
    "a database that copies are made from; a superuser makes it, once for all roles",
};

const char *
grant_use_commands(const char *name)
{
    size_t i = 0;

    while (grant_uses[i] && !text_equal(grant_uses[i], name))
        i++;
    return commands[i];
}

bool
grants_ask(struct ctx *ctx, struct db *db, const char *role, const struct text_list *uses,
    struct grants *ret)
{
    struct text_list all = { 0 };

    for (size_t i = 0; grant_uses[i]; i++)
        text_list_add(ctx->arena, &all, grant_uses[i]);
    if (uses->count == 0)
        uses = &all;

    const char *names = text_list_join(ctx->arena, uses, ",");

    *ret = (struct grants){ .role = role, .database = db_name(db), .is_whole = uses == &all };
    return (sql_doctor_grants(ctx, db, &ret->needs, .role = role, .uses = names) &&
               sql_doctor_excess(ctx, db, &ret->excess, .role = role, .uses = names)) ||
           error_wrap(ctx, "looking at the rights of role %s", role);
}

size_t
grants_missing(const struct grants *grants)
{
    size_t missing = 0;

    for (size_t i = 0; i < grants->needs.count; i++)
        missing += !grants->needs.items[i].is_had;
    return missing;
}
