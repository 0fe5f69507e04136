/*  outpost.c - a worker that weft run started elsewhere: what its ticket says, and the connection over ssh */

#include "cli/outpost.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cli/relay.h"
#include "core/clock.h"
#include "core/error.h"
#include "core/thread.h"
#include "patterns/pool.h"

#define LAST_WORDS (2 * TIME_S)     /*  after the worker has ended              */

int
outpost_open (struct outpost *self, struct cli *cli, const char *path)
{
    *self = (struct outpost){ .cli = cli, .key = -1, .listener = -1, .ended = -1, .over = -1 };
    ticket_init (&self->ticket);
    int rc = option_init (workfilter_options, &self->filter);
    if (rc)
        return rc;
    return strcmp (path, "-") == 0 ? ticket_receive (&self->ticket, cli->in) : ticket_load (&self->ticket, path);
}

/*  What a ticket has besides a worker's options. */
static const struct option own_options[] = {
    { .name = "nice", .type = OPTION_INT, .max = 19, .offset = offsetof (struct outpost, nice) },
    OPTION_END
};

static int
set_options (struct outpost *self, command_set_fn *set, void *target)
{
    const char *at = NULL, *name, *value;
    int rc = 0;
    while (rc == 0 && ticket_next (&self->ticket, &at, &name, &value)) {
        const struct option *own = option_find (own_options, name), *option = option_find (worker_options, name);
        const struct option *filter = option_find (workfilter_options, name);
        if (filter)
            rc = option_set (filter, &self->filter, value);
        else if (own)
            rc = option_set (own, self, value);
        else if (option)
            rc = set (target, option, value);
        else
            rc = error_set (WEFT_ENOTSUP, "the ticket has an option '%s', which is not known here: have the same "
                            "version of weft everywhere", name);
    }
    return rc;
}

static int
set_keys (struct outpost *self, weft_worker_t *worker)
{
    char path[64];
    if (!self->ticket.server_key[0])
        return 0;
    self->key = ticket_key_memory (&self->ticket.key, path);
    int rc = self->key < 0 ? self->key : weft_worker_set (worker, "key", path);
    return rc ? rc : weft_worker_set (worker, "server-key", self->ticket.server_key);
}

int
outpost_connect (struct outpost *self, weft_worker_t *worker, command_set_fn *set, void *target)
{
    char endpoint[64];
    const char *connect = self->ticket.connect;
    int rc = set_options (self, set, target);
    rc = rc ? rc : set_keys (self, worker);
    if (rc == 0 && strcmp (connect, TICKET_STDIO) == 0) {
        self->listener = relay_listen (endpoint, sizeof endpoint);
        rc = self->listener < 0 ? self->listener : 0;
        connect = endpoint;
    }
    return rc ? rc : weft_worker_connect (worker, connect);
}

/* ------------------------------------------------------------------ the relay */

/*  The worker's connection, or -1 when it has ended without one. */
static int
take_connection (struct outpost *self)
{
    struct pollfd fds[] = { { .fd = self->listener, .events = POLLIN }, { .fd = self->ended, .events = POLLIN } };
    int fd = -1;
    while (fd < 0 && (poll (fds, 2, -1) >= 0 || errno == EINTR)) {
        if (fds[0].revents)
            fd = relay_accept (self->listener);
        else if (fds[1].revents)
            break;
    }
    return fd;
}

static void
carry (struct outpost *self, struct relay *relay)
{
    struct pollfd fds[RELAY_FDS + 1];
    int64_t deadline = TIME_FOREVER;
    while (!relay_over (relay) && clock_left (clock_system (), deadline) != 0) {
        relay_poll (relay, fds);
        fds[RELAY_FDS] = (struct pollfd){ .fd = deadline == TIME_FOREVER ? self->ended : -1, .events = POLLIN };
        if (poll (fds, RELAY_FDS + 1, clock_poll_ms (clock_left (clock_system (), deadline))) < 0 && errno != EINTR)
            break;
        if (fds[RELAY_FDS].revents)
            deadline = clock_deadline (clock_system (), LAST_WORDS);
        relay_step (relay);
    }
}

static void *
outpost_relay (void *arg)
{
    struct outpost *self = arg;
    struct relay relay;
    int fd = take_connection (self);
    if (fd >= 0 && relay_init (&relay, self->cli->in, self->cli->out, fd) == 0)
        carry (self, &relay);
    if (fd >= 0) {
        relay_free (&relay);
        relay_close (fd, -1);
    }
    eventfd_write (self->over, 1);
    return NULL;
}

int
outpost_start (struct outpost *self)
{
    if (self->listener < 0)
        return 0;
    self->ended = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->over = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (self->ended < 0 || self->over < 0)
        return error_errno ("cannot carry the connection to the head");
    int rc = cli_write (self->cli->out, OUTPOST_READY WEFT_VERSION "\n", sizeof OUTPOST_READY WEFT_VERSION);
    if (rc < 0)
        return rc;
    rc = thread_start (&self->thread, 0, outpost_relay, self);
    self->relaying = rc == 0;
    return rc;
}

void
outpost_close (struct outpost *self)
{
    if (!self->cli)
        return;
    if (self->relaying) {
        eventfd_write (self->ended, 1);
        pthread_join (self->thread, NULL);
    }
    int fds[] = { self->key, self->listener, self->ended, self->over };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close (fds[i]);
    ticket_free (&self->ticket);
    option_free (workfilter_options, &self->filter);
    *self = (struct outpost){ .cli = NULL };
}
