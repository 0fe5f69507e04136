/*  lines_client.c - a client of lines over TCP, as plain as it can be: the foreign side of a bridge
 *
 *      lines_client [CA] rtt PORT SIZE COUNT    a line of SIZE bytes at a time, and its answer: prints p50, p99 in ns;
 *                                               a tenth of COUNT goes first and is not measured
 *      lines_client [CA] pour PORT              standard input to the connection, to its end
 *      lines_client [CA] hold PORT COUNT        so many connections, which rest until standard input ends; a line on
 *                                               standard output says that they are there
 *
 *  With the file of a CA all is in TLS. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"
#include "core/tls.h"

static struct tls_config config = { .on = true };
static struct tls_context *context;     /*  NULL: clear text */

struct connection {
    int fd;
    struct tls *tls;
};

/* -------------------------------------------------------------------- one connection */

static void
wait_for (const struct connection *self, short events)
{
    struct pollfd wait = { .fd = self->fd, .events = events };
    check (poll (&wait, 1, -1) == 1, "waiting");
}

static void
send_all (const struct connection *self, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = send (self->fd, data, size, 0);
        check (count > 0 || errno == EAGAIN, "sending");
        if (count < 0)
            wait_for (self, POLLOUT);
        data += count > 0 ? count : 0;
        size -= count > 0 ? (size_t) count : 0;
    }
}

static void
send_wire (const struct connection *self)
{
    struct buffer *wire = tls_wire (self->tls);
    send_all (self, buffer_data (wire), buffer_size (wire));
    buffer_clear (wire);
}

static void
say (const struct connection *self, const char *data, size_t size)
{
    if (!self->tls) {
        send_all (self, data, size);
        return;
    }
    check (tls_write (self->tls, data, size) == 0, "encrypting");
    send_wire (self);
}

/*  How much came; 0 at the end. */
static size_t
hear (const struct connection *self, char *data, size_t size)
{
    int64_t count;
    if (!self->tls)
        count = recv (self->fd, data, size, 0);
    else
        while ((count = tls_read (self->tls, data, size)) == WEFT_EAGAIN)
            wait_for (self, POLLIN);
    check (count >= 0, "receiving");
    return (size_t) count;
}

static void
shake_hands (struct connection *self)
{
    int rc;
    fcntl (self->fd, F_SETFL, O_NONBLOCK);
    check (tls_new (context, self->fd, &self->tls) == 0, "TLS");
    while ((rc = tls_handshake (self->tls)) == WEFT_EAGAIN) {
        send_wire (self);
        wait_for (self, POLLIN);
    }
    check (rc == 0, weft_error ());
    send_wire (self);
}

static struct connection
connect_to (const char *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    struct connection self = { .fd = socket (AF_INET, SOCK_STREAM, 0) };
    int on = 1;
    to.sin_port = htons ((uint16_t) number_of (port, 1));
    check (self.fd >= 0 && connect (self.fd, (struct sockaddr *) &to, sizeof to) == 0, "connecting");
    setsockopt (self.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (context)
        shake_hands (&self);
    return self;
}

static void
disconnect (struct connection *self)
{
    tls_destroy (&self->tls);
    close (self->fd);
}

/* ---------------------------------------------------------------------------- runs */

static void
round_trip (const struct connection *connection, char *line, size_t size)
{
    say (connection, line, size);
    for (size_t have = 0; have < size; ) {
        size_t count = hear (connection, line + have, size - have);
        check (count > 0, "receiving");
        have += count;
    }
}

static void
rtt (struct connection connection, size_t size, size_t count)
{
    char *line = malloc (size);
    int64_t *samples = calloc (count, sizeof *samples);
    check (line && samples, "memory for samples");
    memset (line, 'x', size);
    line[size - 1] = '\n';
    for (size_t n = 0; n < count / 10; n++)
        round_trip (&connection, line, size);
    for (size_t n = 0; n < count; n++) {
        int64_t start = now_ns ();
        round_trip (&connection, line, size);
        samples[n] = now_ns () - start;
    }
    qsort (samples, count, sizeof *samples, compare_ns);
    printf ("p50 %lld\n", (long long) quantile (samples, count, 50, 100));
    printf ("p99 %lld\n", (long long) quantile (samples, count, 99, 100));
    free (samples);
    free (line);
    disconnect (&connection);
}

static void
pour (struct connection connection)
{
    static char data[1 << 16];
    ssize_t size;
    while ((size = read (STDIN_FILENO, data, sizeof data)) > 0)
        say (&connection, data, (size_t) size);
    check (size == 0, "reading");
    if (connection.tls) {
        tls_finish (connection.tls);
        send_wire (&connection);
    }
    shutdown (connection.fd, SHUT_WR);
    while (hear (&connection, data, sizeof data) > 0)
        continue;
    disconnect (&connection);
}

static void
hold (const char *port, size_t count)
{
    char rest[256];
    raise_limit ();
    struct connection *held = calloc (count, sizeof *held);
    check (held, "memory for connections");
    for (size_t n = 0; n < count; n++)
        held[n] = connect_to (port);
    puts ("ready");
    fflush (stdout);
    while (read (STDIN_FILENO, rest, sizeof rest) > 0)
        continue;
    for (size_t n = 0; n < count; n++)
        disconnect (&held[n]);
    free (held);
}

int
main (int argc, char **argv)
{
    if (argc > 2 && strchr (argv[1], '/')) {
        config.ca = argv[1];
        check (tls_context_new (&config, false, "127.0.0.1", NULL, &context) == 0, weft_error ());
        argc--;
        argv++;
    }
    if (argc == 5 && strcmp (argv[1], "rtt") == 0)
        rtt (connect_to (argv[2]), number_of (argv[3], 1), number_of (argv[4], 10));
    else if (argc == 3 && strcmp (argv[1], "pour") == 0)
        pour (connect_to (argv[2]));
    else if (argc == 4 && strcmp (argv[1], "hold") == 0)
        hold (argv[2], number_of (argv[3], 1));
    else
        die ("usage: [CA] rtt PORT SIZE COUNT | pour PORT | hold PORT COUNT");
    tls_context_destroy (&context);
    return 0;
}
