/*  test_security.c - the options key, server-key, allow and insecure: what they come to, and what is refused */

#include "tests/testing.h"

#include <unistd.h>

#include "core/security.h"

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
bind_socket (weft_t *weft, const char *pattern, const char *option, const char *endpoint)
{
    weft_socket_t *socket = weft_open (weft, pattern);
    int rc = option ? weft_set (socket, option, "yes") : 0;
    rc = rc ? rc : weft_bind (socket, endpoint);
    weft_close (&socket);
    return rc;
}

static int
bind_proxy (weft_t *weft, const char *option, const char *endpoint)
{
    weft_proxy_t *proxy = weft_proxy_new (weft, "queue");
    int rc = option ? weft_proxy_set (proxy, option, "yes") : 0;
    rc = rc ? rc : weft_proxy_attach (proxy, "front", endpoint);
    weft_proxy_destroy (&proxy);
    return rc;
}

static int
bind_pool (weft_t *weft, const char *option, const char *endpoint)
{
    weft_pool_t *pool = weft_pool_new (weft);
    int rc = option ? weft_pool_set (pool, option, "yes") : 0;
    rc = rc ? rc : weft_pool_bind (pool, endpoint);
    weft_pool_destroy (&pool);
    return rc;
}

static int
bind_sink (weft_t *weft, const char *option, const char *endpoint)
{
    weft_sink_t *sink = weft_sink_new (weft);
    int rc = option ? weft_sink_set (sink, option, "yes") : 0;
    rc = rc ? rc : weft_sink_bind (sink, endpoint);
    weft_sink_destroy (&sink);
    return rc;
}

static void
every_handle_refuses_and_obeys (void **state)
{
    static const char *const patterns[] = { "req", "rep", "pub", "sub", "push", "pull" };
    weft_t *weft = weft_new ();
    (void) state;
    for (size_t i = 0; i < COUNT (patterns); i++) {
        assert_int_equal (bind_socket (weft, patterns[i], NULL, "tcp://*:0"), WEFT_EACCES);
        assert_int_equal (bind_socket (weft, patterns[i], "insecure", "tcp://*:0"), 0);
    }
    assert_int_equal (bind_proxy (weft, NULL, "tcp://127.0.0.1:0,tcp://*:0"), WEFT_EACCES);
    assert_int_equal (bind_proxy (weft, "insecure", "tcp://*:0"), 0);
    assert_int_equal (bind_pool (weft, NULL, "tcp://*:0"), WEFT_EACCES);
    assert_int_equal (bind_pool (weft, "insecure", "tcp://*:0"), 0);
    assert_int_equal (bind_sink (weft, NULL, "tcp://*:0"), WEFT_EACCES);
    assert_int_equal (bind_sink (weft, "insecure", "tcp://*:0"), 0);
    assert_int_equal (weft_destroy (&weft), 0);
}

static void
a_worker_and_a_head_need_both_keys_to_connect (void **state)
{
    weft_t *weft = weft_new ();
    weft_worker_t *worker = weft_worker_new (weft);
    weft_pool_t *pool = weft_pool_new (weft);
    (void) state;
    assert_int_equal (weft_worker_set (worker, "server-key", "x"), 0);
    assert_int_equal (weft_worker_connect (worker, "tcp://127.0.0.1:1"), WEFT_EINVAL);
    assert_int_equal (weft_pool_set (pool, "sink", "tcp://127.0.0.1:1"), 0);
    assert_int_equal (weft_pool_set (pool, "server-key", "x"), 0);
    assert_int_equal (weft_pool_bind (pool, "inproc://x"), WEFT_EINVAL);
    assert_says ("tcp://127.0.0.1:1");
    weft_worker_destroy (&worker);
    weft_pool_destroy (&pool);
    assert_int_equal (weft_destroy (&weft), 0);
}

/*  After a failure options can be set, and the same handle bound. */
static void
what_was_refused_can_be_mended (void **state)
{
    weft_t *weft = weft_new ();
    weft_socket_t *pull = weft_open (weft, "pull");
    char value[64];
    (void) state;
    assert_int_equal (weft_bind (pull, "tcp://*:0"), WEFT_EACCES);
    assert_int_equal (weft_set (pull, "insecure", "yes"), 0);
    assert_int_equal (weft_get (pull, "insecure", value, sizeof value), 0);
    assert_string_equal (value, "yes");
    assert_int_equal (weft_bind (pull, "tcp://*:0"), 0);
    assert_int_equal (weft_set (pull, "insecure", "no"), WEFT_ESTATE);
    weft_close (&pull);
    assert_int_equal (weft_destroy (&weft), 0);
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
    };
    return cmocka_run_group_tests_name ("security", tests, NULL, NULL);
}
