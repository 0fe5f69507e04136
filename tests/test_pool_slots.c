/*  test_pool_slots.c - slots without memory for what their jobs write, and jobs that were ended along with them */

#include "patterns/pool_slots.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/testing.h"

#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
#define INTERPOSED 0            /*  the sanitizer's realloc is not to be replaced */
static size_t refused;
#else
#define INTERPOSED 1
extern void *__libc_realloc (void *memory, size_t size);
static size_t refused;          /*  the first of this size or more fails; 0: none */

void *
realloc (void *memory, size_t size)
{
    if (!refused || size < refused)
        return __libc_realloc (memory, size);
    refused = 0;
    return NULL;
}
#endif

static void
read_last (struct outbox *outbox, struct pool_record *last, struct buffer *body)
{
    struct pool_message message;
    assert_int_equal (pool_put_report (body, 1, 1, outbox->count), 0);
    assert_int_equal (buffer_add (body, buffer_data (&outbox->body), buffer_size (&outbox->body)), 0);
    assert_int_equal (pool_decode (&message, buffer_data (body), buffer_size (body)), 0);
    while (pool_next_record (&message, last) == 1)
        ;
}

/*  The last record in the outbox once the job has ended. */
static void
run_job (const char *command, size_t refuse, struct pool_record *last, struct buffer *body)
{
    struct slots_config config = { .count = 1, .first = 1, .grace = 10000 * TIME_MS };
    struct outbox outbox;
    struct slots slots;
    struct buffer spec;
    struct epoll_event event;
    int epoll = epoll_create1 (EPOLL_CLOEXEC);
    buffer_init (&spec, 0);
    outbox_init (&outbox);
    assert_int_equal (slots_init (&slots, &config, clock_system (), &outbox, epoll), 0);
    assert_int_equal (pool_put_spec (&spec, &(weft_job_t) { .command = command }, 0, false), 0);
    assert_int_equal (slots_add (&slots, 1, 1, (struct pool_bytes) { buffer_data (&spec), buffer_size (&spec) }), 0);
    slots_turn (&slots);
    refused = refuse;
    while (slots.busy) {
        int64_t left = clock_left (clock_system (), slots_deadline (&slots));
        if (epoll_wait (epoll, &event, 1, clock_poll_ms (left)) == 1)
            slots_on_event (&slots, event.data.u64);
        slots_turn (&slots);
    }
    refused = 0;
    read_last (&outbox, last, body);
    slots_free (&slots);
    outbox_free (&outbox);
    buffer_free (&spec);
    close (epoll);
}

static void
test_no_memory_for_output (void **state)
{
    static const char command[] = "head -c 300000 /dev/zero; exec sleep 1000";
    struct pool_record last = { .kind = 0 };
    struct buffer body;
    (void) state;
    if (!INTERPOSED)
        skip ();
    for (size_t refuse = 30000; refuse <= 150000; refuse += 60000) {
        buffer_init (&body, 0);
        run_job (command, refuse, &last, &body);
        assert_int_equal (last.kind, WEFT_POOL_DONE);
        assert_int_equal (last.reason, WEFT_JOB_OUTPUT_LOST);
        assert_memory_equal (last.data.data, "the worker is out of memory", last.data.size);
        buffer_free (&body);
    }
}

/*  By SIGTERM, as a scheduler sends it to all of a worker's processes: nothing is said of it until it is clear
 *  that the worker was not meant. */
static void
test_terminated (void **state)
{
    static const char *const commands[] = { "kill -TERM $$; :", "exit 143; :", "exit 3; :" };
    (void) state;
    for (int i = 0; i < 6; i++) {
        struct slots_config config = { .count = 1, .first = 1, .grace = 10000 * TIME_MS };
        struct pool_record last = { .kind = 0 };
        struct clock_fake clock;
        struct outbox outbox;
        struct slots slots;
        struct buffer spec, body;
        struct epoll_event event;
        int epoll = epoll_create1 (EPOLL_CLOEXEC);
        bool stopped = i % 2, doubted = i < 4;
        clock_fake_init (&clock, 1000 * TIME_S);
        buffer_init (&spec, 0);
        buffer_init (&body, 0);
        outbox_init (&outbox);
        assert_int_equal (slots_init (&slots, &config, &clock.clock, &outbox, epoll), 0);
        assert_int_equal (pool_put_spec (&spec, &(weft_job_t) { .command = commands[i / 2] }, 0, false), 0);
        assert_int_equal (slots_add (&slots, 1, 1, (struct pool_bytes) { buffer_data (&spec), buffer_size (&spec) }),
                          0);
        slots_turn (&slots);
        assert_int_equal (epoll_wait (epoll, &event, 1, 30000), 1);
        slots_on_event (&slots, event.data.u64);
        slots_turn (&slots);
        assert_int_equal (slots.busy, doubted);
        if (stopped)
            slots_stop (&slots);
        else if (doubted) {
            clock.time = slots_deadline (&slots) + 10 * TIME_S;     /*  we did not run */
            slots_turn (&slots);
            assert_int_equal (slots.busy, 1);
            clock.time = slots_deadline (&slots);
        }
        slots_turn (&slots);
        assert_int_equal (slots.busy, 0);
        read_last (&outbox, &last, &body);
        assert_int_equal (last.kind, stopped && doubted ? WEFT_POOL_STARTED : WEFT_POOL_DONE);
        slots_free (&slots);
        outbox_free (&outbox);
        buffer_free (&spec);
        buffer_free (&body);
        close (epoll);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_no_memory_for_output),
                                        cmocka_unit_test (test_terminated) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
