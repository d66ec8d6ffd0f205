#include "base/clock.h"
#include "base/log.h"
#include "base/term.h"
#include "cli/out.h"

enum {
    BAR_WIDTH = 20,
    REDRAW_US = 100000,      /* more often than the eye sees only costs */
    LINE_EVERY_US = 10000000 /* where nothing can be drawn over */
};

void
progress_begin(struct progress *progress)
{
    *progress = (struct progress){ .file = stderr, .is_terminal = term_is_terminal(stderr) };
}

static void
add_bar(struct buffer *line, double ratio)
{
    int full = (int)(ratio * BAR_WIDTH + 0.5);

    buffer_add(line, "  [");
    for (int i = 0; i < BAR_WIDTH; i++)
        buffer_add(line, i < full ? "#" : "-");
    buffer_add(line, "]");
}

static bool
is_due(const struct progress *progress, bool is_new_phase, int64_t now_us)
{
    if (is_new_phase)
        return true;
    return now_us - progress->last_us >= (progress->is_terminal ? REDRAW_US : LINE_EVERY_US);
}

static void
put(const struct progress *progress, const char *line)
{
    size_t width = (size_t)term_width(progress->file);
    size_t length = strlen(line);

    if (!progress->is_terminal) {
        fprintf(progress->file, "%s\n", line);
        return;
    }
    /* Bytes are at least as many as columns: a line cut so never wraps. */
    if (length > width - 1 && width > 1)
        for (length = width - 1; length > 0 && ((unsigned char)line[length] & 0xC0) == 0x80;)
            length--;
    fprintf(progress->file, "\r%.*s\033[K", (int)length, line);
    fflush(progress->file);
}

/* "ix_a: building  [####----]  45%  12 s, about 20 s left  note" */
static const char *
write_line(struct arena *arena, const struct progress *progress, const struct progress_line *line)
{
    struct buffer text = { .arena = arena };

    buffer_printf(&text, "%s: %s", line->what, line->phase);
    if (line->ratio >= 0) {
        double share = line->ratio > 1 ? 1 : line->ratio;

        if (progress->is_terminal)
            add_bar(&text, share);
        buffer_printf(&text, "  %.0f%%", share * 100);
    }
    buffer_printf(&text, "  %s", text_from_us(arena, line->elapsed_us));
    if (line->ratio >= 0 && line->left_us > 0)
        buffer_printf(&text, ", about %s left", text_from_us(arena, line->left_us));
    if (line->note)
        buffer_printf(&text, "  %s", line->note);
    return buffer_text(&text);
}

void
progress_draw(struct progress *progress, const struct progress_line *line)
{
    struct arena *arena CLEANUP(arena_cleanup) = arena_new();
    int64_t now_us = clock_us();
    bool is_new_phase = !progress->last_phase ||
                        strncmp(progress->phase, line->phase, sizeof(progress->phase) - 1) != 0;

    if (log_level() == LOG_QUIET || !is_due(progress, is_new_phase, now_us))
        return;
    snprintf(progress->phase, sizeof(progress->phase), "%s", line->phase);
    progress->last_phase = progress->phase;
    progress->last_us = now_us;
    fflush(stdout);
    put(progress, write_line(arena, progress, line));
}

void
progress_end(struct progress *progress)
{
    if (progress->is_terminal && progress->last_phase) {
        fputs("\r\033[K", progress->file);
        fflush(progress->file);
    }
    progress->last_phase = NULL;
}
