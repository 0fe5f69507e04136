/*  bridge_handle.c - weft_bridge_t: a bridge as a program makes one, from options by their names */

#include "adapters/bridge_handle.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "adapters/bridge_metrics.h"
#include "adapters/bridge_threads.h"
#include "core/error.h"

enum { TABLES = BRIDGE_KINDS + 5 };     /*  of options, at most                                         */

struct weft_bridge {
    weft_t *weft;
    const struct adapter *adapter;
    struct bridge_setup setup;
    struct bridge_threads *threads;     /*  NULL until it is started                                    */
    bool ended;
    int own_stop_fd, stop_fd;           /*  the second is the first, or the caller's                    */
};

/* ---------------------------------------------------------------------- the options */

/*  What a bridge of this adapter takes, and where it goes in `setup`, in the order of the command line's help. */
static void
fill_groups (const struct adapter *adapter, struct bridge_setup *setup, struct option_group groups[TABLES + 1])
{
    const struct adapter *each;
    size_t count = 0;
    for (; (each = bridge_kind (adapter, count)); count++)
        groups[count] = (struct option_group) { .table = each->options, .target = setup->configs[count] };
    if (adapter->datagram)
        groups[count++] = (struct option_group) { .table = datagram_options, .target = &setup->datagram };
    else {
        groups[count++] = (struct option_group) { .table = stream_options, .target = &setup->stream };
        groups[count++] = (struct option_group) { .table = tls_options, .target = &setup->stream.tls };
    }
    groups[count++] = (struct option_group) { .table = bridge_options, .target = &setup->bridge };
    groups[count++] = (struct option_group) { .table = bridge_socket_options, .target = &setup->socket };
    groups[count++] = (struct option_group) { .table = security_options, .target = &setup->security };
    groups[count] = (struct option_group) { .table = NULL };
}

static int
init_options (weft_bridge_t *self)
{
    struct option_group groups[TABLES + 1];
    int rc = bridge_configs_new (self->adapter, &self->setup);
    if (rc)
        return rc;
    fill_groups (self->adapter, &self->setup, groups);
    for (const struct option_group *group = groups; group->table && rc == 0; group++)
        rc = option_init (group->table, group->target);
    return rc;
}

static void
free_options (weft_bridge_t *self)
{
    struct option_group groups[TABLES + 1];
    fill_groups (self->adapter, &self->setup, groups);
    for (const struct option_group *group = groups; group->table; group++)
        if (group->target)
            option_free (group->table, group->target);
    bridge_configs_free (&self->setup);
}

int
weft_bridge_set (weft_bridge_t *self, const char *name, const char *value)
{
    struct option_group groups[TABLES + 1];
    fill_groups (self->adapter, &self->setup, groups);
    return option_set_in (groups, name, value, "a bridge", self->threads ? "weft_bridge_start" : NULL);
}

const struct option *
bridge_handle_option (const struct adapter *adapter, size_t index)
{
    struct option_group groups[TABLES + 1];
    struct bridge_setup nowhere = { .configs = { NULL } };
    fill_groups (adapter, &nowhere, groups);
    for (const struct option_group *group = groups; group->table; group++)
        for (const struct option *option = group->table; option->name; option++)
            if (index-- == 0)
                return option;
    return NULL;
}

const struct bridge_setup *
bridge_handle_setup (const weft_bridge_t *self)
{
    return &self->setup;
}

int
bridge_handle_check (weft_bridge_t *self)
{
    return bridge_check (self->adapter, &self->setup);
}

/* -------------------------------------------------------------------- life of a bridge */

weft_bridge_t *
weft_bridge_new (weft_t *weft, const char *protocol)
{
    const struct adapter *adapter = bridge_adapter_find (protocol);
    if (!adapter) {
        error_set (WEFT_EINVAL, "%s: a bridge speaks no such protocol; there are tcp, udp, http and ws", protocol);
        return NULL;
    }
    weft_bridge_t *self = calloc (1, sizeof *self);
    if (!self) {
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    *self = (weft_bridge_t) { .weft = weft, .adapter = adapter, .own_stop_fd = -1 };
    int rc = init_options (self);
    if (rc == 0) {
        self->stop_fd = self->own_stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
        rc = self->stop_fd < 0 ? error_errno ("a bridge") : 0;
    }
    if (rc)
        weft_bridge_destroy (&self);
    return self;
}

void
weft_bridge_destroy (weft_bridge_t **handle)
{
    weft_bridge_t *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    bridge_threads_destroy (&self->threads);
    free_options (self);
    if (self->own_stop_fd >= 0)
        close (self->own_stop_fd);
    free (self);
}

int
weft_bridge_start (weft_bridge_t *self)
{
    if (self->threads)
        return error_set (WEFT_ESTATE, "the bridge was started already");
    int rc = bridge_threads_new (self->weft, self->adapter, &self->setup, &self->threads);
    rc = rc ? rc : bridge_threads_show (self->threads, false);
    if (rc)
        bridge_threads_destroy (&self->threads);
    return rc;
}

const char *
weft_bridge_endpoint (const weft_bridge_t *self, size_t index, const char **what)
{
    const char *ignored;
    return self->threads ? bridge_listens (bridge_threads_at (self->threads, 0), index, what ? what : &ignored) : NULL;
}

int
weft_bridge_run (weft_bridge_t *self, int timeout)
{
    if (self->ended)
        return error_set (WEFT_ESTATE, "the bridge has ended: make another");
    int rc = self->threads ? 0 : weft_bridge_start (self);
    if (rc)
        return rc;
    rc = bridge_threads_run (self->threads, self->stop_fd, timeout < 0 ? TIME_FOREVER : timeout * TIME_MS);
    self->ended = rc != WEFT_ETIMEOUT;
    return rc;
}

void
weft_bridge_stop (weft_bridge_t *self)
{
    int number = errno;                 /*  a signal handler must leave it as it was */
    eventfd_write (self->stop_fd, 1);
    errno = number;
}

void
bridge_handle_stop_by (weft_bridge_t *self, int fd)
{
    self->stop_fd = fd;
}

/* ----------------------------------------------------------------------- the numbers */

void
weft_bridge_counters (const weft_bridge_t *self, weft_bridge_counters_t *counters)
{
    *counters = (weft_bridge_counters_t) { 0 };
    if (self->threads)
        bridge_threads_counters (self->threads, counters);
}

int
bridge_handle_time (weft_bridge_t *self)
{
    return bridge_threads_show (self->threads, true);
}

bool
bridge_handle_source (const weft_bridge_t *self, size_t thread, size_t index, struct metric_source *source)
{
    struct bridge *bridge = bridge_threads_at (self->threads, thread);
    return bridge && bridge_source (bridge, index, source);
}
