/*  pull.c - adds up the numbers until all who push have left; the other side is push.c
 *
 *      pull [ENDPOINT]             default tcp://127.0.0.1:5557 */

#include <stdio.h>
#include <stdlib.h>

#include <weft.h>

int
main (int argc, char **argv)
{
    weft_t *weft = weft_new ();
    weft_socket_t *pull = weft_open (weft, "pull");
    weft_set (pull, "until-gone", "yes");
    int rc = weft_attach (pull, argc > 1 ? argv[1] : "tcp://127.0.0.1:5557");
    if (rc == 0) {
        printf ("listening on %s\n", weft_endpoint (pull));
        fflush (stdout);
    }

    weft_msg_t msg;
    weft_msg_init (&msg);
    long sum = 0;
    while (rc == 0 && (rc = weft_recv (pull, &msg, 0)) == 0) {
        char text[16];
        snprintf (text, sizeof text, "%.*s", (int) weft_msg_size (&msg, 0), (char *) weft_msg_data (&msg, 0));
        sum += strtol (text, NULL, 10);
    }
    if (rc == WEFT_EEND)
        printf ("%ld\n", sum);
    else
        fprintf (stderr, "pull: %s\n", weft_error ());
    weft_msg_clear (&msg);
    weft_close (&pull);
    weft_destroy (&weft);
    return rc != WEFT_EEND;
}
