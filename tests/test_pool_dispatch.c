/*  test_pool_dispatch.c - dealing by credit, and thousands of faulty histories from seeds
 *
 *  The simulator plays workers that take, begin, end and give back jobs, say things
 *  twice, late or of jobs that are not theirs, and vanish. A model on the side keeps
 *  what must hold: each job ends once, is with one worker at a time, and is not run
 *  more often than the limits allow. */

#include "core/clock.h"
#include "patterns/pool_dispatch.h"
#include "tests/testing.h"

enum { HISTORIES = 2000, STEPS = 400, JOBS = 40, WORKERS = 5, HELD = 8 };

static const struct dispatch_limits limits = { .retries = 2, .losses = 1, .queue = 10, .queue_bytes = 1000 };

static const struct dispatch_wants plain = { .priority = 0 };

static void
submit (struct dispatch *self, uint64_t tag)
{
    uint64_t id;
    assert_int_equal (dispatch_submit (self, tag, &plain, "spec", 4, &id), 0);
}

static void
end_as (struct dispatch *self, struct dispatch_worker *worker, uint64_t id, int64_t attempt, int status,
        enum dispatch_verdict expected)
{
    const struct dispatch_job *job = NULL;
    struct dispatch_end end = { .reason = WEFT_JOB_EXITED, .status = status };
    assert_int_equal (dispatch_ended (self, worker, id, attempt, &end, &job), expected);
    if (expected != DISPATCH_STALE)
        assert_int_equal (job->id, id);
}

#define BEGIN(name) \
    struct dispatch name; \
    assert_int_equal (dispatch_init (&name, &limits), 0)

static void
test_idle_first (void **state)
{
    struct dispatch_worker one, two;
    (void) state;
    BEGIN (self);
    self.beyond = 100;              /*  the end is far: as much is sent ahead as may be */
    dispatch_join (&self, &one, 1, 3);
    dispatch_join (&self, &two, 2, 2);
    for (int i = 0; i < 6; i++)
        submit (&self, 0);
    assert_ptr_equal (dispatch_assign (&self)->worker, &one);
    assert_ptr_equal (dispatch_assign (&self)->worker, &two);
    assert_ptr_equal (dispatch_assign (&self)->worker, &two);
    assert_ptr_equal (dispatch_assign (&self)->worker, &one);
    assert_ptr_equal (dispatch_assign (&self)->worker, &one);
    assert_null (dispatch_assign (&self));          /*  no credit */
    assert_int_equal (self.waiting, 1);
    assert_int_equal (self.running, 5);
    dispatch_set_window (&self, &two, 3);
    assert_ptr_equal (dispatch_assign (&self)->worker, &two);
    dispatch_free (&self);
}

static void
test_queue_is_bounded (void **state)
{
    uint64_t id;
    (void) state;
    BEGIN (self);
    for (int i = 0; i < 10; i++) {
        assert_true (dispatch_has_room (&self, 0));
        submit (&self, 0);
    }
    assert_int_equal (dispatch_submit (&self, 0, &plain, "", 0, &id), WEFT_EAGAIN);
    dispatch_free (&self);
}

static void
test_bytes_are_bounded (void **state)
{
    static const char spec[999];
    uint64_t id;
    (void) state;
    BEGIN (self);
    assert_int_equal (dispatch_submit (&self, 0, &plain, spec, sizeof spec, &id), 0);
    assert_true (dispatch_has_room (&self, 0));
    assert_int_equal (dispatch_submit (&self, 0, &plain, spec, sizeof spec, &id), 0);
    assert_int_equal (dispatch_submit (&self, 0, &plain, spec, 1, &id), WEFT_EAGAIN);
    dispatch_free (&self);
}

static void
test_retries (void **state)
{
    struct dispatch_worker worker;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 1, 1);
    submit (&self, 7);
    submit (&self, 8);
    for (int attempt = 1; attempt <= 3; attempt++) {
        struct dispatch_job *job = dispatch_assign (&self);
        assert_int_equal (job->id, 1);          /*  at the front again */
        assert_int_equal (job->attempt, attempt);
        end_as (&self, &worker, 1, attempt - 1, 0, DISPATCH_STALE);
        end_as (&self, &worker, 1, attempt, 1, attempt < 3 ? DISPATCH_RETRY : DISPATCH_DONE);
        end_as (&self, &worker, 1, attempt, 0, DISPATCH_STALE);
    }
    assert_int_equal (self.failed, 1);
    assert_int_equal (self.retries, 2);
    assert_int_equal (dispatch_assign (&self)->id, 2);
    end_as (&self, &worker, 2, 1, 0, DISPATCH_DONE);
    assert_int_equal (self.done, 2);
    dispatch_free (&self);
}

static void
test_losses (void **state)
{
    struct dispatch_worker first, second;
    const struct dispatch_job *job;
    (void) state;
    BEGIN (self);
    submit (&self, 0);
    submit (&self, 0);
    dispatch_join (&self, &first, 2, 2);
    dispatch_assign (&self);
    dispatch_assign (&self);
    assert_true (dispatch_began (&self, &first, 1, 1));
    assert_false (dispatch_began (&self, &first, 1, 1));
    assert_int_equal (dispatch_lose (&self, &first, &job), DISPATCH_AGAIN);     /*  2 had not begun: no fault of it */
    assert_int_equal (job->id, 2);
    assert_int_equal (job->losses, 0);
    assert_int_equal (dispatch_lose (&self, &first, &job), DISPATCH_RETRY);
    assert_int_equal (job->id, 1);
    assert_int_equal (job->losses, 1);
    assert_int_equal (dispatch_lose (&self, &first, &job), DISPATCH_STALE);
    assert_null (dispatch_assign (&self));      /*  not to the one that was lost */
    dispatch_leave (&self, &first);

    dispatch_join (&self, &second, 1, 1);
    assert_int_equal (dispatch_assign (&self)->id, 1);
    end_as (&self, &first, 1, 1, 0, DISPATCH_STALE);                /*  the ghost of the first */
    assert_int_equal (dispatch_lose (&self, &second, &job), DISPATCH_DONE);     /*  none had begun: it counts */
    assert_int_equal (job->id, 1);
    dispatch_leave (&self, &second);
    dispatch_free (&self);
}

static void
test_only_what_has_not_begun_is_returned (void **state)
{
    struct dispatch_worker worker;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 1, 2);
    submit (&self, 0);
    submit (&self, 0);
    dispatch_assign (&self);
    dispatch_assign (&self);
    assert_true (dispatch_began (&self, &worker, 1, 1));
    assert_int_equal (dispatch_returned (&self, &worker, 1, 1), DISPATCH_STALE);
    assert_int_equal (dispatch_returned (&self, &worker, 2, 1), DISPATCH_AGAIN);
    end_as (&self, &worker, 1, 1, 0, DISPATCH_DONE);
    dispatch_free (&self);
}

static void
test_cancelled_and_lost (void **state)
{
    struct dispatch_worker worker;
    const struct dispatch_job *job;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 1, 1);
    submit (&self, 0);
    dispatch_assign (&self);
    assert_true (dispatch_began (&self, &worker, 1, 1));
    dispatch_cancel (&self);
    assert_int_equal (dispatch_lose (&self, &worker, &job), DISPATCH_DONE);     /*  and not tried again */
    dispatch_leave (&self, &worker);
    dispatch_free (&self);
}

/*  Whether that was one failure too many is asked by who keeps the ends: see tell_end in pool_events.c. */
static void
test_cancelled_and_failed (void **state)
{
    struct dispatch_worker worker;
    const struct dispatch_job *job;
    struct dispatch_end stopped = { .reason = WEFT_JOB_CANCELLED }, failed = { .reason = WEFT_JOB_EXITED, .status = 3 };
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 2, 2);
    for (int i = 0; i < 2; i++) {
        submit (&self, 0);
        dispatch_assign (&self);
    }
    dispatch_cancel (&self);
    assert_int_equal (dispatch_ended (&self, &worker, 1, 1, &failed, &job), DISPATCH_DONE);
    assert_int_equal (job->failures, 1);
    assert_int_equal (dispatch_ended (&self, &worker, 2, 1, &stopped, &job), DISPATCH_DONE);
    assert_int_equal (job->failures, 0);
    dispatch_leave (&self, &worker);
    dispatch_free (&self);
}

static void
test_cancel (void **state)
{
    struct dispatch_worker worker;
    const struct dispatch_job *job;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 2, 2);
    for (int i = 0; i < 4; i++)
        submit (&self, 0);
    dispatch_assign (&self);
    dispatch_assign (&self);
    dispatch_cancel (&self);
    assert_int_equal (dispatch_returned (&self, &worker, 2, 1), DISPATCH_AGAIN);
    assert_null (dispatch_assign (&self));
    end_as (&self, &worker, 1, 1, 1, DISPATCH_DONE);                /*  it would have been retried */
    for (int i = 0; i < 3; i++)
        assert_true (dispatch_cancel_next (&self, &job));
    assert_false (dispatch_cancel_next (&self, &job));
    assert_int_equal (self.jobs.count, 0);
    assert_int_equal (self.done, 4);
    submit (&self, 0);
    assert_non_null (dispatch_assign (&self));
    dispatch_free (&self);
}

/*  By name: one that waits ends, one that runs only when that is meant, one that waits at a worker when it is back. */
static void
test_cancel_by_name (void **state)
{
    struct dispatch_worker worker;
    const struct dispatch_job *ended;
    struct dispatch_job *job;
    struct dispatch_end stopped = { .reason = WEFT_JOB_CANCELLED };
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 1, 2);
    for (int i = 0; i < 4; i++)
        submit (&self, 0);
    dispatch_assign (&self);
    dispatch_assign (&self);
    assert_true (dispatch_began (&self, &worker, 1, 1));
    assert_int_equal (dispatch_cancel_job (&self, 5, true, &job), WEFT_EEND);
    assert_int_equal (dispatch_cancel_job (&self, 1, false, &job), WEFT_ESTATE);
    assert_int_equal (dispatch_cancel_job (&self, 2, false, &job), 0);
    assert_int_equal (dispatch_cancel_job (&self, 4, false, &job), 0);
    assert_int_equal (dispatch_cancelled (&self)->id, 4);
    assert_int_equal (dispatch_returned (&self, &worker, 2, 1), DISPATCH_AGAIN);
    assert_int_equal (dispatch_assign (&self)->id, 3);                      /*  it holds up nobody */
    assert_int_equal (dispatch_cancel_job (&self, 1, true, &job), 0);
    assert_int_equal (job->stopped, WEFT_JOB_CANCELLED);
    assert_int_equal (dispatch_ended (&self, &worker, 1, 1, &stopped, &ended), DISPATCH_DONE);
    assert_true (ended->named);
    assert_true (dispatch_cancel_next (&self, &ended));
    assert_true (dispatch_cancel_next (&self, &ended));
    assert_false (dispatch_cancel_next (&self, &ended));
    assert_int_equal (self.waiting, 0);
    assert_int_equal (self.jobs.count, 1);
    dispatch_cancel_every (&self, false);
    assert_int_equal (dispatch_returned (&self, &worker, 3, 1), DISPATCH_AGAIN);
    assert_true (dispatch_cancelled (&self)->named);
    dispatch_free (&self);
}

/*  An attempt that is stopped for a reason of ours counts for that. */
static void
test_stopped (void **state)
{
    struct dispatch_worker worker;
    const struct dispatch_job *ended;
    struct dispatch_end stopped = { .reason = WEFT_JOB_CANCELLED };
    struct dispatch_job *job;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 1, 1);
    submit (&self, 0);
    for (int attempt = 1; attempt <= limits.retries + 1; attempt++) {
        assert_non_null (job = dispatch_assign (&self));
        assert_int_equal (job->stopped, 0);
        assert_true (dispatch_stop (job, WEFT_JOB_TIMEOUT));
        assert_int_equal (dispatch_ended (&self, &worker, 1, attempt, &stopped, &ended),
                          attempt > limits.retries ? DISPATCH_DONE : DISPATCH_RETRY);
    }
    dispatch_free (&self);
}

/*  The next head's: an awaited job that was cancelled is nobody's any more. */
static void
test_cancel_awaited (void **state)
{
    struct dispatch_worker worker, *robbed;
    struct dispatch_job *job;
    int64_t old;
    (void) state;
    BEGIN (self);
    self.epoch = 2;
    dispatch_join (&self, &worker, 1, 1);
    for (uint64_t id = 1; id <= 2; id++)
        assert_int_equal (dispatch_restore (&self, &(struct dispatch_restored) { .id = id, .spec = "spec", .size = 4,
                                                                                 .awaited = true }), 0);
    assert_int_equal (dispatch_cancel_job (&self, 1, false, &job), WEFT_ESTATE);
    assert_int_equal (dispatch_cancel_job (&self, 1, true, &job), 0);
    assert_false (dispatch_claim (&self, &worker, 1, POOL_ATTEMPT (1, 1), true, &robbed, &old));
    assert_int_equal (dispatch_cancelled (&self)->id, 1);
    dispatch_await_no_more (&self);
    assert_int_equal (self.waiting, 2);
    assert_int_equal (dispatch_cancel_job (&self, 2, false, &job), 0);
    dispatch_free (&self);
}

static void
test_back_after_a_break (void **state)
{
    struct dispatch_worker worker, *robbed;
    const struct dispatch_job *job;
    int64_t old;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 2, 4);
    for (int i = 0; i < 3; i++)
        submit (&self, 0);
    for (int i = 0; i < 3; i++)
        dispatch_assign (&self);
    assert_true (dispatch_began (&self, &worker, 1, 1));
    dispatch_doubt (&self, &worker);
    assert_true (dispatch_claim (&self, &worker, 1, 1, true, &robbed, &old));
    assert_false (dispatch_claim (&self, &worker, 2, 2, false, &robbed, &old));     /*  no such attempt */
    assert_false (dispatch_claim (&self, &worker, 9, 1, false, &robbed, &old));
    end_as (&self, &worker, 2, 1, 0, DISPATCH_DONE);                /*  reported, as it had ended meanwhile */
    assert_int_equal (dispatch_settle (&self, &worker, &job), DISPATCH_AGAIN);
    assert_int_equal (job->id, 3);
    assert_int_equal (job->losses, 0);
    assert_int_equal (dispatch_settle (&self, &worker, &job), DISPATCH_STALE);
    assert_int_equal (worker.held, 1);
    assert_int_equal (dispatch_assign (&self)->attempt, 2);
    dispatch_free (&self);
}

/*  As one too many, by its head: that is neither an end of the job nor a failure. */
static void
test_stopped_attempt (void **state)
{
    struct dispatch_worker worker;
    const struct dispatch_job *job;
    struct dispatch_end end = { .reason = WEFT_JOB_CANCELLED };
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 1, 1);
    submit (&self, 0);
    for (int attempt = 1; attempt < 10; attempt++) {
        assert_non_null (dispatch_assign (&self));
        assert_int_equal (dispatch_ended (&self, &worker, 1, attempt, &end, &job), DISPATCH_RETRY);
        assert_int_equal (job->failures, 0);
    }
    dispatch_free (&self);
}

static void
restore (struct dispatch *self, uint64_t id, int64_t attempt, bool awaited)
{
    struct dispatch_restored job = { .id = id, .spec = "spec", .size = 4, .attempt = attempt, .awaited = awaited };
    assert_int_equal (dispatch_restore (self, &job), 0);
}

static void
test_restored (void **state)
{
    struct dispatch_worker one, two, *robbed;
    int64_t old;
    (void) state;
    BEGIN (self);
    self.epoch = 3;
    self.next_id = 6;
    dispatch_join (&self, &one, 4, 4);
    dispatch_join (&self, &two, 0, 0);
    for (uint64_t id = 1; id <= 3; id++)
        restore (&self, id, 2, true);
    restore (&self, 4, 0, false);
    assert_int_equal (dispatch_assign (&self)->id, 4);              /*  never dealt: need not wait */
    assert_null (dispatch_assign (&self));
    assert_false (dispatch_claim (&self, &two, 1, POOL_ATTEMPT (1, 2), true, &robbed, &old));  /*  had ended */
    assert_false (dispatch_claim (&self, &two, 1, POOL_ATTEMPT (3, 3), true, &robbed, &old));  /*  nobody's */
    assert_true (dispatch_claim (&self, &two, 1, POOL_ATTEMPT (1, 3), true, &robbed, &old));
    assert_null (robbed);
    assert_false (dispatch_began (&self, &two, 1, POOL_ATTEMPT (1, 3)));
    assert_true (dispatch_claim (&self, &one, 1, POOL_ATTEMPT (2, 4), false, &robbed, &old));  /*  newer */
    assert_ptr_equal (robbed, &two);
    assert_int_equal (old, POOL_ATTEMPT (1, 3));
    assert_false (dispatch_claim (&self, &two, 1, POOL_ATTEMPT (1, 3), true, &robbed, &old));
    end_as (&self, &two, 1, POOL_ATTEMPT (1, 3), 0, DISPATCH_STALE);
    dispatch_await_no_more (&self);
    struct dispatch_job *job = dispatch_assign (&self);
    assert_int_equal (job->id, 2);
    assert_int_equal (job->attempt, POOL_ATTEMPT (3, 3));
    assert_false (dispatch_claim (&self, &two, 2, POOL_ATTEMPT (2, 9), true, &robbed, &old));  /*  dealt since */
    assert_true (dispatch_claim (&self, &two, 3, POOL_ATTEMPT (2, 3), true, &robbed, &old));    /*  but not 3 */
    assert_int_equal (self.waiting, 0);
    self.levels->limit = 5;
    submit (&self, 0);
    assert_null (dispatch_assign (&self));
    self.levels->limit = 6;
    assert_non_null (dispatch_assign (&self));
    dispatch_free (&self);
}

/*  A job whose attempt ended badly, and is held after it. */
static void
hold_one (struct dispatch *self, struct dispatch_worker *worker, uint64_t id)
{
    struct dispatch_job *job = dispatch_assign (self);
    assert_int_equal (job->id, id);
    end_as (self, worker, id, job->attempt, 1, DISPATCH_RETRY);
    dispatch_hold (self, id);
    assert_int_equal (job->state, JOB_HELD);
    assert_null (dispatch_assign (self));
}

static void
test_held (void **state)
{
    struct dispatch_worker worker;
    const struct dispatch_job *ended;
    struct dispatch_job *job;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 2, 2);
    for (uint64_t id = 1; id <= 3; id++) {
        submit (&self, 0);
        hold_one (&self, &worker, id);
    }
    assert_int_equal (self.waiting, 3);
    assert_int_equal (self.waiting_bytes, 12);
    assert_int_equal (self.queued, 0);
    dispatch_let_go (&self, 1, 0);                  /*  that is not the last */
    dispatch_let_go (&self, 99, 1);
    assert_null (dispatch_assign (&self));
    dispatch_let_go (&self, 1, 1);
    dispatch_let_go (&self, 1, 1);
    job = dispatch_assign (&self);
    assert_int_equal (job->id, 1);
    assert_int_equal (job->attempt, 2);
    assert_null (dispatch_assign (&self));
    assert_int_equal (dispatch_cancel_job (&self, 2, false, &job), 0);
    dispatch_let_go (&self, 2, 1);
    assert_true (dispatch_cancel_next (&self, &ended));
    assert_int_equal (ended->id, 2);
    dispatch_cancel (&self);
    assert_true (dispatch_cancel_next (&self, &ended));
    assert_int_equal (ended->id, 3);
    assert_int_equal (self.waiting, 0);
    assert_int_equal (self.waiting_bytes, 0);
    dispatch_free (&self);
}

/*  It is held still when it was with a worker meanwhile, or waited for one, by what an older head dealt. */
static void
test_held_over_heads (void **state)
{
    struct dispatch_worker worker, *robbed;
    int64_t old;
    (void) state;
    BEGIN (self);
    self.epoch = 3;
    self.next_id = 2;
    dispatch_join (&self, &worker, 2, 2);
    restore (&self, 1, 0, true);
    assert_true (dispatch_claim (&self, &worker, 1, POOL_ATTEMPT (2, 1), true, &robbed, &old));
    end_as (&self, &worker, 1, POOL_ATTEMPT (2, 1), 1, DISPATCH_RETRY);
    dispatch_await_again (&self, 1);
    dispatch_hold (&self, 1);
    assert_int_equal (self.awaiting, 1);
    assert_true (dispatch_claim (&self, &worker, 1, POOL_ATTEMPT (2, 2), false, &robbed, &old));
    assert_int_equal (dispatch_returned (&self, &worker, 1, POOL_ATTEMPT (2, 2)), DISPATCH_AGAIN);
    assert_null (dispatch_assign (&self));
    assert_true (dispatch_claim (&self, &worker, 1, POOL_ATTEMPT (2, 3), true, &robbed, &old));
    end_as (&self, &worker, 1, POOL_ATTEMPT (2, 3), 1, DISPATCH_RETRY);
    dispatch_await_again (&self, 1);
    dispatch_hold (&self, 1);
    dispatch_let_go (&self, 1, 1);
    dispatch_await_no_more (&self);
    assert_null (dispatch_assign (&self));
    dispatch_let_go (&self, 1, 3);
    assert_int_equal (dispatch_assign (&self)->attempt, POOL_ATTEMPT (3, 4));
    dispatch_free (&self);
}

enum { EPOCHS = 6, GIVEN = EPOCHS * 40 };

/*  Of a dispatch that has no other. */
static struct dispatch_job *
the_job (struct dispatch *self)
{
    struct dispatch_job *job = NULL;
    for (size_t i = 0; !job && i <= self->jobs.mask; i++)
        if (self->jobs.buckets[i])
            job = map_entry (self->jobs.buckets[i], struct dispatch_job, node);
    assert_non_null (job);
    return job;
}

/*  A head that takes up a job whose highest attempt in the ledger is `*ended`: dealing, losing, and taking the ends of
 *  `given`, which heads before it dealt and workers bring in any order. Some of what it writes is durable. */
static void
one_head (uint64_t *random, uint64_t epoch, int *ended, int64_t *given, size_t *count)
{
    const struct dispatch_limits many = { .retries = 1000, .losses = 1000, .queue = 10, .queue_bytes = 1000 };
    struct dispatch self;
    struct dispatch_worker workers[2], *robbed;
    int64_t old;
    int highest = *ended;
    assert_int_equal (dispatch_init (&self, &many), 0);
    self.epoch = epoch;
    self.next_id = 2;
    restore (&self, 1, *ended, random_next (random) % 2);
    for (int i = 0; i < 2; i++)
        dispatch_join (&self, &workers[i], 1, 1);
    for (int step = 0; step < 40; step++) {
        struct dispatch_worker *worker = &workers[random_next (random) % 2];
        struct dispatch_job *job = the_job (&self);
        switch (random_next (random) % 5) {
        case 0:
            dispatch_await_no_more (&self);
            if ((job = dispatch_assign (&self)))
                given[(*count)++] = job->attempt;
            break;
        case 1:
        case 2:
            if (*count)
                dispatch_claim (&self, worker, 1, given[random_next (random) % *count], random_next (random) % 2,
                                &robbed, &old);
            break;
        case 3:
            if (job->worker)
                dispatch_returned (&self, job->worker, 1, job->attempt);
            break;
        default:
            if (!job->worker)
                break;
            assert_true (POOL_ATTEMPT_NUMBER (job->attempt) > highest);
            highest = POOL_ATTEMPT_NUMBER (job->attempt);
            end_as (&self, job->worker, 1, job->attempt, 1, DISPATCH_RETRY);
            if (random_next (random) % 2)
                *ended = highest;
        }
    }
    dispatch_free (&self);
}

/*  Attempts that ended stand in the ledger by their number without the epoch: no head may end one by a number that it
 *  or a head before it has written. */
static void
test_ends_over_heads (void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        int64_t given[GIVEN];
        size_t count = 0;
        int ended = 0;
        uint64_t random = seed;
        for (uint64_t epoch = 1; epoch <= EPOCHS; epoch++)
            one_head (&random, epoch, &ended, given, &count);
        assert_true (count > 0);
    }
}

static void
test_retract (void **state)
{
    struct dispatch_worker slow, idle;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &slow, 1, 4);
    for (int i = 0; i < 3; i++)
        submit (&self, 0);
    for (int i = 0; i < 3; i++)
        assert_non_null (dispatch_assign (&self));
    assert_true (dispatch_began (&self, &slow, 1, 1));
    assert_false (dispatch_may_retract (&self));
    assert_null (dispatch_retract (&self));
    dispatch_join (&self, &idle, 1, 1);
    assert_true (dispatch_may_retract (&self));
    assert_int_equal (dispatch_retract (&self)->id, 3);
    assert_null (dispatch_retract (&self));                         /*  one slot, one job */
    assert_int_equal (dispatch_returned (&self, &slow, 3, 1), DISPATCH_AGAIN);
    assert_ptr_equal (dispatch_assign (&self)->worker, &idle);
    assert_false (dispatch_may_retract (&self));
    dispatch_free (&self);
}

static uint64_t
submit_as (struct dispatch *self, int priority)
{
    uint64_t id;
    assert_int_equal (dispatch_submit (self, 0, &(struct dispatch_wants) { .priority = priority }, "spec", 4, &id), 0);
    return id;
}

/*  The highest first, and in each priority those that came back before others. */
static void
test_priorities (void **state)
{
    static const int priorities[] = { 0, -1000, 5, 0, 1000, 5 };
    static const uint64_t order[] = { 5, 3, 6, 1, 4, 2 };
    struct dispatch_worker worker;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 10, 10);
    for (size_t i = 0; i < 6; i++)
        submit_as (&self, priorities[i]);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal (dispatch_assign (&self)->id, order[i]);
    for (size_t i = 6; i-- > 0; )
        assert_int_equal (dispatch_returned (&self, &worker, i + 1, 1), DISPATCH_AGAIN);
    submit_as (&self, 5);
    submit_as (&self, 1000);
    assert_int_equal (dispatch_assign (&self)->id, 5);
    assert_int_equal (dispatch_assign (&self)->id, 8);
    assert_int_equal (dispatch_assign (&self)->id, 3);
    assert_int_equal (dispatch_assign (&self)->id, 6);
    assert_int_equal (dispatch_assign (&self)->id, 7);
    dispatch_free (&self);
}

/*  One that is full, or may not be dealt yet, is in nobody's way. */
static void
test_priorities_apart (void **state)
{
    struct dispatch_worker worker;
    uint64_t covered;
    (void) state;
    BEGIN (self);
    for (int i = 0; i < limits.queue; i++)
        submit_as (&self, 0);
    assert_false (dispatch_has_room (&self, 0));
    assert_true (dispatch_has_room (&self, 1));
    submit_as (&self, 1);
    submit_as (&self, 1);
    assert_int_equal (dispatch_reach (dispatch_level (&self, 1), 10, &covered), 12);
    assert_int_equal (covered, 2);
    assert_int_equal (dispatch_reach (dispatch_level (&self, 0), 3, &covered), 3);
    assert_int_equal (covered, 3);
    dispatch_level (&self, 1)->limit = 11;
    dispatch_join (&self, &worker, 10, 10);
    assert_int_equal (dispatch_assign (&self)->id, 11);
    assert_true (dispatch_is_held (&self));
    assert_int_equal (dispatch_assign (&self)->id, 1);          /*  12 is not accepted yet */
    self.accepted = 12;
    assert_null (dispatch_assign (&self));
    dispatch_level (&self, 1)->limit = 12;
    assert_int_equal (dispatch_assign (&self)->id, 12);
    assert_false (dispatch_is_held (&self));
    for (int priority = 2; dispatch_has_room (&self, priority); priority++)
        submit_as (&self, priority);
    assert_int_equal (self.waiting, 16 * limits.queue);         /*  of all together */
    dispatch_free (&self);
}

static uint64_t
submit_wide (struct dispatch *self, int cores, uint64_t memory)
{
    uint64_t id;
    struct dispatch_wants wants = { .cores = cores, .memory = memory };
    assert_int_equal (dispatch_submit (self, 0, &wants, "spec", 4, &id), 0);
    return id;
}

/*  Slots are cores, memory is shared, the tightest worker is taken, and nothing that asks for more is sent ahead. */
static void
test_cores_and_memory (void **state)
{
    struct dispatch_worker old, small, large;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &old, 8, 16);
    dispatch_join (&self, &small, 2, 8);
    dispatch_join (&self, &large, 4, 16);
    dispatch_equip (&self, &small, 100);
    dispatch_equip (&self, &large, 200);
    for (int i = 0; i < 4; i++)
        submit_wide (&self, 2, 0);
    assert_ptr_equal (dispatch_assign (&self)->worker, &small);
    assert_ptr_equal (dispatch_assign (&self)->worker, &large);
    assert_ptr_equal (dispatch_assign (&self)->worker, &large);
    assert_null (dispatch_assign (&self));
    end_as (&self, &large, 2, 1, 0, DISPATCH_DONE);
    end_as (&self, &large, 3, 1, 0, DISPATCH_DONE);
    assert_ptr_equal (dispatch_assign (&self)->worker, &large);
    submit_wide (&self, 1, 150);
    submit_wide (&self, 1, 60);
    assert_ptr_equal (dispatch_assign (&self)->worker, &large);
    assert_null (dispatch_assign (&self));                      /*  50 are left there, and the other has no core */
    end_as (&self, &small, 1, 1, 0, DISPATCH_DONE);
    assert_ptr_equal (dispatch_assign (&self)->worker, &small);
    assert_int_equal (small.memory_used, 60);
    assert_int_equal (large.used, 3);
    dispatch_free (&self);
}

/*  What runs forever in small pieces leaves room in the end. */
static void
test_wide_is_not_starved (void **state)
{
    struct dispatch_worker worker;
    int passed = 0;
    (void) state;
    BEGIN (self);
    dispatch_join (&self, &worker, 4, 4);
    dispatch_equip (&self, &worker, 1);
    for (int i = 0; i < 4; i++)
        submit (&self, 0);
    while (dispatch_assign (&self))
        ;
    uint64_t wide = submit_wide (&self, 3, 0);
    for (uint64_t id = 1; worker.held; id++) {
        if (id == wide)
            continue;
        submit (&self, 0);
        end_as (&self, &worker, id, 1, 0, DISPATCH_DONE);
        struct dispatch_job *job = dispatch_assign (&self);
        if (job && job->id == wide)
            break;
        passed += job != NULL;
        assert_true (passed < 100);
    }
    assert_int_equal (passed, 4);               /*  as many as there are slots */
    assert_int_equal (worker.used, 4);
    dispatch_free (&self);
}

/*  It is said once, again when a worker that could has come and gone, and is in nobody's way. */
static void
test_hopeless (void **state)
{
    struct dispatch_worker small, large;
    struct dispatch_wants wants;
    (void) state;
    BEGIN (self);
    submit_wide (&self, 4, 7);
    submit_wide (&self, 4, 7);
    assert_null (dispatch_hopeless (&self, &wants));            /*  there are no workers yet */
    dispatch_join (&self, &small, 2, 2);
    dispatch_equip (&self, &small, 100);
    assert_null (dispatch_assign (&self));
    assert_int_equal (dispatch_hopeless (&self, &wants)->id, 1);
    assert_int_equal (wants.cores, 4);
    assert_int_equal (wants.memory, 7);
    assert_null (dispatch_hopeless (&self, &wants));
    for (uint64_t id = 3; id < 20; id++) {
        submit (&self, 0);
        assert_int_equal (dispatch_assign (&self)->id, id);
        end_as (&self, &small, id, 1, 0, DISPATCH_DONE);
    }
    assert_null (self.kept_free);
    dispatch_join (&self, &large, 4, 4);
    dispatch_equip (&self, &large, 7);
    assert_null (dispatch_hopeless (&self, &wants));
    assert_ptr_equal (dispatch_assign (&self)->worker, &large);
    end_as (&self, &large, 1, 1, 0, DISPATCH_DONE);
    dispatch_set_window (&self, &large, 0);
    assert_null (dispatch_assign (&self));
    assert_int_equal (dispatch_hopeless (&self, &wants)->id, 2);
    dispatch_free (&self);
}

/* ------------------------------------------------------------------ simulator */

struct model_worker {
    struct dispatch_worker credit;
    bool here;
    uint64_t held[HELD];        /*  0: none */
    int64_t attempts[HELD];
    bool began[HELD];
};

struct model {
    struct dispatch dispatch;
    struct model_worker workers[WORKERS];
    int done[JOBS + 1];
    int with[JOBS + 1];         /*  workers that have the job */
    int owed[JOBS + 1];         /*  it is held after that attempt; 0: it is not */
    uint64_t submitted, ended;
    uint64_t seed;
};

static uint64_t
pick (struct model *self, uint64_t limit)
{
    return random_next (&self->seed) % limit;
}

static void
model_ended (struct model *self, enum dispatch_verdict verdict, const struct dispatch_job *job)
{
    if (verdict == DISPATCH_STALE)
        return;
    self->with[job->id]--;
    assert_int_equal (self->with[job->id], 0);
    if (verdict == DISPATCH_RETRY && pick (self, 2)) {
        dispatch_hold (&self->dispatch, job->id);
        self->owed[job->id] = POOL_ATTEMPT_NUMBER (job->attempt);
    }
    if (verdict != DISPATCH_DONE)
        return;
    assert_int_equal (self->done[job->id]++, 0);
    assert_true (job->failures <= limits.retries + 1 && job->losses <= limits.losses + 1);
    self->ended++;
}

static struct dispatch_wants
wants_of (uint64_t id)
{
    static const int cores[] = { 0, 0, 1, 2, 0, 3 };
    return (struct dispatch_wants) { .priority = (int) (id * 7 % 3) - 1, .cores = cores[id % 6],
                                     .memory = id % 5 ? 0 : 60 };
}

static bool
is_plain (const struct dispatch_wants *wants)
{
    return wants->cores <= 1 && !wants->memory;
}

/*  Would the worker begin it at once, with what it has? */
static bool
would_fit (const struct model_worker *worker, const struct dispatch_wants *wants)
{
    int used = 0;
    uint64_t memory = 0;
    for (int i = 0; i < HELD; i++) {
        struct dispatch_wants held = wants_of (worker->held[i]);
        used += !worker->held[i] ? 0 : held.cores > 1 ? held.cores : 1;
        memory += worker->held[i] ? held.memory : 0;
    }
    const struct dispatch_worker *credit = &worker->credit;
    used += wants->cores > 1 ? wants->cores : 1;
    if (is_plain (wants))
        return used <= credit->window;
    return credit->able && used <= credit->window && used <= credit->slots && memory + wants->memory <= credit->memory;
}

/*  What goes before it must not have fitted there, unless the worker was kept for it. */
static void
model_assign (struct model *self)
{
    const struct dispatch_worker *kept = self->dispatch.kept_free;
    struct dispatch_job *job = dispatch_assign (&self->dispatch);
    if (!job)
        return;
    struct model_worker *worker = map_entry (job->worker, struct model_worker, credit);
    struct dispatch_wants wants = wants_of (job->id);
    assert_true (worker->here);
    assert_true (would_fit (worker, &wants));           /*  no more than it has */
    assert_int_equal (self->with[job->id]++, 0);
    assert_int_equal (self->done[job->id], 0);
    assert_int_equal (self->owed[job->id], 0);
    for (uint64_t id = 1; id <= self->submitted && &worker->credit != kept; id++) {
        struct dispatch_wants other = wants_of (id);
        if (!self->done[id] && !self->with[id] && !self->owed[id] && other.priority > wants.priority)
            assert_false (would_fit (worker, &other));
    }
    int place = 0;
    while (worker->held[place])
        assert_true (++place < HELD);           /*  the window was kept */
    worker->held[place] = job->id;
    worker->attempts[place] = job->attempt;
    worker->began[place] = false;
}

static void
model_let_go (struct model *self, uint64_t id)
{
    if (self->owed[id])
        dispatch_let_go (&self->dispatch, id, self->owed[id]);
    self->owed[id] = 0;
}

static void
model_end (struct model *self, struct model_worker *worker, int place)
{
    const struct dispatch_job *job;
    struct dispatch_end end = { .reason = pick (self, 4) ? WEFT_JOB_EXITED : WEFT_JOB_TIMEOUT,
                                .status = pick (self, 3) == 0 };
    enum dispatch_verdict verdict = dispatch_ended (&self->dispatch, &worker->credit, worker->held[place],
        worker->attempts[place], &end, &job);
    assert_true (verdict != DISPATCH_STALE);
    model_ended (self, verdict, job);
    worker->held[place] = 0;
    if (verdict == DISPATCH_DONE || pick (self, 2))         /*  said twice */
        assert_int_equal (
            dispatch_ended (&self->dispatch, &worker->credit, job->id, worker->attempts[place], &end, &job),
            DISPATCH_STALE);
}

static void
model_lie (struct model *self, struct model_worker *worker)
{
    const struct dispatch_job *job;
    struct dispatch_end end = { .reason = WEFT_JOB_EXITED };
    uint64_t id = pick (self, JOBS + 5);
    for (int i = 0; i < HELD; i++)
        if (worker->held[i] == id)
            return;                             /*  then it would be no lie */
    assert_int_equal (dispatch_ended (&self->dispatch, &worker->credit, id, (int64_t) pick (self, 4), &end, &job),
                      DISPATCH_STALE);
    assert_int_equal (dispatch_returned (&self->dispatch, &worker->credit, id, (int64_t) pick (self, 4)),
                      DISPATCH_STALE);
}

static void
model_vanish (struct model *self, struct model_worker *worker)
{
    const struct dispatch_job *job;
    enum dispatch_verdict verdict;
    while ((verdict = dispatch_lose (&self->dispatch, &worker->credit, &job)) != DISPATCH_STALE)
        model_ended (self, verdict, job);
    dispatch_leave (&self->dispatch, &worker->credit);
    memset (worker->held, 0, sizeof worker->held);
    worker->here = false;
}

static void
model_act (struct model *self, struct model_worker *worker)
{
    int place = (int) pick (self, HELD);
    uint64_t id = worker->held[place];
    switch (pick (self, 12)) {
    case 0:
        model_vanish (self, worker);
        break;
    case 1:
        model_lie (self, worker);
        break;
    case 2:
        dispatch_set_window (&self->dispatch, &worker->credit, (int) pick (self, HELD + 1));
        break;
    case 3:
        if (id && !worker->began[place]) {
            assert_int_equal (dispatch_returned (&self->dispatch, &worker->credit, id, worker->attempts[place]),
                              DISPATCH_AGAIN);
            self->with[id]--;
            worker->held[place] = 0;
        }
        break;
    case 4: case 5: case 6:
        if (id)
            worker->began[place] |= dispatch_began (&self->dispatch, &worker->credit, id, worker->attempts[place]);
        break;
    default:
        if (id)
            model_end (self, worker, place);
    }
}

static void
model_step (struct model *self)
{
    struct model_worker *worker = &self->workers[pick (self, WORKERS)];
    uint64_t id;
    struct dispatch_wants wants = wants_of (self->submitted + 1);
    if (pick (self, 4) == 0 && self->submitted < JOBS && dispatch_has_room (&self->dispatch, wants.priority)) {
        assert_int_equal (dispatch_submit (&self->dispatch, 0, &wants, "x", 1, &id), 0);
        assert_int_equal (id, ++self->submitted);
    }
    if (!worker->here && pick (self, 3) == 0) {
        dispatch_join (&self->dispatch, &worker->credit, 1 + (int) pick (self, 3), (int) pick (self, HELD + 1));
        if (pick (self, 4))
            dispatch_equip (&self->dispatch, &worker->credit, 50 + 100 * pick (self, 2));
        worker->here = true;
    }
    else if (worker->here)
        model_act (self, worker);
    model_let_go (self, pick (self, JOBS + 1));
    for (uint64_t i = pick (self, 4); i; i--)
        model_assign (self);
}

/*  What is left must come to an end with one good worker. */
static void
model_finish (struct model *self)
{
    struct model_worker *worker = &self->workers[0];
    for (int i = 0; i < WORKERS; i++)
        if (self->workers[i].here)
            model_vanish (self, &self->workers[i]);
    dispatch_join (&self->dispatch, &worker->credit, HELD, HELD);
    dispatch_equip (&self->dispatch, &worker->credit, 60);
    worker->here = true;
    for (int i = 0; i < 10 * JOBS && self->dispatch.jobs.count; i++) {
        model_let_go (self, (uint64_t) i % (JOBS + 1));
        model_assign (self);
        if (worker->held[i % HELD])
            model_end (self, worker, i % HELD);
    }
    assert_int_equal (self->dispatch.jobs.count, 0);
    assert_int_equal (self->ended, self->submitted);
    assert_int_equal (self->dispatch.done, self->submitted);
    assert_int_equal (self->dispatch.waiting, 0);
    assert_int_equal (self->dispatch.waiting_bytes, 0);
    assert_int_equal (self->dispatch.running, 0);
}

static uint64_t seed;       /*  of the history that runs: for who must repeat it */

static int
tell_seed (void **state)
{
    (void) state;
    if (seed <= HISTORIES)
        print_error ("seed %llu\n", (unsigned long long) seed);
    return 0;
}

static void
test_histories (void **state)
{
    (void) state;
    for (seed = 1; seed <= HISTORIES; seed++) {
        struct model self = { .seed = seed * 7919 };
        assert_int_equal (dispatch_init (&self.dispatch, &limits), 0);
        for (int i = 0; i < STEPS; i++)
            model_step (&self);
        model_finish (&self);
        dispatch_free (&self.dispatch);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_idle_first),
        cmocka_unit_test (test_queue_is_bounded),
        cmocka_unit_test (test_bytes_are_bounded),
        cmocka_unit_test (test_retries),
        cmocka_unit_test (test_losses),
        cmocka_unit_test (test_only_what_has_not_begun_is_returned),
        cmocka_unit_test (test_cancelled_and_lost),
        cmocka_unit_test (test_cancelled_and_failed),
        cmocka_unit_test (test_cancel),
        cmocka_unit_test (test_cancel_by_name),
        cmocka_unit_test (test_stopped),
        cmocka_unit_test (test_cancel_awaited),
        cmocka_unit_test (test_back_after_a_break),
        cmocka_unit_test (test_stopped_attempt),
        cmocka_unit_test (test_restored),
        cmocka_unit_test (test_held),
        cmocka_unit_test (test_held_over_heads),
        cmocka_unit_test (test_ends_over_heads),
        cmocka_unit_test (test_retract),
        cmocka_unit_test (test_priorities),
        cmocka_unit_test (test_cores_and_memory),
        cmocka_unit_test (test_wide_is_not_starved),
        cmocka_unit_test (test_hopeless),
        cmocka_unit_test (test_priorities_apart),
        cmocka_unit_test_teardown (test_histories, tell_seed),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
