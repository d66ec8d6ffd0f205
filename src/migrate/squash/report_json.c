#include "finding/render.h"
#include "migrate/squash/squash.h"

static json_t *
texts_json(const struct text_list *texts)
{
    json_t *json = json_array();

    for (size_t i = 0; i < texts->count; i++)
        json_array_append_new(json, render_json_text(texts->items[i]));
    return json;
}

static json_t *
differences_json(struct arena *arena, const struct differences *differences)
{
    static const char *const kinds[] = {
        [DIFFERENCE_MISSING] = "missing",
        [DIFFERENCE_EXTRA] = "extra",
        [DIFFERENCE_CHANGED] = "changed",
    };
    json_t *json = json_array();

    for (size_t i = 0; i < differences->count; i++) {
        const struct difference *item = &differences->items[i];

        json_array_append_new(
            json, json_pack("{s:s, s:s, s:o, s:s?, s:o, s:o, s:o, s:o, s:o, s:b}", "kind",
                      kinds[item->kind], "class", schema_classes[item->class].name, "identity",
                      render_json_text(item->identity), "attribute", item->attribute, "found",
                      render_json_text(item->found), "wanted", render_json_text(item->wanted),
                      "text", render_json_text(difference_text(arena, item)), "statements",
                      texts_json(&item->statements), "note", render_json_text(item->note),
                      "loses_rows", item->loses_rows));
    }
    return json;
}

static json_t *
cost_json(size_t revisions, size_t statements, int64_t server_us, int64_t alembic_us)
{
    return json_pack("{s:I, s:I, s:I, s:I}", "revisions", (json_int_t)revisions, "statements",
        (json_int_t)statements, "server_us", (json_int_t)server_us, "alembic_us",
        (json_int_t)alembic_us);
}

static void
set_text(json_t *json, const char *key, const char *text)
{
    json_object_set_new(json, key, render_json_text(text));
}

static json_t *
proof_json(struct arena *arena, const struct squash_proof *proof)
{
    json_t *json = json_pack("{s:b, s:o, s:o}", "is_good", squash_proof_is_good(proof), "old",
        cost_json(proof->old_revisions, proof->old_statements, proof->old_server_us,
            proof->old_alembic_us),
        "new",
        cost_json(proof->new_revisions, proof->new_statements, proof->new_server_us,
            proof->new_alembic_us));
    json_t *compared = json_object();

    for (size_t i = 0; i < SCHEMA_CLASS_COUNT; i++)
        json_object_set_new(
            compared, schema_classes[i].name, json_integer((json_int_t)proof->compared[i]));
    json_object_set_new(json, "compared", compared);
    json_object_set_new(json, "compared_tables_with_rows",
        json_integer((json_int_t)proof->compared_tables_with_rows));
    json_object_set_new(json, "compared_rows", json_integer((json_int_t)proof->compared_rows));
    json_object_set_new(
        json, "compared_sequences", json_integer((json_int_t)proof->compared_sequences));
    json_object_set_new(json, "differences", differences_json(arena, &proof->differences));
    json_object_set_new(json, "row_differences", texts_json(&proof->row_differences));
    json_object_set_new(
        json, "down_differences", differences_json(arena, &proof->down_differences));
    json_object_set_new(
        json, "again_differences", differences_json(arena, &proof->again_differences));
    json_object_set_new(json, "is_dump_equal", json_boolean(proof->is_dump_equal));
    set_text(json, "dump_difference", proof->dump_difference);
    json_object_set_new(json, "down_us", json_integer((json_int_t)proof->down_us));
    json_object_set_new(json, "up_again_us", json_integer((json_int_t)proof->up_again_us));
    set_text(json, "old_digest", proof->old_digest);
    set_text(json, "new_digest", proof->new_digest);
    set_text(json, "old_tree", proof->old_tree);
    set_text(json, "new_tree", proof->new_tree);
    set_text(json, "server_version", proof->server_version);
    set_text(json, "alembic_version", proof->alembic_version);
    json_object_set_new(json, "not_compared", texts_json(&proof->not_compared));
    json_object_set_new(json, "reworded", texts_json(&proof->reworded));
    return json;
}

static json_t *
files_json(const struct squash_files *files)
{
    json_t *json = json_array();

    for (size_t i = 0; i < files->count; i++) {
        const struct squash_file *file = &files->items[i];

        json_array_append_new(json,
            json_pack("{s:o, s:o, s:o, s:o, s:I, s:I}", "revision", render_json_text(file->id),
                "down_revision", render_json_text(file->down), "file", render_json_text(file->name),
                "title", render_json_text(file->title), "operations", (json_int_t)file->operations,
                "statements", (json_int_t)file->statements));
    }
    return json;
}

static json_t *
seeds_json(struct arena *arena, const struct seeds *seeds)
{
    json_t *tables = json_array();

    for (size_t i = 0; i < seeds->tables.count; i++) {
        const struct seed_table *table = &seeds->tables.items[i];

        json_array_append_new(
            tables, json_pack("{s:o, s:I, s:o}", "table",
                        render_json_text(arena_printf(arena, "%s.%s", table->schema, table->name)),
                        "rows", (json_int_t)table->rows, "unstable", texts_json(&table->unstable)));
    }
    return json_pack("{s:o, s:I, s:o}", "tables", tables, "sequences",
        (json_int_t)seeds->sequences.count, "left_out", texts_json(&seeds->left_out));
}

static json_t *
left_out_json(const struct replayed *old)
{
    json_t *json = json_array();

    for (size_t i = 0; i < old->data.count; i++) {
        const struct squash_data *data = &old->data.items[i];

        if (data->rows == 0)
            json_array_append_new(
                json, json_pack("{s:o, s:o, s:I, s:o, s:o}", "revision",
                          render_json_text(data->revision), "file",
                          render_json_text(data->place.file ? render_path(data->place.file) : NULL),
                          "line", (json_int_t)data->place.line, "sql", render_json_text(data->sql),
                          "tag", render_json_text(data->tag)));
    }
    return json;
}

static json_t *
drift_json(struct arena *arena, const struct squash_drift *drift)
{
    if (!drift)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "database", render_json_text(drift->label),
        "server_version", render_json_text(drift->server_version), "revisions",
        texts_json(&drift->revisions), "differences", differences_json(arena, &drift->differences),
        "accepted", texts_json(&drift->accepted));
}

static json_t *
databases_json(const struct squash_result *result)
{
    json_t *json = json_array();

    for (size_t i = 0; i < result->database_count; i++) {
        const struct squash_database *item = &result->databases[i];

        json_array_append_new(
            json, json_pack("{s:o, s:o, s:b, s:b, s:b, s:o}", "database",
                      render_json_text(item->label), "revisions", texts_json(&item->revisions),
                      "is_at_head", item->is_at_head, "is_known", item->is_known, "is_empty",
                      item->is_empty, "todo", render_json_text(item->todo)));
    }
    return json;
}

json_t *
squash_report_json(struct arena *arena, const struct squash_result *result)
{
    json_t *json = json_pack("{s:b, s:o, s:o}", "is_in_place", result->place != NULL, "files",
        files_json(result->files), "proof", proof_json(arena, result->proof));

    if (result->place) {
        set_text(json, "folder", result->place->folder);
        set_text(json, "archive", result->place->archive);
    }
    if (result->seeds)
        json_object_set_new(json, "seeds", seeds_json(arena, result->seeds));
    json_object_set_new(json, "left_out", left_out_json(result->old));
    json_object_set_new(json, "undecided", texts_json(&result->undecided));
    json_object_set_new(json, "drift", drift_json(arena, result->drift));
    json_object_set_new(json, "databases", databases_json(result));
    set_text(json, "data_proof", result->data_proof);
    return json;
}
