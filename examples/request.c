/*  request.c - asks ten times and prints the answers; the other side is reply.c
 *
 *      request [ENDPOINTS]         default tcp://127.0.0.1:5555; several servers are
 *                                  asked in turn: tcp://127.0.0.1:5555,tcp://127.0.0.1:5556 */

#include <stdio.h>

#include <weft.h>

int
main (int argc, char **argv)
{
    weft_t *weft = weft_new ();
    weft_socket_t *req = weft_open (weft, "req");
    weft_set (req, "timeout", "2s");        /*  an attempt ...                      */
    weft_set (req, "retries", "3");         /*  ... and then again, up to 3 times   */
    int rc = weft_attach (req, argc > 1 ? argv[1] : "tcp://127.0.0.1:5555");

    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 0; i < 10 && rc == 0; i++) {
        weft_msg_clear (&msg);
        weft_msg_add_str (&msg, "Hello");
        rc = weft_send (req, &msg, 0);
        if (rc == 0)
            rc = weft_recv (req, &msg, 0);
        if (rc == 0)
            printf ("%.*s\n", (int) weft_msg_size (&msg, 0), (char *) weft_msg_data (&msg, 0));
    }
    if (rc)
        fprintf (stderr, "request: %s\n", weft_error ());
    weft_msg_clear (&msg);
    weft_close (&req);
    weft_destroy (&weft);
    return rc != 0;
}
