#include "replyx/endpoints/endpoints.h"

const struct endpoint *const endpoints[] = {
    &endpoint_login,
    &endpoint_assistants,
    &endpoint_messages,
    &endpoint_stats,
    &endpoint_assistant_dialogs,
    &endpoint_documents,
    &endpoint_dialogs,
    &endpoint_bots,
    &endpoint_balance,
    &endpoint_search,
    &endpoint_webhook,
    &endpoint_health,
    &endpoint_metrics,
};
const size_t endpoint_count = sizeof(endpoints) / sizeof(endpoints[0]);
