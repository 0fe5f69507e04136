/*  test_unix_socket.c - Unix sockets that listen, and streams over them: whose a path is, who may come, who it was */

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/testing.h"

#include "core/clock.h"
#include "core/error.h"
#include "core/stream.h"
#include "tests/folder.h"

#define LIMIT (20 * TIME_S)

static char text[256];

static const char *
unix_text (const char *name)
{
    snprintf (text, sizeof text, "unix:%s", folder_path (name));
    return text;
}

static int
connect_to (const char *path)
{
    struct sockaddr_un address;
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (unix_address (&address, path, path), 0);
    if (connect (fd, (struct sockaddr *) &address, unix_address_size (&address)) == 0)
        return fd;
    close (fd);
    return -1;
}

static bool
is_there (const char *path)
{
    return access (path, F_OK) == 0;
}

/* ------------------------------------------------------------------------- the path */

static void
a_path_is_private_and_goes_in_the_end (void **state)
{
    (void) state;
    struct unix_place place;
    struct stat status;
    const char *path = folder_path ("s");
    umask (0);
    int fd = unix_listen ("s", path, 8, &place);
    umask (022);
    assert_true (fd >= 0);
    assert_int_equal (stat (path, &status), 0);
    assert_int_equal (status.st_mode & 0777, 0600);
    unix_leave (&place);
    assert_false (is_there (path));
    close (fd);
}

static void
nobody_loses_a_place_who_is_there (void **state)
{
    (void) state;
    struct unix_place place, other;
    const char *path = folder_path ("s");
    int fd = unix_listen ("s", path, 8, &place);
    assert_int_equal (unix_listen ("s", path, 8, &other), WEFT_EADDRINUSE);
    assert_says ("somebody listens there");
    unix_leave (&other);
    assert_true (is_there (path));
    close (fd);                         /*  as one that was killed */
    fd = unix_listen ("s", path, 8, &other);
    assert_true (fd >= 0);
    unix_leave (&other);
    close (fd);
}

static void
nor_does_a_file (void **state)
{
    (void) state;
    struct unix_place place;
    folder_write ("file", "precious", 0644);
    assert_int_equal (unix_listen ("s", folder_path ("file"), 8, &place), WEFT_EADDRINUSE);
    assert_says ("a file, and not a socket");
    assert_true (is_there (folder_path ("file")));
}

static void
what_another_has_put_there_stays (void **state)
{
    (void) state;
    struct unix_place place;
    const char *path = folder_path ("s");
    int fd = unix_listen ("s", path, 8, &place);
    assert_int_equal (rename (path, folder_path ("kept")), 0);
    folder_write ("s", "somebody's", 0600);
    unix_leave (&place);
    assert_true (is_there (path));
    close (fd);
}

/* -------------------------------------------------------------------------- streams */

struct side {
    struct stream *stream;
    char got[64], peer[ADDRESS_TEXT];
    int closed;
};

static struct reactor *reactor;
static struct stream_config config;
static struct side server, client;

static int64_t
on_data (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    struct side *self = arg;
    (void) stream;
    snprintf (self->got, sizeof self->got, "%.*s", (int) size, (const char *) data);
    return (int64_t) size;
}

static int
on_ended (void *arg, struct stream *stream, const unsigned char *data, size_t size)
{
    (void) arg, (void) stream, (void) data, (void) size;
    return 0;
}

static void
on_closed (void *arg, struct stream *stream, int error, const char *why, size_t unsent)
{
    struct side *self = arg;
    (void) stream, (void) error, (void) why, (void) unsent;
    self->closed++;
    self->stream = NULL;
}

static const struct stream_handler handler = { on_data, on_ended, NULL, on_closed };

static void
on_stream (void *arg, struct stream *stream)
{
    struct side *self = arg;
    if (self->stream)
        return;
    self->stream = stream;
    snprintf (self->peer, sizeof self->peer, "%s", stream_peer (stream));
    stream_adopt (stream, &handler, self);
}

static int failures;

static void
on_failed (void *arg, const char *why)
{
    (void) arg;
    assert_non_null (strstr (why, "unix:"));
    failures++;
}

static bool are_open (void) { return server.stream && client.stream; }
static bool has_heard (void) { return server.got[0] && client.got[0]; }
static bool has_failed (void) { return failures > 0; }
static bool is_open (void) { return server.stream != NULL; }

static void
run_until (bool (*reached) (void))
{
    int64_t end = clock_deadline (clock_system (), LIMIT);
    while (!reached ()) {
        if (clock_left (clock_system (), end) == 0)
            fail_msg ("waited in vain");
        reactor_run (reactor, TIME_MS);
    }
}

static int
setup (void **state)
{
    server = client = (struct side) { 0 };
    failures = 0;
    config = (struct stream_config) { .in_max = 1 << 20, .out_max = 1 << 20, .progress = 30 * TIME_S,
                                      .connect_timeout = 10 * TIME_S, .reconnect = TIME_MS,
                                      .reconnect_max = 10 * TIME_MS };
    return folder_setup (state) || reactor_new (&reactor);
}

static int
teardown (void **state)
{
    for (int i = 0; i < 2; i++) {
        struct side *side = i ? &server : &client;
        if (side->stream)
            stream_close (side->stream, 0);
    }
    reactor_run (reactor, 0);
    reactor_run (reactor, 0);
    reactor_destroy (&reactor);
    return folder_teardown (state);
}

static void
carry_over (const char *address)
{
    struct listener *listener;
    struct dialer *dialer;
    char expected[64];
    assert_int_equal (dialer_new (reactor, address, &config, on_stream, on_failed, &client, &dialer), 0);
    run_until (has_failed);
    if (listener_new (reactor, address, &config, on_stream, &server, &listener))
        fail_msg ("%s", weft_error ());
    assert_string_equal (listener_address (listener), address);
    run_until (are_open);
    stream_write (server.stream, "down", 4);
    stream_write (client.stream, "up", 2);
    run_until (has_heard);
    assert_string_equal (server.got, "up");
    assert_string_equal (client.got, "down");
    assert_string_equal (client.peer, address);
    snprintf (expected, sizeof expected, "unix:%d/%d", (int) getpid (), (int) getuid ());
    assert_string_equal (server.peer, expected);
    dialer_stop (dialer);
    stream_close (server.stream, 0);
    stream_close (client.stream, 0);
    reactor_run (reactor, 0);
    dialer_destroy (&dialer);
    listener_destroy (&listener);
}

static void
streams_go_over_a_path (void **state)
{
    (void) state;
    carry_over (unix_text ("s"));
    assert_false (is_there (folder_path ("s")));
}

static void
and_over_an_abstract_name (void **state)
{
    (void) state;
    char name[64];
    snprintf (name, sizeof name, "unix:@weft-test-%d", (int) getpid ());
    carry_over (name);
}

static void
a_user_counts_as_a_host (void **state)
{
    (void) state;
    struct listener *listener;
    struct listener_counters counters = { 0 };
    config.max_per_host = 1;
    assert_int_equal (listener_new (reactor, unix_text ("s"), &config, on_stream, &server, &listener), 0);
    int first = connect_to (folder_path ("s")), second = connect_to (folder_path ("s"));
    run_until (is_open);
    while (counters.turned_away == 0) {
        reactor_run (reactor, TIME_MS);
        listener_counters (listener, &counters);
    }
    assert_int_equal (counters.accepted, 1);
    close (first);
    close (second);
    stream_close (server.stream, 0);
    reactor_run (reactor, 0);
    listener_destroy (&listener);
}

#define test(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        test (a_path_is_private_and_goes_in_the_end),
        test (nobody_loses_a_place_who_is_there),
        test (nor_does_a_file),
        test (what_another_has_put_there_stays),
        test (streams_go_over_a_path),
        test (and_over_an_abstract_name),
        test (a_user_counts_as_a_host),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
