/*  task_head.c - hands out the lines of standard input as messages, and prints the answers in the order they come
 *
 *    seq 100 | task_head tcp://127.0.0.1:6000
 *
 *  Start task_worker, as often and wherever you like, before or after. */

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <weft.h>

/*  The next line, which is kept until the pool has room for it. False at the end. */
static bool
next_line (char *line, int size, bool *kept)
{
    if (*kept || fgets (line, size, stdin)) {
        line[strcspn (line, "\n")] = '\0';
        return true;
    }
    return false;
}

static int
run (weft_pool_t *pool)
{
    char line[1024];
    bool more = true, kept = false;
    weft_pool_event_t event;
    int rc = 0, failed = 0;
    while (rc == 0) {
        while (more && (more = next_line (line, sizeof line, &kept))) {
            weft_job_t job = { .input = line, .input_size = strlen (line) };
            rc = weft_pool_submit (pool, &job, NULL);
            kept = rc == WEFT_EAGAIN;
            if (rc)
                break;
        }
        if (rc && !kept)
            break;
        if (!more)
            weft_pool_finish (pool);
        rc = weft_pool_next (pool, &event, -1);
        if (rc == 0 && event.kind == WEFT_POOL_OUTPUT)
            fwrite (event.data, 1, event.size, stdout);
        else if (rc == 0 && event.kind == WEFT_POOL_DONE)
            failed += event.status || event.signal || event.reason;
    }
    if (rc != WEFT_EEND)
        fprintf (stderr, "task_head: %s\n", weft_error ());
    else if (failed)
        fprintf (stderr, "task_head: %d failed\n", failed);
    return rc != WEFT_EEND || failed;
}

int
main (int argc, char **argv)
{
    if (argc != 2) {
        fprintf (stderr, "usage: task_head ENDPOINT\n");
        return 2;
    }
    weft_t *weft = weft_new ();
    weft_pool_t *pool = weft ? weft_pool_new (weft) : NULL;
    int status = 1;
    if (!pool || weft_pool_bind (pool, argv[1]))
        fprintf (stderr, "task_head: %s: %s\n", argv[1], weft_error ());
    else {
        fprintf (stderr, "task_head: ready at %s\n", weft_pool_endpoint (pool));
        status = run (pool);
    }
    weft_pool_destroy (&pool);
    weft_destroy (&weft);
    return status;
}
