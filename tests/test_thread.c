/*  test_thread.c - threads of our own: they take no signals, log for whom their maker does, may be prompt */

#include "tests/testing.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "core/thread.h"

struct seen {
    void *owner;
    int blocked;                /*  of SIGTERM and SIGUSR1  */
    size_t stack;
};

static void *
look (void *arg)
{
    struct seen *seen = arg;
    sigset_t set;
    pthread_attr_t attributes;
    pthread_sigmask (SIG_SETMASK, NULL, &set);
    seen->blocked = sigismember (&set, SIGTERM) + sigismember (&set, SIGUSR1);
    seen->owner = log_owner ();
    pthread_getattr_np (pthread_self (), &attributes);
    pthread_attr_getstacksize (&attributes, &seen->stack);
    pthread_attr_destroy (&attributes);
    return arg;
}

static struct seen
start (size_t stack)
{
    struct seen seen = { .owner = NULL };
    pthread_t thread;
    void *result;
    assert_int_equal (thread_start (&thread, stack, look, &seen), 0);
    assert_int_equal (pthread_join (thread, &result), 0);
    assert_ptr_equal (result, &seen);
    return seen;
}

static void
signals_are_for_others (void **state)
{
    (void) state;
    sigset_t before;
    assert_int_equal (start (0).blocked, 2);
    pthread_sigmask (SIG_SETMASK, NULL, &before);
    assert_int_equal (sigismember (&before, SIGTERM), 0);
}

static void
the_owner_of_the_log_goes_along (void **state)
{
    (void) state;
    int owner;
    assert_null (start (0).owner);
    log_set_owner (&owner);
    assert_ptr_equal (start (0).owner, &owner);
    log_set_owner (NULL);
}

static void
a_stack_has_the_size_asked_for (void **state)
{
    (void) state;
    assert_in_range (start (1 << 20).stack, 1 << 20, (1 << 20) + (1 << 16));
    pthread_t thread;
    assert_int_equal (thread_start (&thread, (size_t) 1 << 50, look, NULL), WEFT_ELIMIT);
    assert_says ("cannot start a thread");
}

static void *
be_prompt (void *arg)
{
    int *seen = arg;
    setpriority (PRIO_PROCESS, 0, 3);           /*  of this thread alone */
    thread_be_prompt ();
    seen[0] = sched_getscheduler (0) & ~SCHED_RESET_ON_FORK;
    seen[1] = getpriority (PRIO_PROCESS, 0);
    pid_t child = fork ();
    if (child == 0)
        _exit (sched_getscheduler (0) == SCHED_OTHER && getpriority (PRIO_PROCESS, 0) == 3 ? 7 : 8);
    waitpid (child, &seen[2], 0);
    return arg;
}

static void
to_be_prompt_is_no_priority (void **state)
{
    (void) state;
    pthread_t thread;
    int seen[3] = { -1, -1, -1 };
    assert_int_equal (thread_start (&thread, 0, be_prompt, seen), 0);
    pthread_join (thread, NULL);
    assert_int_equal (seen[0], SCHED_OTHER);
    assert_int_equal (seen[1], 3);
    assert_true (WIFEXITED (seen[2]));
    assert_int_equal (WEXITSTATUS (seen[2]), 7);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (signals_are_for_others),
        cmocka_unit_test (the_owner_of_the_log_goes_along),
        cmocka_unit_test (a_stack_has_the_size_asked_for),
        cmocka_unit_test (to_be_prompt_is_no_priority),
    };
    return cmocka_run_group_tests_name ("thread", tests, NULL, NULL);
}
