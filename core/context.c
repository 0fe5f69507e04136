/*  context.c - weft_t: one engine, one clock, one place for the log */

#include "core/context.h"

#include <stdlib.h>

#include "core/error.h"

weft_t *
context_new (const struct wire_engine *engine, struct clock *clock)
{
    weft_t *self = calloc (1, sizeof *self);
    if (!self) {
        error_plain (WEFT_ENOMEM);
        return NULL;
    }
    self->engine = engine;
    self->clock = clock;
    pthread_mutex_init (&self->lock, NULL);
    return self;
}

weft_t *
weft_new (void)
{
    return context_new (&wire_zmq, clock_system ());
}

int
weft_destroy (weft_t **handle)
{
    weft_t *self = *handle;
    if (!self)
        return 0;
    unsigned open = atomic_load (&self->open);
    if (open)
        return error_set (WEFT_ESTATE, "%u sockets are still open: destroy them before their context", open);
    int rc = self->wires ? self->engine->context_destroy (&self->wires) : 0;
    pthread_mutex_destroy (&self->lock);
    free (self);
    *handle = NULL;
    return rc;
}

const char *
weft_version (int *major, int *minor, int *patch)
{
    if (major)
        *major = WEFT_VERSION_MAJOR;
    if (minor)
        *minor = WEFT_VERSION_MINOR;
    if (patch)
        *patch = WEFT_VERSION_PATCH;
    return WEFT_VERSION;
}

void
weft_set_log (weft_t *self, weft_log_fn *fn, void *arg)
{
    self->log = (struct log) { .fn = fn, .arg = arg };
}

int
context_open (weft_t *self, enum wire_type type, const struct wire_options *options, struct wire **wire)
{
    pthread_mutex_lock (&self->lock);
    int rc = self->wires ? 0 : self->engine->context_new (&self->wires);
    pthread_mutex_unlock (&self->lock);
    rc = rc ? rc : self->engine->open (self->wires, type, options, wire);
    if (rc == 0)
        atomic_fetch_add (&self->open, 1);
    return rc;
}

void
context_close (weft_t *self, struct wire **wire)
{
    if (!*wire)
        return;
    wire_close (wire);
    atomic_fetch_sub (&self->open, 1);
}
