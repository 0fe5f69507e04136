/*  test_wire_zmq_linger.c - over ipc nothing is lost when a sender ends before its reader has read, and who has sent
 *  nothing waits for nobody */

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "patterns/requests.h"
#include "tests/folder.h"
#include "tests/testing.h"

enum { MANY = 20000, SOME = 200 };

static char endpoint[80];
static weft_t *receiving;
static weft_socket_t *pull;

static int
setup (void **state)
{
    (void) state;
    if (folder_make (NULL))
        return -1;
    snprintf (endpoint, sizeof endpoint, "ipc://%s", folder_path ("socket"));
    receiving = weft_new ();
    pull = weft_open (receiving, "pull");
    return weft_set (pull, "hwm", "1") || weft_set (pull, "until-gone", "yes") || weft_set (pull, "timeout", "20s")
           || weft_bind (pull, endpoint);
}

static int
teardown (void **state)
{
    (void) state;
    weft_close (&pull);
    int rc = weft_destroy (&receiving);
    return folder_remove () || rc ? -1 : 0;
}

/*  Sends some messages and closes; the context lives on. */
static weft_t *
send_and_close (int count, size_t size, const char *linger)
{
    weft_t *sending = weft_new ();
    weft_socket_t *push = weft_open (sending, "push");
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = weft_set (push, "linger", linger) || weft_set (push, "timeout", "20s") || weft_connect (push, endpoint);
    for (int i = 0; i < count && rc == 0; i++) {
        void *body = weft_msg_reserve (&msg, size);
        if (body)
            memset (body, 'x', size);
        rc = body ? weft_send (push, &msg, 0) : WEFT_ENOMEM;
    }
    weft_msg_clear (&msg);
    weft_close (&push);
    if (rc)
        weft_destroy (&sending);
    return sending;
}

static int
receive_all (void)
{
    weft_msg_t msg;
    int count = 0, rc;
    weft_msg_init (&msg);
    while ((rc = weft_recv (pull, &msg, 0)) == 0)
        count++;
    assert_int_equal (rc, WEFT_EEND);
    weft_msg_clear (&msg);
    return count;
}

static void *
send_many (void *rc)
{
    weft_t *sending = send_and_close (MANY, 10, "20s");
    *(int *) rc = sending ? weft_destroy (&sending) : -1;
    return NULL;
}

static void
the_tail_arrives (void **state)
{
    (void) state;
    pthread_t sender;
    int rc;
    assert_int_equal (pthread_create (&sender, NULL, send_many, &rc), 0);
    assert_int_equal (receive_all (), MANY);
    assert_int_equal (pthread_join (sender, NULL), 0);
    assert_int_equal (rc, 0);
}

static void
a_reader_that_does_not_read_is_told (void **state)
{
    (void) state;
    weft_t *sending = send_and_close (SOME, 500, "20ms");
    assert_non_null (sending);
    assert_int_equal (weft_destroy (&sending), WEFT_ETIMEOUT);
}

/*  The connection ends although its context does not. */
static void
a_context_that_lives_on_lets_go (void **state)
{
    (void) state;
    weft_t *sending = send_and_close (SOME, 10, "200ms");
    assert_non_null (sending);
    receive_all ();
    weft_destroy (&sending);
}

/*  Whoever has sent nothing waits for nobody, not for a peer either that says no word. */
static void
nothing_sent_does_not_linger (void **state)
{
    (void) state;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int silent = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (bind (silent, (struct sockaddr *) &address, size) || listen (silent, 1), 0);
    assert_int_equal (getsockname (silent, (struct sockaddr *) &address, &size), 0);
    snprintf (endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", ntohs (address.sin_port));
    weft_t *weft = weft_new ();
    weft_socket_t *asking = requests_open (weft);
    assert_int_equal (weft_set (asking, "linger", "200ms") || weft_connect (asking, endpoint), 0);
    weft_pollitem_t item = { .self = asking, .events = WEFT_OUT };
    assert_int_equal (weft_poll (&item, 1, 0), 0);
    int peer = accept (silent, NULL, NULL);
    assert_true (peer >= 0);
    weft_close (&asking);
    assert_int_equal (weft_destroy (&weft), 0);
    close (peer);
    close (silent);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (the_tail_arrives, setup, teardown),
        cmocka_unit_test_setup_teardown (a_reader_that_does_not_read_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown (a_context_that_lives_on_lets_go, setup, teardown),
        cmocka_unit_test (nothing_sent_does_not_linger),
    };
    return cmocka_run_group_tests_name ("wire_zmq_linger", tests, NULL, NULL);
}
