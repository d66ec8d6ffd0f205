/*
 * GET /assistants/{id}/documents: the documents that an assistant knows something of, each once, the one
 * uploaded last first (of two of the same time the one with the higher id).
 *   id
 *   filename
 *   size         in bytes
 *   upload_date
 *   doc_hash     or null
 * A document that has been deleted, or is another user's, is left out, whatever rows of knowledge say.
 * 404 when the assistant is not there or not the user's; one that knows nothing gives [].
 */
#include <stdlib.h>

#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "sql.h"

struct documents {
    struct sql_replyx_api_document *items;
    size_t count;
};

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    struct sql_replyx_api_documents_args *ret = args;

    (void)ctx;
    ret->user_id = (int32_t)call->user;
    ret->assistant_id = (int32_t)call->numbers[0];
    return true;
}

static int
compare_documents(const void *left, const void *right)
{
    const struct sql_replyx_api_document *a = left, *b = right;

    if (a->upload_us != b->upload_us)
        return a->upload_us > b->upload_us ? -1 : 1;
    return a->id > b->id ? -1 : a->id < b->id;
}

static void
print_documents(const struct documents *documents, struct buffer *out)
{
    print_open(out, '[');
    for (size_t i = 0; i < documents->count; i++) {
        const struct sql_replyx_api_document *document = &documents->items[i];

        /* The same one stands side by side after sorting. */
        if (i > 0 && document->id == documents->items[i - 1].id)
            continue;
        print_open(out, '{');
        print_key(out, "id");
        print_int(out, document->id);
        print_key(out, "filename");
        print_text(out, document->filename);
        print_key(out, "size");
        print_int(out, document->size);
        print_key(out, "upload_date");
        print_time(out, document->upload_date);
        print_key(out, "doc_hash");
        print_text(out, document->doc_hash);
        print_close(out, '}');
    }
    print_close(out, ']');
}

/* The rows of knowledge, then the document of each, even if it was asked for already: 1 + N. */
static bool
run_naive(struct ctx *ctx, struct call *call, struct straight *straight, const void *args,
    struct buffer *ret_body)
{
    struct sql_replyx_api_documents_naive_rows known;
    struct sql_replyx_api_document_rows found;
    struct documents documents = { 0 };

    if (!straight_ask(ctx, straight, &query_replyx_api_documents_naive, args, &known))
        return false;
    if (known.count == 0)
        return error_set(ctx, ERR_NOT_FOUND, "it is not there");
    documents.items = ARENA_ARRAY(ctx->arena, struct sql_replyx_api_document, known.count);
    for (size_t i = 0; i < known.count && known.items[i].doc_id != 0; i++) {
        if (!straight_ask(ctx, straight, &query_replyx_api_document,
                &(const struct sql_replyx_api_document_args){
                    (int32_t)call->user, known.items[i].doc_id },
                &found))
            return false;
        if (found.count > 0)
            documents.items[documents.count++] = found.items[0];
    }
    if (documents.count > 0)
        qsort(documents.items, documents.count, sizeof(*documents.items), compare_documents);
    print_documents(&documents, ret_body);
    return true;
}

static const struct variant variants[] = {
    { .name = "naive", .run = run_naive },
    { .name = "optimised", .query = &query_replyx_api_documents, .lane = POOL_SHARED },
};

const struct endpoint endpoint_documents = {
    .name = "documents",
    .methods = HTTP_GET,
    .path = "/assistants/{id}/documents",
    .args_size = sizeof(struct sql_replyx_api_documents_args),
    .read = read_args,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
