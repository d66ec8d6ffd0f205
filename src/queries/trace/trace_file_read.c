#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "queries/trace/trace_file_part.h"
#include "workload/traced_value.h"

enum { MOST_TEMPLATES = 1000000, HASH_DIGITS = 16 };

static const char first_bytes[] = "{\"pgmend_trace\":";

struct reader {
    const char *path;
    int64_t line;
    struct templates *templates;
    traced_sink *sink;
    void *data;
    struct value_key key; /* of values that are kept as text */
    struct arena *arena;  /* of one line */
    const struct template **known;
    size_t known_count;
    struct trace_summary *summary;
    bool has_end;
};

bool
trace_file_is(const char *path)
{
    char start[sizeof(first_bytes)] = "";
    FILE *file = fopen(path, "re");
    bool is_one;

    if (!file)
        return false;
    is_one = fread(start, 1, sizeof(first_bytes) - 1, file) == sizeof(first_bytes) - 1 &&
             strcmp(start, first_bytes) == 0;
    fclose(file);
    return is_one;
}

static bool
error_of_line(struct ctx *ctx, const struct reader *reader, const char *what)
{
    return error_set(ctx, ERR_INPUT, "%s:%" PRId64 ": %s", reader->path, reader->line, what);
}

/* ---- values ---- */

static bool
read_hash(const char *text, uint64_t *ret)
{
    *ret = 0;
    for (int i = 0; i < HASH_DIGITS; i++) {
        char c = text[i];

        if (c >= '0' && c <= '9')
            *ret = *ret << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *ret = *ret << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    return text[HASH_DIGITS] == '\0';
}

static bool
read_value(const struct reader *reader, const json_t *from, struct traced_value *ret)
{
    const char *text = json_string_value(from);
    const char *opaque = json_string_value(json_object_get(from, "o"));

    *ret = (struct traced_value){ 0 };
    if (json_is_null(from))
        return true;
    if (!text && !opaque)
        return false;
    if (opaque || !reader->summary->has_values) {
        ret->is_opaque = opaque || *text == 'o';
        return read_hash(opaque ? opaque : text + ret->is_opaque, &ret->hash);
    }
    ret->text = arena_strdup(reader->arena, text);
    ret->hash = value_hash(&reader->key, text, strlen(text));
    return true;
}

static bool
read_values(
    const struct reader *reader, const json_t *from, struct traced_value **ret, size_t *ret_count)
{
    size_t count = json_array_size(from);

    *ret = ARENA_ARRAY(reader->arena, struct traced_value, count);
    *ret_count = count;
    for (size_t i = 0; i < count; i++)
        if (!read_value(reader, json_array_get(from, i), &(*ret)[i]))
            return false;
    return !from || json_is_array(from);
}

static bool
read_columns(const struct reader *reader, const json_t *from, struct traced_statement *statement)
{
    size_t count = json_array_size(from);
    struct traced_column *columns;

    /* Of a log no result is seen, which is another thing than a result without columns. */
    if (!from)
        return true;
    columns = ARENA_ARRAY(reader->arena, struct traced_column, count);
    for (size_t i = 0; i < count; i++) {
        const json_t *column = json_array_get(from, i);

        columns[i].name = json_get_text(reader->arena, column, "n", NULL);
        columns[i].type = (uint32_t)json_get_int(column, "o", 0);
        if (!read_values(
                reader, json_object_get(column, "v"), &columns[i].values, &columns[i].count) ||
            columns[i].count > statement->row_count)
            return false;
    }
    statement->columns = columns;
    statement->column_count = count;
    return true;
}

/* ---- lines ---- */

static bool
read_kind(const char *name, enum template_kind *ret)
{
    for (size_t i = 0; i < trace_file_kind_count; i++)
        if (text_equal(name, trace_file_kinds[i])) {
            *ret = (enum template_kind)i;
            return true;
        }
    return false;
}

static bool
take_template(struct ctx *ctx, struct reader *reader, const json_t *line)
{
    int64_t number = json_get_int(line, "t", -1);
    int64_t params = json_get_int(line, "params", 0);
    struct template template = {
        .fingerprint = json_get_text(reader->arena, line, "fingerprint", NULL),
        .text = json_get_text(reader->arena, line, "text", NULL),
        .param_count = (uint16_t)params,
        .is_volatile = json_get_bool(line, "volatile", false),
    };

    if (number < 0 || number >= MOST_TEMPLATES || params < 0 || params > UINT16_MAX ||
        !template.fingerprint || !template.text ||
        !read_kind(json_get_text(reader->arena, line, "kind", NULL), &template.kind))
        return error_of_line(ctx, reader, "this is no template as pgmend writes them");
    if ((size_t)number >= reader->known_count) {
        size_t count = (size_t)number * 2 + 64;
        const struct template **larger = ARENA_ARRAY(ctx->arena, const struct template *, count);

        if (reader->known_count > 0)
            memcpy(larger, reader->known, sizeof(*larger) * reader->known_count);
        reader->known = larger;
        reader->known_count = count;
    }
    reader->known[number] = templates_add(reader->templates, &template);
    return true;
}

static bool
take_statement(struct ctx *ctx, struct reader *reader, const json_t *line)
{
    int64_t number = json_get_int(line, "q", -1);
    struct arena *arena = reader->arena;
    struct traced_value *values;
    struct traced_statement statement = {
        .session = (uint64_t)json_get_int(line, "s", 0),
        .transaction = (uint64_t)json_get_int(line, "x", 0),
        .line = (uint64_t)json_get_int(line, "l", 0),
        .started_us = json_get_int(line, "at", 0),
        .elapsed_us = json_get_int(line, "us", -1),
        .rows = json_get_int(line, "rows", -1),
        .sql = json_get_text(arena, line, "sql", NULL),
        .param_count = (size_t)json_get_int(line, "p", 0),
        .row_count = (size_t)json_get_int(line, "r", 0),
        .tag = { .route = json_get_text(arena, line, "route", NULL),
            .request = json_get_text(arena, line, "request", NULL),
            .framework = json_get_text(arena, line, "framework", NULL) },
        .application = json_get_text(arena, line, "app", NULL),
        .database = json_get_text(arena, line, "db", NULL),
        .user = json_get_text(arena, line, "user", NULL),
        .is_failed = json_get_bool(line, "failed", false),
        .is_after_gap = json_get_bool(line, "gap", false),
    };

    if (number < 0 || (size_t)number >= reader->known_count || !reader->known[number])
        return error_of_line(ctx, reader, "its template does not stand before it");
    statement.template = reader->known[number];
    if (!read_values(reader, json_object_get(line, "v"), &values, &statement.value_count) ||
        statement.param_count > statement.value_count)
        return error_of_line(ctx, reader, "\"v\" holds what is no value");
    statement.values = values;
    if (!read_columns(reader, json_object_get(line, "c"), &statement))
        return error_of_line(ctx, reader, "\"c\" holds what is no column");
    reader->summary->statements++;
    return reader->sink(ctx, reader->data, &statement);
}

static bool
take_head(struct ctx *ctx, struct reader *reader, const json_t *line)
{
    int64_t version = json_get_int(line, "pgmend_trace", 0);
    const char *source = json_get_text(ctx->arena, line, "source", "wire");

    if (version > TRACE_FILE_VERSION)
        return error_set(ctx, ERR_UNSUPPORTED,
            "%s is a trace of version %" PRId64 ": it was written by a "
            "newer pgmend, and this one reads version %d",
            reader->path, version, TRACE_FILE_VERSION);
    if (version < 1)
        return error_of_line(ctx, reader, "this is no trace of pgmend");
    reader->summary->source = source;
    reader->summary->has_values = json_get_bool(line, "values", false);
    return true;
}

static bool
take_line(struct ctx *ctx, struct reader *reader, const char *text, size_t length)
{
    json_t *line CLEANUP(json_release) = json_loadb(text, length, 0, NULL);

    if (!json_is_object(line))
        return error_of_line(ctx, reader, "this is no line of a trace: it is no JSON object");
    if (reader->line == 1)
        return take_head(ctx, reader, line);
    if (json_object_get(line, "q"))
        return take_statement(ctx, reader, line);
    if (json_object_get(line, "t"))
        return take_template(ctx, reader, line);
    if (json_object_get(line, "end")) {
        reader->has_end = true;
        reader->summary->lost += json_get_int(line, "lost", 0) + json_get_int(line, "left_out", 0);
    }
    return true; /* of a later version of the same form */
}

static bool
read_lines(struct ctx *ctx, struct reader *reader, FILE *file, char **line)
{
    size_t size = 0;
    ssize_t length;

    while ((length = getline(line, &size, file)) > 0) {
        reader->line++;
        /* Cut off in the middle of a line, as when the disk was full or the writer was killed. */
        if ((*line)[length - 1] != '\n')
            break;
        if (!take_line(ctx, reader, *line, (size_t)length))
            return false;
        arena_reset(reader->arena);
    }
    if (ferror(file))
        return error_set_errno(ctx, "reading %s", reader->path);
    if (reader->line == 0)
        return error_set(ctx, ERR_INPUT, "%s is empty: no trace", reader->path);
    return true;
}

bool
trace_file_read(struct ctx *ctx, const char *path, struct templates *templates, traced_sink *sink,
    void *data, struct trace_summary *ret)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct reader reader = { .path = path,
        .templates = templates,
        .sink = sink,
        .data = data,
        .arena = arena,
        .summary = ret };
    FILE *file = fopen(path, "re");
    char *line = NULL;
    bool is_good;

    *ret = (struct trace_summary){ 0 };
    if (!file)
        return error_set_errno(ctx, "opening %s", path);
    value_key_make(&reader.key);
    is_good = read_lines(ctx, &reader, file, &line);
    free(line);
    fclose(file);
    ret->is_cut = !reader.has_end;
    if (is_good && !ret->source)
        return error_set(
            ctx, ERR_INPUT, "%s:1: this is no trace of pgmend: its first line is cut", path);
    return is_good;
}
