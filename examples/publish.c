/*  publish.c - ten weather reports to whoever subscribed; the other side is subscribe.c
 *
 *      publish [ENDPOINT]          default tcp://127.0.0.1:5556 */

#include <stdio.h>

#include <weft.h>

int
main (int argc, char **argv)
{
    weft_t *weft = weft_new ();
    weft_socket_t *pub = weft_open (weft, "pub");
    weft_set (pub, "wait-subs", "1");       /*  the first report waits for a subscriber */
    int rc = weft_attach (pub, argc > 1 ? argv[1] : "tcp://127.0.0.1:5556");
    if (rc == 0) {
        printf ("listening on %s\n", weft_endpoint (pub));
        fflush (stdout);
    }

    weft_msg_t msg;
    weft_msg_init (&msg);
    for (int i = 0; i < 10 && rc == 0; i++) {
        char text[32];
        snprintf (text, sizeof text, "%d degrees", 15 + i);
        weft_msg_add_str (&msg, i % 2 ? "weather.oslo" : "weather.rome");    /*  the topic comes first */
        weft_msg_add_str (&msg, text);
        rc = weft_send (pub, &msg, 0);
    }
    if (rc)
        fprintf (stderr, "publish: %s\n", weft_error ());
    weft_msg_clear (&msg);
    weft_close (&pub);
    weft_destroy (&weft);
    return rc != 0;
}
