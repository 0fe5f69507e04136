/*  test_websocket.c - WebSocket frames: each sequence whole, in pieces of every size, of a client and of a server */

#include "tests/testing.h"

#include "codec/websocket.h"

enum { MAX_SIZE = 200000 };

static struct inflater *inflater;
static struct deflater *deflater;

static const unsigned char key[] = { 0x37, 0xfa, 0x21, 0x3d };

/*  A frame as the other side of `client` sends it; bits of the first byte by hand. */
static void
add_frame (struct buffer *out, bool client, unsigned first, const void *data, size_t size)
{
    unsigned char head[WEBSOCKET_HEAD];
    size_t head_size = websocket_head (head, WEBSOCKET_TEXT, false, size, client ? NULL : key);
    head[0] = (unsigned char) first;
    buffer_add (out, head, head_size);
    char *room = buffer_reserve (out, size);
    if (client)
        memcpy (room, data, size);
    else
        websocket_mask (room, data, size, key, 0);
    buffer_wrote (out, size);
}

static size_t
text_of_event (char *text, size_t room, const struct websocket_event *event)
{
    switch (event->what) {
    case WEBSOCKET_MORE:
        return 0;
    case WEBSOCKET_CLOSE:
        return (size_t) snprintf (text, room, "close %u:%.*s|", event->code, (int) event->size, event->data);
    case WEBSOCKET_PING:
    case WEBSOCKET_PONG:
        return (size_t) snprintf (text, room, "%s:%.*s|", event->what == WEBSOCKET_PING ? "ping" : "pong",
                                  (int) event->size, event->data);
    default:
        assert_int_equal (weft_msg_frames (event->msg), 1);
        if (weft_msg_size (event->msg, 0) > 200)
            return (size_t) snprintf (text, room, "%d(%zu)|", event->what, weft_msg_size (event->msg, 0));
        return (size_t) snprintf (text, room, "%d:%.*s|", event->what, (int) weft_msg_size (event->msg, 0),
                                  (const char *) weft_msg_data (event->msg, 0));
    }
}

/*  What is told of these bytes, of which `step` more are there each time; "!CODE" at an error. Each event is left once
 *  and told again. *at: how many bytes had to be there for the end. */
static const char *
decoded (bool client, const void *bytes, size_t size, size_t step, size_t *at)
{
    static char text[4096];
    struct websocket_decoder decoder;
    struct websocket_event event, again;
    size_t used = 0, have = 0, length = 0;
    int64_t rc = 0;
    websocket_init (&decoder, client, MAX_SIZE, inflater);
    text[0] = '\0';
    while (have < size && rc >= 0) {
        have = have + step < size ? have + step : size;
        /*  A block of its very size: reading past the end is seen by valgrind and asan. */
        unsigned char *block = malloc (have - used ? have - used : 1);
        memcpy (block, (const char *) bytes + used, have - used);
        size_t base = used;
        for (;;) {
            rc = websocket_next (&decoder, block + (used - base), have - used, &event);
            if (rc < 0 || (rc == 0 && event.what == WEBSOCKET_MORE))
                break;
            assert_true ((size_t) rc <= have - used);
            if (event.what != WEBSOCKET_MORE) {
                assert_int_equal (websocket_next (&decoder, block + (used - base), have - used, &again), rc);
                assert_memory_equal (&event, &again, sizeof event);
                length += text_of_event (text + length, sizeof text - length, &event);
                websocket_taken (&decoder);
            }
            used += (size_t) rc;
        }
        free (block);
    }
    if (rc < 0)
        snprintf (text + length, sizeof text - length, "!%u", decoder.failed);
    *at = have;
    websocket_free (&decoder);
    return text;
}

/*  However it comes. */
static void
check_bytes (bool client, const void *bytes, size_t size, const char *expected)
{
    size_t at;
    for (size_t step = 1; step <= size + 1; step = step < 40 ? step + 1 : step * 2) {
        const char *found = decoded (client, bytes, size, step, &at);
        if (strcmp (found, expected))
            fail_msg ("%s, %zu a time: %s instead of %s", client ? "client" : "server", step, found, expected);
    }
    assert_string_equal (decoded (client, bytes, size, size, &at), expected);
}

struct frame {
    unsigned first;
    const char *data;
    size_t size;
};
#define FRAME(first, text) { first, text, sizeof text - 1 }

static void
check (const struct frame *frames, size_t count, const char *expected)
{
    for (int client = 0; client < 2; client++) {
        struct buffer bytes;
        buffer_init (&bytes, 0);
        for (size_t i = 0; i < count; i++)
            add_frame (&bytes, client, frames[i].first, frames[i].data, frames[i].size);
        check_bytes (client, buffer_data (&bytes), buffer_size (&bytes), expected);
        buffer_free (&bytes);
    }
}
#define CHECK(expected, ...) do { \
    const struct frame frames_[] = { __VA_ARGS__ }; \
    check (frames_, sizeof frames_ / sizeof frames_[0], expected); \
} while (0)

/* ------------------------------------------------------------------------- messages */

static void
reads_messages (void **state)
{
    (void) state;
    CHECK ("1:hello|2:world|1:|2:|", FRAME (0x81, "hello"), FRAME (0x82, "world"), FRAME (0x81, ""), FRAME (0x82, ""));
    CHECK ("1:one two three|2:x|", FRAME (0x01, "one "), FRAME (0x00, "two "), FRAME (0x80, "three"),
           FRAME (0x82, "x"));
    CHECK ("1:|1:end|", FRAME (0x01, ""), FRAME (0x00, ""), FRAME (0x80, ""), FRAME (0x01, ""), FRAME (0x80, "end"));
}

static void
reads_lengths_of_each_kind (void **state)
{
    (void) state;
    static char data[MAX_SIZE];
    static const size_t sizes[] = { 125, 126, 127, 65535, 65536, MAX_SIZE };
    char expected[64];
    memset (data, 'x', sizeof data);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i] > 200)
            snprintf (expected, sizeof expected, "2(%zu)|", sizes[i]);
        for (int client = 0; client < 2; client++) {
            struct buffer bytes;
            size_t at;
            buffer_init (&bytes, 0);
            add_frame (&bytes, client, 0x82, data, sizes[i]);
            const char *all = buffer_data (&bytes);
            if (sizes[i] > 200) {
                assert_string_equal (decoded (client, all, buffer_size (&bytes), 1000, &at), expected);
                assert_string_equal (decoded (client, all, buffer_size (&bytes), SIZE_MAX / 2, &at), expected);
            } else
                assert_int_equal (strlen (decoded (client, all, buffer_size (&bytes), 1, &at)), 3 + sizes[i]);
            buffer_free (&bytes);
        }
    }
}

static void
control_frames_stand_between (void **state)
{
    (void) state;
    CHECK ("ping:a|1:onetwo|pong:|2:|", FRAME (0x01, "one"), FRAME (0x89, "a"), FRAME (0x80, "two"), FRAME (0x8a, ""),
           FRAME (0x82, ""));
    char long_one[WEBSOCKET_CONTROL_MAX + 1], expected[200];
    memset (long_one, 'p', sizeof long_one);
    snprintf (expected, sizeof expected, "ping:%.125s|", long_one);
    CHECK (expected, { 0x89, long_one, WEBSOCKET_CONTROL_MAX });
    CHECK ("!1002", { 0x89, long_one, WEBSOCKET_CONTROL_MAX + 1 });
    CHECK ("!1002", FRAME (0x09, "part"));
}

static void
text_is_utf8_across_frames (void **state)
{
    (void) state;
    CHECK ("1:\xe2\x82\xac|", FRAME (0x01, "\xe2"), FRAME (0x00, "\x82"), FRAME (0x80, "\xac"));
    CHECK ("2:\xe2\x28|", FRAME (0x82, "\xe2\x28"));
    CHECK ("!1007", FRAME (0x81, "\xe2\x28"));
    CHECK ("!1007", FRAME (0x81, "\xe2\x82"));
    CHECK ("!1007", FRAME (0x01, "\xe2"), FRAME (0x80, "\x28"));
    CHECK ("1:a|!1007", FRAME (0x81, "a"), FRAME (0x01, "\xe2\x82"), FRAME (0x80, ""));
}

/*  Autobahn's cases 6.4: not when the message ends, and not when the frame does. */
static void
text_is_refused_at_its_first_wrong_byte (void **state)
{
    static const char text[] = "good: \xce\xba\xe1\xbd\xb9 bad: \xf4\x90\x80\x80 and more";
    size_t size = sizeof text - 1;
    (void) state;
    for (int client = 0; client < 2; client++) {
        struct buffer bytes;
        size_t at;
        buffer_init (&bytes, 0);
        add_frame (&bytes, client, 0x01, text, size);
        assert_string_equal (decoded (client, buffer_data (&bytes), buffer_size (&bytes), 1, &at), "!1007");
        assert_int_equal (at, buffer_size (&bytes) - size + 19);
        buffer_free (&bytes);
    }
}

/* --------------------------------------------------------------- what is not allowed */

static void
refuses_what_the_rfc_does_not_know (void **state)
{
    (void) state;
    CHECK ("!1002", FRAME (0x91, "a"));
    CHECK ("!1002", FRAME (0xa1, "a"));
    CHECK ("!1002", FRAME (0xc1, "a"));
    for (unsigned opcode = 3; opcode < 16; opcode++)
        if (opcode < 8 || opcode > 10)
            CHECK ("1:a|!1002", FRAME (0x81, "a"), { 0x80 | opcode, "", 0 });
    CHECK ("!1002", FRAME (0x80, "a"));
    CHECK ("!1002", FRAME (0x00, "a"));
    CHECK ("!1002", FRAME (0x01, "a"), FRAME (0x81, "b"));
    CHECK ("!1002", FRAME (0x01, "a"), FRAME (0x02, "b"));
    CHECK ("1:ab|!1002", FRAME (0x01, "a"), FRAME (0x80, "b"), FRAME (0x80, "c"));
}

static void
a_mask_is_where_it_belongs (void **state)
{
    (void) state;
    check_bytes (true, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11, "!1002");
    check_bytes (false, "\x81\x05Hello", 7, "!1002");
    check_bytes (false, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11, "1:Hello|");
    check_bytes (true, "\x81\x05Hello", 7, "1:Hello|");
}

static void
lengths_are_written_as_short_as_can_be (void **state)
{
    (void) state;
    check_bytes (true, "\x82\x7e\x00\x7d", 4, "!1002");
    check_bytes (true, "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10, "!1002");
    check_bytes (true, "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10, "!1002");
}

static void
refuses_what_is_too_big_before_it_is_there (void **state)
{
    (void) state;
    check_bytes (true, "\x82\x7f\x00\x00\x00\x00\x00\x03\x0d\x41", 10, "!1009");
    check_bytes (true, "\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10, "!1009");
    check_bytes (true, "\x02\x01x\x80\x7f\x00\x00\x00\x00\x00\x03\x0d\x40", 13, "!1009");
    check_bytes (true, "\x02\x01x\x00\x01x\x80\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 16, "!1009");
}

/* ----------------------------------------------------------------------------- Close */

static void
reads_a_close (void **state)
{
    (void) state;
    CHECK ("close 1005:|", FRAME (0x88, ""));
    CHECK ("close 1000:|", FRAME (0x88, "\x03\xe8"));
    CHECK ("close 4999:done \xe2\x82\xac|", FRAME (0x88, "\x13\x87" "done \xe2\x82\xac"));
    CHECK ("1:a|close 1000:|", FRAME (0x81, "a"), FRAME (0x88, "\x03\xe8"), FRAME (0x81, "never"), FRAME (0x91, ""));
    CHECK ("!1002", FRAME (0x88, "\x03"));
    CHECK ("!1007", FRAME (0x88, "\x03\xe8\xff"));
}

static void
knows_the_codes_of_a_close (void **state)
{
    (void) state;
    static const unsigned good[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999,
                                     4000, 4999 };
    static const unsigned bad[] = { 0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535 };
    char data[2], expected[32];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        data[0] = (char) (good[i] >> 8);
        data[1] = (char) good[i];
        snprintf (expected, sizeof expected, "close %u:|", good[i]);
        CHECK (expected, { 0x88, data, 2 });
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        data[0] = (char) (bad[i] >> 8);
        data[1] = (char) bad[i];
        CHECK ("!1002", { 0x88, data, 2 });
    }
}

static void
writes_a_reason_that_fits (void **state)
{
    (void) state;
    unsigned char data[WEBSOCKET_CONTROL_MAX];
    char reason[300];
    assert_int_equal (websocket_reason (data, CLOSE_NO_CODE, "nobody sees this"), 0);
    assert_int_equal (websocket_reason (data, CLOSE_NORMAL, ""), 2);
    assert_int_equal (websocket_reason (data, 4000, "why"), 5);
    assert_memory_equal (data, "\x0f\xa0why", 5);
    memset (reason, 'a', sizeof reason);
    reason[sizeof reason - 1] = '\0';
    assert_int_equal (websocket_reason (data, 1002, reason), WEBSOCKET_CONTROL_MAX);
    memcpy (reason + 121, "\xe2\x82\xac", 3);
    assert_int_equal (websocket_reason (data, 1002, reason), 123);
}

/* ------------------------------------------------------------------------ compressed */

static int
with_deflate (void **state)
{
    (void) state;
    static const struct deflate_side side = { 15, true };
    return inflater_new (&side, &inflater) || deflater_new (&side, &deflater);
}

static int
without_deflate (void **state)
{
    (void) state;
    inflater_destroy (&inflater);
    deflater_destroy (&deflater);
    return 0;
}

static void
reads_what_is_compressed (void **state)
{
    (void) state;
    CHECK ("1:Hello|", FRAME (0xc1, "\xf2\x48\xcd\xc9\xc9\x07\x00"));
    CHECK ("ping:|1:Hello|2:plain|", FRAME (0x41, "\xf2\x48\xcd"), FRAME (0x89, ""), FRAME (0x80, "\xc9\xc9\x07\x00"),
           FRAME (0x82, "plain"));
    CHECK ("2:|", FRAME (0xc2, "\x00"));
    CHECK ("!1002", FRAME (0x41, "\xf2\x48\xcd"), FRAME (0xc0, "\xc9\xc9\x07\x00"));
    CHECK ("!1002", FRAME (0xc9, ""));
    CHECK ("!1007", FRAME (0xc1, "\xff\xff"));
    CHECK ("!1007", FRAME (0xc1, "\x00\x01\x00\xfe\xff\xe2\x00"));
    CHECK ("2:\xe2|", FRAME (0xc2, "\x00\x01\x00\xfe\xff\xe2\x00"));
}

static void
a_bomb_does_not_go_off (void **state)
{
    (void) state;
    static char zeros[MAX_SIZE + 1];
    struct buffer packed;
    buffer_init (&packed, 0);
    assert_int_equal (deflater_run (deflater, zeros, MAX_SIZE + 1, &packed), 0);
    CHECK ("!1009", { 0xc2, buffer_data (&packed), buffer_size (&packed) });
    buffer_clear (&packed);
    assert_int_equal (deflater_run (deflater, zeros, MAX_SIZE, &packed), 0);
    CHECK ("2(200000)|", { 0xc2, buffer_data (&packed), buffer_size (&packed) });
    buffer_free (&packed);
}

/* -------------------------------------------------------------------------- masking */

static void
masks_like_the_rfc_at_every_place (void **state)
{
    (void) state;
    unsigned char data[64], masked[64], back[64];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char) (i * 7);
    for (size_t size = 0; size < sizeof data; size++)
        for (uint64_t at = 0; at < 9; at++) {
            websocket_mask (masked, data, size, key, at);
            for (size_t i = 0; i < size; i++)
                assert_int_equal (masked[i], data[i] ^ key[(at + i) % 4]);
            memcpy (back, masked, size);
            websocket_mask (back, back, size, key, at);
            assert_memory_equal (back, data, size);
        }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (reads_messages),
        cmocka_unit_test (reads_lengths_of_each_kind),
        cmocka_unit_test (control_frames_stand_between),
        cmocka_unit_test (text_is_utf8_across_frames),
        cmocka_unit_test (text_is_refused_at_its_first_wrong_byte),
        cmocka_unit_test (refuses_what_the_rfc_does_not_know),
        cmocka_unit_test (a_mask_is_where_it_belongs),
        cmocka_unit_test (lengths_are_written_as_short_as_can_be),
        cmocka_unit_test (refuses_what_is_too_big_before_it_is_there),
        cmocka_unit_test (reads_a_close),
        cmocka_unit_test (knows_the_codes_of_a_close),
        cmocka_unit_test (writes_a_reason_that_fits),
        cmocka_unit_test_setup_teardown (reads_what_is_compressed, with_deflate, without_deflate),
        cmocka_unit_test_setup_teardown (a_bomb_does_not_go_off, with_deflate, without_deflate),
        cmocka_unit_test (masks_like_the_rfc_at_every_place),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
