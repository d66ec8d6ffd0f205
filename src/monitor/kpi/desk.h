/* What the page asks and tells of KPIs, answered one request after the other on a connection of its own. */
#pragma once

#include "monitor/kpi/kpi.h"
#include "monitor/serve/serve.h"

struct kpi_desk;

/* Connects when there is something to ask, as db says (its access does not matter), and closes after. */
bool kpi_desk_new(struct ctx *ctx, struct loop *loop, const struct db_options *db,
    struct kpi_desk **ret) MUST_CHECK;
const struct serve_kpi_source *kpi_desk_source(const struct kpi_desk *desk);
/* Answers those that still wait with an error. */
void kpi_desk_free(struct kpi_desk *desk);
