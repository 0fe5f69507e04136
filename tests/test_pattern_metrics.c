/*  test_pattern_metrics.c - what sockets and proxies tell, read by another thread than that which uses them
 *
 *  Under the thread sanitizer this says that nothing is raced for. */

#include "tests/testing.h"

#include <pthread.h>
#include <stdatomic.h>

#include "patterns/pattern.h"
#include "patterns/pattern_metrics.h"

enum { MESSAGES = 20000, SIZE = 5 };

struct reader {
    void (*read) (void *arg, void *values);
    void *arg;
    pthread_t thread;
    atomic_bool over;
    struct pattern_values last;         /*  as its thread saw them  */
};

/*  Counters grow. */
static void
look (struct reader *self)
{
    struct pattern_values now = { .retrying = 0 };
    self->read (self->arg, &now);
    assert_true (now.counters.received >= self->last.counters.received);
    assert_true (now.counters.sent >= self->last.counters.sent);
    assert_true (now.counters.connects >= self->last.counters.connects);
    assert_true (now.counters.sent <= MESSAGES && now.counters.received <= MESSAGES);
    self->last = now;
}

static void *
read_on (void *arg)
{
    struct reader *self = arg;
    while (!atomic_load (&self->over))
        look (self);
    return NULL;
}

static void
begin (struct reader *self, void (*read) (void *arg, void *values), void *arg)
{
    *self = (struct reader) { .read = read, .arg = arg };
    assert_int_equal (pthread_create (&self->thread, NULL, read_on, self), 0);
}

static const struct pattern_values *
end (struct reader *self)
{
    atomic_store (&self->over, true);
    pthread_join (self->thread, NULL);
    look (self);
    return &self->last;
}

static weft_socket_t *
opened (weft_t *weft, const char *pattern, const char *endpoint)
{
    weft_socket_t *socket = weft_open (weft, pattern);
    assert_non_null (socket);
    assert_int_equal (weft_set (socket, "timeout", "10s"), 0);
    assert_int_equal (weft_attach (socket, endpoint), 0);
    return socket;
}

static void
pass (weft_socket_t *from, weft_socket_t *to, int count)
{
    char text[SIZE];
    for (int i = 0; i < count; i++) {
        assert_int_equal (weft_send_data (from, "12345", SIZE, 0), 0);
        assert_int_equal (weft_recv_data (to, text, sizeof text, 0), SIZE);
    }
}

static void
reads_sockets_at_work (void **state)
{
    (void) state;
    weft_t *weft = weft_new ();
    weft_socket_t *pull = opened (weft, "pull", "@inproc://metrics");
    weft_socket_t *push = opened (weft, "push", ">inproc://metrics");
    struct reader pushed, pulled;
    begin (&pushed, pattern_read, push);
    begin (&pulled, pattern_read, pull);
    pass (push, pull, MESSAGES);
    const struct pattern_values *sent = end (&pushed), *received = end (&pulled);
    assert_int_equal (sent->counters.sent, MESSAGES);
    assert_int_equal (sent->counters.sent_bytes, MESSAGES * SIZE);
    assert_int_equal (received->counters.received, MESSAGES);
    assert_int_equal (received->counters.received_bytes, MESSAGES * SIZE);
    weft_counters_t counters;
    weft_counters (pull, &counters);
    assert_int_equal (counters.received, MESSAGES);
    weft_close (&push);
    weft_close (&pull);
    weft_destroy (&weft);
}

/*  What a publisher drops is because somebody is full; what a server drops, since somebody has gone. */
static void
tells_why (void **state)
{
    (void) state;
    weft_t *weft = weft_new ();
    weft_socket_t *pub = opened (weft, "pub", "@inproc://full"), *rep = opened (weft, "rep", "@inproc://gone");
    struct pattern_values values = { .full = 0 };
    pub->counters.dropped = 3;
    rep->counters.dropped = 4;
    pattern_read (pub, &values);
    assert_int_equal (values.full, 3);
    assert_int_equal (values.gone, 0);
    values = (struct pattern_values) { .full = 0 };
    pattern_read (rep, &values);
    assert_int_equal (values.full, 0);
    assert_int_equal (values.gone, 4);
    weft_close (&pub);
    weft_close (&rep);
    weft_destroy (&weft);
}

static void *
run_proxy (void *proxy)
{
    weft_proxy_run (proxy, -1);
    return NULL;
}

static void
reads_a_proxy_at_work (void **state)
{
    (void) state;
    weft_t *weft = weft_new ();
    weft_proxy_t *proxy = weft_proxy_new (weft, "streamer");
    pthread_t thread;
    assert_null (proxy_side (proxy, "front"));
    assert_int_equal (weft_proxy_attach (proxy, "front", "inproc://front"), 0);
    assert_int_equal (weft_proxy_attach (proxy, "back", "inproc://back"), 0);
    assert_non_null (proxy_side (proxy, "front"));
    assert_null (proxy_side (proxy, "capture"));
    struct reader front, back;
    begin (&front, proxy_read, proxy_side (proxy, "front"));
    begin (&back, proxy_read, proxy_side (proxy, "back"));
    assert_int_equal (pthread_create (&thread, NULL, run_proxy, proxy), 0);
    weft_socket_t *push = opened (weft, "push", ">inproc://front"), *pull = opened (weft, "pull", ">inproc://back");
    pass (push, pull, 500);
    weft_proxy_stop (proxy);
    pthread_join (thread, NULL);
    assert_int_equal (end (&front)->counters.received, 500);
    assert_int_equal (end (&back)->counters.sent_bytes, 500 * SIZE);
    weft_close (&push);
    weft_close (&pull);
    weft_proxy_destroy (&proxy);
    weft_destroy (&weft);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (reads_sockets_at_work),
        cmocka_unit_test (tells_why),
        cmocka_unit_test (reads_a_proxy_at_work),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
