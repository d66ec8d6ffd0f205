#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/out.h"
#include "migrate/squash/emit.h"

struct options {
    const char *output;
    bool write;
    const char *message;
    const char *head;
    const char *section;
};

static const struct field options[] = {
    FIELD(struct options, output, .arg = "FILE", .letter = 'o', .momentary = true,
        .help = "write the revision there"),
    FIELD(struct options, write, .momentary = true,
        .help = "write it into the version folder, under a name of its own"),
    FIELD(struct options, message, .arg = "TEXT", .letter = 'm', .momentary = true,
        .help = "what the revision is called"),
    FIELD(struct options, head, .arg = "REVISION", .momentary = true,
        .help = "the revision that it follows, where there are several heads"),
    FIELD(struct options, section, .arg = "NAME",
        .help = "section of alembic.ini, as of alembic --name (default: alembic)"),
};

/* A file that is there already stays as it is. */
static bool
write_new(struct ctx *ctx, const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    size_t length = strlen(text);
    bool is_good;

    if (fd < 0 && errno == EEXIST) {
        error_set(ctx, ERR_CONFLICT, "\"%s\" is there already", path);
        return error_state(ctx, "Nothing was written.");
    }
    if (fd < 0)
        return error_set_errno(ctx, "could not create \"%s\"", path);
    is_good = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
    if (!is_good) {
        error_set_errno(ctx, "could not write \"%s\"", path);
        unlink(path);
    }
    close(fd);
    return is_good;
}

static json_t *
to_json(const struct emission *emission, const char *path)
{
    const struct squash_file *file = &emission->file;
    json_t *known = json_array();
    json_t *altered = json_array();

    for (size_t i = 0; i < emission->known.count; i++)
        json_array_append_new(known, json_string(emission->known.items[i]));
    for (size_t i = 0; i < emission->altered.count; i++)
        json_array_append_new(altered, json_string(emission->altered.items[i]));
    return json_pack("{s:I, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:o}", "emitted",
        (json_int_t)emission->emitted, "revision", file->id, "down_revision", file->down, "name",
        file->name, "file", path, "text", file->text, "known", known, "altered", altered);
}

static bool
print_result(struct ctx *ctx, struct run *run, const struct emission *emission, const char *path)
{
    FILE *talk = path ? run->out : stderr;

    if (run->global->json) {
        json_t *document CLEANUP(json_release) = to_json(emission, path);

        out_json(run->out, document);
        return true;
    }
    if (!path && emission->file.text)
        fputs(emission->file.text, run->out);
    if (!emission->file.text)
        talk = run->out;
    if (emission->known.count > 0)
        fprintf(talk, "The history makes already: %s.\n",
            text_list_join(ctx->arena, &emission->known, ", "));
    if (emission->altered.count > 0)
        fprintf(talk, "Left out, because it is not there as the journal says: %s.\n",
            text_list_join(ctx->arena, &emission->altered, ", "));
    if (!emission->file.text) {
        fputs("There is nothing to emit: no change of pgmend's stands here that the history does "
              "not make.\n",
            run->out);
        return true;
    }
    if (path) {
        out_mark_line(run->out, MARK_OK, "%s: %zu change%s, after %s", path, emission->emitted,
            emission->emitted == 1 ? "" : "s",
            emission->file.down ? emission->file.down : "nothing");
        out_next(run->out, "alembic upgrade head");
    }
    return true;
}

static bool
run(struct ctx *ctx, struct run *run)
{
    const struct options *opts = run->options;
    const struct emission_options about = { .head = opts->head, .message = opts->message };
    struct environment environment;
    struct emission emission;
    const char *path = opts->output;

    if (opts->output && opts->write)
        return error_set(ctx, ERR_USAGE, "--output and --write are two places");
    if (!environment_find(ctx, run->operands.count > 0 ? run->operands.items[0] : NULL,
            opts->section, &environment) ||
        !emission_make(ctx, run->db, &environment, &about, &emission))
        return false;
    if (opts->write && emission.file.text)
        path = file_join(ctx->arena, environment.locations.items[0], emission.file.name);
    if (!emission.file.text)
        path = NULL;
    if (path && !write_new(ctx, path, emission.file.text))
        return false;
    return print_result(ctx, run, &emission, path);
}

const struct command cmd_migrations_emit = {
    .path = "migrations emit",
    .summary = "write what pgmend applied to a database as an Alembic revision",
    .details =
        "The changes that stand by the journal of the database, and that the history does not make "
        "yet, become a revision after its head. Where they stand, its upgrade() does nothing; "
        "elsewhere it builds them with CREATE INDEX CONCURRENTLY. An INVALID index of the same "
        "name stops it. The downgrade() drops them.\n\n"
        "It is printed unless --write or --output says where it goes; no file is ever "
        "overwritten. DIR is a folder with alembic.ini, an alembic.ini, or a versions folder; "
        "without it the nearest alembic.ini from here up is taken.",
    .operands = "[DIR]",
    .min_operands = 0,
    .max_operands = 1,
    .access = ACCESS_READ,
    .options = options,
    .option_count = COUNT_OF(options),
    .options_size = sizeof(struct options),
    .examples = "pgmend migrations emit --write\n"
                "pgmend migrations emit migrations --message \"indexes for the dashboard\"\n",
    .next = "pgmend migrations consolidate",
    .run = run,
};
