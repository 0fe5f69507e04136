/*  tls_words.c - why TLS has failed, in plain words */

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/tls_parts.h"

struct words {
    int reason;                     /*  of OpenSSL                                              */
    int code;
    const char *text;
};

/*  What we found wrong. */
static const struct words found[] = {
    { SSL_R_HTTP_REQUEST, WEFT_EPROTO, "it does not speak TLS, but HTTP in clear text (http:// for https://?)" },
    { SSL_R_WRONG_VERSION_NUMBER, WEFT_EPROTO, "it does not speak TLS" },
    { SSL_R_HTTPS_PROXY_REQUEST, WEFT_EPROTO, "it does not speak TLS, but HTTP to a proxy" },
    { SSL_R_PACKET_LENGTH_TOO_LONG, WEFT_EPROTO, "it does not speak TLS" },
    { SSL_R_BAD_PROTOCOL_VERSION_NUMBER, WEFT_EPROTO, "it does not speak TLS" },
    { SSL_R_UNEXPECTED_MESSAGE, WEFT_EPROTO, "it does not keep to TLS" },
    { SSL_R_UNSUPPORTED_PROTOCOL, WEFT_EPROTO, "it speaks no TLS that is new enough: at least 1.2 is needed" },
    { SSL_R_VERSION_TOO_LOW, WEFT_EPROTO, "it speaks no TLS that is new enough: at least 1.2 is needed" },
    { SSL_R_NO_SHARED_CIPHER, WEFT_EPROTO, "it has no cipher in common with us" },
    { SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, WEFT_EACCES, "it has no certificate, which --tls-verify all asks for" },
    { SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, WEFT_EPROTO, "what it sent was changed on the way" },
    { 0 }
};

/*  What the peer says that it found wrong. */
static const struct words alerts[] = {
    { SSL_R_TLSV1_ALERT_UNKNOWN_CA, WEFT_EACCES, "it does not trust our certificate, nor who has signed it" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, WEFT_EACCES, "it does not accept our certificate" },
    { SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, WEFT_EACCES,
      "it does not accept our certificate: it has another name, or is damaged" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, WEFT_EACCES, "it says that our certificate has expired" },
    { SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, WEFT_EACCES, "it says that our certificate was revoked" },
    { SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, WEFT_EACCES,
      "it asks for a certificate of ours: --tls-cert FILE and --tls-key FILE" },
    { SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, WEFT_EPROTO,
      "it does not get on with us: no cipher in common, or it asks for a certificate of ours (--tls-cert)" },
    { SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, WEFT_EPROTO, "it speaks no TLS that is new enough: at least 1.2 is needed" },
    { SSL_R_TLSV1_UNRECOGNIZED_NAME, WEFT_EACCES, "it does not know the name that we ask for (--tls-name)" },
    { SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, WEFT_EPROTO, "it does not speak our protocol inside of TLS" },
    { 0 }
};

static const struct words *
find (const struct words *table, int reason)
{
    for (; table->reason; table++)
        if (table->reason == reason)
            return table;
    return NULL;
}

static int
say (struct tls *self, int code, const char *text)
{
    self->failed = code;
    snprintf (self->why, sizeof self->why, "%s", text);
    return error_set (code, "%s", self->why);
}

/* ----------------------------------------------------------------- certificates */

static void
date_of (const ASN1_TIME *date, char text[32])
{
    struct tm tm;
    if (ASN1_TIME_to_tm (date, &tm) != 1 || strftime (text, 32, "%Y-%m-%d %H:%M UTC", &tm) == 0)
        strcpy (text, "?");
}

/*  The first names of a certificate, as text. */
static void
names_of (X509 *cert, char *text, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i (cert, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;
    *text = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num (names) && used + 1 < size; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value (names, i);
        if (name->type != GEN_DNS)
            continue;
        int more = snprintf (text + used, size - used, "%s%.*s", used ? ", " : "", ASN1_STRING_length (name->d.dNSName),
                             (const char *) ASN1_STRING_get0_data (name->d.dNSName));
        used += more > 0 ? (size_t) more : 0;
    }
    GENERAL_NAMES_free (names);
    for (char *at = text; *at; at++)    /*  whatever it says goes into a log */
        if ((unsigned char) *at < ' ' || (unsigned char) *at > '~')
            *at = '?';
}

static int
bad_certificate (struct tls *self, long result)
{
    char text[256], date[32], names[96] = "";
    X509 *cert = self->bad;
    switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        date_of (cert ? X509_get0_notAfter (cert) : NULL, date);
        snprintf (text, sizeof text, "its certificate has expired, on %s", date);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        date_of (cert ? X509_get0_notBefore (cert) : NULL, date);
        snprintf (text, sizeof text, "its certificate is good from %s on only: is our clock right?", date);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        if (cert)
            names_of (cert, names, sizeof names);
        snprintf (text, sizeof text, "its certificate is not for %.80s, but for %s (--tls-name)", self->name,
                  *names ? names : "something else");
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        snprintf (text, sizeof text, "its certificate is self-signed, or its signer is, and not trusted here: --tls-ca "
                  "FILE says who is");
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        snprintf (text, sizeof text, "its certificate is signed by nobody who is trusted here: --tls-ca FILE says who "
                  "is");
        break;
    default:
        snprintf (text, sizeof text, "its certificate is not good: %s", X509_verify_cert_error_string (result));
    }
    return say (self, WEFT_EACCES, text);
}

/* ------------------------------------------------------------------------ failures */

static int
cut_off (struct tls *self)
{
    if (self->number && self->number != ECONNRESET && self->number != EPIPE) {
        errno = self->number;
        return say (self, error_errno ("reading"), weft_error ());
    }
    if (!self->shaken)
        return say (self, WEFT_ENOPEER, "it has ended the connection in the middle of TLS's handshake");
    if (self->number)
        return say (self, WEFT_ENOPEER, "the peer has cut the connection off");
    return say (self, WEFT_ENOPEER, "the peer has ended the connection without TLS's own end: what it sent last may "
                "be missing");
}

int
tls_explain (struct tls *self)
{
    unsigned long first = ERR_peek_error ();
    int reason = ERR_GET_REASON (first);
    long result = SSL_get_verify_result (self->ssl);
    char text[256];
    if (self->flooded)
        return say (self, WEFT_ETOOBIG, "it has us answer without end, and does not read what we say");
    if (self->cut || self->number)
        return cut_off (self);
    if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED && result != X509_V_OK)
        return bad_certificate (self, result);
    const struct words *words = find (found, reason);
    if (!words)
        words = find (alerts, reason);
    if (words)
        return say (self, words->code, words->text);
    const char *why = ERR_reason_error_string (first);
    snprintf (text, sizeof text, reason > SSL_AD_REASON_OFFSET ? "it says: %s" : "TLS has failed: %s",
              why ? why : "no reason is known");
    return say (self, WEFT_EPROTO, text);
}

int
tls_error (int code, const char *what)
{
    const char *why = ERR_reason_error_string (ERR_peek_error ());
    return error_set (code, "%s: %s", what, why ? why : "no reason is known");
}
