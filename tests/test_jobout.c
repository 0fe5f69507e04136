/*  test_jobout.c - the output of jobs: grouped, by line, in order, tagged, and bounded in memory */

#include <signal.h>
#include <unistd.h>

#include "cli/jobout.h"
#include "tests/testing.h"

struct fixture {
    struct outlet outlet;
    struct jobout jobout;
    struct jobout_job jobs[8];
    int done;                   /*  how many may be freed                       */
    FILE *files[2];
    char text[8192];
};

static void
count_done (void *arg, struct jobout_job *job)
{
    (void) job;
    (*(int *) arg)++;
}

static void
begin (struct fixture *self, enum jobout_mode mode, bool keep_order, const char *const tags[])
{
    memset (self, 0, sizeof *self);
    for (int i = 0; i < 2; i++)
        self->files[i] = tmpfile ();
    outlet_init (&self->outlet, fileno (self->files[0]), fileno (self->files[1]));
    assert_int_equal (jobout_init (&self->jobout, &self->outlet, mode, keep_order, count_done, &self->done), 0);
    for (uint64_t i = 1; i < 8; i++)
        jobout_begin (&self->jobout, &self->jobs[i], i, tags ? tags[i] : NULL);
}

static void
put (struct fixture *self, int job, int stream, const char *text)
{
    assert_int_equal (jobout_write (&self->jobout, &self->jobs[job], stream, text, strlen (text)), 0);
}

static void
end (struct fixture *self, int job)
{
    assert_int_equal (jobout_end (&self->jobout, &self->jobs[job]), 0);
}

static const char *
printed (struct fixture *self, int stream)
{
    assert_int_equal (outlet_flush (&self->outlet), 0);
    ssize_t size = pread (fileno (self->files[stream]), self->text, sizeof self->text - 1, 0);
    assert_true (size >= 0);
    self->text[size] = '\0';
    return self->text;
}

static void
finish (struct fixture *self)
{
    for (int i = 1; i < 8; i++)
        if (!self->jobs[i].ended)
            assert_int_equal (jobout_skip (&self->jobout, &self->jobs[i]), 0);
    assert_int_equal (self->done, 7);
    assert_int_equal (self->outlet.spool.memory, 0);
    assert_int_equal (self->outlet.spool.on_disk, 0);
    jobout_free (&self->jobout);
    outlet_close (&self->outlet);
    fclose (self->files[0]);
    fclose (self->files[1]);
}

static void
grouped (void **state)
{
    (void) state;
    struct fixture f;
    begin (&f, JOBOUT_GROUP, false, NULL);
    put (&f, 1, 1, "one\n");
    put (&f, 2, 1, "two\n");
    put (&f, 1, 2, "talk\n");
    put (&f, 1, 1, "more");
    assert_string_equal (printed (&f, 0), "");
    end (&f, 2);
    assert_string_equal (printed (&f, 0), "two\n");
    end (&f, 1);
    assert_string_equal (printed (&f, 0), "two\none\nmore");
    assert_string_equal (printed (&f, 1), "talk\n");
    finish (&f);
}

static void
in_order (void **state)
{
    (void) state;
    struct fixture f;
    begin (&f, JOBOUT_GROUP, true, NULL);
    put (&f, 3, 1, "3\n");
    end (&f, 3);
    put (&f, 2, 1, "2\n");
    end (&f, 2);
    assert_string_equal (printed (&f, 0), "");
    assert_int_equal (f.done, 0);
    put (&f, 1, 1, "1\n");
    assert_string_equal (printed (&f, 0), "");
    end (&f, 1);
    assert_string_equal (printed (&f, 0), "1\n2\n3\n");
    assert_int_equal (f.done, 3);
    assert_int_equal (jobout_skip (&f.jobout, &f.jobs[5]), 0);
    put (&f, 6, 1, "6\n");
    end (&f, 6);
    end (&f, 4);
    assert_string_equal (printed (&f, 0), "1\n2\n3\n6\n");
    assert_true (jobout_has_room (&f.jobout, 7 + JOBOUT_WINDOW - 1));
    assert_false (jobout_has_room (&f.jobout, 7 + JOBOUT_WINDOW));
    finish (&f);
}

/*  Who cannot wait for a job passes it over: the others go on in order. */
static void
passed_over (void **state)
{
    (void) state;
    struct fixture f;
    begin (&f, JOBOUT_GROUP, true, NULL);
    put (&f, 1, 1, "1\n");
    put (&f, 2, 1, "2\n");
    put (&f, 4, 1, "4\n");
    end (&f, 2);
    end (&f, 4);
    assert_int_equal (jobout_pass (&f.jobout), 0);
    assert_string_equal (printed (&f, 0), "2\n");
    end (&f, 1);
    assert_string_equal (printed (&f, 0), "2\n1\n");
    end (&f, 3);
    assert_string_equal (printed (&f, 0), "2\n1\n4\n");
    /*  One that begins after its turn takes nobody's place. */
    struct jobout_job late;
    assert_true (jobout_has_room (&f.jobout, 2));
    jobout_begin (&f.jobout, &late, 2, NULL);
    assert_int_equal (jobout_write (&f.jobout, &late, 1, "late\n", 5), 0);
    assert_int_equal (jobout_end (&f.jobout, &late), 0);
    f.done--;
    assert_string_equal (printed (&f, 0), "2\n1\n4\nlate\n");
    finish (&f);
}

static void
by_line (void **state)
{
    (void) state;
    struct fixture f;
    begin (&f, JOBOUT_LINES, false, NULL);
    put (&f, 1, 1, "a");
    put (&f, 2, 1, "x\ny");
    assert_string_equal (printed (&f, 0), "x\n");
    put (&f, 1, 1, "b\nc\nd");
    assert_string_equal (printed (&f, 0), "x\nab\nc\n");
    end (&f, 2);
    end (&f, 1);
    assert_string_equal (printed (&f, 0), "x\nab\nc\nyd");
    finish (&f);
}

static void
by_line_in_order (void **state)
{
    (void) state;
    struct fixture f;
    begin (&f, JOBOUT_LINES, true, NULL);
    put (&f, 2, 1, "two\n");
    put (&f, 1, 1, "one\n");
    assert_string_equal (printed (&f, 0), "one\n");
    end (&f, 1);
    assert_string_equal (printed (&f, 0), "one\ntwo\n");
    put (&f, 2, 1, "two again\n");
    assert_string_equal (printed (&f, 0), "one\ntwo\ntwo again\n");
    finish (&f);
}

static void
tagged (void **state)
{
    (void) state;
    static const char *const tags[8] = { "", "A", "B b", "", "", "", "", "" };
    struct fixture f;
    begin (&f, JOBOUT_GROUP, false, tags);
    put (&f, 1, 1, "x\ny");
    put (&f, 1, 1, "z\n\n");
    put (&f, 2, 2, "e");
    end (&f, 1);
    end (&f, 2);
    assert_string_equal (printed (&f, 0), "A\tx\nA\tyz\nA\t\n");
    assert_string_equal (printed (&f, 1), "B b\te");
    finish (&f);
}

/*  A line that comes in pieces has its tag once. */
static void
tagged_in_pieces (void **state)
{
    (void) state;
    static const char *const tags[8] = { "", "A", "", "", "", "", "", "" };
    struct fixture f;
    begin (&f, JOBOUT_LINES, true, tags);
    put (&f, 1, 1, "x");
    put (&f, 1, 1, "y\nz");
    assert_string_equal (printed (&f, 0), "A\txy\nA\tz");
    finish (&f);
}

/*  The first job was never seen: the others come out when nothing more comes. */
static void
finished (void **state)
{
    (void) state;
    struct fixture f;
    begin (&f, JOBOUT_GROUP, true, NULL);
    f.jobout.waiting[1] = NULL;
    f.jobs[1].passed = true;
    put (&f, 3, 1, "3\n");
    end (&f, 3);
    put (&f, 2, 1, "2\n");
    end (&f, 2);
    put (&f, 4, 1, "4\n");
    assert_string_equal (printed (&f, 0), "");
    assert_int_equal (jobout_finish (&f.jobout), 0);
    assert_string_equal (printed (&f, 0), "2\n3\n");
    finish (&f);
}

static void
raw (void **state)
{
    (void) state;
    static const char *const tags[8] = { "", "A", "B", "", "", "", "", "" };
    struct fixture f;
    begin (&f, JOBOUT_RAW, true, tags);
    put (&f, 2, 1, "x");
    put (&f, 1, 1, "y");
    assert_string_equal (printed (&f, 0), "xy");
    finish (&f);
}

static void
void_attempt (void **state)
{
    (void) state;
    struct fixture f;
    begin (&f, JOBOUT_GROUP, false, NULL);
    put (&f, 1, 1, "first try\n");
    put (&f, 1, 2, "oops\n");
    assert_int_equal (jobout_void (&f.jobout, &f.jobs[1]), 0);
    put (&f, 1, 1, "second try\n");
    end (&f, 1);
    assert_string_equal (printed (&f, 0), "second try\n");
    assert_string_equal (printed (&f, 1), "");
    finish (&f);
}

/*  Large outputs go to the file, come back whole and in order, and leave nothing. */
static void
spilled (void **state)
{
    (void) state;
    struct fixture f;
    char line[32];
    begin (&f, JOBOUT_GROUP, true, NULL);
    f.outlet.spool.stream_max = 256;
    for (int i = 0; i < 100; i++)
        for (int job = 2; job <= 3; job++) {
            snprintf (line, sizeof line, "%d:%d\n", job, i);
            put (&f, job, 1, line);
        }
    assert_true (f.outlet.spool.fd >= 0);
    assert_true (f.outlet.spool.memory <= 2 * (256 + sizeof line));
    end (&f, 2);
    end (&f, 3);
    end (&f, 1);
    const char *at = printed (&f, 0);
    for (int job = 2; job <= 3; job++)
        for (int i = 0; i < 100; i++) {
            int size = snprintf (line, sizeof line, "%d:%d\n", job, i);
            assert_memory_equal (at, line, (size_t) size);
            at += size;
        }
    assert_int_equal (*at, 0);
    assert_int_equal (f.outlet.spool.end, 0);
    finish (&f);
}

/*  A reader that does not read holds up nothing but new jobs, and loses nothing. */
static void
slow_reader (void **state)
{
    (void) state;
    enum { LINES = 400000 };
    struct fixture f;
    int fds[2];
    char line[32], text[65536];
    begin (&f, JOBOUT_GROUP, false, NULL);
    assert_int_equal (pipe (fds), 0);
    outlet_close (&f.outlet);
    outlet_init (&f.outlet, fds[1], fileno (f.files[1]));
    for (int i = 0; i < LINES; i++)
        assert_int_equal (jobout_write (&f.jobout, &f.jobs[1], 1, line, (size_t) sprintf (line, "%d\n", i)), 0);
    end (&f, 1);
    assert_int_equal (outlet_fd (&f.outlet), fds[1]);
    assert_true (outlet_full (&f.outlet));
    for (int next = 0, filled = 0; next < LINES;) {
        ssize_t got = read (fds[0], text + filled, sizeof text - 1 - (size_t) filled);
        assert_true (got > 0);
        text[filled + got] = '\0';
        char *at = text, *newline;
        for (; (newline = strchr (at, '\n')); at = newline + 1)
            assert_int_equal (atoi (at), next++);
        filled = (int) strlen (at);
        memmove (text, at, (size_t) filled);
        assert_int_equal (outlet_flush (&f.outlet), 0);
    }
    assert_int_equal (outlet_fd (&f.outlet), -1);
    assert_false (outlet_full (&f.outlet));
    close (fds[0]);
    finish (&f);
    close (fds[1]);
}

static void
nobody_reads (void **state)
{
    (void) state;
    struct fixture f;
    int fds[2];
    signal (SIGPIPE, SIG_IGN);
    begin (&f, JOBOUT_GROUP, false, NULL);
    assert_int_equal (pipe (fds), 0);
    outlet_close (&f.outlet);
    outlet_init (&f.outlet, fds[1], fileno (f.files[1]));
    close (fds[0]);
    put (&f, 1, 1, "lost\n");
    end (&f, 1);
    assert_int_equal (outlet_flush (&f.outlet), WEFT_EEND);
    f.outlet.ends[0].fd = fileno (f.files[0]);
    assert_int_equal (outlet_flush (&f.outlet), 0);
    finish (&f);
    close (fds[1]);
}

static void
no_room_on_disk (void **state)
{
    (void) state;
    struct fixture f;
    char text[512];
    memset (text, 'x', sizeof text);
    begin (&f, JOBOUT_GROUP, false, NULL);
    f.outlet.spool.stream_max = 256;
    setenv ("TMPDIR", "/nonexistent", 1);
    assert_true (jobout_write (&f.jobout, &f.jobs[1], 1, text, sizeof text) < 0);
    unsetenv ("TMPDIR");
    assert_non_null (strstr (weft_error (), "TMPDIR"));
    finish (&f);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (grouped),          cmocka_unit_test (in_order), cmocka_unit_test (by_line),
        cmocka_unit_test (by_line_in_order), cmocka_unit_test (tagged),   cmocka_unit_test (raw),
        cmocka_unit_test (void_attempt),     cmocka_unit_test (spilled),  cmocka_unit_test (no_room_on_disk),
        cmocka_unit_test (slow_reader),      cmocka_unit_test (nobody_reads),
        cmocka_unit_test (passed_over),      cmocka_unit_test (finished), cmocka_unit_test (tagged_in_pieces),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
