/*
 * Any bytes as an answer: in pieces of any size they mean what they mean in one piece, and nothing is read
 * behind their end. The first byte seeds the pieces; its lowest bit makes it an answer to HEAD.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "load/http/http_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was seen of an answer, as a sum that the order of bytes matters to. */
struct seen {
    struct load_answer_sink sink;
    uint64_t headers;
    uint64_t body;
    size_t length;
};

struct reading {
    struct load_answer_reader reader;
    struct seen seen;
    bool is_answer;
    bool is_whole;
    size_t used;
};

static uint64_t
sum(uint64_t before, const char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        before = (before ^ (uint8_t)data[i]) * UINT64_C(0x100000001b3);
    return before;
}

static void
see_header(struct load_answer_sink *sink, const char *name, size_t name_length, const char *value,
    size_t length)
{
    struct seen *seen = (struct seen *)sink;

    seen->headers = sum(seen->headers, name, name_length);
    seen->headers = sum(seen->headers * 31, value, length);
}

static void
see_body(struct load_answer_sink *sink, const char *data, size_t length)
{
    struct seen *seen = (struct seen *)sink;

    assert(length > 0);
    seen->body = sum(seen->body, data, length);
    seen->length += length;
}

/* As the transport does: what is left is given again with more behind it. */
static void
read_in_pieces(const char *data, size_t size, bool is_head, uint32_t random, struct reading *ret)
{
    size_t end = 0;

    *ret = (struct reading){ .seen.sink = { see_header, see_body }, .is_answer = true };
    load_answer_begin(&ret->reader, is_head, &ret->seen.sink);
    while (end < size && ret->is_answer && ret->reader.phase != ANSWER_DONE) {
        size_t piece = random ? random % 13 + 1 : size;
        size_t used;
        char *exact;

        end = size - end < piece ? size : end + piece;
        random = random * 1664525 + 1013904223;
        /* Of exactly this size, so that a sanitizer sees what is read behind it. */
        exact = malloc(end - ret->used + 1);
        assert(exact);
        memcpy(exact, data + ret->used, end - ret->used);
        ret->is_answer = load_answer_read(&ret->reader, exact, end - ret->used, &used);
        assert(used <= end - ret->used);
        free(exact);
        ret->used += used;
    }
    ret->is_whole = ret->is_answer && load_answer_end(&ret->reader);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reading whole, pieces;
    const char *answer = (const char *)data + 1;

    if (size < 2)
        return 0;
    read_in_pieces(answer, size - 1, *data & 1, 0, &whole);
    for (uint32_t i = 1; i <= 3; i++) {
        read_in_pieces(answer, size - 1, *data & 1, *data * 7 + i, &pieces);
        assert(pieces.is_answer == whole.is_answer);
        assert(pieces.is_whole == whole.is_whole);
        assert(pieces.seen.headers == whole.seen.headers);
        assert(pieces.seen.body == whole.seen.body && pieces.seen.length == whole.seen.length);
        if (!whole.is_answer) {
            /* The very same reason. */
            assert(strcmp(pieces.reader.fault, whole.reader.fault) == 0);
            continue;
        }
        assert(pieces.used == whole.used);
        assert(pieces.reader.status == whole.reader.status);
        assert(pieces.reader.statements == whole.reader.statements);
        assert(pieces.reader.is_closing == whole.reader.is_closing);
    }
    return 0;
}
