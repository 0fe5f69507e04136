/*  czmq_peer.c - a socket of CZMQ, driven by lines; node/peer.js speaks the same
 *
 *  czmq_peer KIND bind|connect ENDPOINT [TOPIC ...]
 *
 *  Writes "ready ENDPOINT", then each message that it receives; sends each that it reads, and ends
 *  with its input. A message is a line, its frames in hex and parted by spaces, an empty one a dash.
 *  With PEER_CERTIFICATE, a file, in the environment it speaks CURVE: to PEER_SERVER_KEY, or as a server, to whom
 *  zauth finds a certificate of in the folder PEER_STORE. */

#include <czmq.h>

static int
kind_of (const char *name)
{
    static const struct {
        const char *name;
        int type;
    } kinds[] = { { "req", ZMQ_REQ }, { "rep", ZMQ_REP },   { "dealer", ZMQ_DEALER }, { "router", ZMQ_ROUTER },
                  { "pub", ZMQ_PUB }, { "sub", ZMQ_SUB },   { "xpub", ZMQ_XPUB },     { "xsub", ZMQ_XSUB },
                  { "push", ZMQ_PUSH }, { "pull", ZMQ_PULL } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (streq (kinds[i].name, name))
            return kinds[i].type;
    return -1;
}

static bool
receives (int type)
{
    return type != ZMQ_PUB && type != ZMQ_PUSH;
}

static void
write_message (zsock_t *socket)
{
    zmsg_t *msg = zmsg_recv (socket);
    const char *parting = "";
    for (zframe_t *frame = msg ? zmsg_first (msg) : NULL; frame; frame = zmsg_next (msg)) {
        char *hex = zframe_strhex (frame);
        printf ("%s%s", parting, *hex ? hex : "-");
        parting = " ";
        zstr_free (&hex);
    }
    printf ("\n");
    fflush (stdout);
    zmsg_destroy (&msg);
}

/*  The bytes of a frame in hex, written over it; their number. */
static size_t
from_hex (char *word)
{
    size_t size = 0;
    for (unsigned value; sscanf (word + 2 * size, "%2x", &value) == 1; size++)
        word[size] = (char) value;
    return size;
}

static int
send_line (zsock_t *socket, char *line)
{
    zmsg_t *msg = zmsg_new ();
    for (char *rest, *word = strtok_r (line, " \n", &rest); word; word = strtok_r (NULL, " \n", &rest))
        zmsg_addmem (msg, word, from_hex (word));
    return zmsg_send (&msg, socket);
}

/*  The actor that looks who may connect; NULL for clear text, and for a client. */
static zactor_t *
secure (zsock_t *socket)
{
    const char *path = getenv ("PEER_CERTIFICATE"), *server_key = getenv ("PEER_SERVER_KEY");
    zcert_t *cert = path ? zcert_load (path) : NULL;
    zactor_t *auth = NULL;
    if (path && !cert) {
        fprintf (stderr, "czmq_peer: %s: no certificate\n", path);
        exit (1);
    }
    if (cert)
        zcert_apply (cert, socket);
    if (cert && server_key)
        zsock_set_curve_serverkey (socket, server_key);
    else if (cert) {
        auth = zactor_new (zauth, NULL);
        zstr_sendx (auth, "CURVE", getenv ("PEER_STORE"), NULL);
        zsock_wait (auth);
        zsock_set_zap_domain (socket, "peer");
        zsock_set_curve_server (socket, 1);
    }
    zcert_destroy (&cert);
    return auth;
}

/*  Until the input ends. Unbuffered, so that what is polled is all there is; and polled by
 *  libzmq, since zpoller does not tell an interruption from the end. */
static int
serve (zsock_t *socket)
{
    char *line = NULL;
    size_t room = 0;
    int rc = 0;
    zmq_pollitem_t items[] = {
        { .fd = STDIN_FILENO, .events = ZMQ_POLLIN },
        { .socket = zsock_resolve (socket), .events = ZMQ_POLLIN },
    };
    setvbuf (stdin, NULL, _IONBF, 0);
    while (rc == 0 && !zsys_interrupted) {
        if (zmq_poll (items, receives (zsock_type (socket)) ? 2 : 1, -1) < 0) {
            rc = zmq_errno () == EINTR ? 0 : -1;
            continue;
        }
        if (items[1].revents)
            write_message (socket);
        if (items[0].revents && getline (&line, &room, stdin) <= 0)
            break;
        if (items[0].revents)
            rc = send_line (socket, line);
    }
    if (rc)
        fprintf (stderr, "czmq_peer: %s\n", zmq_strerror (zmq_errno ()));
    free (line);
    return rc;
}

int
main (int argc, char **argv)
{
    int type = argc < 4 ? -1 : kind_of (argv[1]);
    if (type < 0) {
        fprintf (stderr, "czmq_peer KIND bind|connect ENDPOINT [TOPIC ...]\n");
        return 2;
    }
    zsock_t *socket = zsock_new (type);
    zsock_set_linger (socket, 10000);
    zactor_t *auth = secure (socket);
    int rc = streq (argv[2], "bind") ? zsock_bind (socket, "%s", argv[3]) : zsock_connect (socket, "%s", argv[3]);
    if (rc == -1) {
        fprintf (stderr, "czmq_peer: %s: %s\n", argv[3], zmq_strerror (zmq_errno ()));
        return 1;
    }
    for (int i = 4; i < argc; i++)
        zsock_set_subscribe (socket, argv[i]);
    char *endpoint = zsock_last_endpoint (socket);
    printf ("ready %s\n", endpoint);
    fflush (stdout);
    zstr_free (&endpoint);
    rc = serve (socket);
    zsock_destroy (&socket);
    zactor_destroy (&auth);
    return rc == 0 ? 0 : 1;
}
