/*  seam_raw.c - what the machine can do: the same loops on a stream socket with a length before each
 *  message, and for inproc on a bounded queue with a mutex and two conditions.
 *
 *  A request or reply is one send (2), for it must go now; what is pushed is gathered
 *  in a buffer, as libzmq gathers it too. Receives go through a buffer. */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/*  One way between two threads. The bytes of the messages are copied in and out. */
struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled, drained;
    size_t first, count, size;
    char *slots;
};

struct link {
    int fd;                     /*  the connection; -1 until it is accepted                     */
    int listener;               /*  -1: none                                                    */
    struct queue *in, *out;     /*  inproc                                                      */
    bool gather;                /*  send when the buffer is full                                */
    char buffer[65536];         /*  received and not yet taken, or to be sent: [head, tail)     */
    size_t head, tail;
};

#include "bench/seam.h"

#define MESSAGE_MAX (sizeof ((struct link *) 0)->buffer - sizeof (uint32_t))

static struct queue queues[2];  /*  to the near end, to the far end */

static void
link_context_open (void)
{
    for (int n = 0; n < 2; n++) {
        pthread_mutex_init (&queues[n].lock, NULL);
        pthread_cond_init (&queues[n].filled, NULL);
        pthread_cond_init (&queues[n].drained, NULL);
    }
}

static void
link_context_close (void)
{
    free (queues[0].slots);
    free (queues[1].slots);
}

static void
queue_put (struct queue *self, const void *data, size_t size)
{
    pthread_mutex_lock (&self->lock);
    if (!self->slots) {
        self->size = size;
        self->slots = malloc (SEAM_HWM * size);
        check (self->slots, "memory for a queue");
    }
    while (self->count == SEAM_HWM)
        pthread_cond_wait (&self->drained, &self->lock);
    memcpy (self->slots + (self->first + self->count) % SEAM_HWM * size, data, size);
    if (self->count++ == 0)
        pthread_cond_signal (&self->filled);
    pthread_mutex_unlock (&self->lock);
}

static void
queue_get (struct queue *self, void *data, size_t size)
{
    pthread_mutex_lock (&self->lock);
    while (self->count == 0)
        pthread_cond_wait (&self->filled, &self->lock);
    memcpy (data, self->slots + self->first * size, size);
    self->first = (self->first + 1) % SEAM_HWM;
    if (self->count-- == SEAM_HWM)
        pthread_cond_signal (&self->drained);
    pthread_mutex_unlock (&self->lock);
}

/*  Of tcp://127.0.0.1:PORT or ipc://PATH. */
static socklen_t
address_of (const char *endpoint, struct sockaddr_storage *storage)
{
    memset (storage, 0, sizeof *storage);
    if (strncmp (endpoint, "ipc://", 6) == 0) {
        struct sockaddr_un *local = (struct sockaddr_un *) storage;
        local->sun_family = AF_UNIX;
        snprintf (local->sun_path, sizeof local->sun_path, "%s", endpoint + 6);
        return sizeof *local;
    }
    struct sockaddr_in *inet = (struct sockaddr_in *) storage;
    inet->sin_family = AF_INET;
    inet->sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    inet->sin_port = htons ((uint16_t) atoi (strrchr (endpoint, ':') + 1));
    return sizeof *inet;
}

static void
link_bind (struct link *self, enum role role, char endpoint[ENDPOINT_BYTES])
{
    struct sockaddr_storage address;
    socklen_t size;

    (void) role;
    *self = (struct link){.fd = -1, .listener = -1, .in = &queues[0], .out = &queues[1]};
    if (strncmp (endpoint, "inproc://", 9) == 0)
        return;
    self->in = self->out = NULL;
    size = address_of (endpoint, &address);
    self->listener = socket (address.ss_family, SOCK_STREAM, 0);
    check (self->listener >= 0, "socket");
    check (bind (self->listener, (struct sockaddr *) &address, size) == 0, endpoint);
    check (listen (self->listener, 1) == 0, "listen");
    if (address.ss_family == AF_INET) {
        check (getsockname (self->listener, (struct sockaddr *) &address, &size) == 0, "getsockname");
        snprintf (endpoint, ENDPOINT_BYTES, "tcp://127.0.0.1:%u",
                  (unsigned) ntohs (((struct sockaddr_in *) &address)->sin_port));
    }
}

static void
no_delay (int fd)
{
    int on = 1;

    (void) setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);   /*  ipc has none, and needs none */
}

static void
link_connect (struct link *self, enum role role, const char *endpoint)
{
    struct sockaddr_storage address;
    socklen_t size;

    *self = (struct link){.fd = -1, .listener = -1, .in = &queues[1], .out = &queues[0], .gather = role == ROLE_PUSH};
    if (strncmp (endpoint, "inproc://", 9) == 0)
        return;
    self->in = self->out = NULL;
    size = address_of (endpoint, &address);
    self->fd = socket (address.ss_family, SOCK_STREAM, 0);
    check (self->fd >= 0, "socket");
    check (connect (self->fd, (struct sockaddr *) &address, size) == 0, endpoint);
    no_delay (self->fd);
}

static void
link_accept (struct link *self)
{
    self->fd = accept (self->listener, NULL, NULL);
    check (self->fd >= 0, "accept");
    no_delay (self->fd);
}

static void
send_all (int fd, const char *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t sent = send (fd, data + done, size - done, MSG_NOSIGNAL);
        check (sent > 0, "send");
        done += (size_t) sent;
    }
}

static void
link_flush (struct link *self)
{
    if (!self->gather || self->out)
        return;
    send_all (self->fd, self->buffer, self->tail);
    self->tail = 0;
}

static void
link_send (struct link *self, const void *data, size_t size)
{
    char message[sizeof self->buffer], *at = message;
    uint32_t length = htonl ((uint32_t) size);

    if (self->out) {
        queue_put (self->out, data, size);
        return;
    }
    if (size > MESSAGE_MAX)
        die ("raw messages have at most %zu bytes", MESSAGE_MAX);
    if (self->gather) {
        if (sizeof self->buffer - self->tail < sizeof length + size)
            link_flush (self);
        at = self->buffer + self->tail;
        self->tail += sizeof length + size;
    }
    memcpy (at, &length, sizeof length);
    memcpy (at + sizeof length, data, size);
    if (!self->gather)
        send_all (self->fd, message, sizeof length + size);
}

/*  Waits until the buffer holds `size` bytes. */
static void
link_fill (struct link *self, size_t size)
{
    if (self->fd < 0)
        link_accept (self);
    if (self->tail - self->head < size && sizeof self->buffer - self->head < size) {
        memmove (self->buffer, self->buffer + self->head, self->tail - self->head);
        self->tail -= self->head;
        self->head = 0;
    }
    while (self->tail - self->head < size) {
        ssize_t got = recv (self->fd, self->buffer + self->tail, sizeof self->buffer - self->tail, 0);
        check (got > 0, "recv");
        self->tail += (size_t) got;
    }
}

static void
link_recv (struct link *self, void *data, size_t size)
{
    uint32_t length;

    if (self->in) {
        queue_get (self->in, data, size);
        return;
    }
    link_fill (self, sizeof length);
    memcpy (&length, self->buffer + self->head, sizeof length);
    if (ntohl (length) != size)
        die ("a message of %u bytes, not %zu", ntohl (length), size);
    self->head += sizeof length;
    link_fill (self, size);
    memcpy (data, self->buffer + self->head, size);
    self->head += size;
    if (self->head == self->tail)
        self->head = self->tail = 0;
}

static void
link_close (struct link *self)
{
    if (self->fd >= 0)
        close (self->fd);
    if (self->listener >= 0)
        close (self->listener);
}
