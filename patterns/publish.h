/*  publish.h - a subscriber whose topics come and go, for who subscribes on behalf of others */
#ifndef WEFT_PATTERNS_PUBLISH_H
#define WEFT_PATTERNS_PUBLISH_H

#include <stddef.h>

#include "weft.h"

/*  A socket of sub that has no topic at first. All else is as for any other. NULL with the reason kept. */
weft_socket_t *publish_open_topics (weft_t *weft);

/*  After its first bind or connect. Each topic once, and only one that is there is removed. WEFT_ETOOBIG; what the wire
 *  says. */
int publish_add (weft_socket_t *socket, const void *topic, size_t size);
int publish_remove (weft_socket_t *socket, const void *topic, size_t size);

#endif
