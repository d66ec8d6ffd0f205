#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "queries/trace/trace_file_part.h"

#define STANDARD_BYTES (INT64_C(1000) * 1000 * 1000)
#define FLUSH_US       1000000 /* what a killed trace loses at most */

enum { WRITE_BYTES = 256 * 1024, END_BYTES = 200 };

/* Whose the last statement was, and how that is written: most often the next one's is the same. */
struct who {
    struct arena *arena;
    const char *application;
    const char *database;
    const char *user;
    struct buffer text;
};

struct trace_writer {
    struct trace_file_options options;
    struct arena *arena;   /* of its own life */
    struct arena *scratch; /* of the line */
    struct buffer line;    /* that is made */
    const char *path;
    char *beside;
    int file;
    struct buffer lines; /* not yet written; in lines_arena */
    struct arena *lines_arena;
    int64_t flushed_us;
    int64_t bytes;   /* that are in the file as whole lines */
    int64_t planned; /* and with those that wait */
    int64_t statements;
    int64_t left_out;
    bool is_broken; /* nothing more can be written */
    struct who who;
    bool *written; /* templates, by number */
    size_t written_count;
};

const char *const trace_file_kinds[] = {
    [TEMPLATE_READ] = "read",
    [TEMPLATE_WRITE] = "write",
    [TEMPLATE_TRANSACTION] = "transaction",
    [TEMPLATE_SESSION] = "session",
    [TEMPLATE_OTHER] = "other",
    [TEMPLATE_UNKNOWN] = "unknown",
};
const size_t trace_file_kind_count = COUNT_OF(trace_file_kinds);

/* ---- JSON: a line a statement, so nothing here is left to printf() ---- */

/* Here, so that the compiler sees how little it is. The line is no C string in between. */
static inline void
add_bytes(struct buffer *line, const char *data, size_t length)
{
    if (line->capacity - line->length <= length)
        buffer_reserve(line, length);
    memcpy(line->data + line->length, data, length);
    line->length += length;
}

/* A text of the program, of which the compiler knows how long it is. */
#define ADD(line, text) add_bytes((line), (text), sizeof(text) - 1)

/* "00" to "99". */
#define PAIRS_OF(tens)                                                                        \
    { tens, '0' }, { tens, '1' }, { tens, '2' }, { tens, '3' }, { tens, '4' }, { tens, '5' }, \
        { tens, '6' }, { tens, '7' }, { tens, '8' },                                          \
    {                                                                                         \
        tens, '9'                                                                             \
    }
static const char PAIRS[100][2] = { PAIRS_OF('0'), PAIRS_OF('1'), PAIRS_OF('2'), PAIRS_OF('3'),
    PAIRS_OF('4'), PAIRS_OF('5'), PAIRS_OF('6'), PAIRS_OF('7'), PAIRS_OF('8'), PAIRS_OF('9') };

static void
add_number(struct buffer *line, int64_t number)
{
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char text[24];
    size_t at = sizeof(text);

    while (left >= 100) {
        at -= 2;
        memcpy(text + at, PAIRS[left % 100], 2);
        left /= 100;
    }
    text[--at] = PAIRS[left][1];
    if (left >= 10)
        text[--at] = PAIRS[left][0];
    if (number < 0)
        text[--at] = '-';
    add_bytes(line, text + at, sizeof(text) - at);
}

/* How long the text is when it can stand there as it is: letters of ASCII; SIZE_MAX: it cannot. */
static size_t
plain_length(const char *text)
{
    size_t length = 0;

    for (; text[length]; length++) {
        unsigned char c = (unsigned char)text[length];

        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            return SIZE_MAX;
    }
    return length;
}

static void
add_escaped(struct buffer *line, const char *text)
{
    size_t length = plain_length(text);
    bool is_utf8;

    add_bytes(line, "\"", 1);
    if (length != SIZE_MAX) {
        add_bytes(line, text, length);
        add_bytes(line, "\"", 1);
        return;
    }
    is_utf8 = text_is_utf8(text);
    while (*text) {
        size_t plain = strcspn(text, "\"\\\x01\x02\x03\x04\x05\x06\x07\b\t\n\v\f\r\x0e\x0f\x10\x11"
                                     "\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f");

        if (is_utf8) {
            add_bytes(line, text, plain);
        } else {
            /* Not text that JSON could hold: letters are shown, the rest is not. */
            for (size_t i = 0; i < plain; i++)
                add_bytes(line, (unsigned char)text[i] < 0x80 ? &text[i] : "?", 1);
        }
        text += plain;
        if (*text)
            buffer_printf(line, "\\u%04x", (unsigned)(unsigned char)*text++);
    }
    add_bytes(line, "\"", 1);
}

static void
add_name(struct buffer *line, const char *name)
{
    ADD(line, "\"");
    buffer_add(line, name);
    ADD(line, "\":");
}

static void
add_member(struct buffer *line, const char *name, const char *text)
{
    if (!text)
        return;
    ADD(line, ",");
    add_name(line, name);
    add_escaped(line, text);
}

#define ADD_COUNT(line, name, number) (ADD((line), ",\"" name "\":"), add_number((line), (number)))

static void
add_hash(struct buffer *line, const char *before, uint64_t hash)
{
    static const char digits[] = "0123456789abcdef";
    char text[16];

    for (size_t i = sizeof(text); i > 0; hash >>= 4)
        text[--i] = digits[hash & 0xf];
    buffer_add(line, before);
    add_bytes(line, text, sizeof(text));
    add_bytes(line, "\"", 1);
}

enum values {
    VALUES_HASHED,
    VALUES_HIDDEN, /* hashes in a file of values, and no text */
    VALUES_KEPT,
};

static bool
has_word(const char *text, const char *word)
{
    return text && strcasestr(text, word);
}

/*
 * Of what makes a role, a server, a user mapping, a subscription, or a block that may do so: passwords are
 * in no file, whatever else is kept. Not of statements that only read or change rows.
 */
static bool
is_secret(const struct traced_statement *statement)
{
    static const char *const words[] = { "password", "subscription", "user mapping",
        "scram-sha-256$" };
    const struct template *template = statement->template;

    if (template->kind == TEMPLATE_READ || template->kind == TEMPLATE_WRITE ||
        template->kind == TEMPLATE_TRANSACTION)
        return false;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (has_word(template->text, words[i]) || has_word(statement->sql, words[i]))
            return true;
        for (size_t n = 0; n < statement->value_count; n++)
            if (has_word(statement->values[n].text, words[i]))
                return true;
    }
    return false;
}

static enum values
values_of(const struct trace_writer *writer, const struct traced_statement *statement)
{
    if (!writer->options.keeps_values)
        return VALUES_HASHED;
    return is_secret(statement) ? VALUES_HIDDEN : VALUES_KEPT;
}

/* null, a text that is kept, or a hash; a hash of bytes that are no text is told apart by a letter. */
static void
add_value(struct buffer *line, const struct traced_value *value, enum values values)
{
    if (value->hash == 0)
        buffer_add(line, "null");
    else if (values == VALUES_HASHED)
        add_hash(line, value->is_opaque ? "\"o" : "\"", value->hash);
    else if (values == VALUES_KEPT && value->text && text_is_utf8(value->text))
        add_escaped(line, value->text);
    else {
        add_hash(line, "{\"o\":\"", value->hash);
        add_bytes(line, "}", 1);
    }
}

static void
add_values(struct buffer *line, const char *name, const struct traced_value *values, size_t count,
    enum values kept)
{
    add_name(line, name);
    ADD(line, "[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            add_bytes(line, ",", 1);
        add_value(line, &values[i], kept);
    }
    add_bytes(line, "]", 1);
}

/* ---- lines ---- */

static bool
write_all(int file, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t count = write(file, data, length);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        data += count;
        length -= (size_t)count;
    }
    return true;
}

/* What was written of a line in part is taken away again: the file ends with a whole one. */
static bool
flush(struct ctx *ctx, struct trace_writer *writer)
{
    int error;

    if (!write_all(writer->file, writer->lines.data, writer->lines.length)) {
        error = errno;
        writer->is_broken = true;
        if (ftruncate(writer->file, writer->bytes) == 0)
            (void)lseek(writer->file, writer->bytes, SEEK_SET);
        errno = error;
        error_set_errno(ctx, "writing the trace \"%s\"", writer->path);
        error_hint(ctx, "What was written before is kept; what comes now is not.");
    } else {
        writer->bytes += (int64_t)writer->lines.length;
    }
    writer->flushed_us = clock_us();
    arena_reset(writer->lines_arena);
    writer->lines = (struct buffer){ .arena = writer->lines_arena };
    buffer_reserve(&writer->lines, WRITE_BYTES);
    return !writer->is_broken;
}

static bool
add_line(struct ctx *ctx, struct trace_writer *writer, struct buffer *line)
{
    buffer_append(line, "\n", 1);
    buffer_append(&writer->lines, line->data, line->length);
    writer->planned += (int64_t)line->length;
    if (writer->lines.length < WRITE_BYTES / 2 && clock_us() - writer->flushed_us < FLUSH_US)
        return true;
    return flush(ctx, writer);
}

bool
trace_writer_tick(struct ctx *ctx, struct trace_writer *writer)
{
    if (writer->is_broken || writer->lines.length == 0 ||
        clock_us() - writer->flushed_us < FLUSH_US)
        return true;
    return flush(ctx, writer);
}

const char *
trace_writer_path(const struct trace_writer *writer)
{
    return writer->beside;
}

static bool
is_written(struct trace_writer *writer, uint32_t number)
{
    if (number >= writer->written_count) {
        size_t count = writer->written_count;

        while (count <= number)
            count = count > 0 ? count * 2 : 256;

        bool *larger = ARENA_ARRAY(writer->arena, bool, count);

        if (writer->written_count > 0)
            memcpy(larger, writer->written, writer->written_count);
        writer->written = larger;
        writer->written_count = count;
    }
    return writer->written[number];
}

static void
add_template(struct buffer *line, const struct template *template)
{
    buffer_printf(
        line, "{\"t\":%u,\"kind\":\"%s\"", template->number, trace_file_kinds[template->kind]);
    add_member(line, "fingerprint", template->fingerprint);
    add_member(line, "text", template->text);
    buffer_printf(line, ",\"params\":%u%s}\n", template->param_count,
        template->is_volatile ? ",\"volatile\":true" : "");
}

static void
add_columns(struct buffer *line, const struct traced_statement *statement, enum values kept)
{
    ADD_COUNT(line, "r", (int64_t)statement->row_count);
    ADD(line, ",\"c\":[");
    for (size_t i = 0; i < statement->column_count; i++) {
        const struct traced_column *column = &statement->columns[i];

        buffer_add(line, i > 0 ? ",{\"o\":" : "{\"o\":");
        add_number(line, column->type);
        ADD(line, ",");
        add_values(line, "v", column->values, column->count, kept);
        add_member(line, "n", column->name);
        buffer_append(line, "}", 1);
    }
    buffer_append(line, "]", 1);
}

static const char *
copy_of(struct arena *arena, const char *text)
{
    return text ? arena_strdup(arena, text) : NULL;
}

static void
add_who(struct buffer *line, struct who *who, const struct traced_statement *statement)
{
    if (who->arena && text_equal(who->application, statement->application) &&
        text_equal(who->database, statement->database) && text_equal(who->user, statement->user)) {
        add_bytes(line, who->text.data, who->text.length);
        return;
    }
    if (!who->arena)
        who->arena = arena_new();
    arena_reset(who->arena);
    who->text = (struct buffer){ .arena = who->arena };
    buffer_reserve(&who->text, 1);
    who->application = copy_of(who->arena, statement->application);
    who->database = copy_of(who->arena, statement->database);
    who->user = copy_of(who->arena, statement->user);
    add_member(&who->text, "app", who->application);
    add_member(&who->text, "db", who->database);
    add_member(&who->text, "user", who->user);
    add_bytes(line, who->text.data, who->text.length);
}

static void
add_statement(struct buffer *line, struct who *who, const struct traced_statement *statement,
    enum values kept)
{
    ADD(line, "{\"q\":");
    add_number(line, statement->template->number);
    ADD_COUNT(line, "s", (int64_t)statement->session);
    if (statement->transaction > 0)
        ADD_COUNT(line, "x", (int64_t)statement->transaction);
    ADD_COUNT(line, "l", (int64_t)statement->line);
    ADD_COUNT(line, "at", statement->started_us);
    ADD_COUNT(line, "us", statement->elapsed_us);
    ADD_COUNT(line, "rows", statement->rows);
    if (statement->value_count > 0) {
        ADD_COUNT(line, "p", (int64_t)statement->param_count);
        ADD(line, ",");
        add_values(line, "v", statement->values, statement->value_count, kept);
    }
    if (statement->column_count > 0)
        add_columns(line, statement, kept);
    if (kept == VALUES_KEPT)
        add_member(line, "sql", statement->sql);
    add_member(line, "route", statement->tag.route);
    add_member(line, "request", statement->tag.request);
    add_member(line, "framework", statement->tag.framework);
    add_who(line, who, statement);
    buffer_add(line, statement->is_failed ? ",\"failed\":true" : "");
    buffer_add(line, statement->is_after_gap ? ",\"gap\":true}" : "}");
}

bool
trace_writer_statement(
    struct ctx *ctx, struct trace_writer *writer, const struct traced_statement *statement)
{
    struct buffer *line = &writer->line;
    const struct template *template = statement->template;
    bool is_new = !is_written(writer, template->number);

    if (writer->is_broken) {
        writer->left_out++;
        return true;
    }
    if (line->capacity > WRITE_BYTES) {
        arena_reset(writer->scratch);
        *line = (struct buffer){ .arena = writer->scratch };
    }
    line->length = 0;
    if (is_new)
        add_template(line, template);
    add_statement(line, &writer->who, statement, values_of(writer, statement));
    if (writer->planned + (int64_t)line->length + END_BYTES > writer->options.most_bytes) {
        writer->left_out++;
        return true;
    }
    writer->written[template->number] = true;
    writer->statements++;
    return add_line(ctx, writer, line);
}

/* ---- opening and closing ---- */

static void
writer_free(struct trace_writer *writer)
{
    if (writer->file >= 0)
        close(writer->file);
    arena_free(writer->lines_arena);
    arena_free(writer->who.arena);
    arena_free(writer->scratch);
    arena_free(writer->arena);
}

bool
trace_writer_open(struct ctx *ctx, const char *path, const struct trace_file_options *options,
    struct trace_writer **ret)
{
    struct arena *arena = arena_new();
    struct trace_writer *writer = ARENA_NEW(arena, struct trace_writer);
    struct buffer line = { .arena = arena };
    struct stat status;

    *writer = (struct trace_writer){
        .options = *options,
        .arena = arena,
        .scratch = arena_new(),
        .lines_arena = arena_new(),
        .path = arena_strdup(arena, path),
        .beside = arena_printf(arena, "%s.XXXXXX", path),
        .file = -1,
    };
    if (writer->options.most_bytes <= 0)
        writer->options.most_bytes = STANDARD_BYTES;
    writer->lines.arena = writer->lines_arena;
    writer->line.arena = writer->scratch;
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
        writer_free(writer);
        return error_set(
            ctx, ERR_INPUT, "\"%s\" is no ordinary file: a trace cannot be put there", path);
    }
    writer->file = mkostemp(writer->beside, O_CLOEXEC);
    if (writer->file < 0) {
        writer_free(writer);
        return error_set_errno(ctx, "making the trace \"%s\"", path);
    }
    buffer_printf(&line, "{\"pgmend_trace\":%d", TRACE_FILE_VERSION);
    add_member(&line, "source", options->source ? options->source : "wire");
    buffer_printf(&line, ",\"values\":%s}", options->keeps_values ? "true" : "false");
    if (!add_line(ctx, writer, &line) || !flush(ctx, writer)) {
        trace_writer_discard(writer);
        return false;
    }
    *ret = writer;
    return true;
}

bool
trace_writer_close(struct ctx *ctx, struct trace_writer *writer, int64_t lost)
{
    struct buffer line = { .arena = writer->arena };
    bool is_good = true;

    if (!writer->is_broken) {
        buffer_printf(&line,
            "{\"end\":true,\"statements\":%" PRId64 ",\"lost\":%" PRId64 ",\"left_out\":%" PRId64
            "}",
            writer->statements, lost, writer->left_out);
        is_good = add_line(ctx, writer, &line) && (writer->lines.length == 0 || flush(ctx, writer));
    }
    /* A trace whose end is missing is still worth having. */
    if (fsync(writer->file) != 0 && is_good)
        is_good = error_set_errno(ctx, "writing the trace \"%s\"", writer->path);
    if (!file_rename(ctx, writer->beside, writer->path))
        is_good = false;
    writer_free(writer);
    return is_good;
}

void
trace_writer_discard(struct trace_writer *writer)
{
    if (!writer)
        return;
    (void)unlink(writer->beside);
    writer_free(writer);
}
