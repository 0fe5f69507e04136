/*  test_descriptors.c - accept when there is no descriptor left */

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/descriptors.h"

static void
test_accept_without_descriptors (void **state)
{
    (void) state;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int listener = socket (AF_INET, SOCK_STREAM, 0), client = socket (AF_INET, SOCK_STREAM, 0);
    assert_int_equal (bind (listener, (struct sockaddr *) &address, size), 0);
    assert_int_equal (listen (listener, 1), 0);
    assert_int_equal (getsockname (listener, (struct sockaddr *) &address, &size), 0);
    assert_int_equal (connect (client, (struct sockaddr *) &address, size), 0);

    struct rlimit limit, none;
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = (rlim_t) client + 1;
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &none), 0);
    assert_false (descriptors_exhausted ());
    int accepted = accept4 (listener, NULL, NULL, SOCK_CLOEXEC), error = errno;
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &limit), 0);
    assert_int_equal (accepted, -1);
    assert_int_equal (error, ENFILE);
    assert_true (descriptors_exhausted ());
    assert_false (descriptors_exhausted ());        /*  it is said once */

    accepted = accept (listener, NULL, NULL);       /*  the connection has waited */
    assert_true (accepted >= 0);
    close (accepted);
    close (client);
    close (listener);
}

static void
test_raise (void **state)
{
    (void) state;
    struct rlimit limit;
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &limit), 0);
    descriptors_raise ();
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &limit), 0);
    assert_int_equal (limit.rlim_cur, limit.rlim_max);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_accept_without_descriptors),
        cmocka_unit_test (test_raise),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
