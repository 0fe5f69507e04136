/*  secure.c - what every command that opens endpoints takes: keys, and a limit of memory
 *
 *  No option of libzmq bounds the memory of a message of many frames, and without memory libzmq aborts. */

#include "cli/secure.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/limits.h"

#define MEMORY_TRIED (1 << 20)              /*  there is none left when this cannot be had  */

const struct option secure_options[] = {
    OPTIONS_OF_SECURITY (offsetof (struct secure, security)),
    MEMORY_LIMIT_OPTION (offsetof (struct secure, memory)), OPTION_END
};

static char last_words[160];
static int last_status;

/*  libzmq has no memory for something that it cannot do without; or it found a fault of its own, which is
 *  left to be what it was. */
static void
on_abort (int number)
{
    /*  NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c): in Linux it is nothing but a system call. */
    void *memory = mmap (NULL, MEMORY_TRIED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) {
        signal (number, SIG_DFL);
        return;
    }
    if (write (STDERR_FILENO, last_words, strlen (last_words)) < 0) {
        /*  Nobody is there to read it. */
    }
    _exit (last_status);
}

int
secure_begin (struct cli *cli, const struct secure *self, int status)
{
    char size[32];
    if (self->memory == 0)
        return 0;
    int rc = option_get (option_find (secure_options, "memory-limit"), self, size, sizeof size);
    rc = rc ? rc : limits_memory (self->memory);
    if (rc)
        return rc;
    last_status = status;
    snprintf (last_words, sizeof last_words, "weft %s: out of memory: as much as --memory-limit %s allows is in use\n",
              cli->name, size);
    signal (SIGABRT, on_abort);
    return 0;
}

int
secure_apply (const struct secure *self, command_set_fn *set, void *handle)
{
    int rc = 0;
    for (const struct option *each = security_options; each->name && rc == 0; each++) {
        const char *field = (const char *) &self->security + each->offset;
        const char *value = each->type == OPTION_FLAG ? (*(const bool *) field ? "yes" : NULL)
                                                      : *(char *const *) (const void *) field;
        if (value)
            rc = set (handle, each, value);
    }
    return rc;
}
