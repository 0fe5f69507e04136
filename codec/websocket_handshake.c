/*  websocket_handshake.c - the keys by which a WebSocket handshake is known to be one */

#include "codec/websocket_handshake.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "codec/base64.h"
#include "core/error.h"

#define SALT "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"     /*  the RFC's */
#define SHA1_SIZE 20

void
websocket_key (const unsigned char nonce[WEBSOCKET_NONCE], char key[WEBSOCKET_KEY])
{
    base64_encode (key, nonce, WEBSOCKET_NONCE);
    key[WEBSOCKET_KEY - 1] = '\0';
}

bool
websocket_key_valid (const char *key, size_t size)
{
    char nonce[WEBSOCKET_KEY];
    size_t nonce_size;
    return size == WEBSOCKET_KEY - 1 && base64_decode (nonce, &nonce_size, key, size) == 0
           && nonce_size == WEBSOCKET_NONCE;
}

int
websocket_accept (const char *key, size_t size, char accept[WEBSOCKET_ACCEPT])
{
    char text[WEBSOCKET_KEY + sizeof SALT];
    unsigned char digest[SHA1_SIZE];
    int length = snprintf (text, sizeof text, "%.*s" SALT, (int) (size < WEBSOCKET_KEY ? size : WEBSOCKET_KEY), key);
    if (!EVP_Digest (text, (size_t) length, digest, NULL, EVP_sha1 (), NULL))
        return error_set (WEFT_EIO, "OpenSSL has no SHA-1 here, which a WebSocket handshake needs");
    base64_encode (accept, digest, sizeof digest);
    accept[WEBSOCKET_ACCEPT - 1] = '\0';
    return 0;
}
