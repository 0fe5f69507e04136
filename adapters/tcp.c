/*  tcp.c - plain TCP: messages in a framing
 *
 *  That a request has no reply cannot be told in a framing: the connection is closed, or `error-reply` is sent. Frames
 *  of a message are joined, by a TAB in the framings of text. */

#include "adapters/adapter.h"
#include "codec/framing.h"
#include "core/error.h"

#define FRAMES_MAX 32           /*  of a message that is written */

struct tcp_config {
    char *framing_text, *error_reply;
    struct framing framing;
};

struct tcp_peer {
    size_t scanned;             /*  of the bytes that were offered, those that were looked at   */
};

static const struct option tcp_options[] = {
    { .name = "framing", .letter = 'f', .type = OPTION_TEXT, .argument = "FRAMING", .standard = "line",
      .choices = FRAMING_NAMES, .offset = offsetof (struct tcp_config, framing_text),
      .text = "where a message ends: " FRAMING_NAMES },
    { .name = "error-reply", .type = OPTION_TEXT, .argument = "TEXT",
      .offset = offsetof (struct tcp_config, error_reply),
      .text = "what a client gets whose request has no reply; without it its connection is closed" },
    OPTION_END
};

static int
tcp_init (void *config, size_t max_size)
{
    struct tcp_config *self = config;
    return framing_parse (&self->framing, self->framing_text, max_size);
}

/* ------------------------------------------------------------------------ inwards */

static int
emit (struct bridge_peer *peer, const void *data, size_t size)
{
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = weft_msg_add (&msg, data, size);
    rc = rc ? rc : bridge_emit (peer, &msg);
    weft_msg_clear (&msg);
    return rc;
}

static int64_t
tcp_on_data (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    const struct tcp_config *config = bridge_adapter_config (peer);
    struct tcp_peer *self = bridge_peer_state (peer);
    size_t used = 0;
    for (;;) {
        const unsigned char *body;
        size_t body_size;
        int64_t taken = framing_next (&config->framing, &self->scanned, data + used, size - used, &body, &body_size);
        if (taken <= 0)
            return taken < 0 ? taken : (int64_t) used;
        int rc = emit (peer, body, body_size);
        if (rc)
            return rc == WEFT_EAGAIN ? (int64_t) used : rc;
        used += (size_t) taken;
    }
}

static int
tcp_on_end (struct bridge_peer *peer, const unsigned char *data, size_t size)
{
    const struct tcp_config *config = bridge_adapter_config (peer);
    if (framing_last (&config->framing, size))
        return emit (peer, data, size);
    if (size)
        bridge_cut_off (peer);
    return 0;
}

/* ------------------------------------------------------------------------ outwards */

static int
tcp_deliver (struct bridge_peer *peer, const weft_msg_t *msg)
{
    const struct framing *framing = &((struct tcp_config *) bridge_adapter_config (peer))->framing;
    bool text = framing->kind == FRAMING_LINE || framing->kind == FRAMING_NUL;
    struct stream_part parts[2 * FRAMES_MAX + 2];
    struct framing_frame around;
    size_t frames = weft_msg_frames (msg), count = 1, size = 0;
    if (frames > FRAMES_MAX)
        return error_set (WEFT_EINVAL, "a message of %zu frames, of which at most %d can be written", frames,
                          FRAMES_MAX);
    for (size_t i = 0; i < frames; i++) {
        if (i > 0 && text)
            parts[count++] = (struct stream_part) { "\t", 1 };
        parts[count++] = (struct stream_part) { weft_msg_data (msg, i), weft_msg_size (msg, i) };
    }
    for (size_t i = 1; i < count; i++)
        size += parts[i].size;
    int rc = framing_wrap (framing, size, &around);
    if (rc)
        return rc;
    parts[0] = (struct stream_part) { around.head, around.head_size };
    parts[count++] = (struct stream_part) { around.tail, around.tail_size };
    return bridge_write (peer, parts, count);
}

static int
tcp_refuse (struct bridge_peer *peer, int error)
{
    const struct tcp_config *config = bridge_adapter_config (peer);
    if (!config->error_reply)
        return error;
    weft_msg_t msg;
    weft_msg_init (&msg);
    int rc = weft_msg_add_str (&msg, config->error_reply);
    rc = rc ? rc : tcp_deliver (peer, &msg);
    weft_msg_clear (&msg);
    return rc;
}

const struct adapter adapter_tcp = {
    .name = "tcp",
    .text = "connections over TCP, each of which carries messages in a framing",
    .options = tcp_options,
    .config_size = sizeof (struct tcp_config),
    .state_size = sizeof (struct tcp_peer),
    .modes = MODE_REQ | MODE_PUB | MODE_PUSH | MODE_SUB | MODE_PULL | MODE_REP | MODE_RELAY,
    .in_order = true,
    .init = tcp_init,
    .on_data = tcp_on_data,
    .on_end = tcp_on_end,
    .deliver = tcp_deliver,
    .refuse = tcp_refuse
};
