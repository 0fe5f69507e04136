/*  push.c - hands out a hundred numbers, each to one of those who pull; the other side is pull.c
 *
 *      push [ENDPOINTS]            default tcp://127.0.0.1:5557; several are served in turn:
 *                                  tcp://127.0.0.1:5557,tcp://127.0.0.1:5558 */

#include <stdio.h>

#include <weft.h>

int
main (int argc, char **argv)
{
    weft_t *weft = weft_new ();
    weft_socket_t *push = weft_open (weft, "push");
    weft_set (push, "timeout", "10s");      /*  somebody has to come and take them */
    int rc = weft_attach (push, argc > 1 ? argv[1] : "tcp://127.0.0.1:5557");

    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 1; i <= 100 && rc == 0; i++) {
        char text[16];
        snprintf (text, sizeof text, "%d", i);
        weft_msg_add_str (&msg, text);
        rc = weft_send (push, &msg, 0);
    }
    if (rc)
        fprintf (stderr, "push: %s\n", weft_error ());
    weft_msg_clear (&msg);
    weft_close (&push);
    if (weft_destroy (&weft) == WEFT_ETIMEOUT) {
        fprintf (stderr, "push: %s\n", weft_error ());
        rc = WEFT_ETIMEOUT;
    }
    return rc != 0;
}
