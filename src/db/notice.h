/* What the server says beside results: notices, and log messages when the session asks for them. */
#pragma once

#include "db/db.h"

struct db_notices {
    struct db *db;                                                     /* NULL: nobody listens */
    void (*hear)(void *data, const char *message, const char *detail); /* detail may be NULL */
    void *data;
    struct db_notices *outer; /* who listened before, and listens again afterwards */
    void (*before)(void);     /* the same for libpq */
};

/* Hands every message to hear(), with notices->data; notices must stay in place until the end. */
void db_notices_begin(struct db *db, struct db_notices *notices);
void db_notices_end(struct db_notices *notices);
