/*  test_reactor.c - the rounds of the loop: descriptors, deadlines, what is put off, sockets of the fabric, names */

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/sockets.h"

#include "core/clock.h"
#include "core/reactor.h"

#define LIMIT (20 * TIME_S)

static struct reactor *reactor;
static int calls;

static int
setup (void **state)
{
    (void) state;
    calls = 0;
    return reactor_new (&reactor);
}

static int
teardown (void **state)
{
    (void) state;
    reactor_destroy (&reactor);
    return 0;
}

static void
stop (void *arg)
{
    (void) arg;
    calls++;
    reactor_stop (reactor);
}

/* ------------------------------------------------------------ deadlines, tasks */

static void
calls_what_is_due (void **state)
{
    (void) state;
    struct reactor_timer soon, never, off;
    reactor_timer_init (&soon, stop, NULL);
    reactor_timer_init (&never, stop, NULL);
    reactor_timer_init (&off, stop, NULL);
    int64_t before = clock_now (clock_system ());
    reactor_timer_set (reactor, &off, before + TIME_MS);
    reactor_timer_set (reactor, &soon, before + 5 * TIME_MS);
    reactor_timer_set (reactor, &never, before + 3600 * TIME_S);
    reactor_timer_set (reactor, &off, TIME_FOREVER);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    assert_int_equal (calls, 1);
    assert_true (clock_now (clock_system ()) >= before + 5 * TIME_MS);
    reactor_timer_set (reactor, &never, TIME_FOREVER);
    assert_int_equal (reactor_run (reactor, 0), WEFT_ETIMEOUT);
}

static struct reactor_task again, once;

static void
do_again (void *arg)
{
    if (++*(int *) arg < 3)
        reactor_defer (reactor, &again);
    else
        reactor_stop (reactor);
}

static void
does_what_was_put_off_once (void **state)
{
    (void) state;
    struct reactor_task dropped;
    int count = 0;
    reactor_task_init (&again, do_again, &count);
    reactor_task_init (&once, stop, NULL);
    reactor_task_init (&dropped, stop, NULL);
    reactor_defer (reactor, &again);
    reactor_defer (reactor, &dropped);
    reactor_defer (reactor, &dropped);
    reactor_undefer (&dropped);
    reactor_undefer (&dropped);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    assert_int_equal (count, 3);
    assert_int_equal (calls, 0);
    reactor_defer (reactor, &once);
    reactor_defer (reactor, &once);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    assert_int_equal (calls, 1);
}

static void *
stop_from_elsewhere (void *arg)
{
    reactor_stop (reactor);
    return arg;
}

static void
is_stopped_from_another_thread (void **state)
{
    (void) state;
    pthread_t thread;
    assert_int_equal (pthread_create (&thread, NULL, stop_from_elsewhere, NULL), 0);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    pthread_join (thread, NULL);
}

/* -------------------------------------------------------------------- descriptors */

static struct reactor_fd *watch;
static int seen;

static void
on_fd (void *arg, int events)
{
    (void) arg;
    seen |= events;
    reactor_unwatch_fd (&watch);
    reactor_stop (reactor);
}

static void
watches_what_is_wanted (void **state)
{
    (void) state;
    int fd = eventfd (1, EFD_CLOEXEC | EFD_NONBLOCK);
    seen = 0;
    assert_int_equal (reactor_watch_fd (reactor, fd, on_fd, NULL, &watch), 0);
    assert_int_equal (reactor_run (reactor, 0), WEFT_ETIMEOUT);
    assert_int_equal (reactor_want_fd (watch, WEFT_IN | WEFT_OUT), 0);
    assert_int_equal (reactor_want_fd (watch, WEFT_IN), 0);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    assert_int_equal (seen, WEFT_IN);
    assert_null (watch);
    close (fd);
}

/* --------------------------------------------------------------- the fabric's sockets */

static struct reactor_socket *fabric;
static int received;

/*  One message a call: the reactor comes again for the rest, though the descriptor is silent. */
static void
on_message (void *arg, int events)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    assert_int_equal (events, WEFT_IN);
    assert_int_equal (weft_recv (arg, &msg, WEFT_DONTWAIT), 0);
    weft_msg_clear (&msg);
    if (++received == 100)
        reactor_stop (reactor);
}

static void
comes_again_while_there_is_something (void **state)
{
    (void) state;
    zmq_setup (NULL);
    weft_socket_t *pull = open_bound ("pull", "", "inproc://reactor");
    weft_socket_t *push = open_connected ("push", "", "inproc://reactor");
    received = 0;
    assert_int_equal (reactor_watch (reactor, (struct pollable *) pull, on_message, pull, &fabric), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal (send_text (push, "x", 0), 0);
    assert_int_equal (reactor_run (reactor, 20 * TIME_MS), WEFT_ETIMEOUT);
    assert_int_equal (received, 0);             /*  nothing was wanted */
    reactor_want (fabric, WEFT_IN);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    assert_int_equal (received, 100);
    reactor_unwatch (&fabric);
    assert_int_equal (reactor_run (reactor, 0), WEFT_ETIMEOUT);
    weft_close (&push);
    weft_close (&pull);
    zmq_teardown (NULL);
}

/*  Has what its descriptor does not tell, as a socket whose edge was used up by a call on it. */
struct mute {
    struct pollable pollable;
    int fd, events, asked;
};

static int
mute_fd (struct pollable *pollable)
{
    return ((struct mute *) pollable)->fd;
}

static int
mute_events (struct pollable *pollable)
{
    struct mute *self = (struct mute *) pollable;
    self->asked++;
    return self->events;
}

static const struct pollable_ops mute_ops = { mute_fd, mute_events, NULL };

static struct mute
make_mute (void)
{
    struct mute self = { .pollable.ops = &mute_ops, .fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK) };
    assert_true (self.fd >= 0);
    return self;
}

static void
fill_mute (void *arg)
{
    ((struct mute *) arg)->events = WEFT_IN;
}

static void
take_mute (void *arg, int events)
{
    assert_int_equal (events, WEFT_IN);
    ((struct mute *) arg)->events = 0;
    reactor_stop (reactor);
}

/*  What a task, a deadline or a descriptor's callback uses up is asked for before the wait. */
static void
asks_again_after_what_was_called (void **state)
{
    (void) state;
    struct mute mute = make_mute ();
    struct reactor_task task;
    struct reactor_timer timer;
    reactor_task_init (&task, fill_mute, &mute);
    reactor_timer_init (&timer, fill_mute, &mute);
    assert_int_equal (reactor_watch (reactor, &mute.pollable, take_mute, &mute, &fabric), 0);
    reactor_want (fabric, WEFT_IN);
    assert_int_equal (reactor_run (reactor, 0), WEFT_ETIMEOUT);
    reactor_defer (reactor, &task);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    reactor_timer_set (reactor, &timer, clock_now (clock_system ()) + TIME_MS);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    reactor_unwatch (&fabric);
    close (mute.fd);
}

static void
leave_mute (void *arg, int events)
{
    (void) arg;
    (void) events;
    calls++;
}

/*  A socket that always has something does not keep the reactor from its descriptors; nor is it asked for ever when
 *  nothing is called. */
static void
descriptors_have_their_turn (void **state)
{
    (void) state;
    struct mute mute = make_mute ();
    int fd = eventfd (1, EFD_CLOEXEC | EFD_NONBLOCK);
    mute.events = WEFT_IN | WEFT_OUT;
    seen = 0;
    assert_int_equal (reactor_watch_fd (reactor, fd, on_fd, NULL, &watch), 0);
    assert_int_equal (reactor_want_fd (watch, WEFT_IN), 0);
    assert_int_equal (reactor_watch (reactor, &mute.pollable, leave_mute, &mute, &fabric), 0);
    reactor_want (fabric, WEFT_IN);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    assert_int_equal (seen, WEFT_IN);
    assert_in_range (calls, 1, 4);
    reactor_want (fabric, 0);
    mute.asked = 0;
    assert_int_equal (reactor_run (reactor, 20 * TIME_MS), WEFT_ETIMEOUT);
    assert_in_range (mute.asked, 1, 8);
    reactor_unwatch (&fabric);
    close (mute.fd);
    close (fd);
}

/* --------------------------------------------------------------------------- names */

static char words[256];

static void
on_found (void *arg, const struct sockaddr_storage *addresses, int count)
{
    (void) arg;
    snprintf (words, sizeof words, "%s", count ? "" : weft_error ());
    for (int i = 0; i < count; i++) {
        assert_int_equal (ntohs (((const struct sockaddr_in *) (const void *) &addresses[i])->sin_port), 4711);
        assert_int_equal (addresses[i].ss_family, i == 0 ? AF_INET : AF_INET6);
    }
    calls += count;
    reactor_stop (reactor);
}

static void
looks_names_up (void **state)
{
    (void) state;
    struct reactor_lookup *lookup;
    assert_int_equal (reactor_resolve (reactor, "127.0.0.1", 4711, on_found, NULL, &lookup), 0);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    assert_int_equal (calls, 1);
    assert_int_equal (reactor_resolve (reactor, "127.0.0.256", 4711, on_found, NULL, &lookup), 0);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    assert_int_equal (calls, 1);
    assert_non_null (strstr (words, "127.0.0.256: "));
    assert_int_equal (reactor_resolve (reactor, "127.0.0.1", 4711, on_found, NULL, &lookup), 0);
    reactor_unresolve (&lookup);
    assert_int_equal (reactor_run (reactor, 20 * TIME_MS), WEFT_ETIMEOUT);
    assert_int_equal (calls, 1);
    assert_int_equal (reactor_resolve (reactor, "localhost", 4711, on_found, NULL, &lookup), 0);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    assert_int_equal (calls, 3);                        /*  both loopbacks, without asking anybody */
}

/*  The system's call, but for one name: its server says nothing until the test lets it. */
static sem_t asked, answers, gone;

int
getaddrinfo (const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
    int (*real) (const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **) &real = dlsym (RTLD_NEXT, "getaddrinfo");
    if (!host || strcmp (host, "silent.invalid") != 0)
        return real (host, service, hints, list);
    sem_post (&asked);
    sem_wait (&answers);
    sem_post (&gone);
    return EAI_AGAIN;
}

/*  More names than threads. Red: it stands still. */
static void
the_end_waits_for_no_name (void **state)
{
    (void) state;
    enum { NAMES = 10, THREADS = 4 };
    struct reactor_lookup *lookups[NAMES];
    struct reactor *own;
    sem_init (&asked, 0, 0);
    sem_init (&answers, 0, 0);
    sem_init (&gone, 0, 0);
    assert_int_equal (reactor_new (&own), 0);
    for (int i = 0; i < NAMES; i++)
        assert_int_equal (reactor_resolve (own, "silent.invalid", 4711, on_found, NULL, &lookups[i]), 0);
    for (int i = 0; i < THREADS; i++)
        sem_wait (&asked);
    for (int i = 0; i < NAMES; i++)
        reactor_unresolve (&lookups[i]);
    reactor_destroy (&own);
    assert_null (own);
    for (int i = 0; i < NAMES; i++)
        sem_post (&answers);
    for (int i = 0; i < THREADS; i++)
        sem_wait (&gone);
    looks_names_up (state);
}

#define test(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

static int64_t woken_at;

/*  Late enough that the loop waits, as a rule. */
static void *
wake_later (void *arg)
{
    usleep (20000);
    woken_at = clock_now (clock_system ());
    eventfd_write (*(int *) arg, 1);
    return NULL;
}

static void
on_woken (void *arg, int events)
{
    eventfd_t count;
    (void) events;
    eventfd_read (*(int *) arg, &count);
    assert_true (reactor_now (reactor) >= woken_at);
    reactor_stop (reactor);
}

static void
knows_the_time_after_a_wait (void **state)
{
    (void) state;
    struct reactor_fd *waker;
    pthread_t thread;
    int fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal (reactor_watch_fd (reactor, fd, on_woken, &fd, &waker), 0);
    assert_int_equal (reactor_want_fd (waker, WEFT_IN), 0);
    assert_int_equal (pthread_create (&thread, NULL, wake_later, &fd), 0);
    assert_int_equal (reactor_run (reactor, LIMIT), 0);
    pthread_join (thread, NULL);
    reactor_unwatch_fd (&waker);
    close (fd);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (calls_what_is_due),
        test (does_what_was_put_off_once),
        test (is_stopped_from_another_thread),
        test (watches_what_is_wanted),
        test (comes_again_while_there_is_something),
        test (asks_again_after_what_was_called),
        test (descriptors_have_their_turn),
        test (looks_names_up),
        test (the_end_waits_for_no_name),
        test (knows_the_time_after_a_wait),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
