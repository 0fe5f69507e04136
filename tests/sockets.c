/*  sockets.c - what the tests of the patterns share */

#include "tests/sockets.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "core/context.h"
#include "tests/wire_mem.h"

static void
listener_log (void *arg, int level, const char *text)
{
    struct listener *self = arg;
    if (level > WEFT_LOG_WARNING)
        return;
    self->lines++;
    snprintf (self->last, sizeof self->last, "%s", text);
}

weft_t *weft;
struct listener listener;
struct mem *net;

int
mem_setup (void **state)
{
    (void) state;
    listener = (struct listener) { 0 };
    net = mem_new ();
    weft = context_new (&wire_mem, mem_clock (net));
    weft_set_log (weft, listener_log, &listener);
    return weft ? 0 : -1;
}

int
mem_teardown (void **state)
{
    (void) state;
    if (weft_destroy (&weft))
        return -1;              /*  a test has failed, and left things open */
    mem_destroy (&net);
    return 0;
}

int
zmq_setup (void **state)
{
    (void) state;
    listener = (struct listener) { 0 };
    weft = weft_new ();
    weft_set_log (weft, listener_log, &listener);
    return weft ? 0 : -1;
}

int
zmq_teardown (void **state)
{
    (void) state;
    return weft_destroy (&weft);
}

int64_t
now (void)
{
    return clock_now (mem_clock (net));
}

weft_socket_t *
open_with (const char *pattern, const char *options)
{
    weft_socket_t *socket = weft_open (weft, pattern);
    assert_non_null (socket);
    char *copy = strdup (options ? options : ""), *rest = copy, *word;
    while ((word = strsep (&rest, " ")))
        if (*word) {
            char *value = word;
            char *name = strsep (&value, "=");
            if (weft_set (socket, name, value))
                fail_msg ("%s", weft_error ());
        }
    free (copy);
    return socket;
}

weft_socket_t *
open_bound (const char *pattern, const char *options, const char *endpoint)
{
    weft_socket_t *socket = open_with (pattern, options);
    if (weft_bind (socket, endpoint))
        fail_msg ("%s", weft_error ());
    return socket;
}

weft_socket_t *
open_connected (const char *pattern, const char *options, const char *endpoint)
{
    weft_socket_t *socket = open_with (pattern, options);
    if (weft_connect (socket, endpoint))
        fail_msg ("%s", weft_error ());
    return socket;
}

int
send_text (weft_socket_t *socket, const char *text, int flags)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    assert_int_equal (weft_msg_add_str (&msg, text), 0);
    int rc = weft_send (socket, &msg, flags);
    assert_int_equal (weft_msg_frames (&msg), rc ? 1 : 0);
    weft_msg_clear (&msg);
    return rc;
}

void
expect_text (weft_socket_t *socket, const char *text)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    if (weft_recv (socket, &msg, 0))
        fail_msg ("waiting for \"%s\": %s", text, weft_error ());
    assert_int_equal (weft_msg_frames (&msg), 1);
    assert_int_equal (weft_msg_size (&msg, 0), strlen (text));
    assert_memory_equal (weft_msg_data (&msg, 0), text, strlen (text));
    weft_msg_clear (&msg);
}

void
expect_error (weft_socket_t *socket, int error, int flags)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    assert_int_equal (weft_recv (socket, &msg, flags), error);
    assert_int_equal (weft_msg_frames (&msg), 0);
    weft_msg_clear (&msg);
}

weft_counters_t
counters_of (weft_socket_t *socket)
{
    weft_counters_t counters;
    weft_counters (socket, &counters);
    return counters;
}

int
connect_plain (const char *address)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_port = htons ((uint16_t) strtol (strrchr (address, ':') + 1, NULL, 10));
    assert_int_equal (connect (fd, (struct sockaddr *) &to, sizeof to), 0);
    return fd;
}
