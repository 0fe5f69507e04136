/*  pool_worker.c - weft_worker_t: an agent with slots, on one connection to a head */

#include "patterns/pool_worker.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/error.h"
#include "patterns/pool_memory.h"

#define NOTE_AFTER TIME_S                /*  without a head, before we say so       */

#define FIELD(name) offsetof (struct worker_config, name)
const struct option worker_options[] = {
    { "slots", 'j', OPTION_INT, "N", "0", 0, POOL_SLOTS_MAX, .offset = FIELD (slots),
      .text = "jobs to run at once; 0 stands for the number of CPUs" },
    { "memory", 0, OPTION_SIZE, "SIZE", "0", 0, INT64_MAX, .offset = FIELD (memory),
      .text = "memory for jobs that ask for some; 0 stands for all of the machine, or of our part of it (cgroup)" },
    { "prefetch", 0, OPTION_INT, "N", "64", 0, 1000, .offset = FIELD (prefetch),
      .text = "short jobs that may wait here for each slot, so that none is without" },
    { "first-slot", 0, OPTION_INT, "N", "1", 1, POOL_SLOTS_MAX, .offset = FIELD (first_slot),
      .text = "number of the first slot, so that those of several workers differ" },
    { "name", 0, OPTION_TEXT, "NAME", .offset = FIELD (name),
      .text = "name in the pool; HOST:PID when it is not given" },
    { "shell", 0, OPTION_TEXT, "PATH", .offset = FIELD (shell),
      .text = "shell for all commands; without it /bin/sh, and none where none is needed" },
    { "exec", 0, OPTION_TEXT, "COMMAND", .offset = FIELD (exec),
      .text = "run COMMAND for each message, which is its standard input; what it writes is the reply" },
    { "dir", 0, OPTION_TEXT, "DIR", .offset = FIELD (dir), .text = "directory to run jobs in" },
    { "heartbeat", 0, OPTION_TIME, "TIME", "1s", 0, 3600 * TIME_S, .offset = FIELD (heartbeat),
      .text = "time between signs of life; a head gives a worker up after five" },
    { "connect-timeout", 0, OPTION_TIME, "TIME", "60s", TIME_FOREVER, INT64_MAX, .offset = FIELD (connect_timeout),
      .text = "how long to wait for a head, at first and when it has gone" },
    { "grace", 0, OPTION_TIME, "TIME", "1s", 0, 3600 * TIME_S, .offset = FIELD (grace),
      .text = "time that a job has to end after SIGTERM before it is killed" },
    { "linger", 0, OPTION_TIME, "TIME", "1s", TIME_FOREVER, INT64_MAX, .offset = FIELD (linger),
      .text = "how long the last results may take to be delivered" },
    { "lifetime", 0, OPTION_TIME, "TIME", "0", 0, INT64_MAX, .offset = FIELD (lifetime),
      .text = "end after so long, and before that begin no job which by the last ones would not; 0 for no limit" },
    OPTION_END
};

weft_worker_t *
weft_worker_new (weft_t *weft)
{
    struct weft_worker *self = calloc (1, sizeof *self);
    if (!self || option_init (worker_options, &self->config)) {
        free (self);
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    self->weft = weft;
    self->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->stop_fd < 0) {
        error_errno ("cannot make a worker");
        weft_worker_destroy (&self);
        return NULL;
    }
    self->instance = random_seed ();
    return self;
}

void
weft_worker_destroy (weft_worker_t **handle)
{
    struct weft_worker *self = *handle;
    if (!self)
        return;
    context_close (self->weft, &self->wire);
    if (self->stop_fd >= 0)
        close (self->stop_fd);
    option_free (worker_options, &self->config);
    option_free (security_options, &self->config.security);
    free (self);
    *handle = NULL;
}

int
weft_worker_set (weft_worker_t *self, const char *name, const char *value)
{
    const struct option_group groups[] = { { .table = worker_options, .target = &self->config },
                                           { .table = security_options, .target = &self->config.security }, { 0 } };
    return option_set_in (groups, name, value, "a worker", self->wire ? "the worker connects" : NULL);
}

int
weft_worker_on_message (weft_worker_t *self, weft_work_fn *fn, void *arg)
{
    if (self->running)
        return error_set (WEFT_ESTATE, "what a worker does with messages must be said before it runs");
    self->fn = fn;
    self->arg = arg;
    return 0;
}

int
weft_worker_connect (weft_worker_t *self, const char *text)
{
    struct endpoint endpoint;
    struct wire_options options;
    if (self->wire)
        return error_set (WEFT_ESTATE, "a worker has one head, and this one is connected already");
    int rc = endpoint_parse (&endpoint, text, ENDPOINT_CONNECT);
    rc = rc ? rc : security_check (&self->config.security, &endpoint);
    if (rc)
        return rc;
    pool_wire_options (&options, self->config.linger);
    pool_identity (options.identity, sizeof options.identity, self->instance);
    rc = pool_open_wire (self->weft, WIRE_DEALER, &self->config.security, NULL, &options, &self->wire);
    if (rc)
        return rc;
    memcpy (self->endpoint, endpoint.text, sizeof self->endpoint);
    rc = wire_attach (self->wire, &endpoint);
    if (rc)
        context_close (self->weft, &self->wire);
    return rc;
}

void
weft_worker_stop (weft_worker_t *self)
{
    int saved = errno;
    eventfd_write (self->stop_fd, 1);
    errno = saved;
}

/* ---------------------------------------------------------------------- asked by others */

void
worker_begin_show (weft_worker_t *self, struct pool_counts *counts)
{
    self->counts = counts;
}

void
worker_read (void *arg, void *values)
{
    const struct weft_worker *self = arg;
    counters_read (values, &self->shown.slots, sizeof self->shown / sizeof (uint64_t));
}

/* ----------------------------------------------------------------------- running */

static int
count_slots (const struct weft_worker *self)
{
    cpu_set_t set;
    if (self->config.slots)
        return (int) self->config.slots;
    if (sched_getaffinity (0, sizeof set, &set) == 0)
        return CPU_COUNT (&set);
    return 1;
}

/*  Three descriptors a job, as many again for what a function for messages may have, and some for the rest of the
 *  process. */
static int
check_limit (int slots, bool messages)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t) slots * (messages ? 6 : 3) + 64;
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < needed)
        return error_set (WEFT_ELIMIT,
                          "%d slots need %llu file descriptors, and the limit is %llu: raise it (ulimit -n)", slots,
                          (unsigned long long) needed, (unsigned long long) limit.rlim_cur);
    return 0;
}

static int
begin (struct weft_worker *self)
{
    struct slots_config config = {
        .count = count_slots (self), .first = (int) self->config.first_slot, .prefetch = self->config.prefetch,
        .memory = self->config.memory ? (uint64_t) self->config.memory : memory_available (""),
        .grace = self->config.grace, .shell = self->config.shell, .dir = self->config.dir,
        .exec = self->config.exec, .warden = &self->warden, .fn = self->fn, .arg = self->arg,
        .counts = self->counts
    };
    if (gethostname (self->host, sizeof self->host - 1))
        strcpy (self->host, "localhost");
    if (self->config.name)
        snprintf (self->name, sizeof self->name, "%s", self->config.name);
    else
        snprintf (self->name, sizeof self->name, "%.200s:%d", self->host, (int) getpid ());
    self->deadline = clock_deadline (self->weft->clock, self->config.connect_timeout);
    self->note_at = clock_deadline (self->weft->clock, NOTE_AFTER);
    self->expires = self->config.lifetime ? clock_deadline (self->weft->clock, self->config.lifetime) : TIME_FOREVER;
    int rc = check_limit (config.count, config.fn != NULL);
    if (rc == 0 && config.dir && access (config.dir, X_OK))
        rc = error_errno ("cannot run jobs in %s", config.dir);
    self->epoll = epoll_create1 (EPOLL_CLOEXEC);
    if (rc == 0 && self->epoll < 0)
        rc = error_errno ("epoll");
    rc = rc ? rc : warden_open (&self->warden, config.count, config.grace);
    rc = rc ? rc : slots_init (&self->slots, &config, self->weft->clock, &self->line.outbox, self->epoll);
    rc = rc ? rc : worker_watch (self, wire_fd (self->wire), EVENT_WIRE);
    rc = rc ? rc : worker_watch (self, self->stop_fd, EVENT_STOP);
    if (rc == 0 && !self->fn)
        worker_start_guardian (self);
    return rc;
}

int
weft_worker_run (weft_worker_t *self)
{
    if (!self->wire)
        return error_set (WEFT_ESTATE, "connect the worker to a head first");
    if (self->fn && self->config.exec)
        return error_set (WEFT_EINVAL, "a worker has one thing that it does with messages: a function, or the option "
                          "exec");
    self->running = true;
    self->state = WORKER_ACTIVE;
    self->unheard = false;
    self->stirred = true;
    self->result = 0;
    self->stops = 0;
    line_init (&self->line, self->instance, self->line.session + 1);
    buffer_init (&self->body, 0);
    buffer_init (&self->held, 0);
    memset (&self->slots, 0, sizeof self->slots);
    self->warden = (struct warden) { .pidfd = -1 };
    int rc = begin (self);
    while (rc == 0 && self->state != WORKER_GONE)
        rc = worker_turn (self);
    if (rc == 0 && self->result)
        rc = error_set (self->result, "%s", self->reason);
    slots_free (&self->slots);
    warden_close (&self->warden);
    self->running = false;
    line_free (&self->line);
    buffer_free (&self->body);
    buffer_free (&self->held);
    if (self->epoll >= 0)
        close (self->epoll);
    return rc;
}
