/*  test_allow_file.c - the file of a list of peers: edited whole or not at all, and trusted in the right hands only */

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/allow.h"
#include "tests/folder.h"
#include "tests/testing.h"

#define ALICE "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define BOB "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define CAROL "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf8"

static char list_path[256];

static void
assert_text (const char *expected)
{
    char text[4096];
    FILE *file = fopen (list_path, "r");
    assert_non_null (file);
    text[fread (text, 1, sizeof text - 1, file)] = '\0';
    fclose (file);
    const char *after = strstr (text, "[MAY ...]\n");
    assert_string_equal (after ? after + 10 : text, expected);
}

static int
put (const char *name, const char *key, const char *may, bool replace, struct allow_entry *was)
{
    struct allow_entry entry = { .may = may };
    snprintf (entry.name, sizeof entry.name, "%s", name);
    snprintf (entry.key, sizeof entry.key, "%s", key);
    return allow_file_put (list_path, &entry, replace, was);
}

static void
assert_mode (unsigned mode)
{
    struct stat status;
    assert_int_equal (stat (list_path, &status), 0);
    assert_int_equal (status.st_mode & 07777, mode);
}

static void
edits (void **state)
{
    (void) state;
    struct allow_entry was;
    mode_t mask = umask (0);
    assert_int_equal (put ("alice", ALICE, NULL, false, &was), 0);
    umask (mask);
    assert_string_equal (was.name, "");
    assert_mode (0600);
    assert_text ("alice " ALICE "\n");
    assert_int_equal (put ("bob", BOB, "req\0sub:x\0", false, NULL), 0);
    assert_text ("alice " ALICE "\nbob " BOB " req sub:x\n");
    assert_int_equal (put ("bob", BOB, NULL, false, NULL), 0);
    assert_text ("alice " ALICE "\nbob " BOB " req sub:x\n");
    assert_int_equal (put ("alice", ALICE, "push\0", false, &was), 0);
    assert_string_equal (was.name, "alice");
    assert_false (was.revoked);
    assert_text ("alice " ALICE " push\nbob " BOB " req sub:x\n");
    assert_int_equal (allow_file_revoke (list_path, "alice", &was), 0);
    assert_string_equal (was.key, ALICE);
    assert_false (was.revoked);
    assert_int_equal (allow_file_revoke (list_path, "alice", &was), 0);
    assert_true (was.revoked);
    assert_int_equal (allow_file_revoke (list_path, BOB, &was), 0);
    assert_string_equal (was.name, "bob");
    assert_text ("!alice " ALICE " push\n!bob " BOB " req sub:x\n");
    assert_int_equal (put ("bob", BOB, "", false, &was), 0);
    assert_true (was.revoked);
    assert_text ("!alice " ALICE " push\nbob " BOB "\n");
}

static void
replaces (void **state)
{
    (void) state;
    assert_int_equal (put ("alice", ALICE, NULL, false, NULL), 0);
    assert_int_equal (put ("alice", CAROL, NULL, false, NULL), WEFT_ESTATE);
    assert_says ("alice stands there with another key");
    assert_int_equal (put ("ally", ALICE, NULL, false, NULL), WEFT_ESTATE);
    assert_says ("that key stands there as alice");
    assert_text ("alice " ALICE "\n");
    assert_int_equal (put ("alice", CAROL, NULL, true, NULL), 0);
    assert_int_equal (put ("ally", CAROL, NULL, true, NULL), 0);
    assert_text ("ally " CAROL "\n");
    assert_int_equal (put ("bob", BOB, NULL, false, NULL), 0);
    assert_int_equal (put ("bob", CAROL, NULL, true, NULL), WEFT_ESTATE);
    assert_says ("take one of the lines out");
    assert_text ("ally " CAROL "\nbob " BOB "\n");
}

static void
keeps (void **state)
{
    (void) state;
    folder_write ("allowed", "# a\n\n\t alice   " ALICE "\treq\r\n  #b\nbob " BOB, 0640);
    assert_int_equal (allow_file_revoke (list_path, "alice", NULL), 0);
    assert_text ("# a\n\n\t !alice   " ALICE "\treq\r\n  #b\nbob " BOB "\n");
    assert_mode (0640);
    if (geteuid () == 0) {
        struct stat status;
        assert_int_equal (chown (list_path, (uid_t) -1, 12345), 0);
        assert_int_equal (put ("carol", CAROL, NULL, false, NULL), 0);
        assert_int_equal (stat (list_path, &status), 0);
        assert_int_equal (status.st_gid, 12345);
        assert_mode (0640);
        unlink (list_path);
    }
    folder_write ("allowed", "bob " BOB, 0600);
    assert_int_equal (put ("carol", CAROL, NULL, false, NULL), 0);
    assert_text ("bob " BOB "\ncarol " CAROL "\n");
    folder_write ("allowed", "bob " BOB, 0600);
    assert_int_equal (allow_file_revoke (list_path, "bob", NULL), 0);
    assert_text ("!bob " BOB "\n");
    folder_write ("allowed", "bob " BOB, 0600);
    assert_int_equal (put ("bob", BOB, "req\0", false, NULL), 0);
    assert_text ("bob " BOB " req\n");
}

static void
refusals (void **state)
{
    (void) state;
    assert_int_equal (put ("a b", ALICE, NULL, false, NULL), WEFT_EINVAL);
    assert_int_equal (put ("alice", "x", NULL, false, NULL), WEFT_EINVAL);
    assert_int_equal (put ("alice", ALICE, "reqq\0", false, NULL), WEFT_EINVAL);
    assert_int_equal (allow_file_revoke (list_path, "alice", NULL), WEFT_ESTATE);
    assert_says ("no such list");
    assert_int_equal (access (list_path, F_OK), -1);
    folder_write ("allowed", "alice\n", 0600);
    assert_int_equal (put ("bob", BOB, NULL, false, NULL), WEFT_EPROTO);
    assert_int_equal (allow_file_revoke (list_path, "alice", NULL), WEFT_EPROTO);
    assert_text ("alice\n");
    folder_write ("allowed", "alice " ALICE "\n", 0600);
    assert_int_equal (allow_file_revoke (list_path, "bob", NULL), WEFT_ESTATE);
    assert_int_equal (allow_file_revoke (list_path, "alic", NULL), WEFT_ESTATE);
    assert_text ("alice " ALICE "\n");
}

static void
hands (void **state)
{
    (void) state;
    struct allow_list *list;
    static const unsigned bad[] = { 0620, 0602, 0666, 0664 }, good[] = { 0600, 0400, 0644, 0640 };
    folder_write ("allowed", "alice " ALICE "\n", 0600);
    for (size_t i = 0; i < 4; i++) {
        chmod (list_path, bad[i]);
        assert_int_equal (allow_list_read (&list, list_path), WEFT_EACCES);
        assert_null (list);
        assert_says ("chmod 6");
        assert_int_equal (put ("bob", BOB, NULL, false, NULL), WEFT_EACCES);
        chmod (list_path, good[i]);
        assert_int_equal (allow_list_read (&list, list_path), 0);
        assert_int_equal (allow_list_count (list), 1);
        allow_list_free (&list);
    }
    if (geteuid () == 0) {
        assert_int_equal (chown (list_path, 12345, (gid_t) -1), 0);
        assert_int_equal (allow_list_read (&list, list_path), WEFT_EACCES);
        assert_says ("belongs to another user");
    }
    assert_int_equal (allow_list_read (&list, folder_path ("none")), WEFT_EIO);
    assert_says ("weft key allow");
    folder_write ("large", "", 0600);
    assert_int_equal (truncate (folder_path ("large"), (16 << 20) + 1), 0);
    assert_int_equal (allow_list_read (&list, folder_path ("large")), WEFT_ETOOBIG);
}

/*  Editors at the same time lose nothing of each other's, and leave nothing behind. */
enum { EDITORS = 4, EACH = 25 };

static void *
editor (void *arg)
{
    int number = *(int *) arg;
    for (int i = 0; i < EACH; i++) {
        char name[32], key[KEY_TEXT];
        snprintf (name, sizeof name, "e%d-%d", number, i);
        snprintf (key, sizeof key, "%038u%02u", (unsigned) number % 100, (unsigned) i % 100);
        if (put (name, key, NULL, false, NULL))
            return arg;
    }
    return NULL;
}

static void
at_once (void **state)
{
    (void) state;
    pthread_t threads[EDITORS];
    int numbers[EDITORS];
    for (int i = 0; i < EDITORS; i++) {
        numbers[i] = i;
        assert_int_equal (pthread_create (&threads[i], NULL, editor, &numbers[i]), 0);
    }
    bool failed = false;
    for (int i = 0; i < EDITORS; i++) {
        void *rc;
        pthread_join (threads[i], &rc);
        failed |= rc != NULL;
    }
    assert_false (failed);
    struct allow_list *list;
    assert_int_equal (allow_list_read (&list, list_path), 0);
    assert_int_equal (allow_list_count (list), EDITORS * EACH);
    allow_list_free (&list);
    DIR *directory = opendir (folder_path (""));
    int count = 0;
    while (readdir (directory))
        count++;
    closedir (directory);
    assert_int_equal (count, 3);
}

/*  How many descriptors of ours lead to that file. */
static int
opened (const struct stat *file)
{
    char path[64];
    struct stat status;
    int count = 0;
    for (int fd = 0; fd < 64; fd++) {
        snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
        count += stat (path, &status) == 0 && status.st_ino == file->st_ino && status.st_dev == file->st_dev;
    }
    return count;
}

static void
await_opened (int fd)
{
    struct stat status;
    assert_int_equal (fstat (fd, &status), 0);
    for (int tries = 0; tries < 10000 && opened (&status) < 2; tries++)
        usleep (1000);
    assert_int_equal (opened (&status), 2);
}

static void *
add_bob (void *arg)
{
    return put ("bob", BOB, NULL, false, NULL) ? arg : NULL;
}

/*  While one waits for the lock, another file takes the place of the one that it waits for, and is locked as well. */
static void
lock_moves (void **state)
{
    (void) state;
    pthread_t thread;
    void *rc;
    folder_write ("allowed", "alice " ALICE "\n", 0600);
    int first = open (list_path, O_RDWR);
    assert_int_equal (flock (first, LOCK_EX), 0);
    assert_int_equal (pthread_create (&thread, NULL, add_bob, list_path), 0);
    await_opened (first);
    folder_write ("new", "alice " ALICE "\n", 0600);
    int second = open (folder_path ("new"), O_RDWR | O_APPEND);
    assert_int_equal (flock (second, LOCK_EX), 0);
    assert_int_equal (rename (folder_path ("new"), list_path), 0);
    close (first);
    await_opened (second);
    static const char carol[] = "carol " CAROL "\n";
    assert_int_equal (write (second, carol, sizeof carol - 1), sizeof carol - 1);
    close (second);
    pthread_join (thread, &rc);
    assert_null (rc);
    assert_text ("alice " ALICE "\ncarol " CAROL "\nbob " BOB "\n");
}

static int
begin (void **state)
{
    (void) state;
    int rc = folder_make (NULL);
    snprintf (list_path, sizeof list_path, "%s", folder_path ("allowed"));
    return rc;
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, folder_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = { TEST (edits), TEST (replaces), TEST (keeps),     TEST (refusals),
                                        TEST (hands), TEST (at_once),  TEST (lock_moves) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
