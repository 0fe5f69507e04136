/*  progress.c - --bar: how far a run is, on a terminal or now and then as a line */

#include "cli/progress.h"

#include <string.h>
#include <sys/ioctl.h>

#define REDRAW (100 * TIME_MS)
#define LINE_FIRST (2 * TIME_S)     /*  without a terminal: lines at 2 s, 4 s, 8 s ... */
#define LINE_LONGEST (60 * TIME_S)
#define TEXT_MAX 512
#define BAR_MIN 10

void
progress_init (struct progress *self, FILE *out, bool terminal, struct clock *clock)
{
    *self = (struct progress){ .out = out, .terminal = terminal, .clock = clock };
    self->started = clock_now (clock);
    self->next = self->started + (terminal ? REDRAW : LINE_FIRST);
}

int64_t
progress_wait (const struct progress *self)
{
    return self->out ? clock_left (self->clock, self->next) : TIME_FOREVER;
}

void
progress_duration (double seconds, char *text, size_t size)
{
    unsigned long s = (unsigned long) (seconds + 0.5);
    if (s >= 100 * 3600ul)
        snprintf (text, size, "%lud%02luh", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        snprintf (text, size, "%luh%02lum", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf (text, size, "%lum%02lus", s / 60, s % 60);
    else
        snprintf (text, size, "%lus", s);
}

/*  What stands right of the bar. */
static void
figures_text (const struct progress_counts *counts, int64_t elapsed, char *text, size_t size)
{
    char time[32], failed[40] = "", where[80] = "";
    double seconds = (double) elapsed / (double) TIME_S;
    double rate = seconds > 0 ? (double) counts->done / seconds : 0;
    const char *words = "time";
    bool over = counts->complete && counts->done >= counts->total;
    if (counts->complete && counts->done && !over) {
        words = "ETA";
        seconds = (double) (counts->total - counts->done) / rate;
    }
    progress_duration (seconds, time, sizeof time);
    if (counts->failed)
        snprintf (failed, sizeof failed, "  %llu failed", (unsigned long long) counts->failed);
    if (counts->elsewhere)
        snprintf (where, sizeof where, " of %llu on %llu node%s", (unsigned long long) counts->slots,
                  (unsigned long long) counts->nodes, counts->nodes == 1 ? "" : "s");
    snprintf (text, size, "%llu/%llu%s  %.*f/s  %llu running%s  %s %s%s", (unsigned long long) counts->done,
              (unsigned long long) counts->total, counts->complete ? "" : "+", rate < 10 ? 1 : 0, rate,
              (unsigned long long) counts->running, where, words, time, failed);
}

void
progress_text (const struct progress_counts *counts, int64_t elapsed, int width, char *text, size_t size)
{
    char figures[TEXT_MAX], bar[TEXT_MAX] = "";
    double part = counts->total ? (double) counts->done / (double) counts->total : 0;
    figures_text (counts, elapsed, figures, sizeof figures);
    int room = width - (int) strlen (figures) - 10;
    if (room > 60)
        room = 60;
    if (room >= BAR_MIN) {
        int full = (int) (part * room);
        memset (bar, '#', (size_t) full);
        memset (bar + full, '.', (size_t) (room - full));
        memcpy (bar + room, "  ", 3);
    }
    if (width > 0 && (size_t) width < size)
        size = (size_t) width;
    snprintf (text, size, "%3d%%  %s%s", (int) (part * 100), bar, figures);
}

static int
progress_width (const struct progress *self)
{
    struct winsize window;
    if (ioctl (fileno (self->out), TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        return window.ws_col;
    return 80;
}

static void
progress_draw (struct progress *self, const struct progress_counts *counts)
{
    char text[TEXT_MAX];
    int64_t elapsed = clock_now (self->clock) - self->started;
    progress_text (counts, elapsed, self->terminal ? progress_width (self) : 0, text, sizeof text);
    fprintf (self->out, self->terminal ? "\r%s\033[K" : "%s\n", text);
    fflush (self->out);
    self->drawn = self->terminal;
}

void
progress_update (struct progress *self, const struct progress_counts *counts)
{
    if (!self->out || progress_wait (self) > 0)
        return;
    progress_draw (self, counts);
    int64_t elapsed = clock_now (self->clock) - self->started;
    self->next += self->terminal ? REDRAW : elapsed < LINE_LONGEST ? elapsed : LINE_LONGEST;
}

void
progress_clear (struct progress *self)
{
    if (!self->out || !self->drawn)
        return;
    fputs ("\r\033[K", self->out);
    fflush (self->out);
    self->drawn = false;
    self->next = clock_now (self->clock);
}

void
progress_end (struct progress *self, const struct progress_counts *counts)
{
    struct progress_counts last = *counts;
    if (!self->out)
        return;
    last.elsewhere = false;         /*  they have left */
    progress_draw (self, &last);
    if (self->terminal)
        fputc ('\n', self->out);
    fflush (self->out);
    self->out = NULL;
}
