/*  bridge.c - an HTTP server that is a program of one's own: a bridge on one thread, a service on another
 *
 *      bridge [ADDRESS]            default 127.0.0.1:8080
 *      curl http://127.0.0.1:8080/anything */

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include <weft.h>

static weft_bridge_t *bridge;

/*  Frames of a request: method, path, query, headers, body; of a reply: status, headers, body. Whoever asked has gone
 *  when the bridge has ended. */
static void *
serve (void *rep)
{
    weft_msg_t request, reply;
    char body[256];
    weft_msg_init (&request);
    weft_msg_init (&reply);
    while (weft_recv (rep, &request, 0) == 0) {
        snprintf (body, sizeof body, "you asked for %.*s\n", (int) weft_msg_size (&request, 1),
                  (const char *) weft_msg_data (&request, 1));
        weft_msg_add_str (&reply, "200");
        weft_msg_add_str (&reply, "Content-Type: text/plain\n");
        weft_msg_add_str (&reply, body);
        if (weft_send (rep, &reply, 0))
            break;
    }
    weft_msg_clear (&request);
    weft_msg_clear (&reply);
    return NULL;
}

static void
stop (int signal)
{
    (void) signal;
    weft_bridge_stop (bridge);
}

/*  The options of weft bridge http. */
static int
start (const char *address)
{
    static const char *const options[][2] = { { "req", "inproc://service" }, { "as", "frames" },
                                              { "mount", "/=req" }, { "timeout", "5s" } };
    int rc = weft_bridge_set (bridge, "listen", address);
    for (int i = 0; i < 4 && rc == 0; i++)
        rc = weft_bridge_set (bridge, options[i][0], options[i][1]);
    return rc ? rc : weft_bridge_start (bridge);
}

int
main (int argc, char **argv)
{
    pthread_t thread;
    weft_t *weft = weft_new ();
    weft_socket_t *rep = weft_open (weft, "rep");
    bridge = weft_bridge_new (weft, "http");
    weft_set (rep, "until-gone", "yes");
    int rc = weft_bind (rep, "inproc://service");
    rc = rc ? rc : start (argc > 1 ? argv[1] : "127.0.0.1:8080");
    if (rc == 0 && pthread_create (&thread, NULL, serve, rep) == 0) {
        signal (SIGINT, stop);
        signal (SIGTERM, stop);
        printf ("listening on http://%s/\n", weft_bridge_endpoint (bridge, 0, NULL));
        fflush (stdout);
        rc = weft_bridge_run (bridge, -1);
        weft_bridge_destroy (&bridge);
        pthread_join (thread, NULL);
    }
    if (rc)
        fprintf (stderr, "bridge: %s\n", weft_error ());
    weft_bridge_destroy (&bridge);
    weft_close (&rep);
    weft_destroy (&weft);
    return rc != 0;
}
