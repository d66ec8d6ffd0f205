#include "cli/out.h"

#include <unistd.h>

#include "base/interrupt.h"
#include "base/log.h"
#include "base/term.h"
#include "cli/command.h"

enum { NARROWEST = 8, GAP = 2 };

/* The cells of a table as they are shown, and the width of each column. */
struct table {
    struct arena *arena;
    const struct field *fields;
    size_t columns;
    size_t rows; /* with the header, which is row 0 */
    const char **cells;
    size_t *widths;
};

/*
 * A name from the database may hold anything: control characters would break the table, or speak
 * to the terminal.
 */
static const char *
clean(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text);

    for (char *c = copy; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        unsigned char next = (unsigned char)c[1];

        if (byte == 0xC2 && next >= 0x80 && next < 0xA0)
            c[0] = c[1] = '?';
        else if (byte < 0x20 || byte == 0x7F)
            *c = byte == '\n' || byte == '\t' ? ' ' : '?';
    }
    return copy;
}

static bool
is_number(const struct field *field)
{
    switch (field->type) {
    case FIELD_INT32:
    case FIELD_INT64:
    case FIELD_UINT32:
    case FIELD_DOUBLE:
        return true;
    case FIELD_BOOL:
    case FIELD_TEXT:
    case FIELD_TEXT_LIST:
        break;
    }
    return false;
}

static const char *
heading(struct arena *arena, const struct field *field)
{
    char *text = arena_strdup(arena, field->help ? field->help : field->name);

    for (char *c = text; *c && !field->help; c++)
        if (*c == '_')
            *c = ' ';
    return text;
}

static size_t
total_width(const struct table *table)
{
    size_t total = table->columns > 0 ? (table->columns - 1) * GAP : 0;

    for (size_t i = 0; i < table->columns; i++)
        total += table->widths[i];
    return total;
}

/* Takes from the widest text column until the table fits, or nothing more can be taken. */
static void
fit(struct table *table, size_t width)
{
    while (total_width(table) > width) {
        size_t widest = table->columns;

        for (size_t i = 0; i < table->columns; i++)
            if (!is_number(&table->fields[i]) && table->widths[i] > NARROWEST &&
                (widest == table->columns || table->widths[i] > table->widths[widest]))
                widest = i;
        if (widest == table->columns)
            return;
        table->widths[widest]--;
    }
}

/* The text cut to at most width columns, with "…" when something is left out. */
static const char *
cut(struct arena *arena, const char *text, size_t width)
{
    size_t length = strlen(text);
    char *part;

    if (text_width(text) <= width)
        return text;
    part = arena_strdup(arena, text);
    while (length > 0 && text_width(part) + 1 > width) {
        length--;
        while (length > 0 && ((unsigned char)part[length] & 0xC0) == 0x80)
            length--;
        part[length] = '\0';
    }
    return arena_printf(arena, "%s…", part);
}

static void
print_spaces(FILE *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fputc(' ', out);
}

static void
print_row(FILE *out, const struct table *table, size_t row)
{
    for (size_t i = 0; i < table->columns; i++) {
        const char *cell =
            cut(table->arena, table->cells[row * table->columns + i], table->widths[i]);
        size_t room = table->widths[i] - text_width(cell);
        bool is_right = is_number(&table->fields[i]);

        if (is_right)
            print_spaces(out, room);
        fputs(cell, out);
        if (i + 1 < table->columns)
            print_spaces(out, (is_right ? 0 : room) + GAP);
    }
    fputc('\n', out);
}

static void
fill(struct table *table, const void *items, size_t item_size)
{
    for (size_t row = 0; row < table->rows; row++) {
        for (size_t i = 0; i < table->columns; i++) {
            const struct field *field = &table->fields[i];
            const char *item = row > 0 ? (const char *)items + (row - 1) * item_size : NULL;
            const char *text = !item           ? heading(table->arena, field)
                               : field->secret ? "***"
                                               : field_show(table->arena, field, item);
            size_t width;

            text = clean(table->arena, text);
            width = text_width(text);
            table->cells[row * table->columns + i] = text;
            if (width > table->widths[i])
                table->widths[i] = width;
        }
    }
}

void
out_table(FILE *out, const struct field *fields, size_t field_count, const void *items,
    size_t count, size_t item_size)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    struct table table = {
        .arena = arena,
        .fields = fields,
        .columns = field_count,
        .rows = count + 1,
        .cells = ARENA_ARRAY(arena, const char *, (count + 1) * field_count),
        .widths = ARENA_ARRAY(arena, size_t, field_count),
    };

    fill(&table, items, item_size);
    if (term_is_terminal(out))
        fit(&table, (size_t)term_width(out));
    if (term_has_color(out))
        fputs("\033[1m", out);
    print_row(out, &table, 0);
    if (term_has_color(out))
        fputs("\033[0m", out);
    for (size_t row = 1; row < table.rows; row++)
        print_row(out, &table, row);
    if (count == 0)
        fputs("(none)\n", out);
}

json_t *
out_json_rows(const struct field *fields, size_t field_count, const void *items, size_t count,
    size_t item_size)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            array, json_from_fields(fields, field_count, (const char *)items + i * item_size));
    return array;
}

void
out_json(FILE *out, json_t *object)
{
    json_t *document CLEANUP(json_release) = json_object();

    json_object_set_new(document, "schema_version", json_integer(1));
    json_object_update(document, object);
    json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    fputc('\n', out);
}

void
out_next(FILE *out, const char *format, ...)
{
    va_list args;

    /* Advice is neither a result nor an error. */
    if (log_level() == LOG_QUIET)
        return;
    fputs("Next: ", out);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
}

void
out_mark_line(FILE *out, enum out_mark mark, const char *format, ...)
{
    static const struct {
        const char *text;
        const char *color;
    } marks[] = {
        [MARK_OK] = { "ok", "32" },
        [MARK_WARN] = { "warn", "33" },
        [MARK_FAIL] = { "fail", "31" },
        [MARK_INFO] = { "info", "36" },
    };
    va_list args;

    if (term_has_color(out))
        fprintf(out, "\033[%sm%-4s\033[0m  ", marks[mark].color, marks[mark].text);
    else
        fprintf(out, "%-4s  ", marks[mark].text);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
}

/* One line from standard input without its newline; NULL at the end or when a signal came. */
static const char *
read_answer(struct arena *arena)
{
    char line[256];

    if (!fgets(line, sizeof(line), stdin))
        return NULL;
    return arena_strndup(arena, line, strcspn(line, "\r\n"));
}

bool
confirm_typed(
    struct ctx *ctx, const struct global_options *global, const char *question, const char *word)
{
    const char *answer;

    if (global->yes)
        return true;
    if (global->no_input || !term_is_terminal(stdin)) {
        error_set(
            ctx, ERR_USAGE, "confirmation is needed, and there is nobody to ask: %s", question);
        return error_hint(ctx, "Give --yes if you mean it.");
    }
    fflush(stdout);
    fprintf(stderr, "%s\nType \"%s\" to go on: ", question, word);
    fflush(stderr);
    answer = read_answer(ctx->arena);
    if (interrupt_signal())
        return interrupt_error(ctx, interrupt_signal());
    if (!text_equal(answer, word)) {
        error_set(ctx, ERR_INPUT, "not confirmed");
        return error_state(ctx, "Nothing was changed.");
    }
    return true;
}
