/*  test_pool_process.c - real processes: their output, their ends, and those that do not want to end */

#include "patterns/pool_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/testing.h"

static int null;

static int
open_null (void **state)
{
    (void) state;
    null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
    return null < 0;
}

static int
close_null (void **state)
{
    (void) state;
    return close (null);
}

static struct process
spawn_words (char *const *argv, const void *input, size_t size)
{
    struct process process;
    struct process_spec spec = { .argv = argv, .envp = environ, .input = input, .input_size = size, .null = null };
    if (process_spawn (&process, &spec, NULL))
        fail_msg ("%s", weft_error ());
    return process;
}

static struct process
spawn_shell (const char *script)
{
    char *argv[] = { "/bin/sh", "-c", (char *) (uintptr_t) script, NULL };
    return spawn_words (argv, NULL, 0);
}

static void
wait_readable (int fd)
{
    struct pollfd item = { .fd = fd, .events = POLLIN };
    assert_int_equal (poll (&item, 1, 30000), 1);
}

static void
wait_exit (struct process *process, int *status, int *number)
{
    wait_readable (process->pidfd);
    assert_int_equal (process_ended (process, status, number), 0);
    process_bury (process);
}

/*  All of a stream until its end, while the process runs. */
static size_t
read_all (struct process *process, int stream, char *data, size_t size)
{
    size_t used = 0;
    ssize_t bytes;
    do {
        wait_readable (process->out[stream]);
        bytes = process_read (process, stream, data + used, size - used);
        used += bytes > 0 ? (size_t) bytes : 0;
    } while (bytes);
    return used;
}

static void
finish (struct process *process)
{
    process_close (process, 0);
    process_close (process, 1);
}

static void
test_statuses (void **state)
{
    static const struct { const char *script; int status, number; } cases[] = {
        { "exit 0", 0, 0 }, { "exit 255", 255, 0 }, { "kill -9 $$", 0, 9 }, { "kill -TERM $$", 0, 15 },
    };
    int status, number;
    (void) state;
    for (int i = 0; i < 4; i++) {
        struct process process = spawn_shell (cases[i].script);
        wait_exit (&process, &status, &number);
        assert_int_equal (status, cases[i].status);
        assert_int_equal (number, cases[i].number);
        assert_int_equal (process.pid, 0);
        finish (&process);
    }
}

static void
test_output (void **state)
{
    enum { SIZE = 10 << 20 };
    char *data = malloc (SIZE + 1), small[16];
    int status, number;
    (void) state;
    struct process process = spawn_shell ("head -c 10485760 /dev/zero; printf 'a\\0\\377b' >&2");
    assert_int_equal (read_all (&process, 0, data, SIZE + 1), SIZE);
    wait_exit (&process, &status, &number);
    assert_int_equal (process_pending (&process, 1), 4);
    assert_int_equal (process_read (&process, 1, small, sizeof small), 4);
    assert_memory_equal (small, "a\0\377b", 4);
    assert_int_equal (process_pending (&process, 1), 0);
    finish (&process);
    free (data);
}

static void
test_input (void **state)
{
    enum { SIZE = 300000 };
    char *argv[] = { "cat", NULL }, *input = malloc (SIZE), *data = malloc (SIZE + 1);
    int status, number;
    (void) state;
    for (int i = 0; i < SIZE; i++)
        input[i] = (char) (i * 7);
    struct process process = spawn_words (argv, input, SIZE);
    assert_int_equal (read_all (&process, 0, data, SIZE + 1), SIZE);
    assert_memory_equal (data, input, SIZE);
    wait_exit (&process, &status, &number);
    finish (&process);

    process = spawn_words (argv, NULL, 0);          /*  nothing to read, and no waiting for it */
    wait_exit (&process, &status, &number);
    assert_int_equal (status, 0);
    finish (&process);
    free (input);
    free (data);
}

static void
test_group_ends_with_its_leader (void **state)
{
    char pid[32] = "";
    int status, number;
    (void) state;
    struct process process = spawn_shell ("sleep 1000 & echo $!");
    wait_exit (&process, &status, &number);
    assert_true (process_read (&process, 0, pid, sizeof pid - 1) > 0);
    /*  It holds the pipe until it is dead: the end of the pipe is the end of it. */
    assert_int_equal (read_all (&process, 0, pid + 20, 5), 0);
    finish (&process);
}

static void
test_daemon_keeps_the_pipe (void **state)
{
    char text[32];
    int status, number;
    (void) state;
    struct process process = spawn_shell ("setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.01; echo done");
    size_t used = 0;
    do {
        wait_readable (process.out[0]);
        ssize_t bytes = process_read (&process, 0, text + used, sizeof text - 1 - used);
        assert_true (bytes > 0);
        used += (size_t) bytes;
        text[used] = 0;
    } while (!strstr (text, "done\n") || used < 7);
    wait_exit (&process, &status, &number);
    assert_int_equal (process_pending (&process, 0), 0);        /*  all there is, though no end has come */
    finish (&process);
    kill ((pid_t) atoi (strncmp (text, "done", 4) ? text : text + 5), SIGKILL);
}

static void
test_stubborn (void **state)
{
    char text[8];
    int status, number;
    (void) state;
    struct process process = spawn_shell ("trap '' TERM; echo on; while :; do sleep 1000; done");
    wait_readable (process.out[0]);
    assert_int_equal (process_read (&process, 0, text, sizeof text), 3);
    process_signal (&process, SIGTERM);
    assert_int_equal (process_ended (&process, &status, &number), WEFT_EAGAIN);
    process_signal (&process, SIGKILL);
    wait_exit (&process, &status, &number);
    assert_int_equal (number, SIGKILL);
    finish (&process);
}

static void
test_signals_are_as_new (void **state)
{
    char text[256];
    sigset_t set, old;
    int status, number;
    (void) state;
    sigfillset (&set);
    pthread_sigmask (SIG_BLOCK, &set, &old);
    signal (SIGPIPE, SIG_IGN);
    char *argv[] = { "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", NULL };
    struct process process = spawn_words (argv, NULL, 0);
    signal (SIGPIPE, SIG_DFL);
    pthread_sigmask (SIG_SETMASK, &old, NULL);
    size_t size = read_all (&process, 0, text, sizeof text - 1);
    text[size] = 0;
    unsigned long long blocked, ignored;
    assert_int_equal (sscanf (text, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    assert_true (blocked == 0);
    assert_true (ignored == 0);
    wait_exit (&process, &status, &number);
    finish (&process);
}

static void
test_nothing_leaks (void **state)
{
    char script[128], text[64];
    int status, number;
    (void) state;
    struct process other = spawn_shell ("exec sleep 1000");
    snprintf (script, sizeof script, "for fd in %d %d %d %d; do test -e /proc/$$/fd/$fd && echo $fd; done", null,
        other.pidfd, other.out[0], other.out[1]);
    struct process process = spawn_shell (script);
    assert_int_equal (read_all (&process, 0, text, sizeof text), 0);
    wait_exit (&process, &status, &number);
    finish (&process);
    process_signal (&other, SIGKILL);
    wait_exit (&other, &status, &number);
    finish (&other);
}

static void
test_not_started (void **state)
{
    char *missing[] = { "/nosuch/program", NULL }, *folder[] = { "/tmp", NULL };
    struct process process;
    struct process_spec spec = { .argv = missing, .envp = environ, .null = null };
    int failure;
    (void) state;
    assert_int_not_equal (process_spawn (&process, &spec, &failure), 0);
    assert_int_equal (failure, ENOENT);
    assert_says ("/nosuch/program");
    assert_int_equal (process.out[0], -1);
    spec.argv = folder;
    assert_int_not_equal (process_spawn (&process, &spec, &failure), 0);
    assert_int_equal (failure, EACCES);
}

/*  As execvp looks: past folders that are none, past what may not be run, here for an empty name. */
static void
test_path (void **state)
{
    char *argv[] = { "weft-test-program", NULL }, folder[FOLDER_SIZE], path[256], text[8];
    char *saved = strdup (getenv ("PATH"));
    struct process process;
    struct process_spec spec = { .argv = argv, .envp = environ, .null = null };
    int failure, status, number;
    (void) state;
    assert_int_equal (folder_make (folder), 0);
    snprintf (path, sizeof path, "%s/weft-test-program", folder);
    int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true (write (fd, "#!/bin/sh\necho on\n", 18) == 18);
    close (fd);
    snprintf (path, sizeof path, "/etc/passwd:/nosuch:%s:/bin", folder);
    setenv ("PATH", path, 1);
    assert_int_not_equal (process_spawn (&process, &spec, &failure), 0);
    assert_int_equal (failure, EACCES);
    assert_int_equal (waitpid (-1, NULL, WNOHANG), -1);         /*  no child is left */

    snprintf (path, sizeof path, "%s/weft-test-program", folder);
    chmod (path, 0700);
    setenv ("PATH", "/nosuch::/bin", 1);
    assert_int_not_equal (process_spawn (&process, &spec, &failure), 0);
    assert_int_equal (failure, ENOENT);
    spec.dir = folder;
    assert_int_equal (process_spawn (&process, &spec, &failure), 0);
    assert_int_equal (read_all (&process, 0, text, sizeof text), 3);
    wait_exit (&process, &status, &number);
    finish (&process);

    spec.dir = "/nosuch";
    assert_int_not_equal (process_spawn (&process, &spec, &failure), 0);
    assert_int_equal (failure, ENOENT);
    setenv ("PATH", saved, 1);
    folder_remove ();
    free (saved);
}

/*  Pipes that were made ahead are those of the next process, and of that one only. */
static void
test_pipes_ahead (void **state)
{
    char *argv[] = { "/bin/echo", "word", NULL }, *missing[] = { "/no/such/program", NULL }, text[8];
    struct process_pipes pipes = PROCESS_NO_PIPES;
    struct process process;
    struct process_spec spec = { .argv = argv, .envp = environ, .null = null, .pipes = &pipes };
    (void) state;
    for (int round = 0; round < 2; round++) {
        int status, number, first = -1;
        if (round == 0) {
            assert_int_equal (process_prepare (&pipes), 0);
            first = pipes.ends[0][0];
            assert_int_equal (process_prepare (&pipes), 0);
            assert_int_equal (pipes.ends[0][0], first);
        }
        assert_int_equal (process_spawn (&process, &spec, NULL), 0);
        assert_true (round || process.out[0] == first);
        for (int i = 0; i < 4; i++)
            assert_int_equal (pipes.ends[i / 2][i % 2], -1);
        assert_int_equal (read_all (&process, 0, text, sizeof text), 5);
        wait_exit (&process, &status, &number);
        finish (&process);
    }
    assert_int_equal (process_prepare (&pipes), 0);
    spec.argv = missing;
    assert_int_not_equal (process_spawn (&process, &spec, NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal (pipes.ends[i / 2][i % 2], -1);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_pipes_ahead),
        cmocka_unit_test (test_statuses),
        cmocka_unit_test (test_output),
        cmocka_unit_test (test_input),
        cmocka_unit_test (test_group_ends_with_its_leader),
        cmocka_unit_test (test_daemon_keeps_the_pipe),
        cmocka_unit_test (test_stubborn),
        cmocka_unit_test (test_signals_are_as_new),
        cmocka_unit_test (test_nothing_leaks),
        cmocka_unit_test (test_not_started),
        cmocka_unit_test (test_path),
    };
    return cmocka_run_group_tests (tests, open_null, close_null);
}
