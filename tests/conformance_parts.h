/*  conformance_parts.h - what the files of the suite share; nobody else includes it */
#ifndef WEFT_TESTS_CONFORMANCE_PARTS_H
#define WEFT_TESTS_CONFORMANCE_PARTS_H

#include "adapters/bridge.h"
#include "tests/conformance.h"
#include "tests/sockets.h"

#define FABRIC "inproc://conformance"
#define WAIT_MS 20000               /*  for anything, before a test gives up                        */
enum { CLIENTS = 1000 };
enum { KEPT = 100 };                /*  so many datagrams the system keeps without privileges, too  */

extern const struct conformance *how;   /*  the protocol whose turn it is */

/*  The cases by subject, each list up to one without a name. */
extern const struct CMUnitTest conformance_order[], conformance_ends[], conformance_datagrams[];
int conformance_teardown (void **state);
#define CONFORMANCE_CASE(name) cmocka_unit_test_setup_teardown (name, zmq_setup, conformance_teardown)

/* ------------------------------------------------- conformance_bridge.c: a bridge that runs */

extern char bridge_address[ADDRESS_TEXT];       /*  where it listens                                */
extern weft_bridge_counters_t counters;         /*  that it had when it was stopped                 */

/*  With these options, beside --listen: "push=inproc://... hwm=1". `listen` NULL: where the protocol says. */
void start (const char *listen, const char *options);

/*  Tells it to end, as a signal does; waits for that, and takes its counters. */
void tell_to_end (void);
void stop (void);

/*  While it runs, another thread reads what it shows; and what its sockets count. */
void expect_shown (uint64_t in);

/*  The test's own socket, on the other side. */
weft_socket_t *bound (const char *pattern, const char *options);
weft_socket_t *connected (const char *pattern, const char *options);

/*  Messages that are numbers, from `first` on: as a client writes them; as they come to a socket. */
void write_numbers (struct buffer *data, enum adapter_mode mode, int first, int count);
void expect_numbers (weft_socket_t *socket, int first, int count);

/*  Answers with what was asked. */
void echo (weft_socket_t *rep, int count);

/* ---------------------------------------------------- conformance_client.c: a plain client */

struct client {
    int fd;
    struct tls *tls;                    /*  NULL: clear text                                        */
    size_t held;                        /*  bytes in TLS's hands that the system has not taken      */
    enum adapter_mode mode;
    bool deaf;                          /*  it reads nothing while it sends                         */
    int taken, refused;                 /*  of what it has heard: READ_TAKEN, READ_REFUSED          */
    struct buffer in;
};

/*  Connects, and waits for the answer to its hello. */
struct client client_open (enum adapter_mode mode);
void client_close (struct client *self);
void client_reset (struct client *self);
void client_forget_tls (void);          /*  what clients have of TLS in common                      */

/*  Its end, while it reads on. */
void client_end (struct client *self);

/*  Sends until nothing was taken for a while, or all is: how much. What the protocol acknowledges is read meanwhile. */
size_t client_send (struct client *self, const struct buffer *data, size_t from, int patience);
void client_say (struct client *self, const char *text);

/*  The next message as text; NULL: the connection has ended. */
const char *client_hear (struct client *self);
void client_expect (struct client *self, const char *text);
void client_expect_end (struct client *self);       /*  of a connection */

/*  What has come by now. */
void client_read_on (struct client *self);

/*  As expect_numbers, of a client that sent them and reads what it is told meanwhile. */
void client_expect_numbers (struct client *self, weft_socket_t *socket, int first, int count);

/*  It has sent so many messages, and was told of each that it was taken, where the protocol does. */
void client_expect_taken (struct client *self, int count);
bool client_waits (struct client *self, short events, int patience);

#endif
