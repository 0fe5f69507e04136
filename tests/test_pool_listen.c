/*  test_pool_listen.c - what a head makes of the messages of strangers, of liars, and of workers that come back */

#include "codec/pool_wire.h"
#include "core/context.h"
#include "tests/pool_live.h"
#include "tests/testing.h"

/*  Somebody who speaks without a worker's code. */
struct stranger {
    struct live *live;
    struct wire *wire;
    struct buffer body;             /*  of what is to be said                   */
    weft_msg_t msg;
    struct pool_message message;    /*  that was heard last                     */
};

static void
stranger_connect (struct stranger *self, struct live *live)
{
    struct wire_options options;
    *self = (struct stranger) { .live = live };
    weft_msg_init (&self->msg);
    buffer_init (&self->body, 0);
    wire_options_init (&options);
    live_bind (live, "tcp://127.0.0.1:0");
    assert_int_equal (context_open (live->weft, WIRE_DEALER, &options, &self->wire), 0);
    assert_int_equal (attach_wire (self->wire, weft_pool_endpoint (live->pool), ENDPOINT_CONNECT), 0);
}

static void
stranger_leave (struct stranger *self)
{
    weft_msg_clear (&self->msg);
    buffer_free (&self->body);
    context_close (self->live->weft, &self->wire);
}

static void
stranger_send (struct stranger *self, const void *data, size_t size)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    assert_int_equal (weft_msg_add (&msg, data, size), 0);
    assert_int_equal (wire_send (self->wire, &msg, LIVE_PATIENCE * TIME_MS), 0);
}

/*  What was put into `body`. */
static void
stranger_say (struct stranger *self)
{
    stranger_send (self, buffer_data (&self->body), buffer_size (&self->body));
    buffer_clear (&self->body);
}

/*  What the head answers, which runs in the same thread. */
static enum pool_verb
stranger_hear (struct stranger *self)
{
    weft_pool_event_t event;
    for (int i = 0; i < LIVE_PATIENCE; i++) {
        int rc = weft_pool_next (self->live->pool, &event, 1);
        assert_true (rc == 0 || rc == WEFT_ETIMEOUT);
        if (wire_recv (self->wire, &self->msg, 0) == 0) {
            assert_int_equal (pool_decode (&self->message, weft_msg_data (&self->msg, 0),
                                           weft_msg_size (&self->msg, 0)), 0);
            return self->message.verb;
        }
    }
    fail_msg ("the head does not answer");
    return 0;
}

/*  A HELLO as a worker's; the answer. */
static enum pool_verb
stranger_greet (struct stranger *self, int version, const char *name)
{
    struct pool_hello hello = { .version = version, .role = POOL_ROLE_WORKER, .session = 1, .next = 1, .slots = 1,
                                .window = 1, .name = { name, strlen (name) } };
    assert_int_equal (pool_put_hello (&self->body, &hello), 0);
    stranger_say (self);
    return stranger_hear (self);
}

/*  Having been welcomed, it comes back, and says that it has that job of the pool's. */
static void
stranger_return (struct stranger *self, const char *pool, uint64_t job, int64_t attempt)
{
    struct pool_hello hello = { .version = POOL_VERSION, .role = POOL_ROLE_WORKER, .session = 2, .next = 1, .slots = 1,
                                .window = 1, .name = { "w", 1 }, .pool = { pool, POOL_ID }, .held = 1 };
    assert_int_equal (pool_put_hello (&self->body, &hello), 0);
    assert_int_equal (pool_put_held (&self->body, job, attempt, true), 0);
    stranger_say (self);
}

/*  Other messages, as an ACK or a HEARTBEAT, may come before; in that session it is told to stop that job. */
static void
expect_cancel (struct stranger *self, uint64_t job, int64_t attempt)
{
    uint64_t id;
    int64_t number;
    for (int i = 0; i < 10 && (self->message.verb != POOL_CANCEL || self->message.session != 2); i++)
        stranger_hear (self);
    assert_int_equal (self->message.verb, POOL_CANCEL);
    assert_true (self->message.running && self->message.number == 1);
    assert_int_equal (pool_next_cancelled (&self->message, &id, &number), 1);
    assert_true (id == job && number == attempt);
}

static void
test_malformed (void **state)
{
    struct live *self = *state;
    struct stranger stranger;
    weft_pool_stats_t stats;
    stranger_connect (&stranger, self);
    stranger_send (&stranger, "", 0);
    stranger_send (&stranger, "\xdf\x0a\xff\xff\xff", 5);
    stranger_send (&stranger, "hello", 5);
    assert_int_equal (pool_put_heartbeat (&stranger.body, 1, 0, 0), 0);
    stranger_say (&stranger);
    assert_int_equal (stranger_hear (&stranger), POOL_UNKNOWN);
    weft_pool_stats (self->pool, &stats);
    assert_int_equal (stats.refused, 3);
    live_submit (self, "true");
    live_worker (self, "1", NULL, NULL);
    live_await (self->pool, WEFT_POOL_DONE);
    stranger_leave (&stranger);
}

static void
test_other_version (void **state)
{
    struct stranger stranger;
    stranger_connect (&stranger, *state);
    assert_int_equal (stranger_greet (&stranger, POOL_VERSION + 1, ""), POOL_REFUSED);
    assert_non_null (memmem (stranger.message.text.data, stranger.message.text.size, "version 3", 9));
    stranger_leave (&stranger);
}

/*  A worker that joins properly and then lies: it is thrown out, and its job runs elsewhere. */
static void
test_liar (void **state)
{
    struct live *self = *state;
    struct stranger stranger;
    stranger_connect (&stranger, self);
    live_submit (self, "true");
    assert_int_equal (stranger_greet (&stranger, POOL_VERSION, "liar"), POOL_WELCOME);
    assert_int_equal (stranger_hear (&stranger), POOL_JOBS);
    assert_int_equal (pool_put_report (&stranger.body, 1, 1, 2), 0);
    assert_int_equal (pool_put_record (&stranger.body, &(struct pool_record){ .kind = WEFT_POOL_DONE, .job = 99,
                                                                              .attempt = 1 }), 0);
    assert_int_equal (pool_put_record (&stranger.body, &(struct pool_record) { .kind = WEFT_POOL_LEFT }), 0);
    stranger_say (&stranger);
    weft_pool_event_t event = live_await (self->pool, WEFT_POOL_LEFT);
    assert_string_equal (event.worker, "liar");
    live_worker (self, "1", NULL, NULL);
    event = live_await (self->pool, WEFT_POOL_DONE);
    assert_int_equal (event.job, 1);
    assert_int_equal (event.attempt, 2);
    stranger_leave (&stranger);
}

/*  What a worker has that is not the head's, any more, it is told to stop. */
static void
test_a_job_that_is_not_ours (void **state)
{
    struct stranger stranger;
    char pool[POOL_ID];
    stranger_connect (&stranger, *state);
    assert_int_equal (stranger_greet (&stranger, POOL_VERSION, "w"), POOL_WELCOME);
    assert_int_equal (stranger.message.welcome.pool.size, POOL_ID);
    memcpy (pool, stranger.message.welcome.pool.data, POOL_ID);
    stranger_return (&stranger, pool, 99, 3);
    assert_int_equal (stranger_hear (&stranger), POOL_WELCOME);
    expect_cancel (&stranger, 99, 3);
    stranger_leave (&stranger);
}

/*  A worker that has not heard of it hears of it when it comes back. */
static void
test_cancel_is_said_again (void **state)
{
    struct live *self = *state;
    struct stranger stranger;
    char pool[POOL_ID];
    stranger_connect (&stranger, self);
    live_submit (self, "true");
    assert_int_equal (stranger_greet (&stranger, POOL_VERSION, "w"), POOL_WELCOME);
    memcpy (pool, stranger.message.welcome.pool.data, POOL_ID);
    assert_int_equal (stranger_hear (&stranger), POOL_JOBS);
    assert_int_equal (weft_pool_cancel_job (self->pool, 1, true), 0);
    stranger_return (&stranger, pool, 1, 1);
    expect_cancel (&stranger, 1, 1);
    stranger_leave (&stranger);
}

#define POOL_TEST(name) cmocka_unit_test_setup_teardown (name, live_setup, live_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST (test_malformed), POOL_TEST (test_other_version), POOL_TEST (test_liar),
        POOL_TEST (test_a_job_that_is_not_ours), POOL_TEST (test_cancel_is_said_again),
    };
    return cmocka_run_group_tests_name ("pool_listen", tests, NULL, NULL);
}
