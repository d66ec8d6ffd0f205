#include "cli/command.h"
#include "cli/out.h"
#include "monitor/kpi/kpi.h"

static bool
run(struct ctx *ctx, struct run *run)
{
    const char *path = run->operands.items[0];
    struct kpi_value *values;
    size_t count;

    if (!kpi_read_csv(ctx, path, &values, &count))
        return error_state(ctx, "No value was recorded.");
    if (count == 0)
        return error_set(ctx, ERR_INPUT, "%s has a header, but no values", path);
    if (!db_require_writable(ctx, run->db))
        return false;
    if (!kpi_record(ctx, run->db, values, count))
        return error_state(ctx, "No value was recorded.");
    if (run->global->json) {
        json_t *json CLEANUP(json_release) =
            json_pack("{s:s, s:I}", "file", path, "values", (json_int_t)count);

        out_json(run->out, json);
        return true;
    }
    out_mark_line(
        run->out, MARK_OK, "%zu value%s of %s recorded", count, count == 1 ? "" : "s", path);
    out_next(run->out, "pgmend kpi show");
    return true;
}

const struct command cmd_kpi_import = {
    .path = "kpi import",
    .summary = "record the values of goals that stand in a CSV file",
    .details = "The first line names the columns: name and value, and perhaps at (a date or a time "
               "in UTC) and note. Cells are parted by commas; those with commas, quotes or line "
               "breaks stand in double quotes. All values are recorded or, if one cannot be, none; "
               "importing a file again replaces values of the same goal and time.",
    .operands = "FILE.csv",
    .min_operands = 1,
    .max_operands = 1,
    .access = ACCESS_WRITE,
    .examples = "pgmend kpi import support-2026-11.csv",
    .next = "pgmend kpi show",
    .run = run,
};
