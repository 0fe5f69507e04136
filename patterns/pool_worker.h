/*  pool_worker.h - what weft_worker_t is inside, and the parts of it that are files of their own
 *
 *  pool_worker.c has the public calls and a run from its beginning to its end, pool_worker_turn.c the rounds of it,
 *  pool_worker_talk.c what is said to a head and heard from one. */

#ifndef WEFT_PATTERNS_POOL_WORKER_H
#define WEFT_PATTERNS_POOL_WORKER_H

#include "core/security.h"
#include "patterns/pool.h"
#include "patterns/pool_line.h"
#include "patterns/pool_metrics.h"
#include "patterns/pool_slots.h"

enum worker_state {
    WORKER_ACTIVE,      /*  `line` says where it stands with its head                       */
    WORKER_LEAVING,     /*  the head or the caller wants an end at once: jobs are stopped   */
    WORKER_GONE         /*  `result` says why                                               */
};

struct worker_config {
    int64_t slots, first_slot, prefetch, memory;
    char *name, *shell, *dir, *exec;
    int64_t heartbeat, connect_timeout, grace, linger, lifetime;
    struct security_config security;
};

struct weft_worker {
    weft_t *weft;
    struct worker_config config;
    struct wire *wire;
    struct watch watch;         /*  what was said of refusals                       */
    int stop_fd;                /*  counts the calls of weft_worker_stop            */
    uint64_t stops;
    int epoll;
    enum worker_state state;
    bool running;               /*  inside weft_worker_run                          */
    int result;
    char reason[512];           /*  the words for it                                */
    weft_work_fn *fn;           /*  for messages; or NULL                           */
    void *arg;
    struct slots slots;
    struct warden warden;       /*  of the jobs, should we be killed                */
    struct line line;
    struct buffer body, held;   /*  of the message that is being made               */
    uint64_t instance;
    int window;                 /*  as last told                                    */
    bool unheard;               /*  LEAVING: nobody waits for our GOODBYE           */
    bool stirred;               /*  the wire may have something, see turn           */
    int64_t deadline;           /*  without a head: when one must have come         */
    int64_t expires;            /*  with a lifetime: when we end at the latest      */
    int64_t note_at;            /*  at first: when to say that we wait; TIME_FOREVER: not (any more) */
    char endpoint[ENDPOINT_MAX];
    int64_t greeted;            /*  when HELLO was said                             */
    int64_t sent;               /*  last message                                    */
    struct pool_counts *counts; /*  NULL: nobody asks                               */
    struct worker_values shown; /*  then, by core/counter.h                         */
    char name[POOL_NAME_MAX + 1], host[POOL_NAME_MAX + 1];
};

/*  What its epoll tells; below are those of the slots. */
#define EVENT_WIRE SLOTS_EVENTS
#define EVENT_STOP (SLOTS_EVENTS + 1)
#define EVENT_WARDEN (SLOTS_EVENTS + 2)

static inline int64_t
worker_now (const struct weft_worker *self)
{
    return clock_now (self->weft->clock);
}

/* --------------------------------------------------------- pool_worker_talk.c */

/*  Takes in what the wire has: connections that came or broke, and some messages of a head. Negative when no head will
 *  do. */
int worker_hear (struct weft_worker *self);

/*  Not a member: says HELLO when somebody is there. WEFT_ENOPEER when nobody came in time. */
int worker_seek (struct weft_worker *self);

/*  A member: reports that are due, or a sign of life. */
int worker_report (struct weft_worker *self);

/*  LEAVING, with `result` and its words: waiting jobs are given back, and all are stopped. */
void worker_leave (struct weft_worker *self, int result);
int worker_say_goodbye (struct weft_worker *self);

/* --------------------------------------------------------- pool_worker_turn.c */

/*  One round: what has come, what is due, and a wait when there is nothing to do. */
int worker_turn (struct weft_worker *self);

/*  The descriptor is waited for, too. */
int worker_watch (struct weft_worker *self, int fd, uint64_t event);

/*  At first, and when somebody has killed it. Without one jobs are run all the same. */
void worker_start_guardian (struct weft_worker *self);

#endif
