/*  test_pool_peer.c - names of those who take part in a pool */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "patterns/pool.h"
#include "tests/testing.h"

#define MANY 20000

static struct pool_bytes
bytes (const char *text)
{
    return (struct pool_bytes) { text, strlen (text) };
}

static struct pool_peer *
add (struct pool_peers *peers, const char *route, const char *name)
{
    struct pool_hello hello = { .next = 1, .name = bytes (name), .host = bytes ("host") };
    struct pool_peer *peer = calloc (1, sizeof *peer);
    assert_non_null (peer);
    assert_int_equal (pool_peer_init (peer, peers, bytes (route), &hello, 0), 0);
    return peer;
}

static void
drop (struct pool_peers *peers, struct pool_peer *peer)
{
    pool_peer_remove (peer, peers);
    pool_peer_free (peer);
    free (peer);
}

static void
test_names_are_unique (void **state)
{
    struct pool_peers peers;
    (void) state;
    assert_int_equal (pool_peers_init (&peers), 0);
    struct pool_peer *first = add (&peers, "1", "node"), *second = add (&peers, "2", "node#3");
    struct pool_peer *third = add (&peers, "3", "node"), *fourth = add (&peers, "4", "node");
    assert_string_equal (first->name, "node");
    assert_string_equal (second->name, "node#3");
    assert_string_equal (third->name, "node#2");
    assert_string_equal (fourth->name, "node#4");       /*  #3 is somebody's own name */
    assert_ptr_equal (pool_peer_find (&peers, bytes ("3")), third);
    drop (&peers, first);
    first = add (&peers, "5", "node");
    assert_string_equal (first->name, "node");          /*  which is nobody's now */
    struct pool_peer *fifth = add (&peers, "6", "node");
    assert_string_equal (fifth->name, "node#5");
    assert_null (pool_peer_find (&peers, bytes ("1")));
    drop (&peers, first);
    drop (&peers, second);
    drop (&peers, third);
    drop (&peers, fourth);
    drop (&peers, fifth);
    assert_int_equal (peers.names.count + peers.routes.count, 0);
    pool_peers_free (&peers);
}

/*  A whole cluster with one name for its workers: each is told apart without looking at all others. */
static void
test_many_of_one_name (void **state)
{
    static struct pool_peer *all[MANY];
    struct pool_peers peers;
    char route[16];
    (void) state;
    assert_int_equal (pool_peers_init (&peers), 0);
    for (int i = 0; i < MANY; i++) {
        snprintf (route, sizeof route, "%d", i);
        all[i] = add (&peers, route, "worker");
    }
    assert_string_equal (all[MANY - 1]->name, "worker#20000");
    for (int i = 0; i < MANY; i++)
        drop (&peers, all[i]);
    pool_peers_free (&peers);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_names_are_unique),
                                        cmocka_unit_test (test_many_of_one_name) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
