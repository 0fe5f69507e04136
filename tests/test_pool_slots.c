/*  test_pool_slots.c - slots without memory for what their jobs write, and jobs that were ended along with them */

#include "patterns/pool_slots.h"

#include <stdio.h>
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

/*  Slots, and what they need. */
struct fixture {
    struct clock_fake clock;
    struct outbox outbox;
    struct slots slots;
    int epoll;
};

static void
begin (struct fixture *self, int slots)
{
    struct slots_config config = { .count = slots, .first = 1, .grace = 10000 * TIME_MS };
    clock_fake_init (&self->clock, 1000 * TIME_S);
    outbox_init (&self->outbox);
    self->epoll = epoll_create1 (EPOLL_CLOEXEC);
    assert_int_equal (slots_init (&self->slots, &config, &self->clock.clock, &self->outbox, self->epoll), 0);
}

static void
end (struct fixture *self)
{
    slots_free (&self->slots);
    outbox_free (&self->outbox);
    close (self->epoll);
}

static void
add (struct fixture *self, uint64_t id, int64_t attempt, const char *command)
{
    struct buffer spec;
    buffer_init (&spec, 0);
    assert_int_equal (pool_put_spec (&spec, &(weft_job_t) { .command = command }, 0, false), 0);
    assert_int_equal (slots_add (&self->slots, id, attempt,
                                 (struct pool_bytes) { buffer_data (&spec), buffer_size (&spec) }), 0);
    buffer_free (&spec);
}

/*  The next event, and what is due then. */
static void
go_on (struct fixture *self)
{
    struct epoll_event event;
    assert_int_equal (epoll_wait (self->epoll, &event, 1, 30000), 1);
    slots_on_event (&self->slots, event.data.u64);
    slots_turn (&self->slots);
}

/*  What is in the outbox, as text: "S" and "D" with the number of the job, "O" for output. */
static const char *
made (const struct fixture *self)
{
    static char text[64];
    struct pool_message message;
    struct pool_record record;
    struct buffer body;
    size_t used = 0;
    buffer_init (&body, 0);
    assert_int_equal (pool_put_report (&body, 1, 1, self->outbox.count), 0);
    assert_int_equal (buffer_add (&body, buffer_data (&self->outbox.body), buffer_size (&self->outbox.body)), 0);
    assert_int_equal (pool_decode (&message, buffer_data (&body), buffer_size (&body)), 0);
    text[0] = 0;
    while (pool_next_record (&message, &record) == 1 && used < sizeof text - 8)
        used += (size_t) snprintf (text + used, sizeof text - used, "%s%c%d", used ? " " : "",
                                   record.kind == WEFT_POOL_STARTED ? 'S' : record.kind == WEFT_POOL_DONE ? 'D' : 'O',
                                   (int) record.job);
    buffer_free (&body);
    return text;
}

/*  A slot, with a job that is over in a moment, and one that waits for it. */
static void
begin_two (struct fixture *self)
{
    begin (self, 1);
    add (self, 1, 1, "echo word");
    add (self, 2, 1, "exec sleep 1000");
    slots_turn (&self->slots);
}

/*  The next job runs before all is said of the last, which is said in the same turn. */
static void
test_next_at_once (void **state)
{
    struct fixture self;
    (void) state;
    begin_two (&self);
    assert_int_equal (self.slots.busy, 1);
    assert_int_equal (self.slots.waiting, 1);
    go_on (&self);
    assert_int_equal (self.slots.waiting, 0);
    assert_int_equal (self.slots.busy, 1);
    assert_int_equal (self.slots.runs, 1);
    assert_string_equal (made (&self), "O1 D1");
    end (&self);
}

/*  While nothing more can be taken in of what the last job wrote, the next waits: what waits in pipes is bounded. */
static void
test_next_waits_for_room (void **state)
{
    struct fixture self;
    (void) state;
    begin_two (&self);
    self.outbox.bytes += OUTBOX_BYTES;
    go_on (&self);
    assert_int_equal (self.slots.waiting, 1);
    assert_int_equal (self.slots.busy, 0);
    assert_int_equal (slots_busy (&self.slots), 1);
    assert_string_equal (made (&self), "");
    self.outbox.bytes -= OUTBOX_BYTES;
    slots_turn (&self.slots);
    assert_int_equal (self.slots.busy, 1);
    assert_string_equal (made (&self), "O1 D1");
    end (&self);
}

/*  Of what is over in a moment only the end is told, unless it was tried before. */
static void
test_starts_that_are_told (void **state)
{
    struct fixture self;
    (void) state;
    begin (&self, 4);
    add (&self, 1, 1, "true");
    slots_turn (&self.slots);
    go_on (&self);
    assert_string_equal (made (&self), "D1");
    add (&self, 2, 1, "exec sleep 1000");
    slots_turn (&self.slots);
    assert_string_equal (made (&self), "D1");
    assert_true (slots_deadline (&self.slots) <= self.clock.time + 10 * TIME_MS);
    self.clock.time = slots_deadline (&self.slots);
    slots_turn (&self.slots);
    assert_string_equal (made (&self), "D1 S2");
    self.clock.time += 10 * TIME_S;
    slots_turn (&self.slots);
    add (&self, 3, 2, "exec sleep 1000");
    slots_turn (&self.slots);
    assert_string_equal (made (&self), "D1 S2 S3");
    end (&self);
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
    while (slots.runs) {
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
        struct fixture self;
        bool stopped = i % 2, doubted = i < 4;
        begin (&self, 1);
        add (&self, 1, 1, commands[i / 2]);
        slots_turn (&self.slots);
        go_on (&self);
        assert_int_equal (self.slots.busy, doubted);
        if (stopped)
            slots_stop (&self.slots);
        else if (doubted) {
            self.clock.time = slots_deadline (&self.slots) + 10 * TIME_S;       /*  we did not run */
            slots_turn (&self.slots);
            assert_int_equal (self.slots.busy, 1);
            self.clock.time = slots_deadline (&self.slots);
        }
        slots_turn (&self.slots);
        assert_int_equal (self.slots.busy, 0);
        assert_string_equal (made (&self), stopped && doubted ? "" : "D1");
        end (&self);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_next_at_once),
                                        cmocka_unit_test (test_next_waits_for_room),
                                        cmocka_unit_test (test_starts_that_are_told),
                                        cmocka_unit_test (test_no_memory_for_output),
                                        cmocka_unit_test (test_terminated) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
