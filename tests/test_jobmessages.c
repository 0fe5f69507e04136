/*  test_jobmessages.c - messages for jobs from files, one after the other */

#include "cli/jobmessages.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/testing.h"

static char dir[FOLDER_SIZE];

static char *
file_of (const char *name, const void *bytes, size_t size)
{
    static char paths[4][FOLDER_SIZE + 16];
    static int next;
    char *path = paths[next++ % 4];
    snprintf (path, sizeof paths[0], "%s/%s", dir, name);
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true (fd >= 0 && write (fd, bytes, size) == (ssize_t) size);
    close (fd);
    return path;
}

static void
expect (struct jobmessages *self, const char *bytes, size_t size)
{
    struct buffer message;
    buffer_init (&message, 0);
    assert_int_equal (jobmessages_next (self, &message), 1);
    assert_int_equal (buffer_size (&message), size);
    assert_true (!size || memcmp (buffer_data (&message), bytes, size) == 0);
    buffer_free (&message);
}

static void
expect_not (struct jobmessages *self, int rc)
{
    struct buffer message;
    buffer_init (&message, 0);
    assert_int_equal (jobmessages_next (self, &message), rc);
    buffer_free (&message);
}

/*  Each file ends its last message; an empty file has none. */
static void
test_files (void **state)
{
    struct jobmessages self;
    char *paths[] = { file_of ("a", "one\n\ntwo\0x", 10), file_of ("b", "", 0), file_of ("c", "three\n", 6) };
    (void) state;
    jobmessages_init (&self, FORMAT_LINES, paths, 3, -1);
    expect (&self, "one", 3);
    expect (&self, "", 0);
    expect (&self, "two\0x", 5);
    expect (&self, "three", 5);
    expect_not (&self, WEFT_EEND);
    expect_not (&self, WEFT_EEND);
    jobmessages_free (&self);
}

/*  From a pipe it never waits. */
static void
test_pipe (void **state)
{
    struct jobmessages self;
    int fds[2];
    (void) state;
    assert_int_equal (pipe (fds), 0);
    jobmessages_init (&self, FORMAT_LEN32, NULL, 0, fds[0]);
    expect_not (&self, 0);
    assert_int_equal (self.fd, fds[0]);
    assert_int_equal (write (fds[1], "\0\0\0\2a", 5), 5);
    expect_not (&self, 0);
    assert_int_equal (write (fds[1], "\n", 1), 1);
    expect (&self, "a\n", 2);
    close (fds[1]);
    expect_not (&self, WEFT_EEND);
    jobmessages_free (&self);
    close (fds[0]);
}

static void
test_mistakes (void **state)
{
    struct jobmessages self;
    char *missing[] = { "/nowhere/at/all" }, *two[] = { file_of ("two", "00 01\n", 6) };
    char *bad[] = { file_of ("bad", "0\n", 2) };
    (void) state;
    jobmessages_init (&self, FORMAT_HEX, missing, 1, -1);
    expect_not (&self, WEFT_EIO);
    assert_says ("/nowhere/at/all");
    jobmessages_free (&self);
    jobmessages_init (&self, FORMAT_HEX, two, 1, -1);
    expect_not (&self, WEFT_EPROTO);
    assert_says ("has 2 frames");
    jobmessages_free (&self);
    jobmessages_init (&self, FORMAT_HEX, bad, 1, -1);
    expect_not (&self, WEFT_EPROTO);
    assert_says ("bad: ");
    jobmessages_free (&self);
}

static int
begin (void **state)
{
    (void) state;
    return folder_make (dir);
}

static int
end (void **state)
{
    (void) state;
    return folder_remove ();
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_files), cmocka_unit_test (test_pipe),
                                        cmocka_unit_test (test_mistakes) };
    return cmocka_run_group_tests (tests, begin, end);
}
