#include "migrate/squash/report.h"

static void
add_row(struct squash_report *report, const char *what, const char *how, const char *answer)
{
    REPORT_ADD(report, REPORT_ROW, { what, how, answer });
}

static const char *
answer_of(struct arena *arena, size_t differences)
{
    return differences == 0 ? "no difference"
                            : squash_report_count(arena, differences, "difference");
}

/* "30 tables, 212 columns, …": what there was to compare. */
static const char *
classes_text(struct arena *arena, const struct squash_proof *proof)
{
    struct text_list parts = { 0 };

    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++)
        if (proof->compared[i] > 0)
            text_list_add(arena, &parts,
                squash_report_count(arena, proof->compared[i], schema_classes[i].word));
    return parts.count > 0 ? text_list_join(arena, &parts, ", ") : "nothing: the schema is empty";
}

static void
add_differences(struct squash_report *report, const char *title, const struct differences *found)
{
    struct arena *arena = report->arena;

    if (found->count == 0)
        return;
    REPORT_ADD(report, REPORT_HEADING, { title });
    for (size_t i = 0; i < found->count; i++) {
        const struct difference *difference = &found->items[i];

        REPORT_ADD(
            report, REPORT_ITEM, { squash_report_code(arena, difference_text(arena, difference)) });
        if (difference->statements.count > 0)
            REPORT_ADD(report, REPORT_CODE,
                { arena_printf(
                    arena, "%s;", text_list_join(arena, &difference->statements, ";\n")) });
        else if (difference->note)
            REPORT_ADD(report, REPORT_TEXT, { squash_report_code(arena, difference->note) });
    }
}

static void
add_compared(struct squash_report *report, const struct squash_proof *proof)
{
    struct arena *arena = report->arena;

    REPORT_ADD(report, REPORT_HEAD, { "Compared", "What", "Answer" });
    add_row(report, "catalogues", classes_text(arena, proof),
        answer_of(arena, proof->differences.count));
    add_row(report, "rows",
        arena_printf(arena, "%s in %s, by checksum of each table; %s",
            squash_report_count(arena, (size_t)proof->compared_rows, "row"),
            squash_report_count(arena, proof->compared_tables_with_rows, "table"),
            squash_report_count(arena, proof->compared_sequences, "sequence")),
        answer_of(arena, proof->row_differences.count));
    add_row(report, "`pg_dump -s` of both", "every byte",
        proof->is_dump_equal     ? "equal"
        : proof->dump_difference ? squash_report_code(arena, proof->dump_difference)
                                 : "not equal");
    add_row(report, "downgrade to base", text_from_us(arena, proof->down_us),
        proof->down_differences.count == 0
            ? "nothing left behind"
            : squash_report_count(arena, proof->down_differences.count, "object"));
    add_row(report, "upgrade once more", text_from_us(arena, proof->up_again_us),
        answer_of(arena, proof->again_differences.count));
}

static const char *
ratio_text(struct arena *arena, double old, double new)
{
    return old > 0 ? arena_printf(arena, "%s ×", text_from_ratio(arena, new / old)) : "";
}

static void
add_cost(struct squash_report *report, const struct squash_proof *proof)
{
    struct arena *arena = report->arena;

    REPORT_ADD(report, REPORT_HEADING, { "What it costs to make a database" });
    REPORT_ADD(report, REPORT_TEXT, { "One run each from empty to head, on the same server." });
    REPORT_ADD(report, REPORT_HEAD, { "", "#Old", "#New", "#New : old" });
    REPORT_ADD(report, REPORT_ROW,
        { "statements", text_from_count(arena, (int64_t)proof->old_statements),
            text_from_count(arena, (int64_t)proof->new_statements),
            ratio_text(arena, (double)proof->old_statements, (double)proof->new_statements) });
    REPORT_ADD(report, REPORT_ROW,
        { "time of the server", text_from_us(arena, proof->old_server_us),
            text_from_us(arena, proof->new_server_us),
            ratio_text(arena, (double)proof->old_server_us, (double)proof->new_server_us) });
    REPORT_ADD(report, REPORT_ROW,
        { "time of Alembic", text_from_us(arena, proof->old_alembic_us),
            text_from_us(arena, proof->new_alembic_us),
            ratio_text(arena, (double)proof->old_alembic_us, (double)proof->new_alembic_us) });
}

static void
add_certificate(struct squash_report *report, const struct squash_proof *proof)
{
    struct arena *arena = report->arena;

    REPORT_ADD(report, REPORT_HEADING, { "Certificate" });
    REPORT_ADD(report, REPORT_HEAD, { "SHA-256", "Old", "New" });
    add_row(report, "of the schema", squash_report_code(arena, proof->old_digest),
        squash_report_code(arena, proof->new_digest));
    add_row(report, "of the files", squash_report_code(arena, proof->old_tree),
        squash_report_code(arena, proof->new_tree));
    if (proof->not_compared.count > 0)
        REPORT_ADD(report, REPORT_TEXT,
            { arena_printf(
                arena, "Not compared: %s.", text_list_join(arena, &proof->not_compared, ", ")) });
}

void
squash_report_proof(struct squash_report *report, const struct squash_result *result)
{
    const struct squash_proof *proof = result->proof;
    struct arena *arena = report->arena;

    REPORT_ADD(report, REPORT_HEADING, { "Proof" });
    REPORT_ADD(report, REPORT_TEXT,
        { squash_proof_is_good(proof)
                ? "The old history made database A, the new one database B, both from empty, and "
                  "nothing differs."
                : "The old history made database A, the new one database B, both from empty, and "
                  "they are not the same. No file was put in place." });
    add_compared(report, proof);
    if (result->data_proof)
        REPORT_ADD(report, REPORT_TEXT, { squash_report_code(arena, result->data_proof) });
    add_differences(report, "Differences of the new history's database", &proof->differences);
    for (size_t i = 0; i < proof->row_differences.count; i++) {
        if (i == 0)
            REPORT_ADD(report, REPORT_HEADING, { "Differences of rows" });
        REPORT_ADD(
            report, REPORT_ITEM, { squash_report_code(arena, proof->row_differences.items[i]) });
    }
    add_differences(report, "What the downgrade leaves behind", &proof->down_differences);
    add_differences(
        report, "Differences after upgrade, downgrade, upgrade", &proof->again_differences);
    add_cost(report, proof);
    add_certificate(report, proof);
}
