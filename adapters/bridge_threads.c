/*  bridge_threads.c - several bridges of one setup, each on a thread of its own */

#include "adapters/bridge_threads.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "adapters/bridge_metrics.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/thread.h"

struct bridge_thread {
    struct bridge_threads *all;
    struct bridge *bridge;
    struct bridge_setup setup;      /*  a copy; texts and lists are those of the one it is made of  */
    char **listen;                  /*  the items of its list                                       */
    pthread_t thread;
    bool started;
    int stop_fd;
    int error;
    char why[512];
};

struct bridge_threads {
    const struct adapter *adapter;
    size_t count;
    int ended_fd;                   /*  counts those that have ended, before they are joined        */
    size_t running;                 /*  that have not                                               */
    bool stopping;
    struct bridge_thread threads[];
};

/* ------------------------------------------------------------------------- the setup */

static int
refuse (const char *what, const char *why)
{
    return error_set (WEFT_EINVAL, "--threads does not go with %s: %s", what, why);
}

/*  Two sockets cannot be bound to one endpoint. */
static int
check_connects (const struct option_list *endpoints, const struct pattern *pattern)
{
    for (size_t i = 0; i < endpoints->count; i++) {
        const char *list = endpoints->items[i];
        struct endpoint endpoint;
        int rc;
        while ((rc = endpoint_next (&list, pattern->side, &endpoint)) == 1)
            if (endpoint.side == ENDPOINT_BIND)
                return error_set (WEFT_EINVAL, "--threads does not go with --%s that binds to %s: each thread has its "
                                  "own socket, and one alone can be bound there; bind the other side, or a weft proxy, "
                                  "and say >%s here", pattern->name, endpoint.text, endpoint.text);
        if (rc)
            return rc;
    }
    return 0;
}

static int
check_listens (const struct option_list *listen)
{
    for (size_t i = 0; i < listen->count; i++) {
        struct address address;
        int rc = address_parse (&address, listen->items[i], true);
        if (rc)
            return rc;
        if (address.path[0])
            return refuse ("Unix sockets", "one thread alone can listen at a path");
    }
    return 0;
}

int
bridge_threads_check (const struct bridge_setup *setup)
{
    const struct bridge_config *config = &setup->bridge;
    if (config->threads <= 1)
        return 0;
    if (config->relay)
        return refuse ("--relay", "it would join the connections of the same thread alone");
    if (config->pull.count)
        return refuse ("--pull", "a thread without connections would keep its share of the messages");
    if (config->rep.count)
        return refuse ("--rep", "a thread without a server would keep its share of the requests");
    if (config->dial.count)
        return refuse ("--dial", "a single connection is the work of a single thread");
    if (setup->stream.max_per_host)
        return refuse ("--max-per-host", "each thread would count its own connections alone");
    int rc = check_listens (&config->listen);
    rc = rc ? rc : check_connects (&config->push, &pattern_push);
    rc = rc ? rc : check_connects (&config->req, &pattern_req);
    rc = rc ? rc : check_connects (&config->pub, &pattern_pub);
    return rc ? rc : check_connects (&config->sub, &pattern_sub);
}

/*  Of the first one, with what it listens at: the port may have been the system's choice. */
static int
copy_setup (struct bridge_thread *self, const struct bridge_setup *setup, const struct bridge *first)
{
    const char *what, *address;
    const struct adapter *adapter = self->all->adapter, *each;
    self->setup = *setup;
    int rc = bridge_configs_new (adapter, &self->setup);
    self->listen = rc ? NULL : calloc (setup->bridge.listen.count + 1, sizeof *self->listen);
    if (!self->listen)
        return error_plain (WEFT_ENOMEM);
    for (size_t i = 0; (each = bridge_kind (adapter, i)); i++)
        if (setup->configs[i])
            memcpy (self->setup.configs[i], setup->configs[i], each->config_size);
        else {
            free (self->setup.configs[i]);
            self->setup.configs[i] = NULL;
        }
    for (size_t i = 0; first && (address = bridge_listens (first, i, &what)); i++)
        self->listen[i] = (char *) (uintptr_t) address;
    if (first)
        self->setup.bridge.listen.items = self->listen;
    self->setup.stream.share_port = true;
    self->setup.socket.max_peers = (setup->socket.max_peers + (int64_t) self->all->count - 1)
                                   / (int64_t) self->all->count;
    return 0;
}

/* -------------------------------------------------------------------------- running */

static void *
run (void *arg)
{
    struct bridge_thread *self = arg;
    self->error = bridge_run (self->bridge, self->stop_fd, TIME_FOREVER);
    if (self->error)
        snprintf (self->why, sizeof self->why, "%s", weft_error ());
    eventfd_write (self->all->ended_fd, 1);
    return NULL;
}

static void
stop_all (struct bridge_threads *self, eventfd_t times)
{
    self->stopping = true;
    for (size_t i = 0; i < self->count; i++)
        eventfd_write (self->threads[i].stop_fd, times);
}

static int
start_all (struct bridge_threads *self)
{
    int rc = 0;
    for (size_t i = 0; i < self->count && rc == 0; i++) {
        struct bridge_thread *thread = &self->threads[i];
        rc = thread_start (&thread->thread, 0, run, thread);
        thread->started = rc == 0;
        self->running += thread->started;
    }
    if (rc)
        stop_all (self, 1);
    return rc;
}

/*  Until all have ended: who ends first ends all. WEFT_ETIMEOUT. */
static int
wait_for_all (struct bridge_threads *self, int stop_fd, int64_t timeout)
{
    int64_t end = clock_deadline (clock_system (), timeout);
    struct pollfd fds[] = { { .fd = self->ended_fd, .events = POLLIN }, { .fd = stop_fd, .events = POLLIN } };
    while (self->running > 0) {
        eventfd_t ended = 0, told = 0;
        int count = poll (fds, 2, clock_poll_ms (clock_left (clock_system (), end)));
        if (count < 0 && errno == EINTR)
            continue;
        if (count == 0)
            return error_plain (WEFT_ETIMEOUT);
        if (eventfd_read (self->ended_fd, &ended) == 0)
            self->running -= (size_t) ended;
        if (fds[1].revents & POLLIN)
            eventfd_read (stop_fd, &told);
        if (told || (ended && !self->stopping))
            stop_all (self, told ? told : 1);
    }
    return 0;
}

/*  The failure of the first of them. */
static int
join_all (struct bridge_threads *self)
{
    int rc = 0;
    for (size_t i = 0; i < self->count; i++) {
        struct bridge_thread *thread = &self->threads[i];
        if (!thread->started)
            continue;
        pthread_join (thread->thread, NULL);
        thread->started = false;
        if (thread->error && rc == 0)
            rc = error_set (thread->error, "%s", thread->why);
    }
    return rc;
}

int
bridge_threads_run (struct bridge_threads *self, int stop_fd, int64_t timeout)
{
    if (self->count == 1)
        return bridge_run (self->threads[0].bridge, stop_fd, timeout);
    int failed = self->running ? 0 : start_all (self);
    int rc = wait_for_all (self, stop_fd, failed ? TIME_FOREVER : timeout);
    rc = rc ? rc : join_all (self);
    return failed ? failed : rc;
}

/* ---------------------------------------------------------------- opening, closing */

static int
open_all (struct bridge_threads *self, weft_t *weft, struct bridge_setup *setup)
{
    if (self->count == 1)
        return bridge_new (weft, self->adapter, setup, &self->threads[0].bridge);
    const struct option_list *listen = &setup->bridge.listen;
    int rc = 0;
    for (size_t i = 0; i < listen->count && rc == 0; i++)
        rc = listener_probe (listen->items[i]);
    for (size_t i = 0; i < self->count && rc == 0; i++) {
        struct bridge_thread *thread = &self->threads[i];
        thread->stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
        rc = thread->stop_fd < 0 ? error_errno ("a thread") : 0;
        rc = rc ? rc : copy_setup (thread, setup, self->threads[0].bridge);
        rc = rc ? rc : bridge_new (weft, self->adapter, &thread->setup, &thread->bridge);
    }
    return rc;
}

int
bridge_threads_new (weft_t *weft, const struct adapter *adapter, struct bridge_setup *setup,
                    struct bridge_threads **handle)
{
    size_t count = (size_t) setup->bridge.threads;
    int rc = bridge_threads_check (setup);
    if (rc)
        return rc;
    struct bridge_threads *self = calloc (1, sizeof *self + count * sizeof *self->threads);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->adapter = adapter;
    self->count = count;
    for (size_t i = 0; i < count; i++)
        self->threads[i] = (struct bridge_thread) { .all = self, .stop_fd = -1 };
    self->ended_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = self->ended_fd < 0 ? error_errno ("threads") : open_all (self, weft, setup);
    if (rc)
        bridge_threads_destroy (&self);
    else
        *handle = self;
    return rc;
}

void
bridge_threads_destroy (struct bridge_threads **handle)
{
    struct bridge_threads *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    if (self->running) {
        stop_all (self, 2);
        join_all (self);
    }
    for (size_t i = self->count; i-- > 0; ) {
        struct bridge_thread *thread = &self->threads[i];
        bridge_destroy (&thread->bridge);
        if (thread->stop_fd >= 0)
            close (thread->stop_fd);
        bridge_configs_free (&thread->setup);
        free (thread->listen);
    }
    if (self->ended_fd >= 0)
        close (self->ended_fd);
    free (self);
}

struct bridge *
bridge_threads_at (const struct bridge_threads *self, size_t index)
{
    return index < self->count ? self->threads[index].bridge : NULL;
}

/* ------------------------------------------------------------------------- numbers */

int
bridge_threads_show (struct bridge_threads *self, bool times)
{
    int rc = 0;
    for (size_t i = 0; i < self->count && rc == 0; i++)
        rc = bridge_show (self->threads[i].bridge, times);
    return rc;
}

void
bridge_threads_counters (const struct bridge_threads *self, weft_bridge_counters_t *counters)
{
    uint64_t *sums = (uint64_t *) counters;
    *counters = (weft_bridge_counters_t) { 0 };
    for (size_t i = 0; i < self->count; i++) {
        weft_bridge_counters_t each;
        bridge_shown (self->threads[i].bridge, &each);
        for (size_t j = 0; j < sizeof each / sizeof *sums; j++)
            sums[j] += ((const uint64_t *) &each)[j];
    }
}
