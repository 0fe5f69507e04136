/*  pool_live.c - a head, and workers on threads of their own */

#include "tests/pool_live.h"

#include "tests/testing.h"

int
live_setup (void **state)
{
    struct live *self = calloc (1, sizeof *self);
    self->weft = weft_new ();
    self->pool = weft_pool_new (self->weft);
    assert_int_equal (folder_make (self->dir), 0);
    *state = self;
    return 0;
}

void
live_join (struct live *self, int index)
{
    struct agent *agent = &self->agents[index];
    if (!agent->worker)
        return;
    pthread_join (agent->thread, NULL);
    weft_worker_destroy (&agent->worker);
}

int
live_teardown (void **state)
{
    struct live *self = *state;
    weft_pool_destroy (&self->pool);
    for (int i = 0; i < self->count; i++)
        live_join (self, i);
    int rc = weft_destroy (&self->weft);
    assert_true (rc == 0 || rc == WEFT_ETIMEOUT);       /*  last words have a second, which under load is not much */
    free (self);
    return folder_remove ();
}

static void *
run_worker (void *argument)
{
    struct agent *agent = argument;
    agent->result = weft_worker_run (agent->worker);
    return NULL;
}

int
live_worker (struct live *self, const char *slots, const char *option, const char *value)
{
    struct agent *agent = &self->agents[self->count];
    agent->worker = weft_worker_new (self->weft);
    assert_int_equal (weft_worker_set (agent->worker, "slots", slots), 0);
    if (option)
        assert_int_equal (weft_worker_set (agent->worker, option, value), 0);
    assert_int_equal (weft_worker_connect (agent->worker, weft_pool_endpoint (self->pool)), 0);
    assert_int_equal (pthread_create (&agent->thread, NULL, run_worker, agent), 0);
    return self->count++;
}

const char *
live_ipc (const struct live *self)
{
    static char endpoint[64];
    snprintf (endpoint, sizeof endpoint, "ipc://%s/pool", self->dir);
    return endpoint;
}

void
live_bind (struct live *self, const char *endpoint)
{
    if (weft_pool_bind (self->pool, endpoint))
        fail_msg ("%s", weft_error ());
}

void
live_submit (struct live *self, const char *command)
{
    assert_int_equal (weft_pool_submit (self->pool, &(weft_job_t) { .command = command }, NULL), 0);
}

weft_pool_event_t
live_await (weft_pool_t *pool, int kind)
{
    weft_pool_event_t event;
    do {
        if (weft_pool_next (pool, &event, LIVE_PATIENCE))
            fail_msg ("%s", weft_error ());
    } while (event.kind != kind);
    return event;
}

int
live_finish (struct live *self, unsigned char *seen, uint64_t jobs)
{
    weft_pool_event_t event;
    int rc, done = 0;
    weft_pool_finish (self->pool);
    while ((rc = weft_pool_next (self->pool, &event, LIVE_PATIENCE)) == 0) {
        if (event.kind != WEFT_POOL_DONE)
            continue;
        done++;
        if (seen) {
            assert_in_range (event.job, 1, jobs);
            assert_int_equal (seen[event.job]++, 0);
        }
    }
    assert_int_equal (rc, WEFT_EEND);
    return done;
}
