/*  subscribe.c - prints the weather until its publisher leaves; the other side is publish.c
 *
 *      subscribe [ENDPOINT [TOPIC]]        default tcp://127.0.0.1:5556 weather.oslo */

#include <stdio.h>

#include <weft.h>

int
main (int argc, char **argv)
{
    weft_t *weft = weft_new ();
    weft_socket_t *sub = weft_open (weft, "sub");
    weft_set (sub, "until-gone", "yes");
    int rc = weft_set (sub, "topic", argc > 2 ? argv[2] : "weather.oslo");
    if (rc == 0)
        rc = weft_attach (sub, argc > 1 ? argv[1] : "tcp://127.0.0.1:5556");

    weft_msg_t msg;
    weft_msg_init (&msg);
    while (rc == 0 && (rc = weft_recv (sub, &msg, 0)) == 0)
        for (size_t i = 0; i < weft_msg_frames (&msg); i++)
            printf ("%.*s%s", (int) weft_msg_size (&msg, i), (char *) weft_msg_data (&msg, i),
                    i + 1 < weft_msg_frames (&msg) ? ": " : "\n");
    if (rc != WEFT_EEND)
        fprintf (stderr, "subscribe: %s\n", weft_error ());
    weft_msg_clear (&msg);
    weft_close (&sub);
    weft_destroy (&weft);
    return rc != WEFT_EEND;
}
