/*  pool_sim.h - a pool in a world that fails: a real head, workers with real sessions, links, crashes, a clock
 *
 *  One seed is one history. Links lose, repeat and delay messages, break with and without notice, and let what was
 *  under way on an old connection come late into a new one. Workers and head crash, or stand still. What a worker
 *  does with a job is a model; its sessions are pool_line.c and pool_outbox.c, as everywhere. The head is weft_pool_t
 *  over an engine of this family's. */

#ifndef WEFT_TESTS_POOL_SIM_H
#define WEFT_TESTS_POOL_SIM_H

#include "core/context.h"
#include "patterns/pool.h"
#include "patterns/pool_line.h"

#define SIM_BYTE(n) ((char) ('a' + (n) % 26))

enum { SIM_WORKERS = 3, SIM_JOBS = 24, SIM_HELD = 64, SIM_MEMORY = 100 };
enum { SIM_IDS = 4 * SIM_JOBS };        /*  of jobs, with those that do others again */

struct sim_message {
    struct sim_message *next;
    size_t size;
    char data[];
};

struct sim_queue {
    struct sim_message *first, **last;
};

struct sim_job {
    uint64_t id;
    int64_t attempt;
    int cores;
    uint64_t memory;
    bool running;
    bool untold;                /*  runs, and nobody was told                       */
    uint64_t report;            /*  does not run before this one is acknowledged    */
    int64_t ends;               /*  when it will have run long enough               */
    unsigned wrote;             /*  bytes: the first is SIM_BYTE (0), and so on     */
};

struct sim;

struct sim_worker {
    struct wire wire;           /*  first; to the head                              */
    struct sim *sim;
    bool alive, connected;
    bool silent;                /*  what is sent either way vanishes                */
    bool told_break;            /*  the worker has still to be told of a break      */
    int64_t connect_at, stopped_until, heal_at;
    struct sim_queue up[2], down[2];    /*  of this connection; late, from older ones */
    uint64_t instance;
    char route[32];
    struct line line;
    struct sim_job jobs[SIM_HELD];
    int count, slots;
    int64_t greeted, sent;
};

/*  What may go wrong; one in so many, 0 for never. */
struct sim_faults {
    int lose, repeat, cut, partition, worker_crash, worker_stop, head_crash, head_stop, fail, cancel,
        cancel_one, retry;
    int64_t outage;             /*  ns that a break or a stop lasts at most         */
};

struct sim {
    uint64_t seed;
    struct sim_faults faults;
    struct clock_fake clock;
    weft_t *weft;
    weft_pool_t *pool;          /*  NULL while the head is down                     */
    int64_t head_stopped_until;
    int breaks;                 /*  that the head has still to be told of           */
    int sends_left;             /*  until the head's messages vanish, as it has crashed; -1: never */
    struct sim_worker workers[SIM_WORKERS];
    uint64_t instances;
    void (*given) (uint64_t job, int64_t attempt);  /*  a worker got it; or NULL    */
    unsigned runs[SIM_IDS + 1];         /*  how often each was begun                */
    unsigned failed[SIM_IDS + 1];       /*  ... and ended badly by itself           */
    bool succeeded[SIM_IDS + 1];        /*  a run ended well, whoever heard of it   */
};

/*  Contexts over the engine belong to `sim_world`. */
extern const struct wire_engine sim_engine;
extern struct sim *sim_world;

static inline bool
sim_chance (struct sim *self, int one_in)
{
    return one_in && random_next (&self->seed) % (uint64_t) one_in == 0;
}

static inline uint64_t
sim_pick (struct sim *self, uint64_t limit)
{
    return random_next (&self->seed) % limit;
}

/* ------------------------------------------------------------ pool_sim_net.c */

void sim_queue_init (struct sim_queue *self);
void sim_queue_clear (struct sim_queue *self);

/*  The connection ends: what is under way is lost, or comes late. */
void sim_break (struct sim_worker *worker);
void sim_connect (struct sim_worker *worker);

/*  The next message for the worker; NULL: none now. Free it. */
struct sim_message *sim_take (struct sim_worker *worker);

/* --------------------------------------------------------- pool_sim_worker.c */

void sim_worker_start (struct sim *sim, struct sim_worker *worker);
void sim_worker_crash (struct sim_worker *worker);
void sim_worker_turn (struct sim_worker *worker);

#endif
