#include "backup/manifest.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "base/crypto.h"
#include "base/file.h"

static const struct field fields[] = {
    FIELD(struct manifest, name),
    FIELD(struct manifest, format),
    FIELD(struct manifest, pgmend_version),
    FIELD(struct manifest, dump_version),
    FIELD(struct manifest, server_version),
    FIELD(struct manifest, server_number),
    FIELD(struct manifest, system_identifier),
    FIELD(struct manifest, timeline),
    FIELD(struct manifest, lsn),
    FIELD(struct manifest, database),
    FIELD(struct manifest, database_oid),
    FIELD(struct manifest, database_bytes),
    FIELD(struct manifest, encoding),
    FIELD(struct manifest, collate),
    FIELD(struct manifest, ctype),
    FIELD(struct manifest, locale_provider),
    FIELD(struct manifest, locale),
    FIELD(struct manifest, owner),
    FIELD(struct manifest, snapshot_at),
    FIELD(struct manifest, snapshot_us),
    FIELD(struct manifest, duration_us),
    FIELD(struct manifest, jobs),
};

static const struct field file_fields[] = {
    FIELD(struct manifest_file, path),
    FIELD(struct manifest_file, bytes),
    FIELD(struct manifest_file, sha256),
};

static const struct field verified_fields[] = {
    FIELD(struct manifest_verified, verified_at),
    FIELD(struct manifest_verified, verified_us),
    FIELD(struct manifest_verified, pgmend_version),
    FIELD(struct manifest_verified, server_version),
    FIELD(struct manifest_verified, server),
    FIELD(struct manifest_verified, restore_us),
    FIELD(struct manifest_verified, duration_us),
    FIELD(struct manifest_verified, manifest_sha256),
};

const char *
manifest_archive(struct arena *arena, const char *folder, const struct manifest *manifest)
{
    return file_join(arena, folder, text_equal(manifest->format, "custom") ? "data.dump" : "data");
}

/* A plain file, not a link to one: a link could lead out of the backup. */
static bool
plain_file_size(const char *path, int64_t *ret_bytes)
{
    struct stat found;

    if (lstat(path, &found) < 0 || !S_ISREG(found.st_mode))
        return false;
    *ret_bytes = (int64_t)found.st_size;
    return true;
}

static bool
add_file(struct ctx *ctx, const char *folder, const char *path, struct manifest *manifest)
{
    const char *full = file_join(ctx->arena, folder, path);
    struct manifest_file file = { .path = path };

    if (!plain_file_size(full, &file.bytes))
        return error_set(ctx, ERR_IO, "\"%s\" is not a file", full);
    if (!file_sync(ctx, full) || !sha256_of_file(ctx, full, &file.sha256))
        return false;
    VEC_PUSH(ctx->arena, &manifest->files, file);
    return true;
}

bool
manifest_add_files(struct ctx *ctx, const char *folder, struct manifest *manifest)
{
    struct text_list names = { 0 };
    const char *data = file_join(ctx->arena, folder, "data");

    if (text_equal(manifest->format, "custom"))
        return add_file(ctx, folder, "data.dump", manifest);
    if (!file_list(ctx, data, &names))
        return false;
    for (size_t i = 0; i < names.count; i++)
        if (!add_file(ctx, folder, file_join(ctx->arena, "data", names.items[i]), manifest))
            return false;
    return file_sync(ctx, data);
}

/* What SHA256SUMS must hold, to the byte. */
static const char *
sums_text(struct arena *arena, const struct manifest *manifest)
{
    struct buffer sums = { .arena = arena };

    buffer_printf(&sums, "%s  %s\n", manifest->sha256, MANIFEST_FILE);
    for (size_t i = 0; i < manifest->files.count; i++)
        buffer_printf(
            &sums, "%s  %s\n", manifest->files.items[i].sha256, manifest->files.items[i].path);
    return buffer_text(&sums);
}

bool
manifest_write(struct ctx *ctx, const char *folder, struct manifest *manifest)
{
    json_t *json CLEANUP(json_release) = json_from_fields(fields, COUNT_OF(fields), manifest);
    json_t *files = json_array();
    const char *path = file_join(ctx->arena, folder, MANIFEST_FILE);

    json_object_set_new(json, "schema_version", json_integer(MANIFEST_VERSION));
    json_object_set_new(json, "content", content_to_json(&manifest->content));
    for (size_t i = 0; i < manifest->files.count; i++)
        json_array_append_new(
            files, json_from_fields(file_fields, COUNT_OF(file_fields), &manifest->files.items[i]));
    json_object_set_new(json, "files", files);
    if (!json_write_file(ctx, path, json) || !sha256_of_file(ctx, path, &manifest->sha256))
        return error_wrap(ctx, "writing the manifest");

    const char *sums = sums_text(ctx->arena, manifest);

    return file_write(ctx, file_join(ctx->arena, folder, MANIFEST_SUMS), sums, strlen(sums), 0600);
}

/* A name as pg_dump makes them: nothing that leads out of the folder. */
static bool
is_good_path(const char *path, const char *format)
{
    const char *name = path + strlen("data/");

    if (text_equal(format, "custom"))
        return text_equal(path, "data.dump");
    return text_starts_with(path, "data/") && *name && *name != '.' && !strchr(name, '/');
}

static bool
read_files(struct ctx *ctx, const json_t *json, struct manifest *ret)
{
    const json_t *files = json_object_get(json, "files");

    for (size_t i = 0; i < json_array_size(files); i++) {
        struct manifest_file file = { 0 };

        if (!content_read_fields(
                ctx, json_array_get(files, i), file_fields, COUNT_OF(file_fields), &file))
            return error_wrap(ctx, "file %zu", i + 1);
        if (!file.path || !file.sha256 || !is_good_path(file.path, ret->format))
            return error_set(ctx, ERR_INPUT, "file %zu has no good name", i + 1);
        VEC_PUSH(ctx->arena, &ret->files, file);
    }
    return ret->files.count > 0 || error_set(ctx, ERR_INPUT, "it lists no files");
}

static bool
read_json(struct ctx *ctx, const json_t *json, struct manifest *ret)
{
    int64_t version = json_get_int(json, "schema_version", 0);

    if (version > MANIFEST_VERSION)
        return error_set(
            ctx, ERR_UNSUPPORTED, "it was written by a newer pgmend (format %" PRId64 ")", version);
    if (version != MANIFEST_VERSION)
        return error_set(ctx, ERR_INPUT, "\"schema_version\" is missing");
    if (!content_read_fields(ctx, json, fields, COUNT_OF(fields), ret))
        return false;
    if (!ret->name || !ret->database || !ret->encoding || !ret->collate || !ret->ctype ||
        !ret->snapshot_at || !ret->server_version || !ret->locale_provider ||
        (!text_equal(ret->format, "custom") && !text_equal(ret->format, "directory")))
        return error_set(ctx, ERR_INPUT, "a member is missing");
    return content_from_json(ctx, json_object_get(json, "content"), &ret->content) &&
           read_files(ctx, json, ret);
}

bool
manifest_read(struct ctx *ctx, const char *folder, struct manifest *ret)
{
    json_t *json CLEANUP(json_release) = NULL;
    const char *path = file_join(ctx->arena, folder, MANIFEST_FILE);
    int64_t bytes;

    *ret = (struct manifest){ 0 };
    if (!plain_file_size(path, &bytes))
        return error_set(
            ctx, ERR_VERIFICATION, "\"%s\" is missing: this is no complete backup", path);
    if (json_read_file(ctx, path, &json) && read_json(ctx, json, ret) &&
        sha256_of_file(ctx, path, &ret->sha256))
        return true;
    if (ctx->error.kind == ERR_INPUT)
        ctx->error.kind = ERR_VERIFICATION;
    return error_wrap(ctx, "reading \"%s\"", path);
}

static void
note(struct arena *arena, struct text_list *list, const char *path, const char *what)
{
    text_list_add(arena, list, arena_printf(arena, "%s %s", path, what));
}

static bool
check_file(struct ctx *ctx, const char *folder, const struct manifest_file *file, bool is_quick,
    struct text_list *ret_wrong)
{
    const char *full = file_join(ctx->arena, folder, file->path);
    const char *sum;
    int64_t bytes;

    if (!plain_file_size(full, &bytes)) {
        note(ctx->arena, ret_wrong, file->path, "is missing");
        return true;
    }
    if (bytes != file->bytes) {
        text_list_add(ctx->arena, ret_wrong,
            arena_printf(ctx->arena, "%s has %" PRId64 " bytes instead of %" PRId64, file->path,
                bytes, file->bytes));
        return true;
    }
    if (is_quick)
        return true;
    if (!sha256_of_file(ctx, full, &sum))
        return false;
    if (!text_equal(sum, file->sha256))
        note(ctx->arena, ret_wrong, file->path, "was changed: its SHA-256 is another");
    return true;
}

/* Files that nobody has written down do not belong to the backup. */
static bool
check_extra(struct ctx *ctx, const char *folder, const char *below, const struct manifest *manifest,
    struct text_list *ret_wrong)
{
    struct text_list names = { 0 };
    struct text_list known = { 0 };

    if (!file_list(ctx, *below ? file_join(ctx->arena, folder, below) : folder, &names))
        return false;
    for (size_t i = 0; i < manifest->files.count; i++)
        text_list_add(ctx->arena, &known, manifest->files.items[i].path);
    if (text_equal(manifest->format, "directory"))
        text_list_add(ctx->arena, &known, "data");
    text_list_add(ctx->arena, &known, MANIFEST_FILE);
    text_list_add(ctx->arena, &known, MANIFEST_SUMS);
    text_list_add(ctx->arena, &known, MANIFEST_VERIFIED);
    for (size_t i = 0; i < names.count; i++) {
        const char *path = *below ? file_join(ctx->arena, below, names.items[i]) : names.items[i];

        if (!text_list_has(&known, path))
            note(ctx->arena, ret_wrong, path, "does not belong to the backup");
    }
    return true;
}

static bool
check_sums(struct ctx *ctx, const char *folder, const struct manifest *manifest,
    struct text_list *ret_wrong)
{
    const char *path = file_join(ctx->arena, folder, MANIFEST_SUMS);
    const char *data;
    size_t length;
    int64_t bytes;

    if (!plain_file_size(path, &bytes)) {
        note(ctx->arena, ret_wrong, MANIFEST_SUMS, "is missing");
        return true;
    }
    if (!file_read(ctx, path, &data, &length))
        return false;
    if (strlen(data) != length || !text_equal(data, sums_text(ctx->arena, manifest)))
        note(ctx->arena, ret_wrong, MANIFEST_SUMS,
            "does not fit " MANIFEST_FILE ": one of the two was changed");
    return true;
}

bool
manifest_check(struct ctx *ctx, const char *folder, const struct manifest *manifest, bool is_quick,
    struct text_list *ret_wrong)
{
    if (!check_sums(ctx, folder, manifest, ret_wrong))
        return false;
    for (size_t i = 0; i < manifest->files.count; i++)
        if (!check_file(ctx, folder, &manifest->files.items[i], is_quick, ret_wrong))
            return false;
    if (!check_extra(ctx, folder, "", manifest, ret_wrong))
        return false;
    return !text_equal(manifest->format, "directory") ||
           check_extra(ctx, folder, "data", manifest, ret_wrong);
}

/* The object without its own sum, as a sum. */
static const char *
sum_of(struct arena *arena, const json_t *json)
{
    json_t *copy CLEANUP(json_release) = json_copy((json_t *)(uintptr_t)json);

    json_object_del(copy, "sha256");

    const char *text = json_text(arena, copy);

    return sha256_of(arena, text, strlen(text));
}

bool
manifest_write_verified(
    struct ctx *ctx, const char *folder, const struct manifest_verified *verified)
{
    json_t *json CLEANUP(json_release) =
        json_from_fields(verified_fields, COUNT_OF(verified_fields), verified);

    json_object_set_new(json, "schema_version", json_integer(MANIFEST_VERSION));
    json_object_set_new(json, "sha256", json_string(sum_of(ctx->arena, json)));
    return json_write_file(ctx, file_join(ctx->arena, folder, MANIFEST_VERIFIED), json);
}

bool
manifest_read_verified(struct ctx *ctx, const char *folder, const struct manifest *manifest,
    struct manifest_verified *ret, const char **ret_why)
{
    json_t *json CLEANUP(json_release) = NULL;
    const char *path = file_join(ctx->arena, folder, MANIFEST_VERIFIED);
    const char *text;
    size_t length;
    int64_t bytes;

    *ret = (struct manifest_verified){ 0 };
    *ret_why = NULL;
    if (!file_exists(path))
        return false;
    /* The sum is of what it says; the last line break is looked for, as a file can lose its end. */
    if (!plain_file_size(path, &bytes) || !file_read(ctx, path, &text, &length) ||
        !text_ends_with(text, "}\n") || !json_read_file(ctx, path, &json) ||
        !content_read_fields(ctx, json, verified_fields, COUNT_OF(verified_fields), ret) ||
        !text_equal(json_get_text(ctx->arena, json, "sha256", NULL), sum_of(ctx->arena, json))) {
        error_clear(ctx);
        *ret_why = MANIFEST_VERIFIED " was changed";
        return false;
    }
    if (!text_equal(ret->manifest_sha256, manifest->sha256)) {
        *ret_why = MANIFEST_FILE " was changed after the verification";
        return false;
    }
    return true;
}
