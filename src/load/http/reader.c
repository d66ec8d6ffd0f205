/* Reads answers of HTTP/1.1 strictly (RFC 9112), in pieces, and keeps nothing of them. */
#include "load/http/http_part.h"

void
load_answer_begin(struct load_answer_reader *reader, bool is_head, struct load_answer_sink *sink)
{
    *reader = (struct load_answer_reader){
        .sink = sink,
        .left = -1,
        .statements = -1,
        .is_head = is_head,
    };
}

static bool
fail(struct load_answer_reader *reader, const char *fault)
{
    reader->fault = fault;
    return false;
}

/* The empty line has come: what follows it. */
static bool
end_head(struct load_answer_reader *reader)
{
    int status = reader->status;

    if (status == 101)
        return fail(reader, "the server switched to another protocol unasked");
    if (status < 200) {
        reader->left = -1;
        reader->is_chunked = false;
        reader->phase = ANSWER_STATUS;
        return true;
    }
    if (reader->is_chunked && reader->left >= 0)
        return fail(reader, "the answer has both Content-Length and Transfer-Encoding");
    if (reader->is_head || status == 204 || status == 304 ||
        (reader->left == 0 && !reader->is_chunked))
        reader->phase = ANSWER_DONE;
    else if (reader->is_chunked)
        reader->phase = ANSWER_CHUNK_SIZE;
    else
        reader->phase = reader->left > 0 ? ANSWER_BODY : ANSWER_TO_END;
    reader->is_closing = reader->is_closing || reader->phase == ANSWER_TO_END;
    return true;
}

static bool
read_line(struct load_answer_reader *reader, const char *at, const char *end)
{
    switch (reader->phase) {
    case ANSWER_STATUS:
        reader->phase = ANSWER_HEADERS;
        return load_answer_status_line(reader, at, end);
    case ANSWER_HEADERS:
        return at == end ? end_head(reader) : load_answer_header_line(reader, at, end);
    case ANSWER_CHUNK_SIZE:
        reader->phase = ANSWER_CHUNK;
        if (!load_answer_size_line(reader, at, end))
            return false;
        if (reader->left == 0)
            reader->phase = ANSWER_TRAILERS;
        return true;
    case ANSWER_CHUNK_END:
        reader->phase = ANSWER_CHUNK_SIZE;
        return at == end || fail(reader, "a chunk is longer than it said");
    default: /* ANSWER_TRAILERS */
        if (at == end)
            reader->phase = ANSWER_DONE;
        return at == end || load_answer_header_line(reader, at, end);
    }
}

/* A whole line, or 0 bytes when it has not ended yet. */
static bool
take_line(struct load_answer_reader *reader, const char *data, size_t length, size_t *ret)
{
    const char *end = memchr(data, '\n', length);
    size_t line = end ? (size_t)(end + 1 - data) : length;
    bool is_sized = reader->phase == ANSWER_CHUNK_SIZE || reader->phase == ANSWER_CHUNK_END;

    *ret = 0;
    /* Lines of chunks are not summed up: there may be any number of them. */
    if ((is_sized ? 0 : (size_t)reader->head) + line > LOAD_MOST_HEAD)
        return fail(reader, "the head of the answer is longer than 16 kB");
    if (!end)
        return true;
    if (line < 2 || end[-1] != '\r')
        return fail(reader, "a line of the answer does not end with CR LF");
    if (!is_sized)
        reader->head += (int32_t)line;
    *ret = line;
    return read_line(reader, data, end - 1);
}

/* Bytes of a body. */
static size_t
take_body(struct load_answer_reader *reader, const char *data, size_t length)
{
    size_t used = length;

    if (reader->phase != ANSWER_TO_END && (size_t)reader->left < used)
        used = (size_t)reader->left;
    if (reader->sink && used > 0)
        reader->sink->body(reader->sink, data, used);
    if (reader->phase == ANSWER_TO_END)
        return used;
    reader->left -= (int64_t)used;
    if (reader->left == 0)
        reader->phase = reader->phase == ANSWER_CHUNK ? ANSWER_CHUNK_END : ANSWER_DONE;
    return used;
}

bool
load_answer_read(
    struct load_answer_reader *reader, const char *data, size_t length, size_t *ret_used)
{
    size_t used = 0;

    reader->has_started = reader->has_started || length > 0;
    *ret_used = 0;
    while (used < length && reader->phase != ANSWER_DONE) {
        size_t step;

        if (reader->phase == ANSWER_BODY || reader->phase == ANSWER_CHUNK ||
            reader->phase == ANSWER_TO_END)
            step = take_body(reader, data + used, length - used);
        else if (!take_line(reader, data + used, length - used, &step))
            return false;
        used += step;
        if (step == 0)
            break;
    }
    *ret_used = used;
    return true;
}

bool
load_answer_end(struct load_answer_reader *reader)
{
    if (reader->phase == ANSWER_TO_END)
        reader->phase = ANSWER_DONE;
    return reader->phase == ANSWER_DONE;
}
