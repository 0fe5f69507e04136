/*  pool.c - message jobs a second through a pool, and messages through the plain pipeline of the ZeroMQ guide
 *
 *      pool weft COUNT WORKERS inproc|PORT [LEDGER]
 *      pool zmq COUNT WORKERS inproc|PORT [PORT]
 *
 *  A message of eight bytes is a job: a worker's function looks at it and returns. `weft`: a head, and one worker with
 *  WORKERS slots; each job is reported, and with LEDGER is on disk before it is dealt, and its end before it is told.
 *  `zmq`: a ventilator (PUSH) to WORKERS workers (PULL, PUSH) to a sink (PULL), as in the guide: nobody knows what
 *  became of a message, a worker that dies takes along what waits for it, and nothing bounds how uneven they are fed.
 *  Over tcp, head and worker (or ventilator with sink, and workers) are processes of their own; over inproc, threads.
 *  Prints the rate (jobs a second), from the first that was handed over to the last that has ended, and cpu (us of all
 *  processes a job). */

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "bench/measure.h"
#include "weft.h"

enum { MOST_WORKERS = 64 };

struct setting {
    bool threads;
    uint64_t count;
    int workers;
    const char *ledger;
    void *zmq;
    weft_t *weft;
    char endpoint[128], back[128];
};

static uint64_t looked_at;

/*  The work: as much as shows that the message was there. */
static int
work (void *arg, const void *data, size_t size)
{
    (void) arg;
    uint64_t number;
    if (size != sizeof number)
        return 1;
    memcpy (&number, data, size);
    __atomic_fetch_add (&looked_at, number != 0, __ATOMIC_RELAXED);
    return 0;
}

static void
must (int rc, const char *what)
{
    if (rc < 0)
        die ("%s: %s", what, weft_error ());
}

/*  Starts fn as a thread, or as a process. */
static pthread_t
start (const struct setting *self, void *(*fn) (void *), void *arg)
{
    pthread_t thread = 0;
    if (self->threads) {
        if (pthread_create (&thread, NULL, fn, arg))
            die ("no thread");
    } else {
        fflush (stdout);
        pid_t pid = fork ();
        if (pid < 0)
            die ("fork: %s", strerror (errno));
        if (pid == 0) {
            fn (arg);
            _exit (0);
        }
    }
    return thread;
}

static void
finish (const struct setting *self, const pthread_t *threads, int count)
{
    for (int i = 0; i < count; i++)
        if (self->threads)
            pthread_join (threads[i], NULL);
        else
            wait (NULL);
}

/* -------------------------------------------------------------------- weft */

static int
weft_work (void *arg, weft_task_t *task)
{
    return work (arg, weft_task_data (task), weft_task_size (task));
}

static void *
weft_side (void *arg)
{
    struct setting *self = arg;
    weft_t *weft = self->threads ? self->weft : weft_new ();
    weft_worker_t *worker = weft_worker_new (weft);
    char slots[16];
    snprintf (slots, sizeof slots, "%d", self->workers);
    must (weft_worker_set (worker, "slots", slots), "slots");
    must (weft_worker_on_message (worker, weft_work, NULL), "function");
    must (weft_worker_connect (worker, self->endpoint), "connect");
    must (weft_worker_run (worker), "worker");
    weft_worker_destroy (&worker);
    if (!self->threads)
        weft_destroy (&weft);
    return NULL;
}

/*  Hands over and takes in, as a program of the pool does, until all have ended. */
static void
weft_head (struct setting *self, weft_pool_t *pool)
{
    weft_pool_event_t event;
    uint64_t given = 0, ended = 0;
    int rc = 0;
    while (rc == 0 || rc == WEFT_EAGAIN) {
        bool full = false;
        for (; given < self->count && !full; given += !full) {
            uint64_t number = given + 1;
            full = weft_pool_submit (pool, &(weft_job_t){ .input = &number, .input_size = sizeof number }, NULL) != 0;
        }
        if (given == self->count)
            weft_pool_finish (pool);
        rc = 0;
        for (int i = 0; rc == 0 && i < 1000; i++) {
            rc = weft_pool_next (pool, &event, i ? 0 : -1);
            if (rc == 0 && event.kind == WEFT_POOL_DONE) {
                ended++;
                if (event.status || event.reason)
                    die ("job %llu failed", (unsigned long long) event.job);
            }
        }
    }
    if (rc != WEFT_EEND || ended != self->count)
        die ("the pool ended after %llu jobs: %s", (unsigned long long) ended, weft_error ());
}

static void
weft_bench (struct setting *self)
{
    pthread_t thread = 0;
    if (!self->threads)
        thread = start (self, weft_side, self);     /*  before there is a context */
    self->weft = weft_new ();
    weft_pool_t *pool = weft_pool_new (self->weft);
    if (self->ledger)
        must (weft_pool_set (pool, "ledger", self->ledger), "ledger");
    must (weft_pool_bind (pool, self->endpoint), "bind");
    if (self->threads)
        thread = start (self, weft_side, self);
    weft_pool_event_t event;
    must (weft_pool_next (pool, &event, 30000), "a worker");
    int64_t began = now_ns ();
    weft_head (self, pool);
    int64_t took = now_ns () - began;
    weft_pool_destroy (&pool);
    finish (self, &thread, 1);
    weft_destroy (&self->weft);
    printf ("rate %.0f\n", (double) self->count * 1e9 / (double) took);
}

/* --------------------------------------------------------------------- zmq */

static void *
zmq_side (void *arg)
{
    struct setting *self = arg;
    void *zmq = self->threads ? self->zmq : zmq_ctx_new ();
    void *in = zmq_socket (zmq, ZMQ_PULL), *out = zmq_socket (zmq, ZMQ_PUSH);
    char data[64];
    if (zmq_connect (in, self->endpoint) || zmq_connect (out, self->back))
        die ("connect: %s", zmq_strerror (errno));
    zmq_send (out, "ready", 5, 0);
    for (;;) {
        int size = zmq_recv (in, data, sizeof data, 0);
        if (size <= 0)
            break;                              /*  an empty one is the end */
        uint64_t status = (uint64_t) work (NULL, data, (size_t) size);
        zmq_send (out, &status, sizeof status, 0);
    }
    zmq_send (out, "bye", 3, 0);
    zmq_close (in);
    zmq_close (out);
    if (!self->threads)
        zmq_ctx_term (zmq);
    return NULL;
}

struct zmq_sink {
    void *socket;
    uint64_t count;
};

static void *
zmq_take (void *arg)
{
    struct zmq_sink *self = arg;
    char data[64];
    for (uint64_t i = 0; i < self->count; i++)
        zmq_recv (self->socket, data, sizeof data, 0);
    return NULL;
}

static void
zmq_bench (struct setting *self)
{
    pthread_t threads[MOST_WORKERS], sink;
    char data[64];
    for (int i = 0; !self->threads && i < self->workers; i++)
        threads[i] = start (self, zmq_side, self);
    self->zmq = zmq_ctx_new ();
    void *out = zmq_socket (self->zmq, ZMQ_PUSH);
    struct zmq_sink take = { zmq_socket (self->zmq, ZMQ_PULL), self->count };
    if (zmq_bind (out, self->endpoint) || zmq_bind (take.socket, self->back))
        die ("bind: %s", zmq_strerror (errno));
    for (int i = 0; self->threads && i < self->workers; i++)
        threads[i] = start (self, zmq_side, self);
    for (int i = 0; i < self->workers; i++)
        zmq_recv (take.socket, data, sizeof data, 0);
    int64_t began = now_ns ();
    if (pthread_create (&sink, NULL, zmq_take, &take))
        die ("no thread");
    for (uint64_t number = 1; number <= self->count; number++)
        zmq_send (out, &number, sizeof number, 0);
    pthread_join (sink, NULL);
    int64_t took = now_ns () - began;
    /*  Two ends in a row may go to the same worker, or to one that goes. */
    for (int gone = 0; gone < self->workers; ) {
        zmq_pollitem_t item = { .socket = take.socket, .events = ZMQ_POLLIN };
        zmq_send (out, "", 0, ZMQ_DONTWAIT);
        if (zmq_poll (&item, 1, 10) == 1 && zmq_recv (take.socket, data, sizeof data, 0) > 0)
            gone++;
    }
    finish (self, threads, self->workers);
    int none = 0;
    zmq_setsockopt (out, ZMQ_LINGER, &none, sizeof none);
    zmq_close (out);
    zmq_close (take.socket);
    zmq_ctx_term (self->zmq);
    printf ("rate %.0f\n", (double) self->count * 1e9 / (double) took);
}

int
main (int argc, char **argv)
{
    if (argc < 5 || argc > 6 || (strcmp (argv[1], "weft") && strcmp (argv[1], "zmq")))
        die ("usage: pool weft COUNT WORKERS inproc|PORT [LEDGER], or pool zmq COUNT WORKERS inproc|PORT [PORT]");
    bool weft = strcmp (argv[1], "weft") == 0;
    struct setting self = { .count = number_of (argv[2], 1), .workers = (int) number_of (argv[3], 1),
                            .ledger = weft ? argv[5] : NULL, .threads = strcmp (argv[4], "inproc") == 0 };
    if (self.workers > MOST_WORKERS)
        die ("at most %d workers", MOST_WORKERS);
    snprintf (self.endpoint, sizeof self.endpoint, self.threads ? "inproc://pool" : "tcp://127.0.0.1:%s", argv[4]);
    snprintf (self.back, sizeof self.back, self.threads ? "inproc://back" : "tcp://127.0.0.1:%s",
              argc > 5 ? argv[5] : "");
    (weft ? weft_bench : zmq_bench) (&self);
    struct rusage own, children;
    getrusage (RUSAGE_SELF, &own);
    getrusage (RUSAGE_CHILDREN, &children);
    struct timeval times[] = { own.ru_utime, own.ru_stime, children.ru_utime, children.ru_stime };
    double cpu = 0;
    for (int i = 0; i < 4; i++)
        cpu += (double) times[i].tv_sec * 1e6 + (double) times[i].tv_usec;
    printf ("cpu %.3f\n", cpu / (double) self.count);
    return 0;
}
