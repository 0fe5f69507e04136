/*  pool_head.c - deals jobs to workers and prints what they write
 *
 *    pool_head tcp://127.0.0.1:6000 'gzip -9 a' 'gzip -9 b' ...
 *
 *  Start pool_worker, as often and wherever you like, before or after. */

#include <stdio.h>

#include <weft.h>

static int
fail (const char *what)
{
    fprintf (stderr, "pool_head: %s: %s\n", what, weft_error ());
    return 1;
}

static void
tell (const weft_pool_event_t *event)
{
    if (event->kind == WEFT_POOL_OUTPUT)
        fwrite (event->data, 1, event->size, event->stream == 1 ? stdout : stderr);
    else if (event->kind == WEFT_POOL_DONE && (event->status || event->signal || event->reason))
        fprintf (stderr, "job %llu failed: status %d, signal %d, reason %d\n", (unsigned long long) event->job,
            event->status, event->signal, event->reason);
    else if (event->kind == WEFT_POOL_JOINED)
        fprintf (stderr, "worker %s joined with %d slots\n", event->worker, event->slots);
}

/*  Hands over jobs while the queue takes them, and runs the pool until all have ended. */
static int
run (weft_pool_t *pool, char **commands)
{
    weft_pool_event_t event;
    int rc = 0;
    while (rc == 0) {
        while (*commands && weft_pool_submit (pool, &(weft_job_t) { .command = *commands }, NULL) == 0)
            commands++;
        if (!*commands)
            weft_pool_finish (pool);
        rc = weft_pool_next (pool, &event, -1);
        if (rc == 0)
            tell (&event);
    }
    return rc == WEFT_EEND ? 0 : fail ("the pool stopped");
}

int
main (int argc, char **argv)
{
    if (argc < 3) {
        fprintf (stderr, "usage: pool_head ENDPOINT COMMAND ...\n");
        return 2;
    }
    weft_t *weft = weft_new ();
    weft_pool_t *pool = weft ? weft_pool_new (weft) : NULL;
    int status;
    if (!pool || weft_pool_bind (pool, argv[1]))
        status = fail (argv[1]);
    else {
        fprintf (stderr, "pool_head: ready at %s\n", weft_pool_endpoint (pool));
        status = run (pool, argv + 2);
    }
    weft_pool_destroy (&pool);
    weft_destroy (&weft);
    return status;
}
