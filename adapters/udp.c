/*  udp.c - UDP: a datagram is a message
 *
 *  Frames of a message are joined, with `separator` between them. That a request has no reply cannot be told but by
 *  `error-reply`. */

#include <string.h>

#include "adapters/adapter.h"
#include "core/error.h"

#define FRAMES_MAX 32           /*  of a message that is written */

struct udp_config {
    char *separator, *error_reply;
};

static const struct option udp_options[] = {
    { .name = "separator", .type = OPTION_TEXT, .argument = "TEXT", .standard = "",
      .offset = offsetof (struct udp_config, separator),
      .text = "what stands in a datagram between the frames of a message; without, nothing" },
    { .name = "error-reply", .type = OPTION_TEXT, .argument = "TEXT",
      .offset = offsetof (struct udp_config, error_reply),
      .text = "what a client gets whose request has no reply; without it, nothing" },
    OPTION_END
};

static int64_t
udp_on_data (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = weft_msg_add (&msg, data, size);
    rc = rc ? rc : bridge_emit (peer, &msg);
    weft_msg_clear (&msg);
    return rc ? rc : (int64_t) size;
}

static int
udp_deliver (struct bridge_peer *peer, const weft_msg_t *msg)
{
    const char *separator = ((const struct udp_config *) bridge_adapter_config (peer))->separator;
    struct stream_part parts[2 * FRAMES_MAX];
    size_t frames = weft_msg_frames (msg), count = 0;
    if (frames > FRAMES_MAX)
        return error_set (WEFT_EINVAL, "a message of %zu frames, of which at most %d can be written", frames,
                          FRAMES_MAX);
    for (size_t i = 0; i < frames; i++) {
        if (i > 0 && separator && *separator)
            parts[count++] = (struct stream_part) { separator, strlen (separator) };
        parts[count++] = (struct stream_part) { weft_msg_data (msg, i), weft_msg_size (msg, i) };
    }
    return bridge_write (peer, parts, count);
}

/*  The client is not told when the bridge may send it no more. */
static int
udp_refuse (struct bridge_peer *peer, int error)
{
    const char *text = ((const struct udp_config *) bridge_adapter_config (peer))->error_reply;
    (void) error;
    if (!text)
        return 0;
    const struct stream_part part = { text, strlen (text) };
    int rc = bridge_write (peer, &part, 1);
    return rc == WEFT_EAGAIN ? rc : 0;
}

const struct adapter adapter_udp = {
    .name = "udp",
    .text = "datagrams over UDP, each of which is a message",
    .options = udp_options,
    .config_size = sizeof (struct udp_config),
    .modes = MODE_REQ | MODE_PUB | MODE_PUSH | MODE_SUB | MODE_PULL | MODE_REP | MODE_RELAY,
    .datagram = true,
    .on_data = udp_on_data,
    .deliver = udp_deliver,
    .refuse = udp_refuse
};
