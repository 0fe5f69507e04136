/*  test_pool_line.c - a worker's sessions: what belongs to one, what breaks one, what is kept over a break */

#include "patterns/pool_line.h"
#include "core/clock.h"
#include "tests/testing.h"

#define POOL_A "aaaaaaaaaaaaaaaa"
#define POOL_B "bbbbbbbbbbbbbbbb"

static void
add_record (struct line *self, uint64_t job)
{
    struct pool_record record = { .kind = WEFT_POOL_DONE, .job = job, .attempt = 1 };
    assert_int_equal (outbox_add (&self->outbox, &record, 0), 0);
}

static struct pool_hello
greet (struct line *self)
{
    struct pool_hello hello = { .slots = 1 };
    assert_int_equal (line_hello (self, &hello, 4), 0);
    return hello;
}

static enum line_welcome
welcome (struct line *self, uint64_t session, const char *pool, uint64_t have, uint64_t *dropped)
{
    return line_welcomed (self, &(struct pool_welcome) { .session = session, .pool = { pool, POOL_ID }, .have = have },
                          dropped);
}

static int
take (struct line *self, enum pool_verb verb, uint64_t session, uint64_t number, uint64_t have)
{
    struct pool_message message = { .verb = verb, .session = session, .number = number, .have = have };
    return line_take (self, &message);
}

static void
test_reports_are_kept_for_the_same_pool (void **state)
{
    struct line self;
    uint64_t dropped;
    (void) state;
    line_init (&self, 1, 1);
    struct pool_hello hello = greet (&self);
    assert_true (hello.session == 1 && hello.next == 1 && hello.last == 0 && hello.pool.size == 0);
    assert_int_equal (welcome (&self, 2, POOL_A, 0, &dropped), LINE_NOT_OURS);
    assert_int_equal (welcome (&self, 1, POOL_A, 0, &dropped), LINE_FIRST);
    for (uint64_t i = 1; i <= 3; i++) {
        add_record (&self, i);
        if (i < 3)
            assert_int_equal (outbox_seal (&self.outbox, 4), 0);
    }
    line_break (&self);
    hello = greet (&self);                  /*  the third is sealed by that */
    assert_true (hello.session == 2 && hello.next == 1 && hello.last == 3 && hello.pool.size == POOL_ID);
    assert_int_equal (welcome (&self, 2, POOL_A, 2, &dropped), LINE_SAME);
    assert_int_equal (outbox_rewind (&self.outbox), 3);
    line_break (&self);
    line_break (&self);
    hello = greet (&self);
    assert_true (hello.session == 3 && hello.next == 3);
    assert_int_equal (welcome (&self, 3, POOL_B, 3, &dropped), LINE_OTHER);
    assert_int_equal (dropped, 1);
    assert_true (outbox_empty (&self.outbox));
    assert_int_equal (self.outbox.next, 4);
    line_free (&self);
}

static void
test_what_is_late_or_missing (void **state)
{
    struct line self;
    uint64_t dropped;
    (void) state;
    line_init (&self, 1, 5);
    greet (&self);
    assert_int_equal (take (&self, POOL_JOBS, 5, 1, 0), LINE_DONE);         /*  not welcomed */
    assert_int_equal (welcome (&self, 5, POOL_A, 0, &dropped), LINE_FIRST);
    assert_int_equal (take (&self, POOL_JOBS, 4, 1, 0), LINE_DONE);         /*  of the session before */
    assert_int_equal (take (&self, POOL_UNKNOWN, 4, 0, 0), LINE_DONE);
    assert_int_equal (take (&self, POOL_JOBS, 5, 1, 0), LINE_TAKE);
    assert_int_equal (take (&self, POOL_JOBS, 5, 1, 0), LINE_DONE);         /*  again */
    assert_int_equal (take (&self, POOL_CANCEL, 5, 2, 0), LINE_TAKE);
    assert_int_equal (take (&self, POOL_HEARTBEAT, 5, 2, 0), LINE_DONE);
    assert_int_equal (take (&self, POOL_HEARTBEAT, 5, 3, 0), LINE_BROKEN);  /*  a third was lost */
    assert_int_equal (self.session, 6);
    greet (&self);
    assert_int_equal (welcome (&self, 6, POOL_A, 0, &dropped), LINE_SAME);
    assert_int_equal (take (&self, POOL_JOBS, 6, 2, 0), LINE_BROKEN);
    greet (&self);
    welcome (&self, 7, POOL_A, 0, &dropped);
    assert_int_equal (take (&self, POOL_UNKNOWN, 0, 0, 0), LINE_BROKEN);
    greet (&self);
    welcome (&self, 8, POOL_A, 0, &dropped);
    assert_int_equal (take (&self, POOL_ACK, 8, 0, 1), WEFT_EPROTO);        /*  never sent */
    assert_int_equal (take (&self, POOL_JOBS, 8, 1, 1), WEFT_EPROTO);
    line_free (&self);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_reports_are_kept_for_the_same_pool),
        cmocka_unit_test (test_what_is_late_or_missing),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
