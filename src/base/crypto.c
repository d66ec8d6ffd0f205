#include "base/crypto.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/memory.h"

static void *
guarded_alloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return memory_alloc(size);
}

static void *
guarded_resize(void *memory, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size > 0)
        return memory_resize(memory, size);
    free(memory); /* as OpenSSL's own does */
    return NULL;
}

static void
guarded_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

void
crypto_guard_memory(void)
{
    /* It refuses when it has memory already: then all stays as it is. */
    (void)CRYPTO_set_mem_functions(guarded_alloc, guarded_resize, guarded_free);
}

static const char *
hex(struct arena *arena, const unsigned char *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, 2 * count + 1);

    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    return text;
}

const char *
sha256_of(struct arena *arena, const void *data, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    if (!EVP_Digest(data, length, digest, &size, EVP_sha256(), NULL))
        memory_exhausted(0);
    return hex(arena, digest, size);
}

void
sha256_bytes(const void *data, size_t length, unsigned char ret[SHA256_SIZE])
{
    if (!EVP_Digest(data, length, ret, NULL, EVP_sha256(), NULL))
        memory_exhausted(0);
}

const char *
md5_of(struct arena *arena, const void *data, size_t length)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    if (!EVP_Digest(data, length, digest, &size, EVP_md5(), NULL))
        return NULL;
    return hex(arena, digest, size);
}

static void
close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

static void
free_digest(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

bool
sha256_of_file(struct ctx *ctx, const char *path, const char **ret_hex)
{
    static _Thread_local unsigned char chunk[128 * 1024];
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    FILE *file CLEANUP(close_file) = fopen(path, "rbe");
    EVP_MD_CTX *digest CLEANUP(free_digest) = EVP_MD_CTX_new();

    if (!file)
        return error_set_errno(ctx, "could not open \"%s\"", path);
    if (!digest || !EVP_DigestInit_ex(digest, EVP_sha256(), NULL))
        return error_set(ctx, ERR_FAILED, "could not compute SHA-256");
    for (;;) {
        size_t got = fread(chunk, 1, sizeof(chunk), file);

        if (got == 0)
            break;
        EVP_DigestUpdate(digest, chunk, got);
    }
    if (ferror(file))
        return error_set_errno(ctx, "could not read \"%s\"", path);
    EVP_DigestFinal_ex(digest, bytes, &size);
    *ret_hex = hex(ctx->arena, bytes, size);
    return true;
}

void
hmac_sha256(const void *key, size_t key_length, const void *data, size_t length,
    unsigned char ret[SHA256_SIZE])
{
    if (!HMAC(EVP_sha256(), key, (int)key_length, data, length, ret, NULL))
        memory_exhausted(0);
}

bool
bytes_equal_in_constant_time(const void *a, const void *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

void
random_bytes(void *ret, size_t count)
{
    if (RAND_bytes(ret, (int)count) != 1)
        memory_exhausted(0);
}

const char *
random_hex(struct arena *arena, size_t count)
{
    unsigned char *bytes = arena_alloc(arena, count);

    random_bytes(bytes, count);
    return hex(arena, bytes, count);
}

bool
secret_equal(const char *a, const char *b)
{
    unsigned char digests[2][EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    /* Digests have one length and tell nothing of the texts: neither their length nor their start. */
    if (!EVP_Digest(a, strlen(a), digests[0], &size, EVP_sha256(), NULL) ||
        !EVP_Digest(b, strlen(b), digests[1], &size, EVP_sha256(), NULL))
        memory_exhausted(0);
    return CRYPTO_memcmp(digests[0], digests[1], size) == 0;
}
