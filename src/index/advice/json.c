#include <math.h>

#include "index/advice/advice.h"

static json_t *
texts_json(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static json_t *
query_json(struct arena *arena, const struct index_query *query)
{
    const struct intake_statement *statement = query->statement;
    json_t *json = json_object();
    json_t *constants = json_array();

    json_object_set_new(json, "fingerprint", json_string(statement->fingerprint));
    json_object_set_new(json, "query", json_string(advice_query_text(arena, query)));
    json_object_set_new(json, "source", json_string(statement->source));
    json_object_set_new(json, "calls", json_number(statement->calls));
    json_object_set_new(
        json, "total_ms", statement->total_ms < 0 ? json_null() : json_number(statement->total_ms));
    if (query->mended)
        json_object_set_new(json, "mended", json_string(query->mended));
    for (size_t i = 0; i < query->instances.count; i++)
        json_array_append_new(constants,
            json_pack("{s:o, s:s?}", "share", json_number(query->instances.items[i].share), "from",
                query->instances.items[i].from));
    json_object_set_new(json, "planned_with", constants);
    return json;
}

static json_t *
helps_json(struct arena *arena, const struct advice *advice, const struct choice_index *choice)
{
    json_t *array = json_array();

    for (size_t i = 0; i < choice->helps.count; i++) {
        const struct choice_help *help = &choice->helps.items[i];
        const struct choose_query *weighed = &advice->weighed[help->query];
        json_t *json = query_json(arena, weighed->query);
        double before = advice->choice.before_total;

        json_object_set_new(json, "share",
            json_number(before > 0 ? weighed->weight * weighed->before / before : 0));
        json_object_set_new(json, "cost_before", json_number(help->before));
        json_object_set_new(json, "cost_after", json_number(help->after));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *
keys_json(const struct index_candidate *candidate)
{
    json_t *array = json_array();

    for (size_t i = 0; i < candidate->key_count; i++) {
        const struct candidate_key *key = &candidate->keys[i];

        json_array_append_new(
            array, json_pack("{s:s, s:s?, s:b, s:b, s:s}", "key", key->text, "operator_class",
                       key->opclass, "descending", key->is_descending, "nulls_first",
                       key->is_nulls_first, "for", candidate_role_name(key->role)));
    }
    return array;
}

static json_t *
index_json(struct arena *arena, const struct advice *advice, const struct advice_index *index)
{
    const struct choice_index *choice = index->choice;
    const struct index_candidate *candidate = choice->candidate;
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "name", index->name, "schema",
        candidate->table->schema, "table", candidate->table->name, "method", candidate->method,
        "definition", candidate->definition, "statement", index->statement);

    json_object_set_new(json, "keys", keys_json(candidate));
    json_object_set_new(json, "include", texts_json(&candidate->include));
    if (candidate->predicate)
        json_object_set_new(json, "predicate", json_string(candidate->predicate));
    json_object_set_new(json, "bytes", json_integer(choice->bytes));
    json_object_set_new(json, "build_us", json_integer(index->build_us));
    json_object_set_new(json, "lock", json_string(index->lock));
    json_object_set_new(json, "saved", json_number(choice->saved));
    json_object_set_new(json, "saved_share", json_number(index->saved_share));
    json_object_set_new(json, "share", json_number(index->share));
    json_object_set_new(json, "write_cost", json_number(choice->write_cost));
    json_object_set_new(json, "lost_hot_updates", json_number(choice->lost_hot));
    json_object_set_new(json, "why", json_string(index->why));
    json_object_set_new(json, "instead", texts_json(&choice->instead));
    json_object_set_new(json, "cautions", texts_json(&index->cautions));
    json_object_set_new(json, "recipe", texts_json(&index->recipe));
    json_object_set_new(json, "helps", helps_json(arena, advice, choice));
    return json;
}

static json_t *
drops_json(const struct choice *choice)
{
    json_t *array = json_array();

    for (size_t i = 0; i < choice->drops.count; i++) {
        const struct choice_drop *drop = &choice->drops.items[i];

        json_array_append_new(
            array, json_pack("{s:s, s:s, s:s, s:I, s:s}", "schema", drop->index->schema, "name",
                       drop->index->name, "table", drop->table->name, "bytes",
                       (json_int_t)drop->index->bytes, "because", drop->because));
    }
    return array;
}

static json_t *
unexplained_json(struct arena *arena, const struct advice *advice)
{
    json_t *array = json_array();

    for (size_t i = 0; i < advice->unexplained.count; i++) {
        const struct index_query *query = advice->unexplained.items[i];
        json_t *json = query_json(arena, query);

        json_object_set_new(json, "problem", json_string(query->problem));
        if (query->remedy)
            json_object_set_new(json, "remedy", json_string(query->remedy));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *
workload_json(const struct advice *advice)
{
    const struct intake *intake = advice->intake;
    json_t *json = json_pack("{s:s, s:I, s:I, s:I, s:I}", "source", intake->source, "statements",
        (json_int_t)intake->count, "planned", (json_int_t)advice->queries.count, "light",
        (json_int_t)advice->light, "unexplained", (json_int_t)advice->unexplained.count);

    json_object_set_new(json, "utility", json_integer((json_int_t)advice->utility));
    json_object_set_new(json, "hidden", json_integer(intake->hidden));
    json_object_set_new(json, "evicted", json_integer(intake->evicted));
    json_object_set_new(json, "other_databases", json_integer(intake->other_databases));
    json_object_set_new(json, "own", json_integer(intake->own));
    json_object_set_new(
        json, "span_s", intake->span_s < 0 ? json_null() : json_number(intake->span_s));
    json_object_set_new(json, "notes", texts_json(&intake->notes));
    return json;
}

json_t *
advice_json(struct arena *arena, const struct advice *advice)
{
    const struct choice *choice = &advice->choice;
    json_t *json = json_object();
    json_t *indexes = json_array();
    json_t *trail = json_array();

    for (size_t i = 0; i < advice->indexes.count; i++)
        json_array_append_new(indexes, index_json(arena, advice, &advice->indexes.items[i]));
    for (size_t i = 0; i < choice->trail.count; i++)
        json_array_append_new(trail, json_string(choice->trail.items[i]));
    json_object_set_new(json, "workload", workload_json(advice));
    json_object_set_new(json, "indexes", indexes);
    json_object_set_new(json, "needless", drops_json(choice));
    json_object_set_new(json, "unit", json_string(advice->is_in_ms ? "ms" : "planner cost"));
    json_object_set_new(json, "before", json_number(choice->before_total));
    json_object_set_new(json, "after", json_number(choice->after_total));
    json_object_set_new(json, "write_before", json_number(choice->write_before));
    json_object_set_new(json, "write_added", json_number(choice->write_added));
    json_object_set_new(json, "bytes", json_integer(choice->bytes));
    json_object_set_new(json, "way", json_string(advice->way));
    json_object_set_new(
        json, "candidates", json_integer((json_int_t)advice->candidates.items.count));
    json_object_set_new(json, "planner_calls", json_integer(choice->planner_calls));
    json_object_set_new(json, "rounds", json_integer(choice->rounds));
    json_object_set_new(json, "is_cut_short", json_boolean(choice->is_cut_short));
    json_object_set_new(json, "us", json_integer(advice->us));
    json_object_set_new(json, "notes", texts_json(&advice->notes));
    json_object_set_new(json, "trail", trail);
    json_object_set_new(json, "unexplained", unexplained_json(arena, advice));
    return json;
}
