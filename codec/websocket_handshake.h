/*  websocket_handshake.h - the keys by which a WebSocket handshake is known to be one (RFC 6455, 1.3 and 4.2.2) */
#ifndef WEFT_CODEC_WEBSOCKET_HANDSHAKE_H
#define WEFT_CODEC_WEBSOCKET_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>

#define WEBSOCKET_VERSION "13"
#define WEBSOCKET_NONCE 16              /*  bytes that nobody can guess                                 */
#define WEBSOCKET_KEY 25                /*  Sec-WebSocket-Key as text, with a NUL                       */
#define WEBSOCKET_ACCEPT 29             /*  Sec-WebSocket-Accept, likewise                              */

/*  A client's key. */
void websocket_key (const unsigned char nonce[WEBSOCKET_NONCE], char key[WEBSOCKET_KEY]);
bool websocket_key_valid (const char *key, size_t size);

/*  The server's answer to it. WEFT_EIO: the system has no SHA-1. */
int websocket_accept (const char *key, size_t size, char accept[WEBSOCKET_ACCEPT]);

#endif
