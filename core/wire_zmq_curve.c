/*  wire_zmq_curve.c - keys as libzmq makes and writes them */

#include <assert.h>
#include <errno.h>
#include <zmq.h>

#include "core/certificate.h"
#include "core/error.h"

static int
curve_error (void)
{
    if (errno == ENOTSUP)
        return error_set (WEFT_ENOTSUP,
                          "this libzmq was built without CURVE; install one that was built with libsodium");
    return error_set (WEFT_EINVAL, "not a key: %s", zmq_strerror (errno));
}

int
curve_keypair (char public_key[KEY_TEXT], char secret_key[KEY_TEXT])
{
    return zmq_curve_keypair (public_key, secret_key) ? curve_error () : 0;
}

int
curve_public (char public_key[KEY_TEXT], const char *secret_key)
{
    return zmq_curve_public (public_key, secret_key) ? curve_error () : 0;
}

void
curve_decode (unsigned char bytes[32], const char *key)
{
    assert (key_is_text (key));
    zmq_z85_decode (bytes, key);
}

void
curve_encode (char key[KEY_TEXT], const unsigned char bytes[32])
{
    zmq_z85_encode (key, bytes, 32);
}
