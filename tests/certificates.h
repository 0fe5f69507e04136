/*  certificates.h - certificates for tests of TLS, made while they run, in the test's folder (folder.h) */
#ifndef WEFT_TESTS_CERTIFICATES_H
#define WEFT_TESTS_CERTIFICATES_H

enum { CERTIFICATE_DAY = 24 * 3600 };

/*  Makes the folder, with ca.pem in it; and the end of both. */
void certificates_begin (void);
void certificates_end (void);

/*  NAME.pem, signed by that, with NAME.key: for these names ("DNS:localhost,IP:127.0.0.1"; NULL: none), good from
 *  `from` until `until`, in seconds from now. */
void certificates_issue (const char *name, const char *names, long from, long until);

#endif
