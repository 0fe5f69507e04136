/*  seam.h - the loops that every contestant at the seam runs, word for word the same
 *
 *  A contestant is a file that includes this one after it has defined struct link and the
 *  link_... functions below, and nothing else: who is compared differs in those
 *  alone. The near end binds; the far end is another process, or for inproc another
 *  thread, that connects.
 *
 *      seam_NAME rtt ENDPOINT SIZE COUNT    prints p50, p99, p99.9 and the maximum, in ns
 *      seam_NAME thr ENDPOINT SIZE COUNT    prints messages a second
 *
 *  A tenth of COUNT goes first and is not measured. With SEAM_KEYS, a folder of weft's keys `near` and
 *  `far` that lists the far one, in the environment all is encrypted, where the contestant can. */
#ifndef WEFT_BENCH_SEAM_H
#define WEFT_BENCH_SEAM_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"

#define ENDPOINT_BYTES 256
#define SEAM_HWM 1000           /*  messages, each way; the same for all                        */
#define SEAM_LINGER_MS 10000    /*  more than any run needs: nothing is lost at the end         */

enum role {
    ROLE_REPLY,                 /*  near end of rtt: sends back what it receives                */
    ROLE_REQUEST,               /*  far end of rtt: measures                                    */
    ROLE_PULL,                  /*  near end of thr: measures                                   */
    ROLE_PUSH                   /*  far end of thr                                              */
};

/*  The contract of a contestant. Calls wait as long as they must, and die on failure. */

/*  Once in a process, before any link. */
static void link_context_open (void);
static void link_context_close (void);

/*  The near end: binds, and writes the endpoint to connect to over `endpoint`. */
static void link_bind (struct link *self, enum role role, char endpoint[ENDPOINT_BYTES]);
static void link_connect (struct link *self, enum role role, const char *endpoint);

/*  One whole message of `size` bytes. */
static void link_send (struct link *self, const void *data, size_t size);
static void link_recv (struct link *self, void *data, size_t size);

/*  What was sent goes out, if it has not yet. */
static void link_flush (struct link *self);
static void link_close (struct link *self);

/*  What both ends need to know. */
struct seam {
    bool rtt, inproc;
    size_t size, warm, count;
    char endpoint[ENDPOINT_BYTES];
    int done;                   /*  read end of a pipe: at its end the near end has all         */
};

static char *
seam_payload (const struct seam *self)
{
    char *data = calloc (1, self->size);

    check (data, "memory for a message");
    return data;
}

static void
seam_reply (const struct seam *self, struct link *link)
{
    char *data = seam_payload (self);

    for (size_t n = 0; n < self->warm + self->count; n++) {
        link_recv (link, data, self->size);
        link_send (link, data, self->size);
    }
    free (data);
}

static void
seam_request (const struct seam *self, struct link *link)
{
    char *data = seam_payload (self);
    int64_t *samples = calloc (self->count, sizeof *samples);

    check (samples, "memory for samples");
    for (size_t n = 0; n < self->warm + self->count; n++) {
        int64_t start = now_ns ();
        link_send (link, data, self->size);
        link_recv (link, data, self->size);
        if (n >= self->warm)
            samples[n - self->warm] = now_ns () - start;
    }
    qsort (samples, self->count, sizeof *samples, compare_ns);
    printf ("p50 %lld\n", (long long) quantile (samples, self->count, 50, 100));
    printf ("p99 %lld\n", (long long) quantile (samples, self->count, 99, 100));
    printf ("p99.9 %lld\n", (long long) quantile (samples, self->count, 999, 1000));
    printf ("max %lld\n", (long long) samples[self->count - 1]);
    free (samples);
    free (data);
}

static void
seam_pull (const struct seam *self, struct link *link)
{
    char *data = seam_payload (self);
    int64_t start = 0;

    for (size_t n = 0; n < self->warm + self->count; n++) {
        if (n == self->warm)
            start = now_ns ();
        link_recv (link, data, self->size);
    }
    printf ("rate %.0f\n", (double) self->count * 1e9 / (double) (now_ns () - start));
    free (data);
}

static void
seam_push (const struct seam *self, struct link *link)
{
    char *data = seam_payload (self);

    for (size_t n = 0; n < self->warm + self->count; n++)
        link_send (link, data, self->size);
    free (data);
}

static void *
seam_far_end (void *arg)
{
    const struct seam *self = arg;
    struct link link;
    char none;

    link_connect (&link, self->rtt ? ROLE_REQUEST : ROLE_PUSH, self->endpoint);
    (self->rtt ? seam_request : seam_push) (self, &link);
    link_flush (&link);
    check (read (self->done, &none, 1) == 0, "waiting for the near end");
    link_close (&link);
    return NULL;
}

/*  Neither end closes before the other has all: libzmq throws away what its user has not
 *  read yet when the other side goes, over ipc while the queue is full, and with
 *  ZMQ_IMMEDIATE always. So the near end closes `done` when it has all, then the far end
 *  closes its link, then the near end. */
static void
seam_near_end (struct seam *self, struct link *link, int done)
{
    (self->rtt ? seam_reply : seam_pull) (self, link);
    close (done);
}

/*  Both ends in this process. */
static void
seam_threads (struct seam *self)
{
    pthread_t far_end;
    struct link link;
    int done[2];

    check (pipe (done) == 0, "pipe");
    self->done = done[0];
    link_context_open ();
    link_bind (&link, self->rtt ? ROLE_REPLY : ROLE_PULL, self->endpoint);
    errno = pthread_create (&far_end, NULL, seam_far_end, self);
    check (!errno, "a second thread");
    seam_near_end (self, &link, done[1]);
    pthread_join (far_end, NULL);
    link_close (&link);
    link_context_close ();
}

/*  The far end in a process of its own, which is made while there is no context
 *  yet and learns the endpoint through a pipe. */
static void
seam_processes (struct seam *self)
{
    struct link link;
    int told[2], status;
    pid_t child;

    check (pipe (told) == 0, "pipe");
    self->done = told[0];
    child = fork ();
    check (child >= 0, "fork");
    if (child == 0) {
        close (told[1]);
        ssize_t got = read (told[0], self->endpoint, sizeof self->endpoint);
        if (got != (ssize_t) sizeof self->endpoint)
            exit (1);           /*  the near end has said why */
        link_context_open ();
        seam_far_end (self);
        link_context_close ();
        exit (0);
    }
    link_context_open ();
    link_bind (&link, self->rtt ? ROLE_REPLY : ROLE_PULL, self->endpoint);
    check (write (told[1], self->endpoint, sizeof self->endpoint) == (ssize_t) sizeof self->endpoint, "pipe");
    seam_near_end (self, &link, told[1]);
    check (waitpid (child, &status, 0) == child, "wait");
    if (status)
        die ("the far end failed");
    link_close (&link);
    link_context_close ();
}

int
main (int argc, char **argv)
{
    struct seam seam = {0};

    if (argc != 5 || (strcmp (argv[1], "rtt") && strcmp (argv[1], "thr")) || strlen (argv[2]) >= ENDPOINT_BYTES)
        die ("usage: rtt|thr ENDPOINT SIZE COUNT");
    seam.rtt = strcmp (argv[1], "rtt") == 0;
    seam.inproc = strncmp (argv[2], "inproc://", 9) == 0;
    seam.size = number_of (argv[3], 1);
    seam.count = number_of (argv[4], 1);
    seam.warm = seam.count / 10 + 1;
    strcpy (seam.endpoint, argv[2]);
    (seam.inproc ? seam_threads : seam_processes) (&seam);
    return 0;
}

#endif
