/*  sockets.c - what the tests of the patterns share */

#include "tests/sockets.h"

#include <dirent.h>
#include <unistd.h>

#define WAIT_MS 10000           /*  long enough to be an error */

void
listener_log (void *arg, int level, const char *text)
{
    struct listener *self = arg;
    if (level > WEFT_LOG_WARNING)
        return;
    self->lines++;
    snprintf (self->last, sizeof self->last, "%s", text);
}

weft_socket_t *
open_with (weft_t *weft, const char *pattern, const char *options)
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
open_bound (weft_t *weft, const char *pattern, const char *options, const char *endpoint)
{
    weft_socket_t *socket = open_with (weft, pattern, options);
    if (weft_bind (socket, endpoint))
        fail_msg ("%s", weft_error ());
    return socket;
}

weft_socket_t *
open_connected (weft_t *weft, const char *pattern, const char *options, const char *endpoint)
{
    weft_socket_t *socket = open_with (weft, pattern, options);
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

void
await_peers (weft_socket_t *socket, uint64_t came, uint64_t gone)
{
    for (int i = 0; i < WAIT_MS; i++) {
        weft_counters_t counters = counters_of (socket);
        if (counters.connects >= came && counters.disconnects >= gone)
            return;
        weft_pollitem_t item = { .self = socket, .events = WEFT_ERR };
        weft_poll (&item, 1, 1);
    }
    fail_msg ("peers neither came nor went");
}

char *
scratch_make (void)
{
    char *path = strdup ("/tmp/weft-test-XXXXXX");
    assert_non_null (mkdtemp (path));
    return path;
}

void
scratch_remove (char *path)
{
    DIR *directory = opendir (path);
    for (struct dirent *entry; directory && (entry = readdir (directory));)
        if (entry->d_name[0] != '.')
            unlinkat (dirfd (directory), entry->d_name, 0);
    if (directory)
        closedir (directory);
    assert_int_equal (rmdir (path), 0);
    free (path);
}
