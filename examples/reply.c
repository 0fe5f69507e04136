/*  reply.c - answers every request with "World"; the other side is request.c
 *
 *      reply [ENDPOINT]            default tcp://127.0.0.1:5555 */

#include <stdio.h>

#include <weft.h>

int
main (int argc, char **argv)
{
    weft_t *weft = weft_new ();
    weft_socket_t *rep = weft_open (weft, "rep");
    if (weft_attach (rep, argc > 1 ? argv[1] : "tcp://127.0.0.1:5555")) {
        fprintf (stderr, "reply: %s\n", weft_error ());
        return 1;
    }
    printf ("listening on %s\n", weft_endpoint (rep));
    fflush (stdout);

    weft_msg_t msg;
    weft_msg_init (&msg);
    while (weft_recv (rep, &msg, 0) == 0) {
        printf ("%.*s\n", (int) weft_msg_size (&msg, 0), (char *) weft_msg_data (&msg, 0));
        weft_msg_clear (&msg);
        weft_msg_add_str (&msg, "World");
        if (weft_send (rep, &msg, 0))
            break;
    }
    fprintf (stderr, "reply: %s\n", weft_error ());
    weft_msg_clear (&msg);
    weft_close (&rep);
    weft_destroy (&weft);
    return 1;
}
