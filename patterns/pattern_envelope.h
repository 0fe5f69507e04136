/*  pattern_envelope.h - what goes before the body of a request: its number, and an empty frame
 *
 *  Common ground of req and of those who ask many at once. REP, ROUTER and DEALER peers send both frames back, so a
 *  reply tells which request it answers. The number, 8 bytes, may be left out for servers that do not send it back. */
#ifndef WEFT_PATTERNS_PATTERN_ENVELOPE_H
#define WEFT_PATTERNS_PATTERN_ENVELOPE_H

#include "patterns/pattern.h"

/*  How a pattern that asks begins its table. */
#define PATTERN_ASKS \
    .name = "req", .peers = "rep (REP, ROUTER or DEALER sockets)", .peers_do = "rep", \
    .type = WIRE_DEALER, .side = ENDPOINT_CONNECT

/*  Before the body of a request; number: NULL for none. On failure `msg` is whole. */
int envelope_put (weft_msg_t *msg, const uint64_t *number);

/*  Takes back what was put there. */
void envelope_pop (weft_msg_t *msg, bool numbered);

/*  Its bytes, which are none of the user's. */
size_t envelope_size (bool numbered);

/*  Does a reply begin with one, and have a body? */
bool envelope_is_sound (const weft_msg_t *msg, bool numbered);

/*  The number of a reply that is sound. */
uint64_t envelope_number (const weft_msg_t *msg);

/*  The reply that was awaited: `msg` is its body then, and the envelope is counted. */
void envelope_take (struct weft_socket *socket, weft_msg_t *msg, bool numbered);

/*  A reply that nobody waits for: counted as late, or, when it is not sound, as refused and logged once, where `advice`
 *  ends the sentence. `msg` is empty then. */
void envelope_discard (struct weft_socket *socket, weft_msg_t *msg, bool sound, const char *advice);

#endif
