/*  ws_client.c - clients of a WebSocket server, many in one loop: the foreign side of a bridge and of its peers
 *
 *      ws_client push PORT PATH CLIENTS SIZE COUNT     COUNT messages, shared out to CLIENTS that send all they can
 *      ws_client hear PORT PATH CLIENTS SIZE COUNT     each of CLIENTS hears COUNT messages, which somebody else sends
 *      ws_client relay PORT PATH CLIENTS SIZE COUNT    the same, and one more client sends them
 *      ws_client hold PORT PATH CLIENTS                they rest until standard input ends
 *
 *  A line "ready" on standard output says that all are connected; hear and relay then print when the last message was
 *  there, and relay before that when the first was sent: "began NS", "ended NS" by the monotonic clock. A message is
 *  text of SIZE bytes that begins with its number, from 0 on. Whatever else comes, or does not come, is a failure.
 *
 *  Nothing of weft is in it: it is the same for all servers. Their Pings have no answer, since no run lasts so long. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"

#define HEAD_MAX 14             /*  bytes in front of what a frame carries              */
#define NUMBER 10               /*  digits of a message's number                        */
#define TEXT 1
#define CLOSE 8
#define FINAL 0x80
#define MASKED 0x80
#define CHUNK (64 * 1024)       /*  that a client encodes at once                       */
#define ROOM (256 * 1024)       /*  that is read at once                                */
#define EVENTS 256

static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };

struct client {
    int fd;
    size_t number;              /*  of its next message, either way                     */
    size_t last;                /*  that it sends, and one more                         */
    unsigned char *kept;        /*  the beginning of a frame, or what is not sent yet   */
    size_t size, at;
    bool closed;                /*  its Close is in `kept`                              */
};

static const char *port, *path;
static size_t message_size;
static int loop;

/* ------------------------------------------------------------------------ connecting */

/*  A byte at a time: what comes behind the head is the loop's. */
static void
read_answer (int fd)
{
    char head[4096];
    size_t size = 0;
    do {
        check (size < sizeof head - 1 && recv (fd, head + size, 1, 0) == 1, "the answer to a handshake");
        head[++size] = '\0';
    } while (size < 4 || memcmp (head + size - 4, "\r\n\r\n", 4) != 0);
    if (strncmp (head, "HTTP/1.1 101 ", 13) != 0)
        die ("refused: %.*s", (int) strcspn (head, "\r"), head);
}

static void
connect_one (struct client *self)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    char request[512];
    int on = 1;
    to.sin_port = htons ((uint16_t) number_of (port, 1));
    *self = (struct client) { .fd = socket (AF_INET, SOCK_STREAM, 0) };
    check (self->fd >= 0 && connect (self->fd, (struct sockaddr *) &to, sizeof to) == 0, "connecting");
    setsockopt (self->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int size = snprintf (request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Key: d2VmdCBiZW5jaG1hcmtzIQ==\r\n"
                         "Sec-WebSocket-Version: 13\r\n\r\n", path, port);
    check (size < (int) sizeof request && send (self->fd, request, (size_t) size, 0) == size, "a handshake");
    read_answer (self->fd);
    fcntl (self->fd, F_SETFL, O_NONBLOCK);
}

static struct client *
connect_all (size_t count)
{
    struct client *clients = calloc (count, sizeof *clients);
    check (clients, "memory for clients");
    for (size_t i = 0; i < count; i++)
        connect_one (&clients[i]);
    return clients;
}

static void
end_all (struct client *clients, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        close (clients[i].fd);
        free (clients[i].kept);
    }
    free (clients);
}

static void
ready (void)
{
    puts ("ready");
    fflush (stdout);
}

static void
watch (struct client *self, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = self };
    check (epoll_ctl (loop, EPOLL_CTL_ADD, self->fd, &event) == 0, "watching a connection");
}

/* --------------------------------------------------------------------------- sending */

static void
number_text (char text[NUMBER], size_t number)
{
    for (int i = NUMBER - 1; i >= 0; i--, number /= 10)
        text[i] = (char) ('0' + number % 10);
}

static size_t
add_frame (unsigned char *at, unsigned opcode, const char *data, size_t size)
{
    size_t head = 2;
    at[0] = (unsigned char) (FINAL | opcode);
    at[1] = (unsigned char) (MASKED | (size < 126 ? size : 126));
    if (size >= 126) {
        at[2] = (unsigned char) (size >> 8);
        at[3] = (unsigned char) size;
        head = 4;
    }
    memcpy (at + head, key, sizeof key);
    head += sizeof key;
    for (size_t i = 0; i < size; i++)
        at[head + i] = (unsigned char) data[i] ^ key[i % 4];
    return head + size;
}

/*  The next messages of a client, and its Close behind the last. */
static void
encode (struct client *self, char *message, bool closes)
{
    self->size = self->at = 0;
    while (self->number < self->last && self->size + message_size + HEAD_MAX <= CHUNK) {
        number_text (message, self->number++);
        self->size += add_frame (self->kept + self->size, TEXT, message, message_size);
    }
    if (closes && self->number == self->last && self->size + HEAD_MAX <= CHUNK) {
        self->size += add_frame (self->kept + self->size, CLOSE, "\x03\xe8", 2);
        self->closed = true;
    }
}

/*  All that it can; true when nothing is left to be sent. */
static bool
send_some (struct client *self, char *message, bool closes)
{
    for (;;) {
        if (self->at == self->size)
            encode (self, message, closes);
        if (self->at == self->size)
            return true;
        ssize_t count = send (self->fd, self->kept + self->at, self->size - self->at, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN)
            return false;
        check (count > 0, "sending");
        self->at += (size_t) count;
        if (self->closed && self->at == self->size)
            return true;
    }
}

static char *
new_message (void)
{
    char *message = malloc (message_size);
    check (message, "memory for a message");
    memset (message, 'x', message_size);
    return message;
}

static void
make_sender (struct client *self, size_t count)
{
    self->last = count;
    self->kept = malloc (CHUNK);
    check (self->kept, "memory for messages");
    watch (self, EPOLLOUT);
}

static void
push (size_t count, size_t messages)
{
    struct client *clients = connect_all (count);
    struct epoll_event events[EVENTS];
    char *message = new_message ();
    for (size_t i = 0; i < count; i++)
        make_sender (&clients[i], messages / count + (i < messages % count));
    ready ();
    for (size_t left = count; left > 0; ) {
        int found = epoll_wait (loop, events, EVENTS, -1);
        for (int i = 0; i < found; i++) {
            struct client *self = events[i].data.ptr;
            if (send_some (self, message, true)) {
                epoll_ctl (loop, EPOLL_CTL_DEL, self->fd, NULL);
                left--;
            }
        }
    }
    for (size_t i = 0; i < count; i++) {        /*  the answer to Close, and the end                    */
        fcntl (clients[i].fd, F_SETFL, 0);
        while (recv (clients[i].fd, message, message_size, 0) > 0)
            continue;
    }
    free (message);
    end_all (clients, count);
}

/* --------------------------------------------------------------------------- hearing */

/*  One frame of what has come: its size; 0: there is more to come of it. */
static size_t
hear_frame (struct client *self, const unsigned char *data, size_t size)
{
    char number[NUMBER];
    size_t head = 2;
    if (size < head)
        return 0;
    size_t body = data[1] & 0x7f;
    if (body == 126) {
        head = 4;
        if (size < head)
            return 0;
        body = (size_t) data[2] << 8 | data[3];
    }
    if (size < head + body)
        return 0;
    if (data[0] > (FINAL | CLOSE))
        return head + body;             /*  Ping, Pong                                          */
    number_text (number, self->number);
    if (data[0] != (FINAL | TEXT) || body != message_size || memcmp (data + head, number, NUMBER) != 0)
        die ("of message %zu came a frame of kind %02x and %zu bytes: %.*s", self->number, data[0], body,
             body < 40 ? (int) body : 40, data + head);
    self->number++;
    return head + body;
}

/*  What has come; true: it has heard all. */
static bool
hear_some (struct client *self, size_t count)
{
    static unsigned char data[ROOM];
    memcpy (data, self->kept, self->size);
    ssize_t came = recv (self->fd, data + self->size, ROOM - self->size, 0);
    if (came < 0 && errno == EAGAIN)
        return false;
    if (came <= 0)
        die ("a connection has ended after %zu of %zu messages", self->number, count);
    size_t size = self->size + (size_t) came, at = 0, frame;
    while ((frame = hear_frame (self, data + at, size - at)) > 0)
        at += frame;
    self->size = size - at;
    if (self->size > message_size + HEAD_MAX)
        die ("a frame that is longer than a message");
    memcpy (self->kept, data + at, self->size);
    return self->number >= count;
}

static void
hear (size_t count, size_t messages, bool relay)
{
    struct client *clients = connect_all (count + relay), *sender = relay ? &clients[count] : NULL;
    struct epoll_event events[EVENTS];
    char *message = new_message ();
    for (size_t i = 0; i < count; i++) {
        clients[i].kept = malloc (message_size + HEAD_MAX);
        check (clients[i].kept, "memory for messages");
        watch (&clients[i], EPOLLIN);
    }
    ready ();
    if (relay) {
        printf ("began %lld\n", (long long) now_ns ());
        make_sender (sender, messages);
    }
    for (size_t left = count; left > 0; ) {
        int found = epoll_wait (loop, events, EVENTS, -1);
        for (int i = 0; i < found; i++) {
            struct client *self = events[i].data.ptr;
            bool over = self == sender ? send_some (self, message, false) : hear_some (self, messages);
            if (over)
                epoll_ctl (loop, EPOLL_CTL_DEL, self->fd, NULL);
            left -= over && self != sender;
        }
    }
    printf ("ended %lld\n", (long long) now_ns ());
    for (size_t i = 0; i < count; i++)
        if (recv (clients[i].fd, message, 1, MSG_DONTWAIT) > 0)
            die ("more has come than %zu messages", messages);
    free (message);
    end_all (clients, count + relay);
}

static void
hold (size_t count)
{
    char rest[256];
    struct client *clients = connect_all (count);
    ready ();
    while (read (STDIN_FILENO, rest, sizeof rest) > 0)
        continue;
    end_all (clients, count);
}

int
main (int argc, char **argv)
{
    const char *what = argc > 4 ? argv[1] : "";
    bool relay = strcmp (what, "relay") == 0;
    raise_limit ();
    loop = epoll_create1 (EPOLL_CLOEXEC);
    check (loop >= 0, "epoll");
    port = argc > 4 ? argv[2] : "";
    path = argc > 4 ? argv[3] : "";
    message_size = argc == 7 ? number_of (argv[5], NUMBER) : 0;
    if (message_size > 65535)
        die ("messages have at most 65535 bytes");
    if (argc == 7 && strcmp (what, "push") == 0)
        push (number_of (argv[4], 1), number_of (argv[6], 1));
    else if (argc == 7 && (relay || strcmp (what, "hear") == 0))
        hear (number_of (argv[4], 1), number_of (argv[6], 1), relay);
    else if (argc == 5 && strcmp (what, "hold") == 0)
        hold (number_of (argv[4], 1));
    else
        die ("usage: push|hear|relay PORT PATH CLIENTS SIZE COUNT | hold PORT PATH CLIENTS");
    return 0;
}
