/*  queue.c - a proxy between many clients and many servers: request.c connects to its
 *  front, and reply.c, with > before the endpoint, to its back
 *
 *      queue [FRONT BACK]          default tcp://127.0.0.1:5555 tcp://127.0.0.1:5565
 *      reply '>tcp://127.0.0.1:5565' */

#include <signal.h>
#include <stdio.h>

#include <weft.h>

static weft_proxy_t *proxy;

static void
stop (int signal)
{
    (void) signal;
    weft_proxy_stop (proxy);
}

int
main (int argc, char **argv)
{
    weft_t *weft = weft_new ();
    proxy = weft_proxy_new (weft, "queue");
    int rc = weft_proxy_attach (proxy, "front", argc > 2 ? argv[1] : "tcp://127.0.0.1:5555");
    if (rc == 0)
        rc = weft_proxy_attach (proxy, "back", argc > 2 ? argv[2] : "tcp://127.0.0.1:5565");
    if (rc == 0) {
        printf ("listening on %s\n", weft_proxy_endpoint (proxy, "front"));
        printf ("listening on %s\n", weft_proxy_endpoint (proxy, "back"));
        fflush (stdout);
        signal (SIGINT, stop);
        signal (SIGTERM, stop);
        do
            rc = weft_proxy_run (proxy, -1);
        while (rc == WEFT_EINTR);
    }
    if (rc)
        fprintf (stderr, "queue: %s\n", weft_error ());
    weft_proxy_destroy (&proxy);
    weft_destroy (&weft);
    return rc != 0;
}
