/* Asking a database one question in one way, and which of the relevant rows it has at all. */
#pragma once

#include "db/db.h"
#include "vector/judge/score.h"

struct judge_asker {
    struct db *db;
    const struct vector_choice *choice;
    const char *function; /* as in struct judgement */
    const char *sql;      /* $1 tenant, $2 vector, $3 text, $4 limit, $5 weight, all as text */
    const char *keys_sql; /* $1 a JSON array of keys, $2 tenant */
    bool takes_tenant;
};

/* Finds the function and makes the statements; ERR_NOT_FOUND when there is none for this table. */
bool judge_asker_open(struct ctx *ctx, struct db *db, const struct vector_choice *choice,
    struct judge_asker *ret) MUST_CHECK;

/* The keys of at most limit rows, the best first. */
bool judge_ask(struct ctx *ctx, const struct judge_asker *asker, const struct judged_query *query,
    const struct judge_way *way, size_t limit, struct text_list *ret) MUST_CHECK;

/*
 * The question with its keys as the server writes them; those that no search of its tenant can find
 * are told to the judgement. ERR_INPUT for what is not a key.
 */
bool judge_ask_keys(struct ctx *ctx, const struct judge_asker *asker,
    const struct judged_query *query, struct judged_query *ret, struct judgement *judgement)
    MUST_CHECK;
