#include "cmd/parts/gate_record.h"

#include "change/gate.h"
#include "change/rights.h"
#include "cli/out.h"

bool
record_gate(struct ctx *ctx, struct run *run, const char *note, bool passed)
{
    const char *name = run->operands.items[0];
    const struct gate *gate = gate_find(name);

    if (text_is_empty(note))
        return error_set(ctx, ERR_USAGE, "--note must say something: it is the record");
    if (!gate) {
        error_set(ctx, ERR_USAGE, "there is no gate \"%s\"", name);
        return error_hint(ctx, "\"pgmend gate\" lists them.");
    }
    if (!gate->is_recorded) {
        error_set(ctx, ERR_USAGE, "the gate \"%s\" is checked by pgmend itself", name);
        return error_hint(ctx, "\"pgmend gate\" says what makes it green.");
    }
    if (!rights_require_record(ctx, run->db))
        return false;
    if (!db_require_writable(ctx, run->db) || !gate_record(ctx, run->db, name, passed, note, NULL))
        return false;
    if (run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:s, s:b, s:s}", "gate", name, "passed", (int)passed, "note", note);

        out_json(run->out, json);
        return true;
    }
    out_mark_line(run->out, passed ? MARK_OK : MARK_WARN, "%s %s: %s", name,
        passed ? "recorded" : "withdrawn", note);
    out_next(run->out, "pgmend gate");
    return true;
}
