/*  datagram.c - UDP sockets: coming to be, what the loop calls, the end */

#include "core/datagram.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/datagram_parts.h"
#include "core/error.h"
#include "weft.h"

#define PREFIX "udp://"
#define RETRY (100 * TIME_MS)       /*  before it is opened anew, at first, and at last */
#define RETRY_MAX (10 * TIME_S)
#define AT(field) offsetof (struct datagram_config, field)

const struct option datagram_options[] = {
    { .name = "out-queue", .type = OPTION_SIZE, .argument = "BYTES", .standard = "4M", .min = 1,
      .max = INT64_C (1) << 40, .offset = AT (out_max),
      .text = "bytes of datagrams that wait for the system to take them" },
    { .name = "idle", .type = OPTION_TIME, .argument = "TIME", .standard = "60s", .max = 365 * 24 * 3600 * TIME_S,
      .offset = AT (idle), .text = "forget a source that has sent nothing for so long; 0: only when others need its "
      "place (--max-peers)" },
    { .name = "rate", .type = OPTION_INT, .argument = "N", .standard = "0", .max = 1000000000, .offset = AT (rate),
      .text = "datagrams a second that are taken from one source, the others are dropped; 0: all" },
    { .name = "burst", .type = OPTION_INT, .argument = "N", .standard = "0", .max = 1000000, .offset = AT (burst),
      .text = "how many of them may come at once; 0: those of a second" },
    { .name = "trust", .type = OPTION_LIST, .argument = "NETWORK", .offset = AT (trust),
      .text = "a network, as 10.0.0.0/8, whose sources may get what they did not ask for (--sub, --pull, --relay), and "
              "long replies; this machine may, too, but not with none, and whom --dial says" },
    { .name = "amplify", .type = OPTION_INT, .argument = "N", .standard = "3", .min = 1, .max = 1000,
      .offset = AT (amplify),
      .text = "what other sources get is at most so many times the bytes that came from there" },
    { .name = "receive-buffer", .type = OPTION_SIZE, .argument = "BYTES", .standard = "16M", .min = 2048,
      .max = INT64_C (1) << 30, .offset = AT (receive_buffer),
      .text = "what the system keeps until it is read; without privileges net.core.rmem_max is the limit" },
    { .name = "group", .type = OPTION_LIST, .argument = "ADDRESS", .offset = AT (group),
      .text = "a multicast group to listen to also, as 239.1.2.3 or 239.1.2.3%eth0" },
    { .name = "interface", .type = OPTION_TEXT, .argument = "NAME", .offset = AT (interface),
      .text = "the network interface for multicast; without, the system chooses" },
    { .name = "ttl", .type = OPTION_INT, .argument = "N", .standard = "1", .max = 255, .offset = AT (ttl),
      .text = "how many routers a multicast datagram may pass, and one more" },
    { .name = "loop", .type = OPTION_FLAG, .standard = "yes", .offset = AT (loop),
      .text = "multicast datagrams are heard on this machine, too; --no-loop" },
    OPTION_END
};

void
datagram_tell (struct datagram *self, enum datagram_told kind, const char *format, ...)
{
    char text[512];
    va_list args;
    if (self->told & kind)
        return;
    self->told |= kind;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    self->handler->told (self->arg, text);
}

/* ----------------------------------------------------------------------- from the loop */

static void
watch_for (struct datagram *self)
{
    int events = (datagram_is_read (self) ? WEFT_IN : 0) | (self->blocked ? WEFT_OUT : 0);
    int rc = self->watch ? reactor_want_fd (self->watch, events) : 0;
    if (rc)
        datagram_tell (self, TOLD_UNSENT, "%s: %s", self->text, weft_error ());
}

/*  That somebody we have sent to cannot be reached is told as the socket's failure, once; it goes on. */
static void
on_ready (void *arg, int events)
{
    struct datagram *self = arg;
    if (events & WEFT_ERR)
        datagram_take_error (self);
    if (events & (WEFT_OUT | WEFT_ERR)) {
        self->blocked = false;
        datagram_flush (self);
        datagram_tell_drained (self);
    }
    if (events & (WEFT_IN | WEFT_ERR))
        datagram_read (self);
    watch_for (self);
}

static void come_anew (struct datagram *self);

static void
on_task (void *arg)
{
    struct datagram *self = arg;
    if (!self->blocked)
        datagram_flush (self);
    if (self->offer) {
        self->offer = self->held = false;
        datagram_give (self);
    }
    datagram_tell_drained (self);
    datagram_let_go (self);
    if (self->dialled && self->count == 0 && !self->stopped && !timer_is_set (&self->retry.timer))
        come_anew (self);
    watch_for (self);
}

/* -------------------------------------------------------------------- opening, the end */

void
datagram_counters (const struct datagram *self, struct datagram_counters *counters)
{
    *counters = self->counters;
    counters->overrun = self->overrun_before + datagram_overrun (self);
    counters->unsent += self->stopped ? datagram_queued (self) : 0;
    counters->unread += self->stopped ? datagram_unread (self) : 0;
}

static void
close_fd (struct datagram *self)
{
    self->overrun_before += datagram_overrun (self);
    reactor_unwatch_fd (&self->watch);
    if (self->fd >= 0)
        close (self->fd);
    self->fd = -1;
    self->blocked = false;
}

static int
open_and_watch (struct datagram *self)
{
    int rc = datagram_open_fd (self);
    rc = rc ? rc : reactor_watch_fd (self->reactor, self->fd, on_ready, self, &self->watch);
    if (rc || !self->dialled)
        return rc;
    self->only = datagram_source_new (self, &self->address);
    return self->only ? 0 : error_plain (WEFT_ENOMEM);
}

/*  Whom we dialled was closed: what it may still say must not be taken for something else. */
static void
come_anew (struct datagram *self)
{
    close_fd (self);
    self->counters.unsent += datagram_queued (self);
    buffer_clear (&self->out);
    datagram_forget_kept (self);
    if (open_and_watch (self) == 0) {
        self->attempt = 0;
        return;
    }
    datagram_tell (self, TOLD_UNSENT, "%s: %s; it is tried again", self->text, weft_error ());
    close_fd (self);
    reactor_timer_set (self->reactor, &self->retry, reactor_now (self->reactor)
                       + clock_backoff (self->attempt++, RETRY, RETRY_MAX, &self->seed));
}

static void
on_retry (void *arg)
{
    struct datagram *self = arg;
    reactor_defer (self->reactor, &self->task);
}

int
datagram_check_address (const char *text, bool dialled, bool insecure, struct address *address)
{
    const char *bare = strncmp (text, PREFIX, strlen (PREFIX)) == 0 ? text + strlen (PREFIX) : text;
    if (strstr (bare, "://") || *bare == '/' || strncmp (bare, "unix:", 5) == 0)
        return error_set (WEFT_EENDPOINT, "%s: write HOST:PORT, as in 127.0.0.1:514", text);
    int rc = address_parse (address, bare, !dialled);
    if (rc)
        return rc;
    if (!dialled && !address->local && !insecure)
        return error_set (WEFT_EACCES, "%s: can be reached from a network, in clear text, by anybody; listen on "
                          "127.0.0.1, or say --insecure", text);
    return 0;
}

static int
find_address (struct datagram *self, const char *text)
{
    struct address address;
    int rc = datagram_check_address (text, self->dialled, self->config->insecure, &address);
    rc = rc ? rc : address_resolve (&address, &self->address);
    if (rc == 0)
        address_text (&self->address, self->text);
    return rc;
}

static int
datagram_new (struct reactor *reactor, const char *text, bool dialled, const struct datagram_config *config,
              const struct datagram_handler *handler, void *arg, struct datagram **handle)
{
    struct datagram *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    *self = (struct datagram) { .reactor = reactor, .config = config, .handler = handler, .arg = arg, .fd = -1,
                                .dialled = dialled, .salt = random_seed (), .seed = random_seed () };
    list_init (&self->heard);
    list_init (&self->gone);
    list_init (&self->refused);
    buffer_init (&self->out, 0);
    reactor_task_init (&self->task, on_task, self);
    reactor_timer_init (&self->timer, datagram_on_idle, self);
    reactor_timer_init (&self->retry, on_retry, self);
    int rc = map_init (&self->sources);
    rc = rc ? rc : datagram_batch_new (self);
    rc = rc ? rc : datagram_read_networks (self);
    rc = rc ? rc : find_address (self, text);
    rc = rc ? rc : open_and_watch (self);
    if (rc) {
        datagram_destroy (&self);
        return rc;
    }
    reactor_defer (reactor, &self->task);
    *handle = self;
    return 0;
}

int
datagram_listen (struct reactor *reactor, const char *text, const struct datagram_config *config,
                 const struct datagram_handler *handler, void *arg, struct datagram **self)
{
    return datagram_new (reactor, text, false, config, handler, arg, self);
}

int
datagram_dial (struct reactor *reactor, const char *text, const struct datagram_config *config,
               const struct datagram_handler *handler, void *arg, struct datagram **self)
{
    return datagram_new (reactor, text, true, config, handler, arg, self);
}

const char *
datagram_address (const struct datagram *self)
{
    return self->text;
}

void
datagram_resume (struct datagram *self)
{
    if (!self->held)
        return;
    self->offer = true;
    reactor_defer (self->reactor, &self->task);
}

void
datagram_stop (struct datagram *self)
{
    self->stopped = true;
    reactor_timer_set (self->reactor, &self->retry, TIME_FOREVER);
    reactor_defer (self->reactor, &self->task);
}

void
datagram_destroy (struct datagram **handle)
{
    struct datagram *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    reactor_undefer (&self->task);
    reactor_timer_set (self->reactor, &self->timer, TIME_FOREVER);
    reactor_timer_set (self->reactor, &self->retry, TIME_FOREVER);
    close_fd (self);
    datagram_batch_free (self);
    map_free (&self->sources);
    buffer_free (&self->out);
    free (self);
}
