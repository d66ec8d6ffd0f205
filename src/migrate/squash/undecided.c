/* What a history does otherwise on another machine or database, so that one replay proves little. */
#include <string.h>

#include "migrate/squash/squash.h"

struct search {
    struct arena *arena;
    const struct environment *environment;
    const struct revision *revision;
    bool has_application; /* upgrade() may use what the application defines */
    struct text_list *ret;
};

/* The file as a person calls it: below its version folder. */
static const char *
short_name(const struct search *search, const char *file)
{
    const struct text_list *locations = &search->environment->locations;

    for (size_t i = 0; file && i < locations->count; i++) {
        size_t length = strlen(locations->items[i]);

        if (strncmp(file, locations->items[i], length) == 0 && file[length] == '/')
            return file + length + 1;
    }
    return file;
}

static void
tell(struct search *search, const struct place *place, const char *what)
{
    const char *file = short_name(search, place->file ? place->file : search->revision->file);
    const char *text = arena_printf(search->arena, "%s:%u: %s", file, place->line, what);

    if (!text_list_has(search->ret, text))
        text_list_add(search->arena, search->ret, text);
}

/* A file that comes along with the history says the same everywhere. */
static bool
is_project_file(const struct search *search, const char *path)
{
    const char *location =
        search->environment->locations.count > 0 ? search->environment->locations.items[0] : "";
    const char *slash = strrchr(location, '/');
    size_t length = slash ? (size_t)(slash - location) : 0;

    if (text_is_empty(path))
        return false;
    return *path != '/' || (length > 0 && strncmp(path, location, length) == 0);
}

static void
look_at_note(struct search *search, const struct note *note)
{
    if (note->is_downgrade)
        return;
    if (note->kind == NOTE_ENVIRONMENT)
        tell(search, &note->place,
            arena_printf(search->arena,
                "environment variable %s is read: another machine may have another value",
                note->text));
    else if (note->kind == NOTE_ORM)
        tell(search, &note->place,
            arena_printf(search->arena,
                "%s: rows are written through ORM models, which change with the application",
                note->text));
    else if (note->kind == NOTE_FILE && !is_project_file(search, note->text))
        tell(search, &note->place,
            text_is_empty(note->text)
                ? "a file is read, and which one is only known when it runs"
                : arena_printf(
                      search->arena, "%s is read, which is not part of the project", note->text));
}

static bool
has_plugin_note(const struct revision *revision, uint32_t line)
{
    for (size_t i = 0; i < revision->notes.count; i++)
        if (revision->notes.items[i].kind == NOTE_PLUGIN &&
            revision->notes.items[i].place.line == line)
            return true;
    return false;
}

/* Whether Python puts something into the SQL that is only known when it runs. */
static bool
is_text_known(const struct step *step)
{
    return step->text && !strchr(step->text, VALUE_HOLE);
}

/*
 * Questions to the catalogue are answered alike wherever the history has run up to here, and so
 * are those for the dialect.
 */
static bool
asks_catalogue(const char *text)
{
    static const char *const words[] = { "pg_", "information_schema", "to_reg", "has_table",
        "has_column", "has_index", "get_table_names", "get_columns", "get_indexes", "get_enums",
        "constraint", "inspect", "dialect", "is_offline_mode", "exists" };

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strstr(text, words[i]))
            return true;
    return false;
}

/* The condition that only running would tell, or NULL. */
static const struct condition *
open_condition(const struct step *step)
{
    for (size_t i = 0; i < step->conditions.count; i++) {
        const struct condition *condition = &step->conditions.items[i];

        if (condition->is_assumed || condition->test.kind != TEST_NONE || !condition->text ||
            text_equal(condition->text, "try") || text_equal(condition->text, "except") ||
            asks_catalogue(condition->text))
            continue;
        return condition;
    }
    return NULL;
}

static void
look_at_condition(struct search *search, const struct step *step)
{
    const struct condition *condition = open_condition(step);
    bool is_schema = step_is_ddl(step) && step->kind != STEP_UNKNOWN;

    if (!condition)
        return;
    if (text_equal(condition->text, "loop")) {
        if (is_schema)
            tell(search, &step->place,
                arena_printf(search->arena,
                    "how often %s runs depends on rows or on the application",
                    step_kind_name(step->kind)));
        return;
    }
    /* Rows of a table that is empty here are no reason to doubt what happens to rows. */
    if (!is_schema && !(search->has_application && step_is_data(step)))
        return;
    tell(search, &step->place,
        arena_printf(
            search->arena, "%s only runs if %s", step_kind_name(step->kind), condition->text));
}

static void
look_at_step(struct search *search, const struct step *step)
{
    look_at_condition(search, step);
    if (!step->unknown || is_text_known(step) ||
        has_plugin_note(search->revision, step->place.line))
        return;
    if (step->kind == STEP_UNKNOWN && step->reach == REACH_DATA && !search->has_application)
        return;
    if (step->kind == STEP_UNKNOWN || (step_is_ddl(step) && !step->object.name))
        tell(search, &step->place, step->unknown);
}

static void
look_at_revision(struct search *search)
{
    const struct revision *revision = search->revision;

    if (revision->failure) {
        tell(search, &(struct place){ .file = revision->file }, revision->failure);
        return;
    }
    for (size_t i = 0; i < revision->notes.count; i++)
        search->has_application |= revision->notes.items[i].kind == NOTE_APPLICATION &&
                                   !revision->notes.items[i].is_downgrade;
    for (size_t i = 0; i < revision->notes.count; i++)
        look_at_note(search, &revision->notes.items[i]);
    for (size_t i = 0; i < revision->upgrade.count; i++)
        look_at_step(search, &revision->upgrade.items[i]);
}

bool
squash_undecided(struct ctx *ctx, const struct analysis *analysis, struct text_list *ret)
{
    *ret = (struct text_list){ 0 };
    for (size_t i = 0; i < analysis->history.count; i++) {
        struct search search = {
            .arena = ctx->arena,
            .environment = &analysis->history.environment,
            .revision = &analysis->history.items[i],
            .ret = ret,
        };

        look_at_revision(&search);
    }
    return true;
}
