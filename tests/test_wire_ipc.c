/*  test_wire_ipc.c - the paths of ipc listeners: nobody's file is lost, none of ours is left */

#include "tests/testing.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct rig {
    weft_t *weft;
    weft_socket_t *socket;
    char folder[32], path[64], endpoint[80];
};

static int
set_up (void **state)
{
    static struct rig rig;
    strcpy (rig.folder, "/tmp/test_ipc.XXXXXX");
    assert_non_null (mkdtemp (rig.folder));
    snprintf (rig.path, sizeof rig.path, "%s/socket", rig.folder);
    snprintf (rig.endpoint, sizeof rig.endpoint, "ipc://%s", rig.path);
    rig.weft = weft_new ();
    rig.socket = weft_open (rig.weft, "pull");
    *state = &rig;
    return rig.weft && rig.socket ? 0 : -1;
}

/*  The folder is empty, or the test fails here. */
static int
tear_down (void **state)
{
    struct rig *rig = *state;
    weft_close (&rig->socket);
    assert_int_equal (weft_destroy (&rig->weft), 0);
    return rmdir (rig->folder);
}

static bool
exists (const char *path)
{
    struct stat status;
    return lstat (path, &status) == 0;
}

static void
write_file (const char *path)
{
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    fputs ("precious", file);
    fclose (file);
}

static void
a_path_ends_with_its_listener (void **state)
{
    struct rig *rig = *state;
    assert_int_equal (weft_bind (rig->socket, rig->endpoint), 0);
    assert_true (exists (rig->path));
    weft_close (&rig->socket);
    assert_false (exists (rig->path));
}

static void
a_path_ends_with_its_disconnection (void **state)
{
    struct rig *rig = *state;
    assert_int_equal (weft_bind (rig->socket, rig->endpoint), 0);
    assert_int_equal (weft_disconnect (rig->socket, rig->endpoint), 0);
    assert_false (exists (rig->path));
}

static void
a_file_is_not_taken_for_a_socket (void **state)
{
    struct rig *rig = *state;
    write_file (rig->path);
    assert_int_equal (weft_bind (rig->socket, rig->endpoint), WEFT_EADDRINUSE);
    assert_says ("not a socket");
    assert_true (exists (rig->path));
    unlink (rig->path);
}

static void
a_listener_keeps_its_path (void **state)
{
    struct rig *rig = *state;
    weft_socket_t *second = weft_open (rig->weft, "pull");
    assert_int_equal (weft_bind (rig->socket, rig->endpoint), 0);
    assert_int_equal (weft_bind (second, rig->endpoint), WEFT_EADDRINUSE);
    assert_says ("listens there already");
    weft_close (&second);
    assert_true (exists (rig->path));
}

static void
what_a_dead_listener_left_is_taken_over (void **state)
{
    struct rig *rig = *state;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%s", rig->path);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    close (fd);
    assert_true (exists (rig->path));
    assert_int_equal (weft_bind (rig->socket, rig->endpoint), 0);
}

static void
what_another_put_in_its_place_stays (void **state)
{
    struct rig *rig = *state;
    assert_int_equal (weft_bind (rig->socket, rig->endpoint), 0);
    unlink (rig->path);
    write_file (rig->path);
    weft_close (&rig->socket);
    assert_true (exists (rig->path));
    unlink (rig->path);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (a_path_ends_with_its_listener),    TEST (a_path_ends_with_its_disconnection),
        TEST (a_file_is_not_taken_for_a_socket), TEST (a_listener_keeps_its_path),
        TEST (what_a_dead_listener_left_is_taken_over), TEST (what_another_put_in_its_place_stays),
    };
    return cmocka_run_group_tests_name ("wire_ipc", tests, NULL, NULL);
}
