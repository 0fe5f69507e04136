/*  jobswatch.c - weft jobs --watch: how the jobs of a ledger are, until all have ended */

#include "cli/jobswatch.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cli/fit.h"
#include "cli/ledgernow.h"
#include "cli/progress.h"
#include "core/clock.h"
#include "core/error.h"

#define PAUSE TIME_S            /*  between two looks ...                                   */
#define PATIENCE 10             /*  ... and so many times what one takes, of a large ledger */
#define BAR_MOST 60
#define LIST_MOST 5             /*  lines of all lists but that of running jobs             */

/* -------------------------------------------------------------------- rate */

void
jobsrate_add (struct jobsrate *self, int64_t at, uint64_t ended)
{
    if (self->count == JOBSWATCH_SAMPLES)
        memmove (self->samples, self->samples + 1, --self->count * sizeof *self->samples);
    self->samples[self->count].at = at;
    self->samples[self->count++].ended = ended;
}

double
jobsrate_of (const struct jobsrate *self)
{
    if (self->count < 2)
        return -1;
    unsigned last = self->count - 1;
    int64_t time = self->samples[last].at - self->samples[0].at;
    return time <= 0 ? -1 : (double) (self->samples[last].ended - self->samples[0].ended) * TIME_S / (double) time;
}

/* ------------------------------------------------------------------- texts */

static int
add_fit (struct buffer *out, const char *text, int columns)
{
    int rc = fit_add (out, text, strlen (text), columns);
    return rc < 0 ? rc : buffer_add_str (out, "\n");
}

/*  " 45%  ####......  12.3/s  ETA 5m10s" */
static void
bar_text (const struct ledgerview_counts *counts, double rate, int columns, char *text, size_t size)
{
    uint64_t ended = counts->done + counts->failed;
    char figures[96] = "", bar[BAR_MOST + 3] = "", time[32];
    double part = counts->jobs ? (double) ended / (double) counts->jobs : 1;
    if (rate >= 0)
        snprintf (figures, sizeof figures, "%.*f/s", rate < 10 ? 1 : 0, rate);
    if (rate > 0 && ended < counts->jobs) {
        progress_duration ((double) (counts->jobs - ended) / rate, time, sizeof time);
        snprintf (figures + strlen (figures), sizeof figures - strlen (figures), "  ETA %s", time);
    }
    int room = columns - 6 - 2 - (int) strlen (figures);
    room = room < BAR_MOST ? room : BAR_MOST;
    for (int i = 0; i < room; i++)
        bar[i] = i < (int) (part * room) ? '#' : '.';
    snprintf (text, size, "%3d%%  %s  %s", (int) (part * 100), bar, figures);
}

int
jobswatch_head (const struct ledgerview_counts *counts, double rate, int columns, struct buffer *out)
{
    char text[512];
    snprintf (text, sizeof text, "%llu jobs: %llu done, %llu failed, %llu started, %llu waiting",
              (unsigned long long) counts->jobs, (unsigned long long) counts->done,
              (unsigned long long) counts->failed, (unsigned long long) counts->started,
              (unsigned long long) counts->waiting);
    int rc = add_fit (out, text, columns);
    bar_text (counts, rate, columns, text, sizeof text);
    return rc < 0 ? rc : add_fit (out, text, columns);
}

static int
add_object (const struct ledgerview_counts *counts, double rate, struct buffer *out)
{
    uint64_t open = counts->started + counts->waiting;
    int rc = buffer_addf (out, "{\"jobs\":%llu,\"done\":%llu,\"failed\":%llu,\"started\":%llu,\"waiting\":%llu,",
                          (unsigned long long) counts->jobs, (unsigned long long) counts->done,
                          (unsigned long long) counts->failed, (unsigned long long) counts->started,
                          (unsigned long long) counts->waiting);
    if (rc == 0)
        rc = rate < 0 ? buffer_add_str (out, "\"rate\":null,") : buffer_addf (out, "\"rate\":%.3f,", rate);
    if (rc == 0)
        rc = rate > 0 || !open ? buffer_addf (out, "\"eta\":%.1f}\n", open ? (double) open / rate : 0)
                               : buffer_add_str (out, "\"eta\":null}\n");
    return rc;
}

/* ---------------------------------------------------------------- terminal */

struct screen {
    int in, out;
    bool drawn, keys;           /*  keys: the terminal gives them as they are typed         */
    struct termios was;
    sigset_t mask;
    int resized;                /*  signalfd; or -1                                         */
};

/*  Ctrl-Z would leave it as it is here; Ctrl-C and a signal end the program in order. */
static void
screen_begin (struct screen *self, struct cli *cli)
{
    sigset_t winch;
    *self = (struct screen){ .in = cli->in, .out = cli->out };
    sigemptyset (&winch);
    sigaddset (&winch, SIGWINCH);
    pthread_sigmask (SIG_BLOCK, &winch, &self->mask);
    self->resized = signalfd (-1, &winch, SFD_CLOEXEC | SFD_NONBLOCK);
    if (tcgetpgrp (self->in) == getpgrp () && tcgetattr (self->in, &self->was) == 0) {
        struct termios keys = self->was;
        keys.c_lflag &= ~(tcflag_t) (ICANON | ECHO);
        keys.c_cc[VSUSP] = keys.c_cc[VQUIT] = _POSIX_VDISABLE;
        keys.c_cc[VMIN] = 0;
        keys.c_cc[VTIME] = 0;
        self->keys = tcsetattr (self->in, TCSADRAIN, &keys) == 0;
    }
}

static void
screen_end (struct screen *self)
{
    static const char leave[] = "\033[?7h\033[?25h\033[?1049l";
    if (self->drawn)
        cli_write (self->out, leave, sizeof leave - 1);
    if (self->keys)
        tcsetattr (self->in, TCSADRAIN, &self->was);
    if (self->resized >= 0)
        close (self->resized);
    pthread_sigmask (SIG_SETMASK, &self->mask, NULL);
}

/*  One that says no size has the usual one. */
static void
screen_size (const struct screen *self, int *rows, int *columns)
{
    struct winsize window = { 0 };
    bool known = ioctl (self->out, TIOCGWINSZ, &window) == 0;
    *rows = known && window.ws_row ? window.ws_row : 24;
    *columns = known && window.ws_col ? window.ws_col : 80;
}

/*  Each line is cleared to its end, and what is below the last: nothing flickers. */
static int
screen_draw (struct screen *self, const struct buffer *lines, int rows)
{
    struct buffer out;
    const char *at = buffer_data (lines), *end = at + buffer_size (lines);
    buffer_init (&out, 0);
    int rc = buffer_add_str (&out, self->drawn ? "\033[H" : "\033[?1049h\033[?25l\033[?7l\033[H");
    for (int i = 0; i < rows && at < end && rc == 0; i++) {
        const char *newline = memchr (at, '\n', (size_t) (end - at));
        rc = i ? buffer_add_str (&out, "\r\n") : 0;
        if (rc == 0)
            rc = buffer_add (&out, at, (size_t) (newline - at));
        if (rc == 0)
            rc = buffer_add_str (&out, "\033[K");
        at = newline + 1;
    }
    rc = rc ? rc : buffer_add_str (&out, "\033[J");
    self->drawn = true;
    rc = rc ? rc : cli_write (self->out, buffer_data (&out), buffer_size (&out));
    buffer_free (&out);
    return rc;
}

/* ------------------------------------------------------------------- watch */

struct watch {
    struct cli *cli;
    struct ledgerview *view;
    struct ledgernow *now;      /*  on a terminal           */
    const char *path;
    bool json, terminal;
    struct screen screen;
    struct jobsrate rate;
    struct ledgerview_counts counts, told;
    bool begun;                 /*  something was told      */
    struct buffer out;
};

/*  A list with its title, when there is anything in it; takes its rows off. */
static int
add_list (struct watch *self, enum ledgernow_part part, int most, int *rows, int columns)
{
    static const char *const titles[] = { "running", "workers", "slowest", "last failed" };
    struct buffer lines;
    int room = *rows - 2 < most ? *rows - 2 : most;
    if (room < 1)
        return 0;
    buffer_init (&lines, 0);
    int count = ledgernow_add (self->now, part, clock_wall (clock_system ()) / TIME_US, room, columns, &lines);
    int rc = count > 0 ? buffer_add_str (&self->out, "\n") : count;
    if (rc == 0 && count > 0)
        rc = add_fit (&self->out, titles[part], columns);
    if (rc == 0)
        rc = buffer_add (&self->out, buffer_data (&lines), buffer_size (&lines));
    *rows -= count > 0 ? count + 2 : 0;
    buffer_free (&lines);
    return rc;
}

static int
draw (struct watch *self)
{
    int rows, columns, left;
    screen_size (&self->screen, &rows, &columns);
    left = rows - 3;
    int rc = add_fit (&self->out, self->path, columns);
    if (rc == 0)
        rc = jobswatch_head (&self->counts, jobsrate_of (&self->rate), columns, &self->out);
    int each = left / 5 < LIST_MOST ? left / 5 : LIST_MOST;
    if (rc == 0)
        rc = add_list (self, LEDGERNOW_RUNNING, left - 3 * (each + 2), &left, columns);
    if (rc == 0)
        rc = add_list (self, LEDGERNOW_WORKERS, each, &left, columns);
    if (rc == 0)
        rc = add_list (self, LEDGERNOW_FAILED, each, &left, columns);
    if (rc == 0)
        rc = add_list (self, LEDGERNOW_SLOWEST, each, &left, columns);
    return rc < 0 ? rc : screen_draw (&self->screen, &self->out, rows);
}

static int
tell (struct watch *self)
{
    if (self->begun && memcmp (&self->counts, &self->told, sizeof self->told) == 0)
        return 0;
    self->begun = true;
    self->told = self->counts;
    int rc = self->json ? add_object (&self->counts, jobsrate_of (&self->rate), &self->out)
                        : buffer_addf (&self->out, "%llu jobs: %llu done, %llu failed, %llu started, %llu waiting\n",
                                       (unsigned long long) self->counts.jobs, (unsigned long long) self->counts.done,
                                       (unsigned long long) self->counts.failed,
                                       (unsigned long long) self->counts.started,
                                       (unsigned long long) self->counts.waiting);
    return rc < 0 ? rc : cli_write (self->cli->out, buffer_data (&self->out), buffer_size (&self->out));
}

static bool
quits (const struct watch *self)
{
    char keys[64];
    ssize_t size = self->screen.keys ? read (self->screen.in, keys, sizeof keys) : 0;
    return size > 0 && (memchr (keys, 'q', (size_t) size) || memchr (keys, 'Q', (size_t) size));
}

/*  1 when it is to end, 0 when it is time to look again, or an error. */
static int
wait_for (struct watch *self, int64_t until)
{
    int64_t left;
    while ((left = clock_left (clock_system (), until)) > 0) {
        struct signalfd_siginfo info;
        weft_pollitem_t items[] = { { .fd = self->cli->stop_fd, .events = WEFT_IN },
                                    { .fd = self->terminal ? self->screen.resized : -1, .events = WEFT_IN },
                                    { .fd = self->terminal && self->screen.keys ? self->screen.in : -1,
                                      .events = WEFT_IN } };
        int rc = weft_poll (items, 3, clock_poll_ms (left));
        if (self->cli->stopped (self->cli) || (self->terminal && quits (self)))
            return 1;
        if (rc < 0 && rc != WEFT_EINTR)
            return rc;
        if (self->terminal && self->screen.resized >= 0 && read (self->screen.resized, &info, sizeof info) > 0)
            return 0;
    }
    return 0;
}

static int
watch_look (struct watch *self)
{
    int rc = ledgerview_count (self->view, &self->counts);
    if (rc < 0)
        return rc;
    jobsrate_add (&self->rate, clock_now (clock_system ()), self->counts.done + self->counts.failed);
    buffer_clear (&self->out);
    return self->terminal ? draw (self) : tell (self);
}

int
jobswatch_run (struct cli *cli, struct ledgerview *view, const char *path, bool json,
               struct ledgerview_counts *counts)
{
    struct watch self = { .cli = cli, .view = view, .path = path, .json = json,
                          .terminal = !json && isatty (cli->out) };
    buffer_init (&self.out, 0);
    int rc = self.terminal ? ledgernow_open (&self.now, path) : 0;
    if (rc == 0 && self.terminal)
        screen_begin (&self.screen, cli);
    else
        self.terminal = false;
    while (rc == 0) {
        int64_t begun = clock_now (clock_system ());
        rc = watch_look (&self);
        if (rc < 0 || self.counts.started + self.counts.waiting == 0)
            break;
        int64_t ready = clock_now (clock_system ()), pause = (ready - begun) * PATIENCE;
        rc = wait_for (&self, ready + (pause > PAUSE ? pause : PAUSE));
    }
    if (self.terminal)
        screen_end (&self.screen);
    ledgernow_close (&self.now);
    buffer_free (&self.out);
    *counts = self.counts;
    return rc < 0 ? rc : 0;
}
