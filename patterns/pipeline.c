/*  pipeline.c - push and pull: work goes to one of many
 *
 *  Guarantee: at most once. A message goes to one of the pullers that are
 *  connected, in turn. Push waits for a puller, and while all are full it waits
 *  too (back-pressure): nothing is dropped here. What a puller had taken in, but
 *  not yet received, when it died is lost, and so is what was still under way to it.
 *  Pull receives fairly from all pushers; with `until-gone` the stream ends,
 *  after the last message, when all pushers that came have left. */

#include "patterns/pattern.h"

/*  Queueing for a connection that is not there yet would give one puller what others wait for. */
static void
push_prepare (struct weft_socket *socket, struct wire_options *options)
{
    (void) socket;
    options->immediate = options->keep = true;
}

const struct pattern pattern_push = {
    .name = "push",
    .peers = "pull (PULL sockets)",
    .peers_do = "pull",
    .type = WIRE_PUSH,
    .side = ENDPOINT_CONNECT,
    .options = socket_no_options,
    .prepare = push_prepare,
    .send = socket_send
};

const struct pattern pattern_pull = {
    .name = "pull",
    .peers = "push (PUSH sockets)",
    .peers_do = "push",
    .type = WIRE_PULL,
    .side = ENDPOINT_BIND,
    .options = socket_receiver_options,
    .recv = socket_recv
};
