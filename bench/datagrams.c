/*  datagrams.c - plain peers over UDP: the foreign side of a bridge, and what it is compared with
 *
 *      datagrams rtt PORT SIZE COUNT       a datagram at a time, and its answer: prints p50, p99 in ns; a tenth of
 *                                          COUNT goes first and is not measured
 *      datagrams echo PORT                 answers with what comes, until it is ended
 *      datagrams pour PORT SIZE RATE COUNT sends so many a second, a thousandth of it each millisecond: prints how many
 *                                          a second it came to; when it was not let run, it goes on from there, since
 *                                          what it owes would be a burst
 *      datagrams drain PORT COUNT          takes with recvmmsg and looks at nothing, until all or a second of silence:
 *                                          prints how many were lost, and the processor's time for each in ns */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"

#define BATCH 64
#define ROOM 65536
#define RECEIVE_BUFFER (16 << 20)   /*  as a bridge has by itself */
#define LATE 10000000               /*  ns that are made good */

static int
open_socket (const char *port, bool binds)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    int fd = socket (AF_INET, SOCK_DGRAM, 0), size = RECEIVE_BUFFER;
    at.sin_port = htons ((uint16_t) number_of (port, 1));
    check (fd >= 0, "a socket");
    if (setsockopt (fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (binds)
        check (bind (fd, (struct sockaddr *) &at, sizeof at) == 0, "binding");
    else
        check (connect (fd, (struct sockaddr *) &at, sizeof at) == 0, "connecting");
    return fd;
}

static void
round_trip (int fd, char *body, size_t size)
{
    check (send (fd, body, size, 0) == (ssize_t) size, "sending");
    check (recv (fd, body, size, 0) == (ssize_t) size, "receiving");
}

static void
rtt (int fd, size_t size, size_t count)
{
    char *body = calloc (1, size);
    int64_t *samples = calloc (count, sizeof *samples);
    check (body && samples, "memory for samples");
    for (size_t n = 0; n < count / 10; n++)
        round_trip (fd, body, size);
    for (size_t n = 0; n < count; n++) {
        int64_t start = now_ns ();
        round_trip (fd, body, size);
        samples[n] = now_ns () - start;
    }
    qsort (samples, count, sizeof *samples, compare_ns);
    printf ("p50 %lld\n", (long long) quantile (samples, count, 50, 100));
    printf ("p99 %lld\n", (long long) quantile (samples, count, 99, 100));
    free (samples);
    free (body);
}

static void
echo (int fd)
{
    static char body[ROOM];
    for (;;) {
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t count = recvfrom (fd, body, sizeof body, 0, (struct sockaddr *) &from, &size);
        check (count >= 0 && sendto (fd, body, (size_t) count, 0, (struct sockaddr *) &from, size) == count, "echo");
    }
}

static void
pour (int fd, size_t size, size_t rate, size_t count)
{
    static char bodies[BATCH][ROOM];
    struct iovec parts[BATCH];
    struct mmsghdr headers[BATCH] = { { .msg_len = 0 } };
    for (size_t i = 0; i < BATCH; i++) {
        memset (bodies[i], 'x', size);
        parts[i] = (struct iovec) { bodies[i], size };
        headers[i].msg_hdr = (struct msghdr) { .msg_iov = &parts[i], .msg_iovlen = 1 };
    }
    int64_t start = now_ns (), next = start;
    for (size_t sent = 0; sent < count; ) {
        size_t due = rate / 1000 < count - sent ? sent + rate / 1000 : count;
        while (sent < due) {
            int done = sendmmsg (fd, headers, due - sent < BATCH ? (unsigned) (due - sent) : BATCH, 0);
            check (done > 0, "sending");
            sent += (size_t) done;
        }
        next += 1000000;
        if (now_ns () - next > LATE)
            next = now_ns ();
        struct timespec until = { .tv_sec = next / 1000000000, .tv_nsec = next % 1000000000 };
        clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    }
    printf ("rate %.0f\n", (double) count * 1e9 / (double) (now_ns () - start));
}

static void
drain (int fd, size_t count)
{
    static char bodies[BATCH][ROOM];
    struct sockaddr_in from[BATCH];
    struct iovec parts[BATCH];
    struct mmsghdr headers[BATCH];
    struct rusage used;
    struct timeval second = { .tv_sec = 1 };
    size_t got = 0;
    int done = 1;
    for (size_t i = 0; i < BATCH; i++)
        parts[i] = (struct iovec) { bodies[i], ROOM };
    while (got < count && done > 0) {
        for (size_t i = 0; i < BATCH; i++)
            headers[i] = (struct mmsghdr) { .msg_hdr = { .msg_iov = &parts[i], .msg_iovlen = 1, .msg_name = &from[i],
                                                         .msg_namelen = sizeof from[i] } };
        done = recvmmsg (fd, headers, BATCH, MSG_WAITFORONE, NULL);
        if (got == 0)
            setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
        got += done > 0 ? (size_t) done : 0;
    }
    getrusage (RUSAGE_SELF, &used);
    double time = (double) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e9
                  + (double) (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e3;
    printf ("lost %zu\n", count - got);
    printf ("cpu %.0f\n", time / (double) (got ? got : 1));
}

int
main (int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    if (strcmp (what, "rtt") == 0 && argc == 5)
        rtt (open_socket (argv[2], false), number_of (argv[3], 1), number_of (argv[4], 10));
    else if (strcmp (what, "echo") == 0)
        echo (open_socket (argv[2], true));
    else if (strcmp (what, "pour") == 0 && argc == 6 && number_of (argv[3], 1) <= ROOM)
        pour (open_socket (argv[2], false), number_of (argv[3], 1), number_of (argv[4], 1000), number_of (argv[5], 1));
    else if (strcmp (what, "drain") == 0 && argc == 4)
        drain (open_socket (argv[2], true), number_of (argv[3], 1));
    else
        die ("usage: datagrams rtt PORT SIZE COUNT | echo PORT | pour PORT SIZE RATE COUNT | drain PORT COUNT");
    return 0;
}
