/*  ws_path.c - what the path of a connection says: /sub?topic=T, /pub?topic=T, /req, /push, ...; / is all */

#include <stdlib.h>
#include <string.h>

#include "adapters/ws_parts.h"
#include "core/error.h"

#define GIVEN (MODE_REP | MODE_PUSH | MODE_REQ | MODE_PUB | MODE_RELAY)     /*  modes in which a peer says something */
#define TOPIC_MAX 245

static const struct {
    const char *path;
    unsigned modes;
    bool topics;                    /*  ?topic= says which                                              */
} paths[] = {
    { "/", ~0u, true }, { "/req", MODE_REQ, false }, { "/push", MODE_PUSH, false }, { "/pub", MODE_PUB, true },
    { "/sub", MODE_SUB, true }, { "/pull", MODE_PULL, false }, { "/rep", MODE_REP, false },
    { "/relay", MODE_RELAY, false }
};
enum { PATHS = sizeof paths / sizeof paths[0] };

/*  Of --sub it wants this; of --pub it says that. With both, one topic is for both. */
static int
take_topic (struct bridge_peer *peer, unsigned modes, struct http_text value)
{
    struct ws_peer *self = bridge_peer_state (peer);
    char topic[TOPIC_MAX * 3 + 1];
    if (value.size >= sizeof topic)
        return error_set (WEFT_ETOOBIG, "a topic of more than %d bytes", TOPIC_MAX);
    int64_t size = http_decode (value, true, topic);
    if (size < 0)
        return error_set (WEFT_EPROTO, "topic=%.*s: a %% without its two digits", (int) value.size, value.data);
    if (size > TOPIC_MAX)
        return error_set (WEFT_ETOOBIG, "a topic of more than %d bytes", TOPIC_MAX);
    int rc = modes & MODE_SUB ? bridge_subscribe (peer, topic, (size_t) size) : 0;
    if (rc || !(modes & MODE_PUB))
        return rc;
    if (self->topic.data)
        return modes & MODE_SUB ? 0 : error_set (WEFT_EPROTO, "more than one topic to publish to");
    char *copy = malloc ((size_t) size + 1);
    if (!copy)
        return error_plain (WEFT_ENOMEM);
    memcpy (copy, topic, (size_t) size);
    self->topic = (struct http_text) { copy, (size_t) size };
    return 0;
}

static int
take_query (struct bridge_peer *peer, unsigned modes, bool topics, struct http_text query)
{
    struct http_text name, value;
    int rc = 0, count = 0;
    while (rc == 0 && http_query_next (&query, &name, &value)) {
        if (!topics || !http_text_is (name, "topic"))
            return error_set (WEFT_EPROTO, "%.*s: no such parameter%s", (int) (name.size < 80 ? name.size : 80),
                              name.data, topics ? "; there is topic=" : " here");
        rc = take_topic (peer, modes, value);
        count++;
    }
    return rc || count || !(modes & MODE_SUB) ? rc : bridge_subscribe_all (peer);
}

int
ws_route (struct bridge_peer *peer, const struct http_request *request)
{
    struct ws_peer *self = bridge_peer_state (peer);
    for (int i = 0; i < PATHS; i++) {
        if (!http_text_is (request->path, paths[i].path))
            continue;
        unsigned modes = bridge_route (peer, paths[i].modes);
        self->gives = !(modes & GIVEN);
        if (!modes)
            return error_set (WEFT_EENDPOINT, "%s: this bridge has no --%s", paths[i].path, paths[i].path + 1);
        return take_query (peer, modes, paths[i].topics, request->query);
    }
    return error_set (WEFT_EENDPOINT, "no such path; there are / /req /push /pub?topic= /sub?topic= /pull /rep /relay");
}
