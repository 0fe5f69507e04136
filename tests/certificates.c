/*  certificates.c - certificates for tests of TLS, made while they run */

#include "tests/certificates.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "tests/folder.h"
#include "tests/testing.h"

static EVP_PKEY *authority_key;
static X509 *authority;

static FILE *
create (const char *name, const char *ending, mode_t mode)
{
    char file[64];
    snprintf (file, sizeof file, "%s.%s", name, ending);
    FILE *out = fopen (folder_path (file), "w");
    assert_non_null (out);
    assert_int_equal (fchmod (fileno (out), mode), 0);
    return out;
}

static void
save (const char *name, X509 *cert, EVP_PKEY *key)
{
    FILE *out = create (name, "pem", 0644);
    assert_int_equal (PEM_write_X509 (out, cert), 1);
    fclose (out);
    out = create (name, "key", 0600);
    assert_int_equal (PEM_write_PrivateKey (out, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose (out);
}

static void
add_extension (X509 *cert, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid (NULL, NULL, kind, value);
    assert_non_null (extension);
    assert_int_equal (X509_add_ext (cert, extension, -1), 1);
    X509_EXTENSION_free (extension);
}

/*  Signed by the authority, or by itself when there is none yet. */
static X509 *
make (EVP_PKEY *key, const char *name, const char *names, long from, long until)
{
    static long serial = 1;
    X509 *cert = X509_new ();
    X509_NAME *subject = X509_get_subject_name (cert);
    assert_int_equal (X509_set_version (cert, 2), 1);
    ASN1_INTEGER_set (X509_get_serialNumber (cert), serial++);
    X509_gmtime_adj (X509_getm_notBefore (cert), from);
    X509_gmtime_adj (X509_getm_notAfter (cert), until);
    X509_NAME_add_entry_by_txt (subject, "CN", MBSTRING_ASC, (const unsigned char *) name, -1, -1, 0);
    X509_set_issuer_name (cert, authority ? X509_get_subject_name (authority) : subject);
    X509_set_pubkey (cert, key);
    add_extension (cert, NID_basic_constraints, authority ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names)
        add_extension (cert, NID_subject_alt_name, names);
    assert_true (X509_sign (cert, authority ? authority_key : key, EVP_sha256 ()) > 0);
    return cert;
}

void
certificates_begin (void)
{
    assert_int_equal (folder_make (NULL), 0);
    authority_key = EVP_EC_gen ("P-256");
    authority = make (authority_key, "ca", NULL, -CERTIFICATE_DAY, CERTIFICATE_DAY);
    save ("ca", authority, authority_key);
}

void
certificates_end (void)
{
    X509_free (authority);
    EVP_PKEY_free (authority_key);
    authority = NULL;
    folder_remove ();
}

void
certificates_issue (const char *name, const char *names, long from, long until)
{
    EVP_PKEY *key = EVP_EC_gen ("P-256");
    X509 *cert = make (key, name, names, from, until);
    save (name, cert, key);
    X509_free (cert);
    EVP_PKEY_free (key);
}
