/*
 * Any bytes as a request and as a chunked body: no crash, and what is taken for a request is one that
 * no other reader could understand differently. Where the bytes are cut must not matter.
 */
#include <assert.h>
#include <string.h>

#include "http/server_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Finds the end of the head in bytes that come in two pieces. */
static int64_t
find_in_pieces(const char *data, size_t size, size_t cut)
{
    size_t scanned = 0;
    int64_t found = http_head_find(data, cut, &scanned);

    return found ? found : http_head_find(data, size, &scanned);
}

static void
check_head(struct arena *arena, const char *data, size_t length)
{
    struct http_head *head = ARENA_NEW(arena, struct http_head);
    char *text = arena_strndup(arena, data, length);
    const char *why = NULL;
    int status = http_head_read(text, length, head, &why);

    if (status) {
        assert(status >= 400 && status <= 599 && why);
        return;
    }
    assert(!memchr(data, '\0', length));
    assert(head->path[0] == '/' || (!head->method && strcmp(head->path, "*") == 0));
    assert(!strstr(head->path, "/../") && text_is_utf8(head->path));
    assert(head->host && head->length >= 0 && !(head->is_chunked && head->length > 0));
    for (size_t i = 0; i < head->header_count; i++) {
        assert(head->headers[i].name[0] && !strpbrk(head->headers[i].name, " \t:\r\n"));
        assert(!strpbrk(head->headers[i].value, "\r\n"));
    }
}

/* The data of a chunked body read in two pieces; NULL if it is none. */
static const char *
read_chunks(struct arena *arena, const char *data, size_t size, size_t cut, bool *ret_is_done)
{
    struct http_chunks chunks = { 0 };
    struct buffer body = { .arena = arena };
    size_t sizes[] = { cut, size - cut };
    char *bytes = arena_alloc(arena, size + 1);
    size_t kept = 0, next = 0;

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        size_t used, got;

        memcpy(bytes + kept, data + next, sizes[i]);
        next += sizes[i];
        kept += sizes[i];
        if (http_chunks_read(&chunks, bytes, kept, &used, &got) != 0)
            return NULL;
        assert(got <= used && used <= kept);
        buffer_append(&body, bytes, got);
        memmove(bytes, bytes + used, kept - used);
        kept -= used;
    }
    *ret_is_done = chunks.at == CHUNK_DONE;
    return buffer_text(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    const char *text = (const char *)data;
    size_t cut = size > 0 ? (data[0] * 131U + data[size - 1]) % size : 0;
    int64_t found = find_in_pieces(text, size, size);
    bool is_done = false, is_done_too = false;
    const char *whole, *cut_in_two;

    assert(found == find_in_pieces(text, size, cut));
    if (found > 0)
        check_head(arena, text, (size_t)found);
    whole = read_chunks(arena, text, size, size, &is_done);
    cut_in_two = read_chunks(arena, text, size, cut, &is_done_too);
    assert(!whole == !cut_in_two && is_done == is_done_too);
    if (whole)
        assert(strcmp(whole, cut_in_two) == 0);
    return 0;
}
