/*  descriptors.c - running out of file descriptors without dying of it
 *
 *  When accept fails with EMFILE, libzmq's ipc listener aborts the process (its
 *  assertion on errno lists ENFILE but not EMFILE), and its tcp listener tries
 *  again at once and for ever, on a whole core. So the program puts its own
 *  accept and accept4 before libc's: a failure with EMFILE comes back as ENFILE, which
 *  both listeners take for "not now", after a short pause. The connection waits
 *  in the backlog and is served when a descriptor is free again.
 *
 *  The symbols must be exported from the executable (see the Makefile), else
 *  libzmq would not find them. A library must not do such a thing to its host. */

#include "cli/descriptors.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/limits.h"

/*  Long enough not to burn a core, short enough for the connections that are being served. */
static const struct timespec pause_when_full = { .tv_nsec = 1000 * 1000 };

static atomic_bool exhausted, told;

void
descriptors_raise (void)
{
    limits_want_files (RLIM_INFINITY);
}

bool
descriptors_exhausted (void)
{
    return atomic_load (&exhausted) && !atomic_exchange (&told, true);
}

__attribute__ ((visibility ("default"))) int
accept4 (int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
    int accepted = (int) syscall (SYS_accept4, fd, address, length, flags);
    if (accepted < 0 && errno == EMFILE) {
        atomic_store (&exhausted, true);
        nanosleep (&pause_when_full, NULL);
        errno = ENFILE;
    }
    return accepted;
}

__attribute__ ((visibility ("default"))) int
accept (int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    return accept4 (fd, address, length, 0);
}
