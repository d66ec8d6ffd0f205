/* Everything that was seen, for other programs. */
#include "migrate/trace/trace.h"

static void
set(json_t *json, const char *name, const char *text)
{
    json_object_set_new(json, name, render_json_text(text));
}

static void
set_number(json_t *json, const char *name, int64_t number)
{
    json_object_set_new(json, name, json_integer(number));
}

static void
set_truth(json_t *json, const char *name, bool truth)
{
    json_object_set_new(json, name, json_boolean(truth));
}

/* Statements are counted from 1; what is not known is null. */
static void
set_statement(json_t *json, const struct trace_revision *revision, size_t statement)
{
    json_object_set_new(json, "statement",
        statement < revision->statements.count ? json_integer((json_int_t)statement + 1)
                                               : json_null());
}

static void
set_place(json_t *json, const struct place *place)
{
    set(json, "file", place->file);
    json_object_set_new(
        json, "line", place->file && place->line > 0 ? json_integer(place->line) : json_null());
}

static const char *
kind_name(char kind)
{
    switch (kind) {
    case 'r':
        return "table";
    case 'p':
        return "partitioned table";
    case 'm':
        return "materialized view";
    case 'v':
        return "view";
    case 'f':
        return "foreign table";
    case 'S':
        return "sequence";
    default:
        return "index";
    }
}

static json_t *
name_json(const struct trace_name *name)
{
    json_t *json = json_object();

    set(json, "schema", name->schema);
    set(json, "name", name->name);
    set(json, "kind", kind_name(name->kind));
    return json;
}

static json_t *
texts(const struct text_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, render_json_text(list->items[i]));
    return array;
}

static json_t *
failure_json(const struct trace_failure *failure)
{
    json_t *json = json_object();

    set(json, "sqlstate", failure->sqlstate);
    set(json, "message", failure->message);
    set(json, "detail", failure->detail);
    set(json, "hint", failure->hint);
    set(json, "statement", failure->statement);
    set_place(json, &failure->place);
    return json;
}

static json_t *
statement_json(const struct trace_statement *statement)
{
    json_t *json = json_object();

    set(json, "sql", statement->sql);
    set(json, "tag", statement->tag);
    json_object_set_new(
        json, "rows", statement->rows >= 0 ? json_integer(statement->rows) : json_null());
    set_number(json, "us", statement->us);
    set_place(json, &statement->place);
    json_object_set_new(json, "transaction",
        statement->transaction > 0 ? json_integer((json_int_t)statement->transaction)
                                   : json_null());
    set(json, "sqlstate", statement->sqlstate);
    set(json, "message", statement->message);
    return json;
}

static json_t *
wait_json(const struct trace_wait *wait)
{
    json_t *json;

    if (wait->kind == TRACE_WAIT_NONE)
        return json_null();
    json = json_object();
    set_number(json, "us", wait->us);
    set_truth(json, "is_measured", wait->kind == TRACE_WAIT_MEASURED);
    set(json, "error", wait->error);
    return json;
}

static json_t *
locks_json(const struct trace_revision *revision)
{
    json_t *array = json_array();

    for (size_t i = 0; i < revision->locks.count; i++) {
        const struct trace_lock *lock = &revision->locks.items[i];
        json_t *json = name_json(&lock->relation);

        set(json, "mode", lock_mode_name(lock->mode));
        set_statement(json, revision, lock->statement);
        set_number(json, "held_us", lock->held_us);
        set_truth(json, "is_seen_from_outside", lock->is_seen);
        json_object_set_new(json, "reader_waits", wait_json(&lock->reader));
        json_object_set_new(json, "writer_waits", wait_json(&lock->writer));
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *
rewrites_json(const struct trace_revision *revision)
{
    json_t *array = json_array();

    for (size_t i = 0; i < revision->rewrites.count; i++) {
        json_t *json = name_json(&revision->rewrites.items[i].relation);

        set_statement(json, revision, revision->rewrites.items[i].statement);
        set_truth(json, "is_truncate", revision->rewrites.items[i].is_truncate);
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *
indexes_json(const struct trace_revision *revision)
{
    json_t *array = json_array();

    for (size_t i = 0; i < revision->indexes.count; i++) {
        const struct trace_index *index = &revision->indexes.items[i];
        json_t *json = name_json(&index->index);

        set(json, "table", index->table);
        set_statement(json, revision, index->statement);
        json_object_set_new(json, "us",
            index->statement < revision->statements.count ? json_integer(index->us) : json_null());
        set_truth(json, "is_rebuilt", index->is_rebuilt);
        set_truth(json, "is_on_new_table", index->is_on_new_table);
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *
rows_json(const struct trace_revision *revision)
{
    json_t *array = json_array();

    for (size_t i = 0; i < revision->rows.count; i++) {
        const struct trace_rows *rows = &revision->rows.items[i];
        json_t *json = json_object();

        set(json, "schema", rows->table.schema);
        set(json, "name", rows->table.name);
        set_truth(json, "is_new", rows->is_new);
        set_number(json, "scans", rows->scans);
        set_number(json, "read", rows->read);
        set_number(json, "inserted", rows->inserted);
        set_number(json, "updated", rows->updated);
        set_number(json, "deleted", rows->deleted);
        json_array_append_new(array, json);
    }
    return array;
}

static json_t *
downgrade_json(const struct trace_downgrade *downgrade)
{
    bool has_failure =
        downgrade->result == TRACE_DOWNGRADE_NONE || downgrade->result == TRACE_DOWNGRADE_FAILS;
    json_t *json = json_object();

    set(json, "result", trace_downgrade_name(downgrade->result));
    set_number(json, "us", downgrade->us);
    json_object_set_new(
        json, "failure", has_failure ? failure_json(&downgrade->failure) : json_null());
    json_object_set_new(json, "differences", texts(&downgrade->differences));
    json_object_set_new(json, "mending", texts(&downgrade->statements));
    json_object_set_new(json, "upgrade_again",
        !downgrade->was_again        ? json_null()
        : downgrade->is_again_failed ? failure_json(&downgrade->again)
                                     : json_string("done"));
    return json;
}

static json_t *
revision_json(const struct trace_revision *revision)
{
    json_t *json = json_object();
    json_t *statements = json_array();

    set(json, "id", revision->revision->id);
    set(json, "file", revision->revision->file);
    set(json, "message", revision->revision->message);
    set(json, "result", revision->is_skipped ? "skipped" : revision->is_failed ? "failed" : "done");
    json_object_set_new(
        json, "failure", revision->is_failed ? failure_json(&revision->failure) : json_null());
    set_number(json, "server_us", revision->server_us);
    set_number(json, "alembic_us", revision->alembic_us);
    set_number(json, "transactions", (int64_t)revision->transactions);
    set_number(json, "wal_bytes_of_server", revision->wal_bytes);
    for (size_t i = 0; i < revision->statements.count; i++)
        json_array_append_new(statements, statement_json(&revision->statements.items[i]));
    json_object_set_new(json, "statements", statements);
    json_object_set_new(json, "locks", locks_json(revision));
    set_truth(json, "locks_are_complete", !revision->has_lone_statements);
    json_object_set_new(json, "rewrites", rewrites_json(revision));
    json_object_set_new(json, "indexes", indexes_json(revision));
    json_object_set_new(json, "rows", rows_json(revision));
    json_object_set_new(json, "changes", texts(&revision->changes));
    json_object_set_new(json, "downgrade", downgrade_json(&revision->downgrade));
    return json;
}

/* An element a line, so that two documents can be compared by diff(1). */
static void
put_array(FILE *out, const char *name, json_t *array)
{
    size_t index;
    json_t *item;

    fprintf(out, ",\n\"%s\": [", name);
    json_array_foreach(array, index, item)
    {
        fputs(index > 0 ? ",\n" : "\n", out);
        json_dumpf(item, out, JSON_COMPACT);
    }
    fputs(json_array_size(array) > 0 ? "\n]" : "]", out);
}

static json_t *
summary_json(const struct trace *trace)
{
    json_t *json = json_object();

    set(json, "server_version", trace->server_version);
    set(json, "alembic_version", trace->alembic_version);
    set(json, "copy_of", trace->copy);
    set(json, "from", trace->from);
    set_number(json, "wanted", (int64_t)trace->wanted);
    set_number(json, "traced", (int64_t)trace->revisions.count);
    set_number(json, "failures", (int64_t)trace->failures);
    set_truth(json, "is_stopped", trace->is_stopped);
    set_number(json, "hold_limit_us", trace->hold_limit_us);
    set_number(json, "us", trace->us);
    json_object_set_new(json, "findings", render_json_counts(&trace->findings));
    json_object_set_new(json, "notes", texts(&trace->notes));
    return json;
}

void
trace_json(FILE *out, const struct trace *trace)
{
    json_t *summary CLEANUP(json_release) = summary_json(trace);
    json_t *revisions CLEANUP(json_release) = json_array();
    json_t *findings CLEANUP(json_release) = json_array();

    for (size_t i = 0; i < trace->revisions.count; i++)
        json_array_append_new(revisions, revision_json(&trace->revisions.items[i]));
    for (size_t i = 0; i < trace->findings.count; i++)
        json_array_append_new(findings, render_json_finding(&trace->findings.items[i]));
    fputs("{\"schema_version\": 1,\n\"summary\": ", out);
    json_dumpf(summary, out, JSON_COMPACT);
    put_array(out, "revisions", revisions);
    put_array(out, "findings", findings);
    fputs("}\n", out);
}
