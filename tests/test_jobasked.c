/*  test_jobasked.c - what a head is asked, in words, and where */

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/jobasked.h"
#include "cli/ledgerask.h"
#include "tests/folder.h"
#include "tests/testing.h"

static void
expect (weft_pool_t *pool, const char *request, const char *answer)
{
    struct buffer reply;
    buffer_init (&reply, 0);
    assert_int_equal (jobasked_do (pool, false, request, strlen (request), &reply), 0);
    assert_int_equal (buffer_terminate (&reply), 0);
    assert_string_equal (buffer_data (&reply), answer);
    buffer_free (&reply);
}

static void
test_requests (void **state)
{
    weft_t *weft = weft_new ();
    weft_pool_t *pool = weft_pool_new (weft);
    weft_pool_event_t event;
    (void) state;
    assert_int_equal (weft_pool_bind (pool, "inproc://asked"), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal (weft_pool_submit (pool, &(weft_job_t) { .command = "true" }, NULL), 0);
    expect (pool, "cancel", "");
    expect (pool, "cancel 2 5", "2 taken\n5 none\n");
    assert_int_equal (weft_pool_next (pool, &event, 0), 0);
    expect (pool, " cancel  running 2\n3 ", "2 ended\n3 taken\n");
    expect (pool, "cancel 0 -1 1x 99999999999999999999",
            "error 0 is no job\nerror -1 is no job\nerror 1x is no job\nerror 99999999999999999999 is no job\n");
    expect (pool, "cancel all", "all taken\n");
    expect (pool, "retry 4", "4 error without a ledger nothing is kept of a job that has ended: submit it again\n");
    expect (pool, "cancel all 1", "error all is no job\n");
    for (int i = 0; i < 3; i++)
        assert_int_equal (weft_pool_next (pool, &event, 0), 0);
    expect (pool, "", "error this head knows: cancel, retry\n");
    expect (pool, "halt", "error this head knows: cancel, retry\n");
    weft_pool_destroy (&pool);
    assert_int_equal (weft_destroy (&weft), 0);
}

static void
test_no_request (void **state)
{
    struct buffer reply;
    char *long_one = calloc (1, LEDGERASK_MAX + 1);
    (void) state;
    buffer_init (&reply, 0);
    memset (long_one, ' ', LEDGERASK_MAX + 1);
    assert_int_equal (jobasked_do (NULL, false, long_one, LEDGERASK_MAX + 1, &reply), 0);
    assert_int_equal (jobasked_do (NULL, false, "cancel\0all", 10, &reply), 0);
    assert_int_equal (buffer_terminate (&reply), 0);
    assert_string_equal (buffer_data (&reply), "error that is no request\nerror that is no request\n");
    buffer_free (&reply);
    free (long_one);
}

/*  Always one that a socket can have. */
static void
test_place (void **state)
{
    char folder[FOLDER_SIZE], path[512], endpoint[256], name[201] = "";
    int fd;
    (void) state;
    assert_int_equal (folder_make (folder), 0);
    snprintf (path, sizeof path, "%s/ledger", folder);
    assert_int_not_equal (ledgerask_place (path, endpoint, sizeof endpoint, &fd), 0);       /*  there is none */
    fclose (fopen (path, "w"));
    assert_int_equal (ledgerask_place (path, endpoint, sizeof endpoint, &fd), 0);
    assert_int_equal (fd, -1);
    assert_non_null (strstr (endpoint, "/ledger-head"));
    memset (name, 'n', sizeof name - 1);
    snprintf (path, sizeof path, "%s/%s", folder, name);
    assert_int_equal (mkdir (path, 0700), 0);
    snprintf (path, sizeof path, "%s/%s/%s", folder, name, name);
    fclose (fopen (path, "w"));
    assert_int_equal (ledgerask_place (path, endpoint, sizeof endpoint, &fd), 0);
    assert_true (fd >= 0);
    assert_true (strlen (endpoint) < 108 + strlen ("ipc://"));
    assert_int_equal (strncmp (endpoint, "ipc:///proc/self/fd/", 20), 0);
    close (fd);
    assert_int_equal (folder_remove (), 0);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_requests),
        cmocka_unit_test (test_no_request),
        cmocka_unit_test (test_place),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
