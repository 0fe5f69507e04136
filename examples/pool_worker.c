/*  pool_worker.c - runs the jobs of a pool, as many at once as there are CPUs
 *
 *    pool_worker tcp://127.0.0.1:6000 [SLOTS]
 *
 *  The first SIGINT or SIGTERM lets running jobs end, the second stops them. */

#include <signal.h>
#include <stdio.h>

#include <weft.h>

static weft_worker_t *worker;

static void
on_signal (int number)
{
    (void) number;
    weft_worker_stop (worker);
}

int
main (int argc, char **argv)
{
    if (argc < 2) {
        fprintf (stderr, "usage: pool_worker ENDPOINT [SLOTS]\n");
        return 2;
    }
    weft_t *weft = weft_new ();
    worker = weft ? weft_worker_new (weft) : NULL;
    int rc = worker && argc > 2 ? weft_worker_set (worker, "slots", argv[2]) : 0;
    if (!worker || rc || weft_worker_connect (worker, argv[1])) {
        fprintf (stderr, "pool_worker: %s\n", weft_error ());
        return 1;
    }
    signal (SIGINT, on_signal);
    signal (SIGTERM, on_signal);
    rc = weft_worker_run (worker);
    if (rc)
        fprintf (stderr, "pool_worker: %s\n", weft_error ());
    signal (SIGINT, SIG_DFL);
    signal (SIGTERM, SIG_DFL);
    weft_worker_destroy (&worker);
    weft_destroy (&weft);
    return rc != 0;
}
