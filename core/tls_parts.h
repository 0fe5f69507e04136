/*  tls_parts.h - what the files of TLS share; nobody else includes it */
#ifndef WEFT_CORE_TLS_PARTS_H
#define WEFT_CORE_TLS_PARTS_H

#include <openssl/ssl.h>
#include <sys/stat.h>

#include "core/tls.h"

enum { TLS_CERT, TLS_KEY, TLS_CA, TLS_FILES };

struct tls_context {
    const struct tls_config *config;
    const char *host;               /*  that is dialled; NULL: none                             */
    const char *alpn;
    bool listens;
    SSL_CTX *ctx;
    struct stat seen[TLS_FILES];    /*  the files, when they were last looked at                */
};

struct tls {
    SSL *ssl;
    int fd;
    size_t budget;                  /*  bytes that may still be read in this call               */
    bool cut;                       /*  the descriptor has ended ...                            */
    int number;                     /*  ... or failed: errno                                    */
    bool shaken;                    /*  the handshake is done                                   */
    X509 *bad;                      /*  the certificate that was not good enough                */
    bool flooded;                   /*  there was no room in `wire`                             */
    int failed;                     /*  WEFT_E..., for ever                                     */
    char why[256];
    char name[256];                 /*  that the peer's certificate has to have; "": none       */
    struct buffer wire;
};

/*  tls_context.c: the certificate and the key of the config, into a context. */
int tls_load (struct tls_context *self, SSL_CTX *ctx);

/*  tls.c: OpenSSL asks whether what it found wrong with a certificate matters. It does. */
int tls_verified (int ok, X509_STORE_CTX *chain);

/*  tls_words.c. Why a call on the session has failed: sets `failed` and `why`, and returns the one, explained by the
 *  other. */
int tls_explain (struct tls *self);

/*  An error of a file or of ours, with OpenSSL's reason. */
int tls_error (int code, const char *what);

#endif
