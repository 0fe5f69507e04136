/*  ws_control.c - what a WebSocket says beside its messages: Ping, Pong and Close; and who is dead */

#include <string.h>
#include <sys/random.h>

#include "adapters/ws_parts.h"
#include "core/clock.h"
#include "core/error.h"

int
ws_random (struct ws_config *config, void *data, size_t size)
{
    if (config->random_left < size) {
        if (getrandom (config->random, sizeof config->random, 0) != sizeof config->random)
            return error_set (WEFT_EIO, "the system gives no random bytes");
        config->random_left = sizeof config->random;
    }
    memcpy (data, config->random + sizeof config->random - config->random_left, size);
    config->random_left -= size;
    return 0;
}

void
ws_set_timer (struct bridge_peer *peer)
{
    const struct ws_config *config = bridge_adapter_config (peer);
    struct ws_peer *self = bridge_peer_state (peer);
    self->heard = false;
    bridge_set_timer (peer, config->ping == 0 ? TIME_FOREVER : bridge_now (peer) + config->ping);
}

int
ws_mask (struct bridge_peer *peer, unsigned char key[4], struct stream_part *part)
{
    struct ws_config *config = bridge_adapter_config (peer);
    int rc = ws_random (config, key, 4);
    if (rc)
        return rc;
    bool there = part->data && part->data == buffer_data (&config->joined);
    if (!there)
        buffer_clear (&config->joined);
    char *room = there ? buffer_data (&config->joined) : buffer_reserve (&config->joined, part->size);
    if (!room)
        return WEFT_ENOMEM;
    websocket_mask (room, part->data, part->size, key, 0);
    part->data = room;
    return 0;
}

int
ws_write_control (struct bridge_peer *peer, enum websocket_opcode opcode, const void *data, size_t size)
{
    struct ws_peer *self = bridge_peer_state (peer);
    unsigned char head[WEBSOCKET_HEAD], key[4];
    struct stream_part parts[2] = { { .data = head }, { data, size } };
    int rc = self->client ? ws_mask (peer, key, &parts[1]) : 0;
    parts[0].size = websocket_head (head, opcode, false, size, self->client ? key : NULL);
    if (rc)
        return rc;
    return opcode == WEBSOCKET_CLOSE ? bridge_write_last (peer, parts, 2) : bridge_write (peer, parts, 2);
}

void
ws_write_close (struct bridge_peer *peer, unsigned code, const char *reason)
{
    struct ws_peer *self = bridge_peer_state (peer);
    unsigned char data[WEBSOCKET_CONTROL_MAX];
    if (self->state != WS_OPEN)
        return;
    size_t size = websocket_reason (data, code, reason);
    ws_write_control (peer, WEBSOCKET_CLOSE, data, size);
    self->state = WS_CLOSING;
}

void
ws_break_off (struct bridge_peer *peer, unsigned code, int error)
{
    char why[WEBSOCKET_CONTROL_MAX + 1];
    strncpy (why, weft_error (), sizeof why - 1);
    why[sizeof why - 1] = '\0';
    ws_write_close (peer, code, why);
    bridge_break (peer, error_set (error, "%s", why));
}

void
ws_on_timer (struct bridge_peer *peer)
{
    struct ws_peer *self = bridge_peer_state (peer);
    if (self->state == WS_REQUEST || self->state == WS_ANSWER) {
        bridge_cut (peer, error_set (WEFT_ETIMEOUT, "the handshake was not done in time"));
        return;
    }
    if (self->heard || !bridge_reads (peer) || bridge_is_sending (peer))
        self->asked = false;            /*  who is not read, or has not got all yet, cannot be heard    */
    else if (self->asked) {
        bridge_cut (peer, error_set (WEFT_ETIMEOUT, "it has not answered a Ping"));
        return;
    } else
        self->asked = ws_write_control (peer, WEBSOCKET_PING, "", 0) == 0;
    ws_set_timer (peer);
}

void
ws_ending (struct bridge_peer *peer)
{
    ws_write_close (peer, CLOSE_GOING_AWAY, "");
}
