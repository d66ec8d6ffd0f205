/* The endpoints, each in the file of its name; endpoints.c has their order. */
#pragma once

#include "replyx/endpoint.h"

extern const struct endpoint endpoint_login;             /* POST /login */
extern const struct endpoint endpoint_assistants;        /* GET /assistants */
extern const struct endpoint endpoint_messages;          /* GET /dialogs/{id}/messages */
extern const struct endpoint endpoint_stats;             /* GET /assistants/stats */
extern const struct endpoint endpoint_assistant_dialogs; /* GET /assistants/{id}/dialogs */
extern const struct endpoint endpoint_documents;         /* GET /assistants/{id}/documents */
extern const struct endpoint endpoint_dialogs;           /* GET /dialogs */
extern const struct endpoint endpoint_bots;              /* GET /bot-instances */
extern const struct endpoint endpoint_balance;           /* GET /balance */
extern const struct endpoint endpoint_search;            /* POST /assistants/{id}/search */
extern const struct endpoint endpoint_webhook;           /* POST /telegram/webhook/{id} */
extern const struct endpoint endpoint_health;  /* GET /health, /health/live, /health/ready */
extern const struct endpoint endpoint_metrics; /* GET /metrics */
