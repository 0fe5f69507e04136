/*  test_limits.c - limits that we change for ourselves, and that what we start does not inherit */

#include "tests/testing.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/limits.h"
#include "patterns/pool_launch.h"

extern char **environ;

static rlim_t
soft (__rlimit_resource_t resource)
{
    struct rlimit limit;
    assert_int_equal (getrlimit (resource, &limit), 0);
    return limit.rlim_cur;
}

/*  The exit status of a shell command. */
static int
run (char *command)
{
    char shell[] = "/bin/sh", option[] = "-c";
    char *argv[] = { shell, option, command, NULL };
    struct launch_spec spec = { .argv = argv, .envp = environ };
    pid_t pid;
    int pidfd, status;
    for (int i = 0; i < 3; i++)
        spec.fds[i] = fcntl (STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    assert_int_equal (launch (&spec, &pid, &pidfd), 0);
    assert_int_equal (waitpid (pid, &status, 0), pid);
    for (int i = 0; i < 3; i++)
        close (spec.fds[i]);
    close (pidfd);
    return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

static void
descriptors_are_raised_as_far_as_is_needed (void **state)
{
    struct rlimit limit;
    (void) state;
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &limit), 0);
    limits_want_files (50);
    assert_int_equal (soft (RLIMIT_NOFILE), 64);
    assert_int_equal (limits_count, 0);
    limits_want_files (100);
    assert_int_equal (soft (RLIMIT_NOFILE), 100);
    limits_want_files (RLIM_INFINITY);
    assert_int_equal (soft (RLIMIT_NOFILE), limit.rlim_max);
    assert_int_equal (run ((char[]) { "test \"$(ulimit -n)\" = 64" }), 0);
}

static void
memory_is_limited_for_ourselves (void **state)
{
    rlim_t before = soft (RLIMIT_DATA);
    char command[64];
    (void) state;
    /*  More than a sanitizer reserves, so that it goes on. */
    assert_int_equal (limits_memory (INT64_C (1) << 50), 0);
    assert_int_equal (soft (RLIMIT_DATA), INT64_C (1) << 50);
    assert_int_equal (limits_memory (INT64_C (1) << 51), 0);       /*  what was given stays what it was */
    if (before == RLIM_INFINITY)
        snprintf (command, sizeof command, "test \"$(ulimit -d)\" = unlimited");
    else
        snprintf (command, sizeof command, "test \"$(ulimit -d)\" = %llu", (unsigned long long) before / 1024);
    assert_int_equal (run (command), 0);
    assert_int_equal (limits_count, 2);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (descriptors_are_raised_as_far_as_is_needed),
        cmocka_unit_test (memory_is_limited_for_ourselves),
    };
    return cmocka_run_group_tests_name ("limits", tests, NULL, NULL);
}
