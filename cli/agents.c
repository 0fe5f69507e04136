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

static void *
agent_run (void *arg)
{
    struct agent *self = arg;
    /*  Of this thread, and of the jobs that it starts. */
    if (self->nice > getpriority (PRIO_PROCESS, 0))
        setpriority (PRIO_PROCESS, 0, (int) self->nice);
    self->result = weft_worker_run (self->worker);
    if (self->result < 0)
        snprintf (self->words, sizeof self->words, "%s", weft_error ());
    uint64_t one = 1;
    if (self->done_fd >= 0 && write (self->done_fd, &one, sizeof one) < 0) {
        /*  It cannot overflow. */
    }
    return NULL;
}

/*  Signals stay with the thread that asked for them. SIGCHLD, which none has asked for, is blocked there,
 *  too: for a thread that does not block it the kernel wakes it at the end of every job, only to ignore it. */
static int
agent_start (struct agent *self)
{
    sigset_t all, before;
    sigfillset (&all);
    pthread_sigmask (SIG_SETMASK, &all, &before);
    int error = pthread_create (&self->thread, NULL, agent_run, self);
    sigaddset (&before, SIGCHLD);
    pthread_sigmask (SIG_SETMASK, &before, NULL);
    if (error)
        return error_set (WEFT_ELIMIT, "cannot start a thread: %s", strerror (error));
    self->running = true;
    return 0;
}

static int
agent_prepare (struct agent *self, weft_t *weft, const struct agents_config *config, int index)
{
    int share = config->slots / config->count, rest = config->slots % config->count;
    int slots = share + (index < rest), first = 1 + index * share + (index < rest ? index : rest);
    char slots_text[32], first_text[32], name[32];
    snprintf (slots_text, sizeof slots_text, "%d", slots);
    snprintf (first_text, sizeof first_text, "%d", first);
    snprintf (name, sizeof name, "local-%d", index + 1);
    const char *const settings[][2] = { { "slots", slots_text }, { "first-slot", first_text }, { "name", name },
                                        { "shell", config->shell },
                                        { "prefetch", config->strict ? "0" : NULL } };
    self->done_fd = -1;
    self->nice = config->nice;
    self->worker = weft_worker_new (weft);
    int rc = self->worker ? 0 : WEFT_ENOMEM;
    for (size_t i = 0; i < sizeof settings / sizeof *settings && rc == 0; i++)
        if (settings[i][1])
            rc = weft_worker_set (self->worker, settings[i][0], settings[i][1]);
    return rc < 0 ? rc : weft_worker_connect (self->worker, config->endpoint);
}

int
agents_start (struct agents *self, weft_t *weft, const struct agents_config *config)
{
    *self = (struct agents){ .list = calloc ((size_t) config->count, sizeof *self->list) };
    if (!self->list)
        return error_set (WEFT_ENOMEM, "out of memory");
    int rc = 0;
    for (int i = 0; i < config->count && rc == 0; i++) {
        self->count++;
        rc = agent_prepare (&self->list[i], weft, config, i);
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
    *self = (struct agents){ .list = calloc (1, sizeof *self->list) };
    int fd = eventfd (0, EFD_CLOEXEC);
    if (!self->list || fd < 0) {
        free (self->list);
        return error_errno ("cannot start a worker");
    }
    self->count = 1;
    self->list[0] = (struct agent){ .worker = worker, .nice = nice, .done_fd = fd };
    int rc = agent_start (&self->list[0]);
    if (rc < 0) {
        close (fd);
        free (self->list);
        *self = (struct agents){ .count = 0 };
    }
    return rc;
}

int
agents_done_fd (const struct agents *self)
{
    return self->list[0].done_fd;
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
        if (agent->done_fd >= 0)
            close (agent->done_fd);
        weft_worker_destroy (&agent->worker);
    }
    free (self->list);
    *self = (struct agents){ .count = 0 };
    return result;
}
