/*  lines_zmq.c - the peer of weft push and weft pull: lines as messages on bare libzmq
 *
 *      lines_zmq push ENDPOINT < lines      connects, and sends a message a line
 *      lines_zmq pull ENDPOINT COUNT        binds, and writes COUNT messages as lines */

#include <sys/types.h>
#include <zmq.h>

#include "bench/measure.h"

#define LINE_MAX_BYTES 65536

static void
push (void *socket)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;

    while ((size = getline (&line, &capacity, stdin)) > 0) {
        if (line[size - 1] == '\n')
            size--;
        check (zmq_send (socket, line, (size_t) size, 0) == size, "zmq_send");
    }
    free (line);
}

static void
pull (void *socket, size_t count)
{
    static char line[LINE_MAX_BYTES];

    while (count--) {
        int size = zmq_recv (socket, line, sizeof line, 0);
        check (size >= 0, "zmq_recv");
        if ((size_t) size > sizeof line)
            die ("a line of %d bytes", size);
        fwrite (line, 1, (size_t) size, stdout);
        putchar ('\n');
    }
    check (fflush (stdout) == 0, "output");
}

int
main (int argc, char **argv)
{
    int pushes = argc == 3 && strcmp (argv[1], "push") == 0;

    if (!pushes && (argc != 4 || strcmp (argv[1], "pull")))
        die ("usage: push ENDPOINT | pull ENDPOINT COUNT");
    void *context = zmq_ctx_new ();
    void *socket = zmq_socket (context, pushes ? ZMQ_PUSH : ZMQ_PULL);
    check (socket, "zmq_socket");
    if (pushes) {
        check (zmq_connect (socket, argv[2]) == 0, argv[2]);
        push (socket);
    } else {
        check (zmq_bind (socket, argv[2]) == 0, argv[2]);
        pull (socket, number_of (argv[3], 1));
    }
    zmq_close (socket);
    zmq_ctx_term (context);
    return 0;
}
