/*  tls_context.c - who we are, and whom we trust: options and files */

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "core/tls_parts.h"

#define FILE_MAX (1024 * 1024)      /*  of a certificate, with its chain, or a key          */
#define BUNDLE_MAX (16 * 1024 * 1024)       /*  of those that are trusted                   */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"       /*  of TLS 1.2; 1.3 has none that is weak   */

#define AT(field) offsetof (struct tls_config, field)

const struct option tls_options[] = {
    { .name = "tls", .type = OPTION_FLAG, .standard = "no", .offset = AT (on),
      .text = "TLS on foreign connections, those that are taken in and those that are dialled" },
    { .name = "tls-cert", .type = OPTION_TEXT, .argument = "FILE", .offset = AT (cert),
      .text = "our certificate, in PEM, with those between it and the root behind it; to listen takes one" },
    { .name = "tls-key", .type = OPTION_TEXT, .argument = "FILE", .offset = AT (key),
      .text = "its key, in PEM, for our eyes alone; without it the key is in the file of --tls-cert" },
    { .name = "tls-ca", .type = OPTION_TEXT, .argument = "FILE", .offset = AT (ca),
      .text = "certificates of those whom we trust to sign others, in PEM; without it servers are trusted that the "
              "system trusts" },
    { .name = "tls-verify", .type = OPTION_CHOICE, .argument = "WHO", .standard = "servers",
      .choices = "servers|all|none", .offset = AT (verify),
      .text = "who needs a certificate that is signed by them: servers that we dial, all (clients too), or none" },
    { .name = "tls-name", .type = OPTION_TEXT, .argument = "NAME", .offset = AT (name),
      .text = "the name that a server that we dial has in its certificate; without it the host of its address" },
    OPTION_END
};

static bool
given (const char *text)
{
    return text && *text;
}

int
tls_check (const struct tls_config *self, bool listens, bool dials)
{
    const struct { const char *name, *value; } files[] = { { "cert", self->cert }, { "key", self->key },
                                                           { "ca", self->ca }, { "name", self->name } };
    for (size_t i = 0; !self->on && i < sizeof files / sizeof *files; i++)
        if (given (files[i].value))
            return error_set (WEFT_EINVAL, "--tls-%s is of no use without --tls", files[i].name);
    if (!self->on && self->verify != TLS_SERVERS)
        return error_set (WEFT_EINVAL, "--tls-verify is of no use without --tls");
    if (!self->on)
        return 0;
    if (listens && !given (self->cert))
        return error_set (WEFT_EINVAL, "--tls: to listen takes a certificate: --tls-cert FILE and --tls-key FILE");
    if (given (self->key) && !given (self->cert))
        return error_set (WEFT_EINVAL, "--tls-key is of no use without --tls-cert");
    if (listens && self->verify == TLS_ALL && !given (self->ca))
        return error_set (WEFT_EINVAL, "--tls-verify all: say by --tls-ca whose certificates clients may have");
    if (!dials && given (self->ca) && self->verify == TLS_SERVERS)
        return error_set (WEFT_EINVAL, "--tls-ca: clients need no certificate here, unless you say --tls-verify all");
    if (!dials && given (self->name))
        return error_set (WEFT_EINVAL, "--tls-name is for --dial alone");
    return 0;
}

/* ------------------------------------------------------------------------- files */

/*  In memory, as OpenSSL reads it; the caller frees both. */
static int
open_file (struct tls_context *self, int which, const char *path, struct buffer *data, BIO **bio)
{
    bool secret = which == TLS_KEY;
    int rc = file_read (path, which == TLS_CA ? BUNDLE_MAX : FILE_MAX, data, &self->seen[which]);
    /*  Keys of the system are root's, and often readable by a group of those who serve. */
    mode_t forbidden = self->seen[which].st_uid == 0 ? 027 : 077;
    rc = rc || !secret ? rc : file_trust (path, &self->seen[which], forbidden);
    if (rc)
        return rc;
    *bio = BIO_new_mem_buf (buffer_size (data) ? buffer_data (data) : "", (int) buffer_size (data));
    return *bio ? 0 : error_plain (WEFT_ENOMEM);
}

static int
take_chain (SSL_CTX *ctx, BIO *bio, const char *path)
{
    X509 *cert = PEM_read_bio_X509_AUX (bio, NULL, NULL, NULL);
    if (!cert)
        return error_set (WEFT_EPROTO, "%s: there is no certificate in it (-----BEGIN CERTIFICATE-----)", path);
    bool ok = SSL_CTX_use_certificate (ctx, cert) == 1;
    X509_free (cert);
    while (ok && (cert = PEM_read_bio_X509 (bio, NULL, NULL, NULL))) {
        ok = SSL_CTX_add1_chain_cert (ctx, cert) == 1;
        X509_free (cert);
    }
    int rc = ok ? 0 : tls_error (WEFT_EPROTO, path);
    ERR_clear_error ();                 /*  that the file has ended */
    return rc;
}

/*  Whoever starts us cannot be asked. */
static int
no_password (char *text, int size, int writes, void *asked)
{
    (void) text;
    (void) size;
    (void) writes;
    *(bool *) asked = true;
    return -1;
}

static int
take_key (SSL_CTX *ctx, BIO *bio, const char *path)
{
    bool asked = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey (bio, NULL, no_password, &asked);
    if (asked) {
        EVP_PKEY_free (key);
        return error_set (WEFT_EINVAL, "%s: the key is protected by a password, for which nobody can be asked: take it "
                          "off ('openssl pkey'), and have mode 600", path);
    }
    if (!key)
        return error_set (WEFT_EPROTO, "%s: there is no private key in it (-----BEGIN PRIVATE KEY-----)", path);
    int ok = SSL_CTX_use_PrivateKey (ctx, key) == 1 && SSL_CTX_check_private_key (ctx) == 1;
    EVP_PKEY_free (key);
    unsigned long reason = ERR_peek_last_error ();
    if (!ok && ERR_GET_REASON (reason) != X509_R_KEY_VALUES_MISMATCH
        && ERR_GET_REASON (reason) != X509_R_KEY_TYPE_MISMATCH)
        return tls_error (WEFT_EPROTO, path);
    return ok ? 0 : error_set (WEFT_EINVAL, "%s: the key does not belong to the certificate", path);
}

/*  Whom we trust, which is also whom a client is asked to be signed by. */
static int
take_trusted (const struct tls_context *self, SSL_CTX *ctx, BIO *bio, const char *path)
{
    X509_STORE *store = SSL_CTX_get_cert_store (ctx);
    int count = 0, ok = 1;
    X509 *cert;
    for (; ok == 1 && (cert = PEM_read_bio_X509_AUX (bio, NULL, NULL, NULL)); count++) {
        ok = X509_STORE_add_cert (store, cert);
        if (ok == 1 && self->listens)
            ok = SSL_CTX_add_client_CA (ctx, cert);
        X509_free (cert);
    }
    int rc = ok == 1 ? 0 : tls_error (WEFT_EPROTO, path);
    if (rc == 0 && count == 0)
        rc = error_set (WEFT_EPROTO, "%s: there is no certificate in it (-----BEGIN CERTIFICATE-----)", path);
    ERR_clear_error ();
    return rc;
}

/*  One of the files, if there is such. */
static int
load_file (struct tls_context *self, SSL_CTX *ctx, int which, const char *path)
{
    struct buffer data;
    BIO *bio = NULL;
    if (!given (path))
        return 0;
    buffer_init (&data, 0);
    ERR_clear_error ();
    int rc = open_file (self, which, path, &data, &bio);
    if (rc == 0)
        rc = which == TLS_CERT ? take_chain (ctx, bio, path)
             : which == TLS_KEY ? take_key (ctx, bio, path) : take_trusted (self, ctx, bio, path);
    BIO_free (bio);
    file_forget (&data);
    return rc;
}

static const char *
path_of (const struct tls_config *config, int which)
{
    if (which == TLS_CERT)
        return config->cert;
    if (which == TLS_KEY)
        return given (config->cert) && !given (config->key) ? config->cert : config->key;
    return config->ca;
}

int
tls_load (struct tls_context *self, SSL_CTX *ctx)
{
    int rc = 0;
    for (int which = 0; which < TLS_FILES && rc == 0; which++)
        rc = load_file (self, ctx, which, path_of (self->config, which));
    if (rc == 0 && !given (self->config->ca) && !self->listens && SSL_CTX_set_default_verify_paths (ctx) != 1)
        rc = tls_error (WEFT_EIO, "certificates that the system trusts");
    return rc;
}

/* ---------------------------------------------------------------------- the context */

/*  Who comes with other protocols than ours alone does not get on with us. */
static int
choose_alpn (SSL *ssl, const unsigned char **out, unsigned char *size, const unsigned char *in, unsigned in_size,
             void *arg)
{
    const struct tls_context *self = arg;
    size_t length = strlen (self->alpn);
    (void) ssl;
    for (unsigned at = 0; at < in_size; at += 1u + in[at])
        if (in[at] == length && at + 1 + length <= in_size && memcmp (in + at + 1, self->alpn, length) == 0) {
            *out = in + at + 1;
            *size = in[at];
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
set_alpn (struct tls_context *self, SSL_CTX *ctx)
{
    unsigned char wire[256];
    size_t size = strlen (self->alpn);
    if (self->listens) {
        SSL_CTX_set_alpn_select_cb (ctx, choose_alpn, self);
        return 0;
    }
    wire[0] = (unsigned char) size;
    memcpy (wire + 1, self->alpn, size);
    return SSL_CTX_set_alpn_protos (ctx, wire, (unsigned) size + 1) ? tls_error (WEFT_EIO, "TLS") : 0;
}

/*  No tickets: a client that only writes, and goes, would be answered by a reset for not having read them. */
static int
make_ctx (struct tls_context *self, SSL_CTX **made)
{
    const struct tls_config *config = self->config;
    bool verify = self->listens ? config->verify == TLS_ALL : config->verify != TLS_NONE;
    SSL_CTX *ctx = SSL_CTX_new (self->listens ? TLS_server_method () : TLS_client_method ());
    if (!ctx)
        return tls_error (WEFT_EIO, "TLS");
    SSL_CTX_set_options (ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET
                                  | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode (ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
                               | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode (ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets (ctx, 0);
    SSL_CTX_set_read_ahead (ctx, 1);
    SSL_CTX_set_verify (ctx, verify ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
                        tls_verified);
    int rc = SSL_CTX_set_min_proto_version (ctx, TLS1_2_VERSION) == 1 && SSL_CTX_set_cipher_list (ctx, CIPHERS) == 1
                 ? 0 : tls_error (WEFT_EIO, "TLS");
    rc = rc ? rc : tls_load (self, ctx);
    if (rc == 0 && self->alpn)
        rc = set_alpn (self, ctx);
    if (rc)
        SSL_CTX_free (ctx);
    else
        *made = ctx;
    return rc;
}

int
tls_context_new (const struct tls_config *config, bool listens, const char *host, const char *alpn,
                 struct tls_context **handle)
{
    int rc = tls_check (config, listens, !listens);
    if (rc == 0 && !listens && !host && !given (config->name) && config->verify != TLS_NONE)
        rc = error_set (WEFT_EINVAL, "--tls-name: a path is no name; say which one the server has in its certificate");
    if (rc)
        return rc;
    struct tls_context *self = calloc (1, sizeof *self);
    if (!self)
        return error_plain (WEFT_ENOMEM);
    *self = (struct tls_context) { .config = config, .listens = listens, .host = host, .alpn = alpn };
    rc = make_ctx (self, &self->ctx);
    if (rc) {
        free (self);
        return rc;
    }
    *handle = self;
    return 0;
}

void
tls_context_destroy (struct tls_context **handle)
{
    if (!*handle)
        return;
    SSL_CTX_free ((*handle)->ctx);
    free (*handle);
    *handle = NULL;
}

static bool
is_same (const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino && one->st_size == other->st_size
           && one->st_mtim.tv_sec == other->st_mtim.tv_sec && one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

int
tls_context_refresh (struct tls_context *self)
{
    SSL_CTX *ctx;
    bool same = true;
    for (int which = 0; which < TLS_FILES; which++) {
        const char *path = path_of (self->config, which);
        struct stat now = { 0 };
        if (!given (path) || stat (path, &now) != 0)
            continue;               /*  one that is not there is about to be replaced */
        same = same && is_same (&now, &self->seen[which]);
        self->seen[which] = now;
    }
    if (same)
        return 0;
    int rc = make_ctx (self, &ctx);
    if (rc)
        return rc;
    SSL_CTX_free (self->ctx);
    self->ctx = ctx;
    return 1;
}
