/*  test_request.c - req: replies, retries, back-off, several servers, and what goes wrong */

#include "core/poll.h"
#include "tests/sockets.h"
#include "tests/wire_mem.h"

#define ONE "tcp://127.0.0.1:1"
#define TWO "tcp://127.0.0.1:2"

/*  What a server in the test's hand saw. */
struct server {
    struct wire *wire;
    int requests, answer_from;      /*  the first that it answers; 0: all                   */
    bool strip;                     /*  answers without the number of the request           */
    int64_t times[16];
    unsigned char id[8];            /*  of the last request                                 */
    int same;                       /*  requests that had the number of the one before      */
};

static void
serve (struct wire *wire, void *arg)
{
    struct server *self = arg;
    weft_msg_t msg;
    weft_msg_init (&msg);
    while (wire_recv (wire, &msg, 0) == 0) {
        self->times[self->requests++ % 16] = now ();
        if (weft_msg_size (&msg, 1) == 8) {
            self->same += memcmp (self->id, weft_msg_data (&msg, 1), 8) == 0;
            memcpy (self->id, weft_msg_data (&msg, 1), 8);
        }
        if (self->strip) {
            weft_msg_t body;
            weft_msg_init (&body);
            message_take (&body, &msg, 2);
            weft_msg_push (&body, weft_msg_data (&msg, 0), weft_msg_size (&msg, 0));
            weft_msg_move (&msg, &body);
        }
        if (self->requests >= self->answer_from)
            assert_int_equal (wire_send (wire, &msg, 0), 0);
    }
    weft_msg_clear (&msg);
}

static struct server
server_open (const char *endpoint, int answer_from)
{
    struct server self = { .answer_from = answer_from };
    char list[64];
    snprintf (list, sizeof list, "@%s", endpoint);
    self.wire = mem_open (net, WIRE_ROUTER, list);
    return self;
}

enum { NEVER = 1000 };

static void
asks_and_is_answered (void **state)
{
    (void) state;
    struct server server = server_open (ONE, 0);
    mem_serve (server.wire, serve, &server);
    weft_socket_t *req = open_connected ("req", "timeout=1s", ONE);
    for (int i = 0; i < 3; i++) {
        assert_int_equal (send_text (req, "hello", 0), 0);
        expect_text (req, "hello");
    }
    weft_counters_t counters = counters_of (req);
    assert_int_equal (counters.sent, 3);
    assert_int_equal (counters.received, 3);
    assert_int_equal (counters.sent_bytes, 15);             /*  without their envelopes */
    assert_int_equal (counters.received_bytes, 15);
    assert_int_equal (counters.retries + counters.late + counters.refused, 0);
    assert_int_equal (server.same, 0);
    expect_error (req, WEFT_ESTATE, 0);
    assert_says ("send a request first");
    weft_close (&req);
    wire_close (&server.wire);
}

static void
a_silent_server_is_a_timeout (void **state)
{
    (void) state;
    struct server server = server_open (ONE, NEVER);
    mem_serve (server.wire, serve, &server);
    weft_socket_t *req = open_connected ("req", "timeout=2s", ONE);
    int64_t start = now ();
    assert_int_equal (send_text (req, "hello", 0), 0);
    expect_error (req, WEFT_ETIMEOUT, 0);
    assert_says ("no reply from " ONE " within 2s after 1 attempt");
    assert_int_equal (now () - start, 2 * TIME_S);
    assert_int_equal (server.requests, 1);
    expect_error (req, WEFT_ESTATE, 0);
    weft_close (&req);
    wire_close (&server.wire);
}

static void
retries_back_off_with_jitter_and_end (void **state)
{
    (void) state;
    struct server server = server_open (ONE, NEVER);
    mem_serve (server.wire, serve, &server);
    weft_socket_t *req = open_connected ("req", "timeout=2s retries=5 retry-delay=1s retry-delay-max=4s", ONE);
    assert_int_equal (send_text (req, "hello", 0), 0);
    expect_error (req, WEFT_ETIMEOUT, 0);
    assert_says ("within 2s after 6 attempts");
    assert_int_equal (server.requests, 6);
    assert_int_equal (server.same, 5);
    static const int64_t most[] = { 1, 2, 4, 4, 4 };
    for (int i = 0; i < 5; i++)
        assert_in_range (server.times[i + 1] - server.times[i] - 2 * TIME_S, most[i] * TIME_S / 2, most[i] * TIME_S);
    assert_int_equal (counters_of (req).retries, 5);
    assert_int_equal (counters_of (req).sent, 1);
    assert_int_equal (counters_of (req).sent_bytes, 5);
    assert_int_equal (listener.lines, 1);
    assert_non_null (strstr (listener.last, "service may run twice"));
    weft_close (&req);
    wire_close (&server.wire);
}

static void
a_lost_request_is_sent_again (void **state)
{
    (void) state;
    struct server server = server_open (ONE, 0);
    mem_serve (server.wire, serve, &server);
    mem_lose (net, ONE, MEM_TO_BINDER, 1);
    mem_lose (net, ONE, MEM_TO_CONNECTER, 1);
    weft_socket_t *req = open_connected ("req", "timeout=2s retries=2", ONE);
    assert_int_equal (send_text (req, "hello", 0), 0);
    expect_text (req, "hello");
    assert_int_equal (counters_of (req).retries, 2);
    weft_close (&req);
    wire_close (&server.wire);
}

static void
a_retry_goes_to_the_next_server (void **state)
{
    (void) state;
    struct server one = server_open (ONE, NEVER), two = server_open (TWO, 0);
    mem_serve (one.wire, serve, &one);
    mem_serve (two.wire, serve, &two);
    weft_socket_t *req = open_with ("req", "timeout=2s retries=1");
    assert_int_equal (weft_attach (req, ONE "," TWO), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal (send_text (req, "hello", 0), 0);
        expect_text (req, "hello");
    }
    assert_int_equal (two.requests, 4);
    assert_true (one.requests > 0);
    assert_int_equal (counters_of (req).retries, one.requests);
    weft_close (&req);
    wire_close (&one.wire);
    wire_close (&two.wire);
}

static void
a_late_reply_is_not_taken_for_another (void **state)
{
    (void) state;
    struct server server = server_open (ONE, 0);
    mem_serve (server.wire, serve, &server);
    mem_delay (net, ONE, MEM_TO_CONNECTER, 1, 3 * TIME_S);
    weft_socket_t *req = open_connected ("req", "timeout=2s", ONE);
    assert_int_equal (send_text (req, "first", 0), 0);
    expect_error (req, WEFT_ETIMEOUT, 0);
    assert_int_equal (send_text (req, "second", 0), 0);
    expect_text (req, "second");
    assert_int_equal (counters_of (req).late, 1);
    assert_int_equal (counters_of (req).received, 1);
    assert_int_equal (counters_of (req).received_bytes, 6);
    weft_close (&req);
    wire_close (&server.wire);
}

static void
a_slow_reply_to_an_earlier_attempt_will_do (void **state)
{
    (void) state;
    struct server server = server_open (ONE, 0);
    mem_serve (server.wire, serve, &server);
    mem_delay (net, ONE, MEM_TO_CONNECTER, 1, 2 * TIME_S + 10 * TIME_MS);
    weft_socket_t *req = open_connected ("req", "timeout=2s retries=1 retry-delay=1s", ONE);
    int64_t start = now ();
    assert_int_equal (send_text (req, "hello", 0), 0);
    expect_text (req, "hello");                         /*  in the pause before the retry */
    assert_int_equal (now () - start, 2 * TIME_S + 10 * TIME_MS);
    assert_int_equal (counters_of (req).retries, 0);
    weft_close (&req);
    wire_close (&server.wire);
}

static void
a_repeated_reply_is_counted (void **state)
{
    (void) state;
    struct server server = server_open (ONE, 0);
    mem_serve (server.wire, serve, &server);
    mem_repeat (net, ONE, MEM_TO_CONNECTER, 1);
    weft_socket_t *req = open_connected ("req", "timeout=2s", ONE);
    for (int i = 0; i < 2; i++) {
        assert_int_equal (send_text (req, "hello", 0), 0);
        expect_text (req, "hello");
    }
    assert_int_equal (counters_of (req).late, 1);
    weft_close (&req);
    wire_close (&server.wire);
}

static void
cut (struct mem *self, void *arg)
{
    mem_cut (self, arg);
}

static void
heal (struct mem *self, void *arg)
{
    mem_heal (self, arg);
}

static void
a_server_that_restarts_is_asked_again (void **state)
{
    (void) state;
    struct server server = server_open (ONE, 2);
    mem_serve (server.wire, serve, &server);
    weft_socket_t *req = open_connected ("req", "timeout=1h retries=1", ONE);
    int64_t start = now ();
    assert_int_equal (send_text (req, "hello", 0), 0);
    mem_after (net, 5 * TIME_S, cut, ONE);
    mem_after (net, 9 * TIME_S, heal, ONE);
    expect_text (req, "hello");
    assert_in_range (now () - start, 9 * TIME_S, 60 * TIME_S);
    assert_int_equal (server.requests, 2);
    assert_int_equal (counters_of (req).retries, 1);
    weft_close (&req);
    wire_close (&server.wire);
}

static void
without_retries_a_lost_server_is_a_timeout (void **state)
{
    (void) state;
    struct server server = server_open (ONE, NEVER);
    mem_serve (server.wire, serve, &server);
    weft_socket_t *req = open_connected ("req", "timeout=1m", ONE);
    int64_t start = now ();
    assert_int_equal (send_text (req, "hello", 0), 0);
    mem_after (net, 5 * TIME_S, cut, ONE);
    mem_after (net, 9 * TIME_S, heal, ONE);
    expect_error (req, WEFT_ETIMEOUT, 0);
    assert_int_equal (now () - start, 60 * TIME_S);
    assert_int_equal (server.requests, 1);
    weft_close (&req);
    wire_close (&server.wire);
}

static void
no_server_is_told (void **state)
{
    (void) state;
    weft_socket_t *req = open_connected ("req", "timeout=2s", ONE);
    int64_t start = now ();
    assert_int_equal (send_text (req, "hello", 0), WEFT_ENOPEER);
    assert_says ("no peer came within 2s");
    assert_int_equal (now () - start, 2 * TIME_S);
    weft_close (&req);

    req = open_connected ("req", "timeout=2s retries=2 retry-delay=0", ONE);
    assert_int_equal (send_text (req, "hello", 0), 0);
    expect_error (req, WEFT_ENOPEER, 0);
    assert_int_equal (counters_of (req).retries, 0);
    weft_close (&req);
}

static void
a_server_may_come_late (void **state)
{
    (void) state;
    weft_socket_t *req = open_connected ("req", "timeout=2s retries=3 retry-delay=1s", ONE);
    mem_cut (net, ONE);
    struct server server = server_open (ONE, 0);
    mem_serve (server.wire, serve, &server);
    mem_after (net, 5 * TIME_S, heal, ONE);
    assert_int_equal (send_text (req, "hello", 0), 0);
    expect_text (req, "hello");
    assert_int_equal (counters_of (req).retries, 0);    /*  it was never sent before */
    weft_close (&req);
    wire_close (&server.wire);
}

static void
a_peer_that_does_not_fit_is_told (void **state)
{
    (void) state;
    struct wire *pull = mem_open (net, WIRE_PULL, "@" ONE);
    weft_socket_t *req = open_connected ("req", "timeout=forever retries=9", ONE);
    assert_int_equal (send_text (req, "hello", 0), WEFT_EPEER);
    weft_close (&req);
    wire_close (&pull);
}

static void
a_new_request_gives_up_the_old (void **state)
{
    (void) state;
    struct server server = server_open (ONE, 0);
    weft_socket_t *req = open_connected ("req", "timeout=2s retries=1", ONE);
    assert_int_equal (send_text (req, "first", 0), 0);
    assert_int_equal (send_text (req, "second", 0), 0);
    mem_serve (server.wire, serve, &server);
    expect_text (req, "second");
    assert_int_equal (server.requests, 2);
    assert_int_equal (counters_of (req).late, 1);
    weft_close (&req);
    wire_close (&server.wire);
}

static void
servers_that_do_not_send_the_number_back (void **state)
{
    (void) state;
    struct server server = server_open (ONE, 0);
    server.strip = true;
    mem_serve (server.wire, serve, &server);
    weft_socket_t *req = open_connected ("req", "timeout=2s", ONE);
    assert_int_equal (send_text (req, "hello", 0), 0);
    expect_error (req, WEFT_ETIMEOUT, 0);
    assert_int_equal (counters_of (req).refused, 1);
    assert_non_null (strstr (listener.last, "correlate"));
    weft_close (&req);
    server.strip = false;
    req = open_connected ("req", "timeout=2s correlate=no", ONE);
    assert_int_equal (send_text (req, "hello", 0), 0);
    expect_text (req, "hello");
    weft_close (&req);
    wire_close (&server.wire);
}

static void
events_drive_retries (void **state)
{
    (void) state;
    struct server server = server_open (ONE, 2);
    mem_serve (server.wire, serve, &server);
    weft_socket_t *req = open_connected ("req", "timeout=2s retries=1 retry-delay=1s", ONE);
    struct pollable *pollable = (struct pollable *) req;
    assert_int_equal (weft_events (req), WEFT_OUT);
    assert_int_equal (pollable->ops->deadline (pollable), TIME_FOREVER);
    int64_t start = now ();
    assert_int_equal (send_text (req, "hello", WEFT_DONTWAIT), 0);
    for (int i = 0; i < 10 && weft_events (req) == WEFT_OUT; i++) {
        expect_error (req, WEFT_EAGAIN, WEFT_DONTWAIT);
        int64_t deadline = pollable->ops->deadline (pollable);
        assert_true (deadline > 0);
        mem_run (net, deadline > now () ? deadline - now () : 1);
    }
    assert_int_equal (weft_events (req), WEFT_IN | WEFT_OUT);
    assert_in_range (now () - start, 2500 * TIME_MS, 5 * TIME_S);
    expect_text (req, "hello");
    weft_close (&req);
    wire_close (&server.wire);
}

static void
events_tell_of_a_failure (void **state)
{
    (void) state;
    struct server server = server_open (ONE, NEVER);
    weft_socket_t *req = open_connected ("req", "timeout=2s", ONE);
    assert_int_equal (send_text (req, "hello", 0), 0);
    assert_int_equal (weft_events (req), WEFT_OUT);
    mem_run (net, 2 * TIME_S);
    assert_int_equal (weft_events (req), WEFT_IN | WEFT_OUT);
    expect_error (req, WEFT_ETIMEOUT, WEFT_DONTWAIT);
    assert_says ("no reply from");
    expect_error (req, WEFT_ESTATE, WEFT_DONTWAIT);
    weft_close (&req);
    wire_close (&server.wire);
}

#define test(name) cmocka_unit_test_setup_teardown (name, mem_setup, mem_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (asks_and_is_answered),
        test (a_silent_server_is_a_timeout),
        test (retries_back_off_with_jitter_and_end),
        test (a_lost_request_is_sent_again),
        test (a_retry_goes_to_the_next_server),
        test (a_late_reply_is_not_taken_for_another),
        test (a_slow_reply_to_an_earlier_attempt_will_do),
        test (a_repeated_reply_is_counted),
        test (a_server_that_restarts_is_asked_again),
        test (without_retries_a_lost_server_is_a_timeout),
        test (no_server_is_told),
        test (a_server_may_come_late),
        test (a_peer_that_does_not_fit_is_told),
        test (a_new_request_gives_up_the_old),
        test (servers_that_do_not_send_the_number_back),
        test (events_drive_retries),
        test (events_tell_of_a_failure),
    };
    return cmocka_run_group_tests_name ("request", tests, NULL, NULL);
}
