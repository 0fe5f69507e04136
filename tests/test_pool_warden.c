/*  test_pool_warden.c - jobs end when their worker is killed, by whom nobody can take along */

#include "patterns/pool_warden.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "patterns/pool_process.h"
#include "tests/testing.h"

/*  What the worker of a test tells it, in memory that both share. */
struct told {
    pid_t guardian, job;
};

typedef void scene_fn (struct warden *warden, struct process *job);

/*  Waits until nothing holds the other end of a pipe any more: all processes that had it have ended. */
static void
wait_hung_up (int fd)
{
    struct pollfd item = { .fd = fd, .events = POLLIN };
    char byte;
    assert_int_equal (poll (&item, 1, 30000), 1);
    assert_int_equal (read (fd, &byte, 1), 0);
}

/*  A job whose shell and whose child hold its standard output; ready when it has written a byte. */
static void
start_job (struct warden *warden, struct process *job, const char *script)
{
    int null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    char *argv[] = { (char *) (uintptr_t) "/bin/sh", (char *) (uintptr_t) "-c", (char *) (uintptr_t) script, NULL };
    struct process_spec spec = { .argv = argv, .envp = environ, .null = null, .group = warden_place (warden, 1) };
    char byte;
    if (process_spawn (job, &spec, NULL) || read (job->out[0], &byte, 1) != 1)
        _exit (9);
    close (null);
}

/*  In a worker of its own, which then waits to be killed. The pipe that is returned hangs up when no job is left. */
static int
play (const char *script, int64_t grace, scene_fn *scene, struct told *told, pid_t *worker)
{
    int ends[2], ready[2];
    char byte;
    assert_int_equal (pipe (ends) | pipe (ready), 0);
    *worker = fork ();
    if (*worker == 0) {
        struct warden warden;
        struct process job;
        fcntl (ready[1], F_SETFD, FD_CLOEXEC);
        if (warden_open (&warden, 4, grace) || warden_start (&warden))
            _exit (8);
        start_job (&warden, &job, script);      /*  it has ends[1], too */
        told->job = job.pid;
        if (scene)
            scene (&warden, &job);
        told->guardian = warden.pid;
        close (ends[1]);
        if (write (ready[1], "x", 1) == 1)
            pause ();
        _exit (7);
    }
    close (ends[1]);
    close (ready[1]);
    assert_int_equal (read (ready[0], &byte, 1), 1);
    close (ready[0]);
    return ends[0];
}

static struct told *
share (void)
{
    struct told *told = mmap (NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal (told, MAP_FAILED);
    return told;
}

static void
kill_worker (pid_t worker)
{
    int status;
    assert_int_equal (kill (worker, SIGKILL), 0);
    assert_int_equal (waitpid (worker, &status, 0), worker);
    assert_true (WIFSIGNALED (status));
}

static void
test_jobs_end_with_a_killed_worker (void **state)
{
    struct told *told = share ();
    pid_t worker;
    (void) state;
    int fd = play ("sleep 1000 & echo; sleep 1000", 60 * TIME_S, NULL, told, &worker);
    kill_worker (worker);
    wait_hung_up (fd);          /*  by SIGTERM, long before the grace is over */
    close (fd);
    munmap (told, sizeof *told);
}

static void
test_a_job_that_will_not_end_is_killed (void **state)
{
    struct told *told = share ();
    pid_t worker;
    (void) state;
    int fd = play ("trap '' TERM; echo; while :; do sleep 1000; done", 50 * TIME_MS, NULL, told, &worker);
    kill_worker (worker);
    wait_hung_up (fd);
    close (fd);
    munmap (told, sizeof *told);
}

static void
kill_guardian (struct warden *warden, struct process *job)
{
    struct pollfd item = { .fd = warden->pidfd, .events = POLLIN };
    pid_t first = warden->pid;
    (void) job;
    kill (first, SIGKILL);
    if (poll (&item, 1, 30000) != 1 || warden_start (warden) || warden->pid == first)
        _exit (6);
}

static void
test_a_guardian_that_is_killed_has_a_successor (void **state)
{
    struct told *told = share ();
    pid_t worker;
    (void) state;
    int fd = play ("echo; sleep 1000", 60 * TIME_S, kill_guardian, told, &worker);
    kill_worker (worker);
    wait_hung_up (fd);
    close (fd);
    munmap (told, sizeof *told);
}

static void
signal_guardian (struct warden *warden, struct process *job)
{
    (void) job;
    while (getpgid (warden->pid) == getpgrp ())
        sched_yield ();                     /*  until it has come so far */
    for (int number = 1; number < SIGRTMIN; number++)
        if (number != SIGKILL && number != SIGSTOP)
            kill (warden->pid, number);
    if (kill (warden->pid, 0))
        _exit (5);
}

static void
test_a_guardian_cannot_be_taken_along (void **state)
{
    struct told *told = share ();
    pid_t worker;
    (void) state;
    int fd = play ("echo; sleep 1000", 60 * TIME_S, signal_guardian, told, &worker);
    kill_worker (worker);
    wait_hung_up (fd);
    close (fd);
    munmap (told, sizeof *told);
}

static void
say_goodbye (struct warden *warden, struct process *job)
{
    (void) job;
    warden_close (warden);
}

static void
test_after_a_goodbye_jobs_are_let_alone (void **state)
{
    struct told *told = share ();
    struct pollfd item = { .events = POLLIN };
    pid_t worker;
    (void) state;
    prctl (PR_SET_CHILD_SUBREAPER, 1);
    item.fd = play ("echo; sleep 1000", 0, say_goodbye, told, &worker);
    assert_int_equal (told->guardian, 0);
    kill_worker (worker);
    assert_int_equal (waitpid (-1, NULL, WNOHANG), 0);      /*  the job lives, and nobody else is left */
    assert_int_equal (kill (-told->job, SIGKILL), 0);
    wait_hung_up (item.fd);
    while (waitpid (-1, NULL, 0) > 0 || errno == EINTR)
        ;
    close (item.fd);
    prctl (PR_SET_CHILD_SUBREAPER, 0);
    munmap (told, sizeof *told);
}

/*  The numbers of jobs that have ended are not kept: they may be somebody else's. */
static void
test_places_are_empty_without_a_job (void **state)
{
    struct warden warden;
    struct process job;
    int status, number;
    (void) state;
    assert_int_equal (warden_open (&warden, 2, 0), 0);
    start_job (&warden, &job, "echo; read x");
    assert_int_equal (*warden_place (&warden, 1), job.pid);
    assert_int_equal (*warden_place (&warden, 0), 0);
    struct pollfd item = { .fd = job.pidfd, .events = POLLIN };
    assert_int_equal (poll (&item, 1, 30000), 1);
    assert_int_equal (process_ended (&job, &status, &number), 0);
    process_bury (&job);
    assert_int_equal (*warden_place (&warden, 1), 0);
    process_close (&job, 0);
    process_close (&job, 1);

    char *argv[] = { (char *) (uintptr_t) "/no/such/program", NULL };
    struct process_spec spec = { .argv = argv, .envp = environ, .null = 0, .group = warden_place (&warden, 1) };
    assert_int_not_equal (process_spawn (&job, &spec, NULL), 0);
    assert_int_equal (*warden_place (&warden, 1), 0);
    warden_close (&warden);
}

/*  Whoever uses the library waits for children of its own only. */
static void
test_a_guardian_is_nobodys_child (void **state)
{
    struct warden warden;
    (void) state;
    assert_int_equal (warden_open (&warden, 2, 0), 0);
    assert_int_equal (warden_start (&warden), 0);
    assert_int_equal (waitpid (-1, NULL, WNOHANG), -1);
    assert_int_equal (errno, ECHILD);
    pid_t pid = warden.pid;
    warden_close (&warden);
    assert_int_equal (kill (pid, 0), -1);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_jobs_end_with_a_killed_worker),
        cmocka_unit_test (test_a_job_that_will_not_end_is_killed),
        cmocka_unit_test (test_a_guardian_that_is_killed_has_a_successor),
        cmocka_unit_test (test_a_guardian_cannot_be_taken_along),
        cmocka_unit_test (test_after_a_goodbye_jobs_are_let_alone),
        cmocka_unit_test (test_places_are_empty_without_a_job),
        cmocka_unit_test (test_a_guardian_is_nobodys_child),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
