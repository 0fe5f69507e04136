/*  lines_client.c - a client of lines over TCP, as plain as it can be: the foreign side of a bridge
 *
 *      lines_client rtt PORT SIZE COUNT    a line of SIZE bytes at a time, and its answer: prints p50, p99 in ns;
 *                                          a tenth of COUNT goes first and is not measured
 *      lines_client pour PORT              standard input to the connection, to its end */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"

static int
connect_to (const char *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    int fd = socket (AF_INET, SOCK_STREAM, 0), on = 1;
    to.sin_port = htons ((uint16_t) number_of (port, 1));
    check (fd >= 0 && connect (fd, (struct sockaddr *) &to, sizeof to) == 0, "connecting");
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static void
round_trip (int fd, char *line, size_t size)
{
    check (send (fd, line, size, 0) == (ssize_t) size, "sending");
    for (size_t have = 0; have < size; ) {
        ssize_t count = recv (fd, line + have, size - have, 0);
        check (count > 0, "receiving");
        have += (size_t) count;
    }
}

static void
rtt (int fd, size_t size, size_t count)
{
    char *line = malloc (size);
    int64_t *samples = calloc (count, sizeof *samples);
    check (line && samples, "memory for samples");
    memset (line, 'x', size);
    line[size - 1] = '\n';
    for (size_t n = 0; n < count / 10; n++)
        round_trip (fd, line, size);
    for (size_t n = 0; n < count; n++) {
        int64_t start = now_ns ();
        round_trip (fd, line, size);
        samples[n] = now_ns () - start;
    }
    qsort (samples, count, sizeof *samples, compare_ns);
    printf ("p50 %lld\n", (long long) quantile (samples, count, 50, 100));
    printf ("p99 %lld\n", (long long) quantile (samples, count, 99, 100));
    free (samples);
    free (line);
}

static void
pour (int fd)
{
    static char data[1 << 16];
    ssize_t size;
    while ((size = read (STDIN_FILENO, data, sizeof data)) > 0)
        for (ssize_t sent = 0, count; sent < size; sent += count) {
            count = send (fd, data + sent, (size_t) (size - sent), 0);
            check (count > 0, "sending");
        }
    check (size == 0, "reading");
    shutdown (fd, SHUT_WR);
    while (recv (fd, data, sizeof data, 0) > 0)
        continue;
}

int
main (int argc, char **argv)
{
    if (argc == 5 && strcmp (argv[1], "rtt") == 0)
        rtt (connect_to (argv[2]), number_of (argv[3], 1), number_of (argv[4], 10));
    else if (argc == 3 && strcmp (argv[1], "pour") == 0)
        pour (connect_to (argv[2]));
    else
        die ("usage: lines_client rtt PORT SIZE COUNT | pour PORT < LINES");
    return 0;
}
