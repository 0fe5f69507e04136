/*  task_worker.c - answers the messages of a pool with a function: the sum of the numbers in each
 *
 *    task_worker tcp://127.0.0.1:6000 [SLOTS]
 *
 *  The function runs on as many threads as there are slots. Its ventilator is task_head, or
 *  weft ventilator -b tcp://127.0.0.1:6000 --messages */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <weft.h>

static weft_worker_t *worker;

static void
on_signal (int number)
{
    (void) number;
    weft_worker_stop (worker);
}

/*  A message is bytes, without a NUL at its end. What is returned is the exit status of the job. */
static int
sum (void *arg, weft_task_t *task)
{
    char text[1024], *at = text;
    size_t size = weft_task_size (task);
    long total = 0;
    int used, number;
    (void) arg;
    if (size >= sizeof text)
        return 1;
    memcpy (text, weft_task_data (task), size);
    text[size] = '\0';
    for (; sscanf (at, "%d%n", &number, &used) == 1; at += used)
        total += number;
    size = (size_t) snprintf (text, sizeof text, "%ld\n", total);
    return weft_task_write (task, 1, text, size) ? 1 : 0;
}

int
main (int argc, char **argv)
{
    if (argc < 2) {
        fprintf (stderr, "usage: task_worker ENDPOINT [SLOTS]\n");
        return 2;
    }
    weft_t *weft = weft_new ();
    worker = weft ? weft_worker_new (weft) : NULL;
    int rc = worker && argc > 2 ? weft_worker_set (worker, "slots", argv[2]) : 0;
    if (!worker || rc || weft_worker_on_message (worker, sum, NULL) || weft_worker_connect (worker, argv[1])) {
        fprintf (stderr, "task_worker: %s\n", weft_error ());
        return 1;
    }
    signal (SIGINT, on_signal);
    signal (SIGTERM, on_signal);
    rc = weft_worker_run (worker);
    if (rc)
        fprintf (stderr, "task_worker: %s\n", weft_error ());
    signal (SIGINT, SIG_DFL);
    signal (SIGTERM, SIG_DFL);
    weft_worker_destroy (&worker);
    weft_destroy (&weft);
    return rc != 0;
}
