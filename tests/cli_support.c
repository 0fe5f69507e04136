/*  cli_support.c - commands as calls, with what they read and write in memory */

#include "tests/cli_support.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int
stopped (struct cli *cli)
{
    return atomic_load (&((struct program *) cli)->stops);
}

static void *
run (void *arg)
{
    struct program *self = arg;
    self->status = command_run (&self->cli, self->argc, self->argv);
    return NULL;
}

static int
memory (const char *name, const char *text)
{
    int fd = memfd_create (name, MFD_CLOEXEC);
    assert_true (fd >= 0);
    assert_int_equal (write (fd, text, strlen (text)), strlen (text));
    lseek (fd, 0, SEEK_SET);
    return fd;
}

void
program_start (struct program *self, weft_t *weft, const char *words, const char *input)
{
    *self = (struct program){ .cli.weft = weft, .cli.stopped = stopped, .argv = { "weft" }, .argc = 1 };
    self->words = strdup (words);
    char *rest = self->words;
    for (char *word; (word = strsep (&rest, " ")) && self->argc < 31;) {
        for (char *plus; (plus = strchr (word, '+'));)
            *plus = ' ';
        if (*word)
            self->argv[self->argc++] = word;
    }
    self->cli.in = memory ("input", input);
    self->cli.out = memory ("output", "");
    self->cli.err = open_memstream (&self->talk, &self->talk_size);
    self->cli.stop_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal (pthread_create (&self->thread, NULL, run, self), 0);
}

void
program_stop (struct program *self)
{
    atomic_fetch_add (&self->stops, 1);
    eventfd_write (self->cli.stop_fd, 1);
}

void
program_await_output (struct program *self)
{
    enum { TURNS = 20000 };
    struct stat stat = { .st_size = 0 };
    for (int i = 0; i < TURNS && stat.st_size == 0; i++) {
        poll (NULL, 0, 1);
        assert_int_equal (fstat (self->cli.out, &stat), 0);
    }
    assert_true (stat.st_size > 0);
}

int
program_wait (struct program *self)
{
    pthread_join (self->thread, NULL);
    fflush (self->cli.err);
    ssize_t size = pread (self->cli.out, self->output, sizeof self->output - 1, 0);
    assert_true (size >= 0);
    self->output[size] = '\0';
    return self->status;
}

void
program_free (struct program *self)
{
    fclose (self->cli.err);
    close (self->cli.in);
    close (self->cli.out);
    close (self->cli.stop_fd);
    free (self->talk);
    free (self->words);
}

int
program_run (struct program *self, weft_t *weft, const char *words, const char *input)
{
    program_start (self, weft, words, input);
    return program_wait (self);
}

void
assert_contains (const char *text, const char *part)
{
    if (!strstr (text, part))
        fail_msg ("'%s' is not in '%s'", part, text);
}
