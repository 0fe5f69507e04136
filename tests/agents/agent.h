/*  agent.h - a simulated worker: the real sessions and reports of one, on a connection of its own, with modelled jobs
 *
 *  Its jobs are no processes: each takes a time, writes a line, and ends with a status, all by the seed. What
 *  it does is told to a log, in the words of tests/fault/pool_check.py. */

#ifndef WEFT_TESTS_AGENTS_AGENT_H
#define WEFT_TESTS_AGENTS_AGENT_H

#include <stdio.h>

#include "patterns/pool_line.h"
#include "tests/agents/dealer.h"

#define AGENT_HELD 16           /*  jobs that it may have at most                           */

/*  What all agents have in common. */
struct agents {
    uint64_t seed;
    FILE *log;
    int64_t now;                /*  ns, of this turn                                        */
    int64_t longest;            /*  ns that a job takes at most                             */
    int64_t heartbeat;
    uint64_t instances;
    uint64_t runs;              /*  executions begun; also what each is called              */
    uint64_t ended;             /*  that came to their end                                  */
    uint64_t sessions;          /*  HELLOs that were said                                   */
    bool over;                  /*  the head has said that there is no more                 */
};

struct agent_job {
    uint64_t id, run;           /*  run 0: waits                                            */
    int64_t attempt;
    int64_t ends;
};

enum agent_state {
    AGENT_AWAY,         /*  has no connection, and looks for one at `back_at`               */
    AGENT_UP,
    AGENT_STOPPED,      /*  stands still until `back_at`: hears, says and ends nothing      */
    AGENT_GONE          /*  was told to go                                                  */
};

struct agent {
    struct dealer dealer;
    struct line line;
    enum agent_state state;
    int64_t back_at;
    int number, life;           /*  its name: worker-NUMBER.LIFE                            */
    char name[32], route[32];
    int slots, window;
    struct agent_job jobs[AGENT_HELD];
    int count;
    int64_t greeted, sent;
    const struct endpoint *endpoint;
};

/*  A new life, which looks for the head at `at`. */
void agent_begin (struct agent *self, struct agents *all, int64_t at);
void agent_free (struct agent *self);

/*  What is due now: connecting, what has come, jobs, reports. Negative for what must not happen. */
int agent_turn (struct agent *self, struct agents *all);

/*  When it is to have its turn again, if nothing comes. */
int64_t agent_due (const struct agent *self, const struct agents *all);

/*  The faults, which it tells the log; they have no effect on one that has gone or is stopped. */
void agent_die (struct agent *self, struct agents *all, bool reset, int64_t back_at);
void agent_cut (struct agent *self, struct agents *all, bool within, int64_t back_at);
void agent_stop (struct agent *self, struct agents *all, int64_t back_at);
void agent_leave (struct agent *self, struct agents *all, int64_t back_at);

static inline uint64_t
agents_pick (struct agents *all, uint64_t limit)
{
    return random_next (&all->seed) % limit;
}

#endif
