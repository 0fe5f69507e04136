/*  test_source.c - what is sent: from the command line, and from the input */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/source.h"
#include "core/clock.h"

struct fixture {
    struct cli cli;
    struct source_config config;
    struct formats formats;
    struct source source;
    weft_msg_t msg;
    int feed;                   /*  what is written there is the input */
    char *talk;
    size_t talk_size;
};

static int
begin (void **state)
{
    struct fixture *self = calloc (1, sizeof *self);
    int ends[2];
    assert_non_null (self);
    assert_int_equal (pipe (ends), 0);
    self->cli.in = ends[0];
    self->feed = ends[1];
    self->cli.err = open_memstream (&self->talk, &self->talk_size);
    weft_msg_init (&self->msg);
    *state = self;
    return 0;
}

static int
end (void **state)
{
    struct fixture *self = *state;
    weft_msg_clear (&self->msg);
    source_free (&self->source);
    fclose (self->cli.err);
    free (self->talk);
    close (self->cli.in);
    if (self->feed >= 0)
        close (self->feed);
    free (self);
    return 0;
}

static void
init (struct fixture *self, int64_t max_size)
{
    source_init (&self->source, &self->cli, &self->config, &self->formats, max_size);
}

static void
feed (struct fixture *self, const char *text)
{
    assert_int_equal (write (self->feed, text, strlen (text)), strlen (text));
    assert_int_equal (source_fill (&self->source), 0);
}

static void
feed_end (struct fixture *self)
{
    close (self->feed);
    self->feed = -1;
    assert_int_equal (source_fill (&self->source), 0);
}

static void
assert_next (struct fixture *self, const char *text)
{
    assert_int_equal (source_next (&self->source, &self->msg), 1);
    assert_int_equal (weft_msg_size (&self->msg, 0), strlen (text));
    assert_memory_equal (weft_msg_data (&self->msg, 0), text, strlen (text));
}

static void
assert_answer (struct fixture *self, int answer)
{
    assert_int_equal (source_next (&self->source, &self->msg), answer);
}

static char *texts[] = { "one", "two,2" };

static void
test_data_once (void **state)
{
    struct fixture *self = *state;
    self->config.data = (struct option_list){ .items = texts, .count = 2 };
    self->formats.separator = (char[]){ "," };
    init (self, 100);
    assert_next (self, "one");
    assert_next (self, "two");
    assert_int_equal (weft_msg_frames (&self->msg), 2);
    assert_answer (self, WEFT_EEND);
    assert_false (self->source.hungry);
}

static void
test_data_again_until_the_count (void **state)
{
    struct fixture *self = *state;
    self->config.data = (struct option_list){ .items = texts, .count = 1 };
    self->config.count = 3;
    init (self, 100);
    for (int i = 0; i < 3; i++)
        assert_next (self, "one");
    assert_answer (self, WEFT_EEND);
}

static void
test_interval (void **state)
{
    struct fixture *self = *state;
    self->config.data = (struct option_list){ .items = texts, .count = 1 };
    self->config.interval = 3600 * TIME_S;
    init (self, 100);
    assert_int_equal (source_due (&self->source), TIME_FOREVER);
    assert_next (self, "one");
    assert_answer (self, 0);
    assert_true (source_due (&self->source) > clock_now (clock_system ()));
    source_stop (&self->source);
    assert_answer (self, WEFT_EEND);
}

/*  While only time is lacking, no more input is taken in. */
static void
test_interval_bounds_the_input (void **state)
{
    struct fixture *self = *state;
    self->config.interval = 3600 * TIME_S;
    init (self, 100);
    assert_answer (self, 0);
    assert_true (self->source.hungry);
    feed (self, "one\ntwo\n");
    assert_next (self, "one");
    assert_answer (self, 0);
    assert_false (self->source.hungry);
}

static void
test_input (void **state)
{
    struct fixture *self = *state;
    init (self, 100);
    assert_answer (self, 0);
    feed (self, "one\ntw");
    assert_next (self, "one");
    assert_answer (self, 0);
    assert_true (self->source.hungry);
    feed (self, "o\nlast");
    assert_next (self, "two");
    assert_answer (self, 0);
    feed_end (self);
    assert_next (self, "last");
    assert_answer (self, WEFT_EEND);
    assert_int_equal (source_status (&self->source), EXIT_OK);
}

static void
test_count_of_input (void **state)
{
    struct fixture *self = *state;
    self->config.count = 1;
    init (self, 100);
    feed (self, "one\ntwo\n");
    assert_next (self, "one");
    assert_answer (self, WEFT_EEND);
}

/*  After a stop what was read in full is given, and half a line is no message. */
static void
test_stop (void **state)
{
    struct fixture *self = *state;
    init (self, 100);
    feed (self, "one\ntwo\nthr");
    assert_next (self, "one");
    source_stop (&self->source);
    assert_next (self, "two");
    assert_answer (self, WEFT_EEND);
}

static void
test_abandon (void **state)
{
    struct fixture *self = *state;
    init (self, 100);
    feed (self, "one\ntwo\nthree\nfo");
    assert_next (self, "one");
    assert_int_equal (source_abandon (&self->source), 2);
    assert_answer (self, WEFT_EEND);
}

static void
test_refused (void **state)
{
    struct fixture *self = *state;
    init (self, 3);
    feed (self, "four\ntwo\n");
    assert_next (self, "two");
    assert_int_equal (source_status (&self->source), EXIT_LOSS);
    assert_non_null (strstr (self->talk, "line 1"));
}

static void
test_refused_are_told_ten_times (void **state)
{
    struct fixture *self = *state;
    self->formats.input = FORMAT_HEX;
    init (self, 100);
    for (int i = 0; i < 30; i++)
        feed (self, "x\n");
    assert_answer (self, 0);
    assert_int_equal (self->source.malformed, 30);
    assert_int_equal (source_status (&self->source), EXIT_ERROR);
    size_t lines = 0;
    for (const char *next = self->talk; (next = strchr (next, '\n')); next++)
        lines++;
    assert_int_equal (lines, 11);
}

static void
test_a_broken_stream_ends (void **state)
{
    struct fixture *self = *state;
    self->formats.input = FORMAT_LEN32;
    init (self, 100);
    assert_int_equal (write (self->feed, "\x7f\xff\xff\xff", 4), 4);
    assert_int_equal (source_fill (&self->source), 0);
    assert_answer (self, WEFT_EEND);
    assert_int_equal (source_status (&self->source), EXIT_LOSS);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (test_data_once, begin, end),
        cmocka_unit_test_setup_teardown (test_data_again_until_the_count, begin, end),
        cmocka_unit_test_setup_teardown (test_interval, begin, end),
        cmocka_unit_test_setup_teardown (test_interval_bounds_the_input, begin, end),
        cmocka_unit_test_setup_teardown (test_input, begin, end),
        cmocka_unit_test_setup_teardown (test_count_of_input, begin, end),
        cmocka_unit_test_setup_teardown (test_stop, begin, end),
        cmocka_unit_test_setup_teardown (test_abandon, begin, end),
        cmocka_unit_test_setup_teardown (test_refused, begin, end),
        cmocka_unit_test_setup_teardown (test_refused_are_told_ten_times, begin, end),
        cmocka_unit_test_setup_teardown (test_a_broken_stream_ends, begin, end),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
