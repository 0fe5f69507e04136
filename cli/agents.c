/*  agents.c - workers of a pool, each on a thread of its own */

#include "cli/agents.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/error.h"
#include "core/thread.h"
#include "patterns/pool_memory.h"

static void *
agent_run (void *arg)
{
    struct agent *self = arg;
    /*  Of this thread, and of the jobs that it starts. */
    if (self->nice > getpriority (PRIO_PROCESS, 0))
        setpriority (PRIO_PROCESS, 0, (int) self->nice);
    thread_be_prompt ();
    self->result = weft_worker_run (self->worker);
    if (self->result < 0)
        snprintf (self->words, sizeof self->words, "%s", weft_error ());
    atomic_store (&self->done, true);
    eventfd_write (self->done_fd, 1);       /*  cannot overflow */
    return NULL;
}

/*  SIGCHLD, which no thread has asked for, is blocked here, too: one that does not block it the kernel wakes at the end
 *  of every job, only to ignore it. */
static int
agent_start (struct agent *self)
{
    sigset_t ended;
    int rc = thread_start (&self->thread, 0, agent_run, self);
    sigemptyset (&ended);
    sigaddset (&ended, SIGCHLD);
    pthread_sigmask (SIG_BLOCK, &ended, NULL);
    self->running = rc == 0;
    return rc;
}

static int
agent_prepare (struct agents *all, weft_t *weft, const struct agents_config *config, int index)
{
    struct agent *self = &all->list[index];
    int share = config->slots / config->count, rest = config->slots % config->count;
    int slots = share + (index < rest), first = 1 + index * share + (index < rest ? index : rest);
    char memory[32], slots_text[32], first_text[32], name[32];
    snprintf (slots_text, sizeof slots_text, "%d", slots);
    snprintf (first_text, sizeof first_text, "%d", first);
    snprintf (name, sizeof name, "local-%d", index + 1);
    snprintf (memory, sizeof memory, "%llu", (unsigned long long) memory_available ("") / (unsigned) config->count);
    const char *const settings[][2] = { { "slots", slots_text }, { "first-slot", first_text }, { "name", name },
                                        { "shell", config->shell }, { "dir", config->dir }, { "exec", config->exec },
                                        { "prefetch", config->strict ? "0" : NULL }, { "memory", memory } };
    self->done_fd = all->done_fd;
    self->nice = config->nice;
    self->worker = weft_worker_new (weft);
    int rc = self->worker ? 0 : WEFT_ENOMEM;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && rc == 0; i++)
        if (settings[i][1])
            rc = weft_worker_set (self->worker, settings[i][0], settings[i][1]);
    if (rc == 0 && config->fn)
        rc = weft_worker_on_message (self->worker, config->fn, config->arg);
    return rc < 0 ? rc : weft_worker_connect (self->worker, config->endpoint);
}

static void
agents_free (struct agents *self)
{
    for (int i = 0; i < self->count; i++)
        weft_worker_destroy (&self->list[i].worker);
    if (self->list)
        close (self->done_fd);
    free (self->list);
    *self = (struct agents){ .count = 0 };
}

static int
agents_open (struct agents *self, int count)
{
    *self = (struct agents){ .list = calloc ((size_t) count, sizeof *self->list),
                             .done_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (self->list && self->done_fd >= 0)
        return 0;
    int rc = error_errno ("cannot start a worker");
    free (self->list);
    if (self->done_fd >= 0)
        close (self->done_fd);
    *self = (struct agents){ .count = 0 };
    return rc;
}

int
agents_start (struct agents *self, weft_t *weft, const struct agents_config *config)
{
    int rc = agents_open (self, config->count);
    for (int i = 0; i < config->count && rc == 0; i++) {
        self->count++;
        rc = agent_prepare (self, weft, config, i);
        if (rc == 0)
            rc = agent_start (&self->list[i]);
    }
    if (rc == 0)
        return 0;
    char words[256];
    snprintf (words, sizeof words, "%s", weft_error ());
    agents_stop (self, true);
    agents_join (self);
    return error_set (rc, "%s", words);
}

int
agents_start_one (struct agents *self, weft_worker_t *worker, int64_t nice)
{
    int rc = agents_open (self, 1);
    if (rc)
        return rc;
    self->count = 1;
    self->list[0] = (struct agent){ .worker = worker, .nice = nice, .done_fd = self->done_fd };
    rc = agent_start (&self->list[0]);
    if (rc < 0) {
        self->list[0].worker = NULL;
        agents_free (self);
    }
    return rc;
}

int
agents_failed (void *arg)
{
    struct agents *self = arg;
    eventfd_t count;
    int rc = 0;
    for (int i = 0; i < self->count && rc == 0; i++) {
        const struct agent *agent = &self->list[i];
        if (!atomic_load (&agent->done))
            continue;
        eventfd_read (self->done_fd, &count);
        if (agent->result < 0 && agent->result != WEFT_ETERM)
            rc = error_set (agent->result, "%s", agent->words);
    }
    return rc;
}

void
agents_stop (struct agents *self, bool now)
{
    for (int i = 0; i < self->count; i++)
        for (int times = 0; self->list[i].running && times < (now ? 2 : 1); times++)
            weft_worker_stop (self->list[i].worker);
}

int
agents_join (struct agents *self)
{
    int result = 0;
    for (int i = 0; i < self->count; i++) {
        struct agent *agent = &self->list[i];
        if (agent->running)
            pthread_join (agent->thread, NULL);
        if (result == 0 && agent->result < 0)
            result = error_set (agent->result, "%s", agent->words);
    }
    agents_free (self);
    return result;
}
