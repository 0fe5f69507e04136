/*  test_wire_ipc.c - the paths of ipc listeners: nobody's file is lost, none of ours is left */

#include "tests/folder.h"
#include "tests/testing.h"

#include <pthread.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

struct rig {
    weft_t *weft;
    weft_socket_t *socket;
    char folder[FOLDER_SIZE], path[64], endpoint[80];
};

static int
set_up (void **state)
{
    static struct rig rig;
    assert_int_equal (folder_make (rig.folder), 0);
    strcpy (rig.path, folder_path ("socket"));
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
    return folder_remove_empty ();
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
leave_dead_socket (const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf (address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (bind (fd, (struct sockaddr *) &address, sizeof address), 0);
    close (fd);
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
    leave_dead_socket (rig->path);
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

/*  The bits of the mode that let others in. */
static int
mode_for_others (const char *path)
{
    struct stat status;
    assert_int_equal (lstat (path, &status), 0);
    return status.st_mode & 077;
}

static void
a_socket_is_private_whatever_the_umask (void **state)
{
    struct rig *rig = *state;
    mode_t before = umask (0);
    int rc = weft_bind (rig->socket, rig->endpoint);
    assert_int_equal (umask (before), 0);
    assert_int_equal (rc, 0);
    assert_int_equal (mode_for_others (rig->path), 0);
}

static void
a_star_is_a_path_that_peers_can_reach (void **state)
{
    struct rig *rig = *state;
    weft_socket_t *push = weft_open (rig->weft, "push");
    weft_msg_t msg;
    char path[256];
    weft_msg_init (&msg);
    setenv ("TMPDIR", rig->folder, 1);
    int rc = weft_bind (rig->socket, "ipc://*");
    unsetenv ("TMPDIR");
    assert_int_equal (rc, 0);
    snprintf (path, sizeof path, "%s", weft_endpoint (rig->socket) + strlen ("ipc://"));
    assert_memory_equal (path, rig->folder, strlen (rig->folder));
    assert_int_equal (mode_for_others (path), 0);
    *strrchr (path, '/') = '\0';
    assert_int_equal (mode_for_others (path), 0);
    assert_int_equal (weft_connect (push, weft_endpoint (rig->socket)), 0);
    assert_int_equal (weft_msg_add_str (&msg, "x"), 0);
    assert_int_equal (weft_send (push, &msg, 0), 0);
    assert_int_equal (weft_recv (rig->socket, &msg, 0), 0);
    weft_msg_clear (&msg);
    weft_close (&push);
    weft_close (&rig->socket);
    assert_false (exists (path));
}

enum { BINDERS = 8, RACES = 20 };

struct binder {
    pthread_barrier_t *start;
    weft_socket_t *socket;
    const char *endpoint;
    int rc;
};

static void *
bind_at_once (void *arg)
{
    struct binder *self = arg;
    pthread_barrier_wait (self->start);
    self->rc = weft_bind (self->socket, self->endpoint);
    return NULL;
}

/*  Of many who come at once to what a dead listener left, one gets it, and nobody takes it from him. */
static void
one_of_many_gets_the_path (void **state)
{
    struct rig *rig = *state;
    for (int race = 0; race < RACES; race++) {
        struct binder binders[BINDERS];
        pthread_t threads[BINDERS];
        pthread_barrier_t start;
        int got = 0;
        leave_dead_socket (rig->path);
        pthread_barrier_init (&start, NULL, BINDERS);
        for (int i = 0; i < BINDERS; i++) {
            char name[32];
            snprintf (name, sizeof name, "inproc://%d", i);
            binders[i] = (struct binder) { &start, weft_open (rig->weft, "pull"), rig->endpoint, 1 };
            assert_int_equal (weft_bind (binders[i].socket, name), 0);     /*  what is left to do is the race */
            assert_int_equal (pthread_create (&threads[i], NULL, bind_at_once, &binders[i]), 0);
        }
        for (int i = 0; i < BINDERS; i++) {
            pthread_join (threads[i], NULL);
            got += binders[i].rc == 0;
            if (binders[i].rc)
                assert_int_equal (binders[i].rc, WEFT_EADDRINUSE);
        }
        pthread_barrier_destroy (&start);
        assert_int_equal (got, 1);
        assert_true (exists (rig->path));
        for (int i = 0; i < BINDERS; i++)
            weft_close (&binders[i].socket);
        assert_false (exists (rig->path));
    }
}

/*  Who cannot have the lock of the directory takes nothing over. */
static void
without_the_lock_nothing_is_taken_over (void **state)
{
    struct rig *rig = *state;
    int lock = open (rig->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal (flock (lock, LOCK_EX), 0);
    leave_dead_socket (rig->path);
    assert_int_equal (weft_bind (rig->socket, rig->endpoint), WEFT_EADDRINUSE);
    assert_says ("locked");
    assert_true (exists (rig->path));
    close (lock);
    assert_int_equal (weft_bind (rig->socket, rig->endpoint), 0);
}

/*  Does the listener end a connection that `user` makes? The child says so by its status. */
static bool
lets_in (const char *name, uid_t user)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    socklen_t size = (socklen_t) (offsetof (struct sockaddr_un, sun_path) + 1 + strlen (name));
    memcpy (address.sun_path + 1, name, strlen (name));
    pid_t child = fork ();
    if (child == 0) {
        char byte;
        int fd = setuid (user) == 0 ? socket (AF_UNIX, SOCK_STREAM, 0) : -1;
        if (fd < 0 || connect (fd, (struct sockaddr *) &address, size))
            _exit (2);
        _exit (read (fd, &byte, 1) == 1 ? 0 : 1);       /*  a greeting, or the end */
    }
    int status;
    assert_int_equal (waitpid (child, &status, 0), child);
    assert_true (WIFEXITED (status) && WEXITSTATUS (status) < 2);
    return WEXITSTATUS (status) == 0;
}

static void
an_abstract_name_is_for_our_own_user (void **state)
{
    struct rig *rig = *state;
    char name[64], endpoint[80];
    if (geteuid () != 0)
        skip ();                /*  only root can be somebody else */
    snprintf (name, sizeof name, "weft-test-%d", (int) getpid ());
    snprintf (endpoint, sizeof endpoint, "ipc://@%s", name);
    assert_int_equal (weft_bind (rig->socket, endpoint), 0);
    assert_true (lets_in (name, 0));
    assert_false (lets_in (name, 65534));
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (a_path_ends_with_its_listener),    TEST (a_path_ends_with_its_disconnection),
        TEST (a_file_is_not_taken_for_a_socket), TEST (a_listener_keeps_its_path),
        TEST (what_a_dead_listener_left_is_taken_over), TEST (what_another_put_in_its_place_stays),
        TEST (a_socket_is_private_whatever_the_umask), TEST (a_star_is_a_path_that_peers_can_reach),
        TEST (one_of_many_gets_the_path), TEST (without_the_lock_nothing_is_taken_over),
        TEST (an_abstract_name_is_for_our_own_user),
    };
    return cmocka_run_group_tests_name ("wire_ipc", tests, NULL, NULL);
}
