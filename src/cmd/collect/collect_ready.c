/* What has to be there before anything is changed, as the gates see it. */
#include <math.h>

#include "base/clock.h"
#include "change/gate.h"
#include "cmd/collect/collect.h"

enum { MAX_AGE_H = 24 };

struct need {
    const char *gate;
    const char *title;
    const char *manual; /* NULL: the gate's remedy */
};

static const struct need needs[] = {
    { "backup", "backup that is proven by a restore", NULL },
    { "monitoring", "monitor that watches this database meanwhile",
        "pgmend monitor --store (as a service), or pgmend gate pass monitoring" },
};

bool
collect_ready(struct ctx *ctx, const struct collect_input *input, struct collected *ret)
{
    static const struct plan empty;
    const struct gate_input asked = {
        .db = input->db,
        .plan = &empty,
        .backup_dir = input->backup_dir,
        .max_age_us = INT64_C(1000000) * 3600 * MAX_AGE_H,
        .state_dir = input->run->global->state_dir,
    };

    for (size_t i = 0; i < COUNT_OF(needs); i++) {
        const struct gate *gate = gate_find(needs[i].gate);
        struct gate_result result = { .state = GATE_RED };

        if (!gate)
            continue;
        result.name = gate->name;
        result.title = gate->title;
        if (!gate->check(ctx, &asked, &result))
            return false;
        if (result.state != GATE_RED)
            continue;
        collected_manual(ctx->arena, ret,
            &(const struct plan_step){
                .phase = 1,
                .title = needs[i].title,
                .feature = gate->name,
                .why = result.text,
                .gain_ratio = NAN,
                .manual = needs[i].manual ? needs[i].manual : result.remedy,
            })
            ->place = PLACE_FIRST;
    }
    return true;
}
