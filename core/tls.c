/*  tls.c - one session of TLS over a descriptor */

#include "core/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/error.h"
#include "core/tls_parts.h"

#define READ_TURN (256 * 1024)      /*  bytes that one call takes from the descriptor, data or not      */
#define WIRE_MAX (1024 * 1024)      /*  a peer that makes us answer, and does not read                  */

/* ------------------------------------------------------------- OpenSSL's way to bytes */

static int
bio_write (BIO *bio, const char *data, int size)
{
    struct tls *self = BIO_get_data (bio);
    self->flooded = buffer_add (&self->wire, data, (size_t) size) != 0;
    return self->flooded ? -1 : size;
}

static int
bio_read (BIO *bio, char *data, int size)
{
    struct tls *self = BIO_get_data (bio);
    BIO_clear_retry_flags (bio);
    size_t most = (size_t) size < self->budget ? (size_t) size : self->budget;
    ssize_t count = most ? recv (self->fd, data, most, 0) : -1;
    if (count > 0)
        self->budget -= (size_t) count;
    else if (count == 0)
        self->cut = true;
    else if (most == 0 || errno == EAGAIN || errno == EINTR)
        BIO_set_retry_read (bio);
    else
        self->number = errno;
    return (int) count;
}

static long
bio_control (BIO *bio, int command, long number, void *data)
{
    const struct tls *self = BIO_get_data (bio);
    (void) number;
    (void) data;
    return command == BIO_CTRL_FLUSH || (command == BIO_CTRL_EOF && self->cut);
}

static BIO_METHOD *method;

static void
make_method (void)
{
    BIO_METHOD *made = BIO_meth_new (BIO_get_new_index () | BIO_TYPE_SOURCE_SINK, "weft");
    if (made && BIO_meth_set_write (made, bio_write) && BIO_meth_set_read (made, bio_read)
        && BIO_meth_set_ctrl (made, bio_control))
        method = made;
    else
        BIO_meth_free (made);
}

static BIO *
new_bio (struct tls *self)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once (&once, make_method);
    BIO *bio = method ? BIO_new (method) : NULL;
    if (bio) {
        BIO_set_data (bio, self);
        BIO_set_init (bio, 1);
    }
    return bio;
}

/* ---------------------------------------------------------------- opening, closing */

int
tls_verified (int ok, X509_STORE_CTX *chain)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data (chain, SSL_get_ex_data_X509_STORE_CTX_idx ());
    struct tls *self = SSL_get_app_data (ssl);
    X509 *cert = X509_STORE_CTX_get_current_cert (chain);
    if (!ok && !self->bad && cert && X509_up_ref (cert))
        self->bad = cert;
    return ok;
}

/*  The name that the server's certificate has to have, which it is also told. */
static int
set_name (struct tls *self, const struct tls_context *context)
{
    const char *name = context->config->name && *context->config->name ? context->config->name : context->host;
    struct in6_addr ip;
    if (!name)
        return 0;
    snprintf (self->name, sizeof self->name, "%s", name);
    bool is_ip = inet_pton (AF_INET, name, &ip) == 1 || inet_pton (AF_INET6, name, &ip) == 1;
    if (!is_ip && SSL_set_tlsext_host_name (self->ssl, name) != 1)
        return tls_error (WEFT_EINVAL, name);
    SSL_set_hostflags (self->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int ok = is_ip ? X509_VERIFY_PARAM_set1_ip_asc (SSL_get0_param (self->ssl), name) : SSL_set1_host (self->ssl, name);
    return ok == 1 ? 0 : tls_error (WEFT_EINVAL, name);
}

int
tls_new (const struct tls_context *context, int fd, struct tls **handle)
{
    struct tls *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    self->fd = fd;
    buffer_init (&self->wire, WIRE_MAX);
    ERR_clear_error ();
    self->ssl = SSL_new (context->ctx);
    BIO *bio = self->ssl ? new_bio (self) : NULL;
    int rc = bio ? 0 : tls_error (WEFT_ENOMEM, "TLS");
    if (rc == 0) {
        SSL_set_bio (self->ssl, bio, bio);
        SSL_set_app_data (self->ssl, self);
        if (context->listens)
            SSL_set_accept_state (self->ssl);
        else {
            SSL_set_connect_state (self->ssl);
            rc = set_name (self, context);
        }
    }
    if (rc)
        tls_destroy (&self);
    else
        *handle = self;
    return rc;
}

void
tls_destroy (struct tls **handle)
{
    struct tls *self = *handle;
    if (!self)
        return;
    *handle = NULL;
    SSL_free (self->ssl);
    X509_free (self->bad);
    buffer_free (&self->wire);
    free (self);
}

struct buffer *
tls_wire (struct tls *self)
{
    return &self->wire;
}

/* --------------------------------------------------------------------------- calls */

/*  Before each call of OpenSSL: its errors are a list that is the thread's. */
static int
begin (struct tls *self)
{
    ERR_clear_error ();
    self->budget = READ_TURN;
    return self->failed ? error_set (self->failed, "%s", self->why) : 0;
}

int
tls_handshake (struct tls *self)
{
    int rc = begin (self);
    if (rc)
        return rc;
    int result = SSL_do_handshake (self->ssl);
    if (result == 1) {
        self->shaken = true;
        return 0;
    }
    if (SSL_get_error (self->ssl, result) == SSL_ERROR_WANT_READ)
        return error_plain (WEFT_EAGAIN);
    return tls_explain (self);
}

int64_t
tls_read (struct tls *self, void *data, size_t size)
{
    int rc = begin (self);
    if (rc)
        return rc;
    size_t count = 0;
    int result = SSL_read_ex (self->ssl, data, size, &count);
    if (result == 1)
        return (int64_t) count;
    int kind = SSL_get_error (self->ssl, result);
    if (kind == SSL_ERROR_ZERO_RETURN)
        return 0;
    return kind == SSL_ERROR_WANT_READ ? error_plain (WEFT_EAGAIN) : tls_explain (self);
}

bool
tls_has_begun (const struct tls *self)
{
    return SSL_has_pending (self->ssl);
}

int
tls_write (struct tls *self, const void *data, size_t size)
{
    int rc = begin (self);
    for (size_t done = 0, count = 0; rc == 0 && done < size; done += count)
        if (SSL_write_ex (self->ssl, (const char *) data + done, size - done, &count) != 1)
            rc = tls_explain (self);
    return rc;
}

void
tls_finish (struct tls *self)
{
    if (begin (self) == 0 && self->shaken)
        SSL_shutdown (self->ssl);
}
