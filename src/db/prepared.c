#include "db/prepared.h"

static struct prepared *
find(const struct prepared_set *set, const struct query *query)
{
    for (size_t i = 0; i < set->items.count; i++)
        if (set->items.items[i].query == query)
            return &set->items.items[i];
    return NULL;
}

static struct prepared *
find_or_add(struct prepared_set *set, struct db *db, const struct query *query)
{
    struct prepared *prepared = find(set, query);

    if (prepared)
        return prepared;
    VEC_PUSH(db->arena, &set->items, (struct prepared){ .query = query });
    return &set->items.items[set->items.count - 1];
}

/* The name to ask by; parses first if it must. */
static bool
send_parse(struct prepared_set *set, struct db *db, struct prepared *prepared,
    struct prepared_sending *sending, const char **ret_name)
{
    *ret_name = prepared->name;
    if (prepared->is_made)
        return true;
    if (prepared->number) {
        sending->number = -1;
        *ret_name = "";
    } else {
        prepared->number = ++set->last_number;
        sending->number = prepared->number;
        snprintf(prepared->name, sizeof(prepared->name), "q%lld", (long long)prepared->number);
    }
    return PQsendPrepare(db->conn, *ret_name, query_text(prepared->query, db_major(db)), 0, NULL);
}

bool
prepared_send(struct prepared_set *set, struct db *db, struct arena *arena,
    const struct query *query, const void *args, struct prepared_sending *ret)
{
    const char *name;

    *ret = (struct prepared_sending){ .query = query };
    return send_parse(set, db, find_or_add(set, db, query), ret, &name) &&
           PQsendQueryPrepared(db->conn, name, (int)query->arg_count,
               db_query_params(arena, query, args), NULL, NULL, db_rows_can_be_binary(query));
}

void
prepared_made(struct prepared_set *set, const struct prepared_sending *sending)
{
    struct prepared *prepared = find(set, sending->query);

    if (prepared && prepared->number == sending->number)
        prepared->is_made = true;
}

void
prepared_ended(struct prepared_set *set, const struct prepared_sending *sending)
{
    struct prepared *prepared = sending->number > 0 ? find(set, sending->query) : NULL;

    if (prepared && prepared->number == sending->number && !prepared->is_made)
        prepared->number = 0;
}

bool
prepared_forget(struct prepared_set *set, const struct query *query, const char *sqlstate)
{
    struct prepared *prepared = query ? find(set, query) : NULL;

    if (!prepared || (!text_equal(sqlstate, "0A000") && !text_equal(sqlstate, "26000")))
        return false;
    prepared->is_made = false;
    prepared->number = 0;
    return true;
}
