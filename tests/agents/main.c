/*  main.c - a thousand workers in one process, that die, break off, stop and come back, all by a seed
 *
 *      agents SEED AGENTS FAULTS/S GENTLE LONGEST-MS LOG ENDPOINT...
 *
 *  GENTLE 1: nothing is done that allows a job to run twice. Ends when the head says so, and prints what was done.
 *  See tests/fault/pool_agents.py. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "core/error.h"
#include "patterns/pool.h"
#include "tests/agents/agent.h"

#define ENDPOINTS 4
#define EVENTS 256
#define HEARTBEAT (300 * TIME_MS)
#define PATIENCE (POOL_MISSED * HEARTBEAT)      /*  of a head */

struct world {
    struct agents all;
    struct agent *agents;
    int *heap, *place;          /*  agents by when they are due; where each is there        */
    int64_t *due;
    int count, gone;
    int epoll;
    struct endpoint endpoints[ENDPOINTS];
    int64_t strike_at;
    double rate;                /*  faults a second                                         */
    bool gentle;
    uint64_t faults[5];
};

static const char *const fault_names[] = { "kill", "cut", "short-stop", "long-stop", "leave" };

/* ------------------------------------------------------------------- who is due */

static bool
earlier (const struct world *self, int a, int b)
{
    int64_t first = self->due[self->heap[a]], second = self->due[self->heap[b]];
    return first != TIME_FOREVER && (second == TIME_FOREVER || first < second);
}

static void
swap (struct world *self, int a, int b)
{
    int agent = self->heap[a];
    self->heap[a] = self->heap[b];
    self->heap[b] = agent;
    self->place[self->heap[a]] = a;
    self->place[self->heap[b]] = b;
}

static void
set_due (struct world *self, int agent, int64_t due)
{
    self->due[agent] = due;
    int at = self->place[agent];
    for (; at && earlier (self, at, (at - 1) / 2); at = (at - 1) / 2)
        swap (self, at, (at - 1) / 2);
    for (int child; (child = 2 * at + 1) < self->count; at = child) {
        if (child + 1 < self->count && earlier (self, child + 1, child))
            child++;
        if (!earlier (self, child, at))
            break;
        swap (self, at, child);
    }
}

/* ----------------------------------------------------------------------- faults */

static int64_t
within (struct world *self, int64_t time)
{
    return self->all.now + (int64_t) agents_pick (&self->all, (uint64_t) time);
}

static void
strike (struct world *self)
{
    struct agents *all = &self->all;
    struct agent *agent = &self->agents[agents_pick (all, (uint64_t) self->count)];
    int kind = self->gentle ? 1 + (int) agents_pick (all, 2) : (int) agents_pick (all, 5);
    self->strike_at = within (self, (int64_t) (2e9 / self->rate));
    self->faults[kind]++;
    if (kind == 0)
        agent_die (agent, all, agents_pick (all, 2), within (self, TIME_S));
    else if (kind == 1)
        agent_cut (agent, all, agents_pick (all, 2), within (self, TIME_S));
    else if (kind == 2)
        agent_stop (agent, all, within (self, PATIENCE / 5));
    else if (kind == 3)
        agent_stop (agent, all, within (self, 2 * PATIENCE));
    else
        agent_leave (agent, all, within (self, TIME_S));
    set_due (self, (int) (agent - self->agents), all->now);
}

/* ------------------------------------------------------------------------ turns */

/*  Connections of those who stand still are not looked at, so that what they are sent piles up. */
static void
watch (struct world *self, int number)
{
    struct agent *agent = &self->agents[number];
    struct dealer *dealer = &agent->dealer;
    struct epoll_event event = { .events = EPOLLIN | (dealer->full ? EPOLLOUT : 0), .data.u32 = (uint32_t) number };
    bool wanted = dealer->fd >= 0 && agent->state != AGENT_STOPPED;
    if (!wanted && dealer->watched && dealer->fd >= 0)
        epoll_ctl (self->epoll, EPOLL_CTL_DEL, dealer->fd, NULL);
    else if (wanted && !dealer->watched)
        epoll_ctl (self->epoll, EPOLL_CTL_ADD, dealer->fd, &event);
    else if (wanted && dealer->full != dealer->watched_full)
        epoll_ctl (self->epoll, EPOLL_CTL_MOD, dealer->fd, &event);
    dealer->watched = wanted;
    dealer->watched_full = dealer->full;
}

static int
turn (struct world *self, int number)
{
    struct agent *agent = &self->agents[number];
    bool gone = agent->state == AGENT_GONE;
    int rc = gone ? 0 : agent_turn (agent, &self->all);
    self->gone += !gone && agent->state == AGENT_GONE;
    watch (self, number);
    set_due (self, number, agent_due (agent, &self->all));
    return rc;
}

static int
wait (struct world *self)
{
    struct epoll_event events[EVENTS];
    struct agents *all = &self->all;
    int64_t due = clock_earlier (self->due[self->heap[0]], self->rate > 0 ? self->strike_at : TIME_FOREVER);
    int64_t left = clock_left (clock_system (), due);
    int count = epoll_wait (self->epoll, events, EVENTS, clock_poll_ms (left)), rc = 0;
    all->now = clock_now (clock_system ());
    for (int i = 0; rc == 0 && i < count; i++)
        rc = turn (self, (int) events[i].data.u32);
    while (rc == 0 && self->due[self->heap[0]] != TIME_FOREVER && self->due[self->heap[0]] <= all->now)
        rc = turn (self, self->heap[0]);
    if (self->rate > 0 && all->now >= self->strike_at)
        strike (self);
    return rc;
}

static int
begin (struct world *self, int count, char **endpoints, int kinds)
{
    struct rlimit limit;
    if (kinds < 1 || kinds > ENDPOINTS)
        return error_set (WEFT_EINVAL, "from 1 to %d endpoints", ENDPOINTS);
    getrlimit (RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit (RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < (rlim_t) count + 32)
        return error_set (WEFT_ELIMIT, "%d agents need as many descriptors, and the limit is %llu (ulimit -Hn)", count,
                          (unsigned long long) limit.rlim_max);
    for (int i = 0; i < kinds; i++) {
        int rc = endpoint_parse (&self->endpoints[i], endpoints[i], ENDPOINT_CONNECT);
        if (rc)
            return rc;
    }
    self->agents = calloc ((size_t) count, sizeof *self->agents);
    self->heap = calloc ((size_t) count, sizeof *self->heap);
    self->place = calloc ((size_t) count, sizeof *self->place);
    self->due = calloc ((size_t) count, sizeof *self->due);
    self->epoll = epoll_create1 (EPOLL_CLOEXEC);
    if (!self->agents || !self->heap || !self->place || !self->due || self->epoll < 0)
        return error_plain (WEFT_ENOMEM);
    self->count = count;
    self->all.now = self->strike_at = clock_now (clock_system ());
    for (int i = 0; i < count; i++) {
        struct agent *agent = &self->agents[i];
        self->heap[i] = self->place[i] = agent->number = i;
        agent->endpoint = &self->endpoints[i % kinds];
        dealer_init (&agent->dealer);
        agent_begin (agent, &self->all, self->all.now);
        self->due[i] = self->all.now;
    }
    return 0;
}

static void
print_figures (const struct world *self)
{
    for (size_t i = 0; i < sizeof fault_names / sizeof *fault_names; i++)
        printf ("%s %" PRIu64 "\n", fault_names[i], self->faults[i]);
    printf ("runs %" PRIu64 "\nended %" PRIu64 "\nsessions %" PRIu64 "\n", self->all.runs, self->all.ended,
            self->all.sessions);
}

static void
end (struct world *self)
{
    for (int i = 0; i < self->count; i++)
        agent_free (&self->agents[i]);
    free (self->agents);
    free (self->heap);
    free (self->place);
    free (self->due);
}

int
main (int argc, char **argv)
{
    if (argc < 8) {
        fprintf (stderr, "usage: agents SEED AGENTS FAULTS/S GENTLE LONGEST-MS LOG ENDPOINT...\n");
        return 2;
    }
    struct world self = { .all = { .seed = strtoull (argv[1], NULL, 10) * 2 + 1, .heartbeat = HEARTBEAT,
                                   .longest = atoi (argv[5]) * TIME_MS, .log = fopen (argv[6], "ae") },
                          .rate = atof (argv[3]), .gentle = atoi (argv[4]) };
    int rc = self.all.log ? begin (&self, atoi (argv[2]), argv + 7, argc - 7) : error_errno ("%s", argv[6]);
    while (rc == 0 && self.gone < self.count)
        rc = wait (&self);
    if (rc)
        fprintf (stderr, "agents: %s\n", weft_error ());
    else
        print_figures (&self);
    end (&self);
    if (self.all.log && fclose (self.all.log) && rc == 0)
        rc = 1;
    return rc ? 1 : 0;
}
