/*
 * Reading a log: bytes into records. Which form a file has is told by its first lines; a file may begin
 * in the middle of a record and end in one, as rotation cuts them.
 */
#include <assert.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/memory.h"
#include "workload/log_part.h"

enum {
    CHUNK = 256 * 1024,
    ENOUGH = 128 * 1024,              /* of a file, to tell its form */
    LONGEST_RECORD = 8 * 1024 * 1024, /* what is beyond is left out of it */
    MOST_PREFIXES = 32
};

struct log_reader {
    struct arena *arena;
    struct log_options options;
    struct log_sessions *sessions;
    struct log_counts counts;
    const char *file;       /* name of what is being read */
    uint64_t line;          /* that was read last */
    enum log_format format; /* AUTO: not known yet */
    struct log_prefix *prefixes[MOST_PREFIXES];
    size_t prefix_count;
    const struct log_prefix *prefix;
    const char *shown;
    int64_t records; /* of this file */

    /* Bytes that are no whole record yet. */
    char *data;
    size_t length;
    size_t capacity;
    size_t scanned; /* of them hold no end of a record */
    size_t tail;    /* of them are the end of the file before */
    bool is_quoted; /* csv: the place that was scanned to is inside quotes */
    bool is_dropping;

    /* A text record, until a line comes that is not its own. */
    char *text;
    size_t text_length;
    size_t text_capacity;
    uint64_t text_line;
    bool text_is_cut;
};

bool
log_reader_new(struct ctx *ctx, const struct log_options *options, struct templates *templates,
    traced_sink *sink, void *data, struct log_reader **ret)
{
    struct arena *arena = arena_new();
    struct log_reader *reader = ARENA_NEW(arena, struct log_reader);
    struct ctx own = { .arena = arena };

    *ret = NULL;
    reader->arena = arena;
    reader->options = *options;
    if (options->prefix) {
        if (!log_prefix_new(&own, options->prefix, &reader->prefixes[0])) {
            error_set(ctx, own.error.kind, "%s", own.error.message);
            if (own.error.hint)
                error_hint(ctx, "%s", own.error.hint);
            arena_free(arena);
            return false;
        }
        reader->prefix_count = 1;
    }
    for (size_t i = 0; log_prefixes[i] && reader->prefix_count < MOST_PREFIXES; i++)
        if (log_prefix_new(&own, log_prefixes[i], &reader->prefixes[reader->prefix_count]))
            reader->prefix_count++;
    reader->sessions = log_sessions_new(options, templates, sink, data);
    reader->format = options->format;
    *ret = reader;
    return true;
}

void
log_reader_free(struct log_reader *reader)
{
    if (!reader)
        return;
    log_sessions_free(reader->sessions);
    free(reader->data);
    free(reader->text);
    arena_free(reader->arena);
}

static void
append(char **data, size_t *length, size_t *capacity, const void *more, size_t count)
{
    if (*length + count + 1 > *capacity) {
        size_t wanted = (*length + count + 1) * 2;
        char *grown = realloc(*data, wanted);

        if (!grown)
            memory_exhausted(0);
        *data = grown;
        *capacity = wanted;
    }
    memcpy(*data + *length, more, count);
    *length += count;
    (*data)[*length] = '\0';
}

/* ---- records ---- */

static bool
take_record(struct ctx *ctx, struct log_reader *reader, const struct log_record *record)
{
    reader->records++;
    return log_sessions_take(ctx, reader->sessions, record, &reader->counts);
}

/* The text record that was put together so far. */
static bool
end_text(struct ctx *ctx, struct log_reader *reader)
{
    struct log_record record = { .pid = -1, .is_cut = reader->text_is_cut };
    bool is_one;

    if (reader->text_length == 0)
        return true;
    record.line = reader->text_line;
    is_one = log_prefix_match(reader->prefix, reader->text, reader->text_length, &record);
    reader->text_length = 0;
    reader->text_is_cut = false;
    if (!is_one) {
        reader->counts.broken++;
        return true;
    }
    return take_record(ctx, reader, &record);
}

/* A prefix that a line begins with; the one that is in use goes first. */
static const struct log_prefix *
prefix_of(const struct log_reader *reader, const char *line, size_t length)
{
    struct log_record record = { 0 };

    if (reader->prefix && log_prefix_match(reader->prefix, line, length, &record))
        return reader->prefix;
    /* Every prefix has a digit near its beginning; lines of other programs need no more looking. */
    if (!memchr(line, ':', length))
        return NULL;
    for (size_t i = 0; i < reader->prefix_count; i++)
        if (log_prefix_match(reader->prefixes[i], line, length, &record))
            return reader->prefixes[i];
    return NULL;
}

static bool
take_text_line(struct ctx *ctx, struct log_reader *reader, const char *line, size_t length)
{
    const struct log_prefix *prefix;

    if (length > 0 && line[0] == '\t') {
        if (reader->text_length == 0) {
            reader->counts.broken++;
        } else if (reader->text_length + length > LONGEST_RECORD) {
            reader->text_is_cut = true;
        } else if (!reader->text_is_cut) {
            append(&reader->text, &reader->text_length, &reader->text_capacity, "\n", 1);
            append(
                &reader->text, &reader->text_length, &reader->text_capacity, line + 1, length - 1);
        }
        return true;
    }
    prefix = prefix_of(reader, line, length);
    if (!end_text(ctx, reader))
        return false;
    if (!prefix) {
        reader->counts.broken++;
        return true;
    }
    if (prefix != reader->prefix) {
        reader->prefix = prefix;
        reader->shown =
            arena_printf(reader->arena, "stderr, prefix '%s'", log_prefix_format(prefix));
    }
    reader->text_line = reader->line;
    append(&reader->text, &reader->text_length, &reader->text_capacity, line, length);
    return true;
}

/* One record without its newline; of a text log, one line. */
static bool
take_bytes(struct ctx *ctx, struct log_reader *reader, char *data, size_t length, bool is_cut)
{
    struct log_record record = { .pid = -1, .line = reader->line };
    bool is_one;

    if (length > 0 && data[length - 1] == '\r')
        length--;
    /* After a crash a file may hold a block that was never written. */
    while (length > 0 && *data == '\0') {
        data++;
        length--;
    }
    for (char *nul = memchr(data, '\0', length); nul;
         nul = memchr(nul, '\0', length - (size_t)(nul - data)))
        *nul = ' ';
    if (length == 0)
        return true;
    record.is_cut = is_cut && !(reader->format == LOG_FORMAT_JSON && data[length - 1] == '}');
    if (reader->format == LOG_FORMAT_TEXT) {
        reader->text_is_cut = reader->text_is_cut && *data == '\t';
        return take_text_line(ctx, reader, data, length);
    }
    is_one = reader->format == LOG_FORMAT_JSON ? log_json_read(data, length, &record)
                                               : log_csv_read(data, length, &record);
    if (!is_one) {
        reader->counts.broken++;
        return true;
    }
    return take_record(ctx, reader, &record);
}

/*
 * Whether a csv record can begin here. Inside quotes every quote is doubled, so a text cannot look so:
 * time, comma, a quote and no second one.
 */
static bool
is_csv_start(const char *data, size_t length)
{
    int64_t us;
    size_t at = log_time_read(data, length, &us);

    if (at == 0 || at + 3 >= length || data[at] != ',')
        return false;
    return (data[at + 1] == '"' && data[at + 2] != '"') ||
           (data[at + 1] == ',' && data[at + 2] == ',');
}

/* Where the record ends whose rest begins at scanned; -1: its end is not there yet. */
static ssize_t
record_end(struct log_reader *reader, size_t start)
{
    for (;;) {
        char *from = reader->data + reader->scanned;
        char *newline = memchr(from, '\n', reader->length - reader->scanned);
        const char *end = newline ? newline : reader->data + reader->length;

        if (reader->format == LOG_FORMAT_CSV) {
            /* A record that was never closed ends where another one surely begins. */
            if (reader->is_quoted && newline && reader->scanned > start &&
                is_csv_start(from, (size_t)(end - from))) {
                reader->is_quoted = false;
                return (ssize_t)reader->scanned - 1;
            }
            if (!newline)
                return -1;
            for (const char *quote = memchr(from, '"', (size_t)(end - from)); quote;
                 quote = memchr(quote + 1, '"', (size_t)(end - quote - 1)))
                reader->is_quoted = !reader->is_quoted;
        }
        if (!newline) {
            reader->scanned = reader->length;
            return -1;
        }
        reader->scanned = (size_t)(newline - reader->data) + 1;
        reader->line++;
        reader->counts.lines++;
        if (!reader->is_quoted)
            return newline - reader->data;
    }
}

static void
drop(struct log_reader *reader, size_t count)
{
    memmove(reader->data, reader->data + count, reader->length - count);
    reader->length -= count;
    reader->scanned = reader->scanned > count ? reader->scanned - count : 0;
}

static bool
take_records(struct ctx *ctx, struct log_reader *reader)
{
    size_t start = 0;
    ssize_t end;

    while ((end = record_end(reader, start)) >= 0) {
        uint64_t last = reader->line;

        if (!reader->is_dropping &&
            !take_bytes(ctx, reader, reader->data + start, (size_t)end - start, false))
            return false;
        reader->line = last;
        reader->is_dropping = false;
        start = (size_t)end + 1;
        reader->scanned = start;
    }
    drop(reader, start);
    if (reader->length > LONGEST_RECORD) {
        /* Its beginning is enough; quotes are counted on. */
        size_t scanned = reader->scanned;

        if (!reader->is_dropping && !take_bytes(ctx, reader, reader->data, reader->length, true))
            return false;
        if (reader->format == LOG_FORMAT_TEXT)
            reader->text_is_cut = true;
        reader->is_dropping = true;
        drop(reader, reader->format == LOG_FORMAT_CSV ? scanned : reader->length);
        if (reader->length > LONGEST_RECORD)
            drop(reader, reader->length);
    }
    return true;
}

/* ---- which form ---- */

static bool
is_json_start(const char *data, size_t length)
{
    return length > 12 && memcmp(data, "{\"timestamp\"", 12) == 0;
}

/* The form of a line that is whole; AUTO: none. */
static enum log_format
format_of(const struct log_reader *reader, const char *line, size_t length)
{
    if (is_json_start(line, length))
        return LOG_FORMAT_JSON;
    if (is_csv_start(line, length))
        return LOG_FORMAT_CSV;
    return length > 0 && line[0] != '\t' && prefix_of(reader, line, length) ? LOG_FORMAT_TEXT
                                                                            : LOG_FORMAT_AUTO;
}

/* The prefix that the most lines begin with. */
static const struct log_prefix *
best_prefix(const struct log_reader *reader, const char *data, size_t length)
{
    const struct log_prefix *best = NULL;
    size_t most = 0;

    for (size_t i = 0; i < reader->prefix_count; i++) {
        size_t count = 0;
        size_t lines = 0;

        for (const char *at = data; at < data + length && lines < 200; lines++) {
            const char *newline = memchr(at, '\n', (size_t)(data + length - at));
            size_t line = newline ? (size_t)(newline - at) : (size_t)(data + length - at);
            struct log_record record = { 0 };

            count += log_prefix_match(reader->prefixes[i], at, line, &record);
            at += line + 1;
        }
        /* The one that was given needs no majority. */
        if (i == 0 && reader->options.prefix && count > 0)
            return reader->prefixes[0];
        if (count > most) {
            most = count;
            best = reader->prefixes[i];
        }
    }
    return best;
}

static void
set_format(struct log_reader *reader, enum log_format format, const char *data, size_t length)
{
    reader->format = format;
    if (format == LOG_FORMAT_JSON)
        reader->shown = "jsonlog";
    else if (format == LOG_FORMAT_CSV)
        reader->shown = "csvlog";
    else
        reader->prefix = best_prefix(reader, data, length);
    if (format == LOG_FORMAT_TEXT && reader->prefix)
        reader->shown =
            arena_printf(reader->arena, "stderr, prefix '%s'", log_prefix_format(reader->prefix));
}

/*
 * What the file before ended with goes on in this one, unless this one begins with a record; then the
 * rest is one by itself.
 */
static bool
settle_tail(struct ctx *ctx, struct log_reader *reader, enum log_format before)
{
    char *data = reader->data + reader->tail;
    size_t length = reader->length - reader->tail;
    const char *newline = memchr(data, '\n', length);
    size_t tail = reader->tail;

    reader->tail = 0;
    reader->scanned = 0;
    reader->is_quoted = false;
    if (tail == 0)
        return true;
    if (format_of(reader, data, newline ? (size_t)(newline - data) : length) == LOG_FORMAT_AUTO &&
        before == reader->format)
        return true;
    reader->format = before;
    if (!take_bytes(ctx, reader, reader->data, tail, true))
        return false;
    drop(reader, tail);
    return true;
}

/* Tells the form from the lines that are there; *ret_known is false while they are too few. */
static bool
find_format(struct ctx *ctx, struct log_reader *reader, bool is_end, bool *ret_known)
{
    const char *data = reader->data + reader->tail;
    size_t length = reader->length - reader->tail;
    enum log_format before = reader->format;
    enum log_format format = LOG_FORMAT_AUTO;
    const char *at = data;

    *ret_known = false;
    while (at < data + length && format == LOG_FORMAT_AUTO) {
        const char *newline;

        while (at < data + length && *at == '\0')
            at++;
        newline = memchr(at, '\n', (size_t)(data + length - at));
        if (!newline && !is_end && length < ENOUGH)
            return true;
        format =
            format_of(reader, at, newline ? (size_t)(newline - at) : (size_t)(data + length - at));
        at = newline ? newline + 1 : data + length;
    }
    if (format == LOG_FORMAT_AUTO && length < ENOUGH && !is_end)
        return true;
    if (format == LOG_FORMAT_AUTO) {
        if (length == 0)
            return true;
        error_set(ctx, ERR_INPUT,
            "%s:1: neither jsonlog nor csvlog, nor lines with a log_line_prefix that is known",
            reader->file);
        return error_hint(ctx, "give the server's log_line_prefix (SHOW log_line_prefix) with "
                               "--log-prefix; it needs %%p or %%c, and messages in English "
                               "(lc_messages = 'C')");
    }
    if (format == LOG_FORMAT_TEXT && !is_end && length < ENOUGH / 8)
        return true;
    set_format(reader, format, data, length);
    format = reader->format;
    if (!settle_tail(ctx, reader, before))
        return false;
    reader->format = format;
    *ret_known = true;
    return true;
}

static bool
refuse_compressed(struct ctx *ctx, const char *name, const unsigned char *data, size_t length)
{
    static const struct {
        const char *magic;
        const char *form;
        const char *program;
    } forms[] = { { "\x1f\x8b", "gzip", "zcat" }, { "\x28\xb5\x2f\xfd", "zstd", "zstdcat" },
        { "\xfd\x37\x7a\x58\x5a", "xz", "xzcat" }, { "BZh", "bzip2", "bzcat" },
        { "PK\x03\x04", "zip", "unzip -p" } };

    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        size_t size = strlen(forms[i].magic);

        if (length < size || memcmp(data, forms[i].magic, size) != 0)
            continue;
        error_set(ctx, ERR_INPUT, "%s:1: compressed by %s", name, forms[i].form);
        return error_hint(ctx, "%s %s | pgmend queries nplusone -", forms[i].program, name);
    }
    return true;
}

/* ---- what callers see ---- */

static void
begin_file(struct log_reader *reader, const char *name)
{
    reader->file = arena_strdup(reader->arena, name);
    reader->line = 0;
    reader->records = 0;
    reader->tail = reader->length;
    reader->is_dropping = false;
}

/*
 * Whether a file of a given form can be read on from here. Only of a text whose prefix has to be told from its
 * lines many are waited for: a log that is being written may get no more for long.
 */
static bool
is_enough(const struct log_reader *reader)
{
    size_t length = reader->length - reader->tail;

    if (reader->options.format == LOG_FORMAT_TEXT && !reader->options.prefix)
        return length >= ENOUGH / 8;
    return length > 0 && memchr(reader->data + reader->tail, '\n', length) != NULL;
}

/* is_known: the file's form is. */
static bool
take_more(struct ctx *ctx, struct log_reader *reader, bool is_end, bool *is_known)
{
    if (!*is_known && reader->options.format != LOG_FORMAT_AUTO) {
        if (!is_end && !is_enough(reader))
            return true;
        /* There is something to read by now. */
        assert(reader->data);
        set_format(reader, reader->options.format, reader->data + reader->tail,
            reader->length - reader->tail);
        *is_known = true;
        if (!settle_tail(ctx, reader, reader->options.format))
            return false;
        reader->format = reader->options.format;
    }
    if (!*is_known && !find_format(ctx, reader, is_end, is_known))
        return false;
    return !*is_known || take_records(ctx, reader);
}

static bool
read_all(struct ctx *ctx, struct log_reader *reader, int fd, const char *path)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    char *chunk = arena_alloc(arena, CHUNK);
    bool is_known = false;
    bool is_first = true;

    begin_file(reader, path);
    for (;;) {
        ssize_t count = read(fd, chunk, CHUNK);

        if (count < 0)
            return error_set_errno(ctx, "could not read %s", path);
        if (count == 0)
            break;
        if (is_first && !refuse_compressed(ctx, path, (const unsigned char *)chunk, (size_t)count))
            return false;
        is_first = false;
        append(&reader->data, &reader->length, &reader->capacity, chunk, (size_t)count);
        if (!take_more(ctx, reader, false, &is_known))
            return false;
    }
    if (!is_known && reader->length > reader->tail && !take_more(ctx, reader, true, &is_known))
        return false;
    if (reader->records == 0 && reader->line > 0 && reader->text_length == 0)
        return error_set(ctx, ERR_INPUT, "%s:1: no line of it is %s", path,
            reader->shown ? reader->shown : "of a log");
    return true;
}

bool
log_reader_file(struct ctx *ctx, struct log_reader *reader, const char *path)
{
    bool is_input = text_equal(path, "-");
    int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    bool done;

    if (fd < 0)
        return error_set_errno(ctx, "could not open %s", path);
    done = read_all(ctx, reader, fd, is_input ? "standard input" : path);
    if (!is_input)
        close(fd);
    return done;
}

bool
log_reader_bytes(
    struct ctx *ctx, struct log_reader *reader, const char *name, const void *data, size_t length)
{
    bool is_known;

    if (!text_equal(reader->file, name)) {
        begin_file(reader, name);
        reader->shown = NULL;
    }
    is_known = reader->shown != NULL;
    append(&reader->data, &reader->length, &reader->capacity, data, length);
    return take_more(ctx, reader, false, &is_known);
}

bool
log_reader_finish(struct ctx *ctx, struct log_reader *reader)
{
    bool is_known = reader->shown != NULL;

    if (!is_known && reader->length > 0) {
        if (!take_more(ctx, reader, true, &is_known))
            return false;
    }
    /* The last line, if it is one without its newline. */
    if (is_known && reader->length > 0 && !reader->is_dropping &&
        !take_bytes(ctx, reader, reader->data, reader->length, true))
        return false;
    reader->length = 0;
    reader->scanned = 0;
    if (!end_text(ctx, reader))
        return false;
    return log_sessions_finish(ctx, reader->sessions, &reader->counts);
}

struct log_counts
log_reader_counts(const struct log_reader *reader)
{
    return reader->counts;
}

const char *
log_reader_format(const struct log_reader *reader)
{
    return reader->shown ? reader->shown : "nothing";
}

size_t
log_reader_ended(struct log_reader *reader, const uint64_t **ret_sessions)
{
    return log_sessions_ended(reader->sessions, ret_sessions);
}
