/*  jobs_change.h - having jobs of a ledger changed: by its head, or as its head when it has none */
#ifndef WEFT_CLI_JOBS_CHANGE_H
#define WEFT_CLI_JOBS_CHANGE_H

#include "cli/jobs.h"

/*  What became of one job that was named. */
struct change {
    uint64_t id;                /*  0: all                                              */
    bool some;                  /*  not all at once: it is to be asked again            */
    char outcome[16];           /*  as the head said: "taken", "running", ...           */
    uint64_t by;                /*  the number after it; 0: none                        */
};

struct changes {
    struct jobs *jobs;
    weft_pool_t *pool;          /*  when we are the head ourselves                      */
    struct buffer said;         /*  struct change, one after the other                  */
};

void changes_init (struct changes *self, struct jobs *jobs);
void changes_free (struct changes *self);

/*  How many, and which. */
size_t changes_count (const struct changes *self);
struct change *changes_at (const struct changes *self, size_t index);

/*  Finds out who is to do it: the head (true), or we. WEFT_ETIMEOUT says why it cannot be done. */
int changes_begin (struct changes *self, bool *head);

/*  Adds what `verb` (with what follows it, up to the numbers) does to the jobs of these numbers, or to "all". */
int changes_ask (struct changes *self, const char *verb, const uint64_t *ids, size_t count);

/*  Lets the head, or the pool of our own, go on for a moment. */
int changes_turn (struct changes *self, int ms);

/*  As the head ourselves: runs the pool until so many jobs have ended, and is the head no longer. */
int changes_end (struct changes *self, size_t ended);

/*  Says what became of each, by a line for it: `state` is that of the job, or of the one that does it again. 1 when
 *  `line` says of one, with 1, that it is not as was asked. */
typedef int (change_line_fn) (const struct jobs *jobs, struct buffer *out, const struct change *change,
                              const char *state);
int changes_tell (const struct changes *self, change_line_fn *line);

/*  Looks every `ms` until the job is in the ledger, where its head brings it in its time, and with `ended` until it has
 *  ended. WEFT_ETIMEOUT: not by then; `state` has its state, or "" where it is not in the ledger yet. */
int changes_await (const struct changes *self, uint64_t job, bool ended, int ms, int64_t deadline, char state[16]);

/*  Waits a moment; WEFT_EINTR: we were stopped. */
int changes_pause (const struct changes *self, int ms);

#endif
