/*  bridge_words.c - what a bridge says of a message: by templates, and where it comes from */

#include <msgpack.h>
#include <string.h>

#include "adapters/bridge_parts.h"
#include "core/error.h"

int
bridge_fill (struct bridge *self, const char *template, const struct bridge_peer *peer, const weft_msg_t *msg)
{
    struct encoder encoder;
    bool topic = weft_msg_frames (msg) > 1;
    const struct message_info info = {
        .topic = topic ? weft_msg_data (msg, 0) : NULL, .topic_size = topic ? weft_msg_size (msg, 0) : 0,
        .time = clock_wall (clock_system ()), .number = self->counters.in + 1,
        .peer = peer ? bridge_peer_name (peer) : NULL, .adapter = (peer ? peer->kind : self->kinds)->adapter->name
    };
    encoder_init (&encoder, FORMAT_TEMPLATE, NULL, template);
    buffer_clear (&self->text);
    return encoder_add (&encoder, msg, &info, &self->text);
}

static void
pack_text (msgpack_packer *packer, const char *text)
{
    msgpack_pack_str (packer, strlen (text));
    msgpack_pack_str_body (packer, text, strlen (text));
}

/*  A map: docs/spec/bridge.md. */
int
bridge_add_origin (const struct bridge_peer *peer, weft_msg_t *msg)
{
    msgpack_sbuffer bytes;
    msgpack_packer packer;
    msgpack_sbuffer_init (&bytes);
    msgpack_packer_init (&packer, &bytes, msgpack_sbuffer_write);
    msgpack_pack_map (&packer, 3);
    pack_text (&packer, "adapter");
    pack_text (&packer, peer->kind->adapter->name);
    pack_text (&packer, "peer");
    pack_text (&packer, bridge_peer_name (peer));
    pack_text (&packer, "time");
    msgpack_pack_int64 (&packer, clock_wall (clock_system ()) / TIME_US);
    int rc = bytes.data ? weft_msg_push (msg, bytes.data, bytes.size) : error_plain (WEFT_ENOMEM);
    msgpack_sbuffer_destroy (&bytes);
    return rc;
}
