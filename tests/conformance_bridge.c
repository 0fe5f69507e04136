/*  conformance_bridge.c - the bridge that a case of the suite runs, and the case's own sockets of the fabric */

#include "tests/conformance_parts.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "adapters/bridge_metrics.h"

const struct conformance *how;
char bridge_address[ADDRESS_TEXT];
weft_bridge_counters_t counters;
static struct bridge *bridge;
static struct bridge_setup setup;
static pthread_t thread;
static int stop_fd = -1, run_result;
static weft_socket_t *fabric;

static void
set (const char *name, const char *value)
{
    const struct option_group groups[] = {
        { .table = bridge_adapter_find (how->adapter)->options, .target = setup.configs[0] },
        { .table = bridge_options, .target = &setup.bridge },
        how->datagram ? (struct option_group) { .table = datagram_options, .target = &setup.datagram }
                      : (struct option_group) { .table = stream_options, .target = &setup.stream },
        { .table = tls_options, .target = &setup.stream.tls },
        { .table = bridge_socket_options, .target = &setup.socket }, { 0 } };
    if (option_set_in (groups, name, value, "a bridge", NULL))
        fail_msg ("%s", weft_error ());
}

static void
set_all (const char *options)
{
    char copy[1024], *save, *pair;
    snprintf (copy, sizeof copy, "%s", options);
    for (pair = strtok_r (copy, " ", &save); pair; pair = strtok_r (NULL, " ", &save)) {
        char *value = strchr (pair, '=');
        *value = '\0';
        set (pair, value + 1);
    }
}

static void *
run (void *arg)
{
    run_result = bridge_run (bridge, stop_fd, TIME_FOREVER);
    return arg;
}

void
start (const char *listen, const char *options)
{
    const struct adapter *adapter = bridge_adapter_find (how->adapter);
    const char *what;
    memset (&setup, 0, sizeof setup);
    assert_int_equal (bridge_configs_new (adapter, &setup), 0);
    for (size_t i = 0; bridge_kind (adapter, i); i++)
        assert_int_equal (option_init (bridge_kind (adapter, i)->options, setup.configs[i]), 0);
    assert_int_equal (option_init (bridge_options, &setup.bridge), 0);
    assert_int_equal (option_init (stream_options, &setup.stream), 0);
    assert_int_equal (option_init (tls_options, &setup.stream.tls), 0);
    assert_int_equal (option_init (datagram_options, &setup.datagram), 0);
    assert_int_equal (option_init (bridge_socket_options, &setup.socket), 0);
    set_all (how->options);
    set ("listen", listen ? listen : how->listen ? how->listen : "127.0.0.1:0");
    set_all (options);
    if (bridge_new (weft, adapter, &setup, &bridge))
        fail_msg ("%s", weft_error ());
    for (size_t i = 0; ; i++) {
        const char *found = bridge_listens (bridge, i, &what);
        assert_non_null (found);
        snprintf (bridge_address, sizeof bridge_address, "%s", found);
        if (strcmp (what, adapter->name) == 0)
            break;
    }
    assert_int_equal (bridge_show (bridge, true), 0);
    stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal (pthread_create (&thread, NULL, run, NULL), 0);
}

void
expect_shown (uint64_t in)
{
    struct metric_source source;
    uint64_t room[128];
    struct bridge_values *values = (void *) room;
    for (int i = 0; i < WAIT_MS; i++) {
        for (size_t j = 0; bridge_source (bridge, j, &source); j++) {
            assert_true (source.size <= sizeof room);
            source.read (source.arg, room);
        }
        assert_true (bridge_source (bridge, 0, &source));
        source.read (source.arg, room);
        if (values->counters.in == in && values->peers == 1)
            return;
        poll (NULL, 0, 1);
    }
    fail_msg ("it shows %llu messages and %llu peers", (unsigned long long) values->counters.in,
              (unsigned long long) values->peers);
}

void
tell_to_end (void)
{
    eventfd_write (stop_fd, 1);
}

void
stop (void)
{
    tell_to_end ();
    pthread_join (thread, NULL);
    bridge_counters (bridge, &counters);
    bridge_destroy (&bridge);
    const struct adapter *adapter = bridge_adapter_find (how->adapter);
    for (size_t i = 0; bridge_kind (adapter, i); i++)
        option_free (bridge_kind (adapter, i)->options, setup.configs[i]);
    option_free (bridge_options, &setup.bridge);
    option_free (tls_options, &setup.stream.tls);
    option_free (datagram_options, &setup.datagram);
    bridge_configs_free (&setup);
    close (stop_fd);
    assert_int_equal (run_result, 0);
}

/*  A test that has failed leaves a bridge that runs, and a socket. */
int
conformance_teardown (void **state)
{
    if (bridge)
        stop ();
    weft_close (&fabric);
    client_forget_tls ();
    return zmq_teardown (state);
}

/* ----------------------------------------------------------------------- the fabric */

void
write_numbers (struct buffer *data, enum adapter_mode mode, int first, int count)
{
    char text[32];
    for (int i = first; i < first + count; i++)
        how->write (data, mode, text, (size_t) snprintf (text, sizeof text, "%d", i));
}

void
expect_numbers (weft_socket_t *socket, int first, int count)
{
    char text[32];
    for (int i = first; i < first + count; i++) {
        snprintf (text, sizeof text, "%d", i);
        expect_text (socket, text);
    }
}

weft_socket_t *
bound (const char *pattern, const char *options)
{
    return fabric = open_bound (pattern, options, FABRIC);
}

weft_socket_t *
connected (const char *pattern, const char *options)
{
    return fabric = open_connected (pattern, options, FABRIC);
}

void
echo (weft_socket_t *rep, int count)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 0; i < count; i++) {
        if (weft_recv (rep, &msg, 0) || weft_send (rep, &msg, 0))
            fail_msg ("%s", weft_error ());
    }
    weft_msg_clear (&msg);
}
