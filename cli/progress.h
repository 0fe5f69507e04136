/*  progress.h - --bar: how far a run is, on a terminal or now and then as a line */
#ifndef WEFT_CLI_PROGRESS_H
#define WEFT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/clock.h"

struct progress_counts {
    uint64_t done, failed, running;
    uint64_t total;             /*  jobs known so far                       */
    bool complete;              /*  there will be no more than that         */
    uint64_t nodes, slots;      /*  workers that are there, and their room   */
    bool elsewhere;             /*  they may be on other machines: worth telling */
};

struct progress {
    FILE *out;                  /*  NULL: off                               */
    struct clock *clock;
    bool terminal;
    bool drawn;                 /*  a bar stands on the terminal's last line */
    int64_t started, next;      /*  ns; when it is due to be drawn again    */
};

/*  `out` NULL switches it off. */
void progress_init (struct progress *self, FILE *out, bool terminal, struct clock *clock);

/*  How long until it is due: ns, or TIME_FOREVER. */
int64_t progress_wait (const struct progress *self);

/*  Draws when it is due. */
void progress_update (struct progress *self, const struct progress_counts *counts);

/*  Takes the bar off the terminal, before something else is written there. */
void progress_clear (struct progress *self);

/*  The last state, and the end of the line. */
void progress_end (struct progress *self, const struct progress_counts *counts);

/*  The text, at most width - 1 characters: a bar when `width` is not 0. */
void progress_text (const struct progress_counts *counts, int64_t elapsed, int width, char *text, size_t size);

/*  5s, 2m05s, 3h10m, 5d02h. */
void progress_duration (double seconds, char *text, size_t size);

#endif
