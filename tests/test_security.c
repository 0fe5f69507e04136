/*  test_security.c - the options key, server-key, allow and insecure: what they come to, and what is refused */

#include "tests/testing.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/allow.h"
#include "core/security.h"
#include "tests/folder.h"
#include "tests/sockets.h"

static const char *const networks[] = { "tcp://*:0", "tcp://0.0.0.0:0", "tcp://[::]:0", "tcp://10.1.2.3:5" };
static const char *const own[] = { "tcp://127.0.0.1:0", "tcp://[::1]:0", "tcp://localhost:0", "ipc:///tmp/x",
                                   "ipc://@x", "inproc://x" };
#define COUNT(array) (sizeof array / sizeof *array)

static int
check (const struct security_config *config, const char *text, enum endpoint_side side)
{
    struct endpoint endpoint;
    assert_int_equal (endpoint_parse (&endpoint, text, side), 0);
    return security_check (config, &endpoint);
}

static void
clear_text_stays_on_this_machine (void **state)
{
    struct security_config config = { .key = NULL };
    (void) state;
    for (size_t i = 0; i < COUNT (networks); i++) {
        assert_int_equal (check (&config, networks[i], ENDPOINT_BIND), WEFT_EACCES);
        assert_says ("weft key new");
        assert_says ("weft key allow");
        assert_says ("--insecure");
    }
    for (size_t i = 0; i < COUNT (own); i++)
        assert_int_equal (check (&config, own[i], ENDPOINT_BIND), 0);
    assert_int_equal (check (&config, "tcp://10.1.2.3:5", ENDPOINT_CONNECT), 0);
    config.insecure = true;
    for (size_t i = 0; i < COUNT (networks); i++)
        assert_int_equal (check (&config, networks[i], ENDPOINT_BIND), 0);
    config = (struct security_config) { .key = (char[]) { "x" } };
    for (size_t i = 0; i < COUNT (networks); i++)
        assert_int_equal (check (&config, networks[i], ENDPOINT_BIND), 0);
}

static void
half_of_what_is_needed_is_refused (void **state)
{
    char text[] = "x";
    struct security_config key = { .key = text }, server = { .server_key = text }, list = { .allow = text },
                           both = { .key = text, .server_key = text };
    (void) state;
    assert_int_equal (check (&key, "tcp://127.0.0.1:1", ENDPOINT_CONNECT), WEFT_EINVAL);
    assert_says ("server-key");
    assert_int_equal (check (&key, "ipc:///tmp/x", ENDPOINT_CONNECT), WEFT_EINVAL);
    assert_int_equal (check (&server, "tcp://127.0.0.1:1", ENDPOINT_CONNECT), WEFT_EINVAL);
    assert_says ("key of our own");
    assert_int_equal (check (&list, "tcp://127.0.0.1:1", ENDPOINT_BIND), WEFT_EINVAL);
    assert_int_equal (check (&both, "tcp://127.0.0.1:1", ENDPOINT_CONNECT), 0);
    assert_int_equal (check (&key, "inproc://x", ENDPOINT_CONNECT), 0);
    assert_int_equal (check (&server, "inproc://x", ENDPOINT_CONNECT), 0);
}

/*  Each kind of handle, the way that it is bound. */

static int
bind_socket (weft_t *context, const char *pattern, const char *option, const char *endpoint)
{
    weft_socket_t *socket = weft_open (context, pattern);
    int rc = option ? weft_set (socket, option, "yes") : 0;
    rc = rc ? rc : weft_bind (socket, endpoint);
    weft_close (&socket);
    return rc;
}

static int
bind_proxy (weft_t *context, const char *option, const char *endpoint)
{
    weft_proxy_t *proxy = weft_proxy_new (context, "queue");
    int rc = option ? weft_proxy_set (proxy, option, "yes") : 0;
    rc = rc ? rc : weft_proxy_attach (proxy, "front", endpoint);
    weft_proxy_destroy (&proxy);
    return rc;
}

static int
bind_pool (weft_t *context, const char *option, const char *endpoint)
{
    weft_pool_t *pool = weft_pool_new (context);
    int rc = option ? weft_pool_set (pool, option, "yes") : 0;
    rc = rc ? rc : weft_pool_bind (pool, endpoint);
    weft_pool_destroy (&pool);
    return rc;
}

static int
bind_sink (weft_t *context, const char *option, const char *endpoint)
{
    weft_sink_t *sink = weft_sink_new (context);
    int rc = option ? weft_sink_set (sink, option, "yes") : 0;
    rc = rc ? rc : weft_sink_bind (sink, endpoint);
    weft_sink_destroy (&sink);
    return rc;
}

static void
every_handle_refuses_and_obeys (void **state)
{
    static const char *const patterns[] = { "req", "rep", "pub", "sub", "push", "pull" };
    weft_t *context = weft_new ();
    (void) state;
    for (size_t i = 0; i < COUNT (patterns); i++) {
        assert_int_equal (bind_socket (context, patterns[i], NULL, "tcp://*:0"), WEFT_EACCES);
        assert_int_equal (bind_socket (context, patterns[i], "insecure", "tcp://*:0"), 0);
    }
    assert_int_equal (bind_proxy (context, NULL, "tcp://127.0.0.1:0,tcp://*:0"), WEFT_EACCES);
    assert_int_equal (bind_proxy (context, "insecure", "tcp://*:0"), 0);
    assert_int_equal (bind_pool (context, NULL, "tcp://*:0"), WEFT_EACCES);
    assert_int_equal (bind_pool (context, "insecure", "tcp://*:0"), 0);
    assert_int_equal (bind_sink (context, NULL, "tcp://*:0"), WEFT_EACCES);
    assert_int_equal (bind_sink (context, "insecure", "tcp://*:0"), 0);
    assert_int_equal (weft_destroy (&context), 0);
}

static void
a_worker_and_a_head_need_both_keys_to_connect (void **state)
{
    weft_t *context = weft_new ();
    weft_worker_t *worker = weft_worker_new (context);
    weft_pool_t *pool = weft_pool_new (context);
    (void) state;
    assert_int_equal (weft_worker_set (worker, "server-key", "x"), 0);
    assert_int_equal (weft_worker_connect (worker, "tcp://127.0.0.1:1"), WEFT_EINVAL);
    assert_int_equal (weft_pool_set (pool, "sink", "tcp://127.0.0.1:1"), 0);
    assert_int_equal (weft_pool_set (pool, "server-key", "x"), 0);
    assert_int_equal (weft_pool_bind (pool, "inproc://x"), WEFT_EINVAL);
    assert_says ("tcp://127.0.0.1:1");
    weft_worker_destroy (&worker);
    weft_pool_destroy (&pool);
    assert_int_equal (weft_destroy (&context), 0);
}

/*  After a failure options can be set, and the same handle bound. */
static void
what_was_refused_can_be_mended (void **state)
{
    weft_t *context = weft_new ();
    weft_socket_t *pull = weft_open (context, "pull");
    char value[64];
    (void) state;
    assert_int_equal (weft_bind (pull, "tcp://*:0"), WEFT_EACCES);
    assert_int_equal (weft_set (pull, "insecure", "yes"), 0);
    assert_int_equal (weft_get (pull, "insecure", value, sizeof value), 0);
    assert_string_equal (value, "yes");
    assert_int_equal (weft_bind (pull, "tcp://*:0"), 0);
    assert_int_equal (weft_set (pull, "insecure", "no"), WEFT_ESTATE);
    weft_close (&pull);
    assert_int_equal (weft_destroy (&context), 0);
}

/* ---------------------------------------------------------------- with keys */

static char folder[FOLDER_SIZE];
static struct certificate server, alice;

static void
file_of (char path[128], const char *name)
{
    snprintf (path, 128, "%s/%s", folder, name);
}

static int
keys_setup (void **state)
{
    char path[128];
    assert_int_equal (folder_make (folder), 0);
    setenv ("WEFT_KEYS", folder, 1);
    assert_int_equal (certificate_new (&server, "server"), 0);
    assert_int_equal (certificate_new (&alice, "alice"), 0);
    file_of (path, "server.key");
    assert_int_equal (certificate_save (&server, path, true, false), 0);
    file_of (path, "alice.key");
    assert_int_equal (certificate_save (&alice, path, true, false), 0);
    return zmq_setup (state);
}

static int
keys_teardown (void **state)
{
    int rc = zmq_teardown (state);
    unsetenv ("WEFT_KEYS");
    return folder_remove () || rc ? -1 : 0;
}

static void
let_in (const char *file, const struct certificate *who, const char *may)
{
    char path[128];
    struct allow_entry entry = { .may = may };
    file_of (path, file);
    strcpy (entry.name, who->name);
    strcpy (entry.key, who->public_key);
    assert_int_equal (allow_file_put (path, &entry, true, NULL), 0);
}

static weft_socket_t *
open_client (const char *pattern, const char *endpoint)
{
    weft_socket_t *socket = open_with (pattern, "timeout=5s");
    assert_int_equal (weft_set (socket, "key", "alice"), 0);
    assert_int_equal (weft_set (socket, "server-key", server.public_key), 0);
    assert_int_equal (weft_connect (socket, endpoint), 0);
    return socket;
}

/*  The list is that of the key directory, or the one that was given. */
static void
a_peer_with_its_key_is_let_in (void **state)
{
    static const char *const lists[] = { "allowed", "others" };
    (void) state;
    for (size_t i = 0; i < COUNT (lists); i++) {
        char path[128];
        weft_socket_t *rep = open_with ("rep", "timeout=5s");
        file_of (path, lists[i]);
        let_in (lists[i], &alice, "");
        assert_int_equal (weft_set (rep, "key", "server"), 0);
        if (i)
            assert_int_equal (weft_set (rep, "allow", path), 0);
        assert_int_equal (weft_bind (rep, "tcp://127.0.0.1:0"), 0);
        weft_socket_t *req = open_client ("req", weft_endpoint (rep));
        assert_int_equal (send_text (req, "hello", 0), 0);
        expect_text (rep, "hello");
        assert_int_equal (send_text (rep, "world", 0), 0);
        expect_text (req, "world");
        weft_close (&req);
        weft_close (&rep);
        unlink (path);
    }
    assert_int_equal (listener.lines, 0);
}

/*  What those who come to each pattern do: a key that is for that is let in, and one for anything else is not. */
static void
each_pattern_says_what_its_peers_do (void **state)
{
    static const char *const pairs[][2] = { { "rep", "req" }, { "req", "rep" }, { "pub", "sub" }, { "sub", "pub" },
                                            { "push", "pull" }, { "pull", "push" } };
    (void) state;
    for (size_t i = 0; i < COUNT (pairs); i++)
        for (int fits = 1; fits >= 0; fits--) {
            char may[16] = "";      /*  a word, and then an empty one */
            weft_socket_t *bound = open_with (pairs[i][0], NULL);
            strcpy (may, fits ? pairs[i][1] : "worker");
            let_in ("allowed", &alice, may);
            assert_int_equal (weft_set (bound, "key", "server"), 0);
            assert_int_equal (weft_bind (bound, "tcp://127.0.0.1:0"), 0);
            weft_socket_t *peer = open_client (pairs[i][1], weft_endpoint (bound));
            assert_true (weft_events (peer) >= 0);      /*  it connects at its first use */
            if (fits)
                assert_int_equal (weft_wait_peers (bound, 1, 5000), 0);
            while (!fits && counters_of (bound).rejected_peers == 0)
                assert_true (weft_wait_peers (bound, 1, 50) < 0);
            weft_close (&peer);
            weft_close (&bound);
        }
}

/*  A subscriber is given the topics that are its own, and cut off when it asks for others. */
static void
a_subscriber_keeps_to_its_topics (void **state)
{
    weft_socket_t *pub = open_with ("pub", NULL);
    (void) state;
    let_in ("allowed", &alice, "sub:weather.\0");
    assert_int_equal (weft_set (pub, "key", "server"), 0);
    assert_int_equal (weft_bind (pub, "tcp://127.0.0.1:0"), 0);
    weft_socket_t *good = open_with ("sub", "timeout=5s topic=weather.de"), *bad = open_with ("sub", "topic=weather");
    weft_socket_t *const both[] = { good, bad };
    for (size_t i = 0; i < COUNT (both); i++) {
        assert_int_equal (weft_set (both[i], "key", "alice"), 0);
        assert_int_equal (weft_set (both[i], "server-key", server.public_key), 0);
        assert_int_equal (weft_connect (both[i], weft_endpoint (pub)), 0);
    }
    assert_int_equal (weft_wait_peers (pub, 1, 10000), 0);
    while (counters_of (pub).refused == 0)
        assert_true (weft_wait_peers (pub, 2, 20) < 0);
    assert_int_equal (counters_of (pub).subscriptions, 1);
    assert_non_null (strstr (listener.last, "cut off"));
    assert_int_equal (send_text (pub, "weather.de sun", 0), 0);
    expect_text (good, "weather.de sun");
    expect_error (bad, WEFT_EAGAIN, WEFT_DONTWAIT);
    weft_close (&good);
    weft_close (&bad);
    weft_close (&pub);
}

static void
a_list_that_lets_nobody_in_is_told (void **state)
{
    char path[128];
    weft_socket_t *none = open_with ("rep", NULL), *empty = open_with ("rep", NULL);
    (void) state;
    assert_int_equal (weft_set (none, "key", "server"), 0);
    assert_int_equal (weft_bind (none, "tcp://127.0.0.1:0"), 0);
    assert_non_null (strstr (listener.last, "nobody can connect"));
    file_of (path, "empty");
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    assert_int_equal (fchmod (fileno (file), 0600), 0);
    fclose (file);
    assert_int_equal (weft_set (empty, "key", "server"), 0);
    assert_int_equal (weft_set (empty, "allow", path), 0);
    assert_int_equal (weft_bind (empty, "tcp://127.0.0.1:0"), 0);
    assert_non_null (strstr (listener.last, "is empty"));
    weft_close (&none);
    weft_close (&empty);
}

static void
a_key_that_is_not_there_is_told (void **state)
{
    weft_socket_t *rep = open_with ("rep", NULL), *req = open_with ("req", NULL);
    (void) state;
    assert_int_equal (weft_set (rep, "key", "nobody"), 0);
    assert_true (weft_bind (rep, "tcp://127.0.0.1:0") < 0);
    assert_says ("key: ");
    assert_int_equal (weft_set (req, "key", "alice"), 0);
    assert_int_equal (weft_set (req, "server-key", "nobody"), 0);
    assert_true (weft_connect (req, "tcp://127.0.0.1:1") < 0);
    assert_says ("server-key: ");
    weft_close (&rep);
    weft_close (&req);
}

/*  Limits that nobody set are there all the same. */
static void
every_wire_has_limits (void **state)
{
    struct wire_options options;
    (void) state;
    wire_options_init (&options);
    assert_true (options.handshake > 0 && options.handshake <= 30 * TIME_S);
    assert_true (options.max_peers > 0 && options.max_subscriptions > 0 && options.max_size > 0);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (clear_text_stays_on_this_machine),
        cmocka_unit_test (half_of_what_is_needed_is_refused),
        cmocka_unit_test (every_handle_refuses_and_obeys),
        cmocka_unit_test (a_worker_and_a_head_need_both_keys_to_connect),
        cmocka_unit_test (what_was_refused_can_be_mended),
        cmocka_unit_test (every_wire_has_limits),
        cmocka_unit_test_setup_teardown (a_peer_with_its_key_is_let_in, keys_setup, keys_teardown),
        cmocka_unit_test_setup_teardown (each_pattern_says_what_its_peers_do, keys_setup, keys_teardown),
        cmocka_unit_test_setup_teardown (a_subscriber_keeps_to_its_topics, keys_setup, keys_teardown),
        cmocka_unit_test_setup_teardown (a_list_that_lets_nobody_in_is_told, keys_setup, keys_teardown),
        cmocka_unit_test_setup_teardown (a_key_that_is_not_there_is_told, keys_setup, keys_teardown),
    };
    return cmocka_run_group_tests_name ("security", tests, NULL, NULL);
}
