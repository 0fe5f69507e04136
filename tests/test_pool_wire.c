/*  test_pool_wire.c - the pool's messages there and back, and those that must be refused */

#include <msgpack.h>

#include "codec/pool_wire.h"
#include "tests/testing.h"

static struct pool_bytes
text (const char *words)
{
    return (struct pool_bytes) { words, strlen (words) };
}

static void
assert_text (struct pool_bytes bytes, const char *expected)
{
    assert_int_equal (bytes.size, strlen (expected));
    assert_memory_equal (bytes.data, expected, bytes.size);
}

/*  What we write, msgpack-c reads, and as one object. */
static void
assert_msgpack (const struct buffer *out)
{
    msgpack_zone zone;
    msgpack_object object;
    size_t offset = 0;
    assert_true (msgpack_zone_init (&zone, 2048));
    assert_int_equal (msgpack_unpack (buffer_data (out), buffer_size (out), &offset, &zone, &object),
                      MSGPACK_UNPACK_SUCCESS);
    assert_int_equal (offset, buffer_size (out));
    msgpack_zone_destroy (&zone);
}

/*  Decodes; then every message that is cut off or has a byte too many is refused. */
static void
decode (struct buffer *out, struct pool_message *message)
{
    assert_msgpack (out);
    for (size_t size = 0; size < buffer_size (out); size++)
        assert_int_equal (pool_decode (message, buffer_data (out), size), WEFT_EPROTO);
    assert_int_equal (buffer_add (out, "", 1), 0);
    assert_int_equal (pool_decode (message, buffer_data (out), buffer_size (out)), WEFT_EPROTO);
    assert_int_equal (pool_decode (message, buffer_data (out), buffer_size (out) - 1), 0);
}

static const struct pool_hello hello = {
    .version = POOL_VERSION, .role = POOL_ROLE_WORKER, .instance = UINT64_MAX, .session = 3, .next = 70000,
    .last = 70001, .name = { "n:1", 3 }, .host = { "n", 1 }, .pid = 4711, .slots = 64, .window = 300, .heartbeat = 1000,
    .pool = { "0123456789abcdef", POOL_ID }, .held = 2
};

/*  What came with a later revision stands behind what was there. */
static void
test_cores_and_memory (void **state)
{
    struct pool_hello other = hello;
    struct pool_message message;
    struct pool_spec spec;
    struct pool_reader arguments;
    struct buffer out;
    uint64_t id;
    int64_t attempt;
    bool begun;
    (void) state;
    buffer_init (&out, 0);
    other.memory = UINT64_C (1) << 40;
    assert_int_equal (pool_put_hello (&out, &other), 0);
    assert_int_equal (pool_put_held (&out, 1, 2, true), 0);
    assert_int_equal (pool_put_held (&out, 3, 4, true), 0);
    assert_int_equal (pool_put_hello_end (&out, &other), 0);
    decode (&out, &message);
    assert_true (message.hello.memory == UINT64_C (1) << 40);
    assert_int_equal (pool_next_held (&message, &id, &attempt, &begun), 1);
    assert_int_equal (pool_next_held (&message, &id, &attempt, &begun), 1);
    assert_int_equal (id, 3);
    assert_int_equal (pool_next_held (&message, &id, &attempt, &begun), 0);

    buffer_clear (&out);
    assert_int_equal (pool_put_spec (&out, &(weft_job_t) { .command = "c", .cores = 4 }, 0, false), 0);
    struct pool_bytes bytes = { buffer_data (&out), buffer_size (&out) };
    assert_int_equal (pool_get_spec (&spec, bytes, &arguments), 0);
    assert_true (spec.cores == 4 && spec.memory == 0 && spec.number == 0 && spec.note.size == 0);
    buffer_clear (&out);
    weft_job_t noted = { .command = "c", .memory = 7, .note = "n", .note_size = 1 };
    assert_int_equal (pool_put_spec (&out, &noted, 0, false), 0);
    bytes = (struct pool_bytes) { buffer_data (&out), buffer_size (&out) };
    assert_int_equal (pool_get_spec (&spec, bytes, &arguments), 0);
    assert_true (spec.cores == 0 && spec.memory == 7 && spec.note.size == 1);
    buffer_free (&out);
}

static void
test_hello (void **state)
{
    struct pool_message message;
    struct buffer out;
    uint64_t id;
    int64_t attempt;
    bool begun;
    (void) state;
    buffer_init (&out, 0);
    assert_int_equal (pool_put_hello (&out, &hello), 0);
    assert_int_equal (pool_put_held (&out, 1, POOL_ATTEMPT (7, 2), true), 0);
    assert_int_equal (pool_put_held (&out, UINT64_MAX, 1, false), 0);
    decode (&out, &message);
    assert_int_equal (message.verb, POOL_HELLO);
    assert_int_equal (message.hello.role, POOL_ROLE_WORKER);
    assert_true (message.hello.instance == UINT64_MAX);
    assert_int_equal (message.hello.session, 3);
    assert_int_equal (message.hello.next, 70000);
    assert_text (message.hello.name, "n:1");
    assert_text (message.hello.host, "n");
    assert_int_equal (message.hello.pid, 4711);
    assert_int_equal (message.hello.slots, 64);
    assert_int_equal (message.hello.window, 300);
    assert_int_equal (message.hello.heartbeat, 1000);
    assert_int_equal (message.hello.memory, 0);
    assert_int_equal (message.hello.last, 70001);
    assert_text (message.hello.pool, "0123456789abcdef");
    assert_int_equal (pool_next_held (&message, &id, &attempt, &begun), 1);
    assert_true (id == 1 && begun);
    assert_int_equal (POOL_ATTEMPT_EPOCH (attempt), 7);
    assert_int_equal (POOL_ATTEMPT_NUMBER (attempt), 2);
    assert_int_equal (pool_next_held (&message, &id, &attempt, &begun), 1);
    assert_true (id == UINT64_MAX && attempt == 1 && !begun);
    assert_int_equal (pool_next_held (&message, &id, &attempt, &begun), 0);
    buffer_free (&out);
}

static void
test_welcome_and_refusal (void **state)
{
    struct pool_message message;
    struct pool_welcome welcome = { .version = POOL_VERSION, .instance = 5, .session = 6, .have = 7, .heartbeat = 8,
                                    .pool = { "0123456789abcdef", POOL_ID } };
    struct buffer out;
    (void) state;
    buffer_init (&out, 0);
    assert_int_equal (pool_put_welcome (&out, &welcome), 0);
    decode (&out, &message);
    assert_int_equal (message.welcome.instance, 5);
    assert_int_equal (message.welcome.session, 6);
    assert_int_equal (message.welcome.have, 7);
    assert_int_equal (message.welcome.heartbeat, 8);
    assert_text (message.welcome.pool, "0123456789abcdef");
    buffer_clear (&out);
    assert_int_equal (pool_put_refused (&out, "no"), 0);
    decode (&out, &message);
    assert_int_equal (message.verb, POOL_REFUSED);
    assert_text (message.text, "no");
    buffer_free (&out);
}

static void
test_other_version (void **state)
{
    struct pool_message message;
    struct pool_hello other = hello;
    struct buffer out;
    (void) state;
    buffer_init (&out, 0);
    other.version = POOL_VERSION + 1;
    other.held = 0;
    assert_int_equal (pool_put_hello (&out, &other), 0);
    assert_int_equal (pool_decode (&message, buffer_data (&out), buffer_size (&out)), WEFT_ENOTSUP);
    assert_says ("version 3");
    memcpy (memmem (buffer_data (&out), buffer_size (&out), POOL_PROTOCOL, 9), "waft-pool", 9);
    assert_int_equal (pool_decode (&message, buffer_data (&out), buffer_size (&out)), WEFT_EPROTO);
    buffer_free (&out);
}

static void
test_plain (void **state)
{
    static const enum pool_verb verbs[] = { POOL_GOODBYE, POOL_UNKNOWN };
    struct pool_message message;
    struct buffer out;
    (void) state;
    buffer_init (&out, 0);
    for (int i = 0; i < 2; i++) {
        buffer_clear (&out);
        assert_int_equal (pool_put_plain (&out, verbs[i], 5), 0);
        decode (&out, &message);
        assert_int_equal (message.verb, verbs[i]);
        assert_int_equal (message.session, 5);
    }
    buffer_clear (&out);
    assert_int_equal (pool_put_plain (&out, (enum pool_verb) 99, 5), 0);
    assert_int_equal (pool_decode (&message, buffer_data (&out), buffer_size (&out)), WEFT_EPROTO);
    buffer_clear (&out);
    assert_int_equal (pool_put_end (&out, true), 0);
    decode (&out, &message);
    assert_true (message.answer);
    buffer_clear (&out);
    assert_int_equal (pool_put_ack (&out, 5, 12345678901), 0);
    decode (&out, &message);
    assert_true (message.session == 5 && message.have == 12345678901);
    buffer_clear (&out);
    assert_int_equal (pool_put_heartbeat (&out, 5, 6, 7), 0);
    decode (&out, &message);
    assert_true (message.session == 5 && message.number == 6 && message.have == 7);
    buffer_free (&out);
}

static void
put_job (struct buffer *out, uint64_t id, const weft_job_t *job)
{
    struct buffer spec;
    buffer_init (&spec, 0);
    assert_int_equal (pool_put_spec (&spec, job, 1500, true), 0);
    assert_int_equal (pool_put_job (out, id, 2, buffer_data (&spec), buffer_size (&spec)), 0);
    buffer_free (&spec);
}

static void
test_jobs (void **state)
{
    const char *const argv[] = { "cat", "", "-" };
    struct pool_message message;
    struct pool_spec spec;
    struct pool_reader arguments;
    struct pool_bytes bytes, argument;
    struct buffer out;
    uint64_t id;
    int64_t attempt;
    (void) state;
    buffer_init (&out, 0);
    assert_int_equal (pool_put_jobs (&out, 7, 8, 9, 3), 0);
    put_job (&out, 1, &(weft_job_t) { .command = "echo a", .input = "\0x", .input_size = 2, .slot_mark = "{%}" });
    put_job (&out, UINT64_MAX, &(weft_job_t) { .argv = argv, .argc = 3, .number = 7, .note = "a\0b", .note_size = 3 });
    put_job (&out, 3, &(weft_job_t) { .input = "\0m", .input_size = 2 });
    decode (&out, &message);
    assert_int_equal (message.verb, POOL_JOBS);
    assert_true (message.session == 7 && message.number == 8 && message.have == 9);

    assert_int_equal (pool_next_job (&message, &id, &attempt, &bytes), 1);
    assert_int_equal (id, 1);
    assert_int_equal (attempt, 2);
    assert_int_equal (pool_get_spec (&spec, bytes, &arguments), 0);
    assert_true (spec.stream);
    assert_int_equal (spec.timeout, 1500);
    assert_text (spec.command, "echo a");
    assert_text (spec.mark, "{%}");
    assert_int_equal (spec.input.size, 2);
    assert_memory_equal (spec.input.data, "\0x", 2);
    assert_true (spec.number == 0 && spec.note.size == 0);

    assert_int_equal (pool_next_job (&message, &id, &attempt, &bytes), 1);
    assert_true (id == UINT64_MAX);
    assert_int_equal (pool_get_spec (&spec, bytes, &arguments), 0);
    assert_int_equal (spec.argc, 3);
    for (size_t i = 0; i < spec.argc; i++) {
        assert_int_equal (pool_next_argument (&arguments, &argument), 1);
        assert_text (argument, argv[i]);
    }
    assert_int_equal (spec.number, 7);
    assert_int_equal (spec.note.size, 3);
    assert_memory_equal (spec.note.data, "a\0b", 3);
    assert_false (spec.message);

    assert_int_equal (pool_next_job (&message, &id, &attempt, &bytes), 1);
    assert_int_equal (pool_get_spec (&spec, bytes, &arguments), 0);
    assert_true (spec.message && !spec.argc && !spec.command.size);
    assert_int_equal (spec.input.size, 2);
    assert_memory_equal (spec.input.data, "\0m", 2);
    assert_int_equal (pool_next_job (&message, &id, &attempt, &bytes), 0);
    buffer_free (&out);
}

static void
test_report (void **state)
{
    struct pool_record records[] = {
        { .kind = WEFT_POOL_STARTED, .job = 1, .tag = 2, .attempt = 3, .slot = 4, .command = text ("true") },
        { .kind = WEFT_POOL_OUTPUT, .job = 1, .attempt = 3, .stream = 2, .data = text ("words") },
        { .kind = WEFT_POOL_DONE, .job = 1, .attempt = 3, .reason = WEFT_JOB_TIMEOUT, .status = 255, .signal = 9,
          .started = -5, .runtime = INT64_MAX, .received = UINT64_MAX, .sent = 7, .data = text ("why") },
        { .kind = WEFT_POOL_JOINED, .name = text ("w"), .host = text ("h"), .slots = 3 },
        { .kind = WEFT_POOL_LEFT, .name = text ("w"), .host = text ("h") },
        { .kind = POOL_RECORD_RETURNED, .job = 8, .attempt = 1 },
    };
    struct pool_message message;
    struct pool_record record;
    struct buffer out;
    (void) state;
    buffer_init (&out, 0);
    assert_int_equal (pool_put_report (&out, 11, 12, 6), 0);
    for (int i = 0; i < 6; i++)
        assert_int_equal (pool_put_record (&out, &records[i]), 0);
    decode (&out, &message);
    assert_int_equal (message.number, 11);
    assert_int_equal (message.window, 12);
    for (int i = 0; i < 6; i++) {
        assert_int_equal (pool_next_record (&message, &record), 1);
        assert_int_equal (record.kind, records[i].kind);
        assert_int_equal (record.job, records[i].job);
        assert_int_equal (record.tag, records[i].tag);
        assert_int_equal (record.attempt, records[i].attempt);
        assert_int_equal (record.slot, records[i].slot);
        assert_int_equal (record.slots, records[i].slots);
        assert_int_equal (record.stream, records[i].stream);
        assert_int_equal (record.reason, records[i].reason);
        assert_int_equal (record.status, records[i].status);
        assert_int_equal (record.signal, records[i].signal);
        assert_int_equal (record.started, records[i].started);
        assert_int_equal (record.runtime, records[i].runtime);
        assert_true (record.received == records[i].received && record.sent == records[i].sent);
        assert_int_equal (record.data.size, records[i].data.size);
        assert_int_equal (record.command.size, records[i].command.size);
        assert_int_equal (record.name.size, records[i].name.size);
    }
    assert_int_equal (pool_next_record (&message, &record), 0);
    buffer_free (&out);
}

static void
test_cancel (void **state)
{
    struct pool_message message;
    struct buffer out;
    uint64_t id;
    int64_t attempt;
    (void) state;
    buffer_init (&out, 0);
    assert_int_equal (pool_put_cancel (&out, 2, 3, true, 1), 0);
    assert_int_equal (pool_put_cancelled (&out, 5, 6), 0);
    decode (&out, &message);
    assert_true (message.running && message.session == 2 && message.number == 3);
    assert_int_equal (pool_next_cancelled (&message, &id, &attempt), 1);
    assert_int_equal (id, 5);
    assert_int_equal (attempt, 6);
    assert_int_equal (pool_next_cancelled (&message, &id, &attempt), 0);
    buffer_free (&out);
}

/*  Batches that are well-formed, but whose members are not what they should be. */
static void
test_bad_members (void **state)
{
    static const char *const reports[] = {
        "\x94\x05\x01\x01\x91\x01",                         /*  no array                    */
        "\x94\x05\x01\x01\x91\x90",                         /*  an empty one                */
        "\x94\x05\x01\x01\x91\x97\x00\x01\x01\x01\x01\xa0\xa0",             /*  kind 0      */
        "\x94\x05\x01\x01\x91\x97\x02\x01\x01\x01\x01\xa0\xa0",             /*  no data     */
        "\x94\x05\x01\x01\x91\x99\x02\x01\x01\x01\x01\xa0\xa0\x03\xa0",     /*  stream 3    */
        "\x94\x05\x01\x01\x91\x97\x07\xff\x01\x01\x01\xa0\xa0",             /*  job -1      */
        "\x94\x05\x01\x01\x91\x97\x07\x01\x01\x01\x01\xa1\x1b\xa0",         /*  name is ESC */
        "\x94\x05\x01\x01\x91\x97\x07\x01\x01\x01\x01\xa1\x7f\xa0",         /*  name is DEL */
    };
    struct pool_message message;
    struct pool_record record;
    (void) state;
    /*  The sizes cannot be taken from the texts, which hold NULs. */
    static const size_t sizes[] = { 6, 6, 13, 13, 15, 13, 14, 14 };
    for (int i = 0; i < 8; i++) {
        assert_int_equal (pool_decode (&message, reports[i], sizes[i]), 0);
        assert_int_equal (pool_next_record (&message, &record), WEFT_EPROTO);
    }
}

/*  A flag is 0 or 1. */
static void
test_bad_flags (void **state)
{
    struct pool_message message;
    const char end[] = { '\x92', POOL_END, 2 }, cancel[] = { '\x95', POOL_CANCEL, 1, 1, 2, '\x90' };
    (void) state;
    assert_int_equal (pool_decode (&message, end, sizeof end), WEFT_EPROTO);
    assert_int_equal (pool_decode (&message, cancel, sizeof cancel), WEFT_EPROTO);
}

/*  Longer arrays than we know are fine: what is added later is passed over. */
static void
test_longer_arrays (void **state)
{
    struct pool_message message;
    struct pool_record record;
    (void) state;
    static const char longer[] = "\x96\x05\x01\x02\x91\x99\x07\x05\x01\x01\x01\xa0\xa0\xc0\x91\x81\xa1x\x05\xc0\xc3";
    assert_int_equal (pool_decode (&message, longer, sizeof longer - 1), 0);
    assert_int_equal (pool_next_record (&message, &record), 1);
    assert_int_equal (record.job, 5);
    assert_int_equal (pool_next_record (&message, &record), 0);
}

static void
test_scan (void **state)
{
    (void) state;
    assert_int_equal (pool_scan ("\xdf\x0a\xff\xff\xff", 5), WEFT_EPROTO);
    assert_says ("promises more members");
    assert_int_equal (pool_scan ("\xdd\xff\xff\xff\xff\x01", 6), WEFT_EPROTO);
    assert_int_equal (pool_scan ("\xc6\xff\xff\xff\xff\x01", 6), WEFT_EPROTO);
    assert_int_equal (pool_scan ("\xc1", 1), WEFT_EPROTO);
    assert_int_equal (pool_scan ("", 0), WEFT_EPROTO);
    assert_int_equal (pool_scan ("\x01\x01", 2), WEFT_EPROTO);
    assert_int_equal (pool_scan ("\x91\x91\x91\x91\x91\x91\x91\x91\x90", 9), WEFT_EPROTO);
    assert_says ("nested too deep");
    assert_int_equal (pool_scan ("\x91\x91\x91\x91\x91\x91\x91\x90", 8), 0);
    assert_int_equal (pool_scan ("\x82\x01\xc0\xa1k\x94\xc2\xca\0\0\0\0\xd4\x01\x02\xc7\x01\x01\x01", 19), 0);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_hello),
        cmocka_unit_test (test_cores_and_memory),
        cmocka_unit_test (test_welcome_and_refusal),
        cmocka_unit_test (test_other_version),
        cmocka_unit_test (test_plain),
        cmocka_unit_test (test_jobs),
        cmocka_unit_test (test_report),
        cmocka_unit_test (test_cancel),
        cmocka_unit_test (test_bad_members),
        cmocka_unit_test (test_bad_flags),
        cmocka_unit_test (test_longer_arrays),
        cmocka_unit_test (test_scan),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
